"""Loads networks from files: saved ones as they are, those of other formats through the graph."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _core
from ._checks import check_kind, shown
from ._networks import Networks
from ._record import Record
from .model import Model

if TYPE_CHECKING:
    from onnx import ModelProto

    from .graph.importing.inputs import Example
    from .graph.ir import Graph
    from .graph.open_sizes import Axis

__all__ = ["load"]


def load(
    source: str | os.PathLike[str] | bytes | ModelProto,
    *,
    input_layout: str | None = None,
    input_shapes: Mapping[str, Sequence[int | None]] | None = None,
    constants: Mapping[str, Any] | None = None,
    outputs: Sequence[str] | None = None,
    signature: str | None = None,
    mmap: bool = False,
    float_io: bool = False,
) -> Model:
    """Load a network from an ONNX, TFLite or ``.dwsep`` file.

    Parameters
    ----------
    source : path, bytes or onnx.ModelProto
        A file, its content, or a model: the content tells which format it is. ONNX needs the
        ``onnx`` package (``dwsep[onnx]``), TFLite nothing.
    input_layout : {None, "NHWC"}
        ``"NHWC"``: images go in with their channels last, without conversion; None: as in the file.
        Images are what convolutions, pooling and resizing read, or sequences, which become
        (N, W, C); other inputs stay as in the file, whatever their shape. :attr:`Model.inputs` has
        the shapes.
    input_shapes : mapping of str to shape, optional
        Shapes of inputs by their names, instead of those in the file; None is a size that stays
        open. Sizes that the file leaves open are open without it, too.
    constants : mapping of str to array or number, optional
        Inputs that are fixed, such as a sampling rate: they are no inputs of the model, and what
        depends on them alone is computed now.
    outputs : sequence of str, optional
        Values of the file that the model returns, in this order; default: the file's outputs. The
        file is cut there: what only other values need is never looked at, be it supported or not.
    signature : str, optional
        For TFLite files: the signature whose inputs and outputs the model has, by its names for
        them; default: the file's first subgraph, by the names of its tensors.
    mmap : bool, default False
        Map a ``.dwsep`` file into memory instead of reading it: processes share what they load, and
        nothing is copied. The file must then stay as it is as long as the model lives; if it gets
        shorter, the process ends by a bus error. Replacing it by another (``os.replace``,
        :meth:`Model.save`) is safe.
    float_io : bool, default False
        Of a quantized network: take and give float32 where the file has int8 or uint8 that stand
        for real numbers. Conversions at its edges are steps of the network.

    Returns
    -------
    Model

    Raises
    ------
    OSError
        If a file cannot be read.
    ValueError
        If it is not a sound network, or an option does not fit it. What it needs and dwsep lacks is
        listed whole.
    TypeError
        If an argument is of the wrong type.
    ImportError
        If the ``onnx`` package is needed and missing.

    Examples
    --------
    >>> import dwsep
    >>> model = dwsep.load(dwsep.models.mobilenet_v2(resolution=96), input_layout="NHWC")
    >>> model.inputs[0].shape
    (None, 96, 96, 3)
    """
    check_options(input_layout, input_shapes)
    if constants is not None:
        check_kind(constants, Mapping, "constants", "None or a mapping of names to arrays")
    if outputs is not None:
        check_kind(outputs, Sequence, "outputs", "None or a sequence of names")
    if signature is not None and not isinstance(signature, str):
        raise TypeError(f"signature: need None or a name, got {shown(signature)}")
    if not isinstance(mmap, bool):
        raise TypeError(f"mmap: need a bool, got {shown(mmap)}")
    if not isinstance(float_io, bool):
        raise TypeError(f"float_io: need a bool, got {shown(float_io)}")
    options = Options(input_layout, input_shapes, outputs, signature, mmap, float_io, constants)
    suffix, opened = format_of(source)
    if signature is not None and suffix != ".tflite":
        raise ValueError(f"signature: need None for all but .tflite files, got {signature!r}")
    if mmap and (not isinstance(opened, str) or suffix != ".dwsep"):
        raise ValueError("mmap: need False for all but .dwsep files, got True")
    if suffix == ".dwsep":
        return _load_saved(opened, options)
    with _Uncollected():
        return _lowered(IMPORTS[suffix], opened, options)


def check_options(
    input_layout: str | None, input_shapes: Mapping[str, Sequence[int | None]] | None
) -> None:
    """Refuse what is neither a layout nor shapes."""
    if input_layout is not None and not (isinstance(input_layout, str) and input_layout == "NHWC"):
        raise ValueError(f"input_layout: need None or 'NHWC', got {input_layout!r}")
    if input_shapes is not None:
        check_kind(input_shapes, Mapping, "input_shapes", "None or a mapping of names to shapes")


class Options(Record):
    """The options of `load`."""

    input_layout: str | None = None
    input_shapes: Mapping[str, Sequence[int | None]] | None = None
    outputs: Sequence[str] | None = None
    signature: str | None = None
    mmap: bool = False
    float_io: bool = False
    constants: Mapping[str, Any] | None = None
    example: Example | None = None  # of sizes that stay open

    def of_importers(self) -> dict[str, Any]:
        """Return those that every importer takes."""
        names = ("input_shapes", "outputs", "constants", "example")
        return {name: getattr(self, name) for name in names}


def _load_saved(source: Any, options: Options) -> Model:
    for name, value in options._asdict().items():
        default = Options._field_defaults[name]
        if name != "mmap" and value is not default:
            raise ValueError(f"{name}: need {default} for a .dwsep file, got {value!r}")
    if isinstance(source, str):
        return Model(_core.Network.load(os.fsencode(source), options.mmap))
    return Model(_core.Network.from_bytes(bytes(source)))


def _import_tflite(source: Any, options: Options) -> Graph:
    from .graph.tflite import import_tflite

    return import_tflite(source, signature=options.signature, **options.of_importers())


def _import_onnx(source: Any, options: Options) -> Graph:
    from .graph.onnx import import_onnx

    return import_onnx(source, **options.of_importers())


IMPORTS = {".tflite": _import_tflite, ".onnx": _import_onnx}


def _lowered(imports: Callable[[Any, Options], Graph], source: Any, options: Options) -> Model:
    """Return the model of what an importer makes."""
    from .graph.importing.inputs import first_fitting
    from .graph.lowering import lower
    from .graph.passes import optimize

    axes: dict[Axis, int] = {}
    version = _version(source)

    def made(example: Example) -> _core.Network:
        def make() -> _core.Network:
            with np.errstate(all="ignore"):  # weights may be any numbers
                graph = imports(source, options._replace(example=example))
                if options.float_io:
                    from .graph.passes import float_io

                    float_io.run(graph)
                graph = optimize(graph, input_layout=options.input_layout)
                if graph.open is not None:
                    shapes = {name: graph.shape(name) for name in graph.inputs}
                    axes.update(graph.open.locate(shapes))
                return lower(graph, _texts(graph))

        return _core.in_float_environment(make)  # weights are folded, which rounds

    def remade(shapes: Sequence[Sequence[int]]) -> _core.Network:
        if _version(source) != version:
            raise ValueError(
                f"{source!r} has changed; these sizes need it as it was when it was loaded"
            )
        given = {info[0]: shape for info, shape in zip(first.inputs, shapes, strict=True)}
        return made(
            lambda where, letter, name: given[where.input][axes[where]] if where in axes else None
        )

    first = first_fitting(made)
    return Model(Networks(first, remade if axes else None))


def _texts(graph: Graph) -> dict[str, str]:
    """Return what is kept with the network of a graph."""
    texts = {"name": graph.name}
    if graph.states or graph.lengths:
        from ._metadata import lengths_text, states_text

        texts |= {**states_text(graph.states), **lengths_text(graph)}
    if graph.float_steps:
        from ._summary import float_steps_text

        texts |= float_steps_text(graph.float_steps)
    return texts


class _Uncollected:
    """Puts off the collection of garbage: what grows is a graph, most of which stays until the end.

    Looking at it again and again took 3 of the 35 ms to load a face detector. What is left counts
    as old, or the next object that anybody makes would have all of it looked at, for 1.5 ms.
    """

    def __enter__(self) -> None:
        self._was_on = gc.isenabled()
        gc.disable()

    def __exit__(self, *_: object) -> None:
        if self._was_on:
            # PyPy has no ages; what somebody else has frozen stays so.
            if hasattr(gc, "freeze") and gc.get_freeze_count() == 0:
                gc.freeze()
                gc.unfreeze()
            gc.enable()


def _version(source: object) -> tuple[int, ...]:
    """Return what differs when another file has the path."""
    if not isinstance(source, str):
        return ()
    status = os.stat(source)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


_MAGIC = {".dwsep": (0, b"dwsepnet"), ".tflite": (4, b"TFL3")}  # where, and what
_MOST = max(position + len(magic) for position, magic in _MAGIC.values())


def format_of(source: object) -> tuple[str, object]:
    """Return the suffix of a file's format, and its path; or of a content's, and the content.

    ONNX has no magic bytes: ``".onnx"`` is all that no other format claims.
    """
    path = _path(source)
    start = _start(source, path)
    opened = source if path is None else path
    for suffix, (position, magic) in _MAGIC.items():
        if start[position : position + len(magic)] == magic or (path or "").endswith(suffix):
            return suffix, opened
    return ".onnx", opened


def _path(source: object) -> str | None:
    """Return the path of a file, None for what is no file."""
    if not isinstance(source, (str, os.PathLike)):
        return None
    path = os.fsdecode(source)
    if "\0" in path:
        raise ValueError(f"source: need a path without null characters, got {path!r}")
    return path


def _start(source: object, path: str | None) -> bytes:
    """Return the first bytes of a file or of its content, none of a model in memory."""
    if path is not None:
        with open(path, "rb") as file:
            return file.read(_MOST)
    return bytes(source)[:_MOST] if isinstance(source, (bytes, bytearray, memoryview)) else b""
