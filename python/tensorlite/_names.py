"""The name this package goes by in printed text.

It is "tensorlite"; while `tensorlite.compat` stands in for PyTorch it is "torch", so that such a
script's text is PyTorch's to the letter.
"""

from __future__ import annotations

import sys
from typing import Any

from . import _C

# PyTorch's names of a dtype in messages: of the type of a tensor, and of its elements in C++.
_DTYPES = {
    "bool": ("Bool", "bool"), "uint8": ("Byte", "unsigned char"), "int8": ("Char", "signed char"),
    "int16": ("Short", "short int"), "int32": ("Int", "int"), "int64": ("Long", "long int"),
    "float16": ("Half", "c10::Half"), "bfloat16": ("BFloat16", "c10::BFloat16"), "float32": ("Float", "float"),
    "float64": ("Double", "double"), "complex64": ("ComplexFloat", "c10::complex<float>"),
    "complex128": ("ComplexDouble", "c10::complex<double>"),
}  # fmt: skip


def type_name(dtype: Any) -> str:
    """`Float` of float32."""
    return _DTYPES[str(dtype).rpartition(".")[2]][0]


def cpp_name(dtype: Any) -> str:
    """`long int` of int64."""
    return _DTYPES[str(dtype).rpartition(".")[2]][1]


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
