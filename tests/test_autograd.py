"""What autograd does, beyond the derivatives of single operators. Runs on PyTorch too (see library.py)."""

import contextlib
import copy
import gc
import pickle
import sys
import threading
import weakref

import pytest
from library import IS_TENSORLITE, there, tl

Function = tl.autograd.Function
once_differentiable = tl.autograd.function.once_differentiable


def leaf(*values, dtype=tl.float32):
    return tl.tensor(values[0] if len(values) == 1 else list(values), dtype=dtype, requires_grad=True)


def names(node, depth=4):
    """The names of a graph's nodes as nested tuples; inputs that want no gradient are left out."""
    below = tuple(names(n, depth - 1) for n, _ in node.next_functions if n is not None) if depth else ()
    return (node.name().rpartition("::")[2], *below)


@contextlib.contextmanager
def refused(kind, text):
    with pytest.raises(kind) as e:
        yield
    assert text in str(e.value)


# ---- backward ----


def test_backward_accumulates():
    x = leaf(1.0, 2.0)
    (x * x).sum().backward()
    assert x.grad.tolist() == [2, 4]
    first = x.grad
    (x * 3).sum().backward()
    assert x.grad.tolist() == [5, 7]
    assert x.grad is first and first.tolist() == [5, 7]  # added in place
    assert not x.grad.requires_grad and x.grad.grad_fn is None


def test_backward_takes_a_gradient():
    x = leaf(1.0, 2.0)
    (x * 2).backward(tl.tensor([1.0, 10.0]))
    assert x.grad.tolist() == [2, 20]
    with refused(RuntimeError, "grad can be implicitly created only for scalar outputs"):
        (x * 2).backward()
    with refused(RuntimeError, "Mismatch in shape: grad_output[0] has a shape of "):
        (x * 2).backward(tl.ones(3))
    y = leaf(3.0)
    (y * 2).reshape(1, 1).backward()  # one element is as good as a scalar
    assert y.grad.item() == 2


def test_backward_does_not_keep_the_given_gradient():
    x = leaf(1.0, 2.0)
    g = tl.tensor([1.0, 1.0])
    (x + 0).backward(g)
    g.fill_(7)
    assert x.grad.tolist() == [1, 1]
    y = leaf(1.0, 2.0)
    y.backward(g)  # a leaf itself
    g.fill_(0)
    assert y.grad.tolist() == [7, 7]


def test_two_leaves_do_not_share_a_gradient():
    x, y = leaf(1.0, 2.0), leaf(1.0, 2.0)
    (x + y).backward(tl.ones(2))
    x.grad.fill_(5)
    assert y.grad.tolist() == [1, 1]
    z = leaf(1.0, 2.0)
    (z + z).backward(tl.ones(2))
    assert z.grad.tolist() == [2, 2]


def test_retain_graph():
    x = leaf(1.0, 2.0)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [4, 8]
    with refused(RuntimeError, "Trying to backward through the graph a second time"):
        y.backward()
    z = (x + 1).sum()  # keeps nothing
    z.backward()
    z.backward()
    assert x.grad.tolist() == [6, 10]


def test_freed_graph_shared_by_two_outputs():
    x = leaf(2.0)
    y = x * x
    (y * 1).backward()
    with refused(RuntimeError, "Trying to backward through the graph a second time"):
        (y * 2).backward()


def test_backward_needs_a_graph():
    with refused(RuntimeError, "element 0 of tensors does not require grad and does not have a grad_fn"):
        tl.ones(()).backward()
    x = leaf(1.0)
    with tl.no_grad():
        y = x * 2
    with refused(RuntimeError, "does not require grad and does not have a grad_fn"):
        y.backward()


@pytest.mark.filterwarnings("ignore:Using backward")
def test_create_graph():
    x = leaf(2.0, dtype=tl.float64)
    (x**3).backward(create_graph=True)
    assert x.grad.item() == 12 and x.grad.requires_grad
    (second,) = tl.autograd.grad(x.grad, x, create_graph=True)
    assert second.item() == 12
    (third,) = tl.autograd.grad(second, x)
    assert third.item() == 6 and not third.requires_grad
    x.grad = None  # a cycle


def test_backward_for_chosen_inputs():
    x, y = leaf(2.0), leaf(3.0)
    m = x * y
    out = m * y
    out.backward(inputs=[x], retain_graph=True)
    assert x.grad.item() == 9 and y.grad is None
    out.backward(inputs=y, retain_graph=True)
    assert x.grad.item() == 9 and y.grad.item() == 12
    out.backward(inputs=[m])
    assert m.grad.item() == 3 and x.grad.item() == 9
    with refused(RuntimeError, "cannot be empty"):
        (x * 2).backward(inputs=[])


def test_backward_of_several_tensors():
    x = leaf(1.0, 2.0)
    tl.autograd.backward([x * 2, (x * 3).sum()], [tl.ones(2), None])
    assert x.grad.tolist() == [5, 5]
    tl.autograd.backward((x * 2).sum())
    assert x.grad.tolist() == [7, 7]
    y = x * 2
    tl.autograd.backward([y, y.sum()], [tl.ones(2), None])  # one root on the way from another
    assert x.grad.tolist() == [11, 11]


def test_diamonds():
    x = leaf(3.0)
    a = x * 2
    b, c = a * a, a.exp() * 0 + a
    (b * c + b).backward()  # a^3 + a^2, a = 2x
    assert x.grad.item() == 2 * (3 * 36 + 2 * 6)


def test_broadcast_gradients_are_summed():
    x, y = leaf(1.0, 2.0, 3.0), leaf([[1.0], [2.0]])
    (x * y).sum().backward()
    assert x.grad.tolist() == [3, 3, 3]
    assert y.grad.tolist() == [[6], [6]]
    s = leaf(2.0)
    (tl.ones(2, 3) * s).sum().backward()
    assert s.grad.item() == 6 and s.grad.shape == ()


def test_gradients_have_the_dtype_of_their_input():
    x = leaf(1.0, 2.0, dtype=tl.float32)
    y = leaf(3.0, 4.0, dtype=tl.float64)
    (x * y).sum().backward()
    assert x.grad.dtype == tl.float32 and y.grad.dtype == tl.float64
    h = leaf(1.0, dtype=tl.float16)
    (h.float() * 2).sum().backward()
    assert h.grad.dtype == tl.float16


def test_gradients_of_complex_inputs():
    z = tl.tensor([1 + 2j], dtype=tl.complex128, requires_grad=True)
    (z * (3 + 1j)).sum().abs().backward()
    w = (1 + 2j) * (3 + 1j)
    assert abs(z.grad.item() - w / abs(w) * (3 - 1j)) < 1e-12
    with refused(RuntimeError, "grad can be"):
        (z * 2).sum().backward()
    x = leaf(1.0, dtype=tl.float64)
    (x * (1 + 2j)).abs().backward()  # a real input gets a real gradient
    assert x.grad.dtype == tl.float64 and abs(x.grad.item() - 5**0.5) < 1e-12


def test_layout_of_a_gradient_is_that_of_the_leaf():
    x = tl.zeros(3, 2).t().requires_grad_()
    (x * tl.ones(2, 3)).sum().backward()
    assert x.grad.shape == (2, 3)
    y = tl.ones(2, 3, requires_grad=True)
    y.t().sum().backward()
    assert y.grad.is_contiguous()
    z = tl.ones(4, requires_grad=True)
    z.sum().backward()  # an expanded gradient
    z.grad[0] = 3
    assert z.grad.tolist() == [3, 1, 1, 1]


# ---- autograd.grad ----


def test_grad():
    x, y = leaf(2.0), leaf(3.0)
    gx, gy = tl.autograd.grad(x * y, [x, y])
    assert (gx.item(), gy.item()) == (3, 2)
    assert x.grad is None and y.grad is None
    result = tl.autograd.grad(x * y, x)
    assert isinstance(result, tuple) and len(result) == 1
    v = leaf(1.0, 2.0)
    assert tl.autograd.grad(v * 2, v, grad_outputs=tl.tensor([1.0, 3.0]))[0].tolist() == [2, 6]
    assert tl.autograd.grad([v * 2, v.sum()], [v], [tl.ones(2), None])[0].tolist() == [3, 3]
    m = v * 2
    assert tl.autograd.grad((m * m).sum(), m)[0].tolist() == [4, 8]  # of what is no leaf
    s = v.sum()
    assert tl.autograd.grad(s, s)[0].item() == 1  # of itself


def test_grad_of_inputs_on_the_way_to_each_other():
    x = leaf(2.0)
    a = x * 3
    b = a * a
    out = b * 5
    gx, ga, gb = tl.autograd.grad(out, (x, a, b))
    assert (gx.item(), ga.item(), gb.item()) == (180, 60, 5)


def test_grad_of_unused_inputs():
    x, y = leaf(2.0), leaf(3.0)
    with refused(RuntimeError, "The differentiated Tensor at index 1 appears to not have been used in the graph."):
        tl.autograd.grad(x * 2, [x, y])
    assert tl.autograd.grad(x * 2, [x, y], allow_unused=True)[1] is None
    zero = tl.autograd.grad(x * 2, [x, y], materialize_grads=True)[1]
    assert zero.item() == 0 and zero.shape == ()
    with refused(ValueError, "Expected allow_unused to be True or not passed when materialize_grads=True"):
        tl.autograd.grad(x * 2, [x, y], materialize_grads=True, allow_unused=False)
    with refused(RuntimeError, "One of the differentiated Tensors does not require grad"):
        tl.autograd.grad(x * 2, [tl.ones(())])


@pytest.mark.skipif(not IS_TENSORLITE, reason="PyTorch can do it")
def test_batched_gradients_are_refused():
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match="is_grads_batched"):
        tl.autograd.grad(x * 2, x, tl.ones(3, 2), is_grads_batched=True)


def test_grad_frees_the_graph_unless_told():
    x = leaf(2.0)
    y = x * x
    tl.autograd.grad(y, x, retain_graph=True)
    tl.autograd.grad(y, x)
    with refused(RuntimeError, "a second time"):
        tl.autograd.grad(y, x)


def test_grad_runs_only_what_is_needed():
    class Bomb(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, grad):
            raise AssertionError("not needed")

    x, y = leaf(2.0), leaf(3.0)
    assert tl.autograd.grad(x * 2 + Bomb.apply(y), x)[0].item() == 2
    (x * 2 + Bomb.apply(y)).backward(inputs=[x])
    assert x.grad.item() == 2


def test_higher_derivatives():
    x = leaf(0.5, dtype=tl.float64)
    y = x.exp() * x
    for n in range(1, 6):
        (y,) = tl.autograd.grad(y, x, create_graph=True)
        assert abs(y.item() - (0.5 + n) * x.detach().exp().item()) < 1e-12


def test_gradient_penalty():
    """A gradient inside a loss: what a WGAN-GP does."""
    w = leaf([[1.0, 2.0], [3.0, 4.0]], dtype=tl.float64)
    x = leaf([[1.0, -1.0]], dtype=tl.float64)
    out = (x @ w).tanh().sum()
    (g,) = tl.autograd.grad(out, x, create_graph=True)
    ((g * g).sum() - 1).backward()
    eps = 1e-6

    def penalty(values):
        v = tl.tensor(values, dtype=tl.float64)
        t = (x.detach() @ v).tanh()
        g = (1 - t * t) @ v.t()
        return ((g * g).sum() - 1).item()

    for i in range(2):
        for j in range(2):
            up, down = w.tolist(), w.tolist()
            up[i][j] += eps
            down[i][j] -= eps
            assert abs((penalty(up) - penalty(down)) / (2 * eps) - w.grad[i, j].item()) < 1e-6


# ---- grad modes ----


def test_grad_modes():
    x = leaf(1.0)
    with tl.no_grad():
        assert not tl.is_grad_enabled() and not (x * 2).requires_grad
        with tl.enable_grad():
            assert (x * 2).requires_grad
        with tl.set_grad_enabled(True):
            assert (x * 2).requires_grad
        assert not tl.is_grad_enabled()
        assert (tl.ones(1, requires_grad=True)).requires_grad  # a new leaf
    assert tl.is_grad_enabled()
    with tl.set_grad_enabled(False):
        assert not (x * 2).requires_grad
    tl.set_grad_enabled(False)
    assert not (x * 2).requires_grad
    tl.set_grad_enabled(True)
    with pytest.raises(KeyError), tl.no_grad():
        raise KeyError
    assert tl.is_grad_enabled()


def test_grad_modes_decorate():
    x = leaf(1.0)

    @tl.no_grad()
    def plain():
        """Its own doc."""
        return x * 2

    @tl.no_grad
    def bare():
        return x * 2

    @tl.set_grad_enabled(False)
    def off():
        return x * 2

    @tl.enable_grad()
    def on():
        return x * 2

    assert plain.__name__ == "plain" and plain.__doc__ == "Its own doc."
    assert not plain().requires_grad and not bare().requires_grad and not off().requires_grad
    assert tl.is_grad_enabled() and (x * 2).requires_grad
    with tl.no_grad():
        assert on().requires_grad
        assert not tl.is_grad_enabled()


def test_grad_modes_decorate_generators():
    x = leaf(1.0)

    @tl.no_grad()
    def values():
        got = yield x * 2
        assert got == "sent"
        assert not tl.is_grad_enabled()
        yield x * 3

    g = values()
    assert not next(g).requires_grad
    assert tl.is_grad_enabled()  # between the steps
    assert not g.send("sent").requires_grad
    assert tl.is_grad_enabled()
    assert list(g) == []


def test_inference_mode():
    x = leaf(1.0)
    with tl.inference_mode():
        y = x * 2
        assert tl.is_inference_mode_enabled()
    assert not tl.is_inference_mode_enabled()
    assert not y.requires_grad and y.is_inference()
    with refused(RuntimeError, "Inference tensors cannot be saved for backward"):
        x * y
    with refused(RuntimeError, "Inplace update to inference tensor outside InferenceMode is not allowed"):
        y.add_(1)


def test_grad_mode_is_a_thread_s_own():
    seen = []
    with tl.no_grad():
        thread = threading.Thread(target=lambda: seen.append(tl.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_backward_under_no_grad():
    x = leaf(2.0)
    y = x * x
    with tl.no_grad():
        y.backward()
    assert x.grad.item() == 4


# ---- leaves ----


def test_leaves():
    x = leaf(1.0)
    assert x.is_leaf and (x * 1).is_leaf is False
    assert tl.ones(1).is_leaf and (tl.ones(1) * 2).is_leaf
    assert x.detach().is_leaf and not x.detach().requires_grad
    assert x.data.is_leaf and not x.data.requires_grad
    assert x.grad_fn is None
    assert x.requires_grad_(False) is x and not x.requires_grad
    assert x.requires_grad_().requires_grad


def test_requires_grad_is_for_floating_dtypes():
    with refused(RuntimeError, "nly Tensors of floating point and complex dtype can require gradients"):
        tl.tensor([1, 2], requires_grad=True)
    with refused(RuntimeError, "nly Tensors of floating point"):
        tl.tensor([1, 2]).requires_grad_()
    with refused(RuntimeError, "nly Tensors of floating point"):
        tl.ones(2, dtype=tl.bool).requires_grad = True
    x = leaf(1.0, 2.0)
    assert not (x > 1).requires_grad and not x.argmax().requires_grad and not x.long().requires_grad


def test_requires_grad_of_a_result_is_not_to_be_changed():
    y = leaf(1.0) * 2
    with refused(RuntimeError, "you can only change requires_grad flags of leaf variables."):
        y.requires_grad = False
    with refused(RuntimeError, "you can only change requires_grad flags of leaf variables."):
        y.requires_grad_(False)
    assert y.requires_grad_() is y


def test_leaves_are_not_written_to():
    x = leaf(1.0, 2.0)
    with refused(RuntimeError, "a leaf Variable that requires grad is being used in an in-place operation."):
        x.add_(1)
    with refused(RuntimeError, "a view of a leaf Variable that requires grad is being used in an in-place operation."):
        x[0] = 5
    with refused(RuntimeError, "a view of a leaf Variable that requires grad"):
        x.view(2).mul_(2)
    with refused(RuntimeError, "a leaf Variable that requires grad"):
        x += 1
    assert x.tolist() == [1, 2]
    with tl.no_grad():
        x.add_(1)
        x[0] = 9
        x -= 1
    x.data.mul_(2)
    x.detach().add_(1)
    assert x.tolist() == [17, 5] and x.is_leaf and x.requires_grad


def test_numpy_and_deepcopy():
    x = leaf(1.0, 2.0)
    with refused(RuntimeError, "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."):
        x.numpy()
    with refused(RuntimeError, "Only Tensors created explicitly by the user (graph leaves) support the deepcopy"):
        copy.deepcopy(x * 2)
    x.grad = tl.ones(2)
    y = copy.deepcopy(x)
    assert y.requires_grad and y.is_leaf and y.tolist() == [1, 2] and y.grad.tolist() == [1, 1]
    with tl.no_grad():
        y.zero_()
    assert x.tolist() == [1, 2]


def test_grad_is_checked():
    x = leaf(1.0, 2.0)
    with refused(RuntimeError, "attempting to assign a gradient of size '[3]' to a tensor of size '[2]'."):
        x.grad = tl.ones(3)
    with refused(RuntimeError, "attempting to assign a gradient with dtype '"):
        x.grad = tl.ones(2, dtype=tl.float64)
    with refused(TypeError, "assigned grad expected to be a Tensor or None but got grad of type"):
        x.grad = 1.0
    x.grad = g = tl.ones(2)
    assert x.grad is g
    (x * 2).sum().backward()
    assert g.tolist() == [3, 3]
    del x.grad
    assert x.grad is None
    y = x * 2
    with pytest.warns(UserWarning, match=r"The .grad attribute of a Tensor that is not a leaf Tensor is being"):
        assert y.grad is None


def test_identity():
    x = leaf(1.0, 2.0)
    y = x * 2
    y.sum().backward()
    assert x.grad is x.grad
    assert y.grad_fn is y.grad_fn
    assert y.grad_fn.next_functions[0][0].variable is x
    x.mark = "kept"
    key = id(x.grad)
    x.grad.mark = "on the gradient"
    gc.collect()
    assert id(x.grad) == key and x.grad.mark == "on the gradient"
    node = (x * 1).grad_fn
    del x
    gc.collect()
    assert node.next_functions[0][0].variable.mark == "kept"


def test_subclasses_survive():
    class Special(tl.Tensor):
        pass

    p = tl.nn.Parameter(tl.ones(2))
    node = (p * 1).grad_fn
    ident = id(p)
    del p
    gc.collect()
    again = node.next_functions[0][0].variable
    assert isinstance(again, tl.nn.Parameter) and id(again) == ident
    s = tl.ones(2).as_subclass(Special)
    s.mark = 1
    x = tl.ones(2).requires_grad_()
    x.grad = s  # held by the library alone
    del s
    gc.collect()
    assert type(x.grad) is Special and x.grad.mark == 1


def test_weak_references():
    x = leaf(1.0)
    r = weakref.ref(x)
    y = x * 2
    del x
    gc.collect()
    assert r() is not None  # the graph holds it
    del y
    gc.collect()
    assert r() is None


# ---- graphs ----


def test_names_of_nodes():
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    a = ("AccumulateGrad",)
    table = [
        (x + y, ("AddBackward0", a, a)),
        (x + 1, ("AddBackward0", a)),
        (1 - x, ("RsubBackward1", a)),
        (x - y, ("SubBackward0", a, a)),
        (x * 2, ("MulBackward0", a)),
        (x / y, ("DivBackward0", a, a)),
        (x**2, ("PowBackward0", a)),
        (x**y, ("PowBackward1", a, a)),
        (-x, ("NegBackward0", a)),
        (x.exp().sum(), ("SumBackward0", ("ExpBackward0", a))),
        (x.sum(0), ("SumBackward1", a)),
        (x.mean(), ("MeanBackward0", a)),
        (x.view(1, 2), ("ViewBackward0", a)),
        (x.view(1, 2).t(), ("TBackward0", ("ViewBackward0", a))),
        (x.view(1, 2).transpose(0, 1), ("TransposeBackward0", ("ViewBackward0", a))),
        (x[0], ("SelectBackward0", a)),
        (x[1:], ("SliceBackward0", a)),
        (x.unsqueeze(0), ("UnsqueezeBackward0", a)),
        (x.expand(3, 2), ("ExpandBackward0", a)),
        (x.clone(), ("CloneBackward0", a)),
        (tl.cat([x, y]), ("CatBackward0", a, a)),
        (tl.stack([x, y]), ("StackBackward0", a, a)),
        (x.double(), ("ToCopyBackward0", a)),
        (x.relu(), ("ReluBackward0", a)),
        (x.max(), ("MaxBackward1", a)),
        (x.max(0)[0], ("MaxBackward0", a)),
        (x[x > 0], ("IndexBackward0", a)),
        (tl.nn.functional.log_softmax(x, 0), ("LogSoftmaxBackward0", a)),
    ]
    for t, expected in table:
        assert names(t.grad_fn) == expected, expected
    lin = tl.nn.functional.linear(x.view(1, 2), tl.ones(3, 2, requires_grad=True), tl.ones(3, requires_grad=True))
    assert lin.grad_fn.name() == "AddmmBackward0"
    if IS_TENSORLITE:
        assert type(lin.grad_fn).__name__ == "AddmmBackward0"


def test_next_functions_carry_the_output_number():
    x = leaf(3.0, 1.0, 2.0)
    values, indices = x.max(0)
    low, high = x.split([1, 2])
    assert (high * 2).grad_fn.next_functions[0][1] == 1
    assert (low * 2).grad_fn.next_functions[0][1] == 0
    assert (values * 2).grad_fn.next_functions[0][1] == 0
    assert not indices.requires_grad
    assert values.output_nr == 0 and high.output_nr == 1
    assert x.grad_fn is None and (x * 1).grad_fn.next_functions[0][0].next_functions == ()


def test_hooks_and_metadata_of_nodes():
    x = leaf(1.0, 2.0)
    node = (x * 3).grad_fn
    assert node.name() == "MulBackward0"
    assert node.metadata is node.metadata
    node.metadata["a"] = 1
    assert node.metadata == {"a": 1}


# ---- hooks ----


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


# ---- saved tensors and in-place operators ----

MODIFIED = "one of the variables needed for gradient computation has been modified by an inplace operation"


def test_modified_saved_tensors_are_noticed():
    x = leaf(1.0, 2.0)
    y = x * 1
    z = y * y
    y.add_(1)
    with refused(RuntimeError, MODIFIED):
        z.sum().backward()
    y = x * 1
    z = y.exp()
    z.mul_(2)  # the result was saved
    with refused(RuntimeError, MODIFIED):
        z.sum().backward()
    y = x * 1
    z = y * 2  # saves nothing of y
    y.add_(1)
    (z + y).sum().backward()
    assert x.grad.tolist() == [3, 3]


def test_the_message_tells_which():
    x = leaf(1.0, 2.0)
    y = x + 1
    z = y * y
    y.add_(1)
    with pytest.raises(RuntimeError) as e:
        z.sum().backward()
    which = f"[{tl.__name__}.FloatTensor [2]], which is output 0 of Add, is at version 1; expected version 0 instead."
    assert str(e.value).startswith(there(f"{MODIFIED}: {which}"))


def test_writes_through_views_and_aliases_are_noticed():
    def through(write):
        x = leaf(1.0, 2.0)
        y = x * 1
        z = y * y
        write(y)
        return z.sum()

    def with_no_grad(y):
        with tl.no_grad():
            y[0] = 5

    for write in (lambda y: y[0].mul_(2), lambda y: y.detach().add_(1), with_no_grad, lambda y: y.view(2).zero_()):
        with refused(RuntimeError, MODIFIED):
            through(write).backward()
    through(lambda y: y.data.add_(1)).backward()  # .data is not watched


def test_leaf_written_under_no_grad_between_forward_and_backward():
    w = leaf(2.0)
    y = w * w
    with tl.no_grad():
        w.add_(1)
    with refused(RuntimeError, MODIFIED):
        y.backward()


def test_in_place_operators():
    x = leaf(1.0, 2.0)
    y = x.clone()
    y.mul_(3).add_(1)
    y *= 2
    assert y.grad_fn.name() == "MulBackward0"
    y.sum().backward()
    assert x.grad.tolist() == [6, 6]
    assert y._version == 3


def test_second_derivatives_through_in_place_operators():
    def gradient_of_gradient(change):
        x = leaf(0.5, 0.75, dtype=tl.float64)
        y = x * 1
        y = change(y)
        (g,) = tl.autograd.grad((y.sin() * tl.tensor([1.0, 2.0])).sum(), x, create_graph=True)
        (g * g).sum().backward()
        return [round(v, 12) for v in (*g.tolist(), *x.grad.tolist())]

    def through_a_view(f):
        def change(y):
            f(y[:2])
            return y

        return change

    pairs = [
        (lambda y: y.mul_(y.clone()), lambda y: y * y),
        (lambda y: y.tanh_(), lambda y: y.tanh()),
        (lambda y: y.pow_(3), lambda y: y**3),
        (lambda y: y.div_(y.clone() + 1), lambda y: y / (y + 1)),
        (lambda y: y.sub_(y.exp()), lambda y: y - y.exp()),
    ]
    for inplace, plain in pairs:
        expected = gradient_of_gradient(plain)
        assert gradient_of_gradient(inplace) == expected
        assert gradient_of_gradient(through_a_view(inplace)) == expected


def test_saved_tensors_are_not_detached_in_place():
    x = leaf(1.0, 2.0)
    y = x * 2
    z = y * y
    y.detach_()
    with refused(RuntimeError, "Trying to use a saved tensor that has been detached in-place"):
        z.sum().backward()


def test_in_place_takes_the_gradient_of_its_argument():
    x = leaf(1.0, 2.0)
    y = tl.ones(2)
    y.mul_(x)
    assert y.requires_grad and not y.is_leaf
    y.sum().backward()
    assert x.grad.tolist() == [1, 1]


def test_in_place_under_no_grad_is_no_history():
    x = leaf(1.0, 2.0)
    y = x * 2
    with tl.no_grad():
        y.mul_(100)
    y.sum().backward()
    assert x.grad.tolist() == [2, 2]


def test_in_place_with_itself():
    x = leaf(3.0)
    y = x * 1
    y.add_(y)
    y.backward()
    assert x.grad.item() == 2
    y = x * 1
    y.mul_(y)
    with refused(RuntimeError, MODIFIED):
        y.backward()


def test_write_to_a_view():
    x = leaf(1.0, 2.0, 3.0)
    y = x * 2
    v = y[1:]
    v.mul_(10)
    assert y.grad_fn.name().endswith("CopySlices")
    assert y.tolist() == [2, 40, 60]
    y.sum().backward()
    assert x.grad.tolist() == [2, 20, 20]


def test_write_to_a_view_of_a_view():
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    y = x.clone()
    row = y[1]
    cell = row[0]
    cell.mul_(5)
    row.add_(1)
    assert y.tolist() == [[1, 2], [16, 5]]
    (y * tl.tensor([[1.0, 2.0], [3.0, 4.0]])).sum().backward()
    assert x.grad.tolist() == [[1, 2], [15, 4]]


def test_write_to_the_base_after_a_view():
    x = leaf(1.0, 2.0)
    y = x * 2
    v = y[0]
    y.mul_(10)
    assert v.item() == 20
    assert v.grad_fn.name() == "AsStridedBackward0"
    v.backward()
    assert x.grad.tolist() == [20, 0]


def test_views_see_each_other_s_writes():
    x = leaf(1.0, 2.0, 3.0)
    y = x * 1
    a, b = y[:2], y[1:]
    a.mul_(2)
    b.mul_(3)
    assert y.tolist() == [2, 12, 9]
    (a.sum() + b.sum() * 10).backward()
    assert x.grad.tolist() == [2, 66, 30]


def test_a_leaf_becomes_part_of_a_graph():
    x = leaf(5.0)
    base = tl.zeros(3)
    v = base[1]
    v.copy_(x)
    assert base.requires_grad and not base.is_leaf
    base.sum().backward()
    assert x.grad.item() == 1


def test_assignment_by_index():
    x, v = leaf(1.0, 2.0, 3.0), leaf(7.0)
    y = x * 1
    y[1] = v
    y[2] = 0
    (y * tl.tensor([1.0, 10.0, 100.0])).sum().backward()
    assert x.grad.tolist() == [1, 0, 0] and v.grad.item() == 10
    x.grad = None
    y = x * 1
    y[tl.tensor([True, False, True])] = 5
    y.sum().backward()
    assert x.grad.tolist() == [0, 1, 0]
    x.grad = None
    y = x * 1
    y[tl.tensor([0, 2])] = x[:2] * 2
    y.sum().backward()
    assert x.grad.tolist() == [2, 3, 0]


def test_overwriting_ends_a_gradient():
    x = leaf(1.0, 2.0)
    y = x * 3
    y.zero_()
    (y + x).sum().backward()
    assert x.grad.tolist() == [1, 1]
    y = x * 3
    y.copy_(tl.tensor([5.0, 6.0]))
    assert y.requires_grad
    x.grad = None
    y.sum().backward()
    assert x.grad.tolist() == [0, 0]


def test_in_place_on_a_transposed_view():
    x = leaf([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    y = x * 1
    y.t()[0].mul_(tl.tensor([10.0, 100.0]))
    y.sum().backward()
    assert x.grad.tolist() == [[10, 1, 1], [100, 1, 1]]


def test_in_place_with_its_own_base():
    x = leaf(1.0, 2.0)
    y = x * 1
    y[0].mul_(y[1])
    assert y.tolist() == [2, 2]
    with refused(RuntimeError, MODIFIED):  # y[1] was saved, and its base was written to
        y.sum().backward()
    y = x * 1
    y[0].mul_(y[1].clone())
    y.sum().backward()
    assert x.grad.tolist() == [2, 2]


def test_detached_views_are_cut_off():
    x = leaf(1.0, 2.0)
    y = x * 2
    d = y.detach()
    assert not d.requires_grad and d.data_ptr() == y.data_ptr()
    d.add_(1)
    assert y.tolist() == [3, 5]
    y.sum().backward()
    assert x.grad.tolist() == [2, 2]
    z = (x * 2).detach_()
    assert z.is_leaf and not z.requires_grad
    with refused(RuntimeError, "Can't detach views in-place"):
        (x * 2)[0].detach_()


def test_views_made_without_grad_are_not_written_to_with_it():
    x = leaf(1.0, 2.0)
    y = x * 1
    with tl.no_grad():
        v = y[0]
    with refused(RuntimeError, "A view was created in no_grad mode and is being modified inplace with grad"):
        v.mul_(2)
    with tl.no_grad():
        v.mul_(2)
    assert y.tolist() == [2, 2]


def test_one_of_many_views_is_not_written_to():
    x = leaf(1.0, 2.0, 3.0)
    for a in ((x * 1).unbind(), (x * 1).split(1), (x * 1).chunk(3)):
        with refused(RuntimeError, "This view is the output of a function that returns multiple views."):
            a[0].mul_(2)
        with refused(RuntimeError, "Output 0 of "):
            a[0].zero_()


def test_expanded_tensors_are_not_written_to():
    y = (leaf([[1.0]]) * 1).expand(1, 3)
    with refused(RuntimeError, "unsupported operation: more than one element of the written-to tensor refers"):
        y.add_(1)


def test_out_does_not_differentiate():
    x = leaf(1.0, 2.0)
    with refused(RuntimeError, "functions with out=... arguments don't support automatic differentiation"):
        tl.add(x, x, out=tl.empty(2))
    with refused(RuntimeError, "functions with out=... arguments don't support automatic differentiation"):
        tl.add(tl.ones(2), tl.ones(2), out=x)
    with tl.no_grad():
        out = tl.empty(2)
        tl.add(x, x, out=out)
    assert out.tolist() == [2, 4]


def test_shared_version_counters():
    x = tl.zeros(4)
    v, d = x[1:], x.detach()
    assert x._version == v._version == d._version == 0
    v.add_(1)
    assert x._version == v._version == d._version == 1
    x.data.add_(1)
    assert x._version == 1
    assert v._base is x and x._base is None and v.view(3)._base is x


# ---- Function ----


class Exp(Function):
    @staticmethod
    def forward(ctx, x):
        result = x.exp()
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx, grad):
        (result,) = ctx.saved_tensors
        return grad * result


def test_function():
    x = leaf(0.5, 1.0, dtype=tl.float64)
    y = Exp.apply(x)
    assert y.grad_fn.name() == "ExpBackward" and type(y.grad_fn).__name__ == "ExpBackward"
    assert repr(y).endswith("grad_fn=<ExpBackward>)")
    assert y.grad_fn.next_functions[0][0].variable is x
    y.sum().backward()
    assert x.grad.tolist() == x.detach().exp().tolist()
    assert tl.autograd.gradcheck(Exp.apply, x) and tl.autograd.gradgradcheck(Exp.apply, x)
    assert not Exp.apply(tl.ones(1)).requires_grad
    with tl.no_grad():
        assert not Exp.apply(x).requires_grad


def test_function_forward_records_nothing():
    class F(Function):
        @staticmethod
        def forward(ctx, x):
            assert not tl.is_grad_enabled()
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            assert not tl.is_grad_enabled()
            return grad

    x = leaf(1.0)
    F.apply(x).backward()
    assert x.grad.item() == 1  # what backward says, not what forward does


def test_function_second_backward():
    x = leaf(1.0)
    y = Exp.apply(x)
    y.backward(retain_graph=True)
    y.backward()
    with refused(RuntimeError, "a second time"):
        y.backward()


def test_function_arguments():
    class Scale(Function):
        @staticmethod
        def forward(ctx, x, factor, *rest, y=None):
            ctx.factor = factor
            assert ctx.needs_input_grad == (True, False, False, False)
            return x * factor

        @staticmethod
        def backward(ctx, grad):
            return grad * ctx.factor, None, None, None

    x = leaf(1.0, 2.0)
    Scale.apply(x, 3, "text", tl.ones(1)).sum().backward()
    assert x.grad.tolist() == [3, 3]


def test_function_several_outputs():
    class SinCos(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.sin(), x.cos(), "no tensor", x > 0

        @staticmethod
        def backward(ctx, gs, gc, *rest):
            (x,) = ctx.saved_tensors
            assert gs is not None and gc is not None  # zeros where there was none
            return gs * x.cos() - gc * x.sin()

    x = leaf(1.0, dtype=tl.float64)
    s, c, text, positive = SinCos.apply(x)
    assert text == "no tensor" and not positive.requires_grad
    assert s.grad_fn is c.grad_fn and (s.output_nr, c.output_nr) == (0, 1)
    s.backward(retain_graph=True)
    assert x.grad.item() == x.detach().cos().item()
    (s + c).backward()


def test_function_materialize_grads():
    class Two(Function):
        @staticmethod
        def forward(ctx, x, materialize):
            ctx.set_materialize_grads(materialize)
            return x * 1, x * 2

        @staticmethod
        def backward(ctx, a, b):
            seen.append((a is None, b is None))
            return b, None

    seen = []
    x = leaf(1.0)
    for materialize in (False, True):
        Two.apply(x, materialize)[1].backward()
    assert seen == [(True, False), (False, False)]


def test_function_wrong_number_of_gradients():
    class F(Function):
        @staticmethod
        def forward(ctx, x, y):
            return x + y

        @staticmethod
        def backward(ctx, grad):
            return grad

    with refused(RuntimeError, "function FBackward returned an incorrect number of gradients (expected 2, got 1)"):
        F.apply(leaf(1.0), leaf(2.0)).backward()

    class G(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, grad):
            return grad, None, None  # Nones too many are forgiven

    G.apply(leaf(1.0)).backward()


def test_function_wrong_gradients():
    class Shape(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, grad):
            return tl.ones(5)

    with refused(RuntimeError, "ShapeBackward returned an invalid gradient at index 0 - got [5] but expected"):
        Shape.apply(leaf(1.0, 2.0)).sum().backward()

    class Kind(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, grad):
            return 3.0

    with pytest.raises((TypeError, RuntimeError), match="expected Variable or None"):
        Kind.apply(leaf(1.0)).backward()


def test_function_none_gradients():
    class F(Function):
        @staticmethod
        def forward(ctx, x, y):
            return x * y

        @staticmethod
        def backward(ctx, grad):
            return None, grad

    x, y = leaf(1.0), leaf(2.0)
    F.apply(x, y).backward()
    assert x.grad is None and y.grad.item() == 1


def test_function_needs_input_grad():
    class F(Function):
        @staticmethod
        def forward(ctx, x, y):
            return x + y

        @staticmethod
        def backward(ctx, grad):
            seen.append(ctx.needs_input_grad)
            return grad, grad

    seen = []
    F.apply(leaf(1.0), tl.ones(())).backward()
    F.apply(tl.ones(()), leaf(1.0)).backward()
    assert seen == [(True, False), (False, True)]


def test_function_setup_context():
    class Cube(Function):
        @staticmethod
        def forward(x, k):
            return x**3 * k

        @staticmethod
        def setup_context(ctx, inputs, output):
            x, ctx.k = inputs
            ctx.save_for_backward(x, output)

        @staticmethod
        def backward(ctx, grad):
            x, out = ctx.saved_tensors
            return 3 * x * x * ctx.k * grad + 0 * out, None

    x = leaf(2.0, dtype=tl.float64)
    Cube.apply(x, 5).backward()
    assert x.grad.item() == 60
    assert tl.autograd.gradcheck(lambda x: Cube.apply(x, 5), x)


def test_function_double_backward():
    class Square(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return 2 * grad * x

    x = leaf(3.0, dtype=tl.float64)
    (g,) = tl.autograd.grad(Square.apply(x), x, create_graph=True)
    assert tl.autograd.grad(g, x)[0].item() == 2


def test_function_once_differentiable():
    class Square(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @once_differentiable
        def backward(ctx, grad):
            assert not tl.is_grad_enabled()
            (x,) = ctx.saved_tensors
            return 2 * grad * x

    x = leaf(3.0)
    Square.apply(x).backward()
    assert x.grad.item() == 6
    y = Square.apply(x)
    (g,) = tl.autograd.grad(y * y, x, create_graph=True)
    with refused(RuntimeError, "trying to differentiate twice a function that was marked with @once_differentiable"):
        g.backward()


def test_function_mark_dirty():
    class Double(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x.mul_(2)

        @staticmethod
        def backward(ctx, grad):
            return grad * 2

    x = leaf(1.0, 2.0)
    y = x * 1
    z = Double.apply(y)
    assert z is y and y.grad_fn.name() == "DoubleBackward" and y._version > 0
    y.sum().backward()
    assert x.grad.tolist() == [2, 2]
    with refused(RuntimeError, "a leaf Variable that requires grad has been used in an in-place operation."):
        Double.apply(leaf(1.0))
    # on a view
    x.grad = None
    y = x * 1
    v = y[:1]
    assert Double.apply(v) is v
    (y.sum() + v.sum() * 10).backward()
    assert x.grad.tolist() == [22, 1]


def test_function_mark_non_differentiable():
    class F(Function):
        @staticmethod
        def forward(ctx, x):
            a, b = x * 2, x * 3
            ctx.mark_non_differentiable(b)
            return a, b

        @staticmethod
        def backward(ctx, ga, gb):
            assert gb.tolist() == [0]
            return ga * 2

    x = leaf([1.0])
    a, b = F.apply(x)
    assert a.requires_grad and not b.requires_grad
    a.sum().backward()
    assert x.grad.tolist() == [2]


def test_function_that_returns_its_input():
    class Same(Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, grad):
            return grad * 5

    x = leaf(1.0, 2.0)
    y = Same.apply(x)
    assert y is not x and y.data_ptr() == x.data_ptr() and not y.is_leaf
    y.sum().backward()
    assert x.grad.tolist() == [5, 5]
    with refused(RuntimeError, "is a view and is being modified inplace"):
        Same.apply(x * 1).mul_(2)


def test_function_saves_none_and_checks_versions():
    class F(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x, None)
            return x * x

        @staticmethod
        def backward(ctx, grad):
            x, nothing = ctx.saved_tensors
            assert nothing is None
            return 2 * grad * x

    a = leaf(1.0)
    x = a * 2
    y = F.apply(x)
    x.add_(1)
    with refused(RuntimeError, MODIFIED):
        y.backward()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_function_is_not_called_as_it_was_once():
    class Old(Function):
        def forward(self, x):
            return x

    with pytest.raises(RuntimeError):
        Old()(leaf(1.0))


def test_function_without_backward():
    class F(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

    y = F.apply(leaf(1.0))
    with refused(NotImplementedError, "You must implement either the backward or vjp method"):
        y.backward()


def test_function_errors_come_through():
    class F(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, grad):
            raise ZeroDivisionError("in backward")

    with pytest.raises(ZeroDivisionError, match="in backward"):
        F.apply(leaf(1.0)).backward()

    class G(Function):
        @staticmethod
        def forward(ctx, x):
            raise ZeroDivisionError("in forward")

    with pytest.raises(ZeroDivisionError, match="in forward"):
        G.apply(leaf(1.0))
    assert tl.is_grad_enabled()


def test_function_backward_within_backward():
    """Checkpointing: the forward pass is run again, recorded, in backward."""

    class Checkpoint(Function):
        @staticmethod
        def forward(ctx, f, x):
            ctx.f = f
            ctx.save_for_backward(x)
            return f(x)

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            x = x.detach().requires_grad_()
            with tl.enable_grad():
                y = ctx.f(x)
            tl.autograd.backward(y, grad)
            return None, x.grad

    w = leaf(3.0)
    x = leaf(2.0)
    y = Checkpoint.apply(lambda x: x * x * w, x)
    y.backward()
    assert x.grad.item() == 12 and w.grad.item() == 4


def test_function_with_a_subclass_of_tensor():
    p = tl.nn.Parameter(tl.ones(2))
    y = Exp.apply(p)
    assert type(y) is tl.Tensor
    y.sum().backward()
    assert p.grad is not None


# ---- memory ----


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
    class Keeps(Function):
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


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_stays_flat():
    w, b = tl.randn(8, 8, requires_grad=True), tl.zeros(8, requires_grad=True)
    x = tl.randn(4, 8)

    def steps(n):
        for _ in range(n):
            h = Exp.apply((x @ w + b).tanh())
            h[:, 0].mul_(0.5) if False else None
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


def test_pickled_leaves():
    x = leaf(1.0, 2.0)
    y = pickle.loads(pickle.dumps(x))
    assert y.requires_grad and y.tolist() == [1, 2]


@pytest.mark.parametrize(
    "make",
    [
        lambda lib: lib.ones(3, 2).t(),
        lambda lib: lib.ones(3, 2)[:, :1],
        lambda lib: lib.ones(2, 3, 4).permute(2, 0, 1),
        lambda lib: lib.ones(1).expand(3),
        lambda lib: lib.ones(2, 0),
    ],
)
@pytest.mark.parametrize("function", [lambda x: x.sum(), lambda x: (x * 2).sum(), lambda x: x.exp().sum()])
def test_a_gradient_is_laid_out_as_its_leaf(make, function):
    """An expanded gradient is not kept as it is, and a leaf whose elements share memory gets one of its own."""
    x = make(tl).detach().requires_grad_()
    function(x).backward()
    assert x.grad.stride() == tl.empty_like(x).stride()
    function(x).backward()
    once = make(tl).detach().clone().requires_grad_()
    function(once).backward()
    assert tl.equal(x.grad, 2 * once.grad)


# ---- what random programs found ----


@pytest.mark.parametrize("make", ["view_as_real(z)[..., 0]", "view_as_real(z)", "z.real", "z.imag", "z.real[1:]"])
def test_a_real_view_of_a_complex_base_after_a_write(make):
    """Its history is derived anew from the base's: in elements of its own dtype."""

    def function(x):
        z = x * 1
        v = eval(make, {"view_as_real": tl.view_as_real, "z": z})
        z.mul_(2j)
        return (v * v).sum()

    x = tl.tensor([1 - 0.25j, 2 + 1j, -1 + 3j], dtype=tl.complex128, requires_grad=True)
    assert tl.autograd.gradcheck(function, (x,))


@pytest.mark.parametrize("make", ["view_as_real(z)[..., 0]", "z.real", "z.imag[1:]"])
def test_a_write_to_a_real_view_of_a_complex_base(make):
    def function(x):
        z = x * 1
        eval(make, {"view_as_real": tl.view_as_real, "z": z}).mul_(3)
        return z.abs().sum()

    x = tl.tensor([1 - 0.25j, 2 + 1j, -1 + 3j], dtype=tl.complex128, requires_grad=True)
    assert tl.autograd.gradcheck(function, (x,))


def test_a_write_to_a_complex_view_of_a_real_base():
    def function(x):
        pairs = x * 1
        z = tl.view_as_complex(pairs)
        z.mul_(2j)
        return (pairs * tl.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=tl.float64)).sum() + (z * z).real.sum()

    x = tl.tensor([[1, -0.25], [2, 1.0]], dtype=tl.float64, requires_grad=True)
    assert tl.autograd.gradcheck(function, (x,))


def test_a_view_made_without_gradients_is_no_root():
    x = leaf(1.0, 2.0)
    with tl.no_grad():
        view = x[:1]
    with pytest.raises(RuntimeError, match="does not require grad and does not have a grad_fn"):
        view.backward(tl.ones(1, dtype=x.dtype))


@pytest.mark.parametrize("zeros", [(), (1,), (0, 2), (0, 1, 2)])
@pytest.mark.parametrize("dim", [None, -1, 0])
def test_second_derivative_of_a_product_with_zeros(zeros, dim):
    x = tl.tensor([[0.5, -1.5, 2.0], [3.0, 0.25, -1.0]], dtype=tl.float64)
    for i in zeros:
        x[0, i] = 0
    x.requires_grad_()
    assert tl.autograd.gradgradcheck(lambda t: t.prod() if dim is None else t.prod(dim), (x,))


def test_second_derivative_of_elu_at_zero():
    x = leaf(0.0, 1.0, -1.0)
    (g,) = tl.autograd.grad(tl.nn.functional.elu(x).sum(), x, create_graph=True)
    (second,) = tl.autograd.grad(g.sum(), x)
    assert second[:2].tolist() == [0, 0] and second[2] > 0.36


def test_comparisons_in_place_have_no_slope():
    x = leaf(1.0, 3.0, 2.0)
    y = x * 1
    y.lt_(2.5)
    assert y.tolist() == [1, 0, 1] and y.grad_fn.name() == "LtBackward0"
    y.sum().backward()
    assert x.grad.tolist() == [0, 0, 0]


def test_what_is_not_kept_may_be_written_to():
    x = leaf(1.0, 2.0)
    y = x.logaddexp(x * 2)
    y[0] = 5
    y.sum().backward()
    assert x.grad[0] == 0
    y = x.cumprod(0)
    y[0] = 5
    with pytest.raises(RuntimeError, match=r"output 0 of CumprodBackward0|output 0 of Cumprod"):
        y.sum().backward()


def test_a_full_slice_writes_to_the_tensor_itself():
    x = leaf(1.0, 2.0) * 1
    x[:] = leaf(3.0, 4.0)
    assert not x.grad_fn.name().endswith("CopySlices")


# ---- gradients of some inputs only ----


@pytest.mark.skipif(not IS_TENSORLITE, reason="the node's own view")
def test_what_nobody_asks_for_is_not_computed():
    a, b, c = (tl.randn(3, 3, requires_grad=True) for _ in range(3))
    middle = a @ b
    y = tl.cat([middle, c], 1)
    seen = []
    for node in (middle.grad_fn, y.grad_fn):
        node.register_prehook(lambda grads, node=node: seen.append(node.needs_input_grad))
    for wanted, expected in (
        ([a], [(True,), (True, False)]),
        ([b], [(True,), (False, True)]),
        ([c], [(True,)]),
        ([a, b], [(True,), (True, True)]),
        ([middle], [(True,)]),
    ):
        seen.clear()
        grads = tl.autograd.grad(y.square().sum(), wanted, retain_graph=True)
        assert seen == expected
        everything = (a, b, c, middle)
        whole = tl.autograd.grad(y.square().sum(), everything, retain_graph=True)
        for g, w in zip(grads, wanted):
            assert tl.equal(g, next(full for full, t in zip(whole, everything) if t is w))
    seen.clear()
    y.square().sum().backward(inputs=[b], retain_graph=True)
    assert seen == [(True,), (False, True)] and a.grad is None and b.grad is not None
    assert middle.grad_fn.needs_input_grad == (True, True)
    (first,) = tl.autograd.grad((middle**3).sum(), a, create_graph=True)
    second = tl.autograd.grad(first.sum(), [a, b])
    assert all(g is not None for g in second)
