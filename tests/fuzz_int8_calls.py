"""Random calls in int8: right ones against plain loops, wrong ones by their error."""

from __future__ import annotations

import re

import numpy as np
from int8_calls import LAYERS, Int8Call, random_call

from dwsep import Quantization

REFUSALS = (TypeError, ValueError)
NO_QUANTIZATIONS = (None, 0.1, "int8", (0.1, 0), object(), np.float32(0.5), {"scale": 0.1})
NO_DTYPES = ("f8", "f2", "i4", "i2", "u2", "?", "O", "c8")


def relaid(rng, array):
    """Return the same numbers, otherwise in memory."""
    kind = rng.randrange(5)
    if kind == 0:
        return np.asfortranarray(array)
    if kind == 1:
        turned = tuple(slice(None, None, rng.choice([1, -1])) for _ in array.shape)
        return np.ascontiguousarray(array[turned])[turned]
    if kind == 2:
        host = np.full([2 * n + 3 for n in array.shape], 77, array.dtype)
        cut = tuple(slice(1, 2 * n + 1, 2) for n in array.shape)
        host[cut] = array
        return host[cut]
    if kind == 3:
        array = array.copy()
        array.flags.writeable = False
    return array


def wrong_quantization(rng, arguments) -> set[str]:
    """Spoil one; return what the error may name."""
    name = rng.choice([n for n in arguments if n.endswith("quantization")])
    old = arguments[name]
    if rng.random() < 0.3:
        arguments[name] = rng.choice([q for q in NO_QUANTIZATIONS if q is not None])
        return {name}
    if old is None:  # a float32 result
        arguments[name] = 1.5
        return {name}
    kind = rng.randrange(3)
    stored = name.removesuffix("_quantization")
    if kind == 0 and name != "quantization":
        arguments[name] = None
    elif kind == 1 and name != stored and stored in arguments:  # another type than the array's
        other = "uint8" if old.dtype == "int8" else "int8"
        arguments[name] = Quantization(0.5, 3 * (other == "uint8"), other)
    else:
        count = 1 + 7 * max(a.shape[-1] * a.shape[-2] for a in matrices(arguments))
        arguments[name] = Quantization(np.full(count, 0.5, np.float32), 0, old.dtype)
    return {name, stored, "x"}


def matrices(arguments):
    return [a for n, a in arguments.items() if n.endswith("weight")]


def wrong_array(rng, arguments) -> set[str]:
    name = rng.choice([n for n, a in arguments.items() if isinstance(a, np.ndarray)])
    array = arguments[name]
    kind = rng.randrange(3)
    if kind == 0:
        dtypes = [d for d in NO_DTYPES if not (name.endswith("bias") and d == "i4")]
        arguments[name] = array.astype(rng.choice(dtypes))
    elif kind == 1:
        arguments[name] = rng.choice([array.tolist() if array.size else 1, "x", object(), 1.0])
    else:
        arguments[name] = array[None, None, None, None, None]
    return {name, f"{name}_quantization", "x_quantization"}


def wrong_out(rng, arguments, expected) -> set[str]:
    kind = rng.randrange(4)
    other = {"int8": "uint8", "uint8": "float32", "float32": "int8"}[expected.dtype.name]
    out = np.zeros(expected.shape, expected.dtype)
    if kind == 0:
        out = np.zeros(expected.shape, other)
    elif kind == 1:
        out = np.zeros((*expected.shape[:-1], expected.shape[-1] + 1), expected.dtype)
    elif kind == 2:
        out.flags.writeable = False
    else:
        out = rng.choice([out.tolist(), 0, out[None, None]])
    arguments["out"] = out
    return {"out"}


def invoke(rng, call: Int8Call, **extra):
    way = rng.randrange(3)
    if way == 0:
        return call.run(**extra)
    layer = call.layer()
    if way == 2:
        import pickle

        layer = pickle.loads(pickle.dumps(layer))
    return call.run_layer(layer, **extra)


def case(rng) -> str:
    call = random_call(rng.choice([*LAYERS]), rng.getrandbits(32))
    expected = call.plain()
    arguments = dict(call.arguments)
    if rng.random() < 0.4:
        extra: dict = {}
        kind = rng.randrange(3)
        if kind == 0:
            blamed = wrong_quantization(rng, arguments)
        elif kind == 1:
            blamed = wrong_array(rng, arguments)
        else:
            blamed = wrong_out(rng, extra, expected)
        try:
            invoke(rng, Int8Call(call.function, arguments), **extra)
        except REFUSALS as error:
            text = str(error)
            named = any(re.search(rf"\b{name}\b", text) for name in blamed)
            assert named, f"{sorted(blamed)} is not named in {text!r}: {call}"
            return "refused"
        raise AssertionError(f"accepted in spite of {sorted(blamed)}: {call}, {arguments}")
    for name, value in arguments.items():
        if isinstance(value, np.ndarray):
            arguments[name] = relaid(rng, value)
    before = {n: a.copy() for n, a in arguments.items() if isinstance(a, np.ndarray)}
    extra = {"num_threads": rng.choice([None, 1, 2, 3, 9, np.int64(2)])}
    out = None
    if rng.random() < 0.5:
        out = extra["out"] = relaid(rng, np.zeros(expected.shape, expected.dtype))
        if not out.flags.writeable:
            out = extra["out"] = np.zeros(expected.shape, expected.dtype)
    result = invoke(rng, Int8Call(call.function, arguments), **extra)
    assert out is None or result is out, "another array than out"
    assert result.dtype == expected.dtype
    assert np.array_equal(result, expected), f"other bits: {call}"
    for name, array in before.items():
        assert np.array_equal(array, arguments[name]), f"{name} was changed: {call}"
    return "computed"
