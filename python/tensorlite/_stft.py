"""Spectrograms: Fourier transforms of short pieces of a signal, and back."""

from __future__ import annotations

import warnings
from typing import Any

from . import _C
from . import fft as _fft
from ._names import type_name

__all__ = ["istft", "stft"]

Tensor = _C.Tensor
_unfold_backward = _C._operator("unfold_backward")
_warned: set[str] = set()


def _warn(message: str) -> None:
    if message not in _warned:
        _warned.add(message)
        warnings.warn(message, stacklevel=4)


def _flag(value: bool | None) -> str:
    return "None" if value is None else str(int(value))


def _describe(name: str, x: Tensor, kind: Any, sizes: str, window: Tensor | None, rest: str) -> str:
    """The call, as PyTorch's messages begin."""
    shown = "None" if window is None else f"{kind(window)}{{{list(window.shape)}}}"
    return f"{name}({kind(x)}{list(x.shape)}, {sizes}, window={shown}, {rest}) "


def _padded_window(window: Tensor | None, win: int, n_fft: int, like: Tensor) -> Tensor:
    """The window in the middle of n_fft elements; ones if there is none."""
    if window is None:
        window = _C.ones(win, dtype=like.dtype, device=like.device)
    if win == n_fft:
        return window
    left = (n_fft - win) // 2
    return _C.constant_pad_nd(window, [left, n_fft - win - left])


def stft(
    input: Tensor, n_fft: int, hop_length: int | None = None, win_length: int | None = None,
    window: Tensor | None = None, center: bool = True, pad_mode: str = "reflect", normalized: bool = False,
    onesided: bool | None = None, return_complex: bool | None = None, align_to_window: bool | None = None,
) -> Tensor:  # fmt: skip
    """The short-time Fourier transform (*, frequencies, frames) of signals (*, length).

    A frame of n_fft samples starts every hop_length (n_fft // 4) samples; it is multiplied by the window of win_length
    (n_fft) samples in its middle. With `center` the signal is padded so that frame t has its middle at t * hop_length.
    `onesided` keeps the first n_fft // 2 + 1 frequencies, which tell all of a real signal.
    """
    if window is None:
        _warn(
            "A window was not provided. A rectangular window will be applied,which is known to cause spectral leakage. "
            "Other windows such as torch.hann_window or torch.hamming_window are recommended to reduce spectral "
            "leakage.To suppress this warning and use a rectangular window, explicitly set "
            "`window=torch.ones(n_fft, device=<device>)`."
        )
    hop = n_fft // 4 if hop_length is None else hop_length
    win = n_fft if win_length is None else win_length
    is_complex = input.is_complex() or (window is not None and window.is_complex())
    if return_complex is None:
        if not is_complex:
            raise RuntimeError(
                "stft requires the return_complex parameter be given for real inputs, and will further require that "
                "return_complex=True in a future PyTorch release."
            )
        return_complex = True
    elif not return_complex:
        _warn(
            "stft with return_complex=False is deprecated. In a future pytorch release, stft will return complex "
            "tensors for all inputs, and return_complex=False will raise an error.\nNote: you can still call "
            "torch.view_as_real on the complex output to recover the old return format."
        )
    if not (input.is_floating_point() or input.is_complex()) or not 1 <= input.dim() <= 2:
        raise RuntimeError(
            f"stft({input.type()}{list(input.shape)}, n_fft={n_fft}) : expected a 1D or 2D tensor of floating types"
        )
    x = input if input.dim() == 2 else input.unsqueeze(0)
    if center:
        if pad_mode == "constant":
            x = _C.constant_pad_nd(x, [n_fft // 2, n_fft // 2])
        else:
            from .nn import functional

            x = functional.pad(x.unsqueeze(0), [n_fft // 2, n_fft // 2], mode=pad_mode).squeeze(0)
    length = x.shape[1]
    about = _describe(
        "stft", x if input.dim() == 2 else x[0], Tensor.type, f"n_fft={n_fft}, hop_length={hop}, win_length={win}",
        window, f"normalized={int(normalized)}, onesided={_flag(onesided)}, return_complex={int(return_complex)}, "
        f"align_to_window={_flag(align_to_window)}",
    )  # fmt: skip
    if not 0 < n_fft <= length:
        raise RuntimeError(f"{about}: expected 0 < n_fft < {length}, but got n_fft={n_fft}")
    if hop <= 0:
        raise RuntimeError(f"{about}: expected hop_length > 0, but got hop_length={hop}")
    if not 0 < win <= n_fft:
        raise RuntimeError(f"{about}: expected 0 < win_length <= n_fft, but got win_length={win}")
    if window is not None and (window.dim() != 1 or window.shape[0] != win):
        raise RuntimeError(
            f"{about}: expected a 1D window tensor of size equal to win_length={win}, but got window with size "
            f"{list(window.shape)}"
        )
    x = x.unfold(1, n_fft, hop)
    if window is not None or win < n_fft:
        x = x * _padded_window(window, win, n_fft, input)
    norm = "ortho" if normalized else "backward"
    if x.is_complex():
        if onesided:
            raise RuntimeError(f"{about}: Cannot have onesided output if window or input is complex")
        y = _fft.fft(x, dim=-1, norm=norm)
    elif onesided is False:
        y = _fft.fft(x, dim=-1, norm=norm)
    else:
        y = _fft.rfft(x, dim=-1, norm=norm)
    y = y.transpose(1, 2)
    if input.dim() == 1:
        y = y.squeeze(0)
    return y if return_complex else _C.view_as_real(y)


def istft(
    input: Tensor, n_fft: int, hop_length: int | None = None, win_length: int | None = None,
    window: Tensor | None = None, center: bool = True, normalized: bool = False, onesided: bool | None = None,
    length: int | None = None, return_complex: bool = False,
) -> Tensor:  # fmt: skip
    """The signal of which `stft` with the same arguments gave the input: overlapping frames, added and divided by the
    sum of the squared windows."""
    hop = n_fft // 4 if hop_length is None else hop_length
    win = n_fft if win_length is None else win_length
    about = _describe(
        "istft", input, lambda x: f"CPU{type_name(x.dtype)}Type",
        f"n_fft={n_fft}, hop_length={hop}, win_length={win}", window,
        f"center={int(center)}, normalized={int(normalized)}, onesided={_flag(onesided)}, length={length}, "
        f"return_complex={int(return_complex)}",
    )  # fmt: skip
    if not input.is_complex():
        raise RuntimeError(
            "istft requires a complex-valued input tensor matching the output from stft with return_complex=True."
        )
    if not input.numel():
        raise RuntimeError(f"{about}: input tensor cannot be empty.")
    if input.dim() not in (2, 3):
        raise RuntimeError(f"{about}: expected a tensor with 3 or 4 dimensions, but got {input.dim() + 1}")
    frames, frequencies = input.shape[-1], input.shape[-2]
    if onesided is None:
        onesided = frequencies != n_fft
    if onesided and n_fft // 2 + 1 != frequencies:
        raise RuntimeError(
            f"{about}: expected the frequency dimension (3rd to the last) of the input tensor to match n_fft / 2 + 1 "
            f"when onesided=True, but got {frequencies}"
        )
    if not onesided and n_fft != frequencies:
        raise RuntimeError(
            f"{about}: expected the frequency dimension (3rd to the last) of the input tensor to match n_fft when "
            f"onesided=False, but got {frequencies}"
        )
    if not 0 < hop <= win:
        raise RuntimeError(f"{about}: expected 0 < hop_length <= win_length")
    if not 0 < win <= n_fft:
        raise RuntimeError(f"{about}: expected 0 < win_length <= n_fft")
    if window is not None and (window.dim() != 1 or window.shape[0] != win):
        raise RuntimeError(f"{about}: Invalid window shape. window has to be 1D and length of `win_length`")
    real = _C.float32 if input.dtype == _C.complex64 else _C.float64
    weights = _padded_window(window, win, n_fft, _C.empty(0, dtype=real, device=input.device))
    x = (input if input.dim() == 3 else input.unsqueeze(0)).transpose(1, 2)
    norm = "ortho" if normalized else "backward"
    if return_complex:
        if onesided:
            raise RuntimeError("Cannot have onesided output if window or input is complex")
        y = _fft.ifft(x, dim=-1, norm=norm)
    else:
        if weights.is_complex():
            raise RuntimeError("Complex windows are incompatible with return_complex=False")
        y = _fft.irfft(x[..., : n_fft // 2 + 1], n_fft, dim=-1, norm=norm)
    total = n_fft + hop * (frames - 1)
    signal = _unfold_backward(y * weights, [y.shape[0], total], 1, n_fft, hop)
    envelope = _unfold_backward((weights * weights).expand(1, frames, n_fft), [1, total], 1, n_fft, hop)
    start = n_fft // 2 if center else 0
    end = start + length if length is not None else total - n_fft // 2 if center else total
    signal, envelope = signal[:, start:end], envelope[:, start:end]
    lowest = envelope.detach().abs().min().item()
    if lowest < 1e-11:
        raise RuntimeError(f"{about}: window overlap add min: {lowest:g}")
    signal = signal / envelope
    if input.dim() == 2:
        signal = signal.squeeze(0)
    if end > total:
        warnings.warn(
            "The length of signal is shorter than the length parameter. Result is being padded with zeros in the "
            "tail. Please check your center and hop_length settings.",
            stacklevel=2,
        )
        signal = _C.constant_pad_nd(signal, [0, end - total])
    return signal
