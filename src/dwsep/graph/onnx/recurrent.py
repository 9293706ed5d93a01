"""Recurrent layers: RNN, GRU and LSTM."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...errors import InvalidModelError
from ..importing.builder import Builder
from ..importing.moving import sliced
from ..importing.values import Known, Unsupported, Value, shape_of
from ..ir import Array
from ..ops.recurrent import GATES
from .call import Call
from .registry import operator

_CELLS = {"RNN": "plain", "GRU": "gru", "LSTM": "lstm"}
_DIRECTIONS = {"forward": "forward", "reverse": "reverse", "bidirectional": "both"}
# Of each cell, which activation each gate has.
_GATES = {"plain": [0], "gru": [0, 0, 1], "lstm": [0, 0, 0, 1]}
_DEFAULTS = {"plain": ["Tanh"], "gru": ["Sigmoid", "Tanh"], "lstm": ["Sigmoid", "Tanh", "Tanh"]}
# What their parameters are where none are given; None where ONNX does not say.
_ALPHA = {"affine": None, "leakyrelu": 0.01, "scaledtanh": None, "hardsigmoid": 0.2}
_BETA = {"affine": None, "scaledtanh": None, "hardsigmoid": 0.5}


class _Function(NamedTuple):
    """An activation of what is scaled and shifted first."""

    activation: Any
    scale: float = 1.0
    shift: float = 0.0

    @property
    def scales(self) -> bool:
        return (self.scale, self.shift) != (1, 0)


class _Layer(NamedTuple):
    """Attributes and weights of the nodes that a layer becomes."""

    cell: str
    direction: str
    weights: dict[str, Array]
    attributes: dict[str, Any]

    @property
    def directions(self) -> int:
        return 2 if self.direction == "both" else 1

    def run(self, build: Builder, x: Value, states: list[Value]) -> list[Value]:
        """Add the layer: states of all steps, the last state, and the cells behind it."""
        weights = dict(self.weights)
        attributes = dict(self.attributes, cell=self.cell, direction=self.direction)
        y = build.emit("recurrent", [x, *states], weights, **attributes)
        steps, units = shape_of(x)[0] or 0, shape_of(y)[3] or 0

        def state(step: int, direction: int, count: int = 1) -> Value:
            part = sliced(build, y, {0: (step, step + 1, 1), 1: (direction, direction + count, 1)})
            batch = shape_of(x)[1]
            return build.reshape(part, (count, -1 if batch is None else batch, units))

        last = state(0 if self.direction == "reverse" else steps - 1, 0)
        if self.direction == "both":
            last = build.emit("concat", [last, state(0, 1)], axis=0)
        if self.cell != "lstm":
            return [y, last]
        return [sliced(build, y, {0: (0, steps, 1)}), last, state(steps, 0, self.directions)]


@operator("RNN", "GRU", "LSTM")
def recurrent(call: Call) -> list[Value | None]:
    """Import a layer; what its activations scale is scaled by the weights."""
    build, layer = call.builder, _layer(call)
    batch_first = call.flag("layout", False)
    if len(call.shape()) != 3:
        raise InvalidModelError(f"need (steps, batch, features), got {call.shape()}")
    x = build.transpose(call.value(0), (1, 0, 2)) if batch_first else call.value(0)
    states = _states(call, layer, shape_of(x)[1], batch_first)
    results = _with_lengths(call, layer, x, states)
    if batch_first:
        orders = [(2, 0, 1, 3), (1, 0, 2), (1, 0, 2)]
        results = [
            build.transpose(y, order)
            for y, order in zip(results, orders[: len(results)], strict=True)
        ]
    named = zip(call.outputs, results, strict=False)
    return [value if name else None for name, value in named]


def _layer(call: Call) -> _Layer:
    cell = _CELLS[call.type]
    direction = call.attribute("direction", "forward")
    if direction not in _DIRECTIONS:
        raise InvalidModelError(
            f"direction: need one of {', '.join(_DIRECTIONS)}, got {direction!r}"
        )
    if call.flag("input_forget", False):
        raise Unsupported("its gates of input and forgetting are coupled")
    if call.has(7) and np.any(call.weight(7, "peepholes")):
        raise Unsupported("it has peepholes")
    functions = _functions(call, cell, 2 if direction == "bidirectional" else 1)
    attributes: dict[str, Any] = {"activation": functions[-1 if cell == "plain" else 1].activation}
    if cell != "plain":
        attributes["gate_activation"] = functions[0].activation
    if cell == "lstm":
        attributes["cell_activation"] = functions[2].activation
        if functions[2].scales:
            raise Unsupported("the activation of its cells scales them")
    if cell == "gru":
        attributes["reset_after"] = call.flag("linear_before_reset", False)
    if "clip" in call.attributes:
        attributes["clip"] = call.number("clip", 0.0)
        if not attributes["clip"] > 0:
            raise InvalidModelError(f"clip: need a positive number, got {attributes['clip']}")
        if any(f.scales for f in functions):
            raise Unsupported("it clips what its activations scale")
    after = bool(attributes.get("reset_after"))
    weights = _weights(call, cell, _DIRECTIONS[direction], after)
    _scale(weights, [functions[i] for i in _GATES[cell]])
    return _Layer(cell, _DIRECTIONS[direction], weights, attributes)


def _functions(call: Call, cell: str, directions: int) -> list[_Function]:
    """Return the activations of a direction; both have the same."""
    names = call.attribute("activations", _DEFAULTS[cell] * directions)
    alphas = list(call.attribute("activation_alpha", []))
    betas = list(call.attribute("activation_beta", []))
    if len(names) != len(_DEFAULTS[cell]) * directions:
        raise InvalidModelError(f"activations: {len(names)} for {directions} directions")
    functions = []
    for name in names:
        name = name.lower()
        alpha = alphas.pop(0) if name in _ALPHA and alphas else _ALPHA.get(name, 0.0)
        beta = betas.pop(0) if name in _BETA and betas else _BETA.get(name, 0.0)
        if alpha is None or beta is None:
            raise InvalidModelError(f"activations: {name!r} has no alpha or no beta")
        functions.append(_function(name, float(alpha), float(beta)))
    first = functions[: len(_DEFAULTS[cell])]
    if functions != first * directions:
        raise Unsupported("its directions have different activations")
    return first


def _function(name: str, alpha: float, beta: float) -> _Function:
    if not np.isfinite([alpha, beta]).all():
        raise InvalidModelError(f"activations: need finite numbers, got {alpha} and {beta}")
    if name in ("tanh", "sigmoid", "relu"):
        return _Function(name)
    if name == "hardsigmoid":
        return _Function(("clip", 0.0, 1.0), alpha, beta)
    if name == "affine":
        return _Function(None, alpha, beta)
    if name == "leakyrelu":
        return _Function(("leaky_relu", alpha))
    if name == "scaledtanh" and alpha == 1:
        return _Function("tanh", beta)
    raise Unsupported(f"its activation {name!r} is not supported")


def _weights(call: Call, cell: str, direction: str, reset_after: bool) -> dict[str, Array]:
    """Return the weights as nodes have them: (directions, rows, gates * units)."""
    directions = 2 if direction == "both" else 1
    w, r = call.weight(1, "weights"), call.weight(2, "weights")
    units = r.shape[-1] if r.ndim else 0
    columns = GATES[cell] * units
    if w.ndim != 3 or r.shape != (directions, columns, units) or w.shape[:2] != r.shape[:2]:
        raise InvalidModelError(f"weights of shape {w.shape} and {r.shape} do not fit together")
    if call.attribute("hidden_size", units) != units:
        raise InvalidModelError(f"hidden_size: need {units}, as the weights have")
    weights = {
        "input_weight": np.ascontiguousarray(w.transpose(0, 2, 1)),
        "weight": np.ascontiguousarray(r.transpose(0, 2, 1)),
        "bias": np.zeros((directions, columns), np.float32),
    }
    if call.has(3):
        both = call.weight(3, "bias")
        if both.shape != (directions, 2 * columns):
            raise InvalidModelError(f"bias: need {(directions, 2 * columns)}, got {both.shape}")
        of_input, of_state = both[:, :columns].copy(), both[:, columns:].copy()
        if reset_after:
            kept = of_state.copy()
            kept[:, : 2 * units] = 0
            of_state -= kept
            weights["recurrent_bias"] = kept
        weights["bias"] = of_input + of_state
    return weights


def _scale(weights: dict[str, Array], functions: list[_Function]) -> None:
    if not any(f.scales for f in functions):
        return
    units = weights["weight"].shape[1]
    scale = np.repeat([np.float32(f.scale) for f in functions], units)
    for name in weights:
        weights[name] = weights[name] * scale
    weights["bias"] = weights["bias"] + np.repeat([np.float32(f.shift) for f in functions], units)


def _states(call: Call, layer: _Layer, batch: int | None, batch_first: bool) -> list[Value]:
    """Return the initial states: none, the state, or the state and the cells."""
    build, given = call.builder, [i for i in (5, 6) if call.has(i)]
    states: list[Value] = []
    for index in range(5, max(given, default=4) + 1):
        if call.has(index):
            state = call.value(index)
            states.append(build.transpose(state, (1, 0, 2)) if batch_first else state)
            continue
        if batch is None:
            raise Unsupported("it has cells but no state, and a batch of unknown size")
        shape = (layer.directions, batch, layer.weights["weight"].shape[1])
        states.append(Known(np.zeros(shape, np.float32)))
    return states


def _with_lengths(call: Call, layer: _Layer, x: Value, states: list[Value]) -> list[Value]:
    """Add the layer, for each image by itself where sequences have different lengths."""
    build = call.builder
    steps, batch, _ = shape_of(x)
    if steps is None:
        raise Unsupported("it steps along the batch, whose size is unknown")
    lengths = call.ints(4, "sequence_lens") if call.has(4) else []
    if not all(1 <= n <= steps for n in lengths):
        raise Unsupported(f"sequence_lens: need from 1 to {steps}, got {lengths}")
    if len(set(lengths)) <= 1:
        return _padded(build, layer, x, states, lengths[0] if lengths else steps)
    if len(lengths) != batch:
        raise Unsupported(f"sequence_lens: {len(lengths)} lengths for {batch} sequences")
    parts = []
    for i, n in enumerate(lengths):
        one = [sliced(build, value, {1: (i, i + 1, 1)}) for value in (x, *states)]
        parts.append(_padded(build, layer, one[0], one[1:], n))
    axes = (2, 1, 1)
    return [
        build.emit("concat", list(values), axis=axes[k])
        for k, values in enumerate(zip(*parts, strict=True))
    ]


def _padded(
    build: Builder, layer: _Layer, x: Value, states: list[Value], length: int
) -> list[Value]:
    """Add the layer over the first steps; behind them its states are zeros."""
    steps = shape_of(x)[0] or 0
    y, *last = layer.run(build, sliced(build, x, {0: (0, length, 1)}), states)
    if length < steps:
        after = (steps - length, 0, 0, 0)
        y = build.emit("pad", [y], mode="constant", value=0.0, before=(0, 0, 0, 0), after=after)
    return [y, *last]
