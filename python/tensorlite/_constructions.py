"""Tensors made of others, or of a rule, that few programs need: imported when first named."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from . import _C

__all__ = [
    "bartlett_window",
    "blackman_window",
    "cartesian_prod",
    "combinations",
    "empty_permuted",
    "hamming_window",
    "hann_window",
    "kaiser_window",
    "vander",
]

Tensor = _C.Tensor


def empty_permuted(size: Sequence[int], physical_layout: Sequence[int], **options: Any) -> Tensor:
    """Uninitialised memory of this size; `physical_layout` lists the dims from the slowest to the fastest.

    >>> empty_permuted((2, 3), (1, 0)).stride()
    (1, 2)
    """
    if sorted(physical_layout) != list(range(len(size))):
        raise RuntimeError(
            f"Number of dimensions in size does not match the length of the physical_layout; i.e. len(size) = "
            f"{len(size)} is not equal to len(physical_layout) = {len(physical_layout)}"
            if len(size) != len(physical_layout)
            else f"Duplicate or out of range dim in physical_layout {list(physical_layout)}"
        )
    strides, step = [0] * len(size), 1
    for d in reversed(physical_layout):
        strides[d] = step
        step *= max(size[d], 1)
    return _C.empty_strided(tuple(size), tuple(strides), **options)


def cartesian_prod(*tensors: Tensor) -> Tensor:
    """All combinations of one element of each vector, as rows.

    >>> cartesian_prod(torch.tensor([1, 2]), torch.tensor([3, 4]))
    tensor([[1, 3],
            [1, 4],
            [2, 3],
            [2, 4]])
    """
    for t in tensors:
        if t.dim() != 1:
            raise RuntimeError(f"Expect a 1D vector, but got shape {list(t.shape)}")
    if len(tensors) == 1:
        return tensors[0]
    return _C.stack([g.flatten() for g in _C._meshgrid(tensors, indexing="ij")], dim=1)


def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All choices of r elements of a vector, as rows; with_replacement: an element may be chosen again.

    >>> combinations(torch.tensor([1, 2, 3]))
    tensor([[1, 2],
            [1, 3],
            [2, 3]])
    """
    if input.dim() != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(input.shape)}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if r == 0:
        return _C.empty((0,), dtype=input.dtype, device=input.device)
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    rows = list(choose(range(input.numel()), r))
    index = _C._tensor_from(rows, _C.int64) if rows else _C.empty((0, r), dtype=_C.int64)
    return input[index.to(input.device)]


def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """The powers x^(N-1) ... x^0 of each element as a row (N, 1); in the other order with increasing=True.

    >>> vander(torch.tensor([1, 2, 3]))
    tensor([[1, 1, 1],
            [4, 2, 1],
            [9, 3, 1]])
    """
    if x.dim() != 1:
        raise RuntimeError("x must be a one-dimensional tensor.")
    N = x.numel() if N is None else N
    if N < 0:
        raise RuntimeError("N must be non-negative.")
    dtype = _C.int64 if not (x.dtype.is_floating_point or x.dtype.is_complex) else x.dtype
    powers = _C.ones((x.numel(), N), dtype=dtype, device=x.device)
    if N > 1:
        powers = _C.cat([powers[:, :1], x[:, None].to(dtype).expand(-1, N - 1).cumprod(1)], dim=1)
    return powers if increasing else powers.flip(1)


def _window(name: str, n: int, periodic: bool, options: dict[str, Any], rule: Any) -> Tensor:
    dtype = options.get("dtype") or _C.get_default_dtype()
    if not dtype.is_floating_point:
        raise RuntimeError(f"{name} expects floating point dtypes, got: {dtype}")
    if n < 0:
        raise RuntimeError(f"{name} requires non-negative window_length, got window_length={n}")
    if n <= 1:
        return _C.ones((n,), **options)
    wanted = options.pop("requires_grad", False)
    i = _C.arange(n + periodic, **{**options, "dtype": dtype})
    w = rule(i, n + periodic - 1)
    w = w.narrow(0, 0, n).clone() if periodic else w
    return w.requires_grad_(True) if wanted else w


def hann_window(window_length: int, periodic: bool = True, **options: Any) -> Tensor:
    """The Hann window sin^2(pi i / N).

    >>> hann_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return _window(
        "hann_window", window_length, periodic, options, lambda i, n: (i * (2 * math.pi / n)).cos() * -0.5 + 0.5
    )


def hamming_window(
    window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46, **options: Any
) -> Tensor:
    """The Hamming window alpha - beta cos(2 pi i / N)."""
    return _window(
        "hamming_window", window_length, periodic, options,
        lambda i, n: (i * (2 * math.pi / n)).cos() * -beta + alpha,
    )  # fmt: skip


def bartlett_window(window_length: int, periodic: bool = True, **options: Any) -> Tensor:
    """The triangle 1 - |2 i / N - 1|."""
    return _window("bartlett_window", window_length, periodic, options, lambda i, n: 1 - (i * (2 / n) - 1).abs())


def blackman_window(window_length: int, periodic: bool = True, **options: Any) -> Tensor:
    """The Blackman window 0.42 - 0.5 cos(2 pi i / N) + 0.08 cos(4 pi i / N)."""

    def rule(i: Tensor, n: int) -> Tensor:
        x = i * (math.pi / n)
        return (x * 4).cos() * 0.08 - (x * 2).cos() * 0.5 + 0.42

    return _window("blackman_window", window_length, periodic, options, rule)


def kaiser_window(window_length: int, periodic: bool = True, beta: float = 12.0, **options: Any) -> Tensor:
    """The Kaiser window I0(beta sqrt(1 - (2 i / N - 1)^2)) / I0(beta)."""
    import numpy

    def rule(i: Tensor, n: int) -> Tensor:
        x = (1 - (i.double() * (2 / n) - 1) ** 2).clamp(min=0).sqrt() * beta
        return _C.from_numpy(numpy.i0(x.cpu().numpy()) / numpy.i0(beta)).to(i.device, i.dtype)

    return _window("kaiser_window", window_length, periodic, options, rule)
