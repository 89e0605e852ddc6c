"""Gradients of casts and copies: the engine brings a gradient back to its input's dtype."""

from . import derivative


@derivative("copy_", name="CopyBackwards")
def copy_(n, grad):
    kept, copied = n.needs_input_grad
    return grad.new_zeros(grad.shape) if kept else None, grad if copied else None


def unchanged(n, grad):
    return grad


for _name in ("clone", "contiguous"):
    derivative(_name, name="CloneBackward0")(unchanged)
for _name in (
    "_to_copy",
    "to",
    "to.device",
    "to.options",
    "float",
    "double",
    "half",
    "bfloat16",
    "cfloat",
    "cdouble",
    "cpu",
):
    derivative(_name, name="ToCopyBackward0")(unchanged)


@derivative("to.other", name="ToCopyBackward0")
@derivative("type_as", name="ToCopyBackward0")
def to_other(n, grad):
    return grad, None
