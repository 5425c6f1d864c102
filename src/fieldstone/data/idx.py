"""IDX files as MNIST's, gzipped or not: http://yann.lecun.com/exdb/mnist/ describes the format."""

import gzip
import re
import zlib
from functools import partial
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fieldstone.data.listing import Container, Contents, Listing
from fieldstone.data.split import Part
from fieldstone.errors import DataError

IMAGES = re.compile(r"(?P<set>.*)images(?P<mark>[-.]idx3-ubyte)(?P<gz>\.gz)?")
UNSIGNED_BYTE = 0x08
CHUNK = 1 << 24  # bytes read at once, so that a false size in the head takes no memory


def is_idx(path: Path) -> bool:
    """Whether a path is an IDX file of images, or a folder that holds one."""
    return bool(_image_files(path))


def read_idx(path: Path) -> Listing:
    """List the pairs of images and labels. `train` and `t10k` (or `test`) are parts where both are there."""
    base = path if path.is_dir() else path.parent
    pairs = [(file, _labels_of(file)) for file in _image_files(path)]
    parts = [_part(images.name) for images, _ in pairs]
    if set(parts) != {"train", "test"}:
        parts = [None] * len(pairs)
    containers = tuple(
        Container(images.name, part, (images, labels), partial(_contents, images, labels))
        for (images, labels), part in zip(pairs, parts, strict=True)
    )
    return Listing("idx", base, containers=containers)


def read_array(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """The unsigned bytes of an IDX file. Raises DataError when it is cut or not what it should be."""
    data = _bytes(path)
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] != UNSIGNED_BYTE or data[3] != dimensions:
        raise DataError(
            f"the file begins with {data[:4].hex(' ') or 'nothing'}, not 00 00 08 {dimensions:02d}",
            file=str(path),
            fix=f"give an IDX file of unsigned bytes in {dimensions} dimensions",
        )
    start = 4 + 4 * dimensions
    shape = tuple(int(n) for n in np.frombuffer(data[4:start], ">u4")) if len(data) >= start else (0,)
    if len(data) - start != prod(shape) or not prod(shape):
        said = "x".join(str(n) for n in shape)
        raise DataError(
            f"the file says {said} and holds {max(0, len(data) - start)} bytes after its head: it is cut or damaged",
            file=str(path),
            fix="copy or download it again",
        )
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def _contents(images: Path, labels: Path) -> Contents:
    pixels, targets = read_array(images, 3), read_array(labels, 1)
    if len(pixels) != len(targets):
        raise DataError(
            f"{len(pixels)} images and {len(targets)} labels ({labels.name}) do not belong together", file=str(images)
        )
    return Contents(pixels[:, None], targets.astype(np.int64))  # (N, H, W) -> (N, 1, H, W)


def _image_files(path: Path) -> list[Path]:
    candidates = sorted(path.iterdir()) if path.is_dir() else [path]
    return [file for file in candidates if IMAGES.fullmatch(file.name) and file.is_file()]


def _labels_of(images: Path) -> Path:
    """The file of labels that belongs to one of images: beside it, gzipped or not."""
    match = IMAGES.fullmatch(images.name)
    assert match is not None
    plain = f"{match['set']}labels{match['mark'].replace('3', '1')}"
    for name in (plain + (match["gz"] or ""), plain, plain + ".gz"):
        if (images.parent / name).is_file():
            return images.parent / name
    raise DataError(f"the labels {plain} are missing", file=str(images), fix="put them beside the images")


def _part(name: str) -> Part | None:
    """The part that an IDX file's name tells: `train-`, `t10k-`, `test-`, also after a prefix as EMNIST's."""
    words = re.split(r"[-_.]", name)
    return "train" if "train" in words else "test" if {"t10k", "test"} & set(words) else None


def _bytes(path: Path) -> bytes:
    try:
        if path.suffix != ".gz":
            return path.read_bytes()
        with gzip.open(path) as stream:
            return b"".join(iter(partial(stream.read, CHUNK), b""))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError("the gzip file is cut or damaged", file=str(path), fix="copy or download it again") from error
    except OSError as error:
        raise DataError(f"the file cannot be read ({error.strerror})", file=str(path)) from error
