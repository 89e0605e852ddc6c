"""autograd.Function."""

import pytest
from graphs import MODIFIED, Exp, leaf, refused
from library import tl

Function = tl.autograd.Function
once_differentiable = tl.autograd.function.once_differentiable


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
