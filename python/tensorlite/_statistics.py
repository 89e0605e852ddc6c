"""Statistics that are made of other operators."""

from __future__ import annotations

import warnings
from typing import Any

from . import _C
from ._histogram import write_result
from ._names import type_name

__all__ = ["corrcoef", "cov", "isin", "nanquantile", "quantile", "unique", "unique_consecutive"]

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
    out: Any = None,
) -> Tensor:
    """Which elements occur among the test elements."""
    found = _is_in(elements, test_elements, test_element, element, invert)
    return found if out is None else _C.logical_or(found, found, out=out)


def _is_in(elements: Any, test_elements: Any, test_element: Any, element: Any, invert: bool) -> Tensor:
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
            raise RuntimeError(f"Unsupported input type encountered for isin(): {type_name(t.dtype)}")
    if not isinstance(elements, Tensor):
        elements = _C._tensor_from(elements, None).to(tests.device)
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
            return _is_in(elements, ordered, None, None, invert)
        place = _C.searchsorted(ordered, elements.detach()).clamp_(max=ordered.numel() - 1)
        found = ordered[place] == elements
    return ~found if invert else found


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
        if q.device != input.device:
            raise RuntimeError(f"{name}() q tensor must be on the same device as the input tensor")
        if not bool(((q >= 0) & (q <= 1)).all()):
            raise RuntimeError(f"{name}() q values must be in the range [0, 1]")
    else:
        if not 0 <= q <= 1:
            raise RuntimeError(f"{name}() q must be in the range [0, 1] but got {q:g}")
        q = _C._tensor_from(q, input.dtype).to(input.device)
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
    return result if out is None else write_result(out, result)


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


# ---- covariance ----


def _weights(name: str, w: Tensor, observations: int, integral: bool) -> Tensor:
    if w.dim() > 1:
        raise RuntimeError(
            f"cov(): expected {name} to have one or fewer dimensions but got {name} with {w.dim()} dimensions"
        )
    floating = w.dtype.is_floating_point
    if (floating or w.dtype.is_complex) if integral else not floating:
        kind = "integral" if integral else "floating point"
        raise RuntimeError(
            f"cov(): expected {name} to have {kind} dtype but got {name} with {type_name(w.dtype)} dtype"
        )
    if w.numel() != observations:
        raise RuntimeError(
            f"cov(): expected {name} to have the same numel as there are observations in the input but got "
            f"{w.numel()} != {observations}"
        )
    if observations and w.detach().min().item() < 0:
        raise RuntimeError(f"cov(): {name} cannot be negative")
    return w


def cov(
    input: Tensor, *, correction: int = 1, fweights: Tensor | None = None, aweights: Tensor | None = None
) -> Tensor:
    """The covariances of variables, the rows of a (variables, observations) tensor.

    correction: what is taken from the number of observations. fweights: how often each was made; aweights: what each
    counts for.

    >>> cov(torch.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    if input.dim() > 2:
        raise RuntimeError(
            f"cov(): expected input to have two or fewer dimensions but got an input with {input.dim()} dimensions"
        )
    if input.dtype == _C.bool:
        raise RuntimeError("cov(): bool dtype is not supported for input")
    x = input.view(1, -1) if input.dim() < 2 else input
    n = x.shape[1]
    w = None
    if fweights is not None:
        w = _weights("fweights", fweights, n, True)
    if aweights is not None:
        aweights = _weights("aweights", aweights, n, False)
        w = aweights if w is None else w * aweights
    total = n if w is None else w.sum()
    if w is not None and n and total.item() == 0:
        raise RuntimeError("cov(): weights sum to zero, can't be normalized")
    weighted = x if w is None else x * w
    mean = weighted.sum(1) / total
    if w is not None and aweights is not None and correction != 0:
        divisor = total - correction * (w * aweights).sum() / total
    else:
        divisor = total - correction
    if float(divisor) <= 0:
        warnings.warn(
            "cov(): degrees of freedom is <= 0. Correction should be strictly less than the number of observations.",
            stacklevel=2,
        )
        divisor = divisor * 0
    x = x - mean.unsqueeze(1)
    product = x.mm((x if w is None else x * w).t().conj())
    return _C.true_divide(product, divisor).squeeze()


def corrcoef(input: Tensor) -> Tensor:
    """The correlation coefficients of variables, the rows of a (variables, observations) tensor."""
    if input.dim() > 2:
        raise RuntimeError(
            f"corrcoef(): expected input to have two or fewer dimensions but got an input with {input.dim()} dimensions"
        )
    c = cov(input)
    if c.dim() == 0:
        return c / c
    d = c.diag()
    deviation = (d.real if d.is_complex() else d).sqrt()
    c = c / deviation.view(-1, 1) / deviation.view(1, -1)
    return _C.complex(c.real.clip(-1, 1), c.imag.clip(-1, 1)) if c.is_complex() else c.clip(-1, 1)


for _function in (corrcoef, cov, nanquantile, quantile, unique, unique_consecutive):
    setattr(Tensor, _function.__name__, _function)
