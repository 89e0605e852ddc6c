"""Derivatives checked against finite differences."""

from __future__ import annotations

import itertools
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

import tensorlite as tl

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


class GradcheckError(RuntimeError):
    """Raised by `gradcheck` and `gradgradcheck`."""


@dataclass
class _Settings:
    eps: float
    atol: float
    rtol: float
    nondet_tol: float
    check_undefined_grad: bool
    check_grad_dtypes: bool
    fast_mode: bool


def _differentiable(t: Any) -> bool:
    return isinstance(t, tl.Tensor) and (t.is_floating_point() or t.is_complex())


def _array(t: Any) -> np.ndarray:
    """The elements of t in double precision, as a vector."""
    dtype = np.complex128 if t.is_complex() else np.float64
    return np.asarray(t.detach().tolist(), dtype=dtype).reshape(-1)


def _tensor(a: np.ndarray, like: Any) -> Any:
    return tl.from_numpy(a.reshape(tuple(like.shape))).to(like.device, like.dtype)


def _outputs(result: Any) -> tuple:
    if isinstance(result, tl.Tensor):
        return (result,)
    if isinstance(result, (list, tuple)):
        return tuple(result)
    raise TypeError(
        "gradcheck expects a function that returns a Tensor or a sequence of them, "
        f"but it returned {type(result).__name__}."
    )


def _differentiable_outputs(result: Any) -> tuple:
    return tuple(o for o in _outputs(result) if isinstance(o, tl.Tensor) and o.requires_grad)


class _Perturbed:
    """An input whose elements are moved where they lie, so that the function sees it."""

    def __init__(self, x: Any) -> None:
        self.memory = x.data
        self.original = x.detach().clone()

    def __enter__(self) -> _Perturbed:
        return self

    def __exit__(self, *_: Any) -> None:
        self.memory.copy_(self.original)

    def move(self, index: tuple[int, ...], step: complex) -> None:
        self.memory[index] = self.original[index].item() + step

    def move_all(self, step: np.ndarray) -> None:
        self.memory.copy_(self.original + _tensor(step, self.original))


class _Function:
    """The checked function: its inputs, and its outputs as vectors."""

    def __init__(self, func: Callable, inputs: tuple) -> None:
        self.func, self.inputs = func, inputs
        self.wanted = [x for x in inputs if isinstance(x, tl.Tensor) and x.requires_grad]
        every = _outputs(func(*inputs))
        self.chosen = [i for i, o in enumerate(every) if isinstance(o, tl.Tensor) and o.requires_grad]
        self.outputs = [every[i] for i in self.chosen]
        self.no_graph = [i for i, o in enumerate(every) if _differentiable(o)]

    def values(self, chosen: Sequence[int]) -> list[np.ndarray]:
        # Not under no_grad: the function may use autograd itself, as that of gradgradcheck does.
        outputs = _outputs(self.func(*self.inputs))
        return [_array(outputs[i]) for i in chosen]

    def numerical(self, x: Any, chosen: Sequence[int], eps: float) -> list[np.ndarray]:
        """One (x.numel(), output.numel()) matrix per output, by central differences.

        For a complex x: the derivative along the real axis, plus i times that along the imaginary
        one, both of the output as it is; `_part` takes the real and imaginary part of the output.
        """
        rows: list[list[np.ndarray]] = [[] for _ in chosen]
        steps = (eps, eps * 1j) if x.is_complex() else (eps,)
        with _Perturbed(x) as p:
            for index in itertools.product(*map(range, x.shape)):
                along = []
                for step in steps:
                    p.move(index, step)
                    after = self.values(chosen)
                    p.move(index, -step)
                    before = self.values(chosen)
                    p.move(index, 0)
                    along.append([(a - b) / (2 * eps) for a, b in zip(after, before, strict=True)])
                for row, *parts in zip(rows, *along, strict=True):
                    row.append(np.stack(parts))
        return [
            np.stack(row) if row else np.zeros((0, len(steps), n.size))
            for row, n in zip(rows, self.values(chosen), strict=True)
        ]

    def slope(self, x: Any, direction: np.ndarray, output: int, eps: float) -> np.ndarray:
        """The derivative of an output along a direction of an input."""
        with _Perturbed(x) as p:
            p.move_all(eps * direction)
            (after,) = self.values([output])
            p.move_all(-eps * direction)
            (before,) = self.values([output])
        return (after - before) / (2 * eps)

    def backward(self, output: Any, grad_output: Any) -> tuple:
        return tl.autograd.grad(output, self.wanted, grad_output, retain_graph=True, allow_unused=True)


def _gradient(g: Any, x: Any, s: _Settings) -> np.ndarray:
    """A gradient as a vector, after checking that it fits its input."""
    if g is None:
        return np.zeros(x.numel())
    if g.shape != x.shape:
        raise GradcheckError("Analytical gradient has incorrect size")
    if s.check_grad_dtypes and g.dtype != x.dtype:
        raise GradcheckError("Gradient has dtype mismatch.")
    return _array(g)


def _analytical(f: _Function, output: Any, unit: complex, s: _Settings) -> list[np.ndarray]:
    """Per input, (x.numel(), output.numel()): gradients of unit's part of each output element."""
    columns: list[list[np.ndarray]] = [[] for _ in f.wanted]
    for k in range(output.numel()):
        e = np.zeros(output.numel(), np.complex128 if output.is_complex() else np.float64)
        e[k] = unit
        grads = f.backward(output, _tensor(e, output))
        for column, g, x in zip(columns, grads, f.wanted, strict=True):
            column.append(_gradient(g, x, s))
    return [np.stack(c, axis=1) if c else np.zeros((x.numel(), 0)) for c, x in zip(columns, f.wanted, strict=True)]


def _part(a: np.ndarray, unit: complex) -> np.ndarray:
    return a.imag if unit == 1j else a.real


def _show(a: np.ndarray, like: Any) -> Any:
    dtype = like.dtype
    if like.is_complex():
        a = a.astype(np.complex128)
    return tl.from_numpy(np.ascontiguousarray(a)).to(dtype)


def _close(a: np.ndarray, n: np.ndarray, s: _Settings) -> bool:
    return bool(np.allclose(a, n, rtol=s.rtol, atol=s.atol))


_ABOUT = {
    1: "",
    1j: "While considering the imaginary part of complex outputs only, ",
}


def _mismatch(unit: complex, mixed: bool, i: int, j: int, numerical: Any, analytical: Any) -> str:
    about = _ABOUT[unit]
    if unit == 1 and mixed:
        about = "While considering the real part of complex outputs only, "
    return (
        f"{about}Jacobian mismatch for output {i} with respect to input {j},\n"
        f"numerical:{numerical}\nanalytical:{analytical}\n"
    )


def _nondeterministic(tolerance: float) -> str:
    return (
        "Backward is not reentrant, i.e., running backward with same input and grad_output multiple "
        "times gives different values, although analytical gradient matches numerical gradient."
        f"The tolerance for nondeterminism was {tolerance}. "
        "If this is expected, pass a larger nondet_tol."
    )


def _units(outputs: Sequence[Any]) -> Iterator[tuple[complex, list[int]]]:
    """The parts of the outputs to check, and which outputs have them."""
    if any(o.is_complex() for o in outputs):
        yield 1j, [i for i, o in enumerate(outputs) if o.is_complex()]
    yield 1, list(range(len(outputs)))


def _combine(n: np.ndarray, unit: complex) -> np.ndarray:
    """From derivatives along the axes of x to the gradient as autograd defines it."""
    n = _part(n, unit)
    return n[:, 0] + 1j * n[:, 1] if n.shape[1] == 2 else n[:, 0]


def _check_slow(f: _Function, s: _Settings) -> None:
    # per input, per output
    numerical = [f.numerical(x, f.chosen, s.eps) for x in f.wanted]
    mixed = any(o.is_complex() for o in f.outputs)
    for unit, which in _units(f.outputs):
        for i in which:
            output = f.outputs[i]
            analytical = _analytical(f, output, unit, s)
            again = _analytical(f, output, unit, s)
            for j, x in enumerate(f.wanted):
                n = _combine(numerical[j][i], unit)
                a = analytical[j]
                if not _close(a, n, s):
                    raise GradcheckError(_mismatch(unit, mixed, i, j, _show(n, x), _show(a, x)))
            for a, b in zip(analytical, again, strict=True):
                if a.size and np.abs(a - b).max() > s.nondet_tol:
                    raise GradcheckError(_nondeterministic(s.nondet_tol))


def _direction(rng: np.random.Generator, t: Any) -> np.ndarray:
    v = rng.standard_normal(t.numel())
    if t.is_complex():
        v = v + 1j * rng.standard_normal(t.numel())
    norm = np.linalg.norm(v)
    return v / norm if norm else v


def _check_fast(f: _Function, s: _Settings) -> None:
    """One number per output and input: v^T J u for random v and u, instead of all of J."""
    rng = np.random.default_rng(0)  # the user's generators are left alone
    mixed = any(o.is_complex() for o in f.outputs)
    us = [_direction(rng, x) for x in f.wanted]
    for unit, which in _units(f.outputs):
        for i in which:
            output = f.outputs[i]
            v = np.abs(rng.standard_normal(output.numel()))
            v /= np.linalg.norm(v) if v.size else 1
            grads = f.backward(output, _tensor(unit * v, output))
            again = f.backward(output, _tensor(unit * v, output))
            for j, (x, u) in enumerate(zip(f.wanted, us, strict=True)):
                g = _gradient(grads[j], x, s)
                # The slope of a real function along u is the real part of <gradient, u>.
                a = float(np.vdot(g, u).real)
                n = float(_part(f.slope(x, u, f.chosen[i], s.eps), unit) @ v)
                # An error of atol in every entry of J may add up in v^T J u.
                room = s.atol * (1 + np.abs(u).sum() * v.sum()) + s.rtol * abs(n)
                if not abs(a - n) <= room:
                    raise GradcheckError(_explain_fast(f, s, unit, mixed, i, j, n, a))
                if g.size and np.abs(g - _gradient(again[j], x, s)).max() > s.nondet_tol:
                    raise GradcheckError(_nondeterministic(s.nondet_tol))


def _explain_fast(f: _Function, s: _Settings, unit: complex, mixed: bool, i: int, j: int, n: float, a: float) -> str:
    x = f.wanted[j]
    (whole,) = f.numerical(x, [f.chosen[i]], s.eps)
    full_n = _combine(whole, unit)
    full_a = _analytical(f, f.outputs[i], unit, s)[j]
    worst = np.abs(full_a - full_n).max()
    text = _mismatch(unit, mixed, i, j, n, a) + (
        "\nThe above quantities relating the numerical and analytical jacobians are computed\n"
        "in fast mode, as projections on random directions. In slow mode the jacobians are:\n\n"
        f"Numerical:\n {_show(full_n, x)}\nAnalytical:\n{_show(full_a, x)}\n\n"
        f"The max per-element difference (slow mode) is: {worst}.\n"
    )
    if _close(full_a, full_n, s):
        text += "\nThe check passes in slow mode: the tolerance may be too tight for fast mode.\n"
    return text


def _check_scales_with_grad_output(f: _Function, s: _Settings) -> None:
    zeros = [tl.zeros_like(o) for o in f.outputs]
    grads = tl.autograd.grad(f.outputs, f.wanted, zeros, retain_graph=True, allow_unused=True)
    for g, x in zip(grads, f.wanted, strict=True):
        if _gradient(g, x, s).any():
            raise GradcheckError("backward not multiplied by grad_output")


def _undefined_grad(output: Any) -> Any:
    """The output, but backward meets no gradient on the way to it."""

    class UndefinedGrad(tl.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x.clone()

        @staticmethod
        def backward(ctx: Any, grad: Any) -> None:
            return None

    return UndefinedGrad.apply(output)


def _check_undefined(f: _Function) -> None:
    """The backward of the function must take None for any of its outputs' gradients."""
    message = (
        "Expected backward function to handle undefined output grads. Treat a gradient of None as "
        "zeros, or leave ctx.set_materialize_grads(True)."
    )
    n = len(f.chosen)
    for absent in [tuple(range(n))] + ([(i,) for i in range(n)] if n > 1 else []):
        fresh = _outputs(f.func(*f.inputs))
        outputs = [fresh[i] for i in f.chosen]
        given = [_undefined_grad(o) if i in absent else o for i, o in enumerate(outputs)]
        try:
            grads = tl.autograd.grad(given, f.wanted, [tl.zeros_like(o) for o in given], allow_unused=True)
        except RuntimeError as e:
            raise GradcheckError(message) from e
        if any(g is not None and _array(g).any() for g in grads):
            raise GradcheckError(
                "Expected all input grads to be undefined or zero when all output grads are undefined or zero."
            )


def _check_inputs(inputs: tuple) -> None:
    if not any(isinstance(x, tl.Tensor) and x.requires_grad for x in inputs):
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=True."
        )
    for i, x in enumerate(inputs):
        if not (isinstance(x, tl.Tensor) and x.requires_grad):
            continue
        if x.dtype not in (tl.float64, tl.complex128):
            warnings.warn(
                f"Input #{i} requires gradient and is not a double precision floating point or "
                "complex. This check will likely fail if all the inputs are not of double "
                "precision floating point or complex. ",
                stacklevel=4,
            )
        if x.numel() and any(n > 1 and stride == 0 for n, stride in zip(x.shape, x.stride(), strict=True)):
            raise RuntimeError(
                f"The {i}th input has a dimension with stride 0. gradcheck only supports inputs "
                "that are non-overlapping to be able to compute the numerical gradients correctly. "
                "You should call .contiguous on the input before passing it to gradcheck."
            )


def _tupled(inputs: Any) -> tuple:
    return (inputs,) if isinstance(inputs, tl.Tensor) else tuple(inputs)


def _run(func: Callable, inputs: tuple, s: _Settings) -> None:
    _check_inputs(inputs)
    f = _Function(func, inputs)
    if not f.outputs:
        for x in f.wanted:
            for n in f.numerical(x, f.no_graph, s.eps):
                if n.any():
                    raise GradcheckError(
                        "Numerical gradient for function expected to be zero: its outputs depend "
                        "on the inputs, but do not require grad."
                    )
        return
    (_check_fast if s.fast_mode else _check_slow)(f, s)
    _check_scales_with_grad_output(f, s)
    if s.check_undefined_grad:
        _check_undefined(f)


def gradcheck(
    func: Callable,
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Compares the gradients of func with central differences. True, or raises GradcheckError.

    inputs: a tensor or a tuple; those that require grad are checked and should be float64 or
    complex128. func returns a tensor or a tuple of them. fast_mode compares one random projection
    of each Jacobian instead of all of it. raise_exception=False returns False instead of raising.
    There is neither batching nor forward mode, and their flags are ignored.
    """
    s = _Settings(eps, atol, rtol, nondet_tol, check_undefined_grad, check_grad_dtypes, fast_mode)
    try:
        if check_backward_ad:
            _run(func, _tupled(inputs), s)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable,
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Compares second derivatives with central differences of the gradients: see `gradcheck`.

    grad_outputs: one tensor per differentiable output; random ones by default.
    """
    inputs = _tupled(inputs)
    if grad_outputs is None:
        rng = np.random.default_rng(0)
        made = []
        for o in _differentiable_outputs(func(*inputs)):
            g = _tensor(_random(rng, o), o)
            if gen_non_contig_grad_outputs:
                g = tl.stack((g, g), -1)[..., 0]
            made.append(g.detach().requires_grad_())
        grad_outputs = tuple(made)
    else:
        grad_outputs = _tupled(grad_outputs)
    count = len(grad_outputs)

    def gradient(*args: Any) -> tuple:
        xs, grads = args[: len(args) - count], args[len(args) - count :]
        outputs = _differentiable_outputs(func(*xs))
        wanted = [x for x in xs if isinstance(x, tl.Tensor) and x.requires_grad]
        result = tl.autograd.grad(outputs, wanted, grads, create_graph=True, allow_unused=True)
        return tuple(g for g in result if g is not None)

    return not check_rev_over_rev or gradcheck(
        gradient,
        inputs + grad_outputs,
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes,
        fast_mode=fast_mode,
    )


def _random(rng: np.random.Generator, t: Any) -> np.ndarray:
    a = rng.uniform(-1, 1, t.numel())
    return a + 1j * rng.uniform(-1, 1, t.numel()) if t.is_complex() else a


class _Module(ModuleType):
    """Importing this module puts it where the package has the function `gradcheck`, so it can be called like it."""

    def __call__(self, *args: Any, **kwargs: Any) -> bool:
        return gradcheck(*args, **kwargs)


sys.modules[__name__].__class__ = _Module
