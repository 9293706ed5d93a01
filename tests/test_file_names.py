"""Names of files are bytes: those that are not UTF-8 work as others do, and appear in errors."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import small_networks
from cli_calls import refused

import dwsep
from dwsep.cli import main

NAMES = [b"n\xe9t.dwsep", b"\xff/\xc3.dwsep", "naïve €.dwsep".encode()]


class Path:
    """A path of bytes, as os.scandir(b".") gives."""

    def __init__(self, name):
        self.name = name

    def __fspath__(self):
        return os.fsencode(self.name)


@pytest.fixture(params=NAMES, ids=["latin", "folder", "utf8"])
def path(request, tmp_path):
    name = os.fsdecode(os.path.join(os.fsencode(tmp_path), request.param))
    os.makedirs(os.path.dirname(name), exist_ok=True)
    return name


@pytest.mark.parametrize("kind", [str, Path])
def test_networks_are_saved_and_loaded(path, kind, model):
    x = np.ones((1, 8, 8, 3), np.float32)
    for _ in range(2):  # the second time over a file that exists
        model.save(kind(path))
        assert small_networks.same(dwsep.load(kind(path))(x), model(x))
    assert os.listdir(os.path.dirname(path)) == [os.path.basename(path)]


def test_onnx_files_are_loaded(path):
    pytest.importorskip("onnx", reason="reads ONNX files")
    content = dwsep.models.mobilenet_v1(alpha=0.25, resolution=32).SerializeToString()
    path = path.replace(".dwsep", ".onnx")
    with open(path, "wb") as file:
        file.write(content)
    assert dwsep.load(path).inputs == dwsep.load(content).inputs
    assert dwsep.load(Path(path)).inputs == dwsep.load(content).inputs
    with open(path, "wb") as file:
        file.write(content[:100])
    with pytest.raises(ValueError, match="ONNX") as caught:
        dwsep.load(path)
    assert path in str(caught.value)


def test_errors_name_them(path, model):
    with pytest.raises(FileNotFoundError) as missing:
        dwsep.load(path)
    assert missing.value.filename == path
    os.mkdir(path)
    with pytest.raises(IsADirectoryError) as folder:
        model.save(path)
    assert folder.value.filename == path
    os.rmdir(path)
    with open(path, "wb") as file:
        file.write(b"dwsepnet and nothing else")
    with pytest.raises(ValueError, match=r"\(in '") as broken:
        dwsep.load(path)
    assert type(broken.value) is not UnicodeDecodeError
    assert os.fsencode(path).decode(errors="backslashreplace") in str(broken.value) or "€" in path


def test_on_the_command_line(path, model, capsys):
    model.save(path)
    assert main(["info", path]) == 0
    target = path.replace(".dwsep", "2.dwsep")
    assert main(["convert", path, target]) == 0
    assert main(["convert", path, target, "--json"]) == 0
    capsys.readouterr()
    with open(path, "wb") as file:
        file.write(b"dwsepnet")
    refused(capsys, "info", path)


@pytest.mark.parametrize("variable", ["DWSEP_NUM_THREADS", "DWSEP_SPIN_US", "DWSEP_ISA"])
def test_variables_that_are_no_text(variable):
    done = subprocess.run(
        [sys.executable, "-m", "dwsep.cli", "info"],
        env={**os.environb, variable.encode(): b"\xe9"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"dwsep info: {variable}: ".encode())
    assert b'got "\\xe9"' in done.stderr
