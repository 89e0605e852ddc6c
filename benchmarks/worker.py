"""One library in one process: reads requests as lines of JSON, times cases, answers in lines of JSON.

    python -m benchmarks.worker LIBRARY                 that
    python -m benchmarks.worker LIBRARY CASE THREADS    the memory that this case takes, then ends
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import timeit
from pathlib import Path

from .cases import CASES

# A measurement lasts at least this long, so that the clock and the loop do not count.
SHORTEST = 0.02
# What takes longer needs no run to warm up.
LONG = 1.0


def main(library: str) -> None:
    lib = importlib.import_module(library)
    if library != "numpy":
        importlib.import_module(f"{library}.utils.data")
    answer({"version": lib.__version__})
    timer: timeit.Timer | None = None
    once, repeat, threads = 0.0, 1, 1
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["do"] == "threads":
                threads = request["threads"]
                if library != "numpy":
                    lib.set_num_threads(threads)
                answer({})
            elif request["do"] == "memory":
                command = [sys.executable, "-m", "benchmarks.worker", library, str(request["case"]), str(threads)]
                answer(json.loads(subprocess.check_output(command)))
            elif request["do"] == "prepare":
                timer = None  # frees what the case before held
                case = CASES[request["case"]]
                statement, setup = case.numpy if library == "numpy" else (case.statement, case.setup)
                timer = timeit.Timer(statement, globals=setup(lib))
                once = timer.timeit(1)
                if once < LONG:
                    once = timer.timeit(1)
                repeat = 1
                while once < SHORTEST and repeat < 1 << 22:
                    repeat = max(
                        2 * repeat, int(repeat * SHORTEST / max(once, 1e-9) * 1.1) if once > 1e-4 else 8 * repeat
                    )
                    once = timer.timeit(repeat)
                answer({"seconds": once / repeat})
            elif request["do"] == "time":
                if once < LONG:
                    timer.timeit(1)
                answer({"seconds": timer.timeit(repeat) / repeat})
        except Exception as error:
            answer({"error": f"{type(error).__name__}: {error}"})


def resident(kind: str) -> int:
    """VmRSS or VmHWM, the most there has been, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(kind):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status does not tell of {kind}")


def memory(library: str, case: int, threads: int) -> None:
    lib = importlib.import_module(library)
    lib.set_num_threads(threads)
    before = resident("VmRSS")
    timeit.Timer(CASES[case].statement, globals=CASES[case].setup(lib)).timeit(20)
    answer({"bytes": resident("VmHWM") - before})


def answer(content: dict[str, object]) -> None:
    print(json.dumps(content), flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        main(sys.argv[1])
    else:
        memory(sys.argv[1], *map(int, sys.argv[2:]))
