#include "kernels/shape.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "core/dims.h"
#include "core/parallel.h"

namespace tl::cpu {
namespace {

constexpr int64_t kGrainBytes = 1 << 17;

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

// Where dst lies a little ahead of src within 4096 bytes, the processor takes each load for one of the store before it;
// from the end backwards it does not.
inline void copy_bytes(char* dst, const char* src, int64_t n) {
  uint64_t ahead = (reinterpret_cast<uint64_t>(dst) - reinterpret_cast<uint64_t>(src)) & 4095;
  if (n <= 512 || ahead == 0 || ahead > 512) {
    std::memcpy(dst, src, size_t(n));
    return;
  }
  constexpr int64_t kBlock = 128;
  for (; n >= kBlock; n -= kBlock) std::memcpy(dst + n - kBlock, src + n - kBlock, kBlock);
  std::memcpy(dst, src, size_t(n));
}

// One run of the innermost dim.
template <class T>
inline void copy_run(char* dst, int64_t ds, const char* src, int64_t ss, int64_t n) {
  constexpr int64_t kSize = sizeof(T);
  if (ds == kSize && ss == kSize) {
    copy_bytes(dst, src, n * kSize);
  } else if (ds == kSize && ss == 0) {
    std::fill_n(reinterpret_cast<T*>(dst), n, *reinterpret_cast<const T*>(src));
  } else if (ds == kSize && ss == -kSize) {
    T* d = reinterpret_cast<T*>(dst);
    const T* s = reinterpret_cast<const T*>(src);
    for (int64_t i = 0; i < n; ++i) d[i] = s[-i];
  } else {
    for (int64_t i = 0; i < n; ++i) *reinterpret_cast<T*>(dst + i * ds) = *reinterpret_cast<const T*>(src + i * ss);
  }
}

struct Loop {
  Dims sizes, dst, src;
};

// Dims in the order of the destination's memory, neighbours that form one run joined.
Loop simplify(const StridedCopyArgs& a) {
  Dims order;
  for (int64_t d = 0; d < a.ndim; ++d)
    if (a.sizes[d] != 1) order.push_back(d);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t x, int64_t y) { return std::abs(a.dst_strides[x]) > std::abs(a.dst_strides[y]); });
  Loop l;
  for (int64_t d : order) {
    size_t n = l.sizes.size();
    if (n && l.dst[n - 1] == a.sizes[d] * a.dst_strides[d] && l.src[n - 1] == a.sizes[d] * a.src_strides[d]) {
      l.sizes[n - 1] *= a.sizes[d];
      l.dst[n - 1] = a.dst_strides[d];
      l.src[n - 1] = a.src_strides[d];
    } else {
      l.sizes.push_back(a.sizes[d]);
      l.dst.push_back(a.dst_strides[d]);
      l.src.push_back(a.src_strides[d]);
    }
  }
  if (l.sizes.empty()) {
    l.sizes.push_back(1);
    l.dst.push_back(int64_t(a.itemsize));
    l.src.push_back(int64_t(a.itemsize));
  }
  return l;
}

// Offsets of the outer dims [0, ndim) at a linear position, and their successor.
struct Odometer {
  const Loop& loop;
  size_t ndim;
  Dims at;
  int64_t dst = 0, src = 0;

  Odometer(const Loop& l, size_t n, int64_t position) : loop(l), ndim(n), at(n) {
    for (size_t d = n; d-- > 0;) {
      at[d] = position % l.sizes[d];
      position /= l.sizes[d];
      dst += at[d] * l.dst[d];
      src += at[d] * l.src[d];
    }
  }
  void next() {
    for (size_t d = ndim; d-- > 0;) {
      dst += loop.dst[d];
      src += loop.src[d];
      if (++at[d] < loop.sizes[d]) return;
      dst -= loop.dst[d] * loop.sizes[d];
      src -= loop.src[d] * loop.sizes[d];
      at[d] = 0;
    }
  }
};

template <class T>
void copy_tiles(const StridedCopyArgs& a, Loop& l) {
  // The source runs along dim n-2, the destination along n-1: squares that fit the cache.
  constexpr int64_t kTile = 32;
  size_t n = l.sizes.size();
  int64_t rows = l.sizes[n - 2], cols = l.sizes[n - 1];
  int64_t row_tiles = (rows + kTile - 1) / kTile;
  int64_t outer = numel_of(Ints(l.sizes).slice(0, n - 2));
  int64_t tile_bytes = kTile * cols * int64_t(sizeof(T));
  parallel_for(outer * row_tiles, std::max<int64_t>(1, kGrainBytes / tile_bytes), [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      Odometer o(l, n - 2, t / row_tiles);
      int64_t r0 = t % row_tiles * kTile, r1 = std::min(rows, r0 + kTile);
      for (int64_t c0 = 0; c0 < cols; c0 += kTile) {
        int64_t width = std::min(kTile, cols - c0);
        for (int64_t r = r0; r < r1; ++r) {
          char* d = a.dst + o.dst + r * l.dst[n - 2] + c0 * l.dst[n - 1];
          const char* s = a.src + o.src + r * l.src[n - 2] + c0 * l.src[n - 1];
          copy_run<T>(d, l.dst[n - 1], s, l.src[n - 1], width);
        }
      }
    }
  });
}

void copy(const StridedCopyArgs& a) {
  if (numel_of({a.sizes, size_t(a.ndim)}) == 0) return;
  Loop l = simplify(a);
  size_t n = l.sizes.size();
  int64_t item = int64_t(a.itemsize), inner = l.sizes[n - 1];
  with_word(a.itemsize, [&]<class T>() {
    if (n == 1) {
      parallel_for(inner, kGrainBytes / item, [&](int64_t begin, int64_t end) {
        copy_run<T>(a.dst + begin * l.dst[0], l.dst[0], a.src + begin * l.src[0], l.src[0], end - begin);
      });
      return;
    }
    if (l.src[n - 1] != item && l.src[n - 1] != 0 && inner > 8)
      for (size_t d = 0; d + 1 < n; ++d)
        if (l.src[d] == item && l.sizes[d] > 8) {
          for (; d + 2 < n; ++d) {
            std::swap(l.sizes[d], l.sizes[d + 1]);
            std::swap(l.dst[d], l.dst[d + 1]);
            std::swap(l.src[d], l.src[d + 1]);
          }
          return copy_tiles<T>(a, l);
        }
    int64_t outer = numel_of(Ints(l.sizes).slice(0, n - 1));
    parallel_for(outer, std::max<int64_t>(1, kGrainBytes / (inner * item)), [&](int64_t begin, int64_t end) {
      Odometer o(l, n - 1, begin);
      for (int64_t i = begin; i < end; ++i, o.next())
        copy_run<T>(a.dst + o.dst, l.dst[n - 1], a.src + o.src, l.src[n - 1], inner);
    });
  });
}

// An empty tensor may have no memory at all.
void copy_if_any(char* dst, const char* src, int64_t n) {
  if (n) std::memcpy(dst, src, size_t(n));
}

void join(const JoinArgs& a) {
  if (a.rows == 1) {
    char* dst = a.dst;
    for (int64_t p = 0; p < a.pieces; dst += a.bytes[p++])
      parallel_for(a.bytes[p], kGrainBytes,
                   [&](int64_t begin, int64_t end) { copy_if_any(dst + begin, a.src[p] + begin, end - begin); });
    return;
  }
  parallel_for(a.rows, std::max<int64_t>(1, kGrainBytes / std::max<int64_t>(1, a.row_bytes)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t r = begin; r < end; ++r) {
                   char* dst = a.dst + r * a.row_bytes;
                   for (int64_t p = 0; p < a.pieces; dst += a.bytes[p++])
                     copy_if_any(dst, a.src[p] + r * a.bytes[p], a.bytes[p]);
                 }
               });
}

void triangle(const TriangleArgs& a) {
  int64_t item = int64_t(a.itemsize), row_bytes = a.cols * item;
  if (a.cols == 0) return;
  parallel_for(a.batch * a.rows, std::max<int64_t>(1, kGrainBytes / row_bytes), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      // Columns [0, edge) lie below the triangle's border, [edge, cols) above.
      int64_t edge = std::clamp<int64_t>(i % a.rows + a.diagonal + (a.upper ? 0 : 1), 0, a.cols) * item;
      char* dst = a.dst + i * row_bytes;
      const char* src = a.src + i * row_bytes;
      int64_t from = a.upper ? edge : 0, to = a.upper ? row_bytes : edge;
      if (dst != src) std::memcpy(dst + from, src + from, size_t(to - from));
      std::memset(dst + (a.upper ? 0 : edge), 0, size_t(a.upper ? edge : row_bytes - edge));
    }
  });
}

void zero(void* dst, size_t bytes) {
  parallel_for(int64_t(bytes), kGrainBytes * 4, [&](int64_t begin, int64_t end) {
    std::memset(static_cast<char*>(dst) + begin, 0, size_t(end - begin));
  });
}

template <class T>
inline void add_to(T& d, const T& s) {
  if constexpr (std::is_same_v<T, bool>)
    d = d || s;
  else if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>)
    d = T(float(d) + float(s));
  else
    d = T(d + s);
}

void accumulate(const AccumulateArgs& a) {
  int64_t total = numel_of({a.sizes, size_t(a.ndim)});
  if (total == 0) return;
  size_t outer = size_t(std::max<int64_t>(a.ndim, 1) - 1);
  int64_t inner = a.ndim ? a.sizes[outer] : 1;
  int64_t ds = a.ndim ? a.dst_strides[outer] : 0, ss = a.ndim ? a.src_strides[outer] : 0;
  Loop l{Dims(Ints(a.sizes, outer)), Dims(Ints(a.dst_strides, outer)), Dims(Ints(a.src_strides, outer))};
  Odometer o(l, outer, 0);
  visit(a.dtype, [&]<class T>() {
    for (int64_t i = 0; i < total / inner; ++i, o.next())
      for (int64_t j = 0; j < inner; ++j)
        add_to(*reinterpret_cast<T*>(a.dst + o.dst + j * ds), *reinterpret_cast<const T*>(a.src + o.src + j * ss));
  });
}

const bool filled = [] {
  shape_kernels[int(DeviceType::CPU)] = {copy, join, triangle, zero, accumulate};
  return true;
}();

}  // namespace
}  // namespace tl::cpu
