"""Recurrent layers, samples and boxes in files that leave sizes open, at several sizes."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("onnx", reason="imports ONNX models")
onnxruntime = pytest.importorskip("onnxruntime", reason="the oracle")

from onnx import helper
from onnx_models import ints, model

import dwsep

IMAGE = {"x": ("N", 2, "H", "W")}
IMAGES = [{"x": (1, 2, 8, 10)}, {"x": (2, 2, 12, 6)}]


def compared(net, shapes):
    """Check one network, loaded once, at each of some shapes."""
    network = dwsep.load(net)
    session = onnxruntime.InferenceSession(net.SerializeToString())
    rng = np.random.default_rng(1)
    for sizes in shapes:
        feeds = {
            name: rng.integers(-1, 2, shape)
            if name == "indices"
            else rng.standard_normal(shape).astype(np.float32)
            for name, shape in sizes.items()
        }
        for got, wanted in zip(network.run(None, feeds), session.run(None, feeds), strict=True):
            assert got.shape == wanted.shape
            np.testing.assert_allclose(got, wanted, rtol=0, atol=5e-6)


def weights(*shape):
    return (np.random.default_rng(len(shape)).standard_normal(shape) / 3).astype(np.float32)


@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize(("op", "gates"), [("RNN", 1), ("GRU", 3), ("LSTM", 4)])
def test_steps_and_batches(op, gates, direction):
    directions = 2 if direction == "bidirectional" else 1
    given = {
        "w": weights(directions, gates * 5, 3),
        "r": weights(directions, gates * 5, 5),
        "b": weights(directions, 2 * gates * 5),
    }
    outputs = ("y", "h", "c") if op == "LSTM" else ("y", "h")
    node = (op, "x,w,r,b", ",".join(outputs), {"hidden_size": 5, "direction": direction})
    net = model([node], given, inputs={"x": ("T", "N", 3)}, outputs=outputs)
    compared(net, [{"x": (4, 1, 3)}, {"x": (7, 3, 3)}, {"x": (1, 2, 3)}, {"x": (4, 1, 3)}])


@pytest.mark.parametrize(
    ("node", "constants", "opset"),
    [
        (
            ("Resize", "x,,s", "y", {"antialias": 1, "mode": "linear"}),
            np.float32([1, 1, 0.5, 0.5]),
            18,
        ),
        (("Pad", "x,s", "y", {"mode": "wrap"}), ints(0, 0, 1, 2, 0, 0, 2, 1), 19),
        (("LpPool", "x", "y", {"kernel_shape": [3, 3], "auto_pad": "SAME_UPPER"}), None, 18),
    ],
)
def test_images(node, constants, opset):
    given = {} if constants is None else {"s": constants}
    compared(model([node], given, inputs=IMAGE, opset=opset), IMAGES)


def test_samples():
    net = model([("GridSample", "x,grid", "y", {})], inputs={**IMAGE, "grid": ("N", 4, 5, 2)})
    compared(net, [{**sizes, "grid": (sizes["x"][0], 4, 5, 2)} for sizes in IMAGES])


@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["linear", "nearest"])
def test_samples_of_many_pixels(mode, padding, monkeypatch):
    """Their indices are integers; a place that is no number has no pixel, or that of 0."""
    inputs = {"x": (1, 2, 7, 9), "grid": (1, 4, 5, 2)}
    how = {"padding_mode": padding, "mode": mode}
    net = model([("GridSample", "x,grid", "y", how)], inputs=inputs, opset=20)
    rng = np.random.default_rng(2)
    x = [1.5 * rng.standard_normal(s).astype(np.float32) for s in inputs.values()]
    x[1][0, 1, 2, 0] = np.nan
    y = dwsep.load(net)(*x)
    if mode == "linear":
        assert np.isnan(y[0, :, 1, 2]).all()
    elif padding == "border":
        x[1][0, 1, 2, 0] = -1
        assert np.array_equal(y, dwsep.load(net)(*x))
        x[1][0, 1, 2, 0] = np.nan
    monkeypatch.setattr("dwsep.graph.onnx.sampling._MOST_PIXELS", 0)
    assert np.array_equal(dwsep.load(net)(*x), y, equal_nan=True)


def test_elements_at_computed_indices():
    net = model([("GatherND", "x,indices", "y", {})], inputs={"x": ("H", "W", 3)})
    net.graph.input.append(helper.make_tensor_value_info("indices", 7, [2, 2]))
    compared(net, [{"x": shape, "indices": (2, 2)} for shape in ((4, 6, 3), (5, 3, 3))])


@pytest.mark.parametrize(("k", "upper"), [(0, 0), (1, 1), (-2, 1)])
def test_triangles(k, upper):
    net = model(
        [("Trilu", "x,k", "y", {"upper": upper})], {"k": np.array(k)}, inputs={"x": ("N", "T", "S")}
    )
    compared(net, [{"x": shape} for shape in ((2, 5, 4), (1, 3, 7), (1, 1, 1))])
    net = model(
        [("Trilu", "x,k", "y", {"upper": upper})], {"k": np.array(k)}, inputs={"x": (2, "T", 3)}
    )
    compared(net, [{"x": (2, t, 3)} for t in (5, 2)])


def test_triangles_beyond_exact_floats_are_refused():
    """Places are float32, which has all integers up to 2^24 alone."""
    shape = {"x": (1, 2**24 + 1)}
    with pytest.raises(dwsep.errors.UnsupportedOperatorError, match=r"Trilu.*up to 16777216"):
        dwsep.load(model([("Trilu", "x", "y", {})], inputs=shape))


def test_a_mask_of_as_many_steps_as_there_are():
    nodes = [
        ("Shape", "x", "shape", {"start": 1}),
        ("ConstantOfShape", "shape", "all", {"value": helper.make_tensor("v", 1, [1], [-np.inf])}),
        ("Trilu", "all,k", "mask", {"upper": 1}),
        ("Add", "x,mask", "scores", {}),
        ("Softmax", "scores", "y", {}),
    ]
    for size in ("T", 6):
        net = model(nodes, {"k": np.array(1)}, inputs={"x": ("N", size, size)})
        compared(net, [{"x": (n, t, t)} for n, t in ((1, 6), (2, 9)) if size in ("T", t)])


@pytest.mark.parametrize("rows", [0, 2])
def test_a_constant_of_the_batch_may_have_no_rows(rows):
    nodes = [
        ("Shape", "x", "batch", {"end": 1}),
        ("Concat", "batch,more", "shape", {"axis": 0}),
        ("ConstantOfShape", "shape", "zeros", {}),
        ("Mul", "zeros,two", "padding", {}),
        ("Concat", "padding,x", "y", {"axis": 1}),
    ]
    constants = {"more": ints(rows, 4), "two": np.float32(2)}
    net = model(nodes, constants, inputs={"x": ("N", 3, 4)}, opset=17)
    compared(net, [{"x": (n, 3, 4)} for n in (1, 3)])


EMPTY = [
    ("Shape", "x", "batch", {"end": 1}),
    ("Concat", "batch,none", "shape", {"axis": 0}),
    ("ConstantOfShape", "shape", "zeros", {}),
]
NONE = {"none": ints(0, 4), "more": ints(3, 4), "two": np.float32(2)}


@pytest.mark.parametrize(
    "readers",
    [
        [
            ("Shape", "zeros", "again", {"end": 1}),
            ("Concat", "again,more", "sizes", {"axis": 0}),
            ("ConstantOfShape", "sizes", "y", {}),
        ],
        [
            ("Mul", "zeros,two", "doubled", {}),
            ("Cast", "doubled", "numbers", {"to": 1}),
            ("Shape", "numbers", "again", {}),
            ("Slice", "again,start,end", "count", {}),
            ("Cast", "count", "number", {"to": 1}),
            ("Add", "x,number", "y", {}),
        ],
        [("Concat", "zeros,x,zeros", "z", {"axis": 1}), ("Relu", "z", "y", {})],
    ],
)
def test_a_constant_without_rows_knows_its_batch(readers):
    given = {**NONE, "start": ints(0), "end": ints(1)}
    net = model(EMPTY + readers, given, inputs={"x": ("N", 3, 4)}, opset=17)
    compared(net, [{"x": (n, 3, 4)} for n in (3, 1, 2)])


@pytest.mark.parametrize(
    "readers",
    [
        [("ReduceSum", "zeros,axis", "sums", {}), ("Concat", "sums,x", "y", {"axis": 1})],
        [("Mul", "zeros,x1", "z", {}), ("Concat", "z,x", "y", {"axis": 1})],
        [("Reshape", "zeros,more", "z", {}), ("Concat", "z,x", "y", {"axis": 1})],
        [("Concat", "zeros,x", "y", {"axis": 0})],
        [("Concat", "zeros,zeros", "z", {"axis": 2}), ("Concat", "z,x", "y", {"axis": 1})],
    ],
)
def test_what_else_reads_a_constant_without_rows_is_refused(readers):
    given = {**NONE, "axis": ints(1), "x1": np.ones((1, 1, 4), np.float32)}
    net = model(EMPTY + readers, given, inputs={"x": ("N", 3, 4)}, opset=17)
    with pytest.raises(ValueError, match="cannot be imported"):
        dwsep.load(net)


@pytest.mark.parametrize(
    ("empty", "shape", "axis"),
    [
        (np.zeros((0, 7), np.float32), (2, 4), 0),
        (np.zeros((0, 3), np.float32), (2, 3), 1),
        (np.zeros(0, np.float32), (2, 4), 0),
        (np.zeros((0, 4), np.int64), (2, 4), 0),
        (np.zeros((1, 0), np.float32), ("N", 4), 1),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_what_is_empty_and_does_not_fit_is_refused(empty, shape, axis, first):
    names = "empty,x" if first else "x,empty"
    net = model([("Concat", names, "y", {"axis": axis})], {"empty": empty}, inputs={"x": shape})
    with pytest.raises(ValueError, match="cannot be imported"):
        dwsep.load(net)(np.ones((2, *shape[1:]), np.float32))


def test_boxes():
    limits = {"most": ints(4), "overlap": np.float32([0.4])}
    inputs = {"boxes": (1, "B", 4), "scores": (1, 2, "B")}
    net = model(
        [("NonMaxSuppression", "boxes,scores,most,overlap", "y", {})], limits, inputs=inputs
    )
    compared(net, [{"boxes": (1, n, 4), "scores": (1, 2, n)} for n in (30, 7, 2, 30)])


@pytest.mark.parametrize(("start", "delta"), [(0, 1), (3, 2)])
def test_places_of_anchors_are_steps_of_one_network(start, delta):
    """Detectors add where a cell lies to what it predicts."""
    nodes = [
        ("Shape", "x", "shape", {"start": 3}),
        ("Squeeze", "shape", "size", {}),
        ("Cast", "size", "limit", {"to": 1}),
        ("Range", "start,limit,delta", "places", {}),
        ("Add", "places,half", "centres", {}),
        ("Shape", "x", "count", {"start": 2, "end": 3}),
        ("ConstantOfShape", "count", "zeros", {}),
        ("Unsqueeze", "zeros,last", "column", {}),
        ("Add", "column,centres", "grid", {}),
        ("Slice", "x,first,bound,axis,step", "cells", {}),
        ("Add", "cells,grid", "y", {}),
    ]
    numbers = {"start": np.float32(start), "delta": np.float32(delta)}
    cut = {"first": ints(start), "bound": ints(2**31), "axis": ints(3), "step": ints(delta)}
    constants = {**numbers, "half": np.float32(0.5), "last": ints(1), **cut}
    net = model(nodes, constants, inputs=IMAGE, opset=17)
    sizes = [{"x": (1, 2, 8, 10)}, {"x": (2, 2, 12, 6)}, {"x": (1, 2, 5, 9)}]
    compared(net, sizes)
    network, x = dwsep.load(net), np.ones((1, 2, 7, 11), np.float32)
    network(np.ones((1, 2, 8, 10), np.float32))
    fixed = dwsep.load(net, input_shapes={"x": x.shape})
    assert network(x).tobytes() == fixed(x).tobytes()
    assert len(list(network._networks)) == 1


def test_places_at_distances_of_fractions_are_those_of_each_size():
    nodes = [
        ("Shape", "x", "shape", {"start": 3}),
        ("Cast", "shape", "size", {"to": 1}),
        ("Squeeze", "size", "limit", {}),
        ("Range", "start,limit,delta", "places", {}),
        ("ReduceSum", "places", "total", {"keepdims": 0}),
        ("Add", "x,total", "y", {}),
    ]
    net = model(nodes, {"start": np.float32(0), "delta": np.float32(0.5)}, inputs=IMAGE)
    compared(net, IMAGES)


def test_indices_up_to_a_size_are_known_for_each_size():
    nodes = [
        ("Shape", "x", "shape", {"start": 3}),
        ("Squeeze", "shape", "limit", {}),
        ("Range", "start,limit,delta", "places", {}),
        ("Gather", "x,places", "y", {"axis": 3}),
    ]
    compared(model(nodes, {"start": np.int64(0), "delta": np.int64(2)}, inputs=IMAGE), IMAGES)


def test_what_all_images_share_follows_the_batch(tmp_path):
    nodes = [
        ("Shape", "x", "batch", {"end": 1}),
        ("Concat", "batch,one,four", "sizes", {"axis": 0}),
        ("Expand", "token,sizes", "first", {}),
        ("Concat", "batch,two,one", "repeats", {"axis": 0}),
        ("Tile", "token,repeats", "second", {}),
        ("ConstantOfShape", "sizes", "third", {"value": helper.make_tensor("v", 1, [1], [0.5])}),
        ("Concat", "first,x,second,third", "y", {"axis": 1}),
    ]
    known = {"token": weights(1, 1, 4), "one": ints(1), "two": ints(2), "four": ints(4)}
    net = model(nodes, known, inputs={"x": ("N", 3, 4)})
    compared(net, [{"x": (n, 3, 4)} for n in (1, 2, 5)])
    network = dwsep.load(net)
    assert network.outputs[0].shape == (None, 7, 4)
    network.save(tmp_path / "net.dwsep")
    x = np.full((3, 3, 4), np.nan, np.float32)  # equals nothing, and changes nothing
    y = dwsep.load(tmp_path / "net.dwsep")(x)
    assert np.array_equal(y[:, :1], np.repeat(known["token"], 3, 0))


@pytest.mark.parametrize("names", [("T", "N"), ("N", "N")])
def test_what_the_images_of_one_input_share(names):
    nodes = [
        ("Shape", "b", "batch", {"end": 1}),
        ("Concat", "batch,four", "sizes", {"axis": 0}),
        ("Expand", "token,sizes", "y", {}),
        ("Relu", "a", "z", {}),
    ]
    known = {"token": weights(1, 1), "four": ints(4)}
    net = model(nodes, known, inputs={"a": (names[0], 3), "b": (names[1], 3)}, outputs=("y", "z"))
    compared(net, [{"a": (m, 3), "b": (n, 3)} for m, n in ((2, 5), (4, 1))])


@pytest.mark.parametrize("reduction", ["none", "add"])
def test_nothing_is_scattered(reduction):
    x, a = weights(4, 6), {"reduction": reduction}
    for op, indices in (("ScatterElements", (0, 6)), ("ScatterND", (0, 1))):
        known = {"places": np.zeros(indices, np.int64), "new": np.zeros((0, 6), np.float32)}
        net = dwsep.load(model([(op, "x,places,new", "y", a)], known, inputs={"x": (4, 6)}))
        assert np.array_equal(net(x), x)


def test_masks_by_the_numbers_of_their_elements():
    nodes = [
        ("Shape", "x", "n", {"end": 1}),
        ("Shape", "x", "t", {"start": 1}),
        ("Squeeze", "n", "rows", {}),
        ("Squeeze", "t", "columns", {}),
        ("Range", "zero,rows,step", "i", {}),
        ("Range", "zero,columns,step", "j", {}),
        ("Mul", "i,columns", "first", {}),
        ("Unsqueeze", "first,axis", "firsts", {}),
        ("Add", "firsts,j", "places", {}),
        ("Reshape", "x,all", "flat", {}),
        ("Gather", "flat,places", "y", {}),
    ]
    known = {"zero": np.int64(0), "step": np.int64(1), "axis": ints(1), "all": ints(-1)}
    net = model(nodes, known, inputs={"x": ("N", "T")})
    compared(net, [{"x": shape} for shape in ((1, 12), (3, 9), (2, 1))])


def test_elements_of_each_size_at_known_places():
    nodes = [("ScatterND", "x,places,new", "y", {})]
    net = model(nodes, {"places": ints(0, 1)[None], "new": weights(1)}, inputs={"x": ("N", "T")})
    compared(net, [{"x": shape} for shape in ((1, 12), (3, 9))])


def test_short_tables_of_places():
    nodes = [
        ("Shape", "x", "t", {"start": 1, "end": 2}),
        ("Slice", "table,zero,t,zero", "places", {}),
        ("Add", "x,places", "y", {}),
    ]
    net = model(nodes, {"table": weights(40, 4), "zero": ints(0)}, inputs={"x": ("N", "T", 4)})
    compared(net, [{"x": shape} for shape in ((1, 12, 4), (3, 40, 4))])


@pytest.mark.parametrize(
    ("start", "delta", "heights"),
    [(5, 1, (4, 5, 7, 30)), (-3, 4, (1, 2, 9)), (-(2.0**100), 2.0**97, (1, 9))],
)
def test_rows_of_numbers_may_end_before_they_begin(start, delta, heights):
    nodes = [
        ("Shape", "x", "shape", {"start": 2, "end": 3}),
        ("Squeeze", "shape", "size", {}),
        ("Cast", "size", "limit", {"to": 1}),
        ("Range", "start,limit,delta", "places", {}),
        ("Concat", "places,more", "y", {"axis": 0}),
    ]
    given = {"start": np.float32(start), "delta": np.float32(delta), "more": np.float32([1, 2])}
    net = model(nodes, given, inputs=IMAGE, opset=17)
    compared(net, [{"x": (1, 2, height, 3)} for height in heights])
