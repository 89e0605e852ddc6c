"""Attention; part of ``nn.functional``."""

from __future__ import annotations

import math

import tensorlite as _tl

from ._dropout import dropout

Tensor = _tl.Tensor
_C = _tl._C.nn

__all__ = ["multi_head_attention_forward", "scaled_dot_product_attention"]


# Scaled dot products


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(query @ key.T * scale + mask) @ value (Vaswani et al., 2017).

    Computed tile by tile: the square matrix of the scores never exists, except with dropout, with a mask that requires
    a gradient, and in second derivatives.

    Args:
        query: (..., L, E).
        key: (..., S, E).
        value: (..., S, Ev).
        attn_mask: added to the scores, or a bool mask of what may be looked at; broadcasts to (..., L, S).
        dropout_p: dropout of the weights; always applied.
        is_causal: each query sees keys up to its own place.
        scale: 1 / sqrt(E) if None.
        enable_gqa: key and value may have fewer heads (dim -3), each for a run of the query's.

    A query that sees no key gives zeros.
    """
    _check_operands(query, key, value, attn_mask)
    if scale is None:
        scale = 1 / math.sqrt(query.shape[-1]) if query.shape[-1] else math.inf
    if enable_gqa and query.dim() > 2 and (query.shape[-3] % key.shape[-3] or query.shape[-3] % value.shape[-3]):
        raise RuntimeError("Number of heads in key and value must divide the number of heads in query")
    if (
        dropout_p
        or not query.is_floating_point()
        or not (query.numel() and key.numel() and value.numel())
        or (attn_mask is not None and attn_mask.requires_grad)
    ):
        return _plain(query, key, value, attn_mask, dropout_p, is_causal, scale, enable_gqa)
    if query.dim() == key.dim() == value.dim() == 4 and query.shape[0] == key.shape[0] == value.shape[0]:
        heads = query.shape[1], key.shape[1], value.shape[1]
        if heads[1] == heads[2] and (enable_gqa or heads[0] == heads[1]):
            return _C.attention(query, key, value, attn_mask, is_causal, scale)[0]
    return _over_other_dims(query, key, value, attn_mask, is_causal, scale, enable_gqa)


def _check_operands(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> None:
    def name(t: Tensor) -> str:
        name = str(t.dtype).rpartition(".")[2]
        return {"float64": "double", "float32": "float", "int64": "long int", "int32": "int"}.get(name, name)

    if not query.dtype == key.dtype == value.dtype:
        raise RuntimeError(
            f"Expected query, key, and value to have the same dtype, but got query.dtype: {name(query)} key.dtype: "
            f"{name(key)} and value.dtype: {name(value)} instead."
        )
    if min(query.dim(), key.dim(), value.dim()) < 2:
        raise RuntimeError(
            "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: "
            f"{query.dim()} key.dim: {key.dim()} and value.dim: {value.dim()} instead."
        )
    if not (query.is_floating_point() or query.is_complex()):
        raise RuntimeError(f"expected scalar type Float but found {query.type().rpartition('.')[2][:-6]}")
    if mask is not None and mask.dtype not in (_tl.bool, _tl.float32, query.dtype):
        raise RuntimeError(
            "Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: "
            f"{name(mask)} and  query.dtype: {name(query)} instead."
        )


def _repeated(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    heads = query.shape[-3]
    key = key.repeat_interleave(heads // key.shape[-3], -3)
    return key, value.repeat_interleave(heads // value.shape[-3], -3)


def _over_other_dims(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, causal: bool, scale: float, shared: bool
) -> Tensor:
    """Brought to four dims, leading ones broadcast."""
    if shared and query.dim() > 2:
        key, value = _repeated(query, key, value)
    lead = _tl.broadcast_shapes(query.shape[:-2], key.shape[:-2], value.shape[:-2])
    if mask is not None:
        lead = _tl.broadcast_shapes(lead, mask.shape[:-2])
        mask = mask.expand(*lead, query.shape[-2], key.shape[-2])
    outer, heads = math.prod(lead[:-1]), lead[-1] if lead else 1

    def four(t: Tensor) -> Tensor:
        return t.expand(*lead, *t.shape[-2:]).reshape(outer, heads, *t.shape[-2:])

    mask = None if mask is None else four(mask)
    result = _C.attention(four(query), four(key), four(value), mask, causal, scale)[0]
    return _tl._C._unsafe_view(result.contiguous(), [*lead, *result.shape[-2:]])


def _plain(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    dropout_p: float,
    causal: bool,
    scale: float,
    shared: bool,
) -> Tensor:
    """With the whole matrix of weights."""
    if causal and mask is not None:
        raise RuntimeError(
            "_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True. Put the "
            "triangle into the mask."
        )
    if shared and query.dim() > 2:
        key, value = _repeated(query, key, value)
    root = math.sqrt(abs(scale))
    scores = (query * (root if scale >= 0 else -root)) @ (key * root).transpose(-2, -1)
    if causal:
        mask = _tl.ones(scores.shape[-2:], dtype=_tl.bool, device=scores.device).tril()
    if mask is None:
        weights = _tl.softmax(scores, -1)
    else:
        scores = scores.masked_fill(~mask, -math.inf) if mask.dtype == _tl.bool else scores + mask
        weights = _tl.softmax(scores, -1).masked_fill((scores == -math.inf).all(-1, keepdim=True), 0)
    if dropout_p < 0 or dropout_p > 1:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {dropout_p:g}")
    if dropout_p:
        weights = dropout(weights, dropout_p)
    return weights @ value


# Many heads


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Attention of several heads between projections (Vaswani et al., 2017): the work of ``nn.MultiheadAttention``.

    Args:
        query: (L, N, E) or (L, E).
        key: (S, N, E) or (S, E).
        value: as ``key``.
        embed_dim_to_check: E.
        num_heads: of which E is a multiple.
        in_proj_weight: (3 * E, E), the projections of query, key and value one after the other.
        in_proj_bias: (3 * E).
        bias_k: (1, 1, E), a key put behind the others; with ``bias_v``.
        bias_v: (1, 1, E).
        add_zero_attn: whether a key and value of zeros are put behind the others.
        dropout_p: of the weights, when training.
        out_proj_weight: (E, E).
        out_proj_bias: (E).
        training: whether dropout is on.
        key_padding_mask: (N, S) or (S); True, or what is added, for keys that are not looked at.
        need_weights: whether the weights are returned too.
        attn_mask: (L, S) or (N * num_heads, L, S); True, or what is added, where a query does not look.
        use_separate_proj_weight: take ``q_proj_weight``, ``k_proj_weight``, ``v_proj_weight`` instead.
        q_proj_weight: (E, E).
        k_proj_weight: (E, the key's width).
        v_proj_weight: (E, the value's width).
        static_k: (N * num_heads, S, E / num_heads), in place of the projected keys.
        static_v: likewise for values.
        average_attn_weights: whether the weights returned are the mean over the heads.
        is_causal: says that ``attn_mask``, which has to be given, is the causal one.

    Returns:
        (L, N, E) or (L, E); the weights (N, L, S), with a dim of heads if they are not averaged, or None.
    """
    batched = _check_dims(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        query, key, value = query.unsqueeze(1), key.unsqueeze(1), value.unsqueeze(1)
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    length, count, width = query.shape
    source = key.shape[0]
    key_padding_mask = _canonical("key_padding_mask", key_padding_mask, attn_mask, query.dtype)
    if is_causal and attn_mask is None:
        raise RuntimeError("Need attn_mask if specifying the is_causal hint.")
    if is_causal and key_padding_mask is None and not need_weights:
        attn_mask = None  # the kernel knows the triangle
    else:
        attn_mask = _canonical("attn_mask", attn_mask, None, query.dtype)
        is_causal = is_causal and key_padding_mask is None
    if width != embed_dim_to_check:
        raise AssertionError(f"was expecting embedding dimension of {embed_dim_to_check}, but got {width}")
    head = width // num_heads
    if head * num_heads != width:
        raise AssertionError(f"embed_dim {width} not divisible by num_heads {num_heads}")
    q, k, v = _projections(
        query, key, value, in_proj_weight, in_proj_bias, use_separate_proj_weight, q_proj_weight, k_proj_weight,
        v_proj_weight,
    )  # fmt: skip
    if attn_mask is not None:
        attn_mask = _mask_of_heads(attn_mask, length, source, count * num_heads)

    def wider(mask: Tensor | None) -> Tensor | None:
        return None if mask is None else _tl.nn.functional.pad(mask, (0, 1))

    if bias_k is not None and bias_v is not None:
        if static_k is not None or static_v is not None:
            raise AssertionError("bias cannot be added to static key and value.")
        k, v = _tl.cat([k, bias_k.repeat(1, count, 1)]), _tl.cat([v, bias_v.repeat(1, count, 1)])
        attn_mask, key_padding_mask = wider(attn_mask), wider(key_padding_mask)
    elif bias_k is not None or bias_v is not None:
        raise AssertionError("bias_k and bias_v must be given together")

    def heads(t: Tensor, static: Tensor | None, name: str) -> Tensor:
        if static is None:
            return t.reshape(t.shape[0], count * num_heads, head).transpose(0, 1)
        if static.shape[0] != count * num_heads:
            raise AssertionError(f"expecting {name}.size(0) of {count * num_heads}, but got {static.shape[0]}")
        if static.shape[2] != head:
            raise AssertionError(f"expecting {name}.size(2) of {head}, but got {static.shape[2]}")
        return static

    q, k, v = heads(q, None, ""), heads(k, static_k, "static_k"), heads(v, static_v, "static_v")
    if add_zero_attn:
        zero = _tl.zeros(count * num_heads, 1, head, dtype=k.dtype, device=k.device)
        k, v = _tl.cat([k, zero], 1), _tl.cat([v, zero], 1)
        attn_mask, key_padding_mask = wider(attn_mask), wider(key_padding_mask)
    source = k.shape[1]
    if key_padding_mask is not None:
        if tuple(key_padding_mask.shape) != (count, source):
            raise AssertionError(
                f"expecting key_padding_mask shape of {(count, source)}, but got {key_padding_mask.shape}"
            )
        padding = key_padding_mask.view(count, 1, 1, source).expand(-1, num_heads, -1, -1)
        padding = padding.reshape(count * num_heads, 1, source)
        attn_mask = padding if attn_mask is None else attn_mask + padding
    dropout_p = dropout_p if training else 0.0

    if need_weights:
        if is_causal and attn_mask is None:
            raise AssertionError("FIXME: is_causal not implemented for need_weights")
        scores = (q * math.sqrt(1.0 / head)) @ k.transpose(-2, -1)
        weights = _tl.softmax(scores if attn_mask is None else scores + attn_mask, -1)
        if dropout_p > 0:
            weights = dropout(weights, dropout_p)
        result = weights @ v
        weights = weights.view(count, num_heads, length, source)
        if average_attn_weights:
            weights = weights.mean(1)
        if not batched:
            weights = weights.squeeze(0)
    else:
        weights = None
        if attn_mask is not None:
            shared = attn_mask.shape[0] == 1 and attn_mask.dim() == 3
            attn_mask = attn_mask.unsqueeze(0) if shared else attn_mask.view(count, num_heads, -1, source)

        def four(t: Tensor) -> Tensor:
            return t.view(count, num_heads, -1, head)

        result = scaled_dot_product_attention(four(q), four(k), four(v), attn_mask, dropout_p, is_causal)
        result = result.reshape(count * num_heads, length, head)
    result = result.transpose(0, 1).reshape(length * count, width)
    result = _tl.nn.functional.linear(result, out_proj_weight, out_proj_bias).view(length, count, -1)
    return result if batched else result.squeeze(1), weights


def _check_dims(
    query: Tensor, key: Tensor, value: Tensor, padding: Tensor | None, mask: Tensor | None, heads: int
) -> bool:
    """Whether the operands are batched."""
    dims, word = query.dim(), {3: "batched (3-D)", 2: "unbatched (2-D)"}.get(query.dim())
    if word is None:
        raise AssertionError(
            f"query should be unbatched 2D or batched 3D tensor but received {dims}-D query tensor"
        )
    if key.dim() != dims or value.dim() != dims:
        raise AssertionError(
            f"For {word} `query`, expected `key` and `value` to be {dims}-D but found {key.dim()}-D and {value.dim()}"
            "-D tensors respectively"
        )
    if padding is not None and padding.dim() != dims - 1:
        raise AssertionError(
            f"For {word} `query`, expected `key_padding_mask` to be `None` or {dims - 1}-D but found {padding.dim()}-D "
            "tensor instead"
        )
    if mask is not None and mask.dim() not in (2, 3):
        raise AssertionError(
            f"For {word} `query`, expected `attn_mask` to be `None`, 2-D or 3-D but found {mask.dim()}-D tensor instead"
        )
    if dims == 2 and mask is not None and mask.dim() == 3:
        expected = (heads, query.shape[0], key.shape[0])
        if tuple(mask.shape) != expected:
            raise AssertionError(f"Expected `attn_mask` shape to be {expected} but got {mask.shape}")
    return dims == 3


def _canonical(name: str, mask: Tensor | None, other: Tensor | None, dtype: _tl.dtype) -> Tensor | None:
    """A mask as what is added to the scores."""
    if mask is None:
        return None
    if mask.dtype != _tl.bool and not mask.is_floating_point():
        raise AssertionError(f"only bool and floating types of {name} are supported")
    if other is not None and mask.dtype != other.dtype:
        import warnings

        warnings.warn(
            f"Support for mismatched {name} and attn_mask is deprecated. Use same type for both instead.", stacklevel=3
        )
    if mask.is_floating_point():
        return mask
    return _tl.zeros_like(mask, dtype=dtype).masked_fill_(mask, -math.inf)


def _mask_of_heads(mask: Tensor, length: int, source: int, heads: int) -> Tensor:
    if mask.dim() == 2:
        if tuple(mask.shape) != (length, source):
            raise RuntimeError(
                f"The shape of the 2D attn_mask is {mask.shape}, but should be {(length, source)}."
            )
        return mask.unsqueeze(0)
    if tuple(mask.shape) != (heads, length, source):
        raise RuntimeError(
            f"The shape of the 3D attn_mask is {mask.shape}, but should be {(heads, length, source)}."
        )
    return mask


def _projections(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    separate: bool,
    *weights: Tensor | None,
) -> list[Tensor]:
    linear = _tl.nn.functional.linear
    biases = (None, None, None) if bias is None else bias.chunk(3)
    if separate:
        if key.shape[:2] != value.shape[:2]:
            raise AssertionError(
                f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}"
            )
        for w, name in zip(weights, "qkv"):
            if w is None:
                raise AssertionError(f"use_separate_proj_weight is True but {name}_proj_weight is None")
    else:
        if key.shape != value.shape:
            raise AssertionError(f"key shape {key.shape} does not match value shape {value.shape}")
        if weight is None:
            raise AssertionError("use_separate_proj_weight is False but in_proj_weight is None")
        if query is key is value:
            # One product for the three.
            width = query.shape[-1]
            joint = linear(query, weight, bias).unflatten(-1, (3, width)).unsqueeze(0).transpose(0, -2).squeeze(-2)
            joint = joint.contiguous()
            return [joint[0], joint[1], joint[2]]
        weights = weight.chunk(3)
    return [linear(t, w, b) for t, w, b in zip((query, key, value), weights, biases)]
