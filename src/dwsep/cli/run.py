"""``dwsep run``: a network on pictures or arrays."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

from dwsep._json import to_json

from ._errors import CommandError, about
from ._network import add_network, add_shapes, add_threads, load, positive
from ._pictures import Preparation, add_options, picture_axes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dwsep.model import Model, ValueInfo

    from ._network import Shape

    Array = NDArray[np.float32]

__all__ = ["add_arguments", "run", "sized"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the sub-command."""
    add_network(parser)
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="[NAME=]FILE",
        help="a picture, several of the same input, which become a batch, or a .npy file of"
        " float32; NAME= names the input where there are several",
    )
    parser.add_argument("--top-k", type=positive, default=5, metavar="N", help="classes to print")
    parser.add_argument("--labels", metavar="FILE", help="the classes' names, one a line")
    parser.add_argument("--output", metavar="FILE", help="write the outputs: .npy, or .npz for all")
    add_threads(parser)
    add_shapes(parser)
    parser.add_argument("--json", action="store_true", help="print JSON instead")
    add_options(parser)


def sized(path: str, size: tuple[int, int], layout: str | None) -> dict[str, Shape]:
    """Shapes of an ONNX file's image inputs at another size."""
    with about("network"):
        from dwsep.graph.onnx.model import onnx_package

        onnx = onnx_package()
        try:
            graph = onnx.load(path, load_external_data=False).graph
        except OSError:
            raise
        except Exception as error:  # its class depends on the implementation of protobuf
            raise ValueError(f"{path} is not an ONNX file: {error}") from None
    constants = {tensor.name for tensor in graph.initializer}
    result: dict[str, Shape] = {}
    for entry in graph.input:
        sizes = [dim.dim_value or None for dim in entry.type.tensor_type.shape.dim]
        if entry.name in constants or len(sizes) != 4:
            continue
        with about("size"):
            at = 2 if picture_axes(sizes, layout) == "NCHW" else 1
        sizes[at : at + 2] = size
        result[entry.name] = tuple(sizes)
    return result


def _check_open(model: Model) -> None:
    """Refuse a size for a saved network that has its own."""
    if not any(len(info.shape) == 4 and None in info.shape[1:] for info in model.inputs):
        raise CommandError("size: this .dwsep file has sizes of its own, got --size")


def _by_input(model: Model, words: Sequence[str]) -> dict[str, list[str]]:
    """Files for each input's name."""
    names = [info.name for info in model.inputs]
    files: dict[str, list[str]] = {name: [] for name in names}
    for word in words:
        name, _, path = word.partition("=")
        if path and name in files:
            files[name].append(path)
        elif len(names) == 1:
            files[names[0]].append(word)
        else:
            raise CommandError(f"inputs: need NAME=FILE with one of the names {names}, got {word}")
    missing = [name for name, paths in files.items() if not paths]
    if missing:
        raise CommandError(f"inputs: need a file for each of {names}, got none for {missing}")
    return files


def _array(
    info: ValueInfo,
    paths: Sequence[str],
    prepare: Preparation,
    layout: str | None,
    size: tuple[int, int] | None,
) -> Array:
    import numpy as np

    result: Array
    arrays = [path for path in paths if path.endswith(".npy")]
    if arrays:
        if len(paths) > 1:
            raise CommandError(f"inputs: a .npy file is a whole input, got {[*paths]}")
        with about("inputs"):
            result = np.load(arrays[0], allow_pickle=False)
        return result
    with about("inputs"):
        axes = picture_axes(info.shape, layout)
        channels = info.shape[axes.index("C")]
        height, width = (info.shape[axes.index(axis)] for axis in "HW")
        if channels is None:
            raise ValueError(f"input {info.name!r} leaves its channels open: give --input-shape")
        if height is None and width is None:
            height, width = size or prepare.size_of(paths[0])
        elif height is None or width is None:
            raise ValueError(f"input {info.name!r} leaves one side open: give --size")
        q = info.quantization
        result = np.stack([prepare(path, height, width, channels, q) for path in paths])
    return np.ascontiguousarray(result.transpose(0, 3, 1, 2)) if axes == "NCHW" else result


def _labels(path: str | None) -> list[str] | None:
    if path is None:
        return None
    with about("labels"):
        # Lines end in line feeds alone: str.splitlines would cut a label at U+0085 or a form feed.
        lines = Path(path).read_text(encoding="utf-8-sig").split("\n")
    return lines if lines[-1] else lines[:-1]


def _one_for_each(labels: Sequence[str], classes: int, output: str) -> Sequence[str]:
    """Return the labels without blank lines at the end that no class needs."""
    count = len(labels)
    while count > classes and not labels[count - 1].strip():
        count -= 1
    if count != classes:
        raise CommandError(
            f"labels: need {classes} lines, one for each class of {output!r}, got {count}"
        )
    return labels[:count]


def _top(scores: Array, count: int, labels: Sequence[str] | None) -> list[dict[str, Any]]:
    """Return the classes of the largest scores; scores that are no probabilities go by softmax."""
    import numpy as np

    exact = scores.astype(np.float64)
    if not (exact.min() >= 0 and abs(exact.sum() - 1) <= 1e-3):
        exact = np.exp(exact - exact.max())
        exact /= exact.sum()
    best = np.argsort(-scores, kind="stable")[:count]
    return [
        {
            "class": int(index),
            **({"label": labels[index]} if labels else {}),
            "score": float(scores[index]),
            "probability": float(exact[index]),
        }
        for index in best
    ]


def _report(
    outputs: Mapping[str, Array], count: int, labels: Sequence[str] | None
) -> list[dict[str, Any]]:
    report = []
    for name, array in outputs.items():
        entry: dict[str, Any] = {"name": name, "shape": list(array.shape)}
        if array.size:
            entry |= {"min": float(array.min()), "max": float(array.max())}
            entry["mean"] = float(array.mean(dtype="f8"))
        if array.ndim == 2 and array.shape[1] > 1:
            names = None if labels is None else _one_for_each(labels, array.shape[1], name)
            entry["top"] = [_top(scores, count, names) for scores in array]
        report.append(entry)
    return report


def _print(report: Sequence[Mapping[str, Any]], pictures: Sequence[str]) -> None:
    from dwsep._table import shape_text, table

    for entry in report:
        figures = "".join(
            f", {key} {entry[key]:.6g}" for key in ("min", "max", "mean") if key in entry
        )
        print(f"{entry['name']}: {shape_text(entry['shape'])}{figures}")
        for index, top in enumerate(entry.get("top", ())):
            print(f"\n{pictures[index] if index < len(pictures) else f'image {index}'}")
            keys = [key for key in ("class", "label", "score", "probability") if key in top[0]]
            left = len(keys) - 2
            rows = [
                [
                    str(row["class"]),
                    *([row["label"]] if "label" in row else []),
                    f"{row['score']:.5g}",
                    f"{row['probability']:.2%}",
                ]
                for row in top
            ]
            print(table(keys, rows, left))


def _write(path: str, outputs: Mapping[str, Array]) -> None:
    import numpy as np

    with about("output"):
        if path.endswith(".npz"):
            # Not by numpy.savez, whose own arguments are names that outputs cannot have.
            with ZipFile(path, "w") as archive:
                for name, array in outputs.items():
                    with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                        np.lib.format.write_array(file, array, allow_pickle=False)
        elif path.endswith(".npy") and len(outputs) == 1:
            np.save(path, next(iter(outputs.values())))
        else:
            wanted = ".npy or .npz" if len(outputs) == 1 else f".npz for {len(outputs)} outputs"
            raise ValueError(f"need a file name that ends in {wanted}, got {path}")


def run(args: argparse.Namespace) -> int:
    """Run the network and print."""
    import numpy as np

    labels = _labels(args.labels)
    shapes = dict(args.input_shape)
    if args.size and not args.network.endswith(".dwsep"):
        shapes = sized(args.network, args.size, args.layout) | shapes
    model = load(args.network, shapes)
    if args.size and args.network.endswith(".dwsep"):
        _check_open(model)
    files = _by_input(model, args.inputs)
    prepare = Preparation.of(args)
    feeds = {
        info.name: _array(info, files[info.name], prepare, args.layout, args.size)
        for info in model.inputs
    }
    with about("inputs"):
        results = model.run(None, feeds, num_threads=args.threads)
    outputs = {info.name: array for info, array in zip(model.outputs, results, strict=True)}
    real = {
        info.name: array if info.quantization is None else info.quantization.dequantize(array)
        for info, array in zip(model.outputs, results, strict=True)
    }
    with np.errstate(all="ignore"):  # outputs may be any numbers
        report = _report(real, args.top_k, labels)
    if args.output:
        _write(args.output, outputs)
    if args.json:
        print(to_json({"network": model.name, "outputs": report}))
    else:
        _print(report, files[model.inputs[0].name])
    return 0
