"""Matrix products on a CUDA device: every kernel, dtype and order of memory against float64; cuBLAS; the settings."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from library import IS_TENSORLITE, tl, torch

pytestmark = pytest.mark.skipif(not IS_TENSORLITE or not tl.cuda.is_available(), reason="no CUDA device")

EMULATED = IS_TENSORLITE and tl.cuda.is_available() and tl._C._cuda_is_emulated()
# Of a float64 sum of terms about 1: what rounding the operands and the result may cost.
EPS = {"float32": 2e-6, "float64": 1e-14, "complex64": 4e-6, "complex128": 1e-14, "float16": 1e-3, "bfloat16": 8e-3}
TF32_EPS = 1e-3
KERNELS = {
    "simple": [*EPS, "int64", "uint8"],
    "fast": [*EPS, "int32"],
    "fast-small": ["float32", "float16", "bfloat16", "tf32"],
    "fast-large": ["float32", "float16", "bfloat16", "tf32"],
}


@contextmanager
def kernels(choice: str, name: str = "matmul") -> Iterator[None]:
    tl._C._cuda_choose_kernel(name, choice)
    try:
        yield
    finally:
        tl._C._cuda_choose_kernel(name, "")


@pytest.fixture
def matmul() -> Iterator[Any]:
    """The settings, as they were afterwards."""
    settings = tl.backends.cuda.matmul
    saved = dict(settings._values)
    yield settings
    settings._values.update(saved)
    settings.backend = saved["backend"]


def numbers(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    if dtype.startswith(("int", "uint")):
        return rng.integers(0, 5, shape).astype(dtype)
    values = rng.standard_normal(shape)
    if dtype.startswith("complex"):
        values = values + 1j * rng.standard_normal(shape)
    return values


def on_device(values: np.ndarray, dtype: str, order: str) -> tuple[Any, np.ndarray]:
    """The values on the device, rounded to the dtype and lying as `order` says, and what they are in float64."""
    t = tl.tensor(values).to(getattr(tl, dtype))
    host = t.to(tl.complex128 if t.is_complex() else tl.float64 if t.is_floating_point() else tl.int64).numpy()
    dims = [*range(t.dim() - 2), t.dim() - 1, t.dim() - 2]
    if order == "transposed":
        return t.permute(dims).contiguous().cuda().permute(dims), host
    if order == "stepped":  # neither dim's step is one element
        wide = tl.zeros(*t.shape[:-1], 2 * t.shape[-1], dtype=t.dtype)
        wide[..., ::2] = t
        return wide.cuda()[..., ::2], host
    if order == "odd":  # rows that are not aligned to 16 bytes
        wide = tl.zeros(*t.shape[:-1], t.shape[-1] + 3, dtype=t.dtype)
        wide[..., 1 : t.shape[-1] + 1] = t
        return wide.cuda()[..., 1 : t.shape[-1] + 1], host
    return t.cuda(), host


def agree(got: Any, expected: np.ndarray, eps: float, depth: int, what: str) -> None:
    got = got.cpu()
    if not (got.is_floating_point() or got.is_complex()):
        assert np.array_equal(got.numpy(), expected.astype(got.numpy().dtype)), what
        return
    got = got.to(tl.complex128 if got.is_complex() else tl.float64).numpy()
    assert got.shape == expected.shape, what
    bound = eps * (np.abs(expected) + 4 * max(depth, 1) ** 0.5)
    worst = np.abs(got - expected) - bound
    assert not worst.size or worst.max() <= 0, f"{what}: off by {np.abs(got - expected).max()}"


def check(dtype: str, m: int, n: int, k: int, a_order: str = "", b_order: str = "", batch: int = 0) -> Any:
    rng = np.random.default_rng([m, n, k, batch])
    stored = "float32" if dtype == "tf32" else dtype
    lead = (batch,) if batch else ()
    a, x = on_device(numbers(rng, (*lead, m, k), stored), stored, a_order)
    b, y = on_device(numbers(rng, (*lead, k, n), stored), stored, b_order)
    eps = TF32_EPS if dtype == "tf32" else EPS.get(dtype, 0)
    got = tl.bmm(a, b) if batch else tl.mm(a, b)
    agree(got, x @ y, eps, k, f"{dtype} {batch}x{m}x{k} {a_order} @ {k}x{n} {b_order}")
    return got


@contextmanager
def precision(dtype: str) -> Iterator[None]:
    tl.set_float32_matmul_precision("high" if dtype == "tf32" else "highest")
    try:
        yield
    finally:
        tl.set_float32_matmul_precision("highest")


ALL = [(choice, dtype) for choice, dtypes in KERNELS.items() for dtype in dtypes]


@pytest.mark.parametrize(("choice", "dtype"), ALL)
def test_orders_of_memory(choice: str, dtype: str) -> None:
    """Both operands in any order, with copies of 16 bytes (sizes that fit) and without."""
    with kernels(choice), precision(dtype):
        for a, b in itertools.product(("", "transposed"), ("", "transposed")):
            check(dtype, 72, 40, 48, a, b)
        for a, b in (("stepped", ""), ("odd", "transposed"), ("", "stepped"), ("transposed", "odd")):
            check(dtype, 33, 18, 21, a, b)


@pytest.mark.parametrize(("choice", "dtype"), ALL)
def test_sizes(choice: str, dtype: str) -> None:
    """Tails on every side, several tiles, a depth of none and of one; results are the same bits again."""
    with kernels(choice), precision(dtype):
        for m, n, k in ((1, 1, 1), (65, 3, 17), (3, 67, 1), (130, 66, 35), (7, 9, 0)):
            check(dtype, m, n, k)
        first, again = (check(dtype, 5, 6, 1100).cpu() for _ in range(2))  # in parts of the depth
        assert bool((first == again).all())


@pytest.mark.parametrize(("choice", "dtype"), [(c, d) for c, d in ALL if c in ("simple", "fast")])
def test_batches_and_vectors(choice: str, dtype: str) -> None:
    with kernels(choice):
        check(dtype, 10, 12, 9, "", "transposed", batch=3)
        for m, n, k in ((1, 40, 70), (40, 1, 70), (1, 3, 2100), (2, 1, 9000)):
            for order in ("", "transposed"):
                check(dtype, m, n, k, order, order)
        check(dtype, 1, 8, 64, batch=2)
        rng = np.random.default_rng(1)
        matrix, x = on_device(numbers(rng, (20, 33), dtype), dtype, "odd")
        vector, y = on_device(numbers(rng, (1, 33), dtype), dtype, "")
        eps = EPS.get(dtype, 0)
        agree(tl.mv(matrix, vector[0]), x @ y[0], eps, 33, "mv")
        agree(tl.dot(matrix[3], vector[0]), x[3] @ y[0], eps, 33, "dot")


def test_long_dot() -> None:
    for choice in ("simple", "fast"):
        with kernels(choice):
            x = np.random.default_rng(0).standard_normal(100_000).astype("float32")
            got = tl.dot(tl.tensor(x).cuda(), tl.tensor(x[::-1].copy()).cuda())
            agree(got, np.array(x.astype("float64") @ x[::-1].astype("float64")), 2e-6, 100_000, choice)


@pytest.mark.parametrize(("choice", "dtype"), [(c, d) for c, d in ALL if d not in ("uint8", "int32")])
def test_epilogue(choice: str, dtype: str) -> None:
    """alpha, beta, an addend that broadcasts, relu, results that are views, in place."""
    stored = "float32" if dtype == "tf32" else dtype
    rng = np.random.default_rng(5)
    m, n, k = 35, 20, 600 if choice == "fast" else 24
    whole = dtype == "int64"
    alpha, beta = (2, 3) if whole else (0.5, -1.5)
    eps = 4 * (TF32_EPS if dtype == "tf32" else EPS.get(dtype, 0))
    with kernels(choice), precision(dtype):
        a, x = on_device(numbers(rng, (m, k), stored), stored, "")
        b, y = on_device(numbers(rng, (k, n), stored), stored, "transposed")
        for shape in ((m, n), (n,), (m, 1)):
            d, z = on_device(numbers(rng, shape, stored), stored, "" if len(shape) == 2 else "odd")
            agree(tl.addmm(d, a, b, beta=beta, alpha=alpha), beta * z + alpha * (x @ y), eps, k, f"addmm {shape}")
        d, z = on_device(numbers(rng, (m, n), stored), stored, "stepped")
        d.addmm_(a, b, beta=beta)
        agree(d, beta * z + x @ y, eps, k, "addmm_")
        nothing = tl.full((m, n), 7 if whole else float("nan"), dtype=getattr(tl, stored), device="cuda")
        agree(tl.addmm(nothing, a, b, beta=0), x @ y, eps, k, "beta=0")
        if stored.startswith("float") or stored == "bfloat16":
            bias, z = on_device(numbers(rng, (n,), stored), stored, "odd")
            layer = tl.nn.functional.linear(a, b.t(), bias)
            agree(layer, x @ y + z, eps, k, "linear")
        out = tl.empty(n, m, dtype=getattr(tl, stored), device="cuda").t()
        assert tl.mm(a, b, out=out) is out
        agree(out, x @ y, eps, k, "out= in columns")


def test_nan_and_infinity_stay() -> None:
    for choice in ("simple", "fast"):
        for dtype in ("float32", "float16"):
            with kernels(choice):
                a = tl.ones(17, 40, dtype=getattr(tl, dtype))
                a[3, 39] = float("nan")
                a[5, 0] = float("inf")
                got = tl.mm(a.cuda(), tl.ones(40, 9, dtype=getattr(tl, dtype)).cuda()).cpu().float().numpy()
                assert np.isnan(got[3]).all() and np.isinf(got[5]).all() and np.isfinite(got[[0, 4, 16]]).all()


def test_tf32_is_less_exact_and_only_on_demand(matmul: Any) -> None:
    rng = np.random.default_rng(0)
    a, x = on_device(rng.standard_normal((64, 64)), "float32", "")

    def error() -> float:
        return float(np.abs(tl.mm(a, a).cpu().double().numpy() - x @ x).max())

    with kernels("fast"):
        assert error() < 2e-5
        matmul.allow_tf32 = True
        assert 1e-4 < error() < 5e-2
        matmul.allow_tf32 = False
        assert error() < 2e-5


def test_table_of_kernels() -> None:
    table = {name: (work, chosen) for name, work, chosen in tl._C._cuda_kernel_table()}
    assert {"matmul.float32", "matmul.tf32", "matmul.float16", "matmul.bfloat16", "matmul.vector"} <= set(table)
    with kernels("fast", "matmul.float32"):
        chosen = {name: chosen for name, _, chosen in tl._C._cuda_kernel_table()}
        assert chosen["matmul.float32"] == "fast" and chosen["matmul.float16"] == table["matmul.float16"][1]
    with pytest.raises(ValueError, match="no such row"):
        tl._C._cuda_choose_kernel("matmul.nothing", "fast")
    with pytest.raises(ValueError, match="no such choice"):
        tl._C._cuda_choose_kernel("matmul", "quick")


def in_process(code: str, **environment: str) -> str:
    path = os.pathsep.join([*sys.path, os.environ.get("PYTHONPATH", "")])
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path, **environment},
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_environment_chooses() -> None:
    code = "import tensorlite as tl; print({c for _, _, c in tl._C._cuda_kernel_table()})"
    assert in_process(code, TENSORLITE_CUDA_KERNELS="fast").strip() == "{'fast'}"


# ---- cuBLAS ----


@pytest.mark.parametrize("dtype", [*EPS, "int64"])
def test_cublas(matmul: Any, dtype: str) -> None:
    if not EMULATED and tl._C._cuda_cublas_trouble():
        pytest.skip("cuBLAS is not installed")
    matmul.backend = "cublas"
    rng = np.random.default_rng(2)
    eps = EPS.get(dtype, 0)
    for a, b in itertools.product(("", "transposed", "stepped", "odd"), ("", "transposed")):
        check(dtype, 19, 12, 23, a, b)
    for m, n, k in ((1, 1, 1), (1, 8, 9), (8, 1, 9), (9, 8, 1), (3, 4, 0)):
        check(dtype, m, n, k)
        check(dtype, m, n, k, "transposed", "transposed", batch=2)
    a, x = on_device(numbers(rng, (3, 14, 11), dtype), dtype, "transposed")
    b, y = on_device(numbers(rng, (3, 11, 8), dtype), dtype, "")
    d, z = on_device(numbers(rng, (14, 1), dtype), dtype, "")
    agree(tl.baddbmm(d, a, b, beta=2, alpha=3), 2 * z + 3 * (x @ y), 4 * eps, 11, "baddbmm")
    c = tl.zeros(8, 14, dtype=getattr(tl, dtype), device="cuda").t()
    c.addmm_(a[0], b[0], beta=2)
    c.addmm_(a[1], b[1])
    agree(c, x[0] @ y[0] + x[1] @ y[1], 4 * eps, 22, "addmm_ into columns")


def test_cublas_that_is_not_there() -> None:
    if not EMULATED:
        pytest.skip("a GPU may have it")
    code = """
import tensorlite as tl
m = tl.backends.cuda.matmul
try:
    m.backend = "cublas"
except RuntimeError as e:
    print(e)
print(m.backend)
m.backend = "auto"
print(tl.mm(tl.ones(2, 3).cuda(), tl.ones(3, 2).cuda()).sum().item())
"""
    lines = in_process(code, TENSORLITE_EMULATE_CUBLAS="load", TENSORLITE_CUBLAS="/nowhere/libcublas.so").splitlines()
    assert "could not be opened" in lines[0] and "pip install nvidia-cublas" in lines[0] and "native" in lines[0]
    assert lines[1:] == ["native", "12.0"]


def test_library_is_found_and_called(tmp_path: Path) -> None:
    """A library with cuBLAS's names, in the folder of the wheel: found by sys.path, called with rows as columns."""
    if not EMULATED:
        pytest.skip("a GPU has the real one")
    folder = tmp_path / "nvidia" / "cu13" / "lib"
    folder.mkdir(parents=True)
    source = tmp_path / "fake.c"
    source.write_text("""
#include <stdio.h>
int cublasCreate_v2(void** h) { static int x; *h = &x; return 0; }
int cublasSetStream_v2(void* h, void* s) { return 0; }
int cublasSetMathMode(void* h, int m) { printf("math %d\\n", m); return 0; }
int cublasGemmStridedBatchedEx(void* h, int ta, int tb, int m, int n, int k, const void* al, const void* A, int at,
    int lda, long long as, const void* B, int bt, int ldb, long long bs, const void* be, void* C, int ct, int ldc,
    long long cs, int batch, int compute, int algo) {
  printf("gemm %d %d %d %d %d %g %d %d %d %d %d %d\\n", ta, tb, m, n, k, *(const float*)al, at, lda, ldb, ldc, batch,
         compute);
  fflush(stdout);
  return m == 7 ? 15 : 0;
}
""")
    library = folder / "libcublas.so.13"
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-o", library, source], check=True)
    code = """
import tensorlite as tl
m = tl.backends.cuda.matmul
m.backend = "cublas"
tl.mm(tl.ones(2, 3).cuda(), tl.ones(3, 4).cuda())
m.allow_tf32 = True
tl.mm(tl.ones(2, 3).cuda(), tl.ones(4, 3).cuda().t())
m.allow_bf16_reduced_precision_reduction = False
tl.mm(tl.ones(2, 3, dtype=tl.bfloat16).cuda(), tl.ones(3, 4, dtype=tl.bfloat16).cuda())
try:
    tl.mm(tl.ones(2, 3).cuda(), tl.ones(3, 7).cuda())
except RuntimeError as e:
    print(e)
"""
    path = f"{tmp_path}{os.pathsep}{os.pathsep.join(sys.path)}"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": path, "TENSORLITE_EMULATE_CUBLAS": "load"},
    ).stdout.splitlines()  # fmt: skip
    assert [line for line in out if line.startswith("gemm")] == [
        "gemm 0 0 4 2 3 1 0 4 3 4 1 68",
        "gemm 1 0 4 2 3 1 0 3 3 4 1 77",
        "gemm 0 0 4 2 3 1 14 4 3 4 1 68",
        "gemm 0 0 7 2 3 1 0 7 3 7 1 77",
    ]
    assert [line for line in out if line.startswith("math")] == ["math 0", "math 0", "math 16", "math 0"]
    assert any("CUBLAS_STATUS_NOT_SUPPORTED when calling `cublasGemmStridedBatchedEx`" in line for line in out)


# ---- settings ----


def settings_of(lib: Any) -> list[Any]:
    """What a script sees that sets them in this order."""
    m = lib.backends.cuda.matmul
    seen: list[Any] = []

    def look() -> None:
        for name in ("allow_tf32", "fp32_precision"):
            try:
                seen.append(getattr(m, name))
            except RuntimeError as e:
                seen.append(str(e))
        seen.append(lib.get_float32_matmul_precision())

    look()
    for text in ("high", "medium", "highest"):
        lib.set_float32_matmul_precision(text)
        look()
    for name, value in (("allow_tf32", True), ("fp32_precision", "ieee"), ("fp32_precision", "tf32"), ("allow_tf32", 3),
                        ("fp32_precision", "x"), ("other", 1), ("allow_fp16_reduced_precision_reduction", 3),
                        ("allow_bf16_reduced_precision_reduction", (True, False)),
                        ("allow_bf16_reduced_precision_reduction", (False, False)),
                        ("allow_fp16_accumulation", True), ("allow_tf32", False)):  # fmt: skip
        try:
            setattr(m, name, value)
        except Exception as e:
            seen.append((type(e).__name__, str(e)))
        look()
        seen.append(m.allow_bf16_reduced_precision_reduction)
    m.allow_bf16_reduced_precision_reduction = True
    m.allow_fp16_accumulation = False
    return seen


def test_settings_are_those_of_pytorch(matmul: Any) -> None:
    if torch is None:
        pytest.skip("PyTorch is not installed")
    assert settings_of(tl)[2:] == settings_of(torch)[2:]


def test_backend_has_three_values(matmul: Any) -> None:
    assert matmul.backend == "native"
    with pytest.raises(ValueError, match="native"):
        matmul.backend = "mkl"
