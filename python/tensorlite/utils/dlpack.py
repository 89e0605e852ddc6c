"""Memory shared with other libraries by DLPack capsules."""

from __future__ import annotations

import enum
from typing import Any

from .. import _C, from_dlpack

__all__ = ["DLDeviceType", "from_dlpack", "to_dlpack"]


class DLDeviceType(enum.IntEnum):
    """DLPack's numbers of the kinds of devices."""

    kDLCPU = 1
    kDLCUDA = 2


def to_dlpack(tensor: Any) -> Any:
    """The tensor as a DLPack capsule, to be taken once."""
    if tensor.requires_grad:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    return _C._to_dlpack(tensor.detach(), False, False)
