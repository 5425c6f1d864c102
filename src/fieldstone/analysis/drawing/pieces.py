"""Lanes as pieces of a drawing: each in a line along its axis, what forks with its lanes above each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf
from typing import NamedTuple

from fieldstone.analysis.drawing.lanes import Element, Fold, Fork, Node, Series, Tangle
from fieldstone.analysis.drawing.marks import RADIUS, Beam, Box, Circle, Mark, Panel, Piece, Scale, wire
from fieldstone.analysis.drawing.sight import STAND_OUT, Sight
from fieldstone.analysis.drawing.steps import Step
from fieldstone.analysis.drawing.tangles import ARC_GAP, BUS, draw_tangle
from fieldstone.analysis.drawing.words import foot, label, sees, times
from fieldstone.geometry import Transposed, Whole, Window

COLUMN_PAD, LANE_GAP = 14, 14
PANEL_PAD, PANEL_HEAD = 12, 24
LEAST_WINDOW = 3


class Drafter(NamedTuple):
    """Makes pieces of the steps of one network."""

    steps: Sequence[Step]
    scale: Scale
    sight: Sight  # of the last block, framed on the input

    def line(self, series: Series, depth: int = 0) -> Piece:
        """Elements one after the other."""
        return self.joined([self.piece(element, depth) for element in series])

    def joined(self, pieces: Sequence[Piece]) -> Piece:
        """Pieces one after the other, with the wires between them."""
        marks: list[Mark] = []
        x = 0.0
        before: tuple[float, Piece] | None = None
        for piece in pieces:
            if before is not None:
                marks += self._between(before[1], before[0], piece, x)
            marks += piece.moved(x)
            before = (x, piece)
            x += piece.width
        above, below = (max((getattr(piece, side) for piece in pieces), default=0) for side in ("above", "below"))
        if not pieces:
            return Piece(0, 0, 0, ())
        first, last = pieces[0], pieces[-1]
        moved = x - last.width
        end = last.last and last.last.moved(moved, 0)
        return Piece(x, above, below, tuple(marks), first.entry, moved + last.exit, first.first, end, last.drop)

    def piece(self, element: Element, depth: int) -> Piece:
        match element:
            case Node(step):
                return self.column(step)
            case Fork():
                return self.fork(element, depth)
            case Tangle():
                return self.tangle(element)
            case Fold():
                return panel(self.line(element.body, depth + 1), element, self.leaves(element), depth)

    def column(self, step: int) -> Piece:
        """A map with its texts."""
        made = self.steps[step]
        box = self.scale.box(step, made.shape, label(made), foot(made))
        if not made.rows:
            box = replace(box, foot=(*box.foot, *self.sight.lines), foot_gap=STAND_OUT if self.sight.beyond else 0)
        width = max(box.right - box.x, box.text_width) + 2 * COLUMN_PAD
        box = box.moved(width / 2 - box.middle, 0)
        _, top, _, bottom = box.extent
        return Piece(width, -top, bottom, (box,), box.x, box.x + box.width, box, box)

    def joining(self, step: int) -> Piece:
        """A join's circle at (RADIUS, 0), then the map that it makes."""
        column = self.column(step)
        x = 2 * RADIUS
        arrow = wire((x, 0), (x + column.entry, 0), arrow=True)
        marks = (arrow, *column.moved(x), Circle(RADIUS, 0, self.steps[step].how or "join"))
        last = column.last and column.last.moved(x, 0)
        return replace(
            column, width=x + column.width, marks=marks, entry=0, exit=x + column.exit, first=None, last=last
        )

    def fork(self, fork: Fork, depth: int) -> Piece:
        """Lanes above each other, and the join that they meet in."""
        inside = parallel([self.line(lane, depth) for lane in fork.lanes], fork.direct, joins=fork.join is not None)
        if fork.join is None:
            return inside
        end, left = self.joining(fork.join), inside.width - RADIUS
        return Piece(
            left + end.width, max(inside.above, end.above), max(inside.below, end.below),
            (*inside.marks, *end.moved(left)), 0, left + end.exit, None, end.last and end.last.moved(left, 0),
        )  # fmt: skip

    def tangle(self, tangle: Tangle, width: float = inf) -> Piece:
        """Steps in a line, or in rows of some width; every edge that is not to the next one goes over them."""
        joins = [step for step in tangle.steps if len(self.steps[step].sources) > 1]
        pieces = {step: self.joining(step) if step in joins else self.column(step) for step in tangle.steps}
        return draw_tangle(tangle, pieces, joins, width)

    def leaves(self, fold: Fold) -> str:
        """What leaves the last pass, where the first one's is another."""
        last = self.steps[_end(fold.body)].rows[-1]
        if last.output_shape == fold.row.output_shape and last.receptive_field == fold.row.receptive_field:
            return ""
        return f"after {fold.times}: {times(fold.row.output_shape)}, {sees(fold.row)}"

    def _between(self, before: Piece, left: float, after: Piece, right: float) -> list[Mark]:
        start, end = left + before.exit, right + after.entry
        marks: list[Mark] = []
        if before.last is not None and after.first is not None:
            beam = self._beam(before.last.moved(left, 0), after.first.moved(right, 0))
            marks += [] if beam is None else [beam]
        return [wire((start, before.drop), (end, 0), arrow=after.first is not None), *marks]

    def _beam(self, before: Box, after: Box) -> Beam | None:
        """The window of a step on the map before it; of a transposed one on the map that it makes."""
        window, shape = self.steps[after.step].window, self.steps[before.step].shape
        if isinstance(window, Whole):
            return _beam(before, before.width, before.height, (after.x, 0), dotted=False)
        if isinstance(window, Window):
            return _beam(before, *_on(before, shape, window.extents), (after.x, 0), dotted=max(window.dilation) > 1)
        if isinstance(window, Transposed):
            return _beam(
                after, *_on(after, self.steps[after.step].shape, window.kernel), (before.right, 0), dotted=False
            )
        return None


def parallel(lanes: Sequence[Piece], direct: int, *, joins: bool) -> Piece:
    """From a bus at BUS to where the lanes meet, at `width`; `direct` ways without a step go over them."""
    places = _stacked(lanes)
    meet = 2 * BUS + max((lane.width for lane in lanes), default=2 * BUS) + RADIUS
    above, below = 1.5 * RADIUS, 1.5 * RADIUS
    marks: list[Mark] = []
    for lane, y in zip(lanes, places, strict=True):
        marks += lane.moved(2 * BUS, y)
        marks.append(wire((0, 0), (BUS, 0), (BUS, y), (2 * BUS + lane.entry, y), arrow=lane.first is not None))
        marks.append(_landing((2 * BUS + lane.exit, y), meet, joins))
        above, below = max(above, lane.above - y), max(below, lane.below + y)
    for number in range(direct):
        if number or lanes:
            above += ARC_GAP
            marks.append(_landing((0, 0), meet, joins, over=-above))
        else:  # with nothing else on the axis, the first goes straight
            marks.append(_landing((0, 0), meet, joins))
    return Piece(meet, above + 2, below, tuple(marks), 0, meet)


def panel(piece: Piece, fold: Fold, note: str, depth: int) -> Piece:
    """A piece in a frame."""
    above, below = piece.above + PANEL_HEAD, piece.below + (PANEL_HEAD if note else 8)
    room = max(0.0, 6.6 * len(note) + 16 - piece.width)
    width = piece.width + 2 * PANEL_PAD + room
    frame = Panel(4, -above, width - 8, above + below, fold.times, note, depth)
    marks: list[Mark] = [frame, *piece.moved(PANEL_PAD + room / 2)]
    start, end = PANEL_PAD + room / 2 + piece.entry, PANEL_PAD + room / 2 + piece.exit
    first, last = (box and box.moved(PANEL_PAD + room / 2, 0) for box in (piece.first, piece.last))
    return Piece(width, above, below, tuple(marks), start, end, first, last, piece.drop)


def _end(series: Series) -> int:
    """The step that leaves a series last."""
    element = series[-1]
    match element:
        case Node(step):
            return step
        case Fork(lanes, _, join):
            return join if join is not None else _end(lanes[-1])
        case Tangle(steps, _):
            return steps[-1]
        case Fold(body):
            return _end(body)


def _stacked(lanes: Sequence[Piece]) -> list[float]:
    """The axes of lanes above each other: the longer of two in line with what is around, more about the middle."""
    places: list[float] = []
    for number, lane in enumerate(lanes):
        before = lanes[number - 1]
        places.append(places[-1] + before.below + LANE_GAP + lane.above if places else 0.0)
    if len(lanes) == 2 and lanes[0].width != lanes[1].width:
        longer = 0 if lanes[0].width > lanes[1].width else 1
        gap = lanes[1 - longer].below + LANE_GAP + lanes[longer].above
        return [0.0, -gap] if longer == 0 else [-gap, 0.0]
    middle = (places[0] + places[-1]) / 2 if places else 0.0
    near = min(places, key=lambda y: abs(y - middle), default=0.0)
    axis = near if abs(near - middle) < 3 * RADIUS else middle
    return [y - axis for y in places]


def _landing(start: tuple[float, float], meet: float, joins: bool, over: float = 0) -> Mark:
    """From the end of a lane to where lanes meet: along the axis into a join's side, else into its top or foot."""
    x, y = start
    gap = RADIUS if joins else 0
    if over:
        return wire((x, y), (x + BUS, y), (x + BUS, over), (meet, over), (meet, -gap), arrow=joins)
    if y == 0:
        return wire((x, 0), (meet - gap, 0), arrow=joins)
    return wire((x, y), (meet, y), (meet, gap if y > 0 else -gap), arrow=joins)


def _on(box: Box, shape: tuple[int, ...], kernel: tuple[int, ...]) -> tuple[float, float]:
    """How wide and high a window is on a map."""
    across = min(box.width, max(LEAST_WINDOW, box.width * kernel[-1] / shape[-1]))
    if len(kernel) == 1:
        return across, box.height
    return across, min(box.height, max(LEAST_WINDOW, box.height * kernel[-2] / shape[-2]))


def _beam(box: Box, width: float, height: float, tip: tuple[float, float], *, dotted: bool) -> Beam:
    """A window in the middle of the front plate."""
    x, y = box.x + (box.width - width) / 2, -height / 2
    return Beam(x, y, width, height, (tip[0] - x, tip[1] - y), dotted)
