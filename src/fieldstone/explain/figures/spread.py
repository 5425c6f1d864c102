"""The figure of a transposed convolution: each value lays its kernel on the output, and what overlaps adds up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fieldstone.explain.arrays import Array
from fieldstone.explain.figures.film import Piece
from fieldstone.explain.figures.grid import WEIGHT_CELL, Grid, Stone, gap_of, letters_of, padding, stone
from fieldstone.explain.figures.line import Group, plain, sign
from fieldstone.explain.figures.stage import (
    BEAMS,
    CAPTION,
    FRAMES,
    GAP,
    LABEL,
    LABELS,
    MARGIN,
    STONES,
    Look,
    beam,
    box_of,
    caption,
    ease,
    frame,
    label,
    label_width,
    taps,
)  # fmt: skip
from fieldstone.explain.figures.sums import product_term
from fieldstone.explain.figures.tints import Scale
from fieldstone.explain.figures.under import Under
from fieldstone.explain.numerals import equals, exact, number
from fieldstone.explain.operations import Spread
from fieldstone.explain.trace import Trace
from fieldstone.explain.windows import SpreadWindow

Place = tuple[int, int]


@dataclass(frozen=True)
class Scattered:
    """A trace of a transposed convolution of one channel, a step for each value of its input."""

    trace: Trace
    look: Look
    title: str

    @property
    def steps(self) -> int:
        return int(self.trace.input.size)

    @property
    def width(self) -> float:
        return self._grids[2].x + max(self._grids[2].width, self._label_widths[2]) + MARGIN

    @property
    def height(self) -> float:
        return self._foot + self._under.height

    def says(self, step: int) -> str:
        row, column = self._place(step)
        return self.look.words["from"].format(row=row + 1, column=column + 1)

    def pieces(self, step: int) -> list[Piece]:
        inks = {STONES: self._stones(step, step), LABELS: [*self._labels(), *self._under.drawn(step)]}
        inks |= self._moved(*self._place(step))
        return [Piece(layer, ink) for layer, found in inks.items() for ink in found]

    def moving(self, step: int, share: float) -> list[Piece]:
        ends = zip(self._place(step - 1), self._place(step), strict=True)
        inks = {STONES: self._stones(step - 1, None), LABELS: [*self._labels(), *self._under.drawn(step - 1)]}
        inks |= self._moved(*(ease(start, end, share) for start, end in ends))
        return [Piece(layer, ink) for layer, found in inks.items() for ink in found]

    # What is computed, all of it from the windows of the trace.

    def _place(self, step: int) -> Place:
        row, column = divmod(step, self.trace.input.shape[2])
        return row, column

    @cached_property
    def _operation(self) -> Spread:
        assert isinstance(self.trace.operation, Spread)
        return self.trace.operation

    @cached_property
    def _added(self) -> dict[Place, dict[Place, tuple[float, float]]]:
        """By the place of an input: by the place of an output that it reaches, the product and its weight."""
        added: dict[Place, dict[Place, tuple[float, float]]] = {}
        for window in self.trace.windows:
            assert isinstance(window, SpreadWindow)
            for tap in np.ndindex(window.products.shape[1:]):
                start = window.places[0][tap[0]], window.places[1][tap[1]]
                to = window.position[1], window.position[2]
                weight, product = float(window.weight[0][tap]), float(window.products[0][tap])
                added.setdefault(start, {})[to] = product, weight
        return added

    @cached_property
    def _totals(self) -> list[Array]:
        """What stands in the output after each step."""
        bias = self._operation.bias
        total = np.full(self.trace.output.shape[1:], 0.0 if bias is None else bias[0])
        totals = []
        for step in range(self.steps):
            total = total.copy()
            for place, (product, _) in self._added.get(self._place(step), {}).items():
                total[place] += product
            totals.append(total)
        return totals

    # Where things stand.

    @cached_property
    def _cut(self) -> tuple[range, range]:
        """Rows and columns that kernels reach, those that padding cuts off too."""
        moves = self._operation.moves
        axes = zip(moves.padding, self.trace.output.shape[1:], strict=True)
        rows, columns = (range(-padding, side + padding) for padding, side in axes)
        return rows, columns

    @cached_property
    def _names(self) -> list[tuple[str, str, str]]:
        """The role, the word and the size of each grid."""
        words, moves = self.look.words, self._operation.moves
        shapes = [self.trace.input.shape[1:], moves.kernel, self.trace.output.shape[1:]]
        roles = (("in", "input"), ("window", "kernel"), ("out", "output"))
        return [
            (role, words[word], f"{rows} × {columns}")
            for (role, word), (rows, columns) in zip(roles, shapes, strict=True)
        ]

    @cached_property
    def _label_widths(self) -> list[float]:
        return [label_width(word, size) for _, word, size in self._names]

    @cached_property
    def _grids(self) -> tuple[Grid, Grid, Grid]:
        pitch = self.look.cell + gap_of(self.look.cell)
        sizes = [self.trace.input.shape[1:], self._operation.moves.kernel, tuple(map(len, self._cut))]
        numbers = [self.trace.input, self._operation.weight, np.array(self._totals)]
        high = max(max(rows for rows, _ in sizes) * pitch, sizes[1][0] * pitch + 2 * CAPTION)
        grids, x = [], float(MARGIN)
        for name, (rows, columns), held, wide in zip(
            ("input", "kernel", "output"), sizes, numbers, self._label_widths, strict=True
        ):
            letters = letters_of((number(value) for value in held.flat), self.look.cell)
            grids.append(
                Grid(name, x, MARGIN + LABEL + (high - rows * pitch) / 2, rows, columns, self.look.cell, letters)
            )
            x += max(columns * pitch, wide) + GAP
        return grids[0], grids[1], grids[2]

    @property
    def _foot(self) -> float:
        return max(self._grids[0].foot, self._grids[1].foot + CAPTION, self._grids[2].foot)

    def _moved(self, row: float, column: float) -> dict[int, list[str]]:
        """Beams and frames, the value at a row and a column."""
        source, kernel, output = self._grids
        stride = self._operation.moves.stride
        to = row * stride[0], column * stride[1]
        size = self._taps[0][-1] + 1, self._taps[1][-1] + 1
        middle = box_of(kernel, 0, 0, kernel.rows, kernel.columns)
        beams = [beam(box_of(source, row, column, 1, 1), middle), beam(middle, box_of(output, *to, *size))]
        frames = [
            frame(source, row, column, 1, 1),
            frame(kernel, 0, 0, kernel.rows, kernel.columns),
            *taps(output, *to, *self._taps),
        ]
        return {BEAMS: beams, FRAMES: frames}

    @property
    def _taps(self) -> tuple[range, range]:
        """The rows and columns of the output that a kernel reaches, counted from its first."""
        moves = self._operation.moves
        rows, columns = (
            range(0, gap * (side - 1) + 1, gap) for side, gap in zip(moves.kernel, moves.dilation, strict=True)
        )
        return rows, columns

    # What is drawn.

    def _stones(self, done: int, now: int | None) -> Iterator[str]:
        source, kernel, output = self._grids
        scale, weights, sums = self._scales
        for (row, column), value in np.ndenumerate(self.trace.input[0]):
            yield stone(source, row, column, Stone((row, column), value, number(value), scale(value)))
        for (row, column), value in np.ndenumerate(self._operation.weight[0, 0]):
            yield stone(kernel, row, column, Stone((row, column), value, number(value), weights(value)))
        added = {} if now is None else self._added.get(self._place(now), {})
        for row, across in enumerate(self._cut[0]):
            for column, down in enumerate(self._cut[1]):
                yield stone(output, row, column, self._cell((across, down), done, added, sums))

    def _cell(self, place: Place, done: int, added: dict[Place, tuple[float, float]], scale: Scale) -> Stone:
        if not all(0 <= at < side for at, side in zip(place, self.trace.output.shape[1:], strict=True)):
            return padding(place, None, "")
        if place not in self._reached(done):
            return Stone(place, None, "", "sunken")
        value = float(self._totals[done][place])
        if place not in added:
            return Stone(place, value, number(value), scale(value))
        under = signed(added[place][0]) if self.look.cell >= WEIGHT_CELL else ""
        return Stone(place, value, number(value), "out", "on-out", bold=True, under=under)

    def _reached(self, done: int) -> set[Place]:
        """Places that have a value by then; at the end those that nothing reaches have the bias."""
        if done == self.steps - 1:
            return set(np.ndindex(self._totals[0].shape))
        return {place for step in range(done + 1) for place in self._added.get(self._place(step), {})}

    @cached_property
    def _scales(self) -> tuple[Scale, Scale, Scale]:
        totals = np.array(self._totals)
        return Scale.of("in", self.trace.input), Scale.of_weights(self._operation.weight), Scale.of("out", totals)

    def _labels(self) -> Iterator[str]:
        for grid, (role, word, size) in zip(self._grids, self._names, strict=True):
            yield label(grid.x + grid.gap / 2, grid.y, role, word, size)
        kernel = self._grids[1]
        yield caption(kernel.x + kernel.width / 2, kernel.foot + 18, self.look.words["spread"])

    @cached_property
    def _under(self) -> Under:
        weight = self._operation.weight
        present = {"window": True, "now": True, "cut": any(self._operation.moves.padding)}
        present |= {"positive": bool(weight.max() > 0), "negative": bool(weight.min() < 0)}
        lines = [self._products(step) for step in range(self.steps)]
        return Under(self.look, self._foot, self.width, present, lines)

    def _products(self, step: int) -> list[list[Group]]:
        """`2×1 = 2, 2×(−1) = −2`: what is added to each place, a line for each row."""
        rows: dict[int, Group] = {}
        value = float(self.trace.input[0][self._place(step)])
        for (row, _), (product, weight) in sorted(self._added.get(self._place(step), {}).items()):
            term = product_term(value, weight), sign(_equals(value, weight, product)), plain(number(product))
            rows[row] = (*rows[row], sign(","), *term) if row in rows else term
        return [[group] for group in rows.values()]


def _equals(value: float, weight: float, product: float) -> str:
    one, other = exact(value), exact(weight)
    return equals([None if one is None or other is None else one * other], product)


def signed(value: float) -> str:
    """With its sign, as what is added."""
    text = number(value)
    return text if text.startswith("−") else f"+{text}"
