"""`dwsep.quantize`: what the arguments mean, and the order of the work."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core
from .._checks import shown
from .._load import check_options
from .._load_graph import load_graph
from ..graph.ir import Graph
from ..graph.passes import simplify
from ..model import Model
from .calibration import Progress, calibrate
from .insert import with_integer_inputs
from .keep import check_keep_float, keep_worst
from .measure import measure
from .places import find_places
from .ranges import RULES, needs_histograms
from .samples import peeked
from .scales import as_convolutions
from .score import network_of
from .search import Options, Search

if TYPE_CHECKING:
    from onnx import ModelProto

__all__ = ["METHODS", "quantize"]

METHODS = ("auto", *RULES)


def quantize(
    source: str | os.PathLike[str] | bytes | ModelProto,
    calibration: Iterable[Any],
    *,
    method: str = "auto",
    per_channel: bool = True,
    keep_float: Collection[str] | float = (),
    float_input: bool = True,
    input_layout: str | None = None,
    input_shapes: Mapping[str, Sequence[int | None]] | None = None,
    progress: Progress | None = None,
) -> Model:
    """Make an int8 network of a float32 one.

    Weights become int8 with a scale for each output channel; values between steps become int8 with
    a scale and a zero point that come from what the network computes for the calibration inputs. A
    convolution, its activation and what was folded into it are one step, which rounds once. Inputs
    and outputs of the network stay float32, unless `float_input` is false.

    Parameters
    ----------
    source : path, bytes or onnx.ModelProto
        An ONNX or TFLite file, as :func:`load` takes them.
    calibration : iterable
        Inputs like those that the network will see, prepared as for a call: arrays, or mappings of
        the inputs' names to arrays where there are several. It is gone through once, and most
        inputs are forgotten after use: any number of them takes the same memory. 32 to 128 are
        enough.
    method : {"auto", "minmax", "mean_minmax", "percentile", "mse"}
        How ranges come from the calibration inputs: the extremes of all, the means of each input's
        extremes, what 99.99 % of the values lie in, or what has the least squared error. "auto"
        tries them all, and what may help besides, such as moving biases, and keeps what brings the
        outputs for the calibration inputs nearest to those of the float network.
    per_channel : bool, default True
        Whether weights have a scale for each output channel, and inputs of depthwise convolutions
        one for each channel where that costs nothing.
    keep_float : collection of str, int or float
        Steps that compute in float32: their names, as the report has them, how many of those that
        cost most (an int), or as many of these as it takes to a signal-to-noise ratio of the
        outputs on calibration inputs, in dB (a float).
    float_input : bool, default True
        Whether the network takes float32; else inputs that are rounded first are int8, and
        :attr:`Model.inputs` says how.
    input_layout, input_shapes
        As for :func:`load`. Heights, widths and lengths that the file leaves open become those of
        the first calibration input, if `input_shapes` does not give them.
    progress : callable, optional
        Called with what is being done, how much of it is done, and how much there is, None where
        that is unknown.

    Returns
    -------
    Model
        Its :attr:`Model.quantization_report` says what quantization did to each step.

    Raises
    ------
    OSError, ImportError
        As :func:`load` does.
    ValueError
        If an argument does not fit, or the network is quantized already.
    TypeError
        If an argument is of the wrong type.

    Examples
    --------
    >>> import numpy as np
    >>> import dwsep
    >>> onnx_model = dwsep.models.mobilenet_v2(resolution=96)  # or a path
    >>> images = np.random.default_rng(0).standard_normal((8, 3, 96, 96), dtype=np.float32)
    >>> model = dwsep.quantize(onnx_model, [images], method="minmax")
    >>> model(images).shape
    (8, 1000)
    """
    if not isinstance(method, str) or method not in METHODS:
        raise ValueError(f"method: need one of {', '.join(METHODS)}, got {shown(method)}")
    if not isinstance(per_channel, bool):
        raise TypeError(f"per_channel: need a bool, got {shown(per_channel)}")
    if not isinstance(float_input, bool):
        raise TypeError(f"float_input: need a bool, got {shown(float_input)}")
    if isinstance(calibration, (str, bytes, Mapping)) or not isinstance(calibration, Iterable):
        raise TypeError(f"calibration: need an iterable of inputs, got {shown(calibration)}")
    if progress is not None and not callable(progress):
        raise TypeError(f"progress: need None or a callable, got {shown(progress)}")
    check_options(input_layout, input_shapes)
    graph = _read(source, input_layout, input_shapes)
    if graph.open is not None and graph.open.atoms:
        if input_layout is not None:
            raise ValueError("input_shapes: need the sizes that the file leaves open, got none")
        shapes, calibration = peeked(graph, calibration)
        graph = _read(source, input_layout, shapes)
    check_keep_float(graph, keep_float)

    def make() -> Model:
        with np.errstate(all="ignore"):
            return _quantized(
                graph, calibration, method, per_channel, keep_float, float_input, progress
            )

    return _core.in_float_environment(make)


def _read(source: Any, input_layout: str | None, input_shapes: Any) -> Graph:
    graph = _core.in_float_environment(lambda: load_graph(source, input_shapes=input_shapes))
    kinds = {node.kind for node in graph.nodes}
    if kinds & {"quantize", "dequantize"}:
        raise ValueError("source: need a network of float32, got one that is quantized already")
    if graph.states:
        raise ValueError("source: need a network without state, got one with variables")

    def simple() -> Graph:
        with np.errstate(all="ignore"):
            as_convolutions(simplified := simplify(graph, input_layout=input_layout))
            return simplified

    return _core.in_float_environment(simple)


def values_of(graph: Graph) -> list[str]:
    """Return all values that may be stored as integers."""
    return [*find_places(graph).stored]


def _quantized(
    graph: Graph,
    calibration: Iterable[Any],
    method: str,
    per_channel: bool,
    keep_float: Collection[str] | float,
    float_input: bool,
    progress: Progress | None,
) -> Model:
    gathered = calibrate(
        graph,
        values_of(graph),
        calibration,
        histograms=method == "auto" or needs_histograms(method),
        progress=progress,
    )
    kept = [*keep_float] if isinstance(keep_float, Collection) else []
    search = Search(graph, gathered, per_channel=per_channel, keep_float=kept, progress=progress)
    auto = method == "auto"
    chosen = search.best() if auto else search.make(Options(method, per_channel))
    if not isinstance(keep_float, Collection):
        chosen, kept = keep_worst(search, chosen, keep_float)
    network = network_of(chosen.graph, {"name": graph.name})
    report = measure(graph, chosen, gathered, network, tried=search.tried, kept_float=kept)
    if not float_input:
        network = network_of(with_integer_inputs(chosen.graph), {"name": graph.name})
    return Model(network, report)
