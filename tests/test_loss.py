"""Losses: values against NumPy, reductions, weights, broadcasting, errors, gradients of gradients, PyTorch's numbers."""

import numpy as np
import pytest
from library import tl, torch

F = tl.nn.functional
REDUCTIONS = ["none", "mean", "sum"]


def nll(x, target, weight, ignore, reduction):
    """x is (N, C, ...), target (N, ...)."""
    w = np.ones(x.shape[1]) if weight is None else weight
    kept = target != ignore
    safe = np.where(kept, target, 0)
    picked = np.take_along_axis(x, safe[:, None], 1)[:, 0]
    weights = np.where(kept, w[safe], 0)
    loss = -picked * weights
    return loss if reduction == "none" else loss.sum() if reduction == "sum" else loss.sum() / weights.sum()


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(5, 4), (1, 3), (2, 3, 7), (2, 3, 4, 5), (2, 3, 2, 3, 2), (9000, 3)])
@pytest.mark.parametrize("weighted", [False, True])
def test_nll_loss(shape, weighted, reduction):
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape)
    target = rng.integers(0, shape[1], (shape[0], *shape[2:]))
    target.flat[::5] = -100
    if target.size == 1:
        target[...] = 1
    weight = rng.uniform(0.5, 2, shape[1]) if weighted else None
    expected = nll(x, target, weight, -100, reduction)
    for dtype, tolerance in ((tl.float64, 1e-13), (tl.float32, 1e-5), (tl.float16, 1e-2)):
        w = None if weight is None else tl.from_numpy(weight).to(dtype)
        got = F.nll_loss(tl.from_numpy(x).to(dtype), tl.from_numpy(target), w, reduction=reduction)
        assert got.dtype == dtype
        np.testing.assert_allclose(got.double().numpy(), expected, rtol=tolerance, atol=tolerance)


def test_nll_loss_edges():
    x = tl.randn(3, dtype=tl.float64)
    for target in (tl.tensor(1), tl.tensor([1])):
        assert F.nll_loss(x, target).item() == -x[1].item()
    ones = tl.ones(2, 3)
    assert F.nll_loss(ones, tl.tensor([1, 2], dtype=tl.uint8)).item() == -1
    ignored = tl.tensor([-100, -100])
    assert np.isnan(F.nll_loss(ones, ignored).item())
    assert F.nll_loss(ones, ignored, reduction="sum").item() == 0
    empty = tl.empty(0, 3), tl.empty(0, dtype=tl.int64)
    assert np.isnan(F.nll_loss(*empty).item()) and F.nll_loss(*empty, reduction="sum").item() == 0
    assert F.nll_loss(*empty, reduction="none").shape == (0,)
    strided = tl.randn(3, 4, dtype=tl.float64).t()
    target = tl.tensor([0, 1, 2, 0, 9])[:4]
    np.testing.assert_allclose(F.nll_loss(strided, target).item(), F.nll_loss(strided.contiguous(), target).item())


x23, y23 = tl.ones(2, 3), tl.tensor([0, 1])
ERRORS = [
    (lambda: F.nll_loss(x23, tl.tensor([0, 3])), IndexError, "Target 3 is out of bounds."),
    (lambda: F.nll_loss(x23, tl.tensor([0, -1])), IndexError, "Target -1 is out of bounds."),
    (lambda: F.nll_loss(x23, tl.tensor([0, 1, 2])), ValueError, r"Expected input batch_size \(2\) to match target batch_size \(3\)."),
    (lambda: F.cross_entropy(tl.ones(3, 5), y23), ValueError, r"Expected input batch_size \(3\) to match target batch_size \(2\)."),
    (lambda: F.cross_entropy(x23, tl.tensor([0, 10])), IndexError, "Target 10 is out of bounds."),
    (lambda: F.nll_loss(x23, tl.tensor([0.0, 1.0])), RuntimeError, "expected target dtype to be Long or Byte, but got Float"),
    (lambda: F.nll_loss(x23.long(), y23), NotImplementedError, "\"nll_loss_out_frame\" not implemented for 'Long'"),
    (lambda: F.nll_loss(x23, y23, tl.ones(2)), RuntimeError, "weight tensor should be defined either for all 3 classes or no classes but got weight tensor of shape: \\[2\\]"),
    (lambda: F.nll_loss(x23, y23, tl.ones(3).double()), RuntimeError, "expected scalar type Float but found Double"),
    (lambda: F.nll_loss(tl.ones(2, 3, 4), tl.zeros(2, 5).long()), RuntimeError, r"Expected target size \[2, 4\], got \[2, 5\]"),
    (lambda: F.nll_loss(tl.tensor(1.0), tl.tensor(0)), ValueError, r"Expected 1 or more dimensions \(got 0\)"),
    (lambda: F.mse_loss(tl.ones(2, 3), tl.ones(4, 3)), RuntimeError, "The size of tensor a"),
    (lambda: F.smooth_l1_loss(x23, x23, beta=-1.0), RuntimeError, "smooth_l1_loss does not support negative values for beta."),
    (lambda: F.huber_loss(x23, x23, delta=0.0), RuntimeError, "huber_loss does not support non-positive values for delta."),
    (lambda: F.binary_cross_entropy(x23 * 2, x23), RuntimeError, "all elements of input should be between 0 and 1"),
    (lambda: F.binary_cross_entropy(x23, tl.ones(3)), ValueError, "Using a target size"),
    (lambda: F.binary_cross_entropy_with_logits(x23, tl.ones(3)), ValueError, "Target size .* must be the same as input size"),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize("run, error, text", ERRORS)
def test_errors(run, error, text):
    with pytest.raises(error, match=text):
        run()


def cases():
    rng = np.random.default_rng(2)
    x, y = rng.normal(0, 1.5, (3, 7)), rng.normal(0, 1.5, (3, 7))
    p, q = rng.uniform(0.05, 0.95, (3, 7)), rng.uniform(0, 1, (3, 7))
    w, pos = rng.uniform(0.5, 2, (3, 7)), rng.uniform(0.5, 2, (7,))
    d = np.abs(x - y)
    bce = -(q * np.log(p) + (1 - q) * np.log(1 - p))
    sigmoid = 1 / (1 + np.exp(-x))
    logits = -(pos * q * np.log(sigmoid) + (1 - q) * np.log(1 - sigmoid))
    return {
        "mse_loss": ((x, y), {}, d * d),
        "l1_loss": ((x, y), {}, d),
        "smooth_l1_loss": ((x, y), {"beta": 0.7}, np.where(d < 0.7, d * d / 1.4, d - 0.35)),
        "huber_loss": ((x, y), {"delta": 0.7}, np.where(d <= 0.7, d * d / 2, 0.7 * (d - 0.35))),
        "binary_cross_entropy": ((p, q), {"weight": w}, bce * w),
        "binary_cross_entropy_with_logits": ((x, q), {"weight": w, "pos_weight": pos}, logits * w),
    }


def converted(lib, value, dtype="float64"):
    if isinstance(value, np.ndarray):
        return lib.from_numpy(value.copy()).to(getattr(lib, dtype))
    return value


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", cases())
def test_pair_losses(name, reduction):
    arrays, options, expected = cases()[name]
    expected = {"none": expected, "mean": expected.mean(), "sum": expected.sum()}[reduction]
    for dtype, tolerance in (("float64", 1e-13), ("float32", 1e-5), ("bfloat16", 4e-2)):
        kwargs = {k: converted(tl, v, dtype) for k, v in options.items()}
        got = getattr(F, name)(*(converted(tl, a, dtype) for a in arrays), reduction=reduction, **kwargs)
        np.testing.assert_allclose(got.double().numpy(), expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", cases())
def test_pair_gradients(name, reduction):
    arrays, options, _ = cases()[name]
    inputs = [converted(tl, a[:2, :3]).requires_grad_() for a in arrays]
    kwargs = {k: converted(tl, v[..., :3] if v.ndim == 1 else v[:2, :3]) if isinstance(v, np.ndarray) else v
              for k, v in options.items()}  # fmt: skip
    for v in kwargs.values():
        if isinstance(v, tl.Tensor):
            inputs.append(v.requires_grad_())
    names = [k for k, v in kwargs.items() if isinstance(v, tl.Tensor)]

    def f(a, b, *more):
        return getattr(F, name)(a, b, reduction=reduction, **{**kwargs, **dict(zip(names, more))})

    assert tl.autograd.gradcheck(f, inputs)
    assert tl.autograd.gradgradcheck(f, inputs)


def test_mse_loss_broadcasts():
    x = tl.randn(3, 1, dtype=tl.float64, requires_grad=True)
    y = tl.randn(4, dtype=tl.float64, requires_grad=True)
    with pytest.warns(UserWarning, match="Using a target size"):
        loss = F.mse_loss(x, y)
    loss.backward()
    d = x.detach().numpy() - y.detach().numpy()
    np.testing.assert_allclose(loss.item(), (d * d).mean())
    np.testing.assert_allclose(x.grad.numpy(), (2 * d / 12).sum(1, keepdims=True), atol=1e-14)
    np.testing.assert_allclose(y.grad.numpy(), (-2 * d / 12).sum(0), atol=1e-14)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(4, 3), (3,), (2, 3, 2), (2, 3, 2, 2)])
def test_nll_gradients(shape, reduction):
    x = tl.randn(shape, dtype=tl.float64, requires_grad=True)
    sizes = shape[:1] + shape[2:] if len(shape) > 1 else ()
    target = tl.randint(0, 3, sizes)
    weight = tl.tensor([0.5, 1.0, 2.0], dtype=tl.float64)

    def f(t):
        return F.nll_loss(t, target, weight, ignore_index=2, reduction=reduction)

    if reduction == "mean" and bool((target == 2).all()):
        target.fill_(1)
    assert tl.autograd.gradcheck(f, (x,))
    assert tl.autograd.gradgradcheck(f, (x,))
    names = {True: "NllLossBackward0", False: "NllLoss2DBackward0"}
    assert type(f(x).grad_fn).__name__ == names[len(shape) <= 2]


def test_names():
    x = tl.rand(2, 3, requires_grad=True)
    y = tl.rand(2, 3)
    for name, node in [("mse_loss", "MseLossBackward0"), ("smooth_l1_loss", "SmoothL1LossBackward0"),
                       ("huber_loss", "HuberLossBackward0"), ("binary_cross_entropy", "BinaryCrossEntropyBackward0"),
                       ("binary_cross_entropy_with_logits", "BinaryCrossEntropyWithLogitsBackward0")]:  # fmt: skip
        assert type(getattr(F, name)(x, y).grad_fn).__name__ == node


@pytest.mark.parametrize("name", ["mse_loss", "huber_loss"])
def test_same_bits_with_any_number_of_threads(name):
    x, y = tl.randn(300_001), tl.randn(300_001)
    threads = tl.get_num_threads()
    try:
        found = []
        for n in (1, 2, 3):
            tl.set_num_threads(n)
            found.append(getattr(F, name)(x, y).item())
    finally:
        tl.set_num_threads(threads)
    assert found[0] == found[1] == found[2]


@pytest.mark.parity
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", cases())
def test_parity(name, reduction):
    arrays, options, _ = cases()[name]
    results = []
    for lib in (tl, torch):
        tensors = [converted(lib, a, "float32").requires_grad_() for a in arrays]
        kwargs = {k: converted(lib, v, "float32") for k, v in options.items()}
        loss = getattr(lib.nn.functional, name)(*tensors, reduction=reduction, **kwargs)
        loss.sum().backward()
        results.append([loss.detach().numpy(), *(t.grad.numpy() for t in tensors)])
    for ours, theirs in zip(*results):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
