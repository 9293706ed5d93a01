"""Records of .dwsep files: types, layouts, sizes and byte ranges that do not fit are refused."""

import dwsep_file
import numpy as np
import pytest
import small_networks

from dwsep import _core


def packed_anew(side):
    """Name a kind of weights that this processor has to pack, and what one step refers to."""
    lanes = 8 if _core.isa() == "avx512" else 16
    ranges = [dwsep_file.Range(0, 4 * side * side), dwsep_file.Range(4 * side * side, 4 * side)]
    return dwsep_file.Array([side, side], ranges, dwsep_file.MATRIX, [lanes, 0])


def plain(side):
    return dwsep_file.Array([side, side], [dwsep_file.Range(0, 4 * side * side)])


@pytest.mark.parametrize("weights", [plain, packed_anew])
@pytest.mark.parametrize("steps", [1, 2, 300])
def test_steps_cannot_share_weights(weights, steps):
    """Each packs its own: a file of 300 KB would take a hundred times as much."""
    side = 256
    file = dwsep_file.parse(small_networks.channels_first().to_bytes())
    file.values = [dwsep_file.Input("x", [1, side])]
    file.data = bytes(4 * (side * side + side))
    shared = weights(side)
    for number in range(steps):
        step = dwsep_file.Step("pointwise", "p", [number], {}, {"weight": shared})
        file.values.append(step)
    file.outputs = [("y", steps)]
    if steps == 1:
        assert _core.Network.from_bytes(file.to_bytes()).weight_bytes >= 4 * side * side
    else:
        with pytest.raises(ValueError, match=r"file: need .*weights of its own"):
            _core.Network.from_bytes(file.to_bytes())


def test_constants_cannot_share_values():
    file = dwsep_file.parse(small_networks.rearranger().to_bytes())
    constant = next(v for v in file.values if isinstance(v, dwsep_file.Array))
    # As large as all data: no byte is left for another.
    constant.dims, constant.ranges = [len(file.data) // 4], [dwsep_file.Range(0, len(file.data))]
    with pytest.raises(ValueError, match="weights of its own"):
        _core.Network.from_bytes(file.to_bytes())


def plain_convolution(shape, groups):
    """Make a file of one `standard` step on one pixel, whose weights are plain."""
    file = dwsep_file.parse(small_networks.channels_first().to_bytes())
    count = int(np.prod(shape))
    pairs = {"stride": [1, 1], "dilation": [1, 1], "padding": [0] * 4, "kernel": shape[:2]}
    attributes = {name: (dwsep_file.INTEGERS, value) for name, value in pairs.items()}
    attributes["groups"] = (dwsep_file.INTEGERS, [groups])
    weights = {"weight": dwsep_file.Array(shape, [dwsep_file.Range(0, 4 * count)])}
    x = dwsep_file.Input("x", [1, *shape[:2], shape[2] * groups])
    file.values = [x, dwsep_file.Step("standard", "s", [0], attributes, weights)]
    file.outputs, file.data = [("y", 1)], bytes(-(-4 * count // 64) * 64)
    return file.to_bytes()


@pytest.mark.parametrize(
    ("shape", "groups"),
    [([1, 1, 2**20, 1], 1), ([1, 1, 1, 2**20], 1), ([3, 3, 1, 512], 512), ([1, 1, 8, 512], 64)],
)
def test_plain_weights_may_grow_as_vectors_need_it(shape, groups):
    content = plain_convolution(shape, groups)
    network = _core.Network.from_bytes(content)
    assert network.weight_bytes <= 32 * len(content) + 2**20
    assert network.output_shapes([[1, *shape[:2], shape[2] * groups]]) == [(1, 1, 1, shape[3])]


def test_weights_cannot_grow_without_bound():
    """65536 groups of one weight each are as many matrices, a hundred times as large."""
    with pytest.raises(ValueError, match=r"file: need .*32 times its size"):
        _core.Network.from_bytes(plain_convolution([1, 1, 1, 2**16], 2**16))


def test_attributes_and_weights_without_a_meaning_are_refused():
    file = dwsep_file.parse(small_networks.classifier().to_bytes())
    step = next(v for v in file.values if isinstance(v, dwsep_file.Step) and v.weights)
    step.attributes["activatoin"] = (dwsep_file.STRING, "tanh")
    with pytest.raises(ValueError, match="activatoin: need an attribute of this kind of step"):
        _core.Network.from_bytes(file.to_bytes())


def layered():
    """Make a file of an input, a constant and a step with packed weights; return its parts."""
    b = small_networks.Builder()
    x = b.core.input("x", (1, 3))
    y = b.step("pointwise", [x], {}, weight=b.weight(3, 20))
    y = b.step("binary", [y, b.core.constant(np.ones(20, np.float32))], {"function": "add"})
    file = dwsep_file.parse(b.finish(y=y).to_bytes())
    (given,) = (v for v in file.values if isinstance(v, dwsep_file.Input))
    (constant,) = (v for v in file.values if isinstance(v, dwsep_file.Array))
    (step,) = (v for v in file.values if isinstance(v, dwsep_file.Step) and v.weights)
    return file, given, constant, step.weights["weight"]


def refused(file, complaint):
    with pytest.raises(ValueError, match=complaint):
        _core.Network.from_bytes(file.to_bytes())


WEIGHTS = r"node 'pointwise_\d' \(pointwise\): weights 'weight': need "


@pytest.mark.parametrize("dtype", range(1, 7))
def test_types_that_cannot_be_computed_with_are_named(dtype):
    name = ["float32", "int8", "uint8", "int32", "float16", "int64", "bool"][dtype]
    file, _, _, weights = layered()
    weights.type.dtype = dtype
    refused(file, f"{WEIGHTS}type float32, got {name}$")
    file, given, _, _ = layered()
    given.type.dtype = dtype
    refused(file, rf"\(pointwise\): input 0: need type float32, got {name}$")
    file, _, constant, _ = layered()
    constant.type.dtype = dtype
    bytes_ = {1: 20, 2: 20, 3: 80, 4: 40, 5: 160, 6: 20}[dtype]
    if bytes_ != constant.ranges[0].bytes:
        refused(file, f"constant: need {bytes_} bytes, got 80")
    constant.ranges[0].bytes = bytes_
    if bytes_ <= 80:
        refused(file, rf"\(binary\): input 1: need type float32, got {name}$")


def test_types_and_layouts_of_later_versions_are_reported_by_number():
    for place, whose in ((1, "input 'x': need "), (2, "constant: need "), (3, WEIGHTS)):
        file, *parts = layered()
        parts[place - 1].type.dtype = 77
        refused(file, f"{whose}a type that this version knows, 0 to 6, got type 77$")
    file, _, constant, weights = layered()
    weights.layout, weights.parameters, weights.ranges = 9, [1, 2, 3], weights.ranges * 2
    refused(file, f"{WEIGHTS}a layout that this version knows, 0 to 2, got layout 9$")
    file, _, constant, weights = layered()
    constant.layout, constant.parameters = dwsep_file.MATRIX, [16, 0]
    refused(file, "constant: need ")


def test_floats_have_no_scales():
    for place, whose in ((1, "input 'x': need "), (2, "constant: need "), (3, WEIGHTS)):
        file, *parts = layered()
        kind = parts[place - 1].type
        kind.scales, kind.zero_points, kind.axis = [0.5, 0.25], [1, 2], 1
        assert dwsep_file.parse(file.to_bytes()) == file
        refused(file, f"{whose}no quantization for type float32")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda w: w.parameters.append(0), "2 parameters of layout 1, got 3"),
        (lambda w: w.ranges.pop(), "2 byte ranges, got 1"),
        (lambda w: w.dims.append(1), r"2 axes, got \(3, 20, 1\)"),
        (lambda w: w.dims.reverse(), r"\d+ bytes, got \d+"),
        (lambda w: setattr(w, "dims", [2**40, 2**40]), "sizes that the file can hold"),
        (lambda w: setattr(w, "dims", [0, 20]), "sizes that the file can hold"),
        (lambda w: setattr(w.ranges[0], "bytes", 4), r"\d+ bytes, got 4"),
        (lambda w: setattr(w.ranges[0], "bytes", 2**64 - 64), "a range at a multiple of 64"),
        (lambda w: setattr(w.ranges[1], "offset", 2**64 - 64), "a range at a multiple of 64"),
        (lambda w: setattr(w.ranges[1], "offset", 4), "a range at a multiple of 64"),
    ],
)
def test_records_have_to_fit_their_layout(change, complaint):
    file, _, _, weights = layered()
    change(weights)
    refused(file, f"{WEIGHTS}{complaint}")


@pytest.mark.parametrize(
    ("version", "complaint"),
    [(1, "version 2, got version 1, .*load the ONNX file"), (3, "got version 3, .*newer")],
)
def test_files_of_other_versions_say_what_to_do(version, complaint):
    content = small_networks.classifier().to_bytes()
    with pytest.raises(ValueError, match=f"file: need {complaint}" if version == 1 else complaint):
        _core.Network.from_bytes(content[:8] + bytes([version]) + content[9:])


def test_numbers_of_attributes_take_little_room_and_may_take_more():
    b = small_networks.Builder()
    x = b.core.input("x", (1, 4))
    scales, zeros = [0.25, 0.5, 1.5, 3e-3], [-128, 127, 0, 5]
    scales = [float(np.float32(scale)) for scale in scales]
    types = {"scale": scales, "zero_point": zeros, "axis": [1]}
    x = b.step("quantize", [x], {"to": "int8", **types})
    y = b.step("dequantize", [x], types)
    y = b.step(
        "pad", [y], {"mode": "constant", "before": [0, 0], "after": [0, 200], "value": [0.1]}
    )
    content = b.finish(y=y).to_bytes()
    file = dwsep_file.parse(content)
    quantize, dequantize, pad = (v for v in file.values if isinstance(v, dwsep_file.Step))
    for step in (quantize, dequantize):
        assert step.attributes["scale"] == (dwsep_file.FLOATS32, scales)
        assert step.attributes["zero_point"] == (dwsep_file.INTEGERS8, zeros)
    assert pad.attributes["after"] == (dwsep_file.INTEGERS, [0, 200])  # more than 127
    assert pad.attributes["value"] == (dwsep_file.FLOATS, [0.1])  # no float32
    wide = {dwsep_file.FLOATS32: dwsep_file.FLOATS, dwsep_file.INTEGERS8: dwsep_file.INTEGERS}
    for step in (quantize, dequantize, pad):
        for name, (kind, value) in step.attributes.items():
            step.attributes[name] = (wide.get(kind, kind), value)
    older = _core.Network.from_bytes(file.to_bytes())
    assert older.to_bytes() == content
    x = np.float32([[1, -2, 3, 4]])
    assert np.array_equal(older.run([x])[0], _core.Network.from_bytes(content).run([x])[0])


@pytest.mark.parametrize("kind", [5, 255])
def test_attributes_of_unknown_kinds_are_refused(kind):
    content = small_networks.classifier().to_bytes()
    at = content.index(b"padding") + len(b"padding")
    assert content[at] == dwsep_file.INTEGERS8
    changed = dwsep_file.sealed(content[:at] + bytes([kind]) + content[at + 1 :])
    with pytest.raises(ValueError, match=f"attributes of kind 0 to 4, got kind {kind}"):
        _core.Network.from_bytes(changed)


def test_groups_have_to_be_those_of_packed_filters():
    file = dwsep_file.parse(small_networks.rearranger().to_bytes())
    *_, step = (v for v in file.values if isinstance(v, dwsep_file.Step) and v.kind == "transposed")
    step.attributes["groups"] = (dwsep_file.INTEGERS, [3])
    refused(file, "groups: need those that the filters were packed for, got 3")
