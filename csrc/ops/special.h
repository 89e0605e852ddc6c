#pragma once

#include "ops/types.h"

// Special functions. Integers become the default dtype; `out` follows the rules of core/plan.h.

namespace tl::ops {

// clang-format off
#define TL_FOR_EACH_SPECIAL_UNARY(X) \
  X(i0) \
  X(special_i0e) \
  X(special_i1) \
  X(special_i1e) \
  X(special_bessel_j0) \
  X(special_bessel_j1) \
  X(special_bessel_y0) \
  X(special_bessel_y1) \
  X(special_modified_bessel_i0) \
  X(special_modified_bessel_i1) \
  X(special_modified_bessel_k0) \
  X(special_modified_bessel_k1) \
  X(special_scaled_modified_bessel_k0) \
  X(special_scaled_modified_bessel_k1) \
  X(special_spherical_bessel_j0) \
  X(special_airy_ai) \
  X(special_erfcx) \
  X(special_ndtr) \
  X(special_log_ndtr) \
  X(special_ndtri) \
  X(special_entr) \
  X(sinc)
// The first operand and the order of the second; either may be a number.
#define TL_FOR_EACH_SPECIAL_BINARY(X) \
  X(special_xlog1py) \
  X(special_zeta) \
  X(special_chebyshev_polynomial_t) \
  X(special_chebyshev_polynomial_u) \
  X(special_chebyshev_polynomial_v) \
  X(special_chebyshev_polynomial_w) \
  X(special_shifted_chebyshev_polynomial_t) \
  X(special_shifted_chebyshev_polynomial_u) \
  X(special_shifted_chebyshev_polynomial_v) \
  X(special_shifted_chebyshev_polynomial_w) \
  X(special_hermite_polynomial_h) \
  X(special_hermite_polynomial_he) \
  X(special_laguerre_polynomial_l) \
  X(special_legendre_polynomial_p)
// clang-format on
#define TL_SPECIAL(name) TL_API Tensor name(const Tensor& input, const Out& out);
TL_FOR_EACH_SPECIAL_UNARY(TL_SPECIAL)
#undef TL_SPECIAL
#define TL_SPECIAL(name) TL_API Tensor name(const Tensor& input, const Tensor& other, const Out& out);
TL_FOR_EACH_SPECIAL_BINARY(TL_SPECIAL)
TL_SPECIAL(igamma)
TL_SPECIAL(igammac)
#undef TL_SPECIAL
TL_API Tensor polygamma(int64_t n, const Tensor& input, const Out& out);
TL_API Tensor polygamma_method(const Tensor& input, int64_t n, const Out& out);
// The sum of lgamma(input + (1 - j) / 2) over j = 1 ... p, and p (p - 1) / 4 log(pi).
TL_API Tensor mvlgamma(const Tensor& input, int64_t p, const Out& out);
// input * 2^other
TL_API Tensor ldexp(const Tensor& input, const Tensor& other, const Out& out);
TL_API Tensor deg2rad(const Tensor& input, const Out& out);
TL_API Tensor rad2deg(const Tensor& input, const Out& out);
// Mantissa in [1/2, 1) and exponent, as int32.
TL_API std::tuple<Tensor, Tensor> frexp(const Tensor& input, TensorSpan out);
// absolute * (cos(angle) + i sin(angle))
TL_API Tensor polar(const Tensor& absolute, const Tensor& angle, const Out& out);

}  // namespace tl::ops
