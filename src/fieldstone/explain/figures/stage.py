"""What stands around grids: labels, captions, frames, beams, the key; and what a figure has to say to be filmed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from fieldstone.analysis.drawing.colours import MONO
from fieldstone.analysis.drawing.ink import Point, path, rectangle, text_of
from fieldstone.analysis.drawing.ink import number as length
from fieldstone.explain.figures.film import LAST, MOVE, STEP, Film, Frame, Piece
from fieldstone.explain.figures.grid import Grid, hatch, written
from fieldstone.explain.figures.letters import width_of
from fieldstone.explain.figures.words import WORDS

MARGIN, LABEL, GAP, CAPTION = 24, 32, 48, 28
"""Around the figure, above a grid, between grids, and under one."""
NOTE, KEY_ROW = 13, 28
MOVES = 5
BEAMS, STONES, FRAMES, LABELS = range(4)
"""Layers."""


@dataclass(frozen=True)
class Look:
    """How a figure is to look.

    Attributes:
        cell: pixels of a stone.
        key, arithmetic: whether they stand under the grids.
    """

    cell: float = 48
    language: str = "en"
    key: bool = False
    arithmetic: bool = True

    @property
    def words(self) -> dict[str, str]:
        return WORDS[self.language]


class Picture(Protocol):
    """A figure before it is filmed."""

    @property
    def look(self) -> Look: ...
    @property
    def title(self) -> str: ...
    @property
    def width(self) -> float: ...
    @property
    def height(self) -> float: ...
    @property
    def steps(self) -> int: ...

    def pieces(self, step: int) -> list[Piece]:
        """All that is seen at a step."""

    def says(self, step: int) -> str:
        """A step in words."""


@runtime_checkable
class Moving(Picture, Protocol):
    """A figure in which something moves from step to step."""

    def moving(self, step: int, share: float) -> list[Piece]:
        """What is seen on the way to a step."""


def filmed(picture: Picture, smooth: bool) -> Film:
    """Every step a frame; `smooth` adds some for each move."""
    frames: list[Frame] = []
    steps = []
    for step in range(picture.steps):
        shares = [1 - (1 - (number + 1) / (MOVES + 1)) ** 3 for number in range(MOVES)] if smooth and step else []
        moves = [picture.moving(step, share) for share in shares] if isinstance(picture, Moving) else []
        frames += [Frame(tuple(pieces), MOVE, picture.says(step - 1)) for pieces in moves]
        steps.append(len(frames))
        stands = LAST if step == picture.steps - 1 else STEP
        frames.append(Frame(tuple(picture.pieces(step)), stands, picture.says(step)))
    size = round(picture.width), round(picture.height)
    return Film(picture.title, picture.look.language, *size, tuple(frames), tuple(steps))


def label(x: float, y: float, role: str, word: str, size: str, code: bool = False) -> str:
    """Over a grid at (x, y): a swatch in the colour of its role, what it is, and how large."""
    foot = y - 12
    box = rectangle(x, foot - 11, 12, 12, f'class="{role}"', 3)
    if role == "window":
        box = rectangle(x + 1.25, foot - 10, 10, 10, 'class="s-text" fill="none" stroke-width="2.5"', 3)
    halo = 'paint-order="stroke" stroke-width="6" stroke-linejoin="round"'
    font = f' font-family="{MONO}"' if code else ""
    dim = f'<tspan class="muted" font-weight="400" dx="6"{font}>{text_of(size)}</tspan>' if size else ""
    place = f'x="{length(x + 18)}" y="{length(foot)}" font-size="{NOTE}" font-weight="700"'
    text = f'<text {place} class="text s-surface" {halo}>{text_of(word)}{dim}</text>'
    return box + text


def label_width(word: str, size: str) -> float:
    return 18 + width_of(f"{word} {size}", NOTE) * 1.05


def caption(middle: float, y: float, text: str) -> str:
    return written(text, middle, y, NOTE, 'class="muted"')


def frame(grid: Grid, top: float, left: float, rows: float, columns: float, width: float = 3) -> str:
    """Around stones, in the gap between them."""
    x, y = grid.corner(top, left)
    radius = min(11.0, grid.cell / 7 + 4)
    inset = 0 if width == 3 else 1
    sides = columns * grid.pitch - 2 * inset, rows * grid.pitch - 2 * inset
    style = f'class="s-text" fill="none" stroke-width="{width}"'
    return rectangle(x + inset, y + inset, *sides, style, radius)


def extent(grid: Grid, top: float, left: float, rows: float, columns: float) -> str:
    """The dotted outline of a dilated window."""
    x, y = grid.corner(top, left)
    style = 'class="s-text" fill="none" stroke-width="1.5" stroke-dasharray="2 5" stroke-linecap="round"'
    return rectangle(x, y, columns * grid.pitch, rows * grid.pitch, style, min(11.0, grid.cell / 7 + 4))


def taps(grid: Grid, top: float, left: float, rows: Sequence[int], columns: Sequence[int]) -> Iterator[str]:
    """A window that reads these rows and columns, counted from its first: a frame, or one for each tap if dilated."""
    high, wide = rows[-1] + 1, columns[-1] + 1
    if (high, wide) == (len(rows), len(columns)):
        yield frame(grid, top, left, high, wide)
        return
    yield extent(grid, top, left, high, wide)
    yield from (frame(grid, top + row, left + column, 1, 1, 2.5) for row in rows for column in columns)


Box = tuple[float, float, float, float]
"""Left, top, right, foot."""


def box_of(grid: Grid, top: float, left: float, rows: float, columns: float) -> Box:
    """Of stones, a little within their frame."""
    (x, y), (right, foot) = grid.corner(top, left), grid.corner(top + rows, left + columns)
    inset = 6 if rows * grid.pitch > 24 else 2
    return x + inset, y + inset, right - inset, foot - inset


def beam(one: Box, other: Box) -> str:
    """Light from one box to another one right of it."""
    (_, top, right, foot), (left, above, _, below) = one, other
    corners = [(right, top), (left, above), (left, below), (right, foot)]
    rays = path(corners[:2], 'class="ray" fill="none"') + path(corners[2:], 'class="ray" fill="none"')
    return path(corners, 'class="beam"', closed=True) + rays


def ray(one: Point, other: Point) -> str:
    """A line."""
    return path([one, other], 'class="ray" fill="none"')


def circle(at: Point, sign: str) -> str:
    """Where rays meet."""
    ground = f'<circle cx="{length(at[0])}" cy="{length(at[1])}" r="15" class="surface s-text" stroke-width="1.25"/>'
    return ground + written(sign, at[0], at[1], 16, 'class="text"')


def ease(start: float, end: float, share: float) -> float:
    return start + (end - start) * share


KEYS: dict[str, str] = {
    "window": 'class="s-text" fill="none" stroke-width="2.5"',
    "largest": 'class="mark"',
    "gradient": 'class="in_40"',
    "now": 'class="out"',
    "padding": 'class="surface s-edge" stroke-width="1.25" stroke-dasharray="3 3"',
    "cut": 'class="surface s-edge" stroke-width="1.25" stroke-dasharray="3 3"',
    "skipped": 'class="surface"',
    "unread": 'class="surface"',
    "positive": 'class="pos_80"',
    "negative": 'class="neg_80"',
    "paths": 'class="in_60"',
}


def key_lines(names: Iterable[str], words: dict[str, str], room: float) -> list[list[str]]:
    """The entries of a key in lines."""
    lines: list[list[str]] = [[]]
    used = 0.0
    for name in names:
        width = _entry_width(name, words)
        if lines[-1] and used + width > room:
            lines.append([])
            used = 0.0
        lines[-1].append(name)
        used += width
    return lines


def key(lines: Sequence[Sequence[str]], words: dict[str, str], y: float) -> Iterator[str]:
    """A swatch and its word, in lines, the first one's middle at y."""
    for number, line in enumerate(lines):
        x, middle = float(MARGIN + 3), y + number * KEY_ROW
        for name in line:
            yield rectangle(x + 1, middle - 8, 16, 16, KEYS[name], 4) + _sign(name, x + 1, middle - 8)
            yield written(words[f"key {name}"], x + 25, middle, NOTE, 'class="muted"', "start")
            x += _entry_width(name, words)


def _sign(name: str, x: float, y: float) -> str:
    if name in ("skipped", "unread"):
        return hatch(x, y, 16)
    if name == "gradient":
        return "".join(f'<circle cx="{length(x + at)}" cy="{length(y + 12)}" r="2" class="text"/>' for at in (5, 11))
    return ""


def _entry_width(name: str, words: dict[str, str]) -> float:
    return 25 + width_of(words[f"key {name}"], NOTE) + 20
