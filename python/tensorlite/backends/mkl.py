def is_available() -> bool:
    """tensorlite multiplies matrices with kernels of its own."""
    return False
