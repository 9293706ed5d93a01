"""The Cython interface, by way of `examples/cython`, which is compiled as its readers would."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import dwsep

EXAMPLE = Path(__file__).parents[1] / "examples" / "cython"


@pytest.fixture(scope="module")
def blur(tmp_path_factory):
    pytest.importorskip("Cython", reason="compiles an example")
    pytest.importorskip("setuptools", reason="compiles an example")
    if not any(map(shutil.which, (os.environ.get("CC", "cc"), "gcc"))):
        pytest.skip("needs a C compiler")
    folder = tmp_path_factory.mktemp("cython") / "example"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("*.c", "*.so", "build"))
    command = [sys.executable, "setup.py", "build_ext", "--inplace"]
    built = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-4000:]
    (path,) = folder.glob("blur.*.so")
    spec = importlib.util.spec_from_file_location("blur", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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


def test_no_images_give_no_results(blur, images):
    assert blur.Blur(3, 7)(images[:0]).shape == (0, 20, 30, 7)


def test_errors_come_as_exceptions(blur, images):
    with pytest.raises(ValueError, match="x: must be 3 channels, got 7"):
        blur.Blur(3, 3)(images)
    with pytest.raises(TypeError, match="layer: need a dwsep layer, got int"):
        blur.each_image(1, images)
    with pytest.raises(TypeError, match="layer: need a dwsep layer, got type"):
        blur.each_image(dwsep.DepthwiseConv2D, images)


def test_another_version_of_the_interface_is_refused(tmp_path, blur):
    source = "from dwsep.cython_api cimport get_api\nget_api({abi}, {size})\n"
    folder = Path(blur.__file__).parent
    for name, abi, size in (("other", 99, 8), ("newer", 1, 100_000)):
        (tmp_path / f"{name}.pyx").write_text(source.format(abi=abi, size=size))
        setup = (folder / "setup.py").read_text().replace("blur", name)
        (tmp_path / "setup.py").write_text(setup)
        command = [sys.executable, "setup.py", "build_ext", "--inplace"]
        subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
        command = [sys.executable, "-c", f"import {name}"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert f"ImportError: dwsep: need version {abi} of the C interface" in done.stderr


def test_the_headers_are_where_get_include_says():
    headers = {p.name for p in Path(dwsep.get_include(), "dwsep").iterdir()}
    assert {"dwsep.hpp", "layers.hpp", "c_api.h"} <= headers
