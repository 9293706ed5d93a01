"""``dwsep info``: the processor and what the machine can reach, or what a network consists of."""

from __future__ import annotations

import argparse
from collections import Counter
from typing import Any

from dwsep._json import to_json

from ._errors import about
from ._machine import bandwidths, describe
from ._network import add_batch, add_shapes, load, shapes_for

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the sub-command."""
    parser.add_argument(
        "network",
        nargs="?",
        help="describe this network instead of the machine",
    )
    add_batch(parser)
    add_shapes(parser)
    parser.add_argument("--json", action="store_true", help="print JSON instead")


def _size(count: int) -> str:
    return f"{count // 2**20} MB" if count >= 2**20 else f"{count // 2**10} KB"


def _speeds(bandwidth: dict[str, Any]) -> str:
    read, copied = bandwidth["read_gb_per_s"], bandwidth["copy_gb_per_s"]
    return f"read {read:.0f} GB/s, copy {copied:.0f} GB/s a core"


def _kernels(kernels: list[dict[str, Any]]) -> str:
    count = Counter(kernel["dtype"] for kernel in kernels)
    return ", ".join(f"{number} {dtype}" for dtype, number in count.items())


def _int8_peaks(peaks: dict[str, float]) -> str:
    return ", ".join(f"{peak:,.0f} {kernels}" for kernels, peak in peaks.items())


def _rows(report: dict[str, Any]) -> list[tuple[str, str]]:
    cpu = report["cpu"]
    return [
        ("dwsep", report["dwsep"]),
        ("Python, NumPy", f"{report['python']}, {report['numpy']}"),
        ("processor", cpu["name"]),
        ("instruction set", f"{cpu['isa']} (found: {', '.join(cpu['isas'])})"),
        ("kernels", _kernels(report["kernels"])),
        ("threads", f"{report['threads']} of {cpu['cpus']} available CPUs"),
        ("caches", ", ".join(f"{name.upper()} {_size(b)}" for name, b in cpu["caches"].items())),
        ("FMA peak", f"{report['peak_gflops']:.0f} GFLOP/s a core, measured now"),
        ("int8 peak", f"{_int8_peaks(report['int8_peaks_gops'])}; GOP/s a core"),
        *((_size(b["bytes"]) + " in " + b["level"], _speeds(b)) for b in report["bandwidths"]),
    ]


def _tell_network(args: argparse.Namespace) -> int:
    model = load(args.network, args.input_shape)
    shapes_for(model, args.batch)
    with about("batch"):
        summary = model.summary(args.batch)
    print(summary.to_json() if args.json else summary)
    return 0


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    if args.network:
        return _tell_network(args)
    from dwsep import _core, _limits

    report = describe()
    report["peak_gflops"] = _limits.peak_flops() / 1e9
    report["int8_peaks_gops"] = {s: _limits.int8_peak(s) / 1e9 for s in _core.int8_sets()}
    report["bandwidths"] = bandwidths()
    if args.json:
        print(to_json(report))
    else:
        print(*(f"{name:<18} {value}" for name, value in _rows(report)), sep="\n")
    return 0
