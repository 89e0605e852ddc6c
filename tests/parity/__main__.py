"""python -m parity [--ops REGEX] [--limit N] [--write FILE]: the operator database, each entry in a process of its own."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .report import coverage
from .run import run_all


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m parity", description=__doc__)
    parser.add_argument("--ops", default="", metavar="REGEX", help="only entries whose name matches")
    parser.add_argument("--limit", type=int, default=40, help="samples of an entry and dtype (40)")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time (2)")
    parser.add_argument("--timeout", type=float, default=120, help="seconds for an entry (120)")
    parser.add_argument("--shown", type=int, default=3, help="differences printed for a form of an operator (3)")
    parser.add_argument("--texts", action="store_true", help="print the error texts that differ, too")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the table of the coverage")
    options = parser.parse_args()
    results = run_all(options.ops, options.limit, options.jobs, options.timeout)
    for name, result in results.items():
        if "missing" in result:
            print(f"{name}: missing ({result['missing']})")
        elif "died" in result:
            print(f"{name}: DIED: {result['died']}")
        for form, differences in result.get("found", {}).items():
            print(f"{name} [{form}]: {len(differences)} of {result['count']} samples")
            for line in differences[: options.shown]:
                print(f"    {line}")
        if options.texts:
            for line in result.get("texts", []):
                print(f"{name} [text] {line}")
    passed = sum("count" in r and not r["found"] for r in results.values())
    missing = sum("missing" in r for r in results.values())
    print(f"{passed} of {len(results)} entries pass, {missing} are missing")
    if options.write:
        options.write.write_text(coverage(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
