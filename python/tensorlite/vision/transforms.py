"""Functions from images to images or tensors.

An image is a PIL image, a uint8 array of (H, W) or (H, W, C), or a tensor of (..., H, W).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorlite as _tl

Tensor = _tl.Tensor

__all__ = [
    "CenterCrop",
    "Compose",
    "ConvertImageDtype",
    "Grayscale",
    "Lambda",
    "Normalize",
    "PILToTensor",
    "Pad",
    "RandomApply",
    "RandomCrop",
    "RandomHorizontalFlip",
    "RandomVerticalFlip",
    "Resize",
    "ToPILImage",
    "ToTensor",
]


def _is_pil(image: Any) -> bool:
    return hasattr(image, "getbands")


def _as_array(image: Any) -> Any:
    """A PIL image or array as an array of (H, W, C)."""
    import numpy as np

    array = np.array(image, copy=True) if _is_pil(image) else image
    if not isinstance(array, np.ndarray):
        raise TypeError(f"pic should be PIL Image or ndarray. Got {type(image)}")
    if array.ndim not in (2, 3):
        raise ValueError(f"pic should be 2/3 dimensional. Got {array.ndim} dimensions.")
    return array[:, :, None] if array.ndim == 2 else array


def to_tensor(image: Any) -> Tensor:
    """A float32 tensor (C, H, W); uint8 pixels are divided by 255."""
    import numpy as np

    array = _as_array(image)
    if _is_pil(image) and image.mode == "1":
        array = array.astype(np.uint8) * 255
    array = np.ascontiguousarray(array.transpose(2, 0, 1))
    if array.dtype == np.uint16:
        array = array.astype(np.int32)
    if array.dtype == np.uint8:
        return _tl.from_numpy(array).to(_tl.get_default_dtype()).div_(255)
    return _tl.from_numpy(array)


def pil_to_tensor(image: Any) -> Tensor:
    """A tensor (C, H, W) of the image's own type."""
    import numpy as np

    return _tl.from_numpy(np.ascontiguousarray(_as_array(image).transpose(2, 0, 1)))


def to_pil_image(image: Any, mode: str | None = None) -> Any:
    """A PIL image of a tensor (C, H, W) or (H, W), or of an array (H, W, C) or (H, W); floats count from 0 to 1."""
    import numpy as np
    from PIL import Image

    if isinstance(image, Tensor):
        t = image.detach()
        if t.dim() == 2:
            t = t.unsqueeze(0)
        if t.dim() != 3:
            raise ValueError(f"pic should be 2/3 dimensional. Got {image.dim()} dimensions.")
        if t.is_floating_point() and mode != "F":
            t = (t * 255).to(_tl.uint8)
        array = t.cpu().numpy().transpose(1, 2, 0)
    else:
        array = np.asarray(image)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    return Image.fromarray(np.ascontiguousarray(array), mode) if mode else Image.fromarray(np.ascontiguousarray(array))


def normalize(tensor: Tensor, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> Tensor:
    """``(tensor - mean) / std`` for every channel of (..., C, H, W)."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"img should be Tensor Image. Got {type(tensor)}")
    if not tensor.is_floating_point():
        raise TypeError(f"Input tensor should be a float tensor. Got {tensor.dtype}.")
    if tensor.dim() < 3:
        raise ValueError(
            f"Expected tensor to be a tensor image of size (..., C, H, W). Got tensor.size() = {tensor.size()}"
        )
    if not inplace:
        tensor = tensor.clone()
    mean = _tl.as_tensor(mean, dtype=tensor.dtype, device=tensor.device)
    std = _tl.as_tensor(std, dtype=tensor.dtype, device=tensor.device)
    if 0 in std.reshape(-1).tolist():
        raise ValueError(f"std evaluated to zero after conversion to {tensor.dtype}, leading to division by zero.")
    if mean.dim() == 1:
        mean = mean.reshape(-1, 1, 1)
    if std.dim() == 1:
        std = std.reshape(-1, 1, 1)
    return tensor.sub_(mean).div_(std)


def _size(image: Any) -> tuple[int, int]:
    """(height, width)."""
    if _is_pil(image):
        return image.size[1], image.size[0]
    if isinstance(image, Tensor):
        return image.shape[-2], image.shape[-1]
    return image.shape[0], image.shape[1]


def _pair(size: Any) -> tuple[int, int]:
    if isinstance(size, int):
        return size, size
    size = tuple(size)
    return size if len(size) == 2 else (size[0], size[0])


def crop(image: Any, top: int, left: int, height: int, width: int) -> Any:
    """A part of an image; what lies outside is 0."""
    if _is_pil(image):
        return image.crop((left, top, left + width, top + height))
    h, w = _size(image)
    sides = [max(-left, 0), max(left + width - w, 0), max(-top, 0), max(top + height - h, 0)]
    if any(sides):
        image = pad(image, [sides[0], sides[2], sides[1], sides[3]])
        top, left = max(top, 0), max(left, 0)
    if isinstance(image, Tensor):
        return image[..., top : top + height, left : left + width]
    return image[top : top + height, left : left + width]


def pad(image: Any, padding: Any, fill: float = 0, padding_mode: str = "constant") -> Any:
    """Adds ``padding``: one int, (left/right, top/bottom) or (left, top, right, bottom)."""
    if isinstance(padding, int):
        padding = [padding] * 4
    elif len(padding) == 2:
        padding = [*padding, *padding]
    left, top, right, bottom = padding
    if isinstance(image, Tensor):
        from ..nn.functional import pad as pad_tensor

        mode = {"constant": "constant", "edge": "replicate", "reflect": "reflect"}[padding_mode]
        value = fill if mode == "constant" else None
        return pad_tensor(image, [left, right, top, bottom], mode, value)
    import numpy as np

    array = np.asarray(image)
    widths = [(top, bottom), (left, right)] + [(0, 0)] * (array.ndim - 2)
    options = {"constant_values": fill} if padding_mode == "constant" else {}
    array = np.pad(array, widths, padding_mode, **options)
    return to_pil_image(array) if _is_pil(image) else array


def _flip(image: Any, horizontal: bool) -> Any:
    if isinstance(image, Tensor):
        return image.flip(-1 if horizontal else -2)
    if _is_pil(image):
        from PIL import ImageOps

        return ImageOps.mirror(image) if horizontal else ImageOps.flip(image)
    return image[:, ::-1] if horizontal else image[::-1]


def resize(image: Any, size: Any) -> Any:
    """An image of (height, width), or with its shorter side of one int; PIL images bilinearly with antialiasing."""
    h, w = _size(image)
    if isinstance(size, int) or len(size) == 1:
        short = size if isinstance(size, int) else size[0]
        height, width = (short, int(short * w / h)) if h <= w else (int(short * h / w), short)
    else:
        height, width = size
    if (height, width) == (h, w):
        return image
    if isinstance(image, Tensor):
        from ..nn.functional import interpolate

        unbatched = image.dim() == 3
        x = image.unsqueeze(0) if unbatched else image
        x = interpolate(x.to(_tl.float32), (height, width), mode="bilinear", align_corners=False)
        if not image.is_floating_point():
            x = x.round()
        x = x.to(image.dtype)
        return x.squeeze(0) if unbatched else x
    picture = image if _is_pil(image) else to_pil_image(image)
    picture = picture.resize((width, height), 2)
    if _is_pil(image):
        return picture
    import numpy as np

    return np.array(picture)


class Compose:
    """Applies transforms one after another."""

    def __init__(self, transforms: Sequence[Callable]) -> None:
        self.transforms = transforms

    def __call__(self, image: Any) -> Any:
        for transform in self.transforms:
            image = transform(image)
        return image

    def __repr__(self) -> str:
        return "Compose(" + "".join(f"\n    {t}" for t in self.transforms) + "\n)"


class _Transform:
    """A transform whose printed form shows its options."""

    def __call__(self, image: Any) -> Any:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v}' for k, v in self.__dict__.items())})"


class ToTensor(_Transform):
    """A PIL image or array (H, W, C) as a float32 tensor (C, H, W); uint8 pixels are divided by 255."""

    def __call__(self, image: Any) -> Tensor:
        return to_tensor(image)


class PILToTensor(_Transform):
    """A PIL image as a tensor (C, H, W) of its own type."""

    def __call__(self, image: Any) -> Tensor:
        return pil_to_tensor(image)


class ToPILImage:
    """A tensor (C, H, W) or an array (H, W, C) as a PIL image."""

    def __init__(self, mode: str | None = None) -> None:
        self.mode = mode

    def __call__(self, image: Any) -> Any:
        return to_pil_image(image, self.mode)

    def __repr__(self) -> str:
        return f"ToPILImage({'' if self.mode is None else f'mode={self.mode}'})"


class ConvertImageDtype(_Transform):
    """A tensor in another dtype; integer dtypes span their whole range, floating ones 0 to 1."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype

    def __call__(self, image: Tensor) -> Tensor:
        if image.dtype == self.dtype:
            return image
        if self.dtype.is_floating_point:
            if image.is_floating_point():
                return image.to(self.dtype)
            return image.to(self.dtype) / _tl.iinfo(image.dtype).max
        if image.is_floating_point():
            return (image * (_tl.iinfo(self.dtype).max + 1.0 - 1e-3)).to(self.dtype)
        raise NotImplementedError(f"ConvertImageDtype: {image.dtype} to {self.dtype} is not there yet")


class Normalize(_Transform):
    """``(tensor - mean) / std`` for every channel."""

    def __init__(self, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> None:
        self.mean = mean
        self.std = std
        self.inplace = inplace

    def __call__(self, tensor: Tensor) -> Tensor:
        return normalize(tensor, self.mean, self.std, self.inplace)

    def __repr__(self) -> str:
        return f"Normalize(mean={self.mean}, std={self.std})"


class Lambda:
    """Any function."""

    def __init__(self, lambd: Callable) -> None:
        if not callable(lambd):
            raise TypeError(f"Argument lambd should be callable, got {type(lambd).__name__!r}")
        self.lambd = lambd

    def __call__(self, image: Any) -> Any:
        return self.lambd(image)

    def __repr__(self) -> str:
        return "Lambda()"


class Resize:
    """An image of (height, width), or with its shorter side of one int."""

    def __init__(self, size: Any, interpolation: Any = "bilinear", max_size: Any = None, antialias: Any = True) -> None:
        self.size = size
        self.interpolation = interpolation
        self.max_size = max_size
        self.antialias = antialias

    def __call__(self, image: Any) -> Any:
        return resize(image, self.size)

    def __repr__(self) -> str:
        return (
            f"Resize(size={self.size}, interpolation={self.interpolation}, max_size={self.max_size}, "
            f"antialias={self.antialias})"
        )


class CenterCrop:
    """The middle of an image, of (height, width)."""

    def __init__(self, size: Any) -> None:
        self.size = _pair(size)

    def __call__(self, image: Any) -> Any:
        h, w = _size(image)
        height, width = self.size
        return crop(image, round((h - height) / 2), round((w - width) / 2), height, width)

    def __repr__(self) -> str:
        return f"CenterCrop(size={self.size})"


class Pad(_Transform):
    """Adds a border."""

    def __init__(self, padding: Any, fill: float = 0, padding_mode: str = "constant") -> None:
        self.padding = padding
        self.fill = fill
        self.padding_mode = padding_mode

    def __call__(self, image: Any) -> Any:
        return pad(image, self.padding, self.fill, self.padding_mode)


class RandomCrop:
    """A random part of an image, of (height, width), after padding."""

    def __init__(
        self,
        size: Any,
        padding: Any = None,
        pad_if_needed: bool = False,
        fill: float = 0,
        padding_mode: str = "constant",
    ) -> None:
        self.size = _pair(size)
        self.padding = padding
        self.pad_if_needed = pad_if_needed
        self.fill = fill
        self.padding_mode = padding_mode

    @staticmethod
    def get_params(image: Any, output_size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Top, left, height and width of a part."""
        h, w = _size(image)
        height, width = output_size
        if h < height or w < width:
            raise ValueError(f"Required crop size {(height, width)} is larger than input image size {(h, w)}")
        if (h, w) == (height, width):
            return 0, 0, h, w
        top = _tl.randint(0, h - height + 1, size=(1,)).item()
        left = _tl.randint(0, w - width + 1, size=(1,)).item()
        return top, left, height, width

    def __call__(self, image: Any) -> Any:
        if self.padding is not None:
            image = pad(image, self.padding, self.fill, self.padding_mode)
        h, w = _size(image)
        if self.pad_if_needed and w < self.size[1]:
            image = pad(image, [self.size[1] - w, 0], self.fill, self.padding_mode)
        if self.pad_if_needed and h < self.size[0]:
            image = pad(image, [0, self.size[0] - h], self.fill, self.padding_mode)
        return crop(image, *self.get_params(image, self.size))

    def __repr__(self) -> str:
        return f"RandomCrop(size={self.size}, padding={self.padding})"


class RandomHorizontalFlip(_Transform):
    """Mirrors an image with probability ``p``."""

    def __init__(self, p: float = 0.5) -> None:
        self.p = p

    def __call__(self, image: Any) -> Any:
        return _flip(image, True) if _tl.rand(1).item() < self.p else image


class RandomVerticalFlip(_Transform):
    """Turns an image upside down with probability ``p``."""

    def __init__(self, p: float = 0.5) -> None:
        self.p = p

    def __call__(self, image: Any) -> Any:
        return _flip(image, False) if _tl.rand(1).item() < self.p else image


class RandomApply:
    """Applies transforms, all or none, with probability ``p``."""

    def __init__(self, transforms: Sequence[Callable], p: float = 0.5) -> None:
        self.transforms = transforms
        self.p = p

    def __call__(self, image: Any) -> Any:
        if self.p < _tl.rand(1).item():
            return image
        for transform in self.transforms:
            image = transform(image)
        return image

    def __repr__(self) -> str:
        return f"RandomApply(\n    p={self.p}" + "".join(f"\n    {t}" for t in self.transforms) + "\n)"


class Grayscale(_Transform):
    """A PIL image in grey, with 1 or 3 channels."""

    def __init__(self, num_output_channels: int = 1) -> None:
        self.num_output_channels = num_output_channels

    def __call__(self, image: Any) -> Any:
        if isinstance(image, Tensor):
            grey = image[..., 0:1, :, :] * 0.2989 + image[..., 1:2, :, :] * 0.587 + image[..., 2:3, :, :] * 0.114
            grey = grey.to(image.dtype)
            return grey if self.num_output_channels == 1 else _tl.cat([grey] * 3, -3)
        grey = image.convert("L")
        return grey if self.num_output_channels == 1 else grey.convert("RGB")
