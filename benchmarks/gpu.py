"""tensorlite against PyTorch on a GPU, in one process and in turn: times, bytes a second as a share of what a copy
reaches, matrix products by size, dtype and kernel, a training step of the MNIST network.

    python -m benchmarks.gpu --json results.json
    python -m benchmarks.gpu --json results.json --tiny     # sizes for the emulator, which measures nothing

PyTorch sorts and scans with CUB and multiplies with cuBLAS, so that its columns are theirs.
"""

from __future__ import annotations

import argparse
import importlib
import json
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

Call = Callable[[], Any]


class Case(NamedTuple):
    group: str
    name: str
    prepare: Callable[[Any], Call]  # of a library
    bytes: float = 0  # that must be moved at least
    flops: float = 0


def element_bytes(dtype: str) -> int:
    return {"float32": 4, "float64": 8, "int64": 8, "bool": 1}.get(dtype, 2)


def memory_cases(n: int, rows: int, columns: int) -> Iterator[Case]:
    """n elements of a pointwise operator, rows x columns of one along rows."""

    def of(count: int, f: Callable[..., Any], dtype: str = "float32", shape: tuple[int, ...] = ()) -> Any:
        def prepare(lib: Any) -> Call:
            kind = getattr(lib, dtype)
            tensors = [lib.randn(*(shape or (n,)), device="cuda").to(kind) for _ in range(count)]
            return lambda: f(lib, *tensors)

        return prepare

    matrix = (rows, columns)
    m = rows * columns
    yield Case("copy", "y.copy_(x), float32", of(2, lambda lib, x, y: y.copy_(x)), 8 * n)
    yield Case("copy", "x.t().contiguous()", of(1, lambda lib, x: x.t().contiguous(), shape=matrix), 8 * m)
    yield Case("copy", "cat of two", of(2, lambda lib, x, y: lib.cat([x, y])), 16 * n)
    yield Case("copy", "x.to(float16)", of(1, lambda lib, x: x.to(lib.float16)), 6 * n)
    for dtype in ("float32", "bfloat16"):
        b = element_bytes(dtype)
        yield Case("pointwise", f"x + y, {dtype}", of(2, lambda lib, x, y: x + y, dtype), 3 * b * n)
        yield Case("pointwise", f"x * 2, {dtype}", of(1, lambda lib, x: x * 2, dtype), 2 * b * n)
        yield Case("pointwise", f"exp, {dtype}", of(1, lambda lib, x: x.exp(), dtype), 2 * b * n)
        yield Case("pointwise", f"gelu, {dtype}", of(1, lambda lib, x: lib.nn.functional.gelu(x), dtype), 2 * b * n)
    yield Case("pointwise", "x + row, float32", of(1, lambda lib, x: x + x[0], shape=matrix), 8 * m)
    yield Case("pointwise", "where(x > 0, x, y)", of(2, lambda lib, x, y: lib.where(x > 0, x, y)), 18 * n)
    for dtype in ("float32", "bfloat16"):
        b = element_bytes(dtype)
        yield Case("reduction", f"sum, {dtype}", of(1, lambda lib, x: x.sum(), dtype), b * n)
        yield Case("reduction", f"sum(1), {dtype}", of(1, lambda lib, x: x.sum(1), dtype, matrix), b * m)
        yield Case("reduction", f"sum(0), {dtype}", of(1, lambda lib, x: x.sum(0), dtype, matrix), b * m)
    yield Case("reduction", "argmax(1)", of(1, lambda lib, x: x.argmax(1), shape=matrix), 4 * m)
    yield Case("reduction", "var(1)", of(1, lambda lib, x: x.var(1), shape=matrix), 4 * m)
    for dtype in ("float32", "bfloat16"):
        b = element_bytes(dtype)
        yield Case("softmax", f"softmax(1), {dtype}", of(1, lambda lib, x: x.softmax(1), dtype, matrix), 2 * b * m)

        def norm(lib: Any, x: Any) -> Any:
            return lib.nn.functional.layer_norm(x, x.shape[1:])

        yield Case("norm", f"layer norm, {dtype}", of(1, norm, dtype, matrix), 2 * b * m)
    yield Case("softmax", "log_softmax(0)", of(1, lambda lib, x: x.log_softmax(0), shape=matrix), 8 * m)
    yield Case("scan", "cumsum", of(1, lambda lib, x: x.cumsum(0)), 8 * n)
    yield Case("scan", "cumsum(1)", of(1, lambda lib, x: x.cumsum(1), shape=matrix), 8 * m)
    few = max(n // 8, 1)
    yield Case("sort", "sort, float32", of(1, lambda lib, x: x[:few].sort()), 0)
    yield Case("sort", "sort(1)", of(1, lambda lib, x: x.sort(1), shape=matrix), 0)
    yield Case("sort", "topk(1), 10", of(1, lambda lib, x: x.topk(10, 1), shape=matrix), 4 * m)
    yield Case("sort", "unique of int64", of(1, lambda lib, x: (x[:few] * 100).to(lib.int64).unique()), 0)

    def select(lib: Any) -> Call:
        table = lib.randn(rows, columns, device="cuda")
        index = lib.randint(0, rows, (rows,), device="cuda")
        return lambda: table.index_select(0, index)

    yield Case("index", "index_select of rows", select, 8 * m)


def matmul_cases(sizes: tuple[int, ...]) -> Iterator[tuple[int, str, Callable[[Any], Call]]]:
    for dtype in ("float32", "bfloat16", "float16"):
        for n in sizes:

            def prepare(lib: Any, n: int = n, dtype: str = dtype) -> Call:
                a, b = (lib.randn(n, n, device="cuda").to(getattr(lib, dtype)) for _ in range(2))
                return lambda: a @ b

            yield n, dtype, prepare


def model_cases(batch: int) -> Iterator[Case]:
    def attention(lib: Any) -> Call:
        q, k, v = (lib.randn(2, 8, 16 * batch, 64, device="cuda").to(lib.bfloat16) for _ in range(3))
        return lambda: lib.nn.functional.scaled_dot_product_attention(q, k, v)

    yield Case("model", "attention, bfloat16", attention, flops=4.0 * 2 * 8 * (16 * batch) ** 2 * 64)

    def convolution(lib: Any) -> Call:
        x, w = lib.randn(batch, 64, 28, 28, device="cuda"), lib.randn(64, 64, 3, 3, device="cuda")
        return lambda: lib.nn.functional.conv2d(x, w, padding=1)

    yield Case("model", "conv2d 64 to 64, 3x3", convolution, flops=2.0 * batch * 28 * 28 * 64 * 64 * 9)

    def step(lib: Any) -> Call:
        nn = lib.nn
        lib.manual_seed(0)
        model = nn.Sequential(
            nn.Conv2d(1, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Dropout(0.25), nn.Linear(512, 128), nn.ReLU(), nn.Linear(128, 10),
        ).to("cuda")  # fmt: skip
        optimizer = lib.optim.Adam(model.parameters(), lr=1e-3)
        x = lib.randn(batch, 1, 28, 28, device="cuda")
        y = lib.randint(0, 10, (batch,), device="cuda")

        def once() -> None:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()

        return once

    yield Case("model", f"training step of the MNIST network, batch {batch}", step)


def conv_cases(batch: int, channels: int, side: int) -> Iterator[Case]:
    """By each choice of a kernel; PyTorch's column is the same for both."""
    for dtype in ("float32", "bfloat16"):
        for what in ("forward", "gradient of the input", "gradient of the weight"):
            for kernel in ("simple", "fast"):

                def step(lib: Any, dtype: str = dtype, what: str = what, kernel: str = kernel) -> Call:
                    kind = {"device": "cuda", "dtype": getattr(lib, dtype), "requires_grad": what != "forward"}
                    x, w = lib.randn(batch, channels, side, side, **kind), lib.randn(channels, channels, 3, 3, **kind)
                    y = lib.nn.functional.conv2d(x, w, padding=1)
                    grad = lib.ones_like(y)

                    def call() -> Any:
                        if what == "forward":
                            return lib.nn.functional.conv2d(x, w, padding=1)
                        wanted = x if what.endswith("input") else w
                        return lib.autograd.grad(y, wanted, grad, retain_graph=True)

                    def chosen() -> Any:
                        lib._C._cuda_choose_kernel("conv", kernel)
                        try:
                            return call()
                        finally:
                            lib._C._cuda_choose_kernel("conv", "")

                    return chosen if hasattr(lib._C, "_cuda_choose_kernel") else call

                flops = 2.0 * batch * side * side * channels * channels * 9
                yield Case("conv", f"{what}, {channels} channels, 3x3, {dtype}, {kernel}", step, flops=flops)


def seconds(lib: Any, call: Call, budget: float) -> float:
    """The median time of a call within batches that are queued without waiting, measured by events."""
    for _ in range(3):
        call()
    lib.cuda.synchronize()
    start = time.perf_counter()
    call()
    lib.cuda.synchronize()
    one = max(time.perf_counter() - start, 1e-6)
    per_batch = max(1, min(50, int(budget / 5 / one)))
    times = []
    for _ in range(5 if budget > 0 else 1):
        before, after = (lib.cuda.Event(enable_timing=True) for _ in range(2))
        before.record()
        for _ in range(per_batch):
            call()
        after.record()
        lib.cuda.synchronize()
        times.append(before.elapsed_time(after) / 1e3 / per_batch)
    return statistics.median(times)


def measured(lib: Any, prepare: Callable[[Any], Call], budget: float) -> float | None:
    """None where the library has not got it, or not on this device."""
    try:
        with lib.no_grad() if prepare.__name__ != "step" else lib.enable_grad():
            call = prepare(lib)
            return seconds(lib, call, budget)
    except (NotImplementedError, AttributeError, lib.cuda.OutOfMemoryError) as e:
        print(f"    {lib.__name__}: {type(e).__name__}: {e}", flush=True)
        return None
    finally:
        lib.cuda.empty_cache()


def torch_with_cuda() -> Any:
    try:
        torch = importlib.import_module("torch")
    except ImportError:
        return None
    return torch if torch.cuda.is_available() else None


def run(tiny: bool) -> dict[str, Any]:
    import tensorlite as tl

    torch = torch_with_cuda()
    budget = 0.0 if tiny else 0.15
    n, rows, columns, batch = (3000, 12, 70, 2) if tiny else (1 << 28, 1 << 14, 1 << 13, 128)
    results: dict[str, Any] = {"cases": [], "matmul": [], "torch": torch.__version__ if torch else None}
    convolutions = conv_cases(2, 8, 6) if tiny else conv_cases(64, 128, 28)
    for case in [*memory_cases(n, rows, columns), *model_cases(batch), *convolutions]:
        row: dict[str, Any] = {"group": case.group, "name": case.name, "bytes": case.bytes, "flops": case.flops}
        for name, lib in (("tensorlite", tl), ("torch", torch)):
            row[name] = measured(lib, case.prepare, budget) if lib else None
        results["cases"].append(row)
        print(f"  {case.group:10} {case.name:45} {row['tensorlite']} {row['torch']}", flush=True)
    setting = tl.backends.cuda.matmul
    for size, dtype, prepare in matmul_cases((16, 33) if tiny else (256, 512, 1024, 2048, 4096, 8192)):
        row = {"n": size, "dtype": dtype}
        # The plain tiles are the same with tf32.
        kinds = [("simple", False), ("fast", False), ("cublas", False)]
        kinds += [("fast", True), ("cublas", True)] * (dtype == "float32")
        for kernel, tf32 in kinds:
            key = kernel + (" tf32" if tf32 else "")
            backend = "cublas" if kernel == "cublas" else "native"
            before = getattr(setting, "backend", None), setting.allow_tf32
            try:
                if before[0] is not None:
                    setting.backend = backend
                elif backend != "native":
                    continue
                setting.allow_tf32 = tf32
                if backend == "native":
                    tl._C._cuda_choose_kernel("matmul", kernel)
                row[key] = measured(tl, prepare, budget)
            except RuntimeError as e:
                print(f"    {key}: {e}")
            finally:
                tl._C._cuda_choose_kernel("matmul", "")
                if before[0] is not None:
                    setting.backend = before[0]
                setting.allow_tf32 = before[1]
        if torch:
            for tf32 in (False, True) if dtype == "float32" else (False,):
                torch.backends.cuda.matmul.allow_tf32 = tf32
                row["torch" + (" tf32" if tf32 else "")] = measured(torch, prepare, budget)
            torch.backends.cuda.matmul.allow_tf32 = False
        results["matmul"].append(row)
        print(f"  matmul {dtype} {size}: {row}", flush=True)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--tiny", action="store_true")
    options = parser.parse_args()
    options.json.write_text(json.dumps(run(options.tiny), indent=1))


if __name__ == "__main__":
    main()
