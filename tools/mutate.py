"""Mutation testing: changes the sources in one place at a time and checks that a test fails.

    nice python tools/mutate.py python [--sample N] [--seed S] [FILE ...]
    nice python tools/mutate.py cpp [--sample N] [--seed S] [--build DIR] [FILE ...]
    nice python tools/mutate.py python --only 'graph/passes/constants.py:147:3'

`python` mutates src/dwsep/graph and runs the tests that tools/mutants_python.py names for each file
against the installed package, whose sources must be those of the tree. `cpp` mutates cpp/runtime in
a copy and runs C++ tests. A mutant that survives is either a gap in the tests or computes the same
as before: read it. The table says how many of each file's were killed by a test that failed or
crashed, survived, ran out of time, which is as good as killed, and broke something else (what does
not compile or import), which says nothing about the tests.
"""

from __future__ import annotations

import argparse
import importlib
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Mutant:
    """One change: where it is, what stood there and what stands there now."""

    file: str
    line: int
    number: int  # among those of its line
    before: str
    after: str

    @property
    def name(self) -> str:
        return f"{self.file}:{self.line}:{self.number}"

    def __str__(self) -> str:
        return f"{self.name}  {self.before}  ->  {self.after}"


Judge = Callable[[Mutant], str]  # "killed", "survived", "timeout" or "error"


def judged(mutants: Sequence[Mutant], judge: Judge, log: Path | None) -> list[tuple[Mutant, str]]:
    """Judge all mutants; print those that survive, and write every verdict at once."""
    results = []
    begun = time.monotonic()
    for count, mutant in enumerate(mutants, 1):
        verdict = judge(mutant)
        results.append((mutant, verdict))
        if log is not None:
            with log.open("a") as file:
                file.write(json.dumps({**asdict(mutant), "verdict": verdict}) + "\n")
        if verdict not in ("killed", "error"):
            took = time.monotonic() - begun
            print(f"[{count}/{len(mutants)}, {took:.0f} s] {verdict}: {mutant}", flush=True)
    return results


def table(results: Sequence[tuple[Mutant, str]]) -> str:
    """Return how many mutants of each file met which end."""
    verdicts = ("killed", "survived", "timeout", "error")
    files = sorted({mutant.file for mutant, _ in results})
    counts = {f: Counter(v for m, v in results if m.file == f) for f in files}
    width = max(map(len, (*files, "all")), default=3)
    lines = [f"{'':{width}}" + "".join(f"{v:>10}" for v in verdicts)]
    total: Counter[str] = sum(counts.values(), Counter())
    for name, count in (*counts.items(), ("all", total)):
        lines.append(f"{name:{width}}" + "".join(f"{count[v]:>10}" for v in verdicts))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("language", choices=("python", "cpp"))
    parser.add_argument("files", nargs="*", help="parts of paths; all files without any")
    parser.add_argument("--sample", type=int, help="as many, drawn at random")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="one mutant")
    parser.add_argument("--list", action="store_true", help="print the mutants, run nothing")
    parser.add_argument("--timeout", type=float, default=60, help="CPU seconds for one's tests")
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "mutants", help="cpp: where")
    parser.add_argument("--log", type=Path, help="append every verdict to this file, as JSON lines")
    a = parser.parse_intermixed_args()
    language: Any = importlib.import_module(f"mutants_{a.language}").Mutants(a)
    mutants = [
        m
        for m in language.mutants()
        if not a.files or any(part in m.file for part in a.files)
        if not a.only or m.name in a.only
    ]
    if a.sample is not None and a.sample < len(mutants):
        mutants = random.Random(a.seed).sample(mutants, a.sample)
    if a.list:
        print(*mutants, sep="\n")
        return
    results: list[tuple[Mutant, str]] = []
    language.run(mutants, lambda: results.extend(judged(mutants, language.judge, a.log)))
    print(table(results))


if __name__ == "__main__":
    sys.modules["mutate"] = sys.modules["__main__"]  # which its two helpers import
    main()
