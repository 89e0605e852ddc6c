"""Products of matrices and vectors, and what is made of them."""

import itertools
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from expressions import assert_same, assert_same_gradients, error, evaluate, gradients, graph, namespace, values
from library import IS_TENSORLITE, tl

EDGES = (1, 5, 6, 7, 13, 31, 33, 63, 65, 97, 129)
FLOATS = ("float64", "float32", "float16", "bfloat16")
INTEGERS = ("uint8", "int8", "int16", "int32", "int64")
COMPLEX = ("complex64", "complex128")
TOLERANCE = {
    "float64": 1e-12,
    "float32": 1e-5,
    "complex64": 1e-5,
    "complex128": 1e-12,
    "float16": 2e-3,
    "bfloat16": 2e-2,
}
LAYOUTS = ("plain", "transposed", "rows", "columns", "both", "expanded_rows", "expanded_columns", "offset")

PRODUCTS = """
x @ x.t() | x.t() @ x | x @ v | v @ x.t() | v @ v | x3 @ x3[0].t() | x3[:1] @ x3.mT | x3 @ torch.ones(4)
torch.ones(3) @ x3 | x3 @ x3.transpose(1, 2) | x3[0] @ x3.transpose(1, 2)
torch.ones(5, 1, 3, 4) @ x3[:, :2].transpose(1, 2) | x3[:, None] @ z | z[None] @ x3[0, :2] | x3 @ x3[:1].mT
x3.permute(1, 0, 2) @ x3.permute(1, 2, 0) | x3[..., ::2] @ z[:2, :2, :1].expand(2, 2, 3) | x[:, ::2] @ x[:3]
x[::2] @ x.t()[:, 1:] | x.t()[::2] @ x | x.expand(2, 4, 6) @ v | v @ x.t().expand(2, 6, 4) | x.expand(2, 4, 6) @ x.t()
x @ x.t().expand(2, 6, 4) | e @ x[:3] | x[:, :0] @ x[:0] | x[:, :0] @ v[:0] | v[:0] @ v[:0] | e @ v[:3]
torch.ones(2, 0, 3) @ torch.ones(3, 4) | torch.ones(0, 2, 3) @ z[0, :3, :] | torch.ones(2, 3, 0) @ torch.ones(0, 4)
torch.ones(2, 0, 3) @ torch.ones(3) | torch.ones(2, 1, 3, 0) @ torch.ones(4, 0, 2)
torch.ones(1, 2, 3) @ torch.ones(0, 3, 2) | z @ torch.ones(2) | z @ z[0].t() | x3.transpose(1, 2) @ x[:3]
x[:, :3] @ x3 | x[:2, :3] @ x3.transpose(0, 1)[:, 0] | v[:4] @ x | v[:3] @ x3[0] | torch.ones(4, 3) @ x3
torch.mm(x, x.t()) | torch.mv(x, v) | torch.dot(v, v) | torch.bmm(x3, x3.mT) | torch.vdot(v, v)
x.mm(x[:, :4].t()[:4].repeat(2, 1)[:6]) | torch.outer(v, v[:2]) | torch.ger(v[:3], v) | torch.inner(x, v)
torch.inner(x3, x[:2, :4]) | torch.inner(v, v) | torch.inner(s, x) | torch.inner(x, s)
torch.tensordot(x3[..., :3], z, 1) | torch.tensordot(x3, x3, 3) | torch.tensordot(x3, z, ([1, 2], [0, 1]))
torch.tensordot(x3, x3, ([0], [0])) | torch.tensordot(v, v, 1) | torch.tensordot(x, v, 0)
torch.tensordot(x3, x3, ([2, 1, 0], [2, 1, 0])) | torch.tensordot(x3, x3[:, :1], ([1], [1]))
"""

SCALED = """
torch.addmm(x[:, :4], x, x.t()) | torch.addmm(v[:4], x, x.t()) | torch.addmm(s, x, x.t(), beta=2, alpha=0.5)
torch.addmm(x[:, :1], x, x.t(), alpha=3) | torch.addmm(x[:1, :4], x, x.t(), beta=0)
torch.addmm(x[:, :4].t(), x, x.t(), beta=-1) | torch.addmm(x, x[:, :0], x[:0], beta=2) | torch.addmm(v, e, x[:3])
torch.addmv(v[:4], x, v) | torch.addmv(s, x, v, beta=2, alpha=-1) | torch.addmv(v[:1], x, v)
torch.addmv(v[:4], x[:, :0], v[:0], beta=3) | torch.addmv(v, x.t(), v[:4]) | torch.baddbmm(x3[..., :3], x3, x3.mT)
torch.baddbmm(s, x3, x3.mT, beta=2, alpha=0.5) | torch.baddbmm(x3[:1, :, :1], x3, x3.mT, beta=0)
torch.baddbmm(v[:3], x3, x3.mT) | torch.baddbmm(x3[..., :1], x3[..., :0], x3[..., :0].mT, beta=2)
torch.addbmm(x3[0, :, :3], x3, x3.mT) | torch.addbmm(s, x3, x3.mT, beta=3, alpha=2)
torch.addbmm(v[:3], x3, x3.mT, beta=0) | torch.addbmm(v[:3], x3[:0], x3[:0].mT, beta=2) | torch.addr(x, v[:4], v)
torch.addr(s, v[:4], v, beta=2, alpha=3) | torch.addr(v, v[:4], v, beta=0) | torch.addr(x[:, :1], v[:4], v)
x.addmm(x[:, :4], x) | x.addmm(x[:, :4], x, beta=0.5, alpha=-2) | x3.baddbmm(x3[..., :3], x3) | x.addr(v[:4], v)
v.addmv(x.t(), x[:, 0])
"""

LINEAR = """
F.linear(x, x) | F.linear(x, x, v[:4]) | F.linear(v, x) | F.linear(v, x, v[:4]) | F.linear(x3, x3[0])
F.linear(x3, x3[0], v[:3]) | F.linear(x3.transpose(1, 2), z[:, 0, :1].t())
F.linear(x3.transpose(1, 2), x[:2, :3], v[:2]) | F.linear(x.t(), x.t()[:, :4], v) | F.linear(x, v)
F.linear(x3, v[:4]) | F.linear(v, v) | F.linear(x, x, s) | F.linear(x, x[:0], v[:0]) | F.linear(x[:0], x, v[:4])
F.linear(x[:, :0], x[:, :0], v[:4]) | F.linear(x3[:0], x3[0], v[:3]) | F.linear(x3[:, ::2], x3[0], v[:3])
F.linear(x3[None], x3[0], v[:3]) | F.linear(x, x, v[:1]) | F.linear(x3, x3[0], v[:3, None].expand(3, 3))
F.linear(x[::2], x[:, :], v[:4])
"""

OTHER_DTYPES = """
x.{d}() @ x.{d}().t() | x.{d}() @ v.{d}() | v.{d}() @ v.{d}() | x3.{d}() @ x3.{d}().mT
torch.addmm(x.{d}()[:, :4], x.{d}(), x.{d}().t(), beta=2, alpha=3)
torch.addr(x.{d}(), v.{d}()[:4], v.{d}(), beta=2, alpha=3) | torch.baddbmm(s.{d}(), x3.{d}(), x3.{d}().mT, alpha=2)
torch.addmv(v.{d}()[:4], x.{d}(), v.{d}(), alpha=2) | torch.outer(v.{d}(), v.{d}()) | torch.inner(x.{d}(), v.{d}())
torch.addbmm(s.{d}(), x3.{d}(), x3.{d}().mT) | torch.mv(x.{d}(), v.{d}())
"""

ERRORS = """
x @ x | x @ s | s @ x | x @ v[:2] | v[:2] @ x | v @ v[:2] | x3 @ x3 | x3 @ x[:3] | x3 @ v | x3 @ z[:, :3, :]
torch.mm(x, v) | torch.mm(v, x) | torch.mm(x, x) | torch.mm(x, x3) | torch.mm(x, x.double().t())
torch.mm(x, x.long().t()) | torch.mm(m, m.t()) | m @ m.t() | m @ m[0] | m[0] @ m[0] | torch.bmm(m[None], m.t()[None])
x @ v.double() | v @ v.double() | x3 @ x3.mT.double() | torch.bmm(x3, x) | torch.bmm(x, x3) | torch.bmm(x3, x3)
torch.bmm(x3, x3[:1].mT) | torch.bmm(x3, x3.mT.double()) | torch.mv(x, x) | torch.mv(v, v) | torch.mv(x, v[:2])
torch.mv(x, v.double()) | torch.dot(x, v) | torch.dot(v, v[:2]) | torch.dot(v, s) | torch.dot(v, v.double())
torch.vdot(v, v[:2]) | torch.vdot(x, x) | torch.addmm(x, x, x) | torch.addmm(v, x, x.t()) | torch.addmm(x3, x, x.t())
torch.addmm(s, v, x) | torch.addmm(s, x, v) | torch.addmm(s.double(), x, x.t()) | torch.addmm(s, x, x.double().t())
torch.addmm(s, x.double(), x.t()) | torch.addmv(v, x, v) | torch.addmv(s, v, v) | torch.addmv(x, x, v)
torch.addmv(s, x.double(), v) | torch.baddbmm(s, x3, x3) | torch.baddbmm(s, x, x3) | torch.baddbmm(v, x3, x3.mT)
torch.baddbmm(s.double(), x3, x3.mT) | torch.addbmm(s, x3, x3) | torch.addbmm(s, x3, x3[:1].mT)
torch.addbmm(v, x3, x3.mT) | torch.addbmm(s, x, x3) | torch.addr(x, v, v) | torch.addr(s, x, v) | torch.addr(s, v, x)
torch.outer(x, v) | torch.outer(v, x) | torch.inner(x, v[:2]) | x.addmm_(x, x.t()) | v.addmv_(x, v) | x.addr_(v, v)
x3.baddbmm_(x3, x3.mT) | x @ m | torch.nn.functional.linear(x, x.t()) | torch.nn.functional.linear(x, x, v)
torch.nn.functional.linear(s, x) | torch.nn.functional.linear(x, x.double()) | torch.nn.functional.linear(x3, x)
torch.tensordot(x, x, 1) | torch.tensordot(x3, x3, ([0], [1])) | torch.tensordot(x, x, ([0], [0, 1]))
x.expand(2, 4, 6)[0, :1].expand(4, 6).addmm_(x[:, :4], x)
"""


def lines(text):
    return [e.strip() for line in text.strip().split("\n") for e in line.split(" | ") if e.strip()]


def with_functional(text):
    return [e.replace("F.", "torch.nn.functional.") for e in lines(text)]


def draw(rng, dtype, *shape):
    """Values that the dtype holds exactly, as wide NumPy numbers."""
    if dtype in INTEGERS:
        info = np.iinfo(dtype)
        return rng.integers(info.min, info.max, shape, dtype, endpoint=True)
    a = rng.standard_normal(shape)
    if dtype in COMPLEX:
        return (a + 1j * rng.standard_normal(shape)).astype(dtype).astype(np.complex128)
    return to_array(tl.tensor(a.tolist(), dtype=getattr(tl, dtype)).reshape(shape))


def to_array(t):
    return (t.double() if t.is_floating_point() else t).detach().numpy()


def put(array, dtype, layout="plain"):
    """A tensor of the array's values in memory laid out otherwise. Expanded ones take their first row or column."""
    n, m = array.shape
    dt = getattr(tl, dtype)

    def new(*shape):
        return tl.zeros(*shape, dtype=dt)

    if layout == "transposed":
        t = new(m, n).t()
    elif layout == "rows":
        t = new(2 * n, m)[::2]
    elif layout == "columns":
        t = new(n, 3 * m)[:, ::3]
    elif layout == "both":
        t = new(3 * m, 2 * n).t()[::2, 1::3]
    elif layout == "expanded_rows":
        t = new(1, m).expand(n, m)
        t[:1].copy_(tl.tensor(array[:1]).to(dt))
        return t
    elif layout == "expanded_columns":
        t = new(n, 1).expand(n, m)
        t[:, :1].copy_(tl.tensor(array[:, :1]).to(dt))
        return t
    elif layout == "offset":
        t = new(n + 1, m + 3)[1:, 2:-1]
    else:
        t = new(n, m)
    t.copy_(tl.tensor(array).to(dt))
    return t


def close(t, expected, dtype, terms=1):
    got = to_array(t)
    assert got.shape == np.shape(expected)
    if dtype in INTEGERS:
        np.testing.assert_array_equal(got, expected)
    else:
        scale = np.sqrt(max(terms, 1))
        np.testing.assert_allclose(got, expected, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype] * 3 * scale)


def sizes():
    """Every edge in every place, with others drawn beside it."""
    rng = np.random.default_rng(1)
    for e in EDGES:
        for place in range(3):
            size = [int(rng.choice(EDGES)) for _ in range(3)]
            size[place] = e
            yield tuple(size)
    yield from [
        (1, 1, 1),
        (1, 129, 129),
        (129, 1, 129),
        (129, 129, 1),
        (2, 300, 3),
        (3, 2000, 5),
        (6, 600, 16),
        (7, 1100, 17),
    ]


@pytest.mark.sanitize
@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS, *COMPLEX])
def test_edges_of_tiles(dtype):
    rng = np.random.default_rng(0)
    for n, k, m in sizes():
        a, b = draw(rng, dtype, n, k), draw(rng, dtype, k, m)
        left, right = rng.choice(LAYOUTS[:5], 2)
        with np.errstate(over="ignore"):
            expected = a @ b
        close(put(a, dtype, left) @ put(b, dtype, right), expected, dtype, k)


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "int16", "complex64"])
@pytest.mark.parametrize("size", [(1, 13, 33), (7, 5, 1), (5, 7, 6), (31, 65, 63), (65, 33, 17), (9, 34, 67)])
def test_layouts(dtype, size):
    n, k, m = size
    rng = np.random.default_rng(0)
    for left, right in itertools.product(LAYOUTS, LAYOUTS):
        a, b = put(draw(rng, dtype, n, k), dtype, left), put(draw(rng, dtype, k, m), dtype, right)
        x, y = to_array(a), to_array(b)
        with np.errstate(over="ignore"):
            expected = x @ y
        close(a @ b, expected, dtype, k)
        close(a @ b[:, 0], expected[:, 0], dtype, k)
        close(a[0] @ b, expected[0], dtype, k)
        out = put(np.zeros((n, m)), dtype, ("transposed", "rows", "columns", "both", "offset")[len(left + right) % 5])
        strides = out.stride()
        assert tl.mm(a, b, out=out) is out and out.stride() == strides
        close(out, expected, dtype, k)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_addend_in_every_layout(layout):
    rng = np.random.default_rng(0)
    for dtype, (n, k, m) in itertools.product(
        ("float32", "float64", "float16", "int32", "complex128"), [(7, 33, 13), (33, 5, 65)]
    ):
        a, b = draw(rng, dtype, n, k), draw(rng, dtype, k, m)
        c = put(draw(rng, dtype, n, m), dtype, layout)
        with np.errstate(over="ignore"):
            expected = 2 * to_array(c) - 3 * (a @ b)
        if dtype == "int32":
            expected = expected.astype(np.int32)
        x, y = put(a, dtype), put(b, dtype)
        if dtype == "float16":
            np.testing.assert_allclose(to_array(tl.addmm(c, x, y, beta=2, alpha=-3)), expected, rtol=1e-2, atol=0.1)
            continue
        close(tl.addmm(c, x, y, beta=2, alpha=-3), expected, dtype, k)
        close(tl.baddbmm(c[None], x[None], y[None], beta=2, alpha=-3)[0], expected, dtype, k)
        close(tl.addmv(c[:, 0], x, y[:, 0], beta=2, alpha=-3), expected[:, 0], dtype, k)
        if "expanded" not in layout:
            assert c.addmm_(x, y, beta=2, alpha=-3) is c
            close(c, expected, dtype, k)


@pytest.mark.sanitize
def test_long_inner_dimensions_of_bfloat16():
    """Pairs of bfloat16 (an even length) and single ones, in several pieces."""
    rng = np.random.default_rng(0)
    for k in (2, 1024, 1026, 1027, 2100):
        for left, right in itertools.product(("plain", "transposed"), repeat=2):
            a, b = (put(rng.standard_normal(s), "bfloat16", v) for s, v in (((14, k), left), ((k, 70), right)))
            expected = to_array(a) @ to_array(b)
            np.testing.assert_allclose(to_array(a @ b), expected, rtol=2**-8, atol=2e-5 * k)


def test_long_inner_dimensions_with_beta_and_alpha():
    rng = np.random.default_rng(0)
    for k in (255, 256, 257, 512, 513, 1025):
        a, b, c = rng.standard_normal((9, k)), rng.standard_normal((k, 21)), rng.standard_normal(21)
        for beta, alpha in ((1, 1), (0, 1), (0, 2), (0.5, -1)):
            got = tl.addmm(tl.tensor(c), tl.tensor(a), tl.tensor(b), beta=beta, alpha=alpha)
            np.testing.assert_allclose(got.numpy(), beta * c + alpha * (a @ b), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    "shapes",
    [
        ((3, 1, 7, 5), (2, 5, 6)),
        ((2, 1, 13), (1, 13, 4)),
        ((4, 3, 5), (5,)),
        ((5,), (4, 5, 3)),
        ((6, 5), (2, 3, 5, 4)),
        ((2, 3, 4, 5), (5, 7)),
        ((9, 1, 33), (9, 33, 1)),
        ((4, 33, 65), (1, 65, 31)),
    ],
)
def test_batches_broadcast(shapes):
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal(s) for s in shapes)
    np.testing.assert_allclose((tl.tensor(a) @ tl.tensor(b)).numpy(), a @ b, rtol=1e-12, atol=1e-12)
    a, b = (rng.integers(-9, 9, s) for s in shapes)
    np.testing.assert_array_equal((tl.tensor(a) @ tl.tensor(b)).numpy(), a @ b)


def test_batches_in_other_layouts():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((5, 7, 3)), rng.standard_normal((7, 6, 3))
    x, y = tl.tensor(a).permute(2, 0, 1), tl.tensor(b).permute(2, 0, 1)
    expected = a.transpose(2, 0, 1) @ b.transpose(2, 0, 1)
    np.testing.assert_allclose(tl.bmm(x, y).numpy(), expected, rtol=1e-12, atol=1e-12)
    out = tl.zeros(5, 3, 6, dtype=tl.float64).transpose(0, 1)
    tl.bmm(x, y, out=out)
    np.testing.assert_allclose(out.numpy(), expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(
        (x[:1].expand(3, 5, 7) @ y).numpy(), expected[:1] * 0 + x[:1].numpy() @ y.numpy(), atol=1e-12
    )


def test_nothing_to_add_gives_zeros_and_the_addend():
    assert (tl.ones(3, 0) @ tl.ones(0, 4)).tolist() == [[0.0] * 4] * 3
    assert (tl.ones(3, 0) @ tl.ones(0)).tolist() == [0.0] * 3
    assert (tl.ones(0) @ tl.ones(0)).item() == 0
    assert (tl.ones(2, 3, 0) @ tl.ones(2, 0, 4)).tolist() == [[[0.0] * 4] * 3] * 2
    assert tl.addmm(tl.ones(4), tl.ones(3, 0), tl.ones(0, 4), beta=2).tolist() == [[2.0] * 4] * 3
    assert tl.mm(tl.ones(3, 0), tl.ones(0, 2), out=tl.full((3, 2), 7.0)).tolist() == [[0.0] * 2] * 3
    for shapes in [((0, 3), (3, 4)), ((3, 0), (0, 0)), ((0, 0), (0, 5)), ((0, 2, 3), (0, 3, 4)), ((2, 3, 4), (4, 0))]:
        a, b = (np.ones(s) for s in shapes)
        assert tuple((tl.tensor(a) @ tl.tensor(b)).shape) == (a @ b).shape


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("size", [(7, 13, 33), (1, 33, 17), (33, 5, 1), (65, 300, 31)])
def test_nan_and_inf_reach_their_row_and_column_alone(bad, size):
    n, k, m = size
    rng = np.random.default_rng(0)
    for dtype in FLOATS:
        a, b = np.abs(draw(rng, dtype, n, k)), np.abs(draw(rng, dtype, k, m))
        a[n // 2, k - 1] = bad
        b[0, m - 1] = bad
        with np.errstate(invalid="ignore"):
            expected = a @ b
        got = to_array(put(a, dtype) @ put(b, dtype))
        np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
        np.testing.assert_array_equal(np.isinf(got), np.isinf(expected))
    assert np.isnan((tl.tensor([0.0, 1]) @ tl.tensor([bad, 1])).item())


def test_beta_zero_does_not_read_the_input():
    nan, x, v = tl.full((3, 3), float("nan")), tl.ones(3, 3), tl.ones(3)
    results = [
        tl.addmm(nan, x, x, beta=0),
        nan.clone().addmm_(x, x, beta=0.0),
        tl.addmv(nan[0], x, v, beta=0),
        tl.baddbmm(nan[None], x[None], x[None], beta=0),
        tl.addbmm(nan, x[None], x[None], beta=0),
        tl.addr(nan, v, v, beta=0) * 3,
        tl.addmm(nan, x[:, :0], x[:0], beta=0) + 3,
        tl.mm(x, x, out=nan.clone()),
        tl.mm(x.half(), x.half(), out=nan.half()),
    ]
    assert all((r == 3).all() for r in results)
    # Alpha of zero multiplies nevertheless.
    assert np.isnan(tl.addmm(x, nan, nan, alpha=0).tolist()).all()


def test_out_resizes_warns_and_may_be_an_operand():
    a = np.random.default_rng(0).standard_normal((7, 7))
    x = tl.tensor(a)
    out = tl.empty(0, dtype=tl.float64)
    assert tl.mm(x, x, out=out) is out and tuple(out.shape) == (7, 7)
    with pytest.warns(UserWarning, match="resized"):
        tl.mm(x, x, out=tl.zeros(3, dtype=tl.float64))
    y = x.clone()
    tl.mm(y, y, out=y)
    np.testing.assert_allclose(y.numpy(), a @ a)
    y = x.clone()
    tl.mm(y.t(), y, out=y)
    np.testing.assert_allclose(y.numpy(), a.T @ a)
    y = x.clone()
    y.addmm_(y, y.t(), beta=2)
    np.testing.assert_allclose(y.numpy(), 2 * a + a @ a.T)
    y = x.clone()
    tl.addmm(y.t(), x, x, out=y)
    np.testing.assert_allclose(y.numpy(), a.T + a @ a)
    y = x.clone()
    tl.matmul(y, y[0], out=y[:, 3])
    np.testing.assert_allclose(y[:, 3].numpy(), a @ a[0])
    with pytest.raises(RuntimeError, match="unsupported operation"):
        tl.mm(x, x, out=tl.zeros(1, 7, dtype=tl.float64).expand(7, 7))
    with pytest.raises(RuntimeError, match="dtype"):
        tl.mm(x, x, out=tl.zeros(7, 7))


def test_linear_against_numpy():
    rng = np.random.default_rng(0)
    for shape, n in itertools.product([(5,), (3, 5), (2, 3, 5), (2, 0, 5), (33, 65), (129, 97)], (1, 6, 33)):
        a, w, b = rng.standard_normal(shape), rng.standard_normal((n, shape[-1])), rng.standard_normal(n)
        x, tw, tb = tl.tensor(a), tl.tensor(w), tl.tensor(b)
        np.testing.assert_allclose(tl.nn.functional.linear(x, tw).numpy(), a @ w.T, rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(tl.nn.functional.linear(x, tw, tb).numpy(), a @ w.T + b, rtol=1e-11, atol=1e-11)


@pytest.mark.sanitize
@pytest.mark.cpu
def test_the_same_bits_for_any_number_of_threads():
    tl.manual_seed(0)
    cases = [
        (200, 300, 150),
        (1, 1500, 900),
        (900, 1500, 1),
        (6, 700, 500),
        (500, 700, 7),
        (65, 2100, 97),
        (3000, 40, 33),
    ]
    before = tl.get_num_threads()
    try:
        for (n, k, m), dtype in itertools.product(cases, (tl.float32, tl.float64, tl.bfloat16)):
            a, b = tl.randn(n, k).to(dtype), tl.randn(m, k).to(dtype)
            results = []
            for threads in (1, 2, 3):
                tl.set_num_threads(threads)
                results.append([a @ b.t(), tl.addmm(b[:, 0], a, b.t(), alpha=2), a[0] @ b.t(), a[0].dot(b[0])])
            for other in results[1:]:
                assert all(tl.equal(p, q) for p, q in zip(results[0], other)), (n, k, m, dtype)
        a, b = tl.randn(9, 120, 90), tl.randn(9, 90, 70)
        results = []
        for threads in (1, 2, 3):
            tl.set_num_threads(threads)
            results.append(a @ b)
        assert all(tl.equal(r, results[0]) for r in results)
    finally:
        tl.set_num_threads(before)


SCRIPT = """
import itertools
import numpy as np
import tensorlite as tl

rng = np.random.default_rng(0)
F = tl.nn.functional
SIZES = [(1, 7, 33), (7, 13, 5), (13, 300, 65), (65, 33, 1), (129, 63, 97)]
DTYPES = "float32 float64 int8 int64 complex64 bfloat16 float16".split()
for (n, k, m), dtype in itertools.product(SIZES, DTYPES):
    a, b = rng.integers(-3, 4, (n, k)), rng.integers(-3, 4, (k, m))
    dt = getattr(tl, dtype)
    x, y = tl.tensor(a).to(dt), tl.tensor(b).to(dt)
    expected = tl.tensor(a @ b).to(dt)
    assert tl.equal(x @ y, expected), (n, k, m, dtype)
    assert tl.equal(x.t().contiguous().t() @ y.t().contiguous().t(), expected), (n, k, m, dtype)
    assert tl.equal(x @ y[:, 0], expected[:, 0]) and tl.equal(x[0] @ y, expected[0]), (n, k, m, dtype)
for stride, dilation, groups, dtype in itertools.product((1, 2), (1, 2), (1, 2, 4), ("float32", "float64", "float16")):
    dt = getattr(tl, dtype)
    a, w = rng.integers(-2, 3, (2, 4, 9, 37)), rng.integers(-2, 3, (8, 4 // groups, 3, 3))
    args = dict(stride=stride, dilation=dilation, groups=groups, padding=1)
    x, k = tl.tensor(a).to(dt).requires_grad_(), tl.tensor(w).to(dt).requires_grad_()
    got = F.conv2d(x, k, **args)
    slow = np.zeros(tuple(got.shape))
    padded = np.pad(a, [(0, 0), (0, 0), (1, 1), (1, 1)])
    h, v = got.shape[2:]
    c, o = 4 // groups, 8 // groups
    for i, j, g in itertools.product(range(3), range(3), range(groups)):
        seen = padded[:, g * c : g * c + c, i * dilation :, j * dilation :]
        seen = seen[:, :, : h * stride : stride, : v * stride : stride]
        slow[:, g * o : g * o + o] += np.einsum("nchw,oc->nohw", seen, w[g * o : g * o + o, :, i, j])
    assert (got.detach().double().numpy() == slow).all(), (args, dtype)
    got.sum().backward()
    ones_x, ones_w = tl.ones(x.shape).double(), tl.ones(k.shape).double()
    assert x.grad.double().sum() == F.conv2d(ones_x, tl.tensor(w).double(), **args).sum(), (args, dtype)
    assert k.grad.double().sum() == F.conv2d(tl.tensor(a).double(), ones_w, **args).sum(), (args, dtype)
"""


@pytest.mark.parametrize("path", ["baseline", "avx2", "avx512"])
@pytest.mark.skipif(not IS_TENSORLITE, reason="the paths are tensorlite's")
def test_every_instruction_set(path):
    env = dict(
        os.environ,
        TENSORLITE_CPU=path,
        PYTHONPATH=os.pathsep.join([str(Path(tl.__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]),
    )
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=env, capture_output=True, text=True)
    if done.returncode and "does not have" in done.stderr:
        pytest.skip(done.stderr.strip().split("\n")[-1])
    assert done.returncode == 0, done.stderr


def inputs(*shapes, dtype=None):
    return tuple(tl.randn(*s, dtype=dtype or tl.float64, requires_grad=True) for s in shapes)


GRADIENTS = [
    (lambda a, b: a @ b, [(2, 3), (3, 2)]),
    (lambda a, b: a.t() @ b.t(), [(3, 2), (2, 3)]),
    (lambda a, b: a @ b, [(2, 3), (3,)]),
    (lambda a, b: a @ b, [(3,), (3, 2)]),
    (lambda a, b: a @ b, [(3,), (3,)]),
    (lambda a, b: a @ b, [(2, 1, 2), (2, 3)]),
    (lambda a, b: a @ b, [(2, 3), (2, 3, 1)]),
    (lambda a, b: a @ b, [(2, 1, 1, 2), (2, 2, 2)]),
    (lambda a, b: a @ b, [(2, 2, 3), (3,)]),
    (lambda a, b: a @ b, [(2, 0), (0, 3)]),
    (tl.vdot, [(3,), (3,)]),
    (lambda c, a, b: tl.addmm(c, a, b, beta=2, alpha=3), [(2,), (2, 3), (3, 2)]),
    (lambda c, a, b: tl.addmv(c, a, b, beta=2, alpha=3), [(2,), (2, 3), (3,)]),
    (lambda c, a, b: tl.baddbmm(c, a, b, beta=2, alpha=3), [(2, 1), (2, 2, 3), (2, 3, 2)]),
    (lambda c, a, b: tl.addbmm(c, a, b, beta=2, alpha=3), [(2,), (2, 2, 3), (2, 3, 2)]),
    (lambda c, a, b: tl.addr(c, a, b, beta=2, alpha=3), [(3,), (2,), (3,)]),
    (tl.nn.functional.linear, [(2, 2, 3), (2, 3), (2,)]),
    (tl.nn.functional.linear, [(3,), (2, 3), (2,)]),
    (tl.outer, [(2,), (3,)]),
    (tl.inner, [(2, 2), (3, 2)]),
    (lambda a, b: tl.tensordot(a, b, ([0, 2], [1, 0])), [(2, 2, 3), (3, 2, 2)]),
    (lambda a, b, c: tl._C._multi_dot([a, b, c]), [(2, 3), (3, 1), (1, 2)]),
]


@pytest.mark.parametrize(("f", "shapes"), GRADIENTS)
def test_gradients_and_second_gradients(f, shapes):
    x = inputs(*shapes)
    assert tl.autograd.gradcheck(f, x)
    assert tl.autograd.gradgradcheck(f, x)


@pytest.mark.parametrize(("f", "shapes"), GRADIENTS[:16])
def test_complex_gradients(f, shapes):
    assert tl.autograd.gradcheck(f, inputs(*shapes, dtype=tl.complex128))


def test_the_gradient_of_a_transposed_weight_is_laid_out_as_the_weight():
    x, w = tl.randn(5, 3), tl.randn(4, 3, requires_grad=True)
    tl.nn.functional.linear(x, w).sum().backward()
    assert w.grad.is_contiguous() and w.grad.stride() == w.stride()


# ---- PyTorch beside it ----


def dtyped(expressions):
    return [
        e.format(d=d)
        for d in ("double", "half", "bfloat16", "long", "int", "short", "cfloat", "cdouble")
        for e in lines(expressions)
    ]


def quietly(f, *args):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return f(*args)


@pytest.mark.parity
@pytest.mark.parametrize("expression", lines(PRODUCTS + SCALED) + with_functional(LINEAR) + dtyped(OTHER_DTYPES))
def test_parity(expression):
    torch = pytest.importorskip("torch")
    assert_same(evaluate(tl, expression), evaluate(torch, expression))


def edges(node, depth=0):
    if node is None or depth > 12:
        return None
    return node.name().split("::")[-1], [edges(n, depth + 1) for n, _ in node.next_functions]


@pytest.mark.parity
@pytest.mark.parametrize("expression", lines(PRODUCTS + SCALED) + with_functional(LINEAR))
def test_parity_of_graph_and_gradient(expression):
    torch = pytest.importorskip("torch")
    assert graph(tl, expression) == graph(torch, expression)
    ours, theirs = (quietly(eval, expression, namespace(lib, True)) for lib in (tl, torch))
    assert edges(ours.grad_fn) == edges(theirs.grad_fn)
    if ours.requires_grad:
        assert_same_gradients(gradients(tl, expression), gradients(torch, expression))


@pytest.mark.parity
@pytest.mark.parametrize("expression", lines(ERRORS))
def test_parity_of_errors(expression):
    torch = pytest.importorskip("torch")
    ours, theirs = error(tl, expression), error(torch, expression)
    assert ours[0] == theirs[0]
    assert ours[1].startswith(theirs[1].rstrip("."))


@pytest.mark.parity
def test_parity_of_chains():
    torch = pytest.importorskip("torch")
    for expression in (
        "[x, x.t(), x]",
        "[v, x.t(), x, v]",
        "[x, x.t()]",
        "[x, x.t(), x, v]",
        "[x[:1], x.t(), x, x.t(), x]",
    ):
        chain = [eval(expression, namespace(lib, True)) for lib in (tl, torch)]
        results = tl._C._multi_dot(chain[0]), torch.linalg.multi_dot(chain[1])
        assert_same([results[0]], [results[1]])
    for expression in ("[x]", "[x, x]", "[x, x3, x]", "[x, x.t(), x.t()]", "[x3, x]", "[v, v, v]"):
        messages = []
        for lib, f in ((tl, tl._C._multi_dot), (torch, torch.linalg.multi_dot)):
            with pytest.raises(RuntimeError) as e:
                f(eval(expression, namespace(lib)))
            messages.append(str(e.value))
        assert messages[0].startswith(messages[1].rstrip("."))


@pytest.mark.parity
def test_parity_of_complex_products():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    a = rng.standard_normal((2, 5, 5)) + 1j * rng.standard_normal((2, 5, 5))
    for f in (
        lambda lib, x: lib.vdot(x[0, 0], x[1, 0]),
        lambda lib, x: x.conj() @ x.mT,
        lambda lib, x: lib.addmm(x[0], x[0], x[1].conj(), beta=1 - 2j, alpha=2j),
        lambda lib, x: lib.addr(x[0], x[0, 0], x[1, 1], beta=2j, alpha=0.5 + 1j),
    ):
        results, grads = [], []
        for lib in (tl, torch):
            x = lib.tensor(a, requires_grad=True)
            y = f(lib, x)
            (y * (1 + 2j)).abs().sum().backward()
            results.append(values(y))
            grads.append(values(x.grad))
        np.testing.assert_allclose(*results, rtol=1e-12)
        np.testing.assert_allclose(*grads, rtol=1e-12)


def test_a_sum_of_products_keeps_its_dtype():
    x, y = tl.tensor([0, 2, 3], dtype=tl.uint8)[::2], tl.tensor([1, 4], dtype=tl.uint8)
    assert tl.inner(x, y).dtype == tl.uint8 and tl.inner(x, y).item() == 12
    assert tl.tensordot(x, y[:1], 1).dtype == tl.uint8
    with pytest.raises(TypeError, match="unsupported operand type"):
        x @ 2
