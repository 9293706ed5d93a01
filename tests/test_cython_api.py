"""The Cython interface, by way of `examples/cython`, which is compiled as its readers would."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import documents
import numpy as np
import pytest
import small_networks

import dwsep

EXAMPLE = Path(__file__).parents[1] / "examples" / "cython"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Compile the examples; return their folder."""
    pytest.importorskip("Cython", reason="compiles an example")
    pytest.importorskip("setuptools", reason="compiles an example")
    if not any(map(shutil.which, (os.environ.get("CC", "cc"), "gcc"))):
        pytest.skip("needs a C compiler")
    folder = tmp_path_factory.mktemp("cython") / "example"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("*.c", "*.so", "build"))
    command = [sys.executable, "setup.py", "build_ext", "--inplace"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return folder


def load(folder, name):
    (path,) = folder.glob(f"{name}.*.so")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def blur(built):
    return load(built, "blur")


@pytest.fixture(scope="module")
def classify(built):
    return load(built, "classify")


@pytest.fixture
def images():
    return np.random.default_rng(0).standard_normal((9, 20, 30, 7), dtype=np.float32)


def test_a_layer_made_in_cython_gives_the_same_bits(blur, images):
    box = np.full((5, 5, 7, 1), 1 / 25, np.float32)
    wanted = dwsep.depthwise_conv2d(images, box)
    assert np.array_equal(blur.Blur(5, 7)(images), wanted)


def test_a_layer_made_in_python_runs_in_cython(blur, images):
    rng = np.random.default_rng(1)
    layer = dwsep.SeparableConv2D(
        rng.standard_normal((3, 3, 7, 2), dtype=np.float32),
        rng.standard_normal((14, 6), dtype=np.float32),
        stride=2,
        activation="relu6",
    )
    assert np.array_equal(blur.each_image(layer, images), layer(images))


def test_a_layer_of_int8_made_in_cython_gives_the_same_bits(built):
    rng = np.random.default_rng(2)
    x = rng.integers(-128, 128, (2, 5, 6, 19), np.int8)
    matrix = rng.integers(-127, 128, (19, 7), np.int8)
    bias = rng.integers(-1000, 1000, 7).astype(np.int32)
    scales = rng.uniform(0.001, 0.01, 7).astype(np.float32)
    layer = dwsep.PointwiseConv2D(
        matrix,
        bias,
        x_quantization=dwsep.Quantization(0.03, 5),
        weight_quantization=dwsep.Quantization(scales),
        quantization=dwsep.Quantization(0.05, -9),
    )
    mixer = load(built, "bytes").Mixer(matrix, bias, 0.03, 5, scales, 0.05, -9)
    assert np.array_equal(mixer(x), layer(x))
    with pytest.raises(ValueError, match="x: need 19 channels, got 18"):
        mixer(np.ascontiguousarray(x[..., 1:]))


def test_no_images_give_no_results(blur, images):
    assert blur.Blur(3, 7)(images[:0]).shape == (0, 20, 30, 7)


def test_errors_come_as_exceptions(blur, images):
    with pytest.raises(ValueError, match="x: need 3 channels, got 7"):
        blur.Blur(3, 3)(images)
    with pytest.raises(TypeError, match="layer: need a dwsep layer, got int"):
        blur.each_image(1, images)
    with pytest.raises(TypeError, match="layer: need a dwsep layer, got type"):
        blur.each_image(dwsep.DepthwiseConv2D, images)


def network_of_images():
    """Make a model of one input and one output, as the examples want them."""
    b = small_networks.Builder(4)
    x = b.core.input("images", (-1, 20, 30, 7))
    x = b.step("pointwise", [x], small_networks.RELU6, weight=b.weight(7, 24), bias=b.weight(24))
    x = b.step("depthwise", [x], small_networks.WINDOW, weight=b.weight(3, 3, 24, 1))
    return dwsep.Model(b.finish(y=x))


def test_a_network_made_in_python_runs_in_cython(classify, images):
    model = network_of_images()
    wanted = model(images)
    assert np.array_equal(classify.each_image(model, images), wanted)
    features = dwsep.Model(small_networks.gated())
    small = np.ascontiguousarray(images[:, :9, :8, :6])
    assert np.array_equal(classify.each_image(features, small), features(small))
    assert classify.each_image(model, images[:0]).shape == (0, 20, 30, 24)


def test_a_network_loaded_in_cython_gives_the_same_bits(classify, images, tmp_path):
    model = network_of_images()
    model.save(tmp_path / "network.dwsep")
    classifier = classify.Classifier(tmp_path / "network.dwsep")
    assert classifier.input_name == "images"
    assert np.array_equal(classifier(images), model(images))


@pytest.mark.parametrize("type_", ["int8", "uint8"])
def test_a_network_of_bytes_gives_the_same_bits(classify, type_, tmp_path):
    rng = np.random.default_rng(3)
    x_scales, stored = ([0.05], [3], -1), {"to": type_, "scale": [0.06], "zero_point": [5]}
    b = small_networks.Builder(4)
    x = b.core.input("x", (-1, 6, 5, 7), type_, x_scales)
    weight = rng.integers(-127, 128, (7, 24)).astype(np.int8)
    y = b.core.step(
        "pointwise", "p", [x], stored, {"weight": weight, "weight_scale": np.full(24, 0.01, "f4")}
    )
    model = dwsep.Model(b.finish(y=y))
    images = rng.integers(0, 127, (4, 6, 5, 7)).astype(type_)
    wanted = model(images)
    assert wanted.dtype == type_
    assert np.array_equal(classify.each_image(model, images), wanted)
    model.save(tmp_path / "network.dwsep")
    assert np.array_equal(classify.Classifier(tmp_path / "network.dwsep")(images), wanted)


def test_errors_of_networks_come_as_exceptions(classify, images, tmp_path):
    model = network_of_images()
    with pytest.raises(TypeError, match=r"model: need a dwsep\.Model, got int"):
        classify.each_image(1, images)
    with pytest.raises(ValueError, match="input 'images': need shape"):
        classify.each_image(model, np.ascontiguousarray(images[:, :5]))
    with pytest.raises(ValueError, match="outputs: need 2, got 1"):
        classify.each_image(dwsep.Model(small_networks.classifier()), images)
    with pytest.raises(RuntimeError, match="no such file"):
        classify.Classifier(tmp_path / "no such file")
    (tmp_path / "text").write_text("text")
    with pytest.raises(ValueError):
        classify.Classifier(tmp_path / "text")


def test_another_version_of_the_interface_is_refused(tmp_path, built):
    source = "from dwsep.cython_api cimport get_api\nget_api({abi}, {size})\n"
    for name, abi, size in (("other", 99, 8), ("newer", 1, 100_000)):
        (tmp_path / f"{name}.pyx").write_text(source.format(abi=abi, size=size))
        names = '"blur", "bytes", "classify"'
        setup = (built / "setup.py").read_text().replace(names, f'"{name}",')
        (tmp_path / "setup.py").write_text(setup)
        command = [sys.executable, "setup.py", "build_ext", "--inplace"]
        subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
        command = [sys.executable, "-c", f"import {name}"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert f"ImportError: dwsep: need version {abi} of the C interface" in done.stderr


def test_what_the_documents_show_runs(built, tmp_path):
    shown = documents.files("docs/embedding.md")
    for name in ("relay.pyx", "setup.py", "use.py"):
        (tmp_path / name).write_text(shown[name])
    said = ""
    for command in (["setup.py", "build_ext", "--inplace"], ["use.py"]):
        done = subprocess.run(
            [sys.executable, *command], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        said = done.stdout
    assert said.split() == ["True", "4.0"]


def test_the_headers_are_where_get_include_says():
    headers = {p.name for p in Path(dwsep.get_include(), "dwsep").iterdir()}
    assert {"dwsep.hpp", "layers.hpp", "c_api.h"} <= headers
