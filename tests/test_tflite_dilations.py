"""Dilated convolutions as Keras writes them to TFLite files: of images that are divided."""

from __future__ import annotations

import numpy as np
import pytest
from tflite_models import f
from tflite_writer import constant, model, tensor

import dwsep
from dwsep.errors import InvalidModelError, UnsupportedOperatorError

OPTIONS = {"stride_w": 1, "stride_h": 1, "padding": 1}


def sides_of(size, kernel, d):
    """Return padding as TensorFlow has it, more of it to divide by d, and what that must crop."""
    total = (kernel - 1) * d
    before, more = total // 2, -(size + total) % d
    return [before, total - before + more], [0, more]


def divided(kind, shape, w, block, pads, crops, **changes):
    """Return a file: division, convolution, and what joins; for one size images of one row."""
    c = shape[-1]
    out = w.shape[3] if kind == "DEPTHWISE_CONV_2D" else w.shape[0]
    between = [tensor(name, (-1,) * 4) for name in ("d", "e", "y4")]
    if len(block) == 1:
        between = [tensor("d", (-1, -1, c)), tensor("e", (-1, 1, -1, c)), tensor("y4", (-1,) * 4)]
        between += [tensor("y3", (-1, -1, out)), constant("axis", np.int32(-3))]
        between.append(constant("to", np.int32([-1, changes.pop("length"), out])))
    tensors = [
        tensor("x", shape),
        constant("w", w),
        constant("b", f(out)),
        constant("block", np.int32(block)),
        constant("pads", np.int32(pads)),
        constant("crops", np.int32(crops)),
        *between,
        tensor("y", (-1,) * len(shape)),
    ]
    options = {**OPTIONS, **changes}
    if len(block) == 2:
        operators = [
            ("SPACE_TO_BATCH_ND", ["x", "block", "pads"], ["d"], {}),
            (kind, ["d", "w", "b"], ["y4"], options),
            ("BATCH_TO_SPACE_ND", ["y4", "block", "crops"], ["y"], {}),
        ]
    else:
        operators = [
            ("SPACE_TO_BATCH_ND", ["x", "block", "pads"], ["d"], {}),
            ("EXPAND_DIMS", ["d", "axis"], ["e"], {}),
            (kind, ["e", "w", "b"], ["y4"], options),
            ("RESHAPE", ["y4", "to"], ["y3"], {}),
            ("BATCH_TO_SPACE_ND", ["y3", "block", "crops"], ["y"], {}),
        ]
    return tensors, operators, ["x"], ["y"]


@pytest.mark.parametrize("kind", ["CONV_2D", "DEPTHWISE_CONV_2D"])
@pytest.mark.parametrize(("rows", "columns"), [(1, 2), (2, 2), (3, 5), (4, 1)])
@pytest.mark.parametrize("size", [(9, 7), (16, 23)])
def test_images(kind, rows, columns, size):
    depthwise = kind == "DEPTHWISE_CONV_2D"
    w = f(1, 3, 3, 8) if depthwise else f(6, 3, 3, 4)
    both = [sides_of(n, 3, d) for n, d in zip(size, (rows, columns), strict=True)]
    pads, crops = ([side[i] for side in both] for i in range(2))
    net = dwsep.load(
        model(*divided(kind, (-1, *size, 4), w, [rows, columns], pads, crops, activation=1))
    )
    x = f(2, *size, 4, seed=2)
    options = {"dilation": (rows, columns), "activation": "relu"}
    if depthwise:
        wanted = dwsep.depthwise_conv2d(x, w.reshape(3, 3, 4, 2), f(8), **options)
    else:
        wanted = dwsep.conv2d(x, np.ascontiguousarray(w.transpose(1, 2, 3, 0)), f(6), **options)
    assert np.array_equal(net(x), wanted)
    assert np.array_equal(net(x[:1]), wanted[:1])


@pytest.mark.parametrize("d", [2, 3, 8])
def test_sequences(d):
    w, length = f(6, 1, 3, 4), 31
    pads, crops = sides_of(length, 3, d)
    parts = (length + sum(pads)) // d - 2
    file = divided("CONV_2D", (-1, length, 4), w, [d], [pads], [crops], length=parts)
    x = f(2, length, 4, seed=2)
    filters = np.ascontiguousarray(w[:, 0].transpose(1, 2, 0))
    wanted = dwsep.conv1d(x, filters, f(6), dilation=d)
    assert np.array_equal(dwsep.load(model(*file))(x), wanted)


def test_what_is_no_dilation_is_refused():
    w, shape = f(6, 3, 3, 4), (1, 9, 8, 4)
    fits = {"block": [2, 2], "pads": [[2, 3], [2, 2]], "crops": [[0, 1], [0, 0]]}
    assert dwsep.load(model(*divided("CONV_2D", shape, w, **fits)))(f(*shape)).shape[1] == 9
    for wrong in (
        {"stride_h": 2},
        {"padding": 0},
        {"dilation_w_factor": 2},
        {"crops": [[0, 4], [0, 0]]},
        {"crops": [[3, 0], [0, 0]]},
        {"block": [0, 2]},
        {"block": [-1, 2]},
        {"pads": [[2, 3, 2, 2]] * 3},
        {"pads": [[2, 4], [2, 2]]},
        {"pads": [[3, 4], [2, 2]], "crops": [[-1, 4], [0, 0]]},
    ):
        with pytest.raises(UnsupportedOperatorError, match="SPACE_TO_BATCH_ND"):
            dwsep.load(model(*divided("CONV_2D", shape, w, **{**fits, **wrong})))
    tensors, operators, inputs, _ = divided("CONV_2D", shape, w, **fits)
    with pytest.raises(UnsupportedOperatorError, match="SPACE_TO_BATCH_ND"):
        dwsep.load(model(tensors, operators, inputs, ["y", "y4"]))


@pytest.mark.parametrize("to", [[-1, 8, 3], [-1, 24, 1], [4, 2, 6], [-1, 4], None])
def test_what_else_a_reshape_does_is_refused(to):
    tensors, operators, inputs, outputs = divided(
        "CONV_2D", (1, 8, 4), f(6, 1, 3, 4), [2], [[2, 2]], [[0, 0]], length=4
    )
    fits = dwsep.load(model(tensors, operators, inputs, outputs))
    assert fits(f(1, 8, 4)).shape == (1, 8, 6)
    wrong = [t for t in tensors if t["name"] != "to"]
    if to is None:
        operators[3] = ("SQUEEZE", ["y4"], ["y3"], {"squeeze_dims": [3]})
    else:
        wrong.append(constant("to", np.int32(to)))
    with pytest.raises(UnsupportedOperatorError, match="SPACE_TO_BATCH_ND"):
        dwsep.load(model(wrong, operators, inputs, outputs))


def test_asking_for_what_lies_between_is_refused():
    file = model(*divided("CONV_2D", (1, 8, 4), f(6, 1, 3, 4), [2], [[2, 2]], [[0, 0]], length=4))
    for name in ("d", "e", "y4", "y3"):
        with pytest.raises(UnsupportedOperatorError, match="SPACE_TO_BATCH_ND"):
            dwsep.load(file, outputs=[name])


@pytest.mark.parametrize("node", range(5))
@pytest.mark.parametrize("inputs", [0, 1])
def test_nodes_without_their_inputs_are_refused(node, inputs):
    tensors, operators, *ends = divided(
        "CONV_2D", (1, 8, 4), f(6, 1, 3, 4), [2], [[2, 2]], [[0, 0]], length=4
    )
    type_, names, outputs, options = operators[node]
    operators[node] = (type_, names[:inputs], outputs, options)
    with pytest.raises((UnsupportedOperatorError, InvalidModelError)):
        dwsep.load(model(tensors, operators, *ends))


def test_two_convolutions_of_one_division():
    w, shape = f(6, 3, 3, 4), (1, 9, 8, 4)
    parts = divided("CONV_2D", shape, w, [2, 2], [[2, 3], [2, 2]], [[0, 1], [0, 0]])
    tensors, operators, inputs, outputs = parts
    tensors += [tensor("z4", (-1,) * 4), tensor("z", (-1,) * 4), constant("v", -w)]
    operators += [
        ("CONV_2D", ["d", "v", "b"], ["z4"], OPTIONS),
        ("BATCH_TO_SPACE_ND", ["z4", "block", "crops"], ["z"], {}),
    ]
    y, z = dwsep.load(model(tensors, operators, inputs, [*outputs, "z"]))(f(*shape))
    bias = 2 * f(6)
    np.testing.assert_allclose(y + z, np.broadcast_to(bias, y.shape), rtol=0, atol=1e-5)


def test_integers_need_one_scale_on_both_sides():
    rng = np.random.default_rng(3)
    qx, qy = (0.05, -3, 0), (0.2, 5, 0)
    scale, zeros = rng.uniform(0.01, 0.02, 6).astype(np.float32), np.zeros(6)
    w = rng.integers(-127, 128, (6, 3, 3, 4), dtype=np.int8)
    weights = [
        constant("w", w, quantization=(scale, zeros, 0)),
        constant("b", np.zeros(6, np.int32), quantization=(np.float32(0.05) * scale, zeros, 0)),
    ]

    def file(divided_as=qx):
        numbers = {"block": [2, 2], "pads": [[2, 3], [2, 2]], "crops": [[0, 1], [0, 0]]}
        tensors = [
            tensor("x", (1, 9, 8, 4), "int8", quantization=qx),
            *weights,
            *(constant(name, np.int32(value)) for name, value in numbers.items()),
            tensor("d", (4, 7, 6, 4), "int8", quantization=divided_as),
            tensor("y4", (4, 5, 4, 6), "int8", quantization=qy),
            tensor("y", (1, 9, 8, 6), "int8", quantization=qy),
        ]
        operators = [
            ("SPACE_TO_BATCH_ND", ["x", "block", "pads"], ["d"], {}),
            ("CONV_2D", ["d", "w", "b"], ["y4"], OPTIONS),
            ("BATCH_TO_SPACE_ND", ["y4", "block", "crops"], ["y"], {}),
        ]
        return model(tensors, operators, ["x"], ["y"])

    x = rng.integers(-128, 128, (1, 9, 8, 4), dtype=np.int8)
    wanted = dwsep.conv2d(
        x,
        np.ascontiguousarray(w.transpose(1, 2, 3, 0)),
        dilation=2,
        x_quantization=dwsep.Quantization(*qx[:2]),
        weight_quantization=dwsep.Quantization(scale.tolist()),
        quantization=dwsep.Quantization(*qy[:2]),
    )
    assert np.array_equal(dwsep.load(file())(x), wanted)
    with pytest.raises(UnsupportedOperatorError, match="SPACE_TO_BATCH_ND"):
        dwsep.load(file(divided_as=(0.1, -3, 0)))
