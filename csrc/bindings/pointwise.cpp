#include "ops/pointwise.h"
#include "ops/index.h"

#include "bindings/table.h"

namespace tl::python {
namespace {

constexpr unsigned kAll = kFunction | kMethod | kInplace;
constexpr unsigned kBoth = kFunction | kMethod;
#define TL_OUT ", *, Tensor? out=None) -> Tensor"

#define TL_UNARY(name, doc) {#name "(Tensor input" TL_OUT, TL_OP(ops::name), kAll, doc},
#define TL_ALIAS(alias, name) {#alias "(Tensor input" TL_OUT, TL_OP(ops::name), kAll, "Alias of " #name "."},
// other may be a number; as functions and reflected operators, input too.
#define TL_BINARY(name, doc)                                                  \
  {#name "(Tensor input, Operand other" TL_OUT, TL_OP(ops::name), kAll, doc}, \
      {#name ".base(Operand input, Tensor other" TL_OUT, TL_OP(ops::name), kFunction, ""},
#define TL_FIRST_TENSOR(name, doc) {#name "(Tensor input, Operand other" TL_OUT, TL_OP(ops::name), kAll, doc},
#define TL_BINARY_ALIAS(alias, name) \
  {#alias "(Tensor input, Operand other" TL_OUT, TL_OP(ops::name), kAll, "Alias of " #name "."},
#define TL_TENSORS(name, flags, doc) {#name "(Tensor input, Tensor other" TL_OUT, TL_OP(ops::name), flags, doc},

const Row rows[] = {
    {"add(Tensor input, Operand other, *, Scalar alpha=1, Tensor? out=None) -> Tensor", TL_OP(ops::add), kAll,
     "input + alpha * other."},
    {"add.base(Operand input, Tensor other, *, Scalar alpha=1, Tensor? out=None) -> Tensor", TL_OP(ops::add),
     kFunction},
    {"sub(Tensor input, Operand other, *, Scalar alpha=1, Tensor? out=None) -> Tensor", TL_OP(ops::sub), kAll,
     "input - alpha * other."},
    {"sub.base(Operand input, Tensor other, *, Scalar alpha=1, Tensor? out=None) -> Tensor", TL_OP(ops::sub),
     kFunction},
    {"subtract(Tensor input, Operand other, *, Scalar alpha=1, Tensor? out=None) -> Tensor", TL_OP(ops::sub), kAll,
     "Alias of sub."},
    {"rsub(Tensor input, Tensor other, *, Scalar alpha=1) -> Tensor", TL_OP(ops::rsub), kFunction,
     "other - alpha * input."},
    {"rsub.Scalar(Tensor input, Operand other, Scalar alpha=1) -> Tensor", TL_OP(ops::rsub), kFunction},
    TL_BINARY(mul, "input * other.") TL_BINARY_ALIAS(multiply, mul){
        "div(Tensor input, Operand other" TL_OUT, TL_OP(ops::div), kAll,
        "input / other, a fraction also for integers; rounding_mode='floor' or 'trunc' rounds the quotient."},
    {"div.Tensor_mode(Tensor input, Operand other, *, str? rounding_mode, Tensor? out=None) -> Tensor",
     TL_OP(ops::div_mode), kAll},
    {"div.base(Operand input, Tensor other" TL_OUT, TL_OP(ops::div), kFunction},
    {"divide(Tensor input, Operand other" TL_OUT, TL_OP(ops::div), kAll, "Alias of div."},
    {"divide.Tensor_mode(Tensor input, Operand other, *, str? rounding_mode, Tensor? out=None) -> Tensor",
     TL_OP(ops::div_mode), kAll},
    TL_BINARY_ALIAS(true_divide, div) TL_BINARY(floor_divide, "The quotient rounded towards minus infinity.")
        TL_BINARY(remainder, "The remainder with the sign of the divisor, as Python's %.") TL_FIRST_TENSOR(
            fmod, "The remainder with the sign of the dividend, as C's fmod."){
            "pow.Tensor(Tensor input, Tensor exponent" TL_OUT, TL_OP(ops::pow), kAll, "input to the power exponent."},
    {"pow(Tensor input, Scalar exponent" TL_OUT, TL_OP(ops::pow_scalar), kAll},
    {"pow.base(Operand input, Tensor exponent" TL_OUT, TL_OP(ops::pow), kFunction},
    {"float_power(Tensor input, Operand exponent" TL_OUT, TL_OP(ops::float_power), kAll,
     "input to the power exponent in float64."},
    {"float_power.base(Operand input, Tensor exponent" TL_OUT, TL_OP(ops::float_power), kFunction},
    TL_TENSORS(atan2, kAll, "The angle of the point (other, input), in (-pi, pi].") TL_BINARY_ALIAS(arctan2, atan2)
        TL_TENSORS(hypot, kAll, "sqrt(input^2 + other^2) without overflow on the way.")
            TL_FIRST_TENSOR(copysign, "The magnitude of input with the sign of other.")
                TL_TENSORS(maximum, kBoth, "The larger of the two; NaN where either is NaN.")
                    TL_TENSORS(minimum, kBoth, "The smaller of the two; NaN where either is NaN.")
                        TL_TENSORS(fmax, kBoth, "The larger of the two; the other one where one is NaN.")
                            TL_TENSORS(fmin, kBoth, "The smaller of the two; the other one where one is NaN.")
                                TL_TENSORS(logaddexp, kBoth, "log(exp(input) + exp(other)) without overflow.")
                                    TL_TENSORS(logaddexp2, kBoth, "log2(2^input + 2^other) without overflow.")
                                        TL_BINARY(xlogy, "input * log(other), 0 where input is 0."){
                                            "heaviside(Tensor input, Tensor values" TL_OUT, TL_OP(ops::heaviside), kAll,
                                            "0 below zero, 1 above, `values` at zero."},
    TL_TENSORS(nextafter, kAll, "The next representable number after input towards other.")
        TL_TENSORS(gcd, kAll, "The greatest common divisor.") TL_TENSORS(lcm, kAll, "The least common multiple.")
            TL_BINARY(bitwise_and, "Bits set in both.") TL_BINARY(bitwise_or, "Bits set in either.")
                TL_BINARY(bitwise_xor, "Bits set in exactly one.")
                    TL_BINARY(bitwise_left_shift, "input * 2^other on integers; bits shifted out are lost.")
                        TL_BINARY(bitwise_right_shift, "Arithmetic shift to the right.")
                            TL_FIRST_TENSOR(eq, "input == other, elementwise, as bool.") TL_FIRST_TENSOR(
                                ne, "input != other, elementwise, as bool.")
                                TL_FIRST_TENSOR(lt, "input < other, elementwise, as bool.") TL_FIRST_TENSOR(
                                    le, "input <= other, elementwise, as bool.")
                                    TL_FIRST_TENSOR(gt, "input > other, elementwise, as bool.") TL_FIRST_TENSOR(
                                        ge, "input >= other, elementwise, as bool.") TL_BINARY_ALIAS(not_equal, ne)
                                        TL_BINARY_ALIAS(less, lt) TL_BINARY_ALIAS(less_equal, le) TL_BINARY_ALIAS(
                                            greater, gt) TL_BINARY_ALIAS(greater_equal, ge)
                                            TL_TENSORS(logical_and, kAll, "True where both are not zero.") TL_TENSORS(
                                                logical_or, kAll, "True where either is not zero.")
                                                TL_TENSORS(logical_xor, kAll, "True where exactly one is not zero."){
                                                    "isclose(Tensor input, Tensor other, float rtol=1e-05, float "
                                                    "atol=1e-08, bool equal_nan=False) -> Tensor",
                                                    TL_OP(ops::isclose), kBoth,
                                                    "|input - other| <= atol + rtol * |other|."},
    {"allclose(Tensor input, Tensor other, float rtol=1e-05, float atol=1e-08, bool equal_nan=False) -> bool",
     TL_OP(ops::allclose), kBoth, "Whether isclose holds everywhere."},
    {"equal(Tensor input, Tensor other) -> bool", TL_OP(ops::equal), kBoth, "Whether shapes and values are the same."},

    TL_UNARY(neg, "-input.") TL_ALIAS(negative, neg) TL_UNARY(abs, "The magnitude; of complex numbers a real one.")
        TL_ALIAS(absolute, abs) TL_UNARY(square, "input * input.") TL_UNARY(sqrt, "The square root.") TL_UNARY(
            rsqrt, "1 / sqrt(input).") TL_UNARY(reciprocal, "1 / input.")
            TL_UNARY(exp, "e^input; float32 within 1 ULP.") TL_UNARY(exp2, "2^input; float32 within 2 ULP.") TL_UNARY(
                expm1, "e^input - 1, accurate near zero.") TL_UNARY(log, "The natural logarithm; float32 within 1 ULP.")
                TL_UNARY(log2, "The logarithm to base 2.") TL_UNARY(log10, "The logarithm to base 10.")
                    TL_UNARY(log1p, "log(1 + input), accurate near zero.") TL_UNARY(sin, "The sine.") TL_UNARY(
                        cos, "The cosine.") TL_UNARY(tan, "The tangent.") TL_UNARY(asin, "The inverse sine.")
                        TL_UNARY(acos, "The inverse cosine.") TL_UNARY(atan, "The inverse tangent.") TL_UNARY(
                            sinh, "The hyperbolic sine.") TL_UNARY(cosh, "The hyperbolic cosine.")
                            TL_UNARY(tanh, "The hyperbolic tangent; float32 within 2 ULP.") TL_UNARY(
                                asinh, "The inverse hyperbolic sine.") TL_UNARY(acosh, "The inverse hyperbolic cosine.")
                                TL_UNARY(atanh, "The inverse hyperbolic tangent.") TL_ALIAS(arcsin, asin) TL_ALIAS(
                                    arccos, acos) TL_ALIAS(arctan, atan) TL_ALIAS(arcsinh, asinh)
                                    TL_ALIAS(arccosh, acosh) TL_ALIAS(arctanh, atanh) TL_UNARY(
                                        sigmoid, "1 / (1 + exp(-input)); float32 within 2 ULP."){
                                        "logit(Tensor input, float? eps=None" TL_OUT, TL_OP(ops::logit), kAll,
                                        "log(input / (1 - input)), input clamped to [eps, 1 - eps] when eps is given."},
    TL_UNARY(erf, "The error function; float32 within 2 ULP.") TL_UNARY(erfc, "1 - erf(input).") TL_UNARY(
        erfinv, "The inverse of erf.") TL_UNARY(lgamma, "The logarithm of the magnitude of the gamma function.")
        TL_UNARY(digamma, "The derivative of lgamma.") TL_UNARY(floor, "The largest integer not above.") TL_UNARY(
            ceil, "The smallest integer not below.") TL_UNARY(trunc, "The integer towards zero.") TL_ALIAS(fix, trunc){
            "round(Tensor input" TL_OUT, TL_OP(ops::round), kAll,
            "The nearest integer, halves to even; with decimals=, to that many digits after the point."},
    {"round.decimals(Tensor input, *, int decimals, Tensor? out=None) -> Tensor", TL_OP(ops::round_decimals), kAll},
    TL_UNARY(frac, "input - trunc(input).") TL_UNARY(sign, "-1, 0 or 1.")
        TL_UNARY(sgn, "The sign; of a complex number the number of magnitude 1 with its angle.")
            TL_UNARY(conj_physical, "The complex conjugate in new memory."){
                "angle(Tensor input" TL_OUT, TL_OP(ops::angle), kBoth,
                "The angle of a complex number; pi for a negative real one, else 0."},
    TL_UNARY(logical_not, "True where input is zero.") TL_UNARY(bitwise_not, "All bits turned; of bools, not."){
        "signbit(Tensor input" TL_OUT, TL_OP(ops::signbit), kBoth, "True where the sign bit is set."},
    {"isposinf(Tensor input" TL_OUT, TL_OP(ops::isposinf), kBoth, "True where input is +inf."},
    {"isneginf(Tensor input" TL_OUT, TL_OP(ops::isneginf), kBoth, "True where input is -inf."},
    {"isnan(Tensor input) -> Tensor", TL_OP(ops::isnan), kBoth, "True where input is NaN."},
    {"isinf(Tensor input) -> Tensor", TL_OP(ops::isinf), kBoth, "True where input is infinite."},
    {"isreal(Tensor input) -> Tensor", TL_OP(ops::isreal), kBoth | kNoGrad,
     "True where the imaginary part is zero, so for all real numbers."},
    {"positive(Tensor input) -> Tensor", TL_OP(ops::positive), kBoth, "+input, the tensor itself."},
    {"isfinite(Tensor input) -> Tensor", TL_OP(ops::isfinite), kBoth, "True where input is neither NaN nor infinite."},
    {"nan_to_num(Tensor input, float? nan=None, float? posinf=None, float? neginf=None" TL_OUT, TL_OP(ops::nan_to_num),
     kAll, "NaN, +inf and -inf replaced: by 0 and the largest numbers of the dtype when not given."},
    {"clamp(Tensor input, Scalar? min=None, Scalar? max=None" TL_OUT, TL_OP(ops::clamp), kAll,
     "min(max(input, min), max); NaN stays."},
    {"clamp.Tensor(Tensor input, Tensor? min=None, Tensor? max=None" TL_OUT, TL_OP(ops::clamp_tensor), kAll},
    {"clip(Tensor input, Scalar? min=None, Scalar? max=None" TL_OUT, TL_OP(ops::clamp), kAll, "Alias of clamp."},
    {"clip.Tensor(Tensor input, Tensor? min=None, Tensor? max=None" TL_OUT, TL_OP(ops::clamp_tensor), kAll},
    {"clamp_min.Tensor(Tensor input, Tensor min" TL_OUT, TL_OP(ops::clamp_min_tensor), kAll, "max(input, min)."},
    {"clamp_min(Tensor input, Scalar min" TL_OUT, TL_OP(ops::clamp_min), kAll},
    {"clamp_max.Tensor(Tensor input, Tensor max" TL_OUT, TL_OP(ops::clamp_max_tensor), kAll, "min(input, max)."},
    {"clamp_max(Tensor input, Scalar max" TL_OUT, TL_OP(ops::clamp_max), kAll},
    {"conj(Tensor input) -> Tensor", TL_OP(ops::conj), kBoth, "The complex conjugate; a real tensor itself."},
    {"complex(Tensor real, Tensor imag" TL_OUT, TL_OP(ops::complex), kFunction, "real + 1j * imag."},

    {"where(Tensor condition, Operand input, Operand other" TL_OUT, TL_OP(ops::where), kFunction,
     "input where condition is True, else other."},
    {"where.condition(Tensor condition) -> Tensor[]", TL_OP(ops::where_condition), kFunction | kNoGrad},
    {"where.self(Tensor input, Tensor condition, Operand other) -> Tensor", TL_OP(ops::where_method), kMethod},
    {"masked_fill(Tensor input, Tensor mask, Scalar value, *, Tensor? out=None) -> Tensor", TL_OP(ops::masked_fill),
     kAll, "`value` where mask is True, else input."},
    {"masked_fill.Tensor(Tensor input, Tensor mask, Tensor value, *, Tensor? out=None) -> Tensor",
     TL_OP(ops::masked_fill_tensor), kAll},
    {"lerp(Tensor input, Tensor end, Scalar weight" TL_OUT, TL_OP(ops::lerp), kAll, "input + weight * (end - input)."},
    {"lerp.Tensor(Tensor input, Tensor end, Tensor weight" TL_OUT, TL_OP(ops::lerp_tensor), kAll},
    {"addcmul(Tensor input, Tensor tensor1, Tensor tensor2, *, Scalar value=1, Tensor? out=None) -> Tensor",
     TL_OP(ops::addcmul), kAll, "input + value * tensor1 * tensor2."},
    {"addcdiv(Tensor input, Tensor tensor1, Tensor tensor2, *, Scalar value=1, Tensor? out=None) -> Tensor",
     TL_OP(ops::addcdiv), kAll, "input + value * tensor1 / tensor2."},

    {"relu(Tensor input, *, Tensor? out=None) -> Tensor", TL_OP(ops::relu), kAll, "max(input, 0)."},
    {"leaky_relu(Tensor input, Scalar negative_slope=0.01" TL_OUT, TL_OP(ops::leaky_relu), kNN | kInplace,
     "input where positive, else negative_slope * input."},
    {"elu(Tensor input, Scalar alpha=1, Scalar scale=1, Scalar input_scale=1" TL_OUT, TL_OP(ops::elu), kNN | kInplace,
     "scale * input where positive, else scale * alpha * (exp(input_scale * input) - 1)."},
    {"selu(Tensor input" TL_OUT, TL_OP(ops::selu), kFunction | kInplace, "The self-normalising elu."},
    {"celu(Tensor input, Scalar alpha=1.0" TL_OUT, TL_OP(ops::celu), kFunction | kInplace,
     "max(0, input) + min(0, alpha * (exp(input / alpha) - 1))."},
    {"gelu(Tensor input, *, str approximate='none', Tensor? out=None) -> Tensor", TL_OP(ops::gelu), kNN,
     "input * Phi(input), Phi the normal distribution; 'tanh' approximates it."},
    {"silu(Tensor input" TL_OUT, TL_OP(ops::silu), kNN | kInplace, "input * sigmoid(input)."},
    {"softplus(Tensor input, Scalar beta=1, Scalar threshold=20" TL_OUT, TL_OP(ops::softplus), kNN,
     "log(1 + exp(beta * input)) / beta; input itself above the threshold."},
    {"hardtanh(Tensor input, Scalar min_val=-1, Scalar max_val=1" TL_OUT, TL_OP(ops::hardtanh), kNN | kInplace,
     "min(max(input, min_val), max_val)."},
    {"relu6(Tensor input" TL_OUT, TL_OP(ops::relu6), kNN | kInplace, "min(max(input, 0), 6)."},
    {"softshrink(Tensor input, Scalar lambd=0.5" TL_OUT, TL_OP(ops::softshrink), kNN,
     "input moved towards 0 by lambd, and 0 where that passes 0."},
    {"hardshrink(Tensor input, Scalar lambd=0.5" TL_OUT, TL_OP(ops::hardshrink), kFunction | kMethod,
     "input, and 0 where |input| <= lambd."},
    {"threshold(Tensor input, Scalar threshold, Scalar value" TL_OUT, TL_OP(ops::threshold), kFunction | kInplace,
     "input where above the threshold, else value."},
    {"hardsigmoid(Tensor input" TL_OUT, TL_OP(ops::hardsigmoid), kNN | kInplace, "clamp(input / 6 + 1/2, 0, 1)."},
    {"hardswish(Tensor input" TL_OUT, TL_OP(ops::hardswish), kNN | kInplace, "input * hardsigmoid(input)."},
    {"mish(Tensor input" TL_OUT, TL_OP(ops::mish), kNN | kInplace, "input * tanh(softplus(input))."},
    {"log_sigmoid(Tensor input" TL_OUT, TL_OP(ops::logsigmoid), kNN, "log(sigmoid(input))."},

    {"sigmoid_backward(Tensor grad_output, Tensor output) -> Tensor", TL_OP(ops::sigmoid_backward), kNN},
    {"tanh_backward(Tensor grad_output, Tensor output) -> Tensor", TL_OP(ops::tanh_backward), kNN},
    {"threshold_backward(Tensor grad_output, Tensor input, Scalar threshold) -> Tensor", TL_OP(ops::threshold_backward),
     kNN},
    {"shrink_backward(Tensor grad_output, Tensor input, Scalar lambd) -> Tensor", TL_OP(ops::shrink_backward), kNN},
    {"leaky_relu_backward(Tensor grad_output, Tensor input, Scalar negative_slope) -> Tensor",
     TL_OP(ops::leaky_relu_backward), kNN},
    {"elu_backward(Tensor grad_output, Tensor input, Scalar alpha, Scalar scale, Scalar input_scale) -> Tensor",
     TL_OP(ops::elu_backward), kNN},
    {"gelu_backward(Tensor grad_output, Tensor input, *, str approximate='none') -> Tensor", TL_OP(ops::gelu_backward),
     kNN},
    {"silu_backward(Tensor grad_output, Tensor input) -> Tensor", TL_OP(ops::silu_backward), kNN},
    {"softplus_backward(Tensor grad_output, Tensor input, Scalar beta, Scalar threshold) -> Tensor",
     TL_OP(ops::softplus_backward), kNN},
    {"hardtanh_backward(Tensor grad_output, Tensor input, Scalar min_val, Scalar max_val) -> Tensor",
     TL_OP(ops::hardtanh_backward), kNN},
    {"hardsigmoid_backward(Tensor grad_output, Tensor input) -> Tensor", TL_OP(ops::hardsigmoid_backward), kNN},
    {"hardswish_backward(Tensor grad_output, Tensor input) -> Tensor", TL_OP(ops::hardswish_backward), kNN},
};

}  // namespace

TL_ROWS(rows)

}  // namespace tl::python
