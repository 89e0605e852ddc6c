"""The ``reduction`` argument of losses, old forms included."""

from __future__ import annotations

_CODES = {"none": 0, "mean": 1, "sum": 2}


def code(reduction: str) -> int:
    """How operators are told; raises ValueError if it is none of ``none``, ``mean``, ``sum``."""
    try:
        return _CODES[reduction]
    except (KeyError, TypeError):
        raise ValueError(f"{reduction} is not a valid value for reduction") from None


def legacy(size_average: bool | None, reduce: bool | None) -> str:
    """The reduction that the two old arguments mean; warns."""
    import warnings

    size_average = True if size_average is None else size_average
    reduce = True if reduce is None else reduce
    name = "none" if not reduce else "mean" if size_average else "sum"
    warnings.warn(
        f"size_average and reduce args will be deprecated, please use reduction='{name}' instead.", stacklevel=4
    )
    return name
