"""What pools images, gives them another size, or puts zeros between their pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..ir import Node
from ..sizes import known_product, window
from ..types import Shape
from .attributes import Flag, FloatPair, Pair, Sides, choice
from .layout_rules import IMAGE
from .shape_rules import from_image, image
from .spec import OpSpec


def _pool(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    n, h, w, c = image(inputs[0], channels_last)
    size = window((h, w), node.attributes["kernel"], node.attributes)
    return from_image(n, size, c, channels_last)


def _pool_cost(node: Node, inputs: Sequence[Shape]) -> int:
    return known_product(inputs[0]) * int(math.prod(node.attributes["kernel"]))


def _resize(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    n, _, _, c = image(inputs[0], channels_last)
    return from_image(n, tuple(node.attributes["size"]), c, channels_last)


def _zero_insert(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    n, h, w, c = image(inputs[0], channels_last)
    rows, columns = node.attributes["stride"]
    return from_image(n, ((h - 1) * rows + 1, (w - 1) * columns + 1), c, channels_last)


IMAGES = (
    OpSpec(
        "pool",
        "the maximum or the mean of each window; a mean may count the padding",
        _pool,
        attributes={
            "function": choice("max", "average"),
            "kernel": Pair(),
            "stride": Pair(),
            "dilation": Pair(),
            "padding": Sides(),
            "include_padding": Flag(required=False),
        },
        layout=IMAGE,
        folds=True,
        image=True,
        cost=_pool_cost,
        changes_nothing=lambda a: tuple(a["kernel"]) == tuple(a["stride"]) == (1, 1),
    ),
    OpSpec(
        "resize",
        "an image of another size (H, W); `scale` is output over input, as the file gives it",
        _resize,
        attributes={
            "function": choice("nearest", "linear", "cubic"),
            "coordinates": choice(
                "half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners"
            ),
            "rounding": choice(
                "round_prefer_floor", "round_prefer_ceil", "floor", "ceil", required=False
            ),
            "size": Pair(),
            "scale": FloatPair(),
        },
        layout=IMAGE,
        folds=True,
        image=True,
    ),
    OpSpec(
        "zero_insert",
        "zeros between pixels, which are `stride` apart afterwards; in files of older versions",
        _zero_insert,
        attributes={"stride": Pair()},
        layout=IMAGE,
        folds=True,
        image=True,
        changes_nothing=lambda a: tuple(a["stride"]) == (1, 1),
    ),
)
