"""What fuzzers of networks share: inputs to draw, what is worth running, what must be the same."""

from __future__ import annotations

import importlib.util
import math
import random

import numpy as np

import dwsep
from dwsep._metadata import initial
from dwsep.errors import InvalidModelError, UnsupportedOperatorError

MOST_FLOATS, MOST_FLOPS = 2**20, 2e7  # of a call that is worth running


def loaded(data: bytes) -> dwsep.Model | str:
    """Return the network, or how it was refused."""
    try:
        return dwsep.load(data)
    except (InvalidModelError, UnsupportedOperatorError) as error:
        return type(error).__name__
    except ValueError as error:
        if not str(error).startswith("node '"):
            raise
        return "refused by the core"
    except ImportError:  # a mutation can make a TFLite file look like ONNX, whose package may lack
        if importlib.util.find_spec("onnx"):
            raise
        return "taken for ONNX"


def ran(rng: random.Random, model: dwsep.Model):
    """Return inputs and results, or why there are none; runs it in other ways too."""
    arrays = drawn_inputs(rng, model)
    if arrays is None:
        return "too large"
    try:
        shapes = [a.shape for a in initial(model._network, model._kept, arrays)]
        network = model._networks.of_shapes(shapes)
        if not is_cheap(network, shapes):
            return "too large"
    except MemoryError:
        return "too large"
    except ValueError as error:  # such sizes do not fit what the model says
        if not str(error).startswith(("node '", "output of node '", "inputs: ")):
            raise
        return "no such sizes"
    names = [info.name for info in model.inputs]
    with np.errstate(all="ignore"):
        results = model.run(None, dict(zip(names, arrays, strict=True)), num_threads=1)
    if len({info.name for info in model.outputs}) == len(model.outputs):
        check_again(rng, model, arrays, results)
    return arrays, results


def drawn_inputs(rng: random.Random, model: dwsep.Model):
    batch = rng.choice([1, 2, 3])
    sizes = {axis: rng.choice([1, 2, 3, 5, 7, 8, 16]) for axis in range(-8, 0)}  # from the end
    shapes = [
        tuple(
            n if n is not None else batch if axis == 0 else sizes[axis - len(info.shape)]
            for axis, n in enumerate(info.shape)
        )
        for info in model.inputs
    ]
    if sum(map(math.prod, shapes)) > MOST_FLOATS:
        return None
    numbers = np.random.default_rng(rng.getrandbits(32))
    positive = rng.random() < 0.3

    def draw(shape, dtype):
        if not dtype.startswith("float"):
            return np.asarray(numbers.integers(0, 2, shape), dtype)
        drawn = numbers.uniform(0.5, 1.5, shape) if positive else 2 * numbers.standard_normal(shape)
        return np.asarray(drawn, dtype)  # also without axes

    return [draw(shape, info.dtype) for shape, info in zip(shapes, model.inputs, strict=True)]


def is_cheap(network, shapes) -> bool:
    floats = sum(map(math.prod, network.output_shapes(shapes)))
    steps = network.steps(shapes, 2)
    busy = sum(step["flops"] + math.prod(step["output"]) for step in steps)
    return floats + network.arena_bytes(shapes, 2) / 4 <= MOST_FLOATS and busy <= MOST_FLOPS


def same_bits(left, right) -> bool:
    def same(a, b):
        return a.shape == b.shape and np.array_equal(a, b, equal_nan=True)

    return len(left) == len(right) and all(same(a, b) for a, b in zip(left, right, strict=True))


def unlike(got, wanted) -> str | None:
    """Return the difference, if any; where the other is not finite, so may this be, in any way."""
    if got.shape != wanted.shape:
        return f"shape {got.shape}, not {wanted.shape}"
    with np.errstate(all="ignore"):
        wanted = np.asarray(wanted, np.float64)
    known = np.isfinite(wanted) & (np.abs(wanted) < 1e30)
    if not known.any():
        return None
    scale = 1 + np.max(np.abs(wanted[known]))
    with np.errstate(all="ignore"):
        wrong = known & ~(np.abs(got - wanted) <= 2e-4 * (scale * 0.1 + np.abs(wanted)))
    if not wrong.any():
        return None
    at = tuple(int(i) for i in np.argwhere(wrong)[0])
    return f"{wrong.sum()} of {wrong.size} differ, first at {at}: {got[at]}, not {wanted[at]}"


def check_again(rng, model, arrays, results) -> None:
    feeds = initial(model._network, model._kept, arrays)
    again = dwsep.load(model._networks.of(feeds).to_bytes())
    for other, threads in ((model, 2), (model, rng.choice([3, 4, None])), (again, 1)):
        more = other(*arrays, num_threads=threads)
        more = more if isinstance(more, tuple) else (more,)
        assert same_bits(results, more), f"other bits with {threads} threads or once saved"
