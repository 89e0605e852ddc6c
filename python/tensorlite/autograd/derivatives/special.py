"""Gradients of the special functions."""

import math

from ... import _C
from . import derivative

i0e, i1, i1e = (_C._operator("special_" + name) for name in ("i0e", "i1", "i1e"))
erfcx, log_ndtr, zeta = (_C._operator("special_" + name) for name in ("erfcx", "log_ndtr", "zeta"))


@derivative("i0", saves=("input",))
def i0(n, grad):
    return grad * i1(n.input)


@derivative("special_i0e", saves=("input", "result"), name="SpecialI0EBackward0")
def i0e_backward(n, grad):
    return grad * (i1e(n.input) - n.input.sgn() * n.result)


def over_x(value, x, limit):
    """value / x, and its limit at 0."""
    zero = x == 0
    return _C.where(zero, limit, value / x.masked_fill(zero, 1))


@derivative("special_i1", saves=("input", "result"))
def i1_backward(n, grad):
    return grad * (_C.i0(n.input) - over_x(n.result, n.input, 0.5))


@derivative("special_i1e", saves=("input", "result"), name="SpecialI1EBackward0")
def i1e_backward(n, grad):
    return grad * (i0e(n.input) - n.input.sgn() * n.result - over_x(n.result, n.input, 0.5))


@derivative("special_erfcx", saves=("input", "result"))
def erfcx_backward(n, grad):
    return grad * (2 * n.input * n.result - 2 / math.sqrt(math.pi))


@derivative("special_ndtr", saves=("input",))
def ndtr_backward(n, grad):
    return grad * (n.input * n.input * -0.5).exp() * (1 / math.sqrt(2 * math.pi))


@derivative("special_log_ndtr", saves=("input",))
def log_ndtr_backward(n, grad):
    # exp(-x^2 / 2) / (sqrt(2 pi) ndtr(x)), which erfcx keeps finite in the lower tail
    return grad / erfcx(n.input * -math.sqrt(0.5)) * math.sqrt(2 / math.pi)


@derivative("special_ndtri", saves=("result",))
def ndtri_backward(n, grad):
    return grad * (n.result * n.result / 2).exp() * math.sqrt(2 * math.pi)


@derivative("special_entr", saves=("input",))
def entr_backward(n, grad):
    return grad * (-(1 + n.input.log()))


@derivative("sinc", saves=("input",))
def sinc(n, grad):
    y = n.input * math.pi
    zero = n.input == 0
    slope = (y * y.cos() - y.sin()) / (y * n.input).masked_fill(zero, 1)
    return grad * slope.masked_fill(zero, 0).conj()


@derivative("polygamma", saves=("n", "input"))
def polygamma(n, grad):
    return grad * _C.polygamma(n.n + 1, n.input)


derivative("polygamma.self", saves=("n", "input"))(polygamma)


@derivative("digamma", saves=("input",))
def digamma(n, grad):
    return grad * _C.polygamma(1, n.input)


@derivative("mvlgamma", saves=("input", "p"))
def mvlgamma(n, grad):
    return grad * sum((n.input - j / 2).digamma() for j in range(n.p))


@derivative("deg2rad", name="Deg2RadBackward0")
def deg2rad(n, grad):
    return grad * (math.pi / 180)


@derivative("rad2deg", name="Rad2DegBackward0")
def rad2deg(n, grad):
    return grad * (180 / math.pi)


@derivative("frexp", saves=("result1",))
def frexp(n, grad, _):
    return None if grad is None else grad / n.result1.exp2()


@derivative("ldexp", saves={"input": "other", "other": ("input", "other")})
def ldexp(n, grad):
    a, b = n.needs_input_grad
    scaled = grad * _C.pow(2.0, n.other).conj()
    return scaled if a else None, scaled * (n.input * math.log(2)).conj() if b else None


@derivative("polar", saves=("result",))
def polar(n, grad):
    # d result = result (d abs / abs + i d angle)
    a, b = n.needs_input_grad
    along = grad.conj() * n.result.sgn()
    turned = grad.conj() * n.result
    return along.real if a else None, -turned.imag if b else None


def no_derivative(name):
    raise NotImplementedError(f"the derivative for '{name}' is not implemented.")


def incomplete_gamma(name, sign):
    @derivative(name, saves={"input": "other", "other": "other"})
    def backward(n, grad):
        a, b = n.needs_input_grad
        if a:
            no_derivative(f"{name}: input")
        # x^(a - 1) e^-x / Gamma(a)
        density = ((n.input - 1) * n.other.log() - n.other - n.input.lgamma()).exp()
        return None, grad * density * sign if b else None


incomplete_gamma("igamma", 1)
incomplete_gamma("igammac", -1)


def xlog1py(n, grad):
    a, b = n.needs_input_grad
    # 0 where input is 0 and log1p(other) is not a number or -inf
    return (
        grad * n.other.log1p().masked_fill((n.input == 0) & (n.other <= -1), 0.0) if a else None,
        grad * n.input / (n.other + 1) if b else None,
    )


def zeta_backward(n, grad):
    a, b = n.needs_input_grad
    if a:
        no_derivative("zeta")
    return None, grad * -n.input * zeta(n.input + 1, n.other) if b else None


for suffix, number in (("", 0), (".self", 1)):
    derivative("special_xlog1py" + suffix, saves=("input", "other"), name=f"SpecialXlog1PyBackward{number}")(xlog1py)
    saved = {"input": "other", "other": "other"}
    derivative("special_zeta" + suffix, saves=saved, name=f"SpecialZetaBackward{number}")(zeta_backward)
