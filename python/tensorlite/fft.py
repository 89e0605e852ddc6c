"""Discrete Fourier transforms, computed by NumPy: `tensorlite.fft.rfft(x)` and its like.

`n` or `s` are the lengths to which the signal is cut or padded with zeros, `dim` the dimensions transformed. `norm`
says which direction is divided by the length: "backward" (the inverse, the default), "forward", or "ortho" (both, by
the root). Integers are transformed in the default dtype.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import _C
from ._names import type_name
from ._numpy_operator import array, node, operator, tensor
from .autograd import Function

__all__ = [
    "fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "hfft2", "hfftn", "ifft", "ifft2", "ifftn", "ifftshift",
    "ihfft", "ihfft2", "ihfftn", "irfft", "irfft2", "irfftn", "rfft", "rfft2", "rfftfreq", "rfftn",
]  # fmt: skip

Tensor = _C.Tensor
Ints = Sequence[int]


# ---- the three transforms ----


def _execute(x: np.ndarray, dims: Ints, scale: float, transform: Any) -> np.ndarray:
    """Transforms the last axes of x with `dims` moved there, the others by falling strides, as MKL lays them out."""
    batch = sorted((d for d in range(x.ndim) if d not in dims), key=lambda d: -x.strides[d])
    order = [*batch, *dims]
    single = x.dtype in (np.float32, np.complex64)
    y = transform(x.transpose(order), list(range(len(batch), x.ndim)))
    if scale != 1:
        y *= scale
    if single and y.dtype in (np.float64, np.complex128):  # NumPy before 2.0
        y = y.astype(np.float32 if y.dtype == np.float64 else np.complex64)
    return np.ascontiguousarray(y).transpose(np.argsort(order))


def _by_stride(x: np.ndarray, dims: Ints) -> list[int]:
    return sorted(dims, key=lambda d: -x.strides[d])


@node("FftC2CBackward0")
class _C2C(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, dims: Ints, scale: float, forward: bool) -> Tensor:
        ctx.rest = dims, scale, not forward
        a = array(x)
        transform = np.fft.fftn if forward else np.fft.ifftn
        norm = "backward" if forward else "forward"
        return tensor(_execute(a, _by_stride(a, dims), scale, lambda a, axes: transform(a, axes=axes, norm=norm)), x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return _C2C.apply(grad, *ctx.rest), None, None, None


@node("FftR2CBackward0")
class _R2C(Function):
    """Of real numbers. One half of the last dim holds all that is to be known of the result."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, dims: Ints, scale: float, onesided: bool) -> Tensor:
        ctx.rest = dims, scale, x.shape[dims[-1]] if onesided else 0
        a = array(x)
        transform = np.fft.rfftn if onesided else np.fft.fftn
        order = [*_by_stride(a, dims[:-1]), dims[-1]]
        return tensor(_execute(a, order, scale, lambda a, axes: transform(a, axes=axes)), x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        dims, scale, n = ctx.rest
        if n:
            grad = _resized(grad, dims[-1:], [n])
        return _C.real(_C2C.apply(grad, dims, scale, False)), None, None, None


@node("FftC2RBackward0")
class _C2R(Function):
    """The inverse of a one-sided transform; `n` is the length of the last dim of the result."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, dim: int, scale: float, n: int) -> Tensor:
        ctx.rest = dim, scale, n
        transform = lambda a, axes: np.fft.irfft(a, n, axis=axes[0], norm="forward")
        return tensor(_execute(array(x), [dim], scale, transform), x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        dim, scale, n = ctx.rest
        half = n // 2 + 1
        # Each coefficient whose mirror image is left out counts twice.
        weights = [2.0 if 1 <= k <= n - half else 1.0 for k in range(half)]
        weight = _C._tensor_from(weights, grad.dtype).to(grad.device)
        weight = weight.view([half if d == dim else 1 for d in range(grad.dim())])
        return _R2C.apply(grad, (dim,), scale, True) * weight, None, None, None


# ---- arguments ----


def _promoted(name: str, x: Tensor, to_complex: bool = False) -> Tensor:
    dtype = x.dtype
    if not (dtype.is_floating_point or dtype.is_complex):
        dtype = _C.get_default_dtype()
    if dtype in (_C.float16, _C.bfloat16):
        raise RuntimeError(f"Unsupported dtype {type_name(dtype)}")
    if to_complex:
        dtype = _C.promote_types(dtype, _C.complex64)
    return x if x.dtype == dtype else x.to(dtype)


def _real(name: str, x: Tensor) -> Tensor:
    if x.is_complex():
        raise RuntimeError(f"{name} expects a real input tensor, but got {type_name(x.dtype)}")
    return _promoted(name, x)


def _wrap(dim: int, ndim: int) -> int:
    n = max(ndim, 1)
    if not -n <= dim < n:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})")
    return dim % n


def _resized(x: Tensor, dims: Ints, sizes: Ints) -> Tensor:
    """Cut, or padded with zeros."""
    pad = [0] * (2 * x.dim())
    for d, n in zip(dims, sizes, strict=True):
        if n == -1:
            continue
        if n < 1:
            raise RuntimeError(f"Invalid number of data points ({n}) specified")
        if n < x.shape[d]:
            x = x.narrow(d, 0, n)
        pad[2 * (x.dim() - d) - 1] = n - x.shape[d]
    return _C.constant_pad_nd(x, pad) if any(pad) else x


def _scale(norm: str | None, sizes: Ints, forward: bool) -> float:
    if norm not in (None, "backward", "forward", "ortho"):
        raise RuntimeError(f'Invalid normalization mode: "{norm}"')
    n = math.prod(sizes)
    if norm == "ortho":
        return 1 / math.sqrt(n)
    return 1.0 if (norm == "forward") != forward else 1 / n


def _dim_of(x: Tensor, dim: int) -> int:
    wrapped = _wrap(dim, x.dim())
    if not x.dim():
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return wrapped


def _one(x: Tensor, n: int | None, dim: int) -> tuple[Tensor, int, int]:
    """The signal of one dimension at its length."""
    dim = _dim_of(x, dim)
    n = x.shape[dim] if n is None else n
    if n < 1:
        raise RuntimeError(f"Invalid number of data points ({n}) specified")
    return _resized(x, [dim], [n]), n, dim


def _many(x: Tensor, s: Any, dim: Any) -> tuple[list[int], list[int]]:
    """(lengths, dims) of a transform of several dimensions."""
    dims = None if dim is None else [dim] if isinstance(dim, int) else list(dim)
    if dims is not None:
        dims = [_dim_of(x, d) for d in dims]
        if len(set(dims)) != len(dims):
            raise RuntimeError("FFT dims must be unique")
    if s is None:
        dims = list(range(x.dim())) if dims is None else dims
        return [x.shape[d] for d in dims], dims
    sizes = [s] if isinstance(s, int) else list(s)
    if dims is None:
        if len(sizes) > x.dim():
            raise RuntimeError(f"Got shape with {len(sizes)} values but input tensor only has {x.dim()} dimensions.")
        dims = list(range(x.dim() - len(sizes), x.dim()))
    if len(sizes) != len(dims):
        raise RuntimeError("When given, dim and shape arguments must have the same length")
    sizes = [x.shape[d] if n == -1 else n for n, d in zip(sizes, dims, strict=True)]
    return sizes, dims


def _check_sizes(sizes: Ints) -> None:
    for n in sizes:
        if n < 1:
            raise RuntimeError(f"Invalid number of data points ({n}) specified")


# ---- one dimension ----


def _transform(name: str, x: Tensor, n: int | None, dim: int, norm: str | None, forward: bool) -> Tensor:
    x = _promoted(name, x)
    x, n, dim = _one(x, n, dim)
    scale = _scale(norm, [n], forward)
    if x.is_complex():
        return _C2C.apply(x, (dim,), scale, forward)
    y = _R2C.apply(x, (dim,), scale, False)
    return y if forward else y.conj()


@operator("fft_fft", keep_strides=False)
def fft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Any = None) -> Tensor:
    """The Fourier transform along a dimension; complex, of the length of the input.

    >>> fft(torch.tensor([1.0, 2.0, 3.0, 4.0]))
    tensor([10.+0.j, -2.+2.j, -2.+0.j, -2.-2.j])
    """
    return _transform("fft", input, n, dim, norm, True)


@operator("fft_ifft", keep_strides=lambda x: not x.is_complex())
def ifft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Any = None) -> Tensor:
    """The inverse of `fft`."""
    return _transform("ifft", input, n, dim, norm, False)


def _half(name: str, x: Tensor, n: int | None, dim: int, norm: str | None, forward: bool) -> Tensor:
    x, n, dim = _one(_real(name, x), n, dim)
    y = _R2C.apply(x, (dim,), _scale(norm, [n], forward), True)
    return y if forward else y.conj()


@operator("fft_rfft", keep_strides=False)
def rfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Any = None) -> Tensor:
    """The first n // 2 + 1 coefficients of the transform of a real signal; the others are their conjugates."""
    return _half("rfft", input, n, dim, norm, True)


@operator("fft_ihfft")
def ihfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Any = None) -> Tensor:
    """The inverse of `hfft`: one half of the (Hermitian) inverse transform of a real signal."""
    return _half("ihfft", input, n, dim, norm, False)


def _to_real(name: str, x: Tensor, n: int | None, dim: int, norm: str | None, forward: bool) -> Tensor:
    x = _promoted(name, x, to_complex=True)
    dim = _dim_of(x, dim)
    n = 2 * (x.shape[dim] - 1) if n is None else n
    if n < 1:
        raise RuntimeError(f"Invalid number of data points ({n}) specified")
    x = _resized(x, [dim], [n // 2 + 1])
    return _C2R.apply(x.conj() if forward else x, dim, _scale(norm, [n], forward), n)


@operator("fft_irfft", keep_strides=False)
def irfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Any = None) -> Tensor:
    """The inverse of `rfft`: a real signal of length n, by default 2 * (input's - 1)."""
    return _to_real("irfft", input, n, dim, norm, False)


@operator("fft_hfft", keep_strides=False)
def hfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Any = None) -> Tensor:
    """The transform, which is real, of a Hermitian signal of which one half is given."""
    return _to_real("hfft", input, n, dim, norm, True)


# ---- several dimensions ----


def _transform_many(name: str, x: Tensor, s: Any, dim: Any, norm: str | None, forward: bool) -> Tensor:
    sizes, dims = _many(x, s, dim)
    _check_sizes(sizes)
    x = _resized(_promoted(name, x, to_complex=True), dims, sizes)
    scale = _scale(norm, sizes, forward)
    return _C2C.apply(x, tuple(dims), scale, forward) if dims else x.clone()


@operator("fft_fftn", keep_strides=False)
def fftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None, *, out: Any = None) -> Tensor:
    """The Fourier transform over several dimensions, by default all."""
    return _transform_many("fftn", input, s, dim, norm, True)


@operator("fft_ifftn", keep_strides=False)
def ifftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None, *, out: Any = None) -> Tensor:
    """The inverse of `fftn`."""
    return _transform_many("ifftn", input, s, dim, norm, False)


def _needs_axis(name: str, dims: Ints) -> None:
    if not dims:
        raise RuntimeError(f"{name} must transform at least one axis")


@operator("fft_rfftn", keep_strides=False)
def rfftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None, *, out: Any = None) -> Tensor:
    """The transform of a real signal over several dimensions, of the last of which one half is kept."""
    x = _real("rfftn", input)
    sizes, dims = _many(x, s, dim)
    _needs_axis("rfftn", dims)
    _check_sizes(sizes)
    return _R2C.apply(_resized(x, dims, sizes), tuple(dims), _scale(norm, sizes, True), True)


@operator("fft_ihfftn", keep_strides=False)
def ihfftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None, *, out: Any = None) -> Tensor:
    """The inverse of `hfftn`."""
    if input.is_complex():
        raise RuntimeError(f"Only supports floating-point dtypes, but found: {type_name(input.dtype)}")
    x = _promoted("ihfftn", input)
    sizes, dims = _many(x, s, dim)
    _needs_axis("ihfftn", dims)
    _check_sizes(sizes)
    half = _R2C.apply(_resized(x, dims, sizes), (dims[-1],), _scale(norm, sizes[-1:], False), True).conj()
    return _C2C.apply(half, tuple(dims[:-1]), _scale(norm, sizes[:-1], False), False) if dims[1:] else half


def _many_to_real(name: str, x: Tensor, s: Any, dim: Any, norm: str | None, forward: bool) -> Tensor:
    sizes, dims = _many(x, s, dim)
    _needs_axis(name, dims)
    given = s is not None and (s if isinstance(s, int) else list(s)[-1]) != -1
    n = sizes[-1] if given else 2 * (x.shape[dims[-1]] - 1)
    _check_sizes([*sizes[:-1], n])
    x = _resized(_promoted(name, x, to_complex=True), dims, [*sizes[:-1], n // 2 + 1])
    if dims[1:]:
        x = _C2C.apply(x, tuple(dims[:-1]), _scale(norm, sizes[:-1], forward), forward)
    return _C2R.apply(x.conj() if forward else x, dims[-1], _scale(norm, [n], forward), n)


@operator("fft_irfftn", keep_strides=False)
def irfftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None, *, out: Any = None) -> Tensor:
    """The inverse of `rfftn`."""
    return _many_to_real("irfftn", input, s, dim, norm, False)


@operator("fft_hfftn", keep_strides=False)
def hfftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None, *, out: Any = None) -> Tensor:
    """The transform, which is real, of a signal that is Hermitian over the dims; of the last one half is given."""
    return _many_to_real("hfftn", input, s, dim, norm, True)


def _two(many: Any) -> Any:
    def transform(
        input: Tensor, s: Any = None, dim: Any = (-2, -1), norm: str | None = None, *, out: Any = None
    ) -> Tensor:
        return many(input, s, dim, norm, out=out)

    transform.__name__ = transform.__qualname__ = many.__name__[:-1] + "2"
    transform.__doc__ = f"`{many.__name__}` over the last two dimensions."
    return transform


fft2, ifft2, rfft2, irfft2, hfft2, ihfft2 = map(_two, (fftn, ifftn, rfftn, irfftn, hfftn, ihfftn))


# ---- helpers ----


def _frequencies(name: str, values: Any, n: int, d: float, out: Any, options: dict[str, Any]) -> Tensor:
    requires_grad = options.pop("requires_grad", False)
    dtype = options.get("dtype") or (_C.get_default_dtype() if out is None else out.dtype)
    if not (dtype.is_floating_point or dtype.is_complex):
        raise RuntimeError(f"{name} requires a floating point or complex dtype, but got {type_name(dtype)}")
    result = _C.cat([_C.arange(a, b, dtype=dtype) for a, b in values if b > a] or [_C.zeros(0, dtype=dtype)])
    result = result.mul_(1.0 / (n * d)) if n else result
    if out is not None:
        return _C.mul(result, 1, out=out)
    return result.requires_grad_() if requires_grad else result


def fftfreq(
    n: int, d: float = 1.0, *, out: Any = None, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """The frequencies of the n coefficients of `fft`, for samples d apart: 0, 1 ... -2, -1 over n * d.

    >>> fftfreq(5, d=0.5)
    tensor([ 0.0000,  0.4000,  0.8000, -0.8000, -0.4000])
    """
    options = dict(dtype=dtype, requires_grad=requires_grad)
    return _frequencies("fftfreq", [(0, (n + 1) // 2), (-(n // 2), 0)], n, d, out, options)


def rfftfreq(
    n: int, d: float = 1.0, *, out: Any = None, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """The frequencies of the n // 2 + 1 coefficients of `rfft`."""
    options = dict(dtype=dtype, requires_grad=requires_grad)
    return _frequencies("rfftfreq", [(0, n // 2 + 1)], n, d, out, options)


def _shift(x: Tensor, dim: Any, by: Any) -> Tensor:
    dims = list(range(x.dim())) if dim is None else [dim] if isinstance(dim, int) else list(dim)
    if x.dim() == 0 and not dims:
        return x.clone()
    return x.roll([by(x.shape[_wrap(d, x.dim())]) for d in dims], dims)


def fftshift(input: Tensor, dim: Any = None) -> Tensor:
    """Moves the frequency zero to the middle of the dimensions, by default all.

    >>> fftshift(fftfreq(4))
    tensor([-0.5000, -0.2500,  0.0000,  0.2500])
    """
    return _shift(input, dim, lambda n: n // 2)


def ifftshift(input: Tensor, dim: Any = None) -> Tensor:
    """The inverse of `fftshift`."""
    return _shift(input, dim, lambda n: (n + 1) // 2)
