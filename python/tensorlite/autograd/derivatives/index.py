"""Gradients of reading and writing through indices: a read becomes an addition, a write a read."""

from ..._C import _operator
from . import derivative

_index = _operator("index")
_slice_backward = _operator("slice_backward")
_index_put = _operator("index_put")
_masked_scatter_backward = _operator("masked_scatter_backward")
_embedding_dense_backward = _operator("embedding_dense_backward")


# ---- one index for each element ----


def _grown(grad, shape):
    """Gradient of a source of which an index read the first part only."""
    for d, (have, want) in enumerate(zip(grad.shape, shape)):
        if have != want:
            sizes = list(grad.shape)
            sizes[d] = want
            grad = _slice_backward(grad, sizes, d, 0, have, 1)
    return grad


def _cut(t, shape):
    for d, n in enumerate(shape):
        if t.shape[d] != n:
            t = t.narrow(d, 0, n)
    return t


@derivative("gather", saves=("input.shape", "dim", "index"))
def gather(n, grad):
    return grad.new_zeros(n.input_shape).scatter_add(n.dim, n.index, grad), None


@derivative("scatter", saves=("dim", "index", "src.shape"))
def scatter(n, grad):
    a, _, b = n.needs_input_grad
    return (
        grad.scatter(n.dim, n.index, 0) if a else None,
        None,
        _grown(grad.gather(n.dim, n.index), n.src_shape) if b else None,
    )


@derivative("scatter.value", saves=("dim", "index"), name="ScatterBackward1")
def scatter_value(n, grad):
    return grad.scatter(n.dim, n.index, 0), None


@derivative("scatter_add", saves=("dim", "index", "src.shape"))
def scatter_add(n, grad):
    a, _, b = n.needs_input_grad
    return grad if a else None, None, _grown(grad.gather(n.dim, n.index), n.src_shape) if b else None


@derivative("scatter_reduce", saves=("input", "dim", "index", "src", "reduce", "include_self", "result"))
def scatter_reduce(n, grad):
    a, _, b = n.needs_input_grad
    x, result, dim, index = n.input, n.result, n.dim, n.index
    src = _cut(n.src, index.shape)
    grad_input = grad_src = None
    if n.reduce == "sum":
        grad_input = grad
        grad_src = grad.gather(dim, index)
    elif n.reduce == "mean":
        count = x.new_ones(x.shape) if n.include_self else x.new_zeros(x.shape)
        count = count.scatter_add(dim, index, src.new_ones(src.shape))
        count = count.masked_fill(count == 0, 1)
        grad_input = grad / count
        grad_src = grad_input.gather(dim, index)
    elif n.reduce == "prod":
        grad_input, grad_src = _prod(n, grad, x, src, result, dim, index)
    else:
        # Those that are the extreme share the gradient evenly.
        chosen = x == result
        chosen_src = src == result.gather(dim, index)
        count = chosen.to(x.dtype) if n.include_self else x.new_zeros(x.shape)
        count = count.scatter_add(dim, index, chosen_src.to(x.dtype))
        count = count.masked_fill(count == 0, 1)
        share = grad / count
        grad_input = share * chosen
        grad_src = share.gather(dim, index) * chosen_src
    if not n.include_self and grad_input is not None:
        grad_input = grad_input.scatter(dim, index, 0)
    return grad_input if a else None, None, _grown(grad_src, n.src.shape) if b else None


def _prod(n, grad, x, src, result, dim, index):
    # Products without one factor, where at most one factor is 0.
    zero, zero_src = x == 0, src == 0
    safe, safe_src = x.masked_fill(zero, 1), src.masked_fill(zero_src, 1)
    others = safe.scatter_reduce(dim, index, safe_src, "prod", include_self=n.include_self)
    zeros = zero.to(x.dtype) if n.include_self else x.new_zeros(x.shape)
    zeros = zeros.scatter_add(dim, index, zero_src.to(x.dtype))
    g = grad * others
    grad_input = (g / safe).masked_fill(zeros > zero.to(x.dtype), 0)
    alone = zeros.gather(dim, index)
    grad_src = (g.gather(dim, index) / safe_src).masked_fill(alone > zero_src.to(x.dtype), 0)
    return grad_input, grad_src


# ---- one index for each slice ----


@derivative("index_select", saves=("input.shape", "dim", "index"))
def index_select(n, grad):
    return grad.new_zeros(n.input_shape).index_add(n.dim, n.index, grad), None


@derivative("index_add", saves=("dim", "index", "source.shape", "alpha"))
def index_add(n, grad):
    a, _, b = n.needs_input_grad
    return grad if a else None, None, _slices(grad, n) * _conjugate(n.alpha) if b else None


def _conjugate(number):
    return number.conjugate() if isinstance(number, complex) else number


def _slices(grad, n):
    return grad.index_select(n.dim, n.index.reshape(-1)).reshape(n.source_shape)


@derivative("index_copy", saves=("dim", "index", "source.shape"))
def index_copy(n, grad):
    a, _, b = n.needs_input_grad
    return grad.index_fill(n.dim, n.index, 0) if a else None, None, _slices(grad, n) if b else None


@derivative("index_fill", saves=("dim", "index"))
def index_fill(n, grad):
    return grad.index_fill(n.dim, n.index, 0), None


@derivative("index_fill.tensor", saves=("dim", "index"), name="IndexFillBackward1")
def index_fill_tensor(n, grad):
    a, _, b = n.needs_input_grad
    grad_value = None
    if b:
        size = grad.shape[n.dim] if grad.dim() else 1
        chosen = n.index.new_zeros(size).index_fill(0, n.index, 1).nonzero().reshape(-1)  # each once
        grad_value = grad.index_select(n.dim, chosen).sum()
    return grad.index_fill(n.dim, n.index, 0) if a else None, None, grad_value


# ---- advanced indexing ----


@derivative("index", saves=("input.shape", "indices"))
def index(n, grad):
    return _index_put(grad.new_zeros(n.input_shape), n.indices, grad, True), None


@derivative("index_put", saves=("indices", "accumulate", "values.shape"))
def index_put(n, grad):
    a, _, b = n.needs_input_grad
    grad_input = grad_values = None
    if a:
        grad_input = grad if n.accumulate else _index_put(grad, n.indices, grad.new_zeros(()), False)
    if b:
        grad_values = _index(grad, n.indices)
    return grad_input, None, grad_values


@derivative("take", saves=("input.shape", "index"))
def take(n, grad):
    return grad.new_zeros(n.input_shape).put(n.index, grad, True), None


@derivative("put", saves=("index", "source.shape", "accumulate"))
def put(n, grad):
    a, _, b = n.needs_input_grad
    grad_input = grad_source = None
    if a:
        grad_input = grad if n.accumulate else grad.put(n.index, grad.new_zeros(n.source_shape), False)
    if b:
        grad_source = grad.take(n.index).reshape(n.source_shape)
    return grad_input, None, grad_source


# ---- masks ----


@derivative("masked_select", saves=("input.shape", "mask"))
def masked_select(n, grad):
    shape = _broadcast(n.input_shape, n.mask.shape)
    return grad.new_zeros(shape).masked_scatter(n.mask, grad), None


def _broadcast(a, b):
    a, b = list(a), list(b)
    longer = max(len(a), len(b))
    a, b = [1] * (longer - len(a)) + a, [1] * (longer - len(b)) + b
    return [y if x == 1 else x for x, y in zip(a, b)]


@derivative("masked_scatter", saves=("mask", "source.shape"))
def masked_scatter(n, grad):
    a, _, b = n.needs_input_grad
    return (
        grad.masked_fill(n.mask, 0) if a else None,
        None,
        _masked_scatter_backward(grad, n.mask, n.source_shape) if b else None,
    )


@derivative("masked_scatter_backward", saves=("grad_output.shape", "mask"))
def masked_scatter_backward(n, grad):
    shape = _broadcast(n.grad_output_shape, n.mask.shape)
    return grad.new_zeros(shape).masked_scatter(n.mask, grad), None


# ---- tables of vectors ----


@derivative("embedding", saves=("weight.shape", "indices", "padding_idx", "scale_grad_by_freq"))
def embedding(n, grad):
    rows = n.weight_shape[0]
    return _embedding_dense_backward(grad, n.indices, rows, n.padding_idx, n.scale_grad_by_freq), None


@derivative("embedding_dense_backward", saves=("grad_output.shape", "indices", "padding_idx", "scale_grad_by_freq"))
def embedding_dense_backward(n, grad):
    if n.scale_grad_by_freq:
        raise RuntimeError("double backward not supported with scale_grad_by_freq")
    flat = n.indices.reshape(-1)
    result = grad.index_select(0, flat)
    if n.padding_idx >= 0:
        result = result.masked_fill((flat == n.padding_idx).unsqueeze(-1), 0)
    return result.reshape(n.grad_output_shape), None
