"""What docs/coverage.md says of PyTorch's operator database still holds."""

import re
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("expecttest")
from parity import run

pytestmark = [pytest.mark.parity, pytest.mark.slow]

COVERAGE = Path(__file__).parents[2] / "docs" / "coverage.md"


PARTS = 12


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("part", range(PARTS))
def test_entries_that_pass_still_pass_and_none_dies(part):
    listed = re.search(r"## Pass\n\n(.*?)\n", COVERAGE.read_text()).group(1)
    passed = re.findall(r"`([^`]+)`", listed)
    assert len(passed) > 500
    results = run.run_all(timeout=300, part=slice(part, None, PARTS))
    failed = {name: r for name, r in results.items() if name in passed and r.get("found", True)}
    assert not failed, "\n".join(f"{name}: {str(r)[:600]}" for name, r in failed.items())
    assert not [name for name, r in results.items() if "died" in r]
