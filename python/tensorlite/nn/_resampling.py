"""Resampling of images; part of ``nn.functional``."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import tensorlite as _tl

from ._shapes import _type_name

Tensor = _tl.Tensor
_C = _tl._C.nn

__all__ = ["affine_grid", "grid_sample", "interpolate", "upsample", "upsample_bilinear", "upsample_nearest"]

_DIMS = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}
_NEAREST = ("nearest", "nearest-exact")


# By a factor or to a size. Every mode is separable: along each dim it is a sparse matrix with a few weights per row.


def interpolate(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Resamples the spatial dims of ``input`` (N, C, ...) to ``size`` or by ``scale_factor``.

    Args:
        input: (N, C, L), (N, C, H, W) or (N, C, D, H, W); floating, or uint8.
        size: one int, or one for each spatial dim.
        scale_factor: one number, or one for each spatial dim.
        mode: ``nearest``, ``nearest-exact``, ``area``, or ``linear``, ``bilinear``, ``bicubic``, ``trilinear`` for one,
            two, two and three spatial dims.
        align_corners: whether the centres of the corner elements stay in place, else their outer corners.
        recompute_scale_factor: whether the factor that is used is that of the rounded sizes.
        antialias: of ``bilinear`` and ``bicubic``: whether a smaller result is made of wider windows.

    Raises:
        ValueError: arguments that exclude each other or do not fit the input.
        NotImplementedError: a mode that is not for this number of dims.
    """
    if mode in (*_NEAREST, "area"):
        if align_corners is not None:
            raise ValueError(
                "align_corners option can only be set with the interpolating modes: "
                "linear | bilinear | bicubic | trilinear"
            )
    elif align_corners is None:
        align_corners = False
    n = input.dim() - 2
    sizes, factors = _sizes_and_factors(input, n, size, scale_factor)
    if recompute_scale_factor is not None and recompute_scale_factor and size is not None:
        raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
    if sizes is None:
        old = input.shape[2:]
        if mode == "area" or recompute_scale_factor:
            sizes, factors = [math.floor(s * f) for s, f in zip(old, factors)], None
        else:
            sizes = [math.floor(float(s) * f) for s, f in zip(old, factors)]
    if antialias and not (mode in ("bilinear", "bicubic") and input.dim() == 4):
        raise ValueError(
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a 4-D tensor as input"
        )
    if mode == "area" and 1 <= n <= 3:
        return getattr(_tl.nn.functional, f"adaptive_avg_pool{n}d")(input, sizes)
    if n not in (1, 2, 3) or (mode not in _NEAREST and _DIMS.get(mode) != n):
        if mode in _DIMS and n in (1, 2, 3):
            raise NotImplementedError(f"Got {input.dim()}D input, but {mode} mode needs {_DIMS[mode] + 2}D input")
        raise NotImplementedError(
            "Input Error: Only 3D, 4D and 5D input Tensors supported (got "
            f"{input.dim()}D) for the modes: nearest | linear | bilinear | bicubic | trilinear | area | nearest-exact "
            f"(got {mode})"
        )
    return _resampled(input, sizes, factors, mode, bool(align_corners), antialias)


def _sizes_and_factors(
    input: Tensor, n: int, size: Any, scale_factor: Any
) -> tuple[list[int] | None, list[float] | None]:
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is None and scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    given, name = (size, "size") if size is not None else (scale_factor, "scale_factor")
    if not isinstance(given, (list, tuple)):
        given = [given] * n
    elif len(given) != n:
        raise ValueError(
            f"Input and {'output' if size is not None else 'scale_factor'} must have the same number of spatial "
            f"dimensions, but got input with spatial dimensions of {list(input.shape[2:])} and "
            f"{'output size of' if size is not None else 'scale_factor of shape'} {given}. "
            f"Please provide input tensor in (N, C, d1, d2, ...,dK) format and {name} in "
            "(o1, o2, ...,oK) format."
        )
    if size is not None:
        if not all(isinstance(s, (int, np.integer)) or (isinstance(s, Tensor) and s.dim() == 0) for s in given):
            raise TypeError(f"expected size to be one of int or Tuple[int] or Tuple[int, int], but got {size!r}")
        return [int(s) for s in given], None
    return None, [float(f) for f in given]


def _resampled(
    input: Tensor, sizes: Sequence[int], factors: Sequence[float] | None, mode: str, align: bool, antialias: bool
) -> Tensor:
    n = len(sizes)
    if min(sizes) <= 0 or min(input.shape[2:]) <= 0:
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input ({_named(input.shape[2:])}) output "
            f"({_named(sizes)})"
        )
    if (input.numel() == 0 and input.shape[0] != 0) or input.shape[1] == 0:
        raise RuntimeError(f"Non-empty {n + 2}D data tensor expected but got a tensor with sizes {list(input.shape)}")
    if not (input.is_floating_point() or (input.dtype == _tl.uint8 and mode not in ("linear", "trilinear"))):
        kernel = (
            "upsample_nearest2d_channels_last" if mode == "nearest" and n == 2 and not input.is_complex()
            else "compute_indices_weights_nearest" if mode in _NEAREST
            else "compute_indices_weights_cubic" if mode == "bicubic"
            else "upsample_bilinear2d_channels_last" if mode == "bilinear"
            else "compute_indices_weights_linear"
        )  # fmt: skip
        raise NotImplementedError(
            f"\"{kernel}\" not implemented for '{_type_name(input)}'. Convert the input to a floating dtype first."
        )
    x = input
    kind = {"nearest": "nearest", "nearest-exact": "exact", "bicubic": "cubic"}.get(mode, "linear")
    # Rounded once, not after every dim; bytes under a cubic overshoot after each, as in PyTorch.
    rounded = n > 1 and (x.dtype in (_tl.float16, _tl.bfloat16) or (x.dtype == _tl.uint8 and mode == "bilinear"))
    if rounded:
        x = x.float()
    for i in reversed(range(n)):
        old, new = x.shape[2 + i], sizes[i]
        factor = None if factors is None else factors[i]
        if old == new and not align and (factor in (None, 1.0) or kind in ("nearest", "exact")) and not antialias:
            continue
        tables = _tables(kind, old, new, factor, align, antialias, x.dtype == _tl.float64, x.device)
        x = _C.resample(x, 2 + i, *tables)
    if rounded:
        x = (x.round().clamp(0, 255) if input.dtype == _tl.uint8 else x).to(input.dtype)
    return input.clone() if x is input else x


def _named(sizes: Sequence[int]) -> str:
    return ", ".join(f"{name}: {size}" for name, size in zip("DHW"[-len(sizes) :], sizes))


@functools.lru_cache(maxsize=256)
def _tables(
    kind: str, old: int, new: int, factor: float | None, align: bool, antialias: bool, double: bool, device: Any
) -> tuple[Tensor, ...]:
    """The sparse matrix, new x old, and its transpose, as (starts, places, weights) each."""
    if device.type != "cpu":
        here = _tables(kind, old, new, factor, align, antialias, double, _tl.device("cpu"))
        return tuple(t.to(device) for t in here)
    real = np.float64 if double else np.float32
    if kind in ("nearest", "exact"):
        real = np.float32
    rows, columns, weights = (_wide if antialias else _narrow)(kind, old, new, factor, align, real)
    columns = np.clip(columns, 0, old - 1)
    keep = weights != 0
    rows, columns, weights = rows[keep], columns[keep], weights[keep].astype(np.float64)

    def table(rows: Any, columns: Any, count: int) -> tuple[Tensor, ...]:
        order = np.argsort(rows, kind="stable")
        starts = np.zeros(count + 1, np.int64)
        np.cumsum(np.bincount(rows, minlength=count), out=starts[1:])
        return tuple(_tl.from_numpy(a) for a in (starts, columns[order].astype(np.int64), weights[order]))

    return table(rows, columns, new) + table(columns, rows, old)


def _step(old: int, new: int, factor: float | None, align: bool, real: Any) -> Any:
    """How far apart the places of neighbouring results are."""
    if align:
        return real(old - 1) / real(new - 1) if new > 1 else real(0)
    return real(1.0 / factor) if factor is not None and factor > 0 else real(old) / real(new)


def _cubic(x: Any, a: float) -> Any:
    """The cubic convolution kernel (Keys, 1981)."""
    x = np.abs(x)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((x - 5) * x + 8) * x * a - 4 * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0)).astype(x.dtype)


def _narrow(kind: str, old: int, new: int, factor: float | None, align: bool, real: Any) -> Any:
    o = np.arange(new)
    if kind in ("nearest", "exact"):
        if old == new:
            place = o
        elif new == 2 * old:
            place = o >> 1
        else:
            shift = real(0.5 if kind == "exact" else 0)
            place = np.floor((o.astype(real) + shift) * _step(old, new, factor, False, real)).astype(np.int64)
        return o, place, np.ones(new, real)
    step = _step(old, new, factor, align, real)
    where = o.astype(real) * step if align else step * (o.astype(real) + real(0.5)) - real(0.5)
    if kind == "linear":
        where = np.maximum(where, real(0))
    low = np.minimum(np.floor(where), old - 1).astype(np.int64)
    part = np.clip(where - low.astype(real), real(0), real(1))
    if kind == "linear":
        taps = [(low, 1 - part), (low + 1, part)]
    else:
        taps = [(low + k, _cubic(part - real(k), -0.75)) for k in (-1, 0, 1, 2)]
    rows = np.concatenate([o] * len(taps))
    return rows, np.concatenate([t[0] for t in taps]), np.concatenate([t[1] for t in taps])


def _wide(kind: str, old: int, new: int, factor: float | None, align: bool, real: Any) -> Any:
    """Windows as wide as the step, when it is more than one element."""
    step = _step(old, new, factor, align, real)
    reach = real(2 if kind == "cubic" else 1) * max(step, real(1))
    centre = step * (np.arange(new).astype(real) + real(0.5))
    begin = np.maximum((centre - reach + real(0.5)).astype(np.int64), 0)
    end = np.minimum((centre + reach + real(0.5)).astype(np.int64), old)
    rows = np.repeat(np.arange(new), end - begin)
    columns = np.concatenate([np.arange(a, b) for a, b in zip(begin, end)])
    x = (columns.astype(real) - centre[rows] + real(0.5)) * (real(1) / max(step, real(1)))
    weights = _cubic(x, -0.5) if kind == "cubic" else np.maximum(1 - np.abs(x), real(0))
    return rows, columns, weights / np.bincount(rows, weights, new).astype(real)[rows]


def upsample(
    input: Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
) -> Tensor:
    """The old name of ``interpolate``."""
    import warnings

    warnings.warn("`nn.functional.upsample` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2)
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """An old name of ``interpolate`` with ``mode="nearest"``."""
    import warnings

    warnings.warn(
        "`nn.functional.upsample_nearest` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2
    )
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """An old name of ``interpolate`` with ``mode="bilinear"`` and ``align_corners=True``."""
    import warnings

    warnings.warn(
        "`nn.functional.upsample_bilinear` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2
    )
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)


# At any places


def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """The places that ``grid_sample`` reads to transform images by the matrices ``theta``.

    Args:
        theta: (N, 2, 3) or (N, 3, 4).
        size: of the result of ``grid_sample``: (N, C, H, W) or (N, C, D, H, W).
        align_corners: whether -1 and 1 are the centres of the corner elements, else their outer corners.

    Returns:
        (N, H, W, 2) or (N, D, H, W, 3).
    """
    if align_corners is None:
        _warn_of_corners("affine_grid", "1.3.0")
        align_corners = False
    if not theta.is_floating_point():
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    n = len(size) - 2
    if n not in (2, 3):
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. "
            f"Got size {_tl.Size(size)}."
        )
    if theta.dim() != 3 or tuple(theta.shape[-2:]) != (n, n + 1):
        raise ValueError(
            f"Expected a batch of {n}D affine matrices of shape Nx{n}x{n + 1} for size {size}. Got {theta.shape}."
        )
    if min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {_tl.Size(size)}")
    spatial = list(size[2:])
    axes = []
    for i, steps in enumerate(spatial):
        axis = _tl.linspace(-1, 1, steps, dtype=theta.dtype, device=theta.device) if steps > 1 else theta.new_zeros(1)
        if not align_corners:
            axis = axis * ((steps - 1) / steps)
        axes.append(axis.view([-1 if d == i else 1 for d in range(n)]).expand(spatial))
    base = _tl.stack([*reversed(axes), theta.new_ones(spatial)], -1).view(1, -1, n + 1)
    return _tl._C._unsafe_view(base.expand(size[0], -1, -1) @ theta.transpose(1, 2), [size[0], *spatial, n])


def _warn_of_corners(name: str, version: str) -> None:
    import warnings

    warnings.warn(
        f"Default grid_sample and affine_grid behavior has changed to align_corners=False since {version}. Please "
        f"specify align_corners=True if the old behavior is desired. See the documentation of {name} for details.",
        stacklevel=3,
    )


def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """The values of ``input`` at the places in ``grid``.

    Args:
        input: (N, C, H, W) or (N, C, D, H, W).
        grid: (N, H', W', 2) or (N, D', H', W', 3): x, y (, z), -1 and 1 being the input's edges.
        mode: ``bilinear`` (also for three dims), ``nearest``, or ``bicubic`` for two dims.
        padding_mode: what lies outside: ``zeros``, the ``border``, or the ``reflection`` of the inside.
        align_corners: whether -1 and 1 are the centres of the corner elements, else their outer corners.

    Returns:
        (N, C, H', W') or (N, C, D', H', W').
    """
    if mode not in ("bilinear", "nearest", "bicubic"):
        raise ValueError(
            f"nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '{mode}'"
        )
    if padding_mode not in ("zeros", "border", "reflection"):
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: "
            f"'{padding_mode}'"
        )
    if align_corners is None:
        _warn_of_corners("grid_sample", "1.3.0")
        align_corners = False
    _check_grid(input, grid, mode)
    n = input.dim() - 2
    spatial = list(input.shape[2:])
    # The grid names the last dim first.
    places = [_unnormalised(grid[..., n - 1 - i], spatial[i], align_corners) for i in range(n)]
    values = input.flatten(2)

    def bounded(place: Tensor, size: int) -> Tensor:
        return _bounded(place, size, padding_mode, align_corners)

    def read(index: list[Tensor]) -> Tensor:
        """The elements at whole places, 0 outside; (N, C, places)."""
        flat, inside = None, None
        for place, size in zip(index, spatial):
            ok = (place >= 0) & (place < size)
            inside = ok if inside is None else inside & ok
            whole = place.detach().clamp(0, size - 1).nan_to_num(0).to(_tl.int64)
            flat = whole if flat is None else flat * size + whole
        flat = flat.flatten(1).unsqueeze(1).expand(-1, values.shape[1], -1)
        return values.gather(2, flat).where(inside.flatten(1).unsqueeze(1), values.new_zeros(()))

    if mode == "bicubic":
        result = _bicubic(places, spatial, bounded, read)
    else:
        places = [bounded(p, s) for p, s in zip(places, spatial)]
        if mode == "nearest":
            result = read([p.detach().round() for p in places])
            result = result + 0 * sum(p.flatten(1).unsqueeze(1) for p in places) if grid.requires_grad else result
        else:
            low = [p.detach().floor() for p in places]
            result = None
            for corner in range(2**n):
                up = [corner >> (n - 1 - i) & 1 for i in range(n)]
                weight = None
                for p, q, u in zip(places, low, up):
                    w = p - q if u else q + 1 - p
                    weight = w if weight is None else weight * w
                part = read([q + u for q, u in zip(low, up)]) * weight.flatten(1).unsqueeze(1)
                result = part if result is None else result + part
    return _tl._C._unsafe_view(result, [*input.shape[:2], *grid.shape[1:-1]])


def _check_grid(input: Tensor, grid: Tensor, mode: str) -> None:
    if input.dtype != grid.dtype:
        raise RuntimeError(
            f"expected scalar type {_type_name(input)} but found {_type_name(grid)}. grid_sample wants one dtype."
        )
    if input.shape[0] != grid.shape[0]:
        raise RuntimeError(
            "grid_sampler(): expected grid and input to have same batch size, but got input with sizes "
            f"{list(input.shape)} and grid with sizes {list(grid.shape)}"
        )
    if input.dim() not in (4, 5) or input.dim() != grid.dim():
        raise RuntimeError(
            "grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but got input with sizes "
            f"{list(input.shape)} and grid with sizes {list(grid.shape)}"
        )
    n = input.dim() - 2
    if grid.shape[-1] != n:
        raise RuntimeError(
            f"grid_sampler(): expected grid to have size {n} in last dimension, but got grid with sizes "
            f"{list(grid.shape)}"
        )
    for d in range(2, input.dim()):
        if input.shape[d] <= 0:
            raise RuntimeError(
                "grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes "
                f"{list(input.shape)} with dimension {d} being empty"
            )
    if mode == "bicubic" and n == 3:
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")
    if not input.is_floating_point():
        raise NotImplementedError(
            f"\"grid_sampler_2d_cpu\" not implemented for '{_type_name(input)}'. Convert it to a floating dtype first."
        )


def _unnormalised(place: Tensor, size: int, align: bool) -> Tensor:
    return (place + 1) / 2 * (size - 1) if align else ((place + 1) * size - 1) / 2


def _bounded(place: Tensor, size: int, mode: str, align: bool) -> Tensor:
    if mode == "zeros":
        return place
    if mode == "reflection":
        low, span = (0.0, float(size - 1)) if align else (-0.5, float(size))
        if span == 0:
            return place * 0
        away = place - low
        away = away.abs()
        turns = (away.detach() / span).floor()
        rest = away - turns * span
        place = _tl.where(turns % 2 == 0, rest + low, span - rest + low)
    # At the edges themselves nothing flows back.
    return _tl.where((place > 0) & (place < size - 1), place, place.detach().clamp(0, size - 1))


def _bicubic(places: list[Tensor], spatial: list[int], bounded: Any, read: Any) -> Tensor:
    low = [p.detach().floor() for p in places]

    def weights(part: Tensor) -> list[Tensor]:
        a = -0.75
        near = [((a + 2) * x - (a + 3)) * x * x + 1 for x in (part, 1 - part)]
        far = [((x - 5) * x + 8) * x * a - 4 * a for x in (part + 1, 2 - part)]
        return [w.flatten(1).unsqueeze(1) for w in (far[0], near[0], near[1], far[1])]

    rows, cols = (weights(p - q) for p, q in zip(places, low))
    result = None
    for i in range(4):
        y = bounded(low[0] + (i - 1), spatial[0])
        line = None
        for j in range(4):
            part = read([y, bounded(low[1] + (j - 1), spatial[1])]) * cols[j]
            line = part if line is None else line + part
        result = line * rows[i] if result is None else result + line * rows[i]
    return result
