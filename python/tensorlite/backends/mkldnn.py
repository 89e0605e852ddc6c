"""Flags only: tensorlite never uses oneDNN."""

enabled = True
deterministic = False
allow_tf32 = True


def is_available() -> bool:
    return False
