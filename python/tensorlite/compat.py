"""Lets `import torch` mean tensorlite.

`install()` does it for this process, `python -m tensorlite script.py` for one script. The modules
are the same objects (`torch.nn is tensorlite.nn`), and names print as `torch.…`.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import sys
from types import ModuleType
from typing import Any

import tensorlite

from . import _names

__all__ = ["install", "installed", "uninstall"]

# What a script imports -> what it gets
_ALIASES = {"torch": "tensorlite", "torchvision": "tensorlite.vision"}


def _renamed(name: str) -> str | None:
    """`torch.nn` -> `tensorlite.nn`; None for the names of others."""
    top, dot, rest = name.partition(".")
    return _ALIASES[top] + dot + rest if top in _ALIASES else None


def _is_ours(module: ModuleType | None) -> bool:
    name = getattr(module, "__name__", "")
    return name == "tensorlite" or name.startswith("tensorlite.")


def _alias_loaded() -> None:
    """Enters every loaded module of tensorlite under its other names too, and lets its classes print so."""
    for name, module in list(sys.modules.items()):
        if module is None or not (name == "tensorlite" or name.startswith("tensorlite.")):
            continue
        for alias, target in _ALIASES.items():
            if name == target or name.startswith(target + "."):
                sys.modules.setdefault(alias + name[len(target) :], module)
        _rename_classes(module, _their_name)


def _their_name(name: str) -> str:
    """`tensorlite.nn.modules.linear` -> `torch.nn.modules.linear`."""
    for alias, target in reversed(_ALIASES.items()):
        if name == target or name.startswith(target + "."):
            return alias + name[len(target) :]
    return name


def _our_name(name: str) -> str:
    return _renamed(name) or name


def _rename_classes(module: ModuleType, renamed: Any) -> None:
    """So that `print(type(x))` shows `<class 'torch.Tensor'>`."""
    for value in list(vars(module).values()):
        if isinstance(value, type) and isinstance(value.__dict__.get("__module__"), str):
            name = renamed(value.__module__)
            if name != value.__module__:
                with contextlib.suppress(TypeError, AttributeError):  # a class that cannot be changed
                    value.__module__ = name


def _rename_result_types(renamed: Any) -> None:
    for name in tensorlite._C._operators():
        kind = tensorlite._C._result_type_of(name)
        if kind is not None:
            kind.__module__ = renamed(kind.__module__)


class _Loader(importlib.abc.Loader):
    """Hands out a module that is already loaded under its own name."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module
        self.spec = module.__spec__

    def create_module(self, spec: Any) -> ModuleType:
        return self.module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self.spec  # the import system has put the alias's spec there
        _alias_loaded()


class _RenamingLoader(importlib.abc.Loader):
    """Loads a module of tensorlite after `install()`: its classes too print as `torch.…`."""

    def __init__(self, loader: Any) -> None:
        self.loader = loader

    def create_module(self, spec: Any) -> Any:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self.loader.exec_module(module)
        _rename_classes(module, _their_name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name.startswith("tensorlite."):
            spec = importlib.machinery.PathFinder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                spec.loader = _RenamingLoader(spec.loader)
            return spec
        real = _renamed(name)
        if real is None:
            return None
        try:
            module = importlib.import_module(real)
        except ModuleNotFoundError as e:
            if e.name is None or not (real == e.name or real.startswith(e.name + ".")):
                raise
            raise ModuleNotFoundError(
                f"No module named {name!r}: tensorlite stands in for {name.partition('.')[0]} here, "
                f"and there is no {real}.",
                name=name,
            ) from None
        return importlib.machinery.ModuleSpec(name, _Loader(module), is_package=hasattr(module, "__path__"))


_finder = _Finder()


def installed() -> bool:
    return _finder in sys.meta_path


def install() -> None:
    """From now on `import torch` and `import torch.….…` mean tensorlite, and names print as `torch.…`.

    `torchvision` means `tensorlite.vision`. Raises RuntimeError if the real one is already loaded.
    """
    if installed():
        return
    for alias in _ALIASES:
        other = sys.modules.get(alias)
        if other is not None and not _is_ours(other):
            raise RuntimeError(
                f"tensorlite.compat.install() cannot stand in for {alias}: the real {alias} is already loaded, "
                f"from {getattr(other, '__file__', 'an unknown place')}. Call install() before anything "
                f"imports {alias}, or do not import it."
            )
    sys.meta_path.insert(0, _finder)
    sys.modules["torch"] = tensorlite
    _alias_loaded()
    _rename_result_types(_their_name)
    _names.set_prefix("torch")


def uninstall() -> None:
    """Undoes `install()` for imports to come; modules that were imported keep what they have."""
    if not installed():
        return
    sys.meta_path.remove(_finder)
    for name, module in list(sys.modules.items()):
        if _is_ours(module):
            _rename_classes(module, _our_name)
            if _renamed(name) is not None:
                del sys.modules[name]
    _rename_result_types(_our_name)
    _names.set_prefix("tensorlite")
