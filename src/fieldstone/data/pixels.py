"""Decode every image of a data set once, into an array file in the cache."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from itertools import groupby
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import Image

from fieldstone.data import cache
from fieldstone.data.decode import Pixels, decode_placed, fit, quiet
from fieldstone.data.listing import Container, Progress, Stamp, place_of
from fieldstone.data.manifest import Entry
from fieldstone.data.parallel import cores, in_order, threads_for
from fieldstone.data.preprocessing import Preprocessing
from fieldstone.data.scan import MOST_FILES, chunks
from fieldstone.errors import ImageError

Box = tuple[int, int, int, int]  # top, left, height, width of the content in a letterboxed image


class Drawn(NamedTuple):
    """What one task decoded: the readable images (n, C, H, W), their boxes, and the reasons of the others."""

    images: Pixels
    boxes: list[Box]
    damaged: list[tuple[int, str]]  # place among the entries, reason


Task = Callable[[], Drawn]
Stamps = list[list[str | int]]


class Source(Protocol):
    """Where the pixels of entries come from."""

    def stamps(self, entries: Sequence[Entry]) -> Stamps:
        """What tells whether any file has changed."""

    def threads(self, entries: Sequence[Entry]) -> int:
        """How many threads do that soonest."""

    def tasks(self, entries: Sequence[Entry], preprocessing: Preprocessing) -> Iterator[Task]:
        """Pieces of work that decode the entries in their order."""


class FileSource(NamedTuple):
    """Image files below a folder."""

    base: Path
    stamp: dict[str, Stamp]

    def stamps(self, entries: Sequence[Entry]) -> Stamps:
        base = str(self.base.resolve())
        files: Stamps = [[entry.file, *self.stamp[entry.file]] for entry in entries]
        return [[base], *files]

    def threads(self, entries: Sequence[Entry]) -> int:
        return threads_for(sum(self.stamp[entry.file].size for entry in entries) / max(1, len(entries)))

    def tasks(self, entries: Sequence[Entry], preprocessing: Preprocessing) -> Iterator[Task]:
        drawn = preprocessing.channels * preprocessing.size[0] * preprocessing.size[1]
        numbered = list(enumerate(entries))
        for some in chunks(numbered, lambda pair: self.stamp[pair[1].file].size + drawn):
            files = [(place, place_of(self.base, entry.file)) for place, entry in some]
            yield partial(_draw_files, files, preprocessing)


class ContainerSource(NamedTuple):
    """Containers by their names; one is open at a time."""

    containers: dict[str, Container]

    def stamps(self, entries: Sequence[Entry]) -> Stamps:
        places: Stamps = [[entry.file, _row(entry)] for entry in entries]
        return [*(stamp for one in self.containers.values() for stamp in one.stamps()), *places]

    def threads(self, entries: Sequence[Entry]) -> int:
        return cores()

    def tasks(self, entries: Sequence[Entry], preprocessing: Preprocessing) -> Iterator[Task]:
        for name, group in groupby(entries, key=lambda entry: entry.file):
            rows = [_row(entry) for entry in group]
            images = self.containers[name].read().images
            for start in range(0, len(rows), MOST_FILES):
                yield partial(_draw_array, images, rows[start : start + MOST_FILES], preprocessing)


class Stored(NamedTuple):
    """Decoded images in the cache: a read-only map (N, C, H, W), and which entries could not be decoded.

    `key` stands for the images and every setting that changes a pixel of them.
    """

    key: str
    images: Pixels
    damaged: dict[int, str]
    boxes: list[Box]  # empty but for letterbox


class _Facts(NamedTuple):
    """What lies in the cache beside an array file."""

    shape: tuple[int, int, int, int]
    damaged: dict[int, str]
    boxes: list[Box]


def _facts(value: dict[str, Any]) -> _Facts:
    count, channels, height, width = value["shape"]
    boxes = [(top, left, tall, wide) for top, left, tall, wide in value["boxes"]]
    return _Facts((count, channels, height, width), dict(value["damaged"]), boxes)


def stored_pixels(
    source: Source, entries: Sequence[Entry], preprocessing: Preprocessing, progress: Progress | None
) -> Stored:
    """The decoded images of the entries, from the cache where nothing has changed."""
    place = cache.folder() / f"pixels-{pixels_key(source, entries, preprocessing)}"
    return load_pixels(place) or _write(place, source, entries, preprocessing, progress)


def pixels_key(source: Source, entries: Sequence[Entry], preprocessing: Preprocessing) -> str:
    """The name of decoded images: their files, and every setting that changes a pixel."""
    settings = (preprocessing.size, preprocessing.channels, preprocessing.resize, preprocessing.resize_to)
    padding = preprocessing.padding if preprocessing.resize == "letterbox" else ()
    return cache.key(source.stamps(entries), settings, padding, [PIL.__version__])


def load_pixels(place: Path) -> Stored | None:
    """The images at a place in the cache; None when they are not there or cut."""
    known = cache.load(place.with_suffix(".json"), _facts)
    file = place.with_suffix(".u8")
    if known is None or not file.is_file() or file.stat().st_size != prod(known.shape):
        return None
    if not known.shape[0]:
        return Stored(place.name, np.empty(known.shape, np.uint8), known.damaged, known.boxes)
    return Stored(place.name, np.memmap(file, np.uint8, "r", shape=known.shape), known.damaged, known.boxes)


def repad(stored: Stored, place: Path, preprocessing: Preprocessing) -> Stored:
    """A copy of letterboxed images at another place, padded with `preprocessing.padding`."""
    padding = np.array(preprocessing.padding, np.uint8)[:, None, None]
    with cache.written(place.with_suffix(".u8")) as file, file.open("wb") as stream:
        for image, (top, left, height, width) in zip(stored.images, stored.boxes, strict=True):
            padded = np.broadcast_to(padding, image.shape).copy()
            rows, columns = slice(top, top + height), slice(left, left + width)
            padded[:, rows, columns] = image[:, rows, columns]
            _put(stream, padded)
    save_facts(place, stored.images.shape, list(stored.damaged.items()), stored.boxes)
    return _reload(place)


def forget(place: Path) -> None:
    """Remove the images at a place in the cache."""
    place.with_suffix(".json").unlink(missing_ok=True)
    place.with_suffix(".u8").unlink(missing_ok=True)


def _reload(place: Path) -> Stored:
    stored = load_pixels(place)
    assert stored is not None
    return stored


def save_facts(place: Path, shape: Sequence[int], damaged: Sequence[tuple[int, str]], boxes: list[Box]) -> None:
    """Say beside the array file what it holds; without it the array file counts for nothing."""
    cache.save(place.with_suffix(".json"), {"shape": list(shape), "damaged": damaged, "boxes": boxes})


def _write(
    place: Path,
    source: Source,
    entries: Sequence[Entry],
    preprocessing: Preprocessing,
    progress: Progress | None,
) -> Stored:
    damaged: list[tuple[int, str]] = []
    boxes: list[Box] = []
    work = in_order(source.tasks(entries, preprocessing), source.threads(entries))
    with cache.written(place.with_suffix(".u8")) as file, file.open("wb") as stream, quiet(), closing(work):
        done = 0
        for drawn in work:
            _put(stream, drawn.images)
            boxes += drawn.boxes
            damaged += drawn.damaged
            done += len(drawn.images) + len(drawn.damaged)
            if progress:
                progress(done, len(entries), "decoding")
    shape = (len(entries) - len(damaged), preprocessing.channels, *preprocessing.size)
    save_facts(place, shape, damaged, boxes)
    return _reload(place)


def _put(stream: BinaryIO, images: Pixels) -> None:
    stream.write(images.data.cast("B") if images.size else b"")


def _row(entry: Entry) -> int:
    assert entry.index is not None  # containers number their images
    return entry.index


def _draw_files(files: Sequence[tuple[int, str]], preprocessing: Preprocessing) -> Drawn:
    images = np.empty((len(files), preprocessing.channels, *preprocessing.size), np.uint8)
    boxes: list[Box] = []
    damaged: list[tuple[int, str]] = []
    drawn = 0
    for place, path in files:
        try:
            images[drawn], placed = decode_placed(path, preprocessing)
        except ImageError as error:
            damaged.append((place, error.message))
            continue
        drawn += 1
        if preprocessing.resize == "letterbox":
            boxes.append((placed.top, placed.left, placed.height, placed.width))
    return Drawn(images[:drawn], boxes, damaged)


def _draw_array(images: Pixels, rows: Sequence[int], preprocessing: Preprocessing) -> Drawn:
    """The same for images that a container holds as pixels (n, C, H, W)."""
    channels, height, width = images.shape[1:]
    place = preprocessing.place(height, width)
    box = (place.top, place.left, place.height, place.width)
    boxes = [box] * len(rows) if preprocessing.resize == "letterbox" else []
    same = (place.height, place.width) == (height, width) == preprocessing.size
    if same and channels in (1, preprocessing.channels):
        shape = (len(rows), preprocessing.channels, height, width)
        return Drawn(np.ascontiguousarray(np.broadcast_to(images[rows], shape)), boxes, [])
    drawn = [fit(_picture(images[row], preprocessing.channels), preprocessing)[0] for row in rows]
    return Drawn(np.stack(drawn), boxes, [])


def _picture(pixels: NDArray[np.uint8], channels: int) -> Image.Image:
    """An `L` or `RGB` image of pixels (C, H, W)."""
    image = Image.fromarray(pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0)))
    return image.convert("L" if channels == 1 else "RGB")
