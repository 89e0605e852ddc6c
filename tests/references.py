"""NumPy references of operators that NumPy has no function for. Slow and plain on purpose."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def erf(x: np.ndarray) -> np.ndarray:
    return np.vectorize(math.erf, otypes=[np.float64])(x)


def pair(v: Any) -> tuple[int, int]:
    return (v, v) if isinstance(v, int) else tuple(v)


def axes(dim: Any) -> Any:
    return tuple(dim) if isinstance(dim, list) else dim


def reduction(f: Any) -> Any:
    """A NumPy reduction with PyTorch's parameter names."""

    def reference(x: np.ndarray, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> np.ndarray:
        x = x if dtype is None else x.astype(dtype)
        return f(x, axis=None if dim == () or x.ndim == 0 else axes(dim), keepdims=keepdim)

    return reference


def variance(
    x: np.ndarray, dim: Any = None, unbiased: bool = True, correction: Any = None, keepdim: bool = False
) -> Any:
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    ddof = int(unbiased) if correction is None else correction
    with np.errstate(all="ignore"):
        mean = x.mean(axis=axes(dim), keepdims=True)
        count = x.size // max(mean.size, 1)
        total = (np.abs(x - mean) ** 2).sum(axis=axes(dim), keepdims=keepdim)
        return total / max(count - ddof, 0)


def extreme(f: Any, argf: Any, elementwise: Any) -> Any:
    """max and min: of everything, along a dim with indices, or of two tensors."""

    def reference(x: np.ndarray, dim: Any = None, keepdim: bool = False) -> Any:
        if dim is None:
            return f(x)
        if isinstance(dim, np.ndarray):
            return elementwise(x, dim)
        if x.ndim == 0:
            return x, np.array(0)
        return f(x, axis=dim, keepdims=keepdim), argf(x, axis=dim, keepdims=keepdim)

    return reference


def argument(argf: Any) -> Any:
    def reference(x: np.ndarray, dim: Any = None, keepdim: bool = False) -> Any:
        if x.ndim == 0:
            return np.array(0)
        return argf(x, axis=dim, keepdims=keepdim)

    return reference


def log_softmax(x: np.ndarray, dim: int, dtype: Any = None) -> np.ndarray:
    if x.ndim == 0 or x.size == 0:
        return np.zeros_like(x)
    shifted = x - x.max(axis=dim, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=dim, keepdims=True))


def softmax(x: np.ndarray, dim: int, dtype: Any = None) -> np.ndarray:
    return np.exp(log_softmax(x, dim))


def one_hot(x: np.ndarray, num_classes: int = -1) -> np.ndarray:
    classes = num_classes if num_classes > 0 else int(x.max()) + 1
    return (x[..., None] == np.arange(classes)).astype(np.int64)


def scatter(x: np.ndarray, dim: int, index: np.ndarray, src: Any) -> np.ndarray:
    result = x.copy()
    if index.size == 0:
        return result
    if x.ndim == 0:
        return np.array(src if np.isscalar(src) else src.reshape(-1)[0], x.dtype)
    if isinstance(src, np.ndarray) and src.ndim:
        src = src[tuple(slice(0, n) for n in index.shape)]
    np.put_along_axis(window(result, index, dim), index, src, axis=dim)
    return result


def scatter_add(x: np.ndarray, dim: int, index: np.ndarray, src: np.ndarray) -> np.ndarray:
    result = x.copy()
    for place in np.ndindex(index.shape):
        target = list(place)
        target[dim] = index[place]
        result[tuple(target)] += src[place]
    return result


def window(x: np.ndarray, index: np.ndarray, dim: int) -> np.ndarray:
    """The part of x that an index of this shape can reach."""
    dim %= x.ndim
    return x[tuple(slice(None) if d == dim else slice(0, index.shape[d]) for d in range(x.ndim))]


def gather(x: np.ndarray, dim: int, index: np.ndarray) -> np.ndarray:
    if x.ndim == 0 or index.size == 0:
        return np.broadcast_to(x, index.shape) if x.ndim == 0 else np.zeros(index.shape, x.dtype)
    return np.take_along_axis(window(x, index, dim), index, axis=dim)


def patches(x: np.ndarray, kernel: Any, stride: Any, padding: Any, dilation: Any, fill: float) -> np.ndarray:
    """(N, C, out_h, out_w, k_h, k_w): what the kernel sees at every place."""
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = pair(kernel), pair(stride), pair(padding), pair(dilation)
    x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=fill)
    height = (x.shape[2] - dh * (kh - 1) - 1) // sh + 1
    width = (x.shape[3] - dw * (kw - 1) - 1) // sw + 1
    out = np.empty((*x.shape[:2], height, width, kh, kw), x.dtype)
    for i in range(kh):
        for j in range(kw):
            out[..., i, j] = x[:, :, i * dh : i * dh + sh * height : sh, j * dw : j * dw + sw * width : sw][
                :, :, :height, :width
            ]
    return out


def conv2d(x: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
           groups: int = 1) -> np.ndarray:  # fmt: skip
    if x.ndim == 3:
        return conv2d(x[None], weight, bias, stride, padding, dilation, groups)[0]
    if padding == "same":
        padding = tuple(d * (k - 1) // 2 for d, k in zip(pair(dilation), weight.shape[2:]))
    if padding == "valid":
        padding = 0
    seen = patches(x, weight.shape[2:], stride, padding, dilation, 0)
    n, c, h, w, kh, kw = seen.shape
    seen = seen.reshape(n, groups, c // groups, h, w, kh, kw)
    grouped = weight.reshape(groups, weight.shape[0] // groups, c // groups, kh, kw)
    out = np.einsum("ngchwij,gocij->ngohw", seen, grouped).reshape(n, weight.shape[0], h, w)
    return out if bias is None else out + bias[:, None, None]


def max_pool2d(x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1) -> np.ndarray:
    if x.ndim == 3:
        return max_pool2d(x[None], kernel_size, stride, padding, dilation)[0]
    stride = kernel_size if stride is None else stride
    fill = -np.inf if x.dtype.kind == "f" else np.iinfo(np.int64).min
    return patches(x, kernel_size, stride, padding, dilation, fill).max(axis=(-2, -1))


def reduce_loss(values: np.ndarray, how: str) -> np.ndarray:
    return {"none": lambda v: v, "mean": np.mean, "sum": np.sum}[how](values)


def nll_loss(x: Any, target: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> np.ndarray:
    if x.ndim == 1:
        weights = 1.0 if weight is None else weight[target]
        return np.asarray(-x[target] * (1.0 if reduction == "mean" else weights))
    keep = target != ignore_index
    safe = np.where(keep, target, 0)
    weights = (np.ones(x.shape[1]) if weight is None else weight)[safe] * keep
    losses = -np.take_along_axis(x, safe[:, None], 1)[:, 0] * weights
    with np.errstate(invalid="ignore"):
        return losses.sum() / weights.sum() if reduction == "mean" else reduce_loss(losses, reduction)


def cross_entropy(x: Any, target: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean",
                  label_smoothing: float = 0.0) -> np.ndarray:  # fmt: skip
    dim = 0 if x.ndim == 1 else 1
    logs = log_softmax(x, dim)
    if target.dtype.kind == "f":
        losses = -(logs * target).sum(dim)
        return losses.sum() / (x.size // x.shape[dim]) if reduction == "mean" else reduce_loss(losses, reduction)
    hard = nll_loss(logs, target, weight, ignore_index, reduction)
    if not label_smoothing:
        return hard
    assert weight is None
    keep = target != ignore_index
    smooth = -logs.sum(dim) * keep
    smooth = smooth.sum() / keep.sum() if reduction == "mean" else reduce_loss(smooth, reduction)
    return (1 - label_smoothing) * hard + label_smoothing / x.shape[dim] * smooth
