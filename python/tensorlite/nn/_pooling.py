"""Poolings; part of ``nn.functional``."""

from __future__ import annotations

import math
from typing import Any

import tensorlite as _tl

from ._shapes import _tuple, _type_name

Tensor = _tl.Tensor
_C = _tl._C.nn

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool1d_with_indices",
    "adaptive_max_pool2d",
    "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d",
    "adaptive_max_pool3d_with_indices",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "fractional_max_pool2d",
    "fractional_max_pool2d_with_indices",
    "fractional_max_pool3d",
    "fractional_max_pool3d_with_indices",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "max_pool1d",
    "max_pool1d_with_indices",
    "max_pool2d",
    "max_pool2d_with_indices",
    "max_pool3d",
    "max_pool3d_with_indices",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
]


avg_pool1d = _tl.avg_pool1d
avg_pool2d = _C.avg_pool2d
avg_pool3d = _C.avg_pool3d
adaptive_avg_pool1d = _tl.adaptive_avg_pool1d

_max_pool2d = _tl.max_pool2d


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


def max_pool3d_with_indices(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    """``max_pool3d`` with the places of the maxima."""
    return max_pool3d(*args, **{**kwargs, "return_indices": True})


# To a size


def _output_size(input: Tensor, output_size: Any) -> Any:
    """None keeps a size."""
    if not isinstance(output_size, (tuple, list)):
        return output_size
    if input.dim() <= len(output_size):
        raise ValueError(f"Input dimension should be at least {len(output_size) + 1}")
    kept = input.shape[input.dim() - len(output_size) :]
    return [old if new is None else new for old, new in zip(kept, output_size)]


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """Means of (height, width) windows that cover ``input`` (N, C, H, W) or (C, H, W); None keeps a size."""
    sizes = _output_size(input, output_size)
    if _tuple(sizes, 2) == (1, 1) and input.dim() in (3, 4) and input.numel():
        return input.mean((-2, -1), keepdim=True)
    return _C.adaptive_avg_pool2d(input, sizes)


def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """Means of (depth, height, width) windows that cover ``input``; None keeps a size."""
    sizes = _output_size(input, output_size)
    if _tuple(sizes, 3) == (1, 1, 1) and input.dim() in (4, 5) and input.numel():
        return input.mean((-3, -2, -1), keepdim=True)
    return _C.adaptive_avg_pool3d(input, sizes)


def adaptive_max_pool1d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Maxima of ``output_size`` windows that cover ``input`` (N, C, L) or (C, L)."""
    result = _tl.adaptive_max_pool1d(input, output_size)
    return result if return_indices else result[0]


def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Maxima of (height, width) windows that cover ``input`` (N, C, H, W) or (C, H, W); None keeps a size."""
    result = _C.adaptive_max_pool2d(input, _output_size(input, output_size))
    return result if return_indices else result[0]


def adaptive_max_pool3d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Maxima of (depth, height, width) windows that cover ``input``; None keeps a size."""
    result = _C.adaptive_max_pool3d(input, _output_size(input, output_size))
    return result if return_indices else result[0]


def adaptive_max_pool1d_with_indices(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """``adaptive_max_pool1d`` with the places of the maxima."""
    return adaptive_max_pool1d(input, output_size, True)


def adaptive_max_pool2d_with_indices(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """``adaptive_max_pool2d`` with the places of the maxima."""
    return adaptive_max_pool2d(input, output_size, True)


def adaptive_max_pool3d_with_indices(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """``adaptive_max_pool3d`` with the places of the maxima."""
    return adaptive_max_pool3d(input, output_size, True)


# By the power


def _lp_pool(input: Tensor, norm_type: float, kernel_size: Any, stride: Any, ceil_mode: bool, dims: int) -> Tensor:
    kernel = _tuple(kernel_size, dims)
    pool = (avg_pool1d, avg_pool2d, avg_pool3d)[dims - 1]
    mean = pool(input.pow(norm_type), kernel_size, stride, 0, ceil_mode)
    return (_tl.sign(mean) * _tl.nn.functional.relu(_tl.abs(mean))).mul(math.prod(kernel)).pow(1.0 / norm_type)


def lp_pool1d(
    input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Tensor:
    """The p-norm of each window of ``input`` (N, C, L) or (C, L)."""
    return _lp_pool(input, norm_type, kernel_size, stride, ceil_mode, 1)


def lp_pool2d(
    input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Tensor:
    """The p-norm of each window of ``input`` (N, C, H, W) or (C, H, W)."""
    return _lp_pool(input, norm_type, kernel_size, stride, ceil_mode, 2)


def lp_pool3d(
    input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Tensor:
    """The p-norm of each window of ``input`` (N, C, D, H, W) or (C, D, H, W)."""
    return _lp_pool(input, norm_type, kernel_size, stride, ceil_mode, 3)


# With windows at random places


def _fractional(
    input: Tensor, kernel_size: Any, output_size: Any, output_ratio: Any, samples: Tensor | None, dims: int
) -> tuple[Tensor, Tensor]:
    name = f"fractional_max_pool{dims}d"
    if output_size is None and output_ratio is None:
        raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
    if input.dim() < dims + 1:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-max(input.dim(), 1)}, {max(input.dim(), 1) - 1}], "
            f"but got {-dims - 1}). {name} takes {dims + 2}D or {dims + 1}D inputs."
        )
    size = input.shape[-dims:]
    if output_size is None:
        if len(output_ratio) > dims:
            raise ValueError(f"{name} requires output_ratio to either be a single Int or tuple of Ints.")
        output_size = [int(n * r) for n, r in zip(size, _tuple(output_ratio, dims))]
    for what, value in (("kernel_size", kernel_size), ("output_size", output_size)):
        if isinstance(value, (tuple, list)) and len(value) not in (1, dims):
            raise RuntimeError(f"{name}: {what} must either be a single Int or tuple of Ints")
    kernel, wanted = _tuple(kernel_size, dims), _tuple(output_size, dims)
    x = input if input.dim() == dims + 2 else input.unsqueeze(0)
    if x.dim() != dims + 2 or 0 in x.shape[1:]:
        raise RuntimeError(
            f"{name}(): Expected {dims + 1}D or {dims + 2}D tensor, with non-zero sizes but the batch's, but got: "
            f"{list(input.shape)}"
        )
    for k, n, out, word in zip(kernel, size, wanted, ("time", "height", "width")[3 - dims :]):
        if out + k - 1 > n:
            raise RuntimeError(f"{name}(): pool {word} {k} too large relative to input {word} {n}")
    if not input.is_floating_point():
        raise NotImplementedError(
            f"\"{name}_out_frame\" not implemented for '{_type_name(input)}'. Convert it to a floating dtype first."
        )
    count, channels = x.shape[:2]
    if samples is None:
        samples = _tl.rand(count, channels, dims, dtype=input.dtype, device=input.device)
    # Where the windows of each channel begin. The last dim of an image takes the first number of a sample.
    begins = []
    for d in range(dims):
        u = samples[..., dims - 1 - d if dims == 2 else d].unsqueeze(-1)
        n, out, k = size[d], wanted[d], kernel[d]
        steps = _tl.arange(out, dtype=samples.dtype, device=x.device)
        alpha = (n - k) / (out - 1) if out > 1 else 0.0
        begin = ((steps + u) * alpha).to(_tl.int64) - (u * alpha).to(_tl.int64)
        begin[..., -1] = n - k
        begins.append(begin)
    place = None
    for d, begin in enumerate(begins):
        at = begin.unsqueeze(-1) + _tl.arange(kernel[d], device=x.device)
        shape = [count, channels, *[1] * (2 * dims)]
        shape[2 + d], shape[2 + dims + d] = wanted[d], kernel[d]
        at = at.view(shape)
        place = at if place is None else place * size[d] + at
    place = place.flatten(-dims)
    values = x.flatten(2).gather(2, place.flatten(2)).view(place.shape)
    # NaN wins, the later of equals does not.
    which = values.detach().argmax(-1, keepdim=True)
    shape = [*input.shape[:-dims], *wanted]
    return tuple(_tl._C._unsafe_view(t.gather(-1, which), shape) for t in (values, place))


def fractional_max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """``fractional_max_pool2d`` with the places of the maxima."""
    return _fractional(input, kernel_size, output_size, output_ratio, _random_samples, 2)


def fractional_max_pool2d(
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """Maxima of windows whose steps are drawn so that they fill ``input`` (N, C, H, W) or (C, H, W) (Graham, 2014).

    Args:
        input: the tensor.
        kernel_size: one int or (height, width).
        output_size: one int or (height, width).
        output_ratio: instead of ``output_size``, a pair of numbers between 0 and 1.
        return_indices: whether the places of the maxima, in H * W, are returned too.
        _random_samples: (N, C, 2), instead of drawn numbers.
    """
    result = _fractional(input, kernel_size, output_size, output_ratio, _random_samples, 2)
    return result if return_indices else result[0]


def fractional_max_pool3d_with_indices(
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """``fractional_max_pool3d`` with the places of the maxima."""
    return _fractional(input, kernel_size, output_size, output_ratio, _random_samples, 3)


def fractional_max_pool3d(
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """``fractional_max_pool2d`` of ``input`` (N, C, D, H, W) or (C, D, H, W)."""
    result = _fractional(input, kernel_size, output_size, output_ratio, _random_samples, 3)
    return result if return_indices else result[0]


# Back to the places of the maxima


def _unpool(
    input: Tensor, indices: Tensor, kernel_size: Any, stride: Any, padding: Any, output_size: Any, dims: int
) -> Tensor:
    kernel, pads = _tuple(kernel_size, dims), _tuple(padding, dims)
    steps = kernel if stride is None else _tuple(stride, dims)
    old = input.shape[-dims:] if input.dim() >= dims else input.shape
    default = [(n - 1) * s + k - 2 * p for n, s, k, p in zip(old, steps, kernel, pads)]
    if output_size is None:
        size = default
    else:
        size = list(output_size)
        if len(size) == dims + 2:
            size = size[-dims:]
        if len(size) != dims:
            raise ValueError(
                f"output_size should be a sequence containing {dims} or {dims + 2} elements, but it has a length of "
                f"'{len(output_size)}'"
            )
        for d, (n, usual, s) in enumerate(zip(size, default, steps)):
            if not usual - s < n < usual + s:
                raise ValueError(
                    f'invalid output_size "{output_size}" (dim {d} must be between {usual - s} and {usual + s})'
                )
    if indices.dtype != _tl.int64:
        raise RuntimeError(f"elements in indices should be type int64 but got: {_type_name(indices)}")
    if input.dim() not in (dims + 1, dims + 2):
        word = {1: "max_unpooling1d", 2: "max_unpooling2d", 3: "max_unpooling3d"}[dims]
        raise RuntimeError(
            f"Input to {word} should be a {dims + 1}d or {dims + 2}d Tensor, but got a tensor with {input.dim()} "
            "dimensions."
        )
    if input.shape != indices.shape:
        raise RuntimeError(
            f"Expected shape of indices to be same as that of the input tensor ({list(input.shape)}) but got indices "
            f"tensor with shape: {list(indices.shape)}"
        )
    if not input.is_floating_point():
        raise NotImplementedError(
            f"\"max_unpool{dims}d\" not implemented for '{_type_name(input)}'. Convert it to a floating dtype first."
        )
    volume = math.prod(size)
    flat = indices.flatten(-dims)
    if flat.numel():
        bad = (flat < 0) | (flat >= volume)
        if bool(bad.any()):
            shown = "x".join(map(str, [*size, 1] if dims == 1 else size))
            raise RuntimeError(
                f"Found an invalid max index: {int(flat[bad][0])} (output volumes are of size {shown}). The size that "
                "was pooled is given as output_size."
            )
    lead = input.shape[:-dims]
    result = input.new_zeros([*lead, volume]).scatter(-1, flat, input.flatten(-dims))
    if dims == 1:
        return _tl._C._unsafe_view(result, [*lead, *size, 1]).squeeze(-1)
    result = _tl._C._unsafe_view(result, [*lead, *size])
    if dims == 2 and input.dim() == 4 and not input.is_contiguous() and input.permute(0, 2, 3, 1).is_contiguous():
        # Channels that lie side by side stay so.
        n, c, h, w = result.shape
        result = result.new_empty_strided(result.shape, (c * h * w, 1, w * c, c)).copy_(result)
    return result


def max_unpool1d(
    input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Tensor:
    """Puts the maxima of ``max_pool1d`` back to their places, zeros elsewhere; see ``max_unpool2d``."""
    return _unpool(input, indices, kernel_size, stride, padding, output_size, 1)


def max_unpool2d(
    input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Tensor:
    """Puts the maxima of ``max_pool2d`` back to their places, zeros elsewhere.

    Args:
        input: (N, C, H, W) or (C, H, W).
        indices: of the input's shape, as ``max_pool2d`` returns them.
        kernel_size: of the pooling.
        stride: of the pooling; ``kernel_size`` if None.
        padding: of the pooling.
        output_size: of the result, where several sizes could have been pooled to the input's.
    """
    return _unpool(input, indices, kernel_size, stride, padding, output_size, 2)


def max_unpool3d(
    input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Tensor:
    """Puts the maxima of ``max_pool3d`` back to their places, zeros elsewhere; see ``max_unpool2d``."""
    return _unpool(input, indices, kernel_size, stride, padding, output_size, 3)
