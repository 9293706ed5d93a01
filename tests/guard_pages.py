"""Run every operator on arrays that begin or end at an unmapped page: `guard_pages.py FUNCTION`.

A read or write outside an argument kills this process, which is why the test runs it as a child.
Inputs are mapped read-only, so that writing to them is fatal too, and are surrounded by NaNs, so
that a value from outside that is read within the page and used shows in the result.
"""

from __future__ import annotations

import ctypes
import mmap
import sys
from collections.abc import Iterator

import depthwise_sweeps
import numpy as np
import small_networks
import sweeps
from calls import Call, integers, unequal

import dwsep

PAGE = mmap.PAGESIZE
PROT_NONE = 0
LIBC = ctypes.CDLL(None, use_errno=True)


class Pages:
    """Some pages of NaNs between two that must not be touched."""

    def __init__(self, floats: int) -> None:
        self._length = max(1, -(-floats * 4 // PAGE)) * PAGE
        memory = mmap.mmap(-1, self._length + 2 * PAGE)
        self._start = ctypes.addressof(ctypes.c_char.from_buffer(memory)) + PAGE
        self._protect(self._start - PAGE, PAGE, PROT_NONE)
        self._protect(self._start + self._length, PAGE, PROT_NONE)
        self.floats = np.frombuffer(memory, np.float32, self._length // 4, PAGE)
        self.floats[...] = np.nan

    @staticmethod
    def _protect(address: int, length: int, protection: int) -> None:
        if LIBC.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(length), protection):
            raise OSError(ctypes.get_errno(), "mprotect failed")

    def freeze(self) -> None:
        self._protect(self._start, self._length, mmap.PROT_READ)

    def place(self, shape, side: str) -> np.ndarray:
        """Lay an array against the guard before ("begin") or behind ("end") the pages."""
        count = int(np.prod(shape))
        first = 0 if side == "begin" else self.floats.size - count
        return self.floats[first : first + count].reshape(shape)


# Name: (extra channels of the array at the guard, the view of it that is passed). The slice keeps
# the channels next to the guard.
LAYOUTS = {
    "array": (0, lambda a, side: a),
    "channel slice": (5, lambda a, side: a[..., :-5] if side == "begin" else a[..., 5:]),
    "reversed rows": (0, lambda a, side: a[..., ::-1, :, :]),
}


def guarded(shape, side: str, layout: str) -> tuple[Pages, np.ndarray]:
    extra, view = LAYOUTS[layout]
    host_shape = (*shape[:-1], shape[-1] + extra)
    pages = Pages(int(np.prod(host_shape)))
    return pages, view(pages.place(host_shape, side), side)


def problem(call: Call, expected: np.ndarray, side: str, layout: str, as_layer: bool) -> str | None:
    arrays = {}
    for name, array in call.arrays.items():
        pages, arrays[name] = guarded(
            array.shape, side, layout if name in ("x", "residual") else "array"
        )
        arrays[name][...] = array
        pages.freeze()
    pages, out = guarded(expected.shape, side, layout)
    call = call.with_arrays(**arrays)
    (call.run_layer if as_layer else call.run)(out=out)
    if np.count_nonzero(~np.isnan(pages.floats)) != out.size:
        return "wrote outside of out"
    return unequal(out, expected)


def calls(function: str) -> Iterator[Call]:
    for seed in range(3):
        yield from (c for c in sweeps.small(integers(seed, 2), seed=seed) if c.function == function)
    yield from (c for c in sweeps.blocks(integers(9, 2)) if c.function == function)
    if function == "depthwise_conv2d":
        yield from depthwise_sweeps.odd(integers(10, 2), 200)
        yield from depthwise_sweeps.multiplied(integers(11, 2))


def reduce_turned_rows() -> int:
    """Reduce rows, the last of which comes first: of 1 to 33 columns, few rows and many."""
    count = 0
    for columns in range(1, 34):
        builder = small_networks.Builder()
        x = builder.core.input("x", (-1, columns))
        turn = {"starts": [2**62, 0], "stops": [-(2**63), columns], "steps": [-1, 1]}
        attributes = {"function": "sum", "axes": [1], "keepdims": [0]}
        turned = builder.step("slice", [x], turn)
        model = dwsep.Model(builder.finish(y=builder.step("reduce", [turned], attributes)))
        for rows in (1, 2, 3, 7, 8, 9, 15, 16, 17):
            for side in ("begin", "end"):
                pages = Pages(rows * columns)
                array = pages.place((rows, columns), side)
                array[...] = np.arange(rows * columns).reshape(rows, columns)
                pages.freeze()
                assert np.array_equal(model(array, num_threads=1), array[::-1].sum(1))
                count += 1
    return count


def main(function: str) -> None:
    if function == "trip":  # read one float too far, to prove that the guards are armed
        _pages, array = guarded((4,), "end", "array")
        ctypes.string_at(array.ctypes.data + array.nbytes, 4)
    if function == "reduce":
        print(reduce_turned_rows(), "calls kept inside their arguments")
        return
    count = 0
    for call in calls(function):
        expected = call.plain()
        for layout in LAYOUTS:
            for side in ("begin", "end"):
                for as_layer in (False, True):
                    how = f"{call}, {layout} at the {side}{', as a layer' * as_layer}"
                    print(how, flush=True)  # the last line says what crashed
                    if wrong := problem(call, expected, side, layout, as_layer):
                        sys.exit(f"{how}: {wrong}")
                    count += 1
    print(f"{count} calls kept inside their arguments")


if __name__ == "__main__":
    main(sys.argv[1])
