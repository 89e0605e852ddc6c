"""Layers and losses as functions.

The hot ones are operators of the C++ floors; the others are composed from public operators, so that autograd
differentiates them as often as one likes.
"""

from __future__ import annotations

import math
from typing import Any, Callable, Sequence

import tensorlite as _tl

from . import _reduction

Tensor = _tl.Tensor


def _operator(name: str) -> Callable:
    """The operator of this name, whether it stands at top level or is for this module alone."""
    found = getattr(_tl._C.nn, name, None) or getattr(_tl, name, None)
    if found is None:

        def found(*args: Any, **kwargs: Any) -> Any:
            raise NotImplementedError(f"tensorlite has no operator {name!r} yet")

    return found


linear = _operator("linear")
_conv1d = _operator("conv1d")
_conv2d = _operator("conv2d")
_conv3d = _operator("conv3d")
conv_transpose1d = _operator("conv_transpose1d")
conv_transpose2d = _operator("conv_transpose2d")
conv_transpose3d = _operator("conv_transpose3d")
_max_pool2d = _operator("max_pool2d")
_max_pool2d_with_indices = _operator("max_pool2d_with_indices")
_relu = _operator("relu")
_relu_ = getattr(_tl, "relu_", None) or Tensor.relu_
_log_softmax = _operator("log_softmax")
_softmax = _operator("softmax")
_nll_loss = _operator("nll_loss")
_mse_loss = _operator("mse_loss")
sigmoid = _operator("sigmoid")
tanh = _operator("tanh")


def _warn(message: str) -> None:
    import warnings

    warnings.warn(message, stacklevel=3)


def _tuple(value: Any, n: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * n


def _write(inplace: bool, input: Tensor, result: Tensor) -> Tensor:
    """The result of an activation, put into the input if it is to work in place."""
    return input.copy_(result) if inplace else result


def _read(inplace: bool, input: Tensor) -> Tensor:
    """What an activation that saves its input computes with."""
    return input.clone() if inplace else input


# Convolution


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """1-dim convolution of ``input`` (N, C, L) or (C, L) with ``weight`` (out, C / groups, k)."""
    return _conv1d(input, weight, bias, stride, padding, dilation, groups)


# ``conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1)`` is the operator itself.
conv2d = _conv2d
conv3d = _conv3d


# Pooling


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
    if stride is None:
        stride = kernel_size
    if return_indices:
        return _max_pool2d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)
    return _max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """``max_pool2d`` with the places of the maxima."""
    return max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode, True)


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
    kernel, pad, dil = (_tuple(v, 1)[0] for v in (kernel_size, padding, dilation))
    step = kernel if stride is None else _tuple(stride, 1)[0]
    result = max_pool2d(input.unsqueeze(-2), (1, kernel), (1, step), (0, pad), (1, dil), ceil_mode, return_indices)
    if return_indices:
        return result[0].squeeze(-2), result[1].squeeze(-2)
    return result.squeeze(-2)


def _pooled(size: int, kernel: int, stride: int, padding: int, ceil_mode: bool) -> int:
    out = (size + 2 * padding - kernel + (stride - 1 if ceil_mode else 0)) // stride + 1
    if ceil_mode and (out - 1) * stride >= size + padding:
        out -= 1
    return out


def _window_means(
    input: Tensor, dim: int, kernel: int, stride: int, padding: int, ceil_mode: bool
) -> tuple[Tensor, list[int], list[int]]:
    """Sums over windows along one dim; with each, its size with and without padding."""
    size = input.size(dim)
    out = _pooled(size, kernel, stride, padding, ceil_mode)
    if out <= 0:
        raise RuntimeError(f"avg_pool: the output size is too small: input {tuple(input.shape)}, window {kernel}")
    sums, with_padding, inside = [], [], []
    for i in range(out):
        start = i * stride - padding
        end = min(start + kernel, size + padding)
        low, high = max(start, 0), min(end, size)
        sums.append(input.narrow(dim, low, high - low).sum(dim, keepdim=True))
        with_padding.append(end - start)
        inside.append(high - low)
    return _tl.cat(sums, dim), with_padding, inside


def _avg_pool(
    input: Tensor,
    n: int,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Tensor:
    kernel, pad = _tuple(kernel_size, n), _tuple(padding, n)
    step = kernel if stride is None or stride == () else _tuple(stride, n)
    sizes = input.shape[-n:]
    plain = not any(pad) and all(k == s and z % k == 0 for k, s, z in zip(kernel, step, sizes))
    if plain:
        # Windows side by side: a view and one reduction.
        lead = list(input.shape[:-n])
        split = [v for z, k in zip(sizes, kernel) for v in (z // k, k)]
        dims = [len(lead) + 2 * i + 1 for i in range(n)]
        x = input.reshape(lead + split)
        return x.mean(dims) if divisor_override is None else x.sum(dims) / divisor_override
    divisor: Any = 1.0
    for i in range(n):
        dim = input.dim() - n + i
        input, with_padding, inside = _window_means(input, dim, kernel[i], step[i], pad[i], ceil_mode)
        counts = _tl.tensor(with_padding if count_include_pad else inside, dtype=input.dtype, device=input.device)
        divisor = counts.reshape([-1] + [1] * (n - 1 - i)) * divisor
    return input / (divisor if divisor_override is None else divisor_override)


def avg_pool1d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window of ``input`` (N, C, L) or (C, L)."""
    return _avg_pool(input, 1, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window of ``input`` (N, C, H, W) or (C, H, W).

    Args:
        input: the tensor.
        kernel_size: one int or (height, width).
        stride: the step of the window; ``kernel_size`` if None.
        padding: how many zeros are put on each side.
        ceil_mode: whether windows that hang over the edge count.
        count_include_pad: whether padding counts in the mean.
        divisor_override: divides the sum instead of the window's size.
    """
    return _avg_pool(input, 2, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def avg_pool3d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window of ``input`` (N, C, D, H, W) or (C, D, H, W); see ``avg_pool2d``."""
    return _avg_pool(input, 3, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def _adaptive(input: Tensor, n: int, output_size: Any, reduce: Callable[[Tensor, int], Tensor]) -> Tensor:
    sizes = _tuple(output_size, n)
    for i in range(n):
        dim = input.dim() - n + i
        size = input.size(dim)
        out = size if sizes[i] is None else sizes[i]
        if out == size:
            continue
        parts = []
        for j in range(out):
            start, end = j * size // out, -((j + 1) * size // -out)
            parts.append(reduce(input.narrow(dim, start, end - start), dim))
        input = parts[0] if out == 1 else _tl.cat(parts, dim)
    return input


def _mean_keepdim(x: Tensor, dim: int) -> Tensor:
    return x.mean(dim, keepdim=True)


def _max_keepdim(x: Tensor, dim: int) -> Tensor:
    return x.max(dim, keepdim=True)[0]


def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Tensor:
    """Means of ``output_size`` windows that cover ``input`` (N, C, L) or (C, L)."""
    return _adaptive(input, 1, output_size, _mean_keepdim)


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """Means of (height, width) windows that cover ``input`` (N, C, H, W) or (C, H, W); None keeps a size."""
    if output_size == 1 or (isinstance(output_size, (tuple, list)) and tuple(output_size) == (1, 1)):
        return input.mean([-1, -2], keepdim=True)
    return _adaptive(input, 2, output_size, _mean_keepdim)


def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """Means of (depth, height, width) windows that cover ``input``."""
    return _adaptive(input, 3, output_size, _mean_keepdim)


def adaptive_max_pool1d(input: Tensor, output_size: Any, return_indices: bool = False) -> Tensor:
    """Maxima of ``output_size`` windows that cover ``input`` (N, C, L) or (C, L)."""
    if return_indices:
        raise NotImplementedError("adaptive_max_pool1d: return_indices is not there yet")
    return _adaptive(input, 1, output_size, _max_keepdim)


def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Tensor:
    """Maxima of (height, width) windows that cover ``input`` (N, C, H, W) or (C, H, W)."""
    if return_indices:
        raise NotImplementedError("adaptive_max_pool2d: return_indices is not there yet")
    return _adaptive(input, 2, output_size, _max_keepdim)


# Activations


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0)."""
    return _relu_(input) if inplace else _relu(input)


relu_ = _relu_


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where positive, ``negative_slope * x`` elsewhere."""
    return _write(inplace, input, _tl.where(input > 0, input, input * negative_slope))


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
        slope = _tl.empty_like(input).uniform_(lower, upper)
    else:
        slope = (lower + upper) / 2
    return _write(inplace, input, _tl.where(input > 0, input, input * slope))


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where positive, ``alpha * (exp(x) - 1)`` elsewhere."""
    x = _read(inplace, input)
    return _write(inplace, input, _tl.where(x > 0, x, _expm1(x.clamp(max=0)) * alpha))


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """The self-normalising ELU (Klambauer et al., 2017)."""
    scale, alpha = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717
    return _write(inplace, input, elu(_read(inplace, input), alpha) * scale)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where positive, ``alpha * (exp(x / alpha) - 1)`` elsewhere."""
    x = _read(inplace, input)
    return _write(inplace, input, _tl.where(x > 0, x, _expm1(x.clamp(max=0) / alpha) * alpha))


def _expm1(x: Tensor) -> Tensor:
    return _tl.expm1(x) if hasattr(_tl, "expm1") else _tl.exp(x) - 1


def _log1p(x: Tensor) -> Tensor:
    return _tl.log1p(x) if hasattr(_tl, "log1p") else _tl.log(x + 1)


def gelu(input: Tensor, *, approximate: str = "none") -> Tensor:
    """x times the normal distribution function of x; ``approximate="tanh"`` estimates it."""
    if approximate == "tanh":
        inner = math.sqrt(2 / math.pi) * (input + 0.044715 * input * input * input)
        return 0.5 * input * (1 + _tl.tanh(inner))
    if approximate != "none":
        raise RuntimeError("approximate argument must be either none or tanh.")
    return input * 0.5 * (1 + _tl.erf(input * math.sqrt(0.5)))


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x * sigmoid(x)."""
    x = _read(inplace, input)
    return _write(inplace, input, x * _tl.sigmoid(x))


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x * tanh(softplus(x))."""
    x = _read(inplace, input)
    return _write(inplace, input, x * _tl.tanh(softplus(x)))


def softplus(input: Tensor, beta: float = 1, threshold: float = 20) -> Tensor:
    """log(1 + exp(beta * x)) / beta; x itself where ``beta * x`` exceeds ``threshold``."""
    scaled = input * beta
    small = _log1p(_tl.exp(scaled.clamp(max=threshold))) / beta
    return _tl.where(scaled > threshold, input, small)


def softsign(input: Tensor) -> Tensor:
    """x / (1 + \\|x\\|)."""
    return input / (1 + _tl.abs(input))


def logsigmoid(input: Tensor) -> Tensor:
    """log(sigmoid(x)), exact for large \\|x\\|."""
    a = _tl.abs(input)
    return (input - a) / 2 - _log1p(_tl.exp(-a))


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """x cut off at ``min_val`` and ``max_val``."""
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    return _write(inplace, input, _cut(input, min_val, max_val))


def _cut(input: Tensor, low: float, high: float) -> Tensor:
    # Unlike clamp, no gradient at the borders themselves.
    inside = (input > low) & (input < high)
    return _tl.where(inside, input, input.detach().clamp(low, high))


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x, 0), 6)."""
    return hardtanh(input, 0.0, 6.0, inplace)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x + 3, 0), 6) / 6."""
    return _write(inplace, input, _cut(input + 3, 0, 6) / 6)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x * min(max(x + 3, 0), 6) / 6."""
    x = _read(inplace, input)
    return _write(inplace, input, x * _cut(x + 3, 0, 6) / 6)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where greater than ``threshold``, ``value`` elsewhere."""
    return _write(inplace, input, _tl.where(input > threshold, input, _tl.full_like(input, value)))


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
        raise RuntimeError(
            f"Halving dimension must be even, but dimension {dim % input.dim()} is size {size}"
        )
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
    return _softmax(input, dim, dtype)


def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """``softmax(-input)``."""
    if dim is None:
        dim = _softmax_dim("softmin", input.dim())
    return _softmax(-input, dim, dtype)


def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """The logarithm of ``softmax``, computed without leaving the range of the dtype."""
    if dim is None:
        dim = _softmax_dim("log_softmax", input.dim())
    return _log_softmax(input, dim, dtype)


def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """A sample of the Gumbel-softmax distribution (Jang et al., 2016); ``hard`` gives one-hot vectors."""
    noise = -_tl.empty_like(logits).exponential_().log()
    soft = _softmax((logits + noise) / tau, dim)
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
        _warn(
            f"{name}: Received a {ndim}-D input to {name}, which is deprecated and will result in an error in a future "
            f"release. To retain the behavior and silence this warning, please use dropout instead. Note that {name} "
            f"exists to provide channel-wise dropout on inputs with {spatial} spatial dimensions, a channel dimension, "
            f"and an optional batch dimension (i.e. {spatial + 1}D or {spatial + 2}D inputs)."
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
    return _write(inplace, input, input * noise.mul_(a) + b)


# Embedding and encoding


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
    if padding_idx is not None:
        if not -weight.size(0) <= padding_idx < weight.size(0):
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding_idx %= weight.size(0)
    flat = input.reshape(-1)
    if flat.numel() and (flat.min().item() < 0 or flat.max().item() >= weight.size(0)):
        raise IndexError("index out of range in self")
    flat = flat.to(_tl.int64)
    if max_norm is not None:
        with _tl.no_grad():
            used = sorted(set(flat.tolist()))
            rows = weight.detach().index_select(0, _tl.tensor(used, dtype=_tl.int64))
            norms = (_tl.abs(rows) ** norm_type).sum(1, keepdim=True) ** (1.0 / norm_type)
            scaled = _tl.where(norms > max_norm, rows * (max_norm / (norms + 1e-7)), rows)
            for place, row in enumerate(used):
                weight.detach()[row] = scaled[place]
    source = weight
    if padding_idx is not None and weight.requires_grad:
        # The padding row is looked up in a detached table.
        rows = source.index_select(0, flat)
        keep = (flat != padding_idx).unsqueeze(1)
        rows = _tl.where(keep, rows, weight.detach().index_select(0, flat))
    else:
        rows = source.index_select(0, flat)
    return rows.reshape([*input.shape, weight.size(1)])


def one_hot(input: Tensor, num_classes: int = -1) -> Tensor:
    """An int64 tensor (*input.shape, num_classes) with a 1 where the class is; -1 counts the classes."""
    if input.dtype != _tl.int64:
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    if input.numel() == 0:
        if num_classes <= 0:
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
        return _tl.empty([*input.shape, num_classes], dtype=_tl.int64, device=input.device)
    if input.min().item() < 0:
        raise RuntimeError("Class values must be non-negative.")
    largest = input.max().item()
    if num_classes == -1:
        num_classes = largest + 1
    elif num_classes < 1:
        raise RuntimeError("num_classes should be positive")
    elif largest >= num_classes:
        raise RuntimeError("Class values must be smaller than num_classes.")
    result = _tl.zeros([*input.shape, num_classes], dtype=_tl.int64, device=input.device)
    return result.scatter_(-1, input.unsqueeze(-1), 1)


# Shapes


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """Puts elements before and after the last dims; negative counts cut.

    Args:
        input: the tensor.
        pad: pairs (before, after), last dim first.
        mode: ``constant``, ``reflect``, ``replicate`` or ``circular``.
        value: of ``constant``; 0 if None.

    Raises:
        RuntimeError: an odd count, more pairs than dims, or more padding than the mode can take from the tensor.
    """
    pad = list(pad)
    if len(pad) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(pad) // 2 > input.dim():
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(pad)} and input of dimension {input.dim()}"
        )
    if mode == "constant":
        return _constant_pad(input, pad, 0.0 if value is None else value)
    if value is not None and value != 0:
        raise ValueError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if len(pad) // 2 not in (input.dim() - 1, input.dim() - 2):
        raise NotImplementedError(
            "Only 2D, 3D, 4D, 5D padding with non-constant padding are supported for now"
        )
    for i in range(len(pad) // 2):
        before, after = pad[2 * i], pad[2 * i + 1]
        if before or after:
            input = _pad_from_itself(input, input.dim() - 1 - i, before, after, mode)
    return input


def _constant_pad(input: Tensor, pad: list[int], value: float) -> Tensor:
    shape = list(input.shape)
    inner = []
    for i in range(len(pad) // 2):
        dim = input.dim() - 1 - i
        before, after = pad[2 * i], pad[2 * i + 1]
        size = shape[dim] + before + after
        if size < 0:
            raise RuntimeError(
                f"The input size {shape[dim]}, plus negative padding {before} and {after} resulted in a negative "
                f"output size, which is invalid. Check dimension {dim} of your input."
            )
        if before < 0 or after < 0:
            start = max(-before, 0)
            input = input.narrow(dim, start, max(shape[dim] - start - max(-after, 0), 0))
        inner.append((dim, max(before, 0)))
        shape[dim] = size
    result = _tl.full(shape, value, dtype=input.dtype, device=input.device)
    view = result
    for dim, before in inner:
        view = view.narrow(dim, before, input.size(dim))
    view.copy_(input)
    return result


def _pad_from_itself(input: Tensor, dim: int, before: int, after: int, mode: str) -> Tensor:
    size = input.size(dim)
    if mode == "reflect" and (before >= size or after >= size):
        raise RuntimeError(
            "Argument #4: Padding size should be less than the corresponding input dimension, but got: padding "
            f"({before}, {after}) at dimension {dim} of input {list(input.shape)}"
        )
    if mode == "circular" and (before > size or after > size):
        raise RuntimeError("Padding value causes wrapping around more than once.")
    places = range(-before, size + after)
    if mode == "circular":
        index = [p % size for p in places]
    elif mode == "replicate":
        index = [min(max(p, 0), size - 1) for p in places]
    else:
        index = [size - 1 - abs(size - 1 - abs(p)) for p in places]
    return input.index_select(dim, _tl.tensor(index, dtype=_tl.int64, device=input.device))


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """(*, C * r**2, H, W) to (*, C, H * r, W * r)."""
    r = upscale_factor
    *lead, channels, height, width = input.shape
    if channels % (r * r):
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, "
            f"but input.size(-3)={channels} is not divisible by {r * r}"
        )
    n = len(lead)
    x = input.reshape([*lead, channels // (r * r), r, r, height, width])
    x = x.permute([*range(n), n, n + 3, n + 1, n + 4, n + 2])
    return x.reshape([*lead, channels // (r * r), height * r, width * r])


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """(*, C, H * r, W * r) to (*, C * r**2, H, W)."""
    r = downscale_factor
    *lead, channels, height, width = input.shape
    n = len(lead)
    x = input.reshape([*lead, channels, height // r, r, width // r, r])
    x = x.permute([*range(n), n, n + 2, n + 4, n + 1, n + 3])
    return x.reshape([*lead, channels * r * r, height // r, width // r])


def interpolate(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Resamples the spatial dims of ``input`` (N, C, ...) to ``size`` or by ``scale_factor``.

    ``mode`` is ``nearest``, or ``linear``/``bilinear``/``trilinear`` for one, two or three spatial dims.
    """
    n = input.dim() - 2
    if (size is None) == (scale_factor is None):
        raise ValueError(
            "either size or scale_factor should be defined"
            if size is None
            else "only one of size or scale_factor should be defined"
        )
    if align_corners is not None and mode in ("nearest", "nearest-exact", "area"):
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear"
        )
    if antialias or mode not in ("nearest", "linear", "bilinear", "trilinear"):
        raise NotImplementedError(f"interpolate: mode {mode!r} with antialias={antialias} is not there yet")
    if mode != "nearest" and {"linear": 1, "bilinear": 2, "trilinear": 3}[mode] != n:
        raise NotImplementedError(f"Got {input.dim()}D input, but {mode} mode needs another number of dims")
    sizes = _tuple(size, n) if size is not None else None
    factors = _tuple(scale_factor, n) if scale_factor is not None else None
    for i in range(n):
        dim = 2 + i
        old = input.size(dim)
        new = sizes[i] if sizes is not None else math.floor(old * factors[i])
        step = old / new if factors is None or recompute_scale_factor else 1.0 / factors[i]
        if mode == "nearest":
            if new == old and step == 1:
                continue
            index = [min(math.floor(j * step), old - 1) for j in range(new)]
            input = input.index_select(dim, _tl.tensor(index, dtype=_tl.int64, device=input.device))
            continue
        if align_corners:
            step = (old - 1) / (new - 1) if new > 1 else 0.0
            places = [j * step for j in range(new)]
        else:
            places = [max((j + 0.5) * step - 0.5, 0.0) for j in range(new)]
        low = [min(int(p), old - 1) for p in places]
        high = [min(p + 1, old - 1) for p in low]
        part = _tl.tensor([p - q for p, q in zip(places, low)], dtype=input.dtype, device=input.device)
        part = part.reshape([-1] + [1] * (input.dim() - 1 - dim))
        a = input.index_select(dim, _tl.tensor(low, dtype=_tl.int64, device=input.device))
        b = input.index_select(dim, _tl.tensor(high, dtype=_tl.int64, device=input.device))
        input = a * (1 - part) + b * part
    return input


def unfold(input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """The windows of ``input`` (N, C, H, W) as columns: (N, C * kernel, windows)."""
    (kh, kw), (dh, dw), (ph, pw), (sh, sw) = (_tuple(v, 2) for v in (kernel_size, dilation, padding, stride))
    if ph or pw:
        input = pad(input, [pw, pw, ph, ph])
    unbatched = input.dim() == 3
    if unbatched:
        input = input.unsqueeze(0)
    count, channels, height, width = input.shape
    rows = (height - dh * (kh - 1) - 1) // sh + 1
    cols = (width - dw * (kw - 1) - 1) // sw + 1
    parts = [
        input[:, :, i * dh : i * dh + (rows - 1) * sh + 1 : sh, j * dw : j * dw + (cols - 1) * sw + 1 : sw]
        for i in range(kh)
        for j in range(kw)
    ]
    result = _tl.stack(parts, 2).reshape([count, channels * kh * kw, rows * cols])
    return result.squeeze(0) if unbatched else result


# Normalisation


def normalize(input: Tensor, p: float = 2.0, dim: Any = 1, eps: float = 1e-12, out: Tensor | None = None) -> Tensor:
    """``input`` over its p-norm along ``dim``, which counts as at least ``eps``."""
    if not (input.is_floating_point() or input.is_complex()):
        raise RuntimeError(
            "linalg.vector_norm: Expected a floating point or complex tensor as input. Got "
            f"{input.type().rpartition('.')[2].removesuffix('Tensor')}"
        )
    result = input / _vector_norm(input, p, dim).clamp(min=eps).expand_as(input)
    return result if out is None else out.copy_(result)


def _vector_norm(input: Tensor, p: float, dim: Any) -> Tensor:
    if hasattr(input, "norm"):
        return input.norm(p, dim, keepdim=True)
    a = _tl.abs(input)
    if p == math.inf:
        return a.max(dim, keepdim=True)[0]
    if p == 1:
        return a.sum(dim, keepdim=True)
    if p == 2:
        return _tl.sqrt((a * a).sum(dim, keepdim=True))
    return (a**p).sum(dim, keepdim=True) ** (1.0 / p)


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Brings the last dims, of ``normalized_shape``, to mean 0 and variance 1 (Ba et al., 2016)."""
    shape = list(normalized_shape)
    n = len(shape)
    if input.dim() < n or list(input.shape[input.dim() - n :]) != shape:
        sizes = ", ".join(map(str, shape))
        raise RuntimeError(
            f"Given normalized_shape=[{sizes}], expected input with shape [*, {sizes}], but got input of "
            f"size{list(input.shape)}"
        )
    dims = list(range(-n, 0))
    centred = input - input.mean(dims, keepdim=True)
    result = centred / _tl.sqrt((centred * centred).mean(dims, keepdim=True) + eps)
    if weight is not None:
        result = result * weight
    return result if bias is None else result + bias


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
    shape = [1, -1] + [1] * (input.dim() - 2)
    dims = [0, *range(2, input.dim())]
    if training:
        _check_more_than_one(input.shape)
        mean = input.mean(dims)
        centred = input - mean.reshape(shape)
        var = (centred * centred).mean(dims)
        if running_mean is not None:
            count = input.numel() // input.size(1)
            with _tl.no_grad():
                running_mean.mul_(1 - momentum).add_(mean.detach() * momentum)
                running_var.mul_(1 - momentum).add_(var.detach() * (momentum * count / (count - 1)))
    else:
        if running_mean is None or running_var is None:
            raise RuntimeError("Expected running_mean and running_var to be defined when training=False")
        mean, var = running_mean, running_var
        centred = input - mean.reshape(shape)
    scale = 1 / _tl.sqrt(var + eps)
    if weight is not None:
        scale = scale * weight
    result = centred * scale.reshape(shape)
    return result if bias is None else result + bias.reshape(shape)


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
    shape = [1, -1] + [1] * (input.dim() - 2)
    if use_input_stats:
        if math.prod(input.shape[2:]) == 1:
            raise ValueError(f"Expected more than 1 spatial element when training, got input size {input.shape}")
        dims = list(range(2, input.dim()))
        mean = input.mean(dims, keepdim=True)
        centred = input - mean
        var = (centred * centred).mean(dims, keepdim=True)
        if running_mean is not None:
            count = math.prod(input.shape[2:])
            with _tl.no_grad():
                running_mean.mul_(1 - momentum).add_(mean.detach().mean(0).reshape(-1) * momentum)
                factor = momentum * count / (count - 1)
                running_var.mul_(1 - momentum).add_(var.detach().mean(0).reshape(-1) * factor)
    else:
        centred = input - running_mean.reshape(shape)
        var = running_var.reshape(shape)
    result = centred / _tl.sqrt(var + eps)
    if weight is not None:
        result = result * weight.reshape(shape)
    return result if bias is None else result + bias.reshape(shape)


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """Brings groups of channels of each sample to mean 0 and variance 1 (Wu and He, 2018)."""
    count, channels = input.shape[:2]
    if channels % num_groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of shape "
            f"{list(input.shape)} and num_groups={num_groups}"
        )
    x = input.reshape([count, num_groups, -1])
    centred = x - x.mean(2, keepdim=True)
    x = centred / _tl.sqrt((centred * centred).mean(2, keepdim=True) + eps)
    x = x.reshape(input.shape)
    shape = [1, -1] + [1] * (input.dim() - 2)
    if weight is not None:
        x = x * weight.reshape(shape)
    return x if bias is None else x + bias.reshape(shape)


# Losses


def _reduce(loss: Tensor, reduction: str) -> Tensor:
    _reduction.check(reduction)
    return loss if reduction == "none" else loss.mean() if reduction == "mean" else loss.sum()


def _warn_sizes(input: Tensor, target: Tensor) -> None:
    if target.shape != input.shape:
        import warnings

        warnings.warn(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}). This will "
            "likely lead to incorrect results due to broadcasting. Please ensure they have the same size.",
            stacklevel=3,
        )


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The squared differences of ``input`` and ``target``: their mean, sum, or all of them."""
    if target.shape != input.shape:
        _warn_sizes(input, target)
    if size_average is not None or reduce is not None:
        reduction = _reduction.legacy(size_average, reduce)
    if weight is not None:
        difference = input - target
        loss = difference * difference * weight
        return loss.sum() / weight.expand_as(loss).sum() if reduction == "mean" else _reduce(loss, reduction)
    return _mse_loss(input, target, _reduction.check(reduction))


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The absolute differences of ``input`` and ``target``: their mean, sum, or all of them."""
    _warn_sizes(input, target)
    if size_average is not None or reduce is not None:
        reduction = _reduction.legacy(size_average, reduce)
    loss = _tl.abs(input - target)
    if weight is not None:
        loss = loss * weight
        if reduction == "mean":
            return loss.sum() / weight.expand_as(loss).sum()
    return _reduce(loss, reduction)


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """``0.5 * d**2 / beta`` where the difference d is below ``beta``, ``d - 0.5 * beta`` elsewhere."""
    _warn_sizes(input, target)
    if size_average is not None or reduce is not None:
        reduction = _reduction.legacy(size_average, reduce)
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    d = _tl.abs(input - target)
    if beta == 0:
        return _reduce(d, reduction)
    return _reduce(_tl.where(d < beta, 0.5 * d * d / beta, d - 0.5 * beta), reduction)


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """``0.5 * d**2`` where the difference d is at most ``delta``, ``delta * (d - 0.5 * delta)`` elsewhere."""
    _warn_sizes(input, target)
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    d = _tl.abs(input - target)
    loss = _tl.where(d <= delta, 0.5 * d * d, delta * (d - 0.5 * delta))
    if weight is not None:
        loss = loss * weight
        if reduction == "mean":
            return loss.sum() / weight.expand_as(loss).sum()
    return _reduce(loss, reduction)


def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """log(1 + exp(-target * input)) for targets of 1 and -1."""
    if size_average is not None or reduce is not None:
        reduction = _reduction.legacy(size_average, reduce)
    return _reduce(_log1p(_tl.exp(-target * input)), reduction)


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """The Kullback-Leibler divergence of ``target`` from the log-probabilities ``input``."""
    if size_average is not None or reduce is not None:
        reduction = _reduction.legacy(size_average, reduce)
    if log_target:
        loss = _tl.exp(target) * (target - input)
    else:
        safe = _tl.where(target > 0, target, _tl.ones_like(target))
        loss = _tl.where(target > 0, target * _tl.log(safe), _tl.zeros_like(target)) - target * input
    if reduction == "batchmean":
        return loss.sum() / input.size(0) if input.dim() else loss.sum()
    if reduction == "mean":
        _warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL div math definition."
            "'mean' will be changed to behave the same as 'batchmean' in the next major release."
        )
    return _reduce(loss, reduction)


_BinaryCrossEntropy: Any = None


def _binary_cross_entropy_function() -> Any:
    """Elementwise, with a gradient that stays finite at 0 and 1. Made late, for it needs ``autograd.Function``."""
    global _BinaryCrossEntropy
    if _BinaryCrossEntropy is None:

        class BinaryCrossEntropy(_tl.autograd.Function):
            @staticmethod
            def forward(ctx, input, target):
                ctx.save_for_backward(input, target)
                log = _tl.log(input).clamp(min=-100)
                log_other = _tl.log(1 - input).clamp(min=-100)
                return (target - 1) * log_other - target * log

            @staticmethod
            def backward(ctx, grad):
                input, target = ctx.saved_tensors
                for_input = for_target = None
                if ctx.needs_input_grad[0]:
                    for_input = grad * (input - target) / ((1 - input) * input).clamp(min=1e-12)
                if ctx.needs_input_grad[1]:
                    log = _tl.log(input).clamp(min=-100)
                    for_target = grad * (_tl.log(1 - input).clamp(min=-100) - log)
                return for_input, for_target

        _BinaryCrossEntropy = BinaryCrossEntropy
    return _BinaryCrossEntropy


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-(t * log(x) + (1 - t) * log(1 - x)) of probabilities x; logarithms count as at least -100."""
    if size_average is not None or reduce is not None:
        reduction = _reduction.legacy(size_average, reduce)
    if target.shape != input.shape:
        raise ValueError(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}) is deprecated. "
            "Please ensure they have the same size."
        )
    if input.dtype != target.dtype:
        raise RuntimeError(f"Found dtype {target.dtype} but expected {input.dtype}: give the target the input's dtype")
    plain = input.detach()
    if not bool(((plain >= 0) & (plain <= 1)).all()):
        raise RuntimeError("all elements of input should be between 0 and 1")
    loss = _binary_cross_entropy_function().apply(input, target)
    return _reduce(loss if weight is None else loss * weight, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """``binary_cross_entropy(sigmoid(input), target)`` without leaving the range of the dtype.

    ``pos_weight`` multiplies the loss of positive targets.
    """
    if size_average is not None or reduce is not None:
        reduction = _reduction.legacy(size_average, reduce)
    if target.shape != input.shape:
        raise ValueError(f"Target size ({target.shape}) must be the same as input size ({input.shape})")
    log = logsigmoid(input)
    if pos_weight is not None:
        log = log * ((pos_weight - 1) * target + 1)
    loss = (1 - target) * input - log
    return _reduce(loss if weight is None else loss * weight, reduction)


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Minus the log-probability of the target class.

    Args:
        input: log-probabilities (N, C), (C) or (N, C, d1, ...).
        target: int64 classes (N), () or (N, d1, ...).
        weight: of the classes, (C).
        ignore_index: targets of this value count nothing.
        reduction: ``mean`` (over the weights of the targets), ``sum`` or ``none``.

    Raises:
        IndexError: a target is no class.
        ValueError: the sizes do not match.
    """
    if size_average is not None or reduce is not None:
        reduction = _reduction.legacy(size_average, reduce)
    return _nll_loss(input, target, weight, _reduction.check(reduction), ignore_index)


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """``nll_loss`` of ``log_softmax(input)``.

    Args:
        input: scores (N, C), (C) or (N, C, d1, ...).
        target: classes as int64 (N), () or (N, d1, ...), or probabilities of the input's shape.
        weight: of the classes, (C).
        ignore_index: targets of this value count nothing.
        reduction: ``mean``, ``sum`` or ``none``.
        label_smoothing: how much of the target is spread over all classes, in [0, 1].
    """
    if size_average is not None or reduce is not None:
        reduction = _reduction.legacy(size_average, reduce)
    dim = 0 if input.dim() == 1 else 1
    if target.shape == input.shape and input.dim() > 0:
        return _cross_entropy_of_probabilities(input, target, weight, reduction, label_smoothing, ignore_index, dim)
    if label_smoothing == 0:
        return _nll_loss(_log_softmax(input, dim), target, weight, _reduction.check(reduction), ignore_index)
    if not 0 < label_smoothing <= 1:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")

    log = _log_softmax(input, dim)
    loss = _nll_loss(log, target, weight, _reduction.check(reduction), ignore_index)
    ignored = target == ignore_index
    if weight is not None:
        smooth = -(log * weight.reshape([-1] + [1] * (input.dim() - 1 - dim))).sum(dim)
    else:
        smooth = -log.sum(dim)
    smooth = _tl.where(ignored, _tl.zeros_like(smooth), smooth)
    if reduction == "mean":
        if weight is not None:
            classes = _tl.where(ignored, _tl.zeros_like(target), target)
            used = weight.index_select(0, classes.reshape(-1)).reshape(target.shape)
            smooth = smooth.sum() / _tl.where(ignored, _tl.zeros_like(used), used).sum()
        else:
            smooth = smooth.sum() / (~ignored).sum()
    elif reduction == "sum":
        smooth = smooth.sum()
    return loss * (1 - label_smoothing) + smooth * (label_smoothing / input.size(dim))


def _cross_entropy_of_probabilities(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None,
    reduction: str,
    label_smoothing: float,
    ignore_index: int,
    dim: int,
) -> Tensor:
    if not target.is_floating_point():
        raise RuntimeError(
            f"Expected floating point type for target with class probabilities, got {target.type().rpartition('.')[2]}"
        )
    if ignore_index >= 0:
        raise RuntimeError("ignore_index is not supported for floating point target")
    if not 0 <= label_smoothing <= 1:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    _reduction.check(reduction)
    classes = input.size(dim)
    if label_smoothing:
        target = target * (1 - label_smoothing) + label_smoothing / classes
    loss = _log_softmax(input, dim) * target
    if weight is not None:
        loss = loss * weight.reshape([-1] + [1] * (input.dim() - 1 - dim))
    if reduction == "none":
        return -loss.sum(dim)
    return -loss.sum() / (input.numel() / classes) if reduction == "mean" else -loss.sum()


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Minus the log-likelihood of counts ``target`` under Poisson rates ``input`` (or their logarithms)."""
    if size_average is not None or reduce is not None:
        reduction = _reduction.legacy(size_average, reduce)
    loss = _tl.exp(input) - target * input if log_input else input - target * _tl.log(input + eps)
    if full:
        safe = _tl.where(target > 1, target, _tl.ones_like(target))
        stirling = safe * _tl.log(safe) - safe + 0.5 * _tl.log(2 * math.pi * safe)
        loss = loss + _tl.where(target > 1, stirling, _tl.zeros_like(loss))
    return _reduce(loss, reduction)


def gaussian_nll_loss(
    input: Tensor, target: Tensor, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Tensor:
    """Minus the log-likelihood of ``target`` under N(input, var)."""
    if not isinstance(var, Tensor):
        var = _tl.full_like(input, var)
    if bool((var < 0).any()):
        raise ValueError("var has negative entry/entries")
    with _tl.no_grad():
        lowest = var.clamp(min=eps)
    var = var + (lowest - var.detach())
    difference = input - target
    loss = 0.5 * (_tl.log(var) + difference * difference / var)
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return _reduce(loss, reduction)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between vectors along ``dim``."""
    n1 = _vector_norm(x1, 2, dim).clamp(min=eps)
    n2 = _vector_norm(x2, 2, dim).clamp(min=eps)
    return ((x1 / n1) * (x2 / n2)).sum(dim)


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """The p-norm of ``x1 - x2 + eps`` along the last dim."""
    distance = _vector_norm(x1 - x2 + eps, p, -1)
    return distance if keepdim else distance.squeeze(-1)


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, -target * (input1 - input2) + margin)."""
    if size_average is not None or reduce is not None:
        reduction = _reduction.legacy(size_average, reduce)
    return _reduce((-target * (input1 - input2) + margin).clamp(min=0), reduction)


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """input where the target is 1, max(0, margin - input) where it is -1."""
    if size_average is not None or reduce is not None:
        reduction = _reduction.legacy(size_average, reduce)
    zero = _tl.zeros_like(input)
    loss = _tl.where(target != 1, (margin - input).clamp(min=0), zero) + _tl.where(target != -1, input, zero)
    return _reduce(loss, reduction)


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, d(anchor, positive) - d(anchor, negative) + margin)."""
    if size_average is not None or reduce is not None:
        reduction = _reduction.legacy(size_average, reduce)
    near = pairwise_distance(anchor, positive, p, eps)
    far = pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = _tl.minimum(far, pairwise_distance(positive, negative, p, eps))
    return _reduce((near - far + margin).clamp(min=0), reduction)


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """1 - cos where the target is 1, max(0, cos - margin) where it is -1."""
    if size_average is not None or reduce is not None:
        reduction = _reduction.legacy(size_average, reduce)
    cos = cosine_similarity(input1, input2, -1)
    zero = _tl.zeros_like(cos)
    loss = _tl.where(target == 1, 1 - cos, zero) + _tl.where(target == -1, (cos - margin).clamp(min=0), zero)
    return _reduce(loss, reduction)


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
    weights = _softmax(scores, -1)
    if dropout_p:
        weights = dropout(weights, dropout_p)
    return weights @ value
