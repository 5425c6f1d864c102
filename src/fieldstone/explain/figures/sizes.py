"""The figure of an output's size: the map before and after a block, to scale, and the arithmetic of each side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import log2, sqrt

from fieldstone.analysis.drawing.colours import MONO
from fieldstone.analysis.drawing.ink import path, rectangle
from fieldstone.analysis.drawing.marks import text_width
from fieldstone.analysis.drawing.words import times
from fieldstone.design.walk import Row
from fieldstone.explain.figures import line
from fieldstone.explain.figures.film import Piece
from fieldstone.explain.figures.grid import written
from fieldstone.explain.figures.line import Group, Span, Term, plain, result, sign
from fieldstone.explain.figures.stage import BEAMS, LABELS, MARGIN, STONES, Look, beam, label
from fieldstone.explain.figures.under import Under
from fieldstone.geometry import Shape, Window

LEAST, MORE, MOST_PLATES, SHIFT = 24, 150, 8, 5
"""A map of no side and how much larger the largest is, in pixels; plates behind each other, and how far apart."""
ROOM, HEAD = 220, 34


@dataclass(frozen=True)
class Sizes:
    """One block on one input; its window is framed on the input."""

    row: Row
    look: Look
    title: str

    @property
    def steps(self) -> int:
        return 1

    @property
    def width(self) -> float:
        return (
            max(self._right, *(MARGIN + sum(map(line.width_of_group, groups)) for groups in self._arithmetic))
            + 2 * MARGIN
        )

    @property
    def height(self) -> float:
        return self._foot + self._under.height

    def says(self, step: int) -> str:
        return self.title

    def pieces(self, step: int) -> list[Piece]:
        before, after = self._boxes
        window, one = self._window_box, (after[0], after[1], after[0] + 8, after[1] + 8)
        pieces = [Piece(STONES, ink) for ink in self._plates(before, self.row.input_shape, "in_0 s-in")]
        pieces += [Piece(STONES, ink) for ink in self._plates(after, self.row.output_shape, "out_0 s-out")]
        pieces.append(Piece(BEAMS, beam(window, one)))
        pieces += [
            Piece(LABELS, ink) for ink in (*self._framed(window, one), *self._labels(), *self._under.drawn(step))
        ]
        return pieces

    @cached_property
    def _moves(self) -> Window:
        assert isinstance(self.row.window, Window)
        return self.row.window

    def _sides(self, shape: Shape) -> tuple[float, float]:
        """Height and width in pixels."""
        largest = max(*self.row.input_shape[1:], *self.row.output_shape[1:])
        high, wide = (LEAST + MORE * sqrt(side / largest) for side in shape[1:])
        return high, wide

    @cached_property
    def _boxes(self) -> tuple[tuple[float, float, float, float], tuple[float, float, float, float]]:
        """The front plates."""
        shapes = self.row.input_shape, self.row.output_shape
        high = max(self._sides(shape)[0] for shape in shapes)
        top, x = MARGIN + HEAD + SHIFT * (_plates(shapes[0]) - 1), float(MARGIN + 3)
        boxes = []
        for shape in shapes:
            down, across = self._sides(shape)
            y = top + (high - down) / 2
            boxes.append((x, y, x + across, y + down))
            x += across + SHIFT * _plates(shape) + max(ROOM, text_width(self.row.block.text(), 7.9) + 48)
        return boxes[0], boxes[1]

    @property
    def _right(self) -> float:
        return self._boxes[1][2] + SHIFT * _plates(self.row.output_shape) + 24

    @property
    def _foot(self) -> float:
        return max(box[3] for box in self._boxes) + 34

    @property
    def _window_box(self) -> tuple[float, float, float, float]:
        x, y, right, foot = self._boxes[0]
        rows, columns = self.row.input_shape[1:]
        reach = self._moves.extents
        return x, y, x + (right - x) * min(1, reach[1] / columns), y + (foot - y) * min(1, reach[0] / rows)

    def _plates(self, box: tuple[float, float, float, float], shape: Shape, role: str) -> Iterator[str]:
        x, y, right, foot = box
        for plate in reversed(range(_plates(shape))):
            shift = plate * SHIFT
            yield rectangle(x + shift, y - shift, right - x, foot - y, f'class="{role}"', 3)

    def _framed(self, *boxes: tuple[float, float, float, float]) -> Iterator[str]:
        for (x, y, right, foot), role in zip(boxes, ("s-text", "s-text out"), strict=True):
            fill = "" if "out" in role else ' fill="none"'
            yield rectangle(x, y, right - x, foot - y, f'class="{role}"{fill} stroke-width="2"', 2)

    def _labels(self) -> Iterator[str]:
        (x, _, right, foot), (left, _, end, below) = self._boxes
        top = MARGIN + HEAD - 6
        yield label(x - 3, top, "in", self.look.words["input"], "")
        yield label(left - 3, top, "out", self.look.words["output"], "")
        mono = f'class="text" font-family="{MONO}"'
        yield written(times(self.row.input_shape), (x + right) / 2, foot + 18, 14, mono)
        yield written(times(self.row.output_shape), (left + end) / 2, below + 18, 14, mono)
        start = right + SHIFT * _plates(self.row.input_shape)
        middle, y = (start + left) / 2, self._boxes[0][3] - 18
        yield written(self.row.block.text(), middle, y - 14, 13, mono)
        yield path([(start + 20, y), (left - 20, y)], 'class="s-text" stroke-width="1.25" fill="none"')
        yield path([(left - 20, y), (left - 27, y - 4), (left - 27, y + 4)], 'class="text"', closed=True)

    @cached_property
    def _under(self) -> Under:
        return Under(self.look, self._foot, self.width, {}, [self._arithmetic])

    @property
    def _arithmetic(self) -> list[list[Group]]:
        """The height and the width, the channels, and the parameters."""
        words, moves = self.look.words, self._moves
        axes = {*zip(self.row.input_shape[1:], moves.kernel, moves.stride, moves.padding, moves.dilation, strict=True)}
        names = ("sides",) if len(axes) == 1 else ("rows", "columns")
        lines = [[(plain(words[name], "muted"), *self._formula(axis))] for axis, name in enumerate(names)]
        channels = self.row.input_shape[0], self.row.output_shape[0]
        arrow: Group = (plain(words["channels"], "muted"), plain(str(channels[0])), sign("→"), result(str(channels[1])))
        count: Group = (plain(words["parameters"], "muted"), plain(f"{self.row.params:,}", bold=True))
        return [*lines, [arrow, count]]

    def _formula(self, axis: int) -> Group:
        """`⌊(39 + 2×0 − 1×(3−1) − 1) ÷ 1⌋ + 1 = 37`."""
        moves = self._moves
        before, after = moves.padding[axis]
        padding = f"2×{before}" if before == after else f"{before} + {after}"
        inner = f" + {padding} − {moves.dilation[axis]}×({moves.kernel[axis]}−1) − 1) ÷ {moves.stride[axis]}"
        formula = Term((Span("("), Span(str(self.row.input_shape[1 + axis]), "in", True), Span(inner)), close=True)
        ends = plain("⌋", close=True), plain("+ 1"), sign("="), result(str(self.row.output_shape[1 + axis]))
        return plain("⌊"), formula, *ends  # brackets apart: few fonts have them, and a text has one font


def _plates(shape: Shape) -> int:
    return min(MOST_PLATES, 1 + int(log2(shape[0])))
