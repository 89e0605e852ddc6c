"""The ``reduction`` argument of losses, old forms included."""

from __future__ import annotations


def check(reduction: str) -> str:
    """Gives ``reduction`` back, or raises ValueError if it is none of ``none``, ``mean``, ``sum``."""
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction


def legacy(size_average: bool | None, reduce: bool | None) -> str:
    """The reduction that the two old arguments mean; warns."""
    import warnings

    size_average = True if size_average is None else size_average
    reduce = True if reduce is None else reduce
    name = "none" if not reduce else "mean" if size_average else "sum"
    warnings.warn(
        f"size_average and reduce args will be deprecated, please use reduction='{name}' instead.", stacklevel=3
    )
    return name
