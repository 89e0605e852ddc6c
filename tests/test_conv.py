"""Convolutions over one to three dims, and transposed ones."""

import itertools
import subprocess
import sys
import warnings

import numpy as np
import pytest
from library import tl

F = tl.nn.functional
FLOATS = ("float64", "float32", "float16", "bfloat16")
TOLERANCE = {"float64": 1e-11, "float32": 2e-5, "float16": 4e-3, "bfloat16": 3e-2}


def tuple_of(v, n):
    return (v,) * n if isinstance(v, int) else tuple(v)


def reference(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    """Every tap of the kernel times the places it sees."""
    n = w.ndim - 2
    stride, padding, dilation = (tuple_of(v, n) for v in (stride, padding, dilation))
    x = np.pad(x, [(0, 0), (0, 0), *((p, p) for p in padding)])
    out = [(x.shape[2 + i] - dilation[i] * (w.shape[2 + i] - 1) - 1) // stride[i] + 1 for i in range(n)]
    y = np.zeros((x.shape[0], w.shape[0], *out), x.dtype)
    o, c = w.shape[0] // groups, w.shape[1]
    for tap in np.ndindex(*w.shape[2:]):
        places = tuple(slice(t * d, t * d + (k - 1) * s + 1, s) for t, d, k, s in zip(tap, dilation, out, stride))
        seen = x[(slice(None), slice(None), *places)]
        for g in range(groups):
            weights = w[(slice(g * o, g * o + o), slice(None), *tap)]
            y[:, g * o : g * o + o] += np.moveaxis(np.tensordot(weights, seen[:, g * c : g * c + c], (1, 1)), 0, 1)
    return y if b is None else y + b.reshape(-1, *[1] * n)


def reference_transposed(x, w, b=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    n = w.ndim - 2
    stride, padding, dilation, extra = (tuple_of(v, n) for v in (stride, padding, dilation, output_padding))
    whole = [(x.shape[2 + i] - 1) * stride[i] + dilation[i] * (w.shape[2 + i] - 1) + 1 + extra[i] for i in range(n)]
    c, o = w.shape[0] // groups, w.shape[1]
    y = np.zeros((x.shape[0], o * groups, *whole), x.dtype)
    for tap in np.ndindex(*w.shape[2:]):
        places = tuple(
            slice(t * d, t * d + (k - 1) * s + 1, s) for t, d, k, s in zip(tap, dilation, x.shape[2:], stride)
        )
        for g in range(groups):
            weights = w[(slice(g * c, g * c + c), slice(None), *tap)]
            part = np.moveaxis(np.tensordot(weights, x[:, g * c : g * c + c], (0, 1)), 0, 1)
            y[(slice(None), slice(g * o, g * o + o), *places)] += part
    y = y[(slice(None), slice(None), *(slice(p, s - p) for p, s in zip(padding, whole)))]
    return y if b is None else y + b.reshape(-1, *[1] * n)


def case(n, batch, cin, cout, size, kernel, groups=1, **options):
    return n, batch, cin, cout, tuple_of(size, n), tuple_of(kernel, n), dict(options, groups=groups)


CASES = [
    case(1, 2, 3, 4, 11, 3),
    case(1, 1, 1, 1, 1, 1),
    case(1, 3, 5, 7, 40, 5, stride=2, padding=3, dilation=2),
    case(1, 2, 4, 6, 33, 4, groups=2, stride=3),
    case(1, 2, 6, 6, 70, 3, groups=6, padding=1),
    case(1, 1, 2, 3, 7, 2, stride=5),
    case(1, 2, 3, 4, 9, 3, padding=7),
    case(1, 2, 3, 4, 9, 2, dilation=8),
    case(2, 1, 1, 1, 3, 3),
    case(2, 2, 3, 8, (9, 37), 3, padding=1),
    case(2, 2, 3, 5, (8, 13), (2, 3), stride=(2, 1), padding=(0, 2), dilation=(1, 2)),
    case(2, 3, 13, 17, (6, 7), 1),
    case(2, 2, 7, 9, (7, 9), 1, stride=2),
    case(2, 2, 3, 6, (6, 5), 1, padding=2),
    case(2, 2, 6, 6, (10, 33), 3, groups=6, padding=1),
    case(2, 2, 4, 8, (11, 12), 3, groups=4, padding=1, stride=2),
    case(2, 1, 5, 5, (9, 9), 5, groups=5, dilation=2, padding=4),
    case(2, 2, 4, 6, (9, 8), 3, groups=2, stride=2, padding=1),
    case(2, 1, 2, 3, (20, 20), (7, 5), stride=3, padding=3),
    case(2, 1, 2, 3, (5, 6), (1, 3), stride=(4, 1)),
    case(2, 1, 2, 3, (4, 5), 3, stride=4, padding=2, dilation=3),
    case(2, 5, 1, 6, 28, 5),
    case(2, 2, 2, 2, (1, 66), (1, 3), padding=(0, 1)),
    case(2, 2, 16, 31, (5, 6), (5, 6)),
    case(3, 2, 3, 4, (4, 5, 6), 2),
    case(3, 1, 4, 4, (5, 4, 7), (3, 2, 3), groups=2, stride=(1, 2, 2), padding=(1, 0, 2), dilation=(1, 2, 1)),
    case(3, 1, 3, 3, (4, 4, 9), 3, groups=3, padding=1),
    case(3, 2, 3, 4, (3, 4, 5), 1, stride=2),
    # The places of all images in one product.
    case(1, 3, 33, 35, 11, 3, padding=2, dilation=2),
    case(2, 3, 33, 40, (7, 5), 3, padding=1),
    case(2, 2, 64, 32, (6, 9), (2, 3), padding=(0, 2), dilation=(3, 1)),
    case(2, 4, 32, 70, (3, 3), 1),
    case(3, 2, 32, 32, (3, 4, 5), 2, padding=1),
    # Images much larger than the result.
    case(1, 2, 4, 8, 40, 17),
    case(2, 2, 7, 9, (9, 10), 5),
    case(2, 3, 8, 16, (8, 9), 5, padding=1),
    case(2, 2, 8, 16, (12, 12), 5, groups=2),
    case(2, 1, 13, 8, (13, 12), 3, dilation=3),
    case(2, 1, 5, 8, (14, 40), 5),
    case(3, 1, 4, 8, (5, 6, 7), 3),
    # Tiles of 2x2 results (Winograd) in float32.
    case(2, 3, 17, 20, (13, 18), 3, padding=1),
    case(2, 2, 32, 16, (12, 45), 3),
    case(2, 2, 16, 33, (14, 31), 3, padding=(2, 1)),
]
WINOGRAD = CASES[-3:]
# Each channel by itself, straight from the image in float32.
DEPTHWISE = [
    case(2, 2, 3, 3, (9, 35), 3, groups=3),
    case(2, 2, 3, 3, (70, 18), 3, groups=3, padding=1),
    case(2, 3, 4, 4, (13, 50), 3, groups=4, padding=1, stride=2),
    case(2, 1, 2, 2, (8, 9), 3, groups=2, padding=(4, 5)),
    case(2, 2, 3, 3, (3, 3), 3, groups=3),
    case(2, 2, 3, 3, (12, 40), 5, groups=3, padding=2),
    case(2, 1, 5, 5, (17, 37), 5, groups=5, padding=(0, 2), stride=2),
    case(2, 2, 3, 3, (11, 34), 7, groups=3, padding=3),
    case(2, 1, 2, 2, (16, 70), 7, groups=2, padding=(6, 1), stride=2),
    case(2, 4, 1, 1, (6, 16), 3, padding=1),
]
TRANSPOSED = [
    case(1, 2, 3, 4, 7, 3),
    case(1, 2, 4, 6, 8, 4, groups=2, stride=3, padding=2, output_padding=1),
    case(1, 1, 3, 2, 5, 2, stride=5),
    case(1, 2, 6, 6, 9, 3, groups=6, stride=2, padding=1, output_padding=1),
    case(1, 1, 2, 2, 6, 3, dilation=4, stride=2, output_padding=3, padding=1),
    case(2, 1, 1, 1, 1, 1),
    case(2, 2, 3, 5, (6, 7), 3),
    case(2, 2, 8, 3, (5, 6), 4, stride=2, padding=1),
    case(2, 2, 4, 6, (5, 17), (3, 2), stride=(2, 3), padding=(1, 0), output_padding=(1, 2), dilation=(2, 1), groups=2),
    case(2, 1, 7, 9, (6, 7), 1),
    case(2, 1, 3, 4, (4, 5), 1, stride=3, output_padding=2),
    case(2, 1, 2, 3, (4, 4), 2, stride=4, output_padding=(3, 1)),
    case(2, 2, 4, 4, (5, 5), 3, groups=4, padding=1),
    case(2, 2, 3, 3, (9, 33), 5, groups=3, padding=2),
    case(2, 1, 3, 3, (7, 20), 3, groups=3, stride=2, padding=1, output_padding=1),
    case(2, 3, 40, 33, (5, 6), 3, padding=1),
    case(2, 2, 32, 34, (4, 4), 3, dilation=2),
    case(2, 2, 18, 16, (11, 30), 3, padding=1),
    case(2, 2, 8, 6, (5, 7), 5),
    case(3, 2, 3, 2, (3, 4, 5), 2, stride=2),
    case(3, 1, 4, 4, (3, 2, 4), (2, 3, 2), groups=2, stride=(2, 1, 2), padding=(1, 1, 0), output_padding=(1, 0, 1)),
]
ALL = [(False, c) for c in CASES + DEPTHWISE] + [(True, c) for c in TRANSPOSED]
IDS = [f"{'transposed' if t else 'conv'}{c[0]}d-{i}" for i, (t, c) in enumerate(ALL)]


def operands(transposed, c, seed=0):
    """Small whole numbers, whose sums are exact in every dtype but bfloat16."""
    _, batch, cin, cout, size, kernel, options = c
    rng = np.random.default_rng(seed)
    shape = (cin, cout // options["groups"]) if transposed else (cout, cin // options["groups"])
    x = rng.integers(-4, 5, (batch, cin, *size)).astype(np.float64)
    w = rng.integers(-2, 3, (*shape, *kernel)).astype(np.float64)
    return x, w, rng.integers(-5, 6, cout).astype(np.float64)


def function(lib, transposed, n):
    return getattr(lib.nn.functional, f"conv{'_transpose' if transposed else ''}{n}d")


def to_array(t):
    return t.detach().double().numpy()


@pytest.mark.sanitize
@pytest.mark.parametrize(("transposed", "c"), ALL, ids=IDS)
def test_values(transposed, c):
    n, *_, options = c
    x, w, b = operands(transposed, c)
    expected = (reference_transposed if transposed else reference)(x, w, **options)
    for dtype in FLOATS:
        dt = getattr(tl, dtype)
        f = function(tl, transposed, n)
        tx, tw, tb = (tl.tensor(a).to(dt) for a in (x, w, b))
        tol = dict(rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])
        got = f(tx, tw, **options)
        assert got.dtype == dt and got.is_contiguous()
        np.testing.assert_allclose(to_array(got), expected, **tol)
        with_bias = f(tx, tw, tb, **options)
        np.testing.assert_allclose(to_array(with_bias), expected + b.reshape(-1, *[1] * n), **tol)
        unbatched = f(tx[0], tw, tb, **options)
        assert tl.equal(unbatched, with_bias[0])


@pytest.mark.parametrize(("transposed", "c"), [a for a in ALL if np.prod(a[1][4]) * a[1][1] < 300], ids=lambda v: "")
def test_gradients_against_the_references(transposed, c):
    """The convolution is linear in each operand: its gradient is its value at the unit vectors, summed with weights."""
    n, *_, options = c
    x, w, b = operands(transposed, c, 1)
    ref = reference_transposed if transposed else reference
    tx, tw, tb = (tl.tensor(a, requires_grad=True) for a in (x, w, b))
    y = function(tl, transposed, n)(tx, tw, tb, **options)
    g = np.random.default_rng(2).integers(-3, 4, tuple(y.shape)).astype(np.float64)
    y.backward(tl.tensor(g))
    rng = np.random.default_rng(3)
    for _ in range(3):
        dx, dw = rng.integers(-3, 4, x.shape).astype(np.float64), rng.integers(-3, 4, w.shape).astype(np.float64)
        assert (tx.grad.numpy() * dx).sum() == (ref(dx, w, **options) * g).sum()
        assert (tw.grad.numpy() * dw).sum() == (ref(x, dw, **options) * g).sum()
    np.testing.assert_array_equal(tb.grad.numpy(), g.sum(tuple(i for i in range(g.ndim) if i != 1)))


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_gradients_in_other_dtypes(dtype):
    dt = getattr(tl, dtype)
    latest = [(False, c) for c in CASES[-10:] + DEPTHWISE]  # larger images, tiles
    for transposed, c in ((False, CASES[9]), (False, CASES[14]), (False, CASES[17]), (True, TRANSPOSED[7]), *latest):
        grads = []
        for d in (tl.float64, dt):
            leaves = [(tl.tensor(a) / 4).to(d).requires_grad_() for a in operands(transposed, c)]
            y = function(tl, transposed, c[0])(*leaves, **c[-1])
            y.backward((tl.arange(y.numel()) % 5 - 2).to(d).reshape(y.shape))
            grads.append([to_array(t.grad) for t in leaves])
            assert all(t.grad.dtype == d for t in leaves)
        for exact, got in zip(*grads):
            np.testing.assert_allclose(got, exact, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype] * 20)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "int64"])
def test_integers_wrap_around(dtype):
    for c in (CASES[2], CASES[10], CASES[14], CASES[25]):
        x, w, b = (a.astype(np.int64) * 7 for a in operands(False, c))
        expected = reference(x, w, b, **c[-1]).astype(dtype)
        dt = getattr(tl, dtype)
        got = function(tl, False, c[0])(*(tl.tensor(a).to(dt) for a in (x, w, b)), **c[-1])
        np.testing.assert_array_equal(got.numpy(), expected)


def relaid(t, layout):
    """The same values in other memory."""
    if layout == "channels_last":
        return t.movedim(1, -1).contiguous().movedim(-1, 1)
    if layout == "reversed":
        order = tuple(range(t.dim() - 1, -1, -1))
        return t.permute(order).contiguous().permute(order)
    if layout == "sliced":
        wide = tl.zeros(*t.shape[:-1], 2 * t.shape[-1] + 1, dtype=t.dtype)
        wide[..., 1::2] = t
        return wide[..., 1::2]
    return t


@pytest.mark.parametrize(
    ("transposed", "c"),
    [
        (False, CASES[10]),
        (False, CASES[11]),
        (False, CASES[14]),
        (False, CASES[25]),
        (True, TRANSPOSED[8]),
        (False, CASES[3]),
    ],
)
def test_layouts(transposed, c):
    f = function(tl, transposed, c[0])
    x, w, b = (tl.tensor(a) for a in operands(transposed, c))
    expected = f(x, w, b, **c[-1])
    for layouts in itertools.product(("plain", "channels_last", "reversed", "sliced"), repeat=2):
        assert tl.equal(f(relaid(x, layouts[0]), relaid(w, layouts[1]), b, **c[-1]), expected)
    expanded = f(x[:1].expand(3, *x.shape[1:]), w, b[:1].expand(b.shape[0]), **c[-1])
    assert tl.equal(expanded[2], f(x[:1], w, b[:1].repeat(b.shape[0]), **c[-1])[0])


def test_channels_last_images_give_channels_last_results():
    x = relaid(tl.randn(2, 3, 5, 6), "channels_last")
    y = F.conv2d(x, tl.randn(4, 3, 3, 3))
    assert y.stride() == (48, 1, 16, 4) and y.shape == (2, 4, 3, 4)


@pytest.mark.parametrize(
    ("kernel", "dilation", "groups"), [(1, 1, 1), (2, 1, 1), (3, 1, 1), (4, 1, 3), (3, 2, 3), (2, 3, 1), (4, 2, 1)]
)
def test_same_and_valid(kernel, dilation, groups):
    rng = np.random.default_rng(0)
    for n in (1, 2, 3):
        x, w = rng.standard_normal((2, 3, *[9, 8, 7][:n])), rng.standard_normal((6, 3 // groups, *[kernel] * n))
        f = function(tl, False, n)
        total = dilation * (kernel - 1)
        padded = np.pad(x, [(0, 0), (0, 0), *[(total // 2, total - total // 2)] * n])
        same = f(tl.tensor(x), tl.tensor(w), padding="same", dilation=dilation, groups=groups)
        np.testing.assert_allclose(same.numpy(), reference(padded, w, dilation=dilation, groups=groups), atol=1e-12)
        assert same.shape[2:] == x.shape[2:]
        if total < 7:
            valid = f(tl.tensor(x), tl.tensor(w), padding="valid", dilation=dilation, groups=groups)
            np.testing.assert_allclose(valid.numpy(), reference(x, w, dilation=dilation, groups=groups), atol=1e-12)


def test_padding():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 3, 4))
    for pad in ([1, 2], [0, 0], [1, 0, 2, 3], [-1, 2], [-1, -1, 1, -2], [2, 0, 0, 1, 1, 1], [-4, 0], [0, -9, 5, 0], []):
        if sum(pad[:2]) < -4:
            with pytest.raises(RuntimeError, match="resulted in a negative output size"):
                F.pad(tl.tensor(x), pad)
            continue
        widths = [(max(p, 0), max(q, 0)) for p, q in zip(pad[::2], pad[1::2])][::-1]
        cut = [slice(max(-p, 0), n - max(-q, 0)) for p, q, n in zip(pad[::2], pad[1::2], x.shape[::-1])][::-1]
        rest = 3 - len(widths)
        expected = np.pad(x[(slice(None),) * rest + tuple(cut)], [(0, 0)] * rest + widths, constant_values=1.5)
        leaf = tl.tensor(x, requires_grad=True)
        got = F.pad(leaf, pad, value=1.5)
        np.testing.assert_array_equal(got.detach().numpy(), expected)
        if got.numel() and pad:
            assert tl.autograd.gradgradcheck(lambda t, pad=pad: F.pad(t * t, pad), (leaf,))


def test_empties():
    w, b = tl.ones(4, 3, 2, 2), tl.arange(4.0)
    assert tuple(F.conv2d(tl.ones(0, 3, 5, 5), w, b).shape) == (0, 4, 4, 4)
    x = tl.ones(0, 3, 5, 5, requires_grad=True)
    weight = w.clone().requires_grad_()
    F.conv2d(x, weight, b).sum().backward()
    assert tuple(x.grad.shape) == (0, 3, 5, 5) and (weight.grad == 0).all()
    assert tuple(F.conv1d(tl.ones(0, 3, 5), tl.ones(4, 3, 2)).shape) == (0, 4, 4)
    assert tuple(F.conv_transpose2d(tl.ones(0, 3, 5, 5), tl.ones(3, 4, 2, 2)).shape) == (0, 4, 6, 6)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_nan_and_inf_reach_the_places_that_see_them(bad):
    for c in (CASES[9], CASES[14], CASES[11], CASES[0]):
        x, w, _ = operands(False, c)
        w[w == 0] = 1
        x[0, 1, -1] = bad
        options = dict(c[-1])
        with np.errstate(invalid="ignore"):
            expected = reference(x, w, **options)
        got = function(tl, False, c[0])(tl.tensor(x), tl.tensor(w), **options).numpy()
        np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
        np.testing.assert_array_equal(np.isinf(got), np.isinf(expected))


@pytest.mark.sanitize
@pytest.mark.cpu
def test_the_same_bits_for_any_number_of_threads():
    before = tl.get_num_threads()
    cases = [
        case(2, 1, 16, 40, (40, 37), 3, padding=1),
        case(2, 5, 8, 24, (20, 20), 3, stride=2),
        case(2, 4, 32, 32, (30, 30), 3, groups=32, padding=1),
        case(1, 3, 20, 30, 700, 5),
        case(2, 2, 64, 65, (17, 18), 1),
        case(2, 1, 16, 33, (14, 31), 3, padding=1),
        case(2, 5, 32, 17, (22, 19), 3),
        case(2, 1, 13, 8, (16, 12), 5),
    ]
    try:
        for c, transposed in itertools.product(cases, (False, True)):
            n, batch, cin, cout, size, kernel, options = c
            if transposed and options["groups"] == 1:
                cin, cout = cout, cin
            shape = (cin, cout // options["groups"]) if transposed else (cout, cin // options["groups"])
            x, w, b = tl.randn(batch, cin, *size), tl.randn(*shape, *kernel), tl.randn(cout)
            results = []
            for threads in (1, 2, 3):
                tl.set_num_threads(threads)
                leaves = [t.clone().requires_grad_() for t in (x, w, b)]
                y = function(tl, transposed, n)(*leaves, **options)
                (y * y).sum().backward()
                results.append([y, *(t.grad for t in leaves)])
            for other in results[1:]:
                assert all(tl.equal(p, q) for p, q in zip(results[0], other)), (c, transposed)
    finally:
        tl.set_num_threads(before)


SMALL = [
    (False, case(1, 2, 2, 2, 5, 2, padding=1, stride=2)),
    (False, case(1, 1, 2, 4, 4, 3, groups=2, dilation=1)),
    (False, case(2, 1, 2, 2, (3, 4), 2, padding=(1, 0), stride=(1, 2))),
    (False, case(2, 1, 2, 2, (4, 3), 2, groups=2, dilation=2, padding=1)),
    (False, case(2, 2, 2, 3, (2, 2), 1)),
    (False, case(3, 1, 1, 2, (2, 3, 2), 2)),
    (True, case(1, 1, 2, 2, 3, 2, stride=2, output_padding=1)),
    (True, case(2, 1, 2, 2, (2, 3), 2, stride=2, padding=1, groups=2)),
    (True, case(2, 1, 2, 1, (2, 2), 2, dilation=2, output_padding=1)),
    (True, case(3, 1, 1, 1, (2, 2, 2), (1, 2, 2))),
]


@pytest.mark.parametrize(("transposed", "c"), SMALL)
def test_gradients_and_second_gradients(transposed, c):
    leaves = [tl.tensor(a).requires_grad_() for a in operands(transposed, c)]

    def f(x, w, b):
        return function(tl, transposed, c[0])(x, w, b, **c[-1])

    assert tl.autograd.gradcheck(f, leaves)
    assert tl.autograd.gradgradcheck(f, leaves)
    # One operand alone carries a gradient.
    x, w, b = (t.detach() for t in leaves)
    assert tl.autograd.gradgradcheck(lambda x: f(x, w, b), leaves[:1])
    assert tl.autograd.gradgradcheck(lambda w: f(x, w, None), leaves[1:2])
    assert tl.autograd.gradcheck(lambda b: f(x, w, b), leaves[2:])


def test_gradgradcheck_of_an_unbatched_image_with_same():
    x, w = (
        tl.randn(2, 3, 3, dtype=tl.float64, requires_grad=True),
        tl.randn(2, 2, 2, 3, dtype=tl.float64, requires_grad=True),
    )
    assert tl.autograd.gradcheck(lambda x, w: F.conv2d(x, w, padding="same"), (x, w))
    assert tl.autograd.gradgradcheck(lambda x, w: F.conv2d(x, w, padding="same"), (x, w))


# ---- PyTorch beside it ----


@pytest.mark.parity
@pytest.mark.parametrize(("transposed", "c"), ALL, ids=IDS)
def test_parity_with_gradients(transposed, c):
    torch = pytest.importorskip("torch")
    results = []
    for lib in (tl, torch):
        leaves = [lib.tensor(a, requires_grad=True) for a in operands(transposed, c)]
        y = function(lib, transposed, c[0])(*leaves, **c[-1])
        gx, gw = lib.autograd.grad((y * y * 0.5).sum(), leaves[:2], create_graph=True)
        ((gx * gx).sum() + gw.sum()).backward()
        results.append([y, gx, gw, *(t.grad for t in leaves)])
    for ours, theirs in zip(*results):
        np.testing.assert_allclose(ours.tolist(), theirs.tolist(), rtol=1e-11, atol=1e-9)
        # The stride of a dim of size 1 says nothing.
        assert [s for s, n in zip(ours.stride(), ours.shape) if n > 1] == [
            s for s, n in zip(theirs.stride(), theirs.shape) if n > 1
        ]


def names(node, depth=0):
    return node and (
        node.name().split("::")[-1],
        [names(n, depth + 1) for n, _ in node.next_functions],
    )


@pytest.mark.parity
@pytest.mark.parametrize(
    "expression",
    [
        "conv2d(x, w, b)",
        "conv2d(x, w)",
        "conv2d(x[0], w, b)",
        "conv2d(x.detach(), w, b)",
        "conv2d(x, w, b, padding='valid')",
        "conv2d(x, w, b, padding='same')",
        "conv2d(x, w[..., :2, :2], b, padding='same')",
        "conv2d(x, w[..., :2, :3], b, padding='same')",
        "conv2d(x[0], w[..., :2], b, padding='same', dilation=(1, 3))",
        "conv_transpose2d(x, w.transpose(0, 1), b)",
        "conv_transpose2d(x[0], w.transpose(0, 1), b, stride=2, output_padding=1)",
        "conv1d(x[:, :, 0], w[:, :, 0], b)",
        "conv1d(x[0, :, 0], w[:, :, 0], b)",
        "conv3d(x[None].transpose(0, 1), w[:, :1, None], b)",
    ],
)
def test_parity_of_graph(expression):
    torch = pytest.importorskip("torch")
    graphs = []
    for lib in (tl, torch):
        ns = {
            "x": lib.ones(2, 3, 7, 8, requires_grad=True),
            "w": lib.ones(4, 3, 3, 3, requires_grad=True),
            "b": lib.ones(4, requires_grad=True),
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            y = eval(f"F.{expression}", ns | {"F": lib.nn.functional})
        y.sum().backward()
        graphs.append((names(y.grad_fn), tuple(y.shape), y.stride(), ns["w"].grad.tolist()))
    assert graphs[0] == graphs[1]


@pytest.mark.parity
@pytest.mark.parametrize("which", [(False, False), (False, True), (True, False), (True, True)])
def test_parity_of_channels_last_layouts(which):
    torch = pytest.importorskip("torch")
    strides = []
    for lib in (tl, torch):
        x, w = lib.ones(2, 3, 7, 8), lib.ones(4, 3, 3, 3)
        x, w = (t.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2) if last else t for t, last in zip((x, w), which))
        x.requires_grad_(), w.requires_grad_()
        y = lib.nn.functional.conv2d(x, w)
        y.sum().backward()
        strides.append((y.stride(), x.grad.stride(), w.grad.stride()))
    assert strides[0] == strides[1]


ERRORS = """
conv2d(x, w[:, :2]) | conv2d(x[0, 0], w) | conv2d(x[None], w) | conv2d(x, w, b[:2]) | conv2d(x, w, w)
conv2d(x, w, stride=0) | conv2d(x, w, padding=-1) | conv2d(x, w, dilation=0) | conv2d(x, w, groups=2)
conv2d(x, w, groups=0) | conv2d(x[..., :2], w) | conv2d(x, w, padding='full') | conv2d(x, w, padding='same', stride=2)
conv2d(x, w, stride=(1, 2, 3)) | conv2d(x, w[0]) | conv2d(x, w.double()) | conv2d(x, w, b.double())
conv2d(x.bool(), w.bool()) | conv1d(x, w) | conv1d(x[:, :, 0], w[:, :, 0, :2], padding=(1, 2)) | conv3d(x, w)
conv_transpose2d(x, w) | conv_transpose2d(x, wt, b[:2]) | conv_transpose2d(x, wt, output_padding=1)
conv_transpose2d(x, wt, output_padding=-1) | conv_transpose2d(x, wt.double())
conv2d(x, w[:0]) | conv2d(x, w[:3], dilation=-1) | conv_transpose2d(x, wt, groups=2)
conv2d(x, w, dilation=9) | conv2d(x, w, padding='same', dilation=0) | conv1d(x[0, 0], w[:, :, 0])
conv_transpose1d(x, w) | conv2d(x, w, 'same')
"""


@pytest.mark.parity
@pytest.mark.parametrize(
    "expression", [e.strip() for e in ERRORS.replace("\n", "|").replace(" | ", "|").split("|") if e.strip()]
)
def test_parity_of_errors(expression):
    torch = pytest.importorskip("torch")
    errors = []
    for lib in (tl, torch):
        w = lib.ones(4, 3, 3, 3)
        ns = {"x": lib.ones(2, 3, 7, 8), "w": w, "wt": w.transpose(0, 1), "b": lib.ones(4), "F": lib.nn.functional}
        with pytest.raises(Exception) as e:
            eval(f"F.{expression}", ns)
        errors.append((e.type.__name__, str(e.value).split("\n")[0].replace("tensorlite", "torch")))
    assert errors[0][0] == errors[1][0], errors
    theirs = errors[1][1].split(" or input should be a MKLDNN")[0].rstrip(".")
    for name, word in (("torch.FloatTensor", "float"), ("torch.DoubleTensor", "double")):
        theirs = theirs.replace(name, word)
    assert errors[0][1].startswith(theirs), errors


def value_and_gradients(c, x, w, dtype):
    tx, tw = (tl.tensor(a, dtype=dtype, requires_grad=True) for a in (x, w))
    y = function(tl, False, c[0])(tx, tw, **c[-1])
    y.backward((tl.arange(y.numel()) % 5 - 2).to(dtype).reshape(y.shape))
    return [to_array(t) for t in (y, tx.grad, tw.grad)]


@pytest.mark.parametrize("c", [*WINOGRAD, case(2, 2, 64, 64, 28, 3, padding=1)], ids=lambda c: str(c[4]))
def test_the_error_of_tiles(c):
    """Within 9 times the bound of the direct sum over the largest elements (cpu/conv_winograd.h)."""
    rng = np.random.default_rng(5)
    x, w = rng.standard_normal((c[1], c[2], *c[4])), rng.standard_normal((c[3], c[2], 3, 3))
    x[0, :, 3, 3] *= 1e6
    x, w = x.astype(np.float32), w.astype(np.float32)
    terms = 9 * c[2], 9 * c[3], c[1] * np.prod(c[4])
    size = np.abs(x).max() * np.abs(w).max(), 2 * np.abs(w).max(), 2 * np.abs(x).max()
    for exact, got, n, v in zip(
        value_and_gradients(c, x, w, tl.float64), value_and_gradients(c, x, w, tl.float32), terms, size
    ):
        assert np.abs(got - exact).max() <= 9 * v * n * 2.0**-24 * np.sqrt(n)


@pytest.mark.parametrize("bad", [float("inf"), float("nan"), 3e38])
@pytest.mark.parametrize("c", WINOGRAD, ids=lambda c: str(c[4]))
def test_what_is_not_finite_stays_where_it_is_in_tiles(c, bad):
    x, w, _ = operands(False, c)
    x[0, 3, 5, 7] = x[-1, 0, 0, -1] = bad
    w[w == 0] = 1
    with np.errstate(over="ignore"):
        for exact, got in zip(value_and_gradients(c, x, w, tl.float64), value_and_gradients(c, x, w, tl.float32)):
            exact = exact.astype(np.float32)
            np.testing.assert_array_equal(np.isfinite(got), np.isfinite(exact))
            finite = np.isfinite(exact)
            np.testing.assert_allclose(got[finite], exact[finite], rtol=2e-5, atol=1e-3)


@pytest.mark.parametrize("bad", [float("inf"), float("nan")])
@pytest.mark.parametrize("c", DEPTHWISE, ids=lambda c: f"{c[5][0]}-{c[4][0]}x{c[4][1]}")
def test_what_is_not_finite_stays_where_it_is_in_channels(c, bad):
    x, w, _ = operands(False, c)
    x[0, 0, 1, -1] = x[-1, -1, -1, 0] = bad
    w[w == 0] = 1
    for exact, got in zip(value_and_gradients(c, x, w, tl.float64), value_and_gradients(c, x, w, tl.float32)):
        np.testing.assert_array_equal(np.isfinite(got), np.isfinite(exact))
        finite = np.isfinite(exact)
        np.testing.assert_allclose(got[finite], exact[finite], rtol=2e-5, atol=1e-3)


# What lies between the rows of the output must not reach a tap.


@pytest.mark.parametrize("bad", [float("inf"), float("nan")])
@pytest.mark.parametrize(
    ("spatial", "channels", "kernel", "options"),
    [
        ((7, 7), 4, (3, 3), {}),
        ((7, 7), 40, (3, 3), {}),
        ((9, 8), 4, (3, 3), {"stride": 2}),
        ((4, 5, 6), 3, (2, 2, 3), {}),
    ],
)
def test_weight_gradient_of_infinite_input(spatial, channels, kernel, options, bad):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 3, *spatial))
    x[0, 0, ..., -1] = bad  # the right edge: every row's last element
    w = rng.standard_normal((channels, 3, *kernel))
    conv = getattr(tl.nn.functional, f"conv{len(spatial)}d")

    def weight_gradient(values):
        weight = tl.tensor(w.tolist(), dtype=tl.float64, requires_grad=True)
        y = conv(tl.tensor(values.tolist(), dtype=tl.float64), weight, **options)
        return tl.autograd.grad(y, weight, tl.ones_like(y))[0].numpy()

    # Taps that read a bad element have no finite gradient, the others that of any other number in its place.
    reads = weight_gradient(np.where(np.isfinite(x), 0.0, 1.0)) != 0
    got = weight_gradient(x)
    np.testing.assert_array_equal(np.isfinite(got), ~reads)
    np.testing.assert_allclose(got[~reads], weight_gradient(np.where(np.isfinite(x), x, 0.0))[~reads], atol=1e-12)


@pytest.mark.memory
def test_no_memory_in_a_thread_is_an_error():
    """Threads of the pool that find no memory for their scratch do not take the process along."""
    program = """
import resource
import tensorlite as tl
tl.set_num_threads(2)
x, w = tl.zeros(4, 16, 512, 512), tl.zeros(1, 16, 3, 3)
tl.nn.functional.conv2d(x[:, :, :8, :8], w, padding=1)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (12 << 20), -1))
try:
    tl.nn.functional.conv2d(x, w, padding=1)
except RuntimeError as e:
    assert "memory" in str(e), e
    print("raised")
resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
print(tl.nn.functional.conv2d(x, w, padding=1).shape[-1])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["raised", "512"], done.stderr
