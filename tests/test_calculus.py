"""Differences, integrals, covariances and histograms of samples."""

import numpy as np
import pytest
from parity import assert_gradient_parity, assert_parity, assert_same_error, check_derivatives, lines

rng = np.random.default_rng(3)
ARRAYS = {
    "x": rng.standard_normal((3, 4)),
    "v": np.sort(rng.standard_normal(5)),
    "y": rng.standard_normal((2, 3, 5)),
    "u": np.sort(rng.standard_normal(3)),
    "h": rng.standard_normal((50, 2)),
    "i": np.array([[5, 1, 2, 8], [3, 4, 0, 1]]),
    "f": np.array([1, 3, 2, 2]),
    "b": np.array([True, False]),
    "s": np.array(2.0),
}
GRADIENT = """
torch.gradient(v) | torch.gradient(x) | torch.gradient(i) | torch.gradient(y, dim=1) | torch.gradient(y, dim=(-1, 0))
torch.gradient(x, edge_order=2) | torch.gradient(x, spacing=2.0) | torch.gradient(x, spacing=(2.0, 0.5)) | torch.gradient(x, spacing=s)
torch.gradient(y, spacing=[u, v], dim=[1, 2]) | torch.gradient(y, spacing=[u, v], dim=[1, 2], edge_order=2) | torch.gradient(v.half())
torch.gradient(y, spacing=[v], dim=2) | torch.gradient(s)
"""
INTEGRALS = """
torch.trapezoid(v) | torch.trapezoid(x) | torch.trapezoid(x, dx=0.5, dim=0) | torch.trapezoid(y, v) | torch.trapz(y, u, dim=1)
torch.trapezoid(x, x) | torch.trapezoid(i) | torch.trapezoid(i, dx=2) | torch.trapz(x, dim=-2) | torch.trapezoid(x[:, :0])
torch.cumulative_trapezoid(v) | torch.cumulative_trapezoid(x, dx=0.5, dim=0) | torch.cumulative_trapezoid(y, v)
torch.cumulative_trapezoid(x, x) | torch.cumulative_trapezoid(i) | torch.trapezoid(y, x[0, :3], dim=1) | torch.trapezoid(v, v)
"""
COVARIANCES = """
torch.cov(x) | torch.cov(v) | x.cov(correction=0) | torch.cov(s) | torch.cov(i) | torch.cov(x, fweights=f) | torch.cov(x[:, :1])
torch.cov(x, aweights=x[0].abs()) | torch.cov(x, fweights=f, aweights=x[0].abs(), correction=2) | torch.cov(x.t()) | torch.corrcoef(x)
x.t().corrcoef() | torch.corrcoef(v) | torch.corrcoef(i) | torch.cov(torch.complex(x, x.flip(0))) | torch.corrcoef(torch.complex(x, x.flip(0)))
"""
RENORM = "torch.renorm(x, 2, 0, 1.0) | y.renorm(1, 1, 0.5) | torch.renorm(x, inf, -1, 0.3) | torch.renorm(x, 2, 0, 100)"
HISTOGRAMS = """
torch.histogram(v, 3) | torch.histogram(x) | torch.histogram(x, v) | torch.histogram(x, 4, range=(-1.0, 1.0)) | v.histogram(2)
torch.histogram(x, 4, weight=x.abs()) | torch.histogram(x, 4, density=True) | torch.histogram(x, v, weight=x.abs(), density=True)
torch.histogram(v[:0], 3) | torch.histogram(s, 3) | torch.histogramdd(h, (3, 4)) | torch.histogramdd(h, 3) | torch.histogramdd(h, (v, u))
torch.histogramdd(h, [2, 2], range=[-1.0, 1.0, 0.0, 2.0]) | torch.histogramdd(h, [2, 3], weight=h[:, 0].abs(), density=True)
torch.histc(x, 5) | torch.histogramdd(y, [2, 2, 2, 2, 2]) | torch.histogram(x, 3).hist | torch.histogramdd(h, 2).bin_edges
torch.max(x, out=torch.empty(0, dtype=x.dtype)) | torch.mean(x, out=torch.empty(0, dtype=x.dtype)) | torch.var_mean(x, False)
torch.std_mean(x, True) | torch.isin(i, f, out=torch.empty(0, dtype=torch.bool)) | torch.diff(x, 0) | torch.diff(x, 0, append=x)
torch.logsumexp(torch.complex(x, x), 1) | torch.max(i, torch.tensor(3))
"""
ERRORS = """
torch.gradient(x, edge_order=3) | torch.gradient(x, spacing=(1.0,)) | torch.gradient(x, spacing=(1.0,), dim=(0, 1)) | torch.gradient(x, dim=5)
torch.gradient(x, dim=(0, 0)) | torch.gradient(x[:1]) | torch.gradient(x[:2], edge_order=2) | torch.gradient(x, spacing=[x, v])
torch.gradient(i.to(torch.uint8)) | torch.trapezoid(b) | torch.trapezoid(x, b) | torch.trapezoid(x, v) | torch.trapezoid(s)
torch.trapezoid(x, dim=3) | torch.trapezoid(x, x, dx=2) | torch.cumulative_trapezoid(b) | torch.cumulative_trapezoid(x, v) | torch.cov(y)
torch.cov(b) | torch.cov(x, fweights=x) | torch.cov(x, fweights=v) | torch.cov(x, aweights=f) | torch.cov(x, aweights=v) | torch.corrcoef(y)
torch.cov(x, fweights=-f) | torch.cov(x, aweights=x[0] - 9) | torch.cov(x, fweights=f * 0) | torch.histogram(i) | torch.histogram(v, x)
torch.histogram(v, 3, range=(2.0, 1.0)) | torch.histogram(v, 3, range=(2.0,)) | torch.histogram(v, 0) | torch.histogram(v, 3, weight=u)
torch.histogram(v, 3, weight=f) | torch.histogram(v, v.float()) | torch.histogram(v * nan, 3) | torch.histogramdd(h, [2])
torch.histogramdd(v, [2]) | torch.histogramdd(h, [2, 2], range=[0.0, 1.0]) | torch.renorm(v, 2, 0, 1) | torch.renorm(x, 0, 0, 1)
torch.renorm(x, 2, 0, -1) | torch.renorm(i, 2, 0, 1) | torch.renorm(x, 2, 5, 1) | torch.amax(x, 0, out=torch.empty(0, dtype=torch.int32))
torch.kthvalue(v, 2, out=(v, torch.tensor(0))) | torch.bucketize(b, b) | torch.ones([1] * 65).sum(0)
"""
ALL = [GRADIENT, INTEGRALS, COVARIANCES, RENORM, HISTOGRAMS]


@pytest.mark.parity
@pytest.mark.parametrize("expression", [e for text in ALL for e in lines(text)])
def test_values(expression: str) -> None:
    assert_parity(expression, ARRAYS, rtol=1e-3 if "half" in expression else 1e-9, views="histogram" not in expression)


@pytest.mark.parity
@pytest.mark.parametrize(
    "expression", [e for text in ALL[:4] for e in lines(text) if not any(part in e for part in ("(i", "half", "s)", ":0", "100"))]
)
def test_gradients(expression: str) -> None:
    assert_gradient_parity(expression, ARRAYS, same_name=False)


@pytest.mark.parametrize(
    "expression",
    lines("""
torch.gradient(y, spacing=[u, v], dim=[1, 2], edge_order=2) | torch.trapezoid(y, v) | torch.cumulative_trapezoid(y, v)
torch.cov(x, fweights=f) | torch.corrcoef(x) | torch.renorm(x, 2, 0, 1.0)
"""),
)
def test_second_derivatives(expression: str) -> None:
    check_derivatives(expression, ARRAYS, " ".join(k for k in "xyuv" if any(f"{a}{k}{z}" in expression for a in "([ " for z in ",])")))


@pytest.mark.parity
@pytest.mark.parametrize("expression", lines(ERRORS))
def test_errors(expression: str) -> None:
    assert_same_error(expression, ARRAYS)
