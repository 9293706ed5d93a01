"""What layers of int8 refuse, by the name of the argument."""

import numpy as np
import pytest
from int8_calls import Int8Call, random_call

import dwsep
from dwsep import Quantization

Q, QW, QY = Quantization(0.05, 3), Quantization(0.02), Quantization(0.1, -4)


def test_sums_that_could_overflow_are_refused():
    w = np.full((140_000, 2), 127, np.int8)
    with pytest.raises(ValueError, match=r"^weight: need sums of at most 2\^31 - 1"):
        dwsep.PointwiseConv2D(w, x_quantization=Q, weight_quantization=QW)
    with pytest.raises(ValueError, match=r"^weight: need sums"):
        dwsep.DepthwiseConv2D(
            np.ones((1, 1, 1), np.int8),
            np.array([2**31 - 1], np.int32),
            x_quantization=Q,
            weight_quantization=QW,
        )
    with pytest.raises(
        ValueError, match=r"^weight's bias: .* int32 holds in units of 0.001, got 1e\+12"
    ):
        dwsep.DepthwiseConv2D(
            np.ones((1, 1, 1), np.int8),
            np.array([1e9], np.float32),
            x_quantization=Q,
            weight_quantization=QW,
        )


def refusals():
    x, w = np.zeros((4, 4, 6), np.int8), np.zeros((6, 5), np.int8)
    two = Quantization([1.0, 2.0])
    yield {"x_quantization": None}, ValueError, "weight_quantization: need None without x_quant"
    yield {"weight_quantization": None}, TypeError, "weight_quantization: need a dwsep.Quantization"
    yield {"x_quantization": 0.5}, TypeError, "x_quantization: need None or a dwsep.Quantization"
    yield (
        {"weight_quantization": two},
        ValueError,
        "weight_quantization: need 1 scale or 5, .*got 2",
    )
    yield {"x_quantization": two}, ValueError, "x_quantization: need 1 scale, got 2"
    yield {"quantization": two}, ValueError, "quantization: need 1 scale or 5, .*got 2"
    yield {"residual_quantization": two}, ValueError, "residual_quantization: need 1 scale, got 2"
    yield (
        {"x": x.astype(np.float32)},
        TypeError,
        "x: need a numpy.ndarray of int8, got dtype float32",
    )
    yield {"x": x.view(np.uint8)}, TypeError, "x: need a numpy.ndarray of int8, got dtype uint8"
    yield (
        {"weight": w.astype(np.float32)},
        TypeError,
        "weight: need a numpy.ndarray of int8, as its",
    )
    yield {"bias": np.zeros(5)}, TypeError, "bias: need a numpy.ndarray of native float32 or int32"
    yield {"bias": np.zeros(4, np.int32)}, ValueError, r"bias: need shape \(5,\), got \(4,\)"
    yield {"residual": np.zeros((4, 4, 5), np.int8)}, ValueError, "residual: need None where the"
    yield {"out": np.zeros((4, 4, 5), np.uint8)}, TypeError, "out: need a numpy.ndarray of int8"
    five = Quantization([1.0] * 5)
    adds = {"quantization": five, "residual_quantization": Q}
    yield adds, ValueError, "quantization: need 1 scale with residual_quantization, got 5"
    far = {"x_quantization": Quantization(1e38), "quantization": Quantization(1e-38)}
    yield far, ValueError, "y quantization: need scales that the products"
    tiny = {"x_quantization": Quantization(1e-40), "weight_quantization": Quantization(1e-30)}
    yield tiny, ValueError, "weight quantization: need scales whose product with that of x"


@pytest.mark.parametrize(("changes", "error", "message"), list(refusals()))
def test_refusals(changes, error, message):
    arguments = {"x": np.zeros((4, 4, 6), np.int8), "weight": np.zeros((6, 5), np.int8)}
    arguments |= {"x_quantization": Q, "weight_quantization": QW, "quantization": QY}
    with pytest.raises(error, match=f"^{message}"):
        dwsep.pointwise_conv2d(**{**arguments, **changes})


def test_integers_without_quantizations_say_so():
    x, w = np.zeros((4, 4, 6), np.int8), np.zeros((6, 5), np.int8)
    with pytest.raises(
        TypeError, match=r"^weight: .*float32 without x_quantization, got dtype int8"
    ):
        dwsep.pointwise_conv2d(x, w)
    with pytest.raises(TypeError, match=r"^x: need without x_quantization .* got dtype int8"):
        dwsep.pointwise_conv2d(x, w.astype(np.float32))


@pytest.mark.parametrize("function", ["separable_conv2d", "inverted_residual"])
def test_stages_name_what_is_missing(function):
    call = random_call(function, 7)
    for name in call.arguments:
        if name.endswith("_quantization") and name not in (
            "x_quantization",
            "residual_quantization",
        ):
            missing = Int8Call(function, {**call.arguments, name: None})
            with pytest.raises(
                TypeError, match=f"^{name}: need a dwsep.Quantization next to x_quant"
            ):
                missing.run()
    factors = {"reduce_weight": np.ones((4, 2), np.float32)}
    with pytest.raises(ValueError, match=r"^reduce_weight: need None with x_quantization"):
        Int8Call(function, {**call.arguments, **factors}).run()
