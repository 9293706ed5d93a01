"""The quantiser on trained networks that packages ship: what they read stays what they read."""

from __future__ import annotations

import importlib.util
import runpy
from pathlib import Path

import numpy as np
import pytest

import dwsep

pytestmark = pytest.mark.slow

for package in ("onnx", "PIL", "matplotlib"):
    pytest.importorskip(package, reason="reads the networks, or renders what they are to read")
TEXT = runpy.run_path(str(Path(__file__).parent.parent / "examples" / "read_text.py"))


def network(package, name):
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} has the network")
    return TEXT["packaged"](package, name)


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


def test_lines_are_read_as_well():
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


def test_lines_upside_down_are_found():
    path = network("rapidocr_onnxruntime", "ch_ppocr_mobile_v2.0_cls_infer.onnx")

    def inputs(count, seed):
        pictures = [p.rotate(180 * (i % 2)) for i, (_, p) in enumerate(lines(count, seed))]
        return [TEXT["prepared"](p)[..., :192] for p in pictures]

    floats, quantized = both(path, inputs(64, 0), (3, 48, 192))
    wanted, got = (outputs(net, inputs(100, 1)) for net in (floats, quantized))
    assert (wanted.argmax(axis=-1) == got.argmax(axis=-1)).mean() >= 0.97
    assert quantized.quantization_report.decibels > 23
