"""Names that models written for TorchScript use; nothing is compiled, every function runs as Python."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

__all__ = ["annotate", "export", "ignore", "is_scripting", "is_tracing", "script", "trace", "unused"]

T = TypeVar("T")


def is_scripting() -> bool:
    return False


def is_tracing() -> bool:
    return False


def unused(fn: T) -> T:
    """Marks a function that a compiler should leave out."""
    return fn


def export(fn: T) -> T:
    """Marks a method that a compiler should take in."""
    return fn


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """Marks a function that a compiler should leave to Python."""
    return drop if callable(drop) else lambda fn: fn


def _overload_method(fn: T) -> T:
    return fn


def annotate(the_type: Any, the_value: T) -> T:
    return the_value


def script(obj: Any, *args: Any, **kwargs: Any) -> NoReturn:
    raise NotImplementedError("tensorlite has no TorchScript: call the function or module as it is.")


def trace(func: Any, *args: Any, **kwargs: Any) -> NoReturn:
    raise NotImplementedError("tensorlite has no TorchScript: call the function or module as it is.")
