#include "kernels/reduction.h"

#include <stdlib.h>

#include "core/parallel.h"
#include "cpu/isa.h"
#include "cpu/loops.h"

// Reductions. float32 is summed in float64. Work is cut by shape alone, so that any number of threads gives the same
// bits: a run of elements is taken in blocks of kBlock, a long reduction in segments whose results are combined in
// order.

namespace tl::cpu::TL_ISA {
namespace {

constexpr int64_t kBlock = 2048;      // elements of a run taken at once
constexpr int64_t kSegment = 131072;  // elements worth a partial result
constexpr int64_t kColumns = 1024;    // results worked on side by side when the kept dim is the contiguous one

template <class T>
struct TagOf;
template <>
struct TagOf<uint8_t> {
  static constexpr Dtype value = Dtype::UInt8;
};
template <>
struct TagOf<int64_t> {
  static constexpr Dtype value = Dtype::Int64;
};
template <>
struct TagOf<float> {
  static constexpr Dtype value = Dtype::Float32;
};
template <>
struct TagOf<double> {
  static constexpr Dtype value = Dtype::Float64;
};

template <class T>
struct WideOf {
  using type = T;
};
template <>
struct WideOf<float> {
  using type = double;
};
template <>
struct WideOf<int64_t> {
  using type = uint64_t;  // wraps around
};

// ---- what is reduced: T is read, A accumulates; map and step work on scalars and vectors alike ----

struct Identity {
  template <class V>
  TL_INLINE static V map(V x, double) {
    return x;
  }
};
struct NanToZero {
  template <class V>
  TL_INLINE static V map(V x, double) {
    return x == x ? x : V{};
  }
};
struct Squared {
  template <class V>
  TL_INLINE static V map(V x, double) {
    return x * x;
  }
};
struct Magnitude {
  template <class V>
  TL_INLINE static V map(V x, double) {
    return x < V{} ? -x : x;
  }
};
struct Powered {
  TL_INLINE static double map(double x, double p) { return ::pow(x < 0 ? -x : x, p); }
};

template <class InT, class Map>
struct Sum : Map {
  using T = InT;
  using A = typename WideOf<T>::type;
  static constexpr bool vectors = true;
  TL_INLINE static A start() { return 0; }
  template <class V>
  TL_INLINE static V step(V a, V b) {
    return a + b;
  }
  TL_INLINE static T finish(A a, double scale) {
    if constexpr (TagOf<T>::value == Dtype::Int64)
      return T(a);
    else
      return T(a / scale);
  }
};

template <class InT>
struct PowerSum : Sum<InT, Powered> {
  static constexpr bool vectors = false;
};

template <class InT>
struct Prod : Identity {
  using T = InT;
  using A = typename WideOf<T>::type;
  static constexpr bool vectors = true;
  TL_INLINE static A start() { return 1; }
  template <class V>
  TL_INLINE static V step(V a, V b) {
    return a * b;
  }
  TL_INLINE static T finish(A a, double) { return T(a); }
};

template <class T>
TL_INLINE T lowest();
template <>
TL_INLINE uint8_t lowest() {
  return 0;
}
template <>
TL_INLINE int64_t lowest() {
  return INT64_MIN;
}
template <>
TL_INLINE float lowest() {
  return -__builtin_inff();
}
template <>
TL_INLINE double lowest() {
  return -__builtin_inf();
}
template <class T>
TL_INLINE T highest();
template <>
TL_INLINE uint8_t highest() {
  return 255;
}
template <>
TL_INLINE int64_t highest() {
  return INT64_MAX;
}
template <>
TL_INLINE float highest() {
  return __builtin_inff();
}
template <>
TL_INLINE double highest() {
  return __builtin_inf();
}

template <class InT>
struct Max : Identity {
  using T = InT;
  using A = T;
  static constexpr bool vectors = true;
  TL_INLINE static A start() { return lowest<T>(); }
  template <class V>
  TL_INLINE static V step(V a, V b) {
    return ((b > a) | (b != b)) ? b : a;
  }
  TL_INLINE static T finish(A a, double) { return a; }
};

template <class InT>
struct Min : Identity {
  using T = InT;
  using A = T;
  static constexpr bool vectors = true;
  TL_INLINE static A start() { return highest<T>(); }
  template <class V>
  TL_INLINE static V step(V a, V b) {
    return ((b < a) | (b != b)) ? b : a;
  }
  TL_INLINE static T finish(A a, double) { return a; }
};

// ---- a run of elements side by side ----

template <class R>
typename R::A reduce_run(const typename R::T* p, int64_t n, double power) {
  using T = typename R::T;
  using A = typename R::A;
  A total = R::start();
  int64_t i = 0;
  if constexpr (R::vectors) {
    constexpr int kLanes = TL_VECTOR_BYTES / int(sizeof(A));
    typedef T VT __attribute__((vector_size(kLanes * sizeof(T))));
    typedef A VA __attribute__((vector_size(kLanes * sizeof(A))));
    if (n >= 4 * kLanes) {
      VA a0 = VA{} + R::start(), a1 = a0, a2 = a0, a3 = a0;
      auto load = [&](int64_t at) __attribute__((always_inline)) {
        VT v;
        __builtin_memcpy(&v, p + at, sizeof(VT));
        return R::map(__builtin_convertvector(v, VA), power);
      };
      for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
        a0 = R::step(a0, load(i));
        a1 = R::step(a1, load(i + kLanes));
        a2 = R::step(a2, load(i + 2 * kLanes));
        a3 = R::step(a3, load(i + 3 * kLanes));
      }
      a0 = R::step(R::step(a0, a1), R::step(a2, a3));
      for (int k = 0; k < kLanes; ++k) total = R::step(total, A(a0[k]));
    }
  }
  for (; i < n; ++i) total = R::step(total, A(R::map(A(p[i]), power)));
  return total;
}

// ---- where the elements are ----

TL_INLINE const char* kept_address(const ReducePlan& p, int64_t index) {
  const char* at = static_cast<const char*>(p.input);
  for (int d = 0; d < p.kept_ndim; ++d) {
    at += index % p.kept_sizes[d] * p.kept_strides[d];
    index /= p.kept_sizes[d];
  }
  return at;
}

TL_INLINE int64_t reduced_offset(const ReducePlan& p, int64_t index) {
  int64_t offset = 0;
  for (int d = 0; d < p.reduced_ndim; ++d) {
    offset += index % p.reduced_sizes[d] * p.reduced_strides[d];
    index /= p.reduced_sizes[d];
  }
  return offset;
}

// n elements from `from`, side by side as T: in place if they lie so, else in `buffer`.
template <class T>
const T* bring(const char* from, int64_t n, int64_t stride, Dtype dtype, T* buffer, char* raw) {
  constexpr Dtype wanted = TagOf<T>::value;
  int64_t width = int64_t(itemsize(dtype));
  bool close = stride == width || n == 1;
  if (dtype == wanted) {
    if (close) return reinterpret_cast<const T*>(from);
    block_tools.gather[log2_itemsize(dtype)](buffer, from, n, stride);
    return buffer;
  }
  if (!close) {
    block_tools.gather[log2_itemsize(dtype)](raw, from, n, stride);
    from = raw;
  }
  block_tools.convert[int(dtype)][int(wanted)](buffer, from, n);
  return buffer;
}

// Calls f(pointer, n) for the elements [begin, end) of the reduction that starts at `base`, in blocks.
template <class T, class F>
TL_INLINE void for_runs(const ReducePlan& p, const char* base, int64_t begin, int64_t end, F&& f) {
  alignas(64) T buffer[kBlock];
  alignas(64) char raw[kBlock * 16];
  int64_t size = p.reduced_sizes[0], stride = p.reduced_strides[0];
  for (int64_t i = begin; i < end;) {
    int64_t inner = i % size;
    int64_t n = size - inner;
    if (n > end - i) n = end - i;
    if (n > kBlock) n = kBlock;
    f(bring<T>(base + reduced_offset(p, i), n, stride, p.dtype, buffer, raw), n);
    i += n;
  }
}

// ---- geometry: by result, or by columns of results side by side ----

bool by_columns(const ReducePlan& p) {
  int64_t width = int64_t(itemsize(p.dtype));
  return p.kept_ndim > 0 && p.kept_strides[0] == width && p.kept_sizes[0] >= 8 &&
         (p.reduced_strides[0] != width || p.reduced_sizes[0] == 1);
}

struct Cuts {
  int64_t segments, length;
};

// Long reductions with few results are cut into segments.
Cuts cut(int64_t count, int64_t groups, int64_t width) {
  int64_t length = kSegment / width;
  if (length < 1) length = 1;
  if (groups >= 64 || count < 2 * length) return {1, count};
  return {(count + length - 1) / length, length};
}

template <class T>
T* scratch(int64_t n) {
  return static_cast<T*>(malloc(size_t(n) * sizeof(T)));
}

template <class R>
void by_result(const ReduceArgs& a) {
  using T = typename R::T;
  using A = typename R::A;
  const ReducePlan& p = a.plan;
  auto* result = static_cast<T*>(a.result);
  auto one = [&](const char* base, int64_t begin, int64_t end) {
    A total = R::start();
    for_runs<T>(p, base, begin, end,
                [&](const T* v, int64_t n) { total = R::step(total, reduce_run<R>(v, n, a.power)); });
    return total;
  };
  Cuts c = cut(p.count, p.outputs, 1);
  if (c.segments == 1) {
    int64_t grain = kGrain / p.count;
    parallel_for(p.outputs, grain < 1 ? 1 : grain, [&](int64_t b, int64_t e) {
      for (int64_t o = b; o < e; ++o) result[o] = R::finish(one(kept_address(p, o), 0, p.count), a.scale);
    });
    return;
  }
  A* parts = scratch<A>(p.outputs * c.segments);
  parallel_for(p.outputs * c.segments, 1, [&](int64_t b, int64_t e) {
    for (int64_t k = b; k < e; ++k) {
      int64_t begin = k % c.segments * c.length, end = begin + c.length;
      parts[k] = one(kept_address(p, k / c.segments), begin, end < p.count ? end : p.count);
    }
  });
  for (int64_t o = 0; o < p.outputs; ++o) {
    A total = R::start();
    for (int64_t s = 0; s < c.segments; ++s) total = R::step(total, parts[o * c.segments + s]);
    result[o] = R::finish(total, a.scale);
  }
  free(parts);
}

// Adds `rows` rows of `cols` elements to as many totals.
template <class R>
void add_rows(typename R::A* __restrict totals, const char* from, int64_t stride, int64_t rows, int64_t cols,
              double power) {
  using T = typename R::T;
  using A = typename R::A;
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4) {
    auto* __restrict p0 = reinterpret_cast<const T*>(from + r * stride);
    auto* __restrict p1 = reinterpret_cast<const T*>(from + (r + 1) * stride);
    auto* __restrict p2 = reinterpret_cast<const T*>(from + (r + 2) * stride);
    auto* __restrict p3 = reinterpret_cast<const T*>(from + (r + 3) * stride);
    for (int64_t j = 0; j < cols; ++j) {
      A x = R::step(A(R::map(A(p0[j]), power)), A(R::map(A(p1[j]), power)));
      A y = R::step(A(R::map(A(p2[j]), power)), A(R::map(A(p3[j]), power)));
      totals[j] = R::step(totals[j], A(R::step(x, y)));
    }
  }
  for (; r < rows; ++r) {
    auto* __restrict p = reinterpret_cast<const T*>(from + r * stride);
    for (int64_t j = 0; j < cols; ++j) totals[j] = R::step(totals[j], A(R::map(A(p[j]), power)));
  }
}

// One column block and one segment: f(address of the first row, stride, rows) for each run of rows.
template <class F>
TL_INLINE void for_rows(const ReducePlan& p, const char* base, int64_t begin, int64_t end, F&& f) {
  int64_t size = p.reduced_sizes[0];
  for (int64_t i = begin; i < end;) {
    int64_t n = size - i % size;
    if (n > end - i) n = end - i;
    f(base + reduced_offset(p, i), p.reduced_strides[0], n);
    i += n;
  }
}

struct ColumnGrid {
  int64_t blocks, outer, segments, length;
};

ColumnGrid column_grid(const ReducePlan& p) {
  ColumnGrid g;
  g.blocks = (p.kept_sizes[0] + kColumns - 1) / kColumns;
  g.outer = p.outputs / p.kept_sizes[0];
  int64_t width = p.kept_sizes[0] < kColumns ? p.kept_sizes[0] : kColumns;
  Cuts c = cut(p.count, g.blocks * g.outer, width);
  g.segments = c.segments;
  g.length = c.length;
  return g;
}

template <class R>
void by_column(const ReduceArgs& a) {
  using T = typename R::T;
  using A = typename R::A;
  const ReducePlan& p = a.plan;
  auto* result = static_cast<T*>(a.result);
  ColumnGrid g = column_grid(p);
  bool direct = p.dtype == TagOf<T>::value;
  A* parts = g.segments > 1 ? scratch<A>(p.outputs * g.segments) : nullptr;
  int64_t units = g.blocks * g.outer * g.segments;
  int64_t per_unit = p.outputs * p.count / units + 1;
  int64_t grain = kGrain / per_unit;
  parallel_for(units, grain < 1 ? 1 : grain, [&](int64_t b, int64_t e) {
    alignas(64) A totals[kColumns];
    alignas(64) T buffer[kColumns];
    for (int64_t unit = b; unit < e; ++unit) {
      int64_t block = unit % g.blocks, segment = unit / g.blocks % g.segments, outer = unit / g.blocks / g.segments;
      int64_t c0 = block * kColumns, cols = p.kept_sizes[0] - c0;
      if (cols > kColumns) cols = kColumns;
      int64_t first = outer * p.kept_sizes[0] + c0;
      int64_t begin = segment * g.length, end = begin + g.length;
      if (end > p.count) end = p.count;
      for (int64_t j = 0; j < cols; ++j) totals[j] = R::start();
      for_rows(p, kept_address(p, first), begin, end, [&](const char* from, int64_t stride, int64_t rows) {
        if (direct) return add_rows<R>(totals, from, stride, rows, cols, a.power);
        for (int64_t r = 0; r < rows; ++r) {
          block_tools.convert[int(p.dtype)][int(TagOf<T>::value)](buffer, from + r * stride, cols);
          add_rows<R>(totals, reinterpret_cast<const char*>(buffer), 0, 1, cols, a.power);
        }
      });
      if (parts)
        __builtin_memcpy(parts + segment * p.outputs + first, totals, size_t(cols) * sizeof(A));
      else
        for (int64_t j = 0; j < cols; ++j) result[first + j] = R::finish(totals[j], a.scale);
    }
  });
  if (!parts) return;
  for (int64_t o = 0; o < p.outputs; ++o) {
    A total = parts[o];
    for (int64_t s = 1; s < g.segments; ++s) total = R::step(total, parts[s * p.outputs + o]);
    result[o] = R::finish(total, a.scale);
  }
  free(parts);
}

template <class R>
void run_reduce(const ReduceArgs& a) {
  if (by_columns(a.plan))
    by_column<R>(a);
  else
    by_result<R>(a);
}

template <template <class> class R>
void floats_and_ints(const ReduceArgs& a) {
  if (a.compute == Dtype::Float32) return run_reduce<R<float>>(a);
  if (a.compute == Dtype::Float64) return run_reduce<R<double>>(a);
  run_reduce<R<int64_t>>(a);
}

template <class Map>
void floats(const ReduceArgs& a) {
  if (a.compute == Dtype::Float32) return run_reduce<Sum<float, Map>>(a);
  run_reduce<Sum<double, Map>>(a);
}

template <class T>
using PlainSum = Sum<T, Identity>;

void reduce(Reduce op, const ReduceArgs& a) {
  switch (op) {
    case Reduce::Sum:
      return floats_and_ints<PlainSum>(a);
    case Reduce::NanSum:
      return floats<NanToZero>(a);
    case Reduce::SumSquares:
      return floats<Squared>(a);
    case Reduce::SumAbs:
      return floats<Magnitude>(a);
    case Reduce::SumPowers:
      return a.compute == Dtype::Float32 ? run_reduce<PowerSum<float>>(a) : run_reduce<PowerSum<double>>(a);
    case Reduce::Prod:
      return floats_and_ints<Prod>(a);
    case Reduce::Max:
      return a.compute == Dtype::UInt8 ? run_reduce<Max<uint8_t>>(a) : floats_and_ints<Max>(a);
    case Reduce::Min:
      return a.compute == Dtype::UInt8 ? run_reduce<Min<uint8_t>>(a) : floats_and_ints<Min>(a);
  }
}

// ---- the place of an extreme ----

template <class T, bool kMax>
TL_INLINE bool beats(T x, T best) {
  return (kMax ? x > best : x < best) || (x != x && best == best);
}

template <class T>
struct Place {
  T value;
  int64_t index;
};

// Rows are numbered, and found, in the type that is as wide as T, so that both fill vectors alike.
template <int bytes>
struct RowNumber {
  using type = int64_t;
};
template <>
struct RowNumber<4> {
  using type = int32_t;
};

// Where v[k] is x, or NaN if x is; somewhere it is. In steps without branches first.
template <class T>
int64_t find_first(const T* v, int64_t n, T x) {
  constexpr int kStep = 64;
  const bool nan = x != x;
  int64_t k = 0;
  for (; k + kStep <= n; k += kStep) {
    typename RowNumber<sizeof(T)>::type found = 0;
    for (int i = 0; i < kStep; ++i) found |= (v[k + i] == x) | (nan & (v[k + i] != v[k + i]));
    if (found) break;
  }
  while (!(v[k] == x || (nan && v[k] != v[k]))) ++k;
  return k;
}

// Finds each block's extreme first and looks for its place only where it beats what came before.
template <class T, bool kMax, class R>
Place<T> place_of(const ReducePlan& p, const char* base, int64_t begin, int64_t end) {
  Place<T> best{R::start(), begin};
  bool any = false;
  int64_t at = begin;
  for_runs<T>(p, base, begin, end, [&](const T* v, int64_t n) {
    T extreme = reduce_run<R>(v, n, 1);
    if (!any || beats<T, kMax>(extreme, best.value)) {
      best = {extreme, at + find_first(v, n, extreme)};
      any = true;
    }
    at += n;
  });
  return best;
}

template <class T, bool kMax>
void place_rows(T* __restrict values, typename RowNumber<sizeof(T)>::type* __restrict where, const T* __restrict p,
                typename RowNumber<sizeof(T)>::type row, int64_t cols) {
  for (int64_t j = 0; j < cols; ++j) {
    T x = p[j], v = values[j];
    bool better = (kMax ? x > v : x < v) | ((x != x) & (v == v));
    values[j] = better ? x : v;
    where[j] = better ? row : where[j];
  }
}

template <class T, bool kMax, class R>
void run_argument(const ReduceArgs& a) {
  using N = typename RowNumber<sizeof(T)>::type;
  const ReducePlan& p = a.plan;
  auto* values = static_cast<T*>(a.result);
  auto* indices = static_cast<int64_t*>(a.second);
  if (by_columns(p) && p.count < (int64_t(1) << 31)) {
    int64_t blocks = (p.kept_sizes[0] + 255) / 256, outer = p.outputs / p.kept_sizes[0];
    int64_t grain = kGrain / (256 * p.count);
    parallel_for(blocks * outer, grain < 1 ? 1 : grain, [&](int64_t b, int64_t e) {
      alignas(64) T best[256];
      alignas(64) T buffer[256];
      alignas(64) N where[256];
      for (int64_t unit = b; unit < e; ++unit) {
        int64_t c0 = unit % blocks * 256, cols = p.kept_sizes[0] - c0;
        if (cols > 256) cols = 256;
        int64_t first = unit / blocks * p.kept_sizes[0] + c0;
        const char* base = kept_address(p, first);
        for (int64_t r = 0; r < p.count; ++r) {
          const T* row =
              bring<T>(base + reduced_offset(p, r), cols, int64_t(itemsize(p.dtype)), p.dtype, buffer, nullptr);
          if (r == 0) {
            __builtin_memcpy(best, row, size_t(cols) * sizeof(T));
            for (int64_t j = 0; j < cols; ++j) where[j] = 0;
          } else {
            place_rows<T, kMax>(best, where, row, N(r), cols);
          }
        }
        for (int64_t j = 0; j < cols; ++j) {
          values[first + j] = best[j];
          indices[first + j] = where[j];
        }
      }
    });
    return;
  }
  Cuts c = cut(p.count, p.outputs, 1);
  if (c.segments == 1) {
    int64_t grain = kGrain / p.count;
    parallel_for(p.outputs, grain < 1 ? 1 : grain, [&](int64_t b, int64_t e) {
      for (int64_t o = b; o < e; ++o) {
        Place<T> best = place_of<T, kMax, R>(p, kept_address(p, o), 0, p.count);
        values[o] = best.value;
        indices[o] = best.index;
      }
    });
    return;
  }
  auto* parts = scratch<Place<T>>(p.outputs * c.segments);
  parallel_for(p.outputs * c.segments, 1, [&](int64_t b, int64_t e) {
    for (int64_t k = b; k < e; ++k) {
      int64_t begin = k % c.segments * c.length, end = begin + c.length;
      parts[k] = place_of<T, kMax, R>(p, kept_address(p, k / c.segments), begin, end < p.count ? end : p.count);
    }
  });
  for (int64_t o = 0; o < p.outputs; ++o) {
    Place<T> best = parts[o * c.segments];
    for (int64_t s = 1; s < c.segments; ++s) {
      Place<T> other = parts[o * c.segments + s];
      if (beats<T, kMax>(other.value, best.value)) best = other;
    }
    values[o] = best.value;
    indices[o] = best.index;
  }
  free(parts);
}

template <class T>
void argument_of(bool max, const ReduceArgs& a) {
  if (max)
    run_argument<T, true, Max<T>>(a);
  else
    run_argument<T, false, Min<T>>(a);
}

void argument(bool max, const ReduceArgs& a) {
  if (a.compute == Dtype::Float32) return argument_of<float>(max, a);
  if (a.compute == Dtype::Float64) return argument_of<double>(max, a);
  argument_of<int64_t>(max, a);
}

// ---- variance: each block's mean and squared deviations, combined as by Chan, Golub and LeVeque (1979) ----

struct Moments {
  double n, mean, m2;
};

TL_INLINE Moments combine(Moments a, Moments b) {
  double n = a.n + b.n;
  if (n == 0) return a;
  double delta = b.mean - a.mean, share = b.n / n;
  return {n, a.mean + delta * share, a.m2 + b.m2 + delta * delta * a.n * share};
}

template <class T>
struct Deviation {
  using A = double;
  static constexpr bool vectors = true;
  TL_INLINE static A start() { return 0; }
  template <class V>
  TL_INLINE static V map(V x, double mean) {
    V d = x - mean;
    return d * d;
  }
  template <class V>
  TL_INLINE static V step(V a, V b) {
    return a + b;
  }
};
template <class InT>
struct DeviationOf : Deviation<InT> {
  using T = InT;
};

template <class T>
Moments moments(const ReducePlan& p, const char* base, int64_t begin, int64_t end) {
  Moments total{0, 0, 0};
  for_runs<T>(p, base, begin, end, [&](const T* v, int64_t n) {
    double mean = reduce_run<Sum<T, Identity>>(v, n, 1) / double(n);
    total = combine(total, {double(n), mean, reduce_run<DeviationOf<T>>(v, n, mean)});
  });
  return total;
}

template <class T>
void finish(const ReduceArgs& a, int64_t o, double n, double mean, double m2) {
  double divisor = n - a.scale;
  static_cast<T*>(a.result)[o] = T(m2 / (divisor > 0 ? divisor : 0.0));
  if (a.second) static_cast<T*>(a.second)[o] = T(mean);
}

template <class T>
void variance_by_result(const ReduceArgs& a) {
  const ReducePlan& p = a.plan;
  Cuts c = cut(p.count, p.outputs, 1);
  auto* parts = scratch<Moments>(p.outputs * c.segments);
  int64_t grain = kGrain / (c.length + 1);
  parallel_for(p.outputs * c.segments, grain < 1 ? 1 : grain, [&](int64_t b, int64_t e) {
    for (int64_t k = b; k < e; ++k) {
      int64_t begin = k % c.segments * c.length, end = begin + c.length;
      parts[k] = moments<T>(p, kept_address(p, k / c.segments), begin, end < p.count ? end : p.count);
    }
  });
  for (int64_t o = 0; o < p.outputs; ++o) {
    Moments m = parts[o * c.segments];
    for (int64_t s = 1; s < c.segments; ++s) m = combine(m, parts[o * c.segments + s]);
    finish<T>(a, o, m.n, m.mean, m.m2);
  }
  free(parts);
}

constexpr int64_t kVarianceColumns = 256, kVarianceRows = 16;

template <class T>
void variance_by_column(const ReduceArgs& a) {
  const ReducePlan& p = a.plan;
  int64_t blocks = (p.kept_sizes[0] + kVarianceColumns - 1) / kVarianceColumns, outer = p.outputs / p.kept_sizes[0];
  int64_t grain = kGrain / (kVarianceColumns * p.count);
  parallel_for(blocks * outer, grain < 1 ? 1 : grain, [&](int64_t b, int64_t e) {
    alignas(64) double mean[kVarianceColumns], m2[kVarianceColumns], sum[kVarianceColumns], square[kVarianceColumns];
    alignas(64) T buffer[kVarianceRows][kVarianceColumns];
    const T* rows[kVarianceRows];
    for (int64_t unit = b; unit < e; ++unit) {
      int64_t c0 = unit % blocks * kVarianceColumns, cols = p.kept_sizes[0] - c0;
      if (cols > kVarianceColumns) cols = kVarianceColumns;
      int64_t first = unit / blocks * p.kept_sizes[0] + c0;
      const char* base = kept_address(p, first);
      for (int64_t j = 0; j < cols; ++j) mean[j] = m2[j] = 0;
      for (int64_t r = 0; r < p.count; r += kVarianceRows) {
        int64_t n = p.count - r < kVarianceRows ? p.count - r : kVarianceRows;
        for (int64_t j = 0; j < cols; ++j) sum[j] = square[j] = 0;
        for (int64_t k = 0; k < n; ++k) {
          const T* __restrict row = rows[k] =
              bring<T>(base + reduced_offset(p, r + k), cols, int64_t(itemsize(p.dtype)), p.dtype, buffer[k], nullptr);
          for (int64_t j = 0; j < cols; ++j) sum[j] += double(row[j]);
        }
        double inverse = 1.0 / double(n);
        for (int64_t j = 0; j < cols; ++j) sum[j] *= inverse;
        for (int64_t k = 0; k < n; ++k) {
          const T* __restrict row = rows[k];
          for (int64_t j = 0; j < cols; ++j) {
            double d = double(row[j]) - sum[j];
            square[j] += d * d;
          }
        }
        double share = double(n) / double(r + n), before = double(r);
        for (int64_t j = 0; j < cols; ++j) {
          double delta = sum[j] - mean[j];
          mean[j] += delta * share;
          m2[j] += square[j] + delta * delta * before * share;
        }
      }
      for (int64_t j = 0; j < cols; ++j) finish<T>(a, first + j, double(p.count), mean[j], m2[j]);
    }
  });
}

template <class T>
void variance_of(const ReduceArgs& a) {
  if (by_columns(a.plan))
    variance_by_column<T>(a);
  else
    variance_by_result<T>(a);
}

void variance(const ReduceArgs& a) { a.compute == Dtype::Float32 ? variance_of<float>(a) : variance_of<double>(a); }

}  // namespace

void fill_reduction() { reduction_kernels[int(DeviceType::CPU)] = {reduce, argument, variance}; }

}  // namespace tl::cpu::TL_ISA
