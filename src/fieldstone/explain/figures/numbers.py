"""The numbers of a figure: a person's own, from a table, or whole ones drawn by a seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fieldstone.analysis.rules.wording import plural
from fieldstone.errors import FieldstoneError
from fieldstone.explain.arrays import Array


def read_table(path: Path) -> Array:
    """Numbers between commas, a row a line, an empty line before the next channel: (channels, rows, columns).

    Raises:
        FieldstoneError: it cannot be read, has other things than numbers, or rows or channels of unequal length.
    """
    file = str(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        reason = (fault.strerror or str(fault)).lower() if isinstance(fault, OSError) else "it is no text"
        raise FieldstoneError(
            f"cannot be read: {reason}", file=file, fix="give a file of numbers with commas"
        ) from fault
    channels: list[list[list[float]]] = [[]]
    for place, words in enumerate(text.splitlines(), 1):
        if not words.strip(" ,\t"):
            channels += [[]] if channels[-1] else []
            continue
        row = [_number(word.strip(), file, place) for word in words.split(",")]
        first = channels[0][0] if channels[0] else row
        if len(row) != len(first):
            said = f"has {plural(len(row), 'number')}, the first row {len(first)}"
            raise FieldstoneError(said, file=file, line=place, fix="give rows of the same length")
        channels[-1].append(row)
    found = [channel for channel in channels if channel]
    if not found:
        raise FieldstoneError("holds no number", file=file, fix="write a row a line, with commas between the numbers")
    if len(set(map(len, found))) > 1:
        said = ", ".join(str(len(channel)) for channel in found)
        fix = "give channels of the same size, or leave out the empty lines"
        raise FieldstoneError(f"its channels have {said} rows", file=file, fix=fix)
    return np.array(found)


def _number(word: str, file: str, line: int) -> float:
    try:
        return float(word.replace("−", "-"))
    except ValueError as fault:
        said = f"{word!r} is no number" if word else "a number is missing"
        raise FieldstoneError(said, file=file, line=line, fix="write numbers with commas between them") from fault


def digits(shape: tuple[int, ...], seed: int) -> Array:
    """0 to 9."""
    return np.random.default_rng([seed, 0]).integers(0, 10, shape).astype(np.float64)


def weights(shape: tuple[int, ...], seed: int) -> Array:
    """−2 to 2, drawn again where all are 0, which would show nothing."""
    chance = np.random.default_rng([seed, 1])
    drawn = chance.integers(-2, 3, shape)
    while not drawn.any():
        drawn = chance.integers(-2, 3, shape)
    return drawn.astype(np.float64)
