#pragma once

#include "ops/types.h"

// Elementwise operators. Unless said otherwise: operands broadcast and are promoted, an integer result where a fraction
// is wanted is of the default dtype, and `out` follows the rules of core/plan.h.

namespace tl::ops {

// ---- arithmetic ----

#define TL_BINARY(name) TL_API Tensor name(const Tensor& input, const Tensor& other, const Out& out);
TL_API Tensor add(const Tensor& input, const Tensor& other, const Scalar& alpha, const Out& out);
TL_API Tensor sub(const Tensor& input, const Tensor& other, const Scalar& alpha, const Out& out);
TL_API Tensor rsub(const Tensor& input, const Tensor& other, const Scalar& alpha);  // other - alpha * input
TL_API Tensor div_mode(const Tensor& input, const Tensor& other, std::optional<std::string_view> rounding_mode,
                       const Out& out);
TL_API Tensor pow(const Tensor& input, const Tensor& exponent, const Out& out);
TL_API Tensor pow_scalar(const Tensor& input, const Scalar& exponent, const Out& out);
TL_API Tensor float_power(const Tensor& input, const Tensor& exponent, const Out& out);
TL_BINARY(mul)
TL_BINARY(div)
TL_BINARY(floor_divide)
TL_BINARY(remainder)
TL_BINARY(fmod)
TL_BINARY(atan2)
TL_BINARY(hypot)
TL_BINARY(copysign)
TL_BINARY(maximum)
TL_BINARY(minimum)
TL_BINARY(fmax)
TL_BINARY(fmin)
TL_BINARY(logaddexp)
TL_BINARY(logaddexp2)
TL_BINARY(xlogy)
TL_BINARY(heaviside)
TL_BINARY(nextafter)
TL_BINARY(gcd)
TL_BINARY(lcm)
TL_BINARY(bitwise_and)
TL_BINARY(bitwise_or)
TL_BINARY(bitwise_xor)
TL_BINARY(bitwise_left_shift)
TL_BINARY(bitwise_right_shift)
// Comparisons and logic give bool.
TL_BINARY(eq)
TL_BINARY(ne)
TL_BINARY(lt)
TL_BINARY(le)
TL_BINARY(gt)
TL_BINARY(ge)
TL_BINARY(logical_and)
TL_BINARY(logical_or)
TL_BINARY(logical_xor)
#undef TL_BINARY

TL_API Tensor isclose(const Tensor& input, const Tensor& other, double rtol, double atol, bool equal_nan);
TL_API bool allclose(const Tensor& input, const Tensor& other, double rtol, double atol, bool equal_nan);
// Same shape and same values; of any device and dtype promotion.
TL_API bool equal(const Tensor& input, const Tensor& other);

// ---- of one ----

// clang-format off
#define TL_FOR_EACH_UNARY(X)                                                                                          \
  X(neg) X(abs) X(square) X(sqrt) X(rsqrt) X(reciprocal) X(exp) X(exp2) X(expm1) X(log) X(log2) X(log10) X(log1p)    \
  X(sin) X(cos) X(tan) X(asin) X(acos) X(atan) X(sinh) X(cosh) X(tanh) X(asinh) X(acosh) X(atanh) X(sigmoid) X(erf)  \
  X(erfc) X(erfinv) X(lgamma) X(digamma) X(floor) X(ceil) X(trunc) X(frac) X(sign) X(sgn) X(conj_physical) X(angle)  \
  X(logical_not) X(bitwise_not) X(signbit) X(isposinf) X(isneginf)
// clang-format on
#define TL_UNARY(name) TL_API Tensor name(const Tensor& input, const Out& out);
TL_FOR_EACH_UNARY(TL_UNARY)
#undef TL_UNARY
TL_API Tensor positive(const Tensor& input);
TL_API Tensor round(const Tensor& input, const Out& out);
TL_API Tensor round_decimals(const Tensor& input, int64_t decimals, const Out& out);
TL_API Tensor logit(const Tensor& input, std::optional<double> eps, const Out& out);
TL_API Tensor isnan(const Tensor& input);
TL_API Tensor isinf(const Tensor& input);
TL_API Tensor isfinite(const Tensor& input);
TL_API Tensor isreal(const Tensor& input);
TL_API Tensor nan_to_num(const Tensor& input, std::optional<double> nan, std::optional<double> posinf,
                         std::optional<double> neginf, const Out& out);
TL_API Tensor clamp(const Tensor& input, const Scalar* min, const Scalar* max, const Out& out);
TL_API Tensor clamp_tensor(const Tensor& input, const Tensor& min, const Tensor& max, const Out& out);
TL_API Tensor clamp_min(const Tensor& input, const Scalar& min, const Out& out);
TL_API Tensor clamp_max(const Tensor& input, const Scalar& max, const Out& out);
TL_API Tensor clamp_min_tensor(const Tensor& input, const Tensor& min, const Out& out);
TL_API Tensor clamp_max_tensor(const Tensor& input, const Tensor& max, const Out& out);
// Views of a complex tensor's parts; a real tensor is its own real part and conjugate.
TL_API Tensor real(const Tensor& input);
TL_API Tensor imag(const Tensor& input);
TL_API Tensor conj(const Tensor& input);
TL_API Tensor complex(const Tensor& real, const Tensor& imag, const Out& out);

// ---- of three ----

TL_API Tensor where(const Tensor& condition, const Tensor& input, const Tensor& other, const Out& out);
TL_API Tensor where_method(const Tensor& input, const Tensor& condition, const Tensor& other);
TL_API Tensor masked_fill(const Tensor& input, const Tensor& mask, const Scalar& value, const Out& out);
TL_API Tensor masked_fill_tensor(const Tensor& input, const Tensor& mask, const Tensor& value, const Out& out);
TL_API Tensor lerp(const Tensor& input, const Tensor& end, const Scalar& weight, const Out& out);
TL_API Tensor lerp_tensor(const Tensor& input, const Tensor& end, const Tensor& weight, const Out& out);
TL_API Tensor addcmul(const Tensor& input, const Tensor& tensor1, const Tensor& tensor2, const Scalar& value,
                      const Out& out);
TL_API Tensor addcdiv(const Tensor& input, const Tensor& tensor1, const Tensor& tensor2, const Scalar& value,
                      const Out& out);

// ---- activations; the dtype stays ----

TL_API Tensor relu(const Tensor& input, const Out& out);
TL_API Tensor leaky_relu(const Tensor& input, const Scalar& negative_slope, const Out& out);
TL_API Tensor elu(const Tensor& input, const Scalar& alpha, const Scalar& scale, const Scalar& input_scale,
                  const Out& out);
TL_API Tensor selu(const Tensor& input, const Out& out);
TL_API Tensor celu(const Tensor& input, const Scalar& alpha, const Out& out);
TL_API Tensor gelu(const Tensor& input, std::string_view approximate, const Out& out);
TL_API Tensor silu(const Tensor& input, const Out& out);
TL_API Tensor softplus(const Tensor& input, const Scalar& beta, const Scalar& threshold, const Out& out);
TL_API Tensor hardtanh(const Tensor& input, const Scalar& min_val, const Scalar& max_val, const Out& out);
TL_API Tensor relu6(const Tensor& input, const Out& out);
TL_API Tensor softshrink(const Tensor& input, const Scalar& lambd, const Out& out);
TL_API Tensor hardshrink(const Tensor& input, const Scalar& lambd, const Out& out);
TL_API Tensor shrink_backward(const Tensor& grad_output, const Tensor& input, const Scalar& lambd);
TL_API Tensor threshold(const Tensor& input, const Scalar& threshold, const Scalar& value, const Out& out);
TL_API Tensor hardsigmoid(const Tensor& input, const Out& out);
TL_API Tensor hardswish(const Tensor& input, const Out& out);
TL_API Tensor mish(const Tensor& input, const Out& out);
TL_API Tensor logsigmoid(const Tensor& input, const Out& out);

// The fused derivatives: grad_output times the slope at `input` (or from the result).
TL_API Tensor sigmoid_backward(const Tensor& grad_output, const Tensor& output);
TL_API Tensor tanh_backward(const Tensor& grad_output, const Tensor& output);
TL_API Tensor threshold_backward(const Tensor& grad_output, const Tensor& input, const Scalar& threshold);
TL_API Tensor leaky_relu_backward(const Tensor& grad_output, const Tensor& input, const Scalar& negative_slope);
TL_API Tensor elu_backward(const Tensor& grad_output, const Tensor& input, const Scalar& alpha, const Scalar& scale,
                           const Scalar& input_scale);
TL_API Tensor gelu_backward(const Tensor& grad_output, const Tensor& input, std::string_view approximate);
TL_API Tensor silu_backward(const Tensor& grad_output, const Tensor& input);
TL_API Tensor softplus_backward(const Tensor& grad_output, const Tensor& input, const Scalar& beta,
                                const Scalar& threshold);
TL_API Tensor hardtanh_backward(const Tensor& grad_output, const Tensor& input, const Scalar& min_val,
                                const Scalar& max_val);
TL_API Tensor hardsigmoid_backward(const Tensor& grad_output, const Tensor& input);
TL_API Tensor hardswish_backward(const Tensor& grad_output, const Tensor& input);

}  // namespace tl::ops
