"""Poolings and resampling on a CUDA device: what the CPU gives, the device gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from library import IS_TENSORLITE, tl

pytestmark = pytest.mark.skipif(not IS_TENSORLITE or not tl.cuda.is_available(), reason="no CUDA device")

F = tl.nn.functional if IS_TENSORLITE else None
FLOATS = ["float32", "float64", "float16", "bfloat16"]
REACH = {"float32": 1e-5, "float64": 1e-12, "float16": 4e-3, "bfloat16": 3e-2}


def drawn(shape: tuple[int, ...], dtype: str, layout: str = "rows", seed: int = 0) -> Any:
    values = np.random.default_rng(seed).integers(-40, 40, shape) / 8  # ties, and exact in every dtype
    t = tl.tensor(values, dtype=getattr(tl, dtype))
    if layout == "channels_last":
        order = [0, *range(2, len(shape)), 1]
        t = t.permute(*order).contiguous().permute(0, len(shape) - 1, *range(1, len(shape) - 1))
    return t


def both(f: Callable[..., Any], x: Any, dtype: str, gradient: bool = True) -> None:
    """Results, strides and gradients."""
    here, there = x.detach(), tl.empty_strided(x.shape, x.stride(), dtype=x.dtype, device="cuda").copy_(x)
    gradient = gradient and x.is_floating_point()
    outcomes = []
    for t in (here, there):
        t = t.requires_grad_() if gradient else t
        y = f(t)
        results = list(y) if isinstance(y, tuple) else [y]
        if gradient:
            weights = tl.arange(results[0].numel(), device=t.device).remainder(7).sub(3).to(t.dtype)
            (results[0] * weights.view(results[0].shape)).sum().backward()
            results.append(t.grad)
        outcomes.append([r.detach() for r in results])
    for a, b in zip(*outcomes):
        assert b.is_cuda and (a.dtype, a.shape, a.stride()) == (b.dtype, b.shape, b.stride())
        same(a, b, dtype)


def same(a: Any, b: Any, dtype: str, reach: float = 1) -> None:
    a, b = (v.cpu().double().numpy() for v in (a, b))
    tol = REACH.get(dtype, 0) * reach
    np.testing.assert_allclose(b, a, rtol=tol, atol=tol * max(1.0, np.abs(np.nan_to_num(a)).max(initial=0)))


MAX = [
    ((2, 3, 9), (3,), {"stride": (2,), "padding": (1,), "dilation": (2,), "ceil_mode": True}),
    ((2, 3, 8, 8), (2, 2), {}),
    ((2, 3, 7, 9), (2, 2), {}),
    ((1, 2, 9, 10), (3, 3), {"stride": (2, 2), "padding": (1, 1)}),
    ((2, 2, 11, 12), (3, 2), {"stride": (1, 3), "padding": (1, 0), "dilation": (2, 3), "ceil_mode": True}),
    ((1, 2, 20, 20), (9, 9), {"stride": (4, 4), "padding": (4, 4)}),
    ((1, 2, 12, 10), (10, 10), {}),
    ((1, 2, 1, 4), (1, 2), {"padding": (0, 1), "dilation": (1, 5)}),
    ((1, 2, 5, 6, 7), (2, 3, 2), {"stride": (2, 1, 3), "padding": (1, 1, 0)}),
]
AVG = [
    ((2, 3, 9), (3,), {"stride": (2,), "padding": (1,), "ceil_mode": True}),
    ((2, 3, 8, 8), (2, 2), {}),
    ((2, 3, 9, 10), (3, 3), {"stride": (2, 1), "padding": (1, 1)}),
    ((2, 3, 9, 10), (3, 4), {"stride": (2, 3), "padding": (1, 2), "ceil_mode": True, "count_include_pad": False}),
    ((1, 2, 18, 18), (9, 8), {"divisor_override": 5}),
    ((1, 2, 5, 6, 7), (2, 3, 2), {"stride": (2, 1, 3), "padding": (1, 1, 0)}),
]
ADAPTIVE = [((2, 3, 10), (4,)), ((2, 3, 7, 9), (3, 4)), ((2, 3, 16, 16), (1, 1)), ((1, 2, 20, 21), (2, 1)),
            ((1, 2, 3, 4), (5, 7)), ((1, 2, 5, 6, 7), (2, 3, 4))]  # fmt: skip


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("layout", ["rows", "channels_last"])
def test_max_pool(dtype: str, layout: str) -> None:
    for i, (shape, kernel, options) in enumerate(MAX):
        x, n = drawn(shape, dtype, layout, i), len(kernel)
        pool = getattr(F, f"max_pool{n}d")
        both(lambda t, pool=pool, k=kernel, o=options: pool(t, k, **o), x, dtype)
        both(lambda t, pool=pool, k=kernel, o=options: pool(t, k, **o, return_indices=True), x, dtype)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("layout", ["rows", "channels_last"])
def test_avg_pool(dtype: str, layout: str) -> None:
    for i, (shape, kernel, options) in enumerate(AVG):
        x, pool = drawn(shape, dtype, layout, i), getattr(F, f"avg_pool{len(kernel)}d")
        both(lambda t, pool=pool, k=kernel, o=options: pool(t, k, **o), x, dtype)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("layout", ["rows", "channels_last"])
def test_adaptive(dtype: str, layout: str) -> None:
    for i, (shape, size) in enumerate(ADAPTIVE):
        x = drawn(shape, dtype, layout, i)
        for kind in ("avg", "max"):
            pool = getattr(F, f"adaptive_{kind}_pool{len(size)}d")
            options = {"return_indices": True} if kind == "max" else {}
            both(lambda t, pool=pool, s=size, o=options: pool(t, s, **o), x, dtype)


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8"])
def test_whole_numbers(dtype: str) -> None:
    for i, (shape, kernel, options) in enumerate(MAX):
        x = drawn(shape, "float32", "rows", i).mul(8).abs().to(getattr(tl, dtype))
        pool = getattr(F, f"max_pool{len(kernel)}d")
        both(lambda t, pool=pool, k=kernel, o=options: pool(t, k, **o, return_indices=True), x, dtype)
    if dtype == "int64":
        for i, (shape, kernel, options) in enumerate(AVG):
            x, pool = drawn(shape, "float32", "rows", i).mul(8).long(), getattr(F, f"avg_pool{len(kernel)}d")
            both(lambda t, pool=pool, k=kernel, o=options: pool(t, k, **o), x, dtype)


def test_nan_and_infinity() -> None:
    x = drawn((1, 2, 12, 12), "float32")
    x[0, 0, 3, 3] = x[0, 0, 3, 4] = x[0, 1, 7, 2] = float("nan")
    x[0, 1, :4, :4] = -float("inf")
    x[0, 1, 9, 9] = float("inf")
    for kernel, stride in ((2, 2), (3, 2), (12, 12), (9, 1)):
        for layout in ("rows", "channels_last"):
            t = x.contiguous() if layout == "rows" else x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
            both(lambda v, k=kernel, s=stride: F.max_pool2d(v, k, s), t, "float32")
            both(lambda v, k=kernel, s=stride: F.max_pool2d(v, k, s, return_indices=True), t, "float32")


def test_empty_and_several_blocks() -> None:
    both(lambda t: F.max_pool2d(t, 2), tl.zeros(0, 3, 8, 8), "float32")
    both(lambda t: F.adaptive_avg_pool2d(t, (0, 2)), tl.zeros(2, 3, 8, 8), "float32")
    both(lambda t: F.avg_pool2d(t, 3, 2, 1), drawn((2, 8, 65, 67), "float32"), "float32")
    both(lambda t: F.max_pool2d(t, 3, 2, 1), drawn((2, 8, 65, 67), "float32"), "float32")
    assert F.max_pool2d(tl.ones(3, 4, 4, device="cuda"), 2).shape == (3, 2, 2)


def test_second_derivative() -> None:
    grads = []
    for device in ("cpu", "cuda"):
        x = drawn((1, 2, 7, 7), "float64").to(device).requires_grad_()
        y = F.avg_pool2d(x, 3, 2) ** 2 + F.adaptive_avg_pool2d(x, 3) ** 2
        (g,) = tl.autograd.grad((y * y).sum(), x, create_graph=True)
        (g * g).sum().backward()
        grads.append(x.grad)
    same(grads[0], grads[1], "float64")


# ---- interpolation ----

RESIZED = [((2, 3, 9), ("nearest", "linear", "nearest-exact"), 14), ((2, 3, 7, 9), ("nearest", "bilinear"), (5, 20)),
           ((1, 2, 6, 7), ("bicubic",), (9, 4)), ((1, 2, 3, 4, 5), ("nearest", "trilinear"), (5, 3, 8))]  # fmt: skip


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("layout", ["rows", "channels_last"])
def test_interpolate(dtype: str, layout: str) -> None:
    for i, (shape, modes, size) in enumerate(RESIZED):
        x = drawn(shape, dtype, layout, i)
        for mode in modes:
            both(lambda t, m=mode, s=size: F.interpolate(t, s, mode=m), x, dtype)
            if mode in ("bilinear", "bicubic"):
                both(lambda t, m=mode, s=size: F.interpolate(t, s, mode=m, antialias=True), x, dtype)
                both(lambda t, m=mode: F.interpolate(t, scale_factor=1.7, mode=m, align_corners=True), x, dtype)


def test_interpolate_bytes_and_second_derivative() -> None:
    x = drawn((1, 3, 8, 9), "float32").abs().mul(25).to(tl.uint8)
    for mode in ("nearest", "bilinear", "bicubic"):
        both(lambda t, m=mode: F.interpolate(t, (5, 13), mode=m), x, "uint8")
    grads = []
    for device in ("cpu", "cuda"):
        t = drawn((1, 2, 5, 5), "float64").to(device).requires_grad_()
        (g,) = tl.autograd.grad((F.interpolate(t, 8, mode="bicubic") ** 3).sum(), t, create_graph=True)
        (g * g).sum().backward()
        grads.append(t.grad)
    same(grads[0], grads[1], "float64")


def test_shapes_of_images() -> None:
    x = drawn((2, 8, 6, 6), "float32")
    both(lambda t: F.pixel_shuffle(t, 2), x, "float32")
    both(lambda t: F.pixel_unshuffle(t, 3), x, "float32")
    both(lambda t: F.pad(t, (1, 2, -1, 3), value=1.5), x, "float32")
    both(lambda t: F.channel_shuffle(t, 4), x, "float32")
