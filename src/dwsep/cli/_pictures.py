"""From pictures to the arrays that networks for images take."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dwsep import Quantization

    Array = NDArray[np.float32]

__all__ = ["PRESETS", "RESIZES", "Preparation", "Preset", "add_options", "picture_axes"]

RESIZES = ("bilinear", "bicubic", "lanczos", "box", "nearest")


@dataclass(frozen=True)
class Preset:
    """How pixels from 0 to 255 become numbers: (pixel * scale - mean) / std, for each channel."""

    scale: float = 1 / 255
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    crop: float | None = None


PRESETS = {
    "none": Preset(),
    # From 0 to 1, then by mean and deviation of ImageNet; the picture's shorter side becomes 256
    # where the network takes 224 pixels.
    "torchvision": Preset(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), crop=224 / 256),
    # From -1 to 1, stretched.
    "keras": Preset(scale=1 / 127.5, mean=(1.0,)),
}


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"need a number, or one for each channel such as 0.5,0.4,0.4, got {text!r}"
        ) from None


def _deviations(text: str) -> tuple[float, ...]:
    numbers = _numbers(text)
    if not all(n > 0 for n in numbers):
        raise argparse.ArgumentTypeError(f"need positive numbers, got {text!r}")
    return numbers


def _fraction(text: str) -> float:
    numbers = _numbers(text)
    if len(numbers) != 1 or not 0 < numbers[0] <= 1:
        raise argparse.ArgumentTypeError(f"need a number above 0 and at most 1, got {text!r}")
    return numbers[0]


def _size(text: str) -> tuple[int, int]:
    parts = text.lower().split("x")
    if len(parts) > 2 or not all(p.isdecimal() and int(p) > 0 for p in parts):
        raise argparse.ArgumentTypeError(f"need a size such as 224 or 192x256, got {text!r}")
    return int(parts[0]), int(parts[-1])


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare how pictures are read."""
    group = parser.add_argument_group(
        "pictures",
        "A picture is turned upright, resized, and its pixels become (pixel * scale - mean) / std.",
    )
    group.add_argument(
        "--preset",
        choices=sorted(PRESETS),
        default="none",
        help="scale, mean, std and crop: none (0 to 1), torchvision (ImageNet's mean and"
        " deviation, crop 0.875), keras (-1 to 1)",
    )
    group.add_argument("--scale", type=float, help="default: 1/255")
    group.add_argument("--mean", type=_numbers, metavar="M[,M,M]", help="default: 0")
    group.add_argument("--std", type=_deviations, metavar="S[,S,S]", help="default: 1")
    group.add_argument(
        "--resize",
        choices=RESIZES,
        default="bilinear",
        help="Pillow's filters, which average where they make smaller; default: bilinear",
    )
    group.add_argument(
        "--crop",
        type=_fraction,
        metavar="FRACTION",
        help="cut the centre out of a picture whose shorter side is the network's size divided"
        " by this; default: stretch the whole picture",
    )
    group.add_argument(
        "--background",
        default="white",
        metavar="COLOUR",
        help="what shows through transparent pictures: a name, #rrggbb or another of Pillow's"
        " ways to say a colour; default: white",
    )
    group.add_argument(
        "--size",
        type=_size,
        metavar="HxW",
        help="size of the images, where an ONNX file leaves it open or allows others",
    )
    group.add_argument(
        "--layout",
        choices=["NCHW", "NHWC"],
        help="where the network's input has its channels; default: the axis with 1 or 3 of them",
    )


def picture_axes(shape: Sequence[int | None], layout: str | None) -> str:
    """Return the layout of an input that takes pictures.

    Raises
    ------
    ValueError
        If it is ambiguous, or a picture cannot go there.
    """
    if len(shape) != 4:
        raise ValueError(f"pictures need an input with 4 axes, got {tuple(shape)}")
    fits = [name for name, axis in (("NCHW", 1), ("NHWC", 3)) if shape[axis] in (1, 3)]
    if layout is None and len(fits) != 1:
        raise ValueError(f"the channel axis of {tuple(shape)} is ambiguous: give --layout")
    chosen = layout or fits[0]
    if chosen not in fits:
        raise ValueError(f"pictures need an input with 1 or 3 channels, got {tuple(shape)}")
    return chosen


@dataclass(frozen=True)
class Preparation:
    """Turns a picture file into an array (H, W, C) of a given size."""

    preset: Preset
    resize: str
    background: str = "white"

    @classmethod
    def of(cls, args: argparse.Namespace) -> Preparation:
        """Read the options that `add_options` declared."""
        given = PRESETS[args.preset]
        return cls(
            Preset(
                given.scale if args.scale is None else args.scale,
                args.mean or given.mean,
                args.std or given.std,
                args.crop or given.crop,
            ),
            args.resize,
            args.background,
        )

    def __call__(
        self,
        path: str,
        height: int,
        width: int,
        channels: int,
        quantization: Quantization | None = None,
    ) -> NDArray[Any]:
        """Read a picture, as float32 or as what a quantization makes of that.

        A pixel of 8 bits has 256 values: what each becomes is looked up, in the type of the result.

        Raises
        ------
        ImportError
            If Pillow is missing.
        OSError, ValueError
            If it is no picture, or one that does not fit.
        """
        import numpy as np

        picture = self._fitted(_flat(path, channels, self.background), height, width)
        pixels = np.asarray(picture).reshape(height, width, -1)
        if pixels.dtype != np.uint8:
            grey = np.broadcast_to(pixels.astype(np.float32), (height, width, channels))
            return self._numbers(grey, quantization)
        each = np.repeat(np.arange(256, dtype=np.float32), channels).reshape(256, channels)
        table = self._numbers(each, quantization)
        return np.stack([table[pixels[..., c], c] for c in range(channels)], axis=-1)

    def _numbers(self, pixels: Array, quantization: Quantization | None) -> NDArray[Any]:
        """Return what pixels become, the last axis being that of the channels."""
        import numpy as np

        mean, std = (
            np.asarray(_per_channel(name, numbers, pixels.shape[-1]), np.float32)
            for name, numbers in (("mean", self.preset.mean), ("std", self.preset.std))
        )
        result: Array = (pixels * np.float32(self.preset.scale) - mean) / std
        return result if quantization is None else quantization.quantize(result)

    def size_of(self, path: str) -> tuple[int, int]:
        """Return the height and width of a picture that is turned upright."""
        picture = _flat(path, 3, self.background)
        return picture.height, picture.width

    def _fitted(self, picture: Any, height: int, width: int) -> Any:
        method = getattr(_pillow().Resampling, self.resize.upper())
        if self.preset.crop is None:
            return picture.resize((width, height), method)
        # The part of the original that the crop will show: resized at once, so that no pixel is
        # computed that is cut away.
        scale = min(picture.width / width, picture.height / height) * self.preset.crop
        left, right = _middle(width * scale, picture.width)
        top, bottom = _middle(height * scale, picture.height)
        return picture.resize((width, height), method, (left, top, right, bottom))


def _middle(part: float, size: int) -> tuple[float, float]:
    """Where the middle part of an axis begins and ends.

    The product of two rounded quotients may exceed the size by a rounding, which Pillow refuses, as
    it does a box whose sides meet in its float32.
    """
    part = min(max(part, size * 2.0**-20), float(size))
    return (size - part) / 2, (size + part) / 2


def _per_channel(name: str, numbers: tuple[float, ...], channels: int) -> tuple[float, ...]:
    if len(numbers) not in (1, channels):
        raise ValueError(f"{name}: need 1 or {channels} numbers, got {len(numbers)}")
    return numbers * channels if len(numbers) == 1 else numbers


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            "reading pictures needs the package Pillow: pip install 'dwsep[image]'", name="PIL"
        ) from error
    return Image


def _flat(path: str, channels: int, background: str) -> Any:
    """Read a picture without alpha, of mode L or RGB, or F from 0 to 255 for grey of 16 bits."""
    picture, form = _upright(path)
    image = _pillow()
    from PIL import ImageColor

    try:
        colour = ImageColor.getrgb(background)[:3]
    except ValueError as error:
        raise ValueError(f"background: {error}") from None
    # Pillow 10 reads grey PNGs of 16 bits as I.
    if picture.mode.startswith("I;16") or (picture.mode == "I" and form == "PNG"):
        return _grey16(picture, image.new("RGB", (1, 1), colour).convert("L").getpixel((0, 0)))
    if picture.mode.startswith(("I", "F")):
        raise ValueError(
            f"need 8 bits a channel, or 16 of grey, got mode {picture.mode}, whose range no file"
            f" says: {path}"
        )
    if picture.mode == "La":  # what Pillow makes nothing else of
        picture = picture.convert("LA")
    if picture.mode in ("RGBA", "LA", "PA", "RGBa") or "transparency" in picture.info:
        below = image.new("RGBA", picture.size, (*colour, 255))
        picture = image.alpha_composite(below, picture.convert("RGBA"))
    return picture.convert("RGB" if channels == 3 else "L")


def _grey16(picture: Any, background: int) -> Any:
    import numpy as np

    pixels = np.asarray(picture).astype(np.float32)  # native, whatever the file's byte order
    transparent = picture.info.get("transparency")
    if isinstance(transparent, int):
        pixels[pixels == transparent] = 257 * background
    return _pillow().fromarray(pixels / np.float32(257))


def _upright(path: str) -> tuple[Any, str | None]:
    """Read a picture, turned as the camera was held, and return the file's format."""
    image = _pillow()
    from PIL import ImageOps

    try:
        with image.open(path) as opened:
            return ImageOps.exif_transpose(opened), opened.format
    except OSError:
        raise
    except Exception as error:  # decoders of damaged files raise whatever they come across
        raise ValueError(f"cannot read {path}: {error}") from None
