"""dwsep compared with the libraries that its users would pick instead, interleaved in one process.

    python -m benchmarks.peers                                   every layer and network, one thread
    python -m benchmarks.peers --threads 1 2 --tflite DIR --write-docs docs/performance.md

torch, onnxruntime, OpenVINO and LiteRT take part where they are installed; for whole networks
LiteRT needs files that TensorFlow writes, DIR/models/<name>.tflite. Every result is compared with
dwsep's; one that differs is status 1. `--only odd` and `--only int8` take the lists of these names
in cases.py. In int8 every bit is compared, onnxruntime runs made exact and (as onnxruntime-fast)
as it is, and libraries whose results differ where they may saturate are marked.
`--from-json` writes the reports of several runs on one machine as one.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from . import peers_int8, peers_report
from .bench_networks import NETWORKS, image
from .common import make_packed
from .int8_peers import INT8_PEERS
from .odd_cases import ODD
from .peer_runners import LAYER_PEERS, NETWORK_PEERS, OWN_WEIGHTS, Chain, versions
from .turns import times_in_turns

__all__ = ["main"]

_AGREE = 1e-3
_INT8 = {"int8", "int8 network"}
_BOTH = ("network", "layers")


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
        except (ImportError, NotImplementedError) as error:  # not installed; no such network
            missing[name] = str(error)
            continue
        runners[name] = run
        size = float(np.abs(wanted).max())
        off = np.inf if result.shape != wanted.shape else float(np.abs(result - wanted).max())
        if (what["kind"] != "network" or name not in OWN_WEIGHTS) and not off <= _AGREE * size:
            what.setdefault("disagree", {})[name] = off / size
    return {
        **what,
        "threads": threads,
        "missing": missing,
        **times_in_turns(runners, args.seconds, threads),
    }


def _layers(args: argparse.Namespace, threads: int) -> Iterator[dict[str, Any]]:
    from dwsep.cli import layers as made
    from dwsep.cli._layer_cases import LAYERS

    cases = dict.fromkeys(case for network in LAYERS.values() for case in network)
    for case in cases:
        if args.only and case.kind not in args.only:
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


def _odd(args: argparse.Namespace, threads: int) -> Iterator[dict[str, Any]]:
    for case in ODD:
        if args.match not in case.name:
            continue
        layer, x = make_packed(case)
        out = layer(x, num_threads=threads)
        chain = Chain.of_case(case)
        peers = {
            name: lambda make=LAYER_PEERS[name], chain=chain: make(chain, threads, args.tflite)
            for name in args.peers
        }
        plan = layer.explain(x.shape, threads)
        what = {"name": case.name, "kind": "odd", "flops": plan.flops, "bytes": plan.bytes}
        yield _entry(
            what,
            lambda layer=layer, x=x, out=out: layer(x, out=out, num_threads=threads),
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
        groups = {"network": _networks, "odd": _odd, "int8": peers_int8.layers}
        groups["int8 network"] = peers_int8.networks
        for group in dict.fromkeys(groups.get(kind, _layers) for kind in args.only or _BOTH):
            for entry in group(args, threads):
                entries.append(entry)
                print(_progress(entry), file=sys.stderr, flush=True)
    found = {name: v for name, v in versions().items() if name in args.peers}
    if args.only and _INT8.issuperset(args.only):
        found = {n: found[k] for n in INT8_PEERS if (k := n.removesuffix("-fast")) in found}
    peaks = {f: _limits.int8_peak_of(f) / 1e9 for f in ("depthwise", "pointwise")}
    return {
        **describe(),
        "peers": found,
        "int8_peaks": peaks,
        "peak_gflops": _limits.peak_flops() / 1e9,
        "bandwidths": [_limits.bandwidth(level)._asdict() for level in _limits.levels()],
        "command": _command(args),
        "entries": entries,
    }


def _command(args: argparse.Namespace) -> str:
    """Return the command that repeats this, without folders that only this machine has."""
    words = ["python -m benchmarks.peers --threads", *map(str, args.threads)]
    words += ["--only", *map(shlex.quote, args.only)] if args.only else []
    words += ["--peers", *args.peers] if args.peers != list(LAYER_PEERS) else []
    words += ["--tflite DIR"] if args.tflite else []
    words += ["--section", args.section] if args.section != "peers" else []
    isa = os.environ.get("DWSEP_ISA")
    words[:0] = [f"DWSEP_ISA={shlex.quote(isa)}"] if isa else []
    return " ".join([*words, f"--seconds {args.seconds:g} --write-docs docs/performance.md"])


def _progress(entry: dict[str, Any]) -> str:
    best = peers_report.best_peer(entry)
    off = f"  differ: {entry['differ']}" if "differ" in entry else ""
    off = f"  DISAGREE: {entry['disagree']}" if "disagree" in entry else off
    mine = entry["seconds"]["dwsep"] * 1e6
    return f"{entry['name']:50} {mine:10,.1f} us  best peer / dwsep {best:.2f}{off}"


def main(argv: list[str] | None = None) -> int:
    """Measure and write; 1 if a peer computes something else."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    kinds = (
        "odd",
        "int8",
        "int8 network",
        "network",
        "depthwise",
        "pointwise",
        "separable",
        "inverted residual",
    )
    parser.add_argument("--only", choices=kinds, nargs="+")
    parser.add_argument("--match", default="", help="of odd and int8: what has this in their name")
    parser.add_argument("--peers", nargs="+", choices=tuple(LAYER_PEERS), default=list(LAYER_PEERS))
    parser.add_argument("--tflite", type=Path, metavar="DIR", help="files that TensorFlow wrote")
    parser.add_argument("--seconds", type=float, default=0.3, help="of each library in each entry")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the report")
    parser.add_argument("--plot", type=Path, metavar="DIR", help="draw speed-ups and roofline")
    parser.add_argument("--write-docs", type=Path, metavar="FILE", help="put the figures there")
    parser.add_argument("--section", default="peers", help="the markers in FILE and the plots")
    parser.add_argument(
        "--from-json", type=Path, nargs="+", metavar="FILE", help="kept reports, not timed"
    )
    args = parser.parse_args(argv)
    if args.only and 0 < len(_INT8.intersection(args.only)) < len(set(args.only)):
        parser.error("int8 has other libraries and columns: measure it by itself")
    if args.from_json:
        kept = [json.loads(file.read_text(encoding="utf-8")) for file in args.from_json]
        report = peers_report.together(kept)
    else:
        report = measure(args)
    if args.json:
        args.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    if args.plot:
        args.plot.mkdir(parents=True, exist_ok=True)
        peers_report.draw(report, args.plot, args.section)
    if args.write_docs:
        peers_report.write_docs(args.write_docs, report, args.section)
    else:
        print(peers_report.text(report, []))
    return 1 if any("disagree" in entry for entry in report["entries"]) else 0


if __name__ == "__main__":
    sys.exit(main())
