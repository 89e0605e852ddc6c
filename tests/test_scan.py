"""Running sums, products and extremes: values, accuracy, graphs, gradients and errors."""

import numpy as np
import pytest
from expressions import assert_same, assert_same_gradients, error, evaluate, gradients, graph
from library import tl

SCANS = """
x.cumsum(0) | x.cumsum(-1) | x.t().cumsum(0) | x3.cumsum(1) | x3.transpose(0, 2).cumsum(1) | s.cumsum(0) | e.cumsum(0)
e.cumsum(1) | i.cumsum(1) | m.cumsum(1) | i.int().cumsum(0) | x.half().cumsum(1) | x.bfloat16().cumsum(1) | x.double().cumsum(0)
x.cumsum(0, dtype=torch.float64) | i.cumsum(1, dtype=torch.float32) | x.cumsum(1, dtype=torch.int32) | x[:, ::2].cumsum(1)
i.to(torch.uint8).cumsum(1) | torch.cumsum(input=x, dim=0) | torch.cumsum(i, 0, out=torch.empty(2, 3))
torch.cumsum(x, 1, out=torch.empty(6, 4).t()) | i.int().cumsum_(1) | x.clone().t().cumsum_(0) | m.clone().int().cumprod_(0)
x.cumprod(0) | x.cumprod(1) | i.cumprod(1) | (x + 1).cumprod(-1) | x3.transpose(0, 1).cumprod(2) | s.cumprod(0)
torch.view_as_complex(z).cumsum(1) | torch.view_as_complex(z).cumprod(0) | x.sin().cummax(0) | x.sin().cummin(1)
x.t().sin().cummax(0) | i.cummax(1) | m.cummin(1) | s.cummax(0) | e.cummin(0) | x.half().cos().cummax(1)
torch.tensor([1.0, float("nan"), 2.0, 0.0]).cummax(0) | torch.tensor([1.0, 1.0, 0.0, float("nan"), 5.0]).cummin(0)
torch.cummax(x, 1, out=(torch.empty(6, 4).t(), torch.empty(0, dtype=torch.int64))) | x.round().cummax(1) | x.logcumsumexp(0)
x.logcumsumexp(1) | s.logcumsumexp(0) | x.double().logcumsumexp(-1) | x.half().logcumsumexp(1) | (x * 100).logcumsumexp(1)
torch.tensor([-float("inf"), -float("inf"), 1.0]).logcumsumexp(0) | torch.tensor([1.0, float("inf"), 2.0]).logcumsumexp(0)
x.diff() | x.diff(dim=0) | x.diff(n=2) | x.diff(n=9) | x.diff(n=0) | m.diff() | i.diff() | x.diff(prepend=x[:, :1], append=x)
i.diff(prepend=torch.ones(2, 1)) | e.diff() | torch.diff(x, out=torch.empty(0)) | x.t().diff(1, 0)
"""
ERRORS = """
m.cumsum(0, dtype=torch.bool) | m.clone().cumsum_(0) | i.cumsum_(0, dtype=torch.float32) | x.cumsum(2) | s.cumsum(1)
torch.cumsum(i, 0, dtype=torch.float32, out=torch.empty(2, 3, dtype=torch.float64)) | i.logcumsumexp(0) | x.cumsum()
torch.view_as_complex(z).cummax(0) | torch.cummax(x, 0, out=(torch.empty(0), torch.empty(0))) | s.diff() | x.diff(n=-1)
torch.cummin(x, 0, out=(torch.empty(0).double(), torch.empty(0).long())) | x.diff(prepend=v) | x.diff(dim=5)
torch.logcumsumexp(x, 0, out=torch.empty(4, 6, dtype=torch.float64))
"""


def lines(text):
    return [e.strip() for line in text.split("\n") for e in line.split(" | ") if e.strip()]


def test_values():
    a = np.random.default_rng(1).standard_normal((5, 7, 3))
    t = tl.tensor(a)
    for dim in (0, 1, 2):
        np.testing.assert_allclose(t.cumsum(dim).numpy(), a.cumsum(dim), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(t.cumprod(dim).numpy(), a.cumprod(dim), rtol=1e-12)
        np.testing.assert_array_equal(t.cummax(dim).values.numpy(), np.maximum.accumulate(a, dim))
        np.testing.assert_allclose(t.logcumsumexp(dim).numpy(), np.logaddexp.accumulate(a, dim), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(t.diff(dim=dim).numpy(), np.diff(a, axis=dim))
    assert tl.tensor([1.0, 3.0, 3.0, 2.0]).cummax(0).indices.tolist() == [0, 1, 2, 2]
    assert tl.tensor([True, True, False]).cumsum(0).tolist() == [1, 2, 2]


def test_long_lines_are_accurate_and_do_not_depend_on_threads():
    a = np.random.default_rng(2).standard_normal(2_000_000).astype(np.float32)
    t, exact = tl.from_numpy(a), a.astype(np.float64).cumsum()
    before = tl.get_num_threads()
    try:
        results = []
        for threads in (1, 2, 3):
            tl.set_num_threads(threads)
            results.append(t.cumsum(0).numpy())
    finally:
        tl.set_num_threads(before)
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])
    np.testing.assert_allclose(results[0], exact, rtol=1e-7, atol=1e-9)
    n = tl.arange(1_500_001)
    assert n.cumsum(0)[-1].item() == 1_500_000 * 1_500_001 // 2


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x.cumsum(0),
        lambda x: x.cumprod(1),
        lambda x: (x * tl.tensor([1.0, 0.0, 2.0, 0.0], dtype=x.dtype)).cumprod(-1),
        lambda x: x.logcumsumexp(1),
        lambda x: x.cummax(0).values * x.cummin(1).values,
        lambda x: x.diff(n=2, prepend=x[:, :1]) ** 2,
        lambda x: x[0, 0].cumprod(0) * x[0, 0].cumsum(0) * x[0, 0].logcumsumexp(0),
    ],
)
def test_gradients_and_second_gradients(f):
    tl.manual_seed(3)
    x = tl.randn(3, 4, dtype=tl.float64, requires_grad=True)
    assert tl.autograd.gradcheck(f, (x,))
    assert tl.autograd.gradgradcheck(f, (x,))


def test_complex_gradients():
    tl.manual_seed(4)
    x = tl.randn(2, 3, dtype=tl.complex128, requires_grad=True)
    for f in (lambda x: x.cumsum(1), lambda x: x.cumprod(1), lambda x: x.logcumsumexp(1)):
        assert tl.autograd.gradcheck(f, (x,))


@pytest.mark.parity
@pytest.mark.parametrize("expression", lines(SCANS))
def test_parity(expression):
    torch = pytest.importorskip("torch")
    assert_same(evaluate(tl, expression), evaluate(torch, expression))


@pytest.mark.parity
@pytest.mark.parametrize(
    "expression",
    [e for e in lines(SCANS) if not any(s in e for s in ("out=", "_(", "half", "* 100"))],
)
def test_parity_of_graph_and_gradient(expression):
    torch = pytest.importorskip("torch")
    results = [t for t in evaluate(tl, expression) if t.is_floating_point() or t.is_complex()]
    if not results or not graph(torch, f"({expression})")[1:]:
        pytest.skip("no gradient")
    ours, theirs = graph(tl, expression), graph(torch, expression)
    if "diff" not in expression:
        assert ours == theirs
    pick = f"[t for t in ({expression},) if not isinstance(t, tuple)] or [({expression})[0]]"
    assert_same_gradients(gradients(tl, pick), gradients(torch, pick))


@pytest.mark.parity
@pytest.mark.parametrize("expression", lines(ERRORS))
def test_parity_of_errors(expression):
    torch = pytest.importorskip("torch")
    ours, theirs = error(tl, expression), error(torch, expression)
    assert ours[0] == theirs[0]
    assert ours[1].startswith(theirs[1].rstrip("."))
