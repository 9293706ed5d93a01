"""TFLite files that contradict themselves, or are damaged."""

from __future__ import annotations

import contextlib
import struct
from types import SimpleNamespace

import numpy as np
import pytest
from tflite_models import BIAS, CONV, WEIGHT, conv, f
from tflite_writer import constant, model, tensor

import dwsep
from dwsep._core import FlatBuffer
from dwsep.errors import InvalidModelError, UnsupportedOperatorError
from dwsep.graph.tflite import model as reading


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


def rows_of(*names, declared=(2, 3), shape=(), buffer=0):
    return [(name, declared, shape, 0, buffer, None, None) for name in names]


def content(buffers=(), codes=((0, 0, ""),)):
    return SimpleNamespace(buffers=buffers, codes=codes, data=b"")


def test_tensors_without_names_or_shapes_get_them():
    rows = rows_of("", "a", "a", "tensor_0", shape=(-1, 3)) + rows_of("b")
    made = reading._tensors(rows, content())
    assert [t.name for t in made] == ["tensor_0", "a", "a_2", "tensor_0_3", "b"]
    assert [t.shape for t in made] == [(-1, 3)] * 4 + [(2, 3)]
    assert {t.declared for t in made} == {(2, 3)}
    assert reading._tensors([], content()) == []


@pytest.mark.parametrize(
    ("rows", "buffers", "message"),
    [
        (
            rows_of("a", "b") + rows_of("c", shape=(2,)),
            0,
            r"'c': shapes \(2, 3\) and \(2,\) differ",
        ),
        (rows_of("a") + rows_of("b", buffer=1), 0, "'b': there is no buffer 1"),
        (rows_of("a", buffer=3) + rows_of("b", buffer=1), 3, "'a': there is no buffer 3"),
        (rows_of("a", shape=(2, -2)), 0, r"no tensor has the shape \[2, -2\]"),
        (rows_of("a", declared=(2**31 - 1,) * 3), 0, "no tensor has the shape"),
    ],
)
def test_tensors_that_contradict_themselves(rows, buffers, message):
    with pytest.raises(InvalidModelError, match=message):
        reading._tensors(rows, content([((0, 0), 0, 0)] * buffers))


@pytest.mark.parametrize(
    ("code", "read", "made", "message"),
    [
        (1, (0,), (1,), "operator 1: there is no operator code 1"),
        (0, (0, 2), (1,), r"operator 1: inputs \[0, 2\]"),
        (0, (-2,), (1,), r"operator 1: inputs \[-2\]"),
        (0, (0,), (2,), "a tensor's number is not from 0 to 1"),
        (0, (0,), (-1,), "a tensor's number is not from 0 to 1"),
    ],
)
def test_operators_of_what_is_not_there(code, read, made, message):
    tensors = reading._tensors(rows_of("a", "b"), content())
    operators = [(0, (0, -1), (1,), 0, (0, 0)), (code, read, made, 0, (0, 0))]
    first = reading._nodes(operators[:1], content(), tensors)[0]
    assert (first.inputs, first.outputs) == (["a", ""], ["b"])
    with pytest.raises(InvalidModelError, match=message):
        reading._nodes(operators, content(), tensors)
    with pytest.raises(InvalidModelError, match=r"operator 0: inputs|not from 0"):
        reading._nodes(operators[:1], content(), [])


def test_the_networks_that_are_spoiled_below_are_sound():
    x = f(1, 4)
    assert np.array_equal(dwsep.load(variables())(x), x)
    assert dwsep.load(sparse())(f(1, 3)).shape == (1, 2)
    assert dwsep.load(bytes_with(3)).inputs[0].quantization == dwsep.Quantization(0.1, 3)


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


def rows(data, *fields):
    flat = FlatBuffer(data)
    return flat.row(flat.root(), fields)


@pytest.mark.parametrize(
    "field",
    [
        *(0, (), (0, "i"), (0, "i", 1, 2), [0, "i", 1]),
        *(("0", "i", 1), (None, "i", 1), (-1, "i", 1), (2**15, "i", 1), (2**70, "i", 1)),
        *((0, "", 1), (0, "x", 1), (0, "ii", 1), (0, "\u0174", 1), (0, b"i", 1), (0, None, 1)),
        *((0, "v", None), (0, "v", -1), (0, "v", 2**62), (0, "v", 2**70)),
        *((0, [], ()), (0, [1], ()), (0, [(), ()], ()), (0, (1,), None), (0, [(1,)], ())),
    ],
    ids=repr,
)
def test_fields_that_are_none_are_refused(field):
    root = struct.pack("<IHHHxxiI", 12, 6, 8, 4, 8, 4)  # a table whose field is 4, or a vector ...
    root += struct.pack("<IIHHi", 1, 8, 4, 4, 4)  # of a table
    assert rows(root, (0, "i", 1), (0, [()], ()), (1, "f", 0.5)) == (4, ((),), 0.5)
    with pytest.raises(TypeError, match="fields: need tuples of numbers, kinds and defaults, got"):
        rows(root, field)


def test_fields_that_contain_themselves_end():
    """Tables one in another: a vtable, then vectors of one table, whose field is the next."""
    count = 20_000
    tables = b"".join(struct.pack("<iIII", 8 + 16 * i, 4, 1, 4) for i in range(count))
    data = struct.pack("<IHHH", 12, 6, 8, 4) + bytes(2) + tables + bytes(16)
    fields = []
    fields.append(((0, fields, ()),))
    with pytest.raises(RecursionError):
        rows(data, *fields[0])


def test_one_place_is_not_read_again_and_again():
    """Of 100 tables that are all the same one, whose name is most of the file."""
    count, size = 100, 30_000
    root = struct.pack("<IHHHxxiI", 12, 6, 8, 4, 8, 4)  # its vtable and a distance ahead
    start = len(root) + 4 + 4 * count + 8
    data = root + struct.pack("<I", count)
    data += b"".join(struct.pack("<I", start - len(root) - 4 - 4 * i) for i in range(count))
    data += struct.pack("<HHHxx", 6, 8, 4) + struct.pack("<iI", 8, 4)
    data += struct.pack("<I", size) + bytes(size)
    (tables,) = rows(data, (0, [((1, "i", 7),)], ()))
    assert tables == ((7,),) * count
    with pytest.raises(InvalidModelError, match="is read too often"):
        rows(data, (0, [((0, "s", None),)], ()))


def test_options_of_one_place_are_not_copied_again_and_again():
    """Of 40 operators whose own bytes are those of the last one, which are most of the file."""
    small = [b"<%06d>" % number for number in range(40)]
    options = [*small, b"<large>" + bytes(60_000)]
    operators = [("RELU", ["x"], ["y"], {"custom": content}) for content in options]
    tensors = [tensor("x", (1, 4)), tensor("y", (1, 4))]
    data = bytearray(model(tensors, operators, ["x"], ["y"]))
    large = data.index(b"<large>") - 4
    for content in small:
        place = data.index(content) - 4
        (distance,) = (
            p for p in range(0, place, 4) if struct.unpack_from("<I", data, p)[0] == place - p
        )
        struct.pack_into("<I", data, distance, large - distance)
    with pytest.raises(InvalidModelError, match="is read too often"):
        dwsep.load(bytes(data))


def test_tables_that_share_a_vtable_are_checked_one_by_one():
    data = struct.pack("<IHHHxxi", 12, 6, 8, 4, 8)  # the table's one field lies behind the end
    with pytest.raises(InvalidModelError, match="what byte 12 says lies outside"):
        rows(data, (0, "i", 1))
    assert rows(data + bytes(4), (0, "i", 1), (1, "f", 0.5)) == (0, 0.5)


def test_a_file_without_outputs_is_refused():
    tensors = [tensor("x", (1, 4)), tensor("y", (1, 4))]
    with pytest.raises(InvalidModelError, match="need at least one output, got none"):
        dwsep.load(model(tensors, [("NEG", ["x"], ["y"], {})], ["x"], []))


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
