"""Every error that a user can meet.

FieldstoneError              any of them; `except fieldstone.FieldstoneError` catches all
├── DesignError              a design text, or a design that cannot be walked
├── RecipeError              a recipe, or an option that sets one of its fields
├── DataError                a folder, table or container of images
│   └── ImageError           one image that cannot be read
├── ModelError               a model file that is cut, altered, or from elsewhere
├── RunError                 a run folder: it exists, or it cannot go on
├── TrainingError            a training that cannot go on: its loss is not finite
├── TraceError               an array that a block cannot be traced on
├── DeviceError              a device that this machine does not have, or whose memory is too small
└── MissingExtraError        an optional dependency that is not installed
"""

from typing import Any


class FieldstoneError(ValueError):
    """A fault that the user can mend.

    `message` states the fact with its values; `file` and `line` say where it was written, `path` which block
    of a design is meant, `fix` the next thing to do. `str` joins them into one sentence.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str | None = None,
        line: int | None = None,
        path: str | None = None,
        fix: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.line = line
        self.path = path
        self.fix = fix

    def __str__(self) -> str:
        place = "" if self.file is None else f"{self.file}: " if self.line is None else f"{self.file}:{self.line}: "
        return place + self.message + ("" if self.fix is None else f"; {self.fix}")

    def to_json(self) -> dict[str, Any]:
        """The object that `--json` prints under `error`."""
        return {"message": self.message, "file": self.file, "line": self.line, "path": self.path, "fix": self.fix}


class DesignError(FieldstoneError):
    """A design text that cannot be read, or a design whose shapes do not fit."""


class RecipeError(FieldstoneError):
    """A recipe with an unknown field or a value out of bounds."""


class DataError(FieldstoneError):
    """A data set that cannot be understood or used."""


class ImageError(DataError):
    """One image that cannot be read."""


class ModelError(FieldstoneError):
    """A model file that cannot be loaded."""


class RunError(FieldstoneError):
    """A run folder that cannot be written or gone on with."""


class TrainingError(FieldstoneError):
    """A training that cannot go on."""


class TraceError(FieldstoneError):
    """An input, a weight or a bias that a block cannot be traced on."""


class DeviceError(FieldstoneError):
    """A device that is unknown, not there, or too small."""


class MissingExtraError(FieldstoneError):
    """An optional dependency that is not installed."""
