"""Apple's devices: there is no backend for them."""


def is_available() -> bool:
    return False


def is_built() -> bool:
    return False
