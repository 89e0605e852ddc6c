"""The default generator of random numbers."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from . import _C

__all__ = ["fork_rng", "get_rng_state", "initial_seed", "manual_seed", "seed", "set_rng_state"]

default_generator = _C.default_generator


def manual_seed(seed: int) -> Any:
    """Seeds the generators of all devices; returns the default one. A negative seed means 2^64 + seed."""
    from . import cuda

    seed = int(seed)
    if not -(2**63) <= seed < 2**64:
        raise ValueError(f"Overflow when unpacking long long: the seed {seed} does not fit into 64 bits")
    cuda.manual_seed_all(seed)
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Seeds the generators of all devices with a number from the system, and returns it."""
    from . import cuda

    value = default_generator.seed()
    cuda.manual_seed_all(value)
    return value


def initial_seed() -> int:
    """The seed that the default generator started from."""
    return default_generator.initial_seed()


def get_rng_state() -> Any:
    """The state of the default generator, a uint8 tensor."""
    return default_generator.get_state()


def set_rng_state(new_state: Any) -> None:
    """Puts the default generator into a state from `get_rng_state`."""
    default_generator.set_state(new_state)


@contextlib.contextmanager
def fork_rng(
    devices: Sequence[Any] | None = None,
    enabled: bool = True,
    _caller: str = "fork_rng",
    _devices_kw: str = "devices",
    device_type: str = "cuda",
) -> Iterator[None]:
    """After the block the generators are as they were before it. devices: the CUDA devices meant, all by default."""
    if not enabled:
        yield
        return
    from . import cuda

    if devices is None:
        devices = range(cuda.device_count())
        if len(devices) > 1:
            warnings.warn(
                f"{_caller} saves the state of all {len(devices)} CUDA devices; "
                f"name the ones that are used with {_devices_kw}=[...].",
                stacklevel=3,
            )
    state = get_rng_state()
    states = [(device, cuda.get_rng_state(device)) for device in devices]
    try:
        yield
    finally:
        set_rng_state(state)
        for device, saved in states:
            cuda.set_rng_state(saved, device)
