"""PyTorch's older constructors: `Tensor(2, 3)`, `FloatTensor([1, 2])`, `x.type()`."""

from __future__ import annotations

import builtins
import warnings
from typing import Any

from . import _C

Tensor = _C.Tensor

TYPES = {
    "FloatTensor": _C.float32, "DoubleTensor": _C.float64, "HalfTensor": _C.float16, "BFloat16Tensor": _C.bfloat16,
    "ByteTensor": _C.uint8, "CharTensor": _C.int8, "ShortTensor": _C.int16, "IntTensor": _C.int32,
    "LongTensor": _C.int64, "BoolTensor": _C.bool,
}  # fmt: skip
_NAMES = {dtype: name for name, dtype in TYPES.items()} | {
    _C.complex64: "ComplexFloatTensor",
    _C.complex128: "ComplexDoubleTensor",
}


def new(dtype: Any, device: str, args: tuple[Any, ...]) -> Tensor:
    """A tensor of sizes given as ints (uninitialised), of a sequence's contents, or over another tensor's memory."""
    first = args[0] if args else None
    if not args:
        return _C.empty((0,), dtype=dtype, device=device)
    if isinstance(first, _C.Size) and len(args) == 1:
        return _C.empty(first, dtype=dtype, device=device)
    if isinstance(first, int) and not isinstance(first, builtins.bool):
        for position, a in enumerate(args, 1):
            if not isinstance(a, int):
                raise TypeError(
                    f"new(): argument 'size' failed to unpack the object at pos {position} with error "
                    f'"type must be tuple of ints,but got {type(a).__name__}"'
                )
        return _C.empty(args, dtype=dtype, device=device)
    if len(args) > 1:
        raise TypeError(f"new(): expected sizes as ints, or one sequence of data, but got {len(args)} arguments")
    if isinstance(first, Tensor):
        if first.dtype != dtype:
            raise TypeError(f"expected {dtype} (got {first.dtype}): use tensor.to({dtype}) to convert")
        return first.detach()
    if isinstance(first, str):
        raise TypeError(f"new(): invalid data type '{type(first).__name__}'")
    if not hasattr(first, "__len__") and not hasattr(first, "__array_interface__"):
        raise TypeError(f"new(): data must be a sequence (got {type(first).__name__})")
    t = _C._tensor_from(first, dtype)
    return t if device == "cpu" else t.to(device)


class tensortype(type):
    """The class of `FloatTensor` and its like: a dtype and a device in the clothes of a class."""

    dtype: Any
    _device: str

    def __call__(cls, *args: Any, device: Any = None) -> Tensor:
        return new(cls.dtype, cls._device, args)

    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, Tensor) and x.dtype == cls.dtype and x.device.type == cls._device

    @property
    def is_cuda(cls) -> bool:
        return cls._device == "cuda"

    def __repr__(cls) -> str:
        return f"<class '{cls._text()}'>"

    def _text(cls) -> str:
        return _C._package_name() + (".cuda." if cls._device == "cuda" else ".") + cls.__name__


CPU_TYPES = {name: tensortype(name, (), {"dtype": dtype, "_device": "cpu"}) for name, dtype in TYPES.items()}
CUDA_TYPES = {name: tensortype(name, (), {"dtype": dtype, "_device": "cuda"}) for name, dtype in TYPES.items()}


def _new_tensor(cls: type, *args: Any, device: Any = None) -> Tensor:
    first = args[0] if args else None
    if len(args) == 1 and isinstance(first, Tensor):
        t = first.detach()
    else:
        t = new(_C.get_default_dtype(), "cpu" if device is None else str(device), args)
    return t if cls is Tensor else Tensor._make_subclass(cls, t)


_C._set_tensor_new(_new_tensor)


def _parse(text: str) -> tuple[Any, str]:
    """dtype and device of "torch.cuda.FloatTensor"."""
    head, *middle, name = text.split(".")
    if name not in TYPES or head not in ("torch", "tensorlite") or middle not in ([], ["cuda"]):
        raise ValueError(f"invalid type: '{text}'")
    return TYPES[name], "cuda" if middle else "cpu"


def _type(self: Tensor, dtype: Any = None, non_blocking: bool = False, **kwargs: Any) -> Any:
    """The name of the tensor's type, as 'tensorlite.FloatTensor'; with `dtype` (or such a name or class) the tensor
    converted to it."""
    if dtype is None:
        where = "." if self.is_cpu else ".cuda."
        return _C._package_name() + where + _NAMES[self.dtype]
    if isinstance(dtype, str):
        dtype, device = _parse(dtype)
        return self.to(device=device, dtype=dtype, non_blocking=non_blocking)
    if isinstance(dtype, tensortype):
        return self.to(device=dtype._device, dtype=dtype.dtype, non_blocking=non_blocking)
    return self.to(dtype, non_blocking)


def _new(self: Tensor, *args: Any, device: Any = None) -> Tensor:
    """Like the class of this tensor: `x.new(2, 3)`, `x.new([1, 2])`."""
    return new(self.dtype, str(self.device) if device is None else str(device), args)


Tensor.type = _type
Tensor.new = _new


def set_default_tensor_type(t: Any) -> None:
    """Sets the default dtype by a class or its name. Deprecated: `set_default_dtype`."""
    warnings.warn(
        f"{_C._package_name()}.set_default_tensor_type() is deprecated, please use set_default_dtype().", stacklevel=2
    )
    dtype = _parse(t)[0] if isinstance(t, str) else t.dtype
    _C.set_default_dtype(dtype)
