"""Handles with which hooks are removed."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from typing import Any

__all__ = ["RemovableHandle"]


class RemovableHandle:
    """Removes a hook again: by ``remove()``, or on leaving a ``with`` block.

    Args:
        hooks_dict: the ordered dict in which the hook stands under ``handle.id``.
        extra_dict: one dict, or a list of dicts, with options of the hook under the same id.
    """

    next_id: int = 0

    def __init__(self, hooks_dict: Any, *, extra_dict: Any = None) -> None:
        self.hooks_dict_ref = _reference(hooks_dict)
        self.id = RemovableHandle.next_id
        RemovableHandle.next_id += 1
        if extra_dict is None:
            extra = ()
        elif isinstance(extra_dict, dict):
            extra = (extra_dict,)
        else:
            extra = tuple(extra_dict)
        self.extra_dict_ref = tuple(_reference(d) for d in extra)

    def remove(self) -> None:
        """Removes the hook; a second call does nothing."""
        for ref in (self.hooks_dict_ref, *self.extra_dict_ref):
            hooks = ref()
            if hooks is not None:
                hooks.pop(self.id, None)

    def __getstate__(self):
        refs = (self.hooks_dict_ref, *self.extra_dict_ref)
        return self.id, tuple(ref() for ref in refs)

    def __setstate__(self, state) -> None:
        self.id, dicts = state
        dicts = [OrderedDict() if d is None else d for d in dicts]
        self.hooks_dict_ref = weakref.ref(dicts[0])
        self.extra_dict_ref = tuple(weakref.ref(d) for d in dicts[1:])
        RemovableHandle.next_id = max(RemovableHandle.next_id, self.id + 1)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


def _reference(d: Any) -> Any:
    # A plain dict takes no weak reference; the holder of the hooks outlives it in practice.
    return weakref.ref(d) if type(d).__weakrefoffset__ else lambda: d


RemovableHandle.__module__ = "tensorlite.utils.hooks"
