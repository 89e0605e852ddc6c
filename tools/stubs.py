"""Writes the type stubs of what is compiled, from the table of operators: python tools/stubs.py [--check]

`_C.pyi` describes the compiled module with the class Tensor, `return_types.pyi` the named tuples, `__init__.pyi` the
names of the package. --check writes nothing and fails when a file is not what would be written.
"""

from __future__ import annotations

import argparse
import builtins
import importlib
import inspect
import keyword
import re
import sys
import types
from pathlib import Path
from typing import Any

import tensorlite as tl

PACKAGE = Path(__file__).resolve().parent.parent / "python" / "tensorlite"
HEAD = "# Written by tools/stubs.py from the table of operators; `make stubs` writes it anew.\n"
WIDTH = 120

TYPES = {
    "Tensor": "Tensor",
    "Operand": "Tensor | Number",
    "Scalar": "Number",
    "int": "_int",
    "float": "_float",
    "bool": "_bool",
    "str": "str",
    "dtype": "_dtype",
    "device": "_device",
    "format": "memory_format",
    "Generator": "Generator",
    "Tensor[]": "Sequence[Tensor]",
    "Tensor?[]": "Sequence[Tensor | None]",
    "int[]": "_int | Sequence[_int]",
}
RESULTS = {"Tensor": "Tensor", "Tensor[]": "tuple[Tensor, ...]", "bool": "_bool", "None": "None"}


def split(text: str) -> list[str]:
    """At commas that stand in no bracket."""
    parts, depth, part = [], 0, ""
    for c in text:
        depth += (c in "[(") - (c in "])")
        if c == "," and not depth:
            parts.append(part.strip())
            part = ""
        else:
            part += c
    return [p for p in [*parts, part.strip()] if p]


class Signature:
    """One row of the table: "add(Tensor input, Operand other, *, Scalar alpha=1) -> Tensor"."""

    def __init__(self, text: str) -> None:
        head, _, self.results = text.rpartition(" -> ")
        self.name, _, inside = head.partition("(")
        self.parts = split(inside[:-1])

    def parameter(self, text: str) -> str:
        kind, _, rest = text.partition(" ")
        name, equals, default = rest.partition("=")
        name += "_" if keyword.iskeyword(name) else ""
        optional = kind.endswith("?") or default == "None"
        kind = kind.rstrip("?")
        if kind == "!False":
            annotation = "Literal[False]"
        elif kind.startswith("!"):
            annotation = "Any"
        elif re.fullmatch(r"Tensor\[\d+\]", kind):
            annotation = "Sequence[Tensor]"
        elif re.fullmatch(r"int\[\d+\]", kind):
            annotation = "_int | Sequence[_int]"
        else:
            annotation = TYPES[kind]
        if optional and annotation != "Any":
            annotation += " | None"
        return f"{name}: {annotation}{' = ...' if equals else ''}"

    def forms(self, method: bool) -> list[str]:
        """Parameter lists: sizes may be one sequence, or ints one by one."""
        parts = self.parts[1:] if method else self.parts
        lists: list[list[str]] = [["self"] if method else []]
        for i, part in enumerate(parts):
            if part == "*":
                for p in lists:
                    if not any(x.startswith("*") for x in p):
                        p.append("*")
            elif part.startswith("Size "):
                name = part.split(" ")[1].partition("=")[0]
                alone = all(p == "*" or "=" in p or j < i for j, p in enumerate(parts) if j != i)
                variants = [f"{name}: Sequence[_int]"] + [f"*{name}: _int"] * alone
                lists = [[*p, v] for v in variants for p in lists]
            else:
                for p in lists:
                    p.append(self.parameter(part))
        cleaned = []
        for p in lists:
            while p and p[-1] == "*":
                p.pop()
            cleaned.append(", ".join(p))
        return cleaned

    def result(self) -> str:
        if self.results in RESULTS:
            return RESULTS[self.results]
        fields = split(self.results[1:-1])
        if all(" " in f for f in fields):
            return f"return_types.{self.name}"
        return f"tuple[{', '.join('Tensor' for _ in fields)}]"


def wrapped(prefix: str, parameters: str, suffix: str, indent: str) -> list[str]:
    line = f"{indent}{prefix}({parameters}){suffix}"
    if len(line) <= WIDTH:
        return [line]
    inner = [f"{indent}    {p}," for p in split(parameters)]
    return [f"{indent}{prefix}(", *inner, f"{indent}){suffix}"]


def define(name: str, operator: Any, method: bool) -> list[str]:
    indent = "    " if method else ""
    if name.isidentifier() and not keyword.iskeyword(name):
        signatures = [Signature(text) for text in operator.signatures]
        forms = [(p, s.result()) for s in signatures for p in s.forms(method)]
        # A form that an earlier one takes in would never be chosen.
        kept: dict[str, tuple[str, str]] = {}
        for parameters, result in forms:
            kept.setdefault(
                re.sub(r"_int \| Sequence\[_int\]|Sequence\[_int\]", "ints", parameters), (parameters, result)
            )
        forms = list(kept.values())
        lines = []
        for parameters, result in forms:
            if len(forms) > 1:
                lines.append(f"{indent}@overload")
            lines += wrapped(f"def {name}", parameters, f" -> {result}: ...", indent)
        return lines
    return []


def annotation_of(value: Any) -> str:
    for kind in (bool, int, float, str):
        if type(value) is kind:
            return f"_{kind.__name__}" if kind is not str else "str"
    if value is None:
        return "None"
    return type(value).__name__ if type(value).__module__.startswith("tensorlite") else "Any"


def parameters_of(function: Any) -> tuple[str, str]:
    """The parameters and the result of a function written in Python, as annotated there."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return "*args: Any, **kwargs: Any", "Any"
    parts, starred = [], False
    for p in signature.parameters.values():
        if p.kind is p.KEYWORD_ONLY and not starred:
            parts.append("*")
            starred = True
        text = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "") + p.name
        starred |= p.kind is p.VAR_POSITIONAL
        annotation = p.annotation if isinstance(p.annotation, str) else "Any"
        if p.name != "self" or annotation != "Tensor":
            text += f": {builtin_names(annotation)}"
        if p.default is not p.empty:
            text += " = ..."
        parts.append("self" if p.name == "self" else text)
    result = signature.return_annotation
    return ", ".join(parts), builtin_names(result if isinstance(result, str) else "Any")


def builtin_names(annotation: str) -> str:
    """`bool` is a dtype here; names that the stub does not import become Any."""
    text = re.sub(r"\b(?<!_)(int|float|bool)\b", r"_\1", annotation)
    known = {"Tensor", "Any", "None", "str", "Sequence", "Callable", "Iterator", "tuple", "list", "dict", "type"}
    known |= {"_int", "_float", "_bool", "complex", "object", "bytes", "set", "Literal", "Size", "dtype"}
    words = set(re.findall(r"[A-Za-z_][A-Za-z_0-9]*", re.sub(r"'[^']*'|\"[^\"]*\"", "", text)))
    return text if words <= known else "Any"


IMPORTS = """\
import builtins
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, TypeAlias, overload

"""
ALIASES = """\
_int: TypeAlias = builtins.int
_float: TypeAlias = builtins.float
_bool: TypeAlias = builtins.bool
"""
SPECIAL = {
    "__add__": "Tensor | Number", "__sub__": "Tensor | Number", "__mul__": "Tensor | Number",
    "__truediv__": "Tensor | Number", "__floordiv__": "Tensor | Number", "__mod__": "Tensor | Number",
    "__pow__": "Tensor | Number", "__matmul__": "Tensor", "__and__": "Tensor | Number", "__or__": "Tensor | Number",
    "__xor__": "Tensor | Number", "__lshift__": "Tensor | Number", "__rshift__": "Tensor | Number",
}  # fmt: skip
FIXED = {
    "__len__": ("self", "_int"), "__bool__": ("self", "_bool"), "__int__": ("self", "_int"),
    "__float__": ("self", "_float"), "__complex__": ("self", "builtins.complex"), "__index__": ("self", "_int"),
    "__hash__": ("self", "_int"), "__neg__": ("self", "Tensor"), "__pos__": ("self", "Tensor"),
    "__abs__": ("self", "Tensor"), "__invert__": ("self", "Tensor"), "__getitem__": ("self, index: Any", "Tensor"),
    "__setitem__": ("self, index: Any, value: Tensor | Number", "None"), "dim": ("self", "_int"),
    "ndimension": ("self", "_int"), "numel": ("self", "_int"), "nelement": ("self", "_int"),
    "storage_offset": ("self", "_int"), "element_size": ("self", "_int"), "data_ptr": ("self", "_int"),
    "is_floating_point": ("self", "_bool"), "is_complex": ("self", "_bool"), "item": ("self", "Any"),
    "detach": ("self", "Tensor"), "detach_": ("self", "Tensor"),
    "requires_grad_": ("self, requires_grad: _bool = ...", "Tensor"), "retain_grad": ("self", "None"),
    "as_subclass": ("self, cls: builtins.type", "Any"), "is_inference": ("self", "_bool"),
    "type": ("self, dtype: Any = ..., non_blocking: _bool = ..., **kwargs: Any", "Any"),
    "new": ("self, *args: Any, device: Any = ...", "Tensor"), "_is_view": ("self", "_bool"),
}  # fmt: skip
PROPERTIES = {
    "shape": "Size", "dtype": "dtype", "device": "device", "ndim": "_int", "requires_grad": "_bool",
    "grad": "Tensor | None", "grad_fn": "Any", "is_leaf": "_bool", "data": "Tensor", "output_nr": "_int",
    "retains_grad": "_bool", "_version": "_int", "_base": "Tensor | None", "is_cuda": "_bool", "is_cpu": "_bool",
    "itemsize": "_int", "nbytes": "_int", "real": "Tensor", "imag": "Tensor", "T": "Tensor", "H": "Tensor",
    "mT": "Tensor", "mH": "Tensor", "layout": "layout", "names": "None", "name": "None",
}  # fmt: skip


def tensor_class() -> list[str]:
    Operator = tl._C.Operator
    lines = ["class Tensor:", "    def __init__(self, *args: Any, device: Any = ...) -> None: ..."]
    for name, kind in PROPERTIES.items():
        # Decorators would take the names `property` and `bool` of this class.
        lines.append(f"    {name}: {kind.replace('dtype', '_dtype_') if name == 'dtype' else kind}")
    done = set(PROPERTIES)
    for name in sorted(dir(tl.Tensor)):
        value = inspect.getattr_static(tl.Tensor, name)
        if name in done:
            continue
        if name in SPECIAL:
            for spelled in (name, f"__r{name[2:]}", f"__i{name[2:]}"):
                if hasattr(tl.Tensor, spelled):
                    lines.append(f"    def {spelled}(self, other: {SPECIAL[name]}) -> Tensor: ...")
        elif name in ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"):
            ignore = "  # type: ignore[override]" if name in ("__eq__", "__ne__") else ""
            lines.append(f"    def {name}(self, other: Any) -> Tensor: ...{ignore}")
        elif name in FIXED:
            parameters, result = FIXED[name]
            lines.append(f"    def {name}({parameters}) -> {result}: ...")
        elif name == "size" or name == "stride":
            whole = "Size" if name == "size" else "tuple[_int, ...]"
            lines += ["    @overload", f"    def {name}(self, dim: None = ...) -> {whole}: ..."]
            lines += ["    @overload", f"    def {name}(self, dim: _int) -> _int: ..."]
        elif name.startswith("_") and name not in ("__iter__", "__contains__", "__array__", "__dlpack__"):
            continue
        elif type(value) is Operator:
            lines += define(name, value, True)
        elif isinstance(value, types.FunctionType):
            parameters, result = parameters_of(value)
            lines += wrapped(f"def {name}", parameters, f" -> {result}: ...", "    ")
        elif isinstance(value, property):
            constant = value.fget(tl.zeros(1)) if not name.startswith("_") else None
            lines.append(f"    {name}: {annotation_of(constant)}")
    return lines


def shadowed(lines: list[str]) -> list[str]:
    """Inside the class `dtype`, `device` and `layout` are attributes: the classes have other names there."""
    return [re.sub(r"(?<=: )_dtype_$", "_Dtype", re.sub(r"(?<=: )(device|layout|Size)$", r"_\1_", x)) for x in lines]


def compiled_stub() -> str:
    C = tl._C
    lines = [HEAD, IMPORTS, "from . import return_types\n\n", ALIASES]
    body = [
        "Number: TypeAlias = builtins.int | builtins.float | builtins.bool | builtins.complex",
        "",
        "class dtype:",
        "    itemsize: _int",
        "    is_floating_point: _bool",
        "    is_complex: _bool",
        "    is_signed: _bool",
        "    def to_real(self) -> dtype: ...",
        "    def to_complex(self) -> dtype: ...",
        "",
        "class device:",
        "    type: str",
        "    index: _int | None",
        "    def __init__(self, type: str | device | _int, index: _int | None = ...) -> None: ...",
        "    def __enter__(self) -> device: ...",
        "    def __exit__(self, *error: Any) -> None: ...",
        "",
        "class Size(tuple[_int, ...]):",
        "    def numel(self) -> _int: ...",
        "",
        "class layout: ...",
        "class memory_format: ...",
        "",
        "class Generator:",
        "    device: device",
        "    def __init__(self, device: Any = ...) -> None: ...",
        "    def manual_seed(self, seed: _int) -> Generator: ...",
        "    def seed(self) -> _int: ...",
        "    def initial_seed(self) -> _int: ...",
        "    def get_state(self) -> Tensor: ...",
        "    def set_state(self, state: Tensor) -> Generator: ...",
        "    def clone_state(self) -> Generator: ...",
        "",
        "class Node:",
        "    next_functions: tuple[tuple[Node | None, _int], ...]",
        "    variable: Tensor",
        "    metadata: dict[Any, Any]",
        "    def name(self) -> str: ...",
        "    def register_hook(self, hook: Callable[..., Any]) -> Any: ...",
        "    def register_prehook(self, hook: Callable[..., Any]) -> Any: ...",
        "    def __call__(self, *grads: Tensor | None) -> Any: ...",
        "    def __getattr__(self, name: str) -> Any: ...",
        "",
        "class OutOfMemoryError(RuntimeError): ...",
        "",
        "_Dtype: TypeAlias = dtype",
        "_dtype: TypeAlias = dtype | builtins.type[builtins.int | builtins.float | builtins.bool | builtins.complex]",
        "_device: TypeAlias = device | str | _int",
        "_device_: TypeAlias = device",
        "_layout_: TypeAlias = layout",
        "_Size_: TypeAlias = Size",
        "",
        *shadowed(tensor_class()),
        "",
    ]
    for name in sorted(vars(C)):
        value = vars(C)[name]
        if type(value) is C.dtype:
            body.append(f"{name}: _Dtype")
    body.append("default_generator: Generator")
    for name in sorted(vars(C)):
        value = vars(C)[name]
        if type(value) is C.Operator:
            body += define(name, value, False)
        elif isinstance(value, types.BuiltinFunctionType) and not name.startswith("_"):
            body.append(f"def {name}(*args: Any, **kwargs: Any) -> Any: ...")
    body.append("def __getattr__(name: str) -> Any: ...")
    return "".join(lines) + "\n".join(body) + "\n"


def return_types_stub() -> str:
    lines = [HEAD + "from typing import NamedTuple\n\nfrom ._C import Tensor\n"]
    for name, operator in sorted(tl._C._operators().items()):
        for text in operator.signatures:
            signature = Signature(text)
            if signature.result() == f"return_types.{name}":
                fields = [f.split(" ")[1] for f in split(signature.results[1:-1])]
                lines.append(f"class {name}(NamedTuple):\n" + "".join(f"    {f}: Tensor\n" for f in fields))
                break
    from tensorlite import _numpy_operator
    from tensorlite.linalg import top_level  # noqa: F401

    for name, kind in sorted(_numpy_operator.result_types.items()):
        lines.append(f"class {name}(NamedTuple):\n" + "".join(f"    {f}: Tensor\n" for f in kind.__match_args__))
    return "\n".join(lines)


def package_stub() -> str:
    imports: dict[str, set[str]] = {}
    rest: list[str] = []
    modules: set[str] = set()
    for name in dir(tl):
        if name.startswith("_") and name != "__version__":
            continue
        value = getattr(tl, name)
        if isinstance(value, types.ModuleType):
            if value.__name__.startswith("tensorlite."):
                modules.add(value.__name__.removeprefix("tensorlite."))
            continue
        if hasattr(tl._C, name) and getattr(tl._C, name) is value:
            imports.setdefault("_C", set()).add(name)
            continue
        where = tl._LAZY_NAMES.get(name)
        if where is None and isinstance(value, (types.FunctionType, type)):
            module = getattr(value, "__module__", "")
            if module.startswith("tensorlite.") and hasattr(importlib.import_module(module), name):
                where = module.removeprefix("tensorlite.")
        if name in ("layout", "memory_format"):
            where = "_C"
        if where is not None:
            imports.setdefault(where, set()).add(name)
        elif isinstance(value, types.FunctionType):
            parameters, result = parameters_of(value)
            rest += wrapped(f"def {name}", parameters, f" -> {result}: ...", "")
        else:
            kind = type(value).__name__
            known = kind in ("layout", "memory_format", "tensortype")
            rest.append(
                f"{name}: {'Any' if kind == 'tensortype' or not known else kind}"
                if known or value is None or not isinstance(value, (builtins.int, builtins.float, str))
                else f"{name}: {annotation_of(value)}"
            )
    lines = [
        HEAD,
        "import builtins\nfrom collections.abc import Callable, Sequence\nfrom typing import Any, TypeAlias\n\n",
    ]
    lines += [
        f"from . import {m.partition('.')[0]} as {m.partition('.')[0]}\n" for m in sorted(modules) if "." not in m
    ]
    for module in sorted(imports):
        lines += [f"from .{module} import {name} as {name}\n" for name in sorted(imports[module])]
    return "".join(lines) + "\n" + ALIASES + "\n".join(rest) + "\n"


def stubs() -> dict[str, str]:
    for module, names in tl._tensor._LAZY_METHODS.items():
        for name in names:
            tl._tensor._load_method(module, name)
    return {"_C.pyi": compiled_stub(), "return_types.pyi": return_types_stub(), "__init__.pyi": package_stub()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file is out of date")
    check = parser.parse_args().check
    stale = []
    for name, text in stubs().items():
        path = PACKAGE / name
        if path.exists() and path.read_text() == text:
            continue
        stale.append(name)
        if not check:
            path.write_text(text)
    if check and stale:
        print(f"out of date: {', '.join(stale)}. `make stubs` writes them anew.", file=sys.stderr)
        return 1
    print(f"wrote {', '.join(stale)}" if stale else "the stubs are up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
