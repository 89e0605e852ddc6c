"""Train a small convolutional network on MNIST and look at what it has learned.

    python examples/mnist.py                    # tensorlite, three epochs, at least 99 % of the test digits
    python examples/mnist.py --library torch    # the identical code on PyTorch, where that is installed

The full data set lies beside this file. Two pictures are written: the curves of loss and accuracy, and a sheet of test
digits with what the network says about them, mistakes marked.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train a small convolutional network on MNIST.")
    parser.add_argument("--library", choices=("tensorlite", "torch"), default="tensorlite")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument(
        "--lr", type=float, default=2e-3, help="learning rate of the first step; it falls to 0 in a line"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--data", type=Path, default=HERE / "data" / "mnist", help="folder of the four MNIST files")
    parser.add_argument("--out", type=Path, default=Path("mnist-out"), help="folder for the pictures")
    parser.add_argument("--no-progress", action="store_true", help="no progress bar")
    parser.add_argument("--no-pictures", action="store_true")
    parser.add_argument(
        "--min-accuracy", type=float, default=0.0, help="exit with 1 below this test accuracy, in per cent"
    )
    return parser.parse_args()


def load(torch: ModuleType, folder: Path, train: bool, device: Any) -> tuple[Any, Any]:
    """The images as (N, 1, 28, 28) float32 of mean 0 and deviation 1, and the labels as (N,) int64."""
    from tensorlite.vision.datasets import MNIST

    digits = MNIST(folder, train=train)
    images = torch.from_numpy(digits.data.numpy()).unsqueeze(1).to(torch.float32)
    labels = torch.from_numpy(digits.targets.numpy())
    return ((images / 255 - 0.1307) / 0.3081).to(device), labels.to(device)


def build(nn: ModuleType) -> Any:
    return nn.Sequential(
        nn.Conv2d(1, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.25),
        nn.Linear(512, 128), nn.ReLU(),
        nn.Linear(128, 10),
    )  # fmt: skip


def evaluate(torch: ModuleType, model: Any, images: Any, labels: Any) -> tuple[float, np.ndarray]:
    """The mean loss, and the log-probability of every class for every image."""
    model.eval()
    scores = []
    with torch.no_grad():
        for start in range(0, len(images), 1000):
            scores.append(model(images[start : start + 1000]).log_softmax(1))
        everything = torch.cat(scores)
        loss = torch.nn.functional.nll_loss(everything, labels).item()
    model.train()
    return loss, everything.cpu().numpy()


def progress_bar(enabled: bool, total: int, title: str) -> Any:
    if not enabled:
        return contextlib.nullcontext()
    from tqdm import tqdm

    return tqdm(total=total, desc=title, unit=" images", unit_scale=True, leave=False, dynamic_ncols=True)


def main() -> int:
    args = parse_arguments()
    torch = importlib.import_module(args.library)
    data = importlib.import_module(f"{args.library}.utils.data")
    device = torch.device(args.device)

    torch.manual_seed(args.seed)
    train_images, train_labels = load(torch, args.data, True, device)
    test_images, test_labels = load(torch, args.data, False, device)
    loader = data.DataLoader(data.TensorDataset(train_images, train_labels), batch_size=args.batch_size, shuffle=True)
    model = build(torch.nn).to(device)
    criterion = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    parameters = sum(p.numel() for p in model.parameters())
    print(
        f"{args.library} {torch.__version__} on {device}: {parameters:,} parameters, {len(train_images):,} images to "
        f"learn from, {len(test_images):,} to be tested on; seed {args.seed}"
    )

    losses: list[float] = []
    hits: list[float] = []
    tests: list[tuple[float, float]] = []
    steps = args.epochs * len(loader)
    scores = np.empty((0, 10))
    truth = test_labels.cpu().numpy()
    seconds = 0.0
    for epoch in range(1, args.epochs + 1):
        title = f"epoch {epoch}/{args.epochs}"
        start = time.perf_counter()
        with progress_bar(not args.no_progress, len(train_images), title) as bar:
            for images, labels in loader:
                for group in optimizer.param_groups:
                    group["lr"] = args.lr * (1 - len(losses) / steps)
                optimizer.zero_grad()
                output = model(images)
                loss = criterion(output, labels)
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
                hits.append((output.argmax(1) == labels).sum().item() / len(labels))
                if bar is not None:
                    text = f"loss {np.mean(losses[-50:]):.4f}, accuracy {100 * np.mean(hits[-50:]):.2f} %"
                    bar.set_postfix_str(text, refresh=False)
                    bar.update(len(labels))
        elapsed = time.perf_counter() - start
        seconds += elapsed
        test_loss, scores = evaluate(torch, model, test_images, test_labels)
        accuracy = 100 * float((scores.argmax(1) == truth).mean())
        tests.append((test_loss, accuracy))
        print(
            f"{title}: loss {np.mean(losses[-len(loader) :]):.4f}, "
            f"accuracy {100 * np.mean(hits[-len(loader) :]):.2f} %; test loss {test_loss:.4f}, "
            f"test accuracy {accuracy:.2f} %; {elapsed:.1f} s, {len(train_images) / elapsed:,.0f} images/s",
            flush=True,
        )

    final = tests[-1][1] if tests else 0.0
    print(f"test accuracy {final:.2f} % after {args.epochs} epochs and {seconds:.1f} s of training")
    if tests and not args.no_pictures:
        pixels = (test_images.cpu().numpy()[:, 0] * 0.3081 + 0.1307).clip(0, 1)
        args.out.mkdir(parents=True, exist_ok=True)
        draw_curves(args.out / "curves.png", losses, hits, tests, f"MNIST with {args.library}, seed {args.seed}")
        draw_digits(args.out / "digits.png", pixels, truth, np.exp(scores))
        print(f"pictures: {args.out / 'curves.png'}, {args.out / 'digits.png'}")
    if final < args.min_accuracy:
        print(f"the test accuracy is below {args.min_accuracy} %", file=sys.stderr)
        return 1
    return 0


# ---- pictures ----

INK, BLUE, RED, GREY = "#22303c", "#2a6fbb", "#d1342f", "#8a97a3"


def figure(width: float, height: float) -> tuple[Any, Any]:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"font.size": 10, "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": GREY,
                         "xtick.color": GREY, "ytick.color": GREY, "axes.spines.top": False,
                         "axes.spines.right": False})  # fmt: skip
    return plt, plt.figure(figsize=(width, height), dpi=150, layout="constrained")


def smoothed(values: list[float], window: int = 25) -> np.ndarray:
    """The mean of the last `window` values (of fewer at the beginning)."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    last = np.arange(1, len(total))
    first = np.maximum(last - window, 0)
    return (total[last] - total[first]) / (last - first)


def draw_curves(
    path: Path, losses: list[float], hits: list[float], tests: list[tuple[float, float]], title: str
) -> None:
    plt, fig = figure(10, 4)
    fig.suptitle(title, fontsize=13, fontweight="bold")
    left, right = fig.subplots(1, 2)
    epochs = np.arange(1, len(losses) + 1) * len(tests) / len(losses)
    ends = np.arange(1, len(tests) + 1)

    left.plot(epochs, losses, color=BLUE, alpha=0.18, linewidth=0.8)
    left.plot(epochs, smoothed(losses), color=BLUE, linewidth=1.8, label="training, mean of 25 batches")
    left.plot(ends, [loss for loss, _ in tests], "o-", color=RED, markersize=5, label="test")
    left.set(yscale="log", xlabel="epoch", ylabel="cross entropy")

    errors = 100 - 100 * smoothed(hits)
    right.plot(epochs, 100 - errors, color=BLUE, linewidth=1.8, label="training, mean of 25 batches")
    right.plot(ends, [accuracy for _, accuracy in tests], "o-", color=RED, markersize=5, label="test")
    for epoch, (_, accuracy) in zip(ends, tests):
        right.annotate(
            f"{accuracy:.2f} %", (epoch, accuracy), (0, 8), textcoords="offset points", ha="right", color=RED
        )
    right.set(ylim=(90, 100.6), xlabel="epoch", ylabel="accuracy in %")
    for axes in (left, right):
        axes.set_xlim(0, len(tests) * 1.02)
        axes.grid(color=GREY, alpha=0.2, linewidth=0.6)
        axes.legend(frameon=False, loc="upper right" if axes is left else "lower right")
    fig.savefig(path)
    plt.close(fig)


def draw_digits(path: Path, pixels: np.ndarray, truth: np.ndarray, probability: np.ndarray) -> None:
    """Above: the first test digits. Below: the mistakes of which the network was most sure."""
    predicted = probability.argmax(1)
    sure = probability.max(1)
    columns, rows = 14, 6
    wrong = np.flatnonzero(predicted != truth)
    wrong = wrong[np.argsort(-sure[wrong])]
    first = np.arange(rows * columns)
    worst = wrong[: 3 * columns]
    mistake_rows = max(1, -(-len(worst) // columns))

    plt, fig = figure(columns * 0.72, (rows + mistake_rows) * 0.86 + 1.1)
    above, below = fig.subplots(2, 1, height_ratios=[rows, mistake_rows])
    correct = 100 * (predicted == truth).mean()
    for axes, chosen, title in (
        (above, first, f"The first {len(first)} of {len(truth):,} test digits; {correct:.2f} % of all are read right"),
        (
            below,
            worst,
            f"{len(wrong)} mistakes in all; the {len(worst)} of which the network was most sure: read as (is)",
        ),
    ):
        height = -(-len(chosen) // columns)
        axes.set_title(title, loc="left", fontsize=11, fontweight="bold")
        axes.set(xlim=(-0.1, columns), ylim=(height + 0.05, -0.1), aspect=1.18)
        axes.axis("off")
        for place, index in enumerate(chosen):
            y, x = divmod(place, columns)
            good = predicted[index] == truth[index]
            axes.imshow(1 - pixels[index], cmap="gray", vmin=0, vmax=1, extent=(x + 0.06, x + 0.86, y + 0.7, y + 0.02),
                        aspect="auto", interpolation="nearest")  # fmt: skip
            if not good:
                axes.add_patch(
                    plt.Rectangle((x + 0.03, y - 0.01), 0.86, 0.97, fill=False, edgecolor=RED, linewidth=1.5)
                )
            text = f"{predicted[index]}" if good else f"{predicted[index]} ({truth[index]})"
            axes.text(x + 0.46, y + 0.84, text, ha="center", va="center", fontsize=8.5,
                      color=INK if good else RED, fontweight="normal" if good else "bold")  # fmt: skip
        axes.set(xlim=(-0.1, columns), ylim=(height + 0.05, -0.1), aspect=1.18)
    fig.savefig(path)
    plt.close(fig)


if __name__ == "__main__":
    sys.exit(main())
