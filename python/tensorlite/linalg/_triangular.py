"""Triangular systems, on which the gradients of the decompositions rest."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _C
from .._numpy_operator import array, column_major, node, operator, tensor
from ..autograd import Function
from . import _checks as check
from . import _lapack

Tensor = _C.Tensor


@node("LinalgSolveTriangularBackward0")
class _SolveTriangular(Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, upper: bool, left: bool, unit: bool) -> Tensor:
        x, y = array(a), array(b)
        if left:
            result = _lapack.triangular(x, y, upper, unit)
        else:
            result = _lapack.triangular(x.swapaxes(-2, -1), y.swapaxes(-2, -1), not upper, unit).swapaxes(-2, -1)
        result = tensor(column_major(np.asarray(result)), a, b.dtype)
        ctx.flags = upper, left, unit
        ctx.save_for_backward(a, result)
        return result

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        a, x = ctx.saved_tensors
        upper, left, unit = ctx.flags
        if grad is None:
            return (None,) * 5
        grad_b = _SolveTriangular.apply(a.mH, grad, not upper, left, unit)
        grad_a = None
        if ctx.needs_input_grad[0]:
            grad_a = -(grad_b @ x.mH if left else x.mH @ grad_b)
            grad_a = grad_a.triu(int(unit)) if upper else grad_a.tril(-int(unit))
        return grad_a, grad_b if ctx.needs_input_grad[1] else None, None, None, None


@operator("linalg_solve_triangular")
def solve_triangular(
    A: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False, out: Any = None
) -> Tensor:
    """X of A X = B, or X A = B with left=False, where A is triangular; the other triangle is not read."""
    check.same_dtype("linalg.solve_triangular", A, B)
    check.square(A, "linalg.solve_triangular")
    check.matrix(B, "linalg.solve_triangular", "B")
    check.fits("linalg.solve_triangular", A, B, left)
    check.floating(A, "linalg.solve_triangular", "triangular_solve_cpu")
    return _SolveTriangular.apply(A, B, upper, left, unitriangular)
