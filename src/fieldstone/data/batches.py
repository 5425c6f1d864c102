"""Batches on the device: indexed out of the decoded array, augmented as a whole."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fieldstone.data.augment import Augmentation
from fieldstone.data.decode import Pixels


def epoch_order(indices: NDArray[np.int64], seed: int, epoch: int) -> NDArray[np.int64]:
    """The indices in the order of an epoch: a permutation that depends on (seed, epoch) alone."""
    generator = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, epoch])))
    return generator.permutation(indices)


def steps_of(count: int, batch_size: int) -> int:
    """How many batches `count` images give: a last batch of one image is dropped, unless it is the only one."""
    return max(1, count // batch_size + (count % batch_size >= 2))


class Batches:
    """The training images in batches.

    `images` (N, C, H, W) uint8 and `targets` (N,) are all rows, `indices` those that train. `augment` names the
    kinds of augmentation; `fill` is the pixel value per channel that cutout writes.
    """

    def __init__(
        self,
        images: Pixels,
        targets: NDArray[np.int64],
        indices: NDArray[np.int64],
        batch_size: int,
        *,
        device: torch.device,
        seed: int,
        augment: Sequence[str] = (),
        fill: Sequence[float] | None = None,
    ) -> None:
        self.images = images
        self.targets = targets
        self.indices = indices
        self.batch_size = batch_size
        self.device = device
        self.seed = seed
        self.augmentation = Augmentation(augment, fill or (127.0,) * images.shape[1])

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        return steps_of(len(self.indices), self.batch_size)

    def epoch(self, epoch: int, start_step: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """(inputs, targets) of each step from `start_step` on; inputs (n, C, H, W) in pixel units, uint8 or float32."""
        order = epoch_order(self.indices, self.seed, epoch)
        table = self.augmentation.draw(len(self.images), self.seed, epoch)
        for step in range(start_step, self.steps):
            rows = order[step * self.batch_size : (step + 1) * self.batch_size]
            inputs = to_device(self.images[rows], self.device)
            targets = to_device(self.targets[rows], self.device)
            yield self.augmentation(inputs, to_device(table[rows], self.device)), targets


def in_turn(
    images: Pixels, indices: NDArray[np.int64], batch_size: int, device: torch.device
) -> Iterator[tuple[NDArray[np.int64], Tensor]]:
    """(rows, inputs) of every index, in their order, unchanged: for validation and test."""
    for start in range(0, len(indices), batch_size):
        rows = indices[start : start + batch_size]
        yield rows, to_device(images[rows], device)


def to_device(array: NDArray[np.generic], device: torch.device) -> Tensor:
    """A copy of an array on the device; to a GPU through pinned memory, without waiting."""
    tensor = torch.from_numpy(np.ascontiguousarray(array))
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)
