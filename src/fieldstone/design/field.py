"""What a value of a map sees of the design's input: receptive field, jump, start and padding, in integers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from fieldstone.design.spans import Path, Span, extent_of, hull, real_of, telling
from fieldstone.geometry import Moves, Reads


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
        reads = Reads(1, 1, lambda _phase: range(before, before + 1))
        return self.moved(reads, size)

    @property
    def seen(self) -> Path:
        """The path that sees most."""
        return max(self.paths, key=lambda path: (path.field, path.jump))

    def span(self, place: int) -> Span:
        """What the value at a place sees by all paths together; one that sees padding alone there adds nothing."""
        spans = [path.span(place) for path in self.paths]
        return hull(*[span for span in spans if real_of(span, self.pixels)] or spans)

    @property
    def field(self) -> int:
        """The pixels, unclipped, of the value that sees most of the input: of its equals one that a border cuts least.

        Paths that do not move alike drift apart, so that one turn of the period does not tell.
        """
        if self._is_alike:
            return self.seen.field
        return extent_of(max(map(self.span, telling(self.paths, self.pixels)), key=self._sight, default=None))

    @property
    def _is_alike(self) -> bool:
        """Whether every value sees as much: by one path, or since one sees all that any value sees, as after a gate."""
        if len(self.paths) == 1:
            return self.seen.is_even
        seen = real_of(self.whole(1).paths[0].spans[0], self.pixels)
        return any(path.advance == 0 and real_of(path.spans[0], self.pixels) == seen for path in self.paths)

    def _sight(self, span: Span) -> tuple[int, int]:
        real = real_of(span, self.pixels)
        return real, extent_of(span) if real == self.pixels else -extent_of(span)


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
        return tuple(axis.seen.outside(size) for axis, size in zip(self.axes, sizes, strict=True))

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
