"""Networks of bytes on the command line: pictures go in as the integers that they become."""

from __future__ import annotations

import json

import numpy as np
import pytest
from cli_calls import photo, run_json
from tflite_writer import constant, model, tensor

import dwsep
from dwsep.cli import main


@pytest.fixture
def network(tmp_path):
    """Write a network that averages each channel of a picture and gives bytes."""
    quantization = (np.float32(1 / 128), 0, 0)
    tensors = [
        tensor("x", (1, 8, 12, 3), "int8", quantization=quantization),
        constant("axes", np.int32([1, 2])),
        tensor("y", (1, 3), "int8", quantization=quantization),
    ]
    path = tmp_path / "means.tflite"
    path.write_bytes(model(tensors, [("MEAN", ["x", "axes"], ["y"], {})], ["x"], ["y"]))
    return str(path)


def test_run(network, tmp_path, capsys):
    image = pytest.importorskip("PIL.Image", reason="reads pictures")
    path = photo(image, tmp_path / "a.png", 8, 12)
    pixels = np.asarray(image.open(path), np.float32) * np.float32(1 / 255)
    report = run_json(capsys, network, path, "--preset", "none", "--output", f"{tmp_path}/y.npy")
    stored = np.load(tmp_path / "y.npy")
    assert stored.dtype == np.int8
    (output,) = report["outputs"]
    assert output["max"] == stored.max() / 128
    assert {row["score"] for row in output["top"][0]} == set((stored[0] / 128).tolist())
    q = dwsep.load(network).inputs[0].quantization
    assert q == dwsep.Quantization(1 / 128)
    assert np.array_equal(stored, dwsep.load(network)(q.quantize(pixels[np.newaxis])))


def test_profile(network, capsys):
    assert main(["profile", network, "--rounds", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)
