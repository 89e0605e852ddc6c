"""RMSprop."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import tensorlite as _tl

from .optimizer import Optimizer, _check_lr, _check_range, _closure, _number, _step_of, _step_tensor, _with_grads

__all__ = ["RMSprop"]


class RMSprop(Optimizer):
    """Divides gradients by the root of a running mean of their squares (Hinton's lecture 6e, 2012).

    Args:
        params: see ``Optimizer``.
        lr: learning rate, a number or a tensor of one element.
        alpha: how much of the running mean is kept.
        eps: added to the root.
        weight_decay: ``weight_decay * p`` is added to the gradient.
        momentum: how much of the last step is kept.
        centered: whether the gradient's variance is used instead of its mean square (Graves, 2013).
        capturable, foreach, maximize, differentiable: as in ``Adam``.
    """

    _step_count = "kept"

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        _check_lr(lr)
        _check_range("epsilon value", eps)
        _check_range("momentum value", momentum)
        _check_range("weight_decay value", weight_decay)
        _check_range("alpha value", alpha)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
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
            states = []
            for p in params:
                state = self.state[p]
                states.append(state)
                if not state:
                    state["step"] = _step_tensor()
                    state["square_avg"] = _tl.zeros_like(p, requires_grad=False)
                    if group["momentum"] > 0:
                        state["momentum_buffer"] = _tl.zeros_like(p, requires_grad=False)
                    if group["centered"]:
                        state["grad_avg"] = _tl.zeros_like(p, requires_grad=False)
            _tl._fused_rmsprop_(
                params,
                grads,
                [s["square_avg"] for s in states],
                [s["momentum_buffer"] for s in states] if group["momentum"] > 0 else [],
                [s["grad_avg"] for s in states] if group["centered"] else [],
                [_step_of(s) for s in states],
                lr=_number(group["lr"]),
                alpha=group["alpha"],
                eps=group["eps"],
                weight_decay=group["weight_decay"],
                momentum=group["momentum"],
                centered=group["centered"],
                maximize=group["maximize"],
            )
        return loss
