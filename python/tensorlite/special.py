"""Special functions: `tensorlite.special`.

>>> torch.special.i0e(torch.tensor([0.0, 1.0]))
tensor([1.0000, 0.4658])
>>> torch.special.hermite_polynomial_h(torch.tensor([0.5, 1.0]), 3)
tensor([-5., -4.])
"""

from __future__ import annotations

from typing import Any

from . import _C
from .nn import functional as _F

Tensor = _C.Tensor

# Under a name of their own in the operator table.
_OWN = (
    "airy_ai bessel_j0 bessel_j1 bessel_y0 bessel_y1 chebyshev_polynomial_t chebyshev_polynomial_u "
    "chebyshev_polynomial_v chebyshev_polynomial_w entr erfcx hermite_polynomial_h hermite_polynomial_he i0e i1 i1e "
    "laguerre_polynomial_l legendre_polynomial_p log_ndtr modified_bessel_i0 modified_bessel_i1 modified_bessel_k0 "
    "modified_bessel_k1 ndtr ndtri scaled_modified_bessel_k0 scaled_modified_bessel_k1 "
    "shifted_chebyshev_polynomial_t shifted_chebyshev_polynomial_u shifted_chebyshev_polynomial_v "
    "shifted_chebyshev_polynomial_w spherical_bessel_j0 xlog1py zeta"
).split()
# The same operators as at the top level.
_SHARED = {
    "digamma": "digamma",
    "erf": "erf",
    "erfc": "erfc",
    "erfinv": "erfinv",
    "exp2": "exp2",
    "expit": "sigmoid",
    "expm1": "expm1",
    "gammainc": "igamma",
    "gammaincc": "igammac",
    "gammaln": "lgamma",
    "i0": "i0",
    "log1p": "log1p",
    "logit": "logit",
    "logsumexp": "logsumexp",
    "multigammaln": "mvlgamma",
    "polygamma": "polygamma",
    "psi": "digamma",
    "round": "round",
    "sinc": "sinc",
    "xlogy": "xlogy",
}

for _name in _OWN:
    globals()[_name] = _C._operator("special_" + _name)
for _name, _operator in _SHARED.items():
    globals()[_name] = getattr(_C, _operator)

__all__ = ["log_softmax", "softmax", *_OWN, *_SHARED]


def softmax(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """exp(input) / sum(exp(input)) along a dimension."""
    return _F.softmax(input, dim, dtype=dtype)


def log_softmax(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The logarithm of the softmax along a dimension."""
    return _F.log_softmax(input, dim, dtype=dtype)
