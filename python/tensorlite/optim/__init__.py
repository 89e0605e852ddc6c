"""Optimizers. A step is one call of a fused kernel over all parameters of a group."""

from __future__ import annotations

from .adadelta import Adadelta
from .adagrad import Adagrad
from .adam import Adam
from .adamw import AdamW
from .optimizer import Optimizer
from .rmsprop import RMSprop
from .sgd import SGD

__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "NAdam", "Optimizer", "RMSprop", "lr_scheduler"]

_LATE = {"Adamax": "adamax", "NAdam": "nadam"}


def __getattr__(name: str):
    import importlib

    if name in ("lr_scheduler", "optimizer"):
        return importlib.import_module(f"{__name__}.{name}")
    if name in _LATE:
        value = globals()[name] = getattr(importlib.import_module(f"{__name__}.{_LATE[name]}"), name)
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
