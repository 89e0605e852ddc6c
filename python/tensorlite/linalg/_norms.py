"""Norms, and the products and powers that are made of other operators."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _C
from .._names import type_name
from .._numpy_operator import array, node, operator, tensor
from .._out import write_out
from ..autograd import Function
from ..functional import broadcast_shapes
from . import _checks as check
from . import _decompositions as decompositions
from . import _solvers as solvers

Tensor = _C.Tensor
_cross = _C._operator("linalg_cross")


# ---- norms ----


def _dims(dim: Any) -> list[int]:
    return [dim] if isinstance(dim, int) else list(dim)


def vector_norm(
    x: Tensor, ord: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, out: Any = None
) -> Tensor:
    """(sum |x|^ord)^(1/ord) over all elements or `dim`, for any real ord; inf and -inf are the extremes."""
    return _C.linalg_vector_norm(x, ord, dim, keepdim, dtype=dtype, out=out)


def _cast(x: Tensor, dtype: Any) -> Tensor:
    return x if dtype is None else x.to(dtype)


@operator("linalg_matrix_norm")
def matrix_norm(
    A: Tensor, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None, out: Any = None
) -> Tensor:
    """The norm of matrices: 'fro', 'nuc', 2 (the largest singular value), 1 and inf (sums of columns, rows), -2, -1,
    -inf (the smallest instead)."""
    name = "linalg.matrix_norm"
    check.matrix(A, name)
    check.floating(A, name, None)
    dims = _dims(dim)
    if len(dims) != 2:
        raise RuntimeError(f"{name}: dim must be a 2-tuple. Got {' '.join(map(str, dims))}")
    rows, columns = (d % A.dim() if -A.dim() <= d < A.dim() else _out_of_range(d, A.dim()) for d in dims)
    if rows == columns:
        raise RuntimeError(f"{name}: dims must be different. Got ({dims[0]}, {dims[1]})")
    if isinstance(ord, str):
        if ord not in ("fro", "nuc"):
            raise RuntimeError(f"{name}: Order {ord} not supported.")
        if ord == "fro":
            return _C.linalg_vector_norm(A, 2, [rows, columns], keepdim, dtype=dtype)
    elif abs(ord) not in (1, 2, float("inf")):
        raise RuntimeError(f"{name}: Order {ord} not supported.")
    if ord == "nuc" or abs(ord) == 2:
        values = decompositions.svdvals(_cast(A, dtype).movedim([rows, columns], [-2, -1]))
        result = values.sum(-1) if ord == "nuc" else values.amax(-1) if ord > 0 else values.amin(-1)
        return result.unsqueeze(-1).unsqueeze(-1).movedim([-2, -1], [rows, columns]) if keepdim else result
    summed, other = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sums = _C.linalg_vector_norm(A, 1, [summed], keepdim, dtype=dtype)
    if not keepdim and other > summed:
        other -= 1
    return sums.amax(other, keepdim) if ord > 0 else sums.amin(other, keepdim)


def _out_of_range(dim: int, n: int) -> int:
    raise IndexError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})")


@operator("linalg_norm")
def norm(
    A: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, out: Any = None
) -> Tensor:
    """The vector norm of all elements or of one dim; of a matrix with `ord`, or over two dims, the matrix norm.

    >>> norm(torch.tensor([[3.0, 0.0], [0.0, 4.0]])), norm(torch.tensor([[3.0, 0.0], [0.0, 4.0]]), 2)
    (tensor(5.), tensor(4.))
    """
    dims = None if dim is None else _dims(dim)
    if dims is not None and len(dims) not in (1, 2):
        raise RuntimeError(f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {list(dims)}")
    if dims is None and ord is not None:
        if A.dim() not in (1, 2):
            raise RuntimeError(
                f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {A.dim()}D."
            )
    if isinstance(ord, str) or (ord is not None and (A.dim() == 2 if dims is None else len(dims) == 2)):
        return matrix_norm(A, ord, (0, 1) if dims is None else dims, keepdim, dtype=dtype)
    return _C.linalg_vector_norm(A, 2 if ord is None else ord, dims, keepdim, dtype=dtype)


@operator("linalg_cond")
def cond(A: Tensor, p: Any = None, *, out: Any = None) -> Tensor:
    """The condition number ||A|| ||A^-1|| of that norm, by default 2: the largest by the smallest singular value."""
    check.matrix(A, "linalg.cond")
    if p is None or (not isinstance(p, str) and abs(p) == 2):
        s = decompositions.svdvals(A)
        if not A.numel():
            return _C.zeros(A.shape[:-2], dtype=s.dtype, device=A.device)
        first, last = s[..., :1], s[..., -1:]
        return (last / first if p == -2 else first / last).squeeze(-1)
    check.square(A, f"linalg.cond(ord={p})")
    if isinstance(p, str):
        if p not in ("fro", "nuc"):
            raise RuntimeError(f"linalg.cond got an invalid norm type: {p}")
    elif abs(p) not in (1, float("inf")):
        raise RuntimeError(f"linalg.cond got an invalid norm type: {p}")
    size = matrix_norm(A, p)
    if not A.numel():
        return _C.zeros(A.shape[:-2], dtype=size.dtype, device=A.device)
    inverse, info = solvers.inv_ex(A)
    inverse = inverse.masked_fill(info.gt(0)[..., None, None], float("inf"))
    result = size * matrix_norm(inverse, p)
    return result.nan_to_num(float("inf"), float("inf"), float("-inf"))


# ---- products ----


@operator("linalg_cross")
def cross(input: Tensor, other: Tensor, *, dim: int = -1, out: Any = None) -> Tensor:
    """The vector products along a dimension of size 3; the other dimensions broadcast."""
    return _cross(input, other, dim=dim)


@operator("linalg_vecdot")
def vecdot(x: Tensor, y: Tensor, *, dim: int = -1, out: Any = None) -> Tensor:
    """The dot products of vectors along a dimension, those of x conjugated; the others broadcast."""
    check.floating(x, "linalg.vecdot", None)
    check.same_dtype("linalg.vecdot", x, y, ("x", "y"))
    return (x.conj() * y).sum(dim)


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """A view of the diagonals of matrices."""
    return A.diagonal(offset, dim1, dim2)


def matmul(input: Tensor, other: Tensor, *, out: Any = None) -> Tensor:
    """The matrix product; see `tensorlite.matmul`."""
    return _C.matmul(input, other, out=out)


def multi_dot(tensors: Sequence[Tensor], *, out: Any = None) -> Tensor:
    """The product of a chain of matrices, in the order that costs least; the first and the last may be vectors."""
    result = _C._multi_dot(list(tensors))
    return result if out is None else write_out("linalg_multi_dot", out, result)


@operator("linalg_matrix_power", keep_strides=False)
def matrix_power(A: Tensor, n: int, *, out: Any = None) -> Tensor:
    """The n-th power of square matrices; the inverse's for a negative n."""
    check.square(A, "linalg.matrix_power")
    if n == 0:
        return A.clone().copy_(_C.eye(A.shape[-1], dtype=A.dtype, device=A.device).expand(*A.shape))
    if n == 1:
        return A.clone()
    if n < 0:
        A, n = solvers.inv(A), -n
    if n == 3:
        return (A @ A) @ A
    result = None
    while n:
        if n & 1:
            result = A if result is None else result @ A
        n >>= 1
        if n:
            A = A @ A
    return result


@operator("linalg_vander")
def vander(x: Tensor, *, N: int | None = None, out: Any = None) -> Tensor:
    """The powers 0 ... N - 1 of each element, along a new last dimension.

    >>> vander(torch.tensor([2, 3]), N=4)
    tensor([[ 1,  2,  4,  8],
            [ 1,  3,  9, 27]])
    """
    if x.dtype == _C.bool:
        raise RuntimeError("linalg.vander supports floating point, complex, and integer tensors, but got Bool")
    if x.dim() == 0:
        x = x.unsqueeze(0)
    n = x.shape[-1] if N is None else N
    if n <= 1:
        raise RuntimeError("N must be greater than 1.")
    powers = x.unsqueeze(-1).expand(*x.shape, n - 1).cumprod(-1)
    return _C.cat([_C.ones_like(powers[..., :1]), powers], -1)


# ---- exponential ----


def _exponential(a: np.ndarray) -> np.ndarray:
    """Scaling and squaring of a Taylor polynomial of degree 18, within rounding of exp(A) for norms up to 1."""
    eye = np.broadcast_to(np.eye(a.shape[-1], dtype=a.dtype), a.shape)
    size = abs(a).sum(-2).max(-1, initial=0) if a.size else np.zeros(a.shape[:-2])
    with np.errstate(all="ignore"):
        halvings = np.where(np.isfinite(size) & (size > 1), np.ceil(np.log2(np.maximum(size, 1e-300))), 0).astype(int)
        halvings = np.maximum(halvings, 0)[..., None, None]
        b = a / np.exp2(halvings).astype(a.real.dtype)
        # By powers of b^3, which takes 8 products (Paterson and Stockmeyer, 1973).
        b2 = b @ b
        b3 = b2 @ b
        c = [1 / math.factorial(k) for k in range(19)]
        result = c[18] * eye
        for k in range(15, -1, -3):
            result = result @ b3 + (c[k] * eye + c[k + 1] * b + c[k + 2] * b2)
        for k in range(int(halvings.max(initial=0))):
            result = np.where(k < halvings, result @ result, result)
    return np.ascontiguousarray(result)


@node("LinalgMatrixExpBackward0")
class _MatrixExp(Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor) -> Tensor:
        ctx.save_for_backward(a)
        values = array(a)
        wide = {"f": np.float64, "F": np.complex128}.get(values.dtype.char, values.dtype)
        return tensor(_exponential(values.astype(wide)).astype(values.dtype, copy=False), a)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        # exp of [[A, E], [0, A]] has the derivative of exp at A in the direction E in its corner (Mathias, 1996); the
        # adjoint is the derivative at A^H.
        (a,) = ctx.saved_tensors
        n, a = a.shape[-1], a.mH
        top, bottom = _C.cat([a, grad], -1), _C.cat([_C.zeros_like(a), a], -1)
        return _MatrixExp.apply(_C.cat([top, bottom], -2))[..., :n, n:]


def matrix_exp(A: Tensor) -> Tensor:
    """The exponential of square matrices, the sum of A^k / k!."""
    if not isinstance(A, Tensor):
        raise TypeError(f"linalg_matrix_exp(): argument 'A' (position 1) must be Tensor, not {type(A).__name__}")
    check.square(A, "linalg.matrix_exp")
    check.floating(A, "matrix_exp", None)
    if A.dtype in (_C.float16, _C.bfloat16):
        return _MatrixExp.apply(A.float()).to(A.dtype)
    return _MatrixExp.apply(A)


# ---- distances ----

_MODES = ("use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist")


@node("CdistBackward0")
class _Cdist(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, p: float, products: bool) -> Tensor:
        if not x.numel() or not y.numel():
            result = _C.zeros(*x.shape[:-1], y.shape[-2], dtype=x.dtype, device=x.device)
        elif products:  # |x - y|^2 = |x|^2 - 2 x y + |y|^2, as one product
            xx, yy = x.square().sum(-1, True), y.square().sum(-1, True)
            left = _C.cat([-2 * x, xx, _C.ones_like(xx)], -1)
            right = _C.cat([y, _C.ones_like(yy), yy], -1)
            result = (left @ right.mT).clamp_min_(0).sqrt_()
        else:
            result = _C.linalg_vector_norm(x.unsqueeze(-2) - y.unsqueeze(-3), p, [-1])
        ctx.p = p
        ctx.save_for_backward(x, y, result)
        return result

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        x, y, distance = ctx.saved_tensors
        p = ctx.p
        if not x.numel() or not y.numel():
            return _C.zeros_like(x), _C.zeros_like(y), None, None
        if p == 2:
            weight = (grad / distance).masked_fill(distance == 0, 0)
            of_x = x * weight.sum(-1, True) - weight @ y
            of_y = y * weight.sum(-2).unsqueeze(-1) - weight.mT @ x
            return of_x, of_y, None, None
        from ..autograd.derivatives.reduction import norm_grad

        difference = x.unsqueeze(-2) - y.unsqueeze(-3)
        if p == float("inf"):  # all the largest ones, undivided
            part = difference.sgn() * (difference.abs() == distance.unsqueeze(-1)) * grad.unsqueeze(-1)
        else:
            part = norm_grad(grad, difference, distance, p, [-1], False)
        if part is None:
            return _C.zeros_like(x), _C.zeros_like(y), None, None
        return part.sum(-2), -part.sum(-3), None, None


def cdist(
    x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str = "use_mm_for_euclid_dist_if_necessary"
) -> Tensor:
    """The p-norm distances (*, P, R) between the rows of (*, P, M) and those of (*, R, M).

    compute_mode: whether Euclidean distances come from a matrix product, by default where a set has more than 25 rows.
    """
    if compute_mode not in _MODES:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    for name, x in (("X1", x1), ("X2", x2)):
        if not x.is_floating_point():
            raise RuntimeError(f"cdist only supports floating-point dtypes, {name} got: {type_name(x.dtype)}")
        if x.dim() < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {name} got: {x.dim()}D")
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(
            f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}"
        )
    if p < 0:
        raise RuntimeError("cdist only supports non-negative p values")
    if x1.dtype != x2.dtype:
        dtype = _C.promote_types(x1.dtype, x2.dtype)
        x1, x2 = x1.to(dtype), x2.to(dtype)
    many = x1.shape[-2] > 25 or x2.shape[-2] > 25
    products = p == 2 and (compute_mode == _MODES[1] or (compute_mode == _MODES[0] and many))
    batch = broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
    x1, x2 = x1.expand(*batch, *x1.shape[-2:]), x2.expand(*batch, *x2.shape[-2:])
    return _Cdist.apply(x1, x2, p, products)


@node("PdistBackward0")
class _PairedDistance(Function):
    @staticmethod
    def forward(ctx: Any, difference: Tensor, p: float) -> Tensor:
        result = _C.linalg_vector_norm(difference, p, [-1])
        ctx.p = p
        ctx.save_for_backward(difference, result)
        return result

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        from ..autograd.derivatives.reduction import norm_grad

        difference, distance = ctx.saved_tensors
        if ctx.p == float("inf"):
            largest = difference.abs() == distance.unsqueeze(-1)
            return difference.sgn() * largest * grad.unsqueeze(-1), None
        part = norm_grad(grad, difference, distance, ctx.p, [-1], False)
        return _C.zeros_like(difference) if part is None else part, None


def paired_distance(x: Tensor, y: Tensor, p: float) -> Tensor:
    return _PairedDistance.apply(x - y, p)
