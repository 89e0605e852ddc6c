"""Names that programs put around their steps."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

__all__ = ["record_function"]


class record_function:
    """A labelled block or function. Accepted: no profile is taken."""

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name, self.args = name, args

    def __enter__(self) -> record_function:
        return self

    def __exit__(self, *error: Any) -> None:
        pass

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return wrapper
