"""Gradients of views and of what moves elements: the same moves backwards.

Operators that only derivatives use (select_backward, ...) are the inverse of a view on zeros; the gradient of each is
the view itself, so that they can be differentiated again.
"""

from ..._C import _operator
from . import derivative

_alias = _operator("alias")
_slice = _operator("slice")
_select_backward = _operator("select_backward")
_slice_backward = _operator("slice_backward")
_diagonal_backward = _operator("diagonal_backward")
_unfold_backward = _operator("unfold_backward")
_as_strided_backward = _operator("as_strided_backward")
_cat = _operator("cat")
_stack = _operator("stack")


def _sum_to(grad, shape):
    """Sums what an expansion repeated."""
    lead = grad.dim() - len(shape)
    dims = list(range(lead)) + [lead + i for i, n in enumerate(shape) if n == 1 and grad.shape[lead + i] != 1]
    if dims:
        grad = grad.sum(dims, keepdim=True)
    return grad.reshape(shape) if lead else grad


# ---- views of all elements ----


@derivative("view", saves=("input.shape",))
def view(n, grad):
    return grad.reshape(n.input_shape)


@derivative("_unsafe_view", saves=("input.shape",), name="UnsafeViewBackward0")
def _unsafe_view(n, grad):
    return grad.reshape(n.input_shape)


@derivative("_reshape_alias", saves=("input.shape",), name="ReshapeAliasBackward0")
def _reshape_alias(n, grad):
    return grad.reshape(n.input_shape)


@derivative("alias")
def alias(n, grad):
    return grad


@derivative("permute", saves=("dims",))
def permute(n, grad):
    inverse = [0] * len(n.dims)
    for i, d in enumerate(n.dims):
        inverse[d] = i
    return grad.permute(inverse)


@derivative("transpose_", saves=("dim0", "dim1"), name="TransposeBackward1")
@derivative("transpose", saves=("dim0", "dim1"))
def transpose(n, grad):
    return grad.transpose(n.dim0, n.dim1)


@derivative("swapaxes", saves=("axis0", "axis1"), name="TransposeBackward0")
def swapaxes(n, grad):
    return grad.transpose(n.axis0, n.axis1)


@derivative("swapdims", saves=("dim0", "dim1"), name="TransposeBackward0")
def swapdims(n, grad):
    return grad.transpose(n.dim0, n.dim1)


@derivative("t_", name="TBackward1")
@derivative("t")
def t(n, grad):
    return grad.t()


@derivative("squeeze_", saves=("input.shape",), name="SqueezeBackward3")
@derivative("squeeze", saves=("input.shape",))
def squeeze(n, grad):
    return grad.reshape(n.input_shape)


@derivative("squeeze_.dim", saves=("input.shape",), name="SqueezeBackward4")
@derivative("squeeze.dim", saves=("input.shape",), name="SqueezeBackward1")
def squeeze_dim(n, grad):
    return grad.reshape(n.input_shape)


@derivative("squeeze_.dims", saves=("input.shape",), name="SqueezeBackward5")
@derivative("squeeze.dims", saves=("input.shape",), name="SqueezeBackward2")
def squeeze_dims(n, grad):
    return grad.reshape(n.input_shape)


@derivative("unsqueeze_", saves=("dim",), name="UnsqueezeBackward1")
@derivative("unsqueeze", saves=("dim",))
def unsqueeze(n, grad):
    dim = n.dim if n.dim >= 0 else n.dim + grad.dim()
    return grad.squeeze(dim)


@derivative("expand", saves=("input.shape",))
def expand(n, grad):
    return _sum_to(grad, n.input_shape)


@derivative("view_as_real")
def view_as_real(n, grad):
    from ... import view_as_complex

    return view_as_complex(grad.contiguous())


@derivative("view_as_complex")
def view_as_complex(n, grad):
    from ... import view_as_real

    return view_as_real(grad.resolve_conj() if hasattr(grad, "resolve_conj") else grad)


# ---- views of some elements ----


@derivative("select", saves=("input.shape", "dim", "index"))
def select(n, grad):
    return _select_backward(grad, n.input_shape, n.dim, n.index)


@derivative("select_backward", saves=("dim", "index"))
def select_backward(n, grad):
    return grad.select(n.dim, n.index)


@derivative("slice", saves=("input.shape", "dim", "start", "end", "step"))
def slice(n, grad):
    return _slice_backward(grad, n.input_shape, n.dim, n.start, n.end, n.step)


@derivative("slice_backward", saves=("dim", "start", "end", "step"))
def slice_backward(n, grad):
    return _slice(grad, n.dim, n.start, n.end, n.step)


@derivative("diagonal", saves=("input.shape", "offset", "dim1", "dim2"))
def diagonal(n, grad):
    return _diagonal_backward(grad, n.input_shape, n.offset, n.dim1, n.dim2)


@derivative("diagonal_copy", saves=("input.shape", "offset", "dim1", "dim2"), name="DiagonalBackward0_copy")
def diagonal_copy(n, grad):
    return _diagonal_backward(grad, n.input_shape, n.offset, n.dim1, n.dim2)


@derivative("diagonal_backward", saves=("offset", "dim1", "dim2"))
def diagonal_backward(n, grad):
    return grad.diagonal(n.offset, n.dim1, n.dim2)


@derivative("unfold", saves=("input.shape", "dimension", "size", "step"))
def unfold(n, grad):
    return _unfold_backward(grad, n.input_shape, n.dimension, n.size, n.step)


@derivative("unfold_backward", saves=("dim", "size", "step"))
def unfold_backward(n, grad):
    return grad.unfold(n.dim, n.size, n.step)


def _may_overlap(shape, stride):
    """Whether two indices of this layout may meet in one place of memory."""
    span = 0
    for step, size in sorted((s, n) for n, s in zip(shape, stride) if n != 1):
        if size == 0:
            return False
        if step <= span:
            return True
        span += (size - 1) * step
    return False


@derivative(
    "as_strided_",
    saves=("input.shape", "input.stride", "input.storage_offset", "size", "stride", "storage_offset"),
    name="AsStridedBackward1",
)
@derivative(
    "as_strided", saves=("input.shape", "input.stride", "input.storage_offset", "size", "stride", "storage_offset")
)
def as_strided(n, grad):
    shape, stride, offset = n.input_shape, n.input_stride, n.input_storage_offset
    view_offset = offset if n.storage_offset is None else n.storage_offset
    result = _as_strided_backward(grad, shape, stride, offset, n.stride, view_offset)
    if _may_overlap(shape, stride):
        # Elements of the input that share a place share its gradient.
        result = result / _as_strided_backward(grad.new_ones(shape), shape, stride, offset, stride, offset)
    return result


@derivative(
    "as_strided_backward",
    saves=("grad_output.shape", "to_strides", "to_offset", "from_strides", "from_offset"),
)
def as_strided_backward(n, grad):
    return _as_strided_backward(grad, n.grad_output_shape, n.from_strides, n.from_offset, n.to_strides, n.to_offset)


# ---- lists of views ----


def _zeros_for_missing(grads, shapes):
    one = next(g for g in grads if g is not None)
    return [one.new_zeros(s) if g is None else g for g, s in zip(grads, shapes)]


def _pieces(shape, dim, sizes):
    result = []
    for size in sizes:
        piece = list(shape)
        piece[dim] = size
        result.append(piece)
    return result


@derivative("split", saves=("tensor.shape", "split_size_or_sections", "dim"))
def split(n, *grads):
    length, size = n.tensor_shape[n.dim], n.split_size_or_sections
    sizes = [min(size, length - i * size) for i in range(len(grads))]
    return _cat(_zeros_for_missing(grads, _pieces(n.tensor_shape, n.dim, sizes)), n.dim)


@derivative("split_with_sizes", saves=("input.shape", "split_sizes", "dim"))
def split_with_sizes(n, *grads):
    return _cat(_zeros_for_missing(grads, _pieces(n.input_shape, n.dim, n.split_sizes)), n.dim)


@derivative("unbind", saves=("input.shape", "dim"))
def unbind(n, *grads):
    shape = list(n.input_shape)
    del shape[n.dim]
    return _stack(_zeros_for_missing(grads, [shape] * len(grads)), n.dim)


# ---- copies ----


def _cat_backward(n, grad):
    shapes, dtypes = n.tensors_shape, n.tensors_dtype
    result, start = [], 0
    for shape in shapes:
        if len(shape) == 1 and shape[0] == 0:
            result.append(grad.new_zeros(shape))
            continue
        end = start + shape[n.dim]
        result.append(_slice(grad, n.dim, start, end, 1))
        start = end
    return [_as_real(g, d) for g, d in zip(result, dtypes)]


def _as_real(grad, dtype):
    return grad.real if grad.is_complex() and not dtype.is_complex else grad


for _name in ("cat", "concat", "concatenate"):
    derivative(_name, saves=("tensors.shape", "tensors.dtype", "dim"), name="CatBackward0")(_cat_backward)


@derivative("stack", saves=("tensors.dtype", "dim"))
def stack(n, grad):
    return [_as_real(g, d) for g, d in zip(grad.unbind(n.dim), n.tensors_dtype)]


@derivative("repeat", saves=("input.shape", "repeats"))
def repeat(n, grad):
    shape, repeats = n.input_shape, n.repeats
    if 0 in repeats:
        return grad.new_zeros(shape)
    lead = len(repeats) - len(shape)
    wide, dims = [], []
    for i, r in enumerate(repeats):
        if r != 1 or i < lead:
            dims.append(len(wide))
            wide.append(r)
        if i >= lead:
            wide.append(shape[i - lead])
    return grad.reshape(wide).sum(dims) if dims else grad


@derivative("flip", saves=("dims",))
def flip(n, grad):
    return grad.flip(n.dims)


@derivative("roll", saves=("shifts", "dims"))
def roll(n, grad):
    return grad.roll([-s for s in n.shifts], n.dims)


@derivative("rot90", saves=("k", "dims"))
def rot90(n, grad):
    return grad.rot90(-n.k, n.dims)


@derivative("tril", saves=("diagonal",))
def tril(n, grad):
    return grad.tril(n.diagonal)


@derivative("triu", saves=("diagonal",))
def triu(n, grad):
    return grad.triu(n.diagonal)


@derivative("diag_embed", saves=("offset", "dim1", "dim2"))
def diag_embed(n, grad):
    return grad.diagonal(n.offset, n.dim1, n.dim2)
