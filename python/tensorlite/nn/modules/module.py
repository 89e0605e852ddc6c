"""``Module``: what layers and models are made of.

Parameters, buffers and submodules live in the instance's ``__dict__``, where plain attribute look-up finds
them, and in ``_parameters``, ``_buffers`` and ``_modules``, where the protocol enumerates them. The three
registries are dicts that write through to the instance, so that both stay coherent whichever side is written.

Hooks cost nothing until one is registered: the hook dicts come into being when they are first touched, which
also sets ``_hooked``, the one flag that ``__call__`` looks at.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any

import tensorlite as _tl

from ... import _names
from ..._names import qualname
from ...utils.hooks import RemovableHandle
from ..parameter import Buffer, Parameter
from ._hooks import (
    _BackwardHooks,
    _CallState,
    _first_tensor,
    _global_backward_hooks,
    _global_backward_pre_hooks,
    _global_forward_hooks,
    _global_forward_hooks_always_called,
    _global_forward_hooks_with_kwargs,
    _global_forward_pre_hooks,
    _register,
    _with_registration_hooks,
    register_module_buffer_registration_hook,
    register_module_forward_hook,
    register_module_forward_pre_hook,
    register_module_full_backward_hook,
    register_module_full_backward_pre_hook,
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)
from ._registry import _REGISTRIES, _HookDict, _indent, _Registry, _typename
from ._state import _StateDict, _StateHook

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


class Module(_StateDict):
    """Base class of all layers and models.

    A subclass calls ``super().__init__()``, assigns parameters, buffers and submodules to attributes and defines
    ``forward``; calling the module runs ``forward`` with the hooks around it.
    """

    dump_patches: bool = False
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
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
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
        kwargs = dict(kwargs)
        memory_format = kwargs.pop("memory_format", None)
        device, dtype, non_blocking = _parse_to(args, kwargs)
        if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}"
            )

        def convert(t: Tensor) -> Tensor:
            wanted = dtype if dtype is not None and (t.is_floating_point() or t.is_complex()) else t.dtype
            layout = {"memory_format": memory_format} if memory_format is not None and t.dim() in (4, 5) else {}
            return t.to(device if device is not None else t.device, wanted, non_blocking, **layout)

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
        """The older form, whose hook sees the gradients of the last node alone."""
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
        """Calls ``hook(module, state_dict, prefix, metadata, strict, missing, unexpected, errors)`` before loading."""
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def _register_load_state_dict_pre_hook(self, hook: Callable, with_module: bool = False) -> RemovableHandle:
        return _register(self._load_state_dict_pre_hooks, _StateHook(hook, with_module))

    def register_load_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """Calls ``hook(module, incompatible_keys)`` after loading; it may change the two lists in place."""
        return _register(self._load_state_dict_post_hooks, hook)

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
