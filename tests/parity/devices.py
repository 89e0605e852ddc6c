"""python -m parity.devices [--ops REGEX] [--limit N] [--jobs N]: the operator database on a CUDA device.

Each sample runs on the CPU and on the device, both tensorlite's: the function, the gradients, in-place, `out=`, and the
errors of wrong inputs, whose text is to be the same. On a machine without a GPU the emulator is the device.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

import tensorlite as tl

from . import database, run
from .database import Call, Difference, Missing, leaves

DEVICE = "cuda:0"
DTYPES = ("float32", "float64", "int64", "bool", "complex64", "bfloat16")
# Entries that draw numbers, which a device draws in another way: shape, dtype and strides are compared.
DRAWS = re.compile(
    r"bernoulli|multinomial|normal|rand|.*dropout|uniform|exponential|geometric|log_normal|cauchy|svd_lowrank|pca_lowrank"
    r"|.*rrelu|.*gumbel_softmax|.*fractional_max_pool|.*scaled_dot_product_attention|.*multi_head_attention"
)
NOT_COMPARED = database.UNDEFINED | database.UP_TO_PHASE
PARTS = 20  # after which what was found is printed
LARGEST = 4000  # elements of a sample: the emulator is slow


def small_samples(entry: Any, dtype: str, limit: int) -> Iterator[Any]:
    found = list(database.samples(entry, dtype, 400))
    found = [s for s in found if _elements(s[1]) <= LARGEST] or found[:1]
    step = max(1, -(-len(found) // limit))
    yield from found[::step]


def _elements(sample: Any) -> int:
    return sum(t.numel() for t in database.tensors((sample.input, sample.args, sample.kwargs)))


def on(device: str, call: Call, function: Any, requires_grad: bool = True, **more: Any) -> tuple[Any, Any]:
    database.target = device
    try:
        return call.run(tl, function, requires_grad, **more)
    finally:
        database.target = "cpu"


def outcome(device: str, call: Call, function: Any, **more: Any) -> tuple[Any, Any, Exception | None]:
    try:
        given, result = on(device, call, function, **more)
        return given, result, None
    except Exception as e:
        return None, None, e


def text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".replace("cuda:0", "cpu").replace("tensorlite.cuda.", "tensorlite.")


def same_error(theirs: Exception, ours: Exception | None, what: str) -> None:
    if ours is None:
        raise Difference(f"{what}: nothing is raised; CPU: {text(theirs)[:200]}")
    if text(ours) != text(theirs):
        raise Difference(f"{what}: {text(ours)[:300]}; CPU: {text(theirs)[:300]}")


def compare(actual: Any, expected: Any, what: str, given: Any, values: bool = True, largest: float = 0) -> None:
    actual, expected = leaves(actual), leaves(expected)
    if len(actual) != len(expected):
        raise Difference(f"{what}: {len(actual)} results, the CPU gives {len(expected)}")
    on_host = not any(t.is_cuda for t in database.tensors(given))
    for a, e in zip(actual, expected):
        if not isinstance(e, tl.Tensor):
            same = a == e or (isinstance(e, float) and (abs(a - e) <= 1e-5 * abs(e) or a != a))
            if not same and not isinstance(e, (tl.Generator, tl.device)):
                raise Difference(f"{what}: {a!r}, the CPU gives {e!r}")
            continue
        if not isinstance(a, tl.Tensor):
            raise Difference(f"{what}: a {type(a).__name__}, the CPU gives a tensor")
        if not a.is_cuda and not on_host:
            raise Difference(f"{what}: the result is on the CPU")
        facts = (a.dtype, tuple(a.shape), a.stride()), (e.dtype, tuple(e.shape), e.stride())
        if facts[0] != facts[1] and a.numel():
            raise Difference(f"{what}: {facts[0]}, the CPU gives {facts[1]}")
        if not values:
            continue
        x, y = database.numbers(a.cpu()), database.numbers(e)
        rtol, atol = database.TOLERANCES.get(str(e.dtype).split(".")[1], (0, 0))
        if largest:
            rtol *= largest
            atol = max(atol, rtol * np.abs(y).max(initial=0, where=np.isfinite(y)))
        with np.errstate(all="ignore"):
            right = np.isclose(x, y, rtol=rtol, atol=atol, equal_nan=True)
            # Overflow in one part of a complex number: infinity and NaN tell the same.
            right |= ~np.isfinite(x) & ~np.isfinite(y) & np.iscomplexobj(y)
        if not right.all():
            raise Difference(f"{what}: values {x[~right][:3]} of shape {x.shape}, the CPU gives {y[~right][:3]}")


def gradients(entry: Any, sample: Any, made: tuple[Any, Any]) -> list[Any]:
    given, result = made
    process = database._our_process(sample.output_process_fn_grad)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outputs = [t for t in leaves(process(result)) if isinstance(t, tl.Tensor) and t.requires_grad]
        inputs = [t for t in database.tensors(given) if t.requires_grad]
        if not outputs or not inputs:
            return []
        weights = [database._weight(tl, t) for t in outputs]
        return list(tl.autograd.grad(outputs, inputs, weights, allow_unused=True))


def check_sample(entry: Any, function: Any, sample: Any, grad: bool, attempt: Any) -> None:
    call = Call(sample)
    values = entry.name not in NOT_COMPARED and not DRAWS.match(entry.name)
    largest = database._factor(entry.name)
    given, expected, error = outcome("cpu", call, function)

    def plain() -> Any:
        if error:
            same_error(error, outcome(DEVICE, call, function)[2], "function")
            return None
        try:
            made = on(DEVICE, call, function)
        except RuntimeError as e:
            if "to be on cpu, but it's on cuda" in str(e):  # an argument that PyTorch wants on the host
                return None
            raise
        compare(made[1], expected, "result", made[0], values, largest)
        return made

    made = attempt("function", plain)
    if error or made is None:
        return

    def backward() -> None:
        try:
            theirs = gradients(entry, sample, (given, expected))
        except Exception as e:
            try:
                gradients(entry, sample, made)
            except Exception as ours:
                return same_error(e, ours, "gradient")
            return same_error(e, None, "gradient")
        ours = gradients(entry, sample, made)
        for a, e in zip(ours, theirs):
            if (a is None) != (e is None):
                raise Difference("gradient: defined on one device only")
            if e is not None:
                compare([a], [e], "gradient", made[0], values or entry.name in database.UP_TO_PHASE, largest)

    def inplace() -> None:
        method = database.ours(entry.inplace_variant)
        their_given, _, theirs = outcome("cpu", call, method, requires_grad=False)
        our_given, _, ours = outcome(DEVICE, call, method, requires_grad=False)
        if theirs:
            return same_error(theirs, ours, "in-place")
        if ours:
            raise ours
        compare(our_given[0], their_given[0], "in-place", our_given, values, largest)

    def out() -> None:
        results = leaves(expected)
        if not all(isinstance(t, tl.Tensor) for t in results):
            return
        lists, raised = [], []
        for device in ("cpu", DEVICE):
            target = [tl.empty(0, dtype=t.dtype, device=device) for t in results]
            lists.append(target)
            given = target[0] if isinstance(expected, tl.Tensor) else tuple(target)
            raised.append(outcome(device, call, function, requires_grad=False, out=given)[2])
        if raised[0]:
            return same_error(raised[0], raised[1], "out=")
        if raised[1]:
            raise raised[1]
        compare(lists[1], lists[0], "out=", lists[1], values, largest)

    if grad:
        attempt("gradient", backward)
    if entry.inplace_variant is not None and isinstance(sample.input, torch.Tensor) and not sample.broadcasts_input:
        attempt("in-place", inplace)
    if entry.supports_out and entry.name not in database.BROKEN_OUT:
        attempt("out=", out)


def check_entry(entry: Any, limit: int) -> dict[str, Any]:
    found: dict[str, list[str]] = {}
    count = 0
    try:
        function = database.ours(entry.op, entry.name)
    except Missing as e:
        return {"missing": str(e)}
    where = ""

    def attempt(form: str, check: Any) -> Any:
        try:
            return check()
        except (Missing, Difference) as e:
            found.setdefault(form, []).append(f"{where}: {e}")
        except Exception as e:
            absent = isinstance(e, NotImplementedError) and ("no kernel" in str(e) or "not implemented for" in str(e))
            found.setdefault("kernel" if absent else form, []).append(f"{where}: {type(e).__name__}: {str(e)[:400]}")
        return None

    for dtype in DTYPES:
        if getattr(torch, dtype) not in entry.dtypes:
            continue
        for number, sample, grad in small_samples(entry, dtype, limit):
            where = f"{dtype} #{number} {database.describe(sample)}"[:300]
            count += 1
            check_sample(entry, function, sample, grad, attempt)

    def errors() -> None:
        theirs = outcome("cpu", call, function)[2]
        # The memory of the CPU's tensors is NumPy's here, which cannot be resized.
        if theirs is not None and "another library" not in str(theirs):
            same_error(theirs, outcome(DEVICE, call, function)[2], "errors")

    for n, wrong in enumerate(entry.error_inputs("cpu") if entry.error_inputs_func else ()):
        where = f"error #{n} {database.describe(wrong.sample_input)}"[:300]
        call = Call(wrong.sample_input)
        if all(t.device.type == "cpu" for t in database.tensors((wrong.sample_input.input, wrong.sample_input.args))):
            attempt("errors", errors)
    return {"count": count, "found": found}


def run_all(pattern: str = "", limit: int = 2, jobs: int = 2, timeout: float = 120, part: slice = slice(None)) -> Any:
    return run.run_all(pattern, limit, jobs, timeout, part, check_entry)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m parity.devices", description=__doc__)
    parser.add_argument("--ops", default="", metavar="REGEX", help="only entries whose name matches")
    parser.add_argument("--limit", type=int, default=2, help="samples of an entry and dtype (2)")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time (2)")
    parser.add_argument("--timeout", type=float, default=120, help="seconds for an entry (120)")
    parser.add_argument("--shown", type=int, default=2, help="differences printed for a form of an operator (2)")
    options = parser.parse_args()
    os.environ.setdefault("TENSORLITE_EMULATE_MEMORY", str(1 << 30))
    results = {}
    for part in range(PARTS):
        found = run_all(options.ops, options.limit, options.jobs, options.timeout, slice(part, None, PARTS))
        results |= found
        for name, result in found.items():
            if "died" in result:
                print(f"{name}: DIED: {result['died']}")
            for form, differences in result.get("found", {}).items():
                print(f"{name} [{form}]: {len(differences)} of {result['count']} samples")
                for line in differences[: options.shown]:
                    print(f"    {line}")
        sys.stdout.flush()
    tried = [r for r in results.values() if "missing" not in r]
    passed = sum("count" in r and not r["found"] for r in tried)
    print(f"{passed} of {len(tried)} entries agree on both devices")
    return 0


if __name__ == "__main__":
    sys.exit(main())
