"""Run int8 operators on arrays that begin or end at an unmapped page: see guard_pages.py."""

from __future__ import annotations

import sys

import numpy as np
from guard_pages import Pages
from int8_calls import Int8Call, random_call


def placed(array: np.ndarray, side: str) -> tuple[Pages, np.ndarray]:
    pages = Pages(-(-array.nbytes // 4))
    memory = pages.floats.view(np.uint8)
    memory[...] = 0xA5
    first = 0 if side == "begin" else memory.size - array.nbytes
    view = memory[first : first + array.nbytes].view(array.dtype).reshape(array.shape)
    return pages, view


def problem(call: Int8Call, side: str) -> str | None:
    expected = call.plain()
    arguments = dict(call.arguments)
    kept = []
    for name, value in call.arguments.items():
        if isinstance(value, np.ndarray):
            pages, arguments[name] = placed(value, side)
            arguments[name][...] = value
            pages.freeze()
            kept.append(pages)
    pages, out = placed(expected, side)
    for as_layer in (False, True):
        guarded = Int8Call(call.function, arguments)
        (guarded.run_layer if as_layer else guarded.run)(out=out)
        rest = pages.floats.view(np.uint8)
        rest = rest[out.nbytes :] if side == "begin" else rest[: rest.size - out.nbytes]
        if np.any(rest != 0xA5):
            return "wrote outside of out"
        if not np.array_equal(out, expected):
            return "another result"
    return None


def main(function: str) -> None:
    count = 0
    for seed in range(7000, 7060):
        call = random_call(function, seed)
        for side in ("begin", "end"):
            print(f"{call} at the {side}", flush=True)  # the last line says what crashed
            if wrong := problem(call, side):
                sys.exit(f"{call} at the {side}: {wrong}")
            count += 1
    print(f"{count} calls kept inside their arguments")


if __name__ == "__main__":
    main(sys.argv[1])
