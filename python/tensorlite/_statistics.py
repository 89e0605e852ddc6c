"""Statistics that are made of other operators."""

from __future__ import annotations

import math
from typing import Any

from . import _C

__all__ = ["histc", "isin", "nanquantile", "quantile", "unique", "unique_consecutive"]

Tensor = _C.Tensor
_unique_dim = _C._operator("unique_dim")
_unique_consecutive = _C._operator("_unique_consecutive")


def _asked(results: Any, return_inverse: bool, return_counts: bool) -> Any:
    values, inverse, counts = results
    if not (return_inverse or return_counts):
        return values
    return (values, *((inverse,) if return_inverse else ()), *((counts,) if return_counts else ()))


def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The different elements, or with `dim` the different slices, in order.

    return_inverse: also where each element of the input went; return_counts: also how often each occurs.
    """
    if dim is None:
        results = _C._unique2(input, sorted, return_inverse, return_counts)
    else:
        results = _unique_dim(input, dim, sorted, return_inverse, return_counts)
    return _asked(results, return_inverse, return_counts)


def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The elements (or slices) without those that equal the one before them."""
    results = _unique_consecutive(input, return_inverse, return_counts, dim)
    return _asked(results, return_inverse, return_counts)


def isin(
    elements: Any = None,
    test_elements: Any = None,
    *,
    test_element: Any = None,
    element: Any = None,
    assume_unique: bool = False,
    invert: bool = False,
) -> Tensor:
    """Which elements occur among the test elements."""
    elements = element if elements is None else elements
    tests = test_element if test_elements is None else test_elements
    tensors = [x for x in (elements, tests) if isinstance(x, Tensor)]
    if not tensors:
        raise TypeError(
            "isin() received an invalid combination of arguments - got "
            f"({type(elements).__name__}, {type(tests).__name__}), but expected at least one Tensor"
        )
    for t in tensors:
        if t.dtype == _C.bool or t.is_complex():
            kind = "Bool" if t.dtype == _C.bool else "ComplexFloat" if t.dtype == _C.complex64 else "ComplexDouble"
            raise RuntimeError(f"Unsupported input type encountered for isin(): {kind}")
    if not isinstance(elements, Tensor):
        elements = _C._tensor_from(elements, None)
    if not isinstance(tests, Tensor):
        found = elements == tests
    elif tests.numel() <= 4:
        found = _C.zeros(elements.shape, dtype=_C.bool, device=elements.device)
        for one in tests.flatten().tolist():
            found |= elements == one
    else:
        tests = tests.detach().flatten()
        ordered = tests[tests == tests].sort().values  # NaN equals nothing
        if not ordered.numel():
            return isin(elements, ordered, invert=invert)
        place = _C.searchsorted(ordered, elements.detach()).clamp_(max=ordered.numel() - 1)
        found = ordered[place] == elements
    return ~found if invert else found


def histc(input: Tensor, bins: int = 100, min: Any = 0, max: Any = 0, *, out: Any = None) -> Tensor:
    """How many elements fall into each of `bins` equal parts of [min, max]; if both are 0, of the input's range."""
    if not input.dtype.is_floating_point:
        raise NotImplementedError(f'"histogram_cpu" not implemented for \'{_type_name(input.dtype)}\'')
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
    if out is None:
        return result
    return _into(out, result)


def _type_name(dtype: Any) -> str:
    names = {"bool": "Bool", "uint8": "Byte", "int8": "Char", "int16": "Short", "int32": "Int", "int64": "Long"}
    names |= {"complex64": "ComplexFloat", "complex128": "ComplexDouble"}
    return names[str(dtype).partition(".")[2]]


def _into(out: Tensor, result: Tensor) -> Tensor:
    return _C.mul(result, 1, out=out)  # resizes, with a warning, where it must


_INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


def _quantile(
    name: str, input: Tensor, q: Any, dim: int | None, keepdim: bool, interpolation: str, out: Any, ignore_nan: bool
) -> Tensor:
    if input.numel() == 0:
        raise RuntimeError(f"{name}() input tensor must be non-empty")
    if input.dtype not in (_C.float32, _C.float64):
        raise RuntimeError(f"{name}() input tensor must be either float or double dtype")
    if isinstance(q, Tensor):
        if q.dim() > 1:
            raise RuntimeError(f"{name}() q must be a scalar or 1D tensor")
        if q.dtype != input.dtype:
            raise RuntimeError(f"{name}() q tensor must be same dtype as the input tensor")
        if not bool(((q >= 0) & (q <= 1)).all()):
            raise RuntimeError(f"{name}() q values must be in the range [0, 1]")
    else:
        if not 0 <= q <= 1:
            raise RuntimeError(f"{name}() q must be in the range [0, 1] but got {q:g}")
        q = _C._tensor_from(q, input.dtype)
    if interpolation not in _INTERPOLATIONS:
        raise RuntimeError(
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, but got {interpolation}"
        )
    if out is not None and out.dtype != input.dtype:
        raise RuntimeError(f"{name}() out tensor must be same dtype as the input tensor")

    # Lines become the last dim.
    if dim is None:
        shape = [1] * input.dim() if keepdim else []
        lines = input.flatten()
    else:
        if not -max(input.dim(), 1) <= dim < max(input.dim(), 1):
            n = max(input.dim(), 1)
            raise IndexError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})")
        shape = list(input.shape)
        if shape:
            shape[dim : dim + 1 or None] = [1] if keepdim else []
        lines = input.movedim(dim, -1) if input.dim() else input.flatten()
    ordered = lines.sort().values
    n = ordered.shape[-1]
    if ignore_nan:
        count = (~ordered.isnan()).sum(-1, keepdim=True)
        place = q * (count - 1).clamp(min=0).to(input.dtype)
    else:
        place = (q * (n - 1)).expand([*ordered.shape[:-1], q.numel()])
        # A line with a NaN has no quantiles; its last element is one.
        place = place.masked_fill(ordered[..., -1:].isnan().detach(), n - 1)
    if interpolation == "lower":
        place = place.floor()
    elif interpolation == "higher":
        place = place.ceil()
    elif interpolation == "nearest":
        place = place.round()
    below = place.detach().long()
    result = ordered.gather(-1, below)
    if interpolation in ("linear", "midpoint"):
        weight = place.new_full(place.shape, 0.5) if interpolation == "midpoint" else place - below
        above = ordered.gather(-1, place.detach().ceil().long())
        result = result.lerp(above, weight)
    # (lines, q) -> q first, unless q is a number
    if q.dim() == 0:
        result = result.squeeze(-1)
        result = result if list(result.shape) == shape else result.reshape(shape)
    else:
        result = result.reshape([*shape, q.numel()]).movedim(-1, 0)
    return result if out is None else _into(out, result)


def quantile(
    input: Tensor,
    q: Any,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
    out: Any = None,
) -> Tensor:
    """The q-quantiles of the elements, or of those along `dim`; several q become the first dimension."""
    return _quantile("quantile", input, q, dim, keepdim, interpolation, out, False)


def nanquantile(
    input: Tensor,
    q: Any,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
    out: Any = None,
) -> Tensor:
    """The quantiles of what is not NaN."""
    return _quantile("quantile", input, q, dim, keepdim, interpolation, out, True)


for _function in (histc, nanquantile, quantile, unique, unique_consecutive):
    setattr(Tensor, _function.__name__, _function)
