"""Make random calls in guarded memory: `guarded_allocations.py KIND FIRST COUNT`.

guarded_allocations.c has to be preloaded: what the library allocates for itself ends at a page that
must not be touched, and begins as NaNs. A thread keeps its scratch memory for calls that need no
more, so every call is made on a new one. Arguments and results are the subject of guard_pages.py.
"""

from __future__ import annotations

import ctypes
import mmap
import random
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import calls
import numpy as np
import small_networks
from fuzz_operators import judge
from int8_calls import LAYERS, Int8Call, Maker, random_call
from random_calls import flops, right, too_small

import dwsep

MOST_FLOPS = 3e6
THREADS = (1, 2, 3)
MAKERS = (small_networks.classifier, small_networks.rearranger, small_networks.gated)
LIBRARY = ctypes.CDLL(None)


def on_a_new_thread(function: Callable, *arguments, **options):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *arguments, **options).result()


def announce(seed: int, call: object) -> None:
    print(f"{seed}: {call}", flush=True)  # the last line says what crashed


# --- images in blocks of rows ------------------------------------------------------------------


def wide(rng) -> tuple[int, int]:
    """Return the size of an image of which a cache holds a few rows."""
    return rng.randint(4, 40), rng.randint(500, 2000)


def tall(rng) -> tuple[int, int]:
    return rng.choice([(2, 1), (3, 1), (5, 1), (3, 3), (4, 2)])


def far_apart(rng, height: int, kernel: tuple[int, int]) -> dict[str, object]:
    """Return a window whose rows may lie further apart than those of a block."""
    gap = rng.randint(1, 12)
    padding = rng.choice(["same", 0]) if height > (kernel[0] - 1) * gap else "same"
    stride = rng.choice([(1, 1), (1, 1), (2, 1), (1, 2)])
    return {"dilation": (gap, 1), "padding": padding, "stride": stride}


class RowsMaker(Maker):
    """Draws int8 calls of that kind."""

    def channels(self, most=150):
        return self.rng.randint(1, min(most, 64))

    def image(self, channels, q):
        return self.stored((1, *wide(self.rng), channels), q.dtype)

    def kernel(self):
        return tall(self.rng)

    def window(self, options, kernel):
        options.update(far_apart(self.rng, options["x"].shape[1], kernel))


def float32_of_rows(rng, draw: calls.Draw) -> calls.Call:
    kernel, shape = tall(rng), (1, *wide(rng), rng.randint(1, 12))
    options = far_apart(rng, shape[1], kernel)
    options |= {"residual": rng.random() < 0.4, "reduced": rng.choice([0, 0, 3])}
    options |= {"activation": rng.choice([None, "silu"]), "multiplier": rng.choice([1, 1, 2])}
    if rng.random() < 0.5:
        return calls.separable(draw, shape, rng.randint(1, 40), kernel, **options)
    hidden, cout = rng.randint(1, 40), rng.randint(1, 40)
    return calls.inverted_residual(draw, shape, hidden, cout, kernel, **options)


# --- kinds of calls: each returns what is wrong ------------------------------------------------


def float32(seed: int) -> str | None:
    rng = random.Random(seed)
    call = right(rng)
    while too_small(call) or flops(call) > MOST_FLOPS:
        call = right(rng)
    return judged_float32(seed, call)


def float32_rows(seed: int) -> str | None:
    return judged_float32(seed, float32_of_rows(random.Random(seed), calls.normals(seed)))


def judged_float32(seed: int, call: calls.Call) -> str | None:
    announce(seed, call)
    with np.errstate(all="ignore"):
        expected = call.oracle()
    layer = call.layer()
    results = (on_a_new_thread(call.run_layer, layer, num_threads=n) for n in THREADS)
    return next(filter(None, (judge(y, expected) for y in results)), None)


def int8(seed: int) -> str | None:
    return judged_int8(seed, random_call([*LAYERS][seed % len(LAYERS)], seed))


def int8_rows(seed: int) -> str | None:
    maker = RowsMaker(seed)
    return judged_int8(seed, maker.inverted_residual() if seed % 3 else maker.separable_conv2d())


def judged_int8(seed: int, call: Int8Call) -> str | None:
    announce(seed, call)
    expected, layer = call.plain(), call.layer()
    results = (on_a_new_thread(call.run_layer, layer, num_threads=n) for n in THREADS)
    return None if all(np.array_equal(y, expected) for y in results) else "another result"


def networks(seed: int) -> str | None:
    """Judge by the other numbers of threads, and by NaNs: there are none but of the guards."""
    rng = random.Random(seed)
    make = rng.choice([*MAKERS, transposed, transposed])
    model = dwsep.Model(make(seed))
    announce(seed, f"{make.__name__}, {model.inputs}, {model.outputs}")
    feeds = small_networks.feeds(model, batch=rng.randint(1, 3))
    first, *others = (on_a_new_thread(model.run, None, feeds, num_threads=n) for n in THREADS)
    if any(np.isnan(y).any() for y in first):
        return "not a number"
    return None if all(small_networks.same(first, y) for y in others) else "another result"


def transposed(seed: int):
    """Make a network of a transposed convolution."""
    rng, b = random.Random(seed), small_networks.Builder(seed)
    groups, channels, made = rng.choice([1, 1, 2, 9]), rng.randint(1, 20), rng.randint(1, 20)
    if rng.random() < 0.3:  # depthwise
        groups, channels = rng.randint(1, 70), 1
    size = rng.choice([(rng.randint(1, 12), rng.randint(1, 12)), (rng.randint(1, 4), 70)])
    kernel = rng.randint(2, 9), rng.randint(2, 9)
    attributes = {
        "kernel": kernel,
        "stride": [rng.randint(1, 4), rng.randint(1, 4)],
        "dilation": [rng.randint(1, 3), rng.randint(1, 3)],
        "padding": [rng.randint(0, (k - 1) // 2) for k in kernel for _ in range(2)],
        "output_padding": [rng.randint(0, 3), rng.randint(0, 3)],
        "groups": [groups],
    }
    x = b.core.input("x", (-1, *size, groups * channels))
    weight, bias = b.weight(*kernel, groups * channels, made), b.weight(groups * made)
    return b.finish(y=b.step("transposed", [x], attributes, weight=weight, bias=bias))


KINDS = {f.__name__: f for f in (float32, float32_rows, int8, int8_rows, networks)}


def trip(pages: int, freed: int) -> None:
    """Read a byte so many pages away from one, which may be freed: the guards have to be armed."""
    memory = ctypes.c_void_p()
    assert LIBRARY.posix_memalign(ctypes.byref(memory), 64, ctypes.c_size_t(mmap.PAGESIZE)) == 0
    address = memory.value + pages * mmap.PAGESIZE
    if freed:
        LIBRARY.free(memory)
    print(ctypes.string_at(address, 1)[0])


def main(kind: str, first: int, count: int) -> None:
    if kind == "trip":
        trip(first, count)
        return
    for seed in range(first, first + count):
        if wrong := KINDS[kind](seed):
            sys.exit(wrong)
    allocations = ctypes.c_size_t.in_dll(LIBRARY, "guarded_allocations").value
    print(f"{count} calls stayed inside {allocations} allocations")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
