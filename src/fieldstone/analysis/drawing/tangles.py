"""A tangle: its steps in a line, or in rows where they are wider than a page, and every edge between them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fieldstone.analysis.drawing.lanes import END, START, Fork, Tangle
from fieldstone.analysis.drawing.marks import RADIUS, Mark, Piece, wire

BUS, ARC_GAP, ROW_GAP = 8, 12, 30
"""Half of the gap between steps; between the levels of wires that go over steps; between rows."""

Interval = tuple[float, float]


class Place(NamedTuple):
    """A step's row, and in it where its piece begins, where wires come and leave, and where it ends."""

    row: int
    left: float
    entry: float
    exit: float
    right: float
    join: bool = False

    @property
    def turn(self) -> float:
        """Where a wire that goes over other steps turns up."""
        return self.right + BUS / 2

    @property
    def landing(self) -> float:
        """Where such a wire comes down: on the circle of a join, or before a map."""
        return self.left + (RADIUS if self.join else -BUS / 2)


@dataclass
class Arc:
    """An edge over other steps.

    Attributes:
        leaves, comes: its level above the row that it leaves, and above the one that it comes to.
        line: its place in the margin, where those are two.
    """

    start: Place
    end: Place
    leaves: int = 0
    comes: int = 0
    line: int = 0

    @property
    def crosses(self) -> bool:
        """Whether it goes from row to row."""
        return self.start.row != self.end.row


def whole_tangle(fork: Fork) -> Tangle | None:
    """The tangle that all of a fork is, the fork's join its last step; None for another fork."""
    lane = fork.lanes[0] if len(fork.lanes) == 1 else ()
    if fork.join is None or len(lane) != 1 or not isinstance(lane[0], Tangle):
        return None
    edges = [(one, fork.join if other == END else other) for one, other in lane[0].edges]
    return Tangle((*lane[0].steps, fork.join), (*edges, *[(START, fork.join)] * fork.direct))


def draw_tangle(tangle: Tangle, pieces: Mapping[int, Piece], joins: Collection[int], width: float) -> Piece:
    """The steps in their order, as many to a row as the width allows; what is not to the next one goes over them.

    Args:
        pieces: of every step, with its circle where it is one of `joins`.
    """
    rows = _rows(tangle, pieces, joins, width)
    places = _places(tangle, rows, pieces, joins)
    order = {step: number for number, step in enumerate(places)}
    near = [(one, other) for one, other in tangle.edges if order[other] - order[one] == 1]
    arcs = [Arc(places[one], places[other]) for one, other in tangle.edges if order[other] - order[one] > 1]
    margin = max(place.right for place in places.values()) + 2 * BUS
    levels, lines = _level(arcs, len(rows), margin), _line_up(arcs)
    heights = [max(pieces[step].above for step in row) for row in rows]
    below = [max(pieces[step].below for step in row) for row in rows]
    axes = [0.0]
    for row in range(1, len(rows)):
        axes.append(axes[-1] + below[row - 1] + ROW_GAP + heights[row] + ARC_GAP * levels[row])
    marks: list[Mark] = [
        mark for row, axis in zip(rows, axes, strict=True) for step in row
        for mark in pieces[step].moved(places[step].left, axis)
    ]  # fmt: skip
    for one, other in near:
        marks.append(_next(places[one], places[other], axes, below, arrow=other != END))
    for arc in arcs:
        marks.append(_over(arc, axes, heights, margin, arrow=arc.end is not places.get(END)))
    last = list(places.values())[-1]
    return Piece(
        margin + ARC_GAP * lines if lines else last.right, heights[0] + ARC_GAP * levels[0] + 2, axes[-1] + below[-1],
        tuple(marks), 0, last.exit, drop=axes[-1],
    )  # fmt: skip


def _rows(tangle: Tangle, pieces: Mapping[int, Piece], joins: Collection[int], width: float) -> list[Sequence[int]]:
    """The steps of each row: broken in its second half where the fewest edges are, before a join if there is one."""
    order = {START: -1, **{step: number for number, step in enumerate(tangle.steps)}, END: len(tangle.steps)}
    edges = [(order[one], order[other]) for one, other in tangle.edges]
    rows: list[Sequence[int]] = []
    begin = 0
    while begin < len(tangle.steps):
        ends = _ends([pieces[step].width + 2 * BUS for step in tangle.steps[begin:]], width - 2 * BUS)
        ways = {end: sum(one < begin + end <= other for one, other in edges) for end in ends}
        after = tangle.steps[begin:]
        end = min(ends, key=lambda end: (ways[end], after[end : end + 1] and after[end] not in joins, -end))
        rows.append(after[:end])
        begin += end
    return rows


def _ends(widths: Sequence[float], room: float) -> list[int]:
    """After how many a row may end: all, or those that fill more than half of it, or the first."""
    if sum(widths) <= room:
        return [len(widths)]
    return [end for end in range(1, len(widths)) if room / 2 < sum(widths[:end]) <= room] or [1]


def _places(
    tangle: Tangle, rows: Sequence[Sequence[int]], pieces: Mapping[int, Piece], joins: Collection[int]
) -> dict[int, Place]:
    """By step in their order; START before all, and END after them where an edge ends there."""
    places = {START: Place(0, 0, 0, 0, 0)}
    left = 0.0
    for number, row in enumerate(rows):
        left = 2.0 * BUS
        for step in row:
            piece = pieces[step]
            places[step] = Place(number, left, left + piece.entry, left + piece.exit, left + piece.width, step in joins)
            left += piece.width + 2 * BUS
    if any(other == END for _, other in tangle.edges):
        places[END] = Place(len(rows) - 1, left, left, left, left)
    return places


def _level(arcs: Sequence[Arc], rows: int, margin: float) -> list[int]:
    """Gives each arc the lowest levels that are free, the short ones first; how many levels each row has."""
    counts = []
    for row in range(rows):
        spans = [(arc, _span(arc, row, margin)) for arc in arcs if row in (arc.start.row, arc.end.row)]
        spans.sort(key=lambda one: one[1][1] - one[1][0])
        levels = _packed([span for _, span in spans])
        for (arc, _), level in zip(spans, levels, strict=True):
            arc.leaves = level if row == arc.start.row else arc.leaves
            arc.comes = level if row == arc.end.row else arc.comes
        counts.append(max(levels, default=0))
    return counts


def _span(arc: Arc, row: int, margin: float) -> Interval:
    """From where to where it goes over a row."""
    left = arc.start.turn if row == arc.start.row else arc.end.landing
    return (left, margin if arc.crosses else arc.end.landing)


def _line_up(arcs: Sequence[Arc]) -> int:
    """Gives each arc between rows a line in the margin, the short ones first; how many lines there are."""
    crossing = sorted((arc for arc in arcs if arc.crosses), key=lambda arc: arc.end.row - arc.start.row)
    lines = _packed([(arc.start.row, arc.end.row) for arc in crossing])
    for arc, line in zip(crossing, lines, strict=True):
        arc.line = line
    return max(lines, default=0)


def _packed(spans: Sequence[Interval]) -> list[int]:
    """For each span the first level, from 1, on which it touches none that came before."""
    taken: list[list[Interval]] = []
    found = []
    for low, high in spans:
        free = (
            number for number, level in enumerate(taken) if all(high < left or right < low for left, right in level)
        )
        number = next(free, len(taken))
        if number == len(taken):
            taken.append([])
        taken[number].append((low, high))
        found.append(number + 1)
    return found


def _next(one: Place, other: Place, axes: Sequence[float], below: Sequence[float], *, arrow: bool) -> Mark:
    """To the next step: straight, or through the gap to the beginning of the next row."""
    start, end = (one.exit, axes[one.row]), (other.entry, axes[other.row])
    if one.row == other.row:
        return wire(start, end, arrow=arrow)
    gap, turn = axes[one.row] + below[one.row] + ROW_GAP / 2, one.right + BUS
    return wire(start, (turn, start[1]), (turn, gap), (BUS, gap), (BUS, end[1]), end, arrow=arrow)


def _over(arc: Arc, axes: Sequence[float], heights: Sequence[float], margin: float, *, arrow: bool) -> Mark:
    """Up, over the steps, where needed down the margin and over those of another row, and down."""
    start, end = arc.start, arc.end
    leaves = axes[start.row] - heights[start.row] - ARC_GAP * arc.leaves
    comes = axes[end.row] - heights[end.row] - ARC_GAP * arc.comes
    points = [(start.exit, axes[start.row]), (start.turn, axes[start.row]), (start.turn, leaves)]
    if arc.crosses:
        line = margin + ARC_GAP * (arc.line - 1)
        points += [(line, leaves), (line, comes)]
    axis = axes[end.row]
    if end.join:
        return wire(*points, (end.landing, comes), (end.landing, axis - RADIUS), arrow=True)
    return wire(*points, (end.landing, comes), (end.landing, axis), (end.entry, axis), arrow=arrow)
