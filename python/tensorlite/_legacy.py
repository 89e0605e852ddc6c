"""PyTorch's older constructors: `Tensor(2, 3)`, `FloatTensor([1, 2])`, `x.type()`."""

from __future__ import annotations

import operator
import warnings
from typing import Any

from . import _C
from ._names import cpp_name

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


def _options(dtype: Any, device: Any) -> str:
    """Dtype and device as the message of a mismatch words them."""
    return (
        f"TensorOptions(dtype={cpp_name(dtype)}, device={device}, layout=Strided, "
        "requires_grad=false (default), pinned_memory=false (default), memory_format=(nullopt))"
    )


def _type_name(x: Any) -> str:
    name = type(x).__name__
    return f"{_C._package_name()}.{name}" if isinstance(x, (_C.dtype, _C.device, _C.Size)) else name


def _refuse(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    got = [_type_name(a) for a in args] + [f"{k}={_type_name(v)}" for k, v in kwargs.items()]
    listed = ", ".join(got) + (", " if kwargs and not args else "")
    raise TypeError(
        f"new() received an invalid combination of arguments - got ({listed}), but expected one of:\n"
        " * (*, torch.device device = None)\n * (torch.Storage storage)\n * (Tensor other)\n"
        " * (tuple of ints size, *, torch.device device = None)\n * (object data, *, torch.device device = None)\n"
    )


def _is_int(x: Any) -> bool:
    return not isinstance(x, (bool, Tensor)) and hasattr(x, "__index__") and not hasattr(x, "__len__")


def new(dtype: Any, device: Any, args: tuple[Any, ...], *, any_dtype: bool = False) -> Tensor:
    """A tensor of sizes given as ints (uninitialised), of a sequence's contents, or over another tensor's memory."""
    first = args[0] if args else None
    if not args:
        return _C.empty((0,), dtype=dtype, device=device)
    if isinstance(first, _C.Size) and len(args) == 1:
        return _C.empty(first, dtype=dtype, device=device)
    if _is_int(first):
        for position, a in enumerate(args, 1):
            if not _is_int(a):
                raise TypeError(
                    f"new(): argument 'size' failed to unpack the object at pos {position} with error "
                    f'"type must be tuple of ints,but got {type(a).__name__}"'
                )
        return _C.empty(tuple(map(operator.index, args)), dtype=dtype, device=device)
    if len(args) > 1:
        _refuse(args, {})
    if isinstance(first, Tensor):
        if first.dtype != dtype and not any_dtype:
            raise TypeError(f"expected {_options(dtype, device)} (got {_options(first.dtype, first.device)})")
        return first.view(first.shape)
    if isinstance(first, str):
        raise TypeError(f"new(): invalid data type '{type(first).__name__}'")
    if _is_storage(first):
        return _from_storage(first, dtype)
    is_array = hasattr(first, "__array_interface__")
    if not hasattr(first, "__len__") if not is_array else not getattr(first, "shape", ()):
        name = f"numpy.{type(first).__name__}" if is_array else type(first).__name__
        raise TypeError(f"new(): data must be a sequence (got {name})")
    t = _C._tensor_from(first, dtype)
    return t if str(device) == "cpu" else t.to(device)


def _is_storage(x: Any) -> bool:
    return type(x).__module__ == f"{__package__}.storage"


def _from_storage(storage: Any, dtype: Any) -> Tensor:
    return _C._storage_tensor(storage._bytes, dtype)


def _device_of(cls_device: str, device: Any) -> Any:
    if device is None:
        return cls_device
    device = device if isinstance(device, _C.device) else _C.device(device)
    if device.type != cls_device:
        raise RuntimeError(
            f"legacy constructor expects device type: {cls_device} but device type: {device.type} was passed"
        )
    return device


def _cuda_available() -> bool:
    from .cuda import is_available

    return is_available()


class tensortype(type):
    """The class of `FloatTensor` and its like: a dtype and a device in the clothes of a class."""

    dtype: Any
    _device: str
    is_sparse = False

    def __call__(cls, *args: Any, **kwargs: Any) -> Tensor:
        if cls._device != "cpu" and not _cuda_available():
            raise TypeError(f"type {cls._text()} not available. Torch not compiled with CUDA enabled.")
        device = kwargs.pop("device", None)
        if kwargs:
            _refuse(args, kwargs)
        return new(cls.dtype, _device_of(cls._device, device), args)

    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, Tensor) and x.dtype == cls.dtype and x.device.type == cls._device

    @property
    def is_cuda(cls) -> bool:
        return cls._device == "cuda"

    @property
    def layout(cls) -> Any:
        from . import strided

        return strided

    @property
    def __module__(cls) -> str:
        return _C._package_name() + (".cuda" if cls._device == "cuda" else "")

    def __repr__(cls) -> str:
        return f"<class '{cls._text()}'>"

    def _text(cls) -> str:
        return f"{cls.__module__}.{cls.__name__}"


def _classes(device: str) -> dict[str, Any]:
    return {name: tensortype(name, (), {"dtype": dtype, "_device": device}) for name, dtype in TYPES.items()}


CPU_TYPES, CUDA_TYPES = _classes("cpu"), _classes("cuda")


def _new_tensor(cls: type, *args: Any, **kwargs: Any) -> Tensor:
    device = kwargs.pop("device", None)
    if kwargs:
        _refuse(args, kwargs)
    t = new(_C.get_default_dtype(), _device_of("cpu", device), args, any_dtype=True)
    return t if cls is Tensor else Tensor._make_subclass(cls, t)


_C._set_tensor_new(_new_tensor)


def _parse(text: str) -> tuple[Any, str]:
    """dtype and device of "torch.cuda.FloatTensor"."""
    head, *middle = text.split(".")
    name = middle.pop() if middle else ""
    if name not in TYPES or head not in ("torch", "tensorlite") or middle not in ([], ["cuda"]):
        raise ValueError(f"invalid type: '{text}'")
    return TYPES[name], "cuda" if middle else "cpu"


def _type(self: Tensor, dtype: Any = None, non_blocking: bool = False, **kwargs: Any) -> Any:
    """The name of the tensor's type, as 'tensorlite.FloatTensor'; with `dtype` (or such a name or class) the tensor
    converted to it."""
    if dtype is None:
        where = "." if self.is_cpu else ".cuda."
        return _C._package_name() + where + _NAMES[self.dtype]
    if isinstance(dtype, _C.dtype):
        return self.to(dtype, non_blocking)
    if dtype is Tensor:
        return self.to(_C.get_default_dtype(), non_blocking)
    if isinstance(dtype, tensortype):
        dtype, device = dtype.dtype, dtype._device
    elif isinstance(dtype, type):
        raise ValueError(f"invalid type: '{dtype.__module__}.{dtype.__name__}'")
    elif isinstance(dtype, str):
        dtype, device = _parse(dtype)
    else:
        raise TypeError("dtype must be a type, str, or dtype object")
    if device != "cpu" and not _cuda_available():
        raise RuntimeError(
            "Cannot initialize CUDA without ATen_cuda library. Torch not compiled with CUDA enabled: this build of "
            "tensorlite computes on the CPU only."
        )
    return self.to(device=device, dtype=dtype, non_blocking=non_blocking)


def _new(self: Tensor, *args: Any, device: Any = None) -> Tensor:
    """Like the class of this tensor: `x.new(2, 3)`, `x.new([1, 2])`."""
    return new(self.dtype, self.device if device is None else _device_of(self.device.type, device), args)


Tensor.type = _type
Tensor.new = _new


def set_default_tensor_type(t: Any) -> None:
    """Sets the default dtype by a class or its name. Deprecated: `set_default_dtype`."""
    warnings.warn(
        f"{_C._package_name()}.set_default_tensor_type() is deprecated as of PyTorch 2.1, please use "
        f"{_C._package_name()}.set_default_dtype() and {_C._package_name()}.set_default_device() as alternatives.",
        stacklevel=2,
    )
    if isinstance(t, str):
        head = t.partition(".")[0]
        if head not in ("torch", "tensorlite"):
            raise ModuleNotFoundError(f"No module named {head!r}", name=head)
        dtype, device = _parse(t)
    elif isinstance(t, tensortype):
        dtype, device = t.dtype, t._device
    elif t is Tensor:
        dtype, device = _C.float32, "cpu"
    else:
        raise TypeError("invalid type object")
    if device != "cpu" and not _cuda_available():
        name = f"{_C._package_name()}.cuda.{_NAMES[dtype]}"
        raise TypeError(f"type {name} not available. Torch not compiled with CUDA enabled.")
    if not dtype.is_floating_point:
        raise TypeError("only floating-point types are supported as the default type")
    _C.set_default_dtype(dtype)
    if device != "cpu":
        from ._switches import set_default_device

        set_default_device(device)
