"""Gradients of the operators that overwrite a tensor with one value."""

from . import derivative


@derivative("fill_", name="FillBackward3", number_name="FillBackward2")
@derivative("fill", name="FillBackward1", number_name="FillBackward0")
def fill(n, grad):
    a, value = n.needs_input_grad
    return grad.new_zeros(grad.shape) if a else None, grad.sum() if value else None


@derivative("zero")
def zero(n, grad):
    return grad.new_zeros(grad.shape)
