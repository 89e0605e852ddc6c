"""Expressions that both libraries evaluate, and what is compared: values, layout, views, errors, graphs and gradients."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from library import settle


def namespace(lib: Any, requires_grad: bool = False) -> dict[str, Any]:
    """The tensors that expressions speak of."""

    def ramp(*shape: int) -> Any:
        return (lib.arange(float(np.prod(shape))) * 0.5 - 1).reshape(shape)

    leaves = {
        "x": ramp(4, 6),
        "v": ramp(6),
        "s": lib.tensor(1.5),
        "x3": ramp(2, 3, 4),
        "z": ramp(3, 4, 2),
        "e": lib.zeros(0, 3),
    }
    for leaf in leaves.values():
        leaf.requires_grad_(requires_grad)
    i = lib.tensor([[0, 1, 1], [2, 1, 0]])
    return leaves | {
        "torch": lib,
        "np": np,
        "i": i,
        "j": lib.tensor([0, 2, 2]),
        "m": leaves["x"].detach() > 3,
        "rows": lib.tensor([True, False, True, False]),
    }


def walk(result: Any) -> list[Any]:
    if isinstance(result, (list, tuple)):
        return [t for r in result for t in walk(r)]
    return [result]


def values(t: Any) -> Any:
    """Nested lists of the values; complex ones as pairs."""
    t = t.detach()
    if t.is_complex():
        t = type(t).clone(t)
        return np.asarray(t.resolve_conj().tolist() if hasattr(t, "resolve_conj") else t.tolist())
    return np.asarray(t.tolist(), dtype=np.float64)


def describe(t: Any) -> Any:
    if not hasattr(t, "storage_offset"):
        return t
    view = t._base is not None
    return tuple(t.shape), t.stride(), str(t.dtype).split(".")[1], t.storage_offset() if view else 0, view


def evaluate(lib: Any, expression: str) -> list[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return walk(eval(expression, namespace(lib)))


def graph(lib: Any, expression: str) -> list[str]:
    """Names along the first edge of the graph, up to the leaf."""
    names = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = walk(eval(expression, namespace(lib, requires_grad=True)))
    node = result[0].grad_fn
    while node is not None:
        names.append(node.name().split("::")[-1])
        node = node.next_functions[0][0] if node.next_functions else None
    return names


def gradients(lib: Any, expression: str) -> list[Any]:
    """Gradients of the results, each element weighted otherwise."""
    names = namespace(lib, requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = walk(eval(expression, names))
        return _gradients(lib, names, results)


def _gradients(lib: Any, names: dict[str, Any], results: list[Any]) -> list[Any]:
    results = [lib.view_as_real(t) if t.is_complex() else t for t in results]
    weights = [lib.arange(1.0, t.numel() + 1).reshape(t.shape) for t in results]
    inputs = [names[k] for k in ("x", "v", "s", "x3", "z", "e")]
    return list(lib.autograd.grad(results, inputs, weights, allow_unused=True))


def error(lib: Any, expression: str) -> tuple[str, str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            eval(expression, namespace(lib))
            settle()
    except Exception as e:
        return type(e).__name__, str(e).split("\n")[0].replace("tensorlite", "torch")
    raise AssertionError(f"{expression} raised nothing")


def assert_same(ours: list[Any], theirs: list[Any], layout: bool = True) -> None:
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs):
        if layout:
            assert describe(a) == describe(b)
        if hasattr(b, "storage_offset"):
            np.testing.assert_allclose(values(a), values(b), rtol=1e-6)


def assert_same_gradients(ours: list[Any], theirs: list[Any]) -> None:
    for a, b in zip(ours, theirs):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_allclose(values(a), values(b), rtol=1e-5, atol=1e-6)
