"""How a layer divides the work of a call among threads, and what it keeps of that."""

import numpy as np
import pytest

import dwsep

LOW = [(3, 3, 1200, 5), (3, 5, 384, 5), (2, 7, 1100, 3), (4, 4, 513, 7)]


def of_kind(kind, rng, x, weights):
    """Return x and weights as they are or as int8, and what a layer and one of two stages need."""
    if kind == "float32":
        return x, weights, {}, {}
    q, of_weights = dwsep.Quantization(0.05, 3), dwsep.Quantization(0.02)
    given = {
        "x_quantization": q,
        "weight_quantization": of_weights,
        "quantization": dwsep.Quantization(0.7, -9),
    }
    between = {
        "depthwise_weight_quantization": of_weights,
        "depthwise_quantization": dwsep.Quantization(0.4, 5),
    }
    integers = [rng.integers(-128, 128, w.shape, np.int8) for w in weights]
    return q.quantize(x), integers, given, between


@pytest.mark.kernels
@pytest.mark.parametrize(("height", "width", "channels", "size"), LOW)
@pytest.mark.parametrize("kind", ["float32", "int8"])
def test_images_lower_than_the_filter(height, width, channels, size, kind):
    """Their channels are divided, where there are many."""
    rng = np.random.default_rng(height * channels)
    weights = [rng.standard_normal(s, np.float32) for s in ((size, size, channels), (channels, 24))]
    x = rng.standard_normal((1, height, width, channels), np.float32)
    x, weights, given, between = of_kind(kind, rng, x, weights)
    layers = (
        dwsep.DepthwiseConv2D(weights[0], **given),
        dwsep.SeparableConv2D(*weights, **given, **between),
    )
    for layer in layers:
        assert layer.plan(x.shape, num_threads=2)["threads"] == 2
        one = layer(x, num_threads=1)
        for threads in (2, 3, 8):
            assert np.array_equal(layer(x, num_threads=threads), one)
        batch = np.concatenate([x, x[:, ::-1], x])
        assert np.array_equal(layer(batch, num_threads=2)[2:], one)


# Rows that kernels compute in pairs, some of which are cut by channels; images of few rows that
# divide unevenly; many rows and pixels, which threads take of each other.
ROWS = [(6, 9, 600, 3), (14, 14, 260, 3), (10, 5, 320, 5), (7, 7, 300, 3), (5, 9, 40, 3)]
MANY = [(71, 40, 64, 3), (40, 41, 33, 5)]


@pytest.mark.kernels
@pytest.mark.parametrize(("height", "width", "channels", "size"), ROWS + MANY)
@pytest.mark.parametrize("kind", ["float32", "int8"])
def test_rows_of_threads(height, width, channels, size, kind):
    """However threads divide rows, and whoever takes which pieces, no bit depends on it."""
    rng = np.random.default_rng(height * channels)
    shapes = [(size, size, channels), (channels, 40), (3, 3, channels, 24)]
    weights = [rng.standard_normal(s, np.float32) for s in shapes]
    x = rng.standard_normal((3, height, width, channels), np.float32)
    x, weights, given, between = of_kind(kind, rng, x, weights)
    layers = (
        dwsep.DepthwiseConv2D(weights[0], **given),
        dwsep.SeparableConv2D(*weights[:2], **given, **between),
        dwsep.PointwiseConv2D(weights[1], **given),
        dwsep.Conv2D(weights[2], **given),
    )
    for layer in layers:
        one = layer(x, num_threads=1)
        for threads in (2, 3, 8, 9):
            for _ in range(3):
                assert np.array_equal(layer(x, num_threads=threads), one)
        for number, image in enumerate(x):
            assert np.array_equal(layer(image[None], num_threads=2)[0], one[number])


@pytest.mark.parametrize("name", ["DepthwiseConv2D", "Conv2D", "SeparableConv2D"])
def test_decisions_are_those_of_the_call(name):
    """What the first call of a layer decides is kept, for its shape and number of threads alone."""
    rng = np.random.default_rng(5)
    shapes = {
        "DepthwiseConv2D": [(3, 3, 16)],
        "Conv2D": [(3, 3, 16, 24)],
        "SeparableConv2D": [(3, 3, 16), (16, 24)],
    }
    weights = [rng.standard_normal(s, np.float32) for s in shapes[name]]
    make = getattr(dwsep, name)
    layer = make(*weights)
    for size, threads in [(9, 1), (40, 1), (9, 8), (40, 8), (9, 1), (0, 1), (33, 2), (9, 2)]:
        x = rng.standard_normal((2, size, size + 1, 16), np.float32)
        expected = make(*weights)(x, num_threads=threads)
        assert np.array_equal(layer(x, num_threads=threads), expected)
        out = np.empty_like(expected)
        assert layer(x, out=out, num_threads=threads) is out
        assert np.array_equal(out, expected)
    with pytest.raises(ValueError, match="channels"):
        layer(np.zeros((9, 10, 15), np.float32))
    with pytest.raises(ValueError, match="out"):
        layer(np.zeros((9, 10, 16), np.float32), out=out)
