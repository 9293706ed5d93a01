"""No byte outside the library's own memory is touched: guarded_allocations.py runs as a child.

Nor does a result depend on what scratch memory held before. Without guards such reads go unseen but
where nothing is mapped behind.
"""

import os
import platform
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import dwsep

HERE = Path(__file__).parent
COMPILERS = (["cc"], ["gcc"], ["clang"], ["g++", "-x", "c"])
KINDS = {"float32": 100, "float32_rows": 6, "int8": 100, "int8_rows": 6, "networks": 30}
# Instruction sets without the products of int8 that they have on newer processors.
WITHOUT = ("avx512,-amx", "avx512,-vnni", "avx2,-avxvnni", "neon,-i8mm", "neon,-dotprod")

pytestmark = [
    pytest.mark.kernels,
    pytest.mark.skipif(
        sys.platform != "linux" or platform.libc_ver()[0] != "glibc",
        reason="replaces functions of Linux's glibc",
    ),
    pytest.mark.skipif("LD_PRELOAD" in os.environ, reason="another library is preloaded"),
]


@pytest.fixture(scope="module")
def guards(tmp_path_factory):
    """Compile what is preloaded."""
    compiler = next((c for c in COMPILERS if shutil.which(c[0])), None)
    if compiler is None:
        pytest.skip("needs a C compiler")
    library = tmp_path_factory.mktemp("guards") / "guarded_allocations.so"
    source = HERE / "guarded_allocations.c"
    command = [*compiler, "-O1", "-fPIC", "-shared", "-pthread", str(source), "-o", str(library)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    return library


def run(guards, *arguments, isa=None) -> subprocess.CompletedProcess[str]:
    script = HERE / "guarded_allocations.py"
    chosen = {} if isa is None else {"DWSEP_ISA": isa}
    return subprocess.run(
        [sys.executable, "-X", "faulthandler", str(script), *map(str, arguments)],
        env={**os.environ, "LD_PRELOAD": str(guards), **chosen},
        capture_output=True,
        text=True,
        timeout=900,
    )


def stays_inside(guards, kind, first, count, isa=None):
    result = run(guards, kind, first, count, isa=isa)
    last = result.stdout.splitlines()[-1:]
    assert result.returncode == 0, f"{result.returncode} at {last}\n{result.stderr[-2000:]}"
    words = last[0].split()
    assert int(words[0]) == count
    assert int(words[-2]) > 2 * count, last  # of weights, and of threads


def test_memory_begins_as_nans(guards):
    result = run(guards, "trip", 0, 0)
    assert (result.returncode, result.stdout) == (0, "255\n"), result.stderr[-2000:]


@pytest.mark.parametrize(("pages", "freed"), [(1, 0), (-1, 0), (0, 1)])
def test_the_guards_are_armed(guards, pages, freed):
    result = run(guards, "trip", pages, freed)
    assert result.returncode == -signal.SIGSEGV, result.stderr[-2000:]


@pytest.mark.parametrize("kind", KINDS)
def test_stays_inside(guards, kind):
    stays_inside(guards, kind, 0, KINDS[kind])


def isas():
    """Return what there is to choose, also without features that this processor has."""
    info = dwsep.cpu_info()
    here = {*info["isas"], *info["features"]["detected"]}
    return [*info["isas"], *(choice for choice in WITHOUT if here.issuperset(choice.split(",-")))]


@pytest.mark.slow
@pytest.mark.parametrize("isa", isas())
@pytest.mark.parametrize("kind", KINDS)
def test_many_calls_stay_inside(guards, kind, isa):
    stays_inside(guards, kind, 1000, 16 * KINDS[kind], isa)
