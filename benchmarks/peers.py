"""dwsep beside the libraries that its users would pick instead, in turns in one process.

    python -m benchmarks.peers                                   every layer and network, one thread
    python -m benchmarks.peers --threads 1 2 --tflite DIR --write-docs docs/performance.md

torch, onnxruntime, OpenVINO and LiteRT take part where they are installed; LiteRT needs files that
TensorFlow writes: DIR/layers/<dw|pw|sep>_<size>_<inputs>_<kernel>_<stride>_<outputs>.tflite and
DIR/models/<name>.tflite. Every result is compared with dwsep's; one that differs is status 1.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import geometric_mean, median
from typing import Any

import numpy as np

from .bench_networks import NETWORKS, image
from .common import in_turns
from .peer_runners import LAYER_PEERS, NETWORK_PEERS, OWN_WEIGHTS, Chain, versions

__all__ = ["main"]

# Other libraries' threads spin for up to 20 ms after a call, and would steal from the next.
_SETTLE_SECONDS = 0.02
_BEGIN, _END = "<!-- peers:begin -->", "<!-- peers:end -->"
_AGREE = 1e-3


def _time(runners: dict[str, Callable[[], object]], seconds: float, threads: int) -> dict[str, Any]:
    alone = threads == 1
    rounds = in_turns(
        runners,
        seconds * len(runners),
        burst=0.015 if alone else 0.05,
        settle=0.0 if alone else _SETTLE_SECONDS,
    )
    times = {name: median(values) for name, values in rounds.items()}
    return {
        "seconds": times,
        "times_as_fast": {
            name: median(b / a for a, b in zip(rounds["dwsep"], values, strict=True))
            for name, values in rounds.items()
            if name != "dwsep"
        },
    }


def _entry(
    what: dict[str, Any],
    mine: Callable[[], Any],
    peers: dict[str, Callable[[], Callable[[], Any]]],
    args: argparse.Namespace,
    threads: int,
) -> dict[str, Any]:
    """Make the runners, compare their results, time them; one entry of the report."""
    runners, missing = {"dwsep": mine}, {}
    wanted = np.array(mine())
    for name, make in peers.items():
        try:
            run = make()
            result = np.array(run())
        except (ImportError, NotImplementedError) as error:
            missing[name] = str(error)
            continue
        runners[name] = run
        size = float(np.abs(wanted).max())
        off = np.inf if result.shape != wanted.shape else float(np.abs(result - wanted).max())
        if name not in OWN_WEIGHTS and not off <= _AGREE * size:
            what.setdefault("disagree", {})[name] = off / size
    return {**what, "threads": threads, "missing": missing, **_time(runners, args.seconds, threads)}


def _layers(args: argparse.Namespace, threads: int) -> Iterator[dict[str, Any]]:
    from dwsep.cli import layers as made
    from dwsep.cli._layer_cases import LAYERS

    cases = dict.fromkeys(case for network in LAYERS.values() for case in network)
    for case in cases:
        if args.only and args.only != case.kind:
            continue
        layer, call = made._make(case)
        chain = Chain.of(case, layer, call)
        peers = {
            name: lambda make=LAYER_PEERS[name], chain=chain: make(chain, threads, args.tflite)
            for name in args.peers
        }
        plan = layer.explain(call["x"].shape, threads)
        act = "" if case.activation == "none" else f" {case.activation}"
        what = {
            "name": f"{case.name}{act}",
            "kind": case.kind,
            "flops": plan.flops,
            "bytes": plan.bytes,
        }
        yield _entry(
            what,
            lambda layer=layer, call=call: layer(**call, num_threads=threads),
            peers,
            args,
            threads,
        )


def _networks(args: argparse.Namespace, threads: int) -> Iterator[dict[str, Any]]:
    import dwsep

    if not hasattr(dwsep, "load"):
        print("networks: this dwsep loads none", file=sys.stderr)
        return
    from importlib import import_module

    models = import_module("dwsep.models")
    for name in NETWORKS:
        graph, x = getattr(models, name)(), image(name)
        model, content = dwsep.load(graph), graph.SerializeToString()
        peers = {
            peer: lambda make=NETWORK_PEERS[peer], n=name, c=content, x=x: make(
                n, c, x, threads, args.tflite
            )
            for peer in args.peers
            if peer in NETWORK_PEERS
        }
        what = {"name": name, "kind": "network"}
        yield _entry(
            what, lambda model=model, x=x: model(x, num_threads=threads), peers, args, threads
        )


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Time everything that was asked for; the report."""
    from dwsep import _limits
    from dwsep.cli._machine import describe

    entries = []
    for threads in args.threads:
        for group in (_networks, _layers):
            if (group is _networks and args.only not in (None, "network")) or (
                group is _layers and args.only == "network"
            ):
                continue
            for entry in group(args, threads):
                entries.append(entry)
                print(_progress(entry), file=sys.stderr, flush=True)
    return {
        **describe(),
        "peers": {name: v for name, v in versions().items() if name in args.peers},
        "peak_gflops": _limits.peak_flops() / 1e9,
        "bandwidths": [_limits.bandwidth(level)._asdict() for level in _limits.levels()],
        "command": _command(args),
        "entries": entries,
    }


def _command(args: argparse.Namespace) -> str:
    """Return the command that repeats this, without folders that only this machine has."""
    words = ["python -m benchmarks.peers --threads", *map(str, args.threads)]
    words += ["--only", shlex.quote(args.only)] if args.only else []
    words += ["--peers", *args.peers] if args.peers != list(LAYER_PEERS) else []
    words += ["--tflite DIR"] if args.tflite else []
    return " ".join([*words, f"--seconds {args.seconds:g} --write-docs docs/performance.md"])


def _progress(entry: dict[str, Any]) -> str:
    best = min(entry["times_as_fast"].values(), default=float("nan"))
    off = f"  DISAGREE: {entry['disagree']}" if "disagree" in entry else ""
    mine = entry["seconds"]["dwsep"] * 1e6
    return f"{entry['name']:50} {mine:10,.1f} us  best peer / dwsep {best:.2f}{off}"


def _table(report: dict[str, Any], threads: int, kinds: set[str]) -> str:
    from dwsep.cli._terminal import plain_table

    rows = []
    peers = list(report["peers"])
    entries = [e for e in report["entries"] if e["threads"] == threads and e["kind"] in kinds]
    for entry in entries:
        times = [entry["seconds"].get(name) for name in ("dwsep", *peers)]
        best = min(entry["times_as_fast"].values(), default=float("nan"))
        cells = ["-" if t is None else f"{t * 1e6:,.1f}" for t in times]
        rows.append([entry["name"], *cells, f"{best:.2f}"])
    headers = ["", "dwsep us", *(f"{name} us" for name in peers), "best peer / dwsep"]
    return plain_table(headers, rows) if rows else ""


def _means(report: dict[str, Any], threads: int) -> str:
    """Tabulate geometric means over the layers or networks that each peer ran."""
    from dwsep.cli._terminal import plain_table

    rows = []
    for kind in dict.fromkeys(e["kind"] for e in report["entries"]):
        of_kind = [e for e in report["entries"] if (e["threads"], e["kind"]) == (threads, kind)]
        cells = []
        for peer in report["peers"]:
            ratios = [e["times_as_fast"][peer] for e in of_kind if peer in e["times_as_fast"]]
            cells.append(f"{geometric_mean(ratios):.2f} ({len(ratios)})" if ratios else "-")
        best = [min(e["times_as_fast"].values()) for e in of_kind if e["times_as_fast"]]
        last = [f"{geometric_mean(best):.2f}", f"{min(best):.2f}"] if best else ["-", "-"]
        rows.append([kind, *cells, *last])
    headers = ["", *(f"{name} / dwsep" for name in report["peers"]), "best peer / dwsep", "worst"]
    return plain_table(headers, rows)


def _text(report: dict[str, Any], images: list[str]) -> str:
    """Return the figures in Markdown."""
    peers = ", ".join(f"{name} {version}" for name, version in report["peers"].items())
    cpu = report["cpu"]
    parts = [
        f"dwsep {report['dwsep']} and {peers or 'no peers'}; {cpu['name']}, {cpu['isa']},"
        f" {cpu['cpus']} CPUs, {report['peak_gflops']:.0f} GFLOP/s a core; Python"
        f" {report['python']}, {report['system']}; {report['date'][:10]}. Made by\n\n"
        f"```sh\n{report['command']}\n```",
        *images,
    ]
    for threads in dict.fromkeys(e["threads"] for e in report["entries"]):
        many = f"{threads} thread{'s' * (threads != 1)}"
        parts += [
            f"### {many.capitalize()}",
            "Times as fast as each peer, geometric means (over so many); the worst of all against"
            " the best peer of each.",
            _means(report, threads),
        ]
        kinds = dict.fromkeys(e["kind"] for e in report["entries"])
        for kind in kinds:
            parts += [f"#### {kind.capitalize()}, {many}", _table(report, threads, {kind})]
    return "\n\n".join(part for part in parts if part)


def _draw(report: dict[str, Any], folder: Path) -> list[Path]:
    """Draw the speed-ups and the roofline of one thread."""
    from dwsep.cli import _plots

    _plots.require()
    threads = report["entries"][0]["threads"]
    entries = [e for e in report["entries"] if e["threads"] == threads]
    made = []
    groups: dict[str, list[float]] = {peer: [] for peer in report["peers"]}
    rows = [e for e in entries if e["kind"] == "network"] or entries
    for entry in rows:
        for peer, values in groups.items():
            values.append(entry["times_as_fast"].get(peer, float("nan")))
    title = f"dwsep {report['dwsep']}, {report['cpu']['name']}, threads: {threads}"
    if groups:
        made.append(folder / "peers_speedup.png")
        names = [entry["name"] for entry in rows]
        _plots.bars(str(made[-1]), title, names, groups, "times as fast as the peer")
    points = [
        _plots.Point(e["kind"], e["flops"] / e["bytes"], e["flops"] / e["seconds"]["dwsep"] / 1e9)
        for e in entries
        if "flops" in e
    ]
    if points and threads == 1:
        made.append(folder / "peers_roofline.png")
        slopes = _plots.bandwidth_slopes(report["bandwidths"])
        _plots.roofline(str(made[-1]), title, points, report["peak_gflops"], slopes)
    return made


def _write_docs(path: Path, report: dict[str, Any]) -> None:
    """Put figures and plots between the markers of a document."""
    text = path.read_text(encoding="utf-8")
    if text.count(_BEGIN) != 1 or text.count(_END) != 1:
        raise SystemExit(f"{path}: need the lines {_BEGIN} and {_END} once each")
    folder = path.parent / "images"
    folder.mkdir(exist_ok=True)
    images = [
        f"![{made.stem.replace('_', ' ')}](images/{made.name})" for made in _draw(report, folder)
    ]
    before, _, rest = text.partition(_BEGIN)
    after = rest.partition(_END)[2]
    path.write_text(f"{before}{_BEGIN}\n\n{_text(report, images)}\n\n{_END}{after}", "utf-8")


def main(argv: list[str] | None = None) -> int:
    """Measure and write; 1 if a peer computes something else."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    kinds = ("network", "depthwise", "pointwise", "separable", "inverted residual")
    parser.add_argument("--only", choices=kinds)
    parser.add_argument("--peers", nargs="+", choices=tuple(LAYER_PEERS), default=list(LAYER_PEERS))
    parser.add_argument("--tflite", type=Path, metavar="DIR", help="files that TensorFlow wrote")
    parser.add_argument("--seconds", type=float, default=0.3, help="of each library in each entry")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the report")
    parser.add_argument("--plot", type=Path, metavar="DIR", help="draw speed-ups and roofline")
    parser.add_argument("--write-docs", type=Path, metavar="FILE", help="put the figures there")
    parser.add_argument("--from-json", type=Path, metavar="FILE", help="a kept report, not timed")
    args = parser.parse_args(argv)
    if args.from_json:
        report = json.loads(args.from_json.read_text(encoding="utf-8"))
    else:
        report = measure(args)
    if args.json:
        args.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    if args.plot:
        args.plot.mkdir(parents=True, exist_ok=True)
        _draw(report, args.plot)
    if args.write_docs:
        _write_docs(args.write_docs, report)
    else:
        print(_text(report, []))
    return 1 if any("disagree" in entry for entry in report["entries"]) else 0


if __name__ == "__main__":
    sys.exit(main())
