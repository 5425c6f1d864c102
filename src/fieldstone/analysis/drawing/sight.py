"""What the last block sees of the input, for the input of a drawing."""

from __future__ import annotations

from typing import NamedTuple

from fieldstone.analysis.drawing.marks import Line
from fieldstone.analysis.drawing.words import times
from fieldstone.analysis.rule import Subject
from fieldstone.design.field import Field

STAND_OUT = 5
"""How far a frame stands out of an input that is smaller than what is seen."""


class Sight(NamedTuple):
    """The part of the input's sides that each frame covers, a whole one first; and what is said of them."""

    frames: tuple[tuple[float, ...], ...]
    lines: tuple[Line, ...]

    @property
    def beyond(self) -> bool:
        """Whether a frame is larger than the input."""
        return any(max(frame) > 1 for frame in self.frames)


def sight_of(subject: Subject) -> Sight:
    """The field of the last block; where that is everything, also of the last block with a window."""
    last = subject.last.field
    sides = subject.input[1:]
    if last is None:
        return Sight((), _said("what the last", "block sees is not known"))
    if not last.saw_everything:
        return Sight((_share(last, sides),), _said("last block sees", times(last.receptive_field)))
    lines = _said("last block sees", "the whole input")
    fields = [row.field for row in subject.order if row.field is not None and not row.field.saw_everything]
    windowed = [field for field in fields if max(field.receptive_field) > 1]
    if not windowed:
        return Sight(((1.0,) * len(sides),), lines)
    seen = windowed[-1]
    lines += _said("dotted: last map", f"sees {times(seen.receptive_field)}")
    return Sight(((1.0,) * len(sides), _share(seen, sides)), lines)


def _share(field: Field, sides: tuple[int, ...]) -> tuple[float, ...]:
    return tuple(seen / side for seen, side in zip(field.receptive_field, sides, strict=True))


def _said(*lines: str) -> tuple[Line, ...]:
    return tuple(Line(line, muted=True) for line in lines)
