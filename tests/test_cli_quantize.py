"""``dwsep quantize``: photographs in, a .dwsep file and a report out."""

from __future__ import annotations

import json

import numpy as np
import pytest
from cli_calls import photo, refused

import dwsep
from dwsep.cli import main
from dwsep.cli.quantize import _kept

onnx = pytest.importorskip("onnx")
from dwsep.models._blocks import inverted_residual
from dwsep.models._builder import Network


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    net = Network("tiny", resolution=32, classes=5, seed=0)
    x = net.conv(net.input, 8, 3, 2, activation="relu6")
    x = inverted_residual(net, x, 8, expanded=16, kernel=3, stride=1, activation="relu6")
    path = tmp_path_factory.mktemp("network") / "tiny.onnx"
    onnx.save(net.model(net.dense(net.flatten(net.average(x)), 5)), path)
    return str(path)


@pytest.fixture
def photos(tmp_path):
    image = pytest.importorskip("PIL.Image", reason="reads pictures")
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    for i in range(6):
        photo(image, folder / f"{i}.png", 40 + i, 50)
    photo(image, folder / "more" / "a.jpg")
    (folder / "notes.txt").write_text("no picture")
    return str(folder)


def test_a_folder_of_pictures_makes_a_file_and_a_report(network, photos, tmp_path, capsys):
    target, report = tmp_path / "tiny.dwsep", tmp_path / "report.json"
    options = ["-o", str(target), "--preset", "torchvision", "--report", str(report)]
    assert main(["quantize", network, photos, *options]) == 0
    printed = capsys.readouterr().out
    read = json.loads(report.read_text())
    assert read["inputs"] == 7
    assert read["decibels"] > 20
    assert all(row["step"] in printed for row in read["rows"])
    x = np.zeros((2, 3, 32, 32), np.float32)
    assert dwsep.load(str(target))(x).shape == (2, 5)


@pytest.mark.parametrize("preset", ["none", "torchvision", "keras"])
def test_pixels_are_looked_up_where_a_network_takes_integers(network, photos, tmp_path, preset):
    outputs = []
    for name, more in (("floats", []), ("integers", ["--integer-input"])):
        target, output = str(tmp_path / f"{name}.dwsep"), str(tmp_path / f"{name}.npy")
        options = ["--preset", preset]
        assert main(["quantize", network, photos, "-o", target, *options, *more]) == 0
        assert main(["run", target, f"{photos}/0.png", *options, "--output", output]) == 0
        assert dwsep.load(target).inputs[0].dtype == ("int8" if more else "float32")
        outputs.append(np.load(output))
    assert np.array_equal(*outputs)


def test_arrays_are_batches(network, tmp_path, capsys):
    images = np.random.default_rng(0).standard_normal((8, 3, 32, 32), dtype=np.float32)
    np.save(tmp_path / "x.npy", images)
    target = tmp_path / "tiny.dwsep"
    options = ["--method", "minmax", "--keep-float", "2", "--json"]
    assert main(["quantize", network, str(tmp_path / "x.npy"), "-o", str(target), *options]) == 0
    report = json.loads(capsys.readouterr().out)
    assert len(report["kept_float"]) == 2
    model = dwsep.quantize(network, [images], method="minmax", keep_float=2)
    assert np.array_equal(dwsep.load(str(target))(images), model(images))


def test_the_plot_is_drawn(network, photos, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    plot = tmp_path / "steps.svg"
    options = ["-o", str(tmp_path / "a.dwsep"), "--method", "minmax", "--plot", str(plot)]
    assert main(["quantize", network, photos, *options]) == 0
    assert "<svg" in plot.read_text()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("3", 3), ("25dB", 25.0), ("20.5 dB", 20.5), ("Conv_1,Conv_2", ("Conv_1", "Conv_2"))],
)
def test_what_stays_in_float32_is_read(text, wanted):
    assert _kept(text) == wanted
    assert type(_kept(text)) is type(wanted)


def test_what_does_not_fit_is_named(network, photos, tmp_path, capsys):
    target = str(tmp_path / "a.dwsep")
    empty = tmp_path / "empty"
    empty.mkdir()
    wrong = [
        ([str(empty)], "inputs: need pictures, got a folder without any"),
        ([str(tmp_path / "none.png")], "inputs: "),
        ([photos, "--keep-float", "nothing"], "--keep-float: need names of steps"),
    ]
    for rest, message in wrong:
        assert message in refused(capsys, "quantize", network, *rest, "-o", target)
    assert "output: need another" in refused(capsys, "quantize", network, photos, "-o", network)
    np.save(tmp_path / "x.npy", np.zeros((1, 3, 9, 9), np.float32))
    shape = refused(capsys, "quantize", network, str(tmp_path / "x.npy"), "-o", target)
    assert "inputs: need shape (N, 3, 32, 32)" in shape
