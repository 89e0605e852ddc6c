"""The old name of a tensor."""

from __future__ import annotations

import warnings
from typing import Any

from .. import _C

__all__ = ["Variable"]


class _VariableMeta(type):
    def __instancecheck__(cls, other: Any) -> bool:
        return isinstance(other, _C.Tensor)


class Variable(metaclass=_VariableMeta):
    """The old name of a tensor: `Variable(data, requires_grad)` gives a Tensor over the same memory.

    >>> Variable(torch.ones(2), requires_grad=True)
    tensor([1., 1.], requires_grad=True)
    """

    def __new__(cls, data: Any = None, requires_grad: bool = False, volatile: Any = None) -> Any:
        if data is None:
            data = _C.empty((0,))
        if not isinstance(data, _C.Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}")
        if volatile:
            warnings.warn(
                "volatile was removed and now has no effect. Use `with torch.no_grad():` instead.", stacklevel=2
            )
        result = data.detach()
        if requires_grad:
            if not (result.is_floating_point() or result.is_complex()):
                raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
            result.requires_grad_()
        return result
