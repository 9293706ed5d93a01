"""Steps on int8 and uint8 other than convolutions, every bit as plain loops of integers have it."""

from __future__ import annotations

import numpy as np
import plain_int8 as plain
import pytest
from int8_tensors import Draw, output_attributes, run
from tflite_writer import model, tensor

import dwsep

pytestmark = pytest.mark.kernels

SLOW = pytest.param(5000, marks=pytest.mark.slow)
ROUNDS = pytest.mark.parametrize("rounds", [40, SLOW])
WIDTHS = (1, 3, 8, 15, 16, 17, 31, 32, 33, 64, 65, 100)


def same(y, wanted):
    assert (y.dtype, y.shape) == (wanted.dtype, wanted.shape)
    different = np.flatnonzero(y.view(np.uint8) != wanted.view(np.uint8))
    assert not different.size, f"{different.size} bytes differ, the first is {different[0]}"


def activation_attributes(draw, out):
    kind = draw.one_of([None, None, "relu", "relu6", "clip"])
    step = 10.0 if out is None else 40 * out[0]
    lo, hi = sorted(draw.rng.uniform(-step, step, 2))
    activation = ("clip", float(np.float32(lo)), float(np.float32(hi))) if kind == "clip" else kind
    lo, hi = plain.bounds(activation)
    return activation, {"activation": "clip", "activation_lo": [lo], "activation_hi": [hi]}


@ROUNDS
def test_sums_and_products(rounds):
    draw = Draw(1)
    for _ in range(rounds):
        width = draw.one_of(WIDTHS)
        shape = (*draw.sizes(1, 8, 2), width)
        shapes = [shape, draw.one_of([shape, shape, (1, shape[1], 1), (1, 1, width), shape])]
        if draw.rng.integers(2):
            shapes.reverse()
        (a, qa), (b, qb) = (draw.tensor(s) for s in shapes)
        out, function = draw.output(), draw.one_of(["add", "sub", "mul"])
        activation, attributes = activation_attributes(draw, out)
        attributes |= {"function": function, **output_attributes(out)}
        y = run("binary", [(a, qa), (b, qb)], attributes)
        same(y, plain.binary(function, a, qa, b, qb, out, activation))
        if out is not None and function != "mul":
            y = run("binary", [(a, qa), (b, qb)], attributes | {"fixed_point": [1]})
            same(y, plain.fixed_point_sum(function, a, qa, b, qb, out, activation))
        if out is not None and function != "sub":
            y = run("binary", [(a, qa), (b, qb)], attributes | {"zero_first": [1]})
            same(y, plain.binary_zero_first(function, a, qa, b, qb, out, activation))


def test_ties_go_to_the_even_number():
    a, b = np.int8([[1, 3, -1, -3, 5]]), np.int8([[0, 0, 0, 0, 0]])
    attributes = {"function": "add", **output_attributes((1.0, 0, "int8"))}
    y = run("binary", [(a, (0.5, 0)), (b, (1.0, 0))], attributes)
    assert y.tolist() == [[0, 2, 0, -2, 2]]


@ROUNDS
def test_tables(rounds):
    draw = Draw(2)
    for _ in range(rounds):
        x, q = draw.tensor((*draw.sizes(1, 8, 2), draw.one_of(WIDTHS)))
        out = draw.output(real=False)
        low = np.iinfo(out[2]).min
        values = draw.rng.integers(low, low + 256, 256)
        attributes = {"values": values.tolist(), **output_attributes(out)}
        y = run("table", [(x, q)], attributes)
        same(y, values[x.astype(int) - np.iinfo(x.dtype).min].astype(out[2]))


def window(draw):
    kernel = [int(n) for n in draw.rng.integers(1, 5, 2)]
    most = [k - 1 for k in kernel for _ in (0, 1)] if draw.rng.integers(2) else [3] * 4
    return {
        "kernel": kernel,
        "stride": [int(n) for n in draw.rng.integers(1, 4, 2)],
        "dilation": [int(n) for n in draw.rng.integers(1, 3, 2)],
        "padding": [int(draw.rng.integers(0, n + 1)) for n in most],
    }


@ROUNDS
def test_pools(rounds):
    draw = Draw(3)
    for _ in range(rounds):
        shape = (draw.one_of([1, 2]), *draw.sizes(7, 11, 2), draw.one_of(WIDTHS))
        x, q = draw.tensor(shape)
        attributes = window(draw)
        function = draw.one_of(["max", "average", "average"])
        out, kind = draw.output(), {"function": function}
        if function == "max":
            out = None
        else:
            kind["include_padding"] = int(draw.rng.integers(2))
            if draw.rng.integers(3) == 0:
                out, kind["ties"], kind["include_padding"] = (*q, x.dtype.name), "away", 0
            elif out is not None and draw.rng.integers(2):
                kind["ties"] = "zero_first"
        attributes |= kind
        lowered = {k: [v] if k == "include_padding" else v for k, v in attributes.items()}
        y = run("pool", [(x, q)], lowered | output_attributes(out))
        same(y, plain.pool(x, q, attributes, out))


@ROUNDS
def test_means(rounds):
    draw = Draw(4)
    for _ in range(rounds):
        shape = (2, *(int(n) for n in draw.rng.integers(1, 30, 2)), draw.one_of(WIDTHS))
        x, q = draw.tensor(shape)
        out, axes = draw.output(), draw.one_of([(1, 2), (1,), (2,), (0, 2), (-2, 1)])
        attributes = {"function": "mean", "axes": list(axes), "keepdims": [1]}
        attributes |= output_attributes(out)
        y = run("reduce", [(x, q)], attributes)
        reduced = tuple(axis % 4 for axis in axes)
        count = int(np.prod([shape[axis] for axis in reduced]))
        rest = [axis for axis in range(4) if axis not in reduced]
        values = x.transpose([*reduced, *rest]).reshape(count, -1)
        wanted = plain.mean(values, count, q, out)
        kept = [1 if axis in reduced else n for axis, n in enumerate(shape)]
        same(y, wanted.reshape(kept))
        if out is not None:
            y = run("reduce", [(x, q)], attributes | {"zero_first": [1]})
            same(y, plain.mean_in_one(values, count, q, out).reshape(kept))


def test_means_of_many_pixels():
    """More than int16 and than 255 additions hold; more than float32 holds exactly."""
    x = np.full((1, 300, 301, 33), -128, np.int8)
    x[:, ::7, ::5] = 127
    out = (0.5, -3, "int8")
    attributes = {"function": "mean", "axes": [1, 2], "keepdims": [0], **output_attributes(out)}
    y = run("reduce", [(x, (0.7, 127))], attributes)
    same(y, plain.mean(x.reshape(-1, 33), 300 * 301, (0.7, 127), out)[None])


def test_large_pools_round_exactly():
    """Just below a half: twice the sum of bytes, and a count, are more than float32 holds."""
    x = np.full((1, 415, 83, 3), 243, np.uint8)
    x.reshape(-1, 3)[:17222] = 244
    x[0, 0, 0, 1:] = 245, 243  # just above it, and again below
    attributes = {
        "function": "average",
        "kernel": [415, 83],
        "stride": [1, 1],
        "dilation": [1, 1],
        "padding": [0] * 4,
        "ties": "away",
    }
    q = (0.5, 7)
    y = run("pool", [(x, q)], attributes | output_attributes((*q, "uint8")))
    same(y, np.array([243, 244, 243], np.uint8).reshape(1, 1, 1, 3))


@ROUNDS
def test_linear_resizing(rounds):
    draw = Draw(5)
    for _ in range(rounds):
        sizes = draw.sizes(1, 11, 4)
        x, q = draw.tensor((2, *sizes[:2], draw.one_of(WIDTHS)))
        coordinates = draw.one_of(["half_pixel", "asymmetric", "align_corners"])
        scale = [float(np.float32(o / n)) for n, o in zip(sizes[:2], sizes[2:], strict=True)]
        attributes = {"function": "linear", "coordinates": coordinates}
        attributes |= {"size": sizes[2:], "scale": scale}
        y = run("resize", [(x, q)], attributes)
        same(y, plain.resize_linear(x, sizes[2:], coordinates))
        attributes |= {"function": "nearest", "rounding": "floor", "coordinates": "asymmetric"}
        rows, columns = (
            np.clip((np.arange(o, dtype=np.float32) / np.float32(s)).astype(int), 0, n - 1)
            for n, o, s in zip(sizes[:2], sizes[2:], scale, strict=True)
        )
        y = run("resize", [(x, q)], attributes)
        same(y, x[:, rows][:, :, columns])


@ROUNDS
def test_softmax(rounds):
    draw = Draw(6)
    for _ in range(rounds):
        x, q = draw.tensor((*draw.sizes(1, 8, 2), draw.one_of(WIDTHS)))
        out = draw.one_of([(1 / 256, -128, "int8"), (1 / 256, 0, "uint8"), draw.output()])
        axis = int(draw.rng.integers(1, 3))
        y = run("softmax", [(x, q)], {"axis": axis, **output_attributes(out)})
        same(y, plain.softmax(x, q, axis, out))


def test_what_is_joined_is_rounded_first():
    """Arrays of three scales, one of them that of the result, without real numbers in between."""
    draw = Draw(7)
    scales = [(0.25, 3), (0.5, -9), (0.05, 20)]
    names = ["a", "b", "c"]
    tensors = [
        tensor(name, (1, 5, 6, 8), "int8", quantization=(*q, 0))
        for name, q in zip(names, scales, strict=True)
    ]
    tensors.append(tensor("y", (1, 5, 6, 24), "int8", quantization=(0.5, -9, 0)))
    network = dwsep.load(
        model(tensors, [("CONCATENATION", names, ["y"], {"axis": 3})], names, ["y"])
    )
    arrays = [draw.rng.integers(-128, 128, (1, 5, 6, 8)).astype(np.int8) for _ in names]
    (y,) = network.run(None, dict(zip(names, arrays, strict=True)))
    real = [
        plain.less_zero(x, q).astype(np.float32) * np.float32(q[0])
        for x, q in zip(arrays, scales, strict=True)
    ]
    wanted = np.clip(np.rint(np.concatenate(real, 3) / np.float32(0.5)) - 9, -128, 127)
    same(y, wanted.astype(np.int8))
    steps = network._network.steps([x.shape for x in arrays])
    assert sorted(step["kind"] for step in steps) == ["concat", "table", "table"]
