"""What a run's files say of its images and its epochs, checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from fieldstone.data.manifest import LeftOut, Manifest, ManifestRow
from fieldstone.data.split import PARTS
from fieldstone.errors import RunError
from fieldstone.training.run import Run

Record = TypeVar("Record")


@dataclass(frozen=True)
class Epoch:
    """A line of `metrics.jsonl`.

    Attributes:
        train_loss: the mean over the images, as augmented.
        validation: figures by name, `loss` among them; None where no image validates.
        images_per_second: None where no image went through the network.
    """

    number: int
    learning_rate: float
    train_loss: float
    validation: dict[str, float] | None
    seconds: float
    images_per_second: float | None


def read_epochs(run: Run) -> tuple[Epoch, ...]:
    """The lines of `metrics.jsonl`.

    Raises:
        RunError: the file is damaged.
    """
    return tuple(
        _understood(_epoch, line, run.metrics, f"line {number}") for number, line in enumerate(run.read_history(), 1)
    )


def read_manifest(run: Run) -> Manifest:
    """What `data.json` holds.

    Raises:
        RunError: the file is missing or damaged.
    """
    return _understood(_manifest, run.read_json(run.data), run.data, "what it holds")


def _understood(read: Callable[[Any], Record], value: Any, place: Any, what: str) -> Record:
    try:
        return read(value)
    except (LookupError, TypeError, ValueError, AttributeError) as fault:
        fix = "put back the file that training wrote, or start a new training"
        raise RunError(f"is damaged: {what} is not as training writes it", file=str(place), fix=fix) from fault


def _epoch(line: dict[str, Any]) -> Epoch:
    checked, rate = line["validation"], line["images_per_second"]
    return Epoch(
        number=int(line["epoch"]),
        learning_rate=float(line["learning_rate"]),
        train_loss=float(line["train"]["loss"]),
        validation=None if checked is None else {name: float(value) for name, value in checked.items()},
        seconds=float(line["seconds"]),
        images_per_second=None if rate is None else float(rate),
    )


def _manifest(value: dict[str, Any]) -> Manifest:
    classes = tuple(str(name) for name in value["classes"])
    rows = tuple(ManifestRow(**row) for row in value["rows"])
    if not all(row.split in PARTS and row.target in range(len(classes)) for row in rows):
        raise ValueError("a row of no part or class")
    left_out = tuple(LeftOut(**left) for left in value["left_out"])
    return Manifest(str(value["path"]), str(value["form"]), classes, rows, left_out)
