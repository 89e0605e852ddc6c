"""Gradients of the operators that overwrite a tensor with one value."""

from . import derivative


@derivative("fill")
def fill(n, grad):
    a, value = n.needs_input_grad
    return grad.new_zeros(grad.shape) if a else None, grad.sum() if value else None


@derivative("zero")
def zero(n, grad):
    return grad.new_zeros(grad.shape)
