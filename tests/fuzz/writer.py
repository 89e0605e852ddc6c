"""Draws random programs. A writer runs each line on PyTorch as it writes it, so that the next one fits what is there."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable

import torch

from .lockstep import execute, largest
from .source import LARGEST, LIMIT, shape_of
from .steps import Steps


class Writer(Steps):
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
