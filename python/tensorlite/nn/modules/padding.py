"""Padding."""

from __future__ import annotations

from typing import Any

import tensorlite as _tl

from .. import functional as F
from .._shapes import _tuple
from .module import Module

Tensor = _tl.Tensor

__all__ = [
    f"{kind}Pad{n}d" for kind in ("Circular", "Constant", "Reflection", "Replication", "Zero") for n in (1, 2, 3)
]


class _Pad(Module):
    """Pads the last ``_dims`` dims; ``padding`` is one int or pairs (before, after), last dim first."""

    __constants__ = ["padding"]
    _dims = 0
    _mode = "constant"

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = _tuple(padding, 2 * self._dims)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPad(_Pad):
    __constants__ = ["padding", "value"]

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


def _make(kind: str, n: int) -> type:
    base = _ConstantPad if kind == "Constant" else _Pad
    mode = {"Circular": "circular", "Reflection": "reflect", "Replication": "replicate"}.get(kind, "constant")
    doc = f"Pads the last {n} dims ({mode}); ``padding`` is one int or pairs (before, after), last dim first."
    body = {"__doc__": doc, "__module__": __name__, "_dims": n, "_mode": mode}
    return type(f"{kind}Pad{n}d", (base,), body)


for _kind in ("Circular", "Constant", "Reflection", "Replication", "Zero"):
    for _n in (1, 2, 3):
        globals()[f"{_kind}Pad{_n}d"] = _make(_kind, _n)
