"""A network wider or narrower: every number of filters or features times one factor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, replace
from math import floor
from typing import Any

from fieldstone.design.blocks.block import Block
from fieldstone.design.blocks.convolution import Conv, Depthwise
from fieldstone.design.blocks.kinds import FILTERS
from fieldstone.design.blocks.structure import Blocks, inner, mapped
from fieldstone.design.walk import Row

MULTIPLE = 8
"""The new numbers are multiples of it, as those of MobileNet are (Sandler et al., arXiv:1801.04381)."""

SMALL = 16
"""A design whose numbers are all below it is too small for such steps."""

SHARED = ("kernel_size", "stride", "padding", "dilation", "bias", "padding_mode", "line")
"""What `conv` and `depthwise` have in common."""


def widen(layers: Blocks, width: float, walk: Callable[[], Sequence[Row]]) -> Blocks:
    """The same blocks, each number of filters or features times `width`; `classes` stays.

    It is rounded to the nearest multiple of 8, at least 8; where all were below 16, to the nearest number, at least 1.
    A `conv` with a group for every channel becomes `depthwise`, which follows the channels of its input.

    Args:
        walk: gives the rows of the design as it is; called where there are groups.
    """
    if width == 1:
        return layers
    layers = _by_channel(layers, walk)
    numbers = [number for block in _blocks(layers) for number in _filters(block).values()]
    step = MULTIPLE if max(numbers, default=0) >= SMALL else 1

    def scaled(block: Block) -> Block:
        old = _filters(block).items()
        return replace(block, **{name: max(step, floor(number * width / step + 0.5) * step) for name, number in old})

    wide: Blocks = mapped(layers, scaled)
    return wide


def _by_channel(layers: Blocks, walk: Callable[[], Sequence[Row]]) -> Blocks:
    grouped = {block for block in _blocks(layers) if isinstance(block, Conv) and block.groups > 1 and not block.is_head}
    if not grouped:
        return layers
    rows = [(row.block, row.input_shape[0]) for row in walk() if isinstance(row.block, Conv)]
    grouped -= {block for block, channels in rows if block.groups != channels}
    same: Blocks = mapped(
        layers, lambda block: _depthwise(block) if isinstance(block, Conv) and block in grouped else block
    )
    return same


def _depthwise(conv: Conv) -> Depthwise:
    return Depthwise(multiplier=conv.filters // conv.groups, **{name: getattr(conv, name) for name in SHARED})


def _blocks(value: Any) -> Iterator[Block]:
    """A block, or the blocks of a tuple, and all that are in them."""
    if isinstance(value, tuple):
        for one in value:
            yield from _blocks(one)
    else:
        yield value
        yield from _blocks(tuple(inner(value).values()))


def _filters(block: Block) -> dict[str, int]:
    """The fields that are numbers of filters or features; `classes` is none."""
    named = [entry.name for entry in fields(block) if entry.metadata.get("kind") is FILTERS]
    return {name: value for name in named if isinstance(value := getattr(block, name), int)}
