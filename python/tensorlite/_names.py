"""The name this package goes by in printed text.

It is "tensorlite"; while `tensorlite.compat` stands in for PyTorch it is "torch", so that such a
script's text is PyTorch's to the letter.
"""

from __future__ import annotations

from . import _C


def prefix() -> str:
    return _C._package_name()


def qualname(name: str) -> str:
    """`float64` -> `tensorlite.float64`, or `torch.float64` under `tensorlite.compat`."""
    return f"{prefix()}.{name}"


def set_prefix(name: str) -> None:
    _C._set_name_prefix(name)
