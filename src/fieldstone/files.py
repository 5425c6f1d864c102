"""Writing files so that a killed process leaves the old one or the new one, never half of one."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UNFINISHED = ".part"
"""How a file's name ends while it is being written."""


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; it is renamed to `path` at the end, or removed where the writing failed.

    A device or a pipe is written to, since a file would take its place; a link stays, and what it leads to is written.
    """
    path = path.resolve() if path.is_symlink() else path
    if path.exists() and not path.is_file() and not path.is_dir():
        yield path
        return
    beside = path.with_name(f".{path.name}.{os.getpid()}{UNFINISHED}")
    try:
        beside.touch()
        mode = beside.stat().st_mode
        yield beside
        beside.chmod(mode)  # a writer may have put a file of its own there, with other rights
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file whole."""
    with written_whole(path) as beside:
        beside.write_text(text, encoding="utf-8", newline="\n")


def write_page(path: Path, text: str) -> None:
    """Write an HTML file whole. One that is there is replaced, unless it is no HTML: that somebody may want to keep.

    Raises:
        OSError: it cannot be written, or another file is in its place.
    """
    if path.exists() and not _begins(path, b"<!doctype html"):
        raise FileExistsError(errno.EEXIST, "another file is there, which is no HTML page", str(path))
    write_text(path, text)


def _begins(path: Path, beginning: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(beginning)).lower() == beginning
