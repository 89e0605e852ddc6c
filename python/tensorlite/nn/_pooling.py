"""Poolings; part of ``nn.functional``."""

from __future__ import annotations

from typing import Any

import tensorlite as _tl

from ._shapes import _tuple

Tensor = _tl.Tensor
_C = _tl._C.nn

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "max_pool1d",
    "max_pool1d_with_indices",
    "max_pool2d",
    "max_pool2d_with_indices",
    "max_pool3d",
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


def _output_size(output_size: Any, n: int) -> tuple[int, ...]:
    """None keeps a size: -1 for the operator."""
    return tuple(-1 if s is None else s for s in _tuple(output_size, n))


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """Means of (height, width) windows that cover ``input`` (N, C, H, W) or (C, H, W); None keeps a size."""
    sizes = _output_size(output_size, 2)
    if sizes == (1, 1) and input.dim() in (3, 4) and input.numel():
        return input.mean((-2, -1), keepdim=True)
    return _C.adaptive_avg_pool2d(input, sizes)


def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """Means of (depth, height, width) windows that cover ``input``; None keeps a size."""
    sizes = _output_size(output_size, 3)
    if sizes == (1, 1, 1) and input.dim() in (4, 5) and input.numel():
        return input.mean((-3, -2, -1), keepdim=True)
    return _C.adaptive_avg_pool3d(input, sizes)


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
