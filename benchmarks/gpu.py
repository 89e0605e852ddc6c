"""tensorlite against PyTorch on a GPU, in one process and in turn: times, bytes a second as a share of what a copy
reaches, matrix products by size, dtype and kernel, a training step of the MNIST network.

    python -m benchmarks.gpu --json results.json
    python -m benchmarks.gpu --json results.json --part matmul
    python -m benchmarks.gpu --json results.json --tiny     # sizes for the emulator, which measures nothing

PyTorch sorts and scans with CUB and multiplies with cuBLAS, so that its columns are theirs.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
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


def square(n: int, dtype: str) -> Callable[[Any], Call]:
    def prepare(lib: Any) -> Call:
        a, b = (lib.randn(n, n, device="cuda").to(getattr(lib, dtype)) for _ in range(2))
        return lambda: a @ b

    return prepare


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


class Choice(NamedTuple):
    """A piece of work by which a row of cuda/runtime/selection.cpp is filled."""

    row: str
    name: str
    work: float  # as the row counts it
    prepare: Callable[[Any], Call]
    tf32: bool = False


def conv_choices(shapes: list[tuple[int, int, int]]) -> Iterator[Choice]:
    """Batch, channels, side of the images; 3x3 kernels."""
    for dtype, tf32 in (("float32", False), ("float32", True), ("bfloat16", False), ("float16", False)):
        for what in ("forward", "gradient of the input", "gradient of the weight"):
            for batch, channels, side in shapes:

                def step(
                    lib: Any, dtype: str = dtype, what: str = what, of: tuple[int, int, int] = (batch, channels, side)
                ) -> Call:
                    batch, channels, side = of
                    kind = {"device": "cuda", "dtype": getattr(lib, dtype), "requires_grad": what != "forward"}
                    x, w = lib.randn(batch, channels, side, side, **kind), lib.randn(channels, channels, 3, 3, **kind)
                    y = lib.nn.functional.conv2d(x, w, padding=1)
                    if what == "forward":
                        return lambda: lib.nn.functional.conv2d(x, w, padding=1)
                    grad, wanted = lib.ones_like(y), x if what.endswith("input") else w
                    return lambda: lib.autograd.grad(y, wanted, grad, retain_graph=True)

                work = float(batch) * side * side * channels * channels * 9
                row = f"conv.{'tf32' if tf32 else dtype}"
                yield Choice(row, f"{what}, {batch} x {channels} x {side} x {side}", work, step, tf32)


def thin_choices(lengths: tuple[int, ...], depths: tuple[int, ...]) -> Iterator[Choice]:
    """Products with vectors, and products whose depth is divided among blocks."""
    for n in lengths:

        def vector(lib: Any, n: int = n) -> Call:
            a, x = lib.randn(n, n, device="cuda"), lib.randn(n, device="cuda")
            return lambda: a @ x

        yield Choice("matmul.vector", f"{n} x {n} by {n}", float(n) * n, vector)
    for k in depths:

        def deep(lib: Any, k: int = k) -> Call:
            a, b = lib.randn(64, k, device="cuda"), lib.randn(k, 64, device="cuda")
            return lambda: a @ b

        yield Choice("matmul.parts", f"64 x {k} by {k} x 64", float(k), deep)


class Entry(NamedTuple):
    """What is measured beside others: a library's call, within a setting."""

    lib: Any
    prepare: Callable[[Any], Call]
    setting: Callable[[], Any] = contextlib.nullcontext


def note(text: str) -> None:
    print("   ", text, flush=True)


def compared(entries: dict[str, Entry], budget: float) -> dict[str, float | None]:
    """Median seconds of a call, in batches that are queued without waiting, measured by events, the entries in turn:
    A B A B ... Warmed up before. None where a library has not got it, or not on this device."""
    calls: dict[str, tuple[Call, int]] = {}
    times: dict[str, list[float]] = {name: [] for name in entries}

    @contextlib.contextmanager
    def within(entry: Entry) -> Iterator[None]:
        grad = entry.lib.enable_grad if entry.prepare.__name__ == "step" else entry.lib.no_grad
        with entry.setting(), grad():
            yield

    def batch(entry: Entry, call: Call, count: int) -> float:
        before, after = (entry.lib.cuda.Event(enable_timing=True) for _ in range(2))
        before.record()
        for _ in range(count):
            call()
        after.record()
        entry.lib.cuda.synchronize()
        return before.elapsed_time(after) / 1e3 / count

    def attempt(name: str, action: Callable[[Entry], None]) -> None:
        try:
            with within(entries[name]):
                action(entries[name])
        except Exception as e:
            note(f"{name}: {type(e).__name__}: {str(e).splitlines()[0] if str(e) else ''}")
            calls.pop(name, None)
            times[name].clear()

    for name in entries:

        def warm(entry: Entry, name: str = name) -> None:
            call = entry.prepare(entry.lib)
            for _ in range(3):
                call()
            entry.lib.cuda.synchronize()
            start = time.perf_counter()
            call()
            entry.lib.cuda.synchronize()
            one = max(time.perf_counter() - start, 1e-6)
            calls[name] = call, max(1, min(50, int(budget / 5 / one)))

        attempt(name, warm)
    for _ in range(5 if budget > 0 else 1):
        for name, (call, count) in list(calls.items()):
            attempt(
                name, lambda entry, call=call, count=count, name=name: times[name].append(batch(entry, call, count))
            )
    calls.clear()
    for lib in {id(e.lib): e.lib for e in entries.values()}.values():
        with contextlib.suppress(Exception):
            lib.cuda.empty_cache()
    return {name: statistics.median(t) if t else None for name, t in times.items()}


def torch_with_cuda() -> Any:
    try:
        torch = importlib.import_module("torch")
    except ImportError:
        return None
    return torch if torch.cuda.is_available() else None


@contextlib.contextmanager
def kernels(tl: Any, backend: str = "native", tf32: bool = False, **choices: str) -> Iterator[None]:
    """tensorlite with a backend for products, and with kernels chosen by (the beginning of) their row's name."""
    setting = tl.backends.cuda.matmul
    before = setting.backend, setting.allow_tf32
    try:
        setting.backend, setting.allow_tf32 = backend, tf32
        for row, choice in choices.items():
            tl._C._cuda_choose_kernel(row.replace("_", ".") if row != "every" else "", choice)
        yield
    finally:
        tl._C._cuda_choose_kernel("", "")
        setting.backend, setting.allow_tf32 = before


@contextlib.contextmanager
def torch_tf32(torch: Any, on: bool) -> Iterator[None]:
    both = torch.backends.cuda.matmul, torch.backends.cudnn
    before = [b.allow_tf32 for b in both]
    try:
        for b in both:
            b.allow_tf32 = on
        yield
    finally:
        for b, value in zip(both, before):
            b.allow_tf32 = value


PARTS = ("memory", "model", "matmul", "conv", "thin")


def measure(part: str, tiny: bool, results: dict[str, Any], save: Callable[[], None]) -> None:
    import tensorlite as tl

    torch = torch_with_cuda()
    budget = 0.0 if tiny else 0.15
    n, rows, columns, batch = (3000, 12, 70, 2) if tiny else (1 << 28, 1 << 14, 1 << 13, 128)
    results["torch"] = torch.__version__ if torch else None

    def told(row: dict[str, Any]) -> None:
        print("  " + "  ".join(f"{k}: {v:.4g}" if isinstance(v, float) else f"{v}" for k, v in row.items()), flush=True)
        save()

    if part in ("memory", "model"):
        results["cases"] = []
        for case in memory_cases(n, rows, columns) if part == "memory" else model_cases(batch):
            entries = {"tensorlite": Entry(tl, case.prepare)}
            if part == "model":
                entries["fast"] = Entry(tl, case.prepare, lambda: kernels(tl, every="fast"))
            if torch:
                entries["torch"] = Entry(torch, case.prepare)
            times = {"tensorlite": None, "torch": None, **compared(entries, budget)}
            row = {"group": case.group, "name": case.name, "bytes": case.bytes, "flops": case.flops, **times}
            results["cases"].append(row)
            told(row)
    elif part == "matmul":
        results["matmul"] = []
        for dtype in ("float32", "bfloat16", "float16"):
            for size in (16, 33) if tiny else (256, 512, 1024, 2048, 4096, 8192):
                prepare, entries = square(size, dtype), {}
                for tf32 in (False, True)[: 1 + (dtype == "float32")]:
                    end = " tf32" if tf32 else ""
                    for choice in ("simple", "fast")[tf32:]:  # the plain tiles are the same with tf32
                        entries[choice + end] = Entry(
                            tl, prepare, functools.partial(kernels, tl, tf32=tf32, matmul=choice)
                        )
                    entries["cublas" + end] = Entry(tl, prepare, functools.partial(kernels, tl, "cublas", tf32))
                    if torch:
                        entries["torch" + end] = Entry(torch, prepare, functools.partial(torch_tf32, torch, tf32))
                row = {"n": size, "dtype": dtype, **compared(entries, budget)}
                results["matmul"].append(row)
                told(row)
    else:
        if part == "conv":
            choices = conv_choices([(2, 8, 6)] if tiny else [(8, 16, 14), (32, 64, 28), (64, 128, 28), (64, 256, 14)])
        else:
            choices = (
                thin_choices((40,), (300,)) if tiny else thin_choices((256, 1024, 4096, 16384), (1024, 8192, 1 << 17))
            )
        results["choices"] = []
        for c in choices:
            # What stands beside the row is the fast kernel, so that the row alone differs.
            entries = {
                choice: Entry(
                    tl,
                    c.prepare,
                    functools.partial(kernels, tl, tf32=c.tf32, every="fast", **{c.row.replace(".", "_"): choice}),
                )
                for choice in ("simple", "fast")
            }
            if torch:
                entries["torch"] = Entry(torch, c.prepare, functools.partial(torch_tf32, torch, c.tf32))
            row = {"row": c.row, "name": c.name, "work": c.work, **compared(entries, budget)}
            results["choices"].append(row)
            told(row)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True, help="written anew after each case")
    parser.add_argument("--part", choices=PARTS, action="append", help="all of them when none is named")
    parser.add_argument("--tiny", action="store_true")
    options = parser.parse_args()
    results: dict[str, Any] = {}
    for part in options.part or PARTS:
        measured: dict[str, Any] = {}
        before = dict(results)

        def save(measured: dict[str, Any] = measured, before: dict[str, Any] = before) -> None:
            results.update({k: before.get(k, []) + v if isinstance(v, list) else v for k, v in measured.items()})
            options.json.write_text(json.dumps(results, indent=1))

        measure(part, options.tiny, measured, save)


if __name__ == "__main__":
    main()
