"""Flags only: tensorlite has kernels of its own and never uses cuDNN."""

import contextlib
from collections.abc import Iterator
from typing import Any

enabled = True
benchmark = False
benchmark_limit = 10
# tensorlite's kernels are deterministic whatever this says.
deterministic = False
# float32 is rounded to tf32 in convolutions only where backends.cuda.matmul.allow_tf32 says so.
allow_tf32 = True


def is_available() -> bool:
    return False


def version() -> None:
    return None


def is_acceptable(tensor: Any) -> bool:
    return False


@contextlib.contextmanager
def flags(**values: Any) -> Iterator[None]:
    """Sets flags for a block: flags(enabled=..., benchmark=..., deterministic=..., allow_tf32=...)."""
    unknown = values.keys() - {"enabled", "benchmark", "benchmark_limit", "deterministic", "allow_tf32"}
    if unknown:
        raise TypeError(f"flags() got an unexpected keyword argument {min(unknown)!r}")
    here = globals()
    saved = {name: here[name] for name in values}
    here.update(values)
    try:
        yield
    finally:
        here.update(saved)
