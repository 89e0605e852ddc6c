"""Jacobians, Hessians and products with them, of functions from tensors to tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorlite as tl

from .._names import qualname

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

_NO_GRAPH = (
    "Output {} of the user-provided function does not require gradients. The outputs must be "
    "computed in a differentiable manner from the input when running in strict mode."
)
_CONSTANT = "The output of the user-provided function is independent of input {}. This is not allowed in strict mode."
_LINEAR = (
    "The jacobian of the user-provided function is independent of input {}. "
    "This is not allowed in strict mode when create_graph=True."
)
_LINEAR_HESSIAN = (
    "While computing the hessian, found that the jacobian of the user-provided function with "
    "respect to input {} is independent of the input. This is not allowed in strict mode. You "
    "should ensure that your function is twice differentiable and that the jacobian depends on the "
    "inputs (this would be violated by a linear function for example)."
)


def _tuple_of(x: Any, what: str, caller: str) -> tuple[bool, tuple]:
    """(whether it was a tuple, as a tuple of tensors)."""
    is_tuple = isinstance(x, tuple)
    rule = f"The {what} given to {caller} must be either a Tensor or a tuple of Tensors but the"
    if not is_tuple:
        x = (x,)
    for i, element in enumerate(x):
        if not isinstance(element, tl.Tensor):
            where = f"value at index {i}" if is_tuple else f"given {what}"
            raise TypeError(f"{rule} {where} has type {type(element)}.")
    return is_tuple, tuple(x)


def _call(func: Callable, inputs: Any, caller: str, strict: bool, linked: bool) -> tuple[bool, tuple, bool, tuple]:
    """Calls func on copies of the inputs that require grad.

    The copies stay linked to the caller's graph if `linked`, so that results can be differentiated.
    """
    many_in, inputs = _tuple_of(inputs, "inputs", caller)
    inputs = tuple(x.view_as(x) if linked and x.requires_grad else x.detach().requires_grad_() for x in inputs)
    what = "outputs of the user-provided function"
    many_out, outputs = _tuple_of(func(*inputs), what, caller)
    if strict:
        _require_graph(outputs, _NO_GRAPH)
    return many_in, inputs, many_out, outputs


def _require_graph(tensors: Sequence[Any], message: str) -> None:
    for i, t in enumerate(tensors):
        if not t.requires_grad:
            raise RuntimeError(message.format(i))


def _grad(outputs: Sequence, inputs: Sequence, grad_outputs: Sequence, create_graph: bool) -> tuple:
    """autograd.grad that passes over outputs without a graph; None where there is no path."""
    pairs = [(o, g) for o, g in zip(outputs, grad_outputs, strict=True) if o.requires_grad]
    if not pairs:
        return (None,) * len(inputs)
    outs, grads = zip(*pairs, strict=True)
    return tl.autograd.grad(outs, inputs, grads, retain_graph=True, create_graph=create_graph, allow_unused=True)


def _filled(grads: Sequence, like: Sequence, strict: bool, message: str, linear: str | None = None) -> tuple:
    """Zeros for the missing gradients; in strict mode an error instead.

    With `linear`, gradients that carry no graph themselves are an error in strict mode too.
    """
    result = []
    for i, (g, x) in enumerate(zip(grads, like, strict=True)):
        if strict and g is None:
            raise RuntimeError(message.format(i))
        if strict and linear is not None and not g.requires_grad:
            raise RuntimeError(linear.format(i))
        result.append(tl.zeros_like(x) if g is None else g)
    return tuple(result)


def _vectors(v: Any, like: tuple, many: bool, caller: str, default: bool, missing: str) -> tuple:
    """Checks v against the tensors it multiplies."""
    if v is None:
        if not default:
            raise RuntimeError(f"The vector v can only be None if {missing} with a single element.")
        return (tl.ones_like(like[0]),)
    _, v = _tuple_of(v, "v", caller)
    if len(v) != len(like):
        if many:
            raise RuntimeError(f"v is a tuple of invalid length: should be {len(like)} but got {len(v)}.")
        raise RuntimeError("The given v should contain a single Tensor.")
    for i, (a, b) in enumerate(zip(v, like, strict=True)):
        if a.shape != b.shape:
            entry = f"Entry {i} in v" if many else "v"
            raise RuntimeError(f"{entry} has invalid size: should be {b.shape} but got {a.shape}.")
    return v


_ONE_INPUT = "the input to the user-provided function is a single Tensor"
_ONE_OUTPUT = "the user-provided function returns a single Tensor"


def _given_back(tensors: tuple, many: bool, create_graph: bool) -> Any:
    if not create_graph:
        tensors = tuple(t.detach() for t in tensors)
    return tensors if many else tensors[0]


def _single_value(outputs: tuple, many: bool, caller: str) -> None:
    if many:
        raise RuntimeError(f"The function given to {caller} should return a single Tensor")
    if outputs[0].numel() != 1:
        raise RuntimeError(f"The Tensor returned by the function given to {caller} should contain a single element")
    if outputs[0].dim() > 1:
        raise RuntimeError(f"The Tensor returned by the function given to {caller} should be 0- or 1-dimensional")


def vjp(
    func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """(func(inputs), v^T J): the product of a vector of the outputs' shape with the Jacobian.

    v may be left out for a function to one element. With `create_graph` the results can be
    differentiated; with `strict` an output that does not depend on an input is an error.
    """
    with tl.enable_grad():
        many_in, inputs, many_out, outputs = _call(func, inputs, "vjp", strict, create_graph)
        one = len(outputs) == 1 and outputs[0].numel() == 1
        v = _vectors(v, outputs, many_out, "vjp", one, _ONE_OUTPUT)
    with tl.set_grad_enabled(create_graph or tl.is_grad_enabled()):
        grads = _grad(outputs, inputs, v, create_graph)
        result = _filled(grads, inputs, strict, _CONSTANT, _LINEAR if create_graph else None)
    return (
        _given_back(outputs, many_out, create_graph),
        _given_back(result, many_in, create_graph),
    )


def jvp(
    func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """(func(inputs), J v): the product of the Jacobian with a vector of the inputs' shape.

    v^T J is linear in v, and its derivative with respect to v is J: so this is a backward pass
    through a backward pass (Townsend, "A new trick for calculating Jacobian vector products", 2017).
    """
    with tl.enable_grad():
        many_in, inputs, many_out, outputs = _call(func, inputs, "jvp", strict, create_graph)
        one = len(inputs) == 1 and inputs[0].numel() == 1
        v = _vectors(v, inputs, many_in, "jvp", one, _ONE_INPUT)
        probes = tuple(tl.zeros_like(o).requires_grad_() for o in outputs)
        grads = _grad(outputs, inputs, probes, True)
        grads = _filled(grads, inputs, strict, _CONSTANT)
        if strict and create_graph:
            # J must depend on the inputs; the linear dependence on the probes does not count.
            _, *used = _grad(grads, (probes[0], *inputs), [tl.zeros_like(g) for g in grads], True)
            _filled(used, inputs, True, _LINEAR)
    with tl.set_grad_enabled(create_graph or tl.is_grad_enabled()):
        products = _grad(grads, probes, v, create_graph)
        result = _filled(products, outputs, False, "")
    return (
        _given_back(outputs, many_out, create_graph),
        _given_back(result, many_out, create_graph),
    )


def _hessian_product(
    caller: str, func: Callable, inputs: Any, v: Any, create_graph: bool, strict: bool
) -> tuple[Any, Any]:
    with tl.enable_grad():
        many_in, inputs, many_out, outputs = _call(func, inputs, caller, strict, create_graph)
        _single_value(outputs, many_out, caller)
        one = len(inputs) == 1 and inputs[0].numel() == 1
        v = _vectors(v, inputs, many_in, caller, one, _ONE_INPUT)
        grads = _grad(outputs, inputs, [tl.ones_like(o) for o in outputs], True)
        grads = _filled(grads, inputs, strict, _CONSTANT, _LINEAR_HESSIAN)
    with tl.set_grad_enabled(create_graph or tl.is_grad_enabled()):
        products = _grad(grads, inputs, v, create_graph)
        result = _filled(products, inputs, strict, _LINEAR_HESSIAN)
    return (
        _given_back(outputs, False, create_graph),
        _given_back(result, many_in, create_graph),
    )


def vhp(
    func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """(func(inputs), v^T H): the product of a vector with the Hessian of a function to one element."""
    return _hessian_product("vhp", func, inputs, v, create_graph, strict)


def hvp(
    func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """(func(inputs), H v): the product of the Hessian of a function to one element with a vector.

    A Hessian is symmetric, so this is `vhp`, which takes one backward pass less than H v by way of
    `jvp` would.
    """
    return _hessian_product("hvp", func, inputs, v, create_graph, strict)


def _basis(t: Any) -> Any:
    """Tensors of t's shape with a single one, at each place in turn."""
    eye = tl.zeros(t.numel(), dtype=t.dtype, device=t.device)
    for i in range(t.numel()):
        e = eye.clone()
        e[i] = 1
        yield e.view(t.shape)


def jacobian(
    func: Callable,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian of func: a tensor of shape output.shape + input.shape.

    A tuple over the inputs if they are a tuple, in a tuple over the outputs if they are one.
    `vectorize` and `strategy` are accepted; the rows are computed by one backward pass each.
    """
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError(
            'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your '
            'function has more outputs than inputs, "forward-mode" tends to be more performant. '
            'Otherwise, prefer to use "reverse-mode".'
        )
    if strategy == "forward-mode" and not vectorize:
        raise NotImplementedError(
            "Computing Jacobian using forward-AD or forward-over-reverse Hessian is only "
            "implemented for `vectorize=True`."
        )
    if strict and vectorize:
        raise RuntimeError(
            f"{qualname('autograd.functional.jacobian')}: `strict=True` and `vectorized=True` are "
            "not supported together. Please either set `strict=False` or `vectorize=False`."
        )
    with tl.enable_grad():
        many_in, inputs, many_out, outputs = _call(func, inputs, "jacobian", strict, create_graph)
        blocks = []
        for i, out in enumerate(outputs):
            if out.is_complex():
                raise RuntimeError(
                    "grad can be implicitly created only for real scalar outputs but got "
                    f"{out.dtype}. Take the jacobian of the real and the imaginary part."
                )
            constant = (
                f"Output {i} of the user-provided function is independent of input {{}}. "
                "This is not allowed in strict mode."
            )
            linear = _LINEAR if create_graph else None
            rows = [
                _filled(_grad((out,), inputs, (e,), create_graph), inputs, strict, constant, linear)
                for e in _basis(out)
            ]
            columns = zip(*rows, strict=True) if rows else ((),) * len(inputs)
            blocks.append(
                tuple(
                    tl.stack(column).view(tuple(out.shape) + tuple(x.shape))
                    if column
                    else x.new_zeros(tuple(out.shape) + tuple(x.shape))
                    for column, x in zip(columns, inputs, strict=True)
                )
            )
    result = tuple(_given_back(block, many_in, create_graph) for block in blocks)
    return result if many_out else result[0]


def hessian(
    func: Callable,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The Hessian of a function to one element: the Jacobian of its gradient.

    A tensor of shape input.shape + input.shape, or a tuple of tuples of them for several inputs.
    """
    many_in, inputs = _tuple_of(inputs, "inputs", "hessian")
    if outer_jacobian_strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode".')

    def value(*xs: Any) -> Any:
        many_out, outputs = _tuple_of(func(*xs), "outputs of the user-provided function", "hessian")
        _single_value(outputs, many_out, "hessian")
        if strict:
            _require_graph(outputs, _NO_GRAPH)
        return outputs[0].reshape(())

    def gradient(*xs: Any) -> Any:
        result = jacobian(value, xs, create_graph=True)
        if strict:
            _require_graph(result, _LINEAR_HESSIAN)
        return result

    result = jacobian(
        gradient,
        inputs,
        create_graph=create_graph,
        strict=strict,
        vectorize=vectorize,
        strategy=outer_jacobian_strategy,
    )
    return result if many_in else result[0][0]
