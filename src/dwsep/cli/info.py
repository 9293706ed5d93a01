"""``dwsep info``: the processor, the kernels in use and what the machine can reach."""

from __future__ import annotations

import argparse
import json
from typing import Any

from ._machine import describe, peak_flops
from ._terminal import print_table

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the sub-command."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def _size(count: int) -> str:
    return f"{count // 2**20} MB" if count >= 2**20 else f"{count // 2**10} KB"


def _rows(report: dict[str, Any]) -> list[tuple[str, str]]:
    cpu = report["cpu"]
    return [
        ("dwsep", report["dwsep"]),
        ("Python, NumPy", f"{report['python']}, {report['numpy']}"),
        ("processor", cpu["name"]),
        ("instruction set", f"{cpu['isa']} (found: {', '.join(cpu['isas'])})"),
        ("kernels", str(len(report["kernels"]))),
        ("threads", f"{report['threads']} of {cpu['cpus']} available CPUs"),
        ("caches", ", ".join(f"{name.upper()} {_size(b)}" for name, b in cpu["caches"].items())),
        ("FMA peak, one core", f"{report['peak_gflops']:.0f} GFLOP/s"),
    ]


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    report = {**describe(), "peak_gflops": peak_flops() / 1e9}
    if args.json:
        print(json.dumps(report, indent=2))
    else:
        print_table("This machine", ("what", "value"), _rows(report))
    return 0
