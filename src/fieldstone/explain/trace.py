"""A window at a time: what a convolution or pooling layer computes, every step of it. No torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf
from operator import index
from typing import Any, overload

import numpy as np

from fieldstone.analysis.arithmetic import size_formulas
from fieldstone.design.blocks import convolution, pooling
from fieldstone.design.blocks.block import Block
from fieldstone.design.blocks.structure import Join, Save, Structure
from fieldstone.design.notation import entry_of, read_layers
from fieldstone.design.walk import walk
from fieldstone.errors import DesignError, TraceError
from fieldstone.explain.arrays import Array, as_bias, as_map, as_weight
from fieldstone.explain.drawing import draw
from fieldstone.explain.scan import Fill, Scan, moving, whole
from fieldstone.explain.windows import Largest, Mean, Operation, Products, WindowTrace, plain


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
    """

    block: Block
    output: Array
    scan: Scan
    operation: Operation
    formulas: tuple[str, ...]

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


def trace(block: str | Block, input: Any, *, rank: int | None = None, weight: Any = None, bias: Any = None) -> Trace:
    """What a block computes in each of its windows, in float64.

    A convolution needs `weight`: its numbers are what it computes, and an invented kernel would teach one that nobody
    has chosen. Without `bias` it adds none.

    Args:
        block: one that slides a window, as in `maxpool 3 stride=1`, or a global pooling.
        input: (C, *sides), or the sides of one channel; an array, a list or a tensor.
        rank: how many sides; without it (L), (H, W), (C, H, W) and (C, D, H, W), so (C, L) needs `rank=1`.
        weight: (filters, channels / groups, *kernel); a kernel alone for one filter on one channel.
        bias: (filters,).

    Raises:
        DesignError: the block is none, has no window, or does not fit the input.
        TraceError: an array that is not of numbers, or of another shape.
    """
    (found,) = read_layers(entry_of([block]), None)
    tracer = _tracer(found)
    values = as_map(input, rank)
    (row,) = walk(values.shape, (found,), 0, None).rows
    if not isinstance(found, convolution.Conv) and (weight is not None or bias is not None):
        raise TraceError(f"{found.text()}: it has no weights", fix="leave weight and bias out")
    return tracer(found, values, row.output_shape, (weight, bias))


def _tracer(block: Block) -> Tracer:
    """How the block is traced. Raises DesignError if it slides no window, or is not sized."""
    if block.is_head:
        fix = "write a number of filters in its place"
        raise DesignError(f"{block.text()}: outside a design, `classes` is no number", fix=fix)
    if type(block) in TRACERS:
        return TRACERS[type(block)]
    holds = isinstance(block, Structure | Join | Save)
    alone = not holds and type(block).window is Block.window
    why = "it looks at each value alone" if alone else "it slides no window"
    name = block.keyword if isinstance(block, Structure) else block.text()
    known = ", ".join(kind.keyword for kind in TRACERS)
    raise DesignError(f"{name}: {why}, so there is none to trace", fix=f"trace one of {known}")


def _conv(block: convolution.Conv, input: Array, shape: tuple[int, ...], weights: tuple[Any, Any]) -> Trace:
    window = block.window(input.shape[1:])
    text, needed = block.text(), (shape[0], len(input) // block.groups, *window.kernel)
    weight = as_weight(weights[0], needed, text)
    bias = as_bias(weights[1], shape[0], text, allowed=block.bias)
    fill = Fill("constant" if block.padding_mode == "zeros" else block.padding_mode)
    scan = Scan(input, moving(window, input.shape[1:]), window.padding, fill)
    return _traced(block, scan, Products(weight, bias, block.groups), shape, size_formulas(window, scan.sides))


def _pool(fill: float, operation: Callable[[Any], Operation]) -> Tracer:
    def traced(block: pooling.Pool, input: Array, shape: tuple[int, ...], weights: tuple[Any, Any]) -> Trace:
        window = block.window(input.shape[1:])
        scan = Scan(input, moving(window, input.shape[1:]), window.padding, Fill("constant", fill))
        return _traced(block, scan, operation(block), shape, size_formulas(window, scan.sides))

    return traced


def _global_pool(operation: Operation) -> Tracer:
    def traced(block: pooling.GlobalPool, input: Array, shape: tuple[int, ...], weights: tuple[Any, Any]) -> Trace:
        sides = input.shape[1:]
        scan = Scan(input, whole(sides), ((0, 0),) * len(sides), Fill("constant"))
        return _traced(block, scan, operation, shape, ())

    return traced


def _traced(block: Block, scan: Scan, operation: Operation, shape: tuple[int, ...], formulas: tuple[str, ...]) -> Trace:
    counts = tuple(map(len, scan.reads))
    output = np.empty((shape[0], *counts))
    with np.errstate(all="ignore"):  # infinite and NaN values are computed as they are
        for place in np.ndindex(counts):
            output[:, *place] = operation.values(scan.read(place))
    return Trace(block, output.reshape(shape), scan, operation, formulas)


Tracer = Callable[[Any, Array, tuple[int, ...], tuple[Any, Any]], Trace]

TRACERS: dict[type[Block], Tracer] = {
    convolution.Conv: _conv,
    pooling.MaxPool: _pool(-inf, lambda block: Largest()),
    pooling.AvgPool: _pool(0.0, lambda block: Mean(block.count_include_pad)),
    pooling.GlobalMaxPool: _global_pool(Largest()),
    pooling.GlobalAvgPool: _global_pool(Mean(True)),
}
