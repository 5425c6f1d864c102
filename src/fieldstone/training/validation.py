"""The images that validate: what a network says of them as it is now, and whether another is clearly better."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from fieldstone.data.decode import Pixels
from fieldstone.model.inference import logits
from fieldstone.tasks.task import Task
from fieldstone.training.features import Rows
from fieldstone.training.precision import autocast

CLEARLY = 2.0
"""By how many standard errors."""


@dataclass(frozen=True)
class Validation:
    """Some images with their targets, and how they come to be a network's input.

    Attributes:
        rows: their numbers among `images`.
        targets: (len(rows),) class indices.
        normalise: pixels to network input.
    """

    images: Pixels
    rows: Rows
    targets: Tensor
    classes: tuple[str, ...]
    task: Task
    normalise: nn.Module
    device: torch.device
    precision: str

    def outputs(self, network: nn.Module) -> Tensor:
        """The network's logits, (len(rows), outputs)."""
        with autocast(self.device, self.precision):
            return logits(network, self.normalise, self.images, self.rows, self.device)

    def metrics(self, outputs: Tensor) -> dict[str, Any]:
        """The task's figures for these logits."""
        return self.task.metrics(outputs, self.targets, self.classes)

    def truth(self, outputs: Tensor) -> Tensor:
        """The probability that was given to the right class of each image, (len(rows),)."""
        return self.task.decode(outputs).double().gather(1, self.targets[:, None]).squeeze(1)


@dataclass(frozen=True)
class Gain:
    """By how much numbers are above others of the same images: both means, and the standard error of the difference."""

    these: float
    others: float
    error: float

    @property
    def is_clear(self) -> bool:
        return self.these - self.others > CLEARLY * self.error

    def __str__(self) -> str:
        difference = f"difference {self.these - self.others:.4f}, standard error {self.error:.4f}"
        return f"{self.these:.4f} against {self.others:.4f} ({difference})"

    @classmethod
    def of(cls, these: Tensor, others: Tensor) -> Gain:
        """Of one number an image, (N,) each; with one image alone the error is without bound."""
        differences, count = these - others, len(these)
        error = float(differences.std(correction=1)) / math.sqrt(count) if count > 1 else math.inf
        return cls(float(these.mean()), float(others.mean()), error)
