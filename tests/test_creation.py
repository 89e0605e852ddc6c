"""Tensors from nothing: values against NumPy, dtypes, layouts, errors."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from library import IS_TENSORLITE, tl, torch

FLOATS = ["float16", "bfloat16", "float32", "float64"]
INTEGERS = ["uint8", "int8", "int16", "int32", "int64"]
COMPLEX = ["complex64", "complex128"]


def dtype(name: str) -> Any:
    return getattr(tl, name)


# ---- filled ----


@pytest.mark.parametrize("name", ["bool", *INTEGERS, *FLOATS, *COMPLEX])
@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 5), (2, 0, 4), (3, 1000)])
def test_filled(name: str, shape: tuple[int, ...]):
    for x, value in ((tl.zeros(shape, dtype=dtype(name)), 0), (tl.ones(shape, dtype=dtype(name)), 1)):
        assert x.dtype == dtype(name)
        assert x.shape == shape
        assert x.is_contiguous()
        assert (x == value).all()
    assert (tl.full(shape, 7, dtype=dtype(name)) == (True if name == "bool" else 7)).all()


def test_large_fill():
    assert (tl.full((3, 500_001), 2.5) == 2.5).all()
    assert (tl.full((1_000_001,), 3, dtype=tl.int16) == 3).all()
    assert (tl.full((500_001,), 1 - 2j, dtype=tl.complex128) == 1 - 2j).all()


def test_full_takes_its_dtype_from_the_value():
    assert tl.full((2,), True).dtype == tl.bool
    assert tl.full((2,), 3).dtype == tl.int64
    assert tl.full((2,), 3.0).dtype == tl.float32
    assert tl.full((2,), 3j).dtype == tl.complex64
    assert tl.scalar_tensor(3).dtype == tl.float32
    assert tl.full((), 3).shape == ()


def test_default_dtype():
    tl.set_default_dtype(tl.float64)
    try:
        assert tl.zeros(2).dtype == tl.float64
        assert tl.arange(2.0).dtype == tl.float64
        assert tl.full((2,), 1j).dtype == tl.complex128
    finally:
        tl.set_default_dtype(tl.float32)


def test_sizes():
    assert tl.zeros(2, 3).shape == tl.zeros((2, 3)).shape == tl.zeros([2, 3]).shape == tl.zeros(size=(2, 3)).shape
    assert tl.zeros(tl.ones(2, 3).shape).shape == (2, 3)
    assert tl.empty(2, 3, requires_grad=True).requires_grad


def test_like():
    x = tl.ones(3, 4, dtype=tl.float64).t()
    assert tl.zeros_like(x).stride() == (1, 4)
    assert tl.zeros_like(x).dtype == tl.float64
    assert tl.ones_like(x, dtype=tl.int32).dtype == tl.int32
    assert (tl.full_like(x, 2.5) == 2.5).all()
    assert tl.full_like(tl.ones(2, dtype=tl.int64), 2.5).tolist() == [2, 2]
    assert tl.empty_like(tl.empty(3, 4)[:, ::2].t()).stride() == (1, 2)
    assert tl.empty_like(tl.empty(1, 4).expand(3, 4)).stride() == (4, 1)
    assert tl.zeros_like(tl.empty(2, 3).expand(4, 2, 3)).shape == (4, 2, 3)


def test_new():
    x = tl.ones(2, dtype=tl.int64)
    assert x.new_zeros(3).tolist() == [0, 0, 0]
    assert x.new_ones((2, 2)).dtype == tl.int64
    assert x.new_full((2,), 3.7).tolist() == [3, 3]
    assert x.new_empty(2, 3).shape == (2, 3)
    assert x.new_zeros(2, dtype=tl.float32).dtype == tl.float32
    assert x.new_empty_strided((2, 3), (1, 2)).stride() == (1, 2)


def test_empty_strided():
    assert tl.empty_strided((2, 3), (1, 2)).stride() == (1, 2)
    assert tl.empty_strided((2, 3), (10, 2), dtype=tl.int8).stride() == (10, 2)


def test_fill_in_place():
    x = tl.zeros(3, 4)
    assert x.fill_(2) is x
    x[:, 1].fill_(5)
    x.t()[3].zero_()
    assert x.tolist() == [[2, 5, 2, 0]] * 3
    assert tl.zeros(2, dtype=tl.int64).fill_(tl.tensor(3.7)).tolist() == [3, 3]
    assert tl.zeros(2)[None].expand(3, 2).fill_(1).tolist() == [[1, 1]] * 3
    y = tl.zeros(2)
    assert tl.fill(y, 3).tolist() == [3, 3]
    assert y.tolist() == [0, 0]


def test_fill_gradients():
    x, value = tl.ones(3, requires_grad=True), tl.tensor(2.0, requires_grad=True)
    y = x * 2
    y.fill_(value)
    (y * tl.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert x.grad.tolist() == [0, 0, 0]
    assert value.grad.item() == 6
    x = tl.ones(3, requires_grad=True)
    (x * 2).zero_().sum().backward()
    assert x.grad.tolist() == [0, 0, 0]


# ---- sequences ----


@pytest.mark.parametrize("name", [*INTEGERS, *FLOATS])
@pytest.mark.parametrize("bounds", [(0, 7, 1), (3, 40, 4), (5, 5, 1), (20, 3, -2), (100, 0, -1)])
def test_arange_of_integers(name: str, bounds: tuple[int, int, int]):
    x = tl.arange(*bounds, dtype=dtype(name))
    assert x.dtype == dtype(name)
    assert x.double().tolist() == list(range(*bounds))


@pytest.mark.parametrize("bounds", [(0, 1, 0.1), (1.5, 300, 0.3), (-3, 5, 0.7), (2, -1, -0.25), (0, 1e5, 0.9)])
def test_arange_of_floats(bounds: tuple[float, float, float]):
    start, end, step = bounds
    n = math.ceil((end - start) / step)
    exact = start + step * np.arange(n)
    assert tl.arange(*bounds).shape == (n,)
    np.testing.assert_allclose(tl.arange(*bounds).numpy(), exact, rtol=3e-7, atol=1e-7)
    np.testing.assert_allclose(tl.arange(*bounds, dtype=tl.float64).numpy(), exact, rtol=5e-16, atol=1e-14)


def test_arange_dtypes():
    assert tl.arange(3).dtype == tl.int64
    assert tl.arange(3.0).dtype == tl.float32
    assert tl.arange(0, 3, 0.5).dtype == tl.float32
    assert tl.arange(True).dtype == tl.int64
    assert tl.arange(0, 2.5, dtype=tl.int64).tolist() == [0, 1]
    assert tl.arange(0.5, 5, dtype=tl.int64).tolist() == [0, 1, 2, 3, 4]
    assert tl.arange(-1, 3, dtype=tl.uint8).tolist() == [255, 0, 1, 2]
    assert tl.arange(start=1, end=7, step=3).tolist() == [1, 4]
    big = 2**62
    assert tl.arange(big, big + 3).tolist() == [big, big + 1, big + 2]
    assert tl.arange(2**63 - 1, 2**63 - 1).shape == (0,)


def test_large_arange():
    assert np.array_equal(tl.arange(300_000).numpy(), np.arange(300_000))
    assert np.array_equal(tl.arange(300_000.0).numpy(), np.arange(300_000, dtype=np.float32))


def test_range_includes_its_end():
    with pytest.warns(UserWarning, match="range is deprecated"):
        assert tl.range(0, 3).tolist() == [0, 1, 2, 3]
    with pytest.warns(UserWarning, match="range is deprecated"):
        assert tl.range(0, 1, 0.5).tolist() == [0, 0.5, 1]


@pytest.mark.parametrize("n", [0, 1, 2, 5, 17, 1000])
@pytest.mark.parametrize("ends", [(0, 1), (-1, 1), (0.1, 0.7), (3, -2.3), (5, 5)])
def test_linspace(n: int, ends: tuple[float, float]):
    x = tl.linspace(*ends, n)
    assert x.shape == (n,)
    np.testing.assert_allclose(x.numpy(), np.linspace(*ends, n), rtol=1e-6, atol=3e-7)
    x = tl.linspace(*ends, n, dtype=tl.float64)
    np.testing.assert_allclose(x.numpy(), np.linspace(*ends, n), rtol=1e-14, atol=1e-15)
    if n > 1:
        assert (x[0].item(), x[-1].item()) == tuple(map(float, ends)), "both ends are exact"


def test_linspace_of_integers():
    assert tl.linspace(0, 10, 5, dtype=tl.int64).tolist() == [0, 2, 5, 7, 10]
    assert tl.linspace(0, 100, 7, dtype=tl.uint8).tolist() == [0, 16, 33, 50, 66, 83, 100]
    assert tl.linspace(0.7, 5.9, 4, dtype=tl.int64).tolist() == [0, 1, 3, 5]


def test_logspace():
    np.testing.assert_allclose(tl.logspace(0, 2, 5).numpy(), np.logspace(0, 2, 5), rtol=1e-6)
    np.testing.assert_allclose(tl.logspace(-1, 3, 50, base=2).numpy(), np.logspace(-1, 3, 50, base=2), rtol=1e-6)
    assert tl.logspace(0, 2, 5, dtype=tl.int64).tolist() == [1, 3, 10, 31, 100]


@pytest.mark.parametrize("size", [(0,), (3,), (2, 3), (3, 2), (0, 4), (3, 0)])
def test_eye(size: tuple[int, ...]):
    assert np.array_equal(tl.eye(*size).numpy(), np.eye(*size, dtype=np.float32))
    assert np.array_equal(tl.eye(*size, dtype=tl.bool).numpy(), np.eye(*size, dtype=bool))


@pytest.mark.parametrize("offset", [-5, -2, 0, 1, 5])
@pytest.mark.parametrize("size", [(3, 3), (3, 4), (4, 2), (0, 3), (3, 0)])
def test_triangle_indices(size: tuple[int, int], offset: int):
    rows, cols = size
    lower = [(r, c) for r in range(rows) for c in range(cols) if c <= r + offset]
    upper = [(r, c) for r in range(rows) for c in range(cols) if c >= r + offset]
    assert [tuple(i) for i in tl.tril_indices(*size, offset).t().tolist()] == lower
    assert [tuple(i) for i in tl.triu_indices(*size, offset).t().tolist()] == upper
    assert tl.tril_indices(*size, offset).dtype == tl.int64


# ---- out= and errors ----


def test_out():
    x = tl.empty(3)
    assert tl.zeros(2, out=x) is x
    assert x.tolist() == [0, 0]
    assert tl.ones(2, out=tl.empty(2, dtype=tl.int64)).dtype == tl.int64
    assert tl.full((2,), 1, out=tl.empty(3)).tolist() == [1, 1]
    assert tl.arange(3, out=tl.empty(3)).dtype == tl.float32
    assert tl.linspace(0, 1, 3, out=tl.empty(0)).tolist() == [0, 0.5, 1]
    assert tl.eye(2, out=tl.empty(0)).tolist() == [[1, 0], [0, 1]]
    strided = tl.zeros(3, 2)[:, 0]
    assert tl.arange(3, out=strided).tolist() == [0, 1, 2]
    with pytest.warns(UserWarning, match="The out tensor will be resized"):
        assert tl.arange(3, out=tl.empty(5)).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: tl.arange(5, 1), RuntimeError, "upper bound and lower bound inconsistent with step sign"),
        (lambda: tl.arange(1, 5, 0), RuntimeError, "step must be nonzero"),
        (lambda: tl.arange(0, float("inf")), RuntimeError, "unsupported range: 0 -> inf"),
        (lambda: tl.arange(3, dtype=tl.bool), NotImplementedError, "\"arange_cpu\" not implemented for 'Bool'"),
        (lambda: tl.linspace(0, 1, -1), RuntimeError, "number of steps must be non-negative"),
        (lambda: tl.eye(-1), RuntimeError, "n must be greater or equal to 0, got -1"),
        (lambda: tl.eye(2, -1), RuntimeError, "m must be greater or equal to 0, got -1"),
        (lambda: tl.full((2,), 300, dtype=tl.uint8), RuntimeError, "value cannot be converted to type uint8_t without"),
        (lambda: tl.full((2,), 1e39), RuntimeError, "value cannot be converted to type float without overflow"),
        (lambda: tl.full((2,), 1e5, dtype=tl.float16), RuntimeError, "value cannot be converted to type c10::Half"),
        (lambda: tl.full((2,), 1j, dtype=tl.float32), RuntimeError, "value cannot be converted to type float without"),
        (lambda: tl.zeros(2, dtype=tl.int8).fill_(300), RuntimeError, "value cannot be converted to type int8_t"),
        (lambda: tl.zeros(2).fill_(tl.ones(2)), RuntimeError, "fill_ only supports 0-dimension value tensor but got"),
        (lambda: tl.tril_indices(-1, 2), RuntimeError, "row must be non-negative, got-1"),
        (lambda: tl.triu_indices(3, 3, dtype=tl.float32), NotImplementedError, '"triu_indices" not implemented for'),
        (lambda: tl.zeros(2, out=tl.empty(3), dtype=tl.int64), RuntimeError, "dtype Long does not match dtype of out"),
        (lambda: tl.empty_strided((2, 3), (1,)), RuntimeError, r"dimensionality of sizes \(2\) must match"),
        (lambda: tl.ones(2, -1), RuntimeError, "Trying to create tensor with negative dimension -1"),
        (lambda: tl.arange(3, requires_grad=True), RuntimeError, "Only Tensors of floating point and complex dtype"),
    ],
)
def test_errors(call: Callable[[], Any], error: type, message: str):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.skipif(not IS_TENSORLITE, reason="asks for more memory than there is")
@pytest.mark.cpu
def test_out_of_memory():
    with pytest.raises(RuntimeError, match=r"you tried to allocate \d+ bytes"):
        tl.empty(2**50)


# ---- parity with PyTorch ----


@pytest.mark.parity
@pytest.mark.parametrize("name", [*INTEGERS, *FLOATS])
def test_parity_of_sequences(name: str):
    pytest.importorskip("torch")
    ours, theirs = getattr(tl, name), getattr(torch, name)
    for n in (1, 5, 16, 17, 101, 1000):
        for start, step in ((0, 0.1), (1.5, 0.3), (3, 1)):
            if name in INTEGERS:
                end = start + 10 * step
            else:
                bounds = (start, start + step * n - step / 2, step)
                a, b = tl.arange(*bounds, dtype=ours), torch.arange(*bounds, dtype=theirs)
                assert a.tolist() == b.tolist(), bounds
                end = step
            assert (
                tl.linspace(start, end, n, dtype=ours).tolist() == torch.linspace(start, end, n, dtype=theirs).tolist()
            )
