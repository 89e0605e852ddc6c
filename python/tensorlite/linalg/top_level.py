"""The functions of linear algebra that stand at the top level and as methods: `tensorlite.inverse`, `x.svd()`."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from .. import _C
from .._numpy_operator import ColumnMajor, array, column_major, node, operator, tensor
from .._out import write_out
from ..autograd import Function
from . import _checks as check
from . import _decompositions as decompositions
from . import _norms, _solvers
from ._norms import cdist, matrix_exp, matrix_power
from ._solvers import det
from ._triangular import solve_triangular

__all__ = [
    "cdist", "chain_matmul", "cholesky", "cholesky_inverse", "cholesky_solve", "det", "geqrf", "inverse", "logdet",
    "lu", "lu_solve", "lu_unpack", "matrix_exp", "matrix_power", "orgqr", "ormqr", "pca_lowrank", "pdist", "pinverse",
    "qr", "slogdet", "svd", "svd_lowrank", "triangular_solve",
]  # fmt: skip

Tensor = _C.Tensor
_warned: set[str] = set()


def _deprecated(name: str, instead: str) -> None:
    """Says so the first time."""
    if name not in _warned:
        _warned.add(name)
        warnings.warn(
            f"torch.{name} is deprecated in favor of {instead} and will be removed in a future PyTorch release.",
            stacklevel=4,
        )


# ---- one name for two ----


@operator("inverse")
def inverse(input: Tensor, *, out: Any = None) -> Tensor:
    """The inverse of square matrices; see `linalg.inv`."""
    return _solvers.inv(input)


@operator("pinverse")
def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """The Moore-Penrose pseudoinverse; see `linalg.pinv`."""
    return _solvers.pinv(input, rcond)


@operator("logdet")
def logdet(input: Tensor) -> Tensor:
    """The logarithm of the determinant of square matrices; NaN where it is negative."""
    check.square_floating(input, "logdet")
    sign, log = _solvers.slogdet(input)
    if input.is_complex():
        return sign.log() + log
    return _C.where(sign == -1, float("nan"), log)


@operator("slogdet", "sign logabsdet")
def slogdet(input: Tensor, *, out: Any = None) -> Any:
    """(sign, logabsdet); see `linalg.slogdet`."""
    return _solvers.slogdet(input)


@operator("qr", "Q R")
def qr(input: Tensor, some: bool = True, *, out: Any = None) -> Any:
    """(Q, R); `linalg.qr` of mode "reduced", or "complete" with some=False."""
    _deprecated("qr", "torch.linalg.qr")
    return decompositions.qr(input, "reduced" if some else "complete")


@operator("svd", "U S V")
def svd(input: Tensor, some: bool = True, compute_uv: bool = True, *, out: Any = None) -> Any:
    """(U, S, V) with A = U diag(S) V^H; with compute_uv=False, U and V are zeros."""
    if compute_uv:
        u, s, vh = decompositions.svd(input, full_matrices=not some)
        return u, s, vh.mH
    m, n = input.shape[-2:]
    zeros = [_C.zeros(*input.shape[:-2], k, k, dtype=input.dtype, device=input.device) for k in (m, n)]
    return zeros[0], decompositions.svdvals(input), zeros[1].mT


def chain_matmul(*matrices: Tensor, out: Any = None) -> Tensor:
    """The product of the matrices in the order that costs least; see `linalg.multi_dot`."""
    tensors = list(matrices[0]) if len(matrices) == 1 and not isinstance(matrices[0], Tensor) else list(matrices)
    if len(tensors) == 1:
        return tensors[0]
    _deprecated("chain_matmul", "torch.linalg.multi_dot")
    for t in tensors:
        if t.dim() != 2:
            raise RuntimeError(f"Tensor dimension is {t.dim()}, expected 2 instead.")
    return _norms.multi_dot(tensors, out=out)


# ---- Cholesky ----


@operator("cholesky", keep_strides=False)
def cholesky(input: Tensor, upper: bool = False, *, out: Any = None) -> Tensor:
    """The triangular factor of Hermitian positive-definite matrices; see `linalg.cholesky`."""
    _deprecated("cholesky", "torch.linalg.cholesky")
    check.square_floating(input, "cholesky", "cholesky_cpu")
    factor, info = decompositions.cholesky_ex(input, upper=upper)
    check.raise_for(info, "cholesky", decompositions._not_positive)
    return factor


def _by_factor(b: Tensor, factor: Tensor, upper: bool) -> Tensor:
    if upper:
        return solve_triangular(factor, solve_triangular(factor.mH, b, upper=False), upper=True)
    return solve_triangular(factor.mH, solve_triangular(factor, b, upper=False), upper=True)


@node("CholeskySolveBackward0")
class _CholeskySolve(Function):
    @staticmethod
    def forward(ctx: Any, b: Tensor, factor: Tensor, upper: bool) -> Tensor:
        result = _by_factor(b.detach(), factor.detach(), upper)
        ctx.upper = upper
        ctx.save_for_backward(factor, result)
        return result

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        factor, x = ctx.saved_tensors
        grad_b = _CholeskySolve.apply(grad, factor, ctx.upper)
        grad_factor = None
        if ctx.needs_input_grad[1]:
            common = decompositions.symmetrized(-(grad_b @ x.mH))
            grad_factor = factor @ common if ctx.upper else common @ factor
        return grad_b if ctx.needs_input_grad[0] else None, grad_factor, None


@operator("cholesky_solve", keep_strides=False)
def cholesky_solve(B: Tensor, L: Tensor, upper: bool = False, *, out: Any = None) -> Tensor:
    """X of A X = B where the Cholesky factor of A is given."""
    if B.dim() < 2:
        raise RuntimeError(f"b should have at least 2 dimensions, but has {B.dim()} dimensions instead")
    if L.dim() < 2:
        raise RuntimeError(f"u should have at least 2 dimensions, but has {L.dim()} dimensions instead")
    check.same_dtype("cholesky_solve", L, B)
    check.square(L, "cholesky_solve")
    check.fits("cholesky_solve", L, B, True)
    return _CholeskySolve.apply(B, L, upper)


@node("CholeskyInverseBackward0")
class _CholeskyInverse(Function):
    @staticmethod
    def forward(ctx: Any, factor: Tensor, upper: bool) -> Tensor:
        eye = _C.eye(factor.shape[-1], dtype=factor.dtype, device=factor.device).expand(*factor.shape)
        result = _by_factor(eye, factor.detach(), upper)
        ctx.upper = upper
        ctx.save_for_backward(factor, result)
        return result

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        factor, x = ctx.saved_tensors
        common = -(x @ decompositions.symmetrized(grad) @ x)
        return factor @ common if ctx.upper else common @ factor, None


@operator("cholesky_inverse")
def cholesky_inverse(L: Tensor, upper: bool = False, *, out: Any = None) -> Tensor:
    """The inverse of A where the Cholesky factor of A is given."""
    check.square_floating(L, "cholesky_inverse", "cholesky_inverse_out_cpu")
    return _CholeskyInverse.apply(L, upper)


# ---- LU ----


def lu(A: Tensor, pivot: bool = True, get_infos: bool = False, out: Any = None) -> Any:
    """(LU, pivots), or with get_infos=True (LU, pivots, infos); see `linalg.lu_factor_ex`."""
    _deprecated("lu", "torch.linalg.lu_factor / torch.linalg.lu_factor_ex")
    result = decompositions.lu_factor_ex(A, pivot=pivot, check_errors=not get_infos)
    result = tuple(result) if get_infos else tuple(result)[:2]
    if out is not None:
        result = tuple(write_out("lu", o, r, keep_strides=False) for o, r in zip(out, result))
    return result


@operator("lu_unpack", "P L U")
def lu_unpack(
    LU_data: Tensor, LU_pivots: Tensor, unpack_data: bool = True, unpack_pivots: bool = True, *, out: Any = None
) -> Any:
    """(P, L, U) of what `linalg.lu_factor` gives; parts not asked for are empty."""
    check.matrix(LU_data, "torch.lu_unpack", "LU_data")
    if unpack_pivots and LU_pivots.dtype != _C.int32:
        raise RuntimeError(
            "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype. "
            "Note: this function is intended to be used with the output produced by torch.linalg.lu_factor"
        )
    empty = _C.empty(0, dtype=LU_data.dtype, device=LU_data.device)
    p = decompositions.permutation(LU_pivots, LU_data.shape[-2], LU_data.dtype) if unpack_pivots else empty
    if not unpack_data:
        return p, empty, empty.clone()
    _, l, u = decompositions.unpack(LU_data, None)
    return p, l, u


@operator("lu_solve")
def lu_solve(b: Tensor, LU_data: Tensor, LU_pivots: Tensor, *, out: Any = None) -> Tensor:
    """X of A X = b where `linalg.lu_factor(A)` is given; see `linalg.lu_solve`."""
    _deprecated("lu_solve", "torch.linalg.lu_solve")
    return _solvers.lu_solve(LU_data, LU_pivots, b)


@operator("triangular_solve", "solution cloned_coefficient")
def triangular_solve(
    b: Tensor, A: Tensor, upper: bool = True, transpose: bool = False, unitriangular: bool = False, *, out: Any = None
) -> Any:
    """(X, a copy of A) with A X = b, or A^T X = b, where A is triangular; see `linalg.solve_triangular`."""
    _deprecated("triangular_solve", "torch.linalg.solve_triangular")
    if b.dim() < 2 or A.dim() < 2:
        name, x = ("b", b) if b.dim() < 2 else ("A", A)
        raise RuntimeError(
            f"torch.triangular_solve: Expected {name} to have at least 2 dimensions, but it has {x.dim()} dimensions "
            "instead"
        )
    check.same_dtype("triangular_solve", A, b, ("A", "b"))
    check.square(A, "triangular_solve")
    check.fits("triangular_solve", A, b, True)
    matrix = A.mT if transpose else A
    x = solve_triangular(matrix, b, upper=upper != transpose, unitriangular=unitriangular)
    # The copy has the batch of the solution, and lies column-major.
    copy = A.expand(*x.shape[:-2], *A.shape[-2:]).mT.clone().contiguous().mT
    return x, copy


# ---- QR in reflectors ----


@operator("geqrf", "a tau")
def geqrf(input: Tensor, *, out: Any = None) -> Any:
    """(a, tau) of a QR decomposition: R in the upper triangle, reflectors below it, as LAPACK keeps them."""
    check.matrix_floating(input, "torch.geqrf", "geqrf_cpu", "input")
    values = array(input)
    if not input.numel():
        tau = _C.zeros(*input.shape[:-2], min(input.shape[-2:]), dtype=input.dtype, device=input.device)
        return input.detach().clone(), tau
    h, tau = np.linalg.qr(values, mode="raw")
    return tensor(column_major(h.swapaxes(-2, -1)), input, input.dtype), tensor(tau, input, input.dtype)


def orgqr(input: Tensor, tau: Tensor, *, out: Any = None) -> Tensor:
    """See `linalg.householder_product`."""
    return decompositions.householder_product(input, tau, out=out)


@operator("ormqr")
def ormqr(
    input: Tensor, tau: Tensor, other: Tensor, left: bool = True, transpose: bool = False, *, out: Any = None
) -> Tensor:
    """Q @ other, where Q is the product of all of `geqrf`'s reflectors; other @ Q, Q^H."""
    name = "torch.ormqr"
    if input.dim() < 2:
        raise RuntimeError(f"{name}: input must have at least 2 dimensions.")
    if other.dim() < 2:
        raise RuntimeError(f"{name}: other must have at least 2 dimensions.")
    side = -2 if left else -1
    if tau.dim() and other.shape[side] < tau.shape[-1]:
        raise RuntimeError(f"{name}: other.shape[{side}] must be greater than or equal to tau.shape[-1]")
    if other.shape[side] != input.shape[-2]:
        raise RuntimeError(f"{name}: other.shape[{side}] must be equal to input.shape[-2]")
    if tau.shape[-1] != min(other.shape[side], input.shape[-1]):
        raise RuntimeError(
            f"{name}: tau.shape[-1] must be equal to min(other.shape[{side}], input.shape[-1])"
        )
    if input.dim() - tau.dim() != 1:
        raise RuntimeError(
            f"{name}: Expected tau to have one dimension less than input, but got tau.ndim equal to {tau.dim()} and "
            f"input.ndim is equal to {input.dim()}"
        )
    if input.dim() != other.dim():
        raise RuntimeError(
            f"{name}: Expected other to have the same number of dimensions as input, but got other.ndim equal to "
            f"{other.dim()} and input.ndim is equal to {input.dim()}"
        )
    if tuple(tau.shape[:-1]) != tuple(input.shape[:-2]):
        raise RuntimeError(
            f"{name}: Expected batch dimensions of tau to be equal to input.shape[:-2], but got "
            f"{list(tau.shape[:-1])}"
        )
    if tuple(other.shape[:-2]) != tuple(input.shape[:-2]):
        raise RuntimeError(
            f"{name}: Expected batch dimensions of other to be equal to input.shape[:-2], but got "
            f"{list(other.shape[:-2])}"
        )
    for what, x in (("tau", tau), ("other", other)):
        if x.dtype != input.dtype:
            raise RuntimeError(
                f"{name}: Expected input and {what} to have the same dtype, but input has dtype "
                f"{check.type_name(input.dtype)} and {what} has dtype {check.type_name(x.dtype)}"
            )
    if not other.numel():
        return other.clone()
    if left:
        result = decompositions.reflect(input, tau, other, adjoint=transpose)
    else:
        result = decompositions.reflect(input, tau, other.mH, adjoint=not transpose).mH
    return _Ormqr.apply(result)


@node("OrmqrBackward0")
class _Ormqr(ColumnMajor):
    pass


# ---- decompositions of low rank ----


def _basis(A: Tensor, q: int, niter: int) -> Tensor:
    """An orthonormal basis near the range of A (Halko, Martinsson and Tropp, 2009, algorithm 4.4)."""
    x = A @ _C.randn(A.shape[-1], q, dtype=A.dtype, device=A.device)
    basis = decompositions.qr(x).Q
    for _ in range(niter):
        basis = decompositions.qr(A.mH @ basis).Q
        basis = decompositions.qr(A @ basis).Q
    return basis


def svd_lowrank(
    A: Tensor, q: int | None = 6, niter: int | None = 2, M: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """(U, S, V), an approximate singular value decomposition of rank q of A, or of A - M, by random projections."""
    if M is not None:
        A = A - M.expand(*A.shape)
    wide = A.shape[-2] < A.shape[-1]
    if wide:
        A = A.mH
    basis = _basis(A, 6 if q is None else q, 2 if niter is None else niter)
    u, s, vh = decompositions.svd(basis.mH @ A, full_matrices=False)
    u, v = basis @ u, vh.mH
    return (v, s, u) if wide else (u, s, v)


def pca_lowrank(
    A: Tensor, q: int | None = None, center: bool = True, niter: int = 2
) -> tuple[Tensor, Tensor, Tensor]:
    """(U, S, V) of the data, one sample a row, less their mean: V holds the principal directions."""
    m, n = A.shape[-2:]
    if q is None:
        q = min(6, m, n)
    elif not 0 <= q <= min(m, n):
        raise ValueError(f"q(={q}) must be non-negative integer and not greater than min(m, n)={min(m, n)}")
    if not niter >= 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    if not (A.is_floating_point() or A.is_complex()):
        raise ValueError(f"input must have a floating point dtype, got {A.dtype}")
    return svd_lowrank(A - A.mean(-2, keepdim=True) if center else A, q, niter)


def pdist(input: Tensor, p: float = 2) -> Tensor:
    """The p-norm distances of all pairs of rows, as `cdist` has them above its diagonal."""
    if input.dim() != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.dim()}D")
    if not input.is_floating_point():
        raise RuntimeError("pdist only supports floating-point dtypes")
    if p < 0:
        raise RuntimeError("pdist only supports non-negative p values")
    i, j = _C.triu_indices(input.shape[0], input.shape[0], 1)
    return _norms.paired_distance(input[i], input[j], p)
