"""Fourier transforms, spectrograms and windows."""

import warnings

import numpy as np
import pytest
from expressions import describe, values
from library import IS_TENSORLITE, tl
from parity import assert_gradient_parity, assert_same_error, compute, lines

rng = np.random.default_rng(11)
ARRAYS = {
    "x": rng.standard_normal((3, 4, 5)),
    "v": rng.standard_normal(9),
    "c": rng.standard_normal((2, 3, 4)) + 1j * rng.standard_normal((2, 3, 4)),
    "i": np.arange(6).reshape(2, 3),
    "y": rng.standard_normal((2, 40)),
    "z": rng.standard_normal(17) + 1j * rng.standard_normal(17),
}
W = "window=torch.signal.windows.hann(8, sym=False, dtype={d})"

TRANSFORMS = """
fft(x) | fft(v, 4) | fft(v, 12, norm='ortho') | fft(c, dim=0) | fft(c, dim=1, norm='forward') | fft(i) | fft(x.mT)
ifft(x, dim=1) | ifft(c) | ifft(v, 5, norm='forward') | rfft(v) | rfft(x, dim=0) | rfft(x, 8, 1, 'ortho') | irfft(c)
irfft(c, 5) | irfft(c, dim=0) | irfft(v) | irfft(c, 3, 1, 'forward') | hfft(c) | hfft(v, 4, norm='ortho') | hfft(c, dim=1)
ihfft(v) | ihfft(x, dim=1) | ihfft(v, 4, norm='forward') | fft2(x) | fft2(c, (2, 6)) | fft2(c, dim=(0, 2)) | ifft2(x)
ifft2(c, norm='ortho') | rfft2(x) | rfft2(x, (5, 2), norm='ortho') | rfft2(x, dim=(2, 0)) | irfft2(c) | irfft2(c, (3, 4))
irfft2(c, dim=(2, 1), norm='forward') | hfft2(c) | hfft2(x, (2, 7)) | ihfft2(x) | ihfft2(x, norm='ortho') | fftn(x) | fftn(c, (2, 2))
fftn(c, dim=(1,)) | fftn(x, (3, 5), (0, 1)) | ifftn(c) | rfftn(x) | rfftn(x, (4, -1), norm='forward') | irfftn(c) | irfftn(c, (3,))
irfftn(c, (2, 5), (2, 0)) | hfftn(c) | hfftn(c, dim=(0, 1), norm='ortho') | ihfftn(x) | ihfftn(x, dim=(0, 2))
fftshift(x) | fftshift(v, 0) | fftshift(c, (0, 2)) | ifftshift(v) | ifftshift(x, (1,))
"""

OTHERS = """
torch.fft.fftfreq(7) | torch.fft.fftfreq(8, 0.5) | torch.fft.rfftfreq(7) | torch.fft.rfftfreq(8, 2.0, dtype=torch.float64)
torch.fft.fftfreq(1) | torch.stft(y, 8, return_complex=True) | torch.stft(y, 8, 3, return_complex=True, pad_mode='constant')
torch.stft(v, 4, center=False, return_complex=True) | torch.stft(y, 8, win_length=6, normalized=True, return_complex=True)
torch.stft(y, 8, onesided=False, return_complex=True) | torch.stft(z, 6, return_complex=True) | y.stft(8, return_complex=False)
torch.istft(torch.stft(y, 8, return_complex=True), 8) | torch.istft(torch.stft(y, 8, return_complex=True), 8, length=37)
torch.istft(torch.stft(z, 6, return_complex=True), 6, onesided=False, return_complex=True)
torch.istft(torch.stft(y, 8, 2, normalized=True, onesided=False, return_complex=True), 8, 2, normalized=True, onesided=False)
"""

WINDOWS = """
bartlett(7) | bartlett(8, sym=False) | blackman(7) | blackman(1) | cosine(6) | cosine(6, sym=False) | exponential(7, tau=2.0)
exponential(5, center=1.5, sym=False) | gaussian(9, std=2.0) | gaussian(4, sym=False) | general_cosine(6, a=[0.4, 0.3, 0.2])
general_hamming(5, alpha=0.6) | hamming(8) | hamming(0) | hann(8, sym=False) | hann(7, dtype=torch.float64) | kaiser(9)
kaiser(6, beta=4.0, sym=False) | nuttall(10)
"""

ERRORS = """
torch.fft.fft(x, 0) | torch.fft.fft(x, dim=3) | torch.fft.fft(x, norm='x') | torch.fft.rfft(c) | torch.fft.fftn(x, (1, 2), (0,))
torch.fft.fftn(x, dim=(0, 0)) | torch.fft.fftn(v, (1, 2)) | torch.fft.irfft(c[..., :1]) | torch.fft.ihfft2(c) | torch.fft.fft(x.half())
torch.fft.rfftn(x, dim=()) | torch.fft.fft(v.sum()) | torch.stft(y, 8) | torch.stft(y, 80, return_complex=True, pad_mode='constant', center=False)
torch.stft(y, 8, 0, return_complex=True) | torch.stft(y, 8, win_length=9, return_complex=True) | torch.istft(y, 8)
torch.stft(y, 8, window=torch.ones(7), return_complex=True) | torch.istft(c, 8) | torch.istft(c, 3, 5, onesided=False)
torch.signal.windows.hann(-1) | torch.signal.windows.gaussian(3, std=0) | torch.signal.windows.kaiser(3, beta=-1.0)
torch.signal.windows.exponential(3, tau=0.0) | torch.signal.windows.exponential(3, center=1.0) | torch.signal.windows.hann(3, dtype=torch.int64)
torch.signal.windows.general_cosine(3, a=[])
"""


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parity
@pytest.mark.parametrize(
    "expression",
    [f"torch.fft.{e}" for e in lines(TRANSFORMS)]
    + lines(OTHERS)
    + [f"torch.stft(y, 8, {W}, return_complex=True)".format(d="y.dtype")]
    + [f"torch.signal.windows.{e}" for e in lines(WINDOWS)],
)
def test_values(expression: str) -> None:
    import torch

    for dtype, tol in (("float64", 1e-10), ("float32", 1e-5)):
        ours, theirs = (compute(lib, expression, ARRAYS, dtype) for lib in (tl, torch))
        for a, b in zip(ours, theirs):
            assert describe(a)[:3] == describe(b)[:3]  # PyTorch conjugates lazily: some of its results are views
            np.testing.assert_allclose(values(a), values(b), rtol=tol if a.dtype != tl.float32 else 1e-5, atol=tol)


@pytest.mark.parity
@pytest.mark.parametrize("expression", [f"torch.fft.{e}" for e in lines(TRANSFORMS) if "c" not in e and "(i)" not in e])
def test_gradients(expression: str) -> None:
    assert_gradient_parity(expression, {k: ARRAYS[k] for k in "xv"})


@pytest.mark.parity
@pytest.mark.parametrize("expression", lines(ERRORS))
def test_errors(expression: str) -> None:
    assert_same_error(expression, ARRAYS)


@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
def test_against_numpy(name: str, dtype: type) -> None:
    if name in ("rfft", "ihfft") and np.issubdtype(dtype, np.complexfloating):
        pytest.skip("of real numbers")
    x = rng.standard_normal((3, 1000))
    x = (x + 1j * x[::-1] if np.issubdtype(dtype, np.complexfloating) else x).astype(dtype)
    for n, norm in ((None, None), (700, "ortho"), (1203, "forward")):
        result = getattr(tl.fft, name)(tl.from_numpy(x), n, norm=norm)
        expected = getattr(np.fft, name)(x.astype(np.complex128 if np.iscomplexobj(x) else np.float64), n, norm=norm)
        single = x.real.dtype == np.float32
        assert str(result.dtype).split(".")[1] in (("float32", "complex64") if single else ("float64", "complex128"))
        np.testing.assert_allclose(np.asarray(result.tolist()), expected, rtol=0, atol=(1e-6 if single else 1e-14) * 10 * abs(expected).max())


FUNCTIONS = {
    "fft": lambda x: tl.fft.fft(x, 5, 0),
    "ifft": lambda x: tl.fft.ifft(x, norm="ortho"),
    "irfft": lambda x: tl.fft.irfft(x, 5),
    "irfft_even": lambda x: tl.fft.irfft(x, 6, 0),
    "hfft": lambda x: tl.fft.hfft(x, norm="forward"),
    "fft2": tl.fft.fft2,
    "irfft2": tl.fft.irfft2,
    "hfft2": tl.fft.hfft2,
    "ifftn": lambda x: tl.fft.ifftn(x, (4, 2)),
    "fftshift": tl.fft.fftshift,
}
REAL = {
    "rfft": tl.fft.rfft,
    "rfft_long": lambda x: tl.fft.rfft(x, 7, 0),
    "ihfft": lambda x: tl.fft.ihfft(x, norm="ortho"),
    "rfft2": tl.fft.rfft2,
    "ihfft2": tl.fft.ihfft2,
    "stft": lambda x: tl.stft(x, 3, 1, window=tl.ones(3, dtype=tl.float64), center=False, return_complex=True),
    "round trip": lambda x: tl.istft(
        tl.stft(x, 4, 1, window=tl.signal.windows.hamming(4, dtype=tl.float64), return_complex=True, pad_mode="constant"), 4, 1,
        window=tl.signal.windows.hamming(4, dtype=tl.float64),
    ) ** 2,
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("name", [*FUNCTIONS, *REAL])
def test_derivatives(name: str, dtype: str) -> None:
    if name in REAL and dtype == "complex128":
        pytest.skip("of real numbers")
    x = tl.randn(3, 4, dtype=getattr(tl, dtype), requires_grad=True)
    assert tl.autograd.gradcheck((FUNCTIONS | REAL)[name], x)
    assert tl.autograd.gradgradcheck((FUNCTIONS | REAL)[name], x)


def test_out() -> None:
    out = tl.empty(0, dtype=tl.complex64)
    assert tl.fft.rfft(tl.ones(4), out=out) is out
    assert out.tolist() == [4, 0, 0]
    with pytest.raises(RuntimeError):
        tl.fft.fft(tl.ones(4), out=tl.empty(4))


def test_a_signal_comes_back_from_its_spectrogram() -> None:
    x = tl.randn(2, 4000)
    window = tl.hann_window(256)
    spectrogram = tl.stft(x, 256, 64, window=window, return_complex=True)
    assert spectrogram.shape == (2, 129, 63)
    back = tl.istft(spectrogram, 256, 64, window=window, length=4000)
    np.testing.assert_allclose(back.numpy(), x.numpy(), atol=1e-5)


@pytest.mark.skipif(not IS_TENSORLITE, reason="of tensorlite")
def test_the_first_stft_without_a_window_warns() -> None:
    from tensorlite import _stft

    _stft._warned.clear()
    with pytest.warns(UserWarning, match="A window was not provided"):
        tl.stft(tl.ones(20), 4, return_complex=True)
