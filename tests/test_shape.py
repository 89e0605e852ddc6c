"""Views, joining and moving: layouts, values, graphs, gradients and errors."""

import numpy as np
import pytest
from expressions import assert_same, assert_same_gradients, error, evaluate, gradients, graph, namespace
from library import tl, torch

VIEWS = """
x.view(6, 4) | x.view(-1, 8) | x.view((2, -1, 3)) | x.t().view(6, 2, 2) | x.view(24) | e.view(3, 0) | e.view(0, 3)
s.view(1, 1) | s.view(()) | x3.transpose(0, 1).view(3, 2, 2, 2) | x.view_as(torch.empty(3, 8)) | e.t().view(3, 0)
x.reshape(6, 4) | x.t().reshape(24) | x.t().reshape(6, 4) | x3.transpose(1, 2).reshape(2, 12) | x.reshape(4, 6)
x[:, ::2].reshape(-1) | x[:1].expand(4, 6).reshape(24) | x[:, :1].expand(4, 6).reshape(4, 2, 3) | s.reshape(1)
x.permute(1, 0) | x3.permute(2, 0, 1) | x3.permute((-1, 0, 1)) | s.permute(()) | x.transpose(0, 1) | x.swapaxes(0, -1)
x.swapdims(0, 1) | x.t() | v.t() | s.t() | x3[:, :1].squeeze() | x3[:1, :1].squeeze(0) | x3.squeeze(1) | x3[:1].squeeze((0, 1))
x.unsqueeze(0) | x.unsqueeze(1) | x.unsqueeze(-1) | x.t().unsqueeze(1) | s.unsqueeze(0) | e.unsqueeze(1)
v.expand(4, 6) | x.expand(2, 4, 6) | x.expand(1, 4, 6) | x[:1].expand(3, 1, 6) | v.expand(2, -1) | s.expand(3, 2) | s.expand(1)
x[:, :1].expand(-1, 0) | v.expand_as(x) | v.broadcast_to(4, 6) | x.expand(4, 6) | x.flatten() | x.t().flatten() | v.flatten()
s.flatten() | x3.flatten(1) | x3.flatten(0, 1) | x3.transpose(0, 1).flatten(1) | x.unflatten(1, (2, 3)) | x.unflatten(-1, (3, -1))
x.ravel() | x.t().ravel() | x.narrow(0, 1, 2) | x.narrow(1, -2, 1) | x.select(0, 1) | x.select(-1, -1) | x.diagonal()
x.diagonal(2) | x.diagonal(-1) | x.diagonal(10) | x3.diagonal(0, 1, 2) | x3.diagonal(1, -1, 0) | x.unfold(1, 2, 2)
x.unfold(0, 3, 1) | x.unfold(1, 0, 1) | s.unfold(0, 1, 1) | x.as_strided((2, 2), (1, 2)) | x.as_strided((3, 3), (1, 1), 2)
x[1:].as_strided((2,), (3,)) | x3.movedim(0, 2) | x3.movedim((0, 1), (2, 0)) | x3.moveaxis(-1, 0) | x3.adjoint()
torch.view_as_complex(z) | torch.view_as_real(torch.view_as_complex(z)) | torch.real(x)
torch.atleast_1d(s) | torch.atleast_2d(v) | torch.atleast_3d(v) | torch.atleast_3d(x) | torch.atleast_3d(x3)
x.view(torch.int32) | x.view(torch.int16) | x.view(torch.float64) | x[:, 2:].view(torch.float64) | x3.mT | x.T | x.H | x3.mH
x.split(3) | x.split(2, 1) | x.split([1, 3]) | x.split((2, 4), dim=1) | x.split(10) | x.chunk(3) | x.chunk(4, 1) | x.chunk(9)
e.chunk(3) | e.split(0) | x.unbind() | x.unbind(1) | x3.unbind(-1) | x.tensor_split(3) | x.tensor_split((1, 9, 2))
x.tensor_split([-1], dim=1) | x.tensor_split(torch.tensor([1, 3])) | x.tensor_split(torch.tensor(2)) | torch.hsplit(x, 3)
torch.hsplit(v, (1, 4)) | torch.vsplit(x, 2) | torch.dsplit(x3, 2) | torch.vsplit(x, (1, 2)) | x.split_with_sizes([3, 1])
torch.split(x, 2) | torch.split(x, [1, 3]) | torch.split(tensor=x, split_size_or_sections=2, dim=1) | x.split(split_size=2)
"""

COPIES = """
torch.cat([x, x]) | torch.cat((x, x3[0].t()[:, :2]), 1) | torch.cat([torch.empty(0), x], -1) | torch.cat([x.t(), x.t()])
torch.cat([x[:, ::2], x], dim=1) | torch.cat([x, torch.arange(6)[None]]) | torch.cat([torch.arange(3), torch.tensor([True])])
torch.cat([x, x.double()]) | torch.concat([v, v]) | torch.concatenate([v], dim=0) | torch.cat([x[:0], x]) | torch.cat([e, e], 1)
torch.cat([x] * 20, 1) | torch.cat([x.view(2, 2, 3, 2).permute(0, 3, 1, 2)] * 2, 1) | torch.cat([x.view(2, 1, 2, 3, 2).movedim(-1, 1)] * 2, 2)
torch.cat([x.view(1, 2, 2, 3, 2)[:, :, :1].movedim(-1, 1)] * 2, 3) | torch.cat([torch.empty(0), x.view(2, 2, 3, 2).permute(0, 3, 1, 2)], 1)
torch.cat([x.view(2, 2, 3, 2).permute(0, 3, 1, 2), x.view(2, 2, 2, 3)], 3)
torch.stack([x, x]) | torch.stack([x, x], 1) | torch.stack([x.t(), x.t()], -1) | torch.stack([s, s]) | torch.stack([v, v.int()])
torch.hstack([x, x]) | torch.hstack([v, v]) | torch.hstack([s, s]) | torch.vstack([v, v]) | torch.vstack([x, v])
torch.row_stack([v, v]) | torch.dstack([v, v]) | torch.dstack([x, x]) | torch.column_stack([v, v]) | torch.column_stack([s, s])
x.repeat(2, 1) | x.repeat(2, 1, 3) | v.repeat(2) | x.repeat(0, 1) | s.repeat(3) | x.t().repeat(1, 2) | s.repeat(())
x.tile(2) | x.tile(2, 1, 1) | x.tile(()) | x.tile((2, 2)) | x.repeat_interleave(2) | x.repeat_interleave(2, 0)
x.repeat_interleave(3, dim=1) | x.repeat_interleave(torch.tensor([1, 2, 1, 0]), 0) | x.repeat_interleave(torch.tensor(2), 1)
torch.repeat_interleave(torch.tensor([1, 0, 3])) | s.repeat_interleave(3) | v.repeat_interleave(0)
x.flip(0) | x.flip(0, 1) | x.flip((1,)) | x.t().flip(0) | x[:, ::2].flip(1) | s.flip(()) | x.fliplr() | x.flipud() | e.flip(0)
x3.transpose(0, 1)[:, :, ::2].flip(0) | x.roll(1) | x.roll(-7) | x.roll(1, 0) | x.roll((1, -2), (0, 1)) | x.t().roll(1, 0)
x.roll((1, 1), (0, 0)) | x.t().roll(5) | s.roll(1) | e.roll(1, 0) | x.rot90() | x.rot90(2) | x.rot90(3) | x.rot90(-1, [1, 0])
x3.rot90(1, (1, 2)) | x.t().rot90(0) | x.tril() | x.triu() | x.tril(1) | x.tril(-2) | x.triu(-1) | x.triu(7) | x3.tril()
x.t().triu() | (x > 2).tril() | e.tril() | torch.diag(v) | torch.diag(x) | v.diag(-2) | x.diag(1) | v.diag_embed()
x.diag_embed() | x.diag_embed(1, 0, 2) | x.diag_embed(-1, 0, -2) | torch.meshgrid(v, v[:2], indexing="ij")
torch.meshgrid(v, v[:2], indexing="xy") | torch.meshgrid([v, v[:3], s], indexing="xy") | torch.broadcast_tensors(v, x)
torch.cat([x.int(), torch.ones(1, 6, dtype=torch.uint8)]) | x.tril(1).triu(-1) | x3.roll((1, 2), (2, 0)) | x3.flip(0, 2)
"""

ERRORS = """
x.view(5, 5) | x.view(-1, -1) | x.view(-2, 12) | e.view(-1, 0) | x.view(5, -1) | x.t().view(24) | x.t().view(torch.float64)
s.view(torch.float64) | x[:, :3].view(torch.float64) | x.reshape(5) | x.permute(0, 0) | x.permute(0) | x.permute(0, 2)
x.transpose(0, 2) | x3.t() | x.squeeze(2) | x.squeeze((0, 0)) | x.unsqueeze(3) | x.unsqueeze(-4) | x.expand(3, 6) | x.expand(6)
x.expand(-1, 4, 6) | x.expand(-2, 6) | x.flatten(1, 0) | x.flatten(3) | x.unflatten(1, (4, 2)) | x.unflatten(1, ())
x.narrow(0, 3, 2) | x.narrow(0, -5, 2) | x.narrow(0, 0, -1) | s.narrow(0, 0, 1) | x.select(0, 4) | x.select(2, 0) | s.select(0, 0)
x.diagonal(0, 0, 0) | v.diagonal() | x.unfold(0, 5, 1) | x.unfold(0, 1, 0) | x.unfold(0, -1, 1) | x.as_strided((2, 2), (1,))
x.as_strided((2, 2), (-1, 1)) | x.as_strided((20, 2), (1, 10)) | x.as_strided((2, 2), (1, 10), -1) | x3.movedim(0, 3)
x3.movedim((0, 0), (1, 2)) | x3.movedim((0, 1), (1, 1)) | x.split(0) | x.split(-1) | x.split([1, 2]) | x.split([-1, 5]) | s.split(1)
s.chunk(1) | x.chunk(0) | s.unbind() | x.unbind(3) | x.tensor_split(0) | s.tensor_split(1) | x.tensor_split(torch.tensor([[1]]))
x.tensor_split(torch.tensor([1.0])) | torch.hsplit(s, 1) | torch.vsplit(v, 1) | torch.dsplit(x, 1) | torch.hsplit(x, 4)
torch.view_as_complex(x) | torch.view_as_complex(z.int()) | torch.view_as_complex(z[..., :1]) | torch.view_as_complex(s)
torch.view_as_real(x) | torch.imag(x) | torch.cat([]) | torch.cat([s, s]) | torch.cat([x, v]) | torch.cat([x, x[:, :3]])
torch.cat([x, x], 2) | torch.stack([]) | torch.stack([v, x]) | torch.stack([v, v], 3) | torch.hstack([]) | torch.dstack([])
torch.column_stack([s, x]) | x.repeat(2) | x.repeat(2, -1) | x.repeat_interleave(torch.tensor([1, 2]), 0) | x.repeat_interleave(-1)
x.repeat_interleave(torch.tensor([1, -2, 1, 1]), 0) | x.repeat_interleave(torch.tensor([[1]]), 0) | x.flip(0, 0) | x.flip(2)
v.fliplr() | s.flipud() | x.roll((1, 2), (0,)) | x.roll(()) | x.roll((1, 2)) | x.roll(1, 5) | s.roll(1, 0) | v.rot90()
x.rot90(1, [0]) | x.rot90(1, [0, 0]) | x.rot90(1, [0, 5]) | v.tril() | s.triu() | x3.diag() | s.diag() | v.diag_embed(0, 0, 0)
s.diag_embed() | torch.meshgrid(v, v, indexing="a") | torch.meshgrid(v, v.int(), indexing="ij") | x.swapaxes(0, 5)
torch.cat([x, x], out=torch.empty(1, dtype=torch.int64)) | v.mT | x3.H | torch.cat([x, x3]) | x.expand_as(v)
"""


def lines(text):
    return [e.strip() for line in text.strip().split("\n") for e in line.split(" | ") if e.strip()]


# Recorded from PyTorch 2.13: shape, strides, offset.
LAYOUTS = [
    ("x.t().view(6, 2, 2)", (6, 2, 2), (1, 12, 6), 0),
    ("x.unsqueeze(1)", (4, 1, 6), (6, 6, 1), 0),
    ("x.unsqueeze(-1)", (4, 6, 1), (6, 1, 1), 0),
    ("x[:1].expand(3, 1, 6)", (3, 1, 6), (0, 6, 1), 0),
    ("x.expand(1, 4, 6)", (1, 4, 6), (24, 6, 1), 0),
    ("s.expand(3, 2)", (3, 2), (0, 0), 0),
    ("x.diagonal(2)", (4,), (7,), 2),
    ("x.unfold(1, 2, 2)", (4, 3, 2), (6, 2, 1), 0),
    ("e.view(3, 0)", (3, 0), (1, 1), 0),
    ("x.select(-1, -1)", (4,), (6,), 5),
    ("x.narrow(1, -2, 1)", (4, 1), (6, 1), 4),
    ("x.split(3)[1]", (1, 6), (6, 1), 18),
    ("x.t().flip(0)", (6, 4), (1, 6), 0),
    ("x.rot90()", (6, 4), (1, 6), 0),
]
MESSAGES = [
    (
        "x.t().view(24)",
        "RuntimeError",
        "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
        "contiguous subspaces). Use .reshape(...) instead.",
    ),
    ("x.view(5, 5)", "RuntimeError", "shape '[5, 5]' is invalid for input of size 24"),
    ("x.transpose(0, 2)", "IndexError", "Dimension out of range (expected to be in range of [-2, 1], but got 2)"),
    (
        "torch.cat([x, x[:, :3]])",
        "RuntimeError",
        "Sizes of tensors must match except in dimension 0. Expected size 6 but got size 3 for tensor number 1 in the "
        "list.",
    ),
    ("torch.cat([])", "ValueError", "torch.cat(): expected a non-empty list of Tensors"),
    (
        "x.expand(3, 6)",
        "RuntimeError",
        "The expanded size of the tensor (3) must match the existing size (4) at non-singleton dimension 0.",
    ),
]
NUMPY = [
    ("x.permute(1, 0)", "x.T"),
    ("x3.movedim(0, 2)", "np.moveaxis(x3, 0, 2)"),
    ("x.flip(0, 1)", "x[::-1, ::-1]"),
    ("x.roll(-7)", "np.roll(x, -7)"),
    ("x.roll((1, -2), (0, 1))", "np.roll(x, (1, -2), (0, 1))"),
    ("x3.rot90(3, (0, 2))", "np.rot90(x3, 3, (0, 2))"),
    ("x.tile(2, 1, 3)", "np.tile(x, (2, 1, 3))"),
    ("x.repeat_interleave(torch.tensor([1, 2, 0, 3]), 0)", "np.repeat(x, [1, 2, 0, 3], 0)"),
    ("x3.triu(1)", "np.triu(x3, 1)"),
    ("x.tril(-1)", "np.tril(x, -1)"),
    ("torch.cat([x.t(), x.t()[:, ::2]], 1)", "np.concatenate([x.T, x.T[:, ::2]], 1)"),
    ("torch.stack([x, x + 1], 1)", "np.stack([x, x + 1], 1)"),
    ("torch.dstack([v, v])", "np.dstack([v, v])"),
    ("torch.diag(v, 2)", "np.diag(v, 2)"),
    ("x3.diagonal(1, 2, 0)", "np.diagonal(x3, 1, 2, 0)"),
]


@pytest.mark.parametrize(("expression", "shape", "stride", "offset"), LAYOUTS)
def test_layout(expression, shape, stride, offset):
    (t,) = evaluate(tl, expression)
    assert (tuple(t.shape), t.stride(), t.storage_offset()) == (shape, stride, offset)


@pytest.mark.parametrize(("expression", "kind", "message"), MESSAGES)
def test_error(expression, kind, message):
    got = error(tl, expression)
    assert got[0] == kind and got[1].startswith(message)


@pytest.mark.parametrize(("expression", "reference"), NUMPY)
def test_values_against_numpy(expression, reference):
    names = {k: (np.arange(np.prod(n)) * 0.5 - 1).reshape(n) for k, n in (("x", (4, 6)), ("v", 6), ("x3", (2, 3, 4)))}
    (t,) = evaluate(tl, expression)
    np.testing.assert_array_equal(np.asarray(t.tolist()), eval(reference, names | {"np": np}))


def test_views_share_memory():
    x = tl.zeros(4, 6)
    for view in (x.view(24), x.t(), x[1], x.unfold(1, 2, 1), x.diagonal(), x.split(2)[1], x.unbind(1)[3]):
        before = x.sum().item()
        view.fill_(view.max().item() + 1)
        assert x.sum().item() > before
        assert view._base is x


def test_large_copies():
    x = tl.arange(600 * 500).reshape(600, 500)
    a = np.arange(600 * 500).reshape(600, 500)
    np.testing.assert_array_equal(x.t().flip(0).numpy(), a.T[::-1])
    np.testing.assert_array_equal(
        tl.cat([x, x.t().reshape(600, 500)], 1).numpy(), np.hstack([a, a.T.reshape(600, 500)])
    )
    np.testing.assert_array_equal(x.t().repeat(1, 2).numpy(), np.tile(a.T, (1, 2)))
    np.testing.assert_array_equal(x.roll((7, -3), (0, 1)).numpy(), np.roll(a, (7, -3), (0, 1)))
    np.testing.assert_array_equal(x.triu(3).numpy(), np.triu(a, 3))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x.select(0, 1),
        lambda x: tl.as_strided(x, (3, 2), (1, 1), 1),
        lambda x: x[:1].expand(3, 4).as_strided((4, 2), (1, 0)),
        lambda x: x.unfold(1, 3, 1),
        lambda x: x.diagonal(1),
        lambda x: tl.cat([x, x.t().reshape(3, 4)], 1) ** 2,
        lambda x: x.unbind(1)[2] * x.split(2)[0][0, 0],
        lambda x: x.repeat(2, 1, 2) ** 2,
        lambda x: x.roll((1, 2), (0, 1)) * x.flip(1),
        lambda x: x.tril() + x.rot90(2),
        lambda x: x.expand(2, 3, 4) * x,
    ],
)
def test_gradients_and_second_gradients(f):
    x = tl.randn(3, 4, dtype=tl.float64, requires_grad=True)
    assert tl.autograd.gradcheck(f, (x,))
    assert tl.autograd.gradgradcheck(f, (x,))


def turn(lib, requires_grad):
    names = namespace(lib, requires_grad)
    y = names["x"] * 2 if requires_grad else names["x"]
    y.t_().unsqueeze_(1).transpose_(0, 2).squeeze_(1).swapaxes_(0, 1).as_strided_((3, 4), (4, 1), 2)
    return names["x"], y


def test_layouts_in_place():
    x, y = turn(tl, False)
    assert y is x and y.stride() == (4, 1) and y.storage_offset() == 2
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used in an in-place operation"):
        tl.ones(2, 3, requires_grad=True).t_()


@pytest.mark.parity
def test_parity_of_layouts_in_place():
    torch = pytest.importorskip("torch")
    for lib in (tl, torch):
        x, y = turn(lib, True)
        y.backward(lib.arange(12.0).reshape(3, 4))
        if lib is tl:
            ours = x.grad
    assert_same_gradients([ours], [x.grad])


@pytest.mark.parity
@pytest.mark.parametrize("expression", lines(VIEWS + COPIES))
def test_parity(expression):
    torch = pytest.importorskip("torch")
    assert_same(evaluate(tl, expression), evaluate(torch, expression))


@pytest.mark.parity
@pytest.mark.parametrize("expression", [e for e in lines(VIEWS + COPIES) if "view(torch." not in e and "int" not in e])
def test_parity_of_graph_and_gradient(expression):
    torch = pytest.importorskip("torch")
    if any(not t.is_floating_point() and not t.is_complex() for t in evaluate(tl, expression)):
        pytest.skip("no gradient")
    assert graph(tl, expression) == graph(torch, expression)
    assert_same_gradients(gradients(tl, expression), gradients(torch, expression))


@pytest.mark.parity
@pytest.mark.parametrize("expression", lines(ERRORS))
def test_parity_of_errors(expression):
    torch = pytest.importorskip("torch")
    ours, theirs = error(tl, expression), error(torch, expression)
    assert ours[0] == theirs[0]
    assert ours[1].startswith(theirs[1].rstrip("."))


VIEW_COPIES = """
torch.view_copy(x, (6, 4)) | torch.permute_copy(x, (1, 0)) | torch.expand_copy(v, (2, 6)) | torch.t_copy(x)
torch.squeeze_copy(x.unsqueeze(0)) | torch.unsqueeze_copy(v, 1) | torch.transpose_copy(x3, 0, 2) | torch.alias_copy(x.t())
torch.narrow_copy(x, 1, 2, 3) | torch.unbind_copy(x) | torch.split_with_sizes_copy(x, [1, 3]) | torch.as_strided_copy(x, (2, 2), (1, 3))
torch.select_scatter(x, v, 0, 1) | torch.slice_scatter(x, x[:2] * 2, 0, 1, 4, 2) | torch.diagonal_scatter(x, v[:4])
torch.as_strided_scatter(x, x[:2, :2] * 3, (2, 2), (6, 2)) | x.t().select_scatter(v[:4], 0, 2)
torch.block_diag(x, v, s) | torch.block_diag() | torch.diagflat(x3) | v.diagflat(-1) | torch.diag(v, out=torch.empty(0))
torch.unravel_index(i, (2, 2)) | torch.unravel_index(torch.tensor(5), 7) | torch.nonzero_static(x, size=30) | torch.nonzero_static(x, size=3, fill_value=9)
x.sum_to_size(1, 6) | x.sum_to_size((6,)) | x3.sum_to_size(3, 1) | v.clone().resize_(2, 3) | v.clone().resize_as_(x[:1, :3])
torch.index_reduce(x, 1, j, x[:, :3], 'amax') | x.index_reduce(0, j, x[:3] * 2, 'mean', include_self=False) | x.clone().index_reduce_(0, j, x[:3], 'prod')
torch.zeros(3, 3, 3).fill_diagonal_(2) | torch.zeros(7, 2).fill_diagonal_(1, wrap=True) | x.clone().t().fill_diagonal_(s.item()) | torch.zeros(8, 3).fill_diagonal_(3)
torch.take_along_dim(x, torch.tensor([[-1, 0]]), 1) | torch.unsafe_split(x, 3) | torch.unsafe_chunk(x, 2, 1) | torch.narrow(x, 0, torch.tensor(1), 2)
"""


@pytest.mark.parity
@pytest.mark.parametrize("expression", lines(VIEW_COPIES))
def test_copies_of_views(expression):
    torch = pytest.importorskip("torch")
    for a, b in zip(evaluate(tl, expression), evaluate(torch, expression), strict=True):
        assert tuple(a.shape) == tuple(b.shape) and a.stride() == b.stride()
        np.testing.assert_allclose(a.tolist(), b.tolist(), rtol=1e-6)


def test_out_that_shares_memory_with_what_is_read_is_refused():
    x, i = tl.arange(6.0), tl.tensor([0, 1, 2])
    for call in (lambda: tl.take(x, i, out=x[:3]), lambda: tl.gather(x, 0, i, out=x[1:4]), lambda: tl.cat([x, x], out=x)):
        with pytest.raises(RuntimeError, match="refer to a single memory location"):
            call()
    with pytest.raises(RuntimeError, match="more than one element"):
        tl.index_select(x.reshape(2, 3), 1, i, out=tl.zeros(1, 3).expand(2, 3))


def test_none_among_tensors_is_refused():
    for f in (tl.cat, tl.stack, tl.hstack):
        with pytest.raises(TypeError, match="expected Tensor as element 1 in argument 0, but got NoneType"):
            f([tl.ones(2), None])


# ---- what random programs found ----


def test_layouts_like_another():
    x = tl.empty(4, 2)[::4]
    for y in (tl.empty_like(x), x.clone(), x.double(), x.t().clone().t()):
        assert y.stride() == (8, 1)
    overlapping = tl.arange(20.0).as_strided((3, 4), (1, 1))
    assert overlapping.clone().stride() == (1, 3)  # of equal strides the smaller dim lies inside


def test_views_of_a_0_dim_tensor():
    x = tl.tensor(2.0, requires_grad=True)
    assert x.mT.item() == x.mH.item() == 2
    y = tl.movedim(x, 0, -1)
    assert y is not x and y._is_view() and y.grad_fn is not None


def test_the_last_dim_that_does_not_broadcast_is_named():
    with pytest.raises(RuntimeError, match=r"a \(3\) must match the size of tensor b \(2\) at non-singleton dimension 1"):
        tl.ones(2, 3) + tl.ones(3, 2)


def test_parts_of_unsafe_split_are_written_in_place_under_autograd():
    for lib in filter(None, (tl, torch)):
        x = lib.ones(4, 2, requires_grad=True)
        first, second = lib.unsafe_split(x * 2, 2)
        assert not first._is_view() and first.data_ptr() + first.nbytes == second.data_ptr()
        first.mul_(3)
        (first.sum() + second.sum() + sum(part.sum() for part in lib.unsafe_chunk(x, 2))).backward()
        assert x.grad.tolist() == [[7.0, 7.0]] * 2 + [[3.0, 3.0]] * 2


@pytest.mark.sanitize
def test_pieces_without_memory_are_joined():
    x = tl.ones(2, 3)
    assert tl.cat([x, tl.empty(2, 0), x], 1).equal(tl.ones(2, 6))
    assert tl.cat([tl.empty(0, 3), x]).equal(x) and tl.cat([tl.empty(2, 0), tl.empty(2, 0)], 1).shape == (2, 0)
