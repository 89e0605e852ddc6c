"""What lines typed at a prompt show on both libraries: values, layout, printed text, warnings and errors."""

from __future__ import annotations

import ast
import contextlib
import copy
import io
import pickle
import re
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from library import IS_TENSORLITE, tl


def sentence(text: str) -> str:
    """The first sentence: what is promised of messages."""
    text = text.replace("tensorlite", "torch").strip().split("\n")[0]
    return re.split(r"(?<=[a-z)\]'\"`])(?:[.:;] |[.:;]$)|(?<=[0-9])\. (?=[A-Z])", text)[0]


def shown(value: Any) -> str:
    if isinstance(value, type):
        return repr(value)
    if hasattr(value, "storage_offset") and hasattr(value, "requires_grad"):
        facts = [str(tuple(value.shape)), str(value.stride()), str(value.dtype).rpartition(".")[2]]
        facts += ["view"] * (value._base is not None) + ["grad"] * value.requires_grad + ["leaf"] * value.is_leaf
        return f"{value!r} {' '.join(facts)}"
    if isinstance(value, np.ndarray):
        return f"{value!r} {value.dtype} {value.strides} {value.flags.writeable}"
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        return "[" + "; ".join(shown(v) for v in value) + "]"
    if isinstance(value, (bool, int, float, complex, str, np.generic)):
        return f"{type(value).__name__} {value!r}"
    return re.sub(r"0x[0-9a-f]+", "0x..", repr(value))


@contextlib.contextmanager
def as_torch(lib: Any) -> Iterator[None]:
    """Names print as `torch.…` meanwhile."""
    if lib.__name__ != "tensorlite":
        lib.set_warn_always(True)  # not only once a process
        yield
        lib.set_warn_always(False)
        return
    lib._C._set_name_prefix("torch")
    try:
        yield
    finally:
        lib._C._set_name_prefix("tensorlite")


def run(lib: Any, program: str) -> list[str]:
    """One text for each statement: what it gave, printed, warned of or raised."""
    names = {"torch": lib, "np": np, "copy": copy, "pickle": pickle, "nan": float("nan"), "inf": float("inf")}
    lib.manual_seed(0)
    results = []
    with as_torch(lib):
        for statement in ast.parse(program).body:
            source = ast.get_source_segment(program, statement)
            text = io.StringIO()
            with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(text):
                warnings.simplefilter("always")
                try:
                    if isinstance(statement, ast.Expr):
                        value = eval(source, names)
                        line = "" if value is None else shown(value)
                    else:
                        exec(source, names)
                        line = ""
                except Exception as error:
                    line = f"{type(error).__name__}: {sentence(str(error))}"
            # NumPy warns of what PyTorch's `__array__` and `__array_wrap__` do not take; PyTorch warns of a typed
            # storage at each use, tensorlite when it is made.
            caught = [w for w in caught if not re.match("__array_|TypedStorage", str(w.message))]
            said = [f"{w.category.__name__}: {sentence(str(w.message))}" for w in caught]
            results.append(" | ".join([source, line, text.getvalue(), *dict.fromkeys(said)]))
    lib.set_default_dtype(lib.float32)
    return results


def programs(text: str) -> list[str]:
    """The programs of a table: blank lines part them."""
    return [p.strip("\n") for p in re.split(r"\n\s*\n", text) if p.strip()]


__all__ = ["IS_TENSORLITE", "programs", "run", "sentence", "shown", "tl"]
