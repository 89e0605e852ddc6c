"""Saved-tensor hooks and checkpointing: gradients are those without them, and nothing is kept."""

import warnings

import pytest
from library import tl

from tensorlite.autograd import graph
from tensorlite.utils.checkpoint import CheckpointError, checkpoint, checkpoint_sequential, set_checkpoint_early_stop


def block(x, w):
    return tl.nn.functional.dropout((x @ w).tanh(), 0.3) * x.sin() + x.exp().softmax(-1)


def leaves():
    tl.manual_seed(1)
    return tl.randn(5, 5, dtype=tl.float64, requires_grad=True), tl.randn(5, 5, dtype=tl.float64, requires_grad=True)


def gradients(run):
    x, w = leaves()
    result = run(x, w)
    result.sin().sum().backward()
    return [result.detach(), x.grad, w.grad, tl.rand(1)]


@pytest.mark.sanitize
@pytest.mark.parametrize("options", [{"use_reentrant": True}, {"use_reentrant": False}, {"use_reentrant": False, "early_stop": False}])
def test_the_same_gradients(options):
    expected = gradients(lambda x, w: block(block(x, w), w))
    got = gradients(lambda x, w: checkpoint(block, checkpoint(block, x, w, **options), w, **options))
    for a, e in zip(got, expected):
        assert tl.equal(a, e)


def test_nested_and_nothing_kept():
    calls = []

    def inner(x):
        calls.append("inner")
        return x.sin().exp()

    def outer(x):
        calls.append("outer")
        return checkpoint(inner, x.cos(), use_reentrant=False).tanh()

    x = tl.randn(3, dtype=tl.float64, requires_grad=True)
    y = checkpoint(outer, x, use_reentrant=False)
    assert calls == ["outer", "inner"]
    (g,) = tl.autograd.grad(y.sum(), x)
    assert calls.count("outer") == 2 and calls.count("inner") >= 2
    (e,) = tl.autograd.grad(x.cos().sin().exp().tanh().sum(), x)
    assert tl.allclose(g, e)


def test_higher_derivatives_and_keywords():
    x, w = leaves()

    def run(x, *, w):
        return (x @ w).sin() * x

    def second(f):
        (g,) = tl.autograd.grad(f.sum(), x, create_graph=True)
        return tl.autograd.grad((g * g).sum(), (x, w))

    for a, e in zip(second(checkpoint(run, x, w=w, use_reentrant=False)), second(run(x, w=w))):
        assert tl.allclose(a, e)
    assert tl.autograd.gradgradcheck(lambda x, w: checkpoint(run, x, w=w, use_reentrant=False), (x, w))


def test_a_second_backward():
    x = tl.randn(3, requires_grad=True)
    y = checkpoint(tl.sin, x, use_reentrant=False).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert tl.allclose(x.grad, 2 * x.detach().cos())


def test_repetitions_that_differ_are_errors():
    def unlike(first, then):
        calls = []

        def f(x):
            calls.append(0)
            return (first if len(calls) == 1 else then)(x)

        return f

    x = tl.randn(3, requires_grad=True)
    with pytest.raises(CheckpointError, match="A different number of tensors"):
        checkpoint(unlike(lambda x: x.sin().exp(), tl.sin), x, use_reentrant=False).sum().backward()
    with pytest.raises(CheckpointError, match="different metadata"):
        checkpoint(unlike(tl.sin, lambda x: x.double().sin()), x, use_reentrant=False).sum().backward()
    with set_checkpoint_early_stop(False), pytest.raises(CheckpointError, match="A different number"):
        checkpoint(unlike(tl.sin, lambda x: x.sin().exp()), x, use_reentrant=False).sum().backward()


def test_arguments():
    x = tl.randn(3, requires_grad=True)
    with pytest.warns(UserWarning, match="use_reentrant parameter should be passed"):
        assert "CheckpointFunctionBackward" in repr(checkpoint(tl.sin, x).grad_fn)
    with pytest.warns(UserWarning, match="None of the inputs have requires_grad"):
        checkpoint(tl.sin, tl.ones(2), use_reentrant=True)
    with pytest.raises(ValueError, match="Unexpected keyword arguments: foo"):
        checkpoint(tl.sin, x, use_reentrant=True, foo=1)


@pytest.mark.parametrize("use_reentrant", [True, False])
def test_sequential(use_reentrant):
    model = tl.nn.Sequential(*(tl.nn.Linear(4, 4) for _ in range(5)))
    x = tl.randn(2, 4, requires_grad=True)
    y = checkpoint_sequential(model, 3, x, use_reentrant=use_reentrant)
    y.sum().backward()
    got = [x.grad.clone(), *(p.grad.clone() for p in model.parameters())]
    x.grad = None
    model.zero_grad()
    model(x).sum().backward()
    for a, e in zip(got, [x.grad, *(p.grad for p in model.parameters())]):
        assert tl.allclose(a, e)


# Hooks on what is saved


@pytest.mark.sanitize
def test_hooks_see_every_saved_tensor():
    seen = []

    def pack(t):
        seen.append(t.requires_grad)
        return t.numpy().copy()

    x = tl.randn(4, requires_grad=True)
    with graph.saved_tensors_hooks(pack, tl.from_numpy):
        y = x.exp() * x.sin()
    assert len(seen) == 4 and not any(seen)
    y.sum().backward()
    assert tl.allclose(x.grad, (x.exp() * (x.sin() + x.cos())).detach())


def test_hooks_keep_the_graph_for_higher_derivatives():
    x = tl.randn(4, dtype=tl.float64, requires_grad=True)

    def f(x):
        with graph.saved_tensors_hooks(lambda t: t.clone(), lambda t: t):
            return x.exp() * x.sin()

    assert tl.autograd.gradgradcheck(f, (x,))


def test_hooks_change_what_backward_gets():
    x = tl.tensor([3.0], requires_grad=True)
    with graph.saved_tensors_hooks(lambda t: t, lambda t: t * 10):
        y = x * x
    y.backward()
    assert x.grad.item() == 60


def test_hooks_nest_and_are_undone():
    order = []

    def named(name):
        return graph.saved_tensors_hooks(lambda t: order.append(name) or t, lambda t: t)

    x = tl.ones(1, requires_grad=True)
    with named("a"):
        x.sin()
        with named("b"):
            x.sin()
        x.sin()
    x.sin()
    assert order == ["a", "b", "a"]
    with pytest.raises(RuntimeError, match="no"), graph.disable_saved_tensors_hooks("no"), named("c"):
        pass
    with named("d"):
        x.sin()


def test_hooks_must_give_a_tensor():
    x = tl.ones(1, requires_grad=True)
    with graph.saved_tensors_hooks(lambda t: t, lambda t: 3):
        y = x.sin()
    with pytest.raises(TypeError, match="expected to be a Tensor but got result of type"):
        y.backward()


def test_functions_of_ones_own_and_the_cpu():
    class Cube(tl.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 3 * x * x

    x = tl.tensor([2.0], requires_grad=True)
    with graph.save_on_cpu():
        y = Cube.apply(x)
    y.backward()
    assert x.grad.item() == 12


@pytest.mark.parity
def test_parity_of_names():
    torch = pytest.importorskip("torch")
    x, y = tl.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.utils.checkpoint import checkpoint as theirs

        for use_reentrant in (True, False):
            a, b = (c(lib.sin, t, use_reentrant=use_reentrant) for c, lib, t in ((checkpoint, tl, x), (theirs, torch, y)))
            assert a.grad_fn.name() == b.grad_fn.name()
