"""Losses; part of ``nn.functional``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import tensorlite as _tl

from . import _reduction

Tensor = _tl.Tensor
_C = _tl._C.nn

__all__ = [
    "LinearCrossEntropyOptions",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "gaussian_nll_loss",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "linear_cross_entropy",
    "mse_loss",
    "nll_loss",
    "poisson_nll_loss",
    "smooth_l1_loss",
]


def _norm(x: Tensor, p: float, dim: Any) -> Tensor:
    """The p-norm along ``dim``, which stays."""
    if hasattr(x, "norm"):
        return x.norm(p, dim, keepdim=True)
    a = _tl.abs(x)
    if p == math.inf:
        return a.max(dim, keepdim=True)[0]
    if p == 1:
        return a.sum(dim, keepdim=True)
    if p == 2:
        return _tl.sqrt((a * a).sum(dim, keepdim=True))
    return (a**p).sum(dim, keepdim=True) ** (1.0 / p)


def _warn(message: str) -> None:
    import warnings

    warnings.warn(message, stacklevel=3)


def _reduce(loss: Tensor, reduction: str) -> Tensor:
    code = _reduction.code(reduction)
    return loss if code == 0 else loss.mean() if code == 1 else loss.sum()


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
    return _C.mse_loss(input, target, _reduction.code(reduction))


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
    if weight is not None:
        loss = _tl.abs(input - target) * weight
        return loss.sum() / weight.expand_as(loss).sum() if reduction == "mean" else _reduce(loss, reduction)
    return _C.l1_loss(input, target, _reduction.code(reduction))


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
    if beta == 0:
        return _C.l1_loss(input, target, _reduction.code(reduction))
    return _C.smooth_l1_loss(input, target, _reduction.code(reduction), beta)


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """``0.5 * d**2`` where the difference d is at most ``delta``, ``delta * (d - 0.5 * delta)`` elsewhere."""
    _warn_sizes(input, target)
    if weight is None:
        return _C.huber_loss(input, target, _reduction.code(reduction), delta)
    loss = _C.huber_loss(input, target, 0, delta) * weight
    return loss.sum() / weight.expand_as(loss).sum() if reduction == "mean" else _reduce(loss, reduction)


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
    if weight is not None:
        weight = weight.expand_as(input)
    return _C.binary_cross_entropy(input, target, weight, _reduction.code(reduction))


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
    return _tl.binary_cross_entropy_with_logits(input, target, weight, pos_weight, _reduction.code(reduction))


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
    return _C.nll_loss(input, target, weight, _reduction.code(reduction), ignore_index)


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
        return _C.nll_loss(_tl.log_softmax(input, dim), target, weight, _reduction.code(reduction), ignore_index)
    if not 0 < label_smoothing <= 1:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")

    log = _tl.log_softmax(input, dim)
    loss = _C.nll_loss(log, target, weight, _reduction.code(reduction), ignore_index)
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
    _reduction.code(reduction)
    classes = input.size(dim)
    if label_smoothing:
        target = target * (1 - label_smoothing) + label_smoothing / classes
    loss = _tl.log_softmax(input, dim) * target
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
    """Minus the log-likelihood of ``target`` under N(input, var).

    ``var`` is a number, of the input's shape, or of that without the last dim or with 1 there.
    """
    if not isinstance(var, Tensor):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = _tl.full_like(input, var, requires_grad=False)
    elif bool((var < 0).any()):
        raise ValueError("var has negative entry/entries")
    if var.shape != input.shape:
        if input.shape[:-1] == var.shape:
            var = var.unsqueeze(-1)
        elif input.shape[:-1] != var.shape[:-1] or var.size(-1) != 1:
            raise ValueError("var is of incorrect size")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")
    with _tl.no_grad():
        lowest = var.clamp(min=eps)
    var = var + (lowest - var.detach())
    difference = input - target
    loss = 0.5 * (_tl.log(var) + difference * difference / var)
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return _reduce(loss, reduction)


@dataclass(frozen=True)
class LinearCrossEntropyOptions:
    """How ``linear_cross_entropy`` takes the batch in pieces, so that not all scores exist at a time.

    Args:
        allow_retain_graph: accepted; a second backward is always possible.
        batch_chunk_size: samples in a piece.
        chunking_method: ``auto``, ``aspect_ratio`` or ``aspect_ratio:N``: pieces whose scores take the memory of the
            input, or a N-th of it; None for ``batch_chunk_size``.
        acc_policy: accepted; pieces are computed in the input's dtype.
        acc_dtype: accepted.
    """

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: str = "auto"
    acc_dtype: Any = None

    def __post_init__(self) -> None:
        if self.acc_policy not in ("auto", "accurate", "balanced", "compact"):
            raise ValueError(f"invalid acc_policy: {self.acc_policy!r}")
        if self.chunking_method not in (None, "auto"):
            name, colon, factor = self.chunking_method.partition(":")
            if not (name == "aspect_ratio" and (not colon or (factor.isdigit() and int(factor) > 0))):
                raise ValueError(f"invalid chunking_method: {self.chunking_method!r}")
        size = self.batch_chunk_size
        if not (size is None or (isinstance(size, int) and size > 0)):
            raise ValueError(f"batch_chunk_size must be positive int or None, got {size!r}")
        if self.acc_dtype not in (None, _tl.float16, _tl.bfloat16, _tl.float32, _tl.float64):
            raise ValueError(
                "acc_dtype must be one of {None, torch.float16, torch.bfloat16, torch.float32, torch.float64}, got "
                f"{self.acc_dtype!r}. Pass acc_dtype=None to let the op pick automatically."
            )


def _piece(options: LinearCrossEntropyOptions, batch: int, features: int, classes: int) -> int:
    """How many samples a piece has."""
    method = options.chunking_method
    if method is None or options.batch_chunk_size is not None:
        return options.batch_chunk_size or batch
    factor = int(method.partition(":")[2] or (2 if method == "auto" else 1))
    pieces = -(-classes // max(features, 1))
    return max(1, (1 << (max(1, -(-batch // pieces)) - 1).bit_length()) // factor)


def _check_linear(
    input: Tensor, weight: Tensor, target: Tensor, bias: Tensor | None, ignore_index: int | None
) -> None:
    shape = tuple(weight.shape)
    if input.dim() not in (1, 2):
        raise RuntimeError(f"expected input with dimensionality 1 or 2, got {input.dim()}")
    if len(shape) < 2:
        raise RuntimeError(f"expected linear_weight with dimensionality at least 2, got {len(shape)}")
    if input.shape[-1] != shape[-1]:
        raise RuntimeError(
            "expected equal input and linear_weight last dimensions (in_features), got "
            f"{input.shape[-1]} and {shape[-1]}, respectively"
        )
    if ignore_index is not None and target.is_floating_point():
        raise RuntimeError("ignore_index cannot be specified when target contains probabilities")
    if len(shape) > 2 and input.dim() == 1:
        raise RuntimeError(
            f"K-dimensional loss defined by linear_weight shape {shape} requires batched input, (N, {shape[-1]}), got "
            f"unbatched input with shape {tuple(input.shape)}"
        )
    if bias is not None and tuple(bias.shape) != shape[:-1]:
        raise RuntimeError(f"expected linear_bias shape {shape[:-1]}, got {tuple(bias.shape)}")


def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: LinearCrossEntropyOptions | None = None,
) -> Tensor:
    """``cross_entropy(linear(input, linear_weight, linear_bias), target)``.

    Args:
        input: (N, in) or (in).
        linear_weight: (C, in), or (C, d1, ..., in) for scores (N, C, d1, ...).
        target: as of ``cross_entropy``.
        linear_bias: (C) or (C, d1, ...).
        weight: of the classes, (C).
        reduction: ``mean``, ``sum`` or ``none``.
        ignore_index: targets of this value count nothing; -100 if None.
        label_smoothing: how much of the target is spread over all classes, in [0, 1].
        options: with them the batch is taken in pieces, whose scores the backward computes again.
    """
    arguments = dict(weight=weight, ignore_index=-100 if ignore_index is None else ignore_index)
    arguments["label_smoothing"] = label_smoothing
    shape = linear_weight.shape[:-1]
    _check_linear(input, linear_weight, target, linear_bias, ignore_index)

    def losses(x: Tensor, t: Tensor, w: Tensor, b: Tensor | None, reduction: str) -> Tensor:
        scores = _C.linear(x, w.reshape(-1, w.shape[-1]), None if b is None else b.reshape(-1))
        return cross_entropy(scores.reshape(*x.shape[:-1], *shape), t, reduction=reduction, **arguments)

    if options is None or input.dim() != 2:
        return losses(input, target, linear_weight, linear_bias, reduction)
    from ..utils.checkpoint import checkpoint

    _reduction.code(reduction)
    size = _piece(options, input.shape[0], input.shape[1], shape[0])
    parts = [
        checkpoint(losses, x, t, linear_weight, linear_bias, "none", use_reentrant=False)
        for x, t in zip(input.split(size), target.split(size))
    ]
    every = _tl.cat(parts)
    if reduction != "mean":
        return _reduce(every, reduction)
    if target.is_floating_point():
        return every.mean()
    counted = target != arguments["ignore_index"]
    if weight is None:
        return every.sum() / counted.sum()
    return every.sum() / weight[target.masked_fill(~counted, 0)].masked_fill(~counted, 0).sum()
