"""PReLU goes into the convolution before it, with the bits that it has as a step of its own."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from graph_builder import Net, kinds, optimized

from dwsep.graph.lowering import lower
from dwsep.graph.passes import optimize
from dwsep.model import Model


def _convolution(net, kind, x, made):
    if kind == "standard":
        return net.conv(x, made, stride=2)
    if kind == "groups":
        return net.conv(x, made, groups=2)
    if kind == "column":
        return net.conv(x, made, kernel=(5, 1), padding=(2, 2, 0, 0))
    if kind == "inverted_residual":
        x = net.act(net.conv(x, 3 * made, 1), "relu")
    return net.conv(x if kind == "pointwise" else net.depthwise(x), made, 1)


KINDS = ["standard", "groups", "column", "pointwise", "separable", "inverted_residual"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("one", [False, True])
def test_slopes_become_weights(kind, one):
    net = Net(channels_last=True)
    y = _convolution(net, kind, net.input(None, 6, 5, 4), 6)
    y = net.binary("prelu", y, net.random(*((1,) if one else (1, 1, 6))))
    graph = optimized(net.finish(y), optimize)
    (node,) = graph.nodes
    assert node.kind == {"groups": "standard", "column": "standard"}.get(kind, kind)
    assert node.weights["slope"].shape == (6,)


@pytest.mark.parametrize("case", ["read", "output", "pixels", "computed", "depthwise", "pool"])
def test_a_prelu_stays_where_it_must(case):
    net = Net(channels_last=True)
    x = net.input(None, 5, 5, 4)
    y = {"depthwise": net.depthwise, "pool": net.pool}.get(case, lambda x: net.conv(x, 4, 1))(x)
    slope = net.reduce(x, (1, 2)) if case == "computed" else net.random(1, 1, 4)
    slope = net.random(5, 5, 1) if case == "pixels" else slope
    outputs = [net.binary("prelu", y, slope)]
    outputs += {"read": [net.act(y, "tanh")], "output": [y]}.get(case, [])
    graph = optimized(net.finish(*outputs), optimize)
    assert "binary" in kinds(graph)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("added", [False, True])
def test_bits_are_those_of_a_step_of_its_own(kind, added):
    """Over blocks of rows, all panels and halves of vectors, and however threads divide them."""
    for height, width, taken, made in (
        (2, 3, 4, 6),
        (23, 31, 8, 16),
        (70, 40, 4, 56),
        (9, 2, 6, 8),
    ):
        net = Net(channels_last=True)
        x = net.input(None, height, width, taken)
        y = _convolution(net, kind, x, made)
        if added:
            y = net.binary("add", y, net.input(*net.graph.shape(y)))
        graph = net.finish(net.binary("prelu", y, net.random(1, 1, made)))
        fused, apart = (optimize(copy.deepcopy(graph), fuse=fuse) for fuse in (True, False))
        assert "slope" in fused.nodes[-1].weights
        assert "slope" not in apart.nodes[-1].weights
        fused, apart = (Model(lower(g, {})) for g in (fused, apart))
        saved = Model(type(fused._network).from_bytes(fused._network.to_bytes()))
        rng = np.random.default_rng(0)
        for batch in (1, 2):
            shapes = [[batch, *info.shape[1:]] for info in fused.inputs]
            feeds = [rng.standard_normal(shape, dtype=np.float32) for shape in shapes]
            wanted = apart(*feeds, num_threads=1)
            assert (wanted < 0).any() or wanted.size < 10
            for model in (fused, saved):
                for threads in (1, 2, 3):
                    assert np.array_equal(model(*feeds, num_threads=threads), wanted)


@pytest.mark.parametrize("kind", ["standard", "groups", "column", "pointwise"])
@pytest.mark.parametrize("activation", ["tanh", "hard_swish"])
def test_slopes_come_after_activations(kind, activation):
    for made in (6, 12, 16, 20):
        net = Net(channels_last=True)
        y = net.act(_convolution(net, kind, net.input(None, 6, 5, 8), made), activation)
        graph = net.finish(net.binary("prelu", y, net.random(1, 1, made)))
        fused, apart = (optimize(copy.deepcopy(graph), fuse=fuse) for fuse in (True, False))
        assert "slope" in fused.nodes[-1].weights
        x = 3 * np.random.default_rng(0).standard_normal((1, 6, 5, 8), dtype=np.float32)
        fused, apart = (Model(lower(g, {}))(x) for g in (fused, apart))
        assert np.array_equal(fused, apart)


@pytest.mark.parametrize(("groups", "size"), [(32, 2), (16, 4), (9, 3)])
def test_slopes_follow_groups_of_few_channels(groups, size):
    net = Net(channels_last=True)
    channels = groups * size
    y = net.conv(net.input(None, 7, 9, channels), channels, groups=groups)
    graph = net.finish(net.binary("prelu", y, net.random(1, 1, channels)))
    fused, apart = (optimize(copy.deepcopy(graph), fuse=fuse) for fuse in (True, False))
    assert "slope" in fused.nodes[-1].weights
    x = np.random.default_rng(0).standard_normal((2, 7, 9, channels), dtype=np.float32)
    fused, apart = (Model(lower(g, {}))(x) for g in (fused, apart))
    assert np.array_equal(fused, apart)


@pytest.mark.parametrize("kind", ["standard", "pointwise"])
def test_a_thread_may_have_no_panel(kind):
    for taken, made in ((512, 16), (2048, 32), (512, 130)):
        net = Net(channels_last=True)
        y = _convolution(net, kind, net.input(None, 1, 1, taken), made)
        graph = optimize(net.finish(net.binary("prelu", y, net.random(1, 1, made))))
        assert "slope" in graph.nodes[-1].weights
        network = Model(lower(graph, {}))
        x = np.random.default_rng(0).standard_normal((1, 1, 1, taken), dtype=np.float32)
        one, many = (network(x, num_threads=n) for n in (1, 4))
        assert np.array_equal(one, many)
