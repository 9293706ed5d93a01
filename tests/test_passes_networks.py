"""Whole networks: which nodes the passes leave, and that the values stay the same."""

from __future__ import annotations

from collections import Counter

import graph_oracle
import pytest
from graph_builder import feeds_of, unequal
from threadpoolctl import threadpool_limits  # scikit-learn brings it along

pytest.importorskip("onnx", reason="builds and imports ONNX models")

from dwsep import models
from dwsep.graph.onnx import import_onnx
from dwsep.graph.passes import optimize

# Blocks as the papers count them. Every network begins with a transpose and a standard convolution;
# none has another transpose. "reshape" is the flattening of the pooled features.
HEAD = {"transpose": 1, "standard": 1, "reduce": 1, "reshape": 1}
CLASSIFIER = {**HEAD, "pointwise": 1}
NETWORKS = {
    "mobilenet_v1": [CLASSIFIER, {"separable": 13}],
    "mobilenet_v2": [CLASSIFIER, {"separable": 1, "inverted_residual": 16, "pointwise": 1}],
    "mobilenet_v3_large": [CLASSIFIER, {"separable": 1, "inverted_residual": 14, "pointwise": 2}],
    "mobilenet_v3_small": [
        CLASSIFIER,
        {"separable": 1, "inverted_residual": 10, "pointwise": 2},
    ],
    "efficientnet_b0": [
        CLASSIFIER,
        {"separable": 1, "inverted_residual": 15, "pointwise": 1},
    ],
    "efficientnet_lite0": [
        CLASSIFIER,
        {"separable": 1, "inverted_residual": 15, "pointwise": 1},
    ],
    "mnasnet": [
        {"transpose": 1, "standard": 1, "reduce": 1, "pointwise": 2},
        {"separable": 1, "inverted_residual": 16},
    ],
    # The activation of the entry flow is read by the shortcut as well; pooling ends its blocks.
    "xception": [
        CLASSIFIER,
        {"standard": 5, "separable": 34, "pool": 4, "activation": 11},
    ],
    # No shuffle moves anything: the 16 units read views of what others have computed.
    "shufflenet_v2": [
        CLASSIFIER,
        {"pool": 1, "separable": 3, "inverted_residual": 16, "pointwise": 1},
        {"concat": 16, "slice": 69},
    ],
    "convnext_tiny": [
        CLASSIFIER,
        {"standard": 3, "depthwise": 18, "pointwise": 36, "layer_norm": 23},
    ],
}


@pytest.fixture(autouse=True)
def _one_thread_in_blas():
    """Keep the oracle's small products from waiting for each other where CPUs are busy."""
    with threadpool_limits(1):
        yield


def _network(name):
    """Return an imported graph, what to feed it, and its outputs."""
    resolution = 64 if name in ("xception", "shufflenet_v2") else 32
    model = getattr(models, name)(resolution=resolution, classes=10)
    graph = import_onnx(model)
    feeds = feeds_of(graph, batch=1)
    return graph, feeds, graph_oracle.evaluate(graph, feeds)


@pytest.mark.parametrize("name", NETWORKS)
def test_which_nodes_are_left(name):
    graph, feeds, before = _network(name)
    optimize(graph)
    assert Counter(n.kind for n in graph.nodes) == sum(map(Counter, NETWORKS[name]), Counter())
    assert graph.nodes[0].kind == "transpose"
    assert not unequal(before, graph_oracle.evaluate(graph, feeds))


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "efficientnet_b0", "shufflenet_v2"])
def test_without_fusing_the_values_are_the_same(name):
    graph, feeds, before = _network(name)
    optimize(graph, input_layout="NHWC", fuse=False)
    kinds = Counter(n.kind for n in graph.nodes)
    assert not kinds.keys() & {"batch_norm", "conv", "dense", "separable", "inverted_residual"}
    assert not kinds["transpose"]
    feeds = {name: x.transpose(0, 2, 3, 1) for name, x in feeds.items()}
    assert not unequal(before, graph_oracle.evaluate(graph, feeds))


def test_all_residuals_of_mobilenet_v2_are_fused():
    graph = optimize(import_onnx(models.mobilenet_v2(resolution=32, classes=10)))
    blocks = [n for n in graph.nodes if n.kind == "inverted_residual"]
    assert sum(len(n.inputs) == 2 for n in blocks) == 10
    assert all(n.inputs[0] == n.inputs[1] for n in blocks if len(n.inputs) == 2)
    activations = {
        (n.attributes["expand_activation"], n.attributes["depthwise_activation"]) for n in blocks
    }
    assert activations == {("relu6", "relu6")}
