"""The images of a training: those that train, in batches, and those that validate."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from fieldstone.data.batches import Batches
from fieldstone.data.dataset import Decoded
from fieldstone.model.inference import Normalise
from fieldstone.tasks.task import Task
from fieldstone.training.features import Rows
from fieldstone.training.recipe import Recipe
from fieldstone.training.validation import Validation


@dataclass(frozen=True)
class TrainingImages:
    """What the recipe of a training makes of decoded images, on the device that trains."""

    decoded: Decoded
    task: Task
    recipe: Recipe
    device: torch.device

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in the order of their indices."""
        return self.decoded.manifest.classes

    @cached_property
    def rows(self) -> Rows:
        """The row numbers of the images that train."""
        return self.decoded.manifest.indices("train")

    @cached_property
    def validation_rows(self) -> Rows:
        """The row numbers of the images that validate."""
        return self.decoded.manifest.indices("val")

    @property
    def in_all(self) -> int:
        """How many images go through the network in all epochs."""
        return len(self.rows) * self.recipe.epochs

    @cached_property
    def batches(self) -> Batches:
        """The images that train, in the order of each epoch; one batch where a head is fitted to all at once."""
        return Batches(
            self.decoded.images,
            self.decoded.manifest.targets,
            self.rows,
            self.recipe.batch_size or len(self.rows),
            device=self.device,
            seed=self.recipe.seed,
            augment=self.recipe.augment or (),
            fill=self.decoded.preprocessing.padding,
        )

    @cached_property
    def normalise(self) -> Normalise:
        """Pixels to network input, on the device."""
        return Normalise(self.decoded.preprocessing).to(self.device)

    @cached_property
    def validation(self) -> Validation | None:
        """The images that validate, None where there are none."""
        rows = self.validation_rows
        if not len(rows):
            return None
        return Validation(
            images=self.decoded.images,
            rows=rows,
            targets=torch.from_numpy(self.decoded.manifest.targets[rows]),
            classes=self.classes,
            task=self.task,
            normalise=self.normalise,
            device=self.device,
            precision=self.recipe.precision,
        )

    @cached_property
    def class_weights(self) -> Tensor | None:
        """`balanced`: each class counts the same in the loss, whatever its number of images."""
        if self.recipe.class_weights == "none":
            return None
        targets = self.decoded.manifest.targets[self.rows]
        counts = np.bincount(targets, minlength=len(self.classes))
        weights = len(targets) / (len(self.classes) * np.maximum(counts, 1))
        return torch.tensor(weights, dtype=torch.float32, device=self.device)
