"""Operators of the user's own: `autograd.Function`."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

from .. import _C
from .grad_mode import no_grad

__all__ = ["Function", "FunctionCtx", "NestedIOFunction", "once_differentiable"]

Tensor = _C.Tensor


class FunctionCtx(_C.Node):
    """The `ctx` of a Function: what forward leaves for backward. It is the node of the graph as well."""

    materialize_grads = True
    _to_save: tuple[Any, ...] = ()
    _dirty: tuple[Any, ...] = ()
    _non_differentiable: tuple[Any, ...] = ()

    def save_for_backward(self, *tensors: Any) -> None:
        """Keeps tensors for backward, guarded against in-place changes; read them as `ctx.saved_tensors`."""
        self._to_save = tensors

    def save_for_forward(self, *tensors: Any) -> None:
        """Keeps tensors for `jvp`, which tensorlite does not call."""

    def mark_dirty(self, *tensors: Any) -> None:
        """Names the inputs that forward has changed in place."""
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Names the outputs that carry no gradient."""
        self._non_differentiable = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether backward gets zeros (the default) or None for outputs that no gradient reaches."""
        self.materialize_grads = value

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        return _C._function_saved(self)

    saved_variables = saved_tensors

    def _apply(self, *grads: Any) -> tuple[Any, ...]:
        if self.materialize_grads:
            grads = tuple(
                _zeros(*facts) if g is None else g for g, facts in zip(grads, _C._function_outputs(self), strict=True)
            )
        cls = self._function
        backward = cls.backward
        if backward is Function.backward and cls.vjp is not Function.vjp:
            backward = cls.vjp
        results = backward(self, *grads)
        if not isinstance(results, tuple):
            results = (results,)
        count = len(self._is_tensor)
        name = type(self).__name__
        if len(results) < count or any(r is not None for r in results[count:]):
            raise RuntimeError(
                f"function {name} returned an incorrect number of gradients (expected {count}, got {len(results)})"
            )
        out = []
        for i, (is_tensor, result) in enumerate(zip(self._is_tensor, results, strict=False)):
            if is_tensor:
                out.append(result)
            elif result is not None:
                raise RuntimeError(
                    f"function {name} returned a gradient different from None at position {i + 1}, "
                    "but the corresponding forward input was not a Variable"
                )
        return tuple(out)


def _zeros(shape: Any, dtype: Any, device: Any) -> Any:
    return _C.zeros(shape, dtype=dtype, device=device)


class _FunctionMeta(type):
    """Gives every Function its class of contexts, named as its node: `MyFunctionBackward`."""

    def __init__(cls, name: str, bases: tuple[type, ...], attributes: dict[str, Any]) -> None:
        super().__init__(name, bases, attributes)
        cls._context = type(
            name + "Backward",
            (FunctionCtx,),
            {"_function": cls, "__module__": f"{_C._package_name()}.autograd.function"},
        )


class Function(metaclass=_FunctionMeta):
    """Base of operators with a backward of their own.

    Subclasses define static methods `forward(ctx, *args)`, or `forward(*args)` with
    `setup_context(ctx, inputs, output)`, and `backward(ctx, *grads)`, which gives one gradient (or None) for each
    argument of forward. Call `apply`.
    """

    _context: type

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warnings.warn(
            f"{type(self)} should not be instantiated. Methods on autograd functions are all static, so you should "
            "invoke them on the class itself. Instantiating an autograd function will raise an error in a future "
            "version of PyTorch.",
            DeprecationWarning,
            stacklevel=2,
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. Please use new-style autograd "
            "function with static forward method."
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Computes the output. Override it."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """Leaves in `ctx` what backward needs, where forward takes no ctx. Override it together with such a forward."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """The gradients of forward's arguments from those of its outputs. Override it."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with "
            "backward mode AD."
        )

    vjp = backward

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Runs forward and records it."""
        ctx = cls._context()
        tensors = [a for a in args if isinstance(a, Tensor)]
        ctx._is_tensor = [isinstance(a, Tensor) for a in args]
        record = _C.is_grad_enabled() and any(t.requires_grad for t in tensors)
        ctx.needs_input_grad = tuple(isinstance(a, Tensor) and a.requires_grad for a in args)
        if record:
            _C._function_connect(ctx, tensors)
        with no_grad():
            if cls.setup_context is Function.setup_context:
                output = cls.forward(ctx, *args, **kwargs)
            else:
                output = cls.forward(*args, **kwargs)
                cls.setup_context(ctx, args, output)
        single = not isinstance(output, tuple)
        outputs = (output,) if single else output
        linked = []
        for o in outputs:
            if not isinstance(o, Tensor):
                linked.append(o)
                continue
            dirty = any(o is d for d in ctx._dirty)
            differentiable = not any(o is d for d in ctx._non_differentiable)
            is_input = any(o is t for t in tensors)
            linked.append(_C._function_link(ctx, o, dirty, is_input, differentiable, record))
        if record:
            # Saved inputs that came back as outputs are views by now: keep what was saved as it was.
            _C._function_save(ctx, ctx._to_save, outputs)
        for name in ("_to_save", "_dirty", "_non_differentiable"):
            ctx.__dict__.pop(name, None)
        return linked[0] if single else tuple(linked)


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Decorates a backward that is not made of recorded operators: differentiating it again raises."""

    @functools.wraps(backward)
    def wrapper(ctx: Any, *grads: Any) -> Any:
        record = _C.is_grad_enabled() and any(isinstance(g, Tensor) and g.requires_grad for g in grads)
        with no_grad():
            results = backward(ctx, *grads)
        if not record:
            return results
        single = not isinstance(results, tuple)
        inputs = [g for g in grads if isinstance(g, Tensor)]
        values = (results,) if single else results
        refused = tuple(_Refuse.apply(r.detach(), *inputs) if isinstance(r, Tensor) else r for r in values)
        return refused[0] if single else refused

    return wrapper


class _Refuse(Function):
    @staticmethod
    def forward(ctx: Any, result: Any, *grads: Any) -> Any:
        return result.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable")


NestedIOFunction = Function
