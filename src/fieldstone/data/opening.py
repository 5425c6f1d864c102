"""One call that understands a data set, whatever its form."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from fieldstone.data.cifar import is_cifar, read_cifar
from fieldstone.data.dataset import Dataset, lost_class, refuse
from fieldstone.data.digits import is_digits, read_digits
from fieldstone.data.folder import read_folder
from fieldstone.data.idx import is_idx, read_idx
from fieldstone.data.listing import Listing, Progress
from fieldstone.data.manifest import Entry, LeftOut
from fieldstone.data.pixels import ContainerSource, FileSource
from fieldstone.data.report import alike, contradictions
from fieldstone.data.scan import scan_container, scan_files
from fieldstone.data.split import meant
from fieldstone.data.table import SUFFIXES, read_table
from fieldstone.errors import DataError


class Form(NamedTuple):
    """A form of data set: whether a path has it, and how it is listed."""

    fits: Callable[[Path], bool]
    read: Callable[[Path], Listing]


# The first that fits is taken.
FORMS = (
    Form(is_digits, read_digits),
    Form(lambda path: path.is_file() and path.suffix.lower() in SUFFIXES, read_table),
    Form(is_idx, read_idx),
    Form(is_cifar, read_cifar),
    Form(Path.is_dir, read_folder),
)


def open_data(
    path: str | Path, *, strict: bool = False, progress: Progress | None = None, one_class: bool = False
) -> Dataset:
    """Understand a data set: a folder of class folders, a CSV, IDX or CIFAR files, or `demo-digits`.

    Raises DataError, which says what is missing; with `strict` also when an image cannot be read, without
    `one_class` also when there are not two classes.
    """
    listing = _listed(Path(path))
    found = _of_containers(path, listing) if listing.containers else _of_files(path, listing, progress)
    dataset = replace(found, one_class=one_class)
    refuse(dataset, strict, how_far=" found before decoding")
    return dataset


def _listed(path: Path) -> Listing:
    """What the first form that fits finds at a path."""
    try:
        form = next((form for form in FORMS if form.fits(path)), None)
        if form is not None:
            return form.read(path)
        said = "is not a data set" if path.exists() or path.is_symlink() else "does not exist"
    except OSError as error:
        raise DataError(f"{error.filename} cannot be read ({error.strerror})", file=str(path)) from error
    fix = "give a folder of class folders, a CSV, IDX or CIFAR files, or demo-digits"
    raise DataError(f"the path {str(path)!r} {said}", file=str(path), fix=fix)


def _of_files(path: str | Path, listing: Listing, progress: Progress | None) -> Dataset:
    seen = scan_files(listing.base, listing.files, progress)
    pairs = list(zip(listing.files, seen, strict=True))
    good = [(file, look) for file, look in pairs if look.reason is None]
    classes = sorted({file.label for file, _ in good})
    number = {name: target for target, name in enumerate(classes)}
    part = meant(listing.given)
    entries = tuple(
        Entry(file.name, None, number[file.label], part[file.given], look.key, look.width, look.height, look.channels)
        for file, look in good
    )
    damaged = tuple(LeftOut(file.name, look.reason) for file, look in pairs if look.reason is not None)
    lost = sorted({file.label for file in listing.files} - set(classes))
    notes = [lost_class(name) for name in lost]
    if part.get("val") == "test":
        notes.append("the val part beside train is the test, and a tenth of train validates")
    notes += alike(classes) + contradictions(entries)
    source = FileSource(listing.base, {file.name: file.stamp for file in listing.files})
    left_out = tuple(sorted(listing.left_out + damaged))
    return Dataset(str(path), listing.form, tuple(classes), entries, left_out, (*listing.notes, *notes), source)


def _of_containers(path: str | Path, listing: Listing) -> Dataset:
    scanned = [(container, scan_container(container)) for container in listing.containers]
    labels = sorted({label for _, seen in scanned for label in seen.labels})
    number = {label: target for target, label in enumerate(labels)} if listing.names is None else None
    classes = listing.names or tuple(str(label) for label in labels)
    entries = tuple(
        Entry(
            one.name, index, number[label] if number else label, one.given, key, seen.width, seen.height, seen.channels
        )
        for one, seen in scanned
        for index, (key, label) in enumerate(zip(seen.keys, seen.labels, strict=True))
    )
    source = ContainerSource({container.name: container for container in listing.containers})
    notes = (*listing.notes, *contradictions(entries))
    return Dataset(str(path), listing.form, classes, entries, listing.left_out, notes, source)
