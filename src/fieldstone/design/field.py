"""What a value of a map sees of the design's input: receptive field, jump, start and padding, in integers.

Source: Araujo, Norris and Sim, "Computing receptive fields of convolutional neural networks", Distill 2019; here for
each value of a period, so that transposed windows and resizing are exact too.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import gcd, lcm
from typing import NamedTuple

from fieldstone.geometry import Moves, Reads

Span = tuple[int, int] | None  # the first and the last pixel; None for a value that no pixel moves


class Path(NamedTuple):
    """What the values along one axis see by some paths from the input, which move alike.

    Value `i` sees `spans[i % period]`, moved by `i // period * advance` pixels; `advance` is 0 once it saw its whole
    input. `length` is the number of values. Odd ratios one after another give periods without end: of a period that is
    longer than the axis only the values that there are have spans, and what lies outside them is by the jump.
    """

    period: int
    advance: int
    spans: tuple[Span, ...]
    length: int

    @property
    def jump(self) -> Fraction:
        """Pixels from a value to the next."""
        return Fraction(self.advance, self.period)

    @property
    def field(self) -> int:
        """The pixels of the value that sees most."""
        return max(map(_extent, self.spans))

    @property
    def is_even(self) -> bool:
        """Whether every value sees as many pixels."""
        return len(set(map(_extent, self.spans))) == 1

    def span(self, place: int) -> Span:
        """What the value at a place sees."""
        turns, phase = divmod(place, self.period)
        known = min(phase, len(self.spans) - 1)
        moved = turns * self.advance + int((phase - known) * self.jump)
        span = self.spans[known]
        return None if span is None else (span[0] + moved, span[1] + moved)

    def moved(self, reads: Reads, length: int) -> Path:
        """After a block that reads so."""
        turns = self.period // gcd(self.period, reads.advance)
        period, steps = turns * reads.period, turns * reads.advance
        spans = tuple(self._hull(*reads.at(place)) for place in range(min(period, max(1, length))))
        return _shortest(Path(period, steps // self.period * self.advance, spans, length))

    def whole(self, length: int) -> Path:
        """After a block that sees its whole input, and gives so many values."""
        first, last = min(self.length, self.period), max(0, self.length - self.period)
        return Path(1, 0, (self._hull(*range(first), *range(last, self.length)),), length)

    def beside(self, other: Path) -> Path:
        """Both at once, where they move alike."""
        period = lcm(self.period, other.period)
        spans = tuple(_hull(self.span(place), other.span(place)) for place in range(min(period, self.length)))
        return _shortest(Path(period, int(self.jump * period), spans, self.length))

    def _hull(self, *places: int) -> Span:
        return _hull(*map(self.span, places))


def _hull(*spans: Span) -> Span:
    seen = [span for span in spans if span is not None]
    return (min(first for first, _ in seen), max(last for _, last in seen)) if seen else None


def _extent(span: Span) -> int:
    """How many pixels, those of the padding counted."""
    return 0 if span is None else span[1] - span[0] + 1


def _real(span: Span, size: int) -> int:
    """How many of them an axis of that many pixels has."""
    return 0 if span is None else max(0, min(span[1], size - 1) - max(span[0], 0) + 1)


def _shortest(path: Path) -> Path:
    """The same with the shortest period, where it is no longer than the axis."""
    for period in range(1, path.period if path.period == len(path.spans) else 1):
        turns, rest = divmod(path.period, period)
        if rest or path.advance % turns:
            continue
        shorter = Path(period, path.advance // turns, path.spans[:period], path.length)
        if all(shorter.span(place) == span for place, span in enumerate(path.spans)):
            return shorter
    return path


class Axis(NamedTuple):
    """One axis of so many pixels: all paths, those that move alike as one, and the smallest path alone."""

    paths: tuple[Path, ...]
    smallest: Path
    pixels: int

    def moved(self, reads: Reads, length: int) -> Axis:
        paths = tuple(path.moved(reads, length) for path in self.paths)
        return Axis(_united(paths), self.smallest.moved(reads, length), self.pixels)

    def whole(self, length: int) -> Axis:
        return Axis(_united(tuple(path.whole(length) for path in self.paths)), self.smallest.whole(length), self.pixels)

    def beside(self, other: Axis) -> Axis:
        smallest = min(self.smallest, other.smallest, key=lambda path: (path.field, path.jump))
        return Axis(_united((*self.paths, *other.paths)), smallest, self.pixels)

    def cut(self, size: int) -> Axis:
        before = (self.smallest.length - size) // 2  # a cut takes the centre
        reads = Reads(1, 1, ((before,),))
        return self.moved(reads, size)

    @property
    def seen(self) -> Path:
        """The path that sees most."""
        return max(self.paths, key=lambda path: (path.field, path.jump))

    def span(self, place: int) -> Span:
        """What the value at a place sees by all paths together; one that sees padding alone there adds nothing."""
        spans = [path.span(place) for path in self.paths]
        return _hull(*[span for span in spans if _real(span, self.pixels)] or spans)

    @property
    def field(self) -> int:
        """The pixels, unclipped, of the value that sees most of the input: of its equals one that a border cuts least.

        Paths that do not move alike drift apart, so that every value there is has to be looked at.
        """
        if self._is_alike:
            return self.seen.field
        return _extent(max(map(self.span, range(self.seen.length)), key=self._sight, default=None))

    @property
    def _is_alike(self) -> bool:
        """Whether every value sees as much: by one path, or since one sees all that any value sees, as after a gate."""
        if len(self.paths) == 1:
            return self.seen.is_even
        seen = _real(self.whole(1).paths[0].spans[0], self.pixels)
        return any(path.advance == 0 and _real(path.spans[0], self.pixels) == seen for path in self.paths)

    def _sight(self, span: Span) -> tuple[int, int]:
        real = _real(span, self.pixels)
        return real, _extent(span) if real == self.pixels else -_extent(span)


def _united(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    """Paths that move alike as one."""
    by_jump: dict[Fraction, Path] = {}
    for path in paths:
        by_jump[path.jump] = by_jump[path.jump].beside(path) if path.jump in by_jump else path
    return tuple(by_jump.values())


@dataclass(frozen=True)
class Field:
    """What a value of a map sees of the input, per axis."""

    axes: tuple[Axis, ...]

    @classmethod
    def of_input(cls, sizes: tuple[int, ...]) -> Field:
        """One pixel sees itself."""
        pixels = [Path(1, 1, ((0, 0),), size) for size in sizes]
        return cls(tuple(Axis((pixel,), pixel, pixel.length) for pixel in pixels))

    @cached_property
    def receptive_field(self) -> tuple[int, ...]:
        """Pixels per axis, unclipped, of the value that sees most of the input, by all paths together."""
        return tuple(axis.field for axis in self.axes)

    @property
    def smallest(self) -> tuple[int, ...]:
        """Pixels per axis by the smallest path alone: through residuals the one that skips every body."""
        return tuple(axis.smallest.field for axis in self.axes)

    @property
    def saw_everything(self) -> bool:
        """Whether a path has seen its whole input."""
        return any(path.advance == 0 for axis in self.axes for path in axis.paths)

    @property
    def jump(self) -> tuple[float, ...] | None:
        """Pixels between neighbours per axis, by the largest path; None once a path has seen its whole input."""
        return None if self.saw_everything else tuple(_number(axis.seen.jump) for axis in self.axes)

    @property
    def start(self) -> tuple[float, ...] | None:
        """The centre of what the first value sees, in pixels from the first one's centre; None as `jump`."""
        if self.saw_everything:
            return None
        firsts = [axis.seen.span(0) or axis.seen.span(axis.seen.period - 1) or (0, 0) for axis in self.axes]
        return tuple(_number(Fraction(first + last, 2)) for first, last in firsts)

    def padding_share(self, sizes: tuple[int, ...]) -> tuple[float, ...]:
        """How much of what the values see is no pixel of an input with these sides: the mean over an axis, 0 to 1."""
        return tuple(_outside(axis.seen, size) for axis, size in zip(self.axes, sizes, strict=True))

    def moved(self, moves: Moves, before: tuple[int, ...], after: tuple[int, ...]) -> Field:
        """After a block that reads so; the sides that come and those that leave."""
        parts = zip(self.axes, moves.reads(before), after, strict=True)
        return Field(tuple(axis.moved(reads, size) for axis, reads, size in parts))

    def whole(self, after: tuple[int, ...]) -> Field:
        """After a block that sees its whole input; the sides that leave, none where it gives no map."""
        lengths = after or (1,) * len(self.axes)
        return Field(tuple(axis.whole(length) for axis, length in zip(self.axes, lengths, strict=True)))

    def joined(self, other: Field) -> Field:
        """After two maps were put together."""
        return Field(tuple(mine.beside(theirs) for mine, theirs in zip(self.axes, other.axes, strict=True)))

    def cut(self, sizes: tuple[int, ...]) -> Field:
        """The centre of the map alone."""
        return Field(tuple(axis.cut(size) for axis, size in zip(self.axes, sizes, strict=True)))


def _number(value: Fraction) -> float:
    return int(value) if value.denominator == 1 else float(value)


def _outside(path: Path, size: int) -> float:
    spans = [path.span(place) for place in range(path.length)]
    seen = sum(map(_extent, spans))
    return 1 - sum(_real(span, size) for span in spans) / seen if seen else 0.0
