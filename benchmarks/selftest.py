"""Shows that the tools that watch for regressions see one, and see none where there is none.

    python -m benchmarks.selftest            all of it, on temporary copies of this source tree
    python -m benchmarks.selftest counts     only the exact check (two builds without AVX-512)
    python -m benchmarks.selftest times      only `dwsep bench --against` (three builds)

What is planted: for the counts, a loop that adds 3 % (a little more, to be above the threshold) to
the instructions of one depthwise kernel; for the times, a wait that makes every call of a depthwise
layer a tenth longer. Two builds of the same tree must compare as equal in 9 of 10 tries.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from . import counts
from .cases import CASES

__all__ = ["main"]

ROOT = Path(__file__).resolve().parent.parent
NETWORK = "mobilenet_v1"
FEWEST_QUIET = 0.9

# One kernel gets 36 (avx2) or 54 (baseline) instructions for each 16 vectors of outputs.
_KERNEL = "depthwise<5, 1>"
_PLANTED_CASES = {c.name for c in CASES if c.kind == "depthwise" and (c.kernel, c.stride) == (5, 1)}
_MORE_INSTRUCTIONS = f"""
inline void planted(const DepthwiseWork& w) {{
  {_KERNEL}(w);
  const std::int64_t vectors = (w.y_end - w.y_begin) * w.out_width * (w.v_end - w.v_begin);
  for (std::int64_t n = vectors / 16; n > 0; --n) {{
    asm volatile(".rept %c0\\n\\tnop\\n\\t.endr" ::"i"(kLanes == 8 ? 36 : 54));
  }}
}}

constexpr KernelEntry kDepthwise5x5s1[] = {{"""

_RUN = re.compile(r"\bvoid run\([^)]*\)[^{;]*\{")
_WAIT = """
struct Wait {
  using Clock = std::chrono::steady_clock;
  Clock::time_point start = Clock::now();
  ~Wait() {
    const auto end = Clock::now(), until = end + (end - start) / 10;
    while (Clock::now() < until) {
    }
  }
};

class Depthwise final"""


def _edit(path: Path, *replacements: tuple[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for old, new in replacements:
        if text.count(old) != 1:
            raise RuntimeError(f"{path}: the plant wants {old!r} once, found {text.count(old)}")
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def _plant_instructions(tree: Path) -> None:
    _edit(
        tree / "cpp" / "kernels" / "depthwise" / "entries_5x5_s1.hpp",
        (_KERNEL, "planted"),
        ("constexpr KernelEntry kDepthwise5x5s1[] = {", _MORE_INSTRUCTIONS),
    )


def _plant_wait(tree: Path) -> None:
    path = tree / "cpp" / "runtime" / "layers" / "depthwise.cc"
    run = _RUN.findall(path.read_text(encoding="utf-8"))[0]
    _edit(
        path,
        (run, f"{run}\n    const Wait wait;"),
        ("class Depthwise final", _WAIT.lstrip("\n")),
        ('#include "runtime/dispatch.hpp"', '#include <chrono>\n#include "runtime/dispatch.hpp"'),
    )


def _copy(work: Path, name: str) -> Path:
    """Copy the files that git knows, as they are now."""
    tree = work / name
    done = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, text=True, check=True
    )
    for file in filter(None, done.stdout.split("\0")):
        if (ROOT / file).is_file():
            (tree / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / file, tree / file)
    return tree


def _call(*command: str, **more: Any) -> tuple[int, str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    return done.returncode, done.stdout + done.stderr


def _install(tree: Path) -> Path:
    """Build the tree as users do; the folder to put on Python's path."""
    site = tree / "site"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    status, said = _call(*pip, "install", "--no-deps", "--target", str(site), str(tree))
    if status != 0:
        raise RuntimeError(said)
    return site


def _bench(site: Path, *options: str) -> tuple[int, str]:
    """Run `dwsep bench` of a build on the layers of a network."""
    command = (sys.executable, "-m", "dwsep.cli", "bench", "--layers", NETWORK, "--threads", "1")
    environ = os.environ | {"PYTHONPATH": str(site)}
    status, said = _call(*command, *options, cwd=site, env=environ)
    if status not in (0, 1) or "Traceback" in said:
        raise RuntimeError(said)
    return status, said


def _slower(site: Path, saved: Path) -> set[str]:
    """Return the rows that a build reports against a saved run; its status must agree."""
    report = saved.with_suffix(".against.json")
    status, _ = _bench(site, "--against", str(saved), "--json", str(report))
    verdicts = json.loads(report.read_text(encoding="utf-8"))["verdicts"]
    rows = {verdict["row"] for verdict in verdicts if verdict["word"] == "slower"}
    if status != bool(rows):
        raise RuntimeError(f"status {status}, slower: {rows}")
    return rows


def _say(passed: bool, what: str) -> bool:
    print("ok    " if passed else "FAILED", what, flush=True)
    return passed


def check_counts(work: Path) -> bool:
    """Plant instructions; the exact check must report their kernel and nothing else."""
    base, more = _copy(work, "counts-base"), _copy(work, "counts-planted")
    _plant_instructions(more)
    baseline = work / "counts.json"
    here = [sys.executable, "-m", "benchmarks.counts", "--baseline", str(baseline)]
    status, said = _call(*here, "--tree", str(base), "--update", cwd=ROOT)
    if status != 0:
        raise RuntimeError(said)
    status, said = _call(*here, "--tree", str(base), "--check", cwd=ROOT)
    quiet = status == 0 and "0 grew by more than 3%, 0 changed otherwise" in said
    passed = _say(quiet, "counts: two builds of the same tree have the same counts")
    status, said = _call(*here, "--tree", str(more), "--check", cwd=ROOT)
    found = set(re.findall(r"^(\w+) +(.*?) +[\d,]+ -> .*MORE THAN ALLOWED$", said, re.MULTILINE))
    wanted = {(isa, case) for isa in counts.ISAS for case in _PLANTED_CASES}
    print(said.strip())
    exact = status == 1 and found == wanted
    return _say(exact, f"counts: 3 % in one kernel: {sorted(found)}") and passed


def check_times(work: Path, tries: int) -> bool:
    """Plant a wait; `dwsep bench --against` must report its layers, and none without it."""
    sites = {}
    for name in ("base", "same", "planted"):
        tree = _copy(work, name)
        if name == "planted":
            _plant_wait(tree)
        sites[name] = _install(tree)
        print(f"built: {name}", flush=True)
    quiet = seen = 0
    for number in range(tries):
        saved = work / f"run-{number}.json"
        _bench(sites["base"], "--save", str(saved))
        odd = _slower(sites["same"], saved)
        quiet += not odd
        print(f"try {number + 1}: same tree: {sorted(odd) or 'nothing reported'}", flush=True)
        if number in (0, tries - 1):
            rows = set(json.loads(saved.read_text(encoding="utf-8"))["samples"])
            wanted = {row for row in rows if row.split()[1] == "depthwise"}
            found = _slower(sites["planted"], saved)
            seen += bool(found) and found <= wanted
            print(f"try {number + 1}: planted: {len(found)} of {len(wanted)} depthwise layers,"
                  f" {len(found - wanted)} others", flush=True)  # fmt: skip
    passed = _say(quiet >= FEWEST_QUIET * tries, f"times: same tree: {quiet} of {tries} quiet")
    return _say(seen == min(tries, 2), "times: 10 % in depthwise layers is reported") and passed


def main(argv: list[str] | None = None) -> int:
    """Run what was asked for; 1 if something was not seen, or something seen that was not."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.selftest", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("what", nargs="?", choices=("all", "counts", "times"), default="all")
    parser.add_argument("--tries", type=int, default=10)
    parser.add_argument("--work", type=Path, help="keep the copies there")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        work = args.work or Path(folder)
        passed = True
        if args.what in ("all", "counts"):
            passed = check_counts(work) and passed
        if args.what in ("all", "times"):
            passed = check_times(work, args.tries) and passed
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
