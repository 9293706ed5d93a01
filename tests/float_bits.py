"""Save the results of random-float calls for comparison: `python float_bits.py FILE.npz`."""

import sys
from collections.abc import Iterator

import numpy as np
import sweeps
from calls import Call, normals

import dwsep


def calls() -> Iterator[Call]:
    yield from sweeps.small(normals(1), exact=False)
    yield from sweeps.small(normals(2), exact=False, seed=1)
    yield from sweeps.blocks(normals(3), exact=False)
    for kernel in sweeps.KERNELS:
        yield from sweeps.depthwise_windows(normals(4), kernel)


if __name__ == "__main__":
    np.savez(sys.argv[1], **{str(i): call.run() for i, call in enumerate(calls())})
    print(dwsep.cpu_info()["isa"])
