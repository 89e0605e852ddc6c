"""Activation checkpointing by what operators save, and the hooks on saved tensors. Runs on PyTorch too."""

import gc
import weakref

import pytest
from library import tl

checkpoint = tl.utils.checkpoint.checkpoint


def layers() -> tl.nn.Sequential:
    tl.manual_seed(0)
    return tl.nn.Sequential(
        tl.nn.Linear(4, 8), tl.nn.Tanh(), tl.nn.Dropout(0.5), tl.nn.Linear(8, 4), tl.nn.ReLU(), tl.nn.Linear(4, 1)
    )


@pytest.mark.parametrize("reentrant", [False, True])
def test_gradients_are_those_without_it(reentrant: bool) -> None:
    net, x = layers(), tl.arange(12.0).reshape(3, 4).div(10).requires_grad_()
    tl.manual_seed(1)
    net(x).sum().backward()
    wanted = [p.grad.clone() for p in net.parameters()] + [x.grad.clone()]
    net.zero_grad()
    x.grad = None
    tl.manual_seed(1)
    checkpoint(net, x, use_reentrant=reentrant).sum().backward()
    for a, b in zip([*(p.grad for p in net.parameters()), x.grad], wanted, strict=True):
        assert tl.equal(a, b)


@pytest.mark.parametrize("reentrant", [False, True])
def test_sequential_parts(reentrant: bool) -> None:
    net, x = layers().eval(), tl.ones(2, 4, requires_grad=True)
    net(x).sum().backward()
    wanted = x.grad.clone()
    x.grad = None
    tl.utils.checkpoint.checkpoint_sequential(net, 3, x, use_reentrant=reentrant).sum().backward()
    assert tl.allclose(x.grad, wanted)


def test_what_operators_save_is_freed() -> None:
    kept = []

    def function(t):
        u = t.exp()
        kept.append(weakref.ref(u))
        return u.sin()

    y = checkpoint(function, tl.ones(3, requires_grad=True), use_reentrant=False)
    gc.collect()
    assert kept[0]() is None
    y.sum().backward()
    assert len(kept) == 2


def test_second_derivatives() -> None:
    x = tl.tensor([0.5], requires_grad=True)
    y = checkpoint(lambda t: t**3, x, use_reentrant=False)
    (g,) = tl.autograd.grad(y, x, create_graph=True)
    (h,) = tl.autograd.grad(g, x)
    assert h.item() == pytest.approx(3.0)


def test_another_computation_is_refused() -> None:
    calls = []

    def function(t):
        calls.append(None)
        return t.exp() if len(calls) == 1 else t.exp().sin().cos()

    y = checkpoint(function, tl.ones(2, requires_grad=True), use_reentrant=False, early_stop=False)
    with pytest.raises(tl.utils.checkpoint.CheckpointError, match="trying to save more tensors during recomputation"):
        y.sum().backward()


def test_without_the_choice_it_warns() -> None:
    with pytest.warns(UserWarning, match="use_reentrant parameter should be passed explicitly"):
        checkpoint(lambda t: t * 2, tl.ones(1, requires_grad=True))


def test_hooks_see_what_is_saved() -> None:
    seen = []

    def pack(t):
        seen.append(tuple(t.shape))
        return t.tolist()

    x = tl.tensor([1.0, 2.0], requires_grad=True)
    with tl.autograd.graph.saved_tensors_hooks(pack, tl.tensor):
        y = (x * x).exp()
    assert seen == [(2,)] * 3  # both factors and the result of exp
    (g,) = tl.autograd.grad(y.sum(), x, create_graph=True)
    assert tl.allclose(g, 2 * x * y)
    (h,) = tl.autograd.grad(g.sum(), x)
    assert tl.allclose(h, (2 + 4 * x * x) * y)


def test_hooks_nest() -> None:
    order = []
    hooks = tl.autograd.graph.saved_tensors_hooks
    x = tl.ones(1, requires_grad=True)
    with hooks(lambda t: order.append("outer") or t, lambda t: t):
        with hooks(lambda t: order.append("inner") or t, lambda t: t):
            x.exp()
        x.exp()
    x.exp()
    assert order == ["inner", "outer"]
    with tl.autograd.graph.save_on_cpu():
        y = x.exp()
    y.backward()
    assert x.grad.item() == pytest.approx(2.7182817)
