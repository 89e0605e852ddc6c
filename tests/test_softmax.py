"""softmax and log_softmax beyond the operator table: dims anywhere, half types, extreme values, gradients of gradients."""

import numpy as np
import pytest
from library import tl, torch

SHAPES = [((2, 3), 1), ((2, 3), 0), ((5,), 0), ((), 0), ((3, 4, 5), 1), ((3, 17, 40), -2), ((2, 700, 3), 1), ((4, 9001), 1),
          ((0, 3), 1), ((2, 0), 1), ((2, 0), 0), ((6, 1), 1), ((2, 3, 600), 1)]  # fmt: skip


def reference(x: np.ndarray, dim: int, log: bool) -> np.ndarray:
    if not x.size:
        return x
    shifted = x - x.max(dim, keepdims=True, initial=-np.inf)
    total = np.exp(shifted).sum(dim, keepdims=True)
    return shifted - np.log(total) if log else np.exp(shifted) / total


@pytest.mark.parametrize("shape, dim", SHAPES)
@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
def test_values(shape, dim, log, dtype):
    if not shape:
        x64 = np.array(0.3)
        expected = np.array(0.0 if log else 1.0)
    else:
        x64 = np.random.default_rng(0).normal(0, 3, shape)
        expected = None
    x = tl.from_numpy(np.asarray(x64)).to(getattr(tl, dtype))
    if expected is None:
        expected = reference(x.double().numpy(), dim, log)
    got = (tl.log_softmax if log else tl.softmax)(x, dim)
    assert got.dtype == x.dtype and tuple(got.shape) == shape
    tolerance = {"float64": 1e-13, "float32": 2e-6, "float16": 2e-3, "bfloat16": 1e-2}[dtype]
    np.testing.assert_allclose(got.double().numpy(), expected, rtol=tolerance, atol=tolerance if log else 1e-7)


@pytest.mark.parametrize("log", [False, True])
def test_strided_inputs(log):
    f = tl.log_softmax if log else tl.softmax
    base = tl.randn(6, 10, 4, dtype=tl.float64)
    for x in (base.permute(2, 0, 1), base[::2, 1::3], base[:, :1].expand(6, 5, 4)):
        for dim in range(3):
            y = f(x, dim)
            assert y.is_contiguous()
            np.testing.assert_allclose(y.numpy(), reference(x.numpy(), dim, log), rtol=1e-12, atol=1e-13)


def test_extreme_values():
    inf, nan = float("inf"), float("nan")
    x = tl.tensor([[1e30, -1e30, 0.0], [-inf, 0.0, 0.0], [-inf, -inf, -inf], [inf, 0.0, 1.0], [nan, 0.0, 1.0]])
    expected = np.array([[1, 0, 0], [0, 0.5, 0.5], [nan] * 3, [nan] * 3, [nan] * 3], dtype=np.float32)
    np.testing.assert_array_equal(tl.softmax(x, 1).numpy(), expected)
    np.testing.assert_array_equal(tl.softmax(x.t().contiguous(), 0).t().numpy(), expected)
    low = tl.softmax(tl.tensor([0.0, -87.5, -100.0, -103.0]), 0)
    np.testing.assert_allclose(low.numpy(), np.exp([0.0, -87.5, -100.0, -103.0]), rtol=1e-6, atol=1.5e-45)


def test_dtype_and_out():
    x = tl.arange(6).reshape(2, 3)
    y = tl.softmax(x, 1, dtype=tl.float64)
    assert y.dtype == tl.float64
    np.testing.assert_allclose(y.numpy(), reference(np.arange(6.0).reshape(2, 3), 1, False), rtol=1e-14)
    out = tl.empty(3, 2, dtype=tl.float64).t()
    assert tl.softmax(x, 1, dtype=tl.float64, out=out) is out
    np.testing.assert_array_equal(out.numpy(), y.numpy())
    half = tl.ones(2, 3, dtype=tl.float16, requires_grad=True)
    z = half.log_softmax(1, dtype=tl.float32)
    assert z.dtype == tl.float32
    z[:, 0].sum().backward()
    assert half.grad.dtype == tl.float16


def test_errors():
    integers = tl.ones(2, 3, dtype=tl.int64)
    cases = [
        (lambda: tl.softmax(tl.ones(2, 3), 2), IndexError, r"Dimension out of range \(expected to be in range of \[-2, 1\], but got 2\)"),
        (lambda: tl.softmax(integers, 1), NotImplementedError, "\"softmax_lastdim_kernel_impl\" not implemented for 'Long'"),
        (lambda: tl.softmax(integers, 0), NotImplementedError, "\"softmax_kernel_impl\" not implemented for 'Long'"),
        (lambda: tl.log_softmax(integers, 1), NotImplementedError, "\"log_softmax_lastdim_kernel_impl\" not implemented for 'Long'"),
    ]  # fmt: skip
    for run, error, text in cases:
        with pytest.raises(error, match=text):
            run()


@pytest.mark.parametrize("shape, dim", [((2, 3), 1), ((3, 2, 4), 0), ((3, 2, 4), 1), ((), 0), ((0, 2), 1)])
@pytest.mark.parametrize("log", [False, True])
def test_gradients(shape, dim, log):
    f = tl.log_softmax if log else tl.softmax
    x = tl.randn(shape, dtype=tl.float64, requires_grad=True)
    assert tl.autograd.gradcheck(lambda t: f(t, dim), (x,))
    assert tl.autograd.gradgradcheck(lambda t: f(t, dim), (x,))
    name = "LogSoftmaxBackward0" if log else "SoftmaxBackward0"
    assert type(f(x, dim).grad_fn).__name__ == name


def test_same_bits_with_any_number_of_threads():
    x = tl.randn(301, 777)
    found = []
    threads = tl.get_num_threads()
    try:
        for n in (1, 2, 3):
            tl.set_num_threads(n)
            found.append([tl.softmax(x, d).numpy().tobytes() + tl.log_softmax(x, d).numpy().tobytes() for d in (0, 1)])
    finally:
        tl.set_num_threads(threads)
    assert found[0] == found[1] == found[2]


@pytest.mark.parity
@pytest.mark.parametrize("log", [False, True])
def test_parity(log):
    rng = np.random.default_rng(1)
    for shape, dim in SHAPES[:9]:
        x = rng.normal(0, 4, shape).astype(np.float32)
        g = rng.normal(0, 1, shape).astype(np.float32)
        results = []
        for lib in (tl, torch):
            t = lib.from_numpy(np.asarray(x).copy()).requires_grad_()
            y = (lib.log_softmax if log else lib.softmax)(t, dim)
            y.backward(lib.from_numpy(np.asarray(g).copy()))
            results.append((y.detach().numpy(), t.grad.numpy(), tuple(y.stride())))
        np.testing.assert_allclose(results[0][0], results[1][0], rtol=2e-6, atol=2e-6)
        np.testing.assert_allclose(results[0][1], results[1][1], rtol=2e-5, atol=2e-6)
        assert results[0][2] == results[1][2]
