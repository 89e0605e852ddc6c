"""What both libraries make of an expression: values, layout, the graph's name, gradients, errors."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from expressions import describe, values, walk
from library import tl

Arrays = dict[str, np.ndarray]


def lines(text: str) -> list[str]:
    """The expressions of a table: one a line, or several with bars between."""
    return [e.strip() for line in text.strip().split("\n") for e in line.split(" | ") if e.strip()]


def names(lib: Any, arrays: Arrays, dtype: str = "float64", requires_grad: bool = False) -> dict[str, Any]:
    """The arrays as tensors: floating ones of `dtype`, which may require gradients."""
    result = {"torch": lib, "F": lib.nn.functional, "nan": float("nan"), "inf": float("inf")}
    for name, array in arrays.items():
        t = lib.tensor(array.tolist(), dtype=getattr(lib, str(array.dtype))).reshape(array.shape)
        if array.dtype.kind == "f":
            t = t.to(getattr(lib, dtype)).requires_grad_(requires_grad)
        result[name] = t
    return result


def compute(lib: Any, expression: str, arrays: Arrays, dtype: str = "float64") -> list[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return walk(eval(expression, names(lib, arrays, dtype)))


def error(lib: Any, expression: str, arrays: Arrays) -> tuple[str, str]:
    """The type and the first sentence."""
    try:
        compute(lib, expression, arrays)
    except Exception as e:
        text = str(e).split("\n")[0].replace("tensorlite", "torch")
        return type(e).__name__, text.split(". ")[0].rstrip(".")
    raise AssertionError(f"{expression} raised nothing")


def gradients(lib: Any, expression: str, arrays: Arrays, dtype: str = "float64") -> tuple[str, list[Any]]:
    """The name of the first node, and the gradients of the inputs, each element of the result weighted otherwise."""
    leaves = names(lib, arrays, dtype, requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = [t for t in walk(eval(expression, leaves)) if t.requires_grad]
    weights = [((lib.arange(t.numel()).double() * 0.7).sin() + 0.3).to(t.dtype).reshape(t.shape) for t in results]
    inputs = [leaves[name] for name, a in arrays.items() if a.dtype.kind == "f"]
    grads = lib.autograd.grad(results, inputs, weights, allow_unused=True)
    return results[0].grad_fn.name(), list(grads)


def assert_parity(
    expression: str, arrays: Arrays, dtype: str = "float64", rtol: float = 1e-9, atol: float = 1e-10, views: bool = True
) -> None:
    """`views`: whether it matters which results are views."""
    import torch

    ours, theirs = (compute(lib, expression, arrays, dtype) for lib in (tl, torch))
    facts = slice(None) if views else slice(3)
    assert [describe(t)[facts] for t in ours] == [describe(t)[facts] for t in theirs]
    for a, b in zip(ours, theirs):
        np.testing.assert_allclose(values(a), values(b), rtol=rtol, atol=atol)


def assert_gradient_parity(
    expression: str, arrays: Arrays, rtol: float = 1e-8, atol: float = 1e-9, same_name: bool = True
) -> None:
    import torch

    (name, ours), (their_name, theirs) = (gradients(lib, expression, arrays) for lib in (tl, torch))
    # PyTorch numbers a node's name by the overload that its C++ calls.
    assert name.rstrip("01") == their_name.rstrip("01") or not same_name
    for a, b in zip(ours, theirs):
        assert (a is None) == (b is None)
        if a is not None:
            assert describe(a)[0] == describe(b)[0]
            np.testing.assert_allclose(values(a), values(b), rtol=rtol, atol=atol)


def assert_same_error(expression: str, arrays: Arrays) -> None:
    import torch

    ours, theirs = error(tl, expression, arrays), error(torch, expression, arrays)
    assert ours[0] == theirs[0]
    assert ours[1].startswith(theirs[1]) or theirs[1].startswith(ours[1])


def check_derivatives(expression: str, arrays: Arrays, inputs: str) -> None:
    """First and second derivatives with respect to the named inputs."""
    fixed = names(tl, arrays)
    leaves = [fixed[name].requires_grad_() for name in inputs.split()]

    def function(*tensors: Any) -> Any:
        return eval(expression, fixed | dict(zip(inputs.split(), tensors)))

    assert tl.autograd.gradcheck(function, leaves)
    assert tl.autograd.gradgradcheck(function, leaves)


def same_bits(function: Callable[[], Any], threads: tuple[int, ...] = (1, 2)) -> None:
    """Whether the result is the same for these numbers of threads."""
    before, results = tl.get_num_threads(), []
    try:
        for n in threads:
            tl.set_num_threads(n)
            results.append([t.detach().float().numpy().tobytes() for t in walk(function()) if t is not None])
    finally:
        tl.set_num_threads(before)
    assert all(r == results[0] for r in results)
