"""Checks every row of the operator table (optable.py)."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from library import IS_TENSORLITE, tl, torch
from optable import OPS
from samples import (
    COMPLEX,
    FLOATS,
    INTEGERS,
    LAYOUTS,
    Drawn,
    Op,
    S,
    arrays,
    assert_close,
    contiguous,
    draw,
    dtype_name,
    leaves,
    tensors,
    to_numpy,
    walk,
)


def rows(chosen: Any = lambda op: True) -> Any:
    return pytest.mark.parametrize("op", [op for op in OPS if chosen(op)], ids=str)


def samples(op: Op, dtype: str) -> list[S]:
    return [s for s in op.samples if dtype in s.dtypes]


def home(op: Op) -> str:
    """The dtype for checks that need only one."""
    return next(d for d in ("float32", "float64", *op.dtypes) if d in op.dtypes)


def expected(op: Op, drawn: Any, dtype: str) -> Any:
    """The reference's result, rounded to integers where the operator gives integers."""
    args, kwargs = arrays(drawn)
    return op.ref(*args, **kwargs)


def run(op: Op, lib: Any, drawn: Any, make: Any = contiguous) -> Any:
    args, kwargs = tensors(lib, drawn, make)
    return op.function(lib)(*args, **kwargs)


def result_dtypes(op: Op, drawn: Any, dtype: str, count: int) -> list[str]:
    if "dtype" in drawn[1]:
        return [drawn[1]["dtype"].name]
    return [op.result_dtype(dtype), *["int64"] * (count - 1)]  # max and min give indices beside values


# ---- values ----


@pytest.mark.sanitize
@pytest.mark.parametrize(
    ("op", "dtype"),
    [(op, dtype) for op in OPS for dtype in op.dtypes],
    ids=lambda v: v if isinstance(v, str) else v.name,
)
def test_values(op: Op, dtype: str) -> None:
    for sample in samples(op, dtype):
        drawn = draw(op, sample, dtype)
        got = run(op, tl, drawn)
        assert_close(tl, got, expected(op, drawn, dtype), op.tol, f"{op.name}{sample}")
        results = list(leaves(got))
        assert [dtype_name(r) for r in results] == result_dtypes(op, drawn, dtype, len(results)), f"{op.name}{sample}"


@pytest.mark.sanitize
@rows(lambda op: op.large)
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "int64", "int32", "uint8", "bool"])
def test_large(op: Op, dtype: str) -> None:
    """Vectors, tails, blocks and threads; and the same bits with one thread as with two."""
    if dtype not in op.dtypes:
        pytest.skip(f"no {dtype}")
    before = tl.get_num_threads()
    for sample in op.large:
        drawn = draw(op, sample, dtype)
        reference = expected(op, drawn, dtype)
        reach = max(v.values.size for v in leaves(drawn)) ** 0.5 if op.result == "sum" or op.tol > 2 else 1
        try:
            tl.set_num_threads(2)
            two = run(op, tl, drawn)
            tl.set_num_threads(1)
            one = run(op, tl, drawn)
        finally:
            tl.set_num_threads(before)
        if dtype in ("uint8", "bfloat16") and op.domain == "distinct":
            continue  # there are not enough different values for a certain place
        assert_close(tl, two, reference, op.tol * max(1, reach / 10), f"{op.name}{sample}")
        for a, b in zip(leaves(one), leaves(two)) if IS_TENSORLITE else ():
            assert to_numpy(tl, a).tobytes() == to_numpy(tl, b).tobytes(), (
                f"{op.name}{sample}: threads change the result"
            )


@rows(lambda op: op.special)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_special_values(op: Op, dtype: str) -> None:
    values = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 2.5], dtype)
    binary = sum(isinstance(a, (int, float)) or hasattr(a, "shape") for a in op.samples[0].args) == 2
    sets = [np.repeat(values, len(values)), np.tile(values, len(values))] if binary else [np.tile(values, 5)]
    if dtype not in op.dtypes:
        pytest.skip(f"no {dtype}")
    if op.name in ("logical_and", "logical_or", "logical_xor", "logical_not"):
        sets = [np.where(np.isnan(v), 1, v) for v in sets]
    drawn = tuple(Drawn(v.astype(np.float64), dtype) for v in sets), {}
    got = run(op, tl, drawn)
    assert_close(tl, got, expected(op, drawn, dtype), op.tol, op.name)


# ---- memory ----


@pytest.mark.sanitize
@rows(lambda op: op.layouts)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(op: Op, layout: str) -> None:
    """Permuted, sliced, offset and expanded inputs give what contiguous ones give."""
    if layout == "expanded" and (op.domain == "distinct" or "scatter" in op.name):
        pytest.skip("equal values have no certain place")
    for dtype in (home(op), "int32", "bfloat16"):
        if dtype not in op.dtypes:
            continue
        for sample in samples(op, dtype):
            drawn = draw(op, sample, dtype)
            if layout == "expanded":
                drawn = walk(drawn[0], spread), {k: walk(v, spread) for k, v in drawn[1].items()}
            got = run(op, tl, drawn, LAYOUTS[layout])
            assert_close(tl, got, expected(op, drawn, dtype), op.tol, f"{op.name}{sample}")


def spread(v: Any) -> Any:
    if not isinstance(v, Drawn) or not v.values.size or not v.values.ndim:
        return v
    return Drawn(np.broadcast_to(v.values[:1], v.values.shape), v.dtype)


@rows(lambda op: op.view)
def test_views_share_memory(op: Op) -> None:
    for sample in samples(op, home(op)):
        drawn = draw(op, sample, home(op))
        (source, *args), kwargs = tensors(tl, drawn)
        result = op.function(tl)(source, *args, **kwargs)
        if result.numel():
            assert result.data_ptr() == source.data_ptr(), f"{op.name}{sample}"
            source.fill_(7)
            assert (to_numpy(tl, result) == 7).all()


@pytest.mark.sanitize
@rows(lambda op: op.out)
def test_out(op: Op) -> None:
    if op.name == "matmul" and not IS_TENSORLITE:
        pytest.skip("PyTorch warns of a shape that the caller has not given")
    dtype = home(op)
    for sample in samples(op, dtype):
        drawn = draw(op, sample, dtype)
        args, kwargs = tensors(tl, drawn)
        result = op.function(tl)(*args, **kwargs)
        shape = tuple(result.shape)

        def call(out: Any, args: Any = args, kwargs: Any = kwargs) -> Any:
            return op.function(tl)(*args, out=out, **kwargs)

        right = tl.zeros(shape, dtype=result.dtype)
        pointer = right.data_ptr()
        assert call(right) is right and right.data_ptr() == pointer
        assert_same(right, result)
        empty = tl.empty(0, dtype=result.dtype)
        assert call(empty) is empty
        assert_same(empty, result)
        if result.numel() > 1 and result.dim() > 0:
            strided = tl.zeros([2 * n for n in shape], dtype=result.dtype)[tuple(slice(None, None, 2) for _ in shape)]
            stride = strided.stride()
            assert call(strided) is strided and strided.stride() == stride
            assert_same(strided, result)
        if result.numel():
            wrong = tl.zeros((*shape, 3), dtype=result.dtype)
            with pytest.warns(UserWarning, match="An output with one or more elements was resized"):
                call(wrong)
            assert_same(wrong, result)
        if op.grad and result.numel():
            leaf = tl.zeros(shape, dtype=result.dtype, requires_grad=True)
            with pytest.raises(RuntimeError, match="don't support automatic differentiation"):
                call(leaf)


def assert_same(a: Any, b: Any) -> None:
    assert a.dtype == b.dtype
    assert_close(tl, a, to_numpy(tl, b))


@rows(lambda op: op.out and op.result == "same" and "float32" in op.dtypes)
def test_out_of_a_lesser_dtype(op: Op) -> None:
    """A float result does not go into an integer tensor."""
    args, kwargs = tensors(tl, draw(op, op.samples[0], "float32"))
    with pytest.raises((RuntimeError, TypeError)):
        op.function(tl)(*args, out=tl.empty(0, dtype=tl.int64), **kwargs)


# ---- forms ----


@rows(lambda op: op.method)
def test_method(op: Op) -> None:
    for sample in samples(op, home(op)):
        args, kwargs = tensors(tl, draw(op, sample, home(op)))
        first, *rest = args
        method = getattr(first, op.method)(*rest, **kwargs)
        for a, b in zip(leaves(method), leaves(op.function(tl)(*args, **kwargs))):
            assert_same(a, b)


@pytest.mark.sanitize
@rows(lambda op: op.inplace)
def test_inplace(op: Op) -> None:
    for dtype in (home(op), "int32", "float64"):
        if dtype not in op.dtypes:
            continue
        for sample in samples(op, dtype):
            drawn = draw(op, sample, dtype)
            result = run(op, tl, drawn)
            for make in (contiguous, LAYOUTS["sliced"], LAYOUTS["permuted"]):
                (first, *rest), kwargs = tensors(tl, drawn, make)
                cast = result.dtype.is_floating_point and not first.dtype.is_floating_point
                if cast or result.shape != first.shape:
                    wrong = ["can't be cast"] * cast + ["doesn't match the broadcast shape"] * (result.shape != first.shape)
                    text = "|".join(wrong)
                    with pytest.raises(RuntimeError, match=text):
                        getattr(first, op.name + "_")(*rest, **kwargs)
                    continue
                pointer, stride, version = first.data_ptr(), first.stride(), first._version
                assert getattr(first, op.name + "_")(*rest, **kwargs) is first
                assert (first.data_ptr(), first.stride(), first._version) == (pointer, stride, version + 1)
                assert_same(first, result.to(first.dtype))


# ---- gradients ----


def differentiable(drawn: Any) -> list[Drawn]:
    return [v for v in leaves(drawn) if v.grad and v.dtype in ("float64", "complex128")]


def gradient_samples(op: Op) -> list[S]:
    return [s for s in op.samples if s.grad and "dtype" not in s.kwargs]


def as_function(op: Op, drawn: Any) -> tuple[Any, list[Any]]:
    """The operator as a function of its differentiable inputs alone, and those inputs."""
    places = differentiable(drawn)
    inputs = [contiguous(tl, v.values, v.dtype).requires_grad_() for v in places]

    def function(*given: Any) -> Any:
        by_place = {id(v): g for v, g in zip(places, given)}

        def one(v: Any) -> Any:
            return by_place.get(id(v), v)

        args, kwargs = walk(drawn[0], one), {k: walk(v, one) for k, v in drawn[1].items()}
        args, kwargs = tensors(tl, (args, kwargs))
        if op.layouts:  # a graph node between leaf and operator, and memory that is not contiguous
            args = walk(args, lambda a: a.t().clone().t() if getattr(a, "ndim", 0) == 2 and a.requires_grad else a)
        results = [r for r in leaves(op.function(tl)(*args, **kwargs)) if r.dtype.is_floating_point or r.is_complex()]
        return results[0] if len(results) == 1 else tuple(results)

    return function, inputs


@rows(lambda op: op.grad)
def test_gradcheck(op: Op) -> None:
    for dtype in ("float64", "complex128"):
        if dtype not in op.dtypes:
            continue
        for sample in gradient_samples(op):
            function, inputs = as_function(op, draw(op, sample, dtype))
            if all(i.numel() for i in inputs):
                assert tl.autograd.gradcheck(function, inputs), f"{op.name}{sample}"


@rows(lambda op: op.grad and op.gradgrad)
def test_gradgradcheck(op: Op) -> None:
    for sample in gradient_samples(op):
        function, inputs = as_function(op, draw(op, sample, "float64"))
        if all(0 < i.numel() <= 40 for i in inputs):
            assert tl.autograd.gradgradcheck(function, inputs), f"{op.name}{sample}"


@rows(lambda op: op.grad)
def test_gradient_of_empty_tensors(op: Op) -> None:
    for sample in gradient_samples(op):
        function, inputs = as_function(op, draw(op, sample, "float64"))
        if any(i.numel() == 0 for i in inputs):
            results = list(leaves(function(*inputs)))
            total = sum(r.sum() for r in results)
            for i, g in zip(inputs, tl.autograd.grad(total, inputs)):
                assert g.shape == i.shape and g.dtype == i.dtype


@rows(lambda op: not op.grad)
def test_results_without_gradient(op: Op) -> None:
    if "float32" not in op.dtypes:
        pytest.skip("no floating point")
    (first, *rest), kwargs = tensors(tl, draw(op, op.samples[0], "float32"))
    result = op.function(tl)(first.requires_grad_(), *rest, **kwargs)
    assert not result.requires_grad and result.grad_fn is None


# ---- errors ----


@pytest.mark.parametrize("case", [pytest.param(e, id=f"{op.name}-{i}") for op in OPS for i, e in enumerate(op.errors)])
def test_errors(case: Any) -> None:
    with pytest.raises(case.error) as caught:
        case.call(tl)
    own = case.text.replace("torch.", f"{tl.__name__}.")
    assert str(caught.value).startswith((case.text, own)), f"the text is {str(caught.value)!r}"


# ---- parity with PyTorch ----


def node_name(tensor: Any) -> str | None:
    return None if tensor.grad_fn is None else tensor.grad_fn.name()


@pytest.mark.parity
@rows()
@pytest.mark.parametrize("layout", ["contiguous", "permuted", "sliced"])
def test_parity(op: Op, layout: str) -> None:
    """Values, dtypes, shapes, strides, the gradient and the name of its node."""
    make = {"contiguous": contiguous, **LAYOUTS}[layout]
    if layout != "contiguous" and not op.layouts:
        pytest.skip("contiguous inputs only")
    for dtype in op.dtypes:
        for sample in samples(op, dtype):
            drawn = draw(op, sample, dtype, seed=1)
            what = f"{op.name}{sample}, {dtype}"
            ours, theirs = (with_gradient(op, lib, drawn, make, sample.grad) for lib in (tl, torch))
            for a, b in zip(leaves(ours[0]), leaves(theirs[0]), strict=True):
                assert dtype_name(a) == dtype_name(b), what
                assert tuple(a.stride()) == tuple(b.stride()) or not a.numel(), what
                assert a.requires_grad == b.requires_grad, what
                names = node_name(a), node_name(b)
                if op.name in ("matmul", "cross_entropy"):  # whose last step is of another kind, with another number
                    names = tuple(n and n.rstrip("0123456789") for n in names)
                assert names[0] == names[1], what
            assert_close(tl, ours[0], [to_numpy(torch, t) for t in leaves(theirs[0])], 2 * op.tol, what)
            assert_close(tl, ours[1], [to_numpy(torch, t) for t in theirs[1]], 2 * op.tol, f"gradient of {what}")


def with_gradient(op: Op, lib: Any, drawn: Any, make: Any, grad: bool) -> tuple[Any, list[Any]]:
    args, kwargs = tensors(lib, drawn, make)
    inputs = []
    if op.grad and grad:
        kinds = [v.grad for v in leaves(drawn)]
        found = leaves([args, list(kwargs.values())])
        inputs = [
            t.requires_grad_() for t, g in zip(found, kinds) if g and (t.dtype.is_floating_point or t.is_complex())
        ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = op.function(lib)(*args, **kwargs)
    total = [r.abs().pow(2).sum() if r.is_complex() else (r * r).sum() for r in leaves(result) if r.requires_grad]
    if not total:
        return result, []
    return result, [g for g in lib.autograd.grad(sum(total), inputs, allow_unused=True) if g is not None]


ARITHMETIC = ("add", "sub", "mul", "div", "pow", "maximum", "minimum", "eq", "lt", "where")
EVERY = ("bool", *INTEGERS, *FLOATS, *COMPLEX)


@pytest.mark.parity
@pytest.mark.parametrize("name", ARITHMETIC)
def test_promotion(name: str) -> None:
    """The result's dtype for every pair of dtypes, with tensors, 0-dim tensors and Python numbers."""

    def outcome(lib: Any, a: Any, b: Any) -> str:
        try:
            if name == "where":
                return dtype_name(lib.where(lib.ones(2, dtype=lib.bool), a, b))
            return dtype_name(getattr(lib, name)(a, b))
        except (RuntimeError, NotImplementedError, TypeError) as error:
            return "complex32" if "ComplexHalf" in str(error) else type(error).__name__

    def compare(what: str, a: Callable[[Any], Any], b: Callable[[Any], Any]) -> None:
        ours, theirs = (outcome(lib, a(lib), b(lib)) for lib in (tl, torch))
        assert ours == theirs or theirs == "complex32", what  # which tensorlite does not have

    warnings.filterwarnings("ignore", "ComplexHalf support is experimental")

    def one(shape: Any, dtype: str) -> Callable[[Any], Any]:
        return lambda lib: lib.ones(shape, dtype=getattr(lib, dtype))

    for a in EVERY:
        for b in EVERY:
            for x, y in (((2,), (2,)), ((2,), ()), ((), (2,)), ((), ())):
                compare(f"{name} of {a} {x} and {b} {y}", one(x, a), one(y, b))
        for number in (True, 2, 1.5, 1j):
            for shape in ((2,), ()):
                if name not in ("maximum", "minimum"):
                    compare(f"{name} of {a} {shape} and {number!r}", one(shape, a), lambda _, number=number: number)
