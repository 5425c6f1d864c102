"""Look at every image of a data set once: its key and its size. What was seen is kept in the cache."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from fieldstone.data import cache
from fieldstone.data.decode import quiet, read_bytes, read_fully, read_header
from fieldstone.data.listing import Container, ImageFile, Progress, place_of
from fieldstone.data.parallel import in_order, threads_for
from fieldstone.errors import ImageError

MOST_FILES = 64  # of one task of a thread
MOST_BYTES = 1 << 20  # of one task of a thread, so that large photos do not delay an interrupt
Item = TypeVar("Item")
Identity = tuple[str, int, int]  # name, size, time


class Seen(NamedTuple):
    """What a look at one file gave: a key and a size, or the reason why it cannot be used."""

    key: str
    width: int
    height: int
    channels: int
    reason: str | None


class SeenContainer(NamedTuple):
    """What a look at one container gave: a key and a class number for each image, and their common size."""

    keys: list[str]
    labels: list[int]
    channels: int
    height: int
    width: int


def chunks(items: Sequence[Item], size: Callable[[Item], int]) -> Iterator[Sequence[Item]]:
    """Cut items into runs that are small enough for one task of a thread; `size` gives the bytes of one."""
    start, held = 0, 0
    for place, item in enumerate(items):
        if place > start and (place - start == MOST_FILES or held + size(item) > MOST_BYTES):
            yield items[start:place]
            start, held = place, 0
        held += size(item)
    if start < len(items):
        yield items[start:]


def scan_files(base: Path, files: Sequence[ImageFile], progress: Progress | None) -> list[Seen]:
    """What a look at each file gives, from the cache where the file has not changed."""
    place = cache.folder() / f"scan-{cache.key([str(base.resolve())])}.json"
    known = cache.load(place, _seen_before) or {}
    new = [file for file in files if _identity(file) not in known]
    tasks = (partial(_look_at, base, some) for some in chunks(new, lambda file: file.stamp.size))
    threads = threads_for(sum(file.stamp.size for file in new) / max(1, len(new)))
    done = 0
    with quiet(), closing(in_order(tasks, threads)) as looks:
        for some in looks:
            known.update(some)
            done += len(some)
            if progress:
                progress(done, len(new), "reading")
    if new:
        cache.save(place, [[*_identity(file), *known[_identity(file)]] for file in files])
    return [known[_identity(file)] for file in files]


def scan_container(container: Container) -> SeenContainer:
    """What a look at a container gives, from the cache where its files have not changed. Raises DataError."""
    place = cache.folder() / f"scan-{cache.key([container.name], container.stamps())}.json"
    if known := cache.load(place, lambda value: SeenContainer(*value)):
        return known
    contents = container.read()
    keys = [hashlib.sha256(pixels).hexdigest() for pixels in contents.images]
    seen = SeenContainer(keys, contents.labels.tolist(), *contents.images.shape[1:])
    cache.save(place, seen)
    return seen


def _seen_before(value: list[list[Any]]) -> dict[Identity, Seen]:
    return {(name, size, time): Seen(*seen) for name, size, time, *seen in value}


def _identity(file: ImageFile) -> Identity:
    return (file.name, *file.stamp)


def _look_at(base: Path, files: Sequence[ImageFile]) -> list[tuple[Identity, Seen]]:
    return [(_identity(file), _look(place_of(base, file.name))) for file in files]


def _look(path: str) -> Seen:
    try:
        data = read_bytes(path)
        return Seen(hashlib.sha256(data).hexdigest(), *read_header(data), None)
    except ImageError as error:
        return Seen("", 0, 0, 0, error.message)


def faults(base: Path, names: Sequence[str]) -> list[str | None]:
    """Why each file cannot be decoded in full; None where it can."""
    return [_fault(place_of(base, name)) for name in names]


def _fault(path: str) -> str | None:
    try:
        read_fully(read_bytes(path))
    except ImageError as error:
        return error.message
    return None
