"""One-place changes of a Python module: comparisons, conditions, constants, statements."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

_SWAPPED = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Add,
}
_NAMES = {"any": "all", "all": "any", "min": "max", "max": "min"}


def _variants(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what one node of a syntax tree becomes."""
    if isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            if type(op) in _SWAPPED:
                yield _with(node, ops=[*node.ops[:i], _SWAPPED[type(op)](), *node.ops[i + 1 :]])
    elif isinstance(node, ast.BoolOp):
        yield _with(node, op=_SWAPPED[type(node.op)]())
        for i in range(len(node.values)):
            rest = [*node.values[:i], *node.values[i + 1 :]]
            yield rest[0] if len(rest) == 1 else _with(node, values=rest)
    elif isinstance(node, ast.BinOp) and type(node.op) in _SWAPPED:
        yield _with(node, op=_SWAPPED[type(node.op)]())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
        yield node.operand
    elif isinstance(node, ast.Constant):
        yield from (_with(node, value=v) for v in _constants(node.value))
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in _NAMES:
        yield _with(node, id=_NAMES[node.id])
    elif isinstance(node, (ast.If, ast.While, ast.IfExp)):
        yield _with(node, test=ast.UnaryOp(ast.Not(), node.test))
        if isinstance(node, ast.IfExp):
            yield from (node.body, node.orelse)
        elif isinstance(node, ast.If):
            yield _with(node, test=ast.Constant(False))
    elif isinstance(node, ast.comprehension) and node.ifs:
        yield _with(node, ifs=[])
    elif isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield _with(node, value=ast.Constant(None))
    elif isinstance(node, ast.Continue):
        yield ast.Break()
    elif isinstance(node, (ast.Assign, ast.AugAssign, ast.Raise)) or (
        isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant)
    ):
        yield ast.Pass()


def _with(node: ast.AST, **fields: object) -> ast.AST:
    result = copy.copy(node)
    for name, value in fields.items():
        setattr(result, name, value)
    return result


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _constants(value: object) -> list[object]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1]
    return [value * 2 + 1] if isinstance(value, float) else []


def _left_out(node: ast.AST, parent: ast.AST, field: str) -> bool:
    """Return whether a part of the tree says nothing about what is computed."""
    if field in ("annotation", "returns", "decorator_list"):
        return True
    if isinstance(node, (ast.Import, ast.ImportFrom, ast.JoinedStr, ast.Assert)):
        return True
    if isinstance(parent, ast.Raise):  # its message
        return True
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
        return True
    return isinstance(node, ast.AnnAssign) and node.value is None


def _sites(tree: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """Yield each place of a tree: the parent, its field, the place in a list, and the node."""
    for parent in ast.walk(tree):
        if getattr(parent, "left_out", False):
            for child in ast.iter_child_nodes(parent):
                child.left_out = True  # type: ignore[attr-defined]
            continue
        for field, value in ast.iter_fields(parent):
            for index, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if not isinstance(node, ast.AST):
                    continue
                if _left_out(node, parent, field):
                    node.left_out = True  # type: ignore[attr-defined]
                else:
                    yield parent, field, index, node


def changes(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    """Yield the line of each change, what stood there and what stands there now.

    The tree is changed while the caller looks at it, and is as before in the end.
    """
    for parent, field, index, node in list(_sites(tree)):
        for variant in map(copy.copy, _variants(node)):  # a part of the node keeps its own place
            ast.copy_location(variant, node)
            line = getattr(node, "lineno", getattr(parent, "lineno", 0))
            _put(parent, field, index, variant)
            yield line, _text(node), _text(variant)
            _put(parent, field, index, node)


def _put(parent: ast.AST, field: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def _text(node: ast.AST) -> str:
    """Return the source of a node on one line; of an `if` only its head."""
    if isinstance(node, (ast.If, ast.While)):
        return f"if {_text(node.test)}: ..."
    line = " ".join(ast.unparse(node).split())
    return line if len(line) <= 120 else line[:117] + "..."
