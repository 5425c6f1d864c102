"""The kernels of the first convolution as images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from torch import nn

from fieldstone.report.pictures import Picture, picture

MOST = 64
STEPS = 8
"""Tints from 0 to the largest weight, to either side."""

Kernels = NDArray[np.float32]


@dataclass(frozen=True)
class Filters:
    """What the first convolution has learned.

    Attributes:
        layer: its name within the network.
        count: how many filters there are; the first of them are shown.
        size: `3×3`.
        largest: the largest weight, without its sign.
        colours: one picture a filter where the kernels have red, green and blue; mid-grey is 0.
        maps: else a signed map a filter, as SVG.
        unseen: how many filters have weights of 0 alone.
    """

    layer: str
    count: int
    size: str
    largest: float
    colours: tuple[Picture, ...]
    maps: tuple[Markup, ...]
    unseen: int


def first_filters(network: nn.Module) -> Filters | None:
    """The filters of the first 2-d convolution, in the order of the modules; None where there is none."""
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            return _filters(name, module.weight.detach().float().cpu().numpy())
    return None


def _filters(name: str, kernels: Kernels) -> Filters:
    """Of (filters, channels, height, width)."""
    shown = kernels[:MOST]
    coloured = kernels.shape[1] == 3
    return Filters(
        layer=name,
        count=len(kernels),
        size="×".join(map(str, kernels.shape[2:])),
        largest=float(np.abs(kernels).max()),
        colours=tuple(picture(_colours(kernel)) for kernel in shown) if coloured else (),
        maps=() if coloured else tuple(_map(kernel[0]) for kernel in shown),
        unseen=int((~kernels.any(axis=(1, 2, 3))).sum()),
    )


def _colours(kernel: Kernels) -> NDArray[np.uint8]:
    """(3, H, W) weights as pixels: each filter by its own largest weight, 0 is mid-grey."""
    largest = np.abs(kernel).max()
    return np.round(127.5 + 127.5 * kernel / (largest or 1)).astype(np.uint8)


def _map(kernel: Kernels) -> Markup:
    """(H, W) weights as an SVG of one unit a weight; one path for each tint."""
    height, width = kernel.shape
    levels = np.round(STEPS * kernel / (np.abs(kernel).max() or 1)).astype(int)
    cells = "".join(_tinted(levels))
    return Markup(f'<svg viewBox="0 0 {width} {height}" aria-hidden="true" shape-rendering="crispEdges">{cells}</svg>')


def _tinted(levels: NDArray[np.int64]) -> Iterator[str]:
    for level in np.unique(levels):
        places = "".join(f"M{x} {y}h1v1h-1z" for y, x in np.argwhere(levels == level))
        kind = f"plus{level}" if level > 0 else f"minus{-level}" if level else "none"
        yield f'<path class="w-{kind}" d="{places}"/>'
