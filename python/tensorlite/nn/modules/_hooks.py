"""Hooks for all modules, and how the backward hooks of one call are run."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import tensorlite as _tl

from ...utils.hooks import RemovableHandle
from ._registry import _REGISTRIES

if TYPE_CHECKING:
    from .module import Module

Tensor = _tl.Tensor

# Hooks for all modules.
_global_forward_pre_hooks: OrderedDict = OrderedDict()
_global_forward_hooks: OrderedDict = OrderedDict()
_global_forward_hooks_with_kwargs: OrderedDict = OrderedDict()
_global_forward_hooks_always_called: OrderedDict = OrderedDict()
_global_backward_pre_hooks: OrderedDict = OrderedDict()
_global_backward_hooks: OrderedDict = OrderedDict()
_global_registration_hooks: dict[str, OrderedDict] = {name: OrderedDict() for name in _REGISTRIES}


def _register(hooks: OrderedDict, hook: Callable, *options: OrderedDict, prepend: bool = False) -> RemovableHandle:
    handle = RemovableHandle(hooks, extra_dict=options)
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def _hook_all_modules() -> None:
    from .module import Module

    Module._hooked = True


def register_module_forward_pre_hook(hook: Callable) -> RemovableHandle:
    """Calls ``hook(module, args)`` before every module's ``forward``; see ``Module.register_forward_pre_hook``."""
    _hook_all_modules()
    return _register(_global_forward_pre_hooks, hook)


def register_module_forward_hook(
    hook: Callable, *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Calls ``hook(module, args, output)`` after every module's ``forward``; see ``Module.register_forward_hook``."""
    _hook_all_modules()
    handle = _register(
        _global_forward_hooks, hook, _global_forward_hooks_with_kwargs, _global_forward_hooks_always_called
    )
    if with_kwargs:
        _global_forward_hooks_with_kwargs[handle.id] = True
    if always_call:
        _global_forward_hooks_always_called[handle.id] = True
    return handle


def register_module_full_backward_pre_hook(hook: Callable) -> RemovableHandle:
    """Calls ``hook(module, grad_output)`` before every module's backward."""
    _hook_all_modules()
    return _register(_global_backward_pre_hooks, hook)


def register_module_full_backward_hook(hook: Callable) -> RemovableHandle:
    """Calls ``hook(module, grad_input, grad_output)`` when every module's input gradients are known."""
    _hook_all_modules()
    return _register(_global_backward_hooks, hook)


def register_module_parameter_registration_hook(hook: Callable) -> RemovableHandle:
    """Calls ``hook(module, name, parameter)`` on every ``register_parameter``; it may return a replacement."""
    return _register(_global_registration_hooks["_parameters"], hook)


def register_module_buffer_registration_hook(hook: Callable) -> RemovableHandle:
    """Calls ``hook(module, name, buffer)`` on every ``register_buffer``; it may return a replacement."""
    return _register(_global_registration_hooks["_buffers"], hook)


def register_module_module_registration_hook(hook: Callable) -> RemovableHandle:
    """Calls ``hook(module, name, submodule)`` on every ``register_module``; it may return a replacement."""
    return _register(_global_registration_hooks["_modules"], hook)


def _with_registration_hooks(kind: str, module: Module, name: str, value: Any) -> Any:
    for hook in _global_registration_hooks[kind].values():
        replacement = hook(module, name, value)
        if replacement is not None:
            value = replacement
    return value


class _BackwardHooks:
    """Runs the full backward hooks of one module call.

    Identity nodes are put behind the inputs and before the outputs. In backward the output node runs first: its
    gradients are the module's ``grad_output``; then, when the module's own graph has run, the input node gets
    ``grad_input``.
    """

    def __init__(self, module: Module, hooks: list, pre_hooks: list) -> None:
        self.module = module
        self.hooks = hooks
        self.pre_hooks = pre_hooks
        self.grad_outputs: tuple | None = None
        self.waits_for_input = False

    def inputs(self, args: tuple) -> tuple:
        return self._through(args, self._on_grad_input, is_input=True)

    def outputs(self, result: Any) -> Any:
        is_tuple = isinstance(result, tuple)
        packed = self._through(result if is_tuple else (result,), self._on_grad_output, is_input=False)
        if not is_tuple:
            return packed[0]
        # A named tuple stays one.
        return type(result)(*packed) if hasattr(result, "_fields") else packed

    def _through(self, values: tuple, on_grad: Callable, is_input: bool) -> tuple:
        places = [i for i, v in enumerate(values) if isinstance(v, Tensor)]
        if not places or not _tl.is_grad_enabled() or not any(values[i].requires_grad for i in places):
            return values
        if is_input:
            self.waits_for_input = True
        total = len(values)

        def spread(grads: tuple) -> tuple:
            full: list = [None] * total
            for i, g in zip(places, grads):
                full[i] = g
            return tuple(full)

        def hook(grads: tuple) -> tuple:
            full = on_grad(spread(grads))
            return tuple(full[i] for i in places)

        passed = _hook_function().apply(hook, *[values[i] for i in places])
        result = list(values)
        for i, v in zip(places, passed):
            result[i] = v
        return tuple(result)

    def _on_grad_output(self, grads: tuple) -> tuple:
        for hook in self.pre_hooks:
            changed = hook(self.module, grads)
            if changed is not None:
                grads = _same_length(changed, grads, "Backward pre hook", "grad_output")
        self.grad_outputs = grads
        if not self.waits_for_input:
            # No input wants a gradient, so nothing will come to the input node.
            if self.hooks:
                import warnings

                warnings.warn(
                    "Full backward hook is firing when gradients are computed with respect to module outputs since no "
                    "inputs require gradients. See https://docs.pytorch.org/docs/main/generated/torch.nn.Module.html"
                    "#torch.nn.Module.register_full_backward_hook for more details.",
                    stacklevel=2,
                )
            for hook in self.hooks:
                if hook(self.module, (None,), grads) is not None:
                    raise RuntimeError(
                        "Backward hook for Modules where no input requires gradient should always return None or "
                        "None for all gradients."
                    )
        return grads

    def _on_grad_input(self, grads: tuple) -> tuple:
        if self.grad_outputs is None:
            return grads
        for hook in self.hooks:
            changed = hook(self.module, grads, self.grad_outputs)
            if changed is not None:
                grads = _same_length(changed, grads, "Backward hook", "grad_input")
        self.grad_outputs = None
        return grads


def _same_length(changed: Any, grads: tuple, what: str, name: str) -> tuple:
    changed = changed if isinstance(changed, tuple) else (changed,)
    if len(changed) != len(grads):
        raise RuntimeError(
            f"{what} returned an invalid number of {name}, got {len(changed)}, but expected {len(grads)}"
        )
    return changed


_HookFunction: Any = None


def _hook_function() -> Any:
    """The identity whose backward runs a hook. Made late, for it needs ``autograd.Function``."""
    global _HookFunction
    if _HookFunction is None:

        class BackwardHookFunction(_tl.autograd.Function):
            @staticmethod
            def forward(ctx, hook, *tensors):
                ctx.hook = hook
                ctx.mark_non_differentiable(*[t for t in tensors if not t.requires_grad])
                return tuple(t.view_as(t) for t in tensors)

            @staticmethod
            def backward(ctx, *grads):
                return (None, *ctx.hook(grads))

        _HookFunction = BackwardHookFunction
    return _HookFunction


def _first_tensor(value: Any) -> Tensor | None:
    while not isinstance(value, Tensor):
        if isinstance(value, dict):
            value = next((v for v in value.values() if isinstance(v, Tensor)), None)
        elif isinstance(value, (list, tuple)) and value:
            value = value[0]
        else:
            return None
    return value


class _CallState:
    """How far a call with hooks has come."""

    __slots__ = ("args", "called", "kwargs", "result")

    def __init__(self) -> None:
        self.args: tuple = ()
        self.kwargs: dict = {}
        self.result: Any = None
        self.called: set = set()
