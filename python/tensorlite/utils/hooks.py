"""Handles with which hooks are removed."""

from .._hooks import RemovableHandle

__all__ = ["RemovableHandle"]
