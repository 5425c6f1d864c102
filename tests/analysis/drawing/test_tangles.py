"""Tangles in rows: the edges that the wires show are those of the graph, and no wire lies on another."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, pairwise
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldstone.analysis.drawing.lanes import END, START, Fork, Node, Tangle
from fieldstone.analysis.drawing.marks import RADIUS, Box, Circle, Piece, Scale, Wire
from fieldstone.analysis.drawing.tangles import draw_tangle, whole_tangle

Point = tuple[float, float]


@st.composite
def tangles(draw: st.DrawFn) -> Tangle:
    """Some steps, each read by the next or not, and by later ones; some may leave."""
    count = draw(st.integers(2, 25))
    edges = [(START, 0), *draw(st.lists(st.builds(lambda step: (START, step), st.integers(1, count - 1)), max_size=2))]
    for step in range(1, count):
        back = draw(st.sets(st.integers(1, step), min_size=1, max_size=3))
        edges += [(step - number, step) for number in back]
    used = {one for one, _ in edges}
    edges += [(step, END) for step in range(count) if step not in used]
    return Tangle(tuple(range(count)), tuple(edges))


def drawn(tangle: Tangle, width: float) -> Piece:
    """Each step as a map of its own size, with a circle before it where it joins."""
    reads = Counter(other for _, other in tangle.edges)
    joins = [step for step in tangle.steps if reads[step] > 1]
    pieces = {}
    for step in tangle.steps:
        left = 2 * RADIUS if step in joins else 0
        box = Scale(64).box(step, (4, 8 + step % 5, 8 + 3 * step % 50), (), ()).moved(left + 14, 0)
        marks = (Circle(RADIUS, 0, "add"), box) if step in joins else (box,)
        above, below = max(RADIUS, -box.top), max(RADIUS, box.height / 2)
        entry = 0 if step in joins else box.x
        pieces[step] = Piece(box.right + 14, above, below, marks, entry, box.x + box.width)
    return draw_tangle(tangle, pieces, joins, width)


def points(wire: Wire) -> list[Point]:
    return [(round(wire.x + across, 6), round(wire.y + down, 6)) for across, down in wire.points]


def shown(piece: Piece) -> list[tuple[int, int]]:
    """The edges as an eye follows them, from the right of a map to a circle, the left of a map, or the exit."""
    boxes = [mark for mark in piece.marks if isinstance(mark, Box)]
    ends = {(box.x, box.y + box.height / 2): box.step for box in boxes}
    starts = {(box.x + box.width, box.y + box.height / 2): box.step for box in boxes} | {(0.0, 0.0): START}
    for circle in (mark for mark in piece.marks if isinstance(mark, Circle)):
        step = min(((x, y), step) for (x, y), step in ends.items() if x > circle.x and abs(y - circle.y) < 1e-6)[1]
        ends |= {(circle.x - RADIUS, circle.y): step, (circle.x, circle.y - RADIUS): step}
    ends[piece.exit, piece.drop] = ends.get((piece.exit, piece.drop), END)
    edges = []
    for wire in (mark for mark in piece.marks if isinstance(mark, Wire)):
        first, *_, last = points(wire)
        edges.append(tuple(at(place, where) for place, where in ((first, starts), (last, ends))))
    return edges


def at(point: Point, where: dict[Point, int]) -> int:
    return next(step for place, step in where.items() if abs(place[0] - point[0]) + abs(place[1] - point[1]) < 1e-6)


@given(tangles(), st.sampled_from([100.0, 300.0, 700.0, inf]))
def test_the_wires_show_the_edges_of_the_graph(tangle: Tangle, width: float) -> None:
    assert Counter(shown(drawn(tangle, width))) == Counter(tangle.edges)


@given(tangles(), st.sampled_from([100.0, 300.0, 700.0, inf]))
def test_rows_keep_to_the_width_and_wires_of_other_maps_lie_on_none(tangle: Tangle, width: float) -> None:
    piece = drawn(tangle, width)
    widest = max(mark.right - mark.x for mark in piece.marks if isinstance(mark, Box))
    assert all(box.right <= max(width, widest + 70) for box in piece.marks if isinstance(box, Box))
    wires = [points(mark) for mark in piece.marks if isinstance(mark, Wire)]
    for one, other in combinations(wires, 2):
        if one[0] == other[0] or one[-1] == other[-1]:
            continue
        for (start, end), (start_2, end_2) in ((a, b) for a in pairwise(one) for b in pairwise(other)):
            for along, fixed in ((0, 1), (1, 0)):
                if start[fixed] == end[fixed] == start_2[fixed] == end_2[fixed]:
                    low, high = sorted((start[along], end[along]))
                    low_2, high_2 = sorted((start_2[along], end_2[along]))
                    assert high <= low_2 or high_2 <= low, (one, other)


def test_a_row_ends_where_fewest_edges_go_on_and_before_a_join() -> None:
    edges = [(START, 0), *((step, step + 1) for step in range(9)), (0, 2), (1, 3), (4, 6), (5, 7), (6, 8)]
    piece = drawn(Tangle(tuple(range(10)), tuple(edges)), 470)
    axes: dict[float, list[int]] = {}
    for box in (mark for mark in piece.marks if isinstance(mark, Box)):
        axes.setdefault(round(box.y + box.height / 2, 3), []).append(box.step)
    assert next(iter(axes.values())) == [0, 1, 2, 3], "between 3 and 4 there is one edge alone"


@pytest.mark.parametrize("direct", [0, 2])
def test_a_fork_that_is_one_tangle_is_given_with_its_join(direct: int) -> None:
    inner = Tangle((1, 2, 3), ((START, 1), (START, 2), (1, 3), (2, 3), (1, END), (3, END)))
    whole = whole_tangle(Fork(((inner,),), direct, 4))
    edges = ((START, 1), (START, 2), (1, 3), (2, 3), (1, 4), (3, 4), *[(START, 4)] * direct)
    assert whole == Tangle((1, 2, 3, 4), edges)
    for other in (Fork(((inner,),), 0, None), Fork(((inner,), ()), 0, 4), Fork(((Node(1),),), 1, 4)):
        assert whole_tangle(other) is None
