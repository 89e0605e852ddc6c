"""Lessons of a PyTorch course: the same script on PyTorch and on tensorlite prints the same text, line by line."""

import subprocess
import sys
from pathlib import Path

import pytest

LESSONS = sorted((Path(__file__).parent / "course").glob("*.py"))


def printed(*command):
    result = subprocess.run(
        [sys.executable, "-W", "ignore", *map(str, command)], capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.split("\n")


@pytest.mark.parity
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_lesson(lesson):
    assert printed("-m", "tensorlite", lesson) == printed(lesson)
