"""What the installed package is: its files, its import, its shared objects, and a C++ program linked to it."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from check_import_time import extra_milliseconds
from library import IS_TENSORLITE, tl

if not IS_TENSORLITE:
    pytest.skip("about the package tensorlite", allow_module_level=True)

from tensorlite.utils import cpp_extension

ROOT = Path(__file__).resolve().parent.parent
BINARIES = Path(tl._C.__file__).parent


def python(code: str, **environment: str) -> str:
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, **environment},
        cwd="/",
        text=True,
        capture_output=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_version_is_written_once() -> None:
    assert tl.__version__ == re.search(r'"(.+)"', (ROOT / "python/tensorlite/version.py").read_text()).group(1)
    try:
        assert importlib.metadata.version("tensorlite") == tl.__version__
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("run from the source tree")
    assert f"## {tl.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_import_is_quick() -> None:
    if "libasan" in os.environ.get("LD_PRELOAD", ""):
        pytest.skip("the sanitizers take their time")
    extra, _ = extra_milliseconds(runs=5)
    assert extra < 50


def test_import_loads_nothing_heavy() -> None:
    heavy = ("torch", "matplotlib", "PIL", "tqdm", "multiprocessing", "unittest", "asyncio", "concurrent.futures")
    loaded = python(
        "import numpy, sys; before = set(sys.modules); import tensorlite; print(*(set(sys.modules) - before))"
    )
    assert not [m for m in heavy if m in loaded.split()]


def test_shared_objects_find_each_other() -> None:
    """_C links libtensorlite.so beside itself, and neither links Python, NumPy or a BLAS."""
    if shutil.which("readelf") is None:
        pytest.skip("no readelf here")
    dynamic = subprocess.check_output(["readelf", "-d", tl._C.__file__], text=True)
    assert "[libtensorlite.so]" in dynamic
    assert re.search(r"R(UN)?PATH.*\$ORIGIN", dynamic)
    core = subprocess.check_output(["readelf", "-d", BINARIES / "libtensorlite.so"], text=True)
    needed = set(re.findall(r"NEEDED.*\[(.+?)\.so", core))
    assert needed <= {"libstdc++", "libm", "libgcc_s", "libc", "ld-linux-x86-64", "libpthread", "libasan", "libubsan"}


def test_package_moves(tmp_path: Path) -> None:
    """The package works from wherever it is copied to."""
    shutil.copytree(Path(tl.__file__).parent, tmp_path / "tensorlite", ignore=shutil.ignore_patterns("__pycache__"))
    for file in BINARIES.glob("*.so"):
        shutil.copy(file.resolve(), tmp_path / "tensorlite" / file.name)
    # Before everything else, an editable installation's finder too.
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); "
    code += "sys.meta_path.sort(key=lambda f: 'editable' in repr(f)); "
    code += "import tensorlite as tl; print(tl.__file__, (tl.ones(3) + 1).tolist())"
    assert python(code).strip() == f"{tmp_path}/tensorlite/__init__.py [2.0, 2.0, 2.0]"


@pytest.mark.parametrize(("isa", "flag"), [("baseline", "sse2"), ("avx2", "avx2"), ("avx512", "avx512bw")])
def test_instruction_sets(isa: str, flag: str) -> None:
    """TENSORLITE_CPU chooses the kernels."""
    if flag not in re.search(r"^flags.*$", Path("/proc/cpuinfo").read_text(), re.M).group(0).split():
        pytest.skip(f"no {isa} here")
    printed = python(f"exec(open({str(ROOT / 'tests' / 'smoke.py')!r}).read())", TENSORLITE_CPU=isa)
    assert f"instruction set {'DEFAULT' if isa == 'baseline' else isa.upper()}," in printed


def test_paths_for_cpp_programs() -> None:
    """tests/test_cpp.py builds a program."""
    assert (Path(cpp_extension.library_paths()[0]) / "libtensorlite.so").exists()
    flags = cpp_extension.compile_flags().split()
    assert f"-I{cpp_extension.include_paths()[0]}" in flags and "-ltensorlite" in flags
