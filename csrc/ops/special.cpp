#include "ops/special.h"

#include "ops/elementwise.h"
#include "ops/lines.h"
#include "ops/pointwise.h"

namespace tl::ops {
namespace {

Tensor special(Pointwise op, const char* name, Dtype common, bool halves, const Out& out,
               std::initializer_list<const Tensor*> inputs, const PointwiseParams* params = nullptr) {
  if (is_half(common) && !halves) not_implemented(name, common);
  return elementwise(op, name, float_type(common), out, inputs, params);
}

}  // namespace

// Which of them take half types, as in PyTorch.
// clang-format off
#define TL_SPECIAL(name, op, text, halves) \
  Tensor name(const Tensor& input, const Out& out) { \
    return special(Pointwise::op, text, input.dtype(), halves, out, {&input}); \
  }
TL_SPECIAL(i0, I0, "i0_vml_cpu", true)
TL_SPECIAL(special_i0e, I0e, "i0e_cpu", true)
TL_SPECIAL(special_i1, I1, "i1_cpu", true)
TL_SPECIAL(special_i1e, I1e, "i1e_cpu", true)
TL_SPECIAL(special_bessel_j0, BesselJ0, "bessel_j0_cpu", false)
TL_SPECIAL(special_bessel_j1, BesselJ1, "bessel_j1_cpu", false)
TL_SPECIAL(special_bessel_y0, BesselY0, "bessel_y0_cpu", false)
TL_SPECIAL(special_bessel_y1, BesselY1, "bessel_y1_cpu", false)
TL_SPECIAL(special_modified_bessel_i0, I0, "modified_bessel_i0_cpu", false)
TL_SPECIAL(special_modified_bessel_i1, I1, "modified_bessel_i1_cpu", false)
TL_SPECIAL(special_modified_bessel_k0, BesselK0, "modified_bessel_k0_cpu", false)
TL_SPECIAL(special_modified_bessel_k1, BesselK1, "modified_bessel_k1_cpu", false)
TL_SPECIAL(special_scaled_modified_bessel_k0, ScaledBesselK0, "scaled_modified_bessel_k0_cpu", false)
TL_SPECIAL(special_scaled_modified_bessel_k1, ScaledBesselK1, "scaled_modified_bessel_k1_cpu", false)
TL_SPECIAL(special_spherical_bessel_j0, SphericalBesselJ0, "spherical_bessel_j0_cpu", false)
TL_SPECIAL(special_airy_ai, AiryAi, "airy_ai_cpu", false)
TL_SPECIAL(special_erfcx, Erfcx, "erfcx_cpu", false)
TL_SPECIAL(special_ndtr, Ndtr, "erf_vml_cpu", true)
TL_SPECIAL(special_log_ndtr, LogNdtr, "log_ndtr_cpu", false)
TL_SPECIAL(special_ndtri, Ndtri, "ndtri_cpu", false)
TL_SPECIAL(special_entr, Entr, "entr_cpu", true)
TL_SPECIAL(sinc, Sinc, "sinc_cpu", true)
#undef TL_SPECIAL
#define TL_SPECIAL(name, op, text, halves) \
  Tensor name(const Tensor& input, const Tensor& other, const Out& out) { \
    return special(Pointwise::op, text, result_type(input, other), halves, out, {&input, &other}); \
  }
TL_SPECIAL(special_xlog1py, Xlog1py, "xlog1py_cpu", true)
TL_SPECIAL(special_zeta, Zeta, "zeta_cpu", false)
TL_SPECIAL(special_chebyshev_polynomial_t, ChebyshevT, "chebyshev_polynomial_t_cpu", false)
TL_SPECIAL(special_chebyshev_polynomial_u, ChebyshevU, "chebyshev_polynomial_u_cpu", false)
TL_SPECIAL(special_chebyshev_polynomial_v, ChebyshevV, "chebyshev_polynomial_v_cpu", false)
TL_SPECIAL(special_chebyshev_polynomial_w, ChebyshevW, "chebyshev_polynomial_w_cpu", false)
TL_SPECIAL(special_shifted_chebyshev_polynomial_t, ShiftedChebyshevT, "shifted_chebyshev_polynomial_t_cpu", false)
TL_SPECIAL(special_shifted_chebyshev_polynomial_u, ShiftedChebyshevU, "shifted_chebyshev_polynomial_u_cpu", false)
TL_SPECIAL(special_shifted_chebyshev_polynomial_v, ShiftedChebyshevV, "shifted_chebyshev_polynomial_v_cpu", false)
TL_SPECIAL(special_shifted_chebyshev_polynomial_w, ShiftedChebyshevW, "shifted_chebyshev_polynomial_w_cpu", false)
TL_SPECIAL(special_hermite_polynomial_h, HermiteH, "hermite_polynomial_h_cpu", false)
TL_SPECIAL(special_hermite_polynomial_he, HermiteHe, "hermite_polynomial_he_cpu", false)
TL_SPECIAL(special_laguerre_polynomial_l, LaguerreL, "laguerre_polynomial_l_cpu", false)
TL_SPECIAL(special_legendre_polynomial_p, LegendreP, "legendre_polynomial_p_cpu", false)
#undef TL_SPECIAL
// clang-format on

namespace {

Tensor incomplete_gamma(Pointwise op, const char* name, const Tensor& a, const Tensor& x, const Out& out) {
  return elementwise(op, name, result_type(a, x), out, {&a, &x});
}

}  // namespace

Tensor igamma(const Tensor& input, const Tensor& other, const Out& out) {
  return incomplete_gamma(Pointwise::Igamma, "igamma_cpu", input, other, out);
}

Tensor igammac(const Tensor& input, const Tensor& other, const Out& out) {
  return incomplete_gamma(Pointwise::Igammac, "igammac_cpu", input, other, out);
}

Tensor polygamma(int64_t n, const Tensor& input, const Out& out) {
  check(n >= 0, "polygamma(n, x) does not support negative n.");
  if (n == 0) return digamma(input, out);
  PointwiseParams params;
  params.set(0, Scalar(n));
  const char* name = n == 1 ? "trigamma" : "polygamma";
  return special(Pointwise::Polygamma, name, input.dtype(), true, out, {&input}, &params);
}

Tensor polygamma_method(const Tensor& input, int64_t n, const Out& out) { return polygamma(n, input, out); }

Tensor mvlgamma(const Tensor& input, int64_t p, const Out& out) {
  check(p >= 1, "p has to be greater than or equal to 1");
  check(input.dtype() != Dtype::Bool, "The input tensor may not be a boolean tensor.");
  auto number = [](double v) { return wrapped_number(Scalar(v)); };
  Tensor sum;
  for (int64_t j = 1; j <= p; ++j) {
    Tensor term = lgamma(add(input, number((1 - double(j)) / 2), Scalar(1), {}), {});
    sum = sum.defined() ? add(sum, term, Scalar(1), {}) : term;
  }
  constexpr double kLogPi = 1.14472988584940017414;
  Tensor constant = number(double(p) * double(p - 1) / 4 * kLogPi);
  if (out.inplace) check_castable(sum.dtype(), out.tensor.dtype());
  return add(sum, constant, Scalar(1), Out{out.tensor, false});
}

Tensor ldexp(const Tensor& input, const Tensor& other, const Out& out) {
  return mul(input, pow(wrapped_number(Scalar(2.0)), other, {}), out);
}

namespace {

Tensor scale(const char* name, const Tensor& input, double factor, const Out& out) {
  check(!is_complex(input.dtype()), name, " is not supported for complex tensors.");
  return mul(input, wrapped_number(Scalar(factor)), out);
}

}  // namespace

Tensor deg2rad(const Tensor& input, const Out& out) { return scale("deg2rad", input, 0.017453292519943295, out); }
Tensor rad2deg(const Tensor& input, const Out& out) { return scale("rad2deg", input, 57.29577951308232, out); }

std::tuple<Tensor, Tensor> frexp(const Tensor& input, TensorSpan out) {
  check(is_floating(input.dtype()), "torch.frexp() only supports floating-point dtypes");
  Out mantissa, exponent;
  if (!out.empty()) {
    mantissa.tensor = out[0], exponent.tensor = out[1];
    check(mantissa.tensor.dtype() == input.dtype(), "torch.frexp() expects mantissa to have dtype ",
          plain_type_name(input.dtype()), " but got ", plain_type_name(mantissa.tensor.dtype()));
    check(exponent.tensor.dtype() == Dtype::Int32, "torch.frexp() expects exponent to have int dtype but got ",
          plain_type_name(exponent.tensor.dtype()));
  }
  return {elementwise(Pointwise::Mantissa, "frexp", input.dtype(), mantissa, {&input}),
          elementwise(Pointwise::Exponent, "frexp", input.dtype(), exponent, {&input})};
}

Tensor polar(const Tensor& absolute, const Tensor& angle, const Out& out) {
  Dtype a = absolute.dtype(), b = angle.dtype();
  check((a == Dtype::Float32 || a == Dtype::Float64) && (b == Dtype::Float32 || b == Dtype::Float64),
        "Expected both inputs to be Half, Float or Double tensors but got ", type_name(a), " and ", type_name(b));
  check(a == b, "Expected object of scalar type ", type_name(a), " but got scalar type ", type_name(b),
        " for second argument");
  return complex(mul(absolute, cos(angle, {}), {}), mul(absolute, sin(angle, {}), {}), out);
}

}  // namespace tl::ops
