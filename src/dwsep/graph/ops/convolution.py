"""Convolutions, fully connected layers, and the blocks that are made of them."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ShapeError
from ..ir import Node
from ..sizes import Shape, broadcast, checked, known_product, shown, window
from . import BYTES, OpSpec, Weights, check_channels, from_image, image, quantized, register
from .attributes import OPTIONAL_ACTIVATION, QUANTIZED_OUTPUT, Floats, Int, Ints, Pair, Sides

_WINDOW = {"stride": Pair(), "dilation": Pair(), "padding": Sides()}
_BIAS = Weights(("Cout",), required=False)
_SLOPE = {"slope": Weights(("Cout",), required=False)}  # multiplies what is negative in the end
# Of weights that are integers: real = weight_scale * (weight - weight_zero_point). Before the
# passes weights are the real numbers, and these say which integers they came from. A pointwise
# convolution of real numbers may have weights of int8 as well.
_SCALES = {
    "weight_scale": Weights(("Cout or 1",), required=False),
    "weight_zero_point": Weights(("Cout or 1",), required=False),
}
# An output of integers may be rounded to another int8 first, which `table` then maps to it.
_QUANTIZED = {
    **QUANTIZED_OUTPUT,
    "tabled_scale": Floats(required=False),
    "tabled_zero_point": Ints(required=False),
}
_QUANTIZED_WEIGHTS = {**_SCALES, "table": Weights(("256",), required=False)}


def _residual(shape: Shape, inputs: Sequence[Shape]) -> Shape:
    if len(inputs) > 1 and broadcast(shape, inputs[1]) != shape:
        raise ShapeError(f"a residual {shown(inputs[1])} does not fit {shown(shape)}")
    return shape


def _dense(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    shape = inputs[0]
    if not shape or shape[-1] is None:
        raise ShapeError(f"need a last axis of known size, got {shown(shape)}")
    taken, made = node.weights["weight"].shape[-2:]
    check_channels(taken, shape[-1])
    return _residual((*shape[:-1], made), inputs)


def _dense_cost(node: Node, inputs: Sequence[Shape]) -> int:
    return known_product(inputs[0]) * int(node.weights["weight"].shape[-1])


def _pointwise(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    if channels_last:
        return _dense(node, inputs, channels_last)
    n, h, w, c = image(inputs[0], channels_last)
    taken, made = node.weights["weight"].shape[-2:]
    check_channels(taken, c)
    return _residual(from_image(n, (h, w), made, channels_last), inputs)


def _conv(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    n, h, w, c = image(inputs[0], channels_last)
    kh, kw, taken, made = node.weights["weight"].shape
    groups = node.attributes.get("groups", 1)
    check_channels(taken * groups, c)
    if made % groups:
        raise ShapeError(f"{made} output channels do not divide into {groups} groups")
    size = window((h, w), (kh, kw), node.attributes)
    return _residual(from_image(n, size, made, channels_last), inputs)


def _depthwise(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    n, h, w, c = image(inputs[0], channels_last)
    kh, kw, taken, multiplier = node.weights["weight"].shape
    check_channels(taken, c)
    size = window((h, w), (kh, kw), node.attributes)
    return _residual(from_image(n, size, c * multiplier, channels_last), inputs)


def _block(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    n, h, w, c = image(inputs[0], channels_last)
    if "expand_weight" in node.weights:
        taken, c_expanded = node.weights["expand_weight"].shape[-2:]
        check_channels(taken, c)
        c = c_expanded
    kh, kw, taken, multiplier = node.weights["depthwise_weight"].shape
    check_channels(taken, c)
    size = window((h, w), (kh, kw), node.attributes)
    c *= multiplier
    if "reduce_weight" in node.weights:
        taken, reduced = node.weights["reduce_weight"].shape[-2:]
        check_channels(taken, c)
        taken, excited = node.weights["excite_weight"].shape[-2:]
        check_channels(taken, reduced)
        if excited != c:
            raise ShapeError(f"squeeze-excite of {excited} channels does not fit {c}")
    taken, made = node.weights["weight"].shape[-2:]
    check_channels(taken, c)
    return _residual(from_image(n, size, made, channels_last), inputs)


def _conv_transpose(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    n, h, w, c = image(inputs[0], channels_last)
    attributes = node.attributes
    kh, kw, taken, made = node.weights["weight"].shape
    check_channels(taken, c)
    groups = attributes.get("groups", 1)
    if c % groups:
        raise ShapeError(f"{c} channels do not divide into {groups} groups")
    # Before it is cropped the output may be too large.
    strides = zip((h, w), attributes["stride"], strict=True)
    spread = tuple((s - 1) * stride + 1 for s, stride in strides)
    checked(from_image(n, spread, c, channels_last))
    top, bottom, left, right = attributes["padding"]
    size = tuple(
        (s - 1) * stride + (k - 1) * dilation + 1 - pad + extra
        for s, k, stride, dilation, pad, extra in zip(
            (h, w),
            (kh, kw),
            attributes["stride"],
            attributes["dilation"],
            (top + bottom, left + right),
            attributes["output_padding"],
            strict=True,
        )
    )
    return from_image(n, size, made * groups, channels_last)


_SQUEEZE_EXCITE = {
    "reduce_weight": Weights(("C", "R"), required=False),
    "reduce_bias": Weights(("R",), required=False),
    "excite_weight": Weights(("R", "C"), required=False),
    "excite_bias": Weights(("C",), required=False),
}
_BLOCK_WEIGHTS = {
    "depthwise_weight": Weights(("KH", "KW", "C", "M")),
    "depthwise_bias": Weights(("C * M",), required=False),
    **_SQUEEZE_EXCITE,
    "weight": Weights(("C * M", "Cout")),
    "bias": _BIAS,
    **_SLOPE,
}
_BLOCK_ACTIVATIONS = dict.fromkeys(
    ("depthwise_activation", "reduce_activation", "excite_activation", "activation"),
    OPTIONAL_ACTIVATION,
)

_TRANSPOSED_WEIGHTS = {"weight": Weights(("KH", "KW", "Cin", "Cout / groups")), "bias": _BIAS}

register(
    OpSpec(
        "conv",
        "a convolution as files have it; becomes depthwise, pointwise or standard",
        _conv,
        inputs=("x", "[residual]"),
        attributes={**_WINDOW, "groups": Int(required=False), "activation": OPTIONAL_ACTIVATION},
        weights={
            "weight": Weights(("KH", "KW", "Cin / groups", "Cout")),
            "bias": _BIAS,
            **_SCALES,
        },
        layout="image",
        core=False,
        image=True,
    ),
    OpSpec(
        "conv_transpose",
        "a transposed convolution as files have it; becomes transposed, or conv with stride 1",
        _conv_transpose,
        attributes={
            **_WINDOW,
            "output_padding": Pair(),
            "groups": Int(required=False),
            "activation": OPTIONAL_ACTIVATION,
        },
        weights=_TRANSPOSED_WEIGHTS,
        layout="image",
        core=False,
        image=True,
    ),
    OpSpec(
        "dense",
        "a matrix of weights applied to the last axis; becomes pointwise",
        _dense,
        inputs=("x", "[residual]"),
        attributes={"activation": OPTIONAL_ACTIVATION},
        weights={"weight": Weights(("Cin", "Cout")), "bias": _BIAS, **_SCALES},
        layout="over_last_axis",
        core=False,
        computed_as="pointwise",
        folds=True,
        most_axes=4,
        cost=_dense_cost,
    ),
    OpSpec(
        "depthwise",
        "filters for each channel; output channel c * M + m is filter m of channel c",
        _depthwise,
        inputs=("x", "[residual]"),
        attributes={**_WINDOW, "activation": OPTIONAL_ACTIVATION, **_QUANTIZED},
        weights={
            "weight": Weights(("KH", "KW", "C", "M")),
            "bias": Weights(("C * M",), required=False),
            **_QUANTIZED_WEIGHTS,
        },
        dtype=quantized,
        integer=BYTES,
        image=True,
    ),
    OpSpec(
        "pointwise",
        "a matrix of weights applied to the channels; a residual is added before the activation",
        _pointwise,
        inputs=("x", "[residual]"),
        attributes={"activation": OPTIONAL_ACTIVATION, **_QUANTIZED},
        weights={
            "weight": Weights(("Cin", "Cout")),
            "bias": _BIAS,
            **_QUANTIZED_WEIGHTS,
            **_SLOPE,
        },
        dtype=quantized,
        integer=BYTES,
        most_axes=4,
    ),
    OpSpec(
        "standard",
        "a convolution over pixels and channels, in groups",
        _conv,
        inputs=("x", "[residual]"),
        attributes={
            **_WINDOW,
            "groups": Int(),
            "kernel": Pair(),
            "activation": OPTIONAL_ACTIVATION,
            **_QUANTIZED,
        },
        weights={
            "weight": Weights(("KH", "KW", "Cin / groups", "Cout")),
            "bias": _BIAS,
            **_QUANTIZED_WEIGHTS,
            **_SLOPE,
        },
        dtype=quantized,
        integer=BYTES,
        image=True,
    ),
    OpSpec(
        "transposed",
        "adds x[i] w[k] to output i * stride + k * dilation - padding",
        _conv_transpose,
        attributes={
            **_WINDOW,
            "output_padding": Pair(),
            "groups": Int(),
            "kernel": Pair(),
            "activation": OPTIONAL_ACTIVATION,
        },
        weights=_TRANSPOSED_WEIGHTS,
        image=True,
    ),
    OpSpec(
        "separable",
        "depthwise, then pointwise; in between the channels may be scaled by squeeze-excite",
        _block,
        inputs=("x", "[residual]"),
        attributes={**_WINDOW, **_BLOCK_ACTIVATIONS},
        weights=_BLOCK_WEIGHTS,
        image=True,
    ),
    OpSpec(
        "inverted_residual",
        "pointwise, then as separable",
        _block,
        inputs=("x", "[residual]"),
        attributes={**_WINDOW, "expand_activation": OPTIONAL_ACTIVATION, **_BLOCK_ACTIVATIONS},
        weights={
            "expand_weight": Weights(("Cin", "C")),
            "expand_bias": Weights(("C",), required=False),
            **_BLOCK_WEIGHTS,
        },
        image=True,
    ),
)
