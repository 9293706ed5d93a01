"""What a model promises to those who call it; no ONNX needed."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from math import prod

import numpy as np
import pytest
import small_networks

import dwsep
from dwsep import _core, _limits

RNG = np.random.default_rng(0)
IMAGES = RNG.standard_normal((5, 8, 8, 3), dtype=np.float32)


@pytest.fixture(scope="module")
def model():
    return dwsep.Model(small_networks.classifier())


@pytest.fixture(scope="module")
def rearranger():
    return dwsep.Model(small_networks.rearranger())


@pytest.fixture
def little_to_measure(monkeypatch):
    monkeypatch.setattr(_limits, "levels", lambda: {"L1D": 2**14, "memory": 2**20})


def same(left, right):
    return len(left) == len(right) and all(
        np.array_equal(a, b) for a, b in zip(left, right, strict=True)
    )


def feeds(model, batch=2):
    rng = np.random.default_rng(7)
    return {
        info.name: rng.standard_normal([batch if n is None else n for n in info.shape], np.float32)
        for info in model.inputs
    }


# --- names, shapes, calls


def test_names_and_shapes(model):
    assert model.name == "small"
    assert model.inputs == (("images", (None, 8, 8, 3)),)
    assert model.outputs == (("probabilities", (None, 10)), ("features", (None, 16)))
    assert repr(model) == (
        "<dwsep.Model 'small': images (N, 8, 8, 3) -> probabilities (N, 10), features (N, 16)>"
    )


def test_a_call_returns_all_outputs_in_order(model):
    probabilities, features = model(IMAGES)
    assert probabilities.shape == (5, 10)
    assert features.shape == (5, 16)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    assert np.ptp(probabilities) > 1e-3


def test_run_picks_and_orders_outputs(model):
    whole = model(IMAGES)
    assert same(model.run(None, {"images": IMAGES}), whole)
    assert same(model.run(["features", "probabilities"], {"images": IMAGES}), whole[::-1])
    assert same(model.run(["features"], {"images": IMAGES}), whole[1:])


@pytest.mark.parametrize(
    ("error", "names", "given", "words"),
    [
        (ValueError, None, {}, ["feeds", "images"]),
        (ValueError, None, {"picture": IMAGES}, ["feeds", "images", "picture"]),
        (ValueError, None, {"images": IMAGES, "more": IMAGES}, ["feeds", "more"]),
        (ValueError, ["logits"], {"images": IMAGES}, ["output_names", "logits", "features"]),
        (ValueError, None, {"images": IMAGES[0]}, ["images", "8"]),
        (ValueError, None, {"images": IMAGES[:, :7]}, ["images", "7", "8"]),
        (TypeError, None, {"images": IMAGES.astype(np.float64)}, ["images", "float64"]),
        (TypeError, None, {"images": IMAGES.tolist()}, ["images", "list"]),
        (TypeError, None, {"images": None}, ["images", "NoneType"]),
    ],
)
def test_run_refuses_by_name(model, error, names, given, words):
    with pytest.raises(error) as caught:
        model.run(names, given)
    for word in words:
        assert word in str(caught.value)


def test_calls_refuse_by_name(model, rearranger):
    with pytest.raises(ValueError, match=r"need 1 arrays?, got 0"):
        model()
    with pytest.raises(ValueError, match=r"need 2 arrays, got 1"):
        rearranger(IMAGES)
    with pytest.raises(ValueError, match="num_threads"):
        model(IMAGES, num_threads=0)
    with pytest.raises(TypeError, match="num_threads"):
        model(IMAGES, num_threads="two")


def test_views_give_the_bits_of_copies(model):
    wide = RNG.standard_normal((5, 8, 16, 6), dtype=np.float32)
    view = wide[:, ::-1, ::2, 1:4]
    assert same(model(view), model(view.copy()))


# --- determinism


@pytest.mark.parametrize("make", [small_networks.classifier, small_networks.rearranger])
def test_neither_threads_nor_batch_change_a_bit(make):
    model = dwsep.Model(make())
    whole_feeds = feeds(model, 5)
    whole = model(*whole_feeds.values(), num_threads=1)
    for threads in (1, 2, 3):
        for batch in range(1, 6):
            part = model(*(x[:batch] for x in whole_feeds.values()), num_threads=threads)
            assert same(part, [y[:batch] for y in whole]), (threads, batch)


def test_several_python_threads_may_call_at_once(model):
    inputs = [
        np.random.default_rng(seed).standard_normal((1 + seed % 3, 8, 8, 3), dtype=np.float32)
        for seed in range(12)
    ]
    alone = [model(x, num_threads=1) for x in inputs]
    with ThreadPoolExecutor(6) as pool:
        together = list(
            pool.map(lambda n: model(inputs[n % 12], num_threads=1 + n % 3), range(240))
        )
    assert all(same(result, alone[n % 12]) for n, result in enumerate(together))


def test_an_empty_batch_gives_empty_outputs(model):
    probabilities, features = model(IMAGES[:0])
    assert probabilities.shape == (0, 10)
    assert features.shape == (0, 16)


# --- files


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
    with pytest.raises(ValueError, match="file"):
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


def test_input_layout_has_two_choices(tmp_path):
    with pytest.raises(ValueError, match="input_layout"):
        dwsep.load(tmp_path / "none.onnx", input_layout="NCHW")


# --- pickling


def test_pickling(model):
    copy = pickle.loads(pickle.dumps(model))
    assert same(copy(IMAGES), model(IMAGES))
    assert repr(copy) == repr(model)


def call(arguments):
    model, x = arguments
    return model(x, num_threads=1)


def test_models_go_to_spawned_processes(model):
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        results = pool.map(call, [(model, IMAGES), (model, IMAGES[:1])])
    assert same(results[0], model(IMAGES))
    assert same(results[1], model(IMAGES[:1]))


# --- summary


def test_summary_counts_what_the_network_has(model):
    summary = model.summary(batch=2)
    kinds = ["standard", "depthwise", "separable", "inverted_residual", "reduce", "pointwise"]
    assert [row.kind for row in summary.rows] == [*kinds, "softmax"]
    pixels = 2 * np.array([64, 64, 16, 16])
    macs = [
        pixels[0] * 27 * 8,
        pixels[1] * 9 * 8,
        pixels[2] * (9 * 8 + 8 * 16),
        pixels[3] * (16 * 24 + 9 * 24 + 24 * 16) + 2 * (24 * 4 + 4 * 24),
        0,
        2 * 16 * 10,
        0,
    ]
    assert [row.macs for row in summary.rows] == macs
    parameters = [27 * 8 + 8, 9 * 8 + 8, 9 * 8 + 8 + 8 * 16 + 16]
    parameters += [16 * 24 + 24 + 9 * 24 + 24 + 24 * 16 + 16 + 24 * 4 + 4 + 4 * 24 + 24]
    assert [row.parameters for row in summary.rows] == [*parameters, 0, 170, 0]
    assert (summary.macs, summary.parameters) == (sum(macs), sum(parameters) + 170)
    assert summary.inputs == {"images": (2, 8, 8, 3)}
    assert summary.outputs == {"probabilities": (2, 10), "features": (2, 16)}
    assert summary.rows[3].inputs == ((2, 4, 4, 16), (2, 4, 4, 16))
    assert summary.rows[2].output == (2, 4, 4, 16)
    assert summary.weight_bytes >= 4 * summary.parameters
    assert summary.arena_bytes > 0


def test_summary_prints_and_goes_to_json(model):
    summary = model.summary()
    text = str(summary)
    for word in ("small: images 1x8x8x3", "inverted_residual", "total", f"{summary.macs:,}"):
        assert word in text
    assert len({len(line) for line in text.splitlines()[1:3]}) == 1
    report = json.loads(summary.to_json())
    assert report["parameters"] == summary.parameters
    assert [row["name"] for row in report["rows"]] == [row.name for row in summary.rows]


def test_summary_of_steps_without_work(rearranger):
    rows = rearranger.summary().rows
    assert any(row.free for row in rows if row.kind == "reshape")
    assert not any(row.free for row in rows if row.kind in ("pool", "matmul", "layer_norm"))
    (product,) = [row for row in rows if row.kind == "matmul"]
    assert product.macs == 9 * 9 * 6


def test_summary_takes_shapes_by_name(rearranger):
    summary = rearranger.summary(input_shapes={"x": (3, 6, 4, 8), "gate": [2, 3]})
    assert summary.outputs == {"products": (3, 9, 9), "gate": (2, 2, 3)}


@pytest.mark.parametrize(
    ("error", "arguments", "word"),
    [
        (ValueError, {"batch": 0}, "batch"),
        (TypeError, {"batch": 1.5}, "batch"),
        (ValueError, {"input_shapes": {"picture": (1, 8, 8, 3)}}, "picture"),
        (ValueError, {"input_shapes": {"images": (1, 9, 8, 3)}}, "images"),
        (TypeError, {"input_shapes": {"images": 5}}, "images"),
        (ValueError, {"input_shapes": {"images": (-1, 8, 8, 3)}}, "images"),
    ],
)
def test_summary_refuses_by_name(model, error, arguments, word):
    with pytest.raises(error, match=word):
        model.summary(**arguments)


# --- profile


@pytest.mark.usefixtures("little_to_measure")
def test_profile(model):
    profile = model.profile(IMAGES, rounds=3, num_threads=1)
    summary = model.summary(batch=5, num_threads=1)
    assert [row.step for row in profile.rows] == summary.rows
    assert (profile.rounds, profile.threads, profile.name) == (3, 1, "small")
    assert profile.seconds > 0
    assert profile.limit_seconds == pytest.approx(sum(r.limit_seconds for r in profile.rows))
    for row in profile.rows:
        assert row.seconds > 0
        assert row.gflops == pytest.approx(row.step.flops / row.seconds / 1e9)
        assert row.share_of_limit == pytest.approx(row.limit_seconds / row.seconds)
        assert row.bound in ("compute", "memory")
        assert row.limit_seconds >= 0.999e-9 * row.step.flops / profile.peak_gflops
        written = 4 * prod(row.step.output)
        assert row.step.bytes > written
    report = json.loads(profile.to_json())
    assert report["rows"][3]["step"]["kind"] == "inverted_residual"
    text = str(profile)
    for word in ("1 thread,", "3 rounds", "a whole call", "of limit", "peak", "L1D"):
        assert word in text


@pytest.mark.usefixtures("little_to_measure")
def test_profile_of_steps_without_work(rearranger):
    profile = rearranger.profile(*feeds(rearranger).values(), rounds=1)
    free = [row for row in profile.rows if row.step.free]
    assert free
    assert all(row.seconds == row.limit_seconds == row.gflops == 0 for row in free)
    text = str(profile)
    assert all(f" {row.step.name} " not in text for row in free)


def test_profile_refuses(model):
    with pytest.raises(ValueError, match="rounds"):
        model.profile(IMAGES, rounds=0)
    with pytest.raises(ValueError, match="images"):
        model.profile(IMAGES[:, :2])
    with pytest.raises(ValueError, match="num_threads"):
        model.profile(IMAGES, num_threads=-1)


@pytest.mark.usefixtures("little_to_measure")
def test_plot(model, tmp_path):
    pytest.importorskip("matplotlib", reason="draws the roofline plot")
    profile = model.profile(IMAGES, rounds=1)
    profile.plot(tmp_path / "roofline.png")
    assert (tmp_path / "roofline.png").read_bytes().startswith(b"\x89PNG")
    profile.plot(tmp_path / "roofline.svg")
    text = (tmp_path / "roofline.svg").read_text()
    assert "<svg" in text
    with pytest.raises(ValueError, match="xyz"):
        profile.plot(tmp_path / "roofline.xyz")


@pytest.mark.usefixtures("little_to_measure")
def test_plot_without_matplotlib(model, monkeypatch, tmp_path):
    profile = model.profile(IMAGES, rounds=1)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"dwsep\[plot\]"):
        profile.plot(tmp_path / "roofline.png")


# --- networks from ONNX


@pytest.mark.parametrize(
    "name", ["mobilenet_v1", "mobilenet_v3_small", "efficientnet_b0", "shufflenet_v2"]
)
def test_multiply_adds_are_those_of_the_file(name):
    """All rewriting together neither adds nor saves any, and drops parameters of batch norms."""
    pytest.importorskip("onnx", reason="builds networks")
    source = getattr(dwsep.models, name)(resolution=64, classes=10)
    summary, count = dwsep.load(source).summary(), dwsep.models.count(source)
    assert summary.macs == count.macs
    assert 0.95 * count.parameters < summary.parameters < count.parameters
