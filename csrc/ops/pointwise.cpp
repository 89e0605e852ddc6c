#include "ops/pointwise.h"

#include <cmath>

#include "ops/cast.h"
#include "ops/creation.h"
#include "ops/elementwise.h"
#include "ops/reduction.h"

// Operators of two and three operands.

namespace tl::ops {
namespace {

void check_alpha(const Tensor& input, const Tensor& other, const Scalar& alpha, Dtype common) {
  check(alpha.kind != Scalar::Kind::Bool || common == Dtype::Bool, "Boolean alpha only supported for Boolean results.");
  check(is_differentiable(common) || alpha.is_integral(),
        "For integral input tensors, argument alpha must not be a floating point number.");
  check(is_complex(common) || !alpha.is_complex(),
        "For non-complex input tensors, argument alpha must not be a complex number.");
}

bool is_one(const Scalar& s) { return s.is_integral() ? s.i == 1 : s.d == 1 && s.imag == 0; }

Tensor arithmetic(Pointwise op, const char* name, const Tensor& a, const Tensor& b, const Out& out) {
  return elementwise(op, name, result_type(a, b), out, {&a, &b});
}

// Integer division raises when a divisor is zero.
Tensor dividing(Pointwise op, const char* name, const Tensor& a, const Tensor& b, const Out& out) {
  Dtype common = result_type(a, b);
  if (!is_integral(common)) return elementwise(op, name, common, out, {&a, &b});
  if (common == Dtype::Bool) not_implemented(name, common);
  int32_t by_zero = 0;
  PointwiseParams params;
  params.division_by_zero = &by_zero;
  Tensor result = elementwise(op, name, common, out, {&a, &b}, &params);
  check(!by_zero, "ZeroDivisionError. An integer tensor was divided by zero; use a float dtype for inf and nan.");
  return result;
}

Tensor float_result(Pointwise op, const char* name, const Tensor& a, const Tensor& b, const Out& out) {
  return elementwise(op, name, float_type(result_type(a, b)), out, {&a, &b});
}

Tensor ordered(Pointwise op, const char* name, const Tensor& a, const Tensor& b, const Out& out) {
  Dtype common = result_type(a, b);
  if (is_complex(common)) not_implemented(name, common);
  return elementwise(op, name, common, out, {&a, &b});
}

Tensor bits(Pointwise op, const char* name, const Tensor& a, const Tensor& b, const Out& out) {
  Dtype common = result_type(a, b);
  if (!is_integral(common)) not_implemented(name, common);
  return elementwise(op, name, common, out, {&a, &b});
}

Tensor whole(Pointwise op, const char* name, const Tensor& a, const Tensor& b, const Out& out) {
  if (result_type(a, b) == Dtype::Bool) not_implemented(name, Dtype::Bool);
  return bits(op, name, a, b, out);
}

Tensor extreme(Pointwise op, const char* name, const Tensor& a, const Tensor& b, const Out& out) {
  Dtype common = result_type(a, b);
  check(!is_complex(common), name, " not implemented for complex tensors.");
  return elementwise(op, name, common, out, {&a, &b});
}

}  // namespace

Tensor add(const Tensor& input, const Tensor& other, const Scalar& alpha, const Out& out) {
  Dtype common = result_type(input, other);
  if (is_one(alpha) && alpha.kind == Scalar::Kind::Int && common != Dtype::Bool) [[likely]]
    return elementwise(Pointwise::Add, "add", common, out, {&input, &other});
  check_alpha(input, other, alpha, common);
  if (common == Dtype::Bool) {
    if (alpha.to<bool>()) return elementwise(Pointwise::BitOr, "add", common, out, {&input, &other});
    return elementwise(Pointwise::BitOr, "add", common, out, {&input, &input});
  }
  if (is_one(alpha)) return elementwise(Pointwise::Add, "add", common, out, {&input, &other});
  PointwiseParams params;
  params.set(0, alpha);
  return elementwise(Pointwise::AddScaled, "add", common, out, {&input, &other}, &params);
}

namespace {

void check_no_bool(const Tensor& a, const Tensor& b) {
  bool x = a.dtype() == Dtype::Bool, y = b.dtype() == Dtype::Bool;
  if (x && y)
    fail(
        "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` "
        "operator "
        "instead.");
  if (x || y)
    fail(
        "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, use "
        "the "
        "`~` or `logical_not()` operator instead.");
}

}  // namespace

Tensor sub(const Tensor& input, const Tensor& other, const Scalar& alpha, const Out& out) {
  check_no_bool(input, other);
  Dtype common = result_type(input, other);
  if (is_one(alpha) && alpha.kind == Scalar::Kind::Int) [[likely]]
    return elementwise(Pointwise::Sub, "sub", common, out, {&input, &other});
  check_alpha(input, other, alpha, common);
  PointwiseParams params;
  params.set(0, alpha);
  params.d[0] = -params.d[0];
  params.i[0] = int64_t(0 - uint64_t(params.i[0]));
  params.im[0] = -params.im[0];
  return elementwise(Pointwise::AddScaled, "sub", common, out, {&input, &other}, &params);
}

Tensor rsub(const Tensor& input, const Tensor& other, const Scalar& alpha) { return sub(other, input, alpha, {}); }

Tensor mul(const Tensor& input, const Tensor& other, const Out& out) {
  Dtype common = result_type(input, other);
  Pointwise op = common == Dtype::Bool ? Pointwise::BitAnd : Pointwise::Mul;
  return elementwise(op, "mul", common, out, {&input, &other});
}

Tensor div(const Tensor& input, const Tensor& other, const Out& out) {
  return float_result(Pointwise::Div, "div_true_cpu", input, other, out);
}

Tensor div_mode(const Tensor& input, const Tensor& other, std::optional<std::string_view> mode, const Out& out) {
  if (!mode) return div(input, other, out);
  if (*mode == "floor") return floor_divide(input, other, out);
  check(*mode == "trunc", "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '", *mode, "'");
  if (is_half(result_type(input, other))) {  // the quotient is rounded first, as in PyTorch
    Tensor quotient = div(input, other, out);
    return trunc(quotient, Out{quotient, true});
  }
  return dividing(Pointwise::DivTrunc, "div_trunc_cpu", input, other, out);
}

Tensor floor_divide(const Tensor& input, const Tensor& other, const Out& out) {
  return dividing(Pointwise::DivFloor, "div_floor_cpu", input, other, out);
}

Tensor remainder(const Tensor& input, const Tensor& other, const Out& out) {
  return dividing(Pointwise::Remainder, "remainder_cpu", input, other, out);
}

Tensor fmod(const Tensor& input, const Tensor& other, const Out& out) {
  return dividing(Pointwise::Fmod, "fmod_cpu", input, other, out);
}

// A power of a number is contiguous, whatever the exponent's layout.
static Out power_out(const Tensor& input, const Tensor& exponent, Dtype dtype, const Out& out) {
  if (out.defined() || !input.impl()->wrapped_number) return out;
  return {empty(exponent.sizes(), dtype, exponent.device())};
}

Tensor pow(const Tensor& input, const Tensor& exponent, const Out& out) {
  Dtype common = result_type(input, exponent);
  if (common == Dtype::Bool) not_implemented("pow", common);
  return elementwise(Pointwise::Pow, "pow", common, power_out(input, exponent, common, out), {&input, &exponent});
}

Tensor pow_scalar(const Tensor& input, const Scalar& exponent, const Out& out) {
  Dtype common = result_type(input, exponent);
  if (common == Dtype::Bool) {  // x ** True is x, x ** False is True
    if (exponent.to<bool>()) return elementwise(Pointwise::BitOr, "pow", common, out, {&input, &input});
    Tensor one = wrapped_number(Scalar(true));
    return elementwise(Pointwise::BitOr, "pow", common, out, {&input, &one});
  }
  bool integers = is_integral(common);
  if (integers && exponent.i < 0) fail("Integers to negative integer powers are not allowed.");
  auto single = [&](Pointwise op) { return elementwise(op, "pow", common, out, {&input}); };
  double e = exponent.to<double>();
  if (!exponent.is_complex()) {
    if (e == 2) return single(Pointwise::Square);
    if (e == 3) return single(Pointwise::Cube);
    if (e == 0.5) return single(Pointwise::Sqrt);
    if (e == -0.5) return single(Pointwise::Rsqrt);
    if (e == -1) return single(Pointwise::Reciprocal);
  }
  Tensor number = wrapped_number(exponent);
  return elementwise(Pointwise::Pow, "pow", common, out, {&input, &number});
}

Tensor float_power(const Tensor& input, const Tensor& exponent, const Out& out) {
  Dtype common = is_complex(input.dtype()) || is_complex(exponent.dtype()) ? Dtype::Complex128 : Dtype::Float64;
  check(!out.inplace || input.dtype() == common, "the base given to float_power_ has dtype ", type_name(input.dtype()),
        " but the operation's result requires dtype ", type_name(common));
  return elementwise(Pointwise::Pow, "pow", common, power_out(input, exponent, common, out), {&input, &exponent});
}

#define TL_BINARY(name, how, op, text)                                    \
  Tensor name(const Tensor& input, const Tensor& other, const Out& out) { \
    return how(Pointwise::op, text, input, other, out);                   \
  }
TL_BINARY(atan2, float_result, Atan2, "atan2_cpu")
TL_BINARY(hypot, ordered, Hypot, "hypot_cpu")
TL_BINARY(copysign, float_result, Copysign, "copysign_cpu")
TL_BINARY(maximum, extreme, Maximum, "maximum")
TL_BINARY(minimum, extreme, Minimum, "minimum")
TL_BINARY(fmax, extreme, Fmax, "fmax")
TL_BINARY(fmin, extreme, Fmin, "fmin")
TL_BINARY(logaddexp, arithmetic, LogAddExp, "logaddexp_cpu")
TL_BINARY(logaddexp2, arithmetic, LogAddExp2, "logaddexp2_cpu")
TL_BINARY(xlogy, float_result, Xlogy, "xlogy_cpu")
TL_BINARY(gcd, whole, Gcd, "gcd_cpu")
TL_BINARY(lcm, whole, Lcm, "lcm_cpu")
TL_BINARY(bitwise_and, bits, BitAnd, "bitwise_and_cpu")
TL_BINARY(bitwise_or, bits, BitOr, "bitwise_or_cpu")
TL_BINARY(bitwise_xor, bits, BitXor, "bitwise_xor_cpu")
TL_BINARY(eq, arithmetic, Eq, "eq_cpu")
TL_BINARY(ne, arithmetic, Ne, "ne_cpu")
TL_BINARY(lt, ordered, Lt, "lt_cpu")
TL_BINARY(le, ordered, Le, "le_cpu")
TL_BINARY(gt, ordered, Gt, "gt_cpu")
TL_BINARY(ge, ordered, Ge, "ge_cpu")
TL_BINARY(logical_and, arithmetic, LogicalAnd, "logical_and_cpu")
TL_BINARY(logical_or, arithmetic, LogicalOr, "logical_or_cpu")
TL_BINARY(logical_xor, arithmetic, LogicalXor, "logical_xor_cpu")
#undef TL_BINARY

Tensor bitwise_left_shift(const Tensor& input, const Tensor& other, const Out& out) {
  Dtype common = result_type(input, other);
  if (!is_integral(common) || common == Dtype::Bool) not_implemented("lshift_cpu", common);
  return elementwise(Pointwise::ShiftLeft, "lshift_cpu", common, out, {&input, &other});
}

Tensor bitwise_right_shift(const Tensor& input, const Tensor& other, const Out& out) {
  Dtype common = result_type(input, other);
  if (!is_integral(common) || common == Dtype::Bool) not_implemented("rshift_cpu", common);
  return elementwise(Pointwise::ShiftRight, "rshift_cpu", common, out, {&input, &other});
}

Tensor nextafter(const Tensor& input, const Tensor& other, const Out& out) {
  Dtype common = result_type(input, other);
  PointwiseParams params;
  if (is_half(common)) {  // its neighbour is not float32's
    params.d[0] = common == Dtype::Float16 ? 11 : 8;
    params.d[1] = common == Dtype::Float16 ? -14 : -126;
  }
  return elementwise(Pointwise::Nextafter, "nextafter_cpu", common, out, {&input, &other}, &params);
}

Tensor heaviside(const Tensor& input, const Tensor& other, const Out& out) {
  check(!is_complex(input.dtype()) && !is_complex(other.dtype()),
        "heaviside is not yet implemented for complex tensors.");
  check(input.dtype() == other.dtype() && (!out.defined() || out.tensor.dtype() == input.dtype()),
        "heaviside is not yet implemented for tensors with different dtypes.");
  return arithmetic(Pointwise::Heaviside, "heaviside_cpu", input, other, out);
}

Tensor isclose(const Tensor& input, const Tensor& other, double rtol, double atol, bool equal_nan) {
  if (input.dtype() != other.dtype()) fail(type_name(input.dtype()), " did not match ", type_name(other.dtype()));
  check(rtol >= 0, "rtol must be greater than or equal to zero, but got ", rtol);
  check(atol >= 0, "atol must be greater than or equal to zero, but got ", atol);
  PointwiseParams params;
  params.d[0] = rtol;
  params.d[1] = atol;
  params.d[2] = equal_nan;
  Dtype common = input.dtype();
  if (is_integral(common) && (rtol != 0 || atol != 0)) common = Dtype::Float64;
  return elementwise(Pointwise::IsClose, "isclose", common, {}, {&input, &other}, &params);
}

namespace {

bool all_true(const Tensor& t) {
  if (!t.device().is_cpu()) return *to(all(t, {}, false, {}), {}, Device{}, false, false).data_as<bool>();
  Tensor flags = contiguous(t);
  const bool* p = flags.data_as<bool>();
  for (int64_t i = 0; i < flags.numel(); ++i)
    if (!p[i]) return false;
  return true;
}

}  // namespace

bool allclose(const Tensor& input, const Tensor& other, double rtol, double atol, bool equal_nan) {
  return all_true(isclose(input, other, rtol, atol, equal_nan));
}

bool equal(const Tensor& input, const Tensor& other) {
  if (!(input.sizes() == other.sizes())) return false;
  return all_true(eq(input, other, {}));
}

// ---- of three ----

Tensor where(const Tensor& condition, const Tensor& input, const Tensor& other, const Out& out) {
  if (condition.dtype() != Dtype::Bool && condition.dtype() != Dtype::UInt8)
    fail("where expected condition to be a boolean tensor, but got a tensor with dtype ", type_name(condition.dtype()),
         ". Compare first, as in where(x > 0, ...).");
  return elementwise(Pointwise::Where, "where_cpu", result_type(input, other), out, {&condition, &input, &other});
}

Tensor where_method(const Tensor& input, const Tensor& condition, const Tensor& other) {
  return where(condition, input, other, {});
}

namespace {

// An expanded tensor has each element in several places, any of which may be masked: along such a dim one by one.
void fill_expanded(const Tensor& input, const Tensor& mask, const Tensor& value, int64_t dim) {
  Dims sizes(input.sizes()), mask_sizes(mask.sizes());
  sizes[size_t(dim)] = 1;
  int64_t mask_dim = dim - input.dim() + mask.dim();
  bool once = mask_dim < 0 || mask_sizes[size_t(mask_dim)] == 1;
  NoGrad guard;
  Tensor one = make_view(input, sizes, input.strides(), input.offset());
  if (!once) mask_sizes[size_t(mask_dim)] = 1;
  for (int64_t i = 0; i < (once ? 1 : input.size(dim)); ++i) {
    int64_t step = once ? 0 : mask.stride(mask_dim);
    masked_fill_tensor(one, make_view(mask, mask_sizes, mask.strides(), mask.offset() + i * step), value, {one, true});
  }
}

}  // namespace

Tensor masked_fill_tensor(const Tensor& input, const Tensor& mask, const Tensor& value, const Out& out) {
  if (mask.dtype() != Dtype::Bool)
    fail("masked_fill_ only supports boolean masks, but got mask with dtype ", name(mask.dtype()));
  check(value.dim() == 0, "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with ", value.dim(),
        " dimension(s).");
  check(can_cast(operand_type(value), input.dtype()) || value.impl()->wrapped_number,
        "value cannot be converted to type ", name(input.dtype()), " without overflow");
  if (out.inplace && !is_dense(input))
    for (int64_t d = 0; d < input.dim(); ++d)
      if (input.strides()[d] == 0 && input.sizes()[d] > 1) {
        warn(
            "Use of masked_fill_ on expanded tensors is deprecated. Please clone() the tensor before performing this "
            "operation. This also applies to advanced indexing e.g. tensor[mask] = scalar");
        fill_expanded(input, mask, value, d);
        return input;
      }
  if (!out.defined() && !(input.is_contiguous() && mask.sizes() == input.sizes())) {  // the result is contiguous
    Tensor target = tl::empty(broadcast_shapes(input.sizes(), mask.sizes()), input.dtype(), input.device());
    return elementwise(Pointwise::Where, "masked_fill", input.dtype(), {target, false}, {&mask, &value, &input});
  }
  return elementwise(Pointwise::Where, "masked_fill", input.dtype(), out, {&mask, &value, &input});
}

Tensor masked_fill(const Tensor& input, const Tensor& mask, const Scalar& value, const Out& out) {
  check_fits(value, input.dtype());
  if (input.dtype() == Dtype::Bool)  // NaN counts as True
    return masked_fill_tensor(input, mask, wrapped_number(Scalar(value.to<bool>())), out);
  return masked_fill_tensor(input, mask, wrapped_number(value), out);
}

namespace {

void check_lerp(const Tensor& input, const Tensor& other, const char* what) {
  check(input.dtype() == other.dtype(), "expected dtype ", name(input.dtype()), " for `", what, "` but got dtype ",
        name(other.dtype()));
}

}  // namespace

Tensor lerp_tensor(const Tensor& input, const Tensor& end, const Tensor& weight, const Out& out) {
  check_lerp(input, end, "end");
  check_lerp(input, weight, "weight");
  return elementwise(Pointwise::Lerp, "lerp_kernel_tensor", input.dtype(), out, {&input, &end, &weight});
}

Tensor lerp(const Tensor& input, const Tensor& end, const Scalar& weight, const Out& out) {
  check_lerp(input, end, "end");
  if (is_integral(input.dtype())) not_implemented("lerp_kernel_scalar", input.dtype());
  Tensor number = wrapped_number(weight);
  return elementwise(Pointwise::Lerp, "lerp_kernel_scalar", input.dtype(), out, {&input, &end, &number});
}

Tensor addcmul(const Tensor& input, const Tensor& tensor1, const Tensor& tensor2, const Scalar& value, const Out& out) {
  PointwiseParams params;
  params.set(0, value);
  Dtype dtype = result_type({&input, &tensor1, &tensor2});
  if (dtype == Dtype::Bool) not_implemented("addcmul_cpu_out", dtype);
  return elementwise(Pointwise::Addcmul, "addcmul_cpu_out", dtype, out, {&input, &tensor1, &tensor2}, &params);
}

Tensor addcdiv(const Tensor& input, const Tensor& tensor1, const Tensor& tensor2, const Scalar& value, const Out& out) {
  check(!is_integral(tensor1.dtype()) || !is_integral(tensor2.dtype()),
        "Integer division with addcdiv is no longer supported, and in a future  release addcdiv will perform a true "
        "division of tensor1 and tensor2. The historic addcdiv behavior can be implemented as (input + value * "
        "torch.trunc(tensor1 / tensor2)).to(input.dtype) for integer inputs and as (input + value * tensor1 / tensor2) "
        "for float inputs. The future addcdiv behavior is just the latter implementation: (input + value * tensor1 / "
        "tensor2), for all dtypes.");
  PointwiseParams params;
  params.set(0, value);
  return elementwise(Pointwise::Addcdiv, "addcdiv_cpu_out", result_type({&input, &tensor1, &tensor2}), out,
                     {&input, &tensor1, &tensor2}, &params);
}

}  // namespace tl::ops
