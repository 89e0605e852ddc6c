"""Products written by the letters of their dimensions: einsum and tensordot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from . import _C
from ._out import write_out

__all__ = ["einsum", "tensordot"]

Tensor = _C.Tensor


class _Term:
    """An operand with a label for each of its dimensions."""

    def __init__(self, tensor: Tensor, labels: list[str]) -> None:
        self.tensor, self.labels = tensor, labels

    def diagonals(self) -> None:
        """A label that stands twice means the diagonal."""
        for label in dict.fromkeys(self.labels):
            while self.labels.count(label) > 1:
                first = self.labels.index(label)
                second = self.labels.index(label, first + 1)
                if self.tensor.shape[first] != self.tensor.shape[second]:
                    raise RuntimeError(
                        f"einsum(): subscript {label} is repeated for operand but the sizes don't match, "
                        f"{self.tensor.shape[second]} != {self.tensor.shape[first]}"
                    )
                self.tensor = self.tensor.diagonal(0, first, second)
                self.labels = [x for i, x in enumerate(self.labels) if i not in (first, second)] + [label]

    def sum_over(self, labels: set[str]) -> None:
        dims = [i for i, x in enumerate(self.labels) if x in labels]
        if dims:
            self.tensor = self.tensor.sum(dims)
            self.labels = [x for x in self.labels if x not in labels]

    def arranged(self, labels: list[str]) -> Tensor:
        """The tensor with its dimensions in this order; size 1 for labels it has not."""
        t = self.tensor.permute([self.labels.index(x) for x in labels if x in self.labels])
        for i, x in enumerate(labels):
            if x not in self.labels:
                t = t.unsqueeze(i)
        return t


def _parse(equation: str, operands: Sequence[Tensor]) -> tuple[list[list[str]], list[str]]:
    """Labels of each operand and of the result; the dimensions of an ellipsis are "...0", "...1" from the right."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    inputs = left.split(",")
    if len(inputs) != len(operands):
        more = "more" if len(operands) > len(inputs) else "fewer"
        raise RuntimeError(f"einsum(): {more} operands were provided than specified in the equation")
    labels, ellipsis = [], 0
    for k, (text, t) in enumerate(zip(inputs, operands, strict=True)):
        head, dots, tail = text.partition("...")
        for c in head + tail:
            if not c.isalpha() or not c.isascii():
                raise RuntimeError(
                    f"einsum(): invalid subscript given at index {text.index(c)} in the equation string, subscripts "
                    "must be in [a-zA-Z]"
                )
        rest = t.dim() - len(head) - len(tail)
        if rest < 0 or (rest and not dots):
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({len(head) + len(tail)}) "
                + ("is more than" if rest < 0 else "does not match")
                + f" the number of dimensions ({t.dim()}) for operand {k}"
                + (" and no ellipsis was given" if rest > 0 else "")
            )
        ellipsis = max(ellipsis, rest)
        labels.append([*head, *(f"...{i}" for i in range(rest - 1, -1, -1)), *tail])
    dims = [f"...{i}" for i in range(ellipsis - 1, -1, -1)]
    if arrow:
        head, dots, tail = right.partition("...")
        result = [*head, *(dims if dots else []), *tail]
        known = {x for term in labels for x in term}
        for x in result:
            if x not in known:
                raise RuntimeError(
                    f"einsum(): output subscript {x} does not appear in the equation for any input operand"
                )
            if result.count(x) > 1:
                raise RuntimeError(f"einsum(): output subscript {x} appears more than once in the output")
    else:
        letters = [x for term in labels for x in term if not x.startswith(".")]
        # Capitals stand before small letters.
        result = dims + sorted(x for x in set(letters) if letters.count(x) == 1)
    return labels, result


def _contract(a: _Term, b: _Term, keep: set[str]) -> _Term:
    """The product of two terms, summed over the labels that are not kept, as one batched matrix product."""
    shared = [x for x in a.labels if x in b.labels]
    batch = [x for x in shared if x in keep]
    summed = [x for x in shared if x not in keep]
    a_free = [x for x in a.labels if x not in shared]
    b_free = [x for x in b.labels if x not in shared]
    if not summed:
        order = batch + a_free + b_free
        return _Term(a.arranged(order) * b.arranged(order), order)

    sizes = dict(zip(b.labels, b.tensor.shape, strict=True))
    for x, n in zip(a.labels, a.tensor.shape, strict=True):
        sizes[x] = n if sizes.get(x, 1) == 1 else sizes[x]
    expanded = [t.tensor.expand([sizes[x] for x in t.labels]) for t in (a, b)]

    def count(labels: list[str]) -> int:
        return math.prod(sizes[x] for x in labels)

    left = _Term(expanded[0], a.labels).arranged(batch + a_free + summed)
    right = _Term(expanded[1], b.labels).arranged(batch + summed + b_free)
    product = _C.bmm(
        left.reshape(count(batch), count(a_free), count(summed)),
        right.reshape(count(batch), count(summed), count(b_free)),
    )
    order = batch + a_free + b_free
    return _Term(product.reshape([sizes[x] for x in order]), order)


def _from_sublists(args: tuple[Any, ...]) -> tuple[str, list[Tensor]]:
    """einsum(a, [0, 1], b, [1, 2], [0, 2]) as letters."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

    def text(sublist: Sequence[Any]) -> str:
        return "".join("..." if i is Ellipsis else letters[i] for i in sublist)

    operands, terms = list(args[::2]), list(args[1::2])
    output = None
    if len(args) % 2:
        output = operands.pop()
    equation = ",".join(text(t) for t in terms)
    return (equation if output is None else f"{equation}->{text(output)}"), operands


def einsum(*args: Any) -> Tensor:
    """einsum("bij,bjk->bik", a, b): products and sums over dimensions named by letters, as in NumPy.

    Letters that are missing in the result are summed over; `...` stands for any further dimensions, which broadcast.
    """
    if args and isinstance(args[0], str):
        equation, operands = args[0], list(args[1:])
        if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
            operands = list(operands[0])
    else:
        equation, operands = _from_sublists(args)
    if not operands:
        raise RuntimeError("einsum(): must provide at least one operand")
    labels, result = _parse(equation, operands)
    terms = [_Term(t, list(x)) for t, x in zip(operands, labels, strict=True)]
    sizes: dict[str, int] = {}
    for k, term in enumerate(terms):
        term.diagonals()
        for x, n in zip(term.labels, term.tensor.shape, strict=True):
            if sizes.setdefault(x, n) == 1:
                sizes[x] = n
            elif n not in (1, sizes[x]):
                raise RuntimeError(
                    f"einsum(): subscript {x} has size {n} for operand {k} which does not broadcast with previously "
                    f"seen size {sizes[x]}"
                )
    current = terms[0]
    for k, term in enumerate(terms[1:], 1):
        later = set(result).union(*(t.labels for t in terms[k + 1 :]))
        for one, other in ((current, term), (term, current)):
            one.sum_over({x for x in one.labels if x not in later and x not in other.labels})
        # A size-1 dim that broadcasts against a larger one is multiplied, not summed by itself.
        current = _contract(current, term, later)
    current.sum_over(set(current.labels) - set(result))
    return current.arranged(result)


def tensordot(a: Tensor, b: Tensor, dims: Any = 2, out: Tensor | None = None) -> Tensor:
    """Sums products over pairs of dimensions: the last `dims` of a with the first of b, or those of two lists."""
    if isinstance(dims, Tensor):
        dims = dims.tolist()
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a.dim(), b.dim()):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        first, second = list(range(-dims, 0)), list(range(dims))
    else:
        first, second = ([d] if isinstance(d, int) else list(d) for d in dims)
    result = _C._tensordot(a, b, first, second)
    return result if out is None else write_out("tensordot", out, result)
