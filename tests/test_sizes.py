"""Sizes that are open: a value for an example, and conditions that say where it holds."""

import numpy as np

from dwsep.graph.open_numbers import scaled
from dwsep.graph.open_sizes import Axis, OpenSizes


def expressions(h, w):
    yield (h + 2 - 3) // 2 + 1
    yield -(-h // 4) * w
    yield (h * w * 6) // (3 * h)
    yield (h * w + w) // (h + 1)
    yield (2 * h + 7) // 2 - (w % 5)
    yield max(h - w, 0) + min(h, 3)
    yield 1 if h == w else 2 if h < 2 * w else 3
    yield (w if w % 2 else w // 2) * abs(h - w)
    yield scaled(h, 2.0) + scaled(w, 1.37)
    yield len([n for n in (h, 1, w) if n != 1])
    yield 7 // h + -9 // w


def test_sizes_are_what_their_conditions_promise():
    rng = np.random.default_rng(2)
    used = 0
    for _ in range(200):
        example = rng.integers(1, 20, 2).tolist()
        for number in range(11):
            sizes = OpenSizes()
            h, w = (sizes.axis(Axis("x", i), n) for i, n in enumerate(example))
            value = nth(h, w, number)
            other = rng.integers(1, 20, 2).tolist()
            sizes.example[:] = example
            if not holds(sizes, other):
                continue
            used += 1
            wanted = nth(*other, number)
            assert evaluated(sizes, value, other) == wanted, (example, other, number)
    assert used > 600


def nth(h, w, number):
    for i, value in enumerate(expressions(h, w)):
        if i == number:
            return value
    raise AssertionError


def values(sizes, other):
    """Return the values of all atoms for other open sizes."""
    result = []

    def value(terms):
        total = 0
        for monomial, factor in terms:
            for atom in monomial:
                factor *= result[atom]
            total += factor
        return total

    for atom in sizes.atoms:
        if isinstance(atom, Axis):
            result.append(other[atom.axis])
        elif isinstance(atom.by, float):
            product = np.float32(atom.by) * np.float32(value(atom.of))
            result.append(int(np.floor(product)))
        else:
            result.append(value(atom.of) // value(atom.by))
    return value


def holds(sizes, other):
    value = values(sizes, other)
    tests = (lambda n: n == 0, lambda n: n != 0, lambda n: n >= 0)
    return all(tests[relation](value(terms)) for terms, relation in sizes.conditions)


def evaluated(sizes, size, other):
    return size if type(size) is int else values(sizes, other)(size.terms)


def test_who_wants_the_number_holds_the_size_to_it():
    sizes = OpenSizes()
    h = sizes.axis(Axis("x", 2), 12)
    assert isinstance(h, int)
    assert h != 5 or h == 12
    before = len(sizes.conditions)
    assert list(range(h)) == list(range(12))
    assert len(sizes.conditions) == before + 1
    assert holds(sizes, [0, 0, 12])
    assert not holds(sizes, [0, 0, 13])
