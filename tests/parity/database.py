"""PyTorch's own operator database, run on both libraries.

An entry (`torch.testing._internal.common_methods_invocations.op_db`) brings an operator with sample inputs and wrong
inputs. Its samples are made by PyTorch, translated, and every form of the operator is compared: the function, the method,
in-place, `out=`, the gradients of all inputs, and the errors.
"""

from __future__ import annotations

import functools
import itertools
import re
import sys
import types
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch.testing._internal import common_methods_invocations as database
from torch.testing._internal.opinfo.core import OpInfo

import tensorlite as tl

DTYPES = ("float32", "float64", "int64", "bool", "complex64")
# rtol and atol by the dtype of the result
TOLERANCES = {
    "float16": (2e-3, 2e-3),
    "bfloat16": (2e-2, 2e-2),
    "float32": (2e-5, 2e-5),
    "complex64": (3e-5, 3e-5),
    "float64": (1e-7, 1e-8),
    "complex128": (1e-7, 1e-8),
}
# Entries that are no operator of the public interface, or of a backend that is not here.
EXCLUDED = re.compile(r"_(?!_)|jiterator|torch\.ops|torch\._|sparse|to_sparse|.*\.masked\.|hash_tensor|native_|linalg\.ldl")
# Only the shape and the dtype of the result are defined.
UNDEFINED = {"empty", "empty_like", "new_empty", "empty_strided", "new_empty_strided", "empty_permuted", "resize_", "resize_as_"}
# Vectors have any sign or phase: what the sample makes of them for its gradient is compared.
UP_TO_PHASE = {"svd", "linalg.eig", "linalg.eigh", "linalg.svd", "svd_lowrank", "pca_lowrank"}
# The gradients are products of many matrices; in float32 PyTorch's own drivers differ by more than single roundings.
LINEAR = re.compile(r"linalg\.|cholesky|inverse|logdet|lu|qr|ormqr|svd|pca|pinverse|matrix_exp|triangular_solve")


def _factor(name: str) -> float:
    return 30 if name.endswith("lowrank") else 5 if LINEAR.match(name) else 0


# PyTorch writes beyond the memory of out= (lu), or not into it (the others, over one dimension).
BROKEN_OUT = {"linalg.lu", "lu_unpack", "fft.ihfft2", "fft.ihfftn"}
# Of equal elements any may be named: the index is compared by what lies there.
TIES = {"kthvalue", "median", "mode", "nanmedian", "topk", "sort", "argsort", "min.reduction_with_dim", "max.reduction_with_dim"}
# PyTorch 2.13 writes outside an `out=` of these whose batch dims have strides of their own or in another order, not into it (gelu), or
# elsewhere in it (avg_pool3d), or refuses it (linear).
NO_STRIDED_OUT = {"tril", "triu", "narrow_copy", "nn.functional.avg_pool3d", "nn.functional.gelu", "nn.functional.linear"}


def entries(pattern: str = "") -> list[Any]:
    return [e for e in database.op_db if re.search(pattern, key(e)) and not EXCLUDED.match(e.name)]


def key(entry: Any) -> str:
    return entry.name + ("." + entry.variant_test_name if entry.variant_test_name else "")


class Missing(Exception):
    """tensorlite has nothing of that name."""


# ---- translation

# Where the tensors lie that are made for tensorlite (tests/parity/devices.py changes it).
target = "cpu"


def translate(value: Any, requires_grad: bool | None = None) -> Any:
    """A value of PyTorch as the same value of tensorlite; everything else stays."""
    if isinstance(value, torch.Tensor):
        return _tensor(value)
    if isinstance(value, torch.dtype) or value in (torch.strided, torch.contiguous_format, torch.preserve_format):
        return getattr(tl, str(value).split(".")[1])
    if isinstance(value, torch.memory_format):
        return getattr(tl, str(value).split(".")[1])
    if isinstance(value, torch.device):
        return tl.device(target if value.type == "cpu" else str(value))
    if isinstance(value, str) and value == "cpu":
        return target
    if isinstance(value, torch.Size):
        return tl.Size(value)
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return type(value)(translate(v) for v in value)
    if isinstance(value, dict):
        return {k: translate(v) for k, v in value.items()}
    if isinstance(value, types.FunctionType):
        return rebind(value)
    if isinstance(value, torch.nn.Module):
        return getattr(tl.nn, type(value).__name__)()
    return value


def _tensor(t: torch.Tensor) -> Any:
    """The same strides and offset, a leaf of its own; tensors of one call that share memory still do."""
    bare = t.detach().resolve_conj().resolve_neg()
    place = (bare.untyped_storage().data_ptr(), bare.dtype)
    if place not in _copied:
        memory = _memory(bare)
        if t.dtype == torch.bfloat16:
            copy = tl.from_numpy(memory.view(torch.int16).numpy().copy()).view(tl.bfloat16)
        else:
            copy = tl.from_numpy(memory.numpy().copy())
        copy = copy.to(target)
        _copied[place] = copy, bare
    ours = _copied[place][0].as_strided(tuple(bare.shape), bare.stride(), bare.storage_offset()).detach()
    return ours.requires_grad_() if t.requires_grad else ours


# The storages of the call that is being prepared: the copy, and the original, so that its address stays taken.
_copied: dict[Any, Any] = {}


def _memory(t: torch.Tensor) -> torch.Tensor:
    """All that the storage holds, the parts outside the tensor too."""
    return t.as_strided((t.untyped_storage().nbytes() // t.element_size(),), (1,), 0)


@functools.cache
def _our_globals(module: str) -> dict[str, Any]:
    namespace = dict(vars(sys.modules[module]))
    namespace["torch"] = tl
    if "F" in namespace:
        namespace["F"] = tl.nn.functional
    if "wrapper_set_seed" in namespace:
        namespace["wrapper_set_seed"] = _seeded
    for name, value in list(namespace.items()):
        if isinstance(value, types.FunctionType) and value.__module__ == module:
            namespace[name] = types.FunctionType(
                value.__code__, namespace, value.__name__, value.__defaults__, value.__closure__
            )
    return namespace


def _seeded(op: Any, *args: Any, **kwargs: Any) -> Any:
    """What `wrapper_set_seed` of PyTorch's tests does."""
    tl.manual_seed(42)
    return op(*args, **kwargs)


def rebind(function: Any) -> Any:
    """The same Python function with tensorlite where it says torch."""
    if isinstance(function, functools.partial):
        return functools.partial(ours(function.func), *translate(function.args), **translate(function.keywords))
    closure = function.__closure__
    if closure:
        closure = tuple(types.CellType(translate_callable(c.cell_contents)) for c in closure)
    copy = types.FunctionType(
        function.__code__, _our_globals(function.__module__), function.__name__, translate(function.__defaults__), closure
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


def translate_callable(value: Any) -> Any:
    if isinstance(value, OpInfo):
        return value
    return ours(value) if callable(value) and not isinstance(value, type) else translate(value)


def _path(lib: Any, path: str) -> Any:
    return functools.reduce(getattr, path.split("."), lib)


def ours(function: Any, name: str = "") -> Any:
    """tensorlite's counterpart of a function of PyTorch."""
    own_name = getattr(function, "__name__", "")
    for path in dict.fromkeys((name, own_name, f"Tensor.{own_name}", f"nn.functional.{own_name}", f"special.{own_name}", f"linalg.{own_name}", f"fft.{own_name}", f"_C._nn.{own_name}")):
        try:
            same = bool(path) and _path(torch, path) is function
        except AttributeError:
            same = False
        if not same:
            try:
                same = bool(path) and _path(torch, path) == function
            except AttributeError:
                same = False
        if same:
            try:
                return _path(tl, path.replace("_C._nn", "nn.functional"))
            except AttributeError:
                raise Missing(path) from None
    if isinstance(function, functools.partial):
        return rebind(function)
    if isinstance(function, types.FunctionType):
        module = getattr(function, "__module__", "")
        if module and not module.startswith("torch.testing"):
            path = f"{module}.{own_name}".removeprefix("torch.")
            try:
                return _path(tl, path)
            except AttributeError:
                raise Missing(path) from None
        return rebind(function)
    if isinstance(function, type(str.join)) or isinstance(function, type(torch.Tensor.add)):
        try:
            return getattr(tl.Tensor, own_name)
        except AttributeError:
            raise Missing(f"Tensor.{own_name}") from None
    try:
        return _path(tl, name or own_name)
    except AttributeError:
        raise Missing(name or own_name) from None


# ---- comparison


class Difference(AssertionError):
    """What tensorlite makes of a sample is not what PyTorch makes of it."""


class WrongValues(Difference):
    def __init__(self, text: str, ours: np.ndarray, theirs: np.ndarray, wrong: np.ndarray) -> None:
        super().__init__(text)
        self.ours, self.theirs, self.wrong = ours, theirs, wrong

    def nearer_to(self, truth: np.ndarray) -> bool:
        """Whether ours are finite, and no further from the truth than PyTorch's."""
        if truth.shape != self.ours.shape:
            return False
        ours, theirs, truth = (v[self.wrong] for v in (self.ours, self.theirs, truth))
        return bool(np.abs(ours - truth).max() <= np.abs(theirs - truth).max())


def leaves(value: Any) -> list[Any]:
    if isinstance(value, (list, tuple)) and not isinstance(value, (torch.Size, tl.Size)):
        return [x for v in value for x in leaves(v)]
    return [value]


def numbers(t: Any) -> np.ndarray:
    t = t.detach()
    if isinstance(t, torch.Tensor):
        t = torch.zeros(t.shape, dtype=t.dtype) if t._is_zerotensor() else t.resolve_conj().resolve_neg()
    if str(t.dtype).endswith("bfloat16"):
        t = t.float()
    return np.asarray(t.numpy())


def _layout(t: Any) -> tuple[int, ...]:
    return tuple(s for n, s in zip(t.shape, t.stride()) if n > 1) if t.numel() else ()


def compare(
    actual: Any,
    expected: Any,
    what: str,
    values: bool = True,
    layout: bool = True,
    largest: float = 0,
    truth: Any = None,
) -> None:
    """`largest`: errors are measured by the largest element of a tensor, and may be so much greater.

    `truth`: gives the results in more digits, or None. Values that PyTorch misses by more than we do are no difference.
    """
    actual, expected = leaves(actual), leaves(expected)
    if len(actual) != len(expected):
        raise Difference(f"{what}: {len(actual)} results, PyTorch gives {len(expected)}")
    for i, (a, e) in enumerate(zip(actual, expected)):
        if not isinstance(e, torch.Tensor):
            if isinstance(e, torch.dtype) or isinstance(e, torch.Size):
                e = translate(e)
            if isinstance(e, float) and not (a == e or (a != a and e != e) or abs(a - e) <= 1e-5 * abs(e)):
                raise Difference(f"{what}: {a!r}, PyTorch gives {e!r}")
            if not isinstance(e, (float, torch.Generator)) and a != e:
                raise Difference(f"{what}: {a!r}, PyTorch gives {e!r}")
            continue
        if not isinstance(a, tl.Tensor):
            raise Difference(f"{what}: a {type(a).__name__}, PyTorch gives a tensor")
        try:
            compare_tensors(a, e, what, values, layout, largest)
        except WrongValues as difference:
            exact = truth() if truth else None
            if exact is None or not difference.nearer_to(numbers(leaves(exact)[i])):
                raise


def compare_tensors(a: Any, e: torch.Tensor, what: str, values: bool, layout: bool, largest: float = 0) -> None:
    name = str(e.dtype).split(".")[1]
    if str(a.dtype).split(".")[1] != name:
        raise Difference(f"{what}: {a.dtype}, PyTorch gives {e.dtype}")
    if tuple(a.shape) != tuple(e.shape):
        raise Difference(f"{what}: shape {tuple(a.shape)}, PyTorch gives {tuple(e.shape)}")
    if layout and _layout(a) != _layout(e):
        raise Difference(f"{what}: strides {a.stride()} of shape {tuple(a.shape)}, PyTorch gives {e.stride()}")
    if not values:
        return
    x, y = numbers(a), numbers(e)
    rtol, atol = TOLERANCES.get(name, (0, 0))
    if largest:
        rtol *= largest
        atol = max(atol, rtol * np.abs(y).max(initial=0, where=np.isfinite(y)))
    with np.errstate(all="ignore"):
        if not np.allclose(x, y, rtol=rtol, atol=atol, equal_nan=True):
            wrong = ~np.isclose(x, y, rtol=rtol, atol=atol, equal_nan=True)
            raise WrongValues(f"{what}: values {x[wrong][:3]} of shape {x.shape}, PyTorch gives {y[wrong][:3]}", x, y, wrong)


def shares(result: Any, given: list[Any]) -> list[bool]:
    """Whether each result lies in the memory of an input."""
    bases = {_base(t) for t in given if t.numel()}
    return [bool(t.numel()) and _base(t) in bases for t in leaves(result) if hasattr(t, "storage_offset")]


def _base(t: Any) -> int:
    return t.data_ptr() - t.storage_offset() * t.element_size()


def tensors(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [t for v in value.values() for t in tensors(v)]
    if isinstance(value, (list, tuple)):
        return [t for v in value for t in tensors(v)]
    return [value] if isinstance(value, (torch.Tensor, tl.Tensor)) else []


# ---- the checks of one sample


class Call:
    """One sample for both libraries: arguments made afresh, the same seed."""

    def __init__(self, sample: Any) -> None:
        self.sample = sample

    def arguments(self, lib: Any, requires_grad: bool = True) -> tuple[Any, tuple, dict]:
        sample = self.sample
        _copied.clear()
        if lib is tl:
            given = translate((sample.input, tuple(sample.args), dict(sample.kwargs)))
        else:
            given = _clone((sample.input, tuple(sample.args), dict(sample.kwargs)))
        if not requires_grad:
            given = _detached(given)
        return given

    def run(self, lib: Any, function: Any, requires_grad: bool = True, **more: Any) -> tuple[Any, Any]:
        given = self.arguments(lib, requires_grad)
        lib.manual_seed(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return given, function(given[0], *given[1], **given[2], **more)


def _clone(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        bare = value.detach().resolve_conj().resolve_neg()
        place = (bare.untyped_storage().data_ptr(), bare.dtype)
        if place not in _copied:
            _copied[place] = _memory(bare).clone(), bare
        copy = _copied[place][0].as_strided(bare.shape, bare.stride(), bare.storage_offset()).detach()
        return copy.requires_grad_(value.requires_grad)
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields") and not isinstance(value, torch.Size):
        return type(value)(_clone(v) for v in value)
    if isinstance(value, dict):
        return {k: _clone(v) for k, v in value.items()}
    return value


def _detached(value: Any) -> Any:
    if isinstance(value, (torch.Tensor, tl.Tensor)):
        return value.detach()
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields") and not isinstance(value, (torch.Size, tl.Size)):
        return type(value)(_detached(v) for v in value)
    if isinstance(value, dict):
        return {k: _detached(v) for k, v in value.items()}
    return value


def check_function(entry: Any, function: Any, call: Call, what: str) -> Any:
    given, expected = call.run(torch, entry.op)
    our_given, actual = call.run(tl, function)
    compare_results(entry, our_given, actual, given, expected, what, lambda: more_exact(entry, call))
    if entry.name in UP_TO_PHASE:
        process = call.sample.output_process_fn_grad
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compare(_our_process(process)(actual), process(expected), what, layout=False)
    if shares(actual, tensors(our_given)) != shares(expected, tensors(given)):
        raise Difference(f"{what}: a view or a copy, PyTorch the other")
    return given, expected, our_given, actual


def _our_process(process: Any) -> Any:
    return rebind(process) if isinstance(process, types.FunctionType) else process


def compare_results(
    entry: Any, our_given: Any, actual: Any, given: Any, expected: Any, what: str, truth: Any = None
) -> None:
    if entry.name in TIES and given[0].dtype not in (torch.float32, torch.float64):
        actual, expected = _by_value(our_given, actual), _by_value(given, expected)
    values, largest = entry.name not in UNDEFINED | UP_TO_PHASE, bool(_factor(entry.name))
    compare(actual, expected, what, values=values, largest=largest, truth=truth)


def _by_value(given: Any, result: Any) -> Any:
    """Indices replaced by the elements that they name."""
    input, arguments, keywords = given
    results = [result] if hasattr(result, "dtype") else list(result)
    if not str(results[-1].dtype).endswith("int64") or (len(results) == 1 and "dim" not in keywords and not input.dim()):
        return result
    dims = [a for a in arguments if type(a) is int]
    dim = keywords.get("dim", dims[-1] if dims else -1)
    index = results[-1]
    kept = index.dim() == input.dim()
    try:
        named = input.gather(dim, index if kept else index.unsqueeze(dim))
    except (RuntimeError, IndexError):
        return results[:-1]
    return [*results[:-1], named if kept else named.squeeze(dim)]


_WIDE = {torch.float32: torch.float64, torch.complex64: torch.complex128}


def _widened(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        wide = value.detach().to(_WIDE.get(value.dtype, value.dtype))
        return wide.requires_grad_(value.requires_grad)
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields") and not isinstance(value, torch.Size):
        return type(value)(_widened(v) for v in value)
    if isinstance(value, dict):
        return {k: _widened(v) for k, v in value.items()}
    return value


def more_exact(entry: Any, call: Call) -> Any:
    """The results in float64: by the entry's own reference for a function of one number, else by PyTorch."""
    sample = call.sample
    if isinstance(entry, database.UnaryUfuncInfo) and entry.ref is not None and not sample.args and not sample.kwargs:
        with np.errstate(all="ignore"):
            return torch.from_numpy(np.asarray(entry.ref(numbers(_widened(sample.input)))))
    if not any(t.dtype in _WIDE for t in tensors((sample.input, sample.args))) or "dtype" in sample.kwargs:
        return None
    return entry.op(*_widened((sample.input, *sample.args)), **_widened(sample.kwargs))


def more_exact_gradient(entry: Any, call: Call) -> Any:
    """The gradients in float64, by PyTorch."""
    sample = call.sample
    given = _widened((sample.input, tuple(sample.args), dict(sample.kwargs)))
    if not any(t.dtype in _WIDE for t in tensors((sample.input, sample.args))) or "dtype" in sample.kwargs:
        return None
    outputs = leaves(sample.output_process_fn_grad(entry.op(given[0], *given[1], **given[2])))
    outputs = [t for t in outputs if isinstance(t, torch.Tensor) and t.requires_grad]
    inputs = [t for t in tensors(given) if t.requires_grad]
    return torch.autograd.grad(outputs, inputs, [_weight(torch, t) for t in outputs], allow_unused=True)


def check_gradient(entry: Any, call: Call, made: Any, what: str) -> None:
    given, expected, our_given, actual = made
    process = call.sample.output_process_fn_grad
    our_process = _our_process(process)
    results = []
    for lib, inputs, outputs in ((torch, given, process(expected)), (tl, our_given, our_process(actual))):
        outputs = [t for t in leaves(outputs) if hasattr(t, "requires_grad") and t.requires_grad]
        inputs = [t for t in tensors(inputs) if t.requires_grad]
        weights = [_weight(lib, t) for t in outputs]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results.append((len(outputs), lib.autograd.grad(outputs, inputs, weights, allow_unused=True) if outputs and inputs else ()))
    (n, expected), (m, actual) = results
    if n != m:
        raise Difference(f"{what}: {m} results require gradients, in PyTorch {n}")
    for i, (a, e) in enumerate(zip(actual, expected)):
        if (a is None) != (e is None):
            raise Difference(f"{what}: gradient {'undefined' if a is None else 'defined'}, in PyTorch the other")
        if e is not None and not e.is_sparse:
            def truth(i: int = i) -> Any:
                exact = more_exact_gradient(entry, call)
                return None if exact is None else exact[i]

            compare(a, e, what + ", gradient", layout=False, largest=_factor(entry.name), truth=truth)


def _weight(lib: Any, t: Any) -> Any:
    n = np.arange(t.numel()).reshape(tuple(t.shape))
    w = np.sin(n * 0.7) + 0.3
    if t.is_complex():
        w = w + 1j * np.cos(n * 0.3)
    return lib.from_numpy(np.asarray(w)).to(t.dtype).to(t.device)


def check_out(entry: Any, function: Any, call: Call, what: str) -> None:
    """Into tensors of the right shape (with strides of their own), and into empty ones."""
    _, plain = call.run(torch, entry.op, requires_grad=False)
    if isinstance(plain, torch.Tensor):
        single, plain = True, [plain]
    elif isinstance(plain, (tuple, list)) and all(isinstance(t, torch.Tensor) for t in plain):
        single, plain = False, list(plain)
    else:
        return
    for empty in (True,) if entry.name in NO_STRIDED_OUT else (False, True):

        def write(lib: Any, f: Any, empty: bool = empty) -> tuple[Any, ...]:
            outs = [_target(lib, t, empty) for t in plain]
            memory = [t.data_ptr() for t in outs]
            given, result = call.run(lib, f, requires_grad=False, out=outs[0] if single else tuple(outs))
            kept = [empty or t.data_ptr() == p for t, p in zip(outs, memory)]
            return outs, kept, result is outs[0] if single else None, given

        try:
            expected, kept, same, given = write(torch, entry.op)
        except Exception:  # PyTorch itself cannot write there
            continue
        actual, our_kept, our_same, our_given = write(tl, function)
        compare_results(entry, our_given, actual, given, expected, what + ", out=", lambda: more_exact(entry, call))
        if kept != our_kept or same != our_same:
            raise Difference(f"{what}, out=: the memory given is not the memory written")


def _target(lib: Any, like: torch.Tensor, empty: bool) -> Any:
    dtype = getattr(lib, str(like.dtype).split(".")[1])
    if empty:
        return lib.empty(0, dtype=dtype)
    return lib.zeros(tuple(reversed(like.shape)), dtype=dtype).permute(tuple(reversed(range(like.dim()))))


def check_method(entry: Any, call: Call, what: str) -> None:
    method = entry.method_variant
    if method is None or not isinstance(call.sample.input, torch.Tensor):
        return
    our_method = ours(method)
    given, expected = call.run(torch, method)
    our_given, actual = call.run(tl, our_method)
    compare_results(entry, our_given, actual, given, expected, what + ", method", lambda: more_exact(entry, call))


def check_inplace(entry: Any, call: Call, what: str) -> None:
    method = entry.inplace_variant
    if method is None or not isinstance(call.sample.input, torch.Tensor) or call.sample.broadcasts_input:
        return
    our_method = ours(method)
    try:
        (given, *_), _ = call.run(torch, method, requires_grad=False)
    except Exception as theirs:
        try:
            call.run(tl, our_method, requires_grad=False)
        except Exception as error:
            if type(error).__name__ != type(theirs).__name__:
                raise Difference(f"{what}, in-place: {type(error).__name__}: {error}; PyTorch: {type(theirs).__name__}: {theirs}") from None
            return
        raise Difference(f"{what}, in-place: nothing is raised, PyTorch: {type(theirs).__name__}: {theirs}") from None
    (our_given, *_), actual = call.run(tl, our_method, requires_grad=False)
    compare(our_given, given, what + ", in-place", truth=lambda: more_exact(entry, call))
    if actual is not our_given:
        raise Difference(f"{what}, in-place: another object is returned")


def samples(entry: Any, dtype: str, limit: int) -> Iterator[Any]:
    torch_dtype = getattr(torch, dtype)
    grad = (torch_dtype.is_floating_point or torch_dtype.is_complex) and entry.supports_autograd and torch_dtype in entry.backward_dtypes
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        every = list(itertools.islice(entry.sample_inputs("cpu", torch_dtype, requires_grad=grad), 400))
    step = max(1, -(-len(every) // limit))
    for n in range(0, len(every), step):
        yield n, every[n], grad


def describe(sample: Any) -> str:
    def text(v: Any) -> str:
        if isinstance(v, torch.Tensor):
            return f"{str(v.dtype).split('.')[1]}{tuple(v.shape)}" + ("" if v.is_contiguous() else f"/{v.stride()}")
        if isinstance(v, (list, tuple)):
            return "[" + ", ".join(text(x) for x in v) + "]"
        if isinstance(v, types.FunctionType):
            return v.__name__
        return repr(v)

    arguments = [text(sample.input), *(text(a) for a in sample.args), *(f"{k}={text(v)}" for k, v in sample.kwargs.items())]
    return "(" + ", ".join(arguments) + ")"


def check_entry(entry: Any, limit: int) -> dict[str, Any]:
    """What differs, by the form of the operator: {"function": [...], "gradient": [...], ...}, and how much was run."""
    found: dict[str, list[str]] = {}
    count = 0

    def attempt(form: str, where: str, check: Any, *arguments: Any) -> Any:
        try:
            return check(*arguments)
        except (Missing, Difference) as e:
            found.setdefault(form, []).append(f"{where}: {'missing ' if isinstance(e, Missing) else ''}{e}")
        except Exception as e:
            found.setdefault(form, []).append(f"{where}: {type(e).__name__}: {str(e)[:300]}")
        return None

    try:
        function = ours(entry.op, entry.name)
    except Missing as e:
        return {"missing": str(e)}
    for dtype in DTYPES:
        if getattr(torch, dtype) not in entry.dtypes:
            continue
        for number, sample, grad in samples(entry, dtype, limit):
            call, where = Call(sample), f"{dtype} #{number} {describe(sample)}"
            try:
                call.run(torch, entry.op)
            except Exception:  # a sample that PyTorch itself refuses
                continue
            count += 1
            made = attempt("function", where, check_function, entry, function, call, "result")
            if made is None:
                continue
            if grad:
                attempt("gradient", where, check_gradient, entry, call, made, "result")
            attempt("method", where, check_method, entry, call, "result")
            attempt("in-place", where, check_inplace, entry, call, "result")
            if entry.supports_out and entry.name not in BROKEN_OUT:
                attempt("out=", where, check_out, entry, function, call, "result")
    errors = attempt("errors", "error inputs", check_errors, entry, function) or ([], [])
    if errors[0]:
        found["errors"] = errors[0]
    return {"count": count, "found": found, "texts": errors[1]}


def check_errors(entry: Any, function: Any) -> tuple[list[str], list[str]]:
    """Wrong inputs: another type of error, or none; and those whose first sentence is another."""
    wrong, texts = [], []
    if entry.error_inputs_func is None:
        return wrong, texts
    torch.manual_seed(0)
    for error in entry.error_inputs("cpu"):
        sample = error.sample_input
        if any(t.device.type != "cpu" for t in tensors((sample.input, sample.args, sample.kwargs))):
            continue
        call, where = Call(error.sample_input), describe(error.sample_input)
        try:
            call.run(torch, entry.op)
            continue
        except Exception as e:
            theirs = e
        try:
            call.run(tl, function)
        except Exception as e:
            if type(e).__name__ != type(theirs).__name__:
                wrong.append(f"{where}: {type(e).__name__}: {e}; PyTorch: {type(theirs).__name__}: {theirs}")
            elif _sentence(str(theirs)) not in str(e).replace("tensorlite.", "torch."):
                texts.append(f"{where}: {e}; PyTorch: {theirs}")
        else:
            wrong.append(f"{where}: nothing is raised; PyTorch: {type(theirs).__name__}: {theirs}")
    return wrong, texts


def _sentence(text: str) -> str:
    return text.split("\n")[0].split(". ")[0].rstrip(".")
