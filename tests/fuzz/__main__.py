"""python -m tests.fuzz --programs 10000 --seed 1: what PyTorch and tensorlite make of random programs."""

from __future__ import annotations

import argparse
import multiprocessing
import multiprocessing.connection
import random
import re
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from .lockstep import Difference, Lockstep, script, shorten

fork = multiprocessing.get_context("fork")


def libraries() -> tuple[Any, Any]:
    import torch

    import tensorlite
    from tensorlite import _names

    torch.set_num_threads(1)
    _names.set_prefix("torch")
    return torch, tensorlite


def program(seed: str) -> list[str]:
    from .writer import write

    return write(random.Random(seed))


def compare(lines: list[str]) -> Difference | None:
    return Lockstep(*libraries()).run(lines)


def shortest(lines: list[str], found: Difference) -> tuple[list[str], Difference]:
    """The program without the lines that the difference can do without."""
    culprit = lines[found.line]

    def fails(fewer: list[str]) -> bool:
        d = compare(fewer)
        return d is not None and d.kind == found.kind and fewer[d.line] == culprit

    short = shorten(lines[: found.line + 1], fails)
    return short, compare(short) or found


@dataclass
class Report:
    """What one kind of difference looks like, and how often it came."""

    title: str
    lines: list[str]
    what: str
    seeds: list[str] = field(default_factory=list)


def operator_of(line: str) -> str:
    """The operator of a line, by which reports are gathered."""
    text = re.sub(r"torch\.(tensor|arange)\(", "", line).partition("= torch.no_grad")[2] or line
    called = re.findall(r"\.([a-z_0-9]+)\(", text.replace("torch.tensor(", "").replace("torch.arange(", "").replace(".reshape(", " (") if text.count("(") > 1 else text)
    if called:
        return called[0]
    if re.search(r"^\w+\[", line):
        return "x[...] = y"
    symbol = re.search(r" (\*\*|//|<<|>>|[-+*/%&|^<>]=?|==|!=|@) ", line)
    return symbol.group(1) if symbol else "x[...]" if "[" in line else line.split("=")[-1].strip()[:30]


# ---- children ----


def work(pipe: Any, seeds: list[str]) -> None:
    """Tells of each program before it is run, and of the difference after."""
    for seed in seeds:
        pipe.send(("writing", seed, []))
        lines = program(seed)
        pipe.send(("running", seed, lines))
        both = Lockstep(*libraries())
        found = both.run(lines)
        if both.texts:
            pipe.send(("texts", seed, both.texts))
        if found:
            pipe.send(("different", seed, (lines, found)))
            pipe.send(("shortened", seed, shortest(lines, found)))
    pipe.send(("done", "", None))


def fate(lines: list[str], timeout: float) -> str:
    """What becomes of a process that runs the program: "", a signal's name, or "hang"."""
    child = fork.Process(target=compare, args=(lines,))
    child.start()
    child.join(timeout)
    if child.is_alive():
        child.kill()
        child.join()
        return "hang"
    return "" if child.exitcode == 0 else signal_name(child.exitcode)


def signal_name(code: int | None) -> str:
    return signal.Signals(-code).name if code and code < 0 else f"exit status {code}"


class Child:
    def __init__(self, seeds: list[str]):
        self.seeds = seeds
        self.pipe, other = fork.Pipe()
        self.process = fork.Process(target=work, args=(other, seeds))
        self.process.start()
        other.close()
        self.last: tuple[str, str, Any] = ("writing", seeds[0], [])
        self.heard = time.monotonic()

    def end(self) -> int | None:
        if self.process.is_alive():
            self.process.join(1)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        return self.process.exitcode


class Run:
    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.reports: dict[str, Report] = {}
        self.programs = 0
        self.texts: Counter[tuple[str, str]] = Counter()

    def report(self, title: str, seed: str, lines: list[str], what: str) -> None:
        known = self.reports.setdefault(title, Report(title, lines, what))
        known.seeds.append(seed)
        if len(lines) < len(known.lines):
            known.lines, known.what = lines, what

    def died(self, child: Child, how: str) -> None:
        kind, seed, content = child.last
        if kind in ("different", "shortened"):  # the shortening died, not the program
            self.different(seed, *content)
            return
        lines = content
        if fate(lines, self.options.timeout):
            lines = shorten(lines, lambda fewer: fate(fewer, self.options.timeout) == how)
        self.report(f"{how} while {kind}", seed, lines, f"the process ends with {how}")

    def different(self, seed: str, lines: list[str], found: Difference) -> None:
        self.report(f"{found.kind}: {operator_of(lines[found.line])}", seed, lines, str(found))

    def go(self) -> None:
        o = self.options
        seeds = [f"{o.seed}/{i}" for i in (o.only if o.only else range(o.programs))]
        size = max(1, min(250, len(seeds) // o.jobs + 1))
        waiting = [seeds[i : i + size] for i in range(0, len(seeds), size)][::-1]
        children: list[Child] = []
        while waiting or children:
            while waiting and len(children) < o.jobs:
                children.append(Child(waiting.pop()))
            multiprocessing.connection.wait([c.pipe for c in children], 0.5)
            for child in list(children):
                rest = self.listen(child)
                if rest is not None:
                    children.remove(child)
                    if rest:
                        waiting.append(rest)

    def listen(self, child: Child) -> list[str] | None:
        """Reads what a child has to say. When it has ended: the seeds that are left over from it."""
        try:
            while child.pipe.poll():
                message = child.pipe.recv()
                child.heard = time.monotonic()
                if message[0] == "done":
                    child.end()
                    return []
                if message[0] == "running":
                    self.programs += 1
                if message[0] == "texts":
                    self.texts.update(message[2])
                    continue
                if message[0] == "shortened":
                    self.different(message[1], *message[2])
                child.last = message
            if time.monotonic() - child.heard < self.options.timeout:
                return None
            child.process.kill()
            child.end()
            how = "hang"
        except EOFError:
            how = signal_name(child.end())
        if child.last[0] != "shortened":
            self.died(child, how)
        return child.seeds[child.seeds.index(child.last[1]) + 1 :]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--programs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, nargs="*", help="numbers of single programs of this seed")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--timeout", type=float, default=30, help="seconds after which a program counts as hung")
    parser.add_argument("--texts", type=int, default=20, help="how many differing error texts to show")
    options = parser.parse_args()
    libraries()
    run, start = Run(options), time.monotonic()
    run.go()
    for r in sorted(run.reports.values(), key=lambda r: -len(r.seeds)):
        print(f"==== {r.title} ({len(r.seeds)} programs: {', '.join(r.seeds[:4])})\n{script(r.lines)}\n# {r.what}\n")
    if run.texts:
        print("==== the first sentences of errors, PyTorch's and tensorlite's (reported only)")
        for (theirs, ours), count in run.texts.most_common(options.texts):
            print(f"{count:5} {theirs}\n      {ours}")
    count = sum(len(r.seeds) for r in run.reports.values())
    print(f"{run.programs} programs in {time.monotonic() - start:.0f} s: {count} differ, in {len(run.reports)} ways")
    return 1 if run.reports else 0


if __name__ == "__main__":
    sys.exit(main())

