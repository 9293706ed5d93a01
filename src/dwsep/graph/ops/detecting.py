"""What detectors end with: the best of boxes that overlap."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ShapeError
from ..ir import DType, Node, TensorType
from ..sizes import Shape, known_product, shown
from . import DTypes, OpSpec, float32_only, register
from .attributes import Flag, Float, Int


def _suppression(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    boxes, scores = inputs
    fits = len(boxes) == len(scores) == 3 and boxes[2] == 4
    if not fits or boxes[:2] != (scores[0], scores[2]) or None in (*boxes, *scores):
        wanted = "boxes (N, boxes, 4) and scores (N, classes, boxes) of known sizes"
        raise ShapeError(f"need {wanted}, got {shown(boxes)} and {shown(scores)}")
    most = node.attributes["most"]
    if not 0 <= most <= 2**31:
        raise ShapeError(f"most: need from 0 to 2**31, got {most}")
    return (known_product(scores[:2]) * min(most, boxes[1] or 0), 3)


def _places(node: Node, inputs: Sequence[TensorType]) -> DTypes:
    float32_only(node, inputs)
    return DType.INT64, None


register(
    OpSpec(
        "non_max_suppression",
        "rows of (image, class, box): for each image and class up to `most` boxes whose scores are "
        "above `least_score`, the highest first, without those that share more than `overlap` of "
        "what they cover together with one before; -1 in the rows that are left. Boxes are two "
        "corners (y, x, y, x), or where `centered` (x, y, width, height)",
        _suppression,
        inputs=("boxes", "scores"),
        attributes={
            "most": Int(),
            "overlap": Float(),
            "centered": Flag(),
            "least_score": Float(required=False),
        },
        dtype=_places,
    ),
)
