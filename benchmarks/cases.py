"""The table of benchmark cases, written once against PyTorch's API and run on both libraries (`make bench`).

A case's setup gets the library and returns the names that its statement uses; the statement is what is timed. `work` says
what one execution asks of the machine: ("flop", n) floating-point operations (flop64: of float64), ("copy", n) or ("read", n)
bytes moved, compared with the ceiling of that kind. `wanted` is the largest ratio of tensorlite's time to PyTorch's that is aimed at.
Where `bytes` is set, the statement is executed 20 times in a process of its own, and what counts is by how much its resident
memory has grown at most since the library was imported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

M16, K64 = 1 << 24, 1 << 16
Setup = Callable[[Any], dict[str, Any]]


@dataclass
class Case:
    group: str
    name: str
    statement: str
    setup: Setup
    wanted: float
    work: tuple[str, float] | None = None
    numpy: tuple[str, Setup] | None = None  # the statement and names of the same in NumPy
    bytes: bool = False


CASES: list[Case] = []


def case(group: str, name: str, statement: str, setup: Setup, wanted: float, work: Any = None, numpy: Any = None) -> None:
    """`numpy` is NumPy's statement; its names are those of the setup, converted to arrays."""
    if isinstance(numpy, str):
        numpy = (numpy, lambda np_, s=setup: {**as_arrays(s(TorchInNumPy)), "np": np_})
    CASES.append(Case(group, name, statement, setup, wanted, work, numpy))


class TorchInNumPy:
    """The few creation functions that the setups of cases with a NumPy column use."""

    float32, float64, int64, bool = np.float32, np.float64, np.int64, np.bool_

    @staticmethod
    def rand(*shape: int, dtype: Any = np.float32) -> np.ndarray:
        return np.random.default_rng(0).random(shape).astype(dtype)

    @staticmethod
    def randn(*shape: int, dtype: Any = np.float32) -> np.ndarray:
        return np.random.default_rng(0).standard_normal(shape).astype(dtype)

    @staticmethod
    def randint(low: int, high: int, shape: tuple[int, ...], dtype: Any = np.int64) -> np.ndarray:
        return np.random.default_rng(0).integers(low, high, shape).astype(dtype)

    @staticmethod
    def empty(*shape: int, dtype: Any = np.float32) -> np.ndarray:
        return np.empty(shape, dtype)


def as_arrays(names: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in names.items() if k != "torch"}


# ---- operator overhead ----

G = "operator overhead"
case(G, "1-element a + b", "a + b", lambda t: dict(a=t.rand(1), b=t.rand(1)), 0.4, numpy="a + b")
case(G, "1-element a * 2.0", "a * 2.0", lambda t: dict(a=t.rand(1)), 0.4, numpy="a * 2.0")
case(G, "x[0]", "x[0]", lambda t: dict(x=t.rand(4, 4)), 0.4, numpy="x[0]")
case(G, "x.view(2, 4)", "x.view(2, 4)", lambda t: dict(x=t.rand(8)), 0.4, numpy="x.reshape(2, 4)")
case(G, "sum of 8", "x.sum()", lambda t: dict(x=t.rand(8)), 0.4, numpy="x.sum()")
case(G, "relu of 1", "relu(x)", lambda t: dict(x=t.rand(1), relu=t.relu), 0.4)
case(G, "4x4 matmul", "a @ b", lambda t: dict(a=t.rand(4, 4), b=t.rand(4, 4)), 0.4, numpy="a @ b")


def recorded(t: Any) -> dict[str, Any]:
    return dict(a=t.rand(1).requires_grad_(), b=t.rand(1).requires_grad_())


def adam_small(t: Any) -> dict[str, Any]:
    parameters = [t.nn.Parameter(t.rand(8, 8)) for _ in range(20)]
    for p in parameters:
        p.grad = t.rand(8, 8)
    return dict(optimizer=t.optim.Adam(parameters))


case(G, "((a + b) * b).sum().backward()", "((a + b) * b).sum().backward()", recorded, 0.3)
case(G, "nn.Linear(8, 8) call", "m(x)", lambda t: dict(m=t.nn.Linear(8, 8), x=t.rand(1, 8)), 0.35)
case(G, "Adam.step over 20 parameters of 8x8", "optimizer.step()", adam_small, 0.1)

# ---- elementwise ----


def two(n: int) -> Setup:
    return lambda t: dict(a=t.rand(n), b=t.rand(n), torch=t)


def into(n: int) -> Setup:
    return lambda t: dict(a=t.rand(n), b=t.rand(n), out=t.empty(n), torch=t)


def images(t: Any) -> dict[str, Any]:
    return dict(x=t.rand(8, 64, 181, 181))


def square_and(*shape: int) -> Setup:
    return lambda t: dict(a=t.rand(4096, 4096), b=t.rand(*shape))


B = 4 * M16
G = "elementwise, 16 M float32, new result"
case(G, "a + b", "a + b", two(M16), 0.2, ("copy", 3 * B), "a + b")
case(G, "a * b + a", "a * b + a", two(M16), 0.2, ("copy", 6 * B), "a * b + a")
case(G, "relu", "torch.relu(a)", two(M16), 0.2, ("copy", 2 * B), "np.maximum(a, 0)")
case(G, "where(c, a, b)", "torch.where(c, a, b)", lambda t: dict(c=t.rand(M16) > 0.5, a=t.rand(M16), b=t.rand(M16), torch=t),
     0.2, ("copy", 3.25 * B), "np.where(c, a, b)")
case(G, "a > b", "a > b", two(M16), 0.2, ("copy", 2.25 * B), "a > b")
case(G, "float32 to float64", "a.to(torch.float64)", two(M16), 0.2, ("copy", 3 * B), "a.astype(np.float64)")
case(G, "float32 to bfloat16", "a.to(torch.bfloat16)", two(M16), 0.2, ("copy", 1.5 * B))
case(G, "float32 to int64", "a.to(torch.int64)", two(M16), 0.2, ("copy", 3 * B), "a.astype(np.int64)")
case(G, "int64 a + b", "a + b", lambda t: dict(a=t.randint(0, 9, (M16,)), b=t.randint(0, 9, (M16,))), 0.2, ("copy", 6 * B),
     "a + b")
case(G, "4096² + row", "a + b", square_and(4096), 0.2, ("copy", 2 * B), "a + b")
case(G, "4096² + column", "a + b", square_and(4096, 1), 0.2, ("copy", 2 * B), "a + b")
case(G, "transpose copy, 4096²", "a.t().contiguous()", lambda t: dict(a=t.rand(4096, 4096)), 0.35, ("copy", 2 * B))
case(G, "NCHW to NHWC, 8x64x181²", "x.permute(0, 2, 3, 1).contiguous()", images, 0.35, ("copy", 2 * 4 * 8 * 64 * 181 * 181))

G = "elementwise, 16 M float32, out= given"
case(G, "add", "torch.add(a, b, out=out)", into(M16), 1.0, ("copy", 3 * B), "np.add(a, b, out=out)")
case(G, "mul", "torch.mul(a, b, out=out)", into(M16), 1.0, ("copy", 3 * B), "np.multiply(a, b, out=out)")
case(G, "neg", "torch.neg(a, out=out)", into(M16), 1.0, ("copy", 2 * B), "np.negative(a, out=out)")
case(G, "a.add_(b)", "a.add_(b)", two(M16), 1.0, ("copy", 3 * B))

for size, title, wanted in ((M16, "16 M", 0.2), (K64, "64 K", 0.6)):
    G = f"functions, {title} float32"
    for name, ours, theirs in (
        ("exp", "torch.exp(a)", "np.exp(a)"),
        ("tanh", "torch.tanh(a)", "np.tanh(a)"),
        ("sigmoid", "torch.sigmoid(a)", None),
        ("log", "torch.log(a)", "np.log(a)"),
        ("erf", "torch.erf(a)", None),
        ("gelu", "torch.nn.functional.gelu(a)", None),
    ):
        case(G, name, ours, two(size), wanted, ("copy", 8 * size), theirs)

G = "elementwise, 64 K float32"
case(G, "a + b", "a + b", two(K64), 0.8, None, "a + b")
case(G, "a * b + a", "a * b + a", two(K64), 0.8, None, "a * b + a")
case(G, "relu", "torch.relu(a)", two(K64), 0.8, None, "np.maximum(a, 0)")
case(G, "sqrt", "torch.sqrt(a)", two(K64), 0.8, None, "np.sqrt(a)")
case(G, "a > b", "a > b", two(K64), 0.8, None, "a > b")
case(G, "float32 to float64", "a.to(torch.float64)", two(K64), 0.8, None, "a.astype(np.float64)")

# ---- reductions ----


def square(t: Any) -> dict[str, Any]:
    return dict(x=t.randn(4096, 4096), torch=t)


G = "reductions over 4096² float32"
for name, statement, wanted, theirs in (
    ("sum", "x.sum()", 0.7, "x.sum()"),
    ("mean", "x.mean()", 0.7, "x.mean()"),
    ("sum, dim 0", "x.sum(0)", 0.7, "x.sum(0)"),
    ("sum, dim 1", "x.sum(1)", 0.7, "x.sum(1)"),
    ("max with indices, dim 1", "x.max(1)", 0.7, None),
    ("argmax, dim 1", "x.argmax(1)", 0.15, "x.argmax(1)"),
    ("var, dim 1", "x.var(1)", 0.15, "x.var(1)"),
    ("norm", "x.norm()", 0.7, "np.linalg.norm(x)"),
):
    case(G, name, statement, square, wanted, ("read", B), theirs)
case(G, "cumsum, dim 1", "x.cumsum(1)", square, 0.15, ("copy", 2 * B), "x.cumsum(1)")

G = "normalisation, 4096² float32"
case(G, "softmax", "x.softmax(1)", square, 0.25, ("copy", 2 * B))
case(G, "log_softmax", "x.log_softmax(1)", square, 0.25, ("copy", 2 * B))
case(G, "layer_norm", "torch.nn.functional.layer_norm(x, (4096,))", square, 0.25, ("copy", 2 * B))

G = "sorting"
case(G, "sort of 1 M", "x.sort()", lambda t: dict(x=t.rand(1 << 20)), 0.4, None, "np.sort(x)")
case(G, "topk(100) of 1 M", "x.topk(100)", lambda t: dict(x=t.rand(1 << 20)), 0.4)

# ---- matrix products ----


def matrices(a: tuple[int, ...], b: tuple[int, ...], dtype: str = "float32", turned: str = "") -> Setup:
    def setup(t: Any) -> dict[str, Any]:
        x, y = (t.rand(*shape).to(getattr(t, dtype)) if hasattr(t, "Tensor") else t.rand(*shape) for shape in (a, b))
        return dict(a=x.t() if "a" in turned else x, b=y.t() if "b" in turned else y)

    return setup


G = "matrix product, square float32"
for n, wanted in ((32, 0.4), (64, 0.6), (128, 1.0), (256, 1.0), (512, 1.0), (1024, 1.0), (2048, 1.0), (4096, 1.0)):
    case(G, f"{n}²", "a @ b", matrices((n, n), (n, n)), wanted, ("flop", 2 * n**3), "a @ b")

G = "matrix product, shaped float32"
case(G, "64x784 @ 784x512", "a @ b", matrices((64, 784), (784, 512)), 0.7, ("flop", 2 * 64 * 784 * 512), "a @ b")
case(G, "512x784 @ 784x256", "a @ b", matrices((512, 784), (784, 256)), 0.95, ("flop", 2 * 512 * 784 * 256), "a @ b")
case(G, "x @ w.t(), 512x784, 512x784", "a @ b", matrices((512, 784), (512, 784), turned="b"), 0.95,
     ("flop", 2 * 512 * 784 * 512))
case(G, "x.t() @ g, 512x784, 512x512", "a @ b", matrices((512, 784), (512, 512), turned="a"), 0.95,
     ("flop", 2 * 512 * 784 * 512))
case(G, "32 times 128x64 @ 64x128", "a @ b", matrices((32, 128, 64), (32, 64, 128)), 0.95, ("flop", 2 * 32 * 128 * 64 * 128),
     "a @ b")
case(G, "96 times 256x64 @ 64x256", "a @ b", matrices((96, 256, 64), (96, 64, 256)), 0.7, ("flop", 2 * 96 * 256 * 64 * 256),
     "a @ b")
case(G, "4096 @ 4096²", "a @ b", matrices((4096,), (4096, 4096)), 0.45, ("read", B), "a @ b")

G = "matrix product, other dtypes"
case(G, "float64 1024²", "a @ b", matrices((1024, 1024), (1024, 1024), "float64"), 0.8, ("flop64", 2 * 1024**3))
case(G, "bfloat16 1024²", "a @ b", matrices((1024, 1024), (1024, 1024), "bfloat16"), 1.0, ("flop", 2 * 1024**3))
case(G, "int64 256²", "a @ b", matrices((256, 256), (256, 256), "int64"), 1.0)

# ---- convolution and what goes with it ----


def convolution(n: int, c: int, o: int, k: int, size: int, stride: int = 1, padding: int = 0, groups: int = 1) -> Any:
    def setup(t: Any) -> dict[str, Any]:
        layer = t.nn.Conv2d(c, o, k, stride=stride, padding=padding, groups=groups)
        x = t.rand(n, c, size, size)
        g = t.rand(*layer(x).shape)
        x.requires_grad_()

        def forward() -> Any:
            with t.no_grad():
                return layer(x)

        def both() -> None:
            layer(x).backward(g)

        return dict(forward=forward, both=both)

    out = (size + 2 * padding - k) // stride + 1
    return setup, 2 * n * o * out * out * (c // groups) * k * k


for name, wanted, wanted_both, shape in (
    ("LeNet 1 to 6, k5, 64x28²", 0.6, 0.6, (64, 1, 6, 5, 28)),
    ("LeNet 6 to 16, k5, 64x12²", 0.6, 0.6, (64, 6, 16, 5, 12)),
    ("MNIST 1 to 32, k3, 64x28²", 0.6, 0.6, (64, 1, 32, 3, 28)),
    ("MNIST 32 to 64, k3, 64x26²", 0.9, 0.75, (64, 32, 64, 3, 26)),
    ("ResNet 64 to 64, k3, 8x56²", 1.0, 1.0, (8, 64, 64, 3, 56, 1, 1)),
    ("ResNet 128 to 128, k3, 8x28²", 1.0, 1.0, (8, 128, 128, 3, 28, 1, 1)),
    ("ResNet stem 3 to 64, k7, stride 2, 8x224²", 1.0, 1.0, (8, 3, 64, 7, 224, 2, 3)),
    ("1x1, 256 to 64, 8x56²", 0.7, 0.7, (8, 256, 64, 1, 56)),
    ("depthwise 32, k3, 8x112²", 0.4, 0.4, (8, 32, 32, 3, 112, 1, 1, 32)),
):
    setup, flop = convolution(*shape)
    case("conv2d, forward", name, "forward()", setup, wanted, ("flop", flop))
    case("conv2d, forward and backward", name, "both()", setup, wanted_both, ("flop", 3 * flop))


def features(t: Any) -> dict[str, Any]:
    return dict(x=t.rand(8, 64, 56, 56), F=t.nn.functional, norm=t.nn.BatchNorm2d(64) if hasattr(t.nn, "BatchNorm2d") else None)


G = "pooling and batch norm, 8x64x56²"
BYTES = 4 * 8 * 64 * 56 * 56
case(G, "max_pool2d(2)", "F.max_pool2d(x, 2)", features, 0.25, ("copy", 1.25 * BYTES))
case(G, "avg_pool2d(2)", "F.avg_pool2d(x, 2)", features, 0.3, ("copy", 1.25 * BYTES))
case(G, "batch norm in training", "norm(x)", features, 0.4, ("copy", 3 * BYTES))

# ---- gathering ----


def gathering(t: Any) -> dict[str, Any]:
    return dict(x=t.rand(4096, 1024), y=t.rand(4096, 1024), i=t.randint(0, 4096, (4096, 1024)), m=t.rand(1 << 22) > 0.5, flat=t.rand(1 << 22),
                parts=[t.rand(512, 1024) for _ in range(8)], torch=t)


def embedding(t: Any) -> dict[str, Any]:
    layer, ids = t.nn.Embedding(50_000, 256), t.randint(0, 50_000, (4096,))

    def forward() -> Any:
        with t.no_grad():
            return layer(ids)

    def both() -> None:
        layer.weight.grad = None
        layer(ids).sum().backward()

    return dict(forward=forward, both=both)


G = "gathering"
case(G, "gather 4096x1024, dim 0", "x.gather(0, i)", gathering, 0.5)
case(G, "scatter_add_ 4096x1024, dim 0", "x.scatter_add_(0, i, y)", gathering, 0.5)
case(G, "rows of 50,000x256 by 4096 indices", "w[i]", lambda t: dict(w=t.rand(50_000, 256), i=t.randint(0, 50_000, (4096,))),
     0.5, ("copy", 2 * 4 * 4096 * 256), "w[i]")
case(G, "embedding 50,000x256, 4096 ids", "forward()", embedding, 0.5, ("copy", 2 * 4 * 4096 * 256))
case(G, "the same with backward", "both()", embedding, 0.2)
case(G, "masked_select of 4 M", "flat[m]", gathering, 0.5)
case(G, "cat of 8", "torch.cat(parts)", gathering, 0.5, ("copy", 2 * 4 * 4096 * 1024))

# ---- a training step ----


def training(build: Callable[[Any], Any], x_shape: tuple[int, ...], classes: int, optimizer: Callable[[Any, Any], Any],
             ids: int = 0) -> Setup:
    def setup(t: Any) -> dict[str, Any]:
        t.manual_seed(0)
        model = build(t)
        x = t.randint(0, ids, x_shape) if ids else t.rand(*x_shape)
        y = t.randint(0, classes, x_shape if ids else x_shape[:1])
        optimize = optimizer(t, model.parameters())
        criterion = t.nn.CrossEntropyLoss()

        def step() -> None:
            optimize.zero_grad()
            criterion(model(x).reshape(-1, classes), y.reshape(-1)).backward()
            optimize.step()

        return dict(step=step)

    return setup


def mlp(t: Any) -> Any:
    nn = t.nn
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))


def lenet(t: Any) -> Any:
    nn = t.nn
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))


def mnist_cnn(t: Any) -> Any:
    nn = t.nn
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25), nn.Flatten(),
        nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10))


def example_cnn(t: Any) -> Any:
    nn = t.nn
    return nn.Sequential(
        nn.Conv2d(1, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Dropout(0.25), nn.Linear(512, 128), nn.ReLU(), nn.Linear(128, 10))


def gpt(t: Any) -> Any:
    nn = t.nn

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.ln1, self.ln2 = nn.LayerNorm(256), nn.LayerNorm(256)
            self.qkv, self.proj = nn.Linear(256, 768), nn.Linear(256, 256)
            self.mlp = nn.Sequential(nn.Linear(256, 1024), nn.GELU(), nn.Linear(1024, 256))

        def forward(self, x: Any) -> Any:
            n, length, width = x.shape
            q, k, v = self.qkv(self.ln1(x)).view(n, length, 3, 4, 64).permute(2, 0, 3, 1, 4)
            y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.proj(y.transpose(1, 2).reshape(n, length, width))
            return x + self.mlp(self.ln2(x))

    return nn.Sequential(nn.Embedding(256, 256), Block(), Block(), nn.LayerNorm(256), nn.Linear(256, 256))


def resnet_block(t: Any) -> Any:
    nn = t.nn

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(64, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64)
            self.conv2, self.bn2 = nn.Conv2d(64, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64)

        def forward(self, x: Any) -> Any:
            y = self.bn2(self.conv2(t.relu(self.bn1(self.conv1(x)))))
            return t.relu(x + y)

    return nn.Sequential(Block(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


G = "a training step"
sgd = lambda t, p: t.optim.SGD(p, lr=0.01)
adam = lambda t, p: t.optim.Adam(p, lr=1e-3)
adamw = lambda t, p: t.optim.AdamW(p, lr=1e-3)
adadelta = lambda t, p: t.optim.Adadelta(p, lr=1.0)
for name, setup, wanted, flops in (
    ("MLP 784-512-512-10, batch 64, SGD", training(mlp, (64, 784), 10, sgd), 0.7,
     64 * (4 * 784 * 512 + 6 * 512 * 512 + 6 * 512 * 10)),
    ("MLP 784-512-512-10, batch 512, Adam", training(mlp, (512, 784), 10, adam), 0.75,
     512 * (4 * 784 * 512 + 6 * 512 * 512 + 6 * 512 * 10)),
    ("LeNet, batch 64, SGD", training(lenet, (64, 1, 28, 28), 10, sgd), 0.4,
     64 * (4 * 784 * 150 + 6 * 100 * 2400 + 6 * (48000 + 10080 + 840))),
    ("CNN of examples/mnist.py, batch 64, Adam", training(example_cnn, (64, 1, 28, 28), 10, adam), 0.4,
     64 * (4 * 576 * 400 + 6 * 64 * 12800 + 6 * (65536 + 1280))),
    ("CNN of PyTorch's MNIST example, batch 64, Adadelta", training(mnist_cnn, (64, 1, 28, 28), 10, adadelta), 0.65,
     64 * (4 * 676 * 288 + 6 * 576 * 18432 + 6 * (9216 * 128 + 1280))),
    ("two GPT blocks, d 256, 128 tokens, batch 8, AdamW", training(gpt, (8, 128), 256, adamw, ids=256), 0.75,
     6 * 1024 * (2 * 12 * 256 * 256 + 256 * 256) + 2 * 6 * 2 * 8 * 4 * 128 * 128 * 64),
    ("ResNet block, 64 channels, 32x64x32², SGD", training(resnet_block, (32, 64, 32, 32), 10, sgd), 0.75,
     32 * (4 + 6) * 1024 * 64 * 576),
):
    case(G, name, "step()", setup, wanted, ("flop", flops))
    CASES.append(Case("memory of a training step", name, "step()", setup, 1.0, bytes=True))


def loader(t: Any) -> dict[str, Any]:
    data = t.utils.data
    source = data.DataLoader(data.TensorDataset(t.rand(60_000, 1, 8, 8), t.randint(0, 10, (60_000,))), 64, shuffle=True)

    def epoch() -> None:
        for _ in source:
            pass

    return dict(epoch=epoch)


case(G, "an epoch of a DataLoader, 60,000 samples, batch 64", "epoch()", loader, 0.1)


# An epoch of examples/mnist.py, from images on disk to the accuracy, in the way of PyTorch's own example: a data set of
# images, transforms, a loader. torchvision needs PyTorch's GPU build: what it does to an image is written out below.
# tensorlite's own data set, which a script meets in torchvision's place, makes a batch at once.


class Digits:
    """torchvision.datasets.MNIST with ToTensor and Normalize."""

    def __init__(self, t: Any, images: np.ndarray, labels: np.ndarray) -> None:
        self.t, self.data, self.targets = t, t.from_numpy(images), t.from_numpy(labels)

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        from PIL import Image

        t = self.t
        picture = Image.fromarray(self.data[index].numpy(), mode="L")
        x = t.from_numpy(np.array(picture, np.uint8, copy=True)).view(picture.size[1], picture.size[0], 1)
        x = x.permute((2, 0, 1)).contiguous().to(dtype=t.get_default_dtype()).div(255).clone()
        mean, std = t.as_tensor((0.1307,), dtype=x.dtype), t.as_tensor((0.3081,), dtype=x.dtype)
        return x.sub_(mean.view(-1, 1, 1)).div_(std.view(-1, 1, 1)), int(self.targets[index])


def digits(t: Any, train: bool) -> Any:
    from tensorlite.vision import datasets, transforms

    change = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
    data = datasets.MNIST(Path(__file__).parent.parent / "examples" / "data" / "mnist", train, transform=change)
    return data if t.__name__ == "tensorlite" else Digits(t, data.data.numpy(), data.targets.numpy())


def mnist_epoch(t: Any) -> dict[str, Any]:
    load = partial(t.utils.data.DataLoader, batch_size=64)

    def epoch() -> float:
        t.manual_seed(0)
        model = example_cnn(t)
        optimizer = adam(t, model.parameters())
        for x, y in load(digits(t, True), shuffle=True):
            optimizer.zero_grad()
            t.nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
        model.eval()
        with t.no_grad():
            return sum(float((model(x).argmax(1) == y).sum()) for x, y in load(digits(t, False))) / 10_000

    return dict(epoch=epoch)


case(G, "an epoch of examples/mnist.py, images and transforms to accuracy", "epoch()", mnist_epoch, 0.4)
