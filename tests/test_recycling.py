"""The blocks behind results are given back, kept within bounds and used again, in every process."""

import os
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

from dwsep import PointwiseConv2D, _core

MB = 2**20
LIMIT = 64 * MB


@pytest.fixture(autouse=True)
def _empty():
    _core.clear_recycled()
    yield
    _core.clear_recycled()


def pixels(size: int, channels: int = 16) -> np.ndarray:
    """Return an image of so many bytes; what a layer makes of it has as many."""
    return np.ones((1, size // (64 * channels), 16, channels), np.float32)


LAYER = PointwiseConv2D(np.eye(16, dtype=np.float32))


@pytest.mark.parametrize("size", [2**10, 2**14, 2**17, MB, 3 * MB, 16 * MB])
def test_results_are_plain_arrays(size):
    y = LAYER(pixels(size))
    assert type(y) is np.ndarray
    assert y.flags.c_contiguous
    assert y.flags.writeable
    assert y.flags.aligned
    assert y.ctypes.data % 64 == 0
    assert (y == 1).all()


@pytest.mark.parametrize("size", [2**17, MB, 3 * MB])
def test_a_block_returns_when_the_last_view_dies(size):
    x = pixels(size)
    y = LAYER(x)
    address, last = y.ctypes.data, y[0, -1, :, 3]
    del y
    assert _core.recycled_bytes() == 0
    del last
    kept = _core.recycled_bytes()
    assert size <= kept <= 1.5 * size
    y = LAYER(x)
    assert y.ctypes.data == address
    assert _core.recycled_bytes() == 0


def test_a_block_in_use_is_not_handed_out():
    x = pixels(MB)
    results = [LAYER(x) for _ in range(8)]
    for i, y in enumerate(results):
        y[...] = i
    assert all((y == i).all() for i, y in enumerate(results))


def test_much_smaller_results_do_not_take_large_blocks():
    LAYER(pixels(16 * MB))
    kept = _core.recycled_bytes()
    y = LAYER(pixels(MB))
    assert _core.recycled_bytes() == kept
    del y
    assert _core.recycled_bytes() > kept


def test_bounded_in_bytes():
    results = [LAYER(pixels(9 * MB)) for _ in range(10)]
    del results
    assert LIMIT / 2 < _core.recycled_bytes() <= LIMIT


def test_bounded_in_entries():
    results = [LAYER(pixels(2**17)) for _ in range(100)]
    del results
    assert 2**17 <= _core.recycled_bytes() < 100 * 2**17


def test_larger_than_the_bound_is_not_kept():
    y = LAYER(pixels(LIMIT + MB))
    del y
    assert _core.recycled_bytes() == 0


def test_small_results_are_left_to_the_heap():
    LAYER(pixels(2**10))
    assert _core.recycled_bytes() == 0


def test_clear():
    LAYER(pixels(MB))
    assert _core.recycled_bytes() > 0
    _core.clear_recycled()
    assert _core.recycled_bytes() == 0


def test_out_takes_no_block():
    x = pixels(MB)
    LAYER(x, out=np.empty_like(x))
    assert _core.recycled_bytes() == 0


def test_an_error_leaves_no_block_behind():
    with pytest.raises(ValueError, match="residual"):
        LAYER(pixels(MB), residual=pixels(2 * MB))
    assert _core.recycled_bytes() == 0


def test_from_many_threads():
    wrong = []

    def work(value: int) -> None:
        x = pixels(2**17) * value
        for _ in range(200):
            y = LAYER(x)
            if not (y == value).all():
                wrong.append(value)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert _core.recycled_bytes() <= LIMIT


def run(code: str) -> None:
    code = "import numpy as np\nfrom dwsep import PointwiseConv2D, _core\n" + textwrap.dedent(code)
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_kept_blocks_give_way_when_memory_is_short():
    run(
        """
        import resource
        layer = PointwiseConv2D(np.eye(16, dtype=np.float32))
        x = np.ones((40, 64, 256, 16), np.float32)  # 40 MB
        layer(x)
        kept = _core.recycled_bytes()
        assert kept >= x.nbytes
        pages = int(open("/proc/self/statm").read().split()[0])
        limit = pages * resource.getpagesize() + 2**23
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        y = layer(x[:30])
        assert (y == 1).all()
        assert _core.recycled_bytes() == 0
        try:
            layer(x[:30])
        except MemoryError as error:
            assert "(30, 64, 256, 16)" in str(error)
        else:
            raise AssertionError
        """
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_keeps_working():
    x = pixels(MB)
    stop = threading.Event()

    def churn() -> None:
        while not stop.is_set():
            LAYER(x)

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for _ in range(20):
            child = os.fork()
            if child == 0:
                ok = bool((LAYER(x) == 1).all())
                _core.clear_recycled()
                os._exit(0 if ok else 1)
            assert os.waitpid(child, 0)[1] == 0
    finally:
        stop.set()
        thread.join()


def test_results_may_outlive_the_module():
    run(
        """
        import sys
        y = PointwiseConv2D(np.eye(16, dtype=np.float32))(np.ones((64, 64, 16), np.float32))
        for name in [name for name in sys.modules if name.startswith("dwsep")]:
            del sys.modules[name]
        del PointwiseConv2D, _core
        sys.keep = [y]
        """
    )


def test_daemon_threads_do_not_disturb_the_end():
    run(
        """
        import threading, time
        layer = PointwiseConv2D(np.eye(16, dtype=np.float32))
        x = np.ones((64, 64, 16), np.float32)
        def work():
            out = np.empty((64, 64, 16), np.float32)
            while True:
                layer(x)
                layer(x[::-1, :, ::-1], out=out)
        for _ in range(3):
            threading.Thread(target=work, daemon=True).start()
        time.sleep(0.05)
        """
    )
