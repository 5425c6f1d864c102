"""Cells as lines of text, in columns."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def table(lines: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[str]:
    """The lines, each column as wide as its widest cell; those of `right` end under each other."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
