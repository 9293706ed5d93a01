"""Runs a graph as an importer leaves it, in float64 by the oracle's definitions: no kernel."""

from __future__ import annotations

import graph_oracle
import numpy as np
from node_checks import problems

from dwsep.graph.ops import infer


def run(graph, feeds):
    """Return the outputs for the inputs in `feeds`; every node is checked on the way."""
    for node in graph.nodes:
        assert not problems(node), node
        types = [graph.types[name] for name in node.inputs]
        assert infer(node, types, channels_last=graph.channels_last) == graph.types[node.output]
    feeds = {name: np.asarray(feeds[name], np.float64) for name in graph.inputs}
    values = graph_oracle.evaluate(graph, feeds)
    return [values[name] for name in graph.outputs]
