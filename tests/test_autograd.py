"""What autograd does, beyond the derivatives of single operators. Runs on PyTorch too (see library.py)."""

import copy
import gc
import pickle
import threading
import weakref

import pytest
from graphs import leaf, names, refused
from library import IS_TENSORLITE, tl

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
    class Bomb(tl.autograd.Function):
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


def test_a_view_made_without_gradients_is_no_root():
    x = leaf(1.0, 2.0)
    with tl.no_grad():
        view = x[:1]
    with pytest.raises(RuntimeError, match="does not require grad and does not have a grad_fn"):
        view.backward(tl.ones(1, dtype=x.dtype))


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
