"""Arrays larger than memory: views of one pixel, results that no memory holds."""

import numpy as np
import pytest
from test_hostile_calls import W_DEPTHWISE, W_POINTWISE, X, each_layer

import dwsep


@each_layer
def test_results_too_large_to_hold(layer):
    x = np.lib.stride_tricks.as_strided(X, (2**15, 2**15, 2**12, 4), (0, 0, 0, 4))
    with pytest.raises(MemoryError, match="32768"):
        layer(x)


@pytest.mark.parametrize("threads", [1, 2])
def test_images_far_larger_than_memory(threads):
    """Views of one pixel; a stride leaves few outputs, but a block would expand whole rows."""
    pixel = np.arange(4, dtype=np.float32)
    x = np.lib.stride_tricks.as_strided(pixel, (2**29, 2**29, 4), (0, 0, 4))
    few = np.broadcast_to(pixel, (3, 3, 4))
    square, wide = np.ones((3, 3, 4, 4), np.float32), np.ones((3, 3, 4, 2), np.float32)
    for kind, weights in (
        (dwsep.DepthwiseConv2D, [W_DEPTHWISE]),
        (dwsep.SeparableConv2D, [W_DEPTHWISE, W_POINTWISE]),
        (dwsep.Conv2D, [square]),
    ):
        y = kind(*weights, stride=2**28)(x, num_threads=threads)
        assert y.shape == (2, 2, 4)
        assert np.all(y == kind(*weights, padding="valid")(few))
    for stride in (2**28, 2**31 - 1):
        for w in (W_DEPTHWISE, wide):
            project = np.ones((w[0, 0].size, 4), np.float32)
            layer = dwsep.InvertedResidual(W_POINTWISE, w, project, stride=stride)
            assert "inverted residual" in layer.explain(x.shape, threads).algorithm
            if stride == 2**28:
                with pytest.raises(MemoryError):
                    layer(x, num_threads=threads)


def test_a_very_large_call_gets_its_threads():
    layer = dwsep.Conv2D(np.ones((3, 3, 64, 64), np.float32))
    assert layer.explain((1000, 2**14, 2**14, 64), num_threads=8).threads == 8
