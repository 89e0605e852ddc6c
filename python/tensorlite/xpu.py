"""There is no backend for these devices: questions are answered."""

from __future__ import annotations

from typing import Any


def is_available() -> bool:
    return False


def device_count() -> int:
    return 0


def manual_seed(seed: int) -> None:
    int(seed)


def empty_cache() -> None:
    pass


def synchronize(device: Any = None) -> None:
    raise AssertionError("tensorlite has no backend for this device. Ask is_available() first.")
