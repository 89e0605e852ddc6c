"""The operator table. One row per operator drives tests/test_operators.py: values in every dtype against NumPy, memory
layouts, empty and 0-dim tensors, out=, in-place and method forms, gradients, second gradients, errors, and the same on
PyTorch. docs/adding_an_operator.md shows what a row needs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import references as ref
from samples import ALL, COMPLEX, FLOATS, INTEGERS, NUMBERS, REAL, D, E, Index, Op, S, T

# fmt: off
F = "nn.functional."

# ---- pointwise ----

UNARY = [S(T(2, 3)), S(T(7)), S(T()), S(T(0)), S(T(2, 0, 3)), S(T(2, 1, 3, 4))]
BINARY = [
    S(T(2, 3), T(2, 3)),
    S(T(2, 3), T(3)),
    S(T(2, 1, 3), T(4, 1)),
    S(T(5), T()),
    S(T(), T(5)),
    S(T(), T()),
    S(T(0, 3), T(3)),
    S(T(2, 3), 2),
]


def quiet(f: Callable[..., Any]) -> Callable[..., Any]:
    def reference(*args: Any, **kwargs: Any) -> Any:
        with np.errstate(all="ignore"):
            return f(*args, **kwargs)

    return reference


def unary(name: str, reference: Callable[..., Any], **kwargs: Any) -> Op:
    settings = {"inplace": True, "out": 1, "special": True, "large": [S(T(100_003))], **kwargs}
    return Op(name, settings.pop("samples", UNARY), quiet(reference), **settings)


def unary_float(name: str, reference: Callable[..., Any], **kwargs: Any) -> Op:
    """Integers and bools become float32."""
    return unary(name, lambda x: reference(x + 0.0), **{"dtypes": ALL, "result": "float", **kwargs})


def broadcast_error(name: str) -> E:
    return E(
        lambda lib: getattr(lib, name)(lib.ones(2, 3), lib.ones(2, 4)),
        RuntimeError,
        "The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 1",
    )


def binary(name: str, reference: Callable[..., Any], **kwargs: Any) -> Op:
    settings = {"inplace": True, "out": 1, "special": True, "large": [S(T(300, 401), T(300, 401)), S(T(300, 401), T(401)),
                S(T(300, 401), T(300, 1))], "errors": [], **kwargs}
    settings["errors"] = [broadcast_error(name), *settings["errors"]]
    return Op(name, settings.pop("samples", BINARY), quiet(reference), **settings)


def comparison(name: str, reference: Callable[..., Any], **kwargs: Any) -> Op:
    return binary(name, reference, **{"dtypes": REAL, "result": "bool", "grad": False, **kwargs})


POINTWISE = [
    unary("neg", np.negative, dtypes=NUMBERS + COMPLEX, errors=[
        E(lambda lib: -lib.ones(2, dtype=lib.bool), RuntimeError,
          "Negation, the `-` operator, on a bool tensor is not supported.")]),
    unary("abs", np.abs, dtypes=NUMBERS + COMPLEX, result="real", domain="nonzero", inplace=False),
    unary_float("exp", np.exp, tol=2, errors=[
        E(lambda lib: lib.ones(2, dtype=lib.int64).exp_(), RuntimeError,
          "result type Float can't be cast to the desired output type Long")]),
    unary_float("log", np.log, domain="positive"),
    unary_float("sqrt", np.sqrt, domain="positive"),
    unary_float("tanh", np.tanh),
    unary_float("sigmoid", lambda x: 1 / (1 + np.exp(-x)), tol=4, dtypes=REAL),
    unary("relu", lambda x: np.where(np.isnan(x), x, np.maximum(x, 0)), domain="nonzero", out=0),
    binary("add", lambda a, b, alpha=1: a + b if np.asarray(a).dtype == bool else a + alpha * b, dtypes=ALL,
           samples=[*BINARY[:-1], S(T(2, 3), T(2, 3), alpha=2), S(T(3), T(2, 3), alpha=3)], errors=[
        E(lambda lib: lib.add(lib.ones(2, dtype=lib.int64), lib.ones(2, dtype=lib.int64), alpha=0.5), RuntimeError,
          "For integral input tensors, argument alpha must not be a floating point number."),
        E(lambda lib: lib.ones(2).add_(lib.ones(3, 2)), RuntimeError,
          "output with shape [2] doesn't match the broadcast shape [3, 2]")]),
    binary("sub", lambda a, b, alpha=1: a - alpha * b, dtypes=NUMBERS + COMPLEX, samples=[*BINARY, S(T(4), T(4), alpha=2)],
           errors=[
        E(lambda lib: lib.ones(2, dtype=lib.bool) - lib.ones(2, dtype=lib.bool), RuntimeError,
          "Subtraction, the `-` operator, with two bool tensors is not supported.")]),
    binary("mul", np.multiply, dtypes=ALL, samples=BINARY[:-1]),
    binary("div", np.divide, dtypes=NUMBERS + COMPLEX, domain="nonzero", result="float", tol=2, samples=[
        *BINARY, S(T(2, 3), T(3))], errors=[
        E(lambda lib: lib.div(lib.ones(2), lib.ones(2), rounding_mode="up"), RuntimeError,
          "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found 'up'")]),
    binary("pow", lambda a, b: np.power(a, b), domain="positive", dtypes=("int32", "int64", *FLOATS), tol=8,
           samples=[S(T(2, 3), T(2, 3)), S(T(2, 3), T(3)), S(T(4), 2), S(T(4), 3), S(T(), T()), S(T(0), T(0))],
           errors=[
        E(lambda lib: lib.pow(lib.tensor([2, 3]), -1), RuntimeError,
          "Integers to negative integer powers are not allowed.")]),
    binary("maximum", np.maximum, dtypes=REAL, samples=BINARY[:-1], inplace=False, method="maximum"),
    binary("minimum", np.minimum, dtypes=REAL, samples=BINARY[:-1], inplace=False, method="minimum"),
    binary("hypot", np.hypot, samples=BINARY[:-1], dtypes=FLOATS, domain="nonzero", tol=2),
    unary("clamp", lambda x, min=None, max=None: np.clip(x, min, max), samples=[
        S(T(2, 3), 1, 2), S(T(2, 3), min=1), S(T(2, 3), max=1), S(T(), 0, 1), S(T(0), 0, 1)], large=[
        S(T(100_003), 0, 1)], special=False, errors=[
        E(lambda lib: lib.clamp(lib.ones(2)), RuntimeError, "torch.clamp: At least one of 'min' or 'max' must not be None")
    ]),
    Op("where", [S(T(2, 3, dtype="bool"), T(2, 3), T(2, 3)), S(T(3, dtype="bool"), T(2, 1), T(3)),
                 S(T(dtype="bool"), T(2), T(2)), S(T(0, dtype="bool"), T(0), T(0))], np.where, dtypes=ALL, method=None,
       out=1, large=[S(T(300, 401, dtype="bool"), T(300, 401), T(401))], errors=[
        E(lambda lib: lib.where(lib.ones(2), lib.ones(2), lib.ones(2)), RuntimeError,
          "where expected condition to be a boolean tensor")]),
    unary_float("sinc", np.sinc, dtypes=REAL, tol=8, domain="nonzero"),
    unary_float("i0", np.i0, dtypes=REAL, tol=8, special=False),
    unary_float("deg2rad", np.deg2rad, dtypes=REAL, tol=4),
    unary_float("lgamma", np.vectorize(math.lgamma, otypes="d"), dtypes=NUMBERS, domain="positive", tol=16, special=False),
    binary("ldexp", lambda a, b: a * np.exp2(b), dtypes=FLOATS, tol=4, samples=BINARY[:-1], special=False),
    binary("logaddexp", np.logaddexp, dtypes=FLOATS, tol=4, samples=BINARY[:-1], inplace=False),
    comparison("eq", np.equal, dtypes=ALL),
    comparison("ne", np.not_equal, dtypes=ALL),
    comparison("lt", np.less),
    comparison("le", np.less_equal),
    comparison("gt", np.greater),
    comparison("ge", np.greater_equal),
    comparison("logical_and", np.logical_and, samples=BINARY[:-1]),
    comparison("logical_or", np.logical_or, samples=BINARY[:-1]),
    comparison("logical_xor", np.logical_xor, samples=BINARY[:-1]),
    unary("logical_not", np.logical_not, dtypes=REAL, result="bool", grad=False),
]

# ---- reductions ----

REDUCE = [
    S(T(2, 3)), S(T(2, 3), 0), S(T(2, 3), 1, True), S(T(2, 3, 4), dim=-2), S(T(2, 3, 4), (0, 2)),
    S(T(2, 3, 4), dim=(1, 2), keepdim=True), S(T()), S(T(), 0), S(T(3, 0), 0), S(T(1, 1)),
]
REDUCE_LARGE = [S(T(300, 401)), S(T(300, 401), 0), S(T(300, 401), 1), S(T(20, 30, 203), (0, 2)), S(T(20, 30, 203), 1)]
EXTREME = [S(T(2, 3)), S(T(2, 3), 0), S(T(2, 3), 1, True), S(T(2, 3, 4), dim=-2), S(T()), S(T(), 0), S(T(0, 3), 1)]


def dim_error(name: str) -> E:
    return E(
        lambda lib: getattr(lib, name)(lib.ones(2, 3), 2),
        IndexError,
        "Dimension out of range (expected to be in range of [-2, 1], but got 2)",
    )


def flag(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, axis, keepdims: f(x != 0, axis=axis, keepdims=keepdims)


REDUCTIONS = [
    Op("sum", [*REDUCE, S(T(0)), S(T(2, 3), dtype=D("float64"), dtypes=REAL), S(T(2, 3), 0, dtype=D("float64"), dtypes=REAL)], ref.reduction(np.sum),
       dtypes=ALL, result="sum", large=REDUCE_LARGE, tol=4, errors=[
        dim_error("sum"),
        E(lambda lib: lib.ones(2, 2).sum((0, 0)), RuntimeError, "dim 0 appears multiple times in the list of dims"),
        E(lambda lib: lib.ones(2, dtype=lib.complex64).nansum(3), IndexError,
          "Dimension out of range (expected to be in range of [-1, 0], but got 3)")]),
    Op("mean", [s for s in REDUCE if 0 not in s.args[0].shape], ref.reduction(np.mean), dtypes=FLOATS + COMPLEX,
       large=REDUCE_LARGE, tol=4, errors=[
        dim_error("mean"),
        E(lambda lib: lib.ones(2, dtype=lib.int64).mean(), RuntimeError,
          "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: Long")]),
    Op("max", [*EXTREME, S(T(2, 3), T(3))], ref.extreme(np.max, np.argmax, np.maximum), dtypes=NUMBERS, domain="distinct",
       large=REDUCE_LARGE[:3], errors=[
        dim_error("max"),
        E(lambda lib: lib.ones(0).max(), RuntimeError,
          "max(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' "
          "argument."),
        E(lambda lib: lib.ones(0, 3).max(0), IndexError, "max(): Expected reduction dim 0 to have non-zero size.")]),
    Op("min", [*EXTREME, S(T(2, 3), T(3))], ref.extreme(np.min, np.argmin, np.minimum), dtypes=NUMBERS, domain="distinct",
       large=REDUCE_LARGE[:3], errors=[dim_error("min")]),
    Op("argmax", EXTREME, ref.argument(np.argmax), domain="distinct", result="int64", grad=False, large=REDUCE_LARGE[:3],
       out=1, errors=[dim_error("argmax")]),
    Op("argmin", EXTREME, ref.argument(np.argmin), domain="distinct", result="int64", grad=False, large=REDUCE_LARGE[:3],
       out=1, errors=[dim_error("argmin")]),
    Op("any", REDUCE, ref.reduction(flag(np.any)), dtypes=tuple(d for d in REAL if d != "uint8"), result="bool", grad=False,
       large=REDUCE_LARGE[:3]),
    Op("all", REDUCE, ref.reduction(flag(np.all)), dtypes=tuple(d for d in REAL if d != "uint8"), result="bool", grad=False,
       large=REDUCE_LARGE[:3]),
    Op("var", [S(T(2, 3)), S(T(2, 3), 0), S(T(4, 3), 0, correction=2), S(T(2, 3, 4), (0, 2)), S(T(5), unbiased=False),
               S(T(2, 3), 1, keepdim=True), S(T(2, 3), 1, False)], ref.variance, dtypes=FLOATS, large=REDUCE_LARGE, tol=8),
    Op("std", [S(T(2, 3)), S(T(2, 3), 0), S(T(4, 3), 0, correction=2), S(T(2, 3, 4), (0, 2)), S(T(5), unbiased=False),
               S(T(2, 3), 1, keepdim=True), S(T(2, 3), 1, False)], lambda *a, **k: np.sqrt(ref.variance(*a, **k)),
       dtypes=FLOATS, large=REDUCE_LARGE, tol=8),
]

# ---- matrix products ----

PRODUCTS = INTEGERS + FLOATS + COMPLEX
MATMUL = [
    S(T(3), T(3)), S(T(2, 3), T(3)), S(T(3), T(3, 2)), S(T(2, 3), T(3, 4)), S(T(2, 3, 4), T(2, 4, 3)),
    S(T(2, 2, 3), T(3, 2)), S(T(3, 2), T(2, 2, 3)), S(T(3), T(2, 3, 2)), S(T(2, 3, 2), T(2)), S(T(2, 1, 2, 3), T(3, 3, 2)),
    S(T(0, 3), T(3, 2)), S(T(2, 0), T(0, 3)), S(T(0), T(0)), S(T(2, 0, 3), T(3, 2)), S(T(1, 1), T(1, 1)),
    S(T(17, 9), T(9, 33), grad=False), S(T(3, 65), T(65, 2), grad=False),
]
MATMUL_LARGE = [S(T(130, 257), T(257, 99)), S(T(5, 600), T(600, 7)), S(T(601), T(601, 33)), S(T(9, 40, 33), T(9, 33, 50))]


def addmm(c: Any, a: Any, b: Any, beta: float = 1, alpha: float = 1) -> Any:
    return beta * c + alpha * (a @ b)


MATMULS = [
    Op("matmul", MATMUL, np.matmul, dtypes=PRODUCTS, out=1, tol=8, large=MATMUL_LARGE, errors=[
        E(lambda lib: lib.matmul(lib.ones(2, 3), lib.ones(2, 3)), RuntimeError,
          "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)"),
        E(lambda lib: lib.matmul(lib.ones(2, 3), lib.ones(3, 2, dtype=lib.float64)), RuntimeError, ""),
        E(lambda lib: lib.matmul(lib.tensor(1.0), lib.ones(3)), RuntimeError,
          "both arguments to matmul need to be at least 1D, but they are 0D and 1D")]),
    Op("mm", [S(T(2, 3), T(3, 4)), S(T(0, 3), T(3, 2)), S(T(2, 0), T(0, 3))], np.matmul, dtypes=PRODUCTS, out=1, tol=8,
       errors=[
        E(lambda lib: lib.mm(lib.ones(2, 3), lib.ones(2, 3)), RuntimeError,
          "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)"),
        E(lambda lib: lib.mm(lib.ones(3), lib.ones(3, 2)), RuntimeError, "self must be a matrix")]),
    Op("bmm", [S(T(2, 2, 3), T(2, 3, 2)), S(T(0, 2, 3), T(0, 3, 2)), S(T(2, 2, 0), T(2, 0, 3))], np.matmul, dtypes=PRODUCTS,
       out=1, tol=8, errors=[
        E(lambda lib: lib.bmm(lib.ones(2, 3), lib.ones(2, 3)), RuntimeError, "batch1 must be a 3D tensor")]),
    Op("mv", [S(T(2, 3), T(3)), S(T(0, 3), T(3)), S(T(2, 0), T(0))], np.matmul, dtypes=PRODUCTS, out=1, tol=8),
    Op("dot", [S(T(5), T(5)), S(T(0), T(0))], np.dot, dtypes=PRODUCTS, out=1, tol=8, errors=[
        E(lambda lib: lib.dot(lib.ones(2, 3), lib.ones(3)), RuntimeError,
          "1D tensors expected, but got 2D and 1D tensors")]),
    Op("addmm", [S(T(2, 4), T(2, 3), T(3, 4)), S(T(4), T(2, 3), T(3, 4)), S(T(2, 1), T(2, 3), T(3, 4), beta=2, alpha=3),
                 S(T(2, 4), T(2, 0), T(0, 4)), S(T(), T(2, 3), T(3, 4), beta=0)], addmm, dtypes=PRODUCTS, out=1, tol=8,
       large=[S(T(99), T(130, 257), T(257, 99))]),
    Op("linear", [S(T(2, 3), T(4, 3)), S(T(2, 3), T(4, 3), T(4)), S(T(3), T(4, 3), T(4)), S(T(2, 2, 3), T(4, 3), T(4)),
                  S(T(0, 3), T(4, 3), T(4))], lambda x, w, b=0.0: x @ w.T + b, path=F + "linear", method=None, tol=8,
       dtypes=FLOATS, large=[S(T(64, 257), T(99, 257), T(99))], errors=[
        E(lambda lib: lib.nn.functional.linear(lib.ones(2, 3), lib.ones(4, 2)), RuntimeError,
          "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x4)")]),
    Op("trace", [S(T(3, 3)), S(T(2, 4)), S(T(4, 2)), S(T(0, 3))], np.trace, dtypes=PRODUCTS, result="sum", tol=2,
       large=[S(T(300, 401))], errors=[
        E(lambda lib: lib.trace(lib.ones(3)), RuntimeError, "trace: expected a matrix, but got tensor with dim 1"),
        E(lambda lib: lib.trace(lib.ones(2, 2, dtype=lib.bool)), NotImplementedError,
          "\"trace\" not implemented for 'Bool'")]),
    Op("kron", [S(T(2, 3), T(3, 2)), S(T(3), T(2, 2)), S(T(2, 1, 2), T(2)), S(T(), T(3)), S(T(0, 2), T(2, 3))], np.kron,
       dtypes=ALL, out=1, large=[S(T(30, 21), T(20, 31))]),
    Op("cross", [S(T(2, 3), T(2, 3), dim=1), S(T(3, 4), T(3, 4), dim=0), S(T(2, 3), T(1, 3), dim=-1), S(T(0, 3), T(0, 3), dim=1)],
       lambda a, b, dim: np.cross(*np.broadcast_arrays(a, b), axis=dim), dtypes=PRODUCTS, out=1, tol=4,
       large=[S(T(3, 401), T(3, 401), dim=0)], errors=[
        E(lambda lib: lib.cross(lib.ones(2, 2), lib.ones(2, 2), dim=1), RuntimeError,
          "linalg.cross: inputs dimension 1 must have length 3. Got 2 and 2")]),
    Op("dist", [S(T(2, 3), T(2, 3)), S(T(2, 3), T(3), 1), S(T(4), T(4), 3), S(T(4), T(4), float("inf")), S(T(), T(2))],
       lambda a, b, p=2: np.linalg.norm(np.ravel(a - b), p), dtypes=FLOATS, tol=4, large=[S(T(300, 401), T(300, 401))]),
]

# ---- shape ----


def flatten(x: np.ndarray, start_dim: int = 0, end_dim: int = -1) -> np.ndarray:
    if x.ndim == 0:
        return x.reshape(1)
    end = end_dim % x.ndim
    start = start_dim % x.ndim
    return x.reshape(*x.shape[:start], int(np.prod(x.shape[start : end + 1])), *x.shape[end + 1 :])


def squeeze(x: np.ndarray, dim: Any = None) -> np.ndarray:
    dims = range(x.ndim) if dim is None else [d % x.ndim for d in (dim if isinstance(dim, tuple) else (dim,)) if x.ndim]
    return x.reshape([n for d, n in enumerate(x.shape) if n != 1 or d not in dims])


def expand(x: np.ndarray, *shape: Any) -> np.ndarray:
    shape = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
    filled = [n if n != -1 else x.shape[i - len(shape) + x.ndim] for i, n in enumerate(shape)]
    return np.broadcast_to(x, filled)


def rearrange(name: str, samples: list[S], reference: Callable[..., Any], **kwargs: Any) -> Op:
    return Op(name, samples, reference, **{"dtypes": ALL, "view": True, **kwargs})


SHAPES = [
    rearrange("view", [S(T(2, 6), 3, 4), S(T(2, 6), (3, -1)), S(T(), 1), S(T(0, 3), 3, 0), S(T(1), ())],
              lambda x, *s: x.reshape(*s), path="Tensor.view", layouts=False, errors=[
        E(lambda lib: lib.ones(2, 3).view(4), RuntimeError, "shape '[4]' is invalid for input of size 6"),
        E(lambda lib: lib.ones(2, 3).view(-1, -1), RuntimeError, "only one dimension can be inferred"),
        E(lambda lib: lib.ones(2, 3).t().view(6), RuntimeError,
          "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
          "contiguous subspaces). Use .reshape(...) instead.")]),
    rearrange("reshape", [S(T(2, 6), (3, 4)), S(T(2, 6), (-1,)), S(T(), (1, 1)), S(T(0, 3), (0, 5))],
              lambda x, s: x.reshape(s), errors=[
        E(lambda lib: lib.ones(2, 3).reshape(4), RuntimeError, "shape '[4]' is invalid for input of size 6")]),
    rearrange("permute", [S(T(2, 3, 4), (2, 0, 1)), S(T(2, 3), (-1, 0)), S(T(), ()), S(T(0, 2), (1, 0))],
              lambda x, d: x.transpose(d), errors=[
        E(lambda lib: lib.ones(2, 3).permute(0, 0), RuntimeError, "permute(): duplicate dims are not allowed."),
        E(lambda lib: lib.ones(2, 3).permute(0), RuntimeError, "permute(sparse_coo): number of dimensions in the tensor "
          "input does not match the length of the desired ordering of dimensions i.e. input.dim() = 2 is not equal to "
          "len(dims) = 1")]),
    rearrange("transpose", [S(T(2, 3, 4), 0, 2), S(T(2, 3), -1, 0), S(T(), 0, -1)],
              lambda x, a, b: x.swapaxes(a, b) if x.ndim else x, inplace=False, errors=[
        E(lambda lib: lib.ones(2, 3).transpose(0, 2), IndexError,
          "Dimension out of range (expected to be in range of [-2, 1], but got 2)")]),
    rearrange("t", [S(T(2, 3)), S(T(3)), S(T())], np.transpose, errors=[
        E(lambda lib: lib.ones(2, 3, 4).t(), RuntimeError, "t() expects a tensor with <= 2 dimensions, but self is 3D")]),
    rearrange("squeeze", [S(T(1, 3, 1)), S(T(1, 3, 1), 0), S(T(1, 3, 1), 1), S(T(1, 3, 1), (0, 2)), S(T()), S(T(), 0)],
              squeeze, errors=[dim_error("squeeze")]),
    rearrange("unsqueeze", [S(T(2, 3), 0), S(T(2, 3), -1), S(T(), 0), S(T(0), 1)], np.expand_dims, errors=[
        E(lambda lib: lib.ones(2, 3).unsqueeze(4), IndexError,
          "Dimension out of range (expected to be in range of [-3, 2], but got 4)")]),
    rearrange("expand", [S(T(2, 1), 2, 3), S(T(3), (2, -1)), S(T(), 2, 2), S(T(1), 0)], expand, path="Tensor.expand",
              errors=[
        E(lambda lib: lib.ones(2, 3).expand(2, 4), RuntimeError, "The expanded size of the tensor (4) must match the "
          "existing size (3) at non-singleton dimension 1.  Target sizes: [2, 4].  Tensor sizes: [2, 3]")]),
    rearrange("flatten", [S(T(2, 3, 4)), S(T(2, 3, 4), 1), S(T(2, 3, 4), 0, 1), S(T()), S(T(2, 0, 3), 1)], flatten),
    Op("cat", [S([T(2, 3), T(1, 3)]), S([T(2, 3), T(2, 2)], 1), S([T(2, 3), T(2, 1)], dim=-1), S([T(0), T(2, 3)]),
               S([T(3)]), S((T(0, 2), T(0, 2)))], lambda ts, dim=0: np.concatenate(
                   [t for t in ts if t.shape != (0,)] or ts, dim), dtypes=ALL, method=None, out=1,
       large=[S([T(300, 401), T(300, 99)], 1)], errors=[
        E(lambda lib: lib.cat([lib.ones(2, 3), lib.ones(2, 2)]), RuntimeError, "Sizes of tensors must match except in "
          "dimension 0. Expected size 3 but got size 2 for tensor number 1 in the list."),
        E(lambda lib: lib.cat([]), ValueError, "torch.cat(): expected a non-empty list of Tensors"),
        E(lambda lib: lib.cat([lib.ones(2), lib.ones(2, 2)]), RuntimeError,
          "Tensors must have same number of dimensions: got 1 and 2")]),
    Op("stack", [S([T(2, 3), T(2, 3)]), S([T(2, 3), T(2, 3)], 1), S([T(2), T(2)], dim=-1), S([T(), T()]), S([T(0), T(0)])],
       lambda ts, dim=0: np.stack(ts, dim), dtypes=ALL, method=None, out=1, errors=[
        E(lambda lib: lib.stack([lib.ones(2), lib.ones(3)]), RuntimeError,
          "stack expects each tensor to be equal size, but got [2] at entry 0 and [3] at entry 1"),
        E(lambda lib: lib.stack([]), RuntimeError, "stack expects a non-empty TensorList")]),
    rearrange("contiguous", [S(T(2, 3)), S(T()), S(T(0, 2))], lambda x: x, path="Tensor.contiguous"),
    Op("clone", [S(T(2, 3)), S(T()), S(T(0, 2))], np.copy, dtypes=ALL, large=[S(T(300, 401))]),
]

# ---- index ----

INDEXING = [
    Op("gather", [S(T(3, 4), 0, Index(2, 4, high=3)), S(T(3, 4), 1, Index(3, 2, high=4)), S(T(5), -1, Index(7, high=5)),
                  S(T(3, 4), 1, Index(2, 6, high=4)), S(T(), 0, Index(1, high=1)), S(T(3, 4), 0, Index(0, 4, high=3))],
       ref.gather, dtypes=ALL, out=1, large=[S(T(300, 401), 1, Index(300, 77, high=401))], errors=[
        E(lambda lib: lib.gather(lib.ones(2, 3), 1, lib.tensor([[0, 3]])), (IndexError, RuntimeError),
          "index 3 is out of bounds for dimension 1 with size 3"),
        E(lambda lib: lib.gather(lib.ones(2, 3), 1, lib.tensor([[0.0]])), RuntimeError,
          "gather(): Expected dtype int32/int64 for index")]),
    Op("scatter", [S(T(2, 3), 1, Index(2, 1, high=3), T(2, 1)), S(T(2, 3), 1, Index(2, 1, high=3), 7), S(T(5), 0, Index(0, high=5), T(0)),
                   S(T(5), 0, Index(1, high=5), T(3), grad=False)],
       ref.scatter, dtypes=ALL, out=1, inplace=True, layouts=False, errors=[
        E(lambda lib: lib.zeros(2, 3).scatter(1, lib.tensor([[3]]), 1.0), (IndexError, RuntimeError),
          "index 3 is out of bounds for dimension 1 with size 3")]),
    Op("scatter_add", [S(T(3, 4), 0, Index(2, 4, high=3), T(2, 4)), S(T(3, 4), 1, Index(3, 6, high=4), T(3, 6)),
                       S(T(5), 0, Index(9, high=5), T(9)), S(T(5), 0, Index(0, high=5), T(0))],
       ref.scatter_add, out=1, inplace=True, tol=4),
    Op("index_select", [S(T(3, 4), 0, Index(5, high=3)), S(T(3, 4), 1, Index(2, high=4)), S(T(3, 4), -1, Index(0, high=4)),
                        S(T(2, 3, 4), 1, Index(4, high=3)), S(T(3), 0, Index(2, high=3))],
       lambda x, d, i: np.take(x, i, axis=d), dtypes=ALL, out=1, large=[S(T(300, 401), 0, Index(500, high=300))], errors=[
        E(lambda lib: lib.index_select(lib.ones(3), 0, lib.tensor([3])), IndexError, "index out of range in self"),
        E(lambda lib: lib.index_select(lib.ones(3), 0, lib.tensor([[0]])), IndexError,
          "index_select(): Index is supposed to be a vector")]),
    Op("one_hot", [S(Index(3, high=4), 4), S(Index(2, 3, high=5), num_classes=5), S(Index(6, high=3)), S(Index(0, high=3), 4),
                   S(Index(high=3), 3)], ref.one_hot, dtypes=("int64",), path=F + "one_hot", method=None, grad=False, errors=[
        E(lambda lib: lib.nn.functional.one_hot(lib.tensor([1, 5]), 3), RuntimeError,
          "Class values must be smaller than num_classes."),
        E(lambda lib: lib.nn.functional.one_hot(lib.tensor([1.0])), RuntimeError,
          "one_hot is only applicable to index tensor")]),
    Op("masked_fill", [S(T(2, 3), T(2, 3, dtype="bool"), 7), S(T(2, 3), T(3, dtype="bool"), 1),
                       S(T(0), T(0, dtype="bool"), 1), S(T(), T(dtype="bool"), 1), S(T(2), T(2, dtype="bool"), T())],
       lambda x, m, v: np.where(m, np.asarray(v).astype(x.dtype), x), dtypes=ALL, inplace=True),
    Op("masked_select", [S(T(2, 3), T(2, 3, dtype="bool")), S(T(2, 3), T(3, dtype="bool")), S(T(0), T(0, dtype="bool"))],
       lambda x, m: np.broadcast_to(x, np.broadcast_shapes(x.shape, m.shape))[
           np.broadcast_to(m, np.broadcast_shapes(x.shape, m.shape))], dtypes=ALL, out=1),
    Op("nonzero", [S(T(2, 3)), S(T(7)), S(T()), S(T(0, 3))], lambda x: np.argwhere(x) if x.ndim else
       np.zeros((int(bool(x)), 0), np.int64), dtypes=ALL, result="int64", grad=False, out=1),
]

# ---- neural networks ----

NETWORKS = [
    Op("conv2d", [
        S(T(2, 2, 4, 5), T(3, 2, 3, 3), T(3)), S(T(1, 2, 5, 4), T(2, 2, 2, 3)), S(T(1, 1, 5, 5), T(2, 1, 3, 3), T(2), 2, 1),
        S(T(1, 2, 5, 5), T(2, 2, 2, 2), None, (1, 2), (1, 0)), S(T(1, 2, 5, 5), T(2, 2, 2, 2), dilation=2),
        S(T(1, 4, 3, 3), T(4, 2, 2, 2), T(4), groups=2), S(T(1, 3, 3, 3), T(3, 1, 2, 2), groups=3),
        S(T(2, 4, 4), T(3, 2, 1, 1), T(3)),
        S(T(1, 1, 4, 4), T(1, 1, 3, 3), padding="same"), S(T(0, 2, 4, 4), T(3, 2, 3, 3), T(3)),
    ], ref.conv2d, path=F + "conv2d", method=None, dtypes=FLOATS, tol=8, large=[
        S(T(5, 1, 28, 28), T(16, 1, 5, 5), T(16)), S(T(3, 16, 12, 12), T(33, 16, 3, 3), T(33), 1, 1),
        S(T(2, 32, 9, 9), T(16, 32, 1, 1), None, 2), S(T(2, 3, 30, 31), T(8, 3, 7, 7), None, 2, 3),
        S(T(2, 16, 11, 13), T(16, 1, 3, 3), None, 1, 1, 1, 16)], errors=[
        E(lambda lib: lib.nn.functional.conv2d(lib.ones(1, 3, 4, 4), lib.ones(2, 2, 3, 3)), RuntimeError,
          "Given groups=1, weight of size [2, 2, 3, 3], expected input[1, 3, 4, 4] to have 2 channels, but got 3 channels "
          "instead"),
        E(lambda lib: lib.nn.functional.conv2d(lib.ones(1, 1, 2, 2), lib.ones(1, 1, 3, 3)), RuntimeError,
          "Calculated padded input size per channel: (2 x 2). Kernel size: (3 x 3). Kernel size can't be greater than "
          "actual input size")]),
    Op("max_pool2d", [
        S(T(2, 2, 4, 4), 2), S(T(1, 2, 5, 7), 3), S(T(1, 1, 5, 5), 3, 1), S(T(1, 1, 6, 5), (2, 3), (2, 1), (1, 1)),
        S(T(1, 1, 6, 6), 2, dilation=2), S(T(2, 4, 4), 2), S(T(0, 2, 4, 4), 2),
    ], ref.max_pool2d, path=F + "max_pool2d", method=None, dtypes=FLOATS, domain="distinct", large=[
        S(T(3, 7, 24, 26), 2), S(T(2, 3, 25, 31), 3, 2, 1)], errors=[
        E(lambda lib: lib.nn.functional.max_pool2d(lib.ones(1, 1, 4, 4), 2, padding=2), RuntimeError,
          "pad should be at most half of effective kernel size")]),
    Op("softmax", [S(T(2, 3), 1), S(T(2, 3), 0), S(T(2, 3, 4), dim=-2), S(T(), 0), S(T(0, 3), 1), S(T(3, 0), 1), S(T(1), 0)],
       ref.softmax, dtypes=FLOATS, tol=2, large=[S(T(30, 4001), 1), S(T(301, 77), 0), S(T(9, 40, 33), 1)],
       errors=[dim_error("softmax")]),
    Op("log_softmax", [S(T(2, 3), 1), S(T(2, 3), 0), S(T(2, 3, 4), dim=-2), S(T(), 0), S(T(0, 3), 1), S(T(1), 0)],
       ref.log_softmax, dtypes=FLOATS, tol=4, large=[S(T(30, 4001), 1), S(T(301, 77), 0)], errors=[dim_error("log_softmax")]),
    Op("cross_entropy", [
        S(T(3, 4), Index(3, high=4)), S(T(3, 4), Index(3, high=4), reduction="sum"),
        S(T(3, 4), Index(3, high=4), reduction="none"), S(T(4), Index(high=4)), S(T(3, 4), Index(3, high=4), ignore_index=1),
        S(T(3, 4), Index(3, high=4), T(4, domain="positive", grad=False)), S(T(3, 4), Index(3, high=4), label_smoothing=0.1),
        S(T(3, 4), T(3, 4, domain="probability")),
    ], ref.cross_entropy, path=F + "cross_entropy", method=None, dtypes=FLOATS, tol=4, large=[
        S(T(640, 10), Index(640, high=10)), S(T(64, 1000), Index(64, high=1000))], errors=[
        E(lambda lib: lib.nn.functional.cross_entropy(lib.ones(3, 4), lib.zeros(2, dtype=lib.int64)), ValueError,
          "Expected input batch_size (3) to match target batch_size (2)."),
        E(lambda lib: lib.nn.functional.cross_entropy(lib.ones(1, 4), lib.tensor([4])), IndexError,
          "Target 4 is out of bounds.")]),
    Op("nll_loss", [
        S(T(3, 4), Index(3, high=4)), S(T(3, 4), Index(3, high=4), reduction="sum"),
        S(T(3, 4), Index(3, high=4), reduction="none"), S(T(4), Index(high=4)), S(T(3, 4), Index(3, high=4), ignore_index=1),
        S(T(3, 4), Index(3, high=4), T(4, domain="positive", grad=False)),
    ], ref.nll_loss, path=F + "nll_loss", method=None, dtypes=FLOATS, tol=4, errors=[
        E(lambda lib: lib.nn.functional.nll_loss(lib.ones(1, 4), lib.tensor([4])), IndexError,
          "Target 4 is out of bounds.")]),
    Op("mse_loss", [S(T(2, 3), T(2, 3)), S(T(2, 3), T(2, 3), reduction="sum"), S(T(2, 3), T(2, 3), reduction="none"),
                    S(T(), T())], lambda a, b, reduction="mean": ref.reduce_loss((a - b) ** 2, reduction),
       path=F + "mse_loss", method=None, dtypes=FLOATS, tol=4, large=[S(T(300, 401), T(300, 401))]),
]

OPS = [*POINTWISE, *REDUCTIONS, *MATMULS, *SHAPES, *INDEXING, *NETWORKS]
NAMES = [op.name for op in OPS]
assert len(set(NAMES)) == len(NAMES), "an operator has two rows"
