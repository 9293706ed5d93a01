"""Writes the table of operators in docs/file_format.md from the specs in src/dwsep/graph/ops.

``python tools/operator_table.py`` rewrites the page; a test compares.
"""

from __future__ import annotations

from pathlib import Path

from dwsep.graph.ops import OPS, OpSpec, Weights
from dwsep.graph.ops.attributes import AttributeType, Indices

PAGE = Path(__file__).parent.parent / "docs" / "file_format.md"
_BEGIN, _END = "<!-- kinds of steps: begin -->\n", "<!-- kinds of steps: end -->"


def schema(name: str, type_: AttributeType) -> list[tuple[str, str, bool, tuple[str, ...]]]:
    """Return how the core declares an attribute: name, type, whether it must be there, choices."""
    if type_.lowered is Indices().lowered:
        return [(name, "ints", True, ()), (f"{name}_shape", "ints", False, ())]
    return [(name, type_.core, type_.required, type_.choices)]


def _attribute(name: str, type_: AttributeType) -> str:
    entries = schema(name, type_)
    names = ", ".join(f"`{entry[0]}`" for entry in entries)
    text = f"{names}: {' or '.join(entries[0][3]) or entries[0][1]}"
    return text if type_.required else f"[{text}]"


def _weights(name: str, weights: Weights) -> str:
    text = f"`{name}` ({', '.join(weights.axes)})"
    return text if weights.required else f"[{text}]"


def _row(spec: OpSpec) -> str:
    attributes = "; ".join(_attribute(name, type_) for name, type_ in spec.attributes.items())
    weights = "; ".join(_weights(name, w) for name, w in spec.weights.items())
    cells = (f"`{spec.kind}`", ", ".join(spec.inputs), attributes, weights, spec.summary)
    return f"| {' | '.join(cells)} |\n"


def table() -> str:
    """Return the table of all kinds that the core computes; what is in brackets may be absent."""
    head = "| kind | inputs | attributes | weights | output |\n|:--|:--|:--|:--|:--|\n"
    rows = [_row(spec) for _, spec in sorted(OPS.whole().items()) if spec.core]
    return "as follows; what is in brackets may be absent.\n\n" + head + "".join(rows) + "\n"


def with_table(page: str) -> str:
    """Return a page with the table between its marks."""
    before, rest = page.split(_BEGIN)
    return before + _BEGIN + table() + _END + rest.split(_END)[1]


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
