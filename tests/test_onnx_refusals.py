"""What the importer refuses, and with which message."""

from __future__ import annotations

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="imports ONNX models")

from onnx_models import f, ints, model

from dwsep.errors import InvalidModelError, UnsupportedOperatorError
from dwsep.graph.onnx import import_onnx


def test_all_that_is_not_supported_is_reported_at_once(tmp_path):
    nodes = [
        ("Unique", "x", "v,i", {}),
        ("Relu", "v", "r", {}),
        ("MaxPool", "x", "p,j", {"kernel_shape": [2, 2]}),
        ("Cast", "x", "d", {"to": 8}),
        ("Frobnicate", "r,p,j,d", "y", {}),
        ("Conv", "x,r", "z", {}),
    ]
    path = tmp_path / "net.onnx"
    onnx.save(model(nodes, outputs=("y", "z")), path)
    with pytest.raises(UnsupportedOperatorError) as caught:
        import_onnx(path)
    lines = str(caught.value).splitlines()
    assert str(path) in lines[0]
    assert "4 of 6" in lines[0]
    text = "\n".join(lines[1:])
    assert sorted(line.split()[0] for line in lines[1:]) == [
        "Cast_3",
        "Frobnicate_4",
        "MaxPool_2",
        "Unique_0",
    ]
    assert "MaxPool_2 (MaxPool): its output of indices is used" in text
    assert "Cast_3 (Cast): the network has no values of type 8" in text


@pytest.mark.parametrize("code", [1, 8])
def test_an_input_of_another_type_hides_no_other_reason(code):
    nodes = [
        ("Cast", "x", "a", {"to": 1}),
        ("Unique", "a", "v", {}),
        ("Conv", "a,w", "y", {}),
    ]
    net = model(nodes, {"w": f(2, 3, 1, 1)}, outputs=("y", "v"))
    net.graph.input[0].type.tensor_type.elem_type = code
    with pytest.raises(UnsupportedOperatorError) as caught:
        import_onnx(net)
    text = str(caught.value)
    assert ("input 'x' is string" in text) == (code == 8)
    assert "Unique_1 (Unique): this operator is not supported" in text
    assert "the weights are for 3 channels, the input has 4" in text


def test_an_input_of_another_type_and_of_open_sizes():
    net = model([("Relu", "x", "y", {})], inputs={"x": ("N", 4, "H", 6)})
    net.graph.input[0].type.tensor_type.elem_type = 8
    with pytest.raises(UnsupportedOperatorError, match=r"(?s)'x' is string.*axis 2 \(H\)"):
        import_onnx(net)


@pytest.mark.parametrize(
    ("node", "constants", "reason"),
    [
        (("Conv", "x,w", "y", {}), {"w": f(2, 3, 1, 1)}, "weights are for 3 channels"),
        (("Conv", "x,w", "y", {}), {"w": f(2, 4, 3)}, "weights: need 4 axes"),
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
        (("Add", "x,w", "y", {}), {"w": np.ones(6, int)}, "need inputs of float32, got int64"),
        (("Gather", "x,w", "y", {"axis": 1}), {"w": ints(4)}, "indices: need from -4 to 3"),
        (("Gather", "x,w", "y", {}), {"w": ints(0)}, "part of the batch"),
        (("Reshape", "x,w", "y", {}), {"w": ints(-1, 7)}, "mixes the batch"),
        (
            ("Reshape", "x,w", "y", {}),
            {"w": ints(0, 4, 6, 6, 0)},
            "keeps an axis that there is not",
        ),
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
        (("Greater", "x,w", "y", {}), {"w": np.int32(0)}, "float32 and int32"),
    ],
)
def test_a_node_that_is_refused(node, constants, reason):
    with pytest.raises(ValueError, match=reason):
        import_onnx(model([node], constants))


@pytest.mark.parametrize("outputs", ["y,used", "y,,used"])
def test_a_layer_norm_of_which_more_is_used(outputs):
    node = ("LayerNormalization", "x,w", outputs, {})
    with pytest.raises(UnsupportedOperatorError, match="mean or deviation is used"):
        import_onnx(model([node], {"w": f(6)}, outputs=("y", "used")))


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
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


@pytest.mark.parametrize("depth", [0, 2**63 - 1])
def test_depths_of_one_hot_codes_that_no_array_has(depth):
    constants = {"d": np.array(depth), "v": np.float32([0, 1])}
    net = model([("OneHot", "x,d,v", "y", {})], constants, outputs=("y",))
    with pytest.raises(InvalidModelError, match="depth: need from 1 to"):
        import_onnx(net)
