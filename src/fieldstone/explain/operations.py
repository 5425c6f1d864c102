"""What a block computes in its windows: sums of products, the largest values, or means."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isnan
from typing import ClassVar, Protocol

import numpy as np

from fieldstone.explain.arrays import Array, Mask
from fieldstone.explain.scan import Places, Reading
from fieldstone.explain.windows import MaxWindow, MeanWindow, ProductWindow, SpreadWindow, WindowTrace
from fieldstone.geometry import Transposed


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
        return _with_bias(sums, self.bias)

    def window(self, reading: Reading, position: tuple[int, ...], value: float) -> ProductWindow:
        weight = self.weight[position[0]]
        first = position[0] // (len(self.weight) // self.groups) * len(weight)
        channels = range(first, first + len(weight))
        values = _of(reading, channels)
        products = weight * values
        bias = None if self.bias is None else float(self.bias[position[0]])
        what = (position, channels, reading.places, values, reading.inside, value)
        return ProductWindow(*what, weight, products, float(products.sum()), bias)


@dataclass(frozen=True, eq=False)
class Spread:
    """A transposed convolution, weights (C, O / groups, *kernel); `bias` is (O,), or None for none."""

    says: ClassVar[str] = "sum of products"
    weight: Array
    bias: Array | None
    groups: int
    moves: Transposed

    def values(self, reading: Reading) -> Array:
        values = reading.values.reshape(self.groups, len(reading.values) // self.groups, -1)
        weight = self._reaching(self._taps(reading))  # (C, O / groups, *window)
        weight = weight.reshape(*values.shape[:2], weight.shape[1], values.shape[2])
        sums: Array = np.einsum("gcot,gct->go", weight, values).reshape(-1)
        return _with_bias(sums, self.bias)

    def window(self, reading: Reading, position: tuple[int, ...], value: float) -> SpreadWindow:
        group, filter = divmod(position[0], self.weight.shape[1])
        count = len(self.weight) // self.groups
        channels = range(group * count, (group + 1) * count)
        values, taps = _of(reading, channels), self._taps(reading)
        weight = self._reaching(taps)[channels.start : channels.stop, filter]
        products = weight * values
        bias = None if self.bias is None else float(self.bias[position[0]])
        what = (position, channels, reading.places, values, reading.inside, value)
        return SpreadWindow(*what, weight, products, float(products.sum()), bias, taps)

    def _taps(self, reading: Reading) -> Places:
        """Of each value that is read, the place in its kernel that lies on the place of the output."""
        moves = self.moves
        axes = zip(reading.place, reading.places, moves.stride, moves.dilation, moves.padding, strict=True)
        return tuple(
            tuple((place + padding - stride * at) // dilation for at in read)
            for place, read, stride, dilation, padding in axes
        )

    def _reaching(self, taps: Places) -> Array:
        filters = map(range, self.weight.shape[:2])
        return self.weight[np.ix_(*filters, *taps)]


@dataclass(frozen=True)
class Largest:
    """Max pooling: of the real values alone."""

    says: ClassVar[str] = "largest value"

    def values(self, reading: Reading) -> Array:
        largest: Array = _flat(np.where(reading.inside, reading.values, -inf)).max(axis=1)
        return largest

    def window(self, reading: Reading, position: tuple[int, ...], value: float) -> MaxWindow:
        channel = range(position[0], position[0] + 1)
        values = _of(reading, channel)
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
        values = _of(reading, channel)
        counted = self._counted(reading)
        what = (position, channel, reading.places, values, reading.inside, value)
        return MeanWindow(*what, counted, float(values[0][counted].sum()))

    def _counted(self, reading: Reading) -> Mask:
        return reading.counted if self.include_pad else reading.inside


def _flat(values: Array) -> Array:
    return values.reshape(len(values), -1)  # (C, *window) -> (C, numbers)


def _of(reading: Reading, channels: range) -> Array:
    """What some channels have in the window, (channels, *window)."""
    return reading.values[channels.start : channels.stop]


def _with_bias(sums: Array, bias: Array | None) -> Array:
    return sums if bias is None else sums + bias
