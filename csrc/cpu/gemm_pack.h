#pragma once

#include "core/allocator.h"
#include "cpu/gemm_micro.h"

// Packing: copies of operands in the order in which the register tiles read them, converted to the type of computation.

namespace tl::cpu::TL_ISA {

// Elements as they lie in memory. Half types and small integers are computed in a wider type and narrowed at the end
// (integers modulo 2^n, so the sign does not matter).
struct F16 {
  uint16_t bits;
};
struct BF16 {
  uint16_t bits;
};
// Of a product of bfloat16 that takes two of neighbouring k at a time: k, and the strides along it, count pairs.
struct BF16Pair {
  uint16_t bits;
};
template <class S>
struct ComputeOf {
  using type = uint32_t;
};
template <>
struct ComputeOf<BF16Pair> {
  using type = float;
};
template <>
struct ComputeOf<float> {
  using type = float;
};
template <>
struct ComputeOf<double> {
  using type = double;
};
template <>
struct ComputeOf<uint64_t> {
  using type = uint64_t;
};
template <>
struct ComputeOf<F16> {
  using type = float;
};
template <>
struct ComputeOf<BF16> {
  using type = float;
};
template <class S>
using Compute = typename ComputeOf<S>::type;

[[gnu::always_inline]] inline float from_bits(uint32_t u) { return __builtin_bit_cast(float, u); }
[[gnu::always_inline]] inline uint32_t to_bits(float f) { return __builtin_bit_cast(uint32_t, f); }

template <class S>
[[gnu::always_inline]] inline Compute<S> widen(S s) {
  if constexpr (__is_same(S, BF16)) {
    return from_bits(uint32_t(s.bits) << 16);
  } else if constexpr (__is_same(S, F16)) {
#if defined(TL_ISA_avx512) || defined(TL_ISA_avx2)
    return _cvtsh_ss(s.bits);
#else
    uint32_t shifted = uint32_t(s.bits & 0x7fffu) << 13, exponent = shifted & (0x7c00u << 13);
    float x = exponent == (0x7c00u << 13) ? from_bits(shifted + ((255u - 31u) << 23))
              : exponent == 0             ? from_bits(shifted + (113u << 23)) - from_bits(113u << 23)
                                          : from_bits(shifted + (112u << 23));
    return from_bits(to_bits(x) | uint32_t(s.bits & 0x8000u) << 16);
#endif
  } else {
    return Compute<S>(s);
  }
}

template <class S>
[[gnu::always_inline]] inline S narrow(Compute<S> x) {
  if constexpr (__is_same(S, BF16)) {
    uint32_t u = to_bits(x);
    uint32_t rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
    return {(u & 0x7fffffffu) > 0x7f800000u ? uint16_t(0x7fc0u) : uint16_t(rounded)};
  } else if constexpr (__is_same(S, F16)) {
#if defined(TL_ISA_avx512) || defined(TL_ISA_avx2)
    return {uint16_t(_cvtss_sh(x, 0))};
#else
    uint32_t u = to_bits(x), sign = u & 0x80000000u;
    u ^= sign;
    uint32_t special = u > 0x7f800000u ? 0x7e00u : 0x7c00u;
    float magic = from_bits(126u << 23);
    uint32_t small = to_bits(from_bits(u) + magic) - to_bits(magic);
    uint32_t normal = (u - (112u << 23) + 0xfffu + ((u >> 13) & 1u)) >> 13;
    return {uint16_t((u >= 143u << 23 ? special : u < 113u << 23 ? small : normal) | sign >> 16)};
#endif
  } else {
    return S(x);
  }
}

// Scratch memory from the caching allocator.
class Scratch {
 public:
  explicit Scratch(int64_t bytes) : bytes_(size_t(bytes)) {
    if (bytes_) data_ = allocator(DeviceType::CPU).allocate(bytes_, Device{});
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    if (data_) allocator(DeviceType::CPU).free(data_, bytes_, Device{});
  }
  template <class T>
  T* as(int64_t byte_offset = 0) const {
    return reinterpret_cast<T*>(static_cast<char*>(data_) + byte_offset);
  }

 private:
  void* data_ = nullptr;
  size_t bytes_;
};

inline int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }
inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

template <int... I>
struct Indices {};
template <int N, int... I>
struct MakeIndices : MakeIndices<N - 1, N - 1, I...> {};
template <int... I>
struct MakeIndices<0, I...> {
  using type = Indices<I...>;
};

// One exchange of a transpose by halves: lanes whose index has bit H come from the other row.
template <int W, int H, class V, int... I>
[[gnu::always_inline]] inline void exchange(V& a, V& b, Indices<I...>) {
  const V x = a, y = b;
  a = __builtin_shufflevector(x, y, ((I & H) ? I - H + W : I)...);
  b = __builtin_shufflevector(x, y, ((I & H) ? I + W : I + H)...);
}

// Transposes the square of kLanes vectors in registers.
template <class T>
[[gnu::always_inline]] inline void transpose(Vec<T> (&r)[kLanes<T>]) {
  constexpr int W = kLanes<T>;
  using All = typename MakeIndices<W>::type;
#define TL_EXCHANGE(H)                                                                                        \
  if constexpr (W > H) {                                                                                      \
    _Pragma("GCC unroll 16") for (int i = 0; i < W; ++i) if (!(i & H)) exchange<W, H>(r[i], r[i + H], All{}); \
  }
  TL_EXCHANGE(8)
  TL_EXCHANGE(4)
  TL_EXCHANGE(2)
  TL_EXCHANGE(1)
#undef TL_EXCHANGE
}

// dst[p * dst_step + i] = src[i * src_row + p] for i < n (<= kLanes; zero from n to kLanes), p < k.
template <class T>
inline void pack_transposed(const T* src, int64_t src_row, int n, int64_t k, T* dst, int64_t dst_step) {
  constexpr int W = kLanes<T>;
  Vec<T> r[W];
  int64_t p = 0;
  if (n == W) {
    for (; p + W <= k; p += W) {
#pragma GCC unroll 16
      for (int i = 0; i < W; ++i) r[i] = load(src + i * src_row + p);
      transpose<T>(r);
#pragma GCC unroll 16
      for (int i = 0; i < W; ++i) store(dst + (p + i) * dst_step, r[i]);
    }
  } else {
    for (; p + W <= k; p += W) {
#pragma GCC unroll 16
      for (int i = 0; i < W; ++i) r[i] = i < n ? load(src + i * src_row + p) : Vec<T>{};
      transpose<T>(r);
#pragma GCC unroll 16
      for (int i = 0; i < W; ++i) store(dst + (p + i) * dst_step, r[i]);
    }
  }
  if (p < k) {
    const Mask<T> mask(int(k - p));
#pragma GCC unroll 16
    for (int i = 0; i < W; ++i) r[i] = i < n ? mask.load(src + i * src_row + p) : Vec<T>{};
    transpose<T>(r);
    T square[W * W];
#pragma GCC unroll 16
    for (int i = 0; i < W; ++i) store(square + i * W, r[i]);
    for (int i = 0; i < k - p; ++i) store(dst + (p + i) * dst_step, load(square + i * W));
  }
}

// b (k x n) into panels of kNR columns, each k rows of kNR, zeros past column n up to the next whole vector.
template <class S, class T = Compute<S>>
void pack_b(int64_t k, int64_t n, const S* b, int64_t row, int64_t col, T* dst) {
  constexpr int NR = kNR<T>, W = kLanes<T>;
  for (int64_t j = 0; j < n; j += NR, dst += k * NR) {
    const S* src = b + j * col;
    const int cols = int(least(NR, n - j)), padded = int(round_up(cols, W));
    if constexpr (__is_same(S, T)) {
      if (col == 1 && cols == NR) {
        for (int64_t p = 0; p < k; ++p)
#pragma GCC unroll 8
          for (int v = 0; v < kNV; ++v) store(dst + p * NR + v * W, load(src + p * row + v * W));
        continue;
      }
      if (row == 1) {
        for (int v = 0; v < cols; v += W) pack_transposed(src + v * col, col, int(least(W, cols - v)), k, dst + v, NR);
        continue;
      }
    }
    if (col == 1) {
      for (int64_t p = 0; p < k; ++p) {
        for (int i = 0; i < cols; ++i) dst[p * NR + i] = widen(src[p * row + i]);
        for (int i = cols; i < padded; ++i) dst[p * NR + i] = T(0);
      }
    } else {
      // Blocks of k keep both sides in the first cache.
      for (int64_t p0 = 0; p0 < k; p0 += 32) {
        const int64_t p1 = least(p0 + 32, k);
        for (int i = 0; i < padded; ++i)
          for (int64_t p = p0; p < p1; ++p) dst[p * NR + i] = i < cols ? widen(src[p * row + i * col]) : T(0);
      }
    }
  }
}

// The same of an operand whose element (p, j) is b[rows[p] + columns[j]].
template <class S, class T = Compute<S>>
void pack_gathered(int64_t k, int64_t n, const S* b, const int32_t* rows, const int32_t* columns, T* dst) {
  constexpr int NR = kNR<T>, W = kLanes<T>;
  for (int64_t j = 0; j < n; j += NR, dst += k * NR) {
    const int cols = int(least(NR, n - j)), padded = int(round_up(cols, W));
    int32_t at[NR];
    for (int i = 0; i < padded; ++i) at[i] = columns[j + least(i, cols - 1)];
    for (int64_t p = 0; p < k; ++p) {
      const S* from = b + rows[p];
      for (int i = 0; i < padded; ++i) dst[p * NR + i] = widen(from[at[i]]);
    }
  }
}

// The rows of the next panel when `left` rows are left: the last two panels share what would leave one of them thin.
[[gnu::always_inline]] inline int panel_rows(int64_t left) {
  return int(left > kMR && left < 2 * kMR - 2 ? (left + 1) / 2 : least(kMR, left));
}

// a (m x k) into panels of up to kMR rows, each k columns of kMR, zeros past the rows of the panel.
template <class S, class T = Compute<S>>
void pack_a(int64_t m, int64_t k, const S* a, int64_t row, int64_t col, T* dst) {
  int rows;
  int64_t i = 0;
  if constexpr (__is_same(S, T)) {
    // Several panels at once, so that a line of memory that they share is read once.
    constexpr int kTogether = 4;
    if (row == 1)
      for (; i + kTogether * kMR + 2 * kMR - 2 <= m; i += kTogether * kMR, dst += kTogether * k * kMR)
        for (int64_t p = 0; p < k; ++p)
#pragma GCC unroll 8
          for (int g = 0; g < kTogether; ++g)
            __builtin_memcpy(dst + (g * k + p) * kMR, a + i + p * col + g * kMR, kMR * sizeof(T));
  }
  for (; i < m; i += rows, dst += k * kMR) {
    const S* src = a + i * row;
    rows = panel_rows(m - i);
    if (rows == kMR) {
      if (row == 1) {
        for (int64_t p = 0; p < k; ++p)
#pragma GCC unroll 8
          for (int r = 0; r < kMR; ++r) dst[p * kMR + r] = widen(src[p * col + r]);
      } else {
        for (int64_t p = 0; p < k; ++p)
#pragma GCC unroll 8
          for (int r = 0; r < kMR; ++r) dst[p * kMR + r] = widen(src[p * col + r * row]);
      }
    } else {
      for (int64_t p = 0; p < k; ++p)
        for (int r = 0; r < kMR; ++r) dst[p * kMR + r] = r < rows ? widen(src[p * col + r * row]) : T(0);
    }
  }
}

// pack_a and pack_b for pairs.
[[gnu::always_inline]] inline float pair_at(const BF16Pair* p, int64_t step) {
  return from_bits(p->bits | uint32_t(p[step].bits) << 16);
}
template <>
inline void pack_a<BF16Pair>(int64_t m, int64_t k, const BF16Pair* a, int64_t row, int64_t col, float* dst) {
  int rows;
  for (int64_t i = 0; i < m; i += rows, dst += k * kMR) {
    const BF16Pair* src = a + i * row;
    rows = panel_rows(m - i);
    for (int64_t p = 0; p < k; ++p)
      for (int r = 0; r < kMR; ++r) dst[p * kMR + r] = r < rows ? pair_at(src + p * col + r * row, col / 2) : 0.f;
  }
}
template <>
inline void pack_b<BF16Pair>(int64_t k, int64_t n, const BF16Pair* b, int64_t row, int64_t col, float* dst) {
  constexpr int NR = kNR<float>, W = kLanes<float>;
  for (int64_t j = 0; j < n; j += NR, dst += k * NR) {
    const BF16Pair* src = b + j * col;
    const int cols = int(least(NR, n - j)), padded = int(round_up(cols, W));
    if (row == 2 && col % 2 == 0 && reinterpret_cast<uintptr_t>(b) % 4 == 0) {  // a pair is a word
      for (int v = 0; v < cols; v += W)
        pack_transposed(reinterpret_cast<const float*>(src + v * col), col / 2, int(least(W, cols - v)), k, dst + v,
                        NR);
      continue;
    }
    for (int64_t p = 0; p < k; ++p) {
      const BF16Pair *low = src + p * row, *high = low + row / 2;
      if (col == 1)
        for (int i = 0; i < cols; ++i) dst[p * NR + i] = from_bits(low[i].bits | uint32_t(high[i].bits) << 16);
      else
        for (int i = 0; i < cols; ++i) dst[p * NR + i] = pair_at(low + i * col, row / 2);
      for (int i = cols; i < padded; ++i) dst[p * NR + i] = 0;
    }
  }
}

}  // namespace tl::cpu::TL_ISA
