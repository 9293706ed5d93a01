"""Steps on values of every data type, on the core, bit for bit as NumPy and the definitions."""

from __future__ import annotations

import graph_oracle_types as oracle
import numpy as np
import pytest

from dwsep import _core

TYPES = ("float32", "int8", "uint8", "int32", "float16", "int64", "bool")
NUMBERS = ("float32", "int8", "uint8", "int32", "int64")
INTEGERS = NUMBERS[1:]
rng = np.random.default_rng(5)


def run(kind, arrays, attributes, threads=1):
    """Compute a step by itself, from a network that was saved."""
    builder = _core.NetworkBuilder()
    numbers = [builder.input(str(i), a.shape, a.dtype.name) for i, a in enumerate(arrays)]
    builder.output("y", builder.step(kind, "it", numbers, attributes, {}))
    network = _core.Network.from_bytes(builder.finish().to_bytes())
    (y,) = network.run(arrays, threads)
    assert network.outputs[0][2] == y.dtype.name
    return y


def same(y, wanted):
    assert (y.dtype, y.shape) == (wanted.dtype, wanted.shape)
    assert y.tobytes() == np.ascontiguousarray(wanted).tobytes()


def values(dtype, *shape):
    low = 0 if dtype in ("uint8", "bool") else -100
    x = rng.integers(low, 2 if dtype == "bool" else 100, shape)
    return (x * 1.25).astype(dtype) if dtype.startswith("float") else x.astype(dtype)


@pytest.mark.parametrize("to", TYPES)
@pytest.mark.parametrize("dtype", TYPES)
def test_cast(dtype, to):
    x = values(dtype, 3, 5, 67)
    x = np.abs(x) if to == "uint8" and dtype.startswith("float") else x
    same(run("cast", [x], {"to": to}, 2), x.astype(to))


def test_casts_of_halves():
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    same(run("cast", [halves], {"to": "float32"}), halves.astype(np.float32))
    wide = halves[np.isfinite(halves)].astype(np.float32)
    between = np.nextafter(wide, np.float32(np.inf)), (np.sort(wide)[:-1] + np.sort(wide)[1:]) / 2
    many = rng.integers(0, 2**32, 10**5, np.uint32).view(np.float32)
    x = np.concatenate([*between, many[~np.isnan(many)], np.float32([65520, -65520, np.inf])])
    with np.errstate(all="ignore"):
        same(run("cast", [x], {"to": "float16"}), x.astype(np.float16))


def test_casts_of_halves_keep_what_nan_say():
    halves = np.tile(np.arange(2**16, dtype=np.uint16), 2)[5:-2]
    halves[40:70:9] = 0xFC01  # next to numbers
    nan = np.isnan(halves.view(np.float16))
    bits = run("cast", [halves.view(np.float16)], {"to": "float32"}, 2).view(np.uint32)
    wide = halves.astype(np.uint32)
    wanted = (wide & 0x8000) << 16 | 0x7F800000 | (wide & 0x3FF) << 13
    assert np.array_equal(bits[nan], wanted[nan])
    floats = bits | rng.integers(0, 2**13, bits.size, np.uint32) * nan
    back = run("cast", [floats.view(np.float32)], {"to": "float16"}, 2).view(np.uint16)
    assert np.array_equal(back, np.where(nan, halves | 0x7E00, halves))


@pytest.mark.parametrize("to", [t for t in TYPES if t not in ("float16", "float32")])
def test_casts_of_many_floats(to):
    x = np.float32([*rng.integers(-200, 200, 300) * 0.75, np.nan, np.inf, -3e9, 2**31, -(2**31)])
    x = np.concatenate([x, x[::-1], [3e18, -9e18, 1e20] + 17 * [2.5]]).astype(np.float32)
    limits = np.iinfo(np.int64 if to == "int64" else np.int32)
    cut = [
        0 if v != v else min(max(int(np.clip(v, -1e19, 1e19)), limits.min), limits.max) for v in x
    ]
    wanted = x != 0 if to == "bool" else np.array(cut, np.int64).astype(to)
    same(run("cast", [x], {"to": to}, 2), wanted)


def test_casts_of_floats_that_do_not_fit():
    x = np.float32([np.nan, np.inf, -np.inf, 3e9, -3e9, 1e19, -1e19, 2.9, -2.9])
    y = run("cast", [x], {"to": "int32"})
    most, least = 2**31 - 1, -(2**31)
    assert y.tolist() == [0, most, least, most, least, most, least, 2, -2]
    y = run("cast", [x], {"to": "int64"})
    most, least = 2**63 - 1, -(2**63)
    assert y.tolist() == [0, most, least, 3 * 10**9, -3 * 10**9, most, least, 2, -2]


@pytest.mark.parametrize("dtype", TYPES)
def test_moves(dtype):
    x = values(dtype, 4, 6, 19, 33)
    for shape in (x.shape, (2, 3, 20, 17), (1, 4, 9, 70), (1, 2, 9, 70), (1, 80, 9, 70)):
        turned = values(dtype, *shape)
        for perm in ([0, 2, 3, 1], [3, 1, 0, 2], [1, 0, 2, 3]):
            same(run("transpose", [turned], {"perm": perm}, 2), turned.transpose(perm))
    same(run("reshape", [x], {"shape": [8, -1]}), x.reshape(8, -1))
    slices = {"starts": [0, 1, 8, 0], "stops": [4, 5, -100, 8], "steps": [1, 2, -3, 3]}
    same(run("slice", [x], slices), x[0:4, 1:5:2, 8::-3, 0:8:3])
    for axis, indices in ((1, [3, 0, 5]), (3, [3, -1, 5, 7, 32, 1])):
        wanted = np.take(x, indices, axis)
        same(run("gather", [x], {"axis": axis, "indices": indices}), wanted)
        some = {"axis": axis, "indices": indices, "indices_shape": [len(indices) // 3, 3]}
        wanted = np.take(x, np.reshape(indices, (-1, 3)), axis)
        same(run("gather", [x], some, 2), wanted)
    same(run("concat", [x, x[:, :2]], {"axis": 1}), np.concatenate([x, x[:, :2]], 1))
    same(run("expand", [x[:, :1]], {"shape": [0, 3, 0, 0]}), np.repeat(x[:, :1], 3, 1))
    ends = {"before": [0, 1, 2, 0], "after": [0, 0, 1, 2]}
    width = list(zip(*ends.values(), strict=True))
    same(
        run("pad", [x], {"mode": "constant", **ends, "value": [1.0]}, 2),
        np.pad(x, width, constant_values=1),
    )
    same(run("pad", [x], {"mode": "reflect", **ends}), np.pad(x, width, mode="reflect"))


@pytest.mark.parametrize("dtype", TYPES)
def test_comparisons_and_choices(dtype):
    a, b = values(dtype, 4, 6, 9, 8), values(dtype, 6, 1, 8)
    b[:2] = a[0, :2, :1]
    for name, function in oracle.COMPARISONS.items():
        same(run("compare", [a, b], {"function": name}, 2), function(a, b))
    condition = rng.integers(0, 2, (4, 1, 9, 8)).astype(bool)
    same(run("where", [condition, a, b], {}, 2), np.where(condition, a, b))
    # Rows of more than a block, and operands that are repeated along them.
    rows = [values(dtype, *shape) for shape in ((3, 270), (270,), (3, 1), (1,))]
    conditions = [rng.integers(0, 2, r.shape).astype(bool) for r in rows]
    for a in rows:
        for b in rows:
            for name, function in oracle.COMPARISONS.items():
                same(run("compare", [a, b], {"function": name}, 2), function(a, b))
            for condition in conditions:
                same(run("where", [condition, a, b], {}, 2), np.where(condition, a, b))


def test_nan_equals_nothing():
    x = np.float32([np.nan, 1])
    for name, function in oracle.COMPARISONS.items():
        same(run("compare", [x, x], {"function": name}), function(x, x))


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers(dtype):
    a, b = values(dtype, 5, 7), values(dtype, 7)
    b[b == 0] = 3
    with np.errstate(over="ignore"):
        for name in ("add", "sub", "mul", "div", "mod", "min", "max", "and", "or", "xor"):
            wanted = oracle.INTEGERS[name](a, b).astype(dtype)
            same(run("integers", [a, b], {"function": name}), wanted)
            # Rows of more than a block, and operands that are repeated along them.
            for p, q in (((3, 270), (270,)), ((3, 270), (1,)), ((3, 1), (270,))):
                u, v = (values(dtype, *shape) for shape in (p, q))
                v[v == 0] = 3
                wanted = oracle.INTEGERS[name](u, v).astype(dtype)
                same(run("integers", [u, v], {"function": name}, 2), wanted)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_that_have_no_quotient(dtype):
    least = np.iinfo(dtype).min
    a = np.array([least, 5, 0], dtype)
    b = np.array([-1 if least else 1, 0, 0], dtype)
    assert run("integers", [a, b], {"function": "div"}).tolist() == [least, 0, 0]
    assert run("integers", [a, b], {"function": "mod"}).tolist() == [0, 0, 0]


def test_all_bytes_but_zero_are_true():
    a = np.arange(300).astype(np.uint8).view(bool)
    b = np.arange(300)[::-1].astype(np.uint8).view(bool)
    u, v = (x.view(np.uint8) != 0 for x in (a, b))
    same(run("integers", [a, b], {"function": "and"}), u & v)
    same(run("integers", [a, np.array(True)], {"function": "xor"}), ~u)
    same(run("compare", [a, b], {"function": "equal"}), u == v)
    for to in ("uint8", "int64", "float32", "float16"):
        same(run("cast", [a], {"to": to}), u.astype(to))


def test_truths():
    a, b = (values("bool", 40) for _ in range(2))
    for name, function in (("and", "logical_and"), ("or", "logical_or"), ("xor", "logical_xor")):
        same(run("integers", [a, b], {"function": name}), getattr(np, function)(a, b))


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("axis", range(4))
def test_searches(dtype, axis):
    x = values(dtype, 4, 6, 9, 8)
    for function in ("max", "min"):
        for last in (0, 1):
            attributes = {"axis": axis, "function": function, "last": last}
            same(run("arg", [x], attributes, 2), oracle.arg(x, attributes))
        attributes = {"axis": axis, "function": function, "k": 3}
        wanted = oracle.top_k(x.astype(np.float64), attributes)
        same(run("top_k", [x], attributes, 2), wanted)
        same(
            run("gather_elements", [x, wanted], {"axis": axis}, 2),
            np.take_along_axis(x, wanted, axis),
        )
    indices = np.array([[1, 0], [3, -1]], np.int32)
    same(run("take", [x, indices], {"axis": axis}, 2), np.take(x, indices, axis))


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("function", ["last", "sum", "prod", "max", "min"])
def test_scatter(dtype, function):
    x = values(dtype, 4, 6, 9)
    for axis, shape in ((0, (7, 6, 9)), (1, (3, 2, 8)), (2, (4, 5, 1))):
        indices = np.random.default_rng(2).integers(-x.shape[axis], x.shape[axis], shape)
        new, attributes = values(dtype, *shape), {"axis": axis, "function": function}
        with np.errstate(over="ignore"):
            wanted = oracle.scatter(x, indices, new, attributes)
        for threads in (1, 3):
            same(run("scatter", [x, indices, new], attributes, threads), wanted)


@pytest.mark.parametrize("function", ["max", "min"])
def test_nan_is_the_extreme_of_all(function):
    x, new = np.float32([np.nan, -1, 2, np.nan]), np.float32([5, np.nan, 3, np.nan, -4])
    indices, attributes = np.array([0, 1, 2, 3, 2]), {"axis": 0, "function": function}
    wanted = oracle.scatter(x, indices, new, attributes)
    assert np.isnan(wanted[[0, 1, 3]]).all()
    same(run("scatter", [x, indices, new], attributes), wanted)
    for line in ([1, np.nan, 3], [np.nan, 2, 1], [4, 2, np.nan]):
        nan = np.full(1, np.nan, np.float32)
        same(run("accumulate", [np.float32(line)], {"axis": 0, "function": function}), nan)


@pytest.mark.parametrize(
    "shape", [(7, 1), (9, 63), (3, 64), (6, 2, 130), (5, 200), (1, 70), (150, 37)]
)
def test_searches_of_lines_side_by_side(shape):
    """Blocks of lines, parts of blocks, and lines by themselves; NaN first, later and alone."""
    plain = rng.integers(-3, 4, shape).astype(np.float32)
    spoilt = np.where(rng.random(shape) < 0.2, np.float32(np.nan), plain)
    spoilt[:, 0] = np.nan
    for x in (plain, spoilt, np.where(plain > 0, np.float32(np.inf), -plain)):
        for axis in (0, len(shape) - 1):
            for function, better in (("max", np.greater), ("min", np.less)):
                for last in (0, 1):
                    wanted = np.zeros(x.take([0], axis).shape, np.int64)
                    best = x.take([0], axis)
                    for i in range(1, x.shape[axis]):
                        new = x.take([i], axis)
                        found = better(new, best) | ((new == best) & bool(last))
                        wanted, best = np.where(found, i, wanted), np.where(found, new, best)
                    attributes = {"axis": axis, "function": function, "last": last}
                    for threads in (1, 3):
                        same(run("arg", [x], attributes, threads), wanted)


def test_rows_of_a_table():
    table, indices = values("float32", 50, 1, 67), rng.integers(-50, 50, (5, 31))
    for threads in (1, 3):
        same(run("take", [table, indices], {"axis": 0}, threads), table[indices])


@pytest.mark.parametrize("columns", [1, 2, 3, 5, 7, 8, 13, 15, 16, 17])
def test_short_rows_that_meet_the_same_row(columns):
    """A mean and a deviation of each colour, or of each row: several rows at a time."""
    for rows in (1, 2, 15, 80, 81, 481):
        x = rng.standard_normal((2, rows, columns), dtype=np.float32)
        b = rng.standard_normal(columns, dtype=np.float32)
        each = rng.standard_normal((rows, 2, 1), dtype=np.float32).transpose(1, 0, 2)
        for threads in (1, 3):
            same(run("binary", [x, b], {"function": "sub"}, threads), x - b)
            same(run("binary", [b, x], {"function": "sub"}, threads), b - x)
            same(run("binary", [x, each], {"function": "sub"}, threads), x - each)
            same(run("binary", [each, x], {"function": "sub"}, threads), each - x)
        bounds = {"activation": "clip", "activation_lo": -0.5, "activation_hi": 1.0}
        bounds["function"] = "mul"
        for other in (b, each):
            wanted = np.clip(x * other, np.float32(-0.5), np.float32(1))
            same(run("binary", [x, other], bounds), wanted)


def test_the_order_of_all_floats():
    x = np.float32([np.nan, 3, np.inf, 0.0, -0.0, -np.inf, np.nan])
    attributes = {"axis": 0, "k": 7}
    assert run("top_k", [x], {"function": "max", **attributes}).tolist() == [0, 6, 2, 1, 3, 4, 5]
    assert run("top_k", [x], {"function": "min", **attributes}).tolist() == [5, 3, 4, 1, 2, 0, 6]


@pytest.mark.parametrize("k", [1, 7, 100, 3000])
def test_the_best_of_many(k):
    """In any order they come, of equal ones the first."""
    x = rng.standard_normal(3000, dtype=np.float32)
    x[::5] = np.round(x[::5])
    for line in (x, np.sort(x), -np.sort(x), np.zeros_like(x), np.repeat(x[:300], 10)):
        for function in ("max", "min"):
            attributes = {"axis": 0, "function": function, "k": k}
            same(run("top_k", [line], attributes), oracle.top_k(line, attributes))


@pytest.mark.parametrize("columns", [1, 15, 16, 70])
def test_sums_along_an_axis_add_in_order(columns):
    x = rng.standard_normal((3, 50, columns), dtype=np.float32)
    for axis in (0, 1, 2):
        for flip in (0, 1):
            lines = np.flip(x, axis) if flip else x
            wanted = np.add.accumulate(lines, axis)
            wanted = np.flip(wanted, axis) if flip else wanted
            for threads in (1, 3):
                attributes = {"axis": axis, "reverse": flip}
                same(run("cumulative_sum", [x], attributes, threads), np.ascontiguousarray(wanted))


def test_indices_out_of_range_are_the_nearest():
    x, indices = values("int8", 3), np.array([7, -9, 2**62, -(2**62), -1])
    wanted = x[[2, 0, 2, 0, 2]]
    same(run("take", [x, indices], {"axis": 0}), wanted)
    same(run("gather_elements", [x, indices], {"axis": 0}), wanted)
    new, attributes = values("int8", 5), {"axis": 0, "function": "last"}
    same(run("scatter", [x, indices, new], attributes), np.array([new[3], x[1], new[4]]))


@pytest.mark.parametrize("dtype", NUMBERS)
def test_accumulate(dtype):
    x = values(dtype, 4, 6, 9)
    step = {"sum": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum}
    for axis in range(3):
        for function, combined in step.items():
            wanted = x.take([0], axis)
            with np.errstate(over="ignore"):
                for i in range(1, x.shape[axis]):
                    wanted = combined(wanted, x.take([i], axis))
            same(run("accumulate", [x], {"axis": axis, "function": function}, 2), wanted)


@pytest.mark.parametrize("dtype", NUMBERS)
def test_cumulative_sum(dtype):
    for shape in ((4, 6, 9), (3, 4, 150)):
        x = values(dtype, *shape) // 8 if dtype != "float32" else values(dtype, *shape)
        x = x % 2 if shape[2] == 150 and dtype != "float32" else x
        for axis in range(3):
            for exclusive in (0, 1):
                for reverse in (0, 1):
                    attributes = {"axis": axis, "exclusive": exclusive, "reverse": reverse}
                    wanted = oracle.cumulative_sum(x, attributes).astype(dtype)
                    same(run("cumulative_sum", [x], attributes, 2), wanted)


@pytest.mark.parametrize(
    ("kind", "types", "attributes", "complaint"),
    [
        ("unary", ["int8"], {"function": "exp"}, "input 0: need type float32, got int8"),
        ("concat", ["int8", "uint8"], {"axis": 0}, "one type, int8, got uint8"),
        ("compare", ["int8", "int32"], {"function": "less"}, "input 1: need type int8, got int32"),
        ("where", ["int8"] * 3, {}, "input 0: need type bool, got int8"),
        ("where", ["bool", "int8", "bool"], {}, "input 2: need type int8, got bool"),
        ("integers", ["float32"] * 2, {"function": "add"}, "an integer type, got float32"),
        ("integers", ["bool"] * 2, {"function": "add"}, "an integer type, got bool"),
        ("dequantize", ["int64"], {"scale": 1.0, "zero_point": 0}, "int8, uint8 or int32, got"),
        ("take", ["int8", "int8"], {"axis": 0}, "input 1: need type int32 or int64, got int8"),
        ("arg", ["bool"], {"function": "max", "axis": 0}, "need numbers, got bool"),
        ("top_k", ["int8"], {"function": "max", "axis": 0, "k": 4}, "k: need at most 3, got 4"),
        ("cast", [], {"to": "int8"}, "inputs: need 1 array, got 0"),
        ("cast", ["int8"], {"to": "int16"}, "need one of float32, int8"),
        ("gather_elements", ["int8"], {"axis": 0}, "inputs: need 2 arrays, got 1"),
        ("scatter", ["int8", "int64", "int32"], {"axis": 0, "function": "sum"}, "need int8, got"),
        ("scatter", ["bool", "int64", "bool"], {"axis": 0, "function": "max"}, "need numbers"),
    ],
)
def test_what_does_not_fit_is_named(kind, types, attributes, complaint):
    with pytest.raises(ValueError, match=complaint):
        run(kind, [np.zeros(3, dtype) for dtype in types], attributes)
