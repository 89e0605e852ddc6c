"""Attention on a CUDA device, against the CPU: tiles and their edges, masks, shared key heads, strides, dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from library import IS_TENSORLITE, tl

pytestmark = pytest.mark.skipif(not IS_TENSORLITE or not tl.cuda.is_available(), reason="no CUDA device")

attention = tl.nn.functional.scaled_dot_product_attention
TOLERANCE = {"float64": 1e-11, "float32": 2e-5, "float16": 4e-3, "bfloat16": 3e-2}


def drawn(*shape: int, seed: int = 0, dtype: str = "float32") -> Any:
    values = np.random.default_rng(seed).standard_normal(shape)
    return tl.tensor(values, dtype=tl.float64).to(getattr(tl, dtype))


def compare(q: Any, k: Any, v: Any, mask: Any = None, dtype: str = "float32", **options: Any) -> None:
    """Results and gradients on both devices; the same bits in a second run."""

    def run(device: str) -> list[Any]:
        leaves = [t.clone().to(device).requires_grad_() for t in (q, k, v)]
        y = attention(*leaves, attn_mask=None if mask is None else mask.to(device), **options)
        return [y.detach(), *tl.autograd.grad(y, leaves, drawn(*y.shape, seed=9).to(y.dtype).to(device))]

    expected, got, again = run("cpu"), run("cuda"), run("cuda")
    for e, g, a in zip(expected, got, again):
        assert (g.dtype, g.shape, g.stride()) == (e.dtype, e.shape, e.stride()) and g.is_cuda
        assert g.cpu().equal(a.cpu())
        e, g = e.double().numpy(), g.cpu().double().numpy()
        np.testing.assert_allclose(g, e, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype] * max(1, abs(e).max()))


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(
    ("queries", "keys", "width", "value_width"),
    [(1, 1, 1, 1), (5, 7, 8, 8), (65, 66, 16, 24), (70, 130, 7, 5), (64, 64, 32, 32)],
    ids=str,
)
def test_tiles(queries: int, keys: int, width: int, value_width: int, causal: bool, dtype: str) -> None:
    q, k = drawn(2, 2, queries, width, dtype=dtype), drawn(2, 2, keys, width, seed=1, dtype=dtype)
    compare(q, k, drawn(2, 2, keys, value_width, seed=2, dtype=dtype), is_causal=causal, dtype=dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize("width", [48, 80, 144])
def test_wide_heads(width: int, dtype: str) -> None:
    q, k = drawn(1, 1, 9, width, dtype=dtype), drawn(1, 1, 70, width, seed=1, dtype=dtype)
    compare(q, k, drawn(1, 1, 70, width, seed=2, dtype=dtype), dtype=dtype, scale=0.2)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_masks(dtype: str) -> None:
    q, k, v = (drawn(2, 3, n, 16, seed=n, dtype=dtype) for n in (20, 70, 70))
    hidden = drawn(2, 1, 20, 70) > 0
    hidden[0, 0, 3] = False  # a query that looks at nothing
    compare(q, k, v, hidden, dtype=dtype)
    compare(q, k, v, drawn(20, 70).to(q.dtype), dtype=dtype)
    added = drawn(2, 3, 20, 70)
    added[:, :, 2:5, :40] = float("-inf")
    compare(q, k, v, added.to(q.dtype), dtype=dtype)


def test_shared_heads_and_strides() -> None:
    q, k, v = drawn(2, 6, 33, 16), drawn(2, 2, 40, 16, seed=1), drawn(2, 2, 40, 16, seed=2)
    compare(q, k, v, enable_gqa=True)
    compare(q, k, v, enable_gqa=True, is_causal=True)
    packed = drawn(2, 33, 3, 4, 16)  # (batch, rows, part, heads, width), as one projection gives it
    compare(*(packed[:, :, i].transpose(1, 2) for i in range(3)))
    odd = drawn(2, 3, 33, 17)[..., 1:]
    compare(odd, odd, odd)
    compare(q.mT.contiguous().mT, k.mT.contiguous().mT[:, :1], v[:, :1].expand(2, 1, 40, 16), enable_gqa=True)


def test_nothing_to_look_at_and_errors() -> None:
    y = attention(drawn(1, 2, 3, 4).cuda(), drawn(1, 2, 0, 4).cuda(), drawn(1, 2, 0, 4).cuda())
    assert y.cpu().equal(attention(drawn(1, 2, 3, 4), drawn(1, 2, 0, 4), drawn(1, 2, 0, 4)))
    assert attention(drawn(1, 2, 0, 4).cuda(), drawn(1, 2, 3, 4).cuda(), drawn(1, 2, 3, 4).cuda()).shape == (1, 2, 0, 4)
    for call in (
        lambda d: attention(drawn(1, 2, 3, 4).to(d), drawn(1, 2, 3, 4).to(d).half(), drawn(1, 2, 3, 4).to(d)),
        lambda d: attention(drawn(1, 2, 3, 4).to(d), drawn(1, 2, 3, 5).to(d), drawn(1, 2, 3, 4).to(d)),
    ):
        with pytest.raises(RuntimeError) as cpu:
            call("cpu")
        with pytest.raises(cpu.type) as cuda:
            call("cuda")
        assert str(cuda.value) == str(cpu.value)
