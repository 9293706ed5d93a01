"""A wrong argument raises at once, and the message names it, what is wanted and what came."""

import re

import numpy as np
import pytest
from calls import Call, conv2d, depthwise, integers, inverted_residual, pointwise, separable

import dwsep

DRAW = integers(1)
SHAPE = (1, 6, 7, 4)
CALLS = {
    call.function: call
    for call in (
        depthwise(DRAW, SHAPE, multiplier=3),
        pointwise(DRAW, SHAPE, 5, residual=True),
        separable(DRAW, SHAPE, 5, multiplier=3, residual=True),
        inverted_residual(DRAW, SHAPE, 9, 5, residual=True),
        conv2d(DRAW, SHAPE, 6, groups=2, residual=True),
    )
}
each_array = pytest.mark.parametrize(
    ("function", "name"), [(f, name) for f, call in CALLS.items() for name in call.arrays]
)
each_windowed = pytest.mark.parametrize("function", [f for f in CALLS if f != "pointwise_conv2d"])


def check(call: Call, name: str, *words: str, error=(TypeError, ValueError), **extra) -> None:
    """Both the function and the layer raise, name `name` (one of a|b) and say all `words`."""
    for run in (call.run, call.run_layer):
        with pytest.raises(error) as caught:
            run(**extra)
        message = str(caught.value)
        assert re.search(rf"\b(?:{name})\b", message), f"{name!r} is not named in: {message}"
        for word in words:
            assert word in message, f"{word!r} is not in: {message}"


# --- dtypes and kinds of object -----------------------------------------------------------------


@each_array
@pytest.mark.parametrize(
    "dtype", ["float64", "float16", "int32", "int64", "uint8", "bool", "complex64", "object", "U3"]
)
def test_dtype(function, name, dtype):
    call = CALLS[function]
    array = call.arrays[name].astype(dtype)
    check(call.with_arrays(**{name: array}), name, "float32", dtype, error=TypeError)


@each_array
def test_byte_order(function, name):
    call = CALLS[function]
    swapped = call.arrays[name].astype(call.arrays[name].dtype.newbyteorder())
    check(call.with_arrays(**{name: swapped}), name, "float32", error=TypeError)


@each_array
@pytest.mark.parametrize(
    "value", [[[[[1.0]]]], 1.0, "x", (1.0, 2.0), object()], ids=lambda v: type(v).__name__
)
def test_not_an_array(function, name, value):
    check(CALLS[function].with_arrays(**{name: value}), name, type(value).__name__, error=TypeError)


@each_array
def test_masked_arrays_are_refused(function, name):
    """Their mask would be dropped in silence."""
    array = CALLS[function].arrays[name]
    masked = np.ma.masked_array(array, mask=np.zeros(array.shape, bool))
    check(CALLS[function].with_arrays(**{name: masked}), name, "MaskedArray", error=TypeError)


@each_array
def test_zero_dimensional(function, name):
    check(CALLS[function].with_arrays(**{name: np.array(1, np.float32)}), name, "()")
    check(CALLS[function].with_arrays(**{name: np.float32(1)}), name, "numpy.ndarray", "float32")


@pytest.mark.parametrize("function", CALLS)
def test_nothing_for_a_needed_array(function):
    for name in CALLS[function].arrays:
        if name == "x" or name.endswith("weight"):
            check(CALLS[function].with_arrays(**{name: None}), name, "None")


# --- ranks and shapes ---------------------------------------------------------------------------


@each_array
def test_rank(function, name):
    legal = {"x": (3, 4), "residual": (3, 4), "depthwise_weight": (3, 4)}
    if function == "depthwise_conv2d":
        legal["weight"] = (3, 4)
    ranks = legal.get(name, (1,) if name.endswith("bias") else (2, 4))
    for rank in set(range(1, 6)) - set(ranks):
        wrong = np.ones((2,) * rank, np.float32)
        check(
            CALLS[function].with_arrays(**{name: wrong}), name, str(wrong.shape), error=ValueError
        )


@pytest.mark.parametrize(
    ("function", "name", "shape", "names", "sides"),
    [
        ("depthwise_conv2d", "weight", (3, 3, 5, 3), "weight|x", (4, 5)),
        ("depthwise_conv2d", "bias", (11,), "bias", (11, 12)),
        ("pointwise_conv2d", "weight", (3, 5), "weight|x", (3, 4)),
        ("pointwise_conv2d", "weight", (3, 3, 4, 5), "weight", (3, 1)),
        ("pointwise_conv2d", "bias", (4,), "bias", (4, 5)),
        ("pointwise_conv2d", "residual", (1, 6, 7, 4), "residual", ((1, 6, 7, 4), (1, 6, 7, 5))),
        ("pointwise_conv2d", "residual", (6, 7, 5), "residual", ((6, 7, 5), (1, 6, 7, 5))),
        ("separable_conv2d", "depthwise_weight", (3, 3, 5, 3), "depthwise_weight|weight|x", (5,)),
        ("separable_conv2d", "weight", (11, 5), "weight", (11, 12)),
        ("separable_conv2d", "depthwise_bias", (5,), "depthwise_bias", (5, 12)),
        ("separable_conv2d", "bias", (12,), "bias", (12, 5)),
        ("separable_conv2d", "residual", (1, 6, 6, 5), "residual", ((1, 6, 6, 5), (1, 6, 7, 5))),
        ("inverted_residual", "expand_weight", (5, 9), "expand_weight|x", (5, 4)),
        ("inverted_residual", "expand_weight", (4, 8), "expand_weight|depthwise_weight", (8, 9)),
        ("inverted_residual", "depthwise_weight", (3, 3, 8, 1), "depthwise_weight", (8, 9)),
        ("inverted_residual", "weight", (8, 5), "weight", (8, 9)),
        ("inverted_residual", "expand_bias", (4,), "expand_bias", (4, 9)),
        ("inverted_residual", "depthwise_bias", (5,), "depthwise_bias", (5, 9)),
        ("inverted_residual", "bias", (9,), "bias", (9, 5)),
        ("inverted_residual", "residual", (2, 6, 7, 5), "residual", ((2, 6, 7, 5), (1, 6, 7, 5))),
        ("conv2d", "weight", (3, 3, 4, 6), "weight|x|groups", (4,)),
        ("conv2d", "weight", (3, 3, 2, 5), "weight|groups", (5, 2)),
        ("conv2d", "bias", (5,), "bias", (5, 6)),
        ("conv2d", "residual", (1, 7, 6, 6), "residual", ((1, 7, 6, 6), (1, 6, 7, 6))),
    ],
    ids=str,
)
def test_shapes_that_do_not_fit(function, name, shape, names, sides):
    call = CALLS[function].with_arrays(**{name: np.ones(shape, np.float32)})
    if name == "weight":
        call.arrays.pop("bias")  # its size follows from the weight's, and might be refused instead
    check(call, names, *map(str, sides), error=ValueError)


# --- options ------------------------------------------------------------------------------------


# What is wrong, and what the message shows of it: the value, its type, or the offending part of it.
NO_STEPS = [
    (0, "0"),
    (-1, "-1"),
    ((1, 0), "0"),
    ((-2, 1), "-2"),
    ((1, 2, 3), "(1, 2, 3)"),
    ((1,), "(1,)"),
    ((), "()"),
    ("2", "str"),
    (1.5, "float"),
    ((1, 1.5), "float"),
    (None, "None"),
]


@each_windowed
@pytest.mark.parametrize("name", ["stride", "dilation"])
@pytest.mark.parametrize(("value", "shown"), NO_STEPS, ids=repr)
def test_stride_and_dilation(function, name, value, shown):
    check(CALLS[function].with_options(**{name: value}), name, shown)


NO_PADDINGS = [
    ("sam", "sam"),
    ("", "''"),
    (-1, "-1"),
    ((1, -1), "-1"),
    (((1, 2), (3, -4)), "-4"),
    (((1, 2),), "((1, 2),)"),
    ((1, 2, 3), "(1, 2, 3)"),
    (1.5, "float"),
    (None, "None"),
    (((1, 2), (3, "4")), "str"),
]


@each_windowed
@pytest.mark.parametrize(("value", "shown"), NO_PADDINGS, ids=repr)
def test_padding(function, value, shown):
    check(CALLS[function].with_options(padding=value), "padding", shown)


NO_ACTIVATIONS = [
    ("relu7", "relu7"),
    ("ReLU", "ReLU"),
    ("", "''"),
    (5, "int"),
    ((), "()"),
    (("clip",), "clip"),
    (("clip", 1), "clip"),
    (("clip", 2, 1), "2.0 and 1.0"),
    (("clip", "a", "b"), "str"),
    (("clip", float("nan"), 1), "nan"),
    (("relu", 3), "relu"),
    (("leaky_relu", 0.1, 0.2), "leaky_relu"),
]
STAGES = [(f, "activation") for f in CALLS]
STAGES += [(f, "depthwise_activation") for f in ("separable_conv2d", "inverted_residual")]
STAGES += [("inverted_residual", "expand_activation")]


@pytest.mark.parametrize(("function", "name"), STAGES)
@pytest.mark.parametrize(("value", "shown"), NO_ACTIVATIONS, ids=repr)
def test_activation(function, name, value, shown):
    check(CALLS[function].with_options(**{name: value}), name, shown)


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "0"), (-2, "-2"), (1.5, "float"), ("2", "str"), (None, "None")]
)
def test_groups(value, shown):
    check(CALLS["conv2d"].with_options(groups=value), "groups", shown)


def test_groups_that_do_not_divide_the_channels():
    check(CALLS["conv2d"].with_options(groups=3), "groups|x|weight", "4", "6", error=ValueError)
    check(CALLS["conv2d"].with_options(groups=4), "groups|weight", "6", "4", error=ValueError)


@pytest.mark.parametrize("function", CALLS)
@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (-1, "-1"), (1.5, "float"), ("two", "str"), (np.array([1, 2]), "ndarray")],
    ids=repr,
)
def test_num_threads(function, value, shown):
    check(CALLS[function], "num_threads", shown, num_threads=value)


@each_windowed
@pytest.mark.parametrize("name", ["stride", "padding", "dilation"])
def test_huge_values_do_not_wrap_around(function, name):
    """Arithmetic on 2**62 must give the true result or an error, never a wrapped-around size."""
    for value in (2**31, 2**33, 2**62, 2**63 - 1, 2**64, (1, 2**62)):
        call = CALLS[function].with_options(**{name: value})
        call.arrays.pop("residual", None)
        try:
            result = call.run()
        except (ValueError, OverflowError, MemoryError):
            continue
        assert np.array_equal(result, call.plain()), value


def test_numpy_integers_are_integers():
    options = {"stride": np.int64(2), "padding": (np.int32(1), 2), "dilation": (np.uint8(1), 1)}
    plain = {"stride": 2, "padding": (1, 2), "dilation": 1}
    call = depthwise(DRAW, SHAPE)
    assert np.array_equal(call.with_options(**options).run(), call.with_options(**plain).run())


# --- out ----------------------------------------------------------------------------------------


def read_only(shape):
    out = np.empty(shape, np.float32)
    out.flags.writeable = False
    return out


@pytest.mark.parametrize("function", CALLS)
@pytest.mark.parametrize(
    ("make", "words", "error"),
    [
        (lambda n, h, w, c: np.empty((n, h, w, c + 1), np.float32), ["shape"], ValueError),
        (lambda n, h, w, c: np.empty((h, w, c), np.float32), ["shape"], ValueError),
        (lambda n, h, w, c: np.empty((n, h, w, c)), ["float32", "float64"], TypeError),
        (lambda n, h, w, c: np.empty((n, h, w, c), ">f4"), ["float32"], TypeError),
        (lambda *shape: read_only(shape), ["read-only"], TypeError),
        (lambda *shape: np.ma.zeros(shape, np.float32), ["MaskedArray"], TypeError),
        (lambda *shape: np.zeros(shape, np.float32).tolist(), ["list"], TypeError),
    ],
    ids=["shape", "rank", "float64", "byte order", "read-only", "masked", "list"],
)
def test_out(function, make, words, error):
    call = CALLS[function]
    shape = call.plain().shape
    out = make(*shape)
    sides = [str(shape), str(out.shape)] if words == ["shape"] else words
    check(call, "out", *sides, error=error, out=out)


def test_unknown_arguments():
    with pytest.raises(TypeError, match="strides"):
        CALLS["conv2d"].run(strides=2)
    with pytest.raises(TypeError, match="residual"):
        CALLS["depthwise_conv2d"].run_layer(residual=CALLS["depthwise_conv2d"].arrays["x"])
    with pytest.raises(TypeError):
        dwsep.depthwise_conv2d(np.zeros(SHAPE, np.float32))
