"""Filters of one tap with a stride: the bits of a product of the pixels that they read."""

import itertools

import numpy as np
import pytest
from calls import bits_differ, normals

import dwsep

pytestmark = pytest.mark.kernels


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("groups", [1, 2])
def test_bits_are_those_of_the_pixels(groups, threads):
    values = normals(groups)
    sizes = ((1, 1), (2, 9), (15, 14), (57, 31))
    for i, (size, channels, stride) in enumerate(
        itertools.product(sizes, (16, 70, 512), ((2, 2), (1, 3), (5, 2)))
    ):
        outputs = (40, 65, 130)[i % 3]
        wide = values((1 + i % 2, *size, groups * channels + 3))
        x = (wide[..., 3:], np.ascontiguousarray(wide[..., 3:]))[i % 2]
        weight, bias = values((1, 1, channels, groups * outputs)), values(groups * outputs)
        activation = (None, "relu6", "silu")[i % 3]
        y = dwsep.Conv2D(weight, bias, stride=stride, groups=groups, activation=activation)(
            x, num_threads=threads
        )
        pixels = x[:, :: stride[0], :: stride[1]]
        for group in range(groups):
            part = slice(group * channels, (group + 1) * channels)
            out = slice(group * outputs, (group + 1) * outputs)
            product = dwsep.PointwiseConv2D(
                np.ascontiguousarray(weight[0, 0, :, out]), bias[out], activation=activation
            )
            expected = product(np.ascontiguousarray(pixels[..., part]))
            assert not bits_differ(y[..., out], expected), (size, channels, stride)


def test_padding_behind_the_image_has_the_bias_alone():
    values = normals(5)
    x, weight, bias = values((1, 6, 6, 64)), values((1, 1, 64, 72)), values(72)
    y = dwsep.Conv2D(weight, bias, stride=2, padding=((0, 1), (0, 1)))(x)
    assert y.shape == (1, 4, 4, 72)
    assert (y[:, 3] == bias).all()
    assert (y[:, :, 3] == bias).all()
