"""Steps that make bytes of real numbers, or real numbers of bytes, or put bytes elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from int8_tensors import Draw
from int8_tensors import run as run_open

pytestmark = pytest.mark.kernels

ROUNDS = pytest.mark.parametrize("rounds", [40, pytest.param(5000, marks=pytest.mark.slow)])
WIDTHS = (1, 3, 8, 15, 16, 17, 31, 32, 33, 64, 65, 100)


def run(kind, tensors, attributes):
    return run_open(kind, tensors, attributes, batch=2)


def same(y, wanted):
    assert (y.dtype, y.shape) == (wanted.dtype, wanted.shape)
    assert y.tobytes() == wanted.tobytes()


def scales(draw, shape, dtype):
    """Return scales and zero points, of an axis or of all, to broadcast, and the attributes."""
    axis = int(draw.rng.integers(-1, len(shape)))
    count = 1 if axis < 0 else shape[axis]
    rows = [draw.quantization(dtype) for _ in range(count)]
    scale, zero = ([row[i] for row in rows] for i in (0, 1))
    attributes = {"scale": scale, "zero_point": zero}
    if axis >= 0:
        attributes["axis"] = axis
    along = [n if k == axis else 1 for k, n in enumerate(shape)]
    return np.float32(scale).reshape(along), np.array(zero).reshape(along), attributes


def sizes(draw):
    return (2, *draw.sizes(1, 8, 2), draw.one_of(WIDTHS))


@ROUNDS
def test_real_numbers_become_bytes(rounds):
    draw = Draw(11)
    for _ in range(rounds):
        shape, dtype = sizes(draw), draw.one_of(["int8", "uint8"])
        scale, zero, attributes = scales(draw, shape, dtype)
        steps = draw.rng.uniform(-300, 300, shape).astype(np.float32)
        steps = np.where(draw.rng.random(shape) < 0.3, np.rint(2 * steps) / 2, steps)  # ties
        x = (steps * scale).astype(np.float32)
        ends = np.float32([np.inf, -np.inf, 3e38, -3e38, 0, -0.0, 1e-45])
        x = np.where(draw.rng.random(shape) < 0.05, draw.rng.choice(ends, shape), x)
        with np.errstate(over="ignore"):
            v = (x / scale).astype(np.float64)
        limits = np.iinfo(dtype)
        wanted = np.clip(np.rint(v) + zero, limits.min, limits.max).astype(dtype)
        same(run("quantize", [(x, None)], {"to": dtype, **attributes}), wanted)


@ROUNDS
def test_bytes_become_real_numbers(rounds):
    draw = Draw(12)
    for _ in range(rounds):
        x, _q = draw.tensor(sizes(draw))
        scale, zero, attributes = scales(draw, x.shape, x.dtype.name)
        wanted = (x.astype(np.int64) - zero).astype(np.float32) * scale
        same(run("dequantize", [(x, None)], attributes), wanted)


@ROUNDS
def test_bytes_that_move(rounds):
    draw = Draw(13)
    for _ in range(rounds):
        x, q = draw.tensor(sizes(draw))
        perm = [int(n) for n in draw.rng.permutation(4)]
        same(run("transpose", [(x, q)], {"perm": perm}), x.transpose(perm).copy())
        starts = [int(draw.rng.integers(0, n)) for n in x.shape]
        steps = [int(n) for n in draw.rng.integers(1, 4, 4)]
        part = tuple(slice(s, None, k) for s, k in zip(starts, steps, strict=True))
        a = {"starts": starts, "stops": list(x.shape), "steps": steps}
        same(run("slice", [(x, q)], a), x[part].copy())
        axis = int(draw.rng.integers(1, 4))
        parts = [x]
        for _other in range(int(draw.rng.integers(1, 3))):
            shape = [draw.one_of(WIDTHS[:6]) if k == axis else n for k, n in enumerate(x.shape)]
            parts.append(draw.rng.integers(0, 256, shape).astype(np.uint8).view(x.dtype))
        joined = run("concat", [(part, q) for part in parts], {"axis": [axis]})
        same(joined, np.concatenate(parts, axis))
        before, after = ([0, *(int(n) for n in draw.rng.integers(0, 4, 3))] for _side in range(2))
        sides = tuple(zip(before, after, strict=True))
        stored = np.iinfo(x.dtype).min + int(draw.rng.integers(0, 256))
        a = {"mode": "constant", "before": before, "after": after, "value": [float(stored)]}
        same(run("pad", [(x, q)], a), np.pad(x, sides, constant_values=stored))
        a["mode"] = "edge"
        del a["value"]
        same(run("pad", [(x, q)], a), np.pad(x, sides, mode="edge"))
