"""Gradients of the elementwise operators."""

import math

from ... import _C
from . import derivative

LN2, LN10 = math.log(2), math.log(10)


def conjugate(number):
    return number.conjugate() if isinstance(number, complex) else number


def scaled(x, factor):
    """x times the conjugate of a Python number."""
    return x if factor == 1 else x * conjugate(factor)


def both(*names, **kwargs):
    """Registers the same formula for several signatures or aliases of an operator."""

    def register(formula):
        for name in names:
            derivative(name, **kwargs)(formula)
        return formula

    return register


# ---- arithmetic of two ----


@both("add", "add.base", saves=("alpha",), name="AddBackward0")
def add(n, grad):
    a, b = n.needs_input_grad
    return grad if a else None, scaled(grad, n.alpha) if b else None


@both("sub", "sub.base", "subtract", saves=("alpha",), name="SubBackward0")
def sub(n, grad):
    a, b = n.needs_input_grad
    return grad if a else None, scaled(grad, -n.alpha) if b else None


def rsub(n, grad):
    a, b = n.needs_input_grad
    return scaled(grad, -n.alpha) if a else None, grad if b else None


derivative("rsub", saves=("alpha",))(rsub)
derivative("rsub.Scalar", saves=("alpha",), name="RsubBackward1")(rsub)


@both("mul", "mul.base", "multiply", saves={"other": "input", "input": "other"}, name="MulBackward0")
def mul(n, grad):
    a, b = n.needs_input_grad
    return grad * n.other.conj() if a else None, grad * n.input.conj() if b else None


@both(
    "div",
    "div.base",
    "divide",
    "true_divide",
    saves={"other": ("input", "other"), "input": "other"},
    name="DivBackward0",
)
def div(n, grad):
    a, b = n.needs_input_grad
    return (
        grad / n.other.conj() if a else None,
        -grad * ((n.input / n.other) / n.other).conj() if b else None,
    )


@both("div.Tensor_mode", "divide.Tensor_mode", saves=("input", "other", "rounding_mode"), name="DivBackward2")
def div_mode(n, grad):
    if n.rounding_mode is None:
        return div(n, grad)
    a, b = n.needs_input_grad
    zero = _C.zeros_like(grad)
    return zero if a else None, zero if b else None


@both(
    "remainder", saves={"input": "other", "other": "other"}, name="RemainderBackward1", number_name="RemainderBackward0"
)
def remainder(n, grad):
    a, b = n.needs_input_grad
    return grad if a else None, -grad * n.input.div(n.other, rounding_mode="floor") if b else None


@both("fmod", saves={"input": "other", "other": "other"}, name="FmodBackward1", number_name="FmodBackward0")
def fmod(n, grad):
    a, b = n.needs_input_grad
    return grad if a else None, -grad * n.input.div(n.other, rounding_mode="trunc") if b else None


@both("pow", saves=("input", "exponent"), name="PowBackward0")
def pow_scalar(n, grad):
    e = n.exponent
    if e == 0:
        return _C.zeros_like(grad)
    if e == 2:
        return grad * (n.input * 2).conj()
    return grad * (n.input.pow(e - 1) * e).conj()


def pow_base_grad(grad, base, exponent):
    return _C.where(exponent == 0, 0.0, grad * (exponent * base.pow(exponent - 1)).conj())


def pow_exponent_grad(grad, base, exponent, result):
    # At 0 ** e with e >= 0 the power does not move with e.
    still = base == 0 if exponent.is_complex() else (base == 0) & (exponent >= 0)
    return grad * _C.where(still, 0.0, (result * base.log()).conj())


@derivative(
    "pow.Tensor",
    saves={"input": ("input", "exponent"), "exponent": ("input", "exponent"), "result": "exponent"},
    name="PowBackward1",
)
def pow_tensor(n, grad):
    a, b = n.needs_input_grad
    return (
        pow_base_grad(grad, n.input, n.exponent) if a else None,
        pow_exponent_grad(grad, n.input, n.exponent, n.result) if b else None,
    )


@derivative("pow.base", saves=("input", "exponent", "result"), name="PowBackward2")
def pow_base(n, grad):
    a, b = n.needs_input_grad
    # The logarithm of a Python integer is a double, not of the default dtype.
    base = n.input if n.input.is_floating_point() or n.input.is_complex() else n.input.double()
    return (
        pow_base_grad(grad, n.input, n.exponent) if a else None,
        pow_exponent_grad(grad, base, n.exponent, n.result) if b else None,
    )


@both("float_power", "float_power.base", saves=("input", "exponent"), name="PowBackward1")
def float_power(n, grad):
    a, b = n.needs_input_grad
    base, exponent = n.input.to(grad.dtype), n.exponent.to(grad.dtype)
    return (
        pow_base_grad(grad, base, exponent) if a else None,
        pow_exponent_grad(grad, base, exponent, base.pow(exponent)) if b else None,
    )


@both("atan2", "arctan2", saves=("input", "other"), name="Atan2Backward0")
def atan2(n, grad):
    a, b = n.needs_input_grad
    square = n.input * n.input + n.other * n.other
    part = grad * square.reciprocal().masked_fill(square == 0, 0)
    return part * n.other if a else None, part * -n.input if b else None


@derivative("hypot", saves={"input": "input", "other": "other", "result": ("input", "other")})
def hypot(n, grad):
    a, b = n.needs_input_grad
    part = grad / n.result
    return part * n.input if a else None, part * n.other if b else None


@both("copysign", saves={"input": "input", "result": "input"})
def copysign(n, grad):
    a, b = n.needs_input_grad
    ratio = n.result.sign() * n.input.sign() if a else None
    return grad * ratio if a else None, _C.zeros_like(grad) if b else None


def extreme(n, grad, above, below):
    # Ties share the gradient.
    a, b = n.needs_input_grad
    shared = _C.where(n.input == n.other, grad / 2, grad)
    return shared.masked_fill(below, 0) if a else None, shared.masked_fill(above, 0) if b else None


@derivative("maximum", saves=("input", "other"))
def maximum(n, grad):
    return extreme(n, grad, n.input > n.other, n.input < n.other)


@derivative("minimum", saves=("input", "other"))
def minimum(n, grad):
    return extreme(n, grad, n.input < n.other, n.input > n.other)


def chosen(n, grad, first):
    a, b = n.needs_input_grad
    return grad.masked_fill(first.logical_not(), 0) if a else None, grad.masked_fill(first, 0) if b else None


@derivative("fmax", saves=("input", "other"))
def fmax(n, grad):
    return chosen(n, grad, (n.input >= n.other).logical_or(n.other.isnan()))


@derivative("fmin", saves=("input", "other"))
def fmin(n, grad):
    return chosen(n, grad, (n.input <= n.other).logical_or(n.other.isnan()))


@derivative("logaddexp", saves=("input", "other"))
def logaddexp(n, grad):
    a, b = n.needs_input_grad
    return (
        grad / (1 + (n.other - n.input).exp()).conj() if a else None,
        grad / (1 + (n.input - n.other).exp()).conj() if b else None,
    )


@derivative("nextafter", saves=("input", "other"))
def nextafter(n, grad):
    a, b = n.needs_input_grad
    return (
        grad.masked_fill(n.input == n.other, 0) if a else None,
        _C.zeros_like(grad) if b else None,
    )


@derivative("logaddexp2", saves=("input", "other"))
def logaddexp2(n, grad):
    a, b = n.needs_input_grad
    return (
        grad / (1 + (n.other - n.input).exp2()) if a else None,
        grad / (1 + (n.input - n.other).exp2()) if b else None,
    )


@both("xlogy", "xlogy.base", saves=("input", "other"), name="XlogyBackward0")
def xlogy(n, grad):
    a, b = n.needs_input_grad
    still = (n.input == 0) & (n.other <= 0)
    # xlogy once more: where no gradient comes in, none goes on, whatever the logarithm.
    return _C.xlogy(grad, n.other).masked_fill(still, 0) if a else None, grad * n.input / n.other if b else None


# ---- of one ----


@both("neg", "negative", name="NegBackward0")
def neg(n, grad):
    return -grad


@both("abs", "absolute", saves=("input",), name="AbsBackward0")
def abs_(n, grad):
    return grad * n.input.sgn()


@derivative("square", saves=("input",), name="PowBackward0")
def square(n, grad):
    return grad * (n.input * 2).conj()


@derivative("sqrt", saves=("result",))
def sqrt(n, grad):
    return grad / (n.result.conj() * 2)


@derivative("rsqrt", saves=("result",))
def rsqrt(n, grad):
    return grad * n.result.pow(3).conj() * -0.5


@derivative("reciprocal", saves=("result",))
def reciprocal(n, grad):
    return -grad * (n.result * n.result).conj()


@derivative("exp", saves=("result",))
def exp(n, grad):
    return grad * n.result.conj()


@derivative("exp2", saves=("result",))
def exp2(n, grad):
    return grad * n.result.conj() * LN2


@derivative("expm1", saves=("result",))
def expm1(n, grad):
    return grad * (n.result.conj() + 1)


@derivative("log", saves=("input",))
def log(n, grad):
    return grad / n.input.conj()


@derivative("log2", saves=("input",))
def log2(n, grad):
    return grad / (n.input.conj() * LN2)


@derivative("log10", saves=("input",))
def log10(n, grad):
    return grad / (n.input.conj() * LN10)


@derivative("log1p", saves=("input",), name="Log1PBackward0")
def log1p(n, grad):
    return grad / (n.input + 1).conj()


@derivative("sin", saves=("input",))
def sin(n, grad):
    return grad * n.input.cos().conj()


@derivative("cos", saves=("input",))
def cos(n, grad):
    return grad * -n.input.sin().conj()


@derivative("tan", saves=("result",))
def tan(n, grad):
    return grad * (n.result * n.result + 1).conj()


@both("asin", "arcsin", saves=("input",), name="AsinBackward0")
def asin(n, grad):
    return grad * (1 - n.input * n.input).rsqrt().conj()


@both("acos", "arccos", saves=("input",), name="AcosBackward0")
def acos(n, grad):
    return grad * -(1 - n.input * n.input).rsqrt().conj()


@both("atan", "arctan", saves=("input",), name="AtanBackward0")
def atan(n, grad):
    return grad / (n.input * n.input + 1).conj()


@derivative("sinh", saves=("input",))
def sinh(n, grad):
    return grad * n.input.cosh().conj()


@derivative("cosh", saves=("input",))
def cosh(n, grad):
    return grad * n.input.sinh().conj()


@derivative("tanh", saves=("result",))
def tanh(n, grad):
    return _C.nn.tanh_backward(grad, n.result)


@both("asinh", "arcsinh", saves=("input",), name="AsinhBackward0")
def asinh(n, grad):
    return grad * (n.input * n.input + 1).rsqrt().conj()


@both("acosh", "arccosh", saves=("input",), name="AcoshBackward0")
def acosh(n, grad):
    return grad * ((n.input - 1).rsqrt() * (n.input + 1).rsqrt()).conj()


@both("atanh", "arctanh", saves=("input",), name="AtanhBackward0")
def atanh(n, grad):
    return grad / (1 - n.input * n.input).conj()


@derivative("sigmoid", saves=("result",))
def sigmoid(n, grad):
    return _C.nn.sigmoid_backward(grad, n.result)


@derivative("logit", saves=("input", "eps"))
def logit(n, grad):
    slope = grad / (n.input * (1 - n.input))
    if n.eps is None:
        return slope.masked_fill((n.input < 0) | (n.input > 1), math.nan)
    return slope.masked_fill((n.input < n.eps) | (n.input > 1 - n.eps), 0)


@derivative("erf", saves=("input",))
def erf(n, grad):
    return grad * (-(n.input * n.input)).exp() * (2 / math.sqrt(math.pi))


@derivative("erfc", saves=("input",))
def erfc(n, grad):
    return grad * (-(n.input * n.input)).exp() * (-2 / math.sqrt(math.pi))


@derivative("erfinv", saves=("result",))
def erfinv(n, grad):
    return grad * (n.result * n.result).exp() * (math.sqrt(math.pi) / 2)


@derivative("lgamma", saves=("input",))
def lgamma(n, grad):
    return grad * n.input.digamma()


def flat(n, grad):
    """For steps: the slope is zero wherever there is one."""
    return _C.zeros_like(grad)


for _name in ("floor", "ceil", "trunc", "round", "sign"):
    derivative(_name)(flat)
derivative("fix", name="TruncBackward0")(flat)
derivative("round.decimals", name="RoundBackward1")(flat)


@derivative("frac")
def frac(n, grad):
    return grad


@derivative("sgn", saves=("input", "result"))
def sgn(n, grad):
    if not n.input.is_complex():
        return _C.zeros_like(grad)
    along = _C.real(grad * n.result.conj())
    return ((grad - along * n.result) / n.input.abs()).masked_fill(n.input == 0, 0)


@derivative("angle", saves=("input",))
def angle(n, grad):
    if not n.input.is_complex():
        return _C.zeros_like(grad)
    square = n.input.abs().square()
    part = (grad / square).masked_fill(square == 0, 0)
    return _C.complex(_C.imag(n.input) * -part, _C.real(n.input) * part)


@both("conj", "conj_physical", name="ConjBackward0")
def conj(n, grad):
    return grad.conj()


@derivative("real")
def real(n, grad):
    return grad


@derivative("imag")
def imag(n, grad):
    return grad * 1j


@derivative("complex")
def complex_(n, grad):
    return _C.real(grad), _C.imag(grad)


@derivative("nan_to_num", saves=("input",))
def nan_to_num(n, grad):
    return grad.masked_fill(n.input.isfinite().logical_not(), 0)


@both("clamp", "clip", saves=("input", "min", "max"), name="ClampBackward1")
def clamp(n, grad):
    if n.min is None:
        inside = n.input <= n.max
    elif n.max is None:
        inside = n.input >= n.min
    else:
        inside = (n.input >= n.min) & (n.input <= n.max)
    return _C.where(inside, grad, 0.0)


@both("clamp.Tensor", "clip.Tensor", saves=("input", "min", "max"), name="ClampBackward0")
def clamp_tensor(n, grad):
    x, low, high = n.input, n.min, n.max
    if low is None:
        return _C.where(x <= high, grad, 0.0), None, _C.where(x > high, grad, 0.0)
    if high is None:
        return _C.where(x >= low, grad, 0.0), _C.where(x < low, grad, 0.0), None
    return (
        _C.where((x >= low) & (x <= high), grad, 0.0),
        _C.where((x < low) & (low < high), grad, 0.0),
        _C.where((x > high) | (high < low), grad, 0.0),
    )


@derivative("clamp_min", saves=("input", "min"))
def clamp_min(n, grad):
    return _C.where(n.input >= n.min, grad, 0.0)


@derivative("clamp_max", saves=("input", "max"))
def clamp_max(n, grad):
    return _C.where(n.input <= n.max, grad, 0.0)


@derivative("clamp_min.Tensor", saves=("input", "min"), name="ClampMinBackward1")
def clamp_min_tensor(n, grad):
    return _C.where(n.input >= n.min, grad, 0.0), _C.where(n.input < n.min, grad, 0.0)


@derivative("clamp_max.Tensor", saves=("input", "max"), name="ClampMaxBackward1")
def clamp_max_tensor(n, grad):
    return _C.where(n.input <= n.max, grad, 0.0), _C.where(n.input > n.max, grad, 0.0)


# ---- of three ----


@derivative("where", saves=("condition",))
def where(n, grad):
    _, a, b = n.needs_input_grad
    return None, _C.where(n.condition, grad, 0.0) if a else None, _C.where(n.condition, 0.0, grad) if b else None


@derivative("where.self", saves=("condition",), name="WhereBackward0")
def where_self(n, grad):
    a, _, b = n.needs_input_grad
    return _C.where(n.condition, grad, 0.0) if a else None, None, _C.where(n.condition, 0.0, grad) if b else None


@derivative("masked_fill", saves=("mask",))
def masked_fill(n, grad):
    return grad.masked_fill(n.mask, 0), None


@derivative("masked_fill.Tensor", saves=("mask",), name="MaskedFillBackward1")
def masked_fill_tensor(n, grad):
    a, _, b = n.needs_input_grad
    return grad.masked_fill(n.mask, 0) if a else None, None, _C.where(n.mask, grad, 0.0).sum() if b else None


@derivative("lerp", saves=("weight",))
def lerp(n, grad):
    a, b = n.needs_input_grad
    return grad * (1 - conjugate(n.weight)) if a else None, grad * conjugate(n.weight) if b else None


@derivative("lerp.Tensor", saves=("input", "end", "weight"), name="LerpBackward1")
def lerp_tensor(n, grad):
    a, b, w = n.needs_input_grad
    return (
        grad * (1 - n.weight).conj() if a else None,
        grad * n.weight.conj() if b else None,
        grad * (n.end - n.input).conj() if w else None,
    )


@derivative("addcmul", saves={"tensor1": "tensor2", "tensor2": "tensor1", "value": ()})
def addcmul(n, grad):
    a, b, c = n.needs_input_grad
    return (
        grad if a else None,
        scaled(grad * n.tensor2.conj(), n.value) if b else None,
        scaled(grad * n.tensor1.conj(), n.value) if c else None,
    )


@derivative("addcdiv", saves={"tensor1": "tensor2", "tensor2": ("tensor1", "tensor2"), "value": ()})
def addcdiv(n, grad):
    a, b, c = n.needs_input_grad
    return (
        grad if a else None,
        scaled(grad / n.tensor2.conj(), n.value) if b else None,
        scaled(-grad * (n.tensor1 / (n.tensor2 * n.tensor2)).conj(), n.value) if c else None,
    )


# ---- activations ----


@derivative("relu", saves=("result",))
def relu(n, grad):
    return _C.nn.threshold_backward(grad, n.result, 0)


@derivative("threshold", saves=("input", "threshold"))
def threshold(n, grad):
    return _C.nn.threshold_backward(grad, n.input, n.threshold)


@derivative("threshold_backward", saves=("input", "threshold"))
def threshold_backward(n, grad):
    a, b = n.needs_input_grad
    return (
        _C.nn.threshold_backward(grad, n.input, n.threshold) if a else None,
        _C.zeros_like(grad) if b else None,
    )


@derivative("softshrink", saves=("input", "lambd"))
def softshrink(n, grad):
    return _C.nn.shrink_backward(grad, n.input, n.lambd)


derivative("hardshrink", saves=("input", "lambd"))(softshrink)


@derivative("shrink_backward", saves=("input", "lambd"))
def shrink_backward(n, grad):
    a, b = n.needs_input_grad
    return _C.nn.shrink_backward(grad, n.input, n.lambd) if a else None, _C.zeros_like(grad) if b else None


@derivative("leaky_relu", saves=("input", "negative_slope"))
def leaky_relu(n, grad):
    return _C.nn.leaky_relu_backward(grad, n.input, n.negative_slope)


@derivative("leaky_relu_backward", saves=("input", "negative_slope"))
def leaky_relu_backward(n, grad):
    a, b = n.needs_input_grad
    return (
        _C.nn.leaky_relu_backward(grad, n.input, n.negative_slope) if a else None,
        _C.zeros_like(grad) if b else None,
    )


@derivative("elu", saves=("input", "alpha", "scale", "input_scale"))
def elu(n, grad):
    return _C.nn.elu_backward(grad, n.input, n.alpha, n.scale, n.input_scale)


@derivative("elu_backward", saves=("grad_output", "input", "alpha", "scale", "input_scale"))
def elu_backward(n, grad):
    a, b = n.needs_input_grad
    curve = n.alpha * n.scale * n.input_scale * n.input_scale
    return (
        _C.nn.elu_backward(grad, n.input, n.alpha, n.scale, n.input_scale) if a else None,
        (grad * n.grad_output * (n.input * n.input_scale).exp() * curve).masked_fill(n.input >= 0, 0) if b else None,
    )


@derivative("selu", saves=("input",), name="EluBackward0")
def selu(n, grad):
    return _C.nn.elu_backward(grad, n.input, 1.6732632423543772848170429916717, 1.0507009873554804934193349852946, 1.0)


@derivative("celu", saves=("input", "alpha"))
def celu(n, grad):
    return _C.nn.elu_backward(grad, n.input, n.alpha, 1.0, 1.0 / n.alpha)


@derivative("gelu", saves=("input", "approximate"))
def gelu(n, grad):
    return _C.nn.gelu_backward(grad, n.input, approximate=n.approximate)


def gelu_curvature(x, approximate):
    if approximate == "none":
        return (2 - x * x) * (x * x * -0.5).exp() * (1 / math.sqrt(2 * math.pi))
    k, c = math.sqrt(2 / math.pi), 0.044715
    t = (k * (x + c * x * x * x)).tanh()
    slope, bend = k * (1 + 3 * c * x * x), 6 * k * c * x
    return (1 - t * t) * (slope + 0.5 * x * (bend - 2 * t * slope * slope))


@derivative("gelu_backward", saves=("grad_output", "input", "approximate"))
def gelu_backward(n, grad):
    a, b = n.needs_input_grad
    return (
        _C.nn.gelu_backward(grad, n.input, approximate=n.approximate) if a else None,
        grad * n.grad_output * gelu_curvature(n.input, n.approximate) if b else None,
    )


@derivative("silu", saves=("input",))
def silu(n, grad):
    return _C.nn.silu_backward(grad, n.input)


@derivative("silu_backward", saves=("grad_output", "input"))
def silu_backward(n, grad):
    a, b = n.needs_input_grad
    s = n.input.sigmoid()
    return (
        _C.nn.silu_backward(grad, n.input) if a else None,
        grad * n.grad_output * s * (1 - s) * (2 + n.input * (1 - 2 * s)) if b else None,
    )


@derivative("softplus", saves=("input", "beta", "threshold"))
def softplus(n, grad):
    return _C.nn.softplus_backward(grad, n.input, n.beta, n.threshold)


@derivative("softplus_backward", saves=("grad_output", "input", "beta", "threshold"))
def softplus_backward(n, grad):
    a, b = n.needs_input_grad
    z = n.input * n.beta
    s = z.sigmoid()
    return (
        _C.nn.softplus_backward(grad, n.input, n.beta, n.threshold) if a else None,
        (grad * n.grad_output * s * (1 - s) * n.beta).masked_fill(z > n.threshold, 0) if b else None,
    )


@derivative("hardtanh", saves=("input", "min_val", "max_val"))
def hardtanh(n, grad):
    return _C.nn.hardtanh_backward(grad, n.input, n.min_val, n.max_val)


@derivative("relu6", saves=("input",), name="HardtanhBackward0")
def relu6(n, grad):
    return _C.nn.hardtanh_backward(grad, n.input, 0, 6)


@derivative("hardtanh_backward", saves=("input", "min_val", "max_val"))
def hardtanh_backward(n, grad):
    a, b = n.needs_input_grad
    return (
        _C.nn.hardtanh_backward(grad, n.input, n.min_val, n.max_val) if a else None,
        _C.zeros_like(grad) if b else None,
    )


@derivative("hardsigmoid", saves=("input",))
def hardsigmoid(n, grad):
    return _C.nn.hardsigmoid_backward(grad, n.input)


@derivative("hardsigmoid_backward", saves=("input",))
def hardsigmoid_backward(n, grad):
    a, b = n.needs_input_grad
    return _C.nn.hardsigmoid_backward(grad, n.input) if a else None, _C.zeros_like(grad) if b else None


@derivative("hardswish", saves=("input",))
def hardswish(n, grad):
    return _C.nn.hardswish_backward(grad, n.input)


@derivative("hardswish_backward", saves=("grad_output", "input"))
def hardswish_backward(n, grad):
    a, b = n.needs_input_grad
    inside = (n.input > -3) & (n.input < 3)
    return (
        _C.nn.hardswish_backward(grad, n.input) if a else None,
        _C.where(inside, grad * n.grad_output / 3, 0.0) if b else None,
    )


@derivative("mish", saves=("input",))
def mish(n, grad):
    t = _C.nn.softplus(n.input).tanh()
    return grad * (t + n.input * n.input.sigmoid() * (1 - t * t))


@derivative("log_sigmoid", saves=("input",), name="LogSigmoidBackward0")
def log_sigmoid(n, grad):
    return grad * (-n.input).sigmoid()


@derivative("sigmoid_backward", saves=("grad_output", "output"))
def sigmoid_backward(n, grad):
    a, b = n.needs_input_grad
    return (
        _C.nn.sigmoid_backward(grad, n.output) if a else None,
        grad * n.grad_output.conj() * (1 - 2 * n.output) if b else None,
    )


@derivative("tanh_backward", saves=("grad_output", "output"))
def tanh_backward(n, grad):
    a, b = n.needs_input_grad
    return (
        _C.nn.tanh_backward(grad, n.output) if a else None,
        grad * n.grad_output.conj() * n.output * -2 if b else None,
    )


# ---- comparisons, whose result carries a gradient only when it was written into a float tensor: zero ----


def _flat(n, grad):
    a, b = n.needs_input_grad
    return grad.new_zeros(n.input_shape) if a else None, grad.new_zeros(n.other_shape) if b else None


for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    derivative(_name, saves=("input.shape", "other.shape"))(_flat)
