"""MNIST's files and transforms of images."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from library import IS_TENSORLITE, tl

if not IS_TENSORLITE:
    pytest.skip("tensorlite's own", allow_module_level=True)

import tensorlite.utils.data as loading
from tensorlite.vision import datasets, transforms

OFFICIAL = Path(__file__).resolve().parent.parent / "examples" / "data" / "mnist"


def idx(array: np.ndarray, kind: int = 0x08) -> bytes:
    head = struct.pack(">HBB", 0, kind, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.tobytes()


def write(folder: Path, images: np.ndarray, labels: np.ndarray, part: str = "train") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{part}-images-idx3-ubyte").write_bytes(idx(images))
    (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx(labels))


IMAGES = np.random.default_rng(0).integers(0, 256, (6, 28, 28), dtype=np.uint8)
LABELS = np.array([3, 1, 4, 1, 5, 9], dtype=np.uint8)


# idx files


@pytest.mark.parametrize("kind", [0x08, 0x09, 0x0B, 0x0C, 0x0D, 0x0E])
def test_idx_types(tmp_path: Path, kind: int) -> None:
    dtype = np.dtype(datasets._IDX_TYPES[kind])
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    (tmp_path / "x").write_bytes(idx(array, kind))
    read = datasets.read_idx(tmp_path / "x")
    assert read.shape == (2, 3, 4) and np.array_equal(read.numpy(), array)
    (tmp_path / "x.gz").write_bytes(gzip.compress(idx(array, kind)))
    assert tl.equal(datasets.read_idx(tmp_path / "x.gz"), read)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "fewer than its magic number"),
        (b"\x00\x00\x08", "fewer than its magic number"),
        (b"<html>not found</html>", "not an idx file: it starts with 3c 68 74 6d"),
        (b"\x00\x00\x07\x01\x00\x00\x00\x01a", "not an idx file"),
        (b"\x00\x00\x08\x03\x00\x00", "ends within its sizes"),
        (idx(IMAGES)[:-1], "truncated: 4703 bytes of data, but shape \\[6, 28, 28\\] of uint8 has 4704"),
        (idx(IMAGES) + b"x", "longer than its sizes say"),
        (b"\x00\x00\x08\x03" + b"\xff" * 12, "truncated"),
        (gzip.compress(idx(IMAGES))[:-20], "damaged gzip file"),
        (b"\x1f\x8bnonsense", "damaged gzip file"),
    ],
    ids=range(10),
)
def test_damaged_idx_files(tmp_path: Path, content: bytes, text: str) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(ValueError, match=text):
        datasets.read_idx(tmp_path / "x")


# MNIST


@pytest.mark.parametrize("place", [".", "MNIST/raw", "raw"])
def test_mnist_is_found(tmp_path: Path, place: str) -> None:
    write(tmp_path / place, IMAGES, LABELS)
    for root in (tmp_path, str(tmp_path)):
        digits = datasets.MNIST(root)
        assert len(digits) == 6 and digits.data.dtype == tl.uint8 and digits.targets.tolist() == LABELS.tolist()
    image, label = datasets.MNIST(tmp_path, transform=transforms.ToTensor(), target_transform=lambda t: -t)[2]
    assert image.shape == (1, 28, 28) and image.dtype == tl.float32 and label == -4
    assert np.allclose(image.numpy()[0], IMAGES[2] / 255)
    assert np.array_equal(np.asarray(digits[0][0]), IMAGES[0]) and type(digits[0][1]) is int


def test_mnist_is_missing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="Dataset not found") as caught:
        datasets.MNIST(tmp_path, train=False)
    text = str(caught.value)
    assert "t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte" in text and "download=True" in text
    assert str(tmp_path / "MNIST" / "raw") in text
    write(tmp_path, IMAGES, LABELS)
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(RuntimeError, match="Looked for train-labels-idx1-ubyte, gzipped"):
        datasets.MNIST(tmp_path)


def test_mnist_files_that_do_not_fit(tmp_path: Path) -> None:
    write(tmp_path, IMAGES, LABELS[:5])
    with pytest.raises(ValueError, match=r"6 images in .* but 5 labels"):
        datasets.MNIST(tmp_path)
    write(tmp_path, IMAGES[0], LABELS)
    with pytest.raises(ValueError, match="3 dims of uint8 are expected"):
        datasets.MNIST(tmp_path)


def test_other_gzipped_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(IMAGES)))
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(LABELS)))
    with pytest.raises(
        RuntimeError, match=r"its MD5 is .* that of the official file is f68b3c2dcbeaaa9fbdd348bbdeb94873"
    ):
        datasets.MNIST(tmp_path)


@pytest.mark.skipif(not OFFICIAL.is_dir(), reason="the official files are not here")
def test_official_mnist() -> None:
    digits = datasets.MNIST(OFFICIAL, train=False)
    assert digits.data.shape == (10000, 28, 28) and digits.targets[:8].tolist() == [7, 2, 1, 0, 4, 1, 4, 9]
    assert repr(digits).startswith("Dataset MNIST\n    Number of datapoints: 10000\n    Root location: ")
    assert digits.class_to_idx["7 - seven"] == 7


# Transforms


def test_to_tensor_and_normalize() -> None:
    colours = np.random.default_rng(1).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    t = transforms.ToTensor()(colours)
    assert t.shape == (3, 4, 5) and np.allclose(t.numpy(), colours.transpose(2, 0, 1) / 255)
    assert transforms.ToTensor()(colours.astype(np.float64)).dtype == tl.float64
    n = transforms.Normalize((0.5, 0.4, 0.3), (0.1, 0.2, 0.4))
    expected = (t.numpy() - np.array([0.5, 0.4, 0.3])[:, None, None]) / np.array([0.1, 0.2, 0.4])[:, None, None]
    before = t.clone()
    assert np.allclose(n(t).numpy(), expected, atol=1e-6) and tl.equal(t, before)
    with pytest.raises(TypeError, match="img should be Tensor Image"):
        n(colours)
    with pytest.raises(TypeError, match="pic should be PIL Image or ndarray"):
        transforms.ToTensor()([1])
    with pytest.raises(ValueError, match="std evaluated to zero"):
        transforms.Normalize(0.5, [0.0])(t)


def test_compose_and_lambda() -> None:
    both = transforms.Compose([transforms.Lambda(lambda x: x + 1), transforms.Normalize((0.0,), (2.0,))])
    assert tl.equal(both(tl.ones(1, 2, 2)), tl.ones(1, 2, 2))
    assert repr(both) == "Compose(\n    Lambda()\n    Normalize(mean=(0.0,), std=(2.0,))\n)"
    with pytest.raises(TypeError, match="Argument lambd should be callable"):
        transforms.Lambda(3)


def test_shapes_of_tensors() -> None:
    x = tl.rand(3, 8, 9)
    assert transforms.CenterCrop(4)(x).shape == (3, 4, 4) and transforms.CenterCrop(12)(x).shape == (3, 12, 12)
    assert transforms.Pad((1, 2))(x).shape == (3, 12, 11) and transforms.RandomCrop(4, padding=1)(x).shape == (3, 4, 4)
    assert transforms.Resize(4)(x).shape == (3, 4, 4) and transforms.Resize((3, 5))(x).shape == (3, 3, 5)
    assert tl.equal(transforms.RandomHorizontalFlip(1.0)(x), x.flip(-1))
    assert transforms.RandomVerticalFlip(0.0)(x) is x


def test_pictures() -> None:
    pytest.importorskip("PIL")
    x = (tl.arange(3 * 8 * 9).reshape(3, 8, 9) % 256).to(tl.uint8)
    picture = transforms.ToPILImage()(x)
    assert picture.size == (9, 8) and tl.equal(transforms.PILToTensor()(picture), x)
    assert transforms.ToTensor()(transforms.Grayscale()(picture)).shape == (1, 8, 9)
    assert transforms.CenterCrop(4)(picture).size == (4, 4) and transforms.Resize(4)(picture).size == (4, 4)
    assert transforms.Pad(2)(picture).size == (13, 12)


@pytest.mark.cpu
def test_batches_made_at_once_are_batches_of_samples(tmp_path: Path) -> None:
    write(tmp_path, IMAGES, LABELS)
    normal = transforms.Normalize((0.1307,), (0.3081,))
    for steps in ([transforms.ToTensor()], [transforms.ToTensor(), normal], [transforms.ToTensor(), normal, normal]):
        digits = datasets.MNIST(tmp_path, transform=transforms.Compose(steps))
        slow = datasets.MNIST(tmp_path, transform=transforms.Compose([*steps, transforms.Lambda(lambda x: x)]))
        part = loading.Subset(digits, [4, 3, 5, 4, 0])
        assert digits._collated([1, 2]) is not None and part._collated([0, 4]) is not None
        assert slow._collated([1, 2]) is None
        for a, b in ((digits, slow), (part, loading.Subset(slow, part.indices))):
            for (x, y), (u, v) in zip(loading.DataLoader(a, 4), loading.DataLoader(b, 4), strict=True):
                assert x.dtype == u.dtype and y.dtype == v.dtype and tl.equal(x, u) and tl.equal(y, v)
    plain = datasets.MNIST(tmp_path, transform=transforms.ToTensor(), target_transform=str)
    assert next(iter(loading.DataLoader(plain, 2)))[1] == [str(n) for n in LABELS[:2]]

    class Doubled(datasets.MNIST):
        def __getitem__(self, index: int) -> tuple:
            image, label = super().__getitem__(index)
            return image * 2, label

    x, _ = next(iter(loading.DataLoader(Doubled(tmp_path, transform=transforms.ToTensor()), 3)))
    assert tl.equal(x, 2 * tl.tensor(IMAGES[:3]).unsqueeze(1).float().div(255))


@pytest.mark.skipif(not tl.cuda.is_available(), reason="no CUDA device")
@pytest.mark.cpu
def test_batches_lie_on_the_cpu_whatever_the_default_device_is(tmp_path: Path) -> None:
    write(tmp_path, IMAGES, LABELS)
    digits = datasets.MNIST(tmp_path, transform=transforms.ToTensor())
    before = tl.get_default_device()
    tl.set_default_device("cuda")
    try:
        images, labels = next(iter(loading.DataLoader(digits, 4)))
    finally:
        tl.set_default_device(before)
    assert images.device.type == labels.device.type == "cpu" and labels.tolist() == LABELS[:4].tolist()
