"""Examples in the docstrings of the operators; tests/test_docs.py runs them."""

from __future__ import annotations

import functools
import os


@functools.cache
def _all() -> dict[str, str]:
    """The sections of examples.txt by operator: a line `# name name …`, then the example."""
    examples: dict[str, str] = {}
    with open(os.path.join(os.path.dirname(__file__), "examples.txt"), encoding="utf-8") as file:
        for section in file.read().split("\n\n"):
            head, _, body = section.strip("\n").partition("\n")
            for name in head.removeprefix("# ").split():
                examples[name] = body
    return examples


def of(operator: str) -> str:
    """The example of an operator (of an in-place one: that of the other form) as the end of its docstring."""
    examples = _all()
    text = examples.get(operator)
    return f"\n\n{text}\n" if text else ""
