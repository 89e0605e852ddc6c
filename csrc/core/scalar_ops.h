#pragma once

#include "core/float_math.h"

// The scalar meaning of every pointwise operator, once, for host and device: a function object for each, a template
// over the dtype that it computes in, branch-free where the type allows vectors. p0..p2 are the operator's numbers.

namespace tl::scalar {

using fm::from_bits;
using fm::poly;
using fm::to_bits;

template <class T>
struct Params {
  T p0, p1, p2;
  int32_t* division_by_zero;
};

template <class T>
inline constexpr bool is_float = false;
template <>
inline constexpr bool is_float<float> = true;
template <>
inline constexpr bool is_float<double> = true;
template <class T>
inline constexpr bool is_int = false;
template <>
inline constexpr bool is_int<uint8_t> = true;
template <>
inline constexpr bool is_int<int32_t> = true;
template <>
inline constexpr bool is_int<int64_t> = true;
template <class T>
inline constexpr bool is_cx = !is_float<T> && !is_int<T>;

// Integers wrap around.
template <class T>
struct UnsignedOf {
  using type = T;
};
template <>
struct UnsignedOf<int32_t> {
  using type = uint32_t;
};
template <>
struct UnsignedOf<int64_t> {
  using type = uint64_t;
};
template <class T>
using U = typename UnsignedOf<T>::type;

template <class T>
TL_FN bool isnan(T x) {
  return x != x;
}
template <class T>
TL_FN T infinity() {
  return T(__builtin_inf());
}
template <class T>
TL_FN bool isinf(T x) {
  return fm::abs(x) == infinity<T>();
}
template <class T>
TL_FN bool isfinite(T x) {
  return fm::abs(x) < infinity<T>();
}

#define TL_UNARY(Name, ...)                                                                         \
  template <class T>                                                                                \
  struct Name : Params<T> {                                                                         \
    using Params<T>::p0;                                                                            \
    using Params<T>::p1;                                                                            \
    using Params<T>::p2;                                                                            \
    TL_HOST_DEVICE inline __attribute__((always_inline)) auto operator()(T a) const { __VA_ARGS__ } \
  };
#define TL_BINARY(Name, ...)                                                                             \
  template <class T>                                                                                     \
  struct Name : Params<T> {                                                                              \
    using Params<T>::p0;                                                                                 \
    using Params<T>::p1;                                                                                 \
    using Params<T>::p2;                                                                                 \
    TL_HOST_DEVICE inline __attribute__((always_inline)) auto operator()(T a, T b) const { __VA_ARGS__ } \
  };
#define TL_TERNARY(Name, A, ...)                                                                           \
  template <class T>                                                                                       \
  struct Name : Params<T> {                                                                                \
    using Params<T>::p0;                                                                                   \
    TL_HOST_DEVICE inline __attribute__((always_inline)) T operator()(A a, T b, T c) const { __VA_ARGS__ } \
  };

// ---- arithmetic of two ----

TL_BINARY(Add, return T(U<T>(a) + U<T>(b));)
TL_BINARY(AddScaled, return T(U<T>(a) + U<T>(p0) * U<T>(b));)
TL_BINARY(Sub, return T(U<T>(a) - U<T>(b));)
TL_BINARY(Mul, return T(U<T>(a) * U<T>(b));)
TL_BINARY(Div, return a / b;)

// A divisor that no machine traps on, and a note that it was zero. The lowest integer divided by -1 is itself.
template <class T>
TL_FN T safe_divisor(T a, T b, int32_t* by_zero) {
  if (b == 0) {
#if defined(__CUDA_ARCH__)
    *by_zero = 1;
#else
    __atomic_store_n(by_zero, 1, __ATOMIC_RELAXED);
#endif
    return 1;
  }
  return b == T(-1) && U<T>(a) == U<T>(1) << (8 * sizeof(T) - 1) ? T(1) : b;
}

TL_BINARY(DivTrunc, if constexpr (is_int<T>) return T(a / safe_divisor(a, b, this->division_by_zero));
          else return fm::trunc(a / b);)
TL_BINARY(
    DivFloor,
    if constexpr (is_int<T>) {
      T d = safe_divisor(a, b, this->division_by_zero), q = T(a / d);
      return T(q - T(a % d != 0 && (a < 0) != (d < 0)));
    } else {
      // Through the remainder, so that q * b + r == a holds as Python has it.
      if (b == T(0)) return a / b;
      T mod = fm::fmod(a, b), div = (a - mod) / b;
      if (mod != T(0) && (b < T(0)) != (mod < T(0))) div -= T(1);
      if (div == T(0)) return fm::copysign(T(0), a / b);
      T whole = fm::floor(div);
      return div - whole > T(0.5) ? whole + T(1) : whole;
    })
TL_BINARY(
    Remainder,
    if constexpr (is_int<T>) {
      T d = safe_divisor(a, b, this->division_by_zero), r = T(a % d);
      return T(r != 0 && (r < 0) != (d < 0) ? r + d : r);
    } else {
      T mod = fm::fmod(a, b);
      return mod != T(0) && (b < T(0)) != (mod < T(0)) ? mod + b : mod;
    })
TL_BINARY(Fmod, if constexpr (is_int<T>) return T(a % safe_divisor(a, b, this->division_by_zero));
          else return fm::fmod(a, b);)
TL_BINARY(
    Pow, if constexpr (is_int<T>) {
      if (b < 0) return T(a == 1 ? 1 : a == T(-1) ? (b % 2 ? -1 : 1) : 0);
      U<T> base = U<T>(a), result = 1;
      for (T e = b; e > 0; e = T(e >> 1)) {
        if (e & 1) result *= base;
        base *= base;
      }
      return T(result);
    } else return fm::pow(a, b);)
TL_BINARY(Atan2, return fm::atan2(a, b);)
TL_BINARY(Hypot, return fm::hypot(a, b);)
TL_BINARY(Copysign, return fm::copysign(a, b);)
// NaN in either operand wins.
TL_BINARY(Maximum, return a > b || isnan(a) ? a : b;)
TL_BINARY(Minimum, return a < b || isnan(a) ? a : b;)
TL_BINARY(Fmax, return a >= b || isnan(b) ? a : b;)
TL_BINARY(Fmin, return a <= b || isnan(b) ? a : b;)
TL_BINARY(
    LogAddExp,
    if constexpr (is_cx<T>) {
      bool less = a.real() < b.real();
      T low = less ? a : b;
      T high = less ? b : a;
      using R = typename T::value_type;
      if (isnan(a) || isnan(b)) return T(R(__builtin_nan("")), R(__builtin_nan("")));
      if (!isfinite(low.real()) && low.real() == high.real())
        return low.real() < 0 ? low : fm::log(fm::exp(low) + fm::exp(high));
      return high + fm::log1p(fm::exp(low - high));
    } else {
      T high = a > b || isnan(a) ? a : b;
      T low = a > b || isnan(a) ? b : a;
      T sum = high + fm::log1p(fm::exp(low - high));
      return low == high && !(fm::abs(a) < infinity<T>()) ? a : sum;
    })
TL_BINARY(LogAddExp2, T high = a > b || isnan(a) ? a : b; T low = a > b || isnan(a) ? b : a;
          T sum = high + fm::log1p(fm::exp2(low - high)) * T(1.44269504088896340736);
          return low == high && !(fm::abs(a) < infinity<T>()) ? a : sum;)
TL_BINARY(Xlogy, return isnan(b) ? b : a == T(0) ? T(0) : T(a * fm::log(b));)
TL_BINARY(Heaviside, return a == T(0) ? b : T(a > T(0) ? 1 : 0);)
// p0 significant bits and the least exponent p1 of a half type; 0 for a type's own neighbours.
TL_BINARY(Nextafter, if (p0 == T(0) || isnan(a) || isnan(b) || a == b) return fm::nextafter(a, b); T size = fm::abs(a);
          bool up = a == T(0) || (b > a) == (a > T(0)); if (size == infinity<T>()) return fm::copysign(
              T(::ldexp(2.0 - ::ldexp(1.0, 1 - int(p0)), p1 < T(-100) ? 127 : 15)), a);
          int exponent = 0; T part = T(::frexp(double(size), &exponent)); exponent -= 1;
          if (!up && part == T(0.5)) exponent -= 1; if (size == T(0) || exponent < int(p1)) exponent = int(p1);
          T step = T(::ldexp(1.0, exponent + 1 - int(p0)));
          return a == T(0) ? fm::copysign(step, b) : fm::copysign(up ? size + step : size - step, a);)
TL_BINARY(
    Gcd, T x = a < 0 ? T(-a) : a; T y = b < 0 ? T(-b) : b; while (y) {
      T r = T(x % y);
      x = y;
      y = r;
    } return x;)
TL_BINARY(Lcm, T g = Gcd<T>{}(a, b); T l = g ? T(a / g * b) : T(0); return l < 0 ? T(-l) : l;)

// ---- questions ----

TL_BINARY(Eq, return a == b;)
TL_BINARY(Ne, return a != b;)
TL_BINARY(Lt, return a < b;)
TL_BINARY(Le, return a <= b;)
TL_BINARY(Gt, return a > b;)
TL_BINARY(Ge, return a >= b;)
TL_BINARY(LogicalAnd, return bool((a != T(0)) & (b != T(0)));)
TL_BINARY(LogicalOr, return bool((a != T(0)) | (b != T(0)));)
TL_BINARY(LogicalXor, return (a != T(0)) != (b != T(0));)
TL_UNARY(LogicalNot, return a == T(0);)
TL_UNARY(IsNan, return isnan(a);)
TL_UNARY(IsInf, if constexpr (is_cx<T>) return isinf(a.real()) || isinf(a.imag()); else return isinf(a);)
TL_UNARY(IsFinite, if constexpr (is_cx<T>) return isfinite(a.real()) && isfinite(a.imag()); else return isfinite(a);)
TL_UNARY(IsPosInf, return a == infinity<T>();)
TL_UNARY(IsNegInf, return a == -infinity<T>();)
TL_UNARY(Signbit, if constexpr (is_int<T>) return a < 0; else return fm::copysign(T(1), a) < T(0);)
// p0 rtol, p1 atol, p2 whether NaN equals NaN
TL_BINARY(
    IsClose, if constexpr (is_int<T>) return a == b; else if constexpr (is_cx<T>) {
      auto apart = fm::abs(a - b), allowed = p1.real() + fm::abs(p0 * b);
      bool close = isfinite(apart) && apart <= allowed;
      bool both_nan = isnan(a) && isnan(b) && p2 != T(0);
      return bool((a == b) | close | both_nan);
    } else {
      bool close = fm::abs(a - b) <= p1 + fm::abs(p0 * b) && fm::abs(b) < infinity<T>();
      bool both_nan = isnan(a) && isnan(b) && p2 != T(0);
      return bool((a == b) | close | both_nan);
    })

// ---- bits ----

TL_BINARY(BitAnd, return T(a & b);)
TL_BINARY(BitOr, return T(a | b);)
TL_BINARY(BitXor, return T(a ^ b);)
TL_UNARY(BitNot, return T(~a);)
TL_BINARY(ShiftLeft, constexpr int bits = 8 * sizeof(T); bool inside = b >= 0 && b < bits;
          return inside ? T(U<T>(a) << (inside ? b : 0)) : T(0);)
TL_BINARY(ShiftRight, constexpr int last = 8 * sizeof(T) - 1; bool inside = b >= 0 && b < last;
          return T(a >> (inside ? b : T(last)));)

// ---- of one ----

TL_UNARY(Neg, return T(-U<T>(a));)
TL_UNARY(Abs, if constexpr (is_int<T>) return T(a < 0 ? T(-U<T>(a)) : a); else return fm::abs(a);)
TL_UNARY(Square, return T(U<T>(a) * U<T>(a));)
TL_UNARY(Cube, return T(U<T>(a) * U<T>(a) * U<T>(a));)
TL_UNARY(Sqrt, return fm::sqrt(a);)
TL_UNARY(Rsqrt, return T(1) / fm::sqrt(a);)
TL_UNARY(Reciprocal, return T(1) / a;)
#define TL_ELEMENTARY(Name, function) TL_UNARY(Name, return fm::function(a);)
TL_ELEMENTARY(Exp, exp)
TL_ELEMENTARY(Exp2, exp2)
TL_ELEMENTARY(Expm1, expm1)
TL_ELEMENTARY(Log, log)
TL_ELEMENTARY(Log2, log2)
TL_ELEMENTARY(Log10, log10)
TL_ELEMENTARY(Log1p, log1p)
TL_ELEMENTARY(Sin, sin)
TL_ELEMENTARY(Cos, cos)
TL_ELEMENTARY(Tan, tan)
TL_ELEMENTARY(Asin, asin)
TL_ELEMENTARY(Acos, acos)
TL_ELEMENTARY(Atan, atan)
TL_ELEMENTARY(Sinh, sinh)
TL_ELEMENTARY(Cosh, cosh)
TL_ELEMENTARY(Tanh, tanh)
TL_ELEMENTARY(Asinh, asinh)
TL_ELEMENTARY(Acosh, acosh)
TL_ELEMENTARY(Atanh, atanh)
TL_ELEMENTARY(Sigmoid, sigmoid)
TL_ELEMENTARY(Erf, erf)
TL_ELEMENTARY(Erfc, erfc)
TL_ELEMENTARY(Lgamma, lgamma)
TL_ELEMENTARY(Floor, floor)
TL_ELEMENTARY(Ceil, ceil)
TL_ELEMENTARY(Trunc, trunc)
TL_ELEMENTARY(Round, round_even)
#undef TL_ELEMENTARY
// p0 eps, NaN when not given
TL_UNARY(Logit, T x = a < p0 ? p0 : a; x = x > T(1) - p0 ? T(1) - p0 : x; return fm::log(x / (T(1) - x));)
// Giles' single precision approximation ("Approximating the erfinv function", 2010), then Newton steps with erf.
TL_UNARY(
    Erfinv, double x = double(a); if (!(x > -1.0 && x < 1.0)) return x == 1.0 ? infinity<T>()
                                  : x == -1.0                                 ? -infinity<T>()
                                                                              : T(__builtin_nan(""));
    double w = -::log((1.0 - x) * (1.0 + x)), p;
    if (w < 5.0) p = poly(w - 2.5, 1.50140941, 0.246640727, -0.00417768164, -0.00125372503, 0.00021858087,
                          -4.39150654e-06, -3.5233877e-06, 3.43273939e-07, 2.81022636e-08);
    else p = poly(::sqrt(w) - 3.0, 2.83297682, 1.00167406, 0.00943887047, -0.0076224613, 0.00573950773, -0.00367342844,
                  0.00134934322, 0.000100950558, -0.000200214257);
    double y = p * x; for (int step = 0; step < 2; ++step) {
      double error = x > 0 ? (1.0 - x) - ::erfc(y) : ::erfc(-y) - (1.0 + x);
      y -= error / (1.12837916709551257390 * ::exp(-y * y));
    } return T(y);)
// Recurrence up to 10, then the asymptotic series; reflection below zero.
TL_UNARY(
    Digamma, double x = double(a); if (x == 0) return fm::copysign(infinity<T>(), -a); double result = 0; if (x < 0) {
      double whole = ::floor(x);
      if (whole == x) return T(__builtin_nan(""));
      result = -3.14159265358979323846 / ::tan(3.14159265358979323846 * (x - whole));
      x = 1 - x;
    } while (x < 10) {
      result -= 1 / x;
      x += 1;
    } double z = 1 / (x * x);
    double series = z * poly(z, 8.33333333333333333333e-2, -8.33333333333333333333e-3, 3.96825396825396825397e-3,
                             -4.16666666666666666667e-3, 7.57575757575757575758e-3, -2.10927960927960927961e-2,
                             8.33333333333333333333e-2);
    return T(result + ::log(x) - 0.5 / x - series);)
// p0 = 10^decimals, or p1 = 10^-decimals where that is the integer
TL_UNARY(RoundDecimals, return p1 != T(0) ? fm::round_even(a / p1) * p1 : fm::round_even(a * p0) / p0;)
TL_UNARY(Frac, return a - fm::trunc(a);)
TL_UNARY(Sign, return T((a > T(0)) - (a < T(0)));)
TL_UNARY(
    Sgn, if constexpr (is_cx<T>) {
      auto r = fm::abs(a);
      return r == 0 ? T(0) : T(a.real() / r, a.imag() / r);
    } else return T((a > T(0)) - (a < T(0)));)
TL_UNARY(Conj, return fm::conj(a);)
TL_UNARY(Angle, return fm::arg(a);)
TL_UNARY(NanToNum, return isnan(a) ? p0 : a == infinity<T>() ? p1 : a == -infinity<T>() ? p2 : a;)
TL_UNARY(Clamp, T x = a < p0 ? p0 : a; return x > p1 ? p1 : x;)
TL_UNARY(ClampMin, return a < p0 ? p0 : a;)
TL_UNARY(ClampMax, return a > p0 ? p0 : a;)

// ---- activations ----

TL_UNARY(Relu, return a <= T(0) ? T(0) : a;)
TL_UNARY(LeakyRelu, return a > T(0) ? a : a * p0;)  // slope
// alpha, scale, input_scale
TL_UNARY(Elu, return a > T(0) ? a * p1 : fm::expm1(a * p2) * (p0 * p1);)
TL_UNARY(Gelu, return fm::gelu(a);)
template <class T>
TL_FN T gelu_inner(T a) {
  return T(0.79788456080286535588) * fm::fma(T(0.044715) * a, a * a, a);
}
TL_UNARY(GeluTanh, return T(0.5) * a * (T(1) + fm::tanh(gelu_inner(a)));)
TL_UNARY(Silu, return a * fm::sigmoid(a);)
TL_UNARY(Softplus, T z = a * p0; T s = fm::log1p(fm::exp(z)) / p0; return z > p1 ? a : s;)  // beta, threshold
TL_UNARY(Threshold, return a <= p0 ? p1 : a;)
TL_UNARY(Softshrink, return a > p0 ? a - p0 : a < -p0 ? a + p0 : a * T(0);)
TL_UNARY(Hardshrink, return a >= -p0 && a <= p0 ? T(0) : a;)
template <class T>
TL_FN T clamp_unit(T x) {
  return x < T(0) ? T(0) : x > T(1) ? T(1) : x;
}
TL_UNARY(Hardsigmoid, return clamp_unit((a + T(3)) / T(6));)
TL_UNARY(Hardswish, return a * clamp_unit((a + T(3)) / T(6));)
template <class T>
TL_FN T log1p_exp(T a) {
  T positive = a > T(0) ? a : T(0);
  return positive + fm::log1p(fm::exp(-fm::abs(a)));
}
TL_UNARY(Mish, return a * fm::tanh(log1p_exp(a));)
TL_UNARY(LogSigmoid, T m = a < T(0) ? a : T(0); return m - fm::log1p(fm::exp(-fm::abs(a)));)

// a is the gradient, b the input or the result
TL_BINARY(SigmoidBackward, return a * (T(1) - b) * b;)
TL_BINARY(TanhBackward, return a * (T(1) - b * b);)
TL_BINARY(ThresholdBackward, return b <= p0 ? T(0) : a;)
TL_BINARY(LeakyReluBackward, return b > T(0) ? a : a * p0;)
TL_BINARY(EluBackward, return b > T(0) ? a * p1 : a * p0 * p1 * p2 * fm::exp(b * p2);)
TL_BINARY(GeluBackward, T density = T(0.39894228040143267794) * fm::exp(T(-0.5) * b * b);
          return a * fm::fma(b, density, fm::normal_cdf(b));)
TL_BINARY(GeluTanhBackward, T t = fm::tanh(gelu_inner(b));
          T slope = T(0.79788456080286535588) * (T(1) + T(0.134145) * b * b);
          return a * (T(0.5) * (T(1) + t) + T(0.5) * b * (T(1) - t * t) * slope);)
TL_BINARY(SiluBackward, T s = fm::sigmoid(b); return a * s * (T(1) + b * (T(1) - s));)
TL_BINARY(SoftplusBackward, T z = b * p0; return z > p1 ? a : a * fm::sigmoid(z);)
TL_BINARY(HardtanhBackward, return b <= p0 || b >= p1 ? T(0) : a;)
TL_BINARY(HardsigmoidBackward, return b > T(-3) && b < T(3) ? a / T(6) : T(0);)
TL_BINARY(ShrinkBackward, return b >= -p0 && b <= p0 ? T(0) : a;)
TL_BINARY(HardswishBackward, return b <= T(-3) ? T(0) : b < T(3) ? a * (b / T(3) + T(0.5)) : a;)

// ---- of three ----

TL_TERNARY(Where, uint8_t, return a ? b : c;)
TL_TERNARY(ClampTensor, T, T x = a < b || isnan(b) ? b : a; return x > c || isnan(c) ? c : x;)
TL_TERNARY(Addcmul, T, return T(U<T>(a) + U<T>(p0) * U<T>(b) * U<T>(c));)
TL_TERNARY(Addcdiv, T, return a + p0 * b / c;)
TL_TERNARY(Lerp, T, return fm::abs(c) < 0.5 ? a + c * (b - a) : b - (b - a) * (T(1) - c);)

#undef TL_UNARY
#undef TL_BINARY
#undef TL_TERNARY

}  // namespace tl::scalar
