"""What the benchmarks share: layers made from cases, and interleaved timing.

Every name of dwsep is looked up when a benchmark needs it and a benchmark that does not find its
own is skipped, so the suite can be imported on any commit. For the same reason interleaved timing
is here and not taken from dwsep.cli: both commits of a comparison must be measured alike.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from .cases import Case

__all__ = [
    "STAGES",
    "Rounds",
    "aligned",
    "attribute",
    "case_arguments",
    "case_arrays",
    "cpus",
    "interleaved",
    "make_layer",
    "make_packed",
    "random_array",
    "ratio",
    "seconds_waited",
    "skip_unless_cpus",
    "times_in_turns",
    "undisturbed",
]

Rounds = dict[str, list[float]]

# Other libraries' threads spin for up to 20 ms after a call, and would steal from the next.
_SETTLE_SECONDS = 0.02

# A turn is disturbed where threads waited for a CPU for so much of its time. Next to a busy core
# LiteRT / dwsep on two threads read 0.7 to 2.2 for products that are 1.02 to 1.16 in the turns that
# are left (AMD EPYC, Zen 3, AVX2, 2026-11-29).
_MOST_WAITED = 0.04


def attribute(module: str, name: str) -> Any:
    """Return a name of dwsep; skip the benchmark on a commit that lacks it."""
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise NotImplementedError(f"this commit has no {module}.{name}") from error


def cpus() -> int:
    """Return the CPUs that this process may use."""
    return len(os.sched_getaffinity(0))


def skip_unless_cpus(threads: int) -> None:
    """Skip the benchmark where its threads would share CPUs."""
    if threads > cpus():
        raise NotImplementedError(f"{threads} threads, {cpus()} CPUs")


def random_array(*shape: int, scale: float = 1.0, seed: int = 0) -> np.ndarray:
    """Return normal numbers at a cache line, where the results of layers lie, all touched."""
    normal = np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)
    return aligned(normal * np.float32(scale))


def aligned(values: np.ndarray) -> np.ndarray:
    """Copy to a cache line."""
    line = 64
    room = np.empty(values.nbytes + line, np.uint8)
    skip = -room.ctypes.data % line
    array = room[skip : skip + values.nbytes].view(values.dtype).reshape(values.shape)
    array[...] = values
    return array


def case_arrays(case: Case) -> dict[str, np.ndarray]:
    """Return the input and the weights, by the parameters of dwsep's functions."""
    kh, kw = case.kernels
    c, o, e = case.inputs, case.outputs, case.expanded

    def matrix(inputs: int, outputs: int, seed: int) -> np.ndarray:
        return random_array(inputs, outputs, scale=inputs**-0.5, seed=seed)

    def taps(channels: int, times: int = 1) -> np.ndarray:
        return random_array(kh, kw, channels, times, scale=(kh * kw) ** -0.5, seed=1)

    x = {"x": random_array(1, *case.shape, c)}
    bias = {"bias": random_array(o, seed=2)}
    if case.kind == "depthwise":
        return x | {"weight": taps(c, o // c)} | bias
    if case.kind == "pointwise":
        return x | {"weight": matrix(c, o, 3)} | bias
    if case.kind == "separable":
        first = {"depthwise_weight": taps(c), "depthwise_bias": random_array(c, seed=4)}
        return x | first | {"weight": matrix(c, o, 3)} | bias
    if case.kind == "inverted":
        weights = {
            "expand_weight": matrix(c, e, 5),
            "depthwise_weight": taps(e),
            "weight": matrix(e, o, 6),
        }
        biases = {name: random_array(e, seed=7) for name in ("expand_bias", "depthwise_bias")}
        return x | weights | biases | bias
    fan = kh * kw * c // case.groups
    weight = random_array(kh, kw, c // case.groups, o, scale=fan**-0.5, seed=8)
    return x | {"weight": weight} | bias


_NAMES = {
    "depthwise": ("DepthwiseConv2D", "depthwise_conv2d"),
    "pointwise": ("PointwiseConv2D", "pointwise_conv2d"),
    "separable": ("SeparableConv2D", "separable_conv2d"),
    "inverted": ("InvertedResidual", "inverted_residual"),
    "standard": ("Conv2D", "conv2d"),
}


# Prefixes of the arguments of each stage.
STAGES = {"separable": ("depthwise_", ""), "inverted": ("expand_", "depthwise_", "")}


def _in_int8(case: Case, arguments: dict[str, Any]) -> dict[str, Any]:
    """Round x, weights and biases; the outputs of all stages have the range of relu6."""
    quantization = attribute("dwsep", "Quantization")
    quantize_weight = attribute("dwsep", "quantize_weight")
    x = arguments["x"]
    qx, six = quantization.from_range(x.min(), x.max()), quantization.from_range(0, 6)
    made = {**arguments, "x": aligned(qx.quantize(x)), "x_quantization": qx, "quantization": six}
    for name, value in arguments.items():
        if name.endswith("weight"):
            windows = case.kind == "depthwise" or name.startswith("depthwise")
            axis = (-2, -1) if windows else -1
            made[name], made[f"{name}_quantization"] = quantize_weight(value, axis)
        elif name.endswith("_activation"):
            made[f"{name.removesuffix('activation')}quantization"] = six
    for number, prefix in enumerate(STAGES.get(case.kind, ("",))):
        x_scale = np.float32((six if number else qx).scale)
        steps = x_scale * made[f"{prefix}weight_quantization"].scale
        made[f"{prefix}bias"] = np.rint(arguments[f"{prefix}bias"] / steps).astype(np.int32)
    return made


def case_arguments(case: Case) -> dict[str, Any]:
    """Return all arguments of the function of a case."""
    arguments = case_arrays(case) | _options(case)
    return _in_int8(case, arguments) if case.dtype == "int8" else arguments


def _options(case: Case) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if case.kind != "pointwise":
        options |= {"stride": case.strides, "dilation": case.dilations}
    if case.kind == "standard":
        options["groups"] = case.groups
    if case.kind in ("separable", "inverted"):
        options["depthwise_activation"] = case.activation
    if case.kind == "inverted":
        return options | {"expand_activation": case.activation}
    return options | {"activation": case.activation}


def make_layer(case: Case, threads: int) -> Callable[[], np.ndarray]:
    """Return a call of the packed layer: no arguments, an output that was touched before."""
    layer, x = make_packed(case)
    out = layer(x, num_threads=threads)
    return lambda: layer(x, out=out, num_threads=threads)


def make_packed(case: Case) -> tuple[Any, np.ndarray]:
    """Return the layer and its input."""
    arguments = case_arguments(case)
    x = arguments.pop("x")
    return attribute("dwsep", _NAMES[case.kind][0])(**arguments), x


def make_function(case: Case, threads: int) -> Callable[[], np.ndarray]:
    """Return a call of the function, which packs the weights and makes its output."""
    function = attribute("dwsep", _NAMES[case.kind][1])
    arguments = case_arguments(case) | {"num_threads": threads}
    function(**arguments)
    return lambda: function(**arguments)


def interleaved(
    runners: Mapping[str, Callable[[], object]],
    seconds: float,
    burst: float = 0.01,
    settle: float = 0.0,
    at_most: Mapping[str, int] | None = None,
    clock: Callable[[], float] = time.perf_counter,
    waits: Rounds | None = None,
) -> Rounds:
    """Time runners interleaved, A B C A B C ...; what disturbs one round disturbs all of them.

    Parameters
    ----------
    runners : mapping of str to callable
    seconds : float
        To spend on all runners together, those of `at_most` apart; at least three rounds are made.
    burst : float
        Seconds of each runner in a round, after as many that do not count.
    settle : float
        Seconds of sleep before each: other libraries' threads spin for up to 20 ms after a call.
    at_most : mapping of str to int, optional
        Runners so slow that they are called once in each of so many rounds, the first ones.
    clock : callable, optional
        The wall clock; `time.thread_time` where all runners work on the calling thread alone, as it
        does not count what other programs take.

    Returns
    -------
    dict of str to list of float
        For every runner the median of each round.
    """
    slow = dict(at_most or {})
    rounds: Rounds = {name: [] for name in runners}
    spent, number = 0.0, 0
    while spent < seconds or number < max(3, *slow.values(), 0):
        for name, run in runners.items():
            if name in slow:
                if number < slow[name]:
                    rounds[name].append(_burst(run, 0.0, clock))
                continue
            start = time.perf_counter()
            if settle:
                time.sleep(settle)
            _burst(run, burst, clock)
            before, waited = time.perf_counter(), seconds_waited()
            rounds[name].append(_burst(run, burst, clock))
            if waits is not None:
                lost, took = seconds_waited() - waited, time.perf_counter() - before
                waits.setdefault(name, []).append(max(lost, 0.0) / took)
            spent += time.perf_counter() - start
        number += 1
    return rounds


def seconds_waited() -> float:
    """Return for how long the threads of this process were ready to run and had no CPU.

    Zero where the system does not tell.
    """
    nanoseconds = 0
    for thread in Path("/proc/self/task").glob("*/schedstat"):
        try:
            nanoseconds += int(thread.read_text(encoding="ascii").split()[1])
        except OSError:  # it has ended
            continue
    return nanoseconds / 1e9


def undisturbed(waits: Rounds) -> list[int]:
    """Return the rounds in which no runner waited for a CPU; if few, the third that waited least.

    What they measured has no part in the choice.
    """
    most = [max(shares) for shares in zip(*waits.values(), strict=True)]
    order = sorted(range(len(most)), key=lambda number: most[number])
    clean = sum(share <= _MOST_WAITED for share in most)
    return sorted(order[: max(clean, 3, len(most) // 3)])


def _burst(run: Callable[[], object], seconds: float, clock: Callable[[], float]) -> float:
    times: list[float] = []
    start = now = clock()
    while not times or now - start < seconds:
        before = now
        run()
        now = clock()
        if now > before:  # a thread's CPU time was seen to stand still when it changed its CPU
            times.append(now - before)
    return median(times)


def times_in_turns(
    runners: dict[str, Callable[[], object]], seconds: float, threads: int
) -> dict[str, Any]:
    """Return the median time of each runner, and how many times as fast dwsep's is as others.

    Of the rounds that no other program disturbed: the same ones for all. `rounds` says how many
    these are, of how many, `waited` for how much of their time threads had no CPU even so.
    """
    alone = threads == 1
    waits: Rounds = {}
    all_rounds = interleaved(
        runners,
        seconds * len(runners),
        burst=0.015 if alone else 0.05,
        settle=0.0 if alone else _SETTLE_SECONDS,
        waits=waits,
    )
    kept = undisturbed(waits)
    rounds = {name: [values[number] for number in kept] for name, values in all_rounds.items()}
    times = {name: median(values) for name, values in rounds.items()}
    return {
        "seconds": times,
        "rounds": [len(kept), len(next(iter(all_rounds.values())))],
        "waited": max(median(waits[name][number] for number in kept) for name in runners),
        "times_as_fast": {
            name: median(b / a for a, b in zip(rounds["dwsep"], values, strict=True))
            for name, values in rounds.items()
            if name != "dwsep"
        },
    }


def ratio(rounds: Rounds, above: str, below: str) -> float:
    """Return the median over the rounds of one runner's time divided by another's."""
    return median(a / b for a, b in zip(rounds[above], rounds[below], strict=False))
