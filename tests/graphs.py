"""What the tests of autograd share: leaves, the names of a graph's nodes, errors with their text."""

import contextlib

import pytest
from library import tl

MODIFIED = "one of the variables needed for gradient computation has been modified by an inplace operation"


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


class Exp(tl.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        result = x.exp()
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx, grad):
        (result,) = ctx.saved_tensors
        return grad * result
