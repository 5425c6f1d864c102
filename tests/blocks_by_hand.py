"""What each block with a window computes, from its words alone, by the windows of `by_hand`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import by_hand as hand
from by_hand import Array, Pairs, Sizes
from fieldstone.design.blocks import convolution, pooling, shape
from fieldstone.design.blocks.activation import ReLU
from fieldstone.design.blocks.block import Block

MODES = {"zeros": "constant", "constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


@dataclass
class Computed:
    """The values so far, what named poolings remember, and the design's input."""

    values: Array
    input: Array
    pools: dict[str, tuple[dict[Sizes, Sizes], Sizes]] = field(default_factory=dict)


Weights = Mapping[str, Array]
Step = Callable[[Any, Computed, Weights], Array]


def each(sizes: Sizes, rank: int) -> Sizes:
    """`3` as (3, 3)."""
    return tuple(sizes) * rank if len(sizes) == 1 else tuple(sizes)


def _sliding(block: Any, sides: Sizes) -> tuple[Sizes, Sizes, Sizes]:
    """Kernel, stride and dilation per axis, by the defaults of docs/blocks.md."""
    kernel = each(block.kernel_size, len(sides))
    stride = kernel if block.stride is None else each(block.stride, len(sides))
    return kernel, stride, each(getattr(block, "dilation", (1,)), len(sides))


def _pads(block: Any, sides: Sizes) -> Pairs:
    kernel, stride, dilation = _sliding(block, sides)
    spans = tuple(map(hand.span, kernel, dilation))
    if block.padding == "same":
        return tuple(map(hand.same, sides, spans, stride))
    if block.padding == "causal":
        return ((spans[0] - 1, 0),)
    return tuple((pad, pad) for pad in each(block.padding, len(sides)))


def _convolved(block: Any, x: Array, weight: Array, bias: Array | None, groups: int) -> Array:
    kernel, stride, dilation = _sliding(block, x.shape[1:])
    x = hand.bordered(x, _pads(block, x.shape[1:]), MODES[block.padding_mode])
    windows = hand.axes(x, kernel, stride, dilation, ((0, 0),) * len(kernel))
    return hand.convolve(x, lambda tap: weight[:, :, *tap].T, bias, windows, groups)


def _conv(block: convolution.Conv, done: Computed, weights: Weights) -> Array:
    return _convolved(block, done.values, weights["weight"], weights.get("bias"), block.groups)


def _depthwise(block: convolution.Depthwise, done: Computed, weights: Weights) -> Array:
    return _convolved(block, done.values, weights["weight"], weights.get("bias"), len(done.values))


def _separable(block: convolution.Separable, done: Computed, weights: Weights) -> Array:
    first = _convolved(block, done.values, weights["depthwise.weight"], None, len(done.values))
    mixed = weights["pointwise.weight"].reshape(-1, len(first)) @ first.reshape(len(first), -1)
    bias = weights.get("pointwise.bias", 0 * mixed[:, 0])
    return (mixed + bias[:, None]).reshape(-1, *first.shape[1:])


def _up_conv(block: convolution.UpConv, done: Computed, weights: Weights) -> Array:
    x, weight = done.values, weights["weight"]
    kernel, stride, dilation = _sliding(block, x.shape[1:])
    reads = len(x) // block.groups
    parts = [slice(n * reads, (n + 1) * reads) for n in range(block.groups)]
    out = [hand.spread(x[one], lambda tap, one=one: weight[one, :, *tap], kernel, stride, dilation) for one in parts]
    if block.padding == "same":  # side · stride
        ends = tuple(hand.trim(hand.span(k, d) - step) for k, d, step in zip(kernel, dilation, stride, strict=True))
    else:
        more = zip(each(block.padding, len(kernel)), each(block.output_padding, len(kernel)), strict=True)
        ends = tuple((-pad, extra - pad) for pad, extra in more)
    whole = hand.bordered(np.concatenate(out), ends)
    bias = weights.get("bias")
    return whole if bias is None else whole + bias.reshape(-1, *[1] * len(kernel))


def _max_pool(block: pooling.MaxPool, done: Computed, weights: Weights) -> Array:
    x = done.values
    sliding = _sliding(block, x.shape[1:])
    out, winners = hand.largest(x, hand.axes(x, *sliding, _pads(block, x.shape[1:]), block.ceil_mode))
    done.pools[block.name or ""] = winners, x.shape
    return out


def _avg_pool(block: pooling.AvgPool, done: Computed, weights: Weights) -> Array:
    x = done.values
    pads = _pads(block, x.shape[1:])
    windows = hand.axes(x, *_sliding(block, x.shape[1:]), pads, block.ceil_mode)
    return hand.mean(x, windows, pads if block.count_include_pad else None)


def _max_unpool(block: pooling.MaxUnpool, done: Computed, weights: Weights) -> Array:
    return hand.unpooled(done.values, *done.pools[block.name])


def _global(pool: Callable[[Array, list[hand.Axis]], Array]) -> Step:
    def pooled(block: pooling.GlobalPool, done: Computed, weights: Weights) -> Array:
        out = pool(done.values, [[list(range(side))] for side in done.values.shape[1:]])
        return out if block.keepdims else out.reshape(-1)

    return pooled


def _adaptive(pool: Callable[[Array, list[hand.Axis]], Array]) -> Step:
    def pooled(block: pooling.AdaptivePool, done: Computed, weights: Weights) -> Array:
        sides = done.values.shape[1:]
        return pool(done.values, list(map(hand.adaptive_axis, sides, each(block.output_size, len(sides)))))

    return pooled


def _upsample(block: shape.Upsample, done: Computed, weights: Weights) -> Array:
    sides = done.values.shape[1:]
    if block.factor is None:
        new = done.input.shape[1:]  # the tests have no other map to be like
    else:
        new = tuple(side * factor for side, factor in zip(sides, each(block.factor, len(sides)), strict=True))
    how = {"nearest": "nearest", "bicubic": "cubic"}.get(block.mode, "linear")
    return hand.resized(done.values, new, how, block.align_corners)


def _pixel_shuffle(block: shape.PixelShuffle, done: Computed, weights: Weights) -> Array:
    x, r = done.values, block.upscale_factor
    out = np.zeros((len(x) // r**2, x.shape[1] * r, x.shape[2] * r))
    for c, i, j in np.ndindex(len(out), r, r):
        out[c, i::r, j::r] = x[c * r * r + i * r + j]
    return out


def _ends(block: shape.Borders, rank: int) -> Pairs:
    before = block.both if block.before is None else block.before
    after = block.both if block.after is None else block.after
    return tuple(zip(each(before, rank), each(after, rank), strict=True))


def _pad(block: shape.Pad, done: Computed, weights: Weights) -> Array:
    more = {"constant_values": block.value} if block.mode == "constant" else {}
    return hand.bordered(done.values, _ends(block, done.values.ndim - 1), MODES[block.mode], **more)


def _crop(block: shape.Crop, done: Computed, weights: Weights) -> Array:
    return hand.bordered(done.values, tuple((-a, -b) for a, b in _ends(block, done.values.ndim - 1)))


WINDOWS: dict[type[Block], Step] = {
    convolution.Conv: _conv,
    convolution.Depthwise: _depthwise,
    convolution.Separable: _separable,
    convolution.UpConv: _up_conv,
    pooling.MaxPool: _max_pool,
    pooling.AvgPool: _avg_pool,
    pooling.GlobalMaxPool: _global(lambda x, windows: hand.largest(x, windows)[0]),
    pooling.GlobalAvgPool: _global(hand.mean),
    pooling.AdaptiveMaxPool: _adaptive(lambda x, windows: hand.largest(x, windows)[0]),
    pooling.AdaptiveAvgPool: _adaptive(hand.mean),
    pooling.MaxUnpool: _max_unpool,
    shape.Upsample: _upsample,
    shape.PixelShuffle: _pixel_shuffle,
    shape.Pad: _pad,
    shape.Crop: _crop,
}
BETWEEN: dict[type[Block], Step] = {ReLU: lambda block, done, weights: np.maximum(done.values, 0)}
"""What random designs put between these."""


def compute(blocks: tuple[Block, ...], x: Array, weights: Weights) -> Array:
    """What a chain gives for one map (C, *sides); `weights` under the names of its state, as in `1.weight`."""
    done = Computed(x, x)
    for number, block in enumerate(blocks, 1):
        own = {name.removeprefix(f"{number}."): w for name, w in weights.items() if name.startswith(f"{number}.")}
        done.values = (WINDOWS | BETWEEN)[type(block)](block, done, own)
    return done.values
