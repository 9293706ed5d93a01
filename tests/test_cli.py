"""The command line: what it prints, what it writes and what it refuses; never how fast."""

import io
import json
import subprocess
import sys
from itertools import pairwise

import pytest

from dwsep.cli import _layer_cases, _networks, _terminal, layers, main, pairs, timing


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


def python(*arguments):
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("command", ["bench", "info", "run", "profile", "convert", "quantize"])
def test_every_command_has_help(command):
    assert "usage:" in python("-m", "dwsep.cli", command, "--help")


def test_help_names_the_commands():
    text = python("-m", "dwsep.cli", "--help")
    assert "bench" in text
    assert "info" in text
    assert python("-m", "dwsep", "--help") == text
    assert "Turn an ONNX or TFLite file" in python("-m", "dwsep", "convert", "--help")


def test_import_is_light():
    python(
        "-c",
        "import sys, dwsep.cli.bench, dwsep.cli.info\n"
        "assert not {'rich', 'dwsep.reference.naive'} & set(sys.modules)",
    )


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["frobnicate"],
        ["bench", "--threads", "0"],
        ["bench", "--network", "alexnet"],
        ["bench", "--layers", "alexnet"],
        ["bench", "--layers", "--quick"],
        ["bench", "--threshold", "0"],
        ["bench", "--threshold", "5%"],
    ],
)
def test_wrong_usage(argv, capsys):
    with pytest.raises(SystemExit) as stop:
        main(argv)
    assert stop.value.code == 2
    assert "dwsep" in capsys.readouterr().err


def test_info(capsys):
    assert main(["info", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["cpu"]["isa"] in report["cpu"]["isas"]
    assert report["peak_gflops"] > 0
    assert {b["level"] for b in report["bandwidths"]} >= {"L1D", "L2", "memory"}
    assert set(report["int8_peaks_gops"]) >= {report["cpu"]["isa"]}
    assert min(report["int8_peaks_gops"].values()) > 0
    assert {k["dtype"] for k in report["kernels"]} == {"float32", "int8"}
    assert all(b["read_gb_per_s"] > 0 and b["copy_gb_per_s"] > 0 for b in report["bandwidths"])
    assert main(["info"]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in report["int8_peaks_gops"])
    assert report["cpu"]["name"] in text
    assert report["dwsep"] in text


def test_bench_json(tiny_network, capsys):
    assert main(["bench", "--json", "-", "--threads", "1"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["threads"] == 1
    assert [layer["layer"] for layer in report["layers"]] == [pair.name for pair in tiny_network]
    for layer, pair in zip(report["layers"], tiny_network, strict=True):
        seconds = {name: timing["seconds"] for name, timing in layer["timings"].items()}
        assert set(seconds) == {"naive", "conv2d", "depthwise", "pointwise", "separable"}
        assert layer["timings"]["naive"]["calls"] == report["naive_calls"]
        flops = 2 * pair.separable_macs / seconds["separable"]
        assert layer["gflops"] == pytest.approx(flops / 1e9)
        assert layer["share_of_peak"] == pytest.approx(layer["gflops"] / layer["peak_gflops"])
        assert layer["speedup_naive"] == pytest.approx(seconds["naive"] / seconds["separable"])
        assert layer["speedup_conv2d"] == pytest.approx(seconds["conv2d"] / seconds["separable"])
    first, second = (layer["speedup_naive"] for layer in report["layers"])
    assert report["geomean"]["speedup_naive"] == pytest.approx((first * second) ** 0.5)


@pytest.mark.usefixtures("tiny_network")
def test_bench_table_and_file(capsys, tmp_path):
    path = tmp_path / "bench.json"
    assert main(["bench", "--json", str(path)]) == 0
    text = capsys.readouterr().out
    assert json.loads(path.read_text())["network"] == "mobilenet_v1"
    for word in ("9x9 5->7 s1", "9x9 7->16 s2", "geomean", "3 calls", "peak: "):
        assert word in text


def test_bench_int8(tiny_network, capsys):
    assert main(["bench", "--dtype", "int8", "--json", "--threads", "1"]) == 0
    report = json.loads(capsys.readouterr().out)
    for layer in report["layers"]:
        seconds = {name: timing["seconds"] for name, timing in layer["timings"].items()}
        gained = seconds["separable"] / seconds["int8"]
        assert layer["int8_speedup_float32"] == pytest.approx(gained)
        gained = seconds["naive"] / seconds["int8"]
        assert layer["int8_speedup_naive"] == pytest.approx(gained)
        assert 0 < layer["int8_share_of_peak"] < 1
    assert set(report["geomean"]) >= {"int8_speedup_float32", "speedup_naive"}
    assert main(["bench", "--dtype", "int8"]) == 0
    text = capsys.readouterr().out
    for word in ("float32 and int8", "int8 us", "of int8 peak", "int8 vs naive", "GOP/s a core"):
        assert word in text


def test_quick_says_which_pairs_it_left_out(tiny_network, capsys):
    assert main(["bench", "--quick"]) == 0
    text = capsys.readouterr().out
    assert "pairs 2 of mobilenet_v1" in text
    assert tiny_network[0].name not in text
    assert "1 call;" in text


def test_layers_json(tiny_layers, capsys):
    assert main(["bench", "--layers", "xception", "--json", "-", "--threads", "1"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [layer["layer"] for layer in report["layers"]] == [case.name for case in tiny_layers]
    for layer in report["layers"]:
        seconds = layer["timing"]["seconds"]
        assert layer["network"] == "xception"
        assert layer["gflops"] == pytest.approx(layer["flops"] / seconds / 1e9)
        assert layer["gb_per_s"] == pytest.approx(layer["bytes"] / seconds / 1e9)
        assert layer["share_of_limit"] == pytest.approx(layer["limit_seconds"] / seconds)
        assert layer["limit_seconds"] >= 0.999e-9 * layer["flops"] / layer["peak_gflops"]
        assert layer["bound"] in ("compute", "memory")
        assert layer["level"] == "L1D"
    assert set(report["geomean"]) == {case.kind for case in tiny_layers}


def test_layers_table(tiny_layers, capsys):
    assert main(["bench", "--layers", "xception", "--threads", "2"]) == 0
    text = capsys.readouterr().out
    for word in (*(case.name for case in tiny_layers), "2 threads", "of limit", "geomean, sep"):
        assert word in text


def test_layers_int8(tiny_layers, capsys, tmp_path):
    saved = tmp_path / "saved.json"
    bench = ["bench", "--layers", "xception", "--dtype", "int8", "--threads", "1"]
    assert main([*bench, "--json", "--save", str(saved)]) == 0
    report = json.loads(capsys.readouterr().out)
    for layer in report["layers"]:
        figures = layer["int8"]
        assert "int8" in figures["kernel"]
        gained = layer["timing"]["seconds"] / figures["timing"]["seconds"]
        assert figures["speedup_float32"] == pytest.approx(gained)
        assert 0 < figures["share_of_peak"] < 1
    samples = json.loads(saved.read_text())["samples"]
    names = {f"xception {case.name}" for case in tiny_layers}
    assert set(samples) == names | {f"{name}, int8" for name in names}
    row = f"xception {tiny_layers[0].name}, int8"
    assert row in layers.remeasure(report, row)
    assert set(report["int8_peaks"]) == {"depthwise", "pointwise"}
    assert main(bench) == 0
    text = capsys.readouterr().out
    for word in ("float32 and int8", "int8 us", "of int8 peak", "vs float32"):
        assert word in text


@pytest.mark.usefixtures("tiny_layers")
def test_layers_plot_has_int8(tmp_path):
    pytest.importorskip("matplotlib", reason="draws the roofline plot")
    plot = tmp_path / "roofline.svg"
    bench = ["bench", "--layers", "xception", "--threads", "1", "--plot", str(plot)]
    assert main([*bench, "--dtype", "int8"]) == 0
    text = plot.read_text()
    assert "int8 pointwise peak" in text
    assert "depthwise, int8" in text
    assert main(bench) == 0
    assert "int8" not in plot.read_text()


def test_layers_of_mobilenet_v2_have_its_published_multiply_adds():
    """Those of the blocks that repeat are counted here, as the list holds each layer once."""
    repeats = {(56, 24, 24): 1, (28, 32, 32): 2, (14, 64, 64): 3, (14, 96, 96): 2, (7, 160, 160): 2}
    total = 112 * 112 * 27 * 32 + 112 * 112 * 32 * (9 + 16) + 7 * 7 * 320 * 1280 + 1280 * 1000
    for case in _layer_cases.LAYERS["mobilenet_v2"]:
        if case.kind == "inverted residual":
            pixels, after = case.size**2, (-(-case.size // case.stride)) ** 2
            macs = case.expanded * (pixels * case.inputs + after * (case.kernel**2 + case.outputs))
            total += macs * repeats.get((case.size, case.inputs, case.outputs), 1)
    assert round(total / 1e6) == 301


@pytest.mark.usefixtures("tiny_network")
@pytest.mark.parametrize(("waited", "warned"), [((1.0, 1.0), False), ((1.0, 1e6), True)])
def test_bench_reports_busy_neighbours(monkeypatch, capsys, waited, warned):
    readings = iter(waited)
    monkeypatch.setattr(pairs, "seconds_without_cpu", lambda: next(readings))
    assert main(["bench", "--quick"]) == 0
    assert ("Other programs" in capsys.readouterr().out) == warned


def test_bench_refuses_an_unwritable_path_before_it_works(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(pairs, "_measure", lambda *_: pytest.fail("measured first"))
    assert main(["bench", "--json", str(tmp_path / "missing" / "bench.json")]) == 2
    message = capsys.readouterr().err
    assert message.startswith("dwsep bench: json:")
    assert "missing" in message


def test_mobilenet_has_its_published_multiply_adds():
    network = _networks.NETWORKS["mobilenet_v1"]
    stem, classifier = 112 * 112 * 27 * 32, 1024 * 1000
    total = sum(pair.separable_macs for pair in network) + stem + classifier
    assert len(network) == 13
    assert round(total / 1e6) == 569
    for before, after in pairwise(network):
        assert (after.size, after.channels) == (before.output_size, before.outputs)


def test_calls_of_runners_are_interleaved():
    calls = []
    runners = {name: lambda name=name: calls.append(name) for name in "abc"}
    took = timing.interleaved(runners, 0.0, at_most={"c": 2})
    turns = [name for i, name in enumerate(calls) if i == 0 or calls[i - 1] != name]
    assert turns == [*"abcabcab"]
    assert all(0 <= timing.fastest <= timing.seconds for timing in took.values())
    assert (took["a"].turns, took["c"].turns, took["c"].calls) == (3, 2, 2)


@pytest.mark.parametrize("at_most", [{"b": 1}, {"a": 0}])
def test_timing_refuses(at_most):
    with pytest.raises(ValueError, match="at_most"):
        timing.interleaved({"a": list}, 0.0, at_most)


@pytest.mark.parametrize("columns", ["100", "12"])
def test_rich_table_only_where_it_fits(monkeypatch, columns):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", columns)
    _terminal.print_table("title", ["layer", "us"], [["one", "1"], ["geomean", "2"]], ["a note"])
    text = terminal.getvalue()
    assert ("|:---" in text) == (columns == "12")
    for word in ("title", "geomean", "a note"):
        assert word in text


def test_plain_table_without_rich(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setitem(sys.modules, "rich.console", None)
    _terminal.print_table("title", ["layer", "us"], [["one", "1"]])
    assert "| one   |  1 |" in terminal.getvalue()


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_steps_pass_everything_through(monkeypatch, stream):
    monkeypatch.setattr(sys, "stderr", stream)
    assert list(_terminal.steps("abc", 3, "letters")) == [*"abc"]
    assert ("letters" in stream.getvalue()) == stream.isatty()


def test_steps_tell_of_long_work_without_a_terminal(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(_terminal, "_SILENCE_SECONDS", 0.0)
    assert list(_terminal.steps("abc", 3, "letters")) == [*"abc"]
    assert stream.getvalue().splitlines()[-1] == "letters: 2 of 3 done"
