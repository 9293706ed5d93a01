"""Signals during long calls: they are handled in between, and what comes of it is clean."""

import contextlib
import signal
import threading

import numpy as np
import pytest
import small_networks
from calls import bits_differ, conv2d, depthwise, inverted_residual, normals, pointwise, separable

import dwsep
from dwsep import _core

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timers")

DRAW = normals(0)


class Interrupted(Exception):
    """What the handler raises."""


def interrupt(*_):
    raise Interrupted


@contextlib.contextmanager
def alarms(handler, wait):
    """Call `handler` in the main thread after so many seconds."""
    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, wait)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def elsewhere(work):
    """Call in another thread, where nothing is looked for and nothing is cut."""
    results = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    thread.join()
    return results[0]


def endless():
    """Return a layer, and an x and out that keep it busy for a good while: 420 GFLOP, 26 MB."""
    layer = dwsep.Conv2D(DRAW((8, 8, 512, 64)), padding="valid")
    x = np.broadcast_to(DRAW((1, 8, 8, 512)), (100_000, 8, 8, 512))
    return layer, x, np.full((100_000, 1, 1, 64), np.nan, np.float32)


@pytest.mark.parametrize("threads", [1, 2])
def test_an_interrupted_call_ends_before_its_last_image(threads):
    layer, x, out = endless()
    with pytest.raises(Interrupted), alarms(interrupt, 0.02):
        layer(x, out=out, num_threads=threads)
    assert np.isnan(out[-1]).all()
    few = layer(x[:3])
    assert bits_differ(out[:3], few) is None  # what is there is right
    assert bits_differ(elsewhere(lambda: layer(x[:3])), few) is None


def test_control_c():
    layer, x, out = endless()
    ident = threading.main_thread().ident
    timer = threading.Timer(0.02, signal.pthread_kill, (ident, signal.SIGINT))
    # Python's own handler is not there when a shell started the tests in the background.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            layer(x, out=out)
        timer.join()
    finally:
        signal.signal(signal.SIGINT, before)
    assert np.isnan(out[-1]).all()


def test_the_block_of_an_interrupted_result_is_kept():
    layer, x, _ = endless()
    for _ in range(3):
        _core.clear_recycled()
        with pytest.raises(Interrupted), alarms(interrupt, 0.02):
            layer(x)
        assert 25 * 2**20 < _core.recycled_bytes() < 30 * 2**20
    _core.clear_recycled()


# Of enough work for several slices, for the memory that they take.
LONG_CALLS = {
    "depthwise": lambda: depthwise(DRAW, (40, 17, 19, 48), (31, 31)),
    "pointwise": lambda: pointwise(DRAW, (300, 8, 8, 512), 512, residual=True),
    "separable": lambda: separable(DRAW, (200, 9, 8, 512), 512, residual=True),
    "inverted": lambda: inverted_residual(DRAW, (100, 9, 8, 256), 512, 256, residual=True),
    "standard": lambda: conv2d(DRAW, (100, 9, 8, 256), 256, residual=True),
}


@pytest.mark.parametrize("kind", LONG_CALLS)
def test_slices_do_not_change_a_bit(kind):
    """The main thread's call is cut, the other's is not."""
    call = LONG_CALLS[kind]()
    layer = call.layer()
    whole = elsewhere(lambda: call.run_layer(layer))
    assert bits_differ(call.run_layer(layer), whole) is None
    assert bits_differ(call.run_layer(layer, num_threads=1), whole) is None
    turned = call.with_arrays(
        **{k: a[::-1] for k, a in call.arrays.items() if k in ("x", "residual")}
    )
    wide = np.full((*whole.shape[:3], whole.shape[3] + 3), np.nan, np.float32)
    out = wide[::-1, :, :, 1:-2]
    assert turned.run_layer(layer, out=out) is out
    assert bits_differ(out, whole[::-1]) is None
    assert np.isnan(wide[..., 0]).all()
    assert np.isnan(wide[..., -2:]).all()


def long_network(steps=80, channels=256):
    b = small_networks.Builder(3)
    matrix = b.weight(channels, channels) / np.float32(4)
    x = b.core.input("x", (-1, 16, 16, channels))
    for _ in range(steps):
        x = b.step("pointwise", [x], small_networks.RELU6, weight=matrix)
    return dwsep.Model(b.finish(y=x))


@pytest.mark.parametrize("profiled", [False, True])
def test_signals_are_handled_between_the_steps_of_a_model(profiled):
    """More than once within one call, and the handler may call the library itself."""
    model, small = long_network(), dwsep.Model(small_networks.classifier())

    def call(x):
        return model._network.profile([x], None)[0][0] if profiled else model(x)

    few, images = DRAW((1, 16, 16, 256)), DRAW((2, 8, 8, 3))
    wanted = elsewhere(lambda: (model(few), *small(images)))
    inside = []

    def handler(*_):
        inside.append((model(few), *small(images)))
        signal.setitimer(signal.ITIMER_REAL, 0.01)

    for batch in (8, 16, 32, 64, 128, 256):
        x = DRAW((batch, 16, 16, 256))
        inside.clear()
        with alarms(handler, 0.01):
            y = call(x)
            count = len(inside)
        if count > 2:  # without looking there would be one, at the end
            break
    else:
        pytest.fail("no signal was handled within a call")
    assert bits_differ(y, elsewhere(lambda: model(x))) is None
    for results in inside:
        for result, want in zip(results, wanted, strict=True):
            assert bits_differ(result, want) is None


def again_and_again(model, x):
    while True:
        model(x)


def test_an_interrupted_model_is_as_good_as_new():
    model = long_network()
    x = DRAW((16, 16, 16, 256))
    wanted = elsewhere(lambda: model(x))
    for wait in (0.005, 0.03, 0.15):
        with pytest.raises(Interrupted), alarms(interrupt, wait):
            again_and_again(model, x)
        assert bits_differ(model(x), wanted) is None
