"""Differences and integrals of samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import _C

__all__ = ["cumulative_trapezoid", "gradient", "trapezoid", "trapz"]

Tensor = _C.Tensor


def wrap_dim(dim: int, n: int) -> int:
    if n == 0:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    if not -n <= dim < n:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})")
    return dim % n


# ---- integrals ----


def _widths(name: str, y: Tensor, x: Any, dim: int) -> Tensor:
    """The distances of the sample points, ready to be multiplied with what lies between the samples."""
    if y.dtype == _C.bool or x.dtype == _C.bool:
        raise RuntimeError(f"{name}: received a bool input for `x` or `y`, but bool is not supported")
    if x.dim() == 1 and y.dim() != 1:
        if x.shape[0] != y.shape[dim]:
            raise RuntimeError(f"{name}: There must be one `x` value for each sample point")
        shape = [1] * y.dim()
        shape[dim] = x.shape[0]
        x = x.view(shape)
    elif x.dim() < y.dim():
        x = x.view([1] * (y.dim() - x.dim()) + list(x.shape))
    return x.narrow(dim, 1, x.shape[dim] - 1) - x.narrow(dim, 0, x.shape[dim] - 1)


def _neighbours(y: Tensor, dim: int) -> Tensor:
    """The sums of neighbouring samples."""
    n = max(y.shape[dim] - 1, 0)
    return y.narrow(dim, 0, n) + y.narrow(dim, y.shape[dim] - n, n)


def _arguments(name: str, y: Tensor, x: Any, dx: Any) -> Any:
    if not isinstance(y, Tensor):
        raise TypeError(f"{name}(): argument 'y' (position 1) must be Tensor, not {type(y).__name__}")
    if x is not None and (dx is not None or not isinstance(x, Tensor)):
        given = ["Tensor", type(x).__name__] + ([] if dx is None else [f"dx={type(dx).__name__}"])
        raise TypeError(
            f"{name}() received an invalid combination of arguments - got ({', '.join(given)}), but expected one of:\n"
            " * (Tensor y, Tensor x, *, int dim = -1)\n * (Tensor y, *, Number dx = 1, int dim = -1)\n"
        )
    if x is None and y.dtype == _C.bool:
        raise RuntimeError(f"{name}: received a bool input for `y`, but bool is not supported")
    return 1 if dx is None else dx


def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """The integral of samples along a dimension by the trapezoidal rule.

    x: the sample points; else they are `dx` apart (1).

    >>> trapezoid(torch.tensor([1.0, 5.0, 10.0]), torch.tensor([0.0, 1.0, 3.0]))
    tensor(18.)
    """
    dx = _arguments("trapezoid", y, x, dx)
    dim = wrap_dim(dim, y.dim())
    if not y.shape[dim]:
        return y.new_zeros([n for d, n in enumerate(y.shape) if d != dim])
    if x is not None:
        return (_neighbours(y, dim) * _widths("trapezoid", y, x, dim)).sum(dim) / 2.0
    return (y.sum(dim) - (y.select(dim, 0) + y.select(dim, -1)) * 0.5) * dx


def trapz(y: Tensor, x: Tensor | None = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """Alias of trapezoid."""
    return trapezoid(y, x, dx=dx, dim=dim)


def cumulative_trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """The integrals up to each sample but the first, by the trapezoidal rule."""
    dx = _arguments("cumulative_trapezoid", y, x, dx)
    dim = wrap_dim(dim, y.dim())
    if x is not None:
        return (_neighbours(y, dim) * _widths("cumulative_trapezoid", y, x, dim)).cumsum(dim) / 2.0
    return dx / 2.0 * _neighbours(y, dim).cumsum(dim)


# ---- derivatives ----


def _gradient_dims(input: Tensor, dim: Any) -> list[int]:
    if dim is None:
        return list(range(input.dim()))
    dims = [wrap_dim(d, input.dim()) for d in ([dim] if isinstance(dim, int) else dim)]
    for d in dims:
        if dims.count(d) > 1:
            raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
    return dims


def _gradient_spacing(input: Tensor, spacing: Any, dim: Any, dims: list[int]) -> list[Any]:
    if spacing is None:
        return [1.0] * len(dims)
    if isinstance(spacing, Tensor) and spacing.dim() == 0:
        spacing = spacing.item()
    if isinstance(spacing, (list, tuple)):
        if len(spacing) != len(dims):
            if dim is not None:
                raise RuntimeError(
                    "torch.gradient expected spacing to be unspecified, a scalar or it's spacing and dim arguments to "
                    f"have the same length, but got a spacing argument of length {len(spacing)} and a dim argument of "
                    f"length {len(dims)}."
                )
            raise RuntimeError(
                "torch.gradient expected spacing to be unspecified, a scalar, or a list of length equal to "
                f"'self.dim() = {input.dim()}', since dim argument was not given, but got a list of length "
                f"{len(spacing)}"
            )
        for x in spacing:
            if not isinstance(x, Tensor):
                continue
            if x.device != input.device:
                raise RuntimeError("torch.gradient expected each tensor to be on the same device")
            if x.dim() != 1:
                raise RuntimeError(
                    "torch.gradient expected each element of spacing to have one dimension, but got an element with "
                    f"{x.dim()} dimensions!"
                )
        return list(spacing)
    if isinstance(spacing, Tensor):
        raise TypeError(
            "gradient() received an invalid combination of arguments - got (Tensor, spacing=Tensor), but expected "
            "spacing to be a number or a list of numbers or tensors"
        )
    return [spacing] * len(dims)


def _even_gradient(y: Tensor, h: Any, d: int, edge_order: int) -> Tensor:
    def part(start: int, count: int) -> Tensor:
        return y.narrow(d, start, count)

    n = y.shape[d]
    inner = (part(2, n - 2) - part(0, n - 2)) / (2 * h)
    if edge_order == 1:
        first, last = (part(1, 1) - part(0, 1)) / h, (part(n - 1, 1) - part(n - 2, 1)) / h
    else:
        first = (-1.5 * part(0, 1) + 2 * part(1, 1) - 0.5 * part(2, 1)) / h
        last = (0.5 * part(n - 3, 1) - 2 * part(n - 2, 1) + 1.5 * part(n - 1, 1)) / h
    return _C.cat([first, inner, last], d)


def _uneven_gradient(y: Tensor, x: Tensor, d: int, edge_order: int) -> Tensor:
    def part(start: int, count: int) -> Tensor:
        return y.narrow(d, start, count)

    n = y.shape[d]
    steps = x[1:] - x[:-1]
    shape = [1] * y.dim()
    shape[d] = -1
    before, after = steps[:-1].view(shape), steps[1:].view(shape)
    inner = (
        part(0, n - 2) * (-after / (before * (before + after)))
        + part(1, n - 2) * ((after - before) / (before * after))
        + part(2, n - 2) * (before / (after * (before + after)))
    )
    if edge_order == 1:
        first = (part(1, 1) - part(0, 1)) / steps[0]
        last = (part(n - 1, 1) - part(n - 2, 1)) / steps[-1]
    else:
        a, b = steps[0], steps[1]
        first = (
            part(0, 1) * (-(2 * a + b) / (a * (a + b)))
            + part(1, 1) * ((a + b) / (a * b))
            + part(2, 1) * (-a / (b * (a + b)))
        )
        a, b = steps[-2], steps[-1]
        last = (
            part(n - 3, 1) * (b / (a * (a + b)))
            + part(n - 2, 1) * (-(a + b) / (a * b))
            + part(n - 1, 1) * ((a + 2 * b) / (b * (a + b)))
        )
    return _C.cat([first, inner, last], d)


def gradient(
    input: Tensor, *, spacing: Any = None, dim: int | Sequence[int] | None = None, edge_order: int = 1
) -> tuple[Tensor, ...]:
    """The derivatives of samples along each dimension, of second order inside and of `edge_order` at the edges.

    spacing: the distance of the samples (1); a list of distances, or of the coordinates of the samples, one for each
    dimension.

    >>> gradient(torch.tensor([1.0, 2.0, 4.0, 8.0]))
    (tensor([1.0000, 1.5000, 3.0000, 4.0000]),)
    """
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    dims = _gradient_dims(input, dim)
    steps = _gradient_spacing(input, spacing, dim, dims)
    if input.dtype == _C.uint8:
        raise RuntimeError("torch.gradient does not support uint8 input.")
    for d in dims:
        if input.shape[d] < edge_order + 1:
            raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")
    return tuple(
        (_uneven_gradient if isinstance(h, Tensor) else _even_gradient)(input, h, d, edge_order)
        for d, h in zip(dims, steps, strict=True)
    )
