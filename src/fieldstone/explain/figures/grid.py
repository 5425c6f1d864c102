"""A grid of stones: where each stands, and how it is drawn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite, isnan

import numpy as np

from fieldstone.analysis.drawing.ink import number as length
from fieldstone.analysis.drawing.ink import rectangle, text_of
from fieldstone.errors import FieldstoneError

LEAST_CELL, MOST_CELL = 24, 96
FITS = ((2, 24), (3, 28), (4, 36), (6, 48))
"""So many characters fit in a cell of so many pixels."""
SHARES = (0.4, 0.4, 0.4, 0.4, 0.36, 0.31, 0.26)
"""By the characters of the longest value, the part of the cell that its letters are high."""
WEIGHT_CELL = 34
"""From this cell on a weight stands under its value."""


@dataclass(frozen=True)
class Grid:
    """Stones in rows and columns; (x, y) is a corner of the first one's share of the plane, gap included.

    Attributes:
        size: of the numbers in it, in pixels.
    """

    name: str
    x: float
    y: float
    rows: int
    columns: int
    cell: float
    size: float

    @property
    def gap(self) -> float:
        return gap_of(self.cell)

    @property
    def pitch(self) -> float:
        return self.cell + self.gap

    @property
    def width(self) -> float:
        return self.columns * self.pitch

    @property
    def height(self) -> float:
        return self.rows * self.pitch

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def foot(self) -> float:
        return self.y + self.height

    @property
    def middle(self) -> float:
        return self.y + self.height / 2

    def corner(self, row: float, column: float) -> tuple[float, float]:
        """Of the stone's share of the plane."""
        return self.x + column * self.pitch, self.y + row * self.pitch


@dataclass(frozen=True)
class Stone:
    """How one cell looks.

    Attributes:
        place: (row, column) as it is counted in the map; below 0 in padding.
        value: what it holds; None before it is computed.
        fill: a class.
        ink: the class of its number.
        under: a smaller text under the number.
        dots: how many gradients return here.
        dashed: padding; `hatched`: skipped.
    """

    place: tuple[int, int]
    value: float | None
    text: str
    fill: str
    ink: str = "text"
    bold: bool = False
    under: str = ""
    dots: int = 0
    dashed: bool = False
    hatched: bool = False


def padding(place: tuple[int, int], value: float | None, text: str) -> Stone:
    """A cell around a map; without a value one that is cut off."""
    return Stone(place, value, text, "surface s-edge", "muted", dashed=True)


def gap_of(cell: float) -> float:
    return 6 if cell >= 48 else 4


def letters_of(texts: Iterable[str], cell: float) -> float:
    """The size of the numbers of one grid.

    Raises:
        FieldstoneError: the longest one does not fit.
    """
    longest = max(texts, key=len, default="")
    count = len(longest)
    needed = next((pixels for most, pixels in FITS if count <= most), 8 * count)
    if needed > cell:
        fix = f"give --cell {needed} or more" if needed <= MOST_CELL else "round the values"
        raise FieldstoneError(f"{longest} has {count} characters, too many for a cell of {cell:g} pixels", fix=fix)
    share = SHARES[count] if count < len(SHARES) else SHARES[-1] * 6 / count
    return max(10.0, round(min(20.0 if cell <= 60 else cell / 3, cell * share), 1))


def stone(grid: Grid, row: int, column: int, look: Stone) -> str:
    """A cell as SVG; its exact value in `data-value`, as the shortest text that gives the same float32."""
    cell, (x, y) = grid.cell, grid.corner(row, column)
    x, y, middle = x + grid.gap / 2, y + grid.gap / 2, grid.gap / 2 + cell / 2
    data = f'data-grid="{grid.name}" data-row="{look.place[0]}" data-column="{look.place[1]}"'
    data += "" if look.value is None else f' data-value="{exact_text(look.value)}"'
    parts = [rectangle(x, y, cell, cell, f'class="{look.fill}"{_edge(look)}', min(7, cell / 7))]
    if look.hatched:
        parts.append(hatch(x, y, cell))
    centre = grid.corner(row, column)
    at = centre[0] + middle, centre[1] + middle
    lifted = 4 * cell / 48 if look.under or look.dots else 0
    if look.text:
        weight = ' font-weight="700"' if look.bold else "" if look.hatched else ' font-weight="500"'
        parts.append(written(look.text, at[0], at[1] - lifted, grid.size, f'class="{look.ink}"{weight}'))
    if look.under:
        size = max(10, min(12 * cell / 48, 0.8 * grid.size))
        parts.append(written(look.under, at[0], y + cell - 0.21 * cell, size, f'class="{look.ink}"'))
    parts += _dots(look, at[0], y + cell, cell)
    return f"<g {data}>{''.join(parts)}</g>"


def _edge(look: Stone) -> str:
    return ' stroke-width="1.25" stroke-dasharray="4 4"' if look.dashed else ""


def _dots(look: Stone, middle: float, foot: float, cell: float) -> list[str]:
    radius = 2.2 * cell / 48
    step = min(7 * cell / 48, (cell - 10) / max(1, look.dots))
    places = [middle + (place - (look.dots - 1) / 2) * step for place in range(look.dots)]
    style = f'cy="{length(foot - 7 * cell / 48)}" r="{radius:.2g}" class="{look.ink}"'
    return [f'<circle cx="{length(x)}" {style}/>' for x in places]


def hatch(x: float, y: float, cell: float) -> str:
    """Lines at 45 degrees across a square, each within it."""
    lines = []
    step = 7 * 2**0.5
    for count in range(1, int(2 * cell / step) + 1):
        reach = count * step
        start, end = max(0.0, reach - cell), min(reach, cell)
        if end - start > 1:
            lines.append(f"M{length(x + start)} {length(y + end)}L{length(x + end)} {length(y + start)}")
    return f'<path d="{"".join(lines)}" class="hatch" fill="none"/>'


def written(text: str, x: float, y: float, size: float, style: str, anchor: str = "middle") -> str:
    """A text whose middle line is at y."""
    place = f'x="{length(x)}" y="{length(y + 0.36 * size)}" font-size="{size:g}"'
    return f'<text {place} text-anchor="{anchor}" {style}>{text_of(text)}</text>'


def exact_text(value: float) -> str:
    """The shortest text that gives the same float32; `Infinity`, `-Infinity`, `NaN`."""
    narrow = np.float32(value)
    if isnan(narrow):
        return "NaN"
    if not isfinite(narrow):
        return "Infinity" if narrow > 0 else "-Infinity"
    if narrow == int(narrow) and abs(narrow) < 2**24:
        return str(int(narrow))
    return str(narrow)
