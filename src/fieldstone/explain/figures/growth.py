"""The figure of a receptive field: what one value sees of every map before it, back to the input, all to scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from fieldstone.analysis.drawing.colours import MONO
from fieldstone.analysis.drawing.ink import number as length
from fieldstone.analysis.drawing.ink import rectangle
from fieldstone.analysis.drawing.marks import text_width
from fieldstone.analysis.drawing.steps import Step
from fieldstone.analysis.drawing.words import label as notation
from fieldstone.analysis.drawing.words import times
from fieldstone.design.blocks.structure import Structure
from fieldstone.design.names import INPUT
from fieldstone.design.walk import Row
from fieldstone.errors import FieldstoneError
from fieldstone.explain.figures.film import Piece
from fieldstone.explain.figures.grid import written
from fieldstone.explain.figures.stage import BEAMS, FRAMES, LABELS, MARGIN, STONES, Look, beam
from fieldstone.geometry import Shape, Whole

SIDE, MOST_CELL, LEAST_GRID = 180, 14, 3
"""The largest map, the largest cell, and the smallest cell that has lines around it, in pixels."""
COLUMN, BETWEEN, MOST_WIDTH, MOST_MAPS = 84, 40, 1240, 24
LINE = 15

Seen = tuple[tuple[int, ...], ...]
"""Per axis the coordinates that are read, in order; in padding they are below 0, or past the end."""


class Layer(NamedTuple):
    """A map: what made it, its shape, and what is seen of it."""

    row: Row | None
    shape: Shape
    seen: Seen


def layers_of(name: str, input: Shape, rows: Sequence[Row]) -> tuple[Layer, ...]:
    """The maps of a chain, the input first, with what the middle value of the last one sees of each.

    Raises:
        FieldstoneError: it is no chain of maps with rows and columns.
    """
    windowed = list(_windowed(name, rows)) if len(input) == 3 else []
    if not windowed:
        fix = "give a design of images that begins with convolution or pooling"
        raise FieldstoneError(f"{name}: there is no window over rows and columns", fix=fix)
    if len(windowed) >= MOST_MAPS:
        fix = "`fieldstone inspect --svg` draws the whole of it"
        raise FieldstoneError(f"{name}: {len(windowed)} windows are too many for one figure", fix=fix)
    seen: Seen = tuple((side // 2,) for side in windowed[-1].output_shape[1:])
    layers = [Layer(windowed[-1], windowed[-1].output_shape, seen)]
    for place in reversed(range(len(windowed))):
        row = windowed[place]
        window = row.window
        assert window is not None
        assert not isinstance(window, Whole)
        axes = zip(window.reads(row.input_shape[1:]), seen, strict=True)
        seen = tuple(tuple(sorted({at for value in values for at in reads.at(value)})) for reads, values in axes)
        layers.append(Layer(windowed[place - 1] if place else None, row.input_shape, seen))
    return tuple(reversed(layers))


def _windowed(name: str, rows: Sequence[Row]) -> Iterator[Row]:
    """The rows that read windows, up to the first that sees its whole input."""
    before = INPUT
    for row in rows:
        if isinstance(row.window, Whole) or len(row.output_shape) == 1:
            return
        if row.sources != (before,) and not (isinstance(row.block, Structure) and len(row.sources) == 1):
            fix = "`fieldstone inspect --svg` draws branches"
            raise FieldstoneError(f"{name}: {row.path} takes other maps than the one before it", fix=fix)
        if not isinstance(row.block, Structure):
            before = row.path
            if row.window is not None:
                yield row


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
        return self._places[-1][1] + self._row_height + MARGIN

    def says(self, step: int) -> str:
        return ", ".join(self._count(layer) for layer in self.layers[len(self.layers) - 1 - step :][::-1])

    def moving(self, step: int, share: float) -> list[Piece]:
        return []

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
    def _cell(self) -> float:
        largest = max(side for layer in self.layers for side in layer.shape[1:])
        return min(MOST_CELL, SIDE / largest)

    @cached_property
    def _columns(self) -> list[float]:
        """How wide each map's column is."""
        maps = (layer.shape[2] * self._cell for layer in self.layers)
        return [
            max(COLUMN, width, *(text_width(line, 7.6) for line in self._lines(place)))
            for place, width in enumerate(maps)
        ]

    @cached_property
    def _places(self) -> list[tuple[float, float]]:
        """The corner of each column; they go on in another row where the width ends."""
        places, x, y = [], float(MARGIN), float(MARGIN)
        for width in self._columns:
            if x > MARGIN and x + width > MOST_WIDTH - MARGIN:
                x, y = float(MARGIN), y + self._row_height + 24
            places.append((x, y))
            x += width + BETWEEN
        return places

    @cached_property
    def _head(self) -> float:
        """The lines above the maps."""
        return LINE * max(len(self._lines(place)) for place in range(len(self.layers))) + 8

    @cached_property
    def _tall(self) -> float:
        return max(layer.shape[1] for layer in self.layers) * self._cell

    @property
    def _row_height(self) -> float:
        return self._head + self._tall + 2 * LINE + 18

    def _is_beside(self, place: int) -> bool:
        return self._places[place][1] == self._places[place + 1][1]

    def _corner(self, place: int) -> tuple[float, float]:
        (x, y), layer = self._places[place], self.layers[place]
        down, across = (side * self._cell for side in layer.shape[1:])
        return x + (self._columns[place] - across) / 2, y + self._head + (self._tall - down) / 2

    def _box(self, place: int) -> tuple[float, float, float, float]:
        """What is seen, as far as it lies in the map."""
        (x, y), layer = self._corner(place), self.layers[place]
        (top, foot), (left, right) = (
            (max(0, axis[0]) * self._cell, (min(side - 1, axis[-1]) + 1) * self._cell)
            for axis, side in zip(layer.seen, layer.shape[1:], strict=True)
        )
        return x + left, y + top, x + right, y + foot

    # What is drawn.

    def _map(self, place: int) -> Iterator[str]:
        (x, y), layer = self._corner(place), self.layers[place]
        down, across = (side * self._cell for side in layer.shape[1:])
        role = "in_0 s-in" if place == 0 else "sunken s-edge"
        yield rectangle(x, y, across, down, f'class="{role}"', 2)
        if self._cell >= LEAST_GRID:
            lines = [f"M{length(x + at * self._cell)} {length(y)}v{length(down)}" for at in range(1, layer.shape[2])]
            lines += [f"M{length(x)} {length(y + at * self._cell)}h{length(across)}" for at in range(1, layer.shape[1])]
            yield f'<path d="{"".join(lines)}" class="s-surface" stroke-width="0.75" fill="none"/>'

    def _seen(self, place: int) -> Iterator[str]:
        """The cells that are read, and a frame around them."""
        (x, y), layer = self._corner(place), self.layers[place]
        last = place == len(self.layers) - 1
        role = "in_100" if place == 0 else "out" if last else "edge"
        inset = 0.4 if self._cell >= LEAST_GRID else 0
        for top, rows in _runs(layer.seen[0], layer.shape[1]):
            for left, columns in _runs(layer.seen[1], layer.shape[2]):
                at = x + left * self._cell + inset, y + top * self._cell + inset
                size = columns * self._cell - 2 * inset, rows * self._cell - 2 * inset
                run = f'data-row="{top}" data-column="{left}" data-rows="{rows}" data-columns="{columns}"'
                yield rectangle(*at, *size, f'class="{role}" data-map="{place}" {run}', 1)
        start, above, end, below = self._box(place)
        style = 'class="s-text" fill="none" stroke-width="2"'
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
        foot = self._corner(place)[1] + layer.shape[1] * self._cell + 14
        yield written(times(layer.shape), middle, foot, 12, f'class="muted" font-family="{MONO}"')

    def _said(self, place: int) -> str:
        (x, _), layer = self._places[place], self.layers[place]
        foot = self._corner(place)[1] + layer.shape[1] * self._cell + 14 + LINE + 3
        return written(self._count(layer), x + self._columns[place] / 2, foot, 13, 'class="text" font-weight="700"')

    def _count(self, layer: Layer) -> str:
        extents = [axis[-1] - axis[0] + 1 for axis in layer.seen]
        if layer is self.layers[-1]:
            return self.look.words["one value"]
        return self.look.words["sees"].format(field=" × ".join(map(str, extents)))

    def _lines(self, place: int) -> list[str]:
        row = self.layers[place].row
        if row is None:
            return [self.look.words["input"]]
        return [line.text for line in notation(Step((row,), (), row.output_shape))]


def _runs(places: Sequence[int], side: int) -> Iterator[tuple[int, int]]:
    """The places within a map as first ones and counts of such as follow each other."""
    inside = [at for at in places if 0 <= at < side]
    start = 0
    for end in range(1, len(inside) + 1):
        if end == len(inside) or inside[end] != inside[end - 1] + 1:
            yield inside[start], end - start
            start = end
