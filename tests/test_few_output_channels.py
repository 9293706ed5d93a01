"""Convolutions of few output channels: as part of many, whose kernels are others, same bits."""

import itertools

import numpy as np
import pytest
from calls import bits_differ, normals

import dwsep

pytestmark = pytest.mark.kernels

ACTIVATIONS = (None, "relu6", "silu")
FILTERS = ((3, 3), (1, 9), (2, 2), (9, 1), (5, 7))


def by_themselves_and_among_many(x, weight, bias, more, **options):
    """Return the outputs of `weight`, and the same ones computed next to `more` channels."""
    rest = normals(9)
    wide = np.concatenate([weight, rest((*weight.shape[:3], more))], axis=3)
    wide_bias = np.concatenate([bias, rest(more)])
    alone = dwsep.Conv2D(weight, bias, **options)(x)
    together = dwsep.Conv2D(wide, wide_bias, **options)(x)
    return alone, np.ascontiguousarray(together[..., : weight.shape[3]])


@pytest.mark.parametrize("outputs", [1, 2, 3, 4, 5, 7, 8, 9])
def test_bits_are_those_among_many_channels(outputs):
    values = normals(outputs)
    for i, (filter_size, channels, width) in enumerate(
        itertools.product(FILTERS, (16, 33), (32, 65, 130))
    ):
        x = values((1 + i % 2, 7, width, channels))
        weight, bias = values((*filter_size, channels, outputs)), values(outputs)
        options = {
            "stride": (1 + i % 2, 1),
            "dilation": 1 + i % 3 // 2,
            "padding": ("same", "valid")[i % 7 == 3],
            "activation": ACTIVATIONS[i % 3],
        }
        if options["padding"] == "valid" and filter_size[0] > 7 // options["dilation"]:
            options["padding"] = "same"
        alone, together = by_themselves_and_among_many(x, weight, bias, 48, **options)
        assert not bits_differ(alone, together), (filter_size, channels, width, options)


@pytest.mark.parametrize("dilation", [1, 9, 40])
def test_bits_where_several_tiles_of_a_row_miss_taps(dilation):
    values = normals(dilation)
    for outputs, channels, width in itertools.product((1, 3), (1, 2, 5), (33, 64, 97)):
        x = values((1, 5, width, channels))
        weight, bias = values((3, 5, channels, outputs)), values(outputs)
        options = {"dilation": (1, dilation)}
        alone, together = by_themselves_and_among_many(x, weight, bias, 48, **options)
        assert not bits_differ(alone, together), (outputs, channels, width)


def test_padding_is_not_computed_with():
    """Zeros there would make +0 of -0, and NaN of an infinite weight."""
    x = -1 - np.abs(normals(3)((1, 8, 40, 16)))
    weight, bias = np.zeros((3, 3, 16, 1), np.float32), np.full(1, -0.0, np.float32)
    y = dwsep.Conv2D(weight, bias)(x)
    assert (y == 0).all()
    assert np.signbit(y).all()
    weight[0, 0, 0, 0] = np.inf
    y = dwsep.Conv2D(weight, bias)(x)
    assert np.isneginf(y[0, 1:, 1:]).all()
    assert (y[0, 0] == 0).all()
    assert (y[0, :, 0] == 0).all()
