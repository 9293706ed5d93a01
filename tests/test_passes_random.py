"""All passes on random networks: the same values, fused and not, and nothing left to do."""

from __future__ import annotations

import numpy as np
import pytest
from graph_builder import TO_NCHW, TO_NHWC, Net, optimized

from dwsep.graph.passes import optimize


def _random_net(seed):
    """Pile random operations on an image, some of which read two values."""
    rng = np.random.default_rng(seed)
    net = Net(seed=seed)
    values = [net.input(2 if seed % 2 else None, 4, 6, 6)]
    for _ in range(12):
        x = values[rng.integers(max(0, len(values) - 3), len(values))]
        image = len(net.graph.shape(x)) == 4
        values.append(_random_step(net, rng, x, values) if image else net.act(x, "tanh"))
    read = {v for n in net.graph.nodes for v in n.inputs}
    return net.finish(*[v for v in values[1:] if v not in read], values[-1])


def _random_step(net, rng, x, values):
    _, c, h, w = net.graph.shape(x)
    same = [v for v in values if net.graph.shape(v) == net.graph.shape(x)]
    other = same[rng.integers(len(same))]
    steps = [
        lambda: net.conv(x, 4),
        lambda: net.conv(x, 6, 1),
        lambda: net.conv(_padded(net, x), 4, 2, padding=(0, 0, 0, 0)),
        lambda: net.depthwise(x),
        lambda: net.depthwise(_padded(net, x), multiplier=2, stride=2),
        lambda: _transposed(net, x),
        lambda: net.batch_norm(x),
        lambda: net.act(x, "relu6"),
        lambda: net.binary("add", x, other),
        lambda: net.binary("mul", x, net.act(x, "sigmoid")),
        lambda: net.binary("mul", x, net.random(c, 1, 1)),
        lambda: net.binary("sub", 1.25, x),
        lambda: _with_number(net, rng, x),
        lambda: _scaled_gate(net, rng, x),
        lambda: _scaled(net, rng, net.binary("add", other, net.conv(x, c))),
        lambda: _scaled(net, rng, _with_residual(net, x, other)),
        lambda: net.add("concat", x, other, axis=1),
        lambda: net.pool(x, 2, 1, padding=(0, 1, 0, 1)),
        lambda: net.squeeze_excite(x, 2, style=["conv", "dense"][int(rng.integers(2))]),
        lambda: net.transpose(net.act(net.transpose(x, *TO_NHWC), "tanh"), *TO_NCHW),
        lambda: _shuffled(net, x),
        lambda: net.conv(_shuffled(net, x), 4, 1),
        lambda: net.conv(net.depthwise(_shuffled(net, x)), 6, 1),
        lambda: net.transpose(x, 0, 1, 3, 2),
        lambda: net.dense(net.reshape(x, 0, c * h * w), 3),
        lambda: net.reduce(x, (1,), keepdims=False),
    ]
    return steps[rng.integers(len(steps))]()


def _with_number(net, rng, x):
    """Combine values from 1 to 3 with a number, which may be neutral, on either side."""
    function = ("add", "sub", "mul", "div", "min", "max", "pow")[rng.integers(7)]
    x, number = net.binary("add", net.act(x, "tanh"), 2.0), float(rng.integers(3))
    if rng.integers(2) and (function, number) != ("div", 0.0):
        return net.binary(function, x, number)
    return net.binary(function, number, x)


def _scaled_gate(net, rng, x):
    factor = (-1.0, 0.5, 1.0, 2.0)[rng.integers(4)]
    gate = net.act(x, ("sigmoid", "hard_sigmoid")[rng.integers(2)])
    if rng.integers(2):
        return net.binary("mul", net.binary("mul", factor, gate), x)
    return net.binary("mul", gate, net.binary("mul", x, factor))


def _scaled(net, rng, x):
    function = ("add", "sub", "mul", "div")[rng.integers(4)]
    return net.binary(function, x, 1.5 + np.abs(net.random(net.channels(x), 1, 1)))


def _with_residual(net, x, other):
    c = net.channels(x)
    return net.add(
        "conv",
        x,
        other,
        weights={"weight": net.random(3, 1, c, c), "bias": net.random(c)},
        stride=(1, 1),
        dilation=(1, 1),
        padding=(1, 1, 0, 0),
        groups=1,
        activation=None,
    )


def _padded(net, x):
    return net.add("pad", x, mode="constant", before=(0, 0, 1, 0), after=(0, 0, 0, 1), value=0.0)


def _shuffled(net, x):
    _, c, h, w = net.graph.shape(x)
    split = net.transpose(net.reshape(x, 0, 2, c // 2, h, w), 0, 2, 1, 3, 4)
    return net.reshape(split, 0, c, h, w)


def _transposed(net, x):
    return net.add(
        "conv_transpose",
        x,
        weights={"weight": net.random(2, 3, net.channels(x), 4)},
        stride=(1, 2),
        dilation=(1, 1),
        padding=(0, 0, 1, 0),
        output_padding=(0, 1),
        groups=1,
        activation=None,
    )


@pytest.mark.parametrize("seed", range(80))
def test_random_networks_keep_their_values(seed):
    graph = optimized(_random_net(seed), optimize, input_layout=[None, "NHWC"][seed % 3 == 0])
    kinds = {n.kind for n in graph.nodes if n.output not in graph.outputs}
    assert not {"conv", "dense", "batch_norm", "conv_transpose", "identity"} & kinds
