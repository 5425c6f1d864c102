"""A CSV of image files: `file,label[,split]`."""

import csv
import io
import os
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple

from fieldstone.data.listing import PART_NAMES, ImageFile, Listing, Stamp, place_of
from fieldstone.data.manifest import MISSING, LeftOut
from fieldstone.data.split import Part
from fieldstone.errors import DataError

DELIMITERS = (",", ";", "\t")
HEADER = "the first line names the columns: file,label or file,label,split"
SUFFIXES = {".csv", ".tsv"}


def read_table(path: Path) -> Listing:
    """List the files of a table, relative to its folder. Raises DataError with file and line."""
    files: list[ImageFile] = []
    left_out: list[LeftOut] = []
    given: set[Part | None] = set()
    for row in _rows(path):
        given.add(row.given)
        found = _stamp(path.parent, row.file)
        if isinstance(found, str):
            left_out.append(LeftOut(row.file, found))
        else:
            files.append(ImageFile(row.file, row.label, row.given, found))
    if not files and not left_out:
        raise DataError("the table has no rows", file=str(path), fix="write one row for each image: file,label")
    return Listing("csv", path.parent, tuple(files), frozenset(given), left_out=tuple(left_out))


class _Row(NamedTuple):
    file: str
    label: str
    given: Part | None


def _rows(path: Path) -> Iterator[_Row]:
    """The rows of a table; the delimiter is the one that makes `file` and `label` columns of the header."""
    text = _text(path)
    if "\0" in text:
        raise DataError("the table holds null characters: it is no text", file=str(path), fix="save it as CSV UTF-8")
    first = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        columns = _columns(next(reader, []), path)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _row(cells, columns, str(path), reader.line_num)
    except csv.Error as error:
        raise DataError(f"the table cannot be read ({error})", file=str(path), line=reader.line_num) from error


def _columns(header: list[str], path: Path) -> dict[str, int]:
    """The place of each column that is used."""
    names = [name.strip().lower() for name in header]
    missing = [name for name in ("file", "label") if name not in names]
    if missing:
        found = ", ".join(repr(name) for name in names) or "nothing"
        columns = "columns file and label are" if len(missing) == 2 else f"column {missing[0]} is"
        message = f"the {columns} missing (found {found})"
        raise DataError(message, file=str(path), line=1, fix=HEADER)
    doubled = [name for name in ("file", "label", "split") if names.count(name) > 1]
    if doubled:
        raise DataError(f"the column {doubled[0]} is there twice", file=str(path), line=1, fix=HEADER)
    return {name: names.index(name) for name in ("file", "label", "split") if name in names}


def _row(cells: list[str], columns: dict[str, int], file: str, line: int) -> _Row:
    value = {name: cells[place].strip() if place < len(cells) else "" for name, place in columns.items()}
    empty = [name for name, cell in value.items() if not cell]
    if empty:
        raise DataError(f"the {empty[0]} is empty", file=file, line=line, fix="fill the cell or remove the row")
    split = value.get("split")
    if split is not None and split.lower() not in PART_NAMES:
        fix = f"write one of {', '.join(PART_NAMES)}"
        raise DataError(f"the split {split!r} is unknown", file=file, line=line, fix=fix)
    return _Row(value["file"], value["label"], None if split is None else PART_NAMES[split.lower()])


def _stamp(base: Path, name: str) -> Stamp | str:
    """The stamp of an image file, or why there is none."""
    try:
        status = os.stat(place_of(base, name))  # noqa: PTH116 - the path may be text that no Path method takes
    except (OSError, ValueError):
        return MISSING + (": write / in place of \\" if "\\" in name else "")
    return Stamp(status.st_size, status.st_mtime_ns) if S_ISREG(status.st_mode) else "not a regular file"


def _text(path: Path) -> str:
    """The text of a table: UTF-8, or UTF-16 with its mark, as spreadsheets save it."""
    try:
        data = path.read_bytes()
        utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
        return data.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DataError("the table is not UTF-8", file=str(path), line=line, fix="save it as CSV UTF-8") from error
    except OSError as error:
        raise DataError(f"the table cannot be read ({error.strerror})", file=str(path)) from error
