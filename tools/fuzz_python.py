"""Tries random models, ONNX or TFLite, or random arguments of every function and layer.

fuzz_python.py onnx|tflite|operators SECONDS [--seed N]
fuzz_python.py onnx|tflite|operators --case N [--seed N]

SECONDS are the processor's. A finding is printed with the number that makes it again. Models are
damaged and wired anew; what loads is run and compared with onnxruntime or LiteRT, where those are
installed. Arguments are wrong on purpose, and have to be refused by name, or right, and the results
are compared with sums in float64. The cases are in tests/fuzz_onnx.py, fuzz_tflite.py and
fuzz_operators.py.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import fuzzing


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kind", choices=fuzzing.KINDS)
    parser.add_argument("seconds", type=float, nargs="?")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--case", type=int, help="only this one")
    a = parser.parse_args()
    if (a.seconds is None) == (a.case is None):
        parser.error("need either seconds or --case")
    if a.case is not None:
        report = fuzzing.run(a.kind, a.seed, a.case, 1)
    else:
        report = fuzzing.run(a.kind, a.seed, seconds=a.seconds)
    print(report)
    if report.findings:
        sys.exit(f"fuzz: {len(report.findings)} findings")
    print("fuzz: no findings")


if __name__ == "__main__":
    main()
