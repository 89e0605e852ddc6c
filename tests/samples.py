"""How the operator table (optable.py) says what an operator is called with, and how that becomes tensors.

A sample is written without a dtype and without values: `S(T(2, 3), T(3), alpha=2)`. The tests draw it for a dtype, as
NumPy arrays for the reference, and as tensors of any library and memory layout for the operator.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

INTEGERS = ("uint8", "int8", "int16", "int32", "int64")
HALVES = ("float16", "bfloat16")
FLOATS = ("float16", "bfloat16", "float32", "float64")
COMPLEX = ("complex64", "complex128")
NUMBERS = INTEGERS + FLOATS
REAL = ("bool", *NUMBERS)
ALL = REAL + COMPLEX


@dataclasses.dataclass(frozen=True, repr=False)
class T:
    """A tensor argument: its shape, where its values lie, and its dtype if it is not the dtype under test."""

    shape: tuple[int, ...]
    domain: str | None = None
    dtype: str | None = None
    high: int = 0
    grad: bool = True

    def __init__(
        self, *shape: int, domain: str | None = None, dtype: str | None = None, high: int = 0, grad: bool = True
    ) -> None:
        for name, value in (("shape", shape), ("domain", domain), ("dtype", dtype), ("high", high), ("grad", grad)):
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        named = [f"{f.name}={v!r}" for f in dataclasses.fields(self)[1:] if (v := getattr(self, f.name)) != f.default]
        return f"T({', '.join([*map(str, self.shape), *named])})"


def Index(*shape: int, high: int) -> T:
    """An int64 tensor of indices below `high`."""
    return T(*shape, dtype="int64", high=high)


@dataclasses.dataclass(frozen=True)
class D:
    """A dtype of the library, by name."""

    name: str


class S:
    """A call. `grad=False` keeps it out of gradcheck, `dtypes` says for which dtypes it is made."""

    def __init__(self, *args: Any, grad: bool = True, dtypes: tuple[str, ...] = ALL, **kwargs: Any) -> None:
        self.args, self.kwargs, self.grad, self.dtypes = args, kwargs, grad, dtypes

    def __repr__(self) -> str:
        named = [f"{k}={v}" for k, v in self.kwargs.items()]
        return f"S({', '.join([*map(str, self.args), *named])})"


@dataclasses.dataclass
class E:
    """A call that must fail: what is called, with which exception, and the beginning of its text."""

    call: Callable[[Any], Any]
    error: type[Exception]
    text: str


@dataclasses.dataclass
class Op:
    name: str
    samples: list[S]
    ref: Callable[..., Any]
    dtypes: tuple[str, ...] = NUMBERS
    domain: str = "any"
    result: str = "same"  # same, bool, int64, float (of integers), sum (int64 of integers), real (of complex)
    path: str = ""  # the function, from the library: "nn.functional.conv2d"; the name if empty
    method: str | None = ""  # the method; the name if empty, None: there is none
    inplace: bool = False
    out: int = 0  # the number of tensors that out= takes
    grad: bool = True
    gradgrad: bool = True
    layouts: bool = True  # any memory layout is accepted
    view: bool = False  # the result shares memory with the first input where it can
    special: bool = False  # elementwise: NaN, infinities and zeros are compared too
    large: list[S] = dataclasses.field(default_factory=list)
    tol: float = 1.0  # widens the tolerance of the values
    errors: list[E] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        self.path = self.path or self.name
        self.method = self.name if self.method == "" else self.method

    def __repr__(self) -> str:
        return self.name

    def function(self, lib: Any) -> Callable[..., Any]:
        for part in self.path.split("."):
            lib = getattr(lib, part)
        return lib

    def result_dtype(self, dtype: str) -> str:
        if self.result in ("bool", "int64"):
            return self.result
        integral = dtype == "bool" or dtype in INTEGERS
        if self.result == "float" and integral:
            return "float32"
        if self.result == "sum" and integral:
            return "int64"
        if self.result == "real" and dtype in COMPLEX:
            return {"complex64": "float32", "complex128": "float64"}[dtype]
        return dtype


# ---- drawing values ----

# (lowest, highest) of floating-point numbers and of integers
DOMAINS = {
    "any": ((-3.0, 3.0), (-5, 5)),
    "positive": ((0.2, 3.0), (1, 6)),
    "small": ((-2.0, 2.0), (0, 2)),
    "unit": ((-0.9, 0.9), (0, 0)),
    "probability": ((0.05, 0.95), (0, 1)),
    "above1": ((1.1, 4.0), (2, 6)),
}


def round_to(array: np.ndarray, dtype: str) -> np.ndarray:
    """The values that a tensor of this dtype holds, as float64 (complex128, int64, bool)."""
    if dtype == "bool":
        return array.astype(bool)
    if dtype in INTEGERS:
        return array.astype(dtype).astype(np.int64)
    if dtype == "bfloat16":
        bits = array.astype(np.float32).view(np.uint32)
        bits = (bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)
        return bits.view(np.float32).astype(np.float64)
    return array.astype(dtype).astype(np.complex128 if dtype in COMPLEX else np.float64)


def draw_tensor(spec: T, dtype: str, domain: str, rng: np.random.Generator) -> np.ndarray:
    shape, n = spec.shape, int(np.prod(spec.shape))
    dtype, domain = spec.dtype or dtype, spec.domain or domain
    if spec.high:
        return rng.integers(0, spec.high, shape)
    if dtype == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if domain == "distinct":  # no two alike, so that the place of the largest is certain
        values = rng.permutation(n).reshape(shape) - (0 if dtype == "uint8" else n // 2)
        return values if dtype in INTEGERS else round_to(values * 0.25 + rng.uniform(0, 0.2), dtype)
    floats, ints = DOMAINS["any" if domain == "nonzero" else domain]
    if dtype in INTEGERS:
        low = max(ints[0], 0) if dtype == "uint8" else ints[0]
        values = rng.integers(low, ints[1] + 1, shape)
        return np.where(values == 0, 1, values) if domain == "nonzero" else values
    values = np.asarray(rng.uniform(*floats, shape))
    if domain == "nonzero":
        values = np.where(np.abs(values) < 0.2, values + np.copysign(0.2, values), values)
    if dtype in COMPLEX:
        values = values + 1j * rng.uniform(*floats, shape)
    return round_to(values, dtype)


@dataclasses.dataclass
class Drawn:
    """A tensor's values and its dtype, before it is a tensor of some library."""

    values: np.ndarray
    dtype: str
    grad: bool = True


def walk(value: Any, f: Callable[[Any], Any]) -> Any:
    if isinstance(value, (list, tuple)) and not isinstance(value, np.ndarray):
        return type(value)(walk(v, f) for v in value)
    return f(value)


def draw(op: Op, sample: S, dtype: str, seed: int = 0) -> tuple[tuple[Any, ...], dict[str, Any]]:
    rng = np.random.default_rng([seed, zlib.crc32(f"{op.name} {sample!r}".encode())])

    def one(v: Any) -> Any:
        return Drawn(draw_tensor(v, dtype, op.domain, rng), v.dtype or dtype, v.grad) if isinstance(v, T) else v

    return walk(sample.args, one), {k: walk(v, one) for k, v in sample.kwargs.items()}


# ---- tensors ----


def contiguous(lib: Any, values: np.ndarray, dtype: str) -> Any:
    if dtype == "bfloat16":
        return lib.from_numpy(np.array(values, np.float32)).to(lib.bfloat16)
    return lib.from_numpy(np.array(values, dtype))


def permuted(lib: Any, values: np.ndarray, dtype: str) -> Any:
    order = tuple(reversed(range(values.ndim)))
    return contiguous(lib, values.transpose(order), dtype).permute(order)


def sliced(lib: Any, values: np.ndarray, dtype: str) -> Any:
    large = np.zeros([2 * n + 1 for n in values.shape], values.dtype)
    steps = tuple(slice(1, None, 2) for _ in values.shape)
    large[steps] = values
    return contiguous(lib, large, dtype)[steps] if values.ndim else contiguous(lib, values, dtype)


def offset(lib: Any, values: np.ndarray, dtype: str) -> Any:
    flat = np.concatenate([np.ones(1, values.dtype), values.reshape(-1)])
    return contiguous(lib, flat, dtype)[1:].view(values.shape)


def expanded(lib: Any, values: np.ndarray, dtype: str) -> Any:
    if not values.size or not values.ndim:
        return contiguous(lib, values, dtype)
    return contiguous(lib, values[:1], dtype).expand(values.shape)


LAYOUTS = {"permuted": permuted, "sliced": sliced, "offset": offset, "expanded": expanded}


def tensors(lib: Any, drawn: Any, make: Callable[..., Any] = contiguous) -> Any:
    """The drawn call (args, kwargs) with tensors of the library in it."""

    def one(v: Any) -> Any:
        if isinstance(v, Drawn):
            return make(lib, v.values, v.dtype)
        return getattr(lib, v.name) if isinstance(v, D) else v

    args, kwargs = drawn
    return walk(args, one), {k: walk(v, one) for k, v in kwargs.items()}


def arrays(drawn: Any) -> Any:
    """The drawn call with NumPy arrays in it, for the reference."""

    def one(v: Any) -> Any:
        if isinstance(v, D):
            return {"bfloat16": np.float64, "bool": bool}.get(v.name) or np.dtype(v.name)
        return v.values if isinstance(v, Drawn) else v

    args, kwargs = drawn
    return walk(args, one), {k: walk(v, one) for k, v in kwargs.items()}


def to_numpy(lib: Any, tensor: Any) -> np.ndarray:
    tensor = tensor.detach()
    return (tensor.to(lib.float32) if tensor.dtype == lib.bfloat16 else tensor).numpy()


def leaves(value: Any) -> Iterator[Any]:
    """The tensors of an argument list or of a result, in order."""
    if isinstance(value, (list, tuple)):
        for v in value:
            yield from leaves(v)
    elif isinstance(value, dict):
        for v in value.values():
            yield from leaves(v)
    elif hasattr(value, "requires_grad") or isinstance(value, Drawn):
        yield value


# ---- comparing ----

TOLERANCE = {  # relative, absolute
    "float64": (1e-11, 1e-12),
    "complex128": (1e-11, 1e-12),
    "float32": (3e-6, 2e-6),
    "complex64": (5e-6, 5e-6),
    "float16": (2e-3, 2e-3),
    "bfloat16": (1.6e-2, 1.6e-2),
}


def dtype_name(tensor: Any) -> str:
    return str(tensor.dtype).split(".")[-1]


def assert_close(lib: Any, got: Any, expected: Any, tol: float = 1.0, what: str = "") -> None:
    got, expected = list(leaves(got)), list(leaves_of_arrays(expected))
    assert len(got) == len(expected), f"{what}: {len(got)} results, expected {len(expected)}"
    for tensor, array in zip(got, expected):
        assert tuple(tensor.shape) == array.shape, f"{what}: shape {tuple(tensor.shape)}, expected {array.shape}"
        values, dtype = to_numpy(lib, tensor), dtype_name(tensor)
        if dtype in TOLERANCE:
            rtol, atol = TOLERANCE[dtype]
            np.testing.assert_allclose(values, array, rtol=rtol * tol, atol=atol * tol, err_msg=what)
        else:
            np.testing.assert_array_equal(values, array.astype(dtype), err_msg=what)


def leaves_of_arrays(value: Any) -> Iterator[np.ndarray]:
    if isinstance(value, (list, tuple)):
        for v in value:
            yield from leaves_of_arrays(v)
    else:
        yield np.asarray(value)
