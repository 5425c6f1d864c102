"""CIFAR-10's and CIFAR-100's binary layout: https://www.cs.toronto.edu/~kriz/cifar.html describes it."""

import json
from functools import partial
from pathlib import Path

import numpy as np

from fieldstone.data.listing import Container, Contents, Listing
from fieldstone.data.split import Part
from fieldstone.errors import DataError

PIXELS = 3 * 32 * 32
NAME_FILES = ("fine_label_names.txt", "batches.meta.txt", "classes.json")  # the first one there gives the names
LABEL_BYTES = {"cifar-10": 1, "cifar-100": 2}  # of two, coarse and fine, the last is the class


def is_cifar(path: Path) -> bool:
    """Whether a path is a .bin file, or a folder that holds some."""
    return bool(_files(path))


def read_cifar(path: Path) -> Listing:
    """List the .bin files. `test*` is the test part where `train*` or `data_batch*` is there as well."""
    base = path if path.is_dir() else path.parent
    files = _files(path)
    parts = [_part(file.name) for file in files]
    if set(parts) != {"train", "test"}:
        parts = [None] * len(files)
    labels = _label_bytes(base, files)
    names = _names(base)
    told = [base / name for name in NAME_FILES if (base / name).is_file()]  # what the labels mean depends on them
    containers = tuple(
        Container(file.name, part, (file, *told), partial(_contents, file, labels, names))
        for file, part in zip(files, parts, strict=True)
    )
    return Listing("cifar", base, containers=containers, names=names)


def _contents(file: Path, label_bytes: int, names: tuple[str, ...] | None) -> Contents:
    """The records of a file: label bytes, then the red, green and blue plane."""
    try:
        records = np.fromfile(file, np.uint8).reshape(-1, label_bytes + PIXELS)
    except OSError as error:
        raise DataError(f"the file cannot be read ({error.strerror})", file=str(file)) from error
    labels = records[:, label_bytes - 1].astype(np.int64)
    if names is not None and labels.max() >= len(names):
        place = int(labels.argmax())
        raise DataError(f"image {place} has the label {labels[place]}, of {len(names)} classes", file=str(file))
    return Contents(records[:, label_bytes:].reshape(-1, 3, 32, 32), labels)  # (N, 3072) -> (N, 3, 32, 32)


def _label_bytes(base: Path, files: list[Path]) -> int:
    """How many label bytes each record has, by the sizes of the files and the names beside them."""
    fits = [
        (name, count)
        for name, count in LABEL_BYTES.items()
        if all(file.stat().st_size and file.stat().st_size % (count + PIXELS) == 0 for file in files)
    ]
    if not fits:
        odd = next((f for f in files if not f.stat().st_size or f.stat().st_size % (1 + PIXELS)), files[0])
        raise DataError(
            f"its {odd.stat().st_size} bytes are no multiple of {1 + PIXELS} (CIFAR-10) or {2 + PIXELS} (CIFAR-100)",
            file=str(odd),
            fix="copy or download it again",
        )
    if len(fits) == 2 and (base / "fine_label_names.txt").is_file():
        return LABEL_BYTES["cifar-100"]
    return fits[0][1]


def _names(base: Path) -> tuple[str, ...] | None:
    """The names of the classes by number; None when no file tells them."""
    found = next((base / name for name in NAME_FILES if (base / name).is_file()), None)
    if found is None:
        return None
    try:
        text = found.read_text(encoding="utf-8")
        names = json.loads(text) if found.suffix == ".json" else [line.strip() for line in text.splitlines()]
    except (OSError, ValueError) as error:
        raise DataError("the class names cannot be read", file=str(found)) from error
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise DataError("the class names are no list of texts", file=str(found), fix='write ["airplane", …]')
    named = tuple(name for name in names if name)
    if len(set(named)) < len(named):
        raise DataError("a class name is there twice", file=str(found), fix="give each class its own name")
    return named


def _files(path: Path) -> list[Path]:
    candidates = sorted(path.iterdir()) if path.is_dir() else [path]
    return [file for file in candidates if file.suffix == ".bin" and file.is_file()]


def _part(name: str) -> Part | None:
    return "test" if name.startswith("test") else "train" if name.startswith(("train", "data_batch")) else None
