"""Settings of the whole process."""

from __future__ import annotations

import warnings
from typing import Any

from . import _C

_deterministic = 0  # 0: not asked for, 1: warn, 2: error
_interop_threads = 1


def get_default_device() -> Any:
    """The device on which factories make tensors.

    >>> get_default_device()
    device(type='cpu')
    """
    d = _C._default_device()
    return d if d.type == "cpu" else _C.empty(0, device=d).device


def set_default_device(device: Any) -> None:
    """Sets the device on which this thread's factories make tensors; `with device:` does so for a block."""
    chosen = _C.device("cpu" if device is None else device)
    _C.empty(0, device=chosen)  # raises where nothing can lie there
    _C._set_default_device(chosen)


def get_float32_matmul_precision() -> str:
    """ "highest" unless a CUDA device may round float32 to fewer bits when it multiplies matrices."""
    from .backends import cuda

    return cuda.matmul._values["precision"]


def set_float32_matmul_precision(precision: str) -> None:
    """ "highest": float32 products are computed in float32. "high" and "medium": a CUDA device may round their operands
    to tf32. The CPU always computes in float32.
    """
    if precision not in ("highest", "high", "medium"):
        warnings.warn(
            f"{precision} is not one of 'highest', 'high', or 'medium'; the current setting will not be changed.",
            stacklevel=2,
        )
        return
    from .backends import cuda

    cuda._set_float32_precision(precision)


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Accepted: tensorlite's kernels are deterministic, for any number of threads."""
    global _deterministic
    _deterministic = (1 if warn_only else 2) if mode else 0


def are_deterministic_algorithms_enabled() -> bool:
    return _deterministic > 0


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    return _deterministic == 1


def set_deterministic_debug_mode(debug_mode: Any) -> None:
    """0 or "default", 1 or "warn", 2 or "error"."""
    global _deterministic
    names = {"default": 0, "warn": 1, "error": 2}
    if isinstance(debug_mode, str) and debug_mode not in names:
        raise RuntimeError(
            f"invalid value of debug_mode, expected one of `default`, `warn`, `error`, but got {debug_mode}"
        )
    _deterministic = names[debug_mode] if isinstance(debug_mode, str) else int(debug_mode)


def get_deterministic_debug_mode() -> int:
    return _deterministic


def is_anomaly_enabled() -> bool:
    """Whether `autograd.detect_anomaly` is on."""
    return _C._anomaly_mode()[0]


def is_anomaly_check_nan_enabled() -> bool:
    """Whether anomaly detection looks for NaN too."""
    return _C._anomaly_mode()[1]


def set_flush_denormal(mode: bool) -> bool:
    """Denormal numbers are always computed with: gives False for "not supported" where flushing is asked for."""
    return not mode


def get_num_interop_threads() -> int:
    """Operators run one after the other."""
    return _interop_threads


def set_num_interop_threads(n: int) -> None:
    """Accepted; operators run one after the other."""
    global _interop_threads
    if n < 1:
        raise RuntimeError("set_num_interop_threads expects a positive integer")
    _interop_threads = n


def set_warn_always(mode: bool) -> None:
    """Accepted: Python's filters decide how often a warning shows."""


def is_warn_always_enabled() -> bool:
    return False


def compiled_with_cxx11_abi() -> bool:
    return True
