"""Where things stand on a drawing: to scale, on the page, and nothing over anything else."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given

import fieldstone as fs
import places
import strategies
from fieldstone.analysis.drawing.marks import Beam, Box, Circle, Mark, Panel, Scale, Wire
from fieldstone.analysis.drawing.svg import Drawing, lay_out
from fieldstone.design import named
from fieldstone.geometry import Shape

Corners = tuple[float, float, float, float]

LADDER = fs.Design(
    (1, 32, 32),
    ["conv 8 3 padding=1", "save one", "maxpool 2", "conv 16 3 padding=1", "save two", "maxpool 2",
     "conv 32 3 padding=1", "conv 16 1 padding=4", "concat two", "conv 8 1 padding=8", "relu",
     "concat one", "conv classes 1"],
)  # fmt: skip
DENSE = fs.Design(
    (3, 32, 32),
    ["conv 8 3 padding=1", "save a", "conv 8 3 padding=1", "save b", "conv 8 1", "concat a", "conv 8 1", "save c",
     "concat b", "conv 8 1", "concat c", "concat a", "globalavgpool", "linear classes"],
)  # fmt: skip
DEEP = fs.Design(
    (1, 4000),
    [
        "conv 16 1",
        {
            "repeat 3": [
                {"residual": [f"conv 16 2 padding=same dilation={2**n}", "tanh", "conv 16 1"]} for n in range(9)
            ]
        },
        "globalavgpool",
        "linear classes",
    ],
)
LONG = fs.Design(
    (3, 64, 64),
    [*(f"conv {8 + n * n % 23} 3 padding=1" for n in range(200)), "globalavgpool", "linear classes"],
)


def drawing(design: str | fs.Design) -> Drawing:
    return lay_out(fs.inspect(design, classes=places.OUTPUTS).subject)


def apart(one: Corners, other: Corners) -> bool:
    (left, top, right, bottom), (left_2, top_2, right_2, bottom_2) = one, other
    close = 0.01
    return right <= left_2 + close or right_2 <= left + close or bottom <= top_2 + close or bottom_2 <= top + close


def corners(mark: Mark) -> Corners:
    match mark:
        case Box():
            return mark.extent
        case Panel():
            return mark.x, mark.y, mark.x + mark.width, mark.y + mark.height
        case Circle():
            return mark.x - 9, mark.y - 9, mark.x + 9, mark.y + 9
        case Wire():
            across, down = zip(*corners_of(mark), strict=True)
            return min(across), min(down), max(across), max(down)
        case Beam():
            return min(mark.x, mark.x + mark.tip[0]), mark.y, mark.x + mark.width, mark.y + mark.height
    raise AssertionError(mark)


def corners_of(wire: Wire) -> list[tuple[float, float]]:
    return [(wire.x + across, wire.y + down) for across, down in wire.points]


def check(flat: Drawing) -> None:
    boxes, circles = flat.all(Box), flat.all(Circle)
    for mark in flat.marks:
        left, top, right, bottom = corners(mark)
        assert min(left, top) > -0.01
        assert right < flat.width + 0.01
        assert bottom < flat.height + 0.01
    for one, other in combinations([*boxes, *circles], 2):
        assert apart(corners(one), corners(other)), (one, other)
    for wire in flat.all(Wire):
        points = corners_of(wire)
        for start, end in pairwise(points):
            assert start[0] == end[0] or abs(start[1] - end[1]) < 1e-6, "a wire runs along or across"
            line = (min(start[0], end[0]), min(start[1], end[1]), max(start[0], end[0]), max(start[1], end[1]))
            for box in boxes:
                assert apart(line, box.extent) or any(touches(box, point) for point in (points[0], points[-1])), box
    for one, other in combinations(flat.all(Panel), 2):
        assert apart(corners(one), corners(other)) or inside(one, other) or inside(other, one)
    for panel in flat.all(Panel):
        for box in boxes:
            assert apart(corners(panel), box.extent) or inside(box, panel), (box, panel)


def touches(box: Box, point: tuple[float, float]) -> bool:
    """Whether a wire ends at a map: on its axis, at its column."""
    left, _, right, _ = box.extent
    return left <= point[0] <= right and abs(point[1] - (box.y + box.height / 2)) < 0.01


def inside(one: Mark, other: Mark) -> bool:
    (left, top, right, bottom), (left_2, top_2, right_2, bottom_2) = corners(one), corners(other)
    return left >= left_2 and top >= top_2 and right <= right_2 and bottom <= bottom_2


@given(strategies.designs())
def test_nothing_stands_on_anything_else(design: fs.Design) -> None:
    check(drawing(design))


@pytest.mark.parametrize("design", [*named.names(), LADDER, DENSE, DEEP, LONG], ids=str)
def test_nothing_stands_on_anything_else_in_real_networks(design: str | fs.Design) -> None:
    flat = drawing(design)
    check(flat)
    assert flat.width < 1400, "it fits a page"


def box(*shape: int) -> Box:
    return Scale(224).box(1, shape, (), ())


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [((8, 7), (8, 14)), ((8, 7, 7), (8, 14, 14)), ((8, 4, 7, 7), (8, 4, 14, 14)), ((8, 4, 7, 7), (8, 8, 7, 7))],
)
def test_larger_sides_are_drawn_larger(smaller: Shape, larger: Shape) -> None:
    one, other = box(*smaller), box(*larger)
    assert (one.width, one.height, one.thickness) < (other.width, other.height, other.thickness)
    assert one.plates == other.plates


def test_sides_are_drawn_each_by_its_own() -> None:
    wide = box(1, 56, 224)
    assert (wide.width, wide.height) == (96, 16 + 80 * 0.5)


def test_twice_the_channels_are_a_plate_more_and_more_numbers_a_longer_bar() -> None:
    assert [box(2**power, 7, 7).plates for power in range(14)] == [*range(1, 13), 12, 12]
    heights = [box(count).height for count in (1, 2, 10, 1000, 25088)]
    assert heights == sorted(set(heights))


def test_the_window_lies_to_scale_on_the_map_that_it_reads() -> None:
    first, *_, last = drawing("lenet-5").all(Beam)
    assert first.width == first.height == pytest.approx(96 * 5 / 28)
    assert last.height > last.width == 10, "a linear layer reads the whole bar"
    dotted = {round(beam.width / 96 * 64, 6) for beam in drawing("dilated-context").all(Beam) if beam.dotted}
    assert len(dotted) == 3, "one of the four begins a row, which has a wire alone"
    assert dotted < {5, 9, 17, 33}


def test_the_shares_that_are_seen() -> None:
    assert drawing("three-conv").sight.frames == ((1.0, 1.0), (15 / 39, 15 / 39))
    assert drawing("dilated-context").sight.frames == ((67 / 64, 67 / 64),)
    lines = [line.text for line in drawing("vgg-16").sight.lines]
    assert lines == ["last block sees", "the whole input", "dotted: last map", "sees 212×212"]


def test_skips_over_smaller_maps_are_level() -> None:
    flat = drawing(LADDER)
    boxes = sorted(flat.all(Box), key=lambda box: -box.step)  # of equal shapes the first counts
    shapes = {flat.steps[box.step].shape: box.y + box.height / 2 for box in boxes}
    joins = [circle.y for circle in flat.all(Circle)]
    assert sorted(joins) == pytest.approx([shapes[8, 32, 32], shapes[16, 16, 16]])
    assert shapes[8, 32, 32] < shapes[16, 16, 16] < shapes[32, 8, 8]


def test_arcs_do_not_lie_on_each_other() -> None:
    flat = drawing(DENSE)
    axis = {box.y + box.height / 2 for box in flat.all(Box)}
    parts = [part for wire in flat.all(Wire) for part in pairwise(corners_of(wire))]
    across = [(start[0], end[0], start[1]) for start, end in parts if start[1] == end[1] and start[1] not in axis]
    arcs = sorted(across, key=lambda arc: arc[2])
    assert len(arcs) > 4
    for (left, right, y), (left_2, right_2, y_2) in combinations(arcs, 2):
        assert y != y_2 or max(left, right) <= min(left_2, right_2) or max(left_2, right_2) <= min(left, right)
