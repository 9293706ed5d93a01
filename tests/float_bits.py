"""Save the results of random-float calls for comparison: `python float_bits.py FILE.npz`."""

import sys
from collections.abc import Iterator

import choices
import depthwise_sweeps
import numpy as np
import sweeps
from calls import Call, normals
from elementwise_functions import FunctionCall, function_calls

import dwsep


def calls() -> Iterator[Call | FunctionCall]:
    yield from sweeps.small(normals(1), exact=False)
    yield from sweeps.small(normals(2), exact=False, seed=1)
    yield from sweeps.blocks(normals(3), exact=False)
    yield from depthwise_sweeps.designs(normals(5))
    for kernel in choices.KERNELS:
        yield from depthwise_sweeps.windows(normals(4), kernel)
    yield from depthwise_sweeps.odd(normals(5), 300, exact=False)
    yield from depthwise_sweeps.multiplied(normals(6), exact=False)
    yield from function_calls()


if __name__ == "__main__":
    np.savez(sys.argv[1], **{str(i): call.run() for i, call in enumerate(calls())})
    print(dwsep.cpu_info()["isa"])
