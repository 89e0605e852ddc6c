"""Losses; part of ``nn.functional``."""

from __future__ import annotations

import math
from typing import Any

import tensorlite as _tl

from . import _reduction

Tensor = _tl.Tensor
_C = _tl._C.nn

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cosine_embedding_loss",
    "cosine_similarity",
    "cross_entropy",
    "gaussian_nll_loss",
    "hinge_embedding_loss",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "margin_ranking_loss",
    "mse_loss",
    "nll_loss",
    "pairwise_distance",
    "pdist",
    "poisson_nll_loss",
    "smooth_l1_loss",
    "soft_margin_loss",
    "triplet_margin_loss",
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
    return _reduce(_tl.log1p(_tl.exp(-target * input)), reduction)


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
    n1 = _norm(x1, 2, dim).clamp(min=eps)
    n2 = _norm(x2, 2, dim).clamp(min=eps)
    return ((x1 / n1) * (x2 / n2)).sum(dim)


def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """The p-norm distances of all pairs of rows of (N, M), N (N - 1) / 2 of them."""
    from ..linalg import top_level

    return top_level.pdist(input, p)


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """The p-norm of ``x1 - x2 + eps`` along the last dim."""
    distance = _norm(x1 - x2 + eps, p, -1)
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
