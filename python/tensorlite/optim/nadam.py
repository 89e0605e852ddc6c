"""NAdam. Its step is composed of public operators."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import tensorlite as _tl

from .optimizer import Optimizer, _check_betas, _check_lr, _check_range, _closure, _number, _step_tensor, _with_grads

__all__ = ["NAdam"]


class NAdam(Optimizer):
    """Adam with Nesterov momentum (Dozat, 2016).

    Args as in ``Adam``; ``momentum_decay`` is the rate of the momentum's schedule.
    """

    _step_count = "used"

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        _check_lr(lr)
        _check_range("epsilon value", eps)
        _check_betas(betas)
        _check_range("weight_decay value", weight_decay)
        _check_range("momentum_decay value", momentum_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step; returns the closure's loss."""
        loss = _closure(closure)
        with _tl.no_grad():
            for group in self.param_groups:
                for p, grad in zip(*_with_grads(group)):
                    self._update(group, p, grad)
        return loss

    def _update(self, group: dict[str, Any], p: Any, grad: Any) -> None:
        state = self.state[p]
        beta1, beta2 = group["betas"]
        lr = _number(group["lr"])
        if not state:
            state["step"] = _step_tensor()
            state["mu_product"] = _tl.ones((), dtype=_tl.float32)
            state["exp_avg"] = _tl.zeros_like(p, requires_grad=False)
            state["exp_avg_sq"] = _tl.zeros_like(p, requires_grad=False)
        state["step"] += 1
        step = state["step"].item()
        if group["maximize"]:
            grad = -grad
        if group["weight_decay"]:
            if group["decoupled_weight_decay"]:
                p.mul_(1 - lr * group["weight_decay"])
            else:
                grad = grad + p * group["weight_decay"]
        mu = beta1 * (1 - 0.5 * 0.96 ** (step * group["momentum_decay"]))
        mu_next = beta1 * (1 - 0.5 * 0.96 ** ((step + 1) * group["momentum_decay"]))
        state["mu_product"] *= mu
        product = state["mu_product"].item()
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        mean.add_((grad - mean) * (1 - beta1))
        square.mul_(beta2).add_(grad * grad * (1 - beta2))
        root = _tl.sqrt(square / (1 - beta2**step)) + group["eps"]
        p.sub_(grad / root * (lr * (1 - mu) / (1 - product)))
        p.sub_(mean / root * (lr * mu_next / (1 - product * mu_next)))
