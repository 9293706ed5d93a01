"""Transposed convolutions: the bits are those of zeros between pixels and a convolution."""

from __future__ import annotations

import numpy as np
import pytest
from graph_builder import Net
from graph_oracle import evaluate

from dwsep import _core
from dwsep.graph.lowering import lower
from dwsep.graph.passes import conv_transpose, depthwise
from dwsep.graph.passes.conv_transpose import _reversed

pytestmark = pytest.mark.kernels

# kernel, stride, dilation, padding, output_padding, groups, channels, made of each group
CASES = [
    ((2, 2), (2, 2), (1, 1), (0, 0, 0, 0), (0, 0), 1, 5, 7),
    ((3, 3), (2, 2), (1, 1), (1, 1, 1, 1), (1, 1), 1, 16, 24),
    ((4, 4), (2, 2), (1, 1), (1, 1, 1, 1), (0, 0), 1, 8, 3),
    ((4, 4), (2, 2), (1, 1), (1, 1, 1, 1), (0, 0), 1, 70, 33),
    ((9, 9), (3, 3), (1, 1), (4, 4, 4, 4), (2, 2), 1, 20, 1),
    ((8, 8), (4, 4), (1, 1), (2, 2, 2, 2), (0, 0), 1, 3, 21),
    ((4, 3), (2, 3), (1, 1), (1, 0, 2, 1), (0, 2), 2, 6, 5),
    ((3, 3), (2, 2), (2, 1), (3, 2, 0, 1), (1, 0), 1, 4, 40),
    ((3, 4), (3, 2), (2, 3), (0, 2, 1, 1), (2, 1), 1, 9, 10),
    ((1, 1), (2, 2), (1, 1), (0, 0, 0, 0), (1, 1), 1, 4, 9),
    ((2, 1), (2, 2), (1, 1), (2, 3, 1, 2), (0, 0), 1, 4, 6),
    ((2, 2), (5, 4), (1, 1), (0, 1, 1, 0), (3, 2), 1, 4, 6),
    ((3, 2), (2, 4), (4, 6), (0, 0, 0, 0), (0, 0), 1, 3, 18),
    ((3, 3), (2, 2), (1, 1), (0, 0, 0, 0), (7, 9), 1, 3, 18),
    ((4, 4), (2, 2), (1, 1), (1, 1, 1, 1), (0, 0), 18, 18, 1),
    ((16, 16), (8, 8), (1, 1), (4, 4, 4, 4), (0, 0), 5, 5, 1),
    ((3, 3), (2, 2), (1, 1), (1, 1, 1, 1), (1, 1), 33, 33, 2),
    ((3, 5), (2, 3), (2, 2), (1, 2, 0, 3), (0, 1), 7, 7, 3),
    ((1, 3), (1, 2), (1, 1), (0, 0, 1, 1), (0, 1), 16, 16, 1),
    ((2, 2), (3, 3), (1, 1), (0, 0, 0, 0), (9, 5), 6, 6, 1),
    ((5, 5), (2, 2), (1, 1), (2, 2, 2, 2), (1, 1), 1, 8, 2),
    ((3, 3), (2, 2), (1, 1), (0, 0, 1, 1), (0, 0), 1, 19, 1),
    ((5, 5), (3, 3), (1, 1), (1, 1, 1, 1), (0, 0), 1, 24, 1),
    ((3, 9), (2, 2), (1, 1), (1, 4, 2, 3), (1, 0), 2, 30, 2),
    ((2, 5), (4, 3), (1, 1), (0, 0, 0, 0), (2, 2), 1, 40, 1),
    ((2, 2), (2, 2), (1, 1), (0, 1, 1, 0), (1, 1), 1, 24, 1),
    ((4, 2), (2, 3), (1, 1), (0, 1, 3, 2), (0, 0), 1, 17, 1),
    ((600, 1), (2, 1), (1, 1), (0, 0, 0, 0), (0, 0), 1, 3, 4),
]
SIZES = [(1, 1), (1, 6), (7, 1), (5, 4), (11, 13), (4, 70)]
ACTIVATIONS = [None, "relu6", "silu"]


def build(case, size, activation, weights, zeros):
    kernel, stride, dilation, padding, extra, groups, channels, _ = case
    net = Net(channels_last=True)
    x = net.input(2, *size, channels)
    window = {"dilation": dilation, "groups": groups, "activation": activation}
    if zeros:
        x = net.add("zero_insert", x, stride=stride)
        sides = []
        for k, d, before, after, more in zip(
            kernel, dilation, padding[::2], padding[1::2], extra, strict=True
        ):
            reach = (k - 1) * d
            sides += [reach - before, reach - after + more]
        reversed_weights = {**weights, "weight": _reversed(weights["weight"], groups)}
        around = tuple(max(0, side) for side in sides)
        crop = [max(0, -side) for side in sides]
        if any(crop):
            _, h, w, _ = net.graph.shape(x)
            x = net.add(
                "slice",
                x,
                starts=(0, crop[0], crop[2], 0),
                stops=(None, h - crop[1], w - crop[3], None),
                steps=(1, 1, 1, 1),
            )
        y = net.add("conv", x, weights=reversed_weights, stride=(1, 1), padding=around, **window)
    else:
        y = net.add(
            "conv_transpose",
            x,
            weights=weights,
            stride=stride,
            padding=padding,
            output_padding=extra,
            **window,
        )
    net.graph.outputs.append(y)
    return net.graph


def output_size(case, size):
    kernel, stride, dilation, padding, extra, *_ = case
    return [
        (n - 1) * s + (k - 1) * d + 1 - padding[2 * i] - padding[2 * i + 1] + extra[i]
        for i, (n, s, k, d) in enumerate(zip(size, stride, kernel, dilation, strict=True))
    ]


def calls():
    rng = np.random.default_rng(11)
    for number, case in enumerate(CASES):
        kernel, *_, groups, channels, made = case
        for size in SIZES:
            if min(output_size(case, size)) < 1 or (kernel[0] > 99 and size[0] > 5):
                continue
            if size[1] > 13 and channels * made > 60:  # a long row is for few output channels
                continue
            weights = {
                "weight": rng.standard_normal((*kernel, channels, made)).astype(np.float32),
                "bias": rng.standard_normal(made * groups).astype(np.float32),
            }
            if (number + size[0]) % 4 == 3:
                del weights["bias"]
            x = rng.standard_normal((2, *size, channels)).astype(np.float32)
            yield case, size, ACTIVATIONS[(number + size[1]) % 3], weights, x


def network(graph):
    conv_transpose.run(graph)
    depthwise.run(graph)
    return lower(graph, {})


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_bits_are_those_of_zeros_between_pixels(threads):
    for case, size, activation, weights, x in calls():
        wanted = network(build(case, size, activation, weights, zeros=True)).run([x])
        got = network(build(case, size, activation, weights, zeros=False)).run(
            [x], num_threads=threads
        )
        assert got[0].shape == wanted[0].shape, (case, size)
        assert np.array_equal(got[0], wanted[0]), (case, size, activation)


@pytest.mark.parametrize(
    ("channels", "made", "width"),
    [(430, 1, 26), (400, 4, 38), (260, 2, 70), (12, 1, 11), (40, 2, 17), (9, 3, 18), (70, 1, 20)],
)
def test_bits_of_few_outputs_of_short_rows_and_of_many_channels(channels, made, width):
    rng = np.random.default_rng(width)
    for kernel, stride in (((3, 3), (2, 2)), ((5, 4), (2, 3)), ((3, 5), (1, 1))):
        case = (kernel, stride, (1, 1), (1, 0, 0, 1), (0, 0), 1, channels, made)
        weights = {
            "weight": rng.standard_normal((*kernel, channels, made)).astype(np.float32),
            "bias": rng.standard_normal(made).astype(np.float32),
        }
        x = rng.standard_normal((2, 5, width, channels)).astype(np.float32)
        graphs = [build(case, (5, width), "silu", weights, zeros=zeros) for zeros in (True, False)]
        wanted, got = (network(graph).run([x])[0] for graph in graphs)
        assert np.array_equal(got, wanted), (kernel, stride)


def test_sums_are_those_of_the_definition():
    for case, size, activation, weights, x in calls():
        graph = build(case, size, activation, weights, zeros=False)
        exact = evaluate(graph, {graph.inputs[0]: x.astype(np.float64)})[graph.outputs[0]]
        magnitude = build(
            case, size, None, {name: np.abs(w) for name, w in weights.items()}, zeros=False
        )
        bound = evaluate(magnitude, {graph.inputs[0]: np.abs(x).astype(np.float64)})
        terms = case[0][0] * case[0][1] * case[6] + 9
        allowed = terms * 2.0**-24 * bound[magnitude.outputs[0]] + 1e-6
        got = network(graph).run([x])[0]
        assert got.shape == exact.shape
        assert np.all(np.abs(got - exact) <= allowed), (case, size, activation)


@pytest.mark.parametrize("groups", [1, 4])
def test_a_weight_that_meets_no_pixel_counts_nothing(groups):
    """Between pixels there is nothing either: zeros would make a NaN of an infinite weight."""
    case = ((4, 4), (2, 2), (1, 1), (1, 1, 1, 1), (0, 0), groups, 4, 4 // groups)
    weights = {"weight": np.ones((4, 4, 4, 4 // groups), np.float32)}
    weights["weight"][0, 0] = np.inf
    x = np.ones((2, 3, 3, 4), np.float32)
    y = network(build(case, (3, 3), None, weights, zeros=False)).run([x])[0]
    assert not np.isnan(y).any()
    # tap (0, 0) of pixel (i, j) is output (2 i - 1, 2 j - 1)
    assert np.isinf(y[:, 1::2, 1::2][:, :2, :2]).all()
    assert np.isfinite(y[:, ::2]).all()
    assert np.isfinite(y[:, :, ::2]).all()
    assert np.isfinite(y[:, -1]).all()


def test_an_image_of_infinities_makes_no_nan_next_to_it():
    case = ((3, 3), (2, 2), (1, 1), (1, 1, 1, 1), (1, 1), 1, 2, 2)
    weights = {"weight": np.ones((3, 3, 2, 2), np.float32)}
    x = np.ones((2, 4, 4, 2), np.float32)
    x[:, 1, 1] = np.inf
    y = network(build(case, (4, 4), None, weights, zeros=False)).run([x])[0]
    assert not np.isnan(y).any()
    assert np.isinf(y).sum() == 2 * 3 * 3 * 2


def refused(match, shape, **change):
    """Check that the core refuses a step by itself: the checks of graphs come before."""
    attributes = {
        "stride": [2, 2],
        "dilation": [1, 1],
        "padding": [0, 0, 0, 0],
        "output_padding": [0, 0],
        "groups": [1],
        "kernel": [2, 2],
        **change,
    }
    builder = _core.NetworkBuilder()
    x = builder.input("x", list(shape))
    weights = {"weight": np.ones((2, 2, 4, 4), np.float32)}

    def build():
        builder.output("y", builder.step("transposed", "node", [x], attributes, weights))
        builder.finish()

    with pytest.raises(ValueError, match=match):
        build()


def test_what_does_not_fit_is_refused():
    image = (1, 3, 3, 4)
    refused(
        "node.*x: need enough rows for an output of 1 or more, got 3", image, padding=[9, 9, 0, 0]
    )
    refused("node.*x: need 4 channels, got 5", (1, 3, 3, 5))
    refused("node.*groups: need a divisor of the 4 input channels, got 3", image, groups=[3])
    refused("node.*kernel: need the weights' size", image, kernel=[2, 3])
    refused("node.*stride: need an output of less than", (1, 3, 2**20, 4), stride=[2, 2**31])
    refused("node.*output_padding", image, output_padding=[-1, 0])
