"""The gradient of resampling: the transposed matrix."""

from ... import _C
from . import derivative

_TABLES = ("starts", "places", "weights", "back_starts", "back_places", "back_weights")


@derivative("resample", saves=("dim", *_TABLES))
def resample(n, grad):
    forth = n.starts, n.places, n.weights
    back = n.back_starts, n.back_places, n.back_weights
    return _C.nn.resample(grad, n.dim, *back, *forth), *[None] * 6
