"""``dwsep bench``: the depthwise/pointwise pairs of a network against standard convolution."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from statistics import geometric_mean
from typing import Any

from ._int8 import int8_of, share_of_peak
from ._int8 import note as int8_note
from ._machine import describe, seconds_without_cpu
from ._networks import NETWORKS, Pair
from ._terminal import steps
from ._verdicts import Samples, fma_burst, in_bursts
from .timing import clock_for, interleaved

__all__ = ["QUICK_PAIRS", "headers", "measure", "notes", "remeasure", "rows", "samples", "title"]

_NAIVE_CALLS = 3
_SECONDS = 2.4
# Of the whole table: one pair of each size, the naive convolution called once.
QUICK_PAIRS = (1, 3, 7, 13)
_QUICK_NAIVE_CALLS = 1
_QUICK_SECONDS = 1.0

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
_INT8_HEADERS = ("int8 us", "of int8 peak", "vs float32", "int8 vs naive")


def _runners(
    pair: Pair, threads: int, rounds: int, int8: bool = False
) -> dict[str, Callable[[], object]]:
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
    depthwise_weight, depthwise_bias = normal(k, k, c, 1) / np.float32(k), normal(c)
    weight, bias = normal(c, o) / np.float32(c**0.5), normal(o)
    standard_weight = normal(k, k, c, o) / np.float32(k * c**0.5)
    stride, relu6 = pair.stride, "relu6"

    standard = dwsep.Conv2D(standard_weight, bias, stride=stride, activation=relu6)
    depthwise = dwsep.DepthwiseConv2D(
        depthwise_weight, depthwise_bias, stride=stride, activation=relu6
    )
    pointwise = dwsep.PointwiseConv2D(weight, bias, activation=relu6)
    separable = dwsep.SeparableConv2D(
        depthwise_weight,
        weight,
        depthwise_bias,
        bias,
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
            x, standard_weight, bias, stride=(stride, stride), padding=(pads, pads)
        )
        return np.clip(z, 0, 6, out=z)

    runners: dict[str, Callable[[], object]] = {}
    if int8:
        layer8, call8 = int8_of(separable, {"x": x, "out": y})
        runners["int8"] = lambda: layer8(**call8, num_threads=threads)
    return {
        "naive": naive_relu6,
        "conv2d": lambda: standard(x, out=y, num_threads=threads),
        "depthwise": lambda: depthwise(x, out=between, num_threads=threads),
        "pointwise": lambda: pointwise(between, out=y, num_threads=threads),
        "separable": lambda: separable(x, out=y, num_threads=threads),
        "fma": lambda: _core.time_fma(rounds),
        **runners,
    }


def _measure(pair: Pair, threads: int, cores: int, quick: bool, int8: bool) -> dict[str, Any]:
    """Time one pair; all its figures, ready for JSON."""
    rounds, flops = fma_burst()
    took = interleaved(
        _runners(pair, threads, rounds, int8),
        _QUICK_SECONDS if quick else _SECONDS,
        at_most={"naive": _QUICK_NAIVE_CALLS if quick else _NAIVE_CALLS},
        clock=clock_for(threads),
    )
    # The peak is one of the contenders, so it is of the same seconds as the rest. It is the fastest
    # call: what a busy neighbour takes away lowers a median, but never what the core can do.
    fma = took.pop("fma")
    peak = cores * flops / fma.fastest
    separable = took["separable"].seconds
    speed = 2 * pair.separable_macs / separable
    figures = {}
    if int8:
        seconds8 = took["int8"].seconds
        share = share_of_peak("pointwise", 2 * pair.separable_macs, seconds8, cores)
        figures = {
            "int8_share_of_peak": share,
            "int8_speedup_float32": separable / seconds8,
            "int8_speedup_naive": took["naive"].seconds / seconds8,
        }
    return {
        "layer": pair.name,
        **asdict(pair),
        "standard_macs": pair.standard_macs,
        "separable_macs": pair.separable_macs,
        "timings": {name: asdict(timing) for name, timing in took.items()},
        "in_fma": {name: in_bursts(t, fma, flops) for name, t in took.items() if name != "naive"},
        "gflops": speed / 1e9,
        "peak_gflops": peak / 1e9,
        "share_of_peak": speed / peak,
        "macs_saved": pair.standard_macs / pair.separable_macs,
        "speedup_naive": took["naive"].seconds / separable,
        "speedup_conv2d": took["conv2d"].seconds / separable,
        **figures,
    }


_RATIOS = ("gflops", "share_of_peak", "macs_saved", "speedup_naive", "speedup_conv2d")


_INT8_RATIOS = ("int8_share_of_peak", "int8_speedup_float32", "int8_speedup_naive")


def headers(report: dict[str, Any]) -> tuple[str, ...]:
    """Return the columns' names."""
    return _HEADERS + (_INT8_HEADERS if "int8" in report["dtypes"] else ())


def _int8_cells(figures: dict[str, Any]) -> list[str]:
    if _INT8_RATIOS[0] not in figures:
        return []
    seconds = figures.get("timings", {}).get("int8", {}).get("seconds")
    share, float32, naive = (figures[name] for name in _INT8_RATIOS)
    us = "" if seconds is None else f"{seconds * 1e6:,.0f}"
    return [us, f"{share:.0%}", f"{float32:.2f}x", f"{naive:,.0f}x"]


def _ratio_cells(figures: dict[str, float]) -> list[str]:
    gflops, share, saved, naive, conv2d = (figures[name] for name in _RATIOS)
    return [f"{gflops:.0f}", f"{share:.0%}", f"{saved:.1f}x", f"{naive:,.0f}x", f"{conv2d:.1f}x"]


def rows(report: dict[str, Any]) -> list[list[str]]:
    """Lay out the table: the pairs, then their geometric means."""
    table = []
    for layer in report["layers"]:
        timings = {name: t for name, t in layer["timings"].items() if name != "int8"}
        times = [f"{timing['seconds'] * 1e6:,.0f}" for timing in timings.values()]
        cells = [*times, *_ratio_cells(layer), *_int8_cells(layer)]
        table.append([f"{layer['number']:>2}  {layer['layer']}", *cells])
    means = report["geomean"]
    return [*table, ["geomean", *[""] * 5, *_ratio_cells(means), *_int8_cells(means)]]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def title(report: dict[str, Any]) -> str:
    """Say what the table shows."""
    numbers = ", ".join(str(layer["number"]) for layer in report["layers"])
    return (
        f"dwsep {report['dwsep']}: depthwise/pointwise pairs {numbers if report['quick'] else ''}"
        f" of {report['network']} at 224x224, {' and '.join(report['dtypes'])},"
        " relu6 after each convolution,"
        f" {_count(report['threads'], 'thread')}"
    ).replace("  ", " ")


def notes(report: dict[str, Any]) -> list[str]:
    """Say how to read the table."""
    cpu = report["cpu"]
    calls = _count(report["naive_calls"], "call")
    per_core = report["peak_gflops"] / report["peak_cores"]
    return [
        f"{cpu['name']}, {cpu['isa']}, {report['date'][:10]}; medians of interleaved calls"
        f"{', by the CPU time of their thread' * (report['threads'] == 1)}.",
        f"naive: the standard 3x3 convolution as plain Cython loops, one thread, {calls};"
        " conv2d: the same by dwsep.Conv2D.",
        "separable: dwsep.SeparableConv2D, both in one call; the columns after it are its own.",
        f"peak: {per_core:.0f} GFLOP/s a core, reached between the calls by fused multiply-adds in"
        f" registers, times {_count(report['peak_cores'], 'core')}.",
        *([f"int8: the separable layer. {int8_note()}"] if "int8" in report["dtypes"] else []),
    ]


def _pairs(network: str, quick: bool) -> dict[int, Pair]:
    pairs = dict(enumerate(NETWORKS[network], 1))
    return {number: pairs[number] for number in QUICK_PAIRS} if quick else pairs


def measure(network: str, threads: int | None, quick: bool, int8: bool = False) -> dict[str, Any]:
    """Time the pairs of a network, or only some of them, and give the report."""
    machine = describe()
    threads = threads or machine["threads"]
    cores = min(threads, machine["cpu"]["cpus"])
    pairs = _pairs(network, quick)
    start, waited = time.perf_counter(), seconds_without_cpu()
    layers = [
        {"number": number, **_measure(pair, threads, cores, quick, int8)}
        for number, pair in steps(pairs.items(), len(pairs), network)
    ]
    without_cpu = (seconds_without_cpu() - waited) / (time.perf_counter() - start)
    return {
        **machine,
        "share_without_cpu": without_cpu,
        "threads": threads,
        "network": network,
        "quick": quick,
        "naive_calls": _QUICK_NAIVE_CALLS if quick else _NAIVE_CALLS,
        "peak_gflops": geometric_mean(layer["peak_gflops"] for layer in layers),
        "peak_cores": cores,
        "layers": layers,
        "dtypes": ["float32", "int8"] if int8 else ["float32"],
        "geomean": {
            name: geometric_mean(layer[name] for layer in layers)
            for name in (*_RATIOS, *(_INT8_RATIOS if int8 else ()))
        },
    }


def samples(report: dict[str, Any]) -> Samples:
    """Return what can be compared with another day's: times in bursts of multiply-adds."""
    return {
        f"{layer['number']}  {layer['layer']}: {name}": values
        for layer in report["layers"]
        for name, values in layer["in_fma"].items()
    }


def remeasure(report: dict[str, Any], row: str) -> Samples:
    """Time the pair that a row of `samples` belongs to once more, without the naive convolution."""
    number = int(row.split()[0])
    pair = _pairs(report["network"], report["quick"])[number]
    rounds, flops = fma_burst()
    runners = _runners(pair, report["threads"], rounds, "int8" in report["dtypes"])
    del runners["naive"]
    seconds = _QUICK_SECONDS if report["quick"] else _SECONDS
    took = interleaved(runners, seconds, clock=clock_for(report["threads"]))
    fma = took.pop("fma")
    return {f"{number}  {pair.name}: {name}": in_bursts(t, fma, flops) for name, t in took.items()}
