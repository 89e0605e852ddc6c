"""How a tensor is printed.

All elements of a tensor share one style (plain, whole or scientific) and one width, chosen from the
elements that are shown. A large tensor shows only the ends of each dim, and only these are read.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass
class _Options:
    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_PROFILES = {
    "default": _Options(),
    "short": _Options(precision=2, edgeitems=2),
    "full": _Options(threshold=math.inf),
}
_options = replace(_PROFILES["default"])


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Sets how tensors are printed.

    precision: digits after the point. threshold: a tensor with more elements is summarised.
    edgeitems: how many elements a summary shows at each end of a dim. linewidth: characters per line.
    profile: "default", "short" or "full" (never summarise); what else is given changes it.
    sci_mode: scientific notation always (True), never (False), or where it helps (None).
    """
    global _options
    base = _PROFILES.get(profile, _options) if profile is not None else _options
    given = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
    }
    _options = replace(base, **{k: v for k, v in given.items() if v is not None}, sci_mode=sci_mode)


def __getattr__(name: str) -> Any:
    if name == "PRINT_OPTS":
        return _options
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def get_printoptions() -> dict[str, Any]:
    return asdict(_options)


@contextlib.contextmanager
def printoptions(**kwargs: Any) -> Iterator[None]:
    """Sets print options for a block."""
    global _options
    saved = _options
    if "sci_mode" not in kwargs:
        kwargs["sci_mode"] = saved.sci_mode
    set_printoptions(**kwargs)
    try:
        yield
    finally:
        _options = saved


# A writer turns one element into text.
_Writer = Callable[[Any], str]


def _float_writer(values: list[float]) -> tuple[_Writer, int]:
    """How to write these numbers, and the width that their finite, non-zero ones need."""
    digits = _options.precision
    telling = [v for v in values if v and math.isfinite(v)]
    if not telling:
        whole, scientific = True, False
    else:
        whole = all(v.is_integer() for v in telling)
        if _options.sci_mode is not None:
            scientific = _options.sci_mode
        else:
            sizes = [abs(v) for v in telling]
            large, small = max(sizes), min(sizes)
            scientific = large / small > 1000 or large > 1e8 or (small < 1e-4 and not whole)

    if scientific:
        form = f".{digits}e"
    elif whole:

        def write_whole(v: float) -> str:
            return f"{v:.0f}." if math.isfinite(v) else f"{v:.0f}"

        return write_whole, max((len(write_whole(v)) for v in telling), default=1)
    else:
        form = f".{digits}f"

    def write(v: float) -> str:
        return format(v, form)

    return write, max(len(write(v)) for v in telling)


def _writer(values: list[Any], kind: str) -> tuple[_Writer, int]:
    """A writer that pads to a common width, and that width."""
    if kind == "complex":
        real, real_width = _writer([v.real for v in values], "float")
        imag, imag_width = _writer([v.imag for v in values], "float")

        def write_complex(v: complex) -> str:
            tail = imag(v.imag).lstrip()
            return real(v.real) + (tail if tail[0] in "+-" else "+" + tail) + "j"

        return write_complex, real_width + imag_width + 1
    if kind == "float":
        write, width = _float_writer(values)
    else:
        write, width = str, max(map(len, map(str, values)))
    return (lambda v: write(v).rjust(width)), width


def _join(a: list[Any], b: list[Any], depth: int) -> list[Any]:
    """Joins nested lists along the dim `depth`."""
    return a + b if depth == 0 else [_join(x, y, depth - 1) for x, y in zip(a, b, strict=True)]


def _edges(t: Any, sizes: tuple[int, ...], d: int = 0) -> list[Any]:
    """The ends of every long dim as nested lists; reads nothing else."""
    if d == len(sizes):
        return t.tolist()
    n, edge = sizes[d], _options.edgeitems
    if n <= 2 * edge:
        return _edges(t, sizes, d + 1)
    head = _edges(t.narrow(d, 0, edge), sizes, d + 1)
    return _join(head, _edges(t.narrow(d, n - edge, edge), sizes, d + 1), d)


def _flatten(nested: Any, depth: int) -> list[Any]:
    if depth == 0:
        return [nested]
    for _ in range(depth - 1):
        nested = [x for row in nested for x in row]
    return nested


def _lay_out(nested: Any, sizes: tuple[int, ...], indent: int, write: _Writer, width: int) -> str:
    """Brackets, commas and lines. `nested` is shorter than `sizes` where a dim was cut."""
    if not sizes:
        return write(nested)
    inner = sizes[1:]
    cut = len(nested) < sizes[0]
    if cut and not nested:
        return "[...]"
    parts = [_lay_out(x, inner, indent + 1, write, width) for x in nested]
    if cut:
        parts.insert(len(parts) // 2, "..." if inner else " ...")
    margin = " " * (indent + 1)
    if inner:
        return "[" + ("," + "\n" * len(inner) + margin).join(parts) + "]"
    per_line = max(1, (_options.linewidth - indent) // (width + 2))
    lines = [", ".join(parts[i : i + per_line]) for i in range(0, len(parts), per_line)]
    return "[" + (",\n" + margin).join(lines) + "]"


def _contents(t: Any, sizes: tuple[int, ...], kind: str, indent: int) -> str:
    t = t.detach()
    cut = t.numel() > _options.threshold and any(n > 2 * _options.edgeitems for n in sizes)
    if cut and _options.edgeitems == 0:
        return "[...]"
    nested = _edges(t, sizes) if cut else t.tolist()
    write, width = _writer(_flatten(nested, len(sizes)), kind)
    return _lay_out(nested, sizes, indent, write, width)


def _grad_fn_name(grad_fn: Any) -> str:
    return grad_fn.name().rpartition("::")[2]


def _default_float() -> str:
    from . import get_default_dtype

    return str(get_default_dtype()).rpartition(".")[2]


def tensor_repr(t: Any, *, contents: str | None = None) -> str:
    """The text of `repr(t)`. `contents` replaces the elements."""
    kind_name = type(t).__name__
    head = ("tensor" if kind_name in ("Tensor", "Parameter", "Buffer") else kind_name) + "("
    indent = len(head)
    sizes = tuple(t.shape)
    dtype = str(t.dtype).rpartition(".")[2]
    default = _default_float()
    suffixes = []
    if str(t.device) != "cpu":
        suffixes.append(f"device='{t.device}'")

    empty = t.numel() == 0
    if empty:
        # Nothing tells an empty tensor's dtype, so only the default one goes unsaid.
        unsaid = (default,)
    else:
        unsaid = (default, "complex128" if default == "float64" else "complex64", "int64", "bool")
    show_dtype = dtype not in unsaid
    if contents is None:
        if empty:
            contents = "[]"
        else:
            kind = dtype.rstrip("0123456789")
            kind = "float" if kind == "bfloat" else kind
            contents = _contents(t, sizes, kind, indent)
        if len(sizes) != 1 if empty else _options.edgeitems == 0:
            suffixes.append(f"size={sizes}")
    if show_dtype:
        suffixes.append(f"dtype={t.dtype}")
    if t.grad_fn is not None:
        suffixes.append(f"grad_fn=<{_grad_fn_name(t.grad_fn)}>")
    elif t.requires_grad:
        suffixes.append("requires_grad=True")

    text = head + contents
    column = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if column + len(suffix) + 2 > _options.linewidth:
            text += ",\n" + " " * indent + suffix
            column = indent + len(suffix)
        else:
            text += ", " + suffix
            column += len(suffix) + 2
    return text + ")"
