"""Finds the operator of the forward at which backward fails or first gives a NaN."""

from __future__ import annotations

import warnings
from typing import Any

from .. import _C

__all__ = ["detect_anomaly", "is_anomaly_enabled", "set_detect_anomaly"]


def is_anomaly_enabled() -> bool:
    """Whether anomaly detection is on."""
    return _C._anomaly_mode()[0]


class set_detect_anomaly:
    """Switches anomaly detection to `mode` at once; as a context manager it undoes that at the end.

    check_nan: raise RuntimeError when a gradient holds a NaN.
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.previous = _C._anomaly_mode()
        _C._set_anomaly_mode(mode, check_nan)

    def __enter__(self) -> None:
        return None

    def __exit__(self, *error: Any) -> None:
        _C._set_anomaly_mode(*self.previous)


class detect_anomaly(set_detect_anomaly):
    """A context manager: inside, each operator remembers the line that called it, and backward tells it on errors."""

    def __init__(self, check_nan: bool = True) -> None:
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for "
            "debugging.",
            stacklevel=2,
        )
        self.check_nan = check_nan
        self.previous = _C._anomaly_mode()

    def __enter__(self) -> None:
        _C._set_anomaly_mode(True, self.check_nan)


def _tell(node: Any) -> None:
    stack = node.__dict__.get("_traceback")
    if stack:
        text = f"Error detected in {node.name()}. Traceback of forward call that caused the error:\n{''.join(stack)}"
    else:
        text = (
            f"Error detected in {node.name()}. No forward pass information available. Enable detect anomaly during "
            "forward pass for more information."
        )
    warnings.warn(text, stacklevel=2)
