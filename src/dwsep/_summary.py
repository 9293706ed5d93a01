"""What a network consists of: one row for each of its steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from ._arguments import integer
from ._checks import shown
from ._json import to_json
from ._table import shape_text, shortened, table

if TYPE_CHECKING:
    from . import _core
    from ._networks import Networks

    Shape = tuple[int, ...]

__all__ = ["StepRow", "Summary", "input_shapes", "summarize"]

# Steps that consist of multiply-adds; what others compute is counted as operations only.
_MULTIPLY_ADD = frozenset(
    ("depthwise", "pointwise", "standard", "separable", "inverted_residual", "matmul")
)


_BYTES = ("int8", "uint8")
_KEY = "float_steps"  # of a network's metadata


def float_steps_text(reasons: Mapping[str, str]) -> dict[str, str]:
    """Return why steps compute with float32 as metadata of a network; nothing if none does."""
    return {_KEY: to_json(dict(reasons))} if reasons else {}


def _float_steps(network: _core.Network) -> dict[str, str]:
    """Return what the metadata says; files may have any text there."""
    text = network.metadata.get(_KEY)
    if text is None:
        return {}
    import json

    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return {str(k): str(v) for k, v in read.items()} if isinstance(read, dict) else {}


@dataclass(frozen=True)
class StepRow:
    """A step of a network, for inputs of known shapes.

    Attributes
    ----------
    name, kind : str
        Of the node; `dwsep.graph.ir` lists the kinds.
    inputs : tuple of shapes
        Images are NHWC.
    output : tuple of int
    macs : int
        Multiply-adds; 0 for kinds that do other arithmetic.
    parameters : int
        Weights and biases.
    kernel : str
        The micro-kernels that run, "" where there is only one.
    flops : float
        Operations; a multiply-add is two.
    bytes : float
        Size of inputs, weights and output, each counted once.
    free : bool
        The step takes no time: its output is a view of its input, or was computed in place.
    input_dtypes : tuple of str
        Of each input.
    dtype : str
        Of the output.
    """

    name: str
    kind: str
    inputs: tuple[Shape, ...]
    output: Shape
    macs: int
    parameters: int
    kernel: str
    flops: float
    bytes: float
    free: bool
    input_dtypes: tuple[str, ...] = ()
    dtype: str = "float32"


@dataclass(frozen=True)
class Summary:
    """The steps of a network and their sums; prints as a table.

    Attributes
    ----------
    name : str
        Of the network.
    inputs, outputs : dict of str to shape
    rows : list of StepRow
        In the order in which they run.
    macs, parameters : int
        Sums over the rows.
    weight_bytes : int
        Size of all weights, as they are packed.
    arena_bytes : int
        Memory of a call in addition to weights, inputs and outputs.
    float_steps : dict of str to str
        Steps of a quantized network that compute with float32, by name, and why.
    """

    name: str
    inputs: dict[str, Shape]
    outputs: dict[str, Shape]
    rows: list[StepRow]
    macs: int
    parameters: int
    weight_bytes: int
    arena_bytes: int
    float_steps: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return everything as the text of a JSON object."""
        return to_json(asdict(self))

    def __str__(self) -> str:
        typed = any(row.dtype in _BYTES for row in self.rows)
        headers = ("", "node", "kind", "input", "output", "kernel", "MACs", "parameters")
        rows = [
            (
                str(number),
                shortened(row.name),
                row.kind,
                ", ".join(map(shape_text, row.inputs)),
                shape_text(row.output) + (f" {row.dtype}" if typed else ""),
                "(no work)" if row.free else row.kernel,
                f"{row.macs:,}" if row.macs else "",
                f"{row.parameters:,}" if row.parameters else "",
            )
            for number, row in enumerate(self.rows, 1)
        ]
        total = ("", "total", "", "", "", "", f"{self.macs:,}", f"{self.parameters:,}")
        return (
            f"{self.name}: {_values(self.inputs)} -> {_values(self.outputs)}\n"
            f"{table(headers, [*rows, total], 6)}\n"
            f"weights {_megabytes(self.weight_bytes)}, "
            f"scratch memory of a call {_megabytes(self.arena_bytes)}"
            f"{self._islands()}"
        )

    def _islands(self) -> str:
        """Return a line for each step of float32 in a quantized network."""
        if not self.float_steps:
            return ""
        names = {row.name for row in self.rows if not row.free}
        lines = [f"  {name}: {why}" for name, why in self.float_steps.items() if name in names]
        return "\ncomputed with float32:\n" + "\n".join(lines) if lines else ""


def _values(shapes: Mapping[str, Sequence[int]]) -> str:
    return ", ".join(f"{name} {shape_text(shape)}" for name, shape in shapes.items())


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.2f} MB"


def input_shapes(
    network: _core.Network, batch: int, shapes: Mapping[str, Sequence[int]] | None
) -> list[Shape]:
    """Shapes of all inputs: those given by name, the batch where the first axis alone is open.

    Raises
    ------
    ValueError
        If a name is unknown, or sizes are open that nobody gave.
    """
    size = integer(batch, "batch", 1)
    given = {} if shapes is None else dict(shapes)
    known = [info[0] for info in network.inputs]
    unknown = [name for name in given if name not in known]
    if unknown:
        raise ValueError(f"input_shapes: need names among {known}, got {unknown}")
    result = []
    for name, shape, *_ in network.inputs:
        if name in given:
            result.append(_given_shape(name, given[name]))
        elif -1 in shape[1:]:
            raise ValueError(
                f"input_shapes: need the shape of {name!r}, whose sizes {shape} are open where "
                "they are -1, got none"
            )
        else:
            result.append(tuple(size if axis == -1 else axis for axis in shape))
    return result


def _given_shape(name: str, shape: object) -> Shape:
    wanted = f"input_shapes[{name!r}]"
    if not isinstance(shape, Sequence) or isinstance(shape, str):
        raise TypeError(f"{wanted}: need a sequence of ints, got {shown(shape)}")
    return tuple(integer(n, wanted, 0, "sizes of at least 0", shape) for n in shape)


def step_rows(
    network: _core.Network, shapes: Sequence[Shape], num_threads: int | None
) -> list[StepRow]:
    """Rows of a network's steps for inputs of these shapes."""
    rows = []
    for step in network.steps(shapes, num_threads):
        step_fields: dict[str, Any] = {**step, "inputs": tuple(step["inputs"])}
        counted = step["kind"] in _MULTIPLY_ADD
        rows.append(StepRow(macs=round(step["flops"] / 2) if counted else 0, **step_fields))
    return rows


def summarize(
    networks: Networks,
    name: str,
    batch: int,
    shapes: Mapping[str, Sequence[int]] | None,
    num_threads: int | None,
) -> Summary:
    """Summarise what a network consists of."""
    sizes = input_shapes(networks.first, batch, shapes)
    network = networks.of_shapes(sizes)
    rows = step_rows(network, sizes, num_threads)
    return Summary(
        name=name,
        inputs={info[0]: shape for info, shape in zip(network.inputs, sizes, strict=True)},
        outputs={
            info[0]: shape
            for info, shape in zip(network.outputs, network.output_shapes(sizes), strict=True)
        },
        rows=rows,
        macs=sum(row.macs for row in rows),
        parameters=sum(row.parameters for row in rows),
        weight_bytes=network.weight_bytes,
        arena_bytes=network.arena_bytes(sizes, num_threads),
        float_steps=_float_steps(network),
    )
