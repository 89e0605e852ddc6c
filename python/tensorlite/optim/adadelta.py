"""Adadelta."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import tensorlite as _tl

from .optimizer import Optimizer, _check_lr, _check_range, _closure, _number, _step_of, _step_tensor, _with_grads

__all__ = ["Adadelta"]


class Adadelta(Optimizer):
    """Scales gradients by the root of mean squared steps over that of mean squared gradients (Zeiler, 2012).

    Args:
        params: see ``Optimizer``.
        lr: learning rate, a number or a tensor of one element.
        rho: how much of the running means is kept.
        eps: added under the roots.
        weight_decay: ``weight_decay * p`` is added to the gradient.
        foreach, capturable, maximize, differentiable: as in ``Adam``.
    """

    _step_count = "kept"

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        _check_lr(lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        _check_range("epsilon value", eps)
        _check_range("weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step; returns the closure's loss."""
        loss = _closure(closure)
        for group in self.param_groups:
            params, grads = _with_grads(group)
            if not params:
                continue
            for p in params:
                state = self.state[p]
                if not state:
                    state["step"] = _step_tensor()
                    state["square_avg"] = _tl.zeros_like(p, requires_grad=False)
                    state["acc_delta"] = _tl.zeros_like(p, requires_grad=False)
            _tl._fused_adadelta_(
                params,
                grads,
                [self.state[p]["square_avg"] for p in params],
                [self.state[p]["acc_delta"] for p in params],
                [_step_of(self.state[p]) for p in params],
                lr=_number(group["lr"]),
                rho=group["rho"],
                eps=group["eps"],
                weight_decay=group["weight_decay"],
                maximize=group["maximize"],
            )
        return loss
