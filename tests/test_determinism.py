"""The same bits whatever the threads, the batch, the fusion or the memory layout.

Random floats, because integers cannot see two orders of summation differ.
"""

import choices
import depthwise_sweeps
import numpy as np
import pytest
import sweeps
from calls import (
    Call,
    assert_all,
    bits_differ,
    conv2d,
    depthwise,
    inverted_residual,
    normals,
    pointwise,
    separable,
)
from unfused import unfused

pytestmark = pytest.mark.kernels


def floats():
    yield from sweeps.small(normals(1), exact=False)
    yield from sweeps.blocks(normals(2), exact=False)
    yield from depthwise_sweeps.designs(normals(3))
    yield from depthwise_sweeps.multiplied(normals(8), exact=False)


def test_threads():
    def judge(call):
        one = call.run(num_threads=1)
        for threads in (2, 3, 8):
            if problem := bits_differ(call.run(num_threads=threads), one):
                return f"{threads} threads: {problem}"
        return None

    assert_all(floats(), judge)


def test_repeated_calls():
    assert_all(floats(), lambda call: bits_differ(call.run(), call.run()))


def batch_of(call: Call, count: int) -> Call:
    rng = np.random.default_rng(3)
    arrays = {
        name: rng.standard_normal((count, *call.arrays[name].shape[-3:]), np.float32)
        for name in ("x", "residual")
        if name in call.arrays
    }
    return call.with_arrays(**arrays)


def test_batch():
    def judge(call):
        call = batch_of(call, 7)
        whole = call.run()
        for i in range(7):
            image = {n: call.arrays[n][i] for n in ("x", "residual") if n in call.arrays}
            if problem := bits_differ(call.with_arrays(**image).run(), whole[i]):
                return f"image {i}: {problem}"
        return None

    small = (c for c in floats() if c.arrays["x"].size < 20_000)
    assert_all(small, judge)


def test_layer_and_function():
    assert_all(floats(), lambda call: bits_differ(call.run_layer(), call.run()))


FUSED = ("separable_conv2d", "inverted_residual")


def test_fused_and_unfused():
    calls = (call for call in floats() if call.function in FUSED)
    assert_all(calls, lambda call: bits_differ(call.run(), unfused(call)))


@pytest.mark.parametrize("kernel", choices.KERNELS, ids=choices.identity)
def test_fused_and_unfused_over_kernels(kernel):
    def calls():
        yield from sweeps.separable_channels(normals(4), kernel, exact=False)
        yield from sweeps.inverted_residual_channels(normals(5), kernel, exact=False)

    assert_all(calls(), lambda call: bits_differ(call.run(), unfused(call)))


def in_a_wider_array(array: np.ndarray) -> np.ndarray:
    """Return the same values as an inner crop and channel slice of a larger array of NaNs."""
    height, width, channels = array.shape[-3:]
    host = np.full((*array.shape[:-3], height + 2, width + 3, channels + 5), np.nan, np.float32)
    view = host[..., 1:-1, 1:-2, 3:-2]
    view[...] = array
    return view


def test_view_and_copy():
    def judge(call):
        views = {n: in_a_wider_array(a) for n, a in call.arrays.items() if n in ("x", "residual")}
        return bits_differ(call.with_arrays(**views).run(), call.run())

    assert_all(floats(), judge)


def test_pointwise_and_conv2d_1x1():
    def judge(call):
        matrix = call.arrays["weight"]
        as_conv2d = Call("conv2d", {**call.arrays, "weight": matrix[None, None]}, call.options)
        return bits_differ(as_conv2d.run(), call.run())

    assert_all((c for c in floats() if c.function == "pointwise_conv2d"), judge)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kernel", [(3, 3), (5, 5), (4, 4), (3, 5)], ids=choices.identity)
def test_part_of_the_image(kernel, stride):
    """An output pixel does not depend on where it lies in a tile, a strip or a row."""
    draw, shape, window = normals(6), (23, 26, 37), {"stride": stride, "padding": "valid"}

    def judge(call):
        whole = call.run()
        for top, left in ((1, 0), (0, 1), (2, 3), (5, 6)):
            rows, columns = whole.shape[0] - top - 1, whole.shape[1] - left - 2
            height, width = (rows - 1) * stride + kernel[0], (columns - 1) * stride + kernel[1]
            x = call.arrays["x"][top * stride :, left * stride :][:height, :width]
            part = call.with_arrays(x=x).run()
            if problem := bits_differ(part, whole[top : top + rows, left : left + columns]):
                return f"crop at {top}, {left}: {problem}"
        return None

    calls = [
        depthwise(draw, shape, kernel, **window, activation="silu"),
        depthwise(draw, shape, kernel, multiplier=2, **window),
        separable(draw, shape, 40, kernel, **window),
        inverted_residual(draw, shape, 72, 24, kernel, **window, expand_activation="silu"),
        conv2d(draw, shape, 24, kernel, **window),
    ]
    assert_all(calls, judge)


def test_part_of_the_channels():
    """An output channel does not depend on how many others there are."""
    draw = normals(7)

    def judge(call):
        whole, filters = call.run(), call.arrays["weight"]
        depthwise_call = call.function == "depthwise_conv2d"
        for first, last in ((0, 1), (0, 7), (1, 17), (5, 40), (33, 50), (49, 50)):
            part = {"weight": filters[..., first:last], "bias": call.arrays["bias"][first:last]}
            if depthwise_call:
                part["weight"] = filters[:, :, first:last]
                part["x"] = call.arrays["x"][..., first:last]
            part = {name: np.ascontiguousarray(a) for name, a in part.items()}
            result = call.with_arrays(**part).run()
            if problem := bits_differ(result, whole[..., first:last]):
                return f"channels {first} to {last}: {problem}"
        return None

    calls = [
        depthwise(draw, (9, 11, 50), (3, 3), activation="gelu"),
        depthwise(draw, (9, 11, 50), (5, 5), stride=2),
        pointwise(draw, (9, 11, 130), 50, activation="tanh"),
        pointwise(draw, (1, 1, 130), 50, activation="tanh"),
        conv2d(draw, (9, 11, 13), 50),
        conv2d(draw, (9, 11, 3), 50, stride=2),
    ]
    assert_all(calls, judge)


def test_one_pixel_of_many():
    """A pixel by itself goes through several panels of weights at once."""
    draw = normals(8)

    def judge(call):
        whole, residual = call.run(), call.arrays.get("residual")
        for row, column in ((0, 0), (2, 3), (4, 6)):
            part = {"x": call.arrays["x"][row : row + 1, column : column + 1]}
            if residual is not None:
                part["residual"] = residual[row : row + 1, column : column + 1]
            for threads in (1, 2, 3):
                result = call.with_arrays(**part).run(num_threads=threads)
                if problem := bits_differ(result, whole[row : row + 1, column : column + 1]):
                    return f"pixel {row}, {column} on {threads} threads: {problem}"
        return None

    widths = (16, 31, 32, 33, 48, 63, 64, 65, 96, 100, 128, 130, 160, 192, 224, 256, 320, 330)
    calls = [pointwise(draw, (5, 7, 90), width, activation="relu6") for width in widths]
    calls += [pointwise(draw, (5, 7, 90), width, residual=True) for width in widths]
    assert_all(calls, judge)
