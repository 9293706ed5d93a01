"""Fits the polynomials of cpp/simd: minimax, with coefficients rounded to float32.

python tools/minimax.py [NAME...] prints each polynomial's coefficients, lowest first, with its
largest weighted error before rounding errors of its evaluation.

Coefficients are rounded one after the other, the lowest first, and those that are left are fitted
anew, so that the rounding of one is made up for by the others. Each is a least-squares fit whose
weights grow where its error is large (C. L. Lawson, 1961): slower than an exchange of extrema, but
it does not mind weights that vanish.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Function = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Fit:
    """weight(x) |f(x) - c[0] - c[1] x - ...| is to be as small as possible on [low, high]."""

    f: Function
    degree: int
    low: float
    high: float
    weight: Function = np.ones_like


def minimax(columns: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the combination of columns that is nearest to the target where it is farthest."""
    scale = np.max(np.abs(columns), axis=0)
    scaled = columns / scale
    weight = np.full(len(target), 1 / len(target))
    best, least = np.zeros(columns.shape[1], np.longdouble), np.inf
    for _ in range(500):
        root = np.sqrt(weight)[:, None]
        q, r = np.linalg.qr(scaled.astype(float) * root)
        solution = np.zeros(columns.shape[1], np.longdouble)
        for _ in range(2):  # refined, because powers are nearly dependent
            residual = (target - scaled @ solution).astype(float)
            solution = solution + np.linalg.solve(r, q.T @ (residual * root[:, 0]))
        error = np.abs(scaled @ solution - target).astype(float)
        if error.max() < least:
            best, least = solution / scale, error.max()
        weight *= error
        weight /= weight.sum()
    return best


def rounded(fit: Fit) -> tuple[list[np.float32], float]:
    """Return the coefficients as float32, and the largest weighted error that is left."""
    x = (fit.low + fit.high) / 2 - (fit.high - fit.low) / 2 * np.cos(np.linspace(0, np.pi, 1_001))
    x = x[x != 0].astype(np.longdouble)
    weight = fit.weight(x)
    columns = weight[:, None] * x[:, None] ** np.arange(fit.degree + 1)
    error, kept = weight * fit.f(x), []
    for i in range(fit.degree + 1):
        kept.append(np.float32(minimax(columns[:, i:], error)[0]))
        error = error - columns[:, i] * np.longdouble(kept[-1])
    return kept, float(np.max(np.abs(error)))


def series(*terms: float) -> Function:
    """Return a power series as a function: differences of nearly equal numbers lose too much."""
    return lambda x: sum(np.longdouble(t) * x**i for i, t in enumerate(terms))


_RECIPROCALS = [np.longdouble(1) / i for i in range(1, 90)]
# (log(1 + x) - x + x^2 / 2) / x^3
_LOG_TAIL = series(*((-1) ** i * _RECIPROCALS[i + 2] for i in range(80)))
# (sin(r) - r) / r^3 and (cos(r) - 1 + r^2 / 2) / r^4, of x = r^2
_SIN_TAIL = series(*(-((-1) ** i) / np.longdouble(math.factorial(2 * i + 3)) for i in range(9)))
_COS_TAIL = series(*((-1) ** i / np.longdouble(math.factorial(2 * i + 4)) for i in range(9)))
# (2^r - 1) / r
_LN2 = np.log(np.longdouble(2))
_EXP2_TAIL = series(*(_LN2 ** (i + 1) / math.factorial(i + 1) for i in range(16)))
# log2((1 + s) / (1 - s)) = 2 / ln 2 (s + s^3 / 3 + ...), from s^5 on, over s^5, of x = s^2
_LOG2_TAIL = series(*(2 / _LN2 * _RECIPROCALS[2 * i + 4] for i in range(30)))
_ERFC = np.vectorize(math.erfc, otypes=[np.longdouble])
_QUARTER = np.pi / 4 + 0.01  # a quotient is rounded before it is rounded to an integer
_S_LARGEST = (math.sqrt(2) - 1) / (math.sqrt(2) + 1)

FITS = {
    # Relative to log(1 + x), which is about x (1 - x / 2).
    "log": Fit(_LOG_TAIL, 7, math.sqrt(0.5) - 1, math.sqrt(2) - 1, lambda x: x * x),
    "log1p": Fit(_LOG_TAIL, 7, -0.25, 0.5, lambda x: x * x),
    "sin": Fit(_SIN_TAIL, 2, 0, _QUARTER**2, lambda x: x),
    "cos": Fit(_COS_TAIL, 2, 0, _QUARTER**2, lambda x: x * x),
    "exp2": Fit(_EXP2_TAIL, 5, -0.501, 0.501, np.abs),
    # Of erf and tanh: 1 less a power of two.
    "log2 of erfc": Fit(lambda x: np.log2(_ERFC(x)), 6, 0.75, 3.95, _ERFC),
    "whole exp2": Fit(np.exp2, 5, -0.502, 0.502, lambda x: np.exp2(-x)),
    "log2": Fit(_LOG2_TAIL, 3, 0, _S_LARGEST**2, lambda x: x * x),
}


def main(names: list[str]) -> None:
    """Print the fits of these names, or all."""
    for name in names or FITS:
        coefficients, error = rounded(FITS[name])
        print(f"{name}: {', '.join(f'{c:.9g}F' for c in coefficients)}  error {error:.2g}")


if __name__ == "__main__":
    main(sys.argv[1:])
