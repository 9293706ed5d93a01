"""From NCHW to NHWC: which transposes are left, and that the values stay the same."""

from __future__ import annotations

import numpy as np
import pytest
from graph_builder import TO_NCHW, TO_NHWC, Net, kinds, optimized, rewritten, transposes

from dwsep.graph.passes import constants, layout, optimize
from dwsep.graph.passes._preferred_layouts import preferred_layouts


def moved(net, *outputs):
    return rewritten(net.finish(*outputs), constants.run, layout.run, constants.run)


# --- what images pass through -------------------------------------------------------------------


def _image(net, batch=None):
    return net.conv(net.input(batch, 4, 6, 7), 4)


def _slice(net, x):
    return net.add("slice", x, starts=(0, 1, -1, 0), stops=(None, 3, None, 4), steps=(1, 1, -2, 3))


def _pad(net, x):
    return net.add("pad", x, mode="constant", before=(0, 1, 2, 3), after=(0, 3, 2, 0), value=1.5)


def _prelu(net, x):
    return net.binary("prelu", x, net.random(4, 1, 1))


def _resize(net, x):
    return net.add(
        "resize",
        x,
        function="nearest",
        size=(12, 14),
        scale=(2.0, 2.0),
        coordinates="asymmetric",
        rounding="floor",
    )


ON_IMAGES = {
    "activation": lambda net, x: net.act(x, "hard_swish"),
    "unary": lambda net, x: net.unary("abs", x),
    "batch_norm": lambda net, x: net.batch_norm(x),
    "pool": lambda net, x: net.pool(x, 3, 2, "max", (1, 0, 1, 1)),
    "resize": _resize,
    "softmax": lambda net, x: net.add("softmax", x, axis=1, log=False),
    "softmax, rows": lambda net, x: net.add("softmax", x, axis=-2, log=True),
    "slice": _slice,
    "pad": _pad,
    "prelu": _prelu,
    "gather": lambda net, x: net.add("gather", x, axis=1, indices=np.array([3, 0, 0])),
    "expand": lambda net, x: net.add("expand", net.reduce(x, (2,)), shape=(0, 4, 5, 0)),
    "concat": lambda net, x: net.add("concat", x, net.act(x, "tanh"), x, axis=1),
    "concat, rows": lambda net, x: net.add("concat", x, net.act(x, "tanh"), axis=-2),
    "concat, constant": lambda net, x: net.add(
        "concat", net.constant(net.random(1, 2, 6, 7)), net.reduce(x, (0,)), axis=1
    ),
    "reduce": lambda net, x: net.reduce(x, (1,), function="max"),
    "reduce, rows": lambda net, x: net.reduce(x, (-2,)),
    "by channel": lambda net, x: net.binary("mul", net.random(4, 1, 1), x),
    "by column": lambda net, x: net.binary("add", x, net.random(7)),
    "by pixel": lambda net, x: net.binary("sub", x, net.random(1, 1, 6, 7)),
    "by number": lambda net, x: net.binary("pow", net.unary("abs", x), 1.5),
    "by the other": lambda net, x: net.binary("min", x, net.reduce(x, (2, 3))),
    "a larger constant": lambda net, x: net.binary(
        "mul", net.constant(net.random(3, 1, 1, 1, 1)), x
    ),
}


@pytest.mark.parametrize("name", ON_IMAGES)
def test_between_convolutions_nothing_is_transposed(name):
    net = Net()
    x = _image(net, 2 if name == "concat, constant" else None)
    y = ON_IMAGES[name](net, x)
    shape = net.graph.shape(y)
    y = net.conv(y, 5, 1) if len(shape) == 4 else y
    graph = moved(net, y)
    back = [TO_NCHW] if len(shape) > 3 else []
    assert transposes(graph) == [TO_NHWC, *back]


def test_removing_axes_keeps_the_order_of_the_others():
    net = Net()
    x = _image(net)
    a = net.reduce(x, (1,), keepdims=False)  # (N, H, W): as it lies
    b = net.reduce(x, (2,), keepdims=False)  # (N, C, W): lies as (N, W, C)
    c = net.add("gather", x, axis=3, indices=np.array(2))
    graph = moved(net, a, b, c)
    assert transposes(graph) == [TO_NHWC, (0, 2, 1), (0, 2, 1)]


def test_a_value_is_transposed_once_for_all_readers():
    net = Net()
    x = net.input(None, 3, 5, 5)
    a, b = net.conv(x, 4), net.conv(x, 4)
    graph = moved(net, net.binary("mul", a, net.unary("abs", b)))
    assert transposes(graph) == [TO_NHWC, TO_NCHW]


def test_what_comes_before_the_first_convolution_is_transposed_first():
    net = Net()
    x = net.input(None, 3, 5, 5)
    y = net.binary("div", net.binary("sub", x, net.random(3, 1, 1)), net.random(3, 1, 1) + 3)
    graph = moved(net, net.conv(y, 4))
    assert kinds(graph)[0] == "transpose"
    assert transposes(graph) == [TO_NHWC, TO_NCHW]


# --- networks whose files transpose by themselves -----------------------------------------------


def test_transposes_of_a_file_made_from_nhwc_cancel():
    """Keras exports NHWC inputs, with a transpose around every group of convolutions."""
    net = Net()
    x = net.input(None, 6, 6, 3)
    y = net.conv(net.transpose(x, *TO_NCHW), 4)
    y = net.binary("add", net.transpose(y, *TO_NHWC), net.random(4))
    y = net.act(net.transpose(y, *TO_NCHW), "relu6")
    y = net.transpose(net.depthwise(y), *TO_NHWC)
    y = net.binary("mul", y, net.random(1, 1, 1, 4))
    y = net.transpose(net.conv(net.transpose(y, *TO_NCHW), 5, 1), *TO_NHWC)
    graph = optimized(net.finish(net.reduce(y, (1, 2), keepdims=False)), optimize)
    assert kinds(graph) == ["standard", "separable", "reduce"]


def test_layer_normalisation_between_permutes_needs_none():
    """ConvNeXt: depthwise, permute, norm, two dense layers, permute, scale, residual."""
    net = Net()
    x = net.conv(net.input(None, 3, 12, 12), 8, 4, 4, padding=(0, 0, 0, 0))
    for composed in (True, False):
        y = net.transpose(net.depthwise(x, 7), *TO_NHWC)
        if composed:
            mean = net.reduce(y, (3,))
            centred = net.binary("sub", y, mean)
            variance = net.reduce(net.binary("pow", centred, 2.0), (3,))
            root = net.unary("sqrt", net.binary("add", variance, 1e-6))
            y = net.binary("div", centred, root)
            y = net.binary("add", net.binary("mul", y, net.random(8)), net.random(8))
        else:
            weights = {"scale": net.random(8), "shift": net.random(8)}
            y = net.add("layer_norm", y, weights=weights, epsilon=1e-6)
        y = net.dense(y, 16)
        erf = net.unary("erf", net.binary("div", y, np.sqrt(2.0)))
        y = net.binary("mul", net.binary("mul", y, net.binary("add", erf, 1.0)), 0.5)
        y = net.transpose(net.dense(y, 8), *TO_NCHW)
        x = net.binary("add", net.binary("mul", y, net.random(8, 1, 1)), x)
    graph = optimized(net.finish(net.reduce(x, (2, 3), keepdims=False)), optimize)
    block = ["depthwise", "layer_norm", "pointwise", "pointwise"]
    assert kinds(graph) == ["transpose", "standard", *block, *block, "reduce"]
    assert [n.attributes["activation"] for n in graph.nodes if n.kind == "pointwise"] == [
        "gelu",
        None,
    ] * 2


def test_layer_normalisation_over_the_channels_of_a_file():
    """LayerNorm2d without permutes: mean and variance over axis 1."""
    net = Net()
    x = _image(net)
    centred = net.binary("sub", x, net.reduce(x, (1,)))
    variance = net.reduce(net.binary("pow", centred, 2.0), (1,))
    y = net.binary("div", centred, net.unary("sqrt", net.binary("add", variance, 1e-6)))
    y = net.binary("add", net.binary("mul", y, net.random(4, 1, 1)), net.random(4, 1, 1))
    graph = optimized(net.finish(net.conv(y, 5)), optimize)
    assert kinds(graph) == ["transpose", "standard", "layer_norm", "standard", "transpose"]


def test_a_channel_shuffle_shuffles_the_last_axis():
    net = Net()
    y = net.conv(net.input(None, 6, 4, 4), 6, 1, groups=3)
    y = net.transpose(net.reshape(y, 0, 3, 2, 4, 4), 0, 2, 1, 3, 4)
    y = net.depthwise(net.reshape(y, 0, 6, 4, 4))
    graph = optimized(net.finish(y), optimize)
    assert transposes(graph) == [TO_NHWC, (0, 1, 2, 4, 3), TO_NCHW]
    assert kinds(graph)[2:5] == ["reshape", "transpose", "reshape"]


def test_depth_to_space_is_one_transpose():
    net = Net()
    y = net.reshape(_image(net), 0, 1, 2, 2, 6, 7)
    y = net.reshape(net.transpose(y, 0, 1, 4, 2, 5, 3), 0, 1, 12, 14)
    graph = optimized(net.finish(net.conv(y, 3)), optimize)
    assert len(transposes(graph)) == 3


def test_tokens_of_a_vision_transformer_stay_where_they_are():
    """(N, C, H, W) -> (N, C, HW) -> (N, HW, C) is no movement in NHWC."""
    net = Net()
    y = net.transpose(net.reshape(_image(net), 0, 4, 42), 0, 2, 1)
    y = net.dense(y, 8)
    y = net.reshape(net.transpose(y, 0, 2, 1), 0, 8, 6, 7)
    graph = optimized(net.finish(net.conv(y, 3)), optimize)
    assert transposes(graph) == [TO_NHWC, TO_NCHW]


def test_matrix_products_of_two_values_get_them_as_in_the_file():
    net = Net()
    x = net.input(None, 5, 8)
    q, k = net.dense(x, 6), net.dense(x, 6)
    scores = net.add("matmul", q, net.transpose(k, 0, 2, 1))
    y = net.add("matmul", net.add("softmax", scores, axis=-1, log=False), net.dense(x, 3))
    graph = optimized(net.finish(y), optimize)
    assert transposes(graph) == [(0, 2, 1)]


def test_a_kind_that_the_pass_does_not_know_gets_the_file_s_order():
    net = Net()
    y = net.add("gather", _image(net), axis=1, indices=np.array([[0, 1], [2, 3]]))
    graph = moved(net, y)
    assert transposes(graph) == [TO_NHWC, TO_NCHW]
    assert graph.shape(graph.outputs[0]) == (None, 2, 2, 6, 7)


@pytest.mark.parametrize("demanded", ["first", "last"])
def test_what_an_operator_demands_outranks_what_others_prefer(demanded):
    """For the second convolution alone the image would be turned another way."""
    net = Net()
    x = net.input(None, 4, 5, 6)
    readers = [lambda: net.conv(x, 3), lambda: net.conv(net.transpose(x, 0, 2, 1, 3), 3)]
    outputs = [reader() for reader in readers[:: 1 if demanded == "first" else -1]]
    graph = net.finish(*outputs)
    assert preferred_layouts(graph)[x] == TO_NHWC
    moved(net, *outputs)


# --- outputs, and what stays as it is ------------------------------------------------------------


def test_outputs_keep_names_and_axes_even_if_nothing_is_computed():
    net = Net()
    x = net.input(None, 3, 6, 5)
    turned = net.transpose(x, *TO_NHWC)
    y = net.conv(net.transpose(turned, *TO_NCHW), 4)
    graph = moved(net, turned, net.add("identity", x), y, net.act(y, "relu"))
    assert [graph.shape(name) for name in graph.outputs] == [
        (None, 6, 5, 3),
        (None, 3, 6, 5),
        (None, 4, 6, 5),
        (None, 4, 6, 5),
    ]


def test_a_graph_in_nhwc_is_left_alone():
    net = Net(channels_last=True)
    rewritten(net.finish(net.conv(net.input(None, 6, 5, 3), 4)), layout.run, changes=False)


def test_a_computed_operand_without_channels_is_aligned():
    net = Net()
    other = net.input(6, 7)
    graph = optimized(net.finish(net.conv(net.binary("mul", _image(net), other), 3)), optimize)
    assert transposes(graph) == [TO_NHWC, TO_NCHW]
    assert kinds(graph).count("reshape") == 1
