"""Automatic mixed precision.

On a machine without a GPU `autocast("cuda")` and `GradScaler("cuda")` switch themselves off with a warning, as
PyTorch's do, and a program that uses them computes in float32; `autocast` does so with a GPU too. `GradScaler` works
there. Lower precision on the CPU is not offered.
"""

from __future__ import annotations

from .autocast_mode import autocast, custom_bwd, custom_fwd, is_autocast_available
from .grad_scaler import GradScaler

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]
