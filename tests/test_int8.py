"""int8 convolutions: every bit as the plain loops compute it, in random configurations."""

import int8_calls
import numpy as np
import pytest
from int8_calls import LAYERS, random_call
from int8_guard_pages import placed

import dwsep
from dwsep import _core
from dwsep.reference import int8 as plain

pytestmark = pytest.mark.kernels


def wrong(call) -> str | None:
    """Return what is wrong with the results of a call, if anything."""
    expected = call.plain()
    for threads in (1, 2, 3):
        for run in (call.run, call.run_layer):
            got = run(num_threads=threads)
            if got.dtype != expected.dtype or got.shape != expected.shape:
                return f"{call}: {got.dtype}{got.shape}, not {expected.dtype}{expected.shape}"
            if not np.array_equal(got, expected):
                places = np.argwhere(got != expected)
                at = tuple(places[0])
                return (
                    f"{call}, {threads} threads: {len(places)} of {got.size} differ, "
                    f"first at {at}: {got[at]}, not {expected[at]}"
                )
    return None


def check(function, seeds):
    for seed in seeds:
        assert (problem := wrong(random_call(function, seed))) is None, f"seed {seed}: {problem}"


@pytest.mark.parametrize("function", LAYERS)
def test_random_configurations(function):
    check(function, range(120))


@pytest.mark.slow
@pytest.mark.parametrize("function", LAYERS)
def test_many_random_configurations(function):
    check(function, range(1000, 6000))


def test_calls_are_varied():
    """Every feature comes up in the default run."""
    seen = set()
    for function in LAYERS:
        for seed in range(120):
            a = random_call(function, seed).arguments
            seen |= {a["x"].dtype.name, a["weight"].dtype.name, str(a["activation"])}
            seen.add("float32 out" if a["quantization"] is None else a["quantization"].dtype)
            seen.add(f"bias {a['bias'] if a['bias'] is None else a['bias'].dtype}")
            for name in ("x_quantization", "quantization", "weight_quantization"):
                if a[name] is not None:
                    seen.add(f"{name}: {'each' if np.ndim(a[name].scale) else 'one'}")
            seen |= {f"residual {a['residual'].dtype}"} if "residual" in a else set()
    assert seen >= {
        *map(str, int8_calls.CLIPS),
        *("int8", "uint8", "float32 out", "residual int8", "residual uint8"),
        *("bias None", "bias int32", "bias float32"),
        *(f"{n}: {k}" for n in ("x_quantization", "quantization") for k in ("each", "one")),
    }


@pytest.mark.parametrize("dilation", [4, 2**31 - 1])
def test_rows_of_a_filter_far_apart(dilation):
    """What it takes depends on the rows that there are, however far apart those of a filter lie."""
    rng = np.random.default_rng(1)
    x = rng.integers(-128, 128, (8, 7, 5, 33), np.int8)
    weight = rng.integers(-128, 128, (3, 3, 33, 1), np.int8)
    q = dwsep.Quantization(0.1, 3)
    own = {"x_quantization": q, "quantization": q}
    own["weight_quantization"] = dwsep.Quantization(0.01)
    near = min(dilation, 7)  # from seven on only the middle row of taps meets the image
    wanted = plain.depthwise_conv2d(x, weight, dilation=(near, 1), **own)
    got = dwsep.depthwise_conv2d(x, weight, dilation=(dilation, 1), **own)
    assert np.array_equal(got, wanted)


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize(
    "kernel", [(1, 2), (2, 1), (3, 3), (4, 3), (5, 2), (7, 5), (8, 1)], ids=str
)
@pytest.mark.parametrize("size", [(9, 8), (12, 1), (31, 2), (23, 30)], ids=str)
def test_windows_of_few_bytes(kernel, channels, size):
    """Pieces of rows reach into the windows behind, of which there must be enough."""
    rng = np.random.default_rng(2)
    x = rng.integers(-128, 128, (2, *size, channels), np.int8)
    weight = rng.integers(-128, 128, (*kernel, channels, 5), np.int8)
    q = dwsep.Quantization(0.1, 3)
    own = {"x_quantization": q, "quantization": q, "padding": "same"}
    own["weight_quantization"] = dwsep.Quantization(0.01)
    assert np.array_equal(dwsep.conv2d(x, weight, **own), plain.conv2d(x, weight, **own))


@pytest.mark.parametrize("channels", [3, 16, 17, 32, 70])
@pytest.mark.parametrize("stride", [1, 2, 3, 5])
@pytest.mark.parametrize(("taps", "dilation"), [(2, 1), (9, 1), (5, 3), (31, 4), (37, 1)])
def test_filters_one_row_high(taps, dilation, stride, channels):
    """Rows longer than a strip, and single outputs, of taps that lie apart."""
    rng = np.random.default_rng(3)
    weight = rng.integers(-128, 128, (1, taps, channels, 1), np.int8)
    own = {"x_quantization": dwsep.Quantization(0.1, 3), "stride": (1, stride)}
    own |= {"dilation": (1, dilation), "weight_quantization": dwsep.Quantization(0.01)}
    span = (taps - 1) * dilation + 1
    widths = (("valid", span), ("valid", span + 1), ("same", 2), ("same", 11), ("same", 300))
    for padding, width in widths:
        x = rng.integers(-128, 128, (1, 2, width, channels), np.int8)
        each = dwsep.Quantization(rng.uniform(0.1, 0.3, channels), rng.integers(-9, 9, channels))
        for q in (dwsep.Quantization(0.1, 3), each):
            got = dwsep.depthwise_conv2d(x, weight, padding=padding, quantization=q, **own)
            wanted = plain.depthwise_conv2d(x, weight, padding=padding, quantization=q, **own)
            assert np.array_equal(got, wanted), (padding, width)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
@pytest.mark.parametrize("channels", [4, 8, 12])
@pytest.mark.parametrize("dilation", [1, 2])
def test_padding_above_and_below_alone(dilation, channels, dtype):
    """Rows of few channels that are read where they lie, and what none of them is."""
    rng = np.random.default_rng(5)
    least = np.iinfo(dtype).min
    x = rng.integers(least, least + 256, (1, 5, 7 + 4 * dilation, channels), dtype)
    weight = rng.integers(-128, 128, (3, 5, channels, 1), np.int8)
    own = {"x_quantization": dwsep.Quantization(0.1, least + 9, dtype=np.dtype(dtype).name)}
    own |= {"quantization": dwsep.Quantization(0.3, 3), "padding": ((2, 1), (0, 0))}
    own |= {"weight_quantization": dwsep.Quantization(0.01), "dilation": dilation}
    for shown in (x[:, :, :-3], x[:, :, 1:], x[:, 1:]):
        got, wanted = (
            f(shown, weight, **own) for f in (dwsep.depthwise_conv2d, plain.depthwise_conv2d)
        )
        assert np.array_equal(got, wanted)


@pytest.mark.parametrize("channels", [3, 8, 20, 24, 27, 36, 40, 56, 72, 104])
@pytest.mark.parametrize(("kernel", "dilation"), [((2, 2), 1), ((3, 3), 1), ((3, 4), (2, 1))])
@pytest.mark.parametrize("width", [1, 5, 29])
def test_pixels_that_share_vectors(width, kernel, dilation, channels):
    """Rows as runs of bytes, the last of them by itself, and those that end in part of a vector."""
    rng = np.random.default_rng(width)
    wide = rng.integers(-128, 128, (2, 7, width + 1, channels + 1), np.int8)
    weight = rng.integers(-128, 128, (*kernel, channels, 1), np.int8)
    own = {"x_quantization": dwsep.Quantization(0.1, 3), "dilation": dilation}
    own |= {"weight_quantization": dwsep.Quantization(rng.uniform(0.002, 0.02, channels))}
    own |= {"quantization": dwsep.Quantization(0.3, -7)}
    own["bias"] = rng.integers(-9999, 9999, channels, np.int32)
    for padding in ("same", ((2, 1), (0, 4)), ((0, 3), (5, 0))):
        for x in (np.ascontiguousarray(wide[:, :, 1:, 1:]), wide[:, :, 1:, 1:]):
            wanted = plain.depthwise_conv2d(x, weight, padding=padding, **own)
            for threads in (1, 2):
                got = dwsep.depthwise_conv2d(x, weight, padding=padding, num_threads=threads, **own)
                assert np.array_equal(got, wanted), (padding, threads)


@pytest.mark.parametrize("channels", [17, 21, 27, 31, 59])
@pytest.mark.parametrize(("kernel", "dilation"), [(2, 1), (3, 1), (3, (2, 1)), (3, 2), (5, 1)])
@pytest.mark.parametrize("height", [1, 2, 5, 12])
def test_whole_vectors_of_pixels_of_fewer_channels(height, kernel, dilation, channels):
    """Which end in the next pixel or row: of the last one nothing may be read or written behind."""
    rng = np.random.default_rng(height)
    weight = rng.integers(-128, 128, (kernel, kernel, channels, 1), np.int8)
    own = {"x_quantization": dwsep.Quantization(0.1, 3), "dilation": dilation}
    own |= {"weight_quantization": dwsep.Quantization(0.01)}
    own["quantization"] = dwsep.Quantization(0.3, -7)
    for width in (1, 8, 9, 14, 29):
        for side in ("begin", "end"):
            pages, x = placed(np.zeros((1, height, width, channels), np.int8), side)
            x[...] = rng.integers(-128, 128, x.shape)
            pages.freeze()
            for shown in (x, x[:, ::-1]):
                wanted = plain.depthwise_conv2d(shown, weight, **own)
                behind, out = placed(wanted, side)
                for threads in (1, 2):
                    out[...] = 0
                    dwsep.depthwise_conv2d(shown, weight, num_threads=threads, out=out, **own)
                    assert np.array_equal(out, wanted), (width, side, threads)
                rest = behind.floats.view(np.uint8)
                rest = rest[out.nbytes :] if side == "begin" else rest[: rest.size - out.nbytes]
                assert np.all(rest == 0xA5)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
@pytest.mark.parametrize(("k", "n"), [(5, 32), (32, 45), (63, 96), (120, 200), (156, 33)])
def test_products_of_few_rows(k, n, dtype):
    """Of short k, whose weights are split as they are read; with bytes at their limits."""
    rng = np.random.default_rng(6)
    least, name = np.iinfo(dtype).min, np.dtype(dtype).name
    weight = rng.choice([-128, -127, 0, 127], (k, n)).astype(np.int8)
    own = {"x_quantization": dwsep.Quantization(0.1, least + 130, dtype=name)}
    own |= {"weight_quantization": dwsep.Quantization(0.01)}
    own |= {"quantization": dwsep.Quantization(9.0, least + 120, dtype=name)}
    for rows in (*range(1, 8), 39, 41, 83):  # and where eight tiles are rounded by one call
        x = (least + rng.choice([0, 1, 128, 254, 255], (1, rows, 1, k))).astype(dtype)
        r = rng.integers(least, least + 256, (1, rows, 1, n), dtype)
        added = {"residual": r, "residual_quantization": own["quantization"]}
        for more in ({}, added, {"activation": "relu6"}):
            got = dwsep.pointwise_conv2d(x, weight, **own, **more)
            assert np.array_equal(got, plain.pointwise_conv2d(x, weight, **own, **more)), rows


@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
@pytest.mark.parametrize(
    "some", [(-22, -21, 21, 22), (-32, 0, 32), (-64, -63, 0, 1, 64), (-3, 5, 40, 90), (-128, 127)]
)
def test_products_that_are_added_in_int16(some, dtype):
    """Of long k: two quads and one, by weights whose sums just fit or are just too large."""
    rng = np.random.default_rng(7)
    least, name = np.iinfo(dtype).min, np.dtype(dtype).name
    own = {"x_quantization": dwsep.Quantization(0.1, least + 130, dtype=name)}
    own |= {"weight_quantization": dwsep.Quantization(0.01)}
    own |= {"quantization": dwsep.Quantization(9.0, least + 120, dtype=name)}
    for k, n in ((160, 33), (203, 8), (1100, 64)):
        weight = rng.choice(some, (k, n)).astype(np.int8)
        for rows in (1, 2, 3, *range(5, 12), 49):
            x = (least + rng.choice([0, 1, 254, 255], (1, rows, 1, k))).astype(dtype)
            x[0, rows // 2] = least + 255 * (rows % 2)
            got = dwsep.pointwise_conv2d(x, weight, **own)
            assert np.array_equal(got, plain.pointwise_conv2d(x, weight, **own)), (k, n, rows)


@pytest.mark.parametrize("channels", [8, 45])
def test_residuals_of_filters_one_row_high(channels):
    """As those of filters with rows of zeros."""
    rng = np.random.default_rng(4)
    builder = _core.NetworkBuilder()
    shape = (1, 3, 13, channels)
    x = builder.input("x", shape, "int8", ([0.1], [3], -1))
    r = builder.input("r", shape, "int8", ([0.2], [-5], -1))
    high = np.zeros((3, 5, channels, 1), np.int8)
    high[1] = rng.integers(-128, 128, (5, channels, 1))
    scales = np.full(channels, 0.01, np.float32)
    for name, weight, rows in (("row", high[1:2], 0), ("high", high, 1)):
        attributes = {"stride": [1, 1], "dilation": [1, 1], "padding": [rows, rows, 2, 2]}
        attributes |= {"to": "int8", "scale": [0.3], "zero_point": [4]}
        weights = {"weight": np.ascontiguousarray(weight), "weight_scale": scales}
        builder.output(name, builder.step("depthwise", name, [x, r], attributes, weights))
    arrays = [rng.integers(-128, 128, shape, np.int8) for _ in range(2)]
    row, wanted = builder.finish().run(arrays, 1)
    assert np.array_equal(row, wanted)


@pytest.mark.parametrize("channels", [3, 40, 131])
@pytest.mark.parametrize("size", [(1, 1), (3, 3), (5, 4), (7, 7), (2, 6)], ids=str)
@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (5, 1), (5, 2), (4, 1), (7, 1)])
def test_images_of_few_pixels(kernel, stride, size, channels):
    """Those that are convolved by way of floats, whole and as views."""
    rng = np.random.default_rng(kernel)
    wide = rng.integers(0, 256, (2, size[0], size[1] + 1, channels + 5), np.uint8)
    weight = rng.integers(-128, 128, (kernel, kernel, channels, 1), np.int8)
    own = {"x_quantization": dwsep.Quantization(0.1, 131, "uint8"), "stride": stride}
    own |= {"weight_quantization": dwsep.Quantization(0.001)}
    own["quantization"] = dwsep.Quantization(0.1)
    own["bias"] = rng.integers(-9999, 9999, channels, np.int32)
    for x in (np.ascontiguousarray(wide[:, :, 1:, 5:]), wide[:, :, 1:, 5:]):
        wanted = plain.depthwise_conv2d(x, weight, **own)
        for threads in (1, 2):
            got = dwsep.depthwise_conv2d(x, weight, num_threads=threads, **own)
            assert np.array_equal(got, wanted)


@pytest.mark.parametrize("bias", [0, 1])
@pytest.mark.parametrize(("taps", "multiplier"), [(3, 8), (3, 5), (22, 8), (23, 8), (36, 16)])
def test_sums_at_what_floats_hold(taps, multiplier, bias):
    """One channel repeated: the largest sums, from 23 x 23 taps on above 2**24, less a bias."""
    rng = np.random.default_rng(taps)
    weight = np.full((taps, taps, 1, multiplier), -127, np.int8)
    x = np.full((1, taps + 9, taps + 30, 1), -128, np.int8)
    x[0, :, ::3] = -127
    x[0, 1::5] += rng.integers(0, 2, x[0, 1::5].shape, np.int8)
    own = {"x_quantization": dwsep.Quantization(0.25, 127), "padding": "valid"}
    own |= {"weight_quantization": dwsep.Quantization(1.0), "quantization": dwsep.Quantization(1.0)}
    sums = -255 * -127 * taps * taps
    own["bias"] = np.full(multiplier, bias * -(sums - 300), np.int32)
    wanted = plain.depthwise_conv2d(x, weight, **own)
    assert np.array_equal(dwsep.depthwise_conv2d(x, weight, **own), wanted)


@pytest.mark.parametrize("channels", [1, 6, 44])
@pytest.mark.parametrize(
    ("kernel", "stride", "size"),
    [
        *(((1, 5), (1, 1), (1, 5)), ((1, 5), (1, 2), (1, 40)), ((1, 1), (1, 2), (1, 33))),
        *(((1, 1), (1, 2), (7, 12)), ((1, 2), (3, 2), (7, 12)), ((1, 1), (2, 2), (7, 12))),
    ],
)
def test_windows_read_in_place(kernel, stride, size, channels):
    """Those that lie in x as they are, of whole images and of views."""
    rng = np.random.default_rng(5)
    wide = rng.integers(-128, 128, (2, size[0], size[1] + 3, channels + 2), np.int8)
    weight = rng.integers(-128, 128, (*kernel, channels, 9), np.int8)
    q = dwsep.Quantization(0.1, 3)
    own = {"x_quantization": q, "quantization": q, "padding": "valid", "stride": stride}
    own["weight_quantization"] = dwsep.Quantization(0.001)
    for x in (
        np.ascontiguousarray(wide[:, :, : size[1], :channels]),
        wide[:, :, : size[1], :channels],
        np.ascontiguousarray(wide[..., :channels])[:, :, : size[1]],
    ):
        wanted = plain.conv2d(x, weight, **own)
        for threads in (1, 2):
            got = dwsep.conv2d(x, weight, num_threads=threads, **own)
            assert np.array_equal(got, wanted)
