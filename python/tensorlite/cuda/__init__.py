"""CUDA devices. This build has none: questions are answered, requests raise AssertionError as in PyTorch."""

from __future__ import annotations

from typing import Any, NoReturn

from .._legacy import CUDA_TYPES as _TYPES

globals().update(_TYPES)  # FloatTensor and its like: classes whose instances cannot be

__all__ = [
    "current_device",
    "device",
    "device_count",
    "empty_cache",
    "get_device_capability",
    "get_device_name",
    "get_device_properties",
    "get_rng_state",
    "get_rng_state_all",
    "init",
    "initial_seed",
    "is_available",
    "is_bf16_supported",
    "is_initialized",
    "manual_seed",
    "manual_seed_all",
    "max_memory_allocated",
    "max_memory_reserved",
    "memory_allocated",
    "memory_reserved",
    "seed",
    "seed_all",
    "set_device",
    "set_rng_state",
    "set_rng_state_all",
    "synchronize",
]


def is_available() -> bool:
    return False


def is_initialized() -> bool:
    return False


def is_bf16_supported(including_emulation: bool = True) -> bool:
    return False


def device_count() -> int:
    return 0


def _refuse() -> NoReturn:
    raise AssertionError(
        "Torch not compiled with CUDA enabled: this build of tensorlite computes on the CPU only. "
        "Ask cuda.is_available() before using a CUDA device."
    )


def init() -> None:
    _refuse()


def current_device() -> int:
    _refuse()


def set_device(device: Any) -> None:
    _refuse()


def synchronize(device: Any = None) -> None:
    _refuse()


def get_device_name(device: Any = None) -> str:
    _refuse()


def get_device_capability(device: Any = None) -> tuple[int, int]:
    _refuse()


def get_device_properties(device: Any = None) -> Any:
    _refuse()


class device:
    """Context manager: the current CUDA device within the block."""

    def __init__(self, device: Any) -> None:
        self.device = device

    def __enter__(self) -> None:
        _refuse()

    def __exit__(self, *_: Any) -> None:
        pass


# Seeds are for devices that may never be used; there are none, so nothing is to be kept.


def manual_seed(seed: int) -> None:
    int(seed)


def manual_seed_all(seed: int) -> None:
    int(seed)


def seed() -> None:
    pass


def seed_all() -> None:
    pass


def initial_seed() -> int:
    _refuse()


def get_rng_state(device: Any = "cuda") -> Any:
    _refuse()


def get_rng_state_all() -> list[Any]:
    return []


def set_rng_state(new_state: Any, device: Any = "cuda") -> None:
    _refuse()


def set_rng_state_all(new_states: Any) -> None:
    for state in new_states:
        set_rng_state(state)


def empty_cache() -> None:
    pass


def memory_allocated(device: Any = None) -> int:
    return 0


def max_memory_allocated(device: Any = None) -> int:
    return 0


def memory_reserved(device: Any = None) -> int:
    return 0


def max_memory_reserved(device: Any = None) -> int:
    return 0


def get_arch_list() -> list[str]:
    return []


def max_memory_cached(device: Any = None) -> int:
    return 0


def reset_peak_memory_stats(device: Any = None) -> None:
    _refuse()


def memory_summary(device: Any = None, abbreviated: bool = False) -> str:
    _refuse()


def mem_get_info(device: Any = None) -> tuple[int, int]:
    _refuse()


def ipc_collect() -> None:
    pass


def is_current_stream_capturing() -> bool:
    return False


class _Unavailable:
    """A class of CUDA objects that this build cannot make."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _refuse()


class Stream(_Unavailable):
    """A queue of work on a CUDA device."""


class Event(_Unavailable):
    """A point in a stream."""


def current_stream(device: Any = None) -> Any:
    _refuse()


def stream(stream: Any) -> Any:
    _refuse()


def __getattr__(name: str) -> Any:
    if name == "amp":
        import importlib

        return importlib.import_module(f"{__name__}.amp")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
