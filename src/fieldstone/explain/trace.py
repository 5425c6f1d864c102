"""A trace: every window of a convolution or pooling layer on an input. No torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import index
from typing import Any, overload

import numpy as np

from fieldstone.design.blocks.block import Block
from fieldstone.explain.arrays import Array
from fieldstone.explain.drawing import draw
from fieldstone.explain.operations import Operation
from fieldstone.explain.scan import Scan
from fieldstone.explain.windows import WindowTrace, plain


class Windows(Sequence[WindowTrace]):
    """The windows of a trace, in row-major order of the output; made when they are asked for.

    `windows[7]` counts them, `windows[0, 1, 2]` is the one of channel 0, row 1, column 2 of the output. Where the
    output has one channel, `windows[1, 2]` will do.
    """

    def __init__(self, scan: Scan, operation: Operation, output: Array) -> None:
        self._scan, self._operation, self._output = scan, operation, output

    def __len__(self) -> int:
        return self._output.size

    def __iter__(self) -> Iterator[WindowTrace]:
        return map(self._at, np.ndindex(self._output.shape))

    @overload
    def __getitem__(self, key: int | tuple[int, ...]) -> WindowTrace: ...
    @overload
    def __getitem__(self, key: slice) -> list[WindowTrace]: ...
    def __getitem__(self, key: int | tuple[int, ...] | slice) -> WindowTrace | list[WindowTrace]:
        shape = self._output.shape
        if isinstance(key, slice):
            return [self[number] for number in range(len(self))[key]]
        if not isinstance(key, tuple):
            return self._at(tuple(map(int, np.unravel_index(range(len(self))[index(key)], shape))))
        place = (0, *key) if len(key) == len(shape) - 1 and shape[0] == 1 else key
        if len(place) != len(shape):
            raise IndexError(f"windows of an output with {len(shape)} axes have no index {key}")
        return self._at(tuple(range(size)[index(number)] for number, size in zip(place, shape, strict=True)))

    def _at(self, position: tuple[int, ...]) -> WindowTrace:
        with np.errstate(all="ignore"):  # infinite and NaN values are shown as they are
            reading = self._scan.read(position[1:] or (0,) * len(self._scan.sides))
            return self._operation.window(reading, position, float(self._output[position]))


@dataclass(frozen=True, eq=False, repr=False)
class Trace:
    """Every window of a block on an input; its repr draws them.

    Attributes:
        output: (O, *sides); (C,) of a global pooling that keeps no sides.
        scan: where the windows lie.
        formulas: per axis the arithmetic of the output's size; none if one window reads the whole map.
        step: which one this is of a block that computes in several, `depthwise` or `pointwise`; None of one.
        before: the step before it, whose output is the input here.
    """

    block: Block
    output: Array
    scan: Scan
    operation: Operation
    formulas: tuple[str, ...]
    step: str | None = None
    before: Trace | None = None

    @property
    def steps(self) -> tuple[Trace, ...]:
        """The steps up to this one, in the order in which they compute."""
        return (self,) if self.before is None else (*self.before.steps, self)

    @property
    def input(self) -> Array:
        """(C, *sides)."""
        return self.scan.input

    @property
    def padded(self) -> Array:
        """The input with its padding, (C, *sides)."""
        return self.scan.padded

    @property
    def padding(self) -> tuple[tuple[int, int], ...]:
        """Per axis (before, after)."""
        return self.scan.padding

    @cached_property
    def windows(self) -> Windows:
        """All of them, by number or by position in the output."""
        return Windows(self.scan, self.operation, self.output)

    def to_json(self) -> dict[str, Any]:
        """Everything; a number that JSON has not is `NaN`, `Infinity` or `-Infinity` as a text."""
        return {
            "block": self.block.text(),
            "step": self.step,
            "before": None if self.before is None else self.before.to_json(),
            "computes": self.operation.says,
            "input": plain(self.input),
            "padding": {
                "sides": [list(pair) for pair in self.padding],
                "mode": self.scan.fill.mode,
                "value": plain(self.scan.fill.value) if self.scan.fill.mode == "constant" else None,
            },
            "formulas": list(self.formulas),
            "output": plain(self.output),
            "windows": [window.to_json() for window in self.windows],
        }

    def __repr__(self) -> str:
        return draw(self)
