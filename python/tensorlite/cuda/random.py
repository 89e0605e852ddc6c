"""Seeds and states of the devices' generators, which draw by Philox4x32-10."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import _C
from ._device import index_of


def _generator(device: Any) -> Any:
    return _C._cuda_generator(index_of(device))


def manual_seed(seed: int) -> None:
    """Seeds the current device's generator. Nobody looks for a device before one is used."""
    if _C._cuda_is_capturing():
        _generator(None).manual_seed(int(seed))  # which refuses another seed
        return
    _C._cuda_seed(_C._cuda_current_device() if _C._cuda_is_initialized() else 0, int(seed))


def manual_seed_all(seed: int) -> None:
    """Seeds the generators of all devices, which need not be in use yet."""
    if _C._cuda_is_capturing():
        _generator(None).manual_seed(int(seed))
        return
    _C._cuda_seed_all(int(seed))


def seed() -> None:
    """Seeds from the system's entropy."""
    if _C._cuda_device_count():
        _generator(None).seed()


def seed_all() -> None:
    """The same new seed for every device."""
    for device in range(_C._cuda_device_count()):
        value = _generator(0).seed() if device == 0 else _generator(0).initial_seed()
        _generator(device).manual_seed(value)


def initial_seed() -> int:
    return _generator(None).initial_seed()


def get_rng_state(device: Any = "cuda") -> Any:
    """The generator's state: 16 bytes, the seed and the offset."""
    return _generator(device).get_state()


def get_rng_state_all() -> list[Any]:
    return [get_rng_state(device) for device in range(_C._cuda_device_count())]


def set_rng_state(new_state: Any, device: Any = "cuda") -> None:
    _generator(device).set_state(new_state)


def set_rng_state_all(new_states: Iterable[Any]) -> None:
    for device, state in enumerate(new_states):
        set_rng_state(state, device)
