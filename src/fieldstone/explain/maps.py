"""A map, or the part of it around a window, as a grid of numbers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypeVar

from fieldstone.explain.arrays import Array
from fieldstone.explain.boxes import WIDTH, framed, width_of
from fieldstone.explain.numerals import number
from fieldstone.explain.scan import Scan

MOST_SIDE = 11  # rows and columns that are drawn of a map; of a larger one the window and one cell around it

T = TypeVar("T")
Shown = list[int | None]
"""Coordinates along one side; None stands for those left out."""

NOT_READ = " · "
LEFT_OUT = " … "


@dataclass(frozen=True, eq=False)
class Canvas:
    """A map of any rank as channels of slices of rows and columns.

    Attributes:
        values: (C, D, H, W), padding filled in; sides that the map has not are 1.
        names: what each channel is called.
        bounds, real, padded: per axis the coordinates of the values, of the map, and of the map with its padding.
    """

    names: Sequence[str]
    values: Array
    bounds: tuple[range, ...]
    real: tuple[range, ...]
    padded: tuple[range, ...]

    @classmethod
    def of_scan(cls, scan: Scan) -> Canvas:
        """The input of a scan, with its padding."""
        axes = (scan.bounds, scan.real, scan.real_and_padding)
        return cls(numbered("channel", len(scan.padded)), _lifted(scan.padded), *(lift(one, range(1)) for one in axes))

    @classmethod
    def of_maps(cls, names: Sequence[str], values: Array) -> Canvas:
        """Maps without padding, (C, *sides)."""
        lifted = _lifted(values)
        axes = tuple(map(range, lifted.shape[1:]))
        return cls(names, lifted, axes, axes, axes)

    @property
    def has_padding(self) -> bool:
        return self.padded != self.real

    def cell(self, channel: int, place: tuple[int, ...]) -> str:
        """A value as it is drawn: padding in brackets, nothing past it."""
        if not _within(place, self.padded):
            return NOT_READ
        row = tuple(at - axis.start for at, axis in zip(place, self.bounds, strict=True))
        text = number(self.values[channel, *row])
        return f" {text} " if _within(place, self.real) else f"({text})"

    def whole(self, channel: int, slice: int) -> list[str]:
        """One slice of a channel, the map itself framed."""
        axes = list(zip(self.bounds[1:], self.real[1:], strict=True))

        def grid(most: int) -> list[str]:
            rows, columns = (_shortened(list(all if len(all) <= most else real), most) for all, real in axes)
            frame = [_between(shown, real[0], real[-1]) for shown, (_, real) in zip((rows, columns), axes, strict=True)]
            cells = [[self._shown(channel, (slice, row, column)) for column in columns] for row in rows]
            return framed(cells, frame[0], frame[1])

        return _fitting(grid)

    def around(
        self,
        channel: int,
        slice: int,
        taps: tuple[Collection[int], Collection[int]],
        winner: tuple[int, ...] | None,
    ) -> tuple[list[str], int]:
        """One slice of a channel, a window framed; and the line on which the window's first row stands."""
        rows, columns = taps

        def grid(most: int) -> list[str]:
            shown = [lens(axis, sorted(one), most) for axis, one in zip(self.bounds[1:], taps, strict=True)]
            frame = [_between(one, min(read), max(read)) for one, read in zip(shown, taps, strict=True)]
            spans = [range(min(read), max(read) + 1) for read in taps]

            def cell(row: int | None, column: int | None) -> str:
                text = self._shown(channel, (slice, row, column))
                if row in spans[0] and column in spans[1] and not (row in rows and column in columns):
                    return NOT_READ
                return f"[{text.strip()}]" if winner == (slice, row, column) else text

            return framed([[cell(row, column) for column in shown[1]] for row in shown[0]], frame[0], frame[1])

        lines = _fitting(grid)
        return lines, next(number for number, line in enumerate(lines) if "┌" in line) + 1

    def _shown(self, channel: int, place: tuple[int | None, ...]) -> str:
        known = tuple(at for at in place if at is not None)
        return LEFT_OUT if len(known) < len(place) else self.cell(channel, known)


def numbered(name: str, count: int) -> list[str]:
    """`map 1`, `map 2` …"""
    return [f"{name} {number}" for number in range(1, count + 1)]


def lift(axes: tuple[T, ...], missing: T) -> tuple[T, ...]:
    """One to three axes as three, rows and columns last."""
    return (missing,) * (3 - len(axes)) + axes


def _lifted(values: Array) -> Array:
    sides = lift(values.shape[1:], 1)
    return values.reshape(len(values), *sides)  # (C, *sides) -> (C, D, H, W)


def lens(axis: range, read: Sequence[int], most: int = MOST_SIDE) -> Shown:
    """What is drawn of a side: all of it, else the window and one cell around it, else what the window reads."""
    if len(axis) <= most:
        return list(axis)
    around = range(max(axis.start, read[0] - 1), min(axis.stop, read[-1] + 2))
    if len(around) <= most:
        return list(around)
    shown: Shown = []
    for at in _shortened(list(read), most):
        if at is not None and shown and shown[-1] is not None and at > shown[-1] + 1:
            shown.append(None)
        shown.append(at)
    return shown


def _shortened(places: list[int], most: int) -> Shown:
    """The first and the last of many."""
    last = (most - 1) // 2
    return [*places] if len(places) <= most else [*places[: most - 1 - last], None, *places[-last:]]


def _between(shown: Shown, first: int, last: int) -> tuple[int, int]:
    return shown.index(first), shown.index(last)


def _within(place: tuple[int, ...], axes: tuple[range, ...]) -> bool:
    return all(at in axis for at, axis in zip(place, axes, strict=True))


def _fitting(grid: Callable[[int], list[str]]) -> list[str]:
    """The grid with as many cells as the width holds."""
    return next((lines for most in (MOST_SIDE, 8) if width_of(lines := grid(most)) <= WIDTH), grid(5))
