"""The figures of a classification, from probabilities and true classes."""

from typing import Any, NamedTuple

import torch
from torch import Tensor

CALIBRATION_BINS = 15


def classification_metrics(probabilities: Tensor, targets: Tensor, classes: tuple[str, ...]) -> dict[str, Any]:
    """Accuracy, expected calibration error, figures per class, and `confusion[true][predicted]`.

    `probability_of_truth` is the mean probability that the right class was given: an accuracy without steps. On some
    dozen validation images the accuracy itself has ties everywhere and picks an epoch by chance.

    Args:
        probabilities: (N, classes), each row summing to 1.
        targets: (N,) class indices.
        classes: names in the order of the indices.
    """
    predicted = probabilities.argmax(dim=1)
    n = len(classes)
    confusion = torch.bincount(targets * n + predicted, minlength=n * n).reshape(n, n)
    return {
        "accuracy": (predicted == targets).double().mean().item(),
        "probability_of_truth": probabilities.double().gather(1, targets[:, None]).mean().item(),
        "calibration_error": calibration_error(probabilities, targets),
        "per_class": {name: _class_figures(confusion, i) for i, name in enumerate(classes)},
        "confusion": confusion.tolist(),
    }


class CalibrationBin(NamedTuple):
    """The images whose confidence lies in one bin: how many, and the sums over them of confidence and of hits."""

    images: int
    confidence: float
    right: float


def calibration_bins(probabilities: Tensor, targets: Tensor) -> list[CalibrationBin]:
    """The images in 15 equal bins of confidence, (0, 1/15] first; confidence is the probability of the class given."""
    confidence, predicted = probabilities.double().max(dim=1)
    right = (predicted == targets).double()
    bins = (confidence * CALIBRATION_BINS).ceil().long().clamp(1, CALIBRATION_BINS) - 1
    sums = torch.zeros(CALIBRATION_BINS, 3, dtype=torch.float64)
    sums.index_add_(0, bins, torch.stack([torch.ones_like(right), confidence, right], dim=1))
    return [CalibrationBin(int(images), *both) for images, *both in sums.tolist()]


def calibration_error(probabilities: Tensor, targets: Tensor) -> float:
    """Expected calibration error: |accuracy - confidence| in 15 equal bins of confidence, weighted by their images.

    Source: Guo, Pleiss, Sun and Weinberger, On Calibration of Modern Neural Networks, 2017, equation 3.
    """
    bins = calibration_bins(probabilities, targets)
    return sum(abs(one.right - one.confidence) for one in bins) / len(targets)


def roc_area(scores: Tensor, targets: Tensor) -> float | None:
    """Area under the ROC curve: how often a positive scores above a negative, ties counting one half (Mann-Whitney U).

    None where one of the classes has no image.
    """
    positives = int(targets.sum())
    negatives = len(targets) - positives
    if positives == 0 or negatives == 0:
        return None
    _, group, counts = torch.unique(scores, return_inverse=True, return_counts=True)
    mean_rank = counts.cumsum(0).double() - (counts.double() - 1) / 2
    rank_sum = float(mean_rank[group][targets == 1].sum())
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives)


def _class_figures(confusion: Tensor, index: int) -> dict[str, Any]:
    """Precision, recall and F1 of one class; 0 where nothing was predicted as it, or no image is of it."""
    hits = confusion[index, index].item()
    predicted, images = confusion[:, index].sum().item(), confusion[index].sum().item()
    return {
        "precision": hits / predicted if predicted else 0.0,
        "recall": hits / images if images else 0.0,
        "f1": 2 * hits / (predicted + images) if predicted + images else 0.0,
        "images": images,
    }
