"""Gradients of products of matrices and vectors."""

from . import derivative


def scaled(x, factor):
    """x times the conjugate of a Python number."""
    if isinstance(factor, complex):
        factor = factor.conjugate()
    return x if factor == 1 else x * factor


def column_major(shape, strides):
    return strides[-2] == 1 and strides[-1] == shape[-2] and strides != (1, 1)


def left(grad, b, layout=None):
    """Gradient of a in a @ b; laid out as a was."""
    if layout and column_major(*layout):
        return b.conj().mm(grad.t()).t()
    return grad.mm(b.t().conj())


def right(grad, a, layout=None):
    """Gradient of b in a @ b; laid out as b was (`linear` multiplies by a transposed weight)."""
    if layout and column_major(*layout):
        return grad.t().mm(a.conj()).t()
    return a.t().conj().mm(grad)


@derivative(
    "mm",
    saves={
        "input": "mat2",
        "mat2": "input",
        "input.shape": "input",
        "input.stride": "input",
        "mat2.shape": "mat2",
        "mat2.stride": "mat2",
    },
)
def mm(n, grad):
    a, b = n.needs_input_grad
    return (
        left(grad, n.mat2, (n.input_shape, n.input_stride)) if a else None,
        right(grad, n.input, (n.mat2_shape, n.mat2_stride)) if b else None,
    )


@derivative(
    "addmm",
    saves={
        "mat1": "mat2",
        "mat2": "mat1",
        "mat1.shape": "mat1",
        "mat1.stride": "mat1",
        "mat2.shape": "mat2",
        "mat2.stride": "mat2",
        "beta": (),
        "alpha": (),
    },
)
def addmm(n, grad):
    c, a, b = n.needs_input_grad
    return (
        scaled(grad, n.beta) if c else None,
        scaled(left(grad, n.mat2, (n.mat1_shape, n.mat1_stride)), n.alpha) if a else None,
        scaled(right(grad, n.mat1, (n.mat2_shape, n.mat2_stride)), n.alpha) if b else None,
    )


@derivative("bmm", saves={"input": "mat2", "mat2": "input"})
def bmm(n, grad):
    a, b = n.needs_input_grad
    return (
        grad.bmm(n.mat2.transpose(1, 2).conj()) if a else None,
        n.input.transpose(1, 2).conj().bmm(grad) if b else None,
    )


@derivative("baddbmm", saves={"batch1": "batch2", "batch2": "batch1", "beta": (), "alpha": ()})
def baddbmm(n, grad):
    c, a, b = n.needs_input_grad
    return (
        scaled(grad, n.beta) if c else None,
        scaled(grad.bmm(n.batch2.transpose(1, 2).conj()), n.alpha) if a else None,
        scaled(n.batch1.transpose(1, 2).conj().bmm(grad), n.alpha) if b else None,
    )


@derivative(
    "addbmm",
    saves={"batch1": "batch2", "batch2": "batch1", "batch1.shape": ("batch1", "batch2"), "beta": (), "alpha": ()},
)
def addbmm(n, grad):
    c, a, b = n.needs_input_grad
    stack = grad.unsqueeze(0).expand(n.batch1_shape[0], *grad.shape) if a or b else None
    return (
        scaled(grad, n.beta) if c else None,
        scaled(stack.bmm(n.batch2.transpose(1, 2).conj()), n.alpha) if a else None,
        scaled(n.batch1.transpose(1, 2).conj().bmm(stack), n.alpha) if b else None,
    )


def outer_product(u, v):
    return u.unsqueeze(1) * v.unsqueeze(0)


@derivative("mv", saves={"input": "vec", "vec": "input"})
def mv(n, grad):
    a, x = n.needs_input_grad
    return outer_product(grad, n.vec.conj()) if a else None, n.input.t().conj().mv(grad) if x else None


@derivative("addmv", saves={"mat": "vec", "vec": "mat", "beta": (), "alpha": ()})
def addmv(n, grad):
    c, a, x = n.needs_input_grad
    return (
        scaled(grad, n.beta) if c else None,
        scaled(outer_product(grad, n.vec.conj()), n.alpha) if a else None,
        scaled(n.mat.t().conj().mv(grad), n.alpha) if x else None,
    )


@derivative("dot", saves={"input": "tensor", "tensor": "input"})
def dot(n, grad):
    a, b = n.needs_input_grad
    return grad * n.tensor.conj() if a else None, grad * n.input.conj() if b else None


@derivative("vdot", saves={"input": "other", "other": "input"})
def vdot(n, grad):
    a, b = n.needs_input_grad
    return grad.conj() * n.other if a else None, grad * n.input if b else None


@derivative("addr", saves={"vec1": "vec2", "vec2": "vec1", "beta": (), "alpha": ()})
def addr(n, grad):
    c, u, v = n.needs_input_grad
    return (
        scaled(grad, n.beta) if c else None,
        scaled(grad.mv(n.vec2.conj()), n.alpha) if u else None,
        scaled(grad.t().mv(n.vec1.conj()), n.alpha) if v else None,
    )
