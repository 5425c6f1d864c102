"""Which blocks can be traced, and what each computes in which windows. No torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf
from typing import Any

import numpy as np

from fieldstone.analysis.arithmetic import size_formulas
from fieldstone.design.blocks import convolution, pooling
from fieldstone.design.blocks.block import Block
from fieldstone.design.blocks.structure import Structure
from fieldstone.design.notation import entry_of, read_layers
from fieldstone.design.walk import walk
from fieldstone.errors import DesignError, TraceError
from fieldstone.explain.arrays import TRANSPOSED, Array, as_bias, as_map, as_pair, as_weight
from fieldstone.explain.operations import Largest, Mean, Operation, Products, Spread
from fieldstone.explain.scan import Fill, Places, Scan, arriving, moving, whole
from fieldstone.explain.trace import Trace
from fieldstone.geometry import Shape

Weights = tuple[Any, Any]
"""The weight and the bias, as they were given."""

WEIGHTED = (convolution.Conv, convolution.ByChannel, convolution.UpConv)


def trace(block: str | Block, input: Any, *, rank: int | None = None, weight: Any = None, bias: Any = None) -> Trace:
    """What a block computes in each of its windows, in float64.

    A convolution needs `weight`: its numbers are what it computes, and an invented kernel would teach one that nobody
    has chosen. Without `bias` it adds none.

    Args:
        block: one with windows, as in `maxpool 3 stride=1`: a convolution or a pooling.
        input: (C, *sides), or the sides of one channel; an array, a list or a tensor.
        rank: how many sides; without it (L), (H, W), (C, H, W) and (C, D, H, W), so (C, L) needs `rank=1`.
        weight: as torch's layer has it, (filters, channels / groups, *kernel), of a transposed convolution
            (channels, filters / groups, *kernel); a kernel alone for one filter on one channel. Of `separable` a pair,
            (depthwise, pointwise).
        bias: (filters,).

    Raises:
        DesignError: the block is none, has no window, or does not fit the input.
        TraceError: an array that is not of numbers, or of another shape.
    """
    (found,) = read_layers(entry_of([block]), None)
    tracer = _tracer(found)
    values = as_map(input, rank)
    (row,) = walk(values.shape, (found,), 0, None).rows
    if not isinstance(found, WEIGHTED) and (weight is not None or bias is not None):
        raise TraceError(f"{found.text()}: it has no weights", fix="leave weight and bias out")
    return tracer(found, values, row.output_shape, (weight, bias))


def _tracer(block: Block) -> Tracer:
    """How the block is traced. Raises DesignError if it slides no window, or is not sized."""
    if block.is_head:
        fix = "write a number of filters in its place"
        raise DesignError(f"{block.text()}: outside a design, `classes` is no number", fix=fix)
    if type(block) in TRACERS:
        return TRACERS[type(block)]
    if isinstance(block, pooling.MaxUnpool):
        why = "it puts each value where its maxpool found it, which the array does not say"
        fix = f"trace the maxpool named {block.name}: the `winner` of each of its windows is the place"
        raise DesignError(f"{block.text()}: {why}", fix=fix)
    name = block.keyword if isinstance(block, Structure) else block.text()
    known = ", ".join(kind.keyword for kind in TRACERS)
    raise DesignError(f"{name}: it slides no window, so there is none to trace", fix=f"trace one of {known}")


def _conv(block: convolution.Conv, input: Array, shape: Shape, weights: Weights) -> Trace:
    return _convolved(block, block, input, *weights, block.text())


def _depthwise(block: convolution.Depthwise, input: Array, shape: Shape, weights: Weights) -> Trace:
    (conv,) = block.convolutions(len(input))
    return _convolved(block, conv, input, *weights, block.text())


def _separable(block: convolution.Separable, input: Array, shape: Shape, weights: Weights) -> Trace:
    depthwise, pointwise = block.convolutions(len(input))
    shapes = (_weight_shape(depthwise, input.shape), _weight_shape(pointwise, (depthwise.filters, *shape[1:])))
    pair, text = as_pair(weights[0], shapes, block.text()), block.text()
    first = _convolved(block, depthwise, input, pair[0], None, f"{text}, depthwise")
    first = replace(first, step="depthwise")
    second = _convolved(block, pointwise, first.output, pair[1], weights[1], f"{text}, pointwise")
    return replace(second, step="pointwise", before=first)


def _convolved(block: Block, conv: convolution.Conv, input: Array, weight: Any, bias: Any, text: str) -> Trace:
    """A convolution, which may be a step of another block; `text` is what messages call it."""
    window = conv.window(input.shape[1:])
    weight = as_weight(weight, _weight_shape(conv, input.shape), text)
    bias = as_bias(bias, conv.filters, text, allowed=conv.bias)
    fill = Fill("constant" if conv.padding_mode == "zeros" else conv.padding_mode)
    scan = Scan(input, moving(window, input.shape[1:]), window.padding, fill)
    products, formulas = Products(weight, bias, conv.groups), size_formulas(window, scan.sides)
    return _traced(block, scan, products, conv.output_shape(input.shape), formulas)


def _weight_shape(conv: convolution.Conv, input_shape: Shape) -> Shape:
    return (conv.filters, input_shape[0] // conv.groups, *conv.window(input_shape[1:]).kernel)


def _up_conv(block: convolution.UpConv, input: Array, shape: Shape, weights: Weights) -> Trace:
    sides = input.shape[1:]
    moves, text = block.window(sides), block.text()
    weight = as_weight(weights[0], (len(input), shape[0] // block.groups, *moves.kernel), text, TRANSPOSED)
    bias = as_bias(weights[1], shape[0], text, allowed=block.bias)
    scan = _bare(input, arriving(moves, sides))
    return _traced(block, scan, Spread(weight, bias, block.groups, moves), shape, size_formulas(moves, sides))


def _pool(fill: float, operation: Callable[[Any], Operation]) -> Tracer:
    def traced(block: pooling.Pool, input: Array, shape: Shape, weights: Weights) -> Trace:
        window = block.window(input.shape[1:])
        scan = Scan(input, moving(window, input.shape[1:]), window.padding, Fill("constant", fill))
        return _traced(block, scan, operation(block), shape, size_formulas(window, scan.sides))

    return traced


def _global_pool(operation: Operation) -> Tracer:
    def traced(block: pooling.GlobalPool, input: Array, shape: Shape, weights: Weights) -> Trace:
        return _traced(block, _bare(input, whole(input.shape[1:])), operation, shape, ())

    return traced


def _adaptive_pool(operation: Operation) -> Tracer:
    def traced(block: pooling.AdaptivePool, input: Array, shape: Shape, weights: Weights) -> Trace:
        sides = input.shape[1:]
        moves = block.window(sides)
        return _traced(block, _bare(input, moving(moves, sides)), operation, shape, size_formulas(moves, sides))

    return traced


def _bare(input: Array, reads: tuple[Places, ...]) -> Scan:
    """Windows on a map that has no padding."""
    return Scan(input, reads, ((0, 0),) * len(reads), Fill("constant"))


def _traced(block: Block, scan: Scan, operation: Operation, shape: Shape, formulas: tuple[str, ...]) -> Trace:
    counts = tuple(map(len, scan.reads))
    output = np.empty((shape[0], *counts))
    with np.errstate(all="ignore"):  # infinite and NaN values are computed as they are
        for place in np.ndindex(counts):
            output[:, *place] = operation.values(scan.read(place))
    return Trace(block, output.reshape(shape), scan, operation, formulas)


Tracer = Callable[[Any, Array, Shape, Weights], Trace]

TRACERS: dict[type[Block], Tracer] = {
    convolution.Conv: _conv,
    convolution.Depthwise: _depthwise,
    convolution.Separable: _separable,
    convolution.UpConv: _up_conv,
    pooling.MaxPool: _pool(-inf, lambda block: Largest()),
    pooling.AvgPool: _pool(0.0, lambda block: Mean(block.count_include_pad)),
    pooling.GlobalMaxPool: _global_pool(Largest()),
    pooling.GlobalAvgPool: _global_pool(Mean(True)),
    pooling.AdaptiveMaxPool: _adaptive_pool(Largest()),
    pooling.AdaptiveAvgPool: _adaptive_pool(Mean(True)),
}
