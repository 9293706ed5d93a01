"""`dwsep bench --save`, `--against`, `--plot`: verdicts on samples with a known answer."""

import json
import sys

import numpy as np
import pytest

from dwsep import _core
from dwsep.cli import _plots, _verdicts, main, pairs, timing


def noisy(scale, seed, count=25):
    """Make times that neighbours lengthen now and then, as shared machines show them."""
    rng = np.random.default_rng(seed)
    times = scale * (1 + 0.02 * np.abs(rng.standard_normal(count)))
    times[rng.random(count) < 0.15] *= 1.5
    return times.tolist()


@pytest.mark.parametrize(
    ("growth", "word"), [(0.5, "faster"), (0.98, "same"), (1.0, "same"), (1.02, "same")]
)
@pytest.mark.parametrize("seed", range(20))
def test_what_is_not_slower(growth, word, seed):
    verdict = _verdicts.judge("row", noisy(1, seed), noisy(growth, seed + 100), 0.05)
    assert verdict.word == word
    assert verdict.low <= verdict.ratio <= verdict.high


@pytest.mark.parametrize("seed", range(20))
def test_a_tenth_is_slower(seed):
    verdict = _verdicts.judge("row", noisy(1, seed), noisy(1.1, seed + 100), 0.05)
    assert verdict.word == "slower"
    assert verdict.ratio == pytest.approx(1.1, rel=0.03)


def test_a_row_must_be_slower_each_time():
    before = {"a": noisy(1, 0), "b": noisy(1, 1), "c": noisy(1, 2)}
    after = {"a": noisy(1.3, 3), "b": noisy(1.3, 4), "c": noisy(1, 5)}
    asked = []

    def again(row):
        asked.append(row)
        return {"a": noisy(1, 6), "b": noisy(1.2, 7), "c": noisy(1, 8)}

    found = {v.row: v for v in _verdicts.compare(before, after, 0.05, again)}
    assert [v.word for v in found.values()] == ["same", "slower", "same"]
    assert asked == ["a", "b"]  # the first time, both came with one; then b alone was left
    assert found["b"].ratio == pytest.approx(1.2, rel=0.05)


def test_an_interrupted_burst_does_not_set_the_unit(monkeypatch):
    attempts = []

    def time_fma(rounds):
        interrupted = rounds not in attempts
        attempts.append(rounds)
        return (1.0 if interrupted else 1e-8 * rounds), 64.0 * rounds

    monkeypatch.setattr(_core, "time_fma", time_fma)
    assert _verdicts.fma_burst() == (64000, 64.0 * 64000)


@pytest.mark.parametrize("size", [1, 3])
def test_the_length_of_a_burst_is_not_in_what_is_saved(size):
    layer = timing.Timing(1.0, 1.0, 1, 1, (1.0, 1.5))
    burst = timing.Timing(1.0, 1.0, 1, 1, (size * 0.5, size * 0.5))
    assert _verdicts.in_bursts(layer, burst, size * 2e8) == pytest.approx([4, 6])


def scaled(path, factor):
    content = json.loads(path.read_text())
    content["samples"] = {
        row: [factor * value for value in values] for row, values in content["samples"].items()
    }
    path.write_text(json.dumps(content))


# Far from 1, as the times of this test are real.
@pytest.mark.usefixtures("tiny_network", "tiny_layers")
@pytest.mark.parametrize("options", [["--quick"], [], ["--layers", "xception"]])
def test_save_and_against(options, capsys, tmp_path):
    path = tmp_path / "run.json"
    bench = ["bench", *options, "--threads", "1"]
    assert main([*bench, "--save", str(path)]) == 0
    rows = set(json.loads(path.read_text())["samples"])
    assert len(rows) == {"--quick": 4, "--layers": 4}.get(options[0] if options else "", 8)
    capsys.readouterr()

    scaled(path, 1e-3)
    assert main([*bench, "--against", str(path), "--json"]) == 1
    verdicts = json.loads(capsys.readouterr().out)["verdicts"]
    assert {v["row"] for v in verdicts} == rows
    assert {v["word"] for v in verdicts} == {"slower"}

    scaled(path, 1e6)
    assert main([*bench, "--against", str(path)]) == 0
    text = capsys.readouterr().out
    assert f"0 slower, 0 same, {len(rows)} faster" in text


@pytest.mark.usefixtures("tiny_network")
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda c: c.pop("format"), "dwsep bench --save"),
        (lambda c: c.update(samples={"a": []}), "row without times"),
        (lambda c: c.update(samples={"a": ["x"]}), "dwsep bench --save"),
        (lambda c: c["conditions"].update(threads=7), "threads: the saved run had 7"),
        (lambda c: c["conditions"].update(isa="sse9"), "isa: the saved run had 'sse9'"),
        (lambda c: c["conditions"].update(rows=["a"]), "other layers"),
    ],
)
def test_a_file_that_does_not_fit(spoil, said, capsys, tmp_path):
    path = tmp_path / "run.json"
    assert main(["bench", "--quick", "--threads", "1", "--save", str(path)]) == 0
    content = json.loads(path.read_text())
    spoil(content)
    path.write_text(json.dumps(content))
    capsys.readouterr()
    assert main(["bench", "--quick", "--threads", "1", "--against", str(path)]) == 2
    assert said in capsys.readouterr().err


def test_a_missing_file_is_told(capsys, tmp_path):
    assert main(["bench", "--against", str(tmp_path / "missing.json")]) == 2
    message = capsys.readouterr().err
    assert message.startswith("dwsep bench: against:")
    assert "missing.json" in message


@pytest.mark.usefixtures("tiny_network")
def test_an_error_of_the_measurement_is_no_argument(monkeypatch):
    def measure(*_):
        raise ValueError("broken")

    monkeypatch.setattr(pairs, "measure", measure)
    with pytest.raises(ValueError, match="broken"):
        main(["bench", "--quick"])


@pytest.mark.usefixtures("tiny_network", "tiny_layers")
@pytest.mark.parametrize("options", [["--quick"], ["--layers", "xception"]])
def test_plot(options, tmp_path):
    pytest.importorskip("matplotlib")
    image = pytest.importorskip("PIL.Image")
    path = tmp_path / "plot.png"
    assert main(["bench", *options, "--threads", "1", "--plot", str(path)]) == 0
    with image.open(path) as picture:
        assert min(picture.size) > 300


def test_plot_without_matplotlib(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["bench", "--plot", str(tmp_path / "plot.png")]) == 2
    message = capsys.readouterr().err
    assert message.startswith("dwsep bench: plot:")
    assert "pip install 'dwsep[plot]'" in message


def test_bars_show_every_row(tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "bars.svg"
    _plots.bars(str(path), "title", ["one", "two"], {"vs x": [1.0, 2.0]}, "times as fast")
    assert path.stat().st_size > 1000
