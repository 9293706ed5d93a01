"""What loading does whatever the format: it tells it by the content, and leaves no garbage."""

from __future__ import annotations

import gc

import numpy as np
import pytest
import tflite_writer

import dwsep

TFLITE = b"\x1c\0\0\0TFL3" + bytes(56)


def test_tflite_is_told_by_its_content(tmp_path):
    path = tmp_path / "net.bin"
    path.write_bytes(TFLITE)
    for source in (path, str(path)):
        with pytest.raises(dwsep.errors.InvalidModelError, match=r"net\.bin: the file is damaged"):
            dwsep.load(source)
    for source in (TFLITE, bytearray(TFLITE), memoryview(TFLITE)):
        with pytest.raises(dwsep.errors.InvalidModelError, match="model: the file is damaged"):
            dwsep.load(source)


@pytest.mark.parametrize(
    ("suffix", "message"),
    [
        (".tflite", "is not a TFLite file"),
        (".dwsep", "net.dwsep"),
        (".onnx", "is not an ONNX file"),
        (".dat", "is not an ONNX file"),
    ],
)
def test_a_suffix_decides_where_the_content_does_not(suffix, message, tmp_path):
    if "ONNX" in message:
        pytest.importorskip("onnx")
    path = tmp_path / f"net{suffix}"
    path.write_bytes(b"\xff" * 64)
    with pytest.raises(ValueError, match=message):
        dwsep.load(path)


def _tflite():
    tensors = [tflite_writer.tensor(name, (1, 4)) for name in "xy"]
    return tflite_writer.model(tensors, [("NEG", ["x"], ["y"], {})], ["x"], ["y"])


def _onnx():
    pytest.importorskip("onnx")
    return dwsep.models.mobilenet_v2(resolution=32)


@pytest.mark.parametrize("source", [_tflite, _onnx])
def test_loading_leaves_no_circles_of_objects(source):
    """They would keep the file's weights until somebody looks for garbage."""
    file = source()
    dwsep.load(file)
    gc.collect()
    gc.disable()
    try:
        model = dwsep.load(file)
        assert gc.collect() == 0
    finally:
        gc.enable()
    assert model.inputs[0].name


@pytest.mark.parametrize("on", [True, False])
def test_garbage_is_collected_after_a_load_as_before(on):
    (gc.enable if on else gc.disable)()
    try:
        dwsep.load(_tflite())
        assert gc.isenabled() is on
        with pytest.raises(dwsep.errors.InvalidModelError):
            dwsep.load(b"    TFL3")
        assert gc.isenabled() is on
    finally:
        gc.enable()


@pytest.mark.parametrize("missing", [True, False])
def test_objects_that_are_frozen_stay_so(missing, monkeypatch):
    """PyPy's collector freezes none."""
    if missing:
        monkeypatch.delattr(gc, "freeze")
        monkeypatch.delattr(gc, "get_freeze_count")
        dwsep.load(_tflite())
        return
    gc.freeze()
    try:
        dwsep.load(_tflite())
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()


def test_the_content_decides_whatever_the_name(model, tmp_path):
    model.save(tmp_path / "net.onnx")
    x = np.ones((1, *model.inputs[0].shape[1:]), np.float32)
    results = dwsep.load(tmp_path / "net.onnx")(x), model(x)
    assert [y.tobytes() for y in results[0]] == [y.tobytes() for y in results[1]]
