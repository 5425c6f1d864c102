"""The figure of a convolution or pooling whose windows slide over a map: input, window or kernel, output."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from fieldstone.explain.arrays import Array
from fieldstone.explain.figures.film import Piece
from fieldstone.explain.figures.grid import WEIGHT_CELL, Grid, Stone, padding, stone
from fieldstone.explain.figures.placing import Lane, Placing, placing_of
from fieldstone.explain.figures.stage import (
    BEAMS,
    FRAMES,
    LABELS,
    MARGIN,
    STONES,
    Look,
    beam,
    box_of,
    caption,
    circle,
    ease,
    frame,
    label,
    ray,
    taps,
)  # fmt: skip
from fieldstone.explain.figures.sums import arithmetic
from fieldstone.explain.figures.tints import Scale
from fieldstone.explain.figures.under import Under
from fieldstone.explain.numerals import number
from fieldstone.explain.trace import Trace
from fieldstone.explain.windows import MaxWindow, MeanWindow, ProductWindow, WindowTrace

Where = tuple[float, float, float, float]
"""The first row and column that the window reads, counted in the grid; the row and the column of the output."""


@dataclass(frozen=True)
class Windowed:
    """A trace over rows and columns, a step for each place of its output."""

    trace: Trace
    look: Look
    title: str

    @property
    def steps(self) -> int:
        return int(np.prod(self.trace.output.shape[1:]))

    @property
    def width(self) -> float:
        return self.placing.right + MARGIN

    @property
    def height(self) -> float:
        return self.placing.foot + self._under.height

    @cached_property
    def placing(self) -> Placing:
        return placing_of(self.trace, self.look)

    @cached_property
    def windows(self) -> list[list[WindowTrace]]:
        """Of each step the windows of all channels of the output."""
        channels, *sides = self.trace.output.shape
        places = list(np.ndindex(*sides))
        return [[self.trace.windows[channel, *place] for channel in range(channels)] for place in places]

    def says(self, step: int) -> str:
        _, row, column = self.windows[step][0].position
        values = ", ".join(number(window.value) for window in self.windows[step])
        return f"{self.look.words['place'].format(row=row + 1, column=column + 1)} {values}"

    def pieces(self, step: int) -> list[Piece]:
        return self._pieces(step, self._where(step), marked=True)

    def moving(self, step: int, share: float) -> list[Piece]:
        ends = zip(self._where(step - 1), self._where(step), strict=True)
        top, left, row, column = (ease(start, end, share) for start, end in ends)
        return self._pieces(step, (top, left, row, column), marked=False)

    def _pieces(self, step: int, where: Where, *, marked: bool) -> list[Piece]:
        """A step; before it is `marked`, nothing of what it computes, and the line of the step before."""
        layers = [(BEAMS, self._beams(*where)), (STONES, self._stones(step, marked=marked))]
        layers += [(FRAMES, self._frames(*where[:2])), (LABELS, self._labels())]
        layers.append((LABELS, self._under.drawn(step if marked else step - 1)))
        return [Piece(layer, ink) for layer, found in layers for ink in found]

    # Where the window lies.

    def _where(self, step: int) -> Where:
        window = self.windows[step][0]
        axes = zip(window.places, self.trace.scan.bounds, strict=True)
        top, left = (read[0] - axis.start for read, axis in axes)
        return top, left, window.position[1], window.position[2]

    @cached_property
    def _extent(self) -> tuple[int, int]:
        rows, columns = (one[-1] - one[0] + 1 for one in self.windows[0][0].places)
        return rows, columns

    @cached_property
    def _is_dilated(self) -> bool:
        return self._extent != tuple(map(len, self.windows[0][0].places))

    @property
    def _is_weighted(self) -> bool:
        return isinstance(self.windows[0][0], ProductWindow)

    def _beams(self, top: float, left: float, row: float, column: float) -> Iterator[str]:
        for lane in self.placing.lanes:
            middle = box_of(lane.middle, 0, 0, lane.middle.rows, lane.middle.columns)
            yield beam(box_of(lane.input, top, left, *self._extent), middle)
            yield beam(middle, box_of(lane.sum, 0, 0, 1, 1) if lane.sum else box_of(lane.output, row, column, 1, 1))
        if (at := self.placing.join) is not None:
            sums = [*(lane.sum for lane in self.placing.lanes), self.placing.bias]
            yield from (ray((grid.right, grid.middle), at) for grid in sums if grid is not None)
            x, y = at
            yield beam((x, y - 10, x, y + 10), box_of(self.placing.lanes[0].output, row, column, 1, 1))

    def _frames(self, top: float, left: float) -> Iterator[str]:
        for lane in self.placing.lanes:
            yield frame(lane.middle, 0, 0, lane.middle.rows, lane.middle.columns)
            rows, columns = ([at - axis[0] for at in axis] for axis in self.windows[0][0].places)
            yield from taps(lane.input, top, left, rows, columns)

    # The stones.

    def _stones(self, step: int, *, marked: bool) -> Iterator[str]:
        for channel, lane in enumerate(self.placing.lanes):
            window = self.windows[step][0 if self._is_weighted else channel]
            yield from self._input(lane, channel, window, step, marked=marked)
            yield from self._middle(lane, channel, window, marked=marked)
            if lane.sum is not None:
                yield self._channel_sum(lane.sum, channel, window, marked=marked)
            if channel == 0 or lane.output is not self.placing.lanes[0].output:
                yield from self._output(lane, 0 if self._is_weighted else channel, step, marked=marked)
        if self.placing.bias is not None:
            bias = self.windows[0][0]
            assert isinstance(bias, ProductWindow)
            assert bias.bias is not None
            yield stone(self.placing.bias, 0, 0, Stone((0, 0), bias.bias, number(bias.bias), "sunken"))

    def _input(self, lane: Lane, channel: int, window: WindowTrace, step: int, *, marked: bool) -> Iterator[str]:
        rows, columns = self.trace.scan.bounds
        wins = self._wins(channel, step if marked else step - 1)
        for row in rows:
            for column in columns:
                look = self._cell(lane, channel, (row, column), window, marked=marked)
                if dots := wins.get((channel, row, column), 0):
                    look = replace(look, dots=dots)
                yield stone(lane.input, row - rows.start, column - columns.start, look)

    def _cell(self, lane: Lane, channel: int, place: tuple[int, int], window: WindowTrace, *, marked: bool) -> Stone:
        """A cell of the input, or of its padding."""
        row, column = place
        value = self._value(channel, place)
        taps = [axis.index(at) for axis, at in zip(window.places, place, strict=True) if at in axis]
        read = marked and len(taps) == len(place)
        spans = [range(axis[0], axis[-1] + 1) for axis in window.places]
        text = number(value)
        if marked and isinstance(window, MaxWindow) and window.winner == (channel, row, column):
            return Stone(place, value, text, "mark", "on-mark", bold=True)
        if not self._is_real(place):
            fill = "surface" if read and self._is_dilated else "surface s-edge"
            return Stone(place, value, text, fill, "muted", under=self._weight(window, channel, taps, read),
                         dashed=fill != "surface")  # fmt: skip
        if marked and not read and row in spans[0] and column in spans[1]:
            return Stone(place, value, text, "surface", "muted", hatched=True)
        return Stone(place, value, text, self.scales[0](value), under=self._weight(window, channel, taps, read))

    def _weight(self, window: WindowTrace, channel: int, taps: list[int], read: bool) -> str:
        """What stands under a value that is read by a kernel."""
        if not read or not isinstance(window, ProductWindow) or self.look.cell < WEIGHT_CELL:
            return ""
        return f"×{number(float(window.weight[channel, taps[0], taps[1]]))}"

    def _middle(self, lane: Lane, channel: int, window: WindowTrace, *, marked: bool) -> Iterator[str]:
        """The window as it is read, or the kernel."""
        for (row, column), inside in np.ndenumerate(window.inside):
            place = row, column
            if isinstance(window, ProductWindow):
                weight = float(window.weight[channel, row, column])
                look = Stone(place, weight, number(weight), self.scales[1](weight))
            elif not marked:
                look = Stone(place, None, "", "sunken")
            else:
                look = self._read(window, place, bool(inside))
            yield stone(lane.middle, row, column, look)

    def _read(self, window: WindowTrace, tap: tuple[int, int], inside: bool) -> Stone:
        value = float(window.values[0][tap])
        place = tuple(axis[at] for axis, at in zip(window.places, tap, strict=True))
        if isinstance(window, MaxWindow) and window.winner == (window.position[0], *place):
            return Stone(tap, value, number(value), "mark", "on-mark", bold=True)
        if not inside:
            return padding(tap, value, number(value))
        return Stone(tap, value, number(value), self.scales[0](value))

    def _channel_sum(self, grid: Grid, channel: int, window: WindowTrace, *, marked: bool) -> str:
        assert isinstance(window, ProductWindow)
        value = float(window.products[channel].sum())
        look = (
            Stone((channel, 0), value, number(value), "sunken") if marked else Stone((channel, 0), None, "", "sunken")
        )
        return stone(grid, 0, 0, look)

    def _output(self, lane: Lane, channel: int, step: int, *, marked: bool) -> Iterator[str]:
        for at, windows in enumerate(self.windows):
            _, row, column = windows[channel].position
            value = windows[channel].value
            look = Stone((row, column), None, "", "sunken")
            if at < step:
                look = Stone((row, column), value, number(value), self.scales[2](value))
            elif at == step and marked:
                look = Stone((row, column), value, number(value), "out", "on-out", bold=True)
            yield stone(lane.output, row, column, look)

    # What the stones need to know.

    @cached_property
    def scales(self) -> tuple[Scale, Scale, Scale]:
        """Of the input, the weights, the output."""
        return Scale.of("in", self.trace.input), Scale.of_weights(self._kernel), Scale.of("out", self.trace.output)

    @property
    def _kernel(self) -> Array:
        window = self.windows[0][0]
        return window.weight if isinstance(window, ProductWindow) else np.zeros(1)

    def _value(self, channel: int, place: tuple[int, int]) -> float:
        row, column = (at - axis.start for at, axis in zip(place, self.trace.scan.bounds, strict=True))
        return float(self._padded[channel, row, column])

    @cached_property
    def _padded(self) -> Array:
        return self.trace.padded

    def _is_real(self, place: tuple[int, int]) -> bool:
        return all(at in axis for at, axis in zip(place, self.trace.scan.real, strict=True))

    def _wins(self, channel: int, step: int) -> dict[tuple[int, ...], int]:
        """How many outputs each place has won up to a step."""
        wins: dict[tuple[int, ...], int] = {}
        if self._is_weighted:
            return wins
        for windows in self.windows[: step + 1]:
            window = windows[channel]
            if isinstance(window, MaxWindow) and window.winner is not None:
                wins[window.winner] = wins.get(window.winner, 0) + 1
        return wins

    # What is written.

    def _labels(self) -> Iterator[str]:
        for each in self.placing.labels:
            yield label(each.x, each.y, each.role, each.word, each.size)
        if (at := self.placing.join) is not None:
            yield circle(at, "Σ")
        grid = self.placing.lanes[-1].middle
        window = self.windows[0][0]
        text = self.look.words["weighted" if self._is_weighted else "largest of"].format(count=window.values.size)
        if isinstance(window, MeanWindow):
            text = self.look.words["divided by"].format(count=window.values.size)
        yield caption(grid.x + grid.width / 2, grid.foot + 18, text)

    @cached_property
    def _under(self) -> Under:
        largest = isinstance(self.windows[0][0], MaxWindow)
        present = {"window": True, "now": True, "padding": self.trace.scan.bounds != self.trace.scan.real}
        present |= {"skipped": self._is_dilated, "largest": largest, "gradient": largest}
        present |= {"positive": self._is_weighted and self._kernel.max() > 0}
        present |= {"negative": self._is_weighted and self._kernel.min() < 0}
        lines = [arithmetic(windows, self.look.words) for windows in self.windows]
        return Under(self.look, self.placing.foot, self.width, present, lines)
