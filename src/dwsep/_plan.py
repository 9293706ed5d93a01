"""The plan of a call: what a layer reports without running it."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import _core, _limits

    Shape = tuple[int, ...]

__all__ = ["Plan"]


class Plan:
    """What the call of a layer would do; prints as a small table.

    `str`, and so `print`, add the limit, for which the machine is measured once; `repr` does not.

    Attributes
    ----------
    layer : str
        Class of the layer.
    input_shape, output_shape : tuple of int
    algorithm : str
        E.g. which steps are fused.
    kernel : str
        The micro-kernels that would run.
    split : str
        How the work is divided among threads.
    threads : int
    flops : float
        Multiplications and additions, counted apart.
    bytes : float
        Size of input, weights and output, each counted once.
    dtype : str
        Of the output.
    work, limit
    """

    __slots__ = (
        "algorithm",
        "bytes",
        "dtype",
        "flops",
        "input_shape",
        "kernel",
        "layer",
        "output_shape",
        "split",
        "threads",
    )

    def __init__(
        self,
        layer: str,
        input_shape: Shape,
        output_shape: Shape,
        plan: _core.PlanDict,
        dtype: str = "float32",
    ) -> None:
        self.layer = layer
        self.input_shape = input_shape
        self.output_shape = output_shape
        self.algorithm = plan["algorithm"]
        self.kernel = plan["kernel"]
        self.split = plan["split"]
        self.threads = plan["threads"]
        self.flops = plan["flops"]
        self.bytes = plan["bytes"]
        self.dtype = dtype

    @property
    def work(self) -> _limits.Work:
        """Operations, bytes read (input and weights) and bytes written."""
        from . import _limits  # which calls do without

        written = (4.0 if self.dtype == "float32" else 1.0) * prod(self.output_shape)
        return _limits.Work(self.flops, self.bytes - written, written)

    @property
    def limit(self) -> _limits.Limit:
        """The least time of the call on this machine, and whether arithmetic or memory sets it.

        A named tuple of "seconds", "bound" ("compute" or "memory") and "level" ("L1D", "L2", "L3"
        or "memory": the smallest that input, weights and output fit in). The first use in a process
        measures the peak of multiply-adds, for int8 also that of products by the kernels it names,
        and the first for each level and number of threads its bandwidth, which takes 0.1 s, for
        "memory" up to 1 s. A call of a layer measures nothing.
        """
        from . import _limits

        flops = _limits.operations_in_floats(self.flops, self.kernel)
        return _limits.limit(self.work._replace(flops=flops), self.threads)

    def __str__(self) -> str:
        limit = self.limit
        what = limit.bound if limit.bound == "compute" else f"bandwidth of {limit.level}"
        return f"{self!r}\n  limit      {limit.seconds * 1e6:.3f} us, by {what}"

    def __repr__(self) -> str:
        per_byte = f", {self.flops / self.bytes:.1f} flop per byte" if self.bytes else ""
        return (
            f"{self.layer} {self.input_shape} -> {self.output_shape}\n"
            f"  algorithm  {self.algorithm}\n"
            f"  kernel     {self.kernel}\n"
            f"  split      {self.split}\n"
            f"  threads    {self.threads}\n"
            f"  work       {self.flops / 1e6:.3f} Mflop, {self.bytes / 1e6:.3f} MB{per_byte}"
        )
