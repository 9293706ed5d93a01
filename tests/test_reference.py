"""The naive loops against float64: the baseline must itself be right."""

import choices
import numpy as np
import pytest
from calls import conv2d, depthwise, integers, normals, out_of_bound, unequal

from dwsep.reference import naive

WINDOW = {"stride": (2, 1), "padding": ((1, 0), (2, 1)), "dilation": (1, 2)}


@pytest.mark.parametrize("make", [depthwise, conv2d])
@pytest.mark.parametrize("kernel", choices.KERNELS, ids=choices.identity)
def test_naive_is_right(make, kernel):
    size = {"multiplier": 3} if make is depthwise else {"cout": 5}
    for draw, judge in (
        (integers(0), lambda y, want: unequal(y, want.value.astype(np.float32))),
        (normals(0), out_of_bound),
    ):
        call = make(draw, (2, 8, 11, 4), kernel=kernel, **size, **WINDOW)
        assert judge(call.plain(), call.oracle()) is None


@pytest.mark.parametrize("function", ["standard_conv2d", "depthwise_conv2d"])
def test_float64_accumulation_rounds_once(function):
    # In float32 the 1 is lost in 2**24 and the sum is 0; in float64 it survives.
    x = np.float32([2**24, 1, -(2**24)]).reshape(1, 1, 3, 1)
    w = np.ones((1, 3, 1, 1), np.float32)
    run = getattr(naive, function)
    assert run(x, w).item() == 0
    assert run(x, w, accumulate="float64").item() == 1


def test_read_only_and_strided_arrays_are_taken():
    x = np.arange(2 * 5 * 6 * 4, dtype=np.float32).reshape(2, 5, 6, 4)[:, ::-1, 1:, ::2]
    w = np.ones((3, 3, 2, 1), np.float32)
    x.flags.writeable = w.flags.writeable = False
    expected = naive.depthwise_conv2d(x.copy(), w.copy())
    assert unequal(naive.depthwise_conv2d(x, w), expected) is None


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"x": np.zeros((1, 5, 5, 2))}, TypeError),
        ({"x": np.zeros((5, 5, 2), np.float32)}, ValueError),
        ({"weight": np.zeros((3, 3, 4, 1), np.float32)}, ValueError),
        ({"bias": np.zeros(5, np.float32)}, ValueError),
        ({"stride": (0, 1)}, ValueError),
        ({"padding": ((0, -1), (0, 0))}, ValueError),
        ({"accumulate": "float16"}, ValueError),
    ],
)
@pytest.mark.parametrize("function", ["standard_conv2d", "depthwise_conv2d"])
def test_errors(function, change, error):
    arguments = {
        "x": np.zeros((1, 5, 5, 2), np.float32),
        "weight": np.zeros((3, 3, 2, 1), np.float32),
    }
    with pytest.raises(error, match=next(iter(change))):
        getattr(naive, function)(**{**arguments, **change})
