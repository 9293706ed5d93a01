"""Depthwise layers whose arrays begin anywhere in a cache line: the same bits."""

import numpy as np
import pytest

import dwsep

pytestmark = pytest.mark.kernels
SENTINEL = np.float32(12345.5)
LINE = 16  # floats


def placed(shape, past, value=SENTINEL):
    """Return an array `past` floats behind a cache line, and its host: SENTINEL around it."""
    size = int(np.prod(shape))
    host = np.full(size + 4 * LINE, SENTINEL)
    begin = -(host.ctypes.data // 4) % LINE + LINE + past
    array = host[begin : begin + size].reshape(shape)
    array[...] = value
    return array, host


def layer(size, stride, channels, activation="relu6"):
    rng = np.random.default_rng(size * channels)
    weight = rng.standard_normal((size, size, channels, 1)).astype(np.float32)
    bias = rng.standard_normal(channels).astype(np.float32)
    return dwsep.DepthwiseConv2D(weight, bias, stride=stride, activation=activation), rng


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [3, 5, 7])
def test_bits_do_not_depend_on_the_place(size, stride):
    for channels, side, activation in [
        (128, 11, "relu6"),
        (272, 8, "hard_swish"),
        (144, 3, None),
        (560, 5, "relu6"),
        (1024, 12, "relu6"),  # pixels share sets of the level-1 cache
        (512, 23, "hard_swish"),  # and copies of strips are of some rows
        (240, 9, "relu6"),  # strides 2 that slide
        (200, 19, "relu6"),  # and pixels that are no whole lines
    ]:
        call, rng = layer(size, stride, channels, activation)
        x = placed((1, side, side + 1, channels), 0)[0]
        x[...] = rng.standard_normal(x.shape)
        apart = np.zeros((*x.shape[:3], channels + 24), np.float32)[..., :channels]
        apart[...] = x
        expected = call(apart).copy()
        for past in (0, 1, 4, 8, 9, 12, 15):
            moved = placed(x.shape, past, x)[0]
            np.testing.assert_array_equal(call(moved), expected)
            for out_past in (past, 0, (past + 4) % LINE):
                out, host = placed(expected.shape, out_past)
                call(moved, out=out)
                np.testing.assert_array_equal(out, expected)
                assert np.count_nonzero(host == SENTINEL) == host.size - out.size


def test_two_threads_divide_shifted_channels():
    call, rng = layer(3, 2, 528)
    x = placed((1, 2, 40, 528), 4)[0]
    x[...] = rng.standard_normal(x.shape)
    np.testing.assert_array_equal(call(x, num_threads=2), call(x.copy(), num_threads=1))


@pytest.mark.parametrize(("stride", "past"), [(2, 4), (1, 0)])
def test_results_of_stride_2_lie_as_their_inputs(stride, past):
    call, _ = layer(3, stride, 128)
    y = call(placed((1, 28, 28, 128), 4, 1)[0])
    assert y.ctypes.data // 4 % LINE == past


@pytest.mark.parametrize("channels", [32, 36])
def test_high_filter_whose_rows_share_sets(channels):
    """Rows of 32 channels are 2 KB apart: copies of windows of all rows."""
    rng = np.random.default_rng(channels)
    weight = rng.integers(-3, 4, (33, 2, channels, 1)).astype(np.float32)
    x = rng.integers(-3, 4, (1, 40, 16, channels)).astype(np.float32)
    padded = np.pad(x[0], ((16, 16), (0, 1), (0, 0)))
    taps = [(i, j) for i in range(33) for j in range(2)]
    expected = sum(padded[i : i + 40, j : j + 16] * weight[i, j, :, 0] for i, j in taps)
    np.testing.assert_array_equal(dwsep.DepthwiseConv2D(weight)(x)[0], expected)
