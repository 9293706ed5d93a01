"""Inputs and outputs that are not plain contiguous arrays, or that overlap."""

import mmap

import numpy as np
import pytest
from calls import assert_all, families, integers, pointwise, unequal
from small_networks import Builder

import dwsep

pytestmark = pytest.mark.kernels
SENTINEL = np.float32(12345.5)  # no sum of small integers


# Name: (shape of the host array, the view of it that has the shape (n, h, w, c)).
LAYOUTS = {
    "crop": (lambda n, h, w, c: (n, h + 3, w + 4, c), lambda a: a[:, 2:-1, 1:-3]),
    "channel slice": (lambda n, h, w, c: (n, h, w, c + 5), lambda a: a[..., 3:-2]),
    "every third pixel": (lambda n, h, w, c: (n, 2 * h, 3 * w, c), lambda a: a[:, ::2, 1::3]),
    "every second image": (lambda n, h, w, c: (2 * n, h, w, c), lambda a: a[1::2]),
    "rows reversed": (lambda n, h, w, c: (n, h, w, c), lambda a: a[:, ::-1]),
    "columns reversed": (lambda n, h, w, c: (n, h, w, c), lambda a: a[:, :, ::-1]),
    "all reversed": (lambda n, h, w, c: (n, h, w, c), lambda a: a[::-1, ::-1, ::-1]),
    "rows and columns swapped": (lambda n, h, w, c: (n, w, h, c), lambda a: a.swapaxes(1, 2)),
    "images inside": (lambda n, h, w, c: (h, w, n, c), lambda a: np.moveaxis(a, 2, 0)),
}
STRIDED_CHANNELS = {
    "channels first": (lambda n, h, w, c: (n, c, h, w), lambda a: np.moveaxis(a, 1, 3)),
    "channels reversed": (lambda n, h, w, c: (n, h, w, c), lambda a: a[..., ::-1]),
    "every second channel": (lambda n, h, w, c: (n, h, w, 2 * c), lambda a: a[..., ::2]),
    "Fortran order": (lambda n, h, w, c: (c, w, h, n), lambda a: a.T),
}


def laid_out(layout, shape):
    """Return a host full of SENTINEL, its view of the given shape, and where the view is not."""
    host_shape, view = {**LAYOUTS, **STRIDED_CHANNELS}[layout]
    host = np.full(host_shape(*shape), SENTINEL)
    outside = np.ones(host.shape, bool)
    view(outside)[...] = False
    return host, view(host), outside


@pytest.mark.parametrize("layout", [*LAYOUTS, *STRIDED_CHANNELS])
@pytest.mark.parametrize("name", ["x", "residual"])
def test_inputs(name, layout):
    def judge(call):
        _, view, _ = laid_out(layout, call.arrays[name].shape)
        view[...] = call.arrays[name]
        return unequal(call.with_arrays(**{name: view}).run(), call.plain())

    assert_all((c for c in families() if name in c.arrays), judge)


@pytest.mark.parametrize("shape", [(1, 17, 18, 16), (2, 33, 35, 24), (3, 5, 2300, 2)], ids=str)
@pytest.mark.parametrize("layout", STRIDED_CHANNELS)
def test_large_inputs_that_are_copied(layout, shape):
    """One thread copies some of them, several the larger ones."""
    _, view, _ = laid_out(layout, shape)
    view[...] = integers(3)(shape)
    layer = dwsep.PointwiseConv2D(np.eye(shape[3], dtype=np.float32))
    for threads in (1, 3):
        assert np.array_equal(layer(view, num_threads=threads), view)
        assert np.array_equal(layer(view, residual=view, num_threads=threads), 2 * view)
    b = Builder()
    network = dwsep.Model(b.finish(y=b.step("identity", [b.core.input("x", shape)])))
    assert np.array_equal(network(view), view)
    shifted = np.zeros(view.size * 4 + 1, np.uint8)[1:].view(np.float32).reshape(shape)
    shifted[...] = view
    assert np.array_equal(layer(shifted), view)


@pytest.mark.parametrize("layout", [*LAYOUTS, *STRIDED_CHANNELS])
def test_weights(layout):
    """Weights are packed from whatever layout they come in."""

    def strided(array):
        _, view, _ = laid_out(layout, (1,) * (4 - array.ndim) + array.shape)
        view = view.reshape(array.shape) if array.ndim < 4 else view
        view[...] = array
        return view

    def judge(call):
        weights = {name: strided(a) for name, a in call.arrays.items() if name != "x"}
        return unequal(call.with_arrays(**weights).run(), call.plain())

    assert_all(families(), judge)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_out(layout):
    def judge(call):
        expected = call.plain()
        host, out, outside = laid_out(layout, expected.shape)
        if call.run(out=out) is not out:
            return "did not return out itself"
        if (host[outside] != SENTINEL).any():
            return "wrote outside of out"
        return unequal(out, expected)

    assert_all(families(), judge)


@pytest.mark.parametrize("layout", STRIDED_CHANNELS)
def test_out_with_strided_channels(layout):
    """Such an `out` is filled by way of a copy; nothing around it is touched."""

    def judge(call):
        expected = call.plain()
        host, out, outside = laid_out(layout, expected.shape)
        if call.run(out=out) is not out:
            return "did not return out itself"
        if (host[outside] != SENTINEL).any():
            return "wrote outside of out"
        return unequal(out, expected)

    assert_all(families(), judge)


def overlapping():
    """Yield (name, host shape, x or residual in it, out in it)."""
    shape = (2, 9, 10, 16)
    taller, wider, deeper = (2, 12, 10, 16), (2, 9, 11, 16), (2, 9, 10, 21)
    yield "same memory", shape, lambda a: a, lambda a: a
    yield "out three rows on", taller, lambda a: a[:, :-3], lambda a: a[:, 3:]
    yield "out three rows before", taller, lambda a: a[:, 3:], lambda a: a[:, :-3]
    yield "out a column on", wider, lambda a: a[:, :, :-1], lambda a: a[:, :, 1:]
    yield "out a column before", wider, lambda a: a[:, :, 1:], lambda a: a[:, :, :-1]
    yield "out some channels on", deeper, lambda a: a[..., :-5], lambda a: a[..., 5:]
    yield "out upside down", shape, lambda a: a, lambda a: a[:, ::-1]
    yield "out mirrored", shape, lambda a: a, lambda a: a[:, :, ::-1]
    yield "images swapped", shape, lambda a: a, lambda a: a[::-1]
    yield "interleaved columns", (2, 9, 20, 16), lambda a: a[:, :, ::2], lambda a: a[:, :, 1::2]


OVERLAPS = {name: rest for name, *rest in overlapping()}


@pytest.mark.parametrize("name", ["x", "residual"])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("overlap", OVERLAPS)
def test_out_overlaps_an_input(overlap, threads, name):
    host_shape, view_in, view_out = OVERLAPS[overlap]

    def judge(call, as_layer):
        host = np.full(host_shape, SENTINEL)
        view_in(host)[...] = call.arrays[name]
        shared, out, expected = (
            call.with_arrays(**{name: view_in(host)}),
            view_out(host),
            call.plain(),
        )
        run = shared.run_layer if as_layer else shared.run
        run(out=out, num_threads=threads)
        return unequal(out, expected)

    calls = [c for c in families() if name in c.arrays]
    assert_all(calls, lambda call: judge(call, as_layer=False))
    assert_all(calls, lambda call: judge(call, as_layer=True))


def test_x_residual_and_out_are_one_array():
    def judge(call):
        call = call.with_arrays(residual=call.arrays["x"])
        expected = call.plain()
        call.run(out=call.arrays["x"])
        return unequal(call.arrays["x"], expected)

    assert_all((c for c in families() if "residual" in c.arrays), judge)


def test_out_overlaps_weights_and_bias():
    call = pointwise(integers(2), (4, 4, 16), 16)
    expected = call.plain()
    host = np.zeros((4, 4, 16), np.float32)
    w, bias = host.reshape(16, 16), host[2, 1]
    w[...] = call.arrays["weight"]
    expected = call.with_arrays(weight=w.copy(), bias=bias.copy()).plain()
    call.with_arrays(weight=w, bias=bias).run(out=host)
    assert unequal(host, expected) is None


def test_without_batch_axis():
    def judge(call):
        single = {n: call.arrays[n][0] for n in ("x", "residual") if n in call.arrays}
        out = np.empty(call.arrays["x"].shape[1:], np.float32)
        expected, call = call.plain()[0], call.with_arrays(**single)
        call.run(out=out)
        return unequal(call.run(), expected) or unequal(out, expected)

    assert_all(families(), judge)


@pytest.mark.parametrize("axis", [0, 1, 2, 3])
def test_broadcast(axis):
    def judge(call):
        x = np.broadcast_to(call.arrays["x"].take([0], axis), call.arrays["x"].shape)
        assert x.strides[axis] == 0
        return unequal(call.with_arrays(x=x).run(), call.with_arrays(x=x.copy()).plain())

    assert_all(families(), judge)


def test_read_only_inputs():
    def judge(call):
        for array in call.arrays.values():
            array.flags.writeable = False
        return unequal(call.run(), call.plain())

    assert_all(families(), judge)


def test_inputs_are_left_alone():
    def judge(call):
        before = {name: array.copy() for name, array in call.arrays.items()}
        call.run()
        changed = [n for n, a in call.arrays.items() if not np.array_equal(a, before[n])]
        return f"changed {changed}" if changed else None

    assert_all(families(), judge)


def test_unaligned_input():
    def unaligned(array):
        host = np.empty(array.nbytes + 1, np.uint8)
        view = host[1:].view(np.float32).reshape(array.shape)
        view[...] = array
        assert not view.flags.aligned
        return view

    def judge(call):
        arrays = {name: unaligned(array) for name, array in call.arrays.items()}
        return unequal(call.with_arrays(**arrays).run(), call.plain())

    assert_all(families(), judge)


@pytest.mark.parametrize("axis", [0, 1, 2], ids=["images", "rows", "pixels"])
def test_steps_that_are_no_whole_floats(axis):
    def apart(array):
        strides = [0, 0, 0, array.itemsize]
        for i in (2, 1, 0):
            step = array.shape[i + 1] * strides[i + 1]
            strides[i] = step // 4 * 4 + 6 if i == axis else (step + 3) // 4 * 4
        host = np.zeros(array.shape[0] * strides[0], np.uint8)
        view = np.ndarray(array.shape, array.dtype, host, 0, strides)
        view[...] = array
        return view

    def judge(call):
        arrays = {
            name: apart(call.arrays[name]) for name in ("x", "residual") if name in call.arrays
        }
        out = apart(np.full_like(call.run(), SENTINEL))
        wrong = unequal(call.with_arrays(**arrays).run(out=out), call.plain())
        return wrong or unequal(out.copy(), call.plain())

    assert_all(families(), judge)


def test_residual_whose_rows_are_apart():
    """Behind a product that takes all rows of x and of y together."""
    rng = np.random.default_rng(8)
    layer = dwsep.Conv2D(rng.standard_normal((1, 1, 8, 16), np.float32), groups=2)
    x = rng.standard_normal((1, 9, 10, 16), np.float32)
    residual = rng.standard_normal((1, 11, 14, 16), np.float32)[:, 1:-1, 3:-1]
    assert np.array_equal(layer(x, residual), layer(x, residual.copy()))


def test_memory_mapped_file(tmp_path):
    def judge(call):
        x = np.memmap(tmp_path / "x", np.float32, "w+", shape=call.arrays["x"].shape)
        x[...] = call.arrays["x"]
        return unequal(np.asarray(call.with_arrays(x=x).run()), call.plain())

    assert_all(families(), judge)


def test_strides_beyond_32_bits():
    """Rows 5 GB apart, of which only the pages in use ever exist."""
    apart, shape = 5 << 30, (1, 3, 5, 16)
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", 0)
    try:
        memory = [mmap.mmap(-1, 3 * apart, flags=flags) for _ in range(3)]
    except (OSError, ValueError):
        pytest.skip("no address space for sparse maps")
    views = []
    for memory_map in memory:
        flat = np.frombuffer(memory_map, np.float32)
        strides = (3 * apart, apart, shape[3] * 4, 4)
        views.append(np.lib.stride_tricks.as_strided(flat, shape, strides))
    x, residual, out = views

    def judge(call):
        x[...] = call.arrays["x"]
        given = {"x": x}
        if "residual" in call.arrays:
            residual[...] = call.arrays["residual"]
            given["residual"] = residual
        call.with_arrays(**given).run(out=out)
        return unequal(out, call.plain())

    assert_all(families(shape), judge)
