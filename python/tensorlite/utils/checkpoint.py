"""Activation checkpointing: parts of a model keep only their inputs, and are computed again during backward."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from .. import _C, random
from ..autograd import backward as run_backward
from ..autograd.function import Function
from ..autograd.grad_mode import enable_grad, no_grad
from ..autograd.graph import saved_tensors_hooks

__all__ = ["CheckpointError", "checkpoint", "checkpoint_sequential", "set_checkpoint_early_stop"]

Tensor = _C.Tensor


class CheckpointError(RuntimeError):
    """The function computed something else the second time."""


def _random_states(preserve: bool, args: Iterable[Any]) -> Any:
    """The states of the default generators: the CPU's, and those of the CUDA devices that arguments lie on."""
    if not preserve:
        return None
    devices = {a.device for a in args if isinstance(a, Tensor) and a.is_cuda}
    return random.get_rng_state(), [(device, _cuda().get_rng_state(device)) for device in devices]


def _cuda() -> Any:
    from .. import cuda

    return cuda


@contextlib.contextmanager
def _drawing_from(states: Any) -> Any:
    """The generators as they were at the first computation."""
    if states is None:
        yield
        return
    cpu, devices = states
    with random.fork_rng([device for device, _ in devices]):
        random.set_rng_state(cpu)
        for device, state in devices:
            _cuda().set_rng_state(state, device)
        yield


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Any = None,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """function(*args, **kwargs), computed again in backward instead of keeping what its operators saved.

    use_reentrant=False (recommended) records the function as it is; True runs it under no_grad() and differentiates the
    second computation. preserve_rng_state: draw the same random numbers, as in dropout, the second time.

    >>> x = torch.ones(2, requires_grad=True)
    >>> checkpoint(lambda t: t.exp().sin(), x, use_reentrant=False).sum().backward()
    >>> x.grad
    tensor([-2.4783, -2.4783])
    """
    if use_reentrant is None:
        warnings.warn(
            "torch.utils.checkpoint: the use_reentrant parameter should be passed explicitly. Starting in PyTorch 2.9, "
            "calling checkpoint without use_reentrant will raise an exception. use_reentrant=False is recommended, but "
            "if you need to preserve the current default behavior, you can pass use_reentrant=True. Refer to docs for "
            "more details on the differences between the two variants.",
            stacklevel=2,
        )
        use_reentrant = True
    if not use_reentrant:
        return _record(function, preserve_rng_state, args, kwargs)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    if _C.is_grad_enabled() and not any(isinstance(a, Tensor) and a.requires_grad for a in args):
        warnings.warn("None of the inputs have requires_grad=True. Gradients will be None", stacklevel=2)
    return CheckpointFunction.apply(function, preserve_rng_state, *args)


class CheckpointFunction(Function):
    """Forward without a graph; backward makes the graph and runs through it at once."""

    @staticmethod
    def forward(ctx: Any, function: Callable[..., Any], preserve: bool, *args: Any) -> Any:
        ctx.function = function
        ctx.states = _random_states(preserve, args)
        ctx.places = [i for i, a in enumerate(args) if isinstance(a, Tensor)]
        ctx.rest = [None if isinstance(a, Tensor) else a for a in args]
        ctx.save_for_backward(*(args[i] for i in ctx.places))
        with no_grad():
            return function(*args)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        args = list(ctx.rest)
        for i, saved in zip(ctx.places, ctx.saved_tensors, strict=True):
            args[i] = saved.detach()
            args[i].requires_grad = saved.requires_grad
        with enable_grad(), _drawing_from(ctx.states):
            outputs = ctx.function(*args)
        outputs = (outputs,) if isinstance(outputs, Tensor) else outputs
        wanted = [(o, g) for o, g in zip(outputs, grads, strict=True) if isinstance(o, Tensor) and o.requires_grad]
        if not wanted:
            raise RuntimeError("none of output has requires_grad=True, this checkpoint() is not necessary")
        run_backward([o for o, _ in wanted], [g for _, g in wanted])
        return (None, None, *(a.grad if isinstance(a, Tensor) else None for a in args))


class _Again:
    """What the operators of one call saved, computed again when the first is asked for."""

    def __init__(self, function: Callable[..., Any], preserve: bool, args: Any, kwargs: Any) -> None:
        self.function, self.args, self.kwargs = function, args, kwargs
        self.states = _random_states(preserve, [*args, *kwargs.values()])
        self.facts: list[tuple[Any, Any]] = []  # shape and dtype of each saved tensor
        self.values: dict[int, Tensor] = {}

    def pack(self, t: Tensor) -> int:
        self.facts.append((t.shape, t.dtype))
        return len(self.facts) - 1

    def unpack(self, i: int) -> Tensor:
        if i not in self.values:
            self._compute()
        return self.values.pop(i)

    def _compute(self) -> None:
        values: list[Tensor] = []

        def keep(t: Tensor) -> None:
            values.append(t)
            if len(values) > len(self.facts):
                raise CheckpointError(
                    "torch.utils.checkpoint: trying to save more tensors during recomputation than during the original "
                    "forward pass. A different number of tensors means that the function computed something else."
                )

        def refuse(_: None) -> Tensor:
            raise CheckpointError("torch.utils.checkpoint: Unpack is being triggered during the recomputation.")

        with enable_grad(), _drawing_from(self.states), saved_tensors_hooks(keep, refuse):
            self.function(*self.args, **self.kwargs)
        if len(values) != len(self.facts):
            raise CheckpointError(
                "torch.utils.checkpoint: A different number of tensors was saved during the original forward and "
                f"recomputation.\nNumber of tensors saved during forward: {len(self.facts)}\n"
                f"Number of tensors saved during recomputation: {len(values)}."
            )
        for i, (value, facts) in enumerate(zip(values, self.facts, strict=True)):
            if (value.shape, value.dtype) != facts:
                raise CheckpointError(
                    "torch.utils.checkpoint: Recomputed values for the following tensors have different metadata than "
                    f"during the forward pass.\ntensor at position {i}:\nsaved metadata: {facts}\n"
                    f"recomputed metadata: {(value.shape, value.dtype)}"
                )
        self.values = dict(enumerate(values))


def _record(function: Callable[..., Any], preserve: bool, args: Any, kwargs: Any) -> Any:
    if not _C.is_grad_enabled():
        return function(*args, **kwargs)
    again = _Again(function, preserve, args, kwargs)
    with saved_tensors_hooks(again.pack, again.unpack):
        return function(*args, **kwargs)


def checkpoint_sequential(
    functions: Iterable[Callable[..., Any]],
    segments: int,
    input: Any,
    use_reentrant: bool | None = None,
    **kwargs: Any,
) -> Any:
    """Runs the functions (or a Sequential's modules) one after the other, each of `segments` parts checkpointed.

    The last part is recorded as usual: its turn comes first in backward.
    """
    if use_reentrant is None:
        warnings.warn(
            "torch.utils.checkpoint.checkpoint_sequential: the use_reentrant parameter should be passed explicitly. In "
            "version 2.9 we will raise an exception if use_reentrant is not passed. use_reentrant=False is recommended,"
            " "
            "but if you need to preserve the current default behavior, you can pass use_reentrant=True. Refer to docs "
            "for more details on the differences between the two variants.",
            stacklevel=2,
        )
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    steps = list(functions.children() if hasattr(functions, "children") else functions)

    def part(start: int, end: int) -> Callable[[Any], Any]:
        def run(x: Any) -> Any:
            for step in steps[start:end]:
                x = step(x)
            return x

        return run

    size = len(steps) // segments
    end = 0
    for start in range(0, size * (segments - 1), size):
        end = start + size
        input = checkpoint(part(start, end), input, use_reentrant=use_reentrant, preserve_rng_state=preserve)
    return part(end, len(steps))(input)


@contextlib.contextmanager
def set_checkpoint_early_stop(enable: bool) -> Any:
    """Accepted: the whole function is computed again."""
    yield
