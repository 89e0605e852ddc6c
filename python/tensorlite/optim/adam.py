"""Adam."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import tensorlite as _tl

from .optimizer import (
    Optimizer,
    _check_betas,
    _check_lr,
    _check_range,
    _closure,
    _number,
    _step_of,
    _step_tensor,
    _with_grads,
)

__all__ = ["Adam"]


class Adam(Optimizer):
    """Steps of running means of gradients over the root of running means of their squares (Kingma and Ba, 2014).

    Args:
        params: see ``Optimizer``.
        lr: learning rate, a number or a tensor of one element.
        betas: how much of the two running means is kept.
        eps: added to the root.
        weight_decay: ``weight_decay * p`` is added to the gradient, or with ``decoupled_weight_decay`` taken from the
            parameter itself, times ``lr``.
        amsgrad: whether the largest mean square so far is used (Reddi et al., 2018).
        maximize: whether the gradient is followed upwards.
        foreach, fused, capturable: accepted; the step is one fused kernel anyway.
        differentiable: not there yet.
    """

    _step_count = "used"

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        _check_lr(lr, foreach, capturable)
        _check_range("epsilon value", eps)
        _check_betas(betas)
        _check_range("weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)
        if fused and foreach:
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for name in ("amsgrad", "maximize", "capturable", "differentiable", "decoupled_weight_decay"):
                group.setdefault(name, False)
            group.setdefault("foreach", None)
            group.setdefault("fused", None)
        for values in self.state.values():
            if "step" in values and not isinstance(values["step"], _tl.Tensor):
                values["step"] = _tl.tensor(float(values["step"]), dtype=_tl.float32, device="cpu")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step; returns the closure's loss."""
        loss = _closure(closure)
        for group in self.param_groups:
            params, grads = _with_grads(group)
            if not params:
                continue
            amsgrad = group["amsgrad"]
            means, squares, largest, steps = [], [], [], []
            for p in params:
                state = self.state[p]
                if not state:
                    state["step"] = _step_tensor()
                    state["exp_avg"] = _tl.zeros_like(p, requires_grad=False)
                    state["exp_avg_sq"] = _tl.zeros_like(p, requires_grad=False)
                    if amsgrad:
                        state["max_exp_avg_sq"] = _tl.zeros_like(p, requires_grad=False)
                means.append(state["exp_avg"])
                squares.append(state["exp_avg_sq"])
                steps.append(_step_of(state))
                if amsgrad:
                    largest.append(state["max_exp_avg_sq"])
            beta1, beta2 = group["betas"]
            _tl._fused_adam_(
                params,
                grads,
                means,
                squares,
                largest,
                steps,
                lr=_number(group["lr"]),
                beta1=_number(beta1),
                beta2=_number(beta2),
                weight_decay=group["weight_decay"],
                eps=group["eps"],
                amsgrad=amsgrad,
                maximize=group["maximize"],
                decoupled_weight_decay=group["decoupled_weight_decay"],
            )
        return loss
