"""LSTM layers that are one operator, as the converter writes those of Keras 2."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...errors import InvalidModelError
from ..importing.moving import sliced
from ..importing.values import Unsupported, Value, shape_of
from ..ir import Array
from ..replaced import replaced
from .call import Call, operator
from .parts import File

TYPE = "UNIDIRECTIONAL_SEQUENCE_LSTM"
_STATES = (18, 19)
_ORDER = (0, 3, 1, 2)  # the core's gates (input, output, forget, cell) among TFLite's
_ABSENT = {
    **dict.fromkeys((9, 10, 11), "peepholes"),
    **dict.fromkeys((16, 17), "a projection"),
    **dict.fromkeys((20, 21, 22, 23), "normalized gates"),
}


def without_kept_states(file: File) -> File:
    """Return a file whose layers begin with zeros: a call is no continuation of the last one."""
    nodes = [
        replaced(node, inputs=["" if i in _STATES else name for i, name in enumerate(node.inputs)])
        if node.type == TYPE
        else node
        for node in file.nodes
    ]
    return replaced(file, nodes=nodes)


@operator(TYPE)
def sequence_lstm(call: Call) -> Value:
    """Import a layer over the second axis of (batch, steps, features), or the first."""
    build, x = call.builder, call.operand(0)
    for index, what in _ABSENT.items():
        if call.has(index):
            raise Unsupported(f"it has {what}")
    if not call.has(1):
        raise Unsupported("its gates of input and forgetting are coupled")
    most = call.option("cell_clip", 0.0)
    if not 0 <= most < math.inf:
        raise InvalidModelError(f"cell_clip: need a finite number of at least 0, got {most}")
    if call.option("activation", 0) != 4:
        raise Unsupported(f"its activation {call.option('activation', 0)} is not tanh")
    if len(shape_of(x)) != 3:
        raise InvalidModelError(f"need three axes, got {shape_of(x)}")
    time_major = call.option("time_major", False)
    x = x if time_major else build.transpose(x, (1, 0, 2))
    weights = {
        "input_weight": _joined(call, 1),
        "weight": _joined(call, 5),
        "bias": np.concatenate([call.weight(12 + i, "bias").reshape(-1) for i in _ORDER])[None],
    }
    attributes: dict[str, Any] = {
        "gate_activation": "sigmoid",
        "activation": "tanh",
        "cell_activation": "tanh",
    }
    if most:
        attributes["cell_clip"] = most
    y = build.emit("recurrent", [x], weights, cell="lstm", direction="forward", **attributes)
    steps, batch, _ = shape_of(x)
    states = sliced(build, y, {0: (0, steps, 1)})
    states = build.reshape(
        states, (steps or 0, -1 if batch is None else batch, shape_of(y)[3] or 0)
    )
    return states if time_major else build.transpose(states, (1, 0, 2))


def _joined(call: Call, first: int) -> Array:
    """Return the matrices of all gates side by side, each (units, rows) in the file."""
    parts = [call.weight(first + i, "weights") for i in _ORDER]
    if len({part.shape for part in parts}) != 1 or parts[0].ndim != 2:
        raise InvalidModelError("its gates have weights of different shapes")
    return np.ascontiguousarray(np.concatenate([part.T for part in parts], axis=1)[None])
