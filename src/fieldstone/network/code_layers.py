"""Each block as lines of plain PyTorch."""

from __future__ import annotations

from fieldstone.design.blocks.block import Block
from fieldstone.design.blocks.dense import Linear
from fieldstone.design.blocks.shape import Flatten
from fieldstone.geometry import Shape
from fieldstone.network.code_lines import Layer, LayerPrinter, changed
from fieldstone.network.code_pointwise import POINTWISE
from fieldstone.network.code_windows import WINDOWS


def _linear(block: Linear, shape: Shape) -> tuple[Layer, ...]:
    return (Layer("nn.Linear", (str(shape[0]), str(block.out_features), *changed(block, "bias"))),)


LAYERS: dict[type[Block], LayerPrinter] = {
    **WINDOWS,
    Linear: _linear,
    Flatten: lambda block, shape: (Layer("nn.Flatten"),),
    **POINTWISE,
}
