"""One spatial axis: operators on (N, C, W), which are computed as images of one row."""

from __future__ import annotations

import numpy as np
import pytest
from graph_runner import run

onnx = pytest.importorskip("onnx", reason="imports ONNX models")
ort = pytest.importorskip("onnxruntime", reason="compares with onnxruntime")

from onnx_models import f, ints, model

import dwsep
from dwsep.errors import InvalidModelError, UnsupportedOperatorError
from dwsep.graph.onnx import import_onnx

SEQUENCE = {"x": ("N", 6, 25)}


def _compared(net, **inputs):
    """Check a network against onnxruntime; return the kinds of its steps."""
    session = ort.InferenceSession(net.SerializeToString(), providers=["CPUExecutionProvider"])
    wanted = session.run(None, inputs)
    network = dwsep.load(net)
    got = network.run(None, inputs)
    for mine, other in zip(got, wanted, strict=True):
        assert mine.shape == other.shape
        np.testing.assert_allclose(mine, other, rtol=0, atol=3e-6 * max(1, np.abs(other).max()))
    return [row.kind for row in network.summary().rows]


CASES = [
    ("Conv", {"strides": [2], "pads": [3, 1]}, {"w": f(8, 6, 5), "b": f(8)}),
    ("Conv", {"auto_pad": "SAME_UPPER", "strides": [2]}, {"w": f(8, 6, 4)}),
    ("Conv", {"group": 6, "dilations": [3], "pads": [6, 6]}, {"w": f(6, 1, 5), "b": f(6)}),
    ("Conv", {"group": 2, "kernel_shape": [1]}, {"w": f(4, 3, 1)}),
    ("ConvTranspose", {"strides": [3], "pads": [1, 0]}, {"w": f(6, 4, 4), "b": f(4)}),
    ("ConvTranspose", {"strides": [2], "output_shape": [51]}, {"w": f(6, 2, 3)}),
    ("ConvTranspose", {"strides": [2], "group": 3, "output_padding": [1]}, {"w": f(6, 1, 3)}),
    ("MaxPool", {"kernel_shape": [3], "strides": [2], "pads": [1, 1]}, {}),
    ("MaxPool", {"kernel_shape": [4], "strides": [3], "ceil_mode": 1}, {}),
    ("AveragePool", {"kernel_shape": [5], "pads": [2, 2], "count_include_pad": 1}, {}),
    ("AveragePool", {"kernel_shape": [5], "pads": [2, 2]}, {}),
    ("GlobalAveragePool", {}, {}),
    ("GlobalMaxPool", {}, {}),
    ("InstanceNormalization", {}, {"s": f(6), "b": f(6)}),
]


@pytest.mark.parametrize(("operator", "attributes", "weights"), CASES)
def test_operators(operator, attributes, weights):
    net = model([(operator, ",".join(("x", *weights)), "y", attributes)], weights, inputs=SEQUENCE)
    _compared(net, x=f(3, 6, 25))


@pytest.mark.parametrize("mode", ["nearest", "linear"])
@pytest.mark.parametrize("given", ["scales", "sizes"])
def test_resizing(mode, given):
    last = {"scales": np.float32([1, 1, 2.5]), "sizes": ints(3, 6, 60)}[given]
    names = "x,,w" if given == "scales" else "x,,,w"
    net = model([("Resize", names, "y", {"mode": mode})], {"w": last}, inputs={"x": (3, 6, 25)})
    _compared(net, x=f(3, 6, 25))


BATCH_NORM = {"g": f(8), "s": f(8), "m": f(8), "v": np.abs(f(8)) + 1}
BLOCK = [
    ("Conv", "x,w", "a0", {"pads": [1, 1]}),
    ("Relu", "a0", "a", {}),
    ("Conv", "a,d", "b0", {"group": 8, "pads": [4, 4]}),
    ("BatchNormalization", "b0,g,s,m,v", "b1", {}),
    ("Relu", "b1", "b", {}),
    ("Conv", "b,p", "c0", {}),
    ("Add", "c0,a", "c", {}),
    ("Pad", "c,around", "d1", {}),
    ("Slice", "d1,from,to,axis", "e", {}),
    ("Concat", "e,e", "k", {"axis": 1}),
    ("Conv", "k,q", "y", {"strides": [2]}),
]
WEIGHTS = {
    **BATCH_NORM,
    **{"w": f(8, 6, 3), "d": f(8, 1, 9), "p": f(8, 8, 1), "q": f(5, 16, 3)},
    **{"around": ints(0, 0, 2, 0, 0, 1), "from": ints(1), "to": ints(27), "axis": ints(2)},
}


def test_a_block_is_recognized_between_two_views():
    kinds = _compared(model(BLOCK, WEIGHTS, inputs=SEQUENCE), x=f(2, 6, 25))
    assert "separable" in kinds
    at_work = [k for k in kinds if k not in ("pad", "slice", "concat", "standard", "separable")]
    assert sorted(set(at_work) - {"reshape"}) == ["transpose"], kinds  # of the input and the output
    assert kinds.count("transpose") == 2


def test_squeeze_excite_of_a_sequence_is_recognized():
    nodes = [
        ("Conv", "x,d", "a", {"group": 6, "pads": [1, 1]}),
        ("GlobalAveragePool", "a", "m", {}),
        ("Conv", "m,r", "r0", {}),
        ("Relu", "r0", "r1", {}),
        ("Conv", "r1,e", "e0", {}),
        ("Sigmoid", "e0", "e1", {}),
        ("Mul", "a,e1", "g", {}),
        ("Conv", "g,p", "y", {}),
    ]
    weights = {"d": f(6, 1, 3), "r": f(3, 6, 1), "e": f(6, 3, 1), "p": f(4, 6, 1)}
    kinds = _compared(model(nodes, weights, inputs=SEQUENCE), x=f(2, 6, 25))
    assert [k for k in kinds if k not in ("reshape", "transpose")] == ["separable"]


@pytest.mark.parametrize("channels", [1, 6])
@pytest.mark.parametrize("aside", [False, True])
def test_channels_last_input(channels, aside):
    nodes = [("Conv", "x,w", "y", {}), *([("Neg", "x", "z", {})] if aside else [])]
    outputs = ("y", "z") if aside else ("y",)
    net = model(nodes, {"w": f(4, channels, 3)}, inputs={"x": ("N", channels, 25)}, outputs=outputs)
    x = f(2, channels, 25)
    as_in_file = dwsep.load(net).run(None, {"x": x})
    network = dwsep.load(net, input_layout="NHWC")
    assert network.inputs[0].shape == (None, 25, channels)
    got = network.run(None, {"x": x.transpose(0, 2, 1).copy()})
    assert all(np.array_equal(a, b) for a, b in zip(got, as_in_file, strict=True))


@pytest.mark.parametrize(
    ("node", "weights", "reason"),
    [
        (("Conv", "x,w", "y", {}), {"w": f(2, 6, 1, 1)}, "weights: need 3 axes"),
        (("Conv", "x,w", "y", {"strides": [1, 1]}), {"w": f(2, 6, 1)}, "strides: need one number"),
        (("Conv", "x,w", "y", {"pads": [1] * 4}), {"w": f(2, 6, 1)}, "pads: need two numbers"),
        (("MaxPool", "x", "y", {"kernel_shape": [2, 2]}), {}, "kernel_shape: need one number"),
    ],
)
def test_attributes_of_another_number_of_axes(node, weights, reason):
    with pytest.raises(InvalidModelError, match=reason):
        import_onnx(model([node], weights, inputs=SEQUENCE))


def test_volumes_are_refused():
    net = model([("Conv", "x,w", "y", {})], {"w": f(2, 6, 1, 1, 1)}, inputs={"x": (1, 6, 4, 4, 4)})
    with pytest.raises(UnsupportedOperatorError, match="its input has 5"):
        import_onnx(net)


def test_before_the_passes_a_sequence_is_a_view_of_an_image():
    graph = import_onnx(model([("Conv", "x,w", "y", {})], {"w": f(2, 6, 3)}, inputs=SEQUENCE))
    assert [n.kind for n in graph.nodes] == ["reshape", "conv", "reshape"]
    assert graph.shape("y") == (None, 2, 23)
    x, w = f(2, 6, 25).astype(np.float64), f(2, 6, 3).astype(np.float64)
    windows = np.lib.stride_tricks.sliding_window_view(x, 3, axis=2)
    wanted = np.einsum("ncwk,ock->now", windows, w)
    np.testing.assert_allclose(run(graph, {"x": x.astype(np.float32)})[0], wanted, atol=1e-5)


# --- images of one column -------------------------------------------------------------------------

COLUMN = {"x": ("N", 6, 25, 1)}
COLUMN_CASES = [
    ("Conv", {"strides": [2, 1], "pads": [3, 0, 1, 0]}, {"w": f(8, 6, 5, 1), "b": f(8)}),
    ("Conv", {"strides": [2, 2], "pads": [1, 1, 1, 1]}, {"w": f(8, 6, 3, 3), "b": f(8)}),
    ("Conv", {"dilations": [2, 1], "pads": [2, 2, 2, 2]}, {"w": f(8, 6, 3, 5)}),
    ("Conv", {"group": 6, "pads": [4, 2, 4, 2], "dilations": [1, 2]}, {"w": f(6, 1, 9, 3)}),
    ("Conv", {"pads": [1, 3, 1, 3], "dilations": [1, 2]}, {"w": f(8, 6, 3, 4)}),  # beside it all
    ("MaxPool", {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}, {}),
    ("AveragePool", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1}, {}),
    ("AveragePool", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}, {}),
    ("AveragePool", {"kernel_shape": [3, 1], "pads": [1, 0, 1, 0], "count_include_pad": 1}, {}),
    ("Resize", {"mode": "linear"}, {"": np.float32(0), "s": np.float32([1, 1, 2.5, 1])}),
]


@pytest.mark.parametrize(("operator", "attributes", "weights"), COLUMN_CASES)
def test_operators_on_columns(operator, attributes, weights):
    constants = {name: array for name, array in weights.items() if name}
    net = model([(operator, ",".join(("x", *weights)), "y", attributes)], constants, inputs=COLUMN)
    _compared(net, x=f(3, 6, 25, 1))


def test_blocks_of_columns_run_as_rows():
    """A keyword spotter: windows 9x1 with strides, residuals, a dense end."""
    nodes = [
        ("Conv", "x,w", "a0", {"pads": [1, 0, 1, 0]}),
        ("Relu", "a0", "a", {}),
        ("Conv", "a,e", "b0", {}),
        ("Relu", "b0", "b", {}),
        ("Conv", "b,d", "c0", {"group": 16, "pads": [4, 0, 4, 0]}),
        ("Relu", "c0", "c", {}),
        ("Conv", "c,p", "s0", {}),
        ("Add", "s0,a", "s1", {}),
        ("Relu", "s1", "s", {}),
        ("Add", "s,v", "t", {}),
        ("Pad", "t,around", "u", {}),
        ("Slice", "u,from,to,axis", "v1", {}),
        ("Concat", "v1,v1", "k", {"axis": 1}),
        ("Conv", "k,q", "z", {"strides": [2, 2]}),
        ("GlobalAveragePool", "z", "y", {}),
    ]
    weights = {
        **{"w": f(8, 6, 3, 1), "e": f(16, 8, 1, 1), "d": f(16, 1, 9, 1), "p": f(8, 16, 1, 1)},
        **{"v": f(8, 1, 1), "q": f(5, 16, 3, 1), "around": ints(0, 0, 2, 0, 0, 0, 1, 0)},
        **{"from": ints(1), "to": ints(27), "axis": ints(2)},
    }
    net = model(nodes, weights, inputs=COLUMN)
    assert "inverted_residual" in _compared(net, x=f(2, 6, 25, 1))
    rows = [
        r for r in dwsep.load(net).summary().rows if r.kind in ("standard", "inverted_residual")
    ]
    assert len(rows) == 3
    assert all(row.output[1] == 1 for row in rows)
