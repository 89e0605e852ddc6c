"""Gradients by backward differentiation."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from .. import _C
from . import graph
from .function import Function
from .grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled, set_multithreading_enabled
from .variable import Variable

__all__ = [
    "Function", "Variable", "backward", "detect_anomaly", "enable_grad", "functional", "grad", "gradcheck",
    "gradgradcheck", "graph", "inference_mode", "no_grad", "set_detect_anomaly", "set_grad_enabled",
    "set_multithreading_enabled",
]  # fmt: skip

Tensor = _C.Tensor


def _tuple(x: Any) -> tuple[Any, ...]:
    return (x,) if isinstance(x, Tensor) or x is None else tuple(x)


def _seeds(outputs: tuple[Any, ...], grads: tuple[Any, ...]) -> list[Any]:
    """A first gradient for each output: the given one, or 1 for a scalar."""
    seeds = []
    for output, grad in zip(outputs, grads, strict=True):
        if isinstance(grad, Tensor):
            if grad.shape != output.shape:
                raise RuntimeError(
                    f"Mismatch in shape: grad_output[{len(seeds)}] has a shape of {grad.shape} and "
                    f"output[{len(seeds)}] has a shape of {output.shape}."
                )
            if output.dtype.is_complex != grad.dtype.is_complex:
                raise RuntimeError(
                    "For complex Tensors, both grad_output and output are required to have the same dtype. Mismatch "
                    f"in dtype: grad_output[{len(seeds)}] has a dtype of {grad.dtype} and output[{len(seeds)}] has a "
                    f"dtype of {output.dtype}."
                )
            seeds.append(grad)
        elif grad is None:
            if output.requires_grad:
                if output.numel() != 1:
                    raise RuntimeError("grad can be implicitly created only for scalar outputs")
                if not output.dtype.is_floating_point:
                    raise RuntimeError(
                        "grad can be implicitly created only for real scalar outputs but got " + str(output.dtype)
                    )
                seeds.append(_C.ones_like(output))
            else:
                seeds.append(None)
        else:
            raise TypeError(f"gradients can be either Tensors or None, but got {type(grad).__name__}")
    return seeds


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
) -> None:
    """Adds to the `.grad` of the leaves (or of `inputs`) the gradient of the sum of `tensors`.

    grad_tensors: a gradient for each tensor that is no scalar. retain_graph: keep what the graph saved for another
    backward (by default as create_graph). create_graph: record the backward itself, for higher derivatives.
    """
    if inputs is not None and not isinstance(inputs, Tensor) and len(inputs) == 0:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    if grad_variables is not None:
        warnings.warn("`grad_variables` is deprecated. Use `grad_tensors` instead.", FutureWarning, stacklevel=2)
        grad_tensors = grad_variables if grad_tensors is None else grad_tensors
    tensors = _tuple(tensors)
    grads = _tuple(grad_tensors) if grad_tensors is not None else (None,) * len(tensors)
    for g in grads:
        if g is not None and not isinstance(g, Tensor):
            raise TypeError(f"gradients can be either Tensors or None, but got {type(g).__name__}")
    if len(grads) != len(tensors):
        raise RuntimeError(f"got {len(tensors)} tensors and {len(grads)} gradients")
    seeds = _seeds(tensors, grads)
    if retain_graph is None:
        retain_graph = create_graph
    if create_graph:
        warnings.warn(
            "Using backward() with create_graph=True will create a reference cycle between the parameter and its "
            "gradient which can cause a memory leak. We recommend using autograd.grad when creating the graph to avoid "
            "this. If you have to use this function, make sure to reset the .grad fields of your parameters to None "
            "after use to break the cycle and avoid the leak.",
            stacklevel=3,
        )
    wanted = None if inputs is None else _tuple(inputs)
    _C._run_backward(tensors, seeds, retain_graph, create_graph, wanted, True, True)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """The gradients of the sum of `outputs` with respect to `inputs`, one for each; `.grad` stays as it is."""
    if is_grads_batched:
        raise RuntimeError("autograd.grad: is_grads_batched=True needs vmap, which is not there. Call grad in a loop.")
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )
    allow_unused = materialize_grads if allow_unused is None else allow_unused
    if not only_inputs:
        warnings.warn(
            "only_inputs argument is deprecated and is ignored now (defaults to True).", FutureWarning, stacklevel=2
        )
    outputs, wanted = _tuple(outputs), _tuple(inputs)
    if not wanted:
        raise RuntimeError("`inputs` argument to `grad()` cannot be empty.")
    grads = _tuple(grad_outputs) if grad_outputs is not None else (None,) * len(outputs)
    if len(grads) != len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(grads)} gradients")
    seeds = _seeds(outputs, grads)
    if retain_graph is None:
        retain_graph = create_graph
    results = _C._run_backward(outputs, seeds, retain_graph, create_graph, wanted, False, allow_unused)
    if materialize_grads:
        results = tuple(
            _C.zeros_like(x, requires_grad=create_graph) if g is None else g
            for g, x in zip(results, wanted, strict=True)
        )
    return results


def __getattr__(name: str) -> Any:
    if name in ("functional", "anomaly_mode", "profiler"):
        import importlib

        return importlib.import_module(f"{__name__}.{name}")
    if name in ("gradcheck", "gradgradcheck", "GradcheckError"):
        import importlib

        module = importlib.import_module(f"{__name__}.gradcheck")
        globals().update({n: getattr(module, n) for n in ("gradcheck", "gradgradcheck", "GradcheckError")})
        return globals()[name]
    if name in ("detect_anomaly", "set_detect_anomaly"):
        from . import anomaly_mode

        return getattr(anomaly_mode, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
