"""The processor as dwsep sees it, and the number of threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import _arguments, _core

__all__ = ["cpu_info", "get_num_threads", "set_num_threads"]

if TYPE_CHECKING:  # they take a millisecond to be made
    from typing import TypedDict

    class Features(TypedDict):
        """The processor's features that kernels ask for, by name."""

        detected: list[str]
        in_use: list[str]

    class CacheSizes(TypedDict):
        """Bytes of the caches."""

        l1d: int
        l2: int
        l3: int

    class KernelInfo(TypedDict):
        """A kernel that may be used, and what it takes."""

        family: str
        name: str
        kernel_size: _arguments.Pair
        stride: _arguments.Pair
        dilation: _arguments.Pair
        multiplier: int
        isa: str
        dtype: str
        output_dtype: str

    class CPUInfo(TypedDict):
        """What `cpu_info` returns."""

        isa: str
        isas: list[str]
        features: Features
        lanes: int
        name: str
        cpus: int
        caches: CacheSizes
        kernels: list[KernelInfo]


def cpu_info() -> CPUInfo:
    """Return the processor that was found and what of it is used.

    Returns
    -------
    dict
        "isa": the instruction set in use, "avx512", "avx2", "baseline" or "neon": the best one, or
        what DWSEP_ISA says; "isas": all that the processor has, best first; "features": a dict of
        "detected", what the processor has of all that kernels may ask for ("avx2", "fma", "vnni",
        ...), and "in_use", what DWSEP_ISA leaves of it; "lanes": floats in a vector; "name": the
        processor's own name; "cpus": CPUs that the process may use, by its affinity and its control
        group's quota; "caches": bytes of "l1d", "l2" and "l3"; "kernels": the depthwise and
        pointwise kernels that may be used, each a dict of "family", "name", "isa" (the instruction
        set, or what adds int8 kernels to it), "dtype" and "output_dtype", and what it takes:
        "kernel_size", "stride", "dilation" and "multiplier" (0 for any). The first that fits is
        taken.

    Notes
    -----
    The environment variable DWSEP_ISA names an instruction set to use in place of the best one,
    features to do without, or both: "avx2", "-vnni", "avx512,-vnni,-bf16". With a feature goes what
    stands on it: "-avx512f" leaves AVX2. It is read once, when something is first computed or
    asked for; ValueError, which names what there is, if it says anything else.

    Examples
    --------
    >>> import dwsep
    >>> info = dwsep.cpu_info()
    >>> info["isa"] in info["isas"]
    True
    """
    return {
        "isa": _core.isa(),
        "isas": _core.isas(),
        "features": {"detected": _core.features(), "in_use": _core.features_in_use()},
        "lanes": _core.lanes(),
        "name": _core.cpu_name(),
        "cpus": _core.available_cpus(),
        "caches": _core.cache_sizes(),
        "kernels": _core.kernels(),
    }


def set_num_threads(num_threads: int | None) -> None:
    """Set the number of threads of calls that do not say.

    Parameters
    ----------
    num_threads : int or None
        At least 1; more than 256 count as 256. None returns to the default: the environment
        variable DWSEP_NUM_THREADS, an integer of at least 1 (where it is none, calls that
        need it raise ValueError), else the number of CPUs that the process may use, but no more
        than OMP_NUM_THREADS says.

    Raises
    ------
    TypeError, ValueError
        If it is neither None nor a positive int.

    Examples
    --------
    >>> import dwsep
    >>> dwsep.set_num_threads(1)
    >>> dwsep.get_num_threads()
    1
    >>> dwsep.set_num_threads(None)
    """
    wanted = "None or an int"
    threads = (
        0 if num_threads is None else _arguments.integer(num_threads, "num_threads", 1, wanted)
    )
    _core.set_num_threads(threads)


def get_num_threads() -> int:
    """Return the number of threads of calls that do not set it.

    Returns
    -------
    int

    Examples
    --------
    >>> import dwsep
    >>> dwsep.get_num_threads() >= 1
    True
    """
    return _core.get_num_threads()
