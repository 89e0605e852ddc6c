"""CUDA devices: which there are, their streams, memory and random numbers.

Nothing here touches a driver before a device is asked for. In a build without CUDA, and on a machine without a GPU,
questions are answered and requests raise as in PyTorch.
"""

from __future__ import annotations

from typing import Any

from .. import _C
from .._legacy import CUDA_TYPES as _TYPES
from ._device import index_of as _index_of
from .graphs import CUDAGraph, graph, graph_pool_handle, is_current_stream_capturing
from .memory import (
    OutOfMemoryError,
    empty_cache,
    host_memory_stats,
    max_memory_allocated,
    max_memory_cached,
    max_memory_reserved,
    mem_get_info,
    memory_allocated,
    memory_cached,
    memory_reserved,
    memory_stats,
    memory_summary,
    reset_max_memory_allocated,
    reset_max_memory_cached,
    reset_peak_memory_stats,
    set_per_process_memory_fraction,
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
from .streams import Event, ExternalStream, Stream, StreamContext, current_stream, default_stream, set_stream, stream

globals().update(_TYPES)  # FloatTensor and its like: classes whose instances cannot be

__all__ = [
    "CUDAGraph",
    "Event",
    "ExternalStream",
    "OutOfMemoryError",
    "Stream",
    "StreamContext",
    "can_device_access_peer",
    "current_device",
    "current_stream",
    "default_stream",
    "device",
    "device_count",
    "device_of",
    "empty_cache",
    "get_arch_list",
    "get_device_capability",
    "get_device_name",
    "get_device_properties",
    "get_rng_state",
    "get_rng_state_all",
    "get_sync_debug_mode",
    "graph",
    "graph_pool_handle",
    "host_memory_stats",
    "init",
    "initial_seed",
    "ipc_collect",
    "is_available",
    "is_bf16_supported",
    "is_current_stream_capturing",
    "is_initialized",
    "is_tf32_supported",
    "manual_seed",
    "manual_seed_all",
    "max_memory_allocated",
    "max_memory_cached",
    "max_memory_reserved",
    "mem_get_info",
    "memory_allocated",
    "memory_cached",
    "memory_reserved",
    "memory_stats",
    "memory_summary",
    "reset_max_memory_allocated",
    "reset_max_memory_cached",
    "reset_peak_memory_stats",
    "seed",
    "seed_all",
    "set_device",
    "set_per_process_memory_fraction",
    "set_rng_state",
    "set_rng_state_all",
    "set_stream",
    "set_sync_debug_mode",
    "stream",
    "synchronize",
]


def device_count() -> int:
    """How many CUDA devices this build can use here; 0 without a driver."""
    return _C._cuda_device_count()


def is_available() -> bool:
    """Whether there is a CUDA device to compute on."""
    return device_count() > 0


def is_initialized() -> bool:
    """Whether a CUDA device was used."""
    return _C._cuda_is_initialized()


def init() -> None:
    """Makes CUDA ready, which its first use does too; raises where there is no device."""
    _C._cuda_init()


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
    if isinstance(device, int) and device >= device_count():
        raise AssertionError("Invalid device id")
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


class device_of(device):
    """Context manager: the CUDA device of a tensor is the current one within the block; others change nothing."""

    def __init__(self, obj: Any) -> None:
        super().__init__(obj.device.index if obj.is_cuda else None)

    def __enter__(self) -> None:
        if self.idx is not None:
            super().__enter__()

    def __exit__(self, *args: Any) -> None:
        if self.idx is not None:
            super().__exit__(*args)


def can_device_access_peer(device: Any, peer_device: Any) -> bool:
    """Whether kernels of one device can read the other's memory; copies between devices work in any case."""
    device, peer_device = _index_of(device), _index_of(peer_device)
    return _C._cuda_can_access_peer(device, peer_device)


def is_tf32_supported() -> bool:
    return is_available() and get_device_capability()[0] >= 8


_sync_debug_mode = 0


def get_sync_debug_mode() -> int:
    return _sync_debug_mode


def set_sync_debug_mode(debug_mode: int | str) -> None:
    """Accepted. TENSORLITE_CUDA_SYNC=1 in the environment makes every operator wait, so that errors arise where they
    are made."""
    global _sync_debug_mode
    if isinstance(debug_mode, str):
        modes = {"default": 0, "warn": 1, "error": 2}
        if debug_mode not in modes:
            raise RuntimeError("invalid value of debug_mode, expected one of `default`, `warn`, `error`")
        debug_mode = modes[debug_mode]
    _sync_debug_mode = debug_mode


def _sleep(cycles: int) -> None:
    """Keeps the current stream busy for about so many cycles of the device's clock."""
    init()
    _C._cuda_sleep(int(cycles))


def get_arch_list() -> list[str]:
    return []


def get_gencode_flags() -> str:
    return ""


def ipc_collect() -> None:
    pass


def __getattr__(name: str) -> Any:
    if name in ("amp", "nvtx"):
        import importlib

        return importlib.import_module(f"{__name__}.{name}")
    if name == "default_generators":
        return tuple(_C._cuda_generator(i) for i in range(device_count()))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
