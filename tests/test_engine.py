"""Whose memory a gradient lies in: the engine keeps what nobody else can see and copies, or adds anew, the rest."""

import numpy as np
import pytest
from library import IS_TENSORLITE, tl


class Route(tl.autograd.Function):
    """The identity; `made` makes its gradient, whose address is noted."""

    @staticmethod
    def forward(ctx, x, made, seen):
        ctx.made, ctx.seen = made, seen
        return x.clone()

    @staticmethod
    def backward(ctx, grad):
        result = ctx.made(grad)
        ctx.seen.append(result.data_ptr())
        return result, None, None


def through(x, made):
    seen = []
    return Route.apply(x, made, seen), seen


def test_a_gradient_that_nobody_else_holds_is_kept():
    x = tl.ones(3, 4, requires_grad=True)
    y, seen = through(x, lambda grad: grad * 2)
    y.sum().backward()
    assert x.grad.data_ptr() == seen[0] and x.grad.tolist() == [[2.0] * 4] * 3


def held(keep):
    def made(grad):
        keep.append(grad * 2)
        return keep[0]

    return made


def view_of(keep):
    def made(grad):
        keep.append(tl.full((2, *grad.shape), 2.0))
        return keep[0][1]

    return made


@pytest.mark.parametrize(
    "maker", [held, pytest.param(view_of, marks=pytest.mark.skipif(not IS_TENSORLITE, reason="PyTorch keeps the view"))]
)
def test_a_gradient_that_somebody_holds_is_copied(maker):
    x, keep = tl.ones(3, 4, requires_grad=True), []
    y, seen = through(x, maker(keep))
    y.sum().backward()
    assert x.grad.data_ptr() != seen[0]
    x.grad.zero_()
    assert (keep[0] == 2).all()


@pytest.mark.cpu
@pytest.mark.skipif(not IS_TENSORLITE, reason="PyTorch writes to the array")
def test_a_gradient_in_memory_of_numpy_is_copied():
    x, array = tl.ones(4, requires_grad=True), np.full(4, 2.0, np.float32)
    a, _ = through(x, lambda grad: tl.from_numpy(array))
    b, _ = through(x, lambda grad: tl.from_numpy(array))
    (a + b).sum().backward()
    assert x.grad.tolist() == [4.0] * 4 and array.tolist() == [2.0] * 4


@pytest.mark.parametrize("first", [True, False])
def test_gradients_that_meet_are_added_where_one_is_owned(first):
    """Held gradients keep their values, whichever comes first."""
    x, keep = tl.ones(3, requires_grad=True), []
    branches = [lambda: through(x, held(keep))[0], lambda: through(x, lambda grad: grad * 5)[0]]
    a, b = (make() for make in (branches if first else reversed(branches)))
    (a * 1 + b * 1).sum().backward()
    assert x.grad.tolist() == [7.0] * 3 and keep[0].tolist() == [2.0] * 3


def test_an_expanded_gradient_is_not_written():
    x = tl.ones(3, 4, requires_grad=True)
    y = x * 1
    (y.sum() + (y * y).sum() + y.sum()).backward()
    assert x.grad.tolist() == [[4.0] * 4] * 3


def test_the_users_own_gradient_is_not_written():
    x, given = tl.ones(3, requires_grad=True), tl.full((3,), 2.0)
    y = x * 1
    tl.autograd.backward([y, y, y], [given, given, tl.ones(3)])
    assert x.grad.tolist() == [5.0] * 3 and given.tolist() == [2.0] * 3
    z = x + x
    kept = tl.autograd.grad(z, x, given)[0]
    assert kept.tolist() == [4.0] * 3 and given.tolist() == [2.0] * 3


def test_a_residual_sum_leaves_the_gradient_of_its_other_branch():
    x = tl.ones(4, requires_grad=True)
    seen = []
    h = x * 3
    out = h + (h * 2)
    out.register_hook(lambda grad: seen.append(grad))
    out.sum().backward()
    assert x.grad.tolist() == [9.0] * 4 and seen[0].tolist() == [1.0] * 4
