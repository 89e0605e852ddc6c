"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import tensorlite as _tl

from .optimizer import Optimizer, _check_lr, _check_range, _closure, _number, _with_grads

__all__ = ["SGD"]


class SGD(Optimizer):
    """``p -= lr * v`` with ``v = momentum * v + (1 - dampening) * grad`` (the first ``v`` is the gradient).

    Args:
        params: see ``Optimizer``.
        lr: learning rate, a number or a tensor of one element.
        momentum: how much of the last ``v`` is kept.
        dampening: how much of the gradient is left out of ``v``.
        weight_decay: ``weight_decay * p`` is added to the gradient.
        nesterov: whether ``grad + momentum * v`` is used instead of ``v`` (Sutskever et al., 2013).
        maximize: whether the gradient is followed upwards.
        foreach, fused: accepted; the step is one fused kernel anyway.
        differentiable: not there yet.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        _check_lr(lr)
        _check_range("momentum value", momentum)
        _check_range("weight_decay value", weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        if fused and foreach:
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("nesterov", False)
            for name, value in (("maximize", False), ("foreach", None), ("differentiable", False), ("fused", None)):
                group.setdefault(name, value)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step; returns the closure's loss."""
        loss = _closure(closure)
        for group in self.param_groups:
            params, grads = _with_grads(group)
            if not params:
                continue
            momentum = group["momentum"]
            if not momentum:
                self._update(group, params, grads, [], False)
                continue
            # Parameters that meet their first gradient have no buffer yet.
            state = self.state
            new = [state[p].get("momentum_buffer") is None for p in params]
            for p, is_new in zip(params, new):
                if is_new:
                    state[p]["momentum_buffer"] = _tl.empty_like(p, requires_grad=False)
            for first in (True, False):
                if first not in new:
                    continue
                if first in new and (not first) in new:
                    chosen = [i for i, is_new in enumerate(new) if is_new is first]
                    some, theirs = [params[i] for i in chosen], [grads[i] for i in chosen]
                else:
                    some, theirs = params, grads
                self._update(group, some, theirs, [state[p]["momentum_buffer"] for p in some], first)
        return loss

    def _update(self, group: dict[str, Any], params: list, grads: list, buffers: list, first: bool) -> None:
        _tl._fused_sgd_(
            params,
            grads,
            buffers,
            lr=_number(group["lr"]),
            momentum=group["momentum"],
            dampening=group["dampening"],
            weight_decay=_number(group["weight_decay"]),
            nesterov=group["nesterov"],
            maximize=group["maximize"],
            is_first_step=first,
        )
