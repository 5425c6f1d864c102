"""A network wider or narrower: every number of filters or features times one factor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from math import floor
from typing import Any

from fieldstone.design.blocks.block import Block
from fieldstone.design.blocks.kinds import FILTERS
from fieldstone.design.blocks.structure import Blocks, Structure

MULTIPLE = 8
"""The new numbers are multiples of it, as those of MobileNet are (Sandler et al., arXiv:1801.04381)."""

SMALL = 16
"""A design whose numbers are all below it is too small for such steps."""


def widen(layers: Blocks, width: float) -> Blocks:
    """The same blocks, each number of filters or features times `width`; `classes` stays.

    It is rounded to the nearest multiple of 8, at least 8; where all were below 16, to the nearest number, at least 1.
    """
    if width == 1:
        return layers
    step = MULTIPLE if max(_numbers(layers), default=0) >= SMALL else 1
    widened: Blocks = _widened(layers, lambda number: max(step, floor(number * width / step + 0.5) * step))
    return widened


def _widened(value: Any, widened: Callable[[int], int]) -> Any:
    """A block with its numbers changed, or the same for the blocks of a tuple, and of the tuples in it."""
    if isinstance(value, tuple):
        return tuple(_widened(one, widened) for one in value)
    numbers = {name: widened(number) for name, number in _filters(value).items()}
    return replace(value, **numbers, **{name: _widened(blocks, widened) for name, blocks in _inner(value).items()})


def _numbers(value: Any) -> Iterator[int]:
    """Every number of filters or features in a block, or in the blocks of a tuple."""
    if isinstance(value, tuple):
        for one in value:
            yield from _numbers(one)
    else:
        yield from _filters(value).values()
        yield from _numbers(tuple(_inner(value).values()))


def _filters(block: Block) -> dict[str, int]:
    """The fields that are such numbers; `classes` is none."""
    named = [entry.name for entry in fields(block) if entry.metadata.get("kind") is FILTERS]
    return {name: value for name in named if isinstance(value := getattr(block, name), int)}


def _inner(block: Block) -> dict[str, Any]:
    """The fields of a structure that hold blocks."""
    if not isinstance(block, Structure):
        return {}
    named = [entry.name for entry in fields(block) if "kind" not in entry.metadata and entry.name != "line"]
    return {name: getattr(block, name) for name in named}
