"""Random programs, the same on PyTorch and on tensorlite. `python -m tests.fuzz --programs 10000` runs many more."""

import pytest
from library import IS_TENSORLITE, tl, torch

if torch is not None:
    hypothesis = pytest.importorskip("hypothesis")
    from fuzz.lockstep import Lockstep, script
    from fuzz.writer import write
    from hypothesis import HealthCheck, given, settings, strategies

    @pytest.mark.parity
    @pytest.mark.skipif(not IS_TENSORLITE, reason="compares tensorlite with PyTorch")
    @given(strategies.randoms(use_true_random=False))
    @settings(
        max_examples=600,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
    )
    def test_random_programs(rng):
        lines = write(rng)
        found = Lockstep(torch, tl).run(lines)
        assert found is None, f"{found}\n{script(lines)}"

    @pytest.mark.skipif(not IS_TENSORLITE, reason="compares tensorlite with PyTorch")
    @pytest.mark.parametrize("columns", [False, True], ids=["shorter", "by columns"])
    def test_a_tensor_of_other_strides_gets_the_same_bits(columns):
        """As a gradient may: it keeps its places, and nothing beyond it is written to."""
        theirs = torch.arange(1.0, 13, dtype=torch.float64).reshape(3, 4)[::2]
        memory = tl.full((20,), 7.0, dtype=tl.float64)
        ours = memory[:8].view(4, 2).mT if columns else memory[:8].view(2, 4)
        ours.copy_(tl.tensor(theirs.tolist(), dtype=tl.float64) * (1 + 1e-15))
        assert Lockstep(torch, tl).values("g1[0]", theirs, ours) is None
        assert ours.tolist() == theirs.tolist()
        assert memory[8:].tolist() == [7.0] * 12
