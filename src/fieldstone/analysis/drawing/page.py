"""A network on a page: rows that follow each other, and skips over smaller maps as a ladder of levels, like a U."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from fieldstone.analysis.drawing.lanes import Element, Fold, Fork, Series, steps_in
from fieldstone.analysis.drawing.marks import RADIUS, Mark, Piece, Wire, wire
from fieldstone.analysis.drawing.pieces import PANEL_PAD, Drafter, panel
from fieldstone.analysis.drawing.tangles import whole_tangle

WIDTH = 1200
LEAD, CHANNEL, GAP = 22, 30, 60
"""Before a row, between rows, and from the left side of a ladder to its right side."""


def page(drafter: Drafter, series: Series, width: float = WIDTH, depth: int = 0) -> Piece:
    """All of a network, or of a pass, as one piece."""
    return _stacked(_rows(drafter, list(_pieces(drafter, series, width, depth)), width))


def _pieces(drafter: Drafter, series: Series, width: float, depth: int) -> Iterator[Piece]:
    """The elements, a ladder taking those before and after it that it has room for."""
    turn = _turn(drafter, series)
    if turn is None:
        yield from (_piece(drafter, element, width, depth) for element in series)
        return
    before = [_piece(drafter, element, width, depth) for element in series[:turn]]
    taken = _fitting(before[::-1], width / 2)
    yield from before[: len(before) - taken]
    fork = series[turn]
    assert isinstance(fork, Fork)
    assert fork.join is not None
    levels, bottom = _levels(drafter, fork, depth)
    left, join = drafter.joined(before[len(before) - taken :]), drafter.joining(fork.join)
    middle = LEAD + max(level.left.width for level in (Level(left, join), *levels)) + GAP
    after: list[Piece] = []
    for element in series[turn + 1 :]:
        piece = _piece(drafter, element, width, depth)
        if middle + join.width + sum(one.width for one in after) + piece.width > width or _turns(drafter, element):
            break
        after.append(piece)
    yield _ladder([Level(left, drafter.joined([join, *after])), *levels], bottom)
    yield from _pieces(drafter, series[turn + 1 + len(after) :], width, depth)


def _piece(drafter: Drafter, element: Element, width: float, depth: int) -> Piece:
    piece = drafter.piece(element, depth)
    if isinstance(element, Fold) and (piece.width > width or _turn(drafter, element.body) is not None):
        inner = page(drafter, element.body, width - 2 * PANEL_PAD, depth + 1)
        return panel(inner, element, drafter.leaves(element), depth)
    if isinstance(element, Fork) and piece.width > width and (tangle := whole_tangle(element)):
        return drafter.tangle(tangle, width)
    return piece


def _fitting(pieces: Sequence[Piece], width: float) -> int:
    """How many of the first pieces fit, one at least; none that is left elsewhere than it is entered."""
    taken, total = 0, 0.0
    for piece in pieces:
        total += piece.width
        if piece.drop or (taken and total > width):
            break
        taken += 1
    return taken


def _turn(drafter: Drafter, series: Series) -> int | None:
    """The first fork with a way straight to the join over maps of other sides."""
    return next((place for place, element in enumerate(series) if _turns(drafter, element)), None)


def _turns(drafter: Drafter, element: Element) -> bool:
    if not isinstance(element, Fork) or element.join is None or (len(element.lanes), element.direct) != (1, 1):
        return False
    sides = drafter.steps[element.join].shape[1:]
    return any(drafter.steps[step].shape[1:] != sides for step in steps_in(element.lanes[0]))


class Level(NamedTuple):
    """One level of a ladder: what comes down, and from the join on what goes up."""

    left: Piece
    right: Piece

    @property
    def above(self) -> float:
        return max(self.left.above, self.right.above)

    @property
    def below(self) -> float:
        return max(self.left.below, self.right.below, RADIUS)


def _levels(drafter: Drafter, fork: Fork, depth: int) -> tuple[list[Level], Piece]:
    """The levels below the first one, and what lies at the bottom."""
    levels = []
    inner = fork.lanes[0]
    while (turn := _turn(drafter, inner)) is not None:
        turned = inner[turn]
        assert isinstance(turned, Fork)
        assert turned.join is not None
        after = [drafter.piece(element, depth) for element in inner[turn + 1 :]]
        levels.append(Level(drafter.line(inner[:turn], depth), drafter.joined([drafter.joining(turned.join), *after])))
        inner = turned.lanes[0]
    return levels, page(drafter, inner, WIDTH, depth)


def _ladder(levels: Sequence[Level], bottom: Piece) -> Piece:
    """Levels under each other, each skip a straight line from the left side to the right side, the rest below."""
    left_end = LEAD + max(level.left.width for level in levels)
    right = left_end + GAP
    width = right + max(level.right.width for level in levels)
    start = max(LEAD, left_end + LEAD + 4 - bottom.width, (width - bottom.width) / 2)
    lefts = [(LEAD, level.left) for level in levels] + [(start, bottom)]
    rights = [(right, level.right) for level in levels] + [(start, bottom)]
    marks: list[Mark] = []
    y = 0.0
    for number, level in enumerate(levels):
        above = bottom.above if number == len(levels) - 1 else levels[number + 1].above
        channel, down = y + level.below + CHANNEL / 2, y + level.below + CHANNEL + above
        marks += [*level.left.moved(LEAD, y), *level.right.moved(right, y)]
        leave = (LEAD + level.left.exit, y)
        marks.append(wire(leave, (right, y), arrow=True))
        x, piece = lefts[number + 1]
        marks.append(_descent(leave, LEAD + level.left.width + 6, channel, (x, down), piece))
        x, piece = rights[number + 1]
        marks.append(_ascent((x, down), piece, channel, (right + RADIUS, y + RADIUS)))
        y = down
    marks += bottom.moved(start, y)
    entry, exit = LEAD + levels[0].left.entry, right + levels[0].right.exit
    first = levels[0].left.first and levels[0].left.first.moved(LEAD, 0)
    return Piece(
        max(width, start + bottom.width) + 8, levels[0].above, y + bottom.below, tuple(marks), entry, exit, first
    )


def _descent(leave: tuple[float, float], turn: float, channel: float, to: tuple[float, float], piece: Piece) -> Wire:
    """Down through a channel to the start of a piece at `to`, from its left."""
    x, y = to
    points = (leave, (turn, leave[1]), (turn, channel), (x - 14, channel), (x - 14, y), (x + piece.entry, y))
    return wire(*points, arrow=piece.first is not None)


def _ascent(at: tuple[float, float], piece: Piece, channel: float, join: tuple[float, float]) -> Wire:
    """From the end of a piece at `at` up through a channel to the foot of a join."""
    x, y = at[0] + piece.exit, at[1] + piece.drop
    turn = at[0] + piece.width + 6
    return wire((x, y), (turn, y), (turn, channel), (join[0], channel), join, arrow=True)


def _rows(drafter: Drafter, pieces: Sequence[Piece], width: float) -> list[Piece]:
    """As few rows as the width allows, of as even lengths as that allows."""
    rows = _filled(pieces, width)
    low, high = 0, int(width)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if len(_filled(pieces, middle)) <= len(rows) else (middle, high)
    return [drafter.joined(row) for row in _filled(pieces, high)]


def _filled(pieces: Sequence[Piece], width: float) -> list[list[Piece]]:
    rows: list[list[Piece]] = []
    room = 0.0
    for piece in pieces:
        if not rows or piece.width > room or rows[-1][-1].drop:
            rows.append([])
            room = width - LEAD
        rows[-1].append(piece)
        room -= piece.width
    return rows


def _stacked(rows: Sequence[Piece]) -> Piece:
    """Rows under each other, a wire from each to the next."""
    if len(rows) == 1:
        return rows[0]
    marks: list[Mark] = []
    y = 0.0
    for number, row in enumerate(rows):
        x = LEAD if number else 0
        marks += row.moved(x, y)
        if number < len(rows) - 1:
            after = rows[number + 1]
            channel = y + row.below + CHANNEL / 2
            down = y + row.below + CHANNEL + after.above
            marks.append(_descent((x + row.exit, y + row.drop), x + row.width + 2, channel, (LEAD, down), after))
            y = down
    width = max(row.width + (LEAD if number else 0) for number, row in enumerate(rows))
    first, last = rows[0], rows[-1]
    return replace(
        Piece(width + 6, first.above, y + last.below, tuple(marks)),
        entry=first.entry, exit=LEAD + last.exit, first=first.first, drop=y + last.drop,
    )  # fmt: skip
