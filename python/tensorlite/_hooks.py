"""Handles with which hooks are removed."""

from __future__ import annotations

import weakref
from typing import Any

__all__ = ["RemovableHandle"]


class RemovableHandle:
    """Removes a hook from the dict it was entered in. Also a context manager that removes it at the end."""

    _next_id = 0

    def __init__(self, hooks: Any, *, extra_dict: Any = None) -> None:
        # A plain dict takes no weak reference; the holder of the hooks outlives it in practice.
        self._hooks = weakref.ref(hooks) if _weakly(hooks) else (lambda: hooks)
        self._extra = extra_dict if isinstance(extra_dict, list) else [] if extra_dict is None else [extra_dict]
        self.id = RemovableHandle._next_id
        RemovableHandle._next_id += 1

    def remove(self) -> None:
        hooks = self._hooks()
        if hooks is not None:
            hooks.pop(self.id, None)
        for extra in self._extra:
            extra.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *error: Any) -> None:
        self.remove()


def _weakly(hooks: Any) -> bool:
    return type(hooks).__weakrefoffset__ != 0
