"""Compiles kernels for sm_90 and fails where one spills registers to local memory.

python tools/check_spills.py                      # the hot kernels, warnings as errors
python tools/check_spills.py cuda/softmax.cu      # these files
python tools/check_spills.py --log build.log      # what a build with -Xptxas -v has printed
python tools/check_spills.py --list               # registers and shared memory of every kernel too
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
HOT = (
    "attention conv* loss matmul* norm* optim pointwise* pool reduction* scan* softmax*".split()
)  # families in whose inner loops a spill costs time


class Kernel(NamedTuple):
    name: str
    architecture: str
    registers: int
    spilled: int  # bytes stored and loaded
    shared: int


def find_nvcc() -> str | None:
    """CUDACXX, the PATH, beside Python, the usual place, the wheels of PyPI."""
    chosen = os.environ.get("CUDACXX")
    if chosen and (found := shutil.which(chosen)):
        return found
    beside = Path(sys.executable).parent
    places = [beside, Path("/usr/local/cuda/bin"), *Path(sysconfig.get_path("purelib")).glob("nvidia/*/bin")]
    return shutil.which("nvcc") or next((str(p / "nvcc") for p in places if (p / "nvcc").is_file()), None)


def kernels_in(log: str) -> list[Kernel]:
    """What ptxas -v says of each kernel; a kernel compiled for several architectures comes several times."""
    found, name, architecture, spilled = [], "", "", 0
    for line in log.splitlines():
        if m := re.search(r"Compiling entry function '(\w+)' for '(\w+)'", line):
            name, architecture, spilled = m[1], m[2], 0
        elif m := re.search(r"Function properties for (\w+)", line):
            name, spilled = m[1], 0
        elif m := re.search(r"(\d+) bytes spill stores, (\d+) bytes spill loads", line):
            spilled = int(m[1]) + int(m[2])
            if "ptxas error" in line or "ptxas warning" in line:
                raise SystemExit(line)
        elif m := re.search(r"Used (\d+) registers", line):
            shared = re.search(r"(\d+) bytes smem", line)
            found.append(Kernel(name, architecture, int(m[1]), spilled, int(shared[1]) if shared else 0))
    return found


def hot_parts(log: str) -> dict[str, str]:
    """The hot files' parts of what Ninja has printed: what a command prints follows the line that names its object."""
    parts = re.split(r"^\[\d+/\d+\] Building CUDA object \S*?(cuda/\w+\.cu)\.o$", log, flags=re.M)
    found = dict(zip(parts[1::2], parts[2::2]))
    return {p: text for p, text in found.items() if any(fnmatch(Path(p).stem, family) for family in HOT)}


def readable(names: list[str]) -> dict[str, str]:
    tool = shutil.which("c++filt") or shutil.which("cu++filt")
    if not tool or not names:
        return {n: n for n in names}
    text = subprocess.run([tool], input="\n".join(names), capture_output=True, text=True, check=True).stdout
    short = (re.sub(r"tl::cuda::|\(anonymous namespace\)::|\([^()]*\)$", "", t) for t in text.splitlines())
    return dict(zip(names, short))


def compiled(nvcc: str, architecture: str, path: Path) -> str:
    command = [
        nvcc, "-std=c++20", f"-arch={architecture}", "-O3", "-Werror", "all-warnings", "-Xptxas", "-v",
        "-I", str(ROOT / "csrc"), "-I", str(ROOT / "cuda"), "-c", str(path), "-o", os.devnull,
    ]  # fmt: skip
    run = subprocess.run(command, capture_output=True, text=True)
    log = run.stdout + run.stderr
    if run.returncode:
        raise SystemExit(f"{path}: nvcc fails\n{log}")
    return log


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--log", type=Path, help="read this instead of compiling")
    parser.add_argument("--arch", default="sm_90")
    parser.add_argument("--jobs", "-j", type=int, default=os.cpu_count())
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    if options.log:
        logs = hot_parts(options.log.read_text()) or {str(options.log): options.log.read_text()}
    else:
        nvcc = find_nvcc()
        if not nvcc:
            raise SystemExit("nvcc was not found on the PATH, in CUDACXX, in /usr/local/cuda or among the PyPI wheels")
        files = options.files or sorted({p for family in HOT for p in (ROOT / "cuda").glob(f"{family}.cu")})
        with ThreadPoolExecutor(options.jobs) as pool:
            logs = dict(zip(map(str, files), pool.map(lambda p: compiled(nvcc, options.arch, p), files)))

    bad = total = 0
    for path, log in logs.items():
        kernels = kernels_in(log)
        total += len(kernels)
        names = readable([k.name for k in kernels])
        for k in kernels:
            if k.spilled or options.list:
                spilled = f", {k.spilled} bytes SPILLED" if k.spilled else ""
                print(f"{path}, {k.architecture}: {names[k.name]}: {k.registers} registers, "
                      f"{k.shared} bytes of shared memory{spilled}")  # fmt: skip
            bad += k.spilled > 0
    if not total:
        raise SystemExit("no kernel was seen: was this compiled with -Xptxas -v?")
    print(f"{total} kernels in {len(logs)} files, {bad} of them spill registers")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
