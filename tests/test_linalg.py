"""Linear algebra: decompositions, solvers, norms, and the products and distances beside them."""

import itertools
import subprocess
import sys
import warnings

import numpy as np
import pytest
from library import IS_TENSORLITE, tl
from parity import assert_gradient_parity, assert_parity, assert_same_error, lines

rng = np.random.default_rng(7)


def definite(*shape: int) -> np.ndarray:
    a = rng.standard_normal(shape)
    return a @ a.swapaxes(-2, -1) + np.eye(shape[-1])


ARRAYS = {
    "a": rng.standard_normal((4, 4)) + 2 * np.eye(4),
    "b": rng.standard_normal((4, 2)),
    "v": rng.standard_normal(4),
    "s": rng.standard_normal((2, 3, 3)),
    "h": definite(3, 3),
    "p": definite(2, 3, 3),
    "t": rng.standard_normal((5, 3)),
    "w": rng.standard_normal((2, 3, 5)),
    "q": rng.standard_normal((2, 3, 2)),
    "singular": np.array([[1.0, 2.0], [2.0, 4.0]]),
    "none": np.zeros((0, 3, 3)),
    "c": rng.standard_normal((3, 3)) + 1j * rng.standard_normal((3, 3)),
    "g": rng.standard_normal((3, 2)) + 1j * rng.standard_normal((3, 2)),
    "i": np.array([[1, 2], [3, 4]]),
}

VALUES = """
torch.linalg.inv(a) | torch.inverse(s) | s.inverse() | torch.linalg.inv(c) | torch.linalg.inv_ex(singular)[1]
torch.linalg.solve(a, b) | torch.linalg.solve(a, v) | torch.linalg.solve(s, q) | torch.linalg.solve(s, q.mT, left=False)
torch.linalg.solve(h, q) | torch.linalg.solve(s, s[:, 0]) | torch.linalg.solve(c, g) | torch.linalg.solve_ex(a, b)
torch.linalg.det(a) | torch.det(s) | s.det() | torch.linalg.det(c) | torch.linalg.det(singular) | torch.linalg.slogdet(a)
torch.slogdet(s) | torch.linalg.slogdet(c) | torch.logdet(h) | a.logdet() | torch.logdet(c) | torch.linalg.det(none)
torch.linalg.cholesky(h) | torch.linalg.cholesky(p, upper=True) | torch.linalg.cholesky_ex(p) | torch.linalg.cholesky_ex(-h)[1]
torch.linalg.eigvalsh(p) | torch.linalg.eigvalsh(s, 'U') | torch.linalg.eigh(p).eigenvectors.abs()
torch.linalg.svdvals(w) | torch.linalg.svd(t).U[:, :3].abs() | torch.linalg.svd(w, full_matrices=False)[1]
torch.svd(t, compute_uv=False) | torch.svd(t)[2].abs() | torch.linalg.svd(c).Vh.abs() | torch.linalg.qr(t) | torch.linalg.qr(w)
torch.linalg.qr(t, 'complete').R | torch.linalg.qr(t, 'r') | torch.linalg.qr(c) | torch.linalg.lu_factor(s)
torch.linalg.lu(t) | torch.linalg.lu(w) | torch.linalg.lu_factor_ex(singular) | torch.lu_unpack(*torch.linalg.lu_factor(w))
torch.linalg.lu_solve(*torch.linalg.lu_factor(a), b) | torch.linalg.lu_solve(*torch.linalg.lu_factor(a), b, adjoint=True)
torch.linalg.lu_solve(*torch.linalg.lu_factor(c), g.mT, left=False)
torch.linalg.lu_solve(*torch.linalg.lu_factor(c), g.mT, left=False, adjoint=True)
torch.linalg.solve_triangular(a, b, upper=True) | torch.linalg.solve_triangular(a, b.mT, upper=False, left=False)
torch.linalg.solve_triangular(s, q, upper=False, unitriangular=True) | torch.linalg.solve_triangular(h, q, upper=True)
torch.cholesky_solve(b, a) | torch.cholesky_inverse(h) | torch.cholesky_inverse(p, True) | b.cholesky_solve(a, upper=True)
torch.linalg.pinv(t) | torch.pinverse(w) | torch.linalg.pinv(singular) | torch.linalg.pinv(p, hermitian=True)
torch.linalg.pinv(singular, atol=100.0) | torch.linalg.pinv(t, rtol=0.5) | torch.linalg.matrix_rank(singular)
torch.linalg.matrix_rank(w) | torch.linalg.matrix_rank(h, hermitian=True) | torch.linalg.matrix_rank(t, tol=100.0)
torch.linalg.lstsq(t, t @ s[0, :, :2] + 1).solution | torch.linalg.lstsq(t, t.square(), driver='gelsd')
torch.linalg.lstsq(t, t.square(), driver='gels') | torch.linalg.lstsq(w, q)[0] | torch.linalg.lstsq(t, t[:, 0])[0]
torch.linalg.tensorinv(a.reshape(2, 2, 4)) | torch.linalg.tensorsolve(a.reshape(4, 2, 2), v)
torch.geqrf(t) | torch.linalg.householder_product(*torch.geqrf(t)) | torch.ormqr(*torch.geqrf(a), b)
torch.ormqr(*torch.geqrf(a), b.mT, left=False, transpose=True) | torch.linalg.ldl_factor(h) | torch.linalg.ldl_factor(c)
torch.linalg.ldl_factor(c @ c.mH, hermitian=True) | torch.linalg.ldl_solve(*torch.linalg.ldl_factor(p), q)
torch.linalg.norm(a) | torch.linalg.norm(a, 2) | torch.linalg.norm(a, 1) | torch.linalg.norm(a, 'nuc') | torch.linalg.norm(v, 3)
torch.linalg.norm(s, dim=(0, 2)) | torch.linalg.norm(s, -2, dim=(0, 2), keepdim=True) | torch.linalg.norm(v, inf)
torch.linalg.matrix_norm(s) | torch.linalg.matrix_norm(s, inf, dim=(0, 1)) | torch.linalg.matrix_norm(s, -1, (2, 0), True)
torch.linalg.vector_norm(s, 0) | torch.linalg.vector_norm(s, 2.5, dim=1)
torch.norm(s) | torch.norm(s, 1) | torch.norm(s, dim=1) | torch.norm(s, 'nuc', dim=(0, 1)) | s.norm('fro', (1, 2)) | v.norm(p=inf)
torch.norm(a, 'nuc') | a.norm(3, dim=0, keepdim=True) | a.float().norm(dtype=torch.float64)
torch.linalg.cond(a) | torch.linalg.cond(s, 1) | torch.linalg.cond(a, 'fro') | torch.linalg.cond(t, -2)
torch.linalg.cond(singular, 1) | torch.linalg.matrix_power(s, 3) | torch.linalg.matrix_power(a, -2) | i.matrix_power(5)
torch.linalg.matrix_power(s, 0) | torch.matrix_exp(a) | torch.linalg.matrix_exp(s * 10) | torch.matrix_exp(c) | torch.matrix_exp(none)
torch.linalg.multi_dot([v, a, b]) | torch.linalg.multi_dot([b.mT, a, a, v]) | torch.chain_matmul(b.mT, a, b)
torch.linalg.cross(t, t.flip(0)) | torch.cross(s, s.mT, dim=1) | torch.linalg.vecdot(c, c) | torch.linalg.vecdot(s, s, dim=1)
torch.linalg.vander(v) | torch.linalg.vander(c, N=2) | torch.linalg.vander(i) | torch.linalg.diagonal(s, offset=1)
torch.kron(a, b) | torch.kron(s, v) | i.kron(i) | torch.trace(a) | i.trace() | torch.dist(a, v) | torch.dist(a, b[:, :1], 1)
torch.cdist(t, s) | torch.cdist(t, s, 1) | torch.cdist(t, s[0], inf) | torch.cdist(t, s[0], 0)
torch.cdist(t.repeat(6, 1), t + 1) * 1 | torch.nn.functional.pdist(t) | torch.nn.functional.pdist(t, 1.5) | torch.linalg.eigvals(none)
"""

GRADIENTS = """
torch.linalg.inv(a) | torch.linalg.solve(a, b) | torch.linalg.solve(a, b.mT, left=False) | torch.linalg.det(s)
torch.linalg.slogdet(s)[1] | torch.linalg.cholesky(h) | torch.linalg.cholesky(p, upper=True) | torch.linalg.eigvalsh(p)
torch.linalg.eigh(p)[1].abs() | torch.linalg.svdvals(w) | torch.linalg.svd(t, full_matrices=False)[0].abs()
torch.linalg.svd(w)[2][..., :3, :].abs() | torch.linalg.qr(t) | torch.linalg.qr(w) | torch.linalg.lu_factor(w)[0]
torch.linalg.lu(t)[1:] | torch.linalg.solve_triangular(a, b, upper=True) | torch.cholesky_solve(b, a)
torch.cholesky_inverse(h) | torch.linalg.pinv(t) | torch.linalg.pinv(p, hermitian=True)
torch.linalg.lstsq(t, t.square(), driver='gels')[:2] | torch.linalg.norm(a, 'nuc') | torch.linalg.norm(a, 2)
torch.linalg.norm(a) | torch.norm(s, 3, dim=1) | torch.matrix_exp(s) | torch.linalg.matrix_power(a, -1) | torch.kron(a, b)
torch.cross(s, s.mT, dim=1) | torch.trace(a) | torch.dist(a, v) | torch.cdist(t, s) | torch.cdist(t, s, 1) | torch.cdist(t, t)
torch.cdist(t.repeat(6, 1), t) | torch.nn.functional.pdist(t) | torch.linalg.eig(s)[1].abs() | torch.logdet(h)
"""

ERRORS = """
torch.linalg.inv(singular) | torch.linalg.inv(t) | torch.linalg.inv(v) | torch.linalg.inv(i) | torch.linalg.solve(singular, b[:2])
torch.linalg.solve(a, b[:3]) | torch.linalg.solve(a, b.float()) | torch.linalg.cholesky(-p) | torch.linalg.cholesky(i.half())
torch.linalg.eigh(a, 'X') | torch.linalg.eig(a / 0) | torch.linalg.qr(a, 'x') | torch.linalg.svd([1])
torch.linalg.lu_factor(a * 0) | torch.linalg.lstsq(a, b[:3]) | torch.linalg.lstsq(a, b, driver='x') | torch.linalg.pinv(v)
torch.linalg.matrix_norm(a, 3) | torch.linalg.matrix_norm(a, 'x') | torch.linalg.matrix_norm(a, dim=(0, 0))
torch.linalg.matrix_norm(a, dim=(0, 1, 1)) | torch.linalg.norm(a, 2, dim=(0, 1, 2)) | torch.linalg.norm(s, 2) | torch.norm(a, 'x')
torch.norm(i) | torch.norm(c, dtype=torch.float32) | torch.linalg.cond(a, 'x') | torch.linalg.cond(t, 1) | torch.linalg.multi_dot([a]) | torch.linalg.vander(v, N=1)
torch.linalg.tensorinv(t, ind=1) | torch.linalg.tensorinv(a, ind=0) | torch.linalg.tensorsolve(t, v)
torch.linalg.vecdot(v, v.float()) | torch.linalg.cross(a, a) | torch.cross(a, b, dim=0) | torch.trace(s) | torch.det(t)
torch.linalg.matrix_exp(t) | torch.cdist(a, t) | torch.cdist(a, a, -1) | torch.cdist(a, a, 2, 'x') | torch.cdist(i, i)
torch.linalg.solve_triangular(a, b.mT, upper=True) | torch.linalg.inv(a, out=torch.empty(4, 4, dtype=torch.int64))
a.norm(dtype=torch.float32) | torch.linalg.norm(v, dtype=torch.complex128) | torch.linalg.qr(i.half()) | torch.linalg.inv(i.half())
torch.logdet(t) | torch.slogdet(t)
torch.linalg.householder_product(a.mT[:2], v) | torch.ormqr(a, v[:2], b) | torch.nn.functional.pdist(v)
"""


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parity
@pytest.mark.parametrize("expression", lines(VALUES))
def test_values(expression: str) -> None:
    assert_parity(expression, ARRAYS)
    if "dtype" not in expression:
        assert_parity(expression, ARRAYS, "float32", rtol=2e-4, atol=2e-4)


@pytest.mark.parity
@pytest.mark.parametrize("expression", lines(GRADIENTS))
def test_gradients(expression: str) -> None:
    assert_gradient_parity(expression, {k: v for k, v in ARRAYS.items() if v.dtype.kind == "f"}, same_name=False)


@pytest.mark.parity
@pytest.mark.parametrize("expression", lines(ERRORS))
def test_errors(expression: str) -> None:
    assert_same_error(expression, ARRAYS)


# ---- derivatives ----


def symmetric(x):
    return x @ x.mH + tl.eye(x.shape[-1], dtype=x.dtype)


def spectrum(pair):
    return pair[0], pair[1].abs()


L = tl.linalg
DERIVED = {
    "inv": (L.inv, (3, 3)),
    "solve": (L.solve, (2, 3, 3), (2, 3, 2)),
    "solve_right": (lambda a, b: L.solve(a, b, left=False), (3, 3), (2, 3)),
    "solve_broadcast": (L.solve, (3, 3), (2, 3, 1)),
    "det": (L.det, (2, 3, 3)),
    "slogdet": (lambda a: L.slogdet(a)[1], (3, 3)),
    "logdet": (lambda a: tl.logdet(symmetric(a)).real, (3, 3)),
    "cholesky": (lambda a: L.cholesky(symmetric(a)), (3, 3)),
    "cholesky_upper": (lambda a: L.cholesky(symmetric(a), upper=True), (3, 3)),
    "cholesky_solve": (lambda b, a: tl.cholesky_solve(b, L.cholesky(symmetric(a))), (3, 2), (3, 3)),
    "cholesky_inverse": (lambda a: tl.cholesky_inverse(L.cholesky(symmetric(a))), (3, 3)),
    "eigh": (lambda a: spectrum(L.eigh(a + a.mH)), (3, 3)),
    "eigvalsh": (lambda a: L.eigvalsh(a + a.mH), (2, 3, 3)),
    "eig": (lambda a: spectrum(L.eig(a)), (3, 3)),
    "svd_tall": (lambda a: (lambda u, s, v: (u @ v, s))(*L.svd(a, full_matrices=False)), (4, 3)),
    "svd_wide": (lambda a: (lambda u, s, v: (u @ v, s))(*L.svd(a, full_matrices=False)), (2, 3)),
    "svdvals": (L.svdvals, (2, 3, 2)),
    "qr_tall": (lambda a: tuple(L.qr(a)), (4, 3)),
    "qr_wide": (lambda a: tuple(L.qr(a)), (2, 3)),
    "lu_factor": (lambda a: L.lu_factor(a)[0], (3, 4)),
    "lu_tall": (lambda a: tuple(L.lu(a)[1:]), (4, 3)),
    "lu_wide": (lambda a: tuple(L.lu(a)[1:]), (3, 4)),
    "lu_solve": (lambda a, b: L.lu_solve(*L.lu_factor(a), b), (3, 3), (3, 2)),
    "solve_triangular": (lambda a, b: L.solve_triangular(a, b, upper=False), (3, 3), (3, 2)),
    "solve_triangular_right": (
        lambda a, b: L.solve_triangular(a, b, upper=True, left=False, unitriangular=True), (3, 3), (2, 3),
    ),
    "pinv": (L.pinv, (4, 2)),
    "pinv_wide": (L.pinv, (2, 3)),
    "lstsq": (lambda a, b: L.lstsq(a, b, driver="gels")[:2], (4, 2), (4, 2)),
    "householder_product": (L.householder_product, (4, 2), (2,)),
    "ormqr": (tl.ormqr, (4, 2), (2,), (4, 2)),
    "matrix_exp": (L.matrix_exp, (2, 2)),
    "matrix_power": (lambda a: L.matrix_power(a, -2), (3, 3)),
    "tensorinv": (lambda a: L.tensorinv(a, ind=1), (4, 2, 2)),
    "vander": (L.vander, (3,)),
    "vecdot": (L.vecdot, (2, 3), (2, 3)),
    "multi_dot": (lambda a, b, c: L.multi_dot([a, b, c]), (2, 3), (3, 2), (2,)),
    "cross": (L.cross, (2, 3), (1, 3)),
    "kron": (tl.kron, (2, 3), (2,)),
    "trace": (tl.trace, (3, 2)),
    "nuclear": (lambda a: L.matrix_norm(a, "nuc"), (3, 2)),
    "spectral": (lambda a: L.matrix_norm(a, 2), (3, 2)),
    "dist": (lambda a, b: tl.dist(a, b, 3), (3, 2), (2,)),
}  # fmt: skip
REAL_ONLY = {
    "cdist": (tl.cdist, (4, 3), (2, 3)),
    "cdist_1": (lambda a, b: tl.cdist(a, b, 1), (4, 3), (2, 3)),
    "cdist_product": (lambda a, b: tl.cdist(a, b, 2, "use_mm_for_euclid_dist"), (4, 3), (2, 3)),
    "pdist": (lambda a: tl.nn.functional.pdist(a, 3), (4, 3)),
}


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("name", [*DERIVED, *REAL_ONLY])
@pytest.mark.skipif(not IS_TENSORLITE, reason="PyTorch has no second derivatives of some")
def test_derivatives(name: str, dtype: str) -> None:
    function, *shapes = (DERIVED | REAL_ONLY)[name]
    if dtype == "complex128" and name in REAL_ONLY:
        pytest.skip("real only")
    tl.manual_seed(3)
    inputs = [tl.randn(*shape, dtype=getattr(tl, dtype), requires_grad=True) for shape in shapes]
    assert tl.autograd.gradcheck(function, inputs)
    assert tl.autograd.gradgradcheck(function, inputs)


def test_the_gradient_of_the_determinant_of_a_singular_matrix_is_its_adjugate() -> None:
    for a in ([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]], [[0.0, 0.0], [0.0, 3.0]]):
        a = tl.tensor(a, dtype=tl.float64, requires_grad=True)
        stack = tl.stack([a, tl.eye(len(a), dtype=tl.float64)])
        (grad,) = tl.autograd.grad(tl.linalg.det(stack).sum(), a, create_graph=True)
        n, adjugate = len(a), np.zeros((len(a), len(a)))
        for i, j in itertools.product(range(n), repeat=2):
            minor = np.delete(np.delete(a.detach().numpy(), i, 0), j, 1)
            adjugate[i, j] = (-1) ** (i + j) * (np.linalg.det(minor) if n > 1 else 1)
        if IS_TENSORLITE or n == 3:
            np.testing.assert_allclose(grad.detach().numpy(), adjugate, atol=1e-9)


# ---- against NumPy ----


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize("shape", [(3, 3), (70, 70), (61, 40), (40, 61), (2, 3, 29, 30), (0, 4, 4), (0, 0)])
def test_decompositions_rebuild_the_matrix(shape: tuple[int, ...], dtype: type) -> None:
    a = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    a = (a if np.issubdtype(dtype, np.complexfloating) else a.real).astype(dtype)
    x, tol = tl.from_numpy(a), 2e-4 if a.real.dtype == np.float32 else 1e-11
    p, l, u = tl.linalg.lu(x)
    q, r = tl.linalg.qr(x)
    w, s, vh = tl.linalg.svd(x, full_matrices=False)
    for result in (p @ l @ u, q @ r, (w * s.unsqueeze(-2)) @ vh):
        assert result.dtype == x.dtype
        np.testing.assert_allclose(result.numpy(), a, atol=tol)
    if shape[-1] == shape[-2]:
        values, vectors = tl.linalg.eig(x)
        np.testing.assert_allclose((x.to(vectors.dtype) @ vectors).numpy(), (vectors * values.unsqueeze(-2)).numpy(), atol=10 * tol)
        h = x @ x.mH
        values, vectors = tl.linalg.eigh(h)
        np.testing.assert_allclose(((vectors * values.unsqueeze(-2)) @ vectors.mH).numpy(), h.numpy(), atol=30 * tol)
        a = a / 10
        np.testing.assert_allclose(tl.linalg.det(x / 10).numpy(), np.linalg.det(a), rtol=1e3 * tol, atol=tol)
        b = x[..., :2]
        ld = tl.linalg.ldl_factor(h, hermitian=True)
        if h.numel():
            solved = tl.linalg.ldl_solve(*ld, h @ b, hermitian=True)
            np.testing.assert_allclose(((h @ solved) - h @ b).numpy(), 0, atol=1e2 * tol)


@pytest.mark.parametrize("n", [1, 24, 25, 100])
@pytest.mark.parametrize(("upper", "left", "unit"), list(itertools.product([False, True], repeat=3)))
def test_triangular_systems(n: int, upper: bool, left: bool, unit: bool) -> None:
    a = rng.standard_normal((2, n, n)) / n + 2 * np.eye(n)
    b = rng.standard_normal((2, n, 3) if left else (2, 3, n))
    x = tl.linalg.solve_triangular(tl.from_numpy(a), tl.from_numpy(b), upper=upper, left=left, unitriangular=unit)
    t = np.triu(a) if upper else np.tril(a)
    if unit:
        t = t - np.eye(n) * t + np.eye(n)
    np.testing.assert_allclose(t @ x.numpy() if left else x.numpy() @ t, b, atol=1e-10)


# ---- forms ----


def test_errors_name_the_matrix_of_a_stack() -> None:
    stack = tl.stack([tl.eye(2), tl.ones(2, 2)])
    with pytest.raises(tl.linalg.LinAlgError, match=r"linalg.inv: \(Batch element 1\): The diagonal element 2 is zero"):
        tl.linalg.inv(stack)
    inverse, info = tl.linalg.inv_ex(stack)
    assert info.tolist() == [0, 2] and inverse[0].tolist() == [[1, 0], [0, 1]]
    assert issubclass(tl.linalg.LinAlgError, RuntimeError)


def test_named_results() -> None:
    result = tl.linalg.svd(tl.eye(2))
    assert repr(result).startswith(f"{tl.__name__}.return_types.linalg_svd(\nU=tensor(")
    assert result.S is result[1] and isinstance(result, tl.return_types.linalg_svd)
    assert type(tl.eye(2).slogdet()) is tl.return_types.slogdet


def test_out() -> None:
    a = tl.tensor([[2.0, 0.0], [1.0, 4.0]])
    out = tl.empty(0)
    assert tl.linalg.inv(a, out=out) is out
    assert out.tolist() == [[0.5, 0.0], [-0.125, 0.25]] and out.stride() == (1, 2)
    outs = tl.empty(2, 2), tl.empty(2, 2)
    result = tl.linalg.qr(a, out=outs)
    np.testing.assert_allclose((outs[0] @ outs[1]).numpy(), a.numpy(), atol=1e-6)
    assert result.Q.data_ptr() == outs[0].data_ptr()


def test_inputs_stay_as_they_are() -> None:
    a = tl.tensor(definite(3, 3))
    before = a.clone()
    for function in (tl.linalg.inv, tl.linalg.cholesky, tl.linalg.lu, tl.linalg.qr, tl.linalg.eigh, tl.linalg.eig):
        function(a)
        assert tl.equal(a, before)


@pytest.mark.skipif(not IS_TENSORLITE, reason="of tensorlite")
def test_linalg_is_imported_when_first_used() -> None:
    program = """
import sys, tensorlite as torch
assert "numpy" not in sys.modules
assert "tensorlite.linalg" not in sys.modules and "tensorlite.fft" not in sys.modules
assert torch.eye(2).inverse().tolist() == [[1, 0], [0, 1]]
assert torch.eye(2).inverse.__func__ is torch.inverse
torch.compat.install()
import torch.linalg, torch.fft, torch.signal.windows
from torch.linalg import svd
"""
    subprocess.run([sys.executable, "-c", program], check=True)
