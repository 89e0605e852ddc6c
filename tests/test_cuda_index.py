"""Indexing on a CUDA device: the tables of test_index.py, and what they do not reach. The CPU's results are the measure."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pytest
from expressions import _gradients, assert_same, assert_same_gradients, namespace, walk
from library import IS_TENSORLITE, tl
from test_index import BRACKETS, ERRORS, OPERATORS, WRITES, lines

pytestmark = pytest.mark.skipif(not IS_TENSORLITE or not tl.cuda.is_available(), reason="no CUDA device")

EVERY_DTYPE = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64")
EVERY_DTYPE += ("complex64", "complex128")


class OnDevice:
    """The library, whose tensors are made on the device."""

    def __getattr__(self, name: str) -> Any:
        made = getattr(tl, name)
        if name not in ("tensor", "ones", "zeros", "arange"):
            return made
        return lambda *args, **kwargs: made(*args, **{"device": "cuda", **kwargs})


def evaluate(lib: Any, expression: str, requires_grad: bool = False) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = namespace(lib, requires_grad)
        return names, walk(eval(expression, names))


@pytest.mark.parametrize("expression", lines(BRACKETS + OPERATORS))
def test_expressions(expression: str) -> None:
    ours = evaluate(OnDevice(), expression)[1]
    assert all(t.is_cuda for t in ours)
    assert_same(ours, evaluate(tl, expression)[1])


@pytest.mark.parametrize("expression", lines(OPERATORS))
def test_gradients(expression: str) -> None:
    names, results = evaluate(tl, expression, True)
    if not all(t.requires_grad for t in results) or "reduce=" in expression:
        pytest.skip("no gradient")
    try:
        expected = _gradients(tl, names, results)
    except RuntimeError:
        pytest.skip("the CPU has no gradient for a source larger than the index")
    assert_same_gradients(_gradients(OnDevice(), *evaluate(OnDevice(), expression, True)), expected)


def written(lib: Any, statement: str, requires_grad: bool) -> dict[str, Any]:
    names = namespace(lib, requires_grad)
    names["y"] = names["x"] * 1
    exec(statement, names)
    return names


@pytest.mark.parametrize("statement", lines(WRITES))
def test_writes(statement: str) -> None:
    ours, expected = written(OnDevice(), statement, True), written(tl, statement, True)
    assert_same([ours["y"]], [expected["y"]])
    for names in (ours, expected):
        names["y"].backward(names["torch"].arange(24.0).reshape(4, 6))
    for k in ("x", "v", "s"):
        assert_same_gradients([ours[k].grad], [expected[k].grad])


def error(lib: Any, expression: str) -> tuple[str, str]:
    """What is raised, at the latest where the host waits for the device."""
    try:
        evaluate(lib, expression)
        if lib is not tl:
            tl.cuda.synchronize()
    except Exception as e:
        # Which of several indices is named may differ.
        return type(e).__name__, re.sub(r"(?<=index|Index) -?\d+", " #", str(e))
    raise AssertionError(f"{expression} raised nothing")


@pytest.mark.parametrize("expression", lines(ERRORS))
def test_errors(expression: str) -> None:
    assert error(OnDevice(), expression) == error(tl, expression)


def test_errors_are_raised_once_and_where_the_host_waits() -> None:
    x = tl.arange(6.0, device="cuda")
    good = x[tl.tensor([0, 5], device="cuda")]
    x[tl.tensor([6], device="cuda")]
    with pytest.raises(IndexError, match="index 6 is out of bounds for dimension 0 with size 6"):
        good.cpu()
    assert good.tolist() == [0, 5]
    x.index_fill_(0, tl.tensor([1, 7], device="cuda"), 9.0)
    with pytest.raises(IndexError, match="index 7 is out of bounds for dimension 0 with size 6"):
        tl.cuda.synchronize()
    assert x.tolist() == [0, 9, 2, 3, 4, 5]


@pytest.mark.order
def test_the_first_of_many_bad_indices_is_named() -> None:
    bad = tl.arange(100, 700).view(2, 300).t()  # 100 first, then 400
    x = tl.zeros(600, 2, device="cuda")
    for number, index in ((100, bad), (699, bad.flip(0, 1)), (-700, bad.flip(0, 1) - 1399)):
        with pytest.raises(RuntimeError, match=f"index {number} is out of bounds for dimension 0 with size 90$"):
            x[:90].gather(0, index.cuda()).cpu()
    first, second = (tl.tensor(i, device="cuda") for i in ([70, 60], [80, 90]))
    x[:50][first]
    x[:40][second]
    with pytest.raises(IndexError, match=r"index 70 is out of bounds for dimension 0 with size 50$"):
        tl.cuda.synchronize()


def test_more_kinds_of_errors_than_there_are_places() -> None:
    index = tl.tensor([1], device="cuda")
    x = tl.zeros(10_000, device="cuda")
    for size in range(2, 4200):
        x[:size][index]
    x[:1][index]
    with pytest.raises(IndexError, match=r"index 1 is out of bounds for dimension 0 with size 1$"):
        tl.cuda.synchronize()


def test_indices_of_the_cpu_join_and_other_tensors_do_not() -> None:
    x = tl.arange(6.0).view(2, 3).cuda()
    assert x[tl.tensor([1])].tolist() == [[3, 4, 5]] and x[x.cpu() > 3].tolist() == [4, 5]
    x[tl.tensor([0])] = tl.tensor(7.0)
    assert x[0].tolist() == [7, 7, 7]
    index = tl.tensor([[0]])
    for call in (
        lambda: x.gather(0, index),
        lambda: x.scatter(0, index, 1.0),
        lambda: x.scatter_add(0, index.cuda(), tl.ones(1, 1)),
        lambda: x.index_select(0, index[0]),
        lambda: x.index_add(0, index[0], tl.ones(1, 3)),
        lambda: x.masked_select(x.cpu() > 1),
        lambda: x.take(index),
        lambda: tl.nn.functional.embedding(index, x),
        lambda: x.index_put((index,), tl.ones(3)),
    ):
        with pytest.raises(RuntimeError, match="Expected all tensors to be on the same device"):
            call()
    with pytest.raises(RuntimeError, match=r"indices should be either on cpu or on the same device as the indexed"):
        x.cpu()[index.cuda()]


# ---- every dtype, several blocks ----


def numbers(rng: np.random.Generator, dtype: str, *shape: int) -> Any:
    """Small whole numbers, whose sums and products are exact in any order."""
    t = tl.tensor(rng.integers(0, 3, shape))
    if dtype.startswith("complex"):
        return tl.complex(t.double(), tl.tensor(rng.integers(-1, 2, shape)).double()).to(getattr(tl, dtype))
    return t.to(getattr(tl, dtype))


def same(f: Any, *tensors: Any) -> None:
    expected = f(*tensors)
    got = f(*(t.cuda() if isinstance(t, tl.Tensor) else t for t in tensors))
    assert got.is_cuda and got.shape == expected.shape and got.stride() == expected.stride()
    got = got.cpu()
    both = tl.view_as_real(got).equal(tl.view_as_real(expected)) if got.is_complex() else got.equal(expected)
    assert both


REDUCTIONS = ("sum", "mean", "prod", "amax", "amin")


@pytest.mark.parametrize("dtype", EVERY_DTYPE)
@pytest.mark.parametrize("count", [40, 3000])
def test_every_dtype(dtype: str, count: int) -> None:
    rng = np.random.default_rng(count)
    table, rows = numbers(rng, dtype, 37, 5), numbers(rng, dtype, count, 5)
    index = tl.tensor(rng.integers(0, 37, count))
    same(lambda t, i: t[i], table, index)
    same(lambda t, i, r: t.index_add(0, i, r), table, index, rows)
    same(lambda t, i, r: t.index_put((i,), r), table, index, rows)
    same(lambda t, i, r: t.index_put((i,), r, accumulate=True), table, index, rows)
    same(lambda t, i, r: t.put(i, r[:, 0], accumulate=True), table, index, rows)
    each = tl.tensor(rng.integers(0, 37, (count, 5)))
    same(lambda t, i: t.gather(0, i), table, each)
    same(lambda t, i, r: t.scatter(0, i, r), table, each, rows)
    same(lambda t, i, r: t.scatter(0, i, r.t().contiguous().t()), table, each, rows)
    same(lambda t, i, r: t.scatter(0, i[:, :1].expand(-1, 5), r), table, each, rows)
    same(lambda t, i, r: t.scatter_add(0, i, r), table, each, rows)
    mask = tl.tensor(rng.integers(0, 2, (count, 5)) == 1)
    same(lambda r, m: r[m], rows, mask)
    same(lambda r, m: r.masked_scatter(m, r.flip(0)), rows, mask)
    same(lambda r: r.nonzero(), rows)
    if dtype.startswith("complex"):
        reductions: tuple[str, ...] = ("sum",)
    else:
        reductions = tuple(r for r in REDUCTIONS if r != "prod" or count < 100 or dtype in ("uint8", "int32", "bool"))
    for reduce in reductions:
        if reduce == "mean" and dtype == "bool":
            continue
        for include in (True, False):
            same(lambda t, i, r, k=reduce, s=include: t.scatter_reduce(0, i, r, k, include_self=s), table, each, rows)


@pytest.mark.parametrize(
    ("places", "count", "width"), [(1, 5000, 1), (3, 5000, 3), (40, 2500, 8), (100_000, 3000, 2), (2000, 1500, 1)]
)
def test_many_rows_to_few_and_many_places(places: int, count: int, width: int) -> None:
    """Runs within a chunk, over several chunks, and none at all: sums of exact numbers, and the last row of each place."""
    rng = np.random.default_rng(places)
    index = tl.tensor(rng.integers(0, places, count))
    rows = tl.tensor(rng.integers(-4, 5, (count, width)).astype(np.float32))
    table = tl.zeros(places, width)
    same(lambda t, i, r: t.index_add(0, i, r, alpha=2), table, index, rows)
    same(lambda t, i, r: t.index_put((i,), r), table, index, rows)
    same(lambda t, i, r: t.scatter(0, i[:, None].expand_as(r), r), table, index, rows)


def test_sums_are_the_same_bits_each_time() -> None:
    index = tl.randint(0, 7, (4000,)).cuda()
    rows = tl.randn(4000, 3).cuda()
    results = [tl.zeros(7, 3, device="cuda").index_add(0, index, rows).cpu() for _ in range(3)]
    assert all(r.equal(results[0]) for r in results)
    expected = np.zeros((7, 3))
    np.add.at(expected, index.cpu().numpy(), rows.cpu().numpy())
    np.testing.assert_allclose(results[0].numpy(), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dtype", ["float32", "float16", "int64", "bool"])
@pytest.mark.parametrize("width", [1, 3, 8, 64])
def test_wide_words_only_where_they_fit(dtype: str, width: int) -> None:
    rng = np.random.default_rng(width)
    kind = getattr(tl, dtype)
    table = tl.tensor(rng.integers(0, 2, (50, width + 1))).to(kind)
    index = tl.tensor(rng.integers(0, 50, (30,)))
    for part in (table, table[:, 1:], table[:, :width], table.t().contiguous().t(), table[::2][:, ::2]):
        i = index % part.shape[0]
        same(lambda t, i: t.index_select(0, i), part, i)
        same(lambda t, i: t[i.view(5, 6)], part, i)
        same(lambda t, i: t.index_copy(0, i[:3], t[:3]), part, tl.unique(i))
        same(lambda t, i: t[:, i % t.shape[1]], part, i)


@pytest.mark.parametrize("n", [0, 1, 15, 4095, 4096, 4097, 20_001])
def test_masks_around_chunks(n: int) -> None:
    rng = np.random.default_rng(n)
    wide = tl.tensor(rng.standard_normal(n + 3).astype(np.float32))
    for offset in (0, 3):
        x = wide[offset : offset + n]
        for threshold in (-9.0, 0.0, 1.5, 9.0):
            same(lambda t, v=threshold: t[t > v], x)
            same(lambda t, v=threshold: t.masked_scatter(t > v, t.flip(0)), x)
            same(lambda t, v=threshold: tl.nonzero(t > v), x)
    mask = tl.tensor(rng.random(n + 3) > 0.5)[3:]
    same(lambda t, m: t[m], wide[3:], mask)
    same(lambda t, m: t.index_put((m,), tl.tensor(2.0)), wide[3:], mask)


def test_one_hot_and_embedding() -> None:
    index = tl.tensor([[0, 3], [1, 3]])
    same(lambda i: tl.nn.functional.one_hot(i), index)
    same(lambda i: tl.nn.functional.one_hot(i, 6), index)
    for call in (lambda i: tl.nn.functional.one_hot(-i), lambda i: tl.nn.functional.one_hot(i, 2)):
        texts = []
        for i in (index, index.cuda()):
            with pytest.raises(RuntimeError, match="Class values must be") as caught:
                call(i)
            texts.append(str(caught.value))
        assert texts[0] == texts[1]
    ids = tl.randint(0, 20, (50, 40))

    def gradient(device: str, **options: Any) -> Any:
        weight = tl.linspace(0, 1, 20 * 6).view(20, 6).to(device).requires_grad_()
        out = tl.nn.functional.embedding(ids.to(device), weight, **options)
        (out * out).sum().backward()
        return weight.grad

    for options in ({}, {"padding_idx": 3}, {"scale_grad_by_freq": True}):
        expected = gradient("cpu", **options)
        np.testing.assert_allclose(gradient("cuda", **options).cpu().numpy(), expected.numpy(), rtol=1e-4)


# ---- places that coincide by their strides ----


@pytest.mark.parametrize("dtype", ["float32", "float16", "complex64", "float64"])
@pytest.mark.parametrize(
    ("sizes", "strides", "offset", "n"),
    [
        ((10, 3), (1, 1), 0, 12),
        ((3, 10), (2, 1), 1, 15),
        ((300, 5), (2, 1), 0, 603),
        ((5, 200), (1, 1), 0, 204),
        ((4, 100), (0, 0), 2, 3),
        ((90, 80), (1, 1), 0, 170),
        ((2, 3, 4), (1, 4, 2), 0, 20),
        ((), (), 4, 5),
        ((0, 3), (1, 1), 0, 5),
    ],
)
def test_gradients_of_overlapping_views(dtype: str, sizes: Any, strides: Any, offset: int, n: int) -> None:
    rng = np.random.default_rng(n)
    x, weights = numbers(rng, dtype, n), numbers(rng, dtype, *sizes)

    def gradient(device: str) -> Any:
        leaf = x.to(device).requires_grad_()
        leaf.as_strided(sizes, strides, offset).backward(weights.to(device))
        return leaf.grad.cpu()

    ours, expected = gradient("cuda"), gradient("cpu")
    assert (ours - expected).abs().max().item() == 0


# ---- what else reads through indices ----

MOVES = """
x.roll(1) | x.roll((1, 2), (0, 1)) | x.flip(0) | x3.flip(0, 2) | x.rot90() | x.diag() | v.diag(1) | x.diagonal(1) | x.tril() | x.triu(1)
x.repeat(2, 1) | x.repeat_interleave(2, 0) | x.repeat_interleave(j[:2].repeat(2), 0) | torch.repeat_interleave(j) | x.tile(2)
v.unfold(0, 3, 2) | torch.where(m, x, s) | x.masked_fill(m, 2.0) | x.masked_fill(m, s) | torch.where(m)
x.narrow(0, torch.tensor(1), 2) | x.tensor_split(2) | x.tensor_split(torch.tensor([1, 3]).cpu()) | x.chunk(3) | x.split([1, 3]) | x.unbind()
torch.unravel_index(j * 3, (3, 4)) | torch.cartesian_prod(j, j) | torch.combinations(v) | torch.tril_indices(3, 4, device=x.device)
torch.triu_indices(3, 4, device=x.device) | torch.block_diag(x, x3[0]) | torch.diag_embed(x) | x.index_reduce(0, j, x[:3], "prod")
x.index_reduce(0, j, x[:3], "mean") | x.index_reduce(0, j, x[:3], "amax", include_self=False) | torch.meshgrid(v, v, indexing="ij")
torch.vander(v) | x.diagonal_scatter(v[:4]) | x.select_scatter(v, 0, 1) | x.slice_scatter(x[:2], 0, 1, 3) | torch.scatter(x, 0, i, s.item())
"""


@pytest.mark.parametrize("expression", lines(MOVES))
def test_moves(expression: str) -> None:
    ours = evaluate(OnDevice(), expression)[1]
    assert all(t.is_cuda for t in ours)
    assert_same(ours, evaluate(tl, expression)[1])
