"""Histograms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from . import _C
from ._names import type_name

__all__ = ["histc", "histogram", "histogramdd"]

Tensor = _C.Tensor


def write_result(out: Tensor, result: Tensor) -> Tensor:
    return _C.mul(result, 1, out=out)  # resizes, with a warning, where it must


def histc(input: Tensor, bins: int = 100, min: Any = 0, max: Any = 0, *, out: Any = None) -> Tensor:
    """How many elements fall into each of `bins` equal parts of [min, max]; if both are 0, of the input's range."""
    if not input.dtype.is_floating_point:
        name = "linspace_cpu" if input.dtype == _C.bool else "histogram_cpu"
        raise NotImplementedError(f'"{name}" not implemented for \'{type_name(input.dtype)}\'')
    if bins <= 0:
        raise RuntimeError(f"{_C._package_name()}.histogram(): bins must be > 0, but got {bins} for dimension 0")
    x = input.detach().flatten()
    low, high = float(min), float(max)
    if low == high and x.numel():
        low, high = x.min().item(), x.max().item()
    if low == high:
        low, high = low - 1, high + 1
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"{_C._package_name()}.histc: range of [{low:g}, {high:g}] is not finite")
    if not low < high:
        raise RuntimeError(f"{_C._package_name()}.histc: max must be larger than min")
    x = x[(x >= low) & (x <= high)]
    place = ((x - low) * bins / (high - low)).long().clamp_(max=bins - 1)
    result = _C.bincount(place, minlength=bins).to(input.dtype)
    return result if out is None else write_result(out, result)


_C_NAMES = {"float32": "float", "float64": "double", "int64": "long int", "int32": "int"}


def _kind(t: Tensor) -> str:
    name = str(t.dtype).rpartition(".")[2]
    return _C_NAMES.get(name, name)


def _fail(text: str) -> None:
    raise RuntimeError(f"{_C._package_name()}.histogramdd: {text}")


def _edges(x: Tensor, bins: Sequence[int], range: Any) -> list[Tensor]:
    """The edges of equal bins between the bounds given, or between the least and the largest coordinate."""
    dims = len(bins)
    for d, n in enumerate(bins):
        if n <= 0:
            raise RuntimeError(f"{_C._package_name()}.histogram(): bins must be > 0, but got {n} for dimension {d}")
    if range is not None:
        if len(range) != 2 * dims:
            _fail(f"for a {dims}-dimensional histogram range should have {2 * dims} elements, but got {len(range)}")
        low, high = [float(v) for v in range[::2]], [float(v) for v in range[1::2]]
    elif x.shape[0]:
        low, high = x.amin(0).tolist(), x.amax(0).tolist()
    else:
        low, high = [0.0] * dims, [1.0] * dims
    edges = []
    for d, (a, b) in enumerate(zip(low, high, strict=True)):
        if not (math.isfinite(a) and math.isfinite(b)):
            _fail(f"dimension {d}'s range [{a:g}, {b:g}] is not finite")
        if a > b:
            _fail(f"min should not exceed max, but got min {a:g} max {b:g} for dimension {d}")
        if a == b:
            a, b = a - 0.5, b + 0.5
        edges.append(_C.linspace(a, b, bins[d] + 1, dtype=x.dtype, device=x.device))
    return edges


def _count(x: Tensor, edges: list[Tensor], weight: Tensor | None, density: bool) -> Tensor:
    """Counts rows of coordinates (N, D); a bin has its left edge, the last one its right edge too."""
    shape = [e.numel() - 1 for e in edges]
    inside = _C.ones(x.shape[0], dtype=_C.bool, device=x.device)
    place = _C.zeros(x.shape[0], dtype=_C.int64, device=x.device)
    for d, e in enumerate(edges):
        column = x[:, d].contiguous()
        at = _C.searchsorted(e.contiguous(), column, right=True) - 1
        at = at.masked_fill(column == e[-1], shape[d] - 1)
        inside &= (column >= e[0]) & (column <= e[-1])
        place = place * shape[d] + at
    weights = None if weight is None else weight[inside]
    counts = _C.bincount(place[inside], weights, minlength=math.prod(shape)).to(x.dtype).reshape(shape)
    if density:
        counts = counts / counts.sum()
        for d, e in enumerate(edges):
            widths = [1] * len(edges)
            widths[d] = -1
            counts = counts / (e[1:] - e[:-1]).view(widths)
    return counts


def _histogram(input: Tensor, bins: Any, range: Any, weight: Any, density: bool) -> tuple[Tensor, list[Tensor]]:
    if input.dim() < 2:
        _fail("input tensor should have at least 2 dimensions")
    dims = input.shape[-1]
    if len(bins) != dims:
        raise RuntimeError("histogramdd: The size of bins must be equal to the innermost dimension of the input.")
    if input.dtype not in (_C.float32, _C.float64):
        raise NotImplementedError(f'"histogramdd" not implemented for \'{type_name(input.dtype)}\'')
    for d, e in enumerate(bins):
        if not isinstance(e, Tensor):
            continue
        if e.dtype != input.dtype:
            _fail(
                "input tensor and bins tensors should have the same dtype, but got input with dtype "
                f"{_kind(input)} and bins for dimension {d} with dtype {_kind(e)}"
            )
        if e.dim() != 1:
            _fail(
                f"bins tensor should have one dimension, but got {e.dim()} dimensions in the bins tensor for "
                f"dimension {d}"
            )
    if weight is not None:
        if weight.dtype != input.dtype:
            _fail(
                "if weight tensor is provided, input tensor and weight tensor should have the same dtype, but got "
                f"input({_kind(input)}), and weight({_kind(weight)})"
            )
        if weight.shape != input.shape[:-1]:
            _fail(
                "if weight tensor is provided it should have the same shape as the input tensor excluding its "
                f"innermost dimension, but got input with shape {list(input.shape)} and weight with shape "
                f"{list(weight.shape)}"
            )
        weight = weight.detach().flatten()
    x = input.detach().reshape(-1, dims)
    edges = list(bins) if any(isinstance(e, Tensor) for e in bins) else _edges(x, bins, range)
    return _count(x, edges, weight, density), edges


_RESULT, _RESULT_DD = (_C._named_tuple(name, ["hist", "bin_edges"]) for name in ("histogram", "histogramdd"))


def histogram(
    input: Tensor, bins: Any = 100, *, range: Any = None, weight: Any = None, density: bool = False, out: Any = None
) -> tuple[Tensor, Tensor]:
    """How many elements fall into each bin, and the edges of the bins.

    bins: their number, between the bounds `range` or the least and the largest element; or their edges.
    weight: what each element counts for. density: the values of a density, whose integral over the bins is 1.

    >>> histogram(torch.tensor([1.0, 2.0, 1.0]), bins=4, range=(0.0, 3.0)).hist
    tensor([0., 2., 1., 0.])
    """
    column = None if weight is None else weight.reshape(-1) if weight.shape == input.shape else weight
    counts, edges = _histogram(input.reshape(-1, 1), [bins], range, column, density)
    if out is None:
        return _RESULT((counts, edges[0].clone() if edges[0] is bins else edges[0]))
    return _RESULT((write_result(out[0], counts), write_result(out[1], edges[0])))


def histogramdd(
    input: Tensor, bins: Any, range: Any = None, weight: Any = None, density: bool = False
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Counts the rows of an (..., D) tensor in D-dimensional bins, and the edges of the bins.

    bins: their number in each dimension (or one for all), or a list of their edges.
    """
    if isinstance(bins, int):
        bins = [bins] * (input.shape[-1] if input.dim() else 1)
    counts, edges = _histogram(input, bins, range, weight, density)
    return _RESULT_DD((counts, tuple(edges)))


for _function in (histc, histogram):
    setattr(Tensor, _function.__name__, _function)
