"""Scans on a CUDA device: what the CPU gives, the device gives, the same bits every time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from library import IS_TENSORLITE, tl

pytestmark = pytest.mark.skipif(not IS_TENSORLITE or not tl.cuda.is_available(), reason="no CUDA device")

INTEGERS = ["bool", "uint8", "int8", "int16", "int32", "int64"]
REACH = {"float16": 4e-3, "bfloat16": 2e-2, "float32": 1e-5, "float64": 1e-12, "complex64": 1e-5, "complex128": 1e-12}
# A thread, a warp, a block to a line, chunks; along lines side by side and others.
SHAPES = [((), 0), ((0, 3), 0), ((50, 7), 1), ((5, 40), 1), ((2, 1100), 1), ((9000,), 0), ((40, 6), 0), ((700, 5), 0)]


def drawn(shape: tuple[int, ...], dtype: str) -> Any:
    rng = np.random.default_rng(0)
    if dtype in INTEGERS:
        return tl.tensor(rng.integers(0, 120, shape)).to(getattr(tl, dtype))
    values = np.round(rng.standard_normal(shape) * 8) / 8
    if dtype.startswith("complex"):
        values = values + 1j * np.round(rng.standard_normal(shape) * 8) / 8
    return tl.tensor(values, dtype=getattr(tl, dtype))


def agree(expected: Any, got: Any, dtype: str, what: Any) -> None:
    for a, b in zip(expected, got) if isinstance(expected, tuple) else [(expected, got)]:
        assert b.is_cuda and (a.dtype, a.shape, a.stride()) == (b.dtype, b.shape, b.stride()), what
        a, b = (v.cpu().float() if v.dtype in (tl.float16, tl.bfloat16) else v.cpu() for v in (a, b))
        tol = REACH.get(dtype, 0)
        np.testing.assert_allclose(b.numpy(), a.numpy(), rtol=tol, atol=tol, err_msg=str(what))


@pytest.mark.parametrize("dtype", [*INTEGERS, *REACH])
def test_sums_and_products(dtype: str) -> None:
    for shape, dim in SHAPES:
        x = drawn(shape, dtype)
        agree(x.cumsum(dim), x.cuda().cumsum(dim), dtype, ("cumsum", shape))
        x = x if dtype in INTEGERS else x * 0.01 + 1
        agree(x.cumprod(dim), x.cuda().cumprod(dim), dtype, ("cumprod", shape))
    if dtype in INTEGERS[1:]:
        narrow = {"dtype": getattr(tl, dtype)}
        agree(x.cumsum(0, **narrow), x.cuda().cumsum(0, **narrow), dtype, "dtype")
    t = drawn((30, 70), dtype).t()
    agree(t.cumsum(0), t.cuda().cumsum(0), dtype, "transposed")


@pytest.mark.parametrize("dtype", list(REACH))
def test_logcumsumexp(dtype: str) -> None:
    for shape, dim in SHAPES:
        x = drawn(shape, dtype)
        if x.dim() and not x.is_complex():
            x[..., :2] = -np.inf
            x[..., -1:] = np.inf
        agree(x.logcumsumexp(dim), x.cuda().logcumsumexp(dim), dtype, shape)


@pytest.mark.parametrize("dtype", [*INTEGERS, "float16", "bfloat16", "float32", "float64"])
def test_running_extremes(dtype: str) -> None:
    for shape, dim in SHAPES:
        for nan in (False, True):
            x = drawn(shape, dtype)
            if nan and dtype not in INTEGERS and x.dim() and x.numel():
                x[x.shape[0] // 2] = np.nan
            agree(x.cummax(dim), x.cuda().cummax(dim), "", (shape, nan))
            agree(x.cummin(dim), x.cuda().cummin(dim), "", (shape, nan))


@pytest.mark.parametrize("shape", [(7,), (3, 40), (5000,), (600, 3)])
def test_gradients(shape: tuple[int, ...]) -> None:
    """Products, whose gradients are recurrences, with zeros among the factors."""
    x = drawn(shape, "float64") * 0.1 + 1
    x[2] = 0
    for name in ("cumsum", "cumprod", "logcumsumexp"):
        grads = []
        for t in (x.clone(), x.cuda()):
            y = getattr(t.requires_grad_(), name)(0)
            (y * tl.arange(y.numel(), device=t.device).remainder(5).view(y.shape)).sum().backward()
            grads.append(t.grad)
        agree(*grads, "float32", name)


def test_the_same_bits_every_time() -> None:
    x = tl.randn(3, 40_000, device="cuda")
    assert x.cumsum(1).cpu().equal(x.cumsum(1).cpu())


def test_out_and_in_place() -> None:
    x = drawn((4, 300), "float32")
    y = x.cuda()
    out = tl.empty(0, device="cuda")
    assert tl.cumsum(y, 1, out=out) is out
    agree(x.cumsum(1), out, "float32", "out")
    y.cumsum_(1)
    agree(x.cumsum(1), y, "float32", "in place")
    with pytest.raises(NotImplementedError, match="logcumsumexp"):
        tl.ones(3, dtype=tl.int64, device="cuda").logcumsumexp(0)
