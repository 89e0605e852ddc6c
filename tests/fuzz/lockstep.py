"""Runs a program on two libraries, one line after the other, and says where they part."""

from __future__ import annotations

import ctypes
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

# How far a result may be from PyTorch's, in units of the largest value that the program has seen so far.
TOLERANCES = {"float16": 4e-3, "bfloat16": 3e-2, "float32": 2e-5, "complex64": 4e-5, "float64": 1e-11, "complex128": 2e-11}
NUMPY = {"bfloat16": np.dtype(np.uint16), "bool": np.dtype(np.bool_)}
GIVEN = ("torch", "inf", "nan")
# The overload that wrote a number carries another name, or another digit.
SAME_NODES = {"Fill": "Copy", "CopyBackwards": "Copy", "Copy": "Copy", "UnsafeView": "View", "ReshapeAlias": "View"}


@dataclass(frozen=True)
class Difference:
    line: int  # which line of the program showed it
    kind: str  # value, dtype, shape, strides, memory, version, graph, gradient, error, missing, text
    what: str  # in which variable, and what each library says

    def __str__(self) -> str:
        return f"line {self.line + 1}: {self.kind}: {self.what}"


def dtype_name(t: Any) -> str:
    return str(t.dtype).rpartition(".")[2]


def raw(t: Any) -> np.ndarray:
    """The tensor's memory as an array, without asking the library to read it. bfloat16 comes as uint16."""
    name = dtype_name(t)
    dtype = NUMPY.get(name) or np.dtype(name)
    if t.numel() == 0 or is_zero(t):
        return np.zeros(tuple(t.shape), dtype)
    strides = tuple(s * dtype.itemsize for s in t.stride())
    extent = dtype.itemsize + sum((n - 1) * s for n, s in zip(t.shape, strides))
    buffer = (ctypes.c_char * extent).from_address(t.data_ptr())
    return np.ndarray(tuple(t.shape), dtype, buffer, 0, strides)


def is_zero(t: Any) -> bool:
    """Whether it is a tensor of zeros that PyTorch gave no memory."""
    return hasattr(t, "_is_zerotensor") and t._is_zerotensor()


def numbers(t: Any) -> np.ndarray:
    array = raw(t)
    if dtype_name(t) == "bfloat16":
        return (array.astype(np.uint32) << 16).view(np.float32)
    return array


def walk(name: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, (list, tuple)) and not hasattr(value, "numel"):
        return [item for i, v in enumerate(value) for item in walk(f"{name}[{i}]", v)]
    return [(name, value)]


def is_gradient(name: str) -> bool:
    return name[0] == "g" or name.endswith(".grad")


def is_tensor(value: Any) -> bool:
    return hasattr(value, "storage_offset")


def first_sentence(e: BaseException) -> str:
    text = str(e).split("\n")[0].replace("tensorlite", "torch")
    return text.split(". ")[0].rstrip(". ")


def node_name(t: Any) -> str:
    node = t.grad_fn
    if node is None:
        return "None"
    name = node.name().rpartition("::")[2].rstrip("0123456789").removesuffix("Backward")
    return SAME_NODES.get(name, name)


def state(t: Any) -> dict[str, Any]:
    """All that can be asked of a tensor but its values. The history comes first: asking for it renews a view's."""
    try:
        graph = (node_name(t), t.requires_grad, t.is_leaf)
    except RuntimeError as e:
        graph = first_sentence(e)[:60]
    return {
        "dtype": dtype_name(t),
        "shape": tuple(t.shape),
        "strides": strides(t),
        "memory": (t.storage_offset() if t.numel() else None, t.is_contiguous()),
        "graph": graph,
    }


def strides(t: Any) -> tuple[int, ...] | None:
    """Those that mean something: of dims with more than one element, in a tensor that has elements."""
    return tuple(s if n > 1 else 0 for n, s in zip(t.shape, t.stride())) if t.numel() else None


def storage(t: Any) -> int | None:
    """Where the tensor's memory begins; None for one without elements."""
    return t.data_ptr() - t.storage_offset() * t.element_size() if t.numel() and not is_zero(t) else None


class Lockstep:
    """Two namespaces, and the lines so far. `reference` is PyTorch."""

    def __init__(self, reference: Any, library: Any, tolerance: float = 1.0):
        self.spaces = [{"torch": reference, "inf": float("inf"), "nan": float("nan")} for _ in range(2)]
        self.spaces[1]["torch"] = library
        self.scale = 1.0
        self.first_versions: dict[str, list[int]] = {}  # each name's version in both libraries when first seen
        self.texts: list[tuple[str, str]] = []  # first sentences of errors that are not the same
        self.tolerance = tolerance
        self.parted = False

    def run(self, lines: list[str]) -> Difference | None:
        for number, line in enumerate(lines):
            kind_and_what = self.step(line)
            if self.parted:
                break
            if kind_and_what:
                return Difference(number, *kind_and_what)
        return None

    def step(self, line: str) -> tuple[str, str] | None:
        errors = [execute(line, space) for space in self.spaces]
        theirs, ours = errors
        if ours is None and isinstance(theirs, RuntimeError) and "has been modified by an inplace operation" in str(theirs):
            # A formula of tensorlite's may do without a tensor that PyTorch's has kept. From here on they differ.
            self.texts.append((f"RuntimeError: {first_sentence(theirs)}", "(computes the gradient without it)"))
            self.parted = True
            return None
        both_refuse = isinstance(theirs, RuntimeError) and isinstance(ours, RuntimeError)  # or NotImplementedError
        if type(theirs) is not type(ours) and not both_refuse:
            missing = theirs is None and isinstance(ours, AttributeError)
            return "missing" if missing else "error", f"PyTorch {describe(theirs)}, tensorlite {describe(ours)}"
        if theirs is not None and ours is not None:
            self.parted = "backward(" in line  # each has gone as far as it could
            a, b = first_sentence(theirs), first_sentence(ours)
            if not (a.startswith(b) or b.startswith(a)):
                self.texts.append((f"{type(theirs).__name__}: {a}", b))
        return self.compare()

    def variables(self, which: int) -> dict[str, Any]:
        own = self.spaces[which]
        pairs = [p for name, v in own.items() if name[0] != "_" and name not in GIVEN for p in walk(name, v)]
        for name, t in list(pairs):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                if is_tensor(t) and t.requires_grad and grad_of(t, "g2" in own) is not None:
                    pairs.append((name + ".grad", t.grad))
        return dict(pairs)

    def compare(self) -> tuple[str, str] | None:
        theirs, ours = self.variables(0), self.variables(1)
        if theirs.keys() != ours.keys():
            return "gradient", f"only one library has {sorted(theirs.keys() ^ ours.keys())}"
        tensors = [name for name in theirs if is_tensor(theirs[name])]
        for name in theirs:
            a, b = theirs[name], ours[name]
            if is_tensor(a) != is_tensor(b):
                return "value", f"{name}: PyTorch has {a!r}, tensorlite {b!r}"
            if not is_tensor(a):
                if not same_object(a, b):
                    return "text" if isinstance(a, str) else "value", f"{name}: PyTorch has {a!r}, tensorlite {b!r}"
                continue
            versions = self.first_versions.setdefault(name, [a._version, b._version])
            if not is_gradient(name) and a._version - versions[0] != b._version - versions[1]:
                return "version", f"{name}: PyTorch has {a._version}, tensorlite {b._version}, and had {versions}"
            own = state(b)
            expected = state(a)
            # How a gradient was made, and what it is a part of, is the engine's affair.
            if own["graph"][0] == "AsStrided" or expected["graph"][0] == "AsStrided":
                # A view whose base was written to is derived anew, by another operator but of the same elements.
                own["graph"] = ("AsStrided", *own["graph"][1:])
                expected["graph"] = ("AsStrided", *expected["graph"][1:])
            for kind, value in expected.items():
                if own[kind] != value and not (is_gradient(name) and kind in ("memory", "graph", "strides")):
                    return kind, f"{name}: PyTorch has {value}, tensorlite {own[kind]}"
        shared = [self.groups([v[name] for name in tensors]) for v in (theirs, ours)]
        for name, a, b in zip(tensors, *shared):
            if a != b and not is_gradient(name):
                return "memory", f"{name} shares memory with {tensors[a]} in PyTorch, with {tensors[b]} in tensorlite"
        self.scale = max([self.scale, *(largest(theirs[name]) for name in tensors)])
        for name in tensors:
            wrong = self.values(name, theirs[name], ours[name])
            if wrong:
                return "gradient" if is_gradient(name) else "value", wrong
        return None

    @staticmethod
    def groups(tensors: list[Any]) -> list[int]:
        """For each tensor the first one that shares its memory."""
        first: dict[int, int] = {}
        return [i if (s := storage(t)) is None else first.setdefault(s, i) for i, t in enumerate(tensors)]

    def values(self, name: str, theirs: Any, ours: Any) -> str | None:
        """Compares, and then gives tensorlite's tensor PyTorch's bits, so that roundings do not add up."""
        a, b = raw(theirs), raw(ours)
        if a.tobytes() == b.tobytes():
            return None
        x, y = numbers(theirs), numbers(ours)
        limit = TOLERANCES.get(dtype_name(theirs), 0) * self.tolerance
        with np.errstate(all="ignore"):
            if x.dtype.kind == "c":
                x, y = (np.stack([v.real, v.imag], -1) for v in (x, y))
            if x.dtype.kind == "f":
                near = np.abs(x.astype(np.float64) - y) <= limit * np.maximum(np.abs(x), self.scale)
                same = (x == y) | near | (np.isnan(x) & np.isnan(y))
                if dtype_name(theirs).startswith("complex"):
                    # What becomes of infinities in a complex product depends on how it is written out.
                    same |= ~np.isfinite(x).all(-1, keepdims=True)
            else:
                same = x == y
        if not same.all():
            at = tuple(int(i) for i in np.argwhere(~same)[0])
            return f"{name}{list(at)}: PyTorch has {x[at]}, tensorlite {y[at]}"
        b[...] = a  # element by element: a gradient may have other strides, and reach less far, than PyTorch's
        return None


def largest(t: Any) -> float:
    """The largest finite magnitude."""
    array = numbers(t)
    if array.dtype.kind not in "fc" or not array.size:
        return 0.0
    with np.errstate(all="ignore"):
        magnitudes = np.abs(array)
    finite = magnitudes[np.isfinite(magnitudes)]
    return float(finite.max()) if finite.size else 0.0


def grad_of(t: Any, only_of_leaves: bool = False) -> Any:
    """The gradient, but not of a view made under no_grad, which PyTorch takes for a leaf or not as it was asked before."""
    try:
        if only_of_leaves and not t.is_leaf:
            return None  # a second derivative reaches what is in between only where a formula is written with it
        return None if t._base is not None and t.is_leaf else t.grad
    except RuntimeError:  # a view whose history may not be asked for
        return None


def same_object(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (a != a and b != b) or abs(a - b) <= 2e-5 * abs(a)
    if isinstance(a, str):
        return a == b.replace("tensorlite", "torch")
    if isinstance(a, (int, bool, complex, type(None), tuple)):
        return type(a).__name__ == type(b).__name__ and a == b
    return str(a) == str(b).replace("tensorlite", "torch")


def execute(line: str, space: dict[str, Any]) -> Exception | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exec(line, space)
        except Exception as e:
            return e.with_traceback(None)
    return None


def describe(e: Exception | None) -> str:
    return "raises nothing" if e is None else f"raises {type(e).__name__}: {str(e).splitlines()[0] if str(e) else ''}"


def shorten(lines: list[str], fails: Any) -> list[str]:
    """Removes lines, last ones first, as long as `fails(lines)` holds."""
    size = max(1, len(lines) // 2)
    while size:
        i = len(lines)
        while i > 0:
            fewer = lines[: max(0, i - size)] + lines[i:]
            if len(fewer) < len(lines) and fails(fewer):
                lines = fewer
            i -= size
        size = 0 if size == 1 else size // 2
    return lines


def script(lines: list[str]) -> str:
    return "import torch  # or: import tensorlite as torch\n" + "\n".join(lines)


