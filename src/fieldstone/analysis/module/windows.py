"""Torch's functions that slide a window, pool or resize, as blocks of the notation."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from fieldstone.analysis.module.calls import Call
from fieldstone.analysis.other import Other, unknown
from fieldstone.design.blocks import convolution, dense, pooling, shape
from fieldstone.design.blocks.block import Block
from fieldstone.design.blocks.kinds import Padding
from fieldstone.design.blocks.window import folded, per_axis
from fieldstone.geometry import WHOLE, Resized, Shape, Transposed, Window

Translator = Callable[[Call], Block]


def _sizes(given: Any) -> Shape:
    """`3` and `(3, 3)` as (3,), as blocks have them."""
    return (given,) if isinstance(given, int) else folded(tuple(given))


def _conv(call: Call) -> Block:
    weight, padding = call.get(1, "weight"), call.get(4, "padding", 0)
    pads: Padding = "same" if padding == "same" else (0,) if padding == "valid" else _sizes(padding)
    return convolution.Conv(
        weight.shape[0],
        _sizes(weight.shape[2:]),
        stride=_sizes(call.get(3, "stride", 1)),
        padding=pads,
        dilation=_sizes(call.get(5, "dilation", 1)),
        groups=call.get(6, "groups", 1),
        bias=call.get(2, "bias") is not None,
        padding_mode=call.kwargs.get("padding_mode", "zeros"),
    )


def _up_conv(call: Call) -> Block:
    weight, groups = call.get(1, "weight"), call.get(6, "groups", 1)
    return convolution.UpConv(
        weight.shape[1] * groups,
        _sizes(weight.shape[2:]),
        stride=_sizes(call.get(3, "stride", 1)),
        padding=_sizes(call.get(4, "padding", 0)),
        output_padding=_sizes(call.get(5, "output_padding", 0)),
        dilation=_sizes(call.get(7, "dilation", 1)),
        groups=groups,
        bias=call.get(2, "bias") is not None,
    )


def _linear(call: Call) -> Block:
    weight, has_bias = call.get(1, "weight"), call.get(2, "bias") is not None
    flat = dense.Linear(weight.shape[0], bias=has_bias)
    if len(call.first.dims) == 2:
        return flat
    if call.first.axes and call.is_channel(-1):  # channels last: the same numbers at every place
        return convolution.Conv(weight.shape[0], (1,), bias=has_bias)
    return unknown(flat.text())


def _stride(call: Call) -> Shape | None:
    """The kernel's, where none is given or it is the same."""
    given, kernel = call.get(2, "stride"), _sizes(call.get(1, "kernel_size"))
    return None if (not given and given != 0) or _sizes(given) == kernel else _sizes(given)


def _max_pool(call: Call) -> Block:
    return pooling.MaxPool(
        _sizes(call.get(1, "kernel_size")),
        stride=_stride(call),
        padding=_sizes(call.get(3, "padding", 0)),
        dilation=_sizes(call.get(4, "dilation", 1)),
        ceil_mode=call.get(5, "ceil_mode", False),
    )


def _avg_pool(call: Call) -> Block:
    return pooling.AvgPool(
        _sizes(call.get(1, "kernel_size")),
        stride=_stride(call),
        padding=_sizes(call.get(3, "padding", 0)),
        ceil_mode=call.get(4, "ceil_mode", False),
        count_include_pad=call.get(5, "count_include_pad", True),
    )


def _lp_pool(call: Call) -> Block:
    rank = len(call.dims) - 2
    kernel = per_axis(_sizes(call.get(2, "kernel_size")), rank, "kernel")
    stride = per_axis(_sizes(call.get(3, "stride") or kernel), rank, "stride")
    window = Window(kernel, stride, (1,) * rank, ((0, 0),) * rank, call.get(4, "ceil_mode", False))
    return Other(call.what, window)


def _max_unpool(call: Call) -> Block:
    """Each value of the result may come from any window that covered it."""
    sides = call.first.dims[2:]
    rank = len(sides)
    kernel = per_axis(_sizes(call.get(2, "kernel_size")), rank, "kernel")
    stride = per_axis(_sizes(call.get(3, "stride") or kernel), rank, "stride")
    padding = per_axis(_sizes(call.get(4, "padding", 0)), rank, "padding")
    plain = Transposed(kernel, stride, (1,) * rank, padding, (0,) * rank)
    return Other("maxunpool", plain.giving(sides, call.dims[2:]))


def _adaptive(whole: type[pooling.GlobalPool], some: type[pooling.AdaptivePool]) -> Translator:
    def translate(call: Call) -> Block:
        sides = call.dims[2:]
        return whole(keepdims=True) if prod(sides) == 1 else some(folded(sides))

    return translate


def _over(whole: type[pooling.GlobalPool] | None) -> Translator:
    """A reduction: over all sides a global pooling, over the channels each place by itself."""

    def translate(call: Call) -> Block:
        given = call.get(1, "dim")
        dims = {call.dim(dim) for dim in ([given] if isinstance(given, int) else given or ())}
        axes = call.first.axes or tuple(range(2, len(call.first.dims)))
        if not dims or 0 in dims:
            return unknown(call.what)
        if not dims & set(axes):
            return Other(call.what)
        if dims != set(axes):
            return unknown(call.what)
        return Other(call.what, WHOLE) if whole is None else whole(keepdims=len(call.dims) == len(call.first.dims))

    return translate


MODES = {"nearest": "nearest", "nearest-exact": "nearest", "bicubic": "cubic"}


def _upsample(call: Call) -> Block:
    sides, sizes = call.first.dims[2:], call.dims[2:]
    mode, corners = call.get(3, "mode", "nearest"), bool(call.get(4, "align_corners"))
    if call.get(6, "antialias", False):
        return unknown(call.what)
    if mode == "area":
        return pooling.AdaptiveAvgPool(folded(sizes))
    whole = all(size % side == 0 for side, size in zip(sides, sizes, strict=True))
    if whole and mode != "nearest-exact":
        factors = folded(tuple(size // side for side, size in zip(sides, sizes, strict=True)))
        return shape.Upsample(factors, mode=mode, align_corners=corners)
    how: Any = MODES.get(mode, "linear")
    return Other(call.what, Resized(sizes, how, corners)) if whole or mode != "nearest-exact" else unknown(call.what)


def _pad(call: Call) -> Block:
    given = call.get(1, "pad")
    pairs = [*zip(given[::2], given[1::2], strict=True)]
    rank = len(call.first.dims) - 2
    sides = tuple(reversed((*pairs[:rank], *((0, 0),) * (rank - len(pairs)))))
    if any(map(any, pairs[rank:])):  # more channels
        return unknown(call.what) if any(map(any, sides)) or any(map(any, pairs[rank + 1 :])) else Other(call.what)
    before, after = (tuple(side[end] for side in sides) for end in (0, 1))
    if min(before + after) < 0 < max(before + after):
        return Other(call.what, Window(*((1,) * rank,) * 3, sides))
    if min(before + after) < 0:
        return shape.Crop(*borders(tuple(-size for size in before), tuple(-size for size in after)))
    mode, value = call.get(2, "mode", "constant"), call.get(3, "value") or 0.0
    return shape.Pad(*borders(before, after), mode=mode, value=float(value))


def borders(before: Shape, after: Shape) -> tuple[Shape, Shape | None, Shape | None]:
    """The numbers of `pad` and `crop`: one for both ends where they agree, else `before` and `after`."""
    return (folded(before), None, None) if before == after else ((0,), folded(before), folded(after))


def _unshuffle(call: Call) -> Block:
    factor = call.get(1, "downscale_factor")
    return Other(call.what, Window((factor,) * 2, (factor,) * 2, (1, 1), ((0, 0),) * 2))


WINDOWS: dict[str, Translator] = {
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), _conv),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"), _up_conv),
    "linear": _linear,
    **dict.fromkeys(("max_pool1d", "max_pool2d", "max_pool3d"), _max_pool),
    **dict.fromkeys(("avg_pool1d", "avg_pool2d", "avg_pool3d"), _avg_pool),
    **dict.fromkeys(("lp_pool1d", "lp_pool2d", "lp_pool3d"), _lp_pool),
    **dict.fromkeys(("max_unpool1d", "max_unpool2d", "max_unpool3d"), _max_unpool),
    **dict.fromkeys(
        ("adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d"),
        _adaptive(pooling.GlobalMaxPool, pooling.AdaptiveMaxPool),
    ),
    **dict.fromkeys(
        ("adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d"),
        _adaptive(pooling.GlobalAvgPool, pooling.AdaptiveAvgPool),
    ),
    "mean": _over(pooling.GlobalAvgPool),
    **dict.fromkeys(("amax", "max"), _over(pooling.GlobalMaxPool)),
    **dict.fromkeys(("sum", "amin", "min", "std", "var", "norm", "logsumexp"), _over(None)),
    "interpolate": _upsample,
    "pad": _pad,
    "pixel_shuffle": lambda call: shape.PixelShuffle(call.get(1, "upscale_factor")),
    "pixel_unshuffle": _unshuffle,
    "channel_shuffle": lambda call: Other(call.what),
}  # fmt: skip
"""By the function's name; the arguments' places are those of torch.nn.functional."""
