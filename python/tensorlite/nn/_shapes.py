"""Padding, resampling and rearranging of images; part of ``nn.functional``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorlite as _tl

Tensor = _tl.Tensor

__all__ = ["pad", "pixel_shuffle", "pixel_unshuffle", "unfold"]


def _tuple(value: Any, n: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * n


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """Puts elements before and after the last dims; negative counts cut.

    Args:
        input: the tensor.
        pad: pairs (before, after), last dim first.
        mode: ``constant``, ``reflect``, ``replicate`` or ``circular``.
        value: of ``constant``; 0 if None.

    Raises:
        RuntimeError: an odd count, more pairs than dims, or more padding than the mode can take from the tensor.
    """
    pad = list(pad)
    if len(pad) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(pad) // 2 > input.dim():
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(pad)} and input of dimension {input.dim()}"
        )
    if mode == "constant":
        return _tl.constant_pad_nd(input, pad, 0 if value is None else value)
    if value is not None and value != 0:
        raise ValueError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if len(pad) // 2 not in (input.dim() - 1, input.dim() - 2):
        raise NotImplementedError("Only 2D, 3D, 4D, 5D padding with non-constant padding are supported for now")
    for i in range(len(pad) // 2):
        before, after = pad[2 * i], pad[2 * i + 1]
        if before or after:
            input = _pad_from_itself(input, input.dim() - 1 - i, before, after, mode)
    return input


def _pad_from_itself(input: Tensor, dim: int, before: int, after: int, mode: str) -> Tensor:
    size = input.size(dim)
    if mode == "reflect" and (before >= size or after >= size):
        raise RuntimeError(
            "Argument #4: Padding size should be less than the corresponding input dimension, but got: padding "
            f"({before}, {after}) at dimension {dim} of input {list(input.shape)}"
        )
    if mode == "circular" and (before > size or after > size):
        raise RuntimeError("Padding value causes wrapping around more than once.")
    places = range(-before, size + after)
    if mode == "circular":
        index = [p % size for p in places]
    elif mode == "replicate":
        index = [min(max(p, 0), size - 1) for p in places]
    else:
        index = [size - 1 - abs(size - 1 - abs(p)) for p in places]
    return input.index_select(dim, _tl.tensor(index, dtype=_tl.int64, device=input.device))


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """(*, C * r**2, H, W) to (*, C, H * r, W * r)."""
    r = upscale_factor
    *lead, channels, height, width = input.shape
    if channels % (r * r):
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, "
            f"but input.size(-3)={channels} is not divisible by {r * r}"
        )
    n = len(lead)
    x = input.reshape([*lead, channels // (r * r), r, r, height, width])
    x = x.permute([*range(n), n, n + 3, n + 1, n + 4, n + 2])
    return x.reshape([*lead, channels // (r * r), height * r, width * r])


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """(*, C, H * r, W * r) to (*, C * r**2, H, W)."""
    r = downscale_factor
    *lead, channels, height, width = input.shape
    n = len(lead)
    x = input.reshape([*lead, channels, height // r, r, width // r, r])
    x = x.permute([*range(n), n, n + 2, n + 4, n + 1, n + 3])
    return x.reshape([*lead, channels * r * r, height // r, width // r])


def unfold(input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """The windows of ``input`` (N, C, H, W) as columns: (N, C * kernel, windows)."""
    (kh, kw), (dh, dw), (ph, pw), (sh, sw) = (_tuple(v, 2) for v in (kernel_size, dilation, padding, stride))
    if ph or pw:
        input = pad(input, [pw, pw, ph, ph])
    unbatched = input.dim() == 3
    if unbatched:
        input = input.unsqueeze(0)
    count, channels, height, width = input.shape
    rows = (height - dh * (kh - 1) - 1) // sh + 1
    cols = (width - dw * (kw - 1) - 1) // sw + 1
    parts = [
        input[:, :, i * dh : i * dh + (rows - 1) * sh + 1 : sh, j * dw : j * dw + (cols - 1) * sw + 1 : sw]
        for i in range(kh)
        for j in range(kw)
    ]
    result = _tl.stack(parts, 2).reshape([count, channels * kh * kw, rows * cols])
    return result.squeeze(0) if unbatched else result

