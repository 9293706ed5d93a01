"""Steps between two transposes that stay in planes."""

from __future__ import annotations

import numpy as np
import pytest
from graph_builder import TO_NCHW, TO_NHWC, Net, kinds, optimized, transposes

import dwsep
from dwsep.graph.lowering import lower
from dwsep.graph.passes import optimize


def _nearest(net, x, size=(12, 80)):
    shape = net.graph.shape(x)
    scale = tuple(float(np.float32(new / old)) for new, old in zip(size, shape[2:], strict=True))
    return net.add(
        "resize",
        x,
        function="nearest",
        coordinates="asymmetric",
        rounding="floor",
        size=size,
        scale=scale,
    )


def _model(net, *outputs):
    return dwsep.Model(lower(optimize(net.finish(*outputs)), {}))


STEPS = {
    "normalization": (lambda net, x: net.batch_norm(x), ["binary", "binary"]),
    "normalization, activation": (
        lambda net, x: net.act(net.batch_norm(x), "relu6"),
        ["binary", "binary"],
    ),
    "resize": (_nearest, ["reshape", "resize", "reshape"]),
    "resize, then a function": (
        lambda net, x: net.unary("exp", _nearest(net, x, (7, 160))),
        ["reshape", "resize", "reshape", "unary"],
    ),
    "a function between": (
        lambda net, x: _nearest(net, net.unary("sin", net.batch_norm(x)), (6, 80)),
        ["binary", "binary", "unary", "reshape", "resize", "reshape"],
    ),
}


@pytest.mark.parametrize("name", STEPS)
def test_no_transposes_are_left(name):
    make, left = STEPS[name]
    net = Net()
    graph = optimized(net.finish(make(net, net.input(2, 5, 6, 40))), optimize)
    assert kinds(graph) == left


@pytest.mark.parametrize("name", STEPS)
def test_bits_are_those_of_pixels(name):
    make, _ = STEPS[name]
    x = np.random.default_rng(0).standard_normal((2, 5, 6, 40)).astype(np.float32)
    net, last = Net(), Net()
    in_planes = _model(net, make(net, net.input(*x.shape)))(x)
    # Of images whose pixels others want as well.
    y = make(last, last.input(*x.shape))
    pixels, _ = _model(last, y, last.conv(y, 3))(x)
    np.testing.assert_array_equal(in_planes, pixels)


def test_normalization_of_an_open_batch():
    net = Net()
    graph = optimized(net.finish(net.batch_norm(net.input(None, 5, 6, 7))), optimize)
    assert kinds(graph) == ["binary", "binary"]


def test_pixels_that_others_read_are_transposed():
    net = Net()
    y = net.batch_norm(net.input(1, 5, 6, 7))
    graph = optimized(net.finish(y, net.conv(y, 3)), optimize)
    assert transposes(graph) == [TO_NHWC, TO_NCHW, TO_NCHW]


@pytest.mark.parametrize(
    ("old", "new"), [(32, 64), (16, 64), (33, 66), (7, 14), (40, 120), (60, 30), (64, 96), (70, 70)]
)
def test_columns_of_planes(old, new):
    """Twice and four times have loops of their own; others go one by one, small ones as pixels."""
    x = np.random.default_rng(1).standard_normal((3, 4, old, old)).astype(np.float32)
    net = Net()
    model = _model(net, _nearest(net, net.input(*x.shape), (new, new)))
    at = np.arange(new) * old // new
    np.testing.assert_array_equal(model(x), x[:, :, at][..., at])
