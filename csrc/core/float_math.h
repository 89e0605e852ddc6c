#pragma once

#include <cmath>
#include <complex>
#include <cstdint>

#include "core/half.h"

// Elementary functions for kernels, host and device. The float32 ones are branch-free so that loops over them
// vectorise; each states its error in units in the last place (ULP), which tests/test_float_math.py checks on every
// instruction set. The polynomials were fitted with mpmath's chebyfit. float64 and complex go to the C library.
//
// Everything is `static` and always inlined: a file that is compiled once per instruction set must not leave a copy
// that another one could link to.

#define TL_FN static TL_HOST_DEVICE inline __attribute__((always_inline))

namespace tl::fm {

TL_FN uint32_t to_bits(float x) {
  uint32_t u;
  __builtin_memcpy(&u, &x, 4);
  return u;
}
TL_FN float from_bits(uint32_t u) {
  float x;
  __builtin_memcpy(&x, &u, 4);
  return x;
}
TL_FN uint64_t to_bits(double x) {
  uint64_t u;
  __builtin_memcpy(&u, &x, 8);
  return u;
}
TL_FN double from_bits64(uint64_t u) {
  double x;
  __builtin_memcpy(&x, &u, 8);
  return x;
}

// Fused where the instruction set has it, else rounded twice.
#if defined(__FMA__) || defined(__CUDA_ARCH__)
TL_FN float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
TL_FN double fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
#else
TL_FN float fma(float a, float b, float c) { return a * b + c; }
TL_FN double fma(double a, double b, double c) { return a * b + c; }
#endif

// c0 + c1 x + c2 x^2 + ...
template <class T>
TL_FN T poly(T, T c) {
  return c;
}
template <class T, class... C>
TL_FN T poly(T x, T c0, C... rest) {
  return fma(poly(x, rest...), x, c0);
}

TL_FN float sqrt(float x) { return __builtin_sqrtf(x); }
TL_FN double sqrt(double x) { return __builtin_sqrt(x); }
TL_FN float abs(float x) { return __builtin_fabsf(x); }
TL_FN double abs(double x) { return __builtin_fabs(x); }
TL_FN float copysign(float x, float s) { return __builtin_copysignf(x, s); }
TL_FN double copysign(double x, double s) { return __builtin_copysign(x, s); }
TL_FN float conj(float x) { return x; }
TL_FN double conj(double x) { return x; }
TL_FN float arg(float x) { return x != x ? x : x < 0.0f ? 3.14159265358979323846f : 0.0f; }
TL_FN double arg(double x) { return x != x ? x : x < 0.0 ? 3.14159265358979323846 : 0.0; }
TL_FN float floor(float x) { return __builtin_floorf(x); }
TL_FN double floor(double x) { return __builtin_floor(x); }
TL_FN float ceil(float x) { return __builtin_ceilf(x); }
TL_FN double ceil(double x) { return __builtin_ceil(x); }
TL_FN float trunc(float x) { return __builtin_truncf(x); }
TL_FN double trunc(double x) { return __builtin_trunc(x); }
TL_FN float round_even(float x) { return __builtin_rintf(x); }
TL_FN double round_even(double x) { return __builtin_rint(x); }

// ---- float32 ----

constexpr float kMagic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer

// e^r - 1 of exp(x + low) = 2^n e^r with n = round(x / ln 2), low tiny; t = n + magic.
TL_FN float exp_rest(float x, float low, float magic, float& t) {
  t = fma(x, 1.44269504088896341f, magic);
  float n = t - magic;
  float r = fma(n, -0.693359375f, x);
  r = fma(n, 2.12194440e-4f, r) + low;
  float q = poly(r, 5.000000000e-01f, 1.666657699e-01f, 4.166655462e-02f, 8.363179053e-03f, 1.392618359e-03f);
  return fma(r * r, q, r);
}
// p 2^n for t = n + kMagic, where p and the product are normal.
TL_FN float scale_normal(float p, float t) { return from_bits(to_bits(p) + (to_bits(t) << 23)); }

// 1 ULP. Saturates to 0 and inf.
TL_FN float exp(float value) {
  float x = value > 89.0f ? 89.0f : (value < -104.0f ? -104.0f : value), t;
  float p = exp_rest(x, 0.0f, kMagic, t) + 1.0f;
  // 2^n in two factors, so that results below the normal range come out right.
  int32_t k = int32_t(to_bits(t)) - int32_t(0x4b400000);
  int32_t half = k >> 1;
  return p * from_bits(uint32_t(half + 127) << 23) * from_bits(uint32_t(k - half + 127) << 23);
}
// The same where |x| <= 80: one step for 2^n.
TL_FN float exp_near(float x) {
  float t, p = exp_rest(x, 0.0f, kMagic, t) + 1.0f;
  return scale_normal(p, t);
}
// The same for x <= 0: by way of 2^64 times the result, which is normal.
TL_FN float exp_negative(float value) {
  float x = value < -104.0f ? -104.0f : value, t;
  float p = exp_rest(x, 0.0f, kMagic + 64.0f, t) + 1.0f;
  return scale_normal(p, t) * 5.42101086e-20f;
}

// x = m 2^e with m in [sqrt(1/2), sqrt(2)), for positive finite x.
TL_FN void split(float x, float& m, float& e) {
  bool small = x < 1.17549435e-38f;
  float scaled = small ? x * 8388608.0f : x;
  int32_t u = int32_t(to_bits(scaled));
  int32_t k = (u - 0x3f3504f3) >> 23;
  m = from_bits(uint32_t(u - (k << 23)));
  e = float(k) - (small ? 23.0f : 0.0f);
}

// log(1 + f) - f for f in [sqrt(1/2) - 1, sqrt(2) - 1].
TL_FN float log_tail(float f) {
  float p = poly(f, 3.333333118e-01f, -2.499999696e-01f, 2.000071575e-01f, -1.666780232e-01f, 1.424905765e-01f,
                 -1.242568733e-01f, 1.168541992e-01f, -1.147973385e-01f, 6.971611471e-02f);
  float f2 = f * f;
  return fma(f2 * f, p, -0.5f * f2);
}

TL_FN float log_special(float x, float y) {
  y = x == 0.0f ? -__builtin_inff() : y;
  y = x < 0.0f ? __builtin_nanf("") : y;
  return x < __builtin_inff() ? y : x + x;  // inf and NaN
}

// 1 ULP.
TL_FN float log(float x) {
  float m, e;
  split(x, m, e);
  float f = m - 1.0f;
  float y = fma(e, -2.12194440e-4f, log_tail(f));
  return log_special(x, fma(e, 0.693359375f, f + y));
}

// 2 ULP: log(m) in two parts times log2(e) in two parts.
TL_FN float log2(float x) {
  float m, e;
  split(x, m, e);
  float f = m - 1.0f;
  float tail = log_tail(f);
  float y = fma(f, 0.44269504088896341f, tail * 0.44269504088896341f);
  return log_special(x, e + (f + (tail + y)));
}

TL_FN float log10(float x) {  // 2 ULP
  float m, e;
  split(x, m, e);
  float f = m - 1.0f;
  float tail = log_tail(f);
  float sum = f + tail;
  float low = (f - sum) + tail;
  float y = fma(sum, 0.434294482f, fma(low, 0.434294482f, fma(e, 7.90469623e-06f, sum * -1.69e-10f)));
  return log_special(x, fma(e, 0.301022083f, y));
}

TL_FN float log1p(float x) {  // 2 ULP
  float u = 1.0f + x;
  // What rounding took away, relative to u.
  float lost = x >= 1.0f ? 1.0f - (u - x) : x - (u - 1.0f);
  float correction = u < __builtin_inff() && u > 0.0f ? lost / u : 0.0f;
  float m, e;
  split(u, m, e);
  float f = m - 1.0f;
  float y = fma(e, -2.12194440e-4f, log_tail(f) + correction);
  float r = log_special(u, fma(e, 0.693359375f, f + y));
  return abs(x) < 1e-8f ? x : r;
}

TL_FN float expm1(float x) {  // 2 ULP
  float c = x > 89.0f ? 89.0f : (x < -30.0f ? -30.0f : x);
  constexpr float kMagic = 12582912.0f;
  float t = fma(c, 1.44269504088896341f, kMagic);
  float n = t - kMagic;
  float r = fma(n, -0.693359375f, c);
  r = fma(n, 2.12194440e-4f, r);
  float q = poly(r, 5.000000000e-01f, 1.666657699e-01f, 4.166655462e-02f, 8.363179053e-03f, 1.392618359e-03f);
  float p = fma(r * r, q, r);
  int32_t k = int32_t(to_bits(t)) - int32_t(0x4b400000);
  // One power of two less, so that 2^128 does not overflow before the sum is taken.
  float s = from_bits(uint32_t(k - 1 + 127) << 23);
  float y = fma(s, p, s - 0.5f);
  return x == 0.0f ? x : y + y;
}

TL_FN float exp2(float x) {  // 1 ULP
  float c = x > 129.0f ? 129.0f : (x < -151.0f ? -151.0f : x);
  constexpr float kMagic = 12582912.0f;
  float t = c + kMagic;
  float f = c - (t - kMagic);
  float r = f * 0.693147180559945309f;
  r = r + fma(f, 0.693147180559945309f, -r);
  float q = poly(r, 5.000000000e-01f, 1.666657699e-01f, 4.166655462e-02f, 8.363179053e-03f, 1.392618359e-03f);
  float p = fma(r * r, q, r) + 1.0f;
  int32_t k = int32_t(to_bits(t)) - int32_t(0x4b400000);
  int32_t half = k >> 1;
  return p * from_bits(uint32_t(half + 127) << 23) * from_bits(uint32_t(k - half + 127) << 23);
}

// 2 ULP.
TL_FN float tanh(float x) {
  float a = abs(x), z = x * x;
  float small = fma(
      x * z, poly(z, -3.333332894e-01f, 1.333276974e-01f, -5.385090958e-02f, 2.099717900e-02f, -6.096714166e-03f), x);
  float large = copysign(1.0f - 2.0f / (exp_near(a > 10.0f ? 20.0f : a + a) + 1.0f), x);
  float r = a < 0.625f ? small : large;
  return x == x ? r : x;
}

// 2 ULP; exp of minus the magnitude never overflows. What rounding took from 1 + e and from the quotient is given back.
TL_FN float sigmoid(float x) {
  float e = exp_negative(-abs(x));
  float n = x < 0.0f ? e : 1.0f;
  float d = 1.0f + e, lost = e - (d - 1.0f);
  float inverse = 1.0f / d, y = n * inverse;
  float residual = fma(-y, d, n) - y * lost;
  return fma(residual, inverse, y);
}

// 2 ULP.
TL_FN float erf(float x) {
  float a = abs(x), z = x * x;
  float small = fma(x,
                    poly(z, 1.283791668e-01f, -3.761263519e-01f, 1.128371805e-01f, -2.686066479e-02f, 5.204226694e-03f,
                         -8.179632181e-04f, 8.529401323e-05f),
                    x);
  float b = a > 4.0f ? 4.0f : a;
  float g = poly(b, 1.128706152e+00f, 6.349477311e-01f, 1.064905910e-01f, -2.385950168e-02f, 3.581151999e-03f,
                 -2.466863799e-04f, -1.885291923e-05f, 5.191084292e-06f, -3.111434188e-07f);
  float large = copysign(1.0f - exp_near(-b * g), x);
  float r = a < 0.9f ? small : large;
  return x == x ? r : x;
}

// x * x and what its rounding lost.
TL_FN void square_exact(float x, float& high, float& low) {
  high = x * x;
#if defined(__FMA__) || defined(__CUDA_ARCH__)
  low = fma(x, x, -high);
#else
  // Dekker's product: those of the halves are exact.
  float h = from_bits(to_bits(x) & 0xfffff000u), l = x - h;
  low = ((h * h - high) + 2.0f * h * l) + l * l;
#endif
}

// e^(high + low) times the Mills ratio (1 - Phi(a)) / e^(-a^2/2) for a >= 0.5, which is q(u) u with u = 1 / (1 + a/2).
// The roundings of u and of the products are carried along and added to the exponential's last step. All times
// `factor`.
TL_FN float scaled_mills(float a, float high, float low, float factor) {
  float d = fma(a, 0.5f, 1.0f), d_lost = fma(a, 0.5f, 1.0f - d);
  float u = 1.0f / d;
  float u_error = fma(-u, d, 1.0f) - u * d_lost;  // relative
  float q_tail = poly(u, 1.991243362e-01f, 1.541954279e-01f, 1.627028175e-02f, 8.613504469e-02f, -5.139184594e-01f,
                      5.861768126e-01f, -2.508601248e-01f, 4.380260594e-03f, 1.905754209e-02f);
  float q = fma(q_tail, u, 1.994822025e-01f), q_lost = fma(q_tail, u, 1.994822025e-01f - q);
  float p = q * u;
  float p_lost = fma(p * u_error, fma(u, 0.8376449f, 1.0494549f), fma(q, u, -p)) + q_lost * u;
  float m = p * factor, m_lost = fma(p, factor, -m) + p_lost * factor;

  float t, e = exp_rest(high < -104.0f ? -104.0f : high, low, kMagic + 64.0f, t);
  return scale_normal(fma(m, e, m_lost) + m, t) * 5.42101086e-20f;
}

TL_FN float erfc(float x) {  // 3 ULP
  float a = abs(x) > 12.0f ? 12.0f : abs(x);
  float high, low;
  square_exact(a, high, low);
  float tail = scaled_mills(a * 1.41421356237f, -high, -low, 2.0f);
  float r = x < 0.0f ? 2.0f - tail : tail;
  return x == x ? (a < 0.5f ? 1.0f - erf(x) : r) : x;
}

// factor * Phi(x)
TL_FN float scaled_normal_cdf(float x, float factor) {
  float a = abs(x) > 15.0f ? 15.0f : abs(x);
  float high, low;
  square_exact(a, high, low);
  float tail = scaled_mills(a, -0.5f * high, -0.5f * low, x < 0.0f ? factor : 1.0f);
  float middle = fma(
      x, poly(high, 3.989422786e-01f, -6.649024158e-02f, 9.971817664e-03f, -1.179637638e-03f, 1.013747520e-04f), 0.5f);
  float r = a < 0.7f ? middle * factor : (x < 0.0f ? tail : (1.0f - tail) * factor);
  return x == x ? r : x;
}
TL_FN float normal_cdf(float x) { return scaled_normal_cdf(x, 1.0f); }  // 2 ULP
TL_FN float gelu(float x) { return scaled_normal_cdf(x, x); }           // 2 ULP
TL_FN double gelu(double x) { return x * (0.5 * ::erfc(x * -0.70710678118654752440)); }

// Sine and cosine for |x| < kTrigLimit, reduced in float64. 1 ULP. Larger arguments are the caller's.
#if defined(__FMA__) || defined(__CUDA_ARCH__)
constexpr float kTrigLimit = 1073741824.0f;
#else
constexpr float kTrigLimit = 1048576.0f;
#endif
TL_FN float sincos_core(float x, int quarter) {
  double d = double(x);
  constexpr double kMagic = 6755399441055744.0;  // 1.5 * 2^52
  double t = fma(d, 0.63661977236758134308, kMagic);
  double n = t - kMagic;
#if defined(__FMA__) || defined(__CUDA_ARCH__)
  double r = fma(n, -1.57079632679489655800, d);
  r = fma(n, -6.12323399573676603587e-17, r);
#else
  // The first part of pi / 2 has 33 bits: its product with n is exact.
  double r = (d - n * 1.57079632673412561417e+00) - n * 6.07710050650619224932e-11;
#endif
  double z = r * r;
  double s = fma(r * z,
                 poly(z, -1.66666666666638708e-01, 8.33333333107020950e-03, -1.98412669082247963e-04,
                      2.75559882800214163e-06, -2.48053909457660669e-08),
                 r);
  double c = fma(z * z,
                 poly(z, 4.16666666666646660e-02, -1.38888888872708977e-03, 2.48015852047252465e-05,
                      -2.75563678008038834e-07, 2.07004250624745114e-09),
                 fma(z, -0.5, 1.0));
  int64_t k = int64_t(to_bits(t)) + quarter;
  double y = k & 1 ? c : s;
  return float(k & 2 ? -y : y);
}
TL_FN float sin(float x) { return sincos_core(x, 0); }
TL_FN float cos(float x) { return sincos_core(x, 1); }

// ---- float64 and complex: the C library ----

#define TL_LIBM(name) \
  TL_FN double name(double x) { return ::name(x); }
TL_LIBM(exp)
TL_LIBM(exp2)
TL_LIBM(expm1)
TL_LIBM(log)
TL_LIBM(log2)
TL_LIBM(log10)
TL_LIBM(log1p)
TL_LIBM(tanh)
TL_LIBM(erf)
TL_LIBM(erfc)
TL_LIBM(sin)
TL_LIBM(cos)
#undef TL_LIBM
#define TL_LIBM(name)                                \
  TL_FN float name(float x) { return ::name##f(x); } \
  TL_FN double name(double x) { return ::name(x); }
TL_LIBM(tan)
TL_LIBM(asin)
TL_LIBM(acos)
TL_LIBM(atan)
TL_LIBM(sinh)
TL_LIBM(cosh)
TL_LIBM(asinh)
TL_LIBM(acosh)
TL_LIBM(atanh)
TL_LIBM(lgamma)
#undef TL_LIBM
#define TL_LIBM(name)                                            \
  TL_FN float name(float x, float y) { return ::name##f(x, y); } \
  TL_FN double name(double x, double y) { return ::name(x, y); }
TL_LIBM(pow)
TL_LIBM(atan2)
TL_LIBM(hypot)
TL_LIBM(fmod)
TL_LIBM(nextafter)
#undef TL_LIBM

TL_FN double sigmoid(double x) {
  double e = exp(-abs(x));
  return (x < 0.0 ? e : 1.0) / (1.0 + e);
}
TL_FN double normal_cdf(double x) { return 0.5 * ::erfc(x * -0.70710678118654752440); }

#if !defined(__CUDACC__) && !defined(TL_ISA)
#define TL_COMPLEX(name)                                  \
  template <class R>                                      \
  static inline std::complex<R> name(std::complex<R> x) { \
    return std::name(x);                                  \
  }
TL_COMPLEX(exp)
TL_COMPLEX(log)
TL_COMPLEX(log10)
TL_COMPLEX(sqrt)
TL_COMPLEX(tanh)
TL_COMPLEX(sin)
TL_COMPLEX(cos)
TL_COMPLEX(tan)
TL_COMPLEX(asin)
TL_COMPLEX(acos)
TL_COMPLEX(atan)
TL_COMPLEX(sinh)
TL_COMPLEX(cosh)
TL_COMPLEX(asinh)
TL_COMPLEX(acosh)
TL_COMPLEX(atanh)
#undef TL_COMPLEX
template <class R>
static inline R abs(std::complex<R> x) {
  return std::abs(x);
}
template <class R>
static inline R arg(std::complex<R> x) {
  return std::arg(x);
}
template <class R>
static inline std::complex<R> conj(std::complex<R> x) {
  return std::conj(x);
}
template <class R>
static inline std::complex<R> log2(std::complex<R> x) {
  return std::log(x) / std::log(R(2));
}
template <class R>
static inline std::complex<R> exp2(std::complex<R> x) {
  return std::exp(x * std::log(R(2)));
}
template <class R>
static inline std::complex<R> expm1(std::complex<R> x) {
  R a = std::expm1(x.real()), b = std::sin(x.imag() / 2);
  R c = -2 * b * b;  // cos(imag) - 1
  return {a * (c + 1) + c, (a + 1) * std::sin(x.imag())};
}
template <class R>
static inline std::complex<R> log1p(std::complex<R> x) {
  R re = x.real(), im = x.imag();
  return {std::log1p(re * (2 + re) + im * im) / 2, std::atan2(im, 1 + re)};
}
template <class R>
static inline std::complex<R> sigmoid(std::complex<R> x) {
  return R(1) / (R(1) + std::exp(-x));
}
template <class R>
static inline std::complex<R> pow(std::complex<R> x, std::complex<R> y) {
  if (x == R(0)) return y == R(0) ? std::complex<R>(1) : std::complex<R>(0);
  return std::pow(x, y);
}
#endif

}  // namespace tl::fm
