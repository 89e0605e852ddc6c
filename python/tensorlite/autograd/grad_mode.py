"""Switches for whether operators are recorded."""

from __future__ import annotations

import functools
from typing import Any

from .. import _C

__all__ = ["enable_grad", "inference_mode", "no_grad", "set_grad_enabled", "set_multithreading_enabled"]


def _is_generator_function(function: Any) -> bool:
    # inspect.isgeneratorfunction, without the cost of importing inspect
    return bool(getattr(getattr(function, "__code__", None), "co_flags", 0) & 0x20)


class _Switch:
    """A context manager that also decorates functions, generator functions and classes of neither."""

    def __call__(self, function: Any) -> Any:
        if _is_generator_function(function):

            @functools.wraps(function)
            def generator(*args: Any, **kwargs: Any) -> Any:
                steps = function(*args, **kwargs)
                # The switch holds while the generator runs, not while its consumer does.
                try:
                    with self._again():
                        value = next(steps)
                    while True:
                        try:
                            sent = yield value
                        except GeneratorExit:
                            with self._again():
                                steps.close()
                            raise
                        except BaseException as error:
                            with self._again():
                                value = steps.throw(error)
                        else:
                            with self._again():
                                value = steps.send(sent)
                except StopIteration as stop:
                    return stop.value

            return generator

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with self._again():
                return function(*args, **kwargs)

        return wrapper

    def _again(self) -> Any:
        return type(self)()

    def __enter__(self) -> Any:
        raise NotImplementedError

    def __exit__(self, *error: Any) -> None:
        _C._set_grad_enabled(self.previous)


class no_grad(_Switch):
    """Operators are not recorded inside. A context manager and a decorator."""

    def __new__(cls, function: Any = None) -> Any:
        self = super().__new__(cls)
        return self if function is None else self(function)

    def __init__(self, function: Any = None) -> None:
        self.previous = False

    def __enter__(self) -> None:
        self.previous = _C.is_grad_enabled()
        _C._set_grad_enabled(False)


class enable_grad(_Switch):
    """Operators are recorded inside, also within `no_grad`. A context manager and a decorator."""

    def __new__(cls, function: Any = None) -> Any:
        self = super().__new__(cls)
        return self if function is None else self(function)

    def __init__(self, function: Any = None) -> None:
        self.previous = False

    def __enter__(self) -> None:
        self.previous = _C.is_grad_enabled()
        _C._set_grad_enabled(True)


class set_grad_enabled(_Switch):
    """Sets recording to `mode` at once; as a context manager it undoes that at the end."""

    def __init__(self, mode: bool) -> None:
        self.previous = _C.is_grad_enabled()
        self.mode = mode
        _C._set_grad_enabled(bool(mode))

    def __call__(self, function: Any) -> Any:
        _C._set_grad_enabled(self.previous)
        return super().__call__(function)

    def _again(self) -> Any:
        return set_grad_enabled(self.mode)

    def __enter__(self) -> None:
        _C._set_grad_enabled(bool(self.mode))

    def __str__(self) -> str:
        return f"{_C._package_name()}.autograd.grad_mode.set_grad_enabled(mode={self.mode})"

    __repr__ = __str__


class inference_mode(_Switch):
    """Like `no_grad`; tensors made inside can never take part in autograd."""

    def __new__(cls, mode: Any = True) -> Any:
        self = super().__new__(cls)
        if isinstance(mode, bool):
            return self
        self.mode = True
        return self(mode)

    def __init__(self, mode: Any = True) -> None:
        self.mode = mode
        self.previous = False
        self.previous_inference = False

    def _again(self) -> Any:
        return inference_mode(self.mode)

    def __enter__(self) -> None:
        self.previous = _C.is_grad_enabled()
        self.previous_inference = _C.is_inference_mode_enabled()
        if self.mode:
            _C._set_grad_enabled(False)
        _C._set_inference_enabled(bool(self.mode))

    def __exit__(self, *error: Any) -> None:
        _C._set_grad_enabled(self.previous)
        _C._set_inference_enabled(self.previous_inference)


class set_multithreading_enabled(_Switch):
    """Accepted for PyTorch's sake: backward runs in the calling thread."""

    def __init__(self, mode: bool) -> None:
        self.previous = _C.is_grad_enabled()

    def __enter__(self) -> None:
        self.previous = _C.is_grad_enabled()
