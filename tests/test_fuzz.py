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
