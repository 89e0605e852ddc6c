#include <cmath>

#include "ops/cast.h"
#include "ops/elementwise.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

// Operators of one operand.

namespace tl::ops {
namespace {

// Integers become the default dtype.
Tensor float_unary(Pointwise op, const char* name, const Tensor& input, const Out& out) {
  return elementwise(op, name, float_type(input.dtype()), out, {&input});
}

Tensor same_unary(Pointwise op, const char* name, const Tensor& input, const Out& out) {
  return elementwise(op, name, input.dtype(), out, {&input});
}

// A copy, for operators that leave a dtype as it is.
Tensor identity(const Tensor& input, const Out& out) {
  if (!out.defined()) return clone(input);
  if (out.inplace) return out.tensor;
  resize_output(out.tensor, input.sizes(), input.device());
  check_castable(input.dtype(), out.tensor.dtype());
  return copy(out.tensor, input, false, {});
}

}  // namespace

#define TL_FLOAT(name, op, text) \
  Tensor name(const Tensor& input, const Out& out) { return float_unary(Pointwise::op, text, input, out); }
TL_FLOAT(sqrt, Sqrt, "sqrt_vml_cpu")
TL_FLOAT(rsqrt, Rsqrt, "rsqrt_cpu")
TL_FLOAT(reciprocal, Reciprocal, "reciprocal_cpu")
TL_FLOAT(exp, Exp, "exp_vml_cpu")
TL_FLOAT(exp2, Exp2, "exp2_cpu")
TL_FLOAT(expm1, Expm1, "expm1_vml_cpu")
TL_FLOAT(log, Log, "log_vml_cpu")
TL_FLOAT(log2, Log2, "log2_vml_cpu")
TL_FLOAT(log10, Log10, "log10_vml_cpu")
TL_FLOAT(log1p, Log1p, "log1p_vml_cpu")
TL_FLOAT(sin, Sin, "sin_vml_cpu")
TL_FLOAT(cos, Cos, "cos_vml_cpu")
TL_FLOAT(tan, Tan, "tan_vml_cpu")
TL_FLOAT(asin, Asin, "asin_vml_cpu")
TL_FLOAT(acos, Acos, "acos_vml_cpu")
TL_FLOAT(atan, Atan, "atan_vml_cpu")
TL_FLOAT(sinh, Sinh, "sinh_vml_cpu")
TL_FLOAT(cosh, Cosh, "cosh_vml_cpu")
TL_FLOAT(tanh, Tanh, "tanh_vml_cpu")
TL_FLOAT(asinh, Asinh, "asinh_cpu")
TL_FLOAT(acosh, Acosh, "acosh_cpu")
TL_FLOAT(atanh, Atanh, "atanh_cpu")
TL_FLOAT(sigmoid, Sigmoid, "sigmoid_cpu")
TL_FLOAT(erf, Erf, "erf_vml_cpu")
TL_FLOAT(erfc, Erfc, "erfc_vml_cpu")
TL_FLOAT(erfinv, Erfinv, "erfinv_vml_cpu")
TL_FLOAT(lgamma, Lgamma, "lgamma_vml_cpu")
TL_FLOAT(digamma, Digamma, "digamma")
#undef TL_FLOAT

Tensor logit(const Tensor& input, std::optional<double> eps, const Out& out) {
  PointwiseParams params;
  params.d[0] = eps.value_or(NAN);
  return elementwise(Pointwise::Logit, "logit_cpu", float_type(input.dtype()), out, {&input}, &params);
}

Tensor neg(const Tensor& input, const Out& out) {
  check(input.dtype() != Dtype::Bool,
        "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the "
        "`~` or "
        "`logical_not()` operator instead.");
  return same_unary(Pointwise::Neg, "neg_cpu", input, out);
}

Tensor positive(const Tensor& input) {
  check(input.dtype() != Dtype::Bool, "The `+` operator, on a bool tensor is not supported.");
  return input;
}

Tensor abs(const Tensor& input, const Out& out) {
  if (input.dtype() == Dtype::Bool) not_implemented("abs_cpu", Dtype::Bool);
  check(!out.inplace || !is_complex(input.dtype()), "In-place abs is not supported for complex tensors.");
  return same_unary(Pointwise::Abs, "abs_cpu", input, out);
}

Tensor square(const Tensor& input, const Out& out) {
  Dtype common = input.dtype() == Dtype::Bool ? Dtype::Int64 : input.dtype();
  return elementwise(Pointwise::Square, "pow", common, out, {&input});
}

Tensor sign(const Tensor& input, const Out& out) {
  check<NotImplementedError>(
      !is_complex(input.dtype()),
      "Unlike NumPy, torch.sign is not intended to support complex numbers. Please use torch.sgn "
      "instead.");
  if (input.dtype() == Dtype::Bool) return identity(input, out);
  return same_unary(Pointwise::Sign, "sign_cpu", input, out);
}

Tensor sgn(const Tensor& input, const Out& out) {
  if (!is_complex(input.dtype())) return sign(input, out);
  return same_unary(Pointwise::Sgn, "sgn_cpu", input, out);
}

Tensor conj_physical(const Tensor& input, const Out& out) {
  if (!is_complex(input.dtype())) return out.defined() ? identity(input, out) : input;
  return same_unary(Pointwise::Conj, "conj_cpu", input, out);
}

Tensor angle(const Tensor& input, const Out& out) { return float_unary(Pointwise::Angle, "angle_cpu", input, out); }

namespace {

Tensor rounding(Pointwise op, const char* name, const char* text, const Tensor& input, const Out& out) {
  Dtype d = input.dtype();
  check<NotImplementedError>(!is_complex(d) || op == Pointwise::Round, name, " is not supported for complex inputs");
  if (d == Dtype::Bool) not_implemented(text, d);
  if (is_integral(d)) return identity(input, out);
  return same_unary(op, text, input, out);
}

}  // namespace

Tensor floor(const Tensor& input, const Out& out) {
  return rounding(Pointwise::Floor, "floor", "floor_vml_cpu", input, out);
}
Tensor ceil(const Tensor& input, const Out& out) {
  return rounding(Pointwise::Ceil, "ceil", "ceil_vml_cpu", input, out);
}
Tensor trunc(const Tensor& input, const Out& out) {
  return rounding(Pointwise::Trunc, "trunc", "trunc_vml_cpu", input, out);
}
Tensor round(const Tensor& input, const Out& out) {
  return rounding(Pointwise::Round, "round", "round_vml_cpu", input, out);
}
Tensor round_decimals(const Tensor& input, int64_t decimals, const Out& out) {
  if (!is_floating(input.dtype())) not_implemented(decimals == 0 ? "round_vml_cpu" : "round_cpu", input.dtype());
  if (decimals == 0) return round(input, out);
  PointwiseParams params;
  params.d[0] = decimals > 0 ? std::pow(10.0, double(decimals)) : 1.0;
  params.d[1] = decimals < 0 ? std::pow(10.0, double(-decimals)) : 0.0;
  return elementwise(Pointwise::RoundDecimals, "round_cpu", input.dtype(), out, {&input}, &params);
}
Tensor frac(const Tensor& input, const Out& out) {
  if (!is_floating(input.dtype())) not_implemented("frac_cpu", input.dtype());
  return same_unary(Pointwise::Frac, "frac_cpu", input, out);
}

Tensor logical_not(const Tensor& input, const Out& out) {
  // In place, the answer has the input's dtype.
  return same_unary(Pointwise::LogicalNot, "logical_not_cpu", input, out);
}

Tensor bitwise_not(const Tensor& input, const Out& out) {
  if (input.dtype() == Dtype::Bool) return same_unary(Pointwise::LogicalNot, "bitwise_not_cpu", input, out);
  if (!is_integral(input.dtype())) not_implemented("bitwise_not_cpu", input.dtype());
  return same_unary(Pointwise::BitNot, "bitwise_not_cpu", input, out);
}

Tensor signbit(const Tensor& input, const Out& out) {
  check<NotImplementedError>(!is_complex(input.dtype()), "signbit is not implemented for complex tensors.");
  Dtype common = is_integral(input.dtype()) ? Dtype::Int64 : input.dtype();
  return elementwise(Pointwise::Signbit, "signbit_cpu", common, out, {&input});
}

namespace {

// The answer for integers, which have neither NaN nor infinity.
Tensor constant_answer(const Tensor& input, bool value, const Out& out) {
  Tensor number = wrapped_number(Scalar(value));
  if (out.defined()) {
    resize_output(out.tensor, input.sizes(), input.device());
    return copy(out.tensor, number, false, {});
  }
  return copy(empty_like(input, Dtype::Bool, input.device()), number, false, {});
}

Tensor question(Pointwise op, const char* name, const Tensor& input, bool of_integers, const Out& out) {
  if (is_integral(input.dtype())) return constant_answer(input, of_integers, out);
  return same_unary(op, name, input, out);
}

}  // namespace

Tensor isnan(const Tensor& input) { return question(Pointwise::IsNan, "isnan", input, false, {}); }
Tensor isinf(const Tensor& input) { return question(Pointwise::IsInf, "isinf", input, false, {}); }
Tensor isfinite(const Tensor& input) { return question(Pointwise::IsFinite, "isfinite", input, true, {}); }
Tensor isreal(const Tensor& input) {
  if (!is_complex(input.dtype())) return constant_answer(input, true, {});
  return eq(ops::imag(input), wrapped_number(Scalar(0)), {});
}
Tensor isposinf(const Tensor& input, const Out& out) {
  check(!is_complex(input.dtype()), "isposinf does not support complex inputs.");
  return question(Pointwise::IsPosInf, "isposinf_cpu", input, false, out);
}
Tensor isneginf(const Tensor& input, const Out& out) {
  check(!is_complex(input.dtype()), "isneginf does not support complex inputs.");
  return question(Pointwise::IsNegInf, "isneginf_cpu", input, false, out);
}

namespace {

double largest(Dtype d) {
  switch (d) {
    case Dtype::Float16:
      return 65504.0;
    case Dtype::BFloat16:
      return 3.3895313892515355e38;
    case Dtype::Float32:
      return 3.4028234663852886e38;
    default:
      return 1.7976931348623157e308;
  }
}

}  // namespace

Tensor nan_to_num(const Tensor& input, std::optional<double> nan, std::optional<double> posinf,
                  std::optional<double> neginf, const Out& out) {
  if (is_integral(input.dtype())) return identity(input, out);
  PointwiseParams params;
  params.d[0] = nan.value_or(0.0);
  params.d[1] = posinf.value_or(largest(to_real(input.dtype())));
  params.d[2] = neginf.value_or(-largest(to_real(input.dtype())));
  if (is_complex(input.dtype())) {
    Tensor result = identity(input, out), parts = view_as_real(result);
    elementwise(Pointwise::NanToNum, "nan_to_num", parts.dtype(), Out{parts, true}, {&parts}, &params);
    return result;
  }
  return elementwise(Pointwise::NanToNum, "nan_to_num", input.dtype(), out, {&input}, &params);
}

// ---- clamp ----

namespace {

Tensor clamp_with(Pointwise op, const char* name, const Tensor& input, Dtype common, const PointwiseParams& params,
                  const Out& out) {
  check<NotImplementedError>(!is_complex(common), "clamp is not supported for complex types");
  if (common == Dtype::Bool) not_implemented(name, common);
  return elementwise(op, name, common, out, {&input}, &params);
}

}  // namespace

Tensor clamp(const Tensor& input, const Scalar* min, const Scalar* max, const Out& out) {
  check(min || max, "torch.clamp: At least one of 'min' or 'max' must not be None");
  if (!max) return clamp_min(input, *min, out);
  if (!min) return clamp_max(input, *max, out);
  Dtype low = result_type(input, *min), high = result_type(input, *max);
  PointwiseParams params;
  params.set(0, *min);
  params.set(1, *max);
  if (std::isnan(params.d[0]) || std::isnan(params.d[1])) params.d[0] = params.d[1] = NAN;
  if (std::isnan(params.d[0])) {
    Tensor number = wrapped_number(Scalar(NAN)), all = ops::add(input, number, Scalar(1), {});
    return out.defined() ? identity(all, Out{out.tensor, false}) : all;
  }
  return clamp_with(Pointwise::Clamp, "clamp_scalar_cpu", input, promote(low, high), params, out);
}

Tensor clamp_min(const Tensor& input, const Scalar& min, const Out& out) {
  PointwiseParams params;
  params.set(0, min);
  return clamp_with(Pointwise::ClampMin, "clamp_min_scalar_cpu", input, result_type(input, min), params, out);
}

Tensor clamp_max(const Tensor& input, const Scalar& max, const Out& out) {
  PointwiseParams params;
  params.set(0, max);
  return clamp_with(Pointwise::ClampMax, "clamp_max_scalar_cpu", input, result_type(input, max), params, out);
}

Tensor clamp_min_tensor(const Tensor& input, const Tensor& min, const Out& out) {
  if (is_complex(result_type(input, min))) not_implemented("maximum_cpu", result_type(input, min));
  return maximum(input, min, out);
}
Tensor clamp_max_tensor(const Tensor& input, const Tensor& max, const Out& out) {
  if (is_complex(result_type(input, max))) not_implemented("minimum_cpu", result_type(input, max));
  return minimum(input, max, out);
}

Tensor clamp_tensor(const Tensor& input, const Tensor& min, const Tensor& max, const Out& out) {
  check(min.defined() || max.defined(), "torch.clamp: At least one of 'min' or 'max' must not be None");
  if (!max.defined()) return clamp_min_tensor(input, min, out);
  if (!min.defined()) return clamp_max_tensor(input, max, out);
  Dtype common = result_type({&input, &min, &max});
  check<NotImplementedError>(!is_complex(common), "clamp is not supported for complex types");
  if (common == Dtype::Bool) not_implemented("clamp_cpu", common);
  return elementwise(Pointwise::ClampTensor, "clamp_cpu", common, out, {&input, &min, &max});
}

// ---- complex parts ----

namespace {

Tensor part(const Tensor& input, int64_t which) {
  Tensor view = view_as_real(input);
  Dims sizes(input.sizes()), strides(view.strides().slice(0, input.sizes().size()));
  return make_view(view, sizes, strides, view.offset() + which);
}

}  // namespace

Tensor real(const Tensor& input) { return is_complex(input.dtype()) ? part(input, 0) : input; }

Tensor imag(const Tensor& input) {
  check(is_complex(input.dtype()), "imag is not implemented for tensors with non-complex dtypes.");
  return part(input, 1);
}

Tensor conj(const Tensor& input) { return is_complex(input.dtype()) ? conj_physical(input, {}) : input; }

Tensor complex(const Tensor& real, const Tensor& imag, const Out& out) {
  auto parts = [](Dtype t) { return t == Dtype::Float32 || t == Dtype::Float64; };
  check(parts(real.dtype()) && parts(imag.dtype()), "Expected both inputs to be Half, Float or Double tensors but got ",
        type_name(real.dtype()), " and ", type_name(imag.dtype()));
  check(real.dtype() == imag.dtype(), "Expected object of scalar type ", type_name(real.dtype()),
        " but got scalar type ", type_name(imag.dtype()), " for second argument");
  Dims shape = broadcast_shapes(real.sizes(), imag.sizes());
  Dtype dtype = to_complex(real.dtype());
  Tensor result = out.tensor;
  if (out.defined()) {
    check(out.tensor.dtype() == dtype, "Expected object of scalar type ", type_name(dtype), " but got scalar type ",
          type_name(out.tensor.dtype()), " for argument 'out'");
    resize_output(result, shape, real.device());
  } else {
    result = empty(shape, dtype, real.device());
  }
  NoGrad guard;
  copy(ops::real(result), real, false, {});
  copy(ops::imag(result), imag, false, {});
  return result;
}

}  // namespace tl::ops
