"""Each pass on graphs built by hand: what it makes of them, and that the values stay the same."""

from __future__ import annotations

import numpy as np
import pytest
from graph_builder import Net, kinds, only, optimized, rewritten

from dwsep.graph.passes import (
    activations,
    batch_norm,
    constants,
    conv_transpose,
    depthwise,
    layer_norm,
    residual,
    squeeze_excite,
)
from dwsep.graph.pipeline import optimize

# --- constants ---------------------------------------------------------------------------------


def test_what_is_known_is_computed():
    net = Net()
    x = net.input(None, 3, 4, 4)
    c = net.binary("add", net.constant(np.ones((3, 1, 1))), 2.0)
    c = net.reshape(net.unary("sqrt", c), 1, 3, 1, 1)
    graph = rewritten(net.finish(net.binary("mul", x, c)), constants.run)
    assert kinds(graph) == ["binary"]
    (value,) = graph.constants.values()
    np.testing.assert_allclose(value, np.full((1, 3, 1, 1), np.sqrt(3)), rtol=1e-6)


def test_constants_do_not_grow_beyond_measure():
    net = Net()
    x = net.input(4000, 2000)
    big = net.add("expand", net.constant([[1.0]]), shape=(4000, 2000))
    graph = net.finish(net.binary("add", x, big))
    assert not constants.run(graph)
    assert kinds(graph) == ["expand", "binary"]


def test_identities_go_and_outputs_keep_their_names():
    net = Net()
    x = net.input(None, 3)
    y = net.add("identity", net.act(net.reshape(x, 0, 3), "relu"))
    z = net.binary("mul", net.binary("add", x, 0.0), 1.0)
    graph = net.finish(y, z, net.add("identity", y))
    graph = rewritten(graph, constants.run)
    assert kinds(graph) == ["activation", "identity", "identity"]
    assert graph.nodes[1].inputs == ["x0"]


def test_an_output_that_is_known_stays_an_identity():
    net = Net()
    net.input(None, 3)
    y = net.unary("exp", net.constant([1.0, 2.0]))
    graph = rewritten(net.finish(y), constants.run)
    assert kinds(graph) == ["identity"]
    assert graph.nodes[0].inputs[0] in graph.constants


def test_equal_nodes_are_computed_once_and_dead_ones_never():
    net = Net()
    x = net.input(None, 3)
    a, b = net.act(x, "tanh"), net.act(x, "tanh")
    net.unary("exp", x)
    graph = rewritten(net.finish(net.binary("add", a, b)), constants.run)
    assert kinds(graph) == ["activation", "binary"]


def test_thousands_of_nodes_take_no_square_of_the_time():
    net = Net()
    x = y = net.input(None, 2)
    for _ in range(6000):
        y = net.binary("add", net.act(y, "relu"), x)
    graph = optimize(net.finish(y))
    assert len(graph.nodes) == 6001  # the additions take the activations


# --- batch norm --------------------------------------------------------------------------------


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("kind", ["conv", "grouped", "depthwise", "conv_transpose"])
def test_a_normalisation_folds_into_the_convolution_before(kind, channels_last):
    net = Net(channels_last)
    x = net.input(*((None, 5, 6, 4) if channels_last else (None, 4, 5, 6)))
    if kind == "conv_transpose":
        weights = {"weight": net.random(2, 3, 4, 3), "bias": net.random(6)}
        y = net.add(
            "conv_transpose",
            x,
            weights=weights,
            stride=(2, 1),
            dilation=(1, 1),
            padding=(0, 1, 1, 0),
            output_padding=(1, 0),
            groups=2,
            activation=None,
        )
    else:
        y = net.conv(x, 8, groups={"conv": 1, "grouped": 2, "depthwise": 4}[kind])
    graph = rewritten(net.finish(net.batch_norm(y)), batch_norm.run)
    assert kinds(graph) == [kind if kind == "conv_transpose" else "conv"]


def test_a_normalisation_without_bias_before_it_gives_a_bias():
    net = Net()
    y = net.conv(net.input(None, 3, 4, 4), 5)
    graph = net.finish(net.batch_norm(y))
    del graph.nodes[0].weights["bias"]
    assert set(rewritten(graph, batch_norm.run).nodes[0].weights) == {"weight", "bias"}


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_a_normalisation_folds_into_the_convolution_after_it_without_padding(groups):
    net = Net()
    x = net.batch_norm(net.input(None, 4, 5, 5))
    graph = rewritten(
        net.finish(net.conv(x, 8, padding=(0, 0, 0, 0), groups=groups)), batch_norm.run
    )
    assert kinds(graph) == ["conv"]


def test_a_shift_does_not_fold_over_padding_but_a_scale_does():
    net = Net()
    x = net.batch_norm(net.input(None, 3, 5, 5))
    graph = rewritten(net.finish(net.conv(x, 4)), batch_norm.run)
    assert kinds(graph) == ["binary", "binary", "conv"]
    net = Net()
    x = net.binary("div", net.input(None, 3, 5, 5), 127.5)
    assert kinds(rewritten(net.finish(net.conv(x, 4)), batch_norm.run)) == ["conv"]


def test_scales_and_shifts_of_any_spelling_fold():
    net = Net()
    y = net.conv(net.input(None, 3, 5, 5), 4)
    by_channel = net.random(4, 1, 1) + 3
    y = net.binary("mul", y, by_channel)
    y = net.binary("add", net.random(1, 4, 1, 1), y)
    y = net.binary("div", net.binary("sub", y, 2.0), by_channel[None])
    y = net.binary("sub", net.random(1), y)
    assert kinds(rewritten(net.finish(y), batch_norm.run)) == ["conv"]


def test_what_is_not_by_channel_does_not_fold():
    net = Net()
    y = net.conv(net.input(None, 4, 4, 4), 4)
    y = net.binary("mul", y, net.random(4))  # by column
    y = net.binary("add", y, net.random(4, 4, 4))
    y = net.binary("div", 1.0, y)
    rewritten(net.finish(y), batch_norm.run, changes=False)


def test_a_convolution_with_another_reader_or_an_activation_stays():
    net = Net()
    y = net.conv(net.input(None, 3, 4, 4), 4)
    a, b = net.batch_norm(y), net.act(y, "relu")
    clipped = net.conv(net.input(None, 3, 4, 4), 4, activation="relu6")
    graph = net.finish(a, b, net.batch_norm(clipped))
    assert kinds(rewritten(graph, batch_norm.run)).count("binary") == 4


def test_a_chain_of_scales_and_shifts_is_one_of_each():
    net = Net()
    x = net.input(None, 3, 4, 4)
    y = net.binary("div", net.binary("sub", net.binary("div", x, 255.0), net.random(3, 1, 1)), 0.2)
    graph = rewritten(net.finish(net.act(y, "tanh")), batch_norm.run)
    assert [n.attributes.get("function") for n in graph.nodes] == ["mul", "add", None]


def test_fully_connected_layers_take_scales_of_their_last_axis():
    net = Net()
    x = net.input(None, 7, 4)
    y = net.dense(net.binary("mul", x, net.random(4)), 5)
    graph = rewritten(net.finish(net.binary("add", y, net.random(5))), batch_norm.run)
    assert kinds(graph) == ["dense"]


# --- activations -------------------------------------------------------------------------------


def _hard(net, x):
    return net.act(net.binary("add", x, 3.0), "relu6")


COMPOSED = {
    "silu": lambda net, x: net.binary("mul", x, net.act(x, "sigmoid")),
    "silu, swapped": lambda net, x: net.binary("mul", net.act(x, "sigmoid"), x),
    "hard_sigmoid": lambda net, x: net.binary("div", _hard(net, x), 6.0),
    "hard_sigmoid, of a sixth": lambda net, x: net.act(
        net.binary("add", net.binary("mul", x, 1 / 6), 0.5), ("clip", 0.0, 1.0)
    ),
    "hard_sigmoid, min and max": lambda net, x: net.binary(
        "mul",
        net.binary("min", net.binary("max", net.binary("add", x, 3.0), 0.0), 6.0),
        np.float32(1 / 6),
    ),
    "hard_swish": lambda net, x: net.binary("mul", x, net.act(x, "hard_sigmoid")),
    "hard_swish, divided last": lambda net, x: net.binary(
        "div", net.binary("mul", x, _hard(net, x)), 6.0
    ),
    "hard_swish, divided first": lambda net, x: net.binary(
        "mul", net.binary("div", _hard(net, x), 6.0), x
    ),
    "hard_swish, of x / 6": lambda net, x: net.binary(
        "mul", net.binary("mul", x, 1 / 6), _hard(net, x)
    ),
    "relu6": lambda net, x: net.binary("max", net.binary("min", x, 6.0), 0.0),
    "relu": lambda net, x: net.act(x, ("clip", 0.0, np.inf)),
    "gelu": lambda net, x: net.binary(
        "mul",
        net.binary("mul", x, 0.5),
        net.binary("add", net.unary("erf", net.binary("div", x, np.sqrt(2.0))), 1.0),
    ),
    "gelu, halved last": lambda net, x: net.binary(
        "mul",
        net.binary(
            "mul",
            x,
            net.binary("add", 1.0, net.unary("erf", net.binary("mul", x, np.sqrt(0.5)))),
        ),
        0.5,
    ),
}


@pytest.mark.parametrize("spelling", COMPOSED)
@pytest.mark.parametrize("scaled", [False, True])
def test_an_activation_is_recognised(spelling, scaled):
    net = Net()
    x = net.input(None, 3, 4, 4)
    x = net.binary("mul", x, net.binary("add", x, 1.5)) if scaled else x
    x = net.binary("add", net.binary("mul", x, 2.0), 0.25) if scaled else x
    graph = rewritten(net.finish(COMPOSED[spelling](net, x)), activations.run)
    assert graph.nodes[-1].attributes["activation"] == spelling.split(",")[0]
    assert graph.nodes[-1].inputs == [x]
    assert kinds(graph)[:-1] == ["binary"] * (4 if scaled else 0)


@pytest.mark.parametrize(
    "make",
    [
        lambda net, x: net.binary("mul", x, net.act(net.binary("mul", x, 1.702), "sigmoid")),
        lambda net, x: net.act(
            net.binary("add", net.binary("mul", x, 0.2), 0.5), ("clip", 0.0, 1.0)
        ),
        lambda net, x: net.binary("div", _hard(net, x), 5.0),
        lambda net, x: net.binary("mul", net.act(x, "tanh"), x),
        lambda net, x: net.binary("max", x, net.constant(net.random(4))),
    ],
)
def test_what_only_looks_like_an_activation_is_left(make):
    net = Net()
    y = make(net, net.input(None, 3, 4, 4))
    rewritten(net.finish(y), activations.run, changes=False)


def test_clips_of_clips_are_one_clip():
    net = Net()
    x = net.input(None, 5)
    y = net.act(net.act(net.act(x, "relu"), ("clip", -1.0, 2.0)), "relu6")
    graph = rewritten(net.finish(y), activations.run)
    assert [n.attributes["activation"] for n in graph.nodes] == [("clip", 0.0, 2.0)]


def test_an_activation_is_fused_into_its_only_source():
    net = Net()
    a = net.act(net.conv(net.input(None, 3, 4, 4), 4), "relu6")
    b = net.act(net.binary("add", a, a), ("leaky_relu", 0.2))
    graph = rewritten(net.finish(net.act(b, "tanh")), activations.fuse)
    assert kinds(graph) == ["conv", "binary", "activation"]
    activation = [n.attributes["activation"] for n in graph.nodes]
    assert activation == ["relu6", ("leaky_relu", 0.2), "tanh"]


def test_an_activation_of_a_value_that_others_read_is_not_fused():
    net = Net()
    y = net.conv(net.input(None, 3, 4, 4), 4)
    z = net.conv(net.input(None, 3, 4, 4), 4)
    graph = net.finish(y, net.act(y, "relu"), net.binary("mul", z, net.act(z, "tanh")))
    rewritten(graph, activations.fuse, changes=False)


# --- layer norm --------------------------------------------------------------------------------


def _layer_norm(net, x, axis, style):
    centred = net.binary("sub", x, net.reduce(x, (axis,)))
    other = net.binary("sub", x, net.reduce(x, (axis,))) if style == "twice" else centred
    square = net.binary("mul", other, other) if style == "mul" else net.binary("pow", other, 2.0)
    root = net.unary("sqrt", net.binary("add", net.reduce(square, (axis,)), 1e-5))
    if style == "reciprocal":
        return net.binary("mul", net.unary("reciprocal", root), centred)
    return net.binary("div", centred, root)


@pytest.mark.parametrize("style", ["pow", "mul", "twice", "reciprocal"])
def test_layer_normalisation_is_recognised(style):
    net = Net()
    x = net.input(None, 5, 8)
    y = _layer_norm(net, x, 2, style)
    y = net.binary("add", net.binary("mul", y, net.random(8)), net.random(8))
    graph = rewritten(net.finish(y), constants.run, layer_norm.run)
    assert kinds(graph) == ["layer_norm"]
    assert only(graph, "layer_norm").attributes["epsilon"] == pytest.approx(1e-5)


def test_normalisation_over_another_axis_is_no_layer_norm():
    net = Net()
    y = _layer_norm(net, net.input(None, 5, 8), 1, "pow")
    rewritten(net.finish(y), layer_norm.run, changes=False)


# --- residual ----------------------------------------------------------------------------------


def test_a_convolution_adds_the_other_branch():
    net = Net()
    x = net.input(None, 4, 5, 5)
    y = net.binary("add", x, net.conv(net.conv(x, 6, activation="relu"), 4))
    graph = rewritten(net.finish(net.act(y, "relu")), residual.run, activations.fuse)
    assert kinds(graph) == ["conv", "conv"]
    assert graph.nodes[1].inputs[1] == x
    assert graph.nodes[1].attributes["activation"] == "relu"


def test_of_two_convolutions_the_later_adds():
    net = Net()
    x = net.input(None, 4, 5, 5)
    first, second = net.conv(x, 4), net.conv(x, 4)
    graph = rewritten(net.finish(net.binary("add", second, first)), residual.run)
    assert [len(n.inputs) for n in graph.nodes] == [1, 2]
    assert graph.nodes[1].inputs[1] == first


def _no_residual(case):
    net = Net()
    x = net.input(None, 4, 5, 5)
    if case == "activation":
        return net.finish(net.binary("add", x, net.conv(x, 4, activation="relu")))
    if case == "broadcast":
        return net.finish(net.binary("add", net.reduce(x, (2, 3)), net.conv(x, 4)))
    if case == "depthwise":
        return net.finish(net.binary("add", x, net.depthwise(x)))
    y = net.conv(x, 4)
    if case == "twice":
        return net.finish(net.binary("add", y, y))
    if case == "read":
        return net.finish(net.binary("add", y, net.act(y, "tanh")))
    return net.finish(y, net.binary("add", x, y))  # an output


@pytest.mark.parametrize(
    "case", ["activation", "broadcast", "depthwise", "twice", "read", "output"]
)
def test_an_addition_stays_where_it_must(case):
    rewritten(_no_residual(case), residual.run, changes=False)


# --- squeeze-excite ----------------------------------------------------------------------------


@pytest.mark.parametrize("function", ["average", "max"])
@pytest.mark.parametrize("channels_last", [False, True])
def test_pooling_of_the_whole_image_is_a_reduction(function, channels_last):
    net = Net(channels_last)
    x = net.input(*((None, 5, 5, 3) if channels_last else (None, 3, 5, 5)))
    graph = rewritten(net.finish(net.pool(x, 5, 1, function)), squeeze_excite.run)
    node = only(graph, "reduce")
    assert node.attributes["axes"] == ((1, 2) if channels_last else (2, 3))
    assert node.attributes["keepdims"] is True


def test_smaller_pools_stay():
    net = Net()
    y = net.pool(net.input(None, 3, 5, 5), 4, 1)
    y = net.pool(y, 2, 1, padding=(1, 0, 0, 1))
    rewritten(net.finish(y), squeeze_excite.run, changes=False)


@pytest.mark.parametrize("style", ["conv", "dense"])
def test_a_gate_works_on_one_pixel(style):
    net = Net()
    x = net.conv(net.input(None, 3, 5, 5), 6)
    graph = optimized(net.finish(net.squeeze_excite(x, 2, "hard_sigmoid", style)), optimize)
    assert kinds(graph) == [
        "transpose",
        "standard",
        "reduce",
        "pointwise",
        "pointwise",
        "binary",
        "transpose",
    ]
    assert graph.shapes[graph.nodes[3].output] == (None, 1, 1, 2)


def test_a_gate_whose_mean_others_read_stays():
    net = Net()
    x = net.conv(net.input(None, 3, 5, 5), 6)
    mean = net.reduce(x, (2, 3), keepdims=False)
    gate = net.reshape(net.dense(net.dense(mean, 2), 6), 0, 6, 1, 1)
    graph = optimized(net.finish(net.binary("mul", x, gate), net.unary("exp", mean)), optimize)
    assert "reshape" in kinds(graph)


# --- depthwise ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "options"),
    [
        ("depthwise", {"made": 4, "groups": 4}),
        ("depthwise", {"made": 12, "groups": 4, "kernel": (3, 5), "stride": 2}),
        ("depthwise", {"made": 8, "groups": 4, "kernel": 1}),
        ("pointwise", {"made": 6, "kernel": 1}),
        ("pointwise", {"made": 6, "kernel": 1, "dilation": 2}),
        ("standard", {"made": 6, "kernel": 1, "stride": 2}),
        ("standard", {"made": 6, "kernel": 1, "padding": (1, 0, 0, 0)}),
        ("standard", {"made": 6, "kernel": 1, "groups": 2}),
        ("standard", {"made": 6, "dilation": 2}),
    ],
)
def test_convolutions_are_told_apart(wanted, options):
    net = Net(channels_last=True)
    y = net.conv(net.input(None, 7, 6, 4), **options)
    graph = rewritten(net.finish(y), depthwise.run)
    assert kinds(graph) == [wanted]


def test_one_channel_is_no_depthwise_convolution():
    net = Net(channels_last=True)
    graph = rewritten(net.finish(net.conv(net.input(None, 5, 5, 1), 4)), depthwise.run)
    assert kinds(graph) == ["standard"]


def test_a_file_s_layout_is_refused():
    net = Net()
    with pytest.raises(ValueError, match="need images in NHWC"):
        depthwise.run(net.finish(net.conv(net.input(None, 3, 5, 5), 4)))


# --- transposed convolutions -------------------------------------------------------------------


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize(
    ("kernel", "stride", "dilation", "padding", "output_padding", "groups"),
    [
        ((2, 2), (2, 2), (1, 1), (0, 0, 0, 0), (0, 0), 1),
        ((3, 3), (2, 2), (1, 1), (1, 1, 1, 1), (1, 1), 1),
        ((4, 3), (2, 3), (1, 1), (1, 0, 2, 1), (0, 2), 2),
        ((3, 2), (1, 1), (2, 3), (1, 2, 0, 1), (0, 0), 1),
        ((3, 3), (2, 2), (2, 1), (3, 2, 0, 1), (1, 0), 4),
        ((1, 1), (2, 2), (1, 1), (0, 0, 0, 0), (1, 1), 1),
        ((2, 1), (2, 2), (1, 1), (2, 3, 1, 2), (0, 0), 1),  # crops more than the kernel reaches
    ],
)
def test_a_transposed_convolution_is_a_convolution(
    kernel, stride, dilation, padding, output_padding, groups, channels_last
):
    net = Net(channels_last)
    x = net.input(*((None, 4, 5, 4) if channels_last else (None, 4, 4, 5)))
    y = net.add(
        "conv_transpose",
        x,
        weights={"weight": net.random(*kernel, 4, 3), "bias": net.random(3 * groups)},
        stride=stride,
        dilation=dilation,
        padding=padding,
        output_padding=output_padding,
        groups=groups,
        activation="relu",
    )
    graph = rewritten(net.finish(y), conv_transpose.run)
    assert kinds(graph)[-1] == "conv"
    assert set(kinds(graph)) <= {"conv", "zero_insert", "slice"}
    assert "relu" in graph.nodes[-1].attributes.values()


# --- blocks ------------------------------------------------------------------------------------


def _inverted_residual(net, x, expanded, made, act="relu6", gate=False, stride=1):
    y = net.act(net.batch_norm(net.conv(x, expanded, 1)), act)
    y = net.act(net.batch_norm(net.depthwise(y, stride=stride)), act)
    y = net.squeeze_excite(y, 2, style=gate) if gate else y
    return net.batch_norm(net.conv(y, made, 1))


@pytest.mark.parametrize("gate", [False, "conv", "dense"])
@pytest.mark.parametrize("added", [False, True])
def test_an_inverted_residual_is_one_node(gate, added):
    net = Net()
    x = net.act(net.conv(net.input(None, 3, 6, 6), 4), "relu")
    y = _inverted_residual(net, x, 8, 4, gate=gate)
    y = net.binary("add", y, x) if added else y
    graph = optimized(net.finish(y), optimize)
    assert kinds(graph) == ["transpose", "standard", "inverted_residual", "transpose"]
    node = only(graph, "inverted_residual")
    assert len(node.inputs) == 1 + added
    names = {"weight", "bias"}
    stages = ["expand", "depthwise"] + (["reduce", "excite"] if gate else [])
    names |= {f"{stage}_{name}" for stage in stages for name in names}
    assert set(node.weights) == names
    attributes = {"stride", "dilation", "padding", "activation"}
    assert set(node.attributes) == attributes | {f"{stage}_activation" for stage in stages}


def test_a_separable_convolution_is_one_node():
    net = Net()
    y = net.act(net.depthwise(net.input(None, 4, 6, 6), multiplier=2, stride=2), "relu")
    y = net.act(net.conv(y, 5, 1), "hard_swish")
    graph = optimized(net.finish(y), optimize)
    assert kinds(graph) == ["transpose", "separable", "transpose"]
    node = only(graph, "separable")
    assert set(node.weights) == {"depthwise_weight", "depthwise_bias", "weight", "bias"}
    assert node.weights["depthwise_weight"].shape == (3, 3, 4, 2)
    assert node.attributes["depthwise_activation"] == "relu"
    assert node.attributes["activation"] == "hard_swish"


def test_separable_convolutions_in_a_row_stay_separable():
    net = Net()
    y = net.conv(net.input(None, 3, 6, 6), 4)
    for _ in range(3):
        y = net.conv(net.depthwise(y), 4, 1)
    graph = optimized(net.finish(y), optimize)
    assert kinds(graph)[2:-1] == ["separable"] * 3


@pytest.mark.parametrize("read", ["expanded", "depthwise", "output"])
def test_what_others_read_is_not_inside_a_block(read):
    net = Net()
    expanded = net.conv(net.input(None, 3, 6, 6), 8, 1)
    inner = net.depthwise(expanded)
    y = net.conv(inner, 4, 1)
    others = {
        "expanded": [net.unary("exp", expanded)],
        "depthwise": [net.pool(inner)],
        "output": [inner],
    }
    graph = optimized(net.finish(y, *others[read]), optimize)
    assert "inverted_residual" not in kinds(graph)
    assert kinds(graph).count("separable") == (read == "expanded")


def test_a_gate_without_expansion_stays_in_pieces():
    net = Net()
    y = net.squeeze_excite(net.depthwise(net.input(None, 4, 6, 6)), 2)
    graph = optimized(net.finish(net.conv(y, 5, 1)), optimize)
    assert kinds(graph)[1:-1] == [
        "depthwise",
        "reduce",
        "pointwise",
        "pointwise",
        "binary",
        "pointwise",
    ]


def test_without_fusing_every_step_is_a_node():
    net = Net()
    x = net.input(None, 4, 6, 6)
    y = net.binary("add", _inverted_residual(net, x, 8, 4), x)
    graph = optimize(net.finish(y), fuse=False)
    assert kinds(graph) == [
        "transpose",
        "pointwise",
        "activation",
        "depthwise",
        "activation",
        "pointwise",
        "binary",
        "transpose",
    ]
