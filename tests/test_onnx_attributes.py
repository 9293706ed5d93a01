"""Attributes that are out of range, and constants that are odd: refused, or what they mean."""

import numpy as np
import pytest

pytest.importorskip("onnx", reason="imports ONNX models")

from onnx_models import f, ints, model

import dwsep
from dwsep.errors import InvalidModelError


@pytest.mark.parametrize("value", [2, -1, 2**40])
@pytest.mark.parametrize(
    ("op", "inputs", "name"),
    [
        ("ReduceMax", "x", "keepdims"),
        ("ReduceSum", "x", "noop_with_empty_axes"),
        ("MaxPool", "x", "ceil_mode"),
        ("Gemm", "x,w", "transB"),
    ],
)
def test_flags(op, inputs, name, value):
    """Others take 2 for no; who writes it means neither."""
    attributes = {name: value, **({"kernel_shape": [2, 2]} if op == "MaxPool" else {})}
    shape = {"x": ("N", 4)} if op == "Gemm" else None
    net = model([(op, inputs, "y", attributes)], {"w": f(4, 4)}, inputs=shape)
    with pytest.raises(InvalidModelError, match=f"{name}: need 0 or 1, got {value}"):
        dwsep.load(net)


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("op", ["Elu", "Celu", "Selu", "HardSigmoid", "LeakyRelu"])
def test_numbers(op, value):
    """Where x > 0, an infinite slope below 0 would be multiplied by 0."""
    with pytest.raises(InvalidModelError, match=f"alpha: need a finite number, got {value}"):
        dwsep.load(model([(op, "x", "y", {"alpha": float(value)})]))


@pytest.mark.parametrize("alpha", [1e4, 1e30])
def test_celu_of_a_large_alpha_is_x(alpha):
    """It is alpha (exp(x / alpha) - 1), where the difference by itself would be 0."""
    x = f(2, 4, 6, 6)
    y = dwsep.load(model([("Celu", "x", "y", {"alpha": alpha})]))(x)
    assert np.allclose(y, x, rtol=np.abs(x).max() / alpha + 1e-6, atol=0)


@pytest.mark.parametrize(
    ("op", "function"),
    [
        ("ReduceSum", np.array),
        ("ReduceMax", np.array),
        ("ReduceL1", np.abs),
        ("ReduceL2", np.abs),
        ("ReduceSumSquare", np.square),
    ],
)
def test_no_axes_to_reduce(op, function):
    """Norms are sums of one element each, not the element."""
    net = model([(op, "x", "y", {"noop_with_empty_axes": 1})], opset=18)
    x = f(2, 4, 6, 6)
    assert np.array_equal(dwsep.load(net)(x), function(x))


@pytest.mark.parametrize("order", ["x,a", "a,x", "a,a,x"])
def test_a_batch_is_concatenated_whatever_its_size(order):
    """Whatever comes first."""
    net = model([("Concat", order, "y", {"axis": 0})], inputs={"x": ("N", 4), "a": (3, 4)})
    network = dwsep.load(net)
    assert network.outputs[0].shape == (None, 4)
    arrays = {"a": f(3, 4)}
    for batch in (1, 2, 5):
        arrays["x"] = f(batch, 4)
        wanted = np.concatenate([arrays[name] for name in order.split(",")])
        (y,) = network.run(None, {i.name: arrays[i.name] for i in network.inputs})
        assert np.array_equal(y, wanted)


@pytest.mark.parametrize("known", [False, True], ids=["computed", "known"])
@pytest.mark.parametrize(
    ("start", "stop", "step", "taken"),
    [
        (-(2**62), -100, -2, [0]),  # clamped to the first element and to before it
        (-7, -(2**63), -1, [0]),
        (2**63 - 1, -(2**63), -2, [5, 3, 1]),
        (-1, -100, -5, [5, 0]),
        (-100, 100, 4, [0, 4]),
    ],
)
def test_bounds_of_slices(start, stop, step, taken, known):
    x = f(2, 6)
    nodes = [("Slice", "c,a,b,axis,step" if known else "x,a,b,axis,step", "s", {})]
    nodes.append(("Add", "s,zero", "y", {}) if not known else ("Add", "s,first", "y", {}))
    nodes.append(("Slice", "x,zeros,one,axis", "first", {}))
    constants = {"a": ints(start), "b": ints(stop), "axis": ints(1), "step": ints(step), "c": x}
    constants |= {"zero": np.float32(0), "zeros": ints(0), "one": ints(1)}
    got = dwsep.load(model(nodes, constants, inputs={"x": (2, 6)}))(x)
    assert np.array_equal(got, x[:, taken] + (x[:, :1] if known else 0))


def test_an_output_without_elements():
    net = model([("Relu", "x", "z", {})], {"y": np.zeros(0, np.float32)})
    with pytest.raises(InvalidModelError, match="output 'y': sizes need to be from 1"):
        dwsep.load(net)


def test_a_transposed_convolution_whose_crop_hides_a_large_image():
    far = 2**31 - 2
    attributes = {"strides": [1, far], "pads": [0, far, 0, far]}
    net = model(
        [("ConvTranspose", "x,w", "y", attributes)],
        {"w": f(2, 1, 1, 1)},
        inputs={"x": (1, 2, 3, 4)},
    )
    with pytest.raises(InvalidModelError, match="sizes need to be from 1"):
        dwsep.load(net)


def test_an_output_that_is_one_number():
    net = model([("Clip", "c", "y", {})], {"c": np.float32(1.5)})
    result = dwsep.load(net)(np.zeros((1, 4, 6, 6), np.float32))
    assert result.shape == ()
    assert result == 1.5


def test_one_number_for_very_many_channels():
    """What is folded into other nodes is not written out for as many channels as a file says."""
    nodes = [("Expand", "x,s", "a", {}), ("Mul", "a,c", "b", {}), ("Add", "b,c", "y", {})]
    constants = {"s": ints(1, 2**31 - 1, 1, 1), "c": np.float32(0.5)}
    loaded = dwsep.load(model(nodes, constants, inputs={"x": ("N", 1, 2, 2)}))
    assert loaded.outputs[0].shape == (None, 2**31 - 1, 2, 2)
