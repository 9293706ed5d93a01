"""The importer around the operators: batches, what is known in advance, what is left out."""

from __future__ import annotations

import numpy as np
import pytest
from graph_runner import run

onnx = pytest.importorskip("onnx", reason="imports ONNX models")

from onnx_models import FLOAT, INT64, f, ints, model

from dwsep.errors import InvalidModelError, UnsupportedOperatorError
from dwsep.graph.ir import TensorType
from dwsep.graph.onnx import import_onnx
from dwsep.graph.passes import optimize

# Shape arithmetic with a batch of unknown size

SIZE_OF_BATCH = [
    ("Shape", "x", "s", {}),
    ("Gather", "s,zero", "n", {"axis": 0}),
    ("Unsqueeze", "n,axis0", "n1", {}),
]
SIZES = {"zero": np.array(0), "axis0": ints(0), "rest": ints(-1)}


def test_flatten_as_exporters_write_it():
    nodes = [
        *SIZE_OF_BATCH,
        ("Concat", "n1,rest", "t", {"axis": 0}),
        ("Reshape", "x,t", "y", {}),
    ]
    graph = import_onnx(model(nodes, SIZES))
    assert [n.kind for n in graph.nodes] == ["reshape"]
    assert graph.nodes[0].attributes["shape"] == (0, 144)
    assert graph.shape("y") == (None, 144)


def test_shuffle_with_sizes_that_are_computed():
    nodes = [
        *SIZE_OF_BATCH,
        ("Slice", "s,one,two", "c", {}),
        ("Div", "c,two", "half", {}),
        ("Slice", "s,two,end", "hw", {}),
        ("Concat", "n1,two,half,hw", "t", {"axis": 0}),
        ("Reshape", "x,t", "a", {}),
        ("Transpose", "a", "b", {"perm": [0, 2, 1, 3, 4]}),
        ("Reshape", "b,s", "y", {}),
    ]
    more = {"one": ints(1), "two": ints(2), "end": ints(2**62)}
    graph = import_onnx(model(nodes, SIZES | more))
    assert [n.kind for n in graph.nodes] == ["reshape", "transpose", "reshape"]
    x = np.arange(2 * 144, dtype=np.float32).reshape(2, 4, 6, 6)
    wanted = x.reshape(2, 2, 2, 6, 6).swapaxes(1, 2).reshape(x.shape)
    assert np.array_equal(run(graph, {"x": x})[0], wanted)


def test_upsampling_to_a_size_that_is_computed():
    nodes = [
        ("Shape", "x", "s", {}),
        ("Slice", "s,two,four", "hw", {}),
        ("Cast", "hw", "float", {"to": FLOAT}),
        ("Mul", "float,factor", "more", {}),
        ("Floor", "more", "whole", {}),
        ("Cast", "whole", "hw2", {"to": INT64}),
        ("Slice", "s,null,two", "nc", {}),
        ("Concat", "nc,hw2", "sizes", {"axis": 0}),
        ("Resize", "x,,,sizes", "y", {"mode": "linear"}),
    ]
    constants = {"two": ints(2), "four": ints(4), "null": ints(0), "factor": np.float32(1.5)}
    graph = import_onnx(model(nodes, constants))
    assert [n.kind for n in graph.nodes] == ["resize"]
    assert graph.nodes[0].attributes["size"] == (9, 9)


def test_expand_by_a_comparison_of_sizes():
    nodes = [
        ("Equal", "wanted,minus", "keep", {}),
        ("Shape", "x", "s", {}),
        ("Where", "keep,s,wanted", "t", {}),
        ("Expand", "x,t", "y", {}),
    ]
    constants = {"wanted": ints(-1, 4, 6, 5), "minus": ints(-1)}
    graph = import_onnx(model(nodes, constants, inputs={"x": ("N", 4, 6, 1)}))
    assert graph.shape("y") == (None, 4, 6, 5)


def test_two_images_of_the_batch_in_one_row_are_refused():
    nodes = [
        *SIZE_OF_BATCH,
        ("Div", "n1,two", "half", {}),
        ("Concat", "half,rest", "t", {"axis": 0}),
        ("Reshape", "x,t", "y", {}),
    ]
    net = model(nodes, SIZES | {"two": ints(2)})
    with pytest.raises(UnsupportedOperatorError, match=r"Div_3 \(Div\): depends on the size of"):
        import_onnx(net)
    graph = import_onnx(net, input_shapes={"x": (6, 4, 6, 6)})
    assert graph.shape("y") == (3, 288)


def test_other_open_sizes_are_refused_with_the_way_out():
    net = model([("Relu", "x", "y", {})], inputs={"x": ("N", 3, "height", 8)})
    with pytest.raises(InvalidModelError, match=r"'x': axis 2 \(height\).*input_shapes=\{'x': "):
        import_onnx(net)
    graph = import_onnx(net, input_shapes={"x": (None, 3, 5, 8)})
    assert graph.types == dict.fromkeys(("x", "y"), TensorType((None, 3, 5, 8)))
    for shapes in [{"x": (1, 3, 5)}, {"z": (1,)}, {"x": (1, 3, None, 8)}, {"x": (1, 3, 0, 8)}]:
        with pytest.raises(InvalidModelError):
            import_onnx(net, input_shapes=shapes)


# Constants


def test_what_is_done_to_weights_is_done_now():
    nodes = [
        ("Transpose", "w", "w2", {"perm": [3, 0, 1, 2]}),
        ("Mul", "w2,scale", "w3", {}),
        ("Conv", "x,w3", "y", {}),
    ]
    w, scale = f(4, 3, 3, 5), f(5, 1, 1, 1)
    graph = import_onnx(model(nodes, {"w": w, "scale": scale}))
    assert [n.kind for n in graph.nodes] == ["conv"]
    wanted = (w.transpose(3, 0, 1, 2) * scale).transpose(2, 3, 1, 0)
    assert np.array_equal(graph.nodes[0].weights["weight"], wanted)


@pytest.mark.parametrize(
    ("start", "stop", "step", "taken"),
    [(0, 4, 2, [0, 2]), (3, 0, -2, [3, 1]), (1, 2, 5, [1])],
)
def test_ranges_are_known(start, stop, step, taken):
    nodes = [("Range", "a,b,c", "r", {}), ("Gather", "x,r", "y", {"axis": 1})]
    constants = {name: np.array(n) for name, n in zip("abc", (start, stop, step), strict=True)}
    x = f(2, 4, 6, 6)
    (y,) = run(import_onnx(model(nodes, constants)), {"x": x})
    assert np.array_equal(y, x[:, taken])


@pytest.mark.parametrize(
    ("op", "opset", "as_input"),
    [
        ("ReduceSum", 11, False),
        ("ReduceSum", 13, True),
        ("ReduceSum", 18, True),
        ("ReduceMax", 17, False),
        ("ReduceMax", 18, True),
    ],
)
def test_axes_of_folded_reductions_moved_to_an_input(op, opset, as_input):
    """Those of sums five versions before the others'."""
    attributes = {"keepdims": 0} | ({} if as_input else {"axes": [1]})
    nodes = [(op, "c,axes" if as_input else "c", "t", attributes), ("Reshape", "x,t", "y", {})]
    sizes = np.array([[2, 0], [72, 72]] if op == "ReduceSum" else [[2, 1], [9, 144]])
    constants = {"c": sizes, "axes": ints(1)}
    graph = import_onnx(model(nodes, constants, inputs={"x": (2, 4, 6, 6)}, opset=opset))
    assert graph.shape("y") == (2, 144)


def test_constants_in_float64_are_computed_so():
    nodes = [
        ("Add", "one,tiny", "sum", {}),
        ("Sub", "sum,one", "left", {}),
        ("Cast", "left", "factor", {"to": FLOAT}),
        ("Mul", "x,factor", "y", {}),
    ]
    x, tiny = f(2, 4, 6, 6), 2.0**-40
    graph = import_onnx(model(nodes, {"one": np.float64(1), "tiny": np.float64(tiny)}))
    assert np.array_equal(run(graph, {"x": x})[0], x * tiny)


def test_constants_that_are_read_and_outputs_that_are_constant():
    nodes = [("Add", "x,c", "y", {}), ("Identity", "x", "same", {}), ("Neg", "c", "minus", {})]
    net = model(nodes, {"c": f(4, 1, 1)}, outputs=("same", "y", "minus", "c", "x"))
    graph = import_onnx(net)
    assert graph.outputs == ["same", "y", "minus", "c", "x"]
    x = f(2, 4, 6, 6)
    same, y, minus, c, again = run(graph, {"x": x})
    assert np.array_equal(minus, -c)
    assert np.array_equal(same, x)
    assert np.array_equal(again, x)
    assert np.allclose(y, x + c)


def test_initializers_among_the_inputs_are_no_inputs():
    net = model([("Add", "x,c", "y", {})], {"c": f(4, 1, 1)}, inputs={"c": (4, 1, 1), "x": (4, 2)})
    net.graph.input[1].type.tensor_type.shape.dim[1].dim_value = 6
    assert import_onnx(net).inputs == ["x"]


def test_only_what_the_outputs_need_is_imported():
    nodes = [("NonMaxSuppression", "x,x", "unused", {}), ("Relu", "x", "y", {})]
    assert [n.kind for n in import_onnx(model(nodes)).nodes] == ["activation"]


@pytest.mark.parametrize("alpha", [1.0, 1.7])
def test_swish(alpha):
    if onnx.defs.onnx_opset_version() < 24:
        pytest.skip("the installed onnx has no Swish")
    graph = import_onnx(model([("Swish", "x", "y", {"alpha": alpha})], opset=24))
    x = f(2, 4, 6, 6)
    assert np.allclose(run(graph, {"x": x})[0], x / (1 + np.exp(-alpha * x)), atol=1e-6)


def test_a_guard_that_changes_nothing_is_looked_through():
    nodes = [
        ("Softplus", "x", "s", {}),
        ("Greater", "x,bound", "large", {}),
        ("CastLike", "x,bound", "x2", {}),
        ("Where", "large,x2,s", "y", {}),
    ]
    graph = import_onnx(model(nodes, {"bound": np.float32(20)}))
    assert [n.kind for n in graph.nodes] == ["unary", "compare", "identity"]
    assert [n.kind for n in optimize(graph).nodes] == ["unary"]
    assert import_onnx(model(nodes, {"bound": np.float32(2)})).nodes[-1].kind == "where"
