"""The modules of the blocks that slide no window: normalisation, dropout, activations, attention."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from fieldstone.design.blocks import activation, attention, norm
from fieldstone.design.blocks.block import Block
from fieldstone.design.walk import Row
from fieldstone.network.builder import ADAPTIVE_AVG_POOL, CONV, Builder, Rows, ranked

_BATCH_NORM = ranked(nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
_INSTANCE_NORM = ranked(nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)
_CHANNEL_DROPOUT = ranked(nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)


class _SqueezeExcite(nn.Sequential):
    """The input times its gate, which the children compute."""

    def forward(self, input: Tensor) -> Tensor:
        gate = input
        for child in self:
            gate = child(gate)  # (N, C, *sides) -> (N, C, *ones), by way of C // ratio channels
        return input * gate


def _squeeze_excite(block: attention.SqueezeExcite, row: Row, rows: Rows) -> nn.Module:
    channels, convolution = row.input_shape[0], CONV(row)
    children: dict[str, nn.Module] = {
        "pool": ADAPTIVE_AVG_POOL(row)(1),
        "reduce": convolution(channels, block.squeezed(channels), 1),
        "activation": {"relu": nn.ReLU, "silu": nn.SiLU}[block.activation](),
        "expand": convolution(block.squeezed(channels), channels, 1),
        "gate": {"sigmoid": nn.Sigmoid, "hardsigmoid": nn.Hardsigmoid}[block.gate](),
    }
    return _SqueezeExcite(OrderedDict(children))


def _keys(block: Block) -> dict[str, Any]:
    """The block's numbers under the names that they have in torch."""
    return {entry.name: getattr(block, entry.name) for place in ("main", "option") for entry in block.arguments(place)}


def _named(**fixed: int) -> Builder:
    """The layer that has the block's name and keys."""

    def build_named(block: Block, row: Row, rows: Rows) -> nn.Module:
        layer: Callable[..., nn.Module] = getattr(nn, type(block).__name__)
        return layer(**_keys(block), **fixed)

    return build_named


def _norm(layer: Callable[[Row], type[nn.Module]]) -> Builder:
    """A layer that has the block's keys after the number of channels."""
    return lambda block, row, rows: layer(row)(row.input_shape[0], **_keys(block))


def _group_norm(block: norm.GroupNorm, row: Row, rows: Rows) -> nn.Module:
    return nn.GroupNorm(num_channels=row.input_shape[0], **_keys(block))


def _layer_norm(block: norm.LayerNorm, row: Row, rows: Rows) -> nn.Module:
    return nn.LayerNorm(row.input_shape, block.eps, block.affine, block.bias)


def _prelu(block: activation.PReLU, row: Row, rows: Rows) -> nn.Module:
    return nn.PReLU(block.params(row.input_shape), block.init)


POINTWISE: dict[type[Block], Builder] = {
    norm.BatchNorm: _norm(_BATCH_NORM),
    norm.GroupNorm: _group_norm,
    norm.InstanceNorm: _norm(_INSTANCE_NORM),
    norm.LayerNorm: _layer_norm,
    norm.LocalResponseNorm: _named(),
    norm.Dropout: _named(),
    norm.ChannelDropout: lambda block, row, rows: _CHANNEL_DROPOUT(row)(block.p),
    norm.AlphaDropout: _named(),
    attention.SqueezeExcite: _squeeze_excite,
    **dict.fromkeys(activation.ACTIVATIONS, _named()),
    **dict.fromkeys(activation.OVER_CHANNELS, _named(dim=1)),
    activation.PReLU: _prelu,
}
