"""`Loop` and `Scan` of as many steps as are known when the file is loaded."""

from __future__ import annotations

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="imports ONNX models")

from onnx import TensorProto, helper, numpy_helper
from onnx_models import f, model

import dwsep
from dwsep.errors import InvalidModelError, UnsupportedOperatorError
from dwsep.graph.onnx import branches

X, W = f(2, 4), f(4, 4)
CONSTANTS = {"yes": np.array(True), "five": np.array(5), "none": np.array(0), "w": W}


def body(nodes, inputs, outputs):
    """Return a graph; a node is (operator, inputs, outputs), an input its name and type."""
    made = [helper.make_node(op, i.split(","), o.split(",")) for op, i, o in nodes]
    given = [helper.make_tensor_value_info(name, type_, None) for name, type_ in inputs]
    infos = [helper.make_empty_tensor_value_info(name) for name in outputs]
    four = numpy_helper.from_array(np.array(4), "four")
    return helper.make_graph(made, "body", given, infos, [four])


STEP = [("i", TensorProto.INT64), ("c", TensorProto.BOOL), ("v", TensorProto.FLOAT)]
CELL = body(
    [("MatMul", "v,w", "m"), ("Tanh", "m", "v2"), ("Neg", "v2", "o")], STEP, ["c", "v2", "o"]
)


def states(count):
    v, made = X.astype(np.float64), []
    for _ in range(count):
        v = np.tanh(v @ W)
        made.append(-v)
    return v, np.stack(made)


def net(node, outputs=("y", "z"), **more):
    return model([node], CONSTANTS, inputs={"x": (2, 4), **more}, outputs=outputs, opset=18)


def test_loops_give_their_last_values_and_rows_of_all_steps():
    loaded = dwsep.load(net(("Loop", "five,yes,x", "y,z", {"body": CELL})))
    for got, wanted in zip(loaded(X), states(5), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-6)


def test_loops_without_steps_give_no_rows():
    node = ("Loop", "none,yes,x", "y,z", {"body": CELL})
    np.testing.assert_array_equal(dwsep.load(net(node, ("y",)))(X), X)
    with pytest.raises(InvalidModelError, match=r"output 'z': sizes .* got \(0, 2, 4\)"):
        dwsep.load(net(node))


@pytest.mark.parametrize(("limit", "count"), [("", 4), ("five", 4), ("none", 0)])
def test_conditions_of_counters_end_loops(limit, count):
    nodes = [("Add", "v,v", "v2"), ("Size", "v", "s"), ("Less", "i,three", "c2")]
    counting = body(nodes, STEP, ["c2", "v2"])
    counting.initializer.append(numpy_helper.from_array(np.array(3), "three"))
    loaded = dwsep.load(net((("Loop"), f"{limit},yes,x", "y", {"body": counting}), ("y",)))
    np.testing.assert_array_equal(loaded(X), X * 2**count)


@pytest.mark.parametrize("backwards", [0, 1])
@pytest.mark.parametrize("axis", [0, 1])
def test_scans(axis, backwards):
    inputs = [("h", TensorProto.FLOAT), ("r", TensorProto.FLOAT)]
    cell = body([("Add", "h,r", "a"), ("Tanh", "a", "h2"), ("Neg", "h2", "o")], inputs, ["h2", "o"])
    attributes = {
        "body": cell,
        "num_scan_inputs": 1,
        "scan_input_axes": [axis],
        "scan_input_directions": [backwards],
        "scan_output_axes": [-1],
        "scan_output_directions": [backwards],
    }
    rows, h, made = f(6, 2, 4), X.astype(np.float64), []
    for row in rows[:: -1 if backwards else 1]:
        h = np.tanh(h + row)
        made.append(-h)
    wanted = np.stack(made[:: -1 if backwards else 1], axis=-1)
    rows = rows if axis == 0 else np.ascontiguousarray(rows.transpose(1, 0, 2))
    loaded = dwsep.load(net(("Scan", "x,rows", "y,z", attributes), rows=rows.shape))
    for got, expected in zip(loaded(X, rows), (h, wanted), strict=True):
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-6)


COMPUTED = body([("ReduceMax", "v", "s"), ("Cast", "s", "c2")], STEP, ["c2", "v", "v"])
COMPUTED.node[1].attribute.append(helper.make_attribute("to", TensorProto.BOOL))
ENDLESS = body([("Add", "v,v", "v2")], STEP, ["c", "v2", "v2"])
STRANGE = body([("Unique", "v", "v2")], STEP, ["c", "v2", "v2"])


@pytest.mark.parametrize(
    ("inputs", "graph", "error", "message"),
    [
        ("five,yes,x", COMPUTED, UnsupportedOperatorError, "its condition is computed by the"),
        (",yes,x", ENDLESS, UnsupportedOperatorError, "its steps have more than 32768 operators"),
        ("five,yes,x", STRANGE, UnsupportedOperatorError, "Unique.*not supported"),
        ("five,yes,x", 1.0, InvalidModelError, "its body has to be a graph"),
        ("five,yes,x,x", CELL, InvalidModelError, "3 inputs of a graph inside for 4"),
        ("x,yes,x", CELL, UnsupportedOperatorError, "its number of steps is computed"),
        ("w,yes,x", CELL, InvalidModelError, r"number of steps: need one, got shape \(4, 4\)"),
    ],
)
def test_loops_that_are_refused(inputs, graph, error, message):
    with pytest.raises(error, match=message):
        dwsep.load(net(("Loop", inputs, "y,z", {"body": graph})))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_scan_inputs": 3}, "num_scan_inputs: need from 1 to 2, got 3"),
        ({"scan_input_axes": [2]}, "scan_input_axes: need from -2 to 1, got 2"),
        ({"scan_output_axes": [0, 1]}, r"scan_output_axes: need 1, got \[0, 1\]"),
        ({"scan_output_axes": [4]}, "axis: need from -2 to 1, got 4"),
    ],
)
def test_scans_that_contradict_themselves(change, message):
    inputs = [("h", TensorProto.FLOAT), ("r", TensorProto.FLOAT)]
    cell = body([("Add", "h,r", "h2"), ("ReduceSum", "h2,one", "o")], inputs, ["h2", "o"])
    cell.initializer.append(numpy_helper.from_array(np.array([0]), "one"))
    cell.node[1].attribute.append(helper.make_attribute("keepdims", 0))
    attributes = {"body": cell, "num_scan_inputs": 1, **change}
    with pytest.raises(InvalidModelError, match=message):
        dwsep.load(net(("Scan", "x,x", "y,z", attributes)))


def test_loops_inside_loops_share_the_steps_that_there_may_be():
    graph = body([("Neg", "v", "v2")], STEP, ["c", "v2"])
    for _ in range(2):
        inner = helper.make_node("Loop", ["many", "c", "v"], ["v2"], body=graph)
        graph = body([], STEP, ["c", "v2"])
        graph.node.append(inner)
        graph.initializer.append(numpy_helper.from_array(np.array(100), "many"))
    with pytest.raises(UnsupportedOperatorError, match="have more than 32768 operators"):
        dwsep.load(net(("Loop", "five,yes,x", "y", {"body": graph}), ("y",)))


def test_the_weights_of_a_graph_are_read_once(monkeypatch):
    calls, read = [], branches.initializers
    monkeypatch.setattr(branches, "initializers", lambda *a: calls.append(a) or read(*a))
    graph = body([("MatMul", "v,w", "v2")], STEP, ["c", "v2"])
    graph.initializer.append(numpy_helper.from_array(W, "w"))
    dwsep.load(net(("Loop", "five,yes,x", "y", {"body": graph}), ("y",)))
    assert len(calls) == 1


def test_scans_of_opset_8_are_refused():
    inputs = [("h", TensorProto.FLOAT), ("r", TensorProto.FLOAT)]
    cell = body([("Add", "h,r", "h2")], inputs, ["h2", "h2"])
    node = ("Scan", ",x,x", "y,z", {"body": cell, "num_scan_inputs": 1})
    with pytest.raises(UnsupportedOperatorError, match="as opset 9 and later define it"):
        dwsep.load(model([node], inputs={"x": (1, 2, 4)}, outputs=("y", "z"), opset=8))
