"""Instruction counts of every operator and shape: equal on every run of the same build.

    python -m benchmarks.counts                  count and print
    python -m benchmarks.counts --update         write them to counts.json
    python -m benchmarks.counts --check          compare with counts.json; status 1 if one grew
    python -m benchmarks.counts --against REV    build that revision too, here and now, and compare

Needs g++ and valgrind. Counts depend on the compiler: where it is not the one of counts.json,
`--check` says that nothing was checked and returns 77, and `--against` is what works.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from .cases import Case
from .odd_cases import COUNTED

__all__ = ["Change", "build", "changes", "count", "main"]

ROOT = Path(__file__).resolve().parent.parent
BASELINE = Path(__file__).with_name("counts.json")
DRIVER = Path(__file__).with_name("counter") / "main.cc"
SKIPPED = 77  # the exit status that automake and meson read as a skipped test, too
GREW = 0.03
WORTH_A_LINE = 0.001

# Those of setup.py; fixed here so that neither Python's flags nor the user's change a count.
FLAGS = (
    *("-std=c++17", "-O3", "-fvisibility=hidden", "-ffp-contract=off", "-fno-math-errno"),
    *("-pthread", "-Wno-maybe-uninitialized"),
)
# valgrind knows no AVX-512.
ISAS: dict[str, tuple[str, ...]] = {"avx2": ("-mavx2", "-mfma"), "baseline": ()}

Counts = dict[str, dict[str, int]]


class Change(NamedTuple):
    """A count that differs: by instruction set and case, before and after."""

    isa: str
    case: str
    before: int
    after: int

    @property
    def growth(self) -> float:
        """0.03 for 3 % more instructions."""
        return self.after / self.before - 1


def _run(*command: str, **more: Any) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return str(done.stdout)


def compiler() -> str:
    """Return the path of the compiler: $CXX or g++."""
    return os.environ.get("CXX", "g++")


def environment() -> dict[str, str]:
    """Return what counts depend on in addition to the source."""
    version = _run(compiler(), "--version").splitlines()[0]
    libc = " ".join(platform.libc_ver())
    return {"compiler": version, "libc": libc, "flags": " ".join(FLAGS)}


def _jobs() -> int:
    return int(os.environ.get("DWSEP_BUILD_JOBS", os.cpu_count() or 1))


def _without(name: str, kind: str) -> str:
    """Return the definition of an instruction set that is not compiled and never chosen."""
    return f"extern const {kind} {name}; const {kind} {name}{{}};"


def build(tree: Path, out: Path) -> Path:
    """Compile the core of a source tree, without AVX-512, with the driver; the program."""
    cpp = tree / "cpp"
    sets = (cpp / "isa" / "sets.hpp").read_text(encoding="utf-8")
    missing = [
        _without(name, kind)
        for kind, name in re.findall(r"extern const (\w+) (k_\w+);", sets)
        if name.removeprefix("k_") not in ISAS
    ]
    stubs = out / "stubs.cc"
    body = "\n".join(missing)
    stubs.write_text(f'#include "isa/sets.hpp"\nnamespace dwsep::isa {{\n{body}\n}}\n')
    # Not runtime/network: the layers do without.
    runtime = sorted(
        path
        for path in (cpp / "runtime").rglob("*.cc")
        if path.name != "cache_sizes.cc"
        and "network" not in path.relative_to(cpp).parts
        and path.parent.name != "network"
        and "ops" not in path.parts
    )
    jobs: list[tuple[Path, tuple[str, ...]]] = [
        *(
            (unit, flags)
            for isa, flags in ISAS.items()
            for unit in (cpp / "isa" / isa).glob("*.cc")
        ),
        *((source, ()) for source in (DRIVER, stubs, *runtime)),
    ]

    def compile_one(job: tuple[Path, tuple[str, ...]]) -> str:
        source, flags = job
        target = out / ("_".join(source.with_suffix(".o").parts[-2:]))
        include = (f"-I{cpp / 'include'}", f"-I{cpp}")
        _run(compiler(), *FLAGS, *flags, *include, "-c", str(source), "-o", str(target))
        return str(target)

    with ThreadPoolExecutor(_jobs()) as pool:
        objects = list(pool.map(compile_one, jobs))
    program, library = out / "counter", out / "runtime.a"
    first = len(objects) - len(runtime)
    _run("ar", "rcs", str(library), *objects[first:])  # only what is needed is linked
    _run(compiler(), "-pthread", *objects[:first], str(library), "-o", str(program))
    return program


def _count_one(program: Path, isa: str, case: Case) -> int:
    fields = (
        *(case.kind, case.size, case.inputs, case.outputs, case.kernel, case.stride),
        *(case.activation, case.expanded, case.dilation, case.groups),
        *(case.shape[1], case.kernels[1], case.strides[1], case.dilations[1], case.dtype),
    )
    # A process for each count and little environment, as both move the heap and the stack.
    environ = {"DWSEP_ISA": isa, "DWSEP_NUM_THREADS": "1", "PATH": os.environ["PATH"]}
    with tempfile.TemporaryDirectory() as folder:
        said = _run(
            *("valgrind", "--tool=callgrind", "--instr-atstart=no", "--quiet"),
            *("--callgrind-out-file=counts", str(program), *map(str, fields)),
            env=environ,
            cwd=folder,
        )
        dump = Path(folder, "counts.1").read_text(encoding="utf-8")
    total = re.search(r"^(?:totals|summary): (\d+)$", dump, re.MULTILINE)
    if said.strip() != isa or not total or int(total[1]) < case.macs // 16:
        raise RuntimeError(f"{case.name}: the counter said {said!r} for {isa} and left {total}")
    return int(total[1])


def count(program: Path, cases: tuple[Case, ...] = COUNTED) -> Counts:
    """Count one call of every case with every instruction set."""
    todo = [(isa, case) for isa in ISAS for case in cases]
    with ThreadPoolExecutor(_jobs()) as pool:
        numbers = iter(list(pool.map(lambda job: _count_one(program, *job), todo)))
    return {isa: {case.name: next(numbers) for case in cases} for isa in ISAS}


def changes(before: Counts, after: Counts) -> list[Change]:
    """Return the counts that both have and that differ, the largest growth first."""
    found = [
        Change(isa, case, before[isa][case], number)
        for isa, numbers in after.items()
        for case, number in numbers.items()
        if number != before.get(isa, {}).get(case, number)
    ]
    return sorted(found, key=lambda change: -change.growth)


def _of_tree(tree: Path) -> Counts:
    with tempfile.TemporaryDirectory() as folder:
        return count(build(tree, Path(folder)))


def _of_revision(revision: str) -> Counts:
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder, "tree.tar")
        _run("git", "-C", str(ROOT), "archive", "-o", str(archive), revision, "cpp")
        _run("tar", "-xf", str(archive), "-C", folder)
        return _of_tree(Path(folder))


def _keys(counts: Counts) -> set[tuple[str, str]]:
    return {(isa, case) for isa, numbers in counts.items() for case in numbers}


def _report(before: Counts, after: Counts, grew: float) -> int:
    """Print what differs; 1 if a count grew by more than `grew`."""
    found = changes(before, after)
    worse = [c for c in found if c.growth > grew]
    other = [c for c in found if c.growth <= grew]
    for title, group in (("MORE THAN ALLOWED", worse), ("allowed", other)):
        for c in group:
            line = f"{c.isa:9} {c.case:45} {c.before:>12,} -> {c.after:>12,} {c.growth:+.2%}"
            if abs(c.growth) >= WORTH_A_LINE:
                print(f"{line}  {title}")
    compared = len(_keys(before) & _keys(after))
    print(f"{compared} counts compared, {len(worse)} grew by more than {grew:.0%},", end=" ")
    print(f"{len(other)} changed otherwise")
    return 1 if worse else 0


def _check(now: Counts, here: dict[str, str], grew: float, baseline: Path) -> int:
    saved = json.loads(baseline.read_text(encoding="utf-8"))
    status = _report(saved["counts"], now, grew)
    if _keys(now) != _keys(saved["counts"]):
        odd = sorted(_keys(now) ^ _keys(saved["counts"]))
        print(f"{baseline.name} does not list the cases of cases.py: {odd}")
        status = 1
    if status:
        print("If it is meant, say why in the commit and add to it the file that --update writes.")
    return status


def _print(counts: Counts) -> None:
    for isa, numbers in counts.items():
        for name, number in numbers.items():
            print(f"{isa:9} {name:45} {number:>12,}")


def main(argv: list[str] | None = None) -> int:
    """Count, and compare with what was asked for; the status of the process."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.counts", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--update", action="store_true")
    what.add_argument("--check", action="store_true")
    what.add_argument("--against", metavar="REV")
    parser.add_argument("--baseline", type=Path, default=BASELINE)
    parser.add_argument("--tree", type=Path, default=ROOT, help="source tree to count")
    parser.add_argument("--threshold", type=float, default=GREW, help="0.03: 3 %% (default)")
    args = parser.parse_args(argv)

    if platform.machine() != "x86_64":
        print(f"SKIPPED, nothing was checked: counts are of x86_64, this is {platform.machine()}")
        return SKIPPED
    if absent := [name for name in ("valgrind", compiler()) if shutil.which(name) is None]:
        print(f"SKIPPED, nothing was checked: not installed: {', '.join(absent)}")
        return SKIPPED
    here = environment()
    if args.check:
        made = json.loads(args.baseline.read_text(encoding="utf-8"))["environment"]
        if made != here:
            differ = [f"{key}: {made.get(key)} there, {here[key]} here" for key in here]
            print("SKIPPED, nothing was checked: counts.json was made with something else.")
            print(*(line for line in differ if len(set(line.split(": ", 1)[1])) > 1), sep="\n")
            print("python -m benchmarks.counts --against REV compares revisions here and now.")
            return SKIPPED
    start = time.perf_counter()
    now = _of_tree(args.tree)
    print(f"built and counted in {time.perf_counter() - start:.0f} s", file=sys.stderr)
    if args.update:
        text = json.dumps({"environment": here, "counts": now}, indent=1)
        args.baseline.write_text(text + "\n", encoding="utf-8")
        return 0
    if args.check:
        return _check(now, here, args.threshold, args.baseline)
    if args.against:
        return _report(_of_revision(args.against), now, args.threshold)
    _print(now)
    return 0


if __name__ == "__main__":
    sys.exit(main())
