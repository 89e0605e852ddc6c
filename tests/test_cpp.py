"""A C++ program builds against the installed headers and library, and runs without Python."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from library import IS_TENSORLITE, tl

SOURCE = Path(__file__).parent / "cpp" / "link_test.cpp"
PACKAGE = Path(tl._C.__file__).parent if IS_TENSORLITE else Path()


def headers() -> Path | None:
    """Beside the library where it is installed, else in the source tree that it was built from."""
    for folder in (PACKAGE / "include", SOURCE.parents[2] / "csrc"):
        if (folder / "core" / "tensor.h").exists():
            return folder
    return None


def compiler() -> str | None:
    return next((c for c in (os.environ.get("CXX"), "c++", "g++", "clang++") if c and shutil.which(c)), None)


@pytest.mark.skipif(not IS_TENSORLITE, reason="links libtensorlite")
@pytest.mark.skipif(compiler() is None, reason="no C++ compiler")
@pytest.mark.skipif(headers() is None, reason="the headers are not installed")
def test_a_program_links_the_library(tmp_path: Path):
    library = (PACKAGE / "libtensorlite.so").resolve()
    if not library.exists():
        pytest.skip("libtensorlite.so is not beside the package")
    program = tmp_path / "link_test"
    build = [compiler(), "-std=c++20", "-O1", "-pthread", f"-I{headers()}", str(SOURCE), str(library)]
    build += [f"-Wl,-rpath,{library.parent}", "-o", str(program)]
    done = subprocess.run(build, capture_output=True, text=True)
    if done.returncode and "sanitize" in done.stderr + os.environ.get("LD_PRELOAD", ""):
        pytest.skip("the library is built with a sanitizer")
    assert done.returncode == 0, done.stderr
    done = subprocess.run([str(program)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip() == "ok"
