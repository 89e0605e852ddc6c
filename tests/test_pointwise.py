"""Operators of elements, beyond what their rows in the operator table ask."""

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
