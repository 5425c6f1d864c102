"""A network drawn to scale as the text of an SVG file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple, TypeVar

from fieldstone.analysis.drawing import ink
from fieldstone.analysis.drawing.colours import (
    EDGE,
    INK,
    INPUT,
    INPUT_TINT,
    MUTED,
    OUTPUT,
    OUTPUT_TINT,
    SANS,
    SUNKEN,
    SURFACE,
)  # fmt: skip
from fieldstone.analysis.drawing.folding import network_of
from fieldstone.analysis.drawing.ink import number
from fieldstone.analysis.drawing.marks import LINE, TEXT, Beam, Box, Circle, Mark, Panel, Scale, Wire, text_width
from fieldstone.analysis.drawing.page import page
from fieldstone.analysis.drawing.pieces import Drafter
from fieldstone.analysis.drawing.sight import Sight, sight_of
from fieldstone.analysis.drawing.steps import Step
from fieldstone.analysis.drawing.words import multiplies, times, tooltip
from fieldstone.analysis.rule import Subject

MARGIN, LEAST_WIDTH = 24, 420
TITLE, TITLE_LINE, FACTS_LINE = 20, 26, 18
MOST_LINES = 3
SCALE = "Sides by their square root; one more plate: twice the channels. Bold: multiplies by weights."
"""What the drawing says of itself."""

Kind = TypeVar("Kind", bound=Mark)


class Drawing(NamedTuple):
    """A network laid out from (0, 0) on: its steps, the marks, what the last block sees, and the size of it all."""

    steps: tuple[Step, ...]
    marks: tuple[Mark, ...]
    sight: Sight
    width: float
    height: float

    def all(self, kind: type[Kind]) -> list[Kind]:
        """The marks of a kind."""
        return [mark for mark in self.marks if isinstance(mark, kind)]


def lay_out(subject: Subject) -> Drawing:
    """Where everything stands."""
    steps, series = network_of(subject)
    sight = sight_of(subject)
    largest = max(side for step in steps for side in (1, *step.shape[1:]))
    piece = page(Drafter(steps, Scale(largest), sight), series)
    return Drawing(steps, piece.moved(0, piece.above), sight, piece.width, piece.above + piece.below)


def draw(name: str, subject: Subject) -> str:
    """A network as the text of an SVG file."""
    drawing = lay_out(subject)
    width = max(drawing.width + 2 * MARGIN, LEAST_WIDTH)
    room = width - 2 * MARGIN
    title, facts, notes = _wrapped(name, room, 12), _wrapped(_facts(subject), room, 7.4), _wrapped(SCALE, room, 6.4)
    under = MARGIN + TITLE_LINE * len(title)
    top = under + FACTS_LINE * len(facts) + 20
    foot = top + drawing.height + 36
    height = foot + LINE * (len(notes) - 1) + MARGIN - 4
    size = f'viewBox="0 0 {number(width)} {number(height)}" width="{number(width)}" height="{number(height)}"'
    text = f'font-family="{SANS}" font-size="{TEXT}" fill="{INK}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" {text}>',
        f"<title>{ink.text_of(name)}</title>",
        ink.rectangle(0, 0, width, height, f'fill="{SURFACE}"', 0),
        *ink.texts(title, MARGIN, MARGIN + TITLE - 4, f'font-size="{TITLE}" font-weight="700"', TITLE_LINE),
        *ink.texts(facts, MARGIN, under + 12, f'font-size="13" fill="{MUTED}"', FACTS_LINE),
        f'<g transform="translate({MARGIN} {number(top)})">',
        *_inked(drawing, subject),
        "</g>",
        *ink.texts(notes, MARGIN, foot, f'fill="{MUTED}"'),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _facts(subject: Subject) -> str:
    params, macs = (sum(getattr(row, count) for row in subject.rows) for count in ("params", "macs"))
    return f"input {times(subject.input)} · {params:,} parameters · {macs:,} multiply-adds"


def _inked(drawing: Drawing, subject: Subject) -> Iterator[str]:
    """The marks, what lies under others first."""
    for panel in sorted(drawing.all(Panel), key=lambda one: one.depth):
        yield from ink.panel(panel)
    for wire in drawing.all(Wire):
        yield from ink.wire(wire)
    last = subject.last
    for box in drawing.all(Box):
        step = drawing.steps[box.step]
        yield "<g>"
        said = "\n".join(map(tooltip, step.rows)) or f"input: {times(step.shape)}"
        yield f"<title>{ink.text_of(said)}</title>"
        yield from ink.box(box, *_colours(step, leaves=last in step.rows))
        yield from () if step.rows else ink.sight(box, drawing.sight)
        yield from ink.words(box)
        yield "</g>"
    for beam in drawing.all(Beam):
        yield from ink.beam(beam)
    for circle in drawing.all(Circle):
        yield from ink.circle(circle)


def _colours(step: Step, leaves: bool) -> tuple[str, str]:
    """The fill and the edge of a map: stone where a block in bold made it, else white."""
    if not step.rows:
        return INPUT_TINT, INPUT
    if leaves:
        return OUTPUT_TINT, OUTPUT
    return (SUNKEN if any(map(multiplies, step.rows)) else SURFACE), EDGE


def _wrapped(text: str, width: float, letter: float) -> list[str]:
    """A text in a few lines, its words cut where they are longer than one."""
    lines = [""]
    for word in re.findall(r"\S+\s*", text):
        if lines[-1] and text_width((lines[-1] + word).rstrip(), letter) > width:
            lines.append("")
        for character in word:
            if text_width((lines[-1] + character).rstrip(), letter) > width:
                lines.append("")
            lines[-1] += character
        if len(lines) > MOST_LINES:
            lines[MOST_LINES - 1 :] = [f"{lines[MOST_LINES - 1].rstrip()[:-1]}…"]
            break
    return [line.rstrip() for line in lines if line.strip()]
