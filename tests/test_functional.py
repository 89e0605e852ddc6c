"""Functions of nn.functional that are made of others: against PyTorch, with derivatives and errors."""

import warnings

import numpy as np
import pytest
from library import tl
from parity import assert_gradient_parity, assert_parity, assert_same_error, check_derivatives, lines

F = tl.nn.functional
rng = np.random.default_rng(5)
ARRAYS = {
    "x": rng.standard_normal((2, 4, 6, 5)),
    "y": rng.standard_normal((2, 4, 7)),
    "z": rng.standard_normal((2, 2, 4, 5, 4)),
    "m": rng.standard_normal((4, 5)),
    "n": rng.standard_normal((4, 5)),
    "o": rng.standard_normal((4, 5)),
    "w": rng.standard_normal(4),
    "c": np.array([1, 0, 4, 2]),
    "t": np.array([[1, 3, -1, 0, 2], [4, -1, 0, 0, 1], [-1, 0, 0, 0, 0], [0, 1, 2, 3, 4]]),
    "s": np.array([1, -1, 1, 1]),
    "b": np.array([0, 3, 1, 1, 2, 0]),
    "f": np.array([0, 2, 2, 5]),
}
WINDOWS = """
F.unfold(x, 2) | F.unfold(x, (2, 3), dilation=(1, 2), padding=(1, 2), stride=(2, 1)) | F.unfold(x[0], 3, stride=2) | F.fold(F.unfold(x, 2, padding=1), (6, 5), 2, padding=1) | F.fold(x.reshape(2, 4, 30), (7, 6), 2) | F.fold(x.reshape(2, 8, 15)[0], (8, 2), (2, 2), dilation=(3, 1), stride=1, padding=(0, 1))
"""
SHAPES = """
F.pad(x, (1, 2, 2, 1), 'reflect') | F.pad(x, (1, 2, 2, 1), 'replicate') | F.pad(x, (1, 2, 2, 1), 'circular') | F.pad(y, (-1, 2), 'reflect') | F.pad(y, (2, -1), 'circular') | F.pad(y, (-2, -1), 'replicate') | F.pad(x[0], (3, 0, 0, 5), 'reflect') | F.pad(z, (1, 1, 2, 0, 1, 1), 'circular') | F.pad(x, (-1, 1, 1, -2), 'circular')
F.channel_shuffle(x, 2) | F.pixel_shuffle(x, 2) | F.pixel_unshuffle(x[:, :, :, :4], 2) | F.pad(x, (0, 0, 0, 0), 'reflect')
"""
POOLS = """
F.lp_pool1d(y, 2, 3) | F.lp_pool2d(x.abs(), 3, 2, stride=1) | F.lp_pool3d(z, 2, 2) | F.lp_pool2d(x[0], 1.0, (2, 3), ceil_mode=True)
F.max_unpool1d(*F.max_pool1d(y[..., :6], 2, return_indices=True), 2) | F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2, output_size=(6, 5)) | F.max_unpool3d(*F.max_pool3d(z[..., :4, :], 2, return_indices=True), 2) | F.max_unpool2d(*F.max_pool2d(x[0, ..., :4], 2, return_indices=True), 2)
F.fractional_max_pool2d(x, 2, 3, _random_samples=torch.full((2, 4, 2), 0.3, dtype=x.dtype)) | F.fractional_max_pool3d(z, 2, (2, 3, 2), _random_samples=torch.full((2, 2, 3), 0.6, dtype=x.dtype)) | F.fractional_max_pool2d(x[0], (2, 1), output_ratio=(0.5, 0.7), _random_samples=torch.full((1, 4, 2), 0.8, dtype=x.dtype))
"""
NORMS = """
F.local_response_norm(y, 2) | F.local_response_norm(x, 3, 0.1, 0.5, 2.0) | F.local_response_norm(z, 2, 1.0) | F.rms_norm(x, (6, 5)) | F.rms_norm(x, (5,), n[0], 1e-3) | F.normalize(x, 3, (1, 2))
"""
ACTIVATIONS = """
F.hardshrink(m, 0.3) | F.softshrink(m, 0.3) | F.prelu(x, w) | F.prelu(m, w[:1]) | F.prelu(m[0, 0], w[0]) | F.glu(x, 1) | F.glu(m.T) | F.softsign(m) | F.tanhshrink(m) | F.threshold(m, 0.1, 2.0) | F.rrelu(m, 0.1, 0.2) | torch.hardshrink(m) | m.hardshrink(0.2)
"""
LOSSES = """
F.multi_margin_loss(m, c) | F.multi_margin_loss(m, c, p=2, margin=0.5, weight=n[0].abs().detach(), reduction='sum') | F.multi_margin_loss(m, c, reduction='none') | F.multi_margin_loss(m[0], c[0]) | F.multilabel_margin_loss(m, t) | F.multilabel_margin_loss(m, t, reduction='none') | F.multilabel_margin_loss(m[0], t[0])
F.multilabel_soft_margin_loss(m, (n > 0).double()) | F.multilabel_soft_margin_loss(m, n, n[0].detach(), reduction='none') | F.triplet_margin_loss(m, n, o) | F.triplet_margin_loss(m, n, o, 2.0, 1, swap=True, reduction='none') | F.triplet_margin_with_distance_loss(m, n, o, distance_function=lambda a, b: (a - b).abs().sum(-1), swap=True)
F.cosine_embedding_loss(m, n, s) | F.cosine_embedding_loss(m, n, s, 0.2, reduction='none') | F.cosine_embedding_loss(m[0], n[0], s[0]) | F.margin_ranking_loss(m, n, o.sign(), 0.5) | F.hinge_embedding_loss(m, n.sign().detach()) | F.soft_margin_loss(m, n.sign().detach()) | F.cosine_similarity(m, n) | F.cosine_similarity(m[:, None], n, -1) | F.pairwise_distance(m, n[0], 3)
F.gaussian_nll_loss(m, n, o.abs() + 0.1) | F.gaussian_nll_loss(m, n, o[:, 0].abs() + 0.1, full=True, reduction='none') | F.gaussian_nll_loss(m, n, 0.7) | F.linear_cross_entropy(m, n, c[:3].clamp(max=3).repeat(2)[:4]) | F.linear_cross_entropy(m, n, c.clamp(max=3), linear_bias=w, label_smoothing=0.1, reduction='none') | F.linear_cross_entropy(m, n, o[:, :4].softmax(1).detach())
"""
BAGS = """
F.embedding_bag(b, m, f) | F.embedding_bag(b, m, f, mode='sum') | F.embedding_bag(b, m, f, mode='max') | F.embedding_bag(b.reshape(2, 3), m) | F.embedding_bag(b, m, f, mode='sum', per_sample_weights=n.flatten()[:6]) | F.embedding_bag(b, m, f, padding_idx=1) | F.embedding_bag(b[:5], m, f, include_last_offset=True) | F.embedding_bag(b[:0], m, f[:1])
"""
OTHERS = """
F.bilinear(m, n, z[0, 0, :3].expand(3, 5, 4)[:, :, :4].transpose(1, 2)[:, :, :5].reshape(3, 4, 5)[:, [0, 1, 2, 3, 3]]) | F.conv_tbc(x[0].permute(1, 2, 0)[..., :4], z[0, 0, :3, :4], w, 1) | F.conv2d(x[:, :, :, :4], x[:, :, :3, :3], padding='same')
"""
COMPLEX = lines("""
F.conv1d(torch.complex(y, y + 1), torch.complex(y[:, :4, :3], y[:, :4, 1:4]), torch.complex(w[:2], w[2:])) | F.conv2d(torch.complex(x, x * 2), torch.complex(x[:, :2, :2, :2], x[:, 2:, 1:3, :2]), groups=2, padding=1) | F.conv_transpose2d(torch.complex(x, x - 1), torch.complex(x[:, :, :2, :2], x[:, :, 1:3, :2]).transpose(0, 1)[:4].reshape(4, 2, 2, 2), stride=2)
F.silu(torch.complex(m, n)) | F.rms_norm(torch.complex(m, n), (5,))
""")
INTEGERS = lines("""
F.max_pool2d(t[None, None].reshape(1, 1, 4, 5), 2, return_indices=True) | F.max_pool2d(t[None], 3, 1, 1, 1) | F.avg_pool2d(t[None], 2) | F.avg_pool2d(t[None], 3, 2, 1, True, False) | F.avg_pool1d(t[None], 2) | F.avg_pool2d(t[None], 2, divisor_override=3) | F.max_pool3d(t[None, None], (1, 2, 2)) | F.max_pool2d(t[None].int(), 2, 1, 0, 2)
F.conv_transpose1d(t[None], t[:, :, None][:, :2], stride=2) | F.conv_transpose2d(t[None, None], t[None, None, :2, :2], padding=1) | F.conv1d(t[None], t[:1, :4, None]) | F.pad(t[None], (1, 1, 1, 1), 'reflect') | F.local_response_norm(t[None], 2) | F.one_hot(c)
""")
REFUSED = lines("""
F.unfold(x, 9) | F.unfold(x, 0) | F.unfold(x, 2, padding=-1) | F.unfold(m, 2) | F.unfold(x.long(), 2) | F.unfold(x, (1, 2, 3)) | F.fold(y, (3, 4), 2) | F.fold(y, (3, 4), (5, 1)) | F.fold(x, 3, 2) | F.fold(y.long(), (1, 7), (1, 1)) | F.fold(y, (3, 4, 5), 2)
F.pad(x, (1,)) | F.pad(x, (1, 1), 'reflect') | F.pad(x, (9, 9, 0, 0), 'reflect') | F.pad(x, (1, 1, 1, 1), 'other') | F.pad(x, (9, 0, 0, 0), 'circular') | F.pad(x, (1, 1, 1, 1), 'reflect', 1) | F.pad(x > 0, (1, 1, 1, 1), 'reflect') | F.pad(m[0], (1, 1), 'replicate') | F.pad(x, (-3, -3, 0, 0), 'replicate')
F.channel_shuffle(x, 3) | F.channel_shuffle(x, 0) | F.channel_shuffle(m, 1) | F.pixel_shuffle(x, 3) | F.pixel_shuffle(m, 1) | F.pixel_shuffle(x, 0) | F.pixel_unshuffle(x, 4) | F.pixel_unshuffle(x, 0)
F.prelu(x, w[:3]) | F.prelu(x, m) | F.prelu(m[0, 0], w) | F.prelu(m, w.float()) | F.prelu(c, c[:1]) | F.rrelu(m, 0.5, 0.1, True) | F.rrelu(m, inf, 1.0, True) | F.softshrink(m, -1) | F.hardshrink(c) | F.threshold(m > 0, 0.0, 1.0) | F.glu(m) | F.glu(m[0, 0]) | F.glu(t[:, :4])
F.local_response_norm(m, 2) | F.rms_norm(m, (3,)) | F.rms_norm(m, ()) | F.rms_norm(c, (4,)) | F.rms_norm(m, (5,), w) | F.group_norm(x, 3) | F.group_norm(m[:1], 5) | F.instance_norm(x[:, :, :1, :1]) | F.instance_norm(x, use_input_stats=False)
F.fractional_max_pool2d(x, 2) | F.fractional_max_pool2d(x, 2, 9) | F.fractional_max_pool2d(m, 2, 2) | F.max_unpool2d(x, x, 2) | F.max_unpool2d(x, x.long()[:1], 2) | F.max_unpool2d(x, x.long() + 1000, 2) | F.max_unpool2d(x, x.long(), 2, output_size=(99, 99)) | F.max_unpool2d(m, m.long(), 2) | F.adaptive_avg_pool2d(x, (1, 2, 3)) | F.adaptive_max_pool2d(x, -1) | F.adaptive_avg_pool2d(m, (2, None))
F.multi_margin_loss(m, c, p=3) | F.multi_margin_loss(m, c + 5) | F.multi_margin_loss(m, c[:1]) | F.multi_margin_loss(m, c, weight=w) | F.multi_margin_loss(t, c) | F.multilabel_margin_loss(m, c) | F.multilabel_margin_loss(m, t + 3) | F.multilabel_margin_loss(x, t) | F.multilabel_soft_margin_loss(m, m, reduction='x') | F.margin_ranking_loss(m, n, w)
F.triplet_margin_loss(m, n, o, margin=-1) | F.triplet_margin_loss(m, n[0], o) | F.cosine_embedding_loss(m[0], n[0], s) | F.cosine_embedding_loss(m, n, s[0]) | F.gaussian_nll_loss(m, n, w[:3].abs()) | F.gaussian_nll_loss(m, n, -1.0) | F.cosine_similarity(t, t) | F.soft_margin_loss(t, t) | F.pdist(w) | F.pdist(m, -1) | F.kl_div(m, n, reduction='x') | F.linear_cross_entropy(m, n[:, :3], c) | F.linear_cross_entropy(m, w, c) | F.linear_cross_entropy(x, n, c)
F.embedding_bag(b, m) | F.embedding_bag(b.reshape(2, 3), m, f) | F.embedding_bag(b, m, f + 1) | F.embedding_bag(b, m, f * 2) | F.embedding_bag(b, m, f, mode='other') | F.embedding_bag(b, m, f, per_sample_weights=w) | F.embedding_bag(b, m, f, mode='max', scale_grad_by_freq=True) | F.embedding_bag(b, w, f) | F.embedding_bag(b[0], m, f)
""")
VALUES = WINDOWS + SHAPES + POOLS + NORMS + ACTIVATIONS + LOSSES + BAGS + OTHERS


def used(expression: str) -> dict:
    import re

    return {k: a for k, a in ARRAYS.items() if re.search(rf"\b{k}\b", expression) or a.dtype.kind != "f"}


@pytest.mark.sanitize
@pytest.mark.parametrize("expression", lines(VALUES))
def test_derivatives(expression):
    needed = [k for k, a in used(expression).items() if a.dtype.kind == "f"]
    if "detach" in expression or ".sign()" in expression or "> 0" in expression:
        needed = needed[:1]
    small = {k: a[:1, :2] if a.ndim >= 4 and "F.unf" in expression else a for k, a in ARRAYS.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_derivatives(expression, small, " ".join(needed[:2]))


@pytest.mark.parity
@pytest.mark.parametrize("expression", lines(VALUES) + COMPLEX + INTEGERS)
def test_parity_of_expressions(expression):
    pytest.importorskip("torch")
    assert_parity(expression, ARRAYS)
    if expression not in COMPLEX + INTEGERS and "double()" not in expression:
        assert_parity(expression, ARRAYS, "float32", rtol=2e-5, atol=5e-6)


@pytest.mark.parity
@pytest.mark.parametrize("expression", lines(VALUES) + [e for e in COMPLEX if "silu" not in e])
def test_parity_of_gradients(expression):
    pytest.importorskip("torch")
    assert_gradient_parity(expression, used(expression), same_name=False)


@pytest.mark.parity
@pytest.mark.parametrize("expression", REFUSED)
def test_parity_of_errors(expression):
    pytest.importorskip("torch")
    assert_same_error(expression, ARRAYS)


# Random numbers


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "expression",
    lines("""
F.rrelu(x, training=True) | F.dropout(x, 0.4) | F.dropout2d(x, 0.4) | F.alpha_dropout(x, 0.4, True) | F.feature_alpha_dropout(x, 0.4, True) | F.fractional_max_pool2d(x, 2, 3, return_indices=True) | F.fractional_max_pool3d(z, 2, 2) | F.gumbel_softmax(m) | F.gumbel_softmax(m, hard=True) | F.scaled_dot_product_attention(y, y, y, dropout_p=0.3)
"""),
)
def test_parity_of_random_numbers(expression, dtype):
    theirs = pytest.importorskip("torch")
    for lib in (tl, theirs):
        lib.manual_seed(3)
    assert_parity(f"[torch.manual_seed(3), {expression}][1]", ARRAYS, dtype, rtol=1e-5, atol=1e-6)


def test_in_place_forms():
    for name, arguments in (("rrelu", ()), ("dropout3d", (1.0,)), ("feature_alpha_dropout", (0.4, True)), ("silu", ()), ("celu", (2.0,))):
        x = tl.randn(2, 3, 4, 4, 2)
        assert getattr(F, name)(x, *arguments, inplace=True) is x
    x = tl.randn(4)
    assert F.rrelu_(x, training=True) is x and bool((x.abs() >= 0).all())


# Connectionist temporal classification


def ctc_by_hand(p, target, blank):
    """The sum over all alignments."""
    steps, classes = p.shape
    total = 0.0
    for path in np.ndindex(*[classes] * steps):
        kept = [c for i, c in enumerate(path) if i == 0 or c != path[i - 1]]
        if [c for c in kept if c != blank] == list(target):
            total += np.prod([p[t, c] for t, c in enumerate(path)])
    return -np.log(total) if total else np.inf


@pytest.mark.sanitize
@pytest.mark.parametrize("target", [[], [1], [1, 2], [1, 1], [2, 1, 2], [1, 1, 1]])
@pytest.mark.parametrize("blank", [0, 2])
def test_ctc_against_all_alignments(target, blank):
    target = [c + 1 if blank == 0 and c == 0 else (0 if c == blank else c) for c in target]
    scores = tl.tensor(rng.standard_normal((4, 1, 3)), requires_grad=True)
    log_probs = scores.log_softmax(-1)
    given = tl.tensor([target], dtype=tl.int64).reshape(1, len(target))
    loss = F.ctc_loss(log_probs, given, [4], [len(target)], blank, "none")
    np.testing.assert_allclose(loss.item(), ctc_by_hand(log_probs.detach().exp().numpy()[:, 0], target, blank), atol=1e-12)
    if np.isfinite(loss.item()):
        assert tl.autograd.gradcheck(lambda s: F.ctc_loss(s.log_softmax(-1), given, [4], [len(target)], blank), (scores,))
    else:
        zero = F.ctc_loss(log_probs, given, [4], [len(target)], blank, zero_infinity=True)
        zero.backward()
        assert zero.item() == 0 and scores.grad.abs().sum() == 0


CTC = {
    "p": rng.standard_normal((6, 3, 5)),
    "t": np.array([[1, 2, 3], [1, 1, 4], [2, 0, 0]]),
    "l": np.array([6, 5, 3]),
    "k": np.array([3, 2, 1]),
    "u": np.array([1, 2, 3, 1, 1, 2]),
}


@pytest.mark.parity
@pytest.mark.parametrize(
    "expression",
    lines("""
F.ctc_loss(p.log_softmax(2), t, l, k) | F.ctc_loss(p.log_softmax(2), t, l, k, reduction='none') | F.ctc_loss(p.log_softmax(2), t, l, k, reduction='sum') | F.ctc_loss(p.log_softmax(2), u, l, k) | F.ctc_loss(p.log_softmax(2), t, (6, 5, 3), (3, 2, 1)) | F.ctc_loss(p[:, 0].log_softmax(1), t[0], l[0], k[0], reduction='none') | F.ctc_loss(p.log_softmax(2), t, l, k, blank=4) | F.ctc_loss(p.log_softmax(2), t, torch.tensor([2, 1, 3]), k, zero_infinity=True)
F.ctc_loss(p.log_softmax(2), t, l, k * 0, reduction='none') | F.ctc_loss(p, t, l, k)
"""),
)
def test_parity_of_ctc(expression):
    pytest.importorskip("torch")
    assert_parity(expression, CTC)
    assert_gradient_parity(expression, CTC, same_name=False)


@pytest.mark.parity
@pytest.mark.parametrize(
    "expression",
    lines("""
F.ctc_loss(p, t, l, k, blank=7) | F.ctc_loss(p, t, l + 3, k) | F.ctc_loss(p, t, l, k + 2) | F.ctc_loss(p, t, l[:1], k) | F.ctc_loss(p, t, l.float(), k) | F.ctc_loss(p, u[:4], l, k) | F.ctc_loss(p.long(), t, l, k) | F.ctc_loss(p, t, -l, k) | F.ctc_loss(p, t, l, k, reduction='x')
"""),
)
def test_parity_of_ctc_errors(expression):
    pytest.importorskip("torch")
    assert_same_error(expression, CTC)


# Embeddings


def test_embedding_renormalises_and_scales():
    weight = tl.tensor([[3.0, 4.0], [0.3, 0.4], [6.0, 8.0]], requires_grad=True)
    F.embedding(tl.tensor([0, 0, 1]), weight, max_norm=1.0).sum()
    np.testing.assert_allclose(weight.detach().numpy(), [[0.6, 0.8], [0.3, 0.4], [6.0, 8.0]], rtol=1e-5)
    F.embedding(tl.tensor([0, 0, 1]), weight, scale_grad_by_freq=True).sum().backward()
    assert weight.grad.tolist() == [[1, 1], [1, 1], [0, 0]]


# Pieces of a batch


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weighted", [False, True])
def test_linear_cross_entropy_in_pieces(reduction, weighted):
    x, w = (tl.randn(*s, dtype=tl.float64, requires_grad=True) for s in ((7, 3), (5, 3)))
    target = tl.tensor([0, 1, 4, 2, -100, 3, 3])
    options = dict(reduction=reduction, weight=tl.rand(5, dtype=tl.float64) if weighted else None, label_smoothing=0.1)
    whole = F.linear_cross_entropy(x, w, target, **options)
    pieces = F.linear_cross_entropy(x, w, target, options=tl.nn.LinearCrossEntropyOptions(batch_chunk_size=3), **options)
    assert tl.allclose(pieces, whole)
    for a, e in zip(*(tl.autograd.grad(v.sum(), (x, w)) for v in (pieces, whole))):
        assert tl.allclose(a, e)


# Modules


@pytest.mark.parity
@pytest.mark.parametrize(
    ("layer", "arguments"),
    [
        ("MaxPool3d(2)", "z"), ("LPPool1d(2, 3)", "y"), ("LPPool2d(3, 2)", "x"), ("LPPool3d(2, 2)", "z"), ("AdaptiveMaxPool3d(2)", "z"),
        ("LocalResponseNorm(2)", "x"), ("CrossMapLRN2d(2)", "x"), ("ChannelShuffle(2)", "x"), ("Unfold(2, stride=2)", "x"),
        ("Fold((7, 6), 2)", "x.reshape(2, 4, 30)"), ("FractionalMaxPool2d(2, output_ratio=0.5)", "x"), ("FractionalMaxPool3d(2, 2)", "z"),
        ("FeatureAlphaDropout(0.3)", "x"), ("MultiMarginLoss()", "m, c"), ("MultiLabelMarginLoss()", "m, t"), ("MultiLabelSoftMarginLoss()", "m, n"),
        ("TripletMarginWithDistanceLoss()", "m, n, o"), ("EmbeddingBag(4, 5, mode='sum')", "b, f"), ("EmbeddingBag(4, 5, padding_idx=1)", "b.reshape(2, 3)"),
        ("AdaptiveLogSoftmaxWithLoss(5, 20, [3, 8], 2.0)", "m, c * 4"), ("LinearCrossEntropyLoss(5, 6, bias=True)", "m, c"),
        ("CTCLoss()", "x[0].log_softmax(2), t[:, :2].clamp(min=1)[:2].repeat(3, 1), torch.tensor([4] * 6), torch.tensor([2] * 6)"),
    ],
)  # fmt: skip
def test_parity_of_layers(layer, arguments):
    pytest.importorskip("torch")

    def run(lib):
        lib.manual_seed(9)
        names = {k: lib.from_numpy(a.astype("float32") if a.dtype.kind == "f" else a) for k, a in ARRAYS.items()} | {"torch": lib}
        module = eval(layer, dict(vars(lib.nn)))
        result = module(*eval(f"({arguments},)", names))
        return [t.detach().numpy() for t in (result if isinstance(result, tuple) else (result,))]

    theirs = __import__("torch")
    for a, e in zip(run(tl), run(theirs)):
        np.testing.assert_allclose(a, e, rtol=2e-5, atol=2e-6)
