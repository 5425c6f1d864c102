"""Each block as lines of plain PyTorch."""

from __future__ import annotations

from fieldstone.design.blocks.block import Block
from fieldstone.design.blocks.dense import Linear
from fieldstone.design.blocks.shape import Flatten
from fieldstone.design.blocks.window import AvgPool, Conv, GlobalAvgPool, GlobalMaxPool, GlobalPool, MaxPool, Pool
from fieldstone.geometry import Shape
from fieldstone.network.code_lines import Layer, LayerPrinter, changed
from fieldstone.network.code_pointwise import POINTWISE


def _numbers(sizes: tuple[int, ...]) -> str:
    """(3, 3) as `3`, (3, 5) as `(3, 5)`."""
    return str(sizes[0]) if len(set(sizes)) == 1 else str(sizes)


PADS = {"zeros": "ZeroPad", "reflect": "ReflectionPad", "replicate": "ReplicationPad", "circular": "CircularPad"}


def _conv(block: Conv, shape: Shape) -> tuple[Layer, ...]:
    rank, window = len(shape) - 1, block.window(shape[1:])
    uneven = any(before != after for before, after in window.padding)
    padding = tuple(before for before, _ in window.padding)
    arguments = [str(shape[0]), str(block.out_channels), f"kernel_size={_numbers(window.kernel)}"]
    if set(window.stride) != {1}:
        arguments.append(f"stride={_numbers(window.stride)}")
    if any(padding) and not uneven:
        arguments.append('padding="same"' if block.padding == "same" else f"padding={_numbers(padding)}")
    if set(window.dilation) != {1}:
        arguments.append(f"dilation={_numbers(window.dilation)}")
    arguments += changed(block, "groups", "bias", *(() if uneven else ("padding_mode",)))
    conv = Layer(f"nn.Conv{rank}d", tuple(arguments))
    if not uneven:
        return (conv,)
    # An even kernel that keeps the size: torch's own padding="same" warns of it, and pads the last axis first.
    sides = tuple(side for pair in reversed(window.padding) for side in pair)
    return Layer(f"nn.{PADS[block.padding_mode]}{rank}d", (str(sides),)), conv


def _pool(kind: str) -> LayerPrinter:
    def layers(block: Pool, shape: Shape) -> tuple[Layer, ...]:
        window = block.window(shape[1:])
        padding = tuple(before for before, _ in window.padding)
        arguments = [f"kernel_size={_numbers(window.kernel)}"]
        if window.stride != window.kernel:
            arguments.append(f"stride={_numbers(window.stride)}")
        if any(padding):
            arguments.append(f"padding={_numbers(padding)}")
        if set(window.dilation) != {1}:
            arguments.append(f"dilation={_numbers(window.dilation)}")
        arguments += changed(block, "ceil_mode", "count_include_pad")
        return (Layer(f"nn.{kind}{len(shape) - 1}d", tuple(arguments)),)

    return layers


def _global_pool(kind: str) -> LayerPrinter:
    def layers(block: GlobalPool, shape: Shape) -> tuple[Layer, ...]:
        pool = Layer(f"nn.Adaptive{kind}{len(shape) - 1}d", ("1",))
        return (pool,) if block.keepdims else (pool, Layer("nn.Flatten"))

    return layers


def _linear(block: Linear, shape: Shape) -> tuple[Layer, ...]:
    return (Layer("nn.Linear", (str(shape[0]), str(block.out_features), *changed(block, "bias"))),)


LAYERS: dict[type[Block], LayerPrinter] = {
    Conv: _conv,
    MaxPool: _pool("MaxPool"),
    AvgPool: _pool("AvgPool"),
    GlobalMaxPool: _global_pool("MaxPool"),
    GlobalAvgPool: _global_pool("AvgPool"),
    Linear: _linear,
    Flatten: lambda block, shape: (Layer("nn.Flatten"),),
    **POINTWISE,
}
