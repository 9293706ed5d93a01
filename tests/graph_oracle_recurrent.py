"""Recurrent layers in float64, step by step from their definitions in ONNX."""

from __future__ import annotations

import numpy as np
import oracle

GATES = {"plain": 1, "gru": 3, "lstm": 4}


def one_direction(x, weights, state, cells, attributes):
    """Return the states of all steps, and the cells behind the last."""
    w, r, b = weights["input_weight"], weights["weight"], weights["bias"]
    after_bias = weights["recurrent_bias"]
    units = r.shape[0]
    clip, most = (attributes.get(name) or np.inf for name in ("clip", "cell_clip"))

    def activation(name):
        function = oracle.activation(attributes.get(name)).value
        return lambda v: function(np.clip(v, -clip, clip))

    gate, new = activation("gate_activation"), activation("activation")
    outer = oracle.activation(attributes.get("cell_activation")).value
    states = []
    for row in x:
        of_input, of_state = row @ w + b, state @ r + after_bias
        parts = [slice(k * units, (k + 1) * units) for k in range(GATES[attributes["cell"]])]
        if attributes["cell"] == "plain":
            state = new(of_input + of_state)
        elif attributes["cell"] == "lstm":
            i, o, f = (gate(of_input[:, p] + of_state[:, p]) for p in parts[:3])
            cells = f * cells + i * new(of_input[:, parts[3]] + of_state[:, parts[3]])
            cells = np.clip(cells, -most, most)
            state = o * outer(cells)
        else:
            z, reset = (gate(of_input[:, p] + of_state[:, p]) for p in parts[:2])
            n = parts[2]
            if attributes.get("reset_after"):
                last = reset * of_state[:, n]
            else:
                last = (reset * state) @ r[:, n] + after_bias[n]
            state = (1 - z) * new(of_input[:, n] + last) + z * state
        states.append(state)
    return np.stack(states), cells


def recurrent(inputs, node):
    """Return what a node of this kind computes."""
    x, attributes = inputs[0], node.attributes
    directions, units, columns = node.weights["weight"].shape
    zeros = np.zeros((directions, x.shape[1], units))
    state, cells = (inputs[i] if len(inputs) > i else zeros for i in (1, 2))
    names = ("input_weight", "weight", "bias", "recurrent_bias")
    none = np.zeros((directions, columns))
    given = [node.weights.get(name) for name in names]
    given = [none if w is None else w.astype(np.float64) for w in given]
    results, last = [], []
    for d in range(directions):
        weights = {name: w[d] for name, w in zip(names, given, strict=True)}
        order = -1 if d == 1 or attributes["direction"] == "reverse" else 1
        y, c = one_direction(x[::order], weights, state[d], cells[d], attributes)
        results.append(y[::order])
        last.append(c)
    y = np.stack(results, axis=1)
    return np.concatenate([y, [np.stack(last)]]) if attributes["cell"] == "lstm" else y
