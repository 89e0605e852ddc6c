"""Gradients of the reductions."""

import math

from ... import _C
from . import derivative


def dims_of(dim, ndim):
    """Non-negative reduced dims; all of them for None or none."""
    if dim is None:
        return list(range(ndim))
    dims = [dim] if isinstance(dim, int) else list(dim)
    return sorted(d % max(ndim, 1) for d in dims) if dims else list(range(ndim))


def restored(t, shape, dim=None, keepdim=False):
    """Puts reduced dims back with size 1."""
    if keepdim or not shape:
        return t
    for d in dims_of(dim, len(shape)):
        t = t.unsqueeze(d)
    return t


def count(shape, dim=None):
    return math.prod(shape[d] for d in dims_of(dim, len(shape))) if shape else 1


@derivative("sum", saves=("input.shape",))
def sum_(n, grad):
    return grad.expand(n.input_shape)


@derivative("sum.dim", saves=("input.shape", "dim", "keepdim"), name="SumBackward1")
def sum_dim(n, grad):
    return restored(grad, n.input_shape, n.dim, n.keepdim).expand(n.input_shape)


@derivative("nansum", saves=("input", "dim", "keepdim"))
def nansum(n, grad):
    return restored(grad, n.input.shape, n.dim, n.keepdim) * n.input.isnan().logical_not()


@derivative("mean", saves=("input.shape",))
def mean(n, grad):
    return (grad / count(n.input_shape)).expand(n.input_shape)


@derivative("mean.dim", saves=("input.shape", "dim", "keepdim"), name="MeanBackward1")
def mean_dim(n, grad):
    grad = restored(grad, n.input_shape, n.dim, n.keepdim) / count(n.input_shape, n.dim)
    return grad.expand(n.input_shape)


@derivative("nanmean", saves=("input", "dim", "keepdim"), name="DivBackward0")
def nanmean(n, grad):
    there = n.input.isnan().logical_not()
    dims = dims_of(n.dim, n.input.dim())
    total = there.sum(dims, True) if dims else there.long()
    return restored(grad, n.input.shape, n.dim, n.keepdim) / total * there


def prod_grad(grad, x, dim):
    """Each element's gradient is the product of the others; only the lone zero of a row sees one when there is any."""
    if x.requires_grad and x.dim() and x.numel() and _C.is_grad_enabled():
        # To be derived again, zeros or not: the product of those before and of those after.
        n, one = x.shape[dim], _C.ones_like(x.narrow(dim, 0, 1))
        before = _C.cat([one, x.narrow(dim, 0, n - 1)], dim).cumprod(dim)
        after = _C.cat([x.narrow(dim, 1, n - 1), one], dim).flip(dim).cumprod(dim).flip(dim)
        return grad * (before * after).conj()
    zero = x == 0
    zeros = zero.sum(dim, True) if x.dim() else zero.long()
    others = x.masked_fill(zero, 1)
    product = others.prod(dim, True) if x.dim() else others
    slope = _C.where(zero, _C.where(zeros == 1, product, 0.0), _C.where(zeros == 0, product / others, 0.0))
    return grad * slope.conj()


@derivative("prod", saves=("input",))
def prod(n, grad):
    x = n.input
    return prod_grad(grad, x.reshape(-1), 0).view(x.shape)


@derivative("prod.dim", saves=("input", "dim", "keepdim"), name="ProdBackward1")
def prod_dim(n, grad):
    return prod_grad(restored(grad, n.input.shape, n.dim, n.keepdim), n.input, n.dim)


def evenly(grad, x, result, dims):
    """To all places of the extreme, in equal shares."""
    mask = (x == result) | (x.isnan() & result.isnan())
    total = mask.sum(dims, True) if x.dim() else mask.long()
    return grad / total * mask


@derivative("max", saves=("input", "result"), name="MaxBackward1")
@derivative("min", saves=("input", "result"), name="MinBackward1")
def extreme(n, grad):
    return evenly(grad, n.input, n.result, dims_of(None, n.input.dim()))


@derivative("amax", saves=("input", "result", "dim", "keepdim"))
@derivative("amin", saves=("input", "result", "dim", "keepdim"))
def amax(n, grad):
    shape = n.input.shape
    result = restored(n.result, shape, n.dim, n.keepdim)
    return evenly(restored(grad, shape, n.dim, n.keepdim), n.input, result, dims_of(n.dim, len(shape)))


@derivative("aminmax", saves=("input", "result0", "result1", "dim", "keepdim"))
def aminmax(n, low, high):
    shape, total = n.input.shape, None
    for grad, result in ((low, n.result0), (high, n.result1)):
        if grad is not None:
            result = restored(result, shape, n.dim, n.keepdim)
            part = evenly(restored(grad, shape, n.dim, n.keepdim), n.input, result, dims_of(n.dim, len(shape)))
            total = part if total is None else total + part
    return total


@derivative("max.dim", saves=("input.shape", "result1", "dim", "keepdim"), name="MaxBackward0")
@derivative("min.dim", saves=("input.shape", "result1", "dim", "keepdim"), name="MinBackward0")
def extreme_dim(n, grad, _):
    if not n.input_shape:
        return grad
    index = restored(n.result1, n.input_shape, n.dim, n.keepdim)
    grad = restored(grad, n.input_shape, n.dim, n.keepdim)
    return grad.new_zeros(n.input_shape).scatter(n.dim, index, grad)


@derivative("max.other", saves=("input", "other"), name="MaximumBackward0")
def max_other(n, grad):
    from .pointwise import maximum

    return maximum(n, grad)


@derivative("min.other", saves=("input", "other"), name="MinimumBackward0")
def min_other(n, grad):
    from .pointwise import minimum

    return minimum(n, grad)


def var_grad(grad, x, dim, correction, keepdim):
    dims = dims_of(dim, x.dim())
    mean = x.mean(dims, True) if dims else x
    freedom = max(count(x.shape, dim) - correction, 0)
    factor = 2 / freedom if freedom else math.nan
    return restored(grad, x.shape, dim, keepdim) * (x - mean) * factor


def arguments(n):
    """dim, correction and keepdim of any form of var and std."""
    if hasattr(n, "unbiased"):
        return getattr(n, "dim", None), float(n.unbiased), getattr(n, "keepdim", False)
    return n.dim, 1.0 if n.correction is None else n.correction, n.keepdim


def var(n, grad):
    return var_grad(grad, n.input, *arguments(n))


def std(n, grad):
    return var_grad((grad / (n.result * 2)).masked_fill(n.result == 0, 0), n.input, *arguments(n))


def mean_part(grad, x, dim, keepdim):
    return restored(grad, x.shape, dim, keepdim).expand(x.shape) / count(x.shape, dim)


def var_mean(n, spread, mean, root=False):
    dim, correction, keepdim = arguments(n)
    total = None
    if spread is not None:
        if root:
            spread = (spread / (n.result0 * 2)).masked_fill(n.result0 == 0, 0)
        total = var_grad(spread, n.input, dim, correction, keepdim)
    if mean is not None:
        part = mean_part(mean, n.input, dim, keepdim)
        total = part if total is None else total + part
    return total


def std_mean(n, spread, mean):
    return var_mean(n, spread, mean, root=True)


for _suffix, _saves in (
    ("", ("input", "dim", "correction", "keepdim")),
    (".dim", ("input", "dim", "unbiased", "keepdim")),
):
    derivative("var" + _suffix, saves=_saves)(var)
    derivative("std" + _suffix, saves=(*_saves, "result"))(std)
    derivative("var_mean" + _suffix, saves=_saves)(var_mean)
    derivative("std_mean" + _suffix, saves=(*_saves, "result0"))(std_mean)
derivative("var.unbiased", saves=("input", "unbiased"))(var)
derivative("std.unbiased", saves=("input", "unbiased", "result"))(std)
derivative("var_mean.unbiased", saves=("input", "unbiased"))(var_mean)
derivative("std_mean.unbiased", saves=("input", "unbiased", "result0"))(std_mean)


def norm_grad(grad, x, norm, p, dim, keepdim):
    norm, grad = restored(norm, x.shape, dim, keepdim), restored(grad, x.shape, dim, keepdim)
    if p == 0:
        return None
    if p == 1:
        return grad * x.sgn()
    if p == 2:
        return grad * (x / norm).masked_fill(norm == 0, 0)
    size = x.abs()
    if math.isinf(p):
        mask = size == norm
        dims = dims_of(dim, x.dim())
        return grad * x.sgn() * mask / (mask.sum(dims, True) if dims else mask.long())
    power = (size / norm).pow(p - 1)
    return grad * x.sgn() * power.masked_fill((norm == 0) | (size == 0), 0)


@derivative("linalg_vector_norm", saves=("input", "result", "ord", "dim", "keepdim"))
def vector_norm(n, grad):
    return norm_grad(grad, n.input, n.result, n.ord, n.dim, n.keepdim)


@derivative("logsumexp", saves=("input", "result", "dim", "keepdim"))
def logsumexp(n, grad):
    shape = n.input.shape
    result = restored(n.result, shape, n.dim, n.keepdim)
    return restored(grad, shape, n.dim, n.keepdim) * (n.input - result).exp().conj()
