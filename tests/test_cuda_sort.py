"""Sorting, selecting, searching and counting on a CUDA device: what the CPU gives, the device gives, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from library import IS_TENSORLITE, tl

pytestmark = pytest.mark.skipif(not IS_TENSORLITE or not tl.cuda.is_available(), reason="no CUDA device")

INTEGERS = ["uint8", "int8", "int16", "int32", "int64"]
FLOATS = ["float16", "bfloat16", "float32", "float64"]
DTYPES = ["bool", *INTEGERS, *FLOATS]
# A part of a warp, several lines to a block, a block, several tiles; along lines side by side and others.
SHAPES = [((1,), 0), ((5, 7), 1), ((3, 100), 1), ((40, 6), 0), ((2, 2100), 1), ((4600,), 0), ((2, 4200, 2), 1)]


def drawn(shape: tuple[int, ...], dtype: str, seed: int = 0, nan: bool = True) -> Any:
    """Many ties; zeros of both signs, infinities and NaN."""
    rng = np.random.default_rng(seed)
    if dtype not in FLOATS:
        wide = rng.integers(0, 2) and dtype != "bool"
        info = np.iinfo(dtype if wide else "uint8")
        values = rng.integers(max(info.min, -(2**62)), min(info.max, 2**62), shape) if wide else None
        return tl.tensor(rng.integers(0, 100, shape) if values is None else values).to(getattr(tl, dtype))
    values = np.round(rng.standard_normal(shape) * 8) / 4
    values.flat[::7] = -0.0
    values.flat[3::50], values.flat[4::50] = np.inf, -np.inf
    if nan:
        values.flat[1::11] = np.nan
    return tl.tensor(values, dtype=getattr(tl, dtype))


def same(expected: Any, got: Any, what: Any = "", strides: bool = True) -> None:
    expected, got = (list(v) if isinstance(v, (tuple, list)) else [v] for v in (expected, got))
    assert len(expected) == len(got), what
    for a, b in zip(expected, got):
        assert b.is_cuda and (a.dtype, a.shape) == (b.dtype, b.shape), what
        assert not strides or a.stride() == b.stride(), what
        a, b = (v.cpu().float() if v.dtype == tl.bfloat16 else v.cpu() for v in (a, b))
        assert a.numpy().tobytes() == b.numpy().tobytes(), what


@pytest.mark.parametrize("dtype", DTYPES)
def test_sort(dtype: str) -> None:
    for seed, (shape, dim) in enumerate(SHAPES):
        x = drawn(shape, dtype, seed)
        for descending in (False, True):
            same(x.sort(dim, descending), x.cuda().sort(dim, descending), (shape, descending))
    same(x.argsort(0), x.cuda().argsort(0))
    t = drawn((30, 20), dtype).t()
    same(t.sort(0), t.cuda().sort(0))
    empty = tl.empty(0, 3, dtype=getattr(tl, dtype))
    same(empty.sort(0), empty.cuda().sort(0))


@pytest.mark.parametrize(
    ("dtype", "nan"), [(d, False) for d in INTEGERS + FLOATS] + [(d, True) for d in FLOATS], ids=str
)
def test_select(dtype: str, nan: bool) -> None:
    full = dtype in ("int64", "float32")
    for seed, (shape, dim) in enumerate([*SHAPES, ((18_000,), 0)] if full else SHAPES[1:-1]):
        x = drawn(shape, dtype, seed, nan)
        y, n = x.cuda(), shape[dim]
        for k in {1, n // 2 + 1} if n < 4000 else {7, n // 2}:
            largest = bool(k % 2)
            same(x.topk(k, dim, largest), y.topk(k, dim, largest), ("topk", shape, k, largest))
            same(x.kthvalue(k, dim), y.kthvalue(k, dim), ("kthvalue", shape, k))
        for name in ("median", "nanmedian", "mode"):
            same(getattr(x, name)(dim), getattr(y, name)(dim), (name, shape))
        same(x.median(), y.median())
        same(x.nanmedian(), y.nanmedian())


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float16", "float32"])
def test_search(dtype: str) -> None:
    for shape, many in [((300,), (2, 700)), ((3, 50), (3, 40))]:
        x, values = drawn(shape, dtype, 1), drawn(many, dtype, 2)
        line, order = x.sort(-1)
        for right in (False, True):
            got = tl.searchsorted(line.cuda(), values.cuda(), right=right)
            same(tl.searchsorted(line, values, right=right), got)
        by = {"out_int32": True, "sorter": order}
        same(
            tl.searchsorted(x, values, **by),
            tl.searchsorted(x.cuda(), values.cuda(), **(by | {"sorter": order.cuda()})),
        )
    line = tl.arange(10).to(getattr(tl, dtype))
    same(tl.searchsorted(line, 4), tl.searchsorted(line.cuda(), 4))
    same(tl.bucketize(values, line, right=True), tl.bucketize(values.cuda(), line.cuda(), right=True))


@pytest.mark.parametrize("dtype", DTYPES)
def test_unique(dtype: str) -> None:
    for shape in [(0,), (1,), (300,), (20, 3), (9000,)]:
        x = drawn(shape, dtype, 3)
        y = x.cuda()
        for f in (tl.unique, tl.unique_consecutive):
            for dim in [None, *range(len(shape))] if shape[0] else [None]:
                asked = {"return_inverse": True, "return_counts": True, "dim": dim}
                if dim is not None and len(shape) == 1 and shape[0] > 1000:
                    continue
                same(f(x, **asked), f(y, **asked), (f.__name__, shape, dim))
    rows = tl.tensor(np.random.default_rng(0).integers(0, 2, (5000, 4))).to(x.dtype)
    same(tl.unique(rows, dim=0, return_counts=True), tl.unique(rows.cuda(), dim=0, return_counts=True))


@pytest.mark.parametrize("dtype", INTEGERS)
def test_bincount(dtype: str) -> None:
    rng = np.random.default_rng(1)
    x = tl.tensor(rng.integers(0, 100, 3000)).to(getattr(tl, dtype))
    y, weights = x.cuda(), tl.tensor(rng.integers(0, 64, 3000) / 8)
    same(tl.bincount(x), tl.bincount(y))
    same(tl.bincount(x, minlength=6000), tl.bincount(y, minlength=6000))
    same(tl.bincount(x, weights), tl.bincount(y, weights.cuda()))
    same(tl.bincount(x, weights.float(), 500), tl.bincount(y, weights.float().cuda(), 500))


def test_weights_add_up_to_the_same_bits() -> None:
    x = tl.randint(0, 3, (20_000,), device="cuda")
    weights = tl.randn(20_000, device="cuda")
    same(tl.bincount(x, weights).cpu(), tl.bincount(x, weights))


CALLS = {
    "histc": lambda x: tl.histc(x, 20),
    "histc, bounds": lambda x: tl.histc(x, 7, -1, 1),
    "histogram": lambda x: tl.histogram(x, 12),
    "histogram, edges": lambda x: tl.histogram(x, tl.linspace(-2, 2, 6, device=x.device), weight=x.abs()),
    "histogramdd": lambda x: tl.histogramdd(x.view(-1, 2), [4, 3])[0],
    "quantile": lambda x: tl.quantile(x, 0.3),
    "quantile, lines": lambda x: tl.quantile(x.view(20, -1), tl.tensor([0.1, 0.75], device=x.device), dim=1),
    "nanquantile": lambda x: tl.nanquantile(x.view(20, -1), 0.5, dim=0, interpolation="nearest"),
    "isin": lambda x: tl.isin((x * 4).round(), (x[:30] * 4).round()),
    "isin, few": lambda x: tl.isin((x * 4).round(), tl.tensor([1.0, 2.0], device=x.device)),
    "isin, number": lambda x: tl.isin(2, (x * 4).round()),
    "msort": lambda x: tl.msort(x.view(40, -1)),
    "cov": lambda x: tl.cov(x.view(4, -1)),
}


@pytest.mark.parametrize("name", CALLS)
def test_what_is_made_of_them(name: str) -> None:
    x = tl.randn(600)
    expected, got = (CALLS[name](v) for v in (x, x.cuda()))
    for a, b in zip(*((v if isinstance(v, tuple) else (v,)) for v in (expected, got))):
        assert b.is_cuda and (a.dtype, a.shape) == (b.dtype, b.shape)
        np.testing.assert_allclose(b.cpu().numpy(), a.numpy(), rtol=1e-5, atol=1e-6)


ERRORS = {
    "topk": lambda x: x.topk(9),
    "kthvalue": lambda x: x.kthvalue(0),
    "mode": lambda x: x[:0].mode(),
    "sorter": lambda x: tl.searchsorted(x, x, sorter=tl.tensor([0, 1, 9], device=x.device)),
    "bincount": lambda x: tl.bincount(tl.tensor([1, -1], device=x.device)),
    "bincount, floats": lambda x: tl.bincount(x),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_the_cpus(name: str) -> None:
    texts = []
    for device in ("cpu", "cuda"):
        with pytest.raises((RuntimeError, IndexError, NotImplementedError)) as e:
            ERRORS[name](tl.tensor([1.0, 3.0, 2.0], device=device))
        texts.append((e.type, str(e.value)))
    assert texts[0] == texts[1]


def test_devices_are_not_mixed() -> None:
    x = tl.arange(3)
    with pytest.raises(
        RuntimeError, match="should have same device type, but got boundaries tensor device type cuda:0"
    ):
        tl.searchsorted(x.cuda(), x)
    with pytest.raises(RuntimeError, match="Expected all tensors to be on the same device"):
        tl.bincount(x.cuda(), x.float())
