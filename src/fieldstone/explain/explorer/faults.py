"""What goes wrong behind the page, as a key that the page has words for and the values in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from PIL import Image, UnidentifiedImageError

from fieldstone.data.decode import MOST_PIXELS
from fieldstone.data.manifest import printable
from fieldstone.errors import FieldstoneError, ImageError


class Fault(NamedTuple):
    """A fault, `key` one of `faults.js`."""

    key: str
    values: Mapping[str, Any] = {}


def fault_of(error: FieldstoneError) -> Fault:
    """Why an image cannot be looked at. Words that are Pillow's own stay as they are."""
    if not isinstance(error, ImageError):
        return Fault("other", {"detail": str(error)})
    name = {"name": printable(error.file or "")}
    match _cause(error):
        case UnidentifiedImageError():
            return Fault("unreadable", name)
        case ImageError() | Image.DecompressionBombError():  # of an image's bytes none but `check_size` raises one
            return Fault("pixels", {**name, "most": MOST_PIXELS})
        case MemoryError():
            return Fault("memory", name)
    return Fault("damaged", {**name, "detail": error.message.removeprefix("damaged: ")})


def _cause(error: BaseException) -> BaseException:
    """What it began with."""
    return error if error.__cause__ is None else _cause(error.__cause__)
