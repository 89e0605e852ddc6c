"""Batch, layer, group, instance and root mean square normalisation."""

import numpy as np
import pytest
from library import tl
from parity import (
    assert_gradient_parity,
    assert_parity,
    assert_same_error,
    check_derivatives,
    lines,
    names,
    same_bits,
)

F = tl.nn.functional
RNG = np.random.default_rng(0)
ARRAYS = {
    "b": RNG.normal(1, 2, (5, 4)),
    "a": RNG.normal(1, 2, (3, 4, 7)),
    "x": RNG.normal(1, 2, (3, 4, 5, 6)),
    "y": RNG.normal(1, 2, (2, 4, 3, 2, 3)),
    "w": RNG.uniform(0.5, 2, 4),
    "c": RNG.normal(0, 1, 4),
    "w6": RNG.uniform(0.5, 2, 6),
    "c6": RNG.normal(0, 1, 6),
    "w56": RNG.uniform(0.5, 2, (5, 6)),
    "c56": RNG.normal(0, 1, (5, 6)),
    "e": np.zeros((0, 4, 5, 6)),
}
# Statistics, which ask for no gradient, and integers.
STATISTICS = "torch.tensor([0.5, -1.0, 2.0, 0.0]).double(), torch.tensor([1.0, 0.5, 2.0, 3.0]).double()"

BATCH = """
F.batch_norm(b, None, None, training=True) | F.batch_norm(b, None, None, w, c, True) | F.batch_norm(a, None, None, w, c, True) | F.batch_norm(x, None, None, w, c, True)
F.batch_norm(y, None, None, w, c, True) | F.batch_norm(x, None, None, w, None, True) | F.batch_norm(x, None, None, None, c, True) | F.batch_norm(x, None, None, w, c, True, 0.3, 0.1)
F.batch_norm(b, RUNNING, w, c) | F.batch_norm(a, RUNNING, w, c) | F.batch_norm(x, RUNNING, w, c) | F.batch_norm(y, RUNNING, w, c) | F.batch_norm(x, RUNNING) | F.batch_norm(x, RUNNING, w)
F.batch_norm(x, RUNNING, None, c, eps=0.1) | F.batch_norm(x, RUNNING, w, c, True) | F.batch_norm(a, RUNNING, w, c, True, 0.5) | F.batch_norm(b, RUNNING, None, None, True)
F.batch_norm(x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2), None, None, w, c, True) | F.batch_norm(x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2), RUNNING, w, c)
F.batch_norm(x.transpose(2, 3), None, None, w, c, True) | F.batch_norm(x[:, :, ::2, 1:], RUNNING, w, c) | F.batch_norm(x[:1].expand(3, 4, 5, 6), None, None, w, c, True)
F.batch_norm(b.t()[:, :4].t()[:, :4], RUNNING, w, c) | F.batch_norm(x[:, :, :1, :1], None, None, w, c, True) | F.batch_norm(x[:1], None, None, w, c, True) | F.batch_norm(x.half().double(), RUNNING, c, w, True)
"""

LAYER = """
F.layer_norm(x, (6,)) | F.layer_norm(x, (6,), w6, c6) | F.layer_norm(x, (5, 6), w56, c56) | F.layer_norm(x, (4, 5, 6)) | F.layer_norm(x, (3, 4, 5, 6)) | F.layer_norm(x, (6,), w6) | F.layer_norm(x, (6,), None, c6)
F.layer_norm(b, (4,), w, c) | F.layer_norm(x, (6,), w6, c6, 0.1) | F.layer_norm(x.transpose(0, 2), (6,), w6, c6) | F.layer_norm(x[:, ::2], (5, 6), w56, c56) | F.layer_norm(x[..., 1:5], (4,), w, c) | F.layer_norm(w, (4,))
F.layer_norm(x[:, :1].expand(3, 4, 5, 6), (6,), w6, c6) | F.layer_norm(x.transpose(2, 3), (5,)) | F.layer_norm(e, (6,), w6, c6) | F.layer_norm(x[..., :1], (1,)) | torch.layer_norm(x, (6,), w6, c6) | F.layer_norm(x, [6], weight=w6, bias=c6, eps=1e-3)
F.layer_norm(x, (5, 6), w56.t().contiguous().t(), c56)
"""

GROUP = """
F.group_norm(x, 2) | F.group_norm(x, 2, w, c) | F.group_norm(x, 1, w, c) | F.group_norm(x, 4, w, c) | F.group_norm(b, 2, w, c) | F.group_norm(a, 2, w) | F.group_norm(y, 2, None, None) | F.group_norm(x, 2, w, c, 0.1)
F.group_norm(x.transpose(2, 3), 2, w, c) | F.group_norm(x[:, :, ::2], 2, w, c) | F.group_norm(x[:1].expand(3, 4, 5, 6), 2, w, c) | torch.group_norm(x, 2, w, c)
"""

INSTANCE = """
F.instance_norm(x) | F.instance_norm(x, weight=w, bias=c) | F.instance_norm(a, weight=w) | F.instance_norm(y, weight=w, bias=c) | F.instance_norm(x, RUNNING, w, c) | F.instance_norm(x, RUNNING, w, c, False)
F.instance_norm(x.transpose(2, 3), None, None, w, c, eps=0.1) | F.instance_norm(x, RUNNING, use_input_stats=False)
"""

# Composed otherwise than in PyTorch: only values and gradients are the same.
COMPOSED = """
F.batch_norm(e, RUNNING, w, c) | F.rms_norm(x, (6,)) | F.rms_norm(x, (6,), w6) | F.rms_norm(x, (5, 6), w56, 0.1) | F.rms_norm(b, (4,), w, 1e-6)
F.normalize(x) | F.normalize(x, 2, 3) | F.normalize(x, 1, 0) | F.normalize(x, 3.0, -1) | F.normalize(b * 0)
"""

ERRORS = """
F.batch_norm(x, None, None) | F.batch_norm(x, c, None) | F.batch_norm(x, None, None, w[:3], c, True) | F.batch_norm(x, None, None, w, c[:3], True) | F.batch_norm(x, w[:3], c, training=True) | F.batch_norm(x, w, c[:3]) | F.batch_norm(x[:1, :, :1, :1], None, None, training=True)
F.layer_norm(x, (5,)) | F.layer_norm(x, ()) | F.layer_norm(x, (6,), w) | F.layer_norm(x, (6,), w6, c) | F.layer_norm(w6, (5, 6)) | F.layer_norm(x.long(), (6,)) | F.layer_norm(x, (6, 5))
F.group_norm(x, 3) | torch.group_norm(x, 0) | F.group_norm(x, 2, w[:3]) | F.group_norm(w, 2) | F.group_norm(x.long(), 2)
F.instance_norm(x[:, :, :1, :1]) | F.batch_norm(x.long(), None, None, training=True)
"""


def table(text):
    return lines(text.replace("RUNNING", STATISTICS))


def normal(a, axes, eps=1e-5):
    return (a - a.mean(axes, keepdims=True)) / np.sqrt(a.var(axes, keepdims=True) + eps)


TOLERANCES = {"float16": 6e-3, "bfloat16": 5e-2, "float32": 5e-6, "float64": 1e-12}


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("shape", [(9, 3), (1, 3, 2), (2, 3, 7), (2, 6, 5, 3), (2, 3, 33, 17), (1, 3, 2, 3, 4), (130, 6)])
@pytest.mark.sanitize
def test_against_numpy(shape, dtype):
    x = tl.tensor(RNG.normal(1, 2, shape)).to(getattr(tl, dtype))
    weight, bias = (tl.tensor(RNG.uniform(0.5, 2, shape[1])).to(x.dtype) for _ in range(2))
    a = x.double().numpy()
    channels = (1, -1) + (1,) * (len(shape) - 2)
    w, b = (t.double().numpy().reshape(channels) for t in (weight, bias))

    def close(result, expected):
        assert result.dtype == x.dtype and result.shape == x.shape
        np.testing.assert_allclose(result.double().numpy(), expected, rtol=TOLERANCES[dtype], atol=TOLERANCES[dtype])

    others = tuple(d for d in range(len(shape)) if d != 1)
    close(F.batch_norm(x, None, None, weight, bias, True), normal(a, others) * w + b)
    mean, var = tl.tensor(RNG.normal(0, 1, shape[1])).to(x.dtype), tl.tensor(RNG.uniform(0.5, 2, shape[1])).to(x.dtype)
    m, v = (t.double().numpy().reshape(channels) for t in (mean, var))
    close(F.batch_norm(x, mean, var, weight, bias), (a - m) / np.sqrt(v + 1e-5) * w + b)
    close(F.layer_norm(x, shape[1:]), normal(a, tuple(range(1, len(shape)))))
    close(F.layer_norm(x, shape[-1:]), normal(a, -1))
    grouped = normal(a.reshape(shape[0], 3, -1), 2).reshape(shape)
    close(F.group_norm(x, 3, weight, bias), grouped * w + b)
    if len(shape) > 2:
        close(F.instance_norm(x, weight=weight, bias=bias), normal(a, tuple(range(2, len(shape)))) * w + b)


@pytest.mark.parametrize("layout", ["contiguous", "channels_last"])
@pytest.mark.parametrize("momentum", [0.1, 1.0, 0.0])
def test_running_statistics(momentum, layout):
    a = ARRAYS["x"]
    x = tl.tensor(a)
    if layout == "channels_last":
        x = x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
    mean, var = tl.zeros(4, dtype=tl.float64), tl.ones(4, dtype=tl.float64)
    version = mean._version
    for _ in range(2):
        F.batch_norm(x, mean, var, training=True, momentum=momentum)
    assert mean._version > version
    kept = (1 - momentum) ** 2
    np.testing.assert_allclose(mean.numpy(), (1 - kept) * a.mean((0, 2, 3)), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(var.numpy(), kept + (1 - kept) * a.var((0, 2, 3), ddof=1), rtol=1e-12)
    before = mean.clone(), var.clone()
    F.batch_norm(x, mean, var)
    assert tl.equal(mean, before[0]) and tl.equal(var, before[1])


def test_running_statistics_in_other_memory_and_dtypes():
    a = ARRAYS["x"]
    mean, var = tl.zeros(8, dtype=tl.float64)[::2], tl.ones(8, dtype=tl.float64)[::2]
    F.batch_norm(tl.tensor(a), mean, var, training=True, momentum=1.0)
    np.testing.assert_allclose(mean.numpy(), a.mean((0, 2, 3)))
    mean, var = tl.zeros(4), tl.ones(4)
    result = F.batch_norm(tl.tensor(a).half(), mean, var, tl.ones(4), tl.zeros(4), training=True, momentum=1.0)
    assert result.dtype == tl.float16
    np.testing.assert_allclose(mean.numpy(), a.mean((0, 2, 3)), rtol=1e-2, atol=1e-2)


def test_a_large_mean_does_not_spoil_the_variance():
    a = RNG.normal(0, 1, (40, 3, 50)) + 1000
    x = tl.tensor(a).float()
    exact = x.double().numpy()
    np.testing.assert_allclose(F.batch_norm(x, None, None, training=True).numpy(), normal(exact, (0, 2)), atol=2e-3)
    np.testing.assert_allclose(F.layer_norm(x, (50,)).numpy(), normal(exact, 2), atol=2e-3)
    np.testing.assert_allclose(F.group_norm(x, 1).numpy(), normal(exact, (1, 2)), atol=2e-3)


def test_nan_and_inf_stay_in_their_group():
    for value in (float("nan"), float("inf")):
        x = tl.tensor(ARRAYS["x"])
        x[1, 2, 0, 0] = value
        batch = F.batch_norm(x, None, None, training=True).isnan()
        assert bool(batch[:, 2].all()) and not bool(batch[:, [0, 1, 3]].any())
        layer = F.layer_norm(x, (6,)).isnan()
        assert bool(layer[1, 2, 0].all()) and int(layer.sum()) == 6
        group = F.group_norm(x, 2).isnan()
        assert bool(group[1, 2:].all()) and int(group.sum()) == 60


@pytest.mark.parametrize("layout", ["contiguous", "channels_last"])
def test_same_bits_for_any_number_of_threads(layout):
    x = tl.randn(16, 12, 31, 29) if layout == "contiguous" else tl.randn(16, 31, 29, 12).permute(0, 3, 1, 2)
    x.requires_grad_()
    w, c, w29 = (tl.rand(n, requires_grad=True) for n in (12, 12, 29))
    g = tl.randn(16, 12, 31, 29)

    def run():
        results = []
        for y, parameters in (
            (F.batch_norm(x, None, None, w, c, True), (w, c)),
            (F.batch_norm(x, c.detach(), w.detach(), w, c), (w, c)),
            (F.layer_norm(x, (29,), w29), (w29,)),
            (F.group_norm(x, 3, w, c), (w, c)),
        ):
            results += [y, *tl.autograd.grad(y, (x, *parameters), g)]
        return results

    same_bits(run)


SMALL = {
    "b": ARRAYS["b"][:3, :2],
    "x": ARRAYS["x"][:2, :2, :2, :3],
    "w": ARRAYS["w"][:2],
    "c": ARRAYS["c"][:2],
    "w3": ARRAYS["w"][:3],
    "c3": ARRAYS["c"][:3],
    "w23": RNG.uniform(0.5, 2, (2, 3)),
}


@pytest.mark.parametrize(
    ("expression", "inputs"),
    [
        ("F.batch_norm(b, None, None, w, c, True)", "b w c"),
        ("F.batch_norm(x, None, None, w, c, True)", "x w c"),
        ("F.batch_norm(x, None, None, w, c, True)", "w c"),
        ("F.batch_norm(x, None, None, training=True)", "x"),
        ("F.batch_norm(x.transpose(1, 3).contiguous().transpose(1, 3), None, None, w, c, True)", "x w c"),
        ("F.batch_norm(x, torch.zeros(2).double(), torch.ones(2).double() * 2, w, c)", "x w c"),
        ("F.batch_norm(x, torch.zeros(2).double(), torch.ones(2).double() * 2)", "x"),
        ("F.batch_norm(x, torch.zeros(2).double(), torch.ones(2).double() * 2, None, c)", "x c"),
        ("F.layer_norm(x, (3,), w3, c3)", "x w3 c3"),
        ("F.layer_norm(x, (2, 3), w23)", "x w23"),
        ("F.layer_norm(x, (2, 2, 3))", "x"),
        ("F.layer_norm(x, (3,), w3, c3)", "w3 c3"),
        ("F.layer_norm(x, (3,), None, c3)", "c3"),
        ("F.layer_norm(x, (3,), w3, None)", "x w3"),
        ("F.layer_norm(w3, (3,))", "w3"),
        ("F.group_norm(x, 1, w, c)", "x w c"),
        ("F.group_norm(x, 2, w, c)", "x w c"),
        ("F.group_norm(x, 2)", "x"),
        ("F.group_norm(x, 1, w, c)", "w"),
        ("F.group_norm(x, 1, None, c)", "x c"),
        ("F.instance_norm(x, weight=w, bias=c)", "x w c"),
        ("F.rms_norm(x, (3,), w3)", "x w3"),
    ],
)
@pytest.mark.sanitize
def test_derivatives(expression, inputs):
    check_derivatives(expression, SMALL, inputs)


def test_half_inputs_with_float_parameters():
    for dtype in (tl.float16, tl.bfloat16):
        x = tl.randn(3, 4, 5, dtype=dtype, requires_grad=True)
        w, c = tl.ones(4, requires_grad=True), tl.zeros(4, requires_grad=True)
        F.batch_norm(x, None, None, w, c, True).float().pow(2).sum().backward()
        assert x.grad.dtype == dtype and w.grad.dtype == tl.float32 and c.grad.dtype == tl.float32


@pytest.mark.parity
@pytest.mark.parametrize("expression", table(BATCH + LAYER + GROUP + INSTANCE + COMPOSED))
def test_parity(expression):
    pytest.importorskip("torch")
    assert_parity(expression, ARRAYS, rtol=1e-9, atol=1e-11)


@pytest.mark.parity
@pytest.mark.parametrize("expression", table(BATCH + LAYER + GROUP + INSTANCE))
def test_parity_of_gradients(expression):
    pytest.importorskip("torch")
    assert_gradient_parity(expression, ARRAYS)


@pytest.mark.parity
@pytest.mark.parametrize("expression", table(COMPOSED))
def test_parity_of_composed_gradients(expression):
    pytest.importorskip("torch")
    assert_gradient_parity(expression, ARRAYS, same_name=False)


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_parity_of_dtypes(dtype):
    pytest.importorskip("torch")
    for e in lines("F.batch_norm(x, None, None, w, c, True) | F.layer_norm(x, (6,), w6, c6) | F.group_norm(x, 2, w, c) | F.instance_norm(x)"):
        assert_parity(e, ARRAYS, dtype, rtol=2 * TOLERANCES[dtype], atol=2 * TOLERANCES[dtype])


@pytest.mark.parity
def test_parity_of_running_statistics():
    torch = pytest.importorskip("torch")
    for function in ("batch_norm", "instance_norm"):
        results = []
        for lib in (tl, torch):
            values = names(lib, ARRAYS)
            mean, var = lib.zeros(4, dtype=lib.float64), lib.ones(4, dtype=lib.float64)
            for name in ("a", "x", "y"):
                getattr(lib.nn.functional, function)(values[name], mean, var, values["w"], values["c"], True, 0.3)
            results.append((mean.numpy(), var.numpy()))
        np.testing.assert_allclose(results[0], results[1], rtol=1e-12)


@pytest.mark.parity
@pytest.mark.parametrize("expression", table(ERRORS))
def test_parity_of_errors(expression):
    pytest.importorskip("torch")
    assert_same_error(expression, ARRAYS)
