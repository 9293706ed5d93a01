"""``dwsep bench``: what separable convolutions gain over standard ones on this machine."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from dwsep._json import to_json

from . import _plots, layers, pairs
from ._errors import about
from ._layer_cases import LAYERS
from ._machine import describe
from ._network import add_threads
from ._networks import NETWORKS
from ._terminal import print_table, steps
from ._verdicts import Samples, Saved, Verdict, compare, conditions

__all__ = ["add_arguments", "run"]

# A quiet machine measured 0.0004, one with a busy neighbour 0.02 to 0.09, and there a call of 4 ms
# on two threads took 8 to 15 ms while those of less than 1 ms read the same.
_MOST_WITHOUT_CPU = 0.005
_THRESHOLD = 0.05
_SLOWER = 1


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 < share < 10:
        raise argparse.ArgumentTypeError(f"need a share such as 0.05, got {text!r}")
    return share


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the sub-command."""
    parser.add_argument("--network", choices=sorted(NETWORKS), default="mobilenet_v1")
    add_threads(parser)
    parser.add_argument(
        "--dtype",
        choices=("float32", "int8"),
        default="float32",
        help="int8: time the layers in int8 too, and show both",
    )
    only = parser.add_mutually_exclusive_group()
    only.add_argument(
        "--quick",
        action="store_true",
        help=f"only pairs {', '.join(map(str, pairs.QUICK_PAIRS))}, naive convolution called once",
    )
    only.add_argument(
        "--layers",
        nargs="?",
        const="all",
        choices=("all", *LAYERS),
        help="time all kinds of layers, of all networks or of one, against this machine's limits",
    )
    parser.add_argument(
        "--json",
        metavar="PATH",
        nargs="?",
        const="-",
        help="write all figures there; - or nothing prints them instead of the table",
    )
    parser.add_argument("--save", metavar="FILE", help="keep the run for --against")
    parser.add_argument(
        "--against",
        metavar="FILE",
        help="compare with a run of the same options that --save kept; status 1 if a row is slower",
    )
    parser.add_argument(
        "--threshold",
        type=_share,
        default=_THRESHOLD,
        help=f"what --against lets pass, {_THRESHOLD} by default: {_THRESHOLD:.0%}%",
    )
    parser.add_argument("--plot", metavar="FILE", help="draw it: speed-ups, or layers' roofline")


def _disturbed(report: dict[str, Any]) -> list[str]:
    if report["share_without_cpu"] <= _MOST_WITHOUT_CPU:
        return []
    return [
        f"Other programs had the CPU for {report['share_without_cpu']:.1%} of the time: on a"
        " quiet machine the long calls with several threads are faster than shown."
    ]


def _plot(path: str, report: dict[str, Any], of_layers: bool) -> None:
    if not of_layers:
        names = [f"{layer['number']}  {layer['layer']}" for layer in report["layers"]]
        groups = {
            f"vs {name}": [layer[f"speedup_{name}"] for layer in report["layers"]]
            for name in ("naive", "conv2d")
        }
        _plots.bars(path, pairs.title(report), names, groups, "times as fast")
        return
    points = [
        _plots.Point(layer["kind"], layer["flops"] / layer["bytes"], layer["gflops"])
        for layer in report["layers"]
    ]
    slopes = _plots.bandwidth_slopes(report["bandwidths"])
    title, peak = layers.title(report), report["peak_gflops"]
    points += [
        _plots.Point(
            f"{layer['kind']}, int8", layer["flops"] / layer["int8"]["bytes"], layer["int8"]["gops"]
        )
        for layer in report["layers"]
        if "int8" in layer
    ]
    _plots.roofline(path, title, points, peak, slopes, report["int8_peaks"])


def _print_verdicts(verdicts: list[Verdict], threshold: float) -> None:
    rows = [
        [v.row, f"{v.ratio:.3f}", f"{v.low:.3f} to {v.high:.3f}", v.word]
        for v in sorted(verdicts, key=lambda verdict: -verdict.ratio)
    ]
    count = {word: sum(v.word == word for v in verdicts) for word in ("slower", "same", "faster")}
    summary = ", ".join(f"{number} {word}" for word, number in count.items())
    note = (
        "time now / time then, each in units of interleaved bursts of multiply-adds; beyond"
        f" {threshold:.0%} either way only if the whole interval is"
    )
    print_table("Against the saved run", ("row", "ratio", "interval", "verdict"), rows, [note])
    print(summary)


def _check_paths(args: argparse.Namespace) -> Saved | None:
    """Refuse before a minute of work what could not be read or written after it."""
    if args.plot:
        with about("plot"):
            _plots.require()
    before = None
    if args.against:
        machine = describe()
        machine["threads"] = args.threads or machine["threads"]
        with about("against"):
            before = Saved.read(args.against)
            before.check(conditions(machine))
    for name in ("json", "save", "plot"):
        path = getattr(args, name)
        if path not in (None, "-"):
            with about(name):
                Path(path).touch()
    return before


def run(args: argparse.Namespace) -> int:
    """Measure, print the table, write the files; 1 if a row is slower than it was."""
    before = _check_paths(args)
    kind: Any = layers if args.layers else pairs
    if args.layers:
        report = layers.measure(
            args.layers, args.threads, bool(args.save or args.against), args.dtype == "int8"
        )
    else:
        report = pairs.measure(args.network, args.threads, args.quick, args.dtype == "int8")
    now = Saved.of(report, kind.samples(report))
    if args.save:
        with about("save"):
            now.write(args.save)
    verdicts: list[Verdict] = []
    if before:
        with about("against"):
            before.check(now.conditions)

        def again(row: str) -> Samples:
            return next(kind.remeasure(report, row) for _ in steps([row], 1, f"again: {row}"))

        verdicts = compare(before.samples, now.samples, args.threshold, again)
        report["verdicts"] = [verdict._asdict() for verdict in verdicts]
    if args.plot:
        with about("plot"):
            _plot(args.plot, report, bool(args.layers))
    text = to_json(report) + "\n"
    if args.json == "-":
        sys.stdout.write(text)
    else:
        if args.json:
            with about("json"):
                Path(args.json).write_text(text, encoding="utf-8")
        notes = kind.notes(report) + _disturbed(report)
        print_table(kind.title(report), kind.headers(report), kind.rows(report), notes)
        if before:
            print()
            _print_verdicts(verdicts, args.threshold)
    return _SLOWER if any(verdict.word == "slower" for verdict in verdicts) else 0
