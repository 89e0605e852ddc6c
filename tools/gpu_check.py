"""What a machine with a GPU can tell of this project, in one command that needs no network.

    make gpu-check                       every step, then docs/gpu-report.md
    make gpu-check STEP="build test"     some of the steps: preflight build test sanitizer bench report
    make gpu-check WHEELS=dir            with wheels carried along for what is not installed there
    python tools/gpu_check.py bench report --emulated --report /tmp/report.md      a dry run where there is no GPU

It builds with CMake alone into build/gpu-check (no pip, no environment of its own) and uses the Python that runs it, so
that the PyTorch which is installed beside it can be compared with. Each step leaves its results in
build/gpu-check/*.json; the report is made of what is there, so that steps may be run one at a time.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "build" / "gpu-check"
SITE = WORK / "site"  # where tensorlite is installed
CARRIED = WORK / "carried"  # and the wheels
STEPS = ("preflight", "build", "test", "sanitizer", "bench", "report")
TOOLS = ("memcheck", "racecheck", "initcheck", "synccheck")


def environment(**more: str) -> dict[str, str]:
    paths = [str(p) for p in (SITE, CARRIED, ROOT / "tests") if p.exists()]
    inherited = os.environ.get("PYTHONPATH", "")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([*paths, *filter(None, [inherited])]), **more}


def run(command: list[str], seconds: float, **more: str) -> tuple[int | None, str, float]:
    """Exit status (None: it took too long), output, seconds. What it prints is shown and kept."""
    print("$", " ".join(command), flush=True)
    start = time.perf_counter()
    lines: list[str] = []
    with subprocess.Popen(
        ["timeout", "-k", "10", str(int(seconds)), *command],
        cwd=ROOT, env=environment(**more), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace",
    ) as process:  # fmt: skip
        assert process.stdout
        for line in process.stdout:
            lines.append(line)
            print(line, end="", flush=True)
    status = process.returncode
    return None if status in (124, 137) else status, "".join(lines), time.perf_counter() - start


def save(step: str, values: dict[str, Any]) -> None:
    WORK.mkdir(parents=True, exist_ok=True)
    (WORK / f"{step}.json").write_text(json.dumps(values, indent=1))


def load(step: str) -> dict[str, Any]:
    path = WORK / f"{step}.json"
    return json.loads(path.read_text()) if path.exists() else {}


# ---- what is there ----


def module(name: str) -> bool:
    code = f"import importlib.util as u, sys; sys.exit(u.find_spec({name!r}) is None)"
    return subprocess.run([sys.executable, "-c", code], env=environment()).returncode == 0


def program(name: str) -> str | None:
    for folder in (str(CARRIED / "bin"), str(Path(sys.executable).parent), None, "/usr/local/cuda/bin"):
        if found := shutil.which(name, path=folder):
            return found
    return None


def nvcc() -> str | None:
    named = os.environ.get("CUDACXX")
    return named if named and Path(named).exists() else program("nvcc")


def first_line(command: list[str], pattern: str = r".+") -> str | None:
    try:
        text = subprocess.run(command, capture_output=True, text=True, timeout=60).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(pattern, text)
    return found.group(0).strip() if found else None


def query(field: str) -> str | None:
    smi = program("nvidia-smi") or shutil.which("nvidia-smi", path="/usr/local/nvidia/bin")
    return first_line([smi, f"--query-gpu={field}", "--format=csv,noheader"]) if smi else None


def preflight(options: argparse.Namespace) -> None:
    """Says what is there, and of what is missing, what to do."""
    if options.wheels:
        wheels = sorted(Path(options.wheels).glob("*.whl"))
        if not wheels:
            raise SystemExit(f"there are no wheels in {options.wheels}")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--upgrade"]
        status, _, _ = run([*pip, "--target", str(CARRIED), *map(str, wheels)], 300)
        if status:
            raise SystemExit("the wheels could not be installed: they must fit this Python and system")
    compiler = nvcc()
    torch = "import torch; print(torch.__version__, torch.version.cuda)"
    found = {
        "card": query("name"),
        "driver": query("driver_version"),
        "memory": query("memory.total"),
        "capability": query("compute_cap"),
        "nvcc": first_line([compiler, "--version"], r"release [\d.]+.*") if compiler else None,
        "compute-sanitizer": program("compute-sanitizer"),
        "python": platform.python_version(),
        "torch": first_line([sys.executable, "-c", torch]) if module("torch") else None,
        "cores": os.cpu_count(),
        "date": date.today().isoformat(),
    }
    needed = {
        "cmake": program("cmake"), "ninja": program("ninja"), "nvcc": compiler, "c++": program("c++") or program("g++"),
        "pybind11": module("pybind11"), "numpy": module("numpy"), "pytest": module("pytest"),
        "hypothesis": module("hypothesis"),
    }  # fmt: skip
    for name, value in found.items():
        print(f"  {name:18} {value if value is not None else 'not found'}")
    missing = [name for name, value in needed.items() if not value]
    if options.emulated:
        found["card"] = "none: the emulator"
        missing = []
    save("preflight", found)
    if missing:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise SystemExit(
            f"missing here: {', '.join(missing)}. Install them; without a network fetch wheels elsewhere (pip download "
            f"--no-deps --only-binary=:all: --python-version {version} -d wheels NAME...) and run make gpu-check "
            "WHEELS=wheels. nvcc and the C++ compiler are not to be carried: they come with the system."
        )


# ---- steps ----


def build(options: argparse.Namespace) -> None:
    """CMake, Ninja, a copy of the Python files."""
    if options.emulated:
        return print("  the emulator is taken from the tensorlite that is installed")
    found = load("preflight")
    pybind = first_line([sys.executable, "-c", "import pybind11; print(pybind11.get_cmake_dir())"]) or first_line(
        ["env", f"PYTHONPATH={CARRIED}", sys.executable, "-c", "import pybind11; print(pybind11.get_cmake_dir())"]
    )
    architecture = (found.get("capability") or "9.0").replace(".", "") + "-real"
    cmake, ninja = program("cmake"), program("ninja")
    tree = WORK / "cmake"
    configure = [
        cmake, "-G", "Ninja", "-S", str(ROOT), "-B", str(tree), f"-DCMAKE_MAKE_PROGRAM={ninja}", "-DTENSORLITE_CUDA=ON",
        f"-DCMAKE_CUDA_ARCHITECTURES={architecture}", f"-DPython_EXECUTABLE={sys.executable}",
        f"-Dpybind11_DIR={pybind}",
    ]  # fmt: skip
    start = time.perf_counter()
    for command in (configure, [ninja, "-C", str(tree)], [cmake, "--install", str(tree), "--prefix", str(SITE)]):
        status = run(command, 590)[0]
        if status != 0:
            late = "the build took too long; STEP=build goes on where it was"
            raise SystemExit("the build failed" if status is not None else late)
    taken = time.perf_counter() - start
    ignored = shutil.ignore_patterns("*.so", "__pycache__")
    shutil.copytree(ROOT / "python" / "tensorlite", SITE / "tensorlite", dirs_exist_ok=True, ignore=ignored)
    sizes = {p.name: p.stat().st_size for p in (SITE / "tensorlite").glob("*.so")}
    save("build", {"seconds": round(taken), "architecture": architecture, "bytes": sizes})
    say = "import tensorlite as t; print(t.cuda.get_device_name(), t.ones(3, device='cuda').sum().item())"
    if run([sys.executable, "-c", say], 120)[0] != 0:
        raise SystemExit("tensorlite is built and finds no device: its message stands above")


def counts(text: str) -> dict[str, int]:
    last = [line for line in text.splitlines() if re.search(r"\d+ (passed|failed|skipped|error)", line)][-1:]
    return {kind: int(n) for n, kind in re.findall(r"(\d+) (passed|failed|skipped|error|deselected)", "".join(last))}


def test(options: argparse.Namespace) -> None:
    """The tests of CUDA, and every suite with its tensors on the device."""
    spread = ["-n", "4"] if module("xdist") and not options.emulated else []
    cuda = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "tests").glob("test_cuda*.py"))
    suites = {
        "tests of CUDA": (cuda, "not slow", {}),
        "the suites on the device": (["tests"], "not parity and not slow", {"TENSORLITE_TEST_DEVICE": "cuda"}),
    }
    if options.emulated:
        suites = {"a few tests of CUDA": (["tests/test_cuda.py", "-k", "streams or copies"], "not slow", {})}
    results = load("test")
    for name, (files, marks, more) in suites.items():
        command = [sys.executable, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", *spread, "-m", marks]
        status, text, taken = run([*command, *files], options.limit, TENSORLITE_TEST_PARITY="0", **more)
        failed = re.findall(r"^(?:FAILED|ERROR) (.*)", text, re.M)
        results[name] = {**counts(text), "seconds": round(taken), "status": status, "failures": failed[:60]}
        save("test", results)


def sanitizer(options: argparse.Namespace) -> None:
    """compute-sanitizer over the tests of CUDA marked `sanitize`; a device that refuses it is reported."""
    tool = None if options.emulated else program("compute-sanitizer")
    if not tool:
        return save("sanitizer", {"all": {"result": "not to be had here"}})
    results: dict[str, Any] = {}
    for kind in TOOLS:
        command = [tool, "--tool", kind, "--error-exitcode", "9", "--print-limit", "20", "--target-processes", "all"]
        files = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "tests").glob("test_cuda*.py"))
        tests = ["-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-m", "sanitize", *files]
        status, text, taken = run(
            [*command, sys.executable, *tests], options.limit / len(TOOLS), TENSORLITE_TEST_PARITY="0"
        )
        summary = re.findall(r"========= (ERROR SUMMARY.*|RACECHECK SUMMARY.*)", text)
        if "Device not supported" in text or "refused" in text:
            result = "refused by the device: " + (re.findall(r"========= (Error.*)", text) or ["no reason given"])[0]
        elif status is None:
            result = "did not end in time; until then " + (f"{text.count('========= Invalid')} errors")
        else:
            result = "; ".join(summary) or f"exit status {status}"
        results[kind] = {"result": result, "seconds": round(taken), **counts(text)}
        save("sanitizer", results)


def bench(options: argparse.Namespace) -> None:
    target = WORK / "bench.json"
    WORK.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "benchmarks.gpu", "--json", str(target)] + ["--tiny"] * options.emulated
    if run(command, options.limit)[0] != 0:
        raise SystemExit("the benchmarks failed")


# ---- the report ----


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    return ["| " + " | ".join(r) + " |" for r in (head, ["---"] + ["---:"] * (len(head) - 1), *rows)] + [""]


def milliseconds(s: float | None) -> str:
    return "-" if s is None else f"{s * 1e3:.3f} ms" if s >= 1e-4 else f"{s * 1e6:.1f} µs"


def ratio(a: float | None, b: float | None) -> str:
    return f"{a / b:.2f}" if a and b else "-"


def benchmark_lines(results: dict[str, Any]) -> list[str]:
    cases = results.get("cases", [])
    rates = [c["bytes"] / s for c in cases if c["group"] == "copy" for s in (c["tensorlite"], c["torch"]) if s]
    copy = max(rates, default=0)
    lines = ["## Memory-bound operators and models", ""]
    if copy:
        lines += [f"The copy bandwidth is the fastest copy of the run: {copy / 1e12:.2f} TB/s, read and written.", ""]
    rows = []
    for c in cases:
        ours = c["tensorlite"]
        share = f"{c['bytes'] / ours / copy:.2f}" if ours and c["bytes"] and copy else "-"
        speed = f"{c['flops'] / ours / 1e12:.1f} TFLOP/s" if ours and c["flops"] else "-"
        times = [milliseconds(ours), milliseconds(c["torch"]), ratio(ours, c["torch"])]
        rows.append([f"{c['group']}: {c['name']}", *times, share, speed])
    lines += table(["case", "tensorlite", "PyTorch", "time ratio", "share of the copy bandwidth", "rate"], rows)
    lines += ["## Matrix products", "", "n x n by n x n, TFLOP/s.", ""]
    products = results.get("matmul", [])
    kinds = [k for k in ("simple", "fast", "cublas", "fast tf32", "cublas tf32", "torch", "torch tf32")
             if any(p.get(k) for p in products)]  # fmt: skip
    rows = [
        [f"{p['dtype']}, {p['n']}"] + [f"{2 * p['n'] ** 3 / p[k] / 1e12:.2f}" if p.get(k) else "-" for k in kinds]
        for p in products
    ]
    lines += table(["dtype, n", *kinds], rows)
    lines += ["## The table that selects default kernels", ""]
    lines += [
        "What `cuda/runtime/selection.cpp` is to say: from which work (m n k) on the fast kernel is no slower than the "
        "plain tiles in every size measured; and how both compare with cuBLAS, for `backends.cuda.matmul.backend`.",
        "",
    ]
    rows = []
    for dtype, suffix, simple in (("float32", "", "simple"), ("float32", " tf32", "fast"), ("float16", "", "simple"),
                                  ("bfloat16", "", "simple")):  # fmt: skip
        timed = [p for p in products if p["dtype"] == dtype and p.get("fast" + suffix) and p.get(simple)]
        won = [p["fast" + suffix] <= p[simple] for p in timed]
        start = len(won) - next((i for i, w in enumerate(reversed(won)) if not w), len(won))
        from_work = f"{float(timed[start]['n']) ** 3:.2g}" if start < len(won) else "never"
        against = ", ".join(f"{p['n']}: {ratio(p['fast' + suffix], p.get('cublas' + suffix))}" for p in timed)
        rows.append([f"matmul.{'tf32' if suffix else dtype}", from_work if timed else "not measured", against or "-"])
    return lines + table(["row", "fast from", "time of the fast kernel : cuBLAS, by n"], rows)


def report(options: argparse.Namespace) -> None:
    target = Path(options.report) if options.report else None if options.emulated else ROOT / "docs" / "gpu-report.md"
    if target is None:
        return print("  a dry run writes no report unless --report says where")
    found, built, tested, checked = (load(s) for s in ("preflight", "build", "test", "sanitizer"))
    lines = ["# The GPU report", "", "Written by `make gpu-check`; not edited by hand.", ""]
    if options.emulated:
        lines += ["**A dry run on the emulator: the figures mean nothing.**", ""]
    names = {
        "card": "card", "capability": "compute capability", "driver": "driver", "memory": "memory", "nvcc": "nvcc",
        "python": "Python", "torch": "PyTorch and its CUDA", "cores": "cores of the host", "date": "date",
    }  # fmt: skip
    lines += table(["", ""], [[title, str(found.get(key) or "-")] for key, title in names.items()])
    if built:
        sizes = ", ".join(f"{name} {size / 1e6:.1f} MB" for name, size in built["bytes"].items())
        lines += [f"Built for {built['architecture']} in {built['seconds']} s: {sizes}.", ""]
    lines += ["## Tests on the device", ""]
    rows = [
        [name, *(str(r.get(k, 0)) for k in ("passed", "failed", "error", "skipped")), f"{r['seconds']} s"
         + (", stopped" if r["status"] is None else "")]
        for name, r in tested.items()
    ]  # fmt: skip
    lines += table(["", "passed", "failed", "errors", "skipped", "time"], rows)
    failures = [f for r in tested.values() for f in r["failures"]]
    lines += [f"- `{f[:160]}`" for f in failures] + [""] * bool(failures)
    lines += ["## compute-sanitizer", "", "Over the tests of CUDA marked `sanitize`.", ""]
    lines += table(["tool", "result"], [[kind, r["result"]] for kind, r in checked.items()])
    lines += benchmark_lines(load("bench"))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join(lines).rstrip() + "\n")
    print(f"  wrote {target}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("steps", nargs="*", help=f"of {', '.join(STEPS)}; all of them when none is named")
    parser.add_argument("--wheels", help="a folder of wheels to install from, for what is missing")
    parser.add_argument("--emulated", action="store_true", help="a dry run with tiny sizes on the emulator")
    parser.add_argument("--report", help="where the report goes; docs/gpu-report.md when left out")
    parser.add_argument("--limit", type=float, default=540, help="seconds that a step may take (540)")
    parser.add_argument("--work", type=Path, help="where builds and results lie (build/gpu-check)")
    options = parser.parse_args()
    if options.work:
        global WORK, SITE, CARRIED
        WORK = options.work.resolve()
        SITE, CARRIED = WORK / "site", WORK / "carried"
    unknown = [s for s in options.steps if s not in STEPS]
    if unknown:
        parser.error(f"there is no step {unknown[0]!r}")
    chosen = [s for s in STEPS if s in (options.steps or STEPS)]
    if "preflight" not in chosen and not load("preflight"):
        chosen.insert(0, "preflight")
    for step in chosen:
        print(f"\n==== {step}", flush=True)
        globals()[step](options)
    failed = any(r.get("failed") or r.get("error") or r["status"] for r in load("test").values())
    return int(failed and "test" in chosen)


if __name__ == "__main__":
    sys.exit(main())
