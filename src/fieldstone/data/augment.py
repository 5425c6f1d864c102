"""Augmentation of a whole batch on its device, by numbers that were drawn for each image and epoch."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

SHIFT = 8  # a shift is at most the side / 8
CUTOUT = 4  # a square's side is the shorter side / 4
AREA = (0.35, 1.0)  # of the image that a crop shows
ASPECT = (3 / 4, 4 / 3)  # of its width to its height, evenly in the logarithm
JITTER = (0.8, 1.2)  # the factors of brightness, contrast and saturation
GREY = (0.299, 0.587, 0.114)  # luma of red, green, blue, ITU-R BT.601


class Kind(NamedTuple):
    """One kind of augmentation: the number of its stream of chance, and how many numbers an image needs."""

    stream: int
    columns: int


# In the order in which they act. `flip` and `shift` act together, as one gather of whole pixels.
KINDS = {
    "flip": Kind(1, 1),
    "shift": Kind(2, 2),
    "crop": Kind(3, 4),
    "color": Kind(4, 3),
    "cutout": Kind(5, 2),
}


class Augmentation:
    """Some of the KINDS, ready to act on batches. `fill` is the pixel value per channel that cutout writes."""

    def __init__(self, kinds: Sequence[str], fill: Sequence[float]) -> None:
        self.kinds = [kind for kind in KINDS if kind in kinds]
        self.fill = tuple(fill)

    def draw(self, count: int, seed: int, epoch: int) -> NDArray[np.float32]:
        """Numbers in [0, 1), one row for each image by its number; a kind's do not depend on the other kinds."""
        columns = [
            _stream(seed, epoch, KINDS[kind]).random((count, KINDS[kind].columns), np.float32) for kind in self.kinds
        ]
        return np.concatenate(columns, axis=1) if columns else np.empty((count, 0), np.float32)

    def __call__(self, inputs: Tensor, rows: Tensor) -> Tensor:
        """Augment inputs (N, C, H, W) in pixel units by their rows of `draw`.

        The result is in pixel units too: uint8 after flip, shift and cutout, float32 after crop and color.
        """
        widths = [KINDS[kind].columns for kind in self.kinds]
        numbers = dict(zip(self.kinds, torch.split(rows, widths, dim=1), strict=True)) if widths else {}
        if "flip" in numbers or "shift" in numbers:
            inputs = flip_and_shift(inputs, numbers.get("flip"), numbers.get("shift"))
        if "crop" in numbers:
            inputs = crop(inputs, numbers["crop"])
        if "color" in numbers:
            inputs = color(inputs, numbers["color"])
        if "cutout" in numbers:
            inputs = cutout(inputs, numbers["cutout"], self.fill)
        return inputs


def _stream(seed: int, epoch: int, kind: Kind) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, epoch, kind.stream])))


def flip_and_shift(inputs: Tensor, flip: Tensor | None, shift: Tensor | None) -> Tensor:
    """Mirror left and right where flip (N, 1) < 0.5, then move by whole pixels, borders reflected, by shift (N, 2)."""
    n, channels, height, width = inputs.shape
    rows = _moved(height, None if shift is None else shift[:, 0], inputs)  # (N or 1, H)
    columns = _moved(width, None if shift is None else shift[:, 1], inputs)  # (N or 1, W)
    if flip is not None:
        columns = torch.where(flip < 0.5, width - 1 - columns, columns)
    places = (rows[:, :, None] * width + columns[:, None, :]).expand(n, height, width)
    places = places.reshape(n, 1, height * width).expand(n, channels, height * width)
    return inputs.reshape(n, channels, height * width).gather(2, places).view(n, channels, height, width)


def _moved(side: int, numbers: Tensor | None, inputs: Tensor) -> Tensor:
    """Which row (or column) each row of the result shows."""
    places = torch.arange(side, device=inputs.device)[None]
    if numbers is None:
        return places
    most = side // SHIFT
    places = (places + ((numbers * (2 * most + 1)).long() - most)[:, None]).abs()
    return torch.where(places > side - 1, 2 * (side - 1) - places, places)


def crop(inputs: Tensor, numbers: Tensor) -> Tensor:
    """Show a part of each image at full size, bilinear; numbers (N, 4): area, aspect, down, right."""
    height, width = inputs.shape[2:]
    area = AREA[0] + numbers[:, 0] * (AREA[1] - AREA[0])
    low, high = math.log(ASPECT[0]), math.log(ASPECT[1])
    aspect = torch.exp(low + numbers[:, 1] * (high - low))
    tall = torch.sqrt(area / aspect).clamp(max=1)  # as shares of the sides
    wide = torch.sqrt(area * aspect).clamp(max=1)
    rows = _sampled(height, tall, numbers[:, 2])[:, :, None].expand(-1, height, width)
    columns = _sampled(width, wide, numbers[:, 3])[:, None, :].expand(-1, height, width)
    grid = torch.stack((columns, rows), dim=3)  # (N, H, W, 2), where grid_sample wants x before y
    return functional.grid_sample(inputs.float(), grid, padding_mode="border", align_corners=False)


def _sampled(side: int, share: Tensor, number: Tensor) -> Tensor:
    """Where along an axis, from -1 to 1 at the borders, each pixel of the result looks: (N, side)."""
    centres = (2 * torch.arange(side, device=share.device) + 1) / side - 1
    middle = (1 - share) * (2 * number - 1)
    return middle[:, None] + share[:, None] * centres


def color(inputs: Tensor, numbers: Tensor) -> Tensor:
    """Change brightness, contrast (about the mean grey) and saturation by the factors of numbers (N, 3).

    The three are one matrix and one offset per image; the result is cut to 0..255 once, at the end.
    """
    n, channels, height, width = inputs.shape
    brightness, contrast, saturation = (JITTER[0] + numbers * (JITTER[1] - JITTER[0])).unbind(1)
    pixels = inputs.float().reshape(n, channels, height * width)
    luma = torch.tensor(GREY if channels == 3 else (1.0,)).to(inputs.device, non_blocking=True)
    mean_grey = pixels.mean(dim=2) @ luma  # (N,)
    same = torch.eye(channels, device=inputs.device)
    mixed = saturation[:, None, None] * same + (1 - saturation)[:, None, None] * luma  # (N, C, C)
    offset = (1 - contrast) * brightness * mean_grey
    changed = torch.baddbmm(offset[:, None, None], (contrast * brightness)[:, None, None] * mixed, pixels)
    return changed.clamp_(0, 255).view(n, channels, height, width)


def cutout(inputs: Tensor, numbers: Tensor, fill: Sequence[float]) -> Tensor:
    """Cover a square inside each image with `fill`; numbers (N, 2): down, right."""
    height, width = inputs.shape[2:]
    side = max(1, min(height, width) // CUTOUT)
    rows = _covered(height, side, numbers[:, 0])[:, None, :, None]
    columns = _covered(width, side, numbers[:, 1])[:, None, None, :]
    values = torch.tensor(fill, dtype=torch.float32)
    if inputs.dtype == torch.uint8:
        values = values.round().clamp(0, 255)
    values = values.to(inputs.dtype).to(inputs.device, non_blocking=True)[None, :, None, None]
    return torch.where(rows & columns, values, inputs)


def _covered(length: int, side: int, numbers: Tensor) -> Tensor:
    """Which places along an axis a square of that side covers, (N, length)."""
    start = (numbers * (length - side + 1)).long()[:, None]
    places = torch.arange(length, device=numbers.device)
    return (places >= start) & (places < start + side)
