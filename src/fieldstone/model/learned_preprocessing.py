"""The preprocessing that learned weights bring."""

from __future__ import annotations

from fieldstone.data.preprocessing import Preprocessing
from fieldstone.geometry import Shape
from fieldstone.network.state_dicts.names import Pixels


def learned_preprocessing(input: Shape, own: Shape, pixels: Pixels) -> Preprocessing:
    """How images become the input (C, H, W) of a network whose weights were learned on `pixels`.

    Another size keeps the share of the image that is cut out; a grey input has the mean of the colours' numbers.

    Args:
        own: the input that the design has by itself, for which `pixels` says the size.
    """
    channels, *size = input
    height, width = size
    return Preprocessing(
        size=(height, width), channels=channels, resize="crop", resize_to=pixels.resize_to * max(size) // max(own[1:]),
        scale=1 / pixels.divided_by, mean=_for(channels, pixels.mean), std=_for(channels, pixels.std),
    )  # fmt: skip


def _for(channels: int, numbers: tuple[float, ...]) -> tuple[float, ...]:
    return numbers if len(numbers) == channels else (sum(numbers) / len(numbers),) * channels
