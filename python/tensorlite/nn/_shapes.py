"""Padding, and rearranging of images and their windows; part of ``nn.functional``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorlite as _tl

Tensor = _tl.Tensor

__all__ = [
    "channel_shuffle",
    "fold",
    "native_channel_shuffle",
    "pad",
    "pixel_shuffle",
    "pixel_unshuffle",
    "unfold",
]


def _tuple(value: Any, n: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * n


def _type_name(t: Tensor) -> str:
    """As in errors: ``Long``."""
    return t.type().rpartition(".")[2][:-6]


# Padding


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """Puts elements before and after the last dims; negative counts cut.

    Args:
        input: the tensor.
        pad: pairs (before, after), last dim first.
        mode: ``constant``; or, of the last one to three dims of (N, C, ...) or (C, ...), ``reflect``, ``replicate``
            or ``circular``.
        value: of ``constant``; 0 if None.

    Raises:
        RuntimeError: an odd count, more pairs than dims, or more padding than the mode can take from the tensor.
        NotImplementedError: a mode that is not for this number of dims.
    """
    pad = list(pad)
    pairs, dims = len(pad) // 2, input.dim()
    if len(pad) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if pairs > dims:
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(pad)} and input of dimension {dims}"
        )
    if mode == "constant":
        return _tl.constant_pad_nd(input, pad, 0 if value is None else value)
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if not 1 <= pairs <= 3 or pairs not in (dims - 1, dims - 2):
        raise NotImplementedError(
            f"Padding size {len(pad)} is not supported for {dims}D input tensor.\n"
            "Supported combinations for non-constant padding:\n"
            "  - 2D or 3D input: padding size = 2 (pads last dimension)\n"
            "  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)\n"
            "  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"
        )
    if mode != "circular":
        if input.dtype == _tl.bool:
            name = {"reflect": "reflection", "replicate": "replication"}[mode]
            raise NotImplementedError(
                f"\"{name}_pad{pairs}d\" not implemented for 'Bool'. Convert the input with .to(dtype) first."
            )
        if 0 in input.shape[-pairs - 1 :]:
            raise RuntimeError(
                f"Expected {pairs + 1}D or {pairs + 2}D (batch mode) tensor with possibly 0 batch size and other "
                f"non-zero dimensions for input, but got: {list(input.shape)}"
            )
    result = input
    for i in range(pairs):
        before, after = pad[2 * i], pad[2 * i + 1]
        if before or after:
            result = _pad_from_itself(result, dims - 1 - i, before, after, mode)
    return result.clone() if result is input else result


def _pad_from_itself(input: Tensor, dim: int, before: int, after: int, mode: str) -> Tensor:
    size = input.size(dim)
    if mode == "reflect" and (before >= size or after >= size):
        raise RuntimeError(
            "Argument #4: Padding size should be less than the corresponding input dimension, but got: padding "
            f"({before}, {after}) at dimension {dim} of input {list(input.shape)}"
        )
    if mode == "circular" and (before > size or after > size):
        raise RuntimeError("Padding value causes wrapping around more than once.")
    if size + before + after < 0:
        wanted = [*input.shape]
        wanted[dim] = size + before + after
        raise RuntimeError(f"Trying to create tensor with negative dimension {wanted[dim]}: {wanted}")
    places = range(-before, size + after)
    if mode == "circular":
        # What is left after cutting goes round.
        first = max(-before, 0)
        rest = size - first - max(-after, 0)
        index = [first + (p - first) % rest for p in places] if rest > 0 else []
    elif mode == "replicate":
        index = [min(max(p, 0), size - 1) for p in places]
    else:
        index = [size - 1 - abs(size - 1 - abs(p)) for p in places]
    return input.index_select(dim, _tl.tensor(index, dtype=_tl.int64, device=input.device))


# Channels and pixels


def _check_images(name: str, input: Tensor) -> None:
    if input.dim() < 3:
        raise RuntimeError(
            f"{name} expects input to have at least 3 dimensions, but got input with {input.dim()} dimension(s)"
        )


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """(*, C * r**2, H, W) to (*, C, H * r, W * r) for r = ``upscale_factor``."""
    r = upscale_factor
    _check_images("pixel_shuffle", input)
    if r <= 0:
        raise RuntimeError(f"pixel_shuffle expects a positive upscale_factor, but got {r}")
    *lead, channels, height, width = input.shape
    if channels % (r * r):
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, "
            f"but input.size(-3)={channels} is not divisible by {r * r}"
        )
    n = len(lead)
    x = input.reshape([*lead, channels // (r * r), r, r, height, width])
    x = x.permute([*range(n), n, n + 3, n + 1, n + 4, n + 2])
    return _rearranged(input, x, [*lead, channels // (r * r), height * r, width * r])


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """(*, C, H * r, W * r) to (*, C * r**2, H, W) for r = ``downscale_factor``."""
    r = downscale_factor
    _check_images("pixel_unshuffle", input)
    if r <= 0:
        raise RuntimeError(f"pixel_unshuffle expects a positive downscale_factor, but got {r}")
    *lead, channels, height, width = input.shape
    for name, at, size in (("height", -2, height), ("width", -1, width)):
        if size % r:
            raise RuntimeError(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but input.size({at})={size} is "
                f"not divisible by {r}"
            )
    n = len(lead)
    x = input.reshape([*lead, channels, height // r, r, width // r, r])
    x = x.permute([*range(n), n, n + 2, n + 4, n + 1, n + 3])
    return _rearranged(input, x, [*lead, channels * r * r, height // r, width // r])


def _rearranged(input: Tensor, x: Tensor, shape: Sequence[int]) -> Tensor:
    """A copy in any case."""
    return _tl._C._unsafe_view(x.clone(memory_format=_tl.contiguous_format), shape)


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Channels (dim 1) of ``groups`` one after the other become channels that take turns (Zhang et al., 2018)."""
    if input.dim() <= 2:
        raise RuntimeError(f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(input.shape)}")
    if groups <= 0:
        raise RuntimeError(f"Number of groups to divide channels in must be positive. Value of groups:{groups}")
    if input.size(1) % groups:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {input.size(1)} channels and {groups} groups."
        )
    x = input.reshape([input.size(0), groups, input.size(1) // groups, *input.shape[2:]]).transpose(1, 2)
    return _rearranged(input, x, input.shape)


def native_channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Another name of ``channel_shuffle``."""
    return channel_shuffle(input, groups)


# Windows as columns


def _window_numbers(**numbers: Any) -> list[tuple[int, ...]]:
    for name, value in numbers.items():
        if isinstance(value, (tuple, list)) and len(value) != 2:
            raise RuntimeError(f"It is expected {name} equals to 2, but got size {len(value)}")
    pairs = {name: _tuple(value, 2) for name, value in numbers.items()}
    for name, (height, width) in pairs.items():
        least = int(name != "padding")
        word = {"kernel_size": "kernel", "padding": "pad"}.get(name, name)
        if min(height, width) < least:
            rule = f"{name.replace('_', ' ')} should be {'greater than zero' if least else 'non-negative'}"
            raise RuntimeError(f"{rule}, but got {word}_height: {height} {word}_width: {width}")
    return list(pairs.values())


def _places(size: Sequence[int], kernel: Any, dilation: Any, padding: Any, stride: Any, counts: Any) -> Tensor:
    """Where each element (rows) of each window (columns) lies in the padded, flattened image."""
    w = size[1] + 2 * padding[1]
    row, col = (
        (_tl.arange(k).mul(d).view(-1, 1) + _tl.arange(n).mul(s))
        for k, d, n, s in zip(kernel, dilation, counts, stride)
    )
    flat = row.view(kernel[0], 1, counts[0], 1) * w + col.view(1, kernel[1], 1, counts[1])
    return flat.reshape(kernel[0] * kernel[1], counts[0] * counts[1])


def _window_counts(size: Sequence[int], kernel: Any, dilation: Any, padding: Any, stride: Any) -> list[int]:
    return [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, d, p, s in zip(size, kernel, dilation, padding, stride)]


def _check_columns(input: Tensor, name: str) -> None:
    if not (input.is_floating_point() or input.is_complex() or input.dtype == _tl.bool):
        raise NotImplementedError(
            f"\"{name}\" not implemented for '{_type_name(input)}'. Convert the input to a floating dtype first."
        )


def unfold(input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """The windows of ``input`` (N, C, H, W) or (C, H, W) as columns: (N, C * kernel, windows).

    ``fold`` goes the other way.
    """
    kernel, dilation, padding, stride = _window_numbers(
        kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride
    )
    if input.dim() not in (3, 4) or 0 in input.shape[-3:]:
        if input.dim() < 3:
            d = input.dim()
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-max(d, 1)}, {max(d, 1) - 1}], but got {d}). "
                "unfold takes (N, C, H, W) or (C, H, W)."
            )
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, "
            f"but got: {list(input.shape)}"
        )
    size = input.shape[-2:]
    counts = _window_counts(size, kernel, dilation, padding, stride)
    if min(counts) < 1:
        raise RuntimeError(
            f"Given input with spatial size ({size[0]}, {size[1]}), kernel_size={kernel}, dilation={dilation}, "
            f"padding={padding}, calculated shape of the array of sliding blocks as ({counts[0]}, {counts[1]}), but "
            "its components must be at least one."
        )
    _check_columns(input, "im2col_out_cpu")
    (ph, pw) = padding
    padded = _tl.constant_pad_nd(input, [pw, pw, ph, ph]) if ph or pw else input
    places = _places(size, kernel, dilation, padding, stride, counts).to(input.device)
    columns = padded.flatten(-2).index_select(-1, places.reshape(-1))
    shape = [*input.shape[:-3], input.shape[-3] * places.shape[0], places.shape[1]]
    return _tl._C._unsafe_view(columns, shape)


def fold(
    input: Tensor, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """Adds up columns (N, C * kernel, windows) or (C * kernel, windows) where their windows overlap in an image.

    The result is (N, C, *output_size) or (C, *output_size). Not the inverse of ``unfold`` but its transpose: an element
    is multiplied by the number of windows that it lies in.
    """
    if isinstance(output_size, (tuple, list)) and len(output_size) != 2:
        raise RuntimeError(f"It is expected output_size equals to 2, but got size {len(output_size)}")
    kernel, dilation, padding, stride = _window_numbers(
        kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride
    )
    size = _tuple(output_size, 2)
    if input.dim() not in (2, 3) or 0 in input.shape[-2:]:
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for "
            f"input, but got: {list(input.shape)}"
        )
    rows, columns = input.shape[-2:]
    at = input.dim() - 2
    if rows % (kernel[0] * kernel[1]):
        raise RuntimeError(
            f"Expected size of input's dimension {at} to be divisible by the product of kernel_size, but got "
            f"input.size({at})={rows} and kernel_size={kernel}."
        )
    counts = _window_counts(size, kernel, dilation, padding, stride)
    if columns != counts[0] * counts[1]:
        raise RuntimeError(
            f"Given output_size={size}, kernel_size={kernel}, dilation={dilation}, padding={padding}, stride={stride}, "
            f"expected size of input's dimension {at + 1} to match the calculated number of sliding blocks {counts[0]} "
            f"* {counts[1]} = {counts[0] * counts[1]}, but got input.size({at + 1})={columns}."
        )
    _check_columns(input, "col2im_out_cpu")
    (ph, pw) = padding
    height, width = size[0] + 2 * ph, size[1] + 2 * pw
    places = _places(size, kernel, dilation, padding, stride, counts).to(input.device).reshape(-1)
    lead = [*input.shape[:-2], rows // (kernel[0] * kernel[1])]
    image = input.new_zeros([*lead, height * width]).index_add(-1, places, input.reshape([*lead, -1]))
    image = _tl._C._unsafe_view(image, [*lead, height, width])
    return image[..., ph : ph + size[0], pw : pw + size[1]].clone() if ph or pw else image
