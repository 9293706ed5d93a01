"""Loads networks from files: saved ones as they are, ONNX by way of the graph."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from . import _core
from ._arguments import check_kind
from .model import Model

if TYPE_CHECKING:
    from onnx import ModelProto

__all__ = ["load"]

_MAGIC = b"dwsepnet"


def load(
    source: str | os.PathLike[str] | bytes | ModelProto,
    *,
    input_layout: str | None = None,
    input_shapes: Mapping[str, Sequence[int | None]] | None = None,
    outputs: Sequence[str] | None = None,
) -> Model:
    """Load a network from an ONNX or ``.dwsep`` file.

    Parameters
    ----------
    source : path, bytes or onnx.ModelProto
        A file, its content, or a model. ONNX needs the ``onnx`` package (``dwsep[onnx]``).
    input_layout : {None, "NHWC"}
        ``"NHWC"``: images go in with their channels last, without conversion; None: as in the file.
        Images are what convolutions, pooling and resizing read; other inputs stay as in the file,
        whatever their shape. :attr:`Model.inputs` tells.
    input_shapes : mapping of str to shape, optional
        Sizes that the file leaves open, for each input's name; None stands for the batch.
    outputs : sequence of str, optional
        Values of the file that the model returns, in this order; default: the file's outputs.

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
    if input_layout is not None and not (isinstance(input_layout, str) and input_layout == "NHWC"):
        raise ValueError(f"input_layout: need None or 'NHWC', got {input_layout!r}")
    if input_shapes is not None:
        check_kind(input_shapes, Mapping, "input_shapes", "None or a mapping of names to shapes")
    if outputs is not None:
        check_kind(outputs, Sequence, "outputs", "None or a sequence of names")
    network = _saved(source)
    if network is not None:
        given = {"input_layout": input_layout, "input_shapes": input_shapes, "outputs": outputs}
        for name, value in given.items():
            if value is not None:
                raise ValueError(f"{name}: need None for a .dwsep file, got {value!r}")
        return Model(network)
    from .graph.lowering import lower
    from .graph.onnx import import_onnx
    from .graph.pipeline import optimize

    with np.errstate(all="ignore"):  # weights may be any numbers
        graph = import_onnx(source, input_shapes=input_shapes, outputs=outputs)
        graph = optimize(graph, input_layout=input_layout)
        return Model(lower(graph, {"name": graph.name}))


def _saved(source: object) -> _core.Network | None:
    """Return the network of a .dwsep file, None for anything else."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        content = bytes(source)
        return _core.Network.from_bytes(content) if content.startswith(_MAGIC) else None
    if not isinstance(source, (str, os.PathLike)):
        return None
    path = os.fspath(source)
    if "\0" in path:
        raise ValueError(f"source: need a path without null characters, got {path!r}")
    with open(path, "rb") as file:
        start = file.read(len(_MAGIC))
    return _core.Network.load(path) if start == _MAGIC or path.endswith(".dwsep") else None
