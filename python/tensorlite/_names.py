"""The name this package goes by in printed text.

It is "tensorlite"; while `tensorlite.compat` stands in for PyTorch it is "torch", so that such a
script's text is PyTorch's to the letter.
"""

from __future__ import annotations

_prefix = "tensorlite"


def prefix() -> str:
    return _prefix


def qualname(name: str) -> str:
    """`float64` -> `tensorlite.float64`, or `torch.float64` under `tensorlite.compat`."""
    return f"{_prefix}.{name}"


def set_prefix(name: str) -> None:
    global _prefix
    _prefix = name
    from . import _C

    _C._set_name_prefix(name)
