"""Times of packed layers and of functions: every operator by shape, threads and instruction set."""

from __future__ import annotations

import os

from .cases import INT8, QUICK, of_kind
from .common import attribute, make_function, make_layer, skip_unless_cpus
from .odd_cases import ODD

_QUICK = {case.name: case for case in QUICK}


class _Layer:
    """Calls of one kind of layer, packed before, into an output that is there."""

    param_names = ("layer", "threads")

    def setup(self, name: str, threads: int) -> None:
        skip_unless_cpus(threads)
        self.call = make_layer(of_kind(self.kind)[name], threads)

    def time_call(self, name: str, threads: int) -> None:
        self.call()


class Depthwise(_Layer):
    kind = "depthwise"
    params = (list(of_kind(kind)), [1, 2])


class Pointwise(_Layer):
    kind = "pointwise"
    params = (list(of_kind(kind)), [1, 2])


class Separable(_Layer):
    kind = "separable"
    params = (list(of_kind(kind)), [1, 2])


class InvertedResidual(_Layer):
    kind = "inverted"
    params = (list(of_kind(kind)), [1, 2])


class Standard(_Layer):
    kind = "standard"
    params = (list(of_kind(kind)), [1, 2])


class Odd(_Layer):
    """Layers that few networks have, of every kind."""

    params = ([case.name for case in ODD], [1, 2])

    def setup(self, name: str, threads: int) -> None:
        skip_unless_cpus(threads)
        self.call = make_layer({case.name: case for case in ODD}[name], threads)


class Int8(_Layer):
    """Layers in int8, of every kind."""

    params = ([case.name for case in INT8], [1, 2])

    def setup(self, name: str, threads: int) -> None:
        skip_unless_cpus(threads)
        self.call = make_layer({case.name: case for case in INT8}[name], threads)


class Functions:
    """Calls of functions: packing and the new output are in the time."""

    param_names = ("layer", "threads")
    params = (list(_QUICK), [1])

    def setup(self, name: str, threads: int) -> None:
        self.call = make_function(_QUICK[name], threads)

    def time_call(self, name: str, threads: int) -> None:
        self.call()


class InstructionSets:
    """Layers with one instruction set forced; it is read once, before the process's first call."""

    param_names = ("isa", "layer")
    params = (["avx512", "avx2", "baseline", "neon"], list(_QUICK))

    def setup(self, isa: str, name: str) -> None:
        os.environ["DWSEP_ISA"] = isa
        try:
            used = attribute("dwsep", "cpu_info")()["isa"]
        except (ValueError, RuntimeError) as error:
            raise NotImplementedError(f"this processor has no {isa}") from error
        if used != isa:
            raise RuntimeError(f"wanted {isa}, got {used}: dwsep was in use before")
        self.call = make_layer(_QUICK[name], 1)

    def time_call(self, isa: str, name: str) -> None:
        self.call()


class Packing:
    """Making a layer: its weights are packed."""

    param_names = ("layer",)
    params = (list(_QUICK),)

    def setup(self, name: str) -> None:
        self.name = name
        make_layer(_QUICK[name], 1)

    def time_make(self, name: str) -> None:
        make_layer(_QUICK[name], 1)


class Memory:
    """Peak memory of a process that makes a layer and calls it."""

    param_names = ("layer",)
    params = (list(_QUICK),)

    def peakmem_call(self, name: str) -> None:
        make_layer(_QUICK[name], 1)()
