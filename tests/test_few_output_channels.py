"""Convolutions of few output channels: as part of many, whose kernels are others, same bits."""

import itertools

import numpy as np
import pytest
from calls import bits_differ, normals

import dwsep
from dwsep import _core

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
        itertools.product(FILTERS, (16, 33), (32, 65, 130, 9, 16, 19))
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


@pytest.mark.parametrize("outputs", [1, 2, 3, 4, 5])
def test_products_of_few_columns(outputs):
    """Of eight rows or more with whole squares of inputs, and of others; in views."""
    values = normals(outputs)
    for i, (rows, channels) in enumerate(
        itertools.product((7, 8, 9, 31, 33, 400), (8, 12, 64, 72, 250))
    ):
        weight, bias = values((channels, outputs)), values(outputs)
        wide = np.concatenate([weight, values((channels, 48))], axis=1)
        wide_bias = np.concatenate([bias, values(48)])
        x = (
            values((1, 1, rows, channels + 3))[..., 2:-1]
            if i % 2
            else values((1, 1, rows, channels))
        )
        options = {"activation": ACTIVATIONS[i % 3]}
        place = np.zeros((1, 1, rows, outputs + i % 4), np.float32)
        dwsep.PointwiseConv2D(weight, bias, **options)(x, out=place[..., :outputs])
        together = dwsep.PointwiseConv2D(wide, wide_bias, **options)(x)
        alone, together = (np.ascontiguousarray(y[..., :outputs]) for y in (place, together))
        assert not bits_differ(alone, together), (rows, channels)
        assert not place[..., outputs:].any()
        residual = values((1, 1, rows, outputs))
        layer = dwsep.PointwiseConv2D(weight, bias)
        assert not bits_differ(layer(x, residual=residual), layer(x) + residual)


def test_columns_keep_infinities_and_signs_of_zeros():
    x = np.full((1, 1, 16, 8), -0.0, np.float32)
    weight, bias = np.ones((8, 1), np.float32), np.full(1, -0.0, np.float32)
    y = dwsep.PointwiseConv2D(weight, bias)(x)
    assert np.signbit(y).all()
    x[0, 0, 3, 5] = np.inf
    assert np.isposinf(dwsep.PointwiseConv2D(weight, bias)(x)[0, 0, 3, 0])


STANDARD = {"stride": [1, 1], "dilation": [1, 1], "padding": [1, 1, 0, 2]}
TRANSPOSED = {
    "stride": [2, 2],
    "dilation": [1, 1],
    "padding": [0, 1, 1, 0],
    "output_padding": [0, 0],
}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    ("kind", "filter_size", "outputs", "groups", "width"),
    [
        ("standard", (3, 3), 1, 1, 40),
        ("standard", (4, 2), 2, 3, 33),
        ("standard", (5, 5), 4, 1, 700),
        ("standard", (3, 3), 8, 1, 40),
        ("standard", (5, 5), 4, 1, 40),
        ("standard", (3, 3), 64, 1, 300),
        ("standard", (5, 4), 45, 2, 401),
        ("transposed", (2, 2), 1, 1, 31),
        ("transposed", (2, 2), 3, 1, 112),
        ("transposed", (1, 2), 1, 1, 64),
        ("transposed", (3, 5), 2, 2, 65),
        ("transposed", (4, 4), 1, 1, 9),
        ("transposed", (5, 5), 24, 1, 40),
    ],
)
def test_planes_are_read_and_made_as_they_lie(kind, filter_size, outputs, groups, width, threads):
    """Pixels are made of them where an output of the network shows these: the same bits."""
    values = normals(width)
    channels = 12
    weights = {
        "weight": values((*filter_size, channels // groups, outputs * groups)),
        "bias": values(outputs * groups),
    }
    attributes = {**STANDARD, "groups": [groups], "kernel": list(filter_size)}
    if kind == "transposed":
        weights["weight"] = values((*filter_size, channels, outputs))
        attributes |= TRANSPOSED
    results = []
    x = values((2, channels, 7, width))
    for seen in (False, True):
        builder = _core.NetworkBuilder()
        planes = builder.input("x", list(x.shape))
        pixels = builder.step("transpose", "t", [planes], {"perm": [0, 2, 3, 1]}, {})
        made = builder.step(kind, "node", [pixels], attributes, weights)
        back = {"perm": [0, 3, 1, 2]}
        builder.output("y", builder.step("transpose", "back", [made], back, {}))
        if seen:
            builder.output("t", pixels)
            builder.output("made", made)
        results.append(builder.finish().run([x], num_threads=threads)[0])
    assert not bits_differ(*results)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("activation", [{}, {"activation": "silu"}], ids=["none", "silu"])
@pytest.mark.parametrize(
    ("shape", "outputs", "sliced"),
    [
        ((1, 24, 91, 97), 40, False),
        ((2, 17, 64, 81), 65, True),
        ((1, 1, 401, 331), 3, False),
        ((1, 130, 40, 30), 512, True),
        ((1, 512, 24, 16), 100, False),
    ],
)
def test_products_between_planes(shape, outputs, sliced, activation, threads):
    """Planes on any side, of more than a level-2 cache: the bits of pixels, which outputs show."""
    values = normals(outputs)
    bias = values(outputs)
    bias[:2] = -0.0, 0.0
    weights = {"weight": values((shape[1], outputs)), "bias": bias}
    x = values(shape)
    x[0, :, :3] = 0

    def result(turns_x, turns_y, *, seen):
        builder = _core.NetworkBuilder()
        image = x if turns_x else np.ascontiguousarray(x.transpose(0, 2, 3, 1))
        pixels = builder.input("x", list(image.shape))
        if sliced:
            starts = [0, 0, 1, 1] if turns_x else [0, 1, 1, 0]
            pixels = builder.step(
                "slice",
                "s",
                [pixels],
                {"starts": starts, "stops": list(image.shape), "steps": [1] * 4},
                {},
            )
        if turns_x:
            pixels = builder.step("transpose", "t", [pixels], {"perm": [0, 2, 3, 1]}, {})
        made = builder.step("pointwise", "node", [pixels], activation, weights)
        y = (
            builder.step("transpose", "back", [made], {"perm": [0, 3, 1, 2]}, {})
            if turns_y
            else made
        )
        builder.output("y", y)
        for name, value in {"t": pixels, "made": made}.items() if seen else ():
            builder.output(name, value)
        return builder.finish().run([image], num_threads=threads)[0]

    for turns_x, turns_y in itertools.product((False, True), repeat=2):
        wanted = result(turns_x, turns_y, seen=True)
        assert not bits_differ(result(turns_x, turns_y, seen=False), wanted)
