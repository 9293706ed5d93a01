"""TFLite files around the operators: names, types, batches, what is left out or damaged."""

from __future__ import annotations

import contextlib
import struct

import numpy as np
import pytest
from tflite_writer import constant, model, tensor

import dwsep
from dwsep.errors import InvalidModelError, UnsupportedOperatorError
from dwsep.graph.tflite.flatbuffer import Table


def f(*shape, seed=1):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


WEIGHT, BIAS = f(8, 3, 3, 4), f(8)
CONV = ("CONV_2D", ["x", "w", "b"], ["y"], {"stride_w": 2, "stride_h": 2, "activation": 3})


def conv(x_shape=(-1, 9, 9, 4), weight=None, operators=(CONV,), more=(), **options):
    weight = constant("w", WEIGHT) if weight is None else weight
    tensors = [tensor("x", x_shape), weight, constant("b", BIAS), tensor("y", (-1, 5, 5, 8)), *more]
    return model(tensors, operators, options.pop("inputs", ["x"]), ["y"], **options)


def wanted(x, weight=WEIGHT):
    filters = np.ascontiguousarray(weight.transpose(1, 2, 3, 0))
    return dwsep.conv2d(x, filters, BIAS, stride=2, activation="relu6")


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
    real = (wanted - 3).astype(np.float32) * np.float32(0.05)
    bytes_ = np.clip(np.rint(real / np.float32(0.1)) + 120, 0, 255).astype(np.uint8)
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


def spectrum(kind, width=20, length=16, options=None):
    """Return a network of a transform, its middle axis dropped, and one part of it."""
    parts = (3, length // 2 + 1)
    tensors = [
        tensor("x", (3, 1, width)),
        constant("n", np.int32([1, length])),
        tensor("f", (3, 1, parts[1]), "complex64"),
        tensor("s", parts, "complex64"),
        tensor("y", parts),
    ]
    operators = [
        ("RFFT2D", ["x", "n"], ["f"], {}),
        ("SQUEEZE", ["f"], ["s"], {"squeeze_dims": [1]}),
        (kind, ["s"], ["y"], options or {}),
    ]
    return tensors, operators, ["x"], ["y"]


@pytest.mark.parametrize(
    ("kind", "part"),
    [("REAL", np.real), ("IMAG", np.imag), ("COMPLEX_ABS", np.abs), ("CAST", np.real)],
)
@pytest.mark.parametrize(("width", "length"), [(16, 16), (20, 16), (5, 12), (9, 9), (1, 1)])
def test_fourier_transforms(kind, part, width, length):
    """Rows are cut, or filled up with zeros, as NumPy does."""
    x = f(3, 1, width)
    got = dwsep.load(model(*spectrum(kind, width, length)))(x)
    wanted = part(np.fft.rfft(x[:, 0].astype(np.float64), length))
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-6 * np.abs(x).sum(-1).max())


def test_complex_numbers_go_where_they_are_understood():
    tensors, operators, inputs, _ = spectrum("NEG")
    with pytest.raises(UnsupportedOperatorError, match="it takes complex numbers"):
        dwsep.load(model(tensors, operators, inputs, ["y"]))
    with pytest.raises(UnsupportedOperatorError, match="output 's' is complex64"):
        dwsep.load(model(tensors, operators, inputs, ["s"]))
    real = [tensor("x", (1, 4)), tensor("y", (1, 4))]
    with pytest.raises(UnsupportedOperatorError, match="it takes no complex numbers"):
        dwsep.load(model(real, [("REAL", ["x"], ["y"], {})], ["x"], ["y"]))
    with pytest.raises(UnsupportedOperatorError, match="a transform of 5000 numbers"):
        dwsep.load(model(*spectrum("REAL", 20, 5000)))


def branches(then="NEG", otherwise="EXP", inner=("a",)):
    """Return x > 0 for its first element: a function of x, else another."""
    tensors = [
        *(tensor(n, (1, 4)) for n in "xy"),
        constant("at", np.int32([0, 0])),
        constant("one", np.int32([1, 1])),
        tensor("first", (1, 1)),
        constant("zero", np.float32(0)),
        tensor("c", (1, 1), "bool"),
    ]
    indices = {"then_subgraph_index": 1, "else_subgraph_index": 2}
    operators = [
        ("SLICE", ["x", "at", "one"], ["first"], {}),
        ("GREATER", ["first", "zero"], ["c"], {}),
        ("IF", ["c", "x"], ["y"], indices),
    ]
    inside = [tensor("a", (1, 4)), tensor("y", (1, 4))]
    others = [
        (
            inside,
            [(kind, ["a", "a"], ["y"], indices) if kind == "IF" else (kind, ["a"], ["y"], {})],
            inner,
            ["y"],
        )
        for kind in (then, otherwise)
    ]
    return model(tensors, operators, ["x"], ["y"], others=others)


def test_the_condition_selects_a_branch():
    network = dwsep.load(branches())
    for x in (np.float32([[1, 2, -3, 4]]), np.float32([[-1, 2, -3, 4]])):
        wanted = -x if x[0, 0] > 0 else np.exp(x)
        np.testing.assert_allclose(network(x), wanted, rtol=1e-6)


def test_branches_that_cannot_be_computed_both_are_refused():
    with pytest.raises(UnsupportedOperatorError, match=r"y/else/y \(SVDF\)"):
        dwsep.load(branches(otherwise="SVDF"))
    with pytest.raises(UnsupportedOperatorError, match=r"y \(IF\)"):
        dwsep.load(branches(then="READ_VARIABLE"))
    with pytest.raises(InvalidModelError, match=r"node y \(IF\) does not fit its branches"):
        dwsep.load(branches(inner=("a", "a")))
    with pytest.raises(InvalidModelError, match="more than 64 nodes IF"):
        dwsep.load(branches(then="IF"))


def test_integers_that_stand_for_nothing_are_refused_by_name():
    tensors = [tensor("x", (1, 4), "string"), tensor("y", (1, 4))]
    with pytest.raises(UnsupportedOperatorError, match="input 'x' is string, need one of"):
        dwsep.load(model(tensors, [("RELU", ["x"], ["y"], {})], ["x"], ["y"]))


def variables(*, inputs=("h", "x"), outputs=("r",)):
    tensors = [*(tensor(n, (1, 4)) for n in ("x", "r", "y")), tensor("h", (1,), "int32")]
    operators = [
        ("VAR_HANDLE", [], ["h"], {"shared_name": "v"}),
        ("READ_VARIABLE", ["h"], list(outputs), {}),
        ("ADD", ["x", "r"], ["y"], {}),
        ("ASSIGN_VARIABLE", list(inputs), [], {}),
    ]
    return model(tensors, operators, ["x"], ["y"])


def sparse(**changes):
    level = {0: ("b", 1), 2: ("B", 1), 3: ("t", {0: ("[", np.int32([0, 1, 1]))})}
    level |= {4: ("B", 3), 5: ("t", {0: ("[", np.uint8([2]))})}
    sparsity = {0: ("[", np.int32([0, 1])), 2: ("[t", [{0: ("b", 0), 1: ("i", 2)}, level])}
    stored = constant("s", f(1), sparsity=sparsity) | {"shape": (2, 3)} | changes
    tensors = [tensor("x", (1, 3)), stored, tensor("w", (2, 3)), tensor("y", (1, 2))]
    operators = [("DENSIFY", ["s"], ["w"], {}), ("FULLY_CONNECTED", ["x", "w"], ["y"], {})]
    return model(tensors, operators, ["x"], ["y"])


def bytes_with(zero_point):
    tensors = [tensor("x", (1, 4), "int8", quantization=(0.1, zero_point, 0)), tensor("y", (1, 4))]
    return model(tensors, [("DEQUANTIZE", ["x"], ["y"], {})], ["x"], ["y"])


def empty(shape):
    tensors = [tensor("x", (1, 4)), tensor("e", shape), tensor("y", (1, 4))]
    return model(tensors, [("ADD", ["x", "e"], ["y"], {})], ["x"], ["y"])


def test_the_networks_that_are_spoiled_below_are_sound():
    x = f(1, 4)
    assert np.array_equal(dwsep.load(variables())(x), x)
    assert dwsep.load(sparse())(f(1, 3)).shape == (1, 2)
    assert dwsep.load(bytes_with(3)).inputs[0].quantization == Q8(0.1, 3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (variables(inputs=()), r"\(ASSIGN_VARIABLE\) has no variable"),
        (variables(inputs=("h",)), r"\(ASSIGN_VARIABLE\) has no variable"),
        (variables(outputs=()), r"\(READ_VARIABLE\) has no output"),
        (sparse(data=np.zeros(3, np.uint8)), "3 bytes are no float32 numbers"),
        (sparse(dtype="string"), "tensor 's' is string"),
        (sparse(data=f(2)), "2 values for 1 places"),
        (bytes_with(128), r"tensor 'x': zero points \[128\] for int8"),
        (bytes_with(2**40), r"tensor 'x': zero points \[1099511627776\] for int8"),
        (empty((2**31 - 1, 2**31 - 1, 0)), r"no tensor has the shape \[2147483647, 2147483647, 0"),
        (conv(operators=[(*CONV[:3], {**CONV[3], "padding": 7})]), "padding: need 0 or 1, got 7"),
    ],
)
def test_what_contradicts_itself_is_named(content, message):
    with pytest.raises(ValueError, match=message):
        dwsep.load(content)


def test_one_place_is_not_read_again_and_again():
    """Of 100,000 tables that are all the same one, with room for 30,000 fields each."""
    count, fields = 100_000, 30_000
    root = struct.pack("<IHHHxxiI", 12, 6, 8, 4, 8, 4)  # its vtable and a distance ahead
    start = len(root) + 4 + 4 * count + 2 * fields + 4
    data = root + struct.pack("<I", count)
    data += b"".join(struct.pack("<I", start - len(root) - 4 - 4 * i) for i in range(count))
    data += struct.pack("<HH", 2 * fields + 4, 4) + bytes(2 * fields)
    data += struct.pack("<i", 2 * fields + 4)
    table = Table.root(memoryview(data))
    with pytest.raises(InvalidModelError, match="is read too often"):
        table.tables(0)


def test_a_file_without_outputs_is_refused():
    tensors = [tensor("x", (1, 4)), tensor("y", (1, 4))]
    with pytest.raises(InvalidModelError, match="need at least one output, got none"):
        dwsep.load(model(tensors, [("NEG", ["x"], ["y"], {})], ["x"], []))


def test_tensors_of_one_name():
    tensors = [tensor("x", (1, 4)), tensor("a", (1, 4)), tensor("b", (1, 4)), tensor("y", (1, 4))]
    operators = [("NEG", ["x"], ["a"], {}), ("EXP", ["a"], ["b"], {}), ("NEG", ["b"], ["y"], {})]
    content = bytearray(model(tensors, operators, ["x"], ["y"]))
    places = [content.index(bytes([1, 0, 0, 0, ord(n), 0])) for n in "ab"]
    content[places[1] + 4] = ord("a")
    x = f(1, 4)
    np.testing.assert_allclose(dwsep.load(bytes(content))(x), -np.exp(-x), rtol=1e-6)


@pytest.mark.parametrize("seed", range(8))
def test_damaged_files_are_refused_and_never_crash(seed):
    rng = np.random.default_rng(seed)
    tensors = [
        tensor("x", (-1, 9, 9, 4)),
        constant("w", WEIGHT),
        constant("b", BIAS),
        tensor("c", (-1, 5, 5, 8)),
        constant("p", np.int32([[0, 0], [1, 1], [0, 2], [0, 0]])),
        tensor("d", (-1, 7, 7, 8)),
        constant("s", np.int32([-1, 8])),
        tensor("y", (-1, 8)),
    ]
    operators = [
        ("CONV_2D", ["x", "w", "b"], ["c"], {"stride_w": 2, "stride_h": 2}),
        ("PAD", ["c", "p"], ["d"], {}),
        ("RESHAPE", ["d", "s"], ["y"], {"new_shape": [-1, 8]}),
    ]
    sound = model(tensors, operators, ["x"], ["y"], signatures=[("s", {"i": "x"}, {"o": "y"})])
    for _ in range(150):
        content = bytearray(sound)
        for _ in range(rng.integers(1, 4)):
            place = int(rng.integers(8, len(content)))
            kind = rng.integers(3)
            if kind == 0:
                content[place] = rng.integers(256)
            elif kind == 1:
                content[place : place + 4] = rng.choice([b"\xff" * 4, b"\0\0\0\x80", b"\0" * 4])
            else:
                del content[place:]
        with contextlib.suppress(ValueError):  # InvalidModelError, UnsupportedOperatorError
            dwsep.load(bytes(content), signature="s" if rng.random() < 0.3 else None)
