"""What layers of Keras compute by its documentation, from its own arguments and layouts, by the windows of `by_hand`.

Maps are (C, *sides), as everywhere in these tests; weights are as Keras has them, (*kernel, in, out).
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

import by_hand as hand
from by_hand import Array, Pairs, Sizes
from keras_rows import Arrays, Options, each

Layer = Callable[[Array, Options, Arrays], Array]
Pool = Callable[[Array, list[hand.Axis]], Array]


def _windows(x: Array, options: Options, default: object = 1) -> list[hand.Axis]:
    rank = x.ndim - 1
    kernel, dilation = each(options["K"], rank), each(options.get("D", 1), rank)
    stride = each(options.get("S", default), rank)
    parts = zip(x.shape[1:], kernel, dilation, stride, strict=True)
    pads = {
        "valid": lambda side, k, d, s: (0, 0),
        "same": lambda side, k, d, s: hand.same(side, hand.span(k, d), s),
        "causal": lambda side, k, d, s: (d * (k - 1), 0),
    }[options.get("P", "valid")]
    return hand.axes(x, kernel, stride, dilation, tuple(pads(*part) for part in parts))


def _biased(x: Array, arrays: Arrays) -> Array:
    return x + arrays["bias"].reshape(-1, *[1] * (x.ndim - 1)) if "bias" in arrays else x


def conv(x: Array, options: Options, arrays: Arrays) -> Array:
    """A kernel (*kernel, C / groups, F)."""
    kernel = arrays["kernel"]
    return _biased(hand.convolve(x, kernel.__getitem__, None, _windows(x, options), options.get("G", 1)), arrays)


def _by_channel(x: Array, options: Options, kernel: Array) -> Array:
    """A kernel (*kernel, C, M): output c * M + m is channel c with its kernel m."""
    return hand.convolve(x, lambda tap: kernel[tap].reshape(1, -1), None, _windows(x, options), len(x))


def depthwise(x: Array, options: Options, arrays: Arrays) -> Array:
    return _biased(_by_channel(x, options, arrays["kernel"]), arrays)


def separable(x: Array, options: Options, arrays: Arrays) -> Array:
    first = _by_channel(x, options, arrays["depthwise_kernel"])
    mixed = np.tensordot(arrays["pointwise_kernel"].reshape(len(first), -1), first, (0, 0))
    return _biased(mixed, arrays)


def transposed(x: Array, options: Options, arrays: Arrays) -> Array:
    """A kernel (*kernel, F, C), the gradient of the convolution that it would be."""
    rank, kernel = x.ndim - 1, arrays["kernel"]
    size, stride, dilation = (each(options.get(letter, 1), rank) for letter in "KSD")
    spans = tuple(map(hand.span, size, dilation))
    ends = tuple(_ends(options, *axis) for axis in zip(spans, stride, each(options.get("O"), rank), strict=True))
    whole = hand.spread(x, lambda tap: kernel[tap].T, size, stride, dilation)
    return _biased(hand.bordered(whole, ends), arrays)


def _ends(options: Options, span: int, stride: int, more: int | None) -> tuple[int, int]:
    """(n - 1) * stride + span values become that many, as Keras's documentation counts them:

    valid: (n - 1) * stride + max(span, stride), or + span + output_padding;
    same: n * stride, or (n - 1) * stride + span % 2 + output_padding.
    """
    if options.get("P", "valid") == "valid":
        return 0, max(0, stride - span) if more is None else more
    return hand.trim(span - (stride if more is None else span % 2 + more))


def _pooling(pool: Pool) -> Layer:
    return lambda x, options, arrays: pool(x, _windows(x, options, options["K"]))


def _whole(pool: Pool) -> Layer:
    def pooled(x: Array, options: Options, arrays: Arrays) -> Array:
        out = pool(x, [[list(range(side))] for side in x.shape[1:]])
        return out if options.get("X") else out.reshape(-1)

    return pooled


def _adaptive(pool: Pool) -> Layer:
    return lambda x, options, arrays: pool(
        x, list(map(hand.adaptive_axis, x.shape[1:], each(options["N"], x.ndim - 1)))
    )


def upsampling(x: Array, options: Options, arrays: Arrays) -> Array:
    sides = tuple(side * factor for side, factor in zip(x.shape[1:], each(options["N"], x.ndim - 1), strict=True))
    return hand.resized(x, sides, {"bilinear": "linear"}.get(options.get("I", "nearest"), "nearest"))


def _bordered(sign: int) -> Layer:
    def changed(x: Array, options: Options, arrays: Arrays) -> Array:
        ends = zip(each(options["V"], x.ndim - 1), each(options["W"], x.ndim - 1), strict=True)
        pairs: Pairs = tuple((sign * before, sign * after) for before, after in ends)
        return hand.bordered(x, pairs)

    return changed


def _scaled(x: Array, mean: Array, variance: Array, options: Options, arrays: Arrays) -> Array:
    columns = (-1, *[1] * (x.ndim - 1))
    standard = (x - mean.reshape(columns)) / np.sqrt(variance.reshape(columns) + options["E"])
    return standard * arrays["gamma"].reshape(columns) + arrays["beta"].reshape(columns)


def batch_normalization(x: Array, options: Options, arrays: Arrays) -> Array:
    """In inference."""
    return _scaled(x, arrays["moving_mean"], arrays["moving_variance"], options, arrays)


def group_normalization(x: Array, options: Options, arrays: Arrays) -> Array:
    groups = x.reshape(options["G"], -1)
    each_channel = len(x) // options["G"]
    mean, variance = groups.mean(1).repeat(each_channel), groups.var(1).repeat(each_channel)
    return _scaled(x, mean, variance, options, arrays)


def _largest(x: Array, windows: list[hand.Axis]) -> Array:
    return hand.largest(x, windows)[0]


LAYERS: dict[str, Layer] = {
    "Conv": conv,
    "DepthwiseConv": depthwise,
    "SeparableConv": separable,
    "ConvTranspose": transposed,
    "MaxPooling": _pooling(_largest),
    "AveragePooling": _pooling(hand.mean),
    "GlobalMaxPooling": _whole(_largest),
    "GlobalAveragePooling": _whole(hand.mean),
    "AdaptiveMaxPooling": _adaptive(_largest),
    "AdaptiveAveragePooling": _adaptive(hand.mean),
    "UpSampling": upsampling,
    "ZeroPadding": _bordered(1),
    "Cropping": _bordered(-1),
    "BatchNormalization": batch_normalization,
    "GroupNormalization": group_normalization,
}
"""By their names without the rank."""


def compute(layer: str, x: Array, options: Options, arrays: Arrays) -> Array:
    """What a layer of Keras gives for one map."""
    return LAYERS[re.sub(r"\dD", "", layer)](x, options, arrays)


def weights(layer: str, channels: int, rank: int, options: Options) -> dict[str, Array]:
    """Random weights, under Keras's names and in its shapes."""
    shapes = _shapes(re.sub(r"\dD", "", layer), channels, each(options.get("K", 1), rank), options)
    if not options.get("B", True):
        del shapes["bias"]
    rng = np.random.default_rng(0)
    drawn = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    return {name: np.abs(array) + 0.1 if name == "moving_variance" else array for name, array in drawn.items()}


def _shapes(layer: str, channels: int, kernel: Sizes, options: Options) -> dict[str, Sizes]:
    filters, multiplied = options.get("F", 0), options.get("M", 1)
    ones = (1,) * len(kernel)
    return {
        "Conv": {"kernel": (*kernel, channels // options.get("G", 1), filters), "bias": (filters,)},
        "DepthwiseConv": {"kernel": (*kernel, channels, multiplied), "bias": (channels * multiplied,)},
        "SeparableConv": {
            "depthwise_kernel": (*kernel, channels, multiplied),
            "pointwise_kernel": (*ones, channels * multiplied, filters),
            "bias": (filters,),
        },
        "ConvTranspose": {"kernel": (*kernel, filters, channels), "bias": (filters,)},
        "BatchNormalization": dict.fromkeys(("gamma", "beta", "moving_mean", "moving_variance"), (channels,)),
        "GroupNormalization": dict.fromkeys(("gamma", "beta"), (channels,)),
    }.get(layer, {})
