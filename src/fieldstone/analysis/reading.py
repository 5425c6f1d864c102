"""Which places of a map a value reads, exactly: along runs of windows that move in single steps.

A run begins at the input or at a map of another jump. Within it the places that a value reads are the sums of the taps
on the way (Wang et al., arXiv:1702.08502, figure 1), so an axis is a set of places: here the bits of a number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce

from fieldstone.analysis.rule import Subject, window_of
from fieldstone.design.names import INPUT
from fieldstone.design.walk import Row
from fieldstone.geometry import WHOLE, Window


@dataclass(frozen=True)
class Line:
    """Places along an axis: bit `i` of `bits` stands for the place `first + i`; the lowest is set."""

    first: int = 0
    bits: int = 1

    def spread(self, taps: tuple[int, ...]) -> Line:
        """What a value reads that reads these taps of such values."""
        least = min(taps)
        return Line(self.first + least, reduce(int.__or__, (self.bits << (tap - least) for tap in taps)))

    def united(self, other: Line) -> Line:
        first = min(self.first, other.first)
        return Line(first, self.bits << (self.first - first) | other.bits << (other.first - first))

    @property
    def field(self) -> int:
        """From the first to the last."""
        return self.bits.bit_length()

    @property
    def read(self) -> int:
        """How many."""
        return self.bits.bit_count()

    def __str__(self) -> str:
        """■ for a place that is read, · for one between that is not."""
        return bin(self.bits)[:1:-1].replace("1", "■").replace("0", "·")


@dataclass(frozen=True)
class Run:
    """How a value reads the map at the start of its run.

    Attributes:
        start: the path of the row that made that map, or `input`.
        lines: the places, per axis, relative to its own; by all paths together.
        windows: the blocks with windows on the way.
        depth: how many with a dilation stand one after another.
    """

    start: str
    lines: tuple[Line, ...]
    windows: Mapping[str, Row]
    depth: int = 0

    def after(self, row: Row, window: Window) -> Run:
        """What a value of its output reads."""
        taps = (reads.at(0) for reads in window.reads(row.input_shape[1:]))
        lines = tuple(line.spread(places) for line, places in zip(self.lines, taps, strict=True))
        return Run(self.start, lines, {**self.windows, row.path: row}, self.depth + is_dilated(window))

    def beside(self, other: Run) -> Run:
        lines = tuple(mine.united(theirs) for mine, theirs in zip(self.lines, other.lines, strict=True))
        return Run(self.start, lines, {**self.windows, **other.windows}, max(self.depth, other.depth))


def is_dilated(window: Window) -> bool:
    """Whether it leaves places out between those that it reads."""
    return any(size > 1 and step > 1 for size, step in zip(window.kernel, window.dilation, strict=True))


def ends(subject: Subject) -> Iterator[Run]:
    """Every run as the last value of it reads: what comes after has another jump, sees everything, or is nothing."""
    reads: dict[str, Run] = {}  # of the values of a row
    onward: dict[str, Run] = {INPUT: _fresh(INPUT, len(subject.input) - 1)}  # what the rows after it go on from
    for row in subject.order:
        fresh = _fresh(row.path, len(row.output_shape) - 1)
        before = [onward[source] for source in row.sources]
        here = reduce(Run.beside, before) if len({run.start for run in before}) == 1 else fresh
        window = window_of(row)
        if isinstance(window, Window) and len(window.kernel) != len(here.lines):  # a module may lay its map out anew
            here = _fresh(row.sources[0], len(window.kernel))
        reads[row.path] = here.after(row, window) if isinstance(window, Window) else here
        onward[row.path] = reads[row.path] if _goes_on(row) else fresh
    for path, run in reads.items():
        users = subject.users.get(path, ())
        if onward[path] is not run or not any(reads[user.path].start == run.start for user in users):
            yield run


def _goes_on(row: Row) -> bool:
    """Whether its values stand as far apart as those of its input; those of a gate, which sees everything, do."""
    if row.field is None:
        return False
    window = window_of(row)
    if isinstance(window, Window):
        return max(window.stride) == 1
    return window is None or (window is WHOLE and row.output_shape == row.input_shape)


def _fresh(path: str, rank: int) -> Run:
    return Run(path, (Line(),) * rank, {})
