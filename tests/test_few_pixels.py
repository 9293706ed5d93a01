"""Products of few pixels, which have tiles of their own: the first of many pixels, same bits."""

import itertools

import pytest
from calls import bits_differ, normals

import dwsep

pytestmark = pytest.mark.kernels


@pytest.mark.parametrize("pixels", range(1, 15))
def test_bits_are_those_among_many_pixels(pixels):
    values = normals(pixels)
    for i, (inputs, outputs) in enumerate(
        itertools.product((1, 5, 64, 131, 300), (16, 33, 48, 130, 256))
    ):
        x = values((1, 1, 61, inputs))
        layer = dwsep.PointwiseConv2D(
            values((inputs, outputs)), values(outputs), activation=(None, "relu6", "silu")[i % 3]
        )
        more = values((1, 1, 61, outputs)) if i % 2 else None
        many = layer(x, residual=more)[:, :, :pixels]
        few = layer(
            x[:, :, :pixels].copy(), residual=None if more is None else more[:, :, :pixels].copy()
        )
        assert not bits_differ(few, many.copy()), (inputs, outputs)


@pytest.mark.parametrize("pixels", range(1, 10))
def test_bits_of_few_steps_of_a_filter(pixels):
    values = normals(pixels)
    for inputs, outputs in itertools.product((5, 33, 64), (16, 40, 96)):
        x = values((1, 1, 40, inputs))
        layer = dwsep.Conv2D(values((1, 3, inputs, outputs)), values(outputs), padding="valid")
        few, many = layer(x[:, :, : pixels + 2].copy()), layer(x)[:, :, :pixels]
        assert not bits_differ(few, many.copy()), (inputs, outputs)
