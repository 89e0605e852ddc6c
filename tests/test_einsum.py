"""einsum and tensordot: values against NumPy, gradients, errors, the same on PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

import tensorlite as tl
from tensorlite.autograd import gradcheck, gradgradcheck

CASES = [
    ("ij->ji", [(2, 3)]),
    ("ii->i", [(3, 3)]),
    ("ii", [(3, 3)]),
    ("ij->", [(2, 3)]),
    ("ij->j", [(2, 3)]),
    ("iij->j", [(3, 3, 2)]),
    ("i,i", [(4,), (4,)]),
    ("i,j->ij", [(2,), (3,)]),
    ("ij,jk", [(2, 3), (3, 4)]),
    ("ij,kj->ik", [(2, 3), (4, 3)]),
    ("bij,bjk->bik", [(2, 3, 4), (2, 4, 5)]),
    ("bhqd,bhkd->bhqk", [(2, 2, 3, 4), (2, 2, 5, 4)]),
    ("...ij,...jk->...ik", [(2, 1, 3, 4), (5, 4, 2)]),
    ("i...,i...->...", [(3, 2), (3, 2)]),
    ("ij,ij->ij", [(2, 3), (2, 3)]),
    ("ij,j->i", [(2, 3), (3,)]),
    ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]),
    ("bn,anm,bm->ba", [(2, 5), (3, 5, 4), (2, 4)]),
    ("ik,jk", [(2, 0), (3, 0)]),
    ("Ab,bC", [(2, 3), (3, 2)]),
    (" i j , j -> i ", [(2, 3), (3,)]),
    ("ij,jk->k", [(2, 3), (3, 4)]),
    ("a,b,c->abc", [(2,), (3,), (4,)]),
]


def arrays(shapes):
    rng = np.random.default_rng(0)
    return [rng.standard_normal(s) for s in shapes]


@pytest.mark.parametrize(("equation", "shapes"), CASES)
def test_values_and_gradients(equation, shapes):
    data = arrays(shapes)
    tensors = [tl.tensor(d, requires_grad=True) for d in data]
    result = tl.einsum(equation, *tensors)
    np.testing.assert_allclose(result.detach().numpy(), np.einsum(equation, *data), atol=1e-12)
    if result.numel():
        assert gradcheck(lambda *t: tl.einsum(equation, *t), tensors)
        assert gradgradcheck(lambda *t: tl.einsum(equation, *t), tensors)


def test_sizes_of_one_broadcast():
    a, b = arrays([(2, 1), (3, 4)])
    expected = (a[:, :, None] * b[None]).sum(1)
    np.testing.assert_allclose(tl.einsum("ij,jk->ik", tl.tensor(a), tl.tensor(b)).numpy(), expected)


def test_sublists_and_lists_of_operands():
    a, b = (tl.tensor(d) for d in arrays([(2, 3), (3, 4)]))
    assert tl.equal(tl.einsum(a, [0, 1], b, [1, 2], [0, 2]), a @ b)
    assert tl.equal(tl.einsum("ij,jk", [a, b]), a @ b)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tl.einsum("ij,jk", tl.ones(2, 3)), "fewer operands"),
        (lambda: tl.einsum("ij", tl.ones(2, 3), tl.ones(2)), "more operands"),
        (lambda: tl.einsum("ij->ik", tl.ones(2, 3)), "output subscript k does not appear"),
        (lambda: tl.einsum("ij->ii", tl.ones(2, 3)), "appears more than once in the output"),
        (lambda: tl.einsum("i", tl.ones(2, 3)), "number of subscripts"),
        (lambda: tl.einsum("ij,jk", tl.ones(2, 3), tl.ones(4, 2)), "does not broadcast with previously seen size 3"),
        (lambda: tl.einsum("ii", tl.ones(2, 3)), "repeated for operand"),
        (lambda: tl.einsum("i1", tl.ones(2, 3)), "invalid subscript"),
        (lambda: tl.tensordot(tl.ones(2, 3), tl.ones(2, 3)[:, :2], 1), "contracted dimensions need to match"),
    ],
)
def test_errors(call, message):
    with pytest.raises(RuntimeError, match=message):
        call()


@pytest.mark.parametrize("dims", [0, 1, 2, ([1], [0]), ([0, 1], [1, 0]), ([-1], [0]), (1, 0)])
def test_tensordot(dims):
    a, b = arrays([(3, 3), (3, 3)])
    np.testing.assert_allclose(tl.tensordot(tl.tensor(a), tl.tensor(b), dims).numpy(), np.tensordot(a, b, dims))


@pytest.mark.parity
@pytest.mark.parametrize(("equation", "shapes"), CASES)
def test_parity(equation, shapes):
    torch = pytest.importorskip("torch")
    data = arrays(shapes)
    ours, theirs = [tl.tensor(d) for d in data], [torch.tensor(d) for d in data]
    result, expected = tl.einsum(equation, *ours), torch.einsum(equation, *theirs)
    assert result.shape == tuple(expected.shape)
    np.testing.assert_allclose(result.numpy(), expected.numpy(), atol=1e-12)
