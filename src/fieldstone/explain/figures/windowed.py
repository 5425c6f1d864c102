"""The figure of a convolution or pooling whose windows slide over a map: input, window or kernel, output."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fieldstone.explain.arrays import Array
from fieldstone.explain.figures import line
from fieldstone.explain.figures.film import Piece
from fieldstone.explain.figures.grid import WEIGHT_CELL, Grid, Stone, stone
from fieldstone.explain.figures.placing import Lane, Placing, placing_of
from fieldstone.explain.figures.stage import (
    BEAMS, FRAMES, KEY_ROW, LABELS, MARGIN, STONES, Look, beam, box_of, caption, ease, extent, frame, key, key_lines, label,
)  # fmt: skip
from fieldstone.explain.figures.sums import arithmetic
from fieldstone.explain.figures.tints import Scale
from fieldstone.explain.numerals import number
from fieldstone.explain.trace import Trace
from fieldstone.explain.windows import MaxWindow, MeanWindow, ProductWindow, WindowTrace


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
        return self._arithmetic_top + line.HEIGHT * self._lines + (MARGIN if not self._lines else 12)

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
        windows = self.windows[step]
        top, left = self._origin(windows[0])
        where = (top, left, *windows[0].position[1:])
        inks = {STONES: self._stones(step, marked=True), BEAMS: self._beams(*where), FRAMES: self._frames(top, left)}
        inks[LABELS] = [*self._labels(), *self._written(step)]
        return [Piece(layer, ink) for layer, found in inks.items() for ink in found]

    def moving(self, step: int, share: float) -> list[Piece]:
        ends = [(*self._origin(self.windows[at][0]), *self.windows[at][0].position[1:]) for at in (step - 1, step)]
        top, left, row, column = (ease(start, end, share) for start, end in zip(*ends, strict=True))
        inks = {STONES: self._stones(step, marked=False), BEAMS: self._beams(top, left, row, column)}
        inks |= {FRAMES: self._frames(top, left), LABELS: [*self._labels(), *self._written(step - 1)]}
        return [Piece(layer, ink) for layer, found in inks.items() for ink in found]

    # Where the window lies.

    def _origin(self, window: WindowTrace) -> tuple[int, int]:
        """The first row and column that a window reads, counted in the grid."""
        rows, columns = (one[0] - axis.start for one, axis in zip(window.places, self.trace.scan.bounds, strict=True))
        return rows, columns

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
            now = box_of(lane.output, row, column, 1, 1)
            if lane.sum is None:
                yield beam(middle, now)
            else:
                one = box_of(lane.sum, 0, 0, 1, 1)
                yield beam(middle, one) + beam(one, now)
        if self.placing.bias is not None:
            yield beam(box_of(self.placing.bias, 0, 0, 1, 1), box_of(self.placing.lanes[0].output, row, column, 1, 1))

    def _frames(self, top: float, left: float) -> Iterator[str]:
        for lane in self.placing.lanes:
            yield frame(lane.middle, 0, 0, lane.middle.rows, lane.middle.columns)
            if not self._is_dilated:
                yield frame(lane.input, top, left, *self._extent)
                continue
            yield extent(lane.input, top, left, *self._extent)
            first = self.windows[0][0].places
            for row in first[0]:
                for column in first[1]:
                    at = top + row - first[0][0], left + column - first[1][0]
                    yield frame(lane.input, *at, 1, 1, 2.5)

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
                    look = Stone(**{**vars(look), "dots": dots})
                yield stone(lane.input, row - rows.start, column - columns.start, look)

    def _cell(self, lane: Lane, channel: int, place: tuple[int, int], window: WindowTrace, *, marked: bool) -> Stone:
        """A cell of the input, or of its padding."""
        row, column = place
        value = self._value(channel, place)
        taps = [axis.index(at) if at in axis else None for axis, at in zip(window.places, place, strict=True)]
        read = marked and None not in taps
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

    def _weight(self, window: WindowTrace, channel: int, taps: list[int | None], read: bool) -> str:
        """What stands under a value that is read by a kernel."""
        if not read or not isinstance(window, ProductWindow) or self.look.cell < WEIGHT_CELL:
            return ""
        return f"×{number(window.weight[channel, taps[0], taps[1]])}"

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
            return Stone(tap, value, number(value), "surface s-edge", "muted", dashed=True)
        return Stone(tap, value, number(value), self.scales[0](value))

    def _channel_sum(self, grid: Grid, channel: int, window: WindowTrace, *, marked: bool) -> str:
        assert isinstance(window, ProductWindow)
        value = float(window.products[channel].sum())
        look = Stone((channel, 0), value, number(value), "sunken") if marked else Stone((channel, 0), None, "", "sunken")
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
        window = self.windows[0][0]
        weights = window.weight if isinstance(window, ProductWindow) else np.zeros(1)
        return Scale.of("in", self.trace.input), Scale.of_weights(weights), Scale.of("out", self.trace.output)

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
        grid = self.placing.lanes[-1].middle
        window = self.windows[0][0]
        text = self.look.words["weighted" if self._is_weighted else "largest of"].format(count=window.values.size)
        if isinstance(window, MeanWindow):
            text = self.look.words["divided by"].format(count=window.values.size)
        yield caption(grid.x + grid.width / 2, grid.foot + 18, text)
        if self.look.key:
            yield from key(self._key, self.look.words, self.placing.foot + 24)

    @cached_property
    def _key(self) -> list[list[str]]:
        kinds = {"window": True, "now": True, "padding": self.trace.scan.bounds != self.trace.scan.real}
        largest = isinstance(self.windows[0][0], MaxWindow)
        kinds |= {"skipped": self._is_dilated, "largest": largest, "gradient": largest}
        kinds |= {"positive": self._is_weighted, "negative": self._is_weighted}
        return key_lines([name for name, present in kinds.items() if present], self.look.words, self.width - 2 * MARGIN)

    @property
    def _arithmetic_top(self) -> float:
        return self.placing.foot + (12 + KEY_ROW * len(self._key) if self.look.key else 0)

    @cached_property
    def _texts(self) -> list[list[list[line.Group]]]:
        """Of each step the lines of its arithmetic."""
        if not self.look.arithmetic:
            return [[] for _ in self.windows]
        room = self.width - 2 * MARGIN
        broken = ([line.wrapped(one, room) for one in arithmetic(each, self.look.words)] for each in self.windows)
        return [[part for lines in step for part in lines] for step in broken]

    @property
    def _lines(self) -> int:
        return max(map(len, self._texts))

    def _written(self, step: int) -> list[str]:
        middle = self._arithmetic_top + 6 + line.HEIGHT / 2
        return [line.drawn(self._texts[step], MARGIN + 2, middle)] if self.look.arithmetic else []


