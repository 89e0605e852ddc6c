"""Where a module keeps its members: dicts that write through to the instance, and dicts of hooks made late."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import tensorlite as _tl

from ... import _names
from ..._names import qualname

if TYPE_CHECKING:
    from .module import Module

Tensor = _tl.Tensor


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

    __slots__ = ("__weakref__", "_owner")

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
