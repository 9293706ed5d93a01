"""Small integers sum exactly in float32, so every path must give the bits of the naive loops."""

import choices
import depthwise_sweeps
import pytest
import sweeps
from calls import assert_all, integers, unequal

pytestmark = pytest.mark.kernels
each_kernel = pytest.mark.parametrize("kernel", choices.KERNELS, ids=choices.identity)


def judge(call):
    return unequal(call.run(), call.plain())


@each_kernel
def test_depthwise_channels(kernel):
    assert_all(depthwise_sweeps.channels(integers(1), kernel), judge)


@each_kernel
def test_depthwise_sizes(kernel):
    assert_all(depthwise_sweeps.sizes(integers(2), kernel), judge)


@each_kernel
def test_depthwise_windows(kernel):
    assert_all(depthwise_sweeps.windows(integers(3), kernel), judge)


def test_depthwise_multiplied():
    assert_all(depthwise_sweeps.multiplied(integers(13, 2)), judge)


def test_depthwise_designs():
    assert_all(depthwise_sweeps.designs(integers(12)), judge)


def test_pointwise_channels():
    assert_all(sweeps.pointwise_channels(integers(4)), judge)


def test_pointwise_pixels():
    assert_all(sweeps.pointwise_pixels(integers(5)), judge)


@each_kernel
def test_separable(kernel):
    assert_all(sweeps.separable_channels(integers(6), kernel), judge)


@each_kernel
def test_inverted_residual(kernel):
    assert_all(sweeps.inverted_residual_channels(integers(7, largest=2), kernel), judge)


@each_kernel
def test_conv2d(kernel):
    assert_all(sweeps.conv2d_channels(integers(8), kernel), judge)


def test_blocks():
    assert_all(sweeps.blocks(integers(9, largest=2)), judge)


def test_layers():
    assert_all(sweeps.small(integers(10, 2)), lambda call: unequal(call.run_layer(), call.plain()))


def test_weights_may_leave_out_the_trivial_axes():
    def three_axes(call):
        taps = call.arrays[call.filters]
        return unequal(call.with_arrays(**{call.filters: taps[..., 0]}).run(), call.plain())

    def four_axes(call):
        matrices = [n for n in ("weight", "expand_weight") if n in call.arrays]
        given = {n: call.arrays[n][None, None] for n in matrices}
        return unequal(call.with_arrays(**given).run(), call.plain())

    calls = [c for c in sweeps.small(integers(11, 2)) if c.function != "conv2d"]
    with_matrix = [c for c in calls if c.function != "depthwise_conv2d"]
    one_filter = [c for c in calls if c.arrays[c.filters].shape[3:] == (1,)]
    assert_all(one_filter, three_axes)
    assert_all(with_matrix, four_axes)
