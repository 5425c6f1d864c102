"""What a model says of images that it did not train on, image by image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from fieldstone.data.dataset import Decoded
from fieldstone.data.decode import Pixels
from fieldstone.model.model import Model
from fieldstone.report.wording import image_name
from fieldstone.tasks.classification import CalibrationBin, calibration_bins


class Answer(NamedTuple):
    """One image: its row in the array, what it is, what the model says, and how probable that is to it."""

    row: int
    name: str
    truth: str
    given: str
    confidence: float


class Confusion(NamedTuple):
    """How many images of a class were taken for another, and the share of its images."""

    truth: str
    given: str
    images: int
    share: float


@dataclass(frozen=True)
class Examination:
    """The figures of one part of the data, and its images in the order of their answers.

    Attributes:
        part: `validation` or `test`.
        images: the array that the rows are of.
        rows, names, targets, predicted, confidence: one entry an image.
        figures: what the task measures.
    """

    part: str
    classes: tuple[str, ...]
    images: Pixels = field(repr=False)
    rows: NDArray[np.int64]
    names: Sequence[str]
    targets: NDArray[np.int64]
    predicted: NDArray[np.int64]
    confidence: NDArray[np.float64]
    figures: dict[str, Any]
    bins: list[CalibrationBin]

    @property
    def count(self) -> int:
        """How many images."""
        return len(self.targets)

    @property
    def largest_class(self) -> float:
        """The share of the most frequent class: what naming it always would get right."""
        return float(np.bincount(self.targets).max() / self.count)

    def mistakes(self, most: int) -> list[Answer]:
        """The images that were given a wrong class, the most probable ones first."""
        wrong = np.flatnonzero(self.predicted != self.targets)
        return [self._answer(n) for n in wrong[np.argsort(-self.confidence[wrong], kind="stable")][:most]]

    def doubtful(self, most: int) -> list[Answer]:
        """The images whose class is the least probable, right or wrong."""
        return [self._answer(n) for n in np.argsort(self.confidence, kind="stable")[:most]]

    def confused(self, most: int) -> list[Confusion]:
        """The pairs of classes with the most images of one taken for the other; ties by their order."""
        counts = np.array(self.figures["confusion"])
        images = counts.sum(axis=1)
        np.fill_diagonal(counts, 0)
        order = np.argsort(-counts, axis=None, kind="stable")[:most]
        pairs = [divmod(int(place), len(self.classes)) for place in order if counts.flat[place]]
        return [
            Confusion(
                self.classes[truth],
                self.classes[given],
                int(counts[truth, given]),
                counts[truth, given] / images[truth],
            )
            for truth, given in pairs
        ]

    def _answer(self, n: int) -> Answer:
        truth, given = self.classes[self.targets[n]], self.classes[self.predicted[n]]
        return Answer(int(self.rows[n]), self.names[n], truth, given, float(self.confidence[n]))


def examine(
    model: Model, part: str, logits: Tensor, targets: Tensor, decoded: Decoded, rows: NDArray[np.int64]
) -> Examination:
    """The figures of (N, outputs) logits of the images at `rows`, whose (N,) targets count the model's classes."""
    probabilities = model.task.decode(logits)
    confidence, predicted = probabilities.double().max(dim=1)
    places = [decoded.manifest.rows[row] for row in rows]
    return Examination(
        part=part,
        classes=model.classes,
        images=decoded.images,
        rows=rows,
        names=[image_name(place.file, place.index) for place in places],
        targets=targets.numpy(),
        predicted=predicted.numpy(),
        confidence=confidence.numpy(),
        figures=model.task.metrics(logits, targets, model.classes),
        bins=calibration_bins(probabilities, targets),
    )
