"""The sub-commands that take a network: what they print, write and refuse."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import small_networks
from cli_calls import photo, refused, run_json

import dwsep
from dwsep.cli import main

DIGITS = Path(__file__).parent / "data" / "digits.onnx"


# --- run


def test_run_on_an_array(network, capsys, tmp_path):
    x = np.random.default_rng(0).standard_normal((3, 8, 8, 3), dtype=np.float32)
    np.save(tmp_path / "x.npy", x)
    out = tmp_path / "out.npz"
    report = run_json(capsys, network, str(tmp_path / "x.npy"), "--output", str(out))
    probabilities, features = dwsep.load(network)(x)
    with np.load(out) as written:
        assert np.array_equal(written["probabilities"], probabilities)
        assert np.array_equal(written["features"], features)
    assert report["network"] == "small"
    assert [o["name"] for o in report["outputs"]] == ["probabilities", "features"]
    first = report["outputs"][0]
    assert first["shape"] == [3, 10]
    assert first["max"] == pytest.approx(float(probabilities.max()))
    assert first["mean"] == pytest.approx(0.1, rel=1e-5)
    for scores, top in zip(probabilities, first["top"], strict=True):
        assert [row["class"] for row in top] == [*np.argsort(-scores)[:5]]
        assert all(row["probability"] == pytest.approx(row["score"]) for row in top)
    # What is no distribution goes through softmax.
    exact = np.exp(features[1].astype(np.float64))
    best = report["outputs"][1]["top"][1][0]
    assert best["probability"] == pytest.approx(exact.max() / exact.sum())


def test_run_on_pictures_in_a_batch(network, image, capsys, tmp_path):
    paths = [photo(image, tmp_path / f"{n}.png", 30 + n, 50) for n in range(2)]
    out = tmp_path / "out.npz"
    assert main(["run", network, *paths, "--top-k", "2", "--output", str(out)]) == 0
    text = capsys.readouterr().out
    assert all(path in text for path in paths)
    assert text.count("%") == 2 * 2 * 2  # pictures, outputs, classes
    x = np.stack(
        [np.asarray(image.open(p).resize((8, 8), image.Resampling.BILINEAR)) for p in paths]
    )
    wanted = dwsep.load(network)(x.astype(np.float32) * np.float32(1 / 255))
    with np.load(out) as written:
        assert np.array_equal(written["probabilities"], wanted[0])


def test_run_channels_first(image, capsys, tmp_path):
    path = tmp_path / "first.dwsep"
    model = dwsep.Model(small_networks.channels_first())
    model.save(path)
    picture, out = photo(image, tmp_path / "a.png"), tmp_path / "out.npy"
    options = ["--preset", "keras", "--resize", "box", "--threads", "1", "--output", str(out)]
    report = run_json(capsys, str(path), f"images={picture}", *options)
    assert report["outputs"][0]["shape"] == [1, 4]
    pixels = np.asarray(image.open(picture).resize((7, 5), image.Resampling.BOX), np.float32)
    x = pixels * np.float32(1 / 127.5) - np.float32(1)
    wanted = model(np.ascontiguousarray(x.transpose(2, 0, 1)[np.newaxis]))
    assert np.array_equal(np.load(out), wanted)


def test_several_inputs(capsys, tmp_path):
    model = dwsep.Model(small_networks.rearranger())
    model.save(tmp_path / "two.dwsep")
    rng = np.random.default_rng(0)
    for name, shape in (("x", (2, 6, 4, 8)), ("factor", (2, 3))):
        np.save(tmp_path / f"{name}.npy", rng.standard_normal(shape, dtype=np.float32))
    x, factor = (str(tmp_path / f"{name}.npy") for name in ("x", "factor"))
    network = str(tmp_path / "two.dwsep")
    report = run_json(capsys, network, f"factor={factor}", f"x={x}")
    assert [o["shape"] for o in report["outputs"]] == [[2, 9, 9], [2, 2, 3]]
    assert "top" not in report["outputs"][0]
    assert "need NAME=FILE" in refused(capsys, "run", network, x)
    assert "none for ['factor']" in refused(capsys, "run", network, f"x={x}")
    assert ".npz for 2" in refused(
        capsys, "run", network, f"x={x}", f"factor={factor}", "--output", str(tmp_path / "o.npy")
    )


def test_run_refuses_arrays_that_do_not_fit(network, capsys, tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((1, 8, 9, 3), np.float32))
    np.save(tmp_path / "y.npy", np.zeros((1, 8, 8, 3)))
    np.save(tmp_path / "z.npy", np.array([{}]), allow_pickle=True)
    assert "images" in refused(capsys, "run", network, str(tmp_path / "x.npy"))
    assert "float64" in refused(capsys, "run", network, str(tmp_path / "y.npy"))
    assert "inputs: " in refused(capsys, "run", network, str(tmp_path / "z.npy"))
    both = [str(tmp_path / "x.npy")] * 2
    assert "whole input" in refused(capsys, "run", network, *both)


@pytest.mark.parametrize(
    "option",
    [
        ["--top-k", "0"],
        ["--mean", "a,b"],
        ["--std", "1,0,1"],
        ["--crop", "1.5"],
        ["--size", "8x8x8"],
        ["--resize", "magic"],
        ["--preset", "magic"],
        ["--input-shape", "8,8"],
        ["--input-shape", "x=8,y"],
        ["--threads", "none"],
    ],
)
def test_run_usage(option, network, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["run", network, "a.png", *option])
    assert stop.value.code == 2
    assert option[0] in capsys.readouterr().err


def test_run_options_that_do_not_fit(network, image, capsys, tmp_path):
    picture = photo(image, tmp_path / "a.png")
    assert "mean: need 1 or 3" in refused(capsys, "run", network, picture, "--mean", "1,2")
    assert "size: " in refused(capsys, "run", network, picture, "--size", "9")
    assert "1 or 3 channels" in refused(capsys, "run", network, picture, "--layout", "NCHW")
    wrong = ["--labels", str(tmp_path / "none.txt")]
    assert "labels: " in refused(capsys, "run", network, picture, *wrong)
    wrong = ["--output", str(tmp_path / "none" / "out.npz")]
    assert "output: " in refused(capsys, "run", network, picture, *wrong)
    wrong = ["--output", str(tmp_path / "out.txt")]
    assert ".npz" in refused(capsys, "run", network, picture, *wrong)


# --- all of them


@pytest.mark.parametrize("command", ["run", "profile", "convert", "info"])
def test_bad_networks_are_told_in_a_line(command, capsys, tmp_path):
    (tmp_path / "bad.dwsep").write_bytes(b"dwsepnet" + bytes(100))
    (tmp_path / "empty.dwsep").write_bytes(b"")
    rest = {"run": ["x.npy"], "convert": [str(tmp_path / "out.dwsep")]}.get(command, [])
    for name in ("bad.dwsep", "empty.dwsep", "missing.onnx", "missing.dwsep", "."):
        assert "network: " in refused(capsys, command, str(tmp_path / name), *rest)
    assert not (tmp_path / "out.dwsep").exists()


@pytest.mark.usefixtures("little_to_measure")
def test_profile(network, capsys):
    assert main(["profile", network, "--rounds", "2", "--batch", "3", "--threads", "1"]) == 0
    text = capsys.readouterr().out
    for word in (
        "small: 1 thread, medians of 2 rounds",
        "inverted_residual",
        "3x10",
        "a whole call",
    ):
        assert word in text
    assert main(["profile", network, "--rounds", "1", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["rows"][0]["step"]["kind"] == "standard"


@pytest.mark.usefixtures("little_to_measure")
def test_profile_plot(network, capsys, tmp_path):
    pytest.importorskip("matplotlib", reason="draws the roofline plot")
    plot = tmp_path / "roofline.png"
    assert main(["profile", network, "--rounds", "1", "--plot", str(plot)]) == 0
    assert plot.read_bytes().startswith(b"\x89PNG")
    capsys.readouterr()
    wrong = ["--rounds", "1", "--plot", str(tmp_path / "none" / "a.png")]
    assert "plot: " in refused(capsys, "profile", network, *wrong)


def test_info_tells_of_a_network(network, capsys):
    assert main(["info", network, "--batch", "4"]) == 0
    assert "images 4x8x8x3" in capsys.readouterr().out
    assert main(["info", network, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["macs"] == dwsep.load(network).summary().macs


def test_convert_a_saved_network(network, capsys, tmp_path):
    target = tmp_path / "again.dwsep"
    assert main(["convert", network, str(target)]) == 0
    assert target.read_bytes() == Path(network).read_bytes()
    assert f"{target.stat().st_size:,} bytes" in capsys.readouterr().out
    assert "target: need another" in refused(capsys, "convert", network, network)
    assert "target: " in refused(capsys, "convert", network, str(tmp_path / "none" / "a.dwsep"))
    layout = ["--input-layout", "NHWC"]
    assert "--input-layout: need None" in refused(capsys, "convert", network, str(target), *layout)


# --- ONNX


def test_convert_tells_sizes_in_json(network, capsys, tmp_path):
    target = tmp_path / "copy.dwsep"
    assert main(["convert", network, str(target), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    sizes = {network: Path(network).stat().st_size, str(target): target.stat().st_size}
    assert said == {"bytes": sizes, "model": repr(dwsep.load(target))}


def test_convert_onnx(capsys, tmp_path):
    pytest.importorskip("onnx", reason="reads ONNX files")
    x = np.random.default_rng(0).random((3, 1, 8, 8), dtype=np.float32)
    wanted = dwsep.load(DIGITS)(x)
    target = tmp_path / "digits.dwsep"
    assert main(["convert", str(DIGITS), str(target)]) == 0
    text = capsys.readouterr().out
    assert f"{DIGITS.stat().st_size:,} bytes" in text
    assert np.array_equal(dwsep.load(target)(x), wanted)
    assert main(["convert", str(DIGITS), str(target), "--input-layout", "NHWC"]) == 0
    assert np.array_equal(dwsep.load(target)(x.transpose(0, 2, 3, 1)), wanted)
    shapes = ["--input-shape", "images=4,1,8,8"]
    assert main(["convert", str(DIGITS), str(target), *shapes]) == 0
    assert dwsep.load(target).inputs[0].shape == (4, 1, 8, 8)
    capsys.readouterr()
    wrong = ["--input-shape", "pictures=4,1,8,8"]
    message = refused(capsys, "convert", str(DIGITS), str(target), *wrong)
    assert f"--input-shape: {DIGITS} has no input ['pictures']" in message


def test_run_onnx_at_another_size(image, capsys, tmp_path):
    pytest.importorskip("onnx", reason="reads ONNX files")
    picture = photo(image, tmp_path / "a.png", 12, 16, "L")
    report = run_json(capsys, str(DIGITS), picture, "--size", "12x16")
    assert report["outputs"][0]["shape"] == [1, 10]


def test_a_broken_onnx_file(capsys, tmp_path):
    pytest.importorskip("onnx", reason="reads ONNX files")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(DIGITS.read_bytes()[:5000])
    assert "network: " in refused(capsys, "info", str(broken))
    assert "network: " in refused(capsys, "run", str(broken), "a.png", "--size", "8")


def test_onnx_is_missing(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert "dwsep[onnx]" in refused(capsys, "info", str(DIGITS))


def test_open_sizes_are_asked_for_by_the_option(capsys, tmp_path):
    onnx = pytest.importorskip("onnx", reason="reads ONNX files")
    floats = onnx.TensorProto.FLOAT
    x = onnx.helper.make_tensor_value_info("my images", floats, ["N", 3, "H", "W"])
    y = onnx.helper.make_tensor_value_info("y", floats, None)
    relu = onnx.helper.make_node("Relu", ["my images"], ["y"])
    path = tmp_path / "open.onnx"
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([relu], "open", [x], [y])), path)
    for command in ("profile", "info"):
        message = refused(capsys, command, str(path))
        assert "--input-shape 'my images=N,3,224,224'" in message
        assert "input_shapes" not in message


@pytest.fixture
def any_size(tmp_path):
    onnx = pytest.importorskip("onnx", reason="reads ONNX files")
    import onnx_models

    nodes = [("Conv", "x,w", "a", {}), ("GlobalMaxPool", "a", "y", {})]
    net = onnx_models.model(
        nodes, {"w": onnx_models.f(4, 3, 3, 3)}, inputs={"x": ("N", 3, "h", "w")}
    )
    onnx.save(net, tmp_path / "any.onnx")
    return tmp_path / "any.onnx"


def test_run_takes_pictures_as_large_as_they_are(image, capsys, tmp_path, any_size):
    picture = photo(image, tmp_path / "a.png", 31, 17)
    saved = tmp_path / "any.dwsep"
    assert main(["convert", str(any_size), str(saved)]) == 0
    capsys.readouterr()
    own = [run_json(capsys, str(net), picture)["outputs"] for net in (any_size, saved)]
    given = [
        run_json(capsys, str(net), picture, "--size", "31x17")["outputs"]
        for net in (any_size, saved)
    ]
    other = run_json(capsys, str(saved), picture, "--size", "8x9")["outputs"]
    assert own[0] == own[1] == given[0] == given[1] != other


@pytest.mark.parametrize("command", ["info", "profile"])
def test_reports_name_the_option_for_open_sizes(capsys, any_size, command):
    assert "give --input-shape x=N,3,224,224" in refused(capsys, command, str(any_size))
    assert main(["info", str(any_size), "--input-shape", "x=N,3,9,9"]) == 0
