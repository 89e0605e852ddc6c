"""Adamax. Its step is composed of public operators."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import tensorlite as _tl

from .optimizer import Optimizer, _check_betas, _check_lr, _check_range, _closure, _number, _step_tensor, _with_grads

__all__ = ["Adamax"]


class Adamax(Optimizer):
    """Adam with the largest decayed gradient in place of the mean square (Kingma and Ba, 2014).

    Args as in ``Adam``.
    """

    _step_count = "used"

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        _check_lr(lr)
        _check_range("epsilon value", eps)
        _check_betas(betas)
        _check_range("weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step; returns the closure's loss."""
        loss = _closure(closure)
        with _tl.no_grad():
            for group in self.param_groups:
                beta1, beta2 = group["betas"]
                lr = _number(group["lr"])
                for p, grad in zip(*_with_grads(group)):
                    state = self.state[p]
                    if not state:
                        state["step"] = _step_tensor()
                        state["exp_avg"] = _tl.zeros_like(p, requires_grad=False)
                        state["exp_inf"] = _tl.zeros_like(p, requires_grad=False)
                    state["step"] += 1
                    if group["maximize"]:
                        grad = -grad
                    if group["weight_decay"]:
                        grad = grad + p * group["weight_decay"]
                    mean, largest = state["exp_avg"], state["exp_inf"]
                    mean.add_((grad - mean) * (1 - beta1))
                    largest.copy_(_tl.maximum(largest * beta2, _tl.abs(grad) + group["eps"]))
                    rate = lr / (1 - beta1 ** state["step"].item())
                    p.sub_(mean / largest * rate)
        return loss
