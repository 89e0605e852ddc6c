"""Resampling of images: every mode against PyTorch, layouts, gradients, errors."""

import warnings

import numpy as np
import pytest
from library import tl
from parity import assert_gradient_parity, assert_parity, assert_same_error, check_derivatives, lines

F = tl.nn.functional
rng = np.random.default_rng(11)
ARRAYS = {
    "a": rng.standard_normal((2, 3, 9)),
    "x": rng.standard_normal((2, 3, 7, 5)),
    "y": rng.standard_normal((1, 2, 4, 5, 6)),
    "g": rng.uniform(-1.4, 1.4, (2, 3, 4, 2)),
    "h": rng.uniform(-1.4, 1.4, (1, 3, 2, 4, 3)),
    "t": rng.standard_normal((2, 2, 3)),
    "u": rng.standard_normal((2, 3, 4)),
}
TARGETS = ("size=3", "size=14", "scale_factor=1.7", "scale_factor=0.6, recompute_scale_factor=True", "scale_factor=2")


def resizings():
    for mode, name in (("nearest", "axy"), ("nearest-exact", "axy"), ("area", "axy"), ("linear", "a"), ("bilinear", "x"), ("bicubic", "x"), ("trilinear", "y")):
        for image in name:
            for target in TARGETS:
                yield f"F.interpolate({image}, {target}, mode={mode!r})"
                if "l" in mode or mode == "bicubic":
                    yield f"F.interpolate({image}, {target}, mode={mode!r}, align_corners=True)"
                if mode in ("bilinear", "bicubic"):
                    yield f"F.interpolate({image}, {target}, mode={mode!r}, antialias=True)"


RESIZINGS = list(resizings())
LAYOUTS = lines("""
F.interpolate(x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2), 4, mode='bilinear') | F.interpolate(x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2), 9) | F.interpolate(x.transpose(2, 3), 4)
F.interpolate(y.permute(0, 2, 3, 4, 1).contiguous().permute(0, 4, 1, 2, 3), 3, mode='trilinear') | F.interpolate(x[:0], 3) | F.interpolate(x, (3, 8), mode='bicubic') | F.interpolate(x, scale_factor=(0.5, 2)) | F.interpolate(x, (7, 5))
""")
SAMPLINGS = [
    f"F.grid_sample({image}, {grid}, {mode!r}, {padding!r}, {corners})"
    for image, grid in (("x", "g"), ("y", "h"))
    for mode in ("bilinear", "nearest", "bicubic")
    for padding in ("zeros", "border", "reflection")
    for corners in (True, False)
    if not (mode == "bicubic" and image == "y")
]
GRIDS = lines("""
F.affine_grid(t, (2, 1, 3, 4), True) | F.affine_grid(t, (2, 1, 3, 4), False) | F.affine_grid(u.reshape(2, 3, 4), (2, 1, 2, 3, 4), True) | F.affine_grid(u, (2, 1, 2, 1, 4), False)
""")
REFUSED = lines("""
F.interpolate(x) | F.interpolate(x, 3, 2.0) | F.interpolate(x, 3, align_corners=True) | F.interpolate(x, 3, mode='linear') | F.interpolate(a, 3, mode='bilinear') | F.interpolate(x, (1, 2, 3)) | F.interpolate(x, scale_factor=(1, 2, 3))
F.interpolate(x, 0) | F.interpolate(x > 0, 3, mode='bilinear') | F.interpolate(x, 3, recompute_scale_factor=True) | F.interpolate(a, 3, mode='linear', antialias=True) | F.interpolate(x[:, :0], 3)
F.grid_sample(x, g, 'cubic', align_corners=True) | F.grid_sample(x, g, padding_mode='wrap', align_corners=True) | F.grid_sample(x, h, align_corners=True) | F.grid_sample(x, g[:1], align_corners=True) | F.grid_sample(y, h, 'bicubic', align_corners=True)
F.grid_sample(x, g[..., :1], align_corners=True) | F.grid_sample(x, g.float(), align_corners=True) | F.grid_sample(x[:, :, :0], g, align_corners=True)
F.affine_grid(t, (2, 1, 3), True) | F.affine_grid(t, (2, 1, 3, 4, 5), True) | F.affine_grid(t.long(), (2, 1, 3, 4), True) | F.affine_grid(t, (2, 1, 0, 4), True)
""")


def test_linear_by_hand():
    assert F.interpolate(tl.tensor([[[0.0, 4.0]]]), 4, mode="linear").tolist() == [[[0, 1, 3, 4]]]
    assert F.interpolate(tl.tensor([[[0.0, 3.0]]]), 4, mode="linear", align_corners=True).tolist() == [[[0, 1, 2, 3]]]
    assert F.interpolate(tl.tensor([[[1, 2]]], dtype=tl.uint8), 4).tolist() == [[[1, 1, 2, 2]]]


def test_infinities_stay_where_they_are():
    x = tl.tensor([[[1.0, float("inf"), 2.0, 3.0]]])
    assert F.interpolate(x, 8, mode="nearest").isinf().sum() == 2
    assert F.interpolate(x, 2, mode="linear").isfinite().tolist() == [[[False, True]]]


def test_old_names():
    x = tl.randn(1, 2, 3, 4)
    with pytest.warns(UserWarning):
        assert tl.equal(F.upsample_nearest(x, scale_factor=2), F.interpolate(x, scale_factor=2))
    with pytest.warns(UserWarning):
        assert tl.equal(F.upsample_bilinear(x, 5), F.interpolate(x, 5, mode="bilinear", align_corners=True))
    with pytest.warns(UserWarning):
        assert tl.equal(F.upsample(x, 5), F.interpolate(x, 5))


SMALL = {"a": ARRAYS["a"][:1, :2, :4], "x": ARRAYS["x"][:1, :1, :4, :3], "y": ARRAYS["y"][:1, :1, :2, :3, :2], "g": ARRAYS["g"][:1, :2, :2], "h": ARRAYS["h"][:1, :1], "t": ARRAYS["t"], "u": ARRAYS["u"]}


@pytest.mark.sanitize
@pytest.mark.parametrize("expression", [e.replace("size=14", "size=5") for e in RESIZINGS] + GRIDS)
def test_derivatives(expression):
    check_derivatives(expression, SMALL, expression.split("(")[1][0])


@pytest.mark.sanitize
@pytest.mark.parametrize("expression", SAMPLINGS)
def test_derivatives_at_places(expression):
    inputs = expression.split("(")[1][0]
    check_derivatives(expression, SMALL, inputs if "nearest" in expression else inputs + " " + {"x": "g", "y": "h"}[inputs])


@pytest.mark.parity
@pytest.mark.parametrize("expression", RESIZINGS + LAYOUTS + SAMPLINGS + GRIDS)
def test_parity_of_expressions(expression):
    pytest.importorskip("torch")
    assert_parity(expression, ARRAYS)
    assert_parity(expression, ARRAYS, "float32", rtol=2e-5, atol=5e-6)


@pytest.mark.parity
@pytest.mark.parametrize("expression", RESIZINGS + SAMPLINGS + GRIDS)
def test_parity_of_gradients(expression):
    pytest.importorskip("torch")
    inputs = expression.split("(")[1][0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        needed = {k: v for k, v in ARRAYS.items() if k in (inputs, {"x": "g", "y": "h"}.get(inputs) if "grid_s" in expression else None)}
        assert_gradient_parity(expression, needed, same_name=False)


@pytest.mark.parity
@pytest.mark.parametrize("expression", REFUSED)
def test_parity_of_errors(expression):
    pytest.importorskip("torch")
    assert_same_error(expression, ARRAYS)
