#pragma once

#include <cstdint>

#include "cpu/isa.h"

#if defined(TL_ISA_avx512) || defined(TL_ISA_avx2)
#include <immintrin.h>
#endif

// Register tiles of the matrix product: kMR rows by up to kNV vectors, kept in registers over the whole inner
// dimension. Every element of a result is one chain of multiply-adds in the order of k, whatever tile it falls into:
// how work is cut and spread over threads never changes a bit.

namespace tl::cpu::TL_ISA {

template <class T>
struct VecOf {
  typedef T type __attribute__((vector_size(TL_VECTOR_BYTES)));
  typedef T loose __attribute__((vector_size(TL_VECTOR_BYTES), aligned(1), may_alias));
};
template <class T>
using Vec = typename VecOf<T>::type;
template <class T>
inline constexpr int kLanes = TL_VECTOR_BYTES / int(sizeof(T));

template <class T>
[[gnu::always_inline]] inline Vec<T> load(const T* p) {
  return *reinterpret_cast<const typename VecOf<T>::loose*>(p);
}
template <class T>
[[gnu::always_inline]] inline void store(T* p, Vec<T> v) {
  *reinterpret_cast<typename VecOf<T>::loose*>(p) = v;
}
template <class T>
[[gnu::always_inline]] inline Vec<T> splat(T x) {
  Vec<T> v = {};
#if defined(TL_ISA_avx512)
  if constexpr (sizeof(T) == 4)
    v = __builtin_bit_cast(Vec<T>, _mm512_set1_epi32(__builtin_bit_cast(int, x)));
  else
    v = __builtin_bit_cast(Vec<T>, _mm512_set1_epi64(__builtin_bit_cast(long long, x)));
#elif defined(TL_ISA_avx2)
  if constexpr (sizeof(T) == 4)
    v = __builtin_bit_cast(Vec<T>, _mm256_set1_epi32(__builtin_bit_cast(int, x)));
  else
    v = __builtin_bit_cast(Vec<T>, _mm256_set1_epi64x(__builtin_bit_cast(long long, x)));
#else
  for (int i = 0; i < kLanes<T>; ++i) v[i] = x;
#endif
  return v;
}

template <class T>
[[gnu::always_inline]] inline Vec<T> fma(Vec<T> a, Vec<T> b, Vec<T> c) {
  return a * b + c;
}
#if defined(TL_ISA_avx512)
template <>
[[gnu::always_inline]] inline Vec<float> fma<float>(Vec<float> a, Vec<float> b, Vec<float> c) {
  return (Vec<float>)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}
template <>
[[gnu::always_inline]] inline Vec<double> fma<double>(Vec<double> a, Vec<double> b, Vec<double> c) {
  return (Vec<double>)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
}
#elif defined(TL_ISA_avx2)
template <>
[[gnu::always_inline]] inline Vec<float> fma<float>(Vec<float> a, Vec<float> b, Vec<float> c) {
  return (Vec<float>)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}
template <>
[[gnu::always_inline]] inline Vec<double> fma<double>(Vec<double> a, Vec<double> b, Vec<double> c) {
  return (Vec<double>)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
}
#endif

// The same rounding as one lane of fma above.
template <class T>
[[gnu::always_inline]] inline T fma1(T a, T b, T c) {
#if defined(TL_ISA_avx512) || defined(TL_ISA_avx2)
  if constexpr (__is_same(T, float))
    return __builtin_fmaf(a, b, c);
  else if constexpr (__is_same(T, double))
    return __builtin_fma(a, b, c);
  else
#endif
    return T(a * b + c);
}

// The first n lanes of a vector, 1 <= n <= kLanes; the others are not touched and read as zero.
template <class T>
struct Mask {
#if defined(TL_ISA_avx512)
  unsigned bits;
  [[gnu::always_inline]] explicit Mask(int n) : bits((1u << n) - 1u) {}
  [[gnu::always_inline]] Vec<T> load(const T* p) const {
    if constexpr (sizeof(T) == 4)
      return __builtin_bit_cast(Vec<T>, _mm512_maskz_loadu_epi32(__mmask16(bits), p));
    else
      return __builtin_bit_cast(Vec<T>, _mm512_maskz_loadu_epi64(__mmask8(bits), p));
  }
  [[gnu::always_inline]] void store(T* p, Vec<T> v) const {
    if constexpr (sizeof(T) == 4)
      _mm512_mask_storeu_epi32(p, __mmask16(bits), __builtin_bit_cast(__m512i, v));
    else
      _mm512_mask_storeu_epi64(p, __mmask8(bits), __builtin_bit_cast(__m512i, v));
  }
#elif defined(TL_ISA_avx2)
  __m256i lanes;
  [[gnu::always_inline]] explicit Mask(int n) {
    if constexpr (sizeof(T) == 4)
      lanes = _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    else
      lanes = _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
  }
  [[gnu::always_inline]] Vec<T> load(const T* p) const {
    if constexpr (sizeof(T) == 4)
      return __builtin_bit_cast(Vec<T>, _mm256_maskload_epi32(reinterpret_cast<const int*>(p), lanes));
    else
      return __builtin_bit_cast(Vec<T>, _mm256_maskload_epi64(reinterpret_cast<const long long*>(p), lanes));
  }
  [[gnu::always_inline]] void store(T* p, Vec<T> v) const {
    if constexpr (sizeof(T) == 4)
      _mm256_maskstore_epi32(reinterpret_cast<int*>(p), lanes, __builtin_bit_cast(__m256i, v));
    else
      _mm256_maskstore_epi64(reinterpret_cast<long long*>(p), lanes, __builtin_bit_cast(__m256i, v));
  }
#else
  int n;
  explicit Mask(int n) : n(n) {}
  Vec<T> load(const T* p) const {
    Vec<T> v = {};
    for (int i = 0; i < kLanes<T>; ++i)
      if (i < n) v[i] = p[i];
    return v;
  }
  void store(T* p, Vec<T> v) const {
    for (int i = 0; i < kLanes<T>; ++i)
      if (i < n) p[i] = v[i];
  }
#endif
};

inline constexpr int kMR = 6;
#if defined(TL_ISA_avx512)
inline constexpr int kNV = 4;
inline constexpr bool kMaskedLoads = true;
#elif defined(TL_ISA_avx2)
inline constexpr int kNV = 2;
inline constexpr bool kMaskedLoads = true;
#else
inline constexpr int kNV = 2;
inline constexpr bool kMaskedLoads = false;
#endif
template <class T>
inline constexpr int kNR = kNV * kLanes<T>;

// What becomes of a finished tile: c = acc, c += acc, c = acc + d where d has one element for each row (each column,
// side by side), or c = alpha * acc + beta * d, where d has its own strides; then perhaps relu.
enum class Finish : uint8_t { Store, Accumulate, RowBias, ColumnBias, General };
template <class T>
struct Epilogue {
  Finish finish = Finish::Store;
  bool relu = false;
  T alpha = 1, beta = 0;
  int64_t d_row = 0, d_col = 0;
};

template <class T>
struct TileArgs {
  int64_t k;
  const T* a;
  const int64_t* a_rows;  // offsets of the rows, when a is not packed
  int64_t a_step;
  const T* b;
  int64_t b_step;
  const int64_t* b_offsets;  // offsets of the rows of b, in the indirect form
  T* c;
  int64_t ldc;
  int last;  // lanes in use of the last vector
  const T* d;
  const Epilogue<T>* epilogue;
  // The inner dimension may be several runs of k, `a_skip` elements of a between them (rows of a that is not packed).
  int64_t runs = 1, a_skip = 0;
};

// Where a tile's operands come from. Packed a: kMR values for each k. Packed b: kNR values for each k, zeros past the
// edge. Pairs: each value is two bfloat16 of neighbouring k (AVX512-BF16).
enum Operands { kPackedPacked, kRowsPacked, kRowsDirect, kPackedIndirect, kPackedPairs, kRowsPairs };

#if defined(TL_ISA_avx512)
// c + a0 b0 + a1 b1 in each lane. As text, because the files of this instruction set may not assume the instruction:
// who calls asks has_bfloat16_products() first.
[[gnu::always_inline]] inline Vec<float> fma_pairs(Vec<float> a, Vec<float> b, Vec<float> c) {
  asm("vdpbf16ps %2, %1, %0" : "+v"(c) : "v"(a), "v"(b));
  return c;
}
#endif

// The general finish of a tile of `rows` x `vectors`, out of line: it is rare, and cheap beside a long inner dimension.
template <class T>
[[gnu::noinline]] void finish_tile(const TileArgs<T>& t, const T* tile, int rows, int vectors) {
  constexpr int W = kLanes<T>;
  const Epilogue<T>& e = *t.epilogue;
  const Vec<T> alpha = splat(e.alpha), beta = splat(e.beta), zero = {};
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < vectors; ++j) {
      const int n = j < vectors - 1 ? W : t.last;
      const Mask<T> mask(n);
      T* c = t.c + i * t.ldc + j * W;
      Vec<T> v = load(tile + (i * vectors + j) * W);
      if (e.finish == Finish::Accumulate) {
        v += mask.load(c);
      } else if (e.finish == Finish::RowBias) {
        v += splat(t.d[i * e.d_row]);
      } else if (e.finish == Finish::ColumnBias) {
        v += mask.load(t.d + j * W);
      } else if (e.finish == Finish::General) {
        v *= alpha;
        if (e.beta != T(0)) {
          const T* d = t.d + i * e.d_row + j * W * e.d_col;
          Vec<T> dv = {};
          if (e.d_col == 1) {
            dv = mask.load(d);
          } else if (e.d_col == 0) {
            dv = splat(*d);
          } else {
            T lanes[W] = {};
            for (int l = 0; l < n; ++l) lanes[l] = d[l * e.d_col];
            dv = load(lanes);
          }
          v += beta * dv;
        }
      }
      if (e.relu) v = v < zero ? zero : v;
      mask.store(c, v);
    }
}

template <class T, int R, int V, int Mode>
void micro(const TileArgs<T>& t) {
  constexpr int W = kLanes<T>;
  constexpr bool pairs = Mode == kPackedPairs || Mode == kRowsPairs;
  constexpr bool packed_a = Mode == kPackedPacked || Mode == kPackedIndirect || Mode == kPackedPairs;
  constexpr bool packed_b = Mode == kPackedPacked || Mode == kRowsPacked || pairs;
  const Mask<T> mask(t.last);
  Vec<T> acc[R][V] = {};
  const T* a = t.a;
  const T* b = t.b;
  const int64_t b_step = packed_b ? kNR<T> : t.b_step;
  const T* rows[R];
  if constexpr (!packed_a)
    for (int i = 0; i < R; ++i) rows[i] = a + t.a_rows[i];
  const int64_t a_step = packed_a ? kMR : t.a_step;
  const int64_t k = t.k;
  if constexpr (packed_b) {
    for (int i = 0; i < R; ++i)
#pragma GCC unroll 8
      for (int j = 0; j < V; ++j) __builtin_prefetch(t.c + i * t.ldc + j * W, 1);
  }
  for (int64_t run = 0;;) {
    for (int64_t p = 0; p < k; ++p) {
      const T* bp = Mode == kPackedIndirect ? b + t.b_offsets[p] : b;
      Vec<T> bv[V];
#pragma GCC unroll 8
      for (int j = 0; j < V - 1; ++j) bv[j] = load(bp + j * W);
      if constexpr (packed_b || !kMaskedLoads)
        bv[V - 1] = Mode == kRowsDirect ? mask.load(bp + (V - 1) * W) : load(bp + (V - 1) * W);
      else
        bv[V - 1] = mask.load(bp + (V - 1) * W);
#pragma GCC unroll 8
      for (int i = 0; i < R; ++i) {
        Vec<T> av;
        if constexpr (packed_a)
          av = splat(a[i]);
        else
          av = splat(*rows[i]);
#pragma GCC unroll 8
        for (int j = 0; j < V; ++j) {
#if defined(TL_ISA_avx512)
          if constexpr (pairs) {
            acc[i][j] = fma_pairs(av, bv[j], acc[i][j]);
            continue;
          }
#endif
          acc[i][j] = fma<T>(av, bv[j], acc[i][j]);
        }
      }
      if constexpr (Mode != kPackedIndirect) b += b_step;
      if constexpr (packed_a)
        a += kMR;
      else
#pragma GCC unroll 8
        for (int i = 0; i < R; ++i) rows[i] += a_step;
    }
    if constexpr (Mode != kRowsPacked) break;
    if (++run >= t.runs) break;
    for (int i = 0; i < R; ++i) rows[i] += t.a_skip;
  }
  const Epilogue<T>& e = *t.epilogue;
  T* c = t.c;
  // For float32 alone: every type that does it here is code in every tile.
  constexpr bool adds_bias = __is_same(T, float);
  const bool row_bias = adds_bias && e.finish == Finish::RowBias;
  const bool column_bias = adds_bias && e.finish == Finish::ColumnBias;
  if ((e.finish == Finish::Store || row_bias || column_bias) && !e.relu) {
    if (row_bias) {
#pragma GCC unroll 8
      for (int i = 0; i < R; ++i)
#pragma GCC unroll 8
        for (int j = 0; j < V; ++j) acc[i][j] += splat(t.d[i * e.d_row]);
    } else if (column_bias) {
#pragma GCC unroll 8
      for (int j = 0; j < V; ++j) {
        const Vec<T> d = j < V - 1 ? load(t.d + j * W) : mask.load(t.d + j * W);
#pragma GCC unroll 8
        for (int i = 0; i < R; ++i) acc[i][j] += d;
      }
    }
#pragma GCC unroll 8
    for (int i = 0; i < R; ++i, c += t.ldc) {
#pragma GCC unroll 8
      for (int j = 0; j < V - 1; ++j) store(c + j * W, acc[i][j]);
      mask.store(c + (V - 1) * W, acc[i][V - 1]);
    }
  } else if (e.finish == Finish::Accumulate && !e.relu) {
#pragma GCC unroll 8
    for (int i = 0; i < R; ++i, c += t.ldc) {
#pragma GCC unroll 8
      for (int j = 0; j < V - 1; ++j) store(c + j * W, load(c + j * W) + acc[i][j]);
      mask.store(c + (V - 1) * W, mask.load(c + (V - 1) * W) + acc[i][V - 1]);
    }
  } else {
    alignas(64) T tile[R * V * W];
#pragma GCC unroll 8
    for (int i = 0; i < R; ++i)
#pragma GCC unroll 8
      for (int j = 0; j < V; ++j) store(tile + (i * V + j) * W, acc[i][j]);
    finish_tile<T>(t, tile, R, V);
  }
}

template <class T>
using MicroFn = void (*)(const TileArgs<T>&);

template <class T, int Mode>
struct MicroTable {
  MicroFn<T> at[kMR][kNV];
  template <int R>
  constexpr void row() {
    at[R - 1][0] = micro<T, R, 1, Mode>;
    at[R - 1][1] = micro<T, R, 2, Mode>;
    if constexpr (kNV == 4) {
      at[R - 1][2] = micro<T, R, 3, Mode>;
      at[R - 1][3] = micro<T, R, 4, Mode>;
    }
  }
  constexpr MicroTable() : at() { row<1>(), row<2>(), row<3>(), row<4>(), row<5>(), row<6>(); }
};
template <class T, int Mode>
inline constexpr MicroTable<T, Mode> micro_table{};

}  // namespace tl::cpu::TL_ISA
