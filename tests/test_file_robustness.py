"""Damaged and invented .dwsep files are refused, or they run; none of them crashes the process."""

import json
import subprocess
import sys
from pathlib import Path

import dwsep_file
import file_mutations
import numpy as np
import pytest
import small_networks

from dwsep import _core

FOLDER = Path(__file__).parent
# Cases, and the share of them that has to get beyond the header for the test to mean something.
CASES = {"truncate": (400, 0.0), "flip": (1500, 0.1), "edit": (2000, 0.15), "rebuild": (2000, 0.1)}
NETWORKS = [small_networks.classifier, small_networks.rearranger, small_networks.gated]


@pytest.mark.parametrize("make", NETWORKS)
def test_the_second_opinion_agrees(make):
    """The format is as documented: what is read and written again in Python has the same bytes."""
    content = make().to_bytes()
    file = dwsep_file.parse(content)
    assert file.metadata == {"name": "small"}
    assert file.to_bytes() == content
    assert int.from_bytes(content[48:56], "little") == dwsep_file.checksum(content)


@pytest.mark.kernels
@pytest.mark.parametrize("columns", [*range(1, 40), 47, 48, 49, 56, 57, 64, 65, 72, 80, 96, 100])
def test_packed_weights_are_where_the_document_says(columns):
    b = small_networks.Builder()
    matrix, bias = b.weight(3, columns), b.weight(columns)
    filters, other = b.weight(2, 3, columns, 2), b.weight(2 * columns)
    x = b.core.input("x", (1, 5, 5, 3))
    y = b.step("pointwise", [x], {}, weight=matrix, bias=bias)
    y = b.step("depthwise", [y], small_networks.WINDOW, weight=filters, bias=other)
    file = dwsep_file.parse(b.finish(y=y).to_bytes())
    first, second = (value.weights["weight"] for value in file.values[1:])
    for wanted, got in zip((matrix, bias), dwsep_file.unpacked_matrix(file, first), strict=True):
        assert np.array_equal(got, wanted)
    for wanted, got in zip(
        (filters, other), dwsep_file.unpacked_depthwise(file, second), strict=True
    ):
        assert np.array_equal(got, wanted)


@pytest.mark.parametrize("make", NETWORKS)
def test_every_single_bit_is_covered_by_the_checksum(make):
    content = bytearray(make().to_bytes())
    rng = np.random.default_rng(0)
    for at in [*range(56), *rng.integers(64, len(content), 200)]:
        content[at] ^= 1 << (at % 8)
        with pytest.raises(ValueError, match=r"file|checksum"):
            _core.Network.from_bytes(bytes(content))
        content[at] ^= 1 << (at % 8)
    assert _core.Network.from_bytes(bytes(content)).to_bytes() == content


@pytest.mark.parametrize(
    "name",
    [
        *(b"\x80", b"a\xff", b"\xc3", b"\xc0\x80", b"\xe0\x80\x80", b"\xed\xa0\x80"),
        *(b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xe2\x82"),
    ],
)
def test_text_has_to_be_utf8(name):
    with pytest.raises(UnicodeDecodeError):
        name.decode()
    file = dwsep_file.parse(small_networks.classifier().to_bytes())
    file.metadata = {"name": name.decode("utf-8", "surrogateescape")}
    with pytest.raises(ValueError, match="UTF-8"):
        _core.Network.from_bytes(file.to_bytes())


@pytest.mark.parametrize(
    "name", ["", "net", "Größe", "网络", "\U0010ffff", "a\0b", "\x7f\x80\ud7ff"]
)
def test_text_may_be_anything_in_utf8(name):
    file = dwsep_file.parse(small_networks.classifier().to_bytes())
    file.metadata = {"name": name}
    file.values[0].name = name
    network = _core.Network.from_bytes(file.to_bytes())
    assert network.metadata == {"name": name}
    assert network.inputs[0][0] == name


def test_what_is_wrong_with_a_damaged_file():
    content = small_networks.classifier().to_bytes()
    for size in (0, 63, 64, len(content) - 1):
        with pytest.raises(ValueError, match=r"^truncated file: "):
            _core.Network.from_bytes(content[:size])
    with pytest.raises(ValueError, match=r"^file: need .* bytes, as its header says"):
        _core.Network.from_bytes(content + bytes(64))
    changed = content[:70] + bytes([content[70] ^ 1]) + content[71:]
    with pytest.raises(ValueError, match=r"^checksum mismatch: "):
        _core.Network.from_bytes(changed)
    described = int.from_bytes(content[24:32], "little")
    cut = content[:24] + (described - 1).to_bytes(8, "little") + content[32:]
    with pytest.raises(ValueError, match=r"^truncated file: "):
        _core.Network.from_bytes(dwsep_file.sealed(cut))


LONG_NAME = """
import resource
import dwsep_file
from dwsep import _core
axis = {"axis": (dwsep_file.INTEGERS, [0])}
step = dwsep_file.Step("concat", "n" * 2**22, [0] * 2**19, axis, {})
file = dwsep_file.File(values=[dwsep_file.Input("x", [1]), step], outputs=[("y", 1)])
content = file.to_bytes()
spent = int(resource.getrusage(resource.RUSAGE_SELF).ru_utime)
resource.setrlimit(resource.RLIMIT_CPU, (spent + 60, spent + 60))
assert _core.Network.from_bytes(content).outputs == [("y", (2**19,), "float32", None)]
"""


def test_a_long_name_is_not_copied_for_each_input():
    """Two terabytes would be, which takes minutes; it is loaded in milliseconds."""
    subprocess.run([sys.executable, "-c", LONG_NAME], cwd=FOLDER, check=True, timeout=600)


@pytest.mark.parametrize("way", CASES)
def test_no_file_crashes_the_process(way):
    count, least = CASES[way]
    done = subprocess.run(
        [sys.executable, FOLDER / "file_mutations.py", way, "1", str(count)],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 0, f"case {lines[-1] if lines else None}: {done.stderr[-2000:]}"
    fates = json.loads(lines[-1])
    assert sum(fates.values()) == count
    assert fates["refused"] > count / 10
    assert fates["run"] >= least * count


def test_every_way_to_damage_a_file_is_tried():
    assert CASES.keys() == file_mutations.WAYS.keys()
