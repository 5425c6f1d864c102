"""Where the grids of a sliding window stand: a lane for each channel, its parts on one middle line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fieldstone.explain.arrays import Array
from fieldstone.explain.figures.grid import Grid, gap_of, letters_of
from fieldstone.explain.figures.stage import CAPTION, GAP, LABEL, MARGIN, Look, label_width
from fieldstone.explain.numerals import number
from fieldstone.explain.operations import Products
from fieldstone.explain.trace import Trace
from fieldstone.explain.windows import ProductWindow

JOIN = 40


class Label(NamedTuple):
    """What stands over a grid."""

    x: float
    y: float
    role: str
    word: str
    size: str


@dataclass(frozen=True)
class Lane:
    """The grids of a channel; `sum` has what it adds to a convolution of several, `output` is then that of all."""

    input: Grid
    middle: Grid
    sum: Grid | None
    output: Grid


@dataclass(frozen=True)
class Placing:
    """Everything in its place; `join` is where the sums of channels meet, `right` and `foot` are the ends of it."""

    lanes: tuple[Lane, ...]
    bias: Grid | None
    labels: tuple[Label, ...]
    join: tuple[float, float] | None
    right: float
    foot: float


class Part(NamedTuple):
    """A grid before it has a place."""

    name: str
    rows: int
    columns: int
    letters: float
    role: str
    word: str
    size: str


def placing_of(trace: Trace, look: Look) -> Placing:
    """Raises FieldstoneError for numbers that do not fit in their cells."""
    parts = _parts(trace, look)
    pitch = look.cell + gap_of(look.cell)
    widths = [max(part.columns * pitch, label_width(part.word, part.size)) for part in parts]
    lefts = [MARGIN + sum(widths[:place]) + GAP * place for place in range(len(parts))]
    rows = [part.rows for part in parts]
    joins = len(parts) > 3
    if joins:
        lefts[3] += JOIN
    high = max(max(rows) * pitch, rows[1] * pitch + 2 * CAPTION)
    count = len(trace.input)
    bias = joins and isinstance(trace.operation, Products) and trace.operation.bias is not None
    step = high + LABEL + (0 if count == 1 else 8)
    tops = [MARGIN + LABEL + step * lane for lane in range(count)]
    foot = tops[-1] + high
    bias_middle = foot - high / 2 + 1.5 * pitch + LABEL + 4
    below = max(foot, bias_middle + pitch / 2) if bias else foot

    def grid(part: int, middle: float) -> Grid:
        name, rows, columns, letters, *_ = parts[part]
        return Grid(name, lefts[part], middle - rows * pitch / 2, rows, columns, look.cell, letters)

    output = grid(len(parts) - 1, (tops[0] + foot) / 2)
    lanes = []
    for lane, top in enumerate(tops):
        found = [_named(grid(part, top + high / 2), lane, count) for part in range(len(parts))]
        lanes.append(Lane(found[0], found[1], found[2] if joins else None, output if joins else found[-1]))
    bias_grid = grid(2, bias_middle) if bias else None
    labels = tuple(_labels(parts, lanes, bias_grid, look, joins))
    join = (lefts[-1] - JOIN, output.middle) if joins else None
    return Placing(tuple(lanes), bias_grid, labels, join, lefts[-1] + widths[-1], below)


def _named(grid: Grid, lane: int, count: int) -> Grid:
    """Of several lanes each has a name of its own."""
    if count == 1:
        return grid
    return Grid(f"{grid.name}-{lane}", grid.x, grid.y, grid.rows, grid.columns, grid.cell, grid.size)


def _parts(trace: Trace, look: Look) -> list[Part]:
    """From left to right; sizes of letters from all the numbers that will stand in a grid."""
    words, scan, operation = look.words, trace.scan, trace.operation
    sides, reads = trace.output.shape[1:], tuple(len(axis[0]) for axis in scan.reads)
    size = f"{scan.sides[0]} × {scan.sides[1]}"
    if scan.padding != ((0, 0), (0, 0)):
        widths = {side for pair in scan.padding for side in pair}
        said = " × ".join(str(before) for before, _ in scan.padding) if len(widths) > 1 else str(max(widths))
        size += f" {words['and padding'].format(width=said)}"
    whole, read = trace.padded.shape[1:], f"{reads[0]} × {reads[1]}"
    weighted = isinstance(operation, Products)
    kernel = operation.weight if isinstance(operation, Products) else trace.padded
    parts = [Part("input", whole[0], whole[1], _letters(trace.padded, look), "in", words["input"], size)]
    role = "kernel" if weighted else "window"
    parts.append(Part(role, reads[0], reads[1], _letters(kernel, look), "window", words[role], read))
    if weighted and len(trace.input) > 1:
        parts.append(Part("sum", 1, 1, _letters(_sums(trace), look), "edge", words["sum"], ""))
    out = f"{sides[0]} × {sides[1]}"
    return [*parts, Part("output", sides[0], sides[1], _letters(trace.output, look), "out", words["output"], out)]


def _letters(values: Array, look: Look) -> float:
    return letters_of((number(value) for value in values.flat), look.cell)


def _sums(trace: Trace) -> Array:
    """What each channel adds at each place."""
    weighted = (window for window in trace.windows if isinstance(window, ProductWindow))
    return np.array([window.products.sum(axis=(1, 2)) for window in weighted])


def _labels(parts: list[Part], lanes: list[Lane], bias: Grid | None, look: Look, joins: bool) -> Iterator[Label]:
    for number_, lane in enumerate(lanes):
        grids = [lane.input, lane.middle, *([lane.sum] if lane.sum else []), lane.output]
        for part, grid in zip(parts, grids, strict=True):
            if number_ and joins and part.name == "output":
                continue
            word = part.word
            if len(lanes) > 1 and part.name == "input":
                word = look.words["channel"].format(number=number_ + 1)
            yield Label(grid.x + grid.gap / 2, grid.y, part.role, word, part.size)
    if bias is not None:
        yield Label(bias.x + bias.gap / 2, bias.y, "edge", look.words["bias"], "")
