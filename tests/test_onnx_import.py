"""The importer around the operators: batches, sources, what is refused and with which message."""

from __future__ import annotations

import numpy as np
import pytest
from graph_runner import run

onnx = pytest.importorskip("onnx", reason="imports ONNX models")

from onnx import helper, numpy_helper

from dwsep.errors import InvalidModelError, UnsupportedOperatorError
from dwsep.graph.onnx import import_onnx
from dwsep.graph.types import TensorType

FLOAT, INT64 = 1, 7


def model(nodes, constants=(), *, inputs=None, outputs=("y",), opset=17):
    """Return a model; a node is (operator, inputs, outputs, attributes)."""
    made = [
        helper.make_node(op, i.split(","), o.split(","), name=f"{op}_{number}", **attributes)
        for number, (op, i, o, attributes) in enumerate(nodes)
    ]
    infos = [
        helper.make_tensor_value_info(name, FLOAT, shape)
        for name, shape in (inputs or {"x": ("N", 4, 6, 6)}).items()
    ]
    graph = helper.make_graph(
        made,
        "net",
        infos,
        [helper.make_empty_tensor_value_info(y) for y in outputs],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in dict(constants).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def f(*shape):
    return np.random.default_rng(1).standard_normal(shape).astype(np.float32)


def ints(*numbers):
    return np.array(numbers, np.int64)


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
    assert [n.kind for n in graph.nodes] == ["unary", "identity"]
    with pytest.raises(UnsupportedOperatorError, match="a condition that the network computes"):
        import_onnx(model(nodes, {"bound": np.float32(2)}))


# What is refused


def test_all_that_is_not_supported_is_reported_at_once(tmp_path):
    nodes = [
        ("TopK", "x,k", "v,i", {}),
        ("Relu", "v", "r", {}),
        ("MaxPool", "x", "p,j", {"kernel_shape": [2, 2]}),
        ("Cast", "x", "d", {"to": 11}),
        ("Einsum", "r,p,j,d", "y", {"equation": "a"}),
        ("Conv", "x,r", "z", {}),
    ]
    path = tmp_path / "net.onnx"
    onnx.save(model(nodes, {"k": ints(1)}, outputs=("y", "z")), path)
    with pytest.raises(UnsupportedOperatorError) as caught:
        import_onnx(path)
    lines = str(caught.value).splitlines()
    assert str(path) in lines[0]
    assert "4 of 6" in lines[0]
    text = "\n".join(lines[1:])
    assert sorted(line.split()[0] for line in lines[1:]) == [
        "Cast_3",
        "Einsum_4",
        "MaxPool_2",
        "TopK_0",
    ]
    assert "MaxPool_2 (MaxPool): its output of indices is used" in text
    assert "Cast_3 (Cast): the network's values are float32" in text


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_other_precisions_are_refused(dtype):
    net = model([("Conv", "x,w", "y", {})], {"w": f(2, 4, 1, 1).astype(dtype)})
    with pytest.raises(UnsupportedOperatorError, match=f"weights 'w' is {np.dtype(dtype)}"):
        import_onnx(net)
    net.graph.input[0].type.tensor_type.elem_type = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    with pytest.raises(UnsupportedOperatorError) as caught:
        import_onnx(net)
    assert "input 'x' is" in str(caught.value)
    assert "initializer 'w' is" in str(caught.value)


@pytest.mark.parametrize("code", [1, 7])
def test_an_input_of_another_type_hides_no_other_reason(code):
    nodes = [
        ("Cast", "x", "a", {"to": 1}),
        ("TopK", "a,k", "v,i", {}),
        ("Conv", "a,w", "y", {}),
    ]
    net = model(nodes, {"k": ints(1), "w": f(2, 3, 1, 1)}, outputs=("y", "v"))
    net.graph.input[0].type.tensor_type.elem_type = code
    with pytest.raises(UnsupportedOperatorError) as caught:
        import_onnx(net)
    text = str(caught.value)
    assert ("input 'x' is int64" in text) == (code == 7)
    assert "TopK_1 (TopK): this operator is not supported" in text
    assert "the weights are for 3 channels, the input has 4" in text


def test_an_input_of_another_type_and_of_open_sizes():
    net = model([("Relu", "x", "y", {})], inputs={"x": ("N", 4, "H", 6)})
    net.graph.input[0].type.tensor_type.elem_type = 7
    with pytest.raises(UnsupportedOperatorError, match=r"(?s)'x' is int64.*axis 2 \(H\)"):
        import_onnx(net)


@pytest.mark.parametrize(
    ("node", "constants", "reason"),
    [
        (("Conv", "x,w", "y", {}), {"w": f(2, 3, 1, 1)}, "weights are for 3 channels"),
        (("Conv", "x,w", "y", {}), {"w": f(2, 4, 3)}, "only 2-D"),
        (("Conv", "x,w", "y", {"group": 3}), {"w": f(2, 4, 1, 1)}, "group: 3 does not divide"),
        (("Conv", "x,w", "y", {"strides": [0, 1]}), {"w": f(2, 4, 1, 1)}, "strides: need two"),
        (("Conv", "x,w", "y", {"pads": [0, 0, -1, 0]}), {"w": f(2, 4, 1, 1)}, "pads: need four"),
        (("Conv", "x,w", "y", {"strides": 2}), {"w": f(2, 4, 1, 1)}, "'strides': need INTS"),
        (("Conv", "x,w", "y", {"what": 2}), {"w": f(2, 4, 1, 1)}, "no attribute 'what'"),
        (("Conv", "x,w", "y", {}), {"w": f(2, 4, 9, 9)}, "a window needs 9"),
        (("Conv", "x", "y", {}), {}, "need 2 to 3 inputs, got 1"),
        (("Frobnicate", "x", "y", {}), {}, "this operator is not supported"),
        (("Concat", "x,x", "y", {"axis": 7}), {}, "axis: need from -4 to 3"),
        (("Concat", "x,x", "y", {"axis": 0}), {}, "along the batch"),
        (("Add", "x,w", "y", {}), {"w": f(5)}, "do not broadcast"),
        (("Add", "x,w", "y", {}), {"w": np.ones(6)}, "'w' is float64"),
        (("Gather", "x,w", "y", {"axis": 1}), {"w": ints(4)}, "indices: need from -4 to 3"),
        (("Gather", "x,w", "y", {}), {"w": ints(0)}, "part of the batch"),
        (("Reshape", "x,w", "y", {}), {"w": ints(-1, 7)}, "mixes the batch"),
        (("Reshape", "x,w", "y", {}), {"w": ints(-1, -1)}, "at most one -1"),
        (("Resize", "x,,w", "y", {}), {"w": np.float32([2, 1, 2, 2])}, "resizes axis 0"),
        (("Resize", "x,,w", "y", {}), {"w": np.float32([1, 1, np.nan, 2])}, "nan is no scale"),
        (
            ("Resize", "x,,w", "y", {"coordinate_transformation_mode": "tf_crop_and_resize"}),
            {"w": np.float32([1, 1, 2, 2])},
            "'tf_crop_and_resize' is not",
        ),
        (("Slice", "x,w,w", "y", {}), {"w": ints(1)}, "part of the batch"),
        (("ReduceMean", "x", "y", {"axes": [4]}), {}, "axes: need from -4 to 3"),
        (("Transpose", "x", "y", {"perm": [0, 1, 1, 2]}), {}, "does not permute"),
        (("Greater", "x,w", "y", {}), {"w": np.float32(0)}, "is a comparison"),
    ],
)
def test_a_node_that_is_refused(node, constants, reason):
    with pytest.raises(ValueError, match=reason):
        import_onnx(model([node], constants))


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"antialias": 1, "mode": "linear"}, "antialias is not"),
        ({"keep_aspect_ratio_policy": "not_larger"}, "supported as 'stretch' only"),
        ({"mode": "cubic", "cubic_coeff_a": -0.5}, "supported at -0.75 only"),
        ({"mode": "cubic", "exclude_outside": 1}, "exclude_outside is not"),
    ],
)
def test_ways_of_resizing_that_are_refused(attributes, reason):
    sizes = {"w": ints(5, 5)}
    node = ("Resize", "x,,,w", "y", {"axes": [2, 3], **attributes})
    with pytest.raises(UnsupportedOperatorError, match=reason):
        import_onnx(model([node], sizes, opset=18))


@pytest.mark.parametrize("rows", [1.15, 2])
def test_rounding_that_depends_on_the_direction(rows):
    """Rows that a scale leaves as many as they were go up nevertheless."""
    scales = {"w": np.float32([1, 1, rows, 0.5])}
    node = ("Resize", "x,w", "y", {})
    with pytest.raises(UnsupportedOperatorError, match="rounding apart"):
        import_onnx(model([node], scales, opset=10))
