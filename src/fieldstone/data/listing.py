"""What a form of data set gives before any image is read: its files, or its containers."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldstone.data.manifest import LeftOut
from fieldstone.data.split import PARTS, Part

Progress = Callable[[int, int, str], None]  # done, total, what
PART_NAMES: dict[str, Part] = {**{part: part for part in PARTS}, "valid": "val", "validation": "val"}


class Stamp(NamedTuple):
    """What tells that a file has changed: its size in bytes and its time in nanoseconds."""

    size: int
    time: int


class ImageFile(NamedTuple):
    """An image file of a folder or a table; `name` is relative to the data set, or an absolute path of a table."""

    name: str
    label: str
    given: Part | None
    stamp: Stamp


def place_of(base: Path, name: str) -> str:
    """The path of an `ImageFile`."""
    return os.path.join(base, name)  # noqa: PTH118 - the name may be text that no Path takes, and there are many


@dataclass(frozen=True)
class Contents:
    """The images of a container, uint8 (N, C, H, W), and the class number of each, (N,)."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]


@dataclass(frozen=True)
class Container:
    """A file that holds many images. `files` are all that `read` opens."""

    name: str
    given: Part | None
    files: tuple[Path, ...]
    read: Callable[[], Contents]

    def stamps(self) -> list[list[str | int]]:
        """Path, size and time of each file."""
        return [[str(file), file.stat().st_size, file.stat().st_mtime_ns] for file in self.files]


@dataclass(frozen=True)
class Listing:
    """A data set whose images have not been read: either `files` below `base`, or `containers`.

    `names` are the classes of containers by number; None where the numbers themselves are the names. `given` are the
    parts that the files are in, those that are missing too.
    """

    form: str
    base: Path
    files: tuple[ImageFile, ...] = ()
    given: frozenset[Part | None] = frozenset()
    containers: tuple[Container, ...] = ()
    names: tuple[str, ...] | None = None
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
