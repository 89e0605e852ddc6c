"""Copies within a CUDA device: between dtypes, of transposed and cut tensors, of what does not start at a pack; masks and
triangles. Random numbers stay in their range, optimizers step by packs. Against the CPU.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from library import IS_TENSORLITE, tl

pytestmark = pytest.mark.skipif(not IS_TENSORLITE or not tl.cuda.is_available(), reason="no CUDA device")

DTYPES = (
    "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128".split()
)  # all there are


def numbers(*shape: int, dtype: str) -> Any:
    values = np.random.default_rng(0).integers(-3, 4, shape) * 0.75
    return tl.tensor(values).to(getattr(tl, dtype))


def same(got: Any, expected: Any) -> None:
    assert got.is_cuda and (got.dtype, got.shape) == (expected.dtype, expected.shape)
    assert got.stride() == expected.stride()
    assert got.cpu().equal(expected)


@pytest.mark.sanitize
@pytest.mark.filterwarnings("ignore:Casting complex values to real")
@pytest.mark.parametrize("to", DTYPES)
@pytest.mark.parametrize("start", [0, 1, 2, 4])
def test_conversions(to: str, start: int) -> None:
    """Whole fours, a rest, and addresses that are no multiple of a pack, on either side."""
    for dtype in DTYPES:
        x = numbers(1030, dtype=dtype)
        for n in (3, 16, 1025):
            part = x[start : start + n]
            same(x.cuda()[start : start + n].to(getattr(tl, to)), part.to(getattr(tl, to)))
            there = tl.zeros(1030, dtype=getattr(tl, to))
            on_device = there.cuda()
            there[start : start + n].copy_(x[:n])
            on_device[start : start + n].copy_(x.cuda()[:n])
            assert on_device.cpu().equal(there)


TURNED: list[tuple[tuple[int, ...], Callable[[Any], Any]]] = [
    ((64, 96), lambda x: x.t()),
    ((37, 70), lambda x: x.t()),
    ((8, 33), lambda x: x.t()),
    ((5, 300), lambda x: x.t()),
    ((3, 40, 33), lambda x: x.transpose(1, 2)),
    ((2, 19, 9, 11), lambda x: x.permute(0, 2, 3, 1)),
    ((4, 33, 5, 40), lambda x: x.permute(3, 2, 0, 1)),
    ((66, 70), lambda x: x[1:, 3:].t()),
    ((40, 2, 40), lambda x: x[:, 1].t()),
    ((48, 64), lambda x: x[:, 16:48]),
    ((48, 64), lambda x: x[3:, 3:50]),
    ((4, 12, 32), lambda x: x[:, 4:8].transpose(0, 1)),
    ((33, 1), lambda x: x.expand(33, 40)),
]


@pytest.mark.order
@pytest.mark.sanitize
@pytest.mark.parametrize("dtype", ["bool", "int16", "float32", "float64", "complex128"])
@pytest.mark.parametrize("case", range(len(TURNED)))
def test_turned_and_cut(case: int, dtype: str) -> None:
    shape, view = TURNED[case]
    x = numbers(*shape, dtype=dtype)
    same(view(x.cuda()).clone(memory_format=tl.contiguous_format), view(x).clone(memory_format=tl.contiguous_format))
    into, there = tl.zeros(shape, dtype=x.dtype), tl.zeros(shape, dtype=x.dtype, device="cuda")
    if 0 not in view(into).stride():
        source = view(x).clone(memory_format=tl.contiguous_format)
        view(into).copy_(source)
        view(there).copy_(source.cuda())
        assert there.cpu().equal(into)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_copies_between_widths_in_the_same_memory(device: str) -> None:
    for n in (8, 5000):
        wide = tl.arange(n, dtype=tl.float64, device=device)
        narrow = wide.view(tl.float32)[:n]
        expected = narrow.clone().double()
        wide.copy_(narrow)
        assert wide.equal(expected)


def test_masks() -> None:
    """By packs, a rest, from an odd address; what is met in a mask's steps."""
    a, b = numbers(5003, dtype="bool"), numbers(5003, dtype="int64") > 0
    for start in (0, 1):
        x, y = a[start:], b[start:]
        for f in (
            lambda x, y: x & y,
            lambda x, y: x | y,
            lambda x, y: x ^ y,
            lambda x, y: x & True,
            lambda x, y: tl.where(x, y, x),
            lambda x, y: x.clone().logical_not_().__iand__(y),
            lambda x, y: ~x,
        ):
            same(f(x.cuda(), y.cuda()), f(x, y))
    for dtype in ("bool", "int16", "float32", "complex128"):
        x = numbers(40_001, dtype=dtype)
        mask = x.real > 0.5 if x.is_complex() else x > 0.5
        there = x.cuda()
        there[mask.cuda()] = 2
        x[mask] = 2
        assert there.cpu().equal(x)


@pytest.mark.parametrize("dtype", ["bool", "float16", "float32", "complex128"])
def test_triangles(dtype: str) -> None:
    for shape in ((3, 5, 7), (40, 33), (1, 9), (2, 70, 1)):
        x = numbers(*shape, dtype=dtype)
        for diagonal in (-40, -2, 0, 1, 8):
            same(x.cuda().tril(diagonal), x.tril(diagonal))
            same(x.cuda().triu(diagonal), x.triu(diagonal))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_uniform_leaves_out_its_end(dtype: str) -> None:
    """Between 1 and 2 the largest number below 1 that is drawn would be rounded up to 2."""
    x = tl.empty(100_003, dtype=getattr(tl, dtype), device="cuda").uniform_(1, 2).cpu().double()
    assert float(x.min()) >= 1 and float(x.max()) < 2 and abs(float(x.mean()) - 1.5) < 0.01


@pytest.mark.parametrize("p", [0.0, 2.0**-32, 0.25, 0.3, 1.0])
def test_numbers_do_not_depend_on_the_layout(p: float) -> None:
    """What is written by fours is what is written one by one."""
    for fill in (
        lambda t: t.bernoulli_(p),
        lambda t: t.uniform_(-1, p),
        lambda t: t.normal_(p, 2),
        lambda t: t.random_(),
    ):
        for dtype in (tl.float16, tl.float32, tl.float64):
            tl.manual_seed(3)
            row = fill(tl.empty(1003, dtype=dtype, device="cuda")).cpu()
            tl.manual_seed(3)
            spread = fill(tl.empty(1003, 2, dtype=dtype, device="cuda")[:, 1]).cpu()
            assert row.equal(spread)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop", "Adagrad", "Adadelta"])
def test_steps_of_optimizers(name: str, start: int, dtype: str) -> None:
    """Packs, a rest, and a parameter that does not start at a pack; several dtypes in one step."""
    extra: dict[str, Any] = {"SGD": {"momentum": 0.9}, "Adam": {"amsgrad": True}, "RMSprop": {"centered": True}}

    def after(device: str) -> list[Any]:
        kind = getattr(tl, dtype)
        params = [tl.linspace(-2, 3, 1000, dtype=kind).to(device)[start:], tl.linspace(0, 1, 7).to(device)]
        params = [p.detach().requires_grad_() for p in params]
        optimizer = getattr(tl.optim, name)(params, lr=0.1, weight_decay=0.01, **extra.get(name, {}))
        for _ in range(3):
            for p in params:
                p.grad = (p.detach() * 0.5 + 0.25).to(p.dtype)
            optimizer.step()
        return [p.detach().cpu().double().numpy() for p in params]

    tolerance = {"float32": 1e-5, "float64": 1e-12, "float16": 4e-3, "bfloat16": 3e-2}[dtype]
    for got, expected in zip(after("cuda"), after("cpu")):
        np.testing.assert_allclose(got, expected, rtol=max(tolerance, 1e-5 if got.size == 7 else 0), atol=tolerance)
