"""The named tuples that operators give: `return_types.max`."""

from __future__ import annotations

from . import _C


def __getattr__(name: str) -> type:
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    kind = _C._result_type_of(name)
    if kind is None:
        from . import _numpy_operator

        kind = _numpy_operator.result_types.get(name)
    if kind is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return kind
