"""Normalisations; part of ``nn.functional``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import tensorlite as _tl

from ._losses import _norm

Tensor = _tl.Tensor
_C = _tl._C.nn

__all__ = [
    "batch_norm",
    "group_norm",
    "instance_norm",
    "layer_norm",
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
