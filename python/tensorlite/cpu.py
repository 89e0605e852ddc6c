"""The CPU seen as a device among others."""

from __future__ import annotations

import contextlib
from typing import Any


def is_available() -> bool:
    return True


def device_count() -> int:
    return 1


def current_device() -> str:
    return "cpu"


def set_device(device: Any) -> None:
    """There is one CPU."""


def synchronize(device: Any = None) -> None:
    """Operators on the CPU have run when they return."""


class Stream:
    """Accepted: work on the CPU runs at once."""

    def __init__(self, priority: int = -1) -> None:
        pass

    def wait_stream(self, stream: Any) -> None:
        pass


def current_stream(device: Any = None) -> Stream:
    return Stream()


def stream(stream: Any) -> Any:
    return contextlib.nullcontext()
