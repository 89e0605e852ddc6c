#pragma once

#include "core/error.h"
#include "runtime/workspace.h"

// What kernels that reduce have in common: packs of 16 bytes, sums over warps, exponentials.

namespace tl::cuda {

template <class T>
inline constexpr int kPack = int(16 / sizeof(T));

inline bool is_aligned(const void* p, size_t bytes = 16) { return reinterpret_cast<uintptr_t>(p) % bytes == 0; }

// A pack as it was read: 32-bit words, of which an element is taken where it is used. Taken out at once, as the members
// of a Pack of half types are, it would be waited for before the next pack is read.
template <class T>
struct PackRead {
  uint32_t words[4];

  TL_DEVICE T operator[](int k) const {
    T x;
    if constexpr (sizeof(T) == 2) {
      auto bits = uint16_t(words[k / 2] >> (16 * (k % 2)));
      __builtin_memcpy(&x, &bits, 2);
    } else {
      __builtin_memcpy(&x, &words[k * int(sizeof(T) / 4)], sizeof(T));
    }
    return x;
  }
};
// Of elements one by one; where not `there`, zeros.
template <class T, class Load, class There>
TL_DEVICE PackRead<T> read_elements(Load load, There there) {
  T v[kPack<T>] = {};
  TL_UNROLL
  for (int k = 0; k < kPack<T>; ++k)
    if (there(k)) v[k] = load(k);
  PackRead<T> p{};
  __builtin_memcpy(p.words, v, 16);
  return p;
}

// Elements [i, i + kPack) of a row of n, zeros beyond it. With `wide` the row and its length are multiples of a pack.
template <class T>
TL_DEVICE PackRead<T> load_pack(const T* row, int64_t i, int64_t n, bool wide) {
  if (!wide) return read_elements<T>([&](int k) { return row[i + k]; }, [&](int k) { return i + k < n; });
  PackRead<T> p{};
#if defined(__CUDA_ARCH__)
  if (i < n) {
    auto read = *reinterpret_cast<const Pack<uint32_t, 4>*>(row + i);
    TL_UNROLL
    for (int k = 0; k < 4; ++k) p.words[k] = read.v[k];
  }
#else
  if (i < n) __builtin_memcpy(p.words, row + i, 16);
#endif
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

template <class A>
TL_DEVICE A exponential(A x) {
  if constexpr (sizeof(A) == 4)
    return ::expf(x);
  else
    return ::exp(x);
}
template <class A>
TL_DEVICE A logarithm(A x) {
  if constexpr (sizeof(A) == 4)
    return ::logf(x);
  else
    return ::log(x);
}

// Sums over runs of `width` lanes, a power of two; each lane of a run gets the same bits.
template <class A>
TL_DEVICE A warp_sum(A v, int width = kWarp) {
  for (int bits = width / 2; bits; bits /= 2) v += shuffle_xor(v, bits);
  return v;
}

// A block of threads, `1 << log_lanes` of them on each row of n elements, `each` elements a thread.
struct RowBlock {
  int threads, log_lanes;

  RowBlock(int64_t n, int64_t each) : threads(kThreads), log_lanes(0) {
    while ((each << log_lanes) < n) ++log_lanes;
    if (lanes() > threads) threads = lanes();
  }
  int lanes() const { return 1 << log_lanes; }
  int rows() const { return threads >> log_lanes; }
};

// Combines one value of each lane of a row; every lane gets the same bits. `warps` holds a value for each warp.
template <class V, class Combine>
TL_DEVICE V over_row(Shared<V> warps, V v, int lanes, Combine combine) {
  for (int bits = (lanes < kWarp ? lanes : kWarp) / 2; bits; bits /= 2) v = combine(v, shuffle_xor(v, bits));
  if (lanes <= kWarp) return v;
  int t = int(thread_index().x), first = t / lanes * (lanes / kWarp);
  if (t % kWarp == 0) warps[t / kWarp] = v;
  sync_block();
  v = warps[first];
  for (int w = 1; w < lanes / kWarp; ++w) {
    V other = warps[first + w];
    v = combine(v, other);
  }
  sync_block();
  return v;
}

// The sum over a block of kThreads.
template <class A>
TL_DEVICE A block_sum(Shared<A> warps, A v) {
  return over_row(warps, v, kThreads, [](A x, A y) { return A(x + y); });
}

// Division of positions by a number that does not change: by a multiplication of 32 bits where all lie below 2^31, else
// of 64 (the compiler's own is a call).
struct Divide {
  Divisor by;
  uint32_t shift = 0;
  bool wide = false;
  uint64_t magic = 1;
  int64_t value = 1;
  Divide() = default;
  Divide(int64_t divisor, int64_t positions) : value(divisor) {
    wide = positions >= (int64_t(1) << 31) || divisor >= (int64_t(1) << 31);
    if (divisor <= 1) return;
    if (!wide) by = Divisor(uint32_t(divisor));
    while ((uint64_t(1) << shift) < uint64_t(divisor)) ++shift;
    using Long = unsigned __int128;
    magic = uint64_t((Long((uint64_t(1) << shift) - uint64_t(divisor)) << 64) / Long(divisor) + 1);
  }
  TL_DEVICE int64_t operator()(int64_t n) const {
    if (!wide) return int64_t(by(uint32_t(n)));
#if defined(__CUDA_ARCH__)
    uint64_t high = __umul64hi(uint64_t(n), magic);
#else
    auto high = uint64_t(static_cast<unsigned __int128>(n) * magic >> 64);
#endif
    return int64_t((high + uint64_t(n)) >> shift);
  }
};

}  // namespace tl::cuda
