"""Steps on int8 and uint8 that do not fit: the errors name what."""

from __future__ import annotations

import numpy as np
import pytest
from int8_tensors import build, output_attributes

from dwsep import _core


@pytest.mark.parametrize(
    ("kind", "dtypes", "attributes", "complaint"),
    [
        ("binary", ("int8", "float32"), {"function": "add"}, "input 1: need type int8 or uint8"),
        ("binary", ("float32", "int8"), {"function": "add"}, "input 1: need type float32, got"),
        ("binary", ("float32",) * 2, {"function": "add", "to": "int8"}, "to: need none unless"),
        ("binary", ("int8",) * 2, {"function": "div"}, "one of add, sub, mul where"),
        ("binary", ("int8",) * 2, {"function": "add", "activation": "tanh"}, "that is a clip"),
        ("pool", ("int8",), {"function": "max", "to": "int8"}, "none for a maximum"),
        ("pool", ("int8",), {"function": "average", "ties": "away"}, "'even' where x and y"),
        ("reduce", ("int8",), {"function": "sum"}, "'mean' where inputs are integers"),
        ("softmax", ("int8",), {"log": 1}, "log: need 0 where inputs are integers"),
        ("resize", ("int8",), {"function": "cubic"}, "input 0: need type float32, got int8"),
        ("table", ("int8",), {"values": [0] * 255, "to": "int8"}, "values: need 256 numbers"),
        ("table", ("int8",), {"values": [128] * 256, "to": "int8"}, "numbers from -128 to 127"),
        ("table", ("float32",), {"values": [1] * 256, "to": "int8"}, "type int8 or uint8"),
        ("reinterpret", ("float32",), {"scale": [1.0], "zero_point": [0]}, "type int8 or uint8"),
        ("reinterpret", ("int8",), {"scale": [1.0], "zero_point": [128]}, "from -128 to 127"),
    ],
)
def test_what_does_not_fit_is_named(kind, dtypes, attributes, complaint):
    square = {key: [1, 1] for key in ("kernel", "stride", "dilation")}
    more = {
        "pool": {**square, "padding": [0] * 4},
        "reduce": {"axes": [1], "keepdims": [1]},
        "softmax": {"axis": 1},
        "resize": {"size": [3, 3], "scale": [1.0, 1.0], "coordinates": "asymmetric"},
    }.get(kind, {})
    if "to" in attributes:
        more |= {"scale": [1.0], "zero_point": [0]}
    builder = _core.NetworkBuilder()
    shape = (1, 3, 3, 4)
    numbers = [
        builder.input(str(i), shape, d, None if d == "float32" else ([0.5], [1], -1))
        for i, d in enumerate(dtypes)
    ]
    with pytest.raises(ValueError, match=complaint):
        builder.step(kind, "it", numbers, attributes | more, {})


def test_means_over_channels_are_refused():
    attributes = {"function": "mean", "axes": [-1], "keepdims": [1]}
    with pytest.raises(ValueError, match="axes: need one or two but the last"):
        build("reduce", [(np.zeros((1, 2, 3), np.int8), (0.5, 1))], attributes)


@pytest.mark.parametrize(
    ("kind", "attributes", "complaint"),
    [
        ("reduce", {"function": "mean", "axes": [1, 2], "keepdims": [1]}, "8388608 values"),
        ("pool", {"function": "average", "kernel": [4096, 4096]}, "8388608 pixels"),
        ("pool", {"function": "average", "kernel": [256, 255], "ties": "away"}, "65000 pixels"),
        (
            "pool",
            {
                "function": "average",
                "kernel": [1, 65001],
                "padding": [0, 0, 0, 65001],
                "include_padding": [1],
                "ties": "away",
            },
            "65000 pixels",
        ),
    ],
)
def test_means_of_more_than_int32_holds_are_refused(kind, attributes, complaint):
    window = {"stride": [1, 1], "dilation": [1, 1], "padding": [0] * 4} if kind == "pool" else {}
    out = output_attributes((0.5, 1, "int8"))
    builder = _core.NetworkBuilder()
    x = builder.input("x", (-1, 4096, 4096, 1), "int8", ([0.5], [1], -1))
    builder.output("y", builder.step(kind, "it", [x], {**window, **attributes, **out}, {}))
    with pytest.raises(ValueError, match=f"need at most {complaint} of int8"):
        builder.finish()


def test_scales_whose_quotient_is_no_float_are_refused():
    x = (np.zeros((1, 4), np.int8), (1e30, 0))
    attributes = {"function": "mul", **output_attributes((1e-20, 0, "int8"))}
    with pytest.raises(ValueError, match="scale: need one that float32 holds"):
        build("binary", [x, x], attributes)
