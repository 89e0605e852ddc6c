"""Sorting, selecting, unique elements, searching and counting: values, ties, NaN, graphs, gradients and errors."""

import numpy as np
import pytest
from expressions import assert_same, assert_same_gradients, describe, error, evaluate, gradients, graph
from library import tl

NAN = 'torch.tensor([[3.0, float("nan"), 1.0, -0.0], [0.0, 2.0, float("nan"), float("-inf")]])'
SORTS = f"""
x.sin().sort() | x.sin().sort(0) | x.sin().sort(0, True) | x.sin().t().sort() | x3.cos().transpose(0, 2).sort(1) | s.sort()
e.sort() | e.sort(0) | i.sort(stable=True) | m.sort(dim=1, stable=True) | x.sin().half().sort() | i.to(torch.uint8).sort(stable=True)
{NAN}.sort(stable=True) | {NAN}.sort(descending=True, stable=True) | {NAN}.sort(0) | x[:, ::2].sin().sort(descending=True)
torch.sort(x.sin(), 0, out=(torch.empty(0), torch.empty(0, dtype=torch.int64))) | x.round().sort(stable=True, dim=1)
x.sin().argsort() | x.sin().argsort(0, descending=True) | (x % 2).argsort(stable=True) | s.argsort() | x.cos().msort() | s.msort()
x.sin().topk(2) | x.sin().topk(3, 0) | x.sin().topk(2, 0, largest=False) | x.cos().t().topk(1) | s.topk(1) | s.topk(0) | x.topk(0)
{NAN}.topk(2) | {NAN}.topk(3, largest=False) | i.topk(1) | torch.topk(x.sin(), k=2, dim=1, sorted=True)
torch.topk(x.sin(), 2, out=(torch.empty(0), torch.empty(0, dtype=torch.int64))) | x.sin().kthvalue(2) | x.sin().kthvalue(1, 0)
x.cos().kthvalue(3, 0, True) | s.kthvalue(1) | e.kthvalue(1) | x3.sin().kthvalue(2, 1) | {NAN}.kthvalue(4)
x.sin().median() | x.sin().median(0) | x.sin().median(1, keepdim=True) | s.median() | s.median(0) | e.median() | e.median(1)
{NAN}.median() | {NAN}.median(1) | {NAN}.nanmedian() | {NAN}.nanmedian(1) | {NAN}.nanmedian(0, True) | i.median() | x3.sin().median(1)
x.t().sin().median() | e.int().median() | i.mode() | x.round().mode(1) | x.round().mode(0, keepdim=True) | s.mode() | m.mode()
"""
STATISTICS = f"""
i.unique() | i.unique(return_inverse=True, return_counts=True) | x.unique() | (x % 2).unique(return_counts=True) | m.unique()
{NAN}.unique() | s.unique(return_inverse=True) | e.unique() | e.unique(return_inverse=True, return_counts=True)
(x % 2).unique(dim=0, return_inverse=True, return_counts=True) | (x % 2).unique(dim=1, return_inverse=True, return_counts=True)
(x3 % 2).unique(dim=-1) | e.unique(dim=0) | torch.unique(i, True, False) | torch.unique(x.half().t(), return_inverse=True)
i.unique_consecutive() | (x // 1).unique_consecutive(return_inverse=True, return_counts=True) | e.unique_consecutive()
i.unique_consecutive(dim=1) | (x // 2).unique_consecutive(dim=0, return_counts=True) | s.unique_consecutive()
torch.searchsorted(v, x) | torch.searchsorted(v, x, right=True) | torch.searchsorted(v, 0.5) | torch.searchsorted(v, s)
torch.searchsorted(x, x[:, 1:3]) | torch.searchsorted(v, i) | torch.searchsorted(v, x.t(), side="right", out_int32=True)
torch.searchsorted(v.flip(0), x, sorter=torch.tensor([5, 4, 3, 2, 1, 0])) | torch.searchsorted(v, {NAN}) | torch.searchsorted(v, 1)
torch.searchsorted(torch.zeros(0), x) | torch.searchsorted(v, x, out=torch.empty(0, dtype=torch.int64)) | torch.bucketize(x, v)
torch.bucketize(1.0, v) | torch.bucketize(x, v, right=True, out_int32=True) | torch.bucketize(i, v) | torch.bucketize(3, i[0])
x.histc() | x.histc(5) | x.histc(4, 0, 3) | torch.histc(x, bins=7, min=-1, max=1) | torch.histc(torch.ones(3), 4) | e.histc(3)
torch.histc({NAN}, 3, 0, 3) | x.double().histc(3) | x.half().histc(3) | j.bincount() | j.bincount(minlength=9)
j.bincount(v[:3]) | torch.bincount(j, weights=j) | torch.bincount(torch.zeros(0, dtype=torch.int64), minlength=2)
j.to(torch.uint8).bincount() | torch.isin(i, j) | torch.isin(i, 1) | torch.isin(1, i) | torch.isin(x, v) | torch.isin(i, v)
torch.isin(x, v, invert=True) | torch.isin(x, torch.tensor([])) | torch.isin({NAN}, {NAN}.flatten()) | torch.isin(x, v, assume_unique=True)
x.quantile(0.3) | x.sin().quantile(0.3, 0) | x.sin().quantile(0.3, 1, True) | x.sin().quantile(torch.tensor([0.0, 0.4, 1.0]), 1)
x.sin().quantile(torch.tensor([0.0, 0.4]), keepdim=True) | x.sin().quantile(torch.tensor([0.25, 0.5]), 0, True) | s.quantile(0.5)
{NAN}.quantile(0.5) | {NAN}.quantile(0.5, 0) | {NAN}.nanquantile(0.5) | {NAN}.nanquantile(0.3, 0) | {NAN}.nanquantile(0.9, 1, True)
v.quantile(0.3, interpolation="lower") | v.quantile(0.3, interpolation="higher") | v.quantile(0.3, interpolation="midpoint")
v.quantile(0.3, interpolation="nearest") | v.quantile(0.5, interpolation="nearest") | x3.sin().quantile(torch.tensor(0.7), 1)
x.t().double().quantile(0.1, -1) | torch.quantile(x, 0.3, out=torch.empty(0))
"""
ERRORS = """
x.topk(7) | x.topk(-1) | s.topk(2) | x.topk(1, 2) | m.topk(1) | x.kthvalue(0) | x.kthvalue(7) | e.kthvalue(1, 0) | m.kthvalue(1)
x.sort(5) | torch.view_as_complex(z).sort() | torch.view_as_complex(z).topk(1) | torch.view_as_complex(z).unique()
torch.view_as_complex(z).median() | torch.view_as_complex(z).median(0) | m.median() | m.median(0) | e.median(0) | e.mode(0)
torch.sort(x, out=(torch.empty(0).double(), torch.empty(0).long())) | torch.sort(x, out=(torch.empty(0), torch.empty(0)))
torch.topk(x, 1, out=(torch.empty(0), torch.empty(0))) | torch.kthvalue(x, 1, out=(torch.empty(0), torch.empty(0).int()))
torch.median(x, 0, out=(torch.empty(0), torch.empty(0).int())) | torch.mode(x, 0, out=(torch.empty(0), torch.empty(0).int()))
s.unique(dim=0) | e.unique(dim=1) | x.unique(dim=2) | torch.searchsorted(x, x[:2]) | torch.searchsorted(x, 1.0) | torch.searchsorted(s, x)
torch.searchsorted(v, x, side="up") | torch.searchsorted(v, x, side="left", right=True) | torch.bucketize(x, x)
torch.searchsorted(v, x, sorter=torch.tensor([0, 9, 1, 2, 3, 4])) | torch.searchsorted(v, x, sorter=torch.tensor([0, 1]))
torch.searchsorted(v, x, out=torch.empty(0, dtype=torch.int32)) | x.histc(0) | x.histc(3, 2, 1) | i.histc() | x.bincount()
i.bincount() | (-j).bincount() | j.bincount(minlength=-1) | j.bincount(v) | torch.isin(m, m) | x.quantile(2.0) | i.quantile(0.5)
e.quantile(0.5) | x.quantile(torch.tensor([[0.5]])) | x.quantile(torch.tensor([0.5]).double()) | x.quantile(torch.tensor([2.0]))
x.quantile(0.5, interpolation="up") | x.quantile(0.5, 4) | torch.quantile(x, 0.5, out=torch.empty(0).double())
"""


def lines(text):
    return [e.strip() for line in text.split("\n") for e in line.split(" | ") if e.strip()]


def assert_same_layout(ours, theirs):
    """All but which of them are views: that follows from how the parts are put together."""
    assert_same(ours, theirs, layout=False)
    for a, b in zip(ours, theirs):
        assert describe(a)[:3] == describe(b)[:3]


DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64"]


def draw(dtype, *shape, seed=0):
    rng = np.random.default_rng(seed)
    if dtype == "bool":
        return tl.tensor(rng.integers(0, 2, shape).astype(bool))
    if "float" in dtype:
        a = rng.standard_normal(shape) * 10.0 ** rng.integers(-3, 4, shape)
        a[rng.random(shape) < 0.1] = np.nan
        a[rng.random(shape) < 0.1] = 0.0
        a[rng.random(shape) < 0.1] = -0.0
        return tl.tensor(a).to(getattr(tl, dtype))
    info = np.iinfo(dtype)
    return tl.tensor(rng.integers(info.min, info.max, shape, dtype=dtype, endpoint=True))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [5, 97, 1000, 20_000])
@pytest.mark.parametrize("descending", [False, True])
def test_sort_is_stable_in_every_dtype(dtype, n, descending):
    t = draw(dtype, n)
    values, indices = t.sort(descending=descending)
    wide = np.array(t.tolist(), dtype=np.float64 if "float" in dtype else np.int64)
    if descending:  # NaN first, equal ones in their order
        key = -wide if "float" in dtype else -1 - wide
        order = np.lexsort((np.arange(n), key, ~np.isnan(wide)))
    else:
        order = np.argsort(wide, kind="stable")
    np.testing.assert_array_equal(indices.numpy(), order)
    np.testing.assert_array_equal(np.array(values.tolist(), dtype=wide.dtype), wide[order])
    assert values.tolist().__repr__() == t[indices].tolist().__repr__()  # -0 stays -0


@pytest.mark.parametrize("dtype", [d for d in DTYPES if d != "bool"])
@pytest.mark.parametrize("k", [1, 7, 300, 4999])
def test_selection_is_part_of_the_order(dtype, k):
    t = draw(dtype, 5000, seed=1)
    ordered = t.sort()
    for largest in (False, True):
        top, expected = t.topk(k, largest=largest), t.sort(descending=largest)
        assert top.indices.equal(expected.indices[:k])
        np.testing.assert_array_equal(top.values.double().numpy(), expected.values[:k].double().numpy())
    assert t.kthvalue(k).indices.item() == ordered.indices[k - 1].item()


@pytest.mark.cpu
def test_long_lines_do_not_depend_on_threads():
    t = draw("float32", 400_000, seed=2)
    before = tl.get_num_threads()
    try:
        results = []
        for threads in (1, 2, 5):
            tl.set_num_threads(threads)
            results.append(t.sort().indices)
    finally:
        tl.set_num_threads(before)
    np.testing.assert_array_equal(results[0].numpy(), np.argsort(t.numpy(), kind="stable"))
    assert results[0].equal(results[1]) and results[0].equal(results[2])


def test_any_dim_of_any_layout():
    t = draw("float32", 7, 40, 5, seed=3)
    for layout in (t, t.permute(2, 0, 1), t[:, ::2], t.transpose(0, 1)[1:]):
        a = layout.numpy()
        for dim in range(3):
            np.testing.assert_array_equal(layout.sort(dim).values.numpy(), np.sort(a, dim))
            assert layout.sort(dim).values.stride() == layout.clone().stride()
            np.testing.assert_array_equal(
                layout.nan_to_num().median(dim).values.numpy(),
                np.sort(np.nan_to_num(a), dim).take((a.shape[dim] - 1) // 2, dim),
            )
            np.testing.assert_array_equal(layout.topk(2, dim).values.numpy(), layout.sort(dim, True).values.narrow(dim, 0, 2))


def test_unique_and_counts_against_numpy():
    a = np.random.default_rng(4).integers(0, 50, (30, 40))
    for got, expected in zip(
        tl.tensor(a).unique(return_inverse=True, return_counts=True),
        np.unique(a, return_inverse=True, return_counts=True),
    ):
        np.testing.assert_array_equal(got.numpy().ravel(), expected.ravel())
    rows = a[:, :2] % 3
    for got, expected in zip(
        tl.tensor(rows).unique(dim=0, return_inverse=True, return_counts=True),
        np.unique(rows, axis=0, return_inverse=True, return_counts=True),
    ):
        np.testing.assert_array_equal(got.numpy().ravel(), expected.ravel())
    np.testing.assert_array_equal(tl.tensor(a.ravel()).bincount().numpy(), np.bincount(a.ravel()))
    np.testing.assert_array_equal(tl.isin(tl.tensor(a), tl.arange(0, 50, 3)).numpy(), np.isin(a, np.arange(0, 50, 3)))
    q = [0.1, 0.5, 0.77]
    np.testing.assert_allclose(
        tl.tensor(a).double().quantile(tl.tensor(q, dtype=tl.float64), 1).numpy(), np.quantile(a, q, axis=1)
    )
    np.testing.assert_array_equal(
        tl.histc(tl.tensor(a).float(), 10, 0, 50).numpy(), np.histogram(a, 10, (0, 50))[0]
    )


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x.sort(0).values ** 2,
        lambda x: x.sort(stable=True, descending=True).values ** 2,
        lambda x: x.topk(2).values * x.kthvalue(2).values[:, None],
        lambda x: x.median() * x.nanmedian(),
        lambda x: x.median(0).values * x.nanmedian(0, True).values,
        lambda x: x.mode(1).values ** 2,
        lambda x: x.msort() * x.quantile(0.3),
        lambda x: x.quantile(tl.tensor([0.2, 0.9], dtype=tl.float64), 1) * x.nanquantile(0.5),
        lambda x: x[0, 0].sort().values * x[0, 1].median() * x[0, 2].kthvalue(1).values,
    ],
)
def test_gradients_and_second_gradients(f):
    tl.manual_seed(5)
    x = tl.randn(3, 4, dtype=tl.float64, requires_grad=True)
    assert tl.autograd.gradcheck(f, (x,))
    assert tl.autograd.gradgradcheck(f, (x,))


def test_results_are_named():
    r = tl.tensor([3.0, 1.0]).sort()
    assert type(r).__name__ == "sort" and r.values.tolist() == [1.0, 3.0] and r.indices.tolist() == [1, 0]
    with pytest.raises(RuntimeError, match="selected index k out of range"):
        tl.ones(3).topk(4)


@pytest.mark.parity
@pytest.mark.parametrize("expression", lines(SORTS + STATISTICS))
def test_parity(expression):
    torch = pytest.importorskip("torch")
    assert_same_layout(evaluate(tl, expression), evaluate(torch, expression))


@pytest.mark.parity
@pytest.mark.parametrize("expression", [e for e in lines(SORTS) if "out=" not in e and "nan" not in e])
def test_parity_of_graph_and_gradient(expression):
    torch = pytest.importorskip("torch")
    if not evaluate(tl, expression)[0].is_floating_point():
        pytest.skip("no gradient")
    first = f"[({expression}) if isinstance({expression}, torch.Tensor) else ({expression})[0]]"
    assert graph(tl, first) == graph(torch, first)
    assert_same_gradients(gradients(tl, first), gradients(torch, first))


@pytest.mark.parity
@pytest.mark.parametrize("expression", lines(ERRORS))
def test_parity_of_errors(expression):
    torch = pytest.importorskip("torch")
    ours, theirs = error(tl, expression), error(torch, expression)
    assert ours[0] == theirs[0]
    assert ours[1].startswith(theirs[1].rstrip("."))
