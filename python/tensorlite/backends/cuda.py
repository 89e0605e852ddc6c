from dataclasses import dataclass

from .. import _C


def is_built() -> bool:
    """Whether this build has kernels for CUDA, be there a device or not."""
    return _C._cuda_is_built()


@dataclass
class _Matmul:
    allow_tf32: bool = False
    allow_fp16_reduced_precision_reduction: bool = True
    allow_bf16_reduced_precision_reduction: bool = True


matmul = _Matmul()
