"""What quantization did to a network: ranges, signal to noise and times, step by step."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from .._figure import new_figure
from .._json import to_json
from .._table import table

if TYPE_CHECKING:
    import os

__all__ = ["QuantizationReport", "QuantizationRow"]


@dataclass(frozen=True)
class QuantizationRow:
    """A step of a quantized network.

    Attributes
    ----------
    step, kind : str
        Its name, and what it is.
    dtype : str
        What it stores: "int8" or "float32".
    low, high : float or None
        The range of what it stores, of all channels together; None for floats.
    scales : int
        Of what it stores: 1, or one for each channel; 0 for floats.
    decibels : float or None
        Signal to noise of what it computes in the quantized network, where it stores int8.
    alone_decibels : float or None
        Signal to noise of the network's outputs if this step alone is quantized: the lowest are the
        steps to keep in float32.
    int8_us, float_us : float
        Microseconds in the quantized and in the float network, conversions of its result included.
    """

    step: str
    kind: str
    dtype: str
    low: float | None
    high: float | None
    scales: int
    decibels: float | None
    alone_decibels: float | None
    int8_us: float
    float_us: float


@dataclass(frozen=True)
class QuantizationReport:
    """What quantization did to a network; prints as a table.

    Attributes
    ----------
    name : str
        Of the network.
    method : str
        How it was quantized: the rule for ranges, and what helped.
    tried : dict of str to float
        What the method "auto" compared, with the signal to noise of the outputs on calibration
        inputs, in dB.
    kept_float : list of str
        Steps that compute in float32 by `keep_float`.
    inputs, held_out : int
        Inputs that the ranges come from, and others that the two next figures come from; where
        there were none, these come from calibration inputs.
    decibels : float
        Signal to noise of the outputs: before a softmax that ends the network, less the mean of the
        classes; the mean where there are several outputs.
    agreement : float or None
        The share of inputs, or of places in them, where the largest output is that of the float
        network; None where outputs are no scores of classes.
    int8_bytes, float_bytes : int
        Of the saved networks.
    int8_us, float_us : float
        Microseconds of a whole call.
    rows : list of QuantizationRow
    """

    name: str
    method: str
    tried: dict[str, float]
    kept_float: list[str]
    inputs: int
    held_out: int
    decibels: float
    agreement: float | None
    int8_bytes: int
    float_bytes: int
    int8_us: float
    float_us: float
    rows: list[QuantizationRow]

    def to_json(self) -> str:
        """Return everything as the text of a JSON object."""
        return to_json(asdict(self))

    def plot(self, path: str | os.PathLike[str]) -> None:
        """Draw the signal to noise of every step into a picture file.

        Parameters
        ----------
        path : path
            Its suffix decides the format: ``.png``, ``.svg``, ``.pdf``, ...

        Raises
        ------
        ImportError
            If matplotlib is missing: ``pip install 'dwsep[plot]'``.
        ValueError
            If matplotlib does not know the format.
        OSError
            If the file cannot be written.
        """
        figure = new_figure(9, 2.5 + 0.18 * len(self.rows))
        axes = figure.add_subplot()
        places = range(len(self.rows))
        for key, label, marker in (
            ("decibels", "what the step computes, all quantized", "o"),
            ("alone_decibels", "the outputs, this step alone quantized", "x"),
        ):
            known = [(getattr(row, key), y) for row, y in zip(self.rows, places, strict=True)]
            drawn = [(value, y) for value, y in known if value is not None]
            axes.plot([v for v, _ in drawn], [y for _, y in drawn], marker, label=label)
        axes.axvline(self.decibels, color="black", linewidth=0.8, label="the outputs")
        axes.set_yticks(places, [row.step for row in self.rows], fontsize=6)
        axes.invert_yaxis()
        axes.set_xlabel("signal to noise in dB")
        axes.set_title(f"{self.name}: {self.method}", fontsize=9)
        axes.legend(fontsize=7)
        axes.grid(axis="x", linewidth=0.3)
        figure.savefig(path, dpi=150, bbox_inches="tight")

    def __str__(self) -> str:
        headers = (
            "step",
            "kind",
            "stores",
            "least",
            "most",
            "dB",
            "alone dB",
            "int8 us",
            "float us",
        )
        rows = [
            (
                row.step,
                row.kind,
                row.dtype if row.scales <= 1 else f"{row.dtype}, {row.scales} scales",
                _number(row.low),
                _number(row.high),
                _number(row.decibels, 1),
                _number(row.alone_decibels, 1),
                f"{row.int8_us:.1f}",
                f"{row.float_us:.1f}",
            )
            for row in self.rows
        ]
        return f"{table(headers, rows, 3)}\n{self.summary()}"

    def summary(self) -> str:
        """Return the lines below the table: what holds for the whole network."""
        on = f"{self.held_out} inputs held out" if self.held_out else "calibration inputs"
        lines = [
            f"{self.name}: {self.method}, by {self.inputs} inputs",
            f"outputs {self.decibels:.1f} dB{self._agreement()}, on {on}",
            f"file {self.float_bytes / 1e6:.2f} -> {self.int8_bytes / 1e6:.2f} MB, "
            f"a call {self.float_us / 1e3:.2f} -> {self.int8_us / 1e3:.2f} ms",
        ]
        if self.kept_float:
            lines.append(f"in float32: {', '.join(self.kept_float)}")
        lines += [f"tried: {name}: {decibels:.1f} dB" for name, decibels in self.tried.items()]
        return "\n".join(lines)

    def _agreement(self) -> str:
        return "" if self.agreement is None else f", {self.agreement:.1%} of the largest agree"


def _number(value: float | None, digits: int | None = None) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if digits is None else f"{value:.{digits}f}"
