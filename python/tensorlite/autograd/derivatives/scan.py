"""Gradients of running results."""

from ..._C import _operator, cat
from . import derivative

_recurrence = _operator("_recurrence")


def _after(x, dim):
    """Each element's successor; the last gets the first, which no recurrence reads."""
    return x.roll(-1, dim) if x.dim() else x


def _backwards(grad, factor, dim):
    """s[k] = grad[k] + factor[k + 1] * s[k + 1]"""
    if not grad.dim():
        return grad
    return _recurrence(grad.flip(dim), _after(factor, dim).flip(dim), dim).flip(dim)


def _before(x, dim, first):
    """Each element's predecessor; `first` before the first."""
    dim = dim % x.dim()
    lead = x.narrow(dim, 0, 1)
    return cat([x.new_full(lead.shape, first), x.narrow(dim, 0, x.shape[dim] - 1)], dim)


@derivative("cumsum", saves=("dim",))
def cumsum(n, grad):
    if not grad.dim() or not grad.numel():
        return grad
    return grad.flip(n.dim).cumsum(n.dim).flip(n.dim)


# d out[j] / d x[k] is the product of all x up to j without x[k]. What stands before k is a running product, what stands
# after it sums up in a recurrence: linear work, no division, right where x is zero, and differentiable again.
@derivative("cumprod", saves=("input", "dim", "dtype", "result"))
def cumprod(n, grad):
    n.result  # noqa: B018  refuses a result that was written to since, as PyTorch does
    x = n.input.conj()
    if x.dtype != grad.dtype:
        x = x.to(grad.dtype)
    if not x.dim() or not x.numel():
        return grad
    return _before(x.cumprod(n.dim), n.dim, 1) * _backwards(grad, x, n.dim)


@derivative("_recurrence", saves=("factor", "dim", "result"))
def recurrence(n, grad):
    s = _backwards(grad, n.factor.conj(), n.dim)
    b = n.needs_input_grad[1]
    return s, s * _before(n.result, n.dim, 0).conj() if b else None


def _extreme(n, grad, _):
    return grad.new_zeros(grad.shape).scatter_add(n.dim, n.result1, grad) if grad.dim() else grad


derivative("cummax", saves=("dim", "result1"))(_extreme)
derivative("cummin", saves=("dim", "result1"))(_extreme)


# s[k], the sum of grad[j] * exp(out[k] - out[j]) over j >= k, is a recurrence with factors of at most 1.
@derivative("logcumsumexp", saves=("input", "dim", "result"))
def logcumsumexp(n, grad):
    x, out = n.input, n.result
    if not x.dim() or not x.numel():
        return grad
    nothing = out == -float("inf")
    shrink = (_before(out, n.dim, 0) - out).masked_fill(nothing, 0).exp().conj()
    weight = (x - out).masked_fill(nothing, 0).exp().conj()
    return weight * _backwards(grad, shrink, n.dim)
