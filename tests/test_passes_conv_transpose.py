"""Transposed convolutions: convolutions where they are some; activations and residuals go in."""

from __future__ import annotations

import pytest
from graph_builder import Net, kinds, optimized, rewritten

from dwsep.graph.passes import conv_transpose, optimize


def transposed(net: Net, x: str, shape: tuple[int, int, int, int], groups: int = 1, **attributes):
    """Add one with weights of a shape, whose attributes are plain but for those given."""
    plain = {
        "stride": (1, 1),
        "dilation": (1, 1),
        "padding": (0, 0, 0, 0),
        "output_padding": (0, 0),
        "activation": None,
    }
    weights = {"weight": net.random(*shape), "bias": net.random(shape[-1] * groups)}
    return net.add("conv_transpose", x, weights=weights, groups=groups, **{**plain, **attributes})


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize(
    ("kernel", "stride", "dilation", "padding", "output_padding", "groups"),
    [
        ((2, 2), (2, 2), (1, 1), (0, 1, 0, 0), (0, 0), 1),
        ((3, 3), (2, 2), (1, 1), (1, 1, 1, 1), (1, 1), 1),
        ((4, 3), (2, 3), (1, 1), (1, 0, 2, 1), (0, 2), 2),
        ((3, 2), (1, 1), (2, 3), (1, 2, 0, 1), (0, 0), 1),
        ((3, 2), (1, 1), (2, 3), (5, 2, 0, 4), (0, 0), 1),  # crops more than the kernel reaches
        ((3, 3), (2, 2), (2, 1), (3, 2, 0, 1), (1, 0), 4),
        ((1, 1), (2, 2), (1, 1), (0, 0, 0, 0), (1, 1), 1),
        ((2, 1), (2, 2), (1, 1), (2, 3, 1, 2), (0, 0), 1),
        ((1, 3), (1, 1), (1, 1), (1, 0, 0, 0), (0, 0), 1),  # crops one row
        ((3, 3), (1, 2), (1, 1), (2, 1, 1, 2), (0, 0), 1),  # no less than none
        ((3, 2), (1, 1), (2, 3), (1, 0, 2, 1), (1, 2), 1),
    ],
)
def test_a_transposed_convolution_without_stride_is_a_convolution(
    kernel, stride, dilation, padding, output_padding, groups, channels_last
):
    net = Net(channels_last)
    x = net.input(*((None, 4, 5, 4) if channels_last else (None, 4, 4, 5)))
    y = transposed(
        net,
        x,
        (*kernel, 4, 3),
        stride=stride,
        dilation=dilation,
        padding=padding,
        output_padding=output_padding,
        groups=groups,
        activation="relu",
    )
    graph = rewritten(net.finish(y), conv_transpose.run)
    if stride != (1, 1):
        assert kinds(graph) == ["transposed"]
        assert graph.nodes[-1].attributes["kernel"] == kernel
    else:
        reach = [(k - 1) * d for k, d in zip(kernel, dilation, strict=True)]
        ends = [reach[0], reach[0] + output_padding[0], reach[1], reach[1] + output_padding[1]]
        crop = ["slice"] if any(p > end for p, end in zip(padding, ends, strict=True)) else []
        assert kinds(graph) == [*crop, "conv"]
    assert graph.nodes[-1].attributes["activation"] == "relu"


def test_a_transposed_convolution_that_names_no_groups_has_one():
    net = Net()
    y = net.add(
        "conv_transpose",
        net.input(None, 4, 3, 5),
        weights={"weight": net.random(3, 3, 4, 6), "bias": net.random(6)},
        stride=(1, 1),
        dilation=(1, 1),
        padding=(1, 1, 1, 1),
        output_padding=(0, 0),
    )
    assert kinds(rewritten(net.finish(y), conv_transpose.run)) == ["conv"]


def test_an_activation_goes_into_a_transposed_convolution():
    net = Net()
    y = transposed(net, net.input(None, 4, 3, 5), (3, 2, 4, 3), stride=(2, 2))
    graph = optimized(net.finish(net.conv(net.act(y, "silu"), 4)), optimize)
    assert kinds(graph)[1:-1] == ["transposed", "standard"]
    assert graph.nodes[1].attributes["activation"] == "silu"


def test_a_transposed_convolution_of_single_pixels_needs_no_reshapes():
    net = Net(channels_last=True)
    y = transposed(net, net.input(None, 3, 5, 4), (1, 1, 4, 3))
    assert kinds(optimized(net.finish(y), optimize)) == ["pointwise"]


def test_a_transposed_convolution_takes_a_residual():
    net = Net()
    x = net.input(None, 4, 3, 5)
    y = transposed(net, x, (3, 3, 4, 4), padding=(1, 1, 1, 1))
    graph = optimized(net.finish(net.act(net.binary("add", x, y), "relu")), optimize)
    assert kinds(graph) == ["transpose", "standard", "transpose"]
