"""Gradients of convolutions, by convolutions; and of padding."""

from ... import _C
from . import derivative

GEOMETRY = ("stride", "padding", "dilation", "transposed", "output_padding", "groups")


def geometry(n):
    return n.stride, n.padding, n.dilation, n.transposed, n.output_padding, n.groups


@derivative("convolution", saves=("input", "weight", *GEOMETRY))
def convolution(n, grad):
    return tuple(_C.convolution_backward(grad, n.input, n.weight, *geometry(n), *n.needs_input_grad))


@derivative("convolution_backward", saves=("grad_output", "input", "weight", *GEOMETRY))
def convolution_backward(n, grad_input, grad_weight, grad_bias):
    """The three gradients are linear in grad_output and in weight or input: each part is a convolution again."""
    g, x, w = n.needs_input_grad
    shape = geometry(n)
    to_grad = to_input = to_weight = None
    if g:
        parts = []
        if grad_input is not None:
            parts.append(_C.convolution(grad_input, n.weight, None, *shape))
        if grad_weight is not None:
            parts.append(_C.convolution(n.input, grad_weight, None, *shape))
        if grad_bias is not None:
            parts.append(grad_bias.view(1, -1, *[1] * (n.input.dim() - 2)).expand_as(n.grad_output))
        for part in parts:
            to_grad = part if to_grad is None else to_grad + part
    if x and grad_weight is not None:
        to_input = _C.convolution_backward(n.grad_output, n.input, grad_weight, *shape, True, False, False)[0]
    if w and grad_input is not None:
        to_weight = _C.convolution_backward(n.grad_output, grad_input, n.weight, *shape, False, True, False)[1]
    return to_grad, to_input, to_weight


@derivative("constant_pad_nd", saves=("pad",))
def constant_pad_nd(n, grad):
    return _C.constant_pad_nd(grad, [-p for p in n.pad])
