"""PyTorch's OIHW weights to the layouts of dwsep and back."""

import numpy as np

import dwsep


def numbered(*shape):
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def test_depthwise():
    theirs = numbered(6, 1, 2, 5)  # three channels, two filters each
    ours = dwsep.depthwise_weights_from_torch(theirs, 3)
    assert ours.shape == (2, 5, 3, 2)
    for c, m, kh, kw in np.ndindex(3, 2, 2, 5):
        assert ours[kh, kw, c, m] == theirs[c * 2 + m, 0, kh, kw]


def test_pointwise():
    theirs = numbered(4, 7, 1, 1)
    ours = dwsep.pointwise_weights_from_torch(theirs)
    assert ours.shape == (7, 4)
    assert np.array_equal(ours, theirs[:, :, 0, 0].T)


def test_conv2d():
    theirs = numbered(4, 3, 2, 5)
    ours = dwsep.conv2d_weights_from_torch(theirs)
    assert ours.shape == (2, 5, 3, 4)
    assert np.array_equal(ours, theirs.transpose(2, 3, 1, 0))
