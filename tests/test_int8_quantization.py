"""Quantization and quantize_weight: what they hold, compute and refuse."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dwsep import Quantization, quantize_weight


def test_one_scale():
    q = Quantization(0.1, 3, "uint8")
    assert (q.scale, q.zero_point, q.dtype) == (float(np.float32(0.1)), 3, "uint8")
    assert Quantization(np.float32(0.1), np.int64(3), dtype="uint8") == q


def test_scales():
    q = Quantization([0.5, 1, 2], [1, 2, 3])
    assert q.scale.dtype == np.float32
    assert q.scale.tolist() == [0.5, 1, 2]
    assert q.zero_point.dtype == np.int32
    assert q.zero_point.tolist() == [1, 2, 3]
    assert not q.scale.flags.writeable
    assert not q.zero_point.flags.writeable
    assert Quantization(np.array([0.5, 1, 2]), 7).zero_point.tolist() == [7, 7, 7]


def test_immutable_equal_and_hashable():
    a, b = Quantization(0.5, 1), Quantization(0.5, 1)
    assert a == b
    assert hash(a) == hash(b)
    assert {a: 1}[b] == 1
    others = [Quantization(0.25, 1), Quantization(0.5), Quantization(0.5, 1, "uint8")]
    others += [Quantization([0.5], 1), "0.5"]
    assert all(a != other for other in others)
    for change in (lambda: setattr(a, "scale", 1.0), lambda: delattr(a, "_scales")):
        with pytest.raises(AttributeError, match="immutable"):
            change()
    assert copy.copy(a) is a
    assert copy.deepcopy([a])[0] is a


@pytest.mark.parametrize("q", [Quantization(0.1, 3, "uint8"), Quantization([0.5, 2], [1, -2])])
def test_pickles(q):
    again = pickle.loads(pickle.dumps(q))
    assert again == q
    assert repr(again) == repr(q)


def test_repr():
    assert repr(Quantization(0.5, 1)) == "Quantization(0.5, 1, 'int8')"
    assert repr(Quantization([0.5, 2])) == "Quantization(<2 scales>, 0, 'int8')"
    assert (
        repr(Quantization([0.5, 2], [1, 2])) == "Quantization(<2 scales>, <2 zero points>, 'int8')"
    )


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@given(
    scale=st.floats(2**-20, 2**10, width=32),
    zero=st.integers(-128, 127),
    values=st.lists(st.floats(width=32, allow_nan=False), min_size=1),
)
def test_quantize(dtype, scale, zero, values):
    zero += 128 * (dtype == "uint8")
    info = np.iinfo(dtype)
    q = Quantization(scale, zero, dtype)
    x = np.array(values, np.float32)
    with np.errstate(all="ignore"):
        steps = (x / np.float32(scale)).astype(np.float64)
    wanted = np.clip(np.rint(steps) + zero, info.min, info.max)
    stored = q.quantize(x)
    assert stored.dtype == dtype
    assert stored.tolist() == wanted.tolist()
    assert q.quantize(q.dequantize(stored)).tolist() == stored.tolist()


def test_special_values():
    q = Quantization(1.0, 5)
    x = np.array([np.nan, np.inf, -np.inf, 0.5, 1.5, -0.0], np.float32)
    assert q.quantize(x).tolist() == [5, 127, -128, 5, 7, 5]


def test_channels_lie_on_the_last_axes():
    q = Quantization([1.0, 2.0, 4.0], [0, 1, 2])
    x = np.full((2, 3), 4, np.float32)
    assert q.quantize(x).tolist() == [[4, 3, 3]] * 2
    assert q.dequantize(q.quantize(x)).tolist() == [[4, 4, 4]] * 2
    filters = np.full((1, 1, 3, 1), 4, np.float32)
    assert q.quantize(filters).ravel().tolist() == [4, 3, 3]
    with pytest.raises(
        ValueError, match=r"x: need 3 channels on the last axis, .*got shape \(3, 2\)"
    ):
        q.quantize(x.T)


def test_from_range():
    q = Quantization.from_range(-1, 3, dtype="uint8")
    assert q.quantize(np.array([-1, 0, 3], np.float32)).tolist() == [0, q.zero_point, 255]
    assert Quantization.from_range(2, 6).zero_point == -128  # widened to 0
    assert Quantization.from_range(-6, -2).zero_point == 127
    assert Quantization.from_range(-1, 3, symmetric=True) == Quantization(3 / 127)
    assert Quantization.from_range(-1, 3, dtype="uint8", symmetric=True).zero_point == 128
    assert Quantization.from_range(0, 0).scale == 1.0
    assert Quantization.from_range(0, 1e-45).scale > 0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            (0.0,),
            ValueError,
            "scale: need numbers that are finite and positive in float32, got 0.0",
        ),
        ((-1.0,), ValueError, "scale: .* got -1.0"),
        ((np.inf,), ValueError, "scale: .* got inf"),
        ((np.nan,), ValueError, "scale: .* got nan"),
        ((1e-60,), ValueError, "scale: .* got 1e-60"),
        ((1e60,), ValueError, r"scale: .* got 1e\+60"),
        (([1.0, 0.0],), ValueError, "scale: .* got 0.0"),
        (("1",), TypeError, "scale: need a number or a row of numbers, got '1'"),
        ((None,), TypeError, "scale: .* got None"),
        (([],), ValueError, r"scale: .* got shape \(0,\)"),
        (([[1.0]],), ValueError, r"scale: .* got shape \(1, 1\)"),
        ((True,), TypeError, "scale: .* got True"),
        ((1.0, 1.5), TypeError, "zero_point: need an int or a row of ints, got 1.5"),
        ((1.0, 128), ValueError, "zero_point: need ints from -128 to 127 for int8, got 128"),
        ((1.0, -1, "uint8"), ValueError, "zero_point: need ints from 0 to 255 for uint8, got -1"),
        (
            ([1.0, 2.0], [1, 2, 3]),
            ValueError,
            "zero_point: need one, or as many as scales, 2, got 3",
        ),
        ((1.0, [1]), ValueError, "zero_point: need one, or as many as scales, 1, got 1"),
        ((1.0, 0, "int16"), ValueError, "dtype: need 'int8' or 'uint8', got 'int16'"),
        ((1.0, 0, np.int8), ValueError, "dtype: need 'int8' or 'uint8', got"),
    ],
)
def test_refusals(arguments, error, message):
    with pytest.raises(error, match=f"^{message}"):
        Quantization(*arguments)


@pytest.mark.parametrize(
    ("lo", "hi", "error", "message"),
    [
        (1, 0, ValueError, "lo: need at most hi, 0, got 1"),
        (np.nan, 0, ValueError, "lo: need a finite number"),
        (0, np.inf, ValueError, "hi: need a finite number"),
        (0, 1e39, ValueError, "hi: need a finite number"),
        ("0", 1, TypeError, "lo: need a number"),
    ],
)
def test_ranges_that_are_none(lo, hi, error, message):
    with pytest.raises(error, match=f"^{message}"):
        Quantization.from_range(lo, hi)


def test_arrays_of_other_types():
    q = Quantization(1.0)
    with pytest.raises(TypeError, match=r"^x: need a numpy.ndarray of native float32, got dtype"):
        q.quantize(np.zeros(3))
    with pytest.raises(TypeError, match=r"^v: need a numpy.ndarray of int8, got dtype uint8"):
        q.dequantize(np.zeros(3, np.uint8))
    with pytest.raises(TypeError, match=r"^v: need a numpy.ndarray of int8, got \[1\]"):
        q.dequantize([1])


@pytest.mark.parametrize(
    ("shape", "axis", "count"),
    [
        ((5, 7), -1, 7),
        ((5, 7), 0, 5),
        ((3, 3, 6), -1, 6),
        ((3, 3, 6, 1), -1, 6),
        ((3, 3, 6, 2), (2, 3), 12),
        ((3, 3, 6, 2), -1, 2),
        ((3, 3, 4, 9), 3, 9),
    ],
)
def test_quantize_weight(shape, axis, count):
    w = np.random.default_rng(0).standard_normal(shape, np.float32)
    stored, q = quantize_weight(w, axis)
    assert stored.dtype == np.int8
    assert stored.shape == w.shape
    assert q.zero_point.tolist() == [0] * count
    assert q.dtype == "int8"
    if axis != 0:
        assert np.array_equal(q.quantize(w), stored)
        assert np.abs(q.dequantize(stored) - w).max() <= q.scale.max() * 0.5001
    others = tuple(i for i in range(w.ndim) if i != 0) if axis == 0 else tuple(range(w.ndim))
    assert np.abs(stored.astype(int)).max(axis=others).min() == 127


def test_weights_of_zeros_and_tiny_ones():
    stored, q = quantize_weight(np.array([[0, 1e-45], [0, -1e-45]], np.float32))
    assert stored[:, 0].tolist() == [0, 0]
    assert q.scale[0] == 1


@pytest.mark.parametrize(
    ("w", "axis", "message"),
    [
        (np.ones((2, 2), np.float32) * np.inf, -1, "w: need finite numbers"),
        (np.ones((0, 2), np.float32), -1, "w: need sizes of at least 1"),
        (np.ones((2, 2), np.float32), 2, "axis: need axes of shape"),
        (np.ones((2, 2), np.float32), -3, "axis: need axes of shape"),
        (np.ones((2, 2, 2), np.float32), (0, 2), "axis: need the last axes"),
    ],
)
def test_weights_that_cannot_be_quantized(w, axis, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        quantize_weight(w, axis)
