"""The name this package goes by in printed text.

It is "tensorlite"; while `tensorlite.compat` stands in for PyTorch it is "torch", so that such a
script's text is PyTorch's to the letter.
"""

from __future__ import annotations

import sys

from . import _C


def prefix() -> str:
    return _C._package_name()


def qualname(name: str) -> str:
    """`float64` -> `tensorlite.float64`, or `torch.float64` under `tensorlite.compat`."""
    return f"{prefix()}.{name}"


def set_prefix(name: str) -> None:
    _C._set_name_prefix(name)
    for kind in (_C.Tensor, _C.Size, _C.dtype, _C.device, _C.Generator):
        kind.__module__ = name
    parameter = sys.modules.get(f"{__package__}.nn.parameter")
    if parameter is not None:
        parameter.Parameter.__module__ = f"{name}.nn.parameter"
