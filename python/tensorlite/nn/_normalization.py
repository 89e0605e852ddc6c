"""Normalisations; part of ``nn.functional``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import tensorlite as _tl

from ._losses import _norm
from ._shapes import _type_name

Tensor = _tl.Tensor
_C = _tl._C.nn

__all__ = [
    "batch_norm",
    "group_norm",
    "instance_norm",
    "layer_norm",
    "local_response_norm",
    "normalize",
    "rms_norm",
]


def normalize(input: Tensor, p: float = 2.0, dim: Any = 1, eps: float = 1e-12, out: Tensor | None = None) -> Tensor:
    """``input`` over its p-norm along ``dim``, which counts as at least ``eps``."""
    if not (input.is_floating_point() or input.is_complex()):
        raise RuntimeError(
            "linalg.vector_norm: Expected a floating point or complex tensor as input. Got "
            f"{input.type().rpartition('.')[2].removesuffix('Tensor')}"
        )
    norms = _norm(input, p, dim).clamp(min=eps).expand_as(input)
    return input / norms if out is None else _tl.div(input, norms, out=out)


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
    """Divides the last dims, of ``normalized_shape``, by their root mean square (Zhang and Sennrich, 2019).

    Without ``eps`` it is that of the input's dtype.
    """
    shape = list(normalized_shape)
    if not shape:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got "
            "normalized_shape = []"
        )
    if weight is not None and list(weight.shape) != shape:
        raise RuntimeError(
            f"Expected weight to be of same shape as normalized_shape, but got weight of shape {list(weight.shape)} "
            f"and normalized_shape = {shape}"
        )
    if list(input.shape[-len(shape) :]) != shape:
        raise RuntimeError(
            f"Given normalized_shape={shape}, expected input with shape [*{', '.join(map(str, shape))}], but got input "
            f"of size{list(input.shape)}"
        )
    if not (input.is_floating_point() or input.is_complex()):
        raise NotImplementedError(
            f"\"rms_norm\" not implemented for '{_type_name(input)}'. Convert the input to a floating dtype first."
        )
    if eps is None:
        eps = _tl.finfo(input.dtype).eps
    x = input.float() if input.dtype in (_tl.float16, _tl.bfloat16) else input
    scale = _tl.rsqrt((x * x).mean(list(range(-len(shape), 0)), keepdim=True) + eps)
    result = x * scale
    if result.dtype != input.dtype:
        result = result.to(input.dtype)
    return result if weight is None else result * weight


def local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """``input`` (N, C, ...) over (k + alpha * the mean square of ``size`` neighbouring channels) ** beta.

    Krizhevsky, Sutskever and Hinton (2012).
    """
    dims = input.dim()
    if dims < 3:
        raise ValueError(
            f"Expected 3D or higher dimensionality                          input (got {dims} dimensions)"
        )
    if input.numel() == 0:
        return input
    squares = (input * input).unsqueeze(1).flatten(3) if dims > 3 else (input * input).unsqueeze(1)
    squares = _tl.constant_pad_nd(squares, [0, 0, size // 2, (size - 1) // 2])
    mean = _C.avg_pool2d(squares, (size, 1), 1).squeeze(1).reshape(input.shape)
    return input / (mean * alpha + k) ** beta


def _check_more_than_one(shape: Sequence[int], shown: object = None) -> None:
    if math.prod(shape[:1]) * math.prod(shape[2:]) == 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {shape if shown is None else shown}"
        )


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
    if input.dim() < 2:
        if input.numel():
            raise IndexError(
                "Dimension out of range (expected to be in range of [-1, 0], but got 1). batch_norm takes (N, C, ...)."
            )
        return input.clone()
    return _tl.batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps)


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """Brings groups of channels of each sample to mean 0 and variance 1 (Wu and He, 2018)."""
    if input.dim() < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {input.dim()}")
    if num_groups > 0:
        seen = [input.size(0) * input.size(1) // num_groups, num_groups, *input.shape[2:]]
        _check_more_than_one(seen)
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
    if not use_input_stats and (running_mean is None or running_var is None):
        raise RuntimeError("Expected running_mean and running_var to be defined when use_input_stats is false")
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
