"""What is computed in a window: a sum of products, the largest value, or a mean."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, isnan
from typing import Any, ClassVar, Protocol

import numpy as np

from fieldstone.explain.arrays import Array, Mask
from fieldstone.explain.scan import Places, Reading


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
        """The first coordinate that it reads, per axis."""
        return tuple(axis[0] for axis in self.places)

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


class Operation(Protocol):
    """What a block computes in its windows."""

    says: ClassVar[str]

    def values(self, reading: Reading) -> Array:
        """Every channel of the output at one place, (O,)."""

    def window(self, reading: Reading, position: tuple[int, ...], value: float) -> WindowTrace:
        """The window of one channel."""


@dataclass(frozen=True, eq=False)
class Products:
    """A convolution, weights (O, C / groups, *kernel); `bias` is (O,), or None for none."""

    says: ClassVar[str] = "sum of products"
    weight: Array
    bias: Array | None
    groups: int

    def values(self, reading: Reading) -> Array:
        values = reading.values.reshape(self.groups, -1)  # (C, *window) -> (groups, numbers of a group)
        weight = self.weight.reshape(self.groups, -1, values.shape[1])
        sums: Array = np.einsum("goi,gi->go", weight, values).reshape(-1)
        return sums if self.bias is None else sums + self.bias

    def window(self, reading: Reading, position: tuple[int, ...], value: float) -> ProductWindow:
        weight = self.weight[position[0]]
        first = position[0] // (len(self.weight) // self.groups) * len(weight)
        channels = range(first, first + len(weight))
        values = reading.values[channels.start : channels.stop]
        products = weight * values
        bias = None if self.bias is None else float(self.bias[position[0]])
        what = (position, channels, reading.places, values, reading.inside, value)
        return ProductWindow(*what, weight, products, float(products.sum()), bias)


@dataclass(frozen=True)
class Largest:
    """Max pooling: of the real values alone."""

    says: ClassVar[str] = "largest value"

    def values(self, reading: Reading) -> Array:
        largest: Array = _flat(np.where(reading.inside, reading.values, -inf)).max(axis=1)
        return largest

    def window(self, reading: Reading, position: tuple[int, ...], value: float) -> MaxWindow:
        channel = range(position[0], position[0] + 1)
        values = reading.values[channel.start : channel.stop]
        what = (position, channel, reading.places, values, reading.inside, value)
        same = np.isnan(values[0]) if isnan(value) else values[0] == value
        winners = np.argwhere(same & reading.inside)  # in row order
        if not len(winners):
            return MaxWindow(*what, None)
        taps = winners[-1 if isnan(value) else 0]
        place = tuple(axis[tap] for axis, tap in zip(reading.places, taps, strict=True))
        return MaxWindow(*what, (position[0], *place))


@dataclass(frozen=True)
class Mean:
    """Average pooling; whether padding counts."""

    says: ClassVar[str] = "mean"
    include_pad: bool

    def values(self, reading: Reading) -> Array:
        counted = self._counted(reading)
        means: Array = reading.values[:, counted].sum(axis=1) / counted.sum()
        return means

    def window(self, reading: Reading, position: tuple[int, ...], value: float) -> MeanWindow:
        channel = range(position[0], position[0] + 1)
        values = reading.values[channel.start : channel.stop]
        counted = self._counted(reading)
        what = (position, channel, reading.places, values, reading.inside, value)
        return MeanWindow(*what, counted, float(values[0][counted].sum()))

    def _counted(self, reading: Reading) -> Mask:
        return reading.counted if self.include_pad else reading.inside


def _flat(values: Array) -> Array:
    return values.reshape(len(values), -1)  # (C, *window) -> (C, numbers)
