#include "kernels/reduction.h"

#include "runtime/block.h"

// Every reduction is a struct: what an element becomes, how two such combine, what a result is. Where reduced elements
// lie side by side a run of lanes or a block takes an output; else a thread takes four neighbouring outputs and steps
// along the rows. Long reductions are cut into chunks whose results a second kernel combines; how they are cut depends
// on the shape alone.

namespace tl::cuda {
namespace {

// Several elements, `step` apart.
template <class Op, class T, int N>
TL_DEVICE typename Op::Partial as_tree(const Op& op, const T (&v)[N], int64_t first, int64_t step) {
  typename Op::Partial p[N];
  TL_UNROLL
  for (int k = 0; k < N; ++k) p[k] = op.lift(v[k], first + k * step);
  TL_UNROLL
  for (int half = N / 2; half; half /= 2)
    for (int k = 0; k < half; ++k) p[k] = op.combine(p[k], p[k + half]);
  return p[0];
}

constexpr int kBatch = 4, kBelow = 4;  // loads that a thread has under way along rows, and down columns
constexpr int kSingles = 8;            // and along rows of single elements
constexpr int kAcross = 4;             // neighbouring outputs of a thread that steps along rows

template <class T>
TL_DEVICE T lowest_of() {
  if constexpr (is_floating_type<T>)
    return -T(__builtin_inf());
  else if constexpr (T(-1) > T(0))
    return T(0);
  else
    return T(uint64_t(1) << (8 * sizeof(T) - 1));
}
template <class T>
TL_DEVICE T highest_of() {
  if constexpr (is_floating_type<T>)
    return T(__builtin_inf());
  else
    return T(~lowest_of<T>());
}

template <class T, Reduce kind>
struct Fold {
  using Element = T;
  using Partial = T;
  T* result;
  double scale, power;

  TL_DEVICE T identity() const {
    if constexpr (kind == Reduce::Prod) return T(1);
    if constexpr (kind == Reduce::Max) return lowest_of<T>();
    if constexpr (kind == Reduce::Min) return highest_of<T>();
    return T(0);
  }
  TL_DEVICE T lift(T x, int64_t) const {
    if constexpr (kind == Reduce::NanSum) return x == x ? x : T(0);
    if constexpr (kind == Reduce::SumSquares) return T(x * x);
    if constexpr (kind == Reduce::SumAbs) return x < T(0) ? T(-x) : x;
    if constexpr (kind == Reduce::SumPowers) {
      if constexpr (sizeof(T) == 4)
        return ::powf(x < T(0) ? -x : x, float(power));
      else
        return T(::pow(double(x < T(0) ? T(-x) : x), power));
    }
    return x;
  }
  TL_DEVICE T combine(T a, T b) const {
    if constexpr (kind == Reduce::Prod) return T(a * b);
    if constexpr (kind == Reduce::Max) return a > b || a != a ? a : b;
    if constexpr (kind == Reduce::Min) return a < b || a != a ? a : b;
    return T(a + b);
  }
  template <int N>
  TL_DEVICE Partial many(const T (&v)[N], int64_t first, int64_t step) const {
    return as_tree(*this, v, first, step);
  }
  TL_DEVICE void write(int64_t i, T v) const {
    if constexpr (is_floating_type<T>)
      result[i] = scale == 1 ? v : T(v / T(scale));
    else
      result[i] = v;
  }
  TL_DEVICE static T exchange(T v, int bits) { return shuffle_xor(v, bits); }
};

template <class T>
struct Found {
  T value;
  int64_t index;
};

// The extreme value and where it stands first; NaN is beyond all.
template <class T, bool kMax>
struct Argument {
  using Element = T;
  using Partial = Found<T>;
  T* result;
  int64_t* index;

  TL_DEVICE Partial identity() const { return {kMax ? lowest_of<T>() : highest_of<T>(), INT64_MAX}; }
  TL_DEVICE Partial lift(T x, int64_t i) const { return {x, i}; }
  TL_DEVICE Partial combine(Partial a, Partial b) const {
    bool a_nan = a.value != a.value, b_nan = b.value != b.value;
    if (a_nan != b_nan) return a_nan ? a : b;
    if (a_nan || a.value == b.value) return a.index < b.index ? a : b;
    return (kMax ? a.value > b.value : a.value < b.value) ? a : b;
  }
  template <int N>
  TL_DEVICE Partial many(const T (&v)[N], int64_t first, int64_t step) const {
    return as_tree(*this, v, first, step);
  }
  TL_DEVICE void write(int64_t i, Partial v) const {
    if (result) result[i] = v.value;
    if (index) index[i] = v.index;
  }
  TL_DEVICE static Partial exchange(Partial v, int bits) {
    return {shuffle_xor(v.value, bits), shuffle_xor(v.index, bits)};
  }
};

template <class T>
struct Moments {
  T n, mean, squares;  // squares of differences from the mean
};

// Means and variances, combined as by Chan, Golub and LeVeque (1979).
template <class T>
struct Spread {
  using Element = T;
  using Partial = Moments<T>;
  T *variance, *mean;
  double correction;

  TL_DEVICE Partial identity() const { return {T(0), T(0), T(0)}; }
  TL_DEVICE Partial lift(T x, int64_t) const { return {T(1), x, T(0)}; }
  TL_DEVICE Partial combine(Partial a, Partial b) const {
    if (a.n == T(0)) return b;
    if (b.n == T(0)) return a;
    T n = a.n + b.n, delta = b.mean - a.mean, part = b.n / n;
    return {n, a.mean + delta * part, a.squares + b.squares + delta * delta * a.n * part};
  }
  // By their own mean: one division for all of them.
  template <int N>
  TL_DEVICE Partial many(const T (&v)[N], int64_t, int64_t) const {
    T sum = 0, squares = 0;
    TL_UNROLL
    for (int k = 0; k < N; ++k) sum += v[k];
    T mean = sum * T(1.0 / N);
    TL_UNROLL
    for (int k = 0; k < N; ++k) squares += (v[k] - mean) * (v[k] - mean);
    return {T(N), mean, squares};
  }
  TL_DEVICE void write(int64_t i, Partial v) const {
    T divisor = T(double(v.n) - correction);
    variance[i] = v.squares / (divisor > T(0) ? divisor : T(0));
    if (mean) mean[i] = v.mean;
  }
  TL_DEVICE static Partial exchange(Partial v, int bits) {
    return {shuffle_xor(v.n, bits), shuffle_xor(v.mean, bits), shuffle_xor(v.squares, bits)};
  }
};

// Offsets in bytes from a position in dims that are walked innermost first.
struct Offsets {
  int ndim;
  int64_t strides[kPlanDims];
  Divide divide[kPlanDims];

  Offsets(int n, const int64_t* sizes, const int64_t* steps, int64_t positions) : ndim(n), divide{} {
    for (int d = 0; d < n; ++d) strides[d] = steps[d], divide[d] = Divide(sizes[d], positions);
  }
  TL_DEVICE int64_t operator()(int64_t i) const {
    if (ndim <= 1) return ndim ? i * strides[0] : 0;
    int64_t offset = 0;
    TL_UNROLL_BY(1)
    for (int d = 0; d + 1 < ndim; ++d) {
      int64_t q = divide[d](i);
      offset += (i - q * divide[d].value) * strides[d];
      i = q;
    }
    return offset + i * strides[ndim - 1];
  }
};

// What both kernels walk. An output's chunk k reduces the units [k * length, (k + 1) * length), which are packs of 16
// bytes of a row where `wide` (rows), or elements. `direct`: by_packs of the dtype.
struct Walked {
  const char* input;
  Dtype dtype;
  bool wide, direct;
  int64_t outputs, units, chunks, length;
  Divide by_chunks;
  Offsets kept, reduced;
};

// The dtypes that are read by packs into a type, rather than one by one.
template <class T>
constexpr bool by_packs(Dtype d) {
  if constexpr (is_floating_type<T>)
    return d == dtype_of<T> || (sizeof(T) == 4 && (d == Dtype::Float16 || d == Dtype::BFloat16));
  else
    return d == dtype_of<T> || d == Dtype::Bool || d == Dtype::UInt8 || (sizeof(T) == 8 && d == Dtype::Int32);
}
// f(S()) with the type of such a dtype; bools are bytes.
template <class T, class F>
TL_DEVICE void with_stored(Dtype d, F f) {
  if constexpr (is_floating_type<T>) {
    if constexpr (sizeof(T) == 4) {
      if (d == Dtype::Float16) return f(Half());
      if (d == Dtype::BFloat16) return f(BFloat16());
    }
  } else if constexpr (sizeof(T) == 8) {
    if (d == Dtype::Int32) return f(int32_t());
    if (d != Dtype::Int64) return f(uint8_t());
  }
  f(T());
}

// Blocks that a multiprocessor has registers for: all chunks shall be under way at once.
template <class Op>
constexpr bool is_plain() {  // no place, no moments
  return sizeof(typename Op::Partial) == sizeof(typename Op::Element);
}
template <class Op>
constexpr int kResident = sizeof(typename Op::Element) <= 4 && is_plain<Op>() ? 4 : 3;
template <>
constexpr int kResident<Fold<float, Reduce::SumPowers>> = 3;
template <>
constexpr int kResident<Fold<double, Reduce::SumPowers>> = 2;
template <>
constexpr int kResident<Fold<int64_t, Reduce::SumPowers>> = 2;
template <class Op>
constexpr int resident_columns() {
  if (sizeof(typename Op::Element) != 4) return 1;
  return is_plain<Op>() ? 4 : 2;
}
template <class Op>
constexpr int64_t kEnoughBlocks = 132 * kResident<Op>;

template <class Op>
TL_DEVICE typename Op::Partial fold_row(const Walked& w, const Op& op, const char* base, int64_t begin, int64_t end,
                                        int step) {
  using T = typename Op::Element;
  auto total = op.identity();
  if (w.wide) {
    for (int64_t u = begin; u < end; u += kBatch * step) {
      Pack<uint32_t, 4> raw[kBatch];
      TL_UNROLL
      for (int k = 0; k < kBatch; ++k)
        if (u + k * step < end) raw[k] = *reinterpret_cast<const Pack<uint32_t, 4>*>(base + w.reduced(u + k * step));
      with_stored<T>(w.dtype, [&](auto stored) {
        using S = decltype(stored);
        constexpr int P = kPack<S>;
        TL_UNROLL
        for (int k = 0; k < kBatch; ++k) {
          if (u + k * step >= end) break;
          Pack<S, P> pack;
          __builtin_memcpy(&pack, &raw[k], 16);
          T v[P];
          TL_UNROLL
          for (int e = 0; e < P; ++e) v[e] = convert<T>(pack.v[e]);
          total = op.combine(total, op.many(v, (u + k * step) * P, 1));
        }
      });
    }
  } else if (w.direct && w.reduced.ndim == 1) {
    with_stored<T>(w.dtype, [&](auto stored) {
      using S = decltype(stored);
      const int64_t apart = step * w.reduced.strides[0];
      const char* at = base + begin * w.reduced.strides[0];
      for (int64_t r = begin; r < end; r += kSingles * step, at += kSingles * apart) {
        T v[kSingles] = {};
        TL_UNROLL
        for (int k = 0; k < kSingles; ++k)
          if (r + k * step < end) v[k] = convert<T>(*reinterpret_cast<const S*>(at + k * apart));
        if (r + (kSingles - 1) * step < end) {
          total = op.combine(total, op.many(v, r, step));
          continue;
        }
        TL_UNROLL
        for (int k = 0; k < kSingles; ++k)
          if (r + k * step < end) total = op.combine(total, op.lift(v[k], r + k * step));
      }
    });
  } else {
    for (int64_t r = begin; r < end; r += step)
      total = op.combine(total, op.lift(load_as<T>(base + w.reduced(r), w.dtype), r));
  }
  return total;
}

// A run of lanes, or with `log_lanes` of a block a block, takes a chunk of an output.
template <class Op>
TL_KERNEL_OF(kThreads, kResident<Op>)
reduce_rows(const Walked w, const Op op, int log_lanes, typename Op::Partial* partials) {
  using Partial = typename Op::Partial;
  TL_SHARED(Partial, warps, kThreads / kWarp);
  int t = int(thread_index().x), lanes = 1 << log_lanes, together = kThreads >> log_lanes;
  int64_t tasks = w.outputs * w.chunks;
  for (int64_t first = block_index().x * int64_t(together); first < tasks; first += grid_size().x * int64_t(together)) {
    int64_t task = first + (t >> log_lanes), output = 0;
    Partial v = op.identity();
    if (task < tasks) {
      output = w.by_chunks(task);
      int64_t begin = (task - output * w.chunks) * w.length;
      int64_t end = begin + w.length < w.units ? begin + w.length : w.units;
      v = fold_row(w, op, w.input + w.kept(output), begin + (t & (lanes - 1)), end, lanes);
    }
    for (int bits = (lanes < kWarp ? lanes : kWarp) / 2; bits; bits /= 2) v = op.combine(v, Op::exchange(v, bits));
    if (lanes > kWarp) {
      if (t % kWarp == 0) warps[t / kWarp] = v;
      sync_block();
      if (t == 0)
        for (int k = 1; k < kThreads / kWarp; ++k) v = op.combine(v, warps[k]);
      sync_block();
    }
    if ((t & (lanes - 1)) || task >= tasks) continue;
    if (partials)
      partials[task] = v;
    else
      op.write(output, v);
  }
}

// `1 << log_lanes` threads lie side by side across the outputs, the others below each other along what is reduced.
template <class Op>
TL_KERNEL_OF(kThreads, resident_columns<Op>())
reduce_columns(const Walked w, const Op op, int log_lanes, uint32_t tiles, typename Op::Partial* partials) {
  using T = typename Op::Element;
  using Partial = typename Op::Partial;
  TL_SHARED(Partial, all, kThreads * kAcross);
  int t = int(thread_index().x), lanes = 1 << log_lanes, lane = t & (lanes - 1), y = t >> log_lanes;
  int depth = kThreads >> log_lanes;
  int64_t chunk = block_index().x / tiles, tile = block_index().x - uint32_t(chunk) * tiles;
  int64_t begin = chunk * w.length, end = begin + w.length < w.units ? begin + w.length : w.units;
  int64_t output[kAcross];
  const char* base[kAcross];
  Partial total[kAcross];
  TL_UNROLL
  for (int c = 0; c < kAcross; ++c) {
    output[c] = tile * lanes * kAcross + (w.wide ? lane * kAcross + c : c * lanes + lane);
    total[c] = op.identity();
    base[c] = output[c] < w.outputs && (c == 0 || !w.wide) ? w.input + w.kept(output[c]) : nullptr;
  }
  auto load = [&](int64_t r, T(&v)[kAcross]) {
    int64_t offset = w.reduced(r);
    if (w.wide) {
      if (!base[0]) return;
      with_stored<T>(w.dtype, [&](auto stored) {
        using S = decltype(stored);
        auto pack = *reinterpret_cast<const Pack<S, kAcross>*>(base[0] + offset);
        TL_UNROLL
        for (int c = 0; c < kAcross; ++c) v[c] = convert<T>(pack.v[c]);
      });
    } else {
      TL_UNROLL
      for (int c = 0; c < kAcross; ++c)
        if (base[c]) v[c] = load_as<T>(base[c] + offset, w.dtype);
    }
  };
  int64_t r = begin + y;
  // All are read before the first is converted.
  if (w.direct)
    with_stored<T>(w.dtype, [&](auto stored) {
      using S = decltype(stored);
      for (; r + (kBelow - 1) * depth < end; r += kBelow * depth) {
        Pack<S, kAcross> raw[kBelow] = {};
        TL_UNROLL
        for (int k = 0; k < kBelow; ++k) {
          int64_t offset = w.reduced(r + k * depth);
          if (w.wide) {
            if (base[0]) raw[k] = *reinterpret_cast<const Pack<S, kAcross>*>(base[0] + offset);
          } else {
            TL_UNROLL
            for (int c = 0; c < kAcross; ++c)
              if (base[c]) raw[k].v[c] = *reinterpret_cast<const S*>(base[c] + offset);
          }
        }
        TL_UNROLL
        for (int c = 0; c < kAcross; ++c) {
          T below[kBelow];
          TL_UNROLL
          for (int k = 0; k < kBelow; ++k) below[k] = convert<T>(raw[k].v[c]);
          total[c] = op.combine(total[c], op.many(below, r, depth));
        }
      }
    });
  for (; r < end; r += depth) {
    T v[kAcross] = {};
    load(r, v);
    TL_UNROLL
    for (int c = 0; c < kAcross; ++c) total[c] = op.combine(total[c], op.lift(v[c], r));
  }
  TL_UNROLL
  for (int c = 0; c < kAcross; ++c) all[c * kThreads + t] = total[c];
  sync_block();
  for (int half = depth / 2; half; half /= 2) {
    if (y < half) {
      TL_UNROLL
      for (int c = 0; c < kAcross; ++c) {
        Partial other = all[c * kThreads + t + half * lanes];
        total[c] = op.combine(total[c], other);
        all[c * kThreads + t] = total[c];
      }
    }
    sync_block();
  }
  if (y != 0) return;
  TL_UNROLL
  for (int c = 0; c < kAcross; ++c) {
    if (output[c] >= w.outputs) continue;
    if (partials)
      partials[output[c] * w.chunks + chunk] = total[c];
    else
      op.write(output[c], total[c]);
  }
}

template <class Op>
TL_KERNEL_OF(kThreads, 1)
combine_chunks(const Op op, int64_t outputs, int64_t chunks, const typename Op::Partial* partials) {
  for (int64_t i = global_index() / kWarp; i < outputs; i += global_size() / kWarp) {
    auto v = op.identity();
    for (int64_t k = lane_index(); k < chunks; k += kWarp) v = op.combine(v, partials[i * chunks + k]);
    for (int bits = kWarp / 2; bits; bits /= 2) v = op.combine(v, Op::exchange(v, bits));
    if (lane_index() == 0) op.write(i, v);
  }
}

int log2_above(int64_t n, int most) {
  int log = 0;
  while (log < most && (int64_t(1) << log) < n) ++log;
  return log;
}
// Whether packs of so many bytes start at multiples of them.
bool in_packs(const ReducePlan& p, int64_t bytes, bool along_kept) {
  int64_t width = int64_t(itemsize(p.dtype)), per = bytes / width;
  int64_t first = along_kept ? p.kept_ndim && p.kept_strides[0] == width ? p.kept_sizes[0] : 0
                  : p.reduced_ndim && p.reduced_strides[0] == width ? p.reduced_sizes[0]
                                                                    : 0;
  if (first == 0 || first % per || !is_aligned(p.input, size_t(bytes))) return false;
  for (int d = along_kept; d < p.kept_ndim; ++d)
    if (p.kept_strides[d] % bytes) return false;
  for (int d = !along_kept; d < p.reduced_ndim; ++d)
    if (p.reduced_strides[d] % bytes) return false;
  return true;
}

template <class Op>
void reduce_with(const ReducePlan& p, const Op& op) {
  if (p.outputs == 0) return;
  using T = typename Op::Element;
  using Partial = typename Op::Partial;
  check(reads<T>(p.dtype), "no conversion from ", name(p.dtype), " for a reduction in ", name(dtype_of<T>));
  Launcher l(p.device);
  int64_t step = p.reduced_ndim ? p.reduced_strides[0] : 0;
  bool rows = p.kept_ndim == 0 || (step < 0 ? -step : step) <= p.kept_strides[0] || p.kept_strides[0] < 0;
  int64_t per = 16 / int64_t(itemsize(p.dtype)), across = kAcross * int64_t(itemsize(p.dtype));
  bool wide = by_packs<T>(p.dtype) && (rows ? in_packs(p, 16, false) : in_packs(p, across, true));
  int64_t units = rows && wide ? p.count / per : p.count;
  int64_t sizes[kPlanDims], strides[kPlanDims];
  for (int d = 0; d < p.reduced_ndim; ++d) {
    bool packed = rows && wide && d == 0;
    sizes[d] = packed ? p.reduced_sizes[d] / per : p.reduced_sizes[d];
    strides[d] = packed ? 16 : p.reduced_strides[d];
  }
  // Lanes along a row: few for short rows, a block for long ones. Across columns: up to a warp.
  int log_lanes = rows ? units > 32 * kWarp ? 8 : log2_above(wide ? (units + 1) / 2 : units, 5)
                       : log2_above((p.outputs + kAcross - 1) / kAcross, 5);
  int64_t lanes = int64_t(1) << log_lanes, tiles = (p.outputs + kAcross * lanes - 1) / (kAcross * lanes);
  int64_t tasks = rows ? (p.outputs * lanes + kThreads - 1) / kThreads : tiles;
  int64_t least = 4 * kBelow * (rows ? lanes : kThreads / lanes);  // units of a chunk
  int64_t chunks = 1, length = units;
  if (tasks < kEnoughBlocks<Op> && units > 2 * least) {
    int64_t wanted = (kEnoughBlocks<Op> + tasks - 1) / tasks, most = units / least;
    chunks = wanted < most ? wanted : most;
    length = (units + chunks - 1) / chunks;
    chunks = (units + length - 1) / length;
  }
  Walked w{static_cast<const char*>(p.input),
           p.dtype,
           wide,
           by_packs<T>(p.dtype),
           p.outputs,
           units,
           chunks,
           length,
           Divide(chunks, p.outputs * chunks),
           Offsets(p.kept_ndim, p.kept_sizes, p.kept_strides, p.outputs),
           Offsets(p.reduced_ndim, sizes, strides, units)};
  WorkArray<Partial> memory(l, chunks > 1 ? p.outputs * chunks : 0);
  Partial* partials = chunks > 1 ? memory.data() : nullptr;
  if (rows)
    launch({{blocks_for(p.outputs * chunks * lanes, kThreads)}, {kThreads}, 0, l.stream}, reduce_rows<Op>, w, op,
           log_lanes, partials);
  else
    launch({{uint32_t(tiles * chunks)}, {kThreads}, 0, l.stream}, reduce_columns<Op>, w, op, log_lanes, uint32_t(tiles),
           partials);
  if (partials)
    launch({{blocks_for(p.outputs * kWarp, kThreads)}, {kThreads}, 0, l.stream}, combine_chunks<Op>, op, p.outputs,
           chunks, static_cast<const Partial*>(partials));
}

template <class F>
void with_type(Dtype compute, F f) {
  switch (compute) {
    case Dtype::Float32:
      return f(float());
    case Dtype::Float64:
      return f(double());
    case Dtype::Int64:
      return f(int64_t());
    default:
      return f(uint8_t());
  }
}

template <Reduce kind>
void fold(const ReduceArgs& a) {
  with_type(a.compute, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (sizeof(T) > 1 || kind == Reduce::Max || kind == Reduce::Min)
      reduce_with(a.plan, Fold<T, kind>{static_cast<T*>(a.result), a.scale, a.power});
    else
      fail<NotImplementedError>("reductions in ", name(a.compute), " are not implemented for CUDA");
  });
}

void reduce(Reduce op, const ReduceArgs& a) {
  switch (op) {
    case Reduce::Sum:
      return fold<Reduce::Sum>(a);
    case Reduce::NanSum:
      return fold<Reduce::NanSum>(a);
    case Reduce::SumSquares:
      return fold<Reduce::SumSquares>(a);
    case Reduce::SumAbs:
      return fold<Reduce::SumAbs>(a);
    case Reduce::SumPowers:
      return fold<Reduce::SumPowers>(a);
    case Reduce::Prod:
      return fold<Reduce::Prod>(a);
    case Reduce::Max:
      return fold<Reduce::Max>(a);
    case Reduce::Min:
      return fold<Reduce::Min>(a);
  }
}

void argument(bool max, const ReduceArgs& a) {
  with_type(a.compute, [&](auto zero) {
    using T = decltype(zero);
    auto* result = static_cast<T*>(a.result);
    auto* index = static_cast<int64_t*>(a.second);
    if (max)
      reduce_with(a.plan, Argument<T, true>{result, index});
    else
      reduce_with(a.plan, Argument<T, false>{result, index});
  });
}

void variance(const ReduceArgs& a) {
  if (a.compute == Dtype::Float64)
    reduce_with(a.plan, Spread<double>{static_cast<double*>(a.result), static_cast<double*>(a.second), a.scale});
  else
    reduce_with(a.plan, Spread<float>{static_cast<float*>(a.result), static_cast<float*>(a.second), a.scale});
}

[[maybe_unused]] const bool filled = [] {
  reduction_kernels[int(DeviceType::CUDA)] = {reduce, argument, variance};
  return true;
}();

}  // namespace
}  // namespace tl::cuda
