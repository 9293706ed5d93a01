"""Depthwise filters of any shape: exact on integers, anywhere in memory, one order of sums."""

import depthwise_sweeps
import numpy as np
import oracle
import pytest
from calls import assert_all, bits_differ, conv2d, depthwise, integers, normals, unequal

import dwsep

pytestmark = pytest.mark.kernels
F32 = np.float32
WINDOW = {"stride": 1, "padding": "same", "dilation": 1}


@pytest.mark.parametrize("seed", range(4))
def test_small_integers_are_exact(seed):
    calls = depthwise_sweeps.odd(integers(seed, 2), 150, seed)
    assert_all(calls, lambda call: unequal(call.run(), call.plain()))


def _moved(x, shift):
    """Return x as a part of a larger array, its pixels apart, `shift` floats past its begin."""
    host = np.full((*x.shape[:-1], x.shape[-1] + 2 * shift + 1), np.nan, np.float32)
    host[..., shift : shift + x.shape[-1]] = x
    return host[..., shift : shift + x.shape[-1]]


@pytest.mark.parametrize("shift", [1, 4, 7])
def test_bits_do_not_depend_on_where_pixels_lie(shift):
    def judge(call):
        return bits_differ(call.run(), call.with_arrays(x=_moved(call.arrays["x"], shift)).run())

    assert_all(depthwise_sweeps.odd(normals(shift), 120, shift, exact=False), judge)


def test_bits_do_not_depend_on_whether_windows_are_copied():
    """Large filters copy windows where pixels or rows share sets, so not where they are moved."""

    def judge(call):
        return bits_differ(call.run(), call.with_arrays(x=_moved(call.arrays["x"], 8)).run())

    draw = normals(6)
    shapes = (
        *(((1, 21, 19, 512), (9, 13)), ((2, 9, 30, 1024), (13, 9)), ((1, 6, 5, 520), (13, 11))),
        # Rows are 4 KB apart.
        *(((1, 20, 16, 64), (9, 10)), ((1, 34, 32, 32), (31, 31)), ((1, 35, 64, 16), (33, 30))),
    )
    calls = (
        depthwise(draw, shape, kernel, stride=stride, num_threads=threads)
        for shape, kernel in shapes
        for stride, threads in ((1, 1), ((2, 1), 2), (3, 1))
    )
    assert_all(calls, judge)


def test_bits_do_not_depend_on_whether_strips_are_copied():
    """Blocks read copies of strips where pixels share sets, so not where these are moved."""

    def judge(call):
        return bits_differ(call.run(), call.with_arrays(x=_moved(call.arrays["x"], 8)).run())

    draw = normals(12)
    shapes = (
        *(((2, 14, 14, 1024), (8, 4), 2), ((1, 9, 28, 512), (1, 9), 1)),
        *(((1, 14, 30, 512), (6, 6), 1), ((1, 28, 28, 256), (6, 6), 2)),
    )
    calls = (
        depthwise(draw, shape, kernel, stride=stride, activation=activation, num_threads=threads)
        for shape, kernel, stride in shapes
        for activation, threads in (("relu6", 1), ("silu", 2))
    )
    assert_all(calls, judge)


@pytest.mark.parametrize("shift", [0, 3])
def test_a_multiplier_has_the_bits_of_repeated_channels(shift):
    """Which go by other kernels: as whole vectors of channels, of which each is in memory."""

    def judge(call):
        x, weight = call.arrays["x"], call.arrays["weight"]
        apart = np.repeat(x, weight.shape[3], axis=3)
        flat = weight.reshape(*weight.shape[:2], -1, 1)
        moved = _moved(x, shift) if shift else x
        return bits_differ(
            call.with_arrays(x=moved).run(), call.with_arrays(x=apart, weight=flat).run()
        )

    assert_all(depthwise_sweeps.multiplied(normals(13), exact=False), judge)


def _in_order(call):
    """Return the bias plus the taps, column by column: one rounding a tap where there is FMA."""
    x, weight = call.arrays["x"], call.arrays["weight"]
    size, times = weight.shape[:2], weight.shape[3]
    window = {name: call.options.get(name, usual) for name, usual in WINDOW.items()}
    geometry = oracle.Window(x.shape, size, **window)
    x, weight = np.repeat(x, times, axis=3), weight.reshape(*size, -1)
    y = np.zeros((len(x), *geometry.output, x.shape[3]), np.float32)
    y += call.arrays.get("bias", F32(0))
    fused = dwsep.cpu_info()["isa"] != "baseline"
    for row, column, out, into in sorted(geometry.taps(), key=lambda tap: (tap[1], tap[0])):
        inputs = x[into].astype(np.longdouble) if fused else x[into]  # the product is exact then
        y[out] = (inputs * weight[row, column] + y[out]).astype(np.float32)
    return y


def test_sums_of_multipliers_are_in_order():
    info = dwsep.cpu_info()
    if info["isa"] == "baseline" and "sse2" not in info["features"]["in_use"]:
        # Elsewhere a plain loop may round products or not, so no chain is the one.
        pytest.skip("the compiler may fuse products and sums of the plain kernels here")
    few = (c for c in depthwise_sweeps.multiplied(normals(14)) if c.arrays["weight"].size < 3e4)
    calls = (call.with_options(activation=None) for call in few)
    assert_all(calls, lambda call: bits_differ(call.run(), _in_order(call)))


@pytest.mark.parametrize("threads", [1, 2])
def test_windows_behind_the_image(threads):
    """Long filters of one row, whose outputs go on where no tap meets the image any more."""
    draw = integers(7)
    calls = (
        depthwise(draw, (1, *size, channels), (1, taps), stride=(3, 1), padding=padding)
        for size in ((7, 160), (3, 330), (13, 56))
        for channels in (5, 17)
        for taps in (33, 64)
        for padding in (((0, 0), (12, 200)), ((0, 0), (200, 200)))
    )
    assert_all(calls, lambda call: unequal(call.run(num_threads=threads), call.plain()))


def _turned(call):
    """Return the call with rows for columns."""
    arrays = {"weight": np.swapaxes(call.arrays["weight"], 0, 1)}
    arrays |= {n: np.swapaxes(call.arrays[n], 1, 2) for n in call.arrays.keys() & {"x", "residual"}}
    options = {
        name: value[::-1] if isinstance(value, tuple) else value
        for name, value in call.options.items()
        if name in ("stride", "padding", "dilation")
    }
    return call.with_arrays(**arrays).with_options(**options)


@pytest.mark.parametrize("down", [False, True])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("dilation", [1, 2])
def test_borders_of_a_single_row(stride, dilation, down):
    """Outputs whose taps lie partly in the padding, next to others or alone."""
    draw, turned = integers(8), _turned if down else lambda call: call
    calls = (
        turned(
            depthwise(
                *(draw, (2, rows, width, channels), (1, taps)),
                **{"stride": stride, "padding": padding, "dilation": dilation},
            )
        )
        for rows, channels in ((1, 17), (3, 17), (1, 130))
        for width in (1, 2, 7, 30)
        for taps in (3, 5, 9, 21)
        for padding in (
            "same",
            ((0, 0), (0, taps)),
            ((0, 0), (4 * dilation * taps, 1)),
            ((1, 1), (taps, 0)),
        )
        if padding == "same" or width + sum(padding[1]) > dilation * (taps - 1)
    )
    assert_all(calls, lambda call: unequal(call.run(), call.plain()))


@pytest.mark.parametrize("threads", [1, 3])
def test_a_column_has_the_bits_of_a_row(threads):
    def judge(call):
        row, column = (c.run(num_threads=threads) for c in (call, _turned(call)))
        return bits_differ(row, np.ascontiguousarray(np.swapaxes(column, 1, 2)))

    draw = normals(11)
    options = {"padding": ((0, 0), (4, 1)), "activation": "silu"}
    calls = [
        depthwise(draw, (2, 1, 70, 21), (1, taps), times, stride=(1, step), **options)
        for taps in (2, 5, 11, 40)
        for times in (1, 3)
        for step in (1, 2)
    ]
    calls += [
        conv2d(draw, (2, 1, 70, 21), 21, (1, taps), 21, residual=True, **options)
        for taps in (3, 9, 31)
    ]
    assert_all(calls, judge)


def test_a_pixel_has_the_same_bits_by_itself():
    """Blocks of outputs, edges of blocks and single outputs add the same taps in the same order."""
    rng = np.random.default_rng(0)

    def judge(call):
        x, kernel, y = call.arrays["x"], call.arrays["weight"].shape[:2], call.run()
        window = {name: call.options[name] for name in ("stride", "padding", "dilation")}
        geometry = oracle.Window(x.shape, kernel, **window)
        place = [int(rng.integers(n)) for n in y.shape[1:3]]
        cuts, pads = [], []
        for axis, at in enumerate(place):
            first = at * geometry.stride[axis] - geometry.padding[axis][0]
            end = first + (kernel[axis] - 1) * geometry.dilation[axis] + 1
            begin, stop = max(first, 0), min(end, x.shape[1 + axis])
            if begin >= stop:  # the padding alone
                return None
            cuts.append(slice(begin, stop))
            pads.append((begin - first, end - stop))
        one = call.with_arrays(x=np.ascontiguousarray(x[:, cuts[0], cuts[1]]))
        alone = one.with_options(padding=tuple(pads), stride=1).run()
        return bits_differ(alone[:, 0, 0], y[:, place[0], place[1]])

    assert_all(depthwise_sweeps.odd(normals(9), 400, 9, exact=False), judge)
