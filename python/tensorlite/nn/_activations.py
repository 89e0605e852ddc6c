"""Activations; part of ``nn.functional``."""

from __future__ import annotations

import math
from typing import Any

import tensorlite as _tl

from ._shapes import _type_name

Tensor = _tl.Tensor
_C = _tl._C.nn

__all__ = [
    "celu",
    "celu_",
    "elu",
    "elu_",
    "gelu",
    "glu",
    "gumbel_softmax",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hardtanh_",
    "leaky_relu",
    "leaky_relu_",
    "log_softmax",
    "logsigmoid",
    "mish",
    "prelu",
    "relu",
    "relu6",
    "relu_",
    "rrelu",
    "rrelu_",
    "selu",
    "selu_",
    "sigmoid",
    "silu",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
    "threshold_",
]


# Operators that are PyTorch's functions as they stand.
gelu = _C.gelu
hardshrink = _tl.hardshrink
logsigmoid = _C.log_sigmoid
sigmoid = _tl.sigmoid
softplus = _C.softplus
softshrink = _C.softshrink
tanh = _tl.tanh
relu_ = _tl.relu_
selu_ = _tl.selu_
celu_ = _tl.celu_
threshold_ = _tl.threshold_
elu_ = _C.elu_
hardtanh_ = _C.hardtanh_
leaky_relu_ = _C.leaky_relu_

_relu = _tl.relu
_relu_ = _tl.relu_


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0)."""
    return _relu_(input) if inplace else _relu(input)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where positive, ``negative_slope * x`` elsewhere."""
    return (_C.leaky_relu_ if inplace else _C.leaky_relu)(input, negative_slope)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x where positive, ``weight * x`` elsewhere; one weight, or one for each channel (dim 1)."""
    if input.dtype != weight.dtype:
        raise RuntimeError(
            f"prelu: Type promoting not supported. Got {_type_name(input)} and {_type_name(weight)}"
        )
    if weight.numel() != 1:
        if input.dim() == 0:
            raise RuntimeError("Not allow zero-dim input tensor.")
        channels = input.size(1) if input.dim() > 1 else 1
        if channels != weight.numel():
            raise RuntimeError(
                f"Mismatch of parameter numbers and input channel size. Found parameter numbers = {weight.numel()} "
                f"and channel size = {channels}."
            )
    if weight.dim() > 1:
        raise RuntimeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.dim()}")
    if not input.is_floating_point():
        _not_implemented("prelu_cpu", input)
    weight = weight.reshape([1, -1] + [1] * (input.dim() - 2) if input.dim() > 1 else [1] * input.dim())
    return _tl.where(input > 0, input, input * weight)


def _not_implemented(name: str, input: Tensor) -> None:
    raise NotImplementedError(
        f"\"{name}\" not implemented for '{_type_name(input)}'. Convert the input to a floating dtype first."
    )


def rrelu(
    input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    """Leaky ReLU whose slope is drawn from U(lower, upper) for each negative element when training."""
    for name, bound in (("lower", lower), ("upper", upper)):
        if not math.isfinite(bound):
            raise RuntimeError(f"rrelu: {name} bound must be finite, got {bound:g}")
    if lower > upper:
        raise RuntimeError("Lower bound should be less than or equal to the upper bound")
    if not training:
        return leaky_relu(input, (lower + upper) / 2, inplace)
    if not input.is_floating_point():
        _not_implemented("rrelu_out_cpu", input)
    negative = input.detach() <= 0
    count = int(negative.sum())
    drawn = _tl.empty(count, dtype=_tl.float64, device=input.device).uniform_(lower, upper).to(input.dtype)
    slope = _tl.ones_like(input, requires_grad=False).masked_scatter_(negative, drawn)
    return input.mul_(slope) if inplace else input * slope


def rrelu_(input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False) -> Tensor:
    """``rrelu`` in place."""
    return rrelu(input, lower, upper, training, inplace=True)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where positive, ``alpha * (exp(x) - 1)`` elsewhere."""
    return (_C.elu_ if inplace else _C.elu)(input, alpha)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """The self-normalising ELU (Klambauer et al., 2017)."""
    return (_tl.selu_ if inplace else _tl.selu)(input)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where positive, ``alpha * (exp(x / alpha) - 1)`` elsewhere."""
    return (_tl.celu_ if inplace else _tl.celu)(input, alpha)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x * sigmoid(x)."""
    return (_C.silu_ if inplace else _C.silu)(input)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x * tanh(softplus(x))."""
    return (_C.mish_ if inplace else _C.mish)(input)


def softsign(input: Tensor) -> Tensor:
    """x / (1 + \\|x\\|)."""
    return input / (1 + _tl.abs(input))


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """x cut off at ``min_val`` and ``max_val``."""
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    return (_C.hardtanh_ if inplace else _C.hardtanh)(input, min_val, max_val)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x, 0), 6)."""
    return (_C.relu6_ if inplace else _C.relu6)(input)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x + 3, 0), 6) / 6."""
    return (_C.hardsigmoid_ if inplace else _C.hardsigmoid)(input)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x * min(max(x + 3, 0), 6) / 6."""
    return (_C.hardswish_ if inplace else _C.hardswish)(input)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where greater than ``threshold``, ``value`` elsewhere."""
    return (_tl.threshold_ if inplace else _tl.threshold)(input, threshold, value)


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh(x)."""
    return input - _tl.tanh(input)


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """The first half along ``dim`` times the sigmoid of the second."""
    if input.dim() == 0:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    size = input.size(dim)
    if size % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {dim % input.dim()} is size {size}")
    if not input.is_floating_point():
        _not_implemented("glu_cpu", input)
    return input.narrow(dim, 0, size // 2) * _tl.sigmoid(input.narrow(dim, size // 2, size // 2))


def _softmax_dim(name: str, ndim: int) -> int:
    import warnings

    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=3,
    )
    return 0 if ndim in (0, 1, 3) else 1


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """exp(x) over its sum along ``dim``; computed in ``dtype`` if given."""
    if dim is None:
        dim = _softmax_dim("softmax", input.dim())
    return _tl.softmax(input, dim, dtype)


def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """``softmax(-input)``."""
    if dim is None:
        dim = _softmax_dim("softmin", input.dim())
    return _tl.softmax(-input, dim, dtype)


def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """The logarithm of ``softmax``, computed without leaving the range of the dtype."""
    if dim is None:
        dim = _softmax_dim("log_softmax", input.dim())
    return _tl.log_softmax(input, dim, dtype)


def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """A sample of the Gumbel-softmax distribution (Jang et al., 2016); ``hard`` gives one-hot vectors."""
    noise = -_tl.empty_like(logits, requires_grad=False).exponential_().log()
    soft = _tl.softmax((logits + noise) / tau, dim)
    if not hard:
        return soft
    index = soft.max(dim, keepdim=True)[1]
    one = _tl.zeros_like(logits).scatter_(dim, index, 1.0)
    return one - soft.detach() + soft
