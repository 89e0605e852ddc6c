"""The memory of CUDA devices: what tensors hold, what the allocator keeps for reuse."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from .. import _C
from ._device import index_of

OutOfMemoryError = _C.OutOfMemoryError


def memory_stats(device: Any = None) -> dict[str, int]:
    """Counts of the allocator, by PyTorch's names; empty as long as no device is used."""
    return OrderedDict(_C._cuda_memory_stats(index_of(device)) if _C._cuda_is_initialized() else {})


def host_memory_stats() -> dict[str, int]:
    """What is pinned of the host's memory."""
    if not _C._cuda_is_initialized():
        return OrderedDict()
    return OrderedDict({"allocated_bytes.current": _C._cuda_pinned_bytes()})


def set_per_process_memory_fraction(fraction: float, device: Any = None) -> None:
    """What would take more than this share of the device's memory raises OutOfMemoryError."""
    index = index_of(device)
    if not isinstance(fraction, float):
        raise TypeError("Invalid type for fraction argument, must be `float`")
    if fraction < 0 or fraction > 1:
        raise ValueError(f"Invalid fraction value: {fraction}. Allowed range: 0~1")
    _C._cuda_set_memory_fraction(index, fraction)


def _stat(name: str, device: Any) -> int:
    return memory_stats(device).get(name, 0)


def memory_allocated(device: Any = None) -> int:
    """Bytes that tensors hold."""
    return _stat("allocated_bytes.all.current", device)


def max_memory_allocated(device: Any = None) -> int:
    """The most bytes that tensors held at a time, since the start or reset_peak_memory_stats."""
    return _stat("allocated_bytes.all.peak", device)


def memory_reserved(device: Any = None) -> int:
    """Bytes taken from the driver: those of tensors and those kept for reuse."""
    return _stat("reserved_bytes.all.current", device)


def max_memory_reserved(device: Any = None) -> int:
    return _stat("reserved_bytes.all.peak", device)


max_memory_cached, memory_cached = max_memory_reserved, memory_reserved


def reset_peak_memory_stats(device: Any = None) -> None:
    _C._cuda_reset_peak_memory_stats(index_of(device))


reset_max_memory_allocated = reset_max_memory_cached = reset_peak_memory_stats


def empty_cache() -> None:
    """Gives memory that no tensor holds back to the driver."""
    if _C._cuda_is_initialized():
        _C._cuda_empty_cache()


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """Free and total bytes of the device."""
    return _C._cuda_memory_info(index_of(device))


def memory_summary(device: Any = None, abbreviated: bool = False) -> str:
    """The counts of memory_stats as a table."""
    stats = {**memory_stats(device), "pinned_bytes.current": _C._cuda_pinned_bytes()}
    width = max(map(len, stats))
    lines = [f"tensorlite CUDA memory, device {index_of(device)}"]
    return "\n".join(lines + [f"{name:<{width}}  {value:>16,}" for name, value in stats.items()])
