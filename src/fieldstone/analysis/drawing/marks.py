"""What stands on a drawing, as plain data in pixels, and how large a map is drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log2, sqrt
from typing import NamedTuple, Self
from unicodedata import east_asian_width

from fieldstone.geometry import Shape

TEXT, LINE = 12, 15  # the size of a text, and from one line to the next
LEAST_SIDE, MOST_SIDE = 16, 96  # a map of no side, and the map of the largest side
MOST_PLATES, PLATE_STEP = 12, 3
BAR, LEAST_BAR = 10, 32  # the thickness of what has one axis, and the length of a single number
RADIUS = 9  # of the circle of a join


class Line(NamedTuple):
    """A line of text: `code` is notation, `bold` multiplies by weights or is a title, `muted` is said beside."""

    text: str
    code: bool = False
    bold: bool = False
    muted: bool = False

    @property
    def width(self) -> float:
        return text_width(self.text, 7.3 if self.code else 7.0 if self.bold else 6.6)


def text_width(text: str, letter: float) -> float:
    """About how wide a text is, where a narrow letter takes so much; Korean and the like take one text size."""
    wide = sum(east_asian_width(letter) in "WF" for letter in text)
    return (len(text) - wide) * letter + wide * letter / 0.58


@dataclass(frozen=True)
class Mark:
    """Anything with a place."""

    x: float
    y: float

    def moved(self, dx: float, dy: float) -> Self:
        return replace(self, x=self.x + dx, y=self.y + dy)


@dataclass(frozen=True)
class Box(Mark):
    """A map: plates behind each other, the front one at (x, y); its texts above and below.

    Attributes:
        step: its place among the steps.
        width, height: of a plate.
        plates: how many.
        shift: from a plate to the next behind it, right and up.
        thickness: of a plate, where the map has a depth.
        foot_gap: what the foot stands lower, for a frame around the map.
    """

    step: int
    width: float
    height: float
    plates: int
    shift: float
    thickness: float
    label: tuple[Line, ...]
    foot: tuple[Line, ...]
    foot_gap: float = 0

    @property
    def behind(self) -> float:
        """How far what is behind the front plate stands out, right and up."""
        return (self.plates - 1) * self.shift + self.thickness

    @property
    def right(self) -> float:
        return self.x + self.width + self.behind

    @property
    def top(self) -> float:
        return self.y - self.behind

    @property
    def middle(self) -> float:
        """Where its texts are centred."""
        return (self.x + self.right) / 2

    @property
    def text_width(self) -> float:
        return max((line.width for line in (*self.label, *self.foot)), default=0)

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom, its texts included."""
        half = max(self.right - self.x, self.text_width) / 2
        above, below = (LINE * len(lines) + 6 if lines else 0 for lines in (self.label, self.foot))
        return self.middle - half, self.top - above, self.middle + half, self.y + self.height + below + self.foot_gap


@dataclass(frozen=True)
class Circle(Mark):
    """A join, by its centre: `add`, `concat`, `multiply`, or another word."""

    how: str


@dataclass(frozen=True)
class Wire(Mark):
    """A line with rounded corners through `points`, each from (x, y)."""

    points: tuple[tuple[float, float], ...]
    arrow: bool


@dataclass(frozen=True)
class Beam(Mark):
    """A window at (x, y) on a map, and what it becomes at `tip`, from (x, y). Dotted where dilation spreads it."""

    width: float
    height: float
    tip: tuple[float, float]
    dotted: bool


@dataclass(frozen=True)
class Panel(Mark):
    """What is folded: a frame with the number of passes, and what leaves the last where the first differs."""

    width: float
    height: float
    times: int
    note: str
    depth: int


@dataclass(frozen=True)
class Piece:
    """Marks along an axis at y = 0, from x = 0 to `width`, `above` it and `below`.

    Attributes:
        entry, exit: where the wire that comes ends, and where the one that leaves begins.
        first, last: the map at either end, where one stands there without a join or lanes between.
        drop: how far below the axis it is left.
    """

    width: float
    above: float
    below: float
    marks: tuple[Mark, ...]
    entry: float = 0
    exit: float = 0
    first: Box | None = None
    last: Box | None = None
    drop: float = 0

    def moved(self, dx: float, dy: float = 0) -> tuple[Mark, ...]:
        return tuple(mark.moved(dx, dy) for mark in self.marks)


def wire(*points: tuple[float, float], arrow: bool = False) -> Wire:
    """A wire through points of the drawing."""
    x, y = points[0]
    return Wire(x, y, tuple((right - x, down - y) for right, down in points), arrow)


class Scale(NamedTuple):
    """How maps are drawn: `largest` is the side that is drawn as the largest."""

    largest: int

    def length(self, side: int) -> float:
        """The square root of the side, to scale."""
        return LEAST_SIDE + (MOST_SIDE - LEAST_SIDE) * sqrt(side / self.largest)

    def box(self, step: int, shape: Shape, label: tuple[Line, ...], foot: tuple[Line, ...]) -> Box:
        """A map with its front plate's left edge at 0 and its middle on the axis."""
        channels, *sides = shape
        if not sides:
            height = LEAST_BAR + 7 * log2(channels)
            return Box(0, -height / 2, step, BAR, height, 1, PLATE_STEP, 0, label, foot)
        thickness = 1 + 10 * sqrt(sides[0] / self.largest) if len(sides) > 2 else 0
        height = self.length(sides[-2]) if len(sides) > 1 else BAR
        plates = min(MOST_PLATES, 1 + int(log2(channels)))
        shift = thickness + PLATE_STEP
        return Box(0, -height / 2, step, self.length(sides[-1]), height, plates, shift, thickness, label, foot)
