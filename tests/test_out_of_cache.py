"""Calls that exceed the last cache take another path through memory, to the same bits.

The usual path, which all other tests judge, is taken when the output is not contiguous.
"""

import numpy as np
import pytest
from guard_pages import Pages

import dwsep

pytestmark = pytest.mark.kernels

# Half of the last cache, and never more than this: see cpp/runtime/memory/out_of_cache.cc.
OUT_OF_CACHE_BYTES = min(dwsep.cpu_info()["caches"]["l3"] / 2, 64e6)


def weights(*shape):
    return np.random.default_rng(sum(shape)).standard_normal(shape, np.float32)


def depthwise(kernel, channels, multiplier=1, **options):
    return dwsep.DepthwiseConv2D(
        weights(kernel, kernel, channels, multiplier), weights(channels * multiplier), **options
    )


# Name: layer, height and width of an image, channels.
CASES = {
    "3x3": (depthwise(3, 40, activation="relu6"), 211, 97, 40),
    "stride 2": (depthwise(3, 48, stride=2, activation="silu"), 160, 161, 48),
    "lines that no pixel begins": (depthwise(3, 37), 150, 113, 37),
    "5x5": (depthwise(5, 33, activation="hard_swish"), 96, 190, 33),
    "dilated": (depthwise(3, 40, dilation=3), 123, 150, 40),
    "far dilated": (depthwise(3, 60, dilation=12, activation="relu"), 111, 113, 60),
    "multiplier": (depthwise(3, 20, 2, stride=(1, 2)), 140, 150, 20),
    "more padding than image": (depthwise(7, 600, padding=((9, 3), (2, 2))), 2, 5, 600),
    "rows of one output": (depthwise(3, 5000, padding="valid"), 3, 3, 5000),
    "separable": (
        dwsep.SeparableConv2D(weights(3, 3, 64, 1), weights(64, 24), stride=2, activation="relu"),
        *(151, 130, 64),
    ),
    "wide separable": (
        dwsep.SeparableConv2D(weights(5, 5, 300, 1), weights(300, 32), activation="relu6"),
        *(15, 700, 300),
    ),
    "residual": (
        dwsep.Conv2D(weights(3, 3, 1, 40), weights(40), groups=40, activation="silu"),
        *(190, 111, 40),
    ),
    "standard with a stride": (
        dwsep.Conv2D(weights(3, 3, 64, 24), weights(24), stride=2, padding=((3, 0), (0, 0))),
        *(200, 180, 64),
    ),
    "pointwise": (dwsep.PointwiseConv2D(weights(96, 24), activation="relu6"), 141, 150, 96),
}


# Up to the last cache, groups of rows of a call go either way.
SHARES = {case: 1 for case in CASES} | {"5x5": 2, "multiplier": 2, "rows of one output": 2}


@pytest.mark.parametrize("case", CASES)
def test_both_paths_give_the_same_bits_and_stay_inside(case):
    layer, height, width, channels = CASES[case]
    one = layer.output_shape((1, height, width, channels))
    each = 4 * (height * width * channels + int(np.prod(one)))
    images = int(SHARES[case] * OUT_OF_CACHE_BYTES // each) + 1
    shape, out_shape = (images, height, width, channels), (images, *one[1:])

    x_pages, y_pages = (Pages(int(np.prod(s))) for s in (shape, out_shape))
    x = x_pages.place(shape, "end")
    x[...] = np.random.default_rng(0).standard_normal(shape, np.float32)
    x_pages.freeze()
    residual = []
    if case == "residual":
        image = np.random.default_rng(1).standard_normal(one, np.float32)
        residual = [np.broadcast_to(image, out_shape)]
    wider = np.empty((*out_shape[:3], out_shape[3] + 1), np.float32)
    usual = layer(x, *residual, out=wider[..., :-1], num_threads=2)
    for side in ("begin", "end"):
        streamed = y_pages.place(out_shape, side)
        for threads in (1, 2, 3):
            y_pages.floats[...] = np.nan
            layer(x, *residual, out=streamed, num_threads=threads)
            assert np.array_equal(streamed.view(np.uint32), usual.view(np.uint32)), (side, threads)
            written = np.count_nonzero(~np.isnan(y_pages.floats))
            assert written == streamed.size


def test_calls_that_try_how_to_store_and_calls_that_do_not_give_the_same_bits():
    layer = depthwise(3, 40, activation="relu6", stride=2)
    x = np.random.default_rng(2).standard_normal((1, 400, 401, 40), np.float32)
    wider = np.empty((1, 200, 201, 41), np.float32)
    usual = layer(x, out=wider[..., :-1])
    for call in range(18):
        y = layer(x, num_threads=1 + call % 2)
        assert np.array_equal(y.view(np.uint32), usual.view(np.uint32)), call


def test_the_plan_says_which_calls_are_streamed():
    layer, height, width, channels = CASES["3x3"]
    images = int(OUT_OF_CACHE_BYTES // (8 * height * width * channels)) + 1
    assert layer.explain((images, height, width, channels)).algorithm == "depthwise, streamed"
    assert layer.explain((1, 9, width, channels)).algorithm == "depthwise"
    dilated = depthwise(3, 40, dilation=(200, 1))  # its rows at a time would be nearly all
    assert dilated.explain((9, 2000, 600, 40)).algorithm == "depthwise"


# Inputs, outputs and activation of products whose tiles fetch the pixels of the next rows.
PRODUCTS = {
    "whole panels": (96, 64, "relu6"),
    "a panel of three vectors, in parts": (64, 72, "silu"),
    "columns that fill no vector": (131, 37, None),
    "one panel": (70, 16, "relu"),
    "one panel, in parts": (70, 16, "silu"),
    "weights that leave the level-2 cache": (300, 250, "relu"),
}


@pytest.mark.parametrize("apart", [0, 5])
@pytest.mark.parametrize("case", PRODUCTS)
def test_many_pixels_have_the_bits_of_few(case, apart):
    k, columns, activation = PRODUCTS[case]
    layer = dwsep.PointwiseConv2D(weights(k, columns), weights(columns), activation=activation)
    pixels = int(dwsep.cpu_info()["caches"]["l2"]) // (k + columns) + 1001
    x = np.random.default_rng(0).standard_normal((1, pixels, 1, k + apart), np.float32)[..., :k]
    few = [layer(x[:, first : first + 50], num_threads=1) for first in range(0, pixels, 50)]
    for threads in (1, 2, 3):
        many = layer(x, num_threads=threads)
        assert np.array_equal(many.view(np.uint32), np.concatenate(few, axis=1).view(np.uint32)), (
            threads
        )
