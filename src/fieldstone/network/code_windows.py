"""The blocks that slide, pool, resize, pad and crop as lines of plain PyTorch."""

from __future__ import annotations

from dataclasses import replace
from math import inf, isfinite
from typing import Any

from fieldstone.design.blocks.block import Block
from fieldstone.design.blocks.convolution import Conv, Depthwise, Separable, UpConv
from fieldstone.design.blocks.pooling import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    AdaptivePool,
    AvgPool,
    GlobalAvgPool,
    GlobalMaxPool,
    GlobalPool,
    MaxPool,
    MaxUnpool,
    Pool,
)
from fieldstone.design.blocks.shape import Crop, Pad, PixelShuffle, Upsample
from fieldstone.geometry import Shape, Window
from fieldstone.network.code_lines import Group, Layer, LayerPrinter, changed, literal
from fieldstone.network.torch_names import cut_layer, pad_layer, upsample_arguments


def _numbers(sizes: tuple[int, ...]) -> str:
    """(3, 3) as `3`, (3, 5) as `(3, 5)`."""
    return str(sizes[0]) if len(set(sizes)) == 1 else str(sizes)


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        return _numbers(value)
    return literal(value) if not isinstance(value, float) or isfinite(value) else f'float("{value}")'


def layer(name: str, arguments: tuple[Any, ...]) -> Layer:
    """A layer of torch.nn with these arguments."""
    return Layer(f"nn.{name}", tuple(map(_value, arguments)))


def _differing(**numbers: tuple[tuple[int, ...], int]) -> list[str]:
    """Numbers per axis as keyword arguments, where one is not torch's default."""
    return [f"{key}={_numbers(sizes)}" for key, (sizes, default) in numbers.items() if set(sizes) != {default}]


def _conv(block: Conv, shape: Shape) -> tuple[Layer, ...]:
    window = block.window(shape[1:])
    uneven = any(before != after for before, after in window.padding)
    padding = tuple(0 if uneven else before for before, _ in window.padding)
    same = block.padding == "same" and set(window.stride) == {1}  # torch's word is for stride 1 alone
    arguments = [
        str(shape[0]),
        str(block.filters),
        f"kernel_size={_numbers(window.kernel)}",
        *_differing(stride=(window.stride, 1)),
        *(['padding="same"'] if same and any(padding) else _differing(padding=(padding, 0))),
        *_differing(dilation=(window.dilation, 1)),
        *changed(block, "groups", "bias", *(() if uneven else ("padding_mode",))),
    ]
    conv = Layer(f"nn.Conv{len(shape) - 1}d", tuple(arguments))
    return (layer(*pad_layer(block.padding_mode, window.padding)), conv) if uneven else (conv,)


def _by_channel(block: Depthwise | Separable, shape: Shape) -> tuple[Layer, ...]:
    first, *rest = block.convolutions(shape[0])
    between = first.output_shape(shape)
    return (*_conv(first, shape), *(one for conv in rest for one in _conv(conv, between)))


def _up_conv(block: UpConv, shape: Shape) -> tuple[Layer, ...]:
    window = block.window(shape[1:])
    arguments = [
        str(shape[0]),
        str(block.filters),
        f"kernel_size={_numbers(window.kernel)}",
        *_differing(stride=(window.stride, 1), padding=(window.padding, 0)),
        *_differing(output_padding=(tuple(max(0, more) for more in window.output_padding), 0)),
        *changed(block, "groups", "bias"),
        *_differing(dilation=(window.dilation, 1)),
    ]
    conv = Layer(f"nn.ConvTranspose{len(shape) - 1}d", tuple(arguments))
    over = tuple((0, max(0, -more)) for more in window.output_padding)
    return (conv, layer(*cut_layer(over))) if any(map(any, over)) else (conv,)


def _pool(block: Pool, shape: Shape) -> tuple[Layer | Group, ...]:
    sides = shape[1:]
    window = block.window(sides)
    pads = window.padding if block.pads_first(sides) else ()
    pool = Layer(f"nn.{type(block).__name__}{len(sides)}d", tuple(_pool_arguments(block, window, not pads)))
    if not pads:
        return (pool,)
    pad = layer(*pad_layer("zeros", pads, -inf if isinstance(block, MaxPool) else 0.0))
    if isinstance(block, AvgPool) and not block.count_include_pad:
        return (Group("RealAvgPool", (pad, pool)),)
    return pad, pool


def _pool_arguments(block: Pool, window: Window, pads: bool) -> list[str]:
    arguments = [f"kernel_size={_numbers(window.kernel)}"]
    if window.stride != window.kernel:
        arguments.append(f"stride={_numbers(window.stride)}")
    if pads:
        arguments += _differing(padding=(tuple(before for before, _ in window.padding), 0))
    arguments += _differing(dilation=(window.dilation, 1))
    arguments += changed(block, "ceil_mode", *(("count_include_pad",) if pads else ()))
    return [*arguments, "return_indices=True"] if isinstance(block, MaxPool) and block.name else arguments


def _global_pool(block: GlobalPool, shape: Shape) -> tuple[Layer, ...]:
    kind = type(block).__name__.replace("Global", "Adaptive")
    pool = Layer(f"nn.{kind}{len(shape) - 1}d", ("1",))
    return (pool,) if block.keepdims else (pool, Layer("nn.Flatten"))


def _adaptive_pool(block: AdaptivePool, shape: Shape) -> tuple[Layer, ...]:
    sizes = block.window(shape[1:]).sizes
    return (Layer(f"nn.{type(block).__name__}{len(sizes)}d", (_numbers(sizes),)),)


def unpool_layers(block: MaxUnpool, comment: str) -> tuple[Layer, ...]:
    """The layer that takes the places of the largest values, and the one that cuts the pooling's padding off."""
    assert block.pooled is not None
    window = block.pooled.torch_window
    arguments = [
        f"kernel_size={_numbers(window.extents)}",
        *([f"stride={_numbers(window.stride)}"] if window.stride != window.extents else []),
        *_differing(padding=(tuple(before for before, _ in window.padding), 0)),
    ]
    unpool = Layer(f"nn.MaxUnpool{len(window.kernel)}d", tuple(arguments))
    cut = [layer(*cut_layer(block.pooled.pads))] if block.pooled.pads else []
    *rest, last = [unpool, *cut]
    return (*rest, replace(last, comment=comment))


def _upsample(block: Upsample, shape: Shape) -> tuple[Layer, ...]:
    arguments = upsample_arguments(block, len(shape) - 1)
    return (Layer("nn.Upsample", tuple(f"{key}={_value(value)}" for key, value in arguments.items())),)


def _pad(block: Pad, shape: Shape) -> tuple[Layer, ...]:
    return (layer(*pad_layer(block.mode, block.pairs(len(shape) - 1), block.value)),)


def _crop(block: Crop, shape: Shape) -> tuple[Layer, ...]:
    return (layer(*cut_layer(block.pairs(len(shape) - 1))),)


WINDOWS: dict[type[Block], LayerPrinter] = {
    Conv: _conv,
    Depthwise: _by_channel,
    Separable: _by_channel,
    UpConv: _up_conv,
    MaxPool: _pool,
    AvgPool: _pool,
    GlobalMaxPool: _global_pool,
    GlobalAvgPool: _global_pool,
    AdaptiveMaxPool: _adaptive_pool,
    AdaptiveAvgPool: _adaptive_pool,
    Upsample: _upsample,
    PixelShuffle: lambda block, shape: (Layer("nn.PixelShuffle", (str(block.upscale_factor),)),),
    Pad: _pad,
    Crop: _crop,
}
