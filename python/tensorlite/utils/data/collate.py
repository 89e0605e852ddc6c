"""How samples become a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorlite as _tl

Tensor = _tl.Tensor

__all__ = ["default_collate", "default_convert"]


def _from_numpy(value: Any) -> Any:
    """A tensor of a NumPy array or number; None if it is neither."""
    kind = type(value)
    if kind.__module__ != "numpy":
        return None
    if hasattr(value, "dtype") and value.dtype.kind in "SUO":
        if value.shape == ():
            return value
        raise TypeError(
            f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {value.dtype}"
        )
    return _tl.as_tensor(value)


def default_convert(data: Any) -> Any:
    """Makes tensors of NumPy arrays wherever they are in ``data``."""
    if isinstance(data, Tensor):
        return data
    if type(data).__module__ == "numpy":
        return data if data.dtype.kind in "SUO" else _tl.as_tensor(data)
    if isinstance(data, Mapping):
        return _like_mapping(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*(default_convert(d) for d in data))
    if isinstance(data, tuple):
        return [default_convert(d) for d in data]
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _like_sequence(data, [default_convert(d) for d in data])
    return data


def _like_mapping(original: Any, result: dict) -> Any:
    if type(original) is dict:
        return result
    try:
        return type(original)(result)
    except TypeError:
        return result


def _like_sequence(original: Any, result: list) -> Any:
    if type(original) is list:
        return result
    try:
        return type(original)(result)
    except TypeError:
        return result


def default_collate(batch: list) -> Any:
    """One batch of a list of samples.

    Tensors are stacked along a new first dim; NumPy arrays and numbers become tensors (Python's floats float64);
    strings stay a list; dicts, tuples and lists are collated member by member, tuples into lists.

    Raises:
        TypeError: for other things.
        RuntimeError: members of different sizes.
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return _tl.stack(batch, 0)
    if isinstance(first, bool):
        return _tl.tensor(batch)
    if isinstance(first, float):
        return _tl.tensor(batch, dtype=_tl.float64)
    if isinstance(first, int):
        return _tl.tensor(batch)
    if isinstance(first, (str, bytes)):
        return batch
    if type(first).__module__ == "numpy":
        converted = _from_numpy(first)
        if converted is first:
            return batch
        return _tl.stack([_tl.as_tensor(b) for b in batch], 0)
    if isinstance(first, Mapping):
        return _like_mapping(first, {key: default_collate([sample[key] for sample in batch]) for key in first})
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*(default_collate(list(samples)) for samples in zip(*batch)))
    if isinstance(first, Sequence):
        size = len(first)
        if any(len(sample) != size for sample in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        members = [default_collate(list(samples)) for samples in zip(*batch)]
        return members if isinstance(first, tuple) else _like_sequence(first, members)
    raise TypeError(
        f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {type(first)}"
    )
