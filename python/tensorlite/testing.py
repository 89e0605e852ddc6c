"""For tests: `assert_close` compares, `make_tensor` makes random inputs."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import tensorlite as tl

__all__ = ["assert_close", "make_tensor"]

# dtype: (rtol, atol); other dtypes must be equal
_TOLERANCES = {
    "float16": (1e-3, 1e-5),
    "bfloat16": (1.6e-2, 1e-5),
    "float32": (1.3e-6, 1e-5),
    "complex64": (1.3e-6, 1e-5),
    "float64": (1e-7, 1e-7),
    "complex128": (1e-7, 1e-7),
    "float": (1e-7, 1e-7),
    "complex": (1e-7, 1e-7),
}


def _tolerances(*names: str) -> tuple[float, float]:
    """(rtol, atol): the loosest of these dtypes or Python types."""
    pairs = [_TOLERANCES.get(name, (0.0, 0.0)) for name in names]
    return max(r for r, _ in pairs), max(a for _, a in pairs)


@dataclass
class _Rules:
    rtol: float | None
    atol: float | None
    equal_nan: bool
    allow_subclasses: bool
    checks: dict[str, bool]

    def tolerances(self, *names: str) -> tuple[float, float]:
        if self.rtol is not None and self.atol is not None:
            return self.rtol, self.atol
        return _tolerances(*names)


def _name(dtype: Any) -> str:
    return str(dtype).rpartition(".")[2]


def _values(t: Any) -> np.ndarray:
    t = t.detach().cpu()
    return (t.float() if _name(t.dtype) == "bfloat16" else t).numpy()


def _differences(a: np.ndarray, e: np.ndarray, rtol: float, atol: float, equal_nan: bool) -> tuple:
    """(mask of mismatches, absolute differences, relative differences)."""
    if a.dtype.kind in "bui" and e.dtype.kind in "bui":
        a, e = a.astype(np.int64), e.astype(np.int64)
    with np.errstate(all="ignore"):
        absolute = np.abs(a - e)
        size = np.abs(e)
        close = (a == e) | (np.isfinite(absolute) & (absolute <= atol + rtol * size))
        if equal_nan:
            close |= np.isnan(a) & np.isnan(e)
        if absolute.dtype == np.int64:
            return ~close, absolute, absolute.astype(np.float32) / size.astype(np.float32)
        return ~close, absolute, absolute / size


def _described(which: str, value: Any, where: str, tolerance: float, exact: bool) -> str:
    allowed = "" if exact else f" (up to {tolerance} allowed)"
    return f"{which} difference: {value}{where}{allowed}"


def _scalars_differ(a: Any, e: Any, rtol: float, atol: float) -> str:
    exact = rtol == 0 and atol == 0
    difference = abs(a - e)
    ratio = difference / abs(e) if e else math.inf
    lines = [
        f"Scalars are not {'equal' if exact else 'close'}!",
        "",
        f"Expected {e} but got {a}.",
        _described("Absolute", difference, "", atol, exact),
        _described("Relative", ratio, "", rtol, exact),
    ]
    return "\n".join(lines)


def _compare_values(
    a: np.ndarray, e: np.ndarray, rtol: float, atol: float, equal_nan: bool, what: str | None
) -> str | None:
    """What is wrong, or None."""
    wrong, absolute, relative = _differences(a, e, rtol, atol, equal_nan)
    if not wrong.any():
        return None
    if a.ndim == 0:
        return _scalars_differ(a.item(), e.item(), rtol, atol)
    exact = rtol == 0 and atol == 0
    lines = [
        f"{what} are not {'equal' if exact else 'close'}!",
        "",
        f"Mismatched elements: {wrong.sum()} / {wrong.size} ({wrong.sum() / wrong.size:.1%})",
    ]
    for which, d, tolerance in (("absolute", absolute, atol), ("relative", relative, rtol)):
        masked = np.where(wrong, d, 0)
        index = tuple(int(i) for i in np.unravel_index(np.argmax(masked), masked.shape))
        where = f" at index {index}"
        lines.append(_described(f"Greatest {which}", masked[index].item(), where, tolerance, exact))
    return "\n".join(lines)


def _compare_numbers(a: Any, e: Any, rules: _Rules) -> str | None:
    if rules.checks["dtype"] and type(a) is not type(e):
        return f"The (d)types do not match: {type(a)} != {type(e)}."
    rtol, atol = rules.tolerances(type(a).__name__, type(e).__name__)
    if isinstance(a, int) and isinstance(e, int):
        # Python's integers may be too large for NumPy's.
        if abs(a - e) <= atol + rtol * abs(e):
            return None
        return _scalars_differ(a, e, rtol, atol)
    kind = np.complex128 if isinstance(a, complex) or isinstance(e, complex) else np.float64
    return _compare_values(np.asarray(a, kind), np.asarray(e, kind), rtol, atol, rules.equal_nan, None)


def _compare_tensors(a: Any, e: Any, rules: _Rules) -> str | None:
    attributes = {
        "shape": (a.shape, e.shape),
        "device": (a.device, e.device),
        "dtype": (a.dtype, e.dtype),
        "stride": (a.stride(), e.stride()),
    }
    for name, (x, y) in attributes.items():
        if x != y and rules.checks.get(name, True):
            shown = "stride()" if name == "stride" else name
            return f"The values for attribute '{shown}' do not match: {x} != {y}."
    rtol, atol = rules.tolerances(_name(a.dtype), _name(e.dtype))
    if a.dtype != e.dtype:
        common = tl.promote_types(a.dtype, e.dtype)
        a, e = a.to(common), e.to(common)
    return _compare_values(_values(a), _values(e), rtol, atol, rules.equal_nan, "Tensor-likes")


def _related(a: Any, e: Any, rules: _Rules) -> bool:
    if not rules.allow_subclasses:
        return type(a) is type(e)
    return isinstance(a, type(e)) or isinstance(e, type(a))


def _compare(a: Any, e: Any, rules: _Rules, path: str) -> str | None:
    problem = None
    if isinstance(a, np.generic):
        a = a.item()
    if isinstance(e, np.generic):
        e = e.item()
    numbers = (int, float, complex)
    if a is None or e is None:
        if a is not e:
            problem = f"None mismatch: {a} is not {e}"
    elif isinstance(a, bool) and isinstance(e, bool):
        if a is not e:
            problem = f"Booleans mismatch: {a} is not {e}"
    elif isinstance(a, numbers) and isinstance(e, numbers) and bool not in (type(a), type(e)):
        problem = _compare_numbers(a, e, rules)
    elif isinstance(a, tl.Tensor) and isinstance(e, tl.Tensor) and _related(a, e, rules):
        problem = _compare_tensors(a, e, rules)
    elif isinstance(a, np.ndarray) and isinstance(e, np.ndarray):
        problem = _compare_tensors(tl.as_tensor(a), tl.as_tensor(e), rules)
    elif isinstance(a, Mapping) and isinstance(e, Mapping):
        return _compare_mappings(a, e, rules, path)
    elif all(isinstance(x, Sequence) and not isinstance(x, (str, bytes)) for x in (a, e)):
        if len(a) != len(e):
            problem = f"The length of the sequences mismatch: {len(a)} != {len(e)}"
        else:
            for i, (x, y) in enumerate(zip(a, e, strict=True)):
                found = _compare(x, y, rules, f"{path}[{i!r}]")
                if found is not None:
                    return found
    else:
        raise TypeError(f"No comparison pair was able to handle inputs of type {type(a)} and {type(e)}." + _at(path))
    return None if problem is None else problem + _at(path)


def _at(path: str) -> str:
    return f"\n\nThe failure occurred for item {path}" if path else ""


def _compare_mappings(a: Mapping, e: Mapping, rules: _Rules, path: str) -> str | None:
    missing = [k for k in e if k not in a]
    additional = [k for k in a if k not in e]
    if missing or additional:
        return (
            "The keys of the mappings do not match:\n"
            f"Missing keys in the actual mapping: {sorted(missing, key=str)}\n"
            f"Additional keys in the actual mapping: {sorted(additional, key=str)}" + _at(path)
        )
    for k in a:
        found = _compare(a[k], e[k], rules, f"{path}[{k!r}]")
        if found is not None:
            return found
    return None


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Raises AssertionError unless |actual - expected| <= atol + rtol * |expected| everywhere.

    Compares tensors, NumPy arrays, numbers, and sequences and mappings of them. rtol and atol are
    given both or neither; by default they follow the dtype (float32: 1.3e-6 and 1e-5, float64: 1e-7
    both, float16: 1e-3 and 1e-5, bfloat16: 1.6e-2 and 1e-5; integers must be equal).
    msg replaces the message, or maps it to another.
    """
    __tracebackhide__ = True
    if (rtol is None) != (atol is None):
        missing = "rtol" if rtol is None else "atol"
        raise ValueError(f"Both 'rtol' and 'atol' must be either specified or omitted, but got no {missing}.")
    checks = {"device": check_device, "dtype": check_dtype, "stride": check_stride}
    rules = _Rules(rtol, atol, equal_nan, allow_subclasses, checks)
    problem = _compare(actual, expected, rules, "")
    if problem is not None:
        if callable(msg):
            problem = msg(problem)
        raise AssertionError(problem if msg is None or callable(msg) else msg)


def _range(dtype: Any) -> tuple[Any, Any, Any, Any]:
    """(default low, default high, lowest, past the highest or the highest) of make_tensor."""
    name = _name(dtype)
    if name == "bool":
        return 0, 2, 0, 2
    if name.startswith(("int", "uint")):
        info = tl.iinfo(dtype)
        return max(-9, info.min), 10, info.min, info.max + 1
    limits = tl.finfo({"complex64": tl.float32, "complex128": tl.float64}.get(name, dtype))
    return -9, 9, limits.min, limits.max


def _interval(dtype: Any, low: Any, high: Any) -> tuple[Any, Any]:
    default_low, default_high, lowest, highest = _range(dtype)
    low = default_low if low is None else low
    high = default_high if high is None else high
    if math.isnan(low) or math.isnan(high):
        raise ValueError(f"`low` and `high` cannot be NaN, but got low={low} and high={high}")
    inexact = dtype.is_floating_point or dtype.is_complex
    if low == high and inexact:
        warnings.warn(
            "Passing `low==high` to `make_tensor` for floating or complex types is deprecated. "
            "Use `full(...)` instead.",
            FutureWarning,
            stacklevel=3,
        )
    elif low >= high:
        raise ValueError(f"`low` must be less than `high`, but got {low} >= {high}")
    elif high < lowest or low >= highest:
        raise ValueError(
            f"The value interval specified by `low` and `high` is [{low}, {high}), "
            f"but {dtype} only supports [{lowest}, {highest})"
        )
    low, high = max(low, lowest), min(high, highest)
    return (low, high) if inexact else (math.ceil(low), math.ceil(high))


def make_tensor(
    *shape: Any,
    dtype: Any,
    device: Any,
    low: float | None = None,
    high: float | None = None,
    requires_grad: bool = False,
    noncontiguous: bool = False,
    exclude_zero: bool = False,
    memory_format: Any = None,
) -> Any:
    """A tensor with random elements in [low, high).

    By default [-9, 9) for floating dtypes and complex parts, -9...9 for integers (0...9 for uint8),
    and both values of bool. noncontiguous: with a stride of 2. exclude_zero: 1 instead of 0, or the
    smallest positive number of a floating dtype.
    """
    size = tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else shape
    if noncontiguous and memory_format is not None:
        raise ValueError(
            "The parameters `noncontiguous` and `memory_format` are mutually exclusive, "
            f"but got {noncontiguous=} and {memory_format=}"
        )
    inexact = dtype.is_floating_point or dtype.is_complex
    if requires_grad and not inexact:
        raise ValueError(f"`requires_grad=True` is not supported for boolean and integral dtypes, but got {dtype=}")
    low, high = _interval(dtype, low, high)
    spread = noncontiguous and math.prod(size) > 1
    if spread:
        size = (*size[:-1], 2 * size[-1])
    if not inexact:
        result = tl.randint(low, high, size, dtype=dtype, device=device)
    elif dtype.is_complex:
        real = tl.float32 if _name(dtype) == "complex64" else tl.float64
        parts = _uniform((*size, 2), real, low, high).numpy()
        scalar = np.complex64 if real == tl.float32 else np.complex128
        result = tl.from_numpy(parts.view(scalar).reshape(size)).to(device)
    else:
        result = _uniform(size, dtype, low, high, device)

    if spread:
        result = result[..., 1::2]
    elif memory_format is not None:
        result = result.clone(memory_format=memory_format)
    if exclude_zero:
        result[result == 0] = tl.finfo(dtype).tiny if inexact else 1
    return result.requires_grad_() if requires_grad else result


def _uniform(size: tuple, dtype: Any, low: float, high: float, device: Any = "cpu") -> Any:
    t = tl.empty(size, dtype=dtype, device=device)
    if high - low > tl.finfo(dtype).max:  # no number of this dtype is the width
        return t.uniform_(low / 2, high / 2).mul_(2)
    return t.uniform_(low, high)
