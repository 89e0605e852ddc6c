#pragma once

#include "core/error.h"
#include "runtime/allocator.h"
#include "runtime/walk.h"

// What kernels that reduce have in common: packs of 16 bytes, sums over warps, memory that lasts as long as a launch.

// A kernel that is launched with at most so many threads in a block, which leaves more registers to each.
#if defined(__CUDACC__)
#define TL_KERNEL_BOUNDED(threads) __global__ void __launch_bounds__(threads)
#define TL_UNROLL _Pragma("unroll")
#else
#define TL_KERNEL_BOUNDED(threads) void
#define TL_UNROLL
#endif

namespace tl::cuda {

template <class T>
struct SumTypeOf {
  using type = float;
};
template <>
struct SumTypeOf<double> {
  using type = double;
};
// What a floating dtype is summed in.
template <class T>
using SumType = typename SumTypeOf<T>::type;
template <class T>
inline constexpr int kPack = int(16 / sizeof(T));

template <class F>
void with_floating(Dtype t, F f) {
  switch (t) {
    case Dtype::Float16:
      return f(Half());
    case Dtype::BFloat16:
      return f(BFloat16());
    case Dtype::Float64:
      return f(double());
    default:
      return f(float());
  }
}

// Memory of the launcher's stream: what runs later on the stream may have it as soon as this is gone.
template <class T>
class Scratch {
 public:
  Scratch(int64_t n, const Launcher& l) : device_{DeviceType::CUDA, int8_t(l.scope.now)} {
    data = static_cast<T*>(caching_allocator().allocate(size_t(n) * sizeof(T), device_));
  }
  ~Scratch() { caching_allocator().free(data, 0, device_); }
  Scratch(const Scratch&) = delete;

  T* data;

 private:
  Device device_;
};

inline bool is_aligned(const void* p, size_t bytes = 16) { return reinterpret_cast<uintptr_t>(p) % bytes == 0; }

// Elements [i, i + kPack) of a row of n, zeros beyond it. With `wide` the row and its length are multiples of a pack.
template <class T>
TL_DEVICE Pack<T, kPack<T>> load_pack(const T* row, int64_t i, int64_t n, bool wide) {
  constexpr int P = kPack<T>;
  Pack<T, P> p{};
  if (wide) {
    if (i < n) p = *reinterpret_cast<const Pack<T, P>*>(row + i);
  } else {
    TL_UNROLL
    for (int k = 0; k < P; ++k)
      if (i + k < n) p.v[k] = row[i + k];
  }
  return p;
}
template <class T>
TL_DEVICE void store_pack(T* row, int64_t i, int64_t n, bool wide, const Pack<T, kPack<T>>& p) {
  constexpr int P = kPack<T>;
  if (wide) {
    if (i < n) *reinterpret_cast<Pack<T, P>*>(row + i) = p;
  } else {
    TL_UNROLL
    for (int k = 0; k < P; ++k)
      if (i + k < n) row[i + k] = p.v[k];
  }
}
// N elements from `i` on, by packs where `wide`.
template <int N, class A>
TL_DEVICE void load_some(A (&to)[N], const A* row, int64_t i, int64_t n, bool wide) {
  constexpr int P = N < kPack<A> ? N : kPack<A>;
  if (wide) {
    TL_UNROLL
    for (int k = 0; k < N; k += P) {
      Pack<A, P> p{};
      if (i + k < n) p = *reinterpret_cast<const Pack<A, P>*>(row + i + k);
      TL_UNROLL
      for (int j = 0; j < P; ++j) to[k + j] = p.v[j];
    }
  } else {
    TL_UNROLL
    for (int k = 0; k < N; ++k) to[k] = i + k < n ? row[i + k] : A(0);
  }
}

// Sums over runs of `width` lanes, a power of two; each lane of a run gets the same bits.
template <class A>
TL_DEVICE A warp_sum(A v, int width = kWarp) {
  for (int bits = width / 2; bits; bits /= 2) v += shuffle_xor(v, bits);
  return v;
}

// Division of positions by a number that does not change: by a multiplication where all lie below 2^31.
struct Divide {
  Divisor by;
  int64_t value;
  bool wide;
  Divide(int64_t divisor, int64_t positions)
      : by(uint32_t(divisor > 0 && divisor < (int64_t(1) << 31) ? divisor : 1)),
        value(divisor),
        wide(positions >= (int64_t(1) << 31) || divisor >= (int64_t(1) << 31)) {}
  TL_DEVICE int64_t operator()(int64_t n) const { return wide ? n / value : int64_t(by(uint32_t(n))); }
};

}  // namespace tl::cuda
