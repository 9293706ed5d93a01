"""Random calls of every function and layer: right ones against float64, wrong ones by their error.

An argument that is made wrong is noted, and the error has to name it (or, where two do not fit
together, one of them). What is right stays right whatever its layout: the result is within its
bound, has the same bits on any number of threads, lies where `out` says, and changes nothing else.
"""

from __future__ import annotations

import math
import pickle
import re
from dataclasses import dataclass, field

import calls
import fuzz_int8_calls
import fuzz_other_calls
import numpy as np
import oracle
from calls import Call
from numpy.lib.stride_tricks import as_strided
from random_calls import flops, output_shape, relaid, right, too_small

REFUSALS = (TypeError, ValueError)
MOST_FLOPS = 2e7
HUGE = (2**31, 2**32, 2**40, 2**62, 2**63 - 1, 2**63, 2**64, -(2**63), 10**30)
NO_INTS = (0, -1, -(2**31), 1.5, "2", None, (), (1,), (1, 2, 3), (1, 0), (1, 1.5), [[1, 2]], True)
NO_STEPS = (*NO_INTS, *HUGE, (2**31, 1), (1, 2**64), np.float32(1), np.array([1, 2]), {1, 2})
NO_PADDINGS = (
    *("sam", "", "SAME", "same ", -1, (1, -1), ((1, 2), (3, -4)), ((1, 2),), (1, 2, 3), 1.5, None),
    *(True, (1, "1"), ((1, 2), 3), ((1, 2, 3), (1, 2)), 2**31, (0, 2**63), object(), b"same"),
)
NO_ACTIVATIONS = (
    *("relu7", "ReLU", "", 5, (), ("clip",), ("clip", 1), ("clip", 2, 1), ("clip", "a", "b")),
    *(("clip", math.nan, 1), ("relu", 3), ("leaky_relu", math.inf), ("leaky_relu", 0.1, 0.2)),
    *(("clip", 0, 1e39), ("leaky_relu", True), b"relu", len, np.array(["relu"]), ("clip", 0, None)),
)
NO_THREADS = (0, -1, 1.5, "two", True, (), (2,), *HUGE, np.float64(1), np.array([1, 2]), math.nan)
THREADS = (None, 1, 2, 3, 4, 9, 100, 2**31 - 1, np.int64(2), np.uint8(3))


@dataclass
class Trial:
    """A call that is bent until it may be wrong."""

    call: Call
    extra: dict = field(default_factory=dict)
    blamed: set[str] = field(default_factory=set)  # one of these has to be named; empty: all right
    expected: oracle.Estimate | None = None


# --- what can be wrong -------------------------------------------------------------------------


def wrong_array(rng, trial: Trial) -> None:
    arrays = trial.call.arrays
    name = rng.choice([*arrays])
    array = arrays[name]
    needed = name == "x" or name.endswith("weight")
    dtypes = ["f8", "f2", "i4", "u1", "?", ">f4", "c8", "O", "U3", "M8[s]", "V4"]
    kind = rng.randrange(5)
    if kind == 0:
        with np.errstate(all="ignore"):
            arrays[name] = np.zeros(array.shape, rng.choice(dtypes))
    elif kind == 1:
        others = [array.tolist(), 1.0, "x", object(), np.float32(1), memoryview(b"1234"), len, ()]
        arrays[name] = rng.choice([*others, np.ma.masked_array(array)] + [None] * needed)
    elif kind == 2:
        more = (array[None], array[None, None], array[..., None, None, None], array.ravel())
        arrays[name] = rng.choice([a for a in more if not legal(trial.call, name, a)])
        trial.blamed |= {*arrays}
    elif kind == 3 and array.ndim:
        axis = rng.randrange(array.ndim)
        new = list(array.shape)
        new[axis] += rng.choice([1, 2, 5, 16])
        arrays[name] = np.zeros(new, np.float32)
        if legal(trial.call, name, arrays[name]):
            arrays[name] = array[None, None, None, None, None]
        trial.blamed |= {*arrays, "groups"}
    else:
        arrays[name] = np.zeros((*array.shape[:-1], 0), np.float32)
        trial.blamed |= {*arrays, "groups"}
        if name in ("x", "residual") and array.shape[-1] == 0:
            arrays[name] = None
    trial.blamed.add(name)


def legal(call: Call, name, array) -> bool:
    """Return whether the array may well be right where that one was."""
    old = call.arrays[name]
    if array.shape == old.shape:
        return True
    if name == "x":  # another batch or size of images
        joined = "residual" not in call.arrays
        return array.ndim in (3, 4) and array.shape[-1] == old.shape[-1] and joined
    if name == call.filters and call.function != "pointwise_conv2d":
        # other windows, and other outputs where nothing depends on them
        return array.ndim in (3, 4) and array.shape[2:3] == old.shape[2:3]
    if name.endswith("weight") and array.ndim in (2, 4):
        free = array.shape[-2] == old.shape[-2]
        return free and array.shape[:-2] in ((), (1, 1))
    return False


def wrong_option(rng, trial: Trial) -> None:
    options = trial.call.options
    names = [*options, "num_threads", "unknown"]
    name = rng.choice(names)
    trial.blamed.add(name)
    if name == "num_threads":
        trial.extra[name] = rng.choice(NO_THREADS)
    elif name == "padding":
        options[name] = rng.choice(NO_PADDINGS)
    elif name == "groups":
        out = trial.call.arrays["weight"].shape[3]
        none = next(g for g in range(2, 200) if out % g)
        options[name] = rng.choice([*NO_INTS, *HUGE, none])
        trial.blamed |= {"weight", "x"} if options[name] == none else set()
    elif name.endswith("activation"):
        options[name] = rng.choice(NO_ACTIVATIONS)
    elif name == "unknown":
        trial.extra[name] = 1
    else:
        options[name] = rng.choice(NO_STEPS)


def wrong_out(rng, trial: Trial) -> None:
    shape = output_shape(trial.call)
    if math.prod(shape) > 2**22:
        return
    kind = rng.randrange(6)
    out = np.zeros(shape, np.float32)
    if kind == 0:
        out = np.zeros((*shape[:-1], shape[-1] + 1), np.float32)
    elif kind == 1:
        out = np.zeros(shape, rng.choice(["f8", "f2", "i4", ">f4", "O", "?"]))
    elif kind == 2:
        out.flags.writeable = False
    elif kind == 3:
        out = rng.choice([out.tolist(), 0, "out", out[None, None], np.ma.masked_array(out)])
    elif kind == 4 and max(shape) > 1 and min(shape) > 0:
        axis = rng.choice([i for i, n in enumerate(shape) if n > 1])
        strides = [4 * math.prod(shape[i + 1 :]) for i in range(len(shape))]
        strides[axis] = 0
        out = as_strided(out, shape, strides)
    else:
        out = out[..., 0]
    trial.extra["out"] = out
    trial.blamed.add("out")


# --- what is right but odd ---------------------------------------------------------------------


def placed_out(rng, trial: Trial) -> None:
    """Give an `out`, that may share memory with the inputs."""
    shape = trial.expected.value.shape
    kind = rng.randrange(4)
    out = np.full(shape, np.nan, np.float32)
    per_call = [name for name in calls.PER_CALL if name in trial.call.arrays]
    name = rng.choice(per_call)
    array = trial.call.arrays[name]
    if kind == 0:
        moved = relaid(rng, out)
        out = moved if moved.flags.writeable else out
    elif kind == 1 and array.shape == shape and array.flags.writeable:
        if rng.random() < 0.5:
            array = trial.call.arrays[name] = array[::-1].copy()[::-1]
        out = array
    elif kind == 2:  # in one buffer, at any distance
        floats = array.size + out.size
        buffer = np.full(floats + 1, np.nan, np.float32)
        start, end = (rng.randint(0, floats - n) if n else 0 for n in (array.size, out.size))
        inside = buffer[start : start + array.size].reshape(array.shape)
        inside[...] = array
        trial.call.arrays[name] = inside
        out = buffer[end : end + out.size].reshape(shape)
    trial.extra["out"] = out


def shared_residual(rng, trial: Trial) -> None:
    x, residual = (trial.call.arrays.get(name) for name in calls.PER_CALL)
    if residual is not None and residual.shape == x.shape:
        trial.call.arrays["residual"] = rng.choice([x, x[..., ::-1], x[::-1]])


# --- a case ------------------------------------------------------------------------------------


def invoke(rng, trial: Trial):
    """Call the function, a layer, or a layer that was pickled."""
    way = rng.randrange(3)
    if way == 0 or "unknown" in trial.extra:
        return trial.call.run(**trial.extra)
    layer = trial.call.layer()
    if way == 2:
        layer = pickle.loads(pickle.dumps(layer))
    x = trial.call.arrays["x"]
    if isinstance(x, np.ndarray) and not trial.blamed:
        shape = layer.output_shape(x.shape)
        assert shape == output_shape(trial.call), "output_shape is another"
        assert repr(layer.explain(x.shape, rng.choice(THREADS)))
    return trial.call.run_layer(layer, **trial.extra)


def refused(rng, trial: Trial) -> str:
    try:
        invoke(rng, trial)
    except REFUSALS as error:
        message = str(error)
        named = any(re.search(rf"\b{re.escape(name)}\b", message) for name in trial.blamed)
        assert named, f"{sorted(trial.blamed)} is not named in {message!r}: {trial.call}"
        return "refused"
    raise AssertionError(f"accepted in spite of {sorted(trial.blamed)}: {described(trial)}")


def described(trial: Trial) -> str:
    arrays = {n: getattr(a, "shape", a) for n, a in trial.call.arrays.items()}
    extra = {n: getattr(a, "shape", a) for n, a in trial.extra.items()}
    return f"{trial.call.function} {arrays} {trial.call.options} {extra}"


def judge(actual, estimate: oracle.Estimate) -> str | None:
    """Return the difference, if any; where the sum or its bound is not finite, nothing is known."""
    known = np.isfinite(estimate.value) & np.isfinite(estimate.bound)
    known &= np.abs(estimate.value) + estimate.bound < 1e38
    if actual.shape != estimate.value.shape:
        return f"shape {actual.shape}, not {estimate.value.shape}"
    value = np.where(known, estimate.value, 0)
    bound = np.where(known, estimate.bound, 0)
    return calls.out_of_bound(np.where(known, actual, np.float32(0)), oracle.Estimate(value, bound))


def computed(rng, trial: Trial) -> str:
    call = trial.call
    with np.errstate(all="ignore"):
        shared_residual(rng, trial)
        trial.expected = call.oracle()
    alone = call.run(num_threads=1)
    assert not (problem := judge(alone, trial.expected)), f"{problem}: {described(trial)}"
    for name in call.arrays:
        call.arrays[name] = relaid(rng, call.arrays[name])
    if rng.random() < 0.5:
        placed_out(rng, trial)
    out = trial.extra.get("out")
    kept = {n: a.copy() for n, a in call.arrays.items()}
    overlap = {n for n, a in call.arrays.items() if out is not None and np.may_share_memory(a, out)}
    trial.extra["num_threads"] = rng.choice(THREADS)
    result = invoke(rng, trial)
    assert out is None or result is out, "another array than out"
    assert not (problem := different(result, alone)), f"{problem}: {described(trial)}"
    for name, before in kept.items():
        if name not in overlap:
            same = np.array_equal(call.arrays[name], before, equal_nan=True)
            assert same, f"{name} was changed: {described(trial)}"
    return "computed"


def different(actual, expected) -> str | None:
    """Return where bits differ; a NaN is as good as another."""
    nan = np.isnan(actual) & np.isnan(expected) if actual.shape == expected.shape else False
    return calls.bits_differ(
        np.where(nan, np.float32(0), actual), np.where(nan, 0, expected).astype(np.float32)
    )


def case(rng) -> str:
    if (kind := rng.random()) < 0.1:
        return fuzz_other_calls.case(rng)
    if kind < 0.25:
        return fuzz_int8_calls.case(rng)
    trial = Trial(right(rng))
    for _ in range(rng.randrange(8)):
        if too_small(trial.call):
            trial = Trial(right(rng))
    if "residual" in trial.call.arrays and math.prod(output_shape(trial.call)) > 2**22:
        return "too large"
    if too_small(trial.call):
        trial.blamed.add("x")
        return refused(rng, trial)
    if rng.random() < 0.4:
        for _ in range(rng.choice([1, 1, 1, 2])):
            rng.choice([wrong_array, wrong_option, wrong_option, wrong_out])(rng, trial)
            if trial.blamed:
                break
        if trial.blamed:
            return refused(rng, trial)
    if flops(trial.call) > MOST_FLOPS or math.prod(output_shape(trial.call)) > 2**20:
        return "too large"
    return computed(rng, trial)
