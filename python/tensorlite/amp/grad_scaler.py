"""`GradScaler`: keeps small gradients of float16 from vanishing. Off where there is no GPU."""

from __future__ import annotations

import warnings
from typing import Any

from .. import _C

__all__ = ["GradScaler"]


class GradScaler:
    """scale(loss).backward(), step(optimizer), update(). Without a GPU it is off: each does the plain thing."""

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
        if enabled and device == "cuda":
            warnings.warn(
                f"{_C._package_name()}.cuda.amp.GradScaler is enabled, but CUDA is not available. Disabling.",
                stacklevel=2,
            )
        elif enabled:
            raise NotImplementedError(f"GradScaler({device!r}): there is nothing to scale for; pass enabled=False.")

    def is_enabled(self) -> bool:
        return False

    def get_scale(self) -> float:
        return 1.0

    def scale(self, outputs: Any) -> Any:
        return outputs

    def unscale_(self, optimizer: Any) -> None:
        pass

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        return optimizer.step(*args, **kwargs)

    def update(self, new_scale: Any = None) -> None:
        pass

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        pass
