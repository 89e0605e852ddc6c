"""Fails where the host's part of a kernel file calls a function of the device. nvcc lets templates do so without a
word, and the process ends there with exit(1). Needs objects that nvcc has made (make cuda).

python tools/check_host_calls.py build/cuda
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def calls_exit(object_file: Path) -> bool:
    """What stands in the host's code for a function of the device is a call of exit, which no kernel file makes."""
    run = subprocess.run(["nm", "-u", object_file], capture_output=True, text=True, check=True)
    return any(line.split()[-1].split("@")[0] == "exit" for line in run.stdout.splitlines())


def main() -> int:
    files = sorted(p for folder in sys.argv[1:] for p in Path(folder).rglob("tensorlite_cuda.dir/cuda/*.cu.o"))
    if not files:
        raise SystemExit("no object of a kernel file was found")
    bad = [p.stem for p in files if calls_exit(p)]
    for name in bad:
        print(f"{name}: the host calls a TL_DEVICE function; TL_INLINE makes one for both")
    print(f"{len(files)} files, the host calls the device in {len(bad)} of them")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
