"""Blocks that only lay the values out anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fieldstone.design.blocks.block import Block
from fieldstone.geometry import Shape, numel


@dataclass(frozen=True)
class Flatten(Block):
    """A map as one row of numbers (torch.nn.Flatten)."""

    keyword: ClassVar[str] = "flatten"
    syntax: ClassVar[str] = "flatten"

    def output_shape(self, input_shape: Shape) -> Shape:
        return (numel(input_shape),)
