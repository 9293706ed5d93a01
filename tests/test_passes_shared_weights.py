"""Products with the same weights become one, where none depends on another."""

from __future__ import annotations

import numpy as np
import pytest
from graph_oracle import evaluate

from dwsep.graph.ir import Graph, Node, TensorType
from dwsep.graph.lowering import lower
from dwsep.graph.passes import optimize, shared_weights

rng = np.random.default_rng(2)
W = (rng.standard_normal((300, 300)) / 17).astype(np.float32)
V = (rng.standard_normal((300, 300)) / 17).astype(np.float32)


def unrolled(steps, batch, *, second=W, activation="tanh"):
    """Return y_t = tanh(x_t W + y_{t-1} V), with copies of the weights."""
    inputs = [f"x{t}" for t in range(steps)]
    types = {name: TensorType((batch, 300)) for name in inputs}
    nodes, before = [], None

    def add(kind, reads, output, weights=None, **attributes):
        nodes.append(Node(kind, reads, output, attributes, weights or {}, output))
        types[output] = TensorType((batch, 300))

    for t in range(steps):
        weight = (second if t == 1 else W).copy()
        add("dense", [f"x{t}"], f"p{t}", {"weight": weight, "bias": W[0]}, activation=None)
        value = f"p{t}"
        if before:
            add("dense", [before], f"q{t}", {"weight": V.copy()}, activation=None)
            add("binary", [value, f"q{t}"], f"s{t}", function="add", activation=None)
            value = f"s{t}"
        add("activation", [value], f"y{t}", activation=activation)
        before = f"y{t}"
    return Graph("net", inputs, [before, "p0"], nodes, {}, types)


def feeds_of(graph, batch):
    return {name: rng.standard_normal((batch, 300)).astype(np.float32) for name in graph.inputs}


@pytest.mark.parametrize("batch", [1, 3, None])
def test_steps_are_joined(batch):
    graph = unrolled(4, batch)
    feeds = feeds_of(graph, batch or 2)
    wanted = evaluate(graph, feeds)
    alone = lower(optimize(unrolled(4, batch), fuse=False), {})
    assert shared_weights.run(graph)
    assert [n.kind for n in graph.nodes].count(
        "dense"
    ) == 1 + 3  # those of states follow each other
    for name, y in evaluate(graph, feeds).items():
        np.testing.assert_allclose(y, wanted[name], rtol=1e-12, atol=1e-12)
    assert not shared_weights.run(graph)
    for y, name in zip(alone.run(list(feeds.values())), alone.outputs, strict=True):
        np.testing.assert_allclose(y, wanted[name[0]], rtol=0, atol=1e-5)


def test_other_weights_are_left_alone():
    graph = unrolled(3, 1, second=V)
    assert shared_weights.run(graph)
    assert [n.kind for n in graph.nodes].count("dense") == 2 + 2
    assert not shared_weights.run(unrolled(2, 1, second=V))
    assert not shared_weights.run(unrolled(4, 17))


@pytest.mark.parametrize("what", ["activation", "bias", "residual"])
def test_other_products_of_the_same_weights_are_left_alone(what):
    graph = unrolled(3, 1)
    (node,) = (n for n in graph.nodes if n.output == "p1")
    if what == "activation":
        node.attributes["activation"] = "relu"
    elif what == "bias":
        node.weights["bias"] = W[1]
    else:
        node.inputs.append("x0")
    assert shared_weights.run(graph)
    assert [n.kind for n in graph.nodes].count("dense") == 2 + 2


def test_bits_stay():
    graph = unrolled(4, 2)
    feeds = list(feeds_of(graph, 2).values())
    joined = lower(optimize(graph), {}).run(feeds)
    plain = unrolled(4, 2)
    for node in plain.nodes:
        if node.output.startswith("p"):
            node.weights["bias"] = node.weights["bias"] + 0.0
            node.inputs = [*node.inputs]
            node.attributes["activation"] = ("clip", -1e30 * (2 + int(node.output[1])), 1e30)
    for a, b in zip(joined, lower(optimize(plain), {}).run(feeds), strict=True):
        assert np.array_equal(a, b)


def test_joining_one_group_may_forbid_another():
    """a1 -> b1 and b2 -> a2: only the a's, or only the b's, can be one product."""
    names = {"a1": ("x", W), "b1": ("a1", V), "b2": ("x", V), "a2": ("b2", W)}
    nodes = [
        Node("dense", [read], name, {"activation": None}, {"weight": weight.copy()}, name)
        for name, (read, weight) in names.items()
    ]
    types = {name: TensorType((1, 300)) for name in ("x", *names)}
    graph = Graph("net", ["x"], ["b1", "a2"], nodes, {}, types)
    feeds = feeds_of(graph, 1)
    wanted = evaluate(graph, feeds)
    assert shared_weights.run(graph)
    assert [n.kind for n in graph.nodes].count("dense") == 3
    for name, y in evaluate(graph, feeds).items():
        np.testing.assert_allclose(y, wanted[name], rtol=1e-12, atol=1e-12)
