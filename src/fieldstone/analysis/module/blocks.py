"""Torch's functions as blocks of the notation: a row of the table for each that has a word there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from fieldstone.analysis.module.calls import Call
from fieldstone.analysis.module.windows import WINDOWS, Translator
from fieldstone.analysis.other import Other, Product, Stack, Sum, unknown
from fieldstone.design.blocks import activation, norm
from fieldstone.design.blocks.block import Block


def _batch_norm(call: Call) -> Block:
    """The functional's arguments; torch.batch_norm has the weight before the statistics, the others alike."""
    affine = call.get(3, "weight") is not None
    return norm.BatchNorm(call.get(7, "eps", 1e-5), call.get(6, "momentum", 0.1) or 0.1, affine)


def _group_norm(call: Call) -> Block:
    affine = call.get(2, "weight") is not None
    return norm.GroupNorm(call.get(1, "num_groups"), call.get(4, "eps", 1e-5), affine)


def _instance_norm(call: Call) -> Block:
    affine, tracks = call.get(3, "weight") is not None, call.get(1, "running_mean") is not None
    return norm.InstanceNorm(call.get(7, "eps", 1e-5), call.get(6, "momentum", 0.1), affine, tracks)


def _layer_norm(call: Call) -> Block:
    """Over all values of an image the notation's; over some of the dimensions another: statistics do not count."""
    if tuple(call.get(1, "normalized_shape")) != call.first.dims[1:]:
        return Other(call.what)
    affine = call.get(2, "weight") is not None
    return norm.LayerNorm(call.get(4, "eps", 1e-5), affine, call.get(3, "bias") is not None or not affine)


def _local_response(call: Call) -> Block:
    keys = {"alpha": 1e-4, "beta": 0.75, "k": 1.0}
    given = {key: call.get(place, key, default) for place, (key, default) in enumerate(keys.items(), 2)}
    return norm.LocalResponseNorm(call.get(1, "size"), **given)


def _prelu(call: Call) -> Block:
    count = call.get(1, "weight").numel()
    return activation.PReLU("channels" if count > 1 else 1)


def _clamped(low: Any, high: Any, what: str) -> Block:
    if (low, high) == (0, 6):
        return activation.ReLU6()
    if (low, high) == (0, None):
        return activation.ReLU()
    numbers = isinstance(low, int | float) and isinstance(high, int | float)
    return activation.Hardtanh(float(low), float(high)) if numbers and low < high else Other(what)


def _over_channels(block: type[activation.Activation]) -> Translator:
    """The block where it goes over the channels; over anything else it mixes places."""

    def translate(call: Call) -> Block:
        dim = call.get(1, "dim", -1)
        return block() if dim is not None and call.is_channel(dim) else unknown(call.what)

    return translate


def _keyed(block: Callable[..., Block], **keys: Any) -> Translator:
    """A block whose keys are the function's arguments after the input, in order, with these defaults."""

    def translate(call: Call) -> Block:
        given = {key: call.get(place, key, default) for place, (key, default) in enumerate(keys.items(), 1)}
        return block(**{key: float(value) if isinstance(keys[key], float) else value for key, value in given.items()})

    return translate


def _join(block: type[Block]) -> Translator:
    return lambda call: block() if len(call.values) > 1 else Other(call.what)


def _cat(call: Call) -> Block:
    return Stack() if call.is_channel(call.get(1, "dim", 0)) else unknown(call.what)


def _pointwise(call: Call) -> Block:
    return Other(call.what)


ELEMENTWISE = (
    "sub", "rsub", "div", "rdiv", "true_divide", "floor_divide", "remainder", "pow", "rpow", "exp", "exp2", "expm1",
    "log", "log2", "log10", "log1p", "sqrt", "rsqrt", "abs", "neg", "sin", "cos", "atan", "erf", "sign", "floor",
    "ceil", "round", "reciprocal", "square", "maximum", "minimum", "where", "lerp", "addcmul", "addcdiv", "masked_fill",
    "nan_to_num", "fake_quantize_per_tensor_affine", "logical_not", "gt", "lt", "ge", "le", "eq", "ne",
)  # fmt: skip

BLOCKS: dict[str, Translator] = {
    **WINDOWS,
    "batch_norm": _batch_norm,
    "group_norm": _group_norm,
    "instance_norm": _instance_norm,
    "layer_norm": _layer_norm,
    **dict.fromkeys(("rms_norm", "normalize"), _pointwise),
    "local_response_norm": _local_response,
    "dropout": _keyed(norm.Dropout, p=0.5),
    **dict.fromkeys(
        ("dropout1d", "dropout2d", "dropout3d", "feature_dropout"), _keyed(norm.ChannelDropout, p=0.5)
    ),
    "alpha_dropout": _keyed(norm.AlphaDropout, p=0.5),
    "relu": _keyed(activation.ReLU),
    "relu6": _keyed(activation.ReLU6),
    "leaky_relu": _keyed(activation.LeakyReLU, negative_slope=0.01),
    "prelu": _prelu,
    "rrelu": _keyed(activation.RReLU, lower=1 / 8, upper=1 / 3),
    "elu": _keyed(activation.ELU, alpha=1.0),
    "celu": _keyed(activation.CELU, alpha=1.0),
    "selu": _keyed(activation.SELU),
    "gelu": _keyed(activation.GELU, approximate="none"),
    "silu": _keyed(activation.SiLU),
    "mish": _keyed(activation.Mish),
    "hardswish": _keyed(activation.Hardswish),
    "tanh": _keyed(activation.Tanh),
    "hardtanh": lambda call: _clamped(call.get(1, "min_val", -1.0), call.get(2, "max_val", 1.0), call.what),
    **dict.fromkeys(("clamp", "clip"), lambda call: _clamped(call.get(1, "min"), call.get(2, "max"), call.what)),
    "clamp_min": lambda call: _clamped(call.get(1, "min"), None, call.what),
    "tanhshrink": _keyed(activation.Tanhshrink),
    "sigmoid": _keyed(activation.Sigmoid),
    "hardsigmoid": _keyed(activation.Hardsigmoid),
    "log_sigmoid": _keyed(activation.LogSigmoid),
    "softplus": _keyed(activation.Softplus, beta=1.0, threshold=20.0),
    "softsign": _keyed(activation.Softsign),
    "hardshrink": _keyed(activation.Hardshrink, lambd=0.5),
    "softshrink": _keyed(activation.Softshrink, lambd=0.5),
    "threshold": _keyed(activation.Threshold, threshold=0.0, value=0.0),
    "softmax": _over_channels(activation.Softmax),
    "log_softmax": _over_channels(activation.LogSoftmax),
    "glu": _over_channels(activation.GLU),
    "add": _join(Sum),
    "mul": _join(Product),
    **dict.fromkeys(("cat", "concat", "concatenate"), _cat),
    **dict.fromkeys(ELEMENTWISE, _pointwise),
}  # fmt: skip
"""By the function's name, whatever its spelling; its arguments' places are those of torch.nn.functional."""


def block_of(call: Call) -> Block:
    """What the call is in the notation; where it has no word there, what torch calls it."""
    packed = any(isinstance(one, torch.ScriptObject) for one in call.args)  # weights of a quantised layer
    return BLOCKS[call.name](call) if call.name in BLOCKS and not packed else unknown(call.what)
