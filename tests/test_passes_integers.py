"""Conversions around operators become the operators' types, and vanish where nothing is left."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from graph_builder import Net, ill_typed, kinds

from dwsep.graph.ir import DType, Quantization, TensorType
from dwsep.graph.lowering import lower
from dwsep.graph.passes import finish, float_io, integer_moves, integer_steps, padding

SCALE, ZERO = 0.05, -3


class Quantized(Net):
    """A graph of NHWC images whose values may be rounded to integers."""

    def __init__(self):
        super().__init__(channels_last=True, seed=3)

    def quantize(self, x, scale=SCALE, zero=ZERO, to="int8", axis=None):
        scales = {"scale": (scale,), "zero_point": (zero,)}
        if axis is not None:
            scales = {"scale": tuple(scale), "zero_point": tuple(zero)}
        q = self.add("quantize", x, to=to, axis=axis, **scales)
        return self.add("dequantize", q, axis=axis, **scales)

    def convolution(self, kind, x, made=6, activation=None, residual=None, bias=True, zero=False):
        c = self.channels(x)
        shape = {"pointwise": (c, made), "standard": (3, 3, c, made), "depthwise": (3, 3, c, 1)}
        made = c if kind == "depthwise" else made
        scale = self.rng.uniform(0.01, 0.02, made).astype(np.float32)
        along = scale.reshape(c, 1) if kind == "depthwise" else scale
        steps = self.rng.integers(-120, 121, shape[kind])
        weights = {"weight": (steps * along).astype(np.float32), "weight_scale": scale}
        if zero:
            weights["weight_zero_point"] = np.full(made, 5, np.int32)
        if bias:
            weights["bias"] = self.random(made)
        window = {"stride": (1, 1), "dilation": (1, 1), "padding": (1, 1, 1, 1)}
        attributes = {} if kind == "pointwise" else window
        if kind == "standard":
            attributes = {**window, "groups": 1, "kernel": (3, 3)}
        inputs = [x] if residual is None else [x, residual]
        return self.add(kind, *inputs, weights=weights, activation=activation, **attributes)


def run(graph, seed=0):
    rng = np.random.default_rng(seed)
    arrays = []
    for name in graph.inputs:
        shape = [2 if n is None else n for n in graph.shape(name)]
        if graph.types[name].dtype is DType.FLOAT32:
            arrays.append(2 * rng.standard_normal(shape, np.float32))
        else:
            arrays.append(rng.integers(0, 100, shape).astype(graph.types[name].dtype.numpy))
    return lower(graph, {}).run(arrays)


def rewritten(graph, *passes, step=SCALE):
    """Run passes on a copy; hardly any value differs, and none by more than a step."""
    before = run(graph)
    result = copy.deepcopy(graph)
    assert any([apply(result) for apply in passes])
    assert not ill_typed(result)
    for a, b in zip(before, run(result), strict=True):
        difference = np.abs(a.astype(np.float64) - b)
        assert difference.max() <= 1.01 * step
        assert (difference > 0.01 * step).mean() < 0.01
        assert np.unique(b).size > min(5, b.size // 2)
    assert not any([apply(result) for apply in passes])
    return result


@pytest.mark.parametrize("kind", ["pointwise", "depthwise", "standard"])
@pytest.mark.parametrize("activation", [None, "relu6", "hard_swish"])
def test_a_convolution_between_conversions_computes_with_integers(kind, activation):
    net = Quantized()
    x = net.quantize(net.input(None, 6, 7, 5))
    y = net.quantize(net.convolution(kind, x, activation=activation), 0.1, 4)
    graph = rewritten(net.finish(y), integer_steps.run, step=0.1)
    assert kinds(graph) == ["quantize", kind, "dequantize"]
    (conv,) = (node for node in graph.nodes if node.kind == kind)
    assert conv.weights["weight"].dtype == np.int8
    assert conv.attributes["activation"] == activation
    assert graph.types[conv.output].quantization == Quantization((0.1,), (4,))


def test_results_that_are_not_rounded_are_floats():
    net = Quantized()
    x = net.quantize(net.input(None, 6, 7, 5))
    y = net.convolution("pointwise", x)
    graph = rewritten(net.finish(y, net.quantize(y)), integer_steps.run)
    assert kinds(graph) == ["quantize", "pointwise", "quantize", "dequantize"]
    assert graph.types[y].dtype is DType.FLOAT32


def test_a_residual_is_added_before_rounding():
    net = Quantized()
    x = net.quantize(net.input(None, 6, 7, 5))
    y = net.quantize(net.convolution("pointwise", x, 5, "relu", residual=x), 0.1, 4)
    graph = rewritten(net.finish(y), integer_steps.run, step=0.1)
    assert kinds(graph) == ["quantize", "pointwise", "dequantize"]
    assert graph.nodes[1].inputs == [graph.nodes[0].output] * 2


def test_weights_with_zero_points():
    net = Quantized()
    x = net.quantize(net.input(None, 6, 7, 5), 0.05, 131, "uint8")
    y = net.quantize(net.convolution("standard", x, zero=True), 0.1, 4)
    graph = rewritten(net.finish(y), integer_steps.run, step=0.1)
    assert kinds(graph) == ["quantize", "standard", "dequantize"]


def test_channels_between_a_clip_and_a_depthwise_convolution_have_scales():
    net = Quantized()
    x = net.quantize(net.input(None, 6, 7, 5))
    scales, zeros = np.linspace(0.05, 0.1, 6).tolist(), range(-3, 3)
    inner = net.quantize(net.convolution("pointwise", x, activation="relu6"), scales, zeros, axis=3)
    y = net.quantize(net.convolution("depthwise", inner), 0.1, 4)
    graph = rewritten(net.finish(y), integer_steps.run, step=0.1)
    assert kinds(graph) == ["quantize", "pointwise", "depthwise", "dequantize"]


def _float(case):
    net = Quantized()
    x = net.input(None, 6, 7, 5)
    if case == "input":
        return net.finish(net.quantize(net.convolution("pointwise", x)))
    x = net.quantize(x)
    if case == "weights":
        y = net.convolution("pointwise", x)
        net.graph.nodes[-1].weights["weight"] *= np.float32(1.1)
    elif case == "no scales":
        y = net.convolution("pointwise", x)
        del net.graph.nodes[-1].weights["weight_scale"]
    elif case == "sums":
        y = net.convolution("pointwise", x)
        net.graph.nodes[-1].weights["bias"][0] = 1e7
    else:
        y = net.convolution("pointwise", x, residual=net.input(None, 6, 7, 6))
    return net.finish(net.quantize(y))


@pytest.mark.parametrize(
    ("case", "why"),
    [
        ("input", "input 'x0' is not quantized"),
        ("weights", "its weights are no integers"),
        ("no scales", "its weights are no integers"),
        ("sums", "its weights are no integers, or sums could leave int32"),
        ("residual", "input 'x1' is not quantized"),
    ],
)
def test_others_stay_floats(case, why):
    graph = _float(case)
    assert not integer_steps.run(graph)
    node = next(node for node in graph.nodes if node.kind == "pointwise")
    graph.nodes[0].attributes.setdefault("to", "int8")
    assert integer_steps.float_steps(graph)[node.name].startswith(why)


@pytest.mark.parametrize(("function", "reported"), [("average", True), ("max", False)])
def test_steps_of_floats_are_those_that_compute(function, reported):
    net = Quantized()
    window = {"kernel": (2, 2), "stride": (1, 1), "dilation": (1, 1), "padding": (0, 0, 0, 0)}
    net.quantize(net.input(1, 6, 7, 5))
    y = net.add("pool", net.input(1, 6, 7, 5), function=function, **window)
    assert bool(integer_steps.float_steps(net.finish(y))) == reported


@pytest.mark.parametrize("scales", [(SCALE, 1e-43), (1e38, 1e-6)])
def test_scales_whose_products_overflow_are_left_to_floats(scales):
    net = Quantized()
    x = net.quantize(net.input(1, 6, 7, 5), scales[0])
    y = net.quantize(net.convolution("pointwise", x, bias=False), scales[1])
    graph = finish(net.finish(y))
    assert len(run(graph)) == 1


def test_integers_are_moved_instead_of_real_numbers():
    net = Quantized()
    x = net.quantize(net.input(None, 6, 7, 5))
    y = net.transpose(x, 0, 3, 1, 2)
    padding = {"before": (0, 0, 1, 2), "after": (0, 0, 0, 1)}
    y = net.add("pad", y, mode="constant", value=float(np.float32(SCALE) * 8), **padding)
    y = net.add("slice", y, starts=(0, 1, 0, 0), stops=(None,) * 4, steps=(1, 1, 2, 1))
    y = net.add("concat", y, y, axis=1)
    y = net.quantize(net.reshape(y, 0, -1))
    graph = rewritten(net.finish(y), integer_moves.run)
    assert kinds(graph)[:-2] == ["quantize", "transpose", "pad", "slice", "concat", "reshape"]
    assert kinds(graph)[-2:] == ["identity", "dequantize"]
    assert all(t.dtype is DType.INT8 for v, t in graph.types.items() if v not in ("x0", y))


@pytest.mark.parametrize(
    ("move", "change"),
    [("reshape", {"shape": (0, 4, 9, 6)}), ("transpose", {"perm": (0, 2, 1, 3)})],
)
def test_a_convolution_rounds_what_is_moved_before_it_is_rounded(move, change):
    net = Quantized()
    y = net.convolution("pointwise", net.quantize(net.input(None, 6, 6, 4)), activation="relu")
    shape = {"shape": (0, 36, 1, 6)}
    y = net.quantize(net.add("reshape", net.add(move, y, **change), **shape))
    passes = (integer_moves.run, integer_steps.run)
    assert kinds(rewritten(net.finish(y), *passes)).count("quantize") == 1


def test_what_others_read_unrounded_is_moved_as_floats():
    net = Quantized()
    y = net.convolution("pointwise", net.quantize(net.input(None, 6, 6, 4)))
    moved = net.add("reshape", y, shape=(0, 36, 1, 6))
    y = net.quantize(moved)
    assert "quantize" in kinds(rewritten(net.finish(y, moved), integer_steps.run))[2:]


@pytest.mark.parametrize("kind", ["standard", "depthwise"])
def test_zeros_that_are_rounded_are_put_on_by_the_convolution(kind):
    net = Quantized()
    x = net.quantize(net.input(None, 5, 6, 4))
    y = net.add("pad", x, mode="constant", value=0.0, before=(0, 0, 1, 0), after=(0, 2, 1, 0))
    y = net.quantize(y)
    graph = net.finish(net.quantize(net.convolution(kind, y)), y)
    passes = padding.run, padding.run, integer_moves.run, integer_steps.run
    integers = rewritten(graph, *passes)
    (made,) = [node for node in integers.nodes if node.kind == kind]
    assert made.attributes["padding"] == (1, 3, 2, 2)
    (pad,) = [node for node in integers.nodes if node.kind == "pad"]  # for the other reader
    assert all(pad.output not in node.inputs or node.kind != kind for node in integers.nodes)


def test_what_no_integer_stands_for_is_padded_with_as_a_float():
    net = Quantized()
    x = net.quantize(net.input(2, 5))
    y = net.add("pad", x, mode="constant", value=0.07, before=(0, 1), after=(0, 0))
    assert not integer_moves.run(net.finish(y))


def test_inputs_and_outputs_of_integers_become_floats():
    net = Quantized()
    q = Quantization((SCALE,), (ZERO,))
    net.graph.inputs.append("x0")
    net.graph.types["x0"] = TensorType((None, 6, 7, 5), DType.INT8, q)
    x = net.add("dequantize", "x0", scale=q.scale, zero_point=q.zero_point)
    y = net.convolution("pointwise", x)
    y = net.add("quantize", y, to="uint8", scale=(0.1,), zero_point=(9,))
    graph = net.finish(y)
    assert float_io.run(graph)
    assert not ill_typed(graph)
    assert [graph.types[v].dtype for v in ("x0", y)] == [DType.FLOAT32] * 2
    assert graph.outputs == [y]
    finish(graph)
    assert kinds(graph) == ["quantize", "pointwise", "dequantize"]
    assert not float_io.run(graph)
    assert len(run(graph)[0]) == 2
