"""A line of arithmetic: terms that stand beside each other, in groups that stay together where the line is broken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fieldstone.analysis.drawing.ink import number as length
from fieldstone.analysis.drawing.ink import rectangle, text_of
from fieldstone.explain.figures.letters import width_of

SIZE, HEIGHT = 18, 34
BETWEEN_TERMS, BETWEEN_GROUPS = 8, 14


class Span(NamedTuple):
    """A text of one colour."""

    text: str
    ink: str = "text"
    bold: bool = False


@dataclass(frozen=True)
class Term:
    """Spans close to each other, on a ground of its own where `ground` is a class.

    Attributes:
        close: whether it follows the term before it without room, as a comma does.
    """

    spans: tuple[Span, ...]
    ground: str = ""
    close: bool = False

    @property
    def width(self) -> float:
        letters = sum(width_of(span.text, SIZE) * (1.06 if span.bold else 1) for span in self.spans)
        return letters + (16 if self.ground else 2)

    @property
    def before(self) -> float:
        return 0 if self.close else BETWEEN_TERMS


Group = tuple[Term, ...]


def plain(text: str, ink: str = "text", *, bold: bool = False, close: bool = False) -> Term:
    return Term((Span(text, ink, bold),), close=close)


def sign(text: str) -> Term:
    """Between terms."""
    return plain(text, "muted", close=text == ",")


def result(text: str) -> Term:
    """What stands in the output."""
    return Term((Span(text, "on-out", True),), "out")


def largest(text: str) -> Term:
    return Term((Span(text, "on-mark", True),), "mark")


def width_of_group(group: Group) -> float:
    return sum(term.width + (term.before if place else 0) for place, term in enumerate(group))


def wrapped(groups: Sequence[Group], room: float) -> list[list[Group]]:
    """Groups in lines; one that is longer than a line is broken between its terms."""
    lines: list[list[Group]] = [[]]
    used = 0.0
    for group in (part for whole in groups for part in _broken(whole, room)):
        width = width_of_group(group)
        if lines[-1] and used + BETWEEN_GROUPS + width > room:
            lines.append([])
        used = width if not lines[-1] else used + BETWEEN_GROUPS + width
        lines[-1].append(group)
    return lines


def _broken(group: Group, room: float) -> Iterator[Group]:
    part: Group = ()
    for term in group:
        if part and not term.close and width_of_group((*part, term)) > room:
            yield part
            part = ()
        part = (*part, term)
    yield part


def drawn(lines: Sequence[Sequence[Group]], x: float, y: float) -> str:
    """The lines, the first one's middle at y."""
    parts: list[str] = []
    for place, line in enumerate(lines):
        at = x
        for group in line:
            for number, term in enumerate(group):
                at += term.before if number else 0
                parts.append(_drawn(term, at, y + place * HEIGHT))
                at += term.width
            at += BETWEEN_GROUPS
    return f'<g font-size="{SIZE}" text-anchor="middle">{"".join(parts)}</g>'


def _drawn(term: Term, x: float, y: float) -> str:
    middle, foot = length(x + term.width / 2), length(y + 0.36 * SIZE)
    ground = rectangle(x, y - 13.5, term.width, 27, f'class="{term.ground}"', 6) if term.ground else ""
    (first, *others) = term.spans
    inner = text_of(first.text) + "".join(f"<tspan {_style(span)}>{text_of(span.text)}</tspan>" for span in others)
    return f'{ground}<text x="{middle}" y="{foot}" {_style(first)}>{inner}</text>'


def _style(span: Span) -> str:
    return f'class="{span.ink}"' + (' font-weight="700"' if span.bold else "")
