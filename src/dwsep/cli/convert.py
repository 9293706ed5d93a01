"""``dwsep convert``: an ONNX file becomes a .dwsep file, ready to be mapped into memory."""

from __future__ import annotations

import argparse
import os

from dwsep._json import to_json

from ._errors import CommandError, about
from ._network import add_layout, add_network, add_shapes, load

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the sub-command."""
    add_network(parser)
    parser.add_argument("target", help="the .dwsep file to write")
    add_layout(parser)
    add_shapes(parser)
    parser.add_argument("--json", action="store_true", help="print JSON instead")


def run(args: argparse.Namespace) -> int:
    """Load, save and print both sizes."""
    model = load(args.network, args.input_shape, args.input_layout)
    if os.path.exists(args.target) and os.path.samefile(args.network, args.target):
        raise CommandError(f"target: need another file than the network's, got {args.target}")
    with about("target"):
        model.save(args.target)
    sizes = {path: os.path.getsize(path) for path in (args.network, args.target)}
    if args.json:
        print(to_json({"bytes": sizes, "model": repr(model)}))
    else:
        print(*(f"{path}  {size:,} bytes" for path, size in sizes.items()), repr(model), sep="\n")
    return 0
