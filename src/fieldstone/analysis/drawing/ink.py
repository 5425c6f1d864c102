"""The marks of a drawing as SVG elements."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from math import hypot

from fieldstone.analysis.drawing.colours import HAIRLINE, INK, MONO, MUTED, PAPER, SURFACE
from fieldstone.analysis.drawing.marks import LINE, RADIUS, Beam, Box, Circle, Line, Panel, Wire
from fieldstone.analysis.drawing.sight import STAND_OUT, Sight

CORNER, HEAD = 7, 6  # the radius of a wire's corners, the length of an arrow's head
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
Point = tuple[float, float]


def number(value: float) -> str:
    """A length as it is written: a tenth of a pixel is enough."""
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")  # + 0.0: no minus zero


def text_of(text: str) -> str:
    """A text within XML, whatever is in it."""
    return escape(NOT_XML.sub("\ufffd", text))


def texts(lines: Iterable[str], x: float, y: float, style: str, step: float = LINE) -> Iterator[str]:
    """Lines of one style under each other, the first one's foot at y."""
    for place, line in enumerate(lines):
        yield f'<text x="{number(x)}" y="{number(y + step * place)}" {style}>{text_of(line)}</text>'


def path(points: Sequence[Point], style: str, closed: bool = False) -> str:
    """Straight lines."""
    return f'<path d="M{"L".join(map(_at, points))}{"Z" if closed else ""}" {style}/>'


def rectangle(x: float, y: float, width: float, height: float, style: str, radius: float = 2) -> str:
    rounded = f' rx="{number(radius)}"' if radius else ""
    place = f'x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"'
    return f"<rect {place}{rounded} {style}/>"


def panel(mark: Panel) -> Iterator[str]:
    """The frame of a fold; one within another is white again."""
    fill = SURFACE if mark.depth % 2 else PAPER
    style = f'fill="{fill}" stroke="{HAIRLINE}"'
    yield rectangle(mark.x, mark.y, mark.width, mark.height, style, 10)
    title = 'font-size="15" font-weight="700"'
    yield from texts([f"×{mark.times}"], mark.x + 10, mark.y + 19, title)
    end = f'fill="{MUTED}" text-anchor="end"'
    yield from texts([mark.note] * bool(mark.note), mark.x + mark.width - 10, mark.y + mark.height - 9, end)


def wire(mark: Wire) -> Iterator[str]:
    """A line with rounded corners, and its arrow."""
    points = _corners([(mark.x + dx, mark.y + dy) for dx, dy in mark.points])
    if len(points) < 2:
        return
    (x, y), (before_x, before_y) = points[-1], points[-2]
    length = hypot(x - before_x, y - before_y)
    across, down = (x - before_x) / length, (y - before_y) / length
    if mark.arrow:
        foot = (x - HEAD * across, y - HEAD * down)
        sides = [(foot[0] - side * down * 3.2, foot[1] + side * across * 3.2) for side in (1, -1)]
        yield path([(x, y), *sides], f'fill="{INK}"', closed=True)
        points[-1] = (x - (HEAD - 1) * across, y - (HEAD - 1) * down)
    yield f'<path d="{_rounded(points)}" fill="none" stroke="{INK}" stroke-width="1.25"/>'


def _corners(points: Sequence[Point]) -> list[Point]:
    """Without points that stand on the line of those around them."""
    kept: list[Point] = []
    for point in points:
        if kept and hypot(point[0] - kept[-1][0], point[1] - kept[-1][1]) < 0.01:
            continue
        if len(kept) > 1 and any(kept[-2][axis] == kept[-1][axis] == point[axis] for axis in (0, 1)):
            kept.pop()
        kept.append(point)
    return kept


def _rounded(points: Sequence[Point]) -> str:
    parts = [f"M{_at(points[0])}"]
    for before, here, after in zip(points, points[1:], points[2:], strict=False):
        lengths = [hypot(here[0] - one[0], here[1] - one[1]) for one in (before, after)]
        radius = min(CORNER, *(length / 2 for length in lengths))
        start, end = (
            tuple(at + (to - at) * radius / length for at, to in zip(here, one, strict=True))
            for one, length in zip((before, after), lengths, strict=True)
        )
        parts.append(f"L{_at(start)}Q{_at(here)} {_at(end)}")
    return "".join([*parts, f"L{_at(points[-1])}"])


def box(mark: Box, fill: str, edge: str) -> Iterator[str]:
    """Plates, those behind first; a plate with a depth shows its top and its side."""
    style = f'fill="{fill}" stroke="{edge}"'
    for plate in reversed(range(mark.plates)):
        x, y = mark.x + plate * mark.shift, mark.y - plate * mark.shift
        deep = mark.thickness
        if deep:
            top = [(x, y), (x + deep, y - deep), (x + mark.width + deep, y - deep), (x + mark.width, y)]
            right, foot = x + mark.width, y + mark.height
            side = [(right, y), (right + deep, y - deep), (right + deep, foot - deep), (right, foot)]
            yield from (path(face, f'{style} stroke-linejoin="round"', closed=True) for face in (top, side))
        yield rectangle(x, y, mark.width, mark.height, style, 0 if deep else 2)


def sight(mark: Box, seen: Sight) -> Iterator[str]:
    """What is seen of the input, framed on its front plate: whole lines first, dotted what comes after."""
    for place, share in enumerate(seen.frames):
        down = share[-2] if len(share) > 1 else 1.0
        width, height = _covered(mark.width, share[-1]), _covered(mark.height, down)
        x, y = mark.x + (mark.width - width) / 2, mark.y + (mark.height - height) / 2
        dots = ' stroke-dasharray="2 2.5"' if place else ""
        yield rectangle(x, y, width, height, f'fill="none" stroke="{INK}" stroke-width="{1.5 if place else 2}"{dots}')


def _covered(length: float, share: float) -> float:
    """How long a frame is; one that is larger than the input stands out of it a little."""
    return length * share if share <= 1 else length + 2 * STAND_OUT


def words(mark: Box) -> Iterator[str]:
    """The texts of a map: the blocks above, the shape below."""
    yield from _lines(mark.label, mark.middle, mark.top - 7 - LINE * (len(mark.label) - 1))
    yield from _lines(mark.foot, mark.middle, mark.y + mark.height + 15 + mark.foot_gap)


def _lines(lines: Sequence[Line], x: float, y: float) -> Iterator[str]:
    for place, line in enumerate(lines):
        style = 'text-anchor="middle"'
        style += f' font-family="{MONO}"' if line.code else ""
        style += ' font-weight="700"' if line.bold else ""
        style += f' fill="{MUTED}"' if line.muted else ""
        yield from texts([line.text], x, y + LINE * place, style)


def circle(mark: Circle) -> Iterator[str]:
    """A join, with a sign: two maps end to end for concat."""
    style = f'fill="{SURFACE}" stroke="{INK}" stroke-width="1.25"'
    yield f'<circle cx="{number(mark.x)}" cy="{number(mark.y)}" r="{RADIUS}" {style}/>'
    for one, other in SIGNS.get(mark.how, ()):
        ends = [(mark.x + one[0], mark.y + one[1]), (mark.x + other[0], mark.y + other[1])]
        yield path(ends, f'stroke="{INK}" stroke-width="1.5" fill="none"')


SIGNS: dict[str, tuple[tuple[Point, Point], ...]] = {
    "add": (((-5, 0), (5, 0)), ((0, -5), (0, 5))),
    "multiply": (((-3.5, -3.5), (3.5, 3.5)), ((-3.5, 3.5), (3.5, -3.5))),
    "concat": (((-2, -4.5), (-2, 4.5)), ((2, -4.5), (2, 4.5))),
}


def beam(mark: Beam) -> Iterator[str]:
    """A window, and the rays to what it becomes."""
    tip = (mark.x + mark.tip[0], mark.y + mark.tip[1])
    x = mark.x + mark.width if tip[0] > mark.x else mark.x
    top, foot = (x, mark.y), (x, mark.y + mark.height)
    yield path([top, tip, foot], f'fill="{INK}" fill-opacity="0.06"', closed=True)
    yield path([top, tip, foot], f'fill="none" stroke="{INK}" stroke-opacity="0.3"')
    dots = ' stroke-dasharray="1.5 2"' if mark.dotted else ""
    yield rectangle(mark.x, mark.y, mark.width, mark.height, f'fill="none" stroke="{INK}" stroke-width="1.25"{dots}', 1)


def _at(point: Sequence[float]) -> str:
    return f"{number(point[0])} {number(point[1])}"
