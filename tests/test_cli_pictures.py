"""Pictures on the command line: sizes, alpha and depths that files bring, and labels."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import small_networks
from cli_calls import photo, refused, run_json
from hypothesis import example, given, settings
from hypothesis import strategies as st

import dwsep
from dwsep.cli import _pictures, main


def test_torchvision_preset_is_resize_crop_normalise(image, tmp_path):
    """Within a rounding of its pixels: Pillow resizes bytes, once instead of resize and crop."""
    path = photo(image, tmp_path / "a.png", 512, 640)
    preset = _pictures.PRESETS["torchvision"]
    got = _pictures.Preparation(preset, "bilinear")(path, 224, 224, 3)
    resized = image.open(path).resize((320, 256), image.Resampling.BILINEAR)
    cut = np.asarray(resized.crop((48, 16, 272, 240)), np.float64) / 255
    wanted = (cut - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    assert np.abs(got - wanted).max() <= 1.01 / 255 / 0.224


def test_pictures_are_turned_upright(image, tmp_path):
    path = photo(image, tmp_path / "a.png", 40, 40)
    prepare = _pictures.Preparation(_pictures.PRESETS["none"], "nearest")
    plain = prepare(path, 40, 40, 3)
    exif = image.Exif()
    exif[0x0112] = 6  # the camera was turned: right side up is a quarter turn clockwise
    image.open(path).save(tmp_path / "turned.png", exif=exif)
    turned = prepare(str(tmp_path / "turned.png"), 40, 40, 3)
    assert np.array_equal(turned, np.rot90(plain, -1))
    grey = prepare(path, 40, 40, 1)
    assert grey.shape == (40, 40, 1)


def test_run_without_pillow(network, image, capsys, monkeypatch, tmp_path):
    picture = photo(image, tmp_path / "a.png")
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert "dwsep[image]" in refused(capsys, "run", network, picture)


def test_run_refuses_what_is_no_picture(network, image, capsys, tmp_path):
    picture = Path(photo(image, tmp_path / "a.png"))
    cut = tmp_path / "cut.png"
    cut.write_bytes(picture.read_bytes()[:900])
    text = tmp_path / "text.jpg"
    text.write_text("no picture")
    deep = tmp_path / "deep.tif"
    image.fromarray(np.zeros((4, 4), np.int32)).save(deep)
    array = tmp_path / "array.npy"
    array.write_bytes(b"\x93NUMPY")
    for path in (cut, text, deep, array, tmp_path / "missing.png", tmp_path):
        assert "inputs: " in refused(capsys, "run", network, str(path))


@pytest.mark.parametrize("shape", [(1, 3, 8, 3), (1, 5, 8, 4), (8, 8, 3), (None, 4, 8, 8)])
def test_pictures_need_a_layout_that_can_be_told(shape):
    with pytest.raises(ValueError, match=r"pictures|--layout"):
        _pictures.picture_axes(shape, None)


def test_layout_decides():
    assert _pictures.picture_axes((1, 3, 8, 3), "NHWC") == "NHWC"
    assert _pictures.picture_axes((1, 3, 8, 3), "NCHW") == "NCHW"


# --- every size

SIDES = st.integers(1, 2000)
FRACTIONS = st.sampled_from([1.0, 0.875, 224 / 256, 1 / 3, 1e-3]) | st.floats(1e-30, 1)


@settings(deadline=None, max_examples=60)
@given(SIDES, SIDES, st.integers(1, 320), st.integers(1, 320), FRACTIONS)
@example(600, 450, 224, 224, 1.0)
@example(1, 2000, 224, 1, 1.0)
@example(2000, 2000, 1, 1, 1e-30)
def test_every_size_can_be_cropped(width, height, across, down, crop):
    image = pytest.importorskip("PIL.Image", reason="reads pictures")
    preparation = _pictures.Preparation(_pictures.Preset(crop=crop), "bilinear")
    fitted = preparation._fitted(image.new("L", (width, height), 200), down, across)
    assert fitted.size == (across, down)
    assert fitted.getextrema() == (200, 200)


def test_the_whole_shorter_side_is_shown(image, tmp_path):
    path = photo(image, tmp_path / "a.png", 450, 600)
    got = _pictures.Preparation(_pictures.Preset(scale=1, crop=1.0), "bilinear")(path, 224, 224, 3)
    middle = (75, 0, 525, 450)
    wanted = image.open(path).resize((224, 224), image.Resampling.BILINEAR, middle)
    assert np.array_equal(got, np.asarray(wanted, np.float32))


def test_the_whole_shorter_side_on_the_command_line(network, image, capsys, tmp_path):
    picture = photo(image, tmp_path / "a.png", 450, 600)
    report = run_json(capsys, network, picture, "--crop", "1")
    assert len(report["outputs"][0]["top"][0]) == 5


# --- alpha and depth


def pixels(path, channels=3, background="white"):
    prepare = _pictures.Preparation(_pictures.Preset(scale=1), "nearest", background)
    return prepare(str(path), 1, 2, channels)[0].tolist()


def test_transparent_pictures_show_the_background(image, tmp_path):
    """The first pixel is half transparent red, the second transparent with a hidden colour."""
    path = tmp_path / "a.png"
    picture = image.new("RGBA", (2, 1))
    picture.putdata([(200, 0, 0, 51), (7, 8, 9, 0)])
    picture.save(path)
    assert pixels(path) == [[244, 204, 204], [255, 255, 255]]
    assert pixels(path, 3, "black") == [[40, 0, 0], [0, 0, 0]]
    assert pixels(path, 3, "#0a141e") == [[48, 16, 24], [10, 20, 30]]
    assert pixels(path, 1) == [[216], [255]]


def test_every_kind_of_transparency(image, tmp_path):
    path = tmp_path / "a.png"
    grey = image.new("LA", (2, 1))
    grey.putdata([(100, 255), (100, 0)])
    grey.save(path)
    assert pixels(path, 1, "black") == [[100], [0]]
    palette = image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.putdata([0, 1])
    for transparency in (1, b"\xff\x00"):
        palette.save(path, transparency=transparency)
        assert pixels(path) == [[10, 20, 30], [255, 255, 255]]
    for mode, colours, hidden in (("L", [10, 20], 20), ("RGB", [(1, 2, 3), (4, 5, 6)], (4, 5, 6))):
        keyed = image.new(mode, (2, 1))
        keyed.putdata(colours)
        keyed.save(path, transparency=hidden)
        assert pixels(path)[1] == [255, 255, 255]
        assert pixels(path)[0] == ([10, 10, 10] if mode == "L" else [1, 2, 3])


@pytest.mark.parametrize("name", ["grey.png", "grey.tif"])
def test_grey_of_16_bits_keeps_its_fractions(image, tmp_path, name):
    values = np.array([[0x8080, 0x0101 + 1]], np.uint16)
    image.fromarray(values).save(tmp_path / name)
    wanted = (values.astype(np.float32) / np.float32(257))[0]
    assert pixels(tmp_path / name, 1) == [[w] for w in wanted]
    assert pixels(tmp_path / name, 3) == [[w] * 3 for w in wanted]
    assert wanted[0] == 128


def test_the_background_is_a_colour(network, image, capsys, tmp_path):
    picture = photo(image, tmp_path / "a.png")
    line = refused(capsys, "run", network, picture, "--background", "nothing")
    assert "background: " in line
    clear = tmp_path / "clear.png"
    image.new("RGBA", (9, 9), (9, 9, 9, 0)).save(clear)
    black, white = (
        run_json(capsys, network, str(clear), "--background", name) for name in ("#000", "white")
    )
    assert black != white
    assert run_json(capsys, network, str(clear)) == white


# --- labels


def test_labels(network, image, capsys, tmp_path):
    labels = tmp_path / "labels.txt"
    labels.write_text("\n".join(f"sort {n}" for n in range(10)), encoding="utf-8")
    picture = photo(image, tmp_path / "a.png")
    logits = tmp_path / "first.dwsep"
    builder = small_networks.Builder()
    x = builder.core.input("images", (-1, 8, 8, 3))
    x = builder.step("reduce", [x], {"function": "max", "axes": [1, 2], "keepdims": [0]})
    y = builder.step("pointwise", [x], {}, weight=builder.weight(3, 10))
    dwsep.Model(builder.finish(logits=y)).save(logits)
    report = run_json(capsys, str(logits), picture, "--labels", str(labels))
    top = report["outputs"][0]["top"][0]
    assert all(row["label"] == f"sort {row['class']}" for row in top)
    assert main(["run", str(logits), picture, "--labels", str(labels)]) == 0
    assert top[0]["label"] in capsys.readouterr().out
    line = refused(capsys, "run", network, picture, "--labels", str(labels))
    assert "labels: need 16 lines" in line  # of the features


@pytest.mark.parametrize(
    "end", ["", "\n", "\n\n", "\r\n", "\n \n\t\n"], ids=["none", "one", "two", "crlf", "blanks"]
)
def test_labels_hold_any_character_and_may_end_in_blank_lines(network, capsys, tmp_path, end):
    """U+0085 and the like are no ends of lines in a file of labels; a BOM is no part of one."""
    model = dwsep.Model(small_networks.channels_first())
    model.save(tmp_path / "four.dwsep")
    np.save(tmp_path / "x.npy", np.ones((1, *model.inputs[0].shape[1:]), np.float32))
    names = ["a\u0085b", "c\u2028d", "e\x0cf", ""]
    path = tmp_path / "labels.txt"
    path.write_bytes(("\ufeff" + "\n".join(names) + "\n" + end).encode())
    words = [str(tmp_path / "four.dwsep"), str(tmp_path / "x.npy"), "--labels", str(path)]
    rows = run_json(capsys, *words)["outputs"][0]["top"][0]
    assert {row["class"]: row["label"] for row in rows} == dict(enumerate(names))
    path.write_text("one\ntwo\n\n")
    assert "need 4 lines, one for each class of 'scores', got 3" in refused(capsys, "run", *words)
    path.write_text("1\n2\n3\n4\n5\n\n")
    assert "got 5" in refused(capsys, "run", *words)
    path.write_text("")
    assert "got 0" in refused(capsys, "run", *words)
