"""A run: the folder of plain files that one training writes. Never overwritten."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fieldstone.errors import RunError
from fieldstone.files import UNFINISHED, write_text

RUNS = Path("runs")


@dataclass(frozen=True)
class Run:
    """The folder and the places in it."""

    path: Path

    @property
    def model(self) -> Path:
        return self.path / "model.safetensors"

    @property
    def design(self) -> Path:
        return self.path / "design.yaml"

    @property
    def recipe(self) -> Path:
        return self.path / "recipe.yaml"

    @property
    def data(self) -> Path:
        return self.path / "data.json"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    @property
    def resume_tensors(self) -> Path:
        return self.path / "resume.safetensors"

    @property
    def resume_state(self) -> Path:
        return self.path / "resume.json"

    @classmethod
    def refuse_existing(cls, path: str | Path | None) -> None:
        """Fail before any work where the folder that was asked for exists."""
        if path is not None and not str(path):
            raise RunError("the run folder to make has an empty name", fix="give --out a name, or leave it out")
        if path is not None and Path(path).exists():
            raise RunError("exists, and a run is never overwritten", file=str(path), fix="give another --out")

    @classmethod
    def create(cls, path: str | Path | None) -> Run:
        """Make the folder that was asked for, or the next of `runs/1`, `runs/2`, …

        Raises:
            RunError: it exists, or cannot be made.
        """
        try:
            if path is not None:
                Path(path).mkdir(parents=True)
                return cls(Path(path))
            return cls(_next_numbered())
        except FileExistsError as fault:
            raise RunError(
                "exists, and a run is never overwritten", file=str(path), fix="give another --out"
            ) from fault
        except OSError as fault:
            raise RunError(
                f"cannot be made: {fault.strerror}",
                file=str(path or RUNS),
                fix="give --out a place that can be written",
            ) from fault

    def write(self, place: Path, text: str) -> None:
        """Write one of the run's files whole.

        Raises:
            RunError: the disk is full, or the folder cannot be written.
        """
        try:
            write_text(place, text)
        except OSError as fault:
            raise RunError(
                f"cannot be written: {fault.strerror}", file=str(place), fix="make room or give --out"
            ) from fault

    def read_json(self, place: Path) -> dict[str, Any]:
        """One of the run's JSON objects.

        Raises:
            RunError: it is missing or damaged.
        """
        try:
            content = json.loads(place.read_text(encoding="utf-8"))
        except (OSError, ValueError) as fault:
            raise RunError("is missing or damaged", file=str(place), fix="start a new training") from fault
        if not isinstance(content, dict):
            raise RunError("is damaged", file=str(place), fix="start a new training")
        return content

    def write_history(self, history: list[dict[str, Any]]) -> None:
        """`metrics.jsonl`: one line an epoch."""
        self.write(self.metrics, "".join(json.dumps(epoch) + "\n" for epoch in history))

    def read_history(self) -> list[dict[str, Any]]:
        """The lines of `metrics.jsonl`, none where there is no such file yet."""
        if not self.metrics.exists():
            return []
        try:
            history = [json.loads(line) for line in self.metrics.read_text(encoding="utf-8").splitlines()]
        except ValueError as fault:
            raise RunError("is damaged", file=str(self.metrics), fix="start a new training") from fault
        if not all(isinstance(line, dict) for line in history):
            raise RunError("is damaged", file=str(self.metrics), fix="start a new training")
        return history

    def plan_digest(self) -> str:
        """SHA-256 over `design.yaml` and `recipe.yaml`, which a run that goes on must find unchanged."""
        digest = hashlib.sha256()
        for place in (self.design, self.recipe):
            digest.update(place.read_bytes() if place.exists() else b"")
        return digest.hexdigest()

    def remove_unfinished(self) -> None:
        """Remove what a killed process left half written."""
        for place in self.path.glob(f".*{UNFINISHED}"):
            place.unlink(missing_ok=True)


def _next_numbered() -> Path:
    RUNS.mkdir(exist_ok=True)
    number = max((int(place.name) for place in RUNS.iterdir() if place.name.isdecimal()), default=0) + 1
    while True:
        try:
            (RUNS / str(number)).mkdir()
        except FileExistsError:  # another training took it in this moment
            number += 1
        else:
            return RUNS / str(number)
