"""`fx.wrap`, which model definitions call at import; there is no tracer."""

from __future__ import annotations

from typing import TypeVar

__all__ = ["wrap"]

T = TypeVar("T")


def wrap(fn_or_name: T) -> T:
    """Marks a function that a tracer should not look into."""
    return fn_or_name
