"""What a program is written of: the tensors that are there, and texts of numbers, tensors, shapes and indices that fit them."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import torch

FLOATS = ["float32", "float64", "float16", "bfloat16"]
INTEGERS = ["int64", "int32", "uint8", "int8", "int16"]
DTYPES = [*FLOATS, *INTEGERS, "bool", "complex64", "complex128"]
# What programs are mostly made of.
COMMON = ["float32"] * 6 + ["float64"] * 4 + ["int64"] * 3 + ["bool"] * 2 + ["complex64", "int32", "uint8", *DTYPES]
LARGEST = 600  # elements of a tensor
LIMIT = 1e4  # magnitude of a value


def shape_of(t: torch.Tensor) -> tuple[int, ...]:
    return tuple(t.shape)


def addresses(t: torch.Tensor) -> list[int]:
    """Where the elements lie, in bytes."""
    size = t.element_size()
    index = torch.zeros(t.shape, dtype=torch.int64)
    for d, (n, s) in enumerate(zip(t.shape, t.stride())):
        index += (torch.arange(n) * s).reshape([-1 if i == d else 1 for i in range(t.dim())])
    return [t.data_ptr() + i * size for i in index.reshape(-1).tolist()]


def part_of(t: torch.Tensor, index: str, space: dict[str, Any]) -> torch.Tensor:
    return eval(f"whole[{index}]", {**space, "whole": t.detach()})


def overlaps_itself(t: torch.Tensor) -> bool:
    """In a way that an operator may not see: some element's memory is another's, and no stride is 0."""
    if any(s == 0 and n > 1 for n, s in zip(t.shape, t.stride())):
        return False  # PyTorch refuses to write to it
    where = addresses(t)
    return len(set(where)) != len(where)


def may_write(target: torch.Tensor, *sources: Any) -> bool:
    """Whether what is written does not depend on the order in which elements are visited."""
    if overlaps_itself(target):
        return False
    for s in sources:
        if not isinstance(s, torch.Tensor) or not s.numel() or not target.numel():
            continue
        same = (s.data_ptr(), s.stride(), s.shape, s.dtype) == (target.data_ptr(), target.stride(), target.shape, target.dtype)
        width = max(s.element_size(), target.element_size())
        if not same and {a // width for a in addresses(s)} & {a // width for a in addresses(target)}:
            return False
    return True


class Source:
    def __init__(self, rng: random.Random, gradients: bool | None = None):
        self.rng = rng
        self.space: dict[str, Any] = {"torch": torch, "inf": float("inf"), "nan": float("nan")}
        self.lines: list[str] = []
        self.names: list[str] = []  # tensors
        self.leaves: list[str] = []  # those of them that a gradient is asked for
        self.used: set[str] = set()
        self.count = 0
        self.gradients = rng.random() < 0.6 if gradients is None else gradients
        # A program of one or two dtypes meets itself more often than one of all.
        self.dtypes = [rng.choice(COMMON) for _ in range(rng.choice([1, 2, 4]))]
        if self.gradients and not any(d in FLOATS or d.startswith("complex") for d in self.dtypes):
            self.dtypes.append(rng.choice(["float32", "float64"]))

    # ---- what is there ----

    def __getitem__(self, name: str) -> torch.Tensor:
        return self.space[name]

    def pick(self, want: Callable[[torch.Tensor], bool] = lambda t: True) -> str | None:
        """A tensor, rather a late one."""
        fit = [n for n in self.names if want(self[n])]
        if not fit:
            return None
        return fit[max(self.rng.randrange(len(fit)), self.rng.randrange(len(fit)))]

    def any(self) -> str:
        name = self.pick()
        assert name
        return name

    def chance(self, p: float) -> bool:
        return self.rng.random() < p

    def new(self, count: int = 1) -> str:
        self.count += count
        return ", ".join(f"t{self.count - count + i}" for i in range(count))

    def dim(self, t: torch.Tensor) -> int:
        """A dim of the tensor; now and then one that it has not."""
        n = t.dim()
        if self.chance(0.03):
            return self.rng.choice([n, -n - 1, n + 2])
        return self.rng.randrange(-n, n) if n else self.rng.choice([0, -1])

    def dims(self, t: torch.Tensor) -> list[int]:
        n = t.dim()
        dims = self.rng.sample(range(n), self.rng.randint(0, n)) if n else []
        return [d - n if self.chance(0.3) else d for d in dims]

    def shape(self) -> tuple[int, ...]:
        r = self.rng
        sizes = [0, 1, 1, 2, 2, 3, 3, 4, 5] if self.chance(0.2) else [1, 2, 2, 3, 3, 4, 5]
        shape = tuple(r.choice(sizes) for _ in range(r.choice([0, 1, 1, 2, 2, 2, 3, 3, 4])))
        if self.chance(0.06):
            return r.choice([(17,), (65,), (130,), (3, 70), (33, 5), (2, 9, 17), (9, 1, 40)])
        return shape

    # ---- text ----

    def number(self, t: torch.Tensor | None = None) -> str:
        kinds = ["2", "3", "-1", "0.5", "-1.5", "2.0", "1", "0"]
        if t is not None and not t.dtype.is_floating_point and not t.is_complex() and self.chance(0.7):
            kinds = ["2", "3", "-1", "1", "0"]
        if t is not None and t.is_complex() and self.chance(0.3):
            kinds = ["1j", "(0.5+2j)"]
        if self.chance(0.06) and (t is None or t.is_floating_point()):
            kinds = ["True", "False", "inf", "nan", "1j", "300", "-2.5", "1e-3"]
        return self.rng.choice(kinds)

    def literal(self, shape: tuple[int, ...], dtype: str) -> str:
        """An expression for a tensor of this shape and dtype."""
        r = self.rng
        count = 1
        for n in shape:
            count *= n
        if count > 24:
            start = r.randrange(5)
            text = f"((torch.arange({count}) + {start}) * 7 % 13 - {0 if dtype == 'uint8' else 5})"
            text += f".to(torch.{dtype})"
            if dtype in FLOATS:
                text = f"({text} / 4)"
        elif dtype == "bool":
            text = f"torch.tensor({[r.random() < 0.5 for _ in range(count)]}, dtype=torch.bool)"
        elif dtype in INTEGERS:
            low = 0 if dtype == "uint8" else -5
            text = f"torch.tensor({[r.randint(low, 6) for _ in range(count)]}, dtype=torch.{dtype})"
        elif dtype in FLOATS:
            text = f"torch.tensor({[r.randint(-12, 12) / 4 for _ in range(count)]}, dtype=torch.{dtype})"
            if count and not self.gradients and self.chance(0.06):
                text = text.replace("[" + text[text.index("[") + 1 :].split(",")[0].split("]")[0], "[" + r.choice(["nan", "inf", "-inf", "-0.0"]), 1)
        else:
            values = [complex(r.randint(-8, 8) / 4, r.randint(-8, 8) / 4) for _ in range(count)]
            text = f"torch.tensor({values}, dtype=torch.{dtype})"
        return text if len(shape) == 1 else f"{text}.reshape{shape}" if shape else f"{text}.reshape(())"

    def operand(self, t: torch.Tensor) -> str:
        """Something that broadcasts with t: a number, a tensor that is there, a new one; now and then one that does not."""
        r = self.rng
        if self.chance(0.3):
            return self.number(t)
        if self.chance(0.04):
            return self.any()

        def fits(s: torch.Tensor) -> bool:
            return all(a == b or a == 1 or b == 1 for a, b in zip(reversed(s.shape), reversed(t.shape)))

        name = self.pick(fits)
        if name and self.chance(0.75):
            return name
        shape = list(t.shape)[r.randint(0, t.dim()) :]
        shape = [1 if self.chance(0.25) else n for n in shape]
        return self.literal(tuple(shape), r.choice(self.dtypes + COMMON[:10]))

    def like(self, t: torch.Tensor) -> str:
        """Something that broadcasts to t's shape."""

        def fits(s: torch.Tensor) -> bool:
            return s.dim() <= t.dim() and all(a in (1, b) for a, b in zip(reversed(s.shape), reversed(t.shape)))

        name = self.pick(fits)
        if name and self.chance(0.7):
            return name
        shape = [1 if self.chance(0.25) else n for n in list(t.shape)[self.rng.randint(0, t.dim()) :]]
        return self.literal(tuple(shape), self.rng.choice(self.dtypes))

    def factors(self, count: int) -> list[int]:
        """A shape with so many elements."""
        r, sizes = self.rng, []
        if count == 0:
            return r.choice([[0], [0, 3], [2, 0], [1, 0, 2]])
        while count > 1 and len(sizes) < 4:
            n = r.choice([k for k in range(2, count + 1) if count % k == 0])
            sizes.append(n)
            count //= n
        sizes += [count] if count > 1 else []
        for _ in range(r.choice([0, 0, 0, 1, 2])):
            sizes.insert(r.randint(0, len(sizes)), 1)
        if self.chance(0.25) and sizes:
            sizes[r.randrange(len(sizes))] = -1
        if self.chance(0.03):
            sizes.append(r.choice([2, -1, -2]))
        return sizes

    def index(self, t: torch.Tensor) -> str:
        """What stands between brackets."""
        r = self.rng
        if self.chance(0.05):
            mask = self.pick(lambda m: m.dtype == torch.bool and m.shape == t.shape)
            if mask:
                return mask
        basic = self.chance(0.5)
        items: list[str] = []
        left = t.dim()
        d = 0
        sizes = list(t.shape)
        rows = r.choice([[2], [3], [1], [2, 2], [0], [1, 2], []])
        while d < left and not (items and self.chance(0.25)):
            n = sizes[d]
            k = r.random()
            if k < 0.12:
                items.append("None")
                continue
            if k < 0.22 and "..." not in items:
                items.append("...")
                d += r.randint(0, left - d)  # what follows is meant for the last dims
                continue
            if k < 0.42:
                items.append(str(r.randrange(-n, n) if n and not self.chance(0.02) else r.choice([n, -n - 1])))
            elif k < 0.7 or basic:
                items.append(self.slice(n))
            elif k < 0.85:
                items.append(self.integers(n, r.choice([rows, rows, rows, [1]])))
            elif k < 0.92 and n:
                span = r.randint(1, min(2, left - d))
                shape = tuple(sizes[d : d + span])
                mask = self.pick(lambda m, shape=shape: m.dtype == torch.bool and shape_of(m) == shape)
                items.append(mask if mask and self.chance(0.5) else self.literal(shape, "bool"))
                d += span - 1
            elif k < 0.97 and n:
                items.append(f"torch.tensor({r.randrange(-n, n)})")
            else:
                items.append(r.choice(["True", "False", "None"]))
            d += 1
        if self.chance(0.04):
            items.append(r.choice(["0", ":", "None", "...", "1.0", "'a'"]))
        return ", ".join(items) or "..."

    def slice(self, n: int) -> str:
        r = self.rng

        def bound() -> str:
            return "" if self.chance(0.35) else str(r.randint(-n - 1, n + 1))

        step = r.choice(["", "", "", ":2", ":3", ":1", ":"])
        if self.chance(0.01):
            step = r.choice([":-1", ":0"])
        return f"{bound()}:{bound()}{step}"

    def integers(self, n: int, shape: list[int], low: bool = True) -> str:
        """Positions along a dim of n elements, as a tensor or nested lists."""
        r = self.rng
        count = 1
        for k in shape:
            count *= k
        if n == 0:
            count, shape = 0, [0]
        values = [r.randrange(-n if low else 0, n) for _ in range(count)]
        if values and self.chance(0.02):
            values[0] = n
        if len(shape) == 1 and self.chance(0.4) and values:
            return str(values)
        if not shape:
            return str(values[0])
        dtype = ", dtype=torch.int64" if not values else r.choice(["", "", "", ", dtype=torch.int32", ", dtype=torch.uint8" if min(values) >= 0 else ""])
        text = f"torch.tensor({values}{dtype})"
        return text if len(shape) == 1 else f"{text}.reshape{tuple(shape)}"
