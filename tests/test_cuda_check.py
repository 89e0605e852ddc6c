"""tools/gpu_check.py, as far as it can be run without a GPU."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from library import IS_TENSORLITE, tl

EMULATED = IS_TENSORLITE and tl.cuda.is_available() and tl._C._cuda_is_emulated()
pytestmark = pytest.mark.skipif(not EMULATED, reason="a dry run on the emulator")
ROOT = Path(__file__).resolve().parents[1]
REPORT = ROOT / "docs" / "gpu-report.md"


def check(*arguments: str, status: int = 0, **environment: str) -> str:
    package = str(Path(tl.__file__).resolve().parents[1])
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "gpu_check.py", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": package, **environment},
    )
    assert done.returncode == status, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


def tool() -> Any:
    sys.path.insert(0, str(ROOT / "tools"))  # as it is when a tool is run
    spec = importlib.util.spec_from_file_location("gpu_check", ROOT / "tools" / "gpu_check.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.path.pop(0)
    return module


def test_every_step_in_a_dry_run(tmp_path: Path) -> None:
    before = REPORT.read_bytes() if REPORT.exists() else None
    target = tmp_path / "report.md"
    check("--emulated", "--work", str(tmp_path), "--report", str(target))
    text = target.read_text()
    assert "A dry run on the emulator" in text and "| a few tests of CUDA | " in text
    assert "training step of the MNIST network" in text and "| float32, 16 | " in text
    assert "| matmul.float32 | " in text and "| conv.bfloat16 | " in text and "| matmul.parts | " in text
    assert "not measured" not in text and "did not come to" not in text
    assert {"test.log", "bench-conv.log", "bench-conv.json"} <= {p.name for p in tmp_path.iterdir()}
    check("report", "--emulated", "--work", str(tmp_path))
    assert (REPORT.read_bytes() if REPORT.exists() else None) == before, "a dry run wrote the report"


def stand_in(folder: Path, name: str, text: str) -> None:
    program = folder / name
    program.write_text("#!/bin/sh\n" + text)
    program.chmod(0o755)


def test_what_fails_is_reported_with_what_ran(tmp_path: Path) -> None:
    """A tool that the device refuses; a benchmark that ends in the middle."""
    stand_in(
        tmp_path, "nvidia-smi", "case $1 in *name) echo NVIDIA H200;; *compute_cap) echo 9.0;; *) echo 580.1;; esac"
    )
    refusal = "echo '========= Error: Device not supported. Please refer to the documentation'; exit 1"
    stand_in(tmp_path, "compute-sanitizer", refusal)
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    target, work = tmp_path / "report.md", ["--work", str(tmp_path / "work")]
    steps = ["preflight", "sanitizer", "bench", "report", "--emulated", "--report", str(target), *work]
    # So little time that the benchmarks cannot end.
    check(*steps, "--limit", "1", "--part", "memory", "--tool", "racecheck", status=1, **path)
    text = target.read_text()
    assert (
        "| compute capability | 9.0 |" in text and "| racecheck | refused by the device: Error: Device not su" in text
    )
    assert "- bench: these benchmarks did not come to their end: memory" in text


def test_a_machine_without_tools_is_told_what_to_do(tmp_path: Path) -> None:
    before = REPORT.read_bytes() if REPORT.exists() else None
    done = subprocess.run(
        [sys.executable, "-S", ROOT / "tools" / "gpu_check.py", "--work", tmp_path],
        capture_output=True,
        text=True,
        timeout=120,
        env={"PATH": "/nowhere", "PYTHONNOUSERSITE": "1"},
    )
    assert done.returncode == 1 and re.search(r"missing here: .*c\+\+.*pip download ", done.stderr), done.stderr
    assert not (tmp_path / "cmake").exists() and "there is no GPU here to report of" in done.stdout
    assert (REPORT.read_bytes() if REPORT.exists() else None) == before


SANITIZED = {
    "========= COMPUTE-SANITIZER\n12 passed, 3 deselected in 4.20s\n========= ERROR SUMMARY: 0 errors\n": (
        0,
        "ERROR SUMMARY: 0 errors; tests: 12 passed",
    ),
    "1 failed, 2 passed in 4.20s\n========= RACECHECK SUMMARY: 3 hazards displayed (3 errors, 0 warnings)\n": (
        9,
        "RACECHECK SUMMARY: 3 hazards displayed (3 errors, 0 warnings); tests: 2 passed, 1 failed",
    ),
    "FAILED test_x.py::test_what_is_wrong_is_refused\n1 failed in 1.00s\n========= ERROR SUMMARY: 7 errors\n": (
        9,
        "ERROR SUMMARY: 7 errors; tests: 1 failed",
    ),
    "========= Error: Device not supported\n2 errors in 3.00s\n": (
        1,
        "refused by the device: Error: Device not supported",
    ),
    "========= Invalid __global__ read of size 4 bytes\n========= \tat f\n": (
        None,
        "did not end in time; until then 1 errors",
    ),
    "========= ERROR SUMMARY: 0 errors\n": (4, "ERROR SUMMARY: 0 errors; tests: no test came to its end"),
}


@pytest.mark.parametrize("text", SANITIZED)
def test_what_the_sanitizer_says_is_read(text: str) -> None:
    status, result = SANITIZED[text]
    assert tool().sanitizer_result(status, text) == result


def test_the_table_of_the_report_is_the_librarys() -> None:
    check = tool()
    assert list(check.ROWS) == [row[0] for row in tl._C._cuda_kernel_table()]
    product = {"dtype": "float32", "simple": 1.0, "cublas": 1.0}
    sizes = ((256, 1.5), (512, 0.5), (1024, 1.2), (2048, 0.9), (4096, 1.0))
    results = {"matmul": {"matmul": [{**product, "n": n, "fast": fast} for n, fast in sizes]}}
    lines = check.benchmark_lines(results)
    assert any(line.startswith("| matmul.float32 | 8.59e+09 | 1.7e+07: 1.50, ") for line in lines)
    assert "| matmul.tf32 | not measured | - |" in lines
    goal = "| float32 products, fast kernel: least share of cuBLAS's speed, n >= 1024 | >= 0.9 | 0.83 | n = 1024 |"
    assert goal in lines


# As on a GPU where a kernel has failed: every wait raises from then on.
BROKEN = """
GPU, broken = True, []

def settle():
    if broken:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")
"""
TESTS = """
import conftest, pytest

@pytest.mark.parametrize("i", range(6))
def test_kernel(i):
    assert not conftest.broken, "the device was lost before"
    if i == 2:
        conftest.broken.append(1)
"""


@pytest.mark.parametrize("workers", [0, 2])
def test_a_lost_device_fails_one_test(tmp_path: Path, workers: int) -> None:
    if workers:
        pytest.importorskip("xdist")
    (tmp_path / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text() + BROKEN)
    (tmp_path / "library.py").write_text((ROOT / "tests" / "library.py").read_text())
    (tmp_path / "test_some.py").write_text(TESTS)
    spread = ["-n", str(workers)] if workers else ["-p", "no:xdist"]
    outside = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}  # this may be a worker itself
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *spread, str(tmp_path / "test_some.py")],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
        env={**outside, "PYTHONPATH": str(Path(tl.__file__).resolve().parents[1])},
    )
    assert done.returncode in (1, 2) and "an illegal memory access was encountered" in done.stdout
    if workers:
        assert "5 passed" in done.stdout.replace("6 passed", "5 passed") and "lost before" not in done.stdout
        assert "crashed while running 'test_some.py::test_kernel[2]'" in done.stdout
    else:
        assert "the device is lost after test_some.py::test_kernel[2]" in done.stdout
