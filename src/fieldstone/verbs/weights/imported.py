"""Weights of another library, written as a model file."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fieldstone.data.preprocessing_text import numbers_text, size_text
from fieldstone.errors import ModelError
from fieldstone.model.model import Model
from fieldstone.verbs.weights.import_weights import import_weights

SUFFIX = ".safetensors"


@dataclass(frozen=True, repr=False)
class Imported:
    """What came of an import."""

    model: Model
    file: Path

    def to_json(self) -> dict[str, Any]:
        """What `fieldstone weights import --json` prints."""
        model = self.model
        assert model.design is not None
        return {
            "model": str(self.file),
            "design": model.design.name,
            "params": self.params,
            "task": model.task.name,
            "classes": list(model.classes),
            "preprocessing": model.preprocessing.to_json(),
            **{name: model.about["data"][name] for name in ("weights", "sha256", "library")},
            "notes": self.notes,
        }

    @property
    def notes(self) -> list[str]:
        """What a person should know of the weights, and what was assumed of them."""
        data = self.model.about["data"]
        return [*data["notes"], *data["assumed"]]

    @property
    def params(self) -> int:
        return sum(parameter.numel() for parameter in self.model.network.parameters())

    def __repr__(self) -> str:
        model, data, images = self.model, self.model.about["data"], self.model.preprocessing
        assert model.design is not None
        lines = [
            f"{model.design.name}: every one of its {self.params:,} parameters, from {data['weights']}",
            f"names    those of {data['library']}",
            f"classes  {_classes(model.classes)}",
            f"images   {size_text(images)}, {images.channels} channel{'s' if images.channels > 1 else ''}",
            f"numbers  {numbers_text(images)}",
            *(f"note     {note}" for note in self.notes),
            f"next     fieldstone predict {shlex.quote(str(self.file))} IMAGE",
        ]
        return "\n".join(lines)


def import_file(file: str | Path, design: str, out: str | Path, **given: Any) -> Imported:
    """Import weights, as `import_weights` does, and write the model to a file that is not there yet.

    Raises:
        ModelError: the place is taken, or cannot be written.
    """
    place = Path(out)
    if place.suffix != SUFFIX:
        raise ModelError(f"a model file ends in {SUFFIX}", file=str(place), fix=f"write to {place.stem}{SUFFIX}")
    if place.exists():
        raise ModelError("is there already and is not overwritten", file=str(place), fix="give another place with -o")
    if not place.parent.is_dir():
        raise ModelError("its folder is not there", file=str(place), fix=f"make {place.parent}, or give another place")
    model = import_weights(file, design, **given)
    return Imported(model, model.save(place))


def _classes(names: tuple[str, ...]) -> str:
    few = len(names) <= 6
    shown = names if few else (*names[:2], "...", names[-1])
    return f"{len(names):,}: {', '.join(shown)}"
