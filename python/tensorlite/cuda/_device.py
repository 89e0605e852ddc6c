"""Devices as programs name them."""

from __future__ import annotations

from typing import Any

from .. import _C


def index_of(device: Any) -> int:
    """The index of a device given as one, as text, as a number, or as None for the current one."""
    _C._cuda_init()
    if device is None:
        return _C._cuda_current_device()
    if isinstance(device, int):
        index = device
    else:
        d = _C.device(device) if isinstance(device, str) else device
        if d.type != "cuda":
            raise ValueError(f"Expected a cuda device, but got: {d}")
        index = d.index
    if index is None or index < 0:
        return _C._cuda_current_device()
    if index >= _C._cuda_device_count():
        last = _C._cuda_device_count() - 1
        raise RuntimeError(f"CUDA error: invalid device ordinal: there is no device {index}, the last one is {last}")
    return index
