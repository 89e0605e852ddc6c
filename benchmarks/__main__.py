"""tensorlite against PyTorch and NumPy, case by case.

    python -m benchmarks                      every case, with one and with two threads, into docs/benchmarks.md
    python -m benchmarks --cases 'softmax|1024'     those whose group or name the expression finds

Each library runs in a process of its own; a round times the case once in each, in turn, so that what disturbs the
machine disturbs them alike; in the pause between them the threads of the last one fall asleep. A row shows the median
time and the median over the rounds of the ratio.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

from .cases import CASES, Case

ROOT = Path(__file__).resolve().parent.parent
REPORT = ROOT / "docs" / "benchmarks.md"


# Threads that have nothing to do spin for a while before they sleep, on the cores of whoever is measured next:
# OpenMP's for 8 ms, OpenBLAS's for 100. So long are the pauses after a library's turn.
SETTLE = {"tensorlite": 0.015, "torch": 0.015, "numpy": 0.125}


class Worker:
    """A library in its process."""

    def __init__(self, library: str, threads: int) -> None:
        self.name = library
        environment = dict(os.environ)
        if library == "numpy":  # its BLAS reads the number of threads at the start
            for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
                environment[name] = str(threads)
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks.worker", library]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.version = self.read()["version"]
        self.ask(do="threads", threads=threads)

    def read(self) -> dict[str, Any]:
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"the process of {self.name} has ended with {self.process.wait()}")
        return json.loads(line)

    def ask(self, **request: Any) -> dict[str, Any]:
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return self.read()

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


class Row:
    """What one case gave with one number of threads."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.seconds: dict[str, list[float]] = {}  # or bytes
        self.errors: dict[str, str] = {}

    def median(self, library: str) -> float | None:
        times = self.seconds.get(library)
        return statistics.median(times) if times else None

    @property
    def ratio(self) -> float | None:
        if not self.seconds.get("tensorlite") or not self.seconds.get("torch"):
            return None
        return statistics.median(a / b for a, b in zip(self.seconds["tensorlite"], self.seconds["torch"]))


def measure(index: int, workers: list[Worker], rounds: int) -> Row:
    row = Row(CASES[index])
    if row.case.bytes:
        for worker in workers:
            if worker.name == "numpy":
                continue
            answer = worker.ask(do="memory", case=index)
            if "error" in answer:
                row.errors[worker.name] = answer["error"]
            else:
                row.seconds[worker.name] = [answer["bytes"]]
        return row
    able = []
    for worker in workers:
        if worker.name == "numpy" and row.case.numpy is None:
            continue
        answer = worker.ask(do="prepare", case=index)
        time.sleep(SETTLE[worker.name])
        if "error" in answer:
            row.errors[worker.name] = answer["error"]
        else:
            able.append(worker)
    longest = 0.0
    for done in range(rounds):
        for worker in able:
            start = time.perf_counter()
            row.seconds.setdefault(worker.name, []).append(worker.ask(do="time")["seconds"])
            longest = max(longest, time.perf_counter() - start)
            time.sleep(SETTLE[worker.name])
        if longest > 3 or (longest > 0.3 and done >= 2):  # long cases are steady
            break
    return row


def ceilings(threads: int) -> dict[str, float]:
    """GFLOP/s of fused multiply-adds and GB/s of a copy and of a sum, by a program of 100 lines of C."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "ceilings"
        compiler = os.environ.get("CC", "cc")
        source = Path(__file__).with_name("ceilings.c")
        subprocess.run([compiler, "-O3", "-march=native", "-pthread", source, "-o", program], check=True)
        runs = [[float(v) for v in subprocess.check_output([program, str(threads)]).split()] for _ in range(3)]
    top = dict(zip(("flop", "copy", "read"), map(max, zip(*runs))))
    return {**top, "flop64": top["flop"] / 2}


# ---- the report ----


def amount(row: Row, library: str) -> str:
    value = row.median(library)
    return f"{value / 2**20:.1f} MiB" if row.case.bytes and value is not None else duration(value)


def duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}" if seconds < 1000 * scale else f"{seconds / scale:.0f} {unit}"
    return f"{seconds / 1e-9:.0f} ns"


def rate(row: Row, library: str, top: dict[str, float]) -> str:
    seconds = row.median(library)
    if row.case.work is None or seconds is None:
        return ""
    kind, amount = row.case.work
    value = amount / seconds * 1e-9
    unit = "GFLOP/s" if kind.startswith("flop") else "GB/s"
    return f"{value:.3g} {unit}, {100 * value / top[kind]:.0f} %"


def verdict(row: Row) -> str:
    if "tensorlite" in row.errors:
        return "🔴 not there"
    if row.ratio is None:
        return ""
    return f"{row.ratio:.2f}" if row.ratio <= row.case.wanted else f"🔴 {row.ratio:.2f}"


def table(rows: list[Row], single: dict[str, Row], top: dict[str, float]) -> list[str]:
    lines = [
        "| case | tensorlite | PyTorch | NumPy | ratio | wanted | one thread | tensorlite, of ceiling | PyTorch |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        alone = single.get(row.case.group + row.case.name)
        cells = [
            row.case.name.replace("|", "\\|"),
            *(amount(row, library) for library in ("tensorlite", "torch", "numpy")),
            verdict(row),
            f"{row.case.wanted:g}",
            verdict(alone) if alone else "",
            rate(row, "tensorlite", top),
            rate(row, "torch", top),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def geometric_mean(values: list[float]) -> float:
    return statistics.geometric_mean(values) if values else float("nan")


def report(found: dict[int, dict[str, Row]], tops: dict[int, dict[str, float]], versions: dict[str, str]) -> str:
    threads = max(found)
    rows = list(found[threads].values())
    single = found.get(1, {}) if threads != 1 else {}
    cpu = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    measured = [r for r in rows if r.ratio is not None]
    reached = [r for r in measured if r.ratio <= r.case.wanted]
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench`; `make bench CASES=regex` shows single rows. The cases are in",
        "[`benchmarks/cases.py`](../benchmarks/cases.py), written once and run on every library, one process each, in",
        "turn (A B A B); a ratio is tensorlite's time / PyTorch's time in the same round, the median over the rounds:",
        "smaller is better. 🔴: the ratio that is wanted is not reached, or the operator is not there. *One thread* is",
        f"the ratio with one thread; all other columns are with {threads} threads.",
        "",
        f"{date.today()}; {cpu.group(1).strip() if cpu else 'processor unknown'}, {os.cpu_count()} cores; "
        + ", ".join(f"{k} {v}" for k, v in versions.items())
        + ".",
        "",
        "| ceiling | float32 FMA | copy (non-temporal, read + written) | sum (read) |",
        "| --- | ---: | ---: | ---: |",
    ]
    for n, top in sorted(tops.items()):
        flop, copy, read = (f"{top[kind]:.0f}" for kind in ("flop", "copy", "read"))
        lines.append(f"| {n} thread{'s'[: n > 1]} | {flop} GFLOP/s | {copy} GB/s | {read} GB/s |")
    lines += ["", f"{len(reached)} of {len(measured)} measured rows reach what is wanted.", ""]
    for group in dict.fromkeys(r.case.group for r in rows):
        inside = [r for r in rows if r.case.group == group]
        mean = geometric_mean([r.ratio for r in inside if r.ratio is not None])
        lines += [
            f"## {group}",
            "",
            *table(inside, single, tops[threads]),
            "",
            f"Geometric mean of the ratios: {mean:.2f}",
            "",
        ]
        for row in inside:
            if "tensorlite" in row.errors:
                lines += [f"- {row.case.name}: `{row.errors['tensorlite'].splitlines()[0][:160]}`"]
        if lines[-1]:
            lines.append("")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--cases", default=".", help="regular expression over 'group: name'")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", default="1,2", help="comma-separated numbers of threads")
    parser.add_argument("--libraries", default="tensorlite,torch,numpy")
    parser.add_argument(
        "--write", action="store_true", help=f"write {REPORT.relative_to(ROOT)} even for a choice of cases"
    )
    args = parser.parse_args()

    chosen = [i for i, c in enumerate(CASES) if re.search(args.cases, f"{c.group}: {c.name}")]
    if not chosen:
        print(f"no case matches {args.cases!r}", file=sys.stderr)
        return 1
    libraries = args.libraries.split(",")
    for name in [n for n in libraries if importlib.util.find_spec(n) is None]:
        print(
            f"{name} is not installed here: no column for it" + (" (make torch installs it)" if name == "torch" else "")
        )
        libraries.remove(name)

    found: dict[int, dict[str, Row]] = {}
    tops: dict[int, dict[str, float]] = {}
    versions: dict[str, str] = {}
    for threads in map(int, args.threads.split(",")):
        tops[threads] = ceilings(threads)
        print(f"{threads} thread(s); ceilings: " + ", ".join(f"{k} {v:.0f}" for k, v in tops[threads].items()))
        with contextlib.ExitStack() as stack:
            workers = []
            for library in libraries:
                workers.append(Worker(library, threads))
                stack.callback(workers[-1].close)
                versions[library] = workers[-1].version
            found[threads] = {}
            for index in chosen:
                row = measure(index, workers, args.rounds)
                found[threads][row.case.group + row.case.name] = row
                times = "  ".join(f"{name} {amount(row, name):>8}" for name in libraries)
                title = f"{row.case.group}: {row.case.name}"
                print(
                    f"{title:78.78}  {times}  {verdict(row):>8}  {rate(row, 'tensorlite', tops[threads])}", flush=True
                )
        again = ceilings(threads)
        tops[threads] = {k: max(v, again[k]) for k, v in tops[threads].items()}
    if len(chosen) == len(CASES) or args.write:
        REPORT.write_text(report(found, tops, versions))
        print(f"written: {REPORT.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
