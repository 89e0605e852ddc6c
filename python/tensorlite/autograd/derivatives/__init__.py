"""How gradients flow back through each operator: one short function per operator, one file per family.

    @derivative("mul", saves={"other": "input", "input": "other"})
    def mul(n, grad):
        a, b = n.needs_input_grad
        return grad * n.other.conj() if a else None, grad * n.input.conj() if b else None

`saves` names what the node keeps: arguments, `result` (or `result0`, `result1`), or facts of an argument
(`input.shape`, `.dtype`, `.stride`, `.storage_offset`, read as `n.input_shape`). As a dict it says which inputs'
gradient needs the thing, which is kept only then. The function gets the node and a gradient for each output (None
where none came) and gives one gradient for each tensor argument, a list for a list of tensors. The engine sums a
gradient down to the shape of a broadcast input and casts it. Formulas use public operators: their own derivatives give
the higher ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ... import _C

Formula = Callable[..., Any]


def _camel_case(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_") if part)


def derivative(
    operator: str,
    saves: Mapping[str, Any] | Iterable[str] = (),
    name: str | None = None,
    number_name: str | None = None,
) -> Callable[[Formula], Formula]:
    """Registers the decorated function as the derivative of `operator` (and of its in-place form).

    `name` is the node's, as in `grad_fn=<MulBackward0>`; by default the operator's in camel case with `Backward0`.
    `number_name` is the node's where an operand is a number and PyTorch's name is another one then.
    """

    def register(formula: Formula) -> Formula:
        node = name or _camel_case(operator.partition(".")[0]) + "Backward0"
        kept = saves if isinstance(saves, Mapping) else tuple(saves)
        _C._register_derivative(operator, formula, kept, node, number_name or "")
        return formula

    return register


def load() -> None:
    """Imports every family, which registers it. The first operator that is recorded asks for it: a program that wants
    no gradient does without."""
    import importlib
    import os

    for file in sorted(os.listdir(os.path.dirname(__file__))):
        if file.endswith(".py") and file != "__init__.py":
            importlib.import_module(f"{__name__}.{file[:-3]}")
