"""Decompositions over NumPy, with their gradients.

The gradients are those of M. Giles, "An extended collection of matrix derivative results" (2008), and J. Townsend,
"Differentiating the singular value decomposition" (2016), taken to complex matrices.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _C
from .._numpy_operator import ColumnMajor, array, column_major, node, operator, tensor
from ..autograd import Function
from . import _checks as check
from . import _lapack
from ._checks import LinAlgError, raise_for
from ._triangular import solve_triangular

Tensor = _C.Tensor


def symmetrized(x: Tensor) -> Tensor:
    return x + x.mH


def diagonal(x: Tensor) -> Tensor:
    return x.diagonal(0, -2, -1)


def scaled_diagonal(x: Tensor, factor: float) -> Tensor:
    return x + ((factor - 1) * diagonal(x)).diag_embed()


# ---- Cholesky ----


@node("LinalgCholeskyExBackward0")
class _Cholesky(Function):
    """A = L L^H, from the lower triangle of A."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, upper: bool) -> tuple[Tensor, Tensor]:
        values = array(a)
        if upper:
            values = values.swapaxes(-2, -1).conj()
        info = np.zeros(values.shape[:-2], np.int32)
        try:
            factor = np.linalg.cholesky(values)
        except np.linalg.LinAlgError:
            factor = np.zeros_like(values)
            for i in np.ndindex(info.shape):
                k = info[i] = _lapack.minor(values[i])
                part = slice(None) if k == 0 else slice(k - 1)
                factor[i][part, part] = np.linalg.cholesky(values[i][part, part])
        if upper:
            factor = factor.swapaxes(-2, -1).conj()
        factor = tensor(column_major(factor), a, a.dtype)
        info = tensor(info, a)
        ctx.upper = upper
        ctx.save_for_backward(factor)
        ctx.mark_non_differentiable(info)
        return factor, info

    @staticmethod
    def backward(ctx: Any, grad: Tensor | None, _: Any) -> Any:
        if grad is None:
            return None, None
        (factor,) = ctx.saved_tensors
        lower, grad = (factor.mH, grad.mH) if ctx.upper else (factor, grad)
        inner = (lower.mH @ grad).tril()
        inner = (inner + inner.tril(-1).mH) * 0.5
        inner = solve_triangular(lower.mH, inner, upper=True)
        return solve_triangular(lower, inner, upper=False, left=False), None


def _not_positive(order: int) -> str:
    return (
        "The factorization could not be completed because the input is not positive-definite "
        f"(the leading minor of order {order} is not positive-definite)."
    )


@operator("linalg_cholesky_ex", "L info")
def cholesky_ex(A: Tensor, *, upper: bool = False, check_errors: bool = False, out: Any = None) -> Any:
    """(L, info) with A = L L^H; info is 0, or the order of the leading minor that is not positive."""
    check.square_floating(A, "linalg.cholesky", "cholesky_cpu")
    factor, info = _Cholesky.apply(A, upper)
    if check_errors:
        raise_for(info, "linalg.cholesky_ex", _not_positive)
    return factor, info


@operator("linalg_cholesky")
def cholesky(A: Tensor, *, upper: bool = False, out: Any = None) -> Tensor:
    """The lower triangular L with A = L L^H of Hermitian positive-definite matrices; with upper=True, L^H.

    >>> cholesky(torch.tensor([[4.0, 2.0], [2.0, 10.0]]))
    tensor([[2., 0.],
            [1., 3.]])
    """
    check.square_floating(A, "linalg.cholesky", "cholesky_cpu")
    factor, info = _Cholesky.apply(A, upper)
    raise_for(info, "linalg.cholesky", _not_positive)
    return factor


# ---- eigenvalues ----


def _check_gauge(inner: Tensor, name: str, vectors: str) -> None:
    """The phase of a complex vector is arbitrary: a loss must not depend on it."""
    imaginary = _C.imag(diagonal(inner.detach()))
    if not _C.allclose(imaginary, _C.zeros_like(imaginary), atol=1e-2, rtol=1e-2):
        raise RuntimeError(
            f"{name}: The {vectors} in the complex case are specified up to multiplication by e^{{i phi}}. The "
            "specified loss function depends on this quantity, so it is ill-defined."
        )


def _eig_backward(
    w: Tensor, v: Tensor, grad_w: Tensor | None, grad_v: Tensor | None, hermitian: bool
) -> Tensor | None:
    if grad_w is None and grad_v is None:
        return None
    if grad_v is None:
        if hermitian:
            return (v * grad_w.unsqueeze(-2)) @ v.mH
        return _solve(v.mH, grad_w.unsqueeze(-1) * v.mH)
    inner = v.mH @ grad_v
    if v.is_complex():
        _check_gauge(inner, "linalg_eigh_backward" if hermitian else "linalg_eig_backward", "eigenvectors")
    if not hermitian:
        inner = inner - v.mH @ (v * _C.real(diagonal(inner)).unsqueeze(-2))
    gaps = w.unsqueeze(-2) - w.unsqueeze(-1)
    if not hermitian:
        gaps = gaps.conj()
    inner = _off_diagonal(inner / _unit_diagonal(gaps))
    if grad_w is not None:
        inner = inner + grad_w.diag_embed()
    if hermitian:
        return 0.5 * symmetrized(v @ inner @ v.mH)
    return _solve(v.mH, inner @ v.mH)


def _solve(a: Tensor, b: Tensor) -> Tensor:
    from ._solvers import solve

    return solve(a, b)


def _unit_diagonal(x: Tensor) -> Tensor:
    return x + _C.eye(x.shape[-1], dtype=x.dtype, device=x.device)


def _off_diagonal(x: Tensor) -> Tensor:
    return x.masked_fill(_C.eye(x.shape[-1], dtype=_C.bool, device=x.device), 0)


def _finite(values: np.ndarray, name: str) -> None:
    if not np.isfinite(values).all():
        bad = ~np.isfinite(values).all(axis=(-2, -1))
        element = "" if values.ndim == 2 else f" (Batch element {int(bad.ravel().argmax())}):"
        raise LinAlgError(
            f"{name}:{element} The algorithm failed to converge because the input matrix contained non-finite values."
        )


@node("LinalgEighBackward0")
class _Eigh(Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, uplo: str) -> tuple[Tensor, Tensor]:
        values = array(a)
        _finite(values, "linalg.eigh")
        w, v = np.linalg.eigh(values, UPLO=uplo)
        w, v = tensor(w, a), tensor(column_major(v), a, a.dtype)
        ctx.save_for_backward(w, v)
        return w, v

    @staticmethod
    def backward(ctx: Any, grad_w: Tensor | None, grad_v: Tensor | None) -> Any:
        return _eig_backward(*ctx.saved_tensors, grad_w, grad_v, hermitian=True), None


def _uplo(uplo: str) -> str:
    if uplo.upper() not in ("U", "L"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {uplo}")
    return uplo.upper()


@operator("linalg_eigh", "eigenvalues eigenvectors")
def eigh(A: Tensor, UPLO: str = "L", *, out: Any = None) -> Any:
    """(w, V): the eigenvalues, ascending, and eigenvectors (columns) of Hermitian matrices; one triangle is read.

    >>> eigh(torch.tensor([[2.0, 1.0], [1.0, 2.0]])).eigenvalues
    tensor([1., 3.])
    """
    check.square_floating(A, "linalg.eigh", "linalg_eigh_cpu")
    return _Eigh.apply(A, _uplo(UPLO))


@operator("linalg_eigvalsh")
def eigvalsh(A: Tensor, UPLO: str = "L", *, out: Any = None) -> Tensor:
    """The eigenvalues, ascending, of Hermitian matrices."""
    check.square_floating(A, "linalg.eigh", "linalg_eigh_cpu")
    if _C.is_grad_enabled() and A.requires_grad:
        return _Eigh.apply(A, _uplo(UPLO))[0]
    values = array(A)
    _finite(values, "linalg.eigh")
    return tensor(np.linalg.eigvalsh(values, UPLO=_uplo(UPLO)), A)


def _complex(dtype: Any) -> Any:
    return _C.promote_types(dtype, _C.complex64)


@node("LinalgEigBackward0")
class _Eig(Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor) -> tuple[Tensor, Tensor]:
        w, v = np.linalg.eig(array(a))
        w, v = tensor(w, a, _complex(a.dtype)), tensor(column_major(v), a, _complex(a.dtype))
        ctx.real = not a.is_complex()
        ctx.save_for_backward(w, v)
        return w, v

    @staticmethod
    def backward(ctx: Any, grad_w: Tensor | None, grad_v: Tensor | None) -> Any:
        grad = _eig_backward(*ctx.saved_tensors, grad_w, grad_v, hermitian=False)
        return _C.real(grad) if ctx.real and grad is not None else grad


def _check_eig(A: Tensor) -> None:
    check.square_floating(A, "linalg.eig", "linalg_eig_out_cpu")
    if A.numel() and not A.isfinite().all().item():
        raise RuntimeError("torch.linalg.eig: input tensor should not contain infs or NaNs.")


@operator("linalg_eig", "eigenvalues eigenvectors")
def eig(A: Tensor, *, out: Any = None) -> Any:
    """(w, V): the eigenvalues and eigenvectors (columns) of square matrices, always complex."""
    _check_eig(A)
    return _Eig.apply(A)


@operator("linalg_eigvals")
def eigvals(A: Tensor, *, out: Any = None) -> Tensor:
    """The eigenvalues of square matrices, always complex."""
    _check_eig(A)
    if _C.is_grad_enabled() and A.requires_grad:
        return _Eig.apply(A)[0]
    return tensor(np.linalg.eigvals(array(A)), A, _complex(A.dtype))


# ---- singular values ----


def _svd(values: np.ndarray, full: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    m, n = values.shape[-2:]
    if min(m, n) == 0:  # no singular values; the vectors are any orthonormal ones
        rows, columns = (m, n) if full else (0, 0)
        batch = values.shape[:-2]
        u = np.broadcast_to(np.eye(m, rows, dtype=values.dtype), (*batch, m, rows)).copy()
        vh = np.broadcast_to(np.eye(columns, n, dtype=values.dtype), (*batch, columns, n)).copy()
        return u, np.zeros((*batch, 0), values.real.dtype), vh
    _finite(values, "linalg.svd")
    return np.linalg.svd(values, full_matrices=full)


@node("LinalgSvdBackward0")
class _Svd(Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, full: bool) -> tuple[Tensor, Tensor, Tensor]:
        u, s, vh = _svd(array(a), full)
        result = tensor(column_major(u), a, a.dtype), tensor(s, a), tensor(column_major(vh), a, a.dtype)
        ctx.save_for_backward(*result)
        return result

    @staticmethod
    def backward(ctx: Any, grad_u: Tensor | None, grad_s: Tensor | None, grad_vh: Tensor | None) -> Any:
        u, s, vh = ctx.saved_tensors
        k = s.shape[-1]
        # With full_matrices=True, the vectors of the singular value 0 are arbitrary: they carry no gradient.
        u, grad_u = u[..., :k], None if grad_u is None else grad_u[..., :k]
        vh, grad_vh = vh[..., :k, :], None if grad_vh is None else grad_vh[..., :k, :]
        return _svd_backward(u, s, vh, grad_u, grad_s, grad_vh), None


def _svd_backward(
    u: Tensor, s: Tensor, vh: Tensor, grad_u: Tensor | None, grad_s: Tensor | None, grad_vh: Tensor | None
) -> Tensor | None:
    if grad_u is None and grad_vh is None:
        return None if grad_s is None else (u * grad_s.unsqueeze(-2)) @ vh
    m, k, n = u.shape[-2], s.shape[-1], vh.shape[-1]
    of_u = None if grad_u is None else u.mH @ grad_u
    of_v = None if grad_vh is None else vh @ grad_vh.mH
    if u.is_complex():
        phases = sum(x for x in (of_u, of_v) if x is not None)
        imaginary = _C.imag(diagonal(phases.detach()))
        if not _C.allclose(imaginary, _C.zeros_like(imaginary), atol=1e-2, rtol=1e-2):
            raise RuntimeError(
                "svd_backward: The singular vectors in the complex case are specified up to multiplication by "
                "e^{i phi}. The specified loss function depends on this phase term, making it ill-defined."
            )
    squares = s * s
    gaps = _unit_diagonal(squares.unsqueeze(-2) - squares.unsqueeze(-1))
    inner = None
    if of_u is not None:
        inner = _off_diagonal((of_u - of_u.mH) / gaps) * s.unsqueeze(-2)
    if of_v is not None:
        part = s.unsqueeze(-1) * _off_diagonal((of_v - of_v.mH) / gaps)
        inner = part if inner is None else inner + part
    if grad_s is not None:
        inner = inner + grad_s.diag_embed()
    if u.is_complex() and of_u is not None:
        turn = diagonal(of_u - of_u.mH) / (2 * s)
        inner = inner + turn.diag_embed()
    if m > k and of_u is not None:
        # What of the gradient leaves the space of the columns of U.
        left = u @ inner + (grad_u - u @ of_u) / s.unsqueeze(-2)
    else:
        left = u @ inner
    result = left @ vh
    if n > k and of_v is not None:
        result = result + u @ ((grad_vh - of_v.mH @ vh) / s.unsqueeze(-1))
    return result


def _check_driver(driver: str | None, name: str) -> None:
    if driver is not None:
        raise RuntimeError(
            f"{name}: keyword argument `driver=` is only supported on CUDA inputs with cuSOLVER backend."
        )


@operator("linalg_svd", "U S Vh")
def svd(A: Tensor, full_matrices: bool = True, *, driver: str | None = None, out: Any = None) -> Any:
    """(U, S, Vh) with A = U diag(S) Vh, S descending; with full_matrices=False, U and Vh have min(m, n) vectors."""
    check.matrix_floating(A, "linalg.svd", "linalg_svd_cpu")
    _check_driver(driver, "torch.linalg.svd")
    return _Svd.apply(A, full_matrices)


@operator("linalg_svdvals")
def svdvals(A: Tensor, *, driver: str | None = None, out: Any = None) -> Tensor:
    """The singular values, descending.

    >>> svdvals(torch.tensor([[3.0, 0.0], [0.0, -4.0], [0.0, 0.0]]))
    tensor([4., 3.])
    """
    check.matrix_floating(A, "linalg.svd", "linalg_svd_cpu")
    _check_driver(driver, "torch.linalg.svd")
    if _C.is_grad_enabled() and A.requires_grad:
        return _Svd.apply(A, False)[1]
    values = array(A)
    if 0 in values.shape[-2:]:
        return tensor(_svd(values, False)[1], A)
    _finite(values, "linalg.svd")
    return tensor(np.linalg.svd(values, compute_uv=False), A)


# ---- QR ----


@node("LinalgQrBackward0")
class _Qr(Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, mode: str) -> tuple[Tensor, Tensor]:
        values = array(a)
        if mode == "r":
            q, r = np.zeros(0, values.dtype), np.linalg.qr(values, mode="r")
        else:
            q, r = np.linalg.qr(values, mode=mode)
            q = column_major(q)
        q, r = tensor(q, a, a.dtype), tensor(column_major(r), a, a.dtype)
        ctx.mode, ctx.tall = mode, a.shape[-2] > a.shape[-1]
        ctx.save_for_backward(q, r)
        return q, r

    @staticmethod
    def backward(ctx: Any, grad_q: Tensor | None, grad_r: Tensor | None) -> Any:
        if ctx.mode == "r":
            raise RuntimeError(
                "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use "
                "linalg.qr(A, mode='reduced') if you are going to require gradients"
            )
        if ctx.mode == "complete" and ctx.tall:
            raise RuntimeError("The QR decomposition is not differentiable when mode='complete' and nrows > ncols")
        return _qr_backward(*ctx.saved_tensors, grad_q, grad_r), None


def _qr_backward(q: Tensor, r: Tensor, grad_q: Tensor | None, grad_r: Tensor | None) -> Tensor | None:
    if grad_q is None and grad_r is None:
        return None
    k, n = r.shape[-2:]
    if k < n:
        # A = [X | Y] = Q [R1 | R2]: Y = Q R2 tells of Q as well.
        grad_q = _C.zeros_like(q) if grad_q is None else grad_q
        grad_r = _C.zeros_like(r) if grad_r is None else grad_r
        first, second = grad_r[..., :k], grad_r[..., k:]
        grad_x = _qr_backward(q, r[..., :k], grad_q + (q @ r[..., k:]) @ second.mH, first)
        return _C.cat([grad_x, q @ second], -1)
    inner = None
    if grad_r is not None:
        inner = grad_r @ r.mH
    if grad_q is not None:
        part = q.mH @ grad_q
        inner = -part if inner is None else inner - part
    inner = symmetrized(scaled_diagonal(inner.triu(), 0.5))
    result = q @ inner
    if grad_q is not None:
        result = result + grad_q
    return solve_triangular(r.mH, result, upper=False, left=False)


@operator("linalg_qr", "Q R")
def qr(A: Tensor, mode: str = "reduced", *, out: Any = None) -> Any:
    """(Q, R) with A = Q R, Q orthonormal, R upper triangular.

    mode: "reduced" (Q has min(m, n) columns), "complete" (m columns), "r" (Q is empty).
    """
    check.matrix_floating(A, "linalg.qr", "geqrf_cpu")
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'"
        )
    return _Qr.apply(A, mode)


# ---- LU ----


@node("LinalgLuFactorExBackward0")
class _LuFactor(Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, pivot: bool) -> tuple[Tensor, Tensor, Tensor]:
        factors, pivots, info = _lapack.lu(array(a), pivot)
        result = tensor(column_major(factors), a, a.dtype), tensor(pivots, a), tensor(info, a)
        ctx.save_for_backward(*result[:2])
        ctx.mark_non_differentiable(*result[1:])
        return result

    @staticmethod
    def backward(ctx: Any, grad: Tensor | None, *_: Any) -> Any:
        if grad is None:
            return None, None
        lu, pivots = ctx.saved_tensors
        p, l, u = unpack(lu, pivots)
        k = min(lu.shape[-2:])
        return lu_backward(p, l, u, grad[..., :k].tril(-1), grad[..., :k, :].triu()), None


def lu_backward(p: Tensor | None, l: Tensor, u: Tensor, grad_l: Tensor | None, grad_u: Tensor | None) -> Tensor:
    """The gradient of A = P L U."""
    m, k, n = l.shape[-2], l.shape[-1], u.shape[-1]
    grad_l = _C.zeros_like(l) if grad_l is None else grad_l
    grad_u = _C.zeros_like(u) if grad_u is None else grad_u
    l1, u1 = l[..., :k, :], u[..., :k]
    below = right = None
    grad_l1, grad_u1 = grad_l[..., :k, :], grad_u[..., :k]
    if m > k:  # the rows below: L2 = A2 U^-1
        below = solve_triangular(u1.mH, grad_l[..., k:, :], upper=False, left=False)
        grad_u1 = grad_u1 - l[..., k:, :].mH @ below
    if n > k:  # the columns to the right: U2 = L^-1 A2
        right = solve_triangular(l1.mH, grad_u[..., k:], upper=True, unitriangular=True)
        grad_l1 = grad_l1 - right @ u[..., k:].mH
    inner = (l1.mH @ grad_l1).tril(-1) + (grad_u1 @ u1.mH).triu()
    inner = solve_triangular(l1.mH, inner, upper=True, unitriangular=True)
    result = solve_triangular(u1.mH, inner, upper=False, left=False)
    if below is not None:
        result = _C.cat([result, below], -2)
    if right is not None:
        result = _C.cat([result, right], -1)
    return result if p is None else p @ result


def permutation(pivots: Tensor, m: int, dtype: Any) -> Tensor:
    """The matrix P of A = P L U."""
    rows = tensor(_lapack.permutation(array(pivots), m), pivots)
    return _C.eye(m, dtype=dtype, device=pivots.device)[rows].mT.contiguous()


def unpack(lu: Tensor, pivots: Tensor | None) -> tuple[Tensor | None, Tensor, Tensor]:
    """(P, L, U) of what `lu_factor` gives."""
    m, n = lu.shape[-2:]
    k = min(m, n)
    lower = lu[..., :k].tril(-1) + _C.eye(m, k, dtype=lu.dtype, device=lu.device)
    p = None if pivots is None else permutation(pivots, m, lu.dtype)
    return p, lower.contiguous(), lu[..., :k, :].triu().contiguous()


def _zero_pivot(k: int) -> str:
    return (
        f"U[{k},{k}] is zero and using it on lu_solve would result in a division by zero. If you still want to "
        "perform the factorization, consider calling linalg.lu(A, pivot) or linalg.lu_factor_ex(A, pivot)"
    )


@operator("linalg_lu_factor_ex", "LU pivots info")
def lu_factor_ex(A: Tensor, *, pivot: bool = True, check_errors: bool = False, out: Any = None) -> Any:
    """(LU, pivots, info): as `lu_factor`; info is 0, or the number of the first pivot that is zero, counted from 1."""
    check.matrix_floating(A, "torch.lu_factor", "lu_cpu")
    lu, pivots, info = _LuFactor.apply(A, pivot)
    if check_errors:
        raise_for(info, "torch.linalg.lu_factor_ex", _zero_pivot, RuntimeError)
    return lu, pivots, info


@operator("linalg_lu_factor", "LU pivots")
def lu_factor(A: Tensor, *, pivot: bool = True, out: Any = None) -> Any:
    """(LU, pivots) of A = P L U: both factors in one matrix, and the rows that changed places, counted from 1."""
    check.matrix_floating(A, "torch.lu_factor", "lu_cpu")
    lu, pivots, info = _LuFactor.apply(A, pivot)
    raise_for(info, "torch.linalg.lu_factor", _zero_pivot, RuntimeError)
    return lu, pivots


@node("LinalgLuBackward0")
class _Lu(Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, pivot: bool) -> tuple[Tensor, Tensor, Tensor]:
        factors, pivots, _ = _lapack.lu(array(a), pivot)
        p, l, u = unpack(tensor(factors, a), tensor(pivots, a) if pivot else None)
        ctx.pivot = pivot
        p = _C.empty(0, dtype=a.dtype, device=a.device) if p is None else p
        ctx.save_for_backward(p, l, u)
        ctx.mark_non_differentiable(p)
        return p, l, u

    @staticmethod
    def backward(ctx: Any, _: Any, grad_l: Tensor | None, grad_u: Tensor | None) -> Any:
        if grad_l is None and grad_u is None:
            return None, None
        p, l, u = ctx.saved_tensors
        grad_l = None if grad_l is None else grad_l.tril(-1)
        grad_u = None if grad_u is None else grad_u.triu()
        return lu_backward(p if ctx.pivot else None, l, u, grad_l, grad_u), None


@operator("linalg_lu", "P L U")
def lu(A: Tensor, *, pivot: bool = True, out: Any = None) -> Any:
    """(P, L, U) with A = P L U: a permutation, unit lower and upper triangular. Without pivots P is empty."""
    check.matrix_floating(A, "linalg.lu", "lu_cpu")
    return _Lu.apply(A, pivot)


# ---- LDL ----


@operator("linalg_ldl_factor_ex", "LD pivots info")
def ldl_factor_ex(A: Tensor, *, hermitian: bool = False, check_errors: bool = False, out: Any = None) -> Any:
    """(LD, pivots, info): as `ldl_factor`; info is 0, or the number of the first zero block of D, counted from 1."""
    check.square_floating(A, "torch.linalg.ldl_factor_ex", "ldl_factor_kernel_cpu")
    values = array(A)
    ld, pivots = np.zeros_like(values), np.zeros(values.shape[:-1], np.int32)
    info = np.zeros(values.shape[:-2], np.int32)
    for i in np.ndindex(info.shape):
        ld[i], pivots[i], info[i] = _lapack.ldl(values[i], hermitian and np.iscomplexobj(values))
    info = tensor(info, A)
    if check_errors:
        raise_for(info, "torch.linalg.ldl_factor_ex", lambda k: f"The factor D has a zero block {k}.")
    return tensor(column_major(ld), A), tensor(pivots, A), info


@operator("linalg_ldl_factor", "LD pivots")
def ldl_factor(A: Tensor, *, hermitian: bool = False, out: Any = None) -> Any:
    """(LD, pivots) of A = L D L^T (L^H if hermitian): both factors in one matrix, D of blocks of one or two rows."""
    ld, pivots, info = ldl_factor_ex(A, hermitian=hermitian)
    raise_for(
        info,
        "torch.linalg.ldl_factor",
        lambda k: f"ldl_factor_ex: Factorization was completed but block {k} of D is singular.",
    )
    return ld, pivots


# ---- reflectors ----


def reflect(vectors: Tensor, tau: Tensor, x: Tensor, adjoint: bool = False) -> Tensor:
    """H1 H2 ... Hk x, of the reflectors I - tau v v^H whose vectors stand below the diagonal; or the adjoint's."""
    k = tau.shape[-1]
    order = range(k) if adjoint else reversed(range(k))
    unit = vectors[..., :k].tril(-1) + _C.eye(vectors.shape[-2], k, dtype=vectors.dtype, device=vectors.device)
    for i in order:
        v, t = unit[..., i : i + 1], tau[..., i, None, None]
        x = x - (t.conj() if adjoint else t) * v @ (v.mH @ x)
    return x


@operator("linalg_householder_product")
def householder_product(A: Tensor, tau: Tensor, *, out: Any = None) -> Tensor:
    """The first n columns (m, n) of a product of Householder reflectors, as `geqrf` gives them."""
    check.matrix(A, "torch.linalg.householder_product", "input")
    m, n = A.shape[-2:]
    name = "torch.linalg.householder_product"
    if m < n:
        raise RuntimeError(f"{name}: input.shape[-2] must be greater than or equal to input.shape[-1]")
    if n < tau.shape[-1]:
        raise RuntimeError(f"{name}: input.shape[-1] must be greater than or equal to tau.shape[-1]")
    if A.dim() - tau.dim() != 1:
        raise RuntimeError(
            f"{name}: Expected tau to have one dimension less than input, but got tau.ndim equal to {tau.dim()} and "
            f"input.ndim is equal to {A.dim()}"
        )
    if A.shape[:-2] != tau.shape[:-1]:
        raise RuntimeError(
            f"{name}: Expected batch dimensions of tau to be equal to input.shape[:-2], but got {tuple(tau.shape[:-1])}"
        )
    if A.dtype != tau.dtype:
        raise RuntimeError(f"{name}: tau dtype {tau.dtype} does not match input dtype {A.dtype}")
    eye = _C.eye(m, n, dtype=A.dtype, device=A.device).expand(*A.shape)
    if tau.numel() == 0:
        return _NoReflectors.apply(A, eye)
    return _HouseholderProduct.apply(reflect(A, tau, eye))


@node("LinalgHouseholderProductBackward0")
class _HouseholderProduct(ColumnMajor):
    pass


@node("LinalgHouseholderProductBackward0")
class _NoReflectors(Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, eye: Tensor) -> Tensor:
        return tensor(column_major(array(eye)), eye)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return None, None
