"""Damaged and invented .dwsep files are refused, or they run; none of them crashes the process."""

import json
import subprocess
import sys
from pathlib import Path

import dwsep_file
import file_mutations
import numpy as np
import pytest
import small_networks

from dwsep import _core

FOLDER = Path(__file__).parent
# Cases, and the share of them that has to get beyond the header for the test to mean something.
CASES = {"truncate": (400, 0.0), "flip": (1500, 0.1), "edit": (2000, 0.15), "rebuild": (2000, 0.1)}
NETWORKS = [small_networks.classifier, small_networks.rearranger, small_networks.gated]


@pytest.mark.parametrize("make", NETWORKS)
def test_the_second_opinion_agrees(make):
    """The format is as documented: what is read and written again in Python has the same bytes."""
    content = make().to_bytes()
    file = dwsep_file.parse(content)
    assert file.metadata == {"name": "small"}
    assert file.to_bytes() == content
    assert int.from_bytes(content[48:56], "little") == dwsep_file.checksum(content)


@pytest.mark.kernels
@pytest.mark.parametrize("columns", [*range(1, 40), 47, 48, 49, 56, 57, 64, 65, 72, 80, 96, 100])
def test_packed_weights_are_where_the_document_says(columns):
    b = small_networks.Builder()
    matrix, bias = b.weight(3, columns), b.weight(columns)
    filters, other = b.weight(2, 3, columns, 2), b.weight(2 * columns)
    x = b.core.input("x", (1, 5, 5, 3))
    y = b.step("pointwise", [x], {}, weight=matrix, bias=bias)
    y = b.step("depthwise", [y], small_networks.WINDOW, weight=filters, bias=other)
    file = dwsep_file.parse(b.finish(y=y).to_bytes())
    first, second = (value.weights["weight"] for value in file.values[1:])
    for wanted, got in zip((matrix, bias), dwsep_file.unpacked_matrix(file, first), strict=True):
        assert np.array_equal(got, wanted)
    for wanted, got in zip(
        (filters, other), dwsep_file.unpacked_depthwise(file, second), strict=True
    ):
        assert np.array_equal(got, wanted)


@pytest.mark.parametrize("make", NETWORKS)
def test_every_single_bit_is_covered_by_the_checksum(make):
    content = bytearray(make().to_bytes())
    rng = np.random.default_rng(0)
    for at in [*range(56), *rng.integers(64, len(content), 200)]:
        content[at] ^= 1 << (at % 8)
        with pytest.raises(ValueError, match=r"file|checksum"):
            _core.Network.from_bytes(bytes(content))
        content[at] ^= 1 << (at % 8)
    assert _core.Network.from_bytes(bytes(content)).to_bytes() == content


@pytest.mark.parametrize(
    "name",
    [
        *(b"\x80", b"a\xff", b"\xc3", b"\xc0\x80", b"\xe0\x80\x80", b"\xed\xa0\x80"),
        *(b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xe2\x82"),
    ],
)
def test_text_has_to_be_utf8(name):
    with pytest.raises(UnicodeDecodeError):
        name.decode()
    file = dwsep_file.parse(small_networks.classifier().to_bytes())
    file.metadata = {"name": name.decode("utf-8", "surrogateescape")}
    with pytest.raises(ValueError, match="UTF-8"):
        _core.Network.from_bytes(file.to_bytes())


@pytest.mark.parametrize(
    "name", ["", "net", "Größe", "网络", "\U0010ffff", "a\0b", "\x7f\x80\ud7ff"]
)
def test_text_may_be_anything_in_utf8(name):
    file = dwsep_file.parse(small_networks.classifier().to_bytes())
    file.metadata = {"name": name}
    file.values[0].name = name
    network = _core.Network.from_bytes(file.to_bytes())
    assert network.metadata == {"name": name}
    assert network.inputs[0][0] == name


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
    for place, whose in ((1, "input 'x': need "), (2, "constant: need "), (3, WEIGHTS)):
        file, *parts = layered()
        parts[place - 1].type.dtype = dtype
        refused(file, f"{whose}type float32, got {name}$")


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


def test_what_is_wrong_with_a_damaged_file():
    content = small_networks.classifier().to_bytes()
    for size in (0, 63, 64, len(content) - 1):
        with pytest.raises(ValueError, match=r"^truncated file: "):
            _core.Network.from_bytes(content[:size])
    with pytest.raises(ValueError, match=r"^file: need .* bytes, as its header says"):
        _core.Network.from_bytes(content + bytes(64))
    changed = content[:70] + bytes([content[70] ^ 1]) + content[71:]
    with pytest.raises(ValueError, match=r"^checksum mismatch: "):
        _core.Network.from_bytes(changed)
    described = int.from_bytes(content[24:32], "little")
    cut = content[:24] + (described - 1).to_bytes(8, "little") + content[32:]
    with pytest.raises(ValueError, match=r"^truncated file: "):
        _core.Network.from_bytes(dwsep_file.sealed(cut))


LONG_NAME = """
import resource
import dwsep_file
from dwsep import _core
axis = {"axis": (dwsep_file.INTEGERS, [0])}
step = dwsep_file.Step("concat", "n" * 2**22, [0] * 2**19, axis, {})
file = dwsep_file.File(values=[dwsep_file.Input("x", [1]), step], outputs=[("y", 1)])
content = file.to_bytes()
spent = int(resource.getrusage(resource.RUSAGE_SELF).ru_utime)
resource.setrlimit(resource.RLIMIT_CPU, (spent + 60, spent + 60))
assert _core.Network.from_bytes(content).outputs == [("y", (2**19,), "float32", None)]
"""


def test_a_long_name_is_not_copied_for_each_input():
    """Two terabytes would be, which takes minutes; it is loaded in milliseconds."""
    subprocess.run([sys.executable, "-c", LONG_NAME], cwd=FOLDER, check=True, timeout=600)


@pytest.mark.parametrize("way", CASES)
def test_no_file_crashes_the_process(way):
    count, least = CASES[way]
    done = subprocess.run(
        [sys.executable, FOLDER / "file_mutations.py", way, "1", str(count)],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 0, f"case {lines[-1] if lines else None}: {done.stderr[-2000:]}"
    fates = json.loads(lines[-1])
    assert sum(fates.values()) == count
    assert fates["refused"] > count / 10
    assert fates["run"] >= least * count


def test_every_way_to_damage_a_file_is_tried():
    assert CASES.keys() == file_mutations.WAYS.keys()
