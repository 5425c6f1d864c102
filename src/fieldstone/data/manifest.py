"""The rows of a data set: file, target, part, key."""

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldstone.data.split import Part

MISSING = "no such file"
"""How the reason begins why a file is left out that is not there."""


class LeftOut(NamedTuple):
    """A file that is not used, and why."""

    file: str
    reason: str


def printable(text: str) -> str:
    """The text with the bytes of file names that are no UTF-8, which no terminal takes, as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


class Entry(NamedTuple):
    """An image as the scan found it; a tuple, because there are many.

    `file` is relative to the data set, `index` the place in a container, `given` the part that the data set names,
    `key` the SHA-256 in hexadecimal, the size is upright.
    """

    file: str
    index: int | None  # type: ignore[assignment]  # the key in data.json; hides tuple.index, which nobody needs
    target: int
    given: Part | None
    key: str
    width: int
    height: int
    channels: int


class ManifestRow(NamedTuple):
    """A readable image and its part, in the order of the decoded array."""

    file: str
    index: int | None  # type: ignore[assignment]  # the key in data.json; hides tuple.index, which nobody needs
    target: int
    split: Part
    key: str


@dataclass(frozen=True)
class Manifest:
    """Which image is what: everything that `data.json` holds."""

    path: str
    form: str
    classes: tuple[str, ...]
    rows: tuple[ManifestRow, ...] = field(repr=False)
    left_out: tuple[LeftOut, ...]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the rows as JSON: sorted keys, no spaces, ASCII."""
        text = json.dumps([row._asdict() for row in self.rows], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @cached_property
    def targets(self) -> NDArray[np.int64]:
        """The class of each row, (N,)."""
        return np.fromiter((row.target for row in self.rows), np.int64, len(self.rows))

    def indices(self, split: Part) -> NDArray[np.int64]:
        """The numbers of the rows of one part, rising."""
        return np.flatnonzero(np.fromiter((row.split == split for row in self.rows), bool, len(self.rows)))

    def to_json(self) -> dict[str, Any]:
        """The content of `data.json`."""
        return {
            "path": self.path,
            "form": self.form,
            "classes": list(self.classes),
            "fingerprint": self.fingerprint,
            "rows": [row._asdict() for row in self.rows],
            "left_out": [left._asdict() for left in self.left_out],
        }
