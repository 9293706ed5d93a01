"""The C++ library by itself: CMake builds, tests and installs it, and another project uses it."""

import shutil
import subprocess
from pathlib import Path

import pytest

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
    options = ("-DBUILD_SHARED_LIBS=ON", "-DDWSEP_BUILD_TESTS=ON", "-DDWSEP_WERROR=ON")
    build, installed, program = tmp_path / "build", tmp_path / "installed", tmp_path / "program"
    run("cmake", "-S", REPOSITORY / "cpp", "-B", build, *options)
    run("cmake", "--build", build, "--parallel")
    tested = run("ctest", "--test-dir", build, "--output-on-failure")
    assert "100% tests passed" in tested
    run("cmake", "--install", build, "--prefix", installed)

    examples = REPOSITORY / "examples" / "cpp"
    run("cmake", "-S", examples, "-B", program, f"-DCMAKE_PREFIX_PATH={installed}")
    run("cmake", "--build", program)
    picture = run(program / "layer").splitlines()
    assert "separable" in picture[0]
    assert picture[1].startswith("@@#=  :+@@")
