"""CUDA devices: which there are, their streams, memory and random numbers.

Nothing here touches a driver before a device is asked for. In a build without CUDA, and on a machine without a GPU,
questions are answered and requests raise as in PyTorch.
"""

from __future__ import annotations

from typing import Any

from .. import _C
from .._legacy import CUDA_TYPES as _TYPES
from ._device import index_of as _index_of
from .memory import (
    OutOfMemoryError,
    empty_cache,
    max_memory_allocated,
    max_memory_cached,
    max_memory_reserved,
    mem_get_info,
    memory_allocated,
    memory_reserved,
    memory_stats,
    memory_summary,
    reset_max_memory_allocated,
    reset_peak_memory_stats,
)
from .random import (
    get_rng_state,
    get_rng_state_all,
    initial_seed,
    manual_seed,
    manual_seed_all,
    seed,
    seed_all,
    set_rng_state,
    set_rng_state_all,
)
from .streams import Event, Stream, StreamContext, current_stream, default_stream, set_stream, stream

globals().update(_TYPES)  # FloatTensor and its like: classes whose instances cannot be

__all__ = [
    "Event",
    "OutOfMemoryError",
    "Stream",
    "StreamContext",
    "current_device",
    "current_stream",
    "default_stream",
    "device",
    "device_count",
    "empty_cache",
    "get_arch_list",
    "get_device_capability",
    "get_device_name",
    "get_device_properties",
    "get_rng_state",
    "get_rng_state_all",
    "init",
    "initial_seed",
    "ipc_collect",
    "is_available",
    "is_bf16_supported",
    "is_current_stream_capturing",
    "is_initialized",
    "manual_seed",
    "manual_seed_all",
    "max_memory_allocated",
    "max_memory_cached",
    "max_memory_reserved",
    "mem_get_info",
    "memory_allocated",
    "memory_reserved",
    "memory_stats",
    "memory_summary",
    "reset_max_memory_allocated",
    "reset_peak_memory_stats",
    "seed",
    "seed_all",
    "set_device",
    "set_rng_state",
    "set_rng_state_all",
    "set_stream",
    "stream",
    "synchronize",
]

_initialized = False


def device_count() -> int:
    """How many CUDA devices this build can use here; 0 without a driver."""
    return _C._cuda_device_count()


def is_available() -> bool:
    """Whether there is a CUDA device to compute on."""
    return device_count() > 0


def is_initialized() -> bool:
    """Whether a CUDA device was used."""
    return _initialized


def init() -> None:
    """Makes CUDA ready, which its first use does too; raises where there is no device."""
    global _initialized
    _C._cuda_init()
    _initialized = True


def current_device() -> int:
    """The index of the device that "cuda" means."""
    init()
    return _C._cuda_current_device()


def set_device(device: Any) -> None:
    """Makes "cuda" mean this device."""
    init()
    _C._cuda_set_device(_index_of(device))


def synchronize(device: Any = None) -> None:
    """Waits until everything that was asked of the device is done."""
    init()
    _C._cuda_synchronize(_index_of(device))


class _CudaDeviceProperties:
    """What a device is: name, major, minor, total_memory, multi_processor_count ..."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)

    def __repr__(self) -> str:
        return (
            f"_CudaDeviceProperties(name={self.name!r}, major={self.major}, minor={self.minor}, "
            f"total_memory={self.total_memory >> 20}MB, multi_processor_count={self.multi_processor_count}, "
            f"L2_cache_size={self.L2_cache_size >> 20}MB)"
        )


def get_device_properties(device: Any = None) -> Any:
    init()
    return _CudaDeviceProperties(_C._cuda_info(_index_of(device)))


def get_device_name(device: Any = None) -> str:
    return get_device_properties(device).name


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """The compute capability: (9, 0) on Hopper."""
    p = get_device_properties(device)
    return p.major, p.minor


def is_bf16_supported(including_emulation: bool = True) -> bool:
    return is_available() and (including_emulation or get_device_capability()[0] >= 8)


class device:
    """Context manager: the current CUDA device within the block."""

    def __init__(self, device: Any) -> None:
        self.idx = device

    def __enter__(self) -> None:
        init()
        self._previous = _C._cuda_current_device()
        set_device(self.idx)

    def __exit__(self, *_: Any) -> None:
        _C._cuda_set_device(self._previous)


def get_arch_list() -> list[str]:
    return []


def ipc_collect() -> None:
    pass


def is_current_stream_capturing() -> bool:
    return False


def __getattr__(name: str) -> Any:
    if name == "amp":
        import importlib

        return importlib.import_module(f"{__name__}.amp")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
