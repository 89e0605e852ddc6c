"""Layers, losses and the ``Module`` they are made of."""

from __future__ import annotations

from . import functional, init, modules, parameter
from ._losses import LinearCrossEntropyOptions
from .modules import *  # noqa: F403
from .modules import Module
from .parameter import Buffer, Parameter

__all__ = [
    "Buffer", "LinearCrossEntropyOptions", "Module", "Parameter", "functional", "init", "modules", "parameter",
    *modules.__all__,
]  # fmt: skip


def __getattr__(name: str):
    if name == "utils":
        import importlib

        return importlib.import_module(__name__ + ".utils")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
