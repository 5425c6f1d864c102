"""The blocks that slide no window as lines of plain PyTorch: normalisation, dropout, activations, attention."""

from __future__ import annotations

from fieldstone.design.blocks.activation import ACTIVATIONS, OVER_CHANNELS, PReLU
from fieldstone.design.blocks.attention import SqueezeExcite
from fieldstone.design.blocks.block import Block
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
from fieldstone.geometry import Shape
from fieldstone.network.code_lines import Layer, LayerPrinter, changed, literal


def _options(block: Block) -> tuple[str, ...]:
    return changed(block, *(entry.name for entry in block.arguments("option")))


def _named(*fixed: str) -> LayerPrinter:
    """The layer that has the block's name and keys."""

    def layers(block: Block, shape: Shape) -> tuple[Layer, ...]:
        mains = (f"{entry.name}={literal(getattr(block, entry.name))}" for entry in block.arguments("main"))
        return (Layer(f"nn.{type(block).__name__}", (*mains, *_options(block), *fixed)),)

    return layers


def _norm(block: BatchNorm | InstanceNorm, shape: Shape) -> tuple[Layer, ...]:
    return (Layer(f"nn.{type(block).__name__}{max(1, len(shape) - 1)}d", (str(shape[0]), *_options(block))),)


def _group_norm(block: GroupNorm, shape: Shape) -> tuple[Layer, ...]:
    return (Layer("nn.GroupNorm", (str(block.num_groups), str(shape[0]), *_options(block))),)


def _layer_norm(block: LayerNorm, shape: Shape) -> tuple[Layer, ...]:
    normalised = str(shape[0]) if len(shape) == 1 else str(shape)
    affine = () if block.affine else ("elementwise_affine=False",)
    return (Layer("nn.LayerNorm", (normalised, *changed(block, "eps"), *affine, *changed(block, "bias"))),)


def _channel_dropout(block: ChannelDropout, shape: Shape) -> tuple[Layer, ...]:
    return (Layer(f"nn.Dropout{len(shape) - 1}d", (f"p={block.p!r}",)),)


def _prelu(block: PReLU, shape: Shape) -> tuple[Layer, ...]:
    slopes = block.params(shape)
    return (Layer("nn.PReLU", (*((f"num_parameters={slopes}",) if slopes > 1 else ()), *changed(block, "init"))),)


def _squeeze_excite(block: SqueezeExcite, shape: Shape) -> tuple[Layer, ...]:
    layers = {"silu": "activation=nn.SiLU", "hardsigmoid": "gate=nn.Hardsigmoid"}  # where not the printed default
    chosen = [layers[word] for word in (block.activation, block.gate) if word in layers]
    return (Layer("SqueezeExcite", (str(shape[0]), str(block.squeezed(shape[0])), *chosen)),)


POINTWISE: dict[type[Block], LayerPrinter] = {
    BatchNorm: _norm,
    GroupNorm: _group_norm,
    InstanceNorm: _norm,
    LayerNorm: _layer_norm,
    LocalResponseNorm: _named(),
    Dropout: _named(),
    ChannelDropout: _channel_dropout,
    AlphaDropout: _named(),
    SqueezeExcite: _squeeze_excite,
    **dict.fromkeys(ACTIVATIONS, _named()),
    **dict.fromkeys(OVER_CHANNELS, _named("dim=1")),
    PReLU: _prelu,
}
