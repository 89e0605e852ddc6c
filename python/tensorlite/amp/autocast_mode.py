"""`autocast`: the context within which operators may choose a lower precision."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

__all__ = ["autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]


def is_autocast_available(device_type: str) -> bool:
    return False


class autocast:
    """A context manager and decorator. `autocast("cuda")` does nothing yet; it says so when switched on.

    >>> with autocast("cpu", enabled=False):
    ...     torch.ones(2) + 1
    tensor([2., 2.])
    """

    def __init__(
        self, device_type: str, dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        if enabled and device_type == "cuda":
            from ..cuda import is_available

            why = (
                "tensorlite computes in the dtype of the tensors. Convert the model with model.to(torch.bfloat16)"
                if is_available()
                else "CUDA is not available"
            )
            warnings.warn(f"User provided device_type of 'cuda', but {why}. Disabling", stacklevel=2)
            enabled = False
        elif enabled:
            raise NotImplementedError(
                f"autocast({device_type!r}): tensorlite computes in the dtype of the tensors. Convert the model with "
                "model.to(torch.bfloat16), or pass enabled=False."
            )
        self.device = device_type
        self.fast_dtype = dtype

    def __enter__(self) -> autocast:
        return self

    def __exit__(self, *error: Any) -> None:
        pass

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return wrapper


def custom_fwd(fwd: Any = None, *, device_type: str = "cuda", cast_inputs: Any = None) -> Any:
    """Marks the forward of a Function for autocast."""
    return fwd if fwd is not None else lambda f: f


def custom_bwd(bwd: Any = None, *, device_type: str = "cuda") -> Any:
    """Marks the backward of a Function for autocast."""
    return bwd if bwd is not None else lambda f: f
