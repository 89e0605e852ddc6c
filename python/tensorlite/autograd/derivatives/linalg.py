"""Gradients of linear algebra; those of decompositions and solvers stand with them in `linalg`."""

from ... import _C
from . import derivative
from .reduction import norm_grad

linalg_cross = _C._operator("linalg_cross")


@derivative("trace", saves=("input.shape",))
def trace(n, grad):
    return _C.eye(*n.input_shape, dtype=grad.dtype, device=grad.device) * grad


@derivative("linalg_cross", saves={"input": "other", "other": "input", "dim": ()})
def cross(n, grad):
    a, b = n.needs_input_grad
    return (
        linalg_cross(n.other.conj(), grad, dim=n.dim) if a else None,
        linalg_cross(grad, n.input.conj(), dim=n.dim) if b else None,
    )


@derivative("dist", saves=("input", "other", "result", "p"))
def dist(n, grad):
    difference = n.input - n.other
    part = norm_grad(grad, difference, n.result, n.p, None, False)
    return part, None if part is None else -part
