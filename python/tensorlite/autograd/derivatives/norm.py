"""Gradients of batch, layer and group norm.

With z = (x - mean) * rstd over `dims`, u = grad * weight and the projection P(v) = v - mean(v) - z * mean(v * z), the
gradient of the input is rstd * P(u), that of the weight the sum of grad * z, that of the bias the sum of grad.
"""

from ... import _C
from . import derivative


def _second(x, g, w, mean, rstd, dims, for_input, for_weight, for_bias):
    """Gradients through the backward of a normalisation.

    All arguments broadcast against x; the last three are the gradients of what the backward gave, or None. Returns the
    gradients of g and x, and that of w before it is summed (None where zero).
    """
    z = (x - mean) * rstd
    u = g * w

    def projected(v):
        return v - v.mean(dims, keepdim=True) - z * (v * z).mean(dims, keepdim=True)

    of_g = of_x = of_w = None

    def add(a, b):
        return b if a is None else a + b

    if for_input is not None:
        v = for_input
        p = rstd * projected(v)
        of_g, of_w = w * p, g * p
        mix = v * (u * z).mean(dims, keepdim=True) + u * (v * z).mean(dims, keepdim=True)
        of_x = -rstd * rstd * (projected(mix) + z * (v * projected(u)).mean(dims, keepdim=True))
    if for_weight is not None:
        of_g = add(of_g, for_weight * z)
        of_x = add(of_x, rstd * projected(g * for_weight))
    if for_bias is not None:
        of_g = add(of_g, for_bias.expand(x.shape))
    return of_g, of_x, of_w


def _sum(value, dims):
    return None if value is None else value.sum(dims)


# Batch norm


@derivative(
    "native_batch_norm", saves=("input", "weight", "training", "result1", "result2"), name="NativeBatchNormBackward0"
)
def native_batch_norm(n, grad, *_):
    gx, gw, gb = _C.nn.native_batch_norm_backward(grad, n.input, n.weight, n.result1, n.result2, n.training)
    return gx, gw, gb, None, None


@derivative(
    "native_batch_norm_backward", saves=("grad_output", "input", "weight", "mean", "invstd", "training")
)
def native_batch_norm_backward(n, for_input, for_weight, for_bias):
    x, g = n.input, n.grad_output
    shape = (1, -1) + (1,) * (x.dim() - 2)
    dims = tuple(d for d in range(x.dim()) if d != 1)

    def per_channel(t):
        return None if t is None else t.reshape(shape)

    w = 1 if n.weight is None else per_channel(n.weight)
    mean, rstd = per_channel(n.mean.detach()), per_channel(n.invstd.detach())
    for_weight, for_bias = per_channel(for_weight), per_channel(for_bias)
    if n.training:
        of_g, of_x, of_w = _second(x, g, w, mean, rstd, dims, for_input, for_weight, for_bias)
    else:
        of_g = of_x = of_w = None
        if for_input is not None:
            of_g, of_w = for_input * (w * rstd), g * for_input * rstd
        if for_weight is not None:
            part = for_weight * ((x - mean) * rstd)
            of_g, of_x = part if of_g is None else of_g + part, g * (for_weight * rstd)
        if for_bias is not None:
            of_g = for_bias.expand(x.shape) if of_g is None else of_g + for_bias
    return of_g, of_x, _sum(of_w, dims), None, None


# Layer norm


@derivative(
    "native_layer_norm",
    saves=("input", "normalized_shape", "weight", "result1", "result2"),
    name="NativeLayerNormBackward0",
)
def native_layer_norm(n, grad, *_):
    wanted = any(n.needs_input_grad[1:])
    return _C.nn.native_layer_norm_backward(
        grad, n.input, n.normalized_shape, n.result1, n.result2, n.weight, wanted
    )


@derivative(
    "native_layer_norm_backward", saves=("grad_output", "input", "normalized_shape", "mean", "rstd", "weight")
)
def native_layer_norm_backward(n, for_input, for_weight, for_bias):
    x = n.input
    first = x.dim() - len(n.normalized_shape)
    dims = tuple(range(first, x.dim()))
    w = 1 if n.weight is None else n.weight
    of_g, of_x, of_w = _second(
        x, n.grad_output, w, n.mean.detach(), n.rstd.detach(), dims, for_input, for_weight, for_bias
    )
    if first:
        of_w = _sum(of_w, tuple(range(first)))
    return of_g, of_x, None, None, of_w


# Group norm


@derivative(
    "native_group_norm",
    saves=("input", "weight", "num_groups", "result1", "result2"),
    name="NativeGroupNormBackward0",
)
def native_group_norm(n, grad, *_):
    return _C.nn.native_group_norm_backward(grad, n.input, n.result1, n.result2, n.weight, n.num_groups)


@derivative("native_group_norm_backward", saves=("grad_output", "input", "mean", "rstd", "weight", "num_groups"))
def native_group_norm_backward(n, for_input, for_weight, for_bias):
    x, g = n.input, n.grad_output
    batch, channels, groups = x.shape[0], x.shape[1], n.num_groups
    inner = x[0, 0].numel()

    def rows(t):
        return None if t is None else t.reshape(batch, groups, -1)

    def per_channel(t):
        return None if t is None else t.reshape(1, channels, 1).expand(1, channels, inner).reshape(1, groups, -1)

    w = 1 if n.weight is None else per_channel(n.weight)
    mean, rstd = n.mean.detach().unsqueeze(-1), n.rstd.detach().unsqueeze(-1)
    of_g, of_x, of_w = _second(
        rows(x), rows(g), w, mean, rstd, (2,), rows(for_input), per_channel(for_weight), per_channel(for_bias)
    )
    return (
        None if of_g is None else of_g.reshape(x.shape),
        None if of_x is None else of_x.reshape(x.shape),
        None,
        None,
        None if of_w is None else of_w.reshape(batch, channels, -1).sum((0, 2)),
    )
