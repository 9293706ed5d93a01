"""What importers of all formats share: the builder in either layout, and the choice of a format."""

from __future__ import annotations

import copy

import graph_oracle
import numpy as np
import pytest
from graph_builder import feeds_of, kinds, transposes, unequal

import dwsep
from dwsep.graph.importing import Import, symbols
from dwsep.graph.importing.builder import Builder
from dwsep.graph.importing.node import FileNode
from dwsep.graph.importing.values import Known, Unsupported, as_float32
from dwsep.graph.lowering import lower
from dwsep.graph.passes import optimize
from dwsep.model import Model

# --- layouts --------------------------------------------------------------------------------------


def _window(**more):
    return {"stride": (2, 1), "dilation": (1, 1), "padding": (1, 1, 0, 1), **more}


def _small_network(channels_last):
    """Build what depends on the layout, as an importer would."""
    rng = np.random.default_rng(5)

    def random(*shape):
        return rng.standard_normal(shape, np.float32)

    build = Builder("small", channels_last=channels_last)
    x = build.add_input("x", (None, 7, 6, 3) if channels_last else (None, 3, 7, 6))
    weights = {"weight": random(3, 2, 3, 4), "bias": random(4)}
    y = build.emit("conv", [x], weights, **_window(groups=1, activation=None))
    y = build.emit("batch_norm", [y], {"scale": random(4), "shift": random(4)})
    y = build.emit(
        "conv", [y], {"weight": random(3, 3, 1, 4)}, **_window(groups=4, activation=None)
    )
    y = build.activation("relu6", y)
    scale = Known(random(4) if channels_last else random(4, 1, 1))
    y = build.binary("mul", y, scale)
    y = build.emit(
        "pool", [y], function="max", kernel=(2, 1), **_window(padding=(0, 0, 0, 0), stride=(1, 1))
    )
    y = build.reduce("mean", y, (1, 2) if channels_last else (2, 3), keepdims=False)
    y = build.emit("dense", [y], {"weight": random(4, 2), "bias": random(2)}, activation=None)
    build.rename(y, "y", 0)
    build.graph.outputs.append("y")
    return build.graph


@pytest.mark.parametrize("channels_last", [False, True])
def test_a_graph_of_either_layout_runs(channels_last):
    graph = _small_network(channels_last)
    assert graph.channels_last == channels_last
    feeds = {name: x.astype(np.float32) for name, x in feeds_of(graph).items()}
    expected = graph_oracle.evaluate(copy.deepcopy(graph), feeds)["y"]
    optimize(graph)
    assert len(transposes(graph)) == (not channels_last)
    wanted = ["standard", "depthwise", "binary", "pool", "reduce", "pointwise"]
    assert kinds(graph)[-6:] == wanted
    assert np.ptp(expected) > 0
    assert not unequal({"y": expected}, {"y": Model(lower(graph, {}))(feeds["x"])})


def test_both_layouts_compute_the_same_bits():
    first, last = (_small_network(layout) for layout in (False, True))
    x = np.random.default_rng(1).standard_normal((3, 7, 6, 3), np.float32)
    y, z = (Model(lower(optimize(graph), {})) for graph in (first, last))
    assert y(x.transpose(0, 3, 1, 2)).tobytes() == z(x).tobytes()


def test_known_images_are_folded_in_nhwc():
    """The core computes in NHWC; others stay nodes, which passes fold after the layout pass."""
    array = np.arange(18, dtype=np.float32).reshape(1, 2, 3, 3)
    build = Builder("folded", channels_last=True)
    value = build.emit("zero_insert", [Known(array)], stride=(2, 1))
    assert isinstance(value, Known)
    spread = np.insert(array, 1, 0, axis=1)
    assert value.array.tobytes() == spread.tobytes()
    assert not build.graph.nodes
    build = Builder("kept", channels_last=False)
    value = build.emit("zero_insert", [Known(array)], stride=(2, 1))
    assert value.shape == (1, 2, 5, 3)
    assert [node.kind for node in build.graph.nodes] == ["zero_insert"]


# --- problems -------------------------------------------------------------------------------------


def _chain(*types):
    names = ["x", *(f"v{i}" for i in range(len(types)))]
    return [
        FileNode(f"node {i}", type_, [names[i]], [names[i + 1]], {})
        for i, type_ in enumerate(types)
    ]


def _import(nodes, importers, **options):
    state = Import("file", "network", nodes, {}, channels_last=True)
    state.add_input("x", (None, 4))

    def importer(node, values, wanted):
        return [importers[node.type](state.build, *values)]

    return state.run(importer, importers, [nodes[-1].outputs[0]])


def test_the_file_s_names_are_the_graph_s():
    nodes = _chain("Tanh", "Twice")
    importers = {
        "Tanh": lambda build, x: build.activation("tanh", x),
        "Twice": lambda build, x: build.binary("add", build.unary("neg", x), x),
    }
    graph = _import(nodes, importers)
    assert [n.output for n in graph.nodes] == ["v0", "node 1/unary", "v1"]
    assert [n.name for n in graph.nodes] == ["node 0", "node 1", "node 1"]
    assert graph.outputs == ["v1"]


def test_all_problems_are_reported_once():
    """A node behind a problem is no problem of its own, an unknown operator always is."""
    nodes = _chain("Tanh", "What", "Tanh", "Which")
    with pytest.raises(dwsep.errors.UnsupportedOperatorError) as error:
        _import(nodes, {"Tanh": lambda build, x: build.activation("tanh", x)})
    assert str(error.value).splitlines() == [
        "file: 2 of 4 nodes cannot be imported",
        "  node 1 (What): this operator is not supported",
        "  node 3 (Which): this operator is not supported",
        "  what comes before can be had with outputs=['v0']",
    ]


def test_an_unsound_node_is_not_called_unsupported():
    def fails(build, x):
        raise ValueError("no")

    with pytest.raises(dwsep.errors.InvalidModelError, match=r"node 0 \(Odd\): .* do not fit: no"):
        _import(_chain("Odd"), {"Odd": fails})


def test_an_output_that_another_name_has_is_a_copy():
    nodes = [*_chain("Tanh"), FileNode("same", "Same", ["v0"], ["w"], {})]
    importers = {"Tanh": lambda build, x: build.activation("tanh", x), "Same": lambda build, x: x}
    graph = _import(nodes, importers)
    assert [(n.kind, n.inputs, n.output) for n in graph.nodes] == [
        ("activation", ["x"], "v0"),
        ("identity", ["v0"], "w"),
    ]


# --- values ---------------------------------------------------------------------------------------


def test_numbers_are_added_to_the_batch():
    batch = symbols.Dim(2, 5)
    for total, plus in [(batch + 3, 8), (3 + batch, 8), (batch - 3, 2), (batch + np.int64(-7), -2)]:
        assert (total.times, total.plus) == (2, plus)
    assert 3 - batch + batch == 3


@pytest.mark.parametrize("sign", [1, -1])
def test_the_batch_is_computed_with_in_63_bits(sign):
    half = symbols.Dim(sign * 2**62, sign * 2**62)
    assert (half + symbols.Dim(sign * (2**62 - 1)) - half).times == sign * (2**62 - 1)
    for other in (symbols.Dim(half.times), half.plus):
        with pytest.raises(Unsupported, match="overflows"):
            _ = half + other


def test_empty_arrays_have_no_huge_axes():
    assert Known(np.zeros((0, 2**16), np.float32)).array.size == 0
    with pytest.raises(dwsep.errors.InvalidModelError, match="is an empty array of shape"):
        Known(np.zeros((2**16 + 1, 0), np.float32))


@pytest.mark.parametrize("other", [1.5, True, np.float32(2), "1"])
def test_the_batch_is_computed_with_by_integers_alone(other):
    with pytest.raises(Unsupported, match="depends on the size of the batch"):
        _ = symbols.Dim(1, 0) + other


def test_a_module_whose_import_broke_off_is_imported_again():
    from dwsep.graph.later import Later

    table = Later("nowhere", {"module": "one two"})
    table.enter("one", 1)  # then an interruption, and the import from its beginning
    table.entry("one", "two")(2)
    assert table.whole() == {"one": 2, "two": 2}


# --- numbers --------------------------------------------------------------------------------------

_BITS = np.arange(2**16, dtype=np.uint16)
_SHIFTED = np.frombuffer(b"." + _BITS.tobytes(), np.float16, offset=1)
_HALVES = {
    "all": _BITS.view(np.float16),
    "in columns": _BITS.view(np.float16).reshape(256, 256).T[3:],
    "unaligned": _SHIFTED,
    "of the other order of bytes": _BITS.view(np.float16).astype(">f2"),
    "without axes": np.array(-1.5, np.float16),
    "a scalar": np.float16(-1.5),
    "five": np.float16([1, -0.0, 6e-8, np.inf, np.nan]),
    "none": np.empty((3, 0), np.float16),
}


@pytest.mark.parametrize("halves", _HALVES.values(), ids=_HALVES.keys())
def test_float16_becomes_float32_bit_by_bit(halves):
    floats, wanted = as_float32(halves), halves.astype(np.float32)
    assert (floats.dtype, floats.shape) == (wanted.dtype, wanted.shape)
    np.testing.assert_array_equal(
        np.ascontiguousarray(floats).view(np.uint32), np.ascontiguousarray(wanted).view(np.uint32)
    )
