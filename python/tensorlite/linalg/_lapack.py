"""What NumPy has not of LAPACK: factors with their pivots, and triangular systems. On stacks of matrices (*, n, m).

They call NumPy per column or per block, not per element; products do most of the work.
"""

from __future__ import annotations

import math

import numpy as np

_BLOCK = 24


def lu(a: np.ndarray, pivot: bool = True) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """getrf: (L and U in one matrix, pivots counted from 1, the first column without a pivot counted from 1 or 0)."""
    m, n = a.shape[-2:]
    k = min(m, n)
    batch = a.shape[:-2]
    if k <= _BLOCK and math.prod(batch) == 1:
        one, pivots, info = _lu_of_one(a.reshape(m, n).copy(), pivot)
        return one.reshape(a.shape), pivots.reshape(*batch, k), np.full(batch, info, np.int32)
    a = a.reshape(math.prod(batch), m, n).copy()
    pivots = np.tile(np.arange(1, k + 1, dtype=np.int32), (len(a), 1))
    info = np.zeros(len(a), np.int32)
    every = np.arange(len(a))
    with np.errstate(all="ignore"):
        for start in range(0, k, _BLOCK):
            stop = min(start + _BLOCK, k)
            for j in range(start, stop):
                if pivot:
                    # LAPACK's size of a complex number is |re| + |im|.
                    column = a[:, j:, j]
                    size = abs(column.real) + abs(column.imag) if np.iscomplexobj(a) else abs(column)
                    p = j + size.argmax(-1)
                    pivots[:, j] = p + 1
                    a[every, p], a[:, j] = a[:, j].copy(), a[every, p]
                zero = a[:, j, j] == 0
                info[zero & (info == 0)] = j + 1
                divisor = np.where(zero, 1, a[:, j, j]) if pivot else a[:, j, j]
                a[:, j + 1 :, j] /= divisor[:, None]
                a[:, j + 1 :, j + 1 : stop] -= a[:, j + 1 :, j, None] * a[:, None, j, j + 1 : stop]
            if stop < n:
                a[:, start:stop, stop:] = triangular(
                    a[:, start:stop, start:stop], a[:, start:stop, stop:], upper=False, unit=True
                )
                a[:, stop:, stop:] -= a[:, stop:, start:stop] @ a[:, start:stop, stop:]
    return a.reshape(*batch, m, n), pivots.reshape(*batch, k), info.reshape(batch)


def _lu_of_one(a: np.ndarray, pivot: bool) -> tuple[np.ndarray, np.ndarray, int]:
    """`lu` of a single small matrix, in place."""
    k, info = min(a.shape), 0
    pivots = np.arange(1, k + 1, dtype=np.int32)
    is_complex = np.iscomplexobj(a)
    with np.errstate(all="ignore"):
        for j in range(k):
            column = a[j:, j]
            if pivot:
                p = j + int((abs(column.real) + abs(column.imag) if is_complex else abs(column)).argmax())
                if p != j:
                    pivots[j] = p + 1
                    a[[j, p]] = a[[p, j]]
            below = a[j + 1 :, j]
            if a[j, j] == 0:
                info = info or j + 1
                if pivot:
                    continue
            below /= a[j, j]
            a[j + 1 :, j + 1 :] -= below[:, None] * a[j, j + 1 :]
    return a, pivots, info


def triangular(a: np.ndarray, b: np.ndarray, upper: bool, unit: bool) -> np.ndarray:
    """trtrs: X of A X = B, where A is the upper or lower triangle of `a`, by halves."""
    n = a.shape[-1]
    shape = (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), *b.shape[-2:])
    x = np.array(np.broadcast_to(b, shape), dtype=np.result_type(a, b))
    with np.errstate(all="ignore"):
        _triangular(a, x, upper, unit, 0, n)
    return x


def _triangular(a: np.ndarray, x: np.ndarray, upper: bool, unit: bool, start: int, stop: int) -> None:
    if stop - start > _BLOCK:
        middle = (start + stop) // 2
        parts = [(middle, stop), (start, middle)] if upper else [(start, middle), (middle, stop)]
        (i, j), (k, l) = parts
        _triangular(a, x, upper, unit, i, j)
        x[..., k:l, :] -= a[..., k:l, i:j] @ x[..., i:j, :]
        _triangular(a, x, upper, unit, k, l)
        return
    for i in reversed(range(start, stop)) if upper else range(start, stop):
        known = slice(i + 1, stop) if upper else slice(start, i)
        if known.start < known.stop:
            x[..., i, :] -= (a[..., i, None, known] @ x[..., known, :])[..., 0, :]
        if not unit:
            x[..., i, :] /= a[..., i, None, i]


def permutation(pivots: np.ndarray, m: int) -> np.ndarray:
    """The rows of the input in their order after the pivots' swaps: A[rows] = L U."""
    batch = pivots.shape[:-1]
    if not batch:
        order = list(range(m))
        for j, p in enumerate(pivots.tolist()):
            order[j], order[p - 1] = order[p - 1], order[j]
        return np.array(order, np.int64)
    pivots = pivots.reshape(math.prod(batch), pivots.shape[-1])
    rows = np.tile(np.arange(m), (len(pivots), 1))
    every = np.arange(len(pivots))
    for j in range(pivots.shape[-1]):
        p = pivots[:, j] - 1
        rows[every, p], rows[:, j] = rows[:, j].copy(), rows[every, p]
    return rows.reshape(*batch, m)


def minor(a: np.ndarray) -> int:
    """The order of the first leading minor of a Hermitian matrix that is not positive; 0 if all are."""
    for k in range(1, len(a) + 1):
        try:
            np.linalg.cholesky(a[:k, :k])
        except np.linalg.LinAlgError:
            return k
    return 0


def ldl(a: np.ndarray, hermitian: bool) -> tuple[np.ndarray, np.ndarray, int]:
    """sytrf of the lower triangle of one matrix (Bunch and Kaufman, 1977): (L and D in one, pivots, info).

    A pivot of two rows is marked by the negative of its number in both.
    """
    n = len(a)
    a = np.tril(a)
    pivots = np.zeros(n, np.int32)
    info = 0
    alpha = (1 + 17**0.5) / 8
    conj = np.conj if hermitian else np.asarray

    def size(x: np.ndarray) -> np.ndarray:
        return abs(x.real) + abs(x.imag) if np.iscomplexobj(x) else abs(x)

    k = 0
    while k < n:
        if hermitian:
            a[k, k] = a[k, k].real
        diagonal = size(a[k, k])
        p = k + 1 + int(size(a[k + 1 :, k]).argmax()) if k + 1 < n else k
        largest = size(a[p, k]) if k + 1 < n else 0
        step, swap = 1, k
        if max(diagonal, largest) == 0:
            info = info or k + 1
        elif diagonal < alpha * largest:
            row = max(size(a[p, k:p]).max(), size(a[p + 1 :, p]).max() if p + 1 < n else 0)
            if diagonal * row >= alpha * largest * largest:
                pass
            elif size(a[p, p]) >= alpha * row:
                swap = p
            else:
                step, swap = 2, p
        at = k + step - 1
        if swap != at:
            a[swap + 1 :, [at, swap]] = a[swap + 1 :, [swap, at]]
            between = a[at + 1 : swap, at].copy()
            a[at + 1 : swap, at], a[swap, at + 1 : swap] = conj(a[swap, at + 1 : swap]), conj(between)
            if hermitian:
                a[swap, at] = np.conj(a[swap, at])
            a[[at, swap], [at, swap]] = a[[swap, at], [swap, at]]
            if step == 2:
                a[[at, swap], k] = a[[swap, at], k]
        rest = slice(k + step, n)
        if step == 1:
            if max(diagonal, largest) != 0:
                column = a[rest, k].copy()
                a[rest, k] = column / a[k, k]
                a[rest, rest] -= np.tril(np.outer(a[rest, k], conj(column)))
            pivots[k] = swap + 1
        else:
            block = np.array([[a[k, k], conj(a[k + 1, k])], [a[k + 1, k], a[k + 1, k + 1]]])
            columns = a[rest, k : k + 2].copy()
            a[rest, k : k + 2] = columns @ np.linalg.inv(block)
            a[rest, rest] -= np.tril(a[rest, k : k + 2] @ conj(columns).T)
            pivots[k : k + 2] = -(swap + 1)
        k += step
    return a, pivots, info


def ldl_solve(ld: np.ndarray, pivots: np.ndarray, b: np.ndarray, hermitian: bool) -> np.ndarray:
    """sytrs: X of A X = B for one matrix of which `ldl` gave the factors."""
    n = len(ld)
    conj = np.conj if hermitian else np.asarray
    x = b.copy()
    steps, k = [], 0
    while k < n:
        step = 1 if pivots[k] > 0 else 2
        steps.append((k, step, k + step - 1, abs(int(pivots[k])) - 1))
        k += step
    for k, step, at, swap in steps:
        x[[at, swap]] = x[[swap, at]]
        x[k + step :] -= ld[k + step :, k : k + step] @ x[k : k + step]
        if step == 1:
            x[k] /= ld[k, k]
        else:
            block = np.array([[ld[k, k], conj(ld[k + 1, k])], [ld[k + 1, k], ld[k + 1, k + 1]]])
            x[k : k + 2] = np.linalg.solve(block, x[k : k + 2])
    for k, step, at, swap in reversed(steps):
        x[k : k + step] -= conj(ld[k + step :, k : k + step]).T @ x[k + step :]
        x[[at, swap]] = x[[swap, at]]
    return x
