"""What is known is computed, what is idle goes, what is equal is computed once."""

from __future__ import annotations

import numpy as np
import pytest
from graph_builder import Net, kinds, rewritten

from dwsep.graph.passes import constants, optimize


def test_what_is_known_is_computed():
    net = Net()
    x = net.input(None, 3, 4, 4)
    c = net.binary("add", net.constant(np.ones((3, 1, 1))), 2.0)
    c = net.reshape(net.unary("sqrt", c), 1, 3, 1, 1)
    graph = rewritten(net.finish(net.binary("mul", x, c)), constants.run)
    assert kinds(graph) == ["binary"]
    (value,) = graph.constants.values()
    np.testing.assert_allclose(value, np.full((1, 3, 1, 1), np.sqrt(3)), rtol=1e-6)


@pytest.mark.parametrize(("rows", "folds"), [(1024, True), (1025, False)])
def test_constants_grow_to_four_megabytes(rows, folds):
    net = Net()
    x = net.input(rows, 1024)
    big = net.add("expand", net.constant([[1.0]]), shape=(rows, 1024))
    graph = net.finish(net.binary("mul", x, net.binary("add", big, 1.0)))
    constants.run(graph)
    assert ("expand" in kinds(graph)) == (not folds)
    assert (rows, 1024) in {a.shape for a in graph.constants.values()} or not folds


def test_identities_go_and_outputs_keep_their_names():
    net = Net()
    x = net.input(None, 3)
    y = net.add("identity", net.act(net.reshape(x, 0, 3), "relu"))
    z = net.binary("mul", net.binary("add", x, 0.0), 1.0)
    graph = net.finish(y, z, net.add("identity", y))
    graph = rewritten(graph, constants.run)
    assert kinds(graph) == ["activation", "identity", "identity"]
    assert graph.nodes[1].inputs == ["x0"]


@pytest.mark.parametrize("axis", [1, 2])
def test_a_slice_backwards_is_no_identity(axis):
    net = Net()
    steps = tuple(-1 if i == axis else 1 for i in range(3))
    x = net.input(None, 3, 4)
    y = net.add(
        "slice", x, starts=tuple(s and min(s, 0) for s in steps), stops=(None,) * 3, steps=steps
    )
    rewritten(net.finish(net.act(y, "tanh")), constants.run, changes=False)


@pytest.mark.parametrize(
    ("kind", "attributes"),
    [
        ("activation", {"activation": None}),
        ("reshape", {"shape": (0, 3, 4, 4)}),
        ("expand", {"shape": (0, 0, 4, 4)}),
        (
            "pool",
            {
                "function": "max",
                "kernel": (1, 1),
                "stride": (1, 1),
                "dilation": (1, 1),
                "padding": (0,) * 4,
                "include_padding": False,
            },
        ),
        ("concat", {"axis": 1}),
        ("slice", {"starts": (0, 0, -9, 0), "stops": (None, 3, 9, None), "steps": (1,) * 4}),
        ("pad", {"mode": "edge", "before": (0,) * 4, "after": (0,) * 4, "value": 0.0}),
        ("transpose", {"perm": (0, 1, 2, 3)}),
        ("zero_insert", {"stride": (1, 1)}),
    ],
)
def test_what_changes_nothing_goes(kind, attributes):
    net = Net()
    y = net.add(kind, net.input(None, 3, 4, 4), **attributes)
    graph = rewritten(net.finish(net.act(y, "tanh")), constants.run)
    assert kinds(graph) == ["activation"]


@pytest.mark.parametrize(
    ("kind", "attributes"),
    [
        ("activation", {"activation": "relu"}),
        ("reshape", {"shape": (0, 4, 3, 4)}),
        ("transpose", {"perm": (0, 1, 3, 2)}),
        ("pad", {"mode": "edge", "before": (0, 0, 0, 1), "after": (0,) * 4, "value": 0.0}),
        ("pad", {"mode": "edge", "before": (0,) * 4, "after": (0, 0, 1, 0), "value": 0.0}),
        ("zero_insert", {"stride": (1, 2)}),
        ("slice", {"starts": (0, 0, 1, 0), "stops": (None,) * 4, "steps": (1,) * 4}),
    ],
)
def test_what_changes_something_stays(kind, attributes):
    net = Net()
    y = net.add(kind, net.input(None, 3, 4, 4), **attributes)
    rewritten(net.finish(net.act(y, "tanh")), constants.run, changes=False)


def test_an_output_that_is_known_stays_an_identity():
    net = Net()
    net.input(None, 3)
    y = net.unary("exp", net.constant([1.0, 2.0]))
    graph = rewritten(net.finish(y), constants.run)
    assert kinds(graph) == ["identity"]
    assert graph.nodes[0].inputs[0] in graph.constants


def test_an_output_that_is_a_constant_is_an_identity_too():
    net = Net()
    x = net.input(None, 3)
    known = net.constant([1.0, 2.0])
    graph = rewritten(net.finish(known, x, net.unary("exp", x)), constants.run)
    assert kinds(graph) == ["unary", "identity"]


def test_equal_nodes_are_computed_once_and_dead_ones_never():
    net = Net()
    x = net.input(None, 3)
    a, b = net.act(x, "tanh"), net.act(x, "tanh")
    net.unary("exp", x)
    graph = rewritten(net.finish(net.binary("add", a, b)), constants.run)
    assert kinds(graph) == ["activation", "binary"]


def test_zeros_of_both_signs_are_not_equal():
    net = Net()
    x = net.input(2, 3, 4, 5)
    sides = {"mode": "constant", "before": (0, 0, 1, 1), "after": (0, 0, 1, 1)}
    values = [net.add("pad", x, value=value, **sides) for value in (0.0, -0.0, 0.0)]
    y = net.binary("mul", net.binary("add", *values[:2]), values[2])
    graph = rewritten(net.finish(y), constants.run)
    assert kinds(graph) == ["pad", "pad", "binary", "binary"]


def test_an_output_that_is_computed_twice_is_copied():
    net = Net()
    x = net.input(None, 3)
    graph = rewritten(net.finish(net.act(x, "tanh"), net.act(x, "tanh")), constants.run)
    assert kinds(graph) == ["activation", "identity"]


def test_thousands_of_nodes_take_no_square_of_the_time():
    net = Net()
    x = y = net.input(None, 2)
    for _ in range(3000):
        y = net.binary("add", net.act(y, "relu"), x)
    graph = optimize(net.finish(y))
    assert len(graph.nodes) == 3001  # the additions take the activations
