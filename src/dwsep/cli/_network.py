"""What the sub-commands that take a network share: its options, and loading it."""

from __future__ import annotations

import argparse
import ast
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ._errors import CommandError, about

if TYPE_CHECKING:
    from dwsep.model import Model

    Shape = tuple[int | None, ...]

__all__ = [
    "add_batch",
    "add_layout",
    "add_network",
    "add_shapes",
    "add_threads",
    "load",
    "positive",
    "shapes_for",
]


def positive(text: str) -> int:
    """Read a positive number, for argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"need a positive integer, got {text!r}")
    return int(text)


def _named_shape(text: str) -> tuple[str, Shape]:
    name, equals, sizes = text.rpartition("=")
    parts = sizes.split(",")
    if not equals or not name or not all(n.isdecimal() or n == "N" for n in parts):
        raise argparse.ArgumentTypeError(
            f"need NAME=SIZES such as images=N,3,224,224, got {text!r}"
        )
    return name, tuple(None if n == "N" else int(n) for n in parts)


def add_network(parser: argparse.ArgumentParser) -> None:
    """Declare the positional argument."""
    parser.add_argument("network", help="an .onnx, .tflite or .dwsep file")


def add_shapes(parser: argparse.ArgumentParser) -> None:
    """Declare the option for sizes that an ONNX file leaves open."""
    parser.add_argument(
        "--input-shape",
        metavar="NAME=SIZES",
        type=_named_shape,
        action="append",
        default=[],
        help="sizes of an ONNX file's input, N for the batch: images=N,3,224,224",
    )


def add_layout(parser: argparse.ArgumentParser) -> None:
    """Declare the option that takes images with their channels last."""
    parser.add_argument(
        "--input-layout",
        choices=["NHWC"],
        help="let the network take its images with channels last; default: as in the file",
    )


def add_threads(parser: argparse.ArgumentParser) -> None:
    """Declare the option for the number of threads."""
    parser.add_argument("--threads", type=positive, help="default: every CPU this process may use")


def add_batch(parser: argparse.ArgumentParser) -> None:
    """Declare the option for the number of images."""
    parser.add_argument(
        "--batch", type=positive, default=1, help="images in a call, where the file leaves it open"
    )


def load(
    path: str,
    shapes: Sequence[tuple[str, Shape]] | Mapping[str, Shape] = (),
    input_layout: str | None = None,
) -> Model:
    """Load a network; raise CommandError where that fails."""
    import dwsep

    try:
        with about("network"):
            return dwsep.load(path, input_layout=input_layout, input_shapes=dict(shapes) or None)
    except CommandError as error:
        raise CommandError(_in_options(str(error))) from None


_EXAMPLE = re.compile(r"input_shapes=(\{.*?\)\})")  # as the importer spells it


def _in_options(message: str) -> str:
    """Say what to type here where the library says it in Python."""

    def option(found: re.Match[str]) -> str:
        (name, shape), *_ = ast.literal_eval(found[1]).items()
        sizes = ",".join("N" if n is None else str(n) for n in shape)
        return "--input-shape " + shlex.quote(f"{name}={sizes}")

    message = _EXAMPLE.sub(option, message)
    return message.replace("input_shapes", "--input-shape").replace(
        "input_layout", "--input-layout"
    )


def shapes_for(model: Model, batch: int) -> list[tuple[int, ...]]:
    """Shapes of all inputs for a batch."""
    from dwsep._summary import input_shapes

    for info in model.inputs:
        if None in info.shape[1:]:
            sizes = ("N" if n is None and not i else n or 224 for i, n in enumerate(info.shape))
            example = shlex.quote(f"{info.name}={','.join(map(str, sizes))}")
            raise CommandError(
                f"network: input {info.name!r} leaves sizes open: give --input-shape {example}"
            )
    with about("batch"):
        return input_shapes(model._network, batch, None)


def random_inputs(model: Model, batch: int) -> list[Any]:
    """Return an array for each input: floats around 0, integers from 0 to 127, or 0 and 1."""
    import numpy as np

    rng = np.random.default_rng(0)
    arrays: list[Any] = []
    names = [name for name, *_ in model._network.inputs]  # states too, which begin as they are
    shapes = dict(zip(names, shapes_for(model, batch), strict=True))
    for info in model.inputs:
        shape = shapes[info.name]
        if info.dtype in ("float32", "float16"):
            arrays.append(rng.standard_normal(shape, dtype=np.float32).astype(info.dtype))
        else:
            most = 1 if info.dtype == "bool" else 127
            arrays.append(rng.integers(0, most, shape, endpoint=True).astype(info.dtype))
    return arrays
