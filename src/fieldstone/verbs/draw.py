"""Drawing: a network to scale, as an SVG file. No torch."""

from __future__ import annotations

from pathlib import Path

from fieldstone.analysis.summary import Summary
from fieldstone.errors import FieldstoneError
from fieldstone.files import write_text


def draw(summary: Summary, path: str) -> None:
    """Write the drawing of a network; one that is there is replaced.

    Raises:
        FieldstoneError: the place cannot be written.
    """
    fix = "give a file in a folder that is there, such as network.svg"
    if not path or Path(path).is_dir():
        raise FieldstoneError(f"the drawing's file {path!r} is no file name", fix=fix)
    try:
        write_text(Path(path), summary.to_svg())
    except OSError as fault:
        raise FieldstoneError(
            f"cannot be written: {(fault.strerror or str(fault)).lower()}", file=path, fix=fix
        ) from fault
