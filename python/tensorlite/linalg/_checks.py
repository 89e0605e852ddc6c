"""What the functions of linear algebra ask of their arguments, in PyTorch's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import _C
from .._names import type_name

Tensor = _C.Tensor


class _LinAlgError(RuntimeError):
    """A matrix does not allow what was asked: it is singular, not positive-definite, or no iteration converges."""


LinAlgError = _LinAlgError


def floating(x: Tensor, name: str, kernel: str | None = "") -> None:
    """`kernel` is what PyTorch says has no half precision; None where that is supported."""
    if not (x.dtype.is_floating_point or x.dtype.is_complex):
        raise RuntimeError(f"{name}: Expected a floating point or complex tensor as input. Got {type_name(x.dtype)}")
    if kernel is not None and x.dtype in (_C.float16, _C.bfloat16):
        if kernel:
            raise NotImplementedError(f"\"{kernel}\" not implemented for '{type_name(x.dtype)}'")
        raise RuntimeError(f"{name}: Low precision dtypes not supported. Got {type_name(x.dtype)}")


def matrix(x: Tensor, name: str, argument: str = "A") -> None:
    if x.dim() < 2:
        raise RuntimeError(f"{name}: The input tensor {argument} must have at least 2 dimensions.")


def square(x: Tensor, name: str, argument: str = "A") -> None:
    matrix(x, name, argument)
    m, n = x.shape[-2:]
    if m != n:
        raise RuntimeError(
            f"{name}: {argument} must be batches of square matrices, but they are {m} by {n} matrices"
        )


def square_floating(x: Tensor, name: str, kernel: str = "") -> None:
    square(x, name)
    floating(x, name, kernel)


def matrix_floating(x: Tensor, name: str, kernel: str = "", argument: str = "A") -> None:
    matrix(x, name, argument)
    floating(x, name, kernel)


def same_dtype(name: str, a: Tensor, b: Tensor, names: Sequence[str] = ("A", "B")) -> None:
    if a.dtype != b.dtype:
        first, second = names
        raise RuntimeError(
            f"{name}: Expected {first} and {second} to have the same dtype, but found {first} of type "
            f"{type_name(a.dtype)} and {second} of type {type_name(b.dtype)} instead"
        )


def fits(name: str, a: Tensor, b: Tensor, left: bool) -> None:
    """The shapes of A X = B, or of X A = B."""
    if a.shape[-2] != b.shape[-2 if left else -1]:
        shapes = f"{a.shape[-2]}x{a.shape[-1]} and {b.shape[-2]}x{b.shape[-1]}"
        raise RuntimeError(
            f"{name}: Incompatible shapes of A and B for the equation {'AX = B' if left else 'XA = B'} ({shapes})"
        )


def is_vector(a: Tensor, b: Tensor) -> bool:
    """Whether the right-hand side of A X = B is a vector, or a stack of them."""
    return b.dim() == 1 or (a.dim() - 1 == b.dim() and tuple(b.shape) == tuple(a.shape[:-1]))


def raise_for(info: Tensor, name: str, message: Any, error: type = LinAlgError) -> None:
    """Raises for the first matrix of the stack that LAPACK gave up on."""
    if not info.any().item():
        return
    if info.dim() == 0:
        raise error(f"{name}: {message(info.item())}")
    flat = info.flatten()
    index = int(flat.ne(0).nonzero()[0].item())
    raise error(f"{name}: (Batch element {index}): {message(flat[index].item())}")
