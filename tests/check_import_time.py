"""The time that `import tensorlite` takes on top of `import numpy`: the best of several processes each."""

import argparse
import subprocess
import sys
import time


def best(statement: str, runs: int) -> float:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", statement], check=True, cwd="/")
        times.append(time.perf_counter() - start)
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
