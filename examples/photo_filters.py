"""Filter a photograph with depthwise and separable convolutions and check the result against SciPy.

Run it with ``pip install ".[examples]"`` and ``python examples/photo_filters.py --out sheet.png``.
Every filter of image processing that treats the colours alike is a depthwise convolution, and one
that mixes them afterwards is a separable one. What comes out is compared, number by number, with
scipy.ndimage in float64; the bound of the error is derived from the filter, not chosen to fit.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage
from sklearn.datasets import load_sample_image

import dwsep

Array = NDArray[np.float32]
Exact = NDArray[np.float64]

UNIT_ROUNDOFF = 2.0**-24
DEFAULT_OUT = Path(__file__).resolve().parent.parent / "docs" / "images" / "photo_filters.png"
# The part of the photograph that the sheet shows, at its own size.
ROWS, COLUMNS = slice(70, 270), slice(60, 380)
CAPTION_HEIGHT = 16


@dataclass(frozen=True)
class Result:
    """A filtered picture, its distance from the float64 one and how far it may be."""

    name: str
    picture: Array
    error: float
    bound: float
    within: bool


def gaussian(sigma: float, radius: int) -> Array:
    """Weights of a Gaussian blur, (size, size), summing to one."""
    line = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    return (np.outer(line, line) / line.sum() ** 2).astype(np.float32)


def per_channel(*kernels: Array) -> Array:
    """Repeat the kernels for three colours: depthwise weights (KH, KW, 3, len(kernels))."""
    return np.ascontiguousarray(np.stack([np.stack(kernels, -1)] * 3, axis=2))


def gamma(terms: int) -> float:
    """Bound of the relative error of a float32 dot product of so many terms (Higham, 2002)."""
    return terms * UNIT_ROUNDOFF / (1 - terms * UNIT_ROUNDOFF)


def correlate(x: NDArray[np.floating], w: Array) -> Exact:
    """scipy.ndimage's depthwise correlation in float64, zero outside the picture."""
    outputs = [
        ndimage.correlate(x[..., c].astype(np.float64), w[..., c, m], mode="constant")
        for c in range(w.shape[2])
        for m in range(w.shape[3])
    ]
    return np.stack(outputs, axis=-1)


def check(name: str, y: Array, exact: Exact, bound: Exact, picture: Array | None = None) -> Result:
    """Compare `y` with `exact`, number by number; `picture` is what the sheet shows of it."""
    error = np.abs(y - exact)
    shown = y if picture is None else picture
    return Result(name, shown, float(error.max()), float(bound.max()), bool((error <= bound).all()))


def depthwise(name: str, photo: Array, kernel: Array) -> Result:
    """One kernel for all colours."""
    w = per_channel(kernel)
    y = dwsep.depthwise_conv2d(photo, w, padding="same")
    return check(name, y, correlate(photo, w), gamma(kernel.size) * correlate(photo, np.abs(w)))


def edges(photo: Array) -> Result:
    """Gradient by Sobel's kernels: a depthwise convolution with two outputs for each colour."""
    across = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], np.float32) / 4
    w = per_channel(across, np.ascontiguousarray(across.T))
    y = dwsep.depthwise_conv2d(photo, w, padding="same")
    bound = gamma(across.size) * correlate(photo, np.abs(w))
    magnitude = np.hypot(y[..., 0::2], y[..., 1::2])
    return check("Sobel magnitude", y, correlate(photo, w), bound, magnitude)


def separable(name: str, photo: Array, kernel: Array, colours: Array) -> Result:
    """Blur each colour, then mix them by the matrix `colours`, (in, out), in one call."""
    w = per_channel(kernel)
    y = dwsep.separable_conv2d(photo, w, colours, padding="same")
    exact = correlate(photo, w) @ colours.astype(np.float64)
    # The first sum's error is mixed by the second, which adds its own.
    first, second = gamma(kernel.size), gamma(len(colours))
    bound = (first + second * (1 + first)) * (correlate(photo, np.abs(w)) @ np.abs(colours))
    return check(name, y, exact, bound)


def results(photo: Array) -> list[Result]:
    """All filters of the sheet."""
    sharpen = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], np.float32)
    luma = np.repeat(np.array([[0.299], [0.587], [0.114]], np.float32), 3, axis=1)
    sepia = np.array(
        [[0.393, 0.349, 0.272], [0.769, 0.686, 0.534], [0.189, 0.168, 0.131]], np.float32
    )
    return [
        depthwise("Gaussian blur, 9x9", photo, gaussian(2.0, 4)),
        edges(photo),
        depthwise("sharpened, 3x3", photo, sharpen),
        separable("blur, then luma", photo, gaussian(0.8, 2), luma),
        separable("blur, then sepia", photo, gaussian(0.8, 2), sepia),
    ]


def contact_sheet(pictures: dict[str, Array], across: int = 3) -> Image.Image:
    """Place the pictures side by side, each under its name."""
    height, width = ROWS.stop - ROWS.start, COLUMNS.stop - COLUMNS.start
    down = -(-len(pictures) // across)
    sheet = Image.new("RGB", (across * width, down * (height + CAPTION_HEIGHT)), "white")
    draw = ImageDraw.Draw(sheet)
    for index, (name, picture) in enumerate(pictures.items()):
        left, top = index % across * width, index // across * (height + CAPTION_HEIGHT)
        crop = np.clip(picture[ROWS, COLUMNS], 0, 1)
        sheet.paste(
            Image.fromarray((crop * 255).round().astype(np.uint8)), (left, top + CAPTION_HEIGHT)
        )
        draw.text((left + 4, top + 2), name, fill="black")
    # 256 colours keep the file small enough for a page.
    return sheet.quantize(256)


def main() -> int:
    """Write the sheet, print the errors; status 1 if one of them is larger than it may be."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--photo", choices=["china.jpg", "flower.jpg"], default="china.jpg")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, help="PNG file to write")
    args = parser.parse_args()

    photo = load_sample_image(args.photo).astype(np.float32) / np.float32(255)
    done = results(photo)
    print(f"{'filter':<20} {'largest error':>14} {'its bound':>12}")
    for result in done:
        verdict = "" if result.within else "  OUT OF BOUND"
        print(f"{result.name:<20} {result.error:>14.2e} {result.bound:>12.2e}{verdict}")

    args.out.parent.mkdir(parents=True, exist_ok=True)
    contact_sheet({"photograph": photo, **{r.name: r.picture for r in done}}).save(
        args.out, optimize=True
    )
    print(f"wrote {args.out} ({args.out.stat().st_size // 1024} KB)")
    return 0 if all(result.within for result in done) else 1


if __name__ == "__main__":
    raise SystemExit(main())
