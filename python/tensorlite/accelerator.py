"""The accelerator of this machine, whatever its kind."""

from __future__ import annotations

from typing import Any

from . import cuda

__all__ = [
    "current_accelerator",
    "current_device_index",
    "device_count",
    "is_available",
    "set_device_index",
    "synchronize",
]


def is_available() -> bool:
    return cuda.is_available()


def device_count() -> int:
    return cuda.device_count()


def current_accelerator(check_available: bool = False) -> Any:
    """The device type of the accelerator as a device without an index, or None."""
    if not cuda.is_available():
        return None
    from . import device

    return device("cuda")


def _require() -> None:
    if not is_available():
        raise RuntimeError("Cannot access accelerator device when none is available.")


def current_device_index() -> int:
    _require()
    return cuda.current_device()


def set_device_index(device: Any, /) -> None:
    _require()
    cuda.set_device(device)


def synchronize(device: Any = None, /) -> None:
    _require()
    cuda.synchronize(device)
