"""How much memory the maps of a network take, for one image."""

from __future__ import annotations

from fieldstone.analysis.other import Other
from fieldstone.analysis.rule import Subject
from fieldstone.design.blocks.block import Block
from fieldstone.design.blocks.shape import Flatten
from fieldstone.geometry import numel

BYTES = 4  # of a float32 number


def forward_bytes(subject: Subject) -> int:
    """The most that maps take at one time where each is freed once nothing needs it, the input counted."""
    last_use = {source: place for place, row in enumerate(subject.order) for source in row.sources}
    alive = {"input": numel(subject.input)}
    peak = alive["input"]
    for place, row in enumerate(subject.order):
        alive[row.path] = 0 if _is_view(row.block) else numel(row.output_shape)
        peak = max(peak, sum(alive.values()))
        for source in set(row.sources):
            if last_use[source] == place and not any(_is_view(user.block) for user in subject.users[source]):
                alive.pop(source, None)
    return BYTES * peak


def training_bytes(subject: Subject) -> int:
    """What all maps take together: training keeps every one for the backward pass."""
    made = (row for row in subject.order if not _is_view(row.block))
    return BYTES * (numel(subject.input) + sum(numel(row.output_shape) for row in made))


def _is_view(block: Block) -> bool:
    """Whether it takes no memory of its own."""
    return isinstance(block, Flatten) or (isinstance(block, Other) and block.is_view)
