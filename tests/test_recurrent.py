"""Recurrent layers on the core: against float64, and bits that depend on numbers alone."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from graph_oracle_recurrent import GATES, recurrent

import dwsep
from dwsep import _core
from dwsep.graph.ir import Node
from dwsep.graph.lowering import core_attributes

FUNCTIONS = {"gate_activation": "sigmoid", "activation": "tanh", "cell_activation": "tanh"}
CELLS = (("plain", {}), ("gru", {}), ("gru", {"reset_after": True}), ("lstm", {}))
DIRECTIONS = ("forward", "reverse", "both")


def layer(cell, direction, features, units, **attributes):
    """Return a node with weights of a size that keeps gates open."""
    rng = np.random.default_rng(units)
    directions, columns = 1 + (direction == "both"), GATES[cell] * units
    shapes = {
        "input_weight": (directions, features, columns),
        "weight": (directions, units, columns),
        "bias": (directions, columns),
        "recurrent_bias": (directions, columns),
    }
    weights = {
        name: (rng.standard_normal(shape) / np.sqrt(shape[1])).astype(np.float32)
        for name, shape in shapes.items()
    }
    return Node(
        "recurrent",
        [],
        "y",
        FUNCTIONS | attributes | {"cell": cell, "direction": direction},
        weights,
    )


def network_of(node, arrays):
    builder = _core.NetworkBuilder()
    numbers = [builder.input(str(i), a.shape, "float32") for i, a in enumerate(arrays)]
    step = builder.step("recurrent", "it", numbers, core_attributes(node), node.weights)
    builder.output("y", step)
    return builder.finish()


def run(node, arrays, threads=1):
    (y,) = network_of(node, arrays).run(arrays, threads)
    return y


def arrays_of(node, steps, batch, states=0):
    rng = np.random.default_rng(steps)
    directions, features, _ = node.weights["input_weight"].shape
    units = node.weights["weight"].shape[1]
    shapes = [(steps, batch, features), *[(directions, batch, units)] * states]
    return [rng.standard_normal(shape).astype(np.float32) for shape in shapes]


@pytest.mark.kernels
@pytest.mark.parametrize(("cell", "more"), CELLS)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_against_float64(cell, more, direction):
    sizes = [(1, 1, 1, 1), (7, 3, 5, 16), (6, 1, 9, 17), (3, 2, 33, 47), (150, 1, 4, 33)]
    for (steps, batch, features, units), given in product(sizes, (0, 1, 2)):
        node = layer(cell, direction, features, units, **more)
        arrays = arrays_of(node, steps, batch, min(given, 2 if cell == "lstm" else 1))
        wanted = recurrent([a.astype(np.float64) for a in arrays], node)
        got = run(node, arrays, 2)
        assert got.shape == wanted.shape
        np.testing.assert_allclose(got, wanted, rtol=0, atol=4e-6)


@pytest.mark.parametrize(
    ("cell", "more"), [*CELLS, ("lstm", {"clip": 0.25}), ("lstm", {"cell_clip": 0.25})]
)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_bits_do_not_depend_on_threads_or_the_batch(cell, more, direction):
    for batch, units in ((1, 20), (1, 200), (3, 200)):
        node = layer(cell, direction, 30, units, **more)
        arrays = arrays_of(node, 5, batch, 1)
        one = run(node, arrays)
        for threads in (2, 3, 4):
            assert np.array_equal(run(node, arrays, threads), one)
        single = run(node, [np.ascontiguousarray(a[:, :1]) for a in arrays])
        assert np.array_equal(single, one[:, :, :1])


@pytest.mark.parametrize(("cell", "more"), CELLS)
def test_steps_one_by_one_are_the_whole(cell, more):
    node = layer(cell, "forward", 10, 40, **more)
    x, *states = arrays_of(node, 6, 2, 2 if cell == "lstm" else 1)
    whole, parts = run(node, [x, *states]), []
    for row in x:
        y = run(node, [row[None], *states])
        parts.append(y[:1])
        states = [y[0], y[1]] if cell == "lstm" else [y[0]]
    assert np.array_equal(np.concatenate(parts), whole[: len(x)])
    if cell == "lstm":
        assert np.array_equal(states[1], whole[len(x)])


def bits():
    """Return a digest of results, the same wherever there are fused multiply-adds."""
    digest = hashlib.sha256()
    for (cell, more), direction, units in product(CELLS, DIRECTIONS, (20, 33, 200)):
        node = layer(cell, direction, 30, units, **more)
        digest.update(run(node, arrays_of(node, 5, 2, 1), 2).tobytes())
    return digest.hexdigest()


@pytest.mark.parametrize("isa", [i for i in dwsep.cpu_info()["isas"] if i != "baseline"])
def test_bits_agree_between_instruction_sets(isa):
    code = "import test_recurrent; print(test_recurrent.bits())"
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent,
        env={**os.environ, "DWSEP_ISA": isa},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    if dwsep.cpu_info()["isa"] != "baseline":
        assert result.stdout.strip() == bits()


def test_saved_for_another_instruction_set(tmp_path):
    """A file has the weights as they were packed."""
    node = layer("gru", "both", 7, 50)
    arrays = arrays_of(node, 4, 1)
    data = network_of(node, arrays).to_bytes()
    (y,) = _core.Network.from_bytes(data).run(arrays, 1)
    assert np.array_equal(y, run(node, arrays))
    for isa in dwsep.cpu_info()["isas"]:
        (tmp_path / "data").write_bytes(data)
        np.savez(tmp_path / "x.npz", *arrays)
        code = (
            "import sys, numpy as np; from dwsep import _core; d = sys.argv[1]; "
            "x = np.load(d + '/x.npz'); data = open(d + '/data', 'rb').read(); "
            "y = _core.Network.from_bytes(data).run([x[k] for k in x], 1)[0]; "
            "np.save(d + '/y.npy', y)"
        )
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            env={**os.environ, "DWSEP_ISA": isa},
            check=True,
            timeout=300,
        )
        np.testing.assert_allclose(np.load(tmp_path / "y.npy"), y, rtol=0, atol=2e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weight": (1, 4, 15)}, r"weight: need \(1, 4, 16\), got \(1, 4, 15\)"),
        ({"input_weight": (2, 3, 16)}, r"input_weight: need \(1, 3, 16\), got \(2, 3, 16\)"),
        ({"bias": (1, 15)}, r"bias: need \(1, 16\), got \(1, 15\)"),
        ({"x": (5, 2, 4)}, r"input: need 3 features, got \(5, 2, 4\)"),
        ({"x": (5, 2)}, r"input: need an array of 3 axes, got \(5, 2\)"),
        ({"x": (0, 2, 3)}, r"input: need one step or more, got \(0, 2, 3\)"),
        ({"state": (1, 3, 4)}, r"input 1: need a state \(1, 2, 4\), got \(1, 3, 4\)"),
        ({"clip": 0.0}, "clip: need a positive number"),
        ({"cell_clip": -1.0}, "cell_clip: need a positive number"),
    ],
)
def test_errors_say_what_was_wanted(change, message):
    node = layer("lstm", "forward", 3, 4)
    shapes = {"x": (5, 2, 3), "state": (1, 2, 4)}
    for name, value in change.items():
        if name in node.weights:
            node.weights[name] = np.ones(value, np.float32)
        elif name in shapes:
            shapes[name] = value
        else:
            node.attributes[name] = value
    with pytest.raises(ValueError, match=message):
        network_of(node, [np.ones(shape, np.float32) for shape in shapes.values()])
