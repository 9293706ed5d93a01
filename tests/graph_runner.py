"""Runs a graph as an importer leaves it, in float64: dwsep's meaning of every node, no kernel."""

from __future__ import annotations

import numpy as np

from dwsep.graph.activations import activate
from dwsep.graph.evaluate import EVALUATED, evaluate
from dwsep.graph.shapes import infer


def run(graph, feeds):
    """Return the outputs for the inputs in `feeds`; every shape is checked on the way."""
    values = {name: np.asarray(c, np.float64) for name, c in graph.constants.items()}
    values |= {name: np.asarray(feeds[name], np.float64) for name in graph.inputs}
    for node in graph.nodes:
        inputs = [values[name] for name in node.inputs]
        if node.kind in EVALUATED:
            y = evaluate(node, inputs)
        else:
            y = {"conv": _conv, "conv_transpose": _conv_transpose}[node.kind](node, inputs[0])
        assert y.dtype == np.float64, node
        shape = graph.shape(node.output)
        batch = dict.fromkeys((i for i, n in enumerate(shape) if n is None))
        assert all(
            n == m or i in batch for i, (n, m) in enumerate(zip(shape, y.shape, strict=True))
        )
        assert infer(node, [graph.types[name] for name in node.inputs]).shape == shape
        values[node.output] = y
    return [values[name] for name in graph.outputs]


def _conv(node, x):
    w = node.weights["weight"].astype(np.float64)
    a = node.attributes
    groups = a["groups"]
    top, bottom, left, right = a["padding"]
    x = np.pad(x, [(0, 0), (0, 0), (top, bottom), (left, right)])
    (sh, sw), (dh, dw) = a["stride"], a["dilation"]
    h = (x.shape[2] - (w.shape[0] - 1) * dh - 1) // sh + 1
    v = (x.shape[3] - (w.shape[1] - 1) * dw - 1) // sw + 1
    x = x.reshape(x.shape[0], groups, -1, *x.shape[2:])
    w = w.reshape(*w.shape[:3], groups, -1)
    y = 0
    for i in range(w.shape[0]):
        for j in range(w.shape[1]):
            part = x[..., i * dh :: sh, j * dw :: sw][..., :h, :v]
            y = y + np.einsum("ngihw,igo->ngohw", part, w[i, j], optimize=True)
    y = y.reshape(y.shape[0], -1, h, v) + node.weights["bias"].reshape(-1, 1, 1)
    return activate(y, a["activation"])


def _conv_transpose(node, x):
    w = node.weights["weight"].astype(np.float64)
    a = node.attributes
    groups = a["groups"]
    top, bottom, left, right = a["padding"]
    (sh, sw), (dh, dw), (eh, ew) = a["stride"], a["dilation"], a["output_padding"]
    n, _, h, v = x.shape
    full = ((h - 1) * sh + (w.shape[0] - 1) * dh + 1, (v - 1) * sw + (w.shape[1] - 1) * dw + 1)
    y = np.zeros((n, groups, w.shape[3], full[0] + eh, full[1] + ew))
    x = x.reshape(n, groups, -1, h, v)
    w = w.reshape(*w.shape[:2], groups, -1, w.shape[3])
    for i in range(w.shape[0]):
        for j in range(w.shape[1]):
            term = np.einsum("ngihw,gio->ngohw", x, w[i, j], optimize=True)
            y[..., i * dh :, j * dw :][..., : (h - 1) * sh + 1 : sh, : (v - 1) * sw + 1 : sw] += (
                term
            )
    y = y.reshape(n, -1, *y.shape[3:])[:, :, top : y.shape[3] - bottom, left : y.shape[4] - right]
    return activate(y + node.weights["bias"].reshape(-1, 1, 1), a["activation"])
