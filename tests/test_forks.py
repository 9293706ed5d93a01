"""Forks and other new processes, whatever the library is doing: children get the same bits."""

import multiprocessing
import os

import numpy as np
import pytest
import scripts
import small_networks

import dwsep

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]

FORKED = """
def forked(task):
    child = os.fork()
    if child == 0:
        signal.alarm(30)  # a hang is a failure
        status = 1
        try:
            status = 0 if task() else 1
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1]

def compute():
    return [layer(x, num_threads=n) for n in (1, 2, 3)] + [
        y for n in (1, 2, 3) for y in model(images, num_threads=n)
    ]
"""


def test_before_the_first_call():
    """The child is the first that computes; then the parent, and both agree with a third."""
    scripts.run(
        FORKED
        + """
import tempfile
with tempfile.TemporaryFile() as file:
    def task():
        for y in compute():
            file.write(y.tobytes())
        file.flush()
        return True
    assert forked(task) == 0
    file.seek(0)
    assert file.read() == b"".join(y.tobytes() for y in compute())
"""
    )


def test_during_calls_of_models_in_other_threads():
    """Three threads take and return the plans of one model without pause while a fourth forks."""
    scripts.run(
        FORKED
        + """
wanted = compute()
batches = [np.concatenate([images] * n) for n in range(1, 12)]  # more shapes than plans are kept
stop = threading.Event()
def busy(seed):
    while not stop.is_set():
        for n, batch in enumerate(batches):
            model(batch, num_threads=1 + (n + seed) % 3)
threads = [threading.Thread(target=busy, args=(n,)) for n in range(3)]
for thread in threads:
    thread.start()
statuses = [forked(lambda: same(compute(), wanted)) for _ in range(40)]
stop.set()
for thread in threads:
    thread.join()
assert not any(statuses), statuses
assert same(compute(), wanted)
"""
    )


def test_in_the_middle_of_a_signal_handler():
    """A handler that forks: parent and child both go on with the call that it interrupted."""
    out = scripts.run(
        """
        conv = dwsep.Conv2D(np.ones((8, 8, 512, 64), np.float32), padding="valid")
        b = small_networks.Builder(3)
        value = b.core.input("x", (-1, 16, 16, 256))
        matrix = b.weight(256, 256) / np.float32(4)
        for _ in range(80):
            value = b.step("pointwise", [value], small_networks.RELU6, weight=matrix)
        deep = dwsep.Model(b.finish(y=value))
        pixels = np.broadcast_to(np.float32(0.5), (4000, 8, 8, 512))
        pictures = np.random.default_rng(0).standard_normal((12, 16, 16, 256), np.float32)
        wanted = []
        worker = threading.Thread(target=lambda: wanted.extend([conv(pixels), deep(pictures)]))
        worker.start()
        worker.join()
        children = []
        def handler(*_):
            child = os.fork()
            if child == 0:
                signal.alarm(60)
                children[:] = [0]
            else:
                children.append(child)
        for number, work in enumerate([lambda: conv(pixels), lambda: deep(pictures)]):
            children.clear()
            signal.signal(signal.SIGALRM, handler)
            signal.setitimer(signal.ITIMER_REAL, 0.02)
            y = work()
            while not children:
                y = work()
            right = np.array_equal(y, wanted[number])
            if children == [0]:
                os._exit(0 if right and same(model(images), model(images, num_threads=1)) else 1)
            assert right
            assert [os.waitpid(child, 0)[1] for child in children] == [0]
        print("done")
        """
    )
    assert out == "done"


def test_after_importing_the_extension_again():
    """What is registered for forks is registered once."""
    scripts.run(
        FORKED
        + """
import importlib
before = compute()
for name in [name for name in sys.modules if name.startswith("dwsep")]:
    del sys.modules[name]
again = importlib.import_module("dwsep")
assert forked(lambda: same(compute(), before)) == 0
eye = again.PointwiseConv2D(np.eye(16, dtype=np.float32))
assert forked(lambda: np.array_equal(eye(x), x)) == 0
"""
    )


LAYER = dwsep.PointwiseConv2D(np.eye(16, dtype=np.float32) + np.float32(0.1))


def work(arguments):
    model, x, images, threads = arguments
    return [LAYER(x, num_threads=threads), *model(images, num_threads=threads)]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(method):
    model = dwsep.Model(small_networks.classifier())
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 32, 32, 16), np.float32)
    images = rng.standard_normal((3, 8, 8, 3), np.float32)
    wanted = work((model, x, images, 2))
    with multiprocessing.get_context(method).Pool(2) as pool:
        results = pool.map(work, [(model, x, images, 1 + n % 3) for n in range(6)])
    assert len(results) == 6
    for result in results:
        for y, want in zip(result, wanted, strict=True):
            assert y.tobytes() == want.tobytes()
