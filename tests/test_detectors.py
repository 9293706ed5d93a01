"""Non-maximum suppression, and values of which the network decides how long they are."""

from __future__ import annotations

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="imports ONNX models")
onnxruntime = pytest.importorskip("onnxruntime", reason="the oracle")

import dwsep_file
from onnx_models import ints, model

import dwsep
from dwsep.errors import UnsupportedOperatorError

LIMITS = {"most": ints(4), "iou": np.float32([0.4]), "least": np.float32([0.3])}
SUPPRESS = ("NonMaxSuppression", "boxes,scores,most,iou,least", "kept", {})
SHAPES = {"boxes": (2, 30, 4), "scores": (2, 3, 30)}
CONSTANTS = {**LIMITS, "one": ints(1), "two": ints(2)[0], "whole": ints(-1)}


def feeds(seed, shapes=None):
    rng = np.random.default_rng(seed)
    shapes = shapes or SHAPES
    boxes = rng.uniform(0, 10, shapes["boxes"]).astype(np.float32)
    boxes[..., 2:] += boxes[..., :2] * rng.choice([1.0, -0.2])
    scores = np.round(rng.uniform(0, 1, shapes["scores"]), 1).astype(np.float32)  # many are equal
    return {"boxes": boxes, "scores": scores}


def compared(net, **arrays):
    session = onnxruntime.InferenceSession(net.SerializeToString())
    wanted = session.run(None, arrays)
    loaded = dwsep.load(net)
    got = loaded.run(None, arrays)
    for g, w in zip(got, wanted, strict=True):
        assert (g.shape, g.dtype) == (w.shape, w.dtype)
        np.testing.assert_allclose(g, w, rtol=1e-6)
    return loaded, got


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    ("inputs", "attributes"),
    [
        ("boxes,scores,most,iou,least", {}),
        ("boxes,scores,most,iou", {}),
        ("boxes,scores,most,iou,least", {"center_point_box": 1}),
        ("boxes,scores,most", {}),
    ],
)
def test_suppression(seed, inputs, attributes):
    net = model([("NonMaxSuppression", inputs, "y", attributes)], LIMITS, inputs=SHAPES)
    network, (y,) = compared(net, **feeds(seed))
    assert network.outputs[0].shape == (None, 3)
    assert len(network.outputs) == 1
    again = dwsep.Model.from_bytes(network.to_bytes()) if hasattr(network, "to_bytes") else network
    np.testing.assert_array_equal(again(*feeds(seed).values(), num_threads=2), y)


def test_nothing_is_kept():
    net = model([(*SUPPRESS[:2], "y", {})], LIMITS, inputs=SHAPES)
    arrays = feeds(1)
    arrays["scores"] *= 0.1
    _, (y,) = compared(net, **arrays)
    assert y.shape == (0, 3)


def test_scores_that_are_no_numbers_have_no_place():
    net = model([("NonMaxSuppression", "boxes,scores,most,iou", "y", {})], LIMITS, inputs=SHAPES)
    arrays = feeds(2)
    arrays["scores"][:, :, ::2] = np.nan
    kept = dwsep.load(net).run(None, arrays)[0]
    assert np.all(kept[:, 2] % 2 == 1)


def detector():
    """Return (image, class, score, box) of all that is kept, as exporters write it."""
    return [
        SUPPRESS,
        ("Gather", "kept,two", "number", {"axis": 1}),
        ("Slice", "kept,zero,two_,axis", "pair", {}),
        ("Cast", "pair", "labels", {"to": 1}),
        ("GatherND", "scores,kept", "score", {}),
        ("Unsqueeze", "score,axis", "column", {}),
        ("Concat", "image,number_", "where", {"axis": 1}),
        ("GatherND", "boxes,where", "box", {}),
        ("Mul", "box,half", "small", {}),
        ("Concat", "labels,column,small", "y", {"axis": 1}),
    ]


def test_what_is_made_of_boxes_is_as_long_as_they_are():
    nodes = detector()
    nodes[6:6] = [
        ("Slice", "kept,zero,one,axis", "image", {}),
        ("Unsqueeze", "number,axis", "number_", {}),
    ]
    more = {"zero": ints(0), "two_": ints(2), "axis": ints(1), "half": np.float32([0.5])}
    net = model(nodes, {**CONSTANTS, **more}, inputs=SHAPES, outputs=("y", "score", "kept"))
    for seed in range(4):
        network, (y, *_) = compared(net, **feeds(seed))
        assert y.shape[1] == 7
    assert [info.shape for info in network.outputs] == [(None, 7), (None,), (None, 3)]
    session = network.session()
    assert session(*feeds(3).values())[0].shape == y.shape


@pytest.mark.parametrize(
    "nodes",
    [
        [SUPPRESS, ("Shape", "kept", "y", {})],
        [SUPPRESS, ("ReduceSum", "kept", "y", {})],
        [SUPPRESS, ("Gather", "kept,two", "y", {"axis": 0})],
        [SUPPRESS, ("Reshape", "kept,whole", "y", {})],
        [SUPPRESS, ("Transpose", "kept", "t", {}), ("Concat", "t,t", "y", {"axis": 1})],
        [SUPPRESS, ("Cast", "kept", "f", {"to": 1}), ("TopK", "f,one", "y,", {"axis": 0})],
        [SUPPRESS, ("Add", "kept,large", "y", {})],
    ],
)
def test_what_mixes_boxes_is_refused(nodes):
    constants = {**CONSTANTS, "large": np.zeros((24, 1), np.int64)}
    with pytest.raises(UnsupportedOperatorError, match="the network decides how long"):
        dwsep.load(model(nodes, constants, inputs=SHAPES))


def test_metadata_that_does_not_fit():
    net = model([(*SUPPRESS[:2], "y", {})], LIMITS, inputs=SHAPES)
    network = dwsep.load(net)._network
    data = network.to_bytes()
    text = network.metadata["lengths"].encode()
    for wrong in (text.replace(b"[0,", b"[9,"), text.replace(b'"y"', b'"z"'), b"[" * len(text)):
        broken = dwsep_file.parse(data)
        broken.metadata["lengths"] = wrong.decode()
        with pytest.raises(ValueError, match="lengths that it does not have"):
            dwsep.Model(dwsep._core.Network.from_bytes(broken.to_bytes()))
