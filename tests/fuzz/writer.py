"""Draws random programs. A writer runs each line on PyTorch as it writes it, so that the next one fits what is there."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from typing import Any

import torch

from .lockstep import execute, largest

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


class Writer:
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
        if self.chance(0.06):
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
            if count and self.chance(0.04):
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
                mask = self.pick(lambda m: m.dtype == torch.bool and shape_of(m) == shape)
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

    # ---- steps: each gives the text of a line, or None when there is nothing to do it with ----

    def leaf(self) -> str:
        dtype = self.rng.choice(self.dtypes)
        text = self.literal(self.shape(), dtype)
        name = self.new()
        layout = self.rng.choice(["", "", "", ".T.contiguous().T" if text.count(",") > 3 else "", "[::2]"])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            t = eval(text, self.space)
        if layout == "[::2]" and not t.dim():
            layout = ""
        if layout.startswith(".T"):
            layout = ".mT.contiguous().mT" if t.dim() >= 2 else ""
        if (t.is_floating_point() or t.is_complex()) and self.gradients and self.chance(0.7):
            self.leaves.append(name)
            if layout:
                layout += ".detach()"
            layout += ".requires_grad_()"
        return f"{name} = {text}{layout}"

    def view(self) -> str | None:
        r, x = self.rng, self.any()
        t = self[x]
        n = t.dim()
        kind = r.randrange(30)
        if kind == 0:
            return f"{self.new()} = {x}.view({', '.join(map(str, self.factors(t.numel())))})" if t.numel() > 1 else None
        if kind == 1:
            return f"{self.new()} = {x}.reshape({tuple(self.factors(t.numel()))})"
        if kind == 2:
            return f"{self.new()} = {x}.{r.choice(['transpose', 'swapaxes', 'swapdims'])}({self.dim(t)}, {self.dim(t)})"
        if kind == 3:
            order = r.sample(range(n), n)
            return f"{self.new()} = {x}.permute({tuple(d - n if self.chance(0.2) else d for d in order)})"
        if kind == 4:
            return f"{self.new()} = {x}.{r.choice(['T', 'mT']) if n == 2 or self.chance(0.1) else 't()' if n < 2 or self.chance(0.1) else 'mT'}"
        if kind == 5:
            return f"{self.new()} = {x}.unsqueeze({r.randint(-n - 1, n)})" if n < 5 else None
        if kind == 6:
            return f"{self.new()} = {x}.squeeze({r.choice(['', str(self.dim(t)), str(tuple(self.dims(t)))])})"
        if kind in (7, 8):
            shape = [r.choice([2, 3]) if k == 1 and self.chance(0.6) else -1 if self.chance(0.2) else k for k in t.shape]
            front = [r.choice([1, 2, 0, 3])] if self.chance(0.3) else []
            how = r.choice(["expand", "expand", "broadcast_to"])
            return f"{self.new()} = {x}.{how}({tuple(front + shape)})"
        if kind == 9 and n:
            d = r.randrange(n)
            size = r.randint(1, max(1, t.shape[d]))
            return f"{self.new()} = {x}.unfold({d}, {size}, {r.randint(1, 3)})"
        if kind == 10 and n >= 2:
            a, b = r.sample(range(n), 2)
            return f"{self.new()} = {x}.diagonal({r.randint(-2, 2)}, {a}, {b - n})"
        if kind == 11:
            return self.as_strided(x)
        if kind == 12 and n:
            d = r.randrange(n)
            start = r.randint(0, t.shape[d])
            return f"{self.new()} = {x}.narrow({d}, {start}, {r.randint(0, t.shape[d] - start)})"
        if kind == 13 and n:
            d = r.randrange(n)
            k = t.shape[d]
            return f"{self.new()} = {x}.select({d}, {r.randrange(-k, k) if k else 0})"
        if kind == 14 and n:
            return self.pieces(x)
        if kind == 15:
            wide = r.choice(["float32", "int32", "int64", "uint8", "float64", "int16", "bool", "complex64", "float16"])
            return f"{self.new()} = {x}.view(torch.{wide})"
        if kind == 16 and t.is_complex():
            return f"{self.new()} = {r.choice([f'{x}.real', f'{x}.imag', f'torch.view_as_real({x})'])}"
        if kind == 17 and t.is_floating_point() and n and t.shape[-1] == 2:
            return f"{self.new()} = torch.view_as_complex({x})"
        if kind == 18:
            return f"{self.new()} = {x}.detach()"
        if kind == 19:
            return f"{self.new()} = {x}.flatten({', '.join(map(str, sorted(self.dims(t))[:2]))})"
        if kind == 20:
            return f"{self.new()} = torch.movedim({x}, {self.dim(t)}, {self.dim(t)})"
        if kind == 21:
            y = self.pick(lambda s: s.numel() == t.numel())
            return f"{self.new()} = {x}.{r.choice(['view_as', 'reshape_as'])}({y})"
        if kind == 22:
            y = self.pick(lambda s: s.dim() >= n and all(a in (1, b) for a, b in zip(reversed(t.shape), reversed(s.shape))))
            return f"{self.new()} = {x}.expand_as({y})"
        if kind == 23:
            return f"{self.new()} = torch.atleast_{r.choice('123')}d({x})"
        if kind == 24 and n:
            d = r.randrange(n)
            return f"{self.new()} = {x}.unflatten({d}, {tuple(self.factors(t.shape[d]))})"
        if kind == 25:
            return f"{self.new()} = {x}.{r.choice(['contiguous()', 'ravel()', 'adjoint()' if n > 1 and not t.is_complex() else 'ravel()', 'view(-1)', 'reshape(-1)'])}"
        return f"{self.new()} = {x}[{self.index(t)}]"

    def as_strided(self, x: str) -> str | None:
        r, t = self.rng, self[x]
        room = t.untyped_storage().nbytes() // t.element_size()
        if not room:
            return None
        shape, strides, last = [], [], 0
        for _ in range(r.randint(0, 3)):
            size, stride = r.randint(1, 4), r.choice([0, 1, 1, 2, 3, 4])
            if last + (size - 1) * stride < room:
                shape.append(size)
                strides.append(stride)
                last += (size - 1) * stride
        offset = r.randint(0, room - 1 - last)
        return f"{self.new()} = {x}.as_strided({tuple(shape)}, {tuple(strides)}, {offset})"

    def pieces(self, x: str) -> str | None:
        r, t = self.rng, self[x]
        d = r.randrange(t.dim())
        n = t.shape[d]
        how = r.choice(["split", "split", "sizes", "chunk", "unbind", "tensor_split", "indices"])
        if how == "unbind":
            call = f"{x}.unbind({d})"
        elif how == "sizes":
            first = r.randint(0, n)
            call = f"torch.split({x}, [{first}, {n - first}], {d})"
        elif how == "indices":
            call = f"torch.tensor_split({x}, ({r.randint(0, n)}, {r.randint(0, n)}), {d})"
        else:
            call = f"{x}.{how}({r.randint(1, 3)}, dim={d})"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                count = len(eval(call, self.space))
        except Exception:
            return call
        if not 1 <= count <= 4:
            return None
        return f"{self.new(count)}{',' if count == 1 else ''} = {call}"

    def write(self) -> str | None:
        """An in-place operator."""
        r = self.rng
        x = self.pick(lambda s: not s.is_leaf or not s.requires_grad) if self.chance(0.93) else self.any()
        if x is None:
            return None
        t = self[x]
        kind = r.randrange(26)
        n = t.dim()
        if overlaps_itself(t):
            return None
        if kind < 6:
            other = self.like(t) if self.chance(0.6) else self.number(t)
            how = r.choice(["add_", "mul_", "sub_", "copy_", "+=", "*=", "-=", "div_", "fmod_", "remainder_", "maximum", "pow_", "logical_and_", "eq_", "lt_", "atan2_"])
            value = eval(other, self.space)
            if not may_write(t, value):
                return None
            if how == "pow_":
                return f"{x}.pow_(2)"
            if how in ("fmod_", "remainder_", "div_"):
                divisor = torch.as_tensor(value)
                if bool((divisor == 0).any()):
                    return None
                how = how if not divisor.is_complex() else "div_"
            if how == "copy_" and not isinstance(value, torch.Tensor):
                how = "fill_"
            if how == "copy_" and not self.convertible(value, t.dtype):
                return None
            if how == "maximum":
                return f"{x}.clamp_({r.choice(['', 'min='])}{self.number(t)})"
            if how in ("logical_and_", "eq_", "lt_", "atan2_") and isinstance(value, torch.Tensor) and value.is_complex():
                return None
            if how in ("+=", "*=", "-="):
                return f"{x} {how} {other}"
            alpha = f", alpha={r.choice(['2', '-1', '0.5'])}" if how in ("add_", "sub_") and self.chance(0.2) else ""
            return f"{x}.{how}({other}{alpha})"
        if kind == 6:
            return f"{x}.{r.choice(['zero_()', f'fill_({self.number(t)})'])}"
        if kind == 7:
            mask = self.pick(lambda m: m.dtype == torch.bool and self.broadcasts_to(m, t))
            mask = mask if mask and may_write(t, self[mask]) else f"({x} > {self.number(t)})" if not t.is_complex() else None
            return mask and f"{x}.masked_fill_({mask}, {self.number(t)})"
        if kind < 13:
            return self.set_item(x)
        if kind == 13 and n:
            return self.along(x)
        if kind == 14 and n:
            d = r.randrange(n)
            k = t.shape[d]
            if not k:
                return None
            rows = r.sample(range(k), r.randint(1, k))
            index = f"torch.tensor({rows})"
            shape = list(t.shape)
            shape[d] = len(rows)
            source = self.literal(tuple(shape), str(t.dtype)[6:])
            how = r.choice(["index_add_", "index_copy_", "index_fill_"])
            return f"{x}.index_fill_({d}, {index}, {self.number(t)})" if how == "index_fill_" else f"{x}.{how}({d}, {index}, {source})"
        if kind == 15:
            how = r.choice("tanh_ sin_ sigmoid_ exp_ neg_ abs_ relu_ floor_ square_ sign_ cos_ round_ trunc_ reciprocal_ nan_to_num_ logical_not_ frac_ ceil_ sqrt_ log1p_ sgn_ erf_ asinh_".split())
            return f"{x}.{how}()"
        if kind == 16:
            return f"{x}.{r.choice(['tril_', 'triu_'])}({r.randint(-1, 1)})"
        if kind == 17:
            call = r.choice([f"unsqueeze_({r.randint(0, n)})", "squeeze_()", f"transpose_({self.dim(t)}, {self.dim(t)})", "t_()", "detach_()", f"swapaxes_({self.dim(t)}, {self.dim(t)})"])
            return f"{x}.{call}" if n < 5 else None
        if kind == 18:
            y, z = self.like(t), self.like(t)
            values = eval(y, self.space), eval(z, self.space)
            if not may_write(t, *values):
                return None
            how = r.choice(["addcmul_", "lerp_", "addcdiv_"])
            if how == "addcdiv_" and bool((values[1] == 0).any()):
                return None
            return f"{x}.{how}({y}, {z}{', value=0.5' if how != 'lerp_' and self.chance(0.3) else ''})"
        if kind == 19 and n:
            return f"{x}.{r.choice(['cumsum_', 'cumprod_'])}({self.dim(t)})"
        if kind == 20 and self.gradients:
            return f"{x}.requires_grad_()" if (t.is_floating_point() and not t.requires_grad) or self.chance(0.1) else None
        if kind == 21:
            return f"{x}.data.{r.choice(['mul_(2)', 'add_(1)', 'zero_()', 'neg_()'])}"
        if kind == 22:
            count = int(torch.zeros(()).item()) + t.numel()
            return f"{x}.masked_scatter_({self.literal(shape_of(t), 'bool')}, {self.literal((count + 1,), str(t.dtype)[6:])})"
        if kind == 23:
            # out= into what is there
            y = self.pick(lambda s: s.shape == t.shape and s.dtype == t.dtype)
            if y is None or not may_write(t, self[y]):
                return None
            how = r.choice([f"torch.add({y}, {self.number(t)}, out={x})", f"torch.mul({y}, {y}, out={x})", f"torch.neg({y}, out={x})", f"torch.cat([{y}], out={x})"])
            return how
        if kind == 24 and t.numel():
            k = t.numel()
            rows = r.sample(range(k), r.randint(1, min(3, k)))
            return f"{x}.put_(torch.tensor({rows}), {self.literal((len(rows),), str(t.dtype)[6:])}{', accumulate=True' if self.chance(0.4) else ''})"
        return f"with torch.no_grad(): {x}.{r.choice(['mul_', 'add_', 'sub_'])}({self.number(t)})"

    @staticmethod
    def broadcasts_to(s: torch.Tensor, t: torch.Tensor) -> bool:
        return s.dim() <= t.dim() and all(a in (1, b) for a, b in zip(reversed(s.shape), reversed(t.shape)))

    @staticmethod
    def convertible(value: Any, dtype: torch.dtype) -> bool:
        """Whether C++ says what the conversion gives."""
        if not isinstance(value, torch.Tensor) or dtype.is_floating_point or dtype.is_complex or dtype == torch.bool:
            return True
        v = value.detach()
        if not v.is_floating_point() and not v.is_complex():
            return True
        v = (v.real if v.is_complex() else v).double()
        low = 0 if dtype == torch.uint8 else -100
        return bool((v.isfinite() & (v >= low) & (v <= 100)).all())

    def set_item(self, x: str) -> str | None:
        t = self[x]
        index = self.index(t)
        where = torch.arange(t.numel()).reshape(t.shape)
        try:
            part = eval(f"where[{index}]", {**self.space, "where": where})
        except Exception:
            return f"{x}[{index}] = {self.number(t)}"
        if part.unique().numel() != part.numel() or self.chance(0.3):
            return f"{x}[{index}] = {self.number(t)}"
        shape = list(part.shape)[self.rng.randint(0, part.dim()) :]
        value = self.pick(lambda s: self.broadcasts_to(s, part)) if self.chance(0.6) else None
        value = value or self.literal(tuple(shape), self.rng.choice(self.dtypes))
        v = eval(value, self.space)
        if not may_write(t, v) or not self.convertible(v, t.dtype):
            return None
        how = self.rng.random()
        if how < 0.15 and v.dtype == t.dtype:
            return f"{x}[{index}] {self.rng.choice(['+=', '*=', '-='])} {value}"
        if how < 0.25 and "torch.tensor" in index and not any(c in index for c in (":", "None", "...", "True", "False")):
            return f"{x}.index_put_(({index},), {value}{', accumulate=True' if self.chance(0.5) else ''})"
        return f"{x}[{index}] = {value}"

    def along(self, x: str) -> str | None:
        """scatter_ and its relatives, each element written once or added."""
        r, t = self.rng, self[x]
        d = r.randrange(t.dim())
        if not all(t.shape):
            return None
        sizes = [r.randint(1, k) for k in t.shape]
        how = r.choice(["scatter_", "scatter_add_", "scatter_value", "reduce"])
        lanes = 1
        for i, k in enumerate(sizes):
            lanes *= k if i != d else 1
        columns = [r.sample(range(t.shape[d]), sizes[d]) for _ in range(lanes)]
        order = [sizes[d], *(k for i, k in enumerate(sizes) if i != d)]
        flat = [columns[j][i] for i in range(sizes[d]) for j in range(lanes)]
        index = f"torch.tensor({flat}).reshape({tuple(order)}).movedim(0, {d})"
        source = self.literal(tuple(sizes), str(t.dtype)[6:])
        if how == "scatter_value":
            return f"{x}.scatter_({d}, {index}, {self.number(t)})"
        if how == "reduce":
            which = r.choice(["sum", "prod", "amax", "amin", "mean"])
            return f"{x}.scatter_reduce_({d}, {index}, {source}, '{which}'{r.choice(['', ', include_self=False'])})" if not t.is_complex() else None
        return f"{x}.{how}({d}, {index}, {source})"

    def binary(self) -> str | None:
        r, x = self.rng, self.any()
        t = self[x]
        y = self.operand(t)
        value = eval(y, self.space)
        divisor = torch.as_tensor(value)
        how = r.choice(
            "+ - * / + - * + * // % ** < <= == != > >= & | ^ add sub mul maximum minimum fmax fmin atan2 fmod where "
            "logical_and logical_or logical_xor floor_divide remainder hypot logaddexp rsub addcmul lerp true_divide clamp "
            "heaviside copysign xlogy bitwise_and dist isclose nextafter << gcd ldexp".split()
        )
        if how in ("//", "%", "fmod", "floor_divide", "remainder") and bool((divisor == 0).any()):
            return None
        if how == "**":
            if isinstance(value, torch.Tensor) or value not in (2, 3, 0.5, 2.0, 1, 0, -1):
                return f"{self.new()} = {x} ** {r.choice(['2', '3', '0.5', '2.0', '0'])}"
            if value == -1 and not t.is_floating_point():
                return None
        if how == "<<":
            return f"{self.new()} = {x} {r.choice(['<<', '>>'])} {r.choice(['1', '2'])}" if not t.is_floating_point() else None
        if how in ("add", "sub", "rsub") and self.chance(0.3):
            return f"{self.new()} = torch.{how}({x}, {y}, alpha={r.choice(['2', '-1', '0.5', '3'])})"
        if how == "where":
            mask = self.pick(lambda m: m.dtype == torch.bool)
            return f"{self.new()} = torch.where({mask or f'{x} == {x}'}, {x}, {y})"
        if how == "addcmul":
            return f"{self.new()} = torch.addcmul({x}, {self.like(t)}, {self.like(t)}, value={r.choice(['2', '0.5'])})"
        if how == "lerp":
            return f"{self.new()} = torch.lerp({x}, {self.like(t)}, {r.choice(['0.25', '0.75', self.like(t)])})"
        if how == "clamp":
            low, high = r.choice([("-1", "1"), ("None", "0.5"), ("0", "None"), ("2", "1"), (y, "None")])
            return f"{self.new()} = torch.clamp({x}, {low}, {high})"
        if how in ("nextafter", "dist", "ldexp") or (how == "heaviside" and not isinstance(value, torch.Tensor)):
            return None
        if not how[0].isalpha():
            if self.chance(0.2) and not isinstance(value, torch.Tensor) and not (how in ("//", "%", "/", "**") and bool((t == 0).any())):
                return f"{self.new()} = {y} {how} {x}" if how != "**" else f"{self.new()} = 2 ** {x}"
            return f"{self.new()} = {x} {how} {y}"
        if self.chance(0.5):
            return f"{self.new()} = {x}.{how}({y})" if how != "rsub" else f"{self.new()} = torch.rsub({x}, {y})"
        return f"{self.new()} = torch.{how}({x}, {y})"

    def unary(self) -> str | None:
        r, x = self.rng, self.any()
        t = self[x]
        how = r.choice(
            "neg abs sin cos tanh exp sqrt sigmoid relu square floor ceil round trunc sign reciprocal log1p isnan isinf isfinite clone "
            "contiguous logical_not expm1 log log2 erf frac rsqrt sgn asin atan sinh to to to float double long bool half int "
            "tril triu flip roll cumsum cumprod rot90 diag_embed repeat tile repeat_interleave nan_to_num softmax log_softmax "
            "logcumsumexp positive bitwise_not type zeros_like ones_like full_like empty_like new_zeros deg2rad angle diff "
            "leaky_relu gelu silu softplus elu hardtanh fliplr diag cummax cummin renorm atleast conj digamma".split()
        )
        d = self.dim(t)
        nothing = self.new
        if how in ("to", "type"):
            target = r.choice(self.dtypes + DTYPES)
            return f"{nothing()} = {x}.{how}(torch.{target})" if self.convertible(t, getattr(torch, target)) else None
        if how in ("long", "int"):
            return f"{nothing()} = {x}.{how}()" if self.convertible(t, torch.int64) else None
        if how in ("tril", "triu"):
            return f"{nothing()} = {x}.{how}({r.randint(-1, 1)})"
        if how == "flip":
            return f"{nothing()} = {x}.flip({tuple(self.dims(t))})"
        if how == "roll":
            return f"{nothing()} = {x}.roll({r.randint(-2, 3)}{f', {d}' if self.chance(0.7) else ''})"
        if how in ("cumsum", "cumprod", "logcumsumexp", "softmax", "log_softmax", "diff"):
            dtype = f", dtype=torch.{r.choice(['float64', 'float32', 'int64'])}" if self.chance(0.15) and how in ("cumsum", "cumprod", "softmax") else ""
            return f"{nothing()} = {x}.{how}({'dim=' if how == 'diff' else ''}{d}{dtype})"
        if how in ("cummax", "cummin"):
            return f"{nothing()}, {nothing()} = {x}.{how}({d})"
        if how == "rot90":
            return f"{nothing()} = torch.rot90({x}, {r.randint(-2, 3)})" if t.dim() >= 2 else None
        if how in ("diag_embed", "fliplr", "diag"):
            return f"{nothing()} = torch.{how}({x})" if t.dim() in (1, 2) else None
        if how in ("repeat", "tile"):
            return f"{nothing()} = {x}.{how}({tuple(r.choice([1, 2, 1, 3, 0]) for _ in range(r.randint(t.dim(), t.dim() + 1)))})"
        if how == "repeat_interleave":
            return f"{nothing()} = {x}.repeat_interleave({r.choice(['2', f'2, dim={d}', '1', '0'])})"
        if how == "full_like":
            return f"{nothing()} = torch.full_like({x}, {self.number(t)})"
        if how == "empty_like":
            return f"{nothing()} = torch.empty_like({x}).fill_({self.number(t)})"
        if how == "new_zeros":
            return f"{nothing()} = {x}.new_{r.choice(['zeros', 'ones'])}({self.shape()})"
        if how in ("leaky_relu", "gelu", "silu", "softplus", "elu", "hardtanh"):
            return f"{nothing()} = torch.nn.functional.{how}({x})"
        if how in ("renorm", "atleast", "digamma", "angle", "deg2rad"):
            return None
        if how == "conj":
            return f"{nothing()} = {x}.conj() * 1" if t.is_complex() else f"{nothing()} = {x}.conj()"
        return f"{nothing()} = {x}.{how}()"

    def reduction(self) -> str | None:
        r, x = self.rng, self.any()
        t = self[x]
        how = r.choice(
            "sum sum mean prod max min amax amin argmax argmin any all std var norm logsumexp median nansum count_nonzero "
            "sum mean max_dim min_dim median_dim var_mean aminmax nanmean mode sort argsort topk kthvalue unique cumsum "
            "max_other quantile trace vector_norm msort bincount".split()
        )
        keep = r.choice(["", "", ", keepdim=True"])
        dims = self.dims(t)
        d = r.choice([str(self.dim(t)), str(tuple(dims)), str(self.dim(t)), str(dims)])
        one = str(self.dim(t))
        dtype = f", dtype=torch.{r.choice(['float64', 'int64', 'float32'])}" if self.chance(0.1) else ""
        if dtype.endswith("int64") and not self.convertible(t, torch.int64):
            dtype = ""
        if how in ("sum", "mean", "nansum", "nanmean"):
            return f"{self.new()} = {x}.{how}({r.choice(['', d + keep])}{dtype})".replace("(, ", "(")
        if how == "prod":
            return f"{self.new()} = {x}.prod({r.choice(['', one + keep])}{dtype})".replace("(, ", "(")
        if how in ("max", "min", "median", "argmax", "argmin", "any", "all", "count_nonzero", "mode", "trace"):
            if how == "mode":
                return None
            inside = r.choice(["", one + (keep if how in ("argmax", "argmin", "any", "all") else "")]) if how in ("argmax", "argmin", "any", "all", "count_nonzero") else ""
            return f"{self.new()} = torch.{how}({x}{', ' * bool(inside)}{inside})"
        if how in ("amax", "amin"):
            return f"{self.new()} = {x}.{how}({d}{keep})"
        if how in ("max_dim", "min_dim", "median_dim"):
            return f"{self.new(2)} = {x}.{how[:-4]}({one}{keep})"
        if how in ("std", "var"):
            more = r.choice(["", ", unbiased=False", ", correction=0"]) + keep
            return f"{self.new()} = {x}.{how}({r.choice(['', d + more])})"
        if how == "var_mean":
            return f"{self.new(2)} = torch.{r.choice(['var_mean', 'std_mean'])}({x}, dim={d}{keep})"
        if how == "norm":
            return f"{self.new()} = {x}.norm({r.choice(['', '1', '2, ' + one, 'inf', '3', f'dim={one}'])})"
        if how == "vector_norm":
            return None
        if how == "logsumexp":
            return f"{self.new()} = {x}.logsumexp({d}{keep})"
        if how == "aminmax":
            return f"{self.new(2)} = torch.aminmax({x}{r.choice(['', ', dim=' + one])})"
        if how in ("sort", "topk", "kthvalue"):
            if how != "sort" and t.dim() and t.numel():
                size = t.shape[int(one)] if -t.dim() <= int(one) < t.dim() else 1
                values = t.detach().reshape(-1)
                if values.unique().numel() != values.numel():
                    return None  # which of equal elements comes first is not said
                k = r.randint(1, max(1, size))
                return f"{self.new(2)} = {x}.{how}({k}, {one})"
            return f"{self.new(2)} = {x}.sort({one}, {r.choice(['True', 'False'])}, stable=True)" if False else f"{self.new(2)} = torch.sort({x}, stable=True, dim={one}, descending={r.choice(['True', 'False'])})"
        if how == "argsort":
            return f"{self.new()} = torch.argsort({x}, dim={one}, stable=True)"
        if how == "msort":
            return f"{self.new()} = torch.msort({x})" if t.dim() else None
        if how == "unique":
            return f"{self.new(3)} = torch.unique({x}, return_inverse=True, return_counts=True)"
        if how == "cumsum":
            return f"{self.new()} = torch.cumsum({x}, {one})"
        if how == "max_other":
            y = self.pick(lambda s: self.broadcasts_to(s, t))
            return f"{self.new()} = torch.{r.choice(['max', 'min'])}({x}, {y})"
        if how == "quantile":
            return f"{self.new()} = torch.quantile({x}, {r.choice(['0.5', '0.25', 'torch.tensor([0.1, 0.9], dtype=' + x + '.dtype)'])}{r.choice(['', ', dim=' + one])})" if t.numel() else None
        if how == "bincount":
            return f"{self.new()} = torch.bincount({x})" if not t.is_floating_point() and t.dim() == 1 and largest(t) < 50 else None
        return None

    def indexing(self) -> str | None:
        r, x = self.rng, self.any()
        t = self[x]
        n = t.dim()
        kind = r.randrange(14)
        if kind < 6:
            return f"{self.new()} = {x}[{self.index(t)}]"
        d = r.randrange(n) if n else 0
        k = t.shape[d] if n else 1
        if kind == 6:
            return f"{self.new()} = {x}.index_select({d}, {self.integers(k, [r.randint(0, 4)], low=False).replace('[', 'torch.tensor([', 1).replace(']', '])', 1) if False else self.positions(k)})"
        if kind == 7 and n and all(t.shape):
            shape = [r.randint(1, s) for s in t.shape]
            shape[d] = r.randint(1, 4)
            count = 1
            for s in shape:
                count *= s
            return f"{self.new()} = {x}.gather({d}, torch.tensor({[r.randrange(k) for _ in range(count)]}).reshape({tuple(shape)}))"
        if kind == 8 and t.numel():
            return f"{self.new()} = {x}.take({self.positions(t.numel())})"
        if kind == 9:
            mask = self.pick(lambda m: m.dtype == torch.bool)
            return f"{self.new()} = torch.masked_select({x}, {mask or self.literal(shape_of(t), 'bool')})"
        if kind == 10:
            return f"{self.new()} = {r.choice([f'{x}.nonzero()', f'torch.argwhere({x})', f'torch.nonzero({x})'])}"
        if kind == 11:
            mask = self.pick(lambda m: m.dtype == torch.bool and self.broadcasts_to(m, t))
            return f"{self.new()} = {x}.masked_fill({mask or self.literal(shape_of(t), 'bool')}, {self.number(t)})"
        if kind == 12 and n and k:
            return f"{self.new()} = {x}.index_fill({d}, {self.positions(k)}, {self.number(t)})"
        if kind == 13 and n and t.numel():
            return f"{self.new()} = torch.take_along_dim({x}, {x}.argsort(dim={d}, stable=True), {d})" if not t.is_complex() else None
        return None

    def positions(self, n: int) -> str:
        values = [self.rng.randrange(n) for _ in range(self.rng.randint(0, 4))] if n else []
        return f"torch.tensor({values}, dtype=torch.{self.rng.choice(['int64', 'int64', 'int32'])})"

    def joining(self) -> str | None:
        r, x = self.rng, self.any()
        t = self[x]
        y = self.pick(lambda s: s.dim() == t.dim() and s.shape[1:] == t.shape[1:]) or x
        z = self.pick(lambda s: s.shape == t.shape) or x
        how = r.choice(["cat", "cat", "stack", "hstack", "vstack", "dstack", "concat", "meshgrid", "cat_any", "block", "cartesian"])
        if how in ("cat", "concat"):
            return f"{self.new()} = torch.{how}([{x}, {y}{r.choice(['', ', ' + z])}]{r.choice(['', ', 0', ', dim=0'])})"
        if how == "cat_any":
            return f"{self.new()} = torch.cat(({x}, {z}), {self.dim(t)})"
        if how == "stack":
            return f"{self.new()} = torch.stack([{x}, {z}], {r.randint(-t.dim() - 1, t.dim())})"
        if how == "meshgrid":
            a, b = self.pick(lambda s: s.dim() <= 1), self.pick(lambda s: s.dim() <= 1)
            return f"{self.new(2)} = torch.meshgrid({a}, {b}, indexing='{r.choice(['ij', 'xy'])}')" if a and b else None
        if how in ("block", "cartesian"):
            return None
        return f"{self.new()} = torch.{how}(({x}, {z}))"

    def product(self) -> str | None:
        r = self.rng
        x = self.pick(lambda s: s.dim() >= 1)
        if x is None:
            return None
        t = self[x]
        k = t.shape[-1]
        if t.dtype == torch.bool or t.numel() > 200:
            return None

        def chained(s: torch.Tensor) -> bool:
            return s.dim() > 0 and s.dtype == t.dtype and s.shape[0 if s.dim() == 1 else -2] == k

        y = self.pick(chained) if self.chance(0.6) else None
        if y is None:
            shape = r.choice([(k,), (k, 2), (k, 3), (1, k, 2)])
            y = self.literal(shape, str(t.dtype)[6:])
        s = eval(y, self.space)
        options = [f"{x} @ {y}", f"torch.matmul({x}, {y})"]
        if t.dim() == 2 and s.dim() == 2:
            options += [f"torch.mm({x}, {y})", f"torch.einsum('ij,jk->ki', {x}, {y})", f"torch.addmm({self.literal((s.shape[1],), str(t.dtype)[6:])}, {x}, {y}, beta=2)", f"torch.tensordot({x}, {y}, 1)"]
        if t.dim() == 2 and s.dim() == 1:
            options += [f"torch.mv({x}, {y})"]
        if t.dim() == 1 and s.dim() == 1:
            options += [f"torch.dot({x}, {y})", f"torch.outer({x}, {y})", f"torch.inner({x}, {y})"]
        if t.dim() == 3 and s.dim() == 3:
            options += [f"torch.bmm({x}, {y})"]
        return f"{self.new()} = {r.choice(options)}"

    def question(self) -> str | None:
        r, x = self.rng, self.any()
        t = self[x]
        name = f"r{len(self.lines)}"
        options = [
            f"repr({x})", f"{x}.tolist()", f"{x}.item()", f"bool({x})", f"len({x})", f"torch.equal({x}, {self.any()})",
            f"str(torch.result_type({x}, {self.operand(t)}).itemsize)", f"{x}.is_contiguous()", f"float({x})", f"{x}.is_floating_point()",
            f"torch.can_cast({x}.dtype, {self.any()}.dtype)", f"{x}.nelement()", f"{x}.is_complex()", f"{x}.shape[0]", f"torch.allclose({x}, {self.any()})",
            f"{self.number()} in {x}", f"f'{{{x}}}'", f"int({x})", f"torch.broadcast_shapes({x}.shape, {self.any()}.shape) == ()", f"[len(v) for v in {x}]",
        ]  # fmt: skip
        text = r.choice(options)
        if text.startswith(("int(", "float(")) and (t.numel() != 1 or not self.convertible(t, torch.int64)):
            return None
        return f"{name} = {text}"

    def autograd(self) -> str | None:
        if not self.gradients:
            return None
        r = self.rng
        x = self.pick(lambda s: s.requires_grad)
        if x is None:
            return None
        t = self[x]
        kind = r.randrange(8)
        if kind == 0 and not t.is_leaf:
            return f"{x}.retain_grad()"
        if kind == 1:
            return f"{x}.{'sum()' if t.is_floating_point() else 'real.sum()'}.backward({r.choice(['', 'retain_graph=True', 'retain_graph=True'])})"
        if kind == 2:
            return f"{x}.backward({self.literal(shape_of(t), str(t.dtype)[6:])}, retain_graph=True)"
        if kind == 3:
            return f"with torch.no_grad(): {self.new()} = {x}[{self.index(t)}]"
        if kind == 4:
            return f"{x}.register_hook(lambda g: g * 2)"
        if kind == 5:
            y = self.pick(lambda s: s.requires_grad)
            return f"g{len(self.lines)} = torch.autograd.grad({x}, {y}, torch.ones_like({x}), retain_graph=True, allow_unused=True)"
        if kind == 6:
            return f"with torch.no_grad(): {self.new()} = {x} * 2"
        return f"{x}.grad = None" if t.is_leaf else f"{self.new()} = {x}.detach()"

    def end(self) -> None:
        """Asks for the gradients of all that there is, and for those of the gradients."""
        roots = [n for n in self.names if self[n].requires_grad]
        leaves = [n for n in self.leaves if n in self.names and self[n].requires_grad]
        if not roots or not leaves:
            return

        def total(name: str) -> list[str]:
            t = self[name]
            weight = f"torch.arange(1., {t.numel() + 1}, dtype=torch.float64).reshape({shape_of(t)})"
            parts = [f"{name}.real", f"{name}.imag * 2"] if t.is_complex() else [name]
            return [f"({p}.double() * {weight}).sum()" for p in parts]

        which = roots if len(roots) < 4 else [*self.rng.sample(roots[:-1], 3), roots[-1]]
        self.emit("loss = " + " + ".join(p for n in which for p in total(n)))
        if "loss" not in self.space or not self.space["loss"].requires_grad:
            return
        among = ", ".join(leaves)
        self.emit(f"g1 = torch.autograd.grad(loss, [{among}], create_graph=True, allow_unused=True)")
        grads = [f"g1[{i}]" for i, g in enumerate(self.space.get("g1", ())) if g is not None and g.requires_grad]
        if grads:
            squares = [f"({g} * {g}).double().sum()" if not self.complex(g) else f"({g} * {g}.conj()).real.double().sum()" for g in grads]
            self.emit(f"g2 = torch.autograd.grad({' + '.join(squares)}, [{among}], retain_graph=True, allow_unused=True)")
        if self.chance(0.5):
            self.emit("loss.backward()")

    def complex(self, text: str) -> bool:
        return eval(text, self.space).is_complex()

    # ---- the program ----

    def emit(self, line: str) -> None:
        before = dict(self.space)
        error = execute(line, self.space)
        created = [n for n, v in self.space.items() if n not in before and isinstance(v, torch.Tensor) and n[0] == "t"]
        for name in self.names + created:
            t = self.space[name]
            if t.dtype == torch.complex32 or t.numel() > LARGEST or t.dim() > 6 or (name in created and largest(t.detach().resolve_conj()) > LIMIT):
                for n in created:
                    del self.space[n]
                return
        if error is not None and isinstance(error, (NameError, SyntaxError)):
            return
        self.lines.append(line)
        # A name that is read before it is written to shows more than one that is not.
        self.names += created

    def program(self, steps: int) -> list[str]:
        kinds: list[tuple[int, Callable[[], str | None]]] = [
            (10, self.view), (9, self.write), (5, self.binary), (4, self.unary), (4, self.reduction), (3, self.indexing),
            (2, self.joining), (1, self.product), (1, self.question), (3, self.autograd), (1, self.leaf),
        ]  # fmt: skip
        menu = [step for weight, step in kinds for _ in range(weight)]
        for _ in range(self.rng.choice([1, 2, 2, 3])):
            self.emit(self.leaf())
        tries = 0
        while len(self.lines) < steps and tries < 8 * steps:
            tries += 1
            if not self.names:
                self.emit(self.leaf())
                continue
            step = self.rng.choice(menu)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    line = step()
                except Exception:  # PyTorch refuses what the step asked about its tensors
                    continue
            if line:
                self.emit(line)
        if self.gradients:
            self.end()
        return self.lines


def write(rng: random.Random) -> list[str]:
    return Writer(rng).program(rng.randint(3, 22))
