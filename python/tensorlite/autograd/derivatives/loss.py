"""Gradients of losses."""

from ... import _C
from . import derivative

_NONE, _MEAN = 0, 1  # reductions


def _refuse(*wanted):
    if any(wanted):
        raise RuntimeError("the derivative for 'weight' is not implemented. Detach the weight.")


# Negative log likelihood


def _nll_loss(n, grad, _):
    _refuse(*n.needs_input_grad[1:])
    return (
        _C.nn.nll_loss_backward(
            grad, n.input_shape, n.target, n.weight, n.reduction, n.ignore_index, n.result1.detach()
        ),
        None,
        None,
    )


_NLL_SAVES = ("input.shape", "target", "weight", "reduction", "ignore_index", "result1")
derivative("nll_loss_forward", saves=_NLL_SAVES, name="NllLossBackward0")(_nll_loss)
derivative("nll_loss2d_forward", saves=_NLL_SAVES, name="NllLoss2DBackward0")(_nll_loss)


@derivative("nll_loss_backward", saves=("target", "weight", "reduction", "ignore_index"))
def nll_loss_backward(n, grad):
    _refuse(*n.needs_input_grad[1:])
    # The loss is linear in its input, and so is the gradient in grad_output.
    return _C.nn.nll_loss(grad, n.target, n.weight, n.reduction, n.ignore_index), None, None, None


# Losses of pairs of elements. With the loss of one pair f(x, t): the backward operator gives g * s * f_x(x, t), where
# s is 1 / the number of pairs for a mean.


def _scaled(n, value):
    return value / value.numel() if n.reduction == _MEAN else value


def _reduced(n, value):
    """To the shape of the loss."""
    if n.reduction == _NONE:
        return value
    return value.mean() if n.reduction == _MEAN else value.sum()


def _difference_loss(name, *options):
    """Losses of x - t: the target's gradient is the input's with another sign."""
    forward_saves = ("input", "target", "reduction", *options)
    backward = f"{name}_backward"

    def first(n, grad):
        for_input, for_target = n.needs_input_grad
        d = getattr(_C.nn, backward)(grad, n.input, n.target, n.reduction, *(getattr(n, o) for o in options))
        return d if for_input else None, -d if for_target else None

    derivative(name, saves=forward_saves)(first)

    def decorate(curvature):
        def second(n, grad):
            for_grad, for_input, for_target = n.needs_input_grad
            result = [None, None, None]
            if for_grad:
                slopes = getattr(_C.nn, backward)(grad, n.input, n.target, _NONE, *(getattr(n, o) for o in options))
                result[0] = _reduced(n, slopes)
            if for_input or for_target:
                d = _scaled(n, grad * n.grad_output * curvature(n))
                result[1:] = d, -d
            return tuple(result)

        derivative(backward, saves=("grad_output", *forward_saves))(second)
        return curvature

    return decorate


@_difference_loss("mse_loss")
def _mse_curvature(n):
    return 2


@_difference_loss("smooth_l1_loss", "beta")
def _smooth_l1_curvature(n):
    return ((n.input - n.target).abs() < n.beta) / n.beta if n.beta else 0


@_difference_loss("huber_loss", "delta")
def _huber_curvature(n):
    return ((n.input - n.target).abs() <= n.delta).to(n.input.dtype)


# Binary cross entropy


def _times(value, weight):
    return value if weight is None else value * weight


@derivative("binary_cross_entropy", saves=("input", "target", "weight", "reduction"))
def binary_cross_entropy(n, grad):
    for_input, for_target, for_weight = n.needs_input_grad
    x, t = n.input, n.target
    result = [None, None, None]
    if for_input:
        result[0] = _C.nn.binary_cross_entropy_backward(grad, x, t, n.weight, n.reduction)
    if for_target:
        slope = (-x).log1p().clamp(min=-100) - x.log().clamp(min=-100)
        result[1] = _scaled(n, _times(grad * slope, n.weight))
    if for_weight:
        result[2] = _scaled(n, grad * _C.nn.binary_cross_entropy(x, t, None, _NONE))
    return tuple(result)


@derivative("binary_cross_entropy_backward", saves=("grad_output", "input", "target", "weight", "reduction"))
def binary_cross_entropy_backward(n, grad):
    for_grad, for_input, for_target, for_weight = n.needs_input_grad
    x, t, g = n.input, n.target, n.grad_output
    result = [None, None, None, None]
    variance = ((1 - x) * x).clamp(min=1e-12)
    if for_grad:
        result[0] = _reduced(n, _C.nn.binary_cross_entropy_backward(grad, x, t, n.weight, _NONE))
    if for_input:
        curvature = (x * x - 2 * x * t + t) / (variance * variance)
        result[1] = _scaled(n, _times(grad * g * curvature, n.weight))
    if for_target:
        result[2] = _scaled(n, _times(-grad * g / variance, n.weight))
    if for_weight:
        result[3] = _scaled(n, grad * g * (x - t) / variance)
    return tuple(result)


def _softplus_minus(x):
    """log(1 + exp(-x))"""
    return (-x.abs()).exp().log1p() + (-x).clamp(min=0)


@derivative(
    "binary_cross_entropy_with_logits",
    saves=("input", "target", "weight", "pos_weight", "reduction"),
)
def binary_cross_entropy_with_logits(n, grad):
    for_input, for_target, for_weight, for_pos_weight = n.needs_input_grad
    x, t, pos = n.input, n.target, n.pos_weight
    result = [None, None, None, None]
    if for_input:
        result[0] = _C.nn.binary_cross_entropy_with_logits_backward(grad, x, t, n.weight, pos, n.reduction)
    if for_target:
        slope = -x if pos is None else (pos - 1) * _softplus_minus(x) - x
        result[1] = _scaled(n, _times(grad * slope, n.weight))
    if for_weight:
        result[2] = _scaled(n, grad * _C.binary_cross_entropy_with_logits(x, t, None, pos, _NONE))
    if for_pos_weight:
        result[3] = _scaled(n, _times(grad * t * _softplus_minus(x), n.weight))
    return tuple(result)


@derivative(
    "binary_cross_entropy_with_logits_backward",
    saves=("grad_output", "input", "target", "weight", "pos_weight", "reduction"),
)
def binary_cross_entropy_with_logits_backward(n, grad):
    for_grad, for_input, for_target, for_weight, for_pos_weight = n.needs_input_grad
    x, t, g, pos = n.input, n.target, n.grad_output, n.pos_weight
    s = x.sigmoid()
    gain = 1 if pos is None else (pos - 1) * t + 1
    result = [None] * 5
    if for_grad:
        slopes = _C.nn.binary_cross_entropy_with_logits_backward(grad, x, t, n.weight, pos, _NONE)
        result[0] = _reduced(n, slopes)
    if for_input:
        result[1] = _scaled(n, _times(grad * g * gain * s * (1 - s), n.weight))
    if for_target:
        slope = -1 if pos is None else (pos - 1) * s - pos
        result[2] = _scaled(n, _times(grad * g * slope, n.weight))
    if for_weight:
        result[3] = _scaled(n, grad * g * (gain * s - (t if pos is None else pos * t)))
    if for_pos_weight:
        result[4] = _scaled(n, _times(grad * g * t * (s - 1), n.weight))
    return tuple(result)
