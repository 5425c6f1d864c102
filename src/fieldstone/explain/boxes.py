"""Text in two dimensions: grids of numbers with a frame, and blocks of lines beside each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

WIDTH = 100
GAP = 4


def framed(cells: Sequence[Sequence[str]], rows: tuple[int, int], columns: tuple[int, int]) -> list[str]:
    """A grid of cells with a frame around those of the first to the last row and column, both included."""
    width = max(len(cell) for row in cells for cell in row)
    left, right = columns[0] * (width + 1), (columns[1] + 1) * (width + 1)
    lines = []
    for number, row in enumerate(cells):
        line = "".join(f" {cell:>{width}}" for cell in row) + " "
        if rows[0] <= number <= rows[1]:
            line = f"{line[:left]}│{line[left + 1 : right]}│{line[right + 1 :]}"
        lines.append(line)
    edge = "─" * (right - left - 1)
    lines.insert(rows[1] + 1, f"{' ' * left}└{edge}┘")
    lines.insert(rows[0], f"{' ' * left}┌{edge}┐")
    return lines


def width_of(block: Iterable[str]) -> int:
    """The longest line."""
    return max(map(len, block), default=0)


def beside(blocks: Sequence[list[str]]) -> list[str]:
    """Blocks next to each other, their tops on one line."""
    height = max(map(len, blocks))
    columns = [[line.ljust(width_of(block)) for line in block + [""] * (height - len(block))] for block in blocks]
    return [(" " * GAP).join(parts).rstrip() for parts in zip(*columns, strict=True)]


def flow(blocks: Sequence[list[str]]) -> list[str]:
    """Blocks next to each other as far as the width goes, then below, with an empty line between."""
    bands: list[list[list[str]]] = []
    for block in blocks:
        if bands and sum(width_of(one) + GAP for one in bands[-1]) + width_of(block) <= WIDTH:
            bands[-1].append(block)
        else:
            bands.append([block])
    lines: list[str] = []
    for band in bands:
        lines += ["", *beside(band)] if lines else beside(band)
    return lines
