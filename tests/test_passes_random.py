"""All passes on random networks: the same values, fused and not, and nothing left to do."""

from __future__ import annotations

import numpy as np
import pytest
from graph_builder import Net, optimized

from dwsep.graph.pipeline import optimize

TO_NHWC, TO_NCHW = (0, 2, 3, 1), (0, 3, 1, 2)


def _random_net(seed):
    """Pile random operations on an image, some of which read two values."""
    rng = np.random.default_rng(seed)
    net = Net(seed=seed)
    values = [net.input(2 if seed % 2 else None, 4, 6, 6)]
    for _ in range(12):
        x = values[rng.integers(max(0, len(values) - 3), len(values))]
        shape = net.graph.shapes[x]
        if len(shape) != 4 or shape[2:] != (6, 6):
            y = net.act(x, "tanh")
        else:
            y = _random_step(net, rng, x, values)
        values.append(y)
    unread = {v for n in net.graph.nodes for v in n.inputs}
    return net.finish(*[v for v in values[1:] if v not in unread], values[-1])


def _random_step(net, rng, x, values):
    c = net.channels(x)
    same = [v for v in values if net.graph.shapes[v] == net.graph.shapes[x]]
    other = same[rng.integers(len(same))]
    steps = [
        lambda: net.conv(x, 4),
        lambda: net.conv(x, 6, 1),
        lambda: net.depthwise(x),
        lambda: net.batch_norm(x),
        lambda: net.act(x, "relu6"),
        lambda: net.binary("add", x, other),
        lambda: net.binary("mul", x, net.act(x, "sigmoid")),
        lambda: net.add("concat", x, other, axis=1),
        lambda: net.squeeze_excite(x, 2, style=["conv", "dense"][int(rng.integers(2))]),
        lambda: net.transpose(net.act(net.transpose(x, *TO_NHWC), "tanh"), *TO_NCHW),
        lambda: net.reshape(
            net.transpose(net.reshape(x, 0, 2, c // 2, 6, 6), 0, 2, 1, 3, 4), 0, c, 6, 6
        ),
        lambda: net.transpose(x, 0, 1, 3, 2),
        lambda: net.dense(net.reshape(x, 0, c * 36), 3),
        lambda: net.reduce(x, (1,), keepdims=False),
    ]
    return steps[rng.integers(len(steps))]()


@pytest.mark.parametrize("seed", range(60))
def test_random_networks_keep_their_values(seed):
    graph = optimized(_random_net(seed), optimize, input_layout=[None, "NHWC"][seed % 3 == 0])
    assert not {"conv", "dense", "batch_norm", "conv_transpose", "identity"} & {
        n.kind for n in graph.nodes if n.output not in graph.outputs
    }
