"""The figure of padding modes: one map, padded in every way that torch has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from fieldstone.analysis.drawing.colours import MONO
from fieldstone.explain.figures.film import Piece
from fieldstone.explain.figures.grid import Grid, Stone, gap_of, letters_of, padding, stone, written
from fieldstone.explain.figures.stage import FRAMES, GAP, LABEL, LABELS, MARGIN, NOTE, STONES, Look, frame
from fieldstone.explain.figures.tints import Scale
from fieldstone.explain.figures.under import Under
from fieldstone.explain.numerals import number
from fieldstone.explain.trace import Trace

ACROSS = 2


@dataclass(frozen=True)
class Modes:
    """By the name of a mode a trace that pads by it; the map within its padding is framed."""

    traces: dict[str, Trace]
    look: Look
    title: str

    @property
    def steps(self) -> int:
        return 1

    @property
    def width(self) -> float:
        return self._grids[1].right + MARGIN

    @property
    def height(self) -> float:
        return self._grids[-1].foot + self._under.height

    def says(self, step: int) -> str:
        return self.title

    def pieces(self, step: int) -> list[Piece]:
        pieces = [Piece(LABELS, ink) for ink in self._under.drawn(step)]
        for grid, (mode, trace) in zip(self._grids, self.traces.items(), strict=True):
            (rows, columns), (high, wide) = trace.scan.real_and_padding, trace.scan.sides
            pieces += [Piece(STONES, ink) for ink in self._stones(grid, trace)]
            pieces.append(Piece(FRAMES, frame(grid, -rows.start, -columns.start, high, wide)))
            pieces += [Piece(LABELS, ink) for ink in self._named(grid, mode)]
        return pieces

    @cached_property
    def _grids(self) -> list[Grid]:
        pitch = self.look.cell + gap_of(self.look.cell)
        traces = self.traces.values()
        letters = letters_of((number(value) for trace in traces for value in trace.padded.flat), self.look.cell)
        grids = []
        for place, (mode, trace) in enumerate(self.traces.items()):
            down, across = divmod(place, ACROSS)
            rows, columns = trace.padded.shape[1:]
            x, y = MARGIN + across * (columns * pitch + GAP), MARGIN + LABEL + down * (rows * pitch + LABEL + 16)
            grids.append(Grid(mode, x, y, rows, columns, self.look.cell, letters))
        return grids

    def _stones(self, grid: Grid, trace: Trace) -> Iterator[str]:
        scale = Scale.of("in", trace.input)
        rows, columns = trace.scan.real_and_padding
        high, wide = trace.scan.sides
        for row in rows:
            for column in columns:
                value = float(trace.padded[0, row - rows.start, column - columns.start])
                real = 0 <= row < high and 0 <= column < wide
                place, text = (row, column), number(value)
                look = Stone(place, value, text, scale(value)) if real else padding(place, value, text)
                yield stone(grid, row - rows.start, column - columns.start, look)

    def _named(self, grid: Grid, mode: str) -> Iterator[str]:
        x, y = grid.x + grid.gap / 2, grid.y - 15
        name, _, about = self.look.words[mode].partition(": ")
        yield written(name, x, y, NOTE, f'class="text" font-weight="700" font-family="{MONO}"', "start")
        yield written(about, x + 8.4 * len(name) + 8, y, NOTE, 'class="muted"', "start")

    @property
    def _under(self) -> Under:
        return Under(self.look, self._grids[-1].foot, self.width, {"padding": True}, [[]])
