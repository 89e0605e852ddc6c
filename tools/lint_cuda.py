"""Checks that kernels use CUDA only through cuda/runtime/: the emulator stands in for those wrappers and nothing else.

python tools/lint_cuda.py
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1] / "cuda"
FORBIDDEN = {
    r"<<<|>>>": "launch() of runtime/launch.h",
    r"\b__shared__\b|\bextern\s+__shared__\b": "TL_SHARED or dynamic_shared",
    r"\b__constant__\b": "TL_CONSTANT",
    r"\b__sync\w*\b": "sync_block or sync_warp",
    r"\b__(shfl|ballot|any|all|match|activemask|reduce)\w*\b": "shuffle, ballot, any_lane, all_lanes",
    r"\batomic(Add|Max|Min|Exch|CAS|Or|And|Xor|Sub|Inc|Dec)\b": "atomic_add and its kin",
    r"\basm\b": "a wrapper in runtime/",
    r"\b(threadIdx|blockIdx|blockDim|gridDim)\b": "thread_index, block_index, block_size, grid_size",
    r"\b__threadfence\w*\b": "fence",
    r"\b__(global|device)__\b": "TL_KERNEL or TL_DEVICE",
    r"\bcuda(Malloc|Free|Memcpy|Launch|Stream|Event)\w*\b": "runtime/driver.h",
}


def code_of(text: str) -> str:
    """Without comments and strings, lines kept."""

    def blank(m: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", m.group())

    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)


def problems(path: Path) -> list[str]:
    found = []
    for number, line in enumerate(code_of(path.read_text()).splitlines(), 1):
        for pattern, instead in FORBIDDEN.items():
            if re.search(pattern, line):
                found.append(f"{path.relative_to(ROOT.parent)}:{number}: {line.strip()!r}: use {instead}")
    return found


def main() -> int:
    files = [p for p in sorted(ROOT.rglob("*")) if p.suffix in (".cu", ".h", ".cuh") and p.parent == ROOT]
    found = [line for p in files for line in problems(p)]
    print("\n".join(found) if found else f"{len(files)} files use CUDA through its wrappers alone")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
