"""Calls without images or without pixels: an empty result, or an error where no output is left."""

import numpy as np
import pytest
from calls import assert_all, conv2d, depthwise, families, integers, separable
from calls import inverted_residual as block

pytestmark = pytest.mark.kernels


@pytest.mark.parametrize(
    "shape", [(0, 9, 10, 16), (2, 0, 10, 16), (2, 9, 0, 16), (0, 0, 0, 16)], ids=str
)
def test_nothing_in_nothing_out(shape):
    def judge(call):
        out = np.empty(shape, np.float32)
        results = call.run(), call.run_layer(), call.run(out=out)
        wrong = [r.shape for r in results if r.shape != shape or r.dtype != np.float32]
        return f"got shapes {wrong}" if wrong else None

    assert_all(families(shape), judge)


def test_no_images_of_another_size():
    call = separable(integers(3), (0, 9, 10, 5), 7, stride=2)
    assert call.run().shape == (0, 5, 5, 7)


@pytest.mark.parametrize(("padding", "padded"), [("valid", 3), (((0, 1), (0, 0)), 4)], ids=str)
def test_kernel_larger_than_the_padded_input(padding, padded):
    """There is no output pixel, which is refused."""

    def judge(call):
        with pytest.raises(
            ValueError, match=f"x: need a padded height of at least 5, the filter's, got {padded}"
        ):
            call.run()

    draw, shape, options = integers(4), (1, 3, 9, 6), {"kernel": (5, 5), "padding": padding}
    calls = [
        depthwise(draw, shape, **options),
        separable(draw, shape, 7, **options),
        block(draw, shape, 12, 7, **options),
        conv2d(draw, shape, 7, **options),
    ]
    assert_all(calls, judge)
