"""A folder of class folders, with or without train, val and test folders above them."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from fieldstone.data.decode import suffixes
from fieldstone.data.listing import PART_NAMES, ImageFile, Listing, Stamp
from fieldstone.data.manifest import MISSING, LeftOut, printable
from fieldstone.data.split import PARTS, Part
from fieldstone.errors import DataError

SYSTEM_NAMES = {"__MACOSX", "Thumbs.db", "desktop.ini"}
LAYOUT = "put the images of each class into a folder named after the class"
MANY = 3  # how many file types a note names


def read_folder(path: Path) -> Listing:
    """List the image files of a folder. Raises DataError when it holds no class folders."""
    folders, images = subfolders(path), direct_images(path)
    if not folders:
        held = f"{len(images)} {'image' if len(images) == 1 else 'images'}" if images else "no images"
        raise DataError(
            f"the folder {str(path)!r} holds {held} and no class folders",
            file=str(path),
            fix=_table_inside(path) or LAYOUT,
        )
    walk = _Walk(path)
    if images:
        walk.notes.append(f"{len(images)} {_images(len(images))} beside the class folders ignored")
    parts = part_folders(path, folders)
    walk.notes += part_notes(path, folders, parts)
    for name in folders:
        if not parts:
            walk.take_class(name, name, None)
        elif name in parts:
            walk.take_part(name, parts[name])
        else:
            walk.notes.append(f"the folder {name!r} beside {' and '.join(sorted(parts))} is ignored")
    if not walk.files and not walk.left_out:
        raise DataError(f"the folder {str(path)!r} holds no image files", file=str(path), fix=LAYOUT)
    given: set[Part | None] = {*parts.values()} or {None}
    left_out, notes = tuple(walk.left_out), tuple(walk.said())
    return Listing("folder", path, tuple(walk.files), frozenset(given), left_out=left_out, notes=notes)


def part_folders(path: Path, folders: list[str]) -> dict[str, Part]:
    """The folders that are parts and hold class folders: where all folders, or at least two, are named so; else train
    and the one beside it that holds classes of its.

    Raises DataError where train is among the folders and it cannot be told what the others are.
    """
    named = [name for name in folders if name.lower() in PART_NAMES]
    if len(named) >= min(2, len(folders)):
        return {name: PART_NAMES[name.lower()] for name in named if subfolders(path / name)}
    train = next((name for name in named if PART_NAMES[name.lower()] == "train"), None)
    return {} if train is None else _beside_train(path, train, [name for name in folders if name != train])


def _beside_train(path: Path, train: str, others: list[str]) -> dict[str, Part]:
    """Train and its test, where one other folder holds classes of train's; {} where train is a class itself."""
    classes = set(subfolders(path / train))
    alike = [name for name in others if classes & set(subfolders(path / name))]
    if len(classes) > 1 and len(alike) == 1 and classes.issuperset(subfolders(path / alike[0])):
        return {train: "train", alike[0]: "test"}
    if alike or (classes and len(others) == 1 and not direct_images(path / train)):
        raise DataError(
            f"beside {train!r}, which holds the folders {_named(sorted(classes))}, it cannot be told what "
            f"{_named(alike or others)} {'is' if len(alike or others) == 1 else 'are'}",
            file=str(path),
            fix=f"name the folders of the parts train, val and test, or another than {train!r} if that is a class",
        )
    return {}


def part_notes(path: Path, folders: list[str], parts: dict[str, Part]) -> Iterator[str]:
    """Say what is the test by the classes that it holds, or which classes look like parts."""
    for name in parts:
        if name.lower() not in PART_NAMES:
            yield f"the folder {name!r} beside train holds its classes and is the test; a tenth of train validates"
    if parts or not 1 < len(folders) <= len(PARTS):
        return
    common = sorted(set.intersection(*(set(subfolders(path / name)) for name in folders)))
    if len(common) > 1:
        yield (
            f"{_named(folders)} are taken for the classes, though each of them holds {_named(common)}: "
            "if these are the classes, name the folders of the parts train, val and test"
        )


def _named(names: list[str]) -> str:
    more = [f"{len(names) - MANY:,} more"] if len(names) > MANY else []
    *first, last = [*map(repr, names[:MANY]), *more]
    return f"{', '.join(first)} and {last}" if first else last


def subfolders(path: Path) -> list[str]:
    """The names of the visible folders in a folder, by code point."""
    with os.scandir(path) as entries:
        return sorted(entry.name for entry in entries if not _hidden(entry.name) and entry.is_dir())


def direct_images(path: Path) -> list[str]:
    """The names of the visible files in a folder that are named like images, by code point."""
    with os.scandir(path) as entries:
        names = [entry.name for entry in entries if not _hidden(entry.name) and entry.is_file()]
    return sorted(name for name in names if Path(name).suffix.lower() in suffixes())


def image_files(path: Path) -> list[str]:
    """Every image file under a folder at any depth, relative to it, by code point; hidden ones are ignored.

    Links that lead nowhere and pipes are among them, for the decoder to say what they are.
    """
    walk = _Walk(path)
    walk.take_below("", "", None)
    return sorted([file.name for file in walk.files] + [left.file for left in walk.left_out])


class _Walk:
    """Collects the image files below class folders."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.files: list[ImageFile] = []
        self.left_out: list[LeftOut] = []
        self.notes: list[str] = []
        self.ignored: Counter[str] = Counter()

    def take_part(self, name: str, part: Part) -> None:
        if images := direct_images(self.base / name):
            self.notes.append(f"{len(images)} {_images(len(images))} in {name} beside its class folders ignored")
        for label in subfolders(self.base / name):
            self.take_class(f"{name}/{label}", label, part)

    def take_class(self, place: str, label: str, part: Part | None) -> None:
        if printable(label) != label:
            raise DataError(
                f"the class folder '{printable(place)}' has a name that is not UTF-8, which no model file can hold",
                file=str(self.base),
                fix="rename it",
            )
        before = len(self.files) + len(self.left_out)
        self.take_below(place + "/", label, part)
        if before == len(self.files) + len(self.left_out):
            self.notes.append(f"the class folder {place!r} holds no image files")

    def take_below(self, place: str, label: str, part: Part | None) -> None:
        for name, status in sorted(_below(self.base, place, _around(self.base, place))):
            suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122 - ten times as fast as Path, and there are many
            if suffix and suffix not in suffixes():
                self.ignored[suffix] += 1
            elif status is None:
                self.left_out.append(LeftOut(name, f"{MISSING}: the link leads nowhere"))
            elif not S_ISREG(status.st_mode):
                self.left_out.append(LeftOut(name, "not a regular file"))
            else:
                self.files.append(ImageFile(name, label, part, Stamp(status.st_size, status.st_mtime_ns)))

    def said(self) -> Iterator[str]:
        yield from self.notes
        if count := self.ignored.total():
            common = ", ".join(printable(suffix) for suffix, _ in self.ignored.most_common(MANY))
            yield f"{count} {'file' if count == 1 else 'files'} of other types ignored ({common})"


Folder = tuple[int, int]  # its device and its number there


def _identity(folder: Path) -> Folder:
    status = folder.stat()
    return (status.st_dev, status.st_ino)


def _around(base: Path, place: str) -> tuple[Folder, ...]:
    """The folders between a data set and a place in it, which no link inside may lead back to."""
    parts = place.strip("/").split("/") if place else []
    return tuple(_identity(base.joinpath(*parts[:depth])) for depth in range(len(parts)))


def _below(base: Path, place: str, inside: tuple[Folder, ...]) -> Iterator[tuple[str, os.stat_result | None]]:
    """Every visible file below base/place with its status; links are followed, but never to a folder around them."""
    identity = _identity(base / place)
    if identity in inside:
        return
    with os.scandir(base / place) as entries:
        for entry in entries:
            if _hidden(entry.name):
                continue
            try:
                status = entry.stat()
            except OSError:
                status = None
            if status is not None and S_ISDIR(status.st_mode):
                yield from _below(base, f"{place}{entry.name}/", (*inside, identity))
            else:
                yield place + entry.name, status


def _hidden(name: str) -> bool:
    return name.startswith(".") or name in SYSTEM_NAMES


def _images(count: int) -> str:
    return "image is" if count == 1 else "images are"


def _table_inside(path: Path) -> str | None:
    tables = sorted(file.name for file in path.glob("*.csv"))
    return f"give the table itself: {path / tables[0]}" if tables else None
