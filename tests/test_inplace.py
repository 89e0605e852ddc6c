"""Saved tensors, and gradients through what is written to in place."""

import pytest
from graphs import MODIFIED, leaf, refused
from library import there, tl


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
