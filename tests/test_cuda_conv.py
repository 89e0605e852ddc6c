"""Convolutions on a CUDA device: what the CPU gives, the device gives."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from library import IS_TENSORLITE, tl

pytestmark = pytest.mark.skipif(not IS_TENSORLITE or not tl.cuda.is_available(), reason="no CUDA device")

F = tl.nn.functional if IS_TENSORLITE else None
REACH = {"float32": 1e-5, "float64": 1e-12, "float16": 4e-3, "bfloat16": 3e-2, "tf32": 4e-3}
FLOATS = ["float32", "float64", "float16", "bfloat16"]

# input, weight, options
FORWARD: list[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    ((2, 3, 11), (4, 3, 3), {"stride": 2, "padding": 1, "dilation": 2}),
    ((2, 3, 8, 9), (5, 3, 3, 3), {}),
    ((2, 4, 7, 8), (6, 4, 1, 1), {}),
    ((2, 4, 7, 8), (6, 2, 1, 1), {"groups": 2, "stride": 2}),
    ((2, 3, 9, 10), (4, 3, 3, 2), {"stride": (2, 3), "padding": (1, 0), "dilation": (1, 2)}),
    ((3, 6, 7, 7), (12, 2, 3, 3), {"groups": 3, "padding": 1}),
    ((2, 6, 7, 7), (6, 1, 3, 3), {"groups": 6, "padding": 1, "stride": 2}),
    ((2, 2, 6, 6), (3, 2, 6, 6), {}),
    ((1, 2, 5, 6, 7), (3, 2, 2, 3, 2), {"stride": (1, 2, 2), "padding": (1, 1, 0)}),
    ((2, 9, 6, 6), (10, 9, 3, 3), {"padding": 1}),
    ((2, 3, 20, 21), (5, 3, 5, 5), {"stride": 6}),
]
# Channels enough for tiles; residues of the strides without taps, several tiles, divided depths.
TILES: list[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    ((2, 8, 9, 10), (16, 8, 3, 3), {"padding": 1}),
    ((2, 12, 9, 10), (20, 12, 3, 2), {"stride": (2, 3), "padding": (1, 0), "dilation": (1, 2)}),
    ((2, 16, 7, 7), (24, 8, 3, 3), {"groups": 2, "padding": 1, "stride": 2}),
    ((1, 9, 5, 6, 7), (8, 9, 2, 3, 2), {"stride": (1, 2, 2), "padding": (1, 1, 0)}),
    ((2, 8, 21), (70, 8, 5), {"stride": 3, "padding": 2}),
    ((2, 10, 8, 8), (9, 10, 3, 3), {"stride": 2, "dilation": 2, "padding": 2}),
    ((3, 36, 7, 7), (70, 36, 3, 3), {"padding": 1}),
    ((2, 8, 26, 26), (8, 8, 3, 3), {}),
    ((1, 128, 3, 3), (8, 128, 3, 3), {"padding": 1}),
]
TRANSPOSED: list[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    ((2, 3, 5), (3, 4, 3), {"stride": 2, "padding": 1, "output_padding": 1}),
    ((2, 3, 5, 6), (3, 4, 3, 3), {}),
    ((2, 4, 5, 6), (4, 3, 3, 2), {"stride": (2, 3), "padding": (1, 0), "groups": 2}),
    ((2, 3, 4, 4), (3, 5, 2, 2), {"stride": 4, "dilation": 3}),
    ((1, 2, 3, 4, 3), (2, 3, 2, 3, 2), {"stride": (1, 2, 2), "padding": (1, 1, 0)}),
]


def drawn(shape: tuple[int, ...], dtype: str, seed: int) -> Any:
    values = np.random.default_rng(seed).integers(-16, 17, shape) / 8
    return tl.tensor(values, dtype=getattr(tl, dtype))


def same(a: Any, b: Any, reach: float) -> None:
    assert b.is_cuda and (a.dtype, a.shape, a.stride()) == (b.dtype, b.shape, b.stride())
    a, b = (v.detach().cpu().double().numpy() for v in (a, b))
    np.testing.assert_allclose(b, a, rtol=reach, atol=reach * max(1.0, np.abs(np.nan_to_num(a)).max(initial=0)))


def check(case: tuple[Any, Any, Any], dtype: str, transposed: bool = False, reach: float | None = None) -> None:
    """Results and gradients, with bias."""
    shape, kernel, options = case
    n = len(shape) - 2
    function = getattr(F, f"conv_transpose{n}d" if transposed else f"conv{n}d")
    channels = kernel[1] * options.get("groups", 1) if transposed else kernel[0]
    values = drawn(shape, dtype, 1), drawn(kernel, dtype, 2), drawn((channels,), dtype, 3)
    outcomes = []
    for device in ("cpu", "cuda"):
        args = [v.detach().to(device).requires_grad_(v.is_floating_point()) for v in values]
        y = function(*args, **options)
        outcome = [y]
        if y.is_floating_point():
            weights = drawn(y.shape, dtype, 4).to(device)
            (y * weights).sum().backward()
            outcome += [a.grad for a in args]
        outcomes.append(outcome)
    for a, b in zip(*outcomes):
        same(a, b, REACH[dtype] if reach is None else reach)


@pytest.mark.parametrize("dtype", FLOATS)
def test_convolution(dtype: str) -> None:
    for case in FORWARD:
        check(case, dtype)


@contextlib.contextmanager
def kernels(choice: str) -> Iterator[None]:
    tl._C._cuda_choose_kernel("conv", choice)
    try:
        yield
    finally:
        tl._C._cuda_choose_kernel("conv", "")


@pytest.mark.parametrize("choice", ["simple", "fast", "fast-small", "fast-large"])
@pytest.mark.parametrize("dtype", FLOATS)
def test_tiles(dtype: str, choice: str) -> None:
    if dtype == "float64" and choice != "simple":
        pytest.skip("one kernel for all choices")
    with kernels(choice):
        for case in TILES[:: {"fast": 4, "fast-large": 2}.get(choice, 1)]:
            check(case, dtype)


def test_tf32_where_it_is_allowed() -> None:
    x, w = tl.rand(2, 16, 8, 8).cuda(), tl.rand(16, 16, 3, 3).cuda()
    exact = F.conv2d(x, w)
    tl.backends.cuda.matmul.allow_tf32 = True
    try:
        with kernels("fast"):
            rounded = F.conv2d(x, w)
            for case in TILES[:6]:
                check(case, "float32", reach=REACH["tf32"])
    finally:
        tl.backends.cuda.matmul.allow_tf32 = False
    difference = ((rounded - exact) / exact).abs().max().item()
    assert 1e-6 < difference < 1e-3


@pytest.mark.parametrize("dtype", FLOATS)
def test_transposed(dtype: str) -> None:
    for case in TRANSPOSED:
        check(case, dtype, transposed=True)


@pytest.mark.parametrize("dtype", ["int64", "int32", "int16", "uint8", "int8"])
def test_whole_numbers(dtype: str) -> None:
    for shape, kernel, options in FORWARD:
        x, w = (drawn(s, "float32", i).mul(40).to(getattr(tl, dtype)) for i, s in enumerate((shape, kernel)))
        function = getattr(F, f"conv{len(shape) - 2}d")
        same(function(x, w, **options), function(x.cuda(), w.cuda(), **options), 0)
    for shape, kernel, options in TRANSPOSED if dtype == "int64" else []:
        x, w = (drawn(s, "float32", i).mul(40).to(tl.int64) for i, s in enumerate((shape, kernel)))
        function = getattr(F, f"conv_transpose{len(shape) - 2}d")
        same(function(x, w, **options), function(x.cuda(), w.cuda(), **options), 0)


def test_layouts_and_empty() -> None:
    x, w = drawn((2, 4, 8, 8), "float32", 1), drawn((6, 4, 3, 3), "float32", 2)
    for t in (x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2), x.transpose(2, 3), x[:, :, ::2]):
        there = tl.empty_strided(t.shape, t.stride(), device="cuda").copy_(t)
        same(F.conv2d(t, w), F.conv2d(there, w.cuda()), 1e-5)
    for shape in ((0, 4, 8, 8), (4, 8, 8)):
        t = tl.ones(shape)
        same(F.conv2d(t, w), F.conv2d(t.cuda(), w.cuda()), 1e-5)


def test_infinity_reaches_its_own_results_alone() -> None:
    x, w = drawn((1, 2, 6, 6), "float32", 1), drawn((3, 2, 3, 3), "float32", 2)
    x[0, 1, 0, 5] = float("inf")
    same(F.conv2d(x, w, padding=1), F.conv2d(x.cuda(), w.cuda(), padding=1), 1e-5)


def test_second_derivative() -> None:
    grads = []
    for device in ("cpu", "cuda"):
        x = drawn((1, 2, 6, 6), "float64", 1).to(device).requires_grad_()
        w = drawn((3, 2, 3, 3), "float64", 2).to(device).requires_grad_()
        y = F.conv2d(x, w, stride=2, padding=1)
        gx, gw = tl.autograd.grad((y**3).sum(), (x, w), create_graph=True)
        ((gx * gx).sum() + (gw * gw).sum()).backward()
        grads.append((x.grad, w.grad))
    for a, b in zip(*grads):
        same(a, b, 1e-12)


def test_same_bits_each_time() -> None:
    x, w = drawn((4, 8, 9, 9), "float32", 1).cuda() / 3, drawn((16, 8, 3, 3), "float32", 2).cuda() / 7
    w.requires_grad_()
    bits = []
    for _ in range(2):
        (F.conv2d(x, w, padding=1) ** 2).sum().backward()
        bits.append(w.grad.cpu().numpy().tobytes())
        w.grad = None
    assert bits[0] == bits[1]


def test_errors_are_those_of_the_cpu() -> None:
    w = tl.ones(4, 3, 3, 3)
    for x in (tl.ones(1, 2, 8, 8), tl.ones(1, 3, 2, 2), tl.ones(1, 3, 8, 8, dtype=tl.float64)):
        texts = []
        for device in ("cpu", "cuda"):
            with pytest.raises(RuntimeError) as e:
                F.conv2d(x.to(device), w.to(device))
            texts.append(str(e.value))
        assert texts[0] == texts[1]


# ---- training ----


def losses(device: str, dtype: Any, steps: int = 4) -> list[float]:
    tl.manual_seed(0)
    nn = tl.nn
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 8, 3, padding=1, groups=2), nn.ReLU(), nn.AdaptiveAvgPool2d(2),
        nn.Flatten(), nn.Linear(32, 10),
    )  # fmt: skip
    images = tl.randn(8, 1, 16, 16, dtype=dtype)
    labels = tl.arange(8) % 10
    model, images, labels = model.to(device, dtype), images.to(device), labels.to(device)
    optimizer = tl.optim.Adam(model.parameters(), lr=1e-2)
    result = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        result.append(loss.item())
    return result


def test_a_network_trains_as_on_the_cpu() -> None:
    for dtype, reach in ((tl.float32, 1e-4), (tl.float64, 1e-10)):
        here, there = losses("cpu", dtype), losses("cuda", dtype)
        assert here[-1] < here[0]
        np.testing.assert_allclose(there, here, rtol=reach)
