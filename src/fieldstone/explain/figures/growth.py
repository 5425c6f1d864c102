"""The figure of a receptive field: what one value sees of the maps before it, back to the input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import sqrt

from fieldstone.analysis.drawing.colours import MONO
from fieldstone.analysis.drawing.ink import number as length
from fieldstone.analysis.drawing.ink import rectangle
from fieldstone.analysis.drawing.marks import text_width
from fieldstone.analysis.drawing.steps import Step
from fieldstone.analysis.drawing.words import label as notation
from fieldstone.analysis.drawing.words import times
from fieldstone.design.blocks.block import Block
from fieldstone.design.blocks.structure import Join, Parallel, Residual
from fieldstone.explain.figures.film import Piece
from fieldstone.explain.figures.grid import written
from fieldstone.explain.figures.sighted import Layer, runs
from fieldstone.explain.figures.stage import BEAMS, FRAMES, LABELS, MARGIN, STONES, Look, beam

SIDE, LEAST_SIDE, MOST_CELL, LEAST_GRID = 180, 24, 14, 3
"""The largest map, the smallest, the largest cell, and the smallest cell that has lines around it, in pixels."""
COLUMN, BETWEEN, MOST_WIDTH = 84, 40, 1240
LINE, FOOT = 15, 48
"""The height of a line, and that of the lines under a map."""


@dataclass(frozen=True)
class Growth:
    """A step for each map, the last map first."""

    layers: tuple[Layer, ...]
    look: Look
    title: str

    @property
    def steps(self) -> int:
        return len(self.layers)

    @property
    def width(self) -> float:
        return max(x + self._columns[place] for place, (x, _) in enumerate(self._places)) + MARGIN

    @property
    def height(self) -> float:
        return self._places[-1][1] + self._tall(self._rows[-1]) / 2 + FOOT + MARGIN

    def says(self, step: int) -> str:
        return ", ".join(self._count(layer) for layer in self.layers[len(self.layers) - 1 - step :][::-1])

    def pieces(self, step: int) -> list[Piece]:
        shown = len(self.layers) - 1 - step
        pieces = [Piece(STONES, ink) for place in range(len(self.layers)) for ink in self._map(place)]
        pieces += [Piece(LABELS, ink) for place in range(len(self.layers)) for ink in self._words(place)]
        for place in range(shown, len(self.layers)):
            pieces += [Piece(FRAMES, ink) for ink in self._seen(place)]
            pieces.append(Piece(LABELS, self._said(place)))
        same_row = (place for place in range(shown, len(self.layers) - 1) if self._is_beside(place))
        return [*pieces, *(Piece(BEAMS, beam(self._box(place), self._box(place + 1))) for place in same_row)]

    # Where the maps stand.

    @cached_property
    def _cells(self) -> list[float]:
        """The cell of each map: all alike, or where the smallest map is too small then, sides by their square root."""
        sides = [max(layer.shape[1:]) for layer in self.layers]
        cell = min(MOST_CELL, SIDE / max(sides))
        if min(sides) * cell >= LEAST_SIDE:
            return [cell] * len(sides)
        return [(LEAST_SIDE + (SIDE - LEAST_SIDE) * sqrt(side / max(sides))) / side for side in sides]

    @cached_property
    def _columns(self) -> list[float]:
        """How wide each map's column is."""
        maps = (layer.shape[2] * cell for layer, cell in zip(self.layers, self._cells, strict=True))
        return [
            max(COLUMN, width, *(text_width(line, 7.6) for line in self._lines(place)))
            for place, width in enumerate(maps)
        ]

    @cached_property
    def _rows(self) -> list[list[int]]:
        """The maps that stand beside each other; they go on in another row where the width ends."""
        rows: list[list[int]] = [[]]
        x = float(MARGIN)
        for place, width in enumerate(self._columns):
            if rows[-1] and x + width > MOST_WIDTH - MARGIN:
                rows.append([])
                x = float(MARGIN)
            rows[-1].append(place)
            x += width + BETWEEN
        return rows

    @cached_property
    def _places(self) -> list[tuple[float, float]]:
        """Of each map the left of its column, and the middle of its row."""
        places, y = [], float(MARGIN)
        for row in self._rows:
            x, middle = float(MARGIN), y + self._head(row) + self._tall(row) / 2
            for place in row:
                places.append((x, middle))
                x += self._columns[place] + BETWEEN
            y = middle + self._tall(row) / 2 + FOOT + 24
        return places

    def _head(self, row: Sequence[int]) -> float:
        """The lines above the maps."""
        return LINE * max(len(self._lines(place)) for place in row) + 8

    def _tall(self, row: Sequence[int]) -> float:
        return max(self._sides(place)[0] for place in row)

    def _is_beside(self, place: int) -> bool:
        return self._places[place][1] == self._places[place + 1][1]

    def _corner(self, place: int) -> tuple[float, float]:
        (x, middle), (down, across) = self._places[place], self._sides(place)
        return x + (self._columns[place] - across) / 2, middle - down / 2

    def _sides(self, place: int) -> tuple[float, float]:
        """Height and width of a map."""
        rows, columns = self.layers[place].shape[1:]
        return rows * self._cells[place], columns * self._cells[place]

    def _below(self, place: int) -> float:
        """The middle of the line under a map."""
        return self._corner(place)[1] + self._sides(place)[0] + 14

    def _box(self, place: int) -> tuple[float, float, float, float]:
        """What is seen, as far as it lies in the map."""
        (x, y), layer, cell = self._corner(place), self.layers[place], self._cells[place]
        (top, foot), (left, right) = (
            (max(0, first) * cell, (min(side - 1, last) + 1) * cell)
            for (first, last), side in zip(layer.seen.spans, layer.shape[1:], strict=True)
        )
        return x + left, y + top, x + right, y + foot

    # What is drawn.

    def _map(self, place: int) -> Iterator[str]:
        (x, y), (down, across), cell = self._corner(place), self._sides(place), self._cells[place]
        role = "in_0 s-in" if place == 0 else "sunken s-edge"
        yield rectangle(x, y, across, down, f'class="{role}"', 2)
        if cell >= LEAST_GRID:
            rows, columns = self.layers[place].shape[1:]
            lines = [f"M{length(x + at * cell)} {length(y)}v{length(down)}" for at in range(1, columns)]
            lines += [f"M{length(x)} {length(y + at * cell)}h{length(across)}" for at in range(1, rows)]
            yield f'<path d="{"".join(lines)}" class="s-surface" stroke-width="0.75" fill="none"/>'

    def _seen(self, place: int) -> Iterator[str]:
        """The cells that are read, and a frame around them."""
        (x, y), layer, cell = self._corner(place), self.layers[place], self._cells[place]
        last = place == len(self.layers) - 1
        role = "in_100" if place == 0 else "out" if last else "edge"
        inset = 0.4 if cell >= LEAST_GRID else 0
        for top, left, rows, columns in runs(layer.seen, layer.shape):
            at = x + left * cell + inset, y + top * cell + inset
            size = columns * cell - 2 * inset, rows * cell - 2 * inset
            run = f'data-row="{top}" data-column="{left}" data-rows="{rows}" data-columns="{columns}"'
            yield rectangle(*at, *size, f'class="{role}" data-map="{place}" {run}', 1)
        start, above, end, below = self._box(place)
        style = 'class="s-text out"' if last and cell < LEAST_GRID else 'class="s-text" fill="none"'
        style = f'{style} stroke-width="2"'
        yield rectangle(start - 1.5, above - 1.5, end - start + 3, below - above + 3, style, 3)

    def _words(self, place: int) -> Iterator[str]:
        """The block that made it above, its shape below."""
        (x, _), layer = self._places[place], self.layers[place]
        middle, lines = x + self._columns[place] / 2, self._lines(place)
        top = self._corner(place)[1] - LINE * len(lines)
        for number, text in enumerate(lines):
            font = f'font-family="{MONO}"' if layer.row else 'font-weight="700"'
            ink = "muted" if number else "text"
            yield written(text, middle, top + LINE * number, 12, f'class="{ink}" {font}')
        yield written(times(layer.shape), middle, self._below(place), 12, f'class="muted" font-family="{MONO}"')

    def _said(self, place: int) -> str:
        middle, y = self._places[place][0] + self._columns[place] / 2, self._below(place) + LINE + 3
        return written(self._count(self.layers[place]), middle, y, 13, 'class="text" font-weight="700"')

    def _count(self, layer: Layer) -> str:
        if layer is self.layers[-1]:
            return self.look.words["one value"]
        return self.look.words["sees"].format(field=" × ".join(map(str, layer.seen.extents)))

    def _lines(self, place: int) -> list[str]:
        """The block that made a map, and the joins that it went into."""
        row, joins = self.layers[place].row, self.layers[place].joins
        if row is None:
            return [self.look.words["input"]]
        made = [line.text for line in notation(Step((row,), (), row.output_shape))]
        return made + [self._join(join.block) for join in joins]

    def _join(self, block: Block) -> str:
        if isinstance(block, Join):
            return f"{block.keyword} {block.name}"
        if isinstance(block, Residual):
            return self.look.words["plus shortcut" if block.shortcut else "plus input"]
        assert isinstance(block, Parallel)
        return self.look.words["of branches"].format(how=block.how, count=len(block.paths()))
