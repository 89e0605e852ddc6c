"""Embeddings; part of ``nn.functional``."""

from __future__ import annotations

import tensorlite as _tl

from ._losses import _norm

Tensor = _tl.Tensor
_C = _tl._C.nn

__all__ = [
    "embedding",
    "embedding_bag",
    "one_hot",
]


one_hot = _C.one_hot


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


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """The sum, mean or maximum of the rows of ``weight`` (V, D) that each bag of indices names: (bags, D).

    Args:
        input: int indices (bags, length), or (count) with ``offsets``.
        weight: the table.
        offsets: (bags), where in ``input`` each bag begins; with ``include_last_offset`` one more, where the last ends.
        max_norm: the rows used are first scaled down to it, in place.
        norm_type: the p of that norm.
        scale_grad_by_freq: whether the gradient of a row is divided by how often it is named.
        mode: ``sum``, ``mean`` or ``max``.
        sparse: accepted; gradients are dense.
        per_sample_weights: of the input's shape, with ``sum``: what each row is multiplied by.
        include_last_offset: see ``offsets``.
        padding_idx: indices of this value count nothing.

    Empty bags give zeros.
    """
    if weight.dtype == _tl.int64 and input.is_floating_point():
        import warnings

        warnings.warn(
            "Argument order of nn.functional.embedding_bag was changed. Usage `embedding_bag(weight, input, ...)` is "
            "deprecated, and should now be `embedding_bag(input, weight, ...)`.",
            stacklevel=2,
        )
        input, weight = weight, input
    if per_sample_weights is not None and input.shape != per_sample_weights.shape:
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({per_sample_weights.shape}) is not None, then it must have the "
            f"same shape as the input ({input.shape})"
        )
    if weight.dim() != 2:
        raise ValueError(f"weight has to be a 2D Tensor, but got Tensor of dimension {weight.dim()}")
    if input.dim() == 2:
        if offsets is not None:
            shown = "<unknown>" if not isinstance(offsets, Tensor) else str(offsets.dtype)
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length "
                f"sequences. However, found offsets of type {shown}"
            )
        bags, length = input.shape
        bag = _tl.arange(bags, device=input.device).repeat_interleave(length)
        input = input.reshape(-1)
        per_sample_weights = None if per_sample_weights is None else per_sample_weights.reshape(-1)
    elif input.dim() == 1:
        if offsets is None:
            raise ValueError("offsets has to be a 1D Tensor but got None")
        if offsets.dim() != 1:
            raise ValueError("offsets has to be a 1D Tensor")
        bags = offsets.numel() - bool(include_last_offset)
        if offsets.numel():
            if int(offsets[0]) != 0:
                raise RuntimeError(
                    f"offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. "
                    f"However, got {int(offsets[0])}"
                )
            if int(offsets[-1]) > input.size(0):
                raise RuntimeError(
                    f"offsets[-1] can not be greater than input's length {input.size(0)} but got offsets[-1] of "
                    f"{int(offsets[-1])}"
                )
        starts = offsets.to(_tl.int64).contiguous()
        bag = _tl.searchsorted(starts, _tl.arange(input.size(0), device=input.device), right=True) - 1
    else:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.dim()}")
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    if mode == "max" and (scale_grad_by_freq or sparse):
        what = "scaling the gradient by the frequency" if scale_grad_by_freq else "sparse weights"
        raise ValueError(f"max mode does not support {what}")
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' (got "
            f"mode='{mode}'). Please open a feature request on GitHub."
        )
    if padding_idx is not None:
        if not -weight.size(0) <= padding_idx < weight.size(0):
            raise AssertionError("padding_idx must be within num_embeddings")
        padding_idx %= weight.size(0)
    if not weight.is_floating_point():
        raise RuntimeError(
            "Expected tensor for argument #1 'weight' to have one of the following scalar types: Half, BFloat16, "
            f"Float, Double; but got {weight.type()} instead (while checking arguments for embedding_bag)"
        )
    if max_norm is not None:
        _renormalise(weight.detach(), input, max_norm, norm_type)
    keep = bag < bags
    if padding_idx is not None:
        keep = keep & (input != padding_idx)
    if not bool(keep.all()):
        kept = keep.nonzero().squeeze(1)
        input, bag = input.index_select(0, kept), bag.index_select(0, kept)
        per_sample_weights = None if per_sample_weights is None else per_sample_weights.index_select(0, kept)
    rows = _tl.embedding(weight, input, -1, scale_grad_by_freq, False)
    if per_sample_weights is not None:
        rows = rows * per_sample_weights.unsqueeze(1)
    counts = _tl.bincount(bag, minlength=bags)
    if mode == "max":
        return _bag_maxima(rows, bag, counts)
    total = weight.new_zeros(bags, weight.size(1)).index_add(0, bag, rows)
    return total if mode == "sum" else total / counts.clamp(min=1).to(total.dtype).unsqueeze(1)


def _bag_maxima(rows: Tensor, bag: Tensor, counts: Tensor) -> Tensor:
    longest = int(counts.max()) if counts.numel() else 0
    if not longest:
        return rows.new_zeros(counts.numel(), rows.size(1))
    first = counts.cumsum(0) - counts
    place = first.unsqueeze(1) + _tl.arange(longest, device=rows.device)
    missing = _tl.arange(longest, device=rows.device) >= counts.unsqueeze(1)
    values = rows.index_select(0, place.masked_fill(missing, 0).reshape(-1)).view(*place.shape, -1)
    values = values.masked_fill(missing.unsqueeze(2), float("-inf"))
    best = values.gather(1, values.detach().argmax(1, keepdim=True)).squeeze(1)
    return best.masked_fill((counts == 0).unsqueeze(1), 0)
