"""The quantiser: networks of float32 made int8 by calibration inputs."""

from __future__ import annotations

import numpy as np
import pytest

import dwsep
from dwsep.graph.pipeline import simplify
from dwsep.quantizer.histogram import Histogram
from dwsep.quantizer.insert import insert
from dwsep.quantizer.places import find_places
from dwsep.quantizer.ranges import RULES, quantizations, range_of
from dwsep.quantizer.samples import Kept, samples

pytest.importorskip("onnx")
from dwsep.quantizer.observe import Observer


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def source():
    return dwsep.models.mobilenet_v2(alpha=0.35, resolution=32, classes=20)


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


@pytest.mark.parametrize("method", RULES)
def test_the_outputs_are_near_those_of_float32(source, images, method):
    model = dwsep.quantize(source, [images], method=method)
    assert ratio(dwsep.load(source)(images), model(images)) > 20


def test_the_same_inputs_give_the_same_file(source, images):
    files = [
        dwsep.quantize(source, calibration, method="percentile")._network.to_bytes()
        for calibration in ([images], (image[None] for image in images))
    ]
    assert files[0] == files[1]


def test_a_saved_network_computes_the_same(source, images, tmp_path):
    model = dwsep.quantize(source, [images], method="minmax")
    model.save(tmp_path / "net.dwsep")
    assert np.array_equal(dwsep.load(tmp_path / "net.dwsep")(images), model(images))


def test_inputs_may_come_by_name(source, images):
    name = dwsep.load(source).inputs[0].name
    model = dwsep.quantize(source, [{name: images}], method="minmax")
    assert np.array_equal(model(images), dwsep.quantize(source, [images], method="minmax")(images))


def test_weights_are_whole_multiples_of_a_scale_for_each_channel(graph, images):
    places, quantized = _inserted(graph, images)
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
    places, quantized = _inserted(graph, images)
    kinds = {node.output: node.kind for node in quantized.nodes}
    convolutions = [n for n in quantized.nodes if n.kind in ("pointwise", "depthwise", "standard")]
    assert len(convolutions) == len(places.steps) > 50
    for node in convolutions:
        assert {kinds[value] for value in node.inputs} <= {"dequantize", "transpose", "reshape"}
    assert [*kinds.values()].count("transpose") == 1  # of the images, which moves integers
    assert [*kinds.values()].count("reshape") == 1  # of the last features
    assert kinds[quantized.outputs[0]] == "pointwise"


def test_inputs_of_depthwise_steps_have_scales_by_channel(graph, images):
    _, quantized = _inserted(graph, images)
    makers = {node.output: node for node in quantized.nodes}
    axes = [
        makers[node.inputs[0]].attributes["axis"]
        for node in quantized.nodes
        if node.kind == "depthwise"
    ]
    assert set(axes) == {3}


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


def test_what_is_kept_is_spread_over_all_inputs():
    kept = Kept(4, 1000)
    for number in range(20):
        kept.offer([np.full(10, number, np.float32)])
    assert [int(array[0]) for (array,) in kept.samples] == [0, 8, 16]


def test_histograms_count_everything_whatever_comes_first():
    parts = [rng().standard_normal(1000, np.float32) * np.float32(10.0**i) for i in (2, 0, -3, 4)]
    histogram = Histogram()
    for part in parts:
        histogram.add(part)
    values = np.concatenate(parts)
    counts, edges = histogram.counts, histogram.edges()
    assert counts.size <= 4096
    assert np.array_equal(counts, np.histogram(values, edges)[0])


def test_percentiles_leave_out_the_tails():
    values = rng().standard_normal(1_000_000).astype(np.float32)
    values[:10] = 100
    found = range_of("percentile", [_statistics(values)])
    assert found.low[0] == pytest.approx(np.quantile(values, 0.00005), abs=0.1)
    assert found.high[0] == pytest.approx(np.quantile(values, 0.99995), abs=0.1)


def test_the_least_error_clamps_outliers():
    values = rng().standard_normal(100_000).astype(np.float32)
    values[0] = 20
    found = range_of("mse", [_statistics(values)])

    def error(low, high):
        step = (high - low) / 255
        rounded = np.clip(np.rint(values / step) * step, low, high)
        return np.mean((rounded - values) ** 2)

    extremes = error(values.min(), values.max())
    assert error(found.low[0], found.high[0]) < 0.9 * extremes


def _statistics(values):
    from dwsep.quantizer.observe import Statistics

    result = Statistics.empty(1)
    result.add(values.min(keepdims=True), values.max(keepdims=True))
    result.histogram.add(values)
    return result


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"method": "best"}, ValueError, "method: need one of minmax"),
        ({"per_channel": 1}, TypeError, "per_channel: need a bool, got 1"),
        ({"keep_float": ["nothing"]}, ValueError, r"keep_float: need names .* got \['nothing'\]"),
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


def test_progress_is_told(source, images):
    told = []
    dwsep.quantize(source, [images[:4], images[4:]], progress=lambda *a: told.append(a))
    assert told[:2] == [("calibrating", 1, 2), ("calibrating", 2, 2)]
