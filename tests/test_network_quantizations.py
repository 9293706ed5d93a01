"""Conversions to quantized values, and what values of networks stand for, on the core."""

from __future__ import annotations

import graph_oracle_types as oracle
import numpy as np
import pytest
from test_network_types import TYPES, run, same, values

from dwsep import _core

rng = np.random.default_rng(5)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32"])
@pytest.mark.parametrize("axis", [None, 1, 3])
def test_quantize(dtype, axis):
    x = 3 * rng.standard_normal((2, 9, 8, 65), np.float32)
    x.ravel()[:8] = [np.inf, -np.inf, 1e30, -1e30, 0.125, -0.125, 0.375, 0]
    count = 1 if axis is None else x.shape[axis]
    scale = np.float32(rng.uniform(0.01, 0.1, count))
    scale[0] = 0.25  # ties
    attributes = {"scale": [*map(float, scale)], "zero_point": [*range(3, 3 + count)]}
    attributes |= {} if axis is None else {"axis": axis}
    limits = {"to": dtype, **({"least": [0], "most": [65535]} if dtype == "int32" else {})}
    wanted = oracle.quantize(x, attributes | {k: np.ravel(v)[0] for k, v in limits.items()})
    y = run("quantize", [x], attributes | limits, 2)
    same(y, wanted.astype(dtype))
    same(run("dequantize", [y], attributes, 2), oracle.dequantize(y.astype(np.int64), attributes))


@pytest.mark.parametrize("magnitude", [1e-37, 1e-16, 1e-3, 1.0, 1e3, 1e16, 1e34])
def test_quotients_next_to_ties_are_rounded_as_a_division_is(magnitude):
    for scale in np.float32(magnitude * rng.uniform(1, 2, 20)):
        ties = (np.arange(-130, 130, dtype=np.float32) + np.float32(0.5)) * scale
        x = (ties.view(np.int32)[:, np.newaxis] + np.arange(-3, 4, dtype=np.int32)).view(np.float32)
        x = np.append(x.ravel(), np.float32([np.inf, -np.inf, 3e38, -3e38, 1e-45, 0]))
        attributes = {"to": "int8", "scale": [float(scale)], "zero_point": [-3]}
        with np.errstate(over="ignore"):
            wanted = np.clip(np.rint(np.clip(x / scale, -999, 999)) - 3, -128, 127)
        same(run("quantize", [x], attributes), wanted.astype(np.int8))


@pytest.mark.parametrize(("to", "least"), [("int8", -128), ("uint8", 0)])
def test_a_nan_is_quantized_to_the_least_value(to, least):
    attributes = {"scale": [1.0], "zero_point": [5], "to": to}
    x = np.float32([np.nan, 1, np.inf] * 40)
    assert run("quantize", [x], attributes).tolist() == [least, 6, least + 255] * 40


@pytest.mark.parametrize(
    ("attributes", "complaint"),
    [
        ({"scale": [0.0]}, "scale: need finite and positive numbers"),
        ({"scale": [1e-60]}, "scale: need finite and positive numbers"),
        ({"scale": [float("nan")]}, "scale: need finite and positive numbers"),
        ({"scale": [1.0, 2.0]}, "scale: need one number, got 2"),
        ({"scale": [1.0, 2.0], "axis": 0}, "zero_point: need 2 numbers, as many as scales, got 1"),
        ({"zero_point": [128]}, "zero_point: need numbers from -128 to 127, got 128"),
        ({"zero_point": [2**40]}, "zero_point: need numbers of 32 bits"),
        ({"scale": [1.0] * 2, "zero_point": [0] * 2, "axis": 0}, "scale: need 3 numbers, got 2"),
        ({"axis": 5}, "axis: need a value from -1 to 0, got 5"),
        ({"least": -129}, "least: need values from -128 to 127"),
        ({"least": 0, "most": -1}, "most: need values from 0 to 127"),
    ],
)
def test_scales_that_do_not_fit_are_named(attributes, complaint):
    given = {"to": "int8", "scale": [1.0], "zero_point": [0]} | attributes
    with pytest.raises(ValueError, match=complaint):
        run("quantize", [np.zeros(3, np.float32)], given)


@pytest.mark.parametrize(
    ("dtype", "quantization", "complaint"),
    [
        ("float32", ([1.0], [0], -1), "no quantization for type float32"),
        ("bool", ([1.0], [0], -1), "no quantization for type bool"),
        ("int8", ([], [], -1), "as many zero points as scales"),
        ("int8", ([1.0], [], -1), "as many zero points as scales"),
        ("int8", ([-1.0], [0], -1), "scales that are finite and positive"),
        ("uint8", ([1.0], [-1], -1), "zero points from 0 to 255, got -1"),
        ("int8", ([1.0, 2.0], [0, 0], -1), "1 scales, got 2"),
        ("int8", ([1.0, 2.0], [0, 0], 1), "3 scales, got 2"),
        ("int8", ([1.0, 2.0], [0, 0], 0), "one scale where a call decides the size"),
        ("int8", ([1.0], [0], 2), "an axis of the array, or -1"),
        ("int16", None, "dtype: need one of float32"),
    ],
)
def test_quantizations_of_inputs_have_to_fit(dtype, quantization, complaint):
    with pytest.raises(ValueError, match=complaint):
        _core.NetworkBuilder().input("x", (-1, 3), dtype, quantization)


def quantized_network():
    """Make x (uint8, quantized) -> float32, and a constant of int8 with scales for each row."""
    builder = _core.NetworkBuilder()
    x = builder.input("x", (-1, 4), "uint8", ([0.5], [7], -1))
    constant = builder.constant(values("int8", 3, 4), ([0.5, 0.25, 2.0], [1, 2, 3], 0))
    attributes = {"scale": [0.5], "zero_point": [7]}
    builder.output("y", builder.step("dequantize", "it", [x], attributes, {}))
    builder.output("moved", builder.step("identity", "same", [x], {}, {}))
    builder.output("constant", builder.step("identity", "constant", [constant], {}, {}))
    return builder.finish()


def test_quantizations_are_shown_and_saved():
    network = quantized_network()
    for n in (network, _core.Network.from_bytes(network.to_bytes())):
        assert n.inputs == [("x", (-1, 4), "uint8", ([0.5], [7], -1))]
        assert [o[2:] for o in n.outputs] == [
            ("float32", None),
            ("uint8", ([0.5], [7], -1)),
            ("int8", ([0.5, 0.25, 2.0], [1, 2, 3], 0)),
        ]


@pytest.mark.parametrize("dtype", TYPES)
def test_arrays_of_another_type_are_refused(dtype):
    network = quantized_network()
    x = values(dtype, 2, 4)
    if dtype == "uint8":
        y, moved, _ = network.run([x])
        same(moved, x)
        same(y, (x.astype(np.float32) - 7) * np.float32(0.5))
        same(network.run([np.asfortranarray(x)])[1], x)
        same(network.run([x[::-1, ::-1]])[1], x[::-1, ::-1])
    else:
        with pytest.raises(
            TypeError, match=f"'x': need a numpy.ndarray of uint8, got dtype {dtype}"
        ):
            network.run([x])
