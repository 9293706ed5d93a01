"""The kernel tests once more for every other instruction set, and the bits compared between them.

An instruction set is chosen once, by the first call that needs it, hence the processes.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import float_bits
import numpy as np
import pytest
from calls import bits_differ

import dwsep

HERE = Path(__file__).parent
FEWEST_TESTS = 300
WITHOUT_FMA = ("baseline",)
ISAS = dwsep.cpu_info()["isas"]


def run(isa: str, *arguments) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        env={**os.environ, "DWSEP_ISA": isa},
        capture_output=True,
        text=True,
        timeout=900,
    )


def test_kernels(other_isa, isas_run):
    result = run(
        other_isa,
        "-m",
        "pytest",
        "-m",
        "kernels and not slow",
        "-q",
        "-p",
        "no:cacheprovider",
        HERE,
    )
    tail = f"{result.stdout[-6000:]}\n{result.stderr[-2000:]}"
    assert result.returncode == 0, tail
    assert f"instruction set: {other_isa};" in result.stdout, tail
    assert int(re.search(r"(\d+) passed", result.stdout)[1]) >= FEWEST_TESTS, tail
    isas_run.append(other_isa)


def test_bits_agree_wherever_there_is_fma(tmp_path):
    fused = [isa for isa in ISAS if isa not in WITHOUT_FMA]
    if len(fused) < 2:
        pytest.skip(f"only one instruction set with FMA here: {fused}")
    results = {}
    for isa in fused:
        result = run(isa, HERE / "float_bits.py", tmp_path / f"{isa}.npz")
        assert result.returncode == 0, result.stderr[-4000:]
        assert result.stdout.strip() == isa
        with np.load(tmp_path / f"{isa}.npz") as saved:
            results[isa] = dict(saved)
    first, *others = fused
    wrong = []
    for number, call in enumerate(float_bits.calls()):
        for isa in others:
            a, b = results[first][str(number)], results[isa][str(number)]
            if problem := bits_differ(b, a):
                wrong.append(f"{call}: {isa} against {first}: {problem}")
    assert len(results[first]) == number + 1
    shown = "\n".join(wrong[:12])
    assert not wrong, f"{len(wrong)} of {number + 1} calls differ:\n{shown}"


@pytest.mark.parametrize("isa", ISAS)
def test_the_environment_chooses(isa):
    code = "import dwsep; print(dwsep.cpu_info()['isa'])"
    assert run(isa, "-c", code).stdout.strip() == isa


def chosen(wanted):
    code = "import dwsep, json; i = dwsep.cpu_info(); print(json.dumps([i['isa'], i['features']]))"
    result = run(wanted, "-c", code)
    assert result.returncode == 0, result.stderr
    isa, features = json.loads(result.stdout)
    assert features["detected"] == dwsep.cpu_info()["features"]["detected"]
    return isa, features["in_use"]


def refused(wanted):
    result = run(wanted, "-c", "import dwsep; dwsep.cpu_info()")
    assert result.returncode != 0
    assert "ValueError: DWSEP_ISA" in result.stderr
    return result.stderr


@pytest.mark.parametrize("feature", dwsep.cpu_info()["features"]["detected"])
def test_a_feature_is_switched_off(feature):
    if feature in ("sse2", "neon"):
        assert "without the features that are switched off" in refused(f"-{feature}")
        return
    best, everything = chosen("")
    isa, left = chosen(f"-{feature}")
    assert isa in ISAS
    assert set(left) <= set(everything) - {feature}
    if isa == best:
        assert chosen(f"{best},-{feature}") == (isa, left)
    else:
        assert "switched off" in refused(f"{best},-{feature}")


def test_a_lower_instruction_set_uses_no_feature_of_higher_ones():
    counts = [len(chosen(isa)[1]) for isa in ISAS]
    assert counts == sorted(set(counts), reverse=True)


@pytest.mark.parametrize("wanted", ["-", "-vnni,baseline", "baseline,vnni", "baseline,,-vnni"])
def test_what_is_not_understood_is_refused(wanted):
    refused(wanted)


def test_an_unknown_feature_is_refused_with_those_that_are_known():
    said = refused("-vnnni")
    assert "sse2, avx2, fma" in said
    assert '"vnnni"' in said


def test_an_unknown_instruction_set_is_refused_by_name():
    result = run("avx1024", "-c", "import dwsep; dwsep.cpu_info()")
    assert result.returncode != 0
    assert "DWSEP_ISA" in result.stderr
    assert "avx1024" in result.stderr
