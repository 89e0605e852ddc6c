"""Ranges for NVIDIA's profilers. They are accepted and noted nowhere: tensorlite does not load the library for them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

__all__ = ["mark", "range", "range_end", "range_pop", "range_push", "range_start"]

_depth = 0


def range_push(msg: str) -> int:
    """The depth of the range that begins, from 0."""
    global _depth
    _depth += 1
    return _depth - 1


def range_pop() -> int:
    global _depth
    _depth -= 1
    return _depth


def range_start(msg: str) -> int:
    return 0


def range_end(range_id: int) -> None:
    pass


def mark(msg: str) -> None:
    pass


@contextlib.contextmanager
def range(msg: str, *args: Any, **kwargs: Any) -> Iterator[None]:
    range_push(msg.format(*args, **kwargs))
    try:
        yield
    finally:
        range_pop()
