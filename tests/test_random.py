"""Random numbers: the same stream and the same transformations as PyTorch's CPU generator, for the same seed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from library import IS_TENSORLITE, tl, torch

SEED = 2024
FLOATS = ["float16", "bfloat16", "float32", "float64"]
INTEGERS = ["uint8", "int8", "int16", "int32", "int64"]
COUNTS = [1, 15, 16, 17, 100, 1000, 5003]


def words(n: int) -> np.ndarray:
    """The first n numbers of the Mersenne Twister."""
    stream = np.random.MT19937()
    stream._legacy_seeding(SEED)
    return stream.random_raw(n).astype(np.uint64)


def pairs(n: int) -> np.ndarray:
    w = words(2 * n)
    return (w[0::2] << np.uint64(32)) | w[1::2]


def uniform24(n: int) -> np.ndarray:
    return (words(n) & np.uint64(2**24 - 1)).astype(np.float32) * np.float32(2.0**-24)


def uniform53(n: int) -> np.ndarray:
    return (pairs(n) & np.uint64(2**53 - 1)).astype(np.float64) * 2.0**-53


def box_muller(u: np.ndarray) -> np.ndarray:
    """Blocks of 16 uniform numbers into normal ones; what does not fill the last block is drawn again."""
    dtype = u.dtype.type

    def block(b: np.ndarray) -> np.ndarray:
        radius, angle = np.sqrt(dtype(-2) * np.log(dtype(1) - b[:8])), dtype(2 * np.pi) * b[8:]
        return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])

    n = len(u) - 16
    out = u[:n].copy()
    for i in range(0, n - 15, 16):
        out[i : i + 16] = block(out[i : i + 16])
    if n % 16:
        out[n - 16 :] = block(u[n:])
    return out


def normal_pairs(n: int) -> np.ndarray:
    u = uniform53(n + n % 2)
    radius, angle = np.sqrt(-2 * np.log1p(-u[1::2])), 2 * np.pi * u[0::2]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).ravel()[:n]


@pytest.fixture(autouse=True)
def _seeded():
    tl.manual_seed(SEED)


# ---- the generator ----


def test_known_numbers():
    expected = [[0.5317, 0.8313], [0.9718, 0.1193], [0.1669, 0.3495], [0.2150, 0.6201]]
    np.testing.assert_allclose(tl.rand(4, 2).numpy(), expected, atol=5e-5)


def test_seeds():
    first = tl.rand(5)
    tl.manual_seed(SEED)
    assert tl.equal(tl.rand(5), first)
    assert tl.initial_seed() == SEED
    assert tl.manual_seed(-1) is tl.default_generator
    assert tl.initial_seed() == 2**64 - 1
    tl.manual_seed(SEED + 2**32)  # only the low 32 bits matter
    assert tl.equal(tl.rand(5), first)
    assert tl.seed() == tl.initial_seed()


def test_generator_objects():
    g = tl.Generator()
    assert g.initial_seed() == 67280421310721
    assert g.manual_seed(SEED) is g
    ours = tl.rand(7, generator=g)
    assert tl.equal(ours, tl.rand(7)), "a generator of one's own draws the same numbers"
    assert not tl.equal(tl.rand(7, generator=g), ours)
    assert not tl.equal(tl.Generator().manual_seed(1).get_state(), tl.Generator().manual_seed(2).get_state())


def test_state_comes_back():
    tl.randn(3)  # leaves half a pair behind
    state = tl.get_rng_state()
    assert state.dtype == tl.uint8
    assert state.shape == (5056,)
    first = tl.randn(5), tl.rand(700), tl.randperm(10)
    tl.set_rng_state(state)
    again = tl.randn(5), tl.rand(700), tl.randperm(10)
    assert all(tl.equal(a, b) for a, b in zip(first, again))


def test_broken_states_are_refused():
    with pytest.raises(RuntimeError):
        tl.set_rng_state(tl.zeros(10, dtype=tl.uint8))
    with pytest.raises(RuntimeError):
        tl.set_rng_state(tl.zeros(5056, dtype=tl.uint8))


def test_fork_rng():
    tl.rand(3)
    with tl.random.fork_rng():
        inside = tl.rand(4)
    assert tl.equal(tl.rand(4), inside)


# ---- values against NumPy's Mersenne Twister ----


@pytest.mark.parametrize("n", COUNTS)
def test_uniform(n: int):
    assert np.array_equal(tl.rand(n).numpy(), uniform24(n))
    tl.manual_seed(SEED)
    assert np.array_equal(tl.rand(n, dtype=tl.float64).numpy(), uniform53(n))
    tl.manual_seed(SEED)
    low, width = np.float32(0.1), np.float32(0.7) - np.float32(0.1)
    expected = (uniform24(n).astype(np.float64) * np.float64(width) + np.float64(low)).astype(np.float32)
    assert np.array_equal(tl.empty(n).uniform_(0.1, 0.7).numpy(), expected)


def test_uniform_never_reaches_its_end():
    x = tl.empty(4000).uniform_(1, 1 + 2**-22)
    assert sorted(set(x.tolist())) == [1.0, 1.0 + 2**-23]
    for dtype in (tl.float16, tl.bfloat16):
        assert tl.rand(4000, dtype=dtype).max().item() < 1


def test_uniform_with_equal_ends():
    assert tl.empty(3).uniform_(2, 2).tolist() == [2.0, 2.0, 2.0]


@pytest.mark.parametrize("n", COUNTS)
def test_normal(n: int):
    x, y = tl.randn(n).numpy(), box_muller(uniform24(n + 16)) if n >= 16 else normal_pairs(n).astype(np.float32)
    np.testing.assert_allclose(x, y, rtol=5e-7, atol=1e-6)
    tl.manual_seed(SEED)
    x = tl.randn(n, dtype=tl.float64).numpy()
    np.testing.assert_allclose(x, box_muller(uniform53(n + 16)) if n >= 16 else normal_pairs(n), rtol=1e-14, atol=1e-15)


def test_normal_keeps_the_second_of_a_pair():
    expected = normal_pairs(6).astype(np.float32)
    x = tl.cat([tl.randn(1), tl.randn(3), tl.randn(2)])
    np.testing.assert_allclose(x.numpy(), expected, rtol=1e-6)


def test_normal_parameters():
    x = tl.empty(1000).normal_(3, 0.5).numpy()
    np.testing.assert_allclose(x, 3 + 0.5 * box_muller(uniform24(1016)), rtol=1e-6, atol=1e-6)
    tl.manual_seed(SEED)
    assert np.array_equal(tl.normal(3.0, 0.5, (1000,)).numpy(), x)


def test_normal_of_tensors():
    mean, std = tl.arange(20.0), tl.linspace(0.5, 2, 20)
    z = tl.randn(20)
    for got, expected in (
        (lambda: tl.normal(mean, std), z * std + mean),
        (lambda: tl.normal(mean, 2.0), z * 2 + mean),
        (lambda: tl.normal(1.0, std), z * std + 1),
    ):
        tl.manual_seed(SEED)
        np.testing.assert_allclose(got().numpy(), expected.numpy(), rtol=1e-6, atol=1e-6)
    assert tl.normal(tl.zeros(3, 1), tl.ones(4)).shape == (3, 4)


@pytest.mark.parametrize("limit", [1, 2, 97, 2**16, 2**28 - 1, 2**28, 2**28 + 1, 2**32 + 1, 2**40])
def test_randint(limit: int):
    stream = words(1000) if limit < 2**28 else pairs(1000)
    expected = (stream % np.uint64(limit)).astype(np.int64)
    assert np.array_equal(tl.randint(limit, (1000,)).numpy(), expected)
    tl.manual_seed(SEED)
    assert np.array_equal(tl.randint(-5, limit - 5, (1000,)).numpy(), expected - 5)


@pytest.mark.parametrize("dtype", [*INTEGERS, "float32", "float64", "bool"])
def test_randint_dtypes(dtype: str):
    x = tl.randint(0, 2, (1000,), dtype=getattr(tl, dtype))
    assert x.dtype == getattr(tl, dtype)
    assert np.array_equal(x.numpy().astype(np.int64), (words(1000) % np.uint64(2)).astype(np.int64))


@pytest.mark.parametrize(
    ("dtype", "range_", "wide"),
    [
        ("bool", 2, False),
        ("uint8", 2**8, False),
        ("int8", 2**7, False),
        ("int16", 2**15, False),
        ("int32", 2**31, False),
        ("int64", 2**63, True),
        ("float16", 2**11 + 1, False),
        ("float32", 2**24 + 1, False),
        ("float64", 2**53 + 1, True),
    ],
)
def test_random_without_bounds(dtype: str, range_: int, wide: bool):
    x = tl.empty(1000, dtype=getattr(tl, dtype)).random_()
    expected = (pairs(1000) if wide else words(1000)) % np.uint64(range_)
    assert np.array_equal(x.numpy().astype(np.float64), expected.astype(np.float64))


def test_random_over_all_64_bits():
    x = tl.empty(100, dtype=tl.int64).random_(-(2**63), None)
    assert np.array_equal(x.numpy(), pairs(100).astype(np.int64))


@pytest.mark.parametrize("n", [0, 1, 2, 10, 1000, 5000])
def test_randperm(n: int):
    expected = np.arange(n)
    draws = words(max(n, 1))
    for i in range(n - 1):
        j = i + int(draws[i]) % (n - i)
        expected[i], expected[j] = expected[j], expected[i]
    assert np.array_equal(tl.randperm(n).numpy(), expected)
    tl.manual_seed(SEED)
    small = tl.randperm(min(n, 100), dtype=tl.int16)
    assert small.dtype == tl.int16
    assert sorted(small.tolist()) == list(range(min(n, 100)))


@pytest.mark.skipif(not IS_TENSORLITE, reason="PyTorch draws otherwise on Intel's processors")
def test_bernoulli_of_a_number():
    for p in (0.0, 0.3, 0.5, 1.0):
        tl.manual_seed(SEED)
        assert np.array_equal(tl.empty(1000).bernoulli_(p).numpy(), uniform53(1000) < p)
    tl.manual_seed(SEED)
    assert np.array_equal(tl.empty(10, dtype=tl.bool).bernoulli_(0.3).numpy(), uniform53(10) < 0.3)


def test_bernoulli_of_a_tensor():
    p = tl.linspace(0, 1, 1000)
    assert np.array_equal(tl.bernoulli(p).numpy(), uniform24(1000) < p.numpy())
    tl.manual_seed(SEED)
    p = p.double().reshape(10, 100)
    assert np.array_equal(tl.empty(10, 100).bernoulli_(p).numpy(), uniform53(1000).reshape(10, 100) < p.numpy())
    tl.manual_seed(SEED)
    expected = uniform24(50).reshape(5, 10) < np.float32(0.3)
    assert np.array_equal(tl.empty(5, 10).bernoulli_(tl.full((5, 1), 0.3)).numpy(), expected)


@pytest.mark.skipif(not IS_TENSORLITE, reason="PyTorch draws otherwise on Intel's processors")
def test_exponential():
    x = tl.empty(1000, dtype=tl.float64).exponential_(1.5)
    np.testing.assert_allclose(x.numpy(), -np.log1p(-uniform53(1000)) / 1.5, rtol=1e-14)


def test_other_distributions():
    u = uniform53(1000)
    x = tl.empty(1000, dtype=tl.float64)
    assert np.array_equal(x.geometric_(0.3).numpy(), np.ceil(np.log(u) / np.log1p(-0.3)))
    tl.manual_seed(SEED)
    np.testing.assert_allclose(x.cauchy_(1, 2).numpy(), 1 + 2 * np.tan(np.pi * (u - 0.5)), rtol=1e-12)
    tl.manual_seed(SEED)
    np.testing.assert_allclose(x.log_normal_(0.1, 0.2).numpy(), np.exp(normal_pairs(1000) * 0.2 + 0.1), rtol=1e-13)


def test_poisson():
    for rate in (0.0, 0.5, 4.0, 40.0):
        x = tl.poisson(tl.full((20000,), rate)).numpy()
        assert np.array_equal(x, np.floor(x))
        assert abs(x.mean() - rate) <= 5 * math.sqrt(rate / 20000)
        assert abs(x.var() - rate) <= 0.1 * rate


def test_multinomial():
    weights = tl.tensor([[1.0, 0.0, 3.0], [0.0, 2.0, 2.0]])
    x = tl.multinomial(weights, 20000, replacement=True)
    assert x.dtype == tl.int64
    assert x.shape == (2, 20000)
    share = np.stack([np.bincount(row, minlength=3) / 20000 for row in x.numpy()])
    np.testing.assert_allclose(share, [[0.25, 0, 0.75], [0, 0.5, 0.5]], atol=0.02)
    x = tl.multinomial(tl.ones(50), 50)
    assert sorted(x.tolist()) == list(range(50))
    assert all(set(tl.multinomial(weights, 2)[0].tolist()) == {0, 2} for _ in range(20))


def test_large_tensors_have_sane_moments():
    x = tl.randn(200_000).numpy()
    assert abs(x.mean()) < 0.01
    assert abs(x.std() - 1) < 0.01
    assert abs((x**3).mean()) < 0.05
    assert abs((x**4).mean() - 3) < 0.1


# ---- layouts, arguments, errors ----


def test_memory_order():
    a = tl.rand(3, 4)
    tl.manual_seed(SEED)
    assert tl.equal(tl.empty(4, 3).t().uniform_(), tl.empty(4, 3).copy_(a.reshape(4, 3)).t())
    tl.manual_seed(SEED)
    assert tl.equal(tl.empty(3, 8)[:, ::2].uniform_(), a), "gaps draw nothing"
    tl.manual_seed(SEED)
    x = tl.zeros(6, 4)
    x[1:4].uniform_()
    assert tl.equal(x[1:4], a)
    assert x[0].abs().sum() == 0
    assert x[4:].abs().sum() == 0


def test_like():
    x = tl.empty(3, 4, dtype=tl.float64)
    assert tl.rand_like(x).dtype == tl.float64
    assert tl.randn_like(x, dtype=tl.float32).dtype == tl.float32
    assert tl.randint_like(x, 3, 9).min() >= 3
    assert tl.rand_like(x.t()).stride() == (1, 4)


def test_arguments():
    assert tl.rand((2, 3)).shape == (2, 3)
    assert tl.rand([2, 3]).shape == (2, 3)
    assert tl.rand(()).shape == ()
    assert tl.randn(2, 0).shape == (2, 0)
    assert tl.randint(3, size=(2,)).dtype == tl.int64
    assert tl.rand(2, requires_grad=True).requires_grad
    out = tl.empty(4)
    assert tl.rand(4, out=out) is out
    assert tl.randperm(4, out=tl.empty(4, dtype=tl.int32)).dtype == tl.int32
    assert tl.empty(2, 3).uniform_(generator=tl.Generator()).shape == (2, 3)


def test_complex():
    x = tl.rand(50, dtype=tl.complex64)
    assert np.array_equal(x.numpy().view(np.float32), uniform24(100))
    x = tl.randn(50_000, dtype=tl.complex128).numpy()
    assert abs((abs(x) ** 2).mean() - 1) < 0.03


def test_gradients_are_zero():
    x = tl.ones(3, requires_grad=True)
    (x * 2).uniform_().sum().backward()
    assert x.grad.tolist() == [0.0, 0.0, 0.0]
    p = tl.full((3,), 0.5, requires_grad=True)
    tl.bernoulli(p).sum().backward()
    assert p.grad.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: tl.empty(3).uniform_(2, 1), RuntimeError, r"uniform_ expects to return a \[from, to\) range"),
        (lambda: tl.empty(3).uniform_(0, 1e39), RuntimeError, "to is out of bounds for float"),
        (lambda: tl.empty(3).normal_(0, -1), RuntimeError, "normal expects std >= 0.0, but found std -1"),
        (lambda: tl.normal(tl.zeros(2), tl.tensor([-1.0, 1])), RuntimeError, "normal expects all elements of std >= 0"),
        (
            lambda: tl.empty(3).random_(5, 3),
            RuntimeError,
            "random_ expects 'from' to be less than 'to', but got from=5 >= to=3",
        ),
        (lambda: tl.randint(5, 5, (2,)), RuntimeError, "random_ expects 'from' to be less than 'to'"),
        (lambda: tl.randint(300, (2,), dtype=tl.uint8), RuntimeError, "to - 1 is out of bounds for unsigned char"),
        (lambda: tl.empty(3, dtype=tl.uint8).random_(-5, 3), RuntimeError, "from is out of bounds for unsigned char"),
        (lambda: tl.empty(3).bernoulli_(1.5), RuntimeError, r"bernoulli_ expects p to be in \[0, 1\], but got p=1.5"),
        (lambda: tl.bernoulli(tl.tensor([1.5])), RuntimeError, "Expected p_in >= 0 && p_in <= 1 to be true"),
        (lambda: tl.bernoulli(tl.tensor([1, 0])), NotImplementedError, "not implemented for 'Long'"),
        (lambda: tl.empty(3).exponential_(0), RuntimeError, "exponential_ expects lambda > 0.0, but found lambda=0"),
        (lambda: tl.empty(3).geometric_(0), RuntimeError, r"geometric_ expects p to be in \(0, 1\), but got p=0"),
        (lambda: tl.empty(3).log_normal_(0, -1), RuntimeError, "log_normal_ expects std > 0.0, but found std=-1"),
        (lambda: tl.empty(3).cauchy_(0, -1), RuntimeError, "cauchy_ expects sigma > 0.0, but found sigma=-1"),
        (lambda: tl.poisson(tl.tensor([-1.0])), RuntimeError, "invalid Poisson rate, expected rate to be non-negative"),
        (lambda: tl.rand(3, dtype=tl.int64), NotImplementedError, "not implemented for 'Long'"),
        (lambda: tl.randn(3, dtype=tl.int32), NotImplementedError, "\"normal_kernel_cpu\" not implemented for 'Int'"),
        (lambda: tl.rand(-1), RuntimeError, "Trying to create tensor with negative dimension -1"),
        (lambda: tl.randperm(-1), RuntimeError, "Trying to create tensor with negative dimension -1"),
        (lambda: tl.empty(3).expand(2, 3).uniform_(), RuntimeError, "unsupported operation: more than one element"),
        (lambda: tl.multinomial(tl.tensor([-1.0, 1]), 1), RuntimeError, "probability tensor contains either"),
        (lambda: tl.multinomial(tl.zeros(2), 1), RuntimeError, "invalid multinomial distribution"),
        (lambda: tl.multinomial(tl.ones(2), 3), RuntimeError, "cannot sample n_sample > prob_dist.size"),
        (lambda: tl.multinomial(tl.ones(2), 0), RuntimeError, "cannot sample n_sample <= 0 samples"),
        (lambda: tl.multinomial(tl.ones(2, dtype=tl.int64), 1), RuntimeError, "multinomial only supports floating"),
    ],
)
def test_errors(call: Callable[[], Any], error: type, message: str):
    with pytest.raises(error, match=message):
        call()


# ---- parity with PyTorch ----


def same(lib: Any) -> dict[str, Callable[[int, str], Any]]:
    """Draws of n numbers of a dtype, by name; each must be the same bits in both libraries."""

    def floats(fill: Callable[[Any], Any]) -> Callable[[int, str], Any]:
        return lambda n, dtype: fill(lib.empty(n, dtype=getattr(lib, dtype)))

    return {
        "uniform": floats(lambda x: x.uniform_()),
        "uniform_range": floats(lambda x: x.uniform_(-2.3, 0.7)),
        "strided": lambda n, dtype: lib.empty(7, n, 2, dtype=getattr(lib, dtype))[:, :, 1].t().uniform_(),
        "random": floats(lambda x: x.random_()),
        "random_to": floats(lambda x: x.random_(100)),
        "random_from": floats(lambda x: x.random_(3, None)),
        "log_normal": floats(lambda x: x.log_normal_(0.1, 0.2)),
        "cauchy": floats(lambda x: x.cauchy_(0.1, 0.7)),
        "geometric": floats(lambda x: x.geometric_(0.3)),
        "poisson": lambda n, dtype: lib.poisson(lib.arange(n).to(getattr(lib, dtype)) % 50),
        "bernoulli": lambda n, dtype: lib.bernoulli(lib.linspace(0, 1, n, dtype=getattr(lib, dtype))),
        "few": lambda n, dtype: lib.randn(15, dtype=getattr(lib, dtype)),
    }


def seeded(lib: Any, draw: Callable[[Any], Any]) -> tuple[np.ndarray, float]:
    """What is drawn from the seed on, and the number after it."""
    lib.manual_seed(SEED)
    return draw(lib).double().numpy(), lib.rand(1).item()


@pytest.mark.parity
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", list(same(tl)))
def test_parity_bits(name: str, dtype: str):
    pytest.importorskip("torch")
    for n in COUNTS:
        (ours, our_next), (theirs, their_next) = (
            seeded(lib, lambda lib, n=n: same(lib)[name](n, dtype)) for lib in (tl, torch)
        )
        assert np.array_equal(ours, theirs), n
        assert our_next == their_next, "as many numbers were drawn"


@pytest.mark.parity
@pytest.mark.parametrize("dtype", FLOATS)
def test_parity_normal(dtype: str):
    pytest.importorskip("torch")
    eps = torch.finfo(getattr(torch, dtype)).eps
    for n in COUNTS:
        (ours, our_next), (theirs, their_next) = (
            seeded(lib, lambda lib, n=n: lib.empty(n, dtype=getattr(lib, dtype)).normal_(0.1, 0.7))
            for lib in (tl, torch)
        )
        np.testing.assert_allclose(ours, theirs, rtol=4 * eps, atol=1e-6)
        assert our_next == their_next


@pytest.mark.parity
def test_parity_states():
    pytest.importorskip("torch")

    def draws(lib: Any) -> list[Any]:
        return [lib.randn(3).tolist(), lib.randperm(1000).tolist(), lib.rand(3).tolist()]

    torch.manual_seed(7)
    torch.randn(3)
    state = torch.get_rng_state().numpy()
    theirs = draws(torch)
    tl.set_rng_state(tl.from_numpy(state))
    assert np.array_equal(tl.get_rng_state().numpy(), state)
    assert draws(tl) == theirs
    torch.set_rng_state(torch.from_numpy(state))
    assert draws(torch) == theirs


@pytest.mark.parity
def test_parity_multinomial_with_replacement():
    pytest.importorskip("torch")
    weights = np.random.RandomState(0).rand(5, 50)
    for dtype in (np.float32, np.float64):
        ours, theirs = (
            seeded(
                lib,
                lambda lib, dtype=dtype: lib.multinomial(lib.from_numpy(weights.astype(dtype)), 40, replacement=True),
            )
            for lib in (tl, torch)
        )
        assert np.array_equal(ours[0], theirs[0])
