"""Reductions on a CUDA device, against the CPU: rows and columns, by packs and not, in every dtype."""

from __future__ import annotations

import numpy as np
import pytest
from library import IS_TENSORLITE, tl

pytestmark = pytest.mark.skipif(not IS_TENSORLITE or not tl.cuda.is_available(), reason="no CUDA device")

TOLERANCE = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 2e-5, "float64": 1e-12}
OPS = ["sum", "amax", "argmin", "var", "any", "prod", "norm"]
CASES = [
    ((5, 3), 1), ((9, 61), 1), ((2, 64), 1), ((3, 1001), 1), ((2, 5003), 1), ((150_007,), 0),
    ((40, 6, 7), 1), ((2, 301, 8), 1), ((1200, 132), 0), ((1201, 5), 0),
]  # fmt: skip


@pytest.mark.parametrize("dtype", [*TOLERANCE, "int64", "int32", "int8", "bool"])
@pytest.mark.parametrize(("shape", "dim"), CASES, ids=str)
def test_values(shape: tuple[int, ...], dim: int, dtype: str) -> None:
    values = np.random.default_rng(0).integers(-3, 4, shape)
    floating = dtype in TOLERANCE
    x = tl.tensor(values * 0.25 + 1 if floating else values).to(getattr(tl, dtype))
    for op in OPS:
        if (op in ("var", "norm") and not floating) or (op == "argmin" and dtype == "bool"):
            continue
        f = getattr(tl, op)
        # From an address that is a multiple of a pack, and from one that is not.
        for here in (x, x.narrow(dim, 1, shape[dim] - 1)):
            there = here.to("cuda") if here is x else x.to("cuda").narrow(dim, 1, shape[dim] - 1)
            expected, got = f(here, dim=dim), f(there, dim=dim)
            assert got.dtype == expected.dtype
            np.testing.assert_allclose(
                got.cpu().double().numpy(), expected.double().numpy(), rtol=TOLERANCE.get(dtype, 0), atol=0, err_msg=op
            )


@pytest.mark.parametrize("n", [5, 37, 1001])
def test_not_a_number_is_found(n: int) -> None:
    for place in (0, n // 2, n - 1):
        x = tl.ones(2, n)
        x[1, place] = float("nan")
        y = x.to("cuda")
        assert y.argmax(1).tolist() == [0, place] and y.argmin(1).tolist() == [0, place]
        for f in (tl.amax, tl.amin, tl.sum):
            assert f(y, dim=1).isnan().tolist() == [False, True]
        assert tl.nansum(y, dim=1).tolist() == [n, n - 1]
