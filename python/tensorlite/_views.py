"""Copies of views, copies with a view written into them, and other layouts in place."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from . import _C
from ._out import write_out

__all__ = [
    "as_strided_scatter",
    "block_diag",
    "diagflat",
    "diagonal_scatter",
    "index_reduce",
    "nonzero_static",
    "resize_as_",
    "select_scatter",
    "slice_scatter",
    "split_with_sizes_copy",
    "unbind_copy",
    "unravel_index",
    "unsafe_chunk",
    "unsafe_split",
]

Tensor = _C.Tensor


def _row_major(t: Tensor) -> Tensor:
    return t.clone() if t.is_contiguous() else t.contiguous()


# ---- copies of views ----


def _copy_of(name: str, view: Callable[..., Tensor]) -> Callable[..., Tensor]:
    @functools.wraps(view, assigned=("__module__",), updated=())
    def copy(*args: Any, out: Tensor | None = None, **kwargs: Any) -> Tensor:
        result = view(*args, **kwargs)
        if out is not None:
            return write_out(name, out, result, keep_strides=False)
        return _row_major(result)

    copy.__name__ = copy.__qualname__ = name
    copy.__doc__ = f"A row-major copy of what `{name.removesuffix('_copy')}` looks at; or into `out`."
    return copy


_VIEWS = {
    "alias": lambda input: input.view(input.shape) if input.is_contiguous() else input[...],
    "as_strided": _C.as_strided,
    "expand": lambda input, *size, implicit=False: input.expand(*size),
    "narrow": _C.narrow,
    "permute": _C.permute,
    "squeeze": _C.squeeze,
    "t": _C.t,
    "transpose": _C.transpose,
    "unfold": Tensor.unfold,
    "unsqueeze": _C.unsqueeze,
    "view": Tensor.view,
}
for _name, _view in _VIEWS.items():
    globals()[_name + "_copy"] = _copy_of(_name + "_copy", _view)
__all__ += [name + "_copy" for name in _VIEWS]


def _copies(views: Sequence[Tensor], out: Any) -> Any:
    if out is None:
        return tuple(_row_major(v) for v in views)
    for o, v in zip(out, views, strict=True):
        write_out("copy", o, v, keep_strides=False)
    return None


def unbind_copy(input: Tensor, dim: int = 0, *, out: Any = None) -> Any:
    """Copies of all slices along a dimension."""
    return _copies(_C.unbind(input, dim), out)


def split_with_sizes_copy(input: Tensor, split_sizes: Sequence[int], dim: int = 0, *, out: Any = None) -> Any:
    """Copies of the parts of these sizes along a dimension."""
    return _copies(_C.split_with_sizes(input, split_sizes, dim), out)


def unsafe_split(tensor: Tensor, split_size: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """`split` whose results count as tensors of their own: each may be written in place under autograd."""
    return tuple(_C._unsafe_view(v, v.shape) for v in _C.split(tensor, split_size, dim))


def unsafe_chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """`chunk` whose results count as tensors of their own."""
    return tuple(_C._unsafe_view(v, v.shape) for v in _C.chunk(input, chunks, dim))


# ---- a view of a copy, written ----


def _scatter(input: Tensor, view: Callable[[Tensor], Tensor], src: Tensor, name: str, out: Any) -> Tensor:
    result = input.clone()
    target = view(result)
    if src.shape != target.shape:
        raise RuntimeError(
            f"expected src to have a size equal to the slice of self. src size = {list(src.shape)}, "
            f"slice size = {list(target.shape)}"
        )
    target.copy_(src)
    return result if out is None else write_out(name, out, result)


def select_scatter(input: Tensor, src: Tensor, dim: int, index: int, *, out: Any = None) -> Tensor:
    """A copy of `input` with `src` in place of `input.select(dim, index)`."""
    return _scatter(input, lambda t: t.select(dim, index), src, "select_scatter", out)


def slice_scatter(
    input: Tensor,
    src: Tensor,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
    *,
    out: Any = None,
) -> Tensor:
    """A copy of `input` with `src` in place of the slice start:end:step of a dimension."""

    def view(t: Tensor) -> Tensor:
        return t[(slice(None),) * (dim % t.dim()) + (slice(start, end, step),)]

    return _scatter(input, view, src, "slice_scatter", out)


def diagonal_scatter(
    input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1, *, out: Any = None
) -> Tensor:
    """A copy of `input` with `src` on a diagonal of two dimensions."""
    return _scatter(input, lambda t: t.diagonal(offset, dim1, dim2), src, "diagonal_scatter", out)


def as_strided_scatter(
    input: Tensor,
    src: Tensor,
    size: Sequence[int],
    stride: Sequence[int],
    storage_offset: int | None = None,
    *,
    out: Any = None,
) -> Tensor:
    """A copy of `input` with `src` in place of `input.as_strided(size, stride, storage_offset)`."""
    return _scatter(input, lambda t: t.as_strided(size, stride, storage_offset), src, "as_strided_scatter", out)


# ---- made of other operators ----


def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """The matrix with all elements of `input`, in row-major order, on a diagonal."""
    return _C.diag(input.reshape(-1), offset)


def block_diag(*tensors: Any) -> Tensor:
    """The matrix (sum of rows, sum of columns) with the matrices along its diagonal; fewer dims count as one row.

    >>> torch.block_diag(torch.ones(1, 2), torch.tensor(5.0))
    tensor([[1., 1., 0.],
            [0., 0., 5.]])
    """
    matrices = []
    for i, t in enumerate(tensors):
        if t.dim() > 2:
            raise RuntimeError(
                f"torch.block_diag: Input tensors must have 2 or fewer dimensions. Input {i} has {t.dim()} dimensions"
            )
        matrices.append(t if t.dim() == 2 else t.reshape(1, -1))
    if not matrices:
        return _C.empty(1, 0)
    dtype = functools.reduce(_C.promote_types, (m.dtype for m in matrices))
    columns = sum(m.shape[1] for m in matrices)
    rows, at = [], 0
    for m in matrices:
        left = m.new_zeros((m.shape[0], at), dtype=dtype)
        right = m.new_zeros((m.shape[0], columns - at - m.shape[1]), dtype=dtype)
        rows.append(_C.cat([left, m, right], 1))
        at += m.shape[1]
    return _C.cat(rows)


def unravel_index(indices: Tensor, shape: int | Sequence[int]) -> tuple[Tensor, ...]:
    """The coordinates, a tensor for each dimension of `shape`, of places in the row-major order.

    >>> torch.unravel_index(torch.tensor([5, 2]), (2, 3))
    (tensor([1, 0]), tensor([2, 2]))
    """
    if not isinstance(indices, Tensor):
        raise TypeError(f"unravel_index(): argument 'indices' must be Tensor, not {type(indices).__name__}")
    if indices.dtype.is_floating_point or indices.dtype.is_complex or indices.dtype == _C.bool:
        raise ValueError(f"expected 'indices' to be integer dtype, but got {indices.dtype}")
    if not isinstance(shape, (int, Sequence)):
        raise TypeError(f"expected 'shape' to be int or sequence of ints, but got {type(shape)}")
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    for n in sizes:
        if not isinstance(n, int):
            raise TypeError(f"expected 'shape' sequence to only contain ints, but got {type(n)}")
        if n < 0:
            raise ValueError(f"'shape' cannot have negative values, but got {tuple(sizes)}")
    steps = [1] * len(sizes)
    for i in range(len(sizes) - 1, 0, -1):
        steps[i - 1] = steps[i] * sizes[i]
    places = indices.unsqueeze(-1).div(indices.new_tensor(steps, dtype=_C.int64), rounding_mode="floor")
    return _C.unbind(places % indices.new_tensor(sizes, dtype=_C.int64), -1)


def nonzero_static(input: Tensor, *, size: int, fill_value: int = -1, out: Any = None) -> Tensor:
    """The first `size` coordinates of what is not zero, a row for each; rows of `fill_value` where there are fewer."""
    if size < 0:
        raise RuntimeError(f"nonzero_static: 'size' must be an non-negative integer, but got {size}")
    found = input.nonzero()[:size]
    result = found.new_full((size, input.dim()), fill_value)
    result[: found.shape[0]] = found
    return result if out is None else write_out("nonzero_static", out, result)


def index_reduce(
    input: Tensor,
    dim: int,
    index: Tensor,
    source: Tensor,
    reduce: str,
    *,
    include_self: bool = True,
    out: Any = None,
) -> Tensor:
    """Slices of `source` reduced ("prod", "mean", "amax", "amin") into the slices of `input` that `index` names."""
    arguments = _reduced(input, dim, index, source, reduce)
    return _C.scatter_reduce(input, *arguments, include_self=include_self, **({} if out is None else {"out": out}))


def _reduced(input: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str) -> tuple[Any, ...]:
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(f"reduce argument must be either prod, mean, amax or amin. Got {reduce}.")
    if index.dim() > 1:
        raise IndexError(f"index_reduce_(): Index is supposed to be a vector, but got dim: {index.dim()}")
    if source.dim():
        index = index.reshape([-1 if d == dim % source.dim() else 1 for d in range(source.dim())]).expand_as(source)
    elif index.numel() == 1:
        index = index.reshape(())
    return dim, index, source, reduce


def index_reduce_(
    self: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """`index_reduce` in place."""
    return self.scatter_reduce_(*_reduced(self, dim, index, source, reduce), include_self=include_self)


def sum_to_size(self: Tensor, *size: Any) -> Tensor:
    """Sums over the dimensions along which a tensor of `size` would have been broadcast to this shape."""
    sizes = tuple(size[0]) if len(size) == 1 and not isinstance(size[0], int) else size
    new = self.dim() - len(sizes)
    if new < 0 or any(n not in (1, m) for n, m in zip(sizes, self.shape[new:])):
        raise RuntimeError(f"size {{{list(sizes)}}} is not expandable to size {{{list(self.shape)}}}.")
    dims = [*range(new), *(new + i for i, n in enumerate(sizes) if n == 1 and self.shape[new + i] != 1)]
    if not sizes:
        return self.sum()
    summed = self.sum(dims, keepdim=True) if dims else self
    return summed.view(sizes) if new else summed


def fill_diagonal_(self: Tensor, fill_value: Any, wrap: bool = False) -> Tensor:
    """Writes one value on the main diagonal of two or more equal dims; `wrap` starts it anew below a tall matrix.

    >>> torch.zeros(3, 2).fill_diagonal_(1)
    tensor([[1., 0.],
            [0., 1.],
            [0., 0.]])
    """
    if self.dim() < 2:
        raise RuntimeError("dimensions must larger than 1")
    height, width = self.shape[0], self.shape[1]
    if self.dim() > 2 and any(n != height for n in self.shape):
        raise RuntimeError("all dimensions of input must be of equal length")
    step, side = sum(self.stride()), min(height, width)
    self.as_strided((side,), (step,), self.storage_offset()).fill_(fill_value)
    if wrap and self.dim() == 2 and height > width + 1:
        row = self.stride(0) * (width + 1)
        for start in range(width + 1, height, width + 1):
            rest = min(width, height - start)
            offset = self.storage_offset() + row * (start // (width + 1))
            self.as_strided((rest,), (step,), offset).fill_(fill_value)
    return self


def resize_as_(input: Tensor, the_template: Tensor, *, memory_format: Any = None) -> Tensor:
    """`resize_` to the sizes of another tensor."""
    return input.resize_as_(the_template, memory_format=memory_format)
