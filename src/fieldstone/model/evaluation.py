"""Testing a model on images that it has never seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from rich.cells import cell_len, set_cell_size
from torch import Tensor

from fieldstone.data.dataset import Decoded
from fieldstone.data.manifest import Manifest
from fieldstone.data.opening import open_data
from fieldstone.errors import DataError, ModelError
from fieldstone.model.file import short_key
from fieldstone.model.inference import Normalise, logits
from fieldstone.model.predicting import OTHER_WEIGHTS
from fieldstone.progress import Progress

if TYPE_CHECKING:
    from fieldstone.model.model import Model

CONFUSION_CLASSES_SHOWN = 20


@dataclass(frozen=True, repr=False)
class TestReport:
    """The figures of a test; its repr is a table, `to_json` what `fieldstone test --json` prints."""

    __test__ = False  # for pytest: no test class

    task: str
    classes: tuple[str, ...]
    images: int
    excluded_trained: int
    figures: dict[str, Any]
    left_out: tuple[dict[str, str], ...]

    @property
    def accuracy(self) -> float:
        """The share of images whose most probable class is the right one."""
        return float(self.figures["accuracy"])

    def to_json(self) -> dict[str, Any]:
        """One object, its keys as the documentation gives them."""
        return {
            "task": self.task,
            "classes": list(self.classes),
            "images": self.images,
            "excluded_trained": self.excluded_trained,
            **self.figures,
            "left_out": list(self.left_out),
        }

    def __repr__(self) -> str:
        return "\n".join(_report_lines(self))


class Answers(NamedTuple):
    """What a model says of images that it has never seen.

    Attributes:
        decoded: those images.
        targets: (N,) the class of each, by its index in the model.
        logits: (N, outputs).
        excluded: how many others it was trained or validated on.
    """

    decoded: Decoded
    targets: Tensor
    logits: Tensor
    excluded: int


def answers(model: Model, path: str | Path, *, strict: bool = False, progress: Progress) -> Answers:
    """Answer for the images of `path` that the model has not seen; see `Model.test`."""
    dataset = open_data(path, strict=strict, one_class=True, progress=progress)
    candidates = [entry for entry in dataset.entries if entry.given == "test" or not dataset.has_test]
    unseen = [entry for entry in candidates if short_key(entry.key) not in model.seen]
    if not unseen:
        raise DataError(
            f"all {len(candidates)} images here were trained or validated on, none is left to test on",
            file=str(path),
            fix="give images that the model has not seen",
        )
    decoded = replace(dataset, entries=tuple(unseen)).decode(model.preprocessing, progress=progress, strict=strict)
    if len(decoded.images) == 0:
        raise DataError("no image here can be read", file=str(path), fix="look at `fieldstone data` of the same path")
    targets = torch.from_numpy(_class_numbers(decoded.manifest, model.classes)[decoded.manifest.targets])
    with progress.bar("testing", len(targets)) as bar:
        outputs = logits(
            model.network,
            Normalise(model.preprocessing).to(model.device),
            decoded.images,
            np.arange(len(targets)),
            model.device,
            bar.advance,
        )
    _refuse_not_finite(outputs, path)
    return Answers(decoded, targets, outputs, len(candidates) - len(unseen))


def evaluate(model: Model, path: str | Path, *, strict: bool, progress: Progress) -> TestReport:
    """The report of `Model.test`."""
    given = answers(model, path, strict=strict, progress=progress)
    return TestReport(
        task=model.task.name,
        classes=model.classes,
        images=len(given.targets),
        excluded_trained=given.excluded,
        figures=model.task.metrics(given.logits, given.targets, model.classes),
        left_out=tuple(left._asdict() for left in given.decoded.manifest.left_out),
    )


def _refuse_not_finite(outputs: Tensor, path: str | Path) -> None:
    """Fail where the network has no answer to an image, and so no figures."""
    lost = int((~outputs.isfinite().all(dim=1)).sum())
    if lost:
        raise ModelError(
            f"the network's answers to {lost:,} of {len(outputs):,} images are not finite",
            file=str(path),
            fix=OTHER_WEIGHTS,
        )


def _class_numbers(data: Manifest, classes: tuple[str, ...]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """For each class of the data its index in the model."""
    unknown = [name for name in data.classes if name not in classes]
    if unknown:
        raise DataError(
            f"the classes {_named(unknown, 5)} are not among the model's: {_named(classes, 20)}",
            file=data.path,
            fix="give data with the model's classes",
        )
    return np.array([classes.index(name) for name in data.classes], dtype=np.int64)


def _named(classes: Sequence[str], most: int) -> str:
    """Their names, or the first of them and how many more there are."""
    more = f" and {len(classes) - most:,} more" if len(classes) > most else ""
    return ", ".join(map(repr, classes[:most])) + more


def _report_lines(report: TestReport) -> list[str]:
    figures = report.figures
    counted = f"{report.images:,} images"
    if report.excluded_trained:
        counted += f" ({report.excluded_trained:,} that the model was trained or validated on are not counted)"
    lines = [
        f"accuracy {figures['accuracy']:.2%} on {counted}",
        f"loss {figures['loss']:.4f}   expected calibration error {figures['calibration_error']:.4f}"
        + (f"   AUROC {figures['auroc']:.4f}" if figures.get("auroc") is not None else ""),
        "",
    ]
    width = max(5, *(cell_len(name) for name in report.classes))
    lines.append(f"{'class':<{width}}  precision  recall      F1  images")
    for name, row in figures["per_class"].items():
        rates = f"{row['precision']:>9.4f}  {row['recall']:.4f}  {row['f1']:.4f}"
        lines.append(f"{set_cell_size(name, width)}  {rates}  {row['images']:>6,}")
    if len(report.classes) <= CONFUSION_CLASSES_SHOWN:
        lines += ["", *_confusion_lines(report, width)]
    if report.left_out:
        count = len(report.left_out)
        lines += ["", f"{count:,} file{'s' if count > 1 else ''} left out:"]
        lines += [f"  {out['file']}: {out['reason']}" for out in report.left_out]
    return lines


def _confusion_lines(report: TestReport, width: int) -> list[str]:
    """Rows are true classes, columns the predicted ones in the same order."""
    counts = report.figures["confusion"]
    column = max(len(f"{n:,}") for row in counts for n in row) + 2
    lines = ["confusion: a row is a true class, a column a predicted one, in the same order"]
    for name, row in zip(report.classes, counts, strict=True):
        lines.append(set_cell_size(name, width) + "".join(f"{n:>{column},}" for n in row))
    return lines
