"""The ladder of docs/kernels/: what its rungs ask of memory is what was predicted. The tool that looks for spills."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from library import IS_TENSORLITE, tl

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("seed", ["1", "2"])
def test_predictions_of_the_ladder(seed: str) -> None:
    if not IS_TENSORLITE or not tl.cuda.is_available() or not tl._C._cuda_is_emulated():
        pytest.skip("only the emulator counts")
    library = os.environ.get("TENSORLITE_CUDA_LIBRARY") or Path(tl._C.__file__).parent / "libtensorlite.so"
    program = Path(library).resolve().parent / "matmul_ladder"
    if not program.exists():
        pytest.skip("matmul_ladder is not built")
    done = subprocess.run(
        [program, "--count"], capture_output=True, text=True, timeout=120, env={"TENSORLITE_EMULATE_SEED": seed}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rungs = re.findall(r"^(\d) .*? (\d+) +(\d+) +(\d+) +(\d+) +([\d.]+)$", done.stdout, re.M)
    assert [r[0] for r in rungs] == list("12345678")
    for _, sectors, predicted_sectors, requests, predicted_requests, error in rungs:
        assert sectors == predicted_sectors and requests == predicted_requests and float(error) <= 1
    asked = [int(r[1]) for r in rungs]
    assert asked == sorted(asked, reverse=True)  # no rung asks for more than the one below it


def test_the_benchmark_runs(tmp_path: Path) -> None:
    """With its columns of a GPU where there is one, the emulator included, and saying so where there is none."""
    if not IS_TENSORLITE:
        pytest.skip("tensorlite's example")
    picture = tmp_path / "matmul.png"
    try:
        import matplotlib  # noqa: F401

        options = ["--plot", picture]
    except ImportError:
        options = []
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / "matmul_benchmark.py", "--quick", "--sizes", "17", *options],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    assert "float32, GFLOP/s" in done.stdout and "tensorlite CPU" in done.stdout
    if tl.cuda.is_available():
        assert "GPU: " in done.stdout and "own, fast + transfer" in done.stdout
        own = re.search(r"^    17(.*)$", done.stdout, re.M)
        assert own and own[1].split()[-1] != "-"
    else:
        assert "the columns are those of the CPU" in done.stdout
    assert not options or picture.stat().st_size > 10_000


LOG = """
ptxas info    : Compiling entry function '_Z1fPf' for '{gpu}'
ptxas info    : Function properties for _Z1fPf
    {spills} bytes stack frame, {spills} bytes spill stores, {spills} bytes spill loads
ptxas info    : Used 32 registers, used 1 barriers, 64 bytes smem
"""


@pytest.mark.parametrize(("spills", "status"), [(0, 0), (16, 1)])
def test_spills_are_found(tmp_path: Path, spills: int, status: int) -> None:
    log = tmp_path / "build.log"
    log.write_text(LOG.format(gpu="sm_90", spills=0) + LOG.format(gpu="sm_120", spills=spills))
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "check_spills.py", "--log", log], capture_output=True, text=True
    )
    assert done.returncode == status, done.stderr
    assert done.stdout.endswith(f"2 kernels in 1 files, {status} of them spill registers\n")
    assert ("32 bytes SPILLED" in done.stdout) == ("sm_120: f: 32 registers" in done.stdout) == bool(spills)


@pytest.mark.skipif(not (shutil.which("cc") and shutil.which("nm")), reason="needs a compiler")
@pytest.mark.parametrize(("body", "status"), [("", 0), ("exit(1);", 1)])
def test_calls_of_the_device_by_the_host_are_found(tmp_path: Path, body: str, status: int) -> None:
    folder = tmp_path / "tensorlite_cuda.dir" / "cuda"
    folder.mkdir(parents=True)
    (tmp_path / "a.c").write_text(f"#include <stdlib.h>\nvoid f(void) {{ {body} }}\n")
    subprocess.run(["cc", "-c", tmp_path / "a.c", "-o", folder / "a.cu.o"], check=True)
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "check_host_calls.py", tmp_path], capture_output=True, text=True
    )
    assert done.returncode == status, done.stderr
    assert done.stdout.endswith(f"1 files, the host calls the device in {status} of them\n")
