"""Tables as plain text."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["shape_text", "shortened", "table"]

_WIDEST = 80


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> str:
    """Text of a table, the first `left` columns to the left, the others to the right.

    Examples
    --------
    >>> print(table(["node", "us"], [["stem", "7"], ["head", "12"]], 1))
    node  us
    ----  --
    stem   7
    head  12
    """
    widths = [max(map(len, column)) for column in zip(headers, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        aligned = [
            cell.ljust(width) if index < left else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "  ".join(aligned).rstrip()

    return "\n".join([line(headers), line(["-" * width for width in widths]), *map(line, rows)])


def shortened(name: str) -> str:
    """Name of a step for a table; TFLite's are lists of hundreds of characters, cut in the middle.

    Examples
    --------
    >>> len(shortened("block/conv;" * 30))
    80
    """
    half = (_WIDEST - 3) // 2
    return name if len(name) <= _WIDEST else f"{name[: half + 1]}...{name[-half:]}"


def shape_text(shape: Sequence[int]) -> str:
    """Sizes with crosses between them; a number without axes is ()."""
    return "x".join(map(str, shape)) or "()"
