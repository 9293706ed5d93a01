"""Normalisations over channels or an axis."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ShapeError
from ..ir import Node, TensorType
from ..sizes import Shape, axis_of, shown
from . import BYTES, DTypes, OpSpec, Weights, check_channels, of_integers, register
from .attributes import ONE_SCALE, Flag, Float, Int


def _batch_norm(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    shape = inputs[0]
    if len(shape) < 2:
        raise ShapeError(f"need an axis of channels, got {shown(shape)}")
    channels = shape[-1 if channels_last else 1]
    for name in ("scale", "shift"):
        check_channels(node.weights[name].size, channels or 0)
    return shape


def _layer_norm(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    if not inputs[0]:
        raise ShapeError("need at least one axis, got ()")
    sizes = [node.weights[name].size for name in ("scale", "shift")]
    for size in sizes if sizes != [1, 1] else ():
        check_channels(size, inputs[0][-1] or 0)
    return inputs[0]


def _softmax(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    axis_of(node.attributes["axis"], inputs[0])
    return inputs[0]


def _softmax_type(node: Node, inputs: Sequence[TensorType]) -> DTypes:
    if inputs[0].dtype in BYTES and node.attributes.get("log"):
        raise ShapeError("the logarithm does not take integers")
    return of_integers(node, inputs)


register(
    OpSpec(
        "batch_norm",
        "x * scale + shift for each channel; folded into convolutions, or becomes binary",
        _batch_norm,
        weights={"scale": Weights(("C",)), "shift": Weights(("C",))},
        layout="image",
        core=False,
        image=True,
    ),
    OpSpec(
        "layer_norm",
        "(x - mean) / sqrt(variance + epsilon) * scale + shift over the last axis; C may be 1",
        _layer_norm,
        attributes={"epsilon": Float()},
        weights={"scale": Weights(("C",)), "shift": Weights(("C",))},
        layout="over_last_axis",
        folds=True,
    ),
    OpSpec(
        "softmax",
        "exp(x) / sum(exp(x)) along an axis, or its logarithm",
        _softmax,
        attributes={"axis": Int(), "log": Flag(required=False), **ONE_SCALE},
        dtype=_softmax_type,
        layout="along_axis",
        folds=True,
        integer=BYTES,
    ),
)
