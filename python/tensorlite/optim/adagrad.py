"""Adagrad."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import tensorlite as _tl

from .optimizer import Optimizer, _check_lr, _check_range, _closure, _number, _step_of, _step_tensor, _with_grads

__all__ = ["Adagrad"]


class Adagrad(Optimizer):
    """Divides gradients by the root of the sum of all their squares so far (Duchi et al., 2011).

    Args:
        params: see ``Optimizer``.
        lr: learning rate, a number or a tensor of one element.
        lr_decay: the rate is divided by ``1 + (step - 1) * lr_decay``.
        weight_decay: ``weight_decay * p`` is added to the gradient.
        initial_accumulator_value: where the sums start.
        eps: added to the root.
        foreach, maximize, differentiable, fused: as in ``Adam``.
    """

    @property
    def _step_count(self) -> str | None:
        return "used" if any(group["lr_decay"] for group in self.param_groups) else None

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        _check_lr(lr)
        _check_range("lr_decay value", lr_decay)
        _check_range("weight_decay value", weight_decay)
        _check_range("initial_accumulator_value value", initial_accumulator_value)
        _check_range("epsilon value", eps)
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        # PyTorch's Adagrad has its state from the start.
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                state["step"] = _step_tensor()
                state["sum"] = _tl.full_like(p, initial_accumulator_value, requires_grad=False)

    def share_memory(self) -> None:
        """Accepted for compatibility."""

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step; returns the closure's loss."""
        loss = _closure(closure)
        for group in self.param_groups:
            params, grads = _with_grads(group)
            if not params:
                continue
            for p in params:
                if not self.state[p]:  # of a group added later
                    self.state[p]["step"] = _step_tensor()
                    start = group["initial_accumulator_value"]
                    self.state[p]["sum"] = _tl.full_like(p, start, requires_grad=False)
            _tl._fused_adagrad_(
                params,
                grads,
                [self.state[p]["sum"] for p in params],
                [_step_of(self.state[p]) for p in params],
                lr=_number(group["lr"]),
                lr_decay=group["lr_decay"],
                weight_decay=group["weight_decay"],
                eps=group["eps"],
                maximize=group["maximize"],
            )
        return loss
