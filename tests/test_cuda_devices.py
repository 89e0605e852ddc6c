"""Tensors of different devices in one call. A kernel takes every address for one of its device's memory, and the emulator
cannot tell a host's address that a kernel reads, so that operators must look before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from library import IS_TENSORLITE, tl

pytestmark = pytest.mark.skipif(not IS_TENSORLITE or not tl.cuda.is_available(), reason="no CUDA device")

F = tl.nn.functional


def some(*shape: int) -> Any:
    return tl.full(shape, 0.5)


def index(*values: int) -> Any:
    return tl.tensor(values)


def several(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    return lambda *tensors: function(*tensors, **options)


MIXED = {
    "batch_norm": (several(F.batch_norm, training=True), some(3, 4), some(4), some(4), some(4), some(4)),
    "batch_norm, evaluating": (F.batch_norm, some(3, 4), some(4), some(4), some(4), some(4)),
    "layer_norm": (lambda x, w, b: F.layer_norm(x, (4,), w, b), some(3, 4), some(4), some(4)),
    "rms_norm": (lambda x, w: F.rms_norm(x, (4,), w), some(3, 4), some(4)),
    "group_norm": (lambda x, w, b: F.group_norm(x, 2, w, b), some(3, 4, 2), some(4), some(4)),
    "instance_norm": (F.instance_norm, some(3, 4, 5), some(4), some(4), some(4), some(4)),
    "linear": (F.linear, some(3, 2), some(4, 2), some(4)),
    "prelu": (F.prelu, some(3, 4), some(4)),
    "embedding": (F.embedding, index(0, 1), some(3, 2)),
    "mse_loss": (F.mse_loss, some(3), some(3)),
    "l1_loss": (F.l1_loss, some(3), some(3)),
    "smooth_l1_loss": (F.smooth_l1_loss, some(3), some(3)),
    "huber_loss": (F.huber_loss, some(3), some(3)),
    "binary_cross_entropy": (F.binary_cross_entropy, some(3), some(3), some(3)),
    "with logits": (
        lambda x, y, w, p: F.binary_cross_entropy_with_logits(x, y, w, pos_weight=p),
        some(3),
        some(3),
        some(3),
        some(3),
    ),
    "kl_div": (several(F.kl_div, reduction="sum"), some(3), some(3)),
    "cross_entropy": (F.cross_entropy, some(3, 4), index(0, 1, 2), some(4)),
    "smoothed": (several(F.cross_entropy, label_smoothing=0.1), some(3, 4), index(0, 1, 2), some(4)),
    "of probabilities": (F.cross_entropy, some(3, 4), some(3, 4), some(4)),
    "nll_loss": (F.nll_loss, some(3, 4), index(0, 1, 2), some(4)),
    "nll_loss of images": (F.nll_loss, some(3, 4, 2), tl.zeros(3, 2, dtype=tl.int64), some(4)),
    "attention": (F.scaled_dot_product_attention, some(1, 2, 3, 4), some(1, 2, 3, 4), some(1, 2, 3, 4), some(3, 3)),
    "masked attention": (
        F.scaled_dot_product_attention,
        some(1, 2, 3, 4),
        some(1, 2, 3, 4),
        some(1, 2, 3, 4),
        some(3, 3) > 0,
    ),
    "conv1d": (F.conv1d, some(1, 2, 5), some(3, 2, 2), some(3)),
    "conv2d": (F.conv2d, some(1, 2, 5, 5), some(3, 2, 2, 2), some(3)),
    "conv3d": (F.conv3d, some(1, 2, 3, 3, 3), some(3, 2, 2, 2, 2), some(3)),
    "conv_transpose2d": (F.conv_transpose2d, some(1, 2, 5, 5), some(2, 3, 2, 2), some(3)),
    "addmm": (tl.addmm, some(2, 2), some(2, 3), some(3, 2)),
    "addmm of a number": (tl.addmm, some(), some(2, 3), some(3, 2)),
    "addmv": (tl.addmv, some(2), some(2, 3), some(3)),
    "addr": (tl.addr, some(2, 3), some(2), some(3)),
    "baddbmm": (tl.baddbmm, some(1, 2, 2), some(1, 2, 3), some(1, 3, 2)),
    "addbmm": (tl.addbmm, some(2, 2), some(1, 2, 3), some(1, 3, 2)),
    "bernoulli_": (lambda x, p: x.bernoulli_(p), some(3), some(3)),
    "gather": (lambda x, i: x.gather(0, i), some(3), index(0, 1)),
    "scatter": (lambda x, i, s: x.scatter(0, i, s), some(3), index(0, 1), some(2)),
    "where": (tl.where, some(3) > 0, some(3), some(3)),
}


@pytest.mark.parametrize("name", MIXED)
def test_tensors_of_different_devices_are_refused(name: str) -> None:
    function, *tensors = MIXED[name]
    there = [t.cuda() for t in tensors]
    function(*there)
    for place, here in enumerate(tensors):
        for mixed in (
            [*there[:place], here, *there[place + 1 :]],
            [*tensors[:place], there[place], *tensors[place + 1 :]],
        ):
            with pytest.raises(RuntimeError, match="Expected all tensors to be on the same device"):
                function(*mixed)


def test_numbers_of_the_host_go_along() -> None:
    x = some(3).cuda()
    for loss in (F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss):
        with pytest.warns(UserWarning, match="target size"):
            assert loss(x, tl.tensor(0.5)).item() == 0
    assert tl.where(x > 0, x, tl.tensor(2.0)).tolist() == x.masked_fill(x < 0, tl.tensor(1.0)).tolist() == [0.5] * 3
