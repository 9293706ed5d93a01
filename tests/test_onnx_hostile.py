"""Files that are damaged or made to harm: a clear ValueError, soon, and without much memory."""

from __future__ import annotations

import os
import sys
from collections import Counter

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="imports ONNX models")

from onnx import numpy_helper
from onnx_models import f, ints, model
from onnx_mutations import outcome, trials

import dwsep
from dwsep.errors import InvalidModelError, UnsupportedOperatorError
from dwsep.graph.onnx import import_onnx

CONV = [("Conv", "x,w", "y", {})]


@pytest.mark.parametrize("data", [b"", b"\0", b"not a model", os.urandom(1000), b"\x08" * 10**6])
def test_no_model(data):
    with pytest.raises(InvalidModelError):
        import_onnx(data)


def test_truncated_everywhere():
    data = model(CONV, {"w": f(2, 4, 1, 1)}).SerializeToString()
    import_onnx(data)
    for end in range(len(data)):
        with pytest.raises(ValueError):
            import_onnx(data[:end])


MUTATIONS = 2000


def test_damaged_models():
    """Models of every operator, damaged: each gives a sound graph or one of the two errors."""
    outcomes = Counter(outcome(data) for data in trials(MUTATIONS, seed=20))
    assert set(outcomes) == {"graph", "InvalidModelError", "UnsupportedOperatorError"}
    assert min(outcomes.values()) > 0.02 * MUTATIONS


def doubled(times, op="Concat", **attributes):
    nodes = [(op, f"v{i},v{i}", f"v{i + 1}", attributes) for i in range(times)]
    return nodes


@pytest.mark.parametrize(
    ("nodes", "constants"),
    [
        ([("ConstantOfShape", "s", "c", {}), ("Add", "x,c", "y", {})], {"s": ints(2**40)}),
        ([("ConstantOfShape", "s", "c", {}), ("Add", "x,c", "y", {})], {"s": ints(*[2**10] * 6)}),
        ([("ConstantOfShape", "s", "c", {}), ("Add", "x,c", "y", {})], {"s": ints(0, 2**62)}),
        ([("ConstantOfShape", "s", "c", {}), ("Add", "x,c", "y", {})], {"s": ints(-1)}),
        ([("Tile", "c,s", "d", {}), ("Add", "x,d", "y", {})], {"c": f(8), "s": ints(2**40)}),
        ([("Tile", "c,s", "d", {}), ("Reshape", "x,d", "y", {})], {"c": ints(8), "s": ints(2**40)}),
        ([("Expand", "c,s", "d", {}), ("Add", "x,d", "y", {})], {"c": f(1), "s": ints(2**40)}),
        ([("Expand", "x,s", "y", {})], {"s": ints(*[2**31 - 1] * 5, 1, 1, 1, 1)}),
        ([("Tile", "x,s", "y", {})], {"s": ints(1, 2**30, 2**30, 1)}),
        ([("Pad", "x,s", "y", {})], {"s": ints(0, 0, 2**62, 0, 0, 0, 0, 0)}),
        ([("Pad", "c,s", "d", {}), ("Add", "x,d", "y", {})], {"c": f(1), "s": ints(2**30, 2**30)}),
        (
            [("Range", "a,b,c", "r", {}), ("Reshape", "x,r", "y", {})],
            {"a": np.array(0), "b": np.array(2**60), "c": np.array(1)},
        ),
        (
            [("Range", "a,b,c", "r", {}), ("Reshape", "x,r", "y", {})],
            {"a": np.array(0), "b": np.array(9), "c": np.array(0)},
        ),
        ([*doubled(60, axis=0), ("Add", "x,v60", "y", {})], {"v0": f(8)}),
        ([*doubled(60, axis=0), ("Reshape", "x,v60", "y", {})], {"v0": ints(8)}),
        (
            [("Concat", "x,x", "v0", {"axis": 1}), *doubled(60, axis=1), ("Relu", "v60", "y", {})],
            {},
        ),
        (
            [("Shape", "x", "v0", {}), *doubled(80, "Add"), ("Reshape", "x,v80", "y", {})],
            {},
        ),
        (
            [("Resize", "x,,s", "y", {})],
            {"s": np.float32([1, 1, 1e30, 1])},
        ),
        (
            [("MatMul", "a,b", "c", {}), ("Add", "x,c", "y", {})],
            {"a": f(2**16, 1), "b": f(1, 2**16)},
        ),
    ],
)
def test_bombs(nodes, constants):
    with pytest.raises(ValueError) as caught:
        import_onnx(model(nodes, constants))
    assert isinstance(caught.value, (InvalidModelError, UnsupportedOperatorError))


def test_long_chains_are_no_problem():
    nodes = [("Relu", f"v{i}", f"v{i + 1}", {}) for i in range(20000)]
    graph = import_onnx(model(nodes, inputs={"v0": (1, 2)}, outputs=("v20000",)))
    assert len(graph.nodes) == 20000


def test_weights_that_are_no_numbers_make_no_noise():
    """Not even a signalling NaN: warnings are errors here."""
    signalling = np.full(4, 0x7F800001, np.uint32).view(np.float32).reshape(4, 1, 1)
    nodes = [("Mul", "x,s", "a", {}), ("Add", "a,s", "b", {}), ("Conv", "b,w", "y", {})]
    net = model(nodes, {"s": signalling, "w": np.full((2, 4, 1, 1), np.inf, np.float32)})
    assert np.isnan(dwsep.load(net)(f(1, 4, 6, 6))).all()


def edited(edit, nodes=CONV, constants=None):
    net = model(nodes, {"w": f(2, 4, 1, 1)} if constants is None else constants)
    edit(net)
    return net


def cycle(net):
    net.graph.node[0].input[0] = "y"


def duplicate(net):
    net.graph.node.append(net.graph.node[0])


def duplicate_initializer(net):
    net.graph.initializer.append(net.graph.initializer[0])


def duplicate_input(net):
    net.graph.input.append(net.graph.input[0])


def missing(net):
    net.graph.node[0].input[0] = "nothing"


def missing_output(net):
    net.graph.output[0].name = "nothing"


def no_outputs(net):
    del net.graph.output[:]


def short_data(net):
    net.graph.initializer[0].raw_data = net.graph.initializer[0].raw_data[:-1]


def negative_size(net):
    net.graph.initializer[0].dims[0] = -2


def huge_size(net):
    net.graph.initializer[0].dims[0] = 2**62


def empty_but_huge(net):
    tensor = net.graph.initializer[0]
    tensor.CopyFrom(numpy_helper.from_array(np.zeros((2, 0), np.float32), tensor.name))
    tensor.dims[0] = 2**62
    tensor.ClearField("raw_data")


def unknown_type(net):
    net.graph.initializer[0].data_type = 99


def huge_input(net):
    net.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 2**40


def negative_input(net):
    net.graph.input[0].type.tensor_type.shape.dim[2].dim_value = -3


def no_shape(net):
    net.graph.input[0].type.tensor_type.ClearField("shape")


def sequence(net):
    net.graph.input[0].type.sequence_type.SetInParent()


def old(net):
    net.opset_import[0].version = 0


def too_new(net):
    net.opset_import[0].version = 1000


def other_domain(net):
    net.graph.node[0].domain = "com.example"


def sparse(net):
    net.graph.sparse_initializer.add()


def function(net):
    net.functions.add()


def external(net):
    net.graph.initializer[0].data_location = 1


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (cycle, "a cycle goes through 'y'"),
        (duplicate, "two values have the name 'y'"),
        (duplicate_initializer, "two initializers are named 'w'"),
        (duplicate_input, "two inputs are named 'x'"),
        (missing, "reads 'nothing', which nothing makes"),
        (missing_output, "nothing makes the output 'nothing'"),
        (no_outputs, "need outputs"),
        (short_data, "are 32 bytes, it has 31"),
        (negative_size, "no array has the shape"),
        (huge_size, "no array has the shape"),
        (empty_but_huge, "no array has the shape"),
        (unknown_type, "type 99"),
        (huge_input, "sizes need to be from 1"),
        (negative_input, r"axis 2 .*has no size"),
        (no_shape, "has no shape; give it"),
        (sequence, "input 'x' is no tensor"),
        (old, "need opset 1 to"),
        (too_new, "need opset 1 to"),
        (other_domain, r"com\.example\.Conv\): this operator is not supported"),
        (sparse, "sparse"),
        (function, "inline_local_functions"),
        (external, "lies in another file"),
    ],
)
def test_contradictions(edit, reason):
    with pytest.raises(ValueError, match=reason):
        import_onnx(edited(edit))


def test_sources():
    net = model(CONV, {"w": f(2, 4, 1, 1)})
    for source in (net, net.SerializeToString(), bytearray(net.SerializeToString())):
        assert [n.kind for n in import_onnx(source).nodes] == ["conv"]
    with pytest.raises(TypeError, match="source: need a path"):
        import_onnx(3)
    with pytest.raises(FileNotFoundError):
        import_onnx("/no/such/file.onnx")


def test_without_onnx(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'dwsep\[onnx\]'"):
        import_onnx(b"")
