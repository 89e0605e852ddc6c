"""Functions of the top level that are made of others."""

from __future__ import annotations

import warnings
from typing import Any

from . import _C

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "broadcast_shapes",
    "broadcast_tensors",
    "is_complex",
    "is_conj",
    "is_floating_point",
    "is_inference",
    "is_neg",
    "is_nonzero",
    "is_same_size",
    "is_signed",
    "meshgrid",
    "norm",
    "numel",
    "resolve_conj",
    "resolve_neg",
    "result_type",
]

Tensor = _C.Tensor


def numel(input: Tensor) -> int:
    """The number of elements of a tensor.

    >>> numel(torch.zeros(2, 3))
    6
    """
    if not isinstance(input, Tensor):
        raise TypeError(f"numel(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    return input.numel()


def is_floating_point(input: Tensor) -> bool:
    """Whether the dtype is a floating one."""
    return input.dtype.is_floating_point


def is_complex(input: Tensor) -> bool:
    """Whether the dtype is complex."""
    return input.dtype.is_complex


def is_signed(input: Tensor) -> bool:
    """Whether the dtype has negative numbers."""
    return input.dtype.is_signed


def is_conj(input: Tensor) -> bool:
    """Whether the memory holds the conjugate of the elements."""
    return input.is_conj()


def is_neg(input: Tensor) -> bool:
    """Whether the memory holds the negative of the elements."""
    return input.is_neg()


def resolve_conj(input: Tensor) -> Tensor:
    """The tensor with its conjugate in memory."""
    return input.resolve_conj()


def resolve_neg(input: Tensor) -> Tensor:
    """The tensor with its negative in memory."""
    return input.resolve_neg()


def is_inference(input: Tensor) -> bool:
    """Whether the tensor was made in inference mode."""
    return input.is_inference()


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether the shapes are equal."""
    return input.shape == other.shape


def is_nonzero(input: Tensor) -> bool:
    """Whether the single element differs from zero."""
    if input.numel() != 1:
        raise RuntimeError(
            f"Boolean value of Tensor with {'more than one value' if input.numel() else 'no values'} is ambiguous"
        )
    return input.item() != 0


def result_type(tensor1: Any, tensor2: Any) -> Any:
    """The dtype that arithmetic on the two, tensors or numbers, computes in."""
    if not isinstance(tensor1, Tensor) and not isinstance(tensor2, Tensor):
        tensor1 = _C._tensor_from(tensor1, None)
    return _C._result_type(tensor1, tensor2)


def broadcast_shapes(*shapes: Any) -> Any:
    """The shape to which the shapes broadcast."""
    sizes: list[int] = []
    for number, shape in enumerate(shapes):
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        sizes = [1] * (len(shape) - len(sizes)) + sizes
        for i in range(-1, -len(shape) - 1, -1):
            if shape[i] == 1 or shape[i] == sizes[i]:
                continue
            if sizes[i] != 1:
                raise RuntimeError(
                    f"Attempting to broadcast a dimension of length {shape[i]} at {i}! Mismatching argument at index "
                    f"{number} had {shape}; but expected shape should be broadcastable to {sizes}"
                )
            sizes[i] = shape[i]
    return _C.Size(sizes)


def _list(tensors: tuple[Any, ...]) -> tuple[Any, ...]:
    """Tensors given one by one or as one sequence."""
    return tuple(tensors[0]) if len(tensors) == 1 and not isinstance(tensors[0], Tensor) else tensors


def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """The tensors expanded to their common shape."""
    return _C._broadcast_tensors(_list(tensors))


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """Grids of the coordinates that the vectors span, all of shape (n1, n2, ...); (n2, n1, ...) with indexing="xy"."""
    if indexing is None:
        warnings.warn(
            "torch.meshgrid: in an upcoming release, it will be required to pass the indexing argument.", stacklevel=2
        )
        indexing = "ij"
    return _C._meshgrid(_list(tensors), indexing=indexing)


def norm(
    input: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False, out: Any = None, dtype: Any = None
) -> Tensor:
    """The vector p-norm of all elements or over `dim`; "fro" is 2, "nuc" the sum of a matrix's singular values.

    >>> norm(torch.tensor([3.0, 4.0]))
    tensor(5.)
    """
    if isinstance(p, str) and (p != "fro" or (dim is not None and not isinstance(dim, int) and len(dim) > 2)):
        from .linalg import matrix_norm

        return matrix_norm(input, p, (-2, -1) if dim is None else dim, keepdim, dtype=dtype, out=out)
    return _C.linalg_vector_norm(input, 2 if p is None or p == "fro" else p, dim, keepdim, dtype=dtype, out=out)


def _norm_method(self: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Tensor:
    """The vector p-norm of all elements or over `dim`; see `norm`."""
    return norm(self, p, dim, keepdim, dtype=dtype)


_norm_method.__name__ = "norm"
Tensor.norm = _norm_method


def atleast_1d(*tensors: Any) -> Any:
    """The tensors, those without dimensions with one."""
    return _C.atleast_1d(tensors[0] if len(tensors) == 1 else tensors)


def atleast_2d(*tensors: Any) -> Any:
    """The tensors with two dimensions at least, new ones in front."""
    return _C.atleast_2d(tensors[0] if len(tensors) == 1 else tensors)


def atleast_3d(*tensors: Any) -> Any:
    """The tensors with three dimensions at least."""
    return _C.atleast_3d(tensors[0] if len(tensors) == 1 else tensors)
