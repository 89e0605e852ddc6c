"""A softmax over many classes, most of them rare."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Sequence
from typing import Any

import tensorlite as _tl

from .. import functional as F
from .container import ModuleList, Sequential
from .linear import Linear
from .module import Module

Tensor = _tl.Tensor

__all__ = ["AdaptiveLogSoftmaxWithLoss"]

_ASMoutput = namedtuple("_ASMoutput", ["output", "loss"])


class AdaptiveLogSoftmaxWithLoss(Module):
    """The log-probability of target classes, with smaller projections for clusters of rare ones (Grave et al., 2017).

    Args:
        in_features: of a sample.
        n_classes: sorted from frequent to rare.
        cutoffs: where the clusters begin; the classes before the first stand in the head.
        div_value: by how much the projection of each cluster is narrower than that of the one before.
        head_bias: whether the head has a bias.

    Called with (N, in_features) or (in_features) and classes (N) or (); gives ``output``, the log-probabilities of the
    targets, and ``loss``, minus their mean.
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        rising = cutoffs == sorted(set(cutoffs)) and cutoffs[0] > 0 and cutoffs[-1] <= n_classes - 1
        if not rising or any(int(c) != c for c in cutoffs):
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each "
                "value is between 1 and n_classes-1"
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = self.cutoffs[0]
        self.n_clusters = len(self.cutoffs) - 1
        self.head_size = self.shortlist_size + self.n_clusters
        options = {"device": device, "dtype": dtype}
        self.head = Linear(in_features, self.head_size, bias=head_bias, **options)
        self.tail = ModuleList()
        for i in range(self.n_clusters):
            width = int(in_features // (div_value ** (i + 1)))
            size = self.cutoffs[i + 1] - self.cutoffs[i]
            layers = (Linear(a, b, bias=False, **options) for a, b in ((in_features, width), (width, size)))
            self.tail.append(Sequential(*layers))

    def reset_parameters(self) -> None:
        """Draws new values."""
        self.head.reset_parameters()
        for inner, outer in self.tail:
            inner.reset_parameters()
            outer.reset_parameters()

    def forward(self, input: Tensor, target: Tensor) -> Any:
        dims = target.dim()
        if dims == 1:
            if input.shape[0] != target.shape[0]:
                raise RuntimeError("Input and target should have the same size in the batch dimension.")
            if input.dim() != 2:
                raise RuntimeError(
                    "1D target tensor expects 2D input tensors, but found inputs with size", input.size()
                )
        elif dims == 0:
            if input.dim() != 1:
                raise RuntimeError(
                    "0D target tensor expects 1D input tensors, but found inputs with size", input.size()
                )
            input, target = input.unsqueeze(0), target.unsqueeze(0)
        else:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
        if target.numel():
            low, high = int(target.min()), int(target.max())
            if low < 0 or high >= self.n_classes:
                raise RuntimeError(
                    f"Target values should be in [0, {self.n_classes - 1}], but values in range [{low}, {high}] were "
                    "found. "
                )
        # The class in the head: itself, or that of its cluster.
        in_head = target.clone()
        parts = []
        for i in range(self.n_clusters):
            rows = ((target >= self.cutoffs[i]) & (target < self.cutoffs[i + 1])).nonzero().squeeze(1)
            if rows.numel():
                in_head[rows] = self.shortlist_size + i
                classes = target[rows] - self.cutoffs[i]
                scores = F.log_softmax(self.tail[i](input.index_select(0, rows)), dim=1)
                parts.append((rows, scores.gather(1, classes.unsqueeze(1)).squeeze(1)))
        output = F.log_softmax(self.head(input), dim=1).gather(1, in_head.unsqueeze(1)).squeeze(1)
        for rows, values in parts:
            output = output.index_add(0, rows, values)
        loss = (-output).mean()
        return _ASMoutput(output.squeeze(0) if dims == 0 else output, loss)

    def log_prob(self, input: Tensor) -> Tensor:
        """The log-probabilities of all classes: (N, n_classes)."""
        head = F.log_softmax(self.head(input), dim=1)
        first = self.shortlist_size
        clusters = [
            F.log_softmax(tail(input), dim=1) + head[:, first + i].unsqueeze(1) for i, tail in enumerate(self.tail)
        ]
        return _tl.cat([head[:, :first], *clusters], 1)

    def predict(self, input: Tensor) -> Tensor:
        """The most likely class of each sample."""
        return self.log_prob(input).argmax(1)
