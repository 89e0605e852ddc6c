"""The accuracy of the float32 elementary functions, in units in the last place, over samples of all floats."""

import math
import os
import subprocess
import sys

import numpy as np
import pytest
from library import IS_TENSORLITE, tl

F = tl.nn.functional


def slack(name, isa):
    """What an instruction set adds to a bound: without fused multiply-adds a step is rounded once more."""
    return {"baseline": 1.4 if name == "gelu" else 1, "avx2": 0.5}.get(isa, 0)


def normal_cdf(x):
    return 0.5 * np.array([math.erfc(-v / math.sqrt(2)) for v in x])


# name: (function, float64 reference, bound in ULP, lowest and highest argument)
FUNCTIONS = {
    "exp": (lambda t: t.exp(), np.exp, 1.1, -110, 90),
    "exp2": (lambda t: t.exp2(), np.exp2, 1.1, -155, 129),
    "expm1": (lambda t: t.expm1(), np.expm1, 2, -40, 90),
    "log": (lambda t: t.log(), np.log, 1.1, 0, 3e38),
    "log2": (lambda t: t.log2(), np.log2, 2, 0, 3e38),
    "log10": (lambda t: t.log10(), np.log10, 2, 0, 3e38),
    "log1p": (lambda t: t.log1p(), np.log1p, 2, -1, 3e38),
    "tanh": (lambda t: t.tanh(), np.tanh, 2, -12, 12),
    "sigmoid": (lambda t: t.sigmoid(), lambda x: 1 / (1 + np.exp(-x)), 2, -87, 30),
    "erf": (lambda t: t.erf(), lambda x: np.array([math.erf(v) for v in x]), 2, -5, 5),
    "erfc": (lambda t: t.erfc(), lambda x: np.array([math.erfc(v) for v in x]), 3, -5, 9),
    "gelu": (F.gelu, lambda x: x * normal_cdf(x), 2.02, -12, 12),
    "sin": (lambda t: t.sin(), np.sin, 1, -1e6, 1e6),
    "cos": (lambda t: t.cos(), np.cos, 1, -1e6, 1e6),
}


def arguments(low, high):
    """Every exponent and many fractions: evenly spaced bit patterns, and evenly spaced values."""
    bits = np.arange(0, 0x7F800000, 52_127, dtype=np.uint32).view(np.float32)
    x = np.concatenate([bits, -bits, np.linspace(max(low, -1e5), min(high, 1e5), 30_011).astype(np.float32)])
    return x[(x >= low) & (x <= high)]


def error(name):
    function, reference, _bound, low, high = FUNCTIONS[name]
    x = arguments(low, high)
    with np.errstate(all="ignore"):
        want = reference(x.astype(np.float64))
        got = function(tl.from_numpy(x)).numpy().astype(np.float64)
        rounded = want.astype(np.float32)
        ulp = np.abs(got - want) / np.spacing(np.abs(rounded)).astype(np.float64)
        ulp[~np.isfinite(rounded) | (got == rounded)] = 0
        same = np.isfinite(rounded) | (got == rounded) | (np.isnan(got) & np.isnan(rounded)) | (np.abs(want) < 3.41e38)
    assert same.all(), f"{name}: wrong at {x[~same][:5]}: {got[~same][:5]} instead of {want[~same][:5]}"
    worst = ulp.argmax()
    return ulp[worst], x[worst]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_accuracy(name):
    ulp, at = error(name)
    bound = FUNCTIONS[name][2] + slack(name, os.environ.get("TENSORLITE_CPU"))
    assert ulp <= bound, f"{name}({at!r}) is {ulp:.2f} ULP off, more than {bound}"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_special_values(name):
    function, reference, *_ = FUNCTIONS[name]
    x = np.array([np.nan, np.inf, -np.inf, 0.0], dtype=np.float32)
    with np.errstate(all="ignore"):
        want = reference(x.astype(np.float64))
    if name == "gelu":
        want[2] = np.nan if IS_TENSORLITE else want[2]
        want, x = want[:2], x[:2]
    np.testing.assert_allclose(function(tl.from_numpy(x)).numpy(), want.astype(np.float32), rtol=1e-6)


@pytest.mark.skipif(not IS_TENSORLITE or "TENSORLITE_CPU" in os.environ, reason="for tensorlite's instruction sets")
@pytest.mark.parametrize("isa", ["baseline", "avx2"])
def test_accuracy_on_other_instruction_sets(isa):
    code = (
        "from test_float_math import FUNCTIONS, error, slack\n"
        "for name, (_, _, bound, *_) in FUNCTIONS.items():\n"
        "    ulp, at = error(name)\n"
        f"    assert ulp <= bound + slack(name, {isa!r}), f'{{name}}({{at!r}}) is {{ulp:.2f}} ULP off'\n"
    )
    environment = {**os.environ, "TENSORLITE_CPU": isa, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
