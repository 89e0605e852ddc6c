"""MNIST and its likes, read from the official files."""

from __future__ import annotations

import gzip
import hashlib
import math
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorlite as _tl

from ..utils.data import Dataset

Tensor = _tl.Tensor

__all__ = ["KMNIST", "MNIST", "FashionMNIST", "VisionDataset", "read_idx"]

# Third byte of an idx file's magic number: the elements' type, and how struct and NumPy call it (big-endian).
_IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path: str | Path) -> Tensor:
    """Reads an idx file, gzipped or raw, as a tensor of its shape and type.

    The format is that of http://yann.lecun.com/exdb/mnist: two zero bytes, the type, the number of dims; the sizes as
    big-endian int32; the elements.

    Raises:
        ValueError: the file is no idx file, is cut short, or is longer than its sizes say.
    """
    path = Path(path)
    return _parse_idx(_decompress(path.read_bytes(), path), path)


def _decompress(data: bytes, path: Path) -> bytes:
    if data[:2] != b"\x1f\x8b":
        return data
    try:
        return gzip.decompress(data)
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(f"{path}: damaged gzip file: {error}") from error


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _parse_idx(data: bytes, path: Path) -> Tensor:
    import numpy as np

    if len(data) < 4:
        raise ValueError(f"{path}: not an idx file: {len(data)} bytes are fewer than its magic number has")
    zeros, kind, dims = struct.unpack(">HBB", data[:4])
    if zeros or kind not in _IDX_TYPES:
        raise ValueError(
            f"{path}: not an idx file: it starts with {data[:4].hex(' ')}, but two zero bytes and one of "
            f"{', '.join(f'{k:02x}' for k in _IDX_TYPES)} are expected"
        )
    start = 4 + 4 * dims
    if len(data) < start:
        raise ValueError(f"{path}: the file ends within its sizes: {len(data)} bytes, but {dims} dims need {start}")
    shape = struct.unpack(f">{dims}I", data[4:start])
    dtype = np.dtype(_IDX_TYPES[kind])
    expected = math.prod(shape) * dtype.itemsize
    have = len(data) - start
    if have != expected:
        what = "truncated" if have < expected else "longer than its sizes say"
        raise ValueError(
            f"{path}: {what}: {have} bytes of data, but shape {list(shape)} of {dtype.name} has {expected}"
        )
    array = np.frombuffer(data, dtype, offset=start).reshape(shape)
    return _tl.from_numpy(array.astype(dtype.newbyteorder("=")))


class VisionDataset(Dataset):
    """Base class of image data sets.

    Args:
        root: the folder of the files.
        transforms: a function of image and target; excludes the other two.
        transform: a function of the image.
        target_transform: a function of the target.
    """

    def __init__(
        self,
        root: str | Path | None = None,
        transforms: Callable | None = None,
        transform: Callable | None = None,
        target_transform: Callable | None = None,
    ) -> None:
        if transforms is not None and (transform is not None or target_transform is not None):
            raise ValueError("Only transforms or transform/target_transform can be passed as argument")
        self.root = root.expanduser() if isinstance(root, Path) else root
        self.transform = transform
        self.target_transform = target_transform
        self.transforms = transforms

    def __len__(self) -> int:
        raise NotImplementedError

    def extra_repr(self) -> str:
        """More lines for the printed form."""
        return ""

    def __repr__(self) -> str:
        body = [f"Number of datapoints: {len(self)}"]
        if self.root is not None:
            body.append(f"Root location: {self.root}")
        body += self.extra_repr().splitlines()
        if self.transform is not None or self.target_transform is not None:
            body.append("StandardTransform")
            for name, transform in (("Transform", self.transform), ("Target transform", self.target_transform)):
                if transform is not None:
                    first, *rest = repr(transform).splitlines()
                    body += [f"{name}: {first}", *(" " * (len(name) + 2) + line for line in rest)]
        return "\n".join([f"Dataset {type(self).__name__}", *("    " + line for line in body)])


class MNIST(VisionDataset):
    """70,000 handwritten digits of 28 x 28 pixels: 60,000 to learn from, 10,000 to be tested on.

    The four official files are looked for in ``root``, ``root/MNIST/raw`` and ``root/raw``, raw or gzipped. Of a
    gzipped one the MD5 is checked: the file's own, or, if it was compressed anew, that of its content.

    Args:
        root: the folder.
        train: whether the training part is wanted.
        transform: a function of the image (a PIL image if Pillow is there, else a uint8 array of (28, 28)).
        target_transform: a function of the label.
        download: whether missing files are fetched into ``root/MNIST/raw``.

    Attributes:
        data: uint8 (N, 28, 28).
        targets: int64 (N).

    Raises:
        RuntimeError: files are missing, or differ from the official ones.
        ValueError: a file is damaged.
    """

    mirrors = ["https://ossci-datasets.s3.amazonaws.com/mnist/"]
    # File name without .gz; the MD5 of the gzipped file and, where it is known, of its content.
    resources = {
        "train-images-idx3-ubyte": ("f68b3c2dcbeaaa9fbdd348bbdeb94873", "6bbc9ace898e44ae57da46a324031adb"),
        "train-labels-idx1-ubyte": ("d53e105ee54ea40749a09fcbcd1e9432", "a25bea736e30d166cdddb491f175f624"),
        "t10k-images-idx3-ubyte": ("9fb629c4189551a2d022fa330f9573f3", "2646ac647ad5339dbf082846283269ea"),
        "t10k-labels-idx1-ubyte": ("ec29112dd5afa0611ce80d1b7f02629c", "27ae3e4e09519cfbb04c329615203637"),
    }
    classes = [
        "0 - zero", "1 - one", "2 - two", "3 - three", "4 - four", "5 - five", "6 - six", "7 - seven", "8 - eight",
        "9 - nine",
    ]  # fmt: skip

    def __init__(
        self,
        root: str | Path,
        train: bool = True,
        transform: Callable | None = None,
        target_transform: Callable | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        part = "train" if train else "t10k"
        names = [f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"]
        paths = [self._find(name) for name in names]
        if download and None in paths:
            self.download()
            paths = [self._find(name) for name in names]
        missing = [name for name, path in zip(names, paths) if path is None]
        if missing:
            raise RuntimeError(
                f"{type(self).__name__}: Dataset not found. Looked for {' and '.join(missing)}, gzipped (.gz) or raw, "
                "in " + ", ".join(str(folder) for folder in self._folders())
                + ". Put the official files there, or use download=True to download them."
            )
        self.data, self.targets = self._load(*paths)

    def _folders(self) -> list[Path]:
        root = Path(self.root).expanduser()
        return [root, root / type(self).__name__ / "raw", root / "raw"]

    @property
    def raw_folder(self) -> str:
        """Where downloaded files go."""
        return str(self._folders()[1])

    @property
    def class_to_idx(self) -> dict[str, int]:
        """The number of each class."""
        return {name: i for i, name in enumerate(self.classes)}

    def _find(self, name: str) -> Path | None:
        for folder in self._folders():
            for path in (folder / name, folder / (name + ".gz")):
                if path.is_file():
                    return path
        return None

    def _read(self, path: Path) -> Tensor:
        """Reads a file; a gzipped one must be the official one."""
        data = path.read_bytes()
        content = _decompress(data, path) if path.suffix == ".gz" else data
        if path.suffix == ".gz":
            zipped, plain = self.resources[path.name[: -len(".gz")]]
            found = _md5(data)
            if found != zipped and (plain is None or _md5(content) != plain):
                raise RuntimeError(
                    f"{path}: File not found or corrupted: its MD5 is {found}, that of the official file is {zipped}, "
                    "and its content is not the official one either. Fetch the file again."
                )
        return _parse_idx(content, path)

    def _load(self, images_path: Path, labels_path: Path) -> tuple[Tensor, Tensor]:
        images, labels = self._read(images_path), self._read(labels_path)
        if images.dim() != 3 or images.dtype != _tl.uint8:
            raise ValueError(f"{images_path}: 3 dims of uint8 are expected, not {list(images.shape)} of {images.dtype}")
        if labels.dim() != 1 or labels.dtype != _tl.uint8:
            raise ValueError(f"{labels_path}: 1 dim of uint8 is expected, not {list(labels.shape)} of {labels.dtype}")
        if len(images) != len(labels):
            raise ValueError(f"{len(images)} images in {images_path}, but {len(labels)} labels in {labels_path}")
        return images, labels.to(_tl.int64)

    def download(self) -> None:
        """Fetches the missing ones of the four files and checks their MD5."""
        from urllib.error import URLError
        from urllib.request import urlopen

        folder = Path(self.raw_folder)
        for name, (expected, _) in self.resources.items():
            if self._find(name) is not None:
                continue
            errors = []
            for mirror in self.mirrors:
                try:
                    with urlopen(f"{mirror}{name}.gz", timeout=60) as response:
                        data = response.read()
                except (URLError, OSError) as error:
                    errors.append(f"{mirror}: {error}")
                    continue
                if _md5(data) == expected:
                    folder.mkdir(parents=True, exist_ok=True)
                    (folder / f"{name}.gz").write_bytes(data)
                    break
                errors.append(f"{mirror}: the file differs from the official one")
            else:
                raise RuntimeError(f"Error downloading {name}.gz: " + "; ".join(errors))

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image: Any = self.data[index].numpy()
        target: Any = int(self.targets[index])
        pillow = _pillow()
        if pillow is not None:
            image = pillow.fromarray(image)
        if self.transform is not None:
            image = self.transform(image)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return image, target

    def _collated(self, indices: list[int]) -> list[Tensor] | None:
        """A batch of these samples with the bits that ``default_collate`` would give, without making the samples.

        None where each image must be made: only ``ToTensor``, perhaps normalised, is known to do the same to all.
        """
        from . import transforms

        steps = self.transform.transforms if type(self.transform) is transforms.Compose else [self.transform]
        known = (
            type(self).__getitem__ is MNIST.__getitem__
            and self.target_transform is None
            and len(steps) > 0
            and type(steps[0]) is transforms.ToTensor
            and all(type(step) is transforms.Normalize for step in steps[1:])
            and all(isinstance(t, Tensor) and t.device.type == "cpu" for t in (self.data, self.targets))
            and self.data.dtype == _tl.uint8
            and self.targets.dtype == _tl.int64
        )
        if not known:
            return None
        index = _tl.tensor(indices, dtype=_tl.int64, device="cpu")  # whatever the default device is
        images = self.data[index].unsqueeze(1).to(_tl.get_default_dtype()).div_(255)
        for step in steps[1:]:
            images = step(images)
        return [images, self.targets[index]]

    def __len__(self) -> int:
        return len(self.data)

    def extra_repr(self) -> str:
        return f"Split: {'Train' if self.train else 'Test'}"


class FashionMNIST(MNIST):
    """70,000 pictures of clothes of 28 x 28 pixels in ten classes (Xiao et al., 2017); see ``MNIST``."""

    mirrors = ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"]
    resources = {
        "train-images-idx3-ubyte": ("8d4fb7e6c68d591d4c3dfef9ec88bf0d", None),
        "train-labels-idx1-ubyte": ("25c81989df183df01b3e8a0aad5dffbe", None),
        "t10k-images-idx3-ubyte": ("bef4ecab320f06d8554ea6380940ec79", None),
        "t10k-labels-idx1-ubyte": ("bb300cfdad3c16e7a12a480ee83cd310", None),
    }
    classes = [
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    ]  # fmt: skip


class KMNIST(MNIST):
    """70,000 cursive Japanese characters of 28 x 28 pixels in ten classes (Clanuwat et al., 2018); see ``MNIST``."""

    mirrors = ["http://codh.rois.ac.jp/kmnist/dataset/kmnist/"]
    resources = {
        "train-images-idx3-ubyte": ("bdb82020997e1d708af4cf47b453dcf7", None),
        "train-labels-idx1-ubyte": ("e144d726b3acfaa3e44228e80efcd344", None),
        "t10k-images-idx3-ubyte": ("5c965bf0a639b31b8f53240b1b52f4d7", None),
        "t10k-labels-idx1-ubyte": ("7320c461ea6c1c855c0b718fb2a4b134", None),
    }
    classes = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]


_image_module: Any = False


def _pillow() -> Any:
    """Pillow's Image module, or None."""
    global _image_module
    if _image_module is False:
        try:
            from PIL import Image as _image_module
        except ImportError:
            _image_module = None
    return _image_module
