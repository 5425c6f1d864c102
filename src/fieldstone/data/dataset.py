"""One call that understands a data set, whatever its form."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from fieldstone.data import cache
from fieldstone.data.cifar import is_cifar, read_cifar
from fieldstone.data.decode import Pixels, quiet
from fieldstone.data.digits import is_digits, read_digits
from fieldstone.data.folder import read_folder
from fieldstone.data.idx import is_idx, read_idx
from fieldstone.data.listing import Listing, Progress
from fieldstone.data.manifest import Entry, LeftOut, Manifest, ManifestRow
from fieldstone.data.measure import measure
from fieldstone.data.parallel import in_order
from fieldstone.data.pixels import ContainerSource, FileSource, Source, Stored, forget, pixels_key, repad, stored_pixels
from fieldstone.data.preprocessing import Preprocessing
from fieldstone.data.report import alike, contradictions, report
from fieldstone.data.scan import chunks, faults, scan_container, scan_files
from fieldstone.data.split import Member, meant, split
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


@dataclass(frozen=True)
class Decoded:
    """Every readable image at the size of the network, and what each of them is.

    `images` is a read-only map (N, C, H, W) of uint8 in the cache, in the order of `manifest.rows`;
    `preprocessing` has its mean and std.
    """

    images: Pixels = field(repr=False)
    manifest: Manifest
    preprocessing: Preprocessing
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class Dataset:
    """What was understood of a data set before its pixels are decoded; its repr is a report.

    `classes` are sorted by code point (those of containers by their number), `notes` is what a person should know;
    `one_class` says that one class alone is enough, as it is to test on.
    """

    path: str
    form: str
    classes: tuple[str, ...]
    entries: tuple[Entry, ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]
    source: Source
    one_class: bool = False

    @property
    def has_test(self) -> bool:
        """Whether the data set names a test part of its own."""
        return any(entry.given == "test" for entry in self.entries)

    @property
    def channels(self) -> int:
        """1 when every image is grey, else 3."""
        return max(entry.channels for entry in self.entries)

    @property
    def median_size(self) -> tuple[int, int]:
        """The median height and the median width, in pixels."""
        return int(median(e.height for e in self.entries)), int(median(e.width for e in self.entries))

    def manifest(self) -> Manifest:
        """The rows and their parts, were every image readable."""
        return _manifest(self)[0]

    def decode(
        self, preprocessing: Preprocessing, progress: Progress | None = None, *, strict: bool = False
    ) -> Decoded:
        """Decode every image once; what is damaged is left out, the parts are made of the others.

        A mean and std that are None are measured on the images that train. Raises DataError when no image can be
        read, with `strict` when any cannot, when too few classes are left, and when the cache cannot be written.
        The manifest has the classes that are left; `classes` may have more.
        """
        return _decode(self, preprocessing, progress, strict)

    def check(self, progress: Progress | None = None, *, strict: bool = False) -> "Dataset":
        """Decode every image in full, and move the damaged to `left_out`. Containers hold no damaged images.

        Raises DataError when no image can be read, with `strict` when any cannot, and when too few classes are left.
        """
        if not isinstance(self.source, FileSource):
            return self
        base, stamp = self.source
        tasks = (
            partial(faults, base, [entry.file for entry in some])
            for some in chunks(self.entries, lambda e: stamp[e.file].size)
        )
        reasons: list[str | None] = []
        with quiet(), closing(in_order(tasks, self.source.threads(self.entries))) as work:
            for some in work:
                reasons += some
                if progress:
                    progress(len(reasons), len(self.entries), "checking")
        return _without(self, {n: reason for n, reason in enumerate(reasons) if reason is not None}, strict)

    def __repr__(self) -> str:
        manifest, notes = _manifest(self)
        return report(manifest, self.entries, self.notes + notes)

    def to_json(self) -> dict[str, Any]:
        """Counts per class and part, sizes, and what was left out."""
        manifest, notes = _manifest(self)
        rows = manifest.rows
        counts: dict[str, dict[str, int]] = {name: {"train": 0, "val": 0, "test": 0} for name in self.classes}
        for row in rows:
            counts[self.classes[row.target]][row.split] += 1
        return {
            "path": self.path,
            "form": self.form,
            "classes": list(self.classes),
            "images": len(rows),
            "channels": self.channels,
            "median_size": list(self.median_size),
            "counts": counts,
            "duplicates": len(rows) - len({row.key for row in rows}),
            "left_out": [left._asdict() for left in self.left_out],
            "notes": [*self.notes, *notes],
        }


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
    _refuse(dataset, strict)
    return dataset


def _refuse(dataset: Dataset, strict: bool) -> None:
    """Raise DataError where files are left out that must not be, or too few classes are there."""
    if strict and dataset.left_out:
        raise _strict(dataset.left_out)
    if not dataset.entries or len(dataset.classes) < (1 if dataset.one_class else 2):
        raise _too_few(dataset)


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
    notes = [_lost(name) for name in lost]
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


def _decode(dataset: Dataset, preprocessing: Preprocessing, progress: Progress | None, strict: bool) -> Decoded:
    place = cache.folder() / f"statistics-{_statistics_key(dataset, preprocessing)}.json"
    if preprocessing.mean is None:
        preprocessing = cache.load(place, partial(_with_statistics, preprocessing)) or preprocessing
    stored = stored_pixels(dataset.source, dataset.entries, preprocessing, progress)
    readable = _without(dataset, stored.damaged, strict)
    manifest, notes = _manifest(readable)
    if preprocessing.mean is None:
        stored, preprocessing = _measured(dataset, stored, manifest, preprocessing)
        cache.save(place, {"mean": preprocessing.mean, "std": preprocessing.std})
    return Decoded(stored.images, manifest, preprocessing, readable.notes + notes)


def _with_statistics(preprocessing: Preprocessing, value: dict[str, list[float]]) -> Preprocessing:
    return replace(preprocessing, mean=tuple(value["mean"]), std=tuple(value["std"]))


def _without(dataset: Dataset, damaged: dict[int, str], strict: bool) -> Dataset:
    """The data set without its damaged entries and the classes that had no others; the rest are numbered anew."""
    left_out = tuple(LeftOut(dataset.entries[n].file, reason) for n, reason in damaged.items())
    good = [entry for n, entry in enumerate(dataset.entries) if n not in damaged]
    lost = {entry.target for entry in dataset.entries} - {entry.target for entry in good}
    kept = [target for target in range(len(dataset.classes)) if target not in lost]
    number = {target: place for place, target in enumerate(kept)}
    smaller = replace(
        dataset,
        classes=tuple(dataset.classes[target] for target in kept),
        entries=tuple(entry._replace(target=number[entry.target]) for entry in good) if lost else tuple(good),
        left_out=tuple(sorted(dataset.left_out + left_out)),
        notes=dataset.notes + tuple(_lost(dataset.classes[target]) for target in sorted(lost)),
    )
    _refuse(smaller, strict)
    return smaller


def _lost(name: str) -> str:
    return f"class {name!r} has no readable image and is left out"


def _measured(
    dataset: Dataset, stored: Stored, manifest: Manifest, preprocessing: Preprocessing
) -> tuple[Stored, Preprocessing]:
    """Measure mean and std on the images that train, and pad letterboxed images with that mean."""
    rows = manifest.indices("train")
    if not len(rows):
        raise DataError("no image trains", file=dataset.path, fix="put images into a train folder, or into none")
    if preprocessing.resize != "letterbox":
        return stored, measure(stored.images, rows, preprocessing, padded=0)
    area = preprocessing.size[0] * preprocessing.size[1]
    padded = sum(area - stored.boxes[row][2] * stored.boxes[row][3] for row in rows)
    measured = measure(stored.images, rows, preprocessing, padded)
    places = [
        cache.folder() / f"pixels-{pixels_key(dataset.source, dataset.entries, one)}"
        for one in (preprocessing, measured)
    ]
    if places[0] == places[1]:
        return stored, measured
    stored = repad(stored, places[1], measured)
    forget(places[0])
    return stored, measured


def _statistics_key(dataset: Dataset, preprocessing: Preprocessing) -> str:
    parts = [[entry.target, entry.given] for entry in dataset.entries]
    return cache.key([pixels_key(dataset.source, dataset.entries, preprocessing), preprocessing.scale], parts)


def _manifest(dataset: Dataset) -> tuple[Manifest, tuple[str, ...]]:
    members = [Member(entry.key, entry.target, entry.given) for entry in dataset.entries]
    parts, notes = split(members, dataset.classes)
    rows = tuple(
        ManifestRow(entry.file, entry.index, entry.target, part, entry.key)
        for entry, part in zip(dataset.entries, parts, strict=True)
    )
    return Manifest(dataset.path, dataset.form, dataset.classes, rows, dataset.left_out), tuple(notes)


def _strict(left_out: Sequence[LeftOut]) -> DataError:
    first = left_out[0]
    more = f", and {len(left_out) - 1} more" if len(left_out) > 1 else ""
    return DataError(f"{first.reason}{more}", file=first.file, fix="mend or remove it, or go on without --strict")


def _too_few(dataset: Dataset) -> DataError:
    if not dataset.entries:
        first = f" (the first: {dataset.left_out[0].file}: {dataset.left_out[0].reason})" if dataset.left_out else ""
        return DataError(f"no image can be read{first}", file=dataset.path, fix="give images that Pillow reads")
    return DataError(
        f"the data has one class only, {dataset.classes[0]!r}",
        file=dataset.path,
        fix="give at least two: a folder for each class, or two labels",
    )
