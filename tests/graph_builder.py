"""Builds small graphs by hand, and judges passes by the values before and after."""

from __future__ import annotations

import copy

import graph_oracle
import numpy as np
from node_checks import problems

from dwsep.graph.ir import Graph, Node, TensorType
from dwsep.graph.ops import infer

TO_NHWC, TO_NCHW = (0, 2, 3, 1), (0, 3, 1, 2)


class Net:
    """A graph that grows; every method returns the name of a value. Weights are random."""

    def __init__(self, channels_last=False, seed=0):
        self.rng = np.random.default_rng(seed)
        self.graph = Graph("test", [], [], channels_last=channels_last)
        self.count = 0

    def input(self, *shape):
        name = f"x{len(self.graph.inputs)}"
        self.graph.inputs.append(name)
        self.graph.types[name] = TensorType(shape)
        return name

    def constant(self, values):
        array = np.asarray(values, np.float32)
        self.count += 1
        name = f"c{self.count}"
        self.graph.constants[name] = array
        self.graph.types[name] = TensorType.of(array)
        return name

    def random(self, *shape):
        return self.rng.standard_normal(shape).astype(np.float32)

    def add(self, kind, *inputs, weights=None, **attributes):
        self.count += 1
        node = Node(kind, list(inputs), f"v{self.count}", attributes, weights or {})
        node.name = f"{kind}_{self.count}"
        assert not problems(node), problems(node)
        types = [self.graph.types[value] for value in inputs]
        result = infer(node, types, channels_last=self.graph.channels_last)
        self.graph.nodes.append(node)
        self.graph.types[node.output] = result
        return node.output

    def channels(self, x):
        return self.graph.shape(x)[-1 if self.graph.channels_last else 1]

    def conv(
        self, x, made, kernel=3, stride=1, padding=None, groups=1, dilation=1, activation=None
    ):
        kernel = kernel if isinstance(kernel, tuple) else (kernel, kernel)
        padding = (kernel[0] // 2,) * 2 + (kernel[1] // 2,) * 2 if padding is None else padding
        weights = {
            "weight": self.random(*kernel, self.channels(x) // groups, made),
            "bias": self.random(made),
        }
        return self.add(
            "conv",
            x,
            weights=weights,
            stride=(stride, stride),
            dilation=(dilation, dilation),
            padding=padding,
            groups=groups,
            activation=activation,
        )

    def depthwise(self, x, kernel=3, multiplier=1, **options):
        c = self.channels(x)
        return self.conv(x, c * multiplier, kernel, groups=c, **options)

    def batch_norm(self, x):
        c = self.channels(x)
        weights = {"scale": self.random(c) + 2, "shift": self.random(c)}
        return self.add("batch_norm", x, weights=weights)

    def dense(self, x, made):
        taken = self.graph.shape(x)[-1]
        weights = {"weight": self.random(taken, made), "bias": self.random(made)}
        return self.add("dense", x, weights=weights, activation=None)

    def act(self, x, activation):
        return self.add("activation", x, activation=activation)

    def binary(self, function, a, b):
        """Combine two values; numbers and arrays become constants."""
        a, b = (v if isinstance(v, str) else self.constant(v) for v in (a, b))
        return self.add("binary", a, b, function=function, activation=None)

    def unary(self, function, x):
        return self.add("unary", x, function=function)

    def reduce(self, x, axes, keepdims=True, function="mean"):
        return self.add("reduce", x, function=function, axes=axes, keepdims=keepdims)

    def reshape(self, x, *shape):
        return self.add("reshape", x, shape=shape)

    def transpose(self, x, *perm):
        return self.add("transpose", x, perm=perm)

    def pool(self, x, kernel=2, stride=2, function="average", padding=(0, 0, 0, 0)):
        return self.add(
            "pool",
            x,
            function=function,
            kernel=kernel if isinstance(kernel, tuple) else (kernel, kernel),
            stride=(stride, stride),
            dilation=(1, 1),
            padding=padding,
            include_padding=False,
        )

    def squeeze_excite(self, x, reduced, excite_activation="sigmoid", style="conv"):
        """Append squeeze-excite as 1x1 convolutions or as dense layers between reshapes (NCHW)."""
        c = self.channels(x)
        if style == "conv":
            mean = self.reduce(x, (2, 3))
            hidden = self.act(self.conv(mean, reduced, 1), "relu")
            factors = self.act(self.conv(hidden, c, 1), excite_activation)
        else:
            mean = self.reduce(x, (2, 3), keepdims=False)
            hidden = self.act(self.dense(mean, reduced), "relu")
            factors = self.act(self.dense(hidden, c), excite_activation)
            factors = self.reshape(factors, 0, c, 1, 1)
        return self.binary("mul", x, factors)

    def finish(self, *outputs):
        self.graph.outputs = list(outputs)
        return self.graph


def kinds(graph):
    return [node.kind for node in graph.nodes]


def transposes(graph):
    """Return the orders of axes of all transposes."""
    return [tuple(n.attributes["perm"]) for n in graph.nodes if n.kind == "transpose"]


def only(graph, kind):
    """Return the one node of a kind."""
    (node,) = [node for node in graph.nodes if node.kind == kind]
    return node


def feeds_of(graph, seed=1, batch=2):
    rng = np.random.default_rng(seed)
    return {
        name: rng.standard_normal([batch if n is None else n for n in graph.shape(name)])
        for name in graph.inputs
    }


def text(graph):
    """Everything that a pass may change, but for the values of weights."""
    nodes = [
        (n.kind, n.inputs, n.output, repr(n.attributes), {k: v.shape for k, v in n.weights.items()})
        for n in graph.nodes
    ]
    return repr((nodes, graph.types, sorted(graph.constants), graph.outputs, graph.inputs))


def unequal(before, after):
    """Return which outputs differ by more than the rounding of folded weights."""
    report = []
    for name, y in before.items():
        error = np.abs(after[name] - y).max() if after[name].shape == y.shape else np.inf
        if not error <= 1e-5 * np.abs(y).max():
            report.append(f"{name}: {error:g}, values to {np.abs(y).max():g}")
    return report


def ill_typed(graph):
    """Return the nodes whose type is not the one that their inputs lead to."""
    inputs = [[graph.types[value] for value in node.inputs] for node in graph.nodes]
    return [
        node
        for node, types in zip(graph.nodes, inputs, strict=True)
        if infer(node, types, channels_last=graph.channels_last) != graph.types[node.output]
    ]


def rewritten(graph, *passes, changes=True):
    """Run passes on a copy; check values, declared shapes, the return value and idempotence."""
    feeds = feeds_of(graph)
    before = graph_oracle.evaluate(graph, feeds)
    assert all(np.isfinite(y).all() and np.abs(y).max() > 0 for y in before.values())
    result = copy.deepcopy(graph)
    changed = [run(result) for run in passes]
    assert any(changed) == changes
    assert not unequal(before, graph_oracle.evaluate(result, feeds))
    assert result.outputs == graph.outputs
    assert not ill_typed(result)
    once = text(result)
    for run in passes:
        run(result)
    assert text(result) == once
    assert not passes[-1](result)
    if changes:
        assert {*result.constants} <= {v for n in result.nodes for v in n.inputs}
    return result


def optimized(graph, optimize, **options):
    """Run the pipeline on a copy; check values, fused and not, and idempotence."""
    feeds = feeds_of(graph)
    before = graph_oracle.evaluate(graph, feeds)
    results = {}
    for fuse in (False, True):
        result = optimize(copy.deepcopy(graph), fuse=fuse, **options)
        moved = {
            name: x if fits(x, result.shape(name)) else x.transpose(0, 2, 3, 1)
            for name, x in feeds.items()
        }
        assert not unequal(before, graph_oracle.evaluate(result, moved))
        assert not ill_typed(result)
        once = text(result)
        assert text(optimize(result, fuse=fuse, **options)) == once
        results[fuse] = result
    return results[True]


def fits(x, shape):
    return all(n is None or n == m for n, m in zip(shape, x.shape, strict=True))
