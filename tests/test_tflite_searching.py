"""TFLite files that look for elements, and compute integers and truth values."""

from __future__ import annotations

import numpy as np
import pytest
from tflite_models import f
from tflite_writer import constant, model, tensor

import dwsep
from dwsep.errors import InvalidModelError, UnsupportedOperatorError

X = f(2, 5, 6)


def net(operators, made, constants=(), x=("x", (2, 5, 6), "float32")):
    """Return a network; what operators make is described by (name, shape, type)."""
    tensors = [tensor(*x), *(constant(n, a) for n, a in dict(constants).items())]
    tensors += [tensor(*t) for t in made]
    last = operators[-1][2]
    return dwsep.load(model(tensors, [(*o, {})[:4] for o in operators], [x[0]], last))


@pytest.mark.parametrize("type_", ["int32", "int64"])
@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("kind", ["ARG_MAX", "ARG_MIN"])
def test_places_of_extremes(kind, axis, type_):
    x = np.round(X)  # with several that are equal
    wanted = (np.argmax if kind == "ARG_MAX" else np.argmin)(x, axis)
    loaded = net([(kind, ["x", "a"], ["y"])], [("y", wanted.shape, type_)], {"a": np.int32(axis)})
    got = loaded(x)
    assert got.dtype == type_
    np.testing.assert_array_equal(got, wanted)


def test_largest_elements():
    loaded = net(
        [("TOPK_V2", ["x", "k"], ["v", "i"])],
        [("v", (2, 5, 3), "float32"), ("i", (2, 5, 3), "int32")],
        {"k": np.int32(3)},
    )
    values, indices = loaded(X)
    wanted = np.argsort(-X, axis=-1, kind="stable")[..., :3]
    np.testing.assert_array_equal(indices, wanted)
    np.testing.assert_array_equal(values, np.take_along_axis(X, wanted, -1))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_rows_with_a_one(axis):
    """An index below 0 or beyond the depth has none."""
    constants = {"d": np.int32(4), "on": np.float32(3), "off": np.float32(-1)}
    x = np.int32([[0, 3, 4], [-1, 2, 1]])
    hot = x[..., None] == np.arange(4)
    wanted = np.moveaxis(np.where(hot, 3, -1), -1, axis)
    loaded = net(
        [("ONE_HOT", ["x", "d", "on", "off"], ["y"], {"axis": axis})],
        [("y", wanted.shape, "float32")],
        constants,
        ("x", (2, 3), "int32"),
    )
    np.testing.assert_array_equal(loaded(x), wanted)


@pytest.mark.parametrize("kind", ["REDUCE_ANY", "REDUCE_ALL"])
@pytest.mark.parametrize("keep", [False, True])
def test_truth_of_several(kind, keep):
    x = f(2, 5, 6) > (1 if kind == "REDUCE_ANY" else -1)
    wanted = (np.any if kind == "REDUCE_ANY" else np.all)(x, 2, keepdims=keep)
    loaded = net(
        [(kind, ["x", "a"], ["y"], {"keep_dims": keep})],
        [("y", wanted.shape, "bool")],
        {"a": np.int32([2])},
        ("x", x.shape, "bool"),
    )
    np.testing.assert_array_equal(loaded(x), wanted)


def test_embeddings():
    """As Keras writes them: indices below 0 count from the end."""
    table = f(9, 4, seed=3)
    steps = [
        ("CAST", ["x"], ["i"], {"in_data_type": 0, "out_data_type": 2}),
        ("LESS", ["i", "zero"], ["c"]),
        ("ADD", ["i", "nine"], ["moved"]),
        ("SELECT_V2", ["c", "moved", "i"], ["at"]),
        ("GATHER", ["table", "at"], ["y"]),
    ]
    made = [(n, (2, 5, 6), "int32") for n in ("i", "moved", "at")]
    made += [("c", (2, 5, 6), "bool"), ("y", (2, 5, 6, 4), "float32")]
    constants = {"zero": np.int32(0), "nine": np.int32(9), "table": table}
    x = np.random.default_rng(2).integers(-9, 9, (2, 5, 6)).astype(np.float32)
    np.testing.assert_array_equal(net(steps, made, constants)(x), table[x.astype(int)])


def test_quotients_of_integers_that_are_no_larger():
    rng = np.random.default_rng(4)
    a = rng.integers(-50, 50, (2, 5, 6), np.int32)
    b = np.int32([-7, -3, -1, 1, 4, 9])
    loaded = net(
        [("FLOOR_DIV", ["x", "b"], ["y"])],
        [("y", a.shape, "int32")],
        {"b": b},
        ("x", a.shape, "int32"),
    )
    np.testing.assert_array_equal(loaded(a), a // b)


@pytest.mark.parametrize(("code", "bounds"), [(1, (0, 999)), (2, (-1, 1)), (3, (0, 6))])
def test_activations_of_integers(code, bounds):
    x = np.arange(-10, 20, dtype=np.int32).reshape(2, 5, 3)
    step = ("ADD", ["x", "b"], ["y"], {"activation": code})
    loaded = net([step], [("y", x.shape, "int32")], {"b": np.int32([2])}, ("x", x.shape, "int32"))
    np.testing.assert_array_equal(loaded(x), np.clip(x + 2, *bounds))


def test_zeros_of_the_shape_of_another_value():
    steps = [("ZEROS_LIKE", ["x"], ["z"]), ("MAXIMUM", ["x", "z"], ["y"])]
    loaded = net(steps, [(name, X.shape, "float32") for name in "zy"])
    np.testing.assert_array_equal(loaded(X), np.maximum(X, 0))


@pytest.mark.parametrize(
    ("operator", "constants", "message"),
    [
        (("ARG_MAX", ["x", "a"], ["y"]), {"a": np.int32([0, 1])}, r"axis: need one, got \[0, 1\]"),
        (("ARG_MAX", ["x", "a"], ["y"]), {"a": np.int32(3)}, "axis: need from -3 to 2, got 3"),
        (("TOPK_V2", ["x", "a"], ["y"]), {"a": np.int32(0)}, r"k: need one number of at least 1"),
        (("CUMSUM", ["x", "x"], ["y"]), {}, "its axis 'x' is computed"),
    ],
)
def test_what_is_refused(operator, constants, message):
    with pytest.raises((InvalidModelError, UnsupportedOperatorError), match=message):
        net([operator], [("y", (2, 5), "int32")], constants)
