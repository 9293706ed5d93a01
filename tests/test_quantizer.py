"""The quantiser: networks of float32 made int8 by calibration inputs."""

from __future__ import annotations

import json

import numpy as np
import onnx_models
import pytest

import dwsep
from dwsep.graph.passes import simplify
from dwsep.models._blocks import inverted_residual
from dwsep.models._builder import Network
from dwsep.quantizer.insert import insert
from dwsep.quantizer.observe import Observer
from dwsep.quantizer.places import CONVOLUTIONS, find_places
from dwsep.quantizer.ranges import RULES, quantizations
from dwsep.quantizer.refine import channel_means, refine
from dwsep.quantizer.samples import samples

pytest.importorskip("onnx")


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def source():
    """Return a network with a residual, relu6, hard_swish and squeeze-excite."""
    net = Network("small", resolution=32, classes=20, seed=0)
    x = net.conv(net.input, 16, 3, 2, activation="hard_swish")
    for stride in (2, 1):
        x = inverted_residual(net, x, 24, expanded=64, kernel=3, stride=stride, activation="relu6")
    x = inverted_residual(
        net, x, 32, expanded=64, kernel=3, stride=2, activation="hard_swish", squeezed=16
    )
    x = net.conv(x, 96, activation="relu")
    return net.model(net.dense(net.flatten(net.average(x)), net.classes))


@pytest.fixture(scope="module")
def images():
    return rng().standard_normal((16, 3, 32, 32), dtype=np.float32)


@pytest.fixture(scope="module")
def graph(source):
    from dwsep.graph.onnx import import_onnx

    return simplify(import_onnx(source))


def ratio(wanted, got):
    wanted, got = (a - a.mean(axis=-1, keepdims=True) for a in (wanted, got))
    return 10 * np.log10(np.sum(wanted**2) / np.sum((wanted - got) ** 2))


@pytest.mark.parametrize("method", ["auto", *RULES])
def test_the_outputs_are_near_those_of_float32(source, images, method):
    model = dwsep.quantize(source, [images], method=method)
    assert ratio(dwsep.load(source)(images), model(images)) > 20


def test_a_saved_network_computes_the_same(source, images, tmp_path):
    model = dwsep.quantize(source, [images], method="minmax")
    model.save(tmp_path / "net.dwsep")
    assert np.array_equal(dwsep.load(tmp_path / "net.dwsep")(images), model(images))


def test_a_network_may_take_integers(source, images):
    floats, integers = (
        dwsep.quantize(source, [images], method="minmax", float_input=f) for f in (True, False)
    )
    assert (floats.inputs[0].dtype, integers.inputs[0].dtype) == ("float32", "int8")
    q = integers.inputs[0].quantization
    assert np.array_equal(integers(q.quantize(images)), floats(images))


def test_inputs_may_come_by_name(source, images):
    name = dwsep.load(source).inputs[0].name
    model = dwsep.quantize(source, [{name: images}], method="minmax")
    assert np.array_equal(model(images), dwsep.quantize(source, [images], method="minmax")(images))


def test_weights_are_whole_multiples_of_a_scale_for_each_channel(graph, images):
    places, inserted = _inserted(graph, images)
    quantized = inserted.graph
    floats = {node.output: node for node in graph.nodes}
    for node in quantized.nodes:
        if node.output not in places.steps:
            continue
        made = floats[node.output].weights["weight"].reshape(-1, _made(node))
        kept = node.weights["weight"].reshape(-1, _made(node))
        scale = np.abs(made).max(axis=0) / np.float32(127)
        steps = kept / scale
        assert np.abs(steps - np.rint(steps)).max() < 1e-3
        assert np.abs(kept - made).max() <= 0.501 * scale.max()


def _made(node):
    shape = node.weights["weight"].shape
    return shape[2] * shape[3] if node.kind == "depthwise" else shape[-1]


def _inserted(graph, images, rule="minmax", **options):
    places = find_places(graph)
    observer = Observer(graph, [*places.stored], histograms=True)
    for image in images:
        observer.add([image[None]])
    ranks = {value: len(graph.shape(value)) for value in places.stored}
    scales = quantizations(places, observer.statistics, rule, ranks)
    return places, insert(graph, places, scales, **options)


def test_every_convolution_reads_integers_and_the_outputs_are_floats(graph, images):
    places, inserted = _inserted(graph, images)
    quantized = inserted.graph
    kinds = {node.output: node.kind for node in quantized.nodes}
    convolutions = [
        n for n in quantized.nodes if n.output in places.steps and n.kind in CONVOLUTIONS
    ]
    assert len(convolutions) == len(places.steps) == 12
    for node in convolutions:
        assert {kinds[value] for value in node.inputs} <= {"dequantize", "transpose", "reshape"}
    assert [*kinds.values()].count("transpose") == 1  # of the images, which moves integers
    assert [*kinds.values()].count("reshape") == 1  # of the last features
    assert kinds[quantized.outputs[0]] == "pointwise"


def test_inputs_of_depthwise_steps_have_scales_by_channel(graph, images):
    _, inserted = _inserted(graph, images)
    makers = {node.output: node for node in inserted.graph.nodes}
    axes = [
        makers[node.inputs[0]].attributes["axis"]
        for node in inserted.graph.nodes
        if node.kind == "depthwise"
    ]
    assert axes == [3, 3, 3]  # after relu6 and hard_swish alike


def test_squeeze_excite_computes_its_factors_in_float32_of_rounded_means(graph, images):
    places, inserted = _inserted(graph, images)
    assert len(places.gates) == 2
    assert places.gates.isdisjoint(places.steps)
    for node in inserted.graph.nodes:
        if node.output in places.gates:
            assert node.weights["weight"].dtype == np.int8
            assert node.weights["weight_scale"].shape == node.weights["weight"].shape[1:]
    product = next(
        n for n in graph.nodes if n.kind == "binary" and n.attributes["function"] == "mul"
    )
    mean = next(n for n in graph.nodes if n.kind == "reduce" and n.inputs[0] in product.inputs)
    assert {*product.inputs, product.output, mean.output} <= set(places.stored)


def test_steps_that_are_kept_in_float_read_and_write_floats(source, graph, images):
    kept = next(node.name for node in graph.nodes if node.kind == "depthwise")
    places = find_places(graph, keep_float=[kept])
    node = next(node for node in graph.nodes if node.name == kept)
    assert node.output not in places.steps
    assert node.inputs[0] not in places.stored
    assert node.output in places.stored  # the next convolution reads integers
    model = dwsep.quantize(source, [images], method="minmax", keep_float=[kept])
    assert ratio(dwsep.load(source)(images), model(images)) > 20


def test_one_in_eight_inputs_is_held_out(graph, images):
    held = [is_held_out for _, is_held_out in samples(graph, [images])]
    assert held == [False] * 7 + [True] + [False] * 7 + [True]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"method": "best"}, ValueError, "method: need one of auto, minmax"),
        ({"per_channel": 1}, TypeError, "per_channel: need a bool, got 1"),
        ({"float_input": 0}, TypeError, "float_input: need a bool, got 0"),
        ({"keep_float": ["nothing"]}, ValueError, r"keep_float: need names .* got \['nothing'\]"),
        ({"keep_float": -1}, ValueError, "keep_float: need .* got -1"),
        ({"keep_float": "Conv_0"}, TypeError, "keep_float: need names of steps, a number"),
        ({"progress": 3}, TypeError, "progress: need None or a callable"),
        ({"calibration": []}, ValueError, "calibration: need one input at least, got none"),
        ({"calibration": "photos"}, TypeError, "calibration: need an iterable of inputs"),
        ({"calibration": [np.zeros((1, 3, 32, 32))]}, TypeError, "of float32 .* got float64"),
        ({"calibration": [np.zeros((1, 3, 9, 32), np.float32)]}, ValueError, r"need shape \(N, 3"),
        ({"calibration": [{"y": 0}]}, ValueError, "need arrays named"),
        (
            {"calibration": [np.full((1, 3, 32, 32), np.nan, np.float32)]},
            ValueError,
            "need finite numbers",
        ),
    ],
)
def test_arguments_that_do_not_fit_are_named(source, images, options, error, message):
    calibration = options.pop("calibration", [images])
    with pytest.raises(error, match=message):
        dwsep.quantize(source, calibration, **options)


def test_saved_and_quantized_networks_are_refused(source, images, tmp_path):
    dwsep.load(source).save(tmp_path / "net.dwsep")
    with pytest.raises(ValueError, match="need an ONNX or TFLite file"):
        dwsep.quantize(tmp_path / "net.dwsep", [images])


def test_the_best_of_what_was_tried_is_kept(source, images):
    report = dwsep.quantize(source, [images]).quantization_report
    assert len(RULES) + 2 + 4 <= len(report.tried) <= len(RULES) + 2 + 6
    assert report.tried[report.method] == max(report.tried.values())
    assert any("biases corrected" in name for name in report.tried)
    assert any("weights fitted" in name for name in report.tried)


def test_corrected_biases_bring_the_means_back(graph, images):
    places, inserted = _inserted(graph, images, per_channel=False)
    inputs = [[image[None]] for image in images]
    wanted = channel_means(graph, places.steps, inputs)
    corrected = refine(inserted, places.steps, wanted, inputs)
    last = graph.outputs[0]

    def off(quantized):
        found = channel_means(quantized, places.steps, inputs)[last]
        return np.abs(np.median(found - wanted[last], axis=0)).mean()

    assert off(corrected) < 0.5 * off(inserted.graph)


def test_the_report_tells_of_every_step(source, graph, images, tmp_path):
    model = dwsep.quantize(source, [images], method="minmax")
    report = model.quantization_report
    assert (report.inputs, report.held_out) == (14, 2)
    assert report.decibels > 20
    assert 0 <= report.agreement <= 1
    names = {row.step for row in report.rows}
    assert {node.name for node in graph.nodes if node.kind == "depthwise"} <= names
    last = report.rows[-1]
    assert (last.dtype, last.decibels) == ("float32", None)
    assert last.alone_decibels > 20
    assert all(row.decibels > 5 for row in report.rows if row.dtype == "int8")
    assert report.int8_bytes < 0.5 * report.float_bytes
    again = json.loads(report.to_json())
    assert again["method"] == report.method
    assert len(again["rows"]) == len(report.rows)
    for row in report.rows:
        assert row.step in str(report)
    assert dwsep.load(source).quantization_report is None
    pytest.importorskip("matplotlib")
    report.plot(tmp_path / "steps.png")
    assert (tmp_path / "steps.png").read_bytes().startswith(b"\x89PNG")


def test_the_worst_steps_may_stay_in_float32(source, images):
    reports = [
        dwsep.quantize(source, [images], method="minmax", keep_float=k).quantization_report
        for k in (0, 3, 60)
    ]
    assert [len(report.kept_float) for report in reports] == [0, 3, 12]
    assert reports[0].decibels < reports[1].decibels < reports[2].decibels
    cost = {r.step: r.alone_decibels for r in reports[0].rows if r.kind in CONVOLUTIONS}
    worst = sorted((n for n in cost if cost[n] is not None), key=cost.get)
    assert set(reports[1].kept_float) <= set(worst[:6])


def test_as_many_steps_stay_in_float32_as_a_ratio_needs(source, images):
    tried = dwsep.quantize(source, [images]).quantization_report.tried
    best = max(tried.values())
    report = dwsep.quantize(source, [images], keep_float=best + 3.0).quantization_report
    assert 0 < len(report.kept_float) < 12
    assert not dwsep.quantize(
        source, [images], keep_float=best - 3.0
    ).quantization_report.kept_float


def test_sizes_that_the_file_leaves_open_are_those_of_the_first_input():
    nodes = [
        ("Conv", "x,w", "a", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}),
        ("Relu", "a", "b", {}),
        ("GlobalAveragePool", "b", "y", {}),
    ]
    weights = {"w": rng().standard_normal((4, 3, 3, 3), dtype=np.float32)}
    source = onnx_models.model(nodes, weights, inputs={"x": ("N", 3, "H", "W")})
    images = rng().standard_normal((9, 3, 12, 20), dtype=np.float32)
    for calibration in ([images], iter([images])):
        model = dwsep.quantize(source, calibration)
        assert model.inputs[0].shape == (None, 3, 12, 20)
        assert ratio(dwsep.load(source)(images)[:, :, 0, 0], model(images)[:, :, 0, 0]) > 20
    with pytest.raises(ValueError, match="input_shapes: need the sizes"):
        dwsep.quantize(source, [images], input_layout="NHWC")


def test_progress_is_told(source, images):
    told = []
    dwsep.quantize(source, [images[:4], images[4:]], progress=lambda *a: told.append(a))
    assert told[:2] == [("calibrating", 1, 2), ("calibrating", 2, 2)]
