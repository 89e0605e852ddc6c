"""There is no backend for these devices: questions are answered as for those of `mps`."""

from .mps import device_count, empty_cache, is_available, manual_seed, synchronize

__all__ = ["device_count", "empty_cache", "is_available", "manual_seed", "synchronize"]
