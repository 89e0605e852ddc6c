"""Limits of the number types: `finfo` and `iinfo`."""

from __future__ import annotations

from typing import Any

from . import _C

__all__ = ["finfo", "iinfo"]

# name: bits, stored mantissa bits, exponent bits
_FLOATS = {"float16": (16, 10, 5), "bfloat16": (16, 7, 8), "float32": (32, 23, 8), "float64": (64, 52, 11)}


def _name(dtype: Any) -> str:
    return str(dtype).rpartition(".")[2]


class finfo:
    """Limits of a floating dtype (of a complex one's parts): bits, eps, max, min, tiny, smallest_normal, resolution."""

    def __init__(self, type: Any = None) -> None:
        dtype = _C.get_default_dtype() if type is None else type
        if not isinstance(dtype, _C.dtype) or not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError(
                f"{_C._package_name()}.finfo() requires a floating point input type. Use iinfo to handle {dtype!r}"
            )
        self.dtype = _name(dtype.to_real())
        self.bits, mantissa, exponent = _FLOATS[self.dtype]
        bias = 2 ** (exponent - 1) - 1
        self.eps = 2.0**-mantissa
        self.max = (2.0 - self.eps) * 2.0**bias
        self.min = -self.max
        self.tiny = self.smallest_normal = 2.0 ** (1 - bias)
        self.resolution = 10.0 ** -int(mantissa * 0.30103)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, finfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(self.dtype)

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
            f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})"
        )


class iinfo:
    """Limits of an integer dtype: bits, min, max."""

    def __init__(self, type: Any) -> None:
        if not isinstance(type, _C.dtype) or type.is_floating_point or type.is_complex or type is _C.bool:
            raise TypeError(
                f"{_C._package_name()}.iinfo() requires an integer input type. Use finfo to handle {type!r}"
            )
        self.dtype = _name(type)
        self.bits = type.itemsize * 8
        self.min = -(2 ** (self.bits - 1)) if type.is_signed else 0
        self.max = 2 ** (self.bits - type.is_signed) - 1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, iinfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(self.dtype)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"
