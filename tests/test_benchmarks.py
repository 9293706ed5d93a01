"""The benchmarks' own code: cases, comparisons, documents; nothing is timed but for a moment."""

import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import (
    bench_layers,
    bench_ratios,
    cases,
    common,
    counts,
    int8_peers,
    odd_cases,
    offline,
    peer_runners,
    peers,
    peers_report,
    selftest,
    shipped,
)

SMALL = {
    "depthwise": cases.Case("depthwise", 9, 5, 5, 3, 2),
    "pointwise": cases.Case("pointwise", 9, 5, 7),
    "separable": cases.Case("separable", 9, 5, 7, 3, 2),
    "inverted": cases.Case("inverted", 9, 5, 7, 3, 2, expanded=30),
    "standard": cases.Case("standard", 9, 6, 8, 3, 2, groups=2),
}


def test_cases_have_names_of_their_own_and_all_kinds():
    names = [case.name for case in cases.CASES]
    assert len(set(names)) == len(names) > 30
    assert {case.kind for case in cases.CASES} == set(SMALL) == {c.kind for c in cases.QUICK}
    assert set(cases.QUICK) <= set(cases.CASES)
    odd = [case.name for case in odd_cases.ODD]
    assert len(set(odd)) == len(odd) > 50
    assert set(odd) & set(names) <= {"depthwise 28x28 128 4x4s1"}
    assert {case.kind for case in cases.INT8} == set(SMALL)
    counted = [case.name for case in odd_cases.COUNTED]
    assert len(set(counted)) == len(counted) == len(names) + 22


@pytest.mark.parametrize("kind", sorted(SMALL))
def test_a_case_is_the_layer_that_it_names(kind):
    case = SMALL[kind]
    layer, function = common.make_layer(case, 1), common.make_function(case, 1)
    y = layer()
    assert y.shape == (1, *case.output_shape, case.outputs)
    assert np.array_equal(y, function())
    assert case.macs > 0


def test_rows_and_columns_of_a_case_may_differ():
    case = cases.Case("depthwise", 9, 5, 10, 3, 2, width=7, kernel_w=4, stride_w=1, dilation_w=2)
    assert case.name == "depthwise 9x7 5-10 3x4s2x1 d1x2"
    assert common.make_layer(case, 1)().shape == (1, 5, 7, 10)
    assert case.macs == 5 * 7 * 10 * 12


@pytest.mark.parametrize("name", ["torch", "onnxruntime", "openvino", "litert"])
def test_peers_run_cases_of_unequal_sides(name):
    pytest.importorskip({"litert": "ai_edge_litert"}.get(name, name))
    for case in (
        cases.Case("depthwise", 9, 5, 10, 3, 2, width=7, kernel_w=4, stride_w=1),
        cases.Case("depthwise", 9, 1, 10, 3, 1, width=12, kernel_w=4, dilation_w=2),
        cases.Case("standard", 9, 3, 8, 4, 1, width=7, kernel_w=1, stride_w=2),
    ):
        run = peer_runners.LAYER_PEERS[name](peer_runners.Chain.of_case(case), 1, None)
        wanted = common.make_layer(case, 1)()
        np.testing.assert_allclose(run(), wanted, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", sorted(int8_peers.EXACT))
def test_int8_peers_have_our_bits(name):
    pytest.importorskip({"litert": "ai_edge_litert"}.get(name, name))
    for case in (*SMALL.values(), cases.Case("depthwise", 9, 5, 10, 3, 2, width=7, kernel_w=4)):
        if name == "litert" and case.groups > 1:
            continue
        case = replace(case, dtype="int8")
        _, result = int8_peers.INT8_PEERS[name](int8_peers.Int8Chain.of_case(case), 1)
        assert np.array_equal(result(), common.make_layer(case, 1)()), case.name


def test_the_suite_is_importable_without_dwsep():
    code = (
        "import sys; sys.modules['dwsep'] = None\n"
        "from benchmarks import bench_layers, bench_networks, bench_ratios, bench_start\n"
        "try: bench_layers.Depthwise().setup('depthwise 56x56 128 3x3s1', 1)\n"
        "except NotImplementedError: print('skipped')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout == "skipped\n", done.stderr


def test_every_kind_is_timed_on_its_own_cases():
    for suite in ("Depthwise", "Pointwise", "Separable", "InvertedResidual", "Standard"):
        names, threads = getattr(bench_layers, suite).params
        assert names
        assert threads == [1, 2]


def test_errors_are_within_their_bound():
    error = bench_ratios.Error()
    for name in error.params[0]:
        error.setup(name)
        assert 0 < error.track_error(name) <= 1


BEFORE = {"avx2": {"a": 1000, "b": 1000, "c": 1000}, "baseline": {"a": 1000}}


def test_counts_that_grew_are_told(capsys):
    after = {"avx2": {"a": 1031, "b": 1029, "c": 900}, "baseline": {"a": 1000, "new": 1}}
    assert counts._report(BEFORE, after, 0.03) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines[:-1]] == ["a", "b", "c"]
    assert [line.endswith("MORE THAN ALLOWED") for line in lines[:-1]] == [True, False, False]
    assert lines[-1] == "4 counts compared, 1 grew by more than 3%, 2 changed otherwise"
    assert counts._report(BEFORE, BEFORE, 0.03) == 0


def test_the_baseline_lists_the_cases():
    saved = json.loads(counts.BASELINE.read_text(encoding="utf-8"))
    assert set(saved["counts"]) == set(counts.ISAS)
    for numbers in saved["counts"].values():
        assert list(numbers) == [case.name for case in odd_cases.COUNTED]
        assert all(number > 0 for number in numbers.values())


def test_another_compiler_is_no_pass(monkeypatch, capsys, tmp_path):
    path = tmp_path / "counts.json"
    path.write_text(json.dumps({"environment": {"compiler": "another"}, "counts": BEFORE}))
    monkeypatch.setattr(counts.shutil, "which", lambda name: name)
    monkeypatch.setattr(counts.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(counts, "environment", lambda: {"compiler": "this"})
    monkeypatch.setattr(counts, "_of_tree", lambda tree: pytest.fail("counted"))
    assert counts.main(["--check", "--baseline", str(path)]) == counts.SKIPPED
    text = capsys.readouterr().out
    assert text.startswith("SKIPPED, nothing was checked")
    assert "compiler: another there, this here" in text


@pytest.mark.parametrize("plant", ["_plant_instructions", "_plant_wait"])
def test_plants_find_their_places(plant, tmp_path):
    for file in ("cpp/kernels/depthwise/entries_5x5_s1.hpp", "cpp/runtime/layers/depthwise.cc"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text((ROOT / file).read_text(encoding="utf-8"), encoding="utf-8")
    getattr(selftest, plant)(tmp_path)
    with pytest.raises(RuntimeError, match="found 0"):
        selftest._edit(tmp_path / "cpp/runtime/layers/depthwise.cc", ("no such text", ""))


REPORT = {
    "dwsep": "1.0", "python": "3", "system": "Linux", "date": "2000-01-01T00:00:00",
    "cpu": {"name": "CPU", "isa": "avx2", "cpus": 2}, "peak_gflops": 100.0,
    "bandwidths": [{"level": "L2", "read": 1e11}], "peers": {"torch": "9"}, "command": "command",
    "entries": [
        {"name": f"layer {i}", "kind": kind, "threads": 1, "flops": 1e6, "bytes": 1e5,
         "seconds": {"dwsep": 1e-5, "torch": 1e-5 * i}, "times_as_fast": {"torch": float(i)}}
        for i, kind in enumerate(["depthwise", "depthwise", "pointwise"], 1)
    ],
}  # fmt: skip


@pytest.mark.parametrize(("threads", "many"), [(1, "1 thread"), (2, "2 threads")])
def test_figures_of_peers_go_between_the_markers(threads, many, tmp_path):
    pytest.importorskip("matplotlib")
    report, document = tmp_path / "report.json", tmp_path / "performance.md"
    entries = [{**entry, "threads": threads} for entry in REPORT["entries"]]
    report.write_text(json.dumps({**REPORT, "entries": entries}))
    contents = "<!-- contents:begin -->\n<!-- contents:end -->\n"
    markers = "<!-- peers:begin -->\nold\n<!-- peers:end -->\n"
    document.write_text(f"before\n{contents}## Chapter\n### A part, below\n{markers}after\n")
    for _ in range(2):
        arguments = ["--from-json", str(report), "--write-docs", str(document)]
        assert peers.main(arguments) == 0
    text = document.read_text()
    assert text.startswith("before\n<!-- contents:begin -->")
    row = (
        "[Chapter: A part, below](#a-part-below) | CPU, avx2 | 2000-01-01 | "
        f"{many}: depthwise 1.41 (1.00),"
    )
    assert row in text
    assert f"\n#### {many}\n" in text
    assert f"\n##### Depthwise, {many}\n" in text
    assert text.endswith("<!-- peers:end -->\nafter\n")
    assert "old" not in text
    assert "1.41 (2)" in text  # the geometric mean of 1 and 2
    roofline = tmp_path / "images" / "peers_roofline.png"  # of one core
    assert roofline.exists() == (threads == 1)
    assert threads != 1 or roofline.stat().st_size > 1000


def test_reports_of_one_machine_are_written_as_one(capsys, tmp_path):
    other = json.loads(json.dumps(REPORT))
    other["command"], other["entries"] = "another command", other["entries"][:1]
    other["entries"][0]["kind"] = "network"
    files = [tmp_path / "report.json", tmp_path / "other.json"]
    for file, report in zip(files, (REPORT, other), strict=True):
        file.write_text(json.dumps(report))
    assert peers.main(["--from-json", *map(str, files)]) == 0
    text = capsys.readouterr().out
    assert "```sh\ncommand\nanother command\n```" in text
    assert [text.count(f"#### {kind}, 1") for kind in ("Depthwise", "Network")] == [1, 1]
    other["cpu"] = {**other["cpu"], "isa": "avx512"}
    files[1].write_text(json.dumps(other))
    with pytest.raises(ValueError, match=r"need reports of one machine: .*avx2.* got .*avx512"):
        peers.main(["--from-json", *map(str, files)])


def test_int8_is_measured_by_itself(capsys):
    with pytest.raises(SystemExit):
        peers.main(["--only", "int8", "pointwise"])
    assert "measure it by itself" in capsys.readouterr().err


def test_a_peer_that_disagrees_is_an_error(capsys, tmp_path):
    spoiled = json.loads(json.dumps(REPORT))
    spoiled["entries"][0]["disagree"] = {"torch": 0.5}
    report = tmp_path / "report.json"
    report.write_text(json.dumps(spoiled))
    assert peers.main(["--from-json", str(report)]) == 1
    assert "layer 1" in capsys.readouterr().out


def test_performance_has_its_markers():
    text = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    for section in ("peers", "xeon-avx512", "xeon-avx2", "odd-avx512", "odd-avx2"):
        assert [text.count(mark) for mark in peers_report.markers(section)] == [1, 1]


def test_the_site_gets_local_scripts(tmp_path):
    site, scripts = tmp_path / "site", tmp_path / "javascript"
    for source in filter(None, offline._LOCAL.values()):
        (scripts / source).parent.mkdir(parents=True, exist_ok=True)
        (scripts / source).write_text("//")
    site.mkdir()
    page = site / "index.html"
    page.write_text(
        '<head><script src="https://code.jquery.com/jquery-3.3.1.min.js"></script>\n'
        '<script src="https://cdn/flot/jquery.flot.time.min.js"></script>\n'
        '<link rel="stylesheet" href="https://cdn/bootstrap.min.css">\n'
        '<script src="asv.js"></script></head>'
    )
    assert offline.main([str(site), "--javascript", str(scripts)]) == 0
    text = page.read_text()
    assert "https://" not in text
    assert '<script src="jquery.min.js"></script>' in text
    assert '<script src="asv.js"></script>' in text
    assert (site / "jquery.min.js").is_file()
    page.write_text('<script src="https://cdn/other.js"></script>')
    with pytest.raises(SystemExit, match=r"other\.js"):
        offline.main([str(site), "--javascript", str(scripts)])


def test_shipped_files_are_found_compared_and_listed(tmp_path):
    onnx = pytest.importorskip("onnx", reason="makes ONNX models")
    pytest.importorskip("onnxruntime", reason="compares with it")
    x = onnx.helper.make_tensor_value_info("x", 1, ["N", 3, "H", "W"])
    y = onnx.helper.make_empty_tensor_value_info("y")
    nodes = [onnx.helper.make_node("Relu", ["x"], ["y"])]
    loops = [onnx.helper.make_node("Unique", ["x"], ["y"])]
    opset = [onnx.helper.make_opsetid("", 13)]
    for number, some in enumerate((nodes, nodes, loops)):
        graph = onnx.helper.make_graph(some, "net", [x], [y])
        data = onnx.helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()
        with zipfile.ZipFile(tmp_path / f"p{number}-1.whl", "w") as archive:
            archive.writestr("data/cls.onnx", data)
            archive.writestr("data/code.py", "raise SystemExit")
    files = list(shipped.distinct(tmp_path))
    assert [name for name, _ in files] == ["p0/data/cls.onnx", "p2/data/cls.onnx"]
    rows = [shipped.measured(name, data, 0.0, 1) for name, data in files]
    assert rows[0].difference == 0
    assert not rows[0].is_wrong
    assert rows[0].dwsep is None
    assert rows[1].loads.startswith("no: ")
    assert "Unique" in rows[1].loads
    assert "1 of 2 load." in shipped.table(rows)
    assert shipped.Row("far", "as it is", 1e-3, 1e-5).is_wrong
    assert not shipped.Row("as far as itself", "as it is", 1e-3, 1e-3).is_wrong
