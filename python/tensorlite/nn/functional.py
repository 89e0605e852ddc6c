"""Layers and losses as functions.

The hot ones are operators of the C++ floors, or one call of them; the others are composed from public operators, so
that autograd differentiates them as often as one likes. Losses are in ``_losses.py``, padding and resampling in
``_shapes.py``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import tensorlite as _tl

from ._losses import *  # noqa: F403
from ._losses import _norm
from ._shapes import *  # noqa: F403
from ._shapes import _tuple

Tensor = _tl.Tensor
_C = _tl._C.nn


def _operator(name: str) -> Callable:
    """The operator of this name, whether it is for this module alone or stands at top level."""
    return getattr(_C, name, None) or getattr(_tl, name)


# Operators that are PyTorch's functions as they stand.
linear = _operator("linear")
conv1d = _operator("conv1d")
conv2d = _operator("conv2d")
conv3d = _operator("conv3d")
conv_transpose1d = _operator("conv_transpose1d")
conv_transpose2d = _operator("conv_transpose2d")
conv_transpose3d = _operator("conv_transpose3d")
avg_pool1d = _operator("avg_pool1d")
avg_pool2d = _operator("avg_pool2d")
avg_pool3d = _operator("avg_pool3d")
adaptive_avg_pool1d = _operator("adaptive_avg_pool1d")
gelu = _operator("gelu")
logsigmoid = _operator("log_sigmoid")
one_hot = _operator("one_hot")
sigmoid = _tl.sigmoid
softplus = _operator("softplus")
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
_max_pool2d = _operator("max_pool2d")


# Pooling


def max_pool1d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest value of each window of ``input`` (N, C, L) or (C, L); see ``max_pool2d``."""
    function = _tl.max_pool1d_with_indices if return_indices else _tl.max_pool1d
    return function(input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest value of each window of ``input`` (N, C, H, W) or (C, H, W).

    Args:
        input: the tensor.
        kernel_size: one int or (height, width).
        stride: the step of the window; ``kernel_size`` if None.
        padding: how many -inf are put on each side, at most half the window.
        dilation: the distance of the window's elements.
        ceil_mode: whether windows that hang over the edge count.
        return_indices: whether the places of the maxima, in H * W, are returned too.
    """
    if return_indices:
        return _C.max_pool2d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)
    return _max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool3d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest value of each window of ``input`` (N, C, D, H, W) or (C, D, H, W); see ``max_pool2d``."""
    function = _C.max_pool3d_with_indices if return_indices else _tl.max_pool3d
    return function(input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool1d_with_indices(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    """``max_pool1d`` with the places of the maxima."""
    return max_pool1d(*args, **{**kwargs, "return_indices": True})


def max_pool2d_with_indices(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    """``max_pool2d`` with the places of the maxima."""
    return max_pool2d(*args, **{**kwargs, "return_indices": True})


def _output_size(output_size: Any, n: int) -> tuple[int, ...]:
    """None keeps a size: -1 for the operator."""
    return tuple(-1 if s is None else s for s in _tuple(output_size, n))


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """Means of (height, width) windows that cover ``input`` (N, C, H, W) or (C, H, W); None keeps a size."""
    return _C.adaptive_avg_pool2d(input, _output_size(output_size, 2))


def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """Means of (depth, height, width) windows that cover ``input``; None keeps a size."""
    return _C.adaptive_avg_pool3d(input, _output_size(output_size, 3))


def adaptive_max_pool1d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Maxima of ``output_size`` windows that cover ``input`` (N, C, L) or (C, L)."""
    result = _tl.adaptive_max_pool1d(input, output_size)
    return result if return_indices else result[0]


def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Maxima of (height, width) windows that cover ``input`` (N, C, H, W) or (C, H, W); None keeps a size."""
    result = _C.adaptive_max_pool2d(input, _output_size(output_size, 2))
    return result if return_indices else result[0]


def adaptive_max_pool3d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Maxima of (depth, height, width) windows that cover ``input``; None keeps a size."""
    result = _C.adaptive_max_pool3d(input, _output_size(output_size, 3))
    return result if return_indices else result[0]


# Activations


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0)."""
    return _relu_(input) if inplace else _relu(input)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where positive, ``negative_slope * x`` elsewhere."""
    return (_C.leaky_relu_ if inplace else _C.leaky_relu)(input, negative_slope)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x where positive, ``weight * x`` elsewhere; one weight, or one for each channel (dim 1)."""
    if weight.numel() != 1:
        if input.dim() == 0:
            raise RuntimeError("Not allow zero-dim input tensor.")
        channels = input.size(1) if input.dim() > 1 else 1
        if channels != weight.numel():
            raise RuntimeError(
                f"Mismatch of parameter numbers and input channel size. Found parameter numbers = {weight.numel()} "
                f"and channel size = {channels}."
            )
        weight = weight.reshape([1, -1] + [1] * (input.dim() - 2))
    return _tl.where(input > 0, input, input * weight)


def rrelu(
    input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    """Leaky ReLU whose slope is drawn from U(lower, upper) for each negative element when training."""
    if training:
        slope: Any = _tl.empty_like(input, requires_grad=False).uniform_(lower, upper)
        slope = _tl.where(input > 0, _tl.ones_like(slope), slope)
        return input.mul_(slope) if inplace else input * slope
    return leaky_relu(input, (lower + upper) / 2, inplace)


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


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x moved towards 0 by ``lambd``, 0 where that passes 0."""
    if lambd < 0:
        raise RuntimeError(f"lambda must be greater or equal to 0, but found to be {lambd:g}.")
    zero = _tl.zeros_like(input)
    return _tl.where(input > lambd, input - lambd, _tl.where(input < -lambd, input + lambd, zero))


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x, and 0 where \\|x\\| <= ``lambd``."""
    return _tl.where((input > lambd) | (input < -lambd), input, _tl.zeros_like(input))


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh(x)."""
    return input - _tl.tanh(input)


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """The first half along ``dim`` times the sigmoid of the second."""
    if input.dim() == 0:
        raise RuntimeError("glu does not support 0-dimensional tensors")
    size = input.size(dim)
    if size % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {dim % input.dim()} is size {size}")
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


# Dropout


def _check_probability(p: float) -> None:
    if p < 0.0 or p > 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zeroes elements with probability ``p`` and divides the others by ``1 - p``, when training."""
    _check_probability(p)
    if not training or p == 0 or input.numel() == 0:
        return input
    return _masked(input, input.shape, p, inplace)


def _masked(input: Tensor, mask_shape: Sequence[int], p: float, inplace: bool) -> Tensor:
    if p == 1:
        noise = _tl.zeros((), dtype=input.dtype, device=input.device)
    else:
        if tuple(mask_shape) == tuple(input.shape):
            noise = _tl.empty_like(input, requires_grad=False)
        else:
            noise = _tl.empty(mask_shape, dtype=input.dtype, device=input.device)
        noise.bernoulli_(1 - p).div_(1 - p)
    return input.mul_(noise) if inplace else input * noise


def _feature_dropout(name: str, input: Tensor, p: float, training: bool, inplace: bool, spatial: int) -> Tensor:
    """Zeroes whole channels."""
    _check_probability(p)
    ndim = input.dim()
    if name == "dropout1d" and ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {ndim}D input. Note that dropout1d exists to provide "
            "channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional batch "
            "dimension (i.e. 2D or 3D inputs)."
        )
    if name != "dropout1d" and ndim not in (spatial + 1, spatial + 2):
        import warnings

        warnings.warn(
            f"{name}: Received a {ndim}-D input to {name}, which is deprecated and will result in an error in a future "
            f"release. To retain the behavior and silence this warning, please use dropout instead. Note that {name} "
            f"exists to provide channel-wise dropout on inputs with {spatial} spatial dimensions, a channel dimension, "
            f"and an optional batch dimension (i.e. {spatial + 1}D or {spatial + 2}D inputs).",
            stacklevel=3,
        )
    if not training or p == 0 or input.numel() == 0:
        return input
    unbatched = ndim == spatial + 1 and name != "dropout2d"
    x = input.unsqueeze(0) if unbatched else input
    if x.dim() < 2:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    result = _masked(x, [x.size(0), x.size(1)] + [1] * (x.dim() - 2), p, inplace)
    return result.squeeze(0) if unbatched else result


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Dropout of whole channels of ``input`` (N, C, L) or (C, L)."""
    return _feature_dropout("dropout1d", input, p, training, inplace, 1)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Dropout of whole channels of ``input`` (N, C, H, W)."""
    return _feature_dropout("dropout2d", input, p, training, inplace, 2)


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Dropout of whole channels of ``input`` (N, C, D, H, W)."""
    return _feature_dropout("dropout3d", input, p, training, inplace, 3)


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Dropout that keeps mean and variance of SELU networks (Klambauer et al., 2017)."""
    _check_probability(p)
    if not training or p == 0 or input.numel() == 0:
        return input
    alpha = 1.7580993408473766
    a = 1.0 / math.sqrt((alpha * alpha * p + 1) * (1 - p))
    noise = _tl.empty_like(input).bernoulli_(1 - p)
    b = noise.add(-1).mul_(alpha * a).add_(alpha * a * p)
    return input.mul_(noise.mul_(a)).add_(b) if inplace else input * noise.mul_(a) + b


# Embedding


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The rows of ``weight`` (V, D) that the int tensor ``input`` names; the result is (*input.shape, D).

    The row ``padding_idx`` gets no gradient. With ``max_norm`` the rows used are first scaled down to it, in place.
    """
    if padding_idx is None:
        padding_idx = -1
    else:
        if not -weight.size(0) <= padding_idx < weight.size(0):
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding_idx %= weight.size(0)
    if max_norm is not None:
        _renormalise(weight.detach(), input, max_norm, norm_type)
    return _tl.embedding(weight, input, padding_idx, scale_grad_by_freq, sparse)


def _renormalise(weight: Tensor, input: Tensor, max_norm: float, norm_type: float) -> None:
    used = _tl.tensor(sorted(set(input.reshape(-1).tolist())), dtype=_tl.int64, device=weight.device)
    rows = weight.index_select(0, used)
    norms = _norm(rows, norm_type, 1)
    weight[used] = _tl.where(norms > max_norm, rows * (max_norm / (norms + 1e-7)), rows)


# Normalisation


def normalize(input: Tensor, p: float = 2.0, dim: Any = 1, eps: float = 1e-12, out: Tensor | None = None) -> Tensor:
    """``input`` over its p-norm along ``dim``, which counts as at least ``eps``."""
    if not (input.is_floating_point() or input.is_complex()):
        raise RuntimeError(
            "linalg.vector_norm: Expected a floating point or complex tensor as input. Got "
            f"{input.type().rpartition('.')[2].removesuffix('Tensor')}"
        )
    result = input / _norm(input, p, dim).clamp(min=eps).expand_as(input)
    return result if out is None else out.copy_(result)


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Brings the last dims, of ``normalized_shape``, to mean 0 and variance 1 (Ba et al., 2016)."""
    return _tl.layer_norm(input, normalized_shape, weight, bias, eps)


def rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """Divides the last dims by their root mean square (Zhang and Sennrich, 2019)."""
    dims = list(range(-len(normalized_shape), 0))
    if eps is None:
        eps = _tl.finfo(input.dtype).eps
    result = input / _tl.sqrt((input * input).mean(dims, keepdim=True) + eps)
    return result if weight is None else result * weight


def _check_more_than_one(shape: Sequence[int]) -> None:
    if math.prod(shape) // max(shape[1], 1) == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {shape}")


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Brings each channel (dim 1) to mean 0 and variance 1 over the batch (Ioffe and Szegedy, 2015).

    When training, the batch's statistics are used and, by ``momentum``, mixed into the running ones (with the unbiased
    variance); otherwise the running ones are used.
    """
    if training:
        _check_more_than_one(input.shape)
    return _tl.batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps)


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """Brings groups of channels of each sample to mean 0 and variance 1 (Wu and He, 2018)."""
    return _tl.group_norm(input, num_groups, weight, bias, eps)


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Brings each channel of each sample to mean 0 and variance 1 (Ulyanov et al., 2016)."""
    if use_input_stats and math.prod(input.shape[2:]) == 1:
        raise ValueError(f"Expected more than 1 spatial element when training, got input size {input.shape}")
    # Each channel of each sample is a channel of one large sample.
    samples, channels = input.shape[:2]
    rows = input.reshape(1, samples * channels, *input.shape[2:])
    weight, bias, mean, var = (
        None if t is None else t.repeat(samples) for t in (weight, bias, running_mean, running_var)
    )
    result = _tl.batch_norm(rows, weight, bias, mean, var, use_input_stats, momentum, eps)
    if use_input_stats:
        with _tl.no_grad():
            for running, each in ((running_mean, mean), (running_var, var)):
                if running is not None:
                    running.copy_(each.view(samples, channels).mean(0))
    return result.view(input.shape)


# Products


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``x1 @ weight[k] @ x2`` for every output k; ``weight`` is (out, in1, in2)."""
    lead = list(input1.shape[:-1])
    x1 = input1.reshape([-1, input1.size(-1)])
    x2 = input2.reshape([-1, input2.size(-1)])
    out, n1, n2 = weight.shape
    half = (x1 @ weight.permute(1, 0, 2).reshape([n1, out * n2])).reshape([-1, out, n2])
    result = (half * x2.unsqueeze(1)).sum(-1).reshape([*lead, out])
    return result if bias is None else result + bias


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(query @ key.T * scale + mask) @ value (Vaswani et al., 2017).

    Args:
        query: (..., L, E).
        key: (..., S, E).
        value: (..., S, Ev).
        attn_mask: added to the scores, or a bool mask of what may be looked at; (..., L, S).
        dropout_p: dropout of the weights; always applied.
        is_causal: each query sees keys up to its own place.
        scale: 1 / sqrt(E) if None.
        enable_gqa: key and value have fewer heads, each repeated.
    """
    if is_causal and attn_mask is not None:
        raise RuntimeError("Explicit attn_mask should not be set when is_causal=True")
    if enable_gqa:
        repeats = query.size(-3) // key.size(-3)
        key, value = (
            t.unsqueeze(-3).expand([*t.shape[:-2], repeats, *t.shape[-2:]]).reshape([*query.shape[:-2], *t.shape[-2:]])
            for t in (key, value)
        )
    scores = query @ key.transpose(-2, -1) * (1 / math.sqrt(query.size(-1)) if scale is None else scale)
    if is_causal:
        rows = _tl.arange(scores.size(-2), device=scores.device).unsqueeze(1)
        attn_mask = rows >= _tl.arange(scores.size(-1), device=scores.device)
    if attn_mask is not None:
        if attn_mask.dtype == _tl.bool:
            scores = _tl.where(attn_mask, scores, _tl.full((), -math.inf, dtype=scores.dtype, device=scores.device))
        else:
            scores = scores + attn_mask
    weights = _tl.softmax(scores, -1)
    if dropout_p:
        weights = dropout(weights, dropout_p)
    return weights @ value
