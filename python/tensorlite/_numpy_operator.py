"""What `linalg` and `fft` share: operators whose values NumPy computes.

A derivative is an `autograd.Function` whose forward works on arrays and whose backward is made of public operators. The
public functions on top of them check, compose, and are decorated with `operator`, which looks after `out=`, the named
tuples, and arguments that are no tensors.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from . import _C
from ._out import write_out
from .autograd import Function

Tensor = _C.Tensor

# The named tuples by the name of their operator.
result_types: dict[str, Any] = {}


def array(t: Tensor) -> np.ndarray:
    """The tensor's memory as an array; a copy on the host of what lies on a device."""
    return t.detach().cpu().numpy()


def tensor(a: Any, like: Tensor, dtype: Any = None) -> Tensor:
    """A tensor of an array's memory, or of a copy on the device of `like`.

    `dtype` is what it is wanted in (older NumPy computes in double).
    """
    t = _C.from_numpy(np.asarray(a))
    if dtype is not None and t.dtype != dtype:
        t = t.to(dtype)
    return t if like.device.type == "cpu" else t.to(like.device)


def column_major(a: np.ndarray) -> np.ndarray:
    """Matrices in the order in which LAPACK leaves its results, and PyTorch with it."""
    return np.ascontiguousarray(a.swapaxes(-2, -1)).swapaxes(-2, -1)


def node(name: str) -> Callable[[type], type]:
    """Gives the nodes of a Function the name that PyTorch's have. Gradients that do not arrive are None."""

    def rename(function: type) -> type:
        function._context.__name__ = function._context.__qualname__ = name
        function._context.materialize_grads = False
        return function

    return rename


@node("CloneBackward0")
class ColumnMajor(Function):
    """A copy in the order of LAPACK; subclasses give its node the name of the operator that it ends."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return tensor(np.array(array(x).swapaxes(-2, -1), order="C").swapaxes(-2, -1), x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor | None) -> Any:
        return grad


def operator(
    name: str = "", fields: str = "", keep_strides: bool | Callable[[Tensor], bool] = True
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorates a public function, whose parameter `out` is seen here only.

    `name` is the one in messages, by default the function's; `fields` are those of its named tuple.
    """

    def decorate(f: Callable[..., Any]) -> Callable[..., Any]:
        label = name or f.__name__
        kind = _C._named_tuple(label, fields.split()) if fields else None
        if kind:
            result_types[label] = kind

        names = f.__code__.co_varnames[: f.__code__.co_argcount]
        tensors = [(i, x) for i, x in enumerate(names) if f.__annotations__.get(x) == "Tensor"]
        missing = object()

        @functools.wraps(f)
        def call(*args: Any, out: Any = None, **kwargs: Any) -> Any:
            for i, (position, argument) in enumerate(tensors):
                value = args[position] if position < len(args) else kwargs.get(argument, missing)
                if not isinstance(value, Tensor) and value is not missing:
                    raise TypeError(
                        f"{label}(): argument '{argument}' (position {position + 1}) must be Tensor, not "
                        f"{type(value).__name__}"
                    )
                if i == 0:
                    first = value
            result = f(*args, **kwargs)
            if out is not None:
                keep = keep_strides(first) if callable(keep_strides) else keep_strides
                if isinstance(result, tuple):
                    result = tuple(write_out(label, o, r, keep) for o, r in zip(out, result, strict=True))
                else:
                    result = write_out(label, out, result, keep)
            return kind(result) if kind else result

        return call

    return decorate
