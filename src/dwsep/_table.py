"""Tables as plain text."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["shape_text", "table"]


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


def shape_text(shape: Sequence[int]) -> str:
    """Sizes with crosses between them; a number without axes is ()."""
    return "x".join(map(str, shape)) or "()"
