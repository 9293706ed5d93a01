"""TFLite files of complex numbers, and of branches."""

from __future__ import annotations

import numpy as np
import pytest
from tflite_models import f
from tflite_writer import constant, model, tensor

import dwsep
from dwsep.errors import InvalidModelError, UnsupportedOperatorError


def spectrum(kind, width=20, length=16, options=None):
    """Return a network of a transform, its middle axis dropped, and one part of it."""
    parts = (3, length // 2 + 1)
    tensors = [
        tensor("x", (3, 1, width)),
        constant("n", np.int32([1, length])),
        tensor("f", (3, 1, parts[1]), "complex64"),
        tensor("s", parts, "complex64"),
        tensor("y", parts),
    ]
    operators = [
        ("RFFT2D", ["x", "n"], ["f"], {}),
        ("SQUEEZE", ["f"], ["s"], {"squeeze_dims": [1]}),
        (kind, ["s"], ["y"], options or {}),
    ]
    return tensors, operators, ["x"], ["y"]


@pytest.mark.parametrize(
    ("kind", "part"),
    [("REAL", np.real), ("IMAG", np.imag), ("COMPLEX_ABS", np.abs), ("CAST", np.real)],
)
@pytest.mark.parametrize(
    ("width", "length"),
    [(16, 16), (20, 16), (5, 12), (9, 9), (1, 1), (480, 480), (1000, 1024), (3000, 2048)],
)
def test_fourier_transforms(kind, part, width, length):
    """Rows are cut, or filled up with zeros, as NumPy does."""
    x = f(3, 1, width)
    got = dwsep.load(model(*spectrum(kind, width, length)))(x)
    wanted = part(np.fft.rfft(x[:, 0].astype(np.float64), length))
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-6 * np.abs(x).sum(-1).max())


def test_complex_numbers_go_where_they_are_understood():
    tensors, operators, inputs, _ = spectrum("NEG")
    with pytest.raises(UnsupportedOperatorError, match="it takes complex numbers"):
        dwsep.load(model(tensors, operators, inputs, ["y"]))
    with pytest.raises(UnsupportedOperatorError, match="output 's' is complex64"):
        dwsep.load(model(tensors, operators, inputs, ["s"]))
    real = [tensor("x", (1, 4)), tensor("y", (1, 4))]
    with pytest.raises(UnsupportedOperatorError, match="it takes no complex numbers"):
        dwsep.load(model(real, [("REAL", ["x"], ["y"], {})], ["x"], ["y"]))
    with pytest.raises(UnsupportedOperatorError, match="a transform of 5000 numbers"):
        dwsep.load(model(*spectrum("REAL", 20, 5000)))


def branches(then="NEG", otherwise="EXP", inner=("a",)):
    """Return x > 0 for its first element: a function of x, else another."""
    tensors = [
        *(tensor(n, (1, 4)) for n in "xy"),
        constant("at", np.int32([0, 0])),
        constant("one", np.int32([1, 1])),
        tensor("first", (1, 1)),
        constant("zero", np.float32(0)),
        tensor("c", (1, 1), "bool"),
    ]
    indices = {"then_subgraph_index": 1, "else_subgraph_index": 2}
    operators = [
        ("SLICE", ["x", "at", "one"], ["first"], {}),
        ("GREATER", ["first", "zero"], ["c"], {}),
        ("IF", ["c", "x"], ["y"], indices),
    ]
    inside = [tensor("a", (1, 4)), tensor("y", (1, 4))]
    others = [
        (
            inside,
            [(kind, ["a", "a"], ["y"], indices) if kind == "IF" else (kind, ["a"], ["y"], {})],
            inner,
            ["y"],
        )
        for kind in (then, otherwise)
    ]
    return model(tensors, operators, ["x"], ["y"], others=others)


def test_the_condition_selects_a_branch():
    network = dwsep.load(branches())
    for x in (np.float32([[1, 2, -3, 4]]), np.float32([[-1, 2, -3, 4]])):
        wanted = -x if x[0, 0] > 0 else np.exp(x)
        np.testing.assert_allclose(network(x), wanted, rtol=1e-6)


def test_branches_that_cannot_be_computed_both_are_refused():
    with pytest.raises(UnsupportedOperatorError, match=r"y/else/y \(SVDF\)"):
        dwsep.load(branches(otherwise="SVDF"))
    with pytest.raises(UnsupportedOperatorError, match=r"y \(IF\)"):
        dwsep.load(branches(then="READ_VARIABLE"))
    with pytest.raises(InvalidModelError, match=r"node y \(IF\) does not fit its branches"):
        dwsep.load(branches(inner=("a", "a")))
    with pytest.raises(InvalidModelError, match="more than 64 nodes IF"):
        dwsep.load(branches(then="IF"))
