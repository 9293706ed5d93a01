"""What pools images, gives them another size, or puts zeros between their pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...errors import ShapeError
from ..ir import DType, Node, TensorType
from ..sizes import Shape, known_product, window
from . import (
    BYTES,
    DTypes,
    OpSpec,
    float32_only,
    from_image,
    image,
    of_integers,
    register,
    same_type,
)
from .attributes import ONE_SCALE, Flag, FloatPair, Pair, Sides, choice


def _pool(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    n, h, w, c = image(inputs[0], channels_last)
    size = window((h, w), node.attributes["kernel"], node.attributes)
    return from_image(n, size, c, channels_last)


def _pool_type(node: Node, inputs: Sequence[TensorType]) -> DTypes:
    if inputs[0].dtype not in BYTES or node.attributes["function"] == "average":
        type_ = of_integers(node, inputs)
        away = inputs[0].dtype in BYTES and node.attributes.get("ties") == "away"
        if away and type_ != (inputs[0].dtype, inputs[0].quantization):
            raise ShapeError("means of which half is rounded away from zero keep what integers are")
        return type_
    if node.attributes.get("to") is not None:
        raise ShapeError("a maximum keeps what integers stand for")
    return same_type(node, inputs)


def _pool_cost(node: Node, inputs: Sequence[Shape]) -> int:
    return known_product(inputs[0]) * int(math.prod(node.attributes["kernel"]))


def _resize(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    n, _, _, c = image(inputs[0], channels_last)
    return from_image(n, tuple(node.attributes["size"]), c, channels_last)


def _resize_type(node: Node, inputs: Sequence[TensorType]) -> DTypes:
    quantization = inputs[0].quantization
    if inputs[0].dtype is DType.FLOAT32 or node.attributes["function"] == "cubic":
        return float32_only(node, inputs)
    if inputs[0].dtype not in BYTES or quantization is None or quantization.axis is not None:
        raise ShapeError(f"need float32, or int8 or uint8 of one scale, got {inputs[0]}")
    return same_type(node, inputs)


def _zero_insert(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    n, h, w, c = image(inputs[0], channels_last)
    rows, columns = node.attributes["stride"]
    return from_image(n, ((h - 1) * rows + 1, (w - 1) * columns + 1), c, channels_last)


register(
    OpSpec(
        "pool",
        "the maximum or the mean of each window; a mean may count the padding; of integers it is "
        "rounded half to even or half away from zero, or computed tap by tap in float32 and "
        "rounded with the zero point in it",
        _pool,
        attributes={
            "function": choice("max", "average"),
            "kernel": Pair(),
            "stride": Pair(),
            "dilation": Pair(),
            "padding": Sides(),
            "include_padding": Flag(required=False),
            "ties": choice("even", "away", "zero_first", required=False),
            **ONE_SCALE,
        },
        dtype=_pool_type,
        layout="image",
        folds=True,
        image=True,
        cost=_pool_cost,
        changes_nothing=lambda a: tuple(a["kernel"]) == tuple(a["stride"]) == (1, 1),
        integer=BYTES,
        moves_values=lambda a: a["function"] == "max",
    ),
    OpSpec(
        "resize",
        "an image of another size (H, W); `scale` is output over input, as the file gives it; "
        "linear weights of integers have 11 bits",
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
        dtype=_resize_type,
        layout="image",
        folds=True,
        image=True,
        integer=BYTES,
        moves_values=lambda a: a["function"] == "nearest",
    ),
    OpSpec(
        "zero_insert",
        "zeros between pixels, which are `stride` apart afterwards; in files of older versions",
        _zero_insert,
        attributes={"stride": Pair()},
        layout="image",
        folds=True,
        image=True,
        changes_nothing=lambda a: tuple(a["stride"]) == (1, 1),
    ),
)
