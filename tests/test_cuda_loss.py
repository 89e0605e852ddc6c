"""Losses on a CUDA device, against the CPU: sizes that take many blocks, and the shapes of targets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from library import IS_TENSORLITE, tl

pytestmark = pytest.mark.skipif(not IS_TENSORLITE or not tl.cuda.is_available(), reason="no CUDA device")

F = tl.nn.functional


def both(f: Any, *inputs: Any) -> None:
    """The result and the gradient of the first input, on both devices; twice on the second."""
    outcomes = []
    for device in ("cpu", "cuda", "cuda"):
        leaf = inputs[0].to(device).detach().requires_grad_()
        y = f(leaf, *(x.to(device) for x in inputs[1:]))
        g = tl.linspace(0.5, 1.5, y.numel(), device=device).reshape(y.shape)
        outcomes.append([y.detach().cpu().numpy(), tl.autograd.grad(y, [leaf], g)[0].cpu().numpy()])
    for expected, got, again in zip(*outcomes):
        np.testing.assert_array_equal(got, again)
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("shape", [(7, 3), (1000, 11), (2, 5, 9, 31), (3, 4, 0)], ids=str)
def test_nll(shape: tuple[int, ...], reduction: str) -> None:
    rng = np.random.default_rng(0)
    x = tl.tensor(rng.standard_normal(shape).astype(np.float32))
    target = tl.tensor(rng.integers(0, shape[1], (shape[0], *shape[2:])))
    weight = tl.tensor(rng.random(shape[1], dtype=np.float32))
    both(lambda x, t, w: F.nll_loss(x, t, w, reduction=reduction, ignore_index=1), x, target, weight)


@pytest.mark.parametrize("n", [0, 1, 255, 140_001, 700_003, 4_400_003])
def test_mse(n: int) -> None:
    rng = np.random.default_rng(1)
    x, y = (tl.tensor(rng.random(n, dtype=np.float32)) for _ in range(2))
    for reduction in ["none"] if n > 1_000_000 or n == 0 else ["none", "mean", "sum"]:
        both(lambda x, y, r=reduction: F.mse_loss(x, y, reduction=r), x, y)
