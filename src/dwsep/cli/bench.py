"""``dwsep bench``: what separable convolutions gain over standard ones on this machine."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from statistics import geometric_mean
from typing import Any

from . import layers as _layers
from ._layer_cases import LAYERS
from ._machine import describe, seconds_without_cpu
from ._networks import NETWORKS, Pair
from ._terminal import print_table, steps
from .timing import interleaved

__all__ = ["add_arguments", "run"]

_NAIVE_CALLS = 3
_SECONDS = 2.4
# Of the whole table: one pair of each size, the naive convolution called once.
_QUICK_PAIRS = (1, 3, 7, 13)
_QUICK_NAIVE_CALLS = 1
_QUICK_SECONDS = 1.0
# A quiet machine measured 0.0004, one with a busy neighbour 0.02 to 0.09, and there a call of 4 ms
# on two threads took 8 to 15 ms while those of less than 1 ms read the same.
_MOST_WITHOUT_CPU = 0.005

_HEADERS = (
    "layer",
    "naive us",
    "conv2d us",
    "depthwise us",
    "pointwise us",
    "separable us",
    "GFLOP/s",
    "of peak",
    "MACs saved",
    "vs naive",
    "vs conv2d",
)


def _threads(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a positive number, got {text!r}")
    return int(text)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the sub-command."""
    parser.add_argument("--network", choices=sorted(NETWORKS), default="mobilenet_v1")
    parser.add_argument("--threads", type=_threads, help="default: every CPU this process may use")
    only = parser.add_mutually_exclusive_group()
    only.add_argument(
        "--quick",
        action="store_true",
        help=f"only pairs {', '.join(map(str, _QUICK_PAIRS))}, naive convolution called once",
    )
    only.add_argument(
        "--layers",
        nargs="?",
        const="all",
        choices=("all", *LAYERS),
        help="time all kinds of layers, of all networks or of one, against this machine's limits",
    )
    parser.add_argument(
        "--json", metavar="PATH", help="write all figures there; - prints them instead"
    )


def _runners(pair: Pair, threads: int, rounds: int) -> dict[str, Callable[[], object]]:
    """Every contender on the same random input, packed, with its output allocated and touched."""
    import numpy as np

    import dwsep
    from dwsep import _core
    from dwsep.reference import naive

    rng = np.random.default_rng(0)

    def normal(*shape: int) -> np.ndarray[Any, np.dtype[np.float32]]:
        return rng.standard_normal(shape, dtype=np.float32)

    c, o, k = pair.channels, pair.outputs, pair.kernel
    x = normal(1, pair.size, pair.size, c)
    # Scaled so that activations neither vanish nor all saturate at 6.
    w_depthwise, b_depthwise = normal(k, k, c, 1) / np.float32(k), normal(c)
    w_pointwise, b_pointwise = normal(c, o) / np.float32(c**0.5), normal(o)
    w_standard = normal(k, k, c, o) / np.float32(k * c**0.5)
    stride, relu6 = pair.stride, "relu6"

    standard = dwsep.Conv2D(w_standard, b_pointwise, stride=stride, activation=relu6)
    depthwise = dwsep.DepthwiseConv2D(w_depthwise, b_depthwise, stride=stride, activation=relu6)
    pointwise = dwsep.PointwiseConv2D(w_pointwise, b_pointwise, activation=relu6)
    separable = dwsep.SeparableConv2D(
        w_depthwise,
        w_pointwise,
        b_depthwise,
        b_pointwise,
        stride=stride,
        depthwise_activation=relu6,
        activation=relu6,
    )
    between = depthwise(x)
    y = pointwise(between)
    total = max((pair.output_size - 1) * stride + k - pair.size, 0)
    pads = (total // 2, total - total // 2)

    def naive_relu6() -> object:
        z = naive.standard_conv2d(
            x, w_standard, b_pointwise, stride=(stride, stride), padding=(pads, pads)
        )
        return np.clip(z, 0, 6, out=z)

    return {
        "naive": naive_relu6,
        "conv2d": lambda: standard(x, out=y, num_threads=threads),
        "depthwise": lambda: depthwise(x, out=between, num_threads=threads),
        "pointwise": lambda: pointwise(between, out=y, num_threads=threads),
        "separable": lambda: separable(x, out=y, num_threads=threads),
        "fma": lambda: _core.time_fma(rounds),
    }


def _measure(pair: Pair, threads: int, cores: int, quick: bool) -> dict[str, Any]:
    """Time one pair; all its figures, ready for JSON."""
    from dwsep import _limits

    rounds, flops = _limits.fma_rounds(0.0005)
    took = interleaved(
        _runners(pair, threads, rounds),
        _QUICK_SECONDS if quick else _SECONDS,
        at_most={"naive": _QUICK_NAIVE_CALLS if quick else _NAIVE_CALLS},
    )
    # The peak is one of the contenders, so it is of the same seconds as the rest. It is the fastest
    # call: what a busy neighbour takes away lowers a median, but never what the core can do.
    peak = cores * flops / took.pop("fma").fastest
    separable = took["separable"].seconds
    speed = 2 * pair.separable_macs / separable
    return {
        "layer": pair.name,
        **asdict(pair),
        "standard_macs": pair.standard_macs,
        "separable_macs": pair.separable_macs,
        "timings": {name: asdict(timing) for name, timing in took.items()},
        "gflops": speed / 1e9,
        "peak_gflops": peak / 1e9,
        "share_of_peak": speed / peak,
        "macs_saved": pair.standard_macs / pair.separable_macs,
        "speedup_naive": took["naive"].seconds / separable,
        "speedup_conv2d": took["conv2d"].seconds / separable,
    }


_RATIOS = ("gflops", "share_of_peak", "macs_saved", "speedup_naive", "speedup_conv2d")


def _ratio_cells(figures: dict[str, float]) -> list[str]:
    gflops, share, saved, naive, conv2d = (figures[name] for name in _RATIOS)
    return [f"{gflops:.0f}", f"{share:.0%}", f"{saved:.1f}x", f"{naive:,.0f}x", f"{conv2d:.1f}x"]


def _rows(report: dict[str, Any]) -> list[list[str]]:
    rows = []
    for layer in report["layers"]:
        times = [f"{timing['seconds'] * 1e6:,.0f}" for timing in layer["timings"].values()]
        rows.append([f"{layer['number']:>2}  {layer['layer']}", *times, *_ratio_cells(layer)])
    return [*rows, ["geomean", *[""] * 5, *_ratio_cells(report["geomean"])]]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def _title(report: dict[str, Any]) -> str:
    numbers = ", ".join(str(layer["number"]) for layer in report["layers"])
    return (
        f"dwsep {report['dwsep']}: depthwise/pointwise pairs {numbers if report['quick'] else ''}"
        f" of {report['network']} at 224x224, float32, relu6 after each convolution,"
        f" {_count(report['threads'], 'thread')}"
    ).replace("  ", " ")


def _notes(report: dict[str, Any]) -> list[str]:
    cpu = report["cpu"]
    calls = _count(report["naive_calls"], "call")
    per_core = report["peak_gflops"] / report["peak_cores"]
    return [
        f"{cpu['name']}, {cpu['isa']}, {report['date'][:10]}; medians of calls made in turns.",
        f"naive: the standard 3x3 convolution as plain Cython loops, one thread, {calls};"
        " conv2d: the same by dwsep.Conv2D.",
        "separable: dwsep.SeparableConv2D, both in one call; the columns after it are its own.",
        f"peak: {per_core:.0f} GFLOP/s a core, reached between the calls by fused multiply-adds in"
        f" registers, times {_count(report['peak_cores'], 'core')}.",
    ]


def _measure_all(args: argparse.Namespace) -> dict[str, Any]:
    """Time the pairs of the network; the report."""
    machine = describe()
    threads = args.threads or machine["threads"]
    cores = min(threads, machine["cpu"]["cpus"])
    pairs = dict(enumerate(NETWORKS[args.network], 1))
    if args.quick:
        pairs = {number: pairs[number] for number in _QUICK_PAIRS}
    start, waited = time.perf_counter(), seconds_without_cpu()
    layers = [
        {"number": number, **_measure(pair, threads, cores, args.quick)}
        for number, pair in steps(pairs.items(), len(pairs), args.network)
    ]
    without_cpu = (seconds_without_cpu() - waited) / (time.perf_counter() - start)
    return {
        **machine,
        "share_without_cpu": without_cpu,
        "threads": threads,
        "network": args.network,
        "quick": args.quick,
        "naive_calls": _QUICK_NAIVE_CALLS if args.quick else _NAIVE_CALLS,
        "peak_gflops": geometric_mean(layer["peak_gflops"] for layer in layers),
        "peak_cores": cores,
        "layers": layers,
        "geomean": {name: geometric_mean(layer[name] for layer in layers) for name in _RATIOS},
    }


def _disturbed(report: dict[str, Any]) -> list[str]:
    if report["share_without_cpu"] <= _MOST_WITHOUT_CPU:
        return []
    return [
        f"Other programs had the CPU for {report['share_without_cpu']:.1%} of the time: on a"
        " quiet machine the long calls with several threads are faster than shown."
    ]


def run(args: argparse.Namespace) -> int:
    """Measure, print the table and write the JSON file."""
    if args.json not in (None, "-"):
        # A path that cannot be written should say so before a minute of work.
        Path(args.json).touch()
    report = _layers.measure(args.layers, args.threads) if args.layers else _measure_all(args)
    if args.json:
        text = json.dumps(report, indent=2)
        if args.json == "-":
            sys.stdout.write(text + "\n")
            return 0
        Path(args.json).write_text(text + "\n", encoding="utf-8")

    if args.layers:
        table = (_layers.title(report), _layers.HEADERS, _layers.rows(report))
        print_table(*table, _layers.notes(report) + _disturbed(report))
    else:
        print_table(_title(report), _HEADERS, _rows(report), _notes(report) + _disturbed(report))
    return 0
