"""Operators of elements, beyond what their rows in the operator table ask."""

import numpy as np
import pytest
from library import tl


def test_a_number_beyond_the_dtype_wraps_around_first():
    x = tl.tensor([0, 4, 6], dtype=tl.uint8)
    assert (x % -1).tolist() == [0, 4, 6] and (x // -1).tolist() == [0, 0, 0]
    assert tl.remainder(tl.tensor([44, 45], dtype=tl.int8), 300).tolist() == [0, 1]


def test_the_other_tensor_of_max_is_no_dim():
    x = tl.tensor([3, 1])
    assert tl.max(x, tl.tensor([2])).tolist() == [3, 2] and tl.min(x[:1], x[1:]).tolist() == [1]


@pytest.mark.parametrize("name", ["gcd", "lcm"])
def test_whole_numbers_only(name):
    with pytest.raises(NotImplementedError):
        getattr(tl, name)(tl.tensor([True]), tl.tensor([False]))


def test_the_power_of_a_number_is_contiguous():
    x = tl.ones(2, 3).t()
    assert [t.stride() for t in (2**x, tl.pow(2.0, x[::2]), tl.float_power(2, x), x**x)] == [(2, 1), (2, 1), (2, 1), (1, 3)]
    assert (2 ** tl.tensor([[1, 2], [3, 4]], dtype=tl.uint8).t()).tolist() == [[2, 8], [4, 16]]


@pytest.mark.parametrize("base", [2, 3, 2.5, True])
def test_gradient_of_a_number_to_a_power_has_the_precision_of_the_power(base):
    for shape in [(), (2,)]:
        t = tl.full(shape, 0.25, dtype=tl.float64, requires_grad=True)
        (base**t).sum().backward()
        np.testing.assert_allclose(t.grad.numpy(), np.full(shape, float(base) ** 0.25 * np.log(float(base))), rtol=1e-15)
    t = tl.full((2,), 0.25, requires_grad=True)
    (grad,) = tl.autograd.grad((base**t).sum(), t, create_graph=True)
    assert grad.dtype == tl.float32


def test_no_gradient_comes_of_an_xlogy_that_is_not_asked_for():
    x, y = tl.tensor([2.0, 3.0, 0.0], requires_grad=True), tl.tensor([-1.0, 1.0, 0.0])
    tl.xlogy(x, y)[1:].sum().backward()
    assert x.grad.tolist() == [0.0, 0.0, 0.0]
