"""The methods of Tensor that are written in Python, and the ways to make a tensor from Python data."""

from __future__ import annotations

import builtins
import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from . import _C
from ._hooks import RemovableHandle

__all__ = ["Tensor", "as_tensor", "asarray", "from_dlpack", "frombuffer", "tensor"]

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


def _warn_of_copy(instead: str) -> None:
    warnings.warn(
        "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
        f"sourceTensor.detach().clone().requires_grad_(True), rather than {instead}.",
        stacklevel=3,
    )


def _elsewhere(data: Any) -> Any:
    """The default device where new data is not there already; None where it is."""
    default = _C._default_device()
    return None if default.type == "cpu" or isinstance(data, Tensor) else default


def tensor(
    data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False
) -> Tensor:
    """A new tensor of a copy of `data`: a number, nested sequences, a NumPy array, a tensor.

    dtype: by default what the data is: bool, int64, the default dtype for floats, the array's own.

    >>> tensor([[1.0, 2], [3, 4]])
    tensor([[1., 2.],
            [3., 4.]])
    """
    if isinstance(data, Tensor):
        _warn_of_copy(f"{_C._package_name()}.tensor(sourceTensor)")
    t = _C._tensor_from(data, dtype)
    if device is None:
        device = _elsewhere(data)
    if device is not None:
        t = t.to(device)
    if pin_memory:
        t = _C._cuda_pin(t, True)
    return _require(t, requires_grad) if requires_grad else t


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """A tensor of `data` that shares its memory where it can: a tensor or NumPy array of that dtype and device.

    >>> array = numpy.zeros(2)
    >>> as_tensor(array).fill_(1)
    tensor([1., 1.], dtype=torch.float64)
    >>> array
    array([1., 1.])
    """
    if isinstance(data, Tensor):
        return data.to(device=data.device if device is None else device, dtype=data.dtype if dtype is None else dtype)
    if _C._is_numpy_array(data):
        t = _C.from_numpy(data)
        if device is None:
            device = _elsewhere(data)
        if dtype is None and device is None:
            return t
        return t.to(device="cpu" if device is None else device, dtype=t.dtype if dtype is None else dtype)
    if hasattr(data, "__cuda_array_interface__"):
        t = _from_cuda_array(data)
        return t.to(device=t.device if device is None else device, dtype=t.dtype if dtype is None else dtype)
    t = _C._tensor_from(data, dtype)
    if device is None:
        device = _elsewhere(data)
    return t if device is None else t.to(device)


def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool = False
) -> Tensor:
    """A tensor of `obj`: a tensor, an array, a buffer, what DLPack knows, a number, nested sequences.

    copy=True always copies, False never (and raises where it must), None where needed.
    """
    source = None
    if isinstance(obj, Tensor):
        source = obj
    elif _C._is_numpy_array(obj) or hasattr(obj, "__array_interface__"):
        source = _C.from_numpy(obj) if _C._is_numpy_array(obj) else None
    elif hasattr(obj, "__dlpack__"):
        source = from_dlpack(obj)
    elif isinstance(obj, (bytes, bytearray, memoryview)) or type(obj).__module__ == "array":
        source = _C._from_buffer(obj, _C.get_default_dtype() if dtype is None else dtype, -1, 0)
    if source is None:
        if copy is False:
            raise ValueError("can't alias arbitrary sequence into a tensor.")
        t = _C._tensor_from(obj, dtype)
        if device is None:
            device = _elsewhere(obj)
        return _require(t if device is None else t.to(device), requires_grad)
    if copy is False and dtype is not None and dtype != source.dtype:
        raise ValueError(
            f"can't alias tensor with dtype '{_scalar_type(source.dtype)}' into dtype '{_scalar_type(dtype)}'."
        )
    if copy is False and device is not None and _C.device(device).type != source.device.type:
        raise ValueError(f"can't alias tensor from device '{source.device}' to '{device}'.")
    t = as_tensor(source, dtype, device)
    if copy and t is source:
        t = t.clone()
    if requires_grad and not t.requires_grad and t is obj:
        t = t.detach()
    return _require(t, requires_grad) if not t.requires_grad else t


def _scalar_type(dtype: Any) -> str:
    from ._legacy import _NAMES

    return _NAMES[dtype].removesuffix("Tensor")


def frombuffer(buffer: Any, *, dtype: Any, count: int = -1, offset: int = 0, requires_grad: bool = False) -> Tensor:
    """A vector over the memory of an object with the buffer protocol: `count` elements (-1: all) from byte `offset`.

    >>> memory = bytearray([1, 0, 2, 0])
    >>> frombuffer(memory, dtype=torch.int16)
    tensor([1, 2], dtype=torch.int16)
    """
    return _require(_C._from_buffer(buffer, dtype, count, offset), requires_grad)


# ---- DLPack ----


@_method
def __dlpack__(
    self: Tensor, *, stream: Any = -1, max_version: Any = None, dl_device: Any = None, copy: Any = None
) -> Any:
    """The tensor as a DLPack capsule, which `from_dlpack` of any library takes; see the DLPack standard."""
    if self.requires_grad:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    if stream is not None and stream != -1 and not isinstance(stream, int):
        raise TypeError("stream must be ``int`` or ``none``")
    here = self.__dlpack_device__()
    if not self.is_cuda and stream is not None and stream != -1:
        raise AssertionError("stream should be None on cpu.")
    t = self.detach()
    if dl_device is not None and tuple(dl_device) != here:
        if tuple(dl_device) != (1, 0):
            where = "the CPU" if here[0] == 1 else str(self.device)
            raise BufferError(f"__dlpack__: the memory lies on {where}, not on the device {tuple(dl_device)}.")
        if copy is False:
            raise ValueError(f"cannot move tensor from {self.device} to cpu without copying.")
        t, copy = t.cpu(), True
    elif copy:
        t = t.clone()
    if t.is_cuda and stream != -1:
        # The reader's stream starts where ours is done. 1 is the default stream, as is None.
        ours = _C._cuda_current_stream(self.device.index)
        if (stream or 1) != (ours or 1):
            _C._cuda_synchronize_stream(self.device.index, ours)
    return _C._to_dlpack(t, max_version is not None and max_version[0] >= 1, builtins.bool(copy))


@_method
def __dlpack_device__(self: Tensor) -> tuple[int, int]:
    """DLPack's number of the device type, and which one: (1, 0) is the CPU, (2, 0) the first GPU."""
    return (2, self.device.index) if self.is_cuda else (1, 0)


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor over the memory of another library's array, or of a DLPack capsule.

    >>> from_dlpack(numpy.arange(3))
    tensor([0, 1, 2])
    """
    if hasattr(ext_tensor, "__dlpack__"):
        wanted: dict[str, Any] = {"max_version": (1, 0)}
        if copy is not None:
            wanted["copy"] = copy
        kind, index = ext_tensor.__dlpack_device__()
        if device is not None:
            wanted["dl_device"] = _C.empty(0, device=device).__dlpack_device__()
            kind, index = wanted["dl_device"]
        if kind not in (1, 2, 3):
            raise BufferError(
                f"from_dlpack: the data lies on a device of type {int(kind)}; tensorlite reads the memory of the CPU "
                "and of CUDA devices only."
            )
        if kind == 2:
            wanted["stream"] = _C._cuda_current_stream(index) or 1
        try:
            capsule = ext_tensor.__dlpack__(**wanted)
        except TypeError:  # it speaks a version before 1.0
            capsule = ext_tensor.__dlpack__()
    else:
        if copy is not None or device is not None:
            raise TypeError("from_dlpack: device= and copy= are for objects with __dlpack__, not for capsules")
        capsule = ext_tensor
    return _C._from_dlpack(capsule)


def _cuda_array_interface(self: Tensor) -> dict[str, Any]:
    """How CuPy, Numba and others look at device memory."""
    if not self.is_cuda:
        raise AttributeError(
            f"Can't get __cuda_array_interface__ on non-CUDA tensor type: {self.type()} If CUDA data is required use "
            "tensor.cuda() to copy tensor to device memory."
        )
    if self.requires_grad:
        raise RuntimeError(
            "Can't get __cuda_array_interface__ on Variable that requires grad. If gradients aren't required, use "
            "var.detach() to get Variable that doesn't require grad."
        )
    size = self.element_size()
    return {
        "typestr": _TYPE_CODES[str(self.dtype).rpartition(".")[2]],
        "shape": tuple(self.shape),
        "strides": None if self.is_contiguous() else tuple(s * size for s in self.stride()),
        "data": (self.data_ptr() if self.numel() else 0, False),
        "version": 2,
    }


Tensor.__cuda_array_interface__ = property(_cuda_array_interface)

_TYPE_CODES = {
    "bool": "|b1", "uint8": "|u1", "int8": "|i1", "int16": "<i2", "int32": "<i4", "int64": "<i8", "float16": "<f2",
    "bfloat16": "<V2", "float32": "<f4", "float64": "<f8", "complex64": "<c8", "complex128": "<c16",
}  # fmt: skip


def _from_cuda_array(source: Any) -> Tensor:
    """A tensor over device memory that another library's object tells of."""
    told = source.__cuda_array_interface__
    name = next((n for n, code in _TYPE_CODES.items() if code == told["typestr"] and n != "bfloat16"), None)
    if name is None:
        raise TypeError(f"can't convert __cuda_array_interface__ of type {told['typestr']} to a tensor")
    dtype, shape = getattr(_C, name), list(told["shape"])
    size = _C.empty(0, dtype=dtype).element_size()
    strides = [s // size for s in told.get("strides") or ()]
    for d in range(len(shape) if not strides else 0):
        strides.append(math.prod(shape[d + 1 :]))
    return _C._from_device_memory(told["data"][0], shape, strides, dtype, _C._cuda_current_device(), source)


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

    from . import storage

    twin = copy.deepcopy(storage.of(self), memo)
    new = storage.rebuild(
        type(self), twin, self.dtype, self.storage_offset(), self.shape, self.stride(), self.requires_grad, {}
    )
    memo[id(self)] = new
    if self.grad is not None:
        new.grad = copy.deepcopy(self.grad, memo)
    for key, value in self.__dict__.items():
        if key not in _UNCOPIED:
            new.__dict__[key] = copy.deepcopy(value, memo)
    return new


_UNCOPIED = {"_backward_hooks", "_post_accumulate_grad_hooks", "_hooked_fn"}


@_method
def __reduce_ex__(self: Tensor, protocol: int) -> Any:
    from . import storage

    state = {k: v for k, v in self.__dict__.items() if k not in _UNCOPIED}
    facts = (self.storage_offset(), tuple(self.shape), self.stride(), self.requires_grad)
    cls = None if type(self) is Tensor else type(self)
    return storage.rebuild, (cls, storage.of(self), self.dtype, *facts, state)


@_method
def untyped_storage(self: Tensor) -> Any:
    """The bytes that the tensor looks at, as an UntypedStorage."""
    from . import storage

    return storage.of(self)


@_method
def storage(self: Tensor) -> Any:
    """The memory that the tensor looks at, as elements of its dtype. Deprecated: untyped_storage()."""
    from .storage import typed

    return typed(self)


@_method
def set_(self: Tensor, source: Any = None, storage_offset: int = 0, size: Any = None, stride: Any = None) -> Tensor:
    """Makes the tensor look at the memory of `source`, a tensor or a storage, with these sizes and strides."""
    from . import storage

    return storage.set_(self, source, storage_offset, size, stride)


@_method
def __dir__(self: Tensor) -> list[str]:
    return sorted(set(dir(type(self))) | set(self.__dict__))


# ---- NumPy ----

Tensor.__array_priority__ = 1000


def numpy(self: Tensor, *args: Any, force: bool = False) -> Any:
    """The same memory as a NumPy array; with force=True a detached copy on the host where needed."""
    if args:
        were = "was" if len(args) == 1 else "were"
        raise TypeError(f"numpy() takes 0 positional arguments but {len(args)} {were} given")
    if not isinstance(force, builtins.bool):
        raise TypeError(f"numpy(): argument 'force' must be bool, not {type(force).__name__}")
    return _C._to_numpy(self, force)


_method(numpy)


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


def _part(name: str, doc: str) -> property:
    read = _C._operator(name)
    return property(read, lambda self, value: read(self).copy_(as_tensor(value)), None, doc)


@_method
def __rdiv__(self: Tensor, other: Any) -> Tensor:
    """other / self, under Python 2's name, which PyTorch keeps as it keeps `__div__` and `__idiv__`."""
    return self.reciprocal() * other


Tensor.__div__, Tensor.__idiv__ = Tensor.__truediv__, Tensor.__itruediv__


def _seen(name: str, doc: str) -> property:
    # With the text at hand property() does not ask the operator, which would read all examples.
    return property(_C._operator(name), None, None, doc)


Tensor.real, Tensor.imag = _part("real", "A view of the real parts."), _part("imag", "A view of the imaginary parts.")
Tensor.T, Tensor.H = _seen("numpy_T", "The dims in reverse order."), _seen("matrix_H", "The conjugate transpose.")
Tensor.mT, Tensor.mH = _seen("mT", "The last two dims swapped."), _seen("mH", "The same, conjugated.")


@_property
def layout(self: Tensor) -> Any:
    from . import strided

    return strided


_FORMATS = ("preserve_format", "contiguous_format", "channels_last", "channels_last_3d")


@_method
def is_contiguous(self: Tensor, memory_format: Any = None) -> bool:
    """Whether the elements lie in row-major order (or in the order of `memory_format`)."""
    return _C._is_contiguous(self, 1 if memory_format is None else _FORMATS.index(memory_format._name))


@_method
def apply_(self: Tensor, function: Callable[..., Any]) -> Tensor:
    """Puts function(element) in the place of each element, one by one in Python: slow.

    >>> torch.tensor([1, 2]).apply_(lambda v: v * v)
    tensor([1, 4])
    """
    return _map(self, "apply_", function)


@_method
def map_(self: Tensor, tensor: Tensor, callable: Callable[..., Any]) -> Tensor:
    """Puts callable(a, b) in the place of each element a, where b is `tensor`'s: slow."""
    return _map(self, "map_", callable, tensor)


@_method
def map2_(self: Tensor, x: Tensor, y: Tensor, callable: Callable[..., Any]) -> Tensor:
    """Puts callable(a, b, c) in the place of each element a: slow."""
    return _map(self, "map2_", callable, x, y)


def _map(self: Tensor, name: str, function: Callable[..., Any], *others: Tensor) -> Tensor:
    if self.requires_grad or any(t.requires_grad for t in others):
        what = "Variable that requires grad" if not others else "Variable that requires grad. Use var.detach()"
        raise RuntimeError(f"Can't call {name}() on {what}{'' if not others else f'.{name}() instead.'}")
    columns = [t.expand_as(self).flatten().tolist() for t in (self, *others)]
    values = [function(*row) for row in zip(*columns, strict=True)]
    return self.copy_(_C._tensor_from(values, self.dtype).view(self.shape)) if values else self


@_method
def resize_(self: Tensor, *size: Any, memory_format: Any = None) -> Tensor:
    """Gives the tensor these sizes, in place; elements that are new hold whatever memory held.

    >>> torch.arange(4).resize_(2, 2)
    tensor([[0, 1],
            [2, 3]])
    """
    if self.requires_grad:
        raise RuntimeError("cannot resize variables that require grad")
    sizes = size[0] if len(size) == 1 and not isinstance(size[0], int) else size
    _C._resize(self, list(sizes), 1 if memory_format is None else _FORMATS.index(memory_format._name))
    return self


@_method
def resize_as_(self: Tensor, the_template: Tensor, *, memory_format: Any = None) -> Tensor:
    """Gives the tensor the sizes of another one, in place."""
    return self.resize_(the_template.shape, memory_format=memory_format)


@_method
def suggest_memory_format(self: Tensor) -> Any:
    """The memory format that the strides tell of: channels_last, channels_last_3d or contiguous_format."""
    import tensorlite

    return getattr(tensorlite, _FORMATS[_C._suggested_format(self)])


@_method
def is_shared(self: Tensor) -> bool:
    return False


@_method
def share_memory_(self: Tensor) -> Tensor:
    """Accepted; memory is not moved between processes."""
    return self


@_method
def is_signed(self: Tensor) -> bool:
    """Whether the dtype has negative numbers."""
    return self.dtype.is_signed


@_method
def is_conj(self: Tensor) -> bool:
    """Whether the memory holds the conjugate of the elements: never, `conj()` computes at once."""
    return False


@_method
def is_neg(self: Tensor) -> bool:
    """Whether the memory holds the negative of the elements: never."""
    return False


@_method
def resolve_conj(self: Tensor) -> Tensor:
    """The tensor with its conjugate in memory: itself."""
    return self


@_method
def resolve_neg(self: Tensor) -> Tensor:
    """The tensor with its negative in memory: itself."""
    return self


@_method
def is_pinned(self: Tensor, device: Any = None) -> bool:
    """Whether the memory is the host's and pinned, so that copies from and to a GPU need not wait for it."""
    return _C._cuda_is_pinned(self)


@_method
def pin_memory(self: Tensor, device: Any = None) -> Tensor:
    """The tensor in pinned memory, from which `.to("cuda", non_blocking=True)` copies while the host goes on; itself
    where it lies there."""
    return _C._cuda_pin(self, False)


@_method
def record_stream(self: Tensor, stream: Any) -> None:
    """Says that the work queued on this stream uses the tensor: its memory is not reused before that is done."""
    if self.device.type != "cuda":
        raise NotImplementedError(f"record_stream is about CUDA tensors, this one lies on '{self.device}'.")
    _C._cuda_record_stream(self, stream.device.index, stream.cuda_stream)


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
def cuda(self: Tensor, device: Any = None, non_blocking: bool = False, memory_format: Any = None) -> Tensor:
    """The tensor on a GPU."""
    if device is None:
        device = "cuda"
    elif isinstance(device, int):
        device = _C.device("cuda", device)
    elif _C.device(device).type != "cuda":
        raise RuntimeError("Invalid device, must be cuda device")
    return self.to(device, non_blocking=non_blocking, memory_format=memory_format)


@_method
def new_tensor(
    self: Tensor, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A tensor of a copy of `data`, with this tensor's dtype and device unless given."""
    if isinstance(data, Tensor):
        _warn_of_copy("tensor.new_tensor(sourceTensor)")
    t = _C._tensor_from(data, self.dtype if dtype is None else dtype)
    return _require(t.to(self.device if device is None else device), requires_grad)


# Methods that are imported when first called.
_LAZY_METHODS = {
    "_stft": ("istft", "stft"),
    "nn.functional": ("prelu",),
    "_views": (
        "fill_diagonal_",
        "as_strided_scatter", "diagflat", "diagonal_scatter", "index_reduce", "index_reduce_", "narrow_copy",
        "nonzero_static", "select_scatter", "slice_scatter", "sum_to_size", "unsafe_chunk", "unsafe_split",
    ),
    "linalg.top_level": (
        "cholesky", "cholesky_inverse", "cholesky_solve", "det", "geqrf", "inverse", "logdet", "lu", "lu_solve",
        "matrix_exp", "matrix_power", "orgqr", "ormqr", "pinverse", "qr", "slogdet", "svd", "triangular_solve",
    ),
}  # fmt: skip


def _load_method(module: str, name: str) -> Callable[..., Any]:
    import importlib

    function = getattr(importlib.import_module(f"{__package__}.{module}"), name)
    setattr(Tensor, name, function)
    return function


def _lazy_method(module: str, name: str) -> None:
    def method(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        return _load_method(module, name)(self, *args, **kwargs)

    method.__name__ = name
    method.__doc__ = f"See `{name}` of {__package__}."
    _method(method)


for _module, _names in _LAZY_METHODS.items():
    for _name in _names:
        _lazy_method(_module, _name)


def _no_grad() -> Any:
    from .autograd.grad_mode import no_grad

    return no_grad()
