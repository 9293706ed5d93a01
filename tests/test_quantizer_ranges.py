"""How the quantiser finds ranges and scales: inputs that are kept, histograms, rules, links."""

from __future__ import annotations

import numpy as np
import pytest
from graph_builder import Net

from dwsep.graph.lowering import lower
from dwsep.quantizer.histogram import Histogram
from dwsep.quantizer.insert import insert
from dwsep.quantizer.links import images_of_zero, link
from dwsep.quantizer.observe import Observer, Statistics
from dwsep.quantizer.places import find_places
from dwsep.quantizer.ranges import quantizations, range_of
from dwsep.quantizer.samples import Kept


def test_what_is_kept_is_spread_over_all_inputs():
    kept = Kept(4, 1000)
    for number in range(20):
        kept.offer([np.full(10, number, np.float32)])
    assert [int(array[0]) for (array,) in kept.samples] == [0, 8, 16]


def test_histograms_count_everything_whatever_comes_first():
    parts = [
        np.random.default_rng(0).standard_normal(1000, np.float32) * np.float32(10.0**i)
        for i in (2, 0, -3, 4)
    ]
    histogram = Histogram()
    for part in parts:
        histogram.add(part)
    values = np.concatenate(parts)
    counts, edges = histogram.counts, histogram.edges()
    assert counts.size <= 4096
    assert np.array_equal(counts, np.histogram(values, edges)[0])


def test_percentiles_leave_out_the_tails():
    values = np.random.default_rng(0).standard_normal(1_000_000).astype(np.float32)
    values[:10] = 100
    found = range_of("percentile", [_statistics(values)])
    assert found.low[0] == pytest.approx(np.quantile(values, 0.00005), abs=0.1)
    assert found.high[0] == pytest.approx(np.quantile(values, 0.99995), abs=0.1)


def test_the_least_error_clamps_outliers():
    values = np.random.default_rng(0).standard_normal(100_000).astype(np.float32)
    values[0] = 20
    found = range_of("mse", [_statistics(values)])

    def error(low, high):
        step = (high - low) / 255
        rounded = np.clip(np.rint(values / step) * step, low, high)
        return np.mean((rounded - values) ** 2)

    extremes = error(values.min(), values.max())
    assert error(found.low[0], found.high[0]) < 0.9 * extremes


def test_images_of_zero():
    """A quotient of a sum: (0 - 0.5) / 4."""
    net = Net(channels_last=True)
    x = net.input(None, 6, 6, 4)
    y = net.add("pointwise", x, weights={"weight": net.random(4, 8)}, activation=None)
    moved = net.add("binary", y, net.constant([0.5]), function="sub", activation=None)
    scaled = net.add("binary", moved, net.constant([4]), function="div", activation=None)
    weights = {"weight": net.random(8, 3)}
    net.graph.outputs = [
        net.add("pointwise", value, weights=weights, activation=None) for value in (moved, scaled)
    ]
    places = find_places(net.graph)
    assert images_of_zero(net.graph, places) == {moved: -0.5, scaled: -0.125}


def _statistics(values):
    result = Statistics.empty(1)
    result.add(values.min(keepdims=True), values.max(keepdims=True))
    result.histogram.add(values)
    return result


def test_factors_and_terms_of_one_number_change_no_integer():
    net = Net(channels_last=True)
    x = net.input(None, 6, 6, 4)
    y = net.add("pointwise", x, weights={"weight": net.random(4, 8)}, activation="hard_swish")
    scaled = net.add("binary", y, net.constant([0.4]), function="mul", activation=None)
    moved = net.add("binary", scaled, net.constant([-0.3]), function="add", activation=None)
    z = net.add("pointwise", moved, weights={"weight": net.random(8, 3)}, activation=None)
    net.graph.outputs = [z]
    places = find_places(net.graph)
    assert {y, scaled, moved} <= set(places.stored)
    images = [net.random(1, 6, 6, 4) for _ in range(4)]
    observer = Observer(net.graph, [*places.stored], histograms=False)
    for image in images:
        observer.add([image])
    ranks = {value: 4 for value in places.stored}
    scales = quantizations(places, observer.statistics, "minmax", ranks)
    link(net.graph, places, scales)
    inserted = insert(net.graph, places, scales).graph
    inserted.outputs = [f"{value}_quantized" for value in (y, scaled, moved)]
    for image in images:
        stored = lower(inserted, {}).run([image])
        assert np.array_equal(stored[0], stored[1])
        assert np.array_equal(stored[0], stored[2])
