"""What tests of the command line share: pictures to read, and calls with what they print."""

from __future__ import annotations

import json

import numpy as np

from dwsep.cli import main


def photo(image, path, height=40, width=60, mode="RGB"):
    rng = np.random.default_rng(height)
    rows, columns = np.mgrid[:height, :width]
    waves = [np.sin(rows / (5 + c)) + np.cos(columns / (3 + c)) for c in range(3)]
    pixels = np.stack(waves, -1) * 50 + 128 + rng.normal(0, 5, (height, width, 3))
    image.fromarray(pixels.clip(0, 255).astype(np.uint8)).convert(mode).save(path)
    return str(path)


def run_json(capsys, *argv):
    assert main(["run", *argv, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys, *argv):
    """Return the line of an error that names the argument."""
    assert main([*argv]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    assert captured.err.count("\n") == 1
    assert captured.err.startswith(f"dwsep {argv[0]}: ")
    return captured.err
