"""Convolutions of groups of few channels: bits are those of each group by itself."""

import itertools

import numpy as np
import pytest
from calls import bits_differ, normals

import dwsep

pytestmark = pytest.mark.kernels

# groups, channels of each, made of each
GROUPS = [
    (32, 4, 4),
    (17, 2, 2),
    (13, 8, 7),
    (16, 8, 8),
    (8, 12, 12),
    (3, 20, 33),
    (16, 4, 8),
    (33, 3, 3),
    (40, 6, 5),
    (30, 9, 2),
    (2, 2, 1),
    (16, 6, 6),
    (24, 5, 12),
    (8, 13, 7),
    (4, 6, 6),
    (5, 16, 16),
    (6, 5, 40),  # groups whose panels meet a tile of positions together: of two and three vectors,
    (20, 16, 24),
    (70, 12, 10),  # in two parts, as weights exceed a cache,
    (24, 10, 10),  # of 1x1 filters alone
    (12, 4, 4),
]
FILTERS = ((3, 3), (1, 1), (5, 2), (1, 7), (8, 8))
SIZES = ((7, 9), (1, 1), (14, 6), (3, 40))
ACTIVATIONS = (None, "relu6", "silu")
ONE = np.ones((1, 1), np.float32)


def group_by_group(x, weight, bias, groups, **options):
    """Return the outputs of a convolution of its own for each group."""
    channels, columns = x.shape[-1] // groups, weight.shape[-1] // groups
    parts = []
    for g in range(groups):
        made = slice(g * columns, (g + 1) * columns)
        layer = dwsep.Conv2D(np.ascontiguousarray(weight[..., made]), bias[made], **options)
        parts.append(layer(np.ascontiguousarray(x[..., g * channels : (g + 1) * channels])))
    return np.concatenate(parts, axis=-1)


@pytest.mark.parametrize("shape", GROUPS, ids=str)
def test_bits_are_those_of_each_group(shape):
    groups, channels, columns = shape
    values = normals(groups)
    for i, (filter_size, size) in enumerate(itertools.product(FILTERS, SIZES)):
        wide = values((1 + i % 2, *size, groups * channels + 3))
        x = wide[..., 1:-2] if i % 3 == 1 else np.ascontiguousarray(wide[..., 1:-2])
        weight, bias = values((*filter_size, channels, groups * columns)), values(groups * columns)
        options = {
            "stride": (1 + i % 2, 1 + i // 2 % 3),
            "dilation": (1 + i % 3 // 2, 1 + i % 4 // 3),
        }
        expected = group_by_group(x, weight, bias, groups, activation=ACTIVATIONS[i % 3], **options)
        layer = dwsep.Conv2D(weight, bias, groups=groups, activation=ACTIVATIONS[i % 3], **options)
        for threads in (1, 2):
            y = layer(x, num_threads=threads)
            assert not bits_differ(y, expected), (filter_size, size, options, threads)


@pytest.mark.parametrize("columns", [4, 6, 11])
def test_residual_and_output_among_other_channels(columns):
    values, width = normals(columns), 16 * columns
    x, weight, bias = values((2, 9, 8, 96)), values((3, 3, 6, width)), values(width)
    residual, place = values((2, 9, 8, width + 6)), np.zeros((2, 9, 8, width + 2), np.float32)
    residual = residual[..., 3:-3]
    sums = group_by_group(x, weight, bias, 16) + residual
    for activation in ("relu", "silu"):
        layer = dwsep.Conv2D(weight, bias, groups=16, activation=activation)
        alone = dwsep.pointwise_conv2d(sums.reshape(1, -1, 1), ONE, activation=activation)
        expected = alone.reshape(sums.shape)
        for threads in (1, 2, 3):
            place[...] = 0
            layer(x, residual=residual, out=place[..., 1:-1], num_threads=threads)
            assert not bits_differ(place[..., 1:-1], expected)
            assert not place[..., 0].any()
            assert not place[..., -1].any()


@pytest.mark.parametrize("outputs", [17, 40, 136, 203])
def test_panels_that_meet_a_tile_together(outputs):
    """Of few weights: as slices of few columns, which have one panel."""
    values = normals(outputs)
    for i, (filter_size, size) in enumerate(itertools.product(FILTERS[:4], SIZES[:3])):
        x = values((1 + i % 2, *size, 6))[..., 2:-1]
        weight, bias = values((*filter_size, 3, outputs)), values(outputs)
        options = {"stride": (1 + i % 2, 1 + i // 2 % 3), "activation": ACTIVATIONS[i % 3]}
        parts = [
            dwsep.Conv2D(np.ascontiguousarray(weight[..., c : c + 16]), bias[c : c + 16], **options)
            for c in range(0, outputs, 16)
        ]
        expected = np.concatenate([part(x) for part in parts], axis=-1)
        place = np.zeros((*expected.shape[:3], outputs + 2), np.float32)
        layer = dwsep.Conv2D(weight, bias, **options)
        for threads in (1, 2):
            layer(x, out=place[..., 1:-1], num_threads=threads)
            assert not bits_differ(place[..., 1:-1], expected), (filter_size, size, options)
        assert not place[..., 0].any()
        assert not place[..., -1].any()
        residual = values(expected.shape)
        plain = dwsep.Conv2D(weight, bias, stride=options["stride"])
        assert not bits_differ(plain(x, residual=residual), plain(x) + residual)


def test_rows_that_exceed_scratch_are_cut():
    values = normals(6)
    x, weight, bias = values((1, 3, 2100, 64)), values((3, 3, 2, 64)), values(64)
    for stride in (1, 3):
        y = dwsep.Conv2D(weight, bias, groups=32, stride=stride)(x)
        assert not bits_differ(y, group_by_group(x, weight, bias, 32, stride=stride))


@pytest.mark.parametrize("channels", [48, 21])
def test_images_that_exceed_the_level_2_cache(channels):
    """Inputs of each group are put side by side then, some rows at a time."""
    values, width = normals(channels), 23
    height = dwsep.cpu_info()["caches"]["l2"] // (4 * width * 3 * channels) + 9
    x, residual = values((2, height, width, 3 * channels)), values((2, height, width, 3 * 18))
    weight, bias = values((3, 2, channels, 3 * 18)), values(3 * 18)
    for options in (
        {"activation": "silu"},
        {"stride": (2, 1), "padding": "valid"},
        {"dilation": (4, 1), "padding": ((40, 9), (0, 3))},
    ):
        expected = group_by_group(x, weight, bias, 3, **options)
        layer = dwsep.Conv2D(weight, bias, groups=3, **options)
        for threads in (1, 2):
            assert not bits_differ(layer(x, num_threads=threads), expected)
    expected = group_by_group(x, weight, bias, 3) + residual
    assert not bits_differ(dwsep.Conv2D(weight, bias, groups=3)(x, residual=residual), expected)


def test_padding_is_not_computed_with():
    """Zeros there would make +0 of -0, and NaN of an infinite weight."""
    x = -1 - np.abs(normals(3)((1, 8, 9, 64)))
    weight, bias = np.zeros((3, 3, 4, 64), np.float32), np.full(64, -0.0, np.float32)
    y = dwsep.Conv2D(weight, bias, groups=16)(x)
    assert (y == 0).all()
    assert np.signbit(y).all()
    weight[0, 0, 0] = np.inf
    y = dwsep.Conv2D(weight, bias, groups=16)(x)
    assert np.isneginf(y[0, 1:, 1:]).all()
    assert (y[0, 0] == 0).all()
    assert (y[0, :, 0] == 0).all()


@pytest.mark.parametrize(
    "padding", ["same", "valid", (0, 0), ((0, 2), (0, 0)), ((1, 0), (0, 3))], ids=str
)
def test_filters_of_one_tap(padding):
    """They are products of the pixels as they lie: not in padding, and not in one run in a view."""
    values = normals(5)
    wide, weight, bias = values((2, 6, 9, 50)), values((1, 1, 12, 4 * 20)), values(80)
    slopes = {"activation": "silu"}
    for x in (
        wide[..., :48],
        wide[:, ::2, ::3, 2:],
        wide[:, :, :1, :48],
        np.ascontiguousarray(wide[..., 1:49]),
    ):
        expected = group_by_group(x, weight, bias, 4, padding=padding, **slopes)
        wanted = np.pad(expected, ((0, 0), (0, 0), (0, 0), (1, 3)))
        layer = dwsep.Conv2D(weight, bias, groups=4, padding=padding, **slopes)
        for threads in (1, 2):
            place = np.zeros_like(wanted)
            layer(x, out=place[..., 1:-3], num_threads=threads)
            assert not bits_differ(place, wanted)
