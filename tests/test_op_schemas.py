"""Python and the core declare the same of every kind of node, and the core checks it."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
from node_checks import problems

from dwsep import _core
from dwsep.graph.ir import Node
from dwsep.graph.ops import OPS

TOOL = runpy.run_path(str(Path(__file__).parent.parent / "tools" / "operator_table.py"))
CORE = _core.op_schemas()
KINDS = [kind for kind, spec in OPS.whole().items() if spec.core]


def test_kinds():
    assert sorted(CORE) == sorted(KINDS)
    assert all(spec.core or spec.computed_as in ("", *CORE) for spec in OPS.whole().values())


@pytest.mark.parametrize("kind", KINDS)
def test_schemas_are_equal(kind):
    spec = OPS[kind]
    assert CORE[kind]["inputs"] == spec.input_counts
    declared = [
        entry for name, type_ in spec.attributes.items() for entry in TOOL["schema"](name, type_)
    ]
    assert sorted(CORE[kind]["attributes"]) == sorted(declared)
    weights = [(name, len(w.axes), w.required) for name, w in spec.weights.items()]
    assert sorted(CORE[kind]["weights"]) == sorted(weights)


VALUES = {
    "flag": [0],
    "int": [1],
    "pair": [1, 1],
    "sides": [0, 0, 0, 0],
    "ints": [0],
    "float": [1.0],
    "float_pair": [1.0, 1.0],
    "floats": [1.0],
    "activation": "tanh",
    "values": [0] * 256,
}


def attributes_of(kind):
    """Return a value for every attribute that the core declares.

    Of integers there is no activation: behind one that is no clip there can be no table.
    """
    return {
        name: FUNCTIONS.get(kind, choices[0])
        if name == "function"
        else choices[0]
        if type_ == "choice"
        else VALUES.get(name) or VALUES[type_]
        for name, type_, _, choices in CORE[kind]["attributes"]
        if type_ != "activation" or not of_integers(kind)
    }


FUNCTIONS = {"pool": "average", "reduce": "mean"}  # those that integers have
INPUT_TYPES = {  # of kinds that take no float32
    "dequantize": ["int8"],
    "reinterpret": ["int8"],
    "where": ["bool", "float32", "float32"],
    "integers": ["int32", "int32"],
    "gather_elements": ["float32", "int64"],
    "take": ["float32", "int64"],
    "scatter": ["float32", "int64", "float32"],
}


INTEGER_WEIGHTS = {"weight": np.int8, "weight_zero_point": np.int32, "table": np.int8}


def of_integers(kind):
    """Return whether the core computes a kind with integers that stand for real numbers, too."""
    return kind not in INPUT_TYPES and bool(OPS[kind].integer)


def weights_of(kind):
    """All weights have one channel."""
    weights = {name: np.ones((1,) * rank, np.float32) for name, rank, _ in CORE[kind]["weights"]}
    if of_integers(kind):
        weights = {k: w.astype(INTEGER_WEIGHTS.get(k, w.dtype)) for k, w in weights.items()}
        weights.pop("slope", None)  # of integers a table takes its place
    return {k: np.repeat(w, 256) if k == "table" else w for k, w in weights.items()}


def together(kind, name):
    """Return what may be absent only together."""
    table = {"tabled_scale", "tabled_zero_point", "table"}
    output = {"to", "scale", "zero_point", "axis", *table}
    group = next((g for g in (table, output) if name in g), {name})
    return group if of_integers(kind) and name != "axis" else {name}


def step(kind, attributes, weights):
    builder = _core.NetworkBuilder()
    most = max(CORE[kind]["inputs"])
    default = "int8" if of_integers(kind) else "float32"
    types = INPUT_TYPES.get(kind, [default] * (most if most > 0 else 2))
    scales = ([0.5], [0], -1) if of_integers(kind) else None
    inputs = [builder.input(str(i), [1] * 4, type_, scales) for i, type_ in enumerate(types)]
    return builder.step(kind, "node", inputs, attributes, weights)


@pytest.mark.parametrize("activation", ["relu7", ("clip", 1.0, 0.0), ("leaky_relu", np.nan), 3])
def test_only_activations_are_activations(activation):
    node = Node("activation", ["x"], "y", {"activation": activation})
    (problem,) = problems(node)
    assert problem.startswith("activation: need activation, got ")


@pytest.mark.parametrize("kind", KINDS)
def test_the_core_reads_all_that_it_declares(kind):
    attributes = attributes_of(kind)
    if kind == "slice":
        attributes["steps"] = [1]
    if kind == "gather":
        attributes["indices_shape"] = [1]
    if kind == "quantize":
        attributes["zero_point"] = attributes["least"] = [0]
    step(kind, attributes, weights_of(kind))
    required = {name for name, _, needed, _ in CORE[kind]["attributes"] if needed}
    for name in attributes:
        gone = together(kind, name) - required | {name}
        rest = {key: value for key, value in attributes.items() if key not in gone}
        weights = {key: value for key, value in weights_of(kind).items() if key not in gone}
        if name in required:
            with pytest.raises(ValueError, match=f"{name}: need a value"):
                step(kind, rest, weights)
        else:
            step(kind, rest, weights)
    for name, _, needed in CORE[kind]["weights"]:
        rest = {key: value for key, value in weights_of(kind).items() if key != name}
        if needed:
            with pytest.raises(ValueError, match=f"{name}: need a value"):
                step(kind, attributes, rest)


@pytest.mark.parametrize("kind", KINDS)
def test_the_core_refuses_what_it_does_not_declare(kind):
    attributes = attributes_of(kind)
    if kind == "slice":
        attributes["steps"] = [1]
    for name in ("another", "activation_hi", "weight"):
        with pytest.raises(ValueError, match=name):
            step(kind, {**attributes, name: [1]}, weights_of(kind))
    with pytest.raises(ValueError, match="another"):
        step(kind, attributes, {**weights_of(kind), "another": np.ones(1, np.float32)})


def test_the_table_of_the_file_format_is_that_of_the_specs():
    """Otherwise: python tools/operator_table.py."""
    page = TOOL["PAGE"].read_text(encoding="utf-8")
    assert page == TOOL["with_table"](page)
