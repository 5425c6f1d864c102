"""Blocks that weigh their input by what they see of it."""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar

from fieldstone.design.blocks.block import Block, block, main, option
from fieldstone.design.blocks.kinds import COUNT, choice
from fieldstone.design.blocks.window import needs_map
from fieldstone.geometry import WHOLE, Shape, Whole


@block
class SqueezeExcite(Block):
    """Each channel times a gate between 0 and 1, from the means of all channels through two 1x1 convolutions.

    The first convolution leaves `squeezed` channels, C // ratio and at least 1. Source: Hu, Shen, Albanie, Sun and Wu,
    arXiv:1709.01507; with silu as in EfficientNet (arXiv:1905.11946), with hardsigmoid as in MobileNetV3
    (arXiv:1905.02244).
    """

    keyword: ClassVar[str] = "squeezeexcite"
    syntax: ClassVar[str] = "squeezeexcite RATIO"
    ratio: int = field(metadata=main(COUNT))
    activation: str = field(default="relu", metadata=option(choice("relu", "silu")))
    gate: str = field(default="sigmoid", metadata=option(choice("sigmoid", "hardsigmoid")))

    def squeezed(self, channels: int) -> int:
        return max(1, channels // self.ratio)

    def output_shape(self, input_shape: Shape) -> Shape:
        needs_map(input_shape)
        return input_shape

    def params(self, input_shape: Shape) -> int:
        return self.macs(input_shape) + self.squeezed(input_shape[0]) + input_shape[0]

    def macs(self, input_shape: Shape) -> int:
        """Of the two convolutions; the gate's product with the input is none of weights."""
        return 2 * input_shape[0] * self.squeezed(input_shape[0])

    def window(self, sides: tuple[int, ...]) -> Whole:
        return WHOLE
