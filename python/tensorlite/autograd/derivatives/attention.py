"""Gradients of attention."""

from ... import _C
from . import derivative


def _heads(t, count):
    """Each head repeated, for the query heads that share it."""
    repeats = count // t.shape[1]
    return t if repeats == 1 else t.repeat_interleave(repeats, 1)


def _shared(grad, heads):
    batch, count, *rest = grad.shape
    return grad if count == heads else grad.reshape(batch, heads, count // heads, *rest).sum(2)


def _composed(n, grad):
    """The same by products of whole matrices, which can be derived again."""
    heads = n.query.shape[1]
    q, k, v = n.query, _heads(n.key, heads), _heads(n.value, heads)
    scores = q @ k.mT * n.scale
    hidden = None
    if n.causal:
        hidden = _C.ones_like(scores, dtype=_C.bool).triu(1)
    if n.mask is not None and n.mask.dtype == _C.bool:
        hidden = ~n.mask if hidden is None else hidden | ~n.mask
    elif n.mask is not None:
        scores = scores + n.mask
    if hidden is not None:
        scores = scores.masked_fill(hidden, float("-inf"))
    weights = scores.softmax(-1)
    if hidden is not None or n.mask is not None:
        weights = weights.masked_fill((scores == float("-inf")).all(-1, keepdim=True), 0)
    of_weights = grad @ v.mT
    of_scores = weights * (of_weights - (of_weights * weights).sum(-1, keepdim=True)) * n.scale
    return (
        of_scores @ k,
        _shared(of_scores.mT @ q, n.key.shape[1]),
        _shared(weights.mT @ grad, n.value.shape[1]),
        None,
    )


@derivative(
    "attention",
    saves=("query", "key", "value", "mask", "causal", "scale", "result0", "result1"),
    name="ScaledDotProductFlashAttentionForCpuBackward0",
)
def attention(n, grad, _):
    if _C.is_grad_enabled():
        return _composed(n, grad)
    gradients = _C.nn.attention_backward(
        grad, n.query, n.key, n.value, n.mask, n.result0, n.result1, n.causal, n.scale
    )
    return *gradients, None
