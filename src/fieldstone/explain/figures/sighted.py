"""Which cells of the maps before it one value reads, traced back through the windows and joins of a network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import prod
from typing import NamedTuple

import numpy as np

from fieldstone.analysis.rule import Subject
from fieldstone.design.blocks.structure import Join, Parallel
from fieldstone.design.field import Axis, Field
from fieldstone.design.names import INPUT
from fieldstone.design.walk import Row
from fieldstone.errors import FieldstoneError
from fieldstone.geometry import Reads, Shape, Whole

MOST_MAPS = 32
Mask = np.ndarray[tuple[int, int], np.dtype[np.bool_]]


class Seen(NamedTuple):
    """The cells of a map that are read; `cells` begins at the place (top, left), and padding lies outside the map."""

    top: int
    left: int
    cells: Mask

    @property
    def spans(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """The first and the last row that is read, and the same of the columns."""
        rows, columns = (np.flatnonzero(self.cells.any(axis=axis)) for axis in (1, 0))
        return (
            (self.top + int(rows[0]), self.top + int(rows[-1])),
            (self.left + int(columns[0]), self.left + int(columns[-1])),
        )

    @property
    def extents(self) -> tuple[int, int]:
        """Rows and columns, those of the padding counted."""
        rows, columns = (last - first + 1 for first, last in self.spans)
        return rows, columns

    def before(self, reads: Sequence[Reads]) -> Seen:
        """What is read of the map before a window, borders not clipped."""
        top, rows = _taps(reads[0], self.top, self.cells.shape[0])
        left, columns = _taps(reads[1], self.left, self.cells.shape[1])
        return Seen(top, left, rows.T @ self.cells @ columns > 0)

    def moved(self, down: int, right: int) -> Seen:
        return Seen(self.top + down, self.left + right, self.cells)

    def beside(self, other: Seen) -> Seen:
        """What either reads."""
        top, left = min(self.top, other.top), min(self.left, other.left)
        sides = [
            max(self.top + self.cells.shape[0], other.top + other.cells.shape[0]) - top,
            max(self.left + self.cells.shape[1], other.left + other.cells.shape[1]) - left,
        ]
        cells = np.zeros((sides[0], sides[1]), np.bool_)
        for one in (self, other):
            rows, columns = (slice(at, at + side) for at, side in zip(
                (one.top - top, one.left - left), one.cells.shape, strict=True
            ))  # fmt: skip
            cells[rows, columns] |= one.cells
        return Seen(top, left, cells)

    def cut(self, part: Seen, shape: Shape) -> Seen:
        """What a part of it reaches, along each axis of the map of which that reads all that the whole reads."""
        if not part.cells.any():
            return self
        top, rows = _cut(self.top, self.spans[0], part.spans[0], shape[1])
        left, columns = _cut(self.left, self.spans[1], part.spans[1], shape[2])
        return Seen(top, left, self.cells[rows, columns])


class Layer(NamedTuple):
    """A map: the windowed row that made it, none of the input; the joins it went into since; what is seen of it."""

    row: Row | None
    joins: tuple[Row, ...]
    shape: Shape
    seen: Seen


def layers_of(name: str, input: Shape, rows: tuple[Row, ...]) -> tuple[Layer, ...]:
    """The maps on the way that sees most, the input first, with what one value of the last map sees of each.

    What a value sees is by all ways together; the value is of those that see most the one nearest to the middle. 1x1
    convolutions see what the map after them sees, so they have no map. It ends before what sees its whole input.

    Raises:
        FieldstoneError: there are no windows over rows and columns, or too many for one figure, or they read nothing.
    """
    subject = Subject(input, rows)
    way = _way(subject) if len(input) == 3 else ()
    places = [place for place, row in enumerate(way) if _is_windowed(row)]
    if not places:
        fix = "give a design of images that begins with convolution or pooling of more than one cell"
        raise FieldstoneError(f"{name}: there is no window over rows and columns", fix=fix)
    if len(places) >= MOST_MAPS:
        many = f"{len(places) + 1} maps one after another are more than the {MOST_MAPS} of a figure"
        fix = "give a design that ends earlier; `fieldstone inspect --svg` draws the whole of it"
        raise FieldstoneError(f"{name}: {many}", fix=fix)
    seen = _traced(subject, way[-1])
    layers = [Layer(None, (), input, seen[INPUT])]
    for place, end in zip(places, [*places[1:], len(way)], strict=True):
        joins = tuple(row for row in way[place + 1 : end] if isinstance(row.block, Parallel | Join))
        layers.append(Layer(way[place], joins, way[end - 1].output_shape, seen[way[end - 1].path]))
    if not all(layer.seen.cells.any() for layer in layers):
        fix = "`fieldstone inspect --json` has the fields of all blocks"
        raise FieldstoneError(f"{name}: no value of {way[-1].path} reads the input, so it sees nothing", fix=fix)
    return tuple(layers)


def _way(subject: Subject) -> tuple[Row, ...]:
    """The rows from the input to the last map, of those at a join the one that sees most; none that sees everything."""
    fields: dict[str, Field] = {INPUT: Field.of_input(subject.input[1:])}
    chosen: dict[str, str] = {}
    for row in subject.order:
        known = [source for source in _maps(row) if source in fields]
        if known and len(row.output_shape) == 3 and not isinstance(row.window, Whole):
            source = max(known, key=lambda path: prod(fields[path].receptive_field))
            before, window = fields[source], row.window
            moved = window and before.moved(window, row.input_shape[1:], row.output_shape[1:])
            fields[row.path], chosen[row.path] = moved or before, source
    way: list[Row] = []
    path = next(reversed(chosen), INPUT)
    while path != INPUT:
        way.append(subject.makers[path])
        path = chosen[path]
    return tuple(reversed(way))


def _maps(row: Row) -> tuple[str, ...]:
    """The sources whose values it takes; `maxunpool` takes of another the places alone."""
    return row.sources if isinstance(row.block, Parallel | Join) else row.sources[:1]


def _is_windowed(row: Row) -> bool:
    window = row.window
    return window is not None and not all(_reads_itself(reads) for reads in _reads(row))


def _reads_itself(reads: Reads) -> bool:
    """Whether each value reads its own place alone."""
    return (reads.period, reads.advance) == (1, 1) and tuple(reads.taps(0)) == (0,)


def _reads(row: Row) -> tuple[Reads, ...]:
    assert row.window is not None
    assert not isinstance(row.window, Whole)
    return row.window.reads(row.input_shape[1:])


def _traced(subject: Subject, last: Row) -> dict[str, Seen]:
    """By path, or `input`, what one value of the last row reads of each map that it is made of."""
    assert last.field is not None
    top, left = (_place(axis, side) for axis, side in zip(last.field.axes, last.output_shape[1:], strict=True))
    seen = {last.path: Seen(top, left, np.ones((1, 1), np.bool_))}
    gated: dict[str, Seen] = {}  # the part by way of blocks that see their whole input, the same for every value
    for row in reversed(subject.order):
        for found, part in ((seen, seen), (gated, seen if isinstance(row.window, Whole) else gated)):
            for source, read in _read(subject, row, part[row.path]) if row.path in part else ():
                found[source] = found[source].beside(read) if source in found else read
    # As in the analysis, after a gate the whole map is seen, and no more of the padding than by the gate.
    return {path: one.cut(gated[path], _shape(subject, path)) if path in gated else one for path, one in seen.items()}


def _shape(subject: Subject, path: str) -> Shape:
    return subject.input if path == INPUT else subject.makers[path].output_shape


def _place(axis: Axis, side: int) -> int:
    """Of the places along an axis that see most the one nearest to the middle."""
    middle = side // 2
    near = sorted(range(side), key=lambda place: abs(place - middle))
    spans = ((place, axis.span(place)) for place in near)
    return next((at for at, span in spans if span is not None and span[1] - span[0] + 1 == axis.field), middle)


def _read(subject: Subject, row: Row, seen: Seen) -> Iterator[tuple[str, Seen]]:
    """What a row reads of each map that it takes, for these cells of its own."""
    if isinstance(row.block, Join):
        saved, here = row.sources
        sides = _shape(subject, saved)[1:]
        down, right = (
            (whole - side) // 2 for whole, side in zip(sides, row.output_shape[1:], strict=True)
        )  # the centre
        yield from ((saved, seen.moved(down, right)), (here, seen))
    elif isinstance(row.window, Whole):
        yield row.sources[0], Seen(0, 0, np.ones(row.input_shape[1:], np.bool_))
    else:
        read = seen if row.window is None else seen.before(_reads(row))
        yield from ((source, read) for source in _maps(row))


def _cut(first: int, whole: tuple[int, int], part: tuple[int, int], side: int) -> tuple[int, slice]:
    """Where along an axis, and which of the cells from there on, the part is, if it has the cells within the map."""
    if any(_within(end, side) != _within(other, side) for end, other in zip(whole, part, strict=True)):
        return first, slice(None)
    return part[0], slice(part[0] - first, part[1] - first + 1)


def _within(place: int, side: int) -> int:
    return min(max(place, 0), side - 1)


def _taps(reads: Reads, first: int, count: int) -> tuple[int, np.ndarray[tuple[int, int], np.dtype[np.float32]]]:
    """The first place that so many values from `first` on read; and (values, places from there on), 1 where one is."""
    taps = [reads.at(first + number) for number in range(count)]
    every = [tap for one in taps for tap in one]
    low, high = min(every, default=0), max(every, default=0)
    marks = np.zeros((count, high - low + 1), np.float32)
    for number, one in enumerate(taps):
        marks[number, [tap - low for tap in one]] = 1
    return low, marks


def runs(seen: Seen, shape: Shape) -> Iterator[tuple[int, int, int, int]]:
    """The cells within a map as rectangles: top, left, rows, columns; equal rows below each other as one."""
    whole = np.zeros(shape[1:], np.bool_)
    down, right = max(0, -seen.top), max(0, -seen.left)  # of the cells so many lie before the map
    inside = seen.cells[down : shape[1] - seen.top, right : shape[2] - seen.left]
    whole[seen.top + down :, seen.left + right :][: inside.shape[0], : inside.shape[1]] = inside
    start = 0
    for end in range(1, len(whole) + 1):
        if end == len(whole) or (whole[end] != whole[start]).any():
            yield from ((start, left, end - start, columns) for left, columns in _stretches(whole[start]))
            start = end


def _stretches(cells: Iterable[np.bool_]) -> Iterator[tuple[int, int]]:
    """The first place and the length of each stretch that is read."""
    edges = np.flatnonzero(np.diff([0, *map(int, cells), 0]))
    yield from ((int(start), int(end - start)) for start, end in zip(edges[::2], edges[1::2], strict=True))
