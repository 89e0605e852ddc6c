"""The examples on a CUDA device, with little work for the emulator."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from library import IS_TENSORLITE, tl

pytestmark = pytest.mark.skipif(not IS_TENSORLITE or not tl.cuda.is_available(), reason="no CUDA device")


def example(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"example_{name}", Path(__file__).parents[1] / "examples" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_mnist(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """An epoch over images of noise around one pattern for each label: the device learns them as the CPU does."""
    mnist = example("mnist")
    rng = np.random.default_rng(0)
    patterns = rng.standard_normal((10, 1, 28, 28))

    def load(torch: Any, folder: Path, train: bool, device: Any) -> Any:
        labels = np.arange(40 if train else 10) % 10
        images = patterns[labels] + 0.1 * rng.standard_normal((len(labels), 1, 28, 28))
        return torch.from_numpy(images.astype(np.float32)).to(device), torch.from_numpy(labels).to(device)

    monkeypatch.setattr(mnist, "load", load)
    options = ["--device", "cuda", "--batch-size", "4", "--epochs", "3", "--no-progress", "--no-pictures"]
    monkeypatch.setattr(sys, "argv", ["mnist.py", *options, "--min-accuracy", "40"])
    assert mnist.main() == 0
    text = capsys.readouterr().out
    assert "tensorlite" in text and " on cuda" in text and "test accuracy" in text
