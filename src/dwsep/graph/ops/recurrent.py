"""Recurrent layers, whose time loop the core runs."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ShapeError
from ..ir import Node
from ..sizes import Shape, known_product, shown
from . import OpSpec, Weights, register
from .attributes import OPTIONAL_ACTIVATION, Flag, Float, choice

GATES = {"plain": 1, "gru": 3, "lstm": 4}


def _recurrent(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    x, states = inputs[0], inputs[1:]
    cell = node.attributes["cell"]
    directions = 2 if node.attributes["direction"] == "both" else 1
    units = node.weights["weight"].shape[1]
    columns = GATES[cell] * units
    if len(x) != 3 or x[0] is None or x[0] < 1:
        raise ShapeError(f"need (steps, batch, features) with steps known, got {shown(x)}")
    _check(node, "weight", (directions, units, columns))
    _check(node, "input_weight", (directions, x[2] or 0, columns))
    for name in ("bias", "recurrent_bias"):
        if node.weights.get(name) is not None:
            _check(node, name, (directions, columns))
    if len(states) > 1 and cell != "lstm":
        raise ShapeError(f"{cell} has one state, got {len(states)}")
    for state in states:
        if state != (directions, x[1], units):
            wanted = shown((directions, x[1], units))
            raise ShapeError(f"need a state of shape {wanted}, got {shown(state)}")
    return (x[0] + (cell == "lstm"), directions, x[1], units)


def _check(node: Node, name: str, wanted: tuple[int, ...]) -> None:
    if node.weights[name].shape != wanted:
        raise ShapeError(f"{name}: need {wanted}, got {node.weights[name].shape}")


def _cost(node: Node, inputs: Sequence[Shape]) -> int:
    rows = known_product(inputs[0][:2])
    return rows * (node.weights["weight"].size + node.weights["input_weight"].size)


_DIRECTIONAL = ("directions", "gates * units")

register(
    OpSpec(
        "recurrent",
        "a recurrent layer along the first axis, as ONNX defines RNN, GRU and LSTM and with their "
        "order of gates: the states (steps, directions, batch, units); behind the last step of an "
        "LSTM the cells",
        _recurrent,
        inputs=("x", "[state]", "[cells]"),
        attributes={
            "cell": choice(*GATES),
            "direction": choice("forward", "reverse", "both"),
            "gate_activation": OPTIONAL_ACTIVATION,
            "activation": OPTIONAL_ACTIVATION,
            "cell_activation": OPTIONAL_ACTIVATION,
            "reset_after": Flag(required=False),
            "clip": Float(required=False),
            "cell_clip": Float(required=False),
        },
        weights={
            "input_weight": Weights(("directions", "features", "gates * units")),
            "weight": Weights(("directions", "units", "gates * units")),
            "bias": Weights(_DIRECTIONAL, required=False),
            "recurrent_bias": Weights(_DIRECTIONAL, required=False),
        },
        folds=True,
        cost=_cost,
    ),
)
