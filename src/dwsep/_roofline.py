"""The roofline plot: dots below the roofs of memory and arithmetic. It needs matplotlib.

Williams, Waterman, Patterson: "Roofline: An Insightful Visual Performance Model for Multicore
Architectures", 2009.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ._figure import new_figure

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

__all__ = ["Point", "dot_area", "roofline"]

_LARGEST_DOT = 400.0  # square points, for a step that takes all the time
_SMALLEST_DOT = 9.0


def dot_area(share: float) -> float:
    """Return the area of a step's dot, of its share of the time."""
    return max(_SMALLEST_DOT, _LARGEST_DOT * share)


class Point(NamedTuple):
    """A dot: operations a byte and GFLOP/s reached; its area is in square points."""

    group: str
    intensity: float
    gflops: float
    area: float = 16.0


def _roofs(
    axes: Any,
    left: float,
    right: float,
    peaks: Mapping[str, float],
    slopes: Mapping[str, float],
) -> None:
    peak = max(peaks.values())
    for name, slope in slopes.items():
        axes.plot([left, peak / slope], [left * slope, peak], color="0.6", linewidth=1)
        axes.annotate(
            f"{name} {slope:.0f} GB/s",
            (left, left * slope),
            xytext=(3, 3),
            textcoords="offset points",
            fontsize=8,
        )
    for name, height in peaks.items():
        first = height / max(slopes.values(), default=height / left)
        axes.plot([first, right], [height, height], color="0.3", linewidth=1.5)
        axes.annotate(
            f"{name} {height:.0f} G{'FL' * (name == 'peak')}OP/s",
            (right, height),
            xytext=(-3, 3),
            textcoords="offset points",
            horizontalalignment="right",
            fontsize=8,
        )


def roofline(
    path: str | os.PathLike[str],
    title: str,
    points: Sequence[Point],
    peak: float,
    slopes: Mapping[str, float],
    int8_peaks: Mapping[str, float] | None = None,
) -> None:
    """Draw GFLOP/s against operations a byte, below the peaks and the bandwidths (GB/s)."""
    peaks = {"peak": peak}
    for family, height in (int8_peaks or {}).items():
        peaks[f"int8 {family} peak"] = height
    figure = new_figure(9, 6, layout="constrained")
    axes = figure.add_subplot()
    at = [
        *(point.intensity for point in points),
        *(p / slope for p in peaks.values() for slope in slopes.values()),
    ]
    left, right = min(at, default=1.0) / 2, max(at, default=1.0) * 2
    _roofs(axes, left, right, peaks, slopes)
    for group in dict.fromkeys(point.group for point in points):
        of_group = [point for point in points if point.group == group]
        axes.scatter(
            [point.intensity for point in of_group],
            [point.gflops for point in of_group],
            s=[point.area for point in of_group],
            alpha=0.7,
            label=group,
            zorder=3,
        )
    axes.set(
        xscale="log",
        yscale="log",
        xlim=(left, right),
        xlabel="operations per byte of inputs, weights and output",
        ylabel="GFLOP/s",
    )
    axes.set_title(title, fontsize=10)
    if points:
        axes.legend(fontsize=8, loc="lower right", markerscale=0.6)
    figure.savefig(path, dpi=150)
