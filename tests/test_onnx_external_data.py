"""Weights in files next to the model: read where they belong to it, refused elsewhere."""

from __future__ import annotations

import os

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="imports ONNX models")

from onnx import numpy_helper
from onnx_models import f, model

from dwsep.errors import InvalidModelError
from dwsep.graph.onnx import import_onnx

CONV = [("Conv", "x,w", "y", {})]


def external_model(directory, location, **entries):
    net = model(CONV, {"w": f(2, 4, 1, 1)})
    tensor = net.graph.initializer[0]
    data = tensor.raw_data
    tensor.ClearField("raw_data")
    tensor.data_location = 1
    for key, value in {"location": location, **entries}.items():
        tensor.external_data.add(key=key, value=str(value))
    path = directory / "net.onnx"
    path.write_bytes(net.SerializeToString())
    return path, data


def test_external_data(tmp_path):
    path, data = external_model(tmp_path, "weights/w.bin", offset=3, length=32)
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "w.bin").write_bytes(b"abc" + data)
    graph = import_onnx(str(path))
    assert graph.nodes[0].weights["weight"].tobytes() != b""
    wanted = numpy_helper.to_array(model(CONV, {"w": f(2, 4, 1, 1)}).graph.initializer[0])
    assert np.array_equal(graph.nodes[0].weights["weight"], wanted.transpose(2, 3, 1, 0))


@pytest.mark.parametrize(
    ("location", "entries", "reason"),
    [
        ("../secret", {}, "outside the model's directory"),
        ("a/../../secret", {}, "outside the model's directory"),
        ("link", {}, "outside the model's directory"),
        ("/etc/passwd", {}, "is not a file in the model's folder"),
        ("", {}, "is not a file in the model's folder"),
        ("nul\0", {}, "is not a file in the model's folder"),
        (".", {}, "outside the model's directory"),
        ("folder", {}, "is not a regular file"),
        ("pipe", {}, "is not a regular file"),
        ("gone", {}, "cannot read 'gone'"),
        ("net.onnx", {"offset": 2**50}, "is too short"),
        ("net.onnx", {"offset": -1}, "offset: need a number"),
        ("net.onnx", {"offset": "9" * 5000}, "offset: need a number"),
        ("net.onnx", {"length": 5}, "but a length of 5"),
        ("net.onnx", {"length": "all"}, "length: need a number"),
    ],
)
def test_hostile_external_data(tmp_path, location, entries, reason):
    directory = tmp_path / "model"
    directory.mkdir()
    (tmp_path / "secret").write_bytes(bytes(32))
    (directory / "link").symlink_to(tmp_path / "secret")
    (directory / "folder").mkdir()
    os.mkfifo(directory / "pipe")
    path, _ = external_model(directory, location, **entries)
    with pytest.raises(InvalidModelError, match=reason):
        import_onnx(path)


def hub(tmp_path, data="blobs/def"):
    """Lay a model out as Hugging Face's cache does: links to files that lie together."""
    cache = tmp_path / "models--somebody--net"
    version = cache / "snapshots" / "0123abc" / "onnx"
    version.mkdir(parents=True)
    (cache / "blobs").mkdir()
    path, content = external_model(tmp_path, "net.onnx_data", length=32)
    path.rename(cache / "blobs" / "abc")
    (cache / data).write_bytes(content)
    (version / "net.onnx").symlink_to("../../../blobs/abc")
    (version / "net.onnx_data").symlink_to(f"../../../{data}")
    return version / "net.onnx"


def test_data_next_to_what_the_model_links_to(tmp_path):
    graph = import_onnx(str(hub(tmp_path)))
    wanted = numpy_helper.to_array(model(CONV, {"w": f(2, 4, 1, 1)}).graph.initializer[0])
    assert np.array_equal(graph.nodes[0].weights["weight"], wanted.transpose(2, 3, 1, 0))


def test_links_out_of_both_folders_are_refused(tmp_path):
    with pytest.raises(InvalidModelError, match="outside the model's directory"):
        import_onnx(str(hub(tmp_path, data="secret")))
