"""The command line where the environment, a stream or a number is not as usual."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import dwsep
from dwsep._json import to_json
from dwsep.cli import main


def dwsep_command(*words, **environment):
    return subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-m", "dwsep.cli", *words],
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize("command", [["info"], ["bench"], ["run", "net.dwsep", "x.npy"]])
@pytest.mark.parametrize(("variable", "value"), [("DWSEP_NUM_THREADS", "0"), ("DWSEP_ISA", "foo")])
def test_variables_without_a_meaning_take_one_line(command, variable, value):
    done = dwsep_command(*command, **{variable: value})
    assert done.returncode == 2
    assert done.stdout == b""
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith(f"dwsep {command[0]}: {variable}: ")


@pytest.mark.parametrize("encoding", ["ascii:strict", "utf-8:strict", "latin-1"])
def test_streams_take_names_of_any_bytes(network, image, tmp_path, encoding):
    """A name with a byte that is no UTF-8 and a letter that no Latin encoding has."""
    name = os.fsdecode(os.fsencode(str(tmp_path)) + b"/p\xe9\xe2\x82\xac.png")
    image.new("RGB", (9, 9)).save(name)
    for words in ([network, name], [network, name, "--json"]):
        done = dwsep_command("run", *words, PYTHONIOENCODING=encoding)
        assert done.stderr == b""
        assert done.returncode == 0
    done = dwsep_command("run", network, name + "x", PYTHONIOENCODING=encoding)
    assert done.returncode == 2
    assert done.stderr.startswith(b"dwsep run: inputs: No such file")
    done = dwsep_command("run", "--size", "\N{EURO SIGN}", network, PYTHONIOENCODING=encoding)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


def test_numbers_that_json_lacks(network, tmp_path):
    x = np.ones((3, 8, 8, 3), np.float32)
    x[0] = np.nan
    x[1] = np.inf
    np.save(tmp_path / "x.npy", x)
    done = dwsep_command("run", network, str(tmp_path / "x.npy"), "--json")
    assert done.stderr == b""
    assert done.returncode == 0

    def refuse(constant):
        pytest.fail(f"not JSON: {constant}")

    outputs = json.loads(done.stdout, parse_constant=refuse)["outputs"]
    probabilities, features = dwsep.load(network)(x)
    assert outputs[0]["mean"] == outputs[0]["top"][0][0]["score"] == "NaN"
    for row in outputs[0]["top"][2]:
        assert row["score"] == float(probabilities[2, row["class"]])
        assert row["probability"] == float(probabilities[2, row["class"]].astype(np.float64))
    for row in outputs[1]["top"][1]:
        assert float(row["score"]) == pytest.approx(features[1, row["class"]], nan_ok=True, rel=0)
    assert dwsep_command("run", network, str(tmp_path / "x.npy")).stderr == b""


def test_what_is_not_finite_becomes_a_string():
    values = {"a": [float("nan"), (np.float64("inf"), -float("inf"))], "b": 1.5, "c": None}
    text = '{"a": ["NaN", ["Infinity", "-Infinity"]], "b": 1.5, "c": null}'
    assert to_json(values, indent=None) == text


def test_a_process_without_standard_error(network, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stderr", None)
    assert main(["info", network]) == 0
    assert "small" in capsys.readouterr().out
