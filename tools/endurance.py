"""Calls by the million and ends by the dozen: what takes too long for the test suite.

    python tools/endurance.py [--calls 10000000] [--ends 50]

prints how much memory the calls left behind, for layers and for a model, and how many of the
interpreters that end while daemon threads compute did so cleanly. tests/test_endurance.py runs the
same programs for a few seconds.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

# Prints by how many bytes the process has grown after so many calls.
CALLS = """
import resource
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
kind, count = sys.argv[1], int(sys.argv[2])
small = np.ones((1, 2, 2, 16), np.float32)
out = np.empty_like(small)
if kind == "layers":
    def work(n):
        for _ in range(n // 4):
            layer(small)
            layer(small, out=out, num_threads=1)
            layer(small[:, ::-1], residual=small)
            layer(small[..., ::-1])
else:
    batches = [images[:n] for n in (1, 2, 3)] * 2
    def work(n):
        for k in range(n // 6):
            for threads, batch in enumerate(batches):
                model(batch, num_threads=1 + threads // 3)
work(min(count, 20000))
before = resident()
work(count)
print(resident() - before)
"""

# Ends while daemon threads are inside layers and models.
SHUTDOWN = """
number = int(sys.argv[1])
large = np.ones((4, 64, 64, 16), np.float32)
many = np.concatenate([images] * 20)
def layers():
    out = np.empty_like(large)
    while True:
        layer(large)
        layer(large, out=out, num_threads=1)
def models():
    while True:
        model(many)
        model(images, num_threads=1)
def copies():
    b = small_networks.Builder()
    value = b.core.input("x", (1, 64, 64, 16))
    joined = dwsep.Model(b.finish(y=b.step("concat", [value] * 512, {"axis": 3})))
    while True:
        joined(large[:1], num_threads=1)
def loads():
    content = model._network.to_bytes()
    while True:
        dwsep.load(content)(images)
for target in (layers, models, copies, loads) * 2:
    threading.Thread(target=target, daemon=True).start()
time.sleep(0.02 + 0.003 * (number % 10))
print("end", flush=True)
"""


def main() -> int:
    """Run both and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--calls", type=int, default=10_000_000, help="of a layer; a fifth of a model"
    )
    parser.add_argument("--ends", type=int, default=50)
    arguments = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    import scripts

    clean = True
    for kind, count in (("layers", arguments.calls), ("models", arguments.calls // 5)):
        start = time.perf_counter()
        grown = int(scripts.run(CALLS, kind, str(count), seconds=3600))
        clean &= grown < 2**20
        took = time.perf_counter() - start
        print(f"{kind}: {count:,} calls in {took:.0f} s, grown by {grown:,} bytes", flush=True)
    failed = 0
    for number in range(arguments.ends):
        try:
            scripts.run(SHUTDOWN, str(number))
        except AssertionError as error:
            failed += 1
            print(f"end {number}: {error}")
    print(f"ends: {arguments.ends - failed} of {arguments.ends} clean")
    return 0 if clean and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
