"""Scaled dot product attention and the attention of many heads: tiles of every size against the plain formula."""

import math
import subprocess
import sys

import numpy as np
import pytest
from library import tl
from parity import assert_gradient_parity, assert_parity, assert_same_error, check_derivatives, lines, same_bits

F = tl.nn.functional
rng = np.random.default_rng(7)


def plain(q, k, v, mask=None, causal=False, scale=None):
    """By whole matrices, in float64; a row that sees nothing is zero."""
    k, v = (np.repeat(t, q.shape[-3] // t.shape[-3], -3) for t in (k, v))
    s = q @ np.swapaxes(k, -1, -2) * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    if mask is not None:
        s = np.where(mask, s, -np.inf) if mask.dtype == bool else s + mask
    if causal:
        s = np.where(np.tril(np.ones(s.shape[-2:], bool)), s, -np.inf)
    top = s.max(-1, keepdims=True)
    e = np.exp(s - np.where(np.isfinite(top), top, 0))
    total = e.sum(-1, keepdims=True)
    return np.where(total > 0, e / np.where(total > 0, total, 1), 0) @ v


# batch, heads, key heads, queries, keys, width, value width
SHAPES = [
    (2, 3, 3, 5, 7, 8, 8),
    (1, 1, 1, 1, 1, 1, 1),
    (1, 2, 2, 64, 128, 16, 16),
    (2, 4, 2, 65, 129, 5, 9),
    (1, 2, 1, 130, 300, 24, 8),
    (1, 1, 1, 3, 400, 64, 64),
]
MASKS = ["none", "bool", "added", "row", "causal"]


@pytest.mark.sanitize
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("shape", SHAPES)
def test_tiles_against_whole_matrices(shape, mask):
    b, h, hk, n, s, e, ev = shape
    q, k, v = rng.standard_normal((b, h, n, e)), rng.standard_normal((b, hk, s, e)), rng.standard_normal((b, hk, s, ev))
    made = {
        "bool": rng.random((n, s)) > 0.5,
        "added": rng.standard_normal((b, 1, n, s)),
        "row": np.arange(n)[:, None] % 3 > np.zeros((1, s)),
    }.get(mask)
    tensors = [tl.from_numpy(t).requires_grad_() for t in (q, k, v)]
    given = None if made is None else tl.from_numpy(made)
    options = dict(is_causal=mask == "causal", enable_gqa=h != hk)
    result = F.scaled_dot_product_attention(*tensors, given, **options)
    np.testing.assert_allclose(result.detach().numpy(), plain(q, k, v, made, mask == "causal"), atol=1e-13)
    # The fused gradient and that of the formula which can be derived again.
    weights = tl.from_numpy(rng.standard_normal(result.shape))
    fused = tl.autograd.grad(result, tensors, weights, retain_graph=True)
    composed = tl.autograd.grad(result, tensors, weights, create_graph=True)
    for a, c in zip(fused, composed):
        np.testing.assert_allclose(a.numpy(), c.detach().numpy(), atol=1e-12)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 2e-6), ("float16", 2e-3), ("bfloat16", 2e-2)])
def test_dtypes(dtype, tolerance):
    q, k, v = (rng.standard_normal((2, 2, n, 16)) for n in (70, 140, 140))
    rounded = [tl.from_numpy(t).to(getattr(tl, dtype)) for t in (q, k, v)]
    result = F.scaled_dot_product_attention(*rounded, is_causal=True)
    expected = plain(*(t.double().numpy() for t in rounded), causal=True)
    assert result.dtype == rounded[0].dtype
    np.testing.assert_allclose(result.double().numpy(), expected, atol=tolerance)


def test_nothing_visible_is_zero_and_flows_nowhere():
    q, k, v = (tl.randn(1, 1, 4, 3, requires_grad=True) for _ in range(3))
    mask = tl.ones(4, 4, dtype=tl.bool)
    mask[2] = False
    result = F.scaled_dot_product_attention(q, k, v, mask)
    assert result[0, 0, 2].tolist() == [0, 0, 0]
    result.sum().backward()
    assert q.grad[0, 0, 2].tolist() == [0, 0, 0]


@pytest.mark.sanitize
def test_any_number_of_threads_gives_the_same_bits():
    q, k, v = (tl.randn(2, 4, 150, 16, requires_grad=True) for _ in range(3))

    def run():
        result = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return [result, *tl.autograd.grad(result, (q, k, v), tl.ones_like(result))]

    same_bits(run)


ARRAYS = {
    "q": rng.standard_normal((2, 4, 5, 6)),
    "k": rng.standard_normal((2, 4, 7, 6)),
    "v": rng.standard_normal((2, 4, 7, 6)),
    "m": rng.standard_normal((5, 7)),
}
EXPRESSIONS = lines("""
F.scaled_dot_product_attention(q, k, v) | F.scaled_dot_product_attention(q, k, v, is_causal=True) | F.scaled_dot_product_attention(q, k, v, m.detach()) | F.scaled_dot_product_attention(q, k, v, m.detach() > 0)
F.scaled_dot_product_attention(q, k, v, scale=0.3) | F.scaled_dot_product_attention(q, k[:, :2], v[:, :2], enable_gqa=True) | F.scaled_dot_product_attention(q.transpose(1, 2).contiguous().transpose(1, 2), k, v)
F.scaled_dot_product_attention(q, k, v, m.detach()[:, :1] > 0)
""")
OTHERS = lines("""
F.scaled_dot_product_attention(q, k, v, m) | F.scaled_dot_product_attention(q[0], k[0], v[0]) | F.scaled_dot_product_attention(q[0, 0], k[0, 0], v[0, 0], is_causal=True) | F.scaled_dot_product_attention(q, k[:, :1], v[:, :1])
F.scaled_dot_product_attention(q, k, v[..., :3]) | F.scaled_dot_product_attention(q[0], k, v) | F.scaled_dot_product_attention(q, k[:, :, :0], v[:, :, :0]) | F.scaled_dot_product_attention(q.unsqueeze(0), k.unsqueeze(0), v.unsqueeze(0))
""")
REFUSED = lines("""
F.scaled_dot_product_attention(q, k.float(), v) | F.scaled_dot_product_attention(q[0, 0, 0], k, v) | F.scaled_dot_product_attention(q.long(), k.long(), v.long())
F.scaled_dot_product_attention(q, k, v, m.long()) | F.scaled_dot_product_attention(q, k[:, :3], v[:, :3], enable_gqa=True) | F.scaled_dot_product_attention(q, k, v, dropout_p=1.5)
""")


@pytest.mark.parametrize("expression", EXPRESSIONS + OTHERS)
def test_derivatives(expression):
    small = {name: a[:1, :2, :3, :2] if a.ndim == 4 else a[:3, :3] for name, a in ARRAYS.items()}
    if "[:, :2]" in expression:
        expression = expression.replace("[:, :2]", "[:, :1]")
    check_derivatives(expression, small, "q k v" + (" m" if "m)" in expression and "detach" not in expression else ""))


@pytest.mark.parity
@pytest.mark.parametrize("expression", EXPRESSIONS + OTHERS)
def test_parity_of_expressions(expression):
    pytest.importorskip("torch")
    assert_parity(expression, ARRAYS)
    assert_parity(expression, ARRAYS, "float32", rtol=1e-5, atol=1e-6)


@pytest.mark.parity
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_parity_of_gradients(expression):
    pytest.importorskip("torch")
    assert_gradient_parity(expression, ARRAYS)


@pytest.mark.parity
@pytest.mark.parametrize("expression", REFUSED)
def test_parity_of_errors(expression):
    pytest.importorskip("torch")
    assert_same_error(expression, ARRAYS)


@pytest.mark.parity
@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("options", [{}, {"bias": True}, {"zero": True}, {"mask": True}, {"padding": True, "mask": True}, {"separate": True}, {"dropout": 0.4}])
def test_parity_of_many_heads(options, need_weights):
    torch = pytest.importorskip("torch")
    r = np.random.default_rng(3)
    x, w, b, o = (r.standard_normal(s) for s in ((5, 2, 8), (24, 8), (24,), (8, 8)))
    extra, mask, padding = r.standard_normal((2, 1, 1, 8)), r.random((5, 5)) > 0.7, np.array([[False] * 5, [False] * 4 + [True]])
    mask[:, 0] = False

    def run(lib):
        lib.manual_seed(5)
        t = {n: lib.from_numpy(a.copy()).requires_grad_() for n, a in (("x", x), ("w", w), ("b", b), ("o", o))}
        biases = [lib.from_numpy(e.copy()) if options.get("bias") else None for e in extra]
        separate = options.get("separate", False)
        projections = dict(zip(("q_proj_weight", "k_proj_weight", "v_proj_weight"), t["w"].chunk(3))) if separate else {}
        result, weights = lib.nn.functional.multi_head_attention_forward(
            t["x"], t["x"], t["x"], 8, 2, None if separate else t["w"], t["b"], *biases, options.get("zero", False),
            options.get("dropout", 0.0), t["o"], None, need_weights=need_weights,
            attn_mask=lib.from_numpy(mask) if options.get("mask") else None,
            key_padding_mask=lib.from_numpy(padding) if options.get("padding") else None,
            use_separate_proj_weight=separate, **projections,
        )  # fmt: skip
        assert (weights is not None) == need_weights
        results = [result] + ([weights] if need_weights else [])
        gradients = lib.autograd.grad(result.sin().sum(), list(t.values()))
        return [v.detach().numpy() for v in (*results, *gradients)], [v.stride() for v in results]

    (ours, strides), (theirs, their_strides) = run(tl), run(torch)
    assert strides == their_strides
    for a, e in zip(ours, theirs):
        np.testing.assert_allclose(a, e, atol=1e-10)


@pytest.mark.memory
def test_the_square_matrix_never_exists():
    program = """
import resource
import tensorlite as tl
q = tl.randn(1, 1, 8192, 8, requires_grad=True)
tl.nn.functional.scaled_dot_product_attention(q[:, :, :64], q, q).sum().backward()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
tl.nn.functional.scaled_dot_product_attention(q, q, q, is_causal=True).sum().backward()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert int(done.stdout) < 32 << 10, done.stderr  # KiB; the matrix has 256 MiB
