"""Older orders of arguments, as `p.add_(-lr, grad)`: asked only where no signature fits."""

from __future__ import annotations

import warnings
from numbers import Number
from typing import Any

from . import _C

Tensor = _C.Tensor

# operator: the older parameters, and the signature to use instead. N is a number, T a tensor.
_FORMS: dict[str, list[tuple[str, list[str], str]]] = {
    "add": [("NT", ["alpha", "other"], "Tensor other, *, Number alpha = 1")],
    "sub": [("NT", ["alpha", "other"], "Tensor other, *, Number alpha = 1")],
    "addcmul": [
        ("NTT", ["value", "tensor1", "tensor2"], "Tensor tensor1, Tensor tensor2, *, Number value = 1"),
    ],
    "addcdiv": [
        ("NTT", ["value", "tensor1", "tensor2"], "Tensor tensor1, Tensor tensor2, *, Number value = 1"),
    ],
    "addmm": [
        ("NNTT", ["beta", "alpha", "mat1", "mat2"], "Tensor mat1, Tensor mat2, *, Number beta = 1, Number alpha = 1"),
        ("NTT", ["beta", "mat1", "mat2"], "Tensor mat1, Tensor mat2, *, Number beta = 1, Number alpha = 1"),
    ],
    "addmv": [
        ("NNTT", ["beta", "alpha", "mat", "vec"], "Tensor mat, Tensor vec, *, Number beta = 1, Number alpha = 1"),
        ("NTT", ["beta", "mat", "vec"], "Tensor mat, Tensor vec, *, Number beta = 1, Number alpha = 1"),
    ],
    "addr": [
        ("NNTT", ["beta", "alpha", "vec1", "vec2"], "Tensor vec1, Tensor vec2, *, Number beta = 1, Number alpha = 1"),
        ("NTT", ["beta", "vec1", "vec2"], "Tensor vec1, Tensor vec2, *, Number beta = 1, Number alpha = 1"),
    ],
    "baddbmm": [
        ("NNTT", ["beta", "alpha", "b1", "b2"], "Tensor batch1, Tensor batch2, *, Number beta = 1, Number alpha = 1"),
        ("NTT", ["beta", "b1", "b2"], "Tensor batch1, Tensor batch2, *, Number beta = 1, Number alpha = 1"),
    ],
}


def _fits(form: str, values: tuple[Any, ...]) -> bool:
    return len(form) == len(values) and all(
        isinstance(v, Number) or (kind == "T" and isinstance(v, Tensor))
        if form == "NT" or kind == "N"
        else isinstance(v, Tensor)
        for kind, v in zip(form, values, strict=True)
    )


def call(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The result of an operator called in an older way, with a warning; NotImplemented when it is none."""
    # torch.add(input, alpha, other), input.add(alpha, other); torch.addmm(beta, input, alpha, ...) was another order.
    if not args or not isinstance(args[0], Tensor) or set(kwargs) - {"out"}:
        return NotImplemented
    for form, names, instead in _FORMS.get(name.removesuffix("_"), ()):
        if not _fits(form, args[1:]):
            continue
        kinds = {"N": "Number", "T": "Tensor"}
        old = ", ".join(f"{kinds[k]} {n}" for k, n in zip(form, names, strict=True))
        warnings.warn(
            f"This overload of {name} is deprecated:\n\t{name}({old})\nConsider using one of the following signatures "
            f"instead:\n\t{name}({instead})",
            stacklevel=2,
        )
        numbers = {n: v for k, n, v in zip(form, names, args[1:], strict=True) if k == "N"}
        tensors = [v for k, v in zip(form, args[1:], strict=True) if k == "T"]
        return getattr(args[0], name)(*tensors, **numbers, **kwargs)
    return NotImplemented
