"""tools/gpu_check.py, as far as it can be run without a GPU."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from library import IS_TENSORLITE, tl

EMULATED = IS_TENSORLITE and tl.cuda.is_available() and tl._C._cuda_is_emulated()
pytestmark = pytest.mark.skipif(not EMULATED, reason="a dry run on the emulator")
ROOT = Path(__file__).resolve().parents[1]


def check(*arguments: str) -> str:
    package = str(Path(tl.__file__).resolve().parents[1])
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "gpu_check.py", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": package},
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


def test_every_step_in_a_dry_run(tmp_path: Path) -> None:
    report = ROOT / "docs" / "gpu-report.md"
    before = report.read_bytes() if report.exists() else None
    target = tmp_path / "report.md"
    check("--emulated", "--work", str(tmp_path), "--report", str(target))
    text = target.read_text()
    assert "A dry run on the emulator" in text and "| a few tests of CUDA | " in text
    assert "training step of the MNIST network" in text and "| float32, 16 | " in text
    assert "| matmul.float32 |" in text
    check("report", "--emulated", "--work", str(tmp_path))
    assert (report.read_bytes() if report.exists() else None) == before, "a dry run wrote the report"
