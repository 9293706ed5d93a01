"""Reshapes: of reshapes, of images before matrix products, and with another order of axes."""

from __future__ import annotations

import numpy as np
import pytest
from graph_builder import TO_NCHW, TO_NHWC, Net, kinds, optimized, rewritten, transposes

from dwsep.graph.passes import flatten, optimize, reshapes
from dwsep.graph.permutation import NHWC, arranged, carry, groups

# --- flattening -----------------------------------------------------------------------------------


def test_a_flattened_image_meets_permuted_weights():
    net = Net()
    y = net.act(net.reshape(net.conv(net.input(None, 4, 6, 7), 4), 0, 168), "relu")
    graph = optimized(net.finish(net.dense(y, 5), net.dense(y, 3)), optimize)
    assert transposes(graph) == [TO_NHWC]


def test_flattened_sequences_meet_permuted_weights():
    net = Net()
    y = net.reshape(net.transpose(net.input(None, 3, 4), 0, 2, 1), 0, 12)
    graph = rewritten(net.finish(net.dense(y, 5)), flatten.run)
    assert kinds(graph) == ["reshape", "dense"]


def test_flattening_after_pooling_moves_nothing():
    net = Net()
    y = net.reshape(net.reduce(net.conv(net.input(None, 4, 6, 7), 4), (2, 3)), 0, 4)
    graph = optimized(net.finish(net.dense(y, 5)), optimize)
    assert kinds(graph) == ["transpose", "standard", "reduce", "reshape", "pointwise"]


def test_a_flattened_image_that_others_read_is_transposed():
    net = Net()
    y = net.reshape(net.conv(net.input(None, 4, 6, 7), 4), 0, 168)
    graph = optimized(net.finish(net.dense(y, 5), net.unary("exp", y)), optimize)
    assert transposes(graph) == [TO_NHWC, TO_NCHW]


def test_weights_are_permuted_whatever_the_transpose():
    net = Net(channels_last=True)
    y = net.transpose(net.input(None, 3, 4, 5), 0, 2, 3, 1)
    graph = rewritten(net.finish(net.dense(net.reshape(y, 0, 60), 7)), flatten.run)
    assert kinds(graph) == ["reshape", "dense"]


def test_a_transposition_of_the_batch_stays():
    net = Net()
    y = net.reshape(net.transpose(net.input(3, 4, 5), 1, 2, 0), 4, 15)
    rewritten(net.finish(net.dense(y, 7)), flatten.run, changes=False)


def test_what_a_product_adds_keeps_its_order():
    net = Net()
    y = net.reshape(net.transpose(net.input(None, 3, 4), 0, 2, 1), 0, 12)
    weights = {"weight": net.random(12, 12), "bias": net.random(12)}
    y = net.add("dense", y, y, weights=weights, activation=None)
    rewritten(net.finish(y), flatten.run, changes=False)


# --- reshapes -------------------------------------------------------------------------------------


def test_reshapes_of_reshapes_are_one():
    net = Net()
    y = net.reshape(net.reshape(net.input(None, 3, 4, 5), 0, 12, 5), 0, 4, 15)
    z = net.transpose(net.transpose(net.input(2, 3, 4), 1, 2, 0), 1, 2, 0)
    graph = rewritten(net.finish(y, z), reshapes.run)
    assert kinds(graph) == ["reshape", "transpose"]
    assert graph.nodes[1].attributes["perm"] == (2, 0, 1)


@pytest.mark.parametrize(
    ("source", "target", "runs"),
    [
        (
            (None, 6, 4, 4),
            (None, 3, 2, 4, 4),
            [((0,), (0,)), ((1,), (1, 2)), ((2,), (3,)), ((3,), (4,))],
        ),
        ((None, 4, 1, 1), (None, 4), [((0,), (0,)), ((1,), (1,))]),
        ((None, 3, 4, 5), (None, 60), [((0,), (0,)), ((1, 2, 3), (1,))]),
        ((6, 4), (4, 6), [((0, 1), (0, 1))]),
        ((2, None, 3), (None, 6), [((0, 1, 2), (0, 1))]),  # the batch is not split
        ((1, 1), (1,), []),
    ],
)
def test_a_reshape_divides_into_runs(source, target, runs):
    assert groups(source, target) == runs


@pytest.mark.parametrize(
    ("shape", "order", "wanted", "best"),
    [
        ((None, 4, 1, 1), [0, 1], NHWC, NHWC),  # what readers prefer
        ((None, 4, 1, 1), [0, 1], None, (0, 1, 2, 3)),  # the file's
        ((None, 4, 5, 1), [0, 1, 2], NHWC, (0, 1, 2, 3)),  # for which no axis has to move
        ((None, 4, 5, 1), [0, 2, 1], None, NHWC),
        ((2, 1, 3, 4), [0, 3, 2], None, (0, 1, 3, 2)),  # no other: behind the axis before it
        ((1, 3, 2, 1), [2, 1], None, (0, 2, 3, 1)),
    ],
)
def test_axes_of_size_1_lie_where_they_save_a_reshape(shape, order, wanted, best):
    assert arranged(shape, order, wanted) == best


@pytest.mark.parametrize("seed", range(200))
def test_a_carried_reshape_gives_the_same_elements(seed):
    rng = np.random.default_rng(seed)
    factors = rng.choice([1, 2, 3], 6)
    source, target = (
        tuple(
            int(np.prod(part, initial=1))
            for part in np.split(factors, np.sort(rng.integers(0, 7, rng.integers(1, 6))))
        )
        for _ in range(2)
    )
    perm = tuple(int(axis) for axis in rng.permutation(len(source)))
    before, after = carry(source, target, perm, None)
    x = np.arange(np.prod(source)).reshape(source)
    y = x.transpose(before).reshape([target[axis] for axis in after])
    np.testing.assert_array_equal(y, x.reshape(target).transpose(after))
