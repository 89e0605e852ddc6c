"""What a machine with a GPU can tell of this project, in one command that needs no network.

    make gpu-check                       every step, then docs/gpu-report.md
    make gpu-check STEP="build test"     some of the steps: preflight build test suites sanitizer bench report
    make gpu-check WHEELS=dir            with wheels carried along for what is not installed there
    python tools/gpu_check.py bench report --emulated --report /tmp/report.md      a dry run where there is no GPU

It builds with CMake alone into build/gpu-check (no pip, no environment of its own) and uses the Python that runs it, so
that the PyTorch which is installed beside it can be compared with. Each step leaves its results in
build/gpu-check/*.json and what it printed in *.log beside them, as far as it got, and takes at most --limit seconds;
the report is made of what is there, so that steps may be run one at a time. A step that fails does not keep the others
from running, nor the report from being written, except that without a build there is nothing to run.
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
import sysconfig
import time
from datetime import date
from pathlib import Path
from typing import Any

from check_spills import find_nvcc

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "build" / "gpu-check"
SITE = WORK / "site"  # where tensorlite is installed
CARRIED = WORK / "carried"  # and the wheels
STEPS = ("preflight", "build", "test", "suites", "sanitizer", "bench", "report")
PARTS = ("memory", "model", "matmul", "conv", "thin")  # of the benchmarks
TOOLS = ("memcheck", "racecheck", "initcheck", "synccheck")


def environment(**more: str) -> dict[str, str]:
    paths = [str(p) for p in (SITE, CARRIED, ROOT / "tests") if p.exists()]
    inherited = os.environ.get("PYTHONPATH", "")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([*paths, *filter(None, [inherited])]), **more}


def run(command: list[str], seconds: float, log: str = "", **more: str) -> tuple[int | None, str, float]:
    """Exit status (None: it took too long), output, seconds. What it prints is shown and kept, in a file too."""
    print("$", " ".join(command), flush=True)
    start = time.perf_counter()
    lines: list[str] = []
    WORK.mkdir(parents=True, exist_ok=True)
    # Interrupted and not ended, so that pytest tells what has failed until then.
    limited = ["timeout", "-s", "INT", "-k", "15", str(max(int(seconds), 1)), *command]
    with open(WORK / f"{log}.log" if log else os.devnull, "w") as file, subprocess.Popen(
        limited, cwd=ROOT, env=environment(**more), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace",
    ) as process:  # fmt: skip
        assert process.stdout
        for line in process.stdout:
            lines.append(line)
            print(line, end="", flush=True)
            file.write(line)
            file.flush()
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


def first_line(command: list[str], pattern: str = r".+") -> str | None:
    try:  # a first import of PyTorch reads gigabytes
        text = subprocess.run(command, capture_output=True, text=True, timeout=240, env=environment()).stdout
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
    compiler = find_nvcc()
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
        "Python.h": any((Path(sysconfig.get_path(p)) / "Python.h").exists() for p in ("include", "platinclude")),
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
            "WHEELS=wheels. nvcc, the C++ compiler and Python's headers cannot be carried: they come with the system."
        )


# ---- steps ----


def build(options: argparse.Namespace) -> None:
    """CMake, Ninja, a copy of the Python files."""
    if options.emulated:
        return print("  the emulator is taken from the tensorlite that is installed")
    found = load("preflight")
    pybind = first_line([sys.executable, "-c", "import pybind11; print(pybind11.get_cmake_dir())"])
    compiler = find_nvcc()
    architecture = (found.get("capability") or "9.0").replace(".", "") + "-real"
    cmake, ninja = program("cmake"), program("ninja")
    tree = WORK / "cmake"
    configure = [
        cmake, "-G", "Ninja", "-S", str(ROOT), "-B", str(tree), f"-DCMAKE_MAKE_PROGRAM={ninja}", "-DTENSORLITE_CUDA=ON",
        f"-DCMAKE_CUDA_ARCHITECTURES={architecture}", f"-DPython_EXECUTABLE={sys.executable}",
        f"-Dpybind11_DIR={pybind}",
    ]  # fmt: skip
    start = time.perf_counter()
    for name, command in (
        ("configure", configure),
        ("build", [ninja, "-C", str(tree)]),
        ("install", [cmake, "--install", str(tree), "--prefix", str(SITE)]),
    ):
        left = options.limit - (time.perf_counter() - start)
        status = run(command, left, name, **({"CUDACXX": compiler} if compiler else {}))[0]
        if status != 0:
            late = 'the build took too long; STEP="build ..." goes on where it was'
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
    last = [line for line in text.splitlines() if re.search(r"\d+ (passed|failed|skipped|error).* in [\d.]+s", line)]
    return {
        kind: int(n) for n, kind in re.findall(r"(\d+) (passed|failed|skipped|error|deselected)", "".join(last[-1:]))
    }


def run_tests(name: str, options: argparse.Namespace, files: list[str], marks: str, log: str, **more: str) -> None:
    """A worker whose device is lost to a faulty kernel, or that hangs, is replaced (tests/conftest.py)."""
    workers = max(1, min(8, (os.cpu_count() or 1) // 2))
    many = module("xdist") and not options.emulated
    spread = ["-n", str(workers), "--max-worker-restart", "100"] if many else []
    if many and module("pytest_timeout"):
        spread += ["--timeout", "150", "--timeout-method", "thread"]
    command = [sys.executable, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", *spread, "-m", marks]
    threads = {"OMP_NUM_THREADS": "2"} if many else {}
    status, text, taken = run([*command, *files], options.limit, log, TENSORLITE_TEST_PARITY="0", **threads, **more)
    failed = re.findall(r"^(?:FAILED|ERROR) (.*)", text, re.M)
    results = {**counts(text), "seconds": round(taken), "status": status, "failures": failed[:100]}
    save("test", {**load("test"), name: results})


def cuda_tests() -> list[str]:
    return sorted(str(p.relative_to(ROOT)) for p in (ROOT / "tests").glob("test_cuda*.py"))


def test(options: argparse.Namespace) -> None:
    """The tests of CUDA."""
    if options.emulated:
        files = ["tests/test_cuda.py", "-k", "streams or copies"]
        return run_tests("a few tests of CUDA", options, files, "not slow", "test")
    run_tests("tests of CUDA", options, cuda_tests(), "not slow", "test")


def suites(options: argparse.Namespace) -> None:
    """Every suite with its tensors on the device."""
    if options.emulated:
        return print("  make emulate runs them on the emulator")
    more = {"TENSORLITE_TEST_DEVICE": "cuda"}
    run_tests("the suites on the device", options, ["tests"], "not parity and not slow", "suites", **more)


def sanitizer_result(status: int | None, text: str) -> str:
    """What compute-sanitizer's output says, and its tests' where they were not all passed."""
    said = [line[10:] for line in text.splitlines() if line.startswith("========= ")]
    refused = [line for line in said if re.search(r"not supported|refused|Unable to|No attachable", line)]
    summary = [line for line in said if re.match(r"(ERROR|RACECHECK) SUMMARY", line)]
    n = counts(text)
    tests = ", ".join(f"{n[k]} {k}" for k in ("passed", "failed", "error") if n.get(k)) or "no test came to its end"
    if refused and not n.get("passed"):
        return "refused by the device: " + refused[0]
    if status is None:
        found = sum(line.startswith(("Invalid", "Uninitialized", "Error: Race", "Barrier error")) for line in said)
        return f"did not end in time; until then {found} errors"
    return f"{'; '.join(summary) or f'exit status {status}'}; tests: {tests}"


def sanitizer(options: argparse.Namespace) -> None:
    """compute-sanitizer over the tests of CUDA marked `sanitize`; a device that refuses it is reported. Without the
    cache of the allocator, so that every tensor has bounds of its own."""
    tool = program("compute-sanitizer") if options.tool or not options.emulated else None
    if not tool:
        return save("sanitizer", {"all": {"result": "not to be had here"}})
    results = {kind: r for kind, r in load("sanitizer").items() if kind != "all"}
    tools = options.tool or TOOLS
    start = time.perf_counter()
    for i, kind in enumerate(tools):
        # Errors of calls, which tests of running out of memory make on purpose, come to Python as exceptions.
        command = [tool, "--tool", kind, "--error-exitcode", "9", "--print-limit", "20", "--target-processes", "all"]
        command += ["--report-api-errors", "no"] * (kind == "memcheck")
        tests = ["-m", "pytest", "-q", "--tb=line", "-p", "no:cacheprovider", "-m", "sanitize", *cuda_tests()]
        left = (options.limit - (time.perf_counter() - start)) / (len(tools) - i)
        more = {"TENSORLITE_TEST_PARITY": "0", "TENSORLITE_CUDA_CACHE": "0"}
        status, text, taken = run([*command, sys.executable, *tests], left, f"sanitizer-{kind}", **more)
        results[kind] = {"result": sanitizer_result(status, text), "seconds": round(taken), **counts(text)}
        save("sanitizer", results)


def bench(options: argparse.Namespace) -> None:
    """Part by part in processes of their own: a kernel that fails takes its process with it."""
    results = load("bench")
    parts = options.part or PARTS
    start, failed = time.perf_counter(), []
    for i, part in enumerate(parts):
        target = WORK / f"bench-{part}.json"
        target.unlink(missing_ok=True)
        command = [sys.executable, "-m", "benchmarks.gpu", "--json", str(target), "--part", part]
        # A quick part leaves its time to those that follow.
        left = (options.limit - (time.perf_counter() - start)) * (1 if i + 1 == len(parts) else 0.5)
        if run(command + ["--tiny"] * options.emulated, left, f"bench-{part}")[0] != 0:
            failed.append(part)
        results[part] = load(f"bench-{part}")
        save("bench", results)
    if failed:
        raise SystemExit(f"these benchmarks did not come to their end: {', '.join(failed)}")


# ---- the report ----

ROWS = (  # of cuda/runtime/selection.cpp
    "matmul.float32", "matmul.tf32", "matmul.float16", "matmul.bfloat16", "matmul.vector", "matmul.parts",
    "conv.float32", "conv.tf32", "conv.float16", "conv.bfloat16",
)  # fmt: skip


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    return ["| " + " | ".join(r) + " |" for r in (head, ["---"] + ["---:"] * (len(head) - 1), *rows)] + [""]


def milliseconds(s: float | None) -> str:
    return "-" if s is None else f"{s * 1e3:.3f} ms" if s >= 1e-4 else f"{s * 1e6:.1f} µs"


def ratio(a: float | None, b: float | None) -> str:
    return f"{a / b:.2f}" if a and b else "-"


def copy_bandwidth(cases: list[dict[str, Any]]) -> float:
    """Bytes a second, read and written, of the fastest copy of the run."""
    rates = [c["bytes"] / s for c in cases if c["group"] == "copy" for s in (c["tensorlite"], c["torch"]) if s]
    return max(rates, default=0)


def summary_lines(cases: list[dict[str, Any]], products: list[dict[str, Any]]) -> list[str]:
    """What is aimed at, and where the measurements stand."""
    copy, rows = copy_bandwidth(cases), []

    def worst(found: list[tuple[float, str]], pick: Any, goal: str, what: str) -> None:
        if found:
            value, name = pick(found)
            rows.append([what, goal, f"{value:.2f}", name])

    for group in ("copy", "pointwise", "reduction", "softmax", "norm"):
        of = [c for c in cases if c["group"] == group and c["tensorlite"] and c["bytes"]]
        worst([(c["bytes"] / c["tensorlite"] / copy, c["name"]) for c in of], min, ">= 0.85",
              f"{group}: least share of the copy bandwidth")  # fmt: skip
        worst([(c["tensorlite"] / c["torch"], c["name"]) for c in of if c["torch"]], max, "<= 1",
              f"{group}: most time : PyTorch's")  # fmt: skip
    own = [(p["cublas"] / p["fast"], f"n = {p['n']}") for p in products
           if p["dtype"] == "float32" and p["n"] >= 1024 and p.get("fast") and p.get("cublas")]  # fmt: skip
    worst(own, min, ">= 0.9", "float32 products, fast kernel: least share of cuBLAS's speed, n >= 1024")
    for key, title in (("tensorlite", "kernels of the table"), ("fast", "fast kernels")):
        steps = [(c[key] / c["torch"], c["name"]) for c in cases if "MNIST" in c["name"] and c.get(key) and c["torch"]]
        worst(steps, max, "<= 0.7", f"step of the MNIST network, {title}: time : PyTorch's")
    return ["## In short", "", *table(["", "aim", "measured", "where"], rows)] if rows else []


def benchmark_lines(results: dict[str, Any]) -> list[str]:
    cases = [c for part in ("memory", "model") for c in results.get(part, {}).get("cases", [])]
    products = results.get("matmul", {}).get("matmul", [])
    if not cases and not products and not any(results.get(p) for p in PARTS):
        return ["## Benchmarks", "", "None were run.", ""]
    copy = copy_bandwidth(cases)
    lines = summary_lines(cases, products) + ["## Memory-bound operators and models", ""]
    if copy:
        lines += [f"The copy bandwidth is the fastest copy of the run: {copy / 1e12:.2f} TB/s, read and written.", ""]
    rows = []
    for c in cases:
        ours = c["tensorlite"]
        share = f"{c['bytes'] / ours / copy:.2f}" if ours and c["bytes"] and copy else "-"
        best = min(filter(None, (ours, c.get("fast"))), default=None)
        speed = f"{c['flops'] / best / 1e12:.1f} TFLOP/s" if best and c["flops"] else "-"
        times = [milliseconds(t) for t in (ours, c.get("fast"), c["torch"])]
        rows.append([f"{c['group']}: {c['name']}", *times, ratio(ours, c["torch"]), share, speed])
    head = ["case", "tensorlite", "its fast kernels", "PyTorch", "time ratio", "share of the copy bandwidth", "rate"]
    lines += table(head, rows)
    lines += ["## Matrix products", "", "n x n by n x n, TFLOP/s.", ""]
    kinds = [k for k in ("simple", "fast", "cublas", "torch", "fast tf32", "cublas tf32", "torch tf32")
             if any(p.get(k) for p in products)]  # fmt: skip
    rows = [
        [f"{p['dtype']}, {p['n']}"] + [f"{2 * p['n'] ** 3 / p[k] / 1e12:.2f}" if p.get(k) else "-" for k in kinds]
        for p in products
    ]
    lines += table(["dtype, n", *kinds], rows)
    choices = [c for part in ("conv", "thin") for c in results.get(part, {}).get("choices", [])]
    lines += ["## Convolutions and thin products", "", "The plain kernel, the fast one, PyTorch.", ""]
    rows = [
        [f"{c['row']}: {c['name']}", *(milliseconds(c.get(k)) for k in ("simple", "fast", "torch")),
         ratio(c.get("fast"), c.get("torch"))] for c in choices
    ]  # fmt: skip
    lines += table(["work", "simple", "fast", "PyTorch", "fast : PyTorch"], rows)
    lines += ["## The table that selects default kernels", ""]
    lines += [
        "What `cuda/runtime/selection.cpp` is to say: from which work (m n k; of `matmul.parts` k) on the fast kernel "
        "is no slower than the plain one in every size measured; and how it compares with cuBLAS (products of squares) "
        "or PyTorch, for `backends.cuda.matmul.backend`.",
        "",
    ]
    measured: dict[str, list[tuple[float, float, float, float | None]]] = {}
    for p in products:
        for suffix in ("", " tf32"):
            if p.get("fast" + suffix) and p.get("simple"):
                row = measured.setdefault(f"matmul.{'tf32' if suffix else p['dtype']}", [])
                row.append((float(p["n"]) ** 3, p["simple"], p["fast" + suffix], p.get("cublas" + suffix)))
    for c in choices:
        if c.get("simple") and c.get("fast"):
            measured.setdefault(c["row"], []).append((c["work"], c["simple"], c["fast"], c.get("torch")))
    rows = []
    for name in ROWS:
        timed = sorted(measured.get(name, []), key=lambda m: m[0])
        lost = [work for work, simple, fast, _ in timed if fast > simple]
        after = [work for work, *_ in timed if not lost or work > lost[-1]]
        from_work = ("0" if not lost else f"{after[0]:.3g}" if after else "never") if timed else "not measured"
        against = ", ".join(f"{work:.2g}: {ratio(fast, other)}" for work, _, fast, other in timed)
        rows.append([name, from_work, against or "-"])
    return lines + table(["row", "fast from", "time of the fast kernel : cuBLAS or PyTorch, by work"], rows)


def report(options: argparse.Namespace) -> None:
    target = Path(options.report) if options.report else None if options.emulated else ROOT / "docs" / "gpu-report.md"
    if target is None:
        return print("  a dry run writes no report unless --report says where")
    if not options.report and not load("preflight").get("card"):
        return print("  there is no GPU here to report of; --report writes what there is all the same")
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
    if troubles := load("troubles"):
        lines += [f"- {step}: {text}" for step, text in troubles.items()] + [""]
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
    parser.add_argument("--part", choices=PARTS, action="append", help="of the benchmarks; all when none is named")
    parser.add_argument("--tool", choices=TOOLS, action="append", help="of compute-sanitizer; all when none is named")
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
    troubles: dict[str, str] = {k: v for k, v in load("troubles").items() if k not in chosen}
    for step in chosen:
        print(f"\n==== {step}", flush=True)
        start = time.perf_counter()
        if step != "report" and {"preflight", "build"} & (troubles.keys() & set(chosen)):
            print("  left out")
            continue
        try:
            globals()[step](options)
        except SystemExit as e:
            troubles[step] = str(e)
        except Exception as e:  # the other steps are worth as much
            troubles[step] = f"{type(e).__name__}: {e}"
        if step in troubles:
            print(f"  {troubles[step]}", file=sys.stderr, flush=True)
        if troubles or load("troubles"):
            save("troubles", troubles)
        print(f"  {step}: {time.perf_counter() - start:.0f} s", flush=True)
    tested = {"test", "suites"} & set(chosen)
    failed = any(r.get("failed") or r.get("error") or r["status"] for r in load("test").values())
    return int(bool(troubles.keys() & set(chosen)) or bool(failed and tested))


if __name__ == "__main__":
    sys.exit(main())
