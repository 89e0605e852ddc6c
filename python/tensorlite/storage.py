"""The memory under tensors: `x.untyped_storage()`, `x.storage()`."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Iterator
from typing import Any

from . import _C

__all__ = ["TypedStorage", "UntypedStorage"]

Tensor = _C.Tensor

# The object of a storage is unique while it lives, so that pickle and deepcopy write a shared storage once.
_known: weakref.WeakValueDictionary[int, UntypedStorage] = weakref.WeakValueDictionary()


def of(tensor: Tensor) -> UntypedStorage:
    """The storage of a tensor."""
    key = _C._storage_id(tensor)
    storage = _known.get(key)
    if storage is None:
        storage = object.__new__(UntypedStorage)
        storage._bytes = _C._storage_tensor(tensor, _C.uint8)
        _known[key] = storage
    return storage


class UntypedStorage:
    """Bytes that tensors look at: `UntypedStorage(size)`, `tensor.untyped_storage()`."""

    _bytes: Tensor

    def __new__(cls, size: int = 0, *, device: Any = None) -> UntypedStorage:
        return of(_C.empty((size,), dtype=_C.uint8, device=device))

    @property
    def device(self) -> Any:
        return self._bytes.device

    @property
    def is_cuda(self) -> bool:
        return self._bytes.is_cuda

    def data_ptr(self) -> int:
        return self._bytes._storage_ptr()

    def nbytes(self) -> int:
        return self._bytes._storage_nbytes()

    size = __len__ = nbytes

    def element_size(self) -> int:
        return 1

    def _all(self) -> Tensor:
        if self._bytes.numel() != self.nbytes():  # it was resized
            self._bytes = _C._storage_tensor(self._bytes, _C.uint8)
        return self._bytes

    def __getitem__(self, i: Any) -> Any:
        part = self._all()[i]
        return of(part.clone()) if isinstance(i, slice) else part.item()

    def __setitem__(self, i: Any, value: Any) -> None:
        self._all()[i] = value

    def __iter__(self) -> Iterator[int]:
        return iter(self.tolist())

    def tolist(self) -> list[int]:
        return self._all().tolist()

    def clone(self) -> UntypedStorage:
        return of(self._all().clone())

    def copy_(self, source: UntypedStorage, non_blocking: bool = False) -> UntypedStorage:
        self._all().copy_(source._all())
        return self

    def fill_(self, value: int) -> UntypedStorage:
        self._all().fill_(value)
        return self

    def resize_(self, size: int) -> UntypedStorage:
        """Keeps the contents up to the smaller size."""
        _C._storage_resize(self._bytes, size)
        return self

    def _to(self, device: Any) -> UntypedStorage:
        moved = self._all().to(device)
        return self if moved is self._bytes else of(moved)

    def cpu(self) -> UntypedStorage:
        return self._to("cpu")

    def cuda(self, device: Any = None, non_blocking: bool = False) -> UntypedStorage:
        return self._to("cuda" if device is None else device)

    def untyped(self) -> UntypedStorage:
        return self

    def is_shared(self) -> bool:
        return False

    def is_pinned(self) -> bool:
        return False

    def share_memory_(self) -> UntypedStorage:
        return self

    def __copy__(self) -> UntypedStorage:
        return self.clone()

    def __deepcopy__(self, memo: dict[int, Any]) -> UntypedStorage:
        key = ("storage", _C._storage_id(self._bytes))
        copies = memo.setdefault("tensorlite storages", {})
        if key not in copies:
            copies[key] = self.clone()
        return copies[key]

    def __reduce__(self) -> Any:
        data = self._all().cpu().numpy().tobytes()
        return _storage_from, (data,) if self.device.type == "cpu" else (data, str(self.device))

    def __repr__(self) -> str:
        lines = " " + "\n ".join(map(str, self.tolist()))
        return f"{lines}\n[{_C._package_name()}.storage.UntypedStorage(device={self.device}) of size {self.size()}]"


def _storage_from(data: bytes, device: str = "cpu") -> UntypedStorage:
    storage = UntypedStorage(len(data), device=device)
    if data:
        storage._bytes.copy_(_C._from_buffer(bytearray(data), _C.uint8, -1, 0))
    return storage


class TypedStorage:
    """A storage read as elements of one dtype: `tensor.storage()`."""

    def __init__(self, *, wrap_storage: UntypedStorage, dtype: Any, _internal: bool = False) -> None:
        self._untyped = wrap_storage
        self.dtype = dtype

    @property
    def _bytes(self) -> Tensor:
        return self._untyped._bytes

    def _all(self) -> Tensor:
        return _C._storage_tensor(self._bytes, self.dtype)

    def untyped(self) -> UntypedStorage:
        return self._untyped

    @property
    def device(self) -> Any:
        return self._untyped.device

    @property
    def is_cuda(self) -> bool:
        return self._untyped.is_cuda

    def data_ptr(self) -> int:
        return self._untyped.data_ptr()

    def nbytes(self) -> int:
        return self._untyped.nbytes()

    def element_size(self) -> int:
        return self.dtype.itemsize

    def size(self) -> int:
        return self.nbytes() // self.dtype.itemsize

    __len__ = size

    def __getitem__(self, i: Any) -> Any:
        part = self._all()[i]
        return TypedStorage(wrap_storage=of(part.clone()), dtype=self.dtype) if isinstance(i, slice) else part.item()

    def __setitem__(self, i: Any, value: Any) -> None:
        self._all()[i] = value

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tolist())

    def tolist(self) -> list[Any]:
        return self._all().tolist()

    def clone(self) -> TypedStorage:
        return TypedStorage(wrap_storage=self._untyped.clone(), dtype=self.dtype)

    def copy_(self, source: Any, non_blocking: bool = False) -> TypedStorage:
        self._all().copy_(source._all())
        return self

    def fill_(self, value: Any) -> TypedStorage:
        self._all().fill_(value)
        return self

    def resize_(self, size: int) -> TypedStorage:
        self._untyped.resize_(size * self.dtype.itemsize)
        return self

    def is_shared(self) -> bool:
        return False

    def is_pinned(self) -> bool:
        return False

    def __deepcopy__(self, memo: dict[int, Any]) -> TypedStorage:
        import copy

        return TypedStorage(wrap_storage=copy.deepcopy(self._untyped, memo), dtype=self.dtype)

    def __repr__(self) -> str:
        lines = " " + "\n ".join(map(str, self.tolist()))
        facts = f"dtype={self.dtype}, device={self.device}"
        return f"{lines}\n[{_C._package_name()}.storage.TypedStorage({facts}) of size {self.size()}]"


def typed(self: Tensor) -> TypedStorage:
    """`tensor.storage()`, deprecated."""
    warnings.warn(
        "TypedStorage is deprecated. It will be removed in the future and UntypedStorage will be the only storage "
        "class. This should only matter to you if you are using storages directly.  To access UntypedStorage "
        "directly, use tensor.untyped_storage() instead of tensor.storage()",
        stacklevel=3,
    )
    return TypedStorage(wrap_storage=of(self), dtype=self.dtype)


def set_(self: Tensor, source: Any = None, storage_offset: int = 0, size: Any = None, stride: Any = None) -> Tensor:
    """Makes the tensor look at `source`: a tensor, or a storage with these sizes and strides."""
    if source is None:
        source = _C.empty((0,), dtype=self.dtype, device=self.device)
    if isinstance(source, Tensor):
        if source.dtype != self.dtype:
            raise RuntimeError(f"Could not set tensor of type {source.dtype} to a tensor of type {self.dtype}")
        if size is None:
            storage_offset, size, stride = source.storage_offset(), source.shape, source.stride()
        base = source
    else:
        base = source._bytes
        if size is None:
            size = (base._storage_nbytes() // self.element_size(),)
    size = (size,) if isinstance(size, int) else tuple(size)
    if stride is None:
        stride, step = [0] * len(size), 1
        for d in range(len(size) - 1, -1, -1):
            stride[d] = step
            step *= max(size[d], 1)
    _C._set_storage(self, base, storage_offset, list(size), list(stride))
    return self


def rebuild(
    cls: type | None, storage: UntypedStorage, dtype: Any, offset: int, size: Any, stride: Any, requires_grad: bool,
    state: dict[str, Any],
) -> Any:  # fmt: skip
    """The tensor that pickle took apart."""
    t = _C.empty((0,), dtype=dtype, device=storage.device)
    _C._set_storage(t, storage._bytes, offset, list(size), list(stride))
    if cls is not None and cls is not Tensor:
        t = Tensor._make_subclass(cls, t)
    if requires_grad:
        t.requires_grad = True
    t.__dict__.update(state)
    return t
