"""The cache folder: what was scanned and decoded once. It can be deleted at any time."""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from fieldstone.errors import DataError
from fieldstone.files import UNFINISHED, written_whole

FORMAT = 1  # of everything in the cache; another number is another key
DAY = 86_400.0
Value = TypeVar("Value")


def folder() -> Path:
    """$FIELDSTONE_CACHE, else $XDG_CACHE_HOME/fieldstone, else ~/.cache/fieldstone."""
    if own := os.environ.get("FIELDSTONE_CACHE"):
        return Path(own)
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache") / "fieldstone"


def key(*parts: Iterable[object]) -> str:
    """32 hexadecimal digits that stand for the parts and the format."""
    digest = hashlib.sha256(str(FORMAT).encode())
    for part in parts:
        digest.update(json.dumps(list(part)).encode())
    return digest.hexdigest()[:32]


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """A place beside `path` to write to, renamed to it at the end, removed when anything goes wrong.

    Raises DataError, which names the cache folder, when the disk is full or cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_abandoned(path.parent)
        with written_whole(path) as place:
            yield place
    except OSError as error:
        raise DataError(
            f"the cache folder {path.parent} cannot be written ({(error.strerror or str(error)).lower()})",
            file=str(path),
            fix="make room there, or name another folder in the environment variable FIELDSTONE_CACHE",
        ) from error


def remove_abandoned(folder: Path) -> None:
    """Remove what a killed process left unfinished more than a day ago."""
    for place in folder.glob(f"*{UNFINISHED}"):
        with suppress(FileNotFoundError):  # another process may be as fast
            if time.time() - place.stat().st_mtime > DAY:
                place.unlink()


def save(path: Path, value: Any) -> None:
    """Write a JSON value."""
    with written(path) as place:
        place.write_text(json.dumps(value), encoding="utf-8")


def load(path: Path, read: Callable[[Any], Value]) -> Value | None:
    """What `read` makes of the JSON value that was saved; None when there is none, or only one that is damaged."""
    try:
        return read(json.loads(path.read_bytes()))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None
