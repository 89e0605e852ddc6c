"""Arguments that make no sense raise a Python exception: no function ends the process."""

import os
import random
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from library import IS_TENSORLITE, tl

# They change how the process computes, or read and write files.
LEFT_OUT = {"manual_seed", "seed", "set_num_threads", "set_num_interop_threads", "set_rng_state"}
NUMBERS = [0, 1, -1, 2, 3, 7, -5, 2**31, 2**63 - 1, -(2**63), 10**30, 0.5, float("nan"), float("inf"), 1j, True, None]
OTHERS = ["sum", "mean", "constant", "", [], [0], [1, 2], (1, -1), [2, 2], (0, 0, 1, 1), [[1, 2], [3, 4]], [None], [2**40], {}]
KEYWORDS = ["dim", "out", "dtype", "keepdim", "alpha", "padding", "stride", "reduction", "dims", "p", "n", "value", "size"]


def functions():
    found = []
    for space in (tl, tl.nn.functional, tl.linalg, tl.fft, tl.special, tl.Tensor):
        for name in sorted(dir(space)):
            function = getattr(space, name, None)
            usable = not name.startswith(("_", "set_")) and name not in LEFT_OUT
            if usable and callable(function) and not isinstance(function, type):
                found.append((f"{getattr(space, '__name__', space)}.{name}", function, space is tl.Tensor))
    return found


def tensor(r):
    shape = [r.randrange(6) for _ in range(r.choice([0, 1, 1, 2, 2, 3, 4, 5]))]
    names = "float32 float32 float64 int64 int64 bool uint8 complex64 float16 bfloat16 int32".split()
    t = (tl.rand(shape) * 6 - 2).to(getattr(tl, r.choice(names)))
    kind = r.randrange(6)
    if kind == 0 and t.dim() > 1:
        t = t.transpose(0, -1)
    elif kind == 1 and t.dim():
        t = t[::2]
    elif kind == 2 and t.is_floating_point():
        t = t.clone().requires_grad_()
    return t


def value(r):
    if r.random() < 0.35:
        return tensor(r)
    return r.choice([*NUMBERS, *OTHERS, tl.float32, tl.int64, tl.complex64, [tl.ones(2), tl.ones(3)], slice(None), object()])


def call(number, known):
    r = random.Random(number)
    name, function, method = r.choice(known)
    arguments = [tensor(r)] if method or r.random() < 0.8 else []
    arguments += [value(r) for _ in range(r.choice([0, 0, 1, 1, 2, 2, 3, 4]))]
    keywords = {r.choice(KEYWORDS): value(r)} if r.random() < 0.3 else {}
    print(number, name, flush=True)
    signal.alarm(10)  # some sizes are computed with until the end of days: that is no crash
    try:
        results = function(*arguments, **keywords)
        for t in results if isinstance(results, (tuple, list)) else [results]:
            if isinstance(t, tl.Tensor):
                repr(t)
                if t.requires_grad and t.numel() < 10**6:
                    t.sum().backward()
    except Exception:
        pass
    finally:
        signal.alarm(0)


def run(begin, end):
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
    signal.signal(signal.SIGALRM, lambda *_: (_ for _ in ()).throw(TimeoutError()))
    warnings.simplefilter("ignore")
    tl.set_num_threads(1)
    known = functions()
    for number in range(begin, end):
        call(number, known)


@pytest.mark.memory
@pytest.mark.skipif(not IS_TENSORLITE, reason="PyTorch does not hold this")
@pytest.mark.parametrize("begin", [0, 2000])
def test_no_call_ends_the_process(begin):
    command = [sys.executable, "-c", f"import test_bad_input; test_bad_input.run({begin}, {begin + 2000})"]
    place = os.environ | {"PYTHONPATH": str(Path(tl.__file__).parents[1])}
    child = subprocess.run(command, cwd=Path(__file__).parent, env=place, capture_output=True, text=True, timeout=300)
    assert child.returncode == 0, f"after {child.stdout.split(chr(10))[-2]}: {child.stderr[-2000:]}"
    assert f"{begin + 1999} " in child.stdout
