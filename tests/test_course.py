"""Lessons of a PyTorch course: the same script on PyTorch and on tensorlite prints the same text, line by line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

LESSONS = sorted((Path(__file__).parent / "course").glob("*.py"))


def printed(*command):
    # What is printed of rounding errors is comparable on the machine's own instruction set, which PyTorch takes.
    environment = {k: v for k, v in os.environ.items() if k != "TENSORLITE_CPU"}
    result = subprocess.run(
        [sys.executable, "-W", "ignore", *map(str, command)],
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.split("\n")


@pytest.mark.parity
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_lesson(lesson):
    assert printed("-m", "tensorlite", lesson) == printed(lesson)
