"""softmax and log_softmax beyond the operator table: dims anywhere, half types, extreme values, gradients of gradients."""

import numpy as np
import pytest
from library import tl, torch
from parity import assert_gradient_parity, assert_parity, assert_same_error, check_derivatives, lines, same_bits

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


RNG = np.random.default_rng(0)
ARRAYS = {
    "x": RNG.normal(0, 3, (3, 5)),
    "y": RNG.normal(0, 3, (2, 3, 4)),
    "z": RNG.normal(0, 3, (2, 4, 3, 5)),
    "v": RNG.normal(0, 3, 7),
    "s": np.array(1.5),
    "e": np.zeros((0, 3)),
    "big": RNG.normal(0, 300, (3, 5)),
}
INTEGERS = ARRAYS | {"i": np.arange(6).reshape(2, 3)}

EXPRESSIONS = """
NAME(x, 0) | NAME(x, 1) | NAME(x, -1) | NAME(x, -2) | NAME(y, 0) | NAME(y, 1) | NAME(y, 2) | NAME(z, 0) | NAME(z, 1)
NAME(z, 2) | NAME(z, 3) | NAME(v, 0) | NAME(s, 0) | NAME(s, -1) | NAME(e, 0) | NAME(e, 1) | NAME(e.t(), 0) | NAME(x.t(), 0)
NAME(x.t(), 1) | NAME(x[:, ::2], 1) | NAME(x[::2], 0) | NAME(x[1:, 1:4], 0) | NAME(x[:1].expand(4, 5), 0) | NAME(x[:, :1].expand(3, 6), 1)
NAME(y.permute(2, 0, 1), 1) | NAME(y.transpose(0, 2), 0) | NAME(z.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2), 1)
NAME(z.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2), 3) | NAME(z[:, ::2, :, 1:], 1) | NAME(x[:1], 0) | NAME(x[:, :1], 1) | NAME(big, 1)
NAME(x, 1, dtype=torch.float32) | NAME(x.float(), 1, dtype=torch.float64) | NAME(x.half(), 1, dtype=torch.float32) | NAME(x.t(), 1, dtype=torch.float32)
NAME(v.expand(3, 7), 1) | NAME(v.expand(3, 7), 0) | NAME(x.flip(1), dim=1) | NAME(x * 1e5, 1) | NAME(x.masked_fill(x > 1, -inf), 1)
"""

# Without gradients: integers, infinities.
VALUES = """
NAME(i, 1, dtype=torch.float64) | NAME(i, 0, torch.float32) | NAME(i[:, :0], 1, torch.float32) | NAME(i > 2, 0, dtype=torch.float64)
NAME(x.masked_fill(x > -99, -inf), 1) | NAME(x.masked_fill(x > 3, inf), 1) | NAME(x.masked_fill(x > 3, nan), 1) | NAME(x.masked_fill(x > 3, nan), 0)
NAME(torch.tensor([-inf, 0.0, inf]), 0) | NAME(torch.tensor([-inf, 0.0, -inf]), 0) | NAME(torch.full((4,), -inf), 0) | NAME(x.bfloat16(), 0, dtype=torch.float16)
NAME(torch.zeros(0), 0) | NAME(torch.zeros(2, 0, 3), 1) | NAME(torch.zeros(2, 0, 3), 2)
"""

ERRORS = """
NAME(x, 2) | NAME(x, -3) | NAME(s, 1) | NAME(i, 1) | NAME(i > 1, 1) | NAME(x) | NAME(x, 1.5) | NAME(x, 1, dtype=torch.int64) | NAME(x, 1, torch.bool)
"""

OTHERS = lines(
    "x.softmax(1) | x.log_softmax(-1) | x.softmax(0, dtype=torch.float32) | F.softmax(x) | F.softmax(y) | F.softmax(v) | F.softmax(s)"
    " | F.log_softmax(z) | F.softmin(x, 1) | F.softmin(y) | F.softmax(x, 1, 3, torch.float32) | F.log_softmax(x, dim=0, dtype=torch.float32)"
)
NAMES = ("torch.softmax", "torch.log_softmax")
TOLERANCES = {"float16": 2e-3, "bfloat16": 1e-2, "float32": 3e-6, "float64": 1e-13}


def each(text):
    return [e.replace("NAME", name) for name in NAMES for e in lines(text)]


def test_rows_sum_to_one_however_large():
    for scale in (1e-30, 1.0, 1e30):
        x = tl.randn(20, 300) * scale
        np.testing.assert_allclose(x.softmax(1).sum(1).numpy(), 1, rtol=1e-5)
        np.testing.assert_allclose(x.softmax(0).sum(0).numpy(), 1, rtol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
def test_same_bits_of_gradients(dtype):
    x = tl.randn(200, 333).to(getattr(tl, dtype)).requires_grad_()
    weight = tl.randn(200, 333).to(x.dtype)
    for dim in (0, 1):
        for name in ("softmax", "log_softmax"):
            def run(name=name, dim=dim):
                result = getattr(tl, name)(x, dim)
                return [result, *tl.autograd.grad(result, x, weight)]

            same_bits(run)


@pytest.mark.parametrize("expression", each("NAME(x, 0) | NAME(y, 1) | NAME(y.permute(2, 0, 1), 2) | NAME(s, 0) | NAME(x[:, ::2], 1)"))
@pytest.mark.sanitize
def test_derivatives(expression):
    for name in "xys":
        if f"({name}" in expression:
            check_derivatives(expression, ARRAYS, name)


@pytest.mark.parity
@pytest.mark.parametrize("expression", [*each(EXPRESSIONS), *each(VALUES), *OTHERS])
def test_parity_of_expressions(expression):
    pytest.importorskip("torch")
    assert_parity(expression, INTEGERS, rtol=1e-5 if "32" in expression or "torch.tensor" in expression else 2e-3 if "16" in expression else 1e-11)


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_parity_of_dtypes(dtype):
    pytest.importorskip("torch")
    for expression in each("NAME(x, 1) | NAME(z, 1) | NAME(x.t(), 1) | NAME(big, 0)"):
        assert_parity(expression, ARRAYS, dtype, rtol=TOLERANCES[dtype] * 4, atol=TOLERANCES[dtype])


@pytest.mark.parity
@pytest.mark.parametrize("expression", [*each(EXPRESSIONS), *OTHERS])
def test_parity_of_gradients(expression):
    pytest.importorskip("torch")
    rough = "16" in expression or "32" in expression
    assert_gradient_parity(expression, ARRAYS, *((2e-3, 2e-3) if "16" in expression else (1e-5, 1e-5) if rough else (1e-8, 1e-11)))


@pytest.mark.parity
@pytest.mark.parametrize("expression", each(ERRORS))
def test_parity_of_errors(expression):
    pytest.importorskip("torch")
    assert_same_error(expression, INTEGERS)
