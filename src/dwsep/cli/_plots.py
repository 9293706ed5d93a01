"""Plots of reports: bars of ratios, and the roofline with layers on it. They need matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

__all__ = ["Point", "bars", "require", "roofline"]


class Point(NamedTuple):
    """A layer on the roofline: operations a byte, and GFLOP/s reached."""

    group: str
    intensity: float
    gflops: float


def require() -> None:
    """Raise ValueError where there is no matplotlib."""
    try:
        import matplotlib
    except ImportError as error:
        raise ValueError("--plot needs matplotlib: pip install matplotlib") from error
    matplotlib.use("Agg")


def bars(
    path: str, title: str, rows: Sequence[str], groups: Mapping[str, Sequence[float]], of: str
) -> None:
    """Draw a horizontal bar for each row and group, on a logarithmic axis named `of`."""
    from matplotlib.figure import Figure

    each = 0.8 / len(groups)
    figure = Figure(figsize=(9, 1.5 + 0.22 * len(rows) * max(1, len(groups) / 2)))
    axes = figure.add_subplot()
    for index, (name, values) in enumerate(groups.items()):
        places = [row + (index - (len(groups) - 1) / 2) * each for row in range(len(rows))]
        drawn = axes.barh(places, values, each, label=name)
        axes.bar_label(drawn, [f" {value:.3g}" for value in values], fontsize=6)
    axes.set_xscale("log")
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_yticks(range(len(rows)), rows, fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel(of)
    axes.set_title(title, fontsize=9)
    axes.margins(x=0.15)
    axes.legend(fontsize=7)
    figure.savefig(path, dpi=150, bbox_inches="tight")


def roofline(
    path: str, title: str, points: Sequence[Point], peak: float, slopes: Mapping[str, float]
) -> None:
    """Draw GFLOP/s against operations a byte, below the peak and the bandwidths (GB/s)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5.5))
    axes = figure.add_subplot()
    least = min(0.25, *(point.intensity for point in points)) / 1.3
    most = 1.3 * max(peak / min(slopes.values()), *(point.intensity for point in points))
    for name, slope in slopes.items():
        knee = min(peak / slope, most)
        axes.plot([least, knee], [least * slope, knee * slope], linewidth=1, label=f"{name}")
    axes.plot([least, most], [peak, peak], color="black", linewidth=1, label="FMA peak")
    for group in dict.fromkeys(point.group for point in points):
        of_group = [point for point in points if point.group == group]
        xs, ys = [p.intensity for p in of_group], [p.gflops for p in of_group]
        axes.scatter(xs, ys, 14, label=group, zorder=3)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("operations a byte of input, weights and output")
    axes.set_ylabel("GFLOP/s")
    axes.set_title(title, fontsize=9)
    axes.grid(True, which="both", linewidth=0.2)
    axes.legend(fontsize=7)
    figure.savefig(path, dpi=150, bbox_inches="tight")


def bandwidth_slopes(bandwidths: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return GB/s of reading by level, from the entries of a report."""
    return {f"{b['level']}, read": b["read"] / 1e9 for b in bandwidths}
