#include "ops/special.h"

#include "bindings/table.h"

namespace tl::python {
namespace {

constexpr unsigned kAll = kFunction | kMethod | kInplace;
constexpr unsigned kBoth = kFunction | kMethod;
#define TL_OUT ", *, Tensor? out=None) -> Tensor"

// Those named special_... are members of the module `special` under the rest of the name.
#define TL_SPECIAL(name, flags, doc) {#name "(Tensor input" TL_OUT, TL_OP(ops::name), flags, doc},
// Either operand may be a number.
#define TL_SPECIAL_PAIR(name, second, flags, doc)                                 \
  {#name "(Tensor input, Operand " #second TL_OUT, TL_OP(ops::name), flags, doc}, \
      {#name ".self(Operand input, Tensor " #second TL_OUT, TL_OP(ops::name), flags, ""},

// clang-format off
const Row rows[] = {
    TL_SPECIAL(i0, kAll, "The modified Bessel function of the first kind and order 0.")
    TL_SPECIAL(special_i0e, 0, "exp(-|input|) i0(input).")
    TL_SPECIAL(special_i1, 0, "The modified Bessel function of the first kind and order 1.")
    TL_SPECIAL(special_i1e, 0, "exp(-|input|) i1(input).")
    TL_SPECIAL(special_bessel_j0, kNoGrad, "The Bessel function of the first kind and order 0.")
    TL_SPECIAL(special_bessel_j1, kNoGrad, "The Bessel function of the first kind and order 1.")
    TL_SPECIAL(special_bessel_y0, kNoGrad, "The Bessel function of the second kind and order 0.")
    TL_SPECIAL(special_bessel_y1, kNoGrad, "The Bessel function of the second kind and order 1.")
    TL_SPECIAL(special_modified_bessel_i0, kNoGrad, "The modified Bessel function of the first kind and order 0.")
    TL_SPECIAL(special_modified_bessel_i1, kNoGrad, "The modified Bessel function of the first kind and order 1.")
    TL_SPECIAL(special_modified_bessel_k0, kNoGrad, "The modified Bessel function of the second kind and order 0.")
    TL_SPECIAL(special_modified_bessel_k1, kNoGrad, "The modified Bessel function of the second kind and order 1.")
    TL_SPECIAL(special_scaled_modified_bessel_k0, kNoGrad, "exp(input) modified_bessel_k0(input).")
    TL_SPECIAL(special_scaled_modified_bessel_k1, kNoGrad, "exp(input) modified_bessel_k1(input).")
    TL_SPECIAL(special_spherical_bessel_j0, kNoGrad, "sin(input) / input.")
    TL_SPECIAL(special_airy_ai, kNoGrad, "Airy's function Ai.")
    TL_SPECIAL(special_erfcx, 0, "exp(input^2) erfc(input).")
    TL_SPECIAL(special_ndtr, 0, "The area under the normal distribution up to input.")
    TL_SPECIAL(special_log_ndtr, 0, "The logarithm of ndtr, accurate in the lower tail.")
    TL_SPECIAL(special_ndtri, 0, "The inverse of ndtr.")
    TL_SPECIAL(special_entr, 0, "-input * log(input); 0 at 0, -inf below.")
    TL_SPECIAL(sinc, kAll, "sin(pi * input) / (pi * input); 1 at 0.")
    TL_SPECIAL_PAIR(special_xlog1py, other, 0, "input * log1p(other), 0 where input is 0.")
    TL_SPECIAL_PAIR(special_zeta, other, 0, "Hurwitz' zeta function: the sum of 1 / (k + other)^input over k = 0, 1, ...")
    TL_SPECIAL_PAIR(special_chebyshev_polynomial_t, n, kNoGrad, "Chebyshev's polynomial T_n(x).")
    TL_SPECIAL_PAIR(special_chebyshev_polynomial_u, n, kNoGrad, "Chebyshev's polynomial U_n(x).")
    TL_SPECIAL_PAIR(special_chebyshev_polynomial_v, n, kNoGrad, "Chebyshev's polynomial V_n(x).")
    TL_SPECIAL_PAIR(special_chebyshev_polynomial_w, n, kNoGrad, "Chebyshev's polynomial W_n(x).")
    TL_SPECIAL_PAIR(special_shifted_chebyshev_polynomial_t, n, kNoGrad, "Chebyshev's polynomial T_n(2x - 1).")
    TL_SPECIAL_PAIR(special_shifted_chebyshev_polynomial_u, n, kNoGrad, "Chebyshev's polynomial U_n(2x - 1).")
    TL_SPECIAL_PAIR(special_shifted_chebyshev_polynomial_v, n, kNoGrad, "Chebyshev's polynomial V_n(2x - 1).")
    TL_SPECIAL_PAIR(special_shifted_chebyshev_polynomial_w, n, kNoGrad, "Chebyshev's polynomial W_n(2x - 1).")
    TL_SPECIAL_PAIR(special_hermite_polynomial_h, n, kNoGrad, "Hermite's polynomial H_n(x) of physics.")
    TL_SPECIAL_PAIR(special_hermite_polynomial_he, n, kNoGrad, "Hermite's polynomial He_n(x) of statistics.")
    TL_SPECIAL_PAIR(special_laguerre_polynomial_l, n, kNoGrad, "Laguerre's polynomial L_n(x).")
    TL_SPECIAL_PAIR(special_legendre_polynomial_p, n, kNoGrad, "Legendre's polynomial P_n(x).")
    {"igamma(Tensor input, Tensor other" TL_OUT, TL_OP(ops::igamma), kAll,
     "The regularised lower incomplete gamma function P(input, other)."},
    {"igammac(Tensor input, Tensor other" TL_OUT, TL_OP(ops::igammac), kAll,
     "The regularised upper incomplete gamma function Q(input, other)."},
    {"polygamma(int n, Tensor input" TL_OUT, TL_OP(ops::polygamma), kFunction, "The n-th derivative of digamma."},
    {"polygamma.self(Tensor input, int n" TL_OUT, TL_OP(ops::polygamma_method), kMethod | kInplace,
     "The n-th derivative of digamma."},
    {"mvlgamma(Tensor input, int p" TL_OUT, TL_OP(ops::mvlgamma), kAll,
     "The logarithm of the multivariate gamma function of dimension p."},
    TL_SPECIAL(deg2rad, kAll, "Degrees as radians.")
    TL_SPECIAL(rad2deg, kAll, "Radians as degrees.")
    {"frexp(Tensor input, *, Tensor[2]? out=None) -> (Tensor mantissa, Tensor exponent)", TL_OP(ops::frexp), kBoth,
     "input = mantissa * 2^exponent, the mantissa's magnitude in [1/2, 1)."},
    {"ldexp(Tensor input, Tensor other" TL_OUT, TL_OP(ops::ldexp), kAll, "input * 2^other."},
    {"polar(Tensor abs, Tensor angle" TL_OUT, TL_OP(ops::polar), kFunction,
     "The complex numbers of these magnitudes and angles."},
};
// clang-format on

}  // namespace

TL_ROWS(rows)

}  // namespace tl::python
