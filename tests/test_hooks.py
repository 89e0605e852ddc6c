"""Hooks of tensors and nodes."""

import pytest
from graphs import leaf, refused
from library import tl


def test_tensor_hooks():
    x = leaf(1.0, 2.0)
    y = x * 2
    seen = []
    a = y.register_hook(lambda g: seen.append(g.tolist()))
    y.register_hook(lambda g: g * 10)
    x.register_hook(lambda g: seen.append(g.tolist()))
    y.sum().backward(retain_graph=True)
    assert seen == [[1, 1], [20, 20]] and x.grad.tolist() == [20, 20]
    a.remove()
    a.remove()
    seen.clear()
    y.sum().backward()
    assert seen == [[20, 20]]


def test_hooks_run_in_order_and_chain():
    x = leaf(1.0)
    y = x * 1
    for k in (2, 3):
        y.register_hook(lambda g, k=k: g + k if g.item() < 100 else None)
    y.register_hook(lambda g: g * 10)
    y.backward()
    assert x.grad.item() == 60


def test_hooks_run_once_per_backward_on_the_whole_gradient():
    x = leaf(2.0)
    y = x * 1
    seen = []
    y.register_hook(lambda g: seen.append(g.item()))
    x.register_hook(lambda g: seen.append(-g.item()))
    (y * 3 + y * 4).backward()
    assert seen == [7, -7]


def test_hooks_are_refused():
    with refused(RuntimeError, "cannot register a hook on a tensor that doesn't require gradient"):
        tl.ones(1).register_hook(print)
    x = leaf(1.0, 2.0)
    y = x * 1
    y.register_hook(lambda g: g.sum())
    with refused(RuntimeError, "has changed the size of value"):
        y.sum().backward()
    z = x * 1
    z.register_hook(lambda g: 3)
    with pytest.raises((TypeError, RuntimeError)):
        z.sum().backward()


def test_a_hook_s_handle_is_a_context():
    x = leaf(1.0)
    seen = []
    with x.register_hook(lambda g: seen.append(1)):
        (x * 1).backward()
    (x * 1).backward()
    assert seen == [1]


def test_hook_before_an_in_place_operator():
    """A hook stays with the value it was registered on."""
    x = leaf(1.0)
    y = x * 2
    seen = []
    y.register_hook(lambda g: seen.append(("before", g.item())))
    y.mul_(10)
    y.register_hook(lambda g: seen.append(("after", g.item())))
    y.backward()
    assert seen == [("after", 1), ("before", 10)]


def test_retain_grad():
    x = leaf(1.0, 2.0)
    y = x * 2
    assert not y.retains_grad
    y.retain_grad()
    y.retain_grad()
    assert y.retains_grad
    y.register_hook(lambda g: g * 5)  # runs before, though registered after
    (y * 3).sum().backward()
    assert y.grad.tolist() == [15, 15] and x.grad.tolist() == [30, 30]
    x.retain_grad()  # nothing to do
    with refused(RuntimeError, "can't retain_grad on Tensor that has requires_grad=False"):
        tl.ones(1).retain_grad()


def test_retain_grad_and_in_place():
    x = leaf(1.0)
    y = x * 2
    y.retain_grad()
    y.mul_(10)
    y.backward()
    assert y.grad.item() == 1  # of the value that y has now


def test_post_accumulate_hooks():
    x = leaf(1.0, 2.0)
    seen = []
    h = x.register_post_accumulate_grad_hook(lambda p: seen.append((p is x, p.grad.tolist())))
    (x * 2).sum().backward()
    (x * 2).sum().backward()
    assert seen == [(True, [2, 2]), (True, [4, 4])]
    h.remove()
    (x * 2).sum().backward()
    assert len(seen) == 2
    with refused(RuntimeError, "post accumulate grad hooks cannot be registered on non-leaf tensors"):
        (x * 2).register_post_accumulate_grad_hook(print)


def test_optimizer_in_a_post_accumulate_hook():
    x = leaf(1.0)

    def step(p):
        with tl.no_grad():
            p -= p.grad * 0.5
        p.grad = None

    x.register_post_accumulate_grad_hook(step)
    (x * x).backward()
    assert x.item() == 0 and x.grad is None


def test_node_hooks():
    x = leaf(1.0)
    y = x * 3
    seen = []
    h = y.grad_fn.register_hook(lambda gi, go: seen.append((gi[0].item(), go[0].item())))
    y.grad_fn.register_prehook(lambda go: (go[0] * 2,))
    y.backward(retain_graph=True)
    assert seen == [(6, 2)] and x.grad.item() == 6
    h.remove()
    y.grad_fn.register_hook(lambda gi, go: (gi[0] + 1, *gi[1:]))
    y.backward()
    assert len(seen) == 1 and x.grad.item() == 13


def test_an_exception_in_a_hook_comes_through():
    x = leaf(1.0)
    y = x * 2

    def fail(g):
        raise KeyError("from the hook")

    h = y.register_hook(fail)
    with pytest.raises(KeyError, match="from the hook"):
        y.backward(retain_graph=True)
    h.remove()
    y.backward()
    assert x.grad.item() == 2
    assert tl.is_grad_enabled()


def test_backward_within_a_hook():
    x, z = leaf(2.0), leaf(3.0)
    y, w = x * 2, z * z
    y.register_hook(lambda g: w.backward())
    y.backward()
    assert z.grad.item() == 6 and x.grad.item() == 2
