"""``dwsep profile``: where the time of a network goes, and how close each step is to the limit."""

from __future__ import annotations

import argparse

from ._errors import about
from ._network import (
    add_batch,
    add_network,
    add_shapes,
    add_threads,
    load,
    positive,
    random_inputs,
)

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the sub-command."""
    add_network(parser)
    add_batch(parser)
    add_threads(parser)
    add_shapes(parser)
    parser.add_argument("--rounds", type=positive, default=20, help="calls to take medians of")
    parser.add_argument("--plot", metavar="PATH", help="draw a roofline plot there, e.g. a .png")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(args: argparse.Namespace) -> int:
    """Time random inputs and print."""
    model = load(args.network, args.input_shape)
    arrays = random_inputs(model, args.batch)
    with about("network"):
        profile = model.profile(*arrays, rounds=args.rounds, num_threads=args.threads)
    if args.plot:
        with about("plot"):
            profile.plot(args.plot)
    print(profile.to_json() if args.json else profile)
    return 0
