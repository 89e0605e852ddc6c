"""Losses with margins, distances, and connectionist temporal classification; part of ``nn.functional``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorlite as _tl

from . import _reduction
from ._losses import _norm, _reduce
from ._shapes import _type_name

Tensor = _tl.Tensor
_C = _tl._C.nn

__all__ = [
    "cosine_embedding_loss",
    "cosine_similarity",
    "ctc_loss",
    "hinge_embedding_loss",
    "margin_ranking_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "pairwise_distance",
    "pdist",
    "soft_margin_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]


# Distances


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between vectors along ``dim`` of two tensors that broadcast."""
    common = _tl.promote_types(x1.dtype, x2.dtype)
    if not common.is_floating_point:
        name = _type_name(_tl.empty(0, dtype=common))
        raise RuntimeError(f"expected common dtype to be floating point, yet common dtype is {name}")
    x1, x2 = _tl.broadcast_tensors(x1.to(common), x2.to(common))
    n1 = _norm(x1, 2, dim).clamp(min=eps)
    n2 = _norm(x2, 2, dim).clamp(min=eps)
    return ((x1 / n1) * (x2 / n2)).sum(dim)


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """The p-norm of ``x1 - x2 + eps`` along the last dim."""
    return (x1 - x2 + eps).norm(p, -1, keepdim)


def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """The p-norm distances of all pairs of rows of ``input`` (N, M): (N * (N - 1) / 2), row by row."""
    from ..linalg import top_level

    return top_level.pdist(input, p)


# Losses of pairs and triples


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
    if not (input.is_floating_point() or input.is_complex()):
        raise RuntimeError(f"result type Float can't be cast to the desired output type {_type_name(input)}")
    _reduction.code(reduction)
    _tl.broadcast_tensors(input, target)
    return _reduce(_tl.log1p(_tl.exp(-target * input)), reduction)


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
    _reduction.code(reduction)
    if not input1.dim() == input2.dim() == target.dim():
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {input1.shape}, input2: {input2.shape}, target: {target.shape} "
        )
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


def _check_triplet(anchor: Tensor, positive: Tensor, negative: Tensor, margin: float) -> None:
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    if not anchor.dim() == positive.dim() == negative.dim():
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {anchor.dim()}D, positive {positive.dim()}D, and negative {negative.dim()}D inputs"
        )


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
    """max(0, d(anchor, positive) - d(anchor, negative) + margin).

    ``swap`` takes d(positive, negative) instead of the second distance if it is less.
    """
    if size_average is not None or reduce is not None:
        reduction = _reduction.legacy(size_average, reduce)
    _check_triplet(anchor, positive, negative, margin)
    _reduction.code(reduction)
    near = pairwise_distance(anchor, positive, p, eps)
    far = pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = _tl.minimum(far, pairwise_distance(positive, negative, p, eps))
    return _reduce((near - far + margin).clamp(min=0), reduction)


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """``triplet_margin_loss`` with a distance of one's own; ``pairwise_distance`` if None."""
    _reduction.code(reduction)
    _check_triplet(anchor, positive, negative, margin)
    distance = pairwise_distance if distance_function is None else distance_function
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = _tl.minimum(far, distance(positive, negative))
    return _reduce((margin + near - far).clamp(min=0), reduction)


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
    _reduction.code(reduction)
    if target.dim() not in (0, 1):
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if not input1.dim() == input2.dim() == target.dim() + 1:
        raise RuntimeError(
            f"{target.dim()}D target tensor expects {target.dim() + 1}D input tensors, but found inputs with sizes "
            f"{list(input1.shape)} and {list(input2.shape)}."
        )
    tiny = 1e-12
    dim = target.dim()
    squares = ((input1 * input1).sum(dim) + tiny) * ((input2 * input2).sum(dim) + tiny)
    cos = (input1 * input2).sum(dim) / squares.sqrt()
    zero = _tl.zeros_like(cos)
    loss = _tl.where(target == 1, 1 - cos, zero) + _tl.where(target == -1, (cos - margin).clamp(min=0), zero)
    return _reduce(loss, reduction)


# Losses of classes


def _as_rows(input: Tensor) -> Tensor:
    """(N, C) of (N, C), (C) or ()."""
    if input.dim() > 2 or (input.dim() > 0 and input.shape[-1] == 0):
        raise RuntimeError(
            f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {list(input.shape)}"
        )
    return input if input.dim() == 2 else input.reshape(1, -1)


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The mean over all other classes c of max(0, margin - input[target] + input[c]) ** p.

    Args:
        input: (N, C) or (C).
        target: int64 classes (N) or ().
        p: 1 or 2.
        margin: by how much the target class should win.
        weight: of the classes, (C).
        reduction: ``mean``, ``sum`` or ``none``.
    """
    if size_average is not None or reduce is not None:
        reduction = _reduction.legacy(size_average, reduce)
    _reduction.code(reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.dim() != 1:
        raise ValueError("weight must be one-dimensional")
    rows = _as_rows(input)
    count, classes = rows.shape
    if target.dim() > 1 or target.numel() != count:
        raise RuntimeError(
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples (batch "
            f"size). Expected target size [{count}], but got {list(target.shape)}. Input has shape {list(input.shape)}."
        )
    if weight is not None and weight.numel() != classes:
        raise RuntimeError(f"inconsistent weight size, expected {classes} but got {list(weight.shape)}")
    _check_kinds("multi_margin_loss_cpu_kernel", input, target)
    where = target.reshape(-1, 1)
    if count and not (0 <= int(where.min()) and int(where.max()) < classes):
        raise RuntimeError("target out of range")
    z = (margin - rows.gather(1, where) + rows).clamp(min=0)
    if p == 2:
        z = z * z
    if weight is not None:
        z = z * weight.index_select(0, where.reshape(-1)).unsqueeze(1)
    z = z.masked_fill(_tl.zeros_like(z, dtype=_tl.bool).scatter(1, where, True), 0)
    loss = z.sum(1) / classes
    return _reduce(loss if target.dim() else loss.squeeze(0), reduction)


def _check_kinds(name: str, input: Tensor, target: Tensor) -> None:
    if not input.is_floating_point():
        raise NotImplementedError(
            f"\"{name}\" not implemented for '{_type_name(input)}'. Convert it to a floating dtype."
        )
    if target.dtype != _tl.int64:
        raise RuntimeError(f"expected scalar type Long but found {_type_name(target)}")


def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The sum over target classes t and others c of max(0, 1 - input[t] + input[c]), over the number of classes.

    ``input`` and ``target`` are (N, C) or (C); the classes of a row of ``target`` end at its first -1.
    """
    if size_average is not None or reduce is not None:
        reduction = _reduction.legacy(size_average, reduce)
    _reduction.code(reduction)
    rows = _as_rows(input)
    if target.numel() != input.numel() or (input.dim() == 2 and target.shape != input.shape) or target.dim() > 2:
        raise RuntimeError(f"inconsistent target size: {list(target.shape)} for input of size: {list(input.shape)}")
    _check_kinds("multilabel_margin_loss_forward_out_frame", input, target)
    classes = rows.shape[1]
    labels = target.reshape(rows.shape)
    if labels.numel() and not (-1 <= int(labels.min()) and int(labels.max()) < classes):
        raise RuntimeError("argument #2 'target' is out of range")
    valid = (labels >= 0).to(_tl.int64).cumprod(1) > 0
    labels = labels.masked_fill(~valid, 0)
    is_target = _tl.zeros_like(labels).scatter_add(1, labels, valid.to(_tl.int64)) > 0
    chosen = rows.gather(1, labels)
    z = (1 - chosen.unsqueeze(2) + rows.unsqueeze(1)).clamp(min=0)
    z = z.masked_fill(~valid.unsqueeze(2) | is_target.unsqueeze(1), 0)
    loss = z.sum((1, 2)) / classes
    return _reduce(loss if input.dim() == 2 else loss.squeeze(0), reduction)


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Minus the mean over the classes (the last dim) of t * log(sigmoid(x)) + (1 - t) * log(sigmoid(-x))."""
    if size_average is not None or reduce is not None:
        reduction = _reduction.legacy(size_average, reduce)
    logsigmoid = _C.log_sigmoid
    loss = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    classes = input.size(-1) if input.dim() else 1
    loss = (loss.sum(-1) if input.dim() else loss) / classes
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")
    return _reduce(loss, reduction)


# Sequences


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """Minus the log-likelihood of label sequences that are not aligned with the steps (Graves et al., 2006).

    Args:
        log_probs: (T, N, C) or (T, C), from ``log_softmax``. The gradient takes it for that.
        targets: (N, S), or (sum of target_lengths) one after the other; no blanks.
        input_lengths: (N), at most T each; tensor or tuple.
        target_lengths: (N).
        blank: the class that stands for no label.
        reduction: ``none``, ``sum``, or ``mean``: each loss over its target's length, then the mean.
        zero_infinity: whether targets that are longer than their input allows count nothing.
    """
    code = _reduction.code(reduction)

    def lengths(value: Any, name: str) -> Sequence[int]:
        if isinstance(value, Tensor):
            if value.is_floating_point() or value.is_complex() or value.dtype == _tl.bool:
                raise RuntimeError(f"{name} must be integral")
            return value.reshape(-1).tolist()
        return list(value) if isinstance(value, (tuple, list)) else [value]

    batched = log_probs.dim() == 3
    if log_probs.dim() == 2:
        if (isinstance(input_lengths, Tensor) and input_lengths.numel() != 1) or len(lengths(input_lengths, "")) != 1:
            raise RuntimeError("input_lengths must be of size batch_size")
        log_probs = log_probs.unsqueeze(1)
    given, wanted = lengths(input_lengths, "input_lengths"), lengths(target_lengths, "target_lengths")
    loss = _C.ctc_loss(log_probs, targets, given, wanted, blank, zero_infinity)[0]
    if zero_infinity:
        loss = _tl.where(loss == float("inf"), _tl.zeros_like(loss), loss)
    if code == 1:
        return (loss / _tl.tensor(wanted, device=loss.device).clamp(min=1).to(loss.dtype)).mean()
    if code == 2:
        return loss.sum()
    return loss if batched else loss.squeeze(0)
