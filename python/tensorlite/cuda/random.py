"""Seeds and states of the devices' generators."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import _C
from ._device import index_of

_DEFAULT_SEED = 67280421310721
# By device: the seed and the offset of the next number. Kept here until a device has kernels that draw.
_states: dict[int, list[int]] = {}


def _state(device: Any) -> list[int]:
    return _states.setdefault(index_of(device), [_DEFAULT_SEED, 0])


def manual_seed(seed: int) -> None:
    """Seeds the current device's generator; without a device nothing is to be kept."""
    seed = int(seed)
    if _C._cuda_device_count():
        _state(None)[:] = [seed % 2**64, 0]


def manual_seed_all(seed: int) -> None:
    seed = int(seed)
    for device in range(_C._cuda_device_count()):
        _state(device)[:] = [seed % 2**64, 0]


def seed() -> None:
    """Seeds from the system's entropy."""
    import os

    manual_seed(int.from_bytes(os.urandom(8), "little"))


def seed_all() -> None:
    import os

    manual_seed_all(int.from_bytes(os.urandom(8), "little"))


def initial_seed() -> int:
    return _state(None)[0]


def get_rng_state(device: Any = "cuda") -> Any:
    """The generator's state: 16 bytes, the seed and the offset."""
    from .. import frombuffer, uint8

    words = _state(device)
    return frombuffer(bytearray(b"".join(w.to_bytes(8, "little") for w in words)), dtype=uint8).clone()


def get_rng_state_all() -> list[Any]:
    return [get_rng_state(device) for device in range(_C._cuda_device_count())]


def set_rng_state(new_state: Any, device: Any = "cuda") -> None:
    state = _state(device)
    raw = bytes(new_state.tolist())
    if len(raw) != 16:
        raise RuntimeError("RNG state is wrong size")
    state[:] = [int.from_bytes(raw[:8], "little"), int.from_bytes(raw[8:], "little")]


def set_rng_state_all(new_states: Iterable[Any]) -> None:
    for device, state in enumerate(new_states):
        set_rng_state(state, device)
