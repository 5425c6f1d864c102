"""Where windows lie on a map, and what they read there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import chain
from typing import Any

import numpy as np

from fieldstone.explain.arrays import Array, Mask
from fieldstone.geometry import Moves, Transposed

Places = tuple[tuple[int, ...], ...]
"""Per axis the coordinates that a window reads, from 0; in padding they are below 0, or past the end."""


@dataclass(frozen=True)
class Fill:
    """What stands in the padding: a value, or what a mode copies from the map."""

    mode: str
    value: float = 0.0

    def around(self, values: Array, widths: list[tuple[int, int]]) -> Array:
        """The map with its padding."""
        modes = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
        options: dict[str, Any] = {"mode": modes[self.mode]} if self.mode in modes else {"constant_values": self.value}
        padded: Array = np.pad(values, [(0, 0), *widths], **options)
        return padded


@dataclass(frozen=True, eq=False)
class Reading:
    """What the windows at one place of the output read.

    Attributes:
        place: that place, without the channel.
        values: (C, *window), padding filled in.
        real, padded: per axis the coordinates of the map, and of the map with its padding.
    """

    place: tuple[int, ...]
    places: Places
    values: Array
    real: tuple[range, ...]
    padded: tuple[range, ...]

    @cached_property
    def inside(self) -> Mask:
        """(*window), whether it is a real value of the map."""
        return _within(self.places, self.real)

    @cached_property
    def counted(self) -> Mask:
        """(*window), whether it is one of the map or its padding: a window of `ceil_mode` may read past both."""
        return _within(self.places, self.padded)


@dataclass(frozen=True, eq=False)
class Scan:
    """The windows on a map.

    Attributes:
        input: (C, *sides).
        reads: per axis, for each window along it, the coordinates that it reads.
        padding: per axis (before, after).
    """

    input: Array
    reads: tuple[Places, ...]
    padding: tuple[tuple[int, int], ...]
    fill: Fill

    @property
    def sides(self) -> tuple[int, ...]:
        return self.input.shape[1:]

    @cached_property
    def real(self) -> tuple[range, ...]:
        """Per axis the coordinates of the map."""
        return tuple(map(range, self.sides))

    @cached_property
    def real_and_padding(self) -> tuple[range, ...]:
        """Per axis the coordinates of the map and its padding."""
        parts = zip(self.sides, self.padding, strict=True)
        return tuple(range(-before, size + after) for size, (before, after) in parts)

    @cached_property
    def bounds(self) -> tuple[range, ...]:
        """Per axis the coordinates of the map, its padding, and what windows read past that."""
        axes = zip(self.real_and_padding, self.reads, strict=True)
        both = [[padded.start, padded.stop - 1, *chain.from_iterable(reads)] for padded, reads in axes]
        return tuple(range(min(places), max(places) + 1) for places in both)

    @cached_property
    def padded(self) -> Array:
        """The map within `bounds`, (C, *sides)."""
        widths = [(-axis.start, axis.stop - size) for axis, size in zip(self.bounds, self.sides, strict=True)]
        return self.fill.around(self.input, widths)

    def read(self, place: tuple[int, ...]) -> Reading:
        """What the windows at a place of the output read."""
        places = tuple(axis[number] for axis, number in zip(self.reads, place, strict=True))
        rows = [[at - axis.start for at in one] for one, axis in zip(places, self.bounds, strict=True)]
        values = self.padded[np.ix_(range(len(self.padded)), *rows)]
        return Reading(place, places, values, self.real, self.real_and_padding)


def _within(places: Places, bounds: tuple[range, ...]) -> Mask:
    axes = [np.array([at in bound for at in one], bool) for one, bound in zip(places, bounds, strict=True)]
    return reduce(np.logical_and.outer, axes)


def moving(moves: Moves, sides: tuple[int, ...]) -> tuple[Places, ...]:
    """What each of the windows reads, as `Scan.reads`."""
    axes = zip(moves.reads(sides), moves.output_sizes(sides), strict=True)
    return tuple(tuple(map(reads.at, range(count))) for reads, count in axes)


def arriving(moves: Transposed, sides: tuple[int, ...]) -> tuple[Places, ...]:
    """What of the map reaches each place of the output, as `Scan.reads`; for some places it may be nothing."""
    axes = zip(moving(moves, sides), sides, strict=True)
    return tuple(tuple(tuple(at for at in one if 0 <= at < side) for one in axis) for axis, side in axes)


def whole(sides: tuple[int, ...]) -> tuple[Places, ...]:
    """One window that reads the whole map, as `Scan.reads`."""
    return tuple((tuple(range(side)),) for side in sides)
