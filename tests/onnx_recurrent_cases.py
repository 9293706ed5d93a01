"""Cases of recurrent layers for `onnx_cases`."""

from __future__ import annotations

import numpy as np
from onnx_case import Case, f

OPSETS = (7, 14, 21)
COUNTS = {"RNN": (1, 2), "GRU": (3, 2), "LSTM": (4, 3)}  # gates and outputs


def recurrent_cases():
    """Yield cases; their weights are drawn on the way."""

    def layer(op, steps, batch, features, units, *more, bias=True, **attributes):
        gates, outputs = COUNTS[op]
        directions = 2 if attributes.get("direction") == "bidirectional" else 1
        columns = gates * units
        w, r = f(directions, columns, features), f(directions, columns, units) / 4
        b = f(directions, 2 * columns) if bias else None
        x = (steps, batch, features)
        given = [x, w, r, b, *more]
        attributes["hidden_size"] = units
        opsets = OPSETS[1:] if "layout" in attributes else OPSETS
        return Case(op, given, attributes, opsets, outputs=outputs, open_batch=False)

    def lengths(*numbers):
        return np.array(numbers, np.int32)

    for op in COUNTS:
        for direction in ("forward", "reverse", "bidirectional"):
            yield layer(op, 5, 2, 3, 4, direction=direction)
        directions = 2
        state = (directions, 3, 20)
        states = [state, state] if op == "LSTM" else [state]
        yield layer(op, 4, 3, 33, 20, None, *states, direction="bidirectional")
        yield layer(op, 5, 1, 7, 33, bias=False)
        yield layer(op, 5, 2, 3, 4, lengths(3, 3), direction="bidirectional")
        yield layer(op, 5, 3, 3, 4, lengths(3, 5, 1), direction="bidirectional")
        yield layer(op, 3, 140, 3, 4)
        yield layer(op, 140, 1, 3, 4, direction="reverse")
        yield layer(op, 5, 2, 3, 4, clip=0.5)
    yield layer("GRU", 5, 2, 3, 4, linear_before_reset=1, direction="bidirectional")
    yield layer("GRU", 5, 2, 3, 40, None, (1, 2, 40), linear_before_reset=1)
    yield layer("GRU", 5, 2, 3, 4, linear_before_reset=1, clip=0.5)
    yield layer("LSTM", 5, 2, 3, 4, lengths(4, 5), (1, 2, 4), (1, 2, 4))
    yield layer("LSTM", 5, 2, 3, 4, None, None, (1, 2, 4))
    yield layer("RNN", 5, 2, 3, 4, activations=["Relu"])
    yield layer(
        "RNN", 5, 2, 3, 4, activations=["Affine"], activation_alpha=[0.5], activation_beta=[1.0]
    )
    yield layer(
        "GRU", 5, 2, 3, 4, activations=["HardSigmoid", "LeakyRelu"], activation_alpha=[0.3, 0.1]
    )
    yield layer(
        "LSTM",
        5,
        2,
        3,
        4,
        activations=["HardSigmoid", "ScaledTanh", "Tanh"],
        activation_alpha=[0.3, 1.0],
        activation_beta=[0.4, 0.5],
    )
