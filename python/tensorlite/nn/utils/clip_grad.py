"""Clipping of gradients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import tensorlite as _tl

Tensor = _tl.Tensor

__all__ = ["clip_grad_norm", "clip_grad_norm_", "clip_grad_value_", "get_total_norm"]


def _list(tensors: Any) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _norm(tensor: Tensor, p: float) -> Tensor:
    a = _tl.abs(tensor)
    if p == float("inf"):
        return a.max()
    if p == 2:
        return _tl.sqrt((a * a).sum())
    return a.sum() if p == 1 else (a**p).sum() ** (1.0 / p)


def get_total_norm(
    tensors: Iterable[Tensor], norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: bool | None = None
) -> Tensor:
    """The norm of all tensors taken as one vector (0-dim)."""
    p = float(norm_type)
    with _tl.no_grad():
        norms = [_norm(t.detach(), p) for t in _list(tensors)]
        if not norms:
            return _tl.tensor(0.0)
        total = _norm(_tl.stack([n.to(norms[0].device) for n in norms]), p)
    if error_if_nonfinite and not abs(total.item()) < float("inf"):
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it cannot be "
            "clipped. To disable this error and scale the gradients by the non-finite norm anyway, set "
            "`error_if_nonfinite=False`"
        )
    return total


def clip_grad_norm_(
    parameters: Any,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scales the gradients so that their norm, taken as one vector, is at most ``max_norm``.

    Returns:
        The norm before (0-dim).
    """
    grads = [p.grad for p in _list(parameters) if p.grad is not None]
    total = get_total_norm(grads, norm_type, error_if_nonfinite, foreach)
    with _tl.no_grad():
        factor = (max_norm / (total + 1e-6)).clamp(max=1.0)
        for grad in grads:
            grad.mul_(factor.to(grad.device))
    return total


def clip_grad_norm(*args: Any, **kwargs: Any) -> Tensor:
    """The old name of ``clip_grad_norm_``."""
    import warnings

    warnings.warn(
        "`nn.utils.clip_grad_norm` is now deprecated in favor of `nn.utils.clip_grad_norm_`.",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(*args, **kwargs)


def clip_grad_value_(parameters: Any, clip_value: float, foreach: bool | None = None) -> None:
    """Cuts every element of the gradients off at ``-clip_value`` and ``clip_value``."""
    clip_value = float(clip_value)
    with _tl.no_grad():
        for p in _list(parameters):
            if p.grad is not None:
                p.grad.clamp_(-clip_value, clip_value)
