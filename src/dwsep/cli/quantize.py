"""``dwsep quantize``: an int8 network of a float32 one, by pictures that it is to see."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._errors import CommandError, about
from ._network import add_layout, add_network, add_shapes, load
from ._pictures import Preparation, add_options, picture_axes
from ._terminal import Progress
from .run import sized

if TYPE_CHECKING:
    from dwsep.model import Model, ValueInfo

__all__ = ["add_arguments", "run"]

_METHODS = ("auto", "minmax", "mean_minmax", "percentile", "mse")
_PICTURES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the sub-command."""
    add_network(parser)
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="PATH",
        help="calibration inputs: pictures, folders of them, or .npy files of batches;"
        " 32 to 128 pictures are enough",
    )
    parser.add_argument(
        "-o", "--output", required=True, metavar="FILE", help="the .dwsep file to write"
    )
    parser.add_argument(
        "--method",
        choices=_METHODS,
        default="auto",
        help="how ranges are found; auto, the default, tries all and keeps the best",
    )
    parser.add_argument(
        "--keep-float",
        type=_kept,
        default=(),
        metavar="STEPS",
        help="steps that compute in float32: names with commas between them, how many of the"
        " worst (3), or as many as it takes to a ratio of signal to noise (25dB)",
    )
    parser.add_argument(
        "--per-tensor",
        action="store_true",
        help="one scale for all weights of a step, instead of one for each output channel",
    )
    parser.add_argument(
        "--integer-input",
        action="store_true",
        help="let the network take int8, a quarter of the bytes: `dwsep run` then looks up what"
        " each pixel becomes, without numbers in between",
    )
    parser.add_argument("--report", metavar="FILE", help="write the report as JSON")
    parser.add_argument("--plot", metavar="FILE", help="draw signal to noise step by step")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    add_layout(parser)
    add_shapes(parser)
    add_options(parser)


def _kept(text: str) -> int | float | tuple[str, ...]:
    """Read a number of steps, decibels, or names."""
    if text.isdecimal():
        return int(text)
    if ratio := re.fullmatch(r"(\d+(?:\.\d+)?) ?dB", text):
        return float(ratio[1])
    return tuple(name for name in text.split(",") if name)


def _files(paths: Sequence[str]) -> list[str]:
    """Return files, and the pictures of folders in the order of their names."""
    found: list[str] = []
    for path in paths:
        if not os.path.isdir(path):
            found.append(path)
            continue
        inside = sorted(p for p in Path(path).rglob("*") if p.suffix.lower() in _PICTURES)
        if not inside:
            raise CommandError(f"inputs: need pictures, got a folder without any: {path}")
        found += map(str, inside)
    return found


class _Batches:
    """The calibration inputs, read when they are wanted."""

    def __init__(self, files: Sequence[str], info: ValueInfo, args: argparse.Namespace) -> None:
        self._files, self._info, self._layout = files, info, args.layout
        self._prepare = Preparation.of(args)

    def __len__(self) -> int:
        return len(self._files)

    def __iter__(self) -> Iterator[Any]:
        return map(self._read, self._files)

    def _read(self, path: str) -> Any:
        import numpy as np

        with about("inputs"):
            if path.endswith(".npy"):
                return np.load(path, allow_pickle=False)
            axes = picture_axes(self._info.shape, self._layout)
            height, width, channels = (self._info.shape[axes.index(a)] for a in "HWC")
            if channels is None or height is None or width is None:
                raise ValueError(f"input {self._info.name!r} has no size: give --size")
            picture = self._prepare(path, height, width, channels)[None]
            if axes == "NCHW":
                picture = picture.transpose(0, 3, 1, 2)
            return np.ascontiguousarray(picture, np.float32)


@contextmanager
def _in_options() -> Iterator[None]:
    """Name what was given here where the library names its arguments."""
    try:
        yield
    except (ValueError, TypeError) as error:
        argument, colon, rest = str(error).partition(": ")
        option = {"source": "network", "calibration": "inputs", "keep_float": "--keep-float"}
        raise CommandError(option.get(argument, argument) + colon + rest) from None


def run(args: argparse.Namespace) -> int:
    """Quantize, save and report."""
    import dwsep

    if args.plot:
        from ._plots import require

        with about("plot"):
            require()
    shapes = dict(args.input_shape)
    if args.size:
        shapes = sized(args.network, args.size, args.layout) | shapes
    model = load(args.network, shapes, args.input_layout)
    if len(model.inputs) != 1:
        names = [info.name for info in model.inputs]
        raise CommandError(f"network: need one input, got {names}: use dwsep.quantize in Python")
    if os.path.exists(args.output) and os.path.samefile(args.network, args.output):
        raise CommandError(f"output: need another file than the network's, got {args.output}")
    batches = _Batches(_files(args.inputs), model.inputs[0], args)
    with Progress() as progress, _in_options():
        quantized: Model = dwsep.quantize(
            args.network,
            batches,
            method=args.method,
            per_channel=not args.per_tensor,
            keep_float=args.keep_float,
            float_input=not args.integer_input,
            input_layout=args.input_layout,
            input_shapes=shapes or None,
            progress=progress,
        )
    with about("output"):
        quantized.save(args.output)
    report = quantized.quantization_report
    assert report is not None
    if args.report:
        with about("report"):
            Path(args.report).write_text(report.to_json() + "\n", encoding="utf-8")
    if args.plot:
        with about("plot"):
            report.plot(args.plot)
    if args.json:
        print(report.to_json())
    else:
        print(report)
        print(f"{args.output}  {os.path.getsize(args.output):,} bytes")
    return 0
