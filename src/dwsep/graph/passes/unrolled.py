"""Recognises recurrent layers that a file writes step by step, as Keras does by `unroll=True`.

LSTM, and GRU that resets after its product, with a state of zeros before the first step. A layer of
30 steps is 330 nodes, each a step of 0.2 us of the network.
"""

from __future__ import annotations

import numpy as np

from ..ir import Graph, Node
from ..sizes import Shape, known_product, shape_argument
from ._edit import Edit
from ._recurrent_cells import GATES, Cell, cells, follows, plain
from .shared_weights import equal, sort

_FEWEST = 3  # steps


def run(graph: Graph) -> bool:
    """Write each chain of steps as one node."""
    changed = False
    while _layer(graph):
        graph.nodes = sort(graph.nodes)
        changed = True
    return changed


def _layer(graph: Graph) -> bool:
    edit = Edit(graph)
    found: dict[str, Cell] = {}  # by the state
    last: dict[int, list[Cell]] = {}  # chains by their first step
    for node in graph.nodes:
        for cell in cells(edit, node):
            if not follows(edit, cell, found):
                continue
            found[node.output] = cell
            chain = [cell] if cell.before is None else [*last.get(id(cell.before), []), cell]
            last[id(cell)] = chain
            break
    for chain in sorted(last.values(), key=len, reverse=True):
        if len(chain) < _FEWEST:
            break
        if _become_layer(edit, chain):
            return edit.finish()
    return False


def _become_layer(edit: Edit, chain: list[Cell]) -> bool:
    first, last = chain[0], chain[-1]
    inputs = [cell.products[0].inputs[0] for cell in chain]
    shape = edit.shape(inputs[0])
    if any(edit.shape(x) != shape for x in inputs) or type(shape[-1]) is not int:
        return False
    if shape[0] is not None and type(shape[0]) is not int:  # depends on an open size
        return False
    if not _same_inputs(first, last) or _depend(edit, inputs, chain):
        return False
    node = _node(last)
    node.inputs = [_stacked(edit, inputs, shape)]
    node.output = edit.fresh(f"{last.node.output}_steps")
    node.name = last.node.name
    states = edit.append(node)
    count = len(chain)
    _join(edit, [cell.node.output for cell in chain], states)
    for step in reversed(range(count)):
        state = chain[step].node
        if edit.readers(state.output) or edit.is_output(state.output):
            _read(edit, state, states, step)
        if step == count - 1 and last.kind == "lstm":
            cells = edit.producer.get(last.cells)
            if cells is not None and (edit.readers(last.cells) or edit.is_output(last.cells)):
                _read(edit, cells, states, count)
    return True


def _same_inputs(first: Cell, last: Cell) -> bool:
    """Whether the first step, which may lack gates, multiplies its input as the last one."""
    x, other = first.products[0], last.products[0]
    at = {gate: s.products.get(id(x), (x, -1))[1] for gate, s in first.gates.items()}
    wanted = {gate: last.gates[gate].products[id(other)][1] for gate in at}
    return at == wanted and equal(x.weights["weight"], other.weights["weight"])


def _depend(edit: Edit, inputs: list[str], chain: list[Cell]) -> bool:
    """Whether an input of a step is made of a state of the same layer."""
    own = {cell.node.output for cell in chain} | {cell.cells for cell in chain if cell.cells}
    seen: set[str] = set()
    open_ = list(inputs)
    while open_:
        value = open_.pop()
        if value in own:
            return True
        node = edit.producer.get(value)
        if node is not None and value not in seen:
            open_ += node.inputs
        seen.add(value)
    return False


def _node(cell: Cell) -> Node:
    sums = [cell.gates[gate] for gate in GATES[cell.kind]]
    weights = {
        "input_weight": np.ascontiguousarray(cell.weight(0)[None], np.float32),
        "weight": np.ascontiguousarray(cell.weight(1)[None], np.float32),
        "bias": np.concatenate([s.bias() for s in sums])[None].astype(np.float32),
    }
    attributes: dict[str, object] = {"cell": cell.kind, "direction": "forward"}
    attributes |= {"gate_activation": "sigmoid", "activation": "tanh"}
    if cell.reset is not None:
        none = np.zeros(2 * cell.units)
        kept = np.concatenate([none, cell.reset.bias()])
        weights["recurrent_bias"] = kept[None].astype(np.float32)
        attributes["reset_after"] = True
    else:
        attributes["cell_activation"] = "tanh"
    return Node("recurrent", [], "", attributes, weights)


def _stacked(edit: Edit, inputs: list[str], shape: Shape) -> str:
    """Return the inputs of all steps, (steps, batch, features)."""
    whole = (len(inputs), *shape)
    sources = []
    for step, value in enumerate(inputs):
        node = edit.made_by(plain(edit, value), "slice")
        if node is None or edit.shape(node.inputs[0]) != whole:
            break
        starts = node.attributes["starts"]
        one = edit.shape(node.output) == (1, *shape) and all(
            n == 1 for n in node.attributes["steps"]
        )
        if not one or tuple(starts) != (step, *(0 for _ in shape)):
            break
        sources.append(node.inputs[0])
    if len(sources) == len(inputs) and len(set(sources)) == 1:
        return sources[0]
    rows = [_reshape(edit, value, (1, *shape)) for value in inputs]
    name = edit.fresh(f"{inputs[0]}_all")
    return edit.append(Node("concat", rows, name, {"axis": 0}))


def _reshape(edit: Edit, value: str, shape: Shape) -> str:
    argument = shape_argument(edit.shape(value), shape)
    name = edit.fresh(f"{value}_row")
    return edit.append(Node("reshape", [value], name, {"shape": argument}))


def _part(edit: Edit, states: str, start: int, stop: int) -> str:
    attributes = {
        "starts": (start, 0, 0, 0),
        "stops": (stop, None, None, None),
        "steps": (1, 1, 1, 1),
    }
    return edit.append(Node("slice", [states], edit.fresh(f"{states}_part"), attributes))


def _read(edit: Edit, node: Node, states: str, step: int) -> None:
    """Let a node that gave a state read it from the layer."""
    part = _part(edit, states, step, step + 1)
    argument = shape_argument(edit.shape(part), edit.shape(node.output))
    edit.become(node, "reshape", [part], {"shape": argument})


def _join(edit: Edit, outputs: list[str], states: str) -> None:
    """Let concatenations of all states be views of the layer's."""
    for node in edit.nodes("concat"):
        if [plain(edit, value) for value in node.inputs] != outputs:
            continue
        axis, part = node.attributes["axis"], edit.shape(node.inputs[0])
        if None in part or known_product(part[:axis]) != 1:
            continue
        whole = _part(edit, states, 0, len(outputs))
        argument = shape_argument(edit.shape(whole), edit.shape(node.output))
        edit.become(node, "reshape", [whole], {"shape": argument})
