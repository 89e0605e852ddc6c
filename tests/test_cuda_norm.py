"""Normalisations on a CUDA device, against the CPU: rows that fit into registers and rows that do not, channels that are
cut into parts, memory orders, dtypes, running statistics.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from library import IS_TENSORLITE, tl

pytestmark = pytest.mark.skipif(not IS_TENSORLITE or not tl.cuda.is_available(), reason="no CUDA device")

F = tl.nn.functional
TOLERANCE = {"float64": 1e-11, "float32": 2e-5, "float16": 4e-3, "bfloat16": 3e-2}


def drawn(*shape: int, seed: int = 0, dtype: str = "float32", shift: float = 0.0) -> Any:
    values = np.random.default_rng(seed).standard_normal(shape) + shift
    return tl.tensor(values, dtype=tl.float64).to(getattr(tl, dtype))


def compare(f: Callable[..., Any], *tensors: Any, dtype: str = "float32", reach: float = 1) -> None:
    """Results and gradients of f on both devices; the same bits in a second run."""

    def run(device: str) -> list[Any]:
        leaves = [t.to(device).detach().requires_grad_() if t is not None else None for t in tensors]
        y = f(*leaves)
        generator = np.random.default_rng(9)
        g = tl.tensor(generator.standard_normal(tuple(y.shape)), dtype=tl.float64).to(y.dtype).to(device)
        g = g.contiguous(memory_format=tl.channels_last) if y.dim() == 4 and y.stride(1) == 1 else g
        given = [t for t in leaves if t is not None]
        return [y.detach(), *tl.autograd.grad(y, given, g)]

    expected, got, again = run("cpu"), run("cuda"), run("cuda")
    for e, g, a in zip(expected, got, again):
        assert (g.dtype, g.shape, g.stride()) == (e.dtype, e.shape, e.stride()) and g.is_cuda
        assert g.cpu().equal(a.cpu())
        e, g = e.double().numpy(), g.cpu().double().numpy()
        np.testing.assert_allclose(g, e, rtol=TOLERANCE[dtype], atol=reach * TOLERANCE[dtype] * max(1, abs(e).max()))


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(
    ("rows", "n"), [(5, 1), (3, 7), (70, 33), (9, 64), (3, 300), (5, 1024), (2, 2056)], ids=lambda v: str(v)
)
def test_layer_norm(rows: int, n: int, dtype: str) -> None:
    x = drawn(rows, n, dtype=dtype, shift=0.5)
    reach = 3 if n > 1 else 30  # of one element the gradient of the input is zero, up to rounding
    compare(
        lambda x, w, b: F.layer_norm(x, (n,), w, b),
        x, drawn(n, seed=1, dtype=dtype), drawn(n, seed=2, dtype=dtype), dtype=dtype, reach=reach,
    )  # fmt: skip
    compare(lambda x: F.layer_norm(x, (n,)), x, dtype=dtype, reach=reach)


@pytest.mark.parametrize("n", [5000, 20_001])
def test_long_rows(n: int) -> None:
    """Beyond the registers of a block, backward and forward."""
    w, b = drawn(n, seed=1), drawn(n, seed=2)
    compare(lambda x, w, b: F.layer_norm(x, (n,), w, b), drawn(3, n, shift=3), w, b, reach=3)
    compare(lambda x, w: F.layer_norm(x, (n,), w), drawn(3 * n + 1)[1:].view(3, n), w, reach=3)
    compare(lambda x, w, b: F.group_norm(x, 2, w, b), drawn(1, 4, n), drawn(4), drawn(4), reach=3)
    compare(lambda x: F.layer_norm(x, (n,)), drawn(2, n, dtype="float16"), dtype="float16")


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(
    ("shape", "groups"), [((2, 6, 5), 3), ((3, 8), 2), ((2, 4, 3, 5), 1), ((2, 3, 8, 8), 3), ((9, 12, 16), 4)], ids=str
)
def test_group_norm(shape: tuple[int, ...], groups: int, dtype: str) -> None:
    w, b = drawn(shape[1], seed=1, dtype=dtype), drawn(shape[1], seed=2, dtype=dtype)
    compare(lambda x, w, b: F.group_norm(x, groups, w, b), drawn(*shape, dtype=dtype), w, b, dtype=dtype, reach=3)
    compare(lambda x: F.group_norm(x, groups), drawn(*shape, dtype=dtype), dtype=dtype, reach=3)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    "shape", [(8, 3), (40, 70), (4, 3, 5), (3, 5, 4, 4), (2, 300, 3, 3), (2, 2, 64, 64), (2, 8, 2, 3, 4)], ids=str
)
@pytest.mark.parametrize("channels_last", [False, True])
def test_batch_norm(shape: tuple[int, ...], training: bool, dtype: str, channels_last: bool) -> None:
    if channels_last and len(shape) != 4:
        pytest.skip("of images")
    c = shape[1]
    x, w, b = drawn(*shape, dtype=dtype, shift=2), drawn(c, seed=1, dtype=dtype), drawn(c, seed=2, dtype=dtype)
    if channels_last:
        x = x.contiguous(memory_format=tl.channels_last)
    kept: dict[str, list[Any]] = {}

    def norm(x: Any, w: Any, b: Any) -> Any:
        mean, var = drawn(c, seed=3, dtype=dtype).to(x.device), drawn(c, seed=4, dtype=dtype).abs().to(x.device)
        y = F.batch_norm(x, mean, var, w, b, training, 0.3)
        kept[x.device.type] = [mean.cpu().double().numpy(), var.cpu().double().numpy()]
        return y

    compare(norm, x, w, b, dtype=dtype, reach=5)
    for e, g in zip(kept["cpu"], kept["cuda"]):
        np.testing.assert_allclose(g, e, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])
    if training:
        compare(lambda x: F.batch_norm(x, None, None, training=True), x, dtype=dtype, reach=5)


def test_channels_in_parts() -> None:
    x = drawn(3, 2, 150, 151, shift=10)
    w, b = drawn(2, seed=1), drawn(2, seed=2)
    compare(lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True), x, w, b, reach=3)
    compare(
        lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True),
        x.contiguous(memory_format=tl.channels_last), w, b, reach=3,
    )  # fmt: skip


def test_large_mean_keeps_the_variance() -> None:
    x = drawn(4, 5000, dtype="float64") + 1e4
    for f in (
        lambda x: F.layer_norm(x, (5000,)),
        lambda x: F.batch_norm(x.view(1, 4, 5000), None, None, training=True),
        lambda x: F.batch_norm(x.mT, None, None, training=True),
    ):
        expected, got = f(x).numpy(), f(x.float().cuda()).cpu().numpy()
        np.testing.assert_allclose(got, expected, atol=1e-2)  # the mean has steps of 1e-3


def test_modules_and_compositions() -> None:
    x = drawn(2, 6, 4, 4)
    compare(lambda x: F.instance_norm(x), x, reach=3)
    compare(lambda x, w, b: F.instance_norm(x, weight=w, bias=b), x, drawn(6), drawn(6, seed=1), reach=3)
    compare(lambda x, w: F.rms_norm(x, (4,), w), x, drawn(4), reach=3)
    compare(lambda x: F.local_response_norm(x, 3), x)
    for module in (tl.nn.BatchNorm2d(6), tl.nn.GroupNorm(2, 6), tl.nn.LayerNorm([6, 4, 4]), tl.nn.RMSNorm(4)):
        there = type(module)(6) if isinstance(module, tl.nn.BatchNorm2d) else module
        expected = module(x).detach().numpy()
        got = there.to("cuda")(x.cuda())
        np.testing.assert_allclose(got.detach().cpu().numpy(), expected, rtol=1e-4, atol=1e-5)


def test_second_derivatives() -> None:
    x = drawn(3, 4, 5, dtype="float64").cuda().requires_grad_()
    w = drawn(4, seed=1, dtype="float64").cuda().requires_grad_()
    assert tl.autograd.gradgradcheck(lambda x, w: F.batch_norm(x, None, None, w, training=True), (x, w))


def test_empty_and_errors() -> None:
    for shape in ((0, 4), (3, 0)):
        x = tl.zeros(*shape, device="cuda", requires_grad=True)
        y = F.layer_norm(x, shape[1:])
        y.sum().backward()
        assert y.shape == shape and x.grad.shape == shape
    x = tl.zeros(0, 4, 3, device="cuda")
    assert F.group_norm(x, 2).shape == x.shape and F.batch_norm(x, *tl.ones(2, 4, device="cuda")).shape == x.shape
    for call in (
        lambda d: F.layer_norm(tl.ones(2, 3, device=d), (4,)),
        lambda d: F.group_norm(tl.ones(2, 3, device=d), 2),
        lambda d: F.layer_norm(tl.ones(2, 3, dtype=tl.int64, device=d), (3,)),
        lambda d: F.batch_norm(tl.ones(2, 3, device=d), None, None),
        lambda d: F.batch_norm(tl.ones(1, 3, device=d), None, None, training=True),
    ):
        with pytest.raises((RuntimeError, ValueError)) as cpu:
            call("cpu")
        with pytest.raises(cpu.type) as cuda:
            call("cuda")
        assert str(cuda.value) == str(cpu.value)
