"""Names for type annotations."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

from . import Size, Tensor, device, dtype, layout

__all__ = ["Device", "FileLike", "Number", "Storage", "TensorOrTensors"]

_int, _float, _bool, _complex = builtins.int, builtins.float, builtins.bool, builtins.complex
_dtype, _device, _layout = dtype, device, layout
_size = Size | list[builtins.int] | tuple[builtins.int, ...]
_TensorOrTensors = TensorOrTensors = Tensor | Sequence[Tensor]
Number = builtins.int | builtins.float | builtins.bool
Device = device | str | builtins.int | None
FileLike = Any
Storage = Any
