"""Plots of reports: bars of ratios, and the roofline with layers on it. They need matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

from .._figure import new_figure, require
from .._roofline import Point, roofline

__all__ = ["Point", "bandwidth_slopes", "bars", "require", "roofline"]


def bars(
    path: str,
    title: str,
    rows: Sequence[str],
    groups: Mapping[str, Sequence[float]],
    of: str,
    linear: bool = False,
) -> None:
    """Draw a horizontal bar for each row and group, on an axis named `of`.

    The axis is logarithmic, or `linear` from 0: then bars of twice the nineteenth twentieth of all
    values are cut there, and their labels tell.
    """
    each = 0.8 / len(groups)
    known = sorted(v for values in groups.values() for v in values if v == v)
    most = 2 * known[len(known) * 19 // 20] if linear and known else inf
    figure = new_figure(9, 1.5 + 0.22 * len(rows) * max(1, len(groups) / 2))
    axes = figure.add_subplot()
    for index, (name, values) in enumerate(groups.items()):
        places = [row + (index - (len(groups) - 1) / 2) * each for row in range(len(rows))]
        drawn = axes.barh(places, [min(value, most) for value in values], each, label=name)
        labels = [f" {value:,.0f}" if value >= 100 else f" {value:.3g}" for value in values]
        axes.bar_label(drawn, labels, fontsize=6)
    if not linear:
        axes.set_xscale("log")
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_yticks(range(len(rows)), rows, fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel(of)
    axes.set_title(title, fontsize=9)
    axes.margins(x=0.15)
    if linear:
        axes.set_xlim(left=0)
    axes.legend(fontsize=7)
    figure.savefig(path, dpi=150, bbox_inches="tight")


def bandwidth_slopes(bandwidths: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return GB/s of reading by level, from the entries of a report."""
    return {f"{b['level']}, read": b["read"] / 1e9 for b in bandwidths}
