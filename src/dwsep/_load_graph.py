"""Graphs of files as they are there, for callers that rewrite them before they are lowered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._load import IMPORTS, Options, format_of
from .graph.importing.inputs import first_fitting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .graph.ir import Graph


def load_graph(
    source: Any, *, input_shapes: Mapping[str, Sequence[int | None]] | None = None
) -> Graph:
    """Return the graph of a file of another format.

    Raises
    ------
    OSError, ValueError, TypeError, ImportError
        As `dwsep.load` does, and if the file is a saved network, which has no graph.
    """
    suffix, opened = format_of(source)
    if suffix == ".dwsep":
        raise ValueError("source: need an ONNX or TFLite file, got a .dwsep file")
    imports, options = IMPORTS[suffix], Options(input_shapes=input_shapes)
    return first_fitting(lambda example: imports(opened, options._replace(example=example)))
