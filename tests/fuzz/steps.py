"""The steps of a program, a method for each kind: the text of a line, or None when there is nothing to do it with."""

from __future__ import annotations

import warnings
from typing import Any

import torch

from .lockstep import largest
from .source import DTYPES, Source, addresses, may_write, overlaps_itself, part_of, shape_of


class Steps(Source):
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
        if kind == 15 and t.dtype != torch.bool:  # whose memory holds nothing but 0 and 1
            numbers = ["float32", "float64", "complex64", "float16"] if t.is_floating_point() or t.is_complex() else []
            wide = r.choice(["int32", "int64", "uint8", "int16", *numbers])
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
            if how in ("logical_and_", "eq_", "lt_") and (t.requires_grad or getattr(value, "requires_grad", False)):
                return None  # PyTorch leaves the history as it was
            if how == "pow_":
                return f"{x}.pow_(2)"
            if how in ("fmod_", "remainder_", "div_"):
                divisor = torch.as_tensor(value)
                if bool((divisor == 0).any()):
                    return None
                how = how if not divisor.is_complex() else "div_"
            if isinstance(value, torch.Tensor) and value.requires_grad and not t.is_floating_point() and not t.is_complex():
                return None  # PyTorch lets integers require gradients here
            if how == "copy_" and not isinstance(value, torch.Tensor):
                how = "fill_"
            if how == "copy_" and not self.convertible(value, t.dtype):
                return None
            if how == "maximum" and t.dtype == torch.uint8:
                return None  # where PyTorch wraps a negative bound around
            if how == "maximum":
                return f"{x}.clamp_({r.choice(['', 'min='])}{r.choice(['0', '-1', '0.5', '2'])})"
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
            if not k or 0 in t.stride():
                return None
            rows = r.sample(range(k), r.randint(1, k))
            index = f"torch.tensor({rows})"
            shape = list(t.shape)
            shape[d] = len(rows)
            source = self.literal(tuple(shape), str(t.dtype)[6:])
            how = r.choice(["index_add_", "index_copy_", "index_fill_"])
            return f"{x}.index_fill_({d}, {index}, {self.number(t)})" if how == "index_fill_" else f"{x}.{how}({d}, {index}, {source})"
        if kind == 15:
            if 0 in t.stride():
                return None
            how = r.choice("tanh_ sin_ sigmoid_ exp_ neg_ abs_ relu_ floor_ square_ sign_ cos_ round_ trunc_ reciprocal_ nan_to_num_ logical_not_ frac_ ceil_ sqrt_ log1p_ sgn_ erf_".split())
            return f"{x}.{how}()" if how != "logical_not_" or not t.requires_grad else None
        if kind == 16 and 0 not in t.stride():
            return f"{x}.{r.choice(['tril_', 'triu_'])}({r.randint(-1, 1)})"
        if kind == 17:
            call = r.choice([f"unsqueeze_({r.randint(0, n)})", "squeeze_()", f"transpose_({self.dim(t)}, {self.dim(t)})", "t_()", "detach_()", f"swapaxes_({self.dim(t)}, {self.dim(t)})"])
            return f"{x}.{call}" if n < 5 else None
        if kind == 18:
            y, z = self.like(t), self.like(t)
            values = eval(y, self.space), eval(z, self.space)
            if not may_write(t, *values):
                return None
            how = r.choice(["addcmul_", "addcdiv_"])
            if how == "addcdiv_" and bool((values[1] == 0).any()):
                return None
            return f"{x}.{how}({y}, {z}{', value=0.5' if how != 'lerp_' and self.chance(0.3) else ''})"
        if kind == 19 and n and t.dtype != torch.bool:
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
            how = r.choice([f"torch.add({y}, {self.number(t)}, out={x})", f"torch.mul({y}, {y}, out={x})", f"torch.neg({y}, out={x})"])
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
        mask = self.space.get(index)
        if isinstance(mask, torch.Tensor) and not may_write(t, mask.view(torch.uint8), mask):
            return None
        if mask is t:
            return None
        where = torch.arange(t.numel()).reshape(t.shape)
        if "uint8" in index:  # which PyTorch takes for a mask or for positions
            return None
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
        if v.requires_grad and not t.is_floating_point() and not t.is_complex():
            return None
        if set(addresses(t)) & set(addresses(v)):
            return None
        how = self.rng.random()
        if how < 0.15 and v.dtype == t.dtype:
            if set(addresses(part_of(t, index, self.space))) & set(addresses(v)):
                return None
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
            return f"{x}.scatter_reduce_({d}, {index}, {source}, '{which}'{r.choice(['', ', include_self=False'])})" if not t.is_complex() and t.dtype != torch.bool else None
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
            return f"{self.new()} = torch.lerp({x}, {self.like(t)}, {r.choice(['0.25', '0.75'])})"
        if how == "clamp":
            low, high = r.choice([("-1", "1"), ("None", "0.5"), ("0", "None"), ("2", "1")])
            if t.dtype == torch.uint8:
                return None
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
        if how in ("softmax", "log_softmax") and (t.is_complex() or not t.numel()):
            return None  # PyTorch forgets its checks
        if how in ("cumsum", "cumprod", "logcumsumexp", "softmax", "log_softmax", "diff"):
            dtype = f", dtype=torch.{r.choice(['float64', 'float32'])}" if self.chance(0.15) and how in ("cumsum", "cumprod", "softmax") else ""
            if how == "diff" and (not t.dim() or 0 in t.shape or t.shape[int(d) % t.dim()] < 2):
                return None
            return f"{nothing()} = {x}.{how}({'dim=' if how == 'diff' else ''}{d}{dtype})"
        if how in ("cummax", "cummin", "nan_to_num", "softmax", "log_softmax", "logcumsumexp") and t.is_complex():
            return None
        if how in ("softmax", "log_softmax", "cummax", "cummin") and not t.numel():
            return None  # PyTorch forgets its checks
        if how in ("cummax", "cummin"):
            return f"{nothing()}, {nothing()} = {x}.{how}({d})"
        if how == "rot90":
            return f"{nothing()} = torch.rot90({x}, {r.randint(-2, 3)})" if t.dim() >= 2 else None
        if how in ("diag_embed", "fliplr", "diag"):
            return f"{nothing()} = torch.{how}({x})" if t.dim() in (1, 2) else None
        if how in ("repeat", "tile"):
            return f"{nothing()} = {x}.{how}({tuple(r.choice([1, 2, 1, 3, 0]) for _ in range(r.randint(t.dim(), t.dim() + 1)))})"
        if how == "repeat_interleave":
            return t.dim() and f"{nothing()} = {x}.repeat_interleave({r.choice(['2', f'2, dim={d}', '1', '0'])})"
        if how == "full_like":
            return f"{nothing()} = torch.full_like({x}, {self.number(t)})"
        if how == "empty_like":
            return f"{nothing()} = torch.empty_like({x}).fill_({self.number(t)})"
        if how == "new_zeros":
            return f"{nothing()} = {x}.new_{r.choice(['zeros', 'ones'])}({self.shape()})"
        if how in ("leaky_relu", "gelu", "silu", "softplus", "elu", "hardtanh"):
            return f"{nothing()} = torch.nn.functional.{how}({x})" if t.is_floating_point() else None
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
            "max_other quantile trace vector_norm bincount".split()
        )
        keep = r.choice(["", "", ", keepdim=True"])
        if how in ("max", "min", "median", "argmax", "argmin", "max_dim", "min_dim", "median_dim", "aminmax", "max_other", "logsumexp"):
            if t.is_complex() or 0 in t.stride():
                return None
        if how in ("unique", "topk", "kthvalue") and t.is_floating_point() and bool(t.isnan().any()):
            return None
        dims = self.dims(t)
        d = r.choice([str(self.dim(t)), str(tuple(dims)), str(self.dim(t)), str(dims)])
        one = str(self.dim(t))
        dtype = f", dtype=torch.{r.choice(['float64', 'int64', 'float32'])}" if self.chance(0.1) and not t.requires_grad else ""
        if dtype.endswith("int64") and not self.convertible(t, torch.int64):
            dtype = ""
        if how == "nansum":
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
        if how in ("amax", "amin") and t.is_complex():
            return None
        if how in ("amax", "amin"):
            return f"{self.new()} = {x}.{how}({d}{keep})"
        if how in ("max_dim", "min_dim", "median_dim"):
            return f"{self.new(2)} = {x}.{how[:-4]}({one}{keep})"
        if how in ("std", "var"):
            more = r.choice(["", ", unbiased=False", ", correction=0"]) + keep
            return f"{self.new()} = {x}.{how}({r.choice(['', (d if dims or not t.requires_grad else one) + more])})"
        if how == "var_mean":
            return f"{self.new(2)} = torch.{r.choice(['var_mean', 'std_mean'])}({x}, dim={d}{keep})"
        if how == "norm":
            return f"{self.new()} = {x}.norm({r.choice(['', '1', '2, ' + one, '3', f'dim={one}', 'inf'])})"
        if how == "vector_norm":
            return None
        if how == "logsumexp":
            return f"{self.new()} = {x}.logsumexp({d if dims else one}{keep})"
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
            return f"{self.new()} = torch.quantile({x}, {r.choice(['0.5', '0.25'])}{r.choice(['', ', dim=' + one])})" if t.numel() and not t.requires_grad else None
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
            options += [f"torch.mm({x}, {y})", f"torch.{'mm(' if t.requires_grad or s.requires_grad else 'einsum(' + repr('ij,jk->ik') + ', '}{x}, {y})", f"torch.addmm({self.literal((s.shape[1],), str(t.dtype)[6:])}, {x}, {y}, beta=2)", f"torch.tensordot({x}, {y}, 1)"]
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
