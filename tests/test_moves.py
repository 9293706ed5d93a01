"""Steps that only move elements, on inputs that are views in any order."""

import itertools

import numpy as np
import pytest
from small_networks import Builder

import dwsep

pytestmark = pytest.mark.kernels
SHAPE = (3, 4, 5, 6)
X = np.arange(360, dtype=np.float32).reshape(SHAPE)
PERMUTATIONS = list(itertools.permutations(range(4)))
FRONT = {"starts": [0, 1, 0, 0], "stops": [3, 4, 4, 5], "steps": [1, 1, 2, 1]}
SLICES = tuple(map(slice, FRONT["starts"], FRONT["stops"], FRONT["steps"]))


def run(build, *arrays):
    """Run the network of one step's output on arrays, by one thread and by three."""
    b = Builder()
    output = build(b, *(b.core.input(f"x{i}", a.shape) for i, a in enumerate(arrays)))
    model = dwsep.Model(b.finish(y=output))
    one, three = (model(*arrays, num_threads=threads) for threads in (1, 3))
    assert np.array_equal(one, three)
    return one


@pytest.mark.parametrize("perm", PERMUTATIONS, ids=str)
def test_reshapes_of_transposed_images(perm):
    """Also behind an axis of one element, and of a part of the image."""
    for front, x in ((False, X), (True, X[SLICES])):
        wanted = x.transpose(perm)
        for shape in ([-1], [wanted.shape[0], -1], [wanted.shape[0] * wanted.shape[1], -1, 1]):

            def build(b, v, front=front, shape=shape, lonely=(*perm, 4), sizes=x.shape):
                v = b.step("slice", [v], FRONT) if front else v
                v = b.step("reshape", [v], {"shape": [*sizes, 1]})
                v = b.step("transpose", [v], {"perm": list(lonely)})
                return b.step("reshape", [v], {"shape": list(shape)})

            assert np.array_equal(run(build, X), wanted.reshape(shape))


@pytest.mark.parametrize("perm", PERMUTATIONS, ids=str)
def test_concatenated_reshapes(perm):
    """Parts of a concatenation are written where they belong, with gaps between their rows."""
    turned = X.transpose(perm)
    shape = [turned.shape[0] * turned.shape[1], turned.shape[2] * turned.shape[3]]

    def build(b, v):
        v = b.step("transpose", [v], {"perm": list(perm)})
        v = b.step("reshape", [v], {"shape": shape})
        return b.step("concat", [v, v], {"axis": [1]})

    assert np.array_equal(run(build, X), np.concatenate([turned.reshape(shape)] * 2, axis=1))


@pytest.mark.parametrize("axis", range(4))
@pytest.mark.parametrize("taken", [(), (1,), (7,), (2, 3), (2, 1, 3), (0,), (2, 0)], ids=str)
def test_gathers(axis, taken):
    rng = np.random.default_rng(axis)
    for perm in ((0, 1, 2, 3), (0, 2, 1, 3), (3, 0, 1, 2), (1, 0, 3, 2)):
        for front, part in ((False, X), (True, X[SLICES])):
            x = part.transpose(perm)
            size = x.shape[axis]
            indices = rng.integers(-size, size, taken)
            attributes = {
                "axis": [axis],
                "indices": indices.ravel().tolist(),
                "indices_shape": list(taken),
            }

            def build(b, v, perm=perm, front=front, attributes=attributes):
                v = b.step("slice", [v], FRONT) if front else v
                v = b.step("transpose", [v], {"perm": list(perm)})
                return b.step("gather", [v], attributes)

            assert np.array_equal(run(build, X), np.take(x, indices, axis))


def test_many_indices():
    """More than one thread takes a part of, in the middle of a row of indices."""
    x = np.arange(2 * 5000 * 3, dtype=np.float32).reshape(2, 5000, 3)
    indices = np.random.default_rng(0).integers(-5000, 5000, (61, 67))
    for array, axis in ((x, 1), (x.reshape(2, -1), 1), (x.reshape(-1), 0), (x.reshape(-1, 1), 0)):
        attributes = {
            "axis": [axis],
            "indices": indices.ravel().tolist(),
            "indices_shape": list(indices.shape),
        }
        got = run(lambda b, v, a=attributes: b.step("gather", [v], a), array)
        assert np.array_equal(got, np.take(array, indices, axis))
