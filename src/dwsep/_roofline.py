"""The roofline plot of a profile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import os

    from ._profile import Profile

__all__ = ["draw"]

_LARGEST_DOT = 400.0  # square points, for a step that takes all the time


def _figure() -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            "a roofline plot needs the package matplotlib: pip install 'dwsep[plot]'",
            name="matplotlib",
        ) from error
    # Not by way of pyplot, which would keep the figure and pick a window system.
    return Figure(figsize=(9, 6), layout="constrained")


def draw(profile: Profile, path: str | os.PathLike[str]) -> None:
    """Draw each step of a profile as a dot, as large as its share of the time, under the roofs."""
    figure = _figure()
    axes = figure.add_subplot()
    rows = [r for r in profile.rows if not r.step.free and r.step.flops > 0 and r.seconds > 0]
    intensities = [row.step.flops / row.step.bytes for row in rows]
    ridges = [profile.peak_gflops / speed for speed in profile.bandwidths.values()]
    left = min([*intensities, *ridges]) / 2
    right = max([*intensities, *ridges]) * 2

    for level, speed in profile.bandwidths.items():
        ridge = profile.peak_gflops / speed
        axes.plot([left, ridge], [left * speed, profile.peak_gflops], color="0.6", linewidth=1)
        axes.annotate(
            f"{level} {speed:.0f} GB/s",
            (left, left * speed),
            xytext=(3, 3),
            textcoords="offset points",
            fontsize=8,
        )
    first = min(ridges)
    axes.plot([first, right], [profile.peak_gflops] * 2, color="0.3", linewidth=1.5)
    axes.annotate(
        f"peak {profile.peak_gflops:.0f} GFLOP/s",
        (right, profile.peak_gflops),
        xytext=(-3, 3),
        textcoords="offset points",
        horizontalalignment="right",
        fontsize=8,
    )

    total = sum(row.seconds for row in rows)
    for kind in sorted({row.step.kind for row in rows}):
        chosen = [i for i, row in enumerate(rows) if row.step.kind == kind]
        axes.scatter(
            [intensities[i] for i in chosen],
            [rows[i].gflops for i in chosen],
            s=[max(9.0, _LARGEST_DOT * rows[i].seconds / total) for i in chosen],
            alpha=0.7,
            label=f"{kind}, {sum(rows[i].seconds for i in chosen) / total:.0%} of the time",
        )
    axes.set(
        xscale="log",
        yscale="log",
        xlim=(left, right),
        xlabel="operations per byte of inputs, weights and output",
        ylabel="GFLOP/s",
        title=f"{profile.name}: {profile.seconds * 1e3:.3g} ms, {profile.gflops:.0f} GFLOP/s, "
        f"{profile.threads} thread{'s' * (profile.threads != 1)}",
    )
    if rows:
        axes.legend(fontsize=8, loc="lower right", markerscale=0.6)
    figure.savefig(path, dpi=150)
