"""Random choices and CTC on a CUDA device."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from library import IS_TENSORLITE, tl

pytestmark = pytest.mark.skipif(not IS_TENSORLITE or not tl.cuda.is_available(), reason="no CUDA device")


@pytest.mark.parametrize("n", [0, 1, 2, 100, 5000, 12_000])
def test_permutations(n: int) -> None:
    p = tl.randperm(n, device="cuda")
    assert p.is_cuda and p.dtype == tl.int64 and sorted(p.tolist()) == list(range(n))
    assert n < 100 or p.tolist() != list(range(n))
    for dtype in (tl.int32, tl.float32, tl.float64):
        assert sorted(tl.randperm(n, dtype=dtype, device="cuda").tolist()) == list(range(n))


def test_permutations_are_equally_likely() -> None:
    tl.cuda.manual_seed(1)
    counts = Counter(tuple(tl.randperm(3, device="cuda").tolist()) for _ in range(600))
    assert len(counts) == 6 and max(abs(c - 100) for c in counts.values()) < 45


def test_seeds_repeat_choices() -> None:
    weights = tl.rand(3, 50, device="cuda")

    def drawn() -> list[list[int]]:
        tl.cuda.manual_seed(5)
        return [
            tl.randperm(60, device="cuda").tolist(),
            tl.multinomial(weights, 7).tolist(),
            tl.multinomial(weights, 7, True).tolist(),
            tl.poisson(weights * 9).tolist(),
        ]

    first = drawn()
    assert first == drawn() and tl.randperm(60, device="cuda").tolist() != first[0]


@pytest.mark.parametrize("rate", [0.0, 0.5, 4.0, 9.9, 10.0, 60.0, 1e4])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_poisson(rate: float, dtype: str) -> None:
    tl.cuda.manual_seed(2)
    x = tl.poisson(tl.full((4000,), rate, dtype=getattr(tl, dtype), device="cuda")).cpu().numpy()
    error = (rate / 4000) ** 0.5
    assert abs(x.mean() - rate) <= 5 * error and abs(x.var() - rate) <= 0.2 * rate and (x == x.round()).all()


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_multinomial(dtype: str) -> None:
    tl.cuda.manual_seed(3)
    w = tl.tensor([[0.0, 1, 2, 3, 0], [5, 0, 0, 0, 5]], dtype=getattr(tl, dtype), device="cuda")
    p = (w / w.sum(1, keepdim=True)).cpu().float().numpy()
    shares = np.stack([np.bincount(r, minlength=5) for r in tl.multinomial(w, 5000, True).cpu().numpy()]) / 5000
    assert np.abs(shares - p).max() < 0.04 and (shares[p == 0] == 0).all()
    pairs = np.array([tl.multinomial(w, 2).tolist() for _ in range(200)])
    assert (pairs[..., 0] != pairs[..., 1]).all() and set(pairs[:, 1].ravel()) == {0, 4}
    assert abs((pairs[:, 0, 0] == 3).mean() - 0.5) < 0.15 and 0 not in pairs[:, 0] and 4 not in pairs[:, 0]
    assert tl.multinomial(w[0], 1).shape == (1,)
    many = tl.multinomial(tl.rand(2, 5000, device="cuda").to(w.dtype) + 0.1, 3000)
    assert all(len(set(row)) == 3000 for row in many.tolist())


@pytest.mark.parametrize(
    "weights", [[[1.0, 2], [0, 0]], [[0.0, 0], [-1, 1]], [[1.0, -1], [0, 0]], [[float("nan"), 1]], [[float("inf"), 1]]]
)
def test_what_is_no_distribution_is_refused(weights: list[list[float]]) -> None:
    texts = []
    for device in ("cpu", "cuda"):
        with pytest.raises(RuntimeError) as e:
            tl.multinomial(tl.tensor(weights, device=device), 1)
        texts.append(str(e.value))
    assert texts[0] == texts[1]
    with pytest.raises(RuntimeError, match="invalid Poisson rate, expected rate to be non-negative"):
        tl.poisson(tl.tensor([1.0, -1.0], device="cuda"))


# ---- CTC ----

PROBLEMS = [  # steps, batch, classes, longest target, targets one after the other
    (12, 3, 5, 4, False),
    (50, 2, 20, 12, True),
    (7, 4, 3, 3, False),
    (20, 2, 40, 150, False),
    (5, 1, 2, 0, False),
]


@pytest.mark.parametrize("problem", PROBLEMS, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("zero_infinity", [False, True])
def test_ctc(problem: tuple[int, int, int, int, bool], dtype: str, zero_infinity: bool) -> None:
    steps, batch, classes, longest, flat = problem
    rng = np.random.default_rng(0)
    log_probs = tl.tensor(rng.standard_normal((steps, batch, classes)), dtype=getattr(tl, dtype)).log_softmax(-1)
    given = [int(v) for v in rng.integers(steps // 2, steps + 1, batch)]
    wanted = [int(v) for v in rng.integers(0, longest + 1, batch)]
    if longest == 4:
        given[0] = 0
    targets = tl.tensor(rng.integers(0 if flat else 1, classes, sum(wanted) if flat else (batch, longest)))
    outcomes = []
    for device in ("cpu", "cuda"):
        x = log_probs.to(device).detach().requires_grad_()
        loss = tl.nn.functional.ctc_loss(
            x, targets.to(device), given, wanted, reduction="none", zero_infinity=zero_infinity
        )
        (loss * tl.arange(1, batch + 1, device=device)).sum().backward()
        outcomes.append((loss.detach().cpu().numpy(), x.grad.cpu().numpy()))
    tol = 1e-4 if dtype == "float32" else 1e-10
    for a, b in zip(*outcomes):
        np.testing.assert_allclose(b, a, rtol=tol, atol=tol / 10)


def test_ctc_checks_and_moves_targets() -> None:
    x = tl.zeros(4, 1, 3, device="cuda")
    with pytest.raises(IndexError, match="ctc_loss: target 9 is out of range for 3 classes"):
        tl.nn.functional.ctc_loss(x, tl.tensor([[1, 9]], device="cuda"), [4], [2])
    a, b = (tl.nn.functional.ctc_loss(x, tl.tensor([[1, 2]], device=d), [4], [2]).item() for d in ("cpu", "cuda"))
    assert a == b
