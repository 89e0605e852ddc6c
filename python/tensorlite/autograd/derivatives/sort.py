"""Gradients of sorting and selecting: what was taken from a place goes back there."""

from . import derivative


def _back(n, grad, _=None):
    return grad.new_zeros(n.input_shape).scatter_add(n.dim, n.result1, grad)


def _back_reduced(n, grad, _=None):
    """The same where the dim is gone from the result."""
    index = n.result1
    if n.input_shape and not n.keepdim:
        grad, index = grad.unsqueeze(n.dim), index.unsqueeze(n.dim)
    return grad.new_zeros(n.input_shape).scatter_add(n.dim, index, grad)


_SAVES = ("input.shape", "dim", "result1")
for _name, _node in (("sort", None), ("sort.stable", "SortBackward1"), ("topk", None)):
    derivative(_name, saves=_SAVES, name=_node)(_back)
for _name, _node in (
    ("kthvalue", None),
    ("mode", None),
    ("median.dim", "MedianBackward1"),
    ("nanmedian.dim", "NanmedianBackward1"),
):
    derivative(_name, saves=(*_SAVES, "keepdim"), name=_node)(_back_reduced)


def _evenly(n, grad):
    """All elements that equal the median share its gradient."""
    mask = n.input == n.result if n.result == n.result else n.input != n.input
    return mask * (grad / mask.sum())


derivative("median", saves=("input", "result"))(_evenly)
derivative("nanmedian", saves=("input", "result"))(_evenly)


def _none(operator):
    def formula(n, *grads):
        raise NotImplementedError(f"the derivative for '{operator}' is not implemented.")

    return formula


for _name, _node in (
    ("_unique2", "Unique2Backward0"),
    ("unique_dim", None),
    ("_unique_consecutive", None),
):
    derivative(_name, name=_node)(_none(_name))
