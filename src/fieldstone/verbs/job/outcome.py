"""What came of a training, for programs and for a person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fieldstone.training.checkpoint import Progressed
from fieldstone.training.run import Run
from fieldstone.verbs.job.images import TrainingImages


def outcome(images: TrainingImages, run: Run, at: Progressed, stopped: str | None, page: Path | None) -> dict[str, Any]:
    """What `fieldstone train --json` prints."""
    return {
        "task": images.task.name,
        "run": str(run.path),
        "model": str(run.model) if at.kept_weights else None,
        "report": None if page is None else str(page),
        "epochs": at.step // images.batches.steps,
        "kept": at.kept,
        "best_epoch": at.best_epoch,
        "stopped": stopped,
        "seconds": round(at.seconds, 3),
        "images_per_second": round(at.trained_images / at.trained_seconds, 1) if at.trained_seconds else None,
        "validation": at.kept_metrics,
        "left_out": [left._asdict() for left in images.decoded.manifest.left_out],
    }


def summary(report: dict[str, Any]) -> str:
    """A training's report as a person reads it."""
    epochs, rate = report["epochs"], report["images_per_second"]
    speed = "" if rate is None else f" at {rate:,.0f} images/s"  # None where all features lay in the cache
    stopped = ", stopped early" if report["stopped"] == "early" else ""
    made = f"{epochs} epoch{'s' if epochs > 1 else ''} in {report['seconds']:.1f} s{speed}{stopped}"
    page = "" if report["report"] is None else f"\nreport {report['report']}"
    return f"{made}; {_kept(report)}\nmodel {report['model']}{page}"


def _kept(report: dict[str, Any]) -> str:
    """Which weights are kept, and how good they are."""
    epochs, validation = report["epochs"], report["validation"]
    mean = f"the mean of the weights of {epochs} epochs"
    if validation is None:
        return (
            f"{mean if report['kept'] == 'mean' and epochs > 1 else 'the last epoch'} is kept, since no image validates"
        )
    best = {
        "head": "the head fitted first, since the epochs made it clearly worse, ",
        "mean": f"{mean}, ",
        "epoch": f"best epoch {report['best_epoch']} by probability of truth, ",
    }
    chosen = "" if epochs == 1 and report["kept"] != "head" else best[report["kept"]]
    return f"{chosen}validation {validation['accuracy']:.2%}"
