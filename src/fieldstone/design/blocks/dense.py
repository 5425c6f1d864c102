"""The fully connected layer."""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar

from fieldstone.design.blocks.block import Block, FitError, block, main, option
from fieldstone.design.blocks.kinds import FILTERS, FLAG, Filters
from fieldstone.geometry import WHOLE, Shape, Whole, format_shape


@block
class Linear(Block):
    """Every output from every input number (torch.nn.Linear), on flat input alone."""

    keyword: ClassVar[str] = "linear"
    syntax: ClassVar[str] = "linear FEATURES"
    out_features: Filters = field(metadata=main(FILTERS))
    bias: bool = field(default=True, metadata=option(FLAG))

    def output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) > 1:
            raise FitError(
                f"its input is {format_shape(input_shape)}, not flat", "put flatten or globalavgpool before it"
            )
        assert isinstance(self.out_features, int)
        return (self.out_features,)

    def params(self, input_shape: Shape) -> int:
        assert isinstance(self.out_features, int)
        return (input_shape[0] + (1 if self.bias else 0)) * self.out_features

    def macs(self, input_shape: Shape) -> int:
        assert isinstance(self.out_features, int)
        return input_shape[0] * self.out_features

    def window(self, sides: tuple[int, ...]) -> Whole:
        return WHOLE
