#pragma once

#include <cstdint>

#include "core/dtype.h"
#include "cpu/isa.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

// Vectors of the accumulation type over memory of any floating dtype: load<T> widens, store<T> rounds. Kernels written
// with them have one body for float32, float64, float16 and bfloat16. Everything lives in the namespace of the
// instruction set and calls no inline function outside of it (see isa.h).

namespace tl::cpu::TL_ISA {

template <class A>
struct LanesOf {
  static constexpr int count = TL_VECTOR_BYTES / int(sizeof(A));
  typedef A type __attribute__((vector_size(TL_VECTOR_BYTES)));
};
template <class A>
using Lanes = typename LanesOf<A>::type;
using LanesI32 = Lanes<int32_t>;
using LanesU32 = Lanes<uint32_t>;
using LanesI64 = Lanes<int64_t>;
template <class A>
inline constexpr int kLanes = LanesOf<A>::count;
using LanesU16 = uint16_t __attribute__((vector_size(TL_VECTOR_BYTES / 2)));  // as many as there are floats

// The type that arithmetic on T is done in.
template <class T>
struct AccOf {
  using type = float;
};
template <>
struct AccOf<double> {
  using type = double;
};
template <class T>
using Acc = typename AccOf<T>::type;
template <class A>
struct IntOf;
template <>
struct IntOf<float> {
  using type = int32_t;
};
template <>
struct IntOf<double> {
  using type = int64_t;
};
// What a comparison of Lanes<A> gives: all ones or zeros in each lane.
template <class A>
using Mask = Lanes<typename IntOf<A>::type>;

template <class A>
inline Lanes<A> splat(A v) {
  return v - Lanes<A>{};  // v - 0 is v, signed zeros and NaN included
}
template <class A>
inline A infinity() {
  return A(__builtin_inf());
}

// Full masks below, because GCC 12 warns of the undefined operand of the forms without.

// ---- memory ---------------------------------------------------------------------------------------------------------

inline Lanes<float> widen(LanesU16 h, const Half*) {
#if defined(TL_ISA_avx512)
  return Lanes<float>(_mm512_maskz_cvtph_ps(0xffff, __m256i(h)));
#elif defined(TL_ISA_avx2)
  return Lanes<float>(_mm256_cvtph_ps(__m128i(h)));
#else
  LanesU32 bits = __builtin_convertvector(h, LanesU32);
  LanesU32 shifted = (bits & 0x7fffu) << 13;
  LanesU32 exponent = shifted & (0x7c00u << 13);
  LanesU32 normal = shifted + ((127u - 15u) << 23);
  LanesU32 infinite = shifted + ((255u - 31u) << 23);
  Lanes<float> small = Lanes<float>(shifted + (113u << 23)) - Lanes<float>(LanesU32{} + (113u << 23));
  LanesU32 magnitude = exponent == (0x7c00u << 13) ? infinite : (exponent == 0 ? LanesU32(small) : normal);
  return Lanes<float>(magnitude | ((bits & 0x8000u) << 16));
#endif
}
inline Lanes<float> widen(LanesU16 h, const BFloat16*) {
  return Lanes<float>(__builtin_convertvector(h, LanesU32) << 16);
}
inline LanesU16 narrow(Lanes<float> v, const Half*) {
#if defined(TL_ISA_avx512)
  return LanesU16(_mm512_maskz_cvtps_ph(0xffff, __m512(v), _MM_FROUND_TO_NEAREST_INT));
#elif defined(TL_ISA_avx2)
  return LanesU16(_mm256_cvtps_ph(__m256(v), _MM_FROUND_TO_NEAREST_INT));
#else
  LanesU32 u = LanesU32(v), sign = u & 0x80000000u;
  u ^= sign;
  LanesU32 special = u > 0x7f800000u ? (LanesU32{} + 0x7e00u) : (LanesU32{} + 0x7c00u);
  LanesU32 magic = LanesU32{} + (((127u - 15u) + (23u - 10u) + 1u) << 23);
  LanesU32 small = LanesU32(Lanes<float>(u) + Lanes<float>(magic)) - magic;
  LanesU32 normal = (u + ((15u - 127u) << 23) + 0xfffu + ((u >> 13) & 1u)) >> 13;
  LanesU32 magnitude = u >= (127u + 16u) << 23 ? special : (u < (113u << 23) ? small : normal);
  return __builtin_convertvector(magnitude | (sign >> 16), LanesU16);
#endif
}
inline LanesU16 narrow(Lanes<float> v, const BFloat16*) {
  LanesU32 u = LanesU32(v);
  LanesU32 rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
  rounded = (u & 0x7fffffffu) > 0x7f800000u ? (LanesU32{} + 0x7fc0u) : rounded;
  return __builtin_convertvector(rounded, LanesU16);
}

template <class T>
inline Lanes<Acc<T>> load(const T* p) {
  if constexpr (sizeof(T) == 2) {
    LanesU16 h;
    __builtin_memcpy(&h, p, sizeof(h));
    return widen(h, static_cast<const T*>(nullptr));
  } else {
    Lanes<T> v;
    __builtin_memcpy(&v, p, sizeof(v));
    return v;
  }
}
template <class T>
inline void store(T* p, Lanes<Acc<T>> v) {
  if constexpr (sizeof(T) == 2) {
    LanesU16 h = narrow(v, static_cast<const T*>(nullptr));
    __builtin_memcpy(p, &h, sizeof(h));
  } else {
    __builtin_memcpy(p, &v, sizeof(v));
  }
}
// Past the caches, for results that are larger than they are. p is aligned to a vector; streamed() comes after the
// last.
template <class T>
inline void stream(T* p, Lanes<Acc<T>> v) {
#if defined(TL_ISA_avx512)
  if constexpr (sizeof(T) == 4) return _mm512_stream_ps(p, __m512(v));
  if constexpr (sizeof(T) == 8) return _mm512_stream_pd(p, __m512d(v));
#elif defined(TL_ISA_avx2)
  if constexpr (sizeof(T) == 4) return _mm256_stream_ps(p, __m256(v));
  if constexpr (sizeof(T) == 8) return _mm256_stream_pd(p, __m256d(v));
#elif defined(__SSE2__)
  if constexpr (sizeof(T) == 4) return _mm_stream_ps(p, __m128(v));
  if constexpr (sizeof(T) == 8) return _mm_stream_pd(p, __m128d(v));
#endif
  store(p, v);
}
inline void streamed() {
#if defined(__SSE2__)
  _mm_sfence();
#endif
}
inline constexpr int64_t kStreamBytes = 32 << 20;
// Whether rows of n elements, `count` of them from p on, should be streamed.
template <class T>
inline bool should_stream(const T* p, int64_t n, int64_t count) {
  return sizeof(T) >= 4 && n * count * int64_t(sizeof(T)) >= kStreamBytes && n % kLanes<Acc<T>> == 0 &&
         reinterpret_cast<uintptr_t>(p) % TL_VECTOR_BYTES == 0;
}

// The first n lanes from memory, `fill` in the others.
template <class T>
inline Lanes<Acc<T>> load(const T* p, int64_t n, Acc<T> fill) {
  using A = Acc<T>;
#if defined(TL_ISA_avx512)
  if constexpr (sizeof(T) == 4)
    return Lanes<A>(_mm512_mask_loadu_ps(__m512(splat<A>(fill)), __mmask16((1u << n) - 1), p));
  else if constexpr (sizeof(T) == 8)
    return Lanes<A>(_mm512_mask_loadu_pd(__m512d(splat<A>(fill)), __mmask8((1u << n) - 1), p));
  else {
    LanesU16 h = LanesU16(_mm256_maskz_loadu_epi16(__mmask16((1u << n) - 1), p));
    Lanes<A> v = widen(h, static_cast<const T*>(nullptr));
    return Lanes<A>(_mm512_mask_mov_ps(__m512(splat<A>(fill)), __mmask16((1u << n) - 1), __m512(v)));
  }
#else
  if constexpr (sizeof(T) == 2) {
    uint16_t raw[kLanes<A>] = {};
    const uint16_t* from = reinterpret_cast<const uint16_t*>(p);
    for (int64_t i = 0; i < n; ++i) raw[i] = from[i];
    LanesU16 h;
    __builtin_memcpy(&h, raw, sizeof(h));
    Lanes<A> v = widen(h, static_cast<const T*>(nullptr));
    for (int64_t i = n; i < kLanes<A>; ++i) v[i] = fill;
    return v;
  } else {
    A raw[kLanes<A>];
    for (int64_t i = 0; i < kLanes<A>; ++i) raw[i] = fill;
    for (int64_t i = 0; i < n; ++i) raw[i] = p[i];
    Lanes<A> v;
    __builtin_memcpy(&v, raw, sizeof(v));
    return v;
  }
#endif
}
template <class T>
inline void store(T* p, Lanes<Acc<T>> v, int64_t n) {
#if defined(TL_ISA_avx512)
  if constexpr (sizeof(T) == 4)
    _mm512_mask_storeu_ps(p, __mmask16((1u << n) - 1), __m512(v));
  else if constexpr (sizeof(T) == 8)
    _mm512_mask_storeu_pd(p, __mmask8((1u << n) - 1), __m512d(v));
  else
    _mm256_mask_storeu_epi16(p, __mmask16((1u << n) - 1), __m256i(narrow(v, static_cast<const T*>(nullptr))));
#else
  T raw[kLanes<Acc<T>>];
  store(raw, v);
  for (int64_t i = 0; i < n; ++i) p[i] = raw[i];
#endif
}
template <class T>
inline Acc<T> load_one(const T* p) {
  if constexpr (sizeof(T) == 2) {
    LanesU16 h{};
    __builtin_memcpy(&h, p, sizeof(T));
    return widen(h, static_cast<const T*>(nullptr))[0];
  } else {
    return *p;
  }
}
template <class T>
inline void store_one(T* p, Acc<T> v) {
  if constexpr (sizeof(T) == 2) {
    LanesU16 h = narrow(splat<float>(v), static_cast<const T*>(nullptr));
    __builtin_memcpy(p, &h, sizeof(T));
  } else {
    *p = v;
  }
}

// each(n, [&](int64_t i, auto full) { load_n(p + i, full, fill) ... }): whole vectors first, then the rest. `full` is a
// type that tells load_n and store_n at compile time whether they may touch a whole vector.
struct Whole {};
struct Rest {
  int64_t n;
};
template <class T>
inline Lanes<Acc<T>> load_n(const T* p, Whole, Acc<T>) {
  return load(p);
}
template <class T>
inline Lanes<Acc<T>> load_n(const T* p, Rest r, Acc<T> fill) {
  return load(p, r.n, fill);
}
template <class T>
inline void store_n(T* p, Lanes<Acc<T>> v, Whole) {
  store(p, v);
}
template <class T>
inline void store_n(T* p, Lanes<Acc<T>> v, Rest r) {
  store(p, v, r.n);
}
template <class A, class F>
inline void each(int64_t n, F&& f) {
  int64_t i = 0;
  for (; i + kLanes<A> <= n; i += kLanes<A>) f(i, Whole{});
  if (i < n) f(i, Rest{n - i});
}

// y[i] = value(i, part) along a row of which should_stream() has told.
template <class T, class F>
inline void write_row(T* y, int64_t n, bool streaming, F&& value) {
  constexpr int L = kLanes<Acc<T>>;
  if (streaming)
    for (int64_t i = 0; i < n; i += L) stream(y + i, value(i, Whole{}));
  else
    each<Acc<T>>(n, [&](int64_t i, auto part) { store_n(y + i, value(i, part), part); });
}

// ---- arithmetic -----------------------------------------------------------------------------------------------------

inline Lanes<float> fma(Lanes<float> a, Lanes<float> b, Lanes<float> c) {
#if defined(TL_ISA_avx512)
  return Lanes<float>(_mm512_fmadd_ps(__m512(a), __m512(b), __m512(c)));
#elif defined(TL_ISA_avx2)
  return Lanes<float>(_mm256_fmadd_ps(__m256(a), __m256(b), __m256(c)));
#else
  return a * b + c;
#endif
}
inline Lanes<double> fma(Lanes<double> a, Lanes<double> b, Lanes<double> c) {
#if defined(TL_ISA_avx512)
  return Lanes<double>(_mm512_fmadd_pd(__m512d(a), __m512d(b), __m512d(c)));
#elif defined(TL_ISA_avx2)
  return Lanes<double>(_mm256_fmadd_pd(__m256d(a), __m256d(b), __m256d(c)));
#else
  return a * b + c;
#endif
}
inline Lanes<float> sqrt(Lanes<float> a) {
#if defined(TL_ISA_avx512)
  return Lanes<float>(_mm512_maskz_sqrt_ps(0xffff, __m512(a)));
#elif defined(TL_ISA_avx2)
  return Lanes<float>(_mm256_sqrt_ps(__m256(a)));
#elif defined(__SSE2__)
  return Lanes<float>(_mm_sqrt_ps(__m128(a)));
#else
  for (int i = 0; i < kLanes<float>; ++i) a[i] = __builtin_sqrtf(a[i]);
  return a;
#endif
}
inline Lanes<double> sqrt(Lanes<double> a) {
#if defined(TL_ISA_avx512)
  return Lanes<double>(_mm512_maskz_sqrt_pd(0xff, __m512d(a)));
#elif defined(TL_ISA_avx2)
  return Lanes<double>(_mm256_sqrt_pd(__m256d(a)));
#elif defined(__SSE2__)
  return Lanes<double>(_mm_sqrt_pd(__m128d(a)));
#else
  for (int i = 0; i < kLanes<double>; ++i) a[i] = __builtin_sqrt(a[i]);
  return a;
#endif
}
// The larger one; b where either is NaN.
inline Lanes<float> larger(Lanes<float> a, Lanes<float> b) {
#if defined(TL_ISA_avx512)
  return Lanes<float>(_mm512_maskz_max_ps(0xffff, __m512(a), __m512(b)));
#elif defined(TL_ISA_avx2)
  return Lanes<float>(_mm256_max_ps(__m256(a), __m256(b)));
#else
  return a > b ? a : b;
#endif
}
inline Lanes<double> larger(Lanes<double> a, Lanes<double> b) {
#if defined(TL_ISA_avx512)
  return Lanes<double>(_mm512_maskz_max_pd(0xff, __m512d(a), __m512d(b)));
#elif defined(TL_ISA_avx2)
  return Lanes<double>(_mm256_max_pd(__m256d(a), __m256d(b)));
#else
  return a > b ? a : b;
#endif
}
template <class V>
inline bool any(V mask) {
#if defined(TL_ISA_avx512)
  return _mm512_test_epi64_mask(__m512i(mask), __m512i(mask)) != 0;
#elif defined(TL_ISA_avx2)
  return !_mm256_testz_si256(__m256i(mask), __m256i(mask));
#elif defined(__SSE2__)
  return _mm_movemask_epi8(__m128i(mask)) != 0;
#else
  using U = uint64_t __attribute__((vector_size(TL_VECTOR_BYTES)));
  U u = U(mask);
  uint64_t all = 0;
  for (int i = 0; i < TL_VECTOR_BYTES / 8; ++i) all |= u[i];
  return all != 0;
#endif
}

// Over the lanes, as a tree.
template <class A>
inline A sum_lanes(Lanes<A> v) {
  A a[kLanes<A>];
  __builtin_memcpy(a, &v, sizeof(v));
  for (int step = kLanes<A> / 2; step; step /= 2)
    for (int i = 0; i < step; ++i) a[i] += a[i + step];
  return a[0];
}
template <class A>
inline A max_lanes(Lanes<A> v) {
  A a[kLanes<A>];
  __builtin_memcpy(a, &v, sizeof(v));
  for (int step = kLanes<A> / 2; step; step /= 2)
    for (int i = 0; i < step; ++i) a[i] = a[i] > a[i + step] ? a[i] : a[i + step];
  return a[0];
}

// e to the x, within 2 ULP; range reduction by ln 2 in two parts, then a polynomial (float: the coefficients of Cephes
// expf, S. Moshier; double: the Taylor series to degree 13).
inline Lanes<float> exp(Lanes<float> x) {
  using V = Lanes<float>;
  x = x < -104.f ? splat(-104.f) : x;
  x = x > 89.f ? splat(89.f) : x;
  V magic = splat(12582912.f);  // 1.5 * 2^23: adding it rounds to an integer
  V shifted = fma(x, splat(1.44269504088896341f), magic);
  V n = shifted - magic;
  V r = fma(n, splat(-0.693359375f), x);
  r = fma(n, splat(2.12194440e-4f), r);
  V p = splat(1.9875691500e-4f);
  p = fma(p, r, splat(1.3981999507e-3f));
  p = fma(p, r, splat(8.3334519073e-3f));
  p = fma(p, r, splat(4.1665795894e-2f));
  p = fma(p, r, splat(1.6666665459e-1f));
  p = fma(p, r, splat(5.0000001201e-1f));
  p = fma(p, r * r, r) + 1.f;
#if defined(TL_ISA_avx512)
  return V(_mm512_maskz_scalef_ps(0xffff, __m512(p), __m512(n)));
#else
  LanesI32 k = LanesI32(shifted) - LanesI32(magic);
  LanesI32 half = k >> 1;  // in two steps, so that results may be denormal
  return p * V((half + 127) << 23) * V((k - half + 127) << 23);
#endif
}
inline Lanes<double> exp(Lanes<double> x) {
  using V = Lanes<double>;
  x = x < -746. ? splat(-746.) : x;
  x = x > 710. ? splat(710.) : x;
  V magic = splat(6755399441055744.);
  V shifted = fma(x, splat(1.4426950408889634), magic);
  V n = shifted - magic;
  V r = fma(n, splat(-6.93145751953125e-1), x);
  r = fma(n, splat(-1.42860682030941723212e-6), r);
  V p = splat(1.0 / 6227020800.0);
  p = fma(p, r, splat(1.0 / 479001600.0));
  p = fma(p, r, splat(1.0 / 39916800.0));
  p = fma(p, r, splat(1.0 / 3628800.0));
  p = fma(p, r, splat(1.0 / 362880.0));
  p = fma(p, r, splat(1.0 / 40320.0));
  p = fma(p, r, splat(1.0 / 5040.0));
  p = fma(p, r, splat(1.0 / 720.0));
  p = fma(p, r, splat(1.0 / 120.0));
  p = fma(p, r, splat(1.0 / 24.0));
  p = fma(p, r, splat(1.0 / 6.0));
  p = fma(p, r, splat(0.5));
  p = fma(p, r * r, r) + 1.0;
#if defined(TL_ISA_avx512)
  return V(_mm512_maskz_scalef_pd(0xff, __m512d(p), __m512d(n)));
#else
  LanesI64 k = LanesI64(shifted) - LanesI64(magic);
  LanesI64 half = k >> 1;
  return p * V((half + 1023) << 52) * V((k - half + 1023) << 52);
#endif
}
inline float log_one(float x) { return __builtin_logf(x); }
inline double log_one(double x) { return __builtin_log(x); }
inline float sqrt_one(float x) { return sqrt(splat(x))[0]; }
inline double sqrt_one(double x) { return sqrt(splat(x))[0]; }

// ---- the rest -------------------------------------------------------------------------------------------------------

inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

// with_floating(dtype, [&]<class T>() { ... })
template <class F>
inline void with_floating(Dtype t, F&& f) {
  switch (t) {
    case Dtype::Float16:
      return f.template operator()<Half>();
    case Dtype::BFloat16:
      return f.template operator()<BFloat16>();
    case Dtype::Float64:
      return f.template operator()<double>();
    default:
      return f.template operator()<float>();
  }
}

}  // namespace tl::cpu::TL_ISA
