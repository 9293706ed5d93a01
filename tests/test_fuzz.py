"""A few of the random cases that tools/fuzz_python.py tries for as long as you like."""

import fuzzing
import pytest

COUNT = 1200


def findings(kind, **options):
    found = []
    return found, fuzzing.run(kind, report_to=found.append, **options)


def test_operators():
    found, report = findings("operators", count=COUNT)
    assert not found
    assert report.cases == COUNT
    assert min(report.fates[fate] for fate in ("computed", "refused")) > 0.3 * COUNT


def test_onnx_models():
    pytest.importorskip("onnx", reason="imports ONNX models")
    found, report = findings("onnx", count=COUNT)
    assert not found
    assert report.cases == COUNT
    ran = sum(count for fate, count in report.fates.items() if fate.startswith(("run", "compared")))
    assert min(ran, report.fates["InvalidModelError"]) > 0.2 * COUNT


def test_tflite_models():
    found, report = findings("tflite", count=COUNT)
    assert not found
    assert report.cases == COUNT
    ran = sum(count for fate, count in report.fates.items() if fate.startswith(("run", "compared")))
    assert min(ran, report.fates["InvalidModelError"]) > 0.2 * COUNT


CASES = """
import os, signal, fuzzing

NUMBERS = {fuzzing.generator(3, number).getstate(): number for number in range(12)}

def case(rng):
    number = NUMBERS[rng.getstate()]
    if number == 2:
        os.kill(os.getpid(), signal.SIGSEGV)
    if number == 4:
        fuzzing.mark(fuzzing.ORACLE)
        os._exit(1)
    if number == 6:
        bytearray(2**40)
    assert number != 8, "eight"
    if number == 10:
        fuzzing.signal.setitimer(signal.ITIMER_PROF, 0.05)
        while True:
            pass
    return "fine"
"""


def test_what_kills_the_process_is_found_and_the_rest_is_tried(tmp_path, monkeypatch):
    """The driver itself: a crash, an error, no memory and no end are findings with their number."""
    (tmp_path / "fuzz_planted.py").write_text(CASES)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    found, report = findings("planted", seed=3, count=12)
    assert report.cases == 12
    assert report.fates == {"fine": 7, "oracle died": 1}
    starts = [text.split(":")[0] for text in found]
    assert starts == [f"planted, seed 3, case {number}" for number in (2, 6, 8, 10)]
    assert "-11" in found[0]
    assert "MemoryError" in found[1]
    assert "eight" in found[2]
    assert "-27" in found[3]
