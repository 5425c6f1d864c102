"""How much memory a network takes: its maps for one image, and what training keeps a parameter."""

from __future__ import annotations

from fieldstone.analysis.rule import Subject
from fieldstone.design.blocks.shape import Flatten
from fieldstone.design.walk import Row
from fieldstone.geometry import numel

BYTES = 4  # of a float32 number
BYTES_A_PARAMETER = 4 * BYTES  # its value, its gradient and AdamW's two moments


def forward_bytes(subject: Subject) -> int:
    """The most that maps take at one time where each is freed once nothing needs it, the input counted."""
    last_use = {source: place for place, row in enumerate(subject.order) for source in row.sources}
    alive = {"input": numel(subject.input)}
    peak = alive["input"]
    for place, row in enumerate(subject.order):
        alive[row.path] = 0 if isinstance(row.block, Flatten) else numel(row.output_shape)  # a flatten is a view
        peak = max(peak, sum(alive.values()))
        for source in set(row.sources):
            if last_use[source] == place and not any(isinstance(user.block, Flatten) for user in subject.users[source]):
                alive.pop(source, None)
    return BYTES * peak


def training_bytes(subject: Subject) -> int:
    """What all maps take together: training keeps every one for the backward pass."""
    return BYTES * numel(subject.input) + sum(map(map_bytes, subject.order))


def map_bytes(row: Row) -> int:
    """What the map takes that a block makes; a flatten makes none, it is a view."""
    return 0 if isinstance(row.block, Flatten) else BYTES * numel(row.output_shape)


def size_text(count: int) -> str:
    """Bytes as people read them."""
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"
