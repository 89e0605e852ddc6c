"""``Module``: what layers and models are made of.

Parameters, buffers and submodules live in the instance's ``__dict__``, where plain attribute look-up finds
them, and in ``_parameters``, ``_buffers`` and ``_modules``, where the protocol enumerates them. The three
registries are dicts that write through to the instance, so that both stay coherent whichever side is written.

Hooks cost nothing until one is registered: the hook dicts come into being when they are first touched, which
also sets ``_hooked``, the one flag that ``__call__`` looks at.
"""

from __future__ import annotations

import itertools
import weakref
from collections import OrderedDict, namedtuple
from typing import Any, Callable, Iterator

import tensorlite as _tl

from ... import _names
from ..._names import qualname
from ...utils.hooks import RemovableHandle
from ..parameter import Buffer, Parameter

Tensor = _tl.Tensor

__all__ = [
    "Module",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]


class _IncompatibleKeys(namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    """What ``load_state_dict`` could not match."""

    __slots__ = ()

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return super().__repr__()

    __str__ = __repr__


def _typename(value: object) -> str:
    if isinstance(value, Tensor):
        return value.type() if type(value) is Tensor else qualname("nn." + type(value).__name__)
    module = type(value).__module__
    name = type(value).__qualname__
    if module in ("", "builtins", "__builtin__"):
        return name
    if module == "tensorlite" or module.startswith("tensorlite."):
        module = _names.prefix() + module[len("tensorlite") :]
    return f"{module}.{name}"


def _indent(text: str, spaces: int) -> str:
    return text.replace("\n", "\n" + " " * spaces)


class _Registry(dict):
    """A dict of a module's parameters, buffers or submodules that also sets them as attributes."""

    __slots__ = ("_owner", "__weakref__")

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._owner = None

    def _attributes(self) -> dict:
        owner = self._owner() if self._owner is not None else None
        return {} if owner is None else owner.__dict__

    def _bind(self, module: Module) -> _Registry:
        self._owner = weakref.ref(module)
        module.__dict__.update(self)
        return self

    def __setitem__(self, key: str, value: Any) -> None:
        dict.__setitem__(self, key, value)
        self._attributes()[key] = value

    def __delitem__(self, key: str) -> None:
        dict.__delitem__(self, key)
        self._attributes().pop(key, None)

    def pop(self, key: str, *default: Any) -> Any:
        if key in self:
            self._attributes().pop(key, None)
        return dict.pop(self, key, *default)

    def popitem(self, last: bool = True) -> tuple:
        if not self:
            raise KeyError("dictionary is empty")
        key = next(reversed(self) if last else iter(self))
        return key, self.pop(key)

    def move_to_end(self, key: str, last: bool = True) -> None:
        items = [(k, v) for k, v in self.items() if k != key]
        items.insert(len(items) if last else 0, (key, self[key]))
        dict.clear(self)
        dict.update(self, items)

    def clear(self) -> None:
        attributes = self._attributes()
        for key in self:
            attributes.pop(key, None)
        dict.clear(self)

    def update(self, *args: Any, **kwargs: Any) -> None:
        for key, value in dict(*args, **kwargs).items():
            self[key] = value

    def __ior__(self, other: Any) -> _Registry:
        self.update(other)
        return self

    def setdefault(self, key: str, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return self[key]

    def copy(self) -> dict:
        return dict(self)

    def __reduce__(self):
        return type(self), (), None, None, iter(self.items())

    def __reduce_ex__(self, protocol: int):
        return self.__reduce__()


_REGISTRIES = ("_parameters", "_buffers", "_modules")


class _HookDict:
    """Descriptor of a dict of hooks which is made when it is first touched."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, module: Module | None, owner: type) -> Any:
        if module is None:
            return self
        attributes = module.__dict__
        attributes["_hooked"] = True
        hooks = attributes[self.name] = OrderedDict()
        return hooks


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


def register_module_forward_pre_hook(hook: Callable) -> RemovableHandle:
    """Calls ``hook(module, args)`` before every module's ``forward``; see ``Module.register_forward_pre_hook``."""
    Module._hooked = True
    return _register(_global_forward_pre_hooks, hook)


def register_module_forward_hook(
    hook: Callable, *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Calls ``hook(module, args, output)`` after every module's ``forward``; see ``Module.register_forward_hook``."""
    Module._hooked = True
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
    Module._hooked = True
    return _register(_global_backward_pre_hooks, hook)


def register_module_full_backward_hook(hook: Callable) -> RemovableHandle:
    """Calls ``hook(module, grad_input, grad_output)`` when every module's input gradients are known."""
    Module._hooked = True
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


class Module:
    """Base class of all layers and models.

    A subclass calls ``super().__init__()``, assigns parameters, buffers and submodules to attributes and defines
    ``forward``; calling the module runs ``forward`` with the hooks around it.
    """

    dump_patches: bool = False
    _version: int = 1
    training: bool
    call_super_init: bool = False
    _hooked: bool = False
    _is_full_backward_hook: bool | None = None

    _forward_pre_hooks = _HookDict()
    _forward_pre_hooks_with_kwargs = _HookDict()
    _forward_hooks = _HookDict()
    _forward_hooks_with_kwargs = _HookDict()
    _forward_hooks_always_called = _HookDict()
    _backward_pre_hooks = _HookDict()
    _backward_hooks = _HookDict()
    _state_dict_hooks = _HookDict()
    _state_dict_pre_hooks = _HookDict()
    _load_state_dict_pre_hooks = _HookDict()
    _load_state_dict_post_hooks = _HookDict()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not self.call_super_init and (args or kwargs):
            if kwargs:
                raise TypeError(
                    f"{type(self).__name__}.__init__() got an unexpected keyword argument '{next(iter(kwargs))}'"
                )
            raise TypeError(
                f"{type(self).__name__}.__init__() takes 1 positional argument but {len(args) + 1} were given"
            )
        ref = weakref.ref(self)
        attributes = self.__dict__
        attributes["training"] = True
        for name in _REGISTRIES:
            registry = attributes[name] = _Registry()
            registry._owner = ref
        attributes["_non_persistent_buffers_set"] = set()
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    # Calling

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._hooked:
            return self._call_with_hooks(args, kwargs)
        return self.forward(*args, **kwargs)

    def _call_impl(self, *args: Any, **kwargs: Any) -> Any:
        return Module.__call__(self, *args, **kwargs)

    def forward(self, *input: Any) -> Any:
        """What the module computes. Every subclass defines it."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    def _call_with_hooks(self, args: tuple, kwargs: dict) -> Any:
        state = _CallState()
        try:
            return self._run_hooked(args, kwargs, state)
        except Exception:
            # Hooks registered with always_call run even then; their own errors are reported, not raised.
            self._run_always_called(state)
            raise

    def _run_hooked(self, args: tuple, kwargs: dict, state: _CallState) -> Any:
        for hook_id, hook in (*_global_forward_pre_hooks.items(), *self._forward_pre_hooks.items()):
            if hook_id in self._forward_pre_hooks_with_kwargs:
                changed = hook(self, args, kwargs)
                if changed is not None:
                    if not (isinstance(changed, tuple) and len(changed) == 2):
                        raise RuntimeError(
                            "forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got "
                            f"{changed}."
                        )
                    args, kwargs = changed
            else:
                changed = hook(self, args)
                if changed is not None:
                    args = changed if isinstance(changed, tuple) else (changed,)
        state.args, state.kwargs = args, kwargs

        backward = None
        full_hooks = list(_global_backward_hooks.values())
        if self._is_full_backward_hook is not False:
            full_hooks += self._backward_hooks.values()
        pre_hooks = [*_global_backward_pre_hooks.values(), *self._backward_pre_hooks.values()]
        if full_hooks or pre_hooks:
            backward = _BackwardHooks(self, full_hooks, pre_hooks)
            args = backward.inputs(args)

        result = state.result = self.forward(*args, **kwargs)

        for hook_id, hook in (*_global_forward_hooks.items(), *self._forward_hooks.items()):
            state.called.add(hook_id)
            if hook_id in self._forward_hooks_with_kwargs or hook_id in _global_forward_hooks_with_kwargs:
                changed = hook(self, args, kwargs, result)
            else:
                changed = hook(self, args, result)
            if changed is not None:
                result = state.result = changed

        if backward is not None:
            result = backward.outputs(result)
        if self._is_full_backward_hook is False and self._backward_hooks:
            self._hook_last_node(result)
        return result

    def _hook_last_node(self, result: Any) -> None:
        """Non-full backward hooks: they see the gradients of the last node alone."""
        tensor = _first_tensor(result)
        node = None if tensor is None else tensor.grad_fn
        if node is None:
            return
        for hook in self._backward_hooks.values():

            def wrapper(grad_input, grad_output, hook=hook):
                return hook(self, grad_input, grad_output)

            node.register_hook(wrapper)

    def _run_always_called(self, state: _CallState) -> None:
        for hook_id, hook in (*_global_forward_hooks.items(), *self._forward_hooks.items()):
            always = hook_id in self._forward_hooks_always_called or hook_id in _global_forward_hooks_always_called
            if not always or hook_id in state.called:
                continue
            try:
                if hook_id in self._forward_hooks_with_kwargs or hook_id in _global_forward_hooks_with_kwargs:
                    changed = hook(self, state.args, state.kwargs, state.result)
                else:
                    changed = hook(self, state.args, state.result)
                if changed is not None:
                    state.result = changed
            except Exception as error:
                import warnings

                warnings.warn(
                    "module forward hook with ``always_call=True`` raised an exception that was silenced as another "
                    f"error was raised in forward: {error}",
                    stacklevel=2,
                )

    # Attributes

    def __setattr__(self, name: str, value: Any) -> None:
        attributes = self.__dict__
        if isinstance(value, Parameter):
            if "_parameters" not in attributes:
                raise AttributeError("cannot assign parameters before Module.__init__() call")
            self._forget(name, keep="_parameters")
            self.register_parameter(name, value)
            return
        registered = attributes.get("_parameters")
        if registered is not None and name in registered:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{_typename(value)}' as parameter '{name}' "
                    f"({qualname('nn.Parameter')} or None expected)"
                )
            self.register_parameter(name, value)
            return
        if isinstance(value, Module):
            if registered is None:
                raise AttributeError("cannot assign module before Module.__init__() call")
            self._forget(name, keep="_modules")
            attributes["_modules"][name] = _with_registration_hooks("_modules", self, name, value)
            return
        if registered is not None:
            if name in attributes["_modules"]:
                if value is not None:
                    raise TypeError(
                        f"cannot assign '{_typename(value)}' as child module '{name}' "
                        f"({qualname('nn.Module')} or None expected)"
                    )
                attributes["_modules"][name] = _with_registration_hooks("_modules", self, name, value)
                return
            buffers = attributes["_buffers"]
            if name in buffers or isinstance(value, Buffer):
                if value is not None and not isinstance(value, Tensor):
                    raise TypeError(
                        f"cannot assign '{_typename(value)}' as buffer '{name}' "
                        f"({qualname('nn.Buffer')}, {qualname('Tensor')} or None expected)"
                    )
                if isinstance(value, Buffer):
                    self._forget(name, keep="_buffers")
                    self.register_buffer(name, value, value.persistent)
                else:
                    buffers[name] = _with_registration_hooks("_buffers", self, name, value)
                return
            if name in _REGISTRIES and not isinstance(value, _Registry):
                attributes[name].clear()
                value = _Registry(value)._bind(self)
        elif isinstance(value, Buffer):
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        object.__setattr__(self, name, value)

    def _forget(self, name: str, keep: str) -> None:
        attributes = self.__dict__
        if name in attributes[keep]:
            return
        for registry in _REGISTRIES:
            if name in attributes[registry]:
                del attributes[registry][name]
        attributes["_non_persistent_buffers_set"].discard(name)
        attributes.pop(name, None)

    def __getattr__(self, name: str) -> Any:
        # Reached only by names that plain look-up does not find.
        if name not in _REGISTRIES:
            attributes = self.__dict__
            for registry in _REGISTRIES:
                if registry in attributes and name in attributes[registry]:
                    return attributes[registry][name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __delattr__(self, name: str) -> None:
        attributes = self.__dict__
        for registry in _REGISTRIES:
            if name in attributes.get(registry, ()):
                del attributes[registry][name]
                if registry == "_buffers":
                    attributes["_non_persistent_buffers_set"].discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        names = {*dir(type(self)), *self.__dict__, *self._parameters, *self._modules, *self._buffers}
        return sorted(name for name in names if not name[:1].isdigit())

    def __getstate__(self) -> dict:
        return dict(self.__dict__)

    def __setstate__(self, state: dict) -> None:
        attributes = self.__dict__
        attributes.update(state)
        attributes.setdefault("_non_persistent_buffers_set", set())
        attributes.setdefault("training", True)
        for name in _REGISTRIES:
            registry = attributes.get(name, {})
            owner = getattr(registry, "_owner", None)
            if not isinstance(registry, _Registry) or (owner is not None and owner() not in (None, self)):
                registry = attributes[name] = _Registry(registry)
            registry._bind(self)

    # Registration

    def _check_name(self, kind: str, registry: str, name: Any) -> None:
        if registry not in self.__dict__:
            raise AttributeError(f"cannot assign {kind} before Module.__init__() call")
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {_typename(name)}")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain "."' + (f", got: {name}" if kind == "module" else ""))
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if hasattr(self, name) and name not in self.__dict__[registry]:
            raise KeyError(f"attribute '{name}' already exists")

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Adds a parameter under ``name``; ``None`` reserves the name without a parameter."""
        self._check_name("parameter", "_parameters", name)
        if param is not None:
            if not isinstance(param, Parameter):
                raise TypeError(
                    f"cannot assign '{_typename(param)}' object to parameter '{name}' "
                    f"({qualname('nn.Parameter')} or None required)"
                )
            if param.grad_fn is not None:
                raise ValueError(
                    f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created "
                    "explicitly. To express one parameter as a function of another Tensor, compute the value in "
                    "the forward() method."
                )
            param = _with_registration_hooks("_parameters", self, name, param)
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Adds a tensor that is part of the module's state but is not trained.

        Args:
            name: the attribute.
            tensor: the buffer, or ``None``.
            persistent: whether it is part of ``state_dict``.
        """
        self._check_name("buffer", "_buffers", name)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{_typename(tensor)}' object to buffer '{name}' "
                f"({_names.prefix()} Tensor or None required)"
            )
        self._buffers[name] = _with_registration_hooks("_buffers", self, name, tensor)
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Adds a child module under ``name``."""
        if not isinstance(module, Module) and module is not None:
            raise TypeError(f"{_typename(module)} is not a Module subclass")
        self._check_name("module", "_modules", name)
        self._modules[name] = _with_registration_hooks("_modules", self, name, module)

    def register_module(self, name: str, module: Module | None) -> None:
        """The same as ``add_module``."""
        self.add_module(name, module)

    def get_submodule(self, target: str) -> Module:
        """The submodule of the dotted name ``target``; ``""`` is the module itself."""
        module: Module = self
        for part in target.split(".") if target else ():
            if not hasattr(module, part):
                raise AttributeError(f"{module._get_name()} has no attribute `{part}`")
            module = getattr(module, part)
            if not isinstance(module, Module):
                raise AttributeError(f"`{part}` is not an nn.Module")
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Puts ``module`` at the dotted name ``target``; with ``strict`` there must be one already."""
        if not target:
            raise ValueError("Cannot set the submodule without a target name!")
        path, _, name = target.rpartition(".")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        parent = self.get_submodule(path)
        if strict and not hasattr(parent, name):
            raise AttributeError(f"{parent._get_name()} has no attribute `{name}`")
        if hasattr(parent, name) and not isinstance(getattr(parent, name), Module):
            raise AttributeError(f"`{name}` is not an nn.Module")
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter of the dotted name ``target``."""
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
        param = getattr(module, name)
        if not isinstance(param, Parameter):
            raise AttributeError(f"`{name}` is not an nn.Parameter")
        return param

    def get_buffer(self, target: str) -> Tensor:
        """The buffer of the dotted name ``target``."""
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
        if name not in module._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        return getattr(module, name)

    # Enumeration

    def _named_members(
        self, members: Callable, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        seen = set()
        modules = (
            self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        )
        for path, module in modules:
            for name, value in members(module):
                if value is None or id(value) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(value))
                yield (path + "." + name if path else name), value

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters of the module and, with ``recurse``, of its submodules, each once."""
        for _, param in self.named_parameters(recurse=recurse):
            yield param

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Pairs of dotted name and parameter."""
        yield from self._named_members(lambda m: m._parameters.items(), prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers of the module and, with ``recurse``, of its submodules, each once."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Pairs of dotted name and buffer."""
        yield from self._named_members(lambda m: m._buffers.items(), prefix, recurse, remove_duplicate)

    def children(self) -> Iterator[Module]:
        """The immediate submodules, each once."""
        for _, module in self.named_children():
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Pairs of name and immediate submodule."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and id(module) not in seen:
                seen.add(id(module))
                yield name, module

    def modules(self) -> Iterator[Module]:
        """The module and all that is below it, each once."""
        for _, module in self.named_modules():
            yield module

    def named_modules(
        self, memo: set | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """Pairs of dotted name and module, from the module itself (under ``prefix``) downwards."""
        if memo is None:
            memo = set()
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    # Modes and conversion

    def train(self, mode: bool = True) -> Module:
        """Sets training mode (dropout, batch norm) for the module and all below it."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Module:
        """The same as ``train(False)``."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Module:
        """Sets ``requires_grad`` of all parameters."""
        for param in self.parameters():
            param.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drops the gradients of all parameters, or fills them with zeros."""
        for param in self.parameters():
            _clear_grad(param, set_to_none)

    def apply(self, fn: Callable[[Module], None]) -> Module:
        """Calls ``fn`` on every submodule and then on the module itself."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Module:
        """Replaces the data of parameters, gradients and buffers by ``fn`` of it; parameters stay the same objects."""
        if recurse:
            for module in self.children():
                module._apply(fn)
        for param in self._parameters.values():
            if param is None:
                continue
            with _tl.no_grad():
                changed = fn(param)
            param.data = changed
            grad = param.grad
            if grad is not None:
                with _tl.no_grad():
                    changed = fn(grad)
                grad.data = changed
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Module:
        """Moves and casts parameters and buffers: ``to(device)``, ``to(dtype)``, ``to(device, dtype)``, ``to(tensor)``.

        A dtype applies to floating point and complex members only. The module itself is changed and returned.
        """
        device, dtype, non_blocking = _parse_to(args, dict(kwargs))
        if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}"
            )

        def convert(t: Tensor) -> Tensor:
            wanted = dtype if dtype is not None and (t.is_floating_point() or t.is_complex()) else t.dtype
            return t.to(device if device is not None else t.device, wanted, non_blocking)

        return self._apply(convert)

    def cpu(self) -> Module:
        """Moves the module to the CPU."""
        return self._apply(lambda t: t.cpu())

    def cuda(self, device: Any = None) -> Module:
        """Moves the module to a CUDA device."""
        return self._apply(lambda t: t.cuda(device))

    def to_empty(self, *, device: Any, recurse: bool = True) -> Module:
        """Moves the module to a device without copying its memory."""
        return self._apply(lambda t: _tl.empty_like(t, device=device), recurse=recurse)

    def type(self, dst_type: Any) -> Module:
        """Casts all parameters and buffers."""
        return self._apply(lambda t: t.type(dst_type))

    def _cast(self, dtype: Any) -> Module:
        return self._apply(lambda t: t.to(dtype) if t.is_floating_point() else t)

    def float(self) -> Module:
        """Casts floating point members to float32."""
        return self._cast(_tl.float32)

    def double(self) -> Module:
        """Casts floating point members to float64."""
        return self._cast(_tl.float64)

    def half(self) -> Module:
        """Casts floating point members to float16."""
        return self._cast(_tl.float16)

    def bfloat16(self) -> Module:
        """Casts floating point members to bfloat16."""
        return self._cast(_tl.bfloat16)

    def share_memory(self) -> Module:
        """Accepted for compatibility: moves storages where other processes can reach them, if tensors can."""
        return self._apply(lambda t: t.share_memory_() if hasattr(t, "share_memory_") else t)

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Accepted for compatibility; there is nothing to compile."""

    # Hooks

    def register_forward_pre_hook(
        self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Calls ``hook(module, args)`` (``hook(module, args, kwargs)`` with ``with_kwargs``) before ``forward``.

        It may return new arguments (with ``with_kwargs`` a pair of them and of new keyword arguments).
        """
        handle = _register(self._forward_pre_hooks, hook, self._forward_pre_hooks_with_kwargs, prepend=prepend)
        if with_kwargs:
            self._forward_pre_hooks_with_kwargs[handle.id] = True
        return handle

    def register_forward_hook(
        self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Calls ``hook(module, args, output)`` (``hook(module, args, kwargs, output)``) after ``forward``.

        It may return another output. With ``always_call`` it runs even when ``forward`` raises.
        """
        handle = _register(
            self._forward_hooks,
            hook,
            self._forward_hooks_with_kwargs,
            self._forward_hooks_always_called,
            prepend=prepend,
        )
        if with_kwargs:
            self._forward_hooks_with_kwargs[handle.id] = True
        if always_call:
            self._forward_hooks_always_called[handle.id] = True
        return handle

    def register_full_backward_pre_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Calls ``hook(module, grad_output)`` before the module's backward; it may return another ``grad_output``."""
        return _register(self._backward_pre_hooks, hook, prepend=prepend)

    def register_full_backward_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Calls ``hook(module, grad_input, grad_output)`` when ``grad_input`` is known; it may return another one."""
        if self._is_full_backward_hook is False:
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a single Module. Please use only "
                "one of them."
            )
        self._is_full_backward_hook = True
        return _register(self._backward_hooks, hook, prepend=prepend)

    def register_backward_hook(self, hook: Callable) -> RemovableHandle:
        """The older form: the hook sees the gradients of the last node alone. Prefer ``register_full_backward_hook``."""
        if self._is_full_backward_hook is True:
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a single Module. Please use only "
                "one of them."
            )
        self._is_full_backward_hook = False
        return _register(self._backward_hooks, hook)

    def register_state_dict_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Calls ``hook(module, prefix, keep_vars)`` before ``state_dict`` is made."""
        return _register(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """Calls ``hook(module, state_dict, prefix, local_metadata)``, which changes ``state_dict`` in place."""
        hook._from_public_api = True
        return _register(self._state_dict_hooks, hook)

    def _register_state_dict_hook(self, hook: Callable) -> RemovableHandle:
        if getattr(hook, "_from_public_api", False):
            raise RuntimeError(
                "Cannot register the same function as the state dict post hook that was previously registered via "
                "register_state_dict_post_hook"
            )
        return _register(self._state_dict_hooks, hook)

    def register_load_state_dict_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Calls ``hook(module, state_dict, prefix, local_metadata, strict, missing, unexpected, errors)`` before loading."""
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def _register_load_state_dict_pre_hook(self, hook: Callable, with_module: bool = False) -> RemovableHandle:
        return _register(self._load_state_dict_pre_hooks, _StateHook(hook, with_module))

    def register_load_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """Calls ``hook(module, incompatible_keys)`` after loading; it may change the two lists in place."""
        return _register(self._load_state_dict_post_hooks, hook)

    # State

    def get_extra_state(self) -> Any:
        """Whatever else the state dict shall carry; define it together with ``set_extra_state``."""
        raise RuntimeError(
            "Reached a code path in Module.get_extra_state() that should never be called. This is a bug in tensorlite."
        )

    def set_extra_state(self, state: Any) -> None:
        """Takes what ``get_extra_state`` gave."""
        raise RuntimeError(
            "Reached a code path in Module.set_extra_state() that should never be called. This is a bug in tensorlite."
        )

    def _save_to_state_dict(self, destination: dict, prefix: str, keep_vars: bool) -> None:
        for name, param in self._parameters.items():
            if param is not None:
                destination[prefix + name] = param if keep_vars else param.detach()
        for name, buffer in self._buffers.items():
            if buffer is not None and name not in self._non_persistent_buffers_set:
                destination[prefix + name] = buffer if keep_vars else buffer.detach()
        if type(self).get_extra_state is not Module.get_extra_state:
            destination[prefix + _EXTRA] = self.get_extra_state()

    def state_dict(
        self, *args: Any, destination: dict | None = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Any]:
        """An ordered dict from dotted names to parameters and persistent buffers.

        Args:
            destination: the dict to fill; a new one without.
            prefix: stands before every name.
            keep_vars: whether the tensors themselves are given, not detached ones.
        """
        if args:
            destination = args[0] if destination is None else destination
            prefix = args[1] if len(args) > 1 and prefix == "" else prefix
            keep_vars = args[2] if len(args) > 2 and keep_vars is False else keep_vars
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        local_metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = local_metadata
        hooks = self.__dict__
        for hook in hooks.get("_state_dict_pre_hooks", {}).values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=destination, prefix=prefix + name + ".", keep_vars=keep_vars)
        for hook in hooks.get("_state_dict_hooks", {}).values():
            result = hook(self, destination, prefix, local_metadata)
            if getattr(hook, "_from_public_api", False):
                if result is not None:
                    raise RuntimeError("state_dict post-hook must return None")
            elif result is not None:
                destination = result
        return destination

    def _load_from_state_dict(
        self,
        state_dict: dict,
        prefix: str,
        local_metadata: dict,
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        for hook in self.__dict__.get("_load_state_dict_pre_hooks", {}).values():
            hook(self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)

        assign = local_metadata.get("assign_to_params_buffers", False)
        persistent = {k: v for k, v in self._buffers.items() if k not in self._non_persistent_buffers_set}
        members = {k: v for k, v in itertools.chain(self._parameters.items(), persistent.items()) if v is not None}
        for name, member in members.items():
            key = prefix + name
            if key not in state_dict:
                if strict:
                    missing_keys.append(key)
                continue
            value = state_dict[key]
            if not isinstance(value, Tensor):
                tensor_name = qualname("Tensor")
                error_msgs.append(
                    f'While copying the parameter named "{key}", expected {tensor_name} or Tensor-like object '
                    f"from checkpoint but received {type(value)}"
                )
                continue
            # Checkpoints of old versions have shape (1,) for what is 0-dim now.
            if member.dim() == 0 and tuple(value.shape) == (1,):
                value = value[0]
            if value.shape != member.shape:
                error_msgs.append(
                    f"size mismatch for {key}: copying a param with shape {value.shape} from checkpoint, "
                    f"the shape in current model is {member.shape}."
                )
                continue
            try:
                if assign:
                    if isinstance(member, Parameter):
                        if not isinstance(value, Parameter):
                            value = Parameter(value, requires_grad=member.requires_grad)
                        else:
                            value.requires_grad_(member.requires_grad)
                    setattr(self, name, value)
                else:
                    with _tl.no_grad():
                        member.copy_(value)
            except Exception as error:
                action = "swapping" if assign else "copying"
                error_msgs.append(
                    f'While {action} the parameter named "{key}", whose dimensions in the model are {member.size()} '
                    f"and whose dimensions in the checkpoint are {value.size()}, an exception occurred : "
                    f"{error.args}."
                )

        extra_key = prefix + _EXTRA
        if type(self).set_extra_state is not Module.set_extra_state:
            if extra_key in state_dict:
                self.set_extra_state(state_dict[extra_key])
            elif strict:
                missing_keys.append(extra_key)
        elif strict and extra_key in state_dict:
            unexpected_keys.append(extra_key)

        if strict:
            for key in state_dict:
                if key.startswith(prefix) and key != extra_key:
                    name, *rest = key[len(prefix) :].split(".", 1)
                    if rest:
                        if name not in self._modules:
                            unexpected_keys.append(key)
                    elif name not in members:
                        unexpected_keys.append(key)

    def load_state_dict(self, state_dict: Any, strict: bool = True, assign: bool = False) -> _IncompatibleKeys:
        """Copies a state dict into the parameters and buffers of the module and of all below it.

        Args:
            state_dict: what ``state_dict`` gave.
            strict: whether the names must match exactly.
            assign: whether the tensors become the members, instead of being copied into them.

        Returns:
            A named tuple of ``missing_keys`` and ``unexpected_keys``.

        Raises:
            RuntimeError: names (with ``strict``) or shapes do not match.
        """
        from collections.abc import Mapping

        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        missing: list[str] = []
        unexpected: list[str] = []
        errors: list[str] = []
        metadata = getattr(state_dict, "_metadata", None)
        state_dict = OrderedDict(state_dict)
        if metadata is not None:
            state_dict._metadata = metadata

        def load(module: Module, local_state: dict, prefix: str = "") -> None:
            local_metadata = {} if metadata is None else metadata.get(prefix[:-1], {})
            if assign:
                local_metadata["assign_to_params_buffers"] = assign
            module._load_from_state_dict(local_state, prefix, local_metadata, True, missing, unexpected, errors)
            for name, child in module._modules.items():
                if child is not None:
                    child_prefix = prefix + name + "."
                    child_state = OrderedDict((k, v) for k, v in local_state.items() if k.startswith(child_prefix))
                    load(child, child_state, child_prefix)
            incompatible = _IncompatibleKeys(missing, unexpected)
            for hook in module.__dict__.get("_load_state_dict_post_hooks", {}).values():
                if hook(module, incompatible) is not None:
                    raise AssertionError(
                        "Hooks registered with ``register_load_state_dict_post_hook`` are not expected to return new "
                        "values, if incompatible_keys need to be modified, it should be done inplace."
                    )

        load(self, state_dict)
        if strict:
            if unexpected:
                errors.insert(0, f"Unexpected key(s) in state_dict: {_quoted(unexpected)}. ")
            if missing:
                errors.insert(0, f"Missing key(s) in state_dict: {_quoted(missing)}. ")
        if errors:
            raise RuntimeError(
                "Error(s) in loading state_dict for {}:\n\t{}".format(type(self).__name__, "\n\t".join(errors))
            )
        return _IncompatibleKeys(missing, unexpected)

    # Text

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What stands between the brackets of the printed module; layers define it."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        extra_lines = extra.split("\n") if extra else []
        lines = extra_lines + [f"({name}): {_indent(repr(module), 2)}" for name, module in self._modules.items()]
        if not lines:
            inside = ""
        elif len(extra_lines) == 1 and len(lines) == 1:
            inside = lines[0]
        else:
            inside = "\n  " + "\n  ".join(lines) + "\n"
        return f"{self._get_name()}({inside})"


_EXTRA = "_extra_state"


class _CallState:
    """How far a call with hooks has come."""

    __slots__ = ("args", "kwargs", "result", "called")

    def __init__(self) -> None:
        self.args: tuple = ()
        self.kwargs: dict = {}
        self.result: Any = None
        self.called: set = set()


class _StateHook:
    """A load_state_dict pre-hook; older ones do not take the module."""

    def __init__(self, hook: Callable, with_module: bool) -> None:
        self.hook = hook
        self.with_module = with_module

    def __call__(self, module: Module, *args: Any) -> Any:
        return self.hook(module, *args) if self.with_module else self.hook(*args)


def _quoted(keys: list[str]) -> str:
    return ", ".join(f'"{k}"' for k in keys)


def _clear_grad(param: Tensor, set_to_none: bool) -> None:
    grad = param.grad
    if grad is None:
        return
    if set_to_none:
        param.grad = None
        return
    if grad.grad_fn is not None:
        grad.detach_()
    else:
        grad.requires_grad_(False)
    grad.zero_()


def _parse_to(args: tuple, kwargs: dict) -> tuple[Any, Any, bool]:
    """Device, dtype and non_blocking of the arguments of ``to``."""
    device = kwargs.pop("device", None)
    dtype = kwargs.pop("dtype", None)
    non_blocking = kwargs.pop("non_blocking", False)
    kwargs.pop("copy", None)
    kwargs.pop("memory_format", None)
    tensor = kwargs.pop("tensor", None)
    if kwargs:
        raise TypeError(f"to() received an invalid combination of arguments: unknown keyword {next(iter(kwargs))!r}")
    rest = list(args)
    if tensor is not None:
        rest.insert(0, tensor)
    flags = []
    for arg in rest:
        if isinstance(arg, Tensor):
            device, dtype = arg.device, arg.dtype
        elif isinstance(arg, _tl.dtype):
            dtype = arg
        elif isinstance(arg, bool):
            flags.append(arg)
        elif arg is None:
            continue
        elif isinstance(arg, (str, int, _tl.device)):
            device = _tl.device(arg) if not isinstance(arg, _tl.device) else arg
        else:
            raise TypeError(f"to() received an invalid combination of arguments - got ({type(arg).__name__})")
    if isinstance(device, (str, int)):
        device = _tl.device(device)
    if flags:
        non_blocking = flags[0]
    return device, dtype, non_blocking
