"""What is wrong with a node of a graph: what every test of graphs asks before it computes."""

from __future__ import annotations

import numpy as np

from dwsep._checks import activation
from dwsep.graph.ops import OPS, attributes

_COUNTS = {"pair": 2, "sides": 4, "float_pair": 2}
_INDICES, _STOPS = attributes.Indices().lowered, attributes.Stops().lowered


def problems(node):
    """Return what is wrong with a node's attributes, weights and number of inputs."""
    spec = OPS[node.kind]
    found = [f"no attribute {name!r}" for name in node.attributes if name not in spec.attributes]
    for name, type_ in spec.attributes.items():
        value = node.attributes.get(name)
        if value is None and type_.required and name not in node.attributes:
            found.append(f"{name} is missing")
        elif value is not None and not _fits(type_, value):
            found.append(f"{name}: need {type_.core}, got {value!r}")
    found += [f"no weights {name!r}" for name in node.weights if name not in spec.weights]
    for name, weights in spec.weights.items():
        array = node.weights.get(name)
        if array is None and weights.required:
            found.append(f"weights {name} are missing")
        elif array is not None and array.ndim != len(weights.axes):
            found.append(f"{name}: need {weights.axes}, got {array.shape}")
    least, most = spec.input_counts
    if len(node.inputs) < least or (most != -1 and len(node.inputs) > most):
        found.append(f"{len(node.inputs)} inputs, need {' '.join(spec.inputs)}")
    return found


def _fits(type_, value):
    """Return whether a node may hold this value."""
    if type_.lowered is _INDICES:
        return isinstance(value, np.ndarray) and value.dtype.kind in "iu"
    if type_.core == "activation":
        return _is_activation(value)
    if type_.core == "choice":
        return value in type_.choices
    if type_.core == "flag":
        return isinstance(value, (bool, np.bool_))
    one = _is_number if "float" in type_.core else _is_int
    if type_.core in ("int", "float"):
        return one(value)
    if not isinstance(value, (tuple, list)):
        return False
    free = type_.lowered is _STOPS
    right = len(value) == _COUNTS.get(type_.core, len(value))
    return right and all(one(v) or (free and v is None) for v in value)


def _is_int(value):
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _is_number(value):
    return isinstance(value, (int, float, np.floating, np.integer))


def _is_activation(value):
    try:
        activation(value)
    except (TypeError, ValueError):
        return False
    return True
