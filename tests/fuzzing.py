"""Tries random cases in a child process that the parent restarts when one of them kills it.

A case is a function of a `random.Random` that returns what became of it as a string, and raises if
that is wrong. `seed` and the case's number make the generator, so that either alone can be tried
again. Time is the processor's, as a machine that is busy or asleep makes a wall clock useless.
"""

from __future__ import annotations

import importlib
import os
import random
import resource
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

SPARE_BYTES = 3 * 2**30  # of address space, beyond what a child has when it begins
CASE_SECONDS = 20
ORACLE = "oracle"  # a case calls `mark` with it before it runs what is not ours and may crash
FOLDER = Path(__file__).parent
KINDS = ("onnx", "tflite", "operators")  # modules fuzz_onnx, ...


@dataclass
class Report:
    cases: int = 0
    seconds: float = 0.0
    fates: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        fates = ", ".join(f"{fate} {count}" for fate, count in self.fates.most_common())
        return f"{self.cases} cases in {self.seconds:.0f} s of the processor: {fates}"


def generator(seed: int, number: int) -> random.Random:
    return random.Random(f"{seed}/{number}")


def mark(word: str) -> None:
    """Report to the parent what comes next."""
    os.write(1, f"{word}\n".encode())


def child(kind: str, seed: int, first: int, count: int, seconds: float) -> None:
    """Try cases until `count` are done or `seconds` are used; the parent reads what is written."""
    case = importlib.import_module(f"fuzz_{kind}").case
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + SPARE_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for number in range(first, first + count):
        mark(f"case {number} {time.process_time()}")
        signal.setitimer(signal.ITIMER_PROF, CASE_SECONDS)  # its signal ends the process
        try:
            mark(f"fate {case(generator(seed, number))}")
        except Exception:
            text = traceback.format_exc().encode("utf-8", "backslashreplace")
            mark(f"wrong {text.hex()}")
        if time.process_time() > seconds:
            break
    mark(f"end {time.process_time()}")


def run(kind, seed=1, first=0, count=2**62, seconds=float("inf"), report_to=print) -> Report:
    """Try cases from number `first`, and report each finding when it comes."""
    report = Report()

    def found(number, what):
        report.findings.append(f"{kind}, seed {seed}, case {number}: {what}")
        report_to(report.findings[-1])

    last = first + count
    while first < last and report.seconds < seconds:
        arguments = [kind, seed, first, last - first, seconds - report.seconds]
        process = subprocess.Popen(
            [sys.executable, __file__, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if report_to is not print else None,
            text=True,
        )
        number, stage, used = first - 1, "", 0.0
        for line in process.stdout:
            stage, _, rest = line.rstrip("\n").partition(" ")
            if stage == "case":
                number, used = int(rest.split()[0]), float(rest.split()[1])
                report.cases += 1
            elif stage == "fate":
                report.fates[rest] += 1
            elif stage == "wrong":
                found(number, bytes.fromhex(rest).decode())
            elif stage == "end":
                used = float(rest)
        errors = process.communicate()[1] or ""
        report.seconds += used
        if stage == ORACLE:
            report.fates["oracle died"] += 1
        elif stage != "end":
            found(number, f"the process ended with {process.returncode}: {errors[-2000:]}")
            if number < first:  # not even the first case began
                break
        first = number + 1
    return report


if __name__ == "__main__":
    child(sys.argv[1], *map(int, sys.argv[2:5]), float(sys.argv[5]))
