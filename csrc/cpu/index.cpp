#include "kernels/index.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>

#include "core/dims.h"
#include "core/parallel.h"

namespace tl::cpu {
namespace {

constexpr int64_t kGrain = 1 << 15;  // elements

struct Word16 {
  uint64_t a, b;
};

template <class F>
void with_word(size_t itemsize, F&& f) {
  switch (itemsize) {
    case 1:
      return f.template operator()<uint8_t>();
    case 2:
      return f.template operator()<uint16_t>();
    case 4:
      return f.template operator()<uint32_t>();
    case 8:
      return f.template operator()<uint64_t>();
    default:
      return f.template operator()<Word16>();
  }
}

template <class T>
inline constexpr bool is_half_type = std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>;
template <class T>
inline constexpr bool is_complex_type = std::is_same_v<T, complex64> || std::is_same_v<T, complex128>;

template <class T>
inline T sum(T a, T b) {
  if constexpr (std::is_same_v<T, bool>)
    return a || b;
  else if constexpr (is_half_type<T>)
    return T(float(a) + float(b));
  else if constexpr (std::is_integral_v<T>)
    return T(std::make_unsigned_t<T>(a) + std::make_unsigned_t<T>(b));
  else
    return T(a + b);
}

template <class T>
inline T product(T a, T b) {
  if constexpr (std::is_same_v<T, bool>)
    return a && b;
  else if constexpr (is_half_type<T>)
    return T(float(a) * float(b));
  else if constexpr (std::is_integral_v<T>)
    return T(uint64_t(a) * uint64_t(b));
  else
    return a * b;
}

// The greater or lesser of two; NaN wins.
template <class T>
inline T extreme(T a, T b, bool greater) {
  if constexpr (is_complex_type<T>) {
    return a;  // refused before
  } else if constexpr (is_half_type<T>) {
    return T(extreme(float(a), float(b), greater));
  } else {
    if (a != a) return a;
    if (b != b) return b;
    return (greater ? a > b : a < b) ? a : b;
  }
}

template <ScatterMode mode, class T>
inline void apply(T& d, const T& s) {
  if constexpr (mode == ScatterMode::Assign)
    d = s;
  else if constexpr (mode == ScatterMode::Add)
    d = sum(d, s);
  else if constexpr (mode == ScatterMode::Multiply)
    d = product(d, s);
  else
    d = extreme(d, s, mode == ScatterMode::Max);
}

template <class T>
inline T& at(char* p) {
  return *reinterpret_cast<T*>(p);
}
template <class T>
inline const T& at(const char* p) {
  return *reinterpret_cast<const T*>(p);
}

// Walks up to three sets of strides over the same sizes.
struct Walk {
  Dims sizes, strides[3];
  Dims position;
  int64_t offset[3] = {0, 0, 0};

  int64_t total() const { return numel_of(sizes); }
  void add(int64_t size, int64_t a, int64_t b, int64_t c = 0) {
    sizes.push_back(size);
    strides[0].push_back(a);
    strides[1].push_back(b);
    strides[2].push_back(c);
  }
  void seek(int64_t linear) {
    position.resize(sizes.size());
    offset[0] = offset[1] = offset[2] = 0;
    for (size_t d = sizes.size(); d-- > 0;) {
      position[d] = linear % sizes[d];
      linear /= sizes[d];
      for (int k = 0; k < 3; ++k) offset[k] += position[d] * strides[k][d];
    }
  }
  void next() {
    for (size_t d = sizes.size(); d-- > 0;) {
      bool carry = ++position[d] == sizes[d];
      for (int k = 0; k < 3; ++k) offset[k] += carry ? strides[k][d] * (1 - sizes[d]) : strides[k][d];
      if (!carry) return;
      position[d] = 0;
    }
  }
};

// ---- one index for each element ----

// The dims but `dim` and `last`.
Walk other_dims(const AlongArgs& a, int64_t last) {
  Walk w;
  for (int64_t d = 0; d < a.ndim; ++d)
    if (d != a.dim && d != last) w.add(a.sizes[d], a.dst_strides[d], a.src_strides[d], a.index_strides[d]);
  return w;
}

// An index out of range that one of the threads met.
struct Refused {
  std::atomic<bool> any{false};
  int64_t index = 0;

  [[gnu::cold, gnu::noinline]] void operator()(int64_t i) {
    if (!any.exchange(true)) index = i;
  }
  void raise(const DataError& error) const {
    if (any) error.raise(index);
  }
};

void gather(const AlongArgs& a) {
  Refused refused;
  int64_t last = a.ndim - 1;
  bool along = a.dim == last;
  Walk outer = other_dims(a, last);
  if (!along) outer.add(a.sizes[a.dim], a.dst_strides[a.dim], 0, a.index_strides[a.dim]);
  int64_t n = a.sizes[last], step = a.src_strides[a.dim], src_step = along ? 0 : a.src_strides[last];
  int64_t dst_step = a.dst_strides[last], index_step = a.index_strides[last];
  uint64_t limit = uint64_t(a.limit);
  with_word(itemsize(a.dtype), [&]<class T>() {
    auto run = [=, &refused](char* dst, const char* src, const int64_t* index, int64_t begin, int64_t end) {
      dst += begin * dst_step;
      src += begin * src_step;
      index += begin * index_step;
      for (int64_t j = begin; j < end; ++j, dst += dst_step, src += src_step, index += index_step) {
        uint64_t i = uint64_t(*index);
        if (i >= limit) [[unlikely]] {
          refused(*index);
          return;
        }
        at<T>(dst) = at<T>(src + int64_t(i) * step);
      }
    };
    int64_t rows = outer.total();
    if (rows == 1) {
      parallel_for(n, kGrain, [&](int64_t b, int64_t e) { run(a.dst, a.src, a.index, b, e); });
      return;
    }
    parallel_for(rows, std::max<int64_t>(1, kGrain / std::max<int64_t>(n, 1)), [&](int64_t b, int64_t e) {
      Walk w = outer;
      w.seek(b);
      for (int64_t r = b; r < e; ++r, w.next())
        run(a.dst + w.offset[0], a.src + w.offset[1], a.index + w.offset[2], 0, n);
    });
  });
  refused.raise(a.error);
}

template <class T, ScatterMode mode>
void scatter_as(const AlongArgs& a) {
  // Elements that an index may send to the same place differ in `dim` alone, and are taken in its order.
  Refused refused;
  int64_t last = a.ndim - 1;
  Walk outer = other_dims(a, last);
  int64_t length = a.sizes[a.dim];
  int64_t step = a.dst_strides[a.dim], src_step = a.src_strides[a.dim], index_step = a.index_strides[a.dim];
  bool along = a.dim == last;
  int64_t columns = along ? 1 : a.sizes[last];
  uint64_t limit = uint64_t(a.limit);
  int64_t dst_column = along ? 0 : a.dst_strides[last], src_column = along ? 0 : a.src_strides[last];
  int64_t index_column = along ? 0 : a.index_strides[last];
  // One run through memory for each k where the columns lie side by side, else along the dim.
  auto line = [=, &refused](char* dst, const char* src, const int64_t* index, int64_t n, int64_t ds, int64_t ss,
                            int64_t is) {
    for (int64_t j = 0; j < n; ++j, dst += ds, src += ss, index += is) {
      uint64_t i = uint64_t(*index);
      if (i >= limit) [[unlikely]] {
        refused(*index);
        return;
      }
      apply<mode>(at<T>(dst + int64_t(i) * step), at<T>(src));
    }
  };
  auto run = [&](char* dst, const char* src, const int64_t* index, int64_t begin, int64_t end) {
    dst += begin * dst_column;
    src += begin * src_column;
    index += begin * index_column;
    if (end - begin == 1) return line(dst, src, index, length, 0, src_step, index_step);
    for (int64_t k = 0; k < length; ++k)
      line(dst, src + k * src_step, index + k * index_step, end - begin, dst_column, src_column, index_column);
  };
  int64_t rows = outer.total();
  if (rows == 1) {
    parallel_for(columns, std::max<int64_t>(16, kGrain / std::max<int64_t>(length, 1)),
                 [&](int64_t b, int64_t e) { run(a.dst, a.src, a.index, b, e); });
  } else {
    parallel_for(rows, std::max<int64_t>(1, kGrain / std::max<int64_t>(length * columns, 1)),
                 [&](int64_t b, int64_t e) {
                   Walk w = outer;
                   w.seek(b);
                   for (int64_t r = b; r < e; ++r, w.next())
                     run(a.dst + w.offset[0], a.src + w.offset[1], a.index + w.offset[2], 0, columns);
                 });
  }
  refused.raise(a.error);
}

void scatter(const AlongArgs& a) {
  if (a.mode == ScatterMode::Assign) {
    with_word(itemsize(a.dtype), [&]<class T>() { scatter_as<T, ScatterMode::Assign>(a); });
    return;
  }
  visit(a.dtype, [&]<class T>() {
    switch (a.mode) {
      case ScatterMode::Add:
        return scatter_as<T, ScatterMode::Add>(a);
      case ScatterMode::Multiply:
        return scatter_as<T, ScatterMode::Multiply>(a);
      case ScatterMode::Max:
        return scatter_as<T, ScatterMode::Max>(a);
      default:
        return scatter_as<T, ScatterMode::Min>(a);
    }
  });
}

// ---- rows at offsets ----

template <class I>
void offsets_as(const OffsetArgs& a) {
  Refused refused;
  Walk walk;  // without the last dim
  for (int64_t d = 0; d + 1 < a.ndim; ++d) walk.add(a.sizes[d], a.index_strides[d], 0);
  int64_t run = a.ndim ? a.sizes[a.ndim - 1] : 1, step = a.ndim ? a.index_strides[a.ndim - 1] : 0;
  int64_t limit = a.limit, stride = a.stride;
  auto convert = [&](int64_t b, int64_t e, const char* index) {
    for (int64_t k = b; k < e; ++k, index += step) {
      int64_t given = int64_t(at<I>(index)), i = given;
      if (i >= 0 && i == a.skip) [[unlikely]] {
        a.offsets[k] = -1;
        continue;
      }
      if (i < 0 && a.wrap) i += limit;
      if (uint64_t(i) >= uint64_t(limit)) [[unlikely]] {
        refused(given);
        continue;
      }
      a.offsets[k] = (a.first ? 0 : a.offsets[k]) + i * stride;
    }
  };
  if (walk.sizes.empty()) {
    parallel_for(run, kGrain, [&](int64_t b, int64_t e) { convert(b, e, a.index + b * step); });
    return refused.raise(a.error);
  }
  parallel_for(walk.total(), std::max<int64_t>(1, kGrain / std::max<int64_t>(run, 1)), [&](int64_t b, int64_t e) {
    Walk w = walk;
    w.seek(b);
    for (int64_t row = b; row < e; ++row, w.next()) convert(row * run, (row + 1) * run, a.index + w.offset[0]);
  });
  refused.raise(a.error);
}

void offsets(const OffsetArgs& a) {
  return a.index_dtype == Dtype::Int32 ? offsets_as<int32_t>(a) : offsets_as<int64_t>(a);
}

struct Rows {
  Walk outer, inner;  // inner without its last dim
  int64_t run = 1;    // elements of the last inner dim
  int64_t dst_step = 0, src_step = 0;
};

Rows prepare(const RowsArgs& a) {
  Rows r;
  for (int64_t d = 0; d < a.outer_ndim; ++d) r.outer.add(a.outer_sizes[d], a.outer_dst[d], a.outer_src[d]);
  // Inner dims that follow each other in memory on both sides are one.
  for (int64_t d = 0; d < a.inner_ndim; ++d) {
    int64_t size = a.inner_sizes[d], ds = a.inner_dst[d], ss = a.inner_src[d];
    if (size == 1) continue;
    size_t n = r.inner.sizes.size();
    if (n && r.inner.strides[0][n - 1] == size * ds && r.inner.strides[1][n - 1] == size * ss) {
      r.inner.sizes[n - 1] *= size;
      r.inner.strides[0][n - 1] = ds;
      r.inner.strides[1][n - 1] = ss;
    } else {
      r.inner.add(size, ds, ss);
    }
  }
  r.dst_step = r.src_step = int64_t(itemsize(a.dtype));
  if (!r.inner.sizes.empty()) {
    r.run = r.inner.sizes.back();
    r.dst_step = r.inner.strides[0].back();
    r.src_step = r.inner.strides[1].back();
    r.inner.sizes.pop_back();
    for (Dims& s : r.inner.strides) s.pop_back();
  }
  return r;
}

// Calls f(dst, src) for each run of a row.
template <class F>
inline void for_runs(const Rows& r, char* dst, const char* src, F&& f) {
  if (r.inner.sizes.empty()) return f(dst, src);
  Walk w = r.inner;
  w.seek(0);
  for (int64_t i = w.total(); i > 0; --i, w.next()) f(dst + w.offset[0], src + w.offset[1]);
}

void gather_rows(const RowsArgs& a) {
  Rows r = prepare(a);
  int64_t item = int64_t(itemsize(a.dtype));
  int64_t row = r.run * r.inner.total(), total = r.outer.total() * a.count;
  if (row == 0 || total == 0) return;
  with_word(size_t(item), [&]<class T>() {
    auto copy_run = [&](char* dst, const char* src) {
      if (r.dst_step == item && r.src_step == item)
        std::memcpy(dst, src, size_t(r.run) * sizeof(T));
      else
        for (int64_t j = 0; j < r.run; ++j) at<T>(dst + j * r.dst_step) = at<T>(src + j * r.src_step);
    };
    parallel_for(total, std::max<int64_t>(1, kGrain / row), [&](int64_t b, int64_t e) {
      Walk w = r.outer;
      w.seek(b / a.count);
      for (int64_t i = b, k = b % a.count; i < e; k = 0, w.next()) {
        char* dst = a.dst + w.offset[0];
        const char* src = a.src + w.offset[1];
        int64_t end = std::min(a.count, k + e - i);
        i += end - k;
        if (row == 1)
          for (int64_t step = a.step; k < end; ++k) at<T>(dst + k * step) = at<T>(src + a.offsets[k]);
        else
          for (; k < end; ++k) for_runs(r, dst + k * a.step, src + a.offsets[k], copy_run);
      }
    });
  });
}

template <class T, bool add, bool scaled>
void scatter_rows_as(const RowsArgs& a, const Rows& r) {
  constexpr int64_t kItem = sizeof(T);
  T alpha{};
  if constexpr (scaled) alpha = a.alpha.to<T>();
  auto write = [&](T& d, const T& s) {
    if constexpr (!add)
      d = s;
    else if constexpr (scaled)
      d = sum(d, product(alpha, s));
    else
      d = sum(d, s);
  };
  auto run = [&](char* dst, const char* src) {
    if (r.dst_step == kItem && r.src_step == kItem) {
      T* d = reinterpret_cast<T*>(dst);
      const T* s = reinterpret_cast<const T*>(src);
      for (int64_t j = 0; j < r.run; ++j) write(d[j], s[j]);
    } else {
      for (int64_t j = 0; j < r.run; ++j) write(at<T>(dst + j * r.dst_step), at<T>(src + j * r.src_step));
    }
  };
  // Rows [begin, end) of the destination, so that no two threads meet.
  bool single = r.inner.sizes.empty() && r.run == 1;
  auto rows = [&](char* dst, const char* src, int64_t begin, int64_t end) {
    if (single) {
      const int64_t *offset = a.offsets, step = a.step;
      for (int64_t k = 0, n = a.count; k < n; ++k, src += step)
        if (offset[k] >= begin && offset[k] < end) write(at<T>(dst + offset[k]), at<T>(src));
      return;
    }
    for (int64_t k = 0; k < a.count; ++k)
      if (a.offsets[k] >= begin && a.offsets[k] < end) for_runs(r, dst + a.offsets[k], src + k * a.step, run);
  };
  int64_t outer = r.outer.total(), row = r.run * r.inner.total();
  if (outer > 1) {
    parallel_for(outer, std::max<int64_t>(1, kGrain / (row * a.count)), [&](int64_t b, int64_t e) {
      Walk w = r.outer;
      w.seek(b);
      for (int64_t i = b; i < e; ++i, w.next()) rows(a.dst + w.offset[0], a.src + w.offset[1], 0, INT64_MAX);
    });
    return;
  }
  int64_t pieces = row * a.count > 2 * kGrain && row >= 4 ? num_threads() : 1;
  if (pieces == 1) return rows(a.dst, a.src, 0, INT64_MAX);
  int64_t most = *std::max_element(a.offsets, a.offsets + a.count);
  int64_t share = most / pieces + 1;
  parallel_for(pieces, 1, [&](int64_t b, int64_t e) { rows(a.dst, a.src, b * share, e * share); });
}

void scatter_rows(const RowsArgs& a) {
  Rows r = prepare(a);
  if (r.run * r.inner.total() == 0 || r.outer.total() * a.count == 0) return;
  if (a.mode == ScatterMode::Assign) {
    with_word(itemsize(a.dtype), [&]<class T>() { scatter_rows_as<T, false, false>(a, r); });
    return;
  }
  bool scaled = a.alpha.to<complex128>() != complex128(1);
  visit(a.dtype, [&]<class T>() {
    if (scaled)
      scatter_rows_as<T, true, true>(a, r);
    else
      scatter_rows_as<T, true, false>(a, r);
  });
}

// ---- masks ----

template <class F>
void for_chunks(int64_t n, F&& f) {
  parallel_for(mask_chunks(n), 8, [&](int64_t b, int64_t e) {
    for (int64_t c = b; c < e; ++c) f(c, c * kMaskChunk, std::min(n, (c + 1) * kMaskChunk));
  });
}

int64_t mask_starts(const bool* mask, int64_t n, int64_t* starts) {
  starts[0] = 0;
  for_chunks(n, [&](int64_t c, int64_t begin, int64_t end) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(mask);
    int64_t count = 0;
    for (int64_t i = begin; i < end; ++i) count += bytes[i] != 0;
    starts[c + 1] = count;
  });
  for (int64_t c = 0; c < mask_chunks(n); ++c) starts[c + 1] += starts[c];
  return starts[mask_chunks(n)];
}

void mask_select(const MaskArgs& a) {
  with_word(a.itemsize, [&]<class T>() {
    const T* src = reinterpret_cast<const T*>(a.src);
    for_chunks(a.n, [&](int64_t c, int64_t begin, int64_t end) {
      T* dst = reinterpret_cast<T*>(a.dst) + a.starts[c];
      T* stop = reinterpret_cast<T*>(a.dst) + a.starts[c + 1];
      // Without a branch: written always, kept where the mask is true.
      int64_t i = begin;
      for (; i < end && dst < stop; ++i) {
        *dst = src[i];
        dst += a.mask[i];
      }
    });
  });
}

void mask_scatter(const MaskArgs& a) {
  with_word(a.itemsize, [&]<class T>() {
    T* dst = reinterpret_cast<T*>(a.dst);
    for_chunks(a.n, [&](int64_t c, int64_t begin, int64_t end) {
      const T* src = reinterpret_cast<const T*>(a.src) + a.starts[c];
      for (int64_t i = begin; i < end; ++i)
        if (a.mask[i]) dst[i] = *src++;
    });
  });
}

void mask_fill(const MaskArgs& a) {
  with_word(a.itemsize, [&]<class T>() {
    T* dst = reinterpret_cast<T*>(a.dst);
    T value = at<T>(a.src);
    parallel_for(a.n, kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) dst[i] = a.mask[i] ? value : dst[i];
    });
  });
}

void nonzero(const NonzeroArgs& a) {
  int64_t total = a.total;
  for_chunks(a.n, [&](int64_t c, int64_t begin, int64_t end) {
    int64_t k = a.starts[c];
    if (a.ndim == 1) {
      for (int64_t i = begin; i < end; ++i)
        if (a.mask[i]) a.dst[k++] = i;
      return;
    }
    // Row by row of the last dim.
    int64_t last = a.ndim - 1, run = a.sizes[last];
    Walk w;
    for (int64_t d = 0; d < last; ++d) w.add(a.sizes[d], 0, 0);
    w.seek(begin / run);
    for (int64_t i = begin; i < end; w.next()) {
      int64_t start = i / run * run, stop = std::min(end, start + run);
      for (; i < stop; ++i) {
        if (!a.mask[i]) continue;
        for (int64_t d = 0; d < last; ++d) a.dst[d * total + k] = w.position[size_t(d)];
        a.dst[last * total + k++] = i - start;
      }
    }
  });
}

void divide_counts(void* dst, const int64_t* counts, int64_t n, Dtype dtype) {
  visit(dtype, [&]<class T>() {
    T* d = static_cast<T*>(dst);
    for (int64_t i = 0; i < n; ++i) {
      int64_t c = std::max<int64_t>(counts[i], 1);
      if constexpr (is_half_type<T>) {
        d[i] = T(float(d[i]) / float(c));
      } else if constexpr (is_complex_type<T>) {
        d[i] /= typename T::value_type(c);
      } else if constexpr (std::is_floating_point_v<T>) {
        d[i] = d[i] / T(c);
      } else {
        int64_t v = int64_t(d[i]);
        d[i] = T(v / c - (v % c < 0));
      }
    }
  });
}

const bool filled = [] {
  index_kernels[int(DeviceType::CPU)] = {gather,      scatter,      offsets,   gather_rows, scatter_rows, mask_starts,
                                         mask_select, mask_scatter, mask_fill, nonzero,     divide_counts};
  return true;
}();

}  // namespace
}  // namespace tl::cpu
