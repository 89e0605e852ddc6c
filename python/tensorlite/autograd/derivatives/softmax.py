"""Gradients of softmax and its logarithm."""

from ... import _C
from . import derivative

_SAVES = ("result", "dim")
_SAVES_OF_BACKWARD = ("grad_output", "output", "dim")


@derivative("softmax", saves=_SAVES)
def softmax(n, grad):
    y = n.result
    return _C._softmax_backward_data(grad, y, n.dim, y.dtype)


@derivative("log_softmax", saves=_SAVES)
def log_softmax(n, grad):
    y = n.result
    return _C._log_softmax_backward_data(grad, y, n.dim, y.dtype)


@derivative("_softmax_backward_data", saves=_SAVES_OF_BACKWARD)
def softmax_backward_data(n, grad):
    for_grad, for_output = n.needs_input_grad
    g, y, dim = n.grad_output, n.output, n.dim
    result = [None, None]
    if for_grad:
        result[0] = _C._softmax_backward_data(grad, y, dim, y.dtype)
    if for_output:
        result[1] = grad * g - grad * (g * y).sum(dim, keepdim=True) - g * (grad * y).sum(dim, keepdim=True)
    return tuple(result)


@derivative("_log_softmax_backward_data", saves=_SAVES_OF_BACKWARD)
def log_softmax_backward_data(n, grad):
    for_grad, for_output = n.needs_input_grad
    p, dim = n.output.exp(), n.dim
    result = [None, None]
    if for_grad:
        result[0] = grad - (grad * p).sum(dim, keepdim=True)
    if for_output:
        result[1] = -grad * p * n.grad_output.sum(dim, keepdim=True)
    return tuple(result)
