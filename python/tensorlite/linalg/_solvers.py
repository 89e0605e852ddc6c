"""Inverses, linear systems, determinants and least squares over NumPy, with their gradients."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import _C
from .._numpy_operator import array, column_major, node, operator, tensor
from ..autograd import Function
from . import _checks as check
from . import _decompositions as decompositions
from . import _lapack
from ._checks import raise_for
from ._triangular import solve_triangular

Tensor = _C.Tensor


# ---- inverse ----


# Up to this order systems are solved without NumPy's LAPACK, which fuses multiply and add: the small matrices of books
# come out as PyTorch shows them, `2.` and not `2.0000`.
_SMALL = 4


def _inverse(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(inverses, info); the inverse of a singular matrix holds infinities and NaNs."""
    n = values.shape[-1]
    if n > _SMALL:
        try:
            return np.linalg.inv(values), np.zeros(values.shape[:-2], np.int32)
        except np.linalg.LinAlgError:
            pass
    return _lu_inverse(values, np.broadcast_to(np.eye(n, dtype=values.dtype), values.shape))


def _lu_inverse(values: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(A^-1 B, info); does not raise for a singular matrix of a stack."""
    lu, pivots, info = _lapack.lu(values)
    rows = _lapack.permutation(pivots, values.shape[-1])
    x = np.take_along_axis(b, rows[..., None], -2)
    x = _lapack.triangular(lu, x, upper=False, unit=True)
    return _lapack.triangular(lu, x, upper=True, unit=False), info


@node("LinalgInvExBackward0")
class _Inv(Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor) -> tuple[Tensor, Tensor]:
        inverse, info = _inverse(array(a))
        inverse, info = tensor(column_major(inverse), a, a.dtype), tensor(info, a)
        ctx.save_for_backward(inverse)
        ctx.mark_non_differentiable(info)
        return inverse, info

    @staticmethod
    def backward(ctx: Any, grad: Tensor | None, _: Any) -> Any:
        if grad is None:
            return None
        (inverse,) = ctx.saved_tensors
        return -(inverse.mH @ (grad @ inverse.mH))


def _zero_diagonal(k: int) -> str:
    return (
        f"The diagonal element {k} is zero, the inversion could not be completed because the input matrix is singular."
    )


@operator("linalg_inv_ex", "inverse info")
def inv_ex(A: Tensor, *, check_errors: bool = False, out: Any = None) -> Any:
    """(inverse, info); info is 0, or the number of the first pivot that is zero, counted from 1."""
    check.square_floating(A, "linalg.inv")
    inverse, info = _Inv.apply(A)
    if check_errors:
        raise_for(info, "linalg.inv_ex", _zero_diagonal)
    return inverse, info


@operator("linalg_inv")
def inv(A: Tensor, *, out: Any = None) -> Tensor:
    """The inverse of square matrices; LinAlgError for a singular one.

    >>> inv(torch.tensor([[2.0, 0.0], [1.0, 4.0]]))
    tensor([[ 0.5000,  0.0000],
            [-0.1250,  0.2500]])
    """
    check.square_floating(A, "linalg.inv")
    inverse, info = _Inv.apply(A)
    raise_for(info, "linalg.inv", _zero_diagonal)
    return inverse


# ---- A X = B ----


@node("LinalgSolveExBackward0")
class _Solve(Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, left: bool, vector: bool = False) -> tuple[Tensor, Tensor]:
        x, y = array(a), array(b)
        if vector:
            y = y[..., None]
        if not left:
            x, y = x.swapaxes(-2, -1), y.swapaxes(-2, -1)
        batch = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
        result = None
        if x.shape[-1] > _SMALL:
            try:
                result, info = np.linalg.solve(x, y), np.zeros(x.shape[:-2], np.int32)
            except np.linalg.LinAlgError:
                pass
        if result is None:
            x = np.broadcast_to(x, (*batch, *x.shape[-2:]))
            result, info = _lu_inverse(x, np.broadcast_to(y, (*batch, *y.shape[-2:])))
            if tuple(batch) != tuple(a.shape[:-2]):
                info = _lapack.lu(array(a))[2]
        if vector:
            result = result[..., 0]
        if result.ndim > 1:
            result = column_major(result)
        result, info = tensor(result if left else result.swapaxes(-2, -1), a, b.dtype), tensor(info, a)
        ctx.left, ctx.vector = left, vector
        ctx.save_for_backward(a, result)
        ctx.mark_non_differentiable(info)
        return result, info

    @staticmethod
    def backward(ctx: Any, grad: Tensor | None, _: Any) -> Any:
        if grad is None:
            return None, None, None, None
        a, x = ctx.saved_tensors
        grad_b, _ = _Solve.apply(a.mH, grad, ctx.left, ctx.vector)
        grad_a = None
        if ctx.needs_input_grad[0]:
            if ctx.vector:
                grad_a = -(grad_b.unsqueeze(-1) * x.unsqueeze(-2).conj())
            else:
                grad_a = -(grad_b @ x.mH if ctx.left else x.mH @ grad_b)
        return grad_a, grad_b if ctx.needs_input_grad[1] else None, None, None


def _solve(A: Tensor, B: Tensor, left: bool) -> tuple[Tensor, Tensor]:
    check.square_floating(A, "linalg.solve", "lu_cpu")
    check.same_dtype("linalg.solve", A, B)
    vector = check.is_vector(A, B)
    if vector and not left:
        raise RuntimeError(
            "linalg.solve: Vector broadcasting of the left hand side is not supported for left=False. In this case "
            "linalg.solve is equivalent to B / A.squeeze(-1)"
        )
    right = B.unsqueeze(-1) if vector else B
    check.matrix(right, "linalg.solve", "B")
    check.fits("linalg.solve", A, right, left)
    return _Solve.apply(A, B, left, vector)


def _unsolvable(_: int) -> str:
    return "The solver failed because the input matrix is singular."


@operator("linalg_solve_ex", "result info")
def solve_ex(A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False, out: Any = None) -> Any:
    """(X, info); info is 0, or the number of the first pivot that is zero, counted from 1."""
    x, info = _solve(A, B, left)
    if check_errors:
        raise_for(info, "torch.linalg.solve_ex", _unsolvable)
    return x, info


@operator("linalg_solve")
def solve(A: Tensor, B: Tensor, *, left: bool = True, out: Any = None) -> Tensor:
    """X of A X = B, or X A = B with left=False; B is a matrix, a vector, or a stack of either.

    >>> solve(torch.tensor([[2.0, 0.0], [1.0, 4.0]]), torch.tensor([2.0, 9.0]))
    tensor([1., 2.])
    """
    x, info = _solve(A, B, left)
    raise_for(info, "torch.linalg.solve", _unsolvable)
    return x


@operator("linalg_lu_solve")
def lu_solve(
    LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False, out: Any = None
) -> Tensor:
    """X of A X = B (X A = B with left=False; A^H in A's place with adjoint=True) where `lu_factor(A)` is given."""
    name = "torch.linalg.lu_solve"
    check.floating(LU, name)
    check.same_dtype("linalg.lu_solve", LU, B, ("LU", "B"))
    if pivots.dtype != _C.int32:
        raise RuntimeError(f"{name}: pivots should be a Tensor of scalar type torch.int32")
    check.square(LU, name, "LU")
    check.matrix(B, name, "B")
    check.fits("linalg.lu_solve", LU, B, left)
    if tuple(LU.shape[:-1]) != tuple(pivots.shape):
        raise RuntimeError(f"{name}: Number of pivots per batch should be same as the dimension of the matrix")
    p = decompositions.permutation(pivots, LU.shape[-1], LU.dtype)
    # X A = B is A^H X^H = B^H.
    x = B if left else B.mH
    if left != adjoint:
        x = solve_triangular(LU, p.mT @ x, upper=False, unitriangular=True)
        x = solve_triangular(LU, x, upper=True)
    else:
        x = solve_triangular(LU.mH, x, upper=False)
        x = p @ solve_triangular(LU.mH, x, upper=True, unitriangular=True)
    return _LuSolve.apply(x, left)


@node("LinalgLuSolveBackward0")
class _LuSolve(Function):
    """The result in its order of memory: column-major, or the adjoint of that."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, left: bool) -> Tensor:
        ctx.left = left
        values = column_major(array(x).copy())
        return tensor(values if left else values.swapaxes(-2, -1).conj(), x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return grad if ctx.left else grad.mH, None


@operator("linalg_ldl_solve")
def ldl_solve(LD: Tensor, pivots: Tensor, B: Tensor, *, hermitian: bool = False, out: Any = None) -> Tensor:
    """X of A X = B where `ldl_factor(A)` is given."""
    check.square_floating(LD, "torch.linalg.ldl_solve", "ldl_solve_kernel_cpu")
    check.fits("torch.linalg.ldl_solve", LD, B, True)
    ld, pivots, b = array(LD), array(pivots), array(B)
    batch = np.broadcast_shapes(ld.shape[:-2], b.shape[:-2])
    ld, pivots = (np.broadcast_to(x, (*batch, *x.shape[-k:])) for x, k in ((ld, 2), (pivots, 1)))
    b = np.broadcast_to(b, (*batch, *b.shape[-2:]))
    x = np.zeros(b.shape, b.dtype)
    for i in np.ndindex(batch):
        x[i] = _lapack.ldl_solve(ld[i], pivots[i], b[i], hermitian and np.iscomplexobj(ld))
    return tensor(column_major(x), LD)


# ---- determinant ----


def _determinant(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(determinants, their signs, logarithms of their sizes)"""
    with np.errstate(all="ignore"):
        if values.shape[-1] > 16:
            wide = values.astype(np.complex128 if np.iscomplexobj(values) else np.float64, copy=False)
            sign, log = np.linalg.slogdet(wide)
            return sign * np.exp(log), sign, log
        # NumPy takes the determinant from its logarithm; the product of the pivots is exact for small integers. As in
        # PyTorch they are those of the transposed matrix, which lies in LAPACK's order.
        real = values.flags.c_contiguous and not np.iscomplexobj(values)
        lu, pivots, _ = _lapack.lu(values.swapaxes(-2, -1) if real else values)
        odd = (pivots != np.arange(1, pivots.shape[-1] + 1)).sum(-1) % 2
        parity = np.where(odd, -1, 1).astype(values.real.dtype)
        diagonal = lu.diagonal(0, -2, -1)
        size = abs(diagonal)
        unit = diagonal / np.where(size == 0, 1, size) if np.iscomplexobj(diagonal) else np.sign(diagonal)
        return diagonal.prod(-1) * parity, unit.prod(-1) * parity, np.log(size).sum(-1)


def _others(s: Tensor) -> Tensor:
    """For each number the product of the others, zeros among them or not."""
    one = _C.ones_like(s[..., :1])
    before = _C.cat([one, s[..., :-1]], -1).cumprod(-1)
    after = _C.cat([one, s[..., 1:].flip(-1)], -1).cumprod(-1).flip(-1)
    return before * after


@node("LinalgDetBackward0")
class _Det(Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor) -> Tensor:
        result = tensor(_determinant(array(a))[0], a, a.dtype)
        ctx.save_for_backward(a, result)
        return result

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        a, result = ctx.saved_tensors
        if not a.numel():
            return _C.zeros_like(a)
        # The gradient is the adjugate: det A^-1 where A is regular; else from A = U S V^H.
        size = result.detach().abs()
        if bool((size >= 100 * _eps(a.dtype)).all()):
            return _det_regular(a, result, grad)
        regular = size >= 100 * _eps(a.dtype)
        u, s, vh = decompositions.svd(a)
        factor = (_Det.apply(u) * _Det.apply(vh)).conj() * grad
        singular = (u * (factor.unsqueeze(-1) * _others(s)).unsqueeze(-2)) @ vh
        if not bool(regular.any()):
            return singular
        mask = regular[..., None, None]
        eye = _C.eye(a.shape[-1], dtype=a.dtype, device=a.device)
        safe = _C.where(mask, a, eye)
        return _C.where(mask, _det_regular(safe, result, grad), singular)


def _det_regular(a: Tensor, det: Tensor, grad: Tensor) -> Tensor:
    return _Inv.apply(a)[0].mH * (grad * det.conj())[..., None, None]


def _eps(dtype: Any) -> float:
    return 2.0**-23 if dtype in (_C.float32, _C.complex64) else 2.0**-52


@operator("linalg_det")
def det(A: Tensor, *, out: Any = None) -> Tensor:
    """The determinant of square matrices.

    >>> det(torch.tensor([[2.0, 2.0], [1.0, 4.0]]))
    tensor(6.)
    """
    check.square_floating(A, "linalg.det", "lu_cpu")
    return _Det.apply(A)


@node("LinalgSlogdetBackward0")
class _Slogdet(Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor) -> tuple[Tensor, Tensor]:
        _, sign, log = _determinant(array(a))
        sign = tensor(sign, a, a.dtype)
        log = tensor(log, a, _C.real(sign).dtype if a.is_complex() else a.dtype)
        ctx.save_for_backward(a, sign)
        return sign, log

    @staticmethod
    def backward(ctx: Any, grad_sign: Tensor | None, grad_log: Tensor | None) -> Any:
        a, sign = ctx.saved_tensors
        of_trace = grad_log
        if a.is_complex() and grad_sign is not None:
            turn = -_C.imag(grad_sign.conj() * sign)
            of_trace = _C.complex(_C.zeros_like(turn) if grad_log is None else grad_log, turn)
        if of_trace is None:
            return _C.zeros_like(a)
        return _Inv.apply(a)[0].mH * of_trace[..., None, None]


@operator("linalg_slogdet", "sign logabsdet")
def slogdet(A: Tensor, *, out: Any = None) -> Any:
    """(sign, logabsdet): the determinant is sign * exp(logabsdet)."""
    check.square_floating(A, "linalg.slogdet")
    return _Slogdet.apply(A)


# ---- pseudoinverse, rank, least squares ----


def _tolerance(name: str, value: Any, like: Tensor, what: str) -> Any:
    """A tolerance as a tensor that broadcasts against the singular values' batch."""
    if isinstance(value, Tensor):
        if value.is_complex():
            raise RuntimeError(f"torch.linalg.{name}: {what} tensor of complex type is not supported.")
        return value.to(like.dtype)
    return _C._tensor_from(float(value), like.dtype).to(like.device)


def cutoff(name: str, A: Tensor, largest: Tensor, atol: Any, rtol: Any) -> Tensor:
    """What counts as zero among singular values: max(atol, rtol * largest)."""
    if rtol is None:
        default = _eps(A.dtype) * max(A.shape[-2:])
        given = _C.zeros_like(largest) if atol is None else _tolerance(name, atol, largest, "atol")
        rtol = _C.where(given > 0, _C.zeros_like(given), _C.full_like(given, default))
    else:
        rtol = _tolerance(name, rtol, largest, "rtol")
    atol = _C.zeros_like(largest) if atol is None else _tolerance(name, atol, largest, "atol")
    return _C.maximum(atol, rtol * largest)


@node("LinalgPinvBackward0")
class _Pinv(Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, atol: Any, rtol: Any, hermitian: bool) -> Tensor:
        if a.numel() == 0:
            result = _C.empty(*a.shape[:-2], a.shape[-1], a.shape[-2], dtype=a.dtype, device=a.device)
        elif hermitian:
            s, u = decompositions.eigh(a.detach())
            size = s.abs()
            tol = cutoff("pinv", a, size.amax(-1), atol, rtol).unsqueeze(-1)
            inverse = _C.where(size > tol, s.reciprocal(), _C.zeros_like(s))
            result = (u * inverse.unsqueeze(-2)) @ u.mH
        else:
            u, s, vh = decompositions.svd(a.detach(), full_matrices=False)
            tol = cutoff("pinv", a, s[..., 0], atol, rtol).unsqueeze(-1)
            inverse = _C.where(s > tol, s.reciprocal(), _C.zeros_like(s))
            result = (vh.mH * inverse.unsqueeze(-2)) @ u.mH
        result = result.contiguous()
        ctx.save_for_backward(a, result)
        return result

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        a, p = ctx.saved_tensors
        return pinv_backward(grad, a, p), None, None, None


def pinv_backward(grad: Tensor, a: Tensor, p: Tensor) -> Tensor:
    """Golub and Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems" (1973)."""
    ph, gh = p.mH, grad.mH
    result = -(ph @ grad) @ ph
    outer = gh @ (p @ ph)
    result = result + outer - a @ (p @ outer)
    outer = (ph @ p) @ gh
    return result + outer - (outer @ p) @ a


@operator("linalg_pinv")
def pinv(
    A: Tensor, rcond: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None, out: Any = None
) -> Tensor:
    """The Moore-Penrose pseudoinverse; singular values up to max(atol, rtol * the largest) count as zero."""
    if A.dim() < 2 or not (A.is_floating_point() or A.is_complex()):
        raise RuntimeError(
            f"linalg.pinv({check.type_name(A.dtype)}{{{list(A.shape)}}}): expected a tensor with 2 or more dimensions "
            "of float, double, cfloat or cdouble types"
        )
    if hermitian:
        check.square(A, "linalg.pinv")
    return _Pinv.apply(A, atol, rcond if rtol is None else rtol, hermitian)


@operator("linalg_matrix_rank")
def matrix_rank(
    A: Tensor, tol: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None, out: Any = None
) -> Tensor:
    """The number of singular values above max(atol, rtol * the largest).

    >>> matrix_rank(torch.tensor([[1.0, 2.0], [2.0, 4.0]]))
    tensor(1)
    """
    check.matrix_floating(A, "linalg.matrix_rank")
    with _no_grad():
        A = A.detach()
        if tol is not None:
            atol, rtol = tol, 0.0
        if A.numel() == 0:
            return _C.zeros(A.shape[:-2], dtype=_C.int64, device=A.device)
        s = decompositions.eigvalsh(A).abs() if hermitian else decompositions.svdvals(A)
        limit = cutoff("matrix_rank", A, s.amax(-1), atol, rtol)
        return (s > limit.unsqueeze(-1)).sum(-1)


def _no_grad() -> Any:
    from ..autograd import no_grad

    return no_grad()


@node("LinalgLstsqBackward0")
class _Lstsq(Function):
    """The solution with the least norm; the same for every driver where A has full rank."""

    @staticmethod
    def forward(
        ctx: Any, a: Tensor, b: Tensor, rcond: float, vector: bool, want_residuals: bool
    ) -> tuple[Tensor, ...]:
        x, y = array(a), array(b)
        y = y[..., None] if vector else y
        u, s, vh = decompositions._svd(x, False)
        largest = s[..., :1] if s.shape[-1] else np.zeros((*s.shape[:-1], 1), s.dtype)
        kept = s > rcond * largest
        with np.errstate(divide="ignore"):
            inverse = np.where(kept, 1 / s, 0).astype(s.dtype)
        adjoint = lambda m: m.swapaxes(-2, -1).conj()
        result = adjoint(vh) @ (inverse[..., None] * (adjoint(u) @ y))
        m, n = x.shape[-2:]
        # LAPACK writes the solution over B: the columns keep its height.
        full = np.zeros((*result.shape[:-2], result.shape[-1], max(m, n)), y.dtype)
        full[..., :n] = result.swapaxes(-2, -1)
        full = full.swapaxes(-2, -1)[..., :n, 0] if vector else full.swapaxes(-2, -1)[..., :n, :]
        error = (x @ result - y) if want_residuals and m > n and (kept.sum(-1) == n).all() else None
        residuals = np.zeros(0, s.dtype) if error is None else (error * error.conj()).real.sum(-2)
        residuals = residuals[..., 0] if vector and error is not None else residuals
        result, residuals = tensor(full, a), tensor(residuals, a)
        ctx.residuals, ctx.vector = error is not None, vector
        ctx.save_for_backward(a, b, result)
        rank, s = tensor(kept.sum(-1).astype(np.int64), a), tensor(s, a)
        ctx.mark_non_differentiable(rank, s)
        return result, residuals, rank, s

    @staticmethod
    def backward(ctx: Any, grad: Tensor | None, of_residuals: Tensor | None, *_: Any) -> Any:
        a, b, x = ctx.saved_tensors
        if ctx.vector:
            b, x = b.unsqueeze(-1), x.unsqueeze(-1)
            grad, of_residuals = (
                g if g is None or not g.numel() else g.unsqueeze(-1) for g in (grad, of_residuals)
            )
        grad_a, grad_b = [], []
        if grad is not None:
            p = pinv(a)
            grad_a.append(pinv_backward(grad @ b.mH, a, p))
            grad_b.append(p.mH @ grad)
        if of_residuals is not None and ctx.residuals:
            # X is where they are least: only A and B themselves count.
            error = 2 * of_residuals.unsqueeze(-2) * (a @ x - b)
            grad_a.append(error @ x.mH)
            grad_b.append(-error)
        grad_b = sum(grad_b) if grad_b else None
        if grad_b is not None and ctx.vector:
            grad_b = grad_b.squeeze(-1)
        return sum(grad_a) if grad_a else None, grad_b, None, None, None


@operator("linalg_lstsq", "solution residuals rank singular_values")
def lstsq(A: Tensor, B: Tensor, rcond: float | None = None, *, driver: str | None = None, out: Any = None) -> Any:
    """(solution, residuals, rank, singular_values): X with the least ||A X - B||.

    driver: "gelsy" (the default), "gels" (A has full rank), "gelsd", "gelss" (with the singular values). Residuals, the
    squared errors of each column, are there when A has full rank and more rows than columns, not with "gelsy".
    """
    name = "torch.linalg.lstsq"
    if A.dim() < 2:
        raise RuntimeError(f"{name}: input must have at least 2 dimensions.")
    if B.dim() < 1:
        raise RuntimeError(f"{name}: other must have at least 1 dimension.")
    check.floating(A, name, "linalg_cpu")
    if A.dtype != B.dtype:
        raise RuntimeError(
            f"{name}: Expected input and other to have the same dtype, but got input's dtype "
            f"{check.type_name(A.dtype)} and other's dtype {check.type_name(B.dtype)}"
        )
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        raise RuntimeError(f"{name}: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)")
    if not 0 <= A.dim() - B.dim() <= 1:
        raise RuntimeError(
            f"{name}: input.dim() must be greater or equal to other.dim() and (input.dim() - other.dim()) <= 1"
        )
    vector = check.is_vector(A, B)
    right = B.unsqueeze(-1) if vector else B
    if A.shape[-2] != right.shape[-2]:
        which = "-1" if vector else "-2"
        raise RuntimeError(f"{name}: input.size(-2) should match other.size({which})")
    m, n = A.shape[-2:]
    rcond = _eps(A.dtype) * max(m, n) if rcond is None else rcond
    x, residuals, rank, s = _Lstsq.apply(A, B, rcond, vector, driver in ("gels", "gelsd", "gelss"))
    if driver == "gels":
        rank = _C.empty(0, dtype=_C.int64, device=A.device)
    if driver not in ("gelsd", "gelss"):
        s = _C.empty(0, dtype=s.dtype, device=A.device)
    return x, residuals, rank, s


# ---- tensors as matrices ----


@operator("linalg_tensorinv", keep_strides=False)
def tensorinv(A: Tensor, ind: int = 2, *, out: Any = None) -> Tensor:
    """The inverse of A taken as a matrix of its first `ind` dims by the others."""
    if ind <= 0:
        raise RuntimeError(f"Expected a strictly positive integer for 'ind', but got {ind}")
    head, tail = list(A.shape[:ind]), list(A.shape[ind:])
    m, n = math.prod(head), math.prod(tail)
    if m != n:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but got "
            f"{n} != {m}"
        )
    return inv(A.reshape(m, n)).reshape(tail + head)


@operator("linalg_tensorsolve")
def tensorsolve(A: Tensor, B: Tensor, dims: Any = None, *, out: Any = None) -> Tensor:
    """X of tensordot(A, X, X.ndim) = B, with the `dims` of A moved to its end first."""
    if dims is not None:
        A = A.movedim(list(dims), list(range(A.dim() - len(dims), A.dim())))
    tail = list(A.shape[B.dim() :])
    m, n = B.numel(), math.prod(tail)
    if m != n:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == prod(self.shape[:other.ndim]), "
            f"but got {n} != {m}"
        )
    return solve(A.reshape(m, n), B.flatten()).reshape(tail)
