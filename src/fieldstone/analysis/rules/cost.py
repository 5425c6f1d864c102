"""Rules about what a network costs: parameters and memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from fieldstone.analysis.rule import Example, Found, Rule, Subject
from fieldstone.design.blocks.dense import Linear
from fieldstone.design.blocks.pooling import GlobalPool
from fieldstone.design.blocks.shape import Flatten
from fieldstone.design.walk import Row

LARGE_SHARE = 0.5
LARGE_LAYER = 10_000
"""A linear layer is worth a word where it holds more than this share of more than so many parameters."""


def heavy_linear(subject: Subject) -> Iterator[Found]:
    """Most parameters in one linear layer, which a global average pooling in the place of its flatten would save."""
    rows = subject.rows
    total = sum(row.params for row in rows)
    for place, row in enumerate(rows):
        large = row.params > LARGE_SHARE * total and row.params > LARGE_LAYER
        if large and isinstance(row.block, Linear) and _reads_a_map(rows[:place]):
            yield Found(
                row.path,
                f"{row.block.text()} holds {row.params:,} of the {total:,} parameters ({row.params / total:.0%})",
                "globalavgpool in the place of flatten leaves it one input a channel",
            )


def _reads_a_map(before: Sequence[Row]) -> bool:
    """Whether the numbers after these rows are all values of a map: the last that made them flat was a flatten."""
    flat = next((row for row in reversed(before) if isinstance(row.block, Flatten | GlobalPool | Linear)), None)
    return flat is not None and isinstance(flat.block, Flatten) and prod(flat.input_shape[1:]) > 1


RULES = (
    Rule(
        code="FS301",
        severity="note",
        title="most parameters in one linear layer",
        why="A linear layer after a flatten has a weight for every value of the map. It holds most of the network, "
        "learns where things stand instead of what they are, and ties the network to one input size. "
        "Global average pooling leaves one number a channel.",
        source="Lin, Chen and Yan, Network In Network, arXiv:1312.4400, section 3.2",
        check=heavy_linear,
        bad=Example((3, 32, 32), ("conv 8 3 padding=1", "relu", "flatten", "linear 20", "relu", "linear classes")),
        good=Example((3, 32, 32), ("conv 8 3 padding=1", "relu", "globalavgpool", "linear classes")),
    ),
)
