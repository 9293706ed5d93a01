"""The pool of threads: its size, and what happens around it."""

import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sweeps
from calls import bits_differ, inverted_residual, normals, separable

import dwsep

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def restored():
    yield
    dwsep.set_num_threads(None)


def script(code: str, **environment) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter that can import the test helpers."""
    path = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_default_is_within_the_affinity():
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    environment = {"DWSEP_NUM_THREADS": ""}
    result = script("import dwsep; print(dwsep.get_num_threads())", **environment)
    assert 1 <= int(result.stdout) <= available, result.stderr


def test_affinity_is_followed():
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("no affinity on this platform")
    code = """
        import os
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        import dwsep
        print(dwsep.get_num_threads())
    """
    assert script(code, DWSEP_NUM_THREADS="").stdout.strip() == "1"


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_set_and_get(count):
    dwsep.set_num_threads(count)
    assert dwsep.get_num_threads() == count


@pytest.mark.parametrize("count", ["1", "3"])
def test_environment(count):
    result = script("import dwsep; print(dwsep.get_num_threads())", DWSEP_NUM_THREADS=count)
    assert result.stdout.strip() == count, result.stderr


@pytest.mark.parametrize("wrong", ["four", "2x", "0", "-1", "1.5"])
def test_wrong_environment(wrong):
    code = """
        import numpy as np
        import dwsep
        x, w = np.zeros((1, 8, 8, 4), np.float32), np.zeros((3, 3, 4, 1), np.float32)
        assert dwsep.depthwise_conv2d(x, w, num_threads=2).shape == x.shape
        try:
            dwsep.depthwise_conv2d(x, w)
        except ValueError as error:
            print(error)
    """
    result = script(code, DWSEP_NUM_THREADS=wrong)
    assert "DWSEP_NUM_THREADS: need" in result.stdout, result.stderr
    assert result.stdout.strip().endswith(f'got "{wrong}"')


def test_none_goes_back_to_the_default():
    dwsep.set_num_threads(None)
    default = dwsep.get_num_threads()
    dwsep.set_num_threads(default + 3)
    dwsep.set_num_threads(None)
    assert dwsep.get_num_threads() == default


@pytest.mark.parametrize(("wrong", "shown"), [(0, "0"), (-1, "-1"), (1.5, "float"), ("2", "str")])
def test_wrong_counts(wrong, shown):
    before = dwsep.get_num_threads()
    with pytest.raises((TypeError, ValueError), match="num_threads") as caught:
        dwsep.set_num_threads(wrong)
    assert shown in str(caught.value)
    assert dwsep.get_num_threads() == before


def test_more_threads_than_work():
    call = separable(normals(0), (3, 2, 5), 7)
    assert bits_differ(call.run(num_threads=500), call.run(num_threads=1)) is None


def test_global_setting_does_not_change_bits():
    calls = list(sweeps.small(normals(1), exact=False))
    expected = [call.run(num_threads=1) for call in calls]
    for count in (1, 2, 5):
        dwsep.set_num_threads(count)
        for call, want in zip(calls, expected, strict=True):
            assert bits_differ(call.run(), want) is None, f"{count} threads: {call}"


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts wake-ups by /proc")
def test_fewer_threads_than_the_first_call_had():
    """What a layer keeps of its first call does not wake more threads than a later one may have."""
    code = """
        import time
        from pathlib import Path
        from calls import normals, pointwise
        def wakes():
            time.sleep(0.1)  # workers poll for a while, and sleep
            files = [task / "status" for task in Path("/proc/self/task").iterdir()]
            names = {file: file.read_text() for file in files if file.parent.name != own}
            return [text.split("voluntary_ctxt_switches:")[1].split()[0] for text in names.values()]
        own = str(__import__("os").getpid())
        call = pointwise(normals(0), (1, 60, 60, 64), 64)
        layer = call.layer()
        call.run_layer(layer, num_threads=2)
        before = wakes()
        for _ in range(5):
            call.run_layer(layer, num_threads=1)
        print(len(before) > 0, wakes() == before)
        call.run_layer(layer, num_threads=2)
        print(wakes() != before)
    """
    assert script(code).stdout.split() == ["True"] * 3


def test_concurrent_callers():
    """Many Python threads share the pool; whoever finds it busy works alone, to the same bits."""
    calls = [*sweeps.blocks(normals(2), exact=False), *sweeps.small(normals(3), exact=False)]
    expected = [call.run(num_threads=1) for call in calls]

    def check(index):
        threads = (None, 1, 2, 3)[index % 4]
        return bits_differ(calls[index].run(num_threads=threads), expected[index])

    with ThreadPoolExecutor(8) as pool:
        problems = list(pool.map(check, [i for i in range(len(calls)) for _ in range(4)]))
    assert not any(problems), [str(calls[i // 4]) for i, p in enumerate(problems) if p]


def test_resizing_while_others_compute():
    call = inverted_residual(normals(4), (2, 20, 20, 16), 48, 16, residual=True)
    expected = call.run(num_threads=1)

    def resize(count):
        dwsep.set_num_threads(1 + count % 5)

    with ThreadPoolExecutor(4) as pool:
        resizing = pool.map(resize, range(200))
        results = list(pool.map(lambda _: call.run(), range(200)))
        list(resizing)
    assert all(bits_differ(result, expected) is None for result in results)


FORK = """
    import os, signal, sys
    from calls import bits_differ, normals, separable
    import dwsep

    def compute(call, expected):
        for threads in (2, 3, None):
            if problem := bits_differ(call.run(num_threads=threads), expected):
                sys.exit(problem)

    def forked(task):
        child = os.fork()
        if child == 0:
            signal.alarm(30)  # a hang is a failure
            status = 1
            try:
                task()
                status = 0
            finally:
                os._exit(status)
        return os.waitpid(child, 0)[1]

    dwsep.set_num_threads(3)
    call = separable(normals(0), (1, 40, 40, 32), 48)
    expected = call.run(num_threads=1)
    {before}
    def child():
        compute(call, expected)
        if forked(lambda: compute(call, expected)):
            raise SystemExit("grandchild failed")
    for _ in range(3):
        if status := forked(child):
            sys.exit(f"child ended with {{status}}")
        compute(call, expected)
    print("done")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
@pytest.mark.parametrize("before", ["", "compute(call, expected)"], ids=["idle pool", "used pool"])
def test_fork(before):
    result = script(FORK.format(before=before))
    assert result.stdout.strip() == "done", f"{result.returncode}: {result.stderr[-2000:]}"


FORK_WHILE_BUSY = """
    import os, signal, threading
    from calls import bits_differ, normals, separable

    call = separable(normals(0), (1, 40, 40, 32), 48)
    expected = call.run(num_threads=1)
    stop = threading.Event()
    def busy():
        while not stop.is_set():
            call.run(num_threads=2)
    worker = threading.Thread(target=busy)
    worker.start()
    failed = 0
    for _ in range(10):
        child = os.fork()
        if child == 0:
            signal.alarm(30)
            os._exit(bits_differ(call.run(num_threads=2), expected) is not None)
        failed += os.waitpid(child, 0)[1] != 0
    stop.set()
    worker.join()
    print(failed)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_fork_while_another_thread_computes():
    result = script(FORK_WHILE_BUSY)
    assert result.stdout.strip() == "0", f"{result.stdout} {result.stderr[-2000:]}"


def test_the_interpreter_ends_with_a_used_pool():
    code = "from calls import *; separable(normals(0), (40, 40, 32), 48).run(num_threads=3)"
    result = script(code)
    assert result.returncode == 0, result.stderr


def test_the_gil_is_released():
    """Another Python thread gets its turn while a kernel runs."""
    code = """
        import sys, threading, time
        from calls import normals, pointwise
        sys.setswitchinterval(1000)  # nobody takes the GIL; it must be let go
        call = pointwise(normals(0), (1, 60, 60, 256), 256)
        turns = []
        def count():
            while True:
                turns.append(None)
                time.sleep(1e-4)
        threading.Thread(target=count, daemon=True).start()
        while not turns:
            time.sleep(1e-4)
        before = len(turns)
        for _ in range(20):
            call.run(num_threads=1)
        print(len(turns) > before)
    """
    assert script(code).stdout.strip() == "True"


def test_steps_that_only_move_data_release_the_gil():
    """Those keep it that take a few microseconds; without multiplications a step may take long."""
    code = """
        import sys, threading, time
        import numpy as np
        from dwsep import _core
        sys.setswitchinterval(1000)  # nobody takes the GIL; it must be let go
        builder = _core.NetworkBuilder()
        image, state = builder.input("x", (1500, 1500)), builder.input("s", (1, 4))
        builder.output("y", builder.step("transpose", "t", [image], {"perm": [1, 0]}, {}))
        builder.output("z", builder.step("binary", "a", [state, state], {"function": "add"}, {}))
        stream = _core.Stream(builder.finish(), [(1, 1)], [np.ones((1, 4), np.float32)])
        x = np.ones((1500, 1500), np.float32)
        stream.step((x,), 1)
        turns = []
        def count():
            while True:
                turns.append(None)
                time.sleep(1e-4)
        threading.Thread(target=count, daemon=True).start()
        while not turns:
            time.sleep(1e-4)
        before = len(turns)
        for _ in range(20):
            stream.step((x,), 1)
        print(len(turns) > before)
    """
    assert script(code).stdout.strip() == "True"
