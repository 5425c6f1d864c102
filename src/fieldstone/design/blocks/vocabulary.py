"""Every block, by its keyword. A new block is a class, and a row here."""

from __future__ import annotations

from fieldstone.design.blocks.activation import ACTIVATIONS
from fieldstone.design.blocks.attention import SqueezeExcite
from fieldstone.design.blocks.block import Block
from fieldstone.design.blocks.convolution import Conv, Depthwise, Separable, UpConv
from fieldstone.design.blocks.dense import Linear
from fieldstone.design.blocks.norm import (
    AlphaDropout,
    BatchNorm,
    ChannelDropout,
    Dropout,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    LocalResponseNorm,
)
from fieldstone.design.blocks.pooling import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    AvgPool,
    GlobalAvgPool,
    GlobalMaxPool,
    MaxPool,
    MaxUnpool,
)
from fieldstone.design.blocks.shape import Crop, Flatten, Pad, PixelShuffle, Upsample
from fieldstone.design.blocks.structure import Add, Branches, Concat, Multiply, Repeat, Residual, Save, Sequence

BLOCKS: tuple[type[Block], ...] = (
    Conv, Depthwise, Separable, UpConv,
    MaxPool, AvgPool, GlobalMaxPool, GlobalAvgPool, AdaptiveMaxPool, AdaptiveAvgPool, MaxUnpool,
    Upsample, PixelShuffle, Pad, Crop,
    Linear, Flatten,
    BatchNorm, GroupNorm, InstanceNorm, LayerNorm, LocalResponseNorm, Dropout, ChannelDropout, AlphaDropout,
    *ACTIVATIONS,
    SqueezeExcite,
    Save, Concat, Add, Multiply, Repeat, Residual, Branches, Sequence,
)  # fmt: skip

# `sequence` is no word of the notation: it is written as a list.
VOCABULARY = {block.keyword: block for block in BLOCKS if block is not Sequence}
