"""The time that `import tensorlite` takes on top of `import numpy`: the best of several processes each.

It is the processor's time, so that other work on the machine does not count.
"""

import argparse
import os
import resource
import subprocess
import sys


def best(statement: str, runs: int) -> float:
    times = []
    # One thread: NumPy's BLAS starts as many as there are cores when it is imported.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    for _ in range(runs):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", statement], check=True, cwd="/", env=environment)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times) * 1000


def extra_milliseconds(runs: int = 10) -> tuple[float, float]:
    numpy = best("import numpy", runs)
    return best("import numpy, tensorlite", runs) - numpy, numpy


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--limit-ms", type=float, default=50)
    limit = parser.parse_args().limit_ms
    extra, numpy = extra_milliseconds()
    print(f"import tensorlite takes {extra:.1f} ms more than a process with NumPy alone ({numpy:.1f} ms)")
    sys.exit(f"more than {limit} ms" if extra > limit else 0)
