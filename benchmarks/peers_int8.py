"""The int8 entries of `benchmarks.peers`: every bit is compared, and float32 is timed beside it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from .cases import INT8
from .common import make_layer, make_packed
from .int8_networks import INT8_NETWORKS, contests
from .int8_peers import EXACT, INT8_PEERS, Int8Chain, inexact
from .turns import times_in_turns


def layers(args: argparse.Namespace, threads: int) -> Iterator[dict[str, Any]]:
    """Yield times of int8 layers, and shares of outputs that differ where others may saturate."""
    for case in INT8:
        if args.match not in case.name:
            continue
        layer, x = make_packed(case)
        out = layer(x, num_threads=threads)
        runners = {
            "dwsep": lambda layer=layer, x=x, out=out: layer(x, out=out, num_threads=threads)
        }
        runners["float32"] = make_layer(replace(case, dtype="float32"), threads)
        chain, missing, differ = Int8Chain.of_case(case), {}, {}
        for name, make in INT8_PEERS.items():
            if name.removesuffix("-fast") not in args.peers:
                continue
            try:
                runners[name], result = make(chain, threads)
                off = np.abs(result().astype(int) - out)
            except ImportError as error:
                missing[name] = str(error)
                continue
            if off.any():
                differ[name] = float(np.mean(off > 0))
        what: dict[str, Any] = {"name": case.name, "kind": f"int8 {case.kind}"}
        what |= {"flops": 2.0 * case.macs, "bytes": layer.explain(x.shape, threads).bytes}
        wrong = {name: share for name, share in differ.items() if name in EXACT}
        what |= {"differ": differ} if differ else {}
        what |= {"inexact": inexact()} if case.kind != "depthwise" else {}
        what |= {"disagree": wrong} if wrong else {}
        timed = times_in_turns(runners, args.seconds, threads)
        timed["own_float32"] = timed["times_as_fast"].pop("float32")
        yield {**what, "threads": threads, "missing": missing, **timed}


def networks(args: argparse.Namespace, threads: int) -> Iterator[dict[str, Any]]:
    """Yield times of networks that others quantized, and shares of outputs that differ."""
    for name in INT8_NETWORKS:
        if args.match not in name:
            continue
        for contest in contests(name, threads, args.tflite):
            runners, missing, differ = {"dwsep": contest.mine}, {}, {}
            runners["float32"], wanted = contest.own_float32, np.array(contest.mine())
            for peer, make in contest.peers.items():
                try:
                    runners[peer] = make()
                except ImportError as error:
                    missing[peer] = str(error)
                    continue
                if share := float(np.mean(wanted != np.array(runners[peer]()))):
                    differ[peer] = share
            timed = times_in_turns(runners, args.seconds, threads)
            timed["own_float32"] = timed["times_as_fast"].pop("float32")
            what: dict[str, Any] = {"name": contest.name, "kind": "int8 network"}
            what |= {"flops": contest.flops, "missing": missing, "threads": threads}
            what["inexact"] = inexact()
            yield {**what, **timed, **({"differ": differ} if differ else {})}
