"""Shapes of graph values: what an unknown batch may do, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from dwsep.errors import ShapeError
from dwsep.graph.ir import Node, TensorType
from dwsep.graph.ops import infer
from dwsep.graph.sizes import broadcast, checked, reshaped


@pytest.mark.parametrize(
    ("shape", "target", "wanted"),
    [
        ((None, 8, 2, 3), (0, -1), (None, 48)),
        ((None, 8, 2, 3), (-1, 48), (None, 48)),
        ((None, 8, 2, 3), (0, 2, 4, 2, 3), (None, 2, 4, 2, 3)),
        ((None, 48), (-1, 8, 6), (None, 8, 6)),
        ((2, 3), (-1,), (6,)),
        ((None,), (-1, 1), (None, 1)),
        ((6,), (2, 3), (2, 3)),
        ((), (1,), (1,)),
    ],
)
def test_reshaped(shape, target, wanted):
    assert reshaped(shape, target) == wanted


@pytest.mark.parametrize(
    ("shape", "target"),
    [
        ((None, 8, 6), (-1, 6)),
        ((None, 8, 6), (1, 48)),
        ((None, 8), (-1, -1)),
        ((6,), (4,)),
        ((6,), (4, -1)),
        ((6,), (6, 0)),
        ((6,), (-2,)),
    ],
)
def test_reshapes_that_are_refused(shape, target):
    with pytest.raises(ShapeError):
        reshaped(shape, target)


def test_broadcast_keeps_the_batch():
    assert broadcast((None, 3, 1), (4,)) == (None, 3, 4)
    assert broadcast((None, 3), (1, 3)) == (None, 3)
    for shapes in [((None, 3), (2, 3)), ((2,), (3,))]:
        with pytest.raises(ShapeError, match="do not broadcast"):
            broadcast(*shapes)


@pytest.mark.parametrize("shape", [(0, 1), (-1,), (2**31,), (2**20, 2**21), (None, None)])
def test_shapes_that_no_array_has(shape):
    with pytest.raises(ShapeError):
        checked(shape)


WINDOW = {"stride": (2, 1), "dilation": (1, 2), "padding": (1, 1, 2, 2)}


@pytest.mark.parametrize("channels_last", [False, True])
def test_images(channels_last):
    def image(n, c, h, w):
        return (n, h, w, c) if channels_last else (n, c, h, w)

    def shape(kind, weight, attributes=(), other=()):
        weights = {"weight": np.zeros(weight, np.float32)} if weight else {}
        weights |= {k: np.zeros(v, np.float32) for k, v in dict(other).items()}
        node = Node(kind, ["x"], "y", WINDOW | dict(attributes), weights)
        return infer(node, [TensorType(image(None, 6, 9, 7))], channels_last=channels_last).shape

    assert shape("conv", (3, 3, 6, 4), {"groups": 1}) == image(None, 4, 5, 7)
    assert shape("conv", (3, 3, 2, 9), {"groups": 3}) == image(None, 9, 5, 7)
    assert shape("depthwise", (3, 3, 6, 2)) == image(None, 12, 5, 7)
    assert shape("pointwise", (6, 4)) == image(None, 4, 9, 7)
    assert shape("pool", (), {"kernel": (3, 3), "function": "max"}) == image(None, 6, 5, 7)
    assert shape("zero_insert", ()) == image(None, 6, 17, 7)
    assert shape("resize", (), {"size": (4, 30)}) == image(None, 6, 4, 30)
    upsampled = shape("conv_transpose", (3, 3, 6, 2), {"groups": 2, "output_padding": (1, 0)})
    assert upsampled == image(None, 4, (9 - 1) * 2 + 3 - 2 + 1, (7 - 1) + 5 - 4)
    block = shape(
        "inverted_residual", (8, 5), {}, {"expand_weight": (6, 8), "depthwise_weight": (3, 3, 8, 1)}
    )
    assert block == image(None, 5, 5, 7)
    depthwise = {"depthwise_weight": (3, 3, 6, 2)}
    squeeze_excite = depthwise | {"reduce_weight": (12, 3), "excite_weight": (3, 12)}
    assert shape("separable", (12, 5), {}, squeeze_excite) == image(None, 5, 5, 7)
    for wrong in ({"reduce_weight": (6, 3)}, {"excite_weight": (4, 12)}, {"excite_weight": (3, 6)}):
        with pytest.raises(ShapeError, match="separable 'y'"):
            shape("separable", (12, 5), {}, squeeze_excite | wrong)
    for weight in [(3, 3, 5, 4), (10, 10, 6, 4)]:
        with pytest.raises(ShapeError, match="conv 'y'"):
            shape("conv", weight, {"groups": 1})


@pytest.mark.parametrize("channels_last", [False, True])
def test_what_is_normalised_has_an_axis_of_channels(channels_last):
    weights = {name: np.ones(4, np.float32) for name in ("scale", "shift")}
    node = Node("batch_norm", ["x"], "y", {}, weights)
    features = TensorType((None, 4))
    assert infer(node, [features], channels_last=channels_last) == features
    with pytest.raises(ShapeError, match="need an axis of channels"):
        infer(node, [TensorType((4,))], channels_last=channels_last)


def test_axes():
    def shape(kind, *shapes, **attributes):
        node = Node(kind, ["x"] * len(shapes), "y", attributes)
        return infer(node, [TensorType(s) for s in shapes]).shape

    assert shape("reduce", (None, 4, 5), axes=(2,), keepdims=False) == (None, 4)
    assert shape("reduce", (None, 4, 5), axes=(1, 2), keepdims=True) == (None, 1, 1)
    assert shape("concat", (None, 4), (None, 5), axis=1) == (None, 9)
    assert shape("transpose", (None, 4, 5), perm=(0, 2, 1)) == (None, 5, 4)
    steps = {"starts": (0, 9, 1), "stops": (None, None, 8), "steps": (1, -1, 3)}
    assert shape("slice", (None, 10, 10), **steps) == (None, 10, 3)
    pads = {"mode": "constant", "before": (0, 1), "after": (0, 2), "value": 0.0}
    assert shape("pad", (None, 4), **pads) == (None, 7)
    assert shape("matmul", (None, 3, 4, 5), (5, 6)) == (None, 3, 4, 6)
    assert shape("expand", (None, 1, 3), shape=(0, 4, 3)) == (None, 4, 3)
    assert shape("expand", (3,), shape=(2, 0)) == (2, 3)
    assert shape("expand", (3,), shape=(0, 0)) == (1, 3)
    assert shape("gather", (None, 5, 6), axis=1, indices=np.array([[0, 4]])) == (None, 1, 2, 6)
    assert shape("gather", (2, 5), axis=1, indices=np.array([-5, 4])) == (2, 2)
    for index in (-6, 5):
        with pytest.raises(ShapeError, match="indices need to be from -5 to 4"):
            shape("gather", (2, 5), axis=1, indices=np.array([0, index]))
    with pytest.raises(ShapeError, match="along the batch"):
        shape("concat", (None, 4), (None, 4), axis=0)
    with pytest.raises(ShapeError, match="part of the batch"):
        shape("gather", (None, 4), axis=0, indices=np.array(0))
    with pytest.raises(ShapeError, match="no such kind"):
        shape("convolve", (1,))
