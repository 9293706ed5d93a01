"""Objects that threads share while others make, copy, save and drop them.

Nothing here depends on the GIL: on builds without it, these are the tests that matter.
"""

from __future__ import annotations

import contextlib
import copy
import pickle
import subprocess
import sys
import sysconfig
import threading

import numpy as np
import pytest
import small_networks

import dwsep
from dwsep import _core

RNG = np.random.default_rng(0)
X = RNG.standard_normal((2, 12, 12, 16), np.float32)
IMAGES = RNG.standard_normal((4, 8, 8, 3), np.float32)
TAPS, MATRIX = RNG.standard_normal((3, 3, 16), np.float32), np.ones((16, 24), np.float32)


@pytest.fixture(autouse=True)
def restored():
    yield
    dwsep.set_num_threads(None)


def at_once(tasks, rounds):
    """Run every task `rounds` times in a thread of its own; raise what they raise."""
    gate, errors = threading.Barrier(len(tasks)), []

    def run(task):
        gate.wait()
        try:
            for n in range(rounds):
                task(n)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_everything_at_once(tmp_path):
    layer = dwsep.SeparableConv2D(TAPS, MATRIX, stride=2)
    model = dwsep.Model(small_networks.classifier())
    wanted = layer(X, num_threads=1)
    answers = model(IMAGES, num_threads=1)
    content = pickle.dumps(model)
    path = tmp_path / "shared.dwsep"
    model.save(path)

    def right(results):
        return all(np.array_equal(a, b) for a, b in zip(results, answers, strict=True))

    def call_layer(n):
        assert np.array_equal(layer(X, num_threads=1 + n % 3), wanted)

    def make_layer(n):
        made = dwsep.SeparableConv2D(TAPS, MATRIX, stride=2)
        assert np.array_equal(made(X), wanted)
        assert np.array_equal(pickle.loads(pickle.dumps(made))(X), wanted)

    def describe(n):
        assert copy.deepcopy(layer) is layer
        repr(layer)
        layer.explain(X.shape)
        model.summary(batch=1 + n % 3)
        assert model.inputs[0].name == "images"

    def call_model(n):
        assert right(model(IMAGES, num_threads=1 + n % 3))

    def load_model(n):
        assert right((dwsep.load(path) if n % 2 else pickle.loads(content))(IMAGES))

    def save_model(n):
        model.save(path)

    def settings(n):
        dwsep.set_num_threads(1 + n % 4)
        _core.clear_recycled()
        dwsep.cpu_info()

    def refuse(n):
        with pytest.raises(ValueError, match="depthwise_weight"):
            layer(X[..., :3])
        with pytest.raises(TypeError, match="images"):
            model(IMAGES.astype(np.float64))

    tasks = [call_layer, make_layer, describe, call_model, load_model]
    at_once([*tasks, save_model, settings, refuse, call_layer, call_model], 60)


def test_a_builder_shared_by_threads():
    """Steps do not tear each other; every value gets a number of its own."""
    b = small_networks.Builder()
    x = b.core.input("x", (-1, 4, 4, 16))
    names, lock = {}, threading.Lock()

    def task(start):
        def add(n):
            name = f"step {start} {n}"
            made = b.core.step("pointwise", name, [x], {}, {"weight": MATRIX * n})
            b.core.metadata(name, "text")
            with lock:
                assert made not in names
                names[made] = n

        return add

    at_once([task(k) for k in range(6)], 40)
    for value in names:
        b.core.output(f"y{value}", value)
    network = b.core.finish()
    assert len(names) == 240
    assert len(network.metadata) == 240
    ones = np.ones((1, 4, 4, 16), np.float32)
    for y, n in zip(network.run([ones]), names.values(), strict=True):
        assert (y == 16 * n).all()


def test_finishing_while_others_build():
    """Each step goes into one network or the other, or is refused; nothing crashes."""
    for _ in range(20):
        b = small_networks.Builder()
        networks = []

        def build(n, b=b):
            with contextlib.suppress(ValueError):
                x = b.core.input(f"x{n}", (1, 4, 4, 16))
                y = b.core.step("pointwise", "step", [x], {}, {"weight": MATRIX})
                b.core.output("y", y)

        def finish(n, b=b, networks=networks):
            with contextlib.suppress(ValueError):
                networks.append(b.core.finish())

        at_once([build, build, finish], 10)
        for network in networks:
            inputs = [np.ones((1, 4, 4, 16), np.float32) for _ in network.inputs]
            for y in network.run(inputs):
                assert y.shape in ((1, 4, 4, 16), (1, 4, 4, 24))


def test_a_builder_is_as_new_when_its_network_was_refused():
    b = small_networks.Builder()
    for outputs in (0, 1):
        x = b.core.input("x", (1, 4, 4, 16))
        y = b.core.step("pointwise", "step", [x], {}, {"weight": MATRIX})
        if outputs == 0:
            with pytest.raises(ValueError, match="at least one output"):
                b.core.finish()
    b.core.output("y", y)
    (y,) = b.core.finish().run([np.ones((1, 4, 4, 16), np.float32)])
    assert (y == 16).all()


def test_arguments_that_other_threads_change():
    """A dict of attributes or weights, and the dict of a call, while they are read."""
    attributes, weights = {}, {"weight": MATRIX}
    b = small_networks.Builder()
    x = b.core.input("x", (-1, 4, 4, 16))
    layer, keywords = dwsep.PointwiseConv2D(MATRIX), {"x": X}
    wanted = layer(X)

    def change(n):
        weights["bias"] = np.zeros(24, np.float32)
        keywords["num_threads"] = 1 + n % 3
        weights.pop("bias", None)
        keywords.pop("num_threads", None)

    def build(n):
        b.core.step("pointwise", "step", [x], attributes, weights)

    def call(n):
        assert np.array_equal(layer(**keywords), wanted)

    at_once([change, change, build, build, call, call], 200)


@pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="needs free threading")
@pytest.mark.parametrize("module", ["dwsep", "dwsep.cython_api", "dwsep.reference"])
def test_no_module_switches_the_gil_on(module):
    """One that does not declare that it needs none switches it on, for the whole process."""
    code = f"import sys, {module}; assert not sys._is_gil_enabled()"
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
