"""Softmax on a CUDA device, against the CPU: rows in registers, long rows, other dims, infinities, dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from library import IS_TENSORLITE, tl

pytestmark = pytest.mark.skipif(not IS_TENSORLITE or not tl.cuda.is_available(), reason="no CUDA device")

TOLERANCE = {"float64": 1e-12, "float32": 1e-5, "float16": 2e-3, "bfloat16": 2e-2}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(
    ("shape", "dim"),
    [
        ((5, 1), 1), ((70, 10), 1), ((9, 64), 1), ((3, 333), 1), ((2, 2000), 1), ((1, 17_000), 1), ((2, 20_011), 1),
        ((40, 6), 0), ((3, 20, 5), 1), ((2, 300, 7), 1), ((3, 5, 2, 2), 1),
    ],
    ids=str,
)  # fmt: skip
def test_softmax(shape: tuple[int, ...], dim: int, dtype: str) -> None:
    values = np.random.default_rng(0).standard_normal(shape) * 4
    values.flat[0] = -np.inf
    if shape[dim] > 4:
        values[(1 if shape[0] > 1 else 0,) + (0,) * (len(shape) - 1)] = -np.inf
    x = tl.tensor(values, dtype=tl.float64).to(getattr(tl, dtype))
    g = tl.tensor(np.random.default_rng(1).standard_normal(shape), dtype=tl.float64).to(x.dtype)

    def run(f: Any, device: str) -> list[Any]:
        leaf = x.to(device).detach().requires_grad_()
        y = f(leaf, dim)
        return [y.detach(), *tl.autograd.grad(y, [leaf], g.to(device))]

    for f in (tl.softmax, tl.log_softmax):
        for e, got, again in zip(run(f, "cpu"), run(f, "cuda"), run(f, "cuda")):
            assert got.dtype == e.dtype and got.stride() == e.stride()
            np.testing.assert_array_equal(got.cpu().double().numpy(), again.cpu().double().numpy())
            np.testing.assert_allclose(
                got.cpu().double().numpy(), e.double().numpy(), rtol=TOLERANCE[dtype], atol=5 * TOLERANCE[dtype]
            )
