"""What only shows after many calls or many tries; tools/endurance.py takes more of both."""

import ctypes
import functools
import importlib.util
import mmap
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import scripts
from calls import bits_differ

import dwsep

ENDURANCE = Path(__file__).parents[1] / "tools" / "endurance.py"
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc, maps files")


@pytest.fixture(scope="module")
def endurance():
    if not ENDURANCE.exists():
        pytest.skip("tools are not in this copy")
    spec = importlib.util.spec_from_file_location("endurance", ENDURANCE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@linux
@pytest.mark.parametrize("kind", ["layers", "models"])
def test_memory_does_not_grow(kind, endurance):
    done = scripts.run(endurance.CALLS, kind, "200000" if kind == "layers" else "50000")
    assert int(done) < 2**20, done


@pytest.mark.parametrize("number", range(3))
def test_the_end_of_the_interpreter_with_calls_in_flight(number, endurance):
    assert scripts.run(endurance.SHUTDOWN, str(number)) == "end"


SUBINTERPRETER = """
import importlib
for name in ("_interpreters", "_xxsubinterpreters"):
    try:
        interpreters = importlib.import_module(name)
        break
    except ImportError:
        pass
else:
    print("none")
    sys.exit()
code = '''
import sys
sys.path[:] = {path!r}
try:
    import numpy as np
    import dwsep
    y = dwsep.PointwiseConv2D(np.eye(4, dtype=np.float32))(np.ones((2, 2, 4), np.float32))
    assert (y == 1).all()
    word = "computed"
except ImportError as error:
    clear = "interpreter" in str(error) or "more than once per process" in str(error)
    word = "ImportError" if clear else repr(error).split()[0]
with open({out!r}, "w") as file:
    file.write(word)
'''
wanted = layer(x)
# From 3.13 on the default has a GIL of its own, which NumPy refuses; "legacy" shares the main one.
kinds = [(), ("legacy",)] if hasattr(interpreters, "new_config") else [(), ()]
for n, kind in enumerate(kinds * 2):
    interpreter = interpreters.create(*kind)
    interpreters.run_string(interpreter, code.format(path=sys.path, out=sys.argv[1] + f"/{n}"))
    interpreters.destroy(interpreter)
    assert np.array_equal(layer(x), wanted)
    with open(sys.argv[1] + f"/{n}") as file:
        print(file.read())
"""


@pytest.mark.filterwarnings("ignore")
def test_subinterpreters_work_or_are_refused(tmp_path):
    words = scripts.run(SUBINTERPRETER, str(tmp_path)).split()
    assert words == ["none"] or (len(words) == 4 and {*words} <= {"computed", "ImportError"})


class Folded:
    """Memory for a large array, of which all but both ends is the same 64 MB again and again.

    It is for arrays whose rows are alike.
    """

    FOLD = 64 * 2**20

    def __init__(self, shape):
        size = 4 * int(np.prod(shape))
        folds = -(-size // self.FOLD)
        libc = ctypes.CDLL(None, use_errno=True)
        libc.mmap.restype = ctypes.c_void_p
        libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
        libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
        rights, failed = mmap.PROT_READ | mmap.PROT_WRITE, ctypes.c_void_p(-1).value
        noreserve, fixed = 0x4000, 0x10
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | noreserve
        base = libc.mmap(None, folds * self.FOLD, rights, flags, -1, 0)
        if base == failed:
            pytest.skip(f"no {folds * self.FOLD} bytes of address space")
        self.unmap = functools.partial(libc.munmap, base, folds * self.FOLD)
        file = os.memfd_create("fold")
        os.ftruncate(file, self.FOLD)
        for start in range(base + self.FOLD, base + (folds - 1) * self.FOLD, self.FOLD):
            at = libc.mmap(start, self.FOLD, rights, mmap.MAP_SHARED | fixed, file, 0)
            assert at == start, os.strerror(ctypes.get_errno())
        os.close(file)
        whole = (ctypes.c_float * (size // 4)).from_address(base)
        self.array = np.frombuffer(whole, np.float32).reshape(shape)


def available_memory() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


@linux
@pytest.mark.parametrize("kind", ["depthwise", "batch"])
def test_more_than_2_to_31_elements(kind):
    """In x and in out, each with its own strides; every row is compared at both ends."""
    if available_memory() < 2**30:
        pytest.skip("needs 1 GB of free memory")
    channels, width = 16, 8192  # a row is 512 KB, of which a fold has a whole number
    rows = 2**31 // (channels * width) + 3
    shape = (rows, 1, width, channels) if kind == "batch" else (1, rows, width, channels)
    rng = np.random.default_rng(0)
    row = rng.standard_normal((1, 1, width, channels), np.float32)
    if kind == "depthwise":
        layer = dwsep.DepthwiseConv2D(rng.standard_normal((3, 1, channels), np.float32))
    else:
        layer = dwsep.PointwiseConv2D(rng.standard_normal((channels, channels), np.float32))
    folded = Folded(shape), Folded(shape)
    try:
        x, out = folded[0].array, folded[1].array
        fold = Folded.FOLD // row.nbytes
        rows_of_x, rows_of_out = (a.reshape(rows, 1, width, channels) for a in (x, out))
        ends = [*range(2 * fold), *range(rows - 2 * fold, rows)]
        rows_of_x[ends] = row
        assert x.size > 2**31
        assert layer(x, out=out) is out
        few = layer(np.repeat(row, 5, axis=1))[0]
        for n in ends:
            want = few[0] if n == 0 else few[4] if n == rows - 1 else few[2]
            assert bits_differ(rows_of_out[n, 0], want) is None, n
    finally:
        for memory in folded:
            memory.unmap()
