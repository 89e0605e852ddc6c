#pragma once

#include "core/scalar_ops.h"
#include "core/special_math.h"

// Special functions as pointwise operators: function objects like those of scalar_ops.h.

namespace tl::scalar {

#define TL_SPECIAL_UNARY(Name, expression)   \
  template <class T>                         \
  struct Name : Params<T> {                  \
    TL_HOST_DEVICE T operator()(T a) const { \
      double x = double(a);                  \
      return T(expression);                  \
    }                                        \
  };
#define TL_SPECIAL_BINARY(Name, expression)       \
  template <class T>                              \
  struct Name : Params<T> {                       \
    TL_HOST_DEVICE T operator()(T a, T b) const { \
      double x = double(a), y = double(b);        \
      return T(expression);                       \
    }                                             \
  };
// b is the degree, without its fraction. float32 is computed in float64 where that does not hide an overflow.
#define TL_POLYNOMIAL(Name, function, argument)                        \
  template <class T>                                                   \
  struct Name : Params<T> {                                            \
    template <class R>                                                 \
    static TL_HOST_DEVICE R compute(R x, int64_t n) {                  \
      return special_math::function(argument, n);                      \
    }                                                                  \
    TL_HOST_DEVICE T operator()(T x, T b) const {                      \
      int64_t n = b > T(-2) && b < T(1e15) ? int64_t(b) : -1;          \
      T result = compute(x, n);                                        \
      bool narrow = sizeof(T) == 4 && fm::abs(result) < infinity<T>(); \
      return narrow ? T(compute(double(x), n)) : result;               \
    }                                                                  \
  };

TL_SPECIAL_UNARY(I0, special_math::i0(x))
TL_SPECIAL_UNARY(I0e, special_math::i0e(x))
TL_SPECIAL_UNARY(I1, special_math::i1(x))
TL_SPECIAL_UNARY(I1e, special_math::i1e(x))
TL_SPECIAL_UNARY(BesselK0, special_math::k0(x))
TL_SPECIAL_UNARY(BesselK1, special_math::k1(x))
TL_SPECIAL_UNARY(ScaledBesselK0, special_math::scaled_k0(x))
TL_SPECIAL_UNARY(ScaledBesselK1, special_math::scaled_k1(x))
// Infinite arguments give NaN, as in PyTorch.
TL_FN bool finite(double x) { return ::fabs(x) < special_math::kInf; }
TL_SPECIAL_UNARY(BesselJ0, finite(x) ? ::j0(x) : special_math::kNan)
TL_SPECIAL_UNARY(BesselJ1, finite(x) ? ::j1(x) : special_math::kNan)
TL_SPECIAL_UNARY(BesselY0, x >= 0 && finite(x) ? ::y0(x) : special_math::kNan)
TL_SPECIAL_UNARY(BesselY1, x >= 0 && finite(x) ? ::y1(x) : special_math::kNan)
TL_SPECIAL_UNARY(SphericalBesselJ0, special_math::spherical_j0(x))
TL_SPECIAL_UNARY(AiryAi, special_math::airy_ai(x))
TL_SPECIAL_UNARY(Erfcx, special_math::erfcx(x))
TL_SPECIAL_UNARY(Ndtr, 0.5 * ::erfc(x * -0.70710678118654752440))
TL_SPECIAL_UNARY(LogNdtr, special_math::log_ndtr(x))
TL_SPECIAL_UNARY(Ndtri, special_math::ndtri(x))
TL_SPECIAL_UNARY(Entr, special_math::entr(x))
TL_SPECIAL_BINARY(Igamma, special_math::igamma(x, y))
TL_SPECIAL_BINARY(Igammac, special_math::igammac(x, y))
TL_SPECIAL_BINARY(Zeta, special_math::zeta(x, y))
TL_SPECIAL_BINARY(Xlog1py, special_math::xlog1py(x, y))
TL_POLYNOMIAL(ChebyshevT, chebyshev_t, x)
TL_POLYNOMIAL(ChebyshevU, chebyshev_u, x)
TL_POLYNOMIAL(ChebyshevV, chebyshev_v, x)
TL_POLYNOMIAL(ChebyshevW, chebyshev_w, x)
TL_POLYNOMIAL(ShiftedChebyshevT, chebyshev_t, x + x - R(1))
TL_POLYNOMIAL(ShiftedChebyshevU, chebyshev_u, x + x - R(1))
TL_POLYNOMIAL(ShiftedChebyshevV, chebyshev_v, x + x - R(1))
TL_POLYNOMIAL(ShiftedChebyshevW, chebyshev_w, x + x - R(1))
TL_POLYNOMIAL(HermiteH, hermite_h, x)
TL_POLYNOMIAL(HermiteHe, hermite_he, x)
TL_POLYNOMIAL(LaguerreL, laguerre_l, x)
TL_POLYNOMIAL(LegendreP, legendre_p, x)
#undef TL_SPECIAL_UNARY
#undef TL_SPECIAL_BINARY
#undef TL_POLYNOMIAL

// p0 is the order n: (-1)^(n+1) n! zeta(n + 1, x).
template <class T>
struct Polygamma : Params<T> {
  TL_HOST_DEVICE T operator()(T a) const {
    double n = double(this->p0);
    double factorial = ::exp(::lgamma(n + 1));
    return T((::fmod(n, 2.0) != 0 ? factorial : -factorial) * special_math::zeta(n + 1, double(a)));
  }
};

// sin(pi x) / (pi x); of complex numbers too.
template <class T>
struct Sinc : Params<T> {
  TL_HOST_DEVICE T operator()(T a) const {
    if constexpr (is_cx<T>) {
      if (a == T(0)) return T(1);
      T y = a * T(special_math::kPi);
      return fm::sin(y) / y;
    } else {
      return T(special_math::sinc(double(a)));
    }
  }
};

// x = mantissa * 2^exponent with the mantissa's magnitude in [1/2, 1).
template <class T>
struct Mantissa : Params<T> {
  TL_HOST_DEVICE T operator()(T a) const {
    int exponent;
    return T(::frexp(double(a), &exponent));
  }
};
template <class T>
struct Exponent : Params<T> {
  TL_HOST_DEVICE int32_t operator()(T a) const {
    int exponent = 0;
    ::frexp(double(a), &exponent);
    return fm::abs(a) < infinity<T>() ? exponent : 0;
  }
};

}  // namespace tl::scalar
