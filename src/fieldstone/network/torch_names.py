"""Layers of torch and their arguments, by name, for what is built and what is printed. No torch."""

from __future__ import annotations

from typing import Any

from fieldstone.design.blocks.shape import Upsample
from fieldstone.design.blocks.window import Pairs, per_axis

PADS = {
    "zeros": "ZeroPad",
    "constant": "ZeroPad",
    "reflect": "ReflectionPad",
    "replicate": "ReplicationPad",
    "circular": "CircularPad",
}
"""The layer that pads, by the `padding_mode` of a convolution or the `mode` of a `pad`."""


def pad_layer(mode: str, pairs: Pairs, value: float = 0.0) -> tuple[str, tuple[Any, ...]]:
    """The name of the layer that pads, and its arguments; torch begins at the last axis, and cuts where negative."""
    numbers = tuple(number for pair in reversed(pairs) for number in pair)
    kind, more = ("ConstantPad", (value,)) if value else (PADS[mode], ())
    return f"{kind}{len(pairs)}d", (numbers, *more)


def cut_layer(pairs: Pairs) -> tuple[str, tuple[Any, ...]]:
    """As `pad_layer`, for numbers that are cut off."""
    return pad_layer("zeros", tuple((-before, -after) for before, after in pairs))


def upsample_arguments(block: Upsample, rank: int) -> dict[str, Any]:
    """The arguments of torch.nn.Upsample, defaults left out."""
    sides = (1,) * rank
    if block.factor is None:
        arguments: dict[str, Any] = {"size": block.window(sides).sizes}
    else:
        arguments = {"scale_factor": per_axis(block.factor, rank, "factor")}
    mode = block.torch_mode(rank)
    arguments |= {"mode": mode} if mode != "nearest" else {}
    return arguments | ({"align_corners": True} if block.align_corners else {})
