"""Functions of one element in float64, and how many ulp a float32 evaluation may be off."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from small_networks import Builder

import dwsep

Function = Callable[..., np.ndarray]
_SIZES = (1e-45, 1e-40, 1.1754944e-38, 0.99999994, 1.0000001, 1e30, 3.4028235e38, np.inf)
_ENDS = (88.72284, 103.97208, 104.0, 8388607.5, 16777215.0, 16777216.0)  # of exp and of fractions
SPECIALS = np.float32([0.0, 0.5, 1.0, 2.0, 2.5, 3.0, *_SIZES, *_ENDS])


@dataclass(frozen=True)
class Precise:
    f: Function
    ulp: float | Function


def _each(f: Callable[[float], float], limit: float = math.nan) -> Function:
    """Make a function of arrays: NumPy has no erf, and its sine may not know large arguments."""

    def of(x):
        return np.array([math.copysign(limit, v) if math.isinf(v) else f(v) for v in x.tolist()])

    return of


def _softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _elu(x, alpha):
    return np.where(x < 0, alpha * np.expm1(np.minimum(x, 0)), x)


def _gated(x, gate):
    """At -inf the limit, not the product of infinity and 0."""
    return np.where(np.isneginf(x), -0.0, x * gate)


def _mish(x):
    return _gated(x, np.tanh(_softplus(x)))


def _bent(x):
    return math.sqrt(8 / math.pi) * x * (1 + 0.044715 * x * x)


def _gelu_tanh(x):
    return _gated(x, 1 / (1 + np.exp(-_bent(x))))


def _ulp_of_gelu_tanh(x):
    """Of the exponential of a rounded argument. Below -9.98 it may be 0, above 9.98 it is x."""
    return np.where(x < -9.98, 2.0**24, 4 + 2.5 * np.minimum(np.abs(_bent(x)), 150))


def _selu(x):
    return 1.05070102214813232421875 * _elu(x, 1.67326319217681884765625)


UNARY = {
    "exp": Precise(np.exp, 1.5),
    "sqrt": Precise(np.sqrt, 0.5),
    "neg": Precise(np.negative, 0),
    "abs": Precise(np.abs, 0),
    "erf": Precise(_each(math.erf, 1.0), 2),
    "reciprocal": Precise(lambda x: 1 / x, 0.5),
    "floor": Precise(np.floor, 0),
    "ceil": Precise(np.ceil, 0),
    "round": Precise(np.rint, 0),
    "log": Precise(np.log, 1.1),
    "softplus": Precise(_softplus, 2),
    "sin": Precise(_each(math.sin), 2.5),  # without fused multiply-adds; with them 1.6
    "cos": Precise(_each(math.cos), 2.5),
    "sign": Precise(lambda x: np.where(x == 0, x, np.sign(x)), 0),
    "selu": Precise(_selu, 2.5),
    "mish": Precise(_mish, 4),
    "softsign": Precise(lambda x: x / (1 + np.abs(x)), 1.5),
    "gelu_tanh": Precise(_gelu_tanh, _ulp_of_gelu_tanh),
}
BINARY = {"pow": Precise(np.power, 1.5), "elu": Precise(_elu, 2.5)}


def all_sizes(step: int) -> np.ndarray:
    """Every step-th float32 of either sign, NaNs among them, and special ones."""
    x = np.arange(0, 1 << 32, step, dtype=np.uint64).astype(np.uint32).view(np.float32)
    quarters = np.float32(np.arange(1, 2000) * (math.pi / 2))  # where sines and cosines vanish
    small = np.linspace(-20, 20, 8191, dtype=np.float32)
    return np.concatenate([x, SPECIALS, -SPECIALS, quarters, small])


def bases_and_exponents(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    some = np.concatenate([SPECIALS, -SPECIALS, np.float32([np.nan])])
    pairs = [np.meshgrid(some, some)]
    pairs.append((rng.uniform(0, 100, count), rng.uniform(-20, 20, count)))
    pairs.append((-rng.integers(0, 200, count) / 7, rng.integers(-30, 31, count)))
    pairs.append((1 + rng.uniform(-1e-2, 1e-2, count), rng.uniform(-2e4, 2e4, count)))
    x = rng.integers(1, 0x7F800000, count, dtype=np.uint32).view(np.float32).astype(np.float64)
    pairs.append((x, rng.uniform(-150, 130, count) / np.log2(x)))  # subnormal to infinite
    return tuple(np.concatenate([np.ravel(p[i]).astype(np.float32) for p in pairs]) for i in (0, 1))


def network(kind: str, function: str, *shapes) -> dwsep.Model:
    b = Builder()
    inputs = [b.core.input(name, shape) for name, shape in zip("ab", shapes, strict=False)]
    return dwsep.Model(b.finish(y=b.step(kind, inputs, {"function": function})))


@dataclass(frozen=True)
class FunctionCall:
    """A function of a long row, for the comparison of bits."""

    kind: str
    function: str

    def run(self) -> np.ndarray:
        inputs = (all_sizes(65_537),) if self.kind == "unary" else bases_and_exponents(3000)
        y = network(self.kind, self.function, *(x.shape for x in inputs))(*inputs)
        return np.where(np.isnan(y), np.float32(0), y)  # NaNs may differ in what they carry


def function_calls() -> Iterator[FunctionCall]:
    yield from (FunctionCall("unary", name) for name in UNARY)
    yield from (FunctionCall("binary", name) for name in BINARY)


def ulps(got: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Errors in units of the last place of float32 at the wanted values; infinite if no number."""
    wanted32 = wanted.astype(np.float32)
    _, exponent = np.frexp(np.where(np.isfinite(wanted), wanted, 1))
    unit = np.ldexp(1.0, np.maximum(exponent - 24, -149))
    error = np.abs(got.astype(np.float64) - wanted) / unit
    exact = (got == wanted32) & np.isinf(got) | np.isnan(got) & np.isnan(wanted)
    error = np.where(exact, 0, np.where(np.isfinite(error), error, np.inf))
    wrong_zero = (got == 0) & (wanted == 0) & (np.signbit(got) != np.signbit(wanted))
    return np.where(wrong_zero, np.inf, error)
