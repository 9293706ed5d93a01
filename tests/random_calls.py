"""Random right calls of every function, and the same arrays laid out otherwise in memory."""

from __future__ import annotations

import math

import calls
import choices
import numpy as np
import oracle
from calls import Call


class Subclass(np.ndarray):
    pass


def sizes(rng, most):
    return rng.choice([0] * (rng.random() < 0.03) + [1, 2, 3, rng.randint(1, most)])


def channels(rng):
    return rng.choice([*choices.CHANNELS, rng.randint(1, 12), rng.randint(1, 100)])


def values(rng):
    """Return a function that draws numbers: normal, of any scale, or with NaN and infinities."""
    numpy = np.random.default_rng(rng.getrandbits(32))
    kind = rng.choice(["normal", "normal", "normal", "scaled", "wild"])

    def draw(shape):
        array = numpy.standard_normal(shape, np.float32)
        if kind == "scaled":
            array *= np.float32(10.0 ** numpy.integers(-20, 8))
        if kind == "wild" and array.size:
            places = numpy.integers(array.size, size=1 + array.size // 50)
            array.flat[places] = numpy.choice([np.nan, np.inf, -np.inf, -0.0, 1e-40, 1e9], 1)[0]
        return array

    return draw


def window(rng, size, kernel):
    """Return any stride, padding and dilation, written in any way that is allowed."""

    def steps(most):
        one, two = rng.randint(1, most), rng.choice([1, 2, 3, 1000, 2**31 - 1])
        return rng.choice([1, 1, one, (one, 1), [1, one], (one, two), np.int64(one), np.uint8(one)])

    def side():
        return rng.choice([0, 1, 2, rng.randint(0, 9), np.int32(1)])

    paddings = ["same", "same_lower", "valid", side(), (side(), side()), [side(), side()]]
    paddings.append(((side(), side()), [side(), side()]))
    return {"stride": steps(4), "padding": rng.choice(paddings), "dilation": steps(3)}


def right(rng) -> Call:
    """Return a call of any function that has to succeed."""
    draw = values(rng)
    most = rng.choice([4, 9, 9, 30])
    batch = rng.choice([(), (1,), (2,), (3,), (0,)] if rng.random() < 0.1 else [(), (1,), (2,)])
    size, kernel = (sizes(rng, most), sizes(rng, most)), (rng.randint(1, 5), rng.randint(1, 5))
    kernel = rng.choice([kernel, (3, 3), (5, 5), (7, 7)])
    shape = (*batch, *size, channels(rng))
    options = {"activation": rng.choice(choices.ALL_ACTIVATIONS)}
    both = {"bias": rng.random() < 0.5, "residual": rng.random() < 0.4}
    family = rng.choice(["depthwise", "pointwise", "separable", "inverted_residual", "conv2d"])
    if family == "pointwise":
        return calls.pointwise(draw, shape, channels(rng), **both, **options)
    options |= window(rng, size, kernel)
    multiplier = rng.choice([1, 1, 2, 3])
    if family == "depthwise":
        return calls.depthwise(draw, shape, kernel, multiplier, both["bias"], **options)
    if family == "conv2d":
        groups = rng.choice([1, 1, *(g for g in range(1, 101) if shape[-1] % g == 0)])
        cout = groups * rng.randint(1, max(1, 100 // groups))
        return calls.conv2d(draw, shape, cout, kernel, groups, **both, **options)
    options["depthwise_activation"] = rng.choice(choices.ALL_ACTIVATIONS)
    if rng.random() < 0.3:
        both["reduced"] = rng.randint(1, 20)
        for name in ("reduce_activation", "excite_activation"):
            options[name] = rng.choice(choices.ALL_ACTIVATIONS)
    if family == "separable":
        return calls.separable(draw, shape, channels(rng), kernel, multiplier, **both, **options)
    options["expand_activation"] = rng.choice(choices.ALL_ACTIVATIONS)
    wide = channels(rng), channels(rng)
    return calls.inverted_residual(draw, shape, *wide, kernel, multiplier, **both, **options)


def output_shape(call: Call):
    """Return the shape of the result, in plain ints."""
    x = call.arrays["x"]
    batch = x.shape if x.ndim == 4 else (1, *x.shape)
    w, last = call.arrays[call.filters], call.arrays["weight"]
    outputs = last.shape[-1] * (last.shape[-2] if call.function == "depthwise_conv2d" else 1)
    size = batch[1:3]
    if call.function != "pointwise_conv2d":
        plain = {k: v for k, v in call.options.items() if k in calls.WINDOW}
        size = oracle.Window(batch, w.shape[:2], **plain).output
    return (*batch[:1], *size, outputs)[4 - x.ndim :]


def too_small(call: Call) -> bool:
    """Return whether the window is larger than the padded image."""
    if call.function == "pointwise_conv2d" or call.options["padding"] in ("same", "same_lower"):
        return False
    w = call.arrays[call.filters]
    x, options = call.arrays["x"].shape, call.options
    size, kernel = x[len(x) - 3 :][:2], w.shape[:2]
    stride, dilation = (oracle.pair(options[name]) for name in ("stride", "dilation"))
    sides = oracle.resolve_padding(options["padding"], size, kernel, stride, dilation)
    axes = zip(size, sides, kernel, dilation, strict=True)
    return any(n + sum(side) < (taps - 1) * gap + 1 for n, side, taps, gap in axes)


def flops(call: Call) -> float:
    weights = sum(a.size for name, a in call.arrays.items() if name.endswith("weight"))
    x, y = call.arrays["x"].shape[:-1], output_shape(call)[:-1]
    return 2.0 * weights * max(math.prod(x), math.prod(y))


# --- layouts: the same values elsewhere --------------------------------------------------------


def relaid(rng, array):
    """Return an array of the same values that lies otherwise in memory."""
    kind = rng.randrange(8)
    if kind == 0:
        return np.asfortranarray(array)
    if kind == 1 and array.ndim:  # not contiguous
        host = np.full([2 * n + 3 for n in array.shape], np.nan, np.float32)
        axis = rng.randrange(array.ndim)
        cut = [slice(1, n + 1) for n in array.shape]
        cut[axis] = slice(1, 2 * array.shape[axis] + 1, 2)
        host[tuple(cut)] = array
        return host[tuple(cut)]
    if kind == 2 and array.ndim:  # reversed
        turned = tuple(slice(None, None, rng.choice([1, -1])) for _ in array.shape)
        return np.ascontiguousarray(array[turned])[turned]
    if kind == 3:  # unaligned
        offset = rng.randint(1, 7)
        host = bytearray(array.nbytes + 8)
        moved = np.frombuffer(host, np.float32, array.size, offset).reshape(array.shape)
        moved[...] = array
        return moved
    if kind == 4:
        array = array.copy()
        array.flags.writeable = False
        return array
    if kind == 5:
        return array.view(Subclass)
    return array
