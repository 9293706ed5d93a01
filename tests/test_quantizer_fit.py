"""Weights that are rounded for what they meet bring outputs nearer than the nearest numbers do."""

from __future__ import annotations

import numpy as np
import pytest

import dwsep
from dwsep.graph.ir import Node
from dwsep.quantizer.fit import can_fit, fitted

RNG = np.random.default_rng(7)
SHAPES = {"depthwise": (3, 3, 6, 2), "pointwise": (24, 20), "standard": (3, 3, 4, 10)}
LAYERS = {
    "depthwise": dwsep.DepthwiseConv2D,
    "pointwise": dwsep.PointwiseConv2D,
    "standard": dwsep.Conv2D,
}
WINDOW = {"stride": (2, 1), "dilation": (1, 2), "padding": (1, 0, 2, 1)}


def images(channels, count=4):
    """Return images whose pixels and channels resemble each other, as those of networks do."""
    x = RNG.standard_normal((count, 20, 24, channels)).cumsum(axis=1).cumsum(axis=3)
    return (x + 5).astype(np.float32)


def step(kind):
    shape = SHAPES[kind]
    weight = RNG.standard_normal(shape).astype(np.float32)
    node = Node(kind, ["x"], "y", {} if kind == "pointwise" else dict(WINDOW), {"weight": weight})
    outputs = shape[2] * shape[3] if kind == "depthwise" else shape[-1]
    scales = (np.abs(weight.reshape(-1, outputs)).max(axis=0) / 127).astype(np.float32)
    return node, scales * np.float32(8)  # four bits are enough to tell


def layer(node, weight):
    top, bottom, left, right = WINDOW["padding"]
    window = {**WINDOW, "padding": ((top, bottom), (left, right))}
    return LAYERS[node.kind](weight, **({} if node.kind == "pointwise" else window))


@pytest.mark.parametrize("kind", [*SHAPES])
def test_outputs_are_nearer(kind):
    node, scales = step(kind)
    real = node.weights["weight"]
    x = images(real.shape[2] if kind != "pointwise" else real.shape[0])
    weight = fitted(node, scales, [image[None] for image in x], np.ones(1), np.zeros(1))
    rows = weight.reshape(-1, scales.size)
    whole = np.rint(rows / scales)
    assert np.array_equal((whole * scales).astype(np.float32), rows)
    assert np.abs(whole).max() <= 127
    nearest = (np.rint(real.reshape(rows.shape) / scales) * scales).reshape(real.shape)
    wanted = layer(node, real)(x)

    def off(w):
        return np.sum((layer(node, w.astype(np.float32))(x) - wanted) ** 2)

    assert off(weight) < 0.5 * off(nearest)


@pytest.mark.parametrize("size", [2.0**70, 2.0**-70])
@pytest.mark.parametrize("kind", [*SHAPES])
def test_the_size_of_inputs_changes_nothing(kind, size):
    """Squares of either are no float32."""
    node, scales = step(kind)
    channels = SHAPES[kind][2] if kind != "pointwise" else SHAPES[kind][0]
    x = [image[None] for image in images(channels)]
    sized = [image * np.float32(size) for image in x]
    one, none = np.ones(1), np.zeros(1)
    assert np.array_equal(
        fitted(node, scales, sized, one, none), fitted(node, scales, x, one, none)
    )


@pytest.mark.parametrize("kind", [*SHAPES])
def test_integers_are_read_as_what_they_stand_for(kind):
    node, scales = step(kind)
    channels = SHAPES[kind][2] if kind != "pointwise" else SHAPES[kind][0]
    unit = np.linspace(0.1, 0.2, channels).astype(np.float32)
    zero = RNG.integers(-20, 20, channels)
    stored = [np.clip(image[None], -128, 127).astype(np.int8) for image in images(channels)]
    real = [((array - zero) * unit).astype(np.float32) for array in stored]
    by_bytes = fitted(node, scales, stored, unit, zero)
    assert np.array_equal(by_bytes, fitted(node, scales, real, np.ones(1), np.zeros(1)))


def test_inputs_that_have_nothing_to_do_with_each_other_leave_the_nearest():
    node, scales = step("pointwise")
    weight = node.weights["weight"]
    x = np.diag(np.arange(1, 25)).astype(np.float32)
    got = fitted(node, scales, [x], np.ones(1), np.zeros(1))
    assert np.array_equal(got, np.rint(weight / scales) * scales)


def test_inputs_of_nothing_leave_the_nearest():
    for kind in SHAPES:
        node, scales = step(kind)
        weight = node.weights["weight"]
        channels = weight.shape[2] if kind != "pointwise" else weight.shape[0]
        got = fitted(
            node, scales, [np.zeros((1, 9, 9, channels), np.int8)], np.ones(1), np.zeros(1)
        )
        nearest = np.rint(weight.reshape(-1, scales.size) / scales) * scales
        assert np.array_equal(got, nearest.reshape(weight.shape))


@pytest.mark.parametrize(
    ("kind", "most", "more"),
    [
        ("pointwise", (4096, 2), (4097, 2)),
        ("standard", (4, 4, 256, 2), (4, 4, 257, 2)),
        ("depthwise", (4, 4, 65536, 1), (4, 4, 65537, 1)),
    ],
)
def test_what_would_take_much_memory_stays_as_it_is(kind, most, more):
    def fits(shape, **attributes):
        weights = {"weight": np.empty(shape, np.float32), "weight_scale": np.ones(1, np.float32)}
        return can_fit(Node(kind, ["x"], "y", attributes, weights))

    assert fits(most)
    assert not fits(more)
    assert not fits(most, groups=2)
