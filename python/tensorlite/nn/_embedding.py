"""Embeddings; part of ``nn.functional``."""

from __future__ import annotations

import tensorlite as _tl

from ._losses import _norm

Tensor = _tl.Tensor
_C = _tl._C.nn

__all__ = [
    "embedding",
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
