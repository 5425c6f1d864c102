"""What is written of an epoch: its line of `metrics.jsonl`, and that line as a person reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def epoch_line(
    *,
    epoch: int,
    step: int,
    learning_rate: float | None,
    loss: float,
    metrics: Mapping[str, Any] | None,
    averaged: int | None,
    images: int,
    training: float,
    seconds: float,
) -> dict[str, Any]:
    """One line of `metrics.jsonl`.

    Args:
        epoch: counted from 1.
        metrics: of the images that validate, `accuracy` and `loss` among them; None where there are none.
        averaged: of how many epochs the mean of the weights was validated; None where it was the network as it stood.
        images: how many went through the network, in `training` seconds of the epoch's `seconds`.
    """
    return {
        "epoch": epoch,
        "step": step,
        "learning_rate": learning_rate,
        "train": {"loss": loss},
        "validation": shortened(metrics),
        "averaged": averaged,
        "seconds": round(seconds, 3),
        "images_per_second": round(images / training, 1) if images else None,
    }


def shortened(metrics: Mapping[str, Any] | None) -> dict[str, float] | None:
    """The two figures that are written of an epoch."""
    return None if metrics is None else {"accuracy": metrics["accuracy"], "loss": metrics["loss"]}


def epoch_text(line: Mapping[str, Any], epochs: int) -> str:
    """One epoch as a person reads it."""
    of_mean = " of the mean" if (line["averaged"] or 0) > 1 else ""
    validated = validation_text(line["validation"], of_mean)
    rate = f"{line['images_per_second']:,.0f} images/s"
    return f"epoch {line['epoch']:>{len(str(epochs))}}/{epochs}  loss {line['train']['loss']:.4f}{validated}  {rate}"


def validation_text(validation: Mapping[str, float] | None, of: str = "") -> str:
    """The end of a line that says how good something is on the validation images; nothing without them."""
    return "" if validation is None else f"  validation{of} {validation['accuracy']:.2%}, loss {validation['loss']:.4f}"
