"""The methods of Tensor that are written in Python, and the ways to make a tensor from Python data."""

from __future__ import annotations

import builtins
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from . import _C
from ._hooks import RemovableHandle

__all__ = ["Tensor", "as_tensor", "asarray", "tensor"]

Tensor = _C.Tensor


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    function.__qualname__ = f"Tensor.{function.__name__}"
    setattr(Tensor, function.__name__, function)
    return function


def _property(function: Callable[..., Any]) -> Callable[..., Any]:
    setattr(Tensor, function.__name__, property(function))
    return function


# ---- making tensors ----


def _require(t: Tensor, requires_grad: bool) -> Tensor:
    if requires_grad:
        if not (t.dtype.is_floating_point or t.dtype.is_complex):
            raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
        t.requires_grad = True
    return t


def tensor(
    data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False
) -> Tensor:
    """A new tensor of a copy of `data`: a number, nested sequences, a NumPy array, a tensor.

    dtype: by default what the data is: bool, int64, the default dtype for floats, the array's own.
    """
    if isinstance(data, Tensor):
        warnings.warn(
            "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
            "sourceTensor.detach().clone().requires_grad_(True), rather than "
            f"{_C._package_name()}.tensor(sourceTensor).",
            stacklevel=2,
        )
    t = _C._tensor_from(data, dtype)
    if device is not None:
        t = t.to(device)
    return _require(t, requires_grad) if requires_grad else t


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """A tensor of `data` that shares its memory where it can: a tensor or NumPy array of that dtype and device."""
    if isinstance(data, Tensor):
        return data.to(device=data.device if device is None else device, dtype=data.dtype if dtype is None else dtype)
    if _C._is_numpy_array(data):
        t = _C.from_numpy(data)
        if dtype is None and device is None:
            return t
        return t.to(device="cpu" if device is None else device, dtype=t.dtype if dtype is None else dtype)
    return tensor(data, dtype=dtype, device=device)


def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool = False
) -> Tensor:
    """A tensor of `obj`; copy=True always copies, False never, None where needed."""
    t = (
        tensor(obj, dtype=dtype, device=device)
        if copy and not isinstance(obj, Tensor)
        else as_tensor(obj, dtype, device)
    )
    if isinstance(obj, Tensor):
        shared = t is obj
        if copy and shared:
            t = obj.clone()
        if copy is False and not shared:
            raise ValueError("can't alias tensor: its dtype or device differs from what is asked for")
        t = t.detach() if not requires_grad else t
    return _require(t, requires_grad)


# ---- autograd ----


@_method
def backward(
    self: Tensor, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False, inputs: Any = None
) -> None:
    """Adds to the `.grad` of the leaves the gradient of this tensor; see `autograd.backward`."""
    from . import autograd

    autograd.backward(self, gradient, retain_graph, create_graph, inputs=inputs)


def _hooks(self: Tensor, name: str, add: Callable[..., Any]) -> dict[int, Any]:
    hooks = self.__dict__.get(name)
    if hooks is None:
        hooks = self.__dict__[name] = {}
        add(self, hooks)
    return hooks


@_method
def register_hook(self: Tensor, hook: Callable[[Tensor], Any]) -> RemovableHandle:
    """hook(grad) runs when the gradient of this tensor is known; what it returns replaces the gradient."""
    if not self.requires_grad:
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    fn = self.grad_fn
    stale = self.__dict__.get("_hooked_fn") is not fn
    if stale:
        self.__dict__.pop("_backward_hooks", None)
        self.__dict__["_hooked_fn"] = fn
    hooks = _hooks(self, "_backward_hooks", _C._add_tensor_hooks)
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    return handle


@_method
def register_post_accumulate_grad_hook(self: Tensor, hook: Callable[[Tensor], None]) -> RemovableHandle:
    """hook(leaf) runs after the leaf's `.grad` has received a gradient."""
    if not self.requires_grad:
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    if self.grad_fn is not None:
        raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
    hooks = _hooks(self, "_post_accumulate_grad_hooks", _C._add_post_accumulate_hooks)
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    return handle


# ---- text ----


@_method
def __repr__(self: Tensor, *, tensor_contents: str | None = None) -> str:
    from ._tensor_str import tensor_repr

    return tensor_repr(self)


@_method
def __format__(self: Tensor, spec: str) -> str:
    if self.dim() == 0:
        return self.item().__format__(spec)
    return object.__format__(self, spec)


# ---- Python's protocols ----


@_method
def __iter__(self: Tensor) -> Iterator[Tensor]:
    if self.dim() == 0:
        raise TypeError("iteration over a 0-d tensor")
    return iter(self.unbind(0))


@_method
def __contains__(self: Tensor, element: Any) -> bool:
    if isinstance(element, (Tensor, int, float, complex)):
        return bool((element == self).any().item())
    raise RuntimeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}.")


@_method
def __reversed__(self: Tensor) -> Tensor:
    return self if self.dim() == 0 else self.flip(0)


@_method
def __deepcopy__(self: Tensor, memo: dict[int, Any]) -> Tensor:
    if not self.is_leaf:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment.  "
            "If you were attempting to deepcopy a module, this may be because of a torch.nn.utils.weight_norm usage, "
            "see https://github.com/pytorch/pytorch/pull/103001"
        )
    if id(self) in memo:
        return memo[id(self)]
    import copy

    with _no_grad():
        data = self.detach()
        new = _C.empty_strided(data.size(), data.stride(), dtype=data.dtype, device=data.device).copy_(data)
    new = new if type(self) is Tensor else Tensor._make_subclass(type(self), new)
    new.requires_grad = self.requires_grad
    memo[id(self)] = new
    if self.grad is not None:
        new.grad = copy.deepcopy(self.grad, memo)
    for key, value in self.__dict__.items():
        if key not in _UNCOPIED:
            new.__dict__[key] = copy.deepcopy(value, memo)
    return new


_UNCOPIED = {"_backward_hooks", "_post_accumulate_grad_hooks", "_hooked_fn"}


def _rebuild(
    cls: type, array: Any, dtype: Any, size: Any, stride: Any, requires_grad: bool, state: dict[str, Any]
) -> Any:
    t = _C.from_numpy(array)
    if t.dtype != dtype:
        t = t.view(dtype)
    t = t.as_strided(size, stride).clone() if tuple(t.shape) != tuple(size) else t.clone()
    if cls is not Tensor:
        t = Tensor._make_subclass(cls, t)
    t.requires_grad = requires_grad
    t.__dict__.update(state)
    return t


@_method
def __reduce_ex__(self: Tensor, protocol: int) -> Any:
    if not self.is_leaf:
        raise RuntimeError(
            "Only leaves can be pickled, because a history cannot: pickle tensor.detach() instead."
        )
    data = self.detach().contiguous()
    if data.dtype == _C.bfloat16:
        data = data.view(_C.int16)
    state = {k: v for k, v in self.__dict__.items() if k not in _UNCOPIED}
    array = _C._to_numpy(data, True)
    size = tuple(self.size())
    return _rebuild, (type(self), array, self.dtype, size, data.stride(), self.requires_grad, state)


@_method
def __dir__(self: Tensor) -> list[str]:
    return sorted(set(dir(type(self))) | set(self.__dict__))


# ---- NumPy ----

Tensor.__array_priority__ = 1000


@_method
def numpy(self: Tensor, *, force: bool = False) -> Any:
    """The same memory as a NumPy array; with force=True a detached copy on the host where needed."""
    return _C._to_numpy(self, force)


@_method
def __array__(self: Tensor, dtype: Any = None, copy: bool | None = None) -> Any:
    array = _C._to_numpy(self, False)
    if dtype is not None and array.dtype != dtype:
        if copy is False:
            raise ValueError("Unable to avoid copy while creating an array as requested.")
        return array.astype(dtype)
    return array.copy() if copy else array


@_method
def __array_wrap__(self: Tensor, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
    if array.dtype == builtins.bool:
        array = array.astype("uint8")
    return _C.from_numpy(array) if array.shape else _C._tensor_from(array, None)


@_method
def tolist(self: Tensor) -> Any:
    """Nested lists of Python numbers; of a 0-dim tensor the number."""
    return _C._tolist(self)


# ---- facts ----

_FACTS = {
    "is_sparse": False, "is_quantized": False, "is_meta": False, "is_mkldnn": False, "is_nested": False,
    "is_xla": False, "is_mps": False, "is_xpu": False, "is_sparse_csr": False, "names": None, "name": None,
}  # fmt: skip
for _name, _value in _FACTS.items():
    setattr(Tensor, _name, property(lambda self, value=_value: value))


def _part(name: str) -> property:
    read = _C._operator(name)
    return property(read, lambda self, value: read(self).copy_(as_tensor(value)))


Tensor.real, Tensor.imag = _part("real"), _part("imag")
Tensor.T, Tensor.H = property(_C._operator("numpy_T")), property(_C._operator("matrix_H"))
Tensor.mT, Tensor.mH = property(_C._operator("mT")), property(_C._operator("mH"))


@_property
def layout(self: Tensor) -> Any:
    from . import strided

    return strided


@_method
def is_contiguous(self: Tensor, memory_format: Any = None) -> bool:
    """Whether the elements lie in row-major order (or in the order of `memory_format`)."""
    if memory_format is None or str(memory_format).endswith(("contiguous_format", "preserve_format")):
        return _C._is_contiguous(self)
    if not self.numel():
        return True
    order = (0, 2, 3, 1) if self.dim() == 4 else (0, 2, 3, 4, 1) if self.dim() == 5 else None
    return order is not None and _C._is_contiguous(self.detach().permute(*order))


_contiguous = Tensor.contiguous


@_method
def contiguous(self: Tensor, memory_format: Any = None) -> Tensor:
    """The tensor itself when its elements lie in row-major order (or in that of `memory_format`), else such a copy."""
    if memory_format is None or "channels_last" not in str(memory_format):
        return _contiguous(self)
    if self.is_contiguous(memory_format):
        return self
    dims = 5 if str(memory_format).endswith("3d") else 4
    if self.dim() != dims:
        raise RuntimeError(f"required rank {dims} tensor to use {str(memory_format).rpartition('.')[2]} format")
    back = (0, dims - 1, *range(1, dims - 1))
    return _contiguous(self.permute(0, *range(2, dims), 1)).permute(*back)


@_method
def is_shared(self: Tensor) -> bool:
    return False


@_method
def share_memory_(self: Tensor) -> Tensor:
    """Accepted; memory is not moved between processes."""
    return self


@_method
def is_pinned(self: Tensor, device: Any = None) -> bool:
    return False


@_method
def pin_memory(self: Tensor, device: Any = None) -> Tensor:
    """Pinned memory serves copies to a GPU; without one it is the tensor itself."""
    return self


@_method
def get_device(self: Tensor) -> int:
    return -1 if self.device.index is None else self.device.index


@_method
def is_same_size(self: Tensor, other: Tensor) -> bool:
    return self.shape == other.shape


@_method
def is_set_to(self: Tensor, other: Tensor) -> bool:
    return self.data_ptr() == other.data_ptr() and self.shape == other.shape and self.stride() == other.stride()


@_method
def cpu(self: Tensor, memory_format: Any = None) -> Tensor:
    """The tensor on the CPU; itself when it is there."""
    return self if self.is_cpu else self.to("cpu")


@_method
def cuda(self: Tensor, device: Any = None, non_blocking: bool = False, memory_format: Any = None) -> Tensor:
    """The tensor on a GPU."""
    return self.to("cuda" if device is None else device, non_blocking=non_blocking)


def _conversion(name: str, dtype: Any) -> None:
    def convert(self: Tensor, memory_format: Any = None) -> Tensor:
        return self if self.dtype is dtype else self.to(dtype)

    convert.__name__ = name
    convert.__doc__ = f"The tensor as {dtype}; itself when it is that."
    _method(convert)


for _name, _dtype in {
    "float": _C.float32, "double": _C.float64, "half": _C.float16, "bfloat16": _C.bfloat16, "int": _C.int32,
    "long": _C.int64, "short": _C.int16, "char": _C.int8, "byte": _C.uint8, "bool": _C.bool, "cfloat": _C.complex64,
    "cdouble": _C.complex128,
}.items():  # fmt: skip
    _conversion(_name, _dtype)


@_method
def new_tensor(
    self: Tensor, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A tensor of a copy of `data`, with this tensor's dtype and device unless given."""
    return tensor(
        data,
        dtype=self.dtype if dtype is None else dtype,
        device=self.device if device is None else device,
        requires_grad=requires_grad,
    )


def _no_grad() -> Any:
    from .autograd.grad_mode import no_grad

    return no_grad()
