"""Summaries and profiles of models: what they count, print and draw."""

from __future__ import annotations

import json
import sys
from math import prod

import numpy as np
import pytest
from small_networks import IMAGES, feeds

import dwsep

# --- summary


def test_summary_counts_what_the_network_has(model):
    summary = model.summary(batch=2)
    kinds = ["standard", "depthwise", "separable", "inverted_residual", "reduce", "pointwise"]
    assert [row.kind for row in summary.rows] == [*kinds, "softmax"]
    pixels = 2 * np.array([64, 64, 16, 16])
    macs = [
        pixels[0] * 27 * 8,
        pixels[1] * 9 * 8,
        pixels[2] * (9 * 8 + 8 * 16),
        pixels[3] * (16 * 24 + 9 * 24 + 24 * 16) + 2 * (24 * 4 + 4 * 24),
        0,
        2 * 16 * 10,
        0,
    ]
    assert [row.macs for row in summary.rows] == macs
    parameters = [27 * 8 + 8, 9 * 8 + 8, 9 * 8 + 8 + 8 * 16 + 16]
    parameters += [16 * 24 + 24 + 9 * 24 + 24 + 24 * 16 + 16 + 24 * 4 + 4 + 4 * 24 + 24]
    assert [row.parameters for row in summary.rows] == [*parameters, 0, 170, 0]
    assert (summary.macs, summary.parameters) == (sum(macs), sum(parameters) + 170)
    assert summary.inputs == {"images": (2, 8, 8, 3)}
    assert summary.outputs == {"probabilities": (2, 10), "features": (2, 16)}
    assert summary.rows[3].inputs == ((2, 4, 4, 16), (2, 4, 4, 16))
    assert summary.rows[2].output == (2, 4, 4, 16)
    assert summary.weight_bytes >= 4 * summary.parameters
    assert summary.arena_bytes > 0


def test_summary_prints_and_goes_to_json(model):
    summary = model.summary()
    text = str(summary)
    for word in ("small: images 1x8x8x3", "inverted_residual", "total", f"{summary.macs:,}"):
        assert word in text
    assert len({len(line) for line in text.splitlines()[1:3]}) == 1
    report = json.loads(summary.to_json())
    assert report["parameters"] == summary.parameters
    assert [row["name"] for row in report["rows"]] == [row.name for row in summary.rows]


def test_summary_of_steps_without_work(rearranger):
    rows = rearranger.summary().rows
    assert any(row.free for row in rows if row.kind == "reshape")
    assert not any(row.free for row in rows if row.kind in ("pool", "matmul", "layer_norm"))
    (product,) = [row for row in rows if row.kind == "matmul"]
    assert product.macs == 9 * 9 * 6


def test_summary_takes_shapes_by_name(rearranger):
    summary = rearranger.summary(input_shapes={"x": (3, 6, 4, 8), "factor": [2, 3]})
    assert summary.outputs == {"products": (3, 9, 9), "factor": (2, 2, 3)}


@pytest.mark.parametrize(
    ("error", "arguments", "word"),
    [
        (ValueError, {"batch": 0}, "batch"),
        (TypeError, {"batch": 1.5}, "batch"),
        (ValueError, {"input_shapes": {"picture": (1, 8, 8, 3)}}, "picture"),
        (ValueError, {"input_shapes": {"images": (1, 9, 8, 3)}}, "images"),
        (TypeError, {"input_shapes": {"images": 5}}, "images"),
        (ValueError, {"input_shapes": {"images": (-1, 8, 8, 3)}}, "images"),
        (TypeError, {"input_shapes": [("images", (1, 8, 8, 3))]}, "input_shapes"),
        (TypeError, {"input_shapes": 1}, "input_shapes"),
    ],
)
def test_summary_refuses_by_name(model, error, arguments, word):
    with pytest.raises(error, match=word):
        model.summary(**arguments)


# --- profile


@pytest.mark.usefixtures("little_to_measure")
def test_profile(model):
    profile = model.profile(IMAGES, rounds=3, num_threads=1)
    summary = model.summary(batch=5, num_threads=1)
    assert [row.step for row in profile.rows] == summary.rows
    assert (profile.rounds, profile.threads, profile.name) == (3, 1, "small")
    assert profile.seconds > 0
    assert profile.limit_seconds == pytest.approx(sum(r.limit_seconds for r in profile.rows))
    for row in profile.rows:
        assert row.seconds > 0
        assert row.gflops == pytest.approx(row.step.flops / row.seconds / 1e9)
        assert row.share_of_limit == pytest.approx(row.limit_seconds / row.seconds)
        assert row.bound in ("compute", "memory")
        assert row.limit_seconds >= 0.999e-9 * row.step.flops / profile.peak_gflops
        written = 4 * prod(row.step.output)
        assert row.step.bytes > written
    report = json.loads(profile.to_json())
    assert report["rows"][3]["step"]["kind"] == "inverted_residual"
    text = str(profile)
    for word in ("1 thread,", "3 rounds", "a whole call", "of limit", "peak", "L1D"):
        assert word in text


@pytest.mark.usefixtures("little_to_measure")
@pytest.mark.parametrize("threads", [1, 2])
def test_trace(model, tmp_path, threads):
    """Every step that works has a bar on every thread; bars of a thread do not overlap."""
    profile = model.profile(np.repeat(IMAGES, 8, axis=0), rounds=1, num_threads=threads)
    profile.save_trace(tmp_path / "trace.json")
    trace = json.loads((tmp_path / "trace.json").read_text(encoding="utf-8"))
    bars = [event for event in trace["traceEvents"] if event["ph"] == "X"]
    names = {row.step.name for row in profile.rows if not row.step.free}
    for thread in {bar["tid"] for bar in bars}:
        mine = [bar for bar in bars if bar["tid"] == thread]
        assert set(" ".join(bar["name"] for bar in mine).split()) >= names
        ends = [bar["ts"] + bar["dur"] for bar in mine]
        assert all(bar["ts"] >= end for bar, end in zip(mine[1:], ends[:-1], strict=True))
        assert all(bar["dur"] > 0 for bar in mine)
    rows = [event for event in trace["traceEvents"] if event["ph"] == "M"]
    assert [row["tid"] for row in rows] == list(range(len(rows)))
    assert 1 <= len(rows) <= threads


@pytest.mark.usefixtures("little_to_measure")
def test_profile_of_steps_without_work(rearranger):
    profile = rearranger.profile(*feeds(rearranger).values(), rounds=1)
    free = [row for row in profile.rows if row.step.free]
    assert free
    assert all(row.seconds == row.limit_seconds == row.gflops == 0 for row in free)
    text = str(profile)
    assert all(f" {row.step.name} " not in text for row in free)


def test_profile_refuses(model):
    with pytest.raises(ValueError, match="rounds"):
        model.profile(IMAGES, rounds=0)
    with pytest.raises(ValueError, match="images"):
        model.profile(IMAGES[:, :2])
    with pytest.raises(ValueError, match="num_threads"):
        model.profile(IMAGES, num_threads=-1)


@pytest.mark.usefixtures("little_to_measure")
def test_plot(model, tmp_path):
    pytest.importorskip("matplotlib", reason="draws the roofline plot")
    profile = model.profile(IMAGES, rounds=1)
    profile.plot(tmp_path / "roofline.png")
    assert (tmp_path / "roofline.png").read_bytes().startswith(b"\x89PNG")
    profile.plot(tmp_path / "roofline.svg")
    text = (tmp_path / "roofline.svg").read_text()
    assert "<svg" in text
    with pytest.raises(ValueError, match="xyz"):
        profile.plot(tmp_path / "roofline.xyz")


@pytest.mark.usefixtures("little_to_measure")
def test_plot_without_matplotlib(model, monkeypatch, tmp_path):
    profile = model.profile(IMAGES, rounds=1)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"dwsep\[plot\]"):
        profile.plot(tmp_path / "roofline.png")


# --- networks from ONNX


@pytest.mark.parametrize(
    "name", ["mobilenet_v1", "mobilenet_v3_small", "efficientnet_b0", "shufflenet_v2"]
)
def test_multiply_adds_are_those_of_the_file(name):
    """All rewriting together neither adds nor saves any, and drops parameters of batch norms."""
    pytest.importorskip("onnx", reason="builds networks")
    source = getattr(dwsep.models, name)(resolution=64, classes=10)
    summary, count = dwsep.load(source).summary(), dwsep.models.count(source)
    assert summary.macs == count.macs
    assert 0.95 * count.parameters < summary.parameters < count.parameters


def test_names_of_hundreds_of_characters_leave_the_tables_narrow():
    pytest.importorskip("onnx", reason="builds a network")
    from dwsep._table import shortened
    from dwsep.models._builder import Network

    net = Network("small", resolution=32, classes=20, seed=0)
    source = net.model(net.dense(net.flatten(net.average(net.conv(net.input, 8))), net.classes))
    long = ";".join(f"block_{number}/conv" for number in range(40))
    next(node for node in source.graph.node if node.op_type == "Conv").name = long
    model = dwsep.load(source)
    assert long in [row.name for row in model.summary().rows]
    x = np.zeros((1, 3, 32, 32), np.float32)
    for text in (str(model.summary()), str(model.profile(x, rounds=1))):
        assert shortened(long) in text
        assert max(map(len, text.splitlines())) < 240
    assert len(shortened(long)) == 80
    assert shortened("conv") == "conv"
