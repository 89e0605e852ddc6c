#include <cstdio>

#include "ops/elementwise.h"
#include "ops/pointwise.h"

// Activations of neural networks and their fused derivatives.

namespace tl::ops {
namespace {

template <class... S>
PointwiseParams numbers(const S&... s) {
  PointwiseParams params;
  int k = 0;
  (params.set(k++, s), ...);
  return params;
}

Tensor floats_only(Pointwise op, const char* name, const Tensor& input, const Out& out,
                   const PointwiseParams* params = nullptr) {
  if (!is_floating(input.dtype())) not_implemented(name, input.dtype());
  return elementwise(op, name, input.dtype(), out, {&input}, params);
}

Tensor backward(Pointwise op, const char* name, const Tensor& grad, const Tensor& input,
                const PointwiseParams* params = nullptr) {
  return elementwise(op, name, result_type(grad, input), {}, {&grad, &input}, params);
}

Pointwise gelu_kind(std::string_view approximate, Pointwise exact, Pointwise tanh) {
  check(approximate == "none" || approximate == "tanh", "approximate argument must be either none or tanh.");
  return approximate == "none" ? exact : tanh;
}

}  // namespace

Tensor relu(const Tensor& input, const Out& out) {
  check(input.dtype() != Dtype::Bool, "Boolean inputs not supported for relu");
  check<NotImplementedError>(!is_complex(input.dtype()), "clamp is not supported for complex types");
  return elementwise(Pointwise::Relu, "relu", input.dtype(), out, {&input});
}

Tensor leaky_relu(const Tensor& input, const Scalar& negative_slope, const Out& out) {
  PointwiseParams p = numbers(negative_slope);
  return floats_only(Pointwise::LeakyRelu, "leaky_relu_cpu", input, out, &p);
}

Tensor elu(const Tensor& input, const Scalar& alpha, const Scalar& scale, const Scalar& input_scale, const Out& out) {
  PointwiseParams p = numbers(alpha, scale, input_scale);
  return floats_only(Pointwise::Elu, "elu_cpu", input, out, &p);
}

Tensor selu(const Tensor& input, const Out& out) {
  return elu(input, Scalar(1.6732632423543772848170429916717), Scalar(1.0507009873554804934193349852946), Scalar(1.0),
             out);
}

Tensor celu(const Tensor& input, const Scalar& alpha, const Out& out) {
  check(alpha.to<double>() != 0, "ZeroDivisionError: alpha cannot be 0 for CELU");
  return elu(input, alpha, Scalar(1.0), Scalar(1.0 / alpha.to<double>()), out);
}

Tensor gelu(const Tensor& input, std::string_view approximate, const Out& out) {
  return floats_only(gelu_kind(approximate, Pointwise::Gelu, Pointwise::GeluTanh), "GeluKernelImpl", input, out);
}

Tensor silu(const Tensor& input, const Out& out) {
  if (is_complex(input.dtype())) return mul(input, sigmoid(input, {}), out);
  return floats_only(Pointwise::Silu, "silu_cpu", input, out);
}

Tensor softplus(const Tensor& input, const Scalar& beta, const Scalar& threshold, const Out& out) {
  PointwiseParams p = numbers(beta, threshold);
  return floats_only(Pointwise::Softplus, "softplus_cpu", input, out, &p);
}

Tensor hardtanh(const Tensor& input, const Scalar& min_val, const Scalar& max_val, const Out& out) {
  check(input.dtype() != Dtype::Bool, "Bool inputs not supported for hardtanh");
  PointwiseParams p = numbers(min_val, max_val);
  return elementwise(Pointwise::Clamp, "hardtanh", input.dtype(), out, {&input}, &p);
}

Tensor relu6(const Tensor& input, const Out& out) { return hardtanh(input, Scalar(0), Scalar(6), out); }

Tensor softshrink(const Tensor& input, const Scalar& lambd, const Out& out) {
  if (!(lambd.to<double>() >= 0)) {
    const Dtype t = input.dtype();
    char found[32];
    std::snprintf(found, sizeof(found), "%g", lambd.to<double>());
    fail("lambda must be in range [0, ",
         t == Dtype::Float64    ? "1.79769e+308"
         : t == Dtype::Float16  ? "65504"
         : t == Dtype::BFloat16 ? "3.38953e+38"
                                : "3.40282e+38",
         "] for input dtype ", type_name(t), ", but found ", found);
  }
  PointwiseParams p = numbers(lambd);
  return floats_only(Pointwise::Softshrink, "softshrink_cpu", input, out, &p);
}
Tensor hardshrink(const Tensor& input, const Scalar& lambd, const Out& out) {
  PointwiseParams p = numbers(lambd);
  return floats_only(Pointwise::Hardshrink, "hardshrink_cpu", input, out, &p);
}

Tensor threshold(const Tensor& input, const Scalar& threshold, const Scalar& value, const Out& out) {
  if (input.dtype() == Dtype::Bool) not_implemented("threshold_cpu", input.dtype());
  PointwiseParams p = numbers(threshold, value);
  return elementwise(Pointwise::Threshold, "threshold_cpu", input.dtype(), out, {&input}, &p);
}

Tensor hardsigmoid(const Tensor& input, const Out& out) {
  return floats_only(Pointwise::Hardsigmoid, "hardsigmoid_cpu", input, out);
}
Tensor hardswish(const Tensor& input, const Out& out) {
  return floats_only(Pointwise::Hardswish, "hardswish_cpu", input, out);
}
Tensor mish(const Tensor& input, const Out& out) { return floats_only(Pointwise::Mish, "mish_cpu", input, out); }
Tensor logsigmoid(const Tensor& input, const Out& out) {
  return floats_only(Pointwise::LogSigmoid, "log_sigmoid_cpu", input, out);
}

// ---- derivatives ----

Tensor sigmoid_backward(const Tensor& grad_output, const Tensor& output) {
  // Complex derivatives multiply by the conjugate.
  return backward(Pointwise::SigmoidBackward, "sigmoid_backward_cpu", grad_output, conj(output));
}
Tensor tanh_backward(const Tensor& grad_output, const Tensor& output) {
  return backward(Pointwise::TanhBackward, "tanh_backward_cpu", grad_output, conj(output));
}
Tensor threshold_backward(const Tensor& grad_output, const Tensor& input, const Scalar& threshold) {
  PointwiseParams p = numbers(threshold);
  return backward(Pointwise::ThresholdBackward, "threshold_backward_cpu", grad_output, input, &p);
}
Tensor shrink_backward(const Tensor& grad_output, const Tensor& input, const Scalar& lambd) {
  PointwiseParams p = numbers(lambd);
  return backward(Pointwise::ShrinkBackward, "shrink_backward_cpu", grad_output, input, &p);
}
Tensor leaky_relu_backward(const Tensor& grad_output, const Tensor& input, const Scalar& negative_slope) {
  PointwiseParams p = numbers(negative_slope);
  return backward(Pointwise::LeakyReluBackward, "leaky_relu_backward_cpu", grad_output, input, &p);
}
Tensor elu_backward(const Tensor& grad_output, const Tensor& input, const Scalar& alpha, const Scalar& scale,
                    const Scalar& input_scale) {
  PointwiseParams p = numbers(alpha, scale, input_scale);
  return backward(Pointwise::EluBackward, "elu_backward_cpu", grad_output, input, &p);
}
Tensor gelu_backward(const Tensor& grad_output, const Tensor& input, std::string_view approximate) {
  Pointwise op = gelu_kind(approximate, Pointwise::GeluBackward, Pointwise::GeluTanhBackward);
  return backward(op, "GeluBackwardKernelImpl", grad_output, input);
}
Tensor silu_backward(const Tensor& grad_output, const Tensor& input) {
  return backward(Pointwise::SiluBackward, "silu_backward_cpu", grad_output, input);
}
Tensor softplus_backward(const Tensor& grad_output, const Tensor& input, const Scalar& beta, const Scalar& threshold) {
  PointwiseParams p = numbers(beta, threshold);
  return backward(Pointwise::SoftplusBackward, "softplus_backward_cpu", grad_output, input, &p);
}
Tensor hardtanh_backward(const Tensor& grad_output, const Tensor& input, const Scalar& min_val, const Scalar& max_val) {
  PointwiseParams p = numbers(min_val, max_val);
  return backward(Pointwise::HardtanhBackward, "hardtanh_backward_cpu", grad_output, input, &p);
}
Tensor hardsigmoid_backward(const Tensor& grad_output, const Tensor& input) {
  return backward(Pointwise::HardsigmoidBackward, "hardsigmoid_backward_cpu", grad_output, input);
}
Tensor hardswish_backward(const Tensor& grad_output, const Tensor& input) {
  return backward(Pointwise::HardswishBackward, "hardswish_backward_cpu", grad_output, input);
}

}  // namespace tl::ops
