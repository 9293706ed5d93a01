"""Read lines of text with PP-OCR's recogniser, in float32 and quantised to int8.

Run it with ``pip install ".[examples]" onnx matplotlib`` and ``pip install --no-deps
rapidocr-onnxruntime``, whose file of the network is all that is used of it, and ``python
examples/read_text.py --out lines.png``. Lines of random words are rendered with matplotlib's
fonts: some to calibrate with, others to read.

Y. Du et al., "PP-OCR: A Practical Ultra Lightweight OCR System", 2020, arXiv:2009.09941.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

import dwsep

Array = NDArray[np.float32]

HEIGHT, WIDTH = 48, 320
TEXT = (
    "the quick brown fox jumps over lazy dogs while seven wizards quietly mix jugs of liquid black "
    "quartz and boxing judges vow to price invoice number 2026 in Berlin Tokyo or Lisbon"
)
FONTS = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSerif.ttf", "DejaVuSansMono.ttf")


def packaged(package: str, name: str) -> Path:
    """Return a file of an installed package, without importing the package."""
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for path in Path(folder).rglob(name):
            return path
    sys.exit(f"read_text.py needs {name}: pip install the package {package.replace('_', '-')}")


def rendered(rng: np.random.Generator) -> tuple[str, Image.Image]:
    """Return a line of random words and its picture, which fits the network."""
    while True:
        text = " ".join(rng.choice(TEXT.split(), int(rng.integers(2, 5))))
        path = packaged("matplotlib", str(rng.choice(FONTS)))
        font = ImageFont.truetype(str(path), int(rng.integers(18, 38)))
        left, top, right, bottom = (round(n) for n in font.getbbox(text))
        size = (right - left + 8, bottom - top + 8)
        if size[0] * HEIGHT <= size[1] * WIDTH:
            paper, ink = int(rng.integers(180, 256)), int(rng.integers(0, 80))
            picture = Image.new("RGB", size, (paper,) * 3)
            ImageDraw.Draw(picture).text((4 - left, 4 - top), text, (ink,) * 3, font)
            return text, picture


def prepared(picture: Image.Image) -> Array:
    """Return a picture as the network takes it: from -1 to 1, zeros behind the end of the line."""
    width = min(WIDTH, round(picture.width * HEIGHT / picture.height))
    pixels = np.asarray(picture.resize((width, HEIGHT), Image.Resampling.BILINEAR), np.float32)
    x = np.zeros((1, 3, HEIGHT, WIDTH), np.float32)
    x[0, :, :, :width] = (pixels / 127.5 - 1).transpose(2, 0, 1)
    return x


def read(scores: Array, characters: list[str]) -> str:
    """Return the text of (positions, classes): of runs of one class one character, 0 is none."""
    best = scores.argmax(axis=-1)
    starts = np.concatenate([[True], best[1:] != best[:-1]]) & (best > 0)
    return "".join(characters[i - 1] for i in best[starts])


def main() -> None:
    """Quantise, read with both networks, and draw what was read."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=32, help="lines to calibrate with")
    parser.add_argument("--method", default="auto")
    parser.add_argument("--out", default="lines.png", help="the picture to draw")
    args = parser.parse_args()
    try:
        import onnx
    except ImportError:
        sys.exit("read_text.py needs onnx: pip install onnx")
    path = packaged("rapidocr_onnxruntime", "ch_PP-OCRv4_rec_infer.onnx")
    properties = {p.key: p.value for p in onnx.load(path).metadata_props}
    characters = [*properties["character"].splitlines(), " "]
    rng = np.random.default_rng(0)
    shapes = {"x": (None, 3, HEIGHT, WIDTH)}
    calibration = [prepared(rendered(rng)[1]) for _ in range(args.count)]
    quantized = dwsep.quantize(path, calibration, method=args.method, input_shapes=shapes)
    report = quantized.quantization_report
    assert report is not None
    print(report.summary())
    networks = {"float32": dwsep.load(path, input_shapes=shapes), "int8": quantized}
    lines = [rendered(rng) for _ in range(20)]
    sheet = Image.new("RGB", (WIDTH + 330, 24 * len(lines)), "white")
    right = dict.fromkeys(networks, 0)
    for row, (text, picture) in enumerate(lines):
        found = {
            name: read(net(prepared(picture))[0], characters) for name, net in networks.items()
        }
        for name, got in found.items():
            right[name] += got == text
        picture.thumbnail((WIDTH, 22))
        sheet.paste(picture, (0, 24 * row))
        ImageDraw.Draw(sheet).text((WIDTH + 10, 24 * row + 5), found["int8"], "black")
    sheet.save(args.out)
    print(", ".join(f"{name}: {count} of {len(lines)} lines" for name, count in right.items()))


if __name__ == "__main__":
    main()
