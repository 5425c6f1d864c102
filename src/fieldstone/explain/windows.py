"""One window and what came of it: a sum of products, the largest value, or a mean."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, isnan
from typing import Any

import numpy as np

from fieldstone.explain.arrays import Array, Mask
from fieldstone.explain.scan import Places


@dataclass(frozen=True, eq=False)
class WindowTrace:
    """One window, and what came of it.

    Attributes:
        position: its index in the output, (channel, *place), from 0.
        channels: the channels of the input that it reads.
        places: per axis the coordinates that it reads, from 0; in padding they are below 0, or past the end.
        values: (channels, *window), the numbers read, padding filled in.
        inside: (*window), whether it is a real value of the map.
        value: what it gives, as it stands in the output.
    """

    position: tuple[int, ...]
    channels: range
    places: Places
    values: Array
    inside: Mask
    value: float

    @property
    def start(self) -> tuple[int, ...]:
        """The first coordinate that it reads, per axis; () where it reads nothing."""
        return tuple(axis[0] for axis in self.places) if all(self.places) else ()

    def own(self) -> dict[str, Any]:
        """What only its kind has, for `to_json`."""
        raise NotImplementedError

    def to_json(self) -> dict[str, Any]:
        """Everything; a number that JSON has not is `NaN`, `Infinity` or `-Infinity` as a text."""
        common = {
            "position": list(self.position),
            "channels": list(self.channels),
            "start": list(self.start),
            "places": [list(axis) for axis in self.places],
            "values": plain(self.values),
            "inside": self.inside.tolist(),
        }
        return common | self.own() | {"value": plain(self.value)}


def plain(value: Any) -> Any:
    """Numbers as JSON can hold them."""
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value]
    number = float(value)
    return number if isfinite(number) else "NaN" if isnan(number) else "Infinity" if number > 0 else "-Infinity"


@dataclass(frozen=True, eq=False)
class ProductWindow(WindowTrace):
    """A window of a convolution: `value` is `sum` and, where there is one, `bias`.

    Attributes:
        weight: (channels, *window), the filter's.
        products: (channels, *window), each value times its weight; `sum` is over all of them.
    """

    weight: Array
    products: Array
    sum: float
    bias: float | None

    def own(self) -> dict[str, Any]:
        return {
            "weight": plain(self.weight),
            "products": plain(self.products),
            "sum": plain(self.sum),
            "bias": None if self.bias is None else plain(self.bias),
        }


@dataclass(frozen=True, eq=False)
class SpreadWindow(ProductWindow):
    """A value of a transposed convolution, seen from its place: what it reads are the values whose kernels reach it.

    They may be none: then `places` of some axis is empty, and `value` is the bias alone, or 0.

    Attributes:
        taps: per axis the place in the kernel by which each comes, from 0.
    """

    taps: Places

    def own(self) -> dict[str, Any]:
        return super().own() | {"taps": [list(axis) for axis in self.taps]}


@dataclass(frozen=True, eq=False)
class MaxWindow(WindowTrace):
    """A window of max pooling.

    Attributes:
        winner: where in the input the largest value stands, (channel, *place), from 0: the first of equals; of NaNs,
            which win, the last, as in torch. None where the window reads padding alone.
    """

    winner: tuple[int, ...] | None

    def own(self) -> dict[str, Any]:
        return {"winner": None if self.winner is None else list(self.winner)}


@dataclass(frozen=True, eq=False)
class MeanWindow(WindowTrace):
    """A window of average pooling: `value` is `sum` / `count`.

    Attributes:
        counted: (*window), the places that it divides by: the real ones, and padding if that counts.
    """

    counted: Mask
    sum: float

    @property
    def count(self) -> int:
        """The number that it divides by."""
        return int(self.counted.sum())

    @property
    def mean(self) -> float:
        """The value."""
        return self.value

    def own(self) -> dict[str, Any]:
        return {"counted": self.counted.tolist(), "sum": plain(self.sum), "count": self.count}
