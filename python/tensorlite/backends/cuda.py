import os
import sys
from typing import Any

from .. import _C


def is_built() -> bool:
    """Whether this build has kernels for CUDA, be there a device or not."""
    return _C._cuda_is_built()


_BACKENDS = ("native", "cublas", "auto")
_MIXED = (
    "PyTorch is checking whether allow_tf32_new is enabled for cuBlas matmul,Current status indicate that you have "
    "used mix of the legacy and new APIs to set the TF32 status for cublas matmul. We suggest only using the new API "
    "to set the TF32 flag. See also: "
    "https://pytorch.org/docs/main/notes/cuda.html#tensorfloat-32-tf32-on-ampere-and-later-devices"
)


def _cublas_folders() -> str:
    """Where the wheels nvidia-cublas and nvidia-cublas-cu12 put the library."""
    places = [os.path.join(p, "nvidia", *sub) for p in sys.path if p for sub in (("cu13", "lib"), ("cublas", "lib"))]
    return ":".join(p for p in places if os.path.isdir(p))


class _Matmul:
    """How matrices are multiplied on CUDA devices.

    allow_tf32: whether float32 may be rounded to 10 bits of mantissa, for tensor cores.
    fp32_precision: the same as "ieee" or "tf32"; "none" when it was not set.
    allow_fp16_reduced_precision_reduction, allow_bf16_reduced_precision_reduction: whether cuBLAS may round partial
        sums to the half type. tensorlite's kernels always sum in float32.
    allow_fp16_accumulation: accepted; sums are float32.
    backend: "native", tensorlite's kernels; "cublas", which raises where it is not installed; "auto": cuBLAS where it
        is installed.
    """

    def __init__(self) -> None:
        values = {
            "precision": "highest",
            "fp32": "none",
            "fp16": (True, True),
            "bf16": (True, True),
            "fp16_accumulation": False,
            "backend": "native",
        }
        object.__setattr__(self, "_values", values)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        v = self._values
        if name == "allow_tf32":
            if (v["precision"] != "highest") != (v["fp32"] == "tf32"):
                raise RuntimeError(_MIXED)
            return v["fp32"] == "tf32"
        if name == "fp32_precision":
            return v["fp32"]
        if name == "allow_fp16_reduced_precision_reduction":
            return v["fp16"][0]
        if name == "allow_bf16_reduced_precision_reduction":
            return v["bf16"][0]
        if name == "allow_fp16_accumulation":
            return v["fp16_accumulation"]
        if name == "backend":
            return v["backend"]
        raise AttributeError("Unknown attribute " + name)

    def __setattr__(self, name: str, value: Any) -> None:
        v = self._values
        if name == "allow_tf32":
            if not isinstance(value, bool):
                raise RuntimeError(f"set_allow_tf32_cublas expects a bool, but got {type(value).__name__}")
            v["precision"] = "high" if value else "highest"
            v["fp32"] = "tf32" if value else "ieee"
        elif name == "fp32_precision":
            if value not in ("none", "ieee", "tf32"):
                raise RuntimeError(f"Unknown precision: {value}")
            v["fp32"] = value
        elif name in ("allow_fp16_reduced_precision_reduction", "allow_bf16_reduced_precision_reduction"):
            v["fp16" if "fp16" in name else "bf16"] = _reduction(value, name)
        elif name == "allow_fp16_accumulation":
            if not isinstance(value, bool):
                raise RuntimeError(f"set_allow_fp16_accumulation_cublas expects a bool, but got {type(value).__name__}")
            v["fp16_accumulation"] = value
        elif name == "backend":
            if value not in _BACKENDS:
                raise ValueError(f'backends.cuda.matmul.backend is "native", "cublas" or "auto", not {value!r}')
            previous, v["backend"] = v["backend"], value
            _apply(v)
            if value == "cublas" and _C._cuda_device_count() and (trouble := _C._cuda_cublas_trouble()):
                v["backend"] = previous
                _apply(v)
                raise RuntimeError(trouble)
        else:
            raise AttributeError("Unknown attribute " + name)
        _apply(v)


def _reduction(value: Any, name: str) -> tuple[bool, bool]:
    """(whether sums may be rounded, whether the depth may be split)"""
    if isinstance(value, bool):
        return value, True
    if not isinstance(value, (list, tuple)) or not all(isinstance(x, bool) for x in value) or not value:
        raise TypeError(f"{name} expects a bool or a tuple/list of bools, but got {type(value)}")
    if len(value) > 2:
        raise TypeError(f"{name} expects a tuple/list of length 1 or 2, but got {len(value)}")
    reduced, split = (*value, True)[:2]
    if reduced and not split:
        raise RuntimeError("allow_splitk=False is not supported when reduced precision reductions are enabled")
    return reduced, split


def _apply(v: dict[str, Any]) -> None:
    folders = _cublas_folders() if v["backend"] != "native" else ""
    _C._cuda_set_matmul(v["fp32"] == "tf32", v["fp16"][0], v["bf16"][0], _BACKENDS.index(v["backend"]), folders)


matmul = _Matmul()


def _set_float32_precision(precision: str) -> None:
    matmul._values.update(precision=precision, fp32="ieee" if precision == "highest" else "tf32")
    _apply(matmul._values)
