"""How much memory a network takes: its maps for one image, and what training keeps a parameter."""

from __future__ import annotations

from fieldstone.analysis.other import Other
from fieldstone.analysis.rule import Subject
from fieldstone.design.blocks.block import Block
from fieldstone.design.blocks.shape import Flatten
from fieldstone.design.names import INPUT
from fieldstone.design.walk import Row
from fieldstone.geometry import numel

BYTES = 4  # of a float32 number
BYTES_A_PARAMETER = 4 * BYTES  # its value, its gradient and AdamW's two moments


def alive_bytes(subject: Subject) -> dict[str, int]:
    """By path, what all maps take that are there while a block runs, its own counted.

    Each is freed once nothing needs it. The largest is what a forward pass takes.
    """
    holders = {INPUT: INPUT}  # of what a view shows: the row that made it
    for row in subject.order:
        holders[row.path] = holders[row.sources[0]] if is_view(row.block) else row.path
    last_use = {holders[source]: place for place, row in enumerate(subject.order) for source in row.sources}
    alive = {INPUT: input_bytes(subject)}
    there = {}
    for place, row in enumerate(subject.order):
        alive[row.path] = map_bytes(row)
        there[row.path] = sum(alive.values())
        for holder in {holders[source] for source in row.sources}:
            if last_use[holder] == place:
                del alive[holder]
    return there


def input_bytes(subject: Subject) -> int:
    """What one image takes."""
    return BYTES * numel(subject.input)


def training_bytes(subject: Subject) -> int:
    """What all maps take together: training keeps every one for the backward pass."""
    return input_bytes(subject) + sum(map(map_bytes, subject.order))


def kept_bytes(subject: Subject, row: Row) -> int:
    """What training keeps of a row: the map that it makes; a row that holds others or names a map makes none."""
    return map_bytes(row) if row.path in subject.makers else 0


def map_bytes(row: Row) -> int:
    """What the map takes that a block makes; a view makes none."""
    return 0 if is_view(row.block) else BYTES * numel(row.output_shape)


def is_view(block: Block) -> bool:
    """Whether it only lays the values of its input out anew, where they are."""
    return isinstance(block, Flatten) or (isinstance(block, Other) and block.is_view)


def size_text(count: int) -> str:
    """Bytes as people read them."""
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"
