"""Ratios of interleaved timings in one process: what a shared machine can measure.

asv takes any growth for a regression, also that of a speed-up; `track_time_in_fma` says the same
as `track_share_of_peak` with the sign that asv expects, and is what comparisons should look at.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from .cases import CASES, INT8, Case
from .common import attribute, case_arrays, make_layer
from .turns import Rounds, interleaved, ratio

_SEPARABLE = {case.name: case for case in CASES if case.kind == "separable"}
_PEAK = {case.name: case for case in CASES if case.activation == "relu6"}
_INT8 = {case.name: case for case in INT8}
_SECONDS = 0.4
_FMA_SECONDS = 0.0005
_CLOCK = time.thread_time  # all of it is one thread's work


def _fma() -> tuple[Callable[[], object], float]:
    """Return a burst of multiply-adds in the registers of one core, and its operations."""
    time_fma = attribute("dwsep._core", "time_fma")
    rounds = 1000
    # The fastest of some attempts: one that is interrupted looks long enough when it is not.
    while min(time_fma(rounds)[0] for _ in range(5)) < _FMA_SECONDS:
        rounds *= 2
    return (lambda: time_fma(rounds)), float(time_fma(rounds)[1])


def _standard_arrays(case: Case) -> dict[str, np.ndarray]:
    """Return the standard convolution that a separable one replaces."""
    return case_arrays(
        Case("standard", case.size, case.inputs, case.outputs, case.kernel, case.stride)
    )


class _Gain:
    """A separable layer on one thread against the standard convolution that it replaces."""

    param_names = ("layer",)
    params = (list(_SEPARABLE),)
    unit = "x"
    timeout = 300


class GainOverNaive(_Gain):
    """Plain loops: what somebody gains who had written the convolution down as it is defined."""

    def setup(self, name: str) -> None:
        case = _SEPARABLE[name]
        naive = attribute("dwsep.reference.naive", "standard_conv2d")
        arrays = _standard_arrays(case)
        total = max((case.output_shape[0] - 1) * case.stride + case.kernel - case.size, 0)
        pads = (total // 2, total - total // 2)
        options = {"stride": (case.stride, case.stride), "padding": (pads, pads)}
        self.runners = {
            "separable": make_layer(case, 1),
            "naive": lambda: naive(arrays["x"], arrays["weight"], arrays["bias"], **options),
        }

    def track_speedup(self, name: str) -> float:
        rounds = interleaved(self.runners, _SECONDS / 2, at_most={"naive": 1}, clock=_CLOCK)
        return ratio(rounds, "naive", "separable")


class GainOverConv2D(_Gain):
    """dwsep's own standard convolution: what separability itself gains."""

    def setup(self, name: str) -> None:
        case = _SEPARABLE[name]
        standard = Case("standard", case.size, case.inputs, case.outputs, case.kernel, case.stride)
        self.runners = {"separable": make_layer(case, 1), "conv2d": make_layer(standard, 1)}

    def track_speedup(self, name: str) -> float:
        return ratio(interleaved(self.runners, _SECONDS, clock=_CLOCK), "conv2d", "separable")


class Peak:
    """A layer on one thread against multiply-adds in registers."""

    param_names = ("layer",)
    params = (list(_PEAK),)

    def setup(self, name: str) -> None:
        fma, self.fma_flops = _fma()
        self.macs = _PEAK[name].macs
        self.runners = {"layer": make_layer(_PEAK[name], 1), "fma": fma}

    def _rounds(self) -> Rounds:
        return interleaved(self.runners, _SECONDS, clock=_CLOCK)

    def track_share_of_peak(self, name: str) -> float:
        return 200 * self.macs / self.fma_flops / ratio(self._rounds(), "layer", "fma")

    track_share_of_peak.unit = "%"

    def track_time_in_fma(self, name: str) -> float:
        """Time of the layer / time that its multiply-adds would take at the peak."""
        return ratio(self._rounds(), "layer", "fma") * self.fma_flops / (2 * self.macs)

    track_time_in_fma.unit = "times the least"


class Int8Gain:
    """A layer in int8 on one thread against itself in float32, and against int8 products alone."""

    param_names = ("layer",)
    params = (list(_INT8),)

    def setup(self, name: str) -> None:
        case = _INT8[name]
        self.family = "depthwise" if case.kind == "depthwise" else "pointwise"
        self.peak_of = attribute("dwsep._limits", "int8_peak_of")
        self.flops = 2.0 * case.macs
        self.runners = {
            "int8": make_layer(case, 1),
            "float32": make_layer(replace(case, dtype="float32"), 1),
        }

    def track_speedup(self, name: str) -> float:
        return ratio(interleaved(self.runners, _SECONDS, clock=_CLOCK), "float32", "int8")

    track_speedup.unit = "x"

    def track_share_of_peak(self, name: str) -> float:
        rounds = interleaved({"int8": self.runners["int8"]}, _SECONDS, clock=_CLOCK)
        return 100 * self.flops / min(rounds["int8"]) / float(self.peak_of(self.family))

    track_share_of_peak.unit = "%"


class Error:
    """Largest error of an output, in units of the a-priori bound gamma_K sum |x| |w|.

    The sum of K products in float32 is off by at most K u / (1 - K u) times the sum of their
    magnitudes, u = 2**-24 (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1).
    """

    param_names = ("sum",)
    params = (["depthwise of 9", "depthwise of 25", "pointwise of 24", "pointwise of 512"],)

    def setup(self, name: str) -> None:
        kind, _, number = name.split()
        terms = int(number)
        side = round(terms**0.5)
        rng = np.random.default_rng(terms)
        if kind == "pointwise":
            x = rng.standard_normal((1, 64, 64, terms), dtype=np.float32)
            w = rng.standard_normal((terms, 64), dtype=np.float32)
            y = attribute("dwsep", "pointwise_conv2d")(x, w)
            exact = np.tensordot(x.astype(np.float64), w.astype(np.float64), 1)
            size = np.tensordot(np.abs(x).astype(np.float64), np.abs(w).astype(np.float64), 1)
        else:
            x = rng.standard_normal((1, 64 + side - 1, 64 + side - 1, 64), dtype=np.float32)
            w = rng.standard_normal((side, side, 64, 1), dtype=np.float32)
            y = attribute("dwsep", "depthwise_conv2d")(x, w, padding="valid")
            exact, size = np.zeros(y.shape), np.zeros(y.shape)
            for i in range(side):
                for j in range(side):
                    product = x[:, i : i + 64, j : j + 64].astype(np.float64) * w[i, j, :, 0]
                    exact += product
                    size += np.abs(product)
        u = 2.0**-24
        self.error = float(np.max(np.abs(y - exact) / (terms * u / (1 - terms * u) * size)))

    def track_error(self, name: str) -> float:
        return self.error

    track_error.unit = "bounds"


class Size:
    """Bytes of what is installed: the extension module, and all files as a wheel packs them."""

    unit = "bytes"

    def track_extension(self) -> int:
        return os.path.getsize(attribute("dwsep._core", "__file__"))

    def track_wheel(self) -> int:
        import io
        import zipfile

        package = Path(attribute("dwsep", "__file__")).parent
        memory = io.BytesIO()
        with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as wheel:
            for path in sorted(package.rglob("*")):
                if path.suffix in (".py", ".pyi", ".so", ".typed", ".pxd"):
                    wheel.write(path, path.relative_to(package.parent))
        return memory.tell()
