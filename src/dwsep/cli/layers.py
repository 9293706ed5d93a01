"""``dwsep bench --layers``: the layers of networks against the limits of this machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from statistics import geometric_mean
from typing import TYPE_CHECKING, Any

from ._int8 import aligned, int8_of, share_of_peak
from ._int8 import note as int8_note
from ._layer_cases import LAYERS, LayerCase
from ._machine import describe, seconds_without_cpu
from ._terminal import steps
from ._verdicts import Samples, fma_burst, in_bursts
from .timing import clock_for, interleaved

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[np.float32]]

__all__ = ["headers", "measure", "notes", "remeasure", "rows", "samples", "title"]

_HEADERS = ("layer", "us", "GFLOP/s", "GB/s", "limit us", "of limit", "bound by")
_INT8_HEADERS = ("int8 us", "of int8 peak", "vs float32")
_INT8 = ", int8"  # behind the name of a row
_SECONDS = 0.15
# What is compared with another day's needs more turns, and arrays at several places: where their
# pages lie in the caches can double the time of a short layer, and each process gets others.
_SAVED_SECONDS = 0.75
_PLACES = 3


def _make(case: LayerCase) -> tuple[Any, dict[str, Any]]:
    """Make the layer with random weights, and the arguments to call it with."""
    import numpy as np

    import dwsep

    rng = np.random.default_rng(0)

    def normal(*shape: int) -> Array:
        return rng.standard_normal(shape, dtype=np.float32)

    def matrix(inputs: int, outputs: int) -> Array:
        return normal(inputs, outputs) / np.float32(inputs**0.5)

    k, c, o, e = case.kernel, case.inputs, case.outputs, case.expanded
    stride = case.stride
    act = None if case.activation == "none" else case.activation
    x = aligned(normal(1, case.size, case.size, c))
    call: dict[str, Any] = {"x": x}
    layer: Any
    if case.kind == "pointwise":
        layer = dwsep.PointwiseConv2D(matrix(c, o), normal(o), activation=act)
    elif case.kind == "depthwise":
        w = normal(k, k, c, 1) / np.float32(k)
        layer = dwsep.DepthwiseConv2D(w, normal(c), stride=stride, activation=act)
    elif case.kind == "separable":
        w = normal(k, k, c, 1) / np.float32(k)
        layer = dwsep.SeparableConv2D(
            *(w, matrix(c, o), normal(c), normal(o)),
            stride=stride,
            depthwise_activation=act,
            activation=act,
        )
    else:
        w = normal(k, k, e, 1) / np.float32(k)
        layer = dwsep.InvertedResidual(
            *(matrix(c, e), w, matrix(e, o), normal(e), normal(e), normal(o)),
            stride=stride,
            expand_activation=act,
            depthwise_activation=act,
        )
        if stride == 1 and c == o:
            call["residual"] = x
    call["out"] = layer(**call)
    return layer, call


def _measure(
    case: LayerCase,
    threads: int,
    cores: int,
    burst: tuple[int, float],
    to_compare: bool,
    int8: bool,
) -> dict[str, Any]:
    """Time one layer, interleaved with the peak; all its figures, ready for JSON."""
    from dwsep import _core, _limits

    rounds, flops = burst
    places = _PLACES if to_compare else 1
    seconds_each = (_SAVED_SECONDS if to_compare else _SECONDS) / places
    kept, in_fma, int8_in_fma = [], [], []
    for _ in range(places):
        layer, call = _make(case)
        kept.append((layer, call))  # so that the next arrays lie elsewhere
        runners: dict[str, Callable[[], object]] = {
            "layer": partial(layer, **call, num_threads=threads),
            "fma": partial(_core.time_fma, rounds),
        }
        if int8:
            quantized, arguments = int8_of(layer, call)
            kept.append((quantized, arguments))
            runners["int8"] = partial(quantized, **arguments, num_threads=threads)
        took = interleaved(runners, seconds_each, clock=clock_for(threads))
        in_fma += in_bursts(took["layer"], took["fma"], flops)
        if int8:
            int8_in_fma += in_bursts(took["int8"], took["fma"], flops)
    plan = layer.explain(call["x"].shape, threads)
    peak, seconds = flops / took["fma"].seconds, took["layer"].seconds
    limit = _limits.limit(plan.work, threads, peak)
    figures = {}
    if int8:
        plan8, seconds8 = quantized.explain(call["x"].shape, threads), took["int8"].seconds
        family = "depthwise" if case.kind == "depthwise" else "pointwise"
        figures["int8"] = {
            "kernel": plan8.kernel,
            "bytes": plan8.bytes,
            "timing": asdict(took["int8"]),
            "in_fma": int8_in_fma,
            "gops": plan8.flops / seconds8 / 1e9,
            "share_of_peak": share_of_peak(family, plan8.flops, seconds8, cores),
            "speedup_float32": seconds / seconds8,
        }
    return {
        "layer": case.name,
        **asdict(case),
        "kernel": plan.kernel,
        "algorithm": plan.algorithm,
        "threads_used": plan.threads,
        "timing": asdict(took["layer"]),
        "in_fma": in_fma,
        "flops": plan.flops,
        "bytes": plan.bytes,
        "gflops": plan.flops / seconds / 1e9,
        "gb_per_s": plan.bytes / seconds / 1e9,
        "peak_gflops": cores * peak / 1e9,
        "limit_seconds": limit.seconds,
        "bound": limit.bound,
        "level": limit.level,
        "share_of_limit": limit.seconds / seconds,
        **figures,
    }


def measure(
    network: str, threads: int | None, to_compare: bool = False, int8: bool = False
) -> dict[str, Any]:
    """Time the layers of one network, or of all of them, and give the report."""
    from dwsep import _limits

    machine = describe()
    threads = threads or machine["threads"]
    cores = min(threads, machine["cpu"]["cpus"])
    cases = [
        (name, case)
        for name, layers in LAYERS.items()
        if network in (name, "all")
        for case in layers
    ]
    burst = fma_burst()
    levels = list(_limits.levels())
    speeds = [
        _limits.bandwidth(level, cores)._asdict()
        for level in steps(levels, len(levels), "bandwidths")
    ]
    start, waited = time.perf_counter(), seconds_without_cpu()
    layers = [
        {"network": name, **_measure(case, threads, cores, burst, to_compare, int8)}
        for name, case in steps(cases, len(cases), network)
    ]
    without_cpu = (seconds_without_cpu() - waited) / (time.perf_counter() - start)
    kinds = dict.fromkeys(layer["kind"] for layer in layers)
    return {
        **machine,
        "share_without_cpu": without_cpu,
        "threads": threads,
        "network": network,
        "peak_gflops": geometric_mean(layer["peak_gflops"] for layer in layers),
        "peak_cores": cores,
        "bandwidths": speeds,
        "layers": layers,
        "dtypes": ["float32", "int8"] if int8 else ["float32"],
        "int8_peaks": {
            family: cores * _limits.int8_peak_of(family) / 1e9
            for family in (("depthwise", "pointwise") if int8 else ())
        },
        "geomean": {
            kind: geometric_mean(x["share_of_limit"] for x in layers if x["kind"] == kind)
            for kind in kinds
        },
        "int8_geomean": {
            kind: {
                name: geometric_mean(x["int8"][name] for x in layers if x["kind"] == kind)
                for name in ("share_of_peak", "speedup_float32")
            }
            for kind in (kinds if int8 else ())
        },
    }


def headers(report: dict[str, Any]) -> tuple[str, ...]:
    """Return the columns' names."""
    return _HEADERS + (_INT8_HEADERS if "int8" in report["dtypes"] else ())


def title(report: dict[str, Any]) -> str:
    """Say what the table shows."""
    networks = ", ".join(dict.fromkeys(layer["network"] for layer in report["layers"]))
    return (
        f"dwsep {report['dwsep']}: layers of {networks}, {' and '.join(report['dtypes'])},"
        f" {report['threads']} thread{'s' * (report['threads'] != 1)}"
    )


def rows(report: dict[str, Any]) -> list[list[str]]:
    """Lay out the table: the layers, then the mean share of each kind."""
    table = []
    for layer in report["layers"]:
        bound = layer["bound"] if layer["bound"] == "compute" else layer["level"]
        table.append(
            [
                _row(layer["network"], layer["layer"]),
                f"{layer['timing']['seconds'] * 1e6:,.1f}",
                f"{layer['gflops']:.0f}",
                f"{layer['gb_per_s']:.0f}",
                f"{layer['limit_seconds'] * 1e6:,.1f}",
                f"{layer['share_of_limit']:.0%}",
                bound,
                *_int8_cells(layer.get("int8")),
            ]
        )
    for kind, share in report["geomean"].items():
        means = _int8_cells(report["int8_geomean"].get(kind))
        table.append([f"geomean, {kind}", "", "", "", "", f"{share:.0%}", "", *means])
    return table


def _int8_cells(figures: dict[str, Any] | None) -> list[str]:
    if figures is None:
        return []
    us = f"{figures['timing']['seconds'] * 1e6:,.1f}" if "timing" in figures else ""
    return [us, f"{figures['share_of_peak']:.0%}", f"{figures['speedup_float32']:.2f}x"]


def notes(report: dict[str, Any]) -> list[str]:
    """Say how to read the table."""
    cpu, cores = report["cpu"], report["peak_cores"]
    per_core = report["peak_gflops"] / cores
    speeds = "; ".join(
        f"{speed['level']} {speed['copied'] / 1e9:.0f} copied, {speed['read'] / 1e9:.0f} read"
        for speed in report["bandwidths"]
    )
    return [
        f"{cpu['name']}, {cpu['isa']}, {report['date'][:10]}; medians of calls"
        f"{', by the CPU time of their thread' * (report['threads'] == 1)}; images begin at"
        " cache lines, as the results of layers do.",
        "GFLOP/s and GB/s: of the convolutions' multiply-adds, those of the padding counted, and of"
        " input, weights and output, each once; activations come on top.",
        "limit: flops / FMA peak or bytes / bandwidth of the cache that they fit in, whichever"
        " is longer.",
        f"FMA peak, measured between the calls: {per_core:.0f} GFLOP/s a core, times {cores};"
        f" GB/s of {cores} core{'s' * (cores != 1)}: {speeds}.",
        *([int8_note()] if "int8" in report["dtypes"] else []),
    ]


def _row(network: str, name: str) -> str:
    return f"{network} {name}"


def samples(report: dict[str, Any]) -> Samples:
    """Return what can be compared with another day's: times in bursts of multiply-adds."""
    found: Samples = {}
    for x in report["layers"]:
        found |= _samples(_row(x["network"], x["layer"]), x)
    return found


def _samples(row: str, figures: dict[str, Any]) -> Samples:
    found = {row: figures["in_fma"]}
    if "int8" in figures:
        found[row + _INT8] = figures["int8"]["in_fma"]
    return found


def remeasure(report: dict[str, Any], row: str) -> Samples:
    """Time the layer of a row of `samples` once more."""
    row = row.removesuffix(_INT8)
    network, _, name = row.partition(" ")
    case = next(case for case in LAYERS[network] if case.name == name)
    int8 = "int8" in report["dtypes"]
    again = _measure(case, report["threads"], report["peak_cores"], fma_burst(), True, int8)
    return _samples(row, again)
