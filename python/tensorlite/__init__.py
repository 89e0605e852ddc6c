"""tensorlite: a small, fast tensor engine with PyTorch's face.

    import tensorlite as torch

makes most PyTorch programs run as they stand.
"""

from __future__ import annotations

import sys as _sys

from . import _C
from ._C import (
    Generator,
    OutOfMemoryError,
    Size,
    bfloat16,
    bool,
    can_cast,
    cdouble,
    cfloat,
    complex64,
    complex128,
    default_generator,
    device,
    double,
    dtype,
    float,
    float16,
    float32,
    float64,
    from_numpy,
    get_default_dtype,
    get_num_threads,
    half,
    int,
    int8,
    int16,
    int32,
    int64,
    is_grad_enabled,
    is_inference_mode_enabled,
    long,
    promote_types,
    set_default_dtype,
    set_num_threads,
    short,
    uint8,
)  # fmt: skip
from ._legacy import CPU_TYPES, set_default_tensor_type
from ._tensor import Tensor, as_tensor, asarray, from_dlpack, frombuffer, tensor
from .version import __version__

complex32 = None
e, pi, inf, nan = 2.718281828459045, 3.141592653589793, _sys.float_info.max * 2, _sys.float_info.max * 2 * 0
newaxis = None


class _Constant:
    """A named choice, as `strided` or `channels_last`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return f"{_C._package_name()}.{self._name}"

    def __reduce__(self) -> str:
        return self._name


class layout(_Constant):
    """How elements are stored; there is `strided` only."""


class memory_format(_Constant):
    """The order in which the elements of images lie in memory."""


strided = layout("strided")
contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
channels_last_3d = memory_format("channels_last_3d")

# Every operator that the table marks as a function.
_functions = {name: f for name, f in vars(_C).items() if type(f) is _C.Operator and not name.startswith("__")}
globals().update(_functions)
globals().update(CPU_TYPES)

from . import autograd, random  # noqa: E402
from ._calculus import *  # noqa: E402, F403
from ._histogram import *  # noqa: E402, F403
from ._statistics import *  # noqa: E402, F403
from .autograd import enable_grad, inference_mode, no_grad, set_grad_enabled  # noqa: E402
from .functional import *  # noqa: E402, F403
from .random import get_rng_state, initial_seed, manual_seed, seed, set_rng_state  # noqa: E402


def is_tensor(obj: object) -> bool:
    """Whether `obj` is a Tensor.

    >>> is_tensor(zeros(2)), is_tensor([0.0])
    (True, False)
    """
    return isinstance(obj, Tensor)


def is_storage(obj: object) -> bool:
    """Whether `obj` is a storage of a tensor."""
    return type(obj).__module__ == f"{__name__}.storage"


def typename(obj: object) -> str:
    """The name of an object's type; of a tensor as `x.type()` gives it.

    >>> typename(zeros(2)), typename("text")
    ('torch.FloatTensor', 'str')
    """
    if isinstance(obj, Tensor):
        return obj.type()
    kind = type(obj)
    where = kind.__module__.replace(__name__, _C._package_name(), 1)
    return kind.__qualname__ if where == "builtins" else f"{where}.{kind.__qualname__}"


def _assert(condition: object, message: str) -> None:
    """assert condition, message."""
    assert condition, message


# Parts that a program may not need are imported when first named.
_LAZY = (
    "accelerator",
    "amp",
    "backends",
    "compat",
    "cpu",
    "cuda",
    "fft",
    "fx",
    "jit",
    "linalg",
    "mps",
    "multiprocessing",
    "nn",
    "optim",
    "return_types",
    "signal",
    "special",
    "storage",
    "testing",
    "types",
    "utils",
    "vision",
    "xpu",
)
_LAZY_NAMES = {
    "are_deterministic_algorithms_enabled": "_switches",
    "autocast": "amp",
    "bartlett_window": "_constructions",
    "blackman_window": "_constructions",
    "cartesian_prod": "_constructions",
    "combinations": "_constructions",
    "compiled_with_cxx11_abi": "_switches",
    "dropout": "nn.functional",
    "einsum": "_einsum",
    "empty_permuted": "_constructions",
    "finfo": "_type_info",
    "get_default_device": "_switches",
    "get_deterministic_debug_mode": "_switches",
    "get_float32_matmul_precision": "_switches",
    "get_num_interop_threads": "_switches",
    "hamming_window": "_constructions",
    "hann_window": "_constructions",
    "iinfo": "_type_info",
    "is_anomaly_check_nan_enabled": "_switches",
    "is_anomaly_enabled": "_switches",
    "is_deterministic_algorithms_warn_only_enabled": "_switches",
    "is_warn_always_enabled": "_switches",
    "istft": "_stft",
    "kaiser_window": "_constructions",
    "set_default_device": "_switches",
    "set_deterministic_debug_mode": "_switches",
    "set_float32_matmul_precision": "_switches",
    "set_flush_denormal": "_switches",
    "set_num_interop_threads": "_switches",
    "set_printoptions": "_tensor_str",
    "set_warn_always": "_switches",
    "stft": "_stft",
    "tensordot": "_einsum",
    "TypedStorage": "storage",
    "UntypedStorage": "storage",
    "use_deterministic_algorithms": "_switches",
    "vander": "_constructions",
}
_LAZY_NAMES |= dict.fromkeys(
    (
        "cdist", "chain_matmul", "cholesky", "cholesky_inverse", "cholesky_solve", "det", "geqrf", "inverse", "logdet",
        "lu", "lu_solve", "lu_unpack", "matrix_exp", "matrix_power", "orgqr", "ormqr", "pca_lowrank", "pdist",
        "pinverse", "qr", "slogdet", "svd", "svd_lowrank", "triangular_solve",
    ),
    "linalg.top_level",
)  # fmt: skip

_LAZY_NAMES |= dict.fromkeys(
    (
        "alias_copy", "as_strided_copy", "as_strided_scatter", "block_diag", "diagflat", "diagonal_scatter",
        "expand_copy", "index_reduce", "narrow_copy", "nonzero_static", "permute_copy", "resize_as_", "select_scatter",
        "slice_scatter", "split_with_sizes_copy", "squeeze_copy", "t_copy", "transpose_copy", "unbind_copy",
        "unfold_copy", "unravel_index", "unsafe_chunk", "unsafe_split", "unsqueeze_copy", "view_copy",
    ),
    "_views",
)  # fmt: skip

_LAZY_NAMES |= dict.fromkeys(
    (
        "alpha_dropout", "bilinear", "channel_shuffle", "cosine_similarity", "feature_alpha_dropout",
        "pairwise_distance", "pixel_shuffle", "pixel_unshuffle", "prelu", "rms_norm", "rrelu",
    ),
    "nn.functional",
)  # fmt: skip


def __getattr__(name: str) -> object:
    import importlib

    if name in _LAZY_NAMES:
        value = getattr(importlib.import_module(f"{__name__}.{_LAZY_NAMES[name]}"), name)
        globals()[name] = value
        return value
    if name in _LAZY:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {_C._package_name()!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_LAZY) | set(_LAZY_NAMES))
