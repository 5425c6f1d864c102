"""The modules of the blocks that slide, pool, resize, pad and crop."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from math import inf
from typing import Any

import torch
from torch import Tensor, nn

from fieldstone.design.blocks import convolution, pooling, shape
from fieldstone.design.blocks.block import Block
from fieldstone.design.walk import Row
from fieldstone.network.builder import ADAPTIVE_AVG_POOL, CONV, Builder, Rows, ranked
from fieldstone.network.named_modules import KeepingPool, Unpool
from fieldstone.network.torch_names import cut_layer, pad_layer, upsample_arguments


class _PadsFirst(nn.Module):
    """A convolution whose padding is a layer of its own: torch's own takes one number for both ends."""

    pad: nn.Module

    def forward(self, input: Tensor) -> Tensor:
        output: Tensor = super().forward(self.pad(input))
        return output


class _PaddedConv1d(_PadsFirst, nn.Conv1d):
    pass


class _PaddedConv2d(_PadsFirst, nn.Conv2d):
    pass


class _PaddedConv3d(_PadsFirst, nn.Conv3d):
    pass


class _CutsLast(nn.Module):
    """A transposed convolution whose output is cut by a layer of its own: torch's own cuts both ends alike."""

    cut: nn.Module

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        output: Tensor = self.cut(super().forward(input, output_size))
        return output


class _CutConvTranspose1d(_CutsLast, nn.ConvTranspose1d):
    pass


class _CutConvTranspose2d(_CutsLast, nn.ConvTranspose2d):
    pass


class _CutConvTranspose3d(_CutsLast, nn.ConvTranspose3d):
    pass


class _RealAvgPool(nn.Module):
    """The mean of the pixels in each window of a padded map: the mean with padding, over the share that is pixels."""

    def __init__(self, pad: nn.Module, pool: nn.Module) -> None:
        super().__init__()
        self.pad = pad
        self.pool = pool

    def forward(self, input: Tensor) -> Tensor:
        share = self.pool(self.pad(torch.ones_like(input[:1, :1])))
        output: Tensor = self.pool(self.pad(input)) / share
        return output


_PADDED_CONV = ranked(_PaddedConv1d, _PaddedConv2d, _PaddedConv3d)
_UP_CONV = ranked(nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_CUT_UP_CONV = ranked(_CutConvTranspose1d, _CutConvTranspose2d, _CutConvTranspose3d)
_MAX_POOL = ranked(nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
_AVG_POOL = ranked(nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)
_ADAPTIVE_MAX_POOL = ranked(nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d)
_UNPOOL = ranked(nn.MaxUnpool1d, nn.MaxUnpool2d, nn.MaxUnpool3d)


def _layer(name: str, arguments: tuple[Any, ...]) -> nn.Module:
    layer: nn.Module = getattr(nn, name)(*arguments)
    return layer


def _conv(block: convolution.Conv, row: Row, rows: Rows) -> nn.Module:
    return _plain_conv(block, row, row.input_shape[0], row.input_shape[1:])


def _plain_conv(block: convolution.Conv, row: Row, in_channels: int, sides: tuple[int, ...]) -> nn.Module:
    seen = block.window(sides)
    uneven = any(before != after for before, after in seen.padding)
    conv = (_PADDED_CONV if uneven else CONV)(row)(
        in_channels,
        block.filters,
        seen.kernel,
        stride=seen.stride,
        padding=0 if uneven else tuple(before for before, _ in seen.padding),
        dilation=seen.dilation,
        groups=block.groups,
        bias=block.bias,
        padding_mode="zeros" if uneven else block.padding_mode,
    )
    if uneven:
        conv.pad = _layer(*pad_layer(block.padding_mode, seen.padding))
    return conv


def _depthwise(block: convolution.Depthwise, row: Row, rows: Rows) -> nn.Module:
    (conv,) = block.convolutions(row.input_shape[0])
    return _conv(conv, row, rows)


def _separable(block: convolution.Separable, row: Row, rows: Rows) -> nn.Module:
    depthwise, pointwise = block.convolutions(row.input_shape[0])
    second = _plain_conv(pointwise, row, depthwise.filters, row.output_shape[1:])
    return nn.Sequential(OrderedDict(depthwise=_conv(depthwise, row, rows), pointwise=second))


def _up_conv(block: convolution.UpConv, row: Row, rows: Rows) -> nn.Module:
    seen = block.window(row.input_shape[1:])
    over = tuple((0, max(0, -more)) for more in seen.output_padding)
    uneven = any(after for _, after in over)
    conv = (_CUT_UP_CONV if uneven else _UP_CONV)(row)(
        row.input_shape[0],
        block.filters,
        seen.kernel,
        stride=seen.stride,
        padding=seen.padding,
        output_padding=tuple(max(0, more) for more in seen.output_padding),
        groups=block.groups,
        bias=block.bias,
        dilation=seen.dilation,
    )
    if uneven:
        conv.cut = _layer(*cut_layer(over))
    return conv


def _pool(block: pooling.Pool, row: Row) -> dict[str, Any]:
    """The arguments that both kinds of pooling share."""
    seen = block.window(row.input_shape[1:])
    padding = 0 if block.pads_first(row.input_shape[1:]) else tuple(before for before, _ in seen.padding)
    return {"kernel_size": seen.kernel, "stride": seen.stride, "padding": padding, "ceil_mode": seen.ceil_mode}


def _max_pool(block: pooling.MaxPool, row: Row, rows: Rows) -> nn.Module:
    sides = row.input_shape[1:]
    seen = block.window(sides)
    pool = _MAX_POOL(row)(**_pool(block, row), dilation=seen.dilation, return_indices=block.name is not None)
    if block.pads_first(sides):
        pool = nn.Sequential(OrderedDict(pad=_layer(*pad_layer("zeros", seen.padding, -inf)), pool=pool))
    return pool if block.name is None else KeepingPool(block.name, pool)


def _avg_pool(block: pooling.AvgPool, row: Row, rows: Rows) -> nn.Module:
    sides = row.input_shape[1:]
    pool = _AVG_POOL(row)(**_pool(block, row), count_include_pad=block.count_include_pad)
    if not block.pads_first(sides):
        return pool
    pad = _layer(*pad_layer("zeros", block.window(sides).padding))
    return nn.Sequential(OrderedDict(pad=pad, pool=pool)) if block.count_include_pad else _RealAvgPool(pad, pool)


def _global_pool(layer: Callable[[Row], type[nn.Module]]) -> Builder:
    def build_pool(block: pooling.GlobalPool, row: Row, rows: Rows) -> nn.Module:
        pool = layer(row)(1)
        return pool if block.keepdims else nn.Sequential(OrderedDict(pool=pool, flatten=nn.Flatten()))

    return build_pool


def _adaptive_pool(layer: Callable[[Row], type[nn.Module]]) -> Builder:
    return lambda block, row, rows: layer(row)(_one(row.output_shape[1:]))


def _one(sizes: tuple[int, ...]) -> Any:
    """Torch's 1-d layers take a number where others take a tuple."""
    return sizes[0] if len(sizes) == 1 else sizes


def _max_unpool(block: pooling.MaxUnpool, row: Row, rows: Rows) -> nn.Module:
    assert block.pooled is not None
    window, sides = block.pooled.torch_window, block.pooled.torch_sides
    unpool = _UNPOOL(row)(window.extents, window.stride, tuple(before for before, _ in window.padding))
    cut = _layer(*cut_layer(block.pooled.pads)) if block.pooled.pads else nn.Identity()
    return Unpool(block.name, unpool, sides, cut)


def _upsample(block: shape.Upsample, row: Row, rows: Rows) -> nn.Module:
    return nn.Upsample(**upsample_arguments(block, len(row.input_shape) - 1))


def _pad(block: shape.Pad, row: Row, rows: Rows) -> nn.Module:
    return _layer(*pad_layer(block.mode, block.pairs(len(row.input_shape) - 1), block.value))


def _crop(block: shape.Crop, row: Row, rows: Rows) -> nn.Module:
    return _layer(*cut_layer(block.pairs(len(row.input_shape) - 1)))


WINDOWS: dict[type[Block], Builder] = {
    convolution.Conv: _conv,
    convolution.Depthwise: _depthwise,
    convolution.Separable: _separable,
    convolution.UpConv: _up_conv,
    pooling.MaxPool: _max_pool,
    pooling.AvgPool: _avg_pool,
    pooling.GlobalMaxPool: _global_pool(_ADAPTIVE_MAX_POOL),
    pooling.GlobalAvgPool: _global_pool(ADAPTIVE_AVG_POOL),
    pooling.AdaptiveMaxPool: _adaptive_pool(_ADAPTIVE_MAX_POOL),
    pooling.AdaptiveAvgPool: _adaptive_pool(ADAPTIVE_AVG_POOL),
    pooling.MaxUnpool: _max_unpool,
    shape.Upsample: _upsample,
    shape.PixelShuffle: lambda block, row, rows: nn.PixelShuffle(block.upscale_factor),
    shape.Pad: _pad,
    shape.Crop: _crop,
}
