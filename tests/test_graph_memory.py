"""Graphs are freed, long ones and cycles too."""

import gc
import sys
import weakref

import pytest
from graphs import Exp, leaf
from library import IS_TENSORLITE, tl


def test_long_chains():
    x = leaf(1.0)
    y = x
    for _ in range(100_000):
        y = y + 1
    y.backward()
    assert x.grad.item() == 1
    del y
    z = x
    for _ in range(100_000):
        z = z * 1.0
    del z
    gc.collect()


def test_long_chains_of_views_and_functions():
    x = leaf(1.0, 2.0)
    y = x * 1
    for _ in range(20_000):
        y = y.view(2)
    y.sum().backward()
    assert x.grad.tolist() == [1, 1]
    z = leaf(0.0)
    w = z
    for _ in range(20_000):
        w = Exp.apply(w * 0)
    w.backward()
    assert z.grad.item() == 0
    del y, w


def test_long_chains_of_writes_to_views():
    x = leaf(1.0, 2.0)
    y = x * 1
    for _ in range(3_000):
        y[0].add_(1)
    y.sum().backward()
    assert x.grad.tolist() == [1, 1]
    del y


def collected(make):
    """Whether what make() returns a weak reference to is freed by the garbage collector."""
    gc.collect()
    r = make()
    gc.collect()
    return r() is None


class Witness:
    pass


def test_cycle_through_a_hook():
    def make():
        w = Witness()
        x = leaf(1.0)
        y = x * 2
        y.register_hook(lambda g: (y, w))
        return weakref.ref(w)

    assert collected(make) or not IS_TENSORLITE  # PyTorch does not find this one

    def on_a_leaf():
        w = Witness()
        x = leaf(1.0)
        x.register_hook(lambda g: (x, w))
        return weakref.ref(w)

    assert collected(on_a_leaf)

    def after_accumulation():
        w = Witness()
        x = leaf(1.0)
        x.register_post_accumulate_grad_hook(lambda p: (x, w))
        return weakref.ref(w)

    assert collected(after_accumulation) or not IS_TENSORLITE


def test_cycle_through_a_function():
    class Keeps(tl.autograd.Function):
        @staticmethod
        def forward(ctx, x, witness):
            ctx.witness = witness
            out = x * 2
            return out

        @staticmethod
        def backward(ctx, grad):
            return grad * 2, None

    def make():
        w = Witness()
        x = leaf(1.0)
        y = Keeps.apply(x, w)
        y.grad_fn.result = y  # ctx -> output -> ctx
        w.y = y
        return weakref.ref(w)

    assert collected(make)


def test_cycle_through_attributes():
    def make():
        w = Witness()
        x = leaf(1.0)
        y = x * 2
        y.me = y
        y.w = w
        x.y = y
        return weakref.ref(w)

    assert collected(make) or not IS_TENSORLITE


def test_cycle_through_a_saved_output():
    def make():
        w = Witness()
        x = leaf(1.0)
        y = x.exp()  # its node keeps the result
        y.w = w
        return weakref.ref(w)

    assert collected(make)
    z = Exp.apply(leaf(1.0))
    z.w = w = Witness()
    r = weakref.ref(w)
    del z, w
    gc.collect()
    assert r() is None


def test_graph_is_freed_without_the_collector():
    x = leaf(1.0)
    w = Witness()
    r = weakref.ref(w)
    gc.collect()
    gc.disable()
    try:
        y = (x * 2).exp().tanh()
        y.w = w
        z = y.sum()
        z.backward()
        del y, z, w
        assert r() is None
    finally:
        gc.enable()


def resident():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * 4096


@pytest.mark.memory
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_stays_flat():
    w, b = tl.randn(8, 8, requires_grad=True), tl.zeros(8, requires_grad=True)
    x = tl.randn(4, 8)

    def steps(n):
        for _ in range(n):
            h = Exp.apply((x @ w + b).tanh())
            loss = (h * h).mean()
            loss.backward()
            with tl.no_grad():
                for p in (w, b):
                    p -= 0.001 * p.grad
                    p.grad = None

    steps(1000)
    gc.collect()
    before = resident()
    steps(10_000)
    gc.collect()
    assert resident() - before < 2 << 20
