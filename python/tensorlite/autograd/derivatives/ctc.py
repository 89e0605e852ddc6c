"""The gradient of connectionist temporal classification; it has none of its own."""

from ... import _C
from . import derivative

_ARGUMENTS = ("targets", "input_lengths", "target_lengths", "blank", "zero_infinity")


@derivative("ctc_loss", saves=("log_probs", "result0", "result1", *_ARGUMENTS))
def ctc_loss(n, grad, _):
    loss, alpha = n.result0.detach(), n.result1.detach()
    return _C.nn.ctc_loss_backward(
        grad, n.log_probs, n.targets, n.input_lengths, n.target_lengths, loss, alpha, n.blank, n.zero_infinity
    ), None


@derivative("ctc_loss_backward")
def ctc_loss_backward(n, grad):
    raise RuntimeError("the derivative for '_ctc_loss_backward' is not implemented.")
