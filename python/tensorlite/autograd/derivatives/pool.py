"""Gradients of poolings."""

from ... import _C
from . import derivative

_MAX_SAVES = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")
_AVG_SAVES = ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override")


def _each(value, dims):
    return tuple(value) * dims if len(value) == 1 else tuple(value)


def _max_windows(n, dims):
    return _each(n.kernel_size, dims), n.stride, n.padding, n.dilation, n.ceil_mode


def _at(values, indices, dims):
    """The elements that a pooling over the last `dims` dims chose."""
    return values.flatten(-dims).gather(-1, indices.flatten(-dims)).view(indices.shape)


def _max_pool(dims):
    def without_indices(n, grad):
        return _C.nn.max_pool_backward(grad, n.input, None, *_max_windows(n, dims))

    def with_indices(n, grad, _):
        return _C.nn.max_pool_backward(grad, n.input, n.result1, *_max_windows(n, dims))

    def adaptive(n, grad, _):
        return _C.nn.adaptive_max_pool_backward(grad, n.input, n.result1, dims)

    name = f"MaxPool{dims}DWithIndicesBackward0"
    derivative(f"max_pool{dims}d", saves=("input", *_MAX_SAVES), name=name)(without_indices)
    derivative(f"max_pool{dims}d_with_indices", saves=("input", "result1", *_MAX_SAVES), name=name)(with_indices)
    derivative(f"adaptive_max_pool{dims}d", saves=("input", "result1"), name=f"AdaptiveMaxPool{dims}DBackward0")(
        adaptive
    )


def _avg_pool(dims):
    def plain(n, grad):
        windows = (_each(n.kernel_size, dims), n.stride, n.padding, n.ceil_mode, n.count_include_pad)
        return _C.nn.avg_pool_backward(grad, n.input_shape, n.input_stride, *windows, n.divisor_override)

    def adaptive(n, grad):
        return _C.nn.adaptive_avg_pool_backward(grad, n.input_shape, n.input_stride, dims)

    derivative(f"avg_pool{dims}d", saves=("input.shape", "input.stride", *_AVG_SAVES), name=f"AvgPool{dims}DBackward0")(
        plain
    )
    derivative(
        f"adaptive_avg_pool{dims}d", saves=("input.shape", "input.stride"), name=f"AdaptiveAvgPool{dims}DBackward0"
    )(adaptive)


for _dims in (2, 3):
    _max_pool(_dims)
    _avg_pool(_dims)


@derivative("max_pool_backward", saves=("input", "indices", *_MAX_SAVES))
def max_pool_backward(n, grad):
    dims, indices = len(n.kernel_size), n.indices
    if indices is None:
        find = _C.nn.max_pool2d_with_indices if dims == 2 else _C.nn.max_pool3d_with_indices
        indices = find(n.input.detach(), *_max_windows(n, dims))[1]
    return _at(grad, indices, dims), None, None


@derivative("adaptive_max_pool_backward", saves=("indices", "spatial"))
def adaptive_max_pool_backward(n, grad):
    return _at(grad, n.indices, n.spatial), None, None


@derivative("avg_pool_backward", saves=_AVG_SAVES)
def avg_pool_backward(n, grad):
    pool = _C.nn.avg_pool2d if len(n.kernel_size) == 2 else _C.nn.avg_pool3d
    windows = (n.kernel_size, n.stride, n.padding, n.ceil_mode, n.count_include_pad)
    return pool(grad, *windows, n.divisor_override)


@derivative("adaptive_avg_pool_backward", saves=("grad_output.shape", "spatial"))
def adaptive_avg_pool_backward(n, grad):
    pool = _C.nn.adaptive_avg_pool2d if n.spatial == 2 else _C.nn.adaptive_avg_pool3d
    return pool(grad, n.grad_output_shape[-n.spatial :])
