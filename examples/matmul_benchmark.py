"""How fast matrices are multiplied: GFLOP/s of square products, by size and dtype, for every library that is installed.

python examples/matmul_benchmark.py --plot matmul.png
python examples/matmul_benchmark.py --quick          # smaller sizes and shorter measurements
"""

from __future__ import annotations

import argparse
import importlib
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SIZES = (64, 128, 256, 512, 1024, 2048, 4096)
DTYPES = ("float32", "float64", "bfloat16", "float16")


def numpy_column() -> Callable[[int, str], Callable[[], Any]] | None:
    import numpy as np

    def prepare(n: int, dtype: str) -> Callable[[], Any]:
        if dtype not in ("float32", "float64"):
            raise TypeError(f"NumPy has no fast product of {dtype}")
        a, b = (np.random.default_rng(seed).standard_normal((n, n)).astype(dtype) for seed in (0, 1))
        return lambda: a @ b

    return prepare


def library_column(name: str, device: str) -> Callable[[int, str], Callable[[], Any]] | None:
    """None where the library or the device is not there."""
    try:
        lib = importlib.import_module(name)
    except ImportError:
        return None
    if device == "cuda" and not lib.cuda.is_available():
        return None

    def prepare(n: int, dtype: str) -> Callable[[], Any]:
        lib.manual_seed(0)
        a, b = (lib.randn(n, n).to(getattr(lib, dtype)).to(device) for _ in range(2))
        if device == "cpu":
            return lambda: a @ b

        def product() -> Any:
            c = a @ b
            lib.cuda.synchronize()
            return c

        return product

    return prepare


def gflops(call: Callable[[], Any], n: int, seconds: float) -> float:
    """From the median time of as many calls as fit into `seconds`, at least three after one to warm up."""
    start = time.perf_counter()
    call()
    once = time.perf_counter() - start
    batch = max(1, int(1e-3 / max(once, 1e-7)))
    times: list[float] = []
    begun = time.perf_counter()
    while len(times) < 3 or time.perf_counter() - begun < seconds:
        start = time.perf_counter()
        for _ in range(batch):
            call()
        times.append((time.perf_counter() - start) / batch)
    return 2 * n**3 / statistics.median(times) * 1e-9


def main() -> None:
    parser = argparse.ArgumentParser(description="GFLOP/s of square matrix products.")
    parser.add_argument("--plot", type=Path, help="write a picture here, for example matmul.png")
    parser.add_argument("--quick", action="store_true", help="sizes up to 1024, shorter measurements")
    parser.add_argument("--dtypes", default="float32,float64,bfloat16", help=f"of {', '.join(DTYPES)}")
    args = parser.parse_args()
    sizes = [n for n in SIZES if n <= 1024] if args.quick else SIZES

    columns = {
        "tensorlite CPU": library_column("tensorlite", "cpu"),
        "NumPy": numpy_column(),
        "PyTorch CPU": library_column("torch", "cpu"),
        "tensorlite CUDA": library_column("tensorlite", "cuda"),
        "PyTorch CUDA": library_column("torch", "cuda"),
    }
    if columns["tensorlite CUDA"] is None and columns["PyTorch CUDA"] is None:
        print("no CUDA device that a library here can use: the columns are those of the CPU")
    columns = {title: prepare for title, prepare in columns.items() if prepare is not None}

    results: dict[str, dict[str, list[tuple[int, float]]]] = {}
    for dtype in args.dtypes.split(","):
        print(f"\n{dtype}, GFLOP/s")
        print(f"{'size':>6}" + "".join(f"{title:>18}" for title in columns))
        curves = results.setdefault(dtype, {title: [] for title in columns})
        slow: set[str] = set()
        for n in sizes:
            cells = []
            for title, prepare in columns.items():
                try:
                    if title in slow:
                        raise TypeError("too slow at the size before")
                    start = time.perf_counter()
                    curves[title].append((n, gflops(prepare(n, dtype), n, 0.1 if args.quick else 0.3)))
                    cells.append(f"{curves[title][-1][1]:18.1f}")
                    if time.perf_counter() - start > 6:
                        slow.add(title)
                except (TypeError, NotImplementedError, RuntimeError, AttributeError):
                    cells.append(f"{'-':>18}")
            print(f"{n:6}" + "".join(cells), flush=True)
    if args.plot:
        plot(args.plot, results)
        print(f"\npicture: {args.plot}")


def plot(path: Path, results: dict[str, dict[str, list[tuple[int, float]]]]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    fig, panels = plt.subplots(
        1, len(results), figsize=(4.6 * len(results), 4), dpi=150, squeeze=False, layout="constrained"
    )
    for axes, (dtype, curves) in zip(panels[0], results.items()):
        for title, points in curves.items():
            if points:
                emphasis = 2.4 if title.startswith("tensorlite") else 1.4
                axes.plot(*zip(*points), "o-", markersize=4, linewidth=emphasis, label=title)
        axes.set_xscale("log", base=2)
        axes.set(title=dtype, xlabel="size", ylabel="GFLOP/s", ylim=(0, None))
        axes.set_xticks(SIZES, [str(n) for n in SIZES], rotation=45)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    fig.suptitle("Square matrix products", fontweight="bold")
    fig.savefig(path)


if __name__ == "__main__":
    main()
