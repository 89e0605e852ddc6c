"""Dropout; part of ``nn.functional``."""

from __future__ import annotations

import math
from collections.abc import Sequence

import tensorlite as _tl

Tensor = _tl.Tensor
_C = _tl._C.nn

__all__ = [
    "alpha_dropout",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "feature_alpha_dropout",
]


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
    if inplace:
        return input
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


def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """``alpha_dropout`` of whole channels."""
    _check_probability(p)
    if not training or p == 0 or input.numel() == 0:
        return input
    if input.dim() < 2:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    shape = [input.size(0), input.size(1)] + [1] * (input.dim() - 2)
    return _alpha(input, _tl.empty(shape, dtype=input.dtype, device=input.device), p, inplace)


def _alpha(input: Tensor, noise: Tensor, p: float, inplace: bool) -> Tensor:
    if p == 1:
        return input.mul_(0) if inplace else input * 0
    alpha = 1.7580993408473766
    a = 1.0 / math.sqrt((alpha * alpha * p + 1) * (1 - p))
    noise.bernoulli_(1 - p)
    b = noise.add(-1).mul_(alpha * a).add_(alpha * a * p)
    return input.mul_(noise.mul_(a)).add_(b) if inplace else input * noise.mul_(a) + b


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Dropout that keeps mean and variance of SELU networks (Klambauer et al., 2017)."""
    _check_probability(p)
    if not training or p == 0 or input.numel() == 0:
        return input
    return _alpha(input, _tl.empty_like(input, requires_grad=False), p, inplace)
