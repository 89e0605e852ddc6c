"""`GradScaler`: keeps small gradients of float16 from vanishing. Off where there is no GPU."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

from .. import _C

__all__ = ["GradScaler"]


class GradScaler:
    """scale(loss).backward(), step(optimizer), update().

    The loss is multiplied by a scale, the gradients are divided by it again before the step; a step whose gradients are
    not all finite is left out, and the scale lowered by `backoff_factor`. After `growth_interval` steps that were taken
    it grows by `growth_factor` (Micikevicius et al., "Mixed precision training", 2018). Without a GPU it is off: each
    method does the plain thing.
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        self._device = device
        if enabled and device == "cuda" and not _cuda_available():
            warnings.warn(
                f"{_C._package_name()}.cuda.amp.GradScaler is enabled, but CUDA is not available. Disabling.",
                stacklevel=2,
            )
            enabled = False
        elif enabled and device != "cuda":
            raise NotImplementedError(f"GradScaler({device!r}): there is nothing to scale for; pass enabled=False.")
        self._enabled = enabled
        if enabled:
            if growth_factor <= 1.0:
                raise AssertionError("The growth factor must be > 1.0.")
            if backoff_factor >= 1.0:
                raise AssertionError("The backoff factor must be < 1.0.")
        self._value = float(init_scale)
        self._growth_factor, self._backoff_factor, self._growth_interval = (
            growth_factor,
            backoff_factor,
            growth_interval,
        )
        self._growth_tracker = 0
        # By the optimizer's id: whether its gradients were unscaled and stepped since the last update, and whether one
        # of them was not finite.
        self._seen: dict[int, dict[str, bool]] = {}

    def is_enabled(self) -> bool:
        return self._enabled

    def get_scale(self) -> float:
        return self._value if self._enabled else 1.0

    def get_growth_factor(self) -> float:
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        self._growth_interval = new_interval

    def scale(self, outputs: Any) -> Any:
        """A tensor, or tensors of any nesting, times the scale."""
        if not self._enabled:
            return outputs
        if isinstance(outputs, _C.Tensor):
            return outputs * self._value
        if isinstance(outputs, Iterable):
            scaled = map(self.scale, outputs)
            return type(outputs)(scaled) if isinstance(outputs, (list, tuple)) else scaled
        raise ValueError("outputs must be a Tensor or an iterable of Tensors")

    def unscale_(self, optimizer: Any) -> None:
        """Divides the gradients by the scale, so that they may be clipped before the step."""
        if not self._enabled:
            return
        seen = self._seen.setdefault(id(optimizer), {})
        if "unscaled" in seen:
            when = (
                "is being called after step()"
                if "stepped" in seen
                else ("has already been called on this optimizer since the last update()")
            )
            raise RuntimeError(f"unscale_() {when}.")
        grads = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        if any(g.dtype == _C.float16 for g in grads):
            raise ValueError("Attempting to unscale FP16 gradients.")
        inverse, bad = 1.0 / self._value, None
        with _no_grad():
            for g in grads:
                g.mul_(inverse)
                # The sum of zeros is NaN where one was infinite or NaN: asked of the device once, below.
                zero = (g * 0).sum()
                bad = zero if bad is None else bad + zero.to(bad.device, bad.dtype)
        seen["unscaled"] = True
        seen["overflow"] = bad is not None and bad.item() != 0

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """`optimizer.step()`, unless a gradient is not finite; then None."""
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        seen = self._seen.setdefault(id(optimizer), {})
        if "stepped" in seen:
            raise RuntimeError("step() has already been called since the last update().")
        if "unscaled" not in seen:
            self.unscale_(optimizer)
        seen["stepped"] = True
        return None if seen["overflow"] else optimizer.step(*args, **kwargs)

    def update(self, new_scale: Any = None) -> None:
        """The scale of the next round: `new_scale`, or what the gradients of this one ask for."""
        if not self._enabled:
            return
        if new_scale is not None:
            self._value = float(new_scale)
        else:
            rounds = [s for s in self._seen.values() if "overflow" in s]
            if not rounds:
                raise AssertionError("No inf checks were recorded prior to update.")
            if any(s["overflow"] for s in rounds):
                self._value *= self._backoff_factor
                self._growth_tracker = 0
            else:
                self._growth_tracker += 1
                if self._growth_tracker == self._growth_interval:
                    self._value *= self._growth_factor
                    self._growth_tracker = 0
        self._seen.clear()

    def state_dict(self) -> dict[str, Any]:
        if not self._enabled:
            return {}
        return {
            "scale": self._value,
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._growth_tracker,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled instance of GradScaler."
            )
        self._value = state_dict["scale"]
        self._growth_factor, self._backoff_factor = state_dict["growth_factor"], state_dict["backoff_factor"]
        self._growth_interval, self._growth_tracker = state_dict["growth_interval"], state_dict["_growth_tracker"]


def _cuda_available() -> bool:
    from .. import cuda

    return cuda.is_available()


def _no_grad() -> Any:
    from ..autograd import no_grad

    return no_grad()
