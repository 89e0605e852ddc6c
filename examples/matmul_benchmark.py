"""How fast matrices are multiplied: GFLOP/s of square products, by size and dtype, for everything that is installed.

python examples/matmul_benchmark.py --plot matmul.png
python examples/matmul_benchmark.py --quick          # smaller sizes and shorter measurements
python examples/matmul_benchmark.py --sizes 1024,8192 --dtypes float32,tf32,bfloat16

On a machine with a GPU: the CPU, tensorlite's own kernels on the GPU (the plain tiles, and the fast ones, which
docs/kernels/matmul.md describes), cuBLAS, and PyTorch, each with the operands on the device already, and once more with
the transfer: operands from pinned memory, result back. Elsewhere: the CPU against NumPy and PyTorch.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

SIZES = (64, 128, 256, 512, 1024, 2048, 4096, 8192)
DTYPES = ("float32", "tf32", "float64", "bfloat16", "float16")
Curves = dict[str, list[tuple[int, float]]]
Call = Callable[[], Any]


class Column(NamedTuple):
    title: str
    prepare: Callable[[int, str], Call]  # of size and dtype; raises where the column has no such product
    wait: Callable[[], Any] | None  # a GPU's: until everything that was asked for is done


def find(name: str) -> Any:
    with contextlib.suppress(ImportError):
        return importlib.import_module(name)
    return None


def stored(lib: Any, dtype: str) -> Any:
    return lib.float32 if dtype == "tf32" else getattr(lib, dtype)


def numpy_column() -> Column | None:
    np = find("numpy")

    def prepare(n: int, dtype: str) -> Call:
        if dtype not in ("float32", "float64"):
            raise TypeError(f"NumPy has no fast product of {dtype}")
        a, b = (np.random.default_rng(seed).standard_normal((n, n)).astype(dtype) for seed in (0, 1))
        return lambda: a @ b

    return np and Column("NumPy", prepare, None)


def cpu_column(title: str, lib: Any) -> Column | None:
    def prepare(n: int, dtype: str) -> Call:
        if dtype == "tf32":
            raise TypeError("a GPU's way to multiply float32")
        lib.manual_seed(0)
        a, b = (lib.randn(n, n).to(stored(lib, dtype)) for _ in range(2))
        return lambda: a @ b

    return lib and Column(title, prepare, None)


def cuda_columns(title: str, lib: Any, setting: Callable[[], Any]) -> Iterator[Column]:
    """Without and with the transfer. `setting` makes a context in which the products run."""

    def prepare(n: int, dtype: str, transfer: bool) -> Call:
        lib.manual_seed(0)
        host = [lib.randn(n, n).to(stored(lib, dtype)) for _ in range(2)]
        with contextlib.suppress(NotImplementedError, RuntimeError, AttributeError):
            host = [t.pin_memory() for t in host]
        a, b = (t.to("cuda") for t in host)
        matmul = lib.backends.cuda.matmul

        def product() -> Any:
            matmul.allow_tf32 = dtype == "tf32"
            try:
                with setting():
                    if transfer:
                        return (host[0].to("cuda", non_blocking=True) @ host[1].to("cuda", non_blocking=True)).cpu()
                    return a @ b
            finally:
                matmul.allow_tf32 = False

        return product

    yield Column(title, lambda n, dtype: prepare(n, dtype, False), lib.cuda.synchronize)
    yield Column(f"{title} + transfer", lambda n, dtype: prepare(n, dtype, True), lib.cuda.synchronize)


@contextlib.contextmanager
def own_kernels(tl: Any, choice: str) -> Iterator[None]:
    """tensorlite's plain tiles ("simple") or its fast kernels, which are not the default before a GPU has run them."""
    tl._C._cuda_choose_kernel("matmul", choice)
    try:
        yield
    finally:
        tl._C._cuda_choose_kernel("matmul", "")


@contextlib.contextmanager
def cublas(tl: Any) -> Iterator[None]:
    before = tl.backends.cuda.matmul.backend
    tl.backends.cuda.matmul.backend = "cublas"
    try:
        yield
    finally:
        tl.backends.cuda.matmul.backend = before


def columns() -> list[Column]:
    import tensorlite as tl

    torch = find("torch")
    found = [cpu_column("tensorlite CPU", tl), numpy_column(), cpu_column("PyTorch CPU", torch)]
    if tl.cuda.is_available():
        emulated = " (its times mean nothing)" if "emulator" in tl.cuda.get_device_name() else ""
        print(f"GPU: {tl.cuda.get_device_name()}{emulated}")
        found += cuda_columns("own, plain", tl, lambda: own_kernels(tl, "simple"))
        found += cuda_columns("own, fast", tl, lambda: own_kernels(tl, "fast"))
        try:
            with cublas(tl):
                pass
            found += cuda_columns("cuBLAS", tl, lambda: cublas(tl))
        except RuntimeError as e:
            print(f"no column for cuBLAS: {e}")
    if torch and torch.cuda.is_available():
        found += cuda_columns("PyTorch CUDA", torch, contextlib.nullcontext)
    elif not tl.cuda.is_available():
        print("no CUDA device that a library here can use: the columns are those of the CPU")
    return [c for c in found if c is not None]


def gflops(column: Column, n: int, dtype: str, seconds: float) -> float:
    """From the median time of as many calls as fit into `seconds`, at least three after one to warm up."""
    call = column.prepare(n, dtype)

    def run(count: int) -> float:
        start = time.perf_counter()
        for _ in range(count):
            call()
        if column.wait:
            column.wait()
        return (time.perf_counter() - start) / count

    run(1)
    # A GPU gets enough at once that the wait does not count.
    batch = max(1, min(1000, int((1e-3 if column.wait is None else 2e-2) / max(run(1), 1e-7))))
    times: list[float] = []
    begun = time.perf_counter()
    while len(times) < 3 or time.perf_counter() - begun < seconds:
        times.append(run(batch))
    return 2 * n**3 / statistics.median(times) * 1e-9


def measure(found: list[Column], sizes: list[int], dtypes: list[str], seconds: float) -> dict[str, Curves]:
    results: dict[str, Curves] = {}
    for dtype in dtypes:
        print(f"\n{dtype}, GFLOP/s")
        widths = {c.title: max(len(c.title) + 2, 12) for c in found}
        print(f"{'size':>6}" + "".join(f"{title:>{width}}" for title, width in widths.items()))
        curves = results.setdefault(dtype, {c.title: [] for c in found})
        slow: set[str] = set()
        for n in sizes:
            cells = []
            for column in found:
                cell = "-"
                start = time.perf_counter()
                if column.title not in slow:
                    with contextlib.suppress(TypeError, NotImplementedError, RuntimeError, AttributeError):
                        curves[column.title].append((n, gflops(column, n, dtype, seconds)))
                        cell = f"{curves[column.title][-1][1]:.1f}"
                if time.perf_counter() - start > 6:
                    slow.add(column.title)  # the next size would take too long
                cells.append(f"{cell:>{widths[column.title]}}")
            print(f"{n:6}" + "".join(cells), flush=True)
    return results


def plot(path: Path, results: dict[str, Curves]) -> None:
    try:
        import matplotlib
    except ImportError:
        raise SystemExit("the picture needs matplotlib: pip install matplotlib") from None
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    fig, panels = plt.subplots(
        1, len(results), figsize=(4.6 * len(results), 4.4), dpi=150, squeeze=False, layout="constrained"
    )
    drawn: dict[str, Any] = {}
    for axes, (dtype, curves) in zip(panels[0], results.items()):
        gpu = any(points and title.startswith("own") for title, points in curves.items())
        for i, (title, points) in enumerate(curves.items()):
            if points:
                ours = title.startswith(("tensorlite", "own"))
                (drawn[title],) = axes.plot(
                    *zip(*points),
                    "o--" if title.endswith("transfer") else "o-",
                    color=f"C{i % 10}",
                    markersize=4,
                    linewidth=2.4 if ours else 1.4,
                    label=title,
                )
        sizes = sorted({n for points in curves.values() for n, _ in points})
        axes.set_xscale("log", base=2)
        if gpu:  # CPU and GPU are far apart
            axes.set_yscale("log")
        else:
            axes.set_ylim(0, None)
        axes.set(title=dtype, xlabel="size", ylabel="GFLOP/s")
        axes.set_xticks(sizes, [str(n) for n in sizes], rotation=45)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    fig.legend(drawn.values(), drawn.keys(), loc="outside lower center", ncols=4, frameon=False)
    fig.suptitle("Square matrix products", fontweight="bold")
    fig.savefig(path)
    print(f"\npicture: {path}")


def main() -> None:
    parser = argparse.ArgumentParser(description="GFLOP/s of square matrix products.")
    parser.add_argument("--plot", type=Path, help="write a picture here, for example matmul.png")
    parser.add_argument("--quick", action="store_true", help="sizes up to 1024, shorter measurements")
    parser.add_argument("--sizes", help="for example 256,1024")
    parser.add_argument("--dtypes", help=f"of {', '.join(DTYPES)}")
    args = parser.parse_args()
    sizes = [int(n) for n in args.sizes.split(",")] if args.sizes else [n for n in SIZES if n <= 1024 or not args.quick]

    found = columns()
    gpu = any(c.wait for c in found)
    dtypes = (args.dtypes or ("float32,tf32,bfloat16" if gpu else "float32,float64,bfloat16")).split(",")
    if unknown := set(dtypes) - set(DTYPES):
        parser.error(f"no such dtype: {min(unknown)}")
    results = measure(found, sizes, dtypes, 0.1 if args.quick else 0.3)
    if args.plot:
        plot(args.plot, results)


if __name__ == "__main__":
    main()
