"""Layers and losses as functions, by topic in the modules beside this one.

The hot ones are operators of the C++ floors, or one call of them; the others are composed from public operators, so
that autograd differentiates them as often as one likes.
"""

from __future__ import annotations

import tensorlite as _tl

from ._activations import *  # noqa: F403
from ._attention import *  # noqa: F403
from ._dropout import *  # noqa: F403
from ._embedding import *  # noqa: F403
from ._losses import *  # noqa: F403
from ._margin_losses import *  # noqa: F403
from ._normalization import *  # noqa: F403
from ._pooling import *  # noqa: F403
from ._resampling import *  # noqa: F403
from ._shapes import *  # noqa: F403

Tensor = _tl.Tensor
_C = _tl._C.nn

linear = _C.linear
conv1d = _tl.conv1d
conv2d = _tl.conv2d
conv3d = _tl.conv3d
conv_transpose1d = _tl.conv_transpose1d
conv_transpose2d = _tl.conv_transpose2d
conv_transpose3d = _tl.conv_transpose3d


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``x1 @ weight[k] @ x2`` for every output k; ``weight`` is (out, in1, in2)."""
    lead = list(input1.shape[:-1])
    x1 = input1.reshape([-1, input1.size(-1)])
    x2 = input2.reshape([-1, input2.size(-1)])
    out, n1, n2 = weight.shape
    half = (x1 @ weight.permute(1, 0, 2).reshape([n1, out * n2])).reshape([-1, out, n2])
    result = (half * x2.unsqueeze(1)).sum(-1).reshape([*lead, out])
    return result if bias is None else result + bias


def conv_tbc(input: Tensor, weight: Tensor, bias: Tensor, pad: int = 0) -> Tensor:
    """``conv1d`` of an input (time, batch, channels) with a weight (kernel, channels, outputs)."""
    for name, t, dims in (("Input", input, 3), ("Weight", weight, 3), ("Bias", bias, 1)):
        if t.dim() != dims:
            raise RuntimeError(f"{name} must have {dims} dims. conv_tbc takes (time, batch, channels).")
    return conv1d(input.permute(1, 2, 0), weight.permute(2, 1, 0), bias, padding=pad).permute(2, 0, 1).contiguous()
