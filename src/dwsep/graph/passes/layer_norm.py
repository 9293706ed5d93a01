"""Recognises layer normalisation over the last axes by what it is composed of.

That of an image whose channels are planes (instance normalisation) is one, whose axes are merged.

J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer Normalization", 2016, arXiv:1607.06450:
y = (x - mean) / sqrt(variance + epsilon) * scale + shift, multiplied out or not.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from ..ir import AnyArray, Array, Graph, Node
from ..sizes import Shape, is_size, known_product, shape_argument
from ._edit import Edit
from ._patterns import lines

# Sixteen accumulators sum as many elements as there are: 2^14 in each, and rounding errors grow.
_MOST_MERGED = 1 << 18
_ONE, _ZERO = np.ones(1, np.float32), np.zeros(1, np.float32)


def run(graph: Graph) -> bool:
    """Write layer normalisations as one node, their scale and shift included."""
    edit = Edit(graph)
    for node in edit.nodes("binary"):
        if node.attributes.get("activation") is None:
            _normalised(edit, node) or _multiplied_out(edit, node)
    for node in edit.nodes("binary"):
        if node.attributes.get("activation") is None:
            _scaled(edit, node)
    return edit.finish()


def _normalised(edit: Edit, node: Node) -> bool:
    """(x - mean) / sqrt(mean((x - mean) ** 2) + epsilon), or times the reciprocal."""
    for difference, deviation in _quotients(edit, node):
        centred = _centred(edit, difference)
        if centred is not None and _become_norm(edit, node, centred, deviation):
            return True
    return False


def _multiplied_out(edit: Edit, node: Node) -> bool:
    """Products by m = scale / sqrt(...), of x and the mean: x m + (shift - mean m), as by Keras."""
    if node.attributes["function"] not in ("add", "sub"):
        return False
    terms = _terms(edit, node.output, 1)
    known = [(sign, edit.constant(value)) for sign, value in terms]
    shifts = [sign * constant for sign, constant in known if constant is not None]
    products = [term for term, (_, constant) in zip(terms, known, strict=True) if constant is None]
    if len(products) != 2 or len(shifts) > 1:
        return False
    first, second = (_factors(edit, value, sign) for sign, value in products)
    for (sign, x, m), (other, mean, again) in (*product(first, second), *product(second, first)):
        centred = _mean(edit, mean)
        if (sign, other, again) != (1, -1, m) or centred is None or centred[0] != x:
            continue
        for scale, inverse in _scaled_inverses(edit, m):
            root = _inverse(edit, inverse)
            if root is not None and _become_norm(edit, node, centred, root, scale, *shifts):
                return True
    return False


def _terms(edit: Edit, value: str, sign: int, depth: int = 3) -> list[tuple[int, str]]:
    """Return the signed terms of sums of sums."""
    node = edit.made_by(value, "binary", "unary")
    if node is not None and depth and node.attributes.get("activation") is None:
        function = node.attributes["function"]
        if function == "neg":
            return _terms(edit, node.inputs[0], -sign, depth - 1)
        if function in ("add", "sub"):
            a, b = node.inputs
            second = sign if function == "add" else -sign
            return _terms(edit, a, sign, depth - 1) + _terms(edit, b, second, depth - 1)
    return [(sign, value)]


def _factors(edit: Edit, value: str, sign: int) -> list[tuple[int, str, str]]:
    """Return (sign, a, b) and (sign, b, a) of a product, without what negates a factor."""
    node = edit.made_by(value, "binary")
    if node is None or node.attributes["function"] != "mul" or node.attributes.get("activation"):
        return []
    plain = []
    for factor in node.inputs:
        made = edit.made_by(factor, "unary")
        if made is not None and made.attributes["function"] == "neg":
            sign, factor = -sign, made.inputs[0]
        plain.append(factor)
    a, b = plain
    return [(sign, a, b), (sign, b, a)]


def _scaled_inverses(edit: Edit, m: str) -> Iterator[tuple[AnyArray, str]]:
    """Yield what a value may be the product of: a constant, and one over a deviation."""
    yield _ONE, m
    for _, a, b in _factors(edit, m, 1):
        constant = edit.constant(a)
        if constant is not None:
            yield constant, b


def _become_norm(
    edit: Edit,
    node: Node,
    centred: tuple[str, int],
    deviation: str,
    scale: AnyArray = _ONE,
    shift: AnyArray = _ZERO,
) -> bool:
    """Make the node a norm if the square of its deviation is the variance and a number."""
    x, first = centred
    shape = edit.shape(x)
    sizes = shape[first:]
    if None in sizes or not (len(sizes) == 1 or _merges(sizes)) or edit.shape(node.output) != shape:
        return False
    size = known_product(sizes)
    if not (_fits(scale, sizes) and _fits(shift, sizes)):
        return False
    for root, slope, epsilon in lines(edit, deviation):
        if slope != 1 or epsilon < 0 or not _is_variance(edit, root, centred):
            continue
        numbers = max(scale.size, shift.size) if len(sizes) > 1 else size
        weights = {
            name: np.broadcast_to(values.ravel(), numbers).astype(np.float32)
            for name, values in (("scale", scale), ("shift", shift))
        }
        norm = Node("layer_norm", [x], "", {"epsilon": epsilon}, weights, node.name)
        if len(sizes) > 1:
            flat = (*shape[:first], size)
            norm.inputs = [_reshape(edit, node, x, shape_argument(shape, flat))]
            norm.output = edit.fresh(f"{node.output}_norm")
            value = edit.insert(node, norm)
            edit.become(node, "reshape", [value], {"shape": shape_argument(flat, shape)})
        else:
            edit.take_over(node, norm)
        return True
    return False


def _fits(factors: AnyArray, sizes: Shape) -> bool:
    """Whether there is one number for all, or one for each element that is normalised."""
    return factors.size == 1 or (
        factors.size == known_product(sizes) and factors.shape[-len(sizes) :] == tuple(sizes)
    )


def _merges(sizes: Shape) -> bool:
    return not any(map(is_size, sizes)) and known_product(sizes) <= _MOST_MERGED


def _reshape(edit: Edit, before: Node, x: str, shape: tuple[int, ...]) -> str:
    name = edit.fresh(f"{before.output}_flat")
    return edit.insert(before, Node("reshape", [x], name, {"shape": shape}))


def _quotients(edit: Edit, node: Node) -> list[tuple[str, str]]:
    """Return (a, b) for which the node is a / sqrt(b)."""
    a, b = node.inputs
    function = node.attributes["function"]
    if function == "div":
        root = _root(edit, b)
        return [] if root is None else [(a, root)]
    found = []
    for x, y in ((a, b), (b, a)) if function == "mul" else ():
        root = _inverse(edit, y)
        if root is not None:
            found.append((x, root))
    return found


def _inverse(edit: Edit, value: str) -> str | None:
    """Return b if a value is 1 / sqrt(b)."""
    node = edit.made_by(value, "unary", "binary")
    if node is None:
        return None
    if node.attributes["function"] == "reciprocal":
        return _root(edit, node.inputs[0])
    if node.attributes["function"] == "div" and edit.scalar(node.inputs[0]) == 1:
        return _root(edit, node.inputs[1])
    return _power(edit, value, -0.5)


def _root(edit: Edit, value: str) -> str | None:
    node = edit.made_by(value, "unary")
    if node is not None and node.attributes["function"] == "sqrt":
        return node.inputs[0]
    return _power(edit, value, 0.5)


def _power(edit: Edit, value: str, exponent: float) -> str | None:
    node = edit.made_by(value, "binary")
    if node is None or node.attributes["function"] != "pow":
        return None
    return node.inputs[0] if edit.scalar(node.inputs[1]) == exponent else None


def _mean(edit: Edit, value: str) -> tuple[str, int] | None:
    """Return x and an axis if a value is its mean from that axis on; the axes stay with size 1."""
    node = edit.made_by(value, "reduce")
    if node is None or node.attributes["function"] != "mean" or not node.attributes["keepdims"]:
        return None
    x = node.inputs[0]
    rank = len(edit.shape(x))
    axes = sorted(axis % rank for axis in node.attributes["axes"])
    return (x, axes[0]) if axes and axes == [*range(axes[0], rank)] else None


def _centred(edit: Edit, value: str) -> tuple[str, int] | None:
    """Return x and an axis if a value is x - mean(x), the mean from that axis on."""
    node = edit.made_by(value, "binary")
    if node is None or node.attributes["function"] != "sub" or node.attributes.get("activation"):
        return None
    mean = _mean(edit, node.inputs[1])
    return mean if mean is not None and mean[0] == node.inputs[0] else None


def _is_variance(edit: Edit, value: str, centred: tuple[str, int]) -> bool:
    squared = _mean(edit, value)
    node = None if squared is None else edit.made_by(squared[0], "binary")
    if node is None or squared is None or squared[1] != centred[1]:
        return False
    if node.attributes.get("activation"):
        return False
    a, b = node.inputs
    function = node.attributes["function"]
    square = (function == "mul" and a == b) or (function == "pow" and edit.scalar(b) == 2)
    return square and _centred(edit, a) == centred


def _scaled(edit: Edit, node: Node) -> None:
    """Let a layer_norm do the scale, and then the shift, that is its only reader."""
    function = node.attributes["function"]
    if function not in ("mul", "add"):
        return
    for value, known in (node.inputs, node.inputs[::-1]):
        norm = edit.made_by(value, "layer_norm")
        factors = edit.constant(known)
        if norm is None or factors is None or not edit.private(value):
            continue
        size = norm.weights["scale"].size
        if factors.size not in (1, size) or factors.shape[-1:] not in ((), (1,), (size,)):
            continue
        if edit.shape(node.output) != edit.shape(value):
            continue
        edit.take_over(node, norm)
        node.weights = _with(norm.weights, function, np.broadcast_to(factors.ravel(), size))
        return


def _with(weights: dict[str, Array], function: str, factors: Array) -> dict[str, Array]:
    if function == "add":
        return {**weights, "shift": weights["shift"] + factors}
    return {name: weights[name] * factors for name in ("scale", "shift")}
