"""The C++ library by itself: CMake builds, tests and installs it, and another project uses it."""

import os
import shutil
import subprocess
from pathlib import Path

import documents
import numpy as np
import pytest
import small_networks

import dwsep
from dwsep import _core

REPOSITORY = Path(__file__).parents[1]

pytestmark = pytest.mark.slow


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def test_another_project_finds_and_uses_the_library(tmp_path):
    for tool in ("cmake", "make", "c++"):
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}")
    # The shared library: what its headers promise and it does not export fails here.
    options = ["-DBUILD_SHARED_LIBS=ON", "-DDWSEP_BUILD_TESTS=ON", "-DDWSEP_WERROR=ON"]
    if isas := os.environ.get("DWSEP_ISAS"):  # those to build; all of them take minutes more
        options.append(f"-DDWSEP_ISAS={isas}")
    build, installed, program = tmp_path / "build", tmp_path / "installed", tmp_path / "program"
    run("cmake", "-S", REPOSITORY / "cpp", "-B", build, *options)
    run("cmake", "--build", build, "--parallel", str(os.cpu_count()))  # make alone: all at once
    kernels = {path.name for path in (REPOSITORY / "cpp" / "isa").iterdir() if path.is_dir()}
    others = "|".join(rf"\.{isa}$" for isa in sorted(kernels - set(_core.isas())))
    tested = run("ctest", "--test-dir", build, "--output-on-failure", "-E", others)
    assert "100% tests passed" in tested
    run("cmake", "--install", build, "--prefix", installed)
    run("bash", REPOSITORY / "tools" / "check_symbols.sh", build)

    examples = REPOSITORY / "examples" / "cpp"
    run("cmake", "-S", examples, "-B", program, f"-DCMAKE_PREFIX_PATH={installed}")
    run("cmake", "--build", program)
    picture = run(program / "layer").splitlines()
    assert "separable" in picture[0]
    assert picture[1].startswith("@@#=  :+@@")

    network, picture = tmp_path / "small.dwsep", tmp_path / "picture.ppm"
    model = dwsep.Model(small_networks.classifier())
    model.save(network)
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    picture.write_bytes(b"P6 8 8 255\n" + pixels.tobytes())
    mean, deviation = (np.float32(v) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    wanted = model((pixels[np.newaxis] / np.float32(255) - mean) / deviation)[0][0]
    lines = [line.split() for line in run(program / "classify", network, picture).splitlines()]
    assert [int(number) for number, _ in lines] == list(np.argsort(-wanted)[:5])
    np.testing.assert_allclose([float(v) for _, v in lines], np.sort(wanted)[:-6:-1], rtol=1e-4)

    shown, folder = documents.files("docs/embedding.md"), tmp_path / "shown"
    folder.mkdir()
    for name in ("CMakeLists.txt", "program.cc", "program.c"):
        (folder / name).write_text(shown[name])
    assert shown_program(folder, installed) == "802816 values, the first 0.4444\n"
    (folder / "CMakeLists.txt").write_text(shown["CMakeLists.txt"].replace(".cc", ".c"))
    model = dwsep.Model(small_networks.channels_first())
    model.save(network)
    first = model(np.zeros((1, 3, 5, 7), np.float32))[0, 0]
    wanted = f"images: the first value is {first:.4f}\n"
    assert shown_program(folder, installed, network) == wanted


def shown_program(folder: Path, installed: Path, *arguments: Path) -> str:
    """Build and run the program of the documents."""
    run("cmake", "-S", folder, "-B", folder / "build", f"-DCMAKE_PREFIX_PATH={installed}")
    run("cmake", "--build", folder / "build")
    return run(folder / "build" / "program", *arguments)
