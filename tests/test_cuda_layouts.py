"""Pointwise operators and reductions on a CUDA device over many layouts: packs, tails, broadcast rows and columns, half
types, tall and wide inputs, chunks. Against the CPU.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from library import IS_TENSORLITE, tl

pytestmark = pytest.mark.skipif(not IS_TENSORLITE or not tl.cuda.is_available(), reason="no CUDA device")

TOLERANCE = {"float64": 1e-12, "float32": 1e-5, "float16": 2e-3, "bfloat16": 2e-2}


def drawn(*shape: int, seed: int = 0, dtype: str = "float32") -> Any:
    values = np.random.default_rng(seed).standard_normal(shape) * (1 if "float" in dtype else 3)
    return tl.tensor(values, dtype=tl.float64).to(getattr(tl, dtype))


def compare(f: Callable[..., Any], *tensors: Any, tolerance: float | None = None) -> None:
    expected, got = f(*tensors), f(*(t.cuda() for t in tensors))
    assert (got.dtype, got.shape, got.stride()) == (expected.dtype, expected.shape, expected.stride()) and got.is_cuda
    name = str(expected.dtype).rpartition(".")[2]
    tolerance = TOLERANCE.get(name, 0) if tolerance is None else tolerance
    e, g = expected.double().numpy(), got.cpu().double().numpy()
    np.testing.assert_allclose(g, e, rtol=tolerance, atol=tolerance * max(1, np.nanmax(abs(e), initial=0)))


# ---- pointwise ----

SHAPES = [  # (left, right): flat, tails, a row, a column, channels, a number, strided
    ((1000,), (1000,)), ((37, 16), (37, 16)), ((37, 16), (16,)), ((37, 16), (37, 1)), ((5, 3, 24), (3, 1)),
    ((4, 1, 16), (1, 6, 16)), ((16,), ()), ((3, 10), (10,)), ((7,), (7,)),
]  # fmt: skip


@pytest.mark.parametrize("left", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("right", ["float32", "float16", "bfloat16", "int32"])
def test_rows_of_floating_dtypes(left: str, right: str) -> None:
    for a, b in SHAPES:
        x, y = drawn(*a, dtype=left), drawn(*b, seed=1, dtype=right)
        compare(lambda x, y: x * y + x, x, y)
        compare(lambda x, y: x > y, x, y)
        compare(lambda x, y: tl.where(x > 0, x, y), x, y)
        compare(lambda x, y: x.clone().add_(y, alpha=0.5), x, y) if len(b) <= len(a) and x.numel() >= y.numel() and a[
            1:2
        ] != (1,) else None


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_halves_of_one_operand(dtype: str) -> None:
    for x in (drawn(1003, dtype=dtype), drawn(40, 33, dtype=dtype)[:, 1:], drawn(24, 40, dtype=dtype).mT[::2]):
        for f in (tl.exp, tl.relu, tl.nn.functional.gelu, tl.isfinite, lambda x: x * 2 + 1, lambda x: x.clamp(-1, 0.5)):
            compare(f, x)
        compare(lambda x: tl.addcmul(x, x, x, value=0.25), x)
        out = tl.empty(x.shape, device="cuda")
        tl.add(x.cuda(), 1, out=out)
        assert out.cpu().equal(tl.add(x, 1, out=tl.empty(x.shape)))


def test_numbers_come_from_the_host() -> None:
    x = drawn(33).cuda()
    zero_dim = tl.tensor(2.5)
    assert (x * zero_dim).cpu().equal(x.cpu() * zero_dim) and (zero_dim - x).cpu().equal(zero_dim - x.cpu())
    assert tl.where(x > 0, x, zero_dim).cpu().equal(tl.where(x.cpu() > 0, x.cpu(), zero_dim))
    assert (x.half() * 3).cpu().equal(x.cpu().half() * 3) and (x + zero_dim.cuda()).cpu().equal(x.cpu() + zero_dim)


# ---- reductions ----

REDUCED = [  # (shape, dims, whether a transposed view is reduced)
    ((1000, 40), (0,), False), ((1000, 40), (1,), False), ((3000, 3), (0,), False), ((5, 7, 33), (1,), False),
    ((6, 130), (1,), True), ((4, 6, 8, 16), (0, 2, 3), False), ((4, 6, 5, 5), (0, 2, 3), False),
    ((2, 9, 4, 12), (1, 2), False), ((9, 4, 12), (0, 2), True), ((3, 20_000), (1,), False), ((1, 1), (0,), False),
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16", "int64", "int32", "uint8", "bool"])
@pytest.mark.parametrize(("shape", "dims", "transposed"), REDUCED, ids=str)
def test_reductions(shape: tuple[int, ...], dims: tuple[int, ...], transposed: bool, dtype: str) -> None:
    x = drawn(*shape, dtype=dtype)
    x = x.mT if transposed else x
    loose = {"float32": 3e-5, "float16": 5e-3}.get(dtype)
    compare(lambda x: x.sum(dims), x, tolerance=loose)
    compare(lambda x: x.amax(dims), x)
    compare(lambda x: (x > 0).sum(dims), x)
    if len(dims) == 1:
        compare(lambda x: x.to(tl.int32).argmax(dims[0]), x)
        compare(lambda x: x.min(dims[0]).values, x)
    if "float" in dtype:
        compare(lambda x: x.mean(dims), x, tolerance=loose)
        compare(lambda x: x.var(dims, correction=0), x, tolerance=loose)
        compare(lambda x: tl.linalg.vector_norm(x, 3, dims), x, tolerance=loose)
        there = x.cuda()
        assert there.sum(dims).cpu().equal(there.sum(dims).cpu())


def test_reductions_of_what_does_not_start_at_a_pack() -> None:
    x = drawn(50, 41)
    for view in (x[:, 1:], x[1:, :40], x[:, ::2], x[3:, 5:6], x.mT[1:33], x[:, :32].expand(2, 50, 32)):
        for d in (0, 1):
            compare(lambda v, d=d: v.sum(d), view, tolerance=2e-5)
            compare(lambda v, d=d: v.argmin(d), view)


def test_nan_is_beyond_all() -> None:
    x = drawn(64, 48)
    x[5, 7] = x[40, 7] = x[9, 12] = float("nan")
    for d in (0, 1):
        for f in (lambda v, d=d: v.argmax(d), lambda v, d=d: v.isnan().sum(d)):
            compare(f, x)
        assert x.cuda().amax(d).isnan().cpu().equal(x.amax(d).isnan())
    assert x.cuda().argmin().item() == x.argmin().item()
