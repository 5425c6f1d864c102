"""What is known of a data set, and how its images become an array."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from statistics import median
from typing import Any

from fieldstone.data import cache
from fieldstone.data.decode import Pixels, quiet
from fieldstone.data.listing import Progress
from fieldstone.data.manifest import MISSING, Entry, LeftOut, Manifest, ManifestRow
from fieldstone.data.measure import measure
from fieldstone.data.parallel import in_order
from fieldstone.data.pixels import FileSource, Source, Stored, forget, pixels_key, repad, stored_pixels
from fieldstone.data.preprocessing import Preprocessing
from fieldstone.data.report import report, sizes_text, untrained
from fieldstone.data.scan import chunks, faults
from fieldstone.data.split import Member, split
from fieldstone.errors import DataError


@dataclass(frozen=True)
class Decoded:
    """Every readable image at the size of the network, and what each of them is.

    `images` is a read-only map (N, C, H, W) of uint8 in the cache, in the order of `manifest.rows`;
    `preprocessing` has its mean and std; `key` stands for the images and every setting that changes a pixel of them;
    `sizes` says how large the images were.
    """

    images: Pixels = field(repr=False)
    manifest: Manifest
    preprocessing: Preprocessing
    key: str
    notes: tuple[str, ...] = ()
    sizes: str = ""


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


def refuse(dataset: Dataset, strict: bool, how_far: str = "") -> None:
    """Raise DataError where files are left out that must not be, or too few classes are there.

    Args:
        how_far: what is said of a count of them that a closer look may raise.
    """
    if strict and dataset.left_out:
        raise _strict(dataset.left_out, how_far)
    if not dataset.entries or len(dataset.classes) < (1 if dataset.one_class else 2):
        raise _too_few(dataset)


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
    sizes = sizes_text(readable.entries) if readable.entries else ""
    return Decoded(stored.images, manifest, preprocessing, stored.key, readable.notes + notes, sizes)


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
        notes=dataset.notes + tuple(lost_class(dataset.classes[target]) for target in sorted(lost)),
    )
    refuse(smaller, strict)
    return smaller


def lost_class(name: str) -> str:
    """How it is said that a class has no image that can be read."""
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
    manifest = Manifest(dataset.path, dataset.form, dataset.classes, rows, dataset.left_out)
    return manifest, (*notes, *untrained(manifest))


def _strict(left_out: Sequence[LeftOut], how_far: str) -> DataError:
    first = left_out[0]
    more = f", and {len(left_out) - 1:,} more{how_far}" if len(left_out) > 1 else ""
    return DataError(f"{first.reason}{more}", file=first.file, fix="mend or remove it, or go on without --strict")


def _too_few(dataset: Dataset) -> DataError:
    if not dataset.entries:
        first = f" (the first: {dataset.left_out[0].file}: {dataset.left_out[0].reason})" if dataset.left_out else ""
        return DataError(f"no image can be read{first}", file=dataset.path, fix=_readable(dataset))
    return DataError(
        f"the data has one class only, {dataset.classes[0]!r}",
        file=dataset.path,
        fix="give at least two: a folder for each class, or two labels",
    )


def _readable(dataset: Dataset) -> str:
    """What to do where no image can be read."""
    if not all(left.reason.startswith(MISSING) for left in dataset.left_out):
        return "give images that Pillow reads"
    return "write paths from the table's folder, with /, or whole ones" if dataset.form == "csv" else "mend the links"
