"""TFLite files around the operators: names, types, batches, what is left out."""

from __future__ import annotations

import numpy as np
import pytest
from tflite_models import BIAS, CONV, WEIGHT, conv, f, wanted
from tflite_writer import constant, model, tensor

import dwsep
from dwsep.errors import InvalidModelError, UnsupportedOperatorError
from dwsep.graph.tflite import import_tflite


def test_the_content_tells_the_format(tmp_path):
    x = f(2, 9, 9, 4)
    path = tmp_path / "network.bin"
    path.write_bytes(conv())
    for source in (path, str(path), conv(), memoryview(conv())):
        network = dwsep.load(source)
        assert network.inputs[0].shape == (None, 9, 9, 4)
        assert np.array_equal(network(x), wanted(x))


def test_a_saved_network_computes_the_same(tmp_path):
    x = f(1, 9, 9, 4)
    dwsep.load(conv()).save(tmp_path / "net.dwsep")
    assert np.array_equal(dwsep.load(tmp_path / "net.dwsep")(x), wanted(x))


def test_an_open_batch_is_what_the_file_says_where_the_network_needs_it():
    tensors = [tensor("x", (-1, 6)), constant("s", np.int32([2, 3])), tensor("y", (2, 3))]
    network = dwsep.load(model(tensors, [("RESHAPE", ["x", "s"], ["y"], {})], ["x"], ["y"]))
    assert network.inputs[0].shape == (1, 6)
    assert network(f(1, 6)).shape == (2, 3)


def test_shapes_given():
    network = dwsep.load(conv((-1, -1, -1, 4)), input_shapes={"x": (None, 9, 9, 4)})
    x = f(3, 9, 9, 4)
    assert np.array_equal(network(x), wanted(x))
    unbound = dwsep.load(conv((-1, -1, -1, 4)))
    assert unbound.inputs[0].shape == (None, None, None, 4)
    assert np.array_equal(unbound(x), wanted(x))


def test_weights_of_other_types():
    x = f(1, 9, 9, 4)
    half = WEIGHT.astype(np.float16)
    widened = [
        ("DEQUANTIZE", ["h"], ["w"], {}),
        CONV,
    ]
    content = conv(weight=tensor("w", WEIGHT.shape), operators=widened, more=[constant("h", half)])
    assert np.array_equal(dwsep.load(content)(x), wanted(x, half.astype(np.float32)))

    scale = np.linspace(0.01, 0.02, 8, dtype=np.float32)
    steps = np.random.default_rng(0).integers(-128, 128, WEIGHT.shape).astype(np.int8)
    content = conv(weight=constant("w", steps, quantization=(scale, np.zeros(8), 0)))
    real = (steps * scale[:, None, None, None]).astype(np.float32)
    assert np.array_equal(dwsep.load(content)(x), wanted(x, real))

    steps = np.random.default_rng(0).integers(0, 256, WEIGHT.shape).astype(np.uint8)
    content = conv(weight=constant("w", steps, quantization=(0.02, 120, 0)))
    real = (steps.astype(np.float32) - 120) * np.float32(0.02)
    assert np.array_equal(dwsep.load(content)(x), wanted(x, real))


@pytest.mark.parametrize("block", [1, 2, 4])
def test_sparse_weights(block):
    """Rows of (out, in) are dense; in a row only the blocks of columns that are not zero."""
    matrix = f(6, 12).reshape(6, 12 // block, block)
    keep = np.random.default_rng(0).random((6, 12 // block)) < 0.4
    matrix *= keep[..., None]
    rows, columns = np.nonzero(keep)
    counts = np.bincount(rows, minlength=6)
    level = {
        0: ("b", 1),
        2: ("B", 1),
        3: ("t", {0: ("[", np.int32([0, *np.cumsum(counts)]))}),
        4: ("B", 3),
        5: ("t", {0: ("[", columns.astype(np.uint8))}),
    }
    levels = [{0: ("b", 0), 1: ("i", 6)}, level]
    sparsity = {0: ("[", np.int32([0, 1]))}
    if block > 1:
        sparsity = {0: ("[", np.int32([0, 1, 2])), 1: ("[", np.int32([1]))}
        levels.append({0: ("b", 0), 1: ("i", block)})
    sparsity[2] = ("[t", levels)
    stored = constant("s", matrix[keep], sparsity=sparsity)
    stored["shape"] = (6, 12)
    tensors = [tensor("x", (3, 12)), stored, tensor("w", (6, 12)), tensor("y", (3, 6))]
    operators = [("DENSIFY", ["s"], ["w"], {}), ("FULLY_CONNECTED", ["x", "w"], ["y"], {})]
    x = f(3, 12)
    got = dwsep.load(model(tensors, operators, ["x"], ["y"]))(x)
    np.testing.assert_allclose(got, x @ matrix.reshape(6, 12).T, rtol=1e-5, atol=1e-5)


def test_arithmetic_of_shapes_with_an_open_batch():
    """What Keras writes for Flatten: SHAPE, STRIDED_SLICE, PACK."""
    i32 = np.int32
    one = [constant(n, i32([v])) for n, v in (("zero", 0), ("one", 1), ("step", 1))]
    tensors = [
        tensor("x", (-1, 2, 3, 4)),
        tensor("s", (4,), "int32"),
        tensor("n", (), "int32"),
        constant("rest", i32(24)),
        tensor("p", (2,), "int32"),
        tensor("y", (-1, 24)),
        *one,
    ]
    operators = [
        ("SHAPE", ["x"], ["s"], {}),
        ("STRIDED_SLICE", ["s", "zero", "one", "step"], ["n"], {"shrink_axis_mask": 1}),
        ("PACK", ["n", "rest"], ["p"], {"values_count": 2}),
        ("RESHAPE", ["x", "p"], ["y"], {}),
    ]
    network = dwsep.load(model(tensors, operators, ["x"], ["y"]))
    x = f(5, 2, 3, 4)
    assert np.array_equal(network(x), x.reshape(5, 24))


def test_signatures():
    signatures = [("serve", {"image": "x"}, {"scores": "y"}), ("other", {"a": "x"}, {"b": "y"})]
    content = conv(signatures=signatures)
    assert dwsep.load(content).inputs[0].name == "x"
    network = dwsep.load(content, signature="serve")
    assert (network.inputs[0].name, network.outputs[0].name) == ("image", "scores")
    x = f(1, 9, 9, 4)
    assert np.array_equal(network.run(["scores"], {"image": x})[0], wanted(x))
    with pytest.raises(InvalidModelError, match=r"need one of \['other', 'serve'\], got 'none'"):
        dwsep.load(content, signature="none")
    with pytest.raises(ValueError, match=r"signature: need None for all but \.tflite"):
        dwsep.load(b"", signature="serve")
    with pytest.raises(TypeError, match="signature"):
        dwsep.load(content, signature=3)


def test_unsupported_operators_are_listed_and_can_be_cut_off():
    more = [tensor("z", (1,)), tensor("q", (1,)), tensor("r", (1,), "int32")]
    operators = [CONV, ("SVDF", ["y"], ["z"], {}), ("FancyThing", ["z"], ["q"], {})]
    tensors = [tensor("x", (1, 9, 9, 4)), constant("w", WEIGHT), constant("b", BIAS)]
    content = model([*tensors, tensor("y", (1, 5, 5, 8)), *more], operators, ["x"], ["q"])
    with pytest.raises(UnsupportedOperatorError) as caught:
        dwsep.load(content)
    text = str(caught.value)
    assert "2 of 3 nodes" in text
    assert "z (SVDF)" in text
    assert "q (FancyThing)" in text
    assert "outputs=['y']" in text
    x = f(1, 9, 9, 4)
    assert np.array_equal(dwsep.load(content, outputs=["y"])(x), wanted(x))
    with pytest.raises(InvalidModelError, match="nothing makes the output 'Y'"):
        dwsep.load(content, outputs=["Y"])


QX, QY = (0.05, 3, 0), (0.06, -5, 0)
Q8 = dwsep.Quantization


def test_a_convolution_of_bytes_is_that_of_the_layer():
    rng = np.random.default_rng(0)
    scale = np.linspace(0.01, 0.02, 8, dtype=np.float32)
    weight = rng.integers(-127, 128, WEIGHT.shape).astype(np.int8)
    bias = rng.integers(-2000, 2000, 8).astype(np.int32)
    tensors = [
        tensor("x", (-1, 9, 9, 4), "int8", quantization=QX),
        constant("w", weight, quantization=(scale, np.zeros(8), 0)),
        constant("b", bias, quantization=(np.float32(0.05) * scale, np.zeros(8), 0)),
        tensor("y", (-1, 5, 5, 8), "int8", quantization=QY),
    ]
    options = {"stride_w": 2, "stride_h": 2, "activation": 1}
    content = model(tensors, [("CONV_2D", ["x", "w", "b"], ["y"], options)], "x", "y")
    network = dwsep.load(content)
    assert [row.kind for row in network.summary().rows] == ["standard"]
    assert (network.inputs[0].dtype, network.outputs[0].dtype) == ("int8", "int8")
    x = rng.integers(-128, 128, (3, 9, 9, 4)).astype(np.int8)
    wanted = dwsep.conv2d(
        x,
        np.ascontiguousarray(weight.transpose(1, 2, 3, 0)),
        bias,
        stride=2,
        activation="relu",
        x_quantization=Q8(0.05, 3),
        weight_quantization=Q8(scale),
        quantization=Q8(0.06, -5),
    )
    assert np.array_equal(network(x), wanted)
    floats = dwsep.load(content, float_io=True)
    assert (floats.inputs[0].dtype, floats.outputs[0].dtype) == ("float32", "float32")
    real = Q8(0.06, -5).dequantize(wanted)
    assert np.array_equal(floats(Q8(0.05, 3).dequantize(x)), real)
    with pytest.raises(TypeError, match="float_io: need a bool, got 1"):
        dwsep.load(content, float_io=1)


def test_a_convolution_of_int16_and_its_bias_of_int64():
    """What TFLite calls 16x8: computed as real numbers, and rounded to int16."""
    rng = np.random.default_rng(0)
    scale = np.linspace(0.01, 0.02, 8, dtype=np.float32)
    weight = rng.integers(-127, 128, WEIGHT.shape).astype(np.int8)
    bias = rng.integers(-(10**6), 10**6, 8).astype(np.int64)
    tensors = [
        tensor("x", (1, 9, 9, 4)),
        tensor("a", (1, 9, 9, 4), "int16", quantization=(2e-4, 0, 0)),
        constant("w", weight, quantization=(scale, np.zeros(8), 0)),
        constant("b", bias, quantization=(np.float32(2e-4) * scale, np.zeros(8), 0)),
        tensor("c", (1, 5, 5, 8), "int16", quantization=(1e-3, 0, 0)),
        tensor("y", (1, 5, 5, 8)),
    ]
    operators = [
        ("QUANTIZE", ["x"], ["a"], {}),
        ("CONV_2D", ["a", "w", "b"], ["c"], {"stride_w": 2, "stride_h": 2}),
        ("DEQUANTIZE", ["c"], ["y"], {}),
    ]
    x = f(1, 9, 9, 4)
    got = dwsep.load(model(tensors, operators, ["x"], ["y"]))(x)
    stored = np.rint(x / np.float32(2e-4)) * 2e-4
    padded = np.pad(stored, ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2))[:, ::2, ::2]
    filters = weight.astype(np.float64) * scale[:, None, None, None]
    wanted = np.einsum("nijckl,oklc->nijo", windows, filters) + bias * 2e-4 * scale
    wanted = np.clip(np.rint(wanted / 1e-3), -(2**15), 2**15 - 1) * 1e-3
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1.01e-3)
    assert np.mean(np.abs(got - wanted) < 5e-4) > 0.99


def test_conversions():
    tensors = [
        tensor("x", (2, 50)),
        tensor("a", (2, 50), "int8", quantization=QX),
        tensor("b", (2, 50), "uint8", quantization=(0.1, 120, 0)),
        tensor("y", (2, 50)),
    ]
    operators = [
        ("QUANTIZE", ["x"], ["a"], {}),
        ("QUANTIZE", ["a"], ["b"], {}),
        ("DEQUANTIZE", ["b"], ["y"], {}),
    ]
    network = dwsep.load(model(tensors, operators, ["x"], ["y"]), outputs=["a", "b", "y"])
    x = 4 * f(2, 50)
    a, b, y = network(x)
    wanted = np.clip(np.rint(x / np.float32(0.05)) + 3, -128, 127)
    assert np.array_equal(a, wanted.astype(np.int8))
    bytes_ = np.clip(np.floor((wanted - 3) / 2 + 0.5) + 120, 0, 255).astype(np.uint8)
    assert np.array_equal(b, bytes_)
    assert np.array_equal(y, (bytes_.astype(np.float32) - 120) * np.float32(0.1))


def test_comparisons():
    tensors = [tensor(n, (3, 4)) for n in "xz"]
    tensors += [tensor(n, (3, 4), "bool") for n in "abcd"] + [tensor("y", (3, 4))]
    operators = [
        ("LESS", ["x", "z"], ["a"], {}),
        ("NOT_EQUAL", ["x", "z"], ["b"], {}),
        ("LOGICAL_AND", ["a", "b"], ["c"], {}),
        ("LOGICAL_NOT", ["c"], ["d"], {}),
        ("SELECT_V2", ["d", "x", "z"], ["y"], {}),
    ]
    network = dwsep.load(model(tensors, operators, ["x", "z"], ["y"]))
    x, z = f(3, 4), f(3, 4, seed=2)
    assert np.array_equal(network(x, z), np.maximum(x, z))


def test_tensors_of_one_name():
    tensors = [tensor("x", (1, 4)), tensor("a", (1, 4)), tensor("b", (1, 4)), tensor("y", (1, 4))]
    operators = [("NEG", ["x"], ["a"], {}), ("EXP", ["a"], ["b"], {}), ("NEG", ["b"], ["y"], {})]
    content = bytearray(model(tensors, operators, ["x"], ["y"]))
    places = [content.index(bytes([1, 0, 0, 0, ord(n), 0])) for n in "ab"]
    content[places[1] + 4] = ord("a")
    x = f(1, 4)
    np.testing.assert_allclose(dwsep.load(bytes(content))(x), -np.exp(-x), rtol=1e-6)


def _kinds(operators, *names, constants=()):
    """Return the kinds of an import's nodes with their activations; all values have one shape."""
    tensors = [tensor(name, (1, 2, 2, 4)) for name in names] + list(constants)
    graph = import_tflite(model(tensors, operators, ["x"], [names[-1]]))
    return [(node.kind, node.attributes.get("activation")) for node in graph.nodes]


def test_fused_activations_are_the_operators_own():
    relu = {"activation": 1}
    twice = [("ADD", ["x", "x"], ["y"], relu), ("CONCATENATION", ["y"], ["z"], relu)]
    separate = ("activation", "relu")
    assert _kinds(twice, "x", "y", "z") == [("binary", "relu"), separate]
    # What multiplies by constants may yet become part of a convolution.
    scaled = [("MUL", ["x", "c"], ["y"], relu)]
    half = constant("c", np.full(4, 0.5, np.float32))
    assert _kinds(scaled, "x", "y", constants=[half]) == [("binary", None), separate]
    plain = [("CONCATENATION", ["x"], ["y"], relu)]
    assert _kinds(plain, "x", "y") == [separate]
