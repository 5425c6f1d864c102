"""The figure of gridding: which cells of the input one value reads through dilated layers, and by how many paths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fieldstone.explain.arrays import Array
from fieldstone.explain.figures.film import Piece
from fieldstone.explain.figures.grid import Grid, Stone, gap_of, letters_of, stone
from fieldstone.explain.figures.stage import (
    CAPTION,
    FRAMES,
    GAP,
    LABEL,
    LABELS,
    MARGIN,
    STONES,
    Look,
    caption,
    extent,
    label,
    label_width,
)  # fmt: skip
from fieldstone.explain.figures.tints import Scale
from fieldstone.explain.figures.under import Under
from fieldstone.geometry import extent as reach


def paths(kernel: int, dilations: Sequence[int]) -> Array:
    """Along one axis, by how many paths one value reads each cell of the input through layers of these dilations.

    Returns:
        (cells), one number for each cell from the first that is read to the last.
    """
    counts = np.ones(1)
    for dilation in dilations:
        taps = np.zeros(reach(kernel, dilation))
        taps[::dilation] = 1
        counts = np.convolve(counts, taps)
    return counts


@dataclass(frozen=True)
class Gridding:
    """A panel for each list of dilations, first layer first; a step for each layer, the last layer first."""

    kernel: int
    lists: tuple[tuple[int, ...], ...]
    look: Look
    title: str

    @property
    def steps(self) -> int:
        return max(map(len, self.lists)) + 1

    @property
    def width(self) -> float:
        return self._grids[-1].x + self._panel + MARGIN

    @property
    def height(self) -> float:
        return self._foot + self._under.height

    def says(self, step: int) -> str:
        return "; ".join(" ".join(self._captions(dilations, step)) for dilations in self.lists)

    def pieces(self, step: int) -> list[Piece]:
        pieces = [Piece(LABELS, ink) for ink in self._under.drawn(step)]
        for grid, dilations in zip(self._grids, self.lists, strict=True):
            counts = self._counts(dilations, step)
            first = (grid.rows - len(counts)) / 2
            pieces += [Piece(STONES, ink) for ink in self._stones(grid, dilations, step)]
            pieces.append(Piece(FRAMES, extent(grid, first, first, len(counts), len(counts))))
            pieces += [Piece(LABELS, ink) for ink in self._said(grid, dilations, step)]
        return pieces

    def _counts(self, dilations: Sequence[int], step: int) -> Array:
        """Along one axis, so many layers back."""
        return paths(self.kernel, dilations[max(0, len(dilations) - step) :])

    @cached_property
    def _sides(self) -> list[int]:
        return [len(paths(self.kernel, dilations)) for dilations in self.lists]

    @cached_property
    def _panel(self) -> float:
        """How wide a panel is."""
        words = [label_width(text, "") for dilations in self.lists for text in self._captions(dilations, self.steps)]
        return max(max(self._sides) * (self.look.cell + gap_of(self.look.cell)), *words)

    @cached_property
    def _grids(self) -> list[Grid]:
        most = max(paths(self.kernel, dilations).max() for dilations in self.lists)
        letters = letters_of([str(int(most) ** 2)], self.look.cell)
        pitch, grids = self.look.cell + gap_of(self.look.cell), []
        for place, (dilations, side) in enumerate(zip(self.lists, self._sides, strict=True)):
            x, y = MARGIN + place * (self._panel + GAP), MARGIN + LABEL + (max(self._sides) - side) * pitch / 2
            grids.append(Grid("-".join(map(str, dilations)), x, y, side, side, self.look.cell, letters))
        return grids

    @property
    def _foot(self) -> float:
        return max(grid.foot for grid in self._grids) + CAPTION

    def _stones(self, grid: Grid, dilations: Sequence[int], step: int) -> Iterator[str]:
        counts = self._counts(dilations, step)
        before = (grid.rows - len(counts)) // 2
        scale = Scale("in", float(counts.max() ** 2), False)
        axis = np.pad(counts, before)
        for (row, column), count in np.ndenumerate(np.outer(axis, axis)):
            within = before <= row < grid.rows - before and before <= column < grid.rows - before
            look = Stone((row, column), count, str(int(count)), scale(count))
            if count == 0:
                look = Stone((row, column), 0, "", "surface" if within else "sunken", hatched=within)
            yield stone(grid, row, column, look)

    def _captions(self, dilations: Sequence[int], step: int) -> tuple[str, str]:
        counts = self._counts(dilations, step)
        read, words = int((counts > 0).sum()) ** 2, self.look.words
        listed = words["dilations"].format(list=", ".join(map(str, dilations)))
        return listed, words["cells read"].format(count=read, all=len(counts) ** 2)

    def _said(self, grid: Grid, dilations: Sequence[int], step: int) -> Iterator[str]:
        listed, read = self._captions(dilations, step)
        yield label(grid.x + grid.gap / 2, grid.y, "in", listed, f"{grid.rows} × {grid.columns}")
        yield caption(grid.x + grid.width / 2, grid.foot + 18, read)

    @property
    def _under(self) -> Under:
        present = {"paths": True, "unread": True}
        return Under(self.look, self._foot, self.width, present, [[] for _ in range(self.steps)])
