"""Helpers beside the engine; ``tensorlite.utils.data`` feeds programs with batches."""

from __future__ import annotations

import importlib


def __getattr__(name: str):
    if name in ("checkpoint", "data", "dlpack", "hooks"):
        try:
            return importlib.import_module(f"{__name__}.{name}")
        except ModuleNotFoundError:
            pass
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
