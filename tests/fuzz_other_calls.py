"""Random calls of what is no convolution: networks, weights' layouts, threads, questions."""

from __future__ import annotations

import math
import pickle
import re

import calls
import numpy as np
import small_networks

import dwsep

REFUSALS = (TypeError, ValueError, OSError)
ODD = (
    *(None, 0, -1, 1.5, True, "x", b"x", (), [], {}, {"x": 1}, object(), len, math.nan, 2**70),
    *(np.zeros(3), np.float32(1), [None], (1, "2"), range(3), {1, 2}, 10**400, "\udcff", "a\0b"),
)
MAKERS = (small_networks.classifier, small_networks.rearranger, small_networks.channels_first)
MODELS = [pickle.loads(pickle.dumps(dwsep.Model(make()))) for make in MAKERS]


def named(error, *names) -> str:
    message = str(error)
    found = any(re.search(rf"\b{re.escape(name)}\b", message) for name in names)
    assert found, f"none of {names} is named in {error!r}"
    return "refused"


def network(rng) -> str:
    """Call a network as whoever has misread the manual."""
    model = rng.choice(MODELS)
    draw = calls.normals(rng.getrandbits(32))
    batch = rng.choice([1, 2, 3])
    arrays = [draw([batch if n is None else n for n in info.shape]) for info in model.inputs]
    expected = model(*arrays, num_threads=1)
    kind = rng.randrange(6)
    threads = rng.choice([None, 1, 2, 3, 9])
    if kind == 0:
        arrays[rng.randrange(len(arrays))] = rng.choice(
            [*ODD, arrays[0][..., None], arrays[0].astype(rng.choice(["f8", "f2", ">f4", "O"]))]
        )
    elif kind == 1:
        arrays = rng.choice([[], arrays * 2, [*arrays, rng.choice(ODD)]])
    elif kind == 2:
        threads = rng.choice([n for n in ODD if n is not None])
    elif kind == 3:
        arrays = [np.asfortranarray(a) for a in arrays]
    else:
        return asked(rng, model)
    try:
        results = model(*arrays, num_threads=threads)
    except REFUSALS as error:
        assert kind != 3
        names = [info.name for info in model.inputs]
        return named(error, *(["num_threads"] if kind == 2 else ["inputs", *names]))
    assert kind == 3, f"accepted {arrays} and {threads!r}"
    assert small_networks.same(results, expected)
    return "computed"


def asked(rng, model) -> str:
    """Ask a network about itself, and run it by names, with odd arguments."""
    odd = rng.choice([*ODD, {info.name: rng.choice(ODD) for info in model.inputs}])
    names = [info.name for info in model.inputs]
    feeds = {info.name: np.zeros([n or 1 for n in info.shape], np.float32) for info in model.inputs}
    ways = {
        "batch": lambda: model.summary(batch=odd),
        "num_threads": lambda: model.summary(num_threads=odd),
        "input_shapes": lambda: model.summary(input_shapes=odd),
        "output_names": lambda: model.run(odd, feeds),
        "feeds": lambda: model.run(None, odd),
        "path": lambda: model.save(odd),
    }
    name = rng.choice([*ways])
    if name == "path" and (isinstance(odd, (int, str, bytes)) or odd is None):
        return "skipped"
    try:
        ways[name]()
    except REFUSALS as error:
        return "refused" if name == "path" else named(error, name, *names, "input", "inputs")
    return "accepted"


LAYOUTS = ["conv2d", "depthwise", "pointwise"]


def layout(rng) -> str:
    """Turn weights to PyTorch's axes and back."""
    kind = rng.choice(LAYOUTS)
    there = getattr(dwsep, f"{kind}_weights_to_torch")
    back = getattr(dwsep, f"{kind}_weights_from_torch")
    if rng.random() < 0.3:
        try:
            rng.choice([there, back])(rng.choice(ODD))
        except (TypeError, ValueError) as error:
            return named(error, "weight")
        raise AssertionError("accepted")
    shape = [rng.randint(0, 5) for _ in range(rng.choice([2, 3, 4, 4, 5]))]
    w = calls.normals(rng.getrandbits(32))(shape).astype(rng.choice(["f4", "f8", "i1", ">f4"]))
    try:
        theirs = there(w)
    except ValueError as error:
        return named(error, "weight")
    more = {"multiplier": shape[3]} if kind == "depthwise" and len(shape) == 4 else {}
    if more == {"multiplier": 0}:
        return "empty"
    ours = back(theirs, **more)
    assert ours.dtype == w.dtype
    assert np.array_equal(ours.reshape(w.shape), w)
    return "computed"


def questions(rng) -> str:
    """Ask a layer about shapes, or set the number of threads."""
    odd = rng.choice(ODD)
    layer = dwsep.SeparableConv2D(np.ones((3, 3, 4), np.float32), np.ones((4, 5), np.float32))
    shape = tuple(
        rng.choice([0, 1, 4, 5, -1, 2**31, 2**40, 2**62, 2**64, 1.5, None, True])
        for _ in range(rng.randint(0, 5))
    )
    shape = rng.choice([odd, shape, (*shape[:3], 4)])
    threads = rng.choice([None, None, 2, odd])
    ways = [
        lambda: layer.output_shape(shape),
        lambda: layer.plan(shape, threads),
        lambda: repr(layer.explain(shape, threads)),
        lambda: set_and_get(odd),
        lambda: dwsep.load(odd),
        lambda: dwsep.load(b"dwsepnet", input_layout=odd),
    ]
    try:
        rng.choice(ways)()
    except (*REFUSALS, ImportError, MemoryError) as error:
        names = ("x_shape", "num_threads", "source", "file", "input_layout", "model")
        return "refused" if isinstance(error, (OSError, ImportError)) else named(error, *names)
    return "answered"


def set_and_get(value) -> None:
    try:
        dwsep.set_num_threads(value)
        assert dwsep.get_num_threads() >= 1
    finally:
        dwsep.set_num_threads(None)


def case(rng) -> str:
    return rng.choice([network, network, layout, questions])(rng)
