"""The preprocessing that learned weights bring."""

from __future__ import annotations

from fieldstone.data.preprocessing import Preprocessing
from fieldstone.geometry import Shape
from fieldstone.network.state_dicts.names import Pixels


def learned_preprocessing(input: Shape, own: Shape, pixels: Pixels) -> Preprocessing:
    """How images become the input (C, H, W) of a network whose weights were learned on `pixels`.

    Args:
        own: the input that the design has by itself, for which `pixels` says the size.
    """
    learned = Preprocessing(
        size=(own[1], own[2]), channels=len(pixels.mean), resize="crop", resize_to=pixels.resize_to,
        scale=1 / pixels.divided_by, mean=pixels.mean, std=pixels.std,
    )  # fmt: skip
    return learned.for_input(input[0], (input[1], input[2]))
