"""`out=` of the operators that are written in Python."""

from __future__ import annotations

from . import _C
from ._names import cpp_name

Tensor = _C.Tensor


def write_out(name: str, out: Tensor, result: Tensor, keep_strides: bool = True) -> Tensor:
    """Puts a result where `out=` says; a tensor that has to be resized gets the result's strides as well."""
    if _C.is_grad_enabled() and (result.requires_grad or out.requires_grad):
        raise RuntimeError(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, but one of the "
            "arguments requires grad."
        )
    if not _C.can_cast(result.dtype, out.dtype):
        raise RuntimeError(
            f"Expected out tensor to have dtype {cpp_name(result.dtype)}, but got "
            f"{cpp_name(out.dtype)} instead"
        )
    resized = out.shape != result.shape
    if resized and keep_strides and not out.numel() and not _is_dense(result):
        # Room for strides with gaps.
        extent = 1 + sum((n - 1) * s for n, s in zip(result.shape, result.stride(), strict=True))
        _C.conj_physical(_C.zeros(extent, dtype=out.dtype, device=out.device), out=out)
        return out.as_strided_(result.size(), result.stride()).copy_(result)
    _C.conj_physical(result.conj() if result.is_complex() else result, out=out)
    if keep_strides and resized and _is_dense(result) and out.stride() != result.stride():
        out.as_strided_(result.size(), result.stride()).copy_(result)
    return out


def _is_dense(t: Tensor) -> bool:
    if not t.numel():
        return True
    order = sorted(range(t.dim()), key=t.stride)
    return t.permute(order[::-1]).is_contiguous()
