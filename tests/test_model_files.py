"""Models in `.dwsep` files: the same bits, whole or not at all, on any processor."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys

import dwsep_file
import file_mutations
import numpy as np
import pytest
import small_networks
from small_networks import IMAGES, feeds, same

import dwsep
from dwsep import _core


@pytest.mark.parametrize("make", [small_networks.classifier, small_networks.rearranger])
def test_a_saved_model_gives_the_same_bits(make, tmp_path):
    model = dwsep.Model(make())
    path = tmp_path / "small.dwsep"
    model.save(path)
    loaded = dwsep.load(path)
    arrays = feeds(model).values()
    assert same(loaded(*arrays), model(*arrays))
    assert (loaded.name, loaded.inputs, loaded.outputs) == (model.name, model.inputs, model.outputs)
    again = tmp_path / "again.dwsep"
    loaded.save(again)
    assert again.read_bytes() == path.read_bytes()
    assert same(dwsep.load(path.read_bytes())(*arrays), model(*arrays))


def test_saving_replaces_a_file_whole(model, tmp_path):
    path = tmp_path / "small.dwsep"
    path.write_bytes(b"old")
    model.save(path)
    old = dwsep.load(path)  # mapped: the name may get another file, not the file other bytes
    dwsep.Model(small_networks.classifier(seed=5)).save(path)
    assert same(old(IMAGES), model(IMAGES))
    assert not same(dwsep.load(path)(IMAGES), model(IMAGES))
    assert os.listdir(tmp_path) == ["small.dwsep"]


def test_a_saved_file_has_the_usual_permissions(model, tmp_path):
    (tmp_path / "plain").touch()
    model.save(tmp_path / "small.dwsep")
    modes = [stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()]
    assert modes[0] == modes[1]


def test_a_path_is_named_in_its_error(model):
    with pytest.raises(TypeError, match=r"^path: need a str or an os.PathLike, got None"):
        model.save(None)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o755])
def test_a_file_that_is_replaced_keeps_its_permissions(mode, model, tmp_path):
    path = tmp_path / "small.dwsep"
    path.touch()
    path.chmod(mode)
    model.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert same(dwsep.load(path)(IMAGES), model(IMAGES))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_that_is_replaced_keeps_its_owner(model, tmp_path):
    path = tmp_path / "small.dwsep"
    path.touch()
    path.chmod(0o640)
    os.chown(path, 1234, 4321)
    model.save(path)
    after = path.stat()
    assert (after.st_uid, after.st_gid, stat.S_IMODE(after.st_mode)) == (1234, 4321, 0o640)


@pytest.mark.parametrize("existed", [True, False])
@pytest.mark.parametrize("absolute", [True, False])
def test_saving_through_links(existed, absolute, model, tmp_path):
    """As open(..., "w") does: what the link leads to gets the model, and the link remains."""
    (tmp_path / "there").mkdir()
    (tmp_path / "here").mkdir()
    target = tmp_path / "there" / "small.dwsep"
    if existed:
        target.write_bytes(b"old")
    first, second = tmp_path / "here" / "first.dwsep", tmp_path / "second.dwsep"
    first.symlink_to(target if absolute else "../there/small.dwsep")
    second.symlink_to(first if absolute else "here/first.dwsep")
    model.save(second)
    assert first.is_symlink()
    assert second.is_symlink()
    assert same(dwsep.load(target)(IMAGES), model(IMAGES))
    assert sorted(os.listdir(tmp_path)) == ["here", "second.dwsep", "there"]
    assert os.listdir(tmp_path / "there") == ["small.dwsep"]
    assert os.listdir(tmp_path / "here") == ["first.dwsep"]


def test_saving_through_links_that_lead_nowhere(model, tmp_path):
    missing, circle = tmp_path / "missing.dwsep", tmp_path / "circle.dwsep"
    missing.symlink_to("none/small.dwsep")
    circle.symlink_to("circle.dwsep")
    with pytest.raises(FileNotFoundError, match=r"missing\.dwsep"):
        model.save(missing)
    with pytest.raises(OSError, match=r"circle\.dwsep"):
        model.save(circle)
    assert missing.is_symlink()
    assert circle.is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["circle.dwsep", "missing.dwsep"]


def test_names_may_be_as_long_as_the_system_takes(model, tmp_path):
    path = tmp_path / ("n" * (os.pathconf(tmp_path, "PC_NAME_MAX") - 6) + ".dwsep")
    model.save(path)
    assert same(dwsep.load(path)(IMAGES), model(IMAGES))
    assert os.listdir(tmp_path) == [path.name]


def test_saving_where_there_is_no_folder(model, tmp_path):
    path = tmp_path / "missing" / "small.dwsep"
    with pytest.raises(FileNotFoundError, match="missing"):
        model.save(path)
    assert not path.parent.exists()


def test_saving_onto_a_folder(model, tmp_path):
    folder = tmp_path / "small.dwsep"
    folder.mkdir()
    with pytest.raises(OSError, match=r"small\.dwsep"):
        model.save(folder)
    assert os.listdir(tmp_path) == ["small.dwsep"]
    assert os.listdir(folder) == []


def test_saving_onto_what_is_no_file(model, tmp_path):
    """A file that took the place of /dev/null would be missed."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="pipe"):
        model.save(pipe)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert os.listdir(tmp_path) == ["pipe"]


def test_saving_under_half_a_name(model, tmp_path):
    with pytest.raises(ValueError, match="path: need a path without zero bytes"):
        model.save(f"{tmp_path}/small\0.dwsep")
    assert os.listdir(tmp_path) == []


def test_a_file_of_that_name_that_is_left_from_before(model, tmp_path):
    """Names of unfinished files may be taken, by another process of the same number."""
    path = tmp_path / "small.dwsep"
    model.save(path)
    taken = [tmp_path / f".dwsep-{os.getpid()}-{n}" for n in range(200)]
    for name in taken:
        name.touch()
    model.save(path)
    assert sorted(os.listdir(tmp_path)) == sorted(["small.dwsep", *(n.name for n in taken)])
    assert same(dwsep.load(path)(IMAGES), model(IMAGES))


ELSEWHERE = """
import sys
import numpy as np
import dwsep
from dwsep import _core
assert _core.isa() == sys.argv[1]
model = dwsep.load(sys.argv[2])
np.savez(sys.argv[4], *model(np.load(sys.argv[3])))
model.save(sys.argv[2])
"""


@pytest.mark.parametrize("isa", sorted(set(_core.isas()) - {_core.isa()}))
def test_other_processors_pack_weights_anew(isa, model, tmp_path):
    """A file goes there and comes back; with fused multiply-adds on both sides bits agree."""
    path = tmp_path / "small.dwsep"
    model.save(path)
    before = path.read_bytes()
    np.save(tmp_path / "x.npy", IMAGES)
    files = [path, tmp_path / "x.npy", tmp_path / "y.npz"]
    subprocess.run(
        [sys.executable, "-c", ELSEWHERE, isa, *files],
        check=True,
        env={**os.environ, "DWSEP_ISA": isa},
    )
    assert path.read_bytes() != before
    wanted = model(IMAGES)
    with np.load(files[-1]) as there:
        results = [there[name] for name in there]
    if "baseline" in (isa, _core.isa()):
        for y, z in zip(results, wanted, strict=True):
            np.testing.assert_allclose(y, z, rtol=1e-4, atol=1e-5)
    else:
        assert same(results, wanted)
    back = dwsep.load(path)
    assert same(back(IMAGES), wanted)
    back.save(path)
    assert path.read_bytes() == before


FULL_DISK = """
import resource, signal, sys
import dwsep, small_networks
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # so that write fails, as on a full disk
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    dwsep.Model(small_networks.classifier()).save(sys.argv[1])
except OSError as error:
    assert error.filename == sys.argv[1], error.filename
    sys.exit(7)
"""


@pytest.mark.parametrize("existed", [True, False])
def test_a_save_that_fails_leaves_what_was_there(existed, tmp_path):
    path = tmp_path / "small.dwsep"
    if existed:
        path.write_bytes(b"old")
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, path],
        cwd=os.path.dirname(__file__),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 7, done.stderr
    assert os.listdir(tmp_path) == (["small.dwsep"] if existed else [])
    assert not existed or path.read_bytes() == b"old"


@pytest.mark.parametrize("content", [b"", b"dwsepnet", b"dwsepnet" + bytes(200), b"x" * 64])
def test_files_that_are_none(content, tmp_path):
    path = tmp_path / "broken.dwsep"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"file: .* \(in '.*broken\.dwsep'\)"):
        dwsep.load(path)


@pytest.mark.parametrize(
    ("lanes", "half", "complaint"),
    [
        (5, 0, "vectors of 4, 8 or 16 floats, got vectors of 5"),
        (16, 3, "half panels of kind 0 or 1, got kind 3"),
        (16, 2**32 - 1, "half panels of kind 0 or 1, got kind 4294967295"),
    ],
)
def test_weights_that_no_version_packs_like_this(lanes, half, complaint, model, tmp_path):
    path = tmp_path / "other.dwsep"
    model.save(path)
    file = dwsep_file.parse(path.read_bytes())
    steps = [v for v in file.values if isinstance(v, dwsep_file.Step)]
    file_mutations.packed_for(steps, lanes, half)
    path.write_bytes(file.to_bytes())
    with pytest.raises(ValueError, match=rf"{complaint} \(in '.*other\.dwsep'\)"):
        dwsep.load(path)


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        dwsep.load(tmp_path / "none.dwsep")
    with pytest.raises(OSError):
        dwsep.load(tmp_path)


@pytest.mark.parametrize(
    "option", [{"input_layout": "NHWC"}, {"input_shapes": {}}, {"outputs": ["features"]}]
)
def test_a_saved_model_takes_no_options(model, option, tmp_path):
    model.save(tmp_path / "small.dwsep")
    with pytest.raises(ValueError, match=next(iter(option))):
        dwsep.load(tmp_path / "small.dwsep", **option)


@pytest.mark.parametrize(
    ("option", "wrong"),
    [("outputs", "features"), ("outputs", 3), ("input_shapes", [1, 2]), ("input_shapes", "x")],
)
def test_options_of_the_wrong_type(option, wrong, tmp_path):
    with pytest.raises(
        TypeError, match=f"{option}: need None or a .*, got {re.escape(repr(wrong))}"
    ):
        dwsep.load(tmp_path / "none.onnx", **{option: wrong})


@pytest.mark.parametrize("wrong", ["NCHW", 1, np.zeros(3)], ids=repr)
def test_input_layout_has_two_choices(wrong, tmp_path):
    with pytest.raises(ValueError, match="input_layout"):
        dwsep.load(tmp_path / "none.onnx", input_layout=wrong)


def test_a_null_character_in_a_path():
    with pytest.raises(ValueError, match="source: need a path without null characters"):
        dwsep.load("a\0b")
