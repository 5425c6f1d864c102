"""Which part of an image speaks for a class: by gradients, and by covering it.

Sources: Selvaraju et al., "Grad-CAM", arXiv:1610.02391; Zeiler and Fergus, "Visualizing and Understanding Convolutional
Networks", arXiv:1311.2901, section 4.2 (occlusion).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fieldstone.explain.explorer.parts import Part
from fieldstone.explain.watching import outputs_of
from fieldstone.model.inference import evaluating, in_evaluation_mode

PARTS = 6
"""A patch is so small a part of the shorter side."""
AT_ONCE = 32


def last_map(parts: Sequence[Part]) -> Part | None:
    """The last part whose map has rows and columns: what is after it has lost where things are."""
    maps = (part for part in reversed(parts) if len(part.output_shape) == 3)
    return next((part for part in maps if max(part.output_shape[1:]) > 1), None)


def class_activation(network: nn.Module, path: str, image: Tensor, place: int) -> Tensor:
    """Grad-CAM: the maps at a path, weighted by how much their mean moves the logit of a class, where they are for it.

    Args:
        image: (C, H, W), as the first block reads it.
        place: of the class; in a network of one logit 0 is what speaks against it.

    Returns:
        (h, w), 0 to 1; all 0 where nothing speaks for the class.
    """
    device = next(network.parameters()).device
    with in_evaluation_mode(network), torch.enable_grad(), outputs_of(network, [path]) as maps:
        logits = network(image[None].to(device).requires_grad_())
        (gradient,) = torch.autograd.grad(logit_for(logits[0], place), maps[path])
    return weighted(maps[path][0], gradient[0])


def weighted(maps: Tensor, gradient: Tensor) -> Tensor:
    """Maps (C, h, w) by the means of their gradients, summed where that is above 0; (h, w), its largest 1."""
    weights = gradient.mean(dim=(1, 2), keepdim=True)  # (C, h, w) -> (C, 1, 1)
    found = (weights * maps).sum(dim=0).relu().detach().float().cpu()
    return found / found.max() if found.max() > 0 else found


class Patches(NamedTuple):
    """Where an image is covered, so that every pixel is: squares of `size` pixels, by their upper left corners."""

    size: int
    stride: int
    corners: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, image: Tensor) -> Patches:
        """For (C, H, W)."""
        sides = image.shape[1:]
        size = max(1, min(sides) // PARTS)
        stride = max(1, size // 2)
        axes = [sorted({*range(0, side - size, stride), side - size}) for side in sides]
        return cls(size, stride, tuple((row, column) for row, column in product(*axes)))


def occlusion(
    network: nn.Module,
    decode: Callable[[Tensor], Tensor],
    image: Tensor,
    patches: Patches,
    advance: Callable[[int], None],
) -> Tensor:
    """Cover every part of an image by its mean, which is 0 after normalisation, and look at the probabilities.

    Args:
        decode: logits (N, outputs) -> probabilities (N, classes).
        image: (C, H, W).
        advance: is told of so many patches more.

    Returns:
        (classes, h, w): how far the probability of each class falls, the mean over the patches that cover a place.
    """
    device = next((one.device for one in network.parameters()), image.device)
    size = patches.size
    with evaluating(network):
        whole = decode(network(image[None].to(device)).float())[0].cpu()
        sums, counts = torch.zeros(len(whole), *image.shape[1:]), torch.zeros(image.shape[1:])
        for first in range(0, len(patches.corners), AT_ONCE):
            some = patches.corners[first : first + AT_ONCE]
            covered = torch.stack([_covered(image, *corner, size) for corner in some]).to(device)
            falls = whole - decode(network(covered).float()).cpu()  # (N, classes)
            for (row, column), fall in zip(some, falls, strict=True):
                sums[:, row : row + size, column : column + size] += fall[:, None, None]
                counts[row : row + size, column : column + size] += 1
            advance(len(some))
    height, width = (-(-side // patches.stride) for side in image.shape[1:])
    return F.adaptive_avg_pool2d(sums / counts, (height, width))


def _covered(image: Tensor, row: int, column: int, patch: int) -> Tensor:
    covered = image.clone()
    covered[:, row : row + patch, column : column + patch] = 0
    return covered


def logit_for(logits: Tensor, place: int) -> Tensor:
    """What speaks for a class, of the logits of one image."""
    if len(logits) == 1:
        return logits[0] if place == 1 else -logits[0]
    return logits[place]
