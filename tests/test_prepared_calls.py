"""Calls of layers that a network's plan prepares for one thread: other arrays at each run.

Bit for bit as in a batch, which is not prepared, and as a layer by itself.
"""

import numpy as np
import pytest

import dwsep
from dwsep import _core

CHANNELS = 20
SCALES = {"x": ([0.05], [3], -1), "residual": ([0.07], [9], -1)}
INT8 = {"to": "int8", "scale": [0.1], "zero_point": [-4]}
SHAPES = {"depthwise": (3, 3, CHANNELS, 1), "pointwise": (CHANNELS, CHANNELS)}
SHAPES["standard"] = (1, 1, CHANNELS, CHANNELS)
WINDOW = {"stride": [1, 1], "dilation": [1, 1], "padding": [1, 1, 1, 1]}
ONE = {**WINDOW, "padding": [0, 0, 0, 0], "kernel": [1, 1], "groups": [1]}


def weights(kind, dtype, rng):
    shape = SHAPES[kind]
    if dtype == "float32":
        return {"weight": rng.standard_normal(shape, np.float32)}
    weight = rng.integers(-127, 128, shape, np.int8)
    return {"weight": weight, "weight_scale": np.full(CHANNELS, 0.002, np.float32)}


def network(kind, dtype, image, residual, rng):
    """Make one layer that reads and writes the caller's arrays, and a second one that need not."""
    builder = _core.NetworkBuilder()
    scales = SCALES if dtype == "int8" else {}
    shape = (-1, *image, CHANNELS)
    x = builder.input("x", shape, dtype, scales.get("x"))
    add = [builder.input("r", shape, dtype, scales.get("residual"))] if residual else []
    attributes = {"depthwise": WINDOW, "pointwise": {}, "standard": ONE}[kind]
    attributes = attributes | (INT8 if dtype == "int8" else {})
    y = builder.step(kind, "first", [x, *add], attributes, weights(kind, dtype, rng))
    z = builder.step(kind, "second", [y], attributes, weights(kind, dtype, rng))
    builder.output("z", builder.step(kind, "last", [z], attributes, weights(kind, dtype, rng)))
    builder.output("y", y)
    return builder.finish()


def drawn(rng, dtype, *shape):
    if dtype == "float32":
        return rng.standard_normal(shape, np.float32)
    return rng.integers(-128, 128, shape, np.int8)


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("image", [(5, 7), (6, 1), (1, 1), (45, 40)])
@pytest.mark.parametrize("dtype", ["float32", "int8"])
@pytest.mark.parametrize("kind", SHAPES)
def test_other_arrays_at_each_run(kind, dtype, image, residual):
    rng = np.random.default_rng(11)
    made = network(kind, dtype, image, residual, rng)
    batch = [drawn(rng, dtype, 4, *image, CHANNELS) for _ in range(1 + residual)]
    together = made.run(batch, 2)
    for i in (0, 1, 2, 3, 1):
        # Copies lie elsewhere, and after the second kept ones do, too.
        alone = made.run([a[i : i + 1].copy() for a in batch], 1)
        for one, all_ in zip(alone, together, strict=True):
            assert one.tobytes() == all_[i : i + 1].tobytes()


def test_first_layer_is_the_layer():
    rng = np.random.default_rng(12)
    weight = rng.standard_normal((CHANNELS, 9), np.float32)
    builder = _core.NetworkBuilder()
    x = builder.input("x", (1, 4, 5, CHANNELS))
    builder.output("y", builder.step("pointwise", "it", [x], {}, {"weight": weight}))
    made = builder.finish()
    layer = dwsep.PointwiseConv2D(weight)
    for _ in range(3):
        x = drawn(rng, "float32", 1, 4, 5, CHANNELS)
        assert made.run([x], 1)[0].tobytes() == layer(x).tobytes()
