"""What the values along one axis of a map see of the design's input, by paths that move alike, in integers.

Source: Araujo, Norris and Sim, "Computing receptive fields of convolutional neural networks", Distill 2019; here for
each value of a period, so that transposed windows and resizing are exact too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import combinations
from math import gcd, lcm
from typing import NamedTuple

from fieldstone.geometry import Reads

Span = tuple[int, int] | None  # the first and the last pixel; None for a value that no pixel moves

MOST_VALUES = 4096
"""So many values of an axis are looked at one by one. Of a longer one, as of sound, those at which something turns are;
of a longer period, which comes of odd ratios alone, so many are known and the others follow by the jump, at most a
pixel beside for each resizing. Images are below it; to look at millions of values a block would take seconds."""

MOST_PHASES = 128
"""Of a period of so many values each is followed along a long axis; of a longer one some values, evenly spaced, are."""


class Path(NamedTuple):
    """What the values along one axis see by some paths from the input, which move alike.

    Value `i` sees `spans[i % period]`, moved by `i // period * advance` pixels; `advance` is 0 once it saw its whole
    input. `length` is the number of values. Odd ratios one after another give periods without end: of a period that is
    longer than the axis only the values that there are have spans, at most `MOST_VALUES`; what lies outside them is by
    the jump.
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
        return max(map(extent_of, self.spans))

    @property
    def is_even(self) -> bool:
        """Whether every value sees as many pixels."""
        return len(set(map(extent_of, self.spans))) == 1

    def span(self, place: int) -> Span:
        """What the value at a place sees."""
        turns, phase = divmod(place, self.period)
        known = min(phase, len(self.spans) - 1)
        moved = turns * self.advance + (phase - known) * self.advance // self.period
        span = self.spans[known]
        return None if span is None else (span[0] + moved, span[1] + moved)

    def moved(self, reads: Reads, length: int) -> Path:
        """After a block that reads so."""
        turns = self.period // gcd(self.period, reads.advance)
        period, steps = turns * reads.period, turns * reads.advance
        known = min(period, max(1, length), MOST_VALUES)
        spans = tuple(self._hull(reads.reach(place)) for place in range(known))
        return _shortest(Path(period, steps // self.period * self.advance, spans, length))

    def whole(self, length: int) -> Path:
        """After a block that sees its whole input, and gives so many values."""
        turn = min(self.length, len(self.spans))
        ends = (*range(turn), *range(self.length - turn, self.length))
        return Path(1, 0, (hull(*map(self.span, ends)),), length)

    def beside(self, other: Path) -> Path:
        """Both at once, where they move alike."""
        period = lcm(self.period, other.period)
        known = range(min(period, self.length, MOST_VALUES))
        spans = tuple(hull(self.span(place), other.span(place)) for place in known)
        return _shortest(Path(period, int(self.jump * period), spans, self.length))

    def outside(self, size: int) -> float:
        """How much of what the values see is no pixel of an axis with so many: the mean, 0 to 1."""
        path = self if self.period == len(self.spans) else self._sample()
        seen = real = 0
        for phase, span in enumerate(path.spans):
            turns = (path.length - 1 - phase) // path.period + 1
            if span is not None:
                before, after = (_within(end, path.advance, turns, size) for end in (span[0], span[1] + 1))
                seen += turns * extent_of(span)
                real += after - before
        return 1 - real / seen if seen else 0.0

    def _sample(self) -> Path:
        """One turn of at most so many values, evenly spaced along the axis."""
        places = range(0, self.length, max(1, -(-self.length // MOST_VALUES)))
        return Path(len(places), 0, tuple(map(self.span, places)), len(places))

    def _hull(self, places: range) -> Span:
        """What values at evenly spaced places see: of many the first and the last turn of the period show it."""
        few = len(places) <= 2 * MOST_VALUES
        return hull(*map(self.span, places if few else (*places[:MOST_VALUES], *places[-MOST_VALUES:])))


def hull(*spans: Span) -> Span:
    """From the first to the last pixel of all of them."""
    seen = [span for span in spans if span is not None]
    return (min(first for first, _ in seen), max(last for _, last in seen)) if seen else None


def extent_of(span: Span) -> int:
    """How many pixels, those of the padding counted."""
    return 0 if span is None else span[1] - span[0] + 1


def real_of(span: Span, size: int) -> int:
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


def telling(paths: Sequence[Path], pixels: int) -> Iterable[int]:
    """Places, in order, among which are those that see most or least and those where paths are furthest apart.

    From turn to turn of the period of all paths the ends of what they see move on lines: what is largest is so at the
    first turn or the last, or beside one at which two lines cross, or one crosses a border of the input's pixels.
    """
    length, period = paths[0].length, lcm(*(path.period for path in paths))
    if length <= MOST_VALUES:
        return range(length)
    if period > MOST_PHASES:
        return range(0, length, -(-length // MOST_VALUES))
    return sorted(place for phase in range(period) for place in _turning(paths, phase, period, pixels))


def _turning(paths: Sequence[Path], phase: int, period: int, pixels: int) -> set[int]:
    """Of the places at one phase of a period those at the ends and around crossings."""
    last = (paths[0].length - 1 - phase) // period
    lines = [(0, 0), (pixels - 1, 0)]
    for path in paths:
        lines += [(end, period // path.period * path.advance) for end in path.span(phase) or ()]
    turns = {0, last}
    for (one, step), (other, pace) in combinations(lines, 2):
        if step != pace:
            turn = (other - one) // (step - pace)
            turns |= {turn - 1, turn, turn + 1}
    return {phase + turn * period for turn in turns if 0 <= turn <= last}


def _within(start: int, step: int, count: int, size: int) -> int:
    """The sum of so many numbers, a step apart, each cut to what lies from 0 to the size."""
    if step == 0:
        return count * min(max(start, 0), size)
    inside, beyond = (min(max(-((start - end) // step), 0), count) for end in (0, size))
    middle = beyond - inside
    return middle * start + step * (inside + beyond - 1) * middle // 2 + (count - beyond) * size
