"""Random floats: every output is within its a-priori bound (oracle.py) of the float64 value."""

import choices
import depthwise_sweeps
import numpy as np
import pytest
import sweeps
from calls import assert_all, depthwise, inverted_residual, normals, out_of_bound, pointwise
from calls import conv2d as standard
from calls import separable as separable_call

pytestmark = pytest.mark.kernels
each_kernel = pytest.mark.parametrize("kernel", choices.KERNELS, ids=choices.identity)


def judge(call):
    return out_of_bound(call.run(), call.oracle())


def test_every_family():
    assert_all(sweeps.small(normals(1), exact=False), judge)


def test_blocks():
    assert_all(sweeps.blocks(normals(2), exact=False), judge)


@each_kernel
def test_depthwise(kernel):
    assert_all(depthwise_sweeps.channels(normals(3), kernel), judge)


def test_depthwise_multiplied():
    assert_all(depthwise_sweeps.multiplied(normals(9), exact=False), judge)


def test_pointwise():
    assert_all(sweeps.pointwise_channels(normals(4)), judge)


@each_kernel
def test_separable(kernel):
    assert_all(sweeps.separable_channels(normals(5), kernel, exact=False), judge)


@each_kernel
def test_inverted_residual(kernel):
    assert_all(sweeps.inverted_residual_channels(normals(6), kernel, exact=False), judge)


@each_kernel
def test_conv2d(kernel):
    assert_all(sweeps.conv2d_channels(normals(7), kernel, exact=False), judge)


@pytest.mark.parametrize("activation", choices.ALL_ACTIVATIONS, ids=str)
def test_every_activation_in_every_place(activation):
    draw, shape, residual = normals(8), (2, 6, 7, 19), {"residual": True}

    def calls():
        last = {"activation": activation}
        yield depthwise(draw, shape, **last)
        yield pointwise(draw, shape, 37, **residual, **last)
        yield standard(draw, shape, 37, **residual, **last)
        both = {"depthwise_activation": activation, **last}
        yield separable_call(draw, shape, 37, **residual, **both)
        yield inverted_residual(
            draw, shape, 35, 21, **residual, expand_activation=activation, **both
        )

    assert_all(calls(), judge)


def test_wide_exponents():
    """The bound is relative to sum |x| |w|, so it holds as well when the terms differ by 10**24."""
    rng = np.random.default_rng(9)

    def draw(shape):
        return (rng.standard_normal(shape) * 10.0 ** rng.uniform(-12, 12, shape)).astype(np.float32)

    assert_all((c for c in sweeps.small(draw) if "residual" not in c.function), judge)


def test_cancellation():
    """Sums that all but vanish: the error must stay small next to the terms, not to the result."""
    rng = np.random.default_rng(10)
    half = rng.standard_normal((5, 6, 40), np.float32)
    x = np.concatenate([half, -half], axis=-1)
    w = rng.standard_normal((40, 33), np.float32)
    w = np.concatenate([w, w + np.float32(1e-5)])
    call = pointwise(normals(11), (5, 6, 80), 33, bias=False).with_arrays(x=x, weight=w)
    assert_all([call], judge)
