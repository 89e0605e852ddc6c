"""Poolings: windows of every kind against NumPy, NaN, layouts, errors, gradients of gradients, PyTorch's numbers."""

import itertools

import numpy as np
import pytest
from library import tl, torch
from parity import assert_gradient_parity, assert_parity, assert_same_error, check_derivatives, lines

F = tl.nn.functional


def windows(size, kernel, stride, padding, dilation=1, ceil_mode=False):
    """For each output: the positions in the input, and how many with padding."""
    room = size + 2 * padding - dilation * (kernel - 1) - 1
    out = (-(-room // stride) if ceil_mode else room // stride) + 1
    if ceil_mode and (out - 1) * stride >= size + padding:
        out -= 1
    found = []
    for o in range(out):
        start = o * stride - padding
        inside = [p for p in range(start, start + kernel * dilation, dilation) if 0 <= p < size]
        found.append((inside, min(start + kernel, size + padding) - start))
    return found


def adaptive_windows(size, out):
    return [(list(range(o * size // out, -(-(o + 1) * size // out))), None) for o in range(out)]


def pooled(x, per_dim, value):
    """value(elements, padded count) over the last dims of x, in float64."""
    dims = len(per_dim)
    lead = x.shape[: x.ndim - dims]
    out = np.empty((*lead, *(len(w) for w in per_dim)))
    for place in itertools.product(*(range(len(w)) for w in per_dim)):
        chosen = [w[i] for w, i in zip(per_dim, place)]
        block = x[(..., *np.ix_(*(c[0] for c in chosen)))].reshape(*lead, -1)
        count = int(np.prod([c[1] or len(c[0]) for c in chosen]))
        out[(..., *place)] = value(block, count)
    return out


def largest(block, _):
    return block.max(-1)


SETTINGS = [  # size, kernel, stride, padding, dilation, ceil_mode
    ((8, 10), (2, 2), (2, 2), (0, 0), (1, 1), False),
    ((9, 37), (2, 2), (2, 2), (0, 0), (1, 1), False),
    ((9, 67), (2, 2), (2, 2), (0, 0), (1, 1), True),
    ((11, 13), (3, 3), (2, 2), (1, 1), (1, 1), False),
    ((11, 40), (3, 2), (1, 1), (1, 0), (1, 1), False),
    ((12, 14), (3, 3), (3, 4), (1, 1), (1, 1), True),
    ((12, 33), (2, 3), (1, 2), (1, 1), (2, 3), False),
    ((5, 5), (5, 5), (5, 5), (2, 2), (1, 1), True),
    ((1, 1), (1, 1), (1, 1), (0, 0), (1, 1), False),
]


def channels_last(x):
    return x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)


def is_channels_last(x):
    return x.permute(0, 2, 3, 1).is_contiguous()


def layouts(x):
    yield x
    yield channels_last(x)
    yield x.transpose(2, 3).contiguous().transpose(2, 3)
    yield tl.cat([x, x], 1)[:, ::2] if x.size(1) == 1 else x.flip(0).flip(0)


@pytest.mark.parametrize("size, kernel, stride, padding, dilation, ceil_mode", SETTINGS)
@pytest.mark.parametrize("dtype, tolerance", [("float64", 0), ("float32", 0), ("bfloat16", 0)])
def test_max_pool2d(size, kernel, stride, padding, dilation, ceil_mode, dtype, tolerance):
    x = tl.randn(2, 5, *size).to(getattr(tl, dtype))
    per_dim = [windows(*s, ceil_mode) for s in zip(size, kernel, stride, padding, dilation)]
    expected = pooled(x.double().numpy(), per_dim, largest)
    args = (kernel, stride, padding, dilation, ceil_mode)
    for t in layouts(x):
        got = F.max_pool2d(t, *args)
        np.testing.assert_array_equal(got.double().numpy(), expected)
        values, indices = F.max_pool2d(t, *args, return_indices=True)
        np.testing.assert_array_equal(values.double().numpy(), expected)
        picked = t.contiguous().flatten(2).gather(2, indices.flatten(2)).view(indices.shape)
        np.testing.assert_array_equal(picked.double().numpy(), expected)
    np.testing.assert_array_equal(F.max_pool2d(x[0], *args).double().numpy(), expected[0])


@pytest.mark.parametrize("size, kernel, stride, padding, dilation, ceil_mode", SETTINGS)
@pytest.mark.parametrize("include", [True, False])
def test_avg_pool2d(size, kernel, stride, padding, dilation, ceil_mode, include):
    x = tl.randn(2, 5, *size, dtype=tl.float64)
    per_dim = [windows(*s, 1, ceil_mode) for s in zip(size, kernel, stride, padding)]
    for divisor in (None, 3):

        def value(block, count, divisor=divisor):
            return block.sum(-1) / (divisor or (count if include else block.shape[-1]))

        expected = pooled(x.numpy(), per_dim, value)
        args = (kernel, stride, padding, ceil_mode, include, divisor)
        for t in layouts(x):
            np.testing.assert_allclose(F.avg_pool2d(t, *args).numpy(), expected, rtol=1e-12, atol=1e-13)
        got = F.avg_pool2d(x.float(), *args)
        np.testing.assert_allclose(got.numpy(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("size, out", [((8, 10), (2, 5)), ((7, 5), (3, 4)), ((6, 50), (1, 1)), ((3, 4), (5, 6))])
def test_adaptive(size, out):
    x = tl.randn(2, 3, *size, dtype=tl.float64)
    per_dim = [adaptive_windows(*s) for s in zip(size, out)]
    means = pooled(x.numpy(), per_dim, lambda block, _: block.mean(-1))
    maxima = pooled(x.numpy(), per_dim, largest)
    for t in layouts(x):
        np.testing.assert_allclose(F.adaptive_avg_pool2d(t, out).numpy(), means, rtol=1e-12, atol=1e-13)
        values, indices = F.adaptive_max_pool2d(t, out, return_indices=True)
        np.testing.assert_array_equal(values.numpy(), maxima)
        picked = t.contiguous().flatten(2).gather(2, indices.flatten(2)).view(indices.shape)
        np.testing.assert_array_equal(picked.numpy(), maxima)


def test_one_and_three_dims():
    x = tl.randn(2, 3, 5, 6, 7, dtype=tl.float64)
    per_dim = [windows(s, 3, 2, 1) for s in (5, 6, 7)]
    np.testing.assert_array_equal(F.max_pool3d(x, 3, 2, 1).numpy(), pooled(x.numpy(), per_dim, largest))
    values, indices = F.max_pool3d(x, 3, 2, 1, return_indices=True)
    picked = x.flatten(2).gather(2, indices.flatten(2)).view(indices.shape)
    np.testing.assert_array_equal(picked.numpy(), values.numpy())
    mean = pooled(x.numpy(), per_dim, lambda b, count: b.sum(-1) / count)
    np.testing.assert_allclose(F.avg_pool3d(x, 3, 2, 1).numpy(), mean, rtol=1e-12, atol=1e-13)
    line = x[0, :, 0]
    per_dim = [windows(7, 3, 2, 1)]
    np.testing.assert_array_equal(F.max_pool1d(line, 3, 2, 1).numpy(), pooled(line.numpy(), per_dim, largest))
    mean = pooled(line.numpy(), per_dim, lambda b, count: b.sum(-1) / count)
    np.testing.assert_allclose(F.avg_pool1d(line, 3, 2, 1).numpy(), mean, rtol=1e-12, atol=1e-13)
    assert F.max_pool1d(line, 2, return_indices=True)[1].dtype == tl.int64
    thirds = pooled(line.numpy(), [adaptive_windows(7, 3)], lambda b, _: b.mean(-1))
    np.testing.assert_allclose(F.adaptive_avg_pool1d(line, 3).numpy(), thirds, rtol=1e-12, atol=1e-13)


def test_nan_and_infinity():
    nan, inf = float("nan"), float("inf")
    x = tl.full((1, 1, 4, 40), -inf)
    x[0, 0, 1, 3] = nan
    x[0, 0, 2, 38] = inf
    for t in (x, channels_last(x.expand(1, 3, 4, 40))):
        for args in ((2,), (3, 2, 1), (2, 1)):
            expected = pooled(t.numpy(), [windows(s, *(*args, args[0], 0)[:2], args[2] if len(args) > 2 else 0)
                                          for s in (4, 40)], largest)  # fmt: skip
            np.testing.assert_array_equal(F.max_pool2d(t, *args).numpy(), expected.astype(np.float32))
    t = tl.tensor([[[[nan, 1.0], [nan, nan]]]], requires_grad=True)
    F.max_pool2d(t, 2).sum().backward()
    assert t.grad.flatten().tolist() == [0, 0, 0, 1]  # the last NaN, as PyTorch's scan has it


def test_a_window_in_the_padding_alone():
    """Its taps step over the whole input: minus infinity, and no gradient."""
    for layout in (tl.Tensor.contiguous, channels_last):
        x = layout(tl.ones(1, 2, 1, 4)).requires_grad_()
        y, _ = F.max_pool2d(x, (1, 2), padding=(0, 1), dilation=(1, 5), return_indices=True)
        y.sum().backward()
        assert y.flatten().tolist() == [-float("inf")] * 2 and not x.grad.any()


def test_layout_and_empty():
    x = channels_last(tl.randn(2, 3, 8, 8))
    for f in (F.max_pool2d, F.avg_pool2d, F.adaptive_avg_pool2d):
        assert is_channels_last(f(x, 2))
    assert F.max_pool2d(tl.empty(0, 3, 8, 8), 2).shape == (0, 3, 4, 4)
    assert F.avg_pool2d(tl.empty(0, 3, 8, 8), 2).shape == (0, 3, 4, 4)
    empty = tl.empty(0, 3, 8, 8, requires_grad=True)
    F.max_pool2d(empty, 2).sum().backward()
    assert empty.grad.shape == (0, 3, 8, 8)


x4 = tl.ones(2, 3, 8, 9)
ERRORS = [
    (lambda: F.max_pool2d(x4, 2, 2, 2), "pad should be at most half of effective kernel size, but got pad=2, kernel_size=2 and dilation=1"),
    (lambda: F.avg_pool2d(x4, 2, 2, 2), "pad should be at most half of effective kernel size"),
    (lambda: F.max_pool2d(x4, 2, 2, -1), "pad must be non-negative, but got pad: -1"),
    (lambda: F.max_pool2d(x4, 2, 0), "stride should not be zero"),
    (lambda: F.max_pool2d(x4, 20), r"Given input size: \(3x8x9\). Calculated output size: \(3x0x0\). Output size is too small"),
    (lambda: F.max_pool2d(x4[0, 0], 2), r"non-empty 3D or 4D \(batch mode\) tensor expected for input"),
    (lambda: F.max_pool2d(x4[:, :0], 2), r"Expected 3D or 4D \(batch mode\) tensor with optional 0 dim batch size for input, but got:\[2, 0, 8, 9\]"),
    (lambda: F.max_pool1d(x4[0], 2, 2, 2), r"max_pool1d\(\) padding should be at most half of kernel size, but got padding=2 and kernel_size=2"),
    (lambda: F.max_pool1d(x4, 2), "max_pool1d: Expected 2D or 3D"),
    (lambda: F.avg_pool1d(x4, 2), "Expected 2 to 3 dimensions, but got 4-dimensional tensor for argument #1 'self'"),
    (lambda: F.avg_pool2d(x4, 2, divisor_override=0), "divisor must be not zero"),
    (lambda: F.adaptive_avg_pool2d(x4[0, 0], 2), r"adaptive_avg_pool2d\(\): Expected 3D or 4D tensor, but got \[8, 9\]"),
    (lambda: F.adaptive_avg_pool2d(x4[:, :, :0], 2), r"adaptive_avg_pool2d\(\): Expected input to have non-zero size"),
    (lambda: F.max_pool2d(x4.bool(), 2), "\"max_pool2d\" not implemented for 'Bool'"),
]  # fmt: skip


@pytest.mark.parametrize("run, text", ERRORS)
def test_errors(run, text):
    with pytest.raises(RuntimeError, match=text):  # NotImplementedError is one
        run()


GRADIENTS = [
    (lambda x: F.max_pool2d(x, 2), (1, 2, 5, 6), "MaxPool2DWithIndicesBackward0"),
    (lambda x: F.max_pool2d(x, 3, 2, 1), (1, 2, 5, 6), "MaxPool2DWithIndicesBackward0"),
    (lambda x: F.max_pool2d(x, (2, 3), 1, (1, 0), 2), (2, 5, 6), "MaxPool2DWithIndicesBackward0"),
    (lambda x: F.max_pool2d(x, 3, 2, 1, ceil_mode=True, return_indices=True)[0], (1, 2, 5, 6), "MaxPool2DWithIndicesBackward0"),
    (lambda x: F.max_pool2d(channels_last(x), 3, 2, 1), (1, 3, 5, 6), "MaxPool2DWithIndicesBackward0"),
    (lambda x: F.max_pool1d(x, 3, 2, 1), (2, 7), "SqueezeBackward1"),
    (lambda x: F.max_pool3d(x, 2), (1, 2, 3, 4, 5), "MaxPool3DWithIndicesBackward0"),
    (lambda x: F.avg_pool2d(x, 2), (1, 2, 5, 6), "AvgPool2DBackward0"),
    (lambda x: F.avg_pool2d(x, 3, 2, 1, True, False), (1, 2, 5, 6), "AvgPool2DBackward0"),
    (lambda x: F.avg_pool2d(x, 3, 1, 1, divisor_override=2), (2, 5, 6), "AvgPool2DBackward0"),
    (lambda x: F.avg_pool2d(channels_last(x), 3, 2, 1), (1, 3, 5, 6), "AvgPool2DBackward0"),
    (lambda x: F.avg_pool3d(x, 2, 1), (1, 2, 3, 3, 3), "AvgPool3DBackward0"),
    (lambda x: F.avg_pool1d(x, 3, 2, 1), (2, 7), "SqueezeBackward1"),
    (lambda x: F.adaptive_avg_pool2d(x, (2, 3)), (1, 2, 5, 7), "AdaptiveAvgPool2DBackward0"),
    (lambda x: F.adaptive_max_pool2d(x, (2, 3)), (1, 2, 5, 7), "AdaptiveMaxPool2DBackward0"),
    (lambda x: F.adaptive_avg_pool1d(x, 3), (2, 7), "SqueezeBackward1"),
    (lambda x: F.adaptive_max_pool1d(x, 3), (2, 7), "SqueezeBackward1"),
]  # fmt: skip


@pytest.mark.parametrize("f, shape, name", GRADIENTS)
def test_gradients(f, shape, name):
    count = int(np.prod(shape))
    # Distinct values, so that finite differences stay on one maximum.
    x = tl.from_numpy(np.random.default_rng(3).permutation(count).reshape(shape) / 7.0).requires_grad_()
    assert type(f(x).grad_fn).__name__ == name
    assert tl.autograd.gradcheck(f, (x,))
    assert tl.autograd.gradgradcheck(f, (x,))


def test_same_bits_with_any_number_of_threads():
    x = tl.randn(8, 16, 30, 34, requires_grad=True)
    threads = tl.get_num_threads()
    found = []
    try:
        for n in (1, 2, 3):
            tl.set_num_threads(n)
            bits = b""
            for f in (lambda t: F.max_pool2d(t, 3, 2, 1), lambda t: F.avg_pool2d(t, 3, 2, 1)):
                y = f(x)
                (gradient,) = tl.autograd.grad((y * y).sum(), x)
                bits += y.detach().numpy().tobytes() + gradient.numpy().tobytes()
            found.append(bits)
    finally:
        tl.set_num_threads(threads)
    assert found[0] == found[1] == found[2]


@pytest.mark.parity
@pytest.mark.parametrize("size, kernel, stride, padding, dilation, ceil_mode", SETTINGS)
@pytest.mark.parametrize("last", [False, True])
def test_parity(size, kernel, stride, padding, dilation, ceil_mode, last):
    # Few distinct values: ties go to the same element.
    x = np.random.default_rng(0).integers(0, 4, (2, 5, *size)).astype(np.float32)
    results = []
    for lib in (tl, torch):
        t = lib.from_numpy(x.copy())
        if last:
            t = channels_last(t)
        t.requires_grad_()
        y, indices = lib.nn.functional.max_pool2d(t, kernel, stride, padding, dilation, ceil_mode, return_indices=True)
        z = lib.nn.functional.max_pool2d(t, kernel, stride, padding, dilation, ceil_mode)
        w = lib.nn.functional.avg_pool2d(t, kernel, stride, padding, ceil_mode, False)
        found = [y, indices, z, w]
        for out in (y, z, w):
            found.append(lib.autograd.grad((out * lib.arange(out.numel()).reshape(out.shape)).sum(), t)[0])
        results.append([f.detach() for f in found])
    for ours, theirs in zip(*results):
        assert tuple(ours.shape) == tuple(theirs.shape)
        if min(size) > 1:
            assert tuple(ours.stride()) == tuple(theirs.stride())
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-5, atol=1e-5)


# Expression by expression

RNG = np.random.default_rng(0)
ARRAYS = {
    "a": RNG.normal(0, 1, (2, 3, 11)),
    "x": RNG.normal(0, 1, (2, 3, 7, 9)),
    "y": RNG.normal(0, 1, (2, 2, 5, 6, 7)),
    "e": np.zeros((0, 3, 7, 9)),
}
MORE = ARRAYS | {"i": RNG.integers(-9, 9, (1, 2, 6, 6))}

MAX = """
F.max_pool1d(a, 2) | F.max_pool1d(a, 3, 2) | F.max_pool1d(a, 3, 2, 1) | F.max_pool1d(a, 3, 1, 1, 2) | F.max_pool1d(a, 2, 3, ceil_mode=True) | F.max_pool1d(a[0], 4, 3)
F.max_pool1d(a, (3,), (2,), (1,)) | F.max_pool1d(a[:, :, ::2], 2) | F.max_pool1d(a.transpose(0, 1), 5) | F.max_pool1d(a, 11) | F.max_pool1d(a[:1].expand(3, 3, 11), 2)
F.max_pool2d(x, 2) | F.max_pool2d(x, 3, 2) | F.max_pool2d(x, 3, 2, 1) | F.max_pool2d(x, (2, 3)) | F.max_pool2d(x, (2, 3), (3, 1), (1, 0)) | F.max_pool2d(x, 3, 1, 1)
F.max_pool2d(x, 2, 1, 0, 2) | F.max_pool2d(x, (3, 2), 2, 1, (1, 3)) | F.max_pool2d(x, 3, 2, 1, 2, ceil_mode=True) | F.max_pool2d(x, 2, ceil_mode=True) | F.max_pool2d(x, 4, 3, 2, ceil_mode=True)
F.max_pool2d(x[0], 2) | F.max_pool2d(x[0], 3, 2, 1) | F.max_pool2d(x.transpose(2, 3), 3, 2) | F.max_pool2d(x[:, :, ::2, 1:], 2) | F.max_pool2d(x, 1) | F.max_pool2d(x, 1, 3) | F.max_pool2d(x, 7)
F.max_pool2d(x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2), 3, 2, 1) | F.max_pool2d(x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2), 2, 2, ceil_mode=True) | F.max_pool2d(x.permute(1, 0, 2, 3), 3)
F.max_pool2d(x[:1].expand(3, 3, 7, 9), 2) | F.max_pool2d(x, 2, stride=(1, 2)) | F.max_pool2d(x.round(), 3, 2) | F.max_pool2d(torch.zeros_like(x) + x * 0, 3, 2, 1) | F.max_pool2d(e, 2) | torch.max_pool2d(x, 3)
F.max_pool3d(y, 2) | F.max_pool3d(y, 3, 2, 1) | F.max_pool3d(y, (1, 2, 3)) | F.max_pool3d(y, 2, 1, 0, 2) | F.max_pool3d(y[0], 2) | F.max_pool3d(y, 2, ceil_mode=True) | F.max_pool3d(y.transpose(1, 4), 2)
F.max_pool3d(y, (3, 2, 2), (2, 1, 2), (1, 1, 0), (1, 2, 1)) | F.max_pool2d(x.relu(), 2) | torch.max_pool1d(a, 2, 1) | torch.max_pool3d(y, 2, 1)
F.adaptive_max_pool1d(a, 4) | F.adaptive_max_pool1d(a[0], 3) | F.adaptive_max_pool2d(x, 4) | F.adaptive_max_pool2d(x, (3, 9)) | F.adaptive_max_pool2d(x, (None, 2)) | F.adaptive_max_pool2d(x, 1)
F.adaptive_max_pool2d(x[0], (10, 12)) | F.adaptive_max_pool2d(x.transpose(2, 3), 3) | F.adaptive_max_pool3d(y, 2) | F.adaptive_max_pool3d(y, (None, 3, 2)) | F.adaptive_max_pool3d(y[0], 1)
F.adaptive_max_pool2d(x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2), 3)
"""

AVG = """
F.avg_pool1d(a, 2) | F.avg_pool1d(a, 3, 2, 1) | F.avg_pool1d(a, 3, 2, 1, True) | F.avg_pool1d(a, 3, 2, 1, True, False) | F.avg_pool1d(a[0], 4, 3) | F.avg_pool1d(a[:, :, ::2], 2) | F.avg_pool1d(a.transpose(0, 1), 5, 1)
F.avg_pool2d(x, 2) | F.avg_pool2d(x, 3, 2) | F.avg_pool2d(x, 3, 2, 1) | F.avg_pool2d(x, (2, 3), (3, 1), (1, 0)) | F.avg_pool2d(x, 3, 2, 1, count_include_pad=False) | F.avg_pool2d(x, 3, 1, 1, divisor_override=5)
F.avg_pool2d(x, 4, 3, 2, ceil_mode=True) | F.avg_pool2d(x, 4, 3, 2, ceil_mode=True, count_include_pad=False) | F.avg_pool2d(x, 2, ceil_mode=True) | F.avg_pool2d(x, 2, ceil_mode=True, divisor_override=3) | F.avg_pool2d(x[0], 3, 2, 1)
F.avg_pool2d(x, 2, divisor_override=-2) | F.avg_pool2d(x.transpose(2, 3), 3, 2) | F.avg_pool2d(x[:, :, ::2, 1:], 2) | F.avg_pool2d(x, 1) | F.avg_pool2d(x, 7) | F.avg_pool2d(x, 2, stride=(1, 2)) | F.avg_pool2d(e, 2)
F.avg_pool2d(x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2), 3, 2, 1) | F.avg_pool2d(x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2), 2, ceil_mode=True, count_include_pad=False) | F.avg_pool2d(x[:1].expand(3, 3, 7, 9), 2)
F.avg_pool3d(y, 2) | F.avg_pool3d(y, 3, 2, 1) | F.avg_pool3d(y, (1, 2, 3)) | F.avg_pool3d(y[0], 2) | F.avg_pool3d(y, 3, 2, 1, True, False) | F.avg_pool3d(y, 2, divisor_override=3) | F.avg_pool3d(y.transpose(1, 4), 2) | F.avg_pool3d(y, 2, ceil_mode=True)
F.adaptive_avg_pool1d(a, 4) | F.adaptive_avg_pool1d(a[0], 3) | F.adaptive_avg_pool2d(x, 4) | F.adaptive_avg_pool2d(x, (3, 9)) | F.adaptive_avg_pool2d(x, (None, 2)) | F.adaptive_avg_pool2d(x[0], (10, 12)) | F.adaptive_avg_pool2d(x.transpose(2, 3), 3)
F.adaptive_avg_pool3d(y, 2) | F.adaptive_avg_pool3d(y, (None, 3, 2)) | F.adaptive_avg_pool3d(y[0], 2) | F.adaptive_avg_pool2d(x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2), 3) | torch.adaptive_avg_pool1d(a, 2)
F.adaptive_avg_pool2d(x, (5, 1)) | torch.avg_pool1d(a, 3)
"""

# Their graphs are named otherwise in PyTorch: a mean over the whole of each channel.
MEANS = "F.adaptive_avg_pool1d(a, 1) | F.adaptive_avg_pool2d(x, 1) | F.adaptive_avg_pool2d(x[0], 1) | F.adaptive_avg_pool3d(y, 1)"

VALUES = """
F.max_pool1d(a, 3, 2, 1, return_indices=True) | F.max_pool2d(x, 3, 2, 1, return_indices=True) | F.max_pool2d(x.round(), 3, 2, return_indices=True) | F.max_pool2d(x, 2, 1, 0, 2, return_indices=True)
F.max_pool2d(x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2), 3, 2, 1, return_indices=True) | F.max_pool3d(y, 2, return_indices=True) | F.max_pool3d(y, 3, 2, 1, return_indices=True) | F.max_pool2d(x[0], 2, return_indices=True)
F.adaptive_max_pool1d(a, 4, return_indices=True) | F.adaptive_max_pool2d(x, 4, return_indices=True) | F.adaptive_max_pool3d(y, 2, return_indices=True) | F.adaptive_max_pool2d(x.round(), 3, True)
F.max_pool2d(i.short(), 2, return_indices=True) | F.max_pool2d(i.int(), 3, 2, 1) | F.max_pool2d(i.int(), 2) | F.max_pool2d(x.masked_fill(x > 1, nan), 2) | F.max_pool2d(x.masked_fill(x > 1, inf), 3, 2, 1) | F.max_pool2d(x.masked_fill(x < 9, -inf), 3, 2, 1)
F.max_pool2d(x.masked_fill(x > 1, nan), 3, 2, 1, return_indices=True) | F.avg_pool2d(x.masked_fill(x > 1, nan), 2) | F.avg_pool2d(x.masked_fill(x > 1, inf), 2) | F.adaptive_max_pool2d(x.masked_fill(x > 1, nan), 3)
F.max_pool2d(x.masked_fill(x < 9, -inf), 3, 2, 1, return_indices=True) | F.avg_pool2d(e, 3, 2, 1) | F.adaptive_avg_pool2d(e, 2) | F.adaptive_max_pool2d(e, 2) | F.max_pool2d(x.bfloat16().float(), 2)
torch.max_pool1d_with_indices(a, 2) | F.max_pool2d_with_indices(x, 2) | F.max_pool3d(y[:0], 2)
"""

REFUSED = """
F.max_pool2d(x, 10) | F.max_pool2d(x, 2, padding=2) | F.max_pool2d(x, 0) | F.max_pool2d(x, 2, 0) | F.max_pool2d(x, 2, dilation=0) | F.max_pool2d(x, (1, 2, 3)) | F.max_pool2d(a[0], 2) | F.max_pool2d(x[:, :0], 2) | F.max_pool2d(x, 2, -1) | F.max_pool2d(x, (2, -1), 1) | F.max_pool2d(y, 2) | F.max_pool2d(x, 2, padding=-1)
F.max_pool2d(x, 2, (1, 2, 3)) | F.max_pool2d(x[:, :, :0], 2) | F.max_pool1d(x, 2) | F.max_pool1d(a[0, 0], 2) | F.max_pool1d(a, 12) | F.max_pool1d(a, 2, padding=2) | F.max_pool3d(x[0], 2) | F.max_pool3d(y, 8) | F.max_pool3d(y, 2, dilation=0) | F.max_pool1d(a, 3, dilation=6) | F.max_pool1d(a, 0)
F.avg_pool2d(x, 10) | F.avg_pool2d(x, 2, padding=2) | F.avg_pool2d(x, 2, 0) | F.avg_pool2d(x, 2, divisor_override=0) | F.avg_pool2d(a[0], 2) | F.avg_pool2d(i.int(), 2) | F.avg_pool1d(x, 2) | F.avg_pool3d(x[0], 2) | F.avg_pool2d(x, (1, 2, 3))
F.adaptive_avg_pool2d(x, (1, 2, 3)) | F.adaptive_avg_pool2d(a[0], 2) | F.adaptive_max_pool2d(a[0], 2) | F.adaptive_avg_pool2d(x[:, :, :0], 2) | F.adaptive_max_pool2d(x[:, :, :0], 2) | F.adaptive_avg_pool2d(i, 2) | F.adaptive_avg_pool1d(x, 2)
F.adaptive_max_pool3d(x[0], 2) | F.adaptive_avg_pool3d(x[0], 2) | F.adaptive_max_pool2d(i > 1, 2) | F.max_pool2d(i > 1, 2)
"""
TOLERANCES = {"float16": 2e-3, "bfloat16": 1e-2, "float32": 1e-6, "float64": 1e-14}


def test_indices_say_where_the_maxima_are():
    x = tl.tensor(ARRAYS["x"])
    largest, places = F.max_pool2d(x, 3, 2, 1, return_indices=True)
    assert places.dtype == tl.int64
    assert tl.equal(x.flatten(2).gather(2, places.flatten(2)).view(largest.shape), largest)


SMALL = {"a": ARRAYS["a"][:, :2, :6], "x": ARRAYS["x"][:1, :2, :5, :4], "y": ARRAYS["y"][:1, :1, :3, :3, :4]}


@pytest.mark.parametrize(
    "expression",
    lines("""
F.max_pool1d(a, 3, 2, 1) | F.max_pool2d(x, 2) | F.max_pool2d(x, 3, 2, 1, ceil_mode=True) | F.max_pool2d(x[0], 2, 1, 0, 2) | F.max_pool2d(x, 2, return_indices=True)[0] | F.max_pool3d(y, 2)
F.max_pool2d(x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2), 3, 2, 1) | F.max_pool3d(y, 2, 1, return_indices=True)[0] | F.max_pool1d(a, 2, return_indices=True)[0] | F.avg_pool1d(a, 3, 2, 1) | F.avg_pool2d(x, 2)
F.avg_pool2d(x, 3, 2, 1, True, False) | F.avg_pool2d(x[0], 2, 1, divisor_override=3) | F.avg_pool3d(y, 2) | F.avg_pool3d(y, 3, 2, 1, True, False) | F.adaptive_avg_pool1d(a, 4) | F.adaptive_avg_pool2d(x, 3)
F.adaptive_avg_pool2d(x, 1) | F.adaptive_avg_pool3d(y, 2) | F.adaptive_max_pool1d(a, 4) | F.adaptive_max_pool2d(x, 3) | F.adaptive_max_pool3d(y, 2) | F.avg_pool2d(x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2), 3, 2, 1)
F.max_pool2d(x, (2, 1), (1, 2)) | F.avg_pool2d(x, (2, 1), (1, 2)) | F.max_pool2d(x, 2, stride=(1, 2)) | F.avg_pool2d(x, 2, padding=(0, 1)) | F.max_pool2d(x, 2, padding=(0, 1), dilation=(2, 1))
"""),
)
@pytest.mark.sanitize
def test_derivatives(expression):
    check_derivatives(expression.replace("tl.", "torch."), SMALL, expression.split("(")[1][0])


@pytest.mark.parity
@pytest.mark.parametrize("expression", lines(MAX + AVG + VALUES + MEANS))
def test_parity_of_expressions(expression):
    pytest.importorskip("torch")
    assert_parity(expression, MORE, atol=1e-13)


@pytest.mark.parity
@pytest.mark.parametrize("expression", lines(MAX + AVG))
def test_parity_of_gradients(expression):
    pytest.importorskip("torch")
    assert_gradient_parity(expression, ARRAYS)


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_parity_of_dtypes(dtype):
    pytest.importorskip("torch")
    for e in lines("F.max_pool2d(x, 3, 2, 1) | F.avg_pool2d(x, 3, 2, 1) | F.adaptive_avg_pool2d(x, 3) | F.max_pool1d(a, 3) | F.max_pool3d(y, 2)"):
        assert_parity(e, ARRAYS, dtype, rtol=2 * TOLERANCES[dtype], atol=TOLERANCES[dtype])


@pytest.mark.parity
@pytest.mark.parametrize("expression", lines(REFUSED))
def test_parity_of_errors(expression):
    pytest.importorskip("torch")
    assert_same_error(expression, MORE)
