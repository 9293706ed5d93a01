"""Figures of matplotlib, a package that only plots need."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["new_figure", "require"]


def require() -> None:
    """Raise ImportError where there is no matplotlib."""
    try:
        importlib.import_module("matplotlib")
    except ImportError as error:
        raise ImportError(
            "a plot needs the package matplotlib: pip install 'dwsep[plot]'", name="matplotlib"
        ) from error


def new_figure(width: float, height: float, **options: Any) -> Any:
    """Return a figure of so many inches."""
    require()
    # Not by way of pyplot, which would keep the figure and pick a window system.
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), **options)
